//! The learning curves of all optimizers on the digits: the training that `cargo run --release -p digits` prints.
//!
//! ```text
//! cargo run --release -p gallery --bin learning_curves [-- --out DIR]
//! ```

use clap::Parser;
use digits::arguments::{Request, parse};
use digits::optimizers::{Progress, Run};
use gallery::course::RULES;
use gallery::style::{COLORS, letters};
use indicatif::ProgressBar;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Draw the loss in training and the error at test of every optimizer, by epoch.
#[derive(Parser)]
struct Arguments {
    /// Directory of the picture, digits.svg
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { out } = Arguments::parse();
    std::fs::create_dir_all(&out)?;
    let Request { entries, job } = parse(["digits"])?.ok_or("no request")?;
    let bar = ProgressBar::new(entries.len() as u64);
    let mut runs = Vec::new();
    for entry in entries {
        runs.push((entry.name, job.train(entry.optimizer)?));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let path = out.join("digits.svg");
    draw(&path, &runs)?;
    println!("{}", path.display());
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws the loss in training and the error at test by epoch, and a key with the final accuracies.
fn draw(path: &Path, runs: &[(&str, Run)]) -> Result<(), Box<dyn Error>> {
    letters()?;
    let root = SVGBackend::new(path, (1280, 600)).into_drawing_area();
    root.fill(&WHITE)?;
    let (curves, right) = root.split_horizontally(1000);
    let (loss, error) = curves.split_horizontally(500);
    panel(&loss, "Training loss", runs, 1e-5, |progress| progress.train.loss)?;
    panel(&error, "Test error in %", runs, 0.1, |progress| 100.0 * (1.0 - progress.test.accuracy))?;
    key(&right, runs)?;
    root.present()?;
    Ok(())
}

/// One value of all runs by epoch, in a logarithmic scale that ends at `floor`.
fn panel(
    area: &Area<'_>,
    title: &str,
    runs: &[(&str, Run)],
    floor: f32,
    value: fn(&Progress) -> f32,
) -> Result<(), Box<dyn Error>> {
    // A run that diverged has no value to draw.
    let points = |run: &Run| -> Vec<(f32, f32)> {
        let values = run.curve.iter().map(value).enumerate();
        values.filter(|(_, y)| y.is_finite()).map(|(x, y)| (x as f32, y.max(floor))).collect()
    };
    let all: Vec<_> = runs.iter().flat_map(|(_, run)| points(run)).collect();
    let (low, high) = all.iter().fold((f32::MAX, floor), |(low, high), (_, y)| (y.min(low), y.max(high)));
    let (low, high) = (0.8 * low, 1.1 * high);
    let epochs = all.iter().fold(1.0, |epochs, (x, _)| x.max(epochs));

    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .caption(title, ("sans-serif", 22))
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..epochs, (low..high).log_scale().with_key_points(ticks(low, high)))?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .x_labels((epochs as usize).min(10) + 1)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y}"))
        .label_style(("sans-serif", 15))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (i, (name, run)) in runs.iter().enumerate() {
        chart.draw_series(LineSeries::new(points(run), color(name, i, runs.len()).stroke_width(2)))?;
    }
    Ok(())
}

/// 1, 2 and 5 of each decade. As text first: powers of ten would not be round in the labels.
fn ticks(low: f32, high: f32) -> Vec<f32> {
    let ticks = (-6..6).flat_map(|decade| ["1", "2", "5"].map(|digit| format!("{digit}e{decade}").parse()));
    ticks.flatten().filter(|tick| (low..high).contains(tick)).collect()
}

/// The colours of the runs, the most accurate first.
fn key(area: &Area<'_>, runs: &[(&str, Run)]) -> Result<(), Box<dyn Error>> {
    let accuracy = |i: usize| 100.0 * runs[i].1.last().test.accuracy;
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by(|&i, &j| accuracy(j).total_cmp(&accuracy(i)));
    area.draw(&Text::new("Test accuracy in %", (0, 26), ("sans-serif", 18)))?;
    for (row, i) in order.into_iter().enumerate() {
        let y = 60 + 26 * row as i32;
        area.draw(&PathElement::new(
            [(0, y + 7), (26, y + 7)],
            color(runs[i].0, i, runs.len()).stroke_width(4),
        ))?;
        area.draw(&Text::new(format!("{:.2}", accuracy(i)), (36, y), ("sans-serif", 15)))?;
        area.draw(&Text::new(runs[i].0, (84, y), ("sans-serif", 15)))?;
    }
    Ok(())
}

/// The colour of run `i` of `n`: that of its rule in all pictures, or one around the wheel, light and dark in turn.
fn color(name: &str, i: usize, n: usize) -> RGBAColor {
    let known =
        RULES.iter().position(|rule| rule.eq_ignore_ascii_case(name)).and_then(|rule| COLORS.get(rule));
    let wheel = HSLColor(i as f64 / n as f64, 0.8, if i.is_multiple_of(2) { 0.3 } else { 0.55 });
    known.map_or_else(|| wheel.to_rgba(), |color| color.to_rgba())
}
