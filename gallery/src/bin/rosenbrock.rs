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
use gallery::contour::{Grid, simplify};
use gradus::second_order::{Lbfgs, LbfgsSettings, Newton, NewtonSettings};
use gradus::{Adam, Momentum, Optimizer};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

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

const COLORS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(0, 145, 105), RGBColor(213, 70, 0), RGBColor(204, 90, 160)];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw(path: &Path, runs: &[Run]) -> Result<(), Box<dyn Error>> {
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()).map_err(|_| "not a font")?;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (1280, 520)).into_drawing_area();
        root.fill(&WHITE)?;
        let (left, right) = root.split_horizontally(700);
        paths(&left, runs)?;
        values(&right, runs)?;
        root.present()?;
    }
    // As wide as the page that shows it, up to its own width.
    let size = r#"width="1280" height="520""#;
    fs::write(path, svg.replacen(size, &format!(r#"{size} style="max-width:100%;height:auto""#), 1))?;
    Ok(())
}

/// The paths over the valley.
fn paths(area: &Area<'_>, runs: &[Run]) -> Result<(), Box<dyn Error>> {
    let [x0, x1, y0, y1] = WINDOW;
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .caption("Paths to (1, 1): a dot for each accepted step of the first two", ("sans-serif", 20))
        .x_label_area_size(30)
        .y_label_area_size(40)
        .build_cartesian_2d(x0..x1, y0..y1)?;
    let grid = Grid::new(WINDOW, |x, y| f64::from(rosenbrock([x as f32, y as f32]).0));
    for (k, level) in grid.levels(9).into_iter().enumerate().rev() {
        let shade = 165 + 9 * k as u8;
        for line in grid.sublevel(level) {
            chart.draw_series([Polygon::new(line, RGBColor(shade, shade + 3, shade + 8))])?;
        }
    }
    chart.configure_mesh().disable_mesh().label_style(("sans-serif", 14)).draw()?;
    for (k, (run, color)) in runs.iter().zip(COLORS).enumerate().rev() {
        let line: Vec<(f64, f64)> = run.path.iter().map(|p| (p[0].into(), p[1].into())).collect();
        if k < 2 {
            chart.draw_series(line.iter().map(|&p| Circle::new(p, 3, color.filled())))?;
        }
        let line = simplify(&line, (x1 - x0, y1 - y0), 5e-4);
        chart.draw_series(LineSeries::new(line, color.stroke_width(2)))?;
    }
    Ok(())
}

/// The lowest value so far over the number of evaluations.
fn values(area: &Area<'_>, runs: &[Run]) -> Result<(), Box<dyn Error>> {
    let most = runs.iter().map(Run::evaluations).filter(|&n| n < MOST).max().unwrap_or(MOST) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .caption("Lowest value so far", ("sans-serif", 20))
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d((1.0..1.1 * most).log_scale(), (1e-8..100.0).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("evaluations")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0e}"))
        .label_style(("sans-serif", 14))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (run, color) in runs.iter().zip(COLORS) {
        let mut lowest = f32::MAX;
        let mut line: Vec<(f64, f64)> = Vec::new();
        for (i, f) in run.values.iter().enumerate() {
            if *f < lowest {
                lowest = *f;
                line.push(((i + 1) as f64, f64::from(lowest.max(1e-8))));
            }
        }
        let line = simplify(&line, (most, 1.0), 1e-6);
        chart
            .draw_series(LineSeries::new(line, color.stroke_width(2)))?
            .label(&run.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(3)));
    }
    let mut labels = chart.configure_series_labels();
    labels
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE)
        .label_font(("sans-serif", 15))
        .draw()?;
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
    let path = out.join("rosenbrock.svg");
    draw(&path, &runs)?;
    println!("paths: {}", path.display());
    Ok(())
}
