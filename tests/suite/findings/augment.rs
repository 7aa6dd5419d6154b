use gradus::augment::{Affine, Image, ImageLayout, ImageMut, ImageShape, affine, crop, pad_crop};
use gradus::{Error, Hyper};

/// The end of a crop that begins near the largest index overflowed: a panic in debug builds.
#[test]
fn crops_beyond_every_index_are_refused() {
    let shape = |side| ImageShape { height: side, width: side, channels: 1, layout: ImageLayout::Hwc };
    let (image, mut part) = ([1_u8; 9], [7; 4]);
    let from = Image::new(&image, shape(3)).unwrap();
    let mut to = ImageMut::new(&mut part, shape(2)).unwrap();
    for corner in [[usize::MAX, 0], [0, usize::MAX - 1]] {
        let refused = Err(Error::Shape);
        assert_eq!(crop(from, corner, &mut to), refused);
        assert_eq!(pad_crop(from, usize::MAX, 0, corner, &mut to), refused);
    }
    assert_eq!(part, [7; 4]);
}

/// The cosine of a quarter turn was -4.4e-8: a bit of what lies outside leaked in.
#[test]
fn quarter_turns_move_pixels_and_nothing_else() {
    let shape = |height, width| ImageShape { height, width, channels: 1, layout: ImageLayout::Hwc };
    for (height, width) in [(12, 12), (5, 7), (1, 9), (64, 33)] {
        let x: Vec<f32> = (0..height * width).map(|k| k as f32).collect();
        let image = Image::new(&x, shape(height, width)).unwrap();
        for quarters in -9_i32..=9 {
            let (h, w) = if quarters % 2 == 0 { (height, width) } else { (width, height) };
            let mut y = vec![7.0; h * w];
            let map = Affine::rotate(90.0 * quarters as f32);
            affine(image, &map, f32::NAN, &mut ImageMut::new(&mut y, shape(h, w)).unwrap()).unwrap();
            for (k, y) in y.iter().enumerate() {
                let (row, column) = (k / w, k % w);
                let (r, c) = match quarters.rem_euclid(4) {
                    0 => (row, column),
                    1 => (column, width - 1 - row),
                    2 => (height - 1 - row, width - 1 - column),
                    _ => (height - 1 - column, row),
                };
                assert_eq!(*y, (r * width + c) as f32, "{height} x {width}, {quarters} quarters");
            }
        }
    }
    let x: Vec<f32> = (0..1_u64 << 20).map(|k| (k * 7919 % 100_003) as f32).collect();
    for degrees in [360.0, -720.0, 3.6e6] {
        let mut y = vec![7.0; 1 << 20];
        let mut to = ImageMut::new(&mut y, shape(1024, 1024)).unwrap();
        affine(Image::new(&x, shape(1024, 1024)).unwrap(), &Affine::rotate(degrees), 0.0, &mut to).unwrap();
        assert!(x == y, "{degrees}");
    }
    // Other angles are near the sine of their decimal, also far from 0.
    for degrees in [30.0, 45.0, 89.9, 135.1, 359.5, -200.25, 1e6 + 0.5, 1e-3_f32] {
        let Affine { m: [cos, minus_sin, ..] } = Affine::rotate(degrees);
        let (sin, want) = f64::from(degrees).to_radians().sin_cos();
        assert!((f64::from(cos) - want).abs() < 1.2e-7, "{degrees}: {cos} {want}");
        assert!((f64::from(-minus_sin) - sin).abs() < 1.2e-7, "{degrees}: {minus_sin} {sin}");
    }
}

/// Both logarithms over a subnormal alpha are infinite in nearly every attempt, of which it took a million.
#[test]
fn subnormal_alphas_are_refused() {
    use gradus::augment::{CutMix, Mixup};
    for alpha in [f32::from_bits(1), 1e-40, 0.0, f32::NAN, -1.0] {
        assert_eq!(Mixup { alpha }.check(), Err(Error::Range(Hyper::Factor)));
        assert_eq!(CutMix { alpha }.check(), Err(Error::Range(Hyper::Factor)));
    }
    assert_eq!(Mixup { alpha: f32::MIN_POSITIVE }.check(), Ok(()));
}
