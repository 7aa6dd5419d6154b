//! How the passes walk over memory: block by block, in order or on threads, with the same sums.

use crate::second_order::Real;
use crate::simd::BLOCK;
#[cfg(feature = "alloc")]
use alloc::vec;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;

/// Memory for elements: an array, a `Vec`, or a slice of the caller's.
pub(super) trait Vector<T>: AsRef<[T]> + AsMut<[T]> + Sync {
    /// Exchanges the elements with those of memory of the same length.
    #[inline]
    fn exchange(&mut self, other: &mut Self)
    where
        Self: Sized,
    {
        core::mem::swap(self, other);
    }
}

impl<T: Sync, const N: usize> Vector<T> for [T; N] {}
#[cfg(feature = "alloc")]
impl<T: Sync> Vector<T> for Vec<T> {}
#[cfg(feature = "alloc")]
impl<T: Sync> Vector<T> for Column<T> {}

/// A vector on the heap that begins at its own place in a page.
///
/// The system hands out large memory by whole pages. Vectors that all begin alike meet, element for element, in
/// one set of the first cache, which holds eight lines, where a pass reads a dozen vectors.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug)]
pub(super) struct Column<T> {
    memory: Vec<T>,
    lead: usize,
}

#[cfg(feature = "alloc")]
impl<T: Real> Column<T> {
    /// Zeros, `n` of them; `number` tells the vectors of one owner apart.
    pub fn zeros(n: usize, number: usize) -> Self {
        const LINE: usize = 64;
        const LINES_OF_A_PAGE: usize = 64;
        // 17 has no factor with 64. Short vectors stay in the second cache, and their place costs memory.
        let line = if n < BLOCK { 0 } else { 17 * number % LINES_OF_A_PAGE };
        let lead = line * LINE / size_of::<T>();
        Self { memory: vec![T::ZERO; lead + n], lead }
    }
}

#[cfg(feature = "alloc")]
impl<T> AsRef<[T]> for Column<T> {
    #[inline]
    fn as_ref(&self) -> &[T] {
        self.memory.get(self.lead..).unwrap_or_default()
    }
}

#[cfg(feature = "alloc")]
impl<T> AsMut<[T]> for Column<T> {
    #[inline]
    fn as_mut(&mut self) -> &mut [T] {
        self.memory.get_mut(self.lead..).unwrap_or_default()
    }
}

/// Each slice stays where it is, so that the next call finds it there.
#[cfg(feature = "ffi")]
impl<T: Sync> Vector<T> for &mut [T] {
    fn exchange(&mut self, other: &mut Self) {
        for (a, b) in self.iter_mut().zip(other.iter_mut()) {
            core::mem::swap(a, b);
        }
    }
}

/// What a pass over the blocks sums up.
#[derive(Clone, Debug)]
pub(super) struct Totals<T, R> {
    /// Of the newest pair, or of the direction.
    pub sums: [T; 5],
    /// The largest of something.
    pub largest: T,
    /// A product with the `y` in question for each slot.
    pub with_y: R,
    /// A product with the gradient for each slot.
    pub with_g: R,
}

impl<T: Real, R> Totals<T, R> {
    /// Zeros, given zeros for each slot.
    pub const fn zero(with_y: R, with_g: R) -> Self {
        Self { sums: [T::ZERO; 5], largest: T::ZERO, with_y, with_g }
    }
}

impl<T: Real, R: Vector<T>> Totals<T, R> {
    pub fn clear(&mut self) {
        self.sums = [T::ZERO; 5];
        self.largest = T::ZERO;
        self.with_y.as_mut().fill(T::ZERO);
        self.with_g.as_mut().fill(T::ZERO);
    }

    /// Joins the totals of the block that follows.
    #[cfg(feature = "rayon")]
    fn join(&mut self, next: &Self) {
        add_to(&mut self.sums, &next.sums);
        self.largest = next.largest.max(self.largest);
        add_to(self.with_y.as_mut(), next.with_y.as_ref());
        add_to(self.with_g.as_mut(), next.with_g.as_ref());
    }

    /// Joins sums and a maximum of the block that follows.
    pub fn join_slope(&mut self, [sum, largest]: [T; 2]) {
        self.sums[0] = self.sums[0] + sum;
        self.largest = largest.max(self.largest);
    }
}

pub(super) fn add_to<T: Real>(sums: &mut [T], more: &[T]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = *sum + *more;
    }
}

/// Runs a pass: calls `f` for every block of `n` elements and joins the totals in order.
pub(super) trait Walk<T, R> {
    fn walk<const S: usize>(
        &mut self,
        n: usize,
        state: [&mut [T]; S],
        totals: &mut Totals<T, R>,
        f: impl Fn(usize, [&mut [T]; S], &mut Totals<T, R>) + Sync,
    );
}

/// One block after the other.
pub(super) struct InOrder;

impl<T: Real, R: Vector<T>> Walk<T, R> for InOrder {
    fn walk<const S: usize>(
        &mut self,
        n: usize,
        mut state: [&mut [T]; S],
        totals: &mut Totals<T, R>,
        f: impl Fn(usize, [&mut [T]; S], &mut Totals<T, R>) + Sync,
    ) {
        totals.clear();
        for b in 0..n.div_ceil(BLOCK) {
            f(b, state.each_mut().map(|x| block_mut(x, b)), totals);
        }
    }
}

/// Blocks in any order, on the threads of the current pool.
#[cfg(feature = "rayon")]
#[derive(Clone, Debug)]
pub(super) struct InThreads<T, R>(pub std::vec::Vec<Totals<T, R>>);

#[cfg(feature = "rayon")]
impl<T: Real, R: Vector<T> + Clone + Send> Walk<T, R> for InThreads<T, R> {
    fn walk<const S: usize>(
        &mut self,
        n: usize,
        state: [&mut [T]; S],
        totals: &mut Totals<T, R>,
        f: impl Fn(usize, [&mut [T]; S], &mut Totals<T, R>) + Sync,
    ) {
        totals.clear();
        if self.0.len() != n.div_ceil(BLOCK) {
            self.0.resize(n.div_ceil(BLOCK), totals.clone());
        }
        in_halves(0, state, &mut self.0, &f);
        // The same order as one block after the other.
        for block in &self.0 {
            totals.join(block);
        }
    }
}

/// The blocks from `first` on, one for each of `totals`.
#[cfg(feature = "rayon")]
fn in_halves<T: Real, R: Vector<T> + Send, const S: usize>(
    first: usize,
    state: [&mut [T]; S],
    totals: &mut [Totals<T, R>],
    f: &(impl Fn(usize, [&mut [T]; S], &mut Totals<T, R>) + Sync),
) {
    if let [totals] = totals {
        totals.clear();
        return f(first, state, totals);
    }
    let half = totals.len() / 2;
    if half > 0 {
        let (left, right) = totals.split_at_mut(half);
        let mut rest: [&mut [T]; S] = core::array::from_fn(|_| Default::default());
        let mut k = 0;
        let state = state.map(|x| {
            let (near, far) = x.split_at_mut(half * BLOCK);
            rest[k] = far;
            k += 1;
            near
        });
        rayon::join(|| in_halves(first, state, left, f), || in_halves(first + half, rest, right, f));
    }
}

/// Block `b` of `x`; empty behind the end.
pub(super) fn block<T>(x: &[T], b: usize) -> &[T] {
    x.chunks(BLOCK).nth(b).unwrap_or_default()
}

fn block_mut<T>(x: &mut [T], b: usize) -> &mut [T] {
    x.chunks_mut(BLOCK).nth(b).unwrap_or_default()
}
