//! Brightness, contrast, saturation and hue. `u8` saturates, `f32` is not clamped.

use super::{Image, ImageMut, Pixel, mix};

/// Multiplies every number: `x * factor`. `u8` saturates, `f32` is not clamped.
pub fn brightness<P: Pixel>(image: &mut ImageMut<'_, P>, factor: f32) {
    for x in image.numbers() {
        *x = P::from_f32(x.to_f32() * factor);
    }
}

/// Moves every number away from the image's mean grey, or towards it: `factor * x + (1 - factor) * mean`.
///
/// ```text
/// grey = 0.299 red + 0.587 green + 0.114 blue        of three channels, by ITU-R BT.601
/// grey = mean of the channels                        of any other number of them, an alpha channel included
/// ```
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
/// Grey is that of [`contrast`]. `u8` saturates, `f32` is not clamped.
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

/// Turns the colour of every pixel around the circle of hues, by `turn` of it: red to green by 1/3, to its complement
/// by 1/2.
///
/// ```text
/// h = (g - b) / c, 2 + (b - r) / c or 4 + (r - g) / c, where red, green or blue is the largest    c = largest - smallest
/// h = h + 6 turn, modulo 6; of its sector the colours are largest, smallest, and between them smallest + c f
/// ```
///
/// This is torchvision's `adjust_hue`, whose factor is `turn`, and which also clamps. Whole turns change nothing,
/// and neither does a `turn` that is NaN or infinite. Left alone are images without three channels, grey pixels, and pixels
/// with NaN or infinity or whose largest minus smallest number overflows.
pub fn hue<P: Pixel>(image: &mut ImageMut<'_, P>, turn: f32) {
    let shape = image.shape();
    let turn = turn % 1.0; // exact
    let turn = if turn < 0.0 { turn + 1.0 } else { turn };
    let turns = turn > 0.0; // NaN does not
    if shape.channels != 3 || !turns {
        return;
    }
    for row in 0..shape.height {
        for column in 0..shape.width {
            let source = image.as_image();
            let colour = [0, 1, 2].map(|channel| source.number(row, column, channel, 0.0));
            if let Some(colour) = turned(colour, turn) {
                for (channel, x) in colour.into_iter().enumerate() {
                    image.set(row, column, channel, P::from_f32(x));
                }
            }
        }
    }
}

/// A colour of another hue; `None` for a grey, and where a number or the difference of two is NaN or infinite.
fn turned([r, g, b]: [f32; 3], turn: f32) -> Option<[f32; 3]> {
    let largest = if r >= g && r >= b {
        r
    } else if g >= b {
        g
    } else {
        b
    };
    let smallest = if r <= g && r <= b {
        r
    } else if g <= b {
        g
    } else {
        b
    };
    let c = largest - smallest;
    let finite = r.is_finite() && g.is_finite() && b.is_finite();
    if !(finite && c > 0.0 && c < f32::INFINITY) {
        return None;
    }
    let from = if largest == r {
        (g - b) / c
    } else if largest == g {
        2.0 + (b - r) / c
    } else {
        4.0 + (r - g) / c
    };
    let h = from + 6.0 * turn;
    let h = if h < 0.0 { h + 6.0 } else { h };
    let sector = h as u32;
    let part = c * (h - sector as f32);
    let (rising, falling) = (smallest + part, largest - part);
    Some(match sector % 6 {
        0 => [largest, rising, smallest],
        1 => [falling, largest, smallest],
        2 => [smallest, largest, rising],
        3 => [smallest, falling, largest],
        4 => [rising, smallest, largest],
        _ => [largest, smallest, falling],
    })
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
