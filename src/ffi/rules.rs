// Made from src/optim by `./ci.sh generate`: do not edit.
//! The optimizers: a structure, its defaults, two checks and the steps of each.

use super::optim::{
    Config, Pointers, all_finite, check, check_with, half_step, half_step_with, step, step_tensors, step_with,
};
use super::step::{Begin, begin, begin_with};
use super::*;
use crate::optim::{
    AdaGrad, Adadelta, Adam, AdamW, Adamax, AmsGrad, CenteredRmsProp, CenteredRmsPropMomentum, Clock, Lion,
    Momentum, Nadam, Nesterov, RAdam, RmsProp, RmsPropMomentum, ScheduleFree, Sgd,
};
use crate::simd::Bf16;

/// Adam (Kingma and Ba, 2015): momentum over the root of the running second moment.
///
/// ```text
/// m = m + (1 - beta1) * (g - m)              c1 = 1 - beta1^t
/// v = beta2 * v + (1 - beta2) * g * g        c2 = 1 - beta2^t
/// p -= lr * (m / c1) / (sqrt(v / c2) + eps)
/// ```
///
/// State: `m`, `v`. The corrections are folded into the learning rate and the stabiliser, so that
/// an element costs one square root and one division. Without them (`bias_correction: false`,
/// `c1 = c2 = 1`) it is the lecture's "Adam (almost)".
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_adam {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: gradus_epsilon,
    /// Whether the moments are corrected for their start at 0; true by default. 1 for true, 0 for false.
    pub bias_correction: u32,
}

/// Columns of state of gradus_adam: floats per parameter.
pub const GRADUS_ADAM_COLUMNS: usize = 2;
/// The state of gradus_adam in a file: gradus_item.kind.
pub const GRADUS_ITEM_ADAM: u32 = 16;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_adam {
    type Optimizer = Adam;
    #[inline(always)]
    fn build(&self) -> Result<Adam, Refusal> {
        Ok(Adam {
            lr: self.lr,
            beta1: self.beta1,
            beta2: self.beta2,
            eps: self.eps.build()?,
            bias_correction: self.bias_correction != 0,
        })
    }
}

/// Adam with its defaults, for a place where the initialiser GRADUS_ADAM(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_adam_default(lr: f32) -> gradus_adam {
    gradus_adam {
        version: GRADUS_STRUCTS,
        lr,
        beta1: 0.9,
        beta2: 0.999,
        eps: gradus_epsilon { place: GRADUS_EPSILON_OUTSIDE, eps: 1e-8, inside: 0.0 },
        bias_correction: 1,
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_check(config: *const gradus_adam) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_adam_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_check_with(
    config: *const gradus_adam,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of Adam. State: `m`, `v`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_step(
    config: *const gradus_adam,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_step_with(
    config: *const gradus_adam,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_step_if_finite(
    config: *const gradus_adam,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_adam_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_step_tensors(
    config: *const gradus_adam,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_begin(
    config: *const gradus_adam,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_begin_with(
    config: *const gradus_adam,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_adam_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_half_step(
    config: *const gradus_adam,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_half_step_with(
    config: *const gradus_adam,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_adam_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_half_begin(
    config: *const gradus_adam,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_adam_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_half_begin_with(
    config: *const gradus_adam,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_adam_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adam_half_step_tensors(
    config: *const gradus_adam,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// Stochastic gradient descent (Robbins and Monro, 1951): straight down the gradient.
///
/// ```text
/// p -= lr * g
/// ```
///
/// State: none but the count of steps.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_sgd {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
}

/// Columns of state of gradus_sgd: floats per parameter.
pub const GRADUS_SGD_COLUMNS: usize = 0;
/// The state of gradus_sgd in a file: gradus_item.kind.
pub const GRADUS_ITEM_SGD: u32 = 17;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_sgd {
    type Optimizer = Sgd;
    #[inline(always)]
    fn build(&self) -> Result<Sgd, Refusal> {
        Ok(Sgd { lr: self.lr })
    }
}

/// Sgd with its defaults, for a place where the initialiser GRADUS_SGD(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_sgd_default(lr: f32) -> gradus_sgd {
    gradus_sgd { version: GRADUS_STRUCTS, lr }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sgd_check(config: *const gradus_sgd) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_sgd_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sgd_check_with(
    config: *const gradus_sgd,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of Sgd. State: none but the count of steps.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sgd_step(
    config: *const gradus_sgd,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sgd_step_with(
    config: *const gradus_sgd,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sgd_step_if_finite(
    config: *const gradus_sgd,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_sgd_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sgd_step_tensors(
    config: *const gradus_sgd,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sgd_begin(
    config: *const gradus_sgd,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sgd_begin_with(
    config: *const gradus_sgd,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// Momentum (Polyak, 1964): a velocity that keeps a share `rho` of itself at each step.
///
/// ```text
/// v = rho * v + (1 - dampening) * g        (v = g at the first step, or where rho is 0, as in PyTorch)
/// p -= lr * v
/// ```
///
/// State: `v`. The learning rate stands outside of the velocity, so that a change of it acts at
/// once on the whole velocity, as in PyTorch.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_momentum {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Share of the velocity that a step keeps; 0.9 by default.
    pub rho: f64,
    /// Share of the gradient that does not enter the velocity, from the second step on; 0 by default.
    pub dampening: f64,
}

/// Columns of state of gradus_momentum: floats per parameter.
pub const GRADUS_MOMENTUM_COLUMNS: usize = 1;
/// The state of gradus_momentum in a file: gradus_item.kind.
pub const GRADUS_ITEM_MOMENTUM: u32 = 18;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_momentum {
    type Optimizer = Momentum;
    #[inline(always)]
    fn build(&self) -> Result<Momentum, Refusal> {
        Ok(Momentum { lr: self.lr, rho: self.rho, dampening: self.dampening })
    }
}

/// Momentum with its defaults, for a place where the initialiser GRADUS_MOMENTUM(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_momentum_default(lr: f32) -> gradus_momentum {
    gradus_momentum { version: GRADUS_STRUCTS, lr, rho: 0.9, dampening: 0.0 }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_DAMPENING;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_check(config: *const gradus_momentum) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_momentum_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_check_with(
    config: *const gradus_momentum,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of Momentum. State: `v`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_step(
    config: *const gradus_momentum,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_step_with(
    config: *const gradus_momentum,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_step_if_finite(
    config: *const gradus_momentum,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_momentum_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_step_tensors(
    config: *const gradus_momentum,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_begin(
    config: *const gradus_momentum,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_begin_with(
    config: *const gradus_momentum,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_momentum_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_half_step(
    config: *const gradus_momentum,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_half_step_with(
    config: *const gradus_momentum,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_momentum_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_half_begin(
    config: *const gradus_momentum,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_momentum_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_half_begin_with(
    config: *const gradus_momentum,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_momentum_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_momentum_half_step_tensors(
    config: *const gradus_momentum,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// Nesterov momentum (Nesterov, 1983; Sutskever et al., 2013): the velocity looks one step ahead.
///
/// ```text
/// v = rho * v + g
/// p -= lr * (g + rho * v)
/// ```
///
/// State: `v`. The lecture takes the gradient ahead of the parameters, `v' = rho*v - lr*g(p + rho*v)`,
/// `p += v'`; in terms of the point ahead, and with a constant learning rate, that is the rule here:
/// `v' = rho*v - lr*g; p += -rho*v + (1 + rho)*v'`. This is PyTorch's `SGD(nesterov=True)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_nesterov {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Share of the velocity that a step keeps; 0.9 by default.
    pub rho: f64,
}

/// Columns of state of gradus_nesterov: floats per parameter.
pub const GRADUS_NESTEROV_COLUMNS: usize = 1;
/// The state of gradus_nesterov in a file: gradus_item.kind.
pub const GRADUS_ITEM_NESTEROV: u32 = 19;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_nesterov {
    type Optimizer = Nesterov;
    #[inline(always)]
    fn build(&self) -> Result<Nesterov, Refusal> {
        Ok(Nesterov { lr: self.lr, rho: self.rho })
    }
}

/// Nesterov with its defaults, for a place where the initialiser GRADUS_NESTEROV(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_nesterov_default(lr: f32) -> gradus_nesterov {
    gradus_nesterov { version: GRADUS_STRUCTS, lr, rho: 0.9 }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_check(config: *const gradus_nesterov) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_nesterov_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_check_with(
    config: *const gradus_nesterov,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of Nesterov. State: `v`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_step(
    config: *const gradus_nesterov,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_step_with(
    config: *const gradus_nesterov,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_step_if_finite(
    config: *const gradus_nesterov,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_nesterov_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_step_tensors(
    config: *const gradus_nesterov,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_begin(
    config: *const gradus_nesterov,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_begin_with(
    config: *const gradus_nesterov,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_nesterov_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_half_step(
    config: *const gradus_nesterov,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_half_step_with(
    config: *const gradus_nesterov,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_nesterov_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_half_begin(
    config: *const gradus_nesterov,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_nesterov_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_half_begin_with(
    config: *const gradus_nesterov,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_nesterov_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nesterov_half_step_tensors(
    config: *const gradus_nesterov,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// AdaGrad (Duchi, Hazan and Singer, 2011): each parameter slows down by what it has seen.
///
/// ```text
/// s += g * g
/// p -= lr * g / (sqrt(s) + eps)
/// ```
///
/// State: `s`. It may be filled with an initial accumulator before the first step.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_adagrad {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Stabiliser of the denominator; 1e-10 outside of the root by default.
    pub eps: gradus_epsilon,
}

/// Columns of state of gradus_adagrad: floats per parameter.
pub const GRADUS_ADAGRAD_COLUMNS: usize = 1;
/// The state of gradus_adagrad in a file: gradus_item.kind.
pub const GRADUS_ITEM_ADAGRAD: u32 = 20;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_adagrad {
    type Optimizer = AdaGrad;
    #[inline(always)]
    fn build(&self) -> Result<AdaGrad, Refusal> {
        Ok(AdaGrad { lr: self.lr, eps: self.eps.build()? })
    }
}

/// AdaGrad with its defaults, for a place where the initialiser GRADUS_ADAGRAD(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_adagrad_default(lr: f32) -> gradus_adagrad {
    gradus_adagrad {
        version: GRADUS_STRUCTS,
        lr,
        eps: gradus_epsilon { place: GRADUS_EPSILON_OUTSIDE, eps: 1e-10, inside: 0.0 },
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_EPSILON;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_check(config: *const gradus_adagrad) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_adagrad_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_check_with(
    config: *const gradus_adagrad,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of AdaGrad. State: `s`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_step(
    config: *const gradus_adagrad,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_step_with(
    config: *const gradus_adagrad,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_step_if_finite(
    config: *const gradus_adagrad,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_adagrad_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_step_tensors(
    config: *const gradus_adagrad,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_begin(
    config: *const gradus_adagrad,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_begin_with(
    config: *const gradus_adagrad,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_adagrad_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_half_step(
    config: *const gradus_adagrad,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_half_step_with(
    config: *const gradus_adagrad,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_adagrad_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_half_begin(
    config: *const gradus_adagrad,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_adagrad_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_half_begin_with(
    config: *const gradus_adagrad,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_adagrad_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adagrad_half_step_tensors(
    config: *const gradus_adagrad,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// Adadelta (Zeiler, 2012): steps in the units of the parameters, from the sizes of the steps before.
///
/// ```text
/// s = rho * s + (1 - rho) * g * g
/// step = sqrt(d + eps) / sqrt(s + eps) * g
/// d = rho * d + (1 - rho) * step * step
/// p -= lr * step
/// ```
///
/// State: `s`, `d`. The paper has no learning rate: it is 1 there, and PyTorch's default. Both stabilisers stand under
/// their roots; they set the size of the first steps, `sqrt(eps)` each.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_adadelta {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate: 1 in the paper.
    pub lr: f32,
    /// Decay of both running averages; 0.9 by default.
    pub rho: f64,
    /// Stabiliser under both roots, at least 1.2e-38; 1e-6 by default.
    pub eps: f32,
}

/// Columns of state of gradus_adadelta: floats per parameter.
pub const GRADUS_ADADELTA_COLUMNS: usize = 2;
/// The state of gradus_adadelta in a file: gradus_item.kind.
pub const GRADUS_ITEM_ADADELTA: u32 = 21;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_adadelta {
    type Optimizer = Adadelta;
    #[inline(always)]
    fn build(&self) -> Result<Adadelta, Refusal> {
        Ok(Adadelta { lr: self.lr, rho: self.rho, eps: self.eps })
    }
}

/// Adadelta with its defaults, for a place where the initialiser GRADUS_ADADELTA(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_adadelta_default(lr: f32) -> gradus_adadelta {
    gradus_adadelta { version: GRADUS_STRUCTS, lr, rho: 0.9, eps: 1e-6 }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_check(config: *const gradus_adadelta) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_adadelta_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_check_with(
    config: *const gradus_adadelta,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of Adadelta. State: `s`, `d`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_step(
    config: *const gradus_adadelta,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_step_with(
    config: *const gradus_adadelta,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_step_if_finite(
    config: *const gradus_adadelta,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_adadelta_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_step_tensors(
    config: *const gradus_adadelta,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_begin(
    config: *const gradus_adadelta,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_begin_with(
    config: *const gradus_adadelta,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_adadelta_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_half_step(
    config: *const gradus_adadelta,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_half_step_with(
    config: *const gradus_adadelta,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_adadelta_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_half_begin(
    config: *const gradus_adadelta,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_adadelta_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_half_begin_with(
    config: *const gradus_adadelta,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_adadelta_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adadelta_half_step_tensors(
    config: *const gradus_adadelta,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// RMSProp (Tieleman and Hinton, 2012): AdaGrad that forgets.
///
/// ```text
/// s = rho * s + (1 - rho) * g * g
/// p -= lr * g / (sqrt(s) + eps)
/// ```
///
/// State: `s`. `centered` and `with_momentum` are types
/// of their own, because they need more state.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_rmsprop {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the running averages; 0.99 by default.
    pub rho: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: gradus_epsilon,
}

/// Columns of state of gradus_rmsprop: floats per parameter.
pub const GRADUS_RMSPROP_COLUMNS: usize = 1;
/// The state of gradus_rmsprop in a file: gradus_item.kind.
pub const GRADUS_ITEM_RMSPROP: u32 = 22;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_rmsprop {
    type Optimizer = RmsProp;
    #[inline(always)]
    fn build(&self) -> Result<RmsProp, Refusal> {
        Ok(RmsProp { lr: self.lr, rho: self.rho, eps: self.eps.build()? })
    }
}

/// RmsProp with its defaults, for a place where the initialiser GRADUS_RMSPROP(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_rmsprop_default(lr: f32) -> gradus_rmsprop {
    gradus_rmsprop {
        version: GRADUS_STRUCTS,
        lr,
        rho: 0.99,
        eps: gradus_epsilon { place: GRADUS_EPSILON_OUTSIDE, eps: 1e-8, inside: 0.0 },
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_check(config: *const gradus_rmsprop) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_rmsprop_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_check_with(
    config: *const gradus_rmsprop,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of RmsProp. State: `s`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_step(
    config: *const gradus_rmsprop,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_step_with(
    config: *const gradus_rmsprop,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_step_if_finite(
    config: *const gradus_rmsprop,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_rmsprop_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_step_tensors(
    config: *const gradus_rmsprop,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_begin(
    config: *const gradus_rmsprop,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_begin_with(
    config: *const gradus_rmsprop,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_rmsprop_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_half_step(
    config: *const gradus_rmsprop,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_half_step_with(
    config: *const gradus_rmsprop,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_rmsprop_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_half_begin(
    config: *const gradus_rmsprop,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_rmsprop_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_half_begin_with(
    config: *const gradus_rmsprop,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_rmsprop_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_half_step_tensors(
    config: *const gradus_rmsprop,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// RMSProp over the deviation from the mean: `sqrt(max(0, s - a * a))` in place of `sqrt(s)`.
///
/// ```text
/// s = rho * s + (1 - rho) * g * g
/// a = a + (1 - rho) * (g - a)
/// p -= lr * g / (sqrt(max(0, s - a * a)) + eps)
/// ```
///
/// State: `s`, `a`. Where the gradient is constant, rounding makes the difference negative; it
/// counts as 0 then.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_centered_rmsprop {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the running averages; 0.99 by default.
    pub rho: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: gradus_epsilon,
}

/// Columns of state of gradus_centered_rmsprop: floats per parameter.
pub const GRADUS_CENTERED_RMSPROP_COLUMNS: usize = 2;
/// The state of gradus_centered_rmsprop in a file: gradus_item.kind.
pub const GRADUS_ITEM_CENTERED_RMSPROP: u32 = 23;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_centered_rmsprop {
    type Optimizer = CenteredRmsProp;
    #[inline(always)]
    fn build(&self) -> Result<CenteredRmsProp, Refusal> {
        Ok(CenteredRmsProp { rmsprop: RmsProp { lr: self.lr, rho: self.rho, eps: self.eps.build()? } })
    }
}

/// CenteredRmsProp with its defaults, for a place where the initialiser GRADUS_CENTERED_RMSPROP(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_centered_rmsprop_default(lr: f32) -> gradus_centered_rmsprop {
    gradus_centered_rmsprop {
        version: GRADUS_STRUCTS,
        lr,
        rho: 0.99,
        eps: gradus_epsilon { place: GRADUS_EPSILON_OUTSIDE, eps: 1e-8, inside: 0.0 },
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_check(
    config: *const gradus_centered_rmsprop,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_centered_rmsprop_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_check_with(
    config: *const gradus_centered_rmsprop,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of CenteredRmsProp. State: `s`, `a`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_step(
    config: *const gradus_centered_rmsprop,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_step_with(
    config: *const gradus_centered_rmsprop,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_step_if_finite(
    config: *const gradus_centered_rmsprop,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_centered_rmsprop_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_step_tensors(
    config: *const gradus_centered_rmsprop,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_begin(
    config: *const gradus_centered_rmsprop,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_begin_with(
    config: *const gradus_centered_rmsprop,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_centered_rmsprop_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_half_step(
    config: *const gradus_centered_rmsprop,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_half_step_with(
    config: *const gradus_centered_rmsprop,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_centered_rmsprop_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_half_begin(
    config: *const gradus_centered_rmsprop,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_centered_rmsprop_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_half_begin_with(
    config: *const gradus_centered_rmsprop,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_centered_rmsprop_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_half_step_tensors(
    config: *const gradus_centered_rmsprop,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// RMSProp with momentum.
///
/// ```text
/// s = rho * s + (1 - rho) * g * g
/// v = momentum * v + g / (sqrt(s) + eps)
/// p -= lr * v
/// ```
///
/// State: `s`, `v`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_rmsprop_momentum {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the running averages; 0.99 by default.
    pub rho: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: gradus_epsilon,
    /// Share of the velocity that a step keeps.
    pub momentum: f32,
}

/// Columns of state of gradus_rmsprop_momentum: floats per parameter.
pub const GRADUS_RMSPROP_MOMENTUM_COLUMNS: usize = 2;
/// The state of gradus_rmsprop_momentum in a file: gradus_item.kind.
pub const GRADUS_ITEM_RMSPROP_MOMENTUM: u32 = 24;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_rmsprop_momentum {
    type Optimizer = RmsPropMomentum;
    #[inline(always)]
    fn build(&self) -> Result<RmsPropMomentum, Refusal> {
        Ok(RmsPropMomentum {
            rmsprop: RmsProp { lr: self.lr, rho: self.rho, eps: self.eps.build()? },
            momentum: self.momentum,
        })
    }
}

/// RmsPropMomentum with its defaults, for a place where the initialiser GRADUS_RMSPROP_MOMENTUM(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_rmsprop_momentum_default(lr: f32) -> gradus_rmsprop_momentum {
    gradus_rmsprop_momentum {
        version: GRADUS_STRUCTS,
        lr,
        rho: 0.99,
        eps: gradus_epsilon { place: GRADUS_EPSILON_OUTSIDE, eps: 1e-8, inside: 0.0 },
        momentum: 0.9,
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON, GRADUS_ERROR_RHO;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_check(
    config: *const gradus_rmsprop_momentum,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_rmsprop_momentum_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_check_with(
    config: *const gradus_rmsprop_momentum,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of RmsPropMomentum. State: `s`, `v`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_step(
    config: *const gradus_rmsprop_momentum,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_step_with(
    config: *const gradus_rmsprop_momentum,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_step_if_finite(
    config: *const gradus_rmsprop_momentum,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_rmsprop_momentum_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_step_tensors(
    config: *const gradus_rmsprop_momentum,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_begin(
    config: *const gradus_rmsprop_momentum,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_begin_with(
    config: *const gradus_rmsprop_momentum,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_rmsprop_momentum_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_half_step(
    config: *const gradus_rmsprop_momentum,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_half_step_with(
    config: *const gradus_rmsprop_momentum,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_rmsprop_momentum_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_half_begin(
    config: *const gradus_rmsprop_momentum,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_rmsprop_momentum_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_half_begin_with(
    config: *const gradus_rmsprop_momentum,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_rmsprop_momentum_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_rmsprop_momentum_half_step_tensors(
    config: *const gradus_rmsprop_momentum,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// Centred RMSProp with momentum: `CenteredRmsProp` and `RmsPropMomentum` in one.
///
/// ```text
/// s, a as CenteredRmsProp
/// v = momentum * v + g / (sqrt(max(0, s - a * a)) + eps)
/// p -= lr * v
/// ```
///
/// State: `s`, `a`, `v`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_centered_rmsprop_momentum {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the running averages; 0.99 by default.
    pub rho: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: gradus_epsilon,
    /// Share of the velocity that a step keeps.
    pub momentum: f32,
}

/// Columns of state of gradus_centered_rmsprop_momentum: floats per parameter.
pub const GRADUS_CENTERED_RMSPROP_MOMENTUM_COLUMNS: usize = 3;
/// The state of gradus_centered_rmsprop_momentum in a file: gradus_item.kind.
pub const GRADUS_ITEM_CENTERED_RMSPROP_MOMENTUM: u32 = 25;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_centered_rmsprop_momentum {
    type Optimizer = CenteredRmsPropMomentum;
    #[inline(always)]
    fn build(&self) -> Result<CenteredRmsPropMomentum, Refusal> {
        Ok(CenteredRmsPropMomentum {
            rmsprop: RmsProp { lr: self.lr, rho: self.rho, eps: self.eps.build()? },
            momentum: self.momentum,
        })
    }
}

/// CenteredRmsPropMomentum with its defaults, for a place where the initialiser GRADUS_CENTERED_RMSPROP_MOMENTUM(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_centered_rmsprop_momentum_default(lr: f32) -> gradus_centered_rmsprop_momentum {
    gradus_centered_rmsprop_momentum {
        version: GRADUS_STRUCTS,
        lr,
        rho: 0.99,
        eps: gradus_epsilon { place: GRADUS_EPSILON_OUTSIDE, eps: 1e-8, inside: 0.0 },
        momentum: 0.9,
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON, GRADUS_ERROR_RHO;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_check(
    config: *const gradus_centered_rmsprop_momentum,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_centered_rmsprop_momentum_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_check_with(
    config: *const gradus_centered_rmsprop_momentum,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of CenteredRmsPropMomentum. State: `s`, `a`, `v`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_step(
    config: *const gradus_centered_rmsprop_momentum,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_step_with(
    config: *const gradus_centered_rmsprop_momentum,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_step_if_finite(
    config: *const gradus_centered_rmsprop_momentum,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_centered_rmsprop_momentum_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_step_tensors(
    config: *const gradus_centered_rmsprop_momentum,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_begin(
    config: *const gradus_centered_rmsprop_momentum,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_begin_with(
    config: *const gradus_centered_rmsprop_momentum,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_centered_rmsprop_momentum_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_half_step(
    config: *const gradus_centered_rmsprop_momentum,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_half_step_with(
    config: *const gradus_centered_rmsprop_momentum,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_centered_rmsprop_momentum_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_half_begin(
    config: *const gradus_centered_rmsprop_momentum,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_centered_rmsprop_momentum_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_half_begin_with(
    config: *const gradus_centered_rmsprop_momentum,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_centered_rmsprop_momentum_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_centered_rmsprop_momentum_half_step_tensors(
    config: *const gradus_centered_rmsprop_momentum,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// AdamW (Loshchilov and Hutter, 2019): Adam, with the decay of the weights apart from it.
///
/// ```text
/// p = adam(p) - lr * weight_decay * p
/// ```
///
/// State: `m`, `v`. It is `Adam` with the transform `Decay`, to the bit. An L2 penalty would pass through the moments and be divided like any gradient;
/// the decay here acts on the weights alone, also where the gradient is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_adamw {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: gradus_epsilon,
    /// Share of a weight that decays per step and unit of learning rate; 1e-2 by default.
    pub weight_decay: f32,
}

/// Columns of state of gradus_adamw: floats per parameter.
pub const GRADUS_ADAMW_COLUMNS: usize = 2;
/// The state of gradus_adamw in a file: gradus_item.kind.
pub const GRADUS_ITEM_ADAMW: u32 = 26;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_adamw {
    type Optimizer = AdamW;
    #[inline(always)]
    fn build(&self) -> Result<AdamW, Refusal> {
        Ok(AdamW {
            lr: self.lr,
            beta1: self.beta1,
            beta2: self.beta2,
            eps: self.eps.build()?,
            weight_decay: self.weight_decay,
        })
    }
}

/// AdamW with its defaults, for a place where the initialiser GRADUS_ADAMW(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_adamw_default(lr: f32) -> gradus_adamw {
    gradus_adamw {
        version: GRADUS_STRUCTS,
        lr,
        beta1: 0.9,
        beta2: 0.999,
        eps: gradus_epsilon { place: GRADUS_EPSILON_OUTSIDE, eps: 1e-8, inside: 0.0 },
        weight_decay: 0.01,
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON,
/// GRADUS_ERROR_WEIGHT_DECAY;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_check(config: *const gradus_adamw) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_adamw_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_check_with(
    config: *const gradus_adamw,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of AdamW. State: `m`, `v`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_step(
    config: *const gradus_adamw,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_step_with(
    config: *const gradus_adamw,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_step_if_finite(
    config: *const gradus_adamw,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_adamw_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_step_tensors(
    config: *const gradus_adamw,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_begin(
    config: *const gradus_adamw,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_begin_with(
    config: *const gradus_adamw,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_adamw_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_half_step(
    config: *const gradus_adamw,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_half_step_with(
    config: *const gradus_adamw,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_adamw_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_half_begin(
    config: *const gradus_adamw,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_adamw_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_half_begin_with(
    config: *const gradus_adamw,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_adamw_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamw_half_step_tensors(
    config: *const gradus_adamw,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// Adamax (Kingma and Ba, 2015, section 7.1): Adam over the largest gradient in place of the mean square.
///
/// ```text
/// m = m + (1 - beta1) * (g - m)
/// u = max(beta2 * u, |g| + eps)
/// p -= lr / (1 - beta1^t) * m / u
/// ```
///
/// State: `m`, `u`. The stabiliser is inside of the maximum, as in PyTorch. An element costs a division and no root.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_adamax {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the largest gradient; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser, added to the size of a gradient, at least 1.2e-38; 1e-8 by default.
    pub eps: f32,
}

/// Columns of state of gradus_adamax: floats per parameter.
pub const GRADUS_ADAMAX_COLUMNS: usize = 2;
/// The state of gradus_adamax in a file: gradus_item.kind.
pub const GRADUS_ITEM_ADAMAX: u32 = 27;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_adamax {
    type Optimizer = Adamax;
    #[inline(always)]
    fn build(&self) -> Result<Adamax, Refusal> {
        Ok(Adamax { lr: self.lr, beta1: self.beta1, beta2: self.beta2, eps: self.eps })
    }
}

/// Adamax with its defaults, for a place where the initialiser GRADUS_ADAMAX(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_adamax_default(lr: f32) -> gradus_adamax {
    gradus_adamax { version: GRADUS_STRUCTS, lr, beta1: 0.9, beta2: 0.999, eps: 1e-8 }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_check(config: *const gradus_adamax) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_adamax_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_check_with(
    config: *const gradus_adamax,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of Adamax. State: `m`, `u`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_step(
    config: *const gradus_adamax,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_step_with(
    config: *const gradus_adamax,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_step_if_finite(
    config: *const gradus_adamax,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_adamax_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_step_tensors(
    config: *const gradus_adamax,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_begin(
    config: *const gradus_adamax,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_begin_with(
    config: *const gradus_adamax,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_adamax_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_half_step(
    config: *const gradus_adamax,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_half_step_with(
    config: *const gradus_adamax,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_adamax_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_half_begin(
    config: *const gradus_adamax,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_adamax_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_half_begin_with(
    config: *const gradus_adamax,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_adamax_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_adamax_half_step_tensors(
    config: *const gradus_adamax,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// AMSGrad (Reddi, Kale and Kumar, 2018): Adam over the largest second moment so far.
///
/// ```text
/// m, v as Adam
/// vmax = max(vmax, v)
/// p -= lr * (m / c1) / (sqrt(vmax / c2) + eps)
/// ```
///
/// State: `m`, `v`, `vmax`. The maximum is taken before the correction, as in PyTorch. Once NaN, `v`
/// stays so, and `vmax` with it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_amsgrad {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: gradus_epsilon,
}

/// Columns of state of gradus_amsgrad: floats per parameter.
pub const GRADUS_AMSGRAD_COLUMNS: usize = 3;
/// The state of gradus_amsgrad in a file: gradus_item.kind.
pub const GRADUS_ITEM_AMSGRAD: u32 = 28;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_amsgrad {
    type Optimizer = AmsGrad;
    #[inline(always)]
    fn build(&self) -> Result<AmsGrad, Refusal> {
        Ok(AmsGrad { lr: self.lr, beta1: self.beta1, beta2: self.beta2, eps: self.eps.build()? })
    }
}

/// AmsGrad with its defaults, for a place where the initialiser GRADUS_AMSGRAD(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_amsgrad_default(lr: f32) -> gradus_amsgrad {
    gradus_amsgrad {
        version: GRADUS_STRUCTS,
        lr,
        beta1: 0.9,
        beta2: 0.999,
        eps: gradus_epsilon { place: GRADUS_EPSILON_OUTSIDE, eps: 1e-8, inside: 0.0 },
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_amsgrad_check(config: *const gradus_amsgrad) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_amsgrad_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_amsgrad_check_with(
    config: *const gradus_amsgrad,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of AmsGrad. State: `m`, `v`, `vmax`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_amsgrad_step(
    config: *const gradus_amsgrad,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_amsgrad_step_with(
    config: *const gradus_amsgrad,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_amsgrad_step_if_finite(
    config: *const gradus_amsgrad,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_amsgrad_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_amsgrad_step_tensors(
    config: *const gradus_amsgrad,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_amsgrad_begin(
    config: *const gradus_amsgrad,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_amsgrad_begin_with(
    config: *const gradus_amsgrad,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// Nadam (Dozat, 2016): Adam with Nesterov's look ahead.
///
/// ```text
/// mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2)        q(t) = mu(1) * ... * mu(t)
/// m, v as Adam
/// p -= lr * ((1 - mu(t)) / (1 - q(t)) * g + mu(t+1) / (1 - q(t) * mu(t+1)) * m)
///      / (sqrt(v / c2) + eps)
/// ```
///
/// State: `m`, `v`; the clock carries `1 - q(t)`, which starts at 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_nadam {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Limit of the decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: gradus_epsilon,
    /// How fast `mu` grows from half of `beta1` to `beta1`; 4e-3 by default.
    pub momentum_decay: f32,
}

/// Columns of state of gradus_nadam: floats per parameter.
pub const GRADUS_NADAM_COLUMNS: usize = 2;
/// The state of gradus_nadam in a file: gradus_item.kind.
pub const GRADUS_ITEM_NADAM: u32 = 30;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_nadam {
    type Optimizer = Nadam;
    #[inline(always)]
    fn build(&self) -> Result<Nadam, Refusal> {
        Ok(Nadam {
            lr: self.lr,
            beta1: self.beta1,
            beta2: self.beta2,
            eps: self.eps.build()?,
            momentum_decay: self.momentum_decay,
        })
    }
}

/// Nadam with its defaults, for a place where the initialiser GRADUS_NADAM(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_nadam_default(lr: f32) -> gradus_nadam {
    gradus_nadam {
        version: GRADUS_STRUCTS,
        lr,
        beta1: 0.9,
        beta2: 0.999,
        eps: gradus_epsilon { place: GRADUS_EPSILON_OUTSIDE, eps: 1e-8, inside: 0.0 },
        momentum_decay: 0.004,
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON,
/// GRADUS_ERROR_MOMENTUM_DECAY;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_check(config: *const gradus_nadam) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_nadam_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_check_with(
    config: *const gradus_nadam,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of Nadam. State: `m`, `v`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_step(
    config: *const gradus_nadam,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_step_with(
    config: *const gradus_nadam,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_step_if_finite(
    config: *const gradus_nadam,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_nadam_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_step_tensors(
    config: *const gradus_nadam,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_begin(
    config: *const gradus_nadam,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_begin_with(
    config: *const gradus_nadam,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_nadam_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_half_step(
    config: *const gradus_nadam,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_half_step_with(
    config: *const gradus_nadam,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_nadam_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_half_begin(
    config: *const gradus_nadam,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_nadam_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_half_begin_with(
    config: *const gradus_nadam,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_nadam_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_nadam_half_step_tensors(
    config: *const gradus_nadam,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// RAdam (Liu et al., 2020): Adam that takes plain momentum steps until its second moment is worth dividing by.
///
/// ```text
/// m, v as Adam                                  c1 = 1 - beta1^t, c2 = 1 - beta2^t
/// n = 2 / (1 - beta2) - 1                       length of the running average
/// n(t) = n - 2 * t * beta2^t / c2               the part of it that is filled
/// r = sqrt((n(t) - 4) * (n(t) - 2) * n / ((n - 4) * (n - 2) * n(t)))
/// p -= lr * r * (m / c1) * sqrt(c2) / (sqrt(v) + eps)        where n(t) > 5
/// p -= lr * (m / c1)                                         before
/// ```
///
/// State: `m`, `v`. The stabiliser stands where PyTorch puts it for this rule, outside of the root before its
/// correction (GRADUS_EPSILON_HAT). With the default `beta2` the first five steps are plain. `r` is formed once a step
/// in `f64`, since `n(t)` is a small difference of large numbers; an FPU of single precision computes that in software.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_radam {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the uncorrected root by default.
    pub eps: gradus_epsilon,
}

/// Columns of state of gradus_radam: floats per parameter.
pub const GRADUS_RADAM_COLUMNS: usize = 2;
/// The state of gradus_radam in a file: gradus_item.kind.
pub const GRADUS_ITEM_RADAM: u32 = 31;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_radam {
    type Optimizer = RAdam;
    #[inline(always)]
    fn build(&self) -> Result<RAdam, Refusal> {
        Ok(RAdam { lr: self.lr, beta1: self.beta1, beta2: self.beta2, eps: self.eps.build()? })
    }
}

/// RAdam with its defaults, for a place where the initialiser GRADUS_RADAM(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_radam_default(lr: f32) -> gradus_radam {
    gradus_radam {
        version: GRADUS_STRUCTS,
        lr,
        beta1: 0.9,
        beta2: 0.999,
        eps: gradus_epsilon { place: GRADUS_EPSILON_HAT, eps: 1e-8, inside: 0.0 },
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_check(config: *const gradus_radam) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_radam_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_check_with(
    config: *const gradus_radam,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of RAdam. State: `m`, `v`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_step(
    config: *const gradus_radam,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_step_with(
    config: *const gradus_radam,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_step_if_finite(
    config: *const gradus_radam,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_radam_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_step_tensors(
    config: *const gradus_radam,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_begin(
    config: *const gradus_radam,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_begin_with(
    config: *const gradus_radam,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_radam_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_half_step(
    config: *const gradus_radam,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_half_step_with(
    config: *const gradus_radam,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_radam_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_half_begin(
    config: *const gradus_radam,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_radam_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_half_begin_with(
    config: *const gradus_radam,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_radam_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_radam_half_step_tensors(
    config: *const gradus_radam,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// Lion (Chen et al., 2023): the sign of a momentum, with decoupled decay; half of Adam's memory.
///
/// ```text
/// u = sign(beta1 * m + (1 - beta1) * g)        sign(0) = 0
/// p -= lr * (u + weight_decay * p)
/// m = m + (1 - beta2) * (g - m)
/// ```
///
/// State: `m`. A learning rate three to ten times below Adam's is usual.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_lion {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Share of the momentum in the direction; 0.9 by default.
    pub beta1: f64,
    /// Decay of the momentum; 0.99 by default.
    pub beta2: f64,
    /// Share of a weight that decays per step and unit of learning rate; 1e-3 by default.
    pub weight_decay: f32,
}

/// Columns of state of gradus_lion: floats per parameter.
pub const GRADUS_LION_COLUMNS: usize = 1;
/// The state of gradus_lion in a file: gradus_item.kind.
pub const GRADUS_ITEM_LION: u32 = 32;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_lion {
    type Optimizer = Lion;
    #[inline(always)]
    fn build(&self) -> Result<Lion, Refusal> {
        Ok(Lion { lr: self.lr, beta1: self.beta1, beta2: self.beta2, weight_decay: self.weight_decay })
    }
}

/// Lion with its defaults, for a place where the initialiser GRADUS_LION(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_lion_default(lr: f32) -> gradus_lion {
    gradus_lion { version: GRADUS_STRUCTS, lr, beta1: 0.9, beta2: 0.99, weight_decay: 0.001 }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_WEIGHT_DECAY;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_check(config: *const gradus_lion) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_lion_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_check_with(
    config: *const gradus_lion,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of Lion. State: `m`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_step(
    config: *const gradus_lion,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_step_with(
    config: *const gradus_lion,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_step_if_finite(
    config: *const gradus_lion,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_lion_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_step_tensors(
    config: *const gradus_lion,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_begin(
    config: *const gradus_lion,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_begin_with(
    config: *const gradus_lion,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_lion_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_half_step(
    config: *const gradus_lion,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_half_step_with(
    config: *const gradus_lion,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_lion_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_half_begin(
    config: *const gradus_lion,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_lion_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_half_begin_with(
    config: *const gradus_lion,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_lion_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lion_half_step_tensors(
    config: *const gradus_lion,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}

/// Schedule-free AdamW (Defazio et al., 2024): an average of the weights in place of a falling learning rate.
///
/// ```text
/// v = beta2 * v + (1 - beta2) * g * g                     g: the gradient at y
/// u = g / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * y
/// z = z - lr * u                                          the fast weights
/// x = (1 - c) * x + c * z        c = lr^2 / (lr_1^2 + .. + lr_t^2)
/// y = (1 - beta1) * z + beta1 * x
/// ```
///
/// The parameters of a step are `y`; those to evaluate and to deploy are `x`, which `average` makes of
/// them.
///
/// State: `d`, `v`. The distance `d = y - z` is 0 at the start; the clock carries the mean of `lr^2`. In these terms a step is
///
/// ```text
/// y = y - (c * d + lr * (1 - beta1 * (1 - c)) * u)
/// d = (1 - c) * (d + lr * beta1 * u)
/// x = y + (1 / beta1 - 1) * d
/// ```
///
/// It takes a constant rate, after a `WarmUp`, whose small rates weigh little in the average. The
/// run may end at any step. The weight decay is its own: a transform `Decay` would shrink
/// `y`, `z` and the average alike, which is more. Batch normalisation keeps statistics of `y`: take them anew for `x`.
///
/// It has no state in half the memory: late in a run `d` changes by less than the last digit of a `Bf16` in
/// every step, and forgets what rounding adds only as slowly, by `1 / t`; after 100 000 steps of a noisy quadratic the average's loss was 1.2 times as large.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_schedulefree {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Share of the average in the point where gradients are taken, at least 2^-32; 0.9 by default. The distance that the
    /// state keeps is in its measure: it stays what it is in a run.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: gradus_epsilon,
    /// Share of a weight that decays per step and unit of learning rate; 0 by default.
    pub weight_decay: f32,
}

/// Columns of state of gradus_schedulefree: floats per parameter.
pub const GRADUS_SCHEDULEFREE_COLUMNS: usize = 2;
/// The state of gradus_schedulefree in a file: gradus_item.kind.
pub const GRADUS_ITEM_SCHEDULEFREE: u32 = 33;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_schedulefree {
    type Optimizer = ScheduleFree;
    #[inline(always)]
    fn build(&self) -> Result<ScheduleFree, Refusal> {
        Ok(ScheduleFree {
            lr: self.lr,
            beta1: self.beta1,
            beta2: self.beta2,
            eps: self.eps.build()?,
            weight_decay: self.weight_decay,
        })
    }
}

/// ScheduleFree with its defaults, for a place where the initialiser GRADUS_SCHEDULEFREE(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_schedulefree_default(lr: f32) -> gradus_schedulefree {
    gradus_schedulefree {
        version: GRADUS_STRUCTS,
        lr,
        beta1: 0.9,
        beta2: 0.999,
        eps: gradus_epsilon { place: GRADUS_EPSILON_OUTSIDE, eps: 1e-8, inside: 0.0 },
        weight_decay: 0.0,
    }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON,
/// GRADUS_ERROR_WEIGHT_DECAY;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_schedulefree_check(config: *const gradus_schedulefree) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_schedulefree_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_schedulefree_check_with(
    config: *const gradus_schedulefree,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of ScheduleFree. State: `d`, `v`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_schedulefree_step(
    config: *const gradus_schedulefree,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_schedulefree_step_with(
    config: *const gradus_schedulefree,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_schedulefree_step_if_finite(
    config: *const gradus_schedulefree,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_schedulefree_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_schedulefree_step_tensors(
    config: *const gradus_schedulefree,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_schedulefree_begin(
    config: *const gradus_schedulefree,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_schedulefree_begin_with(
    config: *const gradus_schedulefree,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// Calls `$call!` with the kind of a file's value, the type, and whether there is a half state, of every optimizer.
macro_rules! kinds {
    ($call:ident!($($more:tt)*)) => {
        $call! {
            $($more)*
            GRADUS_ITEM_ADAM Adam true,
            GRADUS_ITEM_SGD Sgd false,
            GRADUS_ITEM_MOMENTUM Momentum true,
            GRADUS_ITEM_NESTEROV Nesterov true,
            GRADUS_ITEM_ADAGRAD AdaGrad true,
            GRADUS_ITEM_ADADELTA Adadelta true,
            GRADUS_ITEM_RMSPROP RmsProp true,
            GRADUS_ITEM_CENTERED_RMSPROP CenteredRmsProp true,
            GRADUS_ITEM_RMSPROP_MOMENTUM RmsPropMomentum true,
            GRADUS_ITEM_CENTERED_RMSPROP_MOMENTUM CenteredRmsPropMomentum true,
            GRADUS_ITEM_ADAMW AdamW true,
            GRADUS_ITEM_ADAMAX Adamax true,
            GRADUS_ITEM_AMSGRAD AmsGrad false,
            GRADUS_ITEM_NADAM Nadam true,
            GRADUS_ITEM_RADAM RAdam true,
            GRADUS_ITEM_LION Lion true,
            GRADUS_ITEM_SCHEDULEFREE ScheduleFree false,
        }
    };
}
pub(super) use kinds;
