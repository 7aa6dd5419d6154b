//! Adam with decoupled weight decay.

use super::adam::AdamRule;
use super::{Adam, Clock, Epsilon, Optimizer, State, With};
use crate::error::Error;
use crate::transform::Decay;

/// AdamW (Loshchilov and Hutter, 2019): Adam, with the decay of the weights apart from it.
///
/// ```text
/// p = adam(p) - lr * weight_decay * p
/// ```
///
/// State: `m`, `v`. It is [`Adam`] with the transform [`Decay`], to the bit. An L2 penalty would pass through the moments and be divided like any gradient;
/// the decay here acts on the weights alone, also where the gradient is 0.
///
/// ```
/// use gradus::{AdamW, AdamWState, Optimizer};
/// let (mut params, mut state) = ([2.0], AdamWState::new());
/// AdamW { weight_decay: 0.5, ..AdamW::new(0.5) }.step(&mut params, &[0.0], &mut state);
/// assert_eq!(params, [1.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "decoupled weight decay")]
pub struct AdamW {
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: Epsilon,
    /// Share of a weight that decays per step and unit of learning rate; 1e-2 by default.
    pub weight_decay: f32,
}

/// State of [`AdamW`] for `N` parameters: the moments `m` and `v`.
pub type AdamWState<const N: usize> = State<AdamW, N>;

impl AdamW {
    /// PyTorch's: Adam's defaults and a weight decay of 1e-2.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        let Adam { lr, beta1, beta2, eps, .. } = Adam::new(lr);
        Self { lr, beta1, beta2, eps, weight_decay: 1e-2 }
    }

    /// What it is made of.
    const fn parts(&self) -> With<Adam, Decay> {
        let Self { lr, beta1, beta2, eps, weight_decay } = *self;
        let inner = Adam { lr, beta1, beta2, eps, bias_correction: true };
        With { inner, transform: Decay::new(weight_decay) }
    }
}

impl Optimizer for AdamW {
    type Family = Self;
    type Rule = With<AdamRule, Decay>;

    #[cfg_attr(feature = "ffi", inline)]
    #[cfg_attr(not(feature = "ffi"), inline(always))]
    fn rule(&self, clock: &mut Clock) -> Self::Rule {
        self.parts().rule(clock)
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        self.parts().check()
    }
}
