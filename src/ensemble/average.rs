//! Running averages of weights: one model out of many steps.

use crate::check::{check_decay, check_decay_up_to};
use crate::error::{Argument, Error, Hyper, same_length};
use crate::optim::{On, State, StateMut, Stateful};
use crate::simd::{ColumnSet, Exec, Rule, Vector, Width};
use crate::store::{Family, Name};

/// The columns of an average's rule: those of its state, but for the first.
type RuleColumns<A> = <<A as Average>::Rule as Rule>::Columns;

/// A running average of the weights of one run.
///
/// The average is the first column of a [`State`]: zero bits at the start, saved and loaded like any other,
/// and of its own type, so that it is taken for neither an optimizer's state nor another average.
///
/// ```
/// use gradus::ensemble::{Average, Ema, EmaState};
/// use gradus::{Optimizer, Sgd, SgdState};
///
/// let (sgd, ema) = (Sgd::new(0.5), Ema::new(0.75));
/// let (mut params, mut state) = ([8.0], SgdState::new());
/// let mut average = EmaState::new();
/// for _ in 0..3 {
///     let grads = params;
///     sgd.step(&mut params, &grads, &mut state); // 4, 2, 1
///     ema.update(&mut average, &params);
/// }
/// assert_eq!(average.average(), &[2.875]);
/// ```
///
/// A state goes to the kind of average that it is of:
///
/// ```
/// # use gradus::ensemble::{Average, Swa, SwaState};
/// Swa.update(&mut SwaState::<1>::new(), &[1.0]);
/// ```
///
/// ```compile_fail,E0308
/// # use gradus::ensemble::{Average, EmaState, Swa};
/// Swa.update(&mut EmaState::<1>::new(), &[1.0]);
/// ```
///
/// A rule of your own has one column less than its state, whose first is the average. The compiler sees to it:
///
/// ```compile_fail,E0080
/// use gradus::ensemble::Average;
/// use gradus::{Rule, State, Stateful, Vector, Width};
///
/// #[derive(Clone, Copy)]
/// struct Last;
/// impl Stateful for Last {
///     type Columns = Width<2>; // one too many
///     type Memory = f32;
/// }
/// impl Rule for Last {
///     type Columns = Width<0>;
///     fn apply<V: Vector>(&self, _: V::Isa, _: V, [p]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
///         (p, [])
///     }
/// }
/// impl Average for Last {
///     type Family = Self;
///     type Rule = Self;
///     fn rule(&self, _: u32) -> Self {
///         *self
///     }
/// }
/// Last.update(&mut State::<Last, 1>::new(), &[1.0]);
/// ```
///
/// The statistics of batch normalisation belong to the weights they were taken with: take them anew for
/// the average.
pub trait Average: Copy {
    /// The type that names the average: `Self`, or the one inside of a wrapper.
    type Family: Stateful<Memory = f32>;

    /// The formula of one update, of the first column; its state are the others.
    type Rule: Rule;

    /// The constants of update `count`, counted from 1. The first one takes the parameters as they are.
    fn rule(&self, count: u32) -> Self::Rule;

    /// Where the updates run: on the widest instruction set and one thread, unless [`on`](Self::on) has chosen.
    #[inline(always)]
    fn exec(&self) -> Exec {
        Exec::new()
    }

    /// This average on chosen threads or a chosen instruction set, with the same bits: see [`Exec`].
    fn on(self, exec: impl Into<Exec>) -> On<Self> {
        On { inner: self, exec: exec.into() }
    }

    /// Takes `params` into the average. Lengths are checked by the compiler: this cannot fail.
    #[inline]
    fn update<const N: usize>(&self, average: &mut State<Self::Family, N>, params: &[f32; N]) {
        let updated = self.update_slices(average.as_mut(), params);
        debug_assert_eq!(updated, Ok(()));
    }

    /// Takes `params` into the average, from slices in any memory.
    ///
    /// # Errors
    /// [`Error::Length`] if the average is not as long as `params`; nothing was changed.
    #[inline]
    fn update_slices(&self, average: StateMut<'_, Self::Family>, params: &[f32]) -> Result<(), Error> {
        const {
            assert!(
                <Self::Family as Stateful>::Columns::COUNT == RuleColumns::<Self>::COUNT + 1,
                "an average has one column more than its rule"
            );
        };
        let StateMut { mut columns, clock, .. } = average;
        let mut columns = columns.as_mut().iter_mut();
        let column = columns.next().ok_or(Error::Empty)?;
        same_length(Argument::Params, column.len(), params.len())?;
        let others = RuleColumns::<Self>::views(|_| columns.next().map_or(&mut [], |column| column));
        let pass = RuleColumns::<Self>::pass(column, params, others)?;
        RuleColumns::<Self>::run(self.exec(), &self.rule(clock.tick().t), pass);
        Ok(())
    }
}

impl<A: Average> Average for On<A> {
    type Family = A::Family;
    type Rule = A::Rule;

    #[inline]
    fn rule(&self, count: u32) -> A::Rule {
        self.inner.rule(count)
    }
    #[inline(always)]
    fn exec(&self) -> Exec {
        self.exec
    }
}

impl<A: Average<Family = A> + Stateful<Columns = Width<1>, Memory = f32>, const N: usize> State<A, N> {
    /// The average: zeros before the first update.
    #[must_use]
    pub const fn average(&self) -> &[f32; N] {
        let [average] = &self.columns;
        average
    }
}

/// Stochastic weight averaging (Izmailov et al., 2018): the mean of all weights it was given.
///
/// ```text
/// average += (p - average) / t
/// ```
///
/// Give it the weights at the end of each cycle or epoch, late in a run. The mean stands still after some 2^24
/// updates, because a difference divided by their number is less than its last digit.
///
/// ```
/// use gradus::ensemble::{Average, Swa, SwaState};
/// let mut average = SwaState::new();
/// for params in [[1.0], [2.0], [6.0]] {
///     Swa.update(&mut average, &params);
/// }
/// assert_eq!((average.average(), average.t()), (&[3.0], 3));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "stochastic weight averaging")]
pub struct Swa;

/// The mean of [`Swa`] for `N` parameters.
pub type SwaState<const N: usize> = State<Swa, N>;

impl Stateful for Swa {
    type Columns = Width<1>;
    type Memory = f32;
}

impl Family for Swa {
    const NAME: Name = Name::new("swa");
}

impl Average for Swa {
    type Family = Self;
    type Rule = SwaRule;

    #[inline]
    fn rule(&self, count: u32) -> SwaRule {
        SwaRule { count: count as f32 }
    }
}

/// The constants of one update.
#[derive(Clone, Copy, Debug)]
pub struct SwaRule {
    count: f32,
}

impl Rule for SwaRule {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, average: V, [p]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (average + (p - average) / V::splat(isa, self.count), [])
    }
}

/// Exponential moving average of weights (Polyak and Juditsky, 1992; Tarvainen and Valpola, 2017).
///
/// ```text
/// average += (1 - decay) * (p - average)        (first update: average = p, as in PyTorch)
/// ```
///
/// Give it the weights after each step. A change of less than `2^-24 / (1 - decay)` of the average's size is rounded
/// away: where the average moves that slowly, 0.6 % at a decay of 0.99999, use [`CompensatedEma`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "exponential moving average")]
#[doc(alias = "polyak averaging")]
pub struct Ema {
    /// Weight of the old average: at least 0, at most `1 - 2^-20`, about 0.999999.
    pub decay: f64,
}

/// The average of [`Ema`] for `N` parameters.
pub type EmaState<const N: usize> = State<Ema, N>;

impl Ema {
    /// An average over about `1 / (1 - decay)` steps.
    #[must_use]
    pub const fn new(decay: f64) -> Self {
        Self { decay }
    }

    /// Checks that the decay lies in its range. The updates do not check it.
    ///
    /// # Errors
    /// [`Error::Range`] if it does not.
    pub fn check(&self) -> Result<(), Error> {
        check_decay(self.decay, Hyper::Rho)
    }
}

impl Stateful for Ema {
    type Columns = Width<1>;
    type Memory = f32;
}

impl Family for Ema {
    const NAME: Name = Name::new("ema");
}

impl Average for Ema {
    type Family = Self;
    type Rule = EmaRule;

    #[inline]
    fn rule(&self, count: u32) -> EmaRule {
        EmaRule { gain: gain(self.decay, count) }
    }
}

/// `1 - decay`, from the decimal that the user wrote; the first update takes all.
fn gain(decay: f64, count: u32) -> f32 {
    if count == 1 { 1.0 } else { (1.0 - decay) as f32 }
}

/// The constants of one update.
#[derive(Clone, Copy, Debug)]
pub struct EmaRule {
    gain: f32,
}

impl Rule for EmaRule {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, average: V, [p]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (average + V::splat(isa, self.gain) * (p - average), [])
    }
}

/// [`Ema`] that keeps what rounding takes from it: Kahan's sum (1965) beside the average.
///
/// ```text
/// d = (1 - decay) * (p - average) + lost
/// average', lost' = average + d, and what that sum has rounded away
/// ```
///
/// State: the average, and `lost`, which costs a second number per parameter. A change of less than
/// `2^-49 / (1 - decay)` of the average's size is rounded away: of 1.5e-5 at the largest decay, and of less than the last
/// digit up to 0.999_999_9.
///
/// ```
/// use gradus::ensemble::{Average, CompensatedEma, CompensatedEmaState, Ema, EmaState};
///
/// let (mut plain, mut exact) = (EmaState::new(), CompensatedEmaState::new());
/// for step in 0..100_000 {
///     let params = [if step == 0 { 1.0 } else { 1.001 }];
///     Ema::new(0.99999).update(&mut plain, &params);
///     CompensatedEma::new(0.99999).update(&mut exact, &params);
/// }
/// assert_eq!(plain.average(), &[1.0]); // each step would have moved it by less than its last digit
/// assert!((exact.average()[0] - 1.000_632).abs() < 1e-6); // 1.001 - 0.001 / e
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CompensatedEma {
    /// Weight of the old average: at least 0, at most `1 - 2^-33`, about 0.999_999_999_9.
    pub decay: f64,
}

/// The largest decay of a [`CompensatedEma`]. Nearer to 1 the two numbers together are too short for the changes.
const MOST_COMPENSATED: f64 = 1.0 - 1.0 / (1_u64 << 33) as f64;

/// The average of [`CompensatedEma`] for `N` parameters, and what rounding has left over.
pub type CompensatedEmaState<const N: usize> = State<CompensatedEma, N>;

impl CompensatedEma {
    /// An average over about `1 / (1 - decay)` steps.
    #[must_use]
    pub const fn new(decay: f64) -> Self {
        Self { decay }
    }

    /// Checks that the decay lies in its range. The updates do not check it.
    ///
    /// # Errors
    /// [`Error::Range`] if it does not.
    pub fn check(&self) -> Result<(), Error> {
        check_decay_up_to(MOST_COMPENSATED, self.decay, Hyper::Rho)
    }
}

impl Stateful for CompensatedEma {
    type Columns = Width<2>;
    type Memory = f32;
}

impl Family for CompensatedEma {
    const NAME: Name = Name::new("ema-exact");
}

impl Average for CompensatedEma {
    type Family = Self;
    type Rule = CompensatedEmaRule;

    #[inline]
    fn rule(&self, count: u32) -> CompensatedEmaRule {
        CompensatedEmaRule { gain: gain(self.decay, count) }
    }
}

impl<const N: usize> State<CompensatedEma, N> {
    /// The average: zeros before the first update.
    #[must_use]
    pub const fn average(&self) -> &[f32; N] {
        let [average, _] = &self.columns;
        average
    }
}

/// The constants of one update.
#[derive(Clone, Copy, Debug)]
pub struct CompensatedEmaRule {
    gain: f32,
}

impl Rule for CompensatedEmaRule {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, average: V, [p]: [V; 1], [lost]: [V; 1]) -> (V, [V; 1]) {
        let change = V::splat(isa, self.gain) * (p - average) + lost;
        let new = average + change;
        (new, [change - (new - average)])
    }
}
