//! Schedules: one structure, one check and one rate each.

use super::memory::{Memory, copy, put};
use super::{gradus_status, guard, same_version};
use crate::error::Error;
use crate::schedule::{
    Cosine, Exponential, InverseTime, Linear, MultiStep, OneCycle, Schedule, SnapshotCycle, StepDecay,
    Triangular, WarmRestarts, WarmUp, multi_step,
};

/// Step decay: `lr * gamma^floor(step / every)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_step_decay {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate at the start.
    pub lr: f32,
    /// Share that is left after each fall.
    pub gamma: f32,
    /// Steps from one fall to the next.
    pub every: u32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Exponential decay: `lr * e^(-k * step)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_exponential {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate at the start.
    pub lr: f32,
    /// Decay per step.
    pub k: f32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Inverse-time decay: `lr / (1 + k * step)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_inverse_time {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate at the start.
    pub lr: f32,
    /// Decay per step.
    pub k: f32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Straight line from `start` to `end` in `steps` steps, and `end` after them.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_linear {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate of step 0.
    pub start: f32,
    /// Learning rate from `steps` on.
    pub end: f32,
    /// Steps from one to the other.
    pub steps: u32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Half a cosine wave from `lr` to `min` in `steps` steps (Loshchilov and Hutter, 2017).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_cosine {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate of step 0.
    pub lr: f32,
    /// Learning rate from `steps` on.
    pub min: f32,
    /// Steps from one to the other.
    pub steps: u32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Cosine waves with restarts, SGDR (Loshchilov and Hutter, 2017).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_warm_restarts {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate at each restart.
    pub lr: f32,
    /// Learning rate at the end of each wave.
    pub min: f32,
    /// Steps of the first wave.
    pub first: u32,
    /// Factor from the length of one wave to the next.
    pub mult: u32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Cosine cycles of a snapshot ensemble (Huang et al., 2017).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_snapshot_cycle {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate at the start of each cycle.
    pub lr: f32,
    /// Steps of the whole run.
    pub steps: u32,
    /// Cycles in it.
    pub cycles: u32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Up and down between two rates, again and again (Smith, 2017).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_triangular {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate at the bottom.
    pub min: f32,
    /// Learning rate at the top.
    pub max: f32,
    /// Steps up.
    pub up: u32,
    /// Steps down.
    pub down: u32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// One cycle (Smith and Topin, 2018), as PyTorch's OneCycleLR.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_one_cycle {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate of step 0; max / 25.
    pub start: f32,
    /// Learning rate at the top.
    pub max: f32,
    /// Learning rate of the last step, and of all after it; start / 10000.
    pub end: f32,
    /// Steps of the whole run.
    pub steps: u32,
    /// Share of the steps before the top; 0.3.
    pub rise: f32,
    /// Whether the fall goes back to start as fast as it rose, and from there to end: 0, or 1 for yes.
    pub three_phase: u32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Step decay at chosen steps: `lr * gamma^k`, `k` the number of milestones up to `step`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_multi_step {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate at the start.
    pub lr: f32,
    /// Share that is left after each fall.
    pub gamma: f32,
    /// Steps at which the rate falls, in any order.
    pub milestones: *const u32,
    /// How many.
    pub count: usize,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// [`MultiStep`] with its milestones in the caller's memory.
struct Milestones<'a> {
    lr: f32,
    gamma: f32,
    steps: &'a [u32],
}

impl Schedule for Milestones<'_> {
    fn at(&self, step: u32) -> f32 {
        multi_step(self.lr, self.gamma, self.steps, step)
    }
    fn check(&self) -> Result<(), Error> {
        MultiStep::new(self.lr, self.gamma, []).check()
    }
}

macro_rules! schedules {
    ($($(#[$errors:meta])* $at:ident, $check:ident(|$s:ident: $config:ident| $build:expr);)*) => {$(
        /// Writes the learning rate that `schedule` has after `step` updates to `lr`.
        ///
        /// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $at(schedule: *const $config, step: u32, lr: *mut f32) -> gradus_status {
            guard(|| {
                // SAFETY: the caller vouches for memory behind the pointers, which are checked.
                unsafe {
                    let $s = copy(schedule)?;
                    same_version($s.version)?;
                    let rate = if $s.warm_up_steps > 0 {
                        WarmUp::new($s.warm_up_start, $s.warm_up_steps, $build).at(step)
                    } else {
                        $build.at(step)
                    };
                    put(lr, rate)
                }
            })
        }

        /// Whether every parameter of `schedule` lies in its range: ask once, before training.
        ///
        $(#[$errors])*
        /// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $check(schedule: *const $config) -> gradus_status {
            guard(|| {
                // SAFETY: the caller vouches for memory behind the pointers, which are checked.
                unsafe {
                    let $s = copy(schedule)?;
                    same_version($s.version)?;
                    if $s.warm_up_steps > 0 {
                        WarmUp::new($s.warm_up_start, $s.warm_up_steps, $build).check()?;
                    }
                    Ok($build.check()?)
                }
            })
        }
    )*};
}

schedules! {
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA, GRADUS_ERROR_STEPS;
    gradus_step_decay_at, gradus_step_decay_check(|s: gradus_step_decay| StepDecay::new(s.lr, s.gamma, s.every));
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RATE;
    gradus_exponential_at, gradus_exponential_check(|s: gradus_exponential| Exponential::new(s.lr, s.k));
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RATE;
    gradus_inverse_time_at, gradus_inverse_time_check(|s: gradus_inverse_time| InverseTime::new(s.lr, s.k));
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS;
    gradus_linear_at, gradus_linear_check(|s: gradus_linear| Linear::new(s.start, s.end, s.steps));
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS;
    gradus_cosine_at, gradus_cosine_check(|s: gradus_cosine| Cosine { lr: s.lr, min: s.min, steps: s.steps });
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS;
    gradus_warm_restarts_at, gradus_warm_restarts_check(|s: gradus_warm_restarts| WarmRestarts { lr: s.lr, min: s.min, first: s.first, mult: s.mult });
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS;
    gradus_snapshot_cycle_at, gradus_snapshot_cycle_check(|s: gradus_snapshot_cycle| SnapshotCycle::new(s.lr, s.steps, s.cycles));
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS;
    gradus_triangular_at, gradus_triangular_check(|s: gradus_triangular| Triangular::new(s.min, s.max, s.up, s.down));
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_FRACTION;
    gradus_one_cycle_at, gradus_one_cycle_check(|s: gradus_one_cycle| OneCycle {
        start: s.start,
        max: s.max,
        end: s.end,
        steps: s.steps,
        rise: s.rise,
        three_phase: s.three_phase != 0,
    });
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA;
    gradus_multi_step_at, gradus_multi_step_check(|s: gradus_multi_step| Milestones {
        lr: s.lr,
        gamma: s.gamma,
        steps: Memory::new(s.milestones, s.count)?.slice(),
    });
}
