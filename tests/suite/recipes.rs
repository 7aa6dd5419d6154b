//! What chance decides, recomputed in f64 from the generator's words: places, sizes, maps, factors, windows.

use gradus::augment::*;
use gradus::pool::{Regions, Window};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

/// The words of a generator as numbers, by the documentation alone.
struct Words(Xoshiro128PlusPlus);

impl Words {
    /// Uniform in `0..1`, from the upper 24 bits.
    fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32() >> 8) / 16_777_216.0
    }

    /// Uniform in `low..high`.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in `0..n`: the words are dealt out in order, those left over drawn again.
    fn place(&mut self, n: usize) -> usize {
        let n = n as u64;
        loop {
            let product = u64::from(self.0.next_u32()) * n;
            if product % (1 << 32) >= (1 << 32) % n {
                return (product >> 32) as usize;
            }
        }
    }
}

fn rng(seed: u64) -> Xoshiro128PlusPlus {
    Xoshiro128PlusPlus::seed_from_u64(seed)
}

/// Pearson's statistic of counts that should be equal.
fn chi_square(counts: &[u32]) -> f64 {
    let mean = counts.iter().map(|n| f64::from(*n)).sum::<f64>() / counts.len() as f64;
    counts.iter().map(|n| (f64::from(*n) - mean).powi(2) / mean).sum()
}

/// `work` on an image of so many rows, columns and channels; what it wrote.
fn written(
    [height, width, channels]: [usize; 3],
    start: &[f32],
    work: impl FnOnce(&mut ImageMut<'_, f32>),
) -> Vec<f32> {
    let shape = ImageShape { height, width, channels, layout: ImageLayout::Hwc };
    let mut pixels = start.to_vec();
    work(&mut ImageMut::new(&mut pixels, shape).unwrap());
    pixels
}

/// The region that the words lead to, or `None` where f32 may round a side to the other neighbour.
fn region(recipe: &RandomResizedCrop, [height, width]: [usize; 2], words: &mut Words) -> Option<Region> {
    let [small, large] = recipe.area.map(f64::from);
    let [tall, wide] = recipe.ratio.map(|ratio| f64::from(ratio).ln());
    for _ in 0..10 {
        let area = (height * width) as f64 * words.between(small, large);
        let ratio = words.between(tall, wide).exp();
        let sides = [(area / ratio).sqrt(), (area * ratio).sqrt()];
        if sides.iter().any(|side| (side.fract() - 0.5).abs() < 1e-3) {
            return None;
        }
        let [h, w] = sides.map(|side| side.round() as usize);
        if (1..=height).contains(&h) && (1..=width).contains(&w) {
            let (top, left) = (words.place(height - h + 1), words.place(width - w + 1));
            return Some(Region { top, left, height: h, width: w });
        }
    }
    None // the fallback draws nothing
}

#[test]
fn regions_are_those_of_the_words() {
    for (size, recipe) in [
        ([300, 400], RandomResizedCrop::default()),
        ([9, 7], RandomResizedCrop::default()),
        ([40, 90], RandomResizedCrop { area: [0.5, 1.0], ratio: [0.5, 3.0] }),
    ] {
        let (mut known, mut ends) = (0, [0; 4]);
        for seed in 0..2000 {
            let (mut generator, mut words) = (rng(seed), Words(rng(seed)));
            let got = recipe.region(size, &mut generator);
            let Some(want) = region(&recipe, size, &mut words) else { continue };
            assert_eq!(got, want, "{size:?} {seed}");
            assert_eq!(generator, words.0, "as many words");
            known += 1;
            let free = got.height < size[0] && got.width < size[1];
            ends[0] += u32::from(free && got.top == 0);
            ends[1] += u32::from(free && got.left == 0);
            ends[2] += u32::from(free && got.top + got.height == size[0]);
            ends[3] += u32::from(free && got.left + got.width == size[1]);
        }
        assert!(known > 1800 && ends.iter().all(|n| *n > 0), "{size:?} {known} {ends:?}");
    }
}

#[test]
fn regions_stand_at_every_place_equally_often() {
    // 4 x 4 of 8 x 10: five rows and seven columns to begin at.
    let recipe = RandomResizedCrop { area: [0.2; 2], ratio: [1.0; 2] };
    let (mut rng, mut counts) = (rng(12), [[0; 7]; 5]);
    for _ in 0..7000 {
        let Region { top, left, height, width } = recipe.region([8, 10], &mut rng);
        assert_eq!((height, width), (4, 4));
        counts[top][left] += 1;
    }
    let rows = counts.map(|row| row.iter().sum());
    let columns: [u32; 7] = std::array::from_fn(|column| counts.iter().map(|row| row[column]).sum());
    // 0.1 % of 4, 6 and 34 degrees of freedom: each axis, and that they are independent.
    assert!(chi_square(&rows) < 18.5 && chi_square(&columns) < 22.5, "{counts:?}");
    assert!(chi_square(counts.as_flattened()) < 65.3, "{counts:?}");
}

#[test]
fn areas_and_ratios_fill_their_ranges_evenly() {
    // Every attempt fits: what is drawn is what is seen. Areas in ten bins, logarithms of ratios in ten.
    let recipe = RandomResizedCrop { area: [0.01, 0.5], ratio: [0.5, 2.0] };
    let (mut rng, mut counts) = (rng(13), [[0; 10]; 10]);
    for _ in 0..20_000 {
        let Region { height, width, .. } = recipe.region([4000, 4000], &mut rng);
        let area = (height * width) as f64 / 16e6;
        let ratio = width as f64 / height as f64;
        let bin = |x: f64| ((x * 10.0) as usize).min(9);
        counts[bin((area - 0.01) / 0.49)][bin((ratio.ln() / 2.0_f64.ln() + 1.0) / 2.0)] += 1;
    }
    assert!(chi_square(counts.as_flattened()) < 148.3, "{counts:?}"); // 0.1 % of 99 degrees of freedom
}

#[test]
fn patches_of_scaled_images_are_those_of_the_words() {
    for (size, patch, shortest) in
        [([40, 60], [16, 16], [16, 30]), ([70, 35], [9, 12], [12, 80]), ([33, 33], [8, 5], [20, 20])]
    {
        // A pixel's numbers are its row and its column: interpolated they tell where one looked.
        let pixels: Vec<f32> =
            (0..size[0] * size[1]).flat_map(|k| [k / size[1], k % size[1]]).map(|x| x as f32).collect();
        let shape = ImageShape { height: size[0], width: size[1], channels: 2, layout: ImageLayout::Hwc };
        let image = Image::new(&pixels, shape).unwrap();
        let mut offsets = [0; 2];
        for seed in 0..200 {
            let (mut generator, mut words) = (rng(seed), Words(rng(seed)));
            let got = written([patch[0], patch[1], 2], &vec![-7.0; 2 * patch[0] * patch[1]], |to| {
                ScaleCrop { shortest }.apply(image, to, &mut generator).unwrap();
            });
            let short = shortest[0] + words.place(shortest[1] - shortest[0] + 1);
            let shorter = size[0].min(size[1]);
            let scaled = size.map(|side| (2 * side * short + shorter) / (2 * shorter)); // half up
            let start = [0, 1].map(|axis| words.place(scaled[axis] - patch[axis] + 1));
            assert_eq!(generator, words.0, "as many words");
            for axis in 0..2 {
                offsets[axis] += start[axis];
                let scale = size[axis] as f64 / scaled[axis] as f64;
                let points = (scale.ceil() as usize).clamp(1, 8);
                for (k, pixel) in got.chunks(2).enumerate() {
                    let i = start[axis] + [k / patch[1], k % patch[1]][axis];
                    let seen = |point: usize| {
                        let x = (i as f64 + (point as f64 + 0.5) / points as f64) * scale - 0.5;
                        x.clamp(0.0, size[axis] as f64 - 1.0)
                    };
                    let want = (0..points).map(seen).sum::<f64>() / points as f64;
                    assert!(
                        (f64::from(pixel[axis]) - want).abs() < 1e-4,
                        "{size:?} {seed} {k}: {pixel:?} {want}"
                    );
                }
            }
        }
        assert!(offsets.iter().all(|sum| *sum > 100), "{offsets:?}");
    }
}

/// Where the map that the words lead to moves a point, in this order: stretch, shear, rotation, translation.
fn moved(recipe: &RandomAffine, words: &mut Words) -> impl Fn([f64; 2]) -> [f64; 2] + use<> {
    let most = f64::from(recipe.stretch).ln_1p();
    let mut around = |strength: f64| words.between(-strength, strength);
    let (wide, high) = (around(most).exp(), around(most).exp());
    let (slant, turn) = (around(recipe.shear.into()), around(recipe.rotate.into()).to_radians());
    let (right, down) = (around(recipe.translate.into()), around(recipe.translate.into()));
    move |[x, y]| {
        let (x, y) = (x * wide, y * high);
        let x = x + slant * y;
        // Counter-clockwise on a screen, whose y points down.
        let (x, y) = (x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin());
        [x + right, y + down]
    }
}

#[test]
fn affine_maps_are_those_of_the_words() {
    let none = RandomAffine::default();
    let recipes = [
        RandomAffine { translate: 3.0, rotate: 30.0, stretch: 0.5, shear: 0.4 },
        RandomAffine { translate: 3.0, ..none },
        RandomAffine { rotate: 180.0, ..none },
        RandomAffine { stretch: 1.0, ..none },
        RandomAffine { shear: 0.4, ..none },
    ];
    for recipe in recipes {
        for seed in 0..300 {
            let (mut generator, mut words) = (rng(seed), Words(rng(seed)));
            let map = recipe.draw(&mut generator);
            let forward = moved(&recipe, &mut words);
            assert_eq!(generator, words.0, "six words, whatever the strengths");
            // The map is kept as the way back.
            for point in [[0.0, 0.0], [5.0, 0.0], [0.0, 5.0], [-3.0, 4.0]] {
                let [x, y] = forward(point);
                let [a, b, c, d, e, f] = map.m.map(f64::from);
                let back = [a * x + b * y + c, d * x + e * y + f];
                for (got, want) in back.iter().zip(point) {
                    assert!((got - want).abs() < 2e-5, "{recipe:?} {seed}: {back:?} {point:?}");
                }
            }
        }
        // What is written is the image under the next map.
        let pixels: Vec<f32> = (0..35).map(|k| (k * k % 11) as f32).collect();
        let shape = ImageShape { height: 7, width: 5, channels: 1, layout: ImageLayout::Hwc };
        let image = Image::new(&pixels, shape).unwrap();
        let (mut one, mut other) = (rng(5), rng(5));
        let got = written([6, 4, 1], &[7.0; 24], |to| recipe.apply(image, 0.25, to, &mut one).unwrap());
        let map = recipe.draw(&mut other);
        assert_eq!(got, written([6, 4, 1], &[7.0; 24], |to| affine(image, &map, 0.25, to).unwrap()));
    }
}

/// Brightness, contrast and saturation of one image by their formulas, with the factors of the words.
fn lit(jitter: &Jitter, pixels: &[f32], words: &mut Words) -> Vec<f64> {
    let mut factor = |strength: f32| {
        let strength = f64::from(strength);
        words.between((1.0 - strength).max(0.0), 1.0 + strength)
    };
    let [brightness, contrast, saturation] =
        [jitter.brightness, jitter.contrast, jitter.saturation].map(&mut factor);
    let grey = |rgb: &[f64]| 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    let mix = |x: f64, towards: f64, factor: f64| towards + (x - towards) * factor;
    let x: Vec<f64> = pixels.iter().map(|x| f64::from(*x) * brightness).collect();
    let mean = x.chunks(3).map(grey).sum::<f64>() / (x.len() / 3) as f64;
    let x: Vec<f64> = x.iter().map(|x| mix(*x, mean, contrast)).collect();
    let x =
        x.chunks(3).flat_map(|rgb| rgb.iter().map(|x| mix(*x, grey(rgb), saturation)).collect::<Vec<_>>());
    let (x, turn) = (x.collect::<Vec<_>>(), words.between(-f64::from(jitter.hue), f64::from(jitter.hue)));
    x.chunks(3).flat_map(|rgb| turned([rgb[0], rgb[1], rgb[2]], turn)).collect()
}

/// A colour with its hue turned, by the one-line form of HSV: each channel is a trapezium of the hue.
fn turned([r, g, b]: [f64; 3], turn: f64) -> [f64; 3] {
    let (v, c) = (r.max(g).max(b), r.max(g).max(b) - r.min(g).min(b));
    if c == 0.0 {
        return [r, g, b];
    }
    let sector = match v {
        v if v == r => (g - b) / c,
        v if v == g => 2.0 + (b - r) / c,
        _ => 4.0 + (r - g) / c,
    };
    [5.0, 3.0, 1.0].map(|n| {
        let k = (n + sector + 6.0 * turn).rem_euclid(6.0);
        v - c * k.min(4.0 - k).clamp(0.0, 1.0)
    })
}

#[test]
fn changes_of_light_are_those_of_the_words() {
    let pixels: Vec<f32> = (0..36).map(|k| (k * k % 31) as f32 / 31.0).collect();
    let none = Jitter::default();
    for jitter in [
        none,
        Jitter { brightness: 0.4, ..none },
        Jitter { contrast: 0.4, ..none },
        Jitter { saturation: 0.4, ..none },
        Jitter { hue: 0.5, ..none },
        Jitter { brightness: 0.2, contrast: 0.5, saturation: 1.0, hue: 0.0 },
        Jitter { brightness: 3.0, contrast: 1.5, saturation: 2.0, hue: 0.25 },
    ] {
        let (mut brighter, mut darker) = (0, 0);
        for seed in 0..300 {
            let (mut generator, mut words) = (rng(seed), Words(rng(seed)));
            let got = written([3, 4, 3], &pixels, |image| jitter.apply(image, &mut generator).unwrap());
            let want = lit(&jitter, &pixels, &mut words);
            assert_eq!(generator, words.0, "four words, whatever the strengths");
            for (got, want) in got.iter().zip(&want) {
                assert!((f64::from(*got) - want).abs() < 1e-5, "{jitter:?} {seed}: {got} {want}");
            }
            let sum = |x: &[f32]| x.iter().sum::<f32>();
            brighter += u32::from(sum(&got) > sum(&pixels));
            darker += u32::from(sum(&got) < sum(&pixels));
        }
        if jitter.brightness == 0.4 {
            assert!(brighter > 120 && darker > 120, "{brighter} {darker}");
        }
    }
}

#[test]
fn pseudo_random_windows_are_those_of_the_words() {
    for (size, count) in [(7, 4), (13, 5), (100, 37), (12, 12), (9, 1)] {
        for seed in 0..100 {
            let (mut generator, mut words) = (rng(seed), Words(rng(seed)));
            let mut windows = vec![Window::default(); count];
            Regions::Disjoint.pseudo_random(size, &mut generator, &mut windows).unwrap();
            let r = words.place(count);
            assert_eq!(generator, words.0, "as many words");
            for (i, window) in windows.iter().enumerate() {
                assert_eq!(window.start, (i * size + r) / count, "{size} {count} {seed}");
            }
        }
    }
    // 13 in 5 pieces: five arrangements, one for each start.
    let (mut rng, mut counts) = (rng(14), std::collections::BTreeMap::new());
    for _ in 0..5000 {
        let mut windows = [Window::default(); 5];
        Regions::Disjoint.pseudo_random(13, &mut rng, &mut windows).unwrap();
        *counts.entry(windows.map(|window| window.len)).or_insert(0) += 1;
    }
    let counts: Vec<u32> = counts.into_values().collect();
    assert!(counts.len() == 5 && chi_square(&counts) < 18.5, "{counts:?}"); // 0.1 % of 4 degrees of freedom
}
