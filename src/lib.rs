//! Kernels for training neural networks over plain slices, `no_std` and SIMD: a step has the same bits on a Cortex-M0
//! and on AVX-512.
//!
//! ```
//! use gradus::{Adam, Optimizer};
//!
//! let adam = Adam::new(1e-3);
//! let mut params = [1.0_f32, -1.0];
//! let mut state = adam.state(); // all zero bits: a `static` lies in .bss
//! for _ in 0..10 {
//!     let grads = [2.0 * params[0], 2.0 * params[1]]; // your backward pass
//!     adam.step(&mut params, &grads, &mut state); // arrays: cannot fail, cannot panic
//! }
//! assert!(params[0] < 1.0 && params[1] > -1.0);
//! ```
//!
//! An optimizer is a plain struct of hyper-parameters. Its state is a plain array that you own. A step is one pass over
//! parameters, gradients and state, whatever the optimizer, its transforms and the instruction set.
//! [`guide::first_network`] trains a whole network in a short program, and [`guide::programs`] has twelve small programs.
//!
//! # Where to begin
//!
//! - [`Optimizer`]: `step` on arrays, `step_slices` on slices of any length, `step_tensors` on lists of slices
//! - the optimizers: [`Sgd`], [`Momentum`], [`Nesterov`], [`AdaGrad`], [`Adadelta`], [`RmsProp`], [`Adam`], [`AdamW`],
//!   [`Adamax`], [`AmsGrad`], [`Nadam`], [`RAdam`], [`Lion`], [`ScheduleFree`]; [`AnyOptimizer`] is chosen at run time;
//!   [`Accumulate`] sums gradients of several batches
//! - [`layer`]: the forward and backward passes of networks, and a backward pass that takes the step at once
//! - [`guide`]: the manual. It leads through the lecture that the crate implements, helps to choose an optimizer and a
//!   rate, translates from PyTorch, Keras, optax, AIfES and CMSIS-DSP, and explains training on a microcontroller and
//!   on many machines, reproducing and resuming a run, and writing an optimizer of your own
//!
//! # What is there
//!
//! | module | what is in it |
//! |---|---|
//! | [`layer`], [`activation`], [`loss`], [`init`] | dense, convolutional and pooling layers; rectifiers, tanh; losses; first weights |
//! | [`schedule`] | learning rates over the steps: decays, cosine, warm restarts, cycles, warm-up |
//! | [`transform`] | what acts on gradients and weights in the same pass: clips, penalties, decay, max-norm |
//! | [`noise`] | masks, dropout, DropConnect, stochastic depth, Monte Carlo averages |
//! | [`norm`](mod@norm), [`pool`], [`augment`] | batch, group, layer and input normalisation, fractional max pooling, image augmentation |
//! | [`second_order`] | L-BFGS, also between bounds or with an L1 penalty, and Newton's method |
//! | [`ensemble`] | snapshots, independent models, averages of weights |
//! | [`store`] | saving and loading, and a journal for flash that survives a power cut |
//! | [`Exec`], [`Level`] | where calls run: instruction set, threads |
//! | [`Rule`], [`Vector`], [`Fold`] | kernels of your own, on every instruction set |
//!
//! # Features
//!
//! - `std`, by default: asks the CPU for its instruction set; includes `alloc`
//! - `alloc`: what needs a heap, such as [`StateVec`], for a microcontroller that has one
//! - `rayon`: threads, with the same bits for any number of them
//! - `ffi`: the C interface of `include/gradus.h`
//! - `panic-handler`: a panic handler for a static C library on bare metal, where no Rust binary brings one. If a path
//!   to a panic is left, the link fails. It does nothing with `std`
//! - `serde`, `defmt`: derives for configurations and states
//! - `journal`, `journal-async`: the journals in [`store`], over the traits of `embedded-storage` and
//!   `embedded-storage-async`
//!
//! Without `std` and `alloc` the crate uses no heap, and none of its functions panics. Only a future that is polled
//! again after its end panics, as the compiler has it for every `async fn`.
//!
//! The picture shows six optimizers on four surfaces, from one start each. [`guide::choosing`] explains it.
#![doc = ""]
#![doc = include_str!("../docs/race.svg")]
#![doc = ""]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))] // each item says which feature it needs
#![deny(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod activation;
pub mod augment;
mod check;
mod cut;
pub mod ensemble;
mod error;
#[cfg(feature = "ffi")]
pub mod ffi;
pub mod guide;
pub mod init;
pub mod layer;
pub mod loss;
pub mod noise;
pub mod norm;
mod optim;
pub mod pool;
pub mod prelude;
pub mod schedule;
pub mod second_order;
mod simd;
pub mod store;
pub mod transform;

/// The random numbers that the crate draws, and the traits to draw them: `rand_core` 0.10, `rand_xoshiro` 0.8.
///
/// ```
/// use gradus::rand::{Rng, SeedableRng, Xoshiro128PlusPlus};
/// assert_ne!(Xoshiro128PlusPlus::seed_from_u64(1).next_u32(), Xoshiro128PlusPlus::seed_from_u64(2).next_u32());
/// ```
pub mod rand {
    pub use rand_core::{Rng, SeedableRng};
    pub use rand_xoshiro::Xoshiro128PlusPlus;
}

pub use error::{Argument, Error, Hyper};
pub use optim::*;
pub use simd::elementary;
pub use simd::{
    BLOCK, Bf16, ColumnSet, Columns, Element, Exec, Fold, Level, Of, Rule, Stored, Vector, Width,
    count_non_finite, dot, l2_norm, max_abs, reduce, run, sum_abs, sum_squares,
};

/// The code of the README runs as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
