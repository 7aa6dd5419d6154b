//! Layers of small networks. A layer is only a shape: parameters, activations and gradients are the caller's slices.
//!
//! There is no graph and no heap. A forward pass is a list of calls, and a backward pass is the same list in reverse
//! order. All passes take a batch, sample after sample, whose size follows from the lengths of the slices.
//!
//! | layer | `y` | parameters |
//! |---|---|---|
//! | [`Dense`] | `x W + b` | `outputs` biases, a row of `outputs` weights for each input |
//! | [`Conv2d`] | sums over the places under a kernel and over all channels | biases, `kernel x kernel x inputs x outputs` |
//! | [`DepthwiseConv2d`] | the same sums for each channel by itself | biases, `kernel x kernel x channels` |
//! | [`MaxPool2d`], [`AveragePool2d`] | the largest number of a window, or its mean | none |
//! | [`residual_add`] | `y + x` | none |
//!
//! # Three backward passes
//!
//! - `backward` adds to an array of gradients, which has as many numbers as there are parameters. It is for an
//!   optimizer's `step`, for clips by the norm of all gradients, and for L-BFGS.
//! - `backward_step` needs no such array. It computes the gradients of a few weights at a time on the stack, and the
//!   optimizer, with all its transforms, acts on them at once. The bits are those of `backward` and `step`. It sees a
//!   whole batch at a time, whose activations need memory too.
//! - `backward_half` adds to [sums in half the memory](HalfGrads), for a batch that comes sample by sample.
//!
//! A layer that does not learn needs none of them, no state and no copy of its parameters in RAM: where only the last layers
//! learn, the way back ends at the first of these, with `None` for its `dx`. Through a layer that does not learn
//! `backward_input` leads on, and [`bias_step`] lets its biases learn.
//!
//! ```
//! use gradus::layer::Dense;
//! use gradus::{Adam, Exec, Optimizer, activation, init, loss};
//! use rand_core::SeedableRng;
//!
//! const L1: Dense = Dense::new(2, 8);
//! const L2: Dense = Dense::new(8, 2);
//! const N: usize = L1.params() + L2.params();
//!
//! // Exclusive or.
//! let (x, labels) = ([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [0_u8, 1, 1, 0]);
//! let mut params = [0.0; N];
//! let mut rng = rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(1);
//! init::he_uniform(&mut rng, 2, L1.weights_mut(&mut params[..L1.params()])?);
//! init::he_uniform(&mut rng, 8, L2.weights_mut(&mut params[L1.params()..])?);
//!
//! let (adam, exec) = (Adam::new(0.03), Exec::new());
//! let mut state = adam.state::<N>();
//! let mut last = 0.0;
//! for _ in 0..200 {
//!     let (mut h, mut z, mut dh) = ([0.0; 4 * 8], [0.0; 4 * 2], [0.0; 4 * 8]);
//!     let (p1, p2) = params.split_at(L1.params());
//!     L1.forward(p1, &x, &mut h)?;
//!     activation::relu(exec, &mut h);
//!     L2.forward(p2, &h, &mut z)?;
//!     last = loss::softmax_cross_entropy(exec, &mut z, &labels)?; // z is its gradient now
//!
//!     let [u1, u2] = adam.update(&mut params, &mut state).split([L1.params(), L2.params()])?;
//!     L2.backward_step(u2, &h, &z, Some(&mut dh))?;
//!     activation::relu_backward(exec, &mut dh, &h)?;
//!     L1.backward_step(u1, &x, &dh, None)?;
//! }
//! assert!(last < 0.1, "{last}");
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # The order of sums
//!
//! The order of each sum is defined, so that bits do not depend on the instruction set, on threads, or on the kind of
//! backward pass:
//!
//! - The forward pass begins with the bias and adds terms in the order of the weights: for a convolution by rows of the
//!   kernel, its columns, and channels.
//! - The gradient of a weight begins with what the array holds and adds sample by sample: for a convolution by rows of
//!   the image and its columns.
//! - The gradient of an input begins with 0 and adds terms in the order of the outputs: for a convolution by rows of
//!   the kernel, its columns, and outputs.
//!
//! A term is a product that is rounded before it is added. Terms that fall on padding are left out; they do not count
//! as `0 * w`.

mod biases;
mod conv2d;
mod dense;
mod depthwise;
mod fixed;
mod half;
mod pool2d;
mod strips;
mod weighted;

pub use biases::bias_step;
#[cfg(feature = "ffi")]
pub(crate) use biases::biases_to;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use depthwise::DepthwiseConv2d;
pub use fixed::Fixed;
pub use half::HalfGrads;
pub use pool2d::{AveragePool2d, MaxPool2d};
#[cfg(feature = "ffi")]
pub(crate) use strips::Sink;
#[cfg(feature = "ffi")]
pub(crate) use weighted::Weighted;

use crate::error::{Argument, Error, ensure, same_length};
use crate::simd::{Columns, Element, Exec, Rule, Vector, Width, run};

/// Adds a branch that went around some layers: `y += x`.
///
/// The gradient goes both ways: that of `y` is the one of both, so that the backward pass is `dx += dy`, by the same
/// call.
///
/// # Errors
/// [`Error::Length`] if the slices differ in length; nothing was changed.
///
/// ```
/// use gradus::{Exec, layer::residual_add};
/// let mut y = [1.0, 2.0];
/// residual_add(Exec::new(), &mut y, &[0.5, -2.0])?;
/// assert_eq!(y, [1.5, 0.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn residual_add<T: Element>(exec: impl Into<Exec>, y: &mut [T], x: &[T]) -> Result<(), Error> {
    same_length(Argument::Input, y.len(), x.len())?;
    run(exec, &Add, Columns::new(y, [x], [])?);
    Ok(())
}

/// `y + x`
struct Add;

impl<T: Element> Rule<1, T> for Add {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, _: V::Isa, y: V, [x]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (y + x, [])
    }
}

/// The product of some sizes; the largest number where it is beyond that.
const fn numbers<const K: usize>(sizes: [usize; K]) -> usize {
    let (mut product, mut k) = (1_usize, 0);
    while k < K {
        product = product.saturating_mul(sizes[k]);
        k += 1;
    }
    product
}

/// Whether each of some products is a size: not 0, and not beyond the largest number. Loops over pointers rely on it.
const fn sizes<const K: usize>(products: [usize; K]) -> bool {
    let (mut good, mut k) = (true, 0);
    while k < K {
        good = good && size(products[k]);
        k += 1;
    }
    good
}

/// Whether it is a size, as above.
const fn size(n: usize) -> bool {
    n.wrapping_sub(1) < usize::MAX - 1
}

/// The number of samples, given what lies between two of them and a slice of them.
fn samples(what: Argument, found: usize, each: usize) -> Result<usize, Error> {
    ensure(each > 0, Error::Shape)?;
    let samples = found.checked_div(each).unwrap_or(0);
    same_length(what, samples * each, found)?; // at most `found`
    Ok(samples)
}

/// Checks the slices of a backward pass, and returns the number of samples.
fn backward_lengths<T>(
    [inputs, outputs, params]: [usize; 3],
    params_len: usize,
    x: Option<&[T]>,
    dy: &[T],
    dx: Option<&[T]>,
) -> Result<usize, Error> {
    same_length(Argument::Params, params, params_len)?;
    let samples = samples(Argument::Grads, dy.len(), outputs)?;
    if let Some(x) = x {
        same_length(Argument::Input, samples.saturating_mul(inputs), x.len())?;
    }
    if let Some(dx) = dx {
        same_length(Argument::Output, samples.saturating_mul(inputs), dx.len())?;
    }
    Ok(samples)
}
