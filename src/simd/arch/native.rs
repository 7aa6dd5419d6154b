//! Targets without registers to choose between: their code is plain.

use super::*;

pub(crate) const WIDE: bool = false;
pub(crate) const PRODUCTS: bool = false;
pub(crate) fn prefetch<T>(_: *const T) {}

native! {}
dispatch!();
