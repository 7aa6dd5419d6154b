//! The only reduction loop of the crate, and the sums that training needs.
//!
//! The order of a sum is part of its definition: element `i` of a block of [`BLOCK`] goes to
//! accumulator `i mod 16`, the sixteen are joined as a tree (8, 4, 2, 1 apart), and the blocks
//! one after the other. A register of any width up to sixteen numbers can follow it, and so can
//! threads, which take whole blocks.
#![allow(unsafe_code, reason = "pointers")]

use super::exec::Exec;
#[cfg(feature = "rayon")]
use super::exec::join;
use super::isa::{Isa, Kernel};
use super::level::Level;
use super::streams::Streams;
use super::sweep::Rule;
use super::vector::{Element, Plain, Vector};
use crate::cut::cut;
use crate::error::Error;
#[cfg(feature = "rayon")]
use alloc::vec;

/// Accumulators of the fixed order: as many as the widest register has numbers.
const ACCUMULATORS: usize = 16;

/// Elements that are summed before their sum joins the total.
pub const BLOCK: usize = 1 << 14;

/// One element of a reduction to `A` numbers, which reads `R` columns and may update `S` more on the way.
///
/// ```
/// use gradus::{Exec, Fold, Vector, reduce};
///
/// /// Sum of `(x - y)^2`.
/// struct SquaredDistance;
///
/// impl Fold<2> for SquaredDistance {
///     #[inline(always)]
///     fn fold<V: Vector>(&self, _: V::Isa, _: usize, [sum]: [V; 1], [x, y]: [V; 2], _: [V; 0]) -> ([V; 1], [V; 0]) {
///         ([sum + (x - y) * (x - y)], [])
///     }
/// }
///
/// let (x, y) = ([1.0, 2.0, 3.0], [1.0, 4.0, 0.0]);
/// assert_eq!(reduce(Exec::new(), &SquaredDistance, 3, [&x, &y], [])?, [13.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub trait Fold<const R: usize, const S: usize = 0, const A: usize = 1, T: Element = f32>: Sync {
    /// Whether it reads so many columns of memory that the CPU needs to be told what comes next.
    #[doc(hidden)]
    const AHEAD: bool = false;

    /// The accumulators after the elements from place `at` of a block on, and the updated columns. They begin at 0.
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        at: usize,
        sums: [V; A],
        read: [V; R],
        state: [V; S],
    ) -> ([V; A], [V; S]);

    /// Two sets of accumulators in one: their sums, unless stated. One that nothing was folded into is 0, and must leave
    /// the other as it is: the least of positive numbers, say, is not to be had.
    #[inline(always)]
    fn join<V: Vector<T>>(&self, mut a: [V; A], b: [V; A]) -> [V; A] {
        let mut k = 0;
        while k < A {
            a[k] = a[k] + b[k];
            k += 1;
        }
        a
    }
}

/// Reduces slices of `len` elements to `A` numbers in one pass: the same bits wherever it runs.
///
/// # Errors
/// [`Error::Length`] if a slice has another length.
pub fn reduce<const R: usize, const S: usize, const A: usize, T: Element, K: Fold<R, S, A, T>>(
    exec: impl Into<Exec>,
    fold: &K,
    len: usize,
    read: [&[T]; R],
    state: [&mut [T]; S],
) -> Result<[T; A], Error> {
    let streams = Streams::new(len, read, state)?;
    let exec = exec.into();
    let level = exec.level();
    #[cfg(feature = "rayon")]
    if exec.parts(len) > 1 {
        let mut sums = vec![[T::ZERO; A]; len.div_ceil(BLOCK)];
        reduce_parts(level, fold, streams, &mut sums, exec.parts(len));
        return Ok(sums.into_iter().fold([T::ZERO; A], |totals, sum| fold.join(totals, sum)));
    }
    let mut rest = streams;
    let mut totals = [T::ZERO; A];
    while rest.len() > 0 {
        let (first, others) = rest.split_at(BLOCK);
        totals = fold.join(totals, reduce_block(level, fold, first));
        rest = others;
    }
    Ok(totals)
}

/// The sums of the blocks, in a number of parts, a thread each.
#[cfg(feature = "rayon")]
fn reduce_parts<const R: usize, const S: usize, const A: usize, T: Element, K: Fold<R, S, A, T>>(
    level: Level,
    fold: &K,
    streams: Streams<'_, S, R, T>,
    sums: &mut [[T; A]],
    parts: usize,
) {
    if parts > 1 {
        let half = sums.len() / parts * (parts / 2);
        let (left, right) = streams.split_at(half * BLOCK);
        let (left_sums, right_sums) = sums.split_at_mut(half);
        join(
            || reduce_parts(level, fold, left, left_sums, parts / 2),
            || reduce_parts(level, fold, right, right_sums, parts - parts / 2),
        );
        return;
    }
    let mut rest = streams;
    for sum in sums {
        let (first, others) = rest.split_at(BLOCK);
        *sum = reduce_block(level, fold, first);
        rest = others;
    }
}

/// One block at one level.
#[inline]
fn reduce_block<const R: usize, const S: usize, const A: usize, T: Element, K: Fold<R, S, A, T>>(
    level: Level,
    fold: &K,
    streams: Streams<'_, S, R, T>,
) -> [T; A] {
    level.dispatch(fold, Block::<R, S, A, T>(streams))
}

/// One block of a reduction to `A` numbers.
struct Block<'a, const R: usize, const S: usize, const A: usize, T: Element>(Streams<'a, S, R, T>);

impl<const R: usize, const S: usize, const A: usize, T: Element, K: Fold<R, S, A, T>> Kernel<K>
    for Block<'_, R, S, A, T>
{
    type Out = [T; A];

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, fold: &K) -> [T; A] {
        block::<R, S, A, T, T::In<I>, K>(isa, fold, self.0)
    }
}

/// The loop: sixteen elements a turn, then what is left, then the tree.
#[inline(always)]
fn block<const R: usize, const S: usize, const A: usize, T: Element, V: Vector<T>, K: Fold<R, S, A, T>>(
    isa: V::Isa,
    fold: &K,
    streams: Streams<'_, S, R, T>,
) -> [T; A] {
    let n = streams.len();
    let ahead = K::AHEAD && n == BLOCK; // shorter columns are in a cache, or soon will be
    // Only the first ACCUMULATORS / WIDTH registers are used: an array length cannot say so.
    let mut sums = [[V::splat(isa, T::ZERO); A]; ACCUMULATORS];
    let mut i = 0;
    while n - i >= ACCUMULATORS {
        if ahead {
            streams.fetch(i, ACCUMULATORS);
        }
        let mut k = 0;
        while k < ACCUMULATORS / V::WIDTH {
            let at = i + k * V::WIDTH;
            // SAFETY: at + WIDTH <= i + ACCUMULATORS <= n, the length of every column.
            unsafe {
                let (read, state) = streams.load::<V>(isa, at);
                let (sum, state) = fold.fold(isa, at, sums[k], read, state);
                sums[k] = sum;
                streams.store(at, state);
            }
            k += 1;
        }
        i += ACCUMULATORS;
    }
    let mut totals = [[T::ZERO; A]; ACCUMULATORS];
    let mut k = 0;
    while k < ACCUMULATORS / V::WIDTH {
        if A == 1 {
            // SAFETY: (k + 1) * WIDTH <= ACCUMULATORS, the length of the array, whose elements hold one number each.
            unsafe { sums[k][0].store(totals.as_mut_ptr().cast::<T>().add(k * V::WIDTH)) };
        } else {
            let mut a = 0;
            while a < A {
                let mut column = [T::ZERO; ACCUMULATORS];
                // SAFETY: WIDTH <= ACCUMULATORS, the length of the array.
                unsafe { sums[k][a].store(column.as_mut_ptr()) };
                let mut j = 0;
                while j < V::WIDTH {
                    totals[k * V::WIDTH + j][a] = column[j];
                    j += 1;
                }
                a += 1;
            }
        }
        k += 1;
    }
    let mut k = 0;
    while k < ACCUMULATORS && i + k < n {
        // SAFETY: i + k < n, the length of every column.
        unsafe {
            let (read, state) = streams.load::<T>(Plain, i + k);
            let (sum, state) = fold.fold(Plain, i + k, totals[k], read, state);
            totals[k] = sum;
            streams.store(i + k, state);
        }
        k += 1;
    }
    let mut half = ACCUMULATORS / 2;
    while half > 0 {
        let mut k = 0;
        while k < half {
            totals[k] = fold.join(totals[k], totals[(k + half) % ACCUMULATORS]);
            k += 1;
        }
        half /= 2;
    }
    totals[0]
}

/// Sum of products.
struct Dot;

impl<T: Element> Fold<2, 0, 1, T> for Dot {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x, y]: [V; 2],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        ([sum + x * y], [])
    }
}

/// Sum of squares of scaled elements.
struct SumSquares<T> {
    scale: T,
}

impl<T: Element> Fold<1, 0, 1, T> for SumSquares<T> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x]: [V; 1],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        let x = x * V::splat(isa, self.scale);
        ([sum + x * x], [])
    }
}

/// Sum of absolute values, and what its roundings have lost.
///
/// Small numbers add up beside a large one, where each of them alone is lost: 1 and a thousand times 2.9e-8 are 1 in f32.
/// A square root would halve that error, here nothing does. The rounding error of an addition is itself a number (Knuth,
/// The Art of Computer Programming, volume 2, 4.2.2), and the sum of these errors is added at the end.
struct SumAbs;

/// `a + b`, and its rounding error.
#[inline(always)]
fn two_sum<T: Element, V: Vector<T>>(a: V, b: V) -> (V, V) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

impl<T: Element> Fold<1, 0, 2, T> for SumAbs {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        _: usize,
        [sum, lost]: [V; 2],
        [x]: [V; 1],
        _: [V; 0],
    ) -> ([V; 2], [V; 0]) {
        let (sum, error) = two_sum(sum, x.abs());
        ([sum, lost + error], [])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, [sum, lost]: [V; 2], [other, other_lost]: [V; 2]) -> [V; 2] {
        let (sum, error) = two_sum(sum, other);
        [sum, lost + other_lost + error]
    }
}

/// Largest absolute value; NaN is passed over.
struct MaxAbs;

impl<T: Element> Fold<1, 0, 1, T> for MaxAbs {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x]: [V; 1],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        ([x.abs().max(sum)], [])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, [a]: [V; 1], [b]: [V; 1]) -> [V; 1] {
        [b.max(a)]
    }
}

/// Number of elements that are infinite or NaN.
struct NonFinite;

impl<T: Element> Fold<1, 0, 1, T> for NonFinite {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x]: [V; 1],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        let (zero, one) = (V::splat(isa, T::ZERO), V::splat(isa, T::ONE));
        ([sum + V::splat(isa, T::INFINITY).select_gt(x.abs(), zero, one)], [])
    }
}

/// Number of elements that `rule` cannot compute with.
struct Overflowing<'a, K>(&'a K);

impl<K: Rule> Fold<2> for Overflowing<'_, K> {
    #[inline(always)]
    fn fold<V: Vector>(
        &self,
        isa: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [p, g]: [V; 2],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        let [seen] = self.0.before(isa, p, [g]);
        let size = if K::SQUARES { seen * seen } else { seen.abs() };
        let (zero, one, infinity) = (V::splat(isa, 0.0), V::splat(isa, 1.0), V::splat(isa, f32::INFINITY));
        let bad = infinity.select_gt(size, zero, one);
        ([sum + infinity.select_gt(g.abs(), bad, one)], [])
    }
}

/// Sum of `x[i] * y[i]` in the fixed order.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length.
///
/// ```
/// use gradus::{Exec, dot};
/// assert_eq!(dot(Exec::new(), &[1.0, 2.0, 3.0_f32], &[4.0, 5.0, 6.0]), Ok(32.0));
/// ```
pub fn dot<T: Element>(exec: impl Into<Exec>, x: &[T], y: &[T]) -> Result<T, Error> {
    Ok(reduce(exec, &Dot, x.len(), [x, y], [])?[0])
}

/// A reduction of one slice: lengths cannot differ, so that it cannot fail.
#[inline]
fn reduce_slice<const A: usize, T: Element, K: Fold<1, 0, A, T>>(
    exec: impl Into<Exec>,
    fold: &K,
    x: &[T],
) -> [T; A] {
    match reduce(exec, fold, x.len(), [x], []) {
        Ok(totals) => totals,
        Err(_) => [T::ZERO; A], // unreachable: one slice has one length
    }
}

/// The same to one number.
#[inline]
fn reduce_one<T: Element, K: Fold<1, 0, 1, T>>(exec: impl Into<Exec>, fold: &K, x: &[T]) -> T {
    let [total] = reduce_slice(exec, fold, x);
    total
}

/// Sum of squares in the fixed order; it may overflow where the norm does not: see [`l2_norm`].
#[must_use]
pub fn sum_squares<T: Element>(exec: impl Into<Exec>, x: &[T]) -> T {
    reduce_one(exec, &SumSquares { scale: T::ONE }, x)
}

/// Sum of absolute values in the fixed order, correct to one unit in the last place up to 2^27 elements.
///
/// Beyond that the roundings of what was lost may add up: to 40 units in the last place of 2^30 elements that are all equal.
#[must_use]
pub fn sum_abs<T: Element>(exec: impl Into<Exec>, x: &[T]) -> T {
    let [sum, lost] = reduce_slice(exec, &SumAbs, x);
    // Infinity minus infinity is lost on the way to an infinite sum.
    if sum < T::INFINITY { sum + lost } else { sum }
}

/// Largest absolute value; 0 for an empty slice. NaN is ignored: see [`count_non_finite`].
#[must_use]
pub fn max_abs<T: Element>(exec: impl Into<Exec>, x: &[T]) -> T {
    reduce_one(exec, &MaxAbs, x)
}

/// How many elements are infinite or NaN.
#[must_use]
pub fn count_non_finite(exec: impl Into<Exec>, x: &[f32]) -> usize {
    let exec = exec.into();
    // Each block has few enough elements for its count to be exact in f32.
    let mut count = 0;
    for block in x.chunks(BLOCK) {
        count += reduce_one(exec, &NonFinite, block) as usize;
    }
    count
}

/// How many gradients are infinite or NaN, or so for `rule` after its transforms, squared where it squares them.
pub(crate) fn count_overflowing<K: Rule>(exec: Exec, rule: &K, params: &[f32], grads: &[f32]) -> usize {
    let fold = Overflowing(rule);
    let (mut count, mut params, mut grads) = (0, params, grads);
    while !grads.is_empty() {
        let (params, grads) = (cut(&mut params, BLOCK), cut(&mut grads, BLOCK));
        if let Ok([bad]) = reduce(exec, &fold, grads.len(), [params, grads], []) {
            count += bad as usize;
        }
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
/// use gradus::{Exec, l2_norm};
/// assert_eq!(l2_norm(Exec::new(), &[3e30, 4e30_f32]), 5e30);
/// ```
#[must_use]
pub fn l2_norm<T: Element>(exec: impl Into<Exec>, x: &[T]) -> T {
    let exec = exec.into();
    let squares = sum_squares(exec, x);
    if squares > T::SMALL_SQUARE && squares < T::INFINITY {
        return squares.sqrt();
    }
    let largest = max_abs(exec, x);
    if largest == T::ZERO || largest == T::INFINITY {
        return largest.max(squares); // a NaN in the sum passes this maximum; 0 and infinity are themselves
    }
    let scale = largest.inverse_power();
    reduce_one(exec, &SumSquares { scale }, x).sqrt() / scale
}

#[cfg(all(test, feature = "rayon"))]
mod tests {
    use super::*;

    /// Sums its column, and adds 1 to each element.
    struct SumAndCount;

    impl Fold<0, 1> for SumAndCount {
        #[inline(always)]
        fn fold<V: Vector>(
            &self,
            isa: V::Isa,
            _: usize,
            [sum]: [V; 1],
            _: [V; 0],
            [x]: [V; 1],
        ) -> ([V; 1], [V; 1]) {
            ([sum + x], [x + V::splat(isa, 1.0)])
        }
    }

    /// On any number of threads each block is summed once, and its sum comes to its place.
    #[test]
    fn each_block_is_summed_once_into_its_place() {
        let numbers = |len: usize| (0..len).map(|i| (1 + i / BLOCK) as f32).collect::<vec::Vec<_>>();
        for len in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 4 * BLOCK + 5] {
            let before = numbers(len);
            let want: vec::Vec<_> =
                before.chunks(BLOCK).map(|block| [block[0] * block.len() as f32]).collect();
            for parts in 1..9 {
                let (mut x, mut sums) = (before.clone(), vec![[f32::NAN]; want.len()]);
                let streams = Streams::new(len, [], [&mut x]).unwrap();
                reduce_parts(Level::detect(), &SumAndCount, streams, &mut sums, parts);
                assert_eq!(sums, want, "{len} elements, {parts} parts");
                let counted = x.iter().zip(&before).all(|(x, before)| *x == before + 1.0);
                assert!(counted, "{len} elements, {parts} parts");
            }
        }
    }
}
