//! Layers of images that have no products of matrices: depthwise convolution, mean pooling; and the residual sum.

use super::gradus_status::{self, *};
use super::guard;
use super::layer::{LARGEST, Pass, change_beside, sizes};
use super::memory::{Memory, apart};
use crate::layer::{AveragePool2d, DepthwiseConv2d, residual_add};
use crate::simd::Exec;

/// A convolution with a kernel for each channel: channels do not mix.
///
/// The image that it writes has (side + 2 * padding - kernel) / stride + 1 places on a side, rounded down, and as many
/// channels as the one that it reads. Parameters: a bias for each channel, then the weights
/// `[kernel row][kernel column][channel]`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_depthwise_conv2d {
    /// Height, width and channels of an image that it reads.
    pub input: [usize; 3],
    /// Height and width of the kernel: 1 to 11.
    pub kernel: [usize; 2],
    /// Places between two windows, vertical and horizontal: 1 or more.
    pub stride: [usize; 2],
    /// Zeros on each side, vertical and horizontal: fewer than the kernel has places.
    pub padding: [usize; 2],
}

/// Means of images over windows, side by side or `stride` places apart; padding does not count.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_average_pool2d {
    /// Height, width and channels of an image that it reads.
    pub input: [usize; 3],
    /// Height and width of a window.
    pub window: [usize; 2],
    /// Places between two windows, vertical and horizontal: 1 or more.
    pub stride: [usize; 2],
    /// Places around the image that windows may cover: fewer than a window has.
    pub padding: [usize; 2],
}

/// Refuses sides of windows whose products would not fit.
fn sides(sides: [[usize; 2]; 3]) -> Result<(), gradus_status> {
    if sides.iter().flatten().all(|n| *n <= LARGEST) { Ok(()) } else { Err(GRADUS_ERROR_SHAPE) }
}

impl gradus_depthwise_conv2d {
    fn build(&self) -> Result<DepthwiseConv2d, gradus_status> {
        let &Self { input, kernel, stride, padding } = self;
        sizes(input, 1)?;
        sides([kernel, stride, padding])?;
        let layer = DepthwiseConv2d { input, kernel, stride, padding, exec: Exec::new() };
        layer.check()?;
        Ok(layer)
    }
}

impl gradus_average_pool2d {
    fn build(&self) -> Result<AveragePool2d, gradus_status> {
        let &Self { input, window, stride, padding } = self;
        sizes(input, 1)?;
        sides([window, stride, padding])?;
        let layer = AveragePool2d { input, window, stride, padding, exec: Exec::new() };
        layer.check()?;
        Ok(layer)
    }
}

/// Writes how many parameters the depthwise convolution `layer` has to `params`, and how many floats of an image it
/// writes to `outputs`.
///
/// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_depthwise_conv2d_sizes(
    layer: *const gradus_depthwise_conv2d,
    params: *mut usize,
    outputs: *mut usize,
) -> gradus_status {
    guard(|| {
        let (memory, params, outputs) = (Memory::one(layer)?, Memory::one(params)?, Memory::one(outputs)?);
        apart([memory.read(), params.written(), outputs.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe {
            let layer = memory.one_ref().build()?;
            (*params.one_mut(), *outputs.one_mut()) = (layer.params(), layer.outputs());
        }
        Ok(())
    })
}

/// Writes the depthwise convolutions of `samples` images. `params`, `x` and `y` are as long as the sizes of `layer` say.
///
/// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_depthwise_conv2d_forward(
    layer: *const gradus_depthwise_conv2d,
    samples: usize,
    params: *const f32,
    x: *const f32,
    y: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let layer = Memory::one(layer)?.one_ref().build()?;
            let pass = Pass::new(samples, layer.inputs(), layer.outputs(), layer.params());
            pass.forward(params, x, y, |params, x, y| layer.forward(params, x, y))
        }
    })
}

/// Adds the gradients of a depthwise convolution to `grads`, and writes that of the images to `dx`, which may be null.
///
/// `params`, `x` and `dy` are what the forward pass had, `dy` the gradient of what it wrote; `grads` is as long as
/// `params`.
///
/// Errors: those of gradus_depthwise_conv2d_forward(). `layer` is read only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_depthwise_conv2d_backward(
    layer: *const gradus_depthwise_conv2d,
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
            let layer = Memory::one(layer)?.one_ref().build()?;
            let pass = Pass::new(samples, layer.inputs(), layer.outputs(), layer.params());
            pass.backward(params, grads, x, dy, dx, |p, g, x, dy, dx| layer.backward(p, g, x, dy, dx))
        }
    })
}

/// Writes the means of the windows of `samples` images `x` to `y`. `layer` says how many floats both have.
///
/// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_average_pool2d_forward(
    layer: *const gradus_average_pool2d,
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

/// Writes the gradient of the images to `dx`, given the gradient `dy` of what the forward pass of `layer` wrote.
///
/// Errors: those of gradus_average_pool2d_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_average_pool2d_backward(
    layer: *const gradus_average_pool2d,
    samples: usize,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let layer = Memory::one(layer)?.one_ref().build()?;
            let pass = Pass::new(samples, layer.outputs(), layer.inputs(), 0);
            pass.forward(core::ptr::null(), dy, dx, |_, dy, dx| layer.backward(dy, dx))
        }
    })
}

/// Adds a branch that went around some layers: `y += x`, `n` floats each. Its backward pass is `dx += dy`, the same call.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_residual_add(n: usize, y: *mut f32, x: *const f32) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { change_beside(n, y, n, x, |y: &mut [f32], x: &[f32]| residual_add(Exec::new(), y, x)) })
}
