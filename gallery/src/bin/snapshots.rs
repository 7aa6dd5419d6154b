//! Does it pay to keep the snapshots of one training run? One model, five snapshots of one run and five
//! independent models on 1797 handwritten digits.
//!
//! `cargo run --release -p gallery --bin snapshots`, and `-- --help` for the options. It prints a table, and writes it, a
//! picture of the loss over the restarts, and the last ensemble as a file to `out/`. `docs/snapshots.md` is that table.
//!
//! Every fifth sample of each class is for the test (355 samples), the others for the training.
//! Momentum 0.9, batches of 32, learning rate 0.1, no dropout: chosen before the first run. The second setting
//! was tried because of what the first one found.
//!
//! Without dropout the network knows every training sample after the second cycle; a restart hardly moves
//! it from there, and its snapshots agree in what they get wrong. With dropout they differ more, but gain nothing either
//! (`docs/snapshots.md`). All of these differences are about one sample of the test, which is 0.28 %.

use clap::Parser;
use digits::data::{COUNT, DIGITS};
use digits::network::{Lecture, Network, PARAMS};
use digits::training::{Batch, CLASSES, Chance, Model, Training, softmax, split};
use gradus::ensemble::{Average, EnsembleVec, Swa, SwaState, argmax};
use gradus::noise::Dropout;
use gradus::schedule::{Schedule, SnapshotCycle};
use gradus::{Exec, Level, Momentum, MomentumState, store};
use indicatif::ProgressBar;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;
use std::error::Error;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

const BATCH: usize = 32;
/// Learning rate, and probability to drop a hidden unit.
const SETTINGS: [(f32, f32); 2] = [(0.1, 0.0), (0.05, 0.25)];

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
    /// Learning rate after each restart, in place of the two settings
    #[arg(long)]
    lr: Option<f32>,
    /// Probability to drop a hidden unit, in place of the two settings
    #[arg(long)]
    drop: Option<f32>,
    /// Directory of snapshots.md, snapshots.svg and snapshots.gradus
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
            exec: Exec::new(),
            optimizer: Momentum::new(self.lr),
            schedule,
            dropout: self.dropout,
        };
        let mut chance = Chance::new(seed);
        let mut network = Network::new();
        network.init(&mut chance.rng)?;
        let mut state = MomentumState::<PARAMS>::new();
        let (mut memory, mut labels) = (vec![Lecture::EMPTY; BATCH], [0; BATCH]);
        let mut batch = Batch { memory: &mut memory, labels: &mut labels };
        let mut order = self.train.clone();
        let mut run = Run { loss: Vec::new(), snapshots: EnsembleVec::new() };
        for epoch in 0..epochs {
            run.loss.push(training.epoch(
                &mut network,
                &mut state,
                &mut chance,
                &mut batch,
                &DIGITS,
                &mut order,
            )?);
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
                *p = scores.map_or([0.0; CLASSES], |scores| softmax(&scores));
            }
        };
        let mut mean = vec![0.0; CLASSES * self.test.len()];
        members.predict(Exec::new(), model, &mut vec![0.0; mean.len()], &mut mean)?;
        let label = |i: u16| usize::from(DIGITS[usize::from(i)].label);
        let answers = mean.chunks(CLASSES).zip(&self.test);
        let right = answers.filter(|(p, i)| argmax(p) == Some(label(**i))).count();
        Ok(100.0 * right as f32 / self.test.len() as f32)
    }
}

/// The members `range` of an ensemble.
fn some(members: &EnsembleVec, range: Range<usize>) -> Result<EnsembleVec, gradus::Error> {
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

/// What one seed has to say: test accuracy in percent for each row of the table, and two of its runs.
struct Trial {
    accuracy: [f32; 6],
    single: Run,
    restarts: Run,
}

impl Task {
    fn trial(&self, epochs: u32, models: u32, seed: u64) -> Result<Trial, gradus::Error> {
        let restarts = self.run(epochs, models, seed)?;
        let single = self.run(epochs, 1, seed)?;
        let (mut short, mut long) = (EnsembleVec::new(), single.snapshots.clone());
        for k in 0..u64::from(models) {
            let seed = seed + 1000 * k;
            if k > 0 {
                long.push(&self.run(epochs, 1, seed)?.snapshots.members()[0])?;
            }
            short.push(&self.run(epochs / models, 1, seed)?.snapshots.members()[0])?;
        }
        let (kept, m) = (&restarts.snapshots, models as usize);
        let accuracy = [
            self.accuracy(&single.snapshots)?,
            self.accuracy(&some(kept, m - 1..m)?)?,
            self.accuracy(kept)?,
            self.accuracy(&average(kept)?)?,
            self.accuracy(&short)?,
            self.accuracy(&long)?,
        ];
        Ok(Trial { accuracy, single, restarts })
    }

    /// One trial for each seed, on two threads.
    fn trials(&self, options: &Options, bar: &ProgressBar) -> Result<Vec<Trial>, gradus::Error> {
        let run = |seeds: Range<u64>| {
            let trial = |seed| {
                let trial = self.trial(options.epochs, options.models, seed);
                bar.inc(1);
                trial
            };
            seeds.map(trial).collect::<Result<Vec<_>, _>>()
        };
        let half = options.seeds / 2;
        let (first, second) = std::thread::scope(|scope| {
            let other = scope.spawn(|| run(half..options.seeds));
            (run(0..half), other.join().expect("no panic"))
        });
        let mut all = first?;
        all.extend(second?);
        Ok(all)
    }
}

/// A row of the table: test accuracy in percent for each seed.
struct Row {
    name: String,
    cost: u32,
    accuracy: Vec<f32>,
}

fn rows(trials: &[Trial], models: u32) -> Vec<Row> {
    let names = [
        ("one model".into(), 1),
        ("the last snapshot alone".into(), 1),
        (format!("{models} snapshots"), 1),
        ("mean weights of the snapshots (SWA)".into(), 1),
        (format!("{models} independent models, 1/{models} of the epochs each"), 1),
        (format!("{models} independent models"), models),
    ];
    let row = |(k, (name, cost)): (usize, (String, u32))| {
        let accuracy = trials.iter().map(|trial| trial.accuracy[k]).collect();
        Row { name, cost, accuracy }
    };
    names.into_iter().enumerate().map(row).collect()
}

/// Mean and standard deviation of a sample.
fn moments(values: &[f32]) -> (f32, f32) {
    let n = values.len() as f32;
    let mean = values.iter().sum::<f32>() / n;
    let squares = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

fn table(rows: &[Row], epochs: u32) -> String {
    let mut table = format!("| {:46} | epochs | accuracy | least | largest | against one model |\n", "");
    table += "|---|--:|--:|--:|--:|--:|\n";
    for row in rows {
        let (mean, sd) = moments(&row.accuracy);
        let gain: Vec<_> = row.accuracy.iter().zip(&rows[0].accuracy).map(|(a, b)| a - b).collect();
        let (low, high) = row.accuracy.iter().fold((100.0_f32, 0.0_f32), |(l, h), &a| (l.min(a), h.max(a)));
        let (gain, gain_sd) = moments(&gain);
        let error = gain_sd / (row.accuracy.len() as f32).sqrt();
        let gain = if row.name == rows[0].name { String::new() } else { format!("{gain:+.2} ± {error:.2}") };
        let (name, epochs) = (&row.name, row.cost * epochs);
        table += &format!("| {name:46} | {epochs} | {mean:.2} ± {sd:.2} | {low:.2} | {high:.2} | {gain} |\n");
    }
    table
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let Options { epochs, models, seeds, lr, drop, ref out } = options;
    if !epochs.is_multiple_of(models) {
        return Err(format!("{epochs} epochs are not {models} cycles of whole epochs").into());
    }
    let settings = match (lr, drop) {
        (None, None) => SETTINGS.to_vec(),
        _ => vec![(lr.unwrap_or(SETTINGS[0].0), drop.unwrap_or(SETTINGS[0].1))],
    };
    fs::create_dir_all(out)?;
    let mut text = format!(
        "{seeds} seeds, {epochs} epochs. Test accuracy in %, mean and standard deviation; against one model the mean\n\
         difference, seed by seed, and its standard error.\n"
    );
    print!("{text}");
    let bar = ProgressBar::new(seeds * settings.len() as u64);
    for (k, &(lr, drop)) in settings.iter().enumerate() {
        let dropout = Dropout::drop_prob(drop.into());
        dropout.check()?;
        let task = Task::new(lr, dropout);
        let trials = task.trials(&options, &bar)?;
        let rows = rows(&trials, models);
        let section = format!("\nLearning rate {lr}, dropout {drop}:\n\n{}", table(&rows, epochs));
        bar.suspend(|| print!("{section}"));
        text += &section;
        if let (0, Some(Trial { accuracy, single, restarts })) = (k, trials.first()) {
            let file = store::to_vec(&restarts.snapshots)?;
            let mut loaded = EnsembleVec::new();
            store::load(&mut loaded, &file)?;
            assert_eq!(task.accuracy(&loaded)?, accuracy[2], "a saved ensemble answers the same");
            fs::write(out.join("snapshots.gradus"), &file)?;
            draw(&out.join("snapshots.svg"), &single.loss, &restarts.loss, models, &rows)?;
        }
    }
    bar.finish_and_clear();
    fs::write(out.join("snapshots.md"), text)?;
    println!("\nin {}: snapshots.md, snapshots.svg, snapshots.gradus", out.display());
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
        let color = if row.cost > 1 {
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
