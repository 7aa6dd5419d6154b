//! What chance decides: the recipes by which networks are trained.

use super::crop::{Axis, sample, sides};
use super::image::LONGEST;
use super::{
    Affine, Image, ImageMut, Pixel, Region, affine, brightness, contrast, flip, hue, pad_crop, resize,
    saturation,
};
use crate::error::{Error, Hyper, ensure, require};
use crate::noise::chance::{between, index, unit};
use crate::simd::math;
use rand_core::Rng;

/// Whether a strength is at least 0 and at most the longest side: no map or factor of it overflows.
fn strength(x: f32) -> Result<(), Error> {
    require(0.0 <= x && x <= LONGEST as f32, Hyper::Factor)
}

/// Crops at a random place, after a border of zeros was put around the image.
///
/// Every place is equally likely, the last one too. With `pad` 4 it is the recipe of CIFAR-10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RandomCrop {
    /// Pixels on each side.
    pub pad: usize,
}

impl RandomCrop {
    /// Checks that the border is at most 2^24 wide.
    ///
    /// # Errors
    /// [`Error::Shape`] if it is wider.
    pub const fn check(&self) -> Result<(), Error> {
        ensure(self.pad <= LONGEST, Error::Shape)
    }

    /// Fills `to` with a part of `from`.
    ///
    /// # Errors
    /// [`Error::Shape`] as [`check`](Self::check), or if `to` is larger than `from` with its border, or the
    /// channels differ; nothing was changed, nothing drawn.
    pub fn apply<P: Pixel>(
        &self,
        from: Image<'_, P>,
        to: &mut ImageMut<'_, P>,
        rng: &mut impl Rng,
    ) -> Result<(), Error> {
        self.check()?;
        to.takes(&from)?;
        let (source, target) = (from.shape(), to.shape());
        let rows = (2 * self.pad + source.height).checked_sub(target.height);
        let columns = (2 * self.pad + source.width).checked_sub(target.width);
        let (Some(rows), Some(columns)) = (rows, columns) else {
            return Err(Error::Shape);
        };
        let place = [index(rng, rows + 1), index(rng, columns + 1)];
        pad_crop(from, self.pad, P::from_f32(0.0), place, to)
    }
}

/// Mirrors the image with a probability.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "mirror")]
pub struct RandomFlip {
    /// Probability to mirror it.
    pub prob: f32,
}

impl RandomFlip {
    /// Checks that `prob` is a probability.
    ///
    /// # Errors
    /// [`Error::Range`] if it is not.
    pub const fn check(&self) -> Result<(), Error> {
        require(0.0 <= self.prob && self.prob <= 1.0, Hyper::Probability)
    }

    /// Mirrors it or not, and says so.
    ///
    /// # Errors
    /// [`Error::Range`] as [`check`](Self::check); nothing was changed, nothing drawn.
    pub fn apply<P: Pixel>(&self, image: &mut ImageMut<'_, P>, rng: &mut impl Rng) -> Result<bool, Error> {
        self.check()?;
        let mirror = unit(rng) < self.prob;
        if mirror {
            flip(image);
        }
        Ok(mirror)
    }
}

/// Random scale and crop (He et al., 2016, for ImageNet): the shorter side becomes `L` pixels, of which a
/// patch is taken.
///
/// ```text
/// L uniform in shortest[0]..=shortest[1], the longer side in proportion; the patch anywhere in it
/// ```
///
/// The patch is as large as the image that is written, 224 x 224 in the paper. The image at its new size
/// is never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ScaleCrop {
    /// Smallest and largest length of the shorter side; 256 and 480 in the paper.
    pub shortest: [usize; 2],
}

impl ScaleCrop {
    /// The paper's: 256 to 480.
    #[must_use]
    pub const fn resnet() -> Self {
        Self { shortest: [256, 480] }
    }

    /// Checks that the lengths lie between 1 and 2^24, and in order.
    ///
    /// # Errors
    /// [`Error::Shape`] if not.
    pub const fn check(&self) -> Result<(), Error> {
        let [low, high] = self.shortest;
        ensure(0 < low && low <= high && high <= LONGEST, Error::Shape)
    }

    /// Fills `to` with a part of `from` at a random scale.
    ///
    /// # Errors
    /// [`Error::Shape`] as [`check`](Self::check), or if `to` is larger than the smallest length, the longer
    /// side would be above 2^24, or the channels differ; nothing was changed, nothing drawn.
    pub fn apply<P: Pixel>(
        &self,
        from: Image<'_, P>,
        to: &mut ImageMut<'_, P>,
        rng: &mut impl Rng,
    ) -> Result<(), Error> {
        self.check()?;
        to.takes(&from)?;
        let (source, target, [low, high]) = (from.shape(), to.shape(), self.shortest);
        ensure(target.height <= low && target.width <= low, Error::Shape)?;
        let shorter = source.height.min(source.width) as u64;
        // It does not round below `short`: the patch fits.
        let side = |size: usize, short: usize| {
            (size as u64 * short as u64 + shorter / 2).checked_div(shorter).unwrap_or(0) as usize
        };
        let longer = source.height.max(source.width) as u64;
        ensure(longer * high as u64 <= LONGEST as u64 * shorter, Error::Shape)?;
        let short = low + index(rng, high - low + 1);
        let (height, width) = (side(source.height, short), side(source.width, short));
        let axis = |size: usize, scaled: usize, patch: usize, rng: &mut _| Axis {
            start: 0,
            size,
            scale: size as f32 / scaled as f32,
            offset: index(rng, scaled.saturating_sub(patch) + 1),
        };
        let rows = axis(source.height, height, target.height, rng);
        let columns = axis(source.width, width, target.width, rng);
        sample(from, rows, columns, to)
    }
}

/// Random resized crop (Szegedy et al., 2015): a part of random area and shape, brought to one size.
///
/// ```text
/// area  uniform in area[0]..area[1] of the image;  width / height = e^u, u uniform in ln ratio[0]..ln ratio[1]
/// ```
///
/// Ten attempts to find a part that fits; then the largest one in the centre whose ratio is allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RandomResizedCrop {
    /// Smallest and largest share of the image's area; 0.08 and 1 by default.
    pub area: [f32; 2],
    /// Smallest and largest ratio of width to height; 3/4 and 4/3 by default.
    pub ratio: [f32; 2],
}

impl Default for RandomResizedCrop {
    fn default() -> Self {
        Self { area: [0.08, 1.0], ratio: [0.75, 4.0 / 3.0] }
    }
}

impl RandomResizedCrop {
    /// Checks that areas lie above 0 and up to 1, ratios above 0, and both in order.
    ///
    /// # Errors
    /// [`Error::Range`] if not.
    pub fn check(&self) -> Result<(), Error> {
        let ([small, large], [tall, wide]) = (self.area, self.ratio);
        require(0.0 < small && small <= large && large <= 1.0, Hyper::Factor)?;
        require(0.0 < tall && tall <= wide && wide < f32::INFINITY, Hyper::Factor)
    }

    /// The part of an image of `[height, width]` to take.
    pub fn region(&self, [height, width]: [usize; 2], rng: &mut impl Rng) -> Region {
        let whole = height as f32 * width as f32;
        let fits = |[w, h]: [usize; 2]| 0 < w && w <= width && 0 < h && h <= height;
        if let Some([w, h]) = sides(whole, self.area, self.ratio, rng, fits) {
            return Region::anywhere([h, w], [height, width], rng);
        }
        let ratio = width as f32 / height as f32;
        let h = if ratio < self.ratio[0] { (width as f32 / self.ratio[0] + 0.5) as usize } else { height };
        let w = if ratio > self.ratio[1] { (height as f32 * self.ratio[1] + 0.5) as usize } else { width };
        let (h, w) = (h.max(1).min(height), w.max(1).min(width));
        Region { top: (height - h) / 2, left: (width - w) / 2, height: h, width: w }
    }

    /// Fills `to` with a random part of `from`.
    ///
    /// # Errors
    /// [`Error::Range`] as [`check`](Self::check), [`Error::Shape`] if the channels differ; nothing was changed, nothing
    /// drawn.
    pub fn apply<P: Pixel>(
        &self,
        from: Image<'_, P>,
        to: &mut ImageMut<'_, P>,
        rng: &mut impl Rng,
    ) -> Result<(), Error> {
        self.check()?;
        to.takes(&from)?;
        let region = self.region([from.shape().height, from.shape().width], rng);
        resize(from, region, to)
    }
}

/// Random changes of brightness, contrast, saturation and hue, in this order.
///
/// ```text
/// factor uniform in 1 - strength .. 1 + strength, for each but hue, from 0 on; no strength, no change
/// turn   uniform in -hue .. hue
/// ```
///
/// Strengths lie between 0 and 2^24, that of hue between 0 and 1/2.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "color jitter")]
#[doc(alias = "colour jitter")]
pub struct Jitter {
    /// Strength of [`brightness`].
    pub brightness: f32,
    /// Strength of [`contrast`].
    pub contrast: f32,
    /// Strength of [`saturation`].
    pub saturation: f32,
    /// Strength of [`hue`].
    pub hue: f32,
}

impl Jitter {
    /// Checks that every strength lies in its range.
    ///
    /// # Errors
    /// [`Error::Range`] if one does not.
    pub fn check(&self) -> Result<(), Error> {
        strength(self.brightness)?;
        strength(self.contrast)?;
        strength(self.saturation)?;
        require(0.0 <= self.hue && self.hue <= 0.5, Hyper::Factor)
    }

    /// Changes the image. Four numbers are drawn, whatever the strengths.
    ///
    /// # Errors
    /// [`Error::Range`] as [`check`](Self::check); nothing was changed, nothing drawn.
    pub fn apply<P: Pixel>(&self, image: &mut ImageMut<'_, P>, rng: &mut impl Rng) -> Result<(), Error> {
        self.check()?;
        let factors = [self.brightness, self.contrast, self.saturation]
            .map(|strength| between(rng, if strength < 1.0 { 1.0 - strength } else { 0.0 }, 1.0 + strength));
        let ([by_brightness, by_contrast, by_saturation], turn) =
            (factors, between(rng, -self.hue, self.hue));
        if self.brightness != 0.0 {
            brightness(image, by_brightness);
        }
        if self.contrast != 0.0 {
            contrast(image, by_contrast);
        }
        if self.saturation != 0.0 {
            saturation(image, by_saturation);
        }
        if self.hue != 0.0 {
            hue(image, turn);
        }
        Ok(())
    }
}

/// A random affine map: stretch, shear, rotation and translation, in this order.
///
/// ```text
/// translate, rotate, shear   uniform in -strength..strength
/// stretch, for each axis     e^u, u uniform in -ln(1 + strength)..ln(1 + strength)
/// ```
///
/// Strengths lie between 0 and 2^24, so that every map is finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "rotation")]
#[doc(alias = "shear")]
#[doc(alias = "translation")]
pub struct RandomAffine {
    /// Pixels to the right or left, and down or up.
    pub translate: f32,
    /// Degrees in either direction.
    pub rotate: f32,
    /// Largest enlargement of each axis, less 1: 0.25 is from 0.8 to 1.25.
    pub stretch: f32,
    /// Largest slant.
    pub shear: f32,
}

impl RandomAffine {
    /// Checks that every strength lies in its range.
    ///
    /// # Errors
    /// [`Error::Range`] if one does not.
    pub fn check(&self) -> Result<(), Error> {
        strength(self.translate)?;
        strength(self.rotate)?;
        strength(self.stretch)?;
        strength(self.shear)
    }

    /// Draws a map: six numbers, whatever the strengths; they are not checked.
    pub fn draw(&self, rng: &mut impl Rng) -> Affine {
        let mut around = |strength: f32| between(rng, -strength, strength);
        let most = math::ln_1p(self.stretch);
        let (x, y) = (math::exp(around(most)), math::exp(around(most)));
        let (shear, degrees) = (around(self.shear), around(self.rotate));
        let (right, down) = (around(self.translate), around(self.translate));
        Affine::stretch(x, y)
            .then(Affine::shear(shear))
            .then(Affine::rotate(degrees))
            .then(Affine::translate(right, down))
    }

    /// Fills `to` with `from` under a random map; `fill` where there is no image.
    ///
    /// # Errors
    /// [`Error::Range`] as [`check`](Self::check), [`Error::Shape`] if the channels differ; nothing was changed, nothing
    /// drawn.
    pub fn apply<P: Pixel>(
        &self,
        from: Image<'_, P>,
        fill: f32,
        to: &mut ImageMut<'_, P>,
        rng: &mut impl Rng,
    ) -> Result<(), Error> {
        self.check()?;
        to.takes(&from)?;
        affine(from, &self.draw(rng), fill, to)
    }
}
