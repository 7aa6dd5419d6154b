//! Half cosine waves: once, with restarts, and in the cycles of a snapshot ensemble.

use super::{Schedule, at_least_one, half_wave, mix, ratio};
use crate::check::check_lr;
use crate::error::{Error, Hyper, require};

/// From `lr` at step 0 to `min` at step `steps`, which it keeps.
fn anneal(lr: f32, min: f32, left: f32, steps: f32) -> f32 {
    if left > 0.0 { mix(lr, min, half_wave(ratio(left, steps))) } else { min }
}

/// The same after `step` of `steps` steps. What is left is an exact integer: the end of the wave has all its digits.
fn anneal_at(lr: f32, min: f32, step: u32, steps: u32) -> f32 {
    anneal(lr, min, steps.saturating_sub(step) as f32, steps as f32)
}

/// Cosine annealing (Loshchilov and Hutter, 2017): half a wave from `lr` down to `min`.
///
/// ```text
/// min + (lr - min) / 2 * (1 + cos(pi * step / steps)),   min for step >= steps
/// ```
///
/// ```
/// use gradus::schedule::{Cosine, Schedule};
/// let schedule = Cosine::new(0.5, 100);
/// assert_eq!([0, 100, 101].map(|step| schedule.at(step)), [0.5, 0.0, 0.0]);
/// assert!((schedule.at(50) - 0.25).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "cosine annealing")]
#[doc(alias = "CosineAnnealingLR")]
pub struct Cosine {
    /// Learning rate of step 0.
    pub lr: f32,
    /// Learning rate from step `steps` on.
    pub min: f32,
    /// Steps from one to the other.
    pub steps: u32,
}

impl Cosine {
    /// From `lr` to 0 in `steps` steps.
    #[must_use]
    pub const fn new(lr: f32, steps: u32) -> Self {
        Self { lr, min: 0.0, steps }
    }
}

impl Schedule for Cosine {
    fn at(&self, step: u32) -> f32 {
        anneal_at(self.lr, self.min, step, self.steps)
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_lr(self.min)?;
        require(self.steps > 0, Hyper::Steps)
    }
}

/// Cosine annealing with warm restarts, SGDR (Loshchilov and Hutter, 2017).
///
/// ```text
/// min + (lr - min) / 2 * (1 + cos(pi * i / length)),   i = steps since the last restart
/// ```
///
/// The first cycle has `first` steps (the paper's `T_0`), each further one `mult` times as many
/// (`T_mult`). Cycles are counted in integers, so that no restart drifts.
///
/// ```
/// use gradus::schedule::{Schedule, WarmRestarts};
/// let schedule = WarmRestarts { mult: 3, ..WarmRestarts::new(0.5, 1) };
/// for restart in [0, 1, 4, 13, 40, 121] {
///     assert_eq!(schedule.at(restart), 0.5);
/// }
/// assert!(schedule.at(120) < 1e-3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "sgdr")]
#[doc(alias = "warm restarts")]
#[doc(alias = "CosineAnnealingWarmRestarts")]
pub struct WarmRestarts {
    /// Learning rate after each restart.
    pub lr: f32,
    /// Learning rate that each cycle falls towards.
    pub min: f32,
    /// Steps of the first cycle.
    pub first: u32,
    /// Growth of the cycles.
    pub mult: u32,
}

impl WarmRestarts {
    /// From `lr` towards 0 in cycles of `first` steps.
    #[must_use]
    pub const fn new(lr: f32, first: u32) -> Self {
        Self { lr, min: 0.0, first, mult: 1 }
    }
}

impl Schedule for WarmRestarts {
    fn at(&self, step: u32) -> f32 {
        let first = at_least_one(self.first);
        if self.mult <= 1 {
            return anneal_at(self.lr, self.min, step % first, first.get());
        }
        // At most 32 turns: the cycles at least double. No overflow: all but the last are u32.
        let (mut step, mut length) = (step, u64::from(first.get()));
        while let Ok(cycle) = u32::try_from(length)
            && step >= cycle
        {
            step -= cycle;
            length *= u64::from(self.mult);
        }
        anneal(self.lr, self.min, length.saturating_sub(u64::from(step)) as f32, length as f32)
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_lr(self.min)?;
        require(self.first > 0 && self.mult > 0, Hyper::Steps)
    }
}

/// The cycles of a snapshot ensemble (Huang et al., 2017): a restart after each snapshot.
///
/// ```text
/// lr / 2 * (cos(pi * mod(t - 1, c) / c) + 1),   c = ceil(T / M),   t = step + 1
/// ```
///
/// `T` are the steps of the whole run and `M` its cycles. Each has `c` steps, the last one what is
/// left; the weights at each [end](Self::ends_cycle) are a snapshot. The wave goes on after `T`. Where `T`
/// is not much larger than `M`, rounding up leaves fewer cycles: three for 5 steps and `M = 4`.
///
/// ```
/// use gradus::schedule::{Schedule, SnapshotCycle};
/// let schedule = SnapshotCycle::new(0.5, 10, 3);
/// assert_eq!(schedule.cycle_steps(), 4);
/// assert_eq!([0, 4, 8].map(|step| schedule.at(step)), [0.5; 3]);
/// assert!((0..10).filter(|&step| schedule.ends_cycle(step)).eq([3, 7, 9]));
/// let short = SnapshotCycle::new(0.5, 5, 4);
/// assert!((0..5).filter(|&step| short.ends_cycle(step)).eq([1, 3, 4]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "snapshot ensemble")]
pub struct SnapshotCycle {
    /// Learning rate after each restart.
    pub lr: f32,
    /// Steps of the whole run.
    pub steps: u32,
    /// Cycles of the whole run.
    pub cycles: u32,
}

impl SnapshotCycle {
    /// From `lr` towards 0, `cycles` times in `steps` steps.
    #[must_use]
    pub const fn new(lr: f32, steps: u32, cycles: u32) -> Self {
        Self { lr, steps, cycles }
    }

    /// Steps of one cycle: `ceil(T / M)`.
    #[must_use]
    pub fn cycle_steps(&self) -> u32 {
        self.steps.saturating_sub(1) / at_least_one(self.cycles) + 1
    }

    /// Whether `step` is the last one of a cycle: after it, keep the weights.
    #[must_use]
    pub fn ends_cycle(&self, step: u32) -> bool {
        let cycle = self.cycle_steps();
        step % at_least_one(cycle) == cycle - 1 || Some(step) == self.steps.checked_sub(1)
    }
}

impl Schedule for SnapshotCycle {
    fn at(&self, step: u32) -> f32 {
        let cycle = self.cycle_steps();
        anneal_at(self.lr, 0.0, step % at_least_one(cycle), cycle)
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        require(self.cycles > 0 && self.cycles <= self.steps, Hyper::Steps)
    }
}
