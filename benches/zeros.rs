//! What a training costs whose gradients have become 0, and what the sweeps of subnormals cost it.
//!
//! Part of `./ci.sh bench-report`.
#![allow(missing_docs)]

use benches::turns::{median, medians};
use gradus::{Adam, Momentum, Optimizer, RmsProp};
use std::cell::RefCell;
use std::hint::black_box;
use std::time::Instant;

const N: usize = 1 << 10;
/// Steps from one sweep to the next.
const WINDOW: u32 = 64;

fn main() {
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    println!("\n## Gradients of 0\n");
    println!(
        "1 K parameters: 131 072 steps with gradients, then steps without. A window is 64 steps. *Slow* are windows of more \
         than 1.2 times the median one with gradients: those with gradients, by what else the machine does, and those \
         without. *Last*: the median of the second half of the steps without, over that with gradients.\n"
    );
    println!("| rule | steps without | window with gradients, ns | slow with | slow without | last |");
    println!("|---|--:|--:|--:|--:|--:|");
    windows("momentum", Momentum::new(0.01), 200_000);
    windows("RMSProp", RmsProp::new(0.01), 200_000);
    windows("Adam", Adam::new(0.01), 200_000);
    windows("Adam, beta1 0.99", Adam { beta1: 0.99, ..Adam::new(0.01) }, 200_000);
    windows("Adam, beta2 0.9999", Adam { beta2: 0.9999, ..Adam::new(0.01) }, 1_000_000);

    println!("\nWhat sweeps cost: 64 steps with one sweep against 64 steps without.\n");
    println!("| rule | 1 K | 16 K | 1 M |\n|---|--:|--:|--:|");
    sweeps("momentum", Momentum::new(0.01));
    sweeps("RMSProp", RmsProp::new(0.01));
    sweeps("Adam", Adam::new(0.01));
}

fn gradients(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i % 251) as f32 / 125.0 - 0.997).collect()
}

fn windows<O: Optimizer>(name: &str, rule: O, steps: u32) {
    let (mut params, mut state) = (vec![0.5; N], rule.state_vec(N));
    let (live, none) = (gradients(N), vec![0.0; N]);
    let mut window = |grads: &[f32]| {
        let begin = Instant::now();
        for _ in 0..WINDOW {
            rule.step_slices(&mut params, black_box(grads), state.as_mut()).expect("equal lengths");
        }
        begin.elapsed().as_nanos() as f64
    };
    let live: Vec<f64> = (0..2048).map(|_| window(&live)).collect();
    let with = median(live.clone());
    let without: Vec<f64> = (0..steps / WINDOW).map(|_| window(&none)).collect();
    let last = median(without[without.len() / 2..].to_vec()) / with;
    let slow = |times: &[f64]| {
        100.0 * times.iter().filter(|ns| **ns > 1.2 * with).count() as f64 / times.len() as f64
    };
    println!("| {name} | {steps} | {with:.0} | {:.1} % | {:.1} % | {last:.2} |", slow(&live), slow(&without));
}

fn sweeps<O: Optimizer>(name: &str, rule: O) {
    let cells: Vec<_> = [1 << 10, 1 << 14, 1 << 20]
        .map(|n| {
            let grads = gradients(n);
            let memory = RefCell::new((vec![0.5; n], rule.state_vec(n)));
            // Steps of 64 and its multiples sweep: one of them in 64 steps, or none.
            let steps = |first: u32, stride: u32| {
                let (grads, memory) = (&grads, &memory);
                move || {
                    let (params, state) = &mut *memory.borrow_mut();
                    for k in 0..WINDOW {
                        state.clock.t = 1_000_000 / WINDOW * WINDOW + first + k * stride;
                        rule.step_slices(params, black_box(grads), state.as_mut()).expect("equal lengths");
                    }
                }
            };
            let (mut with, mut without) = (steps(0, 1), steps(0, 0));
            let ns = medians(&mut [&mut with, &mut without]);
            format!("{:.3}", ns[0] / ns[1])
        })
        .into();
    println!("| {name} | {} |", cells.join(" | "));
}
