//! The scalars of the second-order methods.

use crate::simd::Element;

/// A number type that the second-order methods compute with: `f32` or `f64`.
pub trait Real: Element {
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// The largest finite number.
    const MAX: Self;
    /// The number nearest to `x`.
    fn of(x: f64) -> Self;
    /// Whether it is neither infinite nor NaN.
    #[inline]
    fn finite(self) -> bool {
        self.abs() < Self::INFINITY
    }
}

/// Values this close to `f` may differ from it by rounding alone.
#[inline]
pub(super) fn noise<T: Real>(f: T) -> T {
    T::of(10.0) * T::EPSILON * f.abs()
}

impl Real for f32 {
    const EPSILON: Self = f32::EPSILON;
    const MAX: Self = f32::MAX;
    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }
}

impl Real for f64 {
    const EPSILON: Self = f64::EPSILON;
    const MAX: Self = f64::MAX;
    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }
}
