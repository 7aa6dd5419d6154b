//! Which instruction set runs: a value that only this file can make, so that it proves itself.

#[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf"))]
use super::cortex_m::Fpu;
use super::lane::Plain;
#[cfg(any(
    target_feature = "sse2",
    target_feature = "simd128",
    all(target_arch = "aarch64", target_feature = "neon")
))]
use super::portable::Portable;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
use super::x86::{Avx2, Avx512};
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
pub struct Level(pub(super) Kind);

/// The tokens, one of each instruction set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar(Plain),
    #[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf"))]
    Fpu(Fpu),
    #[cfg(any(
        target_feature = "sse2",
        target_feature = "simd128",
        all(target_arch = "aarch64", target_feature = "neon")
    ))]
    Portable(Portable),
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    Avx2(Avx2),
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    Avx512(Avx512),
}

/// Whether this target can have registers that hold more than one number.
pub const WIDE: bool = cfg!(any(
    target_feature = "sse2",
    target_feature = "simd128",
    all(target_arch = "aarch64", target_feature = "neon")
));

impl Level {
    /// One element at a time, on every target: the reference of all others.
    pub const SCALAR: Self = Self(Kind::Scalar(Plain));

    /// The widest level of this CPU.
    ///
    /// With `std` the CPU is asked; without it the compiler's target features decide. Build with
    /// `--cfg gradus_level="scalar"` to keep every call on [`Level::SCALAR`]; with
    /// `--cfg gradus_level="helium"` for a Cortex-M55 or M85, whose vectors flush subnormals.
    #[inline]
    #[must_use]
    pub fn detect() -> Self {
        #[cfg(not(gradus_level = "scalar"))]
        {
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            if let Some(isa) = Avx512::detect() {
                return Self(Kind::Avx512(isa));
            }
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            if let Some(isa) = Avx2::detect() {
                return Self(Kind::Avx2(isa));
            }
            #[cfg(any(
                target_feature = "sse2",
                target_feature = "simd128",
                all(target_arch = "aarch64", target_feature = "neon")
            ))]
            return Self(Kind::Portable(Portable));
            #[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf"))]
            return Self(Kind::Fpu(Fpu::WIDEST));
        }
        #[allow(unreachable_code)]
        Self::SCALAR
    }

    /// Every level of this CPU, the narrowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[allow(unused_mut)]
        let mut levels = [Some(Self::SCALAR), None, None, None];
        #[cfg(any(
            target_feature = "sse2",
            target_feature = "simd128",
            all(target_arch = "aarch64", target_feature = "neon")
        ))]
        {
            levels[1] = Some(Self(Kind::Portable(Portable)));
        }
        #[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf"))]
        {
            levels[1] = Some(Self(Kind::Fpu(Fpu::Scalar)));
            levels[2] = Some(Self(Kind::Fpu(Fpu::WIDEST))).filter(|_| Fpu::WIDEST != Fpu::Scalar);
        }
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        {
            levels[2] = Avx2::detect().map(|isa| Self(Kind::Avx2(isa)));
            levels[3] = Avx512::detect().map(|isa| Self(Kind::Avx512(isa)));
        }
        levels.into_iter().flatten()
    }

    /// Whether a block of sixteen accumulators of type `T` is one register.
    pub(crate) const fn holds_a_block<T>(self) -> bool {
        let sixteen = match self.0 {
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            Kind::Avx512(_) => true,
            _ => false,
        };
        sixteen && size_of::<T>() == 4
    }

    /// Its name: `scalar`, `fpu`, `helium`, `sse2`, `neon`, `simd128`, `avx2` or `avx512`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Scalar(_) => "scalar",
            #[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf"))]
            Kind::Fpu(fpu) => fpu.name(),
            #[cfg(any(
                target_feature = "sse2",
                target_feature = "simd128",
                all(target_arch = "aarch64", target_feature = "neon")
            ))]
            Kind::Portable(_) if cfg!(target_arch = "aarch64") => "neon",
            #[cfg(any(
                target_feature = "sse2",
                target_feature = "simd128",
                all(target_arch = "aarch64", target_feature = "neon")
            ))]
            Kind::Portable(_) if cfg!(target_feature = "simd128") => "simd128",
            #[cfg(any(
                target_feature = "sse2",
                target_feature = "simd128",
                all(target_arch = "aarch64", target_feature = "neon")
            ))]
            Kind::Portable(_) => "sse2",
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            Kind::Avx2(_) => "avx2",
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            Kind::Avx512(_) => "avx512",
        }
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
