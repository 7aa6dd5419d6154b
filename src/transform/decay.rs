//! What acts on the weights themselves, apart from the rule.

use super::{Acts, Transform};
use crate::check::{check_weight_decay, is_finite_from_zero};
use crate::error::{Error, Hyper, require};
use crate::simd::Vector;

/// Decoupled weight decay (Loshchilov and Hutter, 2019) for any rule.
///
/// ```text
/// p = rule(p) - lr * weight_decay * p        new, as libraries have it
/// p = rule(p) - weight_decay * p             independent, as the paper has it
/// ```
///
/// Independent of the learning rate, the best decay stays what it is while the rate is tuned. The paper's decay follows the
/// schedule, though not the rate itself: multiply it by the share of the largest rate that the step has.
///
/// It acts where the gradient is 0 too, and never enters the rule's state. A decay of 0 changes nothing, not even an
/// infinite weight.
///
/// ```
/// use gradus::{Optimizer, Sgd, SgdState, transform::Decay};
/// let (mut params, mut state) = ([4.0], SgdState::new());
/// Sgd::new(0.5).with(Decay::new(0.25)).step(&mut params, &[0.0], &mut state);
/// assert_eq!(params, [3.5]);
/// Sgd::new(0.5).with(Decay::independent(0.25)).step(&mut params, &[0.0], &mut state);
/// assert_eq!(params, [2.625]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "weight decay")]
#[doc(alias = "decoupled weight decay")]
pub struct Decay {
    /// Share of a weight that decays per step and, unless it is independent, unit of learning rate.
    pub weight_decay: f32,
    /// Whether the learning rate has no part in it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub independent: bool,
    #[cfg_attr(feature = "serde", serde(skip))]
    loss: f32,
}

impl Decay {
    /// Decay of `weight_decay` per step and unit of learning rate.
    #[must_use]
    pub const fn new(weight_decay: f32) -> Self {
        Self { weight_decay, independent: false, loss: 0.0 }
    }

    /// Decay of `weight_decay` per step, whatever the learning rate.
    #[must_use]
    pub const fn independent(weight_decay: f32) -> Self {
        Self { independent: true, ..Self::new(weight_decay) }
    }

    /// What stands before the weight decay.
    const fn factor(&self, lr: f32) -> f32 {
        if self.independent { 1.0 } else { lr }
    }
}

impl Transform for Decay {
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        acts.decay(self.loss);
    }
    #[inline(always)]
    fn after<V: Vector>(&self, isa: V::Isa, old: V, new: V) -> V {
        let (loss, zero) = (V::splat(isa, self.loss), V::splat(isa, 0.0));
        new - loss.select_gt(zero, loss * old, zero)
    }
    fn at(self, lr: f32) -> Self {
        Self { loss: self.factor(lr) * self.weight_decay, ..self }
    }
    fn check(&self, lr: f32) -> Result<(), Error> {
        check_weight_decay(self.factor(lr), self.weight_decay)
    }
}

/// Proximal step of the L1 penalty (Daubechies et al., 2004): weights that do not pay become 0.
///
/// ```text
/// p = sign(q) * max(|q| - lr * lambda, 0),   q = rule(p)
/// ```
///
/// The zeros are exact, which makes it the feature selection that the lecture speaks of. The
/// threshold is `lr * lambda` for every rule, also where the rule scales its steps.
///
/// ```
/// use gradus::{Optimizer, Sgd, SgdState, transform::ProxL1};
/// let (mut params, mut state) = ([1.0, -0.2], SgdState::new());
/// Sgd::new(0.5).with(ProxL1::new(0.5)).step(&mut params, &[0.0, 0.0], &mut state);
/// assert_eq!(params, [0.75, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "proximal")]
#[doc(alias = "soft thresholding")]
#[doc(alias = "feature selection")]
#[doc(alias = "sparsity")]
pub struct ProxL1 {
    /// Strength of the penalty.
    pub lambda: f32,
    #[cfg_attr(feature = "serde", serde(skip))]
    threshold: f32,
}

impl ProxL1 {
    /// Soft threshold of `lr * lambda`.
    #[must_use]
    pub const fn new(lambda: f32) -> Self {
        Self { lambda, threshold: 0.0 }
    }
}

impl Transform for ProxL1 {
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        acts.shrink(self.threshold, self);
    }
    #[inline(always)]
    fn after<V: Vector>(&self, isa: V::Isa, _: V, new: V) -> V {
        let (zero, t) = (V::splat(isa, 0.0), V::splat(isa, self.threshold));
        let inside = new * zero + zero; // +0, and NaN where the weight is NaN
        new.select_gt(t, new - t, (-t).select_gt(new, new + t, inside))
    }
    fn at(self, lr: f32) -> Self {
        Self { threshold: lr * self.lambda, ..self }
    }
    fn check(&self, _: f32) -> Result<(), Error> {
        require(is_finite_from_zero(self.lambda), Hyper::Lambda)
    }
}
