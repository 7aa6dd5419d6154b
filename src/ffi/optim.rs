//! The rules: one structure, one check and one step each.

use super::memory::{Memory, apart, copy};
use super::{gradus_status, gradus_transforms, guard, same_version};
use crate::optim::{
    AdaGrad, Adam, AdamW, AmsGrad, Clock, Epsilon, Lion, Momentum, Nadam, Nesterov, Optimizer, RmsProp, Sgd,
    StateMut, Stateful,
};
use crate::simd::ColumnSet;

/// Place of the stabiliser: added to the corrected root, as in PyTorch.
pub const GRADUS_EPSILON_OUTSIDE: u32 = 0;
/// Place of the stabiliser: added to the root before its correction, as in Keras' Adam.
pub const GRADUS_EPSILON_HAT: u32 = 1;
/// Place of the stabiliser: `inside` is added under the root, `eps` outside of it.
pub const GRADUS_EPSILON_ROOT: u32 = 2;

/// Place and size of the stabiliser in the denominator of an adaptive rule.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_epsilon {
    /// GRADUS_EPSILON_OUTSIDE, GRADUS_EPSILON_HAT or GRADUS_EPSILON_ROOT.
    pub place: u32,
    /// Added outside of the root.
    pub eps: f32,
    /// Added under the root; for GRADUS_EPSILON_ROOT alone.
    pub inside: f32,
}

impl gradus_epsilon {
    fn build(self) -> Result<Epsilon, gradus_status> {
        match self.place {
            GRADUS_EPSILON_OUTSIDE => Ok(Epsilon::Outside(self.eps)),
            GRADUS_EPSILON_HAT => Ok(Epsilon::Hat(self.eps)),
            GRADUS_EPSILON_ROOT => Ok(Epsilon::Root { inside: self.inside, outside: self.eps }),
            _ => Err(gradus_status::GRADUS_ERROR_ENUM),
        }
    }
}

/// Stochastic gradient descent: `p -= lr * g`. No column of state.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_sgd {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// What acts before and after.
    pub transforms: gradus_transforms,
}

/// Momentum: `v = rho * v + (1 - dampening) * g; p -= lr * v`. State: v.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_momentum {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Share of the velocity that a step keeps; 0.9.
    pub rho: f64,
    /// Share of the gradient that does not enter the velocity, from the second step on; 0.
    pub dampening: f64,
    /// What acts before and after.
    pub transforms: gradus_transforms,
}

/// Nesterov momentum: `v = rho * v + g; p -= lr * (g + rho * v)`. State: v.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_nesterov {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Share of the velocity that a step keeps; 0.9.
    pub rho: f64,
    /// What acts before and after.
    pub transforms: gradus_transforms,
}

/// AdaGrad: `s += g * g; p -= lr * g / (sqrt(s) + eps)`. State: s.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_adagrad {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Stabiliser; 1e-10 outside of the root.
    pub eps: gradus_epsilon,
    /// What acts before and after.
    pub transforms: gradus_transforms,
}

/// RMSProp: `s = rho * s + (1 - rho) * g * g; p -= lr * g / (sqrt(s) + eps)`. State: s.
///
/// The centred step divides by the deviation from the mean `a`, sqrt(max(0, s - a * a)), and has
/// the state s, a. The steps with momentum move by `v = momentum * v + g / (..)`, and have the
/// states s, v and s, a, v.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_rmsprop {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the running averages; 0.99.
    pub rho: f64,
    /// Stabiliser; 1e-8 outside of the root.
    pub eps: gradus_epsilon,
    /// Share of the velocity that a step with momentum keeps.
    pub momentum: f32,
    /// What acts before and after.
    pub transforms: gradus_transforms,
}

/// Adam (Kingma and Ba, 2015). State: m, v.
///
/// ```text
/// m = beta1 * m + (1 - beta1) * g            c1 = 1 - beta1^t
/// v = beta2 * v + (1 - beta2) * g * g        c2 = 1 - beta2^t
/// p -= lr * (m / c1) / (sqrt(v / c2) + eps)
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_adam {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9.
    pub beta1: f64,
    /// Decay of the second moment; 0.999.
    pub beta2: f64,
    /// Stabiliser; 1e-8 outside of the root.
    pub eps: gradus_epsilon,
    /// Whether the moments are corrected for their start at 0: 1, or 0 for no.
    pub bias_correction: u32,
    /// What acts before and after.
    pub transforms: gradus_transforms,
}

/// AdamW (Loshchilov and Hutter, 2019): Adam, and `p *= 1 - lr * weight_decay`. State: m, v.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_adamw {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9.
    pub beta1: f64,
    /// Decay of the second moment; 0.999.
    pub beta2: f64,
    /// Stabiliser; 1e-8 outside of the root.
    pub eps: gradus_epsilon,
    /// Share of a weight that decays per step and unit of learning rate; 1e-2.
    pub weight_decay: f32,
    /// What acts before and after.
    pub transforms: gradus_transforms,
}

/// AMSGrad (Reddi, Kale and Kumar, 2018): Adam over the largest v so far. State: m, v, vmax.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_amsgrad {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9.
    pub beta1: f64,
    /// Decay of the second moment; 0.999.
    pub beta2: f64,
    /// Stabiliser; 1e-8 outside of the root.
    pub eps: gradus_epsilon,
    /// What acts before and after.
    pub transforms: gradus_transforms,
}

/// Nadam (Dozat, 2016): Adam with Nesterov's look ahead. State: m, v.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_nadam {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Limit of the decay of the first moment; 0.9.
    pub beta1: f64,
    /// Decay of the second moment; 0.999.
    pub beta2: f64,
    /// Stabiliser; 1e-8 outside of the root.
    pub eps: gradus_epsilon,
    /// How fast the decay of the first moment grows from half of beta1 to beta1; 4e-3.
    pub momentum_decay: f32,
    /// What acts before and after.
    pub transforms: gradus_transforms,
}

/// Lion (Chen et al., 2023): the sign of an interpolated momentum. State: m.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_lion {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Learning rate.
    pub lr: f32,
    /// Share of the momentum in the step's direction; 0.9.
    pub beta1: f64,
    /// Decay of the momentum; 0.99.
    pub beta2: f64,
    /// Share of a weight that decays per step and unit of learning rate; 1e-3.
    pub weight_decay: f32,
    /// What acts before and after.
    pub transforms: gradus_transforms,
}

/// One step of any rule: the only body that all of them have.
///
/// # Safety
/// The pointers point at as much memory as the public functions say.
#[inline(always)]
unsafe fn step<O: Optimizer<Family: Stateful<Memory = f32>>>(
    optimizer: O,
    transforms: &gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> Result<(), gradus_status> {
    let (params, grads) = (Memory::new(params, n)?, Memory::new(grads, n)?);
    let length =
        n.checked_mul(crate::optim::Columns::<O>::COUNT).ok_or(gradus_status::GRADUS_ERROR_LENGTH)?;
    let (state, clock) = (Memory::new(state, length)?, Memory::one(clock)?);
    apart([params.written(), grads.read(), state.written(), clock.written()])?;
    // SAFETY: checked, and apart; the caller vouches for the memory.
    let (params, grads, columns, clock) = unsafe {
        (params.slice_mut(), grads.slice(), state.columns_mut::<crate::optim::Columns<O>>(n), clock.one_mut())
    };
    let state = StateMut::of(columns, clock);
    if transforms.is_none() {
        optimizer.step_slices(params, grads, state)?;
    } else {
        optimizer.with(transforms.build()).step_slices(params, grads, state)?;
    }
    Ok(())
}

macro_rules! rules {
    ($(
        $(#[$doc:meta])*
        $columns:ident = $k:literal, $step:ident,
        $(#[$errors:meta])*
        $check:ident(|$c:ident: $config:ident| $build:expr)
    )*) => {$(
        /// Columns of state of the step of the same name: floats per parameter.
        pub const $columns: usize = $k;


        $(#[$doc])*
        ///
        /// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
        /// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
        ///
        /// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
        /// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $step(
            config: *const $config,
            n: usize,
            params: *mut f32,
            grads: *const f32,
            state: *mut f32,
            clock: *mut Clock,
        ) -> gradus_status {
            guard(|| {
                // SAFETY: the caller vouches for memory behind the pointers, which are checked.
                unsafe {
                    let $c = copy(config)?;
                    same_version($c.version)?;
                    step($build, &$c.transforms, n, params, grads, state, clock)
                }
            })
        }

        /// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
        ///
        $(#[$errors])*
        /// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
        /// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
        /// GRADUS_ERROR_ENUM.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $check(config: *const $config) -> gradus_status {
            guard(|| {
                // SAFETY: the caller vouches for memory behind the pointer, which is checked.
                let $c = unsafe { copy(config)? };
                same_version($c.version)?;
                Ok(Optimizer::check(&Optimizer::with($build, $c.transforms.build()))?)
            })
        }
    )*};
}

rules! {
    /// Updates `params` by one step of stochastic gradient descent; `state` may be null.
    GRADUS_SGD_COLUMNS = 0, gradus_sgd_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE;
    gradus_sgd_check(|c: gradus_sgd| Sgd::new(c.lr))

    /// Updates `params` by one step with momentum. State: v.
    GRADUS_MOMENTUM_COLUMNS = 1, gradus_momentum_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_DAMPENING;
    gradus_momentum_check(|c: gradus_momentum| {
        Momentum { lr: c.lr, rho: c.rho, dampening: c.dampening }
    })

    /// Updates `params` by one step with Nesterov's momentum. State: v.
    GRADUS_NESTEROV_COLUMNS = 1, gradus_nesterov_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO;
    gradus_nesterov_check(|c: gradus_nesterov| {
        Nesterov { lr: c.lr, rho: c.rho }
    })

    /// Updates `params` by one step of AdaGrad. State: s.
    GRADUS_ADAGRAD_COLUMNS = 1, gradus_adagrad_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_EPSILON;
    gradus_adagrad_check(|c: gradus_adagrad| {
        AdaGrad { lr: c.lr, eps: c.eps.build()? }
    })

    /// Updates `params` by one step of RMSProp. State: s.
    GRADUS_RMSPROP_COLUMNS = 1, gradus_rmsprop_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
    gradus_rmsprop_check(|c: gradus_rmsprop| {
        RmsProp { lr: c.lr, rho: c.rho, eps: c.eps.build()? }
    })

    /// Updates `params` by one step of centred RMSProp. State: s, a.
    GRADUS_RMSPROP_CENTERED_COLUMNS = 2, gradus_rmsprop_centered_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
    gradus_rmsprop_centered_check(
        |c: gradus_rmsprop| RmsProp { lr: c.lr, rho: c.rho, eps: c.eps.build()? }.centered()
    )

    /// Updates `params` by one step of RMSProp with momentum. State: s, v.
    GRADUS_RMSPROP_MOMENTUM_COLUMNS = 2, gradus_rmsprop_momentum_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
    gradus_rmsprop_momentum_check(
        |c: gradus_rmsprop| RmsProp { lr: c.lr, rho: c.rho, eps: c.eps.build()? }.with_momentum(c.momentum)
    )

    /// Updates `params` by one step of centred RMSProp with momentum. State: s, a, v.
    GRADUS_RMSPROP_CENTERED_MOMENTUM_COLUMNS = 3, gradus_rmsprop_centered_momentum_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
    gradus_rmsprop_centered_momentum_check(|c: gradus_rmsprop| {
        RmsProp { lr: c.lr, rho: c.rho, eps: c.eps.build()? }.centered().with_momentum(c.momentum)
    })

    /// Updates `params` by one step of Adam. State: m, v.
    GRADUS_ADAM_COLUMNS = 2, gradus_adam_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2,
    /// GRADUS_ERROR_EPSILON;
    gradus_adam_check(|c: gradus_adam| Adam {
        lr: c.lr,
        beta1: c.beta1,
        beta2: c.beta2,
        eps: c.eps.build()?,
        bias_correction: c.bias_correction != 0,
    })

    /// Updates `params` by one step of AdamW. State: m, v.
    GRADUS_ADAMW_COLUMNS = 2, gradus_adamw_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2,
    /// GRADUS_ERROR_EPSILON, GRADUS_ERROR_WEIGHT_DECAY;
    gradus_adamw_check(|c: gradus_adamw| AdamW {
        lr: c.lr,
        beta1: c.beta1,
        beta2: c.beta2,
        eps: c.eps.build()?,
        weight_decay: c.weight_decay,
    })

    /// Updates `params` by one step of AMSGrad. State: m, v, vmax.
    GRADUS_AMSGRAD_COLUMNS = 3, gradus_amsgrad_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2,
    /// GRADUS_ERROR_EPSILON;
    gradus_amsgrad_check(|c: gradus_amsgrad| {
        AmsGrad { lr: c.lr, beta1: c.beta1, beta2: c.beta2, eps: c.eps.build()? }
    })

    /// Updates `params` by one step of Nadam. State: m, v; the clock carries a number for it.
    GRADUS_NADAM_COLUMNS = 2, gradus_nadam_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2,
    /// GRADUS_ERROR_EPSILON, GRADUS_ERROR_MOMENTUM_DECAY;
    gradus_nadam_check(|c: gradus_nadam| Nadam {
        lr: c.lr,
        beta1: c.beta1,
        beta2: c.beta2,
        eps: c.eps.build()?,
        momentum_decay: c.momentum_decay,
    })

    /// Updates `params` by one step of Lion. State: m.
    GRADUS_LION_COLUMNS = 1, gradus_lion_step,
    /// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2,
    /// GRADUS_ERROR_WEIGHT_DECAY;
    gradus_lion_check(|c: gradus_lion| Lion {
        lr: c.lr,
        beta1: c.beta1,
        beta2: c.beta2,
        weight_decay: c.weight_decay,
    })
}
