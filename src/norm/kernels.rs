//! The passes of batch normalisation over all channels.
//!
//! After a dense layer the channels lie side by side: a pass takes a sample at a time, and each
//! position of a register has a channel of its own. Elsewhere a channel is a run of positions, and its
//! numbers fill the register. Both follow the same formula.

use super::batch::Shape;
use crate::cut::{cut, cut_mut};
use crate::error::Error;
use crate::simd::{Columns, Element, Fold, Lane, Level, Rule, reduce, run};

/// `(x - mean) * (weight / sqrt(variance + eps)) + bias`
#[inline(always)]
fn normalised<T: Element, L: Lane<T>>(eps: L, x: L, [mean, variance, weight, bias]: [L; 4]) -> L {
    (x - mean) * (weight / (variance + eps).sqrt()) + bias
}

/// `weight / d * (g - bias' / n - (x - mean) / d * weight' / n)`, `d = sqrt(variance + eps)`
#[inline(always)]
fn returned<T: Element, L: Lane<T>>(
    [eps, n]: [L; 2],
    g: L,
    x: L,
    [mean, variance, weight, grad_weight, grad_bias]: [L; 5],
) -> L {
    let d = (variance + eps).sqrt();
    (weight / d) * (g - grad_bias / n - (x - mean) * (grad_weight / n / d))
}

/// The numbers of one channel in every position.
#[inline(always)]
fn splat<const K: usize, T: Element, L: Lane<T>>(isa: L::Isa, channel: [T; K]) -> [L; K] {
    let mut all = [L::splat(isa, T::ZERO); K];
    let mut k = 0;
    while k < K {
        all[k] = L::splat(isa, channel[k]);
        k += 1;
    }
    all
}

/// The numbers of each channel, one after the other.
fn channels<const K: usize, T: Element>(slices: [&[T]; K]) -> impl Iterator<Item = [T; K]> {
    let count = slices.first().map_or(0, |slice| slice.len());
    (0..count).map(move |c| slices.map(|slice| slice.get(c).copied().unwrap_or(T::ZERO)))
}

/// Forward, channels side by side.
struct NormaliseRow<T> {
    eps: T,
}

impl<T: Element> Rule<0, 4, T> for NormaliseRow<T> {
    #[inline(always)]
    fn apply<L: Lane<T>>(&self, isa: L::Isa, x: L, channel: [L; 4], _: [L; 0]) -> (L, [L; 0]) {
        (normalised(L::splat(isa, self.eps), x, channel), [])
    }
}

/// Forward, a run of one channel.
struct NormaliseRun<T> {
    eps: T,
    channel: [T; 4],
}

impl<T: Element> Rule<0, 0, T> for NormaliseRun<T> {
    #[inline(always)]
    fn apply<L: Lane<T>>(&self, isa: L::Isa, x: L, _: [L; 0], _: [L; 0]) -> (L, [L; 0]) {
        (normalised(L::splat(isa, self.eps), x, splat(isa, self.channel)), [])
    }
}

/// Normalises `x` in place by `[mean, variance, weight, bias]` of each channel.
pub(super) fn normalise<T: Element>(
    level: Level,
    shape: Shape,
    mut x: &mut [T],
    eps: f32,
    params: [&[T]; 4],
) -> Result<(), Error> {
    let eps = T::from_f32(eps);
    while !x.is_empty() {
        if shape.spatial == 1 {
            run(level, &NormaliseRow { eps }, Columns::new(cut_mut(&mut x, shape.channels), params, [])?);
            continue;
        }
        for channel in channels(params) {
            let x = cut_mut(&mut x, shape.spatial);
            run(level, &NormaliseRun { eps, channel }, Columns::new(x, [], [])?);
        }
    }
    Ok(())
}

/// Backward, channels side by side.
struct BackwardRow<T> {
    constants: [T; 2],
}

impl<T: Element> Rule<0, 6, T> for BackwardRow<T> {
    #[inline(always)]
    fn apply<L: Lane<T>>(
        &self,
        isa: L::Isa,
        g: L,
        [x, mean, variance, weight, grad_weight, grad_bias]: [L; 6],
        _: [L; 0],
    ) -> (L, [L; 0]) {
        let channel = [mean, variance, weight, grad_weight, grad_bias];
        (returned(splat(isa, self.constants), g, x, channel), [])
    }
}

/// Backward, a run of one channel.
struct BackwardRun<T> {
    constants: [T; 2],
    channel: [T; 5],
}

impl<T: Element> Rule<0, 1, T> for BackwardRun<T> {
    #[inline(always)]
    fn apply<L: Lane<T>>(&self, isa: L::Isa, g: L, [x]: [L; 1], _: [L; 0]) -> (L, [L; 0]) {
        (returned(splat(isa, self.constants), g, x, splat(isa, self.channel)), [])
    }
}

/// Turns gradients in place, by `[mean, variance, weight, weight', bias']` of each channel.
pub(super) fn backward<T: Element>(
    level: Level,
    shape: Shape,
    mut grads: &mut [T],
    mut x: &[T],
    eps: f32,
    params: [&[T]; 5],
) -> Result<(), Error> {
    let constants = [T::from_f32(eps), shape.values()];
    let [mean, variance, weight, grad_weight, grad_bias] = params;
    while !grads.is_empty() {
        if shape.spatial == 1 {
            let (grads, x) = (cut_mut(&mut grads, shape.channels), cut(&mut x, shape.channels));
            let read = [x, mean, variance, weight, grad_weight, grad_bias];
            run(level, &BackwardRow { constants }, Columns::new(grads, read, [])?);
            continue;
        }
        for channel in channels(params) {
            let (grads, x) = (cut_mut(&mut grads, shape.spatial), cut(&mut x, shape.spatial));
            run(level, &BackwardRun { constants, channel }, Columns::new(grads, [x], [])?);
        }
    }
    Ok(())
}

/// `sum += x`
struct Sum;

impl<T: Element> Rule<0, 1, T> for Sum {
    #[inline(always)]
    fn apply<L: Lane<T>>(&self, _: L::Isa, sum: L, [x]: [L; 1], _: [L; 0]) -> (L, [L; 0]) {
        (sum + x, [])
    }
}

impl<T: Element> Fold<1, 0, T> for Sum {
    #[inline(always)]
    fn fold<L: Lane<T>>(&self, _: L::Isa, sum: L, [x]: [L; 1], _: [L; 0]) -> (L, [L; 0]) {
        (sum + x, [])
    }
}

/// `sum += (x - mean)^2`, or `sum += g * (x - mean)` with a gradient, in a run of one channel.
struct Moment<T> {
    mean: T,
}

/// `sum += (x - mean)^2`, channels side by side.
struct SquaresRow;

impl<T: Element> Rule<0, 2, T> for SquaresRow {
    #[inline(always)]
    fn apply<L: Lane<T>>(&self, _: L::Isa, sum: L, [x, mean]: [L; 2], _: [L; 0]) -> (L, [L; 0]) {
        let d = x - mean;
        (sum + d * d, [])
    }
}

impl<T: Element> Fold<1, 0, T> for Moment<T> {
    #[inline(always)]
    fn fold<L: Lane<T>>(&self, isa: L::Isa, sum: L, [x]: [L; 1], _: [L; 0]) -> (L, [L; 0]) {
        let d = x - L::splat(isa, self.mean);
        (sum + d * d, [])
    }
}

/// `sum += g * (x - mean)`, channels side by side.
struct ProductsRow;

impl<T: Element> Rule<0, 3, T> for ProductsRow {
    #[inline(always)]
    fn apply<L: Lane<T>>(&self, _: L::Isa, sum: L, [g, x, mean]: [L; 3], _: [L; 0]) -> (L, [L; 0]) {
        (sum + g * (x - mean), [])
    }
}

impl<T: Element> Fold<2, 0, T> for Moment<T> {
    #[inline(always)]
    fn fold<L: Lane<T>>(&self, isa: L::Isa, sum: L, [g, x]: [L; 2], _: [L; 0]) -> (L, [L; 0]) {
        (sum + g * (x - L::splat(isa, self.mean)), [])
    }
}

/// `sum += x - first`, channels side by side.
struct OffsetsRow;

impl<T: Element> Rule<0, 2, T> for OffsetsRow {
    #[inline(always)]
    fn apply<L: Lane<T>>(&self, _: L::Isa, sum: L, [x, first]: [L; 2], _: [L; 0]) -> (L, [L; 0]) {
        (sum + (x - first), [])
    }
}

/// `sum += x - first` in a run of one channel.
struct Offsets<T> {
    first: T,
}

impl<T: Element> Fold<1, 0, T> for Offsets<T> {
    #[inline(always)]
    fn fold<L: Lane<T>>(&self, isa: L::Isa, sum: L, [x]: [L; 1], _: [L; 0]) -> (L, [L; 0]) {
        (sum + (x - L::splat(isa, self.first)), [])
    }
}

/// Mean and biased variance of each channel.
///
/// The mean is taken from the channel's first value on: its error is then one of the deviations, however far
/// from 0 they are, and a constant channel has exactly its value.
pub(super) fn statistics<T: Element>(
    level: Level,
    shape: Shape,
    x: &[T],
    mean: &mut [T],
    variance: &mut [T],
) -> Result<(), Error> {
    let n: T = shape.values();
    let first = |channel: usize| x.get(channel * shape.spatial).copied().unwrap_or(T::ZERO);
    mean.fill(T::ZERO);
    let mut rest = x;
    while !rest.is_empty() {
        if shape.spatial == 1 {
            let read = [cut(&mut rest, shape.channels), cut(&mut { x }, shape.channels)];
            run(level, &OffsetsRow, Columns::new(mean, read, [])?);
            continue;
        }
        for (channel, mean) in mean.iter_mut().enumerate() {
            let fold = Offsets { first: first(channel) };
            *mean = *mean + reduce(level, &fold, shape.spatial, [cut(&mut rest, shape.spatial)], [])?;
        }
    }
    for (channel, mean) in mean.iter_mut().enumerate() {
        *mean = first(channel) + *mean / n;
    }
    variance.fill(T::ZERO);
    let mut rest = x;
    while !rest.is_empty() {
        if shape.spatial == 1 {
            run(level, &SquaresRow, Columns::new(variance, [cut(&mut rest, shape.channels), mean], [])?);
            continue;
        }
        for (variance, mean) in variance.iter_mut().zip(&*mean) {
            let fold = Moment { mean: *mean };
            *variance = *variance + reduce(level, &fold, shape.spatial, [cut(&mut rest, shape.spatial)], [])?;
        }
    }
    for variance in variance {
        *variance = *variance / n;
    }
    Ok(())
}

/// `[sum g * (x - mean), sum g]` of each channel.
pub(super) fn gradients<T: Element>(
    level: Level,
    shape: Shape,
    mut grads: &[T],
    mut x: &[T],
    mean: &[T],
    [products, sums]: [&mut [T]; 2],
) -> Result<(), Error> {
    products.fill(T::ZERO);
    sums.fill(T::ZERO);
    while !grads.is_empty() {
        if shape.spatial == 1 {
            let (g, x) = (cut(&mut grads, shape.channels), cut(&mut x, shape.channels));
            run(level, &ProductsRow, Columns::new(products, [g, x, mean], [])?);
            run(level, &Sum, Columns::new(sums, [g], [])?);
            continue;
        }
        for ((product, sum), mean) in products.iter_mut().zip(&mut *sums).zip(mean) {
            let (g, x) = (cut(&mut grads, shape.spatial), cut(&mut x, shape.spatial));
            *product = *product + reduce(level, &Moment { mean: *mean }, g.len(), [g, x], [])?;
            *sum = *sum + reduce(level, &Sum, g.len(), [g], [])?;
        }
    }
    Ok(())
}
