//! Reductions in the fixed order.

use super::memory::{Memory, apart};
use super::{gradus_status, status};
use crate::simd::{Exec, count_non_finite, dot, l2_norm, max_abs, sum_abs};

macro_rules! sum {
    ($(#[$doc:meta])* $name:ident($function:ident) -> $t:ty) => {
        functions! {
            $(#[$doc])*
            ///
            /// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
            $name(n: usize, x: *const f32, result: *mut $t) {
                [read x = x, n; one result = result, 1;]
                { *result = $function(Exec::new(), x); Ok(()) }
            }
        }
    };
}

sum! {
    /// Writes the Euclidean norm of the `n` floats of `x` to `result`.
    ///
    /// Without overflow or underflow on the way.
    gradus_l2_norm(l2_norm) -> f32
}
sum! {
    /// Writes the sum of the absolute values of the `n` floats of `x` to `result`.
    gradus_sum_abs(sum_abs) -> f32
}
sum! {
    /// Writes the largest absolute value of the `n` floats of `x` to `result`.
    ///
    /// That is 0 of nothing; NaN is passed over.
    gradus_max_abs(max_abs) -> f32
}
sum! {
    /// Writes how many of the `n` floats of `x` are infinite or NaN to `result`.
    ///
    /// Skip a step of whose gradients any is.
    gradus_count_non_finite(count_non_finite) -> usize
}

functions! {
    /// Writes the sum of `x[i] * y[i]` over the `n` floats of each to `result`.
    ///
    /// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
    gradus_dot(n: usize, x: *const f32, y: *const f32, result: *mut f32) {
        [read x = x, n; read y = y, n; one result = result, 1;]
        Ok(dot(Exec::new(), x, y).map(|sum| *result = sum)?)
    }
}
