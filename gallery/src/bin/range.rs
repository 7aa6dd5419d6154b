//! A learning-rate range test (Smith, 2017): in one short run the rate grows from step to step until the loss explodes.
//!
//! ```text
//! cargo run --release -p gallery --bin range [-- --out DIR]
//! ```
//!
//! It trains a small network on 1797 handwritten digits, prints the rates to take, and draws the losses into `range.svg` in
//! `out/` or in the directory given. A run costs five passes over the data. Take the rate at which the loss falls steepest
//! for a run of constant rate, and for the largest rate of a schedule a third of that at which the loss is lowest.

use clap::Parser;
use digits::data::DIGITS;
use gallery::style::{
    ADAM, Backend, Figure, MOMENTUM, SGD, axes, curve, frame, legend, letters, plain, power_of_ten, save_svg,
};
use gradus::layer::Dense;
use gradus::prelude::*;
use gradus::schedule::{Exponential, Schedule};
use gradus::{AnyOptimizer, activation, init, loss};
use plotters::coord::Shift;
use plotters::prelude::*;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use std::error::Error;
use std::path::PathBuf;

/// Find learning rates for the digits by a range test.
#[derive(Parser)]
#[command(name = "range")]
struct Arguments {
    /// Directory of the picture, range.svg
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

const L1: Dense = Dense::new(64, 32);
const L2: Dense = Dense::new(32, 10);
const N: usize = L1.params() + L2.params();
const BATCH: usize = 32;
const STEPS: u32 = 280;
const RATES: [f32; 2] = [1e-5, 100.0];
/// Weight of the past in the smoothed loss.
const PAST: f64 = 0.95;
/// A loss so many times the lowest has exploded.
const EXPLODED: f64 = 4.0;

/// One test: the smoothed loss at each rate.
struct Test {
    name: &'static str,
    color: RGBColor,
    points: Vec<(f64, f64)>,
}

impl Test {
    fn run(name: &'static str, color: RGBColor) -> Result<Self, Box<dyn Error>> {
        let optimizer: AnyOptimizer = name.to_lowercase().parse()?;
        let schedule = Exponential::between(RATES[0], RATES[1], STEPS);
        let mut chance = Xoshiro128PlusPlus::seed_from_u64(1);
        let (mut params, mut grads, mut state) = (vec![0.0; N], vec![0.0; N], optimizer.state(N));
        init::he_uniform(&mut chance, 64, L1.weights_mut(&mut params[..L1.params()])?);
        init::he_uniform(&mut chance, 32, L2.weights_mut(&mut params[L1.params()..])?);
        let (mut points, mut mean, mut lowest) = (Vec::new(), 0.0, f64::MAX);
        for step in 0..=STEPS {
            let batch: [usize; BATCH] = std::array::from_fn(|_| chance.next_u32() as usize % DIGITS.len());
            grads.fill(0.0);
            let rate = schedule.at(step);
            mean = PAST * mean + (1.0 - PAST) * f64::from(pass(&batch, &params, &mut grads)?);
            let smooth = mean / (1.0 - PAST.powi(step as i32 + 1));
            lowest = smooth.min(lowest);
            if !(smooth < EXPLODED * lowest) {
                break;
            }
            points.push((f64::from(rate).log10(), smooth));
            optimizer.with_lr(rate).step_slices(&mut params, &grads, state.as_mut())?;
        }
        Ok(Self { name, color, points })
    }

    /// The rate at which the loss is lowest, and the one before it at which it falls steepest over ten steps.
    fn rates(&self) -> (f64, f64) {
        let at = |k: usize| self.points[k];
        let lowest = (0..self.points.len()).min_by(|&i, &j| at(i).1.total_cmp(&at(j).1)).unwrap_or(0);
        let fall = |k: usize| at(k + 5).1 - at(k - 5).1;
        let steepest =
            (5..lowest.saturating_sub(5)).min_by(|&i, &j| fall(i).total_cmp(&fall(j))).unwrap_or(0);
        (10_f64.powf(at(lowest).0), 10_f64.powf(at(steepest).0))
    }
}

/// Mean loss of some samples; adds its gradient.
fn pass(batch: &[usize; BATCH], params: &[f32], grads: &mut [f32]) -> Result<f32, gradus::Error> {
    let exec = Exec::new();
    let x: Vec<f32> =
        batch.iter().flat_map(|&i| DIGITS[i].pixels.map(|pixel| f32::from(pixel) / 16.0)).collect();
    let labels = batch.map(|i| DIGITS[i].label);
    let (mut h, mut dh, mut z) = ([0.0; 32 * BATCH], [0.0; 32 * BATCH], [0.0; 10 * BATCH]);
    let ((p1, p2), (g1, g2)) = (params.split_at(L1.params()), grads.split_at_mut(L1.params()));
    L1.forward(p1, &x, &mut h)?;
    activation::relu(exec, &mut h);
    L2.forward(p2, &h, &mut z)?;
    let mean = loss::softmax_cross_entropy(exec, &mut z, &labels)?; // z is its gradient now
    L2.backward(p2, g2, &h, &z, Some(&mut dh))?;
    activation::relu_backward(exec, &mut dh, &h)?;
    L1.backward(p1, g1, &x, &dh, None)?;
    Ok(mean)
}

struct Losses<'a>(&'a [Test]);

impl Figure for Losses<'_> {
    const SIZE: (i32, i32) = (900, 420);
    fn words(&self) -> String {
        "Loss of SGD, momentum and Adam on the digits while the learning rate grows: it falls, and then explodes".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let names: Vec<_> = self.0.iter().map(|test| (test.name, test.color)).collect();
        let body = legend(area, &names)?;
        let x = f64::from(RATES[0]).log10()..f64::from(RATES[1]).log10();
        let mut chart = frame(&body, ["Range test", "digits, batches of 32"], x, 0.0..3.0)?;
        axes(&mut chart, ["learning rate", "smoothed loss"], &power_of_ten, &plain)?;
        for test in self.0 {
            curve(&mut chart, &test.points, test.color)?;
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { out } = Arguments::parse();
    std::fs::create_dir_all(&out)?;
    let tests = [("SGD", SGD), ("Momentum", MOMENTUM), ("Adam", ADAM)];
    let tests =
        tests.into_iter().map(|(name, color)| Test::run(name, color)).collect::<Result<Vec<_>, _>>()?;
    println!("| | steepest | a third of the lowest |\n|---|--:|--:|");
    for test in &tests {
        let (lowest, steepest) = test.rates();
        println!("| {} | {steepest:.0e} | {:.0e} |", test.name, lowest / 3.0);
    }
    letters()?;
    save_svg(&Losses(&tests), &out.join("range.svg"))
}
