//! Schedules: one structure, one check and one rate each.

use super::memory::{Memory, Region, apart};
use super::{Refusal, gradus_status, guard, same_version};
use crate::error::Error;
use crate::schedule::{
    Anneal, Cosine, Exponential, InverseSqrt, InverseTime, Linear, MultiStep, OneCycle, Peaks, Polynomial,
    Schedule, SnapshotCycle, StableDecay, StepDecay, Triangular, WarmRestarts, WarmUp, multi_step,
};

mod plateau;
mod structures;

pub use plateau::*;
pub use structures::*;

/// [`MultiStep`] with its milestones in the caller's memory.
struct Milestones<'a> {
    lr: f32,
    gamma: f64,
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

fn anneal(value: u32) -> Result<Anneal, Refusal> {
    match value {
        GRADUS_ANNEAL_COSINE => Ok(Anneal::Cosine),
        GRADUS_ANNEAL_LINEAR => Ok(Anneal::Linear),
        GRADUS_ANNEAL_ROOT => Ok(Anneal::Root),
        _ => Err(Refusal::GRADUS_ERROR_ENUM),
    }
}

fn peaks(value: u32, gamma: f64) -> Result<Peaks, Refusal> {
    match value {
        GRADUS_PEAKS_EQUAL => Ok(Peaks::Equal),
        GRADUS_PEAKS_HALVED => Ok(Peaks::Halved),
        GRADUS_PEAKS_EXPONENTIAL => Ok(Peaks::Exponential(gamma)),
        _ => Err(Refusal::GRADUS_ERROR_ENUM),
    }
}

/// A structure from C that stands for a schedule.
trait Config: Copy {
    fn version(&self) -> u32;
    /// Steps of the warm-up, and its first rate.
    fn warm_up(&self) -> (u32, f32);
    /// The schedule, whose own memory is apart from what the call writes.
    ///
    /// # Safety
    /// The caller vouches for memory behind the pointers of the structure.
    unsafe fn schedule(&self, written: Region) -> Result<impl Schedule, Refusal>;
}

macro_rules! configs {
    ($($config:ident |$s:ident, $written:ident| $schedule:expr;)*) => {$(
        impl Config for $config {
            fn version(&self) -> u32 {
                self.version
            }
            fn warm_up(&self) -> (u32, f32) {
                (self.warm_up_steps, self.warm_up_start)
            }
            unsafe fn schedule(&self, $written: Region) -> Result<impl Schedule, Refusal> {
                let $s = self;
                Ok($schedule)
            }
        }
    )*};
}

configs! {
    gradus_step_decay |s, _written| StepDecay::new(s.lr, s.gamma, s.every);
    gradus_multi_step |s, written| {
        let steps = Memory::unchecked(s.milestones, s.count);
        apart([steps.read(), written])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        let steps = unsafe { steps.slice() };
        Milestones { lr: s.lr, gamma: s.gamma, steps }
    };
    gradus_exponential |s, _written| Exponential::new(s.lr, s.k);
    gradus_inverse_time |s, _written| InverseTime::new(s.lr, s.k);
    gradus_inverse_sqrt |s, _written| InverseSqrt::new(s.lr, s.shift);
    gradus_linear |s, _written| Linear::new(s.start, s.end, s.steps);
    gradus_polynomial |s, _written| Polynomial { lr: s.lr, end: s.end, steps: s.steps, power: s.power };
    gradus_cosine |s, _written| Cosine { lr: s.lr, min: s.min, steps: s.steps };
    gradus_warm_restarts |s, _written| WarmRestarts { lr: s.lr, min: s.min, first: s.first, mult: s.mult };
    gradus_snapshot_cycle |s, _written| SnapshotCycle::new(s.lr, s.steps, s.cycles);
    gradus_stable_decay |s, _written| {
        StableDecay { lr: s.lr, end: s.end, stable: s.stable, fall: s.fall, anneal: anneal(s.anneal)? }
    };
    gradus_triangular |s, _written| {
        Triangular { min: s.min, max: s.max, up: s.up, down: s.down, peaks: peaks(s.peaks, s.gamma)? }
    };
    gradus_one_cycle |s, _written| OneCycle {
        start: s.start,
        max: s.max,
        end: s.end,
        steps: s.steps,
        rise: s.rise,
        three_phase: s.three_phase != 0,
        anneal: anneal(s.anneal)?,
    };
}

/// # Safety
/// The caller vouches for memory behind the pointers, which are checked.
#[inline(always)]
unsafe fn at<C: Config>(schedule: *const C, step: u32, lr: *mut f32) -> gradus_status {
    guard(|| {
        let (config, lr) = (Memory::unchecked(schedule, 1), Memory::unchecked(lr, 1));
        apart([config.read(), lr.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe {
            let config = config.one_ref();
            same_version(config.version())?;
            let schedule = config.schedule(lr.written())?;
            let (steps, start) = config.warm_up();
            *lr.one_mut() =
                if steps > 0 { WarmUp::new(start, steps, schedule).at(step) } else { schedule.at(step) };
        }
        Ok(())
    })
}

/// # Safety
/// The caller vouches for memory behind the pointers, which are checked.
#[inline(always)]
unsafe fn check<C: Config>(schedule: *const C) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let config = Memory::one(schedule)?.one_ref();
            same_version(config.version())?;
            let schedule = config.schedule(Region::NONE)?;
            match config.warm_up() {
                (0, _) => schedule.check()?,
                (steps, start) => WarmUp::new(start, steps, schedule).check()?,
            }
        }
        Ok(())
    })
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_step_decay_at(
    schedule: *const gradus_step_decay,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA, GRADUS_ERROR_STEPS,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_step_decay_check(schedule: *const gradus_step_decay) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_multi_step_at(
    schedule: *const gradus_multi_step,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_multi_step_check(schedule: *const gradus_multi_step) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_exponential_at(
    schedule: *const gradus_exponential,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RATE,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_exponential_check(schedule: *const gradus_exponential) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_inverse_time_at(
    schedule: *const gradus_inverse_time,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RATE,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_inverse_time_check(schedule: *const gradus_inverse_time) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_inverse_sqrt_at(
    schedule: *const gradus_inverse_sqrt,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_inverse_sqrt_check(schedule: *const gradus_inverse_sqrt) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_linear_at(
    schedule: *const gradus_linear,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_linear_check(schedule: *const gradus_linear) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_polynomial_at(
    schedule: *const gradus_polynomial,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_POWER,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_polynomial_check(schedule: *const gradus_polynomial) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_cosine_at(
    schedule: *const gradus_cosine,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_cosine_check(schedule: *const gradus_cosine) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_warm_restarts_at(
    schedule: *const gradus_warm_restarts,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_warm_restarts_check(schedule: *const gradus_warm_restarts) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_snapshot_cycle_at(
    schedule: *const gradus_snapshot_cycle,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_snapshot_cycle_check(
    schedule: *const gradus_snapshot_cycle,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_stable_decay_at(
    schedule: *const gradus_stable_decay,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_ENUM,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_stable_decay_check(schedule: *const gradus_stable_decay) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_triangular_at(
    schedule: *const gradus_triangular,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_GAMMA, GRADUS_ERROR_ENUM,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_triangular_check(schedule: *const gradus_triangular) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}

/// Writes the learning rate that `schedule` has after `step` updates to `lr`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_one_cycle_at(
    schedule: *const gradus_one_cycle,
    step: u32,
    lr: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { at(schedule, step, lr) }
}

/// Whether every parameter of `schedule` lies in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_FRACTION, GRADUS_ERROR_ENUM,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_one_cycle_check(schedule: *const gradus_one_cycle) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    unsafe { check(schedule) }
}
