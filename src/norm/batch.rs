//! What batch normalisation computes, over the loops in `kernels`.

use super::kernels;
use crate::cut::cut_mut;
use crate::error::{Argument, Error, Hyper, ensure, require, same_length};
use crate::optim::{State, StateMut, Stateful};
use crate::simd::Width;
use crate::simd::{Element, Level};
use crate::store::{Family, Name};

/// How activations lie in memory: batch x channels x spatial, the last one contiguous.
///
/// `spatial` is height x width of an image, and 1 after a dense layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Shape {
    /// Samples.
    pub batch: usize,
    /// Channels: the features of a dense layer, the maps of a convolution.
    pub channels: usize,
    /// Positions in a channel of a sample.
    pub spatial: usize,
}

impl Shape {
    /// Activations of a dense layer: batch x channels.
    #[must_use]
    pub const fn dense(batch: usize, channels: usize) -> Self {
        Self { batch, channels, spatial: 1 }
    }

    /// Elements of a tensor of this shape.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.batch.saturating_mul(self.channels).saturating_mul(self.spatial)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values in a channel.
    pub(super) fn values<T: Element>(&self) -> T {
        T::from_count(self.batch.saturating_mul(self.spatial))
    }

    /// Whether a tensor of this length and slices of one value for each channel fit.
    fn fits<const K: usize>(&self, len: usize, channels: [usize; K]) -> Result<(), Error> {
        ensure(!self.is_empty(), Error::Empty)?;
        ensure(self.len() < usize::MAX, Error::Shape)?;
        same_length(Argument::Input, self.len(), len)?;
        for channel in channels {
            same_length(Argument::Params, self.channels, channel)?;
        }
        Ok(())
    }
}

/// Batch normalisation (Ioffe and Szegedy, 2015): each channel with mean 0 and variance 1, then an
/// affine map that is learnt.
///
/// ```text
/// training    mean = first + sum (x - first) / n                         over batch and positions
///             mean = mean + sum (x - mean) / n
///             variance = sum (x - mean)^2 / n
///             y = (x - mean) * (weight / sqrt(variance + eps)) + bias
///             running = running_decay * running + (1 - running_decay) * new, variance unbiased: n / (n - 1)
/// inference   the same with the running statistics
/// ```
///
/// `weight` and `bias` are the paper's gamma and beta. The state is the running mean and variance; before
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
/// ```
/// use gradus::norm::{BatchNorm, BatchNormState, Shape};
///
/// let norm = BatchNorm::new();
/// let mut running = BatchNormState::<2>::new();
/// let shape = Shape::dense(3, 2);
/// let x = [1.0_f32, 10.0, 2.0, 10.0, 3.0, 10.0]; // three samples of two features
/// let (weight, bias) = ([1.0; 2], [0.5; 2]);
///
/// let (mut y, mut mean, mut variance) = ([0.0; 6], [0.0; 2], [0.0; 2]);
/// norm.forward(shape, &x, &mut y, [&weight, &bias], [&mut mean, &mut variance])?;
/// norm.track(shape, [&mean, &variance], running.as_mut())?;
/// assert_eq!((mean, y[2], y[3]), ([2.0, 10.0], 0.5, 0.5));
///
/// let (mut grads, mut grad_weight, mut grad_bias) = ([1.0; 6], [0.0; 2], [0.0; 2]);
/// norm.backward(shape, &mut grads, &x, [&weight, &mean, &variance], [&mut grad_weight, &mut grad_bias])?;
/// assert_eq!((grads, grad_bias), ([0.0; 6], [3.0; 2])); // a shift of all is normalised away
///
/// let [mean, variance] = &running.columns;
/// norm.inference(shape, &mut y, [&weight, &bias], [mean, variance])?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BatchNorm {
    /// Stabiliser of the root; 1e-5 by default.
    pub eps: f32,
    /// Weight of the old running statistics; 0.9 by default (PyTorch's `momentum` is 0.1).
    pub running_decay: f64,
    /// Whether the running variance takes the batch's as it is, by `n`, as Keras does; by default it takes the
    /// unbiased one, by `n - 1`, as PyTorch does.
    pub track_biased: bool,
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
        Self { eps: 1e-5, running_decay: 0.9, track_biased: false }
    }

    /// Keras': eps 1e-3, running decay 0.99, running variance biased.
    #[must_use]
    pub const fn keras() -> Self {
        Self { eps: 1e-3, running_decay: 0.99, track_biased: true }
    }

    /// Whether the hyper-parameters lie in their ranges; the passes do not ask.
    ///
    /// # Errors
    /// [`Error::Range`] names the one that does not.
    pub const fn check(&self) -> Result<(), Error> {
        match require(0.0 < self.eps && self.eps < f32::INFINITY, Hyper::Epsilon) {
            Ok(()) => require(0.0 <= self.running_decay && (self.running_decay as f32) < 1.0, Hyper::Rho),
            error => error,
        }
    }

    /// The training pass, with `params` of `[weight, bias]`: writes `y` and the batch's `[mean, variance]`.
    ///
    /// The variance is the biased one. The backward pass will need both, and `x`.
    ///
    /// # Errors
    /// [`Error::Empty`] if `shape` has a 0, [`Error::Length`] if a slice does not fit it; nothing was
    /// changed.
    #[inline]
    pub fn forward<T: Element>(
        &self,
        shape: Shape,
        x: &[T],
        y: &mut [T],
        params: [&[T]; 2],
        batch: [&mut [T]; 2],
    ) -> Result<(), Error> {
        self.forward_at(Level::detect(), shape, x, y, params, batch)
    }

    /// Updates the running statistics by the `[mean, variance]` of a training pass over `shape`.
    ///
    /// # Errors
    /// [`Error::Empty`] if `shape` has a 0, [`Error::Length`] if a slice does not fit it; nothing was
    /// changed.
    pub fn track(
        &self,
        shape: Shape,
        [mean, variance]: [&[f32]; 2],
        running: StateMut<'_, Self>,
    ) -> Result<(), Error> {
        let [running_mean, running_variance] = running.columns;
        let channels = [mean.len(), variance.len(), running_mean.len(), running_variance.len()];
        shape.fits(shape.len(), channels)?;
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
        for (running, new) in running_mean.iter_mut().zip(mean) {
            *running = decay * *running + gain * *new;
        }
        for (running, new) in running_variance.iter_mut().zip(variance) {
            let old = if first { 1.0 } else { *running };
            // One value has no unbiased variance.
            *running = unbiased.map_or(old, |factor| decay * old + gain * (*new * factor));
        }
        Ok(())
    }

    /// The backward pass, in place, over the `[weight, mean, variance]` of the training pass: turns the gradient
    /// with respect to `y` into the one with respect to `x`, and writes those with respect to `[weight, bias]`.
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
    #[inline]
    pub fn backward<T: Element>(
        &self,
        shape: Shape,
        grads: &mut [T],
        x: &[T],
        saved: [&[T]; 3],
        grad_params: [&mut [T]; 2],
    ) -> Result<(), Error> {
        self.backward_at(Level::detect(), shape, grads, x, saved, grad_params)
    }

    /// The pass at test time, in place, with the running `[mean, variance]`.
    ///
    /// A state that no batch was tracked with has the variance 0 in its memory, not yet 1.
    ///
    /// # Errors
    /// [`Error::Empty`] if `shape` has a 0, [`Error::Length`] if a slice does not fit it; nothing was
    /// changed.
    #[inline]
    pub fn inference<T: Element>(
        &self,
        shape: Shape,
        x: &mut [T],
        params: [&[T]; 2],
        running: [&[T]; 2],
    ) -> Result<(), Error> {
        self.inference_at(Level::detect(), shape, x, params, running)
    }

    /// Folds the normalisation into the dense or convolutional layer before it, which then needs none.
    ///
    /// As in [`inference`](Self::inference), a state must have tracked a batch.
    ///
    /// ```text
    /// a = weight / sqrt(variance + eps);  layer_weights[channel][..] *= a;  layer_bias = (layer_bias - mean) * a + bias
    /// ```
    ///
    /// `layer_weights` has one row for each channel.
    ///
    /// # Errors
    /// [`Error::Range`] if there is no channel or the rows are not of one length, [`Error::Length`] if
    /// a slice has not one value for each channel; nothing was changed.
    pub fn fold<T: Element>(
        &self,
        [weight, bias]: [&[T]; 2],
        [mean, variance]: [&[T]; 2],
        layer_weights: &mut [T],
        layer_bias: &mut [T],
    ) -> Result<(), Error> {
        let channels = layer_bias.len();
        let inputs = layer_weights.len().checked_div(channels).unwrap_or(0);
        ensure(inputs > 0 && inputs * channels == layer_weights.len(), Error::Shape)?;
        Shape::dense(1, channels).fits(channels, [weight.len(), bias.len(), mean.len(), variance.len()])?;
        let eps = T::from_f32(self.eps);
        let mut rest = layer_weights;
        let channels = weight.iter().zip(bias).zip(mean.iter().zip(variance));
        for (layer_bias, ((w, b), (m, v))) in layer_bias.iter_mut().zip(channels) {
            let a = *w / (*v + eps).sqrt();
            for x in cut_mut(&mut rest, inputs) {
                *x = *x * a;
            }
            *layer_bias = (*layer_bias - *m) * a + *b;
        }
        Ok(())
    }

    /// [`forward`](Self::forward) at a chosen instruction set: for tests and benchmarks.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_at<T: Element>(
        &self,
        level: Level,
        shape: Shape,
        x: &[T],
        y: &mut [T],
        [weight, bias]: [&[T]; 2],
        [mean, variance]: [&mut [T]; 2],
    ) -> Result<(), Error> {
        shape.fits(x.len(), [weight.len(), bias.len(), mean.len(), variance.len()])?;
        same_length(Argument::Output, x.len(), y.len())?;
        kernels::statistics(level, shape, x, mean, variance)?;
        y.copy_from_slice(x);
        kernels::normalise(level, shape, y, self.eps, [mean, variance, weight, bias])
    }

    /// [`backward`](Self::backward) at a chosen instruction set: for tests and benchmarks.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    pub fn backward_at<T: Element>(
        &self,
        level: Level,
        shape: Shape,
        grads: &mut [T],
        x: &[T],
        [weight, mean, variance]: [&[T]; 3],
        [grad_weight, grad_bias]: [&mut [T]; 2],
    ) -> Result<(), Error> {
        let channels = [weight.len(), mean.len(), variance.len(), grad_weight.len(), grad_bias.len()];
        shape.fits(x.len(), channels)?;
        same_length(Argument::Grads, x.len(), grads.len())?;
        kernels::gradients(level, shape, grads, x, mean, [grad_weight, grad_bias])?;
        kernels::over_deviation(level, self.eps, grad_weight, variance)?;
        kernels::backward(level, shape, grads, x, self.eps, [mean, variance, weight, grad_weight, grad_bias])
    }

    /// [`inference`](Self::inference) at a chosen instruction set: for tests and benchmarks.
    ///
    /// # Errors
    /// As [`inference`](Self::inference).
    pub fn inference_at<T: Element>(
        &self,
        level: Level,
        shape: Shape,
        x: &mut [T],
        [weight, bias]: [&[T]; 2],
        [mean, variance]: [&[T]; 2],
    ) -> Result<(), Error> {
        shape.fits(x.len(), [weight.len(), bias.len(), mean.len(), variance.len()])?;
        kernels::normalise(level, shape, x, self.eps, [mean, variance, weight, bias])
    }
}
