//! Does it pay to keep the snapshots of one training run? One model, five snapshots of one run and five
//! independent models on 1797 handwritten digits.
//!
//! `cargo run --release --example snapshots`, and `-- --help` for the options. It prints a table, draws the
//! loss over the restarts into `out/snapshots.svg`, and saves the last ensemble as `out/snapshots.gradus`.
//!
//! Every fifth sample of each class is for the test (355 samples), the others for the training.
//! Momentum 0.9, batches of 32, learning rate 0.1, no dropout: chosen before the first run. What it finds,
//! as the difference of test accuracy from one model, over 10 seeds of 60 epochs:
//!
//! | | epochs | 0.1, no dropout | `--lr 0.05 --drop 0.25` |
//! |---|---|---|---|
//! | one model | 60 | 98.06 % | 97.72 % |
//! | 5 snapshots | 60 | -0.23 +- 0.17 | +0.20 +- 0.07 |
//! | 5 independent models | 60 | -0.06 +- 0.12 | +0.00 +- 0.09 |
//! | 5 independent models | 300 | +0.08 +- 0.14 | +0.39 +- 0.09 |
//!
//! Without dropout the network knows every training sample after the second cycle; a restart hardly moves
//! it from there, and its snapshots agree in what they get wrong. With dropout they differ enough to help a
//! little. All of these differences are about one sample of the test, which is 0.28 %.

#[path = "digits/data.rs"]
mod data;
#[allow(dead_code)]
#[path = "digits/network.rs"]
mod network;

use clap::Parser;
use data::{COUNT, DIGITS};
use gradus::ensemble::{Average, EnsembleVec, Swa, SwaState, argmax};
use gradus::noise::Dropout;
use gradus::schedule::{Schedule, SnapshotCycle};
use gradus::{Level, Momentum, MomentumState, store};
use indicatif::ProgressBar;
use network::{CLASSES, Chance, Network, PARAMS, Training, softmax, split};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const BATCH: usize = 32;

#[derive(Parser)]
#[command(about = "Compares one model, the snapshots of one run and independent models on real digits")]
struct Options {
    /// Passes over the training samples in a whole run
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: u32,
    /// Snapshots of a run, and independent models
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    models: u32,
    /// Repetitions, each with seeds of its own
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Learning rate after each restart
    #[arg(long, default_value_t = 0.1)]
    lr: f32,
    /// Probability to drop a hidden unit
    #[arg(long, default_value_t = 0.0)]
    drop: f32,
    /// Directory of the picture
    #[arg(long, default_value = "out")]
    out: PathBuf,
}

/// What all runs share: the samples, and how to learn them.
struct Task {
    lr: f32,
    dropout: Dropout,
    train: Vec<u16>,
    test: Vec<u16>,
}

/// A finished run: loss of each epoch, and the weights at the end of each cycle.
struct Run {
    loss: Vec<f32>,
    snapshots: EnsembleVec,
}

impl Task {
    fn new(lr: f32, dropout: Dropout) -> Self {
        let mut order = [0; COUNT];
        let count = split(&DIGITS, &mut order);
        Self { lr, dropout, train: order[..count].to_vec(), test: order[count..].to_vec() }
    }

    /// Trains one network; its learning rate falls along a half wave `cycles` times.
    fn run(&self, epochs: u32, cycles: u32, seed: u64) -> Result<Run, gradus::Error> {
        let steps = epochs * self.train.len().div_ceil(BATCH) as u32;
        let schedule = SnapshotCycle::new(self.lr, steps, cycles);
        schedule.check()?;
        let training = Training {
            level: Level::detect(),
            optimizer: Momentum::new(self.lr),
            schedule,
            batch: BATCH,
            dropout: self.dropout,
        };
        let mut chance = Chance::new(seed);
        let mut network = Network::new();
        network.init(&mut chance.rng);
        let mut state = MomentumState::<PARAMS>::new();
        let mut order = self.train.clone();
        let mut run = Run { loss: Vec::new(), snapshots: EnsembleVec::new() };
        for epoch in 0..epochs {
            run.loss.push(training.epoch(&mut network, &mut state, &mut chance, &DIGITS, &mut order)?);
            // Cycles end with an epoch here: their number divides that of the epochs.
            if schedule.ends_cycle(state.t() - 1) || epoch + 1 == epochs {
                run.snapshots.push(&network.params)?;
            }
        }
        Ok(run)
    }

    /// Share of the test samples, in percent, that the mean of the members classifies right.
    fn accuracy(&self, members: &EnsembleVec) -> Result<f32, gradus::Error> {
        let level = Level::detect();
        let mut network = Network::new();
        let model = |params: &[f32], p: &mut [f32]| {
            network.params.copy_from_slice(params);
            for (p, &i) in p.as_chunks_mut::<CLASSES>().0.iter_mut().zip(&self.test) {
                let scores = network.scores(level, &DIGITS[usize::from(i)].pixels);
                *p = scores.map_or([0.0; CLASSES], |scores| softmax(&scores).0);
            }
        };
        let mut mean = vec![0.0; CLASSES * self.test.len()];
        members.predict(model, &mut vec![0.0; mean.len()], &mut mean)?;
        let label = |i: u16| usize::from(DIGITS[usize::from(i)].label);
        let answers = mean.chunks(CLASSES).zip(&self.test);
        let right = answers.filter(|(p, i)| argmax(p) == Some(label(**i))).count();
        Ok(100.0 * right as f32 / self.test.len() as f32)
    }
}

/// The members `range` of an ensemble.
fn some(members: &EnsembleVec, range: std::ops::Range<usize>) -> Result<EnsembleVec, gradus::Error> {
    EnsembleVec::try_from(members.members()[range].to_vec())
}

/// Mean of the weights of all members: one model.
fn average(members: &EnsembleVec) -> Result<EnsembleVec, gradus::Error> {
    let mut average = Box::new(SwaState::<PARAMS>::new());
    for params in members.members() {
        Swa.update_slices(average.as_mut().as_mut(), params)?;
    }
    EnsembleVec::try_from(vec![average.average().to_vec()])
}

/// A row of the table: test accuracy in percent for each seed.
struct Row {
    name: String,
    cost: f32,
    accuracy: Vec<f32>,
}

impl Row {
    fn new(name: impl Into<String>, cost: f32) -> Self {
        Self { name: name.into(), cost, accuracy: Vec::new() }
    }
}

/// Mean and standard deviation of a sample.
fn moments(values: &[f32]) -> (f32, f32) {
    let n = values.len() as f32;
    let mean = values.iter().sum::<f32>() / n;
    let squares = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options { epochs, models, seeds, lr, drop, out } = Options::parse();
    let dropout = Dropout::drop_prob(drop);
    dropout.check()?;
    if !epochs.is_multiple_of(models) {
        return Err(format!("{epochs} epochs are not {models} cycles of whole epochs").into());
    }
    fs::create_dir_all(&out)?;
    let (task, m) = (Task::new(lr, dropout), models as usize);
    let mut rows = [
        Row::new("one model", 1.0),
        Row::new("the last snapshot alone", 1.0),
        Row::new(format!("{m} snapshots"), 1.0),
        Row::new("mean weights of the snapshots (SWA)", 1.0),
        Row::new(format!("{m} independent models, 1/{m} of the epochs each"), 1.0),
        Row::new(format!("{m} independent models"), m as f32),
    ];
    let mut first = None;
    let bar = ProgressBar::new(seeds * (2 * models + 1) as u64);
    for seed in 0..seeds {
        let snapshots = task.run(epochs, models, seed)?;
        bar.inc(1);
        let (mut short, mut long, mut loss) = (EnsembleVec::new(), EnsembleVec::new(), Vec::new());
        for k in 0..u64::from(models) {
            let seed = seed + 1000 * k;
            let run = task.run(epochs, 1, seed)?;
            if k == 0 {
                loss = run.loss;
            }
            long.push(&run.snapshots.members()[0])?;
            short.push(&task.run(epochs / models, 1, seed)?.snapshots.members()[0])?;
            bar.inc(2);
        }
        let kept = &snapshots.snapshots;
        let accuracy = [
            task.accuracy(&some(&long, 0..1)?)?,
            task.accuracy(&some(kept, m - 1..m)?)?,
            task.accuracy(kept)?,
            task.accuracy(&average(kept)?)?,
            task.accuracy(&short)?,
            task.accuracy(&long)?,
        ];
        for (row, accuracy) in rows.iter_mut().zip(accuracy) {
            row.accuracy.push(accuracy);
        }
        first.get_or_insert((loss, snapshots));
    }
    bar.finish_and_clear();

    println!("test accuracy in % over {seeds} seeds, {epochs} epochs, learning rate {lr}, dropout {drop}\n");
    println!("{:47}  epochs   mean    sd    min    max   against one model", "");
    for row in &rows {
        let (mean, sd) = moments(&row.accuracy);
        let gain: Vec<_> = row.accuracy.iter().zip(&rows[0].accuracy).map(|(a, b)| a - b).collect();
        let (low, high) = row.accuracy.iter().fold((100.0_f32, 0.0_f32), |(l, h), &a| (l.min(a), h.max(a)));
        let (gain_mean, gain_sd) = moments(&gain);
        println!(
            "{:47}  {:6}  {mean:5.2}  {sd:4.2}  {low:5.2}  {high:5.2}   {gain_mean:+.2} +- {:.2}",
            row.name,
            row.cost * epochs as f32,
            gain_sd / (seeds as f32).sqrt(),
        );
    }
    println!("\n+- is one standard error of the mean difference, seed by seed");

    if let Some((loss, run)) = first {
        let file = store::to_vec(&run.snapshots)?;
        let mut loaded = EnsembleVec::new();
        store::load(&mut loaded, &file)?;
        assert_eq!(task.accuracy(&loaded)?, rows[2].accuracy[0], "a saved ensemble answers the same");
        let path = out.join("snapshots.gradus");
        fs::write(&path, &file)?;
        println!("{} snapshots in {} bytes: {}", loaded.members().len(), file.len(), path.display());
        let path = out.join("snapshots.svg");
        draw(&path, &loss, &run.loss, models, &rows)?;
        println!("loss over the restarts: {}", path.display());
    }
    Ok(())
}

/// Loss of one run without and one with restarts, and beside it every accuracy.
fn draw(
    path: &Path,
    single: &[f32],
    restarts: &[f32],
    cycles: u32,
    rows: &[Row],
) -> Result<(), Box<dyn Error>> {
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()).map_err(|_| "not a font")?;
    let root = SVGBackend::new(path, (1280, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(700);
    curves(&left, single, restarts, cycles)?;
    strips(&right, rows)?;
    root.present()?;
    Ok(())
}

const SINGLE: RGBColor = RGBColor(31, 119, 220);
const RESTARTS: RGBColor = RGBColor(214, 39, 40);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Training loss by epoch, with a line at the end of each cycle.
fn curves(area: &Area<'_>, single: &[f32], restarts: &[f32], cycles: u32) -> Result<(), Box<dyn Error>> {
    let both = || single.iter().chain(restarts).copied().filter(|loss| loss.is_finite());
    let low = 0.8 * both().fold(f32::MAX, f32::min).max(1e-6);
    let high = 1.2 * both().fold(low, f32::max);
    let epochs = single.len() as f32;
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .caption("Training loss of an epoch", ("sans-serif", 22))
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..epochs, (low..high).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y}"))
        .label_style(("sans-serif", 15))
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .draw()?;
    for k in 1..=cycles {
        let x = epochs * k as f32 / cycles as f32;
        chart.draw_series([PathElement::new([(x, low), (x, high)], RGBColor(190, 190, 190))])?;
    }
    for (loss, color, name) in
        [(single, SINGLE, "one model"), (restarts, RESTARTS, "restarts: a snapshot at each line")]
    {
        let points = loss.iter().enumerate().map(|(k, loss)| (k as f32 + 1.0, loss.max(low)));
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(3)));
    }
    chart.configure_series_labels().background_style(WHITE).label_font(("sans-serif", 15)).draw()?;
    Ok(())
}

/// A line of dots for each row of the table, one for each seed, and a bar at the mean.
fn strips(area: &Area<'_>, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let all = || rows.iter().flat_map(|row| &row.accuracy);
    let (low, high) = all().fold((100.0_f32, 0.0_f32), |(l, h), &a| (l.min(a), h.max(a)));
    let (low, high) = (low - 0.5, high + 0.5);
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .caption("Test accuracy in %, a dot for each seed", ("sans-serif", 22))
        .x_label_area_size(44)
        .build_cartesian_2d(low..high, 0.0..rows.len() as f32)?;
    chart
        .configure_mesh()
        .disable_y_axis()
        .disable_y_mesh()
        .label_style(("sans-serif", 15))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (k, row) in rows.iter().enumerate() {
        let y = (rows.len() - k) as f32 - 0.65;
        let (mean, _) = moments(&row.accuracy);
        let color = if row.cost > 1.0 {
            BLACK
        } else if k == 0 {
            SINGLE
        } else {
            RESTARTS
        };
        // Equal accuracies lie side by side, one above the other.
        let dots = row.accuracy.iter().enumerate().map(|(seed, &a)| {
            let below = row.accuracy[..seed].iter().filter(|&&b| b == a).count();
            Circle::new((a, y + 0.05 * below as f32), 4, color.mix(0.5).filled())
        });
        chart.draw_series(dots)?;
        chart.draw_series([PathElement::new([(mean, y - 0.12), (mean, y + 0.28)], color.stroke_width(2))])?;
        let text = format!("{} ({} x): {mean:.2}", row.name, row.cost);
        chart.draw_series([Text::new(text, (low, y + 0.5), ("sans-serif", 14))])?;
    }
    Ok(())
}
