//! Adadelta.

use super::epsilon::Denominator;
use super::split::split;
use super::{Clock, Optimizer, State};
use crate::check::{check_decay, check_lr, check_stabiliser};
use crate::error::{Error, Hyper};
use crate::simd::{Assembly, Decaying, Rule, Vector, Width};

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
///
/// ```
/// use gradus::{Adadelta, Optimizer};
/// let adadelta = Adadelta::new(1.0);
/// let (mut params, mut state) = ([1.0], adadelta.state());
/// adadelta.step(&mut params, &[2.0], &mut state);
/// assert!(params[0] < 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Adadelta {
    /// Learning rate: 1 in the paper.
    pub lr: f32,
    /// Decay of both running averages; 0.9 by default.
    pub rho: f64,
    /// Stabiliser under both roots, at least 1.2e-38; 1e-6 by default.
    pub eps: f32,
}

/// State of [`Adadelta`] for `N` parameters: mean squares `s` of gradients and `d` of steps.
pub type AdadeltaState<const N: usize> = State<Adadelta, N>;

impl Adadelta {
    /// PyTorch's: rho 0.9, eps 1e-6.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr, rho: 0.9, eps: 1e-6 }
    }
}

impl Optimizer for Adadelta {
    type Family = Self;
    type Rule = AdadeltaRule;

    #[inline]
    fn rule(&self, _: &mut Clock) -> AdadeltaRule {
        let (rho, gain) = split(self.rho);
        AdadeltaRule { lr: self.lr, rho, gain, eps: self.eps }
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
        check_stabiliser(self.eps)
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct AdadeltaRule {
    lr: f32,
    rho: f32,
    gain: f32,
    eps: f32,
}

impl Rule for AdadeltaRule {
    type Columns = Width<2>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [s, d]: [V; 2]) -> (V, [V; 2]) {
        let (rho, gain, eps) = (V::splat(isa, self.rho), V::splat(isa, self.gain), V::splat(isa, self.eps));
        let s = rho * s + gain * g * g;
        let step = (d + eps).sqrt() / (s + eps).sqrt() * g;
        let d = rho * d + gain * step * step;
        (p - V::splat(isa, self.lr) * step, [s, d])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::alone(if self.eps >= Denominator::OUTWEIGHS_INSIDE { 0b11 } else { 0 })
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::Adadelta([self.gain, self.rho, self.lr, self.eps]))
    }
}
