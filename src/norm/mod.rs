//! Batch normalisation.

mod batch;
mod kernels;
mod parts;
mod shape;

pub use batch::{BatchNorm, BatchNormState};
pub use parts::{Params, Running, Statistics};
pub use shape::BatchShape;
