//! The figures of the lecture that are not the race: each shows what the kernels do, and none is drawn by hand.
//!
//! ```text
//! cargo run --release -p gallery --bin lecture [-- --out DIR]
//! ```

mod descent;
mod fitting;
mod images;
mod noise;
mod second_order;
mod training;

use clap::Parser;
use gallery::style::{letters, save, save_svg};
use std::error::Error;
use std::path::PathBuf;

/// Draw the figures of the lecture: learning rates, over-fitting, second order, noise and its masks, augmentation.
#[derive(Parser)]
#[command(name = "lecture")]
struct Arguments {
    /// Directory of the pictures
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { out } = Arguments::parse();
    std::fs::create_dir_all(&out)?;
    letters()?;
    save_svg(&descent::Velocity, &out.join("velocity.svg"))?;
    save_svg(&descent::LongCourse, &out.join("adagrad.svg"))?;
    save_svg(&training::Rates::new()?, &out.join("rates.svg"))?;
    save_svg(&second_order::Models, &out.join("models.svg"))?;
    save_svg(&second_order::Batches::new()?, &out.join("minibatch.svg"))?;
    save_svg(&training::Gap::new()?, &out.join("gap.svg"))?;
    save_svg(&fitting::Lambda::new()?, &out.join("lambda.svg"))?;
    save_svg(&noise::Normalised::new()?, &out.join("batchnorm.svg"))?;
    save(&out.join("masks.svg"), &noise::masks()?)?;
    save(&out.join("pooling.svg"), &noise::pooling()?)?;
    save(&out.join("augment.svg"), &images::augmented()?)
}
