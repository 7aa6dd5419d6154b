//! Targets without registers to choose between: their code is plain.

use super::*;

pub const WIDE: bool = false;
pub fn prefetch<T>(_: *const T) {}

native! {}
dispatch!();
