//! Lion.

use super::moment::FirstMoment;
use super::split::split;
use super::{Clock, Optimizer, State};
use crate::check::{check_decay, check_lr, check_weight_decay};
use crate::error::{Error, Hyper};
use crate::simd::{Assembly, Decaying, Rule, Vector, Width};
use crate::transform::pull;

/// Lion (Chen et al., 2023): the sign of a momentum, with decoupled decay; half of Adam's memory.
///
/// ```text
/// u = sign(beta1 * m + (1 - beta1) * g)        sign(0) = 0
/// p -= lr * (u + weight_decay * p)
/// m = m + (1 - beta2) * (g - m)
/// ```
///
/// State: `m`. A learning rate three to ten times below Adam's is usual.
///
/// ```
/// use gradus::{Lion, LionState, Optimizer};
/// let (mut params, mut state) = ([1.0, 1.0], LionState::new());
/// let lion = Lion { weight_decay: 0.0, ..Lion::new(0.25) };
/// lion.step(&mut params, &[1e-9, -7.0], &mut state);
/// assert_eq!(params, [0.75, 1.25]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Lion {
    /// Learning rate.
    pub lr: f32,
    /// Share of the momentum in the direction; 0.9 by default.
    pub beta1: f64,
    /// Decay of the momentum; 0.99 by default.
    pub beta2: f64,
    /// Share of a weight that decays per step and unit of learning rate; 1e-3 by default.
    pub weight_decay: f32,
}

/// State of [`Lion`] for `N` parameters: the momentum `m`.
pub type LionState<const N: usize> = State<Lion, N>;

impl Lion {
    /// The paper's betas 0.9 and 0.99, and optax' weight decay of 1e-3.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr, beta1: 0.9, beta2: 0.99, weight_decay: 1e-3 }
    }
}

impl Optimizer for Lion {
    type Family = Self;
    type Rule = LionRule;

    #[inline]
    fn rule(&self, _: &mut Clock) -> LionRule {
        let (beta1, gain1) = split(self.beta1);
        let mean = FirstMoment::new(self.beta2);
        LionRule { lr: self.lr, beta1, gain1, mean, weight_decay: self.weight_decay }
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_decay(self.beta1, Hyper::Beta1)?;
        check_decay(self.beta2, Hyper::Beta2)?;
        check_weight_decay(self.lr, self.weight_decay)
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct LionRule {
    lr: f32,
    beta1: f32,
    gain1: f32,
    mean: FirstMoment,
    weight_decay: f32,
}

impl Rule for LionRule {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [m]: [V; 1]) -> (V, [V; 1]) {
        let (zero, one) = (V::splat(isa, 0.0), V::splat(isa, 1.0));
        let c = V::splat(isa, self.beta1) * m + V::splat(isa, self.gain1) * g;
        let sign = c.select_gt(zero, one, zero.select_gt(c, -one, c)); // 0 and NaN are themselves
        let p = p - V::splat(isa, self.lr) * pull(isa, sign, self.weight_decay, p);
        (p, [self.mean.of(isa, g, m)])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::alone(1)
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::Lion([self.mean.weight, self.gain1, self.beta1, self.lr, self.weight_decay]))
    }
}
