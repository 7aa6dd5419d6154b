//! What the points of a run are bound to: nothing, the orthant of an L1 penalty, or a box.

use super::bounds::{self, Bounds};
use super::kernels::{self, apply, sums, update};
use super::orthant::{self, Penalty};
use super::settings::{LbfgsSettings, check_preconditioner};
use super::walk::{Line, block};
use crate::error::{Argument, Error, Hyper, require, same_length};
use crate::second_order::Real;
use crate::simd::Level;

/// What the caller lends to a call beside the value: nothing, unless it is named.
///
/// ```
/// use gradus::second_order::Given;
///
/// let given = Given::new().preconditioner(&[0.5, 2.0]).bounds(&[0.0, 0.0], &[f32::INFINITY, 1.0]);
/// assert!(given.preconditioner.is_some() && given.bounds.is_some());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Given<'a, T> {
    /// An estimate of the inverse Hessian's diagonal, positive and finite.
    pub preconditioner: Option<&'a [T]>,
    /// Bounds of the parameters, in every call of a run or in none.
    pub bounds: Option<Bounds<'a, T>>,
}

impl<'a, T: Real> Given<'a, T> {
    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { preconditioner: None, bounds: None }
    }

    /// The same with a diagonal preconditioner: an estimate of the inverse Hessian's diagonal, positive and finite.
    #[must_use]
    pub const fn preconditioner(self, h: &'a [T]) -> Self {
        Self { preconditioner: Some(h), ..self }
    }

    /// The same with bounds of the parameters: see [`Bounds`].
    #[must_use]
    pub const fn bounds(self, lower: &'a [T], upper: &'a [T]) -> Self {
        Self { bounds: Some(Bounds { lower, upper }), ..self }
    }

    /// Checks all for a run over `n` parameters with an L1 penalty of weight `l1`.
    pub(crate) fn check(&self, n: usize, l1: T) -> Result<(), Error> {
        if let Some(h) = self.preconditioner {
            same_length(Argument::Preconditioner, n, h.len())?;
            check_preconditioner(h)?;
        }
        if let Some(bounds) = self.bounds {
            bounds.check(n)?;
            require(!(l1 > T::ZERO), Hyper::Bounds)?;
        }
        Ok(())
    }
}

impl<T: Real> Default for Given<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}

/// What the points of a run are bound to.
#[derive(Clone, Copy)]
pub(super) enum Path<'a, T> {
    /// Nothing.
    Smooth,
    /// In each search to one orthant.
    Orthant(Penalty<T>),
    /// The box between bounds.
    Box(Bounds<'a, T>),
}

impl<'a, T: Real> Path<'a, T> {
    pub(crate) fn new(settings: &LbfgsSettings<T>, bounds: Option<Bounds<'a, T>>) -> Self {
        match (Penalty::new(settings), bounds) {
            (Some(penalty), _) => Self::Orthant(penalty),
            (None, Some(bounds)) => Self::Box(bounds),
            (None, None) => Self::Smooth,
        }
    }

    /// What is added to the value at `x`.
    pub(crate) fn penalty(self, level: Level, x: &[T]) -> T {
        match self {
            Self::Orthant(penalty) => penalty.value(level, x),
            Self::Smooth | Self::Box(_) => T::ZERO,
        }
    }

    /// Joins slope and largest element of the gradient at a trial, over block `b` of `x`, `x0`, `g` and `d`.
    ///
    /// A block that a penalty cuts in parts is summed by itself first: sums of blocks are what threads join in order.
    pub(crate) fn judge(self, level: Level, b: usize, [x, x0, g, d]: [&[T]; 4], line: &mut Line<T>) {
        match self {
            Self::Smooth => line.join(sums(level, &kernels::Slope, [g, d], [])),
            Self::Orthant(penalty) => {
                let [before, [x, x0, g, d], behind] = penalty.parts(b, [x, x0, g, d]);
                let mut own = Line::ZERO;
                own.join(sums(level, &orthant::Judge { l1: penalty.l1 }, [x, x0, g, d], []));
                for [_, _, g, d] in [before, behind] {
                    own.join(sums(level, &kernels::Slope, [g, d], []));
                }
                line.join_line(&own);
            }
            Self::Box(Bounds { lower, upper }) => {
                line.join(sums(level, &bounds::Judge, [x, g, d, block(lower, b), block(upper, b)], []));
            }
        }
    }

    /// Writes what the direction starts from to `q`, and to `free` 1 where a parameter may move, else 0.
    pub(crate) fn split(self, level: Level, b: usize, [x0, g]: [&[T]; 2], [q, free]: [&mut [T]; 2]) {
        let smooth = |g: &[T], q: &mut [T], free: &mut [T]| {
            free.fill(T::ONE);
            q.iter_mut().zip(g).for_each(|(q, g)| *q = *g);
        };
        match self {
            Self::Smooth => smooth(g, q, free),
            Self::Orthant(penalty) => {
                let [[_, g0], [x0, g], [_, g2]] = penalty.parts(b, [x0, g]);
                let [[q0, free0], [q, free], [q2, free2]] = penalty.parts_mut(b, [q, free]);
                smooth(g0, q0, free0);
                update(level, &orthant::Split { l1: penalty.l1 }, q, [x0, g], [free]);
                smooth(g2, q2, free2);
            }
            Self::Box(Bounds { lower, upper }) => {
                update(level, &bounds::Split, q, [x0, g, block(lower, b), block(upper, b)], [free]);
            }
        }
    }

    /// Turns `q` into the direction and writes the first trial point to `x`; joins what is to be known of both.
    pub(crate) fn depart(
        self,
        level: Level,
        b: usize,
        [x0, g]: [&[T]; 2],
        [q, x]: [&mut [T]; 2],
        line: &mut Line<T>,
    ) {
        let smooth = kernels::Depart { scale: T::ONE, c: [] };
        match self {
            Self::Smooth => line.join(sums(level, &smooth, [x0, g], [q, x])),
            Self::Orthant(penalty) => {
                let [read0, read, read2] = penalty.parts(b, [x0, g]);
                let [write0, write, write2] = penalty.parts_mut(b, [q, x]);
                let mut own = Line::ZERO; // as in `judge`
                own.join(sums(level, &smooth, read0, write0));
                own.join_share(sums(level, &orthant::Depart { l1: penalty.l1 }, read, write));
                own.join(sums(level, &smooth, read2, write2));
                line.join_line(&own);
            }
            Self::Box(Bounds { lower, upper }) => {
                let read = [x0, g, block(lower, b), block(upper, b)];
                line.join_share(sums(level, &bounds::Depart, read, [q, x]));
            }
        }
    }

    /// Writes the point one step `t` along `d` from `x0` to `x`.
    pub(crate) fn advance(self, level: Level, b: usize, t: T, [x0, d]: [&[T]; 2], x: &mut [T]) {
        match self {
            Self::Smooth => apply(level, &kernels::Advance { t }, x, [x0, d]),
            Self::Orthant(penalty) => {
                let [read0, read, read2] = penalty.parts(b, [x0, d]);
                let [[before], [inside], [behind]] = penalty.parts_mut(b, [x]);
                apply(level, &kernels::Advance { t }, before, read0);
                apply(level, &orthant::Advance { t }, inside, read);
                apply(level, &kernels::Advance { t }, behind, read2);
            }
            Self::Box(Bounds { lower, upper }) => {
                apply(level, &bounds::Advance { t }, x, [x0, d, block(lower, b), block(upper, b)]);
            }
        }
    }
}
