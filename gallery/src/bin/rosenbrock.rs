//! L-BFGS, Newton, Adam and momentum in Rosenbrock's valley, in `f32` and without a heap.
//!
//! ```text
//! cargo run --release -p gallery --bin rosenbrock [-- --out DIR]
//! ```
//!
//! It prints a table, and draws the paths into `rosenbrock.svg` in `out/` or in the directory given.
//! Adam and momentum get the best learning rate of a grid of 60, for the number of evaluations until the
//! value is below 1e-6; the other two choose their steps themselves.
//!
//! | | evaluations until f < 1e-6 | each of |
//! |---|---|---|
//! | Newton | 36 | value, gradient, Hessian |
//! | L-BFGS, 5 pairs | 44 | value, gradient |
//! | momentum 0.9, best rate | 432 | gradient |
//! | Adam, best rate | 1239 | gradient |

use clap::Parser;
use gallery::style::{
    ADAM, Backend, Figure, LBFGS, MOMENTUM, NEWTON, SCALE, axes, curve, fill_contours, frame, legend,
    letters, line, plain, power_of_ten, save_svg,
};
use gradus::second_order::{Lbfgs, LbfgsSettings, Newton, NewtonSettings};
use gradus::{Adam, Momentum, Optimizer};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// Compare L-BFGS, Newton, Adam and momentum in Rosenbrock's valley.
#[derive(Parser)]
#[command(name = "rosenbrock")]
struct Arguments {
    /// Directory of the picture, rosenbrock.svg
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

const START: [f32; 2] = [-1.2, 1.0];
const GOAL: f32 = 1e-6;
const MOST: usize = 20_000;
const WINDOW: [f64; 4] = [-1.7, 1.4, -0.4, 1.9];

/// `100 (y - x^2)^2 + (1 - x)^2`, and its gradient.
fn rosenbrock([x, y]: [f32; 2]) -> (f32, [f32; 2]) {
    let (u, v) = (y - x * x, 1.0 - x);
    (100.0 * u * u + v * v, [-400.0 * x * u - 2.0 * v, 200.0 * u])
}

/// What a method did: the value at each evaluation, and the points it moved to.
struct Run {
    name: String,
    values: Vec<f32>,
    path: Vec<[f32; 2]>,
}

impl Run {
    fn new(name: &str) -> Self {
        Self { name: name.into(), values: Vec::new(), path: vec![START] }
    }

    /// Evaluations until the goal.
    fn evaluations(&self) -> usize {
        self.values.iter().position(|&f| f < GOAL).map_or(usize::MAX, |i| i + 1)
    }
}

fn lbfgs() -> Result<Run, gradus::Error> {
    let mut run = Run::new("L-BFGS");
    let mut solver = Lbfgs::<2, 5>::new();
    solver.start(&LbfgsSettings::new(), &START)?;
    while let Some((&x, g)) = solver.ask() {
        let f;
        (f, *g) = rosenbrock(x);
        run.values.push(f);
        let iterations = solver.report().iterations;
        solver.tell(f);
        if solver.report().iterations > iterations {
            run.path.push(x);
        }
    }
    Ok(run)
}

fn newton() -> Result<Run, gradus::Error> {
    let mut run = Run::new("Newton");
    let mut solver = Newton::<2>::new();
    solver.start(&NewtonSettings::new(), &START)?;
    while let Some((&[x, y], g, h)) = solver.ask() {
        let f;
        (f, *g) = rosenbrock([x, y]);
        *h = [[1200.0 * x * x - 400.0 * y + 2.0, -400.0 * x], [-400.0 * x, 200.0]];
        run.values.push(f);
        let iterations = solver.report().iterations;
        solver.tell(f);
        if solver.report().iterations > iterations {
            run.path.push([x, y]);
        }
    }
    Ok(run)
}

fn first_order(name: &str, optimizer: impl Optimizer) -> Run {
    let mut run = Run::new(name);
    let (mut x, mut state) = (START, optimizer.state());
    for _ in 0..MOST {
        let (f, g) = rosenbrock(x);
        run.values.push(f);
        if f < GOAL || !f.is_finite() {
            break;
        }
        optimizer.step(&mut x, &g, &mut state);
        run.path.push(x);
    }
    run
}

/// The best of 60 learning rates, from 1e-5 on, 17 % apart.
fn best<O: Optimizer>(name: &str, with: impl Fn(f32) -> O) -> Run {
    let rates = std::iter::successors(Some(1e-5_f32), |lr| Some(lr * 1.166));
    let runs = rates.take(60).map(|lr| first_order(&format!("{name}, lr {lr:.1e}"), with(lr)));
    runs.min_by_key(Run::evaluations).expect("60 rates")
}

/// The colour of each run, and how many of them have a dot for each step.
const COLORS: [RGBColor; 4] = [NEWTON, LBFGS, ADAM, MOMENTUM];
const DOTTED: usize = 2;

/// The paths over the valley, and the lowest value so far by evaluations.
struct Picture<'a>(&'a [Run]);

impl Figure for Picture<'_> {
    const SIZE: (i32, i32) = (900, 420);
    fn words(&self) -> String {
        "Paths of Newton, L-BFGS, Adam and momentum through Rosenbrock's valley, and the lowest value by evaluations".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let names = Vec::from_iter(self.0.iter().map(|run| run.name.as_str()).zip(COLORS));
        let body = legend(area, &names)?;
        let (left, right) = body.split_horizontally(480 * SCALE);
        paths(&left, self.0)?;
        values(&right, self.0)
    }
}

/// The paths over the valley.
fn paths<B: Backend>(area: &DrawingArea<B, Shift>, runs: &[Run]) -> Result<(), Box<dyn Error>> {
    let [x0, x1, y0, y1] = WINDOW;
    let mut chart = frame(area, ["Paths to (1, 1)", "dots: accepted steps"], x0..x1, y0..y1)?;
    axes(&mut chart, ["x", "y"], &plain, &plain)?;
    fill_contours(&mut chart, WINDOW, |x, y| f64::from(rosenbrock([x as f32, y as f32]).0))?;
    for (k, (run, color)) in runs.iter().zip(COLORS).enumerate().rev() {
        let path: Vec<(f64, f64)> = run.path.iter().map(|p| (p[0].into(), p[1].into())).collect();
        if k < DOTTED {
            chart.draw_series(path.iter().map(|&p| Circle::new(p, 3 * SCALE, color.filled())))?;
        }
        line(&mut chart, &path, color)?;
    }
    Ok(())
}

/// The lowest value so far over the number of evaluations.
fn values<B: Backend>(area: &DrawingArea<B, Shift>, runs: &[Run]) -> Result<(), Box<dyn Error>> {
    let most = runs.iter().map(Run::evaluations).filter(|&n| n < MOST).max().unwrap_or(MOST) as f64;
    let mut chart = frame(area, ["Lowest value so far", ""], 0.0..(1.1 * most).log10(), -8.0..2.0)?;
    axes(&mut chart, ["evaluations", "f"], &power_of_ten, &power_of_ten)?;
    for (run, color) in runs.iter().zip(COLORS) {
        let mut lowest = f32::MAX;
        let mut points: Vec<(f64, f64)> = Vec::new();
        for (i, f) in run.values.iter().enumerate() {
            if *f < lowest {
                lowest = *f;
                points.push((((i + 1) as f64).log10(), f64::from(lowest).log10()));
            }
        }
        curve(&mut chart, &points, color)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { out } = Arguments::parse();
    let runs = [newton()?, lbfgs()?, best("Adam", Adam::new), best("momentum 0.9", Momentum::new)];
    println!("evaluations until f < {GOAL:e}, from {START:?}:");
    for run in &runs {
        println!("{:24} {:6}", run.name, run.evaluations());
    }
    fs::create_dir_all(&out)?;
    letters()?;
    save_svg(&Picture(&runs), &out.join("rosenbrock.svg"))
}
