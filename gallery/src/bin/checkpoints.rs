//! A training loop to copy: two threads, a checkpoint after each epoch, early stopping, an average of the last weights,
//! and L-BFGS at the end, on 1797 handwritten digits.
//!
//! ```text
//! cargo run --release -p gallery --bin checkpoints [-- DIR]
//! ```
//! Stop it anywhere and start it again: it goes on from its last epoch with the same bits.

use digits::data::DIGITS;
use gradus::ensemble::{Average, Swa};
use gradus::layer::Dense;
use gradus::prelude::*;
use gradus::schedule::{Cosine, Schedule};
use gradus::second_order::LbfgsVec;
use gradus::{activation, init, loss, store};
use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use plotters::style::register_font;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use std::{error::Error, ops::Range, path::PathBuf};

const L1: Dense = Dense::new(64, 32);
const L2: Dense = Dense::new(32, 10);
const N: usize = L1.params() + L2.params();
const EPOCHS: usize = 60;
const BATCH: usize = 64;

/// Pixels and labels, sample after sample.
struct Data(Vec<f32>, Vec<u8>);

impl Data {
    fn new(order: &[usize]) -> Self {
        let pixels = order.iter().flat_map(|&i| DIGITS[i].pixels.map(|pixel| f32::from(pixel) / 16.0));
        Self(pixels.collect(), order.iter().map(|&i| DIGITS[i].label).collect())
    }

    /// Mean loss of some samples; adds its gradient.
    fn pass(&self, of: Range<usize>, params: &[f32], grads: &mut [f32]) -> Result<f32, gradus::Error> {
        let (exec, n, x) = (Exec::new(), of.len(), &self.0[64 * of.start..64 * of.end]);
        let (mut h, mut dh, mut z) = (vec![0.0; 32 * n], vec![0.0; 32 * n], vec![0.0; 10 * n]);
        let ((p1, p2), (g1, g2)) = (params.split_at(L1.params()), grads.split_at_mut(L1.params()));
        L1.forward(p1, x, &mut h)?;
        activation::relu(exec, &mut h);
        L2.forward(p2, &h, &mut z)?;
        let mean = loss::softmax_cross_entropy(exec, &mut z, &self.1[of])?; // z is its gradient now
        L2.backward(p2, g2, &h, &z, Some(&mut dh))?;
        activation::relu_backward(exec, &mut dh, &h)?;
        L1.backward(p1, g1, x, &dh, None)?;
        Ok(mean)
    }

    /// Mean loss of some samples and its gradient, in two threads: each half is always the same, and so are the bits.
    fn mean(&self, of: Range<usize>, params: &[f32], grads: &mut [f32]) -> Result<f32, gradus::Error> {
        let (middle, mut others) = (of.start + of.len() / 2, vec![0.0; N]);
        grads.fill(0.0);
        let (left, right) = std::thread::scope(|scope| {
            let right = scope.spawn(|| self.pass(middle..of.end, params, &mut others));
            (self.pass(of.start..middle, params, grads), right.join().expect("no panic"))
        });
        let share = (middle - of.start) as f32 / of.len() as f32;
        grads.iter_mut().zip(&others).for_each(|(g, other)| *g = share * *g + (1.0 - share) * other);
        Ok(share * left? + (1.0 - share) * right?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::args().nth(1).unwrap_or("out".into()));
    std::fs::create_dir_all(&out)?;
    // Every fifth sample does not train: its loss says when to stop.
    let (held, train): (Vec<_>, Vec<_>) = (0..DIGITS.len()).partition(|i| i % 5 == 4);
    let (held, all) = (Data::new(&held), Data::new(&train));
    let held_loss = |params: &[f32]| held.pass(0..held.1.len(), params, &mut vec![0.0; N]);
    let adam = Adam::new(3e-3);
    let schedule = Cosine::new(adam.lr, (EPOCHS * train.len().div_ceil(BATCH)) as u32);

    // All that a run is: the rest follows from the constants.
    let mut chance = Xoshiro128PlusPlus::seed_from_u64(1);
    let (mut params, mut grads) = (vec![0.0; N], vec![0.0; N]);
    init::he_uniform(&mut chance, 64, L1.weights_mut(&mut params[..L1.params()])?);
    init::he_uniform(&mut chance, 32, L2.weights_mut(&mut params[L1.params()..])?);
    let (mut state, mut average) = (adam.state_vec(N), StateVec::<Swa>::new(N));
    let (mut curve, mut held_curve) = (Vec::<f32>::new(), Vec::<f32>::new()); // losses after each epoch
    let path = out.join("checkpoint.gradus");
    let parts = (&mut params, &mut state, &mut average, &mut chance, &mut curve, &mut held_curve);
    if path.exists() {
        store::load_file(parts, &path)?;
    }
    let style = ProgressStyle::with_template("{bar:40} epoch {pos} of {len}, {msg}")?;
    let bar = ProgressBar::new(EPOCHS as u64).with_style(style);
    loop {
        let epochs = curve.len();
        let best = (0..epochs).min_by(|&i, &j| held_curve[i].total_cmp(&held_curve[j])).unwrap_or(0);
        if epochs == EPOCHS || epochs - best > 8 {
            break; // eight epochs without a better one
        }
        let (mut order, mut sum) = (train.clone(), 0.0);
        order.sort_by_cached_key(|_| chance.next_u32()); // shuffled
        let data = Data::new(&order);
        for start in (0..order.len()).step_by(BATCH) {
            let of = start..order.len().min(start + BATCH);
            sum += of.len() as f32 * data.mean(of, &params, &mut grads)?;
            adam.with_lr(schedule.at(state.t())).step_slices(&mut params, &grads, state.as_mut())?;
        }
        curve.push(sum / order.len() as f32);
        held_curve.push(held_loss(&params)?);
        if epochs >= 20 {
            Swa.update_slices(average.as_mut(), &params)?; // the later weights
        }
        // Whenever the power fails, the file is the old one or the new one.
        store::save_file((&params, &state, &average, &chance, &curve, &held_curve), &path)?;
        bar.set_position(curve.len() as u64);
        bar.set_message(format!("loss {:.4}, held out {:.4}", curve[epochs], held_curve[epochs]));
    }

    // From the average on the whole gradient, until the held-out loss rises.
    let mut tuned = if average.t() > 0 { average.columns()[0].clone() } else { params };
    let (before, mut solver, mut iterations) = (held_loss(&tuned)?, LbfgsVec::new(N).pairs(10), 0);
    let mut lowest = before;
    solver.start(&tuned)?;
    while let Some((x, grads)) = solver.ask() {
        let loss = all.mean(0..all.1.len(), x, grads)?;
        solver.tell(loss);
        if solver.report().iterations > iterations {
            iterations = solver.report().iterations;
            match held_loss(solver.x())? {
                loss if loss < lowest => (lowest, tuned) = (loss, solver.x().to_vec()),
                _ => solver.stop(),
            }
        }
    }
    println!("\nheld out: average {before:.4}, L-BFGS {lowest:.4} after {iterations} iterations");
    store::save_file(&tuned, out.join("tuned.gradus"))?;

    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()).map_err(|_| "not a font")?;
    let picture = out.join("checkpoints.svg");
    let root = SVGBackend::new(&picture, (800, 480)).into_drawing_area();
    let (epochs, y) = (curve.len() as f32, (1e-3_f32..3.0).log_scale());
    let mut builder = ChartBuilder::on(&root);
    let mut chart = builder.margin(16).set_all_label_area_size(48).build_cartesian_2d(0.0..epochs, y)?;
    chart.configure_mesh().x_desc("epoch").y_desc("loss").draw()?;
    for (name, curve, color) in [("training", curve, BLUE), ("held out", held_curve, RED)] {
        let points = curve.iter().enumerate().map(|(epoch, loss)| (epoch as f32 + 1.0, *loss));
        let key = move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color);
        chart.draw_series(LineSeries::new(points, color))?.label(name).legend(key);
    }
    chart.configure_series_labels().draw()?;
    Ok(root.present()?)
}
