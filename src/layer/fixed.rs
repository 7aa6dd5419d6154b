//! Layers whose sizes the compiler has checked.

use super::{AveragePool2d, Conv2d, Dense, DepthwiseConv2d, HalfGrads, MaxPool2d};
use crate::error::Error;
use crate::optim::Update;
use crate::simd::{Element, Rule, Stored};

/// A layer `L` with `P` parameters from `X` to `Y` numbers: its calls take arrays.
///
/// The sizes are compared once, where the value is made, and calls on arrays alone cannot fail. An
/// [`Update`](crate::optim::Update) or [`HalfGrads`] says its length at run time, so that the calls that take one can. In a
/// constant the sizes are compared at compile time:
///
/// ```
/// use gradus::layer::{Dense, Fixed};
/// const LAYER: Fixed<Dense, 9, 2, 3> = Fixed::<Dense, 9, 2, 3>::new(Dense::new(2, 3)).unwrap();
/// let mut y = [[0.0; 3]; 2]; // a batch of two
/// LAYER.forward(&[0.5; 9], &[[1.0, 2.0], [0.0, 1.0]], &mut y);
/// assert_eq!(y, [[2.0; 3], [1.0; 3]]);
/// ```
///
/// ```compile_fail,E0080
/// # use gradus::layer::{Dense, Fixed};
/// const LAYER: Fixed<Dense, 8, 2, 3> = Fixed::<Dense, 8, 2, 3>::new(Dense::new(2, 3)).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed<L, const P: usize, const X: usize, const Y: usize> {
    layer: L,
}

impl<const P: usize, const X: usize, const Y: usize> Fixed<Dense, P, X, Y> {
    /// The layer, if it has these sizes.
    #[must_use]
    pub const fn new(layer: Dense) -> Option<Self> {
        let fits = layer.params() == P && layer.inputs == X && layer.outputs == Y && X > 0 && Y > 0;
        if fits { Some(Self { layer }) } else { None }
    }
}

/// The same for a layer whose sizes are those of images.
macro_rules! images {
    ($layer:ident, |$l:ident| $params:expr) => {
        impl<const P: usize, const X: usize, const Y: usize> Fixed<$layer, P, X, Y> {
            /// The layer, if its sizes fit each other and these.
            #[must_use]
            pub const fn new($l: $layer) -> Option<Self> {
                let fits = $l.check().is_ok() && $params == P && $l.inputs() == X && $l.outputs() == Y;
                if fits { Some(Self { layer: $l }) } else { None }
            }
        }
    };
}

images!(Conv2d, |layer| layer.params());
images!(DepthwiseConv2d, |layer| layer.params());
images!(MaxPool2d, |layer| 0);
images!(AveragePool2d, |layer| 0);

/// The passes of a layer with parameters.
macro_rules! passes {
    ($layer:ident) => {
        impl<const P: usize, const X: usize, const Y: usize> Fixed<$layer, P, X, Y> {
            /// The layer that it is.
            #[must_use]
            pub const fn layer(&self) -> &$layer {
                &self.layer
            }

            /// The forward pass of a batch.
            pub fn forward<T: Element, const B: usize>(
                &self,
                params: &[T; P],
                x: &[[T; X]; B],
                y: &mut [[T; Y]; B],
            ) {
                let done = self.layer.forward(params, x.as_flattened(), y.as_flattened_mut());
                debug_assert!(done.is_ok(), "all sizes were compared");
            }

            /// Adds the gradients of the parameters to `grads`, and writes that of the inputs to `dx`.
            pub fn backward<T: Element, const B: usize>(
                &self,
                params: &[T; P],
                grads: &mut [T; P],
                x: &[[T; X]; B],
                dy: &[[T; Y]; B],
                dx: Option<&mut [[T; X]; B]>,
            ) {
                let dx = dx.map(|dx| dx.as_flattened_mut());
                let done = self.layer.backward(params, grads, x.as_flattened(), dy.as_flattened(), dx);
                debug_assert!(done.is_ok(), "all sizes were compared");
            }

            /// Writes the gradient of the inputs to `dx` and takes a step.
            ///
            /// # Errors
            /// [`Error::Length`] if the step is not of `P` parameters; nothing was changed. The clock went on before, where
            /// the step began.
            pub fn backward_step<R, B, M, const N: usize>(
                &self,
                update: Update<'_, R, B, M>,
                x: &[[f32; X]; N],
                dy: &[[f32; Y]; N],
                dx: Option<&mut [[f32; X]; N]>,
            ) -> Result<(), Error>
            where
                R: Rule + Copy,
                B: Rule<Columns = R::Columns> + Copy,
                M: Stored,
            {
                let dx = dx.map(|dx| dx.as_flattened_mut());
                self.layer.backward_step(update, x.as_flattened(), dy.as_flattened(), dx)
            }

            /// Writes the gradient of the inputs alone: the way back through a layer that does not learn.
            pub fn backward_input<T: Element, const B: usize>(
                &self,
                params: &[T; P],
                dy: &[[T; Y]; B],
                dx: &mut [[T; X]; B],
            ) {
                let done = self.layer.backward_input(params, dy.as_flattened(), dx.as_flattened_mut());
                debug_assert!(done.is_ok(), "all sizes were compared");
            }

            /// Adds the gradients of the parameters to sums in half the memory, and writes that of the inputs to `dx`.
            ///
            /// # Errors
            /// [`Error::Length`] if there are not `P` sums; nothing was changed. The number of passes went on before, where
            /// they were handed out.
            pub fn backward_half<const N: usize>(
                &self,
                params: &[f32; P],
                grads: HalfGrads<'_>,
                x: &[[f32; X]; N],
                dy: &[[f32; Y]; N],
                dx: Option<&mut [[f32; X]; N]>,
            ) -> Result<(), Error> {
                let dx = dx.map(|dx| dx.as_flattened_mut());
                self.layer.backward_half(params, grads, x.as_flattened(), dy.as_flattened(), dx)
            }
        }
    };
}

passes!(Dense);
passes!(Conv2d);
passes!(DepthwiseConv2d);

impl<const X: usize, const Y: usize> Fixed<MaxPool2d, 0, X, Y> {
    /// The largest number of each window.
    pub fn forward<T: Element, const B: usize>(&self, x: &[[T; X]; B], y: &mut [[T; Y]; B]) {
        let done = self.layer.forward(x.as_flattened(), y.as_flattened_mut());
        debug_assert!(done.is_ok(), "all sizes were compared");
    }

    /// Writes the gradient of the images to `dx`.
    pub fn backward<T: Element, const B: usize>(
        &self,
        x: &[[T; X]; B],
        y: &[[T; Y]; B],
        dy: &[[T; Y]; B],
        dx: &mut [[T; X]; B],
    ) {
        let (y, dy) = (y.as_flattened(), dy.as_flattened());
        let done = self.layer.backward(x.as_flattened(), y, dy, dx.as_flattened_mut());
        debug_assert!(done.is_ok(), "all sizes were compared");
    }
}

impl<const X: usize, const Y: usize> Fixed<AveragePool2d, 0, X, Y> {
    /// The mean of each window.
    pub fn forward<T: Element, const B: usize>(&self, x: &[[T; X]; B], y: &mut [[T; Y]; B]) {
        let done = self.layer.forward(x.as_flattened(), y.as_flattened_mut());
        debug_assert!(done.is_ok(), "all sizes were compared");
    }

    /// Writes the gradient of the images to `dx`.
    pub fn backward<T: Element, const B: usize>(&self, dy: &[[T; Y]; B], dx: &mut [[T; X]; B]) {
        let done = self.layer.backward(dy.as_flattened(), dx.as_flattened_mut());
        debug_assert!(done.is_ok(), "all sizes were compared");
    }
}
