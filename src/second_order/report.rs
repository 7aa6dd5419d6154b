//! What a minimiser tells its caller.

use super::fields::Choice;
#[cfg(feature = "serde")]
use super::real::Real;

/// Why a minimiser stopped. The numbers are stable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
#[non_exhaustive]
pub enum Stop {
    /// It has not.
    #[default]
    Running = 0,
    /// The gradient is as small as asked for.
    Gradient = 1,
    /// The value hardly decreased any more.
    Decrease = 2,
    /// The iterations are used up.
    Iterations = 3,
    /// The evaluations are used up.
    Evaluations = 4,
    /// The callback said so.
    Callback = 5,
    /// No step lowers the value: the gradient is wrong, or rounding hides any decrease.
    LineSearch = 6,
    /// The value, the gradient or the Hessian at the start is infinite or NaN.
    NonFinite = 7,
    /// The value still falls at the longest step: it has no minimum, or one that is too far away.
    Unbounded = 8,
}

impl Choice for Stop {
    const ALL: &[Self] = &[
        Self::Running,
        Self::Gradient,
        Self::Decrease,
        Self::Iterations,
        Self::Evaluations,
        Self::Callback,
        Self::LineSearch,
        Self::NonFinite,
        Self::Unbounded,
    ];
    fn word(self) -> u32 {
        self as u32
    }
}

/// What a minimiser has reached: always about its best point.
///
/// Best up to rounding: a step that changes the value by at most 10 `EPSILON` times its size, and so perhaps by
/// rounding alone, is taken where slope or gradient say so. Each such step may rise that much above the point before
/// it, and rises add up. L-BFGS never ends above the value at the start; in Newton's method the gradient falls with
/// each of them.
///
/// Value and gradient are infinite before the first evaluation. Infinity passes through JSON, which has no number for
/// it. NaN and minus infinity, which a start may have, come back from there as infinity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(bound(serialize = "T: Real + serde::Serialize")))]
#[cfg_attr(feature = "serde", serde(bound(deserialize = "T: Real + serde::Deserialize<'de>")))]
pub struct Report<T> {
    /// The objective, with the L1 penalty if there is one.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::serde_with::unbounded"))]
    pub value: T,
    /// `max |g_i|`, infinity if one is NaN; with an L1 penalty of the pseudo-gradient, between bounds of the projected
    /// gradient, which is as far as a parameter moves that goes down its gradient until its bound.
    #[cfg_attr(feature = "serde", serde(with = "crate::store::serde_with::unbounded"))]
    pub gradient: T,
    /// Iterations: accepted steps.
    pub iterations: u32,
    /// Evaluations of the objective.
    pub evaluations: u32,
    /// Why it stopped.
    pub stop: Stop,
}
