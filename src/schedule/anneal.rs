//! The ways from one rate to another, and what falls by them at the end of a run.

use super::power::power;
use super::{Schedule, half_wave, mix, ratio};
use crate::check::check_lr;
use crate::error::{Error, Hyper, require};
use crate::simd::math::sqrt;

/// The way from one rate to another, by the part `x` of the steps that have passed.
///
/// | variant | part of the way |
/// |---|---|
/// | `Cosine` | `(1 - cos(pi * x)) / 2` |
/// | `Linear` | `x` |
/// | `Root` | `sqrt(x)` |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Anneal {
    /// Half a cosine wave: slow, fast, slow.
    #[default]
    Cosine,
    /// A straight line.
    Linear,
    /// The square root: fast, then slower and slower (Hägele et al., 2024).
    Root,
}

impl Anneal {
    /// Part of the way that has passed, where `passed` of `whole` steps have: all digits of a small one are kept.
    #[inline]
    pub(super) fn passed(self, passed: f32, whole: f32) -> f32 {
        let x = ratio(passed, whole);
        match self {
            Self::Cosine => half_wave(x),
            Self::Linear => x,
            Self::Root => sqrt(x),
        }
    }

    /// Part of the way that is left, where `left` of `whole` steps are and `passed` have passed: likewise.
    #[inline]
    pub(super) fn left(self, left: f32, passed: f32, whole: f32) -> f32 {
        let x = ratio(left, whole);
        match self {
            Self::Cosine => half_wave(x),
            Self::Linear => x,
            Self::Root => x / (1.0 + sqrt(ratio(passed, whole))), // 1 - sqrt(passed / whole), without the difference
        }
    }
}

/// The same rate for most of a run, and a short fall at its end: after a [`WarmUp`](super::WarmUp) the
/// warm-up-stable-decay schedule (Hu et al., 2024; Hägele et al., 2024).
///
/// ```text
/// lr                                         for step < stable
/// lr + (end - lr) * anneal(x)                x = (step - stable) / fall, from then on
/// end                                        for step >= stable + fall
/// ```
///
/// A run may be made longer at any step before the fall, which no cosine wave allows.
///
/// ```
/// use gradus::schedule::{Schedule, StableDecay, WarmUp};
/// let schedule = WarmUp::new(0.0, 10, StableDecay::new(0.5, 70, 20));
/// assert_eq!([0, 5, 10, 80, 90, 100].map(|step| schedule.at(step)), [0.0, 0.25, 0.5, 0.5, 0.25, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StableDecay {
    /// Learning rate before the fall.
    pub lr: f32,
    /// Learning rate after the fall; 0 by default.
    pub end: f32,
    /// Steps before the fall.
    pub stable: u32,
    /// Steps of the fall.
    pub fall: u32,
    /// The way down; linear by default.
    pub anneal: Anneal,
}

impl StableDecay {
    /// `lr` for `stable` steps, then down to 0 on a straight line in `fall` steps.
    #[must_use]
    pub const fn new(lr: f32, stable: u32, fall: u32) -> Self {
        Self { lr, end: 0.0, stable, fall, anneal: Anneal::Linear }
    }
}

impl Schedule for StableDecay {
    fn at(&self, step: u32) -> f32 {
        let Some(past) = step.checked_sub(self.stable) else { return self.lr };
        let left = self.fall.saturating_sub(past);
        if left == 0 {
            self.end
        } else {
            mix(self.lr, self.end, self.anneal.left(left as f32, past as f32, self.fall as f32))
        }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_lr(self.end)?;
        require(self.fall > 0, Hyper::Steps)
    }
}

/// Polynomial decay: the learning rate of many recipes for segmentation, with a power of 0.9.
///
/// ```text
/// end + (lr - end) * (1 - step / steps)^power,   end for step >= steps
/// ```
///
/// ```
/// use gradus::schedule::{Polynomial, Schedule};
/// let schedule = Polynomial::new(0.5, 4, 2.0);
/// assert_eq!([0, 1, 2, 4, 5].map(|step| schedule.at(step)), [0.5, 0.28125, 0.125, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Polynomial {
    /// Learning rate of step 0.
    pub lr: f32,
    /// Learning rate from step `steps` on; 0 by default.
    pub end: f32,
    /// Steps from one to the other.
    pub steps: u32,
    /// Power of the part that is left.
    pub power: f32,
}

impl Polynomial {
    /// From `lr` to 0 in `steps` steps.
    #[must_use]
    pub const fn new(lr: f32, steps: u32, power: f32) -> Self {
        Self { lr, end: 0.0, steps, power }
    }
}

impl Schedule for Polynomial {
    fn at(&self, step: u32) -> f32 {
        let left = self.steps.saturating_sub(step);
        if left == 0 {
            return self.end;
        }
        mix(self.lr, self.end, power(ratio(left as f32, self.steps as f32), self.power))
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_lr(self.end)?;
        require(self.steps > 0, Hyper::Steps)?;
        require(self.power > 0.0 && self.power < f32::INFINITY, Hyper::Power)
    }
}
