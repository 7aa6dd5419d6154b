//! What most programs import: `use gradus::prelude::*`.
//!
//! ```
//! use gradus::prelude::*;
//!
//! let adam = Adam::new(1e-3).with((Scale(1.0 / 32.0), L2::weight_decay(1e-4)));
//! let (mut params, mut state) = ([0.5; 8], adam.state());
//! adam.step(&mut params, &[32.0; 8], &mut state);
//! ```

pub use crate::ensemble::Average as _;
pub use crate::optim::*;
pub use crate::schedule::Schedule as _;
pub use crate::simd::{Exec, Level};
pub use crate::transform::{
    ClampParams, ClipNorm, ClipValue, Decay, ElasticNet, L1, L2, MaxNorm, ProxL1, Scale, Transform as _,
};
pub use crate::{Error, Hyper};
