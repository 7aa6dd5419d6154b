//! Gradients on the stack, a strip at a time, and the step that is taken with them.

use crate::optim::Update;
#[cfg(feature = "rayon")]
use crate::simd::join;
use crate::simd::{Exec, Rule, Stored, WIDE};

/// Numbers of a strip: four rows of 64 weights on a microcontroller, where that is 1 KB of stack; of 256 elsewhere.
const STRIP: usize = if WIDE { 1024 } else { 256 };

/// Rows of a strip where a layer is wide: as many as the highest tile of the product has.
const ROWS: usize = if WIDE { 8 } else { 4 };

/// Some rows and columns of a layer's weights.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub row: usize,
    pub rows: usize,
    pub col: usize,
    pub cols: usize,
}

/// What writes the gradients of a strip to memory, rows `stride` apart.
pub(super) trait Gradients: Sync {
    /// Of weights.
    fn weights(&self, strip: Strip, stride: usize, grads: &mut [f32]);
    /// Of biases from `col` on.
    fn biases(&self, col: usize, grads: &mut [f32]);
}

/// Takes the step of a layer: `cols` biases, and then `rows` times as many weights.
///
/// Each part of weights that begins at a row of its own is one of `parts` threads.
pub(super) fn step<R, B, M>(
    exec: Exec,
    mut update: Update<'_, R, B, M>,
    [rows, cols]: [usize; 2],
    parts: usize,
    gradients: &impl Gradients,
) where
    R: Rule + Copy,
    B: Rule<Columns = R::Columns> + Copy,
    M: Stored,
{
    let mut strip = [0.0; STRIP];
    let mut col = 0;
    while col < cols {
        let n = if cols - col < STRIP { cols - col } else { STRIP };
        if let Some(grads) = strip.get_mut(..n) {
            gradients.biases(col, grads);
            update.biases(exec, col..col + n, grads);
        }
        col += n;
    }
    #[cfg(feature = "rayon")]
    if parts > 1 {
        if let Some((_, weights)) = update.split_at(cols) {
            threads(exec, weights, [0, rows, cols], parts, gradients);
        }
        return;
    }
    let _ = parts;
    weights(exec, update.reborrow(), cols, [0, rows, cols], &mut strip, gradients);
}

/// The weights of some rows on as many threads.
#[cfg(feature = "rayon")]
fn threads<R, B, M>(
    exec: Exec,
    update: Update<'_, R, B, M>,
    [row, rows, cols]: [usize; 3],
    parts: usize,
    gradients: &impl Gradients,
) where
    R: Rule + Copy,
    B: Rule<Columns = R::Columns> + Copy,
    M: Stored,
{
    let half = parts / 2;
    let middle = rows / ROWS * half / parts.max(1) * ROWS;
    if parts > 1 && middle > 0 {
        if let Some((left, right)) = update.split_at(middle * cols) {
            join(
                || threads(exec, left, [row, middle, cols], half, gradients),
                || threads(exec, right, [row + middle, rows - middle, cols], parts - half, gradients),
            );
        }
        return;
    }
    weights(exec, update, 0, [row, rows, cols], &mut [0.0; STRIP], gradients);
}

/// The step of `rows` rows of weights, which begin at `at` among the parameters.
fn weights<R, B, M>(
    exec: Exec,
    mut update: Update<'_, R, B, M>,
    at: usize,
    [first, rows, cols]: [usize; 3],
    memory: &mut [f32; STRIP],
    gradients: &impl Gradients,
) where
    R: Rule + Copy,
    B: Rule<Columns = R::Columns> + Copy,
    M: Stored,
{
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
            gradients.weights(Strip { row: first + row, rows: n, col, cols: width }, width, grads);
            let start = at + row * cols + col;
            if width == cols {
                update.weights(exec, start..start + n * cols, grads);
            } else {
                let (mut start, mut rest) = (start, &*grads);
                while !rest.is_empty() {
                    let line = crate::cut::cut(&mut rest, width);
                    update.weights(exec, start..start + width, line);
                    start += cols;
                }
            }
            col += width;
        }
        row += n;
    }
}
