//! Bounds of parameters: each search stays in the box.
//!
//! A parameter at a bound that the gradient presses against stands still, and the others move as if it did not exist:
//! the recursion runs over them alone (`subspace.rs`; Ni and Yuan, 1997). The direction is cut where it leaves the box
//! (Morales and Nocedal, 2011), so that one step may bring many parameters to their bounds, and the search goes along
//! what is left of it, at most to where the next parameter arrives.

use super::kernels::{join_line, join_slope};
use crate::error::{Argument, Error, Hyper, require, same_length};
use crate::second_order::Real;
use crate::simd::{Fold, Rule, Vector, Width};

/// Bounds of every parameter: infinite where there is none.
///
/// ```
/// use gradus::second_order::{LbfgsVec, Stop};
///
/// // The nearest point to (2, -1) in the square between 0 and 1.
/// let mut x = [0.5, 0.5];
/// let report = LbfgsVec::new(2).bounds(&[0.0; 2], &[1.0; 2]).minimize(&mut x, |x, g| {
///     let (u, v) = (x[0] - 2.0, x[1] + 1.0);
///     g.copy_from_slice(&[2.0 * u, 2.0 * v]);
///     u * u + v * v
/// })?;
/// assert_eq!((report.stop, x), (Stop::Gradient, [1.0, 0.0]));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[doc(alias = "L-BFGS-B")]
#[doc(alias = "box constraints")]
pub struct Bounds<'a, T> {
    /// The least value of each parameter; `-INFINITY`: none.
    pub lower: &'a [T],
    /// The largest value of each parameter, not below the least; `INFINITY`: none.
    pub upper: &'a [T],
}

impl<T: Real> Bounds<'_, T> {
    /// Checks both for `n` parameters.
    ///
    /// # Errors
    /// [`Error::Length`] if one is not as long, [`Error::Range`] if a lower bound lies above its upper bound, if there is
    /// no finite number between them, or if one is NaN.
    pub fn check(&self, n: usize) -> Result<(), Error> {
        let Self { lower, upper } = self;
        same_length(Argument::Bounds, n, lower.len())?;
        same_length(Argument::Bounds, n, upper.len())?;
        // Without a way out: an early one would keep the loop from wide registers.
        let good = lower.iter().zip(*upper).fold(true, |good, (low, high)| {
            good & (*low <= *high) & (*low < T::INFINITY) & (*high > -T::INFINITY)
        });
        require(good, Hyper::Bounds)
    }

    /// Moves `x` to the nearest point in the box; whether it was another. NaN has no nearest number, and stays.
    pub(super) fn clamp(&self, x: &mut [T]) -> bool {
        let mut moved = false;
        for (x, (low, high)) in x.iter_mut().zip(self.lower.iter().zip(self.upper)) {
            moved |= *x < *low || *x > *high;
            let inside = if *x <= *low { *low } else { *x };
            *x = if inside >= *high { *high } else { inside };
        }
        moved
    }
}

/// `x0 + d`, which stops at the bounds exactly.
#[inline(always)]
fn within<T: Real, V: Vector<T>>([x0, d, low, high]: [V; 4]) -> V {
    let x = (high - x0).select_gt(d, x0 + d, high);
    d.select_gt(low - x0, x, low).max(low).min(high)
}

/// The gradient of the parameters that may move, 0 for the others, and 1 for the former.
///
/// It reads `x0`, the gradient there and the bounds.
pub(super) struct Split;

impl<T: Real> Rule<4, T> for Split {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x0, g, low, high]: [V; 4], _: [V; 1]) -> (V, [V; 1]) {
        let (zero, one) = (V::splat(isa, T::ZERO), V::splat(isa, T::ONE));
        let from_low = x0.select_gt(low, one, g.select_gt(zero, zero, one));
        let from_high = high.select_gt(x0, one, zero.select_gt(g, zero, one));
        let free = from_low.min(from_high);
        (free.select_gt(zero, g, zero), [free])
    }
}

/// The direction into the box in the place of `q`, and the first trial point: slope, largest element of the direction,
/// and the share of the way to its bound that the first parameter to arrive there has come.
///
/// It reads `x0`, the gradient there and the bounds.
pub(super) struct Depart;

impl<T: Real> Fold<4, 2, 3, T> for Depart {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [slope, largest, share]: [V; 3],
        [x0, g, low, high]: [V; 4],
        [q, _]: [V; 2],
    ) -> ([V; 3], [V; 2]) {
        let zero = V::splat(isa, T::ZERO);
        let d = (x0 - q).max(low).min(high) - x0;
        let down = zero.select_gt(d, d / (low - x0), zero);
        let towards = d.select_gt(zero, d / (high - x0), down);
        ([slope + g * d, d.abs().max(largest), towards.max(share)], [d, within([x0, d, low, high])])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, a: [V; 3], b: [V; 3]) -> [V; 3] {
        join_line(a, b)
    }
}

/// At a trial: the slope along `d`, and the largest element of the projected gradient, which is as far as a parameter
/// moves that goes down its gradient until its bound.
///
/// It reads `x`, `g`, `d` and the bounds.
pub(super) struct Judge;

impl<T: Real> Fold<5, 0, 2, T> for Judge {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [slope, largest]: [V; 2],
        [x, g, d, low, high]: [V; 5],
        _: [V; 0],
    ) -> ([V; 2], [V; 0]) {
        let zero = V::splat(isa, T::ZERO);
        let projected = g.select_gt(zero, g.min(x - low), g.max(x - high));
        ([slope + g * d, projected.abs().max(largest)], [])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, a: [V; 2], b: [V; 2]) -> [V; 2] {
        join_slope(a, b)
    }
}

/// `x = x0 + t d`, which stops at the bounds exactly.
///
/// It reads `x0`, `d` and the bounds.
pub(super) struct Advance<T> {
    pub t: T,
}

impl<T: Real> Rule<4, T> for Advance<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x0, d, low, high]: [V; 4], _: [V; 0]) -> (V, [V; 0]) {
        (within([x0, d * V::splat(isa, self.t), low, high]), [])
    }
}
