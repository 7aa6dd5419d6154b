//! L-BFGS by reverse communication: C evaluates, the library says where.

use super::Refusal::{self, *};
use super::gradus_status;
use super::memory::{Memory, Region, apart, copy};
use super::{guard, same_version};
use crate::error::Error;
use crate::second_order::{
    Borrowed, Bounds, Given, LbfgsSettings, LineSearch, MOST_PAIRS, Real, Report, Suspended, work_len,
};
use crate::simd::Exec;
use crate::store::{self, bytes::Number};

/// Pairs of gradus_lbfgs at most.
pub const GRADUS_LBFGS_MOST_PAIRS: usize = 20;
const _: () = assert!(GRADUS_LBFGS_MOST_PAIRS == MOST_PAIRS); // C would not know the name

/// Line search: strong Wolfe conditions (More and Thuente, 1994).
pub const GRADUS_LINE_SEARCH_MORE_THUENTE: u32 = 0;
/// Line search: sufficient decrease alone (Armijo, 1966), or a flatter gradient where rounding hides
/// any decrease.
pub const GRADUS_LINE_SEARCH_BACKTRACKING: u32 = 1;

/// L-BFGS has not stopped.
pub const GRADUS_STOP_RUNNING: u32 = 0;
/// L-BFGS stopped: the gradient is as small as asked for.
pub const GRADUS_STOP_GRADIENT: u32 = 1;
/// L-BFGS stopped: the value hardly decreased any more.
pub const GRADUS_STOP_DECREASE: u32 = 2;
/// L-BFGS stopped: the iterations are used up.
pub const GRADUS_STOP_ITERATIONS: u32 = 3;
/// L-BFGS stopped: the evaluations are used up.
pub const GRADUS_STOP_EVALUATIONS: u32 = 4;
/// L-BFGS stopped: gradus_lbfgs_stop() said so.
pub const GRADUS_STOP_CALLER: u32 = 5;
/// L-BFGS stopped: no step lowers the value; the gradient is wrong, or rounding hides any decrease.
pub const GRADUS_STOP_LINE_SEARCH: u32 = 6;
/// L-BFGS stopped: the value or the gradient at the start is infinite or NaN.
pub const GRADUS_STOP_NON_FINITE: u32 = 7;
/// L-BFGS stopped: the value still falls at the longest step.
pub const GRADUS_STOP_UNBOUNDED: u32 = 8;

/// L-BFGS (Nocedal, 1980): when to stop, and how far to step.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_lbfgs {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Correction pairs, 1 to GRADUS_LBFGS_MOST_PAIRS; 5 to 10 are usual.
    pub pairs: u32,
    /// Iterations at most; 1000.
    pub max_iterations: u32,
    /// Evaluations of the objective at most: never one more; 10000.
    pub max_evaluations: u32,
    /// Trials of one line search at most; 20.
    pub max_trials: u32,
    /// GRADUS_LINE_SEARCH_MORE_THUENTE or GRADUS_LINE_SEARCH_BACKTRACKING.
    pub line_search: u32,
    /// Stop when max |g| is at most this, with an L1 penalty of the pseudo-gradient, between bounds of the
    /// projected gradient; 1e-5.
    pub tolerance: f64,
    /// Stop when an iteration lowers the value by at most this times max(|f|, |f before|, 1); 0: never.
    pub decrease: f64,
    /// Sufficient decrease, between 0 and `curvature`; 1e-4.
    pub sufficient_decrease: f64,
    /// Curvature condition, below 1; 0.6.
    pub curvature: f64,
    /// A bracket that is narrower than this, relative to its upper end, ends the search; 0.1.
    pub width_tolerance: f64,
    /// Shortest step, as a multiple of the direction; 1e-20.
    pub step_min: f64,
    /// Longest step, as a multiple of the direction; 1e20.
    pub step_max: f64,
    /// No step moves a parameter further than this; 0: no limit.
    pub max_move: f64,
    /// Weight of an L1 penalty: minimises f(x) + l1 * sum |x|, orthant by orthant (after Andrew and Gao,
    /// 2007); 0.
    pub l1: f64,
    /// The first parameter that the penalty reaches.
    pub l1_start: usize,
    /// One past the last parameter that the penalty reaches, at least l1_start; 0: all.
    pub l1_end: usize,
}

/// A run of L-BFGS; `= {0}` before its first step. May be moved or copied, with x and work, between steps.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct gradus_lbfgs_state {
    /// The objective at the best point so far, with the L1 penalty if there is one.
    pub value: f64,
    /// max |g| there; with an L1 penalty of the pseudo-gradient, between bounds of the projected gradient.
    pub gradient: f64,
    /// Accepted steps.
    pub iterations: u32,
    /// Evaluations of the objective.
    pub evaluations: u32,
    /// Why it stopped: one of the GRADUS_STOP_ constants.
    pub stop: u32,
    /// Bytes of a number, 0 before the start.
    pub number: u32,
    /// Parameters.
    pub n: usize,
    /// Correction pairs.
    pub pairs: usize,
    /// The rest, of no use to the caller.
    pub rest: Suspended,
}

impl gradus_lbfgs {
    fn settings<T: Real>(&self) -> Result<LbfgsSettings<T>, Refusal> {
        let settings = LbfgsSettings {
            tolerance: T::of(self.tolerance),
            decrease: T::of(self.decrease),
            max_iterations: self.max_iterations,
            max_evaluations: self.max_evaluations,
            max_trials: self.max_trials,
            line_search: match self.line_search {
                GRADUS_LINE_SEARCH_MORE_THUENTE => LineSearch::MoreThuente,
                GRADUS_LINE_SEARCH_BACKTRACKING => LineSearch::Backtracking,
                _ => return Err(GRADUS_ERROR_ENUM),
            },
            sufficient_decrease: T::of(self.sufficient_decrease),
            curvature: T::of(self.curvature),
            width_tolerance: T::of(self.width_tolerance),
            step_min: T::of(self.step_min),
            step_max: T::of(self.step_max),
            max_move: if self.max_move == 0.0 { T::INFINITY } else { T::of(self.max_move) },
            l1: T::of(self.l1),
            l1_start: self.l1_start,
            l1_end: if self.l1_end == 0 { usize::MAX } else { self.l1_end },
            exec: Exec::new(),
        };
        settings.check()?;
        Ok(settings)
    }
}

/// The configuration behind a pointer, and its own memory, which is apart from what the call writes.
///
/// # Safety
/// The pointer is null, misaligned or good.
unsafe fn lbfgs(config: *const gradus_lbfgs) -> Result<(Region, gradus_lbfgs), Refusal> {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    let (own, config) = unsafe { (Region::read(config, 1), copy(config)?) };
    same_version(config.version)?;
    if config.pairs == 0 {
        return Err(GRADUS_ERROR_EMPTY);
    }
    if config.pairs as usize > MOST_PAIRS {
        return Err(GRADUS_ERROR_LENGTH);
    }
    Ok((own, config))
}

/// x, grads and work, not checked. Let the work, which is the longest, be compared first: too many parameters are a length
/// then, and no overlap.
fn memory<T>(
    n: usize,
    config: &gradus_lbfgs,
    [x, grads, work]: [*mut T; 3],
) -> Result<[Memory<T>; 3], Refusal> {
    let numbers = work_len(n, config.pairs as usize).ok_or(GRADUS_ERROR_LENGTH)?;
    Ok([Memory::unchecked(x, n), Memory::unchecked(grads, n), Memory::unchecked(work, numbers)])
}

/// x, grads and work of a run.
type Vectors<'a, T> = [&'a mut [T]; 3];

/// What tells one run from another: bytes of a number, parameters, pairs.
fn shape<T>(config: &gradus_lbfgs, [x, ..]: &Vectors<'_, T>) -> (u32, usize, usize) {
    (size_of::<T>() as u32, x.len(), config.pairs as usize)
}

/// Makes `run`, of this shape, the one that was suspended to `state`.
fn resume<T: Real + Into<f64>>(
    run: &mut Borrowed<'_, T>,
    shape: (u32, usize, usize),
    state: &gradus_lbfgs_state,
) -> Result<(), Refusal> {
    if (state.number, state.n, state.pairs) != shape {
        return Err(GRADUS_ERROR_LENGTH);
    }
    run.resume(&state.rest).ok_or(GRADUS_ERROR_VERSION)
}

/// A run as the caller keeps it; zeros if it has not begun.
fn suspended<T: Real + Into<f64>>(
    run: &Borrowed<'_, T>,
    (number, n, pairs): (u32, usize, usize),
) -> gradus_lbfgs_state {
    if !run.begun() {
        return gradus_lbfgs_state::default();
    }
    let Report { value, gradient, iterations, evaluations, stop } = run.report();
    let (value, gradient, stop, rest) = (value.into(), gradient.into(), stop as u32, run.suspend());
    gradus_lbfgs_state { value, gradient, iterations, evaluations, stop, number, n, pairs, rest }
}

/// Does `act` with the run, and writes to `state` what it has become. Before anything changes `check` is told how strong the
/// run's penalty is.
fn with<'a, T: Real + Into<f64>>(
    config: &gradus_lbfgs,
    mut vectors: Vectors<'a, T>,
    state: &mut gradus_lbfgs_state,
    check: impl Fn(T) -> Result<(), Error>,
    act: impl FnOnce(&mut Borrowed<'a, T>),
) -> Result<(), Refusal> {
    let shape = shape(config, &vectors);
    let settings = if state.number == 0 { Some(config.settings()?) } else { None };
    if let Some(LbfgsSettings { l1, .. }) = settings {
        check(l1)?;
        let [_, _, work] = &mut vectors;
        work.fill(T::ZERO); // a file has all of it
    }
    let mut run = Borrowed::new(vectors, shape.2);
    match settings {
        Some(settings) => run.start(&settings),
        None => {
            resume(&mut run, shape, state)?;
            check(run.penalty())?;
        }
    }
    act(&mut run);
    *state = suspended(&run, shape);
    Ok(())
}

/// Tells the run of the value at x, and of those of diagonal and bounds that are there, each of no numbers if `n` is 0.
fn tell<T: Real + Into<f64>>(
    config: &gradus_lbfgs,
    vectors: Vectors<'_, T>,
    state: &mut gradus_lbfgs_state,
    value: T,
    [known, lowest, highest]: [bool; 3],
    [diagonal, lower, upper]: [&[T]; 3],
) -> Result<(), Refusal> {
    let given = Given {
        preconditioner: known.then_some(diagonal),
        bounds: (lowest && highest).then_some(Bounds { lower, upper }),
    };
    let n = vectors[0].len();
    with(config, vectors, state, |l1| given.check(n, l1), |run| run.tell(value, &given))
}

/// Writes the run to `buffer`, and returns how many bytes it took.
fn save<T: Real + Number + Into<f64>>(
    config: &gradus_lbfgs,
    vectors: Vectors<'_, T>,
    state: &gradus_lbfgs_state,
    buffer: &mut [u8],
) -> Result<usize, Refusal> {
    if state.number == 0 {
        return Err(GRADUS_ERROR_VERSION);
    }
    let shape = shape(config, &vectors);
    let mut run = Borrowed::new(vectors, shape.2);
    resume(&mut run, shape, state)?;
    Ok(store::save(&run, buffer)?.len())
}

/// Reads a run of the same shape.
fn load<T: Real + Number + Into<f64>>(
    config: &gradus_lbfgs,
    vectors: Vectors<'_, T>,
    file: &[u8],
) -> Result<gradus_lbfgs_state, Refusal> {
    let shape = shape(config, &vectors);
    let mut run = Borrowed::new(vectors, shape.2);
    store::load(&mut run, file)?;
    Ok(suspended(&run, shape))
}

/// Tells L-BFGS the `value` and the `grads` at `x`, and writes to `x` where to evaluate next.
///
/// Once `state->stop` is not GRADUS_STOP_RUNNING, `x` is the best point, and further calls have no
/// effect. A new run begins with a state of zeros, from any `x`, with the settings that `config` has
/// then.
///
/// ```text
/// static const gradus_lbfgs lbfgs = GRADUS_LBFGS(5);
/// static float x[N], g[N], work[GRADUS_LBFGS_WORK(N, 5)];
/// gradus_lbfgs_state state = {0};
/// do {
///   float f = objective(x, g);
///   status = gradus_lbfgs_step(&lbfgs, N, x, f, g, NULL, NULL, NULL, work, &state);
/// } while (status == GRADUS_OK && state.stop == GRADUS_STOP_RUNNING);
/// ```
///
/// `x` and `grads` are `n` floats, `work` GRADUS_LBFGS_WORK(n, pairs), which need not be zeros;
/// `grads` is overwritten. `diagonal` is null, or `n` floats that estimate the diagonal of the inverse
/// Hessian, positive and finite. `lower` and `upper` are both null, or `n` floats each: the bounds of the
/// parameters, infinite where there is none, in every call of a run or in none, and not beside an L1
/// penalty. A first `x` outside is moved to the nearest point inside; NaN stays. `value` and `grads` may be
/// infinite or NaN, but not at the start: the step becomes shorter.
///
/// On a Cortex-M4F it takes up to 4280 bytes of stack with 20 pairs, with doubles 6404.
///
/// Errors: GRADUS_ERROR_EMPTY if config has no pairs, GRADUS_ERROR_LENGTH if it has too many; at the start
/// GRADUS_ERROR_TOLERANCE, GRADUS_ERROR_STEPS, GRADUS_ERROR_LINE_SEARCH, GRADUS_ERROR_LIMIT,
/// GRADUS_ERROR_LAMBDA, GRADUS_ERROR_ENUM and, if l1_end lies before l1_start, GRADUS_ERROR_SHAPE
/// for its other fields, later GRADUS_ERROR_LENGTH if `n`, the pairs or the type of number differ
/// from the start; GRADUS_ERROR_PRECONDITIONER if an element of `diagonal` is not positive and
/// finite; GRADUS_ERROR_BOUNDS if a lower bound lies above its upper one, if no finite number lies between
/// them, if one is NaN, or beside a penalty; GRADUS_ERROR_VERSION if config or state are none;
/// GRADUS_ERROR_NULL, also if one of two bounds is, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lbfgs_step(
    config: *const gradus_lbfgs,
    n: usize,
    x: *mut f32,
    value: f32,
    grads: *mut f32,
    diagonal: *const f32,
    lower: *const f32,
    upper: *const f32,
    work: *mut f32,
    state: *mut gradus_lbfgs_state,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let (own, config) = unsafe { lbfgs(config)? };
        if lower.is_null() != upper.is_null() {
            return Err(GRADUS_ERROR_NULL);
        }
        let there = [diagonal, lower, upper].map(|start| !start.is_null());
        let [known, bounded, _] = there.map(|there| if there { n } else { 0 });
        let ([x, grads, work], state) = (memory(n, &config, [x, grads, work])?, Memory::unchecked(state, 1));
        let diagonal = Memory::unchecked(diagonal, known);
        let (lower, upper) = (Memory::unchecked(lower, bounded), Memory::unchecked(upper, bounded));
        let [h, low, high] = [diagonal.read(), lower.read(), upper.read()];
        apart([work.written(), own, x.written(), grads.written(), h, low, high, state.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, grads, given, work, state) = unsafe {
            let given = [diagonal.slice(), lower.slice(), upper.slice()];
            (x.slice_mut(), grads.slice_mut(), given, work.slice_mut(), state.one_mut())
        };
        tell(&config, [x, grads, work], state, value, there, given)
    })
}

/// Stops a run early, and writes the best point so far to `x`.
///
/// `config`, `x`, `grads`, `work` and `state` are those of gradus_lbfgs_step(), with the same `n`.
///
/// Errors: those of gradus_lbfgs_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lbfgs_stop(
    config: *const gradus_lbfgs,
    n: usize,
    x: *mut f32,
    grads: *mut f32,
    work: *mut f32,
    state: *mut gradus_lbfgs_state,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let (own, config) = unsafe { lbfgs(config)? };
        let ([x, grads, work], state) = (memory(n, &config, [x, grads, work])?, Memory::unchecked(state, 1));
        apart([work.written(), own, x.written(), grads.written(), state.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, grads, work, state) =
            unsafe { (x.slice_mut(), grads.slice_mut(), work.slice_mut(), state.one_mut()) };
        with(&config, [x, grads, work], state, |_| Ok(()), Borrowed::stop)
    })
}

/// Saves a run as a file at the start of `buffer`, between two steps, and writes its bytes to `size`.
///
/// `buffer` has `capacity` bytes. The file has GRADUS_LBFGS_FILE(n, pairs, sizeof(float)) of them,
/// and is the one of the Rust crate: bytes are the same on every target. `x`, `grads`, `work` and
/// `state` are those of gradus_lbfgs_step(); nothing of them changes, and of `config` only `pairs`
/// counts.
///
/// Errors: GRADUS_ERROR_FILE_LENGTH if the file is longer than `capacity`; GRADUS_ERROR_VERSION if config
/// or state are none, or the run has not begun; GRADUS_ERROR_LENGTH if `n`, the pairs or the type of
/// number are not those of the run; GRADUS_ERROR_EMPTY, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lbfgs_save(
    config: *const gradus_lbfgs,
    n: usize,
    x: *mut f32,
    grads: *mut f32,
    work: *mut f32,
    state: *const gradus_lbfgs_state,
    buffer: *mut u8,
    capacity: usize,
    size: *mut usize,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let (own, config) = unsafe { lbfgs(config)? };
        let ([x, grads, work], state) = (memory(n, &config, [x, grads, work])?, Memory::unchecked(state, 1));
        let buffer = Memory::unchecked(buffer, capacity);
        let size = Memory::unchecked(size, 1);
        apart([
            work.written(),
            own,
            x.written(),
            grads.written(),
            state.read(),
            buffer.written(),
            size.written(),
        ])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, grads, work, state, buffer, size) = unsafe {
            (
                x.slice_mut(),
                grads.slice_mut(),
                work.slice_mut(),
                state.one_ref(),
                buffer.slice_mut(),
                size.one_mut(),
            )
        };
        save(&config, [x, grads, work], state, buffer).map(|bytes| *size = bytes)
    })
}

/// Loads a run from the `size` bytes of `file`: it goes on with the same bits and settings.
///
/// `x` and `grads` are `n` floats, `work` GRADUS_LBFGS_WORK(n, pairs); they and `state` are
/// overwritten. Of `config` only `pairs` counts. A run that had not begun when it was saved, which
/// Rust can do, is a state of zeros.
///
/// Errors: GRADUS_ERROR_FILE_FOREIGN, GRADUS_ERROR_FILE_VERSION, GRADUS_ERROR_FILE_LENGTH,
/// GRADUS_ERROR_FILE_CHECKSUM, GRADUS_ERROR_FILE_KIND if the file has another type of number,
/// GRADUS_ERROR_FILE_SHAPE if it has another `n` or other pairs, GRADUS_ERROR_FILE_VALUE;
/// GRADUS_ERROR_VERSION, GRADUS_ERROR_EMPTY, GRADUS_ERROR_LENGTH, GRADUS_ERROR_NULL,
/// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lbfgs_load(
    config: *const gradus_lbfgs,
    n: usize,
    x: *mut f32,
    grads: *mut f32,
    work: *mut f32,
    state: *mut gradus_lbfgs_state,
    file: *const u8,
    size: usize,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let (own, config) = unsafe { lbfgs(config)? };
        let ([x, grads, work], state) = (memory(n, &config, [x, grads, work])?, Memory::unchecked(state, 1));
        let file = Memory::unchecked(file, size);
        apart([work.written(), own, x.written(), grads.written(), state.written(), file.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, grads, work, state, file) =
            unsafe { (x.slice_mut(), grads.slice_mut(), work.slice_mut(), state.one_mut(), file.slice()) };
        load(&config, [x, grads, work], file).map(|loaded| *state = loaded)
    })
}

/// As gradus_lbfgs_step(), with doubles.
///
/// Errors: those of gradus_lbfgs_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lbfgs_step_f64(
    config: *const gradus_lbfgs,
    n: usize,
    x: *mut f64,
    value: f64,
    grads: *mut f64,
    diagonal: *const f64,
    lower: *const f64,
    upper: *const f64,
    work: *mut f64,
    state: *mut gradus_lbfgs_state,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let (own, config) = unsafe { lbfgs(config)? };
        if lower.is_null() != upper.is_null() {
            return Err(GRADUS_ERROR_NULL);
        }
        let there = [diagonal, lower, upper].map(|start| !start.is_null());
        let [known, bounded, _] = there.map(|there| if there { n } else { 0 });
        let ([x, grads, work], state) = (memory(n, &config, [x, grads, work])?, Memory::unchecked(state, 1));
        let diagonal = Memory::unchecked(diagonal, known);
        let (lower, upper) = (Memory::unchecked(lower, bounded), Memory::unchecked(upper, bounded));
        let [h, low, high] = [diagonal.read(), lower.read(), upper.read()];
        apart([work.written(), own, x.written(), grads.written(), h, low, high, state.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, grads, given, work, state) = unsafe {
            let given = [diagonal.slice(), lower.slice(), upper.slice()];
            (x.slice_mut(), grads.slice_mut(), given, work.slice_mut(), state.one_mut())
        };
        tell(&config, [x, grads, work], state, value, there, given)
    })
}

/// As gradus_lbfgs_stop(), with doubles.
///
/// Errors: those of gradus_lbfgs_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lbfgs_stop_f64(
    config: *const gradus_lbfgs,
    n: usize,
    x: *mut f64,
    grads: *mut f64,
    work: *mut f64,
    state: *mut gradus_lbfgs_state,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let (own, config) = unsafe { lbfgs(config)? };
        let ([x, grads, work], state) = (memory(n, &config, [x, grads, work])?, Memory::unchecked(state, 1));
        apart([work.written(), own, x.written(), grads.written(), state.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, grads, work, state) =
            unsafe { (x.slice_mut(), grads.slice_mut(), work.slice_mut(), state.one_mut()) };
        with(&config, [x, grads, work], state, |_| Ok(()), Borrowed::stop)
    })
}

/// As gradus_lbfgs_save(), with doubles.
///
/// Errors: those of gradus_lbfgs_save().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lbfgs_save_f64(
    config: *const gradus_lbfgs,
    n: usize,
    x: *mut f64,
    grads: *mut f64,
    work: *mut f64,
    state: *const gradus_lbfgs_state,
    buffer: *mut u8,
    capacity: usize,
    size: *mut usize,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let (own, config) = unsafe { lbfgs(config)? };
        let ([x, grads, work], state) = (memory(n, &config, [x, grads, work])?, Memory::unchecked(state, 1));
        let buffer = Memory::unchecked(buffer, capacity);
        let size = Memory::unchecked(size, 1);
        apart([
            work.written(),
            own,
            x.written(),
            grads.written(),
            state.read(),
            buffer.written(),
            size.written(),
        ])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, grads, work, state, buffer, size) = unsafe {
            (
                x.slice_mut(),
                grads.slice_mut(),
                work.slice_mut(),
                state.one_ref(),
                buffer.slice_mut(),
                size.one_mut(),
            )
        };
        save(&config, [x, grads, work], state, buffer).map(|bytes| *size = bytes)
    })
}

/// As gradus_lbfgs_load(), with doubles.
///
/// Errors: those of gradus_lbfgs_load().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_lbfgs_load_f64(
    config: *const gradus_lbfgs,
    n: usize,
    x: *mut f64,
    grads: *mut f64,
    work: *mut f64,
    state: *mut gradus_lbfgs_state,
    file: *const u8,
    size: usize,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let (own, config) = unsafe { lbfgs(config)? };
        let ([x, grads, work], state) = (memory(n, &config, [x, grads, work])?, Memory::unchecked(state, 1));
        let file = Memory::unchecked(file, size);
        apart([work.written(), own, x.written(), grads.written(), state.written(), file.read()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (x, grads, work, state, file) =
            unsafe { (x.slice_mut(), grads.slice_mut(), work.slice_mut(), state.one_mut(), file.slice()) };
        load(&config, [x, grads, work], file).map(|loaded| *state = loaded)
    })
}
