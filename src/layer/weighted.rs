//! The backward passes that all layers with parameters share.

use super::backward_lengths;
use super::strips::{Gradients, Sink, Strip, walk};
use crate::error::{Argument, Error, same_length};
use crate::simd::product::{Inner, Product, Start};
use crate::simd::{Element, Exec};

/// A layer with parameters: as many biases as it has columns, then rows of weights.
pub(crate) trait Weighted: Copy + Sync {
    /// Checks that its sizes fit each other.
    fn check(&self) -> Result<(), Error>;
    /// Numbers of a sample that it reads, and that it writes, and of its parameters.
    fn lengths(&self) -> [usize; 3];
    /// Rows and columns of its weights.
    fn grid(&self) -> [usize; 2];
    /// Where it runs.
    fn exec(&self) -> Exec;
    /// The same on one thread.
    fn alone(self) -> Self;
    /// How many products the gradients of its weights take, given how many numbers `dy` has; 0 where one thread takes them.
    fn products(&self, dy: usize) -> usize;
    /// Writes the gradient of the inputs.
    fn input_gradient<T: Element>(&self, params: &[T], dy: &[T], dx: &mut [T]);
    /// The gradients of some weights, rows `stride` apart.
    fn sum_weights<T: Element>(
        &self,
        x: &[T],
        dy: &[T],
        start: Start<'_, T>,
        strip: Strip,
        stride: usize,
        grads: &mut [T],
    );

    /// Adds the gradients of the parameters to `grads`, and writes that of the inputs to `dx`.
    fn backward_adding<T: Element>(
        &self,
        params: &[T],
        grads: &mut [T],
        x: &[T],
        dy: &[T],
        dx: Option<&mut [T]>,
    ) -> Result<(), Error> {
        Weighted::check(self)?;
        backward_lengths(self.lengths(), params.len(), Some(x), dy, dx.as_deref())?;
        same_length(Argument::Grads, params.len(), grads.len())?;
        if let Some(dx) = dx {
            self.input_gradient(params, dy, dx);
        }
        let [rows, cols] = self.grid();
        let (biases, weights) = grads.split_at_mut_checked(cols).unwrap_or_default();
        sum_rows(self.exec(), Start::Add, cols, 0, dy, biases);
        self.sum_weights(x, dy, Start::Add, Strip { row: 0, rows, col: 0, cols }, cols, weights);
        Ok(())
    }

    /// Writes the gradient of the inputs, and hands those of the parameters to a sink, a strip at a time.
    fn backward_to(
        &self,
        sink: impl Sink,
        x: &[f32],
        dy: &[f32],
        dx: Option<&mut [f32]>,
    ) -> Result<(), Error> {
        Weighted::check(self)?;
        let [_, _, params] = self.lengths();
        sink.fits(params)?;
        backward_lengths(self.lengths(), sink.params().len(), Some(x), dy, dx.as_deref())?;
        if let Some(dx) = dx {
            self.input_gradient(sink.params(), dy, dx);
        }
        let (exec, parts) = (self.exec().alone(), self.exec().parts(self.products(dy.len()) / 4));
        walk(exec, sink, self.grid(), parts, &Backward { layer: self.alone(), x, dy });
        Ok(())
    }

    /// Writes the gradient of the inputs alone.
    fn backward_through<T: Element>(&self, params: &[T], dy: &[T], dx: &mut [T]) -> Result<(), Error> {
        Weighted::check(self)?;
        backward_lengths(self.lengths(), params.len(), None, dy, Some(dx))?;
        self.input_gradient(params, dy, dx);
        Ok(())
    }
}

/// What the gradients of the parameters are formed of.
struct Backward<'a, L> {
    layer: L,
    x: &'a [f32],
    dy: &'a [f32],
}

impl<L: Weighted> Gradients for Backward<'_, L> {
    fn weights(&self, start: Start<'_, f32>, strip: Strip, stride: usize, grads: &mut [f32]) {
        self.layer.sum_weights(self.x, self.dy, start, strip, stride, grads);
    }
    fn biases(&self, start: Start<'_, f32>, col: usize, grads: &mut [f32]) {
        let [_, cols] = self.layer.grid();
        sum_rows(self.layer.exec(), start, cols, col, self.dy, grads);
    }
}

/// `sums = start + ` rows of `width` numbers, from column `col` on: the gradients of biases.
pub(super) fn sum_rows<T: Element>(
    exec: Exec,
    start: Start<'_, T>,
    width: usize,
    col: usize,
    rows: &[T],
    sums: &mut [T],
) {
    let product = Product {
        rows: [1, 1, 1],
        terms: [1, 1, rows.len().checked_div(width).unwrap_or(0)],
        cols: sums.len(),
        a: &[T::ONE],
        a_rows: [0, 0, 0],
        a_terms: [0, 0, 0],
        b: rows.get(col..).unwrap_or_default(),
        b_terms: [0, 0, width],
        b_cols: 1,
        y: sums,
        y_rows: [0, 0, 0],
        start,
        inner: Inner::Rows,
    };
    product.run(exec);
}
