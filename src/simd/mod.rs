//! The loops and the instruction sets under them: with `ffi` the only room with unsafe code.

#[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf"))]
mod cortex_m;
pub(crate) mod draw;
#[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf", gradus_level = "helium"))]
mod helium;
mod lane;
mod level;
pub(crate) mod mask;
pub(crate) mod math;
#[cfg(any(
    target_feature = "sse2",
    target_feature = "simd128",
    all(target_arch = "aarch64", target_feature = "neon")
))]
mod portable;
mod reduce;
mod streams;
mod sweep;
// A target without SSE2 computes in software, and LLVM has no wide registers for it.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod x86;

pub use lane::{Element, Lane};
pub use level::Level;
pub(crate) use level::WIDE;
pub use reduce::{BLOCK, Fold, count_non_finite, dot, max_abs, norm, reduce, sum_abs, sum_squares};
pub(crate) use reduce::{Folds, reduce_many};
pub(crate) use sweep::Assembly;
pub use sweep::{Columns, Rule, run};
