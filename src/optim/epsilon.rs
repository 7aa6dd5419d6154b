//! Where the stabiliser of an adaptive denominator stands: libraries differ, results too.

use crate::check::is_finite_from_zero;
use crate::error::{Error, Hyper, require};
use crate::simd::{Vector, math::sqrt};

/// The place and size of the stabiliser in the denominator of an adaptive rule.
///
/// With `v` the running average of squares and `c2` its bias correction (1 where a rule has none):
///
/// | variant | denominator | used by |
/// |---|---|---|
/// | `Outside(eps)` | `sqrt(v / c2) + eps` | PyTorch's Adam and its kin, the lecture |
/// | `Hat(eps)` | `(sqrt(v) + eps) / sqrt(c2)` | Keras' Adam: epsilon hat of the paper |
/// | `Root { inside, outside }` | `sqrt(v / c2 + inside) + outside` | Keras' RMSProp and AdaGrad, optax |
///
/// It is finite and at least 1e-31, one of two at least: a smaller one may vanish in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "eps")]
#[doc(alias = "numerical stability")]
pub enum Epsilon {
    /// Added to the corrected root.
    Outside(f32),
    /// Added to the root before its correction.
    Hat(f32),
    /// Added under the root, and a second one outside of it.
    Root {
        /// Added under the root.
        inside: f32,
        /// Added to the root.
        outside: f32,
    },
}

impl Epsilon {
    /// Finite, at least 0, and one of them not so small that a bias correction, 2^-25 at least, can
    /// carry it to 0: 0 / 0 would turn an unused parameter into NaN.
    pub(crate) fn check(self) -> Result<(), Error> {
        let (a, b) = match self {
            Self::Outside(eps) | Self::Hat(eps) => (eps, eps),
            Self::Root { inside, outside } => (inside, outside),
        };
        let least = f32::MIN_POSITIVE / f32::EPSILON;
        let ok = is_finite_from_zero(a) && is_finite_from_zero(b) && (a >= least || b >= least);
        require(ok, Hyper::Epsilon)
    }

    /// The denominator with the correction `c2` moved out of it: `sqrt(c2)`, to be multiplied into
    /// the learning rate, and what remains for each element.
    #[inline]
    pub(crate) fn fold(self, c2: f32) -> (f32, Denominator) {
        let root = sqrt(c2);
        let (Self::Outside(outside) | Self::Hat(outside) | Self::Root { outside, .. }) = self;
        let inside = if let Self::Root { inside, .. } = self { inside * c2 } else { 0.0 };
        let outside = if let Self::Hat(_) = self { outside } else { outside * root };
        (root, Denominator { inside, outside })
    }
}

/// `sqrt(v + inside) + outside`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Denominator {
    pub(super) inside: f32,
    pub(super) outside: f32,
}

impl Denominator {
    /// 1, where it is asked for a second moment of 0.
    pub(super) const ONE: Self = Self { inside: 0.0, outside: 1.0 };

    /// From here on a stabiliser under the root is the same with and without a subnormal.
    pub(super) const OUTWEIGHS_INSIDE: f32 = f32::MIN_POSITIVE / f32::EPSILON * 2.0;

    /// Whether it is the same for all subnormals as for 0, so that they may become 0 beside any gradient.
    ///
    /// The root of the largest is 1.1e-19: a stabiliser from 4e-12 on does not notice it.
    pub(super) fn outweighs_subnormals(self) -> bool {
        self.inside >= Self::OUTWEIGHS_INSIDE || self.outside >= 4e-12
    }

    /// The denominator of a register full of elements.
    #[inline(always)]
    pub(crate) fn of<V: Vector>(&self, isa: V::Isa, v: V) -> V {
        (v + V::splat(isa, self.inside)).sqrt() + V::splat(isa, self.outside)
    }
}
