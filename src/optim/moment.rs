//! The running mean of gradients.

use super::split::split;
use crate::simd::Vector;

/// A first moment: a running mean, by interpolation between the mean and the new gradient, as PyTorch's `lerp`.
///
/// ```text
/// m = m + (1 - beta) * (g - m)        where 1 - beta < 1/2
/// m = g + beta * (m - g)              elsewhere
/// ```
///
/// `beta * m + (1 - beta) * g` needs two rounded constants that do not add up to 1: with a decay of 0.999 the mean of
/// a constant is off by 1e-5. Here a mean that has arrived stays, and `beta = 0` gives `g` itself.
///
/// Both forms add a multiple of `g - m`, to the one or to the other. The sign of the constant says to which, so that a
/// kernel needs no second loop and no branch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstMoment {
    pub(super) weight: f32,
    gain: f32,
}

impl FirstMoment {
    /// `1 - beta` is formed in f64 from the decimal that the user wrote: in f32 it would be off by 1.3e-5 for 0.999,
    /// and every update with it.
    #[inline]
    pub(crate) const fn new(beta: f64) -> Self {
        let (beta, gain) = split(beta);
        // In the order of their bits: what stands in a register of integers need not leave it.
        Self { weight: if gain.to_bits() < 0.5_f32.to_bits() { gain } else { -beta }, gain }
    }

    /// `1 - beta`.
    #[inline]
    pub(crate) const fn gain(&self) -> f32 {
        self.gain
    }

    /// The mean after one more gradient.
    #[inline(always)]
    pub(crate) fn of<V: Vector>(&self, isa: V::Isa, g: V, m: V) -> V {
        let (weight, zero) = (V::splat(isa, self.weight), V::splat(isa, 0.0));
        weight.select_gt(zero, m, g) + weight * (g - m)
    }
}
