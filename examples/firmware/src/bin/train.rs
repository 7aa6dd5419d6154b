//! Trains the network of the digits training on the chip, from the data in its flash.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

use gradus::Adam;
use gradus_firmware::Memory;
use gradus_firmware::network::{Lecture, PARAMS};

gradus_firmware::board!(main);

static mut MEMORY: Memory<Lecture, Adam, PARAMS, 16> = Memory::new();

fn main() {
    let memory = &raw mut MEMORY;
    // SAFETY: main runs once, and nothing else names it.
    unsafe { &mut *memory }.learn(Adam::new(4e-3));
}
