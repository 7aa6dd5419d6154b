//! Rates that fall with the inverse of time, or of its root.

use super::{Schedule, ratio};
use crate::check::{check_lr, is_finite_from_zero};
use crate::error::{Error, Hyper, require};
use crate::simd::math::sqrt;

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
        require(is_finite_from_zero(self.k), Hyper::Rate)
    }
}

/// Decay with the inverse square root of time (Vaswani et al., 2017).
///
/// ```text
/// lr * sqrt(shift / (shift + step))
/// ```
///
/// After a warm-up of `shift` steps it is the Transformer's `lr * sqrt(shift / t)`, `t` counted from the start of the
/// warm-up:
///
/// ```
/// use gradus::schedule::{InverseSqrt, Schedule, WarmUp};
/// let schedule = WarmUp::new(0.0, 4, InverseSqrt::new(0.5, 4));
/// assert_eq!([0, 2, 4, 16, 64].map(|step| schedule.at(step)), [0.0, 0.25, 0.5, 0.25, 0.125]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InverseSqrt {
    /// Learning rate at the start.
    pub lr: f32,
    /// Steps after which the rate has fallen to `lr / sqrt(2)`.
    pub shift: u32,
}

impl InverseSqrt {
    /// From `lr` on, as if `shift` steps were over already.
    #[must_use]
    pub const fn new(lr: f32, shift: u32) -> Self {
        Self { lr, shift }
    }
}

impl Schedule for InverseSqrt {
    fn at(&self, step: u32) -> f32 {
        let time = u64::from(self.shift) + u64::from(step);
        self.lr * sqrt(ratio(self.shift as f32, time as f32))
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        require(self.shift > 0, Hyper::Steps)
    }
}
