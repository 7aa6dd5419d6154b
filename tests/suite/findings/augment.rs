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

/// Four products and their sum rounded what was equal: 43 % of the pixels of an image of .1 were another number.
#[test]
fn a_constant_image_stays_constant_under_every_map() {
    use crate::support::random::Random;
    let shape = |height, width| ImageShape { height, width, channels: 1, layout: ImageLayout::Hwc };
    let mut random = Random(1);
    for number in [0.1, 1.0 / 3.0, 250.7, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY] {
        let (x, mut y) = ([number; 64], [7.0; 64]);
        for _ in 0..500 {
            let size = [0.1, 1.0, 30.0][(random.word() % 3) as usize];
            let m = core::array::from_fn(|_| size * (random.unit() - 0.5));
            let (from, mut to) = (Image::new(&x, shape(8, 8)), ImageMut::new(&mut y, shape(4, 16)).unwrap());
            affine(from.unwrap(), &Affine { m }, number, &mut to).unwrap();
            assert_eq!(y.map(f32::to_bits), [number.to_bits(); 64], "{m:?}");
        }
    }
    // Outside by less than two pixels all four neighbours are `fill`, and so is what is written.
    let (x, mut y) = ([5.0_f32; 9], [7.0; 9]);
    for by in [3.3, -3.3, 3.75, -3.999] {
        for map in [Affine::translate(by, 0.25), Affine::translate(0.25, by)] {
            let mut to = ImageMut::new(&mut y, shape(3, 3)).unwrap();
            affine(Image::new(&x, shape(3, 3)).unwrap(), &map, 0.1, &mut to).unwrap();
            assert_eq!(y, [0.1; 9], "{map:?}");
        }
    }
}

/// A turn of NaN or infinity wrote NaN into one channel.
#[test]
fn a_turn_that_is_no_number_leaves_the_image_alone() {
    let shape = ImageShape { height: 1, width: 2, channels: 3, layout: ImageLayout::Hwc };
    let pixels = [1.0_f32, 2.0, 3.0, 6.0, 5.0, 4.0];
    for turn in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = pixels;
        gradus::augment::hue(&mut ImageMut::new(&mut x, shape).unwrap(), turn);
        assert_eq!(x, pixels, "{turn}");
    }
    // Nor do these pixels change: NaN, infinity, and a largest less a smallest that overflows.
    for odd in [[f32::NAN, 1.0, 2.0], [1.0, f32::INFINITY, 2.0], [f32::MAX, 0.0, f32::MIN]] {
        let mut x = [odd[0], odd[1], odd[2], 1.0, 2.0, 3.0];
        gradus::augment::hue(&mut ImageMut::new(&mut x, shape).unwrap(), 0.5);
        assert_eq!([x[0], x[1], x[2]].map(f32::to_bits), odd.map(f32::to_bits));
        assert_ne!([x[3], x[4], x[5]], [1.0, 2.0, 3.0]);
    }
}

/// Of an alpha of 1e8 the variance was a third of what it is, and of 1e9 nothing.
#[test]
fn shares_have_the_variance_of_their_distribution() {
    use gradus::augment::{CutMix, Mixup};
    use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
    let shape = ImageShape { height: 1, width: 1, channels: 1, layout: ImageLayout::Hwc };
    for alpha in [0.2, 1.0, 30.0, 1e4, 1e6] {
        let (mut rng, mut sum, n) = (Xoshiro128PlusPlus::seed_from_u64(1), 0.0, 200_000);
        for _ in 0..n {
            let mut pixel = [1.0_f32];
            let mut image = ImageMut::new(&mut pixel, shape).unwrap();
            let other = Image::new(&[0.0], shape).unwrap();
            let share = Mixup { alpha }.apply(&mut image, other, &mut rng).unwrap();
            sum += (f64::from(share) - 0.5).powi(2);
        }
        let got = sum / f64::from(n) * 4.0 * (2.0 * f64::from(alpha) + 1.0);
        assert!((got - 1.0).abs() < 0.015, "{alpha}: {got}");
    }
    for alpha in [1.000_001e6, 1e8, f32::MAX, f32::INFINITY] {
        assert_eq!(Mixup { alpha }.check(), Err(Error::Range(Hyper::Factor)), "{alpha}");
        assert_eq!(CutMix { alpha }.check(), Err(Error::Range(Hyper::Factor)), "{alpha}");
    }
    assert_eq!((Mixup { alpha: 1e6 }.check(), CutMix { alpha: 1e6 }.check()), (Ok(()), Ok(())));
}
