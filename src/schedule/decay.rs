//! What only falls: constant, in steps, exponentially, and with the inverse of time.

use super::{Schedule, at_least_one, unit};
use crate::check::check_lr;
use crate::error::{Error, Hyper, require};

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

/// Step decay: the rate falls to a share `gamma` of itself after `every` steps, again and again.
///
/// ```text
/// lr * gamma^floor(step / every)
/// ```
///
/// ```
/// use gradus::schedule::{Schedule, StepDecay};
/// let schedule = StepDecay::new(0.8, 0.5, 30);
/// assert_eq!([0, 29, 30, 60].map(|step| schedule.at(step)), [0.8, 0.8, 0.4, 0.2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StepDecay {
    /// Learning rate at the start.
    pub lr: f32,
    /// Share that is left after each fall.
    pub gamma: f32,
    /// Steps from one fall to the next.
    pub every: u32,
}

impl StepDecay {
    /// From `lr` on, times `gamma` after every `every` steps.
    #[must_use]
    pub const fn new(lr: f32, gamma: f32, every: u32) -> Self {
        Self { lr, gamma, every }
    }
}

impl Schedule for StepDecay {
    fn at(&self, step: u32) -> f32 {
        self.lr * power(self.gamma, step / at_least_one(self.every))
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_gamma(self.gamma)?;
        require(self.every > 0, Hyper::Steps)
    }
}

/// Step decay at chosen steps: the rate falls to a share `gamma` of itself at each milestone.
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
pub struct MultiStep<const N: usize> {
    /// Learning rate at the start.
    pub lr: f32,
    /// Share that is left after each fall.
    pub gamma: f32,
    /// Steps at which the rate falls, in any order.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::array"))]
    pub milestones: [u32; N],
}

impl<const N: usize> MultiStep<N> {
    /// From `lr` on, times `gamma` at every milestone.
    #[must_use]
    pub const fn new(lr: f32, gamma: f32, milestones: [u32; N]) -> Self {
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

/// Exponential decay.
///
/// ```text
/// lr * e^(-k * step)
/// ```
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
pub struct Exponential {
    /// Learning rate at the start.
    pub lr: f32,
    /// Decay per step; `-ln(gamma)` for a rate that keeps a share `gamma` in each.
    pub k: f32,
}

impl Exponential {
    /// From `lr` on, with decay `k` per step.
    #[must_use]
    pub const fn new(lr: f32, k: f32) -> Self {
        Self { lr, k }
    }
}

impl Schedule for Exponential {
    fn at(&self, step: u32) -> f32 {
        self.lr * unit(libm::expf(-(self.k * step as f32)))
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_rate(self.k)
    }
}

/// Decay with the inverse of time (Robbins and Monro, 1951).
///
/// ```text
/// lr / (1 + k * step)
/// ```
///
/// ```
/// use gradus::schedule::{InverseTime, Schedule};
/// assert_eq!(InverseTime::new(0.1, 0.5).at(2), 0.05);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InverseTime {
    /// Learning rate at the start.
    pub lr: f32,
    /// Decay per step.
    pub k: f32,
}

impl InverseTime {
    /// From `lr` on, with decay `k` per step.
    #[must_use]
    pub const fn new(lr: f32, k: f32) -> Self {
        Self { lr, k }
    }
}

impl Schedule for InverseTime {
    fn at(&self, step: u32) -> f32 {
        let slowdown = 1.0 + self.k * step as f32;
        if slowdown > 1.0 { self.lr / slowdown } else { self.lr }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_rate(self.k)
    }
}

fn check_gamma(gamma: f32) -> Result<(), Error> {
    require(gamma >= 0.0 && gamma <= 1.0, Hyper::Gamma)
}

fn check_rate(k: f32) -> Result<(), Error> {
    require(k >= 0.0 && k < f32::INFINITY, Hyper::Rate)
}

/// [`MultiStep`] over any number of milestones.
pub(crate) fn multi_step(lr: f32, gamma: f32, milestones: &[u32], step: u32) -> f32 {
    let mut falls = 0;
    for &milestone in milestones {
        falls += u32::from(milestone <= step);
    }
    lr * power(gamma, falls)
}

/// `gamma^n` by repeated squaring, with `gamma` within `0..=1`.
fn power(gamma: f32, mut n: u32) -> f32 {
    let (mut base, mut power) = (unit(gamma), 1.0);
    while n != 0 {
        if n & 1 == 1 {
            power *= base;
        }
        base *= base;
        n >>= 1;
    }
    power
}
