//! Schedule-free AdamW.

use super::epsilon::{Denominator, Epsilon};
use super::split::split;
use super::{Adam, Clock, Optimizer, State};
use crate::check::check_weight_decay;
use crate::error::{Error, Hyper, require};
use crate::simd::{Columns, Decaying, Exec, Rule, Vector, Width, math::warm, run};

/// Schedule-free AdamW (Defazio et al., 2024): an average of the weights in place of a falling learning rate.
///
/// ```text
/// v = beta2 * v + (1 - beta2) * g * g                     g: the gradient at y
/// u = g / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * y
/// z = z - lr * u                                          the fast weights
/// x = (1 - c) * x + c * z        c = lr^2 / (lr_1^2 + .. + lr_t^2)
/// y = (1 - beta1) * z + beta1 * x
/// ```
///
/// The parameters of a step are `y`; those to evaluate and to deploy are `x`, which [`average`](Self::average) makes of
/// them.
///
/// State: `d`, `v`. The distance `d = y - z` is 0 at the start; the clock carries the mean of `lr^2`. In these terms a step is
///
/// ```text
/// y = y - (c * d + lr * (1 - beta1 * (1 - c)) * u)
/// d = (1 - c) * (d + lr * beta1 * u)
/// x = y + (1 / beta1 - 1) * d
/// ```
///
/// It takes a constant rate, after a [`WarmUp`](crate::schedule::WarmUp), whose small rates weigh little in the average. The
/// run may end at any step. The weight decay is its own: a transform [`Decay`](crate::transform::Decay) would shrink
/// `y`, `z` and the average alike, which is more. Batch normalisation keeps statistics of `y`: take them anew for `x`.
///
/// It has no state in half the memory: late in a run `d` changes by less than the last digit of a [`Bf16`](crate::Bf16) in
/// every step, and forgets what rounding adds only as slowly, by `1 / t`; after 100 000 steps of a noisy quadratic the average's loss was 1.2 times as large.
///
/// ```
/// use gradus::schedule::{Constant, Schedule, WarmUp};
/// use gradus::{Exec, Optimizer, ScheduleFree};
///
/// let free = ScheduleFree::new(0.05);
/// let rate = WarmUp::new(0.0, 10, Constant(0.05));
/// let (mut y, mut state) = ([1.0, -2.0], free.state());
/// for step in 0..400 {
///     let noise = if step % 2 == 0 { 0.5 } else { -0.5 };
///     let grads = y.map(|y| y + noise);
///     free.with_lr(rate.at(step)).step(&mut y, &grads, &mut state);
/// }
/// let mut x = y;
/// let [d, _] = &state.columns;
/// free.average(Exec::new(), &mut x, d)?;
/// assert!(x.iter().all(|x| x.abs() < 0.2));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ScheduleFree {
    /// Learning rate.
    pub lr: f32,
    /// Share of the average in the point where gradients are taken, at least 2^-32; 0.9 by default. The distance that the
    /// state keeps is in its measure: it stays what it is in a run.
    pub beta1: f64,
    /// Decay of the second moment; 0.999 by default.
    pub beta2: f64,
    /// Stabiliser of the denominator; 1e-8 outside of the root by default.
    pub eps: Epsilon,
    /// Share of a weight that decays per step and unit of learning rate; 0 by default.
    pub weight_decay: f32,
}

/// State of [`ScheduleFree`] for `N` parameters: the distance `d` and the moment `v`.
pub type ScheduleFreeState<const N: usize> = State<ScheduleFree, N>;

impl ScheduleFree {
    /// The authors': Adam's decays and stabiliser, and no weight decay.
    #[must_use]
    pub const fn new(lr: f32) -> Self {
        let Adam { lr, beta1, beta2, eps, .. } = Adam::new(lr);
        Self { lr, beta1, beta2, eps, weight_decay: 0.0 }
    }

    /// Turns the parameters of a run, or a copy of them, into their average `x`; `d` is the first column of the state.
    ///
    /// A run that goes on needs the parameters as they were: give it a copy then.
    ///
    /// # Errors
    /// [`Error::Length`] if `d` is not as long as `params`; nothing was changed.
    pub fn average(&self, exec: impl Into<Exec>, params: &mut [f32], d: &[f32]) -> Result<(), Error> {
        let columns = Columns::new(params, [d], [])?;
        run(exec, &Average { share: (1.0 / self.beta1 - 1.0) as f32 }, columns);
        Ok(())
    }
}

impl Optimizer for ScheduleFree {
    type Family = Self;
    type Rule = ScheduleFreeRule;
    const HALVES: bool = false;

    #[inline]
    fn rule(&self, clock: &mut Clock) -> ScheduleFreeRule {
        let Self { lr, weight_decay, .. } = *self;
        // The mean in place of the sum: it stays what it is while the rate does, and c is 1 / t to the last digit.
        let (t, weight) = (clock.t as f32, if lr * lr < f32::MAX { lr * lr } else { f32::MAX });
        clock.carry += (weight - clock.carry) / t;
        let share = if clock.carry > 0.0 { weight / clock.carry / t } else { 1.0 / t };
        let c = if share < 1.0 { share } else { 1.0 };
        let ((beta1, gain1), (beta2, gain2)) = (split(self.beta1), split(self.beta2));
        let (root, denominator) = self.eps.fold(warm(gain2, clock.t));
        let (ahead, lr) = (lr * beta1, lr * (gain1 + beta1 * c));
        ScheduleFreeRule { beta2, gain2, root, denominator, weight_decay, c, ahead, lr }
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        let Self { lr, beta1, beta2, eps, weight_decay } = *self;
        Adam { lr, beta1, beta2, eps, bias_correction: true }.check()?;
        // The average is not to be had of y and z where it has no share of y, or one that a step rounds to 0.
        require(split(beta1).0 > 0.0, Hyper::Beta1)?;
        check_weight_decay(lr, weight_decay)
    }
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleFreeRule {
    beta2: f32,
    gain2: f32,
    root: f32,
    denominator: Denominator,
    weight_decay: f32,
    c: f32,
    /// `lr * beta1`.
    ahead: f32,
    /// `lr * (1 - beta1 * (1 - c))`.
    lr: f32,
}

impl Rule for ScheduleFreeRule {
    type Columns = Width<2>;
    const SQUARES: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, y: V, [g]: [V; 1], [d, v]: [V; 2]) -> (V, [V; 2]) {
        let (c, zero, decay) = (V::splat(isa, self.c), V::splat(isa, 0.0), V::splat(isa, self.weight_decay));
        let v = V::splat(isa, self.beta2) * v + V::splat(isa, self.gain2) * g * g;
        // Without a decay nothing is added: 0 times an infinite weight is NaN.
        let u = V::splat(isa, self.root) * (g / self.denominator.of(isa, v))
            + decay.select_gt(zero, decay * y, zero);
        let ahead = d + V::splat(isa, self.ahead) * u;
        (y - (c * d + V::splat(isa, self.lr) * u), [ahead - c * ahead, v])
    }
    #[inline(always)]
    fn decaying(&self) -> Decaying {
        Decaying::alone(0b01 | (self.denominator.outweighs_subnormals() as u8) << 1)
    }
}

/// `x = y + (1 / beta1 - 1) * d`.
struct Average {
    share: f32,
}

impl Rule for Average {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, y: V, [d]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (y + V::splat(isa, self.share) * d, [])
    }
}
