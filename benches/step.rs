//! One step of every rule: at every level, beside the plain loop and the memory floor.
//!
//! `cargo bench -p benches --bench step -- Adam/16384` runs one rule at one size.
#![allow(missing_docs)]

use benches::{Buffers, SIZES, cases, check};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;

fn steps(c: &mut Criterion) {
    for mut case in cases() {
        check(&mut case);
        for n in SIZES {
            let mut group = c.benchmark_group(format!("{}/{n}", case.rule));
            group.throughput(Throughput::Bytes((case.bytes * n) as u64));
            group.sample_size(20);
            group.warm_up_time(Duration::from_millis(100));
            group.measurement_time(Duration::from_millis(400));
            let mut buffers = Buffers::new(n);
            for contestant in &mut case.contestants {
                group.bench_function(&contestant.name, |b| b.iter(|| (contestant.step)(&mut buffers)));
            }
        }
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
