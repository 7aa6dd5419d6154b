//! A step with a state in half the memory beside the whole one, at every level: the baseline is the whole state of the
//! same rule in the same turns.
//!
//! Part of `./ci.sh bench-report`.
#![allow(missing_docs)]

use benches::turns::medians;
use gradus::{Adam, Level, Momentum, Optimizer, RmsProp};
use std::hint::black_box;

/// A layer of a small network, a larger one, and models in each of the caches and beyond.
const SIZES: [usize; 5] = [1 << 6, 1 << 10, 1 << 14, 1 << 20, 1 << 24];

fn main() {
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    println!("\n## Half states\n");
    println!("The time of a step with a state in half the memory over that with a whole one, one thread.\n");
    println!("| rule | level | 64 | 1 K | 16 K | 1 M | 16 M |\n|---|---|--:|--:|--:|--:|--:|");
    rows("momentum", Momentum::new(0.01));
    rows("RMSProp", RmsProp::new(0.01));
    rows("Adam", Adam::new(0.01));
}

fn rows<O: Optimizer>(name: &str, rule: O) {
    for level in Level::available() {
        let cells: Vec<_> = SIZES
            .map(|n| {
                let grads: Vec<f32> = (0..n).map(|i| (i % 251) as f32 / 125.0 - 0.997).collect();
                let (mut params, mut state) = (vec![0.5; n], rule.state_vec(n));
                let mut whole = || {
                    rule.on(level)
                        .step_slices(&mut params, black_box(&grads), state.as_mut())
                        .expect("equal lengths");
                };
                let (half, mut other) = (rule.half(), vec![0.5; n]);
                let mut halved = half.state_vec(n);
                let mut half = || {
                    half.on(level)
                        .step_slices(&mut other, black_box(&grads), halved.as_mut())
                        .expect("equal lengths");
                };
                let ns = medians(&mut [&mut whole, &mut half]);
                format!("{:.2}", ns[1] / ns[0])
            })
            .into();
        println!("| {name} | {} | {} |", level.name(), cells.join(" | "));
    }
}
