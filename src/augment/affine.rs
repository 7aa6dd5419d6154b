//! Affine maps of the picture plane.

use super::{Image, ImageMut, Pixel, mix};
use crate::error::{Error, Hyper, require};
use crate::simd::math;

/// A translation, rotation, stretch, shear, or any sequence of them, about the centre of the image.
///
/// Kept as the way back, from a pixel that is written to the point that it shows, both measured in pixels
/// from the centre of their images, `x` to the right and `y` down:
///
/// ```text
/// x_from = m[0] * x + m[1] * y + m[2]
/// y_from = m[3] * x + m[4] * y + m[5]
/// ```
///
/// ```
/// use gradus::augment::{Affine, Image, ImageMut, ImageLayout, ImageShape, affine};
/// let shape = ImageShape { height: 2, width: 3, channels: 1, layout: ImageLayout::Hwc };
/// let (image, mut moved) = ([1_u8, 2, 3, 4, 5, 6], [0; 6]);
/// let map = Affine::translate(1.0, 0.0).then(Affine::rotate(180.0));
/// affine(Image::new(&image, shape)?, &map, 0.0, &mut ImageMut::new(&mut moved, shape)?)?;
/// assert_eq!(moved, [5, 4, 0, 2, 1, 0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Affine {
    /// Two rows of three.
    pub m: [f32; 6],
}

impl Affine {
    /// No change.
    pub const IDENTITY: Self = Self { m: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0] };

    /// Moves the picture by pixels to the right and down.
    #[must_use]
    pub const fn translate(right: f32, down: f32) -> Self {
        Self { m: [1.0, 0.0, -right, 0.0, 1.0, -down] }
    }

    /// Turns the picture counter-clockwise by degrees; quarter turns are exact.
    ///
    /// ```
    /// use gradus::augment::Affine;
    /// assert_eq!(Affine::rotate(90.0), Affine { m: [0.0, -1.0, 0.0, 1.0, 0.0, 0.0] });
    /// assert_eq!(Affine::rotate(-3600.0), Affine::IDENTITY);
    /// ```
    #[must_use]
    pub fn rotate(degrees: f32) -> Self {
        let (sin, cos) = sin_cos(degrees);
        Self { m: [cos, -sin, 0.0, sin, cos, 0.0] }
    }

    /// Enlarges the picture by factors along `x` and `y`.
    #[must_use]
    pub const fn stretch(x: f32, y: f32) -> Self {
        Self { m: [1.0 / x, 0.0, 0.0, 0.0, 1.0 / y, 0.0] }
    }

    /// Slants the picture: a pixel `y` below the centre moves `factor * y` to the right.
    #[must_use]
    pub const fn shear(factor: f32) -> Self {
        Self { m: [1.0, -factor, 0.0, 0.0, 1.0, 0.0] }
    }

    /// This map, then another one.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.m, next.m);
        Self {
            m: [
                a * g + b * j,
                a * h + b * k,
                a * i + b * l + c,
                d * g + e * j,
                d * h + e * k,
                d * i + e * l + f,
            ],
        }
    }

    /// PyTorch's `theta` of `affine_grid`, in coordinates from -1 to 1, for sizes of `[height, width]`.
    #[must_use]
    pub fn pytorch(theta: [f32; 6], from: [usize; 2], to: [usize; 2], align_corners: bool) -> Self {
        // Half the length that -1 to 1 stand for: between the outer pixels' centres, or their edges.
        let half = |size: usize| (size as f32 - if align_corners { 1.0 } else { 0.0 }) / 2.0;
        let [from_y, from_x] = from.map(half);
        // One pixel alone is the centre, wherever -1 and 1 are.
        let inverse = |size| if half(size) > 0.0 { 1.0 / half(size) } else { 0.0 };
        let [to_y, to_x] = to.map(inverse);
        let [a, b, c, d, e, f] = theta;
        Self {
            m: [
                a * from_x * to_x,
                b * from_x * to_y,
                c * from_x,
                d * from_y * to_x,
                e * from_y * to_y,
                f * from_y,
            ],
        }
    }
}

/// Sine and cosine of an angle in degrees.
///
/// Whole turns and quarters of one are taken off first, which is exact, so that at most 45 degrees are left to be rounded.
fn sin_cos(degrees: f32) -> (f32, f32) {
    let within = degrees % 360.0;
    let quarters = (within / 90.0 + if within < 0.0 { -0.5 } else { 0.5 }) as i32;
    let (sin, cos) = math::sin_cos_turn((within - 90.0 * quarters as f32) / 360.0);
    match quarters & 3 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

/// Fills `to` with `from` under the map, by bilinear interpolation; `fill` where there is no image.
///
/// The sizes may differ: centres stay on centres. Between equal numbers nothing is rounded: a constant image stays
/// constant where `fill` is its number, and what lies outside by a pixel or more is exactly `fill`.
///
/// # Errors
/// [`Error::Shape`] if the channels differ, [`Error::Range`] if the map is not finite; nothing was changed.
pub fn affine<P: Pixel>(
    from: Image<'_, P>,
    map: &Affine,
    fill: f32,
    to: &mut ImageMut<'_, P>,
) -> Result<(), Error> {
    to.takes(&from)?;
    require(map.m.iter().all(|m| m.is_finite()), Hyper::Factor)?;
    let (source, target) = (from.shape(), to.shape());
    let centre = |size: usize| (size as f32 - 1.0) / 2.0;
    let [a, b, c, d, e, f] = map.m;
    for row in 0..target.height {
        let v = row as f32 - centre(target.height);
        for column in 0..target.width {
            let u = column as f32 - centre(target.width);
            let x = a * u + b * v + (c + centre(source.width));
            let y = d * u + e * v + (f + centre(source.height));
            let (left, x) = floor(x, source.width);
            let (top, y) = floor(y, source.height);
            let (right, bottom) = (left.wrapping_add(1), top.wrapping_add(1));
            for channel in 0..target.channels {
                let at = |row, column| from.number(row, column, channel, fill);
                let across = |row| mix(x, at(row, left), at(row, right));
                to.set(row, column, channel, P::from_f32(mix(y, across(top), across(bottom))));
            }
        }
    }
    Ok(())
}

/// The next integer below, and the distance to it. Below 0 it wraps, to far behind every image.
fn floor(x: f32, size: usize) -> (usize, f32) {
    // What lies outside by more than a pixel is all the same, and so is a coordinate that overflowed.
    let x = if x > -2.0 { x } else { -2.0 };
    let x = if x < size as f32 { x } else { size as f32 };
    let towards_zero = x as i32;
    let whole = if (towards_zero as f32) > x { towards_zero - 1 } else { towards_zero };
    (whole as usize, x - whole as f32)
}
