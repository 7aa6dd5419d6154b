//! Puts the memory layout of the board in `BOARD` where the linker looks for it.

use std::{env, fs, path::PathBuf};

fn main() {
    let board = env::var("BOARD").unwrap_or_else(|_| "nrf52840".into());
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let layout = PathBuf::from("boards").join(board).with_extension("x");
    fs::copy(&layout, out.join("memory.x")).expect("boards/ has the layout");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed={}", layout.display());
    println!("cargo:rerun-if-env-changed=BOARD");
}
