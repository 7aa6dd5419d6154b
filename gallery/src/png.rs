//! Small PNG files: at most 192 colours.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The file of a picture with the colours that it has most of.
///
/// # Errors
/// Those of the encoder.
pub fn indexed(width: u32, height: u32, pixels: &[[u8; 3]]) -> Result<Vec<u8>, EncodingError> {
    let (palette, indices) = palette(pixels);
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(Compression::High);
    encoder.set_filter(Filter::NoFilter);
    encoder.write_header()?.write_image_data(&indices)?;
    Ok(file)
}

/// The 192 most frequent colours, and for each pixel the nearest of them: small files.
fn palette(pixels: &[[u8; 3]]) -> (Vec<[u8; 3]>, Vec<u8>) {
    let mut counts = BTreeMap::<[u8; 3], usize>::new();
    for &pixel in pixels {
        *counts.entry(pixel).or_default() += 1;
    }
    let mut palette = Vec::from_iter(counts.keys().copied());
    palette.sort_by_key(|color| Reverse(counts[color]));
    palette.truncate(192);
    let distance =
        |a: [u8; 3], b: [u8; 3]| (0..3).map(|i| u32::from(a[i].abs_diff(b[i])).pow(2)).sum::<u32>();
    let nearest = BTreeMap::from_iter(counts.keys().map(|&color| {
        let index = (0..palette.len()).min_by_key(|&i| distance(palette[i], color));
        (color, index.unwrap_or(0) as u8)
    }));
    let indices = pixels.iter().map(|pixel| nearest[pixel]).collect();
    (palette, indices)
}
