//! Two networks on 1797 handwritten digits, the lecture's and a convolutional one: their data, their training, and the
//! comparison of all optimizers.
//!
//! `cargo run --release -p digits` trains with each optimizer in turn. The page under `web/` and the firmware under
//! `examples/firmware/` include `network.rs`, `convolutional.rs`, `training.rs` and `data.rs` as they are, and reach the
//! same weights.

pub mod arguments;
pub mod convolutional;
pub mod data;
pub mod network;
pub mod optimizers;
pub mod training;
