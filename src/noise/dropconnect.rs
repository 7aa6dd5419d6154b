//! DropConnect.

use super::dropout::Dropout;
use crate::cut::cut_mut;
use crate::error::{Argument, Error, same_length};
use crate::simd::mask::{Gate, Gated, InOut, mask_words, masked_dot, run_masked};
use crate::simd::{Element, Exec, Vector, dot};

/// DropConnect (Wan et al., 2013): a dense product in which weights are dropped, not inputs.
///
/// ```text
/// training    y[i] = scale * sum_j keep[i][j] * w[i][j] * x[j]
/// inference   y[i] = scale * sum_j w[i][j] * x[j]
/// scale       training: 1 / keep_prob if inverted, else 1;  inference: 1 if inverted, else keep_prob
/// ```
///
/// Weights are row-major, one row of `x.len()` for each element of `y`; nothing is copied. A row of the
/// mask begins with a word of its own, so that `y.len() * mask_words(x.len())` words belong to one
/// product. The paper draws a mask for every sample; its inference is a normal approximation, this is
/// the mean, which is the same for the output of a linear layer. Dropped weights count as 0 whatever
/// they meet, also infinity and NaN.
///
/// ```
/// use gradus::noise::{DropConnect, Dropout, Masks};
/// let layer = DropConnect(Dropout::drop_prob(0.5));
/// let (w, x, mut y) = ([1.0_f32, 2.0, 3.0, 4.0], [1.0, 1.0], [0.0; 2]);
/// let mut mask = [0; 2]; // two rows of at most 32 weights
/// layer.0.draw(&mut Masks::new(3), &mut mask);
/// layer.forward(&w, &x, &mut y, &mask)?;
///
/// let (mut grad_w, mut grad_x) = ([0.0; 4], [0.0; 2]);
/// layer.backward_weights(&[1.0, 1.0], &x, &mut grad_w, &mask)?; // adds to grad_w
/// layer.backward_input(&w, &[1.0, 1.0], &mut grad_x, &mask)?;
/// assert_eq!(y[0] + y[1], grad_x[0] + grad_x[1]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "drop connect")]
pub struct DropConnect(
    /// The probability, when to scale, and where to run.
    pub Dropout,
);

impl DropConnect {
    /// Checks that it is a probability. The passes do not check it.
    ///
    /// # Errors
    /// [`Error::Range`] if it is not.
    pub const fn check(&self) -> Result<(), Error> {
        self.0.check()
    }

    /// The same with a chosen instruction set, or on threads.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self(self.0.on(exec))
    }

    /// The training product of one sample.
    ///
    /// # Errors
    /// [`Error::Length`] if weights or mask do not fit `x` and `y`; nothing was changed.
    pub fn forward<T: Element>(&self, w: &[T], x: &[T], y: &mut [T], mask: &[u32]) -> Result<(), Error> {
        let words = fits(w.len(), x.len(), y.len(), mask)?;
        let scale: T = self.0.scale();
        for (i, y) in y.iter_mut().enumerate() {
            *y = masked_dot(self.0.exec, row(mask, i, words), row(w, i, x.len()), x)? * scale;
        }
        Ok(())
    }

    /// Adds the gradient with respect to the weights: `grad_w[i][j] += scale * keep[i][j] * grad_y[i] * x[j]`.
    ///
    /// # Errors
    /// [`Error::Length`] if weights or mask do not fit `x` and `grad_y`; nothing was changed.
    pub fn backward_weights<T: Element>(
        &self,
        grad_y: &[T],
        x: &[T],
        grad_w: &mut [T],
        mask: &[u32],
    ) -> Result<(), Error> {
        let words = fits(grad_w.len(), x.len(), grad_y.len(), mask)?;
        let scale: T = self.0.scale();
        let mut rest = grad_w;
        for (i, g) in grad_y.iter().enumerate() {
            let columns = Gated::new(InOut::from(cut_mut(&mut rest, x.len())), [x])?;
            run_masked(self.0.exec, &AddKept { factor: *g * scale }, row(mask, i, words), columns)?;
        }
        Ok(())
    }

    /// The gradient with respect to the input: `grad_x[j] = sum_i scale * keep[i][j] * grad_y[i] * w[i][j]`.
    ///
    /// # Errors
    /// [`Error::Length`] if weights or mask do not fit `grad_x` and `grad_y`; nothing was changed.
    pub fn backward_input<T: Element>(
        &self,
        w: &[T],
        grad_y: &[T],
        grad_x: &mut [T],
        mask: &[u32],
    ) -> Result<(), Error> {
        let inputs = grad_x.len();
        let words = fits(w.len(), inputs, grad_y.len(), mask)?;
        let scale: T = self.0.scale();
        grad_x.fill(T::ZERO);
        for (i, g) in grad_y.iter().enumerate() {
            let columns = Gated::new(InOut::from(&mut *grad_x), [row(w, i, inputs)])?;
            run_masked(self.0.exec, &AddKept { factor: *g * scale }, row(mask, i, words), columns)?;
        }
        Ok(())
    }

    /// The product of inference.
    ///
    /// # Errors
    /// [`Error::Length`] if the weights do not fit `x` and `y`; nothing was changed.
    pub fn inference<T: Element>(&self, w: &[T], x: &[T], y: &mut [T]) -> Result<(), Error> {
        same_length(Argument::Weights, x.len().saturating_mul(y.len()), w.len())?;
        let scale: T = self.0.inference_scale();
        if scale == T::ZERO {
            y.fill(T::ZERO); // a product would be -0 or NaN
            return Ok(());
        }
        for (i, y) in y.iter_mut().enumerate() {
            *y = dot(self.0.exec, row(w, i, x.len()), x)? * scale;
        }
        Ok(())
    }
}

/// `sum + keep ? x * factor : 0`.
struct AddKept<T> {
    factor: T,
}

impl<T: Element> Gate<1, T> for AddKept<T> {
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, sum: V, [x]: [V; 1], bits: u32) -> V {
        sum + (x * V::splat(isa, self.factor)).keep(bits)
    }
}

/// Words in a row of the mask, if weights and mask have one row for each output.
fn fits(weights: usize, inputs: usize, outputs: usize, mask: &[u32]) -> Result<usize, Error> {
    let words = mask_words(inputs);
    same_length(Argument::Weights, inputs.saturating_mul(outputs), weights)?;
    same_length(Argument::Mask, words.saturating_mul(outputs), mask.len())?;
    Ok(words)
}

/// Row `i` of a matrix with rows of `n`.
fn row<U>(matrix: &[U], i: usize, n: usize) -> &[U] {
    matrix.get(i * n..i * n + n).unwrap_or(&[])
}
