//! What the caller chooses.

use crate::error::{Error, Hyper, ensure, require};
use crate::second_order::Real;
use crate::second_order::fields::Choice;
use crate::simd::Exec;
use core::ops::{Bound, RangeBounds};

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
    Backtracking = 1,
}

impl Choice for LineSearch {
    const ALL: &[Self] = &[Self::MoreThuente, Self::Backtracking];
    fn word(self) -> u32 {
        self as u32
    }
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
    /// Stop when `max |g_i|` is at most this: with an L1 penalty of the pseudo-gradient, between bounds of the
    /// projected gradient.
    pub tolerance: T,
    /// Stop when an iteration lowers the value by at most this times `max(|f|, |f before|, 1)`; 0: never.
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
    /// Longest step, as a multiple of the direction; infinity: no limit. A value that still falls there, or at 1e20, ends
    /// the run as [`Unbounded`](crate::second_order::Stop::Unbounded): to keep moves short there is `max_move`.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::serde_with::unbounded"))]
    pub step_max: T,
    /// No step moves a parameter further than this; infinity: no limit.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::serde_with::unbounded"))]
    pub max_move: T,
    /// Weight of an L1 penalty: minimises `f(x) + l1 sum |x_i|`, orthant by orthant (after Andrew and Gao, 2007).
    pub l1: T,
    /// The first parameter that the L1 penalty reaches.
    pub l1_start: usize,
    /// One past the last parameter that the L1 penalty reaches, at least `l1_start`; `usize::MAX`: all.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::serde_with::unbounded"))]
    pub l1_end: usize,
    /// Where the passes over memory run. It is in no file.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exec: Exec,
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
            exec: Exec::new(),
        }
    }

    /// The same with an L1 penalty of this weight on a range of the parameters; `..` means all.
    ///
    /// ```
    /// use gradus::second_order::LbfgsSettings;
    ///
    /// // Weights are penalised, the 10 biases behind them are not.
    /// let settings = LbfgsSettings::<f32>::new().l1(0.1, ..640);
    /// assert_eq!((settings.l1, settings.l1_start, settings.l1_end), (0.1, 0, 640));
    /// ```
    #[must_use]
    #[doc(alias = "OWL-QN")]
    pub fn l1(self, weight: T, range: impl RangeBounds<usize>) -> Self {
        let l1_start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let l1_end = match range.end_bound() {
            Bound::Included(&last) => last.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => usize::MAX,
        };
        Self { l1: weight, l1_start, l1_end, ..self }
    }

    /// The same on chosen threads or a chosen instruction set, with the same bits. Threads need memory on the heap:
    /// [`LbfgsVec`](super::LbfgsVec).
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { exec: exec.into(), ..self }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Range`] for one that lies outside its range, is NaN, or is infinite where that does not stand for no
    /// limit; [`Error::Shape`] if `l1_end` lies before `l1_start`.
    pub fn check(&self) -> Result<(), Error> {
        let Self { sufficient_decrease: c1, curvature: c2, .. } = *self;
        for tolerance in [self.tolerance, self.decrease] {
            require(tolerance >= T::ZERO && tolerance.finite(), Hyper::Tolerance)?;
        }
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
