//! Nesterov's accelerated gradient.

use super::split::rounded;
use super::{Clock, Optimizer, State};
use crate::check::{check_decay, check_lr};
use crate::error::{Error, Hyper};
use crate::simd::{Assembly, Decaying, Rule, Vector, Width};

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
///
/// ```
/// use gradus::{Nesterov, NesterovState, Optimizer};
/// let (mut params, mut state) = ([1.0], NesterovState::new());
/// Nesterov { rho: 0.5, ..Nesterov::new(0.25) }.step(&mut params, &[1.0], &mut state);
/// assert_eq!(params, [1.0 - 0.25 * 1.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "nesterov momentum")]
#[doc(alias = "nag")]
#[doc(alias = "accelerated gradient")]
pub struct Nesterov {
    /// Learning rate.
    pub lr: f32,
    /// Share of the velocity that a step keeps; 0.9 by default.
    pub rho: f64,
}

/// State of [`Nesterov`] for `N` parameters: the velocity `v`.
pub type NesterovState<const N: usize> = State<Nesterov, N>;

impl Nesterov {
    /// Nesterov momentum with `rho` 0.9.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr, rho: 0.9 }
    }
}

impl Optimizer for Nesterov {
    type Family = Self;
    type Rule = NesterovRule;

    #[inline]
    fn rule(&self, _: &mut Clock) -> NesterovRule {
        NesterovRule { lr: self.lr, rho: rounded(self.rho) }
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_decay(self.rho, Hyper::Rho)
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct NesterovRule {
    lr: f32,
    rho: f32,
}

impl Rule for NesterovRule {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [v]: [V; 1]) -> (V, [V; 1]) {
        let rho = V::splat(isa, self.rho);
        let v = rho * v + g;
        (p - V::splat(isa, self.lr) * (g + rho * v), [v])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::alone(1)
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::Nesterov([self.rho, self.lr]))
    }
}
