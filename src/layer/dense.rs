//! The dense layer.

use super::strips::Strip;
use super::weighted::Weighted;
use super::{HalfGrads, samples, size};
use crate::error::{Argument, Error, ensure, same_length};
use crate::optim::Update;
use crate::simd::product::{Inner, Product, Start};
use crate::simd::{Element, Exec, Rule, Stored};

/// A dense layer, called linear or fully connected too: every output sees every input.
///
/// ```text
/// y = x W + b          dx = dy W^T    dW = x^T dy    db = sum dy
/// ```
///
/// `x` holds a batch of samples of `inputs` numbers, `y` of `outputs` numbers. Parameters: the biases, then for each
/// input a row of `outputs` weights. (PyTorch's `Linear` has a row for each output: transpose its weight.)
///
/// ```
/// use gradus::layer::Dense;
/// const LAYER: Dense = Dense::new(2, 3);
/// let params = [0.5, 0.0, 0.0, /* input 0 */ 1.0, 2.0, 3.0, /* input 1 */ 10.0, 20.0, 30.0];
/// let mut y = [0.0; 2 * 3];
/// LAYER.forward(&params, &[1.0, 0.0, 1.0, 1.0], &mut y)?;
/// assert_eq!(y, [1.5, 2.0, 3.0, 11.5, 22.0, 33.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "linear layer")]
#[doc(alias = "fully connected")]
#[doc(alias = "affine layer")]
pub struct Dense {
    /// Numbers of a sample that it reads.
    pub inputs: usize,
    /// Numbers of a sample that it writes.
    pub outputs: usize,
    /// Where it runs.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exec: Exec,
}

impl Dense {
    /// A layer from `inputs` to `outputs` numbers.
    #[must_use]
    pub const fn new(inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, exec: Exec::new() }
    }

    /// The same on chosen threads or a chosen instruction set, with the same bits.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { exec: exec.into(), ..self }
    }

    /// Number of parameters: `(1 + inputs) * outputs`.
    #[must_use]
    pub const fn params(&self) -> usize {
        self.inputs.saturating_add(1).saturating_mul(self.outputs)
    }

    /// The weights among its parameters; the biases stand before them.
    ///
    /// # Errors
    /// [`Error::Length`] if these are not its parameters, but more or fewer.
    pub fn weights_mut<'a, T>(&self, params: &'a mut [T]) -> Result<&'a mut [T], Error> {
        same_length(Argument::Params, self.params(), params.len())?;
        Ok(params.get_mut(self.outputs..).unwrap_or_default())
    }

    /// Whether it has inputs and outputs, and its sizes are some.
    const fn check(&self) -> Result<(), Error> {
        ensure(size(self.inputs) && size(self.params()), Error::Shape)
    }

    /// `y = x W + b`.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others; nothing was changed. [`Error::Shape`] without inputs or
    /// outputs.
    pub fn forward<T: Element>(&self, params: &[T], x: &[T], y: &mut [T]) -> Result<(), Error> {
        self.check()?;
        let Self { inputs, outputs, exec } = *self;
        same_length(Argument::Params, self.params(), params.len())?;
        let rows = samples(Argument::Output, y.len(), outputs)?;
        same_length(Argument::Input, rows.saturating_mul(inputs), x.len())?;
        let (bias, weights) = params.split_at_checked(outputs).unwrap_or_default();
        let product = Product {
            rows: [1, 1, rows],
            terms: [1, 1, inputs],
            cols: outputs,
            a: x,
            a_rows: [0, 0, inputs],
            a_terms: [0, 0, 1],
            b: weights,
            b_terms: [0, 0, outputs],
            b_cols: 1,
            y,
            y_rows: [0, 0, outputs],
            start: Start::Row(bias),
            inner: Inner::Rows,
        };
        product.run(exec);
        Ok(())
    }

    /// Adds the gradients of the parameters to `grads`, and writes that of the inputs to `dx`, given the inputs `x` and
    /// the gradient `dy` of the outputs.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others; nothing was changed. [`Error::Shape`] without inputs or
    /// outputs.
    pub fn backward<T: Element>(
        &self,
        params: &[T],
        grads: &mut [T],
        x: &[T],
        dy: &[T],
        dx: Option<&mut [T]>,
    ) -> Result<(), Error> {
        self.backward_adding(params, grads, x, dy, dx)
    }

    /// Writes the gradient of the inputs to `dx`, computed with the parameters before the step, and takes an
    /// optimizer's step with the gradients of the parameters. These are never in memory all at once. The bits are those
    /// of [`backward`](Self::backward), from gradients of 0, and a step.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others; nothing was changed. [`Error::Shape`] without inputs or
    /// outputs.
    pub fn backward_step<R, B, M>(
        &self,
        update: Update<'_, R, B, M>,
        x: &[f32],
        dy: &[f32],
        dx: Option<&mut [f32]>,
    ) -> Result<(), Error>
    where
        R: Rule + Copy,
        B: Rule<Columns = R::Columns> + Copy,
        M: Stored,
    {
        self.backward_to(update, x, dy, dx)
    }

    /// Writes the gradient of the inputs alone: the way back through a layer that does not learn.
    /// The bits are those of [`backward`](Self::backward).
    ///
    /// # Errors
    /// [`Error::Length`] if a slice does not fit the others; nothing was changed. [`Error::Shape`] without inputs or
    /// outputs.
    pub fn backward_input<T: Element>(&self, params: &[T], dy: &[T], dx: &mut [T]) -> Result<(), Error> {
        self.backward_through(params, dy, dx)
    }

    /// Adds the gradients of the parameters to sums in half the memory, and writes that of the inputs to `dx`: see
    /// [`HalfGrads`]. The bits are those of [`backward`](Self::backward) with the sums as `f32`, which are then rounded.
    ///
    /// # Errors
    /// As [`backward`](Self::backward); nothing was changed.
    pub fn backward_half(
        &self,
        params: &[f32],
        grads: HalfGrads<'_>,
        x: &[f32],
        dy: &[f32],
        dx: Option<&mut [f32]>,
    ) -> Result<(), Error> {
        self.backward_to(grads.of(params), x, dy, dx)
    }
}

impl Weighted for Dense {
    fn check(&self) -> Result<(), Error> {
        self.check()
    }
    fn lengths(&self) -> [usize; 3] {
        [self.inputs, self.outputs, self.params()]
    }
    fn grid(&self) -> [usize; 2] {
        [self.inputs, self.outputs]
    }
    fn exec(&self) -> Exec {
        self.exec
    }
    fn alone(self) -> Self {
        self.on(self.exec.alone())
    }
    fn products(&self, dy: usize) -> usize {
        dy.saturating_mul(self.inputs.saturating_add(1))
    }

    /// `dx = dy W^T`.
    fn input_gradient<T: Element>(&self, params: &[T], dy: &[T], dx: &mut [T]) {
        let Self { inputs, outputs, exec } = *self;
        let weights = params.get(outputs..).unwrap_or_default();
        let product = Product {
            rows: [1, 1, dx.len().checked_div(inputs).unwrap_or(0)],
            terms: [1, 1, outputs],
            cols: inputs,
            a: dy,
            a_rows: [0, 0, outputs],
            a_terms: [0, 0, 1],
            b: weights,
            b_terms: [0, 0, 1],
            b_cols: outputs,
            y: dx,
            y_rows: [0, 0, inputs],
            start: Start::Zero,
            inner: Inner::Rows,
        };
        product.run(exec);
    }

    /// `dW = start + x^T dy` for some rows and columns.
    fn sum_weights<T: Element>(
        &self,
        x: &[T],
        dy: &[T],
        start: Start<'_, T>,
        strip: Strip,
        stride: usize,
        grads: &mut [T],
    ) {
        let Dense { inputs, outputs, exec } = *self;
        let product = Product {
            rows: [1, 1, strip.rows],
            terms: [1, 1, dy.len().checked_div(outputs).unwrap_or(0)],
            cols: strip.cols,
            a: x.get(strip.row..).unwrap_or_default(),
            a_rows: [0, 0, 1],
            a_terms: [0, 0, inputs],
            b: dy.get(strip.col..).unwrap_or_default(),
            b_terms: [0, 0, outputs],
            b_cols: 1,
            y: grads,
            y_rows: [0, 0, stride],
            start,
            inner: Inner::Columns,
        };
        product.run(exec);
    }
}
