//! The lecture's pictures, drawn from the steps of the real kernels.
//!
//! ```text
//! cargo run --release -p gallery --bin race [-- --out DIR]
//! ```
//!
//! It writes each figure as SVG, and the race as PNG too, to `out/`, or to the directory given.

mod figures;
mod schedules;

use clap::Parser;
use figures::{LookAhead, Loss, Race};
use gallery::png::indexed;
use gallery::style::{Figure, SCALE, letters, save_svg};
use plotters::prelude::*;
use schedules::Schedules;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Draw the lecture's pictures: six rules on four surfaces, Nesterov's look ahead, the schedules.
#[derive(Parser)]
#[command(name = "race")]
struct Arguments {
    /// Directory of the pictures
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { out } = Arguments::parse();
    fs::create_dir_all(&out)?;
    letters()?;
    save_svg(&Race { noisy: false }, &out.join("race.svg"))?;
    save_png(&Race { noisy: false }, &out.join("race.png"))?; // for the README
    save_svg(&Race { noisy: true }, &out.join("race-noise.svg"))?;
    save_svg(&Loss { noisy: false }, &out.join("loss.svg"))?;
    save_svg(&Loss { noisy: true }, &out.join("loss-noise.svg"))?;
    save_svg(&LookAhead, &out.join("lookahead.svg"))?;
    save_svg(&Schedules, &out.join("schedules.svg"))
}

fn save_png<F: Figure>(figure: &F, path: &Path) -> Result<(), Box<dyn Error>> {
    let (width, height) = F::SIZE;
    let size = ((width * SCALE) as u32, (height * SCALE) as u32);
    let mut large = vec![0; (size.0 * size.1 * 3) as usize];
    figure.draw(&BitMapBackend::with_buffer(&mut large, size).into_drawing_area())?;
    let small = shrink(&large, size.0 as usize);
    fs::write(path, indexed(width as u32, height as u32, &small)?)?;
    println!("{}", path.display());
    Ok(())
}

/// The mean of every square of `SCALE` by `SCALE` pixels: smooth lines.
fn shrink(large: &[u8], width: usize) -> Vec<[u8; 3]> {
    const N: usize = SCALE as usize;
    let mut small = Vec::with_capacity(large.len() / (3 * N * N));
    for rows in large.chunks_exact(3 * width * N) {
        for x in 0..width / N {
            small.push([0, 1, 2].map(|channel| {
                let pixels = (0..N * N).map(|i| rows[3 * (i / N * width + x * N + i % N) + channel]);
                (pixels.map(u32::from).sum::<u32>() / (N * N) as u32) as u8
            }));
        }
    }
    small
}
