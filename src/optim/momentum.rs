//! Stochastic gradient descent with momentum.

use super::split::split;
use super::{Clock, Optimizer, State};
use crate::check::{check_decay, check_lr};
use crate::error::{Error, Hyper, require};
use crate::simd::{Assembly, Decaying, Rule, Vector, Width};

/// Momentum (Polyak, 1964): a velocity that keeps a share `rho` of itself at each step.
///
/// ```text
/// v = rho * v + (1 - dampening) * g        (v = g at the first step, or where rho is 0, as in PyTorch)
/// p -= lr * v
/// ```
///
/// State: `v`. The learning rate stands outside of the velocity, so that a change of it acts at
/// once on the whole velocity, as in PyTorch.
///
/// ```
/// use gradus::{Momentum, MomentumState, Optimizer};
/// let (mut params, mut state) = ([1.0], MomentumState::new());
/// let momentum = Momentum::new(0.25);
/// momentum.step(&mut params, &[1.0], &mut state); // v = 1
/// momentum.step(&mut params, &[1.0], &mut state); // v = 1.9
/// assert_eq!(params, [1.0 - 0.25 - 0.25 * 1.9]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "momentum")]
#[doc(alias = "heavy ball")]
#[doc(alias = "velocity")]
pub struct Momentum {
    /// Learning rate.
    pub lr: f32,
    /// Share of the velocity that a step keeps; 0.9 by default.
    pub rho: f64,
    /// Share of the gradient that does not enter the velocity, from the second step on; 0 by default.
    pub dampening: f64,
}

/// State of [`Momentum`] for `N` parameters: the velocity `v`.
pub type MomentumState<const N: usize> = State<Momentum, N>;

impl Momentum {
    /// Momentum with `rho` 0.9, undamped.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr, rho: 0.9, dampening: 0.0 }
    }
}

impl Optimizer for Momentum {
    type Family = Self;
    type Rule = MomentumRule;

    #[inline]
    fn rule(&self, clock: &mut Clock) -> MomentumRule {
        let rho = split(self.rho).0;
        let undamped = clock.t == 1 || rho == 0.0;
        let gain = if undamped { 1.0 } else { split(self.dampening).1 };
        MomentumRule { lr: self.lr, rho, gain }
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_decay(self.rho, Hyper::Rho)?;
        require((0.0..=1.0).contains(&self.dampening), Hyper::Dampening)
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct MomentumRule {
    lr: f32,
    rho: f32,
    gain: f32,
}

impl Rule for MomentumRule {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [v]: [V; 1]) -> (V, [V; 1]) {
        let v = V::splat(isa, self.rho) * v + V::splat(isa, self.gain) * g;
        (p - V::splat(isa, self.lr) * v, [v])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::alone(1)
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::Momentum([self.gain, self.rho, self.lr]))
    }
}
