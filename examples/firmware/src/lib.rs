//! What the programs share: a way to print and to end on every target, and the golden bits.
//!
//! On bare metal both go through semihosting, which QEMU and debug probes offer.
#![cfg_attr(target_os = "none", no_std)]

pub mod chains;
#[allow(dead_code)]
#[path = "../../../digits/src/convolutional.rs"]
pub mod convolutional;
#[cfg(all(target_arch = "arm", target_os = "none"))]
mod counter;
#[path = "../../../digits/src/data.rs"]
pub mod data;
pub mod file;
mod golden;
mod golden_layers;
mod halves;
mod learn;
#[allow(dead_code)]
#[path = "../../../digits/src/network.rs"]
pub mod network;
#[cfg(all(target_arch = "arm", target_os = "none"))]
pub mod stack;
#[allow(dead_code)]
#[path = "../../../digits/src/training.rs"]
pub mod training;

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use counter::Counter;
pub use golden::{Numbers, golden};
pub use halves::halves;
pub use learn::{Memory, measured};

#[cfg(target_os = "none")]
pub use semihosting::{print, println, process::exit};
#[cfg(not(target_os = "none"))]
pub use std::{print, println, process::exit};

/// The attribute of a program's first function: `board!(main)` makes `main` that function.
#[macro_export]
macro_rules! board {
    ($main:ident) => {
        #[cfg(all(target_arch = "arm", target_os = "none"))]
        #[cortex_m_rt::entry]
        fn entry() -> ! {
            $main();
            $crate::exit(0)
        }
        #[cfg(all(target_arch = "riscv32", target_os = "none"))]
        #[riscv_rt::entry]
        fn entry() -> ! {
            $main();
            $crate::exit(0)
        }
    };
}

/// What a state is stored as.
pub trait Number: gradus::Stored {
    /// The nearest to a number.
    fn of(x: f32) -> Self;
    /// Its bits as an `f32`, where every NaN counts as one and the same; there is one only of a [`Bf16`](gradus::Bf16).
    fn bits(self) -> u32;
}

impl Number for f32 {
    fn of(x: f32) -> Self {
        x
    }
    fn bits(self) -> u32 {
        if self.is_nan() { f32::NAN.to_bits() } else { self.to_bits() }
    }
}

impl Number for gradus::Bf16 {
    fn of(x: f32) -> Self {
        Self::from_f32_nearest(x)
    }
    fn bits(self) -> u32 {
        self.to_f32().to_bits()
    }
}

/// FNV-1a, 64 bits: one number for many bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub u64);

impl Hash {
    /// The hash of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds the bits of `values`, the least significant byte first; every NaN counts as one and the same.
    pub fn add(&mut self, values: &[f32]) {
        self.add_bits(values.iter().map(|value| value.bits()));
    }

    /// Adds words, the least significant byte first.
    pub fn add_bits(&mut self, words: impl Iterator<Item = u32>) {
        for word in words {
            for byte in word.to_le_bytes() {
                self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}
