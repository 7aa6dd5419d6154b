//! Adamax.

use super::moment::FirstMoment;
use super::split::split;
use super::{Clock, Optimizer, State};
use crate::check::{check_decay, check_lr, check_stabiliser};
use crate::error::{Error, Hyper};
use crate::simd::{Assembly, Decaying, Rule, Vector, Width, math::warm};

/// Adamax (Kingma and Ba, 2015, section 7.1): Adam over the largest gradient in place of the mean square.
///
/// ```text
/// m = m + (1 - beta1) * (g - m)
/// u = max(beta2 * u, |g| + eps)
/// p -= lr / (1 - beta1^t) * m / u
/// ```
///
/// State: `m`, `u`. The stabiliser is inside of the maximum, as in PyTorch. An element costs a division and no root.
///
/// ```
/// use gradus::{Adamax, Optimizer};
/// let adamax = Adamax::new(0.1);
/// let (mut params, mut state) = ([1.0], adamax.state());
/// adamax.step(&mut params, &[5.0], &mut state);
/// assert!((params[0] - 0.9).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Adamax {
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the largest gradient; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser, added to the size of a gradient, at least 1.2e-38; 1e-8 by default.
    pub eps: f32,
}

/// State of [`Adamax`] for `N` parameters: the moment `m` and the largest gradient `u`.
pub type AdamaxState<const N: usize> = State<Adamax, N>;

impl Adamax {
    /// PyTorch's and the paper's: 0.9, 0.999, eps 1e-8.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr, beta1: 0.9, beta2: 0.999, eps: 1e-8 }
    }
}

impl Optimizer for Adamax {
    type Family = Self;
    type Rule = AdamaxRule;

    #[inline]
    fn rule(&self, clock: &mut Clock) -> AdamaxRule {
        let moment = FirstMoment::new(self.beta1);
        AdamaxRule {
            moment,
            beta2: split(self.beta2).0,
            eps: self.eps,
            lr: self.lr / warm(moment.gain(), clock.t),
        }
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
        check_stabiliser(self.eps)
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct AdamaxRule {
    moment: FirstMoment,
    beta2: f32,
    eps: f32,
    lr: f32,
}

impl Rule for AdamaxRule {
    type Columns = Width<2>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [m, u]: [V; 2]) -> (V, [V; 2]) {
        let m = self.moment.of(isa, g, m);
        let size = g.abs() + V::splat(isa, self.eps);
        let u = (V::splat(isa, self.beta2) * u).max(size); // a NaN of the gradient passes this maximum
        (p - V::splat(isa, self.lr) * m / u, [m, u])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::MOMENTS
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::Adamax([self.moment.weight, self.eps, self.beta2, self.lr]))
    }
}
