//! The running mean of gradients.

use crate::simd::Vector;

/// A first moment. `1 - beta` is formed in f64 from the decimal that the user wrote: in f32 it would be off by 1.3e-5
/// for 0.999, and every update with it.
#[derive(Clone, Copy, Debug)]
pub struct FirstMoment {
    beta: f32,
    gain: f32,
}

impl FirstMoment {
    #[inline]
    pub const fn new(beta: f64) -> Self {
        Self { beta: beta as f32, gain: (1.0 - beta) as f32 }
    }

    /// `1 - beta`.
    #[inline]
    pub const fn gain(&self) -> f32 {
        self.gain
    }

    /// The mean after one more gradient.
    #[inline(always)]
    pub fn of<V: Vector>(&self, isa: V::Isa, g: V, m: V) -> V {
        V::splat(isa, self.beta) * m + V::splat(isa, self.gain) * g
    }
}
