//! Does a state in half the memory train as well? Every optimizer on real digits, beside its own whole state.
//!
//! `cargo run --release -p gallery --bin half` prints the table, and writes it and a picture to `out/`; it fails where a
//! half state misses its target. Every fifth sample of each class is left out, as in the digits' program, whose learning
//! rates these are; batches of 32, no dropout, a rate that falls along a half cosine wave. A seed decides the first
//! weights and the order of the samples.
//!
//! The picture has a third run that the crate does not offer: states rounded to the nearest bf16.

mod chart;
mod nearest;

use chart::Losses;
use clap::Parser;
use digits::data::{COUNT, DIGITS};
use digits::network::{Lecture, Network, PARAMS};
use digits::optimizers::entries;
use digits::training::{Batch, Chance, Model, Training, split};
use gallery::style::{letters, save_svg};
use gradus::noise::Dropout;
use gradus::schedule::Cosine;
use gradus::*;
use nearest::Nearest;
use std::error::Error;
use std::path::PathBuf;

const BATCH: usize = 32;

/// Compare states in half the memory with whole ones.
#[derive(Parser)]
#[command(name = "half")]
struct Arguments {
    /// Seeds of the short runs; half as many of the long ones
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(4..=1000))]
    seeds: u64,
    /// Passes over the samples in a short run; five times as many in a long one
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    epochs: u32,
    /// Directory of the table, half.md, and of the picture, half.svg
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

/// The losses of a run: of each epoch while it trains, and over all training samples at the end.
struct Run {
    epochs: Vec<f32>,
    end: f64,
}

fn train<O: Optimizer>(optimizer: O, epochs: u32, seed: u64) -> Result<Run, gradus::Error> {
    let mut order = vec![0; COUNT];
    let count = split(&DIGITS, &mut order);
    order.truncate(count);
    let training = Training {
        exec: Exec::new(),
        optimizer,
        schedule: Cosine::new(optimizer.lr(), epochs * count.div_ceil(BATCH) as u32),
        dropout: Dropout::drop_prob(0.0),
    };
    let (mut chance, mut network) = (Chance::new(seed), Network::new());
    network.init(&mut chance.rng)?;
    let mut state = optimizer.state::<PARAMS>();
    let (mut memory, mut labels) = (vec![Lecture::EMPTY; BATCH], [0; BATCH]);
    let mut batch = Batch { memory: &mut memory, labels: &mut labels };
    let mut losses = Vec::new();
    for _ in 0..epochs {
        losses.push(training.epoch(
            &mut network,
            &mut state,
            &mut chance,
            &mut batch,
            &DIGITS,
            &mut order,
        )?);
    }
    Ok(Run { epochs: losses, end: network.score(Exec::new(), &DIGITS, &order)?.loss.into() })
}

/// A run for each seed, on two threads.
fn trials<O: Optimizer + Sync>(optimizer: O, epochs: u32, seeds: u64) -> Result<Vec<Run>, gradus::Error> {
    let some = |seeds: std::ops::RangeInclusive<u64>| {
        seeds.map(|seed| train(optimizer, epochs, seed)).collect::<Result<Vec<_>, _>>()
    };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| some(seeds / 2 + 1..=seeds));
        (some(1..=seeds / 2), other.join().expect("no panic"))
    });
    let mut all = first?;
    all.extend(second?);
    Ok(all)
}

/// Mean and standard deviation.
fn spread(x: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let n = x.clone().count() as f64;
    let mean = x.clone().sum::<f64>() / n;
    [mean, (x.map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()]
}

fn ends(runs: &[Run]) -> [f64; 2] {
    spread(runs.iter().map(|run| run.end))
}

/// The row of one optimizer, and whether it misses a target.
fn row<O: Optimizer + Sync>(
    name: &str,
    optimizer: O,
    arguments: &Arguments,
) -> Result<(String, bool), gradus::Error> {
    let half = optimizer.half();
    let (long, few) = (5 * arguments.epochs, arguments.seeds / 2);
    let whole = ends(&trials(optimizer, arguments.epochs, arguments.seeds)?);
    let halved = ends(&trials(half, arguments.epochs, arguments.seeds)?);
    let [whole_long, halved_long] = [trials(optimizer, long, few)?, trials(half, long, few)?];
    let [[whole_end, _], [halved_end, _]] = [ends(&whole_long), ends(&halved_long)];
    // Of one seed both runs see the same samples: the mean of the ratios' logarithms, and its standard error.
    let ratios = whole_long.iter().zip(&halved_long).map(|(whole, half)| (half.end / whole.end).ln());
    let [ratio, deviation] = spread(ratios);
    let error = deviation / (few as f64).sqrt();
    // Below a millionth of a nat the loss is rounding: of a sample that is certain it is 0.
    let (relation, worse) = if whole_end < 1e-6 {
        ("-".into(), halved_end > 1e-6)
    } else {
        let text = format!("{:.2} ± {:.2}", ratio.exp(), ratio.exp() * error);
        (text, ratio - 2.0 * error > 1.1_f64.ln())
    };
    let misses = (halved[0] - whole[0]).abs() > whole[1] || worse;
    let [[a, da], [b, db]] = [whole, halved];
    let row = format!(
        "| {name} | {a:.5} ± {da:.5} | {b:.5} ± {db:.5} | {whole_end:.1e} | {halved_end:.1e} | {relation} |\n"
    );
    Ok((row, misses))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let Arguments { seeds, epochs, out } = &arguments;
    let rates = entries();
    let rate =
        |name: &str| rates.iter().find(|entry| entry.name == name).map_or(0.0, |entry| entry.optimizer.lr());
    let mut table = format!(
        "Loss over the training samples at the end: {epochs} epochs over {seeds} seeds, mean and standard deviation, and {} epochs over {}, \
         with the ratio of both, seed by seed, and its standard error.\n\n\
         | state | {epochs} epochs, whole | half | {} epochs, whole | half | half / whole |\n|---|--:|--:|--:|--:|--:|\n",
        5 * epochs,
        seeds / 2,
        5 * epochs,
    );
    print!("{table}");
    let mut missed = Vec::new();
    macro_rules! rows {
        (() $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {
            $(rows!(@ $optimizer $name);)*
        };
        (@ Sgd $name:literal) => {}; // no state
        (@ AmsGrad $name:literal) => {}; // no half state
        (@ ScheduleFree $name:literal) => {};
        (@ $optimizer:ident $name:literal) => {
            let (row, misses) = row(stringify!($optimizer), $optimizer::new(rate($name)), &arguments)?;
            print!("{row}");
            table += &row;
            if misses {
                missed.push($name);
            }
        };
    }
    gradus::__optimizers!(rows!());
    let adam = Adam::new(rate("adam"));
    let curves = [
        ("whole", trials(adam, 5 * epochs, seeds / 2)?),
        ("half", trials(adam.half(), 5 * epochs, seeds / 2)?),
        ("rounded to nearest", trials(Nearest(adam), 5 * epochs, seeds / 2)?),
    ];
    let [nearest, _] = ends(&curves[2].1);
    let line = format!(
        "\nAdam with states rounded to the nearest bf16, which the crate does not offer: {nearest:.1e} after {} epochs.\n\n\
         There is no half state of AMSGrad, because the largest of rounded values drifts upwards, and none of schedule-free \
         AdamW: what rounding adds to its `d` decays only by `1 / t` in a step, and adds up in a long run.\n",
        5 * epochs
    );
    print!("{line}");
    table += &line;
    std::fs::create_dir_all(out)?;
    std::fs::write(out.join("half.md"), table)?;
    letters()?;
    save_svg(&Losses(&curves), &out.join("half.svg"))?;
    println!("\nin {}: half.md, half.svg", out.display());
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join(", ")).into()) }
}
