//! The passes of batch normalisation over all channels.
//!
//! After a dense layer the channels lie side by side: a pass takes a sample at a time, and each
//! position of a register has a channel of its own. Elsewhere a channel is a run of positions, and its
//! numbers fill the register. Both follow the same formula.
//!
//! Channels are taken by blocks. What is one number for each of them, a root, a quotient, a sum, lies on the
//! stack, formed once for all samples.

use super::batch::Shape;
use crate::cut::{cut, cut_mut};
use crate::error::Error;
use crate::simd::{Columns, Element, Fold, Level, Rule, Vector, Width, reduce, run};

/// Channels of a block.
const CHANNELS: usize = 64;

/// Samples that are summed before their sum joins the total.
const SAMPLES: usize = 64;

/// Some channels of all.
#[derive(Clone, Copy)]
struct Block {
    shape: Shape,
    first: usize,
    len: usize,
}

/// All channels, block by block.
fn blocks(shape: Shape) -> impl Iterator<Item = Block> {
    let mut first = 0;
    core::iter::from_fn(move || {
        let left = shape.channels - first;
        let block = Block { shape, first, len: if left < CHANNELS { left } else { CHANNELS } };
        first += block.len;
        if left == 0 { None } else { Some(block) }
    })
}

impl Block {
    /// Its part of one number for each channel.
    fn of<'a, T>(&self, channels: &'a [T]) -> &'a [T] {
        channels.get(self.first..self.first + self.len).unwrap_or_default()
    }

    /// Its part of one number for each channel, to write.
    fn of_mut<'a, T>(&self, channels: &'a mut [T]) -> &'a mut [T] {
        channels.get_mut(self.first..self.first + self.len).unwrap_or_default()
    }

    /// Its part of a sample: where it begins in a tensor, and where it ends.
    const fn range(&self, sample: usize) -> core::ops::Range<usize> {
        let start = (sample * self.shape.channels + self.first) * self.shape.spatial;
        start..start + self.len * self.shape.spatial
    }

    /// A number of its own for each channel, from one that it reads.
    fn fill<'a, T: Element>(
        &self,
        memory: &'a mut [T; CHANNELS],
        channels: &[T],
        number: impl Fn(T) -> T,
    ) -> &'a mut [T] {
        let own = memory.get_mut(..self.len).unwrap_or_default();
        for (own, x) in own.iter_mut().zip(self.of(channels)) {
            *own = number(*x);
        }
        own
    }
}

/// The numbers of one channel in every position.
#[inline(always)]
fn splat<const K: usize, T: Element, V: Vector<T>>(isa: V::Isa, channel: [T; K]) -> [V; K] {
    let mut all = [V::splat(isa, T::ZERO); K];
    let mut k = 0;
    while k < K {
        all[k] = V::splat(isa, channel[k]);
        k += 1;
    }
    all
}

/// The numbers of each channel, one after the other.
fn channels<const K: usize, T: Element>(slices: [&[T]; K]) -> impl Iterator<Item = [T; K]> {
    let count = slices.first().map_or(0, |slice| slice.len());
    (0..count).map(move |c| slices.map(|slice| slice.get(c).copied().unwrap_or(T::ZERO)))
}

/// `x / sqrt(variance + eps)`
struct OverDeviation<T> {
    eps: T,
}

impl<T: Element> Rule<1, T> for OverDeviation<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, [variance]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (x / (variance + V::splat(isa, self.eps)).sqrt(), [])
    }
}

/// Divides a number of each channel by the channel's deviation, in place.
pub(super) fn over_deviation<T: Element>(
    level: Level,
    eps: f32,
    x: &mut [T],
    variance: &[T],
) -> Result<(), Error> {
    run(level, &OverDeviation { eps: T::from_f32(eps) }, Columns::new(x, [variance], [])?);
    Ok(())
}

/// `(x - mean) * scale + bias`
#[inline(always)]
fn normalised<T: Element, V: Vector<T>>(x: V, [mean, scale, bias]: [V; 3]) -> V {
    (x - mean) * scale + bias
}

/// Forward, channels side by side.
struct NormaliseRow;

impl<T: Element> Rule<3, T> for NormaliseRow {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, _: V::Isa, x: V, channel: [V; 3], _: [V; 0]) -> (V, [V; 0]) {
        (normalised(x, channel), [])
    }
}

/// Forward, a run of one channel.
struct NormaliseRun<T> {
    channel: [T; 3],
}

impl<T: Element> Rule<0, T> for NormaliseRun<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, _: [V; 0], _: [V; 0]) -> (V, [V; 0]) {
        (normalised(x, splat(isa, self.channel)), [])
    }
}

/// Normalises `x` in place by `[mean, variance, weight, bias]` of each channel.
pub(super) fn normalise<T: Element>(
    level: Level,
    shape: Shape,
    x: &mut [T],
    eps: f32,
    [mean, variance, weight, bias]: [&[T]; 4],
) -> Result<(), Error> {
    for block in blocks(shape) {
        let mut scale = [T::ZERO; CHANNELS];
        let scale = block.fill(&mut scale, weight, |w| w);
        over_deviation(level, eps, scale, block.of(variance))?;
        let numbers = [block.of(mean), scale, block.of(bias)];
        for sample in 0..shape.batch {
            let mut x = x.get_mut(block.range(sample)).unwrap_or_default();
            if shape.spatial == 1 {
                run(level, &NormaliseRow, Columns::new(x, numbers, [])?);
                continue;
            }
            for channel in channels(numbers) {
                let x = cut_mut(&mut x, shape.spatial);
                run(level, &NormaliseRun { channel }, Columns::new(x, [], [])?);
            }
        }
    }
    Ok(())
}

/// `scale * (g - shift - (x - mean) * slope)`
#[inline(always)]
fn returned<T: Element, V: Vector<T>>(g: V, x: V, [mean, scale, shift, slope]: [V; 4]) -> V {
    scale * (g - shift - (x - mean) * slope)
}

/// Backward, channels side by side.
struct BackwardRow;

impl<T: Element> Rule<5, T> for BackwardRow {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(
        &self,
        _: V::Isa,
        g: V,
        [x, mean, scale, shift, slope]: [V; 5],
        _: [V; 0],
    ) -> (V, [V; 0]) {
        (returned(g, x, [mean, scale, shift, slope]), [])
    }
}

/// Backward, a run of one channel.
struct BackwardRun<T> {
    channel: [T; 4],
}

impl<T: Element> Rule<1, T> for BackwardRun<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, g: V, [x]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (returned(g, x, splat(isa, self.channel)), [])
    }
}

/// Turns gradients in place, by `[mean, variance, weight, weight', bias']` of each channel.
pub(super) fn backward<T: Element>(
    level: Level,
    shape: Shape,
    grads: &mut [T],
    x: &[T],
    eps: f32,
    [mean, variance, weight, grad_weight, grad_bias]: [&[T]; 5],
) -> Result<(), Error> {
    let n: T = shape.values();
    for block in blocks(shape) {
        let [mut scale, mut shift, mut slope] = [[T::ZERO; CHANNELS]; 3];
        let scale = block.fill(&mut scale, weight, |w| w);
        let shift = block.fill(&mut shift, grad_bias, |g| g / n);
        let slope = block.fill(&mut slope, grad_weight, |g| g / n);
        over_deviation(level, eps, scale, block.of(variance))?;
        over_deviation(level, eps, slope, block.of(variance))?;
        let mean = block.of(mean);
        for sample in 0..shape.batch {
            let mut grads = grads.get_mut(block.range(sample)).unwrap_or_default();
            let mut x = x.get(block.range(sample)).unwrap_or_default();
            if shape.spatial == 1 {
                run(level, &BackwardRow, Columns::new(grads, [x, mean, scale, shift, slope], [])?);
                continue;
            }
            for channel in channels([mean, scale, shift, slope]) {
                let (grads, x) = (cut_mut(&mut grads, shape.spatial), cut(&mut x, shape.spatial));
                run(level, &BackwardRun { channel }, Columns::new(grads, [x], [])?);
            }
        }
    }
    Ok(())
}

/// What is summed over a channel, of two tensors and a centre.
trait Term<T: Element>: Sync {
    fn of<V: Vector<T>>(&self, isa: V::Isa, x: V, g: V, centre: V) -> V;
}

/// `x - centre`, both scaled by a power of two: the sum of all stays finite up to half the range of the type.
struct Deviation<T> {
    scale: T,
}

impl<T: Element> Term<T> for Deviation<T> {
    #[inline(always)]
    fn of<V: Vector<T>>(&self, isa: V::Isa, x: V, _: V, centre: V) -> V {
        let scale = V::splat(isa, self.scale);
        x * scale - centre * scale
    }
}

/// `g * (x - centre)`
struct Product;

impl<T: Element> Term<T> for Product {
    #[inline(always)]
    fn of<V: Vector<T>>(&self, _: V::Isa, x: V, g: V, centre: V) -> V {
        g * (x - centre)
    }
}

/// `(x - centre)^2`
struct Square;

impl<T: Element> Term<T> for Square {
    #[inline(always)]
    fn of<V: Vector<T>>(&self, _: V::Isa, x: V, _: V, centre: V) -> V {
        let d = x - centre;
        d * d
    }
}

/// `g`
struct Gradient;

impl<T: Element> Term<T> for Gradient {
    #[inline(always)]
    fn of<V: Vector<T>>(&self, _: V::Isa, _: V, g: V, _: V) -> V {
        g
    }
}

/// `sum += term`, channels side by side.
struct SumRow<'a, K>(&'a K);

impl<T: Element, K: Term<T>> Rule<3, T> for SumRow<'_, K> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, sum: V, [x, g, centre]: [V; 3], _: [V; 0]) -> (V, [V; 0]) {
        (sum + self.0.of(isa, x, g, centre), [])
    }
}

/// `sum += term`, a run of one channel.
struct SumRun<'a, K, T> {
    term: &'a K,
    centre: T,
}

impl<T: Element, K: Term<T>> Fold<2, 0, 1, T> for SumRun<'_, K, T> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x, g]: [V; 2],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        ([sum + self.term.of(isa, x, g, V::splat(isa, self.centre))], [])
    }
}

/// `total += part`. What rounding loses of it is taken from the next part (Kahan, 1965); of infinity nothing is.
struct Join;

impl<T: Element> Rule<1, T> for Join {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, total: V, [part]: [V; 1], [lost]: [V; 1]) -> (V, [V; 1]) {
        let part = part - lost;
        let new = total + part;
        let lost = (new - total) - part;
        let (zero, infinity) = (V::splat(isa, T::ZERO), V::splat(isa, T::INFINITY));
        (new, [infinity.select_gt(lost.abs(), lost, zero)])
    }
}

/// The sum of a term over each channel.
///
/// [`SAMPLES`] are summed in their order, within a sample in the fixed order of [`reduce`]; these sums join
/// the total in their order.
fn sum<T: Element>(
    level: Level,
    shape: Shape,
    term: &impl Term<T>,
    [x, g]: [&[T]; 2],
    centre: &[T],
    totals: &mut [T],
) -> Result<(), Error> {
    totals.fill(T::ZERO);
    for block in blocks(shape) {
        let (centre, totals) = (block.of(centre), block.of_mut(totals));
        let [mut part, mut lost] = [[T::ZERO; CHANNELS]; 2];
        let [part, lost] =
            [&mut part, &mut lost].map(|memory| memory.get_mut(..block.len).unwrap_or_default());
        for sample in 0..shape.batch {
            let range = block.range(sample);
            let mut x = x.get(range.clone()).unwrap_or_default();
            let mut g = g.get(range).unwrap_or_default();
            if shape.spatial == 1 {
                run(level, &SumRow(term), Columns::new(part, [x, g, centre], [])?);
            } else {
                for (part, centre) in part.iter_mut().zip(centre) {
                    let run = SumRun { term, centre: *centre };
                    let read = [cut(&mut x, shape.spatial), cut(&mut g, shape.spatial)];
                    *part = *part + reduce(level, &run, shape.spatial, read, [])?[0];
                }
            }
            if sample % SAMPLES == SAMPLES - 1 || sample + 1 == shape.batch {
                run(level, &Join, Columns::new(totals, [part], [lost])?);
                part.fill(T::ZERO);
            }
        }
    }
    Ok(())
}

/// Mean and biased variance of each channel.
///
/// The mean is taken from the channel's first value on, and again from there on: the error of the second time
/// is one of the deviations from the mean, however far that is from 0 or from the first value. A constant
/// channel has exactly its value.
pub(super) fn statistics<T: Element>(
    level: Level,
    shape: Shape,
    x: &[T],
    mean: &mut [T],
    variance: &mut [T],
) -> Result<(), Error> {
    let n: T = shape.values();
    for (channel, mean) in mean.iter_mut().enumerate() {
        *mean = x.get(channel * shape.spatial).copied().unwrap_or(T::ZERO);
    }
    let scale = n.inverse_power();
    for _ in 0..2 {
        let deviations = &mut *variance; // a place to sum them
        sum(level, shape, &Deviation { scale }, [x, x], mean, deviations)?;
        for (mean, deviation) in mean.iter_mut().zip(deviations) {
            *mean = *mean + *deviation / (n * scale);
        }
    }
    sum(level, shape, &Square, [x, x], mean, variance)?;
    for variance in variance {
        *variance = *variance / n;
    }
    Ok(())
}

/// `[sum g * (x - mean), sum g]` of each channel.
pub(super) fn gradients<T: Element>(
    level: Level,
    shape: Shape,
    grads: &[T],
    x: &[T],
    mean: &[T],
    [products, sums]: [&mut [T]; 2],
) -> Result<(), Error> {
    sum(level, shape, &Product, [x, grads], mean, products)?;
    sum(level, shape, &Gradient, [x, grads], mean, sums)
}
