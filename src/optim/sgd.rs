//! Stochastic gradient descent.

use super::{Clock, Optimizer, State};
use crate::check::check_lr;
use crate::error::Error;
use crate::simd::{Assembly, Rule, Vector, Width};

/// Stochastic gradient descent (Robbins and Monro, 1951): straight down the gradient.
///
/// ```text
/// p -= lr * g
/// ```
///
/// State: none but the count of steps.
///
/// ```
/// use gradus::{Optimizer, Sgd, SgdState};
/// let (mut params, mut state) = ([1.0, 2.0], SgdState::new());
/// Sgd::new(0.5).step(&mut params, &[1.0, -1.0], &mut state);
/// assert_eq!(params, [0.5, 2.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "stochastic gradient descent")]
#[doc(alias = "gradient descent")]
pub struct Sgd {
    /// Learning rate.
    pub lr: f32,
}

/// State of [`Sgd`] for `N` parameters: no column.
pub type SgdState<const N: usize> = State<Sgd, N>;

impl Sgd {
    /// Descent with learning rate `lr`.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr }
    }
}

impl Optimizer for Sgd {
    type Family = Self;
    type Rule = SgdRule;

    #[inline]
    fn rule(&self, _: &mut Clock) -> SgdRule {
        SgdRule { lr: self.lr }
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct SgdRule {
    lr: f32,
}

impl Rule for SgdRule {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (p - V::splat(isa, self.lr) * g, [])
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::Sgd([self.lr]))
    }
}
