//! Straight lines, and the warm-up before any other schedule.

use super::{Schedule, mix, ratio};
use crate::check::check_lr;
use crate::error::{Error, Hyper, require};

/// A straight line from `start` to `end`, which it keeps.
///
/// ```text
/// start + (end - start) * min(step / steps, 1)
/// ```
///
/// ```
/// use gradus::schedule::{Linear, Schedule};
/// let schedule = Linear::new(1.0, 0.0, 4);
/// assert_eq!([0, 1, 4, 5].map(|step| schedule.at(step)), [1.0, 0.75, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Linear {
    /// Learning rate of step 0.
    pub start: f32,
    /// Learning rate from step `steps` on.
    pub end: f32,
    /// Steps from one to the other.
    pub steps: u32,
}

impl Linear {
    /// From `start` to `end` in `steps` steps.
    #[must_use]
    pub const fn new(start: f32, end: f32, steps: u32) -> Self {
        Self { start, end, steps }
    }
}

impl Schedule for Linear {
    fn at(&self, step: u32) -> f32 {
        let left = self.steps.saturating_sub(step);
        if left == 0 {
            return self.end;
        }
        let rises = self.start < self.end;
        let (high, low, part) =
            if rises { (self.end, self.start, step) } else { (self.start, self.end, left) };
        mix(high, low, ratio(part as f32, self.steps as f32))
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.start)?;
        check_lr(self.end)?;
        require(self.steps > 0, Hyper::Steps)
    }
}

/// A warm-up (Goyal et al., 2017): a straight line to the first rate of the schedule that follows.
///
/// ```text
/// start + (then(0) - start) * step / steps        for step < steps
/// then(step - steps)                              from then on
/// ```
///
/// A start of 0 makes the first update none at all.
///
/// ```
/// use gradus::schedule::{InverseTime, Schedule, WarmUp};
/// let schedule = WarmUp::new(0.25, 3, InverseTime::new(1.0, 1.0));
/// assert_eq!([0, 1, 2, 3, 4].map(|step| schedule.at(step)), [0.25, 0.5, 0.75, 1.0, 0.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "warmup")]
pub struct WarmUp<S> {
    /// Learning rate of step 0.
    pub start: f32,
    /// Steps before the other schedule.
    pub steps: u32,
    /// The schedule that follows, with its own steps from 0 on.
    pub then: S,
}

impl<S> WarmUp<S> {
    /// From `start` in `steps` steps to the first rate of `then`.
    #[must_use]
    pub const fn new(start: f32, steps: u32, then: S) -> Self {
        Self { start, steps, then }
    }
}

impl<S: Schedule> Schedule for WarmUp<S> {
    fn at(&self, step: u32) -> f32 {
        match step.checked_sub(self.steps) {
            Some(step) => self.then.at(step),
            None => Linear::new(self.start, self.then.at(0), self.steps).at(step),
        }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.start)?;
        require(self.steps > 0, Hyper::Steps)?;
        self.then.check()
    }
}
