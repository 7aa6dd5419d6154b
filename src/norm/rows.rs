//! The passes of group and layer normalisation: a group of a sample is one run of memory with a mean and a variance.
//!
//! Where channels have positions, a group is a run for each channel, which shares its weight. Without positions the channels
//! lie side by side, and each position of a register has a weight of its own.

use super::kernels::{
    Block, Deviation, Gradients, Moments, SumRun, Sums, blocks, channels, moments, samples, splat,
};
use super::shape::BatchShape;
use crate::cut::{cut, cut_mut};
use crate::error::{Argument, Error, same_length};
use crate::simd::mask::InOut;
use crate::simd::{Columns, Element, Exec, Fold, Rule, Vector, Width, reduce, run};

/// A tensor in groups of channels.
#[derive(Clone, Copy)]
pub(super) struct Groups {
    pub shape: BatchShape,
    /// Groups of a sample.
    pub groups: usize,
    /// Channels of a group.
    pub width: usize,
}

impl Groups {
    /// Whether there is a mean and a variance for each group of each sample.
    pub(crate) fn count(&self, means: usize, variances: usize) -> Result<(), Error> {
        let count = self.shape.batch.saturating_mul(self.groups);
        same_length(Argument::Mean, count, means)?;
        same_length(Argument::Variance, count, variances)
    }

    /// Values of a group.
    const fn len(&self) -> usize {
        self.width * self.shape.spatial
    }

    /// A group's part of one number for each channel.
    fn of<'a, T>(&self, group: usize, channels: &'a [T]) -> &'a [T] {
        let first = group % self.groups.max(1) * self.width;
        channels.get(first..first + self.width).unwrap_or_default()
    }
}

/// Mean and variance of one group: as those of a channel of batch normalisation.
fn of_group<T: Element>(exec: Exec, x: &[T]) -> Result<(T, T), Error> {
    let n = T::from_count(x.len());
    let scale = n.inverse_power();
    let first = x.first().copied().unwrap_or(T::ZERO);
    let deviation = SumRun { term: &Deviation { scale }, centre: first };
    let [sum] = reduce(exec, &deviation, x.len(), [x, x], [])?;
    let near = first + sum / (n * scale);
    let moment = SumRun { term: &Moments { scale }, centre: near };
    let [sum, squares] = reduce(exec, &moment, x.len(), [x, x], [])?;
    Ok(moments(near, sum / (n * scale), squares / n))
}

/// Mean and variance of every group.
pub(super) fn statistics<T: Element>(
    exec: Exec,
    all: Groups,
    x: &[T],
    mean: &mut [T],
    variance: &mut [T],
) -> Result<(), Error> {
    let mut rest = x;
    for (mean, variance) in mean.iter_mut().zip(variance) {
        (*mean, *variance) = of_group(exec, cut(&mut rest, all.len()))?;
    }
    Ok(())
}

/// `1 / sqrt(variance + eps)`
fn inverse_deviation<T: Element>(variance: T, eps: f32) -> T {
    T::ONE / (variance + T::from_f32(eps)).sqrt()
}

/// `(x - mean) * inverse * weight + bias`
#[inline(always)]
fn normalised<T: Element, V: Vector<T>>(x: V, [mean, inverse, weight, bias]: [V; 4]) -> V {
    (x - mean) * inverse * weight + bias
}

/// Forward, channels side by side.
struct NormaliseRow<T> {
    mean: T,
    inverse: T,
}

impl<T: Element> Rule<3, T> for NormaliseRow<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x, weight, bias]: [V; 3], _: [V; 0]) -> (V, [V; 0]) {
        let (mean, inverse) = (V::splat(isa, self.mean), V::splat(isa, self.inverse));
        (normalised(x, [mean, inverse, weight, bias]), [])
    }
}

/// Forward, a run of one channel.
struct NormaliseRun<T> {
    mean: T,
    inverse: T,
    weight: T,
    bias: T,
}

impl<T: Element> Rule<1, T> for NormaliseRun<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        let numbers = [self.mean, self.inverse, self.weight, self.bias];
        (normalised(x, splat(isa, numbers)), [])
    }
}

/// Normalises one group.
fn normalise_group<T: Element>(
    exec: Exec,
    all: Groups,
    mut in_out: InOut<'_, T>,
    [mean, inverse]: [T; 2],
    [weight, bias]: [&[T]; 2],
) -> Result<(), Error> {
    let spatial = all.shape.spatial;
    if spatial == 1 {
        run(exec, &NormaliseRow { mean, inverse }, in_out.columns_with([weight, bias])?);
        return Ok(());
    }
    let mut start = 0;
    for [weight, bias] in channels([weight, bias]) {
        let run_of = NormaliseRun { mean, inverse, weight, bias };
        run(exec, &run_of, in_out.get(start..start + spatial).columns()?);
        start += spatial;
    }
    Ok(())
}

/// Normalises every group from one tensor to another, by `[weight, bias]` of each channel and `[mean, variance]` of each
/// group.
pub(super) fn normalise<T: Element>(
    exec: Exec,
    all: Groups,
    mut in_out: InOut<'_, T>,
    eps: f32,
    [weight, bias]: [&[T]; 2],
    [mean, variance]: [&[T]; 2],
) -> Result<(), Error> {
    for (group, [mean, variance]) in channels([mean, variance]).enumerate() {
        let part = in_out.get(group * all.len()..(group + 1) * all.len());
        let params = [weight, bias].map(|channels| all.of(group, channels));
        normalise_group(exec, all, part, [mean, inverse_deviation(variance, eps)], params)?;
    }
    Ok(())
}

/// The same in place, with statistics that nobody keeps.
pub(super) fn infer<T: Element>(
    exec: Exec,
    all: Groups,
    x: &mut [T],
    eps: f32,
    [weight, bias]: [&[T]; 2],
) -> Result<(), Error> {
    let mut rest = x;
    let mut group = 0;
    while !rest.is_empty() {
        let part = cut_mut(&mut rest, all.len());
        let (mean, variance) = of_group(exec, part)?;
        let params = [weight, bias].map(|channels| all.of(group, channels));
        normalise_group(exec, all, InOut::from(part), [mean, inverse_deviation(variance, eps)], params)?;
        group += 1;
    }
    Ok(())
}

/// `weight' += g * xhat; bias' += g`, channels side by side.
struct GradParamsRow<T> {
    mean: T,
    inverse: T,
}

impl<T: Element> Rule<2, T> for GradParamsRow<T> {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, weight: V, [x, g]: [V; 2], [bias]: [V; 1]) -> (V, [V; 1]) {
        let (mean, inverse) = (V::splat(isa, self.mean), V::splat(isa, self.inverse));
        (weight + g * ((x - mean) * inverse), [bias + g])
    }
}

/// The gradients of weight and bias: of 64 samples in order, which join the total in order.
pub(super) fn grad_params<T: Element>(
    exec: Exec,
    all: Groups,
    grads: &[T],
    x: &[T],
    eps: f32,
    [mean, variance]: [&[T]; 2],
    [grad_weight, grad_bias]: [&mut [T]; 2],
) -> Result<(), Error> {
    grad_weight.fill(T::ZERO);
    grad_bias.fill(T::ZERO);
    for block in blocks(all.shape) {
        let mut sums = Sums::new(block.len);
        for (first, count) in samples(all.shape.batch) {
            for sample in first..first + count {
                let read = [x, grads].map(|tensor| tensor.get(block.range(sample)).unwrap_or_default());
                let statistics = |channel: usize| {
                    // A width of 0 has been refused.
                    let group = sample * all.groups + channel.checked_div(all.width).unwrap_or(0);
                    let number = |numbers: &[T]| numbers.get(group).copied().unwrap_or(T::ZERO);
                    (number(mean), inverse_deviation(number(variance), eps))
                };
                add_sample(exec, all, block, read, &mut sums, statistics)?;
            }
            sums.join(exec, [block.of_mut(grad_weight), block.of_mut(grad_bias)])?;
        }
    }
    Ok(())
}

/// Adds one sample's part of a block: the channels of one group after the other, or each channel's run.
fn add_sample<T: Element>(
    exec: Exec,
    all: Groups,
    block: Block,
    [mut x, mut g]: [&[T]; 2],
    sums: &mut Sums<2, T>,
    statistics: impl Fn(usize) -> (T, T),
) -> Result<(), Error> {
    let spatial = all.shape.spatial;
    if spatial == 1 {
        let [mut weight, mut bias] = sums.part();
        let mut channel = block.first;
        while !x.is_empty() {
            let (mean, inverse) = statistics(channel);
            // To the end of the group or of the block.
            let left = all.width - channel.checked_rem(all.width).unwrap_or(0);
            let read = [cut(&mut x, left), cut(&mut g, left)];
            let columns = Columns::new(cut_mut(&mut weight, left), read, [cut_mut(&mut bias, left)])?;
            run(exec, &GradParamsRow { mean, inverse }, columns);
            channel += left;
        }
        return Ok(());
    }
    for channel in 0..block.len {
        let (mean, inverse) = statistics(block.first + channel);
        let run = SumRun { term: &Gradients, centre: mean };
        let [products, sum] = reduce(exec, &run, spatial, [cut(&mut x, spatial), cut(&mut g, spatial)], [])?;
        sums.add(channel, [products * inverse, sum]);
    }
    Ok(())
}

/// `[sum (g w (x - mean)), sum (g w)]` of one group, channels side by side.
struct WeightedGradients<T> {
    mean: T,
}

impl<T: Element> Fold<3, 0, 2, T> for WeightedGradients<T> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [products, sum]: [V; 2],
        [x, g, weight]: [V; 3],
        _: [V; 0],
    ) -> ([V; 2], [V; 0]) {
        let g = g * weight;
        ([products + g * (x - V::splat(isa, self.mean)), sum + g], [])
    }
}

/// `inverse * (g w - shift - (x - mean) * slope)`
#[inline(always)]
fn returned<T: Element, V: Vector<T>>(g: V, x: V, [mean, inverse, shift, slope]: [V; 4]) -> V {
    inverse * (g - shift - (x - mean) * slope)
}

/// Backward, channels side by side.
struct BackwardRow<T> {
    group: [T; 4],
}

impl<T: Element> Rule<2, T> for BackwardRow<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, g: V, [x, weight]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        (returned(g * weight, x, splat(isa, self.group)), [])
    }
}

/// Backward, a run of one channel.
struct BackwardRun<T> {
    group: [T; 4],
    weight: T,
}

impl<T: Element> Rule<1, T> for BackwardRun<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, g: V, [x]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        let weight = V::splat(isa, self.weight);
        (returned(g * weight, x, splat(isa, self.group)), [])
    }
}

/// Turns gradients in place, by the weight of each channel and `[mean, variance]` of each group.
pub(super) fn backward<T: Element>(
    exec: Exec,
    all: Groups,
    grads: &mut [T],
    x: &[T],
    eps: f32,
    weight: &[T],
    [mean, variance]: [&[T]; 2],
) -> Result<(), Error> {
    let spatial = all.shape.spatial;
    let n = T::from_count(all.len());
    let (mut grads, mut x) = (grads, x);
    for (group, [mean, variance]) in channels([mean, variance]).enumerate() {
        let (mut grads, mut x) = (cut_mut(&mut grads, all.len()), cut(&mut x, all.len()));
        let weight = all.of(group, weight);
        let inverse = inverse_deviation(variance, eps);
        let [products, sum] = if spatial == 1 {
            reduce(exec, &WeightedGradients { mean }, x.len(), [x, grads, weight], [])?
        } else {
            let (mut x, mut grads, mut sums) = (x, &*grads, [T::ZERO; 2]);
            for weight in weight {
                let read = [cut(&mut x, spatial), cut(&mut grads, spatial)];
                let of_run = reduce(exec, &SumRun { term: &Gradients, centre: mean }, spatial, read, [])?;
                sums = [sums[0] + of_run[0] * *weight, sums[1] + of_run[1] * *weight];
            }
            sums
        };
        // (x - mean) * slope is xhat times the mean of g w xhat.
        let group = [mean, inverse, sum / n, products * inverse / n * inverse];
        if spatial == 1 {
            run(exec, &BackwardRow { group }, Columns::new(grads, [x, weight], [])?);
            continue;
        }
        for weight in weight {
            let (grads, x) = (cut_mut(&mut grads, spatial), cut(&mut x, spatial));
            run(exec, &BackwardRun { group, weight: *weight }, Columns::new(grads, [x], [])?);
        }
    }
    Ok(())
}
