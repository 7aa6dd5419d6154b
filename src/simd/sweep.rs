//! The only elementwise loop of the crate.
#![allow(unsafe_code)]

use super::lane::{Element, Lane};
use super::level::{Kind, Level};
use super::streams::Streams;
use crate::error::Error;

/// One element of a fused update: the formula, without a loop, a pointer or a cfg.
///
/// A rule updates a column `x` and `S` columns of state from `R` columns that it only reads.
/// For an optimizer `x` are the parameters, the state its running averages, and it reads the
/// gradients (`R` is 1 unless stated). [`run`] applies it to whole slices at any [`Level`].
///
/// Mark `apply` `#[inline(always)]` and write it without closures: on targets where the
/// instruction set is chosen at run time, both cost a function call for each register.
///
/// ```
/// use gradus::{Columns, Lane, Level, Rule, run};
///
/// /// The sign of the gradient alone: `p -= lr` where `g > 0`, `p += lr` where `g < 0`.
/// struct SignSgd {
///     lr: f32,
/// }
///
/// impl Rule<0> for SignSgd {
///     #[inline(always)]
///     fn apply<L: Lane>(&self, isa: L::Isa, p: L, [g]: [L; 1], _: [L; 0]) -> (L, [L; 0]) {
///         let (zero, lr) = (L::splat(isa, 0.0), L::splat(isa, self.lr));
///         let down = g.select_gt(zero, lr, zero);
///         let up = zero.select_gt(g, lr, zero);
///         (p - down + up, [])
///     }
/// }
///
/// let mut params = [1.0, 1.0, 1.0];
/// let grads = [3.0, -0.1, 0.0];
/// run(Level::detect(), &SignSgd { lr: 0.5 }, Columns::new(&mut params, [&grads], [])?);
/// assert_eq!(params, [0.5, 1.5, 1.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub trait Rule<const S: usize, const R: usize = 1, T: Element = f32> {
    /// The new `x` and the new state of one element, for a register full of elements.
    fn apply<L: Lane<T>>(&self, isa: L::Isa, x: L, read: [L; R], state: [L; S]) -> (L, [L; S]);

    /// The loop in assembly that computes the same, where the crate has one.
    #[doc(hidden)]
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        None
    }
}

/// A rule that has loops in assembly, with its constants in the order of their registers.
///
/// Outside of the crate it cannot be named, which keeps [`Rule::assembly`] to the crate's rules.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(all(target_arch = "arm", target_os = "none", target_abi = "eabihf")), allow(dead_code))] // read on Cortex-M only
pub enum Assembly {
    /// `rho, gain, lr`
    Momentum([f32; 3]),
    /// `rho, gain, inside, outside, lr`
    RmsProp([f32; 5]),
    /// `beta1, gain1, beta2, gain2, inside, outside, lr`
    Adam([f32; 7]),
    /// `beta1, gain1, beta2, gain2, inside, outside, lr, keep`
    AdamW([f32; 8]),
}

/// The slices that a [`Rule`] runs over: all of one length, which is checked once, here.
#[derive(Debug)]
pub struct Columns<'a, const S: usize, const R: usize = 1, T = f32> {
    x: *mut T,
    streams: Streams<'a, S, R, T>,
}

// SAFETY: besides the streams, Columns holds one more `&mut [T]`.
unsafe impl<const S: usize, const R: usize, T: Send + Sync> Send for Columns<'_, S, R, T> {}

impl<'a, const S: usize, const R: usize, T> Columns<'a, S, R, T> {
    /// Bundles a column to update, columns to read, and columns of state.
    ///
    /// # Errors
    /// [`Error::Length`] if one of them is not as long as `x`.
    #[inline]
    pub fn new(x: &'a mut [T], read: [&'a [T]; R], state: [&'a mut [T]; S]) -> Result<Self, Error> {
        let streams = Streams::new(x.len(), read, state)?;
        Ok(Self { x: x.as_mut_ptr(), streams })
    }

    /// # Safety
    /// For `'a`, `x` is valid for reads and writes of as many elements as the streams.
    #[inline]
    pub(super) unsafe fn from_pointers(x: *mut T, streams: Streams<'a, S, R, T>) -> Self {
        Self { x, streams }
    }

    /// Bundles arrays, whose lengths the compiler has checked.
    #[inline]
    pub fn from_arrays<const N: usize>(
        x: &'a mut [T; N],
        read: [&'a [T; N]; R],
        state: &'a mut [[T; N]; S],
    ) -> Self {
        Self { x: x.as_mut_ptr(), streams: Streams::from_arrays(read, state) }
    }

    /// Length of every column.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether the columns have no element.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where `x`, the read columns and the state begin.
    #[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf"))]
    #[inline(always)]
    pub(super) fn pointers(&self) -> (*mut T, [*const T; R], [*mut T; S]) {
        (self.x, self.streams.read, self.streams.state)
    }

    /// Two bundles, split at `mid`, or at the end if `mid` lies beyond it.
    #[inline]
    #[must_use]
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        let (left, right) = self.streams.split_at(mid);
        // SAFETY: left.len() is at most the length of the column.
        let x = unsafe { self.x.add(left.len()) };
        (Self { x: self.x, streams: left }, Self { x, streams: right })
    }
}

/// Applies `rule` to every element of `columns` at `level`: the same bits at each.
#[inline]
pub fn run<const S: usize, const R: usize, T: Element, K: Rule<S, R, T>>(
    level: Level,
    rule: &K,
    columns: Columns<'_, S, R, T>,
) {
    match level.0 {
        Kind::Scalar(isa) => sweep::<S, R, T, T, K>(isa, rule, columns),
        #[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf"))]
        Kind::Fpu(isa) => super::cortex_m::run(isa, rule, columns),
        #[cfg(any(
            target_feature = "sse2",
            target_feature = "simd128",
            all(target_arch = "aarch64", target_feature = "neon")
        ))]
        Kind::Portable(isa) => sweep::<S, R, T, T::Portable, K>(isa, rule, columns),
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        Kind::Avx2(isa) => super::x86::run_avx2(isa, rule, columns),
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        Kind::Avx512(isa) => super::x86::run_avx512(isa, rule, columns),
    }
}

/// Elements from which on a first partial register, to align the others, pays for itself.
const LONG: usize = 256;

/// How many of the first elements of `x` are done apart, so that the others are aligned: fewer than a register holds,
/// and none where that does not pay.
///
/// A large allocation often starts 16 bytes past a cache line. Every other 512-bit access would
/// touch two lines there; aligning the column that is written recovers the speed.
#[inline(always)]
pub(super) fn head<T: Element, L: Lane<T>>(x: *const T, n: usize) -> usize {
    let register = size_of::<L>();
    if register >= 32 && n >= LONG {
        // Below WIDTH, because x is aligned to its elements.
        (x.addr().wrapping_neg() % register) / size_of::<T>()
    } else {
        0
    }
}

/// The loop: a part of a register where that aligns `x`, whole registers, and what is left.
#[inline(always)]
pub(super) fn sweep<const S: usize, const R: usize, T: Element, L: Lane<T>, K: Rule<S, R, T>>(
    isa: L::Isa,
    rule: &K,
    columns: Columns<'_, S, R, T>,
) {
    let Columns { x: p, streams } = columns;
    let n = streams.len();
    let mut part = head::<T, L>(p, n);
    let mut i = 0;
    loop {
        if part > 0 {
            // SAFETY: part < WIDTH, and i + part <= n: the head by n >= LONG, the tail by its value.
            unsafe {
                let (read, state) = streams.load_partial::<L>(isa, i, part);
                let (x, state) = rule.apply(isa, L::load_partial(isa, p.add(i), part), read, state);
                x.store_partial(p.add(i), part);
                streams.store_partial(i, part, state);
            }
            i += part;
        }
        while n - i >= L::WIDTH {
            // SAFETY: the loop condition gives i + WIDTH <= n, the length of every column.
            unsafe {
                let (read, state) = streams.load::<L>(isa, i);
                let (x, state) = rule.apply(isa, L::load(isa, p.add(i)), read, state);
                x.store(p.add(i));
                streams.store(i, state);
            }
            i += L::WIDTH;
        }
        part = n - i;
        if L::WIDTH == 1 || part == 0 {
            return;
        }
    }
}
