//! Up and down again: triangles without end, and one cycle for a whole run.

use super::power::scaled;
use super::{Anneal, Schedule, mix, ratio, unit};
use crate::check::check_lr;
use crate::error::{Error, Hyper, require};
use core::num::NonZeroU32;

/// How the tops of [`Triangular`]'s triangles change: by which factor `s` of `max - min`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Peaks {
    /// They do not: `s = 1`. PyTorch's `triangular`.
    #[default]
    Equal,
    /// Each triangle is half as high as the last one: `s = 2^-n` in triangle `n`, from 0 on. `triangular2`.
    Halved,
    /// They fall at every step by a factor `gamma`, at most 1: `s = gamma^step`. `exp_range`.
    Exponential(f64),
}

/// Cyclic triangles (Smith, 2017): `up` steps from `min` to `max`, `down` steps back, for ever.
///
/// ```text
/// min + s * (max - min) * i / up                      i = step mod (up + down), for i <= up
/// min + s * (max - min) * (up + down - i) / down      for i > up
/// ```
///
/// ```
/// use gradus::schedule::{Peaks, Schedule, Triangular};
/// let schedule = Triangular::new(0.0, 1.0, 2, 4);
/// assert_eq!([0, 1, 2, 3, 5, 6, 8].map(|step| schedule.at(step)), [0.0, 0.5, 1.0, 0.75, 0.25, 0.0, 1.0]);
/// let halved = Triangular { peaks: Peaks::Halved, ..schedule };
/// assert_eq!([2, 8, 14].map(|step| halved.at(step)), [1.0, 0.5, 0.25]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "cyclical learning rate")]
#[doc(alias = "CyclicLR")]
pub struct Triangular {
    /// Learning rate at the foot of a triangle.
    pub min: f32,
    /// Learning rate at the top.
    pub max: f32,
    /// Steps from foot to top.
    pub up: u32,
    /// Steps from top to foot.
    pub down: u32,
    /// How the tops change from triangle to triangle; not at all by default.
    pub peaks: Peaks,
}

impl Triangular {
    /// From `min` to `max` in `up` steps, and back in `down`.
    #[must_use]
    pub const fn new(min: f32, max: f32, up: u32, down: u32) -> Self {
        Self { min, max, up, down, peaks: Peaks::Equal }
    }

    /// The momentum that goes with this rate: `high` where the rate is lowest, `low` at its tops.
    ///
    /// It is a schedule like any other, of a momentum in place of a rate; PyTorch's momenta are 0.8 and 0.9. The
    /// example of [`OneCycle::momentum`] shows its use.
    #[must_use]
    pub const fn momentum(&self, low: f32, high: f32) -> Self {
        Self { min: high, max: low, ..*self }
    }
}

impl Schedule for Triangular {
    fn at(&self, step: u32) -> f32 {
        // A period beyond u32 is never completed, and neither is one of no step.
        let period = self.up.checked_add(self.down).and_then(NonZeroU32::new);
        let (n, i) = period.map_or((0, step), |period| (step / period, step % period));
        let share = match i.checked_sub(self.up) {
            None => ratio(i as f32, self.up as f32),
            Some(past) => ratio(self.down.saturating_sub(past) as f32, self.down as f32),
        };
        let height = match self.peaks {
            Peaks::Equal => 1.0,
            Peaks::Halved => scaled(1.0, 0.5, n),
            Peaks::Exponential(gamma) => unit(scaled(1.0, gamma, step)),
        };
        mix(self.max, self.min, share * height)
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.min)?;
        check_lr(self.max)?;
        require(self.up > 0 && self.down > 0, Hyper::Steps)?;
        let Peaks::Exponential(gamma) = self.peaks else { return Ok(()) };
        require((0.0..=1.0).contains(&gamma), Hyper::Gamma)
    }
}

/// One cycle for a whole run (Smith and Topin, 2018): up from `start`, and down to nearly nothing. PyTorch's rates.
///
/// ```text
/// start -> max      steps 0 to u,             u = rise * steps - 1
/// max -> end        steps u to steps - 1      in two phases, or
/// max -> start      steps u to 2 * u          in three,
/// start -> end      steps 2 * u to steps - 1
/// ```
///
/// Each arrow is half a cosine wave, unless [`anneal`](Self::anneal) says otherwise. The top need not fall on a whole
/// step. Where `u` is below 0 the fall has begun before step 0, and three phases have no top: `check` refuses them.
/// After the last step the rate stays at `end`.
///
/// ```
/// use gradus::schedule::{OneCycle, Schedule};
/// let schedule = OneCycle { rise: 0.25, ..OneCycle::new(1.0, 100) };
/// assert_eq!([0, 24, 99, 100].map(|step| schedule.at(step)), [0.04, 1.0, 4e-6, 4e-6]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "OneCycleLR")]
#[doc(alias = "super-convergence")]
#[doc(alias = "one cycle")]
#[doc(alias = "1cycle")]
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
    /// The way from one rate to the next; cosine by default.
    pub anneal: Anneal,
}

impl OneCycle {
    /// PyTorch's: two phases, the top `max` after 0.3 of `steps`.
    #[must_use]
    pub const fn new(max: f32, steps: u32) -> Self {
        let start = max / 25.0;
        Self { start, max, end: start / 1e4, steps, rise: 0.3, three_phase: false, anneal: Anneal::Cosine }
    }

    /// The momentum that goes with this rate: `high` at both ends, `low` at the top.
    ///
    /// It is a schedule like any other, of a momentum in place of a rate; PyTorch's momenta are 0.85 and 0.95.
    ///
    /// ```
    /// use gradus::schedule::{OneCycle, Schedule};
    /// use gradus::{Momentum, Optimizer};
    ///
    /// let rate = OneCycle::new(0.1, 100);
    /// let rho = rate.momentum(0.85, 0.95);
    /// let (mut params, mut state) = ([1.0], Momentum::new(0.1).state());
    /// for step in 0..100 {
    ///     let momentum = Momentum { rho: rho.at(step).into(), ..Momentum::new(rate.at(step)) };
    ///     let grads = params;
    ///     momentum.step(&mut params, &grads, &mut state);
    /// }
    /// assert!(params[0].abs() < 0.01);
    /// ```
    #[must_use]
    pub const fn momentum(&self, low: f32, high: f32) -> Self {
        Self { start: high, max: low, end: high, ..*self }
    }
}

impl Schedule for OneCycle {
    fn at(&self, step: u32) -> f32 {
        let last = self.steps.saturating_sub(1);
        if step > last {
            return self.end;
        }
        let top = unit(self.rise) * self.steps as f32 - 1.0;
        let foot = if self.three_phase { 2.0 * top } else { top };
        let x = step as f32;
        if x <= top {
            mix(self.max, self.start, self.anneal.passed(x, top))
        } else if x <= foot {
            mix(self.max, self.start, self.anneal.left(foot - x, x - top, top))
        } else {
            let high = if self.three_phase { self.start } else { self.max };
            mix(high, self.end, self.anneal.left((last - step) as f32, x - foot, last as f32 - foot))
        }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.start)?;
        check_lr(self.max)?;
        check_lr(self.end)?;
        require(self.steps > 0, Hyper::Steps)?;
        let within = self.rise >= 0.0 && self.rise <= if self.three_phase { 0.5 } else { 1.0 };
        let has_top = !self.three_phase || self.rise * self.steps as f32 > 1.0;
        require(within && has_top, Hyper::Fraction)
    }
}
