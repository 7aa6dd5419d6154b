//! The C interface with hostile pointers: a negative status and nothing changed, or what Rust computes.
//!
//! Pointers are null, misaligned, overlapping or good, lengths small or beyond the address space. What C
//! promises and a function cannot check, that the memory is there, the target keeps.

use crate::input::number;
use crate::list::Kept;
use crate::same;
use arbitrary::{Result, Unstructured};
use gradus::ffi::*;
use gradus::transform::{
    ClampParams, ClipNorm, ClipValue, Decay, ElasticNet, L1, L2, MaxNorm, ProxL1, Scale,
};
use gradus::*;

#[path = "../../tests/support/c_rules.rs"]
mod c_list;
pub(crate) use c_list::c_rules;

pub fn run(data: &[u8]) {
    let _ = calls(&mut Unstructured::new(data));
}

fn calls(u: &mut Unstructured) -> Result<()> {
    match u.int_in_range(0..=8)? {
        0 | 1 => rules(u),
        2 => crate::ffi_lists::calls(u),
        3 => sums(u),
        4 => rows_and_clips(u),
        5 => crate::ffi_lbfgs::calls(u),
        6 => crate::ffi_layers::calls(u),
        7 => crate::ffi_networks::calls(u),
        _ => crate::ffi_files::files(u),
    }
}

/// Memory that all pointers of a call point into: 64 floats of any bits.
pub(crate) const FLOATS: usize = 64;

#[repr(align(64))]
#[derive(Clone)]
pub(crate) struct Arena(pub [f32; FLOATS]);

impl Arena {
    pub fn new(u: &mut Unstructured) -> Result<Self> {
        let mut arena = Self([0.0; FLOATS]);
        for x in &mut arena.0 {
            *x = number(u)?;
        }
        Ok(arena)
    }

    pub fn bits(&self) -> [u32; FLOATS] {
        self.0.map(f32::to_bits)
    }
}

/// Where a pointer of a call points: nowhere, or so many bytes into the arena.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub offset: Option<usize>,
    pub bytes: usize,
    pub align: usize,
}

impl Place {
    /// A null pointer, where nothing is needed.
    pub const NONE: Self = Self { offset: None, bytes: 0, align: 4 };

    /// Room for `bytes` bytes of floats, mostly aligned; `None` if the arena has not so many.
    pub fn new(u: &mut Unstructured, bytes: usize) -> Result<Self> {
        Self::within(u, 4 * FLOATS, bytes, 4)
    }

    /// Room for `bytes` bytes in an arena of so many.
    pub fn within(u: &mut Unstructured, arena: usize, bytes: usize, align: usize) -> Result<Self> {
        let room = arena.checked_sub(bytes);
        let offset = match room {
            Some(room) if !u.ratio(1, 16)? => {
                let offset = u.int_in_range(0..=room)?;
                Some(if u.ratio(15, 16)? { offset & !(align - 1) } else { offset })
            }
            _ => None,
        };
        Ok(Self { offset, bytes, align })
    }

    /// The same piece somewhere else.
    pub fn moved(self, u: &mut Unstructured, arena: usize) -> Result<Self> {
        Self::within(u, arena, self.bytes, self.align)
    }

    /// The next aligned room behind `end`, which it moves.
    pub fn next(end: &mut usize, bytes: usize, align: usize) -> Self {
        let offset = end.next_multiple_of(align);
        *end = offset + bytes;
        Self { offset: Some(offset), bytes, align }
    }

    pub fn at<T, A>(self, arena: *mut A) -> *mut T {
        self.offset.map_or(core::ptr::null_mut(), |offset| arena.cast::<u8>().wrapping_add(offset).cast())
    }

    pub fn null(self) -> bool {
        self.bytes > 0 && self.offset.is_none()
    }

    pub fn misaligned(self) -> bool {
        self.bytes > 0 && self.offset.is_some_and(|offset| offset % self.align != 0)
    }

    pub fn overlaps(self, other: Self) -> bool {
        let (Some(a), Some(b)) = (self.offset, other.offset) else { return false };
        self.bytes > 0 && other.bytes > 0 && a < b + other.bytes && b < a + self.bytes
    }

    pub fn floats(self, arena: &Arena) -> Vec<f32> {
        let start = self.offset.unwrap_or(0) / 4;
        arena.0[start..start + self.bytes / 4].to_vec()
    }
}

/// What may be wrong with a call, as the header lists it; any of what applies may be returned.
#[track_caller]
pub(crate) fn judge(got: gradus_status, reasons: &[(bool, gradus_status)]) -> bool {
    let allowed: Vec<gradus_status> = reasons.iter().filter(|r| r.0).map(|r| r.1).collect();
    if allowed.is_empty() {
        assert_eq!(got, gradus_status::GRADUS_OK);
    } else {
        assert!(allowed.contains(&got), "{got:?}, not one of {allowed:?}");
    }
    allowed.is_empty()
}

use gradus_status::*;

/// Two decays at once.
const BOTH: u32 = GRADUS_DECAY | GRADUS_INDEPENDENT_DECAY;

pub(crate) fn transforms(u: &mut Unstructured) -> Result<gradus_transforms> {
    let mut t = gradus_transforms {
        version: version(u)?,
        flags: if u.ratio(1, 32)? { u.arbitrary()? } else { u.int_in_range(0..=511)? },
        scale: 0.0,
        clip_value: 0.0,
        l2: 0.0,
        l1: 0.0,
        elastic_net: 0.0,
        elastic_net_beta: 0.0,
        decay: 0.0,
        prox_l1: 0.0,
        clamp_params: 0.0,
    };
    for field in [
        &mut t.scale,
        &mut t.clip_value,
        &mut t.l2,
        &mut t.l1,
        &mut t.elastic_net,
        &mut t.elastic_net_beta,
        &mut t.decay,
        &mut t.prox_l1,
        &mut t.clamp_params,
    ] {
        *field = number(u)?;
    }
    Ok(t)
}

/// Whether every flag has a meaning, and no two are of one transform.
pub(crate) fn flags(t: &gradus_transforms) -> bool {
    t.flags <= 511 && t.flags & BOTH != BOTH
}

/// The same transforms in Rust: those that a flag names.
pub(crate) fn rust(t: gradus_transforms) -> impl gradus::transform::Transform {
    let on = |flag| t.flags & flag != 0;
    (
        (
            on(GRADUS_SCALE).then_some(Scale(t.scale)),
            on(GRADUS_CLIP_VALUE).then_some(ClipValue(t.clip_value)),
            on(GRADUS_L2).then_some(L2::new(t.l2)),
            on(GRADUS_L1).then_some(L1::new(t.l1)),
            on(GRADUS_ELASTIC_NET).then_some(ElasticNet { lambda: t.elastic_net, beta: t.elastic_net_beta }),
        ),
        (
            match (on(GRADUS_DECAY), on(GRADUS_INDEPENDENT_DECAY)) {
                (true, _) => Some(Decay::new(t.decay)),
                (false, independent) => independent.then_some(Decay::independent(t.decay)),
            },
            on(GRADUS_PROX_L1).then_some(ProxL1::new(t.prox_l1)),
            on(GRADUS_CLAMP_PARAMS).then_some(ClampParams(t.clamp_params)),
        ),
    )
}

type Step<C> = unsafe extern "C" fn(
    *const C,
    *const gradus_transforms,
    usize,
    *mut f32,
    *const f32,
    *mut f32,
    *mut Clock,
) -> gradus_status;
type Check<C> = unsafe extern "C" fn(*const C, *const gradus_transforms) -> gradus_status;

/// One call of a step with `K` columns, and the same step in Rust. Without transforms it is the call of gradus_*_step().
fn step<const K: usize, C, O: Kept<K>>(
    u: &mut Unstructured,
    (call, check): (Step<C>, Check<C>),
    config: &C,
    version: u32,
    t: &gradus_transforms,
    optimizer: Option<O>,
) -> Result<()> {
    let mut arena = Arena::new(u)?;
    let n = match u.int_in_range(0..=9)? {
        0 => usize::MAX / 4 - u.int_in_range(0..=3_usize)?,
        1 => usize::MAX - u.int_in_range(0..=3_usize)?,
        2 => isize::MAX as usize / 4 + 1,
        _ => u.int_in_range(0..=14)?,
    };
    let long = n > FLOATS;
    let small = if long { 0 } else { n };
    let config = if u.ratio(1, 32)? { core::ptr::null() } else { config };
    let (p, g) = (Place::new(u, 4 * small)?, Place::new(u, 4 * small)?);
    let (s, c) = (Place::new(u, 4 * small * K)?, Place::new(u, 8)?);
    let before = arena.clone();
    let memory = &raw mut arena;
    // SAFETY: every pointer is null or has its length inside the arena.
    let status = unsafe { call(config, t, n, p.at(memory), g.at(memory), s.at(memory), c.at(memory)) };
    let all = [p, g, s, c];
    let overlap = [(p, g), (p, s), (p, c), (g, s), (g, c), (s, c)].into_iter().any(|(a, b)| a.overlaps(b));
    let ok = judge(
        status,
        &[
            (config.is_null() || all.iter().any(|p| p.null()) || long, GRADUS_ERROR_NULL),
            (all.iter().any(|p| p.misaligned()) || long, GRADUS_ERROR_ALIGNMENT),
            (long, GRADUS_ERROR_LENGTH),
            (overlap, GRADUS_ERROR_OVERLAP),
            (version != GRADUS_STRUCTS || t.version != GRADUS_STRUCTS, GRADUS_ERROR_VERSION),
            (optimizer.is_none() || !flags(t), GRADUS_ERROR_ENUM),
        ]
        .map(|(applies, status)| (applies, status)),
    );
    if !ok {
        assert_eq!(arena.bits(), before.bits(), "refused, but changed");
        return Ok(());
    }
    let optimizer = optimizer.unwrap().with(rust(*t));
    let (mut params, grads, mut state) = (p.floats(&before), g.floats(&before), s.floats(&before));
    let raw = c.floats(&before);
    let mut clock = Clock { t: raw[0].to_bits(), carry: raw[1] };
    let mut chunks = state.chunks_mut(n.max(1));
    let columns = core::array::from_fn(|_| chunks.next().unwrap_or_default());
    optimizer.step_slices(&mut params, &grads, StateMut::new(columns, &mut clock)).unwrap();
    same(&p.floats(&arena), &params, "params");
    same(&s.floats(&arena), &state, "state");
    assert_eq!(c.floats(&arena)[0].to_bits(), clock.t);
    same(&c.floats(&arena)[1..], &[clock.carry], "carry");
    // Nothing else has changed.
    let mut expected = before.0;
    for (place, values) in [(p, params), (s, state), (c, vec![f32::from_bits(clock.t), clock.carry])] {
        let start = place.offset.unwrap_or(0) / 4;
        expected[start..start + values.len()].copy_from_slice(&values);
    }
    same(&arena.0, &expected, "the rest of the memory");
    // SAFETY: the pointer is the one of a live structure.
    let status = unsafe { check(config, t) };
    assert_eq!(status == GRADUS_OK, optimizer.check().is_ok());
    Ok(())
}

pub(crate) fn version(u: &mut Unstructured) -> Result<u32> {
    if u.ratio(31, 32)? { Ok(GRADUS_STRUCTS) } else { u.arbitrary() }
}

/// The stabiliser in Rust, if its place is one.
pub(crate) fn epsilon(eps: gradus_epsilon) -> Option<Epsilon> {
    match eps.place {
        GRADUS_EPSILON_OUTSIDE => Some(Epsilon::Outside(eps.eps)),
        GRADUS_EPSILON_HAT => Some(Epsilon::Hat(eps.eps)),
        GRADUS_EPSILON_ROOT => Some(Epsilon::Root { inside: eps.inside, outside: eps.eps }),
        _ => None,
    }
}

/// A field of a configuration, with any value.
pub(crate) trait Any: Sized {
    fn any(u: &mut Unstructured) -> Result<Self>;
}
impl Any for f32 {
    fn any(u: &mut Unstructured) -> Result<Self> {
        number(u)
    }
}
impl Any for f64 {
    fn any(u: &mut Unstructured) -> Result<Self> {
        number(u)
    }
}
impl Any for u32 {
    fn any(u: &mut Unstructured) -> Result<Self> {
        u.int_in_range(0..=2)
    }
}
impl Any for gradus_epsilon {
    fn any(u: &mut Unstructured) -> Result<Self> {
        Ok(Self { place: u.int_in_range(0..=3)?, eps: number(u)?, inside: number(u)? })
    }
}

/// A step of one of the optimizers, with transforms and without.
macro_rules! any_rule {
    (($u:ident) $($optimizer:ident $config:ident $columns:ident $kind:ident $default:ident $check:ident $check_with:ident
        $step:ident $step_with:ident $if_finite:ident $tensors:ident $begin:ident $begin_with:ident
        [$($half:ident)*] {$($field:ident)*} ($build:expr);)*) => {{
        let calls: &[fn(&mut Unstructured) -> Result<()>] = &[$(|u| {
            /// The step without transforms in the form of the other.
            unsafe extern "C" fn plain(
                config: *const $config,
                _: *const gradus_transforms,
                n: usize,
                params: *mut f32,
                grads: *const f32,
                state: *mut f32,
                clock: *mut Clock,
            ) -> gradus_status {
                // SAFETY: as of the caller.
                unsafe { $step(config, n, params, grads, state, clock) }
            }
            unsafe extern "C" fn plain_check(config: *const $config, _: *const gradus_transforms) -> gradus_status {
                // SAFETY: as of the caller.
                unsafe { $check(config) }
            }
            let mut config = $default(0.0);
            $(config.$field = Any::any(u)?;)*
            config.version = version(u)?;
            let rust: fn(&$config) -> Option<$optimizer> = $build;
            let optimizer = rust(&config);
            if u.ratio(1, 2)? {
                let t = transforms(u)?;
                step::<$columns, _, _>(u, ($step_with, $check_with), &config, config.version, &t, optimizer)
            } else {
                let none = gradus_transforms { version: GRADUS_STRUCTS, flags: 0, ..transforms(u)? };
                step::<$columns, _, _>(u, (plain, plain_check), &config, config.version, &none, optimizer)
            }
        }),*];
        let call = *$u.choose(calls)?;
        call($u)
    }};
}

/// A step of any of the rules.
fn rules(u: &mut Unstructured) -> Result<()> {
    c_rules!(any_rule!(u))
}

fn sums(u: &mut Unstructured) -> Result<()> {
    let mut arena = Arena::new(u)?;
    let long = u.ratio(1, 16)?;
    let small = if long { 0 } else { u.int_in_range(0..=30)? };
    let n = if long { usize::MAX / 4 } else { small };
    let (x, y) = (Place::new(u, 4 * small)?, Place::new(u, 4 * small)?);
    let result = Place::new(u, 4)?;
    let before = arena.clone();
    let which = u.int_in_range(0..=3)?;
    let memory = &raw mut arena;
    let to = result.at::<f32, _>(memory);
    // SAFETY: every pointer is null or has its length inside the arena.
    let status = unsafe {
        match which {
            0 => gradus_dot(n, x.at(memory), y.at(memory), to),
            1 => gradus_l2_norm(n, x.at(memory), to),
            2 => gradus_sum_abs(n, x.at(memory), to),
            _ => gradus_max_abs(n, x.at(memory), to),
        }
    };
    let used = if which == 0 { vec![x, y, result] } else { vec![x, result] };
    let ok = judge(
        status,
        &[
            (used.iter().any(|p| p.null()) || long, GRADUS_ERROR_NULL),
            (used.iter().any(|p| p.misaligned()) || long, GRADUS_ERROR_ALIGNMENT),
            (long, GRADUS_ERROR_LENGTH),
            (x.overlaps(result) || which == 0 && y.overlaps(result), GRADUS_ERROR_OVERLAP),
        ],
    );
    let mut expected = before.0;
    if ok {
        let (x, y, level) = (x.floats(&before), y.floats(&before), gradus::Level::detect());
        expected[result.offset.unwrap() / 4] = match which {
            0 => gradus::dot(level, &x, &y).unwrap(),
            1 => gradus::l2_norm(level, &x),
            2 => gradus::sum_abs(level, &x),
            _ => gradus::max_abs(level, &x),
        };
    }
    same(&arena.0, &expected, "sums");
    Ok(())
}

/// A tensor of gradients alone.
fn tensor(grads: *const f32, n: usize) -> gradus_tensor {
    let (params, state) = (core::ptr::null_mut(), core::ptr::null_mut());
    gradus_tensor { n, params, grads, state, clock: core::ptr::null_mut(), transforms: core::ptr::null() }
}

fn rows_and_clips(u: &mut Unstructured) -> Result<()> {
    let mut arena = Arena::new(u)?;
    let before = arena.clone();
    let n = u.int_in_range(0..=30)?;
    let (p, scale) = (Place::new(u, 4 * n)?, Place::new(u, 4)?);
    let (row, limit) = (u.int_in_range(0..=7)?, number(u)?);
    let memory = &raw mut arena;
    // SAFETY: every pointer is null or has its length inside the arena.
    let status = unsafe { gradus_limit_row_norms(n, p.at(memory), row, limit) };
    let mut params = p.floats(&before);
    let result = MaxNorm { row, limit }.apply(gradus::Level::detect(), &mut params);
    if p.null() || p.misaligned() {
        judge(status, &[(p.null(), GRADUS_ERROR_NULL), (p.misaligned(), GRADUS_ERROR_ALIGNMENT)]);
    } else {
        assert_eq!(status == GRADUS_OK, result.is_ok());
        same(&p.floats(&arena), &params, "rows");
    }
    // Clipping reads what is there now.
    let before = arena.clone();
    let memory = &raw mut arena;
    let m = n / 2;
    let tensors = [tensor(p.at(memory), m), tensor(p.at::<f32, _>(memory).wrapping_add(m), n - m)];
    // SAFETY: every pointer is null or has its length inside the arena.
    let status = unsafe { gradus_clip_norm(limit, tensors.as_ptr(), 2, scale.at(memory)) };
    let mut expected = before.0;
    // An offset from null is not null to the second tensor: it is not used then.
    if p.null() || p.misaligned() || scale.null() || scale.misaligned() || scale.overlaps(p) {
        assert_ne!(status, GRADUS_OK);
    } else {
        let grads = p.floats(&before);
        let result = ClipNorm { max_norm: limit }.scale(gradus::Level::detect(), &[&grads[..m], &grads[m..]]);
        assert_eq!(status == GRADUS_OK, result.is_ok());
        if let Ok(factor) = result {
            expected[scale.offset.unwrap() / 4] = factor.0;
        }
    }
    same(&arena.0, &expected, "clips");
    Ok(())
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
