//! Layers, activations and losses.

use super::gradus_status::{self, *};
use super::guard;
use super::memory::{Memory, apart, area};
use crate::layer::{Conv2d, Dense, MaxPool2d};
use crate::simd::Exec;
use crate::{activation, loss};

/// Writes the outputs of a dense layer, `y = x W + b`, for `samples` samples.
///
/// `params` are `outputs` biases and, for each input, a row of `outputs` weights; `x` has `samples * inputs` floats, `y`
/// `samples * outputs`.
///
/// Errors: GRADUS_ERROR_SHAPE without inputs or outputs, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dense_forward(
    inputs: usize,
    outputs: usize,
    samples: usize,
    params: *const f32,
    x: *const f32,
    y: *mut f32,
) -> gradus_status {
    guard(|| {
        let pass = Pass::new(samples, inputs, outputs, area(inputs.saturating_add(1), outputs)?);
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            pass.forward(params, x, y, |params, x, y| Dense::new(inputs, outputs).forward(params, x, y))
        }
    })
}

/// Adds the gradients of a dense layer to `grads`, and writes that of its inputs to `dx`, which may be null.
///
/// `x` is what the forward pass read, `dy` the gradient of what it wrote; `grads` has as many floats as `params`, `dx` as
/// `x`. All other sizes are those of gradus_dense_forward().
///
/// Errors: those of gradus_dense_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dense_backward(
    inputs: usize,
    outputs: usize,
    samples: usize,
    params: *const f32,
    grads: *mut f32,
    x: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    guard(|| {
        let pass = Pass::new(samples, inputs, outputs, area(inputs.saturating_add(1), outputs)?);
        let layer = Dense::new(inputs, outputs);
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe { pass.backward(params, grads, x, dy, dx, |p, g, x, dy, dx| layer.backward(p, g, x, dy, dx)) }
    })
}

/// A convolution over images that lie row by row, column by column, channel by channel.
///
/// A signal is an image of one row. The image that it writes has (side + 2 * padding - kernel) / stride + 1 places on a
/// side, rounded down, and `filters` channels. Parameters: a bias for each filter, then the weights
/// `[kernel row][kernel column][input channel][filter]`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_conv2d {
    /// Height, width and channels of an image that it reads.
    pub input: [usize; 3],
    /// Channels of an image that it writes.
    pub filters: usize,
    /// Height and width of the kernel: 1 to 11.
    pub kernel: [usize; 2],
    /// Places between two windows, vertical and horizontal: 1 or more.
    pub stride: [usize; 2],
    /// Zeros on each side, vertical and horizontal: fewer than the kernel has places.
    pub padding: [usize; 2],
}

/// Largest values of images over windows, side by side or `stride` places apart.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_max_pool2d {
    /// Height, width and channels of an image that it reads.
    pub input: [usize; 3],
    /// Height and width of a window.
    pub window: [usize; 2],
    /// Places between two windows, vertical and horizontal: 1 or more.
    pub stride: [usize; 2],
    /// Places around the image that windows may cover: fewer than a window has.
    pub padding: [usize; 2],
}

/// Largest side of an image, and its largest number of channels: products of three do not overflow 64 bits.
pub(super) const LARGEST: usize = 1 << 15;

/// Refuses sizes whose products would not fit.
pub(super) fn sizes(input: [usize; 3], more: usize) -> Result<(), gradus_status> {
    let [height, width, channels] = input;
    area(area(height, width)?, channels.max(more))?;
    area(area(channels, more)?, 121 + 1)?;
    if [height, width, channels, more].iter().all(|n| *n <= LARGEST) {
        Ok(())
    } else {
        Err(GRADUS_ERROR_SHAPE)
    }
}

impl gradus_conv2d {
    fn build(&self) -> Result<(Conv2d, usize), gradus_status> {
        let &Self { input, filters, kernel, stride, padding } = self;
        sizes(input, filters)?;
        let layer = Conv2d { input, filters, kernel, stride, padding, exec: Exec::new() };
        if kernel.iter().chain(&padding).chain(&stride).any(|n| *n > LARGEST) {
            return Err(GRADUS_ERROR_SHAPE);
        }
        layer.check()?;
        Ok((layer, layer.params()))
    }
}

impl gradus_max_pool2d {
    fn build(&self) -> Result<MaxPool2d, gradus_status> {
        let &Self { input, window, stride, padding } = self;
        sizes(input, 1)?;
        if window.iter().chain(&padding).chain(&stride).any(|n| *n > LARGEST) {
            return Err(GRADUS_ERROR_SHAPE);
        }
        let layer = MaxPool2d { input, window, stride, padding, exec: Exec::new() };
        layer.check()?;
        Ok(layer)
    }
}

/// Writes how many parameters the convolution `layer` has to `params`, and how many floats of an image it writes to
/// `outputs`.
///
/// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_conv2d_sizes(
    layer: *const gradus_conv2d,
    params: *mut usize,
    outputs: *mut usize,
) -> gradus_status {
    guard(|| {
        let (memory, params, outputs) = (Memory::one(layer)?, Memory::one(params)?, Memory::one(outputs)?);
        apart([memory.read(), params.written(), outputs.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe {
            let (layer, count) = memory.one_ref().build()?;
            (*params.one_mut(), *outputs.one_mut()) = (count, layer.outputs());
        }
        Ok(())
    })
}

/// Writes the convolutions of `samples` images. `params`, `x` and `y` are as long as the sizes of `layer` say.
///
/// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_conv2d_forward(
    layer: *const gradus_conv2d,
    samples: usize,
    params: *const f32,
    x: *const f32,
    y: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let (layer, count) = Memory::one(layer)?.one_ref().build()?;
            let pass = Pass::new(samples, layer.inputs(), layer.outputs(), count);
            pass.forward(params, x, y, |params, x, y| layer.forward(params, x, y))
        }
    })
}

/// Adds the gradients of a convolution to `grads`, and writes that of the images to `dx`, which may be null.
///
/// `params`, `x` and `dy` are what the forward pass had, `dy` the gradient of what it wrote; `grads` is as long as
/// `params`.
///
/// Errors: those of gradus_conv2d_forward(). `layer` is read only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_conv2d_backward(
    layer: *const gradus_conv2d,
    samples: usize,
    params: *const f32,
    grads: *mut f32,
    x: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let (layer, count) = Memory::one(layer)?.one_ref().build()?;
            let pass = Pass::new(samples, layer.inputs(), layer.outputs(), count);
            pass.backward(params, grads, x, dy, dx, |p, g, x, dy, dx| layer.backward(p, g, x, dy, dx))
        }
    })
}

/// Writes the largest values of the windows of `samples` images `x` to `y`. `layer` says how many floats both have.
///
/// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_max_pool2d_forward(
    layer: *const gradus_max_pool2d,
    samples: usize,
    x: *const f32,
    y: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let layer = Memory::one(layer)?.one_ref().build()?;
            let pass = Pass::new(samples, layer.inputs(), layer.outputs(), 0);
            pass.forward(core::ptr::null(), x, y, |_, x, y| layer.forward(x, y))
        }
    })
}

/// Writes the gradient of the images to `dx`, given what the forward pass of `layer` read, `x`, and wrote, `y`, and the
/// gradient `dy` of that.
///
/// Errors: those of gradus_max_pool2d_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_max_pool2d_backward(
    layer: *const gradus_max_pool2d,
    samples: usize,
    x: *const f32,
    y: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let layer = Memory::one(layer)?.one_ref().build()?;
            let (read, written) = (area(samples, layer.inputs())?, area(samples, layer.outputs())?);
            let (x, dx) = (Memory::new(x, read)?, Memory::new(dx, read)?);
            let (y, dy) = (Memory::new(y, written)?, Memory::new(dy, written)?);
            apart([x.read(), y.read(), dy.read(), dx.written()])?;
            Ok(layer.backward(x.slice(), y.slice(), dy.slice(), dx.slice_mut())?)
        }
    })
}

/// The lengths of one pass of a layer.
pub(super) struct Pass {
    samples: usize,
    inputs: usize,
    outputs: usize,
    params: usize,
}

impl Pass {
    pub(super) const fn new(samples: usize, inputs: usize, outputs: usize, params: usize) -> Self {
        Self { samples, inputs, outputs, params }
    }

    /// # Safety
    /// The caller vouches for memory behind the pointers, which are checked.
    pub(super) unsafe fn forward(
        &self,
        params: *const f32,
        x: *const f32,
        y: *mut f32,
        layer: impl FnOnce(&[f32], &[f32], &mut [f32]) -> Result<(), crate::Error>,
    ) -> Result<(), gradus_status> {
        let (read, written) = (area(self.samples, self.inputs)?, area(self.samples, self.outputs)?);
        let (params, x, y) =
            (Memory::new(params, self.params)?, Memory::new(x, read)?, Memory::new(y, written)?);
        apart([params.read(), x.read(), y.written()])?;
        // SAFETY: checked, and apart where one is written.
        unsafe { Ok(layer(params.slice(), x.slice(), y.slice_mut())?) }
    }

    /// # Safety
    /// The caller vouches for memory behind the pointers, which are checked.
    pub(super) unsafe fn backward(
        &self,
        params: *const f32,
        grads: *mut f32,
        x: *const f32,
        dy: *const f32,
        dx: *mut f32,
        layer: impl FnOnce(&[f32], &mut [f32], &[f32], &[f32], Option<&mut [f32]>) -> Result<(), crate::Error>,
    ) -> Result<(), gradus_status> {
        let (read, written) = (area(self.samples, self.inputs)?, area(self.samples, self.outputs)?);
        let (params, grads) = (Memory::new(params, self.params)?, Memory::new(grads, self.params)?);
        let (x, dy) = (Memory::new(x, read)?, Memory::new(dy, written)?);
        let back = Memory::new(dx, if dx.is_null() { 0 } else { read })?;
        apart([params.read(), x.read(), dy.read(), grads.written(), back.written()])?;
        // SAFETY: checked, and apart where one is written.
        unsafe {
            let dx = if dx.is_null() { None } else { Some(back.slice_mut()) };
            Ok(layer(params.slice(), grads.slice_mut(), x.slice(), dy.slice(), dx)?)
        }
    }
}

/// Changes a slice in place.
///
/// # Safety
/// The caller vouches for memory behind the pointer, which is checked.
unsafe fn change(n: usize, x: *mut f32, f: impl FnOnce(&mut [f32])) -> Result<(), gradus_status> {
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
) -> Result<(), gradus_status> {
    let (x, y) = (Memory::new(x, n)?, Memory::new(y, m)?);
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
) -> Result<(), gradus_status> {
    let (scores, targets, to) = (Memory::new(scores, n)?, Memory::new(targets, m)?, Memory::one(loss)?);
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
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_leaky_relu(slope: f32, n: usize, x: *mut f32) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { change(n, x, |x| activation::leaky_relu(Exec::new(), slope, x)) })
}

/// Turns the gradient `dy` of the `n` floats `y` that gradus_leaky_relu() made into that of what it read, in place.
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
/// `scores` become their own gradient, `(p - onehot(label)) / samples`. `labels` has a class for each sample.
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
/// `scores` become their own gradient, `(sigmoid(z) - t) / n`.
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
/// `scores` become their own gradient, `2 (z - t) / n`.
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
/// `targets` has as many. `scores` become their own gradient, the difference within `delta`, over n.
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
