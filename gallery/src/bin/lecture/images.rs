//! A digit and a landscape, augmented. The landscape is a formula: there is no photograph here.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use digits::data::DIGITS;
use gallery::png::indexed;
use gallery::style::{INK, SCALE, finish, squares, words_at};
use gradus::augment::{
    Affine, Image, ImageLayout, ImageMut, ImageShape, Jitter, RandomCrop, RandomErasing, ScaleCrop, affine,
    flip,
};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use std::error::Error;

type Pixels = Vec<f32>;

const WIDTH: usize = 54;
const HEIGHT: usize = 42;
const PHOTO: ImageShape = ImageShape { height: HEIGHT, width: WIDTH, channels: 3, layout: ImageLayout::Hwc };
const DIGIT: ImageShape = ImageShape { height: 8, width: 8, channels: 1, layout: ImageLayout::Hwc };

/// Sky, sun, two ranges of hills, a field with furrows and a house, from 0 to 1.
fn landscape() -> Pixels {
    let mut pixels = Vec::new();
    for row in 0..HEIGHT {
        for column in 0..WIDTH {
            let (x, y) = (column as f32 / WIDTH as f32, row as f32 / HEIGHT as f32);
            let far = 0.42 + 0.07 * (9.0 * x).sin() + 0.03 * (23.0 * x).cos();
            let near = 0.58 + 0.06 * (5.0 * x + 2.0).sin();
            let house = (0.62..0.78).contains(&x) && (0.5..0.68).contains(&y);
            let roof = (0.4..0.5).contains(&y) && (x - 0.7).abs() < y - 0.4 + 0.02;
            pixels.extend(if roof {
                [0.62, 0.2, 0.15]
            } else if house {
                let window = (0.66..0.7).contains(&x) && (0.54..0.61).contains(&y);
                if window { [0.25, 0.3, 0.4] } else { [0.92, 0.88, 0.78] }
            } else if (x - 0.2).hypot(0.8 * (y - 0.18)) < 0.08 {
                [1.0, 0.92, 0.5]
            } else if y < far {
                [0.45 + 0.5 * y, 0.68 + 0.4 * y, 0.95]
            } else if y < near {
                [0.42, 0.5 - 0.2 * (y - far), 0.62]
            } else {
                let furrow = 0.05 * (60.0 * (x - 0.5) / (y - 0.35)).sin();
                [0.42 + furrow + 0.2 * (y - near), 0.6 + furrow, 0.25]
            });
        }
    }
    pixels
}

/// What makes a new image of an old one.
type Change = Box<dyn Fn(&[f32], ImageShape) -> Result<Pixels, gradus::Error>>;

/// An affine map around the centre.
fn mapped(map: Affine) -> Change {
    Box::new(move |image, shape| {
        let mut new = image.to_vec();
        affine(Image::new(image, shape)?, &map, 0.0, &mut ImageMut::new(&mut new, shape)?)?;
        Ok(new)
    })
}

/// A change in place.
fn changed(change: impl Fn(&mut ImageMut<'_, f32>) -> Result<(), gradus::Error> + 'static) -> Change {
    Box::new(move |image, shape| {
        let mut new = image.to_vec();
        change(&mut ImageMut::new(&mut new, shape)?)?;
        Ok(new)
    })
}

fn chance(seed: u64) -> Xoshiro128PlusPlus {
    Xoshiro128PlusPlus::seed_from_u64(seed)
}

fn changes() -> Vec<(&'static str, Change)> {
    vec![
        ("original", changed(|_| Ok(()))),
        (
            "crop",
            Box::new(|image, shape| {
                let mut new = image.to_vec();
                let recipe = RandomCrop { pad: shape.height / 6 };
                recipe.apply(
                    Image::new(image, shape)?,
                    &mut ImageMut::new(&mut new, shape)?,
                    &mut chance(1),
                )?;
                Ok(new)
            }),
        ),
        (
            "scale, crop",
            Box::new(|image, shape| {
                let mut new = image.to_vec();
                let recipe = ScaleCrop { shortest: [shape.height + 2 * shape.height / 5, 2 * shape.height] };
                recipe.apply(
                    Image::new(image, shape)?,
                    &mut ImageMut::new(&mut new, shape)?,
                    &mut chance(1),
                )?;
                Ok(new)
            }),
        ),
        (
            "flip",
            changed(|image| {
                flip(image);
                Ok(())
            }),
        ),
        (
            "translation",
            Box::new(|image, shape| {
                mapped(Affine::translate(shape.width as f32 / 8.0, shape.height as f32 / -10.0))(image, shape)
            }),
        ),
        ("rotation", mapped(Affine::rotate(14.0))),
        ("stretching", mapped(Affine::stretch(0.7, 1.15))),
        ("shearing", mapped(Affine::shear(0.3))),
        (
            "colour jitter",
            changed(|image| {
                Jitter { brightness: 0.4, contrast: 0.4, saturation: 0.6, hue: 0.08 }
                    .apply(image, &mut chance(9))
            }),
        ),
        (
            "erasing",
            changed(|image| {
                RandomErasing { prob: 1.0, ..RandomErasing::default() }
                    .apply(image, &mut chance(4))
                    .map(|_| ())
            }),
        ),
    ]
}

/// Ten changes of a digit and of a landscape, and four colours of the landscape.
pub fn augmented() -> Result<String, Box<dyn Error>> {
    let (photo, digit) = (landscape(), Vec::from_iter(DIGITS[7].pixels.map(|p| f32::from(p) / 16.0)));
    let mut body = String::new();
    let mut tiles = Vec::new();
    for (number, (name, change)) in changes().iter().enumerate() {
        let at = [16 + 178 * (number % 5), 18 + 250 * (number / 5)];
        body += &words_at(at, 13, INK, name);
        let small = change(&digit, DIGIT)?;
        // Cells of a shade together: sixteen shades of grey.
        let at = [at[0], at[1] + 8];
        body += &squares(at, 11, 0.06, INK, (0..64).map(|i| (i % 8, i / 8)));
        for level in 1..=16_u32 {
            let shown =
                (0..64).filter(|&i| (small[i] * 16.0).round() as u32 == level).map(|i| (i % 8, i / 8));
            let shown = Vec::from_iter(shown);
            if !shown.is_empty() {
                body += &squares(at, 11, f64::from(level) / 16.0, INK, shown.into_iter());
            }
        }
        tiles.push((change(&photo, PHOTO)?, [at[0], at[1] + 96]));
    }
    for (tile, at) in &tiles {
        body += &picture(tile, *at)?;
    }
    let words = "A digit of 8 by 8 pixels and a landscape, ten times: as they are, cropped, scaled and cropped, flipped, translated, rotated, stretched, sheared, in other light, and with a part erased";
    Ok(finish(&body, (900, 510), words))
}

/// A tile as a PNG within the SVG, three times as large.
fn picture(pixels: &[f32], [x, y]: [usize; 2]) -> Result<String, Box<dyn Error>> {
    let byte = |x: f32| (x.clamp(0.0, 1.0) * 15.0).round() as u8 * 17; // sixteen shades of each colour are enough
    let rgb = Vec::from_iter(pixels.as_chunks::<3>().0.iter().map(|p| p.map(byte)));
    let png = BASE64_STANDARD.encode(indexed(WIDTH as u32, HEIGHT as u32, &rgb)?);
    let [x, y, width, height] = [x, y, 3 * WIDTH, 3 * HEIGHT].map(|n| n * SCALE as usize);
    Ok(format!(
        "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" style=\"image-rendering:pixelated\" \
         href=\"data:image/png;base64,{png}\"/>\n"
    ))
}
