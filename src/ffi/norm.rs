//! Batch, group and layer normalisation.

use super::memory::{Memory, Region, apart, area, copy};
use super::{Refusal, gradus_status, guard, same_version};
use crate::error::Error;
use crate::norm::{BatchNorm, BatchShape, GroupNorm, Params, Running, Statistics};
use crate::optim::{Clock, StateMut};

/// How activations lie in memory: batch x channels x spatial, the last one contiguous.
///
/// Images lie channel by channel so, which gradus_conv2d_forward() does not write: its channels lie side by side (NHWC), and
/// each position is a row of channels. Behind a convolution from `batch` images to `h` x `w` positions of `filters` channels:
///
/// ```c
/// gradus_batch_shape layout = {.batch = batch * h * w, .channels = filters, .spatial = 1};
/// ```
///
/// That is the right shape for batch normalisation. Group normalisation takes its groups from each position alone then: over
/// all positions of such an image it is not offered.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_batch_shape {
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
/// training    near = first + sum (x - first) / n                         over batch and positions
///             mean = near + d                                            d = sum (x - near) / n
///             variance = sum (x - near)^2 / n - d^2                      first: the channel's first value
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
    /// Weight of the old running statistics, at most 1 - 2^-20; 0.9 (PyTorch's momentum is 0.1).
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
unsafe fn batch_norm(config: *const gradus_batch_norm) -> Result<BatchNorm, Refusal> {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    let gradus_batch_norm { version, eps, running_decay, track_biased } = unsafe { copy(config)? };
    same_version(version)?;
    Ok(BatchNorm { eps, running_decay, track_biased: track_biased != 0, ..BatchNorm::new() })
}

/// The shape behind a pointer.
///
/// # Safety
/// The pointer is null, misaligned or good.
unsafe fn shape(shape: *const gradus_batch_shape) -> Result<BatchShape, Refusal> {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    let gradus_batch_shape { batch, channels, spatial } = unsafe { copy(shape)? };
    Ok(BatchShape { batch, channels, spatial })
}

/// The running means and variances, one behind the other.
fn columns<'a>(running: &'a [f32], channels: usize, clock: &Clock) -> Running<'a> {
    let (means, variances) = running.split_at_checked(channels).unwrap_or_default();
    Running::new(means, variances, clock)
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
/// Errors: GRADUS_ERROR_EMPTY if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_forward(
    config: *const gradus_batch_norm,
    layout: *const gradus_batch_shape,
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
        let x = Memory::unchecked(x, shape.len());
        let y = Memory::unchecked(y, shape.len());
        let weight = Memory::unchecked(weight, shape.channels);
        let bias = Memory::unchecked(bias, shape.channels);
        let mean = Memory::unchecked(mean, shape.channels);
        let variance = Memory::unchecked(variance, shape.channels);
        apart([
            Region::read(config, 1),
            Region::read(layout, 1),
            x.read(),
            y.written(),
            weight.read(),
            bias.read(),
            mean.written(),
            variance.written(),
        ])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, y, weight, bias, mean, variance) = unsafe {
            (x.slice(), y.slice_mut(), weight.slice(), bias.slice(), mean.slice_mut(), variance.slice_mut())
        };
        Ok(norm.forward(shape, x, y, &Params { weight, bias }, &mut Statistics { mean, variance })?)
    })
}

/// Updates the running statistics by the `mean` and `variance` of a training pass.
///
/// `layout` is that of the pass, `mean` and `variance` have a float per channel. `running` has two,
/// all means and then all variances; it and `clock` start as zeros, where the variance counts as 1.
/// A channel whose mean or variance is not finite leaves its running statistics as they are.
///
/// Errors: GRADUS_ERROR_EMPTY if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_track(
    config: *const gradus_batch_norm,
    layout: *const gradus_batch_shape,
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
        let mean = Memory::unchecked(mean, shape.channels);
        let variance = Memory::unchecked(variance, shape.channels);
        let running = Memory::unchecked(running, area(shape.channels, GRADUS_BATCH_NORM_COLUMNS)?);
        let clock = Memory::unchecked(clock, 1);
        apart([
            Region::read(config, 1),
            Region::read(layout, 1),
            mean.read(),
            variance.read(),
            running.written(),
            clock.written(),
        ])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (mean, variance, running, clock) =
            unsafe { (mean.slice(), variance.slice(), running.slice_mut(), clock.one_mut()) };
        let (means, variances) = running.split_at_mut_checked(shape.channels).unwrap_or_default();
        let batch = Statistics { mean, variance };
        Ok(norm.track(shape, &batch, StateMut::new([means, variances], clock))?)
    })
}

/// Backward pass: turns `grads` of `y` in place into those of `x`, and writes those of weight and bias.
///
/// `grads` and `x` are tensors of the shape `layout`; `weight`, `mean`, `variance`, `grad_weight`
/// and `grad_bias` have a float per channel. `x`, `mean` and `variance` are those of the training
/// pass.
///
/// Errors: GRADUS_ERROR_EMPTY if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_backward(
    config: *const gradus_batch_norm,
    layout: *const gradus_batch_shape,
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
        let grads = Memory::unchecked(grads, shape.len());
        let x = Memory::unchecked(x, shape.len());
        let weight = Memory::unchecked(weight, shape.channels);
        let mean = Memory::unchecked(mean, shape.channels);
        let variance = Memory::unchecked(variance, shape.channels);
        let grad_weight = Memory::unchecked(grad_weight, shape.channels);
        let grad_bias = Memory::unchecked(grad_bias, shape.channels);
        apart([
            grads.written(),
            x.read(),
            weight.read(),
            mean.read(),
            variance.read(),
            grad_weight.written(),
            grad_bias.written(),
        ])?;
        // Nine with the configuration and the shape: more than one comparison takes.
        let written = [grads.written(), grad_weight.written(), grad_bias.written()];
        apart([Region::read(config, 1), Region::read(layout, 1), written[0], written[1], written[2]])?;
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
        let params = Params { weight, bias: weight }; // the bias is not read
        let mut grad_params = Params { weight: grad_weight, bias: grad_bias };
        Ok(norm.backward(shape, grads, x, &params, &Statistics { mean, variance }, &mut grad_params)?)
    })
}

/// Pass of inference in place, with the running statistics.
///
/// `x` is a tensor of the shape `layout`; `weight` and `bias` have a float per channel, `running` and `clock` are
/// those of gradus_batch_norm_track(). Where no batch was tracked every variance counts as 1.
///
/// Errors: GRADUS_ERROR_EMPTY if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_inference(
    config: *const gradus_batch_norm,
    layout: *const gradus_batch_shape,
    x: *mut f32,
    weight: *const f32,
    bias: *const f32,
    running: *const f32,
    clock: *const Clock,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let norm = unsafe { batch_norm(config)? };
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let shape = unsafe { shape(layout)? };
        let x = Memory::unchecked(x, shape.len());
        let weight = Memory::unchecked(weight, shape.channels);
        let bias = Memory::unchecked(bias, shape.channels);
        let running = Memory::unchecked(running, area(shape.channels, GRADUS_BATCH_NORM_COLUMNS)?);
        let clock = Memory::unchecked(clock, 1);
        apart([
            Region::read(config, 1),
            Region::read(layout, 1),
            x.written(),
            weight.read(),
            bias.read(),
            running.read(),
            clock.read(),
        ])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, weight, bias, running, clock) =
            unsafe { (x.slice_mut(), weight.slice(), bias.slice(), running.slice(), clock.one_ref()) };
        Ok(norm.inference(shape, x, &Params { weight, bias }, columns(running, shape.channels, clock))?)
    })
}

/// Folds the normalisation into the layer before it, which then needs none.
///
/// `layer_weights` has `channels` rows of `inputs` floats, `layer_bias`, `weight` and `bias` a float per channel;
/// `running` and `clock` are those of gradus_batch_norm_track(). Where no batch was tracked every variance counts as 1.
///
/// Errors: GRADUS_ERROR_SHAPE if one of both is 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_fold(
    config: *const gradus_batch_norm,
    channels: usize,
    inputs: usize,
    weight: *const f32,
    bias: *const f32,
    running: *const f32,
    clock: *const Clock,
    layer_weights: *mut f32,
    layer_bias: *mut f32,
) -> gradus_status {
    guard(|| {
        let run = BatchNorm::fold;
        // SAFETY: the caller vouches for the memory behind the pointers, which are checked.
        unsafe {
            fold(run, config, channels, inputs, weight, bias, running, clock, layer_weights, layer_bias)
        }
    })
}

/// As gradus_batch_norm_fold(), for a layer whose `layer_weights` are `inputs` rows of `channels` floats.
///
/// Errors: those of gradus_batch_norm_fold().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_batch_norm_fold_columns(
    config: *const gradus_batch_norm,
    channels: usize,
    inputs: usize,
    weight: *const f32,
    bias: *const f32,
    running: *const f32,
    clock: *const Clock,
    layer_weights: *mut f32,
    layer_bias: *mut f32,
) -> gradus_status {
    guard(|| {
        let run = BatchNorm::fold_columns;
        // SAFETY: the caller vouches for the memory behind the pointers, which are checked.
        unsafe {
            fold(run, config, channels, inputs, weight, bias, running, clock, layer_weights, layer_bias)
        }
    })
}

/// Either of both.
///
/// # Safety
/// Each pointer is null, misaligned or good.
#[allow(clippy::too_many_arguments, reason = "those of the function in C")]
unsafe fn fold<'a>(
    run: impl Fn(&BatchNorm, &Params<&'a [f32]>, Running<'a>, &mut [f32], &mut [f32]) -> Result<(), Error>,
    config: *const gradus_batch_norm,
    channels: usize,
    inputs: usize,
    weight: *const f32,
    bias: *const f32,
    running: *const f32,
    clock: *const Clock,
    layer_weights: *mut f32,
    layer_bias: *mut f32,
) -> Result<(), Refusal> {
    // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
    let norm = unsafe { batch_norm(config)? };
    let weight = Memory::unchecked(weight, channels);
    let bias = Memory::unchecked(bias, channels);
    let running = Memory::unchecked(running, area(channels, GRADUS_BATCH_NORM_COLUMNS)?);
    let clock = Memory::unchecked(clock, 1);
    let layer_weights = Memory::unchecked(layer_weights, area(channels, inputs)?);
    let layer_bias = Memory::unchecked(layer_bias, channels);
    apart([
        Region::read(config, 1),
        weight.read(),
        bias.read(),
        running.read(),
        clock.read(),
        layer_weights.written(),
        layer_bias.written(),
    ])?;
    // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
    let (weight, bias, running, clock) =
        unsafe { (weight.slice(), bias.slice(), running.slice(), clock.one_ref()) };
    // SAFETY: the same.
    let (layer_weights, layer_bias) = unsafe { (layer_weights.slice_mut(), layer_bias.slice_mut()) };
    let running = columns(running, channels, clock);
    Ok(run(&norm, &Params { weight, bias }, running, layer_weights, layer_bias)?)
}

/// Group normalisation (Wu and He, 2018), and layer normalisation (Ba et al., 2016): each sample by itself.
///
/// ```text
/// near = first + sum (x - first) / n                          over the channels of a group and their positions
/// mean = near + d                                             d = sum (x - near) / n
/// variance = sum (x - near)^2 / n - d^2
/// y = (x - mean) * (1 / sqrt(variance + eps)) * weight + bias
/// ```
///
/// Layer normalisation over rows of features is that of one group: `batch` rows, `channels` features, `spatial` 1.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_group_norm {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Stabiliser of the root; 1e-5.
    pub eps: f32,
    /// Groups of channels; it divides their number.
    pub groups: usize,
}

/// The configuration behind a pointer.
///
/// # Safety
/// The pointer is null, misaligned or good.
unsafe fn group_norm(config: *const gradus_group_norm) -> Result<GroupNorm, Refusal> {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    let gradus_group_norm { version, eps, groups } = unsafe { copy(config)? };
    same_version(version)?;
    Ok(GroupNorm { eps, ..GroupNorm::new(groups) })
}

/// Whether the hyper-parameters of `config` lie in their ranges: ask once, before training.
///
/// Errors: GRADUS_ERROR_SHAPE without a group, GRADUS_ERROR_EPSILON, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_group_norm_check(config: *const gradus_group_norm) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let norm = unsafe { group_norm(config)? };
        Ok(norm.check()?)
    })
}

/// Training pass: writes `y`, and the `mean` and biased `variance` of every group, which the backward pass needs.
///
/// `x` and `y` are tensors of the shape `layout`; `weight` and `bias` have a float per channel, `mean` and `variance` one
/// for each group of each sample.
///
/// Errors: GRADUS_ERROR_EMPTY if the shape has a 0, GRADUS_ERROR_SHAPE if the groups do not divide the channels,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_group_norm_forward(
    config: *const gradus_group_norm,
    layout: *const gradus_batch_shape,
    x: *const f32,
    y: *mut f32,
    weight: *const f32,
    bias: *const f32,
    mean: *mut f32,
    variance: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let norm = unsafe { group_norm(config)? };
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let shape = unsafe { shape(layout)? };
        let groups = area(shape.batch, norm.groups)?;
        let x = Memory::unchecked(x, shape.len());
        let y = Memory::unchecked(y, shape.len());
        let weight = Memory::unchecked(weight, shape.channels);
        let bias = Memory::unchecked(bias, shape.channels);
        let mean = Memory::unchecked(mean, groups);
        let variance = Memory::unchecked(variance, groups);
        apart([
            Region::read(config, 1),
            Region::read(layout, 1),
            x.read(),
            y.written(),
            weight.read(),
            bias.read(),
            mean.written(),
            variance.written(),
        ])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, y, weight, bias, mean, variance) = unsafe {
            (x.slice(), y.slice_mut(), weight.slice(), bias.slice(), mean.slice_mut(), variance.slice_mut())
        };
        Ok(norm.forward(shape, x, y, &Params { weight, bias }, &mut Statistics { mean, variance })?)
    })
}

/// Pass of inference in place: what gradus_group_norm_forward() computes, without statistics to keep.
///
/// `x` is a tensor of the shape `layout`; `weight` and `bias` have a float per channel.
///
/// Errors: those of gradus_group_norm_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_group_norm_inference(
    config: *const gradus_group_norm,
    layout: *const gradus_batch_shape,
    x: *mut f32,
    weight: *const f32,
    bias: *const f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let norm = unsafe { group_norm(config)? };
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let shape = unsafe { shape(layout)? };
        let x = Memory::unchecked(x, shape.len());
        let weight = Memory::unchecked(weight, shape.channels);
        let bias = Memory::unchecked(bias, shape.channels);
        apart([Region::read(config, 1), Region::read(layout, 1), x.written(), weight.read(), bias.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, weight, bias) = unsafe { (x.slice_mut(), weight.slice(), bias.slice()) };
        Ok(norm.inference(shape, x, &Params { weight, bias })?)
    })
}

/// Backward pass: turns `grads` of `y` in place into those of `x`, and writes those of weight and bias.
///
/// `grads` and `x` are tensors of the shape `layout`; `weight`, `grad_weight` and `grad_bias` have a float per channel.
/// `x`, `mean` and `variance` are those of the training pass.
///
/// Errors: those of gradus_group_norm_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_group_norm_backward(
    config: *const gradus_group_norm,
    layout: *const gradus_batch_shape,
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
        let norm = unsafe { group_norm(config)? };
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let shape = unsafe { shape(layout)? };
        let groups = area(shape.batch, norm.groups)?;
        let grads = Memory::unchecked(grads, shape.len());
        let x = Memory::unchecked(x, shape.len());
        let weight = Memory::unchecked(weight, shape.channels);
        let mean = Memory::unchecked(mean, groups);
        let variance = Memory::unchecked(variance, groups);
        let grad_weight = Memory::unchecked(grad_weight, shape.channels);
        let grad_bias = Memory::unchecked(grad_bias, shape.channels);
        apart([
            grads.written(),
            x.read(),
            weight.read(),
            mean.read(),
            variance.read(),
            grad_weight.written(),
            grad_bias.written(),
        ])?;
        // Nine with the configuration and the shape: more than one comparison takes.
        let written = [grads.written(), grad_weight.written(), grad_bias.written()];
        apart([Region::read(config, 1), Region::read(layout, 1), written[0], written[1], written[2]])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (grads, x, weight) = unsafe { (grads.slice_mut(), x.slice(), weight.slice()) };
        // SAFETY: the same.
        let (mean, variance) = unsafe { (mean.slice(), variance.slice()) };
        // SAFETY: the same.
        let (grad_weight, grad_bias) = unsafe { (grad_weight.slice_mut(), grad_bias.slice_mut()) };
        let params = Params { weight, bias: weight }; // the bias is not read
        let mut grad_params = Params { weight: grad_weight, bias: grad_bias };
        Ok(norm.backward(shape, grads, x, &params, &Statistics { mean, variance }, &mut grad_params)?)
    })
}
