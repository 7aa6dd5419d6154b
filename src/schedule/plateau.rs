//! A rate that falls where a metric no longer improves: the only schedule with a memory.

use super::power::scaled;
use crate::check::check_lr;
use crate::error::{Error, Hyper, require};
use crate::store::plain;

/// What a metric is to become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Goal {
    /// Small: a loss.
    #[default]
    Min,
    /// Large: an accuracy.
    Max,
}

/// By how much a metric must beat the best one to count as better.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Threshold {
    /// By a share of the best one: `metric < best * (1 - share)`, or `metric > best * (1 + share)`. A share of a metric that is
    /// to be small is below 1.
    ///
    /// For metrics above 0. Below 0 it allows metrics that are worse by the share, as in PyTorch: take a difference there.
    Relative(f64),
    /// By a difference: `metric < best - difference`, or `metric > best + difference`.
    Absolute(f64),
}

/// The rate falls after `patience` metrics that were no better than the best: PyTorch's `ReduceLROnPlateau`.
///
/// ```text
/// lr = max(lr * factor, min)        where more than `patience` metrics in a row were not better
/// ```
///
/// Give it a metric at the end of each epoch, best one of data that is not trained on. The configuration is only read;
/// what it remembers is a [`PlateauState`], zeros at the start, which is saved beside the parameters. Early stopping is the same
/// count with another end: [`guide::resuming`](crate::guide::resuming) names a loop with it.
///
/// ```
/// use gradus::schedule::{Plateau, PlateauState};
///
/// let plateau = Plateau { patience: 1, ..Plateau::new(0.5) };
/// plateau.check()?;
/// let mut state = PlateauState::new();
/// let rates = [1.0, 0.8, 0.9, 0.8, 0.7].map(|loss| plateau.update(&mut state, loss));
/// assert_eq!(rates, [0.5, 0.5, 0.5, 0.05, 0.05]); // two metrics in a row were no better than 0.8
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "early stopping")]
#[doc(alias = "reduce learning rate on plateau")]
#[doc(alias = "ReduceLROnPlateau")]
pub struct Plateau {
    /// Learning rate at the start.
    pub lr: f32,
    /// Factor of each fall: below 1; 0.1 by default.
    pub factor: f64,
    /// Metrics in a row that may be no better; 10 by default.
    pub patience: u32,
    /// By how much a metric must be better to count; a ten-thousandth of the best by default.
    pub threshold: Threshold,
    /// Metrics after a fall that are not counted as bad; 0 by default.
    pub cooldown: u32,
    /// The rate does not fall below it; 0 by default.
    pub min: f32,
    /// Falls by no more than this do not take place; 1e-8 by default.
    pub eps: f32,
    /// What the metric is to become; small by default.
    pub goal: Goal,
}

/// What [`Plateau`] remembers of the metrics: all zero bits at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(C)]
pub struct PlateauState {
    /// The best metric, where there is one.
    pub best: f32,
    /// How often a metric was the best one; 0: none yet.
    pub improvements: u32,
    /// Metrics since the best one that were no better.
    pub bad: u32,
    /// Metrics that are not counted any more as bad.
    pub cooldown: u32,
    /// Falls of the rate.
    pub falls: u32,
}

impl PlateauState {
    /// Before the first metric.
    #[must_use]
    pub const fn new() -> Self {
        Self { best: 0.0, improvements: 0, bad: 0, cooldown: 0, falls: 0 }
    }

    /// Its numbers in a file, in the order of the fields.
    fn bytes(&self) -> [u8; 20] {
        let words = [self.best.to_bits(), self.improvements, self.bad, self.cooldown, self.falls];
        let mut bytes = [0; 20];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        bytes
    }

    fn from_bytes(bytes: [u8; 20]) -> Self {
        let mut words = [0; 5];
        for (bytes, word) in bytes.as_chunks().0.iter().zip(&mut words) {
            *word = u32::from_le_bytes(*bytes);
        }
        let [best, improvements, bad, cooldown, falls] = words;
        Self { best: f32::from_bits(best), improvements, bad, cooldown, falls }
    }
}

plain!(PlateauState, "plateau", 20, PlateauState::bytes, |x| Some(PlateauState::from_bytes(x)));

impl Plateau {
    /// PyTorch's: a tenth of the rate after eleven losses in a row that were no better.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self {
            lr,
            factor: 0.1,
            patience: 10,
            threshold: Threshold::Relative(1e-4),
            cooldown: 0,
            min: 0.0,
            eps: 1e-8,
            goal: Goal::Min,
        }
    }

    /// The rate of `state`, for the steps after a restart or before the first metric.
    #[must_use]
    pub fn lr(&self, state: &PlateauState) -> f32 {
        self.after(state.falls)
    }

    /// Takes one more metric into `state`, and returns the rate of the steps that follow. NaN is never better.
    pub fn update(&self, state: &mut PlateauState, metric: f32) -> f32 {
        if self.is_better(state, metric) {
            state.best = metric;
            state.improvements = state.improvements.saturating_add(1);
            state.bad = 0;
        } else {
            state.bad = state.bad.saturating_add(1);
        }
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.bad = 0;
        }
        if state.bad > self.patience {
            let next = state.falls.saturating_add(1);
            if self.after(state.falls) - self.after(next) > self.eps {
                state.falls = next;
            }
            state.cooldown = self.cooldown;
            state.bad = 0;
        }
        self.lr(state)
    }

    /// Checks that every parameter lies in its range. The updates do not check it.
    ///
    /// # Errors
    /// [`Error::Range`] names the first that does not.
    pub fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_lr(self.min)?;
        require(self.factor >= 0.0 && self.factor < 1.0, Hyper::Gamma)?;
        let (threshold, end) = match (self.threshold, self.goal) {
            // With a share of 1 no metric is better than the first.
            (Threshold::Relative(share), Goal::Min) => (share, 1.0),
            (Threshold::Relative(threshold), Goal::Max) | (Threshold::Absolute(threshold), _) => {
                (threshold, f64::INFINITY)
            }
        };
        require(threshold >= 0.0 && threshold < end, Hyper::Tolerance)?;
        require(self.eps >= 0.0, Hyper::Tolerance)
    }

    /// The rate after a number of falls.
    fn after(&self, falls: u32) -> f32 {
        let lr = scaled(self.lr, self.factor, falls);
        if falls == 0 || lr > self.min { lr } else { self.min }
    }

    fn is_better(&self, state: &PlateauState, metric: f32) -> bool {
        let worst = match self.goal {
            Goal::Min => f32::INFINITY,
            Goal::Max => f32::NEG_INFINITY,
        };
        let best = f64::from(if state.improvements > 0 { state.best } else { worst });
        let metric = f64::from(metric);
        match (self.goal, self.threshold) {
            (Goal::Min, Threshold::Relative(share)) => metric < best * (1.0 - share),
            (Goal::Min, Threshold::Absolute(difference)) => metric < best - difference,
            (Goal::Max, Threshold::Relative(share)) => metric > best * (1.0 + share),
            (Goal::Max, Threshold::Absolute(difference)) => metric > best + difference,
        }
    }
}
