//! What the caller chooses, and what the caller is told.

use crate::error::{Error, Hyper, ensure, require};
use crate::second_order::Real;

/// How the length of a step is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
pub enum LineSearch {
    /// Strong Wolfe conditions by safeguarded cubic and quadratic steps (Moré and Thuente, 1994).
    #[default]
    MoreThuente = 0,
    /// Sufficient decrease alone (Armijo, 1966), by shortening, or a flatter gradient where rounding hides any decrease.
    /// Always used with an L1 penalty.
    Backtracking = 1,
}

/// Settings of L-BFGS: when to stop, and how far to step.
///
/// ```
/// use gradus::second_order::LbfgsSettings;
///
/// let settings = LbfgsSettings { max_iterations: 100, ..LbfgsSettings::<f64>::new() };
/// assert_eq!(settings.tolerance, 1e-5);
/// assert!(settings.check().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(bound(serialize = "T: Real + serde::Serialize")))]
#[cfg_attr(feature = "serde", serde(bound(deserialize = "T: Real + serde::Deserialize<'de>")))]
pub struct LbfgsSettings<T> {
    /// Stop when `max |g_i|` is at most this.
    pub tolerance: T,
    /// Stop when an iteration lowers the value by at most this times `max(|f|, 1)`; 0: never.
    pub decrease: T,
    /// Iterations at most.
    pub max_iterations: u32,
    /// Evaluations of the objective at most: never one more.
    pub max_evaluations: u32,
    /// Trials of one line search at most.
    pub max_trials: u32,
    /// The line search.
    pub line_search: LineSearch,
    /// Sufficient decrease, `f(t) <= f(0) + c1 t f'(0)`: between 0 and `curvature`.
    pub sufficient_decrease: T,
    /// Curvature condition, `|f'(t)| <= c2 |f'(0)|`: below 1. Most codes have 0.9; 0.6 needs fewer evaluations.
    pub curvature: T,
    /// A bracket that is narrower than this, relative to its upper end, ends the search.
    pub width_tolerance: T,
    /// Shortest step, as a multiple of the direction.
    pub step_min: T,
    /// Longest step, as a multiple of the direction; infinity: no limit.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::unbounded"))]
    pub step_max: T,
    /// No step moves a parameter further than this; infinity: no limit.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::unbounded"))]
    pub max_move: T,
    /// Weight of an L1 penalty: minimises `f(x) + l1 sum |x_i|` by OWL-QN (Andrew and Gao, 2007).
    pub l1: T,
    /// The first parameter that the L1 penalty reaches.
    pub l1_start: usize,
    /// One past the last parameter that the L1 penalty reaches, at least `l1_start`; `usize::MAX`: all.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::unbounded"))]
    pub l1_end: usize,
}

impl<T: Real> LbfgsSettings<T> {
    /// The defaults: tolerance 1e-5, 1000 iterations, 10 000 evaluations, Moré and Thuente, no penalty.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tolerance: T::of(1e-5),
            max_iterations: 1000,
            max_evaluations: 10_000,
            max_trials: 20,
            sufficient_decrease: T::of(1e-4),
            curvature: T::of(0.6),
            width_tolerance: T::of(0.1),
            step_min: T::of(1e-20),
            step_max: T::of(1e20),
            max_move: T::INFINITY,
            l1_end: usize::MAX,
            ..Self::zero()
        }
    }

    /// All zero bits.
    pub(super) const fn zero() -> Self {
        Self {
            tolerance: T::ZERO,
            decrease: T::ZERO,
            max_iterations: 0,
            max_evaluations: 0,
            max_trials: 0,
            line_search: LineSearch::MoreThuente,
            sufficient_decrease: T::ZERO,
            curvature: T::ZERO,
            width_tolerance: T::ZERO,
            step_min: T::ZERO,
            step_max: T::ZERO,
            max_move: T::ZERO,
            l1: T::ZERO,
            l1_start: 0,
            l1_end: 0,
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Range`] for one that lies outside its range or is NaN.
    pub fn check(&self) -> Result<(), Error> {
        let Self { sufficient_decrease: c1, curvature: c2, .. } = *self;
        require(self.tolerance >= T::ZERO && self.decrease >= T::ZERO, Hyper::Tolerance)?;
        require(self.max_iterations > 0 && self.max_evaluations > 0 && self.max_trials > 0, Hyper::Steps)?;
        require(T::ZERO < c1 && c1 < c2 && c2 < T::ONE, Hyper::LineSearch)?;
        require(self.width_tolerance >= T::ZERO && self.width_tolerance < T::ONE, Hyper::LineSearch)?;
        require(self.step_min >= T::ZERO && self.step_max > self.step_min, Hyper::LineSearch)?;
        require(self.max_move > T::ZERO, Hyper::Limit)?;
        require(self.l1 >= T::ZERO && self.l1.finite(), Hyper::Lambda)?;
        ensure(self.l1_start <= self.l1_end, Error::Shape)
    }
}

/// Checks a diagonal preconditioner: one that is not positive leaves no direction that descends.
pub(crate) fn check_preconditioner<T: Real>(h: &[T]) -> Result<(), Error> {
    // Without a way out: an early one would keep the loop from wide registers.
    let good = h.iter().fold(true, |good, h| good & (*h > T::ZERO) & h.finite());
    require(good, Hyper::Preconditioner)
}

impl<T: Real> Default for LbfgsSettings<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a minimiser stopped. The numbers are stable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
#[non_exhaustive]
pub enum Stop {
    /// It has not.
    #[default]
    Running = 0,
    /// The gradient is as small as asked for.
    Gradient = 1,
    /// The value hardly decreased any more.
    Decrease = 2,
    /// The iterations are used up.
    Iterations = 3,
    /// The evaluations are used up.
    Evaluations = 4,
    /// The callback said so.
    Callback = 5,
    /// No step lowers the value: the gradient is wrong, or rounding hides any decrease.
    LineSearch = 6,
    /// The value, the gradient or the Hessian at the start is infinite or NaN.
    NonFinite = 7,
}

/// What a minimiser has reached: always about its best point.
///
/// Best up to rounding: a step that changes the value by at most 10 `EPSILON` times its size, and so perhaps by
/// rounding alone, is taken where slope or gradient say so. Each may end that much above the lowest value seen;
/// L-BFGS never ends above the value at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Report<T> {
    /// The objective, with the L1 penalty if there is one.
    pub value: T,
    /// `max |g_i|`, infinity if one is NaN; with an L1 penalty of the pseudo-gradient.
    pub gradient: T,
    /// Iterations: accepted steps.
    pub iterations: u32,
    /// Evaluations of the objective.
    pub evaluations: u32,
    /// Why it stopped.
    pub stop: Stop,
}
