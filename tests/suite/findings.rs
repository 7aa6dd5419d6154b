//! What fuzzing and comparisons with other libraries found, by room: one test for each bug, kept so that it stays fixed.

mod augment;
mod ensemble;
#[cfg(feature = "ffi")]
mod ffi;
mod init;
mod layer;
mod loss;
mod noise;
mod norm;
mod optim;
mod schedule;
mod second_order;
mod store;
