#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

mod error;
mod simd;

pub use error::{Error, Hyper};
pub use simd::{
    BLOCK, Columns, Element, Fold, Lane, Level, Rule, count_non_finite, dot, max_abs, norm, reduce, run,
    sum_abs, sum_squares,
};
