//! L-BFGS from C: beside the one of Rust, across files, and with pointers that point anywhere.

use crate::Bits;
use crate::ffi::{Place, judge};
use crate::lbfgs::{Number, Objective};
use crate::state_load::bytes;
use arbitrary::{Result, Unstructured};
use gradus::ffi::gradus_status::*;
use gradus::ffi::*;
use gradus::second_order::{Given as Told, LbfgsSettings, LbfgsVec};
use gradus::store;

pub(crate) fn calls(u: &mut Unstructured) -> Result<()> {
    if u.arbitrary()? { run::<f32>(u) } else { run::<f64>(u) }
}

/// What the four functions are given between them.
struct Given<T> {
    config: *const gradus_lbfgs,
    n: usize,
    x: *mut T,
    value: T,
    grads: *mut T,
    diagonal: *const T,
    lower: *const T,
    upper: *const T,
    work: *mut T,
    state: *mut gradus_lbfgs_state,
    file: *mut u8,
    bytes: usize,
    size: *mut usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Step,
    Stop,
    Save,
    Load,
}

trait Interface: Number {
    /// # Safety
    /// Every pointer is null, or valid for as much as the header says.
    unsafe fn call(call: Call, given: &Given<Self>) -> gradus_status;
}

macro_rules! interface {
    ($t:ident $step:ident $stop:ident $save:ident $load:ident) => {
        impl Interface for $t {
            unsafe fn call(call: Call, given: &Given<Self>) -> gradus_status {
                let &Given { config, n, x, value, grads, diagonal, lower, upper, work, state, .. } = given;
                let &Given { file, bytes, size, .. } = given;
                // SAFETY: the caller vouches for the pointers.
                unsafe {
                    match call {
                        Call::Step => $step(config, n, x, value, grads, diagonal, lower, upper, work, state),
                        Call::Stop => $stop(config, n, x, grads, work, state),
                        Call::Save => $save(config, n, x, grads, work, state, file, bytes, size),
                        Call::Load => $load(config, n, x, grads, work, state, file, bytes),
                    }
                }
            }
        }
    };
}

interface!(f32 gradus_lbfgs_step gradus_lbfgs_stop gradus_lbfgs_save gradus_lbfgs_load);
interface!(f64 gradus_lbfgs_step_f64 gradus_lbfgs_stop_f64 gradus_lbfgs_save_f64 gradus_lbfgs_load_f64);

pub(crate) const ROOM: usize = 2560;

/// Memory that all pointers of a call point into.
#[repr(align(64))]
#[derive(Clone, PartialEq)]
pub(crate) struct Arena([u8; ROOM]);

impl Arena {
    /// Floats of any bits.
    pub fn new(u: &mut Unstructured) -> Result<Self> {
        let mut arena = Self([0; ROOM]);
        let floats = crate::input::column(u, ROOM / 4, crate::input::number::<f32>)?;
        for (to, x) in arena.0.chunks_exact_mut(4).zip(floats) {
            to.copy_from_slice(&x.to_ne_bytes());
        }
        Ok(arena)
    }

    /// Takes a piece of another.
    pub fn copy(&mut self, place: Place, from: &Self) {
        let start = place.offset.unwrap_or(0);
        let range = start..start + place.bytes;
        self.0[range.clone()].copy_from_slice(&from.0[range]);
    }
}

/// Where the pieces of a run lie.
#[derive(Clone, Copy)]
struct Layout {
    x: Place,
    grads: Place,
    diagonal: Place,
    lower: Place,
    upper: Place,
    work: Place,
    state: Place,
    file: Place,
    size: Place,
}

fn config(pairs: usize) -> gradus_lbfgs {
    let new = LbfgsSettings::<f64>::new();
    gradus_lbfgs {
        version: GRADUS_STRUCTS,
        pairs: pairs as u32,
        max_iterations: new.max_iterations,
        max_evaluations: 40,
        max_trials: new.max_trials,
        line_search: GRADUS_LINE_SEARCH_MORE_THUENTE,
        tolerance: new.tolerance,
        decrease: new.decrease,
        sufficient_decrease: new.sufficient_decrease,
        curvature: new.curvature,
        width_tolerance: new.width_tolerance,
        step_min: new.step_min,
        step_max: new.step_max,
        max_move: 0.0,
        l1: 0.0,
        l1_start: 0,
        l1_end: 0,
    }
}

/// Bytes of the pieces: x, work, file.
fn sizes<T>(n: usize, m: usize) -> [usize; 3] {
    let numbers = [n, (2 * m + 3) * n + (m + 4) * m, 27 + (2 * m + 5) * n + (m + 1) * m];
    let [x, work, file] = numbers.map(|numbers| numbers * size_of::<T>());
    [x, work, 128 + file]
}

impl Layout {
    fn new<T>(n: usize, m: usize) -> Self {
        let ([x, work, file], number) = (sizes::<T>(n, m), align_of::<T>());
        let end = &mut 0;
        Self {
            x: Place::next(end, x, number),
            grads: Place::next(end, x, number),
            diagonal: Place::next(end, x, number),
            lower: Place::next(end, x, number),
            upper: Place::next(end, x, number),
            work: Place::next(end, work, number),
            state: Place::next(end, size_of::<gradus_lbfgs_state>(), align_of::<gradus_lbfgs_state>()),
            size: Place::next(end, size_of::<usize>(), align_of::<usize>()),
            file: Place::next(end, file, 1),
        }
    }

    fn given<T>(&self, memory: *mut Arena, config: &gradus_lbfgs, n: usize, value: T) -> Given<T> {
        Given {
            config,
            n,
            x: self.x.at(memory),
            value,
            grads: self.grads.at(memory),
            diagonal: self.diagonal.at(memory),
            lower: self.lower.at(memory),
            upper: self.upper.at(memory),
            work: self.work.at(memory),
            state: self.state.at(memory),
            file: self.file.at(memory),
            bytes: self.file.bytes,
            size: self.size.at(memory),
        }
    }

    /// The pieces that a call touches: at first those that it may write, how many there are, and those that it reads.
    fn of(&self, call: Call) -> (Vec<Place>, usize) {
        let mut all = vec![self.x, self.grads, self.work, self.state];
        let mut read = 0;
        match call {
            Call::Step => {
                let given = |place: Place| Place { bytes: place.offset.map_or(0, |_| self.x.bytes), ..place };
                all.extend([self.diagonal, self.lower, self.upper].map(given));
                read = 3;
            }
            Call::Stop => {}
            Call::Save => all.extend([self.file, self.size]),
            Call::Load => all.push(self.file),
        }
        let written = all.len() - read;
        (all, written)
    }
}

/// The numbers or the state of a piece, as they lie in the arena.
pub(crate) fn read<T: Copy>(arena: &Arena, place: Place) -> Vec<T> {
    let start = place.offset.unwrap_or(0);
    let bytes = &arena.0[start..start + place.bytes];
    // SAFETY: plain numbers, or a structure of them, which any bytes are.
    bytes.chunks_exact(size_of::<T>()).map(|x| unsafe { x.as_ptr().cast::<T>().read_unaligned() }).collect()
}

pub(crate) fn write<T: Copy>(arena: &mut Arena, place: Place, values: &[T]) {
    let start = place.offset.unwrap_or(0);
    for (to, x) in arena.0[start..start + place.bytes].chunks_exact_mut(size_of::<T>()).zip(values) {
        // SAFETY: as long as a T.
        unsafe { to.as_mut_ptr().cast::<T>().write_unaligned(*x) };
    }
}

/// What every call of a run is given, in Rust: nothing, or bounds.
type Limits<T> = Option<[Vec<T>; 2]>;

/// The layout of a call that has them, and no diagonal.
fn bounded<T>(layout: &Layout, limits: &Limits<T>) -> Layout {
    let none = |place: Place| Place { offset: None, ..place };
    let bound = |place: Place| if limits.is_some() { place } else { none(place) };
    Layout {
        diagonal: none(layout.diagonal),
        lower: bound(layout.lower),
        upper: bound(layout.upper),
        ..*layout
    }
}

/// A run beside the one of Rust, through a file, and then one call with anything wrong.
fn run<T: Interface>(u: &mut Unstructured) -> Result<()>
where
    LbfgsVec<T>: store::Load,
{
    let (n, m) = (u.int_in_range(0..=3)?, u.int_in_range(1..=3)?);
    let (objective, config, layout) = (Objective::new(u, n)?, config(m), Layout::new::<T>(n, m));
    let mut arena = Arena([0; ROOM]);
    let start = (0..n).map(|_| crate::input::number(u)).collect::<Result<Vec<T>>>()?;
    let settings = LbfgsSettings { max_evaluations: 40, ..LbfgsSettings::new() };
    let mut rust = LbfgsVec::<T>::new(n).pairs(m).settings(settings);
    rust.start(&start).unwrap();
    // What is left of an earlier run does not matter.
    arena.0[layout.work.offset.unwrap()..][..layout.work.bytes].fill(u.arbitrary()?);
    write(&mut arena, layout.x, &start);
    let limits = if u.ratio(1, 2)? { Some(crate::lbfgs::bounds::<T>(u, n)?) } else { None };
    if let Some([lower, upper]) = &limits {
        write(&mut arena, layout.lower, lower);
        write(&mut arena, layout.upper, upper);
    }
    let steps = u.int_in_range(0..=30)?;
    for _ in 0..steps {
        step(&mut arena, &layout, &config, &mut rust, &objective, &limits);
    }
    if steps > 0 {
        let inside = |[lower, upper]: &[Vec<T>; 2]| {
            rust.x().iter().zip(lower.iter().zip(upper)).all(|(x, (low, high))| !(x < low || x > high))
        };
        assert!(limits.as_ref().is_none_or(inside), "outside of its bounds");
        through_a_file(u, &mut arena, &layout, &config, &mut rust)?;
        for _ in 0..u.int_in_range(0..=9)? {
            step(&mut arena, &layout, &config, &mut rust, &objective, &limits);
        }
    }
    hostile::<T>(u, arena, bounded(&layout, &limits), layout.diagonal, config, n)
}

/// One evaluation of both, and the same bits afterwards.
fn step<T: Interface>(
    arena: &mut Arena,
    layout: &Layout,
    config: &gradus_lbfgs,
    rust: &mut LbfgsVec<T>,
    objective: &Objective,
    limits: &Limits<T>,
) {
    let x = read::<T>(arena, layout.x);
    let mut g = vec![T::ZERO; x.len()];
    let value = objective.call(&x, &mut g);
    if rust.ask().is_some() {
        write(arena, layout.grads, &g);
    }
    let given = bounded(layout, limits).given(&raw mut *arena, config, x.len(), value);
    let before = arena.clone();
    // SAFETY: each piece has its room in the arena.
    let status = unsafe { T::call(Call::Step, &given) };
    if let Some((at, to)) = rust.ask() {
        crate::same(&x, at, "the point");
        to.copy_from_slice(&g);
    }
    let told = match limits {
        Some([lower, upper]) => Told::new().bounds(lower, upper),
        None => Told::new(),
    };
    if rust.tell_with(value, &told).is_err() {
        // It came from a file with a penalty.
        assert_eq!(status, GRADUS_ERROR_BOUNDS);
        assert!(*arena == before, "refused, but changed");
        return;
    }
    assert_eq!(status, GRADUS_OK);
    let (report, state) = (rust.report(), read::<gradus_lbfgs_state>(arena, layout.state)[0]);
    crate::same(&read::<T>(arena, layout.x), rust.x(), "where to evaluate next");
    assert_eq!(state.value.bits(), report.value.wide().bits());
    assert_eq!(state.gradient.bits(), report.gradient.wide().bits());
    assert_eq!((state.iterations, state.evaluations), (report.iterations, report.evaluations));
    assert_eq!(state.stop, report.stop as u32);
}

/// C saves what Rust saves; both load the same of a file that was changed, or refuse it and change nothing.
fn through_a_file<T: Interface>(
    u: &mut Unstructured,
    arena: &mut Arena,
    layout: &Layout,
    config: &gradus_lbfgs,
    rust: &mut LbfgsVec<T>,
) -> Result<()>
where
    LbfgsVec<T>: store::Load,
{
    let file = store::to_vec(&*rust).unwrap();
    let before = arena.clone();
    let mut given = layout.given(&raw mut *arena, config, rust.x().len(), T::ZERO);
    // SAFETY: each piece has its room in the arena.
    assert_eq!(unsafe { T::call(Call::Save, &given) }, GRADUS_OK);
    assert_eq!(read::<usize>(arena, layout.size), [file.len()]);
    let ours = read::<u8>(arena, layout.file);
    let differs = ours.iter().zip(&file).position(|(c, rust)| c != rust);
    assert!(
        ours == file,
        "C's file is not Rust's, from byte {differs:?} on of {}: {:?}, {:?}",
        file.len(),
        ours,
        file
    );
    let mut expected = before;
    write(&mut expected, layout.size, &[file.len()]);
    write(&mut expected, layout.file, &file);
    assert!(*arena == expected, "saving changed the run");
    let mut file = if u.ratio(1, 4)? { file } else { bytes(u, file)? };
    (given.file, given.bytes) = (file.as_mut_ptr(), file.len());
    let loaded = store::load(&mut *rust, &file);
    // SAFETY: as above; the file is apart.
    let status = unsafe { T::call(Call::Load, &given) };
    assert_eq!(status == GRADUS_OK, loaded.is_ok(), "{status:?} {loaded:?}");
    if loaded.is_err() {
        assert!(*arena == expected, "refused, but changed");
        return Ok(());
    }
    let state = read::<gradus_lbfgs_state>(arena, layout.state)[0];
    if state.number == 0 {
        // It had not begun: C begins with the next step, Rust with a call of its own.
        let x = rust.x().to_vec();
        rust.start(&x).unwrap();
    }
    Ok(())
}

/// One call with null, misaligned and overlapping pointers, other lengths, versions and states.
fn hostile<T: Interface>(
    u: &mut Unstructured,
    mut arena: Arena,
    mut layout: Layout,
    diagonal: Place,
    mut config: gradus_lbfgs,
    mut n: usize,
) -> Result<()> {
    let call = *u.choose(&[Call::Step, Call::Stop, Call::Save, Call::Load])?;
    // The state may be anything: that of this run, one that has not begun, or none.
    let mut known = true;
    layout.diagonal = diagonal;
    write(&mut arena, diagonal, &[T::ONE; 3]);
    if u.ratio(1, 8)? {
        write(&mut arena, layout.diagonal, &[crate::input::number::<T>(u)?]);
    }
    if u.ratio(1, 4)? {
        known = false;
        if u.arbitrary()? {
            write(&mut arena, layout.state, &[gradus_lbfgs_state::default()]);
        } else {
            let at = layout.state.offset.unwrap() + u.choose_index(layout.state.bytes)?;
            arena.0[at] = u.arbitrary()?;
        }
    }
    if u.ratio(1, 4)? {
        n = n.saturating_sub(1);
    }
    if u.ratio(1, 4)? {
        config.pairs = u.int_in_range(0..=config.pairs)?;
    }
    let long = u.ratio(1, 16)?;
    if long {
        n = isize::MAX as usize / size_of::<T>() + u.int_in_range(1..=3)?;
    }
    let [x, work, file] = sizes::<T>(if long { 0 } else { n }, config.pairs as usize);
    (layout.x.bytes, layout.grads.bytes, layout.diagonal.bytes, layout.work.bytes) = (x, x, x, work);
    (layout.lower.bytes, layout.upper.bytes) = (x, x);
    if u.ratio(1, 4)? {
        layout.file.bytes = u.int_in_range(0..=layout.file.bytes)?;
    }
    if u.ratio(1, 16)? {
        config.version = u.arbitrary()?;
    }
    let Layout { x, grads, diagonal, lower, upper, work, state, file: to, size } = &mut layout;
    for place in [x, grads, diagonal, work, to, size, lower, upper] {
        if u.ratio(1, 8)? {
            *place = place.moved(u, ROOM)?;
        }
    }
    if u.ratio(1, 8)? {
        (*state, known) = (state.moved(u, ROOM)?, false);
    }
    let before = arena.clone();
    let mut given = layout.given(&raw mut arena, &config, n, crate::input::number::<T>(u)?);
    if u.ratio(1, 32)? {
        given.config = core::ptr::null();
    }
    // SAFETY: every pointer is null or has its length inside the arena.
    let status = unsafe { T::call(call, &given) };
    let (pieces, written) = layout.of(call);
    let meets = |i: usize| pieces[..i.min(written)].iter().any(|other| pieces[i].overlaps(*other));
    let overlap = (0..pieces.len()).any(meets);
    let one = call == Call::Step && given.lower.is_null() != given.upper.is_null();
    let null = given.config.is_null() || pieces.iter().any(|p| p.null()) || one || long;
    let reasons = [
        (null, GRADUS_ERROR_NULL),
        (pieces.iter().any(|p| p.misaligned()) || long, GRADUS_ERROR_ALIGNMENT),
        (long, GRADUS_ERROR_LENGTH),
        (overlap, GRADUS_ERROR_OVERLAP),
        (config.version != GRADUS_STRUCTS, GRADUS_ERROR_VERSION),
        (config.pairs == 0, GRADUS_ERROR_EMPTY),
    ];
    if reasons.iter().any(|reason| reason.0) {
        judge(status, &reasons);
    } else if call == Call::Load {
        let name = format!("{status:?}");
        assert!(status == GRADUS_OK || name.starts_with("GRADUS_ERROR_FILE_"), "{name}");
    } else {
        let state = read::<gradus_lbfgs_state>(&before, layout.state)[0];
        let other =
            (state.number as usize, state.n, state.pairs) != (size_of::<T>(), n, config.pairs as usize);
        let (idle, save) = (state.number == 0, call == Call::Save);
        let values = |place: Place| place.offset.map_or(vec![], |_| read::<T>(&before, place));
        let [diagonal, lower, upper] = [layout.diagonal, layout.lower, layout.upper].map(values);
        let between = |(low, high): (&T, &T)| *low <= *high && *low < T::INFINITY && *high > -T::INFINITY;
        let bounds = lower.iter().zip(&upper).all(between);
        let positive = diagonal.iter().all(|h| *h > T::ZERO && *h < T::INFINITY);
        let reasons = [
            (save && layout.file.bytes < file, GRADUS_ERROR_FILE_LENGTH),
            (other && !idle, GRADUS_ERROR_LENGTH),
            (save && idle, GRADUS_ERROR_VERSION),
            (call == Call::Step && !positive, GRADUS_ERROR_PRECONDITIONER),
            (call == Call::Step && !bounds, GRADUS_ERROR_BOUNDS),
        ];
        // The run may have come from a file with a penalty.
        let penalised = status == GRADUS_ERROR_BOUNDS && !idle && !given.lower.is_null();
        if (known || status != GRADUS_ERROR_VERSION) && !penalised {
            judge(status, &reasons);
        }
    }
    if status != GRADUS_OK {
        assert!(arena == before, "{status:?}, but changed");
    }
    // Nothing changes but the pieces.
    for piece in pieces {
        let start = piece.offset.unwrap_or(0);
        let bytes = if status == GRADUS_OK { piece.bytes } else { 0 };
        arena.0[start..start + bytes].copy_from_slice(&before.0[start..start + bytes]);
    }
    assert!(arena == before, "{call:?} changed what is not its own");
    Ok(())
}
