//! Layers: the passes that all of them share, and the dense one.

use super::memory::{Memory, Region, apart, area};
use super::step::{Part, gradus_step};
use super::{Refusal, gradus_status, guard};
use crate::Error;
use crate::layer::{Dense, HalfGrads, Weighted, biases_to};
use crate::simd::{Bf16, Exec};

/// A structure of the caller's that says what a layer is.
pub(super) trait Shape {
    /// The layer.
    type Layer;
    /// The layer, and its inputs, outputs and parameters, if its sizes fit each other.
    fn build(&self) -> Result<(Self::Layer, [usize; 3]), Refusal>;
}

/// A layer whose sizes fit each other; its passes are functions of the crate.
pub(super) struct Layer<L> {
    pub layer: L,
    pub inputs: usize,
    pub outputs: usize,
    pub params: usize,
    /// The structure that says what it is.
    pub own: Region,
}

/// The pointers of a backward pass: what the layer read, the gradient of what it wrote, and that of what it read.
#[derive(Clone, Copy)]
pub(super) struct Back {
    pub samples: usize,
    pub x: *const f32,
    pub dy: *const f32,
    pub dx: *mut f32,
}

/// The gradient of the inputs, where it is asked for.
type Inputs<'a> = Option<&'a mut [f32]>;

impl Layer<Dense> {
    fn dense(inputs: usize, outputs: usize) -> Result<Self, Refusal> {
        let params = area(inputs.saturating_add(1), outputs)?;
        Ok(Self { layer: Dense::new(inputs, outputs), inputs, outputs, params, own: Region::NONE })
    }
}

impl<L> Layer<L> {
    /// The layer that a structure of the caller's describes.
    ///
    /// # Safety
    /// The caller vouches for memory behind the pointer, which is checked.
    pub(super) unsafe fn of<S: Shape<Layer = L>>(shape: *const S) -> Result<Self, Refusal> {
        let memory = Memory::one(shape)?;
        // SAFETY: checked; the caller vouches for the memory.
        let (layer, [inputs, outputs, params]) = unsafe { memory.one_ref().build()? };
        Ok(Self { layer, inputs, outputs, params, own: memory.read() })
    }

    /// The sizes of a backward pass that reads and writes as a forward pass does, the other way round.
    pub(super) fn turned(self) -> Self {
        Self { inputs: self.outputs, outputs: self.inputs, ..self }
    }

    /// Writes how many parameters it has, and how many floats of a sample it writes.
    ///
    /// # Safety
    /// The caller vouches for memory behind the pointers, which are checked.
    pub(super) unsafe fn sizes(&self, params: *mut usize, outputs: *mut usize) -> Result<(), Refusal> {
        let (params, outputs) = (Memory::one(params)?, Memory::one(outputs)?);
        apart([self.own, params.written(), outputs.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe { (*params.one_mut(), *outputs.one_mut()) = (self.params, self.outputs) };
        Ok(())
    }

    /// The forward pass.
    ///
    /// # Safety
    /// The caller vouches for memory behind the pointers, which are checked.
    pub(super) unsafe fn forward(
        &self,
        samples: usize,
        params: *const f32,
        x: *const f32,
        y: *mut f32,
        pass: impl FnOnce(&L, &[f32], &[f32], &mut [f32]) -> Result<(), Error>,
    ) -> Result<(), Refusal> {
        let (x, y) = (
            Memory::unchecked(x, area(samples, self.inputs)?),
            Memory::unchecked(y, area(samples, self.outputs)?),
        );
        let params = Memory::unchecked(params, self.params);
        apart([self.own, params.read(), x.read(), y.written()])?;
        // SAFETY: checked, and apart where one is written.
        unsafe { Ok(pass(&self.layer, params.slice(), x.slice(), y.slice_mut())?) }
    }

    /// The memory of a backward pass, not checked; without the gradient of the inputs where its pointer is null.
    fn memory(&self, back: Back) -> Result<[Memory<f32>; 3], Refusal> {
        let (read, written) = (area(back.samples, self.inputs)?, area(back.samples, self.outputs)?);
        let dx = Memory::unchecked(back.dx, if back.dx.is_null() { 0 } else { read });
        Ok([Memory::unchecked(back.x, read), Memory::unchecked(back.dy, written), dx])
    }
}

impl<L: Weighted> Layer<L> {
    /// The backward pass that adds to gradients.
    ///
    /// # Safety
    /// The caller vouches for memory behind the pointers, which are checked.
    pub(super) unsafe fn backward(
        &self,
        params: *const f32,
        grads: *mut f32,
        back: Back,
    ) -> Result<(), Refusal> {
        let ([x, dy, dx], params) = (self.memory(back)?, Memory::unchecked(params, self.params));
        let grads = Memory::unchecked(grads, self.params);
        apart([self.own, params.read(), x.read(), dy.read(), grads.written(), dx.written()])?;
        // SAFETY: checked, and apart where one is written.
        unsafe {
            let inputs = back.inputs(dx);
            Ok(self.layer.backward_adding(
                params.slice(),
                grads.slice_mut(),
                x.slice(),
                dy.slice(),
                inputs,
            )?)
        }
    }

    /// The one that writes the gradient of the inputs alone.
    ///
    /// # Safety
    /// The caller vouches for memory behind the pointers, which are checked.
    pub(super) unsafe fn backward_input(
        &self,
        samples: usize,
        params: *const f32,
        dy: *const f32,
        dx: *mut f32,
    ) -> Result<(), Refusal> {
        let (dy, dx) = (
            Memory::unchecked(dy, area(samples, self.outputs)?),
            Memory::unchecked(dx, area(samples, self.inputs)?),
        );
        let params = Memory::unchecked(params, self.params);
        apart([self.own, params.read(), dy.read(), dx.written()])?;
        // SAFETY: checked, and apart where one is written.
        unsafe { Ok(self.layer.backward_through(params.slice(), dy.slice(), dx.slice_mut())?) }
    }

    /// The one that adds to sums in half the memory, as pass `pass`; the first sum is element `first` of all.
    ///
    /// # Safety
    /// The caller vouches for memory behind the pointers, which are checked.
    pub(super) unsafe fn backward_half(
        &self,
        params: *const f32,
        (grads, [number, first]): (*mut u16, [u32; 2]),
        back: Back,
    ) -> Result<(), Refusal> {
        let ([x, dy, dx], params) = (self.memory(back)?, Memory::unchecked(params, self.params));
        let grads = Memory::unchecked(grads.cast::<Bf16>(), self.params);
        apart([self.own, params.read(), x.read(), dy.read(), grads.written(), dx.written()])?;
        // SAFETY: checked, and apart where one is written.
        unsafe {
            let sums = HalfGrads::counted(grads.slice_mut(), number, first).of(params.slice());
            Ok(self.layer.backward_to(sums, x.slice(), dy.slice(), back.inputs(dx))?)
        }
    }

    /// The one in which an optimizer acts on the gradients at once; the first parameter is element `at` of all.
    ///
    /// # Safety
    /// The caller vouches for memory behind the pointers, which are checked.
    pub(super) unsafe fn backward_step(
        &self,
        step: *const gradus_step,
        at: usize,
        back: Back,
    ) -> Result<(), Refusal> {
        let [x, dy, dx] = self.memory(back)?;
        // SAFETY: checked, and apart where one is written.
        unsafe {
            let part = Part::new(step, at, self.params, [self.own, x.read(), dy.read(), dx.written()])?;
            Ok(self.layer.backward_to(part, x.slice(), dy.slice(), back.inputs(dx))?)
        }
    }
}

impl Back {
    /// The gradient of the inputs, if the caller asks for it.
    ///
    /// # Safety
    /// The memory is that of `dx`, and nothing else touches it while the slice lives.
    unsafe fn inputs<'a>(&self, dx: Memory<f32>) -> Inputs<'a> {
        // SAFETY: as above.
        if self.dx.is_null() { None } else { Some(unsafe { dx.slice_mut() }) }
    }
}

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
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::dense(inputs, outputs)?.forward(samples, params, x, y, Dense::forward) })
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
    let back = Back { samples, x, dy, dx };
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::dense(inputs, outputs)?.backward(params, grads, back) })
}

/// Writes the gradient of a dense layer's inputs alone: the way back through a layer that does not learn.
///
/// `params`, `dy` and `dx` are those of gradus_dense_backward(), and so are the bits of `dx`.
///
/// Errors: those of gradus_dense_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dense_backward_input(
    inputs: usize,
    outputs: usize,
    samples: usize,
    params: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::dense(inputs, outputs)?.backward_input(samples, params, dy, dx) })
}

/// gradus_dense_backward() in which an optimizer acts on the gradients at once, so that no array of them exists.
///
/// The layer's parameters are those of `step` from element `at` on; `x`, `dy` and `dx` are as above, and `dx` comes of the
/// parameters before the step. Begin a step once for all layers, and let each take it once. The bits are those of
/// gradus_dense_backward() to zeros, and a step.
///
/// ```text
/// gradus_step step;
/// status = gradus_adam_begin(&adam, N, params, state, &clock, &step);
/// status = gradus_dense_backward_step(32, 10, samples, &step, SECOND, h, dy, dh);
/// status = gradus_relu_backward(samples * 32, dh, h);
/// status = gradus_dense_backward_step(64, 32, samples, &step, 0, x, dh, NULL);
/// ```
///
/// Errors: those of gradus_dense_forward(), GRADUS_ERROR_VERSION if the step was not begun; GRADUS_ERROR_LENGTH also where
/// it has fewer parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dense_backward_step(
    inputs: usize,
    outputs: usize,
    samples: usize,
    step: *const gradus_step,
    at: usize,
    x: *const f32,
    dy: *const f32,
    dx: *mut f32,
) -> gradus_status {
    let back = Back { samples, x, dy, dx };
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { Layer::dense(inputs, outputs)?.backward_step(step, at, back) })
}

/// gradus_dense_backward() to sums in half the memory: `grads` are bfloat16, rounded with a dither that is right on
/// average. gradus_step_half_grads() takes the step; then zeros begin the next sum.
///
/// `params`, `x`, `dy` and `dx` are those of gradus_dense_backward(), `grads` as many uint16_t as `params`.
/// `pass` is the running number of backward passes, from 1 on, over the whole training: a number that began anew with each
/// batch would repeat the errors of the last. `first` is the place of the layer's first sum among those of all layers.
///
/// Errors: those of gradus_dense_forward().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_dense_backward_half(
    inputs: usize,
    outputs: usize,
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
    guard(|| unsafe { Layer::dense(inputs, outputs)?.backward_half(params, sums, back) })
}

/// Takes an optimizer's step of the biases of a layer alone; its weights stay.
///
/// The `outputs` biases of any layer (`filters` of a convolution) are the parameters of `step` from element `at` on; `dy`
/// is the gradient of what the layer wrote, `samples` rows of `outputs` floats, for a convolution a row for each place of
/// each image. The way on to the layer before is gradus_dense_backward_input() or its kin, before the step.
///
/// Errors: those of gradus_dense_backward_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_bias_step(
    outputs: usize,
    samples: usize,
    step: *const gradus_step,
    at: usize,
    dy: *const f32,
) -> gradus_status {
    guard(|| {
        let dy = Memory::unchecked(dy, area(samples, outputs)?);
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let part = Part::new(step, at, outputs, [dy.read(), Region::NONE, Region::NONE, Region::NONE])?;
            Ok(biases_to(Exec::new(), part, dy.slice())?)
        }
    })
}
