//! The C interface: the functions of `include/gradus.h`, which is generated from these files.
//!
//! The caller owns all memory, and the structures are plain. A function returns 0, or a negative status; then it has
//! written nothing, unless its own text says what a failure leaves. It needs no heap and no C library, and never panics.
//!
//! ```c
//! static const gradus_adam adam = GRADUS_ADAM(1e-3f);
//! static float params[64], grads[64], state[GRADUS_ADAM_COLUMNS * 64];
//! static gradus_clock steps;
//!
//! gradus_status status = gradus_adam_step(&adam, 64, params, grads, state, &steps);
//! ```
#![allow(unsafe_code, reason = "the memory of C")]
#![allow(non_camel_case_types, reason = "the names are those of the header")]
#![allow(clippy::missing_safety_doc, reason = "it stands here, once for all functions")]

#[cfg(all(feature = "panic-handler", not(feature = "std"), target_os = "none"))]
mod bare;
mod ensemble;
mod images;
mod journal;
mod layer;
mod lbfgs;
mod loss;
mod memory;
mod noise;
mod norm;
mod online;
mod optim;
mod random;
mod rules;
mod schedule;
mod status;
mod step;
mod store;
mod stream;
mod sums;
mod transform;

pub use ensemble::*;
pub use images::*;
pub use journal::*;
pub use layer::*;
pub use lbfgs::*;
pub use loss::*;
pub use noise::*;
pub use norm::*;
pub use online::*;
pub use optim::{
    GRADUS_EPSILON_HAT, GRADUS_EPSILON_OUTSIDE, GRADUS_EPSILON_ROOT, gradus_epsilon, gradus_half_tensor,
    gradus_tensor,
};
pub use random::*;
pub use rules::*;
pub use schedule::*;
use status::Refusal;
pub use status::{gradus_status, gradus_status_name, gradus_version};
pub use step::{GRADUS_STEP_WORDS, gradus_step, gradus_step_half_grads};
pub use store::*;
pub use stream::*;
pub use sums::*;
pub use transform::{
    GRADUS_CLAMP_PARAMS, GRADUS_CLIP_VALUE, GRADUS_DECAY, GRADUS_ELASTIC_NET, GRADUS_INDEPENDENT_DECAY,
    GRADUS_L1, GRADUS_L2, GRADUS_PROX_L1, GRADUS_SCALE, gradus_clip_norm, gradus_elastic_net_value,
    gradus_l1_value, gradus_l2_value, gradus_limit_column_norms, gradus_limit_row_norms, gradus_transforms,
};

/// Version of the structures with a field `version`: an initialiser of this header writes it there.
pub const GRADUS_STRUCTS: u32 = 1;

/// The status of what a function does behind its pointers: every function has this one shape.
#[inline(always)]
fn guard(run: impl FnOnce() -> Result<(), Refusal>) -> gradus_status {
    run().into()
}

/// Refuses a structure of another version of the header, or one that was not initialised.
fn same_version(version: u32) -> Result<(), Refusal> {
    if version == GRADUS_STRUCTS { Ok(()) } else { Err(Refusal::GRADUS_ERROR_VERSION) }
}
