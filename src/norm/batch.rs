//! What batch normalisation computes, over the loops in `kernels`.

use super::kernels;
use super::parts::{Params, Running, Statistics};
use super::shape::BatchShape;
use crate::check::check_decay;
use crate::cut::cut_mut;
use crate::error::{Argument, Error, Hyper, ensure, require, same_length};
use crate::optim::{State, StateMut, Stateful};
use crate::simd::mask::InOut;
use crate::simd::{Element, Exec, Width, math};
use crate::store::{Family, Name};

/// Batch normalisation (Ioffe and Szegedy, 2015): each channel with mean 0 and variance 1, then an
/// affine map that is learnt.
///
/// ```text
/// training    near = first + sum (x - first) / n                         over batch and positions
///             mean = near + d                                            d = sum (x - near) / n
///             variance = sum (x - near)^2 / n - d^2
///             y = (x - mean) * (weight / sqrt(variance + eps)) + bias
///             running = running_decay * running + (1 - running_decay) * new, variance unbiased: n / (n - 1)
/// inference   the same with the running statistics
/// ```
///
/// `weight` and `bias` are the paper's gamma and beta ([`Params`]). The state is the running mean and variance; before
/// the first batch, all zero bits, the running variance counts as 1.
///
/// A sum runs over 64 samples in order, within a sample in the fixed order of [`reduce`](crate::reduce). The
/// sums of 64 join the total in order, by Kahan's formula: what rounding loses of one is made up for with the
/// next. So a million samples have the digits that sixty have.
///
/// `first` is the channel's first value: the mean keeps its digits however far the values are from 0, and a
/// constant channel has variance 0 and `y = bias`, exactly. Where `n` is 1 that is so too; the running
/// variance then stays what it was, unless it is [`track_biased`](Self::track_biased).
///
/// Deviations beyond 1.8e19 have squares beyond the range of `f32`: their variance is infinite, and `y = bias`. A deviation
/// that is itself beyond the range, 3.4e38, gives NaN. Scale such values first.
///
/// ```
/// use gradus::norm::{BatchNorm, BatchNormState, BatchShape, Params, Statistics};
///
/// let norm = BatchNorm::new();
/// let mut running = BatchNormState::<2>::new();
/// let shape = BatchShape::dense(3, 2);
/// let x = [1.0_f32, 10.0, 2.0, 10.0, 3.0, 10.0]; // three samples of two features
/// let params = Params { weight: [1.0; 2], bias: [0.5; 2] };
///
/// let (mut y, mut batch) = ([0.0; 6], Statistics { mean: [0.0; 2], variance: [0.0; 2] });
/// norm.forward(shape, &x, &mut y, &params, &mut batch)?;
/// norm.track(shape, &batch, running.as_mut())?;
/// assert_eq!((batch.mean, y[2], y[3]), ([2.0, 10.0], 0.5, 0.5));
///
/// let (mut grads, mut grad_params) = ([1.0; 6], Params { weight: [0.0; 2], bias: [0.0; 2] });
/// norm.backward(shape, &mut grads, &x, &params, &batch, &mut grad_params)?;
/// assert_eq!((grads, grad_params.bias), ([0.0; 6], [3.0; 2])); // a shift of all is normalised away
///
/// norm.inference(shape, &mut y, &params, &running)?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "batch normalization")]
#[doc(alias = "BatchNormalization")]
pub struct BatchNorm {
    /// Stabiliser of the root; 1e-5 by default.
    pub eps: f32,
    /// Weight of the old running statistics, at most `1 - 2^-20`; 0.9 by default (PyTorch's `momentum` is 0.1).
    pub running_decay: f64,
    /// Whether the running variance takes the batch's as it is, by `n`, as Keras does; by default it takes the
    /// unbiased one, by `n - 1`, as PyTorch does.
    pub track_biased: bool,
    /// Where the passes run; it is in no file.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exec: Exec,
}

/// Running mean and variance of `C` channels.
pub type BatchNormState<const C: usize> = State<BatchNorm, C>;

impl Stateful for BatchNorm {
    type Columns = Width<2>;
    type Memory = f32;
}

impl Family for BatchNorm {
    const NAME: Name = Name::new("batchnorm");
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchNorm {
    /// PyTorch's: eps 1e-5, running decay 0.9, running variance unbiased.
    #[must_use]
    pub const fn new() -> Self {
        Self { eps: 1e-5, running_decay: 0.9, track_biased: false, exec: Exec::new() }
    }

    /// Keras': eps 1e-3, running decay 0.99, running variance biased.
    #[must_use]
    pub const fn keras() -> Self {
        Self { eps: 1e-3, running_decay: 0.99, track_biased: true, exec: Exec::new() }
    }

    /// Checks that the hyper-parameters lie in their ranges. The passes do not check it.
    ///
    /// # Errors
    /// [`Error::Range`] names the one that does not.
    pub const fn check(&self) -> Result<(), Error> {
        match require(0.0 < self.eps && self.eps < f32::INFINITY, Hyper::Epsilon) {
            Ok(()) => check_decay(self.running_decay, Hyper::Rho),
            error => error,
        }
    }

    /// The same with a chosen instruction set, or on threads where a channel's run is long enough for them.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { exec: exec.into(), ..self }
    }

    /// The training pass: writes `y` and the batch's statistics.
    ///
    /// The variance is the biased one. The backward pass will need both, and `x`.
    ///
    /// # Errors
    /// [`Error::Empty`] if `shape` has a 0, [`Error::Length`] if a slice does not fit it; nothing was
    /// changed.
    pub fn forward<T: Element>(
        &self,
        shape: BatchShape,
        x: &[T],
        y: &mut [T],
        params: &Params<impl AsRef<[T]>>,
        batch: &mut Statistics<impl AsMut<[T]>>,
    ) -> Result<(), Error> {
        let (weight, bias) = (params.weight.as_ref(), params.bias.as_ref());
        let (mean, variance) = (batch.mean.as_mut(), batch.variance.as_mut());
        shape.fits(
            x.len(),
            [
                (Argument::Weights, weight.len()),
                (Argument::Bias, bias.len()),
                (Argument::Mean, mean.len()),
                (Argument::Variance, variance.len()),
            ],
        )?;
        same_length(Argument::Output, x.len(), y.len())?;
        let exec = self.exec.with_level(self.exec.level());
        kernels::statistics(exec, shape, x, mean, variance)?;
        kernels::normalise(exec, shape, InOut::from((x, y)), self.eps, [mean, variance, weight, bias])
    }

    /// Updates the running statistics by those of a training pass over `shape`.
    ///
    /// A channel whose mean or variance is not finite leaves its running statistics as they are: one NaN would stay in them
    /// for good. Such a batch spoils gradients all the same: [`step_if_finite`](crate::Optimizer::step_if_finite) skips the
    /// step, and [`count_non_finite`](crate::count_non_finite) finds it in `x`.
    ///
    /// # Errors
    /// [`Error::Empty`] if `shape` has a 0, [`Error::Length`] if a slice does not fit it; nothing was
    /// changed.
    pub fn track(
        &self,
        shape: BatchShape,
        batch: &Statistics<impl AsRef<[f32]>>,
        running: StateMut<'_, Self>,
    ) -> Result<(), Error> {
        let (mean, variance) = (batch.mean.as_ref(), batch.variance.as_ref());
        let [running_mean, running_variance] = running.columns;
        shape.fits(
            shape.len(),
            [
                (Argument::Mean, mean.len()),
                (Argument::Variance, variance.len()),
                (Argument::State, running_mean.len()),
                (Argument::State, running_variance.len()),
            ],
        )?;
        let (decay, gain) = (self.running_decay as f32, (1.0 - self.running_decay) as f32);
        let n: f32 = shape.values();
        let unbiased = if self.track_biased {
            Some(1.0)
        } else if n > 1.0 {
            Some(n / (n - 1.0))
        } else {
            None
        };
        let first = running.clock.t == 0;
        running.clock.tick();
        let running = running_mean.iter_mut().zip(running_variance.iter_mut());
        for ((running_mean, running_variance), (mean, variance)) in running.zip(mean.iter().zip(variance)) {
            let old = if first { 1.0 } else { *running_variance };
            // One value has no unbiased variance.
            let new = unbiased.map(|factor| *variance * factor);
            *running_variance = old;
            // A running statistic that is not finite would stay so for good.
            if mean.is_finite() && new.unwrap_or(*variance).is_finite() {
                *running_mean = decay * *running_mean + gain * *mean;
                *running_variance = new.map_or(old, |new| decay * old + gain * new);
            }
        }
        Ok(())
    }

    /// The backward pass, in place, with the statistics of the training pass: turns the gradient with respect to `y` into
    /// the one with respect to `x`, and writes those with respect to the parameters. Of these only the weight is read.
    ///
    /// ```text
    /// bias'   = sum g
    /// weight' = sum g * xhat                          xhat = (x - mean) / sqrt(variance + eps)
    /// x'      = weight / sqrt(variance + eps) * (g - bias' / n - xhat * weight' / n)
    /// ```
    ///
    /// # Errors
    /// [`Error::Empty`] if `shape` has a 0, [`Error::Length`] if a slice does not fit it; nothing was
    /// changed.
    pub fn backward<T: Element>(
        &self,
        shape: BatchShape,
        grads: &mut [T],
        x: &[T],
        params: &Params<impl AsRef<[T]>>,
        batch: &Statistics<impl AsRef<[T]>>,
        grad_params: &mut Params<impl AsMut<[T]>>,
    ) -> Result<(), Error> {
        let weight = params.weight.as_ref();
        let (mean, variance) = (batch.mean.as_ref(), batch.variance.as_ref());
        let (grad_weight, grad_bias) = (grad_params.weight.as_mut(), grad_params.bias.as_mut());
        shape.fits(
            x.len(),
            [
                (Argument::Weights, weight.len()),
                (Argument::Mean, mean.len()),
                (Argument::Variance, variance.len()),
                (Argument::Grads, grad_weight.len()),
                (Argument::Grads, grad_bias.len()),
            ],
        )?;
        same_length(Argument::Grads, x.len(), grads.len())?;
        let exec = self.exec.with_level(self.exec.level());
        kernels::gradients(exec, shape, grads, x, mean, [&mut *grad_weight, &mut *grad_bias])?;
        kernels::over_deviation(exec, self.eps, grad_weight, variance)?;
        kernels::backward(exec, shape, grads, x, self.eps, [mean, variance, weight, grad_weight, grad_bias])
    }

    /// The pass of inference, in place, with the running statistics: a `&` of a state, or of [`Statistics`].
    ///
    /// # Errors
    /// [`Error::Empty`] if `shape` has a 0, [`Error::Length`] if a slice does not fit it; nothing was
    /// changed.
    pub fn inference<'a>(
        &self,
        shape: BatchShape,
        x: &mut [f32],
        params: &Params<impl AsRef<[f32]>>,
        running: impl Into<Running<'a>>,
    ) -> Result<(), Error> {
        let (weight, bias, running) = (params.weight.as_ref(), params.bias.as_ref(), running.into());
        shape.fits(x.len(), lengths(weight, bias, running))?;
        let exec = self.exec.with_level(self.exec.level());
        kernels::infer(exec, shape, x, self.eps, running, [weight, bias])
    }

    /// Folds the normalisation into the dense or convolutional layer before it, which then needs none.
    ///
    /// ```text
    /// a = weight / sqrt(variance + eps);  layer_weights[channel][..] *= a;  layer_bias = (layer_bias - mean) * a + bias
    /// ```
    ///
    /// `layer_weights` has one row for each channel; where it has one column for each, see
    /// [`fold_columns`](Self::fold_columns).
    ///
    /// # Errors
    /// [`Error::Shape`] if there is no channel or the rows are not of one length, [`Error::Length`] if
    /// a slice has not one value for each channel; nothing was changed.
    pub fn fold<'a>(
        &self,
        params: &Params<impl AsRef<[f32]>>,
        running: impl Into<Running<'a>>,
        layer_weights: &mut [f32],
        layer_bias: &mut [f32],
    ) -> Result<(), Error> {
        let (weight, bias, running) = (params.weight.as_ref(), params.bias.as_ref(), running.into());
        let inputs = inputs(weight, bias, running, layer_weights, layer_bias)?;
        let mut rest = layer_weights;
        for (factor, layer_bias) in self.factors(weight, bias, running).zip(layer_bias) {
            for x in cut_mut(&mut rest, inputs) {
                *x *= factor.weight;
            }
            *layer_bias = (*layer_bias - factor.mean) * factor.weight + factor.bias;
        }
        Ok(())
    }

    /// [`fold`](Self::fold) where `layer_weights` has one column for each channel: rows of inputs, as a dense layer has that
    /// keeps its weights as inputs x outputs.
    ///
    /// ```
    /// use gradus::norm::{BatchNorm, Params, Statistics};
    /// let norm = BatchNorm { eps: 0.0, ..BatchNorm::new() };
    /// let params = Params { weight: [3.0, 1.0], bias: [0.5, 0.0] };
    /// let running = Statistics { mean: [1.0, 0.0], variance: [9.0, 0.25] };
    /// let (mut weights, mut bias) = ([1.0, 10.0, 2.0, 20.0], [4.0, 1.0]); // two inputs of two channels
    /// norm.fold_columns(&params, &running, &mut weights, &mut bias)?;
    /// assert_eq!((weights, bias), ([1.0, 20.0, 2.0, 40.0], [3.5, 2.0]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`fold`](Self::fold).
    pub fn fold_columns<'a>(
        &self,
        params: &Params<impl AsRef<[f32]>>,
        running: impl Into<Running<'a>>,
        layer_weights: &mut [f32],
        layer_bias: &mut [f32],
    ) -> Result<(), Error> {
        let (weight, bias, running) = (params.weight.as_ref(), params.bias.as_ref(), running.into());
        inputs(weight, bias, running, layer_weights, layer_bias)?;
        let mut rest = layer_weights;
        while !rest.is_empty() {
            let row = cut_mut(&mut rest, layer_bias.len());
            for (factor, x) in self.factors(weight, bias, running).zip(row) {
                *x *= factor.weight;
            }
        }
        for (factor, layer_bias) in self.factors(weight, bias, running).zip(layer_bias) {
            *layer_bias = (*layer_bias - factor.mean) * factor.weight + factor.bias;
        }
        Ok(())
    }

    /// What the normalisation multiplies each channel by, and what it takes away before and adds then.
    fn factors<'a>(
        &self,
        weight: &'a [f32],
        bias: &'a [f32],
        Running { mean, variance, fresh }: Running<'a>,
    ) -> impl Iterator<Item = Factor> + 'a {
        let eps = self.eps;
        weight.iter().zip(bias).zip(mean.iter().zip(variance)).map(move |((w, b), (m, v))| {
            let variance = if fresh { 1.0 } else { *v };
            Factor { weight: *w / math::sqrt(variance + eps), mean: *m, bias: *b }
        })
    }
}

/// The map of one channel: `(x - mean) * weight + bias`.
struct Factor {
    weight: f32,
    mean: f32,
    bias: f32,
}

/// The lengths of what has one value for each channel.
fn lengths(weight: &[f32], bias: &[f32], running: Running<'_>) -> [(Argument, usize); 4] {
    [
        (Argument::Weights, weight.len()),
        (Argument::Bias, bias.len()),
        (Argument::Mean, running.mean.len()),
        (Argument::Variance, running.variance.len()),
    ]
}

/// Inputs of a layer whose outputs are the channels.
fn inputs(
    weight: &[f32],
    bias: &[f32],
    running: Running<'_>,
    layer_weights: &[f32],
    layer_bias: &[f32],
) -> Result<usize, Error> {
    let channels = layer_bias.len();
    let inputs = layer_weights.len().checked_div(channels).unwrap_or(0);
    ensure(inputs > 0 && inputs * channels == layer_weights.len(), Error::Shape)?;
    BatchShape::dense(1, channels).fits(channels, lengths(weight, bias, running))?;
    Ok(inputs)
}
