//! Dropout beside its floor (a plain scaling pass) and its baseline (a random number and a
//! comparison for each element); DropConnect and batch normalisation beside plain loops of the same
//! formula: `cargo bench -p benches --bench dropout`.
//!
//! 16 K elements (DropConnect: 64 K weights), time per pass; the throughput that criterion prints counts
//! elements. What is compared is measured in one run, and computes the same up to rounding.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradus::Level;
use gradus::noise::{DropConnect, Dropout, Masks, mask_words};
use gradus::norm::{BatchNorm, BatchShape, Params, Statistics};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use std::hint::black_box;
use std::time::Duration;

const N: usize = 1 << 14;
const KEEPS: [f32; 2] = [0.5, 0.9];

/// What one writes first: one random number for each element.
fn compare(x: &mut [f32], keep_prob: f32, rng: &mut Xoshiro128PlusPlus) {
    let scale = 1.0 / keep_prob;
    for x in x {
        let uniform = (rng.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0);
        *x = if uniform < keep_prob { *x * scale } else { 0.0 };
    }
}

fn passes(c: &mut Criterion) {
    let mut group = c.benchmark_group("dropout/16K in place");
    group.throughput(Throughput::Elements(N as u64));
    // At a cache line; `cargo bench -p benches --bench report -- dropout` also measures 16 bytes past one, where most allocators begin.
    let mut memory = vec![1.0_f32; N + 16];
    let line = memory.as_ptr().align_offset(64);
    let x = &mut memory[line..line + N];

    group.bench_function("floor: x *= scale (plain loop)", |b| {
        b.iter(|| {
            let scale = black_box(1.0);
            for x in black_box(&mut x[..]) {
                *x *= scale;
            }
        });
    });
    let level = Level::detect();
    group.bench_function(format!("floor: x *= scale ({level})"), |b| {
        let test = Dropout::keep_prob(black_box(1.0)).vanilla();
        b.iter(|| test.on(level).inference(black_box(&mut x[..])));
    });
    for keep_prob in KEEPS {
        group.bench_function(BenchmarkId::new("baseline: compare each", keep_prob), |b| {
            let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
            b.iter(|| compare(black_box(&mut x[..]), keep_prob, &mut rng));
        });
        let dropout = Dropout::keep_prob(keep_prob);
        let rate = |x: &[f32]| x.iter().filter(|x| **x != 0.0).count() as f32 / N as f32;
        for level in Level::available() {
            let mut masks = Masks::new(1);
            x.fill(1.0);
            dropout.on(level).forward(&mut x[..], &mut masks).unwrap();
            assert!((rate(x) - keep_prob).abs() < 0.02);
            // Kept elements grow by 1 / keep_prob a pass: zeros from the first passes on, as fast as ones.
            group.bench_function(BenchmarkId::new(format!("drawn {level}"), keep_prob), |b| {
                b.iter(|| dropout.on(level).forward(black_box(&mut x[..]), &mut masks));
            });
            let mut mask = vec![0; mask_words(N)];
            group.bench_function(BenchmarkId::new(format!("mask alone {level}"), keep_prob), |b| {
                b.iter(|| dropout.on(level).draw(&mut masks, black_box(&mut mask)));
            });
            group.bench_function(BenchmarkId::new(format!("given mask {level}"), keep_prob), |b| {
                b.iter(|| dropout.on(level).forward(black_box(&mut x[..]), black_box(&mask[..])));
            });
        }
    }
    group.finish();
}

/// Numbers around 0 that no width divides.
fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i % 251) as f32 / 125.0 - 0.997).collect()
}

#[track_caller]
fn close(got: &[f32], want: &[f32]) {
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= 1e-3 * want.abs().max(1.0), "{got}, not {want}");
    }
}

/// A dense layer with a mask of one bit for each weight: what one writes first.
fn connect(w: &[f32], x: &[f32], y: &mut [f32], mask: &[u32], scale: f32) {
    let words = mask_words(x.len());
    for (i, y) in y.iter_mut().enumerate() {
        let (row, mask) = (&w[i * x.len()..], &mask[i * words..]);
        let mut sum = 0.0;
        for (j, (w, x)) in row.iter().zip(x).enumerate() {
            if mask[j / 32] >> (j % 32) & 1 == 1 {
                sum += w * x;
            }
        }
        *y = sum * scale;
    }
}

/// The same without a mask, in sixteen sums so that the compiler can use registers: the floor.
fn dense(w: &[f32], x: &[f32], y: &mut [f32]) {
    for (row, y) in w.chunks_exact(x.len()).zip(y) {
        let mut sums = [0.0; 16];
        for (w, x) in row.as_chunks::<16>().0.iter().zip(x.as_chunks::<16>().0) {
            for k in 0..16 {
                sums[k] += w[k] * x[k];
            }
        }
        *y = sums.iter().sum();
    }
}

fn drop_connect(c: &mut Criterion) {
    const SIDE: usize = 256;
    let mut group = c.benchmark_group("DropConnect/256 x 256");
    group.throughput(Throughput::Elements((SIDE * SIDE) as u64));
    let (w, x) = (numbers(SIDE * SIDE), numbers(SIDE));
    let (mut y, mut want) = (vec![0.0; SIDE], vec![0.0; SIDE]);
    let layer = DropConnect(Dropout::drop_prob(0.5));
    let mut mask = vec![0; SIDE * mask_words(SIDE)];
    Masks::new(1).fill(layer.0.keep_prob, &mut mask);
    connect(&w, &x, &mut want, &mask, 2.0);

    group.bench_function("floor: no mask (plain loop)", |b| {
        b.iter(|| dense(black_box(&w), &x, black_box(&mut y)));
    });
    group.bench_function("baseline: plain loop", |b| {
        b.iter(|| connect(black_box(&w), &x, black_box(&mut y), &mask, 2.0));
    });
    for level in Level::available() {
        layer.on(level).forward(&w, &x, &mut y, &mask).unwrap();
        close(&y, &want);
        group.bench_function(format!("forward {level}"), |b| {
            b.iter(|| layer.on(level).forward(black_box(&w), &x, black_box(&mut y), &mask));
        });
    }
    group.finish();
}

/// The training pass as it is printed, for channels in planes: one after the other.
fn planes(shape: BatchShape, x: &[f32], y: &mut [f32], [weight, bias]: [&[f32]; 2], eps: f32) {
    let BatchShape { batch, channels, spatial } = shape;
    let n = (batch * spatial) as f32;
    for c in 0..channels {
        let run = |b: usize| (b * channels + c) * spatial..(b * channels + c + 1) * spatial;
        let mean = (0..batch).map(|b| x[run(b)].iter().sum::<f32>()).sum::<f32>() / n;
        let square = |x: &f32| (x - mean) * (x - mean);
        let variance = (0..batch).map(|b| x[run(b)].iter().map(square).sum::<f32>()).sum::<f32>() / n;
        let factor = weight[c] / (variance + eps).sqrt();
        for b in 0..batch {
            for (y, x) in y[run(b)].iter_mut().zip(&x[run(b)]) {
                *y = (x - mean) * factor + bias[c];
            }
        }
    }
}

/// The same for channels side by side: a sample after the other.
fn rows(shape: BatchShape, x: &[f32], y: &mut [f32], [weight, bias]: [&[f32]; 2], eps: f32) {
    let n = shape.batch as f32;
    let (mut mean, mut factor) = (vec![0.0; shape.channels], vec![0.0; shape.channels]);
    for row in x.chunks_exact(shape.channels) {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x);
    }
    mean.iter_mut().for_each(|mean| *mean /= n);
    for row in x.chunks_exact(shape.channels) {
        for ((variance, mean), x) in factor.iter_mut().zip(&mean).zip(row) {
            *variance += (x - mean) * (x - mean);
        }
    }
    factor.iter_mut().zip(weight).for_each(|(factor, weight)| *factor = weight / (*factor / n + eps).sqrt());
    for (x, y) in x.chunks_exact(shape.channels).zip(y.chunks_exact_mut(shape.channels)) {
        for (((y, x), mean), (factor, bias)) in y.iter_mut().zip(x).zip(&mean).zip(factor.iter().zip(bias)) {
            *y = (x - mean) * factor + bias;
        }
    }
}

fn batch_norm(c: &mut Criterion) {
    type Plain = fn(BatchShape, &[f32], &mut [f32], [&[f32]; 2], f32);
    let shapes: [(_, _, Plain); 2] = [
        ("64 samples x 256", BatchShape::dense(64, 256), rows),
        ("4 x 16 planes of 256", BatchShape { batch: 4, channels: 16, spatial: N / 64 }, planes),
    ];
    for (name, shape, plain) in shapes {
        let mut group = c.benchmark_group(format!("batch norm/{name}"));
        group.throughput(Throughput::Elements(N as u64));
        let (norm, x) = (BatchNorm::new(), numbers(N));
        let params = Params { weight: vec![1.5; shape.channels], bias: vec![0.25; shape.channels] };
        let (weight, bias) = (&params.weight, &params.bias);
        let mut batch = Statistics { mean: vec![0.0; shape.channels], variance: vec![0.0; shape.channels] };
        let (mut y, mut want) = (vec![0.0; N], vec![0.0; N]);
        plain(shape, &x, &mut want, [weight, bias], norm.eps);
        group.bench_function("baseline: plain loop", |b| {
            b.iter(|| plain(shape, black_box(&x), black_box(&mut y), [weight, bias], norm.eps));
        });
        for level in Level::available() {
            let mut forward =
                |x: &[f32], y: &mut [f32]| norm.on(level).forward(shape, x, y, &params, &mut batch);
            forward(&x, &mut y).unwrap();
            close(&y, &want);
            group.bench_function(format!("forward {level}"), |b| {
                b.iter(|| forward(black_box(&x), black_box(&mut y)));
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = passes, drop_connect, batch_norm
}
criterion_main!(benches);
