//! The structures of schedules.

/// The way from one rate to another: half a cosine wave.
pub const GRADUS_ANNEAL_COSINE: u32 = 0;
/// The way from one rate to another: a straight line.
pub const GRADUS_ANNEAL_LINEAR: u32 = 1;
/// The way from one rate to another: the square root of the part that has passed.
pub const GRADUS_ANNEAL_ROOT: u32 = 2;

/// The tops of triangles are equal.
pub const GRADUS_PEAKS_EQUAL: u32 = 0;
/// Each triangle is half as high as the last one.
pub const GRADUS_PEAKS_HALVED: u32 = 1;
/// The tops fall at every step by a factor gamma.
pub const GRADUS_PEAKS_EXPONENTIAL: u32 = 2;

/// Step decay: `lr * gamma^floor(step / every)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_step_decay {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate at the start.
    pub lr: f32,
    /// Factor of each change.
    pub gamma: f64,
    /// Steps from one change to the next.
    pub every: u32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Exponential decay, or growth where `k` is below 0: `lr * e^(-k * step)`.
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
///
/// With min and max exchanged it is the momentum that goes with such a rate.
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
    /// How the tops change: GRADUS_PEAKS_EQUAL, GRADUS_PEAKS_HALVED or GRADUS_PEAKS_EXPONENTIAL.
    pub peaks: u32,
    /// Factor of the tops at every step, at most 1, with GRADUS_PEAKS_EXPONENTIAL.
    pub gamma: f64,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// One cycle (Smith and Topin, 2018), as PyTorch's OneCycleLR.
///
/// With 0.95 as start and end and 0.85 as max it is the momentum that goes with such a rate.
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
    /// The way from one rate to the next: GRADUS_ANNEAL_COSINE, GRADUS_ANNEAL_LINEAR or GRADUS_ANNEAL_ROOT.
    pub anneal: u32,
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
    /// Factor of each change.
    pub gamma: f64,
    /// Steps from which on the rate has changed, in any order.
    pub milestones: *const u32,
    /// How many.
    pub count: usize,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Inverse square root of time: `lr * sqrt(shift / (shift + step))` (Vaswani et al., 2017).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_inverse_sqrt {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate at the start.
    pub lr: f32,
    /// Steps after which the rate has fallen to lr / sqrt(2).
    pub shift: u32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// Polynomial decay: `end + (lr - end) * (1 - step / steps)^power`, and `end` after it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_polynomial {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate of step 0.
    pub lr: f32,
    /// Learning rate from `steps` on; 0.
    pub end: f32,
    /// Steps from one to the other.
    pub steps: u32,
    /// Power of the part that is left.
    pub power: f32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}

/// The same rate, and a short fall at the end (Hu et al., 2024): with a warm-up, warm-up-stable-decay.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_stable_decay {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate before the fall.
    pub lr: f32,
    /// Learning rate after the fall; 0.
    pub end: f32,
    /// Steps before the fall.
    pub stable: u32,
    /// Steps of the fall.
    pub fall: u32,
    /// The way down: GRADUS_ANNEAL_LINEAR, GRADUS_ANNEAL_COSINE or GRADUS_ANNEAL_ROOT.
    pub anneal: u32,
    /// Steps of a linear warm-up before the schedule; 0 for none.
    pub warm_up_steps: u32,
    /// Learning rate of step 0, if there is a warm-up.
    pub warm_up_start: f32,
}
