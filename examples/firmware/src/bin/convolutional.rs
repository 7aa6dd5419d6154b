//! Trains the convolutional network of the digits on the chip, from the data in its flash.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

use gradus::Adam;
use gradus_firmware::Memory;
use gradus_firmware::convolutional::{Convolutional, PARAMS};

gradus_firmware::board!(main);

static mut MEMORY: Memory<Convolutional, Adam, PARAMS, 8> = Memory::new();

fn main() {
    let memory = &raw mut MEMORY;
    // SAFETY: main runs once, and nothing else names it.
    unsafe { &mut *memory }.learn(Adam::new(4e-3));
}
