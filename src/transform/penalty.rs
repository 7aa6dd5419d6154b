//! Penalties on the weights: their values for the loss, and their gradients inside the update.

use super::{Acts, Transform};
use crate::error::{Argument, Error, Hyper, require, same_length};
use crate::simd::{Columns, Exec, Rule, Vector, Width, run, sum_abs, sum_squares};

/// Whether a penalty's strength is one. Its double must be finite: infinity times a weight of 0 is NaN.
fn check_lambda(lambda: f32) -> Result<(), Error> {
    require(lambda >= 0.0 && 2.0 * lambda < f32::INFINITY, Hyper::Lambda)
}

/// `sign(p)`, with 0 and NaN themselves.
#[inline(always)]
fn sign<V: Vector>(isa: V::Isa, p: V) -> V {
    let (zero, one) = (V::splat(isa, 0.0), V::splat(isa, 1.0));
    p.select_gt(zero, one, zero.select_gt(p, -one, p))
}

/// `g + slope`, and `g` itself where the penalty has no strength: 0 times an infinite weight would be NaN, and -0 + 0 is
/// not -0.
#[inline(always)]
pub(crate) fn pull<V: Vector>(isa: V::Isa, g: V, strength: f32, slope: V) -> V {
    let (strength, zero) = (V::splat(isa, strength), V::splat(isa, 0.0));
    g + strength.select_gt(zero, strength * slope, -zero)
}

/// A penalty's part of the gradient, as a pass of its own.
struct Gradient<P>(P);

impl<P: Transform> Rule for Gradient<P> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, g: V, [p]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (self.0.before(isa, p, g), [])
    }
}

fn add_gradient<P: Transform>(
    exec: Exec,
    penalty: &P,
    weights: &[f32],
    grads: &mut [f32],
) -> Result<(), Error> {
    same_length(Argument::Params, grads.len(), weights.len())?;
    run(exec, &Gradient(*penalty), Columns::new(grads, [weights], [])?);
    Ok(())
}

/// `factor * sum`, and 0 where the factor is 0: a penalty without strength costs nothing, also of infinite weights.
fn weighted(factor: f32, sum: f32) -> f32 {
    if factor == 0.0 { 0.0 } else { factor * sum }
}

/// The squared penalty: small weights, spread over all inputs.
///
/// ```text
/// R = lambda * sum w^2        dR/dw = 2 * lambda * w
/// ```
///
/// ```
/// use gradus::{Exec, transform::L2};
/// let (weights, mut grads) = ([3.0, -4.0], [0.5, 0.5]);
/// assert_eq!(L2::new(0.5).value(Exec::new(), &weights), 12.5);
/// L2::new(0.5).add_gradient(Exec::new(), &weights, &mut grads)?;
/// assert_eq!(grads, [3.5, -3.5]);
/// assert_eq!(L2::weight_decay(0.1), L2::new(0.05)); // PyTorch's g + weight_decay * w
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "weight decay")]
#[doc(alias = "ridge")]
#[doc(alias = "regularization")]
#[doc(alias = "regularisation")]
pub struct L2 {
    /// Strength of the penalty.
    pub lambda: f32,
}

impl L2 {
    /// The lecture's: gradient `2 * lambda * w`.
    #[must_use]
    pub const fn new(lambda: f32) -> Self {
        Self { lambda }
    }

    /// PyTorch's coupled weight decay: gradient `weight_decay * w`.
    #[must_use]
    pub const fn weight_decay(weight_decay: f32) -> Self {
        Self { lambda: weight_decay / 2.0 } // exact, and so is its double
    }

    /// The penalty of `weights`, for the loss; infinite where the sum leaves the range of `f32`.
    #[must_use]
    pub fn value(&self, exec: impl Into<Exec>, weights: &[f32]) -> f32 {
        weighted(self.lambda, sum_squares(exec, weights))
    }

    /// Adds the gradient at `weights` to `grads`, for a loss of one's own; [`With`](crate::With) fuses
    /// the same sum into the update.
    ///
    /// # Errors
    /// [`Error::Length`] if the slices differ in length; nothing was changed.
    pub fn add_gradient(
        &self,
        exec: impl Into<Exec>,
        weights: &[f32],
        grads: &mut [f32],
    ) -> Result<(), Error> {
        add_gradient(exec.into(), self, weights, grads)
    }
}

impl Transform for L2 {
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        acts.add_params(2.0 * self.lambda);
    }
    #[inline(always)]
    fn before<V: Vector>(&self, isa: V::Isa, p: V, g: V) -> V {
        pull(isa, g, 2.0 * self.lambda, p)
    }
    fn check(&self, _: f32) -> Result<(), Error> {
        check_lambda(self.lambda)
    }
}

/// The absolute penalty: few weights, though a subgradient alone makes none exactly 0.
///
/// ```text
/// R = lambda * sum |w|        dR/dw = lambda * sign(w), sign(0) = 0
/// ```
///
/// For exact zeros use [`ProxL1`](super::ProxL1).
///
/// ```
/// use gradus::{Exec, transform::L1};
/// assert_eq!(L1::new(0.5).value(Exec::new(), &[3.0, -4.0]), 3.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "lasso")]
#[doc(alias = "sparsity")]
pub struct L1 {
    /// Strength of the penalty.
    pub lambda: f32,
}

impl L1 {
    /// Gradient `lambda * sign(w)`.
    #[must_use]
    pub const fn new(lambda: f32) -> Self {
        Self { lambda }
    }

    /// The penalty of `weights`, for the loss; infinite where the sum leaves the range of `f32`.
    #[must_use]
    pub fn value(&self, exec: impl Into<Exec>, weights: &[f32]) -> f32 {
        weighted(self.lambda, sum_abs(exec, weights))
    }

    /// Adds the gradient at `weights` to `grads`, for a loss of one's own; [`With`](crate::With) fuses
    /// the same sum into the update.
    ///
    /// # Errors
    /// [`Error::Length`] if the slices differ in length; nothing was changed.
    pub fn add_gradient(
        &self,
        exec: impl Into<Exec>,
        weights: &[f32],
        grads: &mut [f32],
    ) -> Result<(), Error> {
        add_gradient(exec.into(), self, weights, grads)
    }
}

impl Transform for L1 {
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        acts.add_signs(self.lambda, self);
    }
    #[inline(always)]
    fn before<V: Vector>(&self, isa: V::Isa, p: V, g: V) -> V {
        pull(isa, g, self.lambda, sign(isa, p))
    }
    fn check(&self, _: f32) -> Result<(), Error> {
        check_lambda(self.lambda)
    }
}

/// Both penalties in one (Zou and Hastie, 2005), in the lecture's terms.
///
/// ```text
/// R = lambda * sum (beta * w^2 + |w|)        dR/dw = lambda * (2 * beta * w + sign(w))
/// ```
///
/// ```
/// use gradus::{Exec, transform::ElasticNet};
/// assert_eq!(ElasticNet { lambda: 0.5, beta: 2.0 }.value(Exec::new(), &[3.0, -4.0]), 28.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "elastic net")]
pub struct ElasticNet {
    /// Strength of the penalty.
    pub lambda: f32,
    /// Weight of the squares against the absolute values.
    pub beta: f32,
}

impl ElasticNet {
    /// The penalty of `weights`, for the loss; infinite where the sum leaves the range of `f32`.
    #[must_use]
    pub fn value(&self, exec: impl Into<Exec>, weights: &[f32]) -> f32 {
        let exec = exec.into();
        weighted(self.lambda, weighted(self.beta, sum_squares(exec, weights)) + sum_abs(exec, weights))
    }

    /// Adds the gradient at `weights` to `grads`, for a loss of one's own; [`With`](crate::With) fuses
    /// the same sum into the update.
    ///
    /// # Errors
    /// [`Error::Length`] if the slices differ in length; nothing was changed.
    pub fn add_gradient(
        &self,
        exec: impl Into<Exec>,
        weights: &[f32],
        grads: &mut [f32],
    ) -> Result<(), Error> {
        add_gradient(exec.into(), self, weights, grads)
    }
}

impl Transform for ElasticNet {
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        let slope = 2.0 * self.beta;
        if slope > 0.0 {
            acts.add_slopes(self.lambda, slope);
        } else {
            L1::new(self.lambda).acts(acts);
        }
    }
    #[inline(always)]
    fn before<V: Vector>(&self, isa: V::Isa, p: V, g: V) -> V {
        pull(isa, g, self.lambda, pull(isa, sign(isa, p), 2.0 * self.beta, p))
    }
    fn check(&self, _: f32) -> Result<(), Error> {
        check_lambda(self.lambda)?;
        check_lambda(self.beta)
    }
}
