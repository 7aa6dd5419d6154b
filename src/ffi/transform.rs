//! Transforms, penalties and clipping by norm.

use super::memory::{Memory, apart, copy, put};
use super::{gradus_status, guard};
use crate::transform::{ClampParams, ClipNorm, ClipValue, Decay, ElasticNet, L1, L2, MaxNorm, ProxL1, Scale};

/// What acts on gradients before a rule and on parameters after it; 0 leaves a transform out.
///
/// They act in the order of the fields, in registers: gradients are never written. `= {0}` is none
/// of them, and costs nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct gradus_transforms {
    /// g = scale * g: 1 / batch size for a mean, or what gradus_clip_norm() returns, which is never 0.
    pub scale: f32,
    /// g within [-clip_value, clip_value].
    pub clip_value: f32,
    /// g = g + 2 * l2 * p. PyTorch's weight_decay is twice this.
    pub l2: f32,
    /// g = g + l1 * sign(p).
    pub l1: f32,
    /// g = g + elastic_net * (2 * elastic_net_beta * p + sign(p)).
    pub elastic_net: f32,
    /// Weight of the squares in elastic_net.
    pub elastic_net_beta: f32,
    /// p = rule(p) - lr * decay * p: decoupled weight decay.
    pub decay: f32,
    /// p = sign(p) * max(|p| - lr * prox_l1, 0): exact zeros.
    pub prox_l1: f32,
    /// p within [-clamp_params, clamp_params].
    pub clamp_params: f32,
}

type Before = (Option<Scale>, Option<ClipValue>, Option<L2>, Option<L1>, Option<ElasticNet>);
type After = (Option<Decay>, Option<ProxL1>, Option<ClampParams>);

impl gradus_transforms {
    /// Whether there is none.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Those of the crate.
    pub(super) fn build(&self) -> (Before, After) {
        // NaN is not 0: it becomes a transform, and check() names it.
        fn some<T>(x: f32, transform: T) -> Option<T> {
            if x == 0.0 { None } else { Some(transform) }
        }
        let before = (
            some(self.scale, Scale(self.scale)),
            some(self.clip_value, ClipValue(self.clip_value)),
            some(self.l2, L2::new(self.l2)),
            some(self.l1, L1::new(self.l1)),
            some(self.elastic_net, ElasticNet { lambda: self.elastic_net, beta: self.elastic_net_beta }),
        );
        let after = (
            some(self.decay, Decay::new(self.decay)),
            some(self.prox_l1, ProxL1::new(self.prox_l1)),
            some(self.clamp_params, ClampParams(self.clamp_params)),
        );
        (before, after)
    }
}

/// Writes the L2 penalty of `transforms` for `n` weights, `l2 * sum w^2`, to `value`: for the loss.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_l2_value(
    transforms: *const gradus_transforms,
    n: usize,
    weights: *const f32,
    value: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let t = unsafe { copy(transforms)? };
        let weights = Memory::new(weights, n)?;
        let value = Memory::one(value)?;
        apart([weights.read(), value.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (weights, value) = unsafe { (weights.slice(), value.one_mut()) };
        *value = L2::new(t.l2).value(weights);
        Ok(())
    })
}

/// Writes the L1 penalty of `transforms` for `n` weights, `l1 * sum |w|`, to `value`: for the loss.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_l1_value(
    transforms: *const gradus_transforms,
    n: usize,
    weights: *const f32,
    value: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let t = unsafe { copy(transforms)? };
        let weights = Memory::new(weights, n)?;
        let value = Memory::one(value)?;
        apart([weights.read(), value.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (weights, value) = unsafe { (weights.slice(), value.one_mut()) };
        *value = L1::new(t.l1).value(weights);
        Ok(())
    })
}

/// Writes the elastic net of `transforms` for `n` weights to `value`: for the loss.
///
/// ```text
/// value = elastic_net * sum (elastic_net_beta * w^2 + |w|)
/// ```
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_elastic_net_value(
    transforms: *const gradus_transforms,
    n: usize,
    weights: *const f32,
    value: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the pointer is checked; the caller vouches for the memory behind it.
        let t = unsafe { copy(transforms)? };
        let weights = Memory::new(weights, n)?;
        let value = Memory::one(value)?;
        apart([weights.read(), value.written()])?;
        // SAFETY: all are checked, and apart where one is written; the caller vouches for the memory.
        let (weights, value) = unsafe { (weights.slice(), value.one_mut()) };
        *value = ElasticNet { lambda: t.elastic_net, beta: t.elastic_net_beta }.value(weights);
        Ok(())
    })
}

/// Gradients of one tensor: `n` floats.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_tensor {
    /// The first of them.
    pub data: *const f32,
    /// How many.
    pub n: usize,
}

/// Writes the factor that clips the gradients of all tensors together to a Euclidean norm.
///
/// ```text
/// scale = min(1, max_norm / (norm + 1e-6))        as PyTorch's clip_grad_norm_
/// ```
///
/// Put it into gradus_transforms.scale: the scaling itself is fused into the step. A factor that
/// rounds to 0, which stands for no scale there, becomes the smallest positive float. `tensors` has
/// `count` elements.
///
/// Errors: GRADUS_ERROR_LIMIT if `max_norm` is not positive; GRADUS_ERROR_NON_FINITE if the norm is
/// infinite or NaN: skip the step; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
/// GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_clip_norm(
    max_norm: f32,
    tensors: *const gradus_tensor,
    count: usize,
    scale: *mut f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the checked pointers.
        unsafe {
            let (tensors, to) = (Memory::new(tensors, count)?, Memory::one(scale)?.written());
            apart([tensors.read(), to])?;
            let tensors = tensors.slice();
            for tensor in tensors {
                apart([Memory::new(tensor.data, tensor.n)?.read(), to])?;
            }
            let grads = tensors.iter().flat_map(|t| Memory::new(t.data, t.n)).map(|grads| grads.slice());
            let factor = ClipNorm { max_norm }.scale_each(grads)?.0;
            put(scale, if factor > 0.0 { factor } else { f32::from_bits(1) }) // 0 would be no scale at all
        }
    })
}

/// Scales each row of `row` floats whose Euclidean norm exceeds `limit` back to it.
///
/// `params` has `n` floats, whole rows one after the other.
///
/// Errors: GRADUS_ERROR_LIMIT, GRADUS_ERROR_SIZE if `row` is 0, GRADUS_ERROR_LENGTH if `n` is not a
/// whole number of rows, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_limit_row_norms(
    n: usize,
    params: *mut f32,
    row: usize,
    limit: f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the checked pointer.
        let params = unsafe { Memory::new(params, n)?.slice_mut() };
        Ok(MaxNorm { row, limit }.apply(params)?)
    })
}
