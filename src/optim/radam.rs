//! RAdam.

use super::adam::{Corrections, Moments};
use super::epsilon::{Denominator, Epsilon};
use super::{Adam, Clock, Optimizer, State};
use crate::error::Error;
use crate::simd::{Assembly, Decaying, Rule, Vector, Width, math};

/// RAdam (Liu et al., 2020): Adam that takes plain momentum steps until its second moment is worth dividing by.
///
/// ```text
/// m, v as Adam                                  c1 = 1 - beta1^t, c2 = 1 - beta2^t
/// n = 2 / (1 - beta2) - 1                       length of the running average
/// n(t) = n - 2 * t * beta2^t / c2               the part of it that is filled
/// r = sqrt((n(t) - 4) * (n(t) - 2) * n / ((n - 4) * (n - 2) * n(t)))
/// p -= lr * r * (m / c1) * sqrt(c2) / (sqrt(v) + eps)        where n(t) > 5
/// p -= lr * (m / c1)                                         before
/// ```
///
/// State: `m`, `v`. The stabiliser stands where PyTorch puts it for this rule, outside of the root before its
/// correction ([`Epsilon::Hat`]). With the default `beta2` the first five steps are plain. `r` is formed once a step
/// in `f64`, since `n(t)` is a small difference of large numbers; an FPU of single precision computes that in software.
///
/// ```
/// use gradus::{Optimizer, RAdam};
/// let radam = RAdam::new(0.1);
/// let (mut params, mut state) = ([1.0], radam.state());
/// radam.step(&mut params, &[0.5], &mut state);
/// assert!((params[0] - 0.95).abs() < 1e-6); // plain: lr * g
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RAdam {
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the uncorrected root by default.
    pub eps: Epsilon,
}

/// State of [`RAdam`] for `N` parameters: the moments `m` and `v`.
pub type RAdamState<const N: usize> = State<RAdam, N>;

impl RAdam {
    /// PyTorch's: Adam's decays, eps 1e-8 outside of the uncorrected root.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr, beta1: 0.9, beta2: 0.999, eps: Epsilon::Hat(1e-8) }
    }

    const fn adam(&self) -> Adam {
        let Self { lr, beta1, beta2, eps } = *self;
        Adam { lr, beta1, beta2, eps, bias_correction: true }
    }

    /// `r` at step `t`, or nothing while the step is plain.
    fn rectification(&self, t: u32) -> Option<f32> {
        let n = 2.0 / (1.0 - self.beta2) - 1.0;
        let c2 = math::warm_f64(1.0 - self.beta2, t);
        let filled = n - 2.0 * f64::from(t) * (1.0 - c2) / c2;
        let square = (filled - 4.0) * (filled - 2.0) * n / ((n - 4.0) * (n - 2.0) * filled);
        if filled > 5.0 { Some(math::sqrt_f64(square) as f32) } else { None }
    }
}

impl Optimizer for RAdam {
    type Family = Self;
    type Rule = RAdamRule;

    #[cfg_attr(feature = "ffi", inline)]
    #[cfg_attr(not(feature = "ffi"), inline(always))]
    fn rule(&self, clock: &mut Clock) -> RAdamRule {
        let (moments, Corrections { c1, root, denominator }) = self.adam().moments(clock.t);
        match self.rectification(clock.t) {
            Some(r) => RAdamRule { moments, lr: self.lr * r * root / c1, share: 1.0, denominator },
            // A denominator of 1, by a share of 0 of the second moment.
            None => RAdamRule { moments, lr: self.lr / c1, share: 0.0, denominator: Denominator::ONE },
        }
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
pub struct RAdamRule {
    moments: Moments,
    lr: f32,
    share: f32,
    denominator: Denominator,
}

impl Rule for RAdamRule {
    type Columns = Width<2>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [m, v]: [V; 2]) -> (V, [V; 2]) {
        let [m, v] = self.moments.of(isa, g, [m, v]);
        // Not a product: an infinite v times 0 would be NaN.
        let seen = V::splat(isa, self.share).select_gt(V::splat(isa, 0.0), v, V::splat(isa, 0.0));
        (p - V::splat(isa, self.lr) * m / self.denominator.of(isa, seen), [m, v])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::MOMENTS
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        let [weight, gain, beta, lr, inside, outside] = self.moments.assembly(self.denominator, self.lr);
        Some(Assembly::RAdam([weight, gain, beta, lr, inside, outside, self.share]))
    }
}
