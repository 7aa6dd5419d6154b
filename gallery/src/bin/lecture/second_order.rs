//! What a step knows of the function: a slope, or a parabola; and what mini-batches do to L-BFGS.

use digits::data::DIGITS;
use digits::training::{CLASSES, PIXELS, Sample};
use gallery::style::{
    ADAM, Backend, FAINT, Figure, INK, KINDS, LBFGS, NEWTON, SCALE, SGD, axes, curve, frame, legend, line,
    note, plain, power_of_ten,
};
use gradus::loss::softmax_cross_entropy;
use gradus::second_order::LbfgsVec;
use gradus::{Adam, Exec, Optimizer};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;

/// A function to step by, its name and colour, and where its steps lead.
type Model<'a> = (&'a str, &'a dyn Fn(f64) -> f64, RGBColor, &'a [(f64, &'a str)]);

/// A tangent and a parabola at the same point, and the steps they lead to.
pub struct Models;

fn f(x: f64) -> f64 {
    (x - 1.0).powi(2) / 2.0 + 0.6 * (2.0 * x).sin()
}
fn slope(x: f64) -> f64 {
    x - 1.0 + 1.2 * (2.0 * x).cos()
}
fn curvature(x: f64) -> f64 {
    1.0 - 2.4 * (2.0 * x).sin()
}

impl Figure for Models {
    const SIZE: (i32, i32) = (900, 360);
    fn words(&self) -> String {
        "A function of one variable. Its tangent at a point has no lowest point: the step's length is the learning rate's. Its parabola there has one, and the step goes to it".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        const AT: f64 = 2.6;
        let body =
            legend(area, &[("f", FAINT), ("gradient: a tangent", SGD), ("and Hessian: a parabola", NEWTON)])?;
        let panels = body.split_evenly((1, 2));
        let (g, h) = (slope(AT), curvature(AT));
        let tangent = |x: f64| f(AT) + g * (x - AT);
        let parabola = |x: f64| tangent(x) + h * (x - AT).powi(2) / 2.0;
        let newton = AT - g / h;
        let models: [Model<'_>; 2] = [
            ("First order", &tangent, SGD, &[(AT - 0.1 * g, "lr 0.1"), (AT - 0.4 * g, "lr 0.4")]),
            ("Second order", &parabola, NEWTON, &[(newton, "no rate to choose")]),
        ];
        for (panel, (title, model, color, steps)) in panels.iter().zip(models) {
            let mut chart = frame(panel, [title, ""], 0.3..3.6, -1.5..4.0)?;
            axes(&mut chart, ["x", "f(x)"], &plain, &plain)?;
            let points = |f: &dyn Fn(f64) -> f64| {
                Vec::from_iter((30..=360).map(|k| f64::from(k) / 100.0).map(|x| (x, f(x))))
            };
            curve(&mut chart, &points(&f), FAINT)?;
            let inside = Vec::from_iter(points(model).into_iter().filter(|(_, y)| (-1.5..4.0).contains(y)));
            line(&mut chart, &inside, color)?;
            for (x, words) in steps {
                let drop = [(*x, model(*x)), (*x, f(*x))];
                chart.draw_series([PathElement::new(drop, FAINT.stroke_width(SCALE as u32))])?;
                chart.draw_series(
                    [(*x, model(*x)), (*x, f(*x))].map(|p| Circle::new(p, 3 * SCALE, color.filled())),
                )?;
                note(&mut chart, [*x, model(*x)], words, color, Pos::new(HPos::Left, VPos::Top))?;
            }
            chart.draw_series([Circle::new((AT, f(AT)), 4 * SCALE, INK.filled())])?;
        }
        Ok(())
    }
}

/// Samples of softmax regression, and how many of them are a mini-batch.
const SAMPLES: usize = 500;
const BATCH: usize = 25;
const PASSES: f64 = 60.0;
const N: usize = (PIXELS + 1) * CLASSES;
const L2: f32 = 1e-3;

/// Loss of a linear classifier over some samples, and its gradient.
fn regression(w: &[f32], samples: &[Sample], grads: &mut [f32]) -> Result<f32, gradus::Error> {
    let mut loss = 0.0;
    grads.fill(0.0);
    for sample in samples {
        let x = |k: usize| if k < PIXELS { f32::from(sample.pixels[k]) / 16.0 } else { 1.0 };
        let mut scores = [0.0; CLASSES];
        for (k, row) in w.chunks(CLASSES).enumerate() {
            for (score, w) in scores.iter_mut().zip(row) {
                *score += w * x(k);
            }
        }
        loss += softmax_cross_entropy(Exec::new(), &mut scores, &[sample.label])?;
        for (k, row) in grads.chunks_mut(CLASSES).enumerate() {
            for (g, score) in row.iter_mut().zip(scores) {
                *g += score * x(k) / samples.len() as f32;
            }
        }
    }
    for (g, w) in grads.iter_mut().zip(w) {
        *g += 2.0 * L2 * w;
    }
    Ok(loss / samples.len() as f32 + L2 * w.iter().map(|w| w * w).sum::<f32>())
}

/// Softmax regression on the digits: the loss over all samples by passes over them.
pub struct Batches {
    runs: [Vec<(f64, f64)>; 3],
}

impl Batches {
    pub fn new() -> Result<Self, gradus::Error> {
        let runs = [lbfgs(SAMPLES)?, lbfgs(BATCH)?, descend(Adam::new(0.01), PASSES as usize)?];
        // All end above the lowest value that any reached, and a bit.
        let lowest = runs.iter().flatten().fold(f64::MAX, |a, p| a.min(p.1));
        Ok(Self { runs: runs.map(|run| run.into_iter().map(|(x, y)| (x, (y - lowest).log10())).collect()) })
    }
}

/// L-BFGS, told at each evaluation of the next samples. Where it gives up it begins again from where it is.
fn lbfgs(batch: usize) -> Result<Vec<(f64, f64)>, gradus::Error> {
    let all = &DIGITS[..SAMPLES];
    let (mut w, mut points, mut evaluations) = (vec![0.0_f32; N], Vec::new(), 0);
    let share = batch as f64 / SAMPLES as f64;
    let mut unused = vec![0.0; N];
    let mut refused = None;
    while (f64::from(evaluations)) * share < PASSES {
        let before = evaluations;
        let mut solver = LbfgsVec::new(N);
        solver.start(&w)?;
        while let Some((x, g)) = solver.ask() {
            let part = evaluations as usize % (SAMPLES / batch) * batch;
            match (regression(x, all, &mut unused), regression(x, &all[part..part + batch], g)) {
                (Ok(loss), Ok(value)) => {
                    points.push((f64::from(evaluations) * share, f64::from(loss)));
                    evaluations += 1;
                    solver.tell(value);
                }
                (Err(error), _) | (_, Err(error)) => refused = Some(error),
            }
            if refused.is_some() || f64::from(evaluations) * share >= PASSES {
                solver.stop();
            }
        }
        w.copy_from_slice(solver.x());
        if batch == SAMPLES || evaluations == before {
            break; // it is there
        }
    }
    refused.map_or(Ok(points), Err)
}

/// A rule of first order over the same mini-batches: the loss over all samples before each pass.
pub fn descend(optimizer: impl Optimizer, passes: usize) -> Result<Vec<(f64, f64)>, gradus::Error> {
    let all = &DIGITS[..SAMPLES];
    let (mut w, mut g, mut unused) = ([0.0; N], [0.0; N], vec![0.0; N]);
    let (mut state, mut points) = (optimizer.state(), Vec::new());
    for step in 0..=passes * (SAMPLES / BATCH) {
        let part = step % (SAMPLES / BATCH) * BATCH;
        if part == 0 {
            points
                .push(((step * BATCH) as f64 / SAMPLES as f64, f64::from(regression(&w, all, &mut unused)?)));
        }
        regression(&w, &all[part..part + BATCH], &mut g)?;
        optimizer.step(&mut w, &g, &mut state);
    }
    Ok(points)
}

impl Figure for Batches {
    const SIZE: (i32, i32) = (900, 380);
    fn words(&self) -> String {
        "Softmax regression on digits. In full batch L-BFGS falls to the minimum within sixty passes; told of another mini-batch at each evaluation it stays far above, where Adam goes on falling".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let names = [
            ("L-BFGS, full batch", LBFGS),
            ("L-BFGS, batches of 25", KINDS[1]),
            ("Adam, batches of 25", ADAM),
        ];
        let body = legend(area, &names)?;
        let title = ["Loss over all samples, above the lowest", "softmax regression, 500 digits"];
        let mut chart = frame(&body, title, 0.0..PASSES, -5.0..1.0)?;
        axes(&mut chart, ["passes over the samples", "loss − lowest"], &plain, &power_of_ten)?;
        for (points, (_, color)) in self.runs.iter().zip(names) {
            curve(&mut chart, points, color)?;
        }
        Ok(())
    }
}
