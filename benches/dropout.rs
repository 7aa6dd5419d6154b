//! Dropout beside its floor (a plain scaling pass) and its baseline (a random number and a
//! comparison for each element): `cargo bench --bench dropout`.
//!
//! 16 K elements in place, time per pass; the throughput that criterion prints counts elements.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradus::Level;
use gradus::noise::{Dropout, Masks, mask_words};
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
    // At a cache line: 16 bytes past one, where most allocators begin an array, a pass takes half as long again.
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
        b.iter(|| test.test_at(level, black_box(&mut x[..])));
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
            dropout.forward_at(level, &mut x[..], &mut masks).unwrap();
            assert!((rate(x) - keep_prob).abs() < 0.02);
            // Kept elements grow by 1 / keep_prob a pass: zeros from the first passes on, as fast as ones.
            group.bench_function(BenchmarkId::new(format!("drawn {level}"), keep_prob), |b| {
                b.iter(|| dropout.forward_at(level, black_box(&mut x[..]), &mut masks));
            });
            let mut mask = vec![0; mask_words(N)];
            group.bench_function(BenchmarkId::new(format!("mask alone {level}"), keep_prob), |b| {
                b.iter(|| masks.fill_at(level, keep_prob, black_box(&mut mask)));
            });
            group.bench_function(BenchmarkId::new(format!("given mask {level}"), keep_prob), |b| {
                b.iter(|| dropout.forward_at(level, black_box(&mut x[..]), black_box(&mask[..])));
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = passes
}
criterion_main!(benches);
