//! Layers of images: convolution, depthwise convolution, pooling; and the residual sum.

use super::Refusal;
use super::gradus_status;
use super::guard;
use super::layer::{Back, Layer, Shape};
use super::loss::change_beside;
use super::memory::{Memory, apart, area};
use super::step::gradus_step;
use crate::layer::{AveragePool2d, Conv2d, DepthwiseConv2d, MaxPool2d, residual_add};
use crate::simd::Exec;

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

/// How a structure becomes its layer: the fields of both, and the number of parameters.
macro_rules! shape {
    ($shape:ident $layer:ident { $($field:ident)* }, $params:expr) => {
        impl Shape for $shape {
            type Layer = $layer;
            fn build(&self) -> Result<($layer, [usize; 3]), Refusal> {
                let params: fn(&$layer) -> usize = $params;
                let layer = $layer { $($field: self.$field,)* exec: Exec::new() };
                layer.check()?;
                Ok((layer, [layer.inputs(), layer.outputs(), params(&layer)]))
            }
        }
    };
}

shape!(gradus_conv2d Conv2d { input filters kernel stride padding }, Conv2d::params);
shape!(gradus_depthwise_conv2d DepthwiseConv2d { input kernel stride padding }, DepthwiseConv2d::params);
shape!(gradus_max_pool2d MaxPool2d { input window stride padding }, |_| 0);
shape!(gradus_average_pool2d AveragePool2d { input window stride padding }, |_| 0);

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
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.sizes(params, outputs) })
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
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.forward(samples, params, x, y, Conv2d::forward) })
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
    let back = Back { samples, x, dy, dx };
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.backward(params, grads, back) })
}

/// Writes the gradient of the images alone: see gradus_dense_backward_input().
///
/// `layer`, `params`, `dy` and `dx` are those of gradus_conv2d_backward().
///
/// Errors: those of gradus_conv2d_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_conv2d_backward_input(
    layer: *const gradus_conv2d,
    samples: usize,
    params: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.backward_input(samples, params, dy, dx) })
}

/// gradus_conv2d_backward() in which an optimizer acts on the gradients at once: see gradus_dense_backward_step().
///
/// The parameters of `layer` are those of `step` from element `at` on; `x`, `dy` and `dx` are as above.
///
/// Errors: those of gradus_dense_backward_step(), GRADUS_ERROR_SHAPE as above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_conv2d_backward_step(
    layer: *const gradus_conv2d,
    samples: usize,
    step: *const gradus_step,
    at: usize,
    x: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    let back = Back { samples, x, dy, dx };
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.backward_step(step, at, back) })
}

/// gradus_conv2d_backward() to sums in half the memory: see gradus_dense_backward_half().
///
/// `grads` are as many uint16_t as `layer` has `params`; `x`, `dy` and `dx` are as above.
///
/// Errors: those of gradus_conv2d_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_conv2d_backward_half(
    layer: *const gradus_conv2d,
    samples: usize,
    params: *const f32,
    grads: *mut u16,
    pass: u32,
    first: u32,
    x: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    let (sums, back) = ((grads, [pass, first]), Back { samples, x, dy, dx });
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.backward_half(params, sums, back) })
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
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.sizes(params, outputs) })
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
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.forward(samples, params, x, y, DepthwiseConv2d::forward) })
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
    let back = Back { samples, x, dy, dx };
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.backward(params, grads, back) })
}

/// Writes the gradient of the images alone: see gradus_dense_backward_input().
///
/// `layer`, `params`, `dy` and `dx` are those of gradus_depthwise_conv2d_backward().
///
/// Errors: those of gradus_depthwise_conv2d_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_depthwise_conv2d_backward_input(
    layer: *const gradus_depthwise_conv2d,
    samples: usize,
    params: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.backward_input(samples, params, dy, dx) })
}

/// gradus_depthwise_conv2d_backward() in which an optimizer acts on the gradients at once: see gradus_dense_backward_step().
///
/// The parameters of `layer` are those of `step` from element `at` on; `x`, `dy` and `dx` are as above.
///
/// Errors: those of gradus_dense_backward_step(), GRADUS_ERROR_SHAPE as above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_depthwise_conv2d_backward_step(
    layer: *const gradus_depthwise_conv2d,
    samples: usize,
    step: *const gradus_step,
    at: usize,
    x: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    let back = Back { samples, x, dy, dx };
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.backward_step(step, at, back) })
}

/// gradus_depthwise_conv2d_backward() to sums in half the memory: see gradus_dense_backward_half().
///
/// `grads` are as many uint16_t as `layer` has `params`; `x`, `dy` and `dx` are as above.
///
/// Errors: those of gradus_depthwise_conv2d_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_depthwise_conv2d_backward_half(
    layer: *const gradus_depthwise_conv2d,
    samples: usize,
    params: *const f32,
    grads: *mut u16,
    pass: u32,
    first: u32,
    x: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    let (sums, back) = ((grads, [pass, first]), Back { samples, x, dy, dx });
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.backward_half(params, sums, back) })
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
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe {
        Layer::of(layer)?.forward(samples, core::ptr::null(), x, y, |layer, _, x, y| layer.forward(x, y))
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
            let layer = Layer::of(layer)?;
            let (read, written) = (area(samples, layer.inputs)?, area(samples, layer.outputs)?);
            let (x, dx) = (Memory::new(x, read)?, Memory::new(dx, read)?);
            let (y, dy) = (Memory::new(y, written)?, Memory::new(dy, written)?);
            apart([layer.own, x.read(), y.read(), dy.read(), dx.written()])?;
            Ok(layer.layer.backward(x.slice(), y.slice(), dy.slice(), dx.slice_mut())?)
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
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe {
        Layer::of(layer)?.forward(samples, core::ptr::null(), x, y, |layer, _, x, y| layer.forward(x, y))
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
    let pass = |layer: &AveragePool2d, _: &[f32], dy: &[f32], dx: &mut [f32]| layer.backward(dy, dx);
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::of(layer)?.turned().forward(samples, core::ptr::null(), dy, dx, pass) })
}

/// Adds a branch that went around some layers: `y += x`, `n` floats each. Its backward pass is `dx += dy`, the same call.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_residual_add(n: usize, y: *mut f32, x: *const f32) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { change_beside(n, y, n, x, |y: &mut [f32], x: &[f32]| residual_add(Exec::new(), y, x)) })
}
