//! The integration tests in one binary, a module for each subject: linking many costs more than running them.
//!
//! `cargo test --test suite norm::` runs one module.

#![allow(clippy::needless_borrows_for_generic_args, reason = "calls as users write them")]
#![allow(unreachable_pub, reason = "a test has no users")]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod abi;
mod alloc;
mod any;
mod augment;
mod bits;
mod converge;
mod defmt;
mod dropout;
mod ensemble;
mod errors;
mod ffi_files;
mod findings;
mod fixed;
mod frozen;
mod group_norm;
mod half;
mod half_grads;
mod journal;
mod journal_forms;
mod layers;
mod lbfgs;
mod lbfgs_bounds;
mod lbfgs_edges;
mod lbfgs_problems;
mod lbfgs_steps;
mod lbfgs_store;
mod levels;
mod long;
mod long_network;
mod losses;
mod masks;
mod mixing;
mod moments;
mod networks;
mod newton;
mod newton_set;
mod noise;
mod norm;
mod norms;
mod online;
mod penalties;
mod pool;
mod properties;
mod pytorch;
mod recipes;
mod reference;
mod resume;
mod rules;
mod schedules;
mod serde;
mod soundness;
mod store;
mod streams;
mod subnormals;
mod transforms;
mod wrappers;
