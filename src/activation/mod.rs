//! Activation functions and their gradients, in place. The gradient is computed from the output `y`, so that the input
//! need not be kept.
//!
//! ```
//! use gradus::{Exec, activation};
//! let (mut h, mut grads) = ([-1.0, 2.0], [0.5, 0.5]);
//! activation::relu(Exec::new(), &mut h);
//! activation::relu_backward(Exec::new(), &mut grads, &h)?;
//! assert_eq!((h, grads), ([0.0, 2.0], [0.0, 0.5]));
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! | function | `y` | gradient of `x` |
//! |---|---|---|
//! | [`relu`] | `max(0, x)` | `dy` where `y > 0`, else 0 |
//! | [`leaky_relu`] | `x` where `x > 0`, else `slope * x` | `dy` where `y > 0`, else `slope * dy` |
//! | [`tanh`] | `(e^x - e^-x) / (e^x + e^-x)` | `dy * (1 - y * y)` |
//! | [`sigmoid`] | `1 / (1 + e^-x)` | `dy * (y * (1 - y))` |
//!
//! NaN stays NaN. [`Dropout`](crate::noise::Dropout) can apply the rectifier and its mask in one pass.

use crate::error::{Argument, Error, same_length};
use crate::simd::elementary;
use crate::simd::{Columns, Element, Exec, Rule, Vector, Width, run};

/// A pass over one slice: lengths cannot differ.
fn map<T: Element>(exec: Exec, rule: &impl Rule<0, T, Columns = Width<0>>, x: &mut [T]) {
    if let Ok(columns) = Columns::new(x, [], []) {
        run(exec, rule, columns);
    }
}

/// A pass over a gradient beside the result that it is of.
fn map_beside<T: Element>(
    exec: Exec,
    rule: &impl Rule<1, T, Columns = Width<0>>,
    dy: &mut [T],
    y: &[T],
) -> Result<(), Error> {
    same_length(Argument::Output, dy.len(), y.len())?;
    run(exec, rule, Columns::new(dy, [y], [])?);
    Ok(())
}

/// The rectifier `max(0, x)`; -0 stays what it is.
///
/// ```
/// use gradus::{Exec, activation::{relu, relu_backward}};
/// let (mut y, mut grads) = ([-1.0, 2.0], [5.0, 7.0]);
/// relu(Exec::new(), &mut y);
/// relu_backward(Exec::new(), &mut grads, &y)?;
/// assert_eq!((y, grads), ([0.0, 2.0], [0.0, 7.0]));
/// # Ok::<(), gradus::Error>(())
/// ```
#[doc(alias = "rectifier")]
pub fn relu<T: Element>(exec: impl Into<Exec>, x: &mut [T]) {
    map(exec.into(), &Relu, x);
}

/// Turns the gradient of [`relu`]'s result `y` into that of `x`; NaN where `y` is NaN.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length; nothing was changed.
pub fn relu_backward<T: Element>(exec: impl Into<Exec>, dy: &mut [T], y: &[T]) -> Result<(), Error> {
    map_beside(exec.into(), &ReluGradient, dy, y)
}

struct Relu;
impl<T: Element> Rule<0, T> for Relu {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, _: [V; 0], _: [V; 0]) -> (V, [V; 0]) {
        (V::splat(isa, T::ZERO).max(x), [])
    }
}

struct ReluGradient;
impl<T: Element> Rule<1, T> for ReluGradient {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, dy: V, [y]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        let zero = V::splat(isa, T::ZERO);
        // What is not positive becomes +0, and a NaN, which the rectifier lets pass, stays.
        (y.select_gt(zero, dy, zero.max(y) + zero), [])
    }
}

/// The leaky rectifier: `x` where it is positive, else `slope * x`, for a finite slope of 0 or more.
///
/// Of a negative slope [`leaky_relu_backward`] would be wrong. Of a slope of 0, `0 * x` is NaN where `x` is negative
/// infinity: [`relu`] is 0 there.
///
/// ```
/// use gradus::{Exec, activation::{leaky_relu, leaky_relu_backward}};
/// let (mut y, mut grads) = ([-4.0, 2.0], [1.0, 1.0]);
/// leaky_relu(Exec::new(), 0.25, &mut y);
/// leaky_relu_backward(Exec::new(), 0.25, &mut grads, &y)?;
/// assert_eq!((y, grads), ([-1.0, 2.0], [0.25, 1.0]));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn leaky_relu<T: Element>(exec: impl Into<Exec>, slope: T, x: &mut [T]) {
    map(exec.into(), &Leaky { slope }, x);
}

/// Turns the gradient of [`leaky_relu`]'s result `y` into that of `x`, for a slope of 0 or more.
///
/// It tells from the sign of `y` where `x` was positive. A negative slope turns that sign: the gradient is `dy` where
/// `slope * dy` would be right.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length; nothing was changed.
pub fn leaky_relu_backward<T: Element>(
    exec: impl Into<Exec>,
    slope: T,
    dy: &mut [T],
    y: &[T],
) -> Result<(), Error> {
    map_beside(exec.into(), &LeakyGradient { slope }, dy, y)
}

struct Leaky<T> {
    slope: T,
}
impl<T: Element> Rule<0, T> for Leaky<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, _: [V; 0], _: [V; 0]) -> (V, [V; 0]) {
        (x.select_gt(V::splat(isa, T::ZERO), x, V::splat(isa, self.slope) * x), [])
    }
}

struct LeakyGradient<T> {
    slope: T,
}
impl<T: Element> Rule<1, T> for LeakyGradient<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, dy: V, [y]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (y.select_gt(V::splat(isa, T::ZERO), dy, V::splat(isa, self.slope) * dy), [])
    }
}

/// The hyperbolic tangent, by [`elementary::tanh`].
///
/// ```
/// use gradus::{Exec, activation::{tanh, tanh_backward}};
/// let (mut y, mut grads) = ([0.0, 20.0], [3.0, 3.0]);
/// tanh(Exec::new(), &mut y);
/// tanh_backward(Exec::new(), &mut grads, &y)?;
/// assert_eq!((y, grads), ([0.0, 1.0], [3.0, 0.0])); // no slope is left at the end
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn tanh(exec: impl Into<Exec>, x: &mut [f32]) {
    map(exec.into(), &Tanh, x);
}

/// Turns the gradient of [`tanh`]'s result `y` into that of `x`.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length; nothing was changed.
pub fn tanh_backward<T: Element>(exec: impl Into<Exec>, dy: &mut [T], y: &[T]) -> Result<(), Error> {
    map_beside(exec.into(), &TanhGradient, dy, y)
}

struct Tanh;
impl Rule<0> for Tanh {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, x: V, _: [V; 0], _: [V; 0]) -> (V, [V; 0]) {
        (elementary::tanh(isa, x), [])
    }
}

struct TanhGradient;
impl<T: Element> Rule<1, T> for TanhGradient {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, dy: V, [y]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (dy * (V::splat(isa, T::ONE) - y * y), [])
    }
}

/// The logistic function, by [`elementary::sigmoid`].
///
/// ```
/// use gradus::{Exec, activation::{sigmoid, sigmoid_backward}};
/// let (mut y, mut grads) = ([0.0, 30.0], [4.0, 4.0]);
/// sigmoid(Exec::new(), &mut y);
/// sigmoid_backward(Exec::new(), &mut grads, &y)?;
/// assert_eq!((y, grads), ([0.5, 1.0], [1.0, 0.0]));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn sigmoid(exec: impl Into<Exec>, x: &mut [f32]) {
    map(exec.into(), &Sigmoid, x);
}

/// Turns the gradient of [`sigmoid`]'s result `y` into that of `x`.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length; nothing was changed.
pub fn sigmoid_backward<T: Element>(exec: impl Into<Exec>, dy: &mut [T], y: &[T]) -> Result<(), Error> {
    map_beside(exec.into(), &SigmoidGradient, dy, y)
}

struct Sigmoid;
impl Rule<0> for Sigmoid {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, x: V, _: [V; 0], _: [V; 0]) -> (V, [V; 0]) {
        (elementary::sigmoid(isa, x), [])
    }
}

struct SigmoidGradient;
impl<T: Element> Rule<1, T> for SigmoidGradient {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, dy: V, [y]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (dy * (y * (V::splat(isa, T::ONE) - y)), [])
    }
}
