//! What a step costs as the parameters grow, for a method of each kind on one quadratic: Newton's method, L-BFGS, Adam.
//! `cargo bench -p benches --bench orders`.
//!
//! Times are those of the method alone, without the gradient and the Hessian that it asks for.
#![allow(missing_docs)]

use benches::turns::median;
use gradus::second_order::{Lbfgs, LbfgsSettings, Newton, NewtonSettings};
use gradus::{Adam, Optimizer};
use std::hint::black_box;
use std::time::{Duration, Instant};

const PAIRS: usize = 5;
/// As long as each method is measured, after one step at least.
const BUDGET: Duration = Duration::from_millis(500);

fn main() {
    if std::env::args().any(|a| a == "--test") {
        return; // `cargo test --benches`
    }
    println!(
        "| parameters | Newton: steps | a step | L-BFGS, {PAIRS} pairs: steps | a step | Adam: a step |"
    );
    println!("|--:|--:|--:|--:|--:|--:|");
    // A Hessian is an array: the thread has room for several of 3000 rows.
    let lines = std::thread::Builder::new().stack_size(1 << 30).spawn(|| {
        line::<10>();
        line::<100>();
        line::<300>();
        line::<1000>();
        line::<3000>();
    });
    lines.expect("memory").join().expect("no panic");
}

fn line<const N: usize>() {
    let quadratic = Quadratic::<N>::new();
    let (newton_steps, newton) = quadratic.newton();
    let (lbfgs_steps, lbfgs) = quadratic.lbfgs();
    let [newton, lbfgs, adam] = [newton, lbfgs, quadratic.adam()].map(words);
    println!("| {N} | {newton_steps} | {newton} | {lbfgs_steps} | {lbfgs} | {adam} |");
}

/// `x H x / 2 - sum x`, whose Hessian couples neighbours and is steeper along some axes than along others.
struct Quadratic<const N: usize>(Box<[[f32; N]]>);

impl<const N: usize> Quadratic<N> {
    fn new() -> Self {
        let element = |i: usize, j: usize| {
            let apart = i.abs_diff(j) as f32;
            1.0 / (1.0 + apart * apart) + if i == j { (i % 10) as f32 } else { 0.0 }
        };
        Self((0..N).map(|i| std::array::from_fn(|j| element(i, j))).collect())
    }

    /// Value and gradient.
    fn at(&self, x: &[f32; N], g: &mut [f32; N]) -> f32 {
        let mut value = 0.0;
        for ((g, row), x_i) in g.iter_mut().zip(&self.0).zip(x) {
            *g = row.iter().zip(x).map(|(h, x)| h * x).sum::<f32>() - 1.0;
            value += 0.5 * x_i * (*g - 1.0);
        }
        value
    }

    /// Steps to the lowest point, and the median seconds of one.
    fn newton(&self) -> (u32, f64) {
        let (mut solver, settings) = (Box::new(Newton::<N>::new()), NewtonSettings::new());
        let (mut times, begin, mut steps) = (Vec::new(), Instant::now(), 0);
        while times.is_empty() || begin.elapsed() < BUDGET {
            solver.start(&settings, &[0.0; N]).expect("settings");
            for evaluation in 0.. {
                let Some((x, g, h)) = solver.ask() else { break };
                h.copy_from_slice(&self.0);
                let value = self.at(x, g);
                let start = Instant::now();
                solver.tell(value);
                if evaluation == 0 {
                    times.push(start.elapsed().as_secs_f64());
                }
            }
            steps = solver.report().iterations;
        }
        (steps, median(times))
    }

    /// Steps to the lowest point, and the median seconds of one with full memory.
    fn lbfgs(&self) -> (u32, f64) {
        let (mut solver, settings) = (Box::new(Lbfgs::<N, PAIRS>::new()), LbfgsSettings::new());
        let (mut times, begin, mut steps) = (Vec::new(), Instant::now(), 0);
        while times.is_empty() || begin.elapsed() < BUDGET {
            solver.start(&settings, &[0.0; N]).expect("settings");
            while let Some((x, g)) = solver.ask() {
                let value = self.at(x, g);
                let (start, before) = (Instant::now(), solver.report().iterations);
                solver.tell(value);
                let passed = start.elapsed().as_secs_f64();
                // Not the trials of a line search, which change no direction.
                if solver.report().iterations > before && before as usize > PAIRS {
                    times.push(passed);
                }
            }
            steps = solver.report().iterations;
        }
        (steps, median(times))
    }

    /// The median seconds of a step.
    fn adam(&self) -> f64 {
        let adam = Adam::new(1e-3);
        let (mut params, mut grads, mut state) = (vec![0.0; N], [0.0; N], adam.state_vec(N));
        self.at(&[0.0; N], &mut grads);
        let (mut times, begin) = (Vec::new(), Instant::now());
        while begin.elapsed() < BUDGET {
            let start = Instant::now();
            for _ in 0..100 {
                adam.step_slices(&mut params, black_box(&grads), state.as_mut()).expect("lengths");
            }
            times.push(start.elapsed().as_secs_f64() / 100.0);
        }
        median(times)
    }
}

/// Two digits and a unit.
fn words(seconds: f64) -> String {
    let (number, unit) = match seconds {
        s if s < 1e-6 => (s * 1e9, "ns"),
        s if s < 1e-3 => (s * 1e6, "us"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    if number < 10.0 { format!("{number:.1} {unit}") } else { format!("{number:.0} {unit}") }
}
