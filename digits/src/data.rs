//! The 1797 digits of `data/digits.csv`, parsed by the compiler: 117 KB of flash, nothing at run time.
//!
//! Alpaydin and Kaynak (1998), UCI Machine Learning Repository, CC BY 4.0; see `data/SOURCES.md`.

use super::training::{PIXELS, Sample};

/// How many there are.
pub const COUNT: usize = 1797;

/// All of them, in the order of the file.
pub static DIGITS: [Sample; COUNT] = parse(include_bytes!("../../data/digits.csv"));

/// Reads lines of 64 pixels and a label, each with a comma behind it. What it cannot read stops the compilation.
#[allow(long_running_const_eval, reason = "264 KB of text")]
const fn parse(text: &[u8]) -> [Sample; COUNT] {
    let mut samples = [Sample { pixels: [0; PIXELS], label: 0 }; COUNT];
    let (mut row, mut i) = (0, 0);
    while row < COUNT {
        let sample = &mut samples[row];
        let mut column = 0;
        while column < PIXELS {
            let mut number = text[i] - b'0'; // the compiler refuses a difference below 0
            assert!(number <= 9);
            i += 1;
            if text[i] != b',' {
                let last = text[i] - b'0';
                assert!(number == 1 && last <= 6 && text[i + 1] == b',');
                number = 10 + last;
                i += 1;
            }
            sample.pixels[column] = number;
            (i, column) = (i + 1, column + 1);
        }
        sample.label = text[i] - b'0';
        assert!(sample.label <= 9 && text[i + 1] == b',' && text[i + 2] == b'\n');
        (i, row) = (i + 3, row + 1);
    }
    assert!(i == text.len());
    samples
}
