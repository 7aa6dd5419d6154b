//! One step over many tensors: the constants are formed once, lengths are checked before any write.

use super::{Clock, Optimizer, Stateful};
use crate::error::Error;
use crate::simd::{Layout, Level};
use crate::transform::{Transform, With};

/// One tensor of a model: parameters, gradients, columns of state, and transforms of its own.
///
/// The transforms have one type for all tensors and values for each: `L2::new(0.0)` spares a bias.
pub struct Tensor<'a, O: Stateful, T = ()> {
    /// Parameters, to update.
    pub params: &'a mut [f32],
    /// Gradients, as many.
    pub grads: &'a [f32],
    /// Columns of state, each as long.
    pub columns: <O::Columns as Layout>::Views<'a, f32>,
    /// What acts before and after the rule, on this tensor alone.
    pub transform: T,
}

impl<'a, O: Stateful, T> Tensor<'a, O, T> {
    /// The slices for one pass.
    ///
    /// # Errors
    /// [`Error::Length`] if one of them is not as long as the parameters.
    pub(crate) fn columns(&mut self) -> Result<<O::Columns as Layout>::Pass<'_>, Error> {
        O::Columns::pass(self.params, self.grads, O::Columns::reborrow(&mut self.columns))
    }
}

/// Checks every tensor, so that none is written if one is wrong.
pub(crate) fn check_tensors<O: Stateful, T>(tensors: &mut [Tensor<'_, O, T>]) -> Result<(), Error> {
    for tensor in tensors {
        tensor.columns()?;
    }
    Ok(())
}

/// One step of all tensors at one level.
pub(crate) fn step_tensors<O: Optimizer, T: Transform>(
    optimizer: &O,
    tensors: &mut [Tensor<'_, O::Family, T>],
    clock: &mut Clock,
) -> Result<(), Error> {
    check_tensors(tensors)?;
    let level = Level::detect();
    let (lr, rule) = (optimizer.lr(), optimizer.rule(clock.tick()));
    for tensor in tensors {
        let rule = With { optimizer: rule, transform: tensor.transform.at(lr) };
        super::Columns::<O>::run(level, &rule, tensor.columns()?);
    }
    Ok(())
}
