//! Lists of tensors from C: every optimizer, whole and half, by one clock or by a clock each, with pointers that point
//! anywhere, beside one step in Rust for each tensor.

use crate::ffi::{Any, Place, c_rules, epsilon, flags, judge, rust, transforms, version};
use crate::ffi_lbfgs::{Arena, ROOM, read, write};
use arbitrary::{Result, Unstructured};
use core::mem::offset_of;
use gradus::ffi::gradus_status::*;
use gradus::ffi::*;
use gradus::*;

/// A number of a column.
pub(crate) trait Number: Copy {
    fn bits(self) -> u32;
}

impl Number for f32 {
    fn bits(self) -> u32 {
        if self.is_nan() { u32::MAX } else { self.to_bits() }
    }
}

impl Number for Bf16 {
    fn bits(self) -> u32 {
        self.to_bits().into()
    }
}

/// The call of a list, whatever its states are stored as: both structures have the same fields.
pub(crate) type Call<C> =
    unsafe extern "C" fn(*const C, *const gradus_tensor, usize, *mut Clock) -> gradus_status;

const _: () = assert!(
    size_of::<gradus_tensor>() == size_of::<gradus_half_tensor>()
        && offset_of!(gradus_tensor, state) == offset_of!(gradus_half_tensor, state)
);

/// Where one tensor lies.
struct Tensor {
    params: Place,
    grads: Place,
    state: Place,
    clock: Place,
    n: usize,
    /// Which of the transforms it has, if any.
    transforms: Option<usize>,
}

impl Tensor {
    fn new(u: &mut Unstructured, end: &mut usize, columns: usize, number: usize) -> Result<Self> {
        let n = if u.ratio(1, 32)? {
            *u.choose(&[usize::MAX / 4, usize::MAX, isize::MAX as usize / 4 + 1])?
        } else {
            u.int_in_range(0..=17)?
        };
        let small = if n > ROOM { 0 } else { n };
        let mut piece = |bytes: usize, align: usize| {
            if u.ratio(1, 24)? {
                Place::within(u, ROOM, bytes, align)
            } else {
                Ok(Place::next(end, bytes, align))
            }
        };
        let (params, grads) = (piece(4 * small, 4)?, piece(4 * small, 4)?);
        let (state, clock) = (piece(number * columns * small, number)?, piece(8, 4)?);
        let transforms = *u.choose(&[None, Some(0), Some(1)])?;
        Ok(Self { params, grads, state, clock, n, transforms })
    }

    fn long(&self) -> bool {
        self.n > ROOM
    }
}

/// A step of a list of up to three tensors, from C, and of each by itself in Rust.
pub(crate) fn step<const K: usize, C, O, H, M>(
    u: &mut Unstructured,
    call: Call<C>,
    config: &C,
    configured: u32,
    optimizer: Option<H>,
) -> Result<()>
where
    M: Stored + Number,
    H: Optimizer<Family = O>,
    O: Stateful<Columns = Width<K>, Memory = M>,
{
    let mut arena = Arena::new(u)?;
    let mut end = 0;
    let count = u.int_in_range(0..=3)?;
    let (bytes, align) = (count * size_of::<gradus_tensor>(), align_of::<gradus_tensor>());
    let list = match u.int_in_range(0..=23)? {
        0 => Place::within(u, ROOM, bytes, align)?,
        _ => Place::next(&mut end, bytes, align),
    };
    let tensors =
        (0..count).map(|_| Tensor::new(u, &mut end, K, size_of::<M>())).collect::<Result<Vec<_>>>()?;
    let changes = [transforms(u)?, transforms(u)?];
    let common = match u.int_in_range(0..=7)? {
        0 => Place::within(u, ROOM, 8, 4)?,
        1..=3 => Place { offset: None, bytes: 8, align: 4 },
        _ => Place::next(&mut end, 8, 4),
    };
    let config = if u.ratio(1, 32)? { core::ptr::null() } else { config };
    assert!(end <= ROOM);

    let memory = &raw mut arena;
    let structures: Vec<gradus_tensor> = tensors
        .iter()
        .map(|t| gradus_tensor {
            n: t.n,
            params: t.params.at(memory),
            grads: t.grads.at(memory),
            state: t.state.at(memory),
            clock: t.clock.at(memory),
            transforms: t.transforms.map_or(core::ptr::null(), |k| &raw const changes[k]),
        })
        .collect();
    // SAFETY: the arena is there. A borrow that is not the pointer's would end those that the structures hold.
    write(unsafe { &mut *memory }, list, &structures);
    let before = arena.clone();
    // SAFETY: every pointer is null or has its length inside the arena.
    let status = unsafe { call(config, list.at(memory), count, common.at(memory)) };

    // Every piece, and whether it is written.
    let shared = common.offset.is_some();
    let mut pieces = vec![(list, false), (common, shared)];
    for t in &tensors {
        pieces.extend([(t.params, true), (t.grads, false), (t.state, true)]);
        if !shared {
            pieces.push((t.clock, true));
        }
    }
    let meets = |i: usize| {
        let (a, written) = pieces[i];
        pieces[..i].iter().any(|(b, also)| (written || *also) && a.overlaps(*b))
    };
    let null = |(i, (place, _)): (usize, &(Place, bool))| i != 1 && place.null();
    let long = tensors.iter().any(Tensor::long);
    let used = || tensors.iter().filter_map(|t| t.transforms).map(|k| &changes[k]);
    let reasons = [
        (config.is_null() || pieces.iter().enumerate().any(null) || long, GRADUS_ERROR_NULL),
        (pieces.iter().any(|(place, _)| place.misaligned()) || long, GRADUS_ERROR_ALIGNMENT),
        (long, GRADUS_ERROR_LENGTH),
        ((0..pieces.len()).any(meets), GRADUS_ERROR_OVERLAP),
        (configured != GRADUS_STRUCTS || used().any(|t| t.version != GRADUS_STRUCTS), GRADUS_ERROR_VERSION),
        (optimizer.is_none() || used().any(|t| !flags(t)), GRADUS_ERROR_ENUM),
    ];
    if !judge(status, &reasons) {
        assert!(arena == before, "{status:?}, but changed");
        return Ok(());
    }
    let optimizer = optimizer.expect("no reason against it");
    let mut expected = before.clone();
    for t in &tensors {
        let none = gradus_transforms { version: GRADUS_STRUCTS, flags: 0, ..changes[0] };
        let chain = rust(t.transforms.map_or(none, |k| changes[k]));
        let place = if shared { common } else { t.clock };
        let mut clock = read::<Clock>(&before, place)[0];
        let (mut params, grads) = (read::<f32>(&before, t.params), read::<f32>(&before, t.grads));
        let mut state = read::<M>(&before, t.state);
        let mut chunks = state.chunks_mut(t.n.max(1));
        let columns = core::array::from_fn(|_| chunks.next().unwrap_or_default());
        let view = StateMut::<O>::new(columns, &mut clock);
        optimizer.with(chain).step_slices(&mut params, &grads, view).unwrap();
        crate::same(&read::<f32>(&arena, t.params), &params, "params");
        for (i, (got, want)) in read::<M>(&arena, t.state).iter().zip(&state).enumerate() {
            assert!(got.bits() == want.bits(), "state: {i} of {}", state.len());
        }
        let moved = read::<Clock>(&arena, place)[0];
        assert!(moved.t == clock.t);
        crate::same(&[moved.carry], &[clock.carry], "carry");
        for place in [t.params, t.state, place] {
            expected.copy(place, &arena);
        }
    }
    if shared && count == 0 {
        // Nothing to step, but a step.
        expected.copy(common, &arena);
        assert_eq!(read::<Clock>(&arena, common)[0].t, read::<Clock>(&before, common)[0].t.saturating_add(1));
    }
    assert!(arena == expected, "the rest of the memory");
    Ok(())
}

/// Calls of all optimizers.
macro_rules! any_list {
    (($u:ident) $($optimizer:ident $config:ident $columns:ident $kind:ident $default:ident $check:ident $check_with:ident
        $step:ident $step_with:ident $if_finite:ident $tensors:ident $begin:ident $begin_with:ident
        [$($half:ident $half_with:ident $half_begin:ident $half_begin_with:ident $half_tensors:ident)?]
        {$($field:ident)*} ($build:expr);)*) => {{
        let calls: &[fn(&mut Unstructured) -> Result<()>] = &[$(|u| {
            let mut config = $default(0.0);
            $(config.$field = Any::any(u)?;)*
            config.version = version(u)?;
            let build: fn(&$config) -> Option<$optimizer> = $build;
            let optimizer = build(&config);
            $(if u.arbitrary()? {
                /// The list of half states in the form of the other.
                unsafe extern "C" fn half(
                    config: *const $config,
                    list: *const gradus_tensor,
                    count: usize,
                    clock: *mut Clock,
                ) -> gradus_status {
                    // SAFETY: as of the caller; the structures have the same fields.
                    unsafe { $half_tensors(config, list.cast(), count, clock) }
                }
                let halved = optimizer.map(|optimizer| optimizer.half());
                return step::<$columns, _, _, _, Bf16>(u, half, &config, config.version, halved);
            })?
            step::<$columns, _, _, _, f32>(u, $tensors, &config, config.version, optimizer)
        }),*];
        let call = *$u.choose(calls)?;
        call($u)
    }};
}

pub(crate) fn calls(u: &mut Unstructured) -> Result<()> {
    c_rules!(any_list!(u))
}
