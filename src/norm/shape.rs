//! How activations lie in memory.

use crate::error::{Argument, Error, ensure, same_length};
use crate::simd::Element;

/// How activations lie in memory: batch x channels x spatial, the last one contiguous.
///
/// `spatial` is height x width of an image whose channels lie one behind the other (NCHW), and 1 after a dense layer. A
/// [`Conv2d`](crate::layer::Conv2d) writes the channels of a position side by side (NHWC): its result has the shape
/// [`channels_last`](Self::channels_last).
///
/// ```
/// use gradus::layer::Conv2d;
/// use gradus::norm::BatchShape;
/// let images = BatchShape { batch: 32, channels: 16, spatial: 8 * 8 };
/// assert_eq!((images.len(), BatchShape::dense(32, 10).len()), (32_768, 320));
///
/// const CONV: Conv2d = Conv2d::new([10, 10, 1], 16, [3, 3]);
/// let behind = BatchShape::channels_last(32, CONV.output());
/// assert_eq!((behind.channels, behind.len()), (16, 32 * CONV.outputs()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BatchShape {
    /// Samples.
    pub batch: usize,
    /// Channels: the features of a dense layer, the maps of a convolution.
    pub channels: usize,
    /// Positions in a channel of a sample.
    pub spatial: usize,
}

impl BatchShape {
    /// Activations of a dense layer: batch x channels.
    #[must_use]
    pub const fn dense(batch: usize, channels: usize) -> Self {
        Self { batch, channels, spatial: 1 }
    }

    /// Images `[height, width, channels]` whose channels lie side by side, as a [`Conv2d`](crate::layer::Conv2d) writes them:
    /// each position is a row of channels, so that this is `dense(batch * height * width, channels)`.
    ///
    /// For [`BatchNorm`](super::BatchNorm) that is the shape of a layer behind a convolution. For
    /// [`GroupNorm`](super::GroupNorm) it is not: its groups would be those of each position alone.
    ///
    /// ```
    /// use gradus::norm::{BatchNorm, BatchShape, Params, Statistics};
    /// let x = [1.0_f32, 10.0, 3.0, 30.0]; // an image of one row and two columns, of two channels
    /// let shape = BatchShape::channels_last(1, [1, 2, 2]);
    /// let params = Params { weight: [1.0; 2], bias: [0.0; 2] };
    /// let (mut y, mut batch) = ([0.0; 4], Statistics { mean: [0.0; 2], variance: [0.0; 2] });
    /// BatchNorm::new().forward(shape, &x, &mut y, &params, &mut batch)?;
    /// assert_eq!(batch.mean, [2.0, 20.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "NHWC")]
    pub const fn channels_last(batch: usize, [height, width, channels]: [usize; 3]) -> Self {
        // Beyond the largest number it stays there, and every pass refuses such a shape.
        Self::dense(batch.saturating_mul(height).saturating_mul(width), channels)
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
    pub(super) fn fits<const K: usize>(
        &self,
        len: usize,
        channels: [(Argument, usize); K],
    ) -> Result<(), Error> {
        ensure(!self.is_empty(), Error::Empty)?;
        ensure(self.len() < usize::MAX, Error::Shape)?;
        same_length(Argument::Input, self.len(), len)?;
        for (what, found) in channels {
            same_length(what, self.channels, found)?;
        }
        Ok(())
    }
}
