//! L-BFGS (Nocedal, 1980; Liu and Nocedal, 1989).

#[cfg(feature = "ffi")]
mod borrowed;
mod fixed;
#[cfg(feature = "alloc")]
mod heap;
mod kernels;
mod line_search;
mod machine;
mod owlqn;
mod record;
mod settings;
mod two_loop;
mod walk;

#[cfg(feature = "ffi")]
pub(crate) use borrowed::{Borrowed, MOST_PAIRS, Suspended, work_len};
pub use fixed::Lbfgs;
#[cfg(feature = "alloc")]
pub use heap::{LbfgsVec, Loan};
#[cfg(feature = "ffi")]
pub(crate) use settings::check_preconditioner;
pub use settings::{LbfgsSettings, LineSearch};
