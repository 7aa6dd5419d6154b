//! A step that layers take, each for its own parameters.

use super::{Optimizer, StateMut, Stateful, With};
use crate::error::{Argument, Error, same_length};
use crate::simd::{AtStep as _, ColumnSet, Exec, Rule, Stored, WIDE};
use crate::transform::Transform;
use core::fmt;
use core::ops::Range;

/// Gradients that stand on the stack at a time: 1 KB of them on a microcontroller, 4 KB elsewhere.
pub(crate) const STRIP: usize = if WIDE { 1024 } else { 256 };

/// One step over some parameters: the rule with its constants, the parameters, their columns of state.
///
/// [`Optimizer::update`] makes it of all parameters of a network and moves the clock by one; [`split`](Self::split) gives
/// each layer its part, and a layer's `backward_step` forms gradients and takes the step at once. The flat arrays of
/// parameters and state stay what they are: files, ensembles and L-BFGS know nothing of layers.
///
/// ```
/// use gradus::layer::Dense;
/// use gradus::{Adam, Optimizer, transform::L2};
///
/// const L1: Dense = Dense::new(3, 4);
/// const L2_: Dense = Dense::new(4, 1);
/// const N: usize = L1.params() + L2_.params();
///
/// let adam = Adam::new(1e-3);
/// let (mut params, mut state) = ([0.1; N], adam.state::<N>());
/// let (x, h, dy, mut dh) = ([1.0, 2.0, 3.0], [0.7; 4], [0.5], [0.0; 4]);
/// let update = adam.update(&mut params, &mut state).on_weights(L2::weight_decay(1e-4));
/// let [first, second] = update.split([L1.params(), L2_.params()])?;
/// L2_.backward_step(second, &h, &dy, Some(&mut dh))?;
/// L1.backward_step(first, &x, &dh, None)?;
/// assert_eq!(state.t(), 1);
/// # Ok::<(), gradus::Error>(())
/// ```
#[must_use = "a layer's backward_step takes it"]
pub struct Update<'a, R: Rule, B: Rule<Columns = R::Columns> = R, M: Stored = f32> {
    weights: R,
    biases: B,
    lr: f32,
    params: &'a mut [f32],
    state: <R::Columns as ColumnSet>::Views<'a, M>,
    /// The step, and which element of the state's tensor the first one is: what the rounding of [`Bf16`](crate::Bf16) depends on.
    place: (u32, u32),
}

/// Its learning rate, and how many parameters it updates: rules have no text.
impl<R: Rule, B: Rule<Columns = R::Columns>, M: Stored> fmt::Debug for Update<'_, R, B, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update")
            .field("lr", &self.lr)
            .field("params", &self.params.len())
            .finish_non_exhaustive()
    }
}

impl<'a, R: Rule + Copy, M: Stored> Update<'a, R, R, M> {
    pub(super) fn new<O: Optimizer<Rule = R, Family: Stateful<Memory = M>>>(
        optimizer: &O,
        params: &'a mut [f32],
        state: StateMut<'a, O::Family>,
    ) -> Self {
        let rule = optimizer.rule(state.clock.tick());
        let place = (state.clock.t, state.first);
        Self { weights: rule, biases: rule, lr: optimizer.lr(), params, state: state.columns, place }
    }
}

impl<'a, R: Rule + Copy, B: Rule<Columns = R::Columns> + Copy, M: Stored> Update<'a, R, B, M> {
    /// The same step with one more transform, of weights alone: biases stay as they are.
    ///
    /// It acts behind the optimizer's own transforms.
    #[doc(alias = "parameter groups")]
    pub fn on_weights<T: Transform>(self, transform: T) -> Update<'a, With<R, T>, B, M> {
        let Self { weights, biases, lr, params, state, place } = self;
        Update {
            weights: With { inner: weights, transform: transform.at(lr) },
            biases,
            lr,
            params,
            state,
            place,
        }
    }

    /// Number of parameters.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.params.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// The parameters before the step.
    #[must_use]
    pub fn params(&self) -> &[f32] {
        self.params
    }

    /// The parts of as many layers, given how many parameters each has.
    ///
    /// # Errors
    /// [`Error::Length`] if they are not as many as all layers together have. Parameters and moments are as they were, but the
    /// step has been counted: the clock, and what it carries, have moved on.
    pub fn split<const K: usize>(self, lengths: [usize; K]) -> Result<[Self; K], Error> {
        let sum = lengths.iter().fold(0_usize, |sum, n| sum.saturating_add(*n));
        same_length(Argument::Params, sum, self.len())?;
        let (weights, biases, lr) = (self.weights, self.biases, self.lr);
        let (mut params, mut state, (t, mut at)) = (self.params, self.state, self.place);
        Ok(lengths.map(|n| {
            let own = core::mem::take(&mut params);
            let (own, others) = own.split_at_mut_checked(n).unwrap_or_default();
            params = others;
            let mut columns = state.as_mut().iter_mut();
            let first = R::Columns::views(|_| {
                let Some(column) = columns.next() else { return Default::default() };
                let (own, others) = core::mem::take(column).split_at_mut_checked(n).unwrap_or_default();
                *column = others;
                own
            });
            let place = (t, at);
            at = at.wrapping_add(n as u32);
            Self { weights, biases, lr, params: own, state: first, place }
        }))
    }

    /// The first `n` parameters and the others.
    #[cfg(feature = "rayon")]
    pub(crate) fn split_at(self, n: usize) -> Option<(Self, Self)> {
        let others = self.len().checked_sub(n)?;
        let [first, second] = self.split([n, others]).ok()?;
        Some((first, second))
    }

    /// The step of the weights in a range, where nothing is out of range.
    pub(crate) fn step_weights(&mut self, exec: Exec, range: Range<usize>, grads: &[f32]) {
        let rule = self.weights;
        self.apply(exec, &rule, range, grads);
    }

    /// The step of the biases in a range, where nothing is out of range.
    pub(crate) fn step_biases(&mut self, exec: Exec, range: Range<usize>, grads: &[f32]) {
        let rule = self.biases;
        self.apply(exec, &rule, range, grads);
    }

    #[inline]
    fn apply<K: Rule<Columns = R::Columns>>(
        &mut self,
        exec: Exec,
        rule: &K,
        range: Range<usize>,
        grads: &[f32],
    ) {
        let (t, first) = self.place;
        let first = first.wrapping_add(range.start as u32);
        let params = self.params.get_mut(range.clone()).unwrap_or_default();
        let mut columns = self.state.as_mut().iter_mut();
        let state = R::Columns::views(|_| {
            columns.next().and_then(|column| column.get_mut(range.clone())).unwrap_or_default()
        });
        if let Ok(pass) = R::Columns::pass(params, grads, state) {
            R::Columns::run(exec, rule, pass.at_step(t, first));
        }
    }
}
