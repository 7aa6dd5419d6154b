//! Trains the lecture's network on 1797 handwritten digits, with each optimizer of the crate in turn.
//!
//! `cargo run --release -p digits`, and `-- --help` for the options. It prints a table; the gallery draws the
//! learning curves: `cargo run --release -p gallery --bin learning_curves`.
//!
//! Every fifth sample of each class is for the test, the others for the training: 355 and 1442 samples. Most
//! writers have some in both; digits of writers who are new to the network would be harder.

use digits::arguments::{HELP, Request, parse};
use digits::optimizers::{Progress, Run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Request { entries, job } = match parse(std::env::args_os()) {
        Ok(Some(request)) => request,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    println!("{:12} {:>7}  train     test      train   test    time", "", "");
    println!("{:12} {:>7}  accuracy  accuracy  loss    loss    in s   hash of weights", "optimizer", "rate");
    for entry in entries {
        match job.train(entry.optimizer) {
            Ok(run) => println!("{}", row(entry.name, entry.optimizer.lr(), &run)),
            Err(error) => {
                eprintln!("error: {}: {error}", entry.name);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// A line of the table.
fn row(name: &str, lr: f32, run: &Run) -> String {
    let Progress { train, test } = run.last();
    format!(
        "{name:12} {lr:>7?}  {:6.2} %  {:6.2} %  {:6.4}  {:6.4}  {:5.2}  {:016x}",
        100.0 * train.accuracy,
        100.0 * test.accuracy,
        train.loss,
        test.loss,
        run.time.as_secs_f32(),
        run.hash,
    )
}
