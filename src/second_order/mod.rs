//! Newton's method and L-BFGS: minimisers that use curvature, for `f32` and `f64`.

mod lbfgs;
mod newton;
mod real;

pub use lbfgs::*;
#[cfg(feature = "ffi")]
pub(crate) use lbfgs::{Borrowed, MOST_PAIRS, Suspended, work_len};
pub use newton::*;
pub use real::Real;
