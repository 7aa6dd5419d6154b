//! Random masks and what is built of them: dropout, DropConnect, stochastic depth, Monte Carlo.
//!
//! A mask has one bit per element, 32 to a word: bit `i mod 32` of word `i / 32` is 1 where element
//! `i` is kept. [`Masks`] draws them. Probabilities are called `drop_prob` or `keep_prob`, never `p`:
//! to PyTorch that is the probability to drop, to the papers the one to keep.

pub(crate) mod chance;
mod dropconnect;
mod dropout;
mod masks;
mod monte_carlo;
mod stochastic_depth;

pub use crate::simd::mask::{InOut, mask_words};
pub use dropconnect::DropConnect;
pub use dropout::Dropout;
pub use masks::{MaskSource, Masks};
pub use monte_carlo::MonteCarlo;
pub use stochastic_depth::StochasticDepth;
