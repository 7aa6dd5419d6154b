//! Instructions of one step over 1024 parameters, at the levels that callgrind can run.
//!
//! The limits are the counts of rustc 1.95 and 3 % more; they are meant to be lowered, and raised only with a
//! reason in the commit. `./ci.sh instructions` runs the gate.

use gradus::{Adam, Level, Momentum, Optimizer, RmsProp, Sgd, StateVec, dot};
use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use std::hint::black_box;

const N: usize = 1024;

/// Everything that a step needs, made before the counting starts.
struct Step<O: Optimizer<Family = O>> {
    optimizer: O,
    level: Level,
    params: Vec<f32>,
    grads: Vec<f32>,
    state: StateVec<O>,
}

fn level(name: &str) -> Level {
    Level::available().find(|level| level.name() == name).expect("callgrind emulates this level")
}

fn step<O: Optimizer<Family = O>>(optimizer: O, name: &str) -> Step<O> {
    let mut state = StateVec::new(N);
    state.clock.t = 1_000_000;
    Step { optimizer, level: level(name), params: vec![0.5; N], grads: vec![0.25; N], state }
}

fn run<O: Optimizer<Family = O>>(mut s: Step<O>) -> Step<O> {
    let result = s.optimizer.on(s.level).step_slices(&mut s.params, black_box(&s.grads), s.state.as_mut());
    result.expect("equal lengths");
    s
}

/// At most this many instructions.
fn limit(instructions: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, instructions)]));
    config
}

#[library_benchmark]
#[bench::scalar(args = (step(Adam::new(1e-3), "scalar"),), config = limit(7050))]
#[bench::sse2(args = (step(Adam::new(1e-3), "sse2"),), config = limit(7540))]
#[bench::avx2(args = (step(Adam::new(1e-3), "avx2"),), config = limit(3070))]
fn adam(s: Step<Adam>) -> Step<Adam> {
    run(s)
}

#[library_benchmark]
#[bench::sse2(args = (step(RmsProp::new(1e-3), "sse2"),), config = limit(5650))]
#[bench::avx2(args = (step(RmsProp::new(1e-3), "avx2"),), config = limit(2570))]
fn rmsprop(s: Step<RmsProp>) -> Step<RmsProp> {
    run(s)
}

#[library_benchmark]
#[bench::sse2(args = (step(Momentum::new(1e-3), "sse2"),), config = limit(4050))]
#[bench::avx2(args = (step(Momentum::new(1e-3), "avx2"),), config = limit(1760))]
fn momentum(s: Step<Momentum>) -> Step<Momentum> {
    run(s)
}

#[library_benchmark]
#[bench::avx2(args = (step(Sgd::new(1e-3), "avx2"),), config = limit(1136))]
fn sgd(s: Step<Sgd>) -> Step<Sgd> {
    run(s)
}

#[library_benchmark]
#[bench::sse2(args = (level("sse2"), vec![0.5; N]), config = limit(1491))]
#[bench::avx2(args = (level("avx2"), vec![0.5; N]), config = limit(627))]
fn dot_product(level: Level, x: Vec<f32>) -> (Vec<f32>, f32) {
    let sum = dot(level, black_box(&x), black_box(&x)).expect("equal lengths");
    (x, sum)
}

library_benchmark_group!(name = kernels, benchmarks = [adam, rmsprop, momentum, sgd, dot_product]);
main!(library_benchmark_groups = kernels);
