//! States in half the memory.

use super::{Clock, Optimizer, STRIP, StateMut, Stateful, Update};
use crate::error::{Argument, Error, same_length};
#[cfg(feature = "rayon")]
use crate::simd::join;
use crate::simd::{Bf16, Exec, Rule, Stored, widen};
use crate::store::{Family, Name};
use core::marker::PhantomData;
use core::ops::Range;

/// An optimizer whose state takes half of the memory: made by [`Optimizer::half`], itself an [`Optimizer`].
///
/// Each number of its state is a [`Bf16`], rounded with a dither that is right on average. A parameter is updated by
/// the new state before it is rounded, so that the first step has the bits of the optimizer inside.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "mixed precision")]
#[doc(alias = "bf16 state")]
pub struct Half<O> {
    /// The optimizer.
    pub inner: O,
}

impl<O: Optimizer> Half<O> {
    /// The compiler refuses what has no half state: where it is made, and where one that was made otherwise takes a step.
    pub(super) const EXISTS: () = assert!(
        O::HALVES,
        "no state in half the memory: in AMSGrad the largest of rounded values drifts, and a schedule-free average needs its digits"
    );
}

/// Names the state of a [`Half`]: that of `F`, stored as [`Bf16`].
#[derive(Clone, Copy, Debug)]
pub struct InHalf<F>(PhantomData<F>);

impl<F: Stateful> Stateful for InHalf<F> {
    type Columns = F::Columns;
    type Memory = Bf16;
}

/// In files the name has a suffix for the type of its numbers, `adam/16`.
impl<F: Family> Family for InHalf<F> {
    const NAME: Name = F::NAME;
}

impl<O: Optimizer> Optimizer for Half<O> {
    type Family = InHalf<O::Family>;
    type Rule = O::Rule;

    #[inline]
    fn rule(&self, clock: &mut Clock) -> O::Rule {
        const { Self::EXISTS };
        self.inner.rule(clock)
    }
    fn lr(&self) -> f32 {
        self.inner.lr()
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { inner: self.inner.with_lr(lr) }
    }
    fn check(&self) -> Result<(), Error> {
        self.inner.check()
    }
    #[inline(always)]
    fn exec(&self) -> Exec {
        self.inner.exec()
    }
}

/// The step with gradients in half the memory: a strip of them at a time is widened on the stack.
pub(super) fn step_half_grads<O: Optimizer>(
    optimizer: &O,
    params: &mut [f32],
    grads: &[Bf16],
    mut state: StateMut<'_, O::Family>,
) -> Result<(), Error> {
    same_length(Argument::Grads, params.len(), grads.len())?;
    let exec = optimizer.exec();
    let parts = exec.parts(params.len());
    strips(exec.alone(), optimizer.update_slices(params, state.reborrow())?, grads, parts);
    Ok(())
}

/// All strips, on as many threads as there are parts.
fn strips<R: Rule + Copy, M: Stored>(
    exec: Exec,
    mut update: Update<'_, R, R, M>,
    grads: &[Bf16],
    parts: usize,
) {
    #[cfg(feature = "rayon")]
    if parts > 1 {
        let half = parts / 2;
        let middle = grads.len() / parts * half;
        let (left, right) = grads.split_at_checked(middle).unwrap_or_default();
        if let Some((first, second)) = update.split_at(middle) {
            join(|| strips(exec, first, left, half), || strips(exec, second, right, parts - half));
        }
        return;
    }
    let _ = parts;
    each_strip(exec, grads, |range, wide| update.step_weights(exec, range, wide));
}

/// Widens sums of gradients on the stack, a strip at a time, and hands each to `act` with its range.
pub(crate) fn each_strip(exec: Exec, sums: &[Bf16], mut act: impl FnMut(Range<usize>, &[f32])) {
    let (mut strip, mut at) = ([0.0; STRIP], 0);
    for halves in sums.chunks(STRIP) {
        let wide = strip.get_mut(..halves.len()).unwrap_or_default();
        widen(exec, halves, wide);
        act(at..at + halves.len(), wide);
        at += halves.len();
    }
}

/// A run that was begun with whole states goes on with half ones, and the other way round.
///
/// Here alone numbers are rounded to the nearest: once, not in every step.
///
/// ```
/// use gradus::{Adam, Optimizer};
/// let adam = Adam::new(1e-3);
/// let (mut params, mut whole) = ([0.5; 8], adam.state());
/// adam.step(&mut params, &[1.0; 8], &mut whole);
///
/// let mut halved = adam.half().state::<8>();
/// whole.as_mut().round_to_half(halved.as_mut())?;
/// adam.half().step(&mut params, &[1.0; 8], &mut halved);
/// halved.as_mut().widen(whole.as_mut())?;
/// assert_eq!(whole.t(), 2);
/// # Ok::<(), gradus::Error>(())
/// ```
impl<F: Stateful<Memory = f32>> StateMut<'_, F> {
    /// Writes this state to one in half the memory, each number rounded to the nearest.
    ///
    /// # Errors
    /// [`Error::Length`] if the states are not of one length; nothing was changed.
    pub fn round_to_half(&self, mut to: StateMut<'_, InHalf<F>>) -> Result<(), Error> {
        let columns = to.columns.as_mut();
        for (to, from) in columns.iter().zip(self.columns.as_ref()) {
            same_length(Argument::State, from.len(), to.len())?;
        }
        for (to, from) in columns.iter_mut().zip(self.columns.as_ref()) {
            for (to, from) in to.iter_mut().zip(from.iter()) {
                *to = Bf16::from_f32_nearest(*from);
            }
        }
        *to.clock = *self.clock;
        Ok(())
    }
}

impl<F: Stateful<Memory = f32>> StateMut<'_, InHalf<F>> {
    /// Writes this state to one of whole numbers, exactly.
    ///
    /// # Errors
    /// [`Error::Length`] if the states are not of one length; nothing was changed.
    pub fn widen(&self, mut to: StateMut<'_, F>) -> Result<(), Error> {
        let columns = to.columns.as_mut();
        for (to, from) in columns.iter().zip(self.columns.as_ref()) {
            same_length(Argument::State, from.len(), to.len())?;
        }
        for (to, from) in columns.iter_mut().zip(self.columns.as_ref()) {
            for (to, from) in to.iter_mut().zip(from.iter()) {
                *to = from.to_f32();
            }
        }
        *to.clock = *self.clock;
        Ok(())
    }
}
