//! Batch normalisation.

use super::memory::{Memory, apart, area, copy};
use super::{gradus_status, guard, same_version};
use crate::norm::{BatchNorm, Shape};
use crate::optim::{Clock, StateMut};

/// How activations lie in memory: batch x channels x spatial, the last one contiguous.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_shape {
    /// Samples.
    pub batch: usize,
    /// Channels: the features of a dense layer, the maps of a convolution.
    pub channels: usize,
    /// Positions in a channel of a sample: height x width, 1 after a dense layer.
    pub spatial: usize,
}

/// Batch normalisation (Ioffe and Szegedy, 2015).
///
/// ```text
/// training    mean = first + sum (x - first) / n                         over batch and positions
///             mean = mean + sum (x - mean) / n                           first: the channel's first value
///             variance = sum (x - mean)^2 / n
///             y = (x - mean) * (weight / sqrt(variance + eps)) + bias
///             running = running_decay * running + (1 - running_decay) * new, variance unbiased: n / (n - 1)
/// inference   the same with the running statistics
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_batch_norm {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Stabiliser of the root; 1e-5.
    pub eps: f32,
    /// Weight of the old running statistics; 0.9 (PyTorch's momentum is 0.1).
    pub running_decay: f64,
    /// Whether the running variance takes the batch's by n, as Keras does; 0 is by n - 1, as PyTorch does.
    pub track_biased: u32,
}

/// Columns of the running statistics: floats per channel.
pub const GRADUS_BATCH_NORM_COLUMNS: usize = 2;

/// The configuration behind a pointer.
///
/// # Safety
/// The pointer is null, misaligned or good.
unsafe fn batch_norm(config: *const gradus_batch_norm) -> Result<BatchNorm, gradus_status> {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    let gradus_batch_norm { version, eps, running_decay, track_biased } = unsafe { copy(config)? };
    same_version(version)?;
    Ok(BatchNorm { eps, running_decay, track_biased: track_biased != 0 })
}

/// The shape behind a pointer.
///
/// # Safety
/// The pointer is null, misaligned or good.
unsafe fn shape(shape: *const gradus_shape) -> Result<Shape, gradus_status> {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    let gradus_shape { batch, channels, spatial } = unsafe { copy(shape)? };
    Ok(Shape { batch, channels, spatial })
}

/// Whether the hyper-parameters of `config` lie in their ranges: ask once, before training.
///
/// Errors: GRADUS_ERROR_EPSILON, GRADUS_ERROR_RHO, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_check(config: *const gradus_batch_norm) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let norm = unsafe { batch_norm(config)? };
        Ok(norm.check()?)
    })
}

/// Training pass: writes `y`, and the batch's `mean` and biased `variance`, which the backward pass needs.
///
/// `x` and `y` are tensors of the shape `layout`; `weight`, `bias`, `mean`, `variance` have a float
/// per channel.
///
/// Errors: GRADUS_ERROR_SIZE if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_forward(
    config: *const gradus_batch_norm,
    layout: *const gradus_shape,
    x: *const f32,
    y: *mut f32,
    weight: *const f32,
    bias: *const f32,
    mean: *mut f32,
    variance: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let norm = unsafe { batch_norm(config)? };
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let shape = unsafe { shape(layout)? };
        let x = Memory::new(x, shape.len())?;
        let y = Memory::new(y, shape.len())?;
        let weight = Memory::new(weight, shape.channels)?;
        let bias = Memory::new(bias, shape.channels)?;
        let mean = Memory::new(mean, shape.channels)?;
        let variance = Memory::new(variance, shape.channels)?;
        apart([x.read(), y.written(), weight.read(), bias.read(), mean.written(), variance.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, y, weight, bias, mean, variance) = unsafe {
            (x.slice(), y.slice_mut(), weight.slice(), bias.slice(), mean.slice_mut(), variance.slice_mut())
        };
        Ok(norm.forward(shape, x, y, [weight, bias], [mean, variance])?)
    })
}

/// Updates the running statistics by the `mean` and `variance` of a training pass.
///
/// `layout` is that of the pass, `mean` and `variance` have a float per channel. `running` has two,
/// all means and then all variances; it and `clock` start as zeros, where the variance counts as 1.
/// At test time they are `running` and `running + channels`.
///
/// Errors: GRADUS_ERROR_SIZE if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_track(
    config: *const gradus_batch_norm,
    layout: *const gradus_shape,
    mean: *const f32,
    variance: *const f32,
    running: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let norm = unsafe { batch_norm(config)? };
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let shape = unsafe { shape(layout)? };
        let mean = Memory::new(mean, shape.channels)?;
        let variance = Memory::new(variance, shape.channels)?;
        let running = Memory::new(running, area(shape.channels, GRADUS_BATCH_NORM_COLUMNS)?)?;
        let clock = Memory::one(clock)?;
        apart([mean.read(), variance.read(), running.written(), clock.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (mean, variance, running, clock) =
            unsafe { (mean.slice(), variance.slice(), running.slice_mut(), clock.one_mut()) };
        let (means, variances) = running.split_at_mut_checked(shape.channels).unwrap_or_default();
        Ok(norm.track(shape, [mean, variance], StateMut::new([means, variances], clock))?)
    })
}

/// Backward pass: turns `grads` of `y` in place into those of `x`, and writes those of weight and bias.
///
/// `grads` and `x` are tensors of the shape `layout`; `weight`, `mean`, `variance`, `grad_weight`
/// and `grad_bias` have a float per channel. `x`, `mean` and `variance` are those of the training
/// pass.
///
/// Errors: GRADUS_ERROR_SIZE if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_backward(
    config: *const gradus_batch_norm,
    layout: *const gradus_shape,
    grads: *mut f32,
    x: *const f32,
    weight: *const f32,
    mean: *const f32,
    variance: *const f32,
    grad_weight: *mut f32,
    grad_bias: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let norm = unsafe { batch_norm(config)? };
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let shape = unsafe { shape(layout)? };
        let grads = Memory::new(grads, shape.len())?;
        let x = Memory::new(x, shape.len())?;
        let weight = Memory::new(weight, shape.channels)?;
        let mean = Memory::new(mean, shape.channels)?;
        let variance = Memory::new(variance, shape.channels)?;
        let grad_weight = Memory::new(grad_weight, shape.channels)?;
        let grad_bias = Memory::new(grad_bias, shape.channels)?;
        apart([
            grads.written(),
            x.read(),
            weight.read(),
            mean.read(),
            variance.read(),
            grad_weight.written(),
            grad_bias.written(),
        ])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (grads, x, weight, mean, variance, grad_weight, grad_bias) = unsafe {
            (
                grads.slice_mut(),
                x.slice(),
                weight.slice(),
                mean.slice(),
                variance.slice(),
                grad_weight.slice_mut(),
                grad_bias.slice_mut(),
            )
        };
        Ok(norm.backward(shape, grads, x, [weight, mean, variance], [grad_weight, grad_bias])?)
    })
}

/// Pass at test time in place, with the running statistics.
///
/// `x` is a tensor of the shape `layout`; `weight`, `bias`, `mean` and `variance` have a float per
/// channel, the last two `running` and `running + channels` of gradus_batch_norm_track().
/// Track a batch first: in statistics that are still zeros the variance is read as 0, not as 1.
///
/// Errors: GRADUS_ERROR_SIZE if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_inference(
    config: *const gradus_batch_norm,
    layout: *const gradus_shape,
    x: *mut f32,
    weight: *const f32,
    bias: *const f32,
    mean: *const f32,
    variance: *const f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let norm = unsafe { batch_norm(config)? };
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let shape = unsafe { shape(layout)? };
        let x = Memory::new(x, shape.len())?;
        let weight = Memory::new(weight, shape.channels)?;
        let bias = Memory::new(bias, shape.channels)?;
        let mean = Memory::new(mean, shape.channels)?;
        let variance = Memory::new(variance, shape.channels)?;
        apart([x.written(), weight.read(), bias.read(), mean.read(), variance.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, weight, bias, mean, variance) =
            unsafe { (x.slice_mut(), weight.slice(), bias.slice(), mean.slice(), variance.slice()) };
        Ok(norm.inference(shape, x, [weight, bias], [mean, variance])?)
    })
}

/// Folds the normalisation into the layer before it, which then needs none.
///
/// `layer_weights` has `channels` rows of `inputs` floats, `layer_bias` a float per channel, as
/// have `weight`, `bias`, and `mean` and `variance`: `running` and `running + channels` of
/// gradus_batch_norm_track().
/// Track a batch first: in statistics that are still zeros the variance is read as 0, not as 1.
///
/// Errors: GRADUS_ERROR_SIZE if one of both is 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_fold(
    config: *const gradus_batch_norm,
    channels: usize,
    inputs: usize,
    weight: *const f32,
    bias: *const f32,
    mean: *const f32,
    variance: *const f32,
    layer_weights: *mut f32,
    layer_bias: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let norm = unsafe { batch_norm(config)? };
        let weight = Memory::new(weight, channels)?;
        let bias = Memory::new(bias, channels)?;
        let mean = Memory::new(mean, channels)?;
        let variance = Memory::new(variance, channels)?;
        let layer_weights = Memory::new(layer_weights, area(channels, inputs)?)?;
        let layer_bias = Memory::new(layer_bias, channels)?;
        apart([
            weight.read(),
            bias.read(),
            mean.read(),
            variance.read(),
            layer_weights.written(),
            layer_bias.written(),
        ])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (weight, bias, mean, variance, layer_weights, layer_bias) = unsafe {
            (
                weight.slice(),
                bias.slice(),
                mean.slice(),
                variance.slice(),
                layer_weights.slice_mut(),
                layer_bias.slice_mut(),
            )
        };
        Ok(norm.fold([weight, bias], [mean, variance], layer_weights, layer_bias)?)
    })
}
