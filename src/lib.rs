#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))] // each item says which feature it needs
#![deny(unsafe_code)]

pub mod augment;
mod cut;
pub mod ensemble;
mod error;
#[cfg(feature = "ffi")]
pub mod ffi;
pub mod guide;
pub mod noise;
pub mod norm;
mod optim;
#[cfg(feature = "rayon")]
mod par;
pub mod pool;
pub mod schedule;
pub mod second_order;
mod simd;
pub mod store;
pub mod transform;

pub use error::{Error, Hyper};
pub use optim::*;
pub use simd::{
    BLOCK, Columns, Element, Fold, Lane, Level, Rule, count_non_finite, dot, max_abs, norm, reduce, run,
    sum_abs, sum_squares,
};
