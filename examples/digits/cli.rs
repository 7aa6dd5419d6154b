//! The command line.

use super::data::COUNT;
use super::optimizers::{Entry, Job, OPTIMIZERS};
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, value_parser};
use gradus::Level;
use gradus::noise::Dropout;
use std::ffi::OsString;
use std::path::PathBuf;

/// Train the lecture's network on 1797 handwritten digits, and compare optimizers.
#[derive(Clone, Debug, Parser)]
#[command(name = "digits")]
struct Arguments {
    /// Optimizer to train with, or "all" to train with each in turn
    #[arg(long, value_name = "NAME", default_value = "all", value_parser = names())]
    optimizer: String,
    /// Passes over the training samples
    #[arg(long, default_value_t = 30, value_parser = value_parser!(u32).range(1..=10_000))]
    epochs: u32,
    /// Seed of weights, order and dropout: the same seed gives the same bits
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Samples of a step, at most
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u16).range(1..=COUNT as i64))]
    batch: u16,
    /// Learning rate at the start, falling to 0 as a cosine [default: one for each optimizer]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    lr: Option<f32>,
    /// Probability to drop a hidden unit
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.1, allow_negative_numbers = true)]
    drop: f32,
    /// Directory of the chart, digits.svg
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

/// What the command line asks for: checked, and good to run.
pub struct Request {
    /// Optimizers and their learning rates.
    pub entries: Vec<(&'static Entry, f32)>,
    /// What they share.
    pub job: Job,
    /// Directory of the chart.
    pub out: PathBuf,
}

/// The names to choose from.
fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(std::iter::once("all").chain(OPTIMIZERS.iter().map(|entry| entry.name)))
}

/// The error of a bad value: what to tell the user, with exit code 2.
pub fn refuse(text: String) -> clap::Error {
    Arguments::command().error(ErrorKind::ValueValidation, text)
}

impl Request {
    /// Reads a command line, its first word the program's name, and checks all of it.
    ///
    /// # Errors
    /// What to tell the user, and the exit code: 0 for help, 2 for bad input.
    pub fn parse<T: Into<OsString> + Clone>(line: impl IntoIterator<Item = T>) -> Result<Self, clap::Error> {
        let Arguments { optimizer, epochs, seed, batch, lr, drop, out } = Arguments::try_parse_from(line)?;

        let mut entries = Vec::new();
        for entry in OPTIMIZERS.iter().filter(|entry| optimizer == "all" || optimizer == entry.name) {
            let lr = lr.unwrap_or(entry.lr);
            entry
                .learner
                .check(lr)
                .map_err(|error| refuse(format!("--lr {lr} for {}: {error}", entry.name)))?;
            entries.push((entry, lr));
        }
        let dropout = Dropout::drop_prob(drop);
        dropout.check().map_err(|error| refuse(format!("--drop {drop}: {error}")))?;
        // Of a path that is not there yet, the nearest ancestor counts.
        if out.ancestors().find(|path| path.exists()).is_some_and(|path| !path.is_dir()) {
            return Err(refuse(format!("--out {}: not a directory", out.display())));
        }
        let job = Job { level: Level::detect(), epochs, seed, batch: usize::from(batch), dropout };
        Ok(Self { entries, job, out })
    }
}
