//! The kernels of L-BFGS: one element of each pass.

use crate::second_order::Real;
use crate::simd::{Columns, Fold, Level, Rule, Vector, Width, reduce, run};

/// `x = scale x + sum c_k r_k`, added in order.
pub(super) struct Combine<T, const K: usize> {
    pub scale: T,
    pub c: [T; K],
}

impl<T: Real, const K: usize> Rule<K, T> for Combine<T, K> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, read: [V; K], _: [V; 0]) -> (V, [V; 0]) {
        let mut x = x * V::splat(isa, self.scale);
        let mut k = 0;
        while k < K {
            x = x + read[k] * V::splat(isa, self.c[k]);
            k += 1;
        }
        (x, [])
    }
}

/// The products of each of the first `J` columns with each of the others.
pub(super) struct Gram<const J: usize>;

impl<T: Real, const J: usize, const R: usize, const A: usize> Fold<R, 0, A, T> for Gram<J> {
    const AHEAD: bool = true;

    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        _: usize,
        mut sums: [V; A],
        read: [V; R],
        _: [V; 0],
    ) -> ([V; A], [V; 0]) {
        const { assert!(A == J * (R - J)) };
        let mut k = J;
        while k < R {
            let mut j = 0;
            while j < J {
                let a = (k - J) * J + j;
                sums[a] = sums[a] + read[j] * read[k];
                j += 1;
            }
            k += 1;
        }
        (sums, [])
    }
}

/// The products of the newest pair, then those of each further column with `y` and with `g`.
///
/// It reads `g, s` and the columns; `y` holds the old gradient and becomes the difference.
pub(super) struct NewestPair;

impl<T: Real, const R: usize, const A: usize> Fold<R, 1, A, T> for NewestPair {
    const AHEAD: bool = true;

    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        _: usize,
        mut sums: [V; A],
        read: [V; R],
        [y]: [V; 1],
    ) -> ([V; A], [V; 1]) {
        const { assert!(A == 4 + 2 * (R - 2)) };
        let (g, s) = (read[0], read[1]);
        let y = g - y;
        sums[0] = sums[0] + s * y;
        sums[1] = sums[1] + y * y;
        sums[2] = sums[2] + s * s;
        sums[3] = sums[3] + s * g;
        let mut k = 2;
        while k < R {
            let a = 2 * k;
            sums[a] = sums[a] + y * read[k];
            sums[a + 1] = sums[a + 1] + g * read[k];
            k += 1;
        }
        (sums, [y])
    }
}

/// `q = p + sum c_k y_k`, added in order, and the product of `q` with each `y_k`.
///
/// It reads `p` and the columns.
pub(super) struct Descend<T, const K: usize> {
    pub c: [T; K],
}

impl<T: Real, const R: usize, const K: usize> Fold<R, 1, K, T> for Descend<T, K> {
    const AHEAD: bool = true;

    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        mut sums: [V; K],
        read: [V; R],
        _: [V; 1],
    ) -> ([V; K], [V; 1]) {
        const { assert!(R == K + 1) };
        let mut q = read[0];
        let mut k = 0;
        while k < K {
            q = q + read[k + 1] * V::splat(isa, self.c[k]);
            k += 1;
        }
        let mut k = 0;
        while k < K {
            sums[k] = sums[k] + q * read[k + 1];
            k += 1;
        }
        (sums, [q])
    }
}

/// Joins a sum and a maximum with those of the elements that follow.
#[inline(always)]
pub(super) fn join_slope<T: Real, V: Vector<T>>(a: [V; 2], b: [V; 2]) -> [V; 2] {
    [a[0] + b[0], b[1].max(a[1])]
}

/// [`join_slope`] with a second maximum.
#[inline(always)]
pub(super) fn join_line<T: Real, V: Vector<T>>(a: [V; 3], b: [V; 3]) -> [V; 3] {
    [a[0] + b[0], b[1].max(a[1]), b[2].max(a[2])]
}

/// The direction `d = -(scale q + sum c_k s_k)`, added in order, in the place of `q`, and the first trial
/// point `x = x0 + d`: slope and largest element of the direction.
///
/// It reads `x0`, `g` and the columns.
pub(super) struct Depart<T, const K: usize> {
    pub scale: T,
    pub c: [T; K],
}

impl<T: Real, const R: usize, const K: usize> Fold<R, 2, 2, T> for Depart<T, K> {
    const AHEAD: bool = true;

    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [slope, longest]: [V; 2],
        read: [V; R],
        [q, _]: [V; 2],
    ) -> ([V; 2], [V; 2]) {
        const { assert!(R == K + 2) };
        let mut q = q * V::splat(isa, self.scale);
        let mut k = 0;
        while k < K {
            q = q + read[k + 2] * V::splat(isa, self.c[k]);
            k += 1;
        }
        let d = -q;
        ([slope + read[1] * d, d.abs().max(longest)], [d, read[0] + d])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, a: [V; 2], b: [V; 2]) -> [V; 2] {
        join_slope(a, b)
    }
}

/// Slope along `d`, and the largest element of the gradient.
pub(super) struct Slope;

impl<T: Real> Fold<2, 0, 2, T> for Slope {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        _: usize,
        [slope, largest]: [V; 2],
        [g, d]: [V; 2],
        _: [V; 0],
    ) -> ([V; 2], [V; 0]) {
        ([slope + g * d, g.abs().max(largest)], [])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, a: [V; 2], b: [V; 2]) -> [V; 2] {
        join_slope(a, b)
    }
}

/// `x = x0 + t d`.
pub(super) struct Advance<T> {
    pub t: T,
}

impl<T: Real> Rule<2, T> for Advance<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x0, d]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        (x0 + d * V::splat(isa, self.t), [])
    }
}

/// `x = x h`.
pub(super) struct Multiply;

impl<T: Real> Rule<1, T> for Multiply {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, _: V::Isa, x: V, [h]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (x * h, [])
    }
}

/// `s = x - x0`.
pub(super) struct Difference;

impl<T: Real> Rule<2, T> for Difference {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, _: V::Isa, _: V, [x, x0]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        (x - x0, [])
    }
}

/// `y'(h y)`.
pub(super) struct Weighted;

impl<T: Real> Fold<2, 0, 1, T> for Weighted {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [y, h]: [V; 2],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        ([sum + y * (h * y)], [])
    }
}

/// A reduction of columns of one length.
pub(super) fn sums<T: Real, const R: usize, const S: usize, const A: usize>(
    level: Level,
    folds: &impl Fold<R, S, A, T>,
    read: [&[T]; R],
    state: [&mut [T]; S],
) -> [T; A] {
    let len = read.first().map_or(0, |column| column.len());
    let sums = reduce(level, folds, len, read, state);
    debug_assert!(sums.is_ok(), "all vectors of a run have one length");
    sums.unwrap_or([T::ZERO; A])
}

/// An update of columns of one length.
pub(super) fn apply<T: Real, const R: usize>(
    level: Level,
    rule: &impl Rule<R, T, Columns = Width<0>>,
    x: &mut [T],
    read: [&[T]; R],
) {
    update(level, rule, x, read, []);
}

/// [`apply`] with columns of state.
pub(super) fn update<T: Real, const S: usize, const R: usize>(
    level: Level,
    rule: &impl Rule<R, T, Columns = Width<S>>,
    x: &mut [T],
    read: [&[T]; R],
    state: [&mut [T]; S],
) {
    let columns = Columns::new(x, read, state);
    debug_assert!(columns.is_ok(), "all vectors of a run have one length");
    if let Ok(columns) = columns {
        run(level, rule, columns);
    }
}
