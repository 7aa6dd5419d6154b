//! The 1797 digits of `data/digits.csv`, parsed by the compiler: 117 KB of flash, nothing at run time.
//!
//! Alpaydin and Kaynak (1998), UCI Machine Learning Repository, CC BY 4.0; see `data/SOURCES.md`.

use super::training::{PIXELS, Sample};

/// How many there are.
pub const COUNT: usize = 1797;

/// All of them, in the order of the file.
pub static DIGITS: [Sample; COUNT] = parse(include_bytes!("../../data/digits.csv"));

/// Reads lines of 64 pixels and a label. What it cannot read stops the compilation.
#[allow(long_running_const_eval, reason = "264 KB of text")]
const fn parse(text: &[u8]) -> [Sample; COUNT] {
    let mut samples = [Sample { pixels: [0; PIXELS], label: 0 }; COUNT];
    let (mut row, mut column, mut number, mut i) = (0, 0, 0, 0);
    while i < text.len() {
        match text[i] {
            digit @ b'0'..=b'9' => number = 10 * number + (digit - b'0'),
            b',' => {
                assert!(number <= 16);
                samples[row].pixels[column] = number;
                (column, number) = (column + 1, 0);
            }
            b'\n' => {
                assert!(column == PIXELS && number <= 9);
                samples[row].label = number;
                (row, column, number) = (row + 1, 0, 0);
            }
            _ => panic!("not a digit, a comma or a line feed"),
        }
        i += 1;
    }
    assert!(row == COUNT);
    samples
}
