//! Activations and losses.

use super::guard;
use super::memory::{Memory, apart, area};
use super::{Refusal, gradus_status};
use crate::simd::Exec;
use crate::{activation, loss};

/// Changes a slice in place.
///
/// # Safety
/// The caller vouches for memory behind the pointer, which is checked.
unsafe fn change(n: usize, x: *mut f32, f: impl FnOnce(&mut [f32])) -> Result<(), Refusal> {
    // SAFETY: checked.
    f(unsafe { Memory::new(x, n)?.slice_mut() });
    Ok(())
}

/// Changes a slice in place, beside one that is read.
///
/// # Safety
/// The caller vouches for memory behind the pointers, which are checked.
pub(super) unsafe fn change_beside<T>(
    n: usize,
    x: *mut f32,
    m: usize,
    y: *const T,
    f: impl FnOnce(&mut [f32], &[T]) -> Result<(), crate::Error>,
) -> Result<(), Refusal> {
    let (x, y) = (Memory::unchecked(x, n), Memory::unchecked(y, m));
    apart([x.written(), y.read()])?;
    // SAFETY: checked, and apart.
    unsafe { Ok(f(x.slice_mut(), y.slice())?) }
}

/// Writes a loss where a slice is changed beside one that is read.
///
/// # Safety
/// The caller vouches for memory behind the pointers, which are checked.
unsafe fn lose<T>(
    (n, scores): (usize, *mut f32),
    (m, targets): (usize, *const T),
    loss: *mut f32,
    f: impl FnOnce(&mut [f32], &[T]) -> Result<f32, crate::Error>,
) -> Result<(), Refusal> {
    let (scores, targets) = (Memory::unchecked(scores, n), Memory::unchecked(targets, m));
    let to = Memory::unchecked(loss, 1);
    apart([scores.written(), targets.read(), to.written()])?;
    // SAFETY: checked, and apart.
    unsafe { *to.one_mut() = f(scores.slice_mut(), targets.slice())? };
    Ok(())
}

/// Puts the `n` floats of `x` through the activation relu, in place: `max(0, x)`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_relu(n: usize, x: *mut f32) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { change(n, x, |x| activation::relu(Exec::new(), x)) })
}

/// Turns the gradient `dy` of the `n` floats `y` that gradus_relu() made into that of what it read, in place.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_relu_backward(n: usize, dy: *mut f32, y: *const f32) -> gradus_status {
    let backward = |dy: &mut [f32], y: &[f32]| activation::relu_backward(Exec::new(), dy, y);
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { change_beside(n, dy, n, y, backward) })
}

/// Puts the `n` floats of `x` through the activation leaky relu, in place: x where it is positive, `slope * x` elsewhere.
///
/// `slope` is finite and at least 0: of a negative one gradus_leaky_relu_backward() would be wrong. Of a slope of 0 negative
/// infinity becomes NaN.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_leaky_relu(slope: f32, n: usize, x: *mut f32) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { change(n, x, |x| activation::leaky_relu(Exec::new(), slope, x)) })
}

/// Turns the gradient `dy` of the `n` floats `y` that gradus_leaky_relu() made into that of what it read, in place.
///
/// `slope` is at least 0. A negative one turns the sign of `y`, and the gradient is `dy` where `slope * dy` would be right.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_leaky_relu_backward(
    slope: f32,
    n: usize,
    dy: *mut f32,
    y: *const f32,
) -> gradus_status {
    let backward = |dy: &mut [f32], y: &[f32]| activation::leaky_relu_backward(Exec::new(), slope, dy, y);
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { change_beside(n, dy, n, y, backward) })
}

/// Puts the `n` floats of `x` through the activation tanh, in place: `tanh(x)`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_tanh(n: usize, x: *mut f32) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { change(n, x, |x| activation::tanh(Exec::new(), x)) })
}

/// Turns the gradient `dy` of the `n` floats `y` that gradus_tanh() made into that of what it read, in place.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_tanh_backward(n: usize, dy: *mut f32, y: *const f32) -> gradus_status {
    let backward = |dy: &mut [f32], y: &[f32]| activation::tanh_backward(Exec::new(), dy, y);
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { change_beside(n, dy, n, y, backward) })
}

/// Puts the `n` floats of `x` through the activation sigmoid, in place: `1 / (1 + exp(-x))`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sigmoid(n: usize, x: *mut f32) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { change(n, x, |x| activation::sigmoid(Exec::new(), x)) })
}

/// Turns the gradient `dy` of the `n` floats `y` that gradus_sigmoid() made into that of what it read, in place.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_sigmoid_backward(n: usize, dy: *mut f32, y: *const f32) -> gradus_status {
    let backward = |dy: &mut [f32], y: &[f32]| activation::sigmoid_backward(Exec::new(), dy, y);
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { change_beside(n, dy, n, y, backward) })
}

/// Turns each row of `classes` floats of the `n` of `scores` into probabilities, `exp(z) / sum exp(z)`.
///
/// Errors: GRADUS_ERROR_SHAPE if that is no whole number of rows, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_softmax(classes: usize, n: usize, scores: *mut f32) -> gradus_status {
    guard(|| {
        // SAFETY: checked; the caller vouches for memory behind the pointer.
        let scores = unsafe { Memory::new(scores, n)?.slice_mut() };
        Ok(loss::softmax(Exec::new(), classes, scores)?)
    })
}

/// Writes the cross entropy of `samples` rows of `classes` scores to `loss`: the mean of `-ln p[label]` of their softmax.
///
/// `scores` become their own gradient, `(p - onehot(label)) / samples`. `labels` has a class for each sample. Of no samples
/// the mean is NaN.
///
/// Errors: GRADUS_ERROR_SHAPE if a label is no class, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_softmax_cross_entropy(
    classes: usize,
    samples: usize,
    scores: *mut f32,
    labels: *const u16,
    loss: *mut f32,
) -> gradus_status {
    guard(|| {
        let n = area(classes, samples)?;
        let f = |scores: &mut [f32], labels: &[u16]| loss::softmax_cross_entropy(Exec::new(), scores, labels);
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe { lose((n, scores), (samples, labels), loss, f) }
    })
}

/// Writes the mean binary cross entropy of the `n` logits `scores`, for `targets` between 0 and 1, to `loss`.
///
/// `scores` become their own gradient, `(sigmoid(z) - t) / n`. Of no scores the mean is NaN.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_binary_cross_entropy(
    n: usize,
    scores: *mut f32,
    targets: *const f32,
    loss: *mut f32,
) -> gradus_status {
    let f = |scores: &mut [f32], targets: &[f32]| loss::binary_cross_entropy(Exec::new(), scores, targets);
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { lose((n, scores), (n, targets), loss, f) })
}

/// Writes the mean square of what separates the `n` predictions `scores` from `targets`, to `loss`.
///
/// `scores` become their own gradient, `2 (z - t) / n`. Of no predictions the mean is NaN.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_mean_squared_error(
    n: usize,
    scores: *mut f32,
    targets: *const f32,
    loss: *mut f32,
) -> gradus_status {
    let f = |scores: &mut [f32], targets: &[f32]| loss::mean_squared_error(Exec::new(), scores, targets);
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { lose((n, scores), (n, targets), loss, f) })
}

/// Writes the mean of Huber's loss of the `n` predictions `scores`: a square near the target, a line from `delta` on, to `loss`.
///
/// `targets` has as many. `scores` become their own gradient, the difference within `delta`, over n. Of no predictions the
/// mean is NaN.
///
/// Errors: GRADUS_ERROR_LIMIT if `delta` is not positive, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_huber(
    delta: f32,
    n: usize,
    scores: *mut f32,
    targets: *const f32,
    loss: *mut f32,
) -> gradus_status {
    let f = |scores: &mut [f32], targets: &[f32]| loss::huber(Exec::new(), delta, scores, targets);
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { lose((n, scores), (n, targets), loss, f) })
}
