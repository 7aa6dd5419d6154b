//! An L1 penalty, `f(x) + l1 sum |x_i|`: each search stays in one orthant (after Andrew and Gao, 2007).
//!
//! The penalty has no derivative at 0, so that the steepest one-sided slope stands for the gradient there: the
//! pseudo-gradient. Within an orthant the penalty is linear, and the orthant is a box whose bounds are 0 or infinite:
//! signs of parameters choose it, and where a parameter is 0 the pseudo-gradient does. So the search is that of a box
//! (`bounds.rs`), and a parameter that comes to its bound is 0 exactly. It stays there as long as its pseudo-gradient is
//! 0, and the others move as if it did not exist (`subspace.rs`).

use super::kernels::{join_line, join_slope};
use super::settings::LbfgsSettings;
use crate::second_order::Real;
use crate::simd::{BLOCK, Fold, Level, Rule, Vector, Width, sum_abs};

/// Pseudo-gradient of one element: `g + l1` or `g - l1` on either side of 0; at 0 the one that descends.
#[inline(always)]
fn pseudo<T: Real, V: Vector<T>>(isa: V::Isa, l1: T, x: V, g: V) -> V {
    let (zero, l1) = (V::splat(isa, T::ZERO), V::splat(isa, l1));
    let (right, left) = (g + l1, g - l1);
    let at_zero = zero.select_gt(right, right, left.select_gt(zero, left, zero));
    x.select_gt(zero, right, zero.select_gt(x, left, at_zero))
}

/// `x0 + d`, or 0 if that lies beyond 0. From 0 itself any direction is open.
#[inline(always)]
fn within<T: Real, V: Vector<T>>(isa: V::Isa, x0: V, d: V) -> V {
    let (zero, x) = (V::splat(isa, T::ZERO), x0 + d);
    x0.select_gt(zero, x.max(zero), zero.select_gt(x0, x.min(zero), x))
}

/// The pseudo-gradient, and 1 where a parameter may move: it is not 0, or descends from there.
///
/// It reads `x0` and the gradient there.
pub(super) struct Split<T> {
    pub l1: T,
}

impl<T: Real> Rule<2, T> for Split<T> {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x0, g]: [V; 2], _: [V; 1]) -> (V, [V; 1]) {
        let (zero, one) = (V::splat(isa, T::ZERO), V::splat(isa, T::ONE));
        let p = pseudo(isa, self.l1, x0, g);
        (p, [x0.abs().max(p.abs()).select_gt(zero, one, zero)])
    }
}

/// The direction into the orthant in the place of `q`, and the first trial point: slope, largest element of the
/// direction, and the share of the way to 0 that the first parameter to arrive there has come.
///
/// It reads `x0` and the gradient there.
pub(super) struct Depart<T> {
    pub l1: T,
}

impl<T: Real> Fold<2, 2, 3, T> for Depart<T> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [slope, largest, share]: [V; 3],
        [x0, g]: [V; 2],
        [q, _]: [V; 2],
    ) -> ([V; 3], [V; 2]) {
        let zero = V::splat(isa, T::ZERO);
        let p = pseudo(isa, self.l1, x0, g);
        let (x, move_down, move_up) = (x0 - q, (-q).min(zero), (-q).max(zero));
        let from_zero = p.select_gt(zero, move_down, zero.select_gt(p, move_up, zero));
        let d = x0.select_gt(zero, x.max(zero) - x0, zero.select_gt(x0, x.min(zero) - x0, from_zero));
        // Signs one by one: the product of two small numbers would be 0.
        let part = -d / x0;
        let (down, up) = (zero.select_gt(d, part, zero), d.select_gt(zero, part, zero));
        let towards = x0.select_gt(zero, down, zero.select_gt(x0, up, zero));
        ([slope + p * d, d.abs().max(largest), towards.max(share)], [d, within(isa, x0, d)])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, a: [V; 3], b: [V; 3]) -> [V; 3] {
        join_line(a, b)
    }
}

/// At a trial: the slope along `d` with the penalty, and the largest element of the pseudo-gradient.
///
/// It reads `x`, `x0`, `g` and `d`.
pub(super) struct Judge<T> {
    pub l1: T,
}

impl<T: Real> Fold<4, 0, 2, T> for Judge<T> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [slope, largest]: [V; 2],
        [x, x0, g, d]: [V; 4],
        _: [V; 0],
    ) -> ([V; 2], [V; 0]) {
        let zero = V::splat(isa, T::ZERO);
        let growth = x0.select_gt(zero, d, zero.select_gt(x0, -d, d.abs()));
        let slope = slope + (g * d + growth * V::splat(isa, self.l1));
        ([slope, pseudo(isa, self.l1, x, g).abs().max(largest)], [])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, a: [V; 2], b: [V; 2]) -> [V; 2] {
        join_slope(a, b)
    }
}

/// `x = x0 + t d`, or 0 beyond 0.
pub(super) struct Advance<T> {
    pub t: T,
}

impl<T: Real> Rule<2, T> for Advance<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x0, d]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        (within(isa, x0, d * V::splat(isa, self.t)), [])
    }
}

/// The penalty as seen by the passes: its weight, and the parameters it reaches.
#[derive(Clone, Copy)]
pub(super) struct Penalty<T> {
    pub l1: T,
    start: usize,
    end: usize,
}

impl<T: Real> Penalty<T> {
    /// `None` without a penalty.
    pub(crate) fn new(settings: &LbfgsSettings<T>) -> Option<Self> {
        let LbfgsSettings { l1, l1_start: start, l1_end: end, .. } = *settings;
        (l1 > T::ZERO).then_some(Self { l1, start, end })
    }

    /// Lengths of what lies before and in the range of the penalty, of `len` elements from block `b` on.
    fn cuts(&self, b: usize, len: usize) -> [usize; 2] {
        let first = b.saturating_mul(BLOCK);
        let end = self.end.saturating_sub(first).min(len);
        let start = self.start.saturating_sub(first).min(end);
        [start, end - start]
    }

    /// `l1 sum |x_i|`
    pub(crate) fn value(&self, level: Level, x: &[T]) -> T {
        let [_, [inside], _] = self.parts(0, [x]);
        self.l1 * sum_abs(level, inside)
    }

    /// The parts of block `b` before, in and behind the range of the penalty.
    pub(crate) fn parts<'a, const R: usize>(&self, b: usize, x: [&'a [T]; R]) -> [[&'a [T]; R]; 3] {
        let [before, inside] = self.cuts(b, x.first().map_or(0, |x| x.len()));
        let [first, rest] = split(x, before);
        let [second, third] = split(rest, inside);
        [first, second, third]
    }

    /// [`parts`](Self::parts) to write.
    pub(crate) fn parts_mut<'a, const R: usize>(
        &self,
        b: usize,
        x: [&'a mut [T]; R],
    ) -> [[&'a mut [T]; R]; 3] {
        let [before, inside] = self.cuts(b, x.first().map_or(0, |x| x.len()));
        let [first, rest] = split_mut(x, before);
        let [second, third] = split_mut(rest, inside);
        [first, second, third]
    }
}

fn split<T, const R: usize>(x: [&[T]; R], at: usize) -> [[&[T]; R]; 2] {
    let halves = x.map(|x| x.split_at_checked(at).unwrap_or_default());
    [halves.map(|(near, _)| near), halves.map(|(_, far)| far)]
}

fn split_mut<T, const R: usize>(x: [&mut [T]; R], at: usize) -> [[&mut [T]; R]; 2] {
    let mut far: [&mut [T]; R] = core::array::from_fn(|_| Default::default());
    let mut rest = far.iter_mut();
    let near = x.map(|x| {
        let (near, behind) = x.split_at_mut_checked(at).unwrap_or_default();
        if let Some(to) = rest.next() {
            *to = behind;
        }
        near
    });
    [near, far]
}
