//! Random masks, and the regularisers made of them: dropout, DropConnect, stochastic depth; Monte Carlo averages.
//!
//! ```
//! use gradus::noise::{Dropout, Masks};
//! let (dropout, mut masks, mut h) = (Dropout::drop_prob(0.5), Masks::new(1), [1.0_f32; 8]);
//! dropout.forward(&mut h, &mut masks)?;
//! assert!(h.iter().all(|h| *h == 0.0 || *h == 2.0));
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! A mask has one bit per element, 32 to a word: bit `i mod 32` of word `i / 32` is 1 where element
//! `i` is kept. [`Masks`] draws them. Probabilities are called `drop_prob` or `keep_prob`, never `p`:
//! PyTorch's `p` is the probability to drop, that of the papers the probability to keep.
//!
//! # What helps
//!
//! A small network learned handwritten digits with each method alone, at the strength that did best with other seeds
//! (`cargo run --release -p gallery --bin regularise`):
//!
#![doc = include_str!("../../docs/regularise.md")]
#![doc = ""]
#![doc = include_str!("../../docs/regularise.svg")]
#![doc = ""]
//! Each helps but L1, whose zeros make the network smaller, not better. Batch normalisation and augmentation
//! help most, and all together clearly more than either.

pub(crate) mod chance;
mod dropconnect;
mod dropout;
mod masks;
pub(crate) mod monte_carlo;
mod record;
mod stochastic_depth;

pub use crate::simd::mask::{InOut, mask_words};
pub use dropconnect::DropConnect;
pub use dropout::Dropout;
pub use masks::{MaskSource, Masks};
pub use monte_carlo::MonteCarlo;
pub use stochastic_depth::StochasticDepth;
