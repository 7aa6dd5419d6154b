//! Trains the lecture's network on 1797 handwritten digits, with each optimizer of the crate in turn.
//!
//! `cargo run --release --example digits`, and `-- --help` for the options. It prints a table and draws
//! the learning curves into `out/digits.svg`.
//!
//! Every fifth sample of each class is for the test, the others for the training: 355 and 1442 samples. Most
//! writers have some in both; digits of writers who are new to the network would be harder.

mod chart;
mod cli;
mod data;
mod network;
mod optimizers;

use cli::Request;
use indicatif::{ProgressBar, ProgressStyle};
use optimizers::{Progress, Run};
use std::error::Error;
use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    let request = Request::parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    match compare(request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Trains, prints and draws.
fn compare(Request { entries, job, out }: Request) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(&out)
        .unwrap_or_else(|error| cli::refuse(format!("--out {}: {error}", out.display())).exit());

    let bar = ProgressBar::new(entries.len() as u64 * u64::from(job.epochs));
    bar.set_style(ProgressStyle::with_template("{msg:27} {bar:40} {pos}/{len} epochs, {eta} left")?);
    println!("{:25} {:>7}  train     test      train   test    time", "", "");
    println!("{:25} {:>7}  accuracy  accuracy  loss    loss    in s   hash of weights", "optimizer", "rate");
    let mut runs = Vec::new();
    for (entry, lr) in entries {
        bar.set_message(entry.name);
        let run = entry.learner.train(lr, &job, &mut |_| bar.inc(1))?;
        bar.suspend(|| println!("{}", row(entry.name, lr, &run)));
        runs.push((entry.name, run));
    }
    bar.finish_and_clear();

    let path = out.join("digits.svg");
    chart::draw(&path, &runs).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("learning curves: {}", path.display());
    Ok(())
}

/// A line of the table.
fn row(name: &str, lr: f32, run: &Run) -> String {
    let Progress { train, test } = run.last();
    format!(
        "{name:25} {lr:>7?}  {:6.2} %  {:6.2} %  {:6.4}  {:6.4}  {:5.2}  {:016x}",
        100.0 * train.accuracy,
        100.0 * test.accuracy,
        train.loss,
        test.loss,
        run.time.as_secs_f32(),
        run.hash,
    )
}
