//! Adam.

use super::epsilon::{Denominator, Epsilon};
use super::moment::FirstMoment;
use super::split::split;
use super::{Clock, Optimizer, State};
use crate::check::{check_decay, check_lr};
use crate::error::{Error, Hyper};
use crate::simd::{Assembly, Decaying, Rule, Vector, Width, math::warm};

/// Adam (Kingma and Ba, 2015): momentum over the root of the running second moment.
///
/// ```text
/// m = m + (1 - beta1) * (g - m)              c1 = 1 - beta1^t
/// v = beta2 * v + (1 - beta2) * g * g        c2 = 1 - beta2^t
/// p -= lr * (m / c1) / (sqrt(v / c2) + eps)
/// ```
///
/// State: `m`, `v`. The corrections are folded into the learning rate and the stabiliser, so that
/// an element costs one square root and one division. Without them (`bias_correction: false`,
/// `c1 = c2 = 1`) it is the lecture's "Adam (almost)".
///
/// ```
/// use gradus::{Adam, AdamState, Optimizer};
///
/// let adam = Adam { beta2: 0.98, ..Adam::new(1e-3) };
/// let mut state = AdamState::<2>::new();
/// let mut params = [1.0, 1.0];
/// adam.step(&mut params, &[10.0, -0.1], &mut state);
/// assert!((params[0] - 0.999).abs() < 1e-6 && (params[1] - 1.001).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "adaptive moment estimation")]
pub struct Adam {
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment; 0.9 by default.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: Epsilon,
    /// Whether the moments are corrected for their start at 0; true by default.
    pub bias_correction: bool,
}

/// State of [`Adam`] for `N` parameters: the moments `m` and `v`.
pub type AdamState<const N: usize> = State<Adam, N>;

impl Adam {
    /// PyTorch's and the paper's: 0.9, 0.999, eps 1e-8 outside of the root.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr, beta1: 0.9, beta2: 0.999, eps: Epsilon::Outside(1e-8), bias_correction: true }
    }

    /// The lecture's: eps 1e-7 outside of the root.
    #[must_use]
    pub const fn lecture(lr: f32) -> Self {
        Self { eps: Epsilon::Outside(1e-7), ..Self::new(lr) }
    }

    /// Keras': eps 1e-7 as the epsilon hat of the paper.
    #[must_use]
    pub const fn keras(lr: f32) -> Self {
        Self { eps: Epsilon::Hat(1e-7), ..Self::new(lr) }
    }

    /// The moments' constants at step `t`; they serve every rule of Adam's family.
    ///
    /// Inlined by force, as the rules of the family that call it: with decays that the compiler knows all of it but the
    /// powers folds. From C no decay is known, and it stands where the compiler likes.
    #[cfg_attr(feature = "ffi", inline)]
    #[cfg_attr(not(feature = "ffi"), inline(always))]
    pub(super) fn moments(&self, t: u32) -> (Moments, Corrections) {
        let moments = Moments::new(self.beta1, self.beta2);
        let (c1, c2) = if self.bias_correction {
            (warm(moments.mean.gain(), t), warm(moments.gain2, t))
        } else {
            (1.0, 1.0)
        };
        let (root, denominator) = self.eps.fold(c2);
        (moments, Corrections { c1, root, denominator })
    }
}

impl Optimizer for Adam {
    type Family = Self;
    type Rule = AdamRule;

    #[cfg_attr(feature = "ffi", inline)]
    #[cfg_attr(not(feature = "ffi"), inline(always))]
    fn rule(&self, clock: &mut Clock) -> AdamRule {
        let (moments, Corrections { c1, root, denominator }) = self.moments(clock.t);
        AdamRule { moments, lr: self.lr * root / c1, denominator }
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
        self.eps.check()
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct AdamRule {
    moments: Moments,
    lr: f32,
    denominator: Denominator,
}

impl Rule for AdamRule {
    type Columns = Width<2>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [m, v]: [V; 2]) -> (V, [V; 2]) {
        let [m, v] = self.moments.of(isa, g, [m, v]);
        (p - V::splat(isa, self.lr) * m / self.denominator.of(isa, v), [m, v])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::MOMENTS
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::Adam(self.moments.assembly(self.denominator, self.lr)))
    }
}

/// The bias corrections of one step, folded.
pub(super) struct Corrections {
    /// `c1`.
    pub c1: f32,
    /// `sqrt(c2)`.
    pub root: f32,
    /// The denominator without `sqrt(c2)`.
    pub denominator: Denominator,
}

/// The two running averages.
///
/// The second is no interpolation: a square that is infinite would leave NaN behind, where infinity stays infinity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    mean: FirstMoment,
    beta2: f32,
    gain2: f32,
}

impl Moments {
    #[cfg_attr(feature = "ffi", inline)]
    #[cfg_attr(not(feature = "ffi"), inline(always))]
    fn new(beta1: f64, beta2: f64) -> Self {
        let (beta2, gain2) = split(beta2);
        Self { mean: FirstMoment::new(beta1), beta2, gain2 }
    }

    /// The constants of a loop in assembly.
    #[inline(always)]
    pub(super) fn assembly(&self, denominator: Denominator, lr: f32) -> [f32; 6] {
        let Denominator { inside, outside } = denominator;
        [self.mean.weight, self.gain2, self.beta2, lr, inside, outside]
    }

    /// Both moments after one more gradient.
    #[inline(always)]
    pub(crate) fn of<V: Vector>(&self, isa: V::Isa, g: V, [m, v]: [V; 2]) -> [V; 2] {
        let m = self.mean.of(isa, g, m);
        let v = V::splat(isa, self.beta2) * v + V::splat(isa, self.gain2) * g * g;
        [m, v]
    }
}
