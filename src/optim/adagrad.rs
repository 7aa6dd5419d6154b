//! AdaGrad.

use super::epsilon::{Denominator, Epsilon};
use super::{Clock, Optimizer, State};
use crate::check::check_lr;
use crate::error::Error;
use crate::simd::{Assembly, Rule, Vector, Width};

/// AdaGrad (Duchi, Hazan and Singer, 2011): each parameter slows down by what it has seen.
///
/// ```text
/// s += g * g
/// p -= lr * g / (sqrt(s) + eps)
/// ```
///
/// State: `s`. It may be filled with an initial accumulator before the first step.
///
/// ```
/// use gradus::{AdaGrad, AdaGradState, Optimizer};
/// let (mut params, mut state) = ([1.0], AdaGradState::new());
/// AdaGrad::new(0.5).step(&mut params, &[4.0], &mut state);
/// assert_eq!(params, [0.5]); // the first step has length lr
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "adaptive learning rate")]
pub struct AdaGrad {
    /// Learning rate.
    pub lr: f32,
    /// Stabiliser of the denominator; 1e-10 outside of the root by default.
    pub eps: Epsilon,
}

/// State of [`AdaGrad`] for `N` parameters: the sum of squares `s`.
pub type AdaGradState<const N: usize> = State<AdaGrad, N>;

impl AdaGrad {
    /// Initial accumulator of Keras: fill the state with it before the first step.
    pub const KERAS_ACCUMULATOR: f32 = 0.1;

    /// PyTorch's: eps 1e-10 outside of the root.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr, eps: Epsilon::Outside(1e-10) }
    }

    /// The lecture's: eps 1e-7 outside of the root.
    #[must_use]
    pub const fn lecture(lr: f32) -> Self {
        Self { lr, eps: Epsilon::Outside(1e-7) }
    }

    /// Keras': eps 1e-7 under the root. Fill the state with [`Self::KERAS_ACCUMULATOR`] first.
    #[must_use]
    pub const fn keras(lr: f32) -> Self {
        Self { lr, eps: Epsilon::Root { inside: 1e-7, outside: 0.0 } }
    }
}

impl Optimizer for AdaGrad {
    type Family = Self;
    type Rule = AdaGradRule;

    #[inline]
    fn rule(&self, _: &mut Clock) -> AdaGradRule {
        AdaGradRule { lr: self.lr, denominator: self.eps.fold(1.0).1 }
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        self.eps.check()
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct AdaGradRule {
    lr: f32,
    denominator: Denominator,
}

impl Rule for AdaGradRule {
    type Columns = Width<1>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [s]: [V; 1]) -> (V, [V; 1]) {
        let s = s + g * g;
        (p - V::splat(isa, self.lr) * g / self.denominator.of(isa, s), [s])
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        let Denominator { inside, outside } = self.denominator;
        Some(Assembly::AdaGrad([self.lr, inside, outside]))
    }
}
