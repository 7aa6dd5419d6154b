//! L-BFGS (Nocedal, 1980; Liu and Nocedal, 1989): unbounded, between bounds, or with an L1 penalty.

#[cfg(feature = "ffi")]
mod borrowed;
mod bounds;
mod fixed;
#[cfg(feature = "alloc")]
mod heap;
mod kernels;
mod line_search;
mod machine;
mod orthant;
mod path;
mod record;
mod settings;
mod subspace;
mod two_loop;
mod walk;

#[cfg(feature = "ffi")]
pub(crate) use borrowed::{Borrowed, MOST_PAIRS, Suspended, work_len};
pub use bounds::Bounds;
pub use fixed::Lbfgs;
#[cfg(feature = "alloc")]
pub use heap::{LbfgsVec, Loan};
pub use path::Given;
pub use settings::{LbfgsSettings, LineSearch};
