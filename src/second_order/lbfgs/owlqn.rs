//! OWL-QN (Andrew and Gao, 2007): L-BFGS for `f(x) + l1 sum |x_i|`.
//!
//! The penalty has no derivative at 0, so that the steepest one-sided slope stands for the gradient (the
//! pseudo-gradient), and a step ends where a parameter would change its sign: there it is 0 exactly.

use super::kernels::{Advance, apply, join_slope, sums};
use super::settings::LbfgsSettings;
use super::walk::Line;
use crate::second_order::Real;
use crate::simd::{Fold, Level, Rule, Vector, Width, sum_abs};

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

/// Writes the pseudo-gradient.
struct Pseudo<T> {
    l1: T,
}

impl<T: Real> Rule<2, T> for Pseudo<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x, g]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        (pseudo(isa, self.l1, x, g), [])
    }
}

/// The largest element of the pseudo-gradient.
impl<T: Real> Fold<2, 0, 1, T> for Pseudo<T> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [largest]: [V; 1],
        [x, g]: [V; 2],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        ([pseudo(isa, self.l1, x, g).abs().max(largest)], [])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, [a]: [V; 1], [b]: [V; 1]) -> [V; 1] {
        [b.max(a)]
    }
}

/// What the pseudo-gradient promises for the move from `x0` to `x`.
struct Promise<T> {
    l1: T,
}

impl<T: Real> Fold<3, 0, 1, T> for Promise<T> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x0, g, x]: [V; 3],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        ([sum + pseudo(isa, self.l1, x0, g) * (x - x0)], [])
    }
}

/// The first trial point: `q` becomes the direction, and `x`, the pseudo-gradient before, the point.
/// `FREE` of the penalty, or in the orthant that the point and the pseudo-gradient choose.
struct Orthant<const FREE: bool>;

impl<T: Real, const FREE: bool> Fold<1, 2, 2, T> for Orthant<FREE> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [slope, longest]: [V; 2],
        [x0]: [V; 1],
        [q, p]: [V; 2],
    ) -> ([V; 2], [V; 2]) {
        if FREE {
            let d = -q;
            return ([slope + p * d, d.abs().max(longest)], [d, x0 + d]);
        }
        let zero = V::splat(isa, T::ZERO);
        // Where the direction does not descend it is 0.
        let (down, up) = ((-q).min(zero), (-q).max(zero));
        let d = p.select_gt(zero, down, zero.select_gt(p, up, zero));
        ([slope + p * d, d.abs().max(longest)], [d, within(isa, x0, d)])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, a: [V; 2], b: [V; 2]) -> [V; 2] {
        join_slope(a, b)
    }
}

/// `x = x0 + t d`, or 0 beyond 0.
struct AdvanceWithin<T> {
    t: T,
}

impl<T: Real> Rule<2, T> for AdvanceWithin<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x0, d]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        (within(isa, x0, d * V::splat(isa, self.t)), [])
    }
}

/// `s = x - x0`
struct Difference;

impl<T: Real> Rule<2, T> for Difference {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, _: V::Isa, _: V, [x, x0]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        (x - x0, [])
    }
}

/// The penalty as seen by the passes: its weight, and the parameters it reaches.
#[derive(Clone, Copy)]
pub(super) struct Penalty<T> {
    level: Level,
    l1: T,
    start: usize,
    end: usize,
}

impl<T: Real> Penalty<T> {
    /// `None` without a penalty.
    pub fn new(settings: &LbfgsSettings<T>) -> Option<Self> {
        let LbfgsSettings { l1, l1_start: start, l1_end: end, exec, .. } = *settings;
        if l1 > T::ZERO { Some(Self { level: exec.level(), l1, start, end }) } else { None }
    }

    /// Lengths of what lies before and in the range of the penalty: one place cuts all vectors.
    fn cuts(&self, n: usize) -> [usize; 2] {
        let end = self.end.min(n);
        let start = self.start.min(end);
        [start, end - start]
    }

    /// The parts of `x` before, in and behind the range of the penalty.
    fn parts<'a>(&self, x: &'a [T]) -> [&'a [T]; 3] {
        let [before, inside] = self.cuts(x.len());
        let (before, rest) = x.split_at_checked(before).unwrap_or_default();
        let (inside, behind) = rest.split_at_checked(inside).unwrap_or_default();
        [before, inside, behind]
    }

    fn parts_mut<'a>(&self, x: &'a mut [T]) -> [&'a mut [T]; 3] {
        let [before, inside] = self.cuts(x.len());
        let (before, rest) = x.split_at_mut_checked(before).unwrap_or_default();
        let (inside, behind) = rest.split_at_mut_checked(inside).unwrap_or_default();
        [before, inside, behind]
    }

    /// `l1 sum |x_i|`
    pub fn value(&self, x: &[T]) -> T {
        let [_, inside, _] = self.parts(x);
        self.l1 * sum_abs(self.level, inside)
    }

    /// The weights of the three parts.
    fn weights(&self) -> [T; 3] {
        [T::ZERO, self.l1, T::ZERO]
    }

    /// Writes the pseudo-gradient at `x` to `out`.
    pub fn gradient(&self, x: &[T], g: &[T], out: &mut [T]) {
        let ([x0, x1, x2], [g0, g1, g2], [o0, o1, o2]) = (self.parts(x), self.parts(g), self.parts_mut(out));
        for (l1, x, g, out) in [(T::ZERO, x0, g0, o0), (self.l1, x1, g1, o1), (T::ZERO, x2, g2, o2)] {
            apply(self.level, &Pseudo { l1 }, out, [x, g]);
        }
    }

    /// The largest element of the pseudo-gradient at `x`: the gradient there is `g`.
    pub fn largest(&self, x: &[T], g: &[T]) -> T {
        let mut largest = T::ZERO;
        for ((l1, x), g) in self.weights().into_iter().zip(self.parts(x)).zip(self.parts(g)) {
            let [part] = sums(self.level, &Pseudo { l1 }, [x, g], []);
            largest = part.max(largest);
        }
        largest
    }

    /// What the pseudo-gradient at `x0` promises for the move to `x`.
    pub fn promise(&self, x0: &[T], g: &[T], x: &[T]) -> T {
        let mut sum = T::ZERO;
        let parts = self.parts(x0).into_iter().zip(self.parts(g)).zip(self.parts(x));
        for (l1, ((x0, g), x)) in self.weights().into_iter().zip(parts) {
            let [part] = sums(self.level, &Promise { l1 }, [x0, g, x], []);
            sum = sum + part;
        }
        sum
    }

    /// Turns `q` into the direction and `x`, which holds the pseudo-gradient, into the point one step along it.
    /// Returns the slope and the longest element of the direction.
    pub fn depart(&self, x0: &[T], q: &mut [T], x: &mut [T]) -> Line<T> {
        let ([x0, x1, x2], [q0, q1, q2], [p0, p1, p2]) =
            (self.parts(x0), self.parts_mut(q), self.parts_mut(x));
        let [slope, largest] = sums(self.level, &Orthant::<false>, [x1], [q1, p1]);
        let mut line = Line { slope, largest };
        for (x0, q, p) in [(x0, q0, p0), (x2, q2, p2)] {
            line.join(sums(self.level, &Orthant::<true>, [x0], [q, p]));
        }
        line
    }

    /// `x = x0 + t d`, or 0 beyond 0 where the penalty reaches.
    pub fn advance(&self, t: T, x0: &[T], d: &[T], x: &mut [T]) {
        let ([a0, a1, a2], [d0, d1, d2], [x0, x1, x2]) = (self.parts(x0), self.parts(d), self.parts_mut(x));
        apply(self.level, &Advance { t }, x0, [a0, d0]);
        apply(self.level, &AdvanceWithin { t }, x1, [a1, d1]);
        apply(self.level, &Advance { t }, x2, [a2, d2]);
    }

    /// The move from `x0` to `x`.
    pub fn difference(&self, x: &[T], x0: &[T], out: &mut [T]) {
        apply(self.level, &Difference, out, [x, x0]);
    }
}
