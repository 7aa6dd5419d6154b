//! One step over many tensors: lengths are checked before any write, and threads share the elements of all.

use super::with::With;
use super::{Clock, Optimizer, StateMut, Stateful};
use crate::error::Error;
use crate::simd::{AtStep as _, ColumnSet, Level, Rule};
use crate::transform::Transform;
use core::fmt;

/// One tensor of a model: parameters, gradients, state, and transforms of its own.
///
/// The transforms have one type for all tensors of a list and values for each: `L2::new(0.0)` spares a bias.
/// They act after those of the optimizer.
pub struct Tensor<'a, O: Stateful, T = ()> {
    /// Parameters, to update.
    pub params: &'a mut [f32],
    /// Gradients, as many.
    pub grads: &'a [f32],
    /// The state, with columns as long.
    pub state: StateMut<'a, O>,
    /// What acts before and after the rule, on this tensor alone.
    pub transform: T,
}

// By hand: a derive would ask for `O: Debug`, which is only a name here.
impl<O: Stateful, T: fmt::Debug> fmt::Debug for Tensor<'_, O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensor")
            .field("params", &self.params)
            .field("grads", &self.grads)
            .field("state", &self.state)
            .field("transform", &self.transform)
            .finish()
    }
}

impl<'a, O: Stateful> Tensor<'a, O> {
    /// A tensor without transforms. Lengths are checked by the step.
    #[must_use]
    pub const fn new(params: &'a mut [f32], grads: &'a [f32], state: StateMut<'a, O>) -> Self {
        Self { params, grads, state, transform: () }
    }

    /// The same tensor with a transform of its own, or a tuple of them.
    #[must_use]
    pub fn with<T: Transform>(self, transform: T) -> Tensor<'a, O, T> {
        Tensor { params: self.params, grads: self.grads, state: self.state, transform }
    }
}

impl<O: Stateful, T> Tensor<'_, O, T> {
    /// The slices for one pass.
    ///
    /// # Errors
    /// [`Error::Length`] if one of them is not as long as the parameters.
    fn pass(&mut self) -> Result<<O::Columns as ColumnSet>::Pass<'_, O::Memory>, Error> {
        O::Columns::pass(self.params, self.grads, O::Columns::reborrow(&mut self.state.columns))
    }
}

/// Checks every tensor, so that none is written if one is wrong.
fn check_tensors<O: Stateful, T>(tensors: &mut [Tensor<'_, O, T>]) -> Result<(), Error> {
    tensors.iter_mut().try_for_each(|tensor| tensor.pass().map(drop))
}

/// One step of all tensors by one clock.
pub(super) fn step_tensors<O: Optimizer, T: Transform>(
    optimizer: &O,
    tensors: &mut [Tensor<'_, O::Family, T>],
    clock: &mut Clock,
) -> Result<(), Error> {
    check_tensors(tensors)?;
    let exec = optimizer.exec();
    let rule = optimizer.rule(clock.tick());
    let step = Step { level: exec.level(), lr: optimizer.lr(), rule, t: clock.t };
    step.all(tensors, &|n| exec.parts(n))
}

/// One step of all tensors, each by its own clock.
pub(super) fn step_each<O: Optimizer, T: Transform>(
    optimizer: &O,
    tensors: &mut [Tensor<'_, O::Family, T>],
) -> Result<(), Error> {
    check_tensors(tensors)?;
    let exec = optimizer.exec();
    for tensor in tensors {
        let rule = optimizer.rule(tensor.state.clock.tick());
        let step = Step { level: exec.level(), lr: optimizer.lr(), rule, t: tensor.state.clock.t };
        let parts = exec.parts(tensor.params.len());
        step.one(tensor, parts)?;
    }
    Ok(())
}

/// What one step of every tensor shares.
struct Step<R> {
    level: Level,
    lr: f32,
    rule: R,
    t: u32,
}

impl<R: Rule + Copy> Step<R> {
    /// One tensor, on a number of threads.
    fn one<O, T: Transform>(&self, tensor: &mut Tensor<'_, O, T>, parts: usize) -> Result<(), Error>
    where
        O: Stateful<Columns = R::Columns>,
    {
        let rule = With { inner: self.rule, transform: tensor.transform.at(self.lr) };
        let first = tensor.state.first;
        let pass = tensor.pass()?.at_step(self.t, first);
        R::Columns::run_parts(self.level, &rule, pass, parts);
        Ok(())
    }

    /// All of them, on as many threads as `parts` finds worth it for a number of elements.
    fn all<O, T: Transform>(
        &self,
        tensors: &mut [Tensor<'_, O, T>],
        parts: &(impl Fn(usize) -> usize + Sync),
    ) -> Result<(), Error>
    where
        O: Stateful<Columns = R::Columns>,
    {
        let together = parts(total(tensors));
        #[cfg(feature = "rayon")]
        if together > 1 && tensors.len() > 1 {
            return self.shared(tensors, together, parts);
        }
        tensors.iter_mut().try_for_each(|tensor| self.one(tensor, together))
    }

    /// Cuts the list where that balances elements, and where a tensor is too large for that, the tensor.
    #[cfg(feature = "rayon")]
    fn shared<O, T: Transform>(
        &self,
        tensors: &mut [Tensor<'_, O, T>],
        parts: usize,
        worth: &(impl Fn(usize) -> usize + Sync),
    ) -> Result<(), Error>
    where
        O: Stateful<Columns = R::Columns>,
    {
        if parts == 1 || tensors.len() < 2 {
            return tensors.iter_mut().try_for_each(|tensor| self.one(tensor, parts));
        }
        let total = total(tensors);
        let (mut cut, mut left) = (1, tensors[0].params.len());
        while cut + 1 < tensors.len() && 2 * left < total {
            left += tensors[cut].params.len();
            cut += 1;
        }
        let share = ((left as u64 * parts as u64 + total as u64 / 2) / total as u64) as usize;
        let (left, right) = tensors.split_at_mut(cut);
        if share == 0 || share == parts {
            // One side is not worth a thread: one after the other, each on as many as it fills.
            let [left_parts, right_parts] = [&*left, &*right].map(|side| parts.min(worth(self::total(side))));
            return self.shared(left, left_parts, worth).and(self.shared(right, right_parts, worth));
        }
        let (left, right) = crate::simd::join(
            || self.shared(left, share, worth),
            || self.shared(right, parts - share, worth),
        );
        left.and(right)
    }
}

/// Elements of all tensors.
fn total<O: Stateful, T>(tensors: &[Tensor<'_, O, T>]) -> usize {
    tensors.iter().map(|tensor| tensor.params.len()).sum()
}
