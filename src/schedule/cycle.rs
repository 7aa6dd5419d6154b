//! Up and down again: triangles without end, and one cycle for a whole run.

use super::{Schedule, half_wave, mix, ratio, unit};
use crate::check::check_lr;
use crate::error::{Error, Hyper, require};

/// Cyclic triangles (Smith, 2017): `up` steps from `min` to `max`, `down` steps back, for ever.
///
/// ```text
/// min + (max - min) * i / up                      i = step mod (up + down), for i <= up
/// min + (max - min) * (up + down - i) / down      for i > up
/// ```
///
/// ```
/// use gradus::schedule::{Schedule, Triangular};
/// let schedule = Triangular::new(0.0, 1.0, 2, 4);
/// assert_eq!([0, 1, 2, 3, 5, 6, 8].map(|step| schedule.at(step)), [0.0, 0.5, 1.0, 0.75, 0.25, 0.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Triangular {
    /// Learning rate at the foot of a triangle.
    pub min: f32,
    /// Learning rate at the top.
    pub max: f32,
    /// Steps from foot to top.
    pub up: u32,
    /// Steps from top to foot.
    pub down: u32,
}

impl Triangular {
    /// From `min` to `max` in `up` steps, and back in `down`.
    #[must_use]
    pub const fn new(min: f32, max: f32, up: u32, down: u32) -> Self {
        Self { min, max, up, down }
    }
}

impl Schedule for Triangular {
    fn at(&self, step: u32) -> f32 {
        let period = u64::from(self.up) + u64::from(self.down);
        // A period beyond u32 is never completed.
        let step = u32::try_from(period).ok().and_then(|period| step.checked_rem(period)).unwrap_or(step);
        let share = match step.checked_sub(self.up) {
            None => ratio(step as f32, self.up as f32),
            Some(past) => ratio(self.down.saturating_sub(past) as f32, self.down as f32),
        };
        mix(self.max, self.min, share)
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.min)?;
        check_lr(self.max)?;
        require(self.up > 0 && self.down > 0, Hyper::Steps)
    }
}

/// One cycle for a whole run (Smith and Topin, 2018): up from `start`, and down to nearly nothing.
///
/// ```text
/// start -> max      steps 0 to u,             u = rise * steps - 1
/// max -> end        steps u to steps - 1      in two phases, or
/// max -> start      steps u to 2 * u          in three,
/// start -> end      steps 2 * u to steps - 1
/// ```
///
/// Each arrow is half a cosine wave. The top need not fall on a whole step; PyTorch does the same.
///
/// ```
/// use gradus::schedule::{OneCycle, Schedule};
/// let schedule = OneCycle { rise: 0.25, ..OneCycle::new(1.0, 100) };
/// assert_eq!([0, 24, 99, 100].map(|step| schedule.at(step)), [0.04, 1.0, 4e-6, 4e-6]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OneCycle {
    /// Learning rate of step 0; `max / 25` by default.
    pub start: f32,
    /// Learning rate at the top.
    pub max: f32,
    /// Learning rate of the last step, and of all after it; `start / 10_000` by default.
    pub end: f32,
    /// Steps of the whole run.
    pub steps: u32,
    /// Share of the steps before the top; 0.3 by default.
    pub rise: f32,
    /// Whether the fall goes back to `start` as fast as it rose, and from there to `end`.
    pub three_phase: bool,
}

impl OneCycle {
    /// PyTorch's: two phases, the top `max` after 0.3 of `steps`.
    #[must_use]
    pub const fn new(max: f32, steps: u32) -> Self {
        let start = max / 25.0;
        Self { start, max, end: start / 1e4, steps, rise: 0.3, three_phase: false }
    }
}

impl Schedule for OneCycle {
    fn at(&self, step: u32) -> f32 {
        let last = self.steps.saturating_sub(1);
        if step >= last {
            return self.end;
        }
        let top = unit(self.rise) * self.steps as f32 - 1.0;
        let x = step as f32;
        if x < top {
            return mix(self.max, self.start, half_wave(ratio(x, top)));
        }
        let (high, begin) = if !self.three_phase {
            (self.max, top)
        } else if x < 2.0 * top {
            return mix(self.max, self.start, half_wave(ratio(2.0 * top - x, top)));
        } else {
            (self.start, 2.0 * top)
        };
        let begin = if begin > 0.0 { begin } else { 0.0 };
        mix(high, self.end, half_wave(ratio((last - step) as f32, last as f32 - begin)))
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.start)?;
        check_lr(self.max)?;
        check_lr(self.end)?;
        require(self.steps > 0, Hyper::Steps)?;
        let most = if self.three_phase { 0.5 } else { 1.0 };
        require(self.rise >= 0.0 && self.rise <= most, Hyper::Fraction)
    }
}
