//! Erasing, Mixup, CutMix: by torchvision's vectors, by the words that they draw, and in their corners.

use crate::support::vectors::{doubles, floats, layers, size};
use gradus::augment::*;
use gradus::{Argument, Error, Hyper, store};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

fn rng(seed: u64) -> Xoshiro128PlusPlus {
    Xoshiro128PlusPlus::seed_from_u64(seed)
}

fn grey(height: usize, width: usize) -> ImageShape {
    ImageShape { height, width, channels: 1, layout: ImageLayout::Hwc }
}

#[test]
fn mixtures_are_torchvisions() {
    for case in layers("mixing") {
        let (height, width) = (size(&case, "height"), size(&case, "width"));
        let shape = ImageShape { height, width, channels: 3, layout: ImageLayout::Chw };
        let (mut first, second) = (floats(&case, "first"), floats(&case, "second"));
        let share = case["share"].as_f64().unwrap() as f32;
        let (name, label) = (case["name"].as_str().unwrap(), doubles(&case, "label"));
        let mut image = ImageMut::new(&mut first, shape).unwrap();
        let other = Image::new(&second, shape).unwrap();
        let kept = if name == "mixup" {
            blend(&mut image, other, share).unwrap();
            share
        } else {
            let centre = doubles(&case, "centre");
            let region = CutMix::region([height, width], share, [centre[0] as usize, centre[1] as usize]);
            paste(&mut image, other, region).unwrap();
            1.0 - (region.height * region.width) as f32 / (height * width) as f32
        };
        for (got, want) in first.iter().zip(doubles(&case, "f64")) {
            assert!((f64::from(*got) - want).abs() <= 1.2e-7, "{name} {share}: {got} {want}");
        }
        let mut labels = [1.0, 0.0];
        mix_labels(kept, &mut labels, &[0.0, 1.0]).unwrap();
        for (got, want) in labels.iter().zip(label) {
            assert!((f64::from(*got) - want).abs() <= 1.2e-7, "{name} {share}: {labels:?}");
        }
    }
}

/// Moments of the symmetric Beta distribution, `1 / 2`, `1 / (4 (2 a + 1))` and `3 / (16 (2 a + 1) (2 a + 3))`, and its
/// distribution function where that is a polynomial.
#[test]
fn shares_are_of_the_beta_distribution() {
    let shape = grey(1, 1);
    for alpha in [0.05_f32, 0.2, 0.49, 0.5, 0.8, 1.0, 2.0, 8.0] {
        let (mut rng, n) = (rng(7), 40_000);
        let shares: Vec<f64> = (0..n)
            .map(|_| {
                let mut x = [0.0_f32];
                let mut image = ImageMut::new(&mut x, shape).unwrap();
                let share =
                    Mixup { alpha }.apply(&mut image, Image::new(&[1.0], shape).unwrap(), &mut rng).unwrap();
                assert!((0.0..=1.0).contains(&share), "{alpha}: {share}");
                assert_eq!(x[0], 1.0 - share);
                f64::from(share)
            })
            .collect();
        let a = f64::from(alpha);
        let moment = |power: i32| shares.iter().map(|x| (x - 0.5).powi(power)).sum::<f64>() / f64::from(n);
        let (second, fourth) =
            (1.0 / (4.0 * (2.0 * a + 1.0)), 3.0 / (16.0 * (2.0 * a + 1.0) * (2.0 * a + 3.0)));
        let error = |variance: f64| 4.5 * (variance / f64::from(n)).sqrt();
        assert!(moment(1).abs() < error(second), "{alpha}: mean {}", moment(1));
        assert!((moment(2) - second).abs() < error(fourth - second * second), "{alpha}: {}", moment(2));
        assert!((moment(4) / fourth - 1.0).abs() < 0.05, "{alpha}: {} {fourth}", moment(4));
        let below: Option<fn(f64) -> f64> = match alpha {
            1.0 => Some(|x| x),
            2.0 => Some(|x| x * x * (3.0 - 2.0 * x)),
            0.5 => Some(|x| x.sqrt().asin() * 2.0 / std::f64::consts::PI),
            _ => None,
        };
        if let Some(below) = below {
            for x in [0.01, 0.1, 0.3, 0.5, 0.77, 0.95] {
                let (got, want) =
                    (shares.iter().filter(|share| **share < x).count() as f64 / f64::from(n), below(x));
                assert!(
                    (got - want).abs() < 4.5 * (want * (1.0 - want) / f64::from(n)).sqrt(),
                    "{alpha} {x}: {got}"
                );
            }
        }
    }
}

#[test]
fn a_rectangle_is_cut_at_the_borders_and_counted() {
    let (mut rng, mut seen) = (rng(3), [false; 2]);
    for (height, width) in [(1, 1), (2, 9), (32, 32), (7, 5)] {
        let shape = grey(height, width);
        for _ in 0..500 {
            let (mut x, y) = (vec![0_u8; height * width], vec![1; height * width]);
            let mut image = ImageMut::new(&mut x, shape).unwrap();
            let share =
                CutMix { alpha: 1.0 }.apply(&mut image, Image::new(&y, shape).unwrap(), &mut rng).unwrap();
            let cut = x.iter().filter(|x| **x == 1).count();
            assert_eq!(share, (x.len() - cut) as f32 / x.len() as f32);
            // What was pasted is one rectangle.
            let rows = x.chunks(width).filter(|row| row.contains(&1)).count();
            let columns = (0..width).filter(|k| x.iter().skip(*k).step_by(width).any(|x| *x == 1)).count();
            assert_eq!(rows * columns, cut);
            seen[usize::from(cut == 0)] = true;
        }
    }
    assert_eq!(seen, [true; 2]);
    let whole = CutMix::region([4, 6], 0.0, [2, 3]);
    assert_eq!(whole, Region { top: 0, left: 0, height: 4, width: 6 });
    assert_eq!(CutMix::region([4, 6], 1.0, [2, 3]), Region { top: 2, left: 3, height: 0, width: 0 });
    // A centre outside of the image leaves what is inside.
    assert_eq!(CutMix::region([4, 6], 0.0, [usize::MAX, 6]), Region { top: 4, left: 3, height: 0, width: 3 });
}

#[test]
fn erased_rectangles_are_those_of_the_words() {
    let erasing = RandomErasing { prob: 0.7, fill: 9.0, ..RandomErasing::default() };
    let (mut erased, shape) = (0, grey(20, 30));
    for seed in 0..2000 {
        let (mut generator, mut words) = (rng(seed), rng(seed));
        let mut x = vec![1_u8; 600];
        let mut image = ImageMut::new(&mut x, shape).unwrap();
        let got = erasing.apply(&mut image, &mut generator).unwrap();
        let unit = |words: &mut Xoshiro128PlusPlus| f64::from(words.next_u32() >> 8) / 16_777_216.0;
        let mut want = None;
        if unit(&mut words) < f64::from(0.7_f32) {
            let area = 600.0 * (0.02 + 0.31 * unit(&mut words));
            let ratio = (0.3_f64.ln() + (3.3_f64.ln() - 0.3_f64.ln()) * unit(&mut words)).exp();
            want = Some(((area * ratio).sqrt(), (area / ratio).sqrt()));
        }
        assert_eq!(got.is_some(), want.is_some(), "{seed}");
        let Some((region, (height, width))) = got.zip(want) else {
            assert!(x.iter().all(|x| *x == 1));
            assert_eq!(generator, words);
            continue;
        };
        erased += 1;
        // The first attempt nearly always fits; another one has other sides.
        if height < 19.0 && width < 29.0 {
            assert!((region.height as f64 - height).abs() <= 0.51, "{seed}: {region:?} {height}");
            assert!((region.width as f64 - width).abs() <= 0.51, "{seed}: {region:?} {width}");
        }
        for (i, x) in x.iter().enumerate() {
            let inside = (region.top..region.top + region.height).contains(&(i / 30))
                && (region.left..region.left + region.width).contains(&(i % 30));
            assert_eq!(*x, if inside { 9 } else { 1 });
        }
    }
    assert!((1300..1500).contains(&erased), "{erased}");
}

#[test]
fn a_rectangle_that_never_fits_is_not_erased() {
    let all = RandomErasing { prob: 1.0, area: [1.0, 1.0], ratio: [1.0, 1.0], fill: 0.0 };
    let mut x = [1_u8; 16];
    assert_eq!(all.apply(&mut ImageMut::new(&mut x, grey(4, 4)).unwrap(), &mut rng(1)), Ok(None));
    assert_eq!(x, [1; 16]);
    // Nor anything of an image of one pixel.
    let mut one = [1_u8];
    let erasing = RandomErasing { prob: 1.0, ..RandomErasing::default() };
    for seed in 0..50 {
        let region =
            erasing.apply(&mut ImageMut::new(&mut one, grey(1, 1)).unwrap(), &mut rng(seed)).unwrap();
        assert!(region.is_none_or(|region| region.height * region.width == 0));
    }
    assert_eq!(one, [1]);
}

#[test]
fn a_run_that_is_saved_goes_on_with_the_same_images() {
    let shape = ImageShape { height: 6, width: 5, channels: 3, layout: ImageLayout::Hwc };
    let other = [200_u8; 90];
    let step = |pixels: &mut [u8; 90], rng: &mut Xoshiro128PlusPlus| {
        let other = Image::new(&other, shape).unwrap();
        let mut image = ImageMut::new(pixels, shape).unwrap();
        RandomErasing { prob: 0.5, fill: 7.0, ..RandomErasing::default() }.apply(&mut image, rng).unwrap();
        CutMix { alpha: 1.0 }.apply(&mut image, other, rng).unwrap();
        Mixup { alpha: 0.2 }.apply(&mut image, other, rng).unwrap();
        Jitter { hue: 0.3, ..Jitter::default() }.apply(&mut image, rng).unwrap();
    };
    let (mut rng, mut pixels) = (rng(5), std::array::from_fn(|i| (i * 7 % 251) as u8));
    (0..10).for_each(|_| step(&mut pixels, &mut rng));
    let (file, before) = (store::to_vec(&rng).unwrap(), pixels);
    (0..10).for_each(|_| step(&mut pixels, &mut rng));
    let (mut again, mut resumed) = (Xoshiro128PlusPlus::seed_from_u64(0), before);
    store::load(&mut again, &file).unwrap();
    (0..10).for_each(|_| step(&mut resumed, &mut again));
    assert_eq!((resumed, again), (pixels, rng));
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_drawn() {
    let (mut generator, shape) = (rng(1), grey(2, 2));
    let (mut x, y) = ([5_u8; 4], [6_u8; 4]);
    let mut image = ImageMut::new(&mut x, shape).unwrap();
    let (same, wide) = (Image::new(&y, shape).unwrap(), Image::new(&y, grey(1, 4)).unwrap());
    for alpha in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let refused = Err(Error::Range(Hyper::Factor));
        assert_eq!(Mixup { alpha }.apply(&mut image, same, &mut generator), refused);
        assert_eq!(CutMix { alpha }.apply(&mut image, same, &mut generator), refused);
    }
    assert_eq!(Mixup { alpha: 1.0 }.apply(&mut image, wide, &mut generator), Err(Error::Shape));
    assert_eq!(CutMix { alpha: 1.0 }.apply(&mut image, wide, &mut generator), Err(Error::Shape));
    for share in [-0.1, 1.1, f32::NAN] {
        assert_eq!(blend(&mut image, same, share), Err(Error::Range(Hyper::Fraction)));
        assert_eq!(mix_labels(share, &mut [1.0], &[0.0]), Err(Error::Range(Hyper::Fraction)));
    }
    let length = Error::Length { what: Argument::Labels, expected: 1, found: 2 };
    assert_eq!(mix_labels(0.5, &mut [1.0], &[0.0; 2]), Err(length));
    for region in [
        Region { top: 1, left: 0, height: 2, width: 1 },
        Region { top: 0, left: usize::MAX, height: 1, width: 1 },
        Region { top: 0, left: 0, height: 1, width: usize::MAX },
    ] {
        assert_eq!(erase(&mut image, region, 0), Err(Error::Shape));
        assert_eq!(paste(&mut image, same, region), Err(Error::Shape));
    }
    let erasing = RandomErasing::default();
    for bad in [
        RandomErasing { prob: 1.5, ..erasing },
        RandomErasing { area: [0.5, 0.4], ..erasing },
        RandomErasing { area: [0.1, 1.1], ..erasing },
        RandomErasing { ratio: [0.0, 1.0], ..erasing },
        RandomErasing { ratio: [2.0, 1.0], ..erasing },
        RandomErasing { ratio: [1.0, f32::INFINITY], ..erasing },
    ] {
        assert!(bad.apply(&mut image, &mut generator).is_err(), "{bad:?}");
    }
    assert_eq!((x, generator), ([5; 4], rng(1)));
    // What has no share counts for nothing.
    let (mut x, y) = ([f32::NAN, 2.0], [1.0, f32::INFINITY]);
    blend(&mut ImageMut::new(&mut x, grey(1, 2)).unwrap(), Image::new(&y, grey(1, 2)).unwrap(), 0.0).unwrap();
    assert_eq!(x, y);
}

#[test]
fn whole_turns_greys_and_other_channels_keep_their_colours() {
    let start: Vec<f32> = (0..36).map(|i| (i * i % 31) as f32 / 10.0 - 1.0).collect();
    let shape = ImageShape { height: 3, width: 4, channels: 3, layout: ImageLayout::Hwc };
    for turn in [0.0, 1.0, -3.0] {
        let mut x = start.clone();
        hue(&mut ImageMut::new(&mut x, shape).unwrap(), turn);
        assert_eq!(x, start);
    }
    // A third of a turn, three times: red becomes green, green blue, blue red.
    let mut x = start.clone();
    hue(&mut ImageMut::new(&mut x, shape).unwrap(), 1.0 / 3.0);
    for (got, want) in x.chunks(3).zip(start.chunks(3)) {
        for (k, got) in got.iter().enumerate() {
            assert!((got - want[(k + 2) % 3]).abs() < 1e-6, "{x:?}");
        }
    }
    let mut odd = [0.5_f32, 0.5, 0.5, f32::NAN, 1.0, 2.0, f32::INFINITY, 1.0, 0.0, 3.0, 3.0, 3.0];
    let before = odd.map(f32::to_bits);
    let four = ImageShape { height: 1, width: 4, channels: 3, layout: ImageLayout::Hwc };
    hue(&mut ImageMut::new(&mut odd, four).unwrap(), 0.3);
    assert_eq!(odd.map(f32::to_bits), before);
    let mut planes = [1_u8, 2, 3, 4];
    hue(&mut ImageMut::new(&mut planes, grey(2, 2)).unwrap(), 0.3);
    assert_eq!(planes, [1, 2, 3, 4]);
    let mut red = [255_u8, 0, 0];
    let one = ImageShape { height: 1, width: 1, channels: 3, layout: ImageLayout::Chw };
    hue(&mut ImageMut::new(&mut red, one).unwrap(), 1.0 / 6.0);
    assert_eq!(red, [255, 255, 0]);
}
