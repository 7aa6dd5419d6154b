//! Reads the weights of a network from PyTorch, and writes them in the layout of gradus.
//!
//! ```text
//! cargo run -p gallery --bin from_pytorch -- model.safetensors conv1+norm1 conv2+norm2 dense@16x4x4 --out model.rs
//! ```
//!
//! In Python: `safetensors.torch.save_file(model.state_dict(), "model.safetensors")`. The layers come in the order in
//! which they are named. `conv1+norm1` folds a batch normalisation into the layer before it; one that is named alone
//! has four vectors. `dense@16x4x4` reads an image that PyTorch has flattened, here with its channels side by side.
//! What `--out` ends in says what is written: `.rs` an array of Rust, `.h` one of C, both for flash, anything else a
//! file for `store::load`.

use clap::Parser;
use gallery::pytorch::{Request, read, to_c, to_file, to_rust};
use std::error::Error;
use std::path::PathBuf;

/// Weights of PyTorch for gradus.
#[derive(Parser)]
#[command(name = "from_pytorch")]
struct Arguments {
    /// File of safetensors
    file: PathBuf,
    /// Layers, in their order: NAME, with +NORM to fold a batch normalisation, with @CxHxW behind a flattened image
    #[arg(required = true)]
    layers: Vec<Request>,
    /// File to write: .rs, .h, or a saved file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What the normalisations that are folded have as eps
    #[arg(long, default_value_t = 1e-5)]
    eps: f32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { file, layers, out, eps } = Arguments::parse();
    let layers = read(&std::fs::read(file)?, &layers, eps)?;
    for layer in &layers {
        println!("{}: {}", layer.name, layer.layout);
    }
    let name = out.file_stem().and_then(|name| name.to_str()).ok_or("a name")?;
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    match out.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => std::fs::write(out, to_rust(&layers, &name))?,
        Some("h") => std::fs::write(out, to_c(&layers, &name))?,
        _ => std::fs::write(out, to_file(&layers))?,
    }
    Ok(())
}
