//! Transforms, penalties and clipping by norm.

use super::memory::{Memory, apart, put};
use super::{Refusal, gradus_status, gradus_tensor, guard};
use crate::simd::Exec;
use crate::transform::{ClampParams, ClipNorm, ClipValue, Decay, ElasticNet, L1, L2, MaxNorm, ProxL1, Scale};

/// Transform: `g = scale * g`.
pub const GRADUS_SCALE: u32 = 1;
/// Transform: g within `[-clip_value, clip_value]`.
pub const GRADUS_CLIP_VALUE: u32 = 2;
/// Transform: `g = g + 2 * l2 * p`. PyTorch's weight_decay is twice this l2.
pub const GRADUS_L2: u32 = 4;
/// Transform: `g = g + l1 * sign(p)`.
pub const GRADUS_L1: u32 = 8;
/// Transform: `g = g + elastic_net * (2 * elastic_net_beta * p + sign(p))`.
pub const GRADUS_ELASTIC_NET: u32 = 16;
/// Transform: `p = rule(p) - lr * decay * p`: decoupled weight decay.
pub const GRADUS_DECAY: u32 = 32;
/// Transform: `p = sign(p) * max(|p| - lr * prox_l1, 0)`: exact zeros.
pub const GRADUS_PROX_L1: u32 = 64;
/// Transform: p within `[-clamp_params, clamp_params]`.
pub const GRADUS_CLAMP_PARAMS: u32 = 128;
/// Transform: `p = rule(p) - decay * p`, in place of GRADUS_DECAY: independent of the learning rate.
pub const GRADUS_INDEPENDENT_DECAY: u32 = 256;

/// What acts on gradients before a rule and on parameters after it: what `flags` names, and nothing else.
///
/// They act in the order of the fields, in registers: gradients are never written.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct gradus_transforms {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// Which of the fields act: GRADUS_SCALE | GRADUS_CLIP_VALUE | ..; 0 for none.
    pub flags: u32,
    /// Factor of the gradient: 1 / batch size for a mean, or what gradus_clip_norm() returns.
    pub scale: f32,
    /// Largest size of a gradient.
    pub clip_value: f32,
    /// Strength of the squared penalty.
    pub l2: f32,
    /// Strength of the absolute penalty.
    pub l1: f32,
    /// Strength of both penalties in one.
    pub elastic_net: f32,
    /// Weight of the squares in elastic_net.
    pub elastic_net_beta: f32,
    /// Share of a weight that decays per step and, with GRADUS_DECAY, unit of learning rate.
    pub decay: f32,
    /// Strength of the proximal step of the absolute penalty.
    pub prox_l1: f32,
    /// Largest size of a parameter.
    pub clamp_params: f32,
}

type Before = (Option<Scale>, Option<ClipValue>, Option<L2>, Option<L1>, Option<ElasticNet>);
type After = (Option<Decay>, Option<ProxL1>, Option<ClampParams>);

/// Those of the crate.
pub(crate) type Transforms = (Before, After);

impl gradus_transforms {
    /// Those of the crate, if every flag is one.
    #[inline(always)]
    pub(super) fn build(&self) -> Result<Transforms, Refusal> {
        let on = |flag| self.flags & flag != 0;
        let independent = on(GRADUS_INDEPENDENT_DECAY);
        if self.flags > 511 || (independent && on(GRADUS_DECAY)) {
            return Err(Refusal::GRADUS_ERROR_ENUM);
        }
        let before = (
            on(GRADUS_SCALE).then_some(Scale(self.scale)),
            on(GRADUS_CLIP_VALUE).then_some(ClipValue(self.clip_value)),
            on(GRADUS_L2).then_some(L2::new(self.l2)),
            on(GRADUS_L1).then_some(L1::new(self.l1)),
            on(GRADUS_ELASTIC_NET)
                .then_some(ElasticNet { lambda: self.elastic_net, beta: self.elastic_net_beta }),
        );
        let after = (
            (independent || on(GRADUS_DECAY)).then_some(if independent {
                Decay::independent(self.decay)
            } else {
                Decay::new(self.decay)
            }),
            on(GRADUS_PROX_L1).then_some(ProxL1::new(self.prox_l1)),
            on(GRADUS_CLAMP_PARAMS).then_some(ClampParams(self.clamp_params)),
        );
        Ok((before, after))
    }
}

/// Writes the L2 penalty of `n` weights, `lambda * sum w^2`, to `value`: for the loss.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_l2_value(
    lambda: f32,
    n: usize,
    weights: *const f32,
    value: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { penalty(n, weights, value, |weights| L2::new(lambda).value(Exec::new(), weights)) })
}

/// Writes the L1 penalty of `n` weights, `lambda * sum |w|`, to `value`: for the loss.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_l1_value(
    lambda: f32,
    n: usize,
    weights: *const f32,
    value: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { penalty(n, weights, value, |weights| L1::new(lambda).value(Exec::new(), weights)) })
}

/// Writes the elastic net of `n` weights, `lambda * sum (beta * w^2 + |w|)`, to `value`: for the loss.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_elastic_net_value(
    lambda: f32,
    beta: f32,
    n: usize,
    weights: *const f32,
    value: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe {
        penalty(n, weights, value, |weights| ElasticNet { lambda, beta }.value(Exec::new(), weights))
    })
}

/// Writes what `of` makes of the weights.
///
/// # Safety
/// The caller vouches for memory behind the pointers.
unsafe fn penalty(
    n: usize,
    weights: *const f32,
    value: *mut f32,
    of: impl FnOnce(&[f32]) -> f32,
) -> Result<(), Refusal> {
    let (weights, value) = (Memory::unchecked(weights, n), Memory::unchecked(value, 1));
    apart([weights.read(), value.written()])?;
    // SAFETY: checked, and apart; the caller vouches for the memory.
    unsafe { *value.one_mut() = of(weights.slice()) };
    Ok(())
}

/// Writes the factor that clips the gradients of all tensors together to a Euclidean norm.
///
/// ```text
/// scale = min(1, max_norm / (norm + 1e-6))        as PyTorch's clip_grad_norm_
/// ```
///
/// Put it into gradus_transforms.scale, with the flag GRADUS_SCALE: the scaling itself is part of the step. Of the
/// `count` tensors, `n` and `grads` are read alone.
///
/// Errors: GRADUS_ERROR_LIMIT if `max_norm` is not positive; GRADUS_ERROR_NON_FINITE if the norm is infinite or NaN:
/// skip the step; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
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
                apart([Memory::new(tensor.grads, tensor.n)?.read(), to])?;
            }
            let grads = tensors.iter().flat_map(|t| Memory::new(t.grads, t.n)).map(|grads| grads.slice());
            put(scale, ClipNorm { max_norm }.scale_each(Exec::new(), grads)?.0)
        }
    })
}

/// Scales each row of `row` floats whose Euclidean norm exceeds `limit` back to it.
///
/// `params` has `n` floats, whole rows one after the other.
///
/// Errors: GRADUS_ERROR_LIMIT, GRADUS_ERROR_EMPTY if `row` is 0, GRADUS_ERROR_SHAPE if `n` is not a whole number of
/// rows, GRADUS_ERROR_LENGTH, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
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
        Ok(MaxNorm { row, limit }.apply(Exec::new(), params)?)
    })
}

/// gradus_limit_row_norms() where the `row` weights that enter one unit are a column: `params` are `row` rows of one float
/// for each unit, as gradus_dense_forward() reads them behind its biases.
///
/// Errors: those of gradus_limit_row_norms().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_limit_column_norms(
    n: usize,
    params: *mut f32,
    row: usize,
    limit: f32,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the checked pointer.
        let params = unsafe { Memory::new(params, n)?.slice_mut() };
        Ok(MaxNorm { row, limit }.apply_columns(Exec::new(), params)?)
    })
}
