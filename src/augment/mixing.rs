//! Two images in one: Mixup and CutMix, and the labels that belong to them.

use super::image::Image;
use super::{ImageMut, Pixel, Region, mix};
use crate::error::{Argument, Error, Hyper, ensure, require, same_length};
use crate::noise::chance::{beta, index};
use crate::simd::math;
use rand_core::Rng;

/// Mixup (Zhang et al., 2018): a new image between two of the batch, and a label between theirs.
///
/// ```text
/// share ~ Beta(alpha, alpha)
/// image = share * image + (1 - share) * other
/// label = share * label + (1 - share) * label of the other        as probabilities: mix_labels
/// ```
///
/// ```
/// use gradus::augment::{Image, ImageLayout, ImageMut, ImageShape, Mixup, mix_labels};
/// use rand_core::SeedableRng;
/// let mut rng = rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(1);
///
/// let shape = ImageShape { height: 2, width: 2, channels: 1, layout: ImageLayout::Hwc };
/// let (mut cat, dog) = ([0.0_f32; 4], [1.0; 4]);
/// let mut label = [1.0, 0.0];
/// let (mut image, other) = (ImageMut::new(&mut cat, shape)?, Image::new(&dog, shape)?);
/// let share = Mixup { alpha: 0.2 }.apply(&mut image, other, &mut rng)?;
/// mix_labels(share, &mut label, &[0.0, 1.0])?;
/// assert_eq!(label, [1.0 - cat[0], cat[0]]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "data augmentation")]
pub struct Mixup {
    /// Both parameters of the Beta distribution: small ones leave most images nearly alone, 1 draws every share alike.
    pub alpha: f32,
}

impl Mixup {
    /// Checks that `alpha` is at least the smallest normal number, 1.2e-38, and at most a million.
    ///
    /// # Errors
    /// [`Error::Range`] if not.
    pub fn check(&self) -> Result<(), Error> {
        check_alpha(self.alpha)
    }

    /// Mixes `other` into `image`, and returns the share of `image`.
    ///
    /// # Errors
    /// [`Error::Range`] as [`check`](Self::check), [`Error::Shape`] if the images differ in size, channels or layout;
    /// nothing was changed, nothing drawn.
    pub fn apply<P: Pixel>(
        &self,
        image: &mut ImageMut<'_, P>,
        other: Image<'_, P>,
        rng: &mut impl Rng,
    ) -> Result<f32, Error> {
        self.check()?;
        ensure(image.shape() == other.shape(), Error::Shape)?;
        let share = beta(rng, self.alpha);
        blend(image, other, share)?;
        Ok(share)
    }
}

/// CutMix (Yun et al., 2019): a rectangle of another image in the place of the image's own.
///
/// ```text
/// wanted ~ Beta(alpha, alpha)
/// rectangle: sqrt(1 - wanted) of height and width, its centre anywhere, cut at the borders
/// share = 1 - area of the rectangle / area of the image              label as in Mixup, with this share
/// ```
///
/// ```
/// use gradus::augment::{CutMix, Image, ImageLayout, ImageMut, ImageShape, mix_labels};
/// use rand_core::SeedableRng;
/// let mut rng = rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(1);
///
/// let shape = ImageShape { height: 4, width: 4, channels: 1, layout: ImageLayout::Hwc };
/// let (mut cat, dog) = ([0_u8; 16], [1; 16]);
/// let (mut image, other) = (ImageMut::new(&mut cat, shape)?, Image::new(&dog, shape)?);
/// let share = CutMix { alpha: 1.0 }.apply(&mut image, other, &mut rng)?;
/// let kept = cat.iter().filter(|x| **x == 0).count();
/// assert_eq!(share, kept as f32 / 16.0);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "data augmentation")]
pub struct CutMix {
    /// Both parameters of the Beta distribution; 1 in the paper.
    pub alpha: f32,
}

impl CutMix {
    /// Checks that `alpha` is at least the smallest normal number, 1.2e-38, and at most a million.
    ///
    /// # Errors
    /// [`Error::Range`] if not.
    pub fn check(&self) -> Result<(), Error> {
        check_alpha(self.alpha)
    }

    /// The rectangle that leaves about `share` of an image of `[height, width]`, around the pixel `centre`.
    ///
    /// It has no pixel where half of its height or width is less than one.
    #[must_use]
    pub fn region([height, width]: [usize; 2], share: f32, centre: [usize; 2]) -> Region {
        let half_side = 0.5 * math::sqrt(1.0 - share);
        let along = |size: usize, centre: usize| {
            let half = (half_side * size as f32) as usize;
            let (start, end) = (centre.saturating_sub(half).min(size), centre.saturating_add(half).min(size));
            (start, end - start)
        };
        let ((top, height), (left, width)) = (along(height, centre[0]), along(width, centre[1]));
        Region { top, left, height, width }
    }

    /// Pastes a rectangle of `other` into `image`, and returns the share of `image` that is left.
    ///
    /// # Errors
    /// [`Error::Range`] as [`check`](Self::check), [`Error::Shape`] if the images differ in size, channels or layout;
    /// nothing was changed, nothing drawn.
    pub fn apply<P: Pixel>(
        &self,
        image: &mut ImageMut<'_, P>,
        other: Image<'_, P>,
        rng: &mut impl Rng,
    ) -> Result<f32, Error> {
        self.check()?;
        let shape = image.shape();
        ensure(shape == other.shape(), Error::Shape)?;
        let wanted = beta(rng, self.alpha);
        let centre = [index(rng, shape.height), index(rng, shape.width)];
        let region = Self::region([shape.height, shape.width], wanted, centre);
        paste(image, other, region)?;
        let (cut, all) = (region.height * region.width, shape.height * shape.width);
        Ok((all - cut) as f32 / all as f32)
    }
}

/// The largest parameter of a Beta distribution: the spread of its shares is right to 1 %.
const MOST_ALPHA: f32 = 1e6;

fn check_alpha(alpha: f32) -> Result<(), Error> {
    // Logarithms over a smaller one are infinite: hardly a pair of numbers would do. Over a larger one, what makes the
    // shares differ is rounded away.
    require(alpha >= f32::MIN_POSITIVE && alpha <= MOST_ALPHA, Hyper::Factor)
}

/// Mixes `other` into `image`: `share * image + (1 - share) * other`.
///
/// # Errors
/// [`Error::Range`] if `share` is outside of `0..=1`, [`Error::Shape`] if the images differ in size, channels or layout;
/// nothing was changed.
pub fn blend<P: Pixel>(image: &mut ImageMut<'_, P>, other: Image<'_, P>, share: f32) -> Result<(), Error> {
    check_share(share)?;
    ensure(image.shape() == other.shape(), Error::Shape)?;
    for (x, y) in image.numbers().iter_mut().zip(other.numbers()) {
        *x = P::from_f32(mix(share, y.to_f32(), x.to_f32()));
    }
    Ok(())
}

/// Copies a rectangle of `other` to the same place in `image`.
///
/// # Errors
/// [`Error::Shape`] if the images differ in size, channels or layout, or the rectangle leaves them; nothing was changed.
pub fn paste<P: Pixel>(
    image: &mut ImageMut<'_, P>,
    other: Image<'_, P>,
    region: Region,
) -> Result<(), Error> {
    ensure(image.shape() == other.shape(), Error::Shape)?;
    region.each(image, |image, row, column, channel| {
        if let Some(x) = other.get(row, column, channel) {
            image.set(row, column, channel, x);
        }
    })
}

/// Mixes the labels of two images, each a probability for every class: `share * labels + (1 - share) * other`.
///
/// # Errors
/// [`Error::Range`] if `share` is outside of `0..=1`, [`Error::Length`] if the labels differ in length; nothing was
/// changed.
pub fn mix_labels(share: f32, labels: &mut [f32], other: &[f32]) -> Result<(), Error> {
    check_share(share)?;
    same_length(Argument::Labels, labels.len(), other.len())?;
    for (x, y) in labels.iter_mut().zip(other) {
        *x = mix(share, *y, *x);
    }
    Ok(())
}

fn check_share(share: f32) -> Result<(), Error> {
    require(0.0 <= share && share <= 1.0, Hyper::Fraction)
}
