//! Group and layer normalisation: each sample by itself.

use super::parts::{Params, Statistics};
use super::rows::{self, Groups};
use super::shape::BatchShape;
use crate::error::{Argument, Error, Hyper, ensure, require, same_length};
use crate::simd::mask::InOut;
use crate::simd::{Element, Exec};

/// Group normalisation (Wu and He, 2018): the channels of a sample in groups, each with mean 0 and variance 1, then an affine
/// map of each channel that is learnt.
///
/// ```text
/// near = first + sum (x - first) / n                          over the channels of a group and their positions
/// mean = near + d                                             d = sum (x - near) / n
/// variance = sum (x - near)^2 / n - d^2
/// y = (x - mean) * (1 / sqrt(variance + eps)) * weight + bias
/// ```
///
/// A sample is normalised by itself: a batch of 1 will do, training and inference compute the same, and there is no running
/// state. One group is layer normalisation over a sample with a weight for each channel; as many groups as channels are
/// instance normalisation. The statistics, which the backward pass needs, are one mean and one variance for each group of
/// each sample, `batch * groups` of them.
///
/// The channels of an image lie one behind the other (NCHW): see [`BatchShape`]. Over what a
/// [`Conv2d`](crate::layer::Conv2d) writes, whose channels lie side by side, group normalisation is not offered. The numbers
/// of one channel must be brought together first:
///
/// ```
/// let beside = [1.0_f32, 10.0, 2.0, 20.0, 3.0, 30.0]; // three positions of two channels
/// let behind: [f32; 6] = core::array::from_fn(|i| beside[i % 3 * 2 + i / 3]);
/// assert_eq!(behind, [1.0, 2.0, 3.0, 10.0, 20.0, 30.0]); // of BatchShape { batch: 1, channels: 2, spatial: 3 }
/// ```
///
/// The order of a sum is that of [`reduce`](crate::reduce); gradients of the parameters sum 64 samples in order and join
/// these sums as [`BatchNorm`](super::BatchNorm) does. A group of equal values gives `y = bias`, exactly. Deviations beyond
/// 1.8e19, whose squares are infinite, give `y = bias` too, and one beyond 3.4e38 gives NaN: scale such values first.
///
/// ```
/// use gradus::norm::{BatchShape, GroupNorm, Params, Statistics};
///
/// let norm = GroupNorm::new(2);
/// let shape = BatchShape { batch: 1, channels: 4, spatial: 2 };
/// let x = [1.0_f32, 3.0, 1.0, 3.0, 5.0, 5.0, 5.0, 5.0];
/// let params = Params { weight: [1.0; 4], bias: [0.5; 4] };
///
/// let (mut y, mut groups) = ([0.0; 8], Statistics { mean: [0.0; 2], variance: [0.0; 2] });
/// norm.forward(shape, &x, &mut y, &params, &mut groups)?;
/// assert_eq!((groups.mean, groups.variance, y[4]), ([2.0, 5.0], [1.0, 0.0], 0.5));
///
/// let (mut grads, mut grad_params) = ([1.0; 8], Params { weight: [0.0; 4], bias: [0.0; 4] });
/// norm.backward(shape, &mut grads, &x, &params, &groups, &mut grad_params)?;
/// assert_eq!(grad_params.bias, [2.0; 4]);
///
/// let mut z = x; // inference keeps no statistics
/// norm.inference(shape, &mut z, &params)?;
/// assert_eq!(z, y);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "group normalization")]
#[doc(alias = "instance norm")]
pub struct GroupNorm {
    /// Groups of channels; it divides their number.
    pub groups: usize,
    /// Stabiliser of the root; 1e-5 by default.
    pub eps: f32,
    /// Where the passes run; it is in no file.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exec: Exec,
}

impl GroupNorm {
    /// PyTorch's: eps 1e-5.
    #[must_use]
    pub const fn new(groups: usize) -> Self {
        Self { groups, eps: 1e-5, exec: Exec::new() }
    }

    /// Checks that there is a group, and `eps` is finite and positive.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Range`] if not.
    pub const fn check(&self) -> Result<(), Error> {
        match ensure(self.groups > 0, Error::Shape) {
            Ok(()) => check_eps(self.eps),
            error => error,
        }
    }

    /// The same with a chosen instruction set, or on threads where a group is large enough for them.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { exec: exec.into(), ..self }
    }

    /// The training pass: writes `y` and the statistics of every group.
    ///
    /// # Errors
    /// [`Error::Empty`] if `shape` has a 0, [`Error::Shape`] if the groups do not divide the channels, [`Error::Length`] if a
    /// slice does not fit; nothing was changed.
    pub fn forward<T: Element>(
        &self,
        shape: BatchShape,
        x: &[T],
        y: &mut [T],
        params: &Params<impl AsRef<[T]>>,
        groups: &mut Statistics<impl AsMut<[T]>>,
    ) -> Result<(), Error> {
        let (weight, bias) = (params.weight.as_ref(), params.bias.as_ref());
        let (mean, variance) = (groups.mean.as_mut(), groups.variance.as_mut());
        let all =
            self.fits(shape, x.len(), [(Argument::Weights, weight.len()), (Argument::Bias, bias.len())])?;
        all.count(mean.len(), variance.len())?;
        same_length(Argument::Output, x.len(), y.len())?;
        let exec = self.exec.with_level(self.exec.level());
        rows::statistics(exec, all, x, mean, variance)?;
        rows::normalise(exec, all, InOut::from((x, y)), self.eps, [weight, bias], [mean, variance])
    }

    /// The pass of inference, in place: what [`forward`](Self::forward) computes, without statistics to keep.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn inference<T: Element>(
        &self,
        shape: BatchShape,
        x: &mut [T],
        params: &Params<impl AsRef<[T]>>,
    ) -> Result<(), Error> {
        let (weight, bias) = (params.weight.as_ref(), params.bias.as_ref());
        let all =
            self.fits(shape, x.len(), [(Argument::Weights, weight.len()), (Argument::Bias, bias.len())])?;
        rows::infer(self.exec.with_level(self.exec.level()), all, x, self.eps, [weight, bias])
    }

    /// The backward pass, in place, with the statistics of the training pass: turns the gradient with respect to `y` into
    /// the one with respect to `x`, and writes those with respect to the parameters. Of these only the weight is read.
    ///
    /// ```text
    /// bias'   = sum g                    over samples and positions   xhat = (x - mean) / sqrt(variance + eps)
    /// weight' = sum g * xhat
    /// x'      = (g w - sum (g w) / n - xhat * sum (g w xhat) / n) / sqrt(variance + eps)       sums over the group
    /// ```
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn backward<T: Element>(
        &self,
        shape: BatchShape,
        grads: &mut [T],
        x: &[T],
        params: &Params<impl AsRef<[T]>>,
        groups: &Statistics<impl AsRef<[T]>>,
        grad_params: &mut Params<impl AsMut<[T]>>,
    ) -> Result<(), Error> {
        let weight = params.weight.as_ref();
        let (mean, variance) = (groups.mean.as_ref(), groups.variance.as_ref());
        let (grad_weight, grad_bias) = (grad_params.weight.as_mut(), grad_params.bias.as_mut());
        let channels = [
            (Argument::Weights, weight.len()),
            (Argument::Grads, grad_weight.len()),
            (Argument::Grads, grad_bias.len()),
        ];
        let all = self.fits(shape, x.len(), channels)?;
        all.count(mean.len(), variance.len())?;
        same_length(Argument::Grads, x.len(), grads.len())?;
        let exec = self.exec.with_level(self.exec.level());
        let statistics = [mean, variance];
        rows::grad_params(exec, all, grads, x, self.eps, statistics, [grad_weight, grad_bias])?;
        rows::backward(exec, all, grads, x, self.eps, weight, statistics)
    }

    /// The groups of a tensor, if it and slices of one value for each channel fit.
    fn fits<const K: usize>(
        &self,
        shape: BatchShape,
        len: usize,
        channels: [(Argument, usize); K],
    ) -> Result<Groups, Error> {
        shape.fits(len, channels)?;
        let width = shape.channels.checked_div(self.groups).unwrap_or(0);
        ensure(width * self.groups == shape.channels, Error::Shape)?;
        Ok(Groups { shape, groups: self.groups, width })
    }
}

/// Layer normalisation (Ba et al., 2016): each row of features with mean 0 and variance 1, then an affine map of each feature
/// that is learnt.
///
/// It computes what [`GroupNorm`] computes of one group of features without positions. The rows lie one after the other,
/// each as long as the weight; the statistics are one mean and one variance for each row, and say how many there are.
///
/// ```
/// use gradus::norm::{LayerNorm, Params, Statistics};
///
/// let norm = LayerNorm::new();
/// let x = [1.0_f32, 3.0, 2.0, 2.0]; // two rows of two features
/// let params = Params { weight: [1.0; 2], bias: [0.5; 2] };
/// let (mut y, mut rows) = ([0.0; 4], Statistics { mean: [0.0; 2], variance: [0.0; 2] });
/// norm.forward(&x, &mut y, &params, &mut rows)?;
/// assert_eq!((rows.mean, rows.variance, y[2]), ([2.0; 2], [1.0, 0.0], 0.5));
///
/// let (mut grads, mut grad_params) = ([1.0; 4], Params { weight: [0.0; 2], bias: [0.0; 2] });
/// norm.backward(&mut grads, &x, &params, &rows, &mut grad_params)?;
/// assert_eq!((grads, grad_params.bias), ([0.0; 4], [2.0; 2]));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "layer normalization")]
pub struct LayerNorm {
    /// Stabiliser of the root; 1e-5 by default.
    pub eps: f32,
    /// Where the passes run; it is in no file.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exec: Exec,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerNorm {
    /// PyTorch's: eps 1e-5.
    #[must_use]
    pub const fn new() -> Self {
        Self { eps: 1e-5, exec: Exec::new() }
    }

    /// Checks that `eps` is finite and positive.
    ///
    /// # Errors
    /// [`Error::Range`] if not.
    pub const fn check(&self) -> Result<(), Error> {
        check_eps(self.eps)
    }

    /// The same with a chosen instruction set, or on threads where a row is long enough for them.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { exec: exec.into(), ..self }
    }

    /// The training pass: writes `y` and the statistics of every row.
    ///
    /// # Errors
    /// [`Error::Empty`] if there is no row or no feature, [`Error::Length`] if a slice does not fit; nothing was changed.
    pub fn forward<T: Element>(
        &self,
        x: &[T],
        y: &mut [T],
        params: &Params<impl AsRef<[T]>>,
        rows: &mut Statistics<impl AsMut<[T]>>,
    ) -> Result<(), Error> {
        let shape = BatchShape::dense(rows.mean.as_mut().len(), params.weight.as_ref().len());
        self.one_group().forward(shape, x, y, params, rows)
    }

    /// The pass of inference, in place: what [`forward`](Self::forward) computes, without statistics to keep.
    ///
    /// # Errors
    /// [`Error::Empty`] if there is no row or no feature, [`Error::Length`] if `x` is not made of rows, or the parameters
    /// differ in length; nothing was changed.
    pub fn inference<T: Element>(&self, x: &mut [T], params: &Params<impl AsRef<[T]>>) -> Result<(), Error> {
        let features = params.weight.as_ref().len();
        let rows = x.len().checked_div(features).unwrap_or(0);
        self.one_group().inference(BatchShape::dense(rows, features), x, params)
    }

    /// The backward pass, in place, with the statistics of the training pass: as [`GroupNorm::backward`].
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn backward<T: Element>(
        &self,
        grads: &mut [T],
        x: &[T],
        params: &Params<impl AsRef<[T]>>,
        rows: &Statistics<impl AsRef<[T]>>,
        grad_params: &mut Params<impl AsMut<[T]>>,
    ) -> Result<(), Error> {
        let shape = BatchShape::dense(rows.mean.as_ref().len(), params.weight.as_ref().len());
        self.one_group().backward(shape, grads, x, params, rows, grad_params)
    }

    /// All features of a row are one group.
    const fn one_group(&self) -> GroupNorm {
        GroupNorm { groups: 1, eps: self.eps, exec: self.exec }
    }
}

const fn check_eps(eps: f32) -> Result<(), Error> {
    require(0.0 < eps && eps < f32::INFINITY, Hyper::Epsilon)
}
