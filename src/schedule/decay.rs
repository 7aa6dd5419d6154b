//! Constant rates, and rates that change by a factor: in steps, at milestones, exponentially.

use super::power::scaled;
use super::{Schedule, at_least_one};
use crate::check::check_lr;
use crate::error::{Error, Hyper, require};
use crate::simd::math::{exp, ln_f64};

/// The same learning rate for ever.
///
/// ```
/// use gradus::schedule::{Constant, Schedule};
/// assert_eq!(Constant(0.1).at(1_000_000), 0.1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Constant(pub f32);

impl Schedule for Constant {
    fn at(&self, _: u32) -> f32 {
        self.0
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.0)
    }
}

/// Step decay: the rate is multiplied by `gamma` after `every` steps, again and again.
///
/// ```text
/// lr * gamma^floor(step / every)
/// ```
///
/// A `gamma` above 1 lets the rate grow, to the largest finite number at most.
///
/// ```
/// use gradus::schedule::{Schedule, StepDecay};
/// let schedule = StepDecay::new(0.8, 0.5, 30);
/// assert_eq!([0, 29, 30, 60].map(|step| schedule.at(step)), [0.8, 0.8, 0.4, 0.2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "StepLR")]
#[doc(alias = "step decay")]
pub struct StepDecay {
    /// Learning rate at the start.
    pub lr: f32,
    /// Factor of each change.
    pub gamma: f64,
    /// Steps from one change to the next.
    pub every: u32,
}

impl StepDecay {
    /// From `lr` on, times `gamma` after every `every` steps.
    #[must_use]
    pub const fn new(lr: f32, gamma: f64, every: u32) -> Self {
        Self { lr, gamma, every }
    }
}

impl Schedule for StepDecay {
    fn at(&self, step: u32) -> f32 {
        scaled(self.lr, self.gamma, step / at_least_one(self.every))
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_gamma(self.gamma)?;
        require(self.every > 0, Hyper::Steps)
    }
}

/// Step decay at chosen steps: the rate is multiplied by `gamma` at each milestone.
///
/// ```text
/// lr * gamma^k,   k = number of milestones <= step
/// ```
///
/// ```
/// use gradus::schedule::{MultiStep, Schedule};
/// let schedule = MultiStep::new(0.8, 0.5, [30, 80]);
/// assert_eq!([29, 30, 79, 80].map(|step| schedule.at(step)), [0.8, 0.4, 0.4, 0.2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "MultiStepLR")]
#[doc(alias = "piecewise constant")]
pub struct MultiStep<const N: usize> {
    /// Learning rate at the start.
    pub lr: f32,
    /// Factor of each change.
    pub gamma: f64,
    /// Steps from which on the rate has changed, in any order.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::serde_with::array"))]
    pub milestones: [u32; N],
}

impl<const N: usize> MultiStep<N> {
    /// From `lr` on, times `gamma` at every milestone.
    #[must_use]
    pub const fn new(lr: f32, gamma: f64, milestones: [u32; N]) -> Self {
        Self { lr, gamma, milestones }
    }
}

impl<const N: usize> Schedule for MultiStep<N> {
    fn at(&self, step: u32) -> f32 {
        multi_step(self.lr, self.gamma, &self.milestones, step)
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_gamma(self.gamma)
    }
}

/// Exponential decay, or growth.
///
/// ```text
/// lr * e^(-k * step)
/// ```
///
/// With `k` below 0 the rate grows, to the largest finite number at most.
///
/// ```
/// use gradus::schedule::{Exponential, Schedule};
/// let schedule = Exponential::new(0.1, 0.01);
/// assert_eq!(schedule.at(0), 0.1);
/// assert!((schedule.at(100) - 0.1 / 2.718_282).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "ExponentialLR")]
#[doc(alias = "learning rate range test")]
pub struct Exponential {
    /// Learning rate at the start.
    pub lr: f32,
    /// Decay per step.
    pub k: f32,
}

impl Exponential {
    /// From `lr` on, with decay `k` per step.
    #[must_use]
    pub const fn new(lr: f32, k: f32) -> Self {
        Self { lr, k }
    }

    /// From `lr` on, times `gamma` at each step: `k = -ln(gamma)`.
    ///
    /// ```
    /// use gradus::schedule::{Exponential, Schedule};
    /// assert!((Exponential::gamma(0.1, 0.9).at(2) - 0.081).abs() < 1e-8);
    /// ```
    #[must_use]
    pub fn gamma(lr: f32, gamma: f64) -> Self {
        Self { lr, k: -ln_f64(gamma) as f32 }
    }

    /// From `start` to `end` in `steps` steps, and further on the same way: for a learning-rate range test, which
    /// ends where the loss explodes.
    ///
    /// ```
    /// use gradus::schedule::{Exponential, Schedule};
    /// let schedule = Exponential::between(1e-6, 1.0, 60); // ten steps a decade
    /// assert!((schedule.at(50) - 0.1).abs() < 1e-6);
    /// ```
    #[must_use]
    pub fn between(start: f32, end: f32, steps: u32) -> Self {
        let steps = f64::from(at_least_one(steps).get());
        Self { lr: start, k: (ln_f64(f64::from(start) / f64::from(end)) / steps) as f32 }
    }
}

impl Schedule for Exponential {
    fn at(&self, step: u32) -> f32 {
        if self.lr <= 0.0 {
            return self.lr; // which `check` refuses below 0, where growth would end at minus infinity
        }
        let x = -(self.k * step as f32);
        // There the power alone would leave the normal numbers, and its root does not.
        let rate = if x.abs() > 80.0 {
            let root = exp(0.5 * x);
            self.lr * root * root
        } else {
            self.lr * exp(x)
        };
        if rate <= f32::MAX {
            rate
        } else if rate.is_nan() {
            self.lr
        } else {
            f32::MAX
        }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        require(self.k.abs() < f32::INFINITY, Hyper::Rate)
    }
}

fn check_gamma(gamma: f64) -> Result<(), Error> {
    require(gamma >= 0.0 && gamma < f64::INFINITY, Hyper::Gamma)
}

/// [`MultiStep`] over any number of milestones.
pub(crate) fn multi_step(lr: f32, gamma: f64, milestones: &[u32], step: u32) -> f32 {
    let mut changes = 0;
    for &milestone in milestones {
        changes += u32::from(milestone <= step);
    }
    scaled(lr, gamma, changes)
}
