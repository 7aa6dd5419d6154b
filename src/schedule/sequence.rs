//! One schedule after the other.

use super::Schedule;
use crate::error::{Error, Hyper, require};

/// Two schedules, one after the other: made by [`Schedule::then`].
///
/// ```text
/// first(step)              for step < steps
/// then(step - steps)       from then on
/// ```
///
/// Chains are as long as they are written. Each number is a step of the whole run, as PyTorch's milestones are.
///
/// ```
/// use gradus::schedule::{Constant, Linear, Schedule};
/// let schedule = Constant(0.25).then(2, Constant(1.0)).then(5, Linear::new(1.0, 0.0, 4));
/// assert_eq!([0, 1, 2, 4, 5, 6, 9].map(|step| schedule.at(step)), [0.25, 0.25, 1.0, 1.0, 1.0, 0.75, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sequence<A, B> {
    /// The schedule at the beginning.
    pub first: A,
    /// Steps before the other schedule.
    pub steps: u32,
    /// The schedule that follows, with its own steps from 0 on.
    pub then: B,
}

impl<A: Schedule, B: Schedule> Schedule for Sequence<A, B> {
    fn at(&self, step: u32) -> f32 {
        match step.checked_sub(self.steps) {
            Some(step) => self.then.at(step),
            None => self.first.at(step),
        }
    }
    fn check(&self) -> Result<(), Error> {
        self.first.check()?;
        require(self.steps > 0, Hyper::Steps)?;
        self.then.check()
    }
}
