//! Masks and what is built of them.

use super::memory::{Memory, Region, apart, area, copy, put};
use super::{Refusal, gradus_status, guard, same_version};
use crate::noise::{DropConnect, Dropout, Masks, MonteCarlo, StochasticDepth, mask_words, monte_carlo};

/// Generator of masks; `= {0}` is the one of seed 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct gradus_masks {
    /// Eight generators of xoshiro128++.
    pub generators: [[u32; 4]; 8],
}

impl gradus_masks {
    pub(super) fn build(&self) -> Masks {
        Masks::from_state(self.generators)
    }

    pub(super) fn keep(&mut self, masks: &Masks) {
        self.generators = masks.state();
    }
}

/// Dropout (Srivastava et al., 2014), and the probability of its relatives.
///
/// ```text
///              training                        inference
/// inverted     y = keep ? x / keep_prob : 0    y = x
/// vanilla      y = keep ? x : 0                y = x * keep_prob
/// ```
///
/// A mask has one bit per element, GRADUS_MASK_WORDS(n) words of 32 bits; a bit of 1 keeps.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_dropout {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Probability that an element is kept.
    pub keep_prob: f32,
    /// Whether to scale at inference instead of in training: 0, or 1 for yes.
    pub vanilla: u32,
}

impl gradus_dropout {
    fn build(&self) -> Result<Dropout, Refusal> {
        same_version(self.version)?;
        Ok(Dropout { inverted: self.vanilla == 0, ..Dropout::keep_prob(self.keep_prob) })
    }
}

/// The configuration behind a pointer.
///
/// # Safety
/// The pointer is null, misaligned or good.
unsafe fn dropout(config: *const gradus_dropout) -> Result<Dropout, Refusal> {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    unsafe { copy(config)?.build() }
}

/// Makes `masks` a generator whose stream has nothing to do with that of another seed.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_masks_seed(masks: *mut gradus_masks, seed: u64) -> gradus_status {
    guard(|| {
        let masks = Memory::unchecked(masks, 1);
        apart([masks.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let masks = unsafe { masks.one_mut() };
        masks.keep(&Masks::new(seed));
        Ok(())
    })
}

/// Fills `words` words of `mask` with bits of `masks`, each 1 with probability `keep_prob`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_masks_fill(
    masks: *mut gradus_masks,
    keep_prob: f32,
    words: usize,
    mask: *mut u32,
) -> gradus_status {
    guard(|| {
        let masks = Memory::unchecked(masks, 1);
        let mask = Memory::unchecked(mask, words);
        apart([masks.written(), mask.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (masks, mask) = unsafe { (masks.one_mut(), mask.slice_mut()) };
        let mut generator = masks.build();
        generator.fill(keep_prob, mask);
        masks.keep(&generator);
        Ok(())
    })
}

/// Whether the probability of `config` is one: ask once, before training.
///
/// Errors: GRADUS_ERROR_PROBABILITY, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropout_check(config: *const gradus_dropout) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        Ok(dropout.check()?)
    })
}

/// Training pass over the `n` floats of `x` in place, with a mask drawn on the way.
///
/// A copy of `masks`, taken before, draws the same mask for the backward pass: the same call over
/// the gradients.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropout_forward(
    config: *const gradus_dropout,
    n: usize,
    x: *mut f32,
    masks: *mut gradus_masks,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let x = Memory::unchecked(x, n);
        let masks = Memory::unchecked(masks, 1);
        apart([Region::read(config, 1), x.written(), masks.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, masks) = unsafe { (x.slice_mut(), masks.one_mut()) };
        let mut generator = masks.build();
        dropout.forward(x, &mut generator)?;
        masks.keep(&generator);
        Ok(())
    })
}

/// Training pass over the `n` floats of `x` in place, with the caller's `mask`.
///
/// `mask` has GRADUS_MASK_WORDS(n) words. The backward pass is the same call over the gradients.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropout_forward_mask(
    config: *const gradus_dropout,
    n: usize,
    x: *mut f32,
    mask: *const u32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let x = Memory::unchecked(x, n);
        let mask = Memory::unchecked(mask, mask_words(n));
        apart([Region::read(config, 1), x.written(), mask.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, mask) = unsafe { (x.slice_mut(), mask.slice()) };
        Ok(dropout.forward(x, mask)?)
    })
}

/// Training pass of the rectifier over the `n` floats of `x` in place, with a mask drawn on the
/// way.
///
/// The rectifier is max(0, x); `masks` draws what it draws for gradus_dropout_forward().
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropout_relu_forward(
    config: *const gradus_dropout,
    n: usize,
    x: *mut f32,
    masks: *mut gradus_masks,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let x = Memory::unchecked(x, n);
        let masks = Memory::unchecked(masks, 1);
        apart([Region::read(config, 1), x.written(), masks.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, masks) = unsafe { (x.slice_mut(), masks.one_mut()) };
        let mut generator = masks.build();
        dropout.relu_forward(x, &mut generator)?;
        masks.keep(&generator);
        Ok(())
    })
}

/// Training pass of the rectifier over the `n` floats of `x` in place, with the caller's `mask`.
///
/// `mask` has GRADUS_MASK_WORDS(n) words.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropout_relu_forward_mask(
    config: *const gradus_dropout,
    n: usize,
    x: *mut f32,
    mask: *const u32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let x = Memory::unchecked(x, n);
        let mask = Memory::unchecked(mask, mask_words(n));
        apart([Region::read(config, 1), x.written(), mask.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, mask) = unsafe { (x.slice_mut(), mask.slice()) };
        Ok(dropout.relu_forward(x, mask)?)
    })
}

/// Gradient of the rectifier's training pass in place, given its output `y`: no mask is needed.
///
/// `grads` are `n` floats, those of the output and then those of the input; `y` has `n` floats.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropout_relu_backward(
    config: *const gradus_dropout,
    n: usize,
    grads: *mut f32,
    y: *const f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let grads = Memory::unchecked(grads, n);
        let y = Memory::unchecked(y, n);
        apart([Region::read(config, 1), grads.written(), y.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (grads, y) = unsafe { (grads.slice_mut(), y.slice()) };
        Ok(dropout.relu_backward(grads, y)?)
    })
}

/// Pass of inference over the `n` floats of `x` in place; for stochastic depth too.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropout_inference(
    config: *const gradus_dropout,
    n: usize,
    x: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let x = Memory::unchecked(x, n);
        apart([Region::read(config, 1), x.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let x = unsafe { x.slice_mut() };
        Ok(dropout.inference(x)?)
    })
}

/// DropConnect (Wan et al., 2013): `y = W x` of one sample, in which weights are dropped.
///
/// `w` has `outputs` rows of `inputs` weights, and `mask` as many rows of GRADUS_MASK_WORDS(inputs)
/// words; `x` has `inputs` floats, `y` has `outputs`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropconnect_forward(
    config: *const gradus_dropout,
    inputs: usize,
    outputs: usize,
    w: *const f32,
    x: *const f32,
    y: *mut f32,
    mask: *const u32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let w = Memory::unchecked(w, area(inputs, outputs)?);
        let x = Memory::unchecked(x, inputs);
        let y = Memory::unchecked(y, outputs);
        let mask = Memory::unchecked(mask, area(mask_words(inputs), outputs)?);
        apart([Region::read(config, 1), w.read(), x.read(), y.written(), mask.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (w, x, y, mask) = unsafe { (w.slice(), x.slice(), y.slice_mut(), mask.slice()) };
        Ok(DropConnect(dropout).forward(w, x, y, mask)?)
    })
}

/// Adds the gradient of gradus_dropconnect_forward() with respect to the weights to `grad_w`.
///
/// `grad_y` has `outputs` floats, `x` has `inputs`, and `grad_w` has `outputs` rows of `inputs`;
/// `x` and `mask` are those of the forward pass.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropconnect_backward_weights(
    config: *const gradus_dropout,
    inputs: usize,
    outputs: usize,
    grad_y: *const f32,
    x: *const f32,
    grad_w: *mut f32,
    mask: *const u32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let grad_y = Memory::unchecked(grad_y, outputs);
        let x = Memory::unchecked(x, inputs);
        let grad_w = Memory::unchecked(grad_w, area(inputs, outputs)?);
        let mask = Memory::unchecked(mask, area(mask_words(inputs), outputs)?);
        apart([Region::read(config, 1), grad_y.read(), x.read(), grad_w.written(), mask.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (grad_y, x, grad_w, mask) =
            unsafe { (grad_y.slice(), x.slice(), grad_w.slice_mut(), mask.slice()) };
        Ok(DropConnect(dropout).backward_weights(grad_y, x, grad_w, mask)?)
    })
}

/// Writes the gradient of gradus_dropconnect_forward() with respect to the input to `grad_x`.
///
/// `grad_y` has `outputs` floats, `grad_x` has `inputs`; `w` and `mask` are those of the forward
/// pass.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropconnect_backward_input(
    config: *const gradus_dropout,
    inputs: usize,
    outputs: usize,
    w: *const f32,
    grad_y: *const f32,
    grad_x: *mut f32,
    mask: *const u32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let w = Memory::unchecked(w, area(inputs, outputs)?);
        let grad_y = Memory::unchecked(grad_y, outputs);
        let grad_x = Memory::unchecked(grad_x, inputs);
        let mask = Memory::unchecked(mask, area(mask_words(inputs), outputs)?);
        apart([Region::read(config, 1), w.read(), grad_y.read(), grad_x.written(), mask.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (w, grad_y, grad_x, mask) =
            unsafe { (w.slice(), grad_y.slice(), grad_x.slice_mut(), mask.slice()) };
        Ok(DropConnect(dropout).backward_input(w, grad_y, grad_x, mask)?)
    })
}

/// The product of DropConnect at inference.
///
/// `w` has `outputs` rows of `inputs` weights; `x` has `inputs` floats, `y` has `outputs`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dropconnect_inference(
    config: *const gradus_dropout,
    inputs: usize,
    outputs: usize,
    w: *const f32,
    x: *const f32,
    y: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let w = Memory::unchecked(w, area(inputs, outputs)?);
        let x = Memory::unchecked(x, inputs);
        let y = Memory::unchecked(y, outputs);
        apart([Region::read(config, 1), w.read(), x.read(), y.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (w, x, y) = unsafe { (w.slice(), x.slice(), y.slice_mut()) };
        Ok(DropConnect(dropout).inference(w, x, y)?)
    })
}

/// Stochastic depth (Huang et al., 2016): training pass over the branches of `samples` samples.
///
/// `branch` has `n` floats, `mask` one bit for each sample; the same for the gradients. Fill the mask
/// with gradus_masks_fill(), or all words with 0 or UINT32_MAX for one draw per batch.
///
/// Errors: GRADUS_ERROR_SHAPE if `samples` does not divide `n`, GRADUS_ERROR_NULL,
/// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_stochastic_depth_forward(
    config: *const gradus_dropout,
    n: usize,
    branch: *mut f32,
    samples: usize,
    mask: *const u32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let dropout = unsafe { dropout(config)? };
        let branch = Memory::unchecked(branch, n);
        let mask = Memory::unchecked(mask, mask_words(samples));
        apart([Region::read(config, 1), branch.written(), mask.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (branch, mask) = unsafe { (branch.slice_mut(), mask.slice()) };
        Ok(StochasticDepth(dropout).forward(branch, samples, mask)?)
    })
}

/// Adds the prediction of one pass to the average over masks; all three start as zeros.
///
/// ```text
/// d = y - mean;  mean += d / count;  m2 += d * (y - mean);  variance = m2 / (count - 1)
/// ```
///
/// `mean`, `m2` and the `prediction` y have `n` floats, `count` is one number.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_monte_carlo_add(
    n: usize,
    mean: *mut f32,
    m2: *mut f32,
    count: *mut u32,
    prediction: *const f32,
) -> gradus_status {
    guard(|| {
        let mean = Memory::unchecked(mean, n);
        let m2 = Memory::unchecked(m2, n);
        let count = Memory::unchecked(count, 1);
        let prediction = Memory::unchecked(prediction, n);
        apart([mean.written(), m2.written(), count.written(), prediction.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (mean, m2, count, prediction) =
            unsafe { (mean.slice_mut(), m2.slice_mut(), count.one_mut(), prediction.slice()) };
        let mut passes = MonteCarlo::resume(mean, m2, *count)?;
        passes.add(prediction)?;
        *count = passes.count();
        Ok(())
    })
}

/// Turns the `n` floats of `m2` into the variance of `count` passes; 0 for one pass.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_monte_carlo_finish(n: usize, m2: *mut f32, count: u32) -> gradus_status {
    guard(|| {
        let m2 = Memory::unchecked(m2, n);
        apart([m2.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let m2 = unsafe { m2.slice_mut() };
        monte_carlo::finish(m2, count);
        Ok(())
    })
}

/// Writes the survival of block `block` of `blocks`, counted from 1, to `keep_prob`: the linear rule.
///
/// The last block, and any that is past it, has the survival `last`.
///
/// Errors: GRADUS_ERROR_PROBABILITY if `last` is none, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_stochastic_depth_linear(
    block: u32,
    blocks: u32,
    last: f32,
    keep_prob: *mut f32,
) -> gradus_status {
    guard(|| {
        Dropout::keep_prob(last).check()?;
        // SAFETY: the caller vouches for memory behind the checked pointer.
        unsafe { put(keep_prob, StochasticDepth::linear(block, blocks, last)) }
    })
}
