//! Which instruction set runs: a value that only this file can make, so that it proves itself.

use super::arch::Native;
use super::isa::Kernel;
use super::vector::Plain;
use core::fmt;

/// An instruction set that this CPU has.
///
/// Results do not depend on it: a level changes how long a call takes, never a bit of its result
/// (but for Helium, which must be asked for, and which flushes subnormals).
/// The calls without a level use [`Level::detect`]; tests and benchmarks choose.
///
/// ```
/// use gradus::Level;
/// for level in Level::available() {
///     println!("{level}"); // scalar sse2 avx2 avx512
/// }
/// assert_eq!(Level::available().last(), Some(Level::detect()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[doc(alias = "simd")]
#[doc(alias = "instruction set")]
pub struct Level(Native);

impl Level {
    /// One element at a time, on every target: the reference of all others.
    pub const SCALAR: Self = Self(Native::Plain(Plain));

    /// The widest level of this CPU.
    ///
    /// With `std` the CPU is asked; without it the compiler's target features decide. Build with
    /// `--cfg gradus_level="scalar"` to keep every call on [`Level::SCALAR`]; with
    /// `--cfg gradus_level="helium"` for a Cortex-M55 or M85, whose vectors flush subnormals.
    #[inline]
    #[must_use]
    pub fn detect() -> Self {
        if cfg!(gradus_level = "scalar") { Self::SCALAR } else { Self(Native::detect()) }
    }

    /// Every level of this CPU, the narrowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Native::available().rev().map(Self)
    }

    /// Whether a block of sixteen accumulators of type `T` is one register.
    pub(crate) const fn holds_a_block<T>(self) -> bool {
        self.0.register() == 16 * size_of::<T>()
    }

    /// The narrowest level, up to this one, whose register holds so many bytes: half-empty registers take as long as full
    /// ones.
    #[inline(always)]
    pub(crate) fn narrowed(self, bytes: usize) -> Self {
        Self(self.0.narrowed(bytes))
    }

    /// Its name: `scalar`, `fpu`, `helium`, `sse2`, `neon`, `simd128`, `avx2` or `avx512`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name()
    }

    /// Runs `kernel` in code compiled for this level.
    #[inline(always)]
    pub(crate) fn dispatch<F, K: Kernel<F>>(self, formula: &F, kernel: K) -> K::Out {
        self.0.dispatch(formula, kernel)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Level({})", self.name())
    }
}
