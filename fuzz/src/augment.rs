//! Augmentation of images: nothing outside of the buffers, no value outside of the source's range, and each
//! function against its definition in more digits.

use crate::input::{column, moderate, number};
use arbitrary::{Result, Unstructured};
use gradus::augment::*;
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// No side and no border is longer.
const LONGEST: usize = 1 << 24;

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = if u.arbitrary().unwrap_or(false) { any::<u8>(&mut u) } else { any::<f32>(&mut u) };
}

trait Number: Pixel + core::fmt::Debug + 'static {
    /// Half the distance of neighbours.
    const HALF: f64;
    fn draw(u: &mut Unstructured) -> Result<Self>;
    fn raw(self) -> u32;
    fn wide(self) -> f64 {
        f64::from(self.to_f32())
    }
}

impl Number for u8 {
    const HALF: f64 = 0.5;
    fn draw(u: &mut Unstructured) -> Result<Self> {
        u.arbitrary()
    }
    fn raw(self) -> u32 {
        self.into()
    }
}

impl Number for f32 {
    const HALF: f64 = 0.0;
    fn draw(u: &mut Unstructured) -> Result<Self> {
        moderate(u)
    }
    fn raw(self) -> u32 {
        self.to_bits()
    }
}

/// An image in memory of its own, which ends with it.
#[derive(Clone, Debug)]
struct Owned<P> {
    shape: ImageShape,
    pixels: Vec<P>,
}

impl<P: Number> Owned<P> {
    fn new(u: &mut Unstructured, channels: usize) -> Result<Self> {
        let layout = if u.arbitrary()? { ImageLayout::Hwc } else { ImageLayout::Chw };
        let (height, width) = (u.int_in_range(1..=9)?, u.int_in_range(1..=9)?);
        let shape = ImageShape { height, width, channels, layout };
        let pixels = column(u, height * width * channels, P::draw)?;
        Ok(Self { shape, pixels: pixels.into_boxed_slice().into_vec() })
    }

    fn image(&self) -> Image<'_, P> {
        Image::new(&self.pixels, self.shape).unwrap()
    }

    /// What `work` makes of it.
    fn with<R>(&self, work: impl FnOnce(&mut ImageMut<'_, P>) -> R) -> (Self, R) {
        let mut new = self.clone();
        let result = work(&mut ImageMut::new(&mut new.pixels, self.shape).unwrap());
        (new, result)
    }

    fn at(&self, row: usize, column: usize, channel: usize) -> P {
        let ImageShape { height, width, channels, layout } = self.shape;
        assert!(row < height && column < width && channel < channels);
        self.pixels[match layout {
            ImageLayout::Hwc => (row * width + column) * channels + channel,
            ImageLayout::Chw => (channel * height + row) * width + column,
        }]
    }

    /// The same with coordinates that may lie outside.
    fn or(&self, row: i64, column: i64, channel: usize, fill: f64) -> f64 {
        let inside = |x: i64, size: usize| (0..size as i64).contains(&x);
        if inside(row, self.shape.height) && inside(column, self.shape.width) {
            self.at(row as usize, column as usize, channel).wide()
        } else {
            fill
        }
    }

    fn raw(&self) -> Vec<u32> {
        self.pixels.iter().map(|x| x.raw()).collect()
    }

    #[track_caller]
    fn same(&self, other: &Self, what: &str) {
        assert!(self.raw() == other.raw(), "{what}: {self:?} {other:?}");
    }

    fn places(&self) -> impl Iterator<Item = [usize; 3]> + use<P> {
        let ImageShape { height, width, channels, .. } = self.shape;
        (0..height).flat_map(move |r| {
            (0..width).flat_map(move |c| (0..channels).map(move |channel| [r, c, channel]))
        })
    }

    /// Every number near a value in f64, rounded as a pixel is.
    #[track_caller]
    fn near(&self, slack: f64, what: &str, want: impl Fn(usize, usize, usize) -> f64) {
        for [r, c, channel] in self.places() {
            let (got, want) = (self.at(r, c, channel).wide(), want(r, c, channel));
            let want = if P::HALF > 0.0 { want.clamp(0.0, 255.0) } else { want };
            let off = (got - want).abs();
            assert!(off <= P::HALF + slack, "{what} {r} {c} {channel}: {got}, not {want}: {self:?}");
        }
    }

    /// The smallest and the largest number.
    fn range(&self) -> [f64; 2] {
        self.pixels
            .iter()
            .map(|x| x.wide())
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], x| [a.min(x), b.max(x)])
    }

    /// Every number between two, but for rounding.
    #[track_caller]
    fn within(&self, [low, high]: [f64; 2], what: &str) {
        let slack = if P::HALF > 0.0 { 0.0 } else { 4e-6 * low.abs().max(high.abs()) };
        let [least, most] = self.range();
        assert!(least >= low - slack && most <= high + slack, "{what}: {least}..{most}, not {low}..{high}");
    }
}

fn any<P: Number>(u: &mut Unstructured) -> Result<()> {
    let channels = u.int_in_range(1..=4)?;
    let from = Owned::<P>::new(u, channels)?;
    let others = if u.ratio(31, 32)? { channels } else { u.int_in_range(1..=4)? };
    let to = Owned::<P>::new(u, others)?;
    match u.int_in_range(0..=7)? {
        0 => shapes(u, &from),
        1 => crops(u, &from, &to),
        2 => flips(u, &from),
        3 => resizes(u, &from, &to),
        4 => maps(u, &from, &to),
        5 => lights(u, &from),
        6 => recipes(u, &from, &to),
        _ => random_maps(u, &from, &to),
    }
}

/// Shapes that do not fit their memory, and coordinates that leave it.
fn shapes<P: Number>(u: &mut Unstructured, from: &Owned<P>) -> Result<()> {
    let mut shape = from.shape;
    let mut side = |old: usize| -> Result<usize> {
        Ok(match u.int_in_range(0..=7)? {
            0 => u.arbitrary()?,
            1 => u.int_in_range(0..=10)?,
            _ => old,
        })
    };
    (shape.height, shape.width, shape.channels) =
        (side(shape.height)?, side(shape.width)?, side(shape.channels)?);
    let numbers = (shape.height as u128).checked_mul(shape.width as u128 * shape.channels as u128);
    let fits = numbers == Some(from.pixels.len() as u128) && shape.height.max(shape.width) <= LONGEST;
    let mut copy = from.pixels.clone();
    assert_eq!(Image::new(&from.pixels, shape).is_ok(), fits, "{shape:?}");
    assert_eq!(ImageMut::new(&mut copy, shape).is_ok(), fits, "{shape:?}");

    let ImageShape { height, width, channels, .. } = from.shape;
    let mut near = |size: usize| -> Result<usize> {
        if u.ratio(1, 8)? { u.arbitrary() } else { u.int_in_range(0..=size + 1) }
    };
    let (row, column, channel) = (near(height)?, near(width)?, near(channels)?);
    let inside = row < height && column < width && channel < channels;
    let got = from.image().get(row, column, channel);
    assert_eq!(got, inside.then(|| from.at(row, column, channel)));
    let new = P::draw(u)?;
    let (changed, ()) = from.with(|image| image.set(row, column, channel, new));
    for [r, c, k] in from.places() {
        let want = if [r, c, k] == [row, column, channel] { new } else { from.at(r, c, k) };
        assert_eq!(changed.at(r, c, k).raw(), want.raw());
    }
    Ok(())
}

fn crops<P: Number>(u: &mut Unstructured, from: &Owned<P>, to: &Owned<P>) -> Result<()> {
    let mut amount = || -> Result<usize> {
        match u.int_in_range(0..=15)? {
            0 => u.arbitrary(),
            1 => Ok(usize::MAX - u.int_in_range(0..=9_usize)?),
            _ => u.int_in_range(0..=5),
        }
    };
    let (pad, top, left) = (amount()?, amount()?, amount()?);
    let fill = P::draw(u)?;
    let (source, target) = (from.shape, to.shape);
    let fits = |start: usize, size: usize, whole: usize, pad: usize| {
        start as u128 + size as u128 <= whole as u128 + 2 * pad as u128
    };
    for (pad, fill) in [(pad, fill), (0, P::from_f32(0.0))] {
        let (new, result) = to.with(|to| {
            if pad == 0 {
                crop(from.image(), [top, left], to)
            } else {
                pad_crop(from.image(), pad, fill, [top, left], to)
            }
        });
        let ok = pad <= LONGEST
            && fits(top, target.height, source.height, pad)
            && fits(left, target.width, source.width, pad);
        assert_eq!(result.is_ok(), ok && source.channels == target.channels, "{pad} {top} {left}");
        if result.is_err() {
            new.same(to, "a refused crop");
            continue;
        }
        for [r, c, channel] in new.places() {
            let place = |start: usize, at: usize| (start as i128 + at as i128 - pad as i128) as i64;
            let want = from.or(place(top, r), place(left, c), channel, fill.wide());
            assert_eq!(new.at(r, c, channel).wide(), want, "{pad} {top} {left}");
        }
    }
    let sizes = ([source.height, source.width], [target.height, target.width]);
    let fits = target.height <= source.height && target.width <= source.width;
    let five = fixed_crops(sizes.0, sizes.1);
    assert_eq!(five.is_ok(), fits);
    for corner in five.iter().flatten() {
        let (_, result) = to.with(|to| crop(from.image(), *corner, to));
        assert_eq!(result.is_ok(), source.channels == target.channels);
    }
    Ok(())
}

fn flips<P: Number>(u: &mut Unstructured, from: &Owned<P>) -> Result<()> {
    let (mirrored, ()) = from.with(flip);
    for [r, c, channel] in from.places() {
        let want = from.at(r, from.shape.width - 1 - c, channel);
        assert_eq!(mirrored.at(r, c, channel).raw(), want.raw());
    }
    let prob = number(u)?;
    let before = Xoshiro128PlusPlus::seed_from_u64(u.arbitrary()?);
    let mut rng = before.clone();
    let (new, flipped) = from.with(|image| RandomFlip { prob }.apply(image, &mut rng));
    assert_eq!(flipped.is_ok(), (0.0..=1.0).contains(&prob), "{prob}");
    let Ok(mirror) = flipped else {
        new.same(from, "a refused flip");
        assert!(rng == before);
        return Ok(());
    };
    assert!(mirror || prob < 1.0);
    assert!(!mirror || prob > 0.0);
    new.same(if mirror { &mirrored } else { from }, "a flip");
    Ok(())
}

fn region(u: &mut Unstructured, shape: ImageShape) -> Result<Region> {
    let mut within = |size: usize| -> Result<(usize, usize)> {
        let start = if u.ratio(31, 32)? { u.int_in_range(0..=size)? } else { u.arbitrary()? };
        let len = size.saturating_sub(start);
        Ok((start, if u.ratio(15, 16)? { u.int_in_range(0..=len)? } else { u.arbitrary()? }))
    };
    let ((top, height), (left, width)) = (within(shape.height)?, within(shape.width)?);
    Ok(Region { top, left, height, width })
}

/// Bilinear interpolation with several points a pixel, in f64.
struct Axis {
    start: usize,
    size: usize,
    target: usize,
}

impl Axis {
    fn points(&self) -> usize {
        self.size.div_ceil(self.target)
    }
    fn at(&self, i: usize, k: usize) -> (usize, usize, f64) {
        let inside = (k as f64 + 0.5) / self.points() as f64;
        let x = ((i as f64 + inside) * self.size as f64 / self.target as f64 - 0.5).max(0.0);
        let x = x.min((self.size - 1) as f64);
        let first = x.floor() as usize;
        (self.start + first, self.start + (first + 1).min(self.size - 1), x - first as f64)
    }
}

fn resizes<P: Number>(u: &mut Unstructured, from: &Owned<P>, to: &Owned<P>) -> Result<()> {
    let region = region(u, from.shape)?;
    let Region { top, left, height, width } = region;
    let (source, target) = (from.shape, to.shape);
    let fits = |start: usize, len: usize, size: usize| {
        len > 0 && start.checked_add(len).is_some_and(|end| end <= size)
    };
    let (new, result) = to.with(|to| resize(from.image(), region, to));
    let ok = fits(top, height, source.height) && fits(left, width, source.width);
    assert_eq!(result.is_ok(), ok && source.channels == target.channels, "{region:?}");
    if result.is_err() {
        new.same(to, "a refused resize");
        return Ok(());
    }
    new.within(from.range(), "a resize");
    let rows = Axis { start: top, size: height, target: target.height };
    let columns = Axis { start: left, size: width, target: target.width };
    let largest = from.range().map(f64::abs).into_iter().fold(0.0, f64::max);
    new.near(1e-5 * largest, "resize", |r, c, channel| {
        let mut sum = 0.0;
        for v in 0..rows.points() {
            for w in 0..columns.points() {
                let ((a, b, y), (d, e, x)) = (rows.at(r, v), columns.at(c, w));
                let at = |r: usize, c: usize| from.at(r, c, channel).wide();
                sum += (1.0 - y) * ((1.0 - x) * at(a, d) + x * at(a, e))
                    + y * ((1.0 - x) * at(b, d) + x * at(b, e));
            }
        }
        sum / (rows.points() * columns.points()) as f64
    });
    Ok(())
}

/// A number of a map: near the usual ones, or any.
fn factor(u: &mut Unstructured) -> Result<f32> {
    Ok(match u.int_in_range(0..=7)? {
        0 => number(u)?,
        1 => *u.choose(&[0.0, 1.0, -1.0, 0.5, 2.0])?,
        _ => f32::from(u.arbitrary::<i16>()?) / 8192.0,
    })
}

fn maps<P: Number>(u: &mut Unstructured, from: &Owned<P>, to: &Owned<P>) -> Result<()> {
    let mut m = [0.0; 6];
    for m in &mut m {
        *m = factor(u)?;
    }
    let sizes = |s: ImageShape| [s.height, s.width];
    let mut map = match u.int_in_range(0..=6)? {
        0 => Affine::translate(m[0], m[1]),
        1 => Affine::rotate(m[0] * 90.0),
        2 => Affine::stretch(m[0], m[1]),
        3 => Affine::shear(m[0]),
        4 => Affine::pytorch(m, sizes(from.shape), sizes(to.shape), u.arbitrary()?),
        _ => Affine { m },
    };
    if u.ratio(1, 4)? {
        map = map.then(Affine::rotate(m[2])).then(Affine::IDENTITY);
    }
    apply(u, map, from, to)
}

fn apply<P: Number>(u: &mut Unstructured, map: Affine, from: &Owned<P>, to: &Owned<P>) -> Result<()> {
    let fill = P::draw(u)?.to_f32();
    let (new, result) = to.with(|to| affine(from.image(), &map, fill, to));
    let finite = map.m.iter().all(|m| m.is_finite());
    assert_eq!(result.is_ok(), finite && from.shape.channels == to.shape.channels, "{map:?}");
    if result.is_err() {
        new.same(to, "a refused map");
        return Ok(());
    }
    let [low, high] = from.range();
    let fill = f64::from(fill);
    let range = [low.min(fill), high.max(fill)];
    new.within(range, "a map");
    if map.m.iter().any(|m| m.abs() > 1000.0) {
        return Ok(());
    }
    let m = map.m.map(f64::from);
    let centre = |size: usize| (size as f64 - 1.0) / 2.0;
    // The coordinates are rounded a few times at their own size.
    let reach = m.iter().fold(10.0, |most: f64, m| most.max(10.0 * m.abs()));
    let slack = (range[1] - range[0]) * 1e-6 * reach + 1e-5 * low.abs().max(high.abs()).max(fill.abs());
    new.near(slack, "map", |r, c, channel| {
        let (v, w) = (r as f64 - centre(to.shape.height), c as f64 - centre(to.shape.width));
        let x = m[0] * w + m[1] * v + m[2] + centre(from.shape.width);
        let y = m[3] * w + m[4] * v + m[5] + centre(from.shape.height);
        let (left, top) = (x.floor(), y.floor());
        let (x, y) = (x - left, y - top);
        let at = |down: i64, right: i64| from.or(top as i64 + down, left as i64 + right, channel, fill);
        (1.0 - y) * ((1.0 - x) * at(0, 0) + x * at(0, 1)) + y * ((1.0 - x) * at(1, 0) + x * at(1, 1))
    });
    Ok(())
}

fn lights<P: Number>(u: &mut Unstructured, from: &Owned<P>) -> Result<()> {
    let by: f32 = if u.ratio(1, 4)? { number(u)? } else { f32::from(u.arbitrary::<u16>()?) / 16384.0 };
    let (bright, ()) = from.with(|image| brightness(image, by));
    for (new, old) in bright.pixels.iter().zip(&from.pixels) {
        let want = P::from_f32(old.to_f32() * by);
        assert!(new.raw() == want.raw() || new.to_f32().is_nan() && want.to_f32().is_nan());
    }
    let ((contrasted, ()), (saturated, ())) =
        (from.with(|image| contrast(image, by)), from.with(|image| saturation(image, by)));
    if !(by.abs() <= 100.0) {
        return Ok(());
    }
    let ImageShape { height, width, channels, .. } = from.shape;
    let grey = |r: usize, c: usize| {
        let x = |k| from.at(r, c, k).wide();
        if channels == 3 {
            0.299 * x(0) + 0.587 * x(1) + 0.114 * x(2)
        } else {
            (0..channels).map(x).sum::<f64>() / channels as f64
        }
    };
    let all = (0..height).flat_map(|r| (0..width).map(move |c| (r, c)));
    let mean = all.map(|(r, c)| grey(r, c)).sum::<f64>() / (height * width) as f64;
    let largest = from.range().map(f64::abs).into_iter().fold(0.0, f64::max);
    let (by, slack) = (f64::from(by), 1e-5 * largest * f64::from(by.abs() + 1.0));
    let moved = |x: f64, to: f64| to + (x - to) * by;
    contrasted.near(slack, "contrast", |r, c, k| moved(from.at(r, c, k).wide(), mean));
    saturated.near(slack, "saturation", |r, c, k| moved(from.at(r, c, k).wide(), grey(r, c)));
    // Strengths of nothing change nothing, and draw as much.
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(u.arbitrary()?);
    let mut four = rng.clone();
    let (new, done) = from.with(|image| Jitter::default().apply(image, &mut rng));
    assert_eq!(done, Ok(()));
    new.same(from, "no jitter");
    for _ in 0..4 {
        four.next_u32();
    }
    assert!(rng == four);
    let strengths = [strength(u)?, strength(u)?, strength(u)?];
    let [brightness, contrast, saturation] = strengths;
    let hue = if u.arbitrary()? { 0.0 } else { strength(u)? };
    let jitter = Jitter { brightness, contrast, saturation, hue };
    let (new, done) = from.with(|image| jitter.apply(image, &mut rng));
    assert_eq!(done.is_ok(), strengths.into_iter().all(in_range) && (0.0..=0.5).contains(&hue), "{jitter:?}");
    if done.is_err() {
        new.same(from, "a refused jitter");
        assert!(rng == four);
    }
    // The largest number is 2^7 * 2^8 at most, each strength multiplies it by less than 2^26.
    assert!(new.pixels.iter().all(|x| x.to_f32().is_finite()));
    Ok(())
}

/// A strength: usual, at an end of its range, or any number.
fn strength(u: &mut Unstructured) -> Result<f32> {
    Ok(match u.int_in_range(0..=15)? {
        0 => number(u)?,
        1 => LONGEST as f32,
        2 => -f32::from(u.arbitrary::<u8>()?),
        _ => f32::from(u.arbitrary::<u8>()?) / 128.0,
    })
}

fn in_range(strength: f32) -> bool {
    strength >= 0.0 && strength <= LONGEST as f32
}

fn recipes<P: Number>(u: &mut Unstructured, from: &Owned<P>, to: &Owned<P>) -> Result<()> {
    let before = Xoshiro128PlusPlus::seed_from_u64(u.arbitrary()?);
    let (source, target) = (from.shape, to.shape);
    let channels = source.channels == target.channels;

    // A crop: it is one of those that can be.
    let mut rng = before.clone();
    let pad = if u.ratio(15, 16)? { u.int_in_range(0..=3)? } else { u.arbitrary::<u32>()? as usize };
    let (new, result) = to.with(|to| RandomCrop { pad }.apply(from.image(), to, &mut rng));
    let left = |whole: usize, part: usize| (whole + 2 * pad).checked_sub(part);
    let places = left(source.height, target.height).zip(left(source.width, target.width));
    assert_eq!(result.is_ok(), places.is_some() && channels && pad <= LONGEST);
    match places {
        _ if result.is_err() => {
            new.same(to, "a refused crop");
            assert!(rng == before);
        }
        Some((rows, columns)) if pad <= 3 => {
            let mut all = (0..=rows).flat_map(|r| (0..=columns).map(move |c| [r, c]));
            let found = all.any(|place| {
                let zero = P::from_f32(0.0);
                let (want, _) = to.with(|to| pad_crop(from.image(), pad, zero, place, to));
                want.raw() == new.raw()
            });
            assert!(found, "{pad}: {new:?} of {from:?}");
        }
        _ => {}
    }

    let mut rng = before.clone();
    let mut length = || -> Result<usize> {
        if u.ratio(7, 8)? { u.int_in_range(1..=24) } else { Ok(u.arbitrary::<u32>()? as usize) }
    };
    let shortest = [length()?, length()?];
    let (new, result) = to.with(|to| ScaleCrop { shortest }.apply(from.image(), to, &mut rng));
    let [low, high] = shortest;
    let (shorter, longer) = (source.height.min(source.width), source.height.max(source.width));
    let fits = target.height.max(target.width) <= low && low <= high && longer * high <= LONGEST * shorter;
    assert_eq!(result.is_ok(), fits && channels, "{shortest:?}");
    if result.is_ok() {
        new.within(from.range(), "a scaled crop");
    } else {
        new.same(to, "a refused crop");
        assert!(rng == before);
    }

    let mut rng = before.clone();
    let mut share = |usual: f32| -> Result<f32> {
        if u.ratio(7, 8)? { Ok(usual * f32::from(u.arbitrary::<u8>()?) / 64.0) } else { number(u) }
    };
    let recipe = RandomResizedCrop { area: [share(0.08)?, share(0.3)?], ratio: [share(0.75)?, share(1.33)?] };
    let (new, result) = to.with(|to| recipe.apply(from.image(), to, &mut rng));
    assert_eq!(result.is_ok(), recipe.check().is_ok() && channels, "{recipe:?}");
    let mut again = before.clone();
    if result.is_err() {
        new.same(to, "a refused crop");
        assert!(rng == before);
        return Ok(());
    }
    let region = recipe.region([source.height, source.width], &mut again);
    assert!(rng == again);
    assert!(0 < region.height && region.top + region.height <= source.height, "{recipe:?} {region:?}");
    assert!(0 < region.width && region.left + region.width <= source.width, "{recipe:?} {region:?}");
    let (want, _) = to.with(|to| resize(from.image(), region, to));
    new.same(&want, "a resized crop");
    Ok(())
}

fn random_maps<P: Number>(u: &mut Unstructured, from: &Owned<P>, to: &Owned<P>) -> Result<()> {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(u.arbitrary()?);
    let strengths = [strength(u)?, 45.0 * strength(u)?, strength(u)?, strength(u)?];
    let [translate, rotate, stretch, shear] = strengths;
    let recipe = RandomAffine { translate, rotate, stretch, shear };
    let (mut six, mut again) = (rng.clone(), rng.clone());
    let map = recipe.draw(&mut rng);
    for _ in 0..6 {
        six.next_u32();
    }
    assert!(rng == six);
    let fill = P::draw(u)?.to_f32();
    let before = again.clone();
    let (new, result) = to.with(|to| recipe.apply(from.image(), fill, to, &mut again));
    let good = strengths.into_iter().all(in_range) && from.shape.channels == to.shape.channels;
    assert_eq!(result.is_ok(), good, "{recipe:?}");
    if result.is_err() {
        new.same(to, "a refused recipe");
        assert!(again == before);
        return Ok(());
    }
    let (want, _) = to.with(|to| affine(from.image(), &map, fill, to));
    new.same(&want, "a random map");
    apply(u, map, from, to)
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
