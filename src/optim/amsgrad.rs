//! AMSGrad.

use super::adam::{Corrections, Moments};
use super::epsilon::{Denominator, Epsilon};
use super::{Adam, Clock, Optimizer, State};
use crate::error::Error;
use crate::simd::{Assembly, Decaying, Rule, Vector, Width};

/// AMSGrad (Reddi, Kale and Kumar, 2018): Adam over the largest second moment so far.
///
/// ```text
/// m, v as Adam
/// vmax = max(vmax, v)
/// p -= lr * (m / c1) / (sqrt(vmax / c2) + eps)
/// ```
///
/// State: `m`, `v`, `vmax`. The maximum is taken before the correction, as in PyTorch. Once NaN, `v`
/// stays so, and `vmax` with it.
///
/// ```
/// use gradus::{AmsGrad, AmsGradState, Optimizer};
/// let (mut params, mut state) = ([1.0], AmsGradState::new());
/// AmsGrad::new(0.1).step(&mut params, &[5.0], &mut state);
/// assert!((params[0] - 0.9).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AmsGrad {
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: Epsilon,
}

/// State of [`AmsGrad`] for `N` parameters: `m`, `v` and `vmax`.
pub type AmsGradState<const N: usize> = State<AmsGrad, N>;

impl AmsGrad {
    /// PyTorch's: Adam's defaults.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        let Adam { lr, beta1, beta2, eps, .. } = Adam::new(lr);
        Self { lr, beta1, beta2, eps }
    }

    /// The rule without the maximum.
    const fn adam(&self) -> Adam {
        let Self { lr, beta1, beta2, eps } = *self;
        Adam { lr, beta1, beta2, eps, bias_correction: true }
    }
}

impl Optimizer for AmsGrad {
    type Family = Self;
    type Rule = AmsGradRule;
    const HALVES: bool = false;

    #[cfg_attr(feature = "ffi", inline)]
    #[cfg_attr(not(feature = "ffi"), inline(always))]
    fn rule(&self, clock: &mut Clock) -> AmsGradRule {
        let (moments, Corrections { c1, root, denominator }) = self.adam().moments(clock.t);
        AmsGradRule { moments, lr: self.lr * root / c1, denominator }
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        self.adam().check()
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct AmsGradRule {
    moments: Moments,
    lr: f32,
    denominator: Denominator,
}

impl Rule for AmsGradRule {
    type Columns = Width<3>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [m, v, vmax]: [V; 3]) -> (V, [V; 3]) {
        let [m, v] = self.moments.of(isa, g, [m, v]);
        let vmax = vmax.max(v);
        (p - V::splat(isa, self.lr) * m / self.denominator.of(isa, vmax), [m, v, vmax])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::MOMENTS
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::AmsGrad(self.moments.assembly(self.denominator, self.lr)))
    }
}
