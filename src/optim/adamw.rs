//! Adam with decoupled weight decay.

use super::adam::AdamRule;
use super::{Adam, Clock, Epsilon, Optimizer, State};
use crate::check::check_weight_decay;
use crate::error::Error;
use crate::simd::{Assembly, Rule, Vector, Width};

/// AdamW (Loshchilov and Hutter, 2019): Adam, with the decay of the weights apart from it.
///
/// ```text
/// p *= 1 - lr * weight_decay
/// p -= lr * (m / c1) / (sqrt(v / c2) + eps)        as Adam
/// ```
///
/// State: `m`, `v`. An L2 penalty would pass through the moments and be divided like any gradient;
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

    /// The rule without the decay.
    const fn adam(&self) -> Adam {
        let Self { lr, beta1, beta2, eps, .. } = *self;
        Adam { lr, beta1, beta2, eps, bias_correction: true }
    }
}

impl Optimizer for AdamW {
    type Family = Self;
    type Rule = AdamWRule;

    #[inline]
    fn rule(&self, clock: &mut Clock) -> AdamWRule {
        AdamWRule { keep: 1.0 - self.lr * self.weight_decay, adam: self.adam().rule(clock) }
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        self.adam().check()?;
        check_weight_decay(self.lr, self.weight_decay)
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct AdamWRule {
    keep: f32,
    adam: AdamRule,
}

impl Rule for AdamWRule {
    type Columns = Width<2>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, g: [V; 1], state: [V; 2]) -> (V, [V; 2]) {
        self.adam.apply(isa, p * V::splat(isa, self.keep), g, state)
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        let [beta1, gain1, beta2, gain2, inside, outside, lr] = self.adam.constants();
        Some(Assembly::AdamW([beta1, gain1, beta2, gain2, inside, outside, lr, self.keep]))
    }
}
