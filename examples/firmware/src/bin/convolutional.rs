//! Trains the convolutional network of the digits on the chip, from the data in its flash.
//!
//! The last line is a hash of the weights: the same on every target, and on a server.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

#[allow(dead_code)]
#[path = "../../../../digits/src/convolutional.rs"]
mod convolutional;
#[path = "../../../../digits/src/data.rs"]
mod data;
#[allow(dead_code)]
#[path = "../../../../digits/src/training.rs"]
mod training;

use convolutional::{Convolutional, Network, PARAMS};
use data::{COUNT, DIGITS};
use gradus::noise::Dropout;
use gradus::schedule::Cosine;
use gradus::{Adam, AdamState, Error, Exec};
use gradus_firmware::println;
use training::{Batch, Chance, Model, Training, split};

gradus_firmware::board!(main);

const EPOCHS: u32 = 8;
const BATCH: usize = 8;

/// All that training needs, in `.bss`: three floats per parameter, a batch on its way, the order of the samples.
struct Memory {
    network: Network,
    state: AdamState<PARAMS>,
    batch: [<Convolutional as Model>::Memory; BATCH],
    order: [u16; COUNT],
}

static mut MEMORY: Memory = Memory {
    network: Network::new(),
    state: AdamState::new(),
    batch: [Convolutional::EMPTY; BATCH],
    order: [0; COUNT],
};

fn main() {
    let memory = &raw mut MEMORY;
    // SAFETY: main runs once, and nothing else names it.
    if let Err(error) = train(unsafe { &mut *memory }) {
        println!("{error}");
    }
}

fn train(memory: &mut Memory) -> Result<(), Error> {
    let Memory { network, state, batch, order } = memory;
    let mut chance = Chance::new(1);
    network.init(&mut chance.rng);
    let count = split(&DIGITS, order);
    let (train, test) = order.split_at_mut(count);
    let training = Training {
        exec: Exec::new(),
        optimizer: Adam::new(4e-3),
        schedule: Cosine::new(4e-3, EPOCHS * train.len().div_ceil(BATCH) as u32),
        dropout: Dropout::drop_prob(0.1),
    };
    let mut batch = Batch { memory: batch, labels: &mut [0; BATCH] };
    println!("{PARAMS} parameters, {} bytes of RAM, level {}", size_of::<Memory>(), training.exec.level());
    for epoch in 1..=EPOCHS {
        let loss = training.epoch(network, state, &mut chance, &mut batch, &DIGITS, train)?;
        let score = network.score(training.exec, &DIGITS, test)?;
        println!("epoch {epoch}: training loss {loss:.4}, test accuracy {:.2} %", 100.0 * score.accuracy);
    }
    println!("weights {:016x}", network.hash());
    Ok(())
}
