//! What a velocity does with noise, and what a sum of squares does with time.

use gallery::course::{self, Pace, Surface};
use gallery::style::{
    ADAGRAD, ADAM, Backend, Figure, INK, MOMENTUM, RMSPROP, SCALE, SGD, axes, curve, fill_contours, frame,
    legend, line, plain, power_of_ten,
};
use gradus::{AdaGrad, Adam, Optimizer, RmsProp};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::error::Error;

/// A bowl that is four times as steep across as along.
const BOWL: Surface = Surface {
    name: "Bowl",
    formula: "(x² + 4 y²) / 2",
    at: |[x, y]| ((x * x + 4.0 * y * y) / 2.0, [x, 4.0 * y]),
    window: [-5.5, 2.5, -2.0, 2.0],
    start: [-5.0, 1.6],
    minima: &[[0.0, 0.0]],
    lr: [0.05, 0.005, 0.0, 0.0, 0.0, 0.0],
    steps: 120,
    noise: 8.0,
};

/// SGD and momentum over a bowl, with noise and steps of the same mean length.
pub struct Velocity;

impl Figure for Velocity {
    const SIZE: (i32, i32) = (900, 360);
    fn words(&self) -> String {
        "With noise on the gradients SGD zigzags over a bowl; momentum, as fast on average, goes a smooth way. Beside it the steps along x: SGD's jump about, those of momentum change little by little".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let body = legend(area, &[("SGD, lr 0.05", SGD), ("Momentum 0.9, lr 0.005", MOMENTUM)])?;
        let (left, right) = body.split_horizontally(480 * SCALE);
        let runs = [(0, SGD), (1, MOMENTUM)].map(|(rule, color)| {
            let pace = Pace { lr: BOWL.lr[rule], momentum: 0.9, noise: BOWL.noise, steps: BOWL.steps };
            let path = course::path(rule, &BOWL, BOWL.start, pace);
            (Vec::from_iter(path.iter().map(|p| (f64::from(p[0]), f64::from(p[1])))), color)
        });

        let window @ [x0, x1, y0, y1] = BOWL.window.map(f64::from);
        let mut chart = frame(&left, ["Paths, with noise", BOWL.formula], x0..x1, y0..y1)?;
        axes(&mut chart, ["x", "y"], &plain, &plain)?;
        fill_contours(&mut chart, window, |x, y| (x * x + 4.0 * y * y) / 2.0)?;
        for (path, color) in &runs {
            line(&mut chart, path, *color)?;
        }
        chart.draw_series([Cross::new((0.0, 0.0), 5 * SCALE, INK.stroke_width(2 * SCALE as u32))])?;

        let mut chart = frame(&right, ["Steps along x", ""], 0.0..BOWL.steps as f64, -1.2..1.2)?;
        axes(&mut chart, ["step", "change of x"], &plain, &plain)?;
        for (path, color) in &runs {
            let steps = path.windows(2).enumerate().map(|(t, pair)| (t as f64, pair[1].0 - pair[0].0));
            curve(&mut chart, &Vec::from_iter(steps), *color)?;
        }
        Ok(())
    }
}

/// Steps under a slope that stays the same: how long they are, and how far they lead.
pub struct LongCourse;

impl Figure for LongCourse {
    const SIZE: (i32, i32) = (900, 360);
    fn words(&self) -> String {
        "Under a constant gradient AdaGrad's step falls from 0.1 to 0.001 in 10 000 steps and it stays far from its goal; RMSProp and Adam come to a step of 0.1, keep it and arrive".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let body = legend(
            area,
            &[("AdaGrad, lr 0.1", ADAGRAD), ("RMSProp, lr 0.1", RMSPROP), ("Adam, lr 0.1", ADAM)],
        )?;
        let panels = body.split_evenly((1, 2));
        let colors = [ADAGRAD, RMSPROP, ADAM];
        let steps =
            [lengths(AdaGrad::lecture(0.1)), lengths(RmsProp::lecture(0.1)), lengths(Adam::lecture(0.1))];
        let mut chart = frame(&panels[0], ["Length of a step", "gradient 3 for ever"], 0.0..4.0, -4.0..0.5)?;
        axes(&mut chart, ["step", "length"], &power_of_ten, &power_of_ten)?;
        for (points, color) in steps.iter().zip(colors) {
            curve(&mut chart, points, color)?;
        }
        let ways = [way(AdaGrad::lecture(0.1)), way(RmsProp::lecture(0.1)), way(Adam::lecture(0.1))];
        let mut chart = frame(&panels[1], ["Distance to go", "f = |x|"], 0.0..2000.0, 0.0..32.0)?;
        axes(&mut chart, ["step", "|x|"], &plain, &plain)?;
        for (points, color) in ways.iter().zip(colors) {
            curve(&mut chart, points, color)?;
        }
        Ok(())
    }
}

/// Logarithms of step and length under a gradient of 3.
fn lengths(optimizer: impl Optimizer) -> Vec<(f64, f64)> {
    let mut state = optimizer.state();
    let mut points = Vec::new();
    for t in 1..=10_000_u32 {
        let mut p = [0.0]; // from 0 in each step: the difference has all its digits
        optimizer.step(&mut p, &[3.0], &mut state);
        points.push((f64::from(t).log10(), f64::from(-p[0]).log10()));
    }
    points
}

/// How far it is still, from 30, down a slope of 1.
fn way(optimizer: impl Optimizer) -> Vec<(f64, f64)> {
    let (mut p, mut state) = ([30.0_f32], optimizer.state());
    let mut points = vec![(0.0, 30.0)];
    for t in 1..=2000 {
        let grads = [p[0].signum()];
        optimizer.step(&mut p, &grads, &mut state);
        points.push((f64::from(t), f64::from(p[0].abs())));
    }
    points
}
