//! Augmentation of images: new training images from old ones, in the caller's buffers.
//!
//! Pixels are `u8` or `f32`. The channels of a pixel are side by side ([`ImageLayout::Hwc`]) or in planes
//! ([`ImageLayout::Chw`]). Random choices are made by a generator that the caller passes, with integer
//! arithmetic and [`elementary`](crate::elementary) functions, so that they are the same on every target.
//!
//! ```
//! use gradus::augment::{Image, ImageMut, Jitter, ImageLayout, RandomCrop, RandomFlip, ImageShape};
//! use rand_core::SeedableRng;
//! let mut rng = rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(1);
//!
//! // The recipe of CIFAR-10: shift by up to 4 pixels, mirror, and change the light.
//! let shape = ImageShape { height: 32, width: 32, channels: 3, layout: ImageLayout::Hwc };
//! let (image, mut new) = ([128_u8; 32 * 32 * 3], [0; 32 * 32 * 3]);
//! let mut new = ImageMut::new(&mut new, shape)?;
//! RandomCrop { pad: 4 }.apply(Image::new(&image, shape)?, &mut new, &mut rng)?;
//! RandomFlip { prob: 0.5 }.apply(&mut new, &mut rng)?;
//! Jitter { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 }.apply(&mut new, &mut rng)?;
//! # Ok::<(), gradus::Error>(())
//! ```

mod affine;
mod crop;
mod erasing;
mod image;
mod light;
mod mixing;
mod recipes;

pub use affine::{Affine, affine};
pub use crop::{Region, crop, fixed_crops, flip, pad_crop, resize};
pub use erasing::{RandomErasing, erase};
pub use image::{Image, ImageLayout, ImageMut, ImageShape, Pixel};
pub use light::{brightness, contrast, hue, saturation};
pub use mixing::{CutMix, Mixup, blend, mix_labels, paste};
pub use recipes::{Jitter, RandomAffine, RandomCrop, RandomFlip, RandomResizedCrop, ScaleCrop};

/// Between two numbers: equal ones are not rounded, and one without weight counts for nothing, also infinity and NaN.
fn mix(weight: f32, a: f32, b: f32) -> f32 {
    if weight == 0.0 || a == b {
        a
    } else if weight == 1.0 {
        b
    } else {
        (1.0 - weight) * a + weight * b
    }
}
