//! Trains the convolutional network of the digits for some steps, and hands it to the next machine: the file
//! `relay.gradus` has its weights, the state of Adam and the generator of dropout. What shuffles an epoch is drawn from
//! its number.
//!
//! `./ci.sh resume` lets a computer, a Cortex-M4F, a big-endian machine and a browser's machine take turns in the middle of
//! an epoch: the weights must be those of a computer alone.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

use gradus::noise::{Dropout, Masks};
use gradus::schedule::Cosine;
use gradus::{Adam, AdamState, Exec, store};
use gradus_firmware::convolutional::{Convolutional, Network, PARAMS};
use gradus_firmware::data::{COUNT, DIGITS};
use gradus_firmware::training::{Batch, Chance, Model, Training, shares, shuffle, split};
use gradus_firmware::{file, println};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

gradus_firmware::board!(main);

const FILE: &core::ffi::CStr = c"relay.gradus";
/// Steps of one turn: no number of turns is an epoch.
const STEPS: u32 = 50;
const BATCH: usize = 8;
/// A file: three numbers a parameter, and what stands around them.
const SIZE: usize = 12 * PARAMS + 512;

struct Memory {
    network: Network,
    state: AdamState<PARAMS>,
    batch: [<Convolutional as Model>::Memory; BATCH],
    order: [u16; COUNT],
    file: [u8; SIZE],
}

static mut MEMORY: Memory = Memory {
    network: Network::new(),
    state: AdamState::new(),
    batch: [const { Convolutional::EMPTY }; BATCH],
    order: [0; COUNT],
    file: [0; SIZE],
};

impl Memory {
    /// Goes on from the file of so many bytes, or begins if it is empty. How many bytes the new file has; 0 if it fails.
    fn turn(&mut self, length: usize) -> usize {
        let Self { network, state, batch, order, file } = self;
        let mut chance = Chance::new(1);
        if length == 0 {
            if network.init(&mut chance.rng).is_err() {
                return 0;
            }
        } else {
            let loaded = store::load((&mut network.params, &mut *state, &mut chance.masks), &file[..length]);
            if let Err(error) = loaded {
                println!("not loaded: {error}");
                return 0;
            }
        }
        if train(network, state, &mut chance.masks, batch, order).is_err() {
            return 0;
        }
        println!("{} steps on {}: weights {:016x}", state.t(), Exec::new().level(), network.hash());
        store::save((&network.params, &*state, &chance.masks), file).map_or(0, <[u8]>::len)
    }
}

fn train(
    network: &mut Network,
    state: &mut AdamState<PARAMS>,
    masks: &mut Masks,
    memory: &mut [<Convolutional as Model>::Memory; BATCH],
    order: &mut [u16; COUNT],
) -> Result<(), gradus::Error> {
    let optimizer = Adam::new(4e-3);
    let training = Training {
        exec: Exec::new(),
        optimizer,
        schedule: Cosine::new(optimizer.lr, 1000),
        dropout: Dropout::drop_prob(0.1),
    };
    let mut batch = Batch { memory, labels: &mut [0; BATCH] };
    let end = state.t() + STEPS;
    while state.t() < end {
        let count = split(&DIGITS, order);
        let (train, steps) = (&mut order[..count], count.div_ceil(BATCH) as u32);
        shuffle(train, &mut Xoshiro128PlusPlus::seed_from_u64((state.t() / steps).into()));
        let done = (state.t() % steps) as usize;
        for part in shares(train, BATCH).skip(done).take((end - state.t()) as usize) {
            training.step(network, state, masks, &mut batch, &DIGITS, part)?;
        }
    }
    Ok(())
}

fn main() {
    let memory = &raw mut MEMORY;
    // SAFETY: main runs once, and nothing else names it.
    let memory = unsafe { &mut *memory };
    let length = file::read(FILE, &mut memory.file).map_or(0, <[u8]>::len);
    let length = memory.turn(length);
    file::write(FILE, &memory.file[..length]);
}

/// For WebAssembly, which has no files: where to put one, and how long it may be.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
extern "C" fn place() -> *mut u8 {
    (&raw mut MEMORY).cast::<u8>().wrapping_add(core::mem::offset_of!(Memory, file))
}

/// A turn on the file of so many bytes there; how many the new one has.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
extern "C" fn turn(length: usize) -> usize {
    let memory = &raw mut MEMORY;
    // SAFETY: a module runs one call at a time.
    unsafe { &mut *memory }.turn(length)
}
