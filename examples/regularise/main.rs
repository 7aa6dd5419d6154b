//! What helps a network that has only 200 samples to learn from? Penalties, dropout, batch
//! normalisation and augmentation on real digits, over ten seeds.
//!
//! `cargo run --release --example regularise` prints the table, and writes it and a picture to `out/`.
//!
//! A seed decides which 200 samples there are, the first weights, and all chance in training. Half of the
//! digits, 898, are for the test alone. Strengths were chosen on the other half, over other seeds:
//! `-- --tune` shows how they do there.

mod chart;
#[path = "../digits/data.rs"]
mod data;
mod network;

use clap::Parser;
use network::{Job, Regulariser, Sample, shuffle, train};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use std::error::Error;
use std::path::PathBuf;

/// Compare what keeps a network from learning its samples by heart.
#[derive(Parser)]
#[command(name = "regularise")]
struct Arguments {
    /// Seeds to train each network with
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=1000))]
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

/// The rows of the table, with the strengths that did best in `--tune`.
const METHODS: [(&str, Regulariser); 7] = [
    ("none", NONE),
    ("L2", Regulariser { l2: 1e-3, ..NONE }),
    ("L1, proximal", Regulariser { l1: 3e-4, ..NONE }),
    ("dropout", Regulariser { drop_prob: 0.3, ..NONE }),
    ("batch normalisation", Regulariser { batch_norm: true, ..NONE }),
    ("augmentation", Regulariser { augment: 1.0, ..NONE }),
    ("all but L1", Regulariser { l2: 1e-3, drop_prob: 0.1, batch_norm: true, augment: 1.0, ..NONE }),
];

/// What `--tune` tries.
fn candidates() -> Vec<(String, Regulariser)> {
    let mut all =
        vec![("none".into(), NONE), ("batch norm".into(), Regulariser { batch_norm: true, ..NONE })];
    for l2 in [1e-4, 3e-4, 1e-3, 3e-3, 1e-2] {
        all.push((format!("L2 {l2}"), Regulariser { l2, ..NONE }));
    }
    for l1 in [3e-5, 1e-4, 3e-4, 1e-3, 3e-3] {
        all.push((format!("L1 {l1}"), Regulariser { l1, ..NONE }));
    }
    for drop_prob in [0.1, 0.2, 0.3, 0.5] {
        all.push((format!("dropout {drop_prob}"), Regulariser { drop_prob, ..NONE }));
    }
    for augment in [0.25, 0.5, 1.0, 1.5] {
        all.push((format!("augmentation {augment}"), Regulariser { augment, ..NONE }));
    }
    for l2 in [0.0, 3e-4, 1e-3] {
        for drop_prob in [0.0, 0.1, 0.2] {
            for batch_norm in [false, true] {
                let name = format!("augmentation 1, L2 {l2}, dropout {drop_prob}, norm {batch_norm}");
                all.push((name, Regulariser { l2, drop_prob, batch_norm, augment: 1.0, ..NONE }));
            }
        }
    }
    all
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
    let (methods, first): (Vec<_>, u64) = if *tune {
        (candidates(), 1000)
    } else {
        (METHODS.iter().map(|(name, regulariser)| ((*name).into(), *regulariser)).collect(), 1)
    };

    let mut table = format!(
        "{seeds} seeds, {samples} samples, {epochs} epochs. Accuracy in %, mean and standard deviation.\n\n\
         | {:21} | {:14} | {:14} | better than none, seed by seed |\n|---|--:|--:|---|\n",
        "", "training", "test"
    );
    print!("{table}");
    let mut rows: Vec<Row> = Vec::new();
    for (name, regulariser) in methods {
        let run = |seed| measure(regulariser, &job, usize::from(*samples), *tune, seed);
        let seeds: Vec<u64> = (first..first + seeds).collect();
        let (left, right) = seeds.split_at(seeds.len() / 2);
        let all = |seeds: &[u64]| seeds.iter().map(|seed| run(*seed)).collect::<Result<Vec<_>, _>>();
        let (a, b) = std::thread::scope(|scope| {
            let other = scope.spawn(|| all(left));
            (other.join().expect("no panic"), all(right)) // the threads share nothing that could fail
        });
        let (train, test) = a?.into_iter().chain(b?).unzip();
        rows.push(Row { name, train, test });
        let line = line(&rows);
        print!("{line}");
        table += &line;
    }
    if !tune {
        std::fs::create_dir_all(out)?;
        std::fs::write(out.join("regularise.md"), table)?;
        std::fs::write(out.join("regularise.svg"), chart::draw(&rows)?)?;
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
    let half = |first: usize| data::DIGITS.iter().copied().skip(first).step_by(2);
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
    // 97.5 % of Student's distribution with n - 1 degrees of freedom, to 1 % from 4 on (Cornish and Fisher).
    let (n, z) = (differences.len() as f64, 1.96_f64);
    let t = z
        + (z.powi(3) + z) / (4.0 * (n - 1.0))
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * (n - 1.0).powi(2));
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
