//! Normalisation of activations: over a batch, over groups of channels, over the features of a row.
//!
//! | | mean and variance over | running state | batch of 1 |
//! |---|---|---|---|
//! | [`BatchNorm`] | a channel of all samples | for inference | variance 0: gives the bias |
//! | [`GroupNorm`] | some channels of a sample | none | as any other |
//! | [`LayerNorm`] | all features of a row | none | as any other |
//!
//! Pairs of slices go by their names, [`Params`] and [`Statistics`], in any memory.

mod batch;
mod group;
mod kernels;
mod parts;
mod rows;
mod shape;

pub use batch::{BatchNorm, BatchNormState};
pub use group::{GroupNorm, LayerNorm};
pub use parts::{Params, Running, Statistics};
pub use shape::BatchShape;
