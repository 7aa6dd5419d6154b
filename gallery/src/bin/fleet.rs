//! Twenty devices with unlike data learn the digits together, and send weights only: accuracy over the rounds, beside one
//! training with all data in one place.
//!
//! `cargo run --release -p gallery --bin fleet`, and `-- --out DIR`. It writes `fleet.md` and `fleet.svg`; those in `docs/`
//! are what it wrote. The rates were chosen on seed 0, of three or four each, the
//! central one's too; it is not among the seeds of the table.

use clap::Parser;
use digits::training::Score;
use gallery::fleet::{BYTES, DEVICES, Fleet, Learning};
use gallery::style::{self, Backend, Figure, KINDS, axes, curve, frame, legend, letters, plain, save_svg};
use gradus::{Adam, AnyOptimizer, Epsilon, Momentum, Optimizer, Sgd, Visitor};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::error::Error;
use std::path::PathBuf;

#[derive(Parser)]
#[command(about = "Compares federated training of unlike devices with a central one")]
struct Options {
    /// Rounds
    #[arg(long, default_value_t = 60)]
    rounds: u32,
    /// Repetitions, each with seeds of its own
    #[arg(long, default_value_t = 10)]
    seeds: u64,
    /// First seed
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Directory of fleet.md and fleet.svg
    #[arg(long, default_value = "out")]
    out: PathBuf,
}

const EPOCHS: u32 = 2;

/// What is compared: a name, the server's optimizer or none for the central training, the rate of the training, and how
/// many are awake and lost.
const CONTESTANTS: [(&str, Option<Server>, f32, f32, f32); 6] = [
    ("central", None, 0.02, 1.0, 0.0),
    (LIKE, Some(Server::FedAvg), 0.05, 1.0, 0.0),
    ("FedAvg, all awake", Some(Server::FedAvg), 0.05, 1.0, 0.0),
    ("FedAvg", Some(Server::FedAvg), 0.05, 0.6, 0.1),
    ("FedAvgM", Some(Server::FedAvgM), 0.05, 0.6, 0.1),
    ("FedAdam", Some(Server::FedAdam), 0.05, 0.6, 0.1),
];

/// The fleet whose devices know all classes.
const LIKE: &str = "FedAvg, like data";

#[derive(Clone, Copy)]
enum Server {
    FedAvg,
    FedAvgM,
    FedAdam,
}

/// Runs the fleet of a contestant, whose optimizer has a type of its own.
struct Run<'a>(&'a Fleet);

impl Visitor for Run<'_> {
    type Out = Result<Vec<Score>, gradus::Error>;
    fn visit<O: Optimizer<Family = O>>(self, optimizer: O) -> Self::Out {
        self.0.run(optimizer, |_, _| {})
    }
}

impl Server {
    fn optimizer(self) -> AnyOptimizer {
        match self {
            Self::FedAvg => Sgd::new(1.0).into(),
            Self::FedAvgM => Momentum { rho: 0.7, ..Momentum::new(0.5) }.into(),
            Self::FedAdam => Adam { beta2: 0.99, eps: Epsilon::Outside(1e-2), ..Adam::new(0.05) }.into(),
        }
    }
}

/// Accuracies in percent of one seed, before the first round and after each.
fn accuracies(server: Option<Server>, fleet: &Fleet) -> Result<Vec<f32>, gradus::Error> {
    let scores = match server {
        None => fleet.central()?,
        Some(server) => server.optimizer().visit(Run(fleet))?,
    };
    Ok(scores.iter().map(|score| 100.0 * score.accuracy).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options { rounds, seeds, first, out } = Options::parse();
    std::fs::create_dir_all(&out)?;
    let mut table = format!(
        "{DEVICES} devices, most with two or three classes; {} epochs of each device's samples a round, {rounds} rounds. \
         Test accuracy in %:\nmean of {seeds} seeds, at the end with their standard deviation. A device receives and \
         sends {} KB a round. Central: as many\nepochs over all samples in one place.\n\n\
         | | awake | lost | rounds to 90 % | to 95 % | after 10 | after {rounds} |\n|---|--:|--:|--:|--:|--:|--:|\n",
        EPOCHS,
        BYTES / 1000,
    );
    let mut means = Vec::new();
    for (name, server, lr, awake, lost) in CONTESTANTS {
        let learning = Learning { lr, epochs: EPOCHS };
        let fleet = |seed| Fleet { seed, rounds, learning, alike: name == LIKE, awake, lost };
        let curves = (first..first + seeds)
            .map(|seed| accuracies(server, &fleet(seed)))
            .collect::<Result<Vec<_>, _>>()?;
        let mean = |round: usize| curves.iter().map(|curve| curve[round]).sum::<f32>() / seeds as f32;
        let mean: Vec<f32> = (0..=rounds as usize).map(mean).collect();
        let reached = |goal: f32| match mean.iter().position(|&accuracy| accuracy >= goal) {
            Some(round) => round.to_string(),
            None => "never".into(),
        };
        let end = mean[rounds as usize];
        let squares: f32 = curves.iter().map(|curve| (curve[rounds as usize] - end).powi(2)).sum();
        let deviation = (squares / (seeds as f32 - 1.0).max(1.0)).sqrt();
        table += &format!(
            "| {name} | {:.0} % | {:.0} % | {} | {} | {:.1} | {end:.1} ± {deviation:.1} |\n",
            100.0 * awake,
            100.0 * lost,
            reached(90.0),
            reached(95.0),
            mean[10.min(rounds as usize)],
        );
        means.push((name, mean));
    }
    print!("{table}");
    std::fs::write(out.join("fleet.md"), table)?;
    letters()?;
    save_svg(&Accuracies(&means), &out.join("fleet.svg"))
}

/// Accuracy over the rounds, a line for each contestant. The server's optimizer gives its colour.
struct Accuracies<'a>(&'a [(&'a str, Vec<f32>)]);

const COLORS: [RGBColor; CONTESTANTS.len()] =
    [KINDS[0], KINDS[1], KINDS[2], style::SGD, style::MOMENTUM, style::ADAM];

impl Figure for Accuracies<'_> {
    const SIZE: (i32, i32) = (900, 440);
    fn words(&self) -> String {
        "Test accuracy by round: central training is at 95 % after two rounds; devices with like data follow closely; with \
         unlike data FedAvg rises slowly, the more so the fewer are awake, and FedAvgM and FedAdam are faster than it"
            .into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let names = Vec::from_iter(self.0.iter().map(|(name, _)| *name).zip(COLORS));
        let body = legend(area, &names)?;
        let rounds = self.0.iter().map(|(_, mean)| mean.len()).max().unwrap_or(1) as f64 - 1.0;
        let titles = ["Test accuracy", "digits, mean of the seeds"];
        let mut chart = frame(&body, titles, 0.0..rounds, 40.0..100.0)?;
        axes(&mut chart, ["round", "accuracy in %"], &plain, &plain)?;
        for ((_, mean), color) in self.0.iter().zip(COLORS) {
            let points = mean.iter().enumerate().map(|(round, &y)| (round as f64, f64::from(y)));
            curve(&mut chart, &Vec::from_iter(points), color)?;
        }
        Ok(())
    }
}
