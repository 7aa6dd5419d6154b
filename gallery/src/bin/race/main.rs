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
use figures::{Figure, LookAhead, Loss, Race, SCALE};
use plotters::prelude::*;
use plotters::style::register_font;
use schedules::Schedules;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
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
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()).map_err(|_| "not a font")?;
    save_svg(&Race { noisy: false }, &out.join("race.svg"))?;
    save_png(&Race { noisy: false }, &out.join("race.png"))?; // for the README
    save_svg(&Race { noisy: true }, &out.join("race-noise.svg"))?;
    save_svg(&Loss { noisy: false }, &out.join("loss.svg"))?;
    save_svg(&Loss { noisy: true }, &out.join("loss-noise.svg"))?;
    save_svg(&LookAhead, &out.join("lookahead.svg"))?;
    save_svg(&Schedules, &out.join("schedules.svg"))
}

/// Backends count in whole pixels: they draw this large, and what is saved is shown at its size.
fn large<F: Figure>() -> (u32, u32) {
    let (width, height) = F::SIZE;
    ((width * SCALE) as u32, (height * SCALE) as u32)
}

fn save_svg<F: Figure>(figure: &F, path: &Path) -> Result<(), Box<dyn Error>> {
    let (size, (width, height)) = (large::<F>(), F::SIZE);
    let mut svg = String::new();
    figure.draw(&SVGBackend::with_string(&mut svg, size).into_drawing_area())?;
    let large = format!(r#"width="{}" height="{}""#, size.0, size.1);
    let small = format!(r#"width="{width}" height="{height}" style="max-width:100%;height:auto""#);
    fs::write(path, svg.replacen(&large, &small, 1))?;
    println!("{}", path.display());
    Ok(())
}

fn save_png<F: Figure>(figure: &F, path: &Path) -> Result<(), Box<dyn Error>> {
    let (size, (width, height)) = (large::<F>(), F::SIZE);
    let mut large = vec![0; (size.0 * size.1 * 3) as usize];
    figure.draw(&BitMapBackend::with_buffer(&mut large, size).into_drawing_area())?;
    let mut encoder = png::Encoder::new(File::create(path)?, width as u32, height as u32);
    let (palette, pixels) = palette(&shrink(&large, size.0 as usize));
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header()?.write_image_data(&pixels)?;
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

/// The 192 most frequent colours, and for each pixel the nearest of them: small files.
fn palette(pixels: &[[u8; 3]]) -> (Vec<[u8; 3]>, Vec<u8>) {
    let mut counts = BTreeMap::<[u8; 3], usize>::new();
    for &pixel in pixels {
        *counts.entry(pixel).or_default() += 1;
    }
    let mut palette = Vec::from_iter(counts.keys().copied());
    palette.sort_by_key(|color| Reverse(counts[color]));
    palette.truncate(192);
    let distance =
        |a: [u8; 3], b: [u8; 3]| (0..3).map(|i| u32::from(a[i].abs_diff(b[i])).pow(2)).sum::<u32>();
    let nearest = BTreeMap::from_iter(counts.keys().map(|&color| {
        let index = (0..palette.len()).min_by_key(|&i| distance(palette[i], color));
        (color, index.unwrap_or(0) as u8)
    }));
    let indices = pixels.iter().map(|pixel| nearest[pixel]).collect();
    (palette, indices)
}
