//! Learning-rate schedules: pure functions of the step.
//!
//! `schedule.at(step)` is the learning rate of a step, counted from 0. That is the number of steps that a state has
//! taken so far. A schedule remembers nothing, so that a run can be resumed anywhere. The one exception is [`Plateau`],
//! which depends on a metric: what it remembers is a [`PlateauState`] that you own.
//!
//! ```
//! use gradus::schedule::{Cosine, Schedule, WarmUp};
//! use gradus::{Adam, AdamState, Optimizer};
//!
//! let schedule = WarmUp::new(1e-4, 10, Cosine::new(1e-2, 90));
//! schedule.check()?;
//! let (adam, mut state) = (Adam::new(1e-2), AdamState::<1>::new());
//! let mut params = [1.0];
//! for _ in 0..100 {
//!     let grads = [2.0 * params[0]];
//!     adam.with_lr(schedule.at(state.t())).step(&mut params, &grads, &mut state);
//! }
//! assert!(params[0] < 0.7);
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! The rate always lies between the smallest and the largest that the schedule names, as long as these are finite, even
//! if [`check`](Schedule::check) would fail. A schedule that only decays counts 0 among them, and one that may grow the
//! largest finite number. Exponentials are those of [`elementary`](crate::elementary), and powers and the cosine wave
//! are computed in integers: the bits are the same on every target.
//!
//! | schedule | rate |
//! |---|---|
//! | [`Constant`] | the same at each step |
//! | [`StepDecay`], [`MultiStep`] | multiplied by a factor, at regular intervals or at milestones |
//! | [`Exponential`] | multiplied by a factor at each step, down or up |
//! | [`InverseTime`], [`InverseSqrt`] | falls like the inverse of the step, or of its root |
//! | [`Linear`], [`Polynomial`], [`Cosine`] | from one rate to another in a number of steps |
//! | [`StableDecay`] | constant, with a fall at the end |
//! | [`WarmRestarts`], [`SnapshotCycle`] | cosine waves, one after the other |
//! | [`Triangular`], [`OneCycle`] | up and down, again and again or once, with a [momentum](OneCycle::momentum) that goes with it |
//! | [`WarmUp`], [`Sequence`] | one schedule after another |
//! | [`Plateau`] | falls where a metric no longer improves |

mod anneal;
mod cosine;
mod cycle;
mod decay;
mod inverse;
mod linear;
mod plateau;
mod power;
mod sequence;
mod wave;

pub use anneal::{Anneal, Polynomial, StableDecay};
pub use cosine::{Cosine, SnapshotCycle, WarmRestarts};
pub use cycle::{OneCycle, Peaks, Triangular};
#[cfg(feature = "ffi")]
pub(crate) use decay::multi_step;
pub use decay::{Constant, Exponential, MultiStep, StepDecay};
pub use inverse::{InverseSqrt, InverseTime};
pub use linear::{Linear, WarmUp};
pub use plateau::{Goal, Plateau, PlateauState, Threshold};
pub use sequence::Sequence;
use wave::half_wave;

use crate::error::Error;
use core::num::NonZeroU32;

/// A learning rate for every step.
#[doc(alias = "learning rate scheduler")]
#[doc(alias = "learning rate schedule")]
#[doc(alias = "lr scheduler")]
#[doc(alias = "learning rate decay")]
pub trait Schedule {
    /// Learning rate of the update that follows `step` others: 0 is the first.
    fn at(&self, step: u32) -> f32;

    /// Checks that every parameter lies in its range. [`at`](Self::at) does not check it.
    ///
    /// # Errors
    /// [`Error::Range`] names the first that does not.
    fn check(&self) -> Result<(), Error>;

    /// This schedule for `steps` steps, and then another one, with its own steps from 0 on: see [`Sequence`].
    fn then<S: Schedule>(self, steps: u32, then: S) -> Sequence<Self, S>
    where
        Self: Sized,
    {
        Sequence { first: self, steps, then }
    }
}

impl<S: Schedule + ?Sized> Schedule for &S {
    fn at(&self, step: u32) -> f32 {
        (**self).at(step)
    }
    fn check(&self) -> Result<(), Error> {
        (**self).check()
    }
}

/// `n`, or 1 if it is 0: no division by it can fail.
#[inline]
fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

/// `part / whole` within `0..=1`, and 1 where that is no number.
#[inline]
fn ratio(part: f32, whole: f32) -> f32 {
    if part < whole { unit(part / whole) } else { 1.0 }
}

/// `x` within `0..=1`; NaN is 0.
#[inline]
fn unit(x: f32) -> f32 {
    if x > 1.0 {
        1.0
    } else if x > 0.0 {
        x
    } else {
        0.0
    }
}

/// The share `share` of `high` and the rest of `low`: exact at both ends, and never beyond them.
///
/// Few digits of the rest are left where it is small: `high` should be the larger one.
#[inline]
fn mix(high: f32, low: f32, share: f32) -> f32 {
    let x = low * (1.0 - share) + high * share;
    let (low, high) = if high < low { (high, low) } else { (low, high) };
    if x > high {
        high
    } else if x >= low {
        x
    } else {
        low
    }
}
