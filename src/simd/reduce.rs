//! The only reduction loop of the crate, and the sums that training needs.
//!
//! The order of a sum is part of its definition: element `i` of a block of [`BLOCK`] goes to
//! accumulator `i mod 16`, the sixteen are joined as a tree (8, 4, 2, 1 apart), and the blocks
//! one after the other. A register of any width up to sixteen lanes can follow it, and so can
//! threads, which take whole blocks.
#![allow(unsafe_code)]

use super::lane::{Element, Lane, Plain};
use super::level::{Kind, Level};
use super::streams::Streams;
use crate::error::Error;

/// Accumulators of the fixed order: the lanes of the widest register.
const LANES: usize = 16;

/// Elements that are summed before their sum joins the total.
pub const BLOCK: usize = 1 << 14;

/// One element of a reduction that reads `R` columns and may update `S` more on the way.
pub trait Fold<const R: usize, const S: usize = 0, T: Element = f32> {
    /// The accumulator after one more element, and the updated columns.
    fn fold<L: Lane<T>>(&self, isa: L::Isa, sum: L, read: [L; R], state: [L; S]) -> (L, [L; S]);

    /// [`fold`](Self::fold) of the elements from place `at` of a block on, for folds that ask.
    #[doc(hidden)]
    #[inline(always)]
    fn fold_at<L: Lane<T>>(
        &self,
        isa: L::Isa,
        _at: usize,
        sum: L,
        read: [L; R],
        state: [L; S],
    ) -> (L, [L; S]) {
        self.fold(isa, sum, read, state)
    }

    /// Two accumulators in one.
    #[inline(always)]
    fn join<L: Lane<T>>(&self, a: L, b: L) -> L {
        a + b
    }
}

/// One element of a reduction to `A` numbers at once: [`Fold`] for those who need several.
pub trait Folds<const R: usize, const S: usize, const A: usize, T: Element> {
    /// Whether it reads so many columns of memory that the CPU needs to be told what comes next.
    const AHEAD: bool = false;

    /// The accumulators after the elements from place `at` of a block on, and the updated columns.
    fn fold<L: Lane<T>>(
        &self,
        isa: L::Isa,
        at: usize,
        sums: [L; A],
        read: [L; R],
        state: [L; S],
    ) -> ([L; A], [L; S]);

    /// Two sets of accumulators in one.
    #[inline(always)]
    fn join<L: Lane<T>>(&self, mut a: [L; A], b: [L; A]) -> [L; A] {
        let mut k = 0;
        while k < A {
            a[k] = a[k] + b[k];
            k += 1;
        }
        a
    }
}

/// A [`Fold`] as the [`Folds`] of one number.
struct One<'a, K>(&'a K);

impl<const R: usize, const S: usize, T: Element, K: Fold<R, S, T>> Folds<R, S, 1, T> for One<'_, K> {
    #[inline(always)]
    fn fold<L: Lane<T>>(
        &self,
        isa: L::Isa,
        at: usize,
        [sum]: [L; 1],
        read: [L; R],
        state: [L; S],
    ) -> ([L; 1], [L; S]) {
        let (sum, state) = self.0.fold_at(isa, at, sum, read, state);
        ([sum], state)
    }
    #[inline(always)]
    fn join<L: Lane<T>>(&self, [a]: [L; 1], [b]: [L; 1]) -> [L; 1] {
        [self.0.join(a, b)]
    }
}

/// Reduces the slices to one number at `level`: the same bits at each.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length.
pub fn reduce<const R: usize, const S: usize, T: Element, K: Fold<R, S, T>>(
    level: Level,
    fold: &K,
    len: usize,
    read: [&[T]; R],
    state: [&mut [T]; S],
) -> Result<T, Error> {
    let [total] = reduce_many(level, &One(fold), len, read, state)?;
    Ok(total)
}

/// Reduces the slices to `A` numbers in one pass at `level`: the same bits at each.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length.
pub(crate) fn reduce_many<
    const R: usize,
    const S: usize,
    const A: usize,
    T: Element,
    K: Folds<R, S, A, T>,
>(
    level: Level,
    folds: &K,
    len: usize,
    read: [&[T]; R],
    state: [&mut [T]; S],
) -> Result<[T; A], Error> {
    let mut rest = Streams::new(len, read, state)?;
    let mut totals = [T::ZERO; A];
    while rest.len() > 0 {
        let (first, others) = rest.split_at(BLOCK);
        totals = folds.join(totals, reduce_block(level, folds, first));
        rest = others;
    }
    Ok(totals)
}

/// One block at one level.
#[inline]
fn reduce_block<const R: usize, const S: usize, const A: usize, T: Element, K: Folds<R, S, A, T>>(
    level: Level,
    folds: &K,
    streams: Streams<'_, S, R, T>,
) -> [T; A] {
    match level.0 {
        Kind::Scalar(isa) => block::<R, S, A, T, T, K>(isa, folds, streams),
        #[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf"))]
        Kind::Fpu(_) => block::<R, S, A, T, T, K>(super::lane::Plain, folds, streams),
        #[cfg(any(
            target_feature = "sse2",
            target_feature = "simd128",
            all(target_arch = "aarch64", target_feature = "neon")
        ))]
        Kind::Portable(isa) => block::<R, S, A, T, T::Portable, K>(isa, folds, streams),
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        Kind::Avx2(isa) => super::x86::reduce_avx2(isa, folds, streams),
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        Kind::Avx512(isa) => super::x86::reduce_avx512(isa, folds, streams),
    }
}

/// The loop: sixteen elements a turn, then what is left, then the tree.
#[inline(always)]
pub(super) fn block<
    const R: usize,
    const S: usize,
    const A: usize,
    T: Element,
    L: Lane<T>,
    K: Folds<R, S, A, T>,
>(
    isa: L::Isa,
    folds: &K,
    streams: Streams<'_, S, R, T>,
) -> [T; A] {
    let n = streams.len();
    let ahead = K::AHEAD && n == BLOCK; // shorter columns are in a cache, or soon will be
    // Only the first LANES / WIDTH registers are used: an array length cannot say so.
    let mut sums = [[L::splat(isa, T::ZERO); A]; LANES];
    let mut i = 0;
    while n - i >= LANES {
        if ahead {
            streams.fetch(i, LANES);
        }
        let mut k = 0;
        while k < LANES / L::WIDTH {
            let at = i + k * L::WIDTH;
            // SAFETY: at + WIDTH <= i + LANES <= n, the length of every column.
            unsafe {
                let (read, state) = streams.load::<L>(isa, at);
                let (sum, state) = folds.fold(isa, at, sums[k], read, state);
                sums[k] = sum;
                streams.store(at, state);
            }
            k += 1;
        }
        i += LANES;
    }
    let mut lanes = [[T::ZERO; A]; LANES];
    let mut k = 0;
    while k < LANES / L::WIDTH {
        if A == 1 {
            // SAFETY: (k + 1) * WIDTH <= LANES, the length of the array, whose elements hold one number each.
            unsafe { sums[k][0].store(lanes.as_mut_ptr().cast::<T>().add(k * L::WIDTH)) };
        } else {
            let mut a = 0;
            while a < A {
                let mut column = [T::ZERO; LANES];
                // SAFETY: WIDTH <= LANES, the length of the array.
                unsafe { sums[k][a].store(column.as_mut_ptr()) };
                let mut j = 0;
                while j < L::WIDTH {
                    lanes[k * L::WIDTH + j][a] = column[j];
                    j += 1;
                }
                a += 1;
            }
        }
        k += 1;
    }
    let mut k = 0;
    while k < LANES && i + k < n {
        // SAFETY: i + k < n, the length of every column.
        unsafe {
            let (read, state) = streams.load::<T>(Plain, i + k);
            let (sum, state) = folds.fold(Plain, i + k, lanes[k], read, state);
            lanes[k] = sum;
            streams.store(i + k, state);
        }
        k += 1;
    }
    let mut half = LANES / 2;
    while half > 0 {
        let mut k = 0;
        while k < half {
            lanes[k] = folds.join(lanes[k], lanes[(k + half) % LANES]);
            k += 1;
        }
        half /= 2;
    }
    lanes[0]
}

/// Sum of products.
struct Dot;

impl<T: Element> Fold<2, 0, T> for Dot {
    #[inline(always)]
    fn fold<L: Lane<T>>(&self, _: L::Isa, sum: L, [x, y]: [L; 2], _: [L; 0]) -> (L, [L; 0]) {
        (sum + x * y, [])
    }
}

/// Sum of squares of scaled elements.
struct SumSquares<T> {
    scale: T,
}

impl<T: Element> Fold<1, 0, T> for SumSquares<T> {
    #[inline(always)]
    fn fold<L: Lane<T>>(&self, isa: L::Isa, sum: L, [x]: [L; 1], _: [L; 0]) -> (L, [L; 0]) {
        let x = x * L::splat(isa, self.scale);
        (sum + x * x, [])
    }
}

/// Sum of absolute values.
struct SumAbs;

impl<T: Element> Fold<1, 0, T> for SumAbs {
    #[inline(always)]
    fn fold<L: Lane<T>>(&self, _: L::Isa, sum: L, [x]: [L; 1], _: [L; 0]) -> (L, [L; 0]) {
        (sum + x.abs(), [])
    }
}

/// Largest absolute value; NaN is passed over.
struct MaxAbs;

impl<T: Element> Fold<1, 0, T> for MaxAbs {
    #[inline(always)]
    fn fold<L: Lane<T>>(&self, _: L::Isa, sum: L, [x]: [L; 1], _: [L; 0]) -> (L, [L; 0]) {
        (x.abs().max(sum), [])
    }
    #[inline(always)]
    fn join<L: Lane<T>>(&self, a: L, b: L) -> L {
        b.max(a)
    }
}

/// Number of elements that are infinite or NaN.
struct NonFinite;

impl<T: Element> Fold<1, 0, T> for NonFinite {
    #[inline(always)]
    fn fold<L: Lane<T>>(&self, isa: L::Isa, sum: L, [x]: [L; 1], _: [L; 0]) -> (L, [L; 0]) {
        let (zero, one) = (L::splat(isa, T::ZERO), L::splat(isa, T::ONE));
        (sum + L::splat(isa, T::INFINITY).select_gt(x.abs(), zero, one), [])
    }
}

/// Sum of `x[i] * y[i]` in the fixed order.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length.
///
/// ```
/// use gradus::{Level, dot};
/// assert_eq!(dot(Level::detect(), &[1.0, 2.0, 3.0_f32], &[4.0, 5.0, 6.0]), Ok(32.0));
/// ```
pub fn dot<T: Element>(level: Level, x: &[T], y: &[T]) -> Result<T, Error> {
    reduce(level, &Dot, x.len(), [x, y], [])
}

/// A reduction of one slice: lengths cannot differ, so that it cannot fail.
#[inline]
fn reduce_one<T: Element, K: Fold<1, 0, T>>(level: Level, fold: &K, x: &[T]) -> T {
    match reduce(level, fold, x.len(), [x], []) {
        Ok(total) => total,
        Err(_) => T::ZERO, // unreachable: one slice has one length
    }
}

/// Sum of squares in the fixed order; it may overflow where the norm does not: see [`norm`].
#[must_use]
pub fn sum_squares<T: Element>(level: Level, x: &[T]) -> T {
    reduce_one(level, &SumSquares { scale: T::ONE }, x)
}

/// Sum of absolute values in the fixed order.
#[must_use]
pub fn sum_abs<T: Element>(level: Level, x: &[T]) -> T {
    reduce_one(level, &SumAbs, x)
}

/// Largest absolute value, 0 of nothing; NaN is passed over: see [`count_non_finite`].
#[must_use]
pub fn max_abs<T: Element>(level: Level, x: &[T]) -> T {
    reduce_one(level, &MaxAbs, x)
}

/// How many elements are infinite or NaN.
#[must_use]
pub fn count_non_finite(level: Level, x: &[f32]) -> usize {
    // Each block has few enough elements for its count to be exact in f32.
    let mut count = 0;
    for block in x.chunks(BLOCK) {
        count += reduce_one(level, &NonFinite, block) as usize;
    }
    count
}

/// Euclidean norm in the fixed order, without overflow or underflow on the way.
///
/// ```text
/// norm = sqrt(sum x^2)
/// ```
///
/// Where the plain sum of squares leaves the range of the type, the elements are scaled by a power
/// of two first, which is exact. NaN gives NaN, infinity gives infinity.
///
/// ```
/// use gradus::{Level, norm};
/// assert_eq!(norm(Level::detect(), &[3e30, 4e30_f32]), 5e30);
/// ```
#[must_use]
pub fn norm<T: Element>(level: Level, x: &[T]) -> T {
    let squares = sum_squares(level, x);
    if squares > T::SMALL_SQUARE && squares < T::INFINITY {
        return squares.sqrt();
    }
    let largest = max_abs(level, x);
    if largest == T::ZERO || largest == T::INFINITY {
        return largest.max(squares); // a NaN in the sum passes this maximum; 0 and infinity are themselves
    }
    let scale = largest.inverse_power();
    reduce_one(level, &SumSquares { scale }, x).sqrt() / scale
}
