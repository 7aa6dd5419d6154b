//! First-order optimizers: one file each, and the trait that drives them all.

mod adagrad;
mod adam;
mod adamw;
mod amsgrad;
mod epsilon;
mod lion;
mod momentum;
mod nadam;
mod nesterov;
mod rmsprop;
mod sgd;
mod state;
mod tensors;

pub use adagrad::{AdaGrad, AdaGradState};
pub use adam::{Adam, AdamState};
pub use adamw::{AdamW, AdamWState};
pub use amsgrad::{AmsGrad, AmsGradState};
pub use epsilon::Epsilon;
pub use lion::{Lion, LionState};
pub use momentum::{Momentum, MomentumState};
pub use nadam::{Nadam, NadamState};
pub use nesterov::{Nesterov, NesterovState};
pub use rmsprop::{
    CenteredRmsProp, CenteredRmsPropMomentum, CenteredRmsPropMomentumState, CenteredRmsPropState, RmsProp,
    RmsPropMomentum, RmsPropMomentumState, RmsPropState,
};
pub use sgd::{Sgd, SgdState};
#[cfg(feature = "std")]
pub use state::StateVec;
pub use state::{Clock, State, StateMut};
pub use tensors::Tensor;
#[cfg(feature = "rayon")]
pub(crate) use tensors::check_tensors;

use crate::error::{Error, Hyper, require};
use crate::simd::{Layout, Level, Rule, count_non_finite};
use crate::transform::{Transform, With};

/// The columns of an optimizer's rule.
pub(crate) type Columns<O> = <<O as Optimizer>::Rule as Rule>::Columns;

/// What has a state: an optimizer, a running average of weights, a batch norm.
pub trait Stateful {
    /// The columns of its state.
    type Columns: Layout;
}

impl<O: Optimizer<Family = O>> Stateful for O {
    type Columns = Columns<O>;
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
/// use gradus::{Momentum, Optimizer, State};
///
/// fn descend<const K: usize>(optimizer: impl Optimizer, x: &mut [f32; 1]) {
///     let mut state = State::new();
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
pub trait Optimizer: Copy {
    /// The type that names the state: `Self`, or the optimizer inside of a wrapper.
    type Family: Stateful<Columns = Columns<Self>>;

    /// The formula with the constants of one step.
    type Rule: Rule + Copy + Sync;

    /// The constants of step `clock.t()`, counted from 1.
    ///
    /// A rule that carries a number from step to step keeps it in the clock.
    fn rule(&self, clock: &mut Clock) -> Self::Rule;

    /// Learning rate.
    fn lr(&self) -> f32;

    /// The same optimizer with another learning rate.
    #[must_use]
    fn with_lr(self, lr: f32) -> Self;

    /// Whether every hyper-parameter lies in its range; the steps do not ask.
    ///
    /// # Errors
    /// [`Error::Range`] names the first that does not.
    fn check(&self) -> Result<(), Error>;

    /// Updates `params` by one step. Lengths are checked by the compiler: this cannot fail.
    #[inline]
    fn step<const N: usize>(
        &self,
        params: &mut [f32; N],
        grads: &[f32; N],
        state: &mut State<Self::Family, N>,
    ) {
        let rule = self.rule(state.clock.tick());
        let pass = Columns::<Self>::pass_arrays(params, grads, &mut state.columns);
        Columns::<Self>::run(Level::detect(), &rule, pass);
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
        self.step_slices_at(Level::detect(), params, grads, state)
    }

    /// [`step_slices`](Self::step_slices) at a chosen instruction set: for tests and benchmarks.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice is not as long as `params`; nothing was changed.
    #[inline]
    fn step_slices_at(
        &self,
        level: Level,
        params: &mut [f32],
        grads: &[f32],
        state: StateMut<'_, Self::Family>,
    ) -> Result<(), Error> {
        let pass = Columns::<Self>::pass(params, grads, state.columns)?;
        Columns::<Self>::run(level, &self.rule(state.clock.tick()), pass);
        Ok(())
    }

    /// Updates `params` only if every gradient is finite, and returns how many are not.
    ///
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
        state: StateMut<'_, Self::Family>,
    ) -> Result<usize, Error> {
        let pass = Columns::<Self>::pass(params, grads, state.columns)?;
        let level = Level::detect();
        let count = count_non_finite(level, grads);
        if count == 0 {
            Columns::<Self>::run(level, &self.rule(state.clock.tick()), pass);
        }
        Ok(count)
    }

    /// Updates many tensors by one step: a model's list of layers, with one clock for all.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice is not as long as its parameters; no tensor was changed.
    ///
    /// ```
    /// use gradus::{Adam, AdamState, Clock, Optimizer, Tensor, transform::L2};
    ///
    /// let (mut weights, mut bias) = ([0.5, -0.5], [0.0]);
    /// let (mut w, mut b, mut clock) = (AdamState::<2>::new(), AdamState::<1>::new(), Clock::new());
    /// let mut tensors = [
    ///     Tensor {
    ///         params: &mut weights,
    ///         grads: &[1.0, -1.0],
    ///         columns: w.as_mut().columns,
    ///         transform: L2::new(1e-4),
    ///     },
    ///     // No decay of a bias.
    ///     Tensor { params: &mut bias, grads: &[1.0], columns: b.as_mut().columns, transform: L2::new(0.0) },
    /// ];
    /// Adam::new(0.1).step_tensors(&mut tensors, &mut clock)?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    fn step_tensors<T: Transform>(
        &self,
        tensors: &mut [Tensor<'_, Self::Family, T>],
        clock: &mut Clock,
    ) -> Result<(), Error> {
        tensors::step_tensors(self, tensors, clock)
    }

    /// [`step_slices`](Self::step_slices) on all threads of the current `rayon` pool, to the same bits.
    ///
    /// Short slices stay on the caller's thread.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice is not as long as `params`; nothing was changed.
    #[cfg(feature = "rayon")]
    fn par_step_slices(
        &self,
        params: &mut [f32],
        grads: &[f32],
        state: StateMut<'_, Self::Family>,
    ) -> Result<(), Error> {
        let pass = Columns::<Self>::pass(params, grads, state.columns)?;
        Columns::<Self>::par_run(Level::detect(), &self.rule(state.clock.tick()), pass, None);
        Ok(())
    }

    /// [`step_tensors`](Self::step_tensors) on all threads of the current `rayon` pool, to the same bits.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice is not as long as its parameters; no tensor was changed.
    #[cfg(feature = "rayon")]
    fn par_step_tensors<T: Transform>(
        &self,
        tensors: &mut [Tensor<'_, Self::Family, T>],
        clock: &mut Clock,
    ) -> Result<(), Error> {
        crate::par::par_step_tensors(self, tensors, clock)
    }

    /// This optimizer with transforms of gradients and parameters in the same pass.
    ///
    /// ```
    /// use gradus::{Adam, Optimizer, transform::{ClipValue, Scale, L2}};
    /// // Mean over a batch of 32, clipped, plus an L2 penalty: still one pass over memory.
    /// let adam = Adam::new(1e-3).with((Scale(1.0 / 32.0), ClipValue(1.0), L2::weight_decay(1e-4)));
    /// assert_eq!(adam.check(), Ok(()));
    /// ```
    /// The initial state of as many parameters as the array that it is used with.
    fn state<const N: usize>(&self) -> State<Self::Family, N> {
        State::new()
    }

    /// The initial state of `n` parameters, on the heap.
    #[cfg(feature = "std")]
    fn state_vec(&self, n: usize) -> StateVec<Self::Family> {
        StateVec::new(n)
    }

    /// With transforms.
    fn with<T: Transform>(self, transform: T) -> With<Self, T> {
        With { optimizer: self, transform }
    }
}

/// Checks that several rules share.
pub(crate) fn check_lr(lr: f32) -> Result<(), Error> {
    require(lr >= 0.0 && lr < f32::INFINITY, Hyper::LearningRate)
}

/// Decay of a running average.
pub(crate) fn check_decay(decay: f64, hyper: Hyper) -> Result<(), Error> {
    // What counts is the rounded value: a decay that rounds to 1 never forgets.
    require(decay >= 0.0 && (decay as f32) < 1.0, hyper)
}

/// Decoupled weight decay: the factor `1 - lr * weight_decay` must stay above 0.
pub(crate) fn check_weight_decay(lr: f32, weight_decay: f32) -> Result<(), Error> {
    require(
        weight_decay >= 0.0 && weight_decay < f32::INFINITY && lr * weight_decay < 1.0,
        Hyper::WeightDecay,
    )
}
