//! RMSProp: plain, centred, with momentum, and both.

use super::epsilon::{Denominator, Epsilon};
use super::moment::FirstMoment;
use super::split::split;
use super::{Clock, Optimizer, State};
use crate::check::{check_decay, check_lr};
use crate::error::{Error, Hyper};
use crate::simd::{Assembly, Decaying, Rule, Vector, Width};

/// RMSProp (Tieleman and Hinton, 2012): AdaGrad that forgets.
///
/// ```text
/// s = rho * s + (1 - rho) * g * g
/// p -= lr * g / (sqrt(s) + eps)
/// ```
///
/// State: `s`. [`centered`](Self::centered) and [`with_momentum`](Self::with_momentum) are types
/// of their own, because they need more state.
///
/// ```
/// use gradus::{Optimizer, RmsProp, RmsPropState};
/// let (mut params, mut state) = ([1.0], RmsPropState::new());
/// RmsProp { rho: 0.75, ..RmsProp::new(0.25) }.step(&mut params, &[2.0], &mut state);
/// assert_eq!(params, [0.5]); // the first step has length lr / sqrt(1 - rho)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "rmsprop")]
pub struct RmsProp {
    /// Learning rate.
    pub lr: f32,
    /// Decay of the running averages; 0.99 by default.
    pub rho: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: Epsilon,
}

/// State of [`RmsProp`] for `N` parameters: the mean square `s`.
pub type RmsPropState<const N: usize> = State<RmsProp, N>;

impl RmsProp {
    /// PyTorch's: rho 0.99, eps 1e-8 outside of the root.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        Self { lr, rho: 0.99, eps: Epsilon::Outside(1e-8) }
    }

    /// The lecture's: rho 0.99, eps 1e-7 outside of the root.
    #[must_use]
    pub const fn lecture(lr: f32) -> Self {
        Self { eps: Epsilon::Outside(1e-7), ..Self::new(lr) }
    }

    /// Keras': rho 0.9, eps 1e-7 under the root.
    #[must_use]
    pub const fn keras(lr: f32) -> Self {
        Self { lr, rho: 0.9, eps: Epsilon::Root { inside: 1e-7, outside: 0.0 } }
    }

    /// Divides by the deviation from the mean gradient instead of by its size (Graves, 2013).
    #[must_use]
    pub const fn centered(self) -> CenteredRmsProp {
        CenteredRmsProp { rmsprop: self }
    }

    /// Feeds the scaled gradient to a momentum of share `momentum`.
    #[must_use]
    pub const fn with_momentum(self, momentum: f32) -> RmsPropMomentum {
        RmsPropMomentum { rmsprop: self, momentum }
    }

    #[cfg_attr(feature = "ffi", inline)]
    #[cfg_attr(not(feature = "ffi"), inline(always))]
    fn scaled(&self) -> RmsPropRule {
        let (rho, gain) = split(self.rho);
        let (mean, denominator) = (FirstMoment::new(self.rho), self.eps.fold(1.0).1);
        RmsPropRule { lr: self.lr, rho, mean, gain, denominator }
    }
}

/// RMSProp over the deviation from the mean: `sqrt(max(0, s - a * a))` in place of `sqrt(s)`.
///
/// ```text
/// s = rho * s + (1 - rho) * g * g
/// a = a + (1 - rho) * (g - a)
/// p -= lr * g / (sqrt(max(0, s - a * a)) + eps)
/// ```
///
/// State: `s`, `a`. Where the gradient is constant, rounding makes the difference negative; it
/// counts as 0 then.
///
/// ```
/// use gradus::{CenteredRmsPropState, Optimizer, RmsProp};
/// let (mut params, mut state) = ([1.0], CenteredRmsPropState::new());
/// RmsProp::new(0.01).centered().step(&mut params, &[2.0], &mut state);
/// assert!(params[0] < 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CenteredRmsProp {
    /// The rule that it centres.
    pub rmsprop: RmsProp,
}

/// State of [`CenteredRmsProp`] for `N` parameters: mean square `s` and mean `a`.
pub type CenteredRmsPropState<const N: usize> = State<CenteredRmsProp, N>;

impl CenteredRmsProp {
    /// The defaults of [`RmsProp`].
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        RmsProp::new(lr).centered()
    }

    /// Feeds the scaled gradient to a momentum of share `momentum`.
    #[must_use]
    pub const fn with_momentum(self, momentum: f32) -> CenteredRmsPropMomentum {
        CenteredRmsPropMomentum { rmsprop: self.rmsprop, momentum }
    }
}

/// RMSProp with momentum.
///
/// ```text
/// s = rho * s + (1 - rho) * g * g
/// v = momentum * v + g / (sqrt(s) + eps)
/// p -= lr * v
/// ```
///
/// State: `s`, `v`.
///
/// ```
/// use gradus::{Optimizer, RmsProp, RmsPropMomentumState};
/// let (mut params, mut state) = ([1.0], RmsPropMomentumState::new());
/// RmsProp::new(0.01).with_momentum(0.9).step(&mut params, &[2.0], &mut state);
/// assert!(params[0] < 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RmsPropMomentum {
    /// The rule that scales the gradient.
    pub rmsprop: RmsProp,
    /// Share of the velocity that a step keeps.
    pub momentum: f32,
}

/// State of [`RmsPropMomentum`] for `N` parameters: mean square `s` and velocity `v`.
pub type RmsPropMomentumState<const N: usize> = State<RmsPropMomentum, N>;

/// Centred RMSProp with momentum: [`CenteredRmsProp`] and [`RmsPropMomentum`] in one.
///
/// ```text
/// s, a as CenteredRmsProp
/// v = momentum * v + g / (sqrt(max(0, s - a * a)) + eps)
/// p -= lr * v
/// ```
///
/// State: `s`, `a`, `v`.
///
/// ```
/// use gradus::{CenteredRmsPropMomentumState, Optimizer, RmsProp};
/// let (mut params, mut state) = ([1.0], CenteredRmsPropMomentumState::new());
/// RmsProp::new(0.01).centered().with_momentum(0.9).step(&mut params, &[2.0], &mut state);
/// assert!(params[0] < 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CenteredRmsPropMomentum {
    /// The rule that scales the gradient, before centring.
    pub rmsprop: RmsProp,
    /// Share of the velocity that a step keeps.
    pub momentum: f32,
}

/// State of [`CenteredRmsPropMomentum`] for `N` parameters: `s`, `a` and `v`.
pub type CenteredRmsPropMomentumState<const N: usize> = State<CenteredRmsPropMomentum, N>;

impl Optimizer for RmsProp {
    type Family = Self;
    type Rule = RmsPropRule;

    #[inline]
    fn rule(&self, _: &mut Clock) -> RmsPropRule {
        self.scaled()
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        check_lr(self.lr)?;
        check_decay(self.rho, Hyper::Rho)?;
        self.eps.check()
    }
}

impl Optimizer for CenteredRmsProp {
    type Family = Self;
    type Rule = CenteredRmsPropRule;

    #[inline]
    fn rule(&self, _: &mut Clock) -> CenteredRmsPropRule {
        CenteredRmsPropRule { scaled: self.rmsprop.scaled() }
    }
    fn lr(&self) -> f32 {
        self.rmsprop.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { rmsprop: self.rmsprop.with_lr(lr) }
    }
    fn check(&self) -> Result<(), Error> {
        self.rmsprop.check()
    }
}

impl RmsPropMomentum {
    /// The defaults of [`RmsProp`], and a momentum of 0.9.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        RmsProp::new(lr).with_momentum(0.9)
    }
}

impl Optimizer for RmsPropMomentum {
    type Family = Self;
    type Rule = RmsPropMomentumRule;

    #[inline]
    fn rule(&self, _: &mut Clock) -> RmsPropMomentumRule {
        RmsPropMomentumRule { scaled: self.rmsprop.scaled(), momentum: self.momentum }
    }
    fn lr(&self) -> f32 {
        self.rmsprop.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { rmsprop: self.rmsprop.with_lr(lr), ..self }
    }
    fn check(&self) -> Result<(), Error> {
        self.rmsprop.check()?;
        check_decay(f64::from(self.momentum), Hyper::Rho)
    }
}

impl CenteredRmsPropMomentum {
    /// The defaults of [`RmsProp`], and a momentum of 0.9.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        RmsProp::new(lr).centered().with_momentum(0.9)
    }
}

impl Optimizer for CenteredRmsPropMomentum {
    type Family = Self;
    type Rule = CenteredRmsPropMomentumRule;

    #[inline]
    fn rule(&self, _: &mut Clock) -> CenteredRmsPropMomentumRule {
        CenteredRmsPropMomentumRule { scaled: self.rmsprop.scaled(), momentum: self.momentum }
    }
    fn lr(&self) -> f32 {
        self.rmsprop.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { rmsprop: self.rmsprop.with_lr(lr), ..self }
    }
    fn check(&self) -> Result<(), Error> {
        self.rmsprop.check()?;
        check_decay(f64::from(self.momentum), Hyper::Rho)
    }
}

/// The constants of one step of [`RmsProp`].
#[derive(Clone, Copy, Debug)]
pub struct RmsPropRule {
    lr: f32,
    rho: f32,
    mean: FirstMoment,
    gain: f32,
    denominator: Denominator,
}

impl RmsPropRule {
    /// Mean square after one more gradient.
    #[inline(always)]
    fn square<V: Vector>(&self, isa: V::Isa, g: V, s: V) -> V {
        V::splat(isa, self.rho) * s + V::splat(isa, self.gain) * g * g
    }

    /// The constants of a centred loop in assembly.
    #[inline(always)]
    fn centered(&self) -> [f32; 6] {
        let Denominator { inside, outside } = self.denominator;
        [self.mean.weight, self.gain, self.rho, self.lr, inside, outside]
    }

    /// Mean after one more gradient, and the variance about it.
    #[inline(always)]
    fn center<V: Vector>(&self, isa: V::Isa, g: V, s: V, a: V) -> (V, V) {
        let a = self.mean.of(isa, g, a);
        (a, V::splat(isa, 0.0).max(s - a * a)) // a NaN passes this maximum
    }
}

impl Rule for RmsPropRule {
    type Columns = Width<1>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [s]: [V; 1]) -> (V, [V; 1]) {
        let s = self.square(isa, g, s);
        (p - V::splat(isa, self.lr) * g / self.denominator.of(isa, s), [s])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::alone(self.denominator.outweighs_subnormals() as u8)
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        let Denominator { inside, outside } = self.denominator;
        Some(Assembly::RmsProp([self.gain, self.rho, self.lr, inside, outside]))
    }
}

/// The constants of one step of [`CenteredRmsProp`].
#[derive(Clone, Copy, Debug)]
pub struct CenteredRmsPropRule {
    scaled: RmsPropRule,
}

impl Rule for CenteredRmsPropRule {
    type Columns = Width<2>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [s, a]: [V; 2]) -> (V, [V; 2]) {
        let s = self.scaled.square(isa, g, s);
        let (a, variance) = self.scaled.center(isa, g, s, a);
        let d = self.scaled.denominator.of(isa, variance);
        (p - V::splat(isa, self.scaled.lr) * g / d, [s, a])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::alone(0b10 | self.scaled.decaying().alone)
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        Some(Assembly::CenteredRmsProp(self.scaled.centered()))
    }
}

/// The constants of one step of [`RmsPropMomentum`].
#[derive(Clone, Copy, Debug)]
pub struct RmsPropMomentumRule {
    scaled: RmsPropRule,
    momentum: f32,
}

impl Rule for RmsPropMomentumRule {
    type Columns = Width<2>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [s, v]: [V; 2]) -> (V, [V; 2]) {
        let s = self.scaled.square(isa, g, s);
        let v = V::splat(isa, self.momentum) * v + g / self.scaled.denominator.of(isa, s);
        (p - V::splat(isa, self.scaled.lr) * v, [s, v])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::alone(0b10 | self.scaled.decaying().alone)
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        let RmsPropRule { lr, rho, gain, denominator: Denominator { inside, outside }, .. } = self.scaled;
        Some(Assembly::RmsPropMomentum([gain, rho, lr, inside, outside, self.momentum]))
    }
}

/// The constants of one step of [`CenteredRmsPropMomentum`].
#[derive(Clone, Copy, Debug)]
pub struct CenteredRmsPropMomentumRule {
    scaled: RmsPropRule,
    momentum: f32,
}

impl Rule for CenteredRmsPropMomentumRule {
    type Columns = Width<3>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [s, a, v]: [V; 3]) -> (V, [V; 3]) {
        let s = self.scaled.square(isa, g, s);
        let (a, variance) = self.scaled.center(isa, g, s, a);
        let v = V::splat(isa, self.momentum) * v + g / self.scaled.denominator.of(isa, variance);
        (p - V::splat(isa, self.scaled.lr) * v, [s, a, v])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::alone(0b110 | self.scaled.decaying().alone)
    }
    #[inline(always)]
    fn assembly(&self) -> Option<Assembly> {
        let [weight, gain, rho, lr, inside, outside] = self.scaled.centered();
        Some(Assembly::CenteredRmsPropMomentum([weight, gain, rho, lr, inside, outside, self.momentum]))
    }
}
