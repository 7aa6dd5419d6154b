//! Averages of weights, ensembles of models, and the mean of what they predict.

use super::Refusal::{self, *};
use super::gradus_status;
use super::memory::{Memory, Region, apart, area, copy};
use super::optim::Config;
use super::{gradus_schedulefree, guard, same_version};
use crate::cut::cut_mut;
use crate::ensemble::{Average, CompensatedEma, Ema, Swa, argmax, predict};
use crate::error::{Error, ensure};
use crate::optim::{Clock, Optimizer, StateMut, Stateful};
use crate::simd::{ColumnSet, Exec};
use core::ffi::c_void;

/// Exponential moving average of weights: `average += (1 - decay) * (p - average)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_ema {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Weight of the old average: at least 0, at most 1 - 2^-20; 1 - 2^-33 for gradus_compensated_ema_update().
    pub decay: f64,
}

/// Columns of state of gradus_swa_update(): floats per parameter.
pub const GRADUS_SWA_COLUMNS: usize = 1;
/// Columns of state of gradus_ema_update(): floats per parameter.
pub const GRADUS_EMA_COLUMNS: usize = 1;
/// Columns of state of gradus_compensated_ema_update(): floats per parameter.
pub const GRADUS_COMPENSATED_EMA_COLUMNS: usize = 2;
const _: () = assert!(GRADUS_COMPENSATED_EMA_COLUMNS == <CompensatedEma as Stateful>::Columns::COUNT);
const _: () = assert!(GRADUS_SWA_COLUMNS == <Swa as Stateful>::Columns::COUNT);
const _: () = assert!(GRADUS_EMA_COLUMNS == <Ema as Stateful>::Columns::COUNT);

/// Turns the `n` floats of `params` of a schedule-free run, or a copy of them, into their average: those to evaluate and
/// deploy.
///
/// `config` and `state` are those of gradus_schedulefree_step(). A run that goes on needs its parameters as they were: give
/// it a copy then.
///
/// Errors: those of gradus_schedulefree_check(), GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_schedulefree_average(
    config: *const gradus_schedulefree,
    n: usize,
    params: *mut f32,
    state: *const f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointer, which is checked.
        let (own, config) = unsafe { (Region::read(config, 1), copy(config)?) };
        same_version(config.version)?;
        let free = config.build()?;
        free.check()?;
        let (params, d) = (Memory::unchecked(params, n), Memory::unchecked(state, n));
        apart([own, params.written(), d.read()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        let (params, d) = unsafe { (params.slice_mut(), d.slice()) };
        Ok(free.average(Exec::new(), params, d)?)
    })
}

/// One update of any average, whose configuration lies in `own`.
///
/// # Safety
/// The pointers point at as much memory as the public functions say.
unsafe fn update<A: Average>(
    (rule, own): (A, Region),
    n: usize,
    params: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> Result<(), Refusal> {
    let length = area(n, <A::Family as Stateful>::Columns::COUNT)?;
    let (params, state) = (Memory::unchecked(params, n), Memory::unchecked(state, length));
    let clock = Memory::unchecked(clock, 1);
    apart([own, params.read(), state.written(), clock.written()])?;
    // SAFETY: checked, and apart; the caller vouches for the memory.
    let (params, columns, clock) = unsafe {
        (params.slice(), state.columns_mut::<<A::Family as Stateful>::Columns>(n), clock.one_mut())
    };
    Ok(rule.update_slices(StateMut::of(columns, clock), params)?)
}

/// Takes the `n` floats of `params` into the mean of all that it was given (SWA; Izmailov et al., 2018).
///
/// `state` is GRADUS_SWA_COLUMNS * n floats, of which the first `n` are the mean; `state` and `clock` start as zeros.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_swa_update(
    n: usize,
    params: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { update((Swa, Region::NONE), n, params, state, clock) })
}

/// Takes the `n` floats of `params` into the moving average.
///
/// `state` is GRADUS_EMA_COLUMNS * n floats, of which the first `n` are the average; `state` and `clock` start as zeros.
/// The decay of `config` is not checked here.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_ema_update(
    config: *const gradus_ema,
    n: usize,
    params: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let (own, config) = (Region::read(config, 1), copy(config)?);
            same_version(config.version)?;
            update((Ema::new(config.decay), own), n, params, state, clock)
        }
    })
}

/// As gradus_ema_update(), and it keeps what rounding takes from the average.
///
/// The decay of `config` is at most 1 - 2^-33, which is not checked here.
/// `state` is GRADUS_COMPENSATED_EMA_COLUMNS * n floats, of which the first `n` are the average.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_compensated_ema_update(
    config: *const gradus_ema,
    n: usize,
    params: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let (own, config) = (Region::read(config, 1), copy(config)?);
            same_version(config.version)?;
            update((CompensatedEma::new(config.decay), own), n, params, state, clock)
        }
    })
}

/// Whether the decay of `config` is in the range of gradus_ema_update(): ask once, before training.
///
/// Errors: GRADUS_ERROR_RHO, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_ema_check(config: *const gradus_ema) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointer, which is checked.
        let config = unsafe { copy(config)? };
        same_version(config.version)?;
        Ok(Ema::new(config.decay).check()?)
    })
}

/// The weights of several models of one size, in the caller's memory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_ensemble {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Models that are there: 0 at the start.
    pub count: u32,
    /// Models that there is room for.
    pub room: u32,
    /// Parameters of a model.
    pub n: usize,
    /// room * n floats, one model after the other.
    pub members: *mut f32,
}

impl gradus_ensemble {
    /// The members and the room for more, if the numbers fit each other.
    pub(super) fn memory(&self) -> Result<Memory<f32>, Refusal> {
        same_version(self.version)?;
        ensure(self.n > 0, Error::Empty)?;
        ensure(self.count <= self.room, Error::Full)?;
        Memory::new(self.members, area(self.n, self.room as usize)?)
    }
}

/// Adds the `n` floats of `params` to `ensemble` as one more model.
///
/// Errors: GRADUS_ERROR_FULL if there is no room, GRADUS_ERROR_EMPTY if `n` is 0, GRADUS_ERROR_VERSION,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_ensemble_push(
    ensemble: *mut gradus_ensemble,
    params: *const f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointer, which is checked.
        let head = unsafe { copy(ensemble)? };
        let (ensemble, members, params) =
            (Memory::one(ensemble)?, head.memory()?, Memory::new(params, head.n)?);
        apart([params.read(), members.written(), ensemble.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        let (params, members, ensemble) =
            unsafe { (params.slice(), members.slice_mut(), ensemble.one_mut()) };
        let mut rest = members.get_mut(head.count as usize * head.n..).unwrap_or_default();
        ensure(rest.len() >= head.n, Error::Full)?;
        for (to, from) in cut_mut(&mut rest, head.n).iter_mut().zip(params) {
            *to = *from;
        }
        ensemble.count += 1;
        Ok(())
    })
}

/// Turns the `n` parameters of a model into `m` predictions; returns 0, or another value if it failed.
pub type gradus_model = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        n: usize,
        params: *const f32,
        m: usize,
        predictions: *mut f32,
    ) -> i32,
>;

/// Writes the mean of what the members of `ensemble` predict to the `m` floats of `mean`.
///
/// `model` is handed `context`, and fills the `m` floats of `scratch`: the classes of one sample, or of many samples in a
/// row. gradus_argmax() of each row is the ensemble's answer.
///
/// Errors: GRADUS_ERROR_EMPTY if there is no member, GRADUS_ERROR_CALLBACK if `model` failed, after which it is not called
/// again and `mean` holds nothing of use, GRADUS_ERROR_VERSION, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_ensemble_predict(
    ensemble: *const gradus_ensemble,
    model: gradus_model,
    context: *mut c_void,
    m: usize,
    scratch: *mut f32,
    mean: *mut f32,
) -> gradus_status {
    guard(|| {
        let model = model.ok_or(GRADUS_ERROR_NULL)?;
        // SAFETY: the caller vouches for memory behind the pointer, which is checked.
        let head = unsafe { copy(ensemble)? };
        let (ensemble, members) = (Memory::one(ensemble)?, head.memory()?);
        let (scratch, mean) = (Memory::new(scratch, m)?, Memory::new(mean, m)?);
        apart([ensemble.read(), members.read(), scratch.written(), mean.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        let (members, scratch, mean) = unsafe { (members.slice(), scratch.slice_mut(), mean.slice_mut()) };
        let member = |k| members.get(k * head.n..(k + 1) * head.n).unwrap_or_default();
        let mut failed = false;
        let model = |params: &[f32], out: &mut [f32]| {
            // SAFETY: the caller vouches for its function; both slices are there.
            let mut call = || unsafe { model(context, head.n, params.as_ptr(), out.len(), out.as_mut_ptr()) };
            failed = failed || call() != 0;
        };
        predict(Exec::new(), (0..head.count as usize).map(member), model, scratch, mean)?;
        if failed { Err(GRADUS_ERROR_CALLBACK) } else { Ok(()) }
    })
}

/// Writes the index of the largest of the `n` floats of `values` to `index`, the first of equals.
///
/// NaN is passed over; where there is nothing else the index is 0.
///
/// Errors: GRADUS_ERROR_EMPTY if there is none, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_argmax(n: usize, values: *const f32, index: *mut usize) -> gradus_status {
    guard(|| {
        let (values, index) = (Memory::unchecked(values, n), Memory::unchecked(index, 1));
        apart([values.read(), index.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        let (values, index) = unsafe { (values.slice(), index.one_mut()) };
        *index = argmax(values).ok_or(GRADUS_ERROR_EMPTY)?;
        Ok(())
    })
}
