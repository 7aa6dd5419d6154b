//! Nadam.

use super::adam::{Corrections, Moments};
use super::epsilon::{Denominator, Epsilon};
use super::split::split;
use super::{Adam, Clock, Optimizer, State};
use crate::check::is_finite_from_zero;
use crate::error::{Error, Hyper, require};
use crate::simd::{Assembly, Decaying, Rule, Vector, Width, math};

/// Nadam (Dozat, 2016): Adam with Nesterov's look ahead.
///
/// ```text
/// mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2)        q(t) = mu(1) * ... * mu(t)
/// m, v as Adam
/// p -= lr * ((1 - mu(t)) / (1 - q(t)) * g + mu(t+1) / (1 - q(t) * mu(t+1)) * m)
///      / (sqrt(v / c2) + eps)
/// ```
///
/// State: `m`, `v`; the clock carries `1 - q(t)`, which starts at 0.
///
/// ```
/// use gradus::{Nadam, NadamState, Optimizer};
/// let (mut params, mut state) = ([1.0], NadamState::new());
/// Nadam::new(2e-3).step(&mut params, &[5.0], &mut state);
/// assert!(params[0] < 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "nesterov adam")]
pub struct Nadam {
    /// Learning rate.
    pub lr: f32,
    /// Limit of the decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: Epsilon,
    /// How fast `mu` grows from half of `beta1` to `beta1`; 4e-3 by default.
    pub momentum_decay: f32,
}

/// State of [`Nadam`] for `N` parameters: the moments `m` and `v`.
pub type NadamState<const N: usize> = State<Nadam, N>;

impl Nadam {
    /// PyTorch's: Adam's defaults and a momentum decay of 4e-3.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        let Adam { lr, beta1, beta2, eps, .. } = Adam::new(lr);
        Self { lr, beta1, beta2, eps, momentum_decay: 4e-3 }
    }

    const fn adam(&self) -> Adam {
        let Self { lr, beta1, beta2, eps, .. } = *self;
        Adam { lr, beta1, beta2, eps, bias_correction: true }
    }

    /// `mu(t)`.
    fn mu(&self, t: f32) -> f32 {
        const LN_0_96: f32 = -0.040_821_994;
        let x = LN_0_96 * (t * self.momentum_decay);
        // Below, rounding loses it beside the 1, and an exponential that underflows takes ten times as long.
        let half = if x < -17.0 { 0.0 } else { 0.5 * math::exp(x) };
        split(self.beta1).0 * (1.0 - half)
    }
}

impl Optimizer for Nadam {
    type Family = Self;
    type Rule = NadamRule;

    #[cfg_attr(feature = "ffi", inline)]
    #[cfg_attr(not(feature = "ffi"), inline(always))]
    fn rule(&self, clock: &mut Clock) -> NadamRule {
        let (moments, Corrections { root, denominator, .. }) = self.adam().moments(clock.t);
        let t = clock.t as f32;
        let (mu, next) = (self.mu(t), self.mu(t + 1.0));
        // The carry is 1 - q: it starts at 0 and loses no digits while q is near 1.
        clock.carry += (1.0 - mu) * (1.0 - clock.carry);
        let ahead = clock.carry + (1.0 - next) * (1.0 - clock.carry);
        let lr = self.lr * root;
        NadamRule { moments, lr_g: lr * (1.0 - mu) / clock.carry, lr_m: lr * next / ahead, denominator }
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        self.adam().check()?;
        require(is_finite_from_zero(self.momentum_decay), Hyper::MomentumDecay)
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct NadamRule {
    moments: Moments,
    lr_g: f32,
    lr_m: f32,
    denominator: Denominator,
}

impl Rule for NadamRule {
    type Columns = Width<2>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [m, v]: [V; 2]) -> (V, [V; 2]) {
        let [m, v] = self.moments.of(isa, g, [m, v]);
        let ahead = V::splat(isa, self.lr_g) * g + V::splat(isa, self.lr_m) * m;
        (p - ahead / self.denominator.of(isa, v), [m, v])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::MOMENTS
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        let [weight, gain, beta, lr, inside, outside] = self.moments.assembly(self.denominator, self.lr_g);
        Some(Assembly::Nadam([weight, gain, beta, lr, inside, outside, self.lr_m]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_that_is_skipped_would_be_lost() {
        let nadam = Nadam::new(2e-3);
        for t in (90_000..120_000).step_by(10).chain([1 << 24, u32::MAX]).map(|t| t as f32) {
            let plain = 0.9_f32 * (1.0 - 0.5 * math::exp(-0.040_821_994 * (t * 4e-3)));
            assert_eq!(nadam.mu(t).to_bits(), plain.to_bits(), "{t}");
        }
    }
}
