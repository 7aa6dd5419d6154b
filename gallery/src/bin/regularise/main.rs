//! What helps a network that has only 200 samples to learn from? Penalties, dropout, batch
//! normalisation and augmentation on real digits, over ten seeds.
//!
//! `cargo run --release -p gallery --bin regularise` prints the table, and writes it and a picture to `out/`.
//!
//! A seed decides which 200 samples there are, the first weights, and all chance in training. Half of the
//! digits, 898, are for the test alone. Strengths were chosen on the other half, over other seeds:
//! `-- --tune` shows how they do there, and fails if it would choose others.

mod chart;
mod network;

use chart::Accuracies;
use clap::Parser;
use digits::data::DIGITS;
use digits::training::Sample;
use gallery::style::{letters, save_svg};
use network::{Job, Regulariser, shuffle, train};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use std::error::Error;
use std::path::PathBuf;

/// Compare what keeps a network from learning its samples by heart.
#[derive(Parser)]
#[command(name = "regularise")]
struct Arguments {
    /// Seeds to train each network with, from 4 on
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(4..=1000))]
    seeds: u64,
    /// Samples to train with
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(20..=800))]
    samples: u16,
    /// Passes over them
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: u32,
    /// Try strengths on samples that are neither for training nor for the test
    #[arg(long)]
    tune: bool,
    /// Directory of the table, regularise.md, and of the picture, regularise.svg
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

const NONE: Regulariser = Regulariser { l2: 0.0, l1: 0.0, drop_prob: 0.0, batch_norm: false, augment: 0.0 };

/// The rows of the table. The strengths are the choice of `--tune`, which fails where it chooses others.
const METHODS: [(&str, Regulariser); 7] = [
    ("none", NONE),
    ("L2", Regulariser { l2: 1e-3, ..NONE }),
    ("L1, proximal", Regulariser { l1: 3e-3, ..NONE }),
    ("dropout", Regulariser { drop_prob: 0.1, ..NONE }),
    ("batch normalisation", Regulariser { batch_norm: true, ..NONE }),
    ("augmentation", Regulariser { augment: 0.5, ..NONE }),
    ("all but L1", Regulariser { l2: 3e-3, drop_prob: 0.05, batch_norm: true, augment: 0.5, ..NONE }),
];

/// What `--tune` tries for a method: every mix of strengths of what it uses.
fn candidates(method: &Regulariser) -> Vec<Regulariser> {
    let ladder = |used: f32, strengths: &[f32]| if used > 0.0 { strengths.to_vec() } else { vec![0.0] };
    let mut all = Vec::new();
    for l2 in ladder(method.l2, &[1e-4, 3e-4, 1e-3, 3e-3, 1e-2]) {
        for l1 in ladder(method.l1, &[1e-4, 3e-4, 1e-3, 3e-3, 1e-2]) {
            for drop_prob in ladder(method.drop_prob, &[0.05, 0.1, 0.2, 0.3, 0.5]) {
                for augment in ladder(method.augment, &[0.25, 0.5, 1.0, 1.5]) {
                    all.push(Regulariser { l2, l1, drop_prob, augment, ..*method });
                }
            }
        }
    }
    all
}

/// Names the candidate that did best; an error if the table has another one.
fn choose(name: &str, used: &Regulariser, tried: &[(Regulariser, f64)]) -> Result<(), String> {
    let better =
        |best: (Regulariser, f64), next: &(Regulariser, f64)| if next.1 > best.1 { *next } else { best };
    let (best, accuracy) = tried.iter().fold((*used, f64::NEG_INFINITY), better);
    println!("{name}: best with {}, {:.2} %", strengths(&best), 100.0 * accuracy);
    if best == *used { Ok(()) } else { Err(format!("the table of {name} is with {}", strengths(used))) }
}

fn strengths(regulariser: &Regulariser) -> String {
    let Regulariser { l2, l1, drop_prob, batch_norm, augment } = regulariser;
    format!("L2 {l2}, L1 {l1}, dropout {drop_prob}, norm {batch_norm}, augmentation {augment}")
}

/// Accuracies of one method, a pair of training and test for each seed.
pub struct Row {
    /// What is compared.
    pub name: String,
    /// On the samples it was trained with.
    pub train: Vec<f64>,
    /// On those it never saw.
    pub test: Vec<f64>,
}

/// Mean and standard deviation.
pub fn spread(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (x.len() - 1) as f64;
    (mean, variance.sqrt())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let Arguments { seeds, samples, epochs, tune, out } = &arguments;
    let job = Job { epochs: *epochs, batch: 20, lr: 0.05 };
    let mut methods: Vec<(String, Regulariser)> = Vec::new();
    for (name, method) in &METHODS {
        if *tune {
            methods.extend(candidates(method).into_iter().map(|mix| (strengths(&mix), mix)));
        } else {
            methods.push(((*name).into(), *method));
        }
    }
    let first = if *tune { 1000 } else { 1 };

    let mut table = format!(
        "{seeds} seeds, {samples} samples, {epochs} epochs. Accuracy in %, mean and standard deviation; of the differences the mean and its 95 % confidence.\n\n\
         | {:21} | {:14} | {:14} | better than none, seed by seed |\n|---|--:|--:|---|\n",
        "", "training", "test"
    );
    print!("{table}");
    let mut rows: Vec<Row> = Vec::new();
    for (name, regulariser) in &methods {
        let run = |seed| measure(*regulariser, &job, usize::from(*samples), *tune, seed);
        let seeds: Vec<u64> = (first..first + seeds).collect();
        let (left, right) = seeds.split_at(seeds.len() / 2);
        let all = |seeds: &[u64]| seeds.iter().map(|seed| run(*seed)).collect::<Result<Vec<_>, _>>();
        let (a, b) = std::thread::scope(|scope| {
            let other = scope.spawn(|| all(left));
            (other.join().expect("no panic"), all(right)) // the threads share nothing that could fail
        });
        let (train, test) = a?.into_iter().chain(b?).unzip();
        rows.push(Row { name: name.clone(), train, test });
        let line = line(&rows);
        print!("{line}");
        table += &line;
    }
    if *tune {
        let mut tried = methods.iter().zip(&rows).map(|((_, mix), row)| (*mix, spread(&row.test).0));
        let chosen = METHODS.map(|(name, method)| {
            let of_method: Vec<_> = tried.by_ref().take(candidates(&method).len()).collect();
            choose(name, &method, &of_method)
        });
        chosen.into_iter().collect::<Result<(), _>>()?;
    } else {
        std::fs::create_dir_all(out)?;
        std::fs::write(out.join("regularise.md"), table)?;
        letters()?;
        save_svg(&Accuracies(&rows), &out.join("regularise.svg"))?;
        println!("\nin {}: regularise.md, regularise.svg", out.display());
    }
    Ok(())
}

/// Training and test accuracy of one run, or in tuning the accuracy on samples held out of the training.
fn measure(
    regulariser: Regulariser,
    job: &Job,
    samples: usize,
    tune: bool,
    seed: u64,
) -> Result<(f64, f64), gradus::Error> {
    let half = |first: usize| DIGITS.iter().copied().skip(first).step_by(2);
    let mut pool: Vec<Sample> = half(0).collect();
    shuffle(&mut pool, &mut Xoshiro128PlusPlus::seed_from_u64(seed));
    let (training, held_out) = pool.split_at(samples);
    let mut network = train(regulariser, job, training, seed)?;
    let test: Vec<Sample> = if tune { held_out.to_vec() } else { half(1).collect() };
    Ok((network.accuracy(training)?, network.accuracy(&test)?))
}

/// The last row, with the mean and the 95 % confidence of its differences from the first.
fn line(rows: &[Row]) -> String {
    let (Some(first), Some(row)) = (rows.first(), rows.last()) else { return String::new() };
    let percent = |x: &[f64]| {
        let (mean, deviation) = spread(x);
        format!("{:6.2} ± {:5.2}", 100.0 * mean, 100.0 * deviation)
    };
    let differences: Vec<f64> = row.test.iter().zip(&first.test).map(|(a, b)| a - b).collect();
    let (mean, deviation) = spread(&differences);
    let n = differences.len() as f64;
    let t = student(n - 1.0);
    let bound = t * deviation / n.sqrt();
    let verdict = if mean - bound > 0.0 {
        "helps"
    } else if mean + bound < 0.0 {
        "hurts"
    } else {
        "no difference seen"
    };
    let compared = if rows.len() > 1 {
        format!("{:+5.2} ± {:4.2}: {verdict}", 100.0 * mean, 100.0 * bound)
    } else {
        String::new()
    };
    format!("| {:21} | {} | {} | {compared} |\n", row.name, percent(&row.train), percent(&row.test))
}

/// What Student's distribution with `freedom` degrees of freedom, from 3 on, exceeds with a probability of 2.5 %:
/// Cornish and Fisher's expansion (Abramowitz and Stegun, 26.7.5), off by 0.2 % at most.
fn student(freedom: f64) -> f64 {
    let z = 1.959_963_985_f64;
    let terms = [
        (z.powi(3) + z) / 4.0,
        (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0,
        (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0,
        (79.0 * z.powi(9) + 776.0 * z.powi(7) + 1482.0 * z.powi(5) - 1920.0 * z.powi(3) - 945.0 * z)
            / 92_160.0,
    ];
    terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom) + z
}
