//! Layers of which the biases alone learn.

use super::samples;
use super::strips::{Gradients, Sink, Strip, walk};
use super::weighted::sum_rows;
use crate::error::{Argument, Error};
use crate::optim::Update;
use crate::simd::product::Start;
use crate::simd::{Exec, Rule, Stored};

/// Takes an optimizer's step of biases alone, given the gradient `dy` of what their layer writes; its weights stay.
///
/// ```text
/// db = sum dy
/// ```
///
/// A network that was trained elsewhere adapts by its biases at the price of a few numbers of state (Zaken, Ravfogel and
/// Goldberg, 2022), and no input of a layer has to be kept (Cai et al., 2020). The biases are the first `outputs` parameters of a
/// layer, its `filters` or its channels. The way on to the layer before is its `backward_input`, before the step.
///
/// # Errors
/// [`Error::Length`] if `dy` has no whole number of rows, [`Error::Shape`] without biases; nothing was changed.
///
/// ```
/// use gradus::layer::{Dense, bias_step};
/// use gradus::{Exec, Optimizer, Sgd};
/// const LAYER: Dense = Dense::new(2, 3);
/// let (sgd, mut params, mut state) = (Sgd::new(0.5), [1.0; LAYER.params()], Sgd::new(0.5).state::<3>());
/// let (dy, mut dx) = ([1.0, 0.0, 0.0, 1.0, -2.0, 0.0], [0.0; 2 * 2]); // two samples
/// LAYER.backward_input(&params, &dy, &mut dx)?;
/// let (biases, _) = params.split_at_mut(LAYER.outputs);
/// bias_step(Exec::new(), sgd.update_slices(biases, state.as_mut())?, &dy)?;
/// assert_eq!((params, dx), ([0.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, -1.0, -1.0]));
/// # Ok::<(), gradus::Error>(())
/// ```
#[doc(alias = "BitFit")]
#[doc(alias = "fine-tuning")]
pub fn bias_step<R, B, M>(exec: impl Into<Exec>, update: Update<'_, R, B, M>, dy: &[f32]) -> Result<(), Error>
where
    R: Rule + Copy,
    B: Rule<Columns = R::Columns> + Copy,
    M: Stored,
{
    biases_to(exec.into(), update, dy)
}

/// Hands the gradients of biases to a sink that has no other parameters.
pub(crate) fn biases_to(exec: Exec, sink: impl Sink, dy: &[f32]) -> Result<(), Error> {
    let width = sink.params().len();
    samples(Argument::Grads, dy.len(), width)?;
    walk(exec, sink, [0, width], 1, &Biases { exec, dy, width });
    Ok(())
}

/// A layer without weights.
struct Biases<'a> {
    exec: Exec,
    dy: &'a [f32],
    width: usize,
}

impl Gradients for Biases<'_> {
    fn weights(&self, _: Start<'_, f32>, _: Strip, _: usize, _: &mut [f32]) {}
    fn biases(&self, start: Start<'_, f32>, col: usize, grads: &mut [f32]) {
        sum_rows(self.exec, start, self.width, col, self.dy, grads);
    }
}
