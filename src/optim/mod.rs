//! First-order optimizers: one file each, and the trait that drives them all.

mod accumulate;
mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod amsgrad;
mod any;
mod epsilon;
mod half;
mod lion;
mod list;
mod moment;
mod momentum;
mod nadam;
mod nesterov;
mod radam;
mod record;
mod rmsprop;
mod schedulefree;
#[cfg(feature = "serde")]
mod serde_state;
mod sgd;
mod split;
mod state;
mod tensors;
mod update;
mod with;

pub use accumulate::{Accumulate, AccumulateState};
pub use adadelta::{Adadelta, AdadeltaState};
pub use adagrad::{AdaGrad, AdaGradState};
pub use adam::{Adam, AdamState};
pub use adamax::{Adamax, AdamaxState};
pub use adamw::{AdamW, AdamWState};
pub use amsgrad::{AmsGrad, AmsGradState};
#[cfg(feature = "alloc")]
pub use any::AnyState;
pub use any::{AnyOptimizer, AnyStateMut, UnknownOptimizer, Visitor};
pub use epsilon::Epsilon;
#[cfg(feature = "ffi")]
pub(crate) use half::each_strip;
pub use half::{Half, InHalf};
pub use lion::{Lion, LionState};
pub use momentum::{Momentum, MomentumState};
pub use nadam::{Nadam, NadamState};
pub use nesterov::{Nesterov, NesterovState};
pub use radam::{RAdam, RAdamState};
#[cfg(feature = "ffi")]
pub(crate) use record::{check_named, read_clock, write_named};
pub use rmsprop::{
    CenteredRmsProp, CenteredRmsPropMomentum, CenteredRmsPropMomentumState, CenteredRmsPropState, RmsProp,
    RmsPropMomentum, RmsPropMomentumState, RmsPropState,
};
pub use schedulefree::{ScheduleFree, ScheduleFreeState};
pub use sgd::{Sgd, SgdState};
#[cfg(feature = "alloc")]
pub use state::StateVec;
pub use state::{Clock, State, StateMut};
pub use tensors::Tensor;
pub(crate) use update::STRIP;
pub use update::Update;
pub use with::With;

use crate::error::{Argument, Error, same_length};
use crate::simd::{AtStep as _, Bf16, ColumnSet, Exec, Rule, Stored, count_overflowing};
use crate::transform::Transform;

/// The columns of an optimizer's rule.
pub(crate) type Columns<O> = <<O as Optimizer>::Rule as Rule>::Columns;

/// What an optimizer's state is stored as.
pub(crate) type Memory<O> = <<O as Optimizer>::Family as Stateful>::Memory;

/// The [`Update`] of all parameters by an optimizer.
pub type UpdateOf<'a, O> = Update<
    'a,
    <O as Optimizer>::Rule,
    <O as Optimizer>::Rule,
    <<O as Optimizer>::Family as Stateful>::Memory,
>;

/// A type that has a state: an optimizer, a running average of weights, a batch normalisation.
pub trait Stateful {
    /// The columns of its state.
    type Columns: ColumnSet;
    /// What a number of its state is stored as: `f32`, or [`Bf16`](crate::Bf16) in half the memory.
    type Memory: Stored;
}

impl<O: Optimizer<Family = O>> Stateful for O {
    type Columns = Columns<O>;
    type Memory = f32;
}

/// An optimizer: the configuration, which a step only reads.
///
/// A type that implements it says what one step's constants are ([`rule`](Self::rule)); the rest
/// is provided. All configurations are `Copy`, so that a schedule needs no setter:
///
/// ```
/// use gradus::{Adam, AdamState, Optimizer};
///
/// let adam = Adam::new(1e-3);
/// let mut state = AdamState::<2>::new();
/// let mut params = [1.0, -1.0];
/// for step in 0..3 {
///     let grads = [2.0 * params[0], 2.0 * params[1]];
///     adam.with_lr(1e-3 / (1.0 + step as f32)).step(&mut params, &grads, &mut state);
/// }
/// assert_eq!(state.t(), 3);
/// ```
///
/// Training code over any optimizer takes `impl Optimizer`:
///
/// ```
/// use gradus::{Momentum, Optimizer};
///
/// fn descend(optimizer: impl Optimizer, x: &mut [f32; 1]) {
///     let mut state = optimizer.state();
///     for _ in 0..200 {
///         let grads = [2.0 * x[0]];
///         optimizer.step(x, &grads, &mut state);
///     }
/// }
///
/// let mut x = [1.0];
/// descend(Momentum::new(0.01), &mut x);
/// assert!(x[0].abs() < 1e-3);
/// ```
#[doc(alias = "training step")]
#[doc(alias = "learning rate")]
pub trait Optimizer: Copy {
    /// The type that names the state: `Self`, or the optimizer inside of a wrapper.
    type Family: Stateful<Columns = Columns<Self>>;

    /// The formula with the constants of one step.
    type Rule: Rule + Copy;

    /// Whether its state may be [half](Self::half).
    #[doc(hidden)]
    const HALVES: bool = true;

    /// The constants of step `clock.t()`, counted from 1.
    ///
    /// A rule that carries a number from step to step keeps it in the clock.
    fn rule(&self, clock: &mut Clock) -> Self::Rule;

    /// Learning rate.
    fn lr(&self) -> f32;

    /// The same optimizer with another learning rate.
    #[must_use]
    fn with_lr(self, lr: f32) -> Self;

    /// Checks that every hyper-parameter lies in its range. The steps do not check it.
    ///
    /// # Errors
    /// [`Error::Range`] names the first that does not.
    fn check(&self) -> Result<(), Error>;

    /// Where the steps run: on the widest instruction set and one thread, unless [`on`](Self::on) has chosen.
    #[inline(always)]
    fn exec(&self) -> Exec {
        Exec::new()
    }

    /// This optimizer on chosen threads or a chosen instruction set, with the same bits: see [`Exec`].
    fn on(self, exec: impl Into<Exec>) -> On<Self> {
        On { inner: self, exec: exec.into() }
    }

    /// This optimizer with a state of half the size: a column takes two bytes per parameter in place of four.
    ///
    /// Training ends where it would with a whole state, within the differences between seeds. AMSGrad has no half
    /// state, because the largest of rounded values drifts upwards. Nor has [`ScheduleFree`], where errors of rounding
    /// decay only by `1 / t` in a step and add up in a long run.
    ///
    /// ```
    /// use gradus::{Adam, Optimizer, transform::Scale};
    /// let adam = Adam::new(1e-3).half().with(Scale(1.0 / 32.0));
    /// let (mut params, mut state) = ([0.5; 64], adam.state());
    /// adam.step(&mut params, &[32.0; 64], &mut state);
    /// assert_eq!(size_of_val(&state), 2 * 2 * 64 + 8);
    /// ```
    ///
    /// ```compile_fail,E0080
    /// use gradus::{AmsGrad, Optimizer};
    /// AmsGrad::new(1e-3).half();
    /// ```
    ///
    /// ```compile_fail,E0080
    /// use gradus::{AmsGrad, Half, Optimizer};
    /// let half = Half { inner: AmsGrad::new(1e-3) };
    /// half.step(&mut [1.0], &[1.0], &mut half.state());
    /// ```
    fn half(self) -> Half<Self> {
        const { Half::<Self>::EXISTS };
        Half { inner: self }
    }

    /// This optimizer with one more transform of gradients and parameters in the same pass.
    ///
    /// Transforms act in the order in which they are written: `.with(A).with(B)` is `.with((A, B))`, on the gradient
    /// A before B, and on the parameter A before B.
    ///
    /// ```
    /// use gradus::{Adam, Optimizer, transform::{ClipValue, Scale, L2}};
    /// // Mean over a batch of 32, clipped, plus an L2 penalty: still one pass over memory.
    /// let adam = Adam::new(1e-3).with((Scale(1.0 / 32.0), ClipValue(1.0), L2::weight_decay(1e-4)));
    /// assert_eq!(adam.check(), Ok(()));
    /// ```
    fn with<T: Transform>(self, transform: T) -> With<Self, T> {
        With { inner: self, transform }
    }

    /// The initial state of as many parameters as the array that it is used with.
    ///
    /// ```
    /// use gradus::{Adam, Optimizer};
    /// let adam = Adam::new(1e-3);
    /// let (mut params, mut state) = ([1.0; 64], adam.state());
    /// adam.step(&mut params, &[0.5; 64], &mut state);
    /// ```
    #[must_use]
    fn state<const N: usize>(&self) -> State<Self::Family, N> {
        State::new()
    }

    /// The initial state of `n` parameters, on the heap.
    #[cfg(feature = "alloc")]
    #[must_use]
    fn state_vec(&self, n: usize) -> StateVec<Self::Family> {
        StateVec::new(n)
    }

    /// Updates `params` by one step. Lengths are checked by the compiler: this cannot fail.
    ///
    /// ```
    /// use gradus::{AdaGrad, Momentum, Optimizer};
    /// let (adagrad, mut state) = (AdaGrad::new(0.1), AdaGrad::new(0.1).state());
    /// adagrad.step(&mut [1.0, 2.0], &[0.5, 0.5], &mut state);
    /// ```
    ///
    /// What has another length does not compile, nor does the state of another optimizer:
    ///
    /// ```compile_fail,E0308
    /// # use gradus::{AdaGrad, Momentum, Optimizer};
    /// # let (adagrad, mut state) = (AdaGrad::new(0.1), AdaGrad::new(0.1).state());
    /// adagrad.step(&mut [1.0, 2.0], &[0.5], &mut state);
    /// ```
    ///
    /// ```compile_fail,E0308
    /// # use gradus::{AdaGrad, Momentum, Optimizer};
    /// # let (adagrad, mut state) = (AdaGrad::new(0.1), Momentum::new(0.1).state());
    /// adagrad.step(&mut [1.0, 2.0], &[0.5, 0.5], &mut state);
    /// ```
    ///
    /// ```compile_fail,E0308
    /// # use gradus::{AdaGrad, Momentum, Optimizer};
    /// # let (adagrad, mut state) = (AdaGrad::new(0.1), AdaGrad::new(0.1).state::<3>());
    /// adagrad.step(&mut [1.0, 2.0], &[0.5, 0.5], &mut state);
    /// ```
    #[inline]
    fn step<const N: usize>(
        &self,
        params: &mut [f32; N],
        grads: &[f32; N],
        state: &mut State<Self::Family, N>,
    ) {
        let rule = self.rule(state.clock.tick());
        let pass = Columns::<Self>::pass_arrays(params, grads, &mut state.columns);
        Columns::<Self>::run(self.exec(), &rule, pass.at_step(state.clock.t, 0));
    }

    /// Updates `params` by one step, from slices in any memory.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice is not as long as `params`; nothing was changed.
    #[inline]
    fn step_slices(
        &self,
        params: &mut [f32],
        grads: &[f32],
        state: StateMut<'_, Self::Family>,
    ) -> Result<(), Error> {
        let pass = Columns::<Self>::pass(params, grads, state.columns)?;
        run_step(self, pass, state.clock, state.first);
        Ok(())
    }

    /// Updates `params` by one step, from sums of gradients in half the memory: see
    /// [`HalfGrads`](crate::layer::HalfGrads). The bits are those of [`step_slices`](Self::step_slices) with the same
    /// numbers as `f32`.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice is not as long as `params`; nothing was changed.
    fn step_half_grads(
        &self,
        params: &mut [f32],
        grads: &[Bf16],
        state: StateMut<'_, Self::Family>,
    ) -> Result<(), Error> {
        half::step_half_grads(self, params, grads, state)
    }

    /// Updates `params` only if the step can compute with every gradient, and returns with how many it cannot.
    ///
    /// Those are the gradients that are infinite or NaN, and those that the transforms make so. A rule that squares its
    /// gradients cannot compute with one above 1.8e19 either, whose square is infinite: it would stand still for ever.
    /// What overflows only together with the state is not counted: a sum of AdaGrad, a velocity.
    /// Where the count is not 0 the step was skipped: parameters, state and `t` are as they were.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice is not as long as `params`; nothing was changed.
    ///
    /// ```
    /// use gradus::{Optimizer, Sgd, SgdState};
    /// let (mut params, mut state) = ([1.0, 2.0], SgdState::<2>::new());
    /// let skipped = Sgd::new(0.1).step_if_finite(&mut params, &[f32::NAN, 1.0], state.as_mut())?;
    /// assert_eq!((skipped, params, state.t()), (1, [1.0, 2.0], 0));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[inline]
    fn step_if_finite(
        &self,
        params: &mut [f32],
        grads: &[f32],
        mut state: StateMut<'_, Self::Family>,
    ) -> Result<usize, Error> {
        Columns::<Self>::pass(params, grads, Columns::<Self>::reborrow(&mut state.columns))?; // lengths first
        let mut ahead = *state.clock; // a step that is skipped moves no clock
        let count = count_overflowing(self.exec(), &self.rule(ahead.tick()), params, grads);
        if count == 0 {
            let pass = Columns::<Self>::pass(params, grads, state.columns)?;
            run_step(self, pass, state.clock, state.first);
        }
        Ok(count)
    }

    /// One step that layers take, each for its own parameters: see [`Update`]. The clock moves by one.
    #[inline]
    fn update<'a, const N: usize>(
        &self,
        params: &'a mut [f32; N],
        state: &'a mut State<Self::Family, N>,
    ) -> UpdateOf<'a, Self> {
        Update::new(self, params, state.as_mut())
    }

    /// The same over slices in any memory.
    ///
    /// # Errors
    /// [`Error::Length`] if a column of the state is not as long as `params`; the clock stands still.
    #[inline]
    fn update_slices<'a>(
        &self,
        params: &'a mut [f32],
        mut state: StateMut<'a, Self::Family>,
    ) -> Result<UpdateOf<'a, Self>, Error> {
        for column in state.columns.as_mut() {
            same_length(Argument::State, params.len(), column.len())?;
        }
        Ok(Update::new(self, params, state))
    }

    /// Updates many tensors by one step with one clock for all: a model's list of layers.
    ///
    /// All tensors are at step `clock.t`. One that joins late, with zeros for its state, is therefore treated as if
    /// its gradients had been 0 until then: for Adam its first steps are too long, up to 2.15 times the learning rate
    /// where it joins at step 100, and 5.24 times at step 1000. [`step_each`](Self::step_each) has a clock for each.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice is not as long as its parameters; no tensor was changed.
    ///
    /// ```
    /// use gradus::{Adam, Clock, Optimizer, Tensor, transform::L2};
    ///
    /// let adam = Adam::new(0.1);
    /// let (mut weights, mut bias) = ([0.5, -0.5], [0.0]);
    /// let (mut w, mut b, mut clock) = (adam.state::<2>(), adam.state::<1>(), Clock::new());
    /// let mut tensors = [
    ///     Tensor::new(&mut weights, &[1.0, -1.0], w.as_mut()).with(L2::weight_decay(1e-4)),
    ///     Tensor::new(&mut bias, &[1.0], b.as_mut()).with(L2::new(0.0)), // no decay of a bias
    /// ];
    /// adam.step_tensors(&mut tensors, &mut clock)?;
    /// assert_eq!(clock.t, 1);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// A state goes to the optimizer that it is a state of:
    ///
    /// ```compile_fail,E0308
    /// use gradus::{AdaGrad, Clock, Momentum, Optimizer, Tensor};
    /// let (momentum, adagrad) = (Momentum::new(0.1), AdaGrad::new(0.1));
    /// let (mut params, mut state, mut clock) = ([1.0], momentum.state::<1>(), Clock::new());
    /// adagrad.step_tensors(&mut [Tensor::new(&mut params, &[1.0], state.as_mut())], &mut clock);
    /// ```
    ///
    /// ```
    /// # use gradus::{AdaGrad, Clock, Momentum, Optimizer, Tensor};
    /// # let (momentum, adagrad) = (Momentum::new(0.1), AdaGrad::new(0.1));
    /// # let (mut params, mut state, mut clock) = ([1.0], adagrad.state::<1>(), Clock::new());
    /// adagrad.step_tensors(&mut [Tensor::new(&mut params, &[1.0], state.as_mut())], &mut clock)?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[doc(alias = "parameter groups")]
    fn step_tensors<T: Transform>(
        &self,
        tensors: &mut [Tensor<'_, Self::Family, T>],
        clock: &mut Clock,
    ) -> Result<(), Error> {
        tensors::step_tensors(self, tensors, clock)
    }

    /// Updates many tensors by one step, each by its own clock: a tensor that joins late begins at its own step 1.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice is not as long as its parameters; no tensor was changed.
    fn step_each<T: Transform>(&self, tensors: &mut [Tensor<'_, Self::Family, T>]) -> Result<(), Error> {
        tensors::step_each(self, tensors)
    }
}

/// The step of a pass whose lengths are checked.
#[inline]
fn run_step<O: Optimizer>(
    optimizer: &O,
    pass: <Columns<O> as ColumnSet>::Pass<'_, Memory<O>>,
    clock: &mut Clock,
    first: u32,
) {
    let rule = optimizer.rule(clock.tick());
    Columns::<O>::run(optimizer.exec(), &rule, pass.at_step(clock.t, first));
}

/// An optimizer on chosen threads or a chosen instruction set: made by [`Optimizer::on`], itself an [`Optimizer`].
///
/// It has the state of the optimizer inside. An [`Average`](crate::ensemble::Average) of weights has the same.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct On<O> {
    /// What runs there.
    pub inner: O,
    /// Where it runs.
    pub exec: Exec,
}

impl<O: Optimizer> Optimizer for On<O> {
    type Family = O::Family;
    type Rule = O::Rule;
    const HALVES: bool = O::HALVES;

    #[inline]
    fn rule(&self, clock: &mut Clock) -> O::Rule {
        self.inner.rule(clock)
    }
    fn lr(&self) -> f32 {
        self.inner.lr()
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { inner: self.inner.with_lr(lr), ..self }
    }
    fn check(&self) -> Result<(), Error> {
        self.inner.check()
    }
    #[inline(always)]
    fn exec(&self) -> Exec {
        self.exec
    }
}
