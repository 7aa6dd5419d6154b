//! Targets with 128-bit registers and no others.

use super::wide128::Wide128;
use super::*;

pub(crate) const WIDE: bool = true;
pub(crate) const PRODUCTS: bool = false;
pub(crate) fn prefetch<T>(_: *const T) {}

native! {
    Wide128 16 if cfg!(target_arch = "aarch64") { "neon" } else if cfg!(target_feature = "simd128") { "simd128" } else { "sse2" },
}
dispatch!(Wide128);
