//! The passes of batch normalisation over all channels.
//!
//! After a dense layer the channels lie side by side: each position of a register has a channel of its own, and the samples
//! pass by ([`run_rows`]). Elsewhere a channel is a run of positions, and its numbers fill the register. Both follow the
//! same formula.
//!
//! Channels are taken by blocks. What is one number for each of them, a root, a quotient, a sum, lies on the
//! stack, formed once for all samples.

use super::parts::Running;
use super::shape::BatchShape;
use crate::cut::{cut, cut_mut};
use crate::error::Error;
use crate::simd::mask::InOut;
use crate::simd::rows::{RowRule, Rows, run_rows};
use crate::simd::{Columns, Element, Exec, Fold, Rule, Vector, Width, reduce, run};

/// Channels of a block.
const CHANNELS: usize = 64;

/// Samples that are summed before their sum joins the total, and that pass by before the next channels do.
const SAMPLES: usize = 64;

/// Some channels of all.
#[derive(Clone, Copy)]
pub(super) struct Block {
    shape: BatchShape,
    pub(super) first: usize,
    pub(super) len: usize,
}

/// All channels, block by block.
pub(super) fn blocks(shape: BatchShape) -> impl Iterator<Item = Block> {
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
    pub(super) fn of<'a, T>(&self, channels: &'a [T]) -> &'a [T] {
        channels.get(self.first..self.first + self.len).unwrap_or_default()
    }

    /// Its part of one number for each channel, to write.
    pub(super) fn of_mut<'a, T>(&self, channels: &'a mut [T]) -> &'a mut [T] {
        channels.get_mut(self.first..self.first + self.len).unwrap_or_default()
    }

    /// Its part of a sample: where it begins in a tensor, and where it ends.
    pub(super) const fn range(&self, sample: usize) -> core::ops::Range<usize> {
        let start = (sample * self.shape.channels + self.first) * self.shape.spatial;
        start..start + self.len * self.shape.spatial
    }

    /// Its part of `count` samples from `sample` on.
    const fn ranges(&self, sample: usize, count: usize) -> core::ops::Range<usize> {
        self.range(sample).start..self.range(sample + count - 1).end
    }

    /// A number of its own for each channel, from one that it reads.
    fn fill<'a, S: Copy, T: Element>(
        &self,
        memory: &'a mut [T; CHANNELS],
        channels: &[S],
        number: impl Fn(S) -> T,
    ) -> &'a mut [T] {
        let own = memory.get_mut(..self.len).unwrap_or_default();
        for (own, x) in own.iter_mut().zip(self.of(channels)) {
            *own = number(*x);
        }
        own
    }
}

/// Samples in groups of [`SAMPLES`]: the first one, and how many.
pub(super) fn samples(batch: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut first = 0;
    core::iter::from_fn(move || {
        let (from, left) = (first, batch - first);
        let count = if left < SAMPLES { left } else { SAMPLES };
        first += count;
        if left == 0 { None } else { Some((from, count)) }
    })
}

/// The numbers of one channel in every position.
#[inline(always)]
pub(super) fn splat<const K: usize, T: Element, V: Vector<T>>(isa: V::Isa, channel: [T; K]) -> [V; K] {
    let mut all = [V::splat(isa, T::ZERO); K];
    let mut k = 0;
    while k < K {
        all[k] = V::splat(isa, channel[k]);
        k += 1;
    }
    all
}

/// The numbers of each channel, one after the other.
pub(super) fn channels<const K: usize, T: Element>(slices: [&[T]; K]) -> impl Iterator<Item = [T; K]> {
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
    exec: Exec,
    eps: f32,
    x: &mut [T],
    variance: &[T],
) -> Result<(), Error> {
    run(exec, &OverDeviation { eps: T::from_f32(eps) }, Columns::new(x, [variance], [])?);
    Ok(())
}

/// `(x - mean) * scale + bias`
#[inline(always)]
pub(super) fn normalised<T: Element, V: Vector<T>>(x: V, [mean, scale, bias]: [V; 3]) -> V {
    (x - mean) * scale + bias
}

/// Forward, channels side by side.
struct NormaliseRows;

impl<T: Element> RowRule<1, 1, 3, 0, T> for NormaliseRows {
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, _: V::Isa, [x]: [V; 1], channel: [V; 3], _: [V; 0]) -> ([V; 1], [V; 0]) {
        ([normalised(x, channel)], [])
    }
}

/// Forward, a run of one channel.
pub(super) struct NormaliseRun<T> {
    pub channel: [T; 3],
}

impl<T: Element> Rule<1, T> for NormaliseRun<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (normalised(x, splat(isa, self.channel)), [])
    }
}

/// Normalises from one tensor to another, or in place, by `[mean, variance, weight, bias]` of each channel.
pub(super) fn normalise<T: Element>(
    exec: Exec,
    shape: BatchShape,
    mut in_out: InOut<'_, T>,
    eps: f32,
    [mean, variance, weight, bias]: [&[T]; 4],
) -> Result<(), Error> {
    for block in blocks(shape) {
        let mut scale = [T::ZERO; CHANNELS];
        let scale = block.fill(&mut scale, weight, |w| w);
        over_deviation(exec, eps, scale, block.of(variance))?;
        normalise_block(exec, block, &mut in_out, [block.of(mean), scale, block.of(bias)])?;
    }
    Ok(())
}

/// The same in place, with the running statistics.
pub(super) fn infer(
    exec: Exec,
    shape: BatchShape,
    x: &mut [f32],
    eps: f32,
    Running { mean, variance, fresh }: Running<'_>,
    [weight, bias]: [&[f32]; 2],
) -> Result<(), Error> {
    let mut x = InOut::from(x);
    for block in blocks(shape) {
        let [mut scale, mut counts] = [[0.0; CHANNELS]; 2];
        let scale = block.fill(&mut scale, weight, |w| w);
        let variance = block.fill(&mut counts, variance, |v| if fresh { 1.0 } else { v });
        over_deviation(exec, eps, scale, variance)?;
        normalise_block(exec, block, &mut x, [block.of(mean), scale, block.of(bias)])?;
    }
    Ok(())
}

/// Normalises the block's channels of all samples by `[mean, scale, bias]` of each.
fn normalise_block<T: Element>(
    exec: Exec,
    block: Block,
    in_out: &mut InOut<'_, T>,
    numbers: [&[T]; 3],
) -> Result<(), Error> {
    let BatchShape { batch, channels: all, spatial } = block.shape;
    if spatial == 1 {
        for (first, count) in samples(batch) {
            let part = in_out.get(block.ranges(first, count));
            let rows = Rows::write(count, all, part, [])?;
            run_rows(exec.level(), &NormaliseRows, rows, numbers, [])?;
        }
        return Ok(());
    }
    for sample in 0..batch {
        let mut start = block.range(sample).start;
        for channel in channels(numbers) {
            run(exec, &NormaliseRun { channel }, in_out.get(start..start + spatial).columns()?);
            start += spatial;
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
struct BackwardRows;

impl<T: Element> RowRule<2, 1, 4, 0, T> for BackwardRows {
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, _: V::Isa, [g, x]: [V; 2], channel: [V; 4], _: [V; 0]) -> ([V; 1], [V; 0]) {
        ([returned(g, x, channel)], [])
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
    exec: Exec,
    shape: BatchShape,
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
        over_deviation(exec, eps, scale, block.of(variance))?;
        over_deviation(exec, eps, slope, block.of(variance))?;
        let numbers = [block.of(mean), scale, shift, slope];
        if shape.spatial == 1 {
            for (first, count) in samples(shape.batch) {
                let range = block.ranges(first, count);
                let x = x.get(range.clone()).unwrap_or_default();
                let grads = grads.get_mut(range).unwrap_or_default();
                let rows = Rows::write(count, shape.channels, InOut::from(grads), [x])?;
                run_rows(exec.level(), &BackwardRows, rows, numbers, [])?;
            }
            continue;
        }
        for sample in 0..shape.batch {
            let mut grads = grads.get_mut(block.range(sample)).unwrap_or_default();
            let mut x = x.get(block.range(sample)).unwrap_or_default();
            for channel in channels(numbers) {
                let (grads, x) = (cut_mut(&mut grads, shape.spatial), cut(&mut x, shape.spatial));
                run(exec, &BackwardRun { channel }, Columns::new(grads, [x], [])?);
            }
        }
    }
    Ok(())
}

/// What is summed over a channel, `A` numbers of two tensors and a centre.
pub(super) trait Term<const A: usize, T: Element>: Sync {
    fn of<V: Vector<T>>(&self, isa: V::Isa, x: V, g: V, centre: V) -> [V; A];
}

/// `x - centre`, both scaled by a power of two: the sum of all stays finite up to half the range of the type.
pub(super) struct Deviation<T> {
    pub scale: T,
}

impl<T: Element> Term<1, T> for Deviation<T> {
    #[inline(always)]
    fn of<V: Vector<T>>(&self, isa: V::Isa, x: V, _: V, centre: V) -> [V; 1] {
        let scale = V::splat(isa, self.scale);
        [x * scale - centre * scale]
    }
}

/// The same, and `(x - centre)^2`.
pub(super) struct Moments<T> {
    pub scale: T,
}

impl<T: Element> Term<2, T> for Moments<T> {
    #[inline(always)]
    fn of<V: Vector<T>>(&self, isa: V::Isa, x: V, _: V, centre: V) -> [V; 2] {
        let scale = V::splat(isa, self.scale);
        let d = x - centre;
        [x * scale - centre * scale, d * d]
    }
}

/// `g * (x - centre)` and `g`
pub(super) struct Gradients;

impl<T: Element> Term<2, T> for Gradients {
    #[inline(always)]
    fn of<V: Vector<T>>(&self, _: V::Isa, x: V, g: V, centre: V) -> [V; 2] {
        [g * (x - centre), g]
    }
}

/// `a + b`, number by number.
#[inline(always)]
fn plus<const A: usize, T: Element, V: Vector<T>>(mut a: [V; A], b: [V; A]) -> [V; A] {
    let mut k = 0;
    while k < A {
        a[k] = a[k] + b[k];
        k += 1;
    }
    a
}

/// `sums += terms`, channels side by side.
struct SumRows<'a, K>(&'a K);

impl<const A: usize, T: Element, K: Term<A, T>> RowRule<2, 0, 1, A, T> for SumRows<'_, K> {
    #[inline(always)]
    fn apply<V: Vector<T>>(
        &self,
        isa: V::Isa,
        [x, g]: [V; 2],
        [centre]: [V; 1],
        sums: [V; A],
    ) -> ([V; 0], [V; A]) {
        ([], plus(sums, self.0.of(isa, x, g, centre)))
    }
}

/// `sums += terms`, a run of one channel.
pub(super) struct SumRun<'a, K, T> {
    pub term: &'a K,
    pub centre: T,
}

impl<const A: usize, T: Element, K: Term<A, T>> Fold<2, 0, A, T> for SumRun<'_, K, T> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        sums: [V; A],
        [x, g]: [V; 2],
        _: [V; 0],
    ) -> ([V; A], [V; 0]) {
        (plus(sums, self.term.of(isa, x, g, V::splat(isa, self.centre))), [])
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

/// Sums of a block's channels: those of some samples, and what rounding lost of the ones before.
pub(super) struct Sums<const A: usize, T> {
    part: [[T; CHANNELS]; A],
    lost: [[T; CHANNELS]; A],
    len: usize,
}

impl<const A: usize, T: Element> Sums<A, T> {
    /// Nothing yet.
    pub(super) const fn new(len: usize) -> Self {
        Self { part: [[T::ZERO; CHANNELS]; A], lost: [[T::ZERO; CHANNELS]; A], len }
    }

    /// The sums of some samples, to add to.
    pub(super) fn part(&mut self) -> [&mut [T]; A] {
        let len = self.len;
        self.part.each_mut().map(|part| part.get_mut(..len).unwrap_or_default())
    }

    /// Adds to the sums of one channel.
    pub(super) fn add(&mut self, channel: usize, terms: [T; A]) {
        for (part, term) in self.part.iter_mut().zip(terms) {
            if let Some(part) = part.get_mut(channel) {
                *part = *part + term;
            }
        }
    }

    /// Adds them to the totals, and begins with nothing again.
    pub(super) fn join(&mut self, exec: Exec, totals: [&mut [T]; A]) -> Result<(), Error> {
        for ((part, lost), totals) in self.part.iter_mut().zip(&mut self.lost).zip(totals) {
            let [part, lost] = [part, lost].map(|memory| memory.get_mut(..self.len).unwrap_or_default());
            run(exec, &Join, Columns::new(totals, [part], [lost])?);
            part.fill(T::ZERO);
        }
        Ok(())
    }
}

/// The sums of a term over each channel of a block.
///
/// [`SAMPLES`] are summed in their order, within a sample in the fixed order of [`reduce`]; these sums join
/// the total in their order.
fn sum<const A: usize, T: Element>(
    exec: Exec,
    block: Block,
    term: &impl Term<A, T>,
    [x, g]: [&[T]; 2],
    centre: &[T],
    mut totals: [&mut [T]; A],
) -> Result<(), Error> {
    let BatchShape { batch, channels, spatial } = block.shape;
    for total in &mut totals {
        total.fill(T::ZERO);
    }
    let mut sums = Sums::new(block.len);
    for (first, count) in samples(batch) {
        if spatial == 1 {
            let range = block.ranges(first, count);
            let read = [x, g].map(|tensor| tensor.get(range.clone()).unwrap_or_default());
            run_rows(
                exec.level(),
                &SumRows(term),
                Rows::read(count, channels, read)?,
                [centre],
                sums.part(),
            )?;
        } else {
            for sample in first..first + count {
                let mut read = [x, g].map(|tensor| tensor.get(block.range(sample)).unwrap_or_default());
                for (channel, centre) in centre.iter().enumerate() {
                    let run = SumRun { term, centre: *centre };
                    let read = read.each_mut().map(|rest| cut(rest, spatial));
                    sums.add(channel, reduce(exec, &run, spatial, read, [])?);
                }
            }
        }
        sums.join(exec, totals.each_mut().map(|total| &mut **total))?;
    }
    Ok(())
}

/// Mean and biased variance of each channel, in two passes.
///
/// The first takes the mean from the channel's first value on. The second sums the deviations from that mean and their
/// squares: the deviations correct the mean, whose error then is one of the deviations, however far it is from 0 or from
/// the first value; and what they correct is taken from the variance (Chan, Golub and LeVeque, 1983). A constant channel has
/// exactly its value, and variance 0.
pub(super) fn statistics<T: Element>(
    exec: Exec,
    shape: BatchShape,
    x: &[T],
    mean: &mut [T],
    variance: &mut [T],
) -> Result<(), Error> {
    let n: T = shape.values();
    let scale = n.inverse_power();
    for block in blocks(shape) {
        let (mean, variance) = (block.of_mut(mean), block.of_mut(variance));
        for (channel, mean) in mean.iter_mut().enumerate() {
            *mean = x.get((block.first + channel) * shape.spatial).copied().unwrap_or(T::ZERO);
        }
        let mut deviations = [T::ZERO; CHANNELS];
        let deviations = deviations.get_mut(..block.len).unwrap_or_default();
        sum(exec, block, &Deviation { scale }, [x, x], mean, [&mut *deviations])?;
        for (mean, deviation) in mean.iter_mut().zip(&*deviations) {
            *mean = *mean + *deviation / (n * scale);
        }
        sum(exec, block, &Moments { scale }, [x, x], mean, [&mut *deviations, &mut *variance])?;
        for ((mean, variance), deviation) in mean.iter_mut().zip(variance).zip(deviations) {
            (*mean, *variance) = moments(*mean, *deviation / (n * scale), *variance / n);
        }
    }
    Ok(())
}

/// Mean and variance, of a number near the mean, the mean deviation from it, and the mean square of the deviations.
pub(super) fn moments<T: Element>(near: T, deviation: T, square: T) -> (T, T) {
    let least = square - deviation * deviation;
    let variance = match square < T::INFINITY {
        true if least < T::ZERO => T::ZERO, // by rounding
        true => least,
        false => square, // beyond the range, or NaN
    };
    (near + deviation, variance)
}

/// `[sum g * (x - mean), sum g]` of each channel.
pub(super) fn gradients<T: Element>(
    exec: Exec,
    shape: BatchShape,
    grads: &[T],
    x: &[T],
    mean: &[T],
    [products, sums]: [&mut [T]; 2],
) -> Result<(), Error> {
    for block in blocks(shape) {
        let totals = [block.of_mut(products), block.of_mut(sums)];
        sum(exec, block, &Gradients, [x, grads], block.of(mean), totals)?;
    }
    Ok(())
}
