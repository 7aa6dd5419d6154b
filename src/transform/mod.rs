//! Transforms, which act on gradients before the optimizer and on parameters after it, in the same pass.
//!
//! They clip and scale gradients, add penalties and let weights decay. They work in registers and never write to the
//! caller's gradient. An optimizer without them pays nothing. A tuple of transforms is a transform: its members act in
//! order.
//!
//! ```
//! use gradus::{Momentum, MomentumState, Optimizer};
//! use gradus::transform::{ClampParams, ClipValue, L2, Scale};
//!
//! let momentum = Momentum::new(0.5).with((Scale(0.25), ClipValue(1.0), L2::new(0.125), ClampParams(2.0)));
//! let (mut params, mut state) = ([1.0, 0.0], MomentumState::new());
//! momentum.step(&mut params, &[8.0, -4.0], &mut state); // g = 1 + 0.25 and -1
//! assert_eq!(params, [0.375, 0.5]);
//! ```

mod clip;
mod decay;
mod penalty;

pub use clip::{ClampParams, ClipNorm, ClipValue, MaxNorm, Scale};
pub use decay::{Decay, ProxL1};
pub(crate) use penalty::pull;
pub use penalty::{ElasticNet, L1, L2};

pub use crate::simd::Transform;
#[doc(hidden)]
pub use crate::simd::acts::Acts;
