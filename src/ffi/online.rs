//! What a device learns of its data while they come: standardised inputs, sums of gradients, counts of what was recognised.

use super::gradus_status;
use super::guard;
use super::memory::{Memory, apart, area};
use crate::error::Error;
use crate::loss::{accuracy, count_scores};
use crate::norm::{InputNorm, Running};
use crate::optim::{Accumulate, Clock, StateMut};
use crate::simd::{ColumnSet, Exec, Width};

/// Columns of state of gradus_input_norm_update(): floats per feature.
pub const GRADUS_INPUT_NORM_COLUMNS: usize = 2;

/// Takes the `samples` rows of `features` floats in `x` into the statistics of the inputs.
///
/// From sample 2^20 on each sample weighs 2^-20, so that the statistics follow data that drift.
///
/// `state` is GRADUS_INPUT_NORM_COLUMNS * features floats: the means, and behind them the variances; `state` and `clock`
/// start as zeros. The clock counts samples.
///
/// Errors: GRADUS_ERROR_NON_FINITE if a float of `x` is NaN or beyond 2^62, after which nothing was changed,
/// GRADUS_ERROR_SHAPE if there is no feature, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_input_norm_update(
    features: usize,
    samples: usize,
    x: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    guard(|| {
        let x = Memory::unchecked(x, area(features, samples)?);
        let state = Memory::unchecked(state, area(features, GRADUS_INPUT_NORM_COLUMNS)?);
        let clock = Memory::unchecked(clock, 1);
        apart([x.read(), state.written(), clock.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        let (x, columns, clock) =
            unsafe { (x.slice(), state.columns_mut::<Width<2>>(features), clock.one_mut()) };
        Ok(InputNorm::new().update(StateMut::of(columns, clock), x)?)
    })
}

/// Standardises the `samples` rows of `features` floats in `x`: `(x - mean) / max(sqrt(variance), eps)`; `eps` is usually 1e-7.
///
/// `state` and `clock` are those of gradus_input_norm_update(), and only read; before the first sample `x` stays as it is.
///
/// Errors: GRADUS_ERROR_EPSILON, GRADUS_ERROR_SHAPE if there is no feature, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_input_norm_apply(
    eps: f32,
    features: usize,
    samples: usize,
    x: *mut f32,
    state: *const f32,
    clock: *const Clock,
) -> gradus_status {
    guard(|| {
        let norm = InputNorm { eps, ..InputNorm::new() };
        norm.check()?;
        let x = Memory::unchecked(x, area(features, samples)?);
        let state = Memory::unchecked(state, area(features, GRADUS_INPUT_NORM_COLUMNS)?);
        let clock = Memory::unchecked(clock, 1);
        apart([x.written(), state.read(), clock.read()])?;
        // SAFETY: checked, and apart where one is written; the caller vouches for the memory.
        let (x, state, clock) = unsafe { (x.slice_mut(), state.slice(), clock.one_ref()) };
        let (mean, variance) = state.split_at_checked(features).unwrap_or_default();
        Ok(norm.apply(x, Running::new(mean, variance, clock))?)
    })
}

/// Adds `grads`, the `n` gradients of one batch, to `sum`, for one step with several batches.
///
/// `sum` and `clock` start as zeros; the clock counts batches. A step takes `sum` with GRADUS_SCALE of 1 / clock.t, and both
/// are zeros again behind it.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_accumulate(
    n: usize,
    grads: *const f32,
    sum: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    guard(|| {
        let (grads, sum, clock) =
            (Memory::unchecked(grads, n), Memory::unchecked(sum, n), Memory::unchecked(clock, 1));
        apart([grads.read(), sum.written(), clock.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        let (grads, columns, clock) =
            unsafe { (grads.slice(), sum.columns_mut::<Width<1>>(n), clock.one_mut()) };
        Ok(StateMut::<Accumulate>::of(columns, clock).add(Exec::new(), grads)?)
    })
}

/// Counts samples in a confusion matrix: `scores` has a row of `classes` for each, `labels` its class, and the class with the
/// largest score is what it is taken for. NaN is passed over; a row of nothing else is taken for class 0.
///
/// `counts` is classes * classes uint32_t, which start as zeros: a row for each label, a column for what it was taken for.
///
/// Errors: GRADUS_ERROR_SHAPE if a label is no class, after which nothing was counted, GRADUS_ERROR_NULL,
/// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_confusion_add(
    classes: usize,
    samples: usize,
    scores: *const f32,
    labels: *const u16,
    counts: *mut u32,
) -> gradus_status {
    guard(|| {
        let scores = Memory::unchecked(scores, area(classes, samples)?);
        let labels = Memory::unchecked(labels, samples);
        let counts = Memory::unchecked(counts, area(classes, classes)?);
        apart([scores.read(), labels.read(), counts.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        let (scores, labels, counts) = unsafe { (scores.slice(), labels.slice(), counts.slice_mut()) };
        Ok(count_scores(counts, classes, scores, labels)?)
    })
}

/// Writes the share of samples that were recognised to `result`: of `counts`, a confusion matrix, the diagonal.
///
/// Errors: GRADUS_ERROR_EMPTY if there is no sample, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_confusion_accuracy(
    classes: usize,
    counts: *const u32,
    result: *mut f32,
) -> gradus_status {
    guard(|| {
        let counts = Memory::unchecked(counts, area(classes, classes)?);
        let result = Memory::unchecked(result, 1);
        apart([counts.read(), result.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        let (counts, result) = unsafe { (counts.slice(), result.one_mut()) };
        *result = accuracy(counts, classes).ok_or(Error::Empty)?;
        Ok(())
    })
}

const _: () = assert!(GRADUS_INPUT_NORM_COLUMNS == <Width<2> as ColumnSet>::COUNT);
