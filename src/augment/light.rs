//! Brightness, contrast and saturation: a factor of 1 changes nothing. `u8` saturates, `f32` is not clamped.

use super::{Image, ImageMut, Pixel, mix};

/// Multiplies every number: `x * factor`. `u8` saturates, `f32` is not clamped.
pub fn brightness<P: Pixel>(image: &mut ImageMut<'_, P>, factor: f32) {
    for x in image.numbers() {
        *x = P::from_f32(x.to_f32() * factor);
    }
}

/// Moves every number away from the image's mean grey, or towards it: `factor * x + (1 - factor) * mean`.
///
/// `u8` saturates, `f32` is not clamped. The mean is summed over each row, then over the rows.
pub fn contrast<P: Pixel>(image: &mut ImageMut<'_, P>, factor: f32) {
    let (shape, source) = (image.shape(), image.as_image());
    let mut sum = 0.0;
    for row in 0..shape.height {
        let mut sum_row = 0.0;
        for column in 0..shape.width {
            sum_row += grey(&source, row, column);
        }
        sum += sum_row;
    }
    let mean = sum / (shape.height * shape.width) as f32;
    for x in image.numbers() {
        *x = P::from_f32(mix(factor, mean, x.to_f32()));
    }
}

/// Moves every pixel away from its own grey, or towards it: `factor * x + (1 - factor) * grey`.
///
/// `u8` saturates, `f32` is not clamped.
pub fn saturation<P: Pixel>(image: &mut ImageMut<'_, P>, factor: f32) {
    let shape = image.shape();
    for row in 0..shape.height {
        for column in 0..shape.width {
            let grey = grey(&image.as_image(), row, column);
            for channel in 0..shape.channels {
                let x = image.as_image().number(row, column, channel, 0.0);
                image.set(row, column, channel, P::from_f32(mix(factor, grey, x)));
            }
        }
    }
}

/// The grey of a pixel: of red, green and blue by ITU-R BT.601, else the mean of the channels.
fn grey<P: Pixel>(image: &Image<'_, P>, row: usize, column: usize) -> f32 {
    let channels = image.shape().channels;
    let x = |channel| image.number(row, column, channel, 0.0);
    if channels == 3 {
        return 0.299 * x(0) + 0.587 * x(1) + 0.114 * x(2);
    }
    let mut sum = 0.0;
    for channel in 0..channels {
        sum += x(channel);
    }
    sum / channels as f32
}
