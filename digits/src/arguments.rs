//! The command line.

use crate::data::COUNT;
use crate::optimizers::{Entry, Job, Layers, entries};
use gradus::Level;
use gradus::noise::Dropout;
use lexopt::{Arg, ValueExt};
use std::ffi::OsString;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// What `--help` prints.
pub const HELP: &str = "\
Trains a network on 1797 handwritten digits, and compares optimizers.

Usage: digits [OPTIONS]

  --network NAME       `lecture`, three dense layers, or `convolutional` [default: lecture]
  --optimizer NAME     the optimizer to train with, or `all`, each in turn [default: all]
  --epochs NUMBER      passes over the training samples [default: 30]
  --seed NUMBER        seed of weights, order and dropout: the same seed gives the same bits [default: 1]
  --batch NUMBER       samples of a step, at most [default: 32]
  --lr RATE            learning rate at the start, falling to 0 as a cosine [default: one for each optimizer]
  --drop PROBABILITY   probability to drop a hidden unit [default: 0.1]
  --help               this text";

/// What a command line asks for: checked, and good to run.
#[derive(Debug)]
pub struct Request {
    /// Optimizers, with their learning rates.
    pub entries: Vec<Entry>,
    /// What they share.
    pub job: Job,
}

/// Reads a command line, its first word the program's name, and checks all of it. `None` asks for [`HELP`].
///
/// # Errors
/// What to tell the user.
pub fn parse<T: Into<OsString>>(line: impl IntoIterator<Item = T>) -> Result<Option<Request>, String> {
    let (mut optimizer, mut lr, mut drop) = ("all".to_owned(), None, 0.1);
    let mut job = Job {
        layers: Layers::Lecture,
        level: Level::detect(),
        epochs: 30,
        seed: 1,
        batch: 32,
        dropout: Dropout::drop_prob(0.1),
    };
    let mut words = lexopt::Parser::from_iter(line);
    while let Some(word) = words.next().map_err(|error| error.to_string())? {
        let name = match word {
            Arg::Long(name) => name.to_owned(),
            other => return Err(other.unexpected().to_string()),
        };
        if name == "help" {
            return Ok(None);
        }
        let mut value = || words.value().and_then(|value| value.string()).map_err(|error| error.to_string());
        match name.as_str() {
            "network" => {
                job.layers = match value()?.as_str() {
                    "lecture" => Layers::Lecture,
                    "convolutional" => Layers::Convolutional,
                    other => return Err(format!("--network {other}: lecture, convolutional")),
                }
            }
            "optimizer" => optimizer = value()?,
            "epochs" => job.epochs = within(&name, &value()?, 1..=10_000)?,
            "seed" => job.seed = within(&name, &value()?, 0..=u64::MAX)?,
            "batch" => job.batch = within(&name, &value()?, 1..=COUNT)?,
            "lr" => lr = Some(number(&name, &value()?)?),
            "drop" => drop = number(&name, &value()?)?,
            _ => return Err(Arg::Long(&name).unexpected().to_string()),
        }
    }
    let mut chosen: Vec<Entry> = entries();
    let names: Vec<_> = chosen.iter().map(|entry| entry.name).collect();
    chosen.retain(|entry| optimizer == "all" || optimizer == entry.name);
    if chosen.is_empty() {
        return Err(format!("--optimizer {optimizer}: all, {}", names.join(", ")));
    }
    for entry in &mut chosen {
        entry.optimizer = entry.optimizer.with_lr(lr.unwrap_or(entry.optimizer.lr()));
        let lr = entry.optimizer.lr();
        entry.optimizer.check().map_err(|error| format!("--lr {lr} for {}: {error}", entry.name))?;
    }
    job.dropout = Dropout::drop_prob(drop);
    job.dropout.check().map_err(|error| format!("--drop {drop}: {error}"))?;
    Ok(Some(Request { entries: chosen, job }))
}

/// The value of an option as a number.
fn number<T: FromStr<Err: Display>>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("--{name} {value}: {error}"))
}

/// The value of an option as a number within a range.
fn within<T: FromStr<Err: Display> + PartialOrd + Display>(
    name: &str,
    value: &str,
    range: RangeInclusive<T>,
) -> Result<T, String> {
    let number = number(name, value)?;
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(format!("--{name} {value}: not in {}..={}", range.start(), range.end()))
    }
}
