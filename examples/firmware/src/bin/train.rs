//! Trains the network of the digits training on the chip, from the data in its flash.
//!
//! The last line is a hash of the weights: the same on every target, and on a server.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

#[path = "../../../../digits/src/data.rs"]
mod data;
#[allow(dead_code)]
#[path = "../../../../digits/src/network.rs"]
mod network;

use data::{COUNT, DIGITS};
use gradus::noise::Dropout;
use gradus::schedule::Cosine;
use gradus::{Adam, AdamState, Error, Level};
use gradus_firmware::println;
use network::{Chance, Network, PARAMS, Training, split};

gradus_firmware::board!(main);

const EPOCHS: u32 = 8;
const BATCH: usize = 16;

/// All that training needs, in `.bss`: four floats per parameter, and the order of the samples.
struct Memory {
    network: Network,
    state: AdamState<PARAMS>,
    order: [u16; COUNT],
}

static mut MEMORY: Memory = Memory { network: Network::new(), state: AdamState::new(), order: [0; COUNT] };

fn main() {
    let memory = &raw mut MEMORY;
    // SAFETY: main runs once, and nothing else names it.
    let Memory { network, state, order } = unsafe { &mut *memory };
    if let Err(error) = train(network, state, order) {
        println!("{error}");
    }
}

fn train(network: &mut Network, state: &mut AdamState<PARAMS>, order: &mut [u16]) -> Result<(), Error> {
    let mut chance = Chance::new(1);
    network.init(&mut chance.rng);
    let count = split(&DIGITS, order);
    let (train, test) = order.split_at_mut(count);
    let training = Training {
        level: Level::detect(),
        optimizer: Adam::new(4e-3),
        schedule: Cosine::new(4e-3, EPOCHS * train.len().div_ceil(BATCH) as u32),
        batch: BATCH,
        dropout: Dropout::drop_prob(0.1),
    };
    println!("{PARAMS} parameters, {} bytes of RAM, level {}", size_of::<Memory>(), training.level);
    for epoch in 1..=EPOCHS {
        let loss = training.epoch(network, state, &mut chance, &DIGITS, train)?;
        let score = network.score(training.level, &DIGITS, test)?;
        println!("epoch {epoch}: training loss {loss:.4}, test accuracy {:.2} %", 100.0 * score.accuracy);
    }
    println!("weights {:016x}", network.hash());
    Ok(())
}
