//! Images in the caller's memory.

use crate::error::{Argument, Error, ensure, same_length};

/// The longest side, also of a border and of what is only computed with: coordinates are exact in f32.
pub(super) const LONGEST: usize = 1 << 24;

/// A pixel's number: `u8` from 0 to 255, or `f32` in whatever range the network wants. Sealed.
pub trait Pixel: Copy + PartialEq + Seal {
    /// The number as f32.
    fn to_f32(self) -> f32;

    /// The nearest number: `u8` rounds half up and saturates, NaN becomes 0.
    fn from_f32(x: f32) -> Self;
}

/// The seal of [`Pixel`].
pub trait Seal {}

impl Seal for u8 {}
impl Seal for f32 {}

impl Pixel for u8 {
    #[inline]
    fn to_f32(self) -> f32 {
        f32::from(self)
    }
    #[inline]
    fn from_f32(x: f32) -> Self {
        let whole = x as Self; // the cast saturates; x + 0.5 would round what is just below a half
        if x - f32::from(whole) >= 0.5 { whole.saturating_add(1) } else { whole }
    }
}

impl Pixel for f32 {
    #[inline]
    fn to_f32(self) -> f32 {
        self
    }
    #[inline]
    fn from_f32(x: f32) -> Self {
        x
    }
}

/// How the numbers of an image follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ImageLayout {
    /// Height, width, channel: the channels of a pixel side by side.
    Hwc,
    /// Channel, height, width: one plane after the other.
    Chw,
}

/// Size and layout of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ImageShape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Numbers of a pixel.
    pub channels: usize,
    /// Their order.
    pub layout: ImageLayout,
}

impl ImageShape {
    /// Distance from one row, column and channel to the next.
    #[inline]
    const fn strides(&self) -> [usize; 3] {
        match self.layout {
            ImageLayout::Hwc => [self.width * self.channels, self.channels, 1],
            ImageLayout::Chw => [self.width, 1, self.height * self.width],
        }
    }

    /// Where a number lies.
    #[inline]
    const fn at(&self, row: usize, column: usize, channel: usize) -> usize {
        let [rows, columns, channels] = self.strides();
        row * rows + column * columns + channel * channels
    }

    /// Checks that there is something in it, `len` numbers in all.
    fn check(&self, len: usize) -> Result<(), Error> {
        let sides = self.height <= LONGEST && self.width <= LONGEST;
        ensure(self.height > 0 && self.width > 0 && self.channels > 0, Error::Empty)?;
        ensure(sides, Error::Shape)?;
        same_length(
            Argument::Input,
            self.height.saturating_mul(self.width).saturating_mul(self.channels),
            len,
        )
    }
}

/// An image to read.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a, P> {
    pixels: &'a [P],
    shape: ImageShape,
}

impl<'a, P: Pixel> Image<'a, P> {
    /// An image in borrowed memory.
    ///
    /// # Errors
    /// [`Error::Empty`] if a side is 0, [`Error::Shape`] if one is above 2^24, [`Error::Length`] if there are not
    /// height x width x channels numbers.
    pub fn new(pixels: &'a [P], shape: ImageShape) -> Result<Self, Error> {
        shape.check(pixels.len())?;
        Ok(Self { pixels, shape })
    }

    /// Size and layout.
    #[must_use]
    pub const fn shape(&self) -> ImageShape {
        self.shape
    }

    /// One number of one pixel, `None` outside of the image.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize, column: usize, channel: usize) -> Option<P> {
        let ImageShape { height, width, channels, .. } = self.shape;
        if row < height && column < width && channel < channels {
            self.pixels.get(self.shape.at(row, column, channel)).copied()
        } else {
            None
        }
    }

    /// All numbers, in the order of the memory.
    pub(super) const fn numbers(&self) -> &'a [P] {
        self.pixels
    }

    /// One number as f32, `fill` outside of the image.
    #[inline]
    pub(super) fn number(&self, row: usize, column: usize, channel: usize, fill: f32) -> f32 {
        self.get(row, column, channel).map_or(fill, P::to_f32)
    }
}

/// An image to write.
#[derive(Debug)]
pub struct ImageMut<'a, P> {
    pixels: &'a mut [P],
    shape: ImageShape,
}

impl<'a, P: Pixel> ImageMut<'a, P> {
    /// An image in borrowed memory.
    ///
    /// # Errors
    /// [`Error::Empty`] if a side is 0, [`Error::Shape`] if one is above 2^24, [`Error::Length`] if there are not
    /// height x width x channels numbers.
    pub fn new(pixels: &'a mut [P], shape: ImageShape) -> Result<Self, Error> {
        shape.check(pixels.len())?;
        Ok(Self { pixels, shape })
    }

    /// Size and layout.
    #[must_use]
    pub const fn shape(&self) -> ImageShape {
        self.shape
    }

    /// The image to read.
    #[must_use]
    pub const fn as_image(&self) -> Image<'_, P> {
        Image { pixels: self.pixels, shape: self.shape }
    }

    /// Writes one number of one pixel; outside of the image nothing.
    #[inline]
    pub fn set(&mut self, row: usize, column: usize, channel: usize, x: P) {
        let ImageShape { height, width, channels, .. } = self.shape;
        if row < height
            && column < width
            && channel < channels
            && let Some(pixel) = self.pixels.get_mut(self.shape.at(row, column, channel))
        {
            *pixel = x;
        }
    }

    /// All numbers, in the order of the memory.
    pub(super) fn numbers(&mut self) -> &mut [P] {
        self.pixels
    }

    /// Whether an image with the channels of `source` fits in.
    pub(super) fn takes(&self, source: &Image<'_, P>) -> Result<(), Error> {
        ensure(self.shape.channels == source.shape.channels, Error::Shape)
    }
}
