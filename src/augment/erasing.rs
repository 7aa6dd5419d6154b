//! Random erasing.

use super::crop::sides;
use super::{ImageMut, Pixel, Region};
use crate::error::{Error, Hyper, require};
use crate::noise::chance::unit;
use rand_core::Rng;

/// Random erasing (Zhong et al., 2020): a rectangle of the image is painted over.
///
/// ```text
/// with probability prob:  area  uniform in area[0]..area[1] of the image
///                         height / width = e^u, u uniform in ln ratio[0]..ln ratio[1]; the place anywhere
/// ```
///
/// Ten attempts to find a rectangle that is smaller than the image in both directions; else nothing is erased.
///
/// ```
/// use gradus::augment::{ImageLayout, ImageMut, ImageShape, RandomErasing};
/// use rand_core::SeedableRng;
/// let mut rng = rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(1);
///
/// let shape = ImageShape { height: 8, width: 8, channels: 1, layout: ImageLayout::Hwc };
/// let mut pixels = [9_u8; 64];
/// let always = RandomErasing { prob: 1.0, ..RandomErasing::default() };
/// let region = always.apply(&mut ImageMut::new(&mut pixels, shape)?, &mut rng)?.expect("one that fits");
/// assert_eq!(pixels.iter().filter(|x| **x == 0).count(), region.height * region.width);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "cutout")]
pub struct RandomErasing {
    /// Probability to erase something; 1/2 by default.
    pub prob: f32,
    /// Smallest and largest share of the image's area; 0.02 and 0.33 by default.
    pub area: [f32; 2],
    /// Smallest and largest ratio of height to width; 0.3 and 3.3 by default.
    pub ratio: [f32; 2],
    /// What is painted; 0 by default.
    pub fill: f32,
}

impl Default for RandomErasing {
    /// As torchvision has it.
    fn default() -> Self {
        Self { prob: 0.5, area: [0.02, 0.33], ratio: [0.3, 3.3], fill: 0.0 }
    }
}

impl RandomErasing {
    /// Checks that `prob` is a probability, areas lie in `0..=1`, ratios above 0, and both in order.
    ///
    /// # Errors
    /// [`Error::Range`] if not.
    pub fn check(&self) -> Result<(), Error> {
        let ([small, large], [wide, tall]) = (self.area, self.ratio);
        require(0.0 <= self.prob && self.prob <= 1.0, Hyper::Probability)?;
        require(0.0 <= small && small <= large && large <= 1.0, Hyper::Factor)?;
        require(0.0 < wide && wide <= tall && tall < f32::INFINITY, Hyper::Factor)
    }

    /// A rectangle of an image of `[height, width]`, if one of ten attempts fits.
    pub fn region(&self, [height, width]: [usize; 2], rng: &mut impl Rng) -> Option<Region> {
        let whole = height as f32 * width as f32;
        let [h, w] = sides(whole, self.area, self.ratio, rng, |[h, w]| h < height && w < width)?;
        Some(Region::anywhere([h, w], [height, width], rng))
    }

    /// Erases a rectangle or not, and says which.
    ///
    /// # Errors
    /// [`Error::Range`] as [`check`](Self::check); nothing was changed, nothing drawn.
    pub fn apply<P: Pixel>(
        &self,
        image: &mut ImageMut<'_, P>,
        rng: &mut impl Rng,
    ) -> Result<Option<Region>, Error> {
        self.check()?;
        if unit(rng) >= self.prob {
            return Ok(None);
        }
        let region = self.region([image.shape().height, image.shape().width], rng);
        if let Some(region) = region {
            erase(image, region, P::from_f32(self.fill))?;
        }
        Ok(region)
    }
}

/// Paints a rectangle of an image over with `fill`, in every channel.
///
/// # Errors
/// [`Error::Shape`] if it leaves the image; nothing was changed.
///
/// ```
/// use gradus::augment::{ImageLayout, ImageMut, ImageShape, Region, erase};
/// let shape = ImageShape { height: 2, width: 3, channels: 1, layout: ImageLayout::Hwc };
/// let mut pixels = [1_u8, 2, 3, 4, 5, 6];
/// let right = Region { top: 0, left: 1, height: 2, width: 2 };
/// erase(&mut ImageMut::new(&mut pixels, shape)?, right, 0)?;
/// assert_eq!(pixels, [1, 0, 0, 4, 0, 0]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn erase<P: Pixel>(image: &mut ImageMut<'_, P>, region: Region, fill: P) -> Result<(), Error> {
    region.each(image, |image, row, column, channel| image.set(row, column, channel, fill))
}
