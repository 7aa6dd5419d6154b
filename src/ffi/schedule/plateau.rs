//! The schedule with a memory.

use super::super::memory::{Memory, apart, copy};
use super::super::{Refusal, gradus_status, guard, same_version};
use crate::schedule::{Goal, Plateau, PlateauState, Threshold};

/// The metric of a plateau is to become small: a loss.
pub const GRADUS_GOAL_MIN: u32 = 0;
/// The metric of a plateau is to become large: an accuracy.
pub const GRADUS_GOAL_MAX: u32 = 1;

/// A metric is better by a share of the best one.
pub const GRADUS_THRESHOLD_RELATIVE: u32 = 0;
/// A metric is better by a difference.
pub const GRADUS_THRESHOLD_ABSOLUTE: u32 = 1;

/// A rate that falls where a metric no longer improves, as PyTorch's ReduceLROnPlateau.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_plateau {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate at the start.
    pub lr: f32,
    /// Factor of each fall, below 1; 0.1.
    pub factor: f64,
    /// By how much a metric must be better to count; 1e-4.
    pub threshold: f64,
    /// GRADUS_THRESHOLD_RELATIVE or GRADUS_THRESHOLD_ABSOLUTE.
    pub threshold_mode: u32,
    /// GRADUS_GOAL_MIN or GRADUS_GOAL_MAX.
    pub goal: u32,
    /// Metrics in a row that may be no better; 10.
    pub patience: u32,
    /// Metrics after a fall that are not counted as bad; 0.
    pub cooldown: u32,
    /// The rate does not fall below it; 0.
    pub min: f32,
    /// Falls by no more than this do not take place; 1e-8.
    pub eps: f32,
}

impl gradus_plateau {
    fn plateau(&self) -> Result<Plateau, Refusal> {
        same_version(self.version)?;
        Ok(Plateau {
            lr: self.lr,
            factor: self.factor,
            patience: self.patience,
            threshold: match self.threshold_mode {
                GRADUS_THRESHOLD_RELATIVE => Threshold::Relative(self.threshold),
                GRADUS_THRESHOLD_ABSOLUTE => Threshold::Absolute(self.threshold),
                _ => return Err(Refusal::GRADUS_ERROR_ENUM),
            },
            cooldown: self.cooldown,
            min: self.min,
            eps: self.eps,
            goal: match self.goal {
                GRADUS_GOAL_MIN => Goal::Min,
                GRADUS_GOAL_MAX => Goal::Max,
                _ => return Err(Refusal::GRADUS_ERROR_ENUM),
            },
        })
    }
}

/// Takes one more metric into `state`, zeros at the start, and writes the rate of the steps that follow, by `schedule`, to
/// `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_plateau_update(
    schedule: *const gradus_plateau,
    metric: f32,
    state: *mut PlateauState,
    lr: *mut f32,
) -> gradus_status {
    guard(|| {
        let (config, state, lr) =
            (Memory::unchecked(schedule, 1), Memory::unchecked(state, 1), Memory::unchecked(lr, 1));
        apart([config.read(), state.written(), lr.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe { *lr.one_mut() = config.one_ref().plateau()?.update(state.one_mut(), metric) };
        Ok(())
    })
}

/// Writes the rate of `state` under `schedule` to `lr`: after a restart, or before the first metric.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_plateau_lr(
    schedule: *const gradus_plateau,
    state: *const PlateauState,
    lr: *mut f32,
) -> gradus_status {
    guard(|| {
        let (config, state, lr) =
            (Memory::unchecked(schedule, 1), Memory::unchecked(state, 1), Memory::unchecked(lr, 1));
        apart([config.read(), state.read(), lr.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe { *lr.one_mut() = config.one_ref().plateau()?.lr(state.one_ref()) };
        Ok(())
    })
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA, GRADUS_ERROR_TOLERANCE, GRADUS_ERROR_ENUM,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_plateau_check(schedule: *const gradus_plateau) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        let plateau = unsafe { copy(schedule)?.plateau()? };
        Ok(plateau.check()?)
    })
}
