//! A step that layers take, each for its own parameters: the constants of an optimizer's rule behind one pointer.
//!
//! `gradus_adam_begin` puts the address of a function into the step, which acts on a strip of gradients by its rule. So the
//! layers are compiled once for all optimizers, and a linker keeps the optimizers that a program begins.

use super::memory::{Memory, Region, apart};
use super::optim::{Config, optimizer, transforms};
use super::{GRADUS_STRUCTS, Refusal, gradus_status, gradus_transforms, guard, same_version};
use crate::optim::{Clock, Columns, Optimizer, With, each_strip};
use crate::simd::product::Start;
use crate::simd::{AtStep as _, Bf16, ColumnSet, Exec, Rule, Stored};
use crate::transform::Transform as _;
use core::ffi::c_void;
use core::fmt;
use core::mem::MaybeUninit;
use core::ops::Range;

/// Words of gradus_step.rule: room for the constants of any rule with transforms of weights and of biases.
pub const GRADUS_STEP_WORDS: usize = 32;

/// A step that was begun, by gradus_adam_begin() or another optimizer's. Its fields are the library's own.
///
/// Layers take it by their `_backward_step`, each for its own parameters: they form the gradients of a few weights at a
/// time, and the optimizer acts on them at once, so that no array of gradients exists. The clock has moved on already.
/// `config`, transforms and clock may be changed meanwhile, the parameters and the state must stay where they are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gradus_step {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// The number of the step, from 1 on.
    pub t: u32,
    /// Parameters of all layers.
    pub n: usize,
    /// The parameters.
    pub params: *mut f32,
    /// The columns of state.
    pub state: *mut c_void,
    /// Bytes of them.
    pub size: usize,
    /// What acts on `n` gradients of parameters from `at` on.
    pub act: Option<
        unsafe extern "C" fn(step: *const c_void, at: usize, n: usize, grads: *const f32, biases: u32),
    >,
    /// The constants of the step.
    pub rule: [MaybeUninit<u64>; GRADUS_STEP_WORDS], // padding and transforms that are not there leave bytes unwritten
}

impl fmt::Debug for gradus_step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, t, n, params, state, size, act, .. } = self;
        f.debug_struct("gradus_step")
            .field("version", version)
            .field("t", t)
            .field("n", n)
            .field("params", params)
            .field("state", state)
            .field("size", size)
            .field("act", act)
            .finish_non_exhaustive()
    }
}

/// The pointers of a step that begins.
#[derive(Clone, Copy)]
pub(crate) struct Begin<M = f32> {
    pub n: usize,
    pub params: *mut f32,
    pub state: *mut M,
    pub clock: *mut Clock,
    pub step: *mut gradus_step,
}

impl<M: Stored> Begin<M> {
    /// Bytes of state.
    fn size<C: Config>(&self) -> usize {
        let columns = Columns::<C::Optimizer>::COUNT;
        self.n.saturating_mul(columns).saturating_mul(size_of::<M>())
    }

    /// Checks all pointers. Too long a state is too many parameters, too.
    #[inline(always)]
    fn check<C: Config>(&self, config: *const C, more: [Region; 2]) -> Result<(), Refusal> {
        let [first, second] = more;
        apart([
            Region::read(config, 1),
            Region::written(self.params, self.n),
            Region::written(self.state, self.size::<C>() / size_of::<M>()),
            Region::written(self.clock, 1),
            Region::written(self.step, 1),
            first,
            second,
        ])
    }

    /// Writes the step, given the rule of weights and that of biases.
    ///
    /// # Safety
    /// The pointers are checked, and the caller vouches for the memory.
    #[inline(always)]
    unsafe fn write<C: Config, R: Rule + Copy>(&self, rules: [R; 2]) {
        const {
            assert!(size_of::<[R; 2]>() <= GRADUS_STEP_WORDS * size_of::<u64>());
            assert!(align_of::<R>() <= align_of::<u64>());
        }
        let act: Option<unsafe extern "C" fn(_, _, _, _, _)> = Some(act::<R, M>);
        let (n, size) = (self.n, self.size::<C>());
        // A layer makes slices of them, also where there are none: no pointer may be null then.
        let params = Memory::unchecked(self.params, n).start();
        let state = Memory::unchecked(self.state, size).start().cast();
        // SAFETY: checked; there is room for the rules.
        unsafe {
            let (t, rule) = ((*self.clock).t, [MaybeUninit::new(0); GRADUS_STEP_WORDS]);
            self.step.write(gradus_step { version: GRADUS_STRUCTS, t, n, params, state, size, act, rule });
            (&raw mut (*self.step).rule).cast::<[R; 2]>().write(rules);
        }
    }
}

/// Begins a step without transforms, with whole states or half ones.
///
/// # Safety
/// The pointers point at as much memory as the header says.
#[inline(always)]
pub(crate) unsafe fn begin<C: Config, M: Stored>(config: *const C, begin: &Begin<M>) -> Result<(), Refusal> {
    begin.check(config, [Region::NONE; 2])?;
    // SAFETY: checked; the caller vouches for the memory.
    unsafe {
        let rule = optimizer(config)?.rule((*begin.clock).tick());
        begin.write::<C, _>([rule, rule]);
    }
    Ok(())
}

/// Begins a step with transforms, and others for biases unless that pointer is null.
///
/// # Safety
/// The pointers point at as much memory as the header says.
#[inline(always)]
pub(crate) unsafe fn begin_with<C: Config, M: Stored>(
    config: *const C,
    of_weights: *const gradus_transforms,
    of_biases: *const gradus_transforms,
    begin: &Begin<M>,
) -> Result<(), Refusal> {
    let of_biases = if of_biases.is_null() { of_weights } else { of_biases };
    begin.check(config, [Region::read(of_weights, 1), Region::read(of_biases, 1)])?;
    // SAFETY: checked; the caller vouches for the memory.
    unsafe {
        let optimizer = optimizer(config)?;
        let (weights, biases) = (transforms(of_weights)?, transforms(of_biases)?);
        let inner = optimizer.rule((*begin.clock).tick());
        let rules = [weights, biases].map(|of| With { inner, transform: of.at(optimizer.lr()) });
        begin.write::<C, _>(rules);
    }
    Ok(())
}

/// Acts on `n` gradients of parameters from `at` on.
///
/// # Safety
/// `step` was written with this rule and this memory, and has as many parameters.
unsafe extern "C" fn act<R: Rule + Copy, M: Stored>(
    step: *const c_void,
    at: usize,
    n: usize,
    grads: *const f32,
    biases: u32,
) {
    // SAFETY: the range lies within the parameters, and within each column of state.
    unsafe {
        let step = &*step.cast::<gradus_step>();
        let [of_weights, of_biases] = &*(&raw const step.rule).cast::<[R; 2]>();
        let params = core::slice::from_raw_parts_mut(step.params.wrapping_add(at), n);
        let grads = core::slice::from_raw_parts(grads, n);
        let state = R::Columns::views(|k| {
            let column = step.state.cast::<M>().wrapping_add(k * step.n + at);
            core::slice::from_raw_parts_mut(column, n)
        });
        if let Ok(pass) = R::Columns::pass(params, grads, state) {
            let rule = if biases == 0 { of_weights } else { of_biases };
            R::Columns::run(Exec::new(), rule, pass.at_step(step.t, at as u32));
        }
    }
}

/// The parameters of a layer, from `at` on, in a step that was checked.
pub(super) struct Part<'a> {
    step: &'a gradus_step,
    at: usize,
    n: usize,
}

/// A step whose pointers are checked, against each other and against `more`.
///
/// # Safety
/// What `step` points at was zeros, or written by the library.
unsafe fn checked<'a>(step: *const gradus_step, more: [Region; 4]) -> Result<&'a gradus_step, Refusal> {
    let memory = Memory::one(step)?;
    // SAFETY: checked; the caller vouches for the value.
    let step = unsafe { memory.one_ref() };
    same_version(step.version)?;
    let [first, second, third, fourth] = more;
    apart([
        memory.read(),
        Region::written(step.params, step.n),
        Region::written(step.state.cast::<u8>(), step.size),
        first,
        second,
        third,
        fourth,
    ])?;
    Ok(step)
}

impl<'a> Part<'a> {
    /// The `n` parameters from `at` on, apart from what else the call touches.
    ///
    /// # Safety
    /// What `step` points at was zeros, or written by the library, and its memory is there.
    pub(super) unsafe fn new(
        step: *const gradus_step,
        at: usize,
        n: usize,
        more: [Region; 4],
    ) -> Result<Self, Refusal> {
        // SAFETY: as above.
        let step = unsafe { checked(step, more)? };
        let fits = step.n.checked_sub(at).is_some_and(|rest| n <= rest);
        if fits { Ok(Self { step, at, n }) } else { Err(Refusal::GRADUS_ERROR_LENGTH) }
    }

    fn act(&self, range: Range<usize>, grads: &[f32], biases: bool) {
        let Some(act) = self.step.act else { return };
        let step = (&raw const *self.step).cast();
        // SAFETY: the range lies within the part, and no slice of parameters lives.
        unsafe { act(step, self.at + range.start, grads.len(), grads.as_ptr(), biases.into()) };
    }
}

// SAFETY: two parts have no parameter in common, and the step is only read.
unsafe impl Send for Part<'_> {}

impl crate::layer::Sink for Part<'_> {
    fn params(&self) -> &[f32] {
        // SAFETY: the part lies within the parameters, which nothing writes while the slice lives.
        unsafe { core::slice::from_raw_parts(self.step.params.wrapping_add(self.at), self.n) }
    }
    fn begin(&self, _: Exec, _: usize, _: [usize; 2], _: &mut [f32]) -> Start<'static, f32> {
        Start::Zero
    }
    fn weights(&mut self, _: Exec, range: Range<usize>, grads: &[f32]) {
        self.act(range, grads, false);
    }
    fn biases(&mut self, _: Exec, range: Range<usize>, grads: &[f32]) {
        self.act(range, grads, true);
    }
    #[cfg(feature = "rayon")]
    fn split_at(self, n: usize) -> Option<(Self, Self)> {
        let others = self.n.checked_sub(n)?;
        Some((Self { n, ..self }, Self { at: self.at + n, n: others, ..self }))
    }
}

/// Takes the step with sums of gradients in half the memory, `grads`: as many uint16_t as `step` has parameters, which
/// gradus_dense_backward_half() and its kin have added up. Transforms of weights act on all of them.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_step_half_grads(
    step: *const gradus_step,
    grads: *const u16,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let n = Memory::one(step)?.one_ref().n;
            let grads = Memory::new(grads.cast::<Bf16>(), n)?;
            let more = [grads.read(), Region::NONE, Region::NONE, Region::NONE];
            let part = Part::new(step, 0, n, more)?;
            each_strip(Exec::new(), grads.slice(), |range, wide| part.act(range, wide, false));
        }
        Ok(())
    })
}
