//! The manual: a page for each question that the reference does not answer.
//!
//! - [`first_network`]: a short program that trains a network
//! - [`programs`]: twelve small programs that show how the calls are used
//! - [`lecture`]: the lecture that the crate implements, method by method, with its questions answered by runs
//! - [`choosing`]: which optimizer, which learning rate, which schedule
//! - [`migrating`]: the names and conventions of PyTorch and Keras beside those of gradus; pages of their own for
//!   [`migrating::optax`], [`migrating::aifes`] and [`migrating::cmsis_dsp`]
//! - [`on_device`]: training on a microcontroller: memory, flash, interrupts
//! - [`many_machines`]: training over MPI with the bits of one process, and a fleet of devices
//! - [`reproducibility`]: what "the same bits" covers, how to keep it, where it ends
//! - [`writing_a_rule`]: an optimizer, a transform or a reduction of your own
//! - [`resuming`]: stopping a run and going on as if nothing had happened
//!
//! What they have in common is the step: the program owns parameters, gradients and state, and an optimizer is a value.
//!
//! ```
//! use gradus::{Adam, Optimizer};
//! let adam = Adam::new(0.1);
//! let (mut params, mut state) = ([3.0, -2.0], adam.state());
//! for _ in 0..200 {
//!     let grads = params.map(|p| 2.0 * p); // of the sum of squares
//!     adam.step(&mut params, &grads, &mut state);
//! }
//! assert!(params.iter().all(|p| p.abs() < 0.01));
//! ```
//!
//! Words that all pages use: a *rule* is the formula of an optimizer's step; a *column* is one number of state for each
//! parameter, so that Adam has two; the *clock* counts the steps; a *transform* changes gradients before the rule, or
//! parameters after it.
//!
//! These modules hold no code.

pub mod choosing;
pub mod first_network;
pub mod lecture;
pub mod many_machines;
pub mod migrating;
pub mod on_device;
pub mod programs;
pub mod reproducibility;
pub mod resuming;
pub mod writing_a_rule;
