//! Crops, flips and changes of size.

use super::image::LONGEST;
use super::{Image, ImageMut, Pixel, mix};
use crate::error::{Error, ensure};
use crate::noise::chance::{between, index};
use crate::simd::math;
use rand_core::Rng;

/// A rectangle of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Region {
    /// Its first row.
    pub top: usize,
    /// Its first column.
    pub left: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Region {
    /// One of `[h, w]` at any place of an image of `[height, width]`, in which it fits.
    pub(super) fn anywhere([h, w]: [usize; 2], [height, width]: [usize; 2], rng: &mut impl Rng) -> Self {
        let (top, left) = (index(rng, height - h + 1), index(rng, width - w + 1));
        Self { top, left, height: h, width: w }
    }

    /// Calls `change` for every number of an image in the rectangle.
    ///
    /// # Errors
    /// [`Error::Shape`] if the rectangle leaves the image; nothing was called.
    pub(super) fn each<P: Pixel>(
        &self,
        image: &mut ImageMut<'_, P>,
        change: impl Fn(&mut ImageMut<'_, P>, usize, usize, usize),
    ) -> Result<(), Error> {
        let shape = image.shape();
        let (bottom, right) = (self.top.saturating_add(self.height), self.left.saturating_add(self.width));
        ensure(bottom <= shape.height && right <= shape.width, Error::Shape)?;
        for row in self.top..bottom {
            for column in self.left..right {
                for channel in 0..shape.channels {
                    change(image, row, column, channel);
                }
            }
        }
        Ok(())
    }
}

/// The sides of a rectangle whose area is a random share of `whole`, and the first of which is a random multiple of the
/// second: of ten attempts the first that fits.
pub(super) fn sides(
    whole: f32,
    share: [f32; 2],
    ratio: [f32; 2],
    rng: &mut impl Rng,
    fits: impl Fn([usize; 2]) -> bool,
) -> Option<[usize; 2]> {
    let [low, high] = ratio.map(math::ln);
    for _ in 0..10 {
        let area = whole * between(rng, share[0], share[1]);
        let ratio = math::exp(between(rng, low, high));
        let sides = [area * ratio, area / ratio].map(|square| (math::sqrt(square) + 0.5) as usize);
        if fits(sides) {
            return Some(sides);
        }
    }
    None
}

/// Copies the part of `from` that begins at `[top, left]` and is as large as `to`.
///
/// # Errors
/// [`Error::Shape`] if it leaves the image or the channels differ; nothing was changed.
///
/// ```
/// use gradus::augment::{Image, ImageMut, ImageLayout, ImageShape, crop};
/// let shape = |side| ImageShape { height: side, width: side, channels: 1, layout: ImageLayout::Hwc };
/// let (image, mut part) = ([0_u8, 1, 2, 3, 4, 5, 6, 7, 8], [0; 4]);
/// crop(Image::new(&image, shape(3))?, [1, 1], &mut ImageMut::new(&mut part, shape(2))?)?;
/// assert_eq!(part, [4, 5, 7, 8]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn crop<P: Pixel>(
    from: Image<'_, P>,
    [top, left]: [usize; 2],
    to: &mut ImageMut<'_, P>,
) -> Result<(), Error> {
    pad_crop(from, 0, P::from_f32(0.0), [top, left], to)
}

/// [`crop`] of the image with a border of `pad` pixels, all `fill`, around it: `[0, 0]` is the border's corner.
///
/// # Errors
/// [`Error::Shape`] if it leaves the border, the border is wider than 2^24, or the channels differ; nothing
/// was changed.
pub fn pad_crop<P: Pixel>(
    from: Image<'_, P>,
    pad: usize,
    fill: P,
    [top, left]: [usize; 2],
    to: &mut ImageMut<'_, P>,
) -> Result<(), Error> {
    to.takes(&from)?;
    let (source, target) = (from.shape(), to.shape());
    ensure(pad <= LONGEST, Error::Shape)?; // three sides in a sum: none overflows
    for (start, size, side) in [(top, target.height, source.height), (left, target.width, source.width)] {
        ensure(start.saturating_add(size) <= 2 * pad + side, Error::Shape)?;
    }
    for row in 0..target.height {
        for column in 0..target.width {
            for channel in 0..target.channels {
                // A row before the image wraps around, to far behind it.
                let (y, x) = ((top + row).wrapping_sub(pad), (left + column).wrapping_sub(pad));
                to.set(row, column, channel, from.get(y, x, channel).unwrap_or(fill));
            }
        }
    }
    Ok(())
}

/// Mirrors an image: left becomes right.
pub fn flip<P: Pixel>(image: &mut ImageMut<'_, P>) {
    let shape = image.shape();
    for row in 0..shape.height {
        for left in 0..shape.width / 2 {
            let right = shape.width - 1 - left;
            for channel in 0..shape.channels {
                let pair = image.as_image();
                if let (Some(a), Some(b)) = (pair.get(row, left, channel), pair.get(row, right, channel)) {
                    image.set(row, left, channel, b);
                    image.set(row, right, channel, a);
                }
            }
        }
    }
}

/// Fills `to` with the part `region` of `from`, enlarged or shrunk by bilinear interpolation.
///
/// Centres of pixels are mapped to each other, and pixels at the region's border are repeated, as PyTorch
/// does by default. Shrinking averages as many points along each side of a pixel as it has pixels below it, row by row:
/// without, a fine pattern would turn into a coarse one.
///
/// # Errors
/// [`Error::Shape`] if the region is empty or leaves the image, or the channels differ; nothing was
/// changed.
///
/// ```
/// use gradus::augment::{Image, ImageMut, ImageLayout, Region, ImageShape, resize};
/// let shape = |width| ImageShape { height: 1, width, channels: 1, layout: ImageLayout::Hwc };
/// let (image, mut large) = ([0_u8, 100], [0; 4]);
/// let all = Region { top: 0, left: 0, height: 1, width: 2 };
/// resize(Image::new(&image, shape(2))?, all, &mut ImageMut::new(&mut large, shape(4))?)?;
/// assert_eq!(large, [0, 25, 75, 100]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn resize<P: Pixel>(from: Image<'_, P>, region: Region, to: &mut ImageMut<'_, P>) -> Result<(), Error> {
    let (source, target) = (from.shape(), to.shape());
    let Region { top, left, height, width } = region;
    ensure(height > 0 && top.saturating_add(height) <= source.height, Error::Shape)?;
    ensure(width > 0 && left.saturating_add(width) <= source.width, Error::Shape)?;
    let rows = Axis { start: top, size: height, scale: height as f32 / target.height as f32, offset: 0 };
    let columns = Axis { start: left, size: width, scale: width as f32 / target.width as f32, offset: 0 };
    sample(from, rows, columns, to)
}

/// How the pixels of one direction are mapped to those of a region of the source.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    /// First pixel of the region.
    pub start: usize,
    /// Pixels of the region.
    pub size: usize,
    /// Pixels of the region for each pixel that is written.
    pub scale: f32,
    /// Pixels that are left out before the first one that is written.
    pub offset: usize,
}

impl Axis {
    /// Points along a side of a pixel.
    fn points(&self) -> usize {
        let whole = self.scale as usize;
        if whole == 0 || (whole as f32) < self.scale { whole + 1 } else { whole }
    }

    /// The two source pixels around point `k` of `points` in pixel `i`, and the weight of the second.
    fn at(&self, i: usize, k: usize, points: usize) -> (usize, usize, f32) {
        let inside = (k as f32 + 0.5) / points as f32;
        let x = ((i + self.offset) as f32 + inside) * self.scale - 0.5;
        let last = self.size - 1;
        let x = if x > 0.0 { x } else { 0.0 };
        let floor = x as usize;
        let first = if floor < last { floor } else { last };
        let (second, weight) = if first < last { (first + 1, x - floor as f32) } else { (last, 0.0) };
        (self.start + first, self.start + second, weight)
    }
}

/// Fills `to` by bilinear interpolation along both directions.
pub(super) fn sample<P: Pixel>(
    from: Image<'_, P>,
    rows: Axis,
    columns: Axis,
    to: &mut ImageMut<'_, P>,
) -> Result<(), Error> {
    to.takes(&from)?;
    let target = to.shape();
    let (across, down) = (columns.points(), rows.points());
    let points = (across * down) as f32;
    for row in 0..target.height {
        for column in 0..target.width {
            for channel in 0..target.channels {
                let point = |v, u| {
                    let (top, bottom, y) = rows.at(row, v, down);
                    let (left, right, x) = columns.at(column, u, across);
                    let at = |row, column| from.number(row, column, channel, 0.0);
                    let across = |row| mix(x, at(row, left), at(row, right));
                    mix(y, across(top), across(bottom))
                };
                // Where all points are equal, so is their mean, without the rounding of a sum.
                let (first, mut sum, mut equal) = (point(0, 0), 0.0, true);
                for v in 0..down {
                    let mut sum_row = 0.0;
                    for u in 0..across {
                        let x = point(v, u);
                        sum_row += x;
                        equal &= x == first;
                    }
                    sum += sum_row;
                }
                to.set(row, column, channel, P::from_f32(if equal { first } else { sum / points }));
            }
        }
    }
    Ok(())
}

/// Where the five crops of inference begin: the corners and the centre (Krizhevsky et al., 2012).
///
/// With their mirror images they are the ten whose predictions are averaged; ResNet's authors average those of
/// five scales, 224, 256, 384, 480 and 640 pixels:
///
/// ```
/// use gradus::augment::{Image, ImageMut, ImageLayout, Region, ImageShape, crop, fixed_crops, flip, resize};
/// use gradus::noise::MonteCarlo;
/// # let predict = |image: Image<'_, u8>| [f32::from(image.get(0, 0, 0).unwrap()), 1.0];
/// let shape = |side| ImageShape { height: side, width: side, channels: 1, layout: ImageLayout::Hwc };
/// let (image, mut scaled, mut part) = ([7_u8; 64], [0; 10 * 10], [0; 36]);
/// let all = Region { top: 0, left: 0, height: 8, width: 8 };
/// let (mut mean, mut spread) = ([0.0; 2], [0.0; 2]);
/// let mut average = MonteCarlo::new(&mut mean, &mut spread)?;
/// for side in [6, 8, 10] {
///     let mut scaled = ImageMut::new(&mut scaled[..side * side], shape(side))?;
///     resize(Image::new(&image, shape(8))?, all, &mut scaled)?;
///     for corner in fixed_crops([side; 2], [6, 6])? {
///         let mut part = ImageMut::new(&mut part, shape(6))?;
///         crop(scaled.as_image(), corner, &mut part)?;
///         average.add(&predict(part.as_image()))?;
///         flip(&mut part);
///         average.add(&predict(part.as_image()))?;
///     }
/// }
/// assert_eq!((average.count(), average.mean()), (30, &[7.0, 1.0][..]));
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] if the crop is larger than the image.
pub fn fixed_crops([height, width]: [usize; 2], crop: [usize; 2]) -> Result<[[usize; 2]; 5], Error> {
    ensure(crop[0] <= height && crop[1] <= width, Error::Shape)?;
    let (bottom, right) = (height - crop[0], width - crop[1]);
    Ok([[0, 0], [0, right], [bottom, 0], [bottom, right], [bottom / 2, right / 2]])
}
