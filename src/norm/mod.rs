//! Normalisation of activations: over a batch, over groups of channels, over the features of a row.
//!
//! ```
//! use gradus::norm::{BatchNorm, BatchShape, Params, Statistics};
//! let params = Params { weight: [1.0], bias: [0.0] };
//! let mut batch = Statistics { mean: [0.0], variance: [0.0] };
//! let (x, mut y) = ([1.0_f32, 3.0], [0.0; 2]); // two samples of one feature
//! BatchNorm::new().forward(BatchShape::dense(2, 1), &x, &mut y, &params, &mut batch)?;
//! assert_eq!((batch.mean, batch.variance), ([2.0], [1.0]));
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! | | mean and variance over | running state | batch of 1 |
//! |---|---|---|---|
//! | [`BatchNorm`] | a channel of all samples | for inference | variance 0: the output is the bias |
//! | [`GroupNorm`] | some channels of a sample | none | like any other |
//! | [`LayerNorm`] | all features of a row | none | like any other |
//! | [`InputNorm`] | an input feature of all samples so far | for training and inference | like any other |
//!
//! [`Params`] and [`Statistics`] are pairs of arrays, vectors or slices with named fields, so that the two cannot be
//! swapped.

mod batch;
mod group;
mod inputs;
mod kernels;
mod parts;
mod rows;
mod shape;

pub use batch::{BatchNorm, BatchNormState};
pub use group::{GroupNorm, LayerNorm};
pub use inputs::{InputNorm, InputNormState};
pub use parts::{Params, Running, Statistics};
pub use shape::BatchShape;
