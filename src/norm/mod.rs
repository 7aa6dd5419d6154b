//! Batch normalisation.

mod batch;
mod kernels;

pub use batch::{BatchNorm, BatchNormState, Shape};
