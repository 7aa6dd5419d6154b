//! How the passes walk over memory: block by block, in order or on threads, with the same sums.

use crate::second_order::Real;
use crate::simd::BLOCK;
#[cfg(feature = "rayon")]
use crate::simd::join;
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
    pub(crate) fn zeros(n: usize, number: usize) -> Self {
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

/// The products of a pair `s, y` with itself and with the gradient.
#[derive(Clone, Copy, Debug)]
pub(super) struct Products<T> {
    pub sy: T,
    pub yy: T,
    pub ss: T,
    /// `s'g`, or `s'q` and then `y'q` in the recursion over some of the parameters.
    pub sg: T,
    /// `y'Hy` with the preconditioner.
    pub yhy: T,
}

impl<T: Real> Products<T> {
    const ZERO: Self = Self { sy: T::ZERO, yy: T::ZERO, ss: T::ZERO, sg: T::ZERO, yhy: T::ZERO };

    /// The inverse curvature along `y`, unless that is not positive: relative to both lengths, and written so that NaN
    /// is refused.
    pub(crate) fn curved(&self, preconditioned: bool) -> Option<T> {
        let Self { sy, yy, ss, yhy, .. } = *self;
        let yhy = if preconditioned { yhy } else { yy };
        let positive = sy > T::EPSILON * (ss.sqrt() * yy.sqrt()) && (sy / yhy).finite();
        positive.then_some(sy / yhy)
    }

    /// Joins the products of the elements that follow.
    pub(crate) fn join(&mut self, next: &Self) {
        self.sy = self.sy + next.sy;
        self.yy = self.yy + next.yy;
        self.ss = self.ss + next.ss;
        self.sg = self.sg + next.sg;
        self.yhy = self.yhy + next.yhy;
    }
}

/// What is to be known of a gradient and a direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<T> {
    /// The slope of the objective along the direction.
    pub slope: T,
    /// The largest element of the gradient at a trial, of the direction at the start of a search.
    pub largest: T,
    /// The largest share of the way to a bound that a step of 1 comes.
    pub share: T,
}

impl<T: Real> Line<T> {
    pub(crate) const ZERO: Self = Self { slope: T::ZERO, largest: T::ZERO, share: T::ZERO };

    /// Joins slope and largest element of what follows.
    pub(crate) fn join(&mut self, [slope, largest]: [T; 2]) {
        self.join_share([slope, largest, T::ZERO]);
    }

    /// Joins the line of the block that follows.
    pub(crate) fn join_line(&mut self, next: &Self) {
        self.join_share([next.slope, next.largest, next.share]);
    }

    /// Joins all three of what follows.
    pub(crate) fn join_share(&mut self, [slope, largest, share]: [T; 3]) {
        self.slope = self.slope + slope;
        self.largest = largest.max(self.largest);
        self.share = share.max(self.share);
    }
}

/// What a pass over the blocks sums up: each pass has a part of its own.
#[derive(Clone, Debug)]
pub(super) struct Totals<T, R> {
    pub newest: Products<T>,
    pub line: Line<T>,
    /// A product with the `y` in question for each slot.
    pub with_y: R,
    /// A product with the gradient for each slot.
    pub with_g: R,
}

impl<T: Real, R> Totals<T, R> {
    /// Zeros, given zeros for each slot.
    pub(crate) const fn zero(with_y: R, with_g: R) -> Self {
        Self { newest: Products::ZERO, line: Line::ZERO, with_y, with_g }
    }
}

impl<T: Real, R: Vector<T>> Totals<T, R> {
    pub(crate) fn clear(&mut self) {
        (self.newest, self.line) = (Products::ZERO, Line::ZERO);
        self.with_y.as_mut().fill(T::ZERO);
        self.with_g.as_mut().fill(T::ZERO);
    }

    /// Joins the totals of the block that follows.
    #[cfg(feature = "rayon")]
    fn join(&mut self, next: &Self) {
        self.newest.join(&next.newest);
        self.line.join_line(&next.line);
        add_to(self.with_y.as_mut(), next.with_y.as_ref());
        add_to(self.with_g.as_mut(), next.with_g.as_ref());
    }
}

#[cfg(feature = "rayon")]
fn add_to<T: Real>(sums: &mut [T], more: &[T]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = *sum + *more;
    }
}

/// Runs a pass: calls `f` for every block of `n` elements and joins the totals in order.
///
/// `f` adds once to each total: two additions in a row would round otherwise where a block has totals of its own.
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

/// Blocks in any order, in as many parts as there is work for.
#[cfg(feature = "rayon")]
#[derive(Clone, Debug)]
pub(super) struct InThreads<T, R> {
    /// The totals of each block.
    pub blocks: Vec<Totals<T, R>>,
    pub parts: usize,
}

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
        if self.blocks.len() != n.div_ceil(BLOCK) {
            self.blocks.resize(n.div_ceil(BLOCK), totals.clone());
        }
        in_parts(0, state, &mut self.blocks, self.parts, &f);
        // The same order as one block after the other.
        for block in &self.blocks {
            totals.join(block);
        }
    }
}

/// The blocks from `first` on, one for each of `totals`.
#[cfg(feature = "rayon")]
fn in_parts<T: Real, R: Vector<T> + Send, const S: usize>(
    first: usize,
    mut state: [&mut [T]; S],
    totals: &mut [Totals<T, R>],
    parts: usize,
    f: &(impl Fn(usize, [&mut [T]; S], &mut Totals<T, R>) + Sync),
) {
    let half = totals.len() / 2;
    if parts < 2 || half == 0 {
        for (b, totals) in totals.iter_mut().enumerate() {
            totals.clear();
            f(first + b, state.each_mut().map(|x| block_mut(x, b)), totals);
        }
        return;
    }
    let (left, right) = totals.split_at_mut(half);
    let mut rest: [&mut [T]; S] = core::array::from_fn(|_| Default::default());
    let mut k = 0;
    let state = state.map(|x| {
        let (near, far) = x.split_at_mut(half * BLOCK);
        rest[k] = far;
        k += 1;
        near
    });
    join(
        || in_parts(first, state, left, parts / 2, f),
        || in_parts(first + half, rest, right, parts - parts / 2, f),
    );
}

/// Block `b` of `x`; empty behind the end.
pub(super) fn block<T>(x: &[T], b: usize) -> &[T] {
    x.chunks(BLOCK).nth(b).unwrap_or_default()
}

fn block_mut<T>(x: &mut [T], b: usize) -> &mut [T] {
    x.chunks_mut(BLOCK).nth(b).unwrap_or_default()
}
