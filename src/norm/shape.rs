//! How activations lie in memory.

use crate::error::{Argument, Error, ensure, same_length};
use crate::simd::Element;

/// How activations lie in memory: batch x channels x spatial, the last one contiguous.
///
/// `spatial` is height x width of an image, and 1 after a dense layer.
///
/// ```
/// use gradus::norm::BatchShape;
/// let images = BatchShape { batch: 32, channels: 16, spatial: 8 * 8 };
/// assert_eq!((images.len(), BatchShape::dense(32, 10).len()), (32_768, 320));
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
