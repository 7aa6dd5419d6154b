//! The manual: a page for each question that the reference does not answer.
//!
//! - [`first_network`]: thirty lines that train a network
//! - [`programs`]: twelve small programs, what the calls look like in use
//! - [`lecture`]: the lecture that the crate implements, method by method, its questions answered by runs
//! - [`choosing`]: which optimizer, which learning rate, which schedule
//! - [`migrating`]: what PyTorch's and Keras' names and conventions are here; also from [`migrating::optax`],
//!   [`migrating::aifes`] and [`migrating::cmsis_dsp`]
//! - [`on_device`]: training on a microcontroller: memory, flash, interrupts
//! - [`many_machines`]: training over MPI with the bits of one process, and a fleet of devices
//! - [`reproducibility`]: what "the same bits" covers, how to keep it, where it ends
//! - [`writing_a_rule`]: an optimizer, a transform or a reduction of your own
//! - [`resuming`]: stopping a run and going on as if nothing had happened
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
