//! Gradients on the stack, a strip at a time, and what is done with them: a step, or a sum in half the memory.

use crate::error::Error;
use crate::optim::{STRIP, Update};
#[cfg(feature = "rayon")]
use crate::simd::join;
use crate::simd::product::Start;
use crate::simd::{Exec, Rule, Stored, WIDE};
use core::ops::Range;

/// Rows of a strip where a layer is wide: as many as the highest tile of the product has.
const ROWS: usize = if WIDE { 8 } else { 4 };

/// Some rows and columns of a layer's weights.
#[derive(Clone, Copy)]
pub(crate) struct Strip {
    pub row: usize,
    pub rows: usize,
    pub col: usize,
    pub cols: usize,
}

/// What writes the gradients of a strip to memory, rows `stride` apart, or adds them.
pub(super) trait Gradients: Sync {
    /// Of weights.
    fn weights(&self, start: Start<'_, f32>, strip: Strip, stride: usize, grads: &mut [f32]);
    /// Of biases from `col` on.
    fn biases(&self, start: Start<'_, f32>, col: usize, grads: &mut [f32]);
}

/// Where the gradients of a layer go: ranges of its parameters, each of them once.
pub(crate) trait Sink: Sized + Send {
    /// The layer's parameters, as they are.
    fn params(&self) -> &[f32];
    /// Checks that it takes as many gradients as the layer has parameters, where these are not its own.
    fn fits(&self, _params: usize) -> Result<(), Error> {
        Ok(())
    }
    /// What the sums begin with, of lines of `length` parameters, `stride` apart, from `at` on.
    fn begin(&self, exec: Exec, at: usize, lines: [usize; 2], grads: &mut [f32]) -> Start<'static, f32>;
    /// Takes those of weights.
    fn weights(&mut self, exec: Exec, range: Range<usize>, grads: &[f32]);
    /// Takes those of biases.
    fn biases(&mut self, exec: Exec, range: Range<usize>, grads: &[f32]);
    /// The first `n` parameters and the others.
    #[cfg(feature = "rayon")]
    fn split_at(self, n: usize) -> Option<(Self, Self)>;
}

/// An optimizer's step.
impl<R, B, M> Sink for Update<'_, R, B, M>
where
    R: Rule + Copy,
    B: Rule<Columns = R::Columns> + Copy,
    M: Stored,
{
    fn params(&self) -> &[f32] {
        self.params()
    }
    fn begin(&self, _: Exec, _: usize, _: [usize; 2], _: &mut [f32]) -> Start<'static, f32> {
        Start::Zero
    }
    fn weights(&mut self, exec: Exec, range: Range<usize>, grads: &[f32]) {
        self.step_weights(exec, range, grads);
    }
    fn biases(&mut self, exec: Exec, range: Range<usize>, grads: &[f32]) {
        self.step_biases(exec, range, grads);
    }
    #[cfg(feature = "rayon")]
    fn split_at(self, n: usize) -> Option<(Self, Self)> {
        self.split_at(n)
    }
}

/// All gradients of a layer: of `cols` biases, and then of `rows` times as many weights.
///
/// Each part of weights that begins at a row of its own is one of `parts` threads.
pub(super) fn walk<S: Sink>(
    exec: Exec,
    mut sink: S,
    [rows, cols]: [usize; 2],
    parts: usize,
    gradients: &impl Gradients,
) {
    let mut strip = [0.0; STRIP];
    let mut col = 0;
    while col < cols {
        let n = if cols - col < STRIP { cols - col } else { STRIP };
        if let Some(grads) = strip.get_mut(..n) {
            let start = sink.begin(exec, col, [n, n], grads);
            gradients.biases(start, col, grads);
            sink.biases(exec, col..col + n, grads);
        }
        col += n;
    }
    #[cfg(feature = "rayon")]
    if parts > 1 {
        if let Some((_, weights)) = sink.split_at(cols) {
            threads(exec, weights, [0, rows, cols], parts, gradients);
        }
        return;
    }
    let _ = parts;
    weights(exec, sink, cols, [0, rows, cols], &mut strip, gradients);
}

/// The weights of some rows on as many threads.
#[cfg(feature = "rayon")]
fn threads<S: Sink>(
    exec: Exec,
    sink: S,
    [row, rows, cols]: [usize; 3],
    parts: usize,
    gradients: &impl Gradients,
) {
    let half = parts / 2;
    let middle = rows / ROWS * half / parts.max(1) * ROWS;
    if parts > 1 && middle > 0 {
        if let Some((left, right)) = sink.split_at(middle * cols) {
            join(
                || threads(exec, left, [row, middle, cols], half, gradients),
                || threads(exec, right, [row + middle, rows - middle, cols], parts - half, gradients),
            );
        }
        return;
    }
    weights(exec, sink, 0, [row, rows, cols], &mut [0.0; STRIP], gradients);
}

/// Those of `rows` rows of weights, which begin at `at` among the parameters.
fn weights<S: Sink>(
    exec: Exec,
    mut sink: S,
    at: usize,
    [first, rows, cols]: [usize; 3],
    memory: &mut [f32; STRIP],
    gradients: &impl Gradients,
) {
    // Whole rows, a multiple of ROWS, where so many fit; else ROWS of them, of a part of the columns.
    let fitting = STRIP.checked_div(cols).unwrap_or(0) / ROWS * ROWS;
    let [high, wide] = if fitting > 0 { [fitting, cols] } else { [ROWS, STRIP / ROWS] };
    let mut row = 0;
    while row < rows {
        let n = if rows - row < high { rows - row } else { high };
        let mut col = 0;
        while col < cols {
            let width = if cols - col < wide { cols - col } else { wide };
            let Some(grads) = memory.get_mut(..n * width) else { return };
            // Whole rows lie side by side; of others each is a range of its own.
            let [length, stride] = if width == cols { [n * cols, n * cols] } else { [width, cols] };
            let mut place = at + row * cols + col;
            let start = sink.begin(exec, place, [length, stride], grads);
            gradients.weights(start, Strip { row: first + row, rows: n, col, cols: width }, width, grads);
            let mut rest = &*grads;
            while !rest.is_empty() {
                sink.weights(exec, place..place + length, crate::cut::cut(&mut rest, length));
                place += stride;
            }
            col += width;
        }
        row += n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the number of its parameter in place of each gradient; biases come first.
    struct Numbers {
        cols: usize,
    }

    impl Gradients for Numbers {
        fn weights(&self, _: Start<'_, f32>, strip: Strip, stride: usize, grads: &mut [f32]) {
            let place = |row: usize, col: usize| (1 + strip.row + row) * self.cols + strip.col + col;
            for (row, grads) in grads.chunks_mut(stride).enumerate().take(strip.rows) {
                grads
                    .iter_mut()
                    .take(strip.cols)
                    .enumerate()
                    .for_each(|(i, grad)| *grad = place(row, i) as f32);
            }
        }
        fn biases(&self, _: Start<'_, f32>, col: usize, grads: &mut [f32]) {
            grads.iter_mut().enumerate().for_each(|(i, grad)| *grad = (col + i) as f32);
        }
    }

    /// Adds gradients to what lies at their places.
    struct Sums<'a>(&'a mut [f32]);

    impl Sink for Sums<'_> {
        fn params(&self) -> &[f32] {
            self.0
        }
        fn begin(&self, _: Exec, _: usize, _: [usize; 2], _: &mut [f32]) -> Start<'static, f32> {
            Start::Zero
        }
        fn weights(&mut self, _: Exec, range: Range<usize>, grads: &[f32]) {
            assert_eq!(range.len(), grads.len());
            self.0[range].iter_mut().zip(grads).for_each(|(sum, grad)| *sum += grad);
        }
        fn biases(&mut self, exec: Exec, range: Range<usize>, grads: &[f32]) {
            self.weights(exec, range, grads);
        }
        #[cfg(feature = "rayon")]
        fn split_at(self, n: usize) -> Option<(Self, Self)> {
            let (left, right) = self.0.split_at_mut_checked(n)?;
            Some((Self(left), Self(right)))
        }
    }

    /// On any number of threads each gradient comes to its parameter, once.
    #[test]
    fn each_parameter_gets_its_gradient_once() {
        for cols in [1, 2, 10, STRIP / ROWS - 1, STRIP / ROWS, STRIP / ROWS + 1, 3 * STRIP / 2] {
            for rows in [0, 1, 3, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS, 3 * ROWS + 1, 9 * ROWS - 1] {
                for parts in 1..9 {
                    let mut sums: std::vec::Vec<f32> =
                        (0..(1 + rows) * cols).map(|i| 1.0 - i as f32).collect();
                    walk(Exec::new(), Sums(&mut sums), [rows, cols], parts, &Numbers { cols });
                    assert!(sums.iter().all(|sum| *sum == 1.0), "{rows} rows, {cols} columns, {parts} parts");
                }
            }
        }
    }
}
