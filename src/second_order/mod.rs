//! Minimisers that use curvature: Newton's method, and L-BFGS, also between bounds or with an L1 penalty; in `f32` and
//! `f64`.
//!
//! ```
//! use gradus::second_order::LbfgsSettings;
//! let mut x = [3.0_f64, -1.0];
//! let report = LbfgsSettings::new().minimize(&mut x, |x, g| {
//!     g.copy_from_slice(&[2.0 * x[0], 20.0 * x[1]]);
//!     x[0] * x[0] + 10.0 * x[1] * x[1]
//! })?;
//! assert!(report.value < 1e-9);
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! The table counts the evaluations that each method needs in Rosenbrock's valley, from (-1.2, 1) until the value is
//! below 1e-6, in `f32` (`gallery/src/bin/rosenbrock.rs`). The two first-order rules have the best of 60 learning
//! rates.
//!
//! | | evaluations | each of |
//! |---|--:|---|
//! | [`Newton`] | 36 | value, gradient, Hessian |
//! | [`Lbfgs`], 5 pairs | 44 | value, gradient |
//! | [`Momentum`](crate::Momentum), 0.9 | 432 | gradient |
//! | [`Adam`](crate::Adam) | 1239 | gradient |
#![doc = ""]
#![doc = include_str!("../../docs/rosenbrock.svg")]
#![doc = ""]

mod fields;
mod lbfgs;
mod newton;
mod real;
mod report;

pub use lbfgs::*;
#[cfg(feature = "ffi")]
pub(crate) use lbfgs::{Borrowed, MOST_PAIRS, Suspended, work_len};
pub use newton::*;
pub use real::Real;
pub use report::{Report, Stop};
