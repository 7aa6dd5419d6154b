//! States in half the memory.

use super::{Clock, Optimizer, Stateful};
use crate::error::Error;
use crate::simd::{Bf16, Exec};
use crate::store::{Family, Name};
use core::marker::PhantomData;

/// An optimizer whose state takes half of the memory: made by [`Optimizer::half`], itself an [`Optimizer`].
///
/// Each number of its state is a [`Bf16`], rounded with a dither that is right on average. A parameter is updated by
/// the new state before it is rounded, so that the first step has the bits of the optimizer inside.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Half<O> {
    /// The optimizer.
    pub inner: O,
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
