//! Reductions in the fixed order.

use super::memory::{Memory, apart};
use super::{gradus_status, guard};
use crate::simd::{Exec, count_non_finite, dot, l2_norm, max_abs, sum_abs};

/// Writes the Euclidean norm of the `n` floats of `x` to `result`.
///
/// Without overflow or underflow on the way.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_l2_norm(n: usize, x: *const f32, result: *mut f32) -> gradus_status {
    guard(|| {
        let x = Memory::unchecked(x, n);
        let result = Memory::unchecked(result, 1);
        apart([x.read(), result.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, result) = unsafe { (x.slice(), result.one_mut()) };
        *result = l2_norm(Exec::new(), x);
        Ok(())
    })
}

/// Writes the sum of the absolute values of the `n` floats of `x` to `result`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sum_abs(n: usize, x: *const f32, result: *mut f32) -> gradus_status {
    guard(|| {
        let x = Memory::unchecked(x, n);
        let result = Memory::unchecked(result, 1);
        apart([x.read(), result.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, result) = unsafe { (x.slice(), result.one_mut()) };
        *result = sum_abs(Exec::new(), x);
        Ok(())
    })
}

/// Writes the largest absolute value of the `n` floats of `x` to `result`.
///
/// That is 0 of nothing; NaN is passed over.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_max_abs(n: usize, x: *const f32, result: *mut f32) -> gradus_status {
    guard(|| {
        let x = Memory::unchecked(x, n);
        let result = Memory::unchecked(result, 1);
        apart([x.read(), result.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, result) = unsafe { (x.slice(), result.one_mut()) };
        *result = max_abs(Exec::new(), x);
        Ok(())
    })
}

/// Writes how many of the `n` floats of `x` are infinite or NaN to `result`.
///
/// Skip a step of whose gradients any is.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_count_non_finite(
    n: usize,
    x: *const f32,
    result: *mut usize,
) -> gradus_status {
    guard(|| {
        let x = Memory::unchecked(x, n);
        let result = Memory::unchecked(result, 1);
        apart([x.read(), result.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, result) = unsafe { (x.slice(), result.one_mut()) };
        *result = count_non_finite(Exec::new(), x);
        Ok(())
    })
}

/// Writes the sum of `x[i] * y[i]` over the `n` floats of each to `result`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dot(
    n: usize,
    x: *const f32,
    y: *const f32,
    result: *mut f32,
) -> gradus_status {
    guard(|| {
        let x = Memory::unchecked(x, n);
        let y = Memory::unchecked(y, n);
        let result = Memory::unchecked(result, 1);
        apart([x.read(), y.read(), result.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, y, result) = unsafe { (x.slice(), y.slice(), result.one_mut()) };
        Ok(dot(Exec::new(), x, y).map(|sum| *result = sum)?)
    })
}
