//! Augmentation: by PyTorch's vectors, by definition, and in its corners.

use crate::support::random::Random;
use crate::support::ulp::unit;
use crate::support::vectors::{doubles, floats, layers, size};
use gradus::augment::*;
use gradus::{Argument, Error, Hyper};
use proptest::prelude::*;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

const REFUSED: Result<(), Error> = Err(Error::Shape);

fn rng(seed: u64) -> Xoshiro128PlusPlus {
    Xoshiro128PlusPlus::seed_from_u64(seed)
}

fn shape(height: usize, width: usize, channels: usize, layout: ImageLayout) -> ImageShape {
    ImageShape { height, width, channels, layout }
}

fn grey(height: usize, width: usize) -> ImageShape {
    shape(height, width, 1, ImageLayout::Hwc)
}

fn length(shape: ImageShape) -> usize {
    shape.height * shape.width * shape.channels
}

/// What `work` writes into an image that was all `background`.
fn written<P: Pixel>(shape: ImageShape, background: P, work: impl FnOnce(&mut ImageMut<'_, P>)) -> Vec<P> {
    let mut pixels = vec![background; length(shape)];
    work(&mut ImageMut::new(&mut pixels, shape).unwrap());
    pixels
}

#[test]
fn affine_maps_are_pytorchs() {
    for case in layers("affine") {
        let name = case["name"].as_str().unwrap();
        let corners = case["align_corners"].as_bool().unwrap();
        let [channels, height, width, out_height, out_width] =
            ["channels", "height", "width", "out_height", "out_width"].map(|key| size(&case, key));
        let theta: [f32; 6] = std::array::from_fn(|k| doubles(&case, "theta")[k] as f32);
        let map = Affine::pytorch(theta, [height, width], [out_height, out_width], corners);
        let x = floats(&case, "input");
        let from = Image::new(&x, shape(height, width, channels, ImageLayout::Chw)).unwrap();
        let to = shape(out_height, out_width, channels, ImageLayout::Chw);
        let got = written(to, 7.0, |to| affine(from, &map, 0.0, to).unwrap());
        // A coordinate of size 4 is off by a few units of 4; the pixels differ by up to 1.
        for (got, want) in got.iter().zip(doubles(&case, "f64")) {
            let off = (f64::from(*got) - want).abs() / unit(1.0);
            assert!(off <= 12.0, "{name}: {got} {want}, {off} units");
        }
    }
}

#[test]
fn changes_of_images_are_torchvisions() {
    for case in layers("changes") {
        let name = case["name"].as_str().unwrap();
        let [height, width, out_height, out_width] =
            ["height", "width", "out_height", "out_width"].map(|key| size(&case, key));
        let numbers: Vec<f32> = doubles(&case, "numbers").iter().map(|x| *x as f32).collect();
        let (x, from) = (floats(&case, "input"), shape(height, width, 3, ImageLayout::Chw));
        let image = Image::new(&x, from).unwrap();
        let lit = |work: fn(&mut ImageMut<'_, f32>, f32)| {
            let mut y = x.clone();
            work(&mut ImageMut::new(&mut y, from).unwrap(), numbers[0]);
            y
        };
        let out = shape(out_height, out_width, 3, ImageLayout::Chw);
        let all = Region { top: 0, left: 0, height, width };
        let (got, slack) = match (name, &numbers[..]) {
            // torchvision turns clockwise and slants to the left; a coordinate of size 4 is off by a few units.
            ("affine", [angle, right, down, scale, shear]) => {
                let map = Affine::stretch(*scale, *scale)
                    .then(Affine::shear(-shear.to_radians().tan()))
                    .then(Affine::rotate(-angle))
                    .then(Affine::translate(*right, *down));
                (written(out, 7.0, |to| affine(image, &map, 0.0, to).unwrap()), 12.0 * unit(1.0))
            }
            ("brightness", _) => (lit(brightness), unit(1.0)),
            // Its grey has 0.2989 for red, and no number is above 0.75.
            ("hue", _) => (lit(hue), 4.0 * unit(1.0)),
            ("contrast", _) => (lit(contrast), 0.75e-4),
            ("saturation", _) => (lit(saturation), 0.75e-4),
            _ => (written(out, 7.0, |to| resize(image, all, to).unwrap()), 4.0 * unit(1.0)),
        };
        for (got, want) in got.iter().zip(doubles(&case, "f64")) {
            assert!((f64::from(*got) - want).abs() <= slack, "{name} {numbers:?}: {got} {want}");
        }
    }
}

#[test]
fn maps_move_the_picture_as_they_say() {
    let x: Vec<u8> = (1..=9).collect();
    let image = Image::new(&x, grey(3, 3)).unwrap();
    for (map, want) in [
        (Affine::IDENTITY, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (Affine::translate(1.0, 0.0), [0, 1, 2, 0, 4, 5, 0, 7, 8]),
        (Affine::translate(0.0, -1.0), [4, 5, 6, 7, 8, 9, 0, 0, 0]),
        (Affine::translate(1e20, 0.0), [0; 9]),
        (Affine::translate(0.0, -f32::MAX), [0; 9]),
        (Affine::rotate(90.0), [3, 6, 9, 2, 5, 8, 1, 4, 7]),
        (Affine::rotate(-90.0), [7, 4, 1, 8, 5, 2, 9, 6, 3]),
        (Affine::rotate(180.0), [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (Affine::shear(1.0), [2, 3, 0, 4, 5, 6, 0, 7, 8]),
        (Affine::stretch(2.0, 2.0), [3, 4, 4, 5, 5, 6, 6, 7, 7]), // 3, 3.5, 4, 4.5, ...
        (Affine::rotate(90.0).then(Affine::translate(1.0, 0.0)), [0, 3, 6, 0, 2, 5, 0, 1, 4]),
        (Affine::translate(1.0, 0.0).then(Affine::rotate(90.0)), [2, 5, 8, 1, 4, 7, 0, 0, 0]),
    ] {
        let got = written(grey(3, 3), 7, |to| affine(image, &map, 0.0, to).unwrap());
        assert_eq!(got, want, "{map:?}");
    }
    let nan = Affine { m: [f32::NAN; 6] };
    let got = written(grey(3, 3), 7, |to| {
        assert_eq!(affine(image, &nan, 0.0, to), Err(Error::Range(Hyper::Factor)));
    });
    assert_eq!(got, [7; 9]);
}

#[test]
fn crops_reach_every_place_and_no_further() {
    let x: Vec<u8> = (0..20).collect();
    let image = Image::new(&x, grey(4, 5)).unwrap();
    assert_eq!(written(grey(2, 2), 99, |to| crop(image, [2, 3], to).unwrap()), [13, 14, 18, 19]);
    assert_eq!(written(grey(4, 5), 99, |to| crop(image, [0, 0], to).unwrap()), x);
    for (to, place) in [
        (grey(2, 2), [3, 3]),
        (grey(2, 2), [2, 4]),
        (grey(5, 5), [0, 0]),
        (grey(4, 6), [0, 0]),
        (grey(2, 2), [usize::MAX, 0]),
    ] {
        let got = written(to, 99, |to| assert_eq!(crop(image, place, to), REFUSED));
        assert_eq!(got, vec![99; length(to)]);
    }
    // With a border: larger than the image, up to its own size.
    let got = written(grey(6, 7), 99, |to| pad_crop(image, 1, 50, [0, 0], to).unwrap());
    assert_eq!(got[..8], [50, 50, 50, 50, 50, 50, 50, 50]);
    assert_eq!((got[8], got[12], got[13], got[36]), (0, 4, 50, 50));
    written(grey(6, 8), 99, |to| assert_eq!(pad_crop(image, 1, 50, [0, 0], to), REFUSED));
    written(grey(1, 1), 99, |to| assert_eq!(pad_crop(image, 1 << 24, 50, [0, 0], to), Ok(())));
    // Sums of border, place and size that a usize does not hold.
    for (pad, place) in [(usize::MAX, [0, 0]), (usize::MAX, [usize::MAX, 0]), (1 << 24, [0, usize::MAX])] {
        let got = written(grey(2, 2), 99, |to| assert_eq!(pad_crop(image, pad, 50, place, to), REFUSED));
        assert_eq!(got, [99; 4]);
    }

    // Every place of a random crop is about as likely as the others; 3 x 4 of them.
    let mut rng = rng(1);
    let mut counts = [[0_u32; 4]; 3];
    for _ in 0..6000 {
        let got = written(grey(2, 2), 99, |to| RandomCrop { pad: 0 }.apply(image, to, &mut rng).unwrap());
        counts[usize::from(got[0] / 5)][usize::from(got[0] % 5)] += 1;
    }
    let chi: f64 = counts.as_flattened().iter().map(|n| (f64::from(*n) - 500.0).powi(2) / 500.0).sum();
    assert!(chi < 31.3, "{counts:?}"); // 0.1 % of 11 degrees of freedom
    // As large as the image: the image. Larger: an error, unless the border makes room.
    assert_eq!(written(grey(4, 5), 99, |to| RandomCrop { pad: 0 }.apply(image, to, &mut rng).unwrap()), x);
    written(grey(5, 5), 99, |to| assert_eq!(RandomCrop { pad: 0 }.apply(image, to, &mut rng), REFUSED));
    written(grey(6, 7), 99, |to| assert_eq!(RandomCrop { pad: 1 }.apply(image, to, &mut rng), Ok(())));
    written(grey(6, 8), 99, |to| assert_eq!(RandomCrop { pad: 1 }.apply(image, to, &mut rng), REFUSED));
    let drawn = rng.clone();
    written(grey(2, 2), 99, |to| {
        assert_eq!(RandomCrop { pad: usize::MAX }.apply(image, to, &mut rng), REFUSED);
    });
    assert_eq!(rng, drawn);
    let rgb = vec![0; 60];
    let rgb = Image::new(&rgb, shape(4, 5, 3, ImageLayout::Chw)).unwrap();
    written(grey(2, 2), 99, |to| assert_eq!(RandomCrop { pad: 0 }.apply(rgb, to, &mut rng), REFUSED));
}

#[test]
fn fixed_crops_are_the_corners_and_the_centre() {
    assert_eq!(fixed_crops([5, 8], [3, 2]), Ok([[0, 0], [0, 6], [2, 0], [2, 6], [1, 3]]));
    assert_eq!(fixed_crops([5, 8], [5, 8]), Ok([[0, 0]; 5]));
    assert!(fixed_crops([5, 8], [6, 2]).is_err());
    assert!(fixed_crops([5, 8], [5, 9]).is_err());
}

#[test]
fn flips_mirror_and_undo_themselves() {
    for layout in [ImageLayout::Hwc, ImageLayout::Chw] {
        for width in 1..6 {
            let shape = shape(3, width, 2, layout);
            let mut random = Random(width as u64);
            let x: Vec<f32> = random.vec(length(shape), |r| r.signed());
            let mut y = x.clone();
            let mut image = ImageMut::new(&mut y, shape).unwrap();
            flip(&mut image);
            let original = Image::new(&x, shape).unwrap();
            for row in 0..3 {
                for column in 0..width {
                    for channel in 0..2 {
                        let mirrored = image.as_image().get(row, width - 1 - column, channel);
                        assert_eq!(original.get(row, column, channel), mirrored);
                    }
                }
            }
            flip(&mut image);
            assert_eq!(y, x);
        }
    }
    let (mut rng, mut x) = (rng(3), [1_u8, 2]);
    let mut image = ImageMut::new(&mut x, grey(1, 2)).unwrap();
    let mirrored =
        (0..1000).filter(|_| RandomFlip { prob: 0.3 }.apply(&mut image, &mut rng).unwrap()).count();
    assert!((240..360).contains(&mirrored), "{mirrored}");
    assert!((0..1000).all(|_| RandomFlip { prob: 1.0 }.apply(&mut image, &mut rng).unwrap()));
    assert!((0..1000).all(|_| !RandomFlip { prob: 0.0 }.apply(&mut image, &mut rng).unwrap()));
}

/// Bilinear interpolation by its definition in f64, one point for each pixel.
fn interpolated(x: &[f32], [height, width]: [usize; 2], to: [usize; 2]) -> Vec<f64> {
    let axis = |i: usize, size: usize, to: usize| {
        let x = ((i as f64 + 0.5) * size as f64 / to as f64 - 0.5).clamp(0.0, size as f64 - 1.0);
        (x.floor() as usize, (x.floor() as usize + 1).min(size - 1), x.fract())
    };
    let mut y = Vec::new();
    for i in 0..to[0] {
        for j in 0..to[1] {
            let ((top, bottom, v), (left, right, u)) = (axis(i, height, to[0]), axis(j, width, to[1]));
            let at = |row: usize, column: usize| f64::from(x[row * width + column]);
            let above = (1.0 - u) * at(top, left) + u * at(top, right);
            let below = (1.0 - u) * at(bottom, left) + u * at(bottom, right);
            y.push((1.0 - v) * above + v * below);
        }
    }
    y
}

#[test]
fn enlarging_is_bilinear_and_shrinking_averages() {
    let mut random = Random(9);
    for (from, to) in [([3, 4], [3, 4]), ([3, 4], [7, 9]), ([1, 1], [3, 2]), ([5, 2], [5, 8])] {
        let x = random.vec(from[0] * from[1], |r| r.signed());
        let image = Image::new(&x, grey(from[0], from[1])).unwrap();
        let all = Region { top: 0, left: 0, height: from[0], width: from[1] };
        let got = written(grey(to[0], to[1]), 7.0, |to| resize(image, all, to).unwrap());
        for (got, want) in got.iter().zip(interpolated(&x, from, to)) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{from:?} {to:?}: {got} {want}");
        }
    }
    // One colour stays that colour, to the bit, at any size; what was equal in a mirror stays so at the ends.
    for colour in [0.1_f32, 1.0 / 3.0, -7.7e5] {
        let x = [colour; 64];
        let image = Image::new(&x, grey(8, 8)).unwrap();
        let all = Region { top: 0, left: 0, height: 8, width: 8 };
        for side in 1..20 {
            let got = written(grey(side, 21 - side), 7.0, |to| resize(image, all, to).unwrap());
            assert!(got.iter().all(|x| *x == colour), "{side}: {got:?}");
        }
    }
    let x = [0.1_f32, 0.7, 0.2, 0.7, 0.1];
    let all = Region { top: 0, left: 0, height: 1, width: 5 };
    for width in [8, 10, 20] {
        let image = Image::new(&x, grey(1, 5)).unwrap();
        let got = written(grey(1, width), 7.0, |to| resize(image, all, to).unwrap());
        assert_eq!((got[0], got[width - 1]), (0.1, 0.1), "{got:?}");
    }
    // A checkerboard becomes grey, not another pattern.
    let x: Vec<u8> = (0..64 * 64).map(|k| if (k / 64 + k) % 2 == 0 { 255 } else { 0 }).collect();
    let image = Image::new(&x, grey(64, 64)).unwrap();
    let all = Region { top: 0, left: 0, height: 64, width: 64 };
    let got = written(grey(9, 9), 7, |to| resize(image, all, to).unwrap());
    assert!(got.iter().all(|x| (100..156).contains(x)), "{got:?}");
    // At any factor, and from every place: each pixel of the source weighs as much.
    for (side, to) in [(64, 4), (90, 7), (300, 2), (1024, 1)] {
        let x: Vec<u8> = (0..side * side).map(|k| if (k / side + k) % 2 == 0 { 255 } else { 0 }).collect();
        let image = Image::new(&x, grey(side, side)).unwrap();
        let all = Region { top: 0, left: 0, height: side, width: side };
        let got = written(grey(to, to), 7, |to| resize(image, all, to).unwrap());
        assert!(got.iter().all(|x| (124..132).contains(x)), "{side} {to}: {got:?}");
        let mut spot = vec![0.0_f32; side * side];
        spot[side * side / 2 + side / 2] = 1.0;
        let image = Image::new(&spot, grey(side, side)).unwrap();
        let got = written(grey(to, to), 7.0, |to| resize(image, all, to).unwrap());
        let seen = f64::from(got.iter().sum::<f32>()) * ((side * side) as f64 / (to * to) as f64);
        assert!((seen - 1.0).abs() < 0.2, "{side} {to}: {seen}");
    }
    // A part at its own size is a crop.
    let part = Region { top: 3, left: 5, height: 4, width: 6 };
    let got = written(grey(4, 6), 7, |to| resize(image, part, to).unwrap());
    assert_eq!(got, written(grey(4, 6), 7, |to| crop(image, [3, 5], to).unwrap()));
    for region in [
        Region { height: 0, ..part },
        Region { width: 0, ..part },
        Region { top: 61, ..part },
        Region { left: usize::MAX, ..part },
    ] {
        written(grey(2, 2), 7, |to| assert_eq!(resize(image, region, to), REFUSED));
    }
}

#[test]
fn what_has_no_weight_counts_for_nothing() {
    let odd = [f32::INFINITY, 1.0, f32::NAN, 2.0, f32::NEG_INFINITY, 3.0, 4.0, 5.0, f32::MAX];
    let shape = grey(3, 3);
    let image = Image::new(&odd, shape).unwrap();
    let all = Region { top: 0, left: 0, height: 3, width: 3 };
    let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&written(shape, 7.0, |to| resize(image, all, to).unwrap())), bits(&odd));
    let moved = |map| written(shape, 7.0, |to| affine(image, &map, -1.0, to).unwrap());
    assert_eq!(bits(&moved(Affine::IDENTITY)), bits(&odd));
    assert_eq!(bits(&moved(Affine::translate(1.0, 0.0))[7..]), bits(&odd[6..8]));
}

#[test]
fn u8_takes_the_nearest_number() {
    for (x, nearest) in [
        (0.49999997, 0),
        (0.5, 1),
        (1.4999999, 1),
        (1.5, 2),
        (127.49999, 127),
        (254.49998, 254),
        (254.5, 255),
        (1e9, 255),
        (-0.5, 0),
        (-1e9, 0),
        (f32::INFINITY, 255),
        (f32::NAN, 0),
    ] {
        assert_eq!(u8::from_f32(x), nearest, "{x}");
    }
}

#[test]
fn light_follows_its_formulas_and_saturates() {
    let colour = shape(1, 2, 3, ImageLayout::Hwc);
    let apply = |x: [u8; 6], work: fn(&mut ImageMut<'_, u8>, f32), factor| {
        let mut y = x;
        work(&mut ImageMut::new(&mut y, colour).unwrap(), factor);
        y
    };
    let x = [10, 20, 30, 200, 100, 0];
    for work in [brightness, contrast, saturation] {
        assert_eq!(apply(x, work, 1.0), x);
    }
    assert_eq!(apply(x, brightness, 2.0), [20, 40, 60, 255, 200, 0]);
    assert_eq!(apply(x, brightness, -1.0), [0; 6]);
    assert_eq!(apply(x, brightness, f32::NAN), [0; 6]);
    // Greys 18.15 and 118.5, their mean 68.325.
    assert_eq!(apply(x, saturation, 0.0), [18, 18, 18, 119, 119, 119]);
    assert_eq!(apply(x, contrast, 0.0), [68; 6]);
    assert_eq!(apply(x, contrast, 2.0), [0, 0, 0, 255, 132, 0]);
    assert_eq!(apply(x, saturation, 2.0), [2, 22, 42, 255, 82, 0]);
    // f32 is left as computed: there are no bounds that every network shares.
    let mut y = [-1.5_f32, 3.0];
    brightness(&mut ImageMut::new(&mut y, grey(1, 2)).unwrap(), 2.0);
    assert_eq!(y, [-3.0, 6.0]);
    contrast(&mut ImageMut::new(&mut y, grey(1, 2)).unwrap(), 0.5);
    assert_eq!(y, [-0.75, 3.75]);
    // A factor of 1 is the identity, however far the mean is from a number.
    for work in [brightness::<f32>, contrast, saturation] {
        let mut y = [1.0, 1e8, 3.0, f32::MAX, f32::MAX, -0.0];
        work(&mut ImageMut::new(&mut y, colour).unwrap(), 1.0);
        assert_eq!(y.map(f32::to_bits), [1.0, 1e8, 3.0, f32::MAX, f32::MAX, -0.0].map(f32::to_bits));
    }
    let mut unchanged = x;
    let mut image = ImageMut::new(&mut unchanged, colour).unwrap();
    Jitter::default().apply(&mut image, &mut rng(1)).unwrap();
    assert_eq!(unchanged, x);
}

#[test]
fn scale_and_crop_takes_patches_of_images_of_any_size() {
    let mut rng = rng(5);
    for (height, width) in [(1, 1), (3, 50), (50, 3), (40, 40), (37, 90)] {
        // A ramp: what is seen of it tells place and scale.
        let x: Vec<f32> = (0..height * width).map(|k| (k % width) as f32).collect();
        let image = Image::new(&x, grey(height, width)).unwrap();
        let recipe = ScaleCrop { shortest: [16, 30] };
        let (mut leftmost, mut rightmost, mut scales) = (f32::MAX, 0.0_f32, vec![]);
        for _ in 0..400 {
            let got = written(grey(16, 16), -7.0, |to| recipe.apply(image, to, &mut rng).unwrap());
            assert!(got.iter().all(|x| (0.0..=(width - 1) as f32).contains(x)));
            leftmost = leftmost.min(got[0]);
            rightmost = rightmost.max(got[15]);
            scales.push((got[12] - got[4]) / 8.0);
        }
        if height.min(width) > 30 {
            let shorter = height.min(width) as f32;
            let (small, large) = scales.iter().fold((f32::MAX, 0.0_f32), |(a, b), x| (a.min(*x), b.max(*x)));
            assert!(
                (small - shorter / 30.0).abs() < 0.02 && (large - shorter / 16.0).abs() < 0.02,
                "{small} {large}"
            );
            assert!(leftmost < 1.0 && rightmost > width as f32 - 2.0, "{leftmost} {rightmost}");
        }
    }
    let x = [0_u8; 4];
    let image = Image::new(&x, grey(2, 2)).unwrap();
    for (shortest, side) in [([16, 15], 8), ([16, 30], 17), ([0, 0], 1), ([16, usize::MAX], 8)] {
        written(grey(side, 1), 0, |to| {
            assert_eq!(ScaleCrop { shortest }.apply(image, to, &mut rng), REFUSED);
        });
    }
    assert_eq!(ScaleCrop::resnet().shortest, [256, 480]);
    for (shortest, answer) in [
        ([1, 1], Ok(())),
        ([1, 1 << 24], Ok(())),
        ([1, (1 << 24) + 1], REFUSED),
        ([0, 9], REFUSED),
        ([2, 1], REFUSED),
    ] {
        assert_eq!(ScaleCrop { shortest }.check(), answer);
    }
    for (pad, answer) in [(0, Ok(())), (1 << 24, Ok(())), ((1 << 24) + 1, REFUSED)] {
        assert_eq!(RandomCrop { pad }.check(), answer);
    }
    // A side of 1000 * 2^24 pixels would not fit in 32 bits: refused on every target alike.
    let image = Image::new(&[0_u8; 1000], grey(1, 1000)).unwrap();
    let drawn = rng.clone();
    for (longest, answer) in [(1 << 24, REFUSED), ((1 << 24) / 1000, Ok(()))] {
        let recipe = ScaleCrop { shortest: [1, longest] };
        written(grey(1, 1), 0, |to| assert_eq!(recipe.apply(image, to, &mut rng), answer));
        assert_eq!(rng == drawn, answer.is_err());
    }
}

#[test]
fn random_resized_crops_have_the_areas_and_ratios_asked_for() {
    let recipe = RandomResizedCrop::default();
    assert_eq!(recipe.check(), Ok(()));
    let mut rng = rng(8);
    let (mut smallest, mut largest) = (f64::MAX, 0.0_f64);
    for _ in 0..3000 {
        let Region { top, left, height, width } = recipe.region([300, 400], &mut rng);
        assert!(height > 0 && width > 0 && top + height <= 300 && left + width <= 400);
        let area = (height * width) as f64 / (300.0 * 400.0);
        let ratio = width as f64 / height as f64;
        assert!((0.079..=1.0).contains(&area) && (0.74..1.345).contains(&ratio), "{area} {ratio}");
        (smallest, largest) = (smallest.min(area), largest.max(area));
    }
    assert!(smallest < 0.085 && largest > 0.95, "{smallest} {largest}");
    // No part of such an image has a ratio that is allowed: the largest in its centre has to do.
    let thin = recipe.region([1000, 2], &mut rng);
    assert_eq!(thin, Region { top: 498, left: 0, height: 3, width: 2 });
    let flat = recipe.region([3, 1000], &mut rng);
    assert_eq!(flat, Region { top: 0, left: 498, height: 3, width: 4 });
    assert_eq!(recipe.region([1, 1], &mut rng), Region { top: 0, left: 0, height: 1, width: 1 });
    for recipe in [
        RandomResizedCrop { area: [0.0, 1.0], ..recipe },
        RandomResizedCrop { area: [0.5, 1.1], ..recipe },
        RandomResizedCrop { area: [0.6, 0.5], ..recipe },
        RandomResizedCrop { ratio: [0.0, 1.0], ..recipe },
        RandomResizedCrop { ratio: [1.0, f32::INFINITY], ..recipe },
        RandomResizedCrop { ratio: [f32::NAN, 1.0], ..recipe },
    ] {
        let x = [0_u8; 4];
        let image = Image::new(&x, grey(2, 2)).unwrap();
        let got = written(grey(2, 2), 7, |to| {
            assert_eq!(recipe.apply(image, to, &mut rng), Err(Error::Range(Hyper::Factor)));
        });
        assert_eq!(got, [7; 4]);
    }
}

#[test]
fn settings_out_of_range_are_refused_and_nothing_is_drawn() {
    let x = [1_u8, 2, 3, 4, 5, 6];
    let image = Image::new(&x, grey(2, 3)).unwrap();
    let (none, twist) = (Jitter::default(), RandomAffine::default());
    type Apply<'a> = &'a dyn Fn(&mut ImageMut<'_, u8>, &mut Xoshiro128PlusPlus) -> Result<(), Error>;
    let refused = |hyper: Hyper, apply: Apply<'_>| {
        let mut generator = rng(1);
        let got =
            written(grey(2, 3), 7, |to| assert_eq!(apply(to, &mut generator), Err(Error::Range(hyper))));
        assert_eq!((got, generator), (vec![7; 6], rng(1)));
    };
    for prob in [f32::NAN, -1e-9, -1.0, 1.0 + f32::EPSILON, f32::INFINITY, f32::NEG_INFINITY] {
        refused(Hyper::Probability, &|to, rng| RandomFlip { prob }.apply(to, rng).map(|_| ()));
    }
    let most = 16_777_216.0;
    for by in [f32::NAN, -1e-9, -1.0, most + 2.0, 1e38, f32::MAX, f32::INFINITY, f32::NEG_INFINITY] {
        for jitter in [
            Jitter { brightness: by, ..none },
            Jitter { contrast: by, ..none },
            Jitter { saturation: by, ..none },
            Jitter { hue: by, ..none },
        ] {
            refused(Hyper::Factor, &|to, rng| jitter.apply(to, rng));
        }
        for recipe in [
            RandomAffine { translate: by, ..twist },
            RandomAffine { rotate: by, ..twist },
            RandomAffine { stretch: by, ..twist },
            RandomAffine { shear: by, ..twist },
        ] {
            refused(Hyper::Factor, &|to, rng| recipe.apply(image, 0.0, to, rng));
        }
    }
    // The ends themselves, and -0, are settings like others: every map is finite, every number too.
    for by in [0.0, -0.0, most] {
        let (mut rng, mut y) = (rng(2), [0.5_f32, -2.0, 0.25]);
        let mut to = ImageMut::new(&mut y, grey(1, 3)).unwrap();
        for _ in 0..1000 {
            let recipe = RandomAffine { translate: by, rotate: by, stretch: by, shear: by };
            assert!(recipe.draw(&mut rng).m.iter().all(|m| m.is_finite()));
        }
        Jitter { brightness: by, contrast: by, saturation: by, hue: by.min(0.5) }
            .apply(&mut to, &mut rng)
            .unwrap();
        assert!(y.iter().all(|y| y.is_finite()));
    }
    for prob in [0.0, -0.0, 1.0] {
        assert_eq!(RandomFlip { prob }.check(), Ok(()));
    }
}

#[test]
fn images_of_nothing_and_of_the_wrong_size_are_refused() {
    assert_eq!(
        Image::new(&[0_u8; 5], grey(2, 3)).err(),
        Some(Error::Length { what: Argument::Input, expected: 6, found: 5 })
    );
    for shape in [grey(0, 3), grey(3, 0), shape(1, 1, 0, ImageLayout::Chw)] {
        assert_eq!(Image::<u8>::new(&[], shape).err(), Some(Error::Empty));
    }
    assert_eq!(Image::<u8>::new(&[], grey((1 << 24) + 1, 1)).err(), Some(Error::Shape));
    let huge = shape(1 << 24, 1 << 24, usize::MAX, ImageLayout::Hwc);
    assert!(ImageMut::new(&mut [0_u8; 5], huge).is_err());
}

/// The image with its numbers in the other order.
fn reordered<P: Pixel>(x: &[P], from: ImageShape, layout: ImageLayout) -> Vec<P> {
    let image = Image::new(x, from).unwrap();
    let to = ImageShape { layout, ..from };
    written(to, P::from_f32(0.0), |to| crop(image, [0, 0], to).unwrap())
}

proptest! {
    /// Both layouts, and the same seed twice: one result.
    #[test]
    fn layouts_agree(
        height in 1_usize..12, width in 1_usize..12, channels in 1_usize..5, seed: u64,
        out in (1_usize..12, 1_usize..12),
    ) {
        let hwc = shape(height, width, channels, ImageLayout::Hwc);
        let x: Vec<u8> = { let mut r = Random(seed); (0..length(hwc)).map(|_| r.word() as u8).collect() };
        let chw = ImageShape { layout: ImageLayout::Chw, ..hwc };
        let planes = reordered(&x, hwc, ImageLayout::Chw);
        let to = shape(out.0, out.1, channels, ImageLayout::Hwc);
        let run = |from: Image<'_, u8>, to: ImageShape| written(to, 9, |to| {
            let mut rng = rng(seed);
            let map = RandomAffine { translate: 2.0, rotate: 30.0, stretch: 0.3, shear: 0.2 };
            map.apply(from, 3.0, to, &mut rng).unwrap();
            RandomFlip { prob: 0.5 }.apply(to, &mut rng).unwrap();
            Jitter { brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.1 }.apply(to, &mut rng).unwrap();
            if seed % 2 == 0 {
                RandomResizedCrop::default().apply(from, to, &mut rng).unwrap();
            } else if seed % 3 == 0 {
                ScaleCrop { shortest: [12, 20] }.apply(from, to, &mut rng).unwrap();
            }
        });
        let a = run(Image::new(&x, hwc).unwrap(), to);
        let b = run(Image::new(&planes, chw).unwrap(), ImageShape { layout: ImageLayout::Chw, ..to });
        prop_assert_eq!(reordered(&b, ImageShape { layout: ImageLayout::Chw, ..to }, ImageLayout::Hwc), a);
    }

    /// A map and the one that undoes it: the point comes back.
    #[test]
    fn maps_in_sequence_are_one_map(degrees in -180.0_f32..180.0, factor in 0.3_f32..3.0, dx in -5.0_f32..5.0) {
        let there = Affine::rotate(degrees).then(Affine::stretch(factor, 1.0)).then(Affine::translate(dx, -dx));
        let back = Affine::translate(-dx, dx).then(Affine::stretch(1.0 / factor, 1.0)).then(Affine::rotate(-degrees));
        for (got, want) in there.then(back).m.iter().zip(Affine::IDENTITY.m) {
            prop_assert!((got - want).abs() < 1e-4);
        }
    }
}
