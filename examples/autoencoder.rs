//! A sensor node that learns what is normal, sample by sample, and goes on after a power cut.
//!
//! `cargo run --release --example autoencoder --features journal`
//!
//! Windows of 16 readings of a vibration pass through an autoencoder, 16 -> 6 -> 16. What it cannot reproduce is not
//! normal. Each window is learned as it comes, by `backward_step`: no gradients lie in memory. A window with a reading that
//! is no number is skipped, and one with a spike pulls no more than Huber's loss lets it. Every 500 windows parameters and
//! state of the optimizer go to a journal in flash, from which the node begins again.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use gradus::layer::Dense;
use gradus::store::Journal;
use gradus::{Adam, AdamState, Error, Exec, Optimizer, activation, count_non_finite, init, loss};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

const WINDOW: usize = 16;
const CODE: usize = 6;
const ENCODER: Dense = Dense::new(WINDOW, CODE);
const DECODER: Dense = Dense::new(CODE, WINDOW);
const LAYERS: [usize; 2] = [ENCODER.params(), DECODER.params()];
const PARAMS: usize = LAYERS[0] + LAYERS[1];

/// All that the node remembers.
struct Node {
    params: [f32; PARAMS],
    state: AdamState<PARAMS>,
}

/// What became of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    /// Learned; how badly it was reproduced before.
    Learned(f32),
    /// A reading was no number: nothing has changed.
    Skipped,
}

impl Node {
    fn new() -> Result<Self, Error> {
        let (mut params, mut rng) = ([0.0; PARAMS], Xoshiro128PlusPlus::seed_from_u64(1));
        let (encoder, decoder) = params.split_at_mut(LAYERS[0]);
        init::glorot_uniform(&mut rng, WINDOW, CODE, ENCODER.weights_mut(encoder)?);
        init::glorot_uniform(&mut rng, CODE, WINDOW, DECODER.weights_mut(decoder)?);
        Ok(Self { params, state: AdamState::new() })
    }

    fn forward(&self, x: &[f32; WINDOW]) -> Result<([f32; CODE], [f32; WINDOW]), Error> {
        let (mut code, mut y) = ([0.0; CODE], [0.0; WINDOW]);
        let (encoder, decoder) = self.params.split_at(LAYERS[0]);
        ENCODER.forward(encoder, x, &mut code)?;
        activation::tanh(Exec::new(), &mut code);
        DECODER.forward(decoder, &code, &mut y)?;
        Ok((code, y))
    }

    /// How badly a window is reproduced.
    fn strangeness(&self, x: &[f32; WINDOW]) -> Result<f32, Error> {
        loss::mean_squared_error(Exec::new(), &mut self.forward(x)?.1, x)
    }

    fn learn(&mut self, x: &[f32; WINDOW]) -> Result<Seen, Error> {
        let exec = Exec::new();
        if count_non_finite(exec, x) > 0 {
            return Ok(Seen::Skipped);
        }
        let (code, mut y) = self.forward(x)?;
        let value = loss::huber(exec, 0.5, &mut y, x)?; // y is its gradient now
        let mut d_code = [0.0; CODE];
        let [encoder, decoder] = Adam::new(2e-3).update(&mut self.params, &mut self.state).split(LAYERS)?;
        DECODER.backward_step(decoder, &code, &y, Some(&mut d_code))?;
        activation::tanh_backward(exec, &mut d_code, &code)?;
        ENCODER.backward_step(encoder, x, &d_code, None)?;
        Ok(Seen::Learned(value))
    }
}

/// The machine: a vibration with its harmonic, at any phase, and some noise.
struct Machine {
    rng: Xoshiro128PlusPlus,
    /// Strength of a third vibration, of a bearing that is worn.
    worn: f32,
}

impl Machine {
    fn uniform(&mut self) -> f32 {
        (self.rng.next_u32() >> 8) as f32 / 16_777_216.0
    }

    fn window(&mut self) -> [f32; WINDOW] {
        let (phase, strength) = (self.uniform(), 0.6 + 0.2 * self.uniform());
        let wave = |turns: f32| (std::f32::consts::TAU * turns).sin();
        std::array::from_fn(|k| {
            let t = k as f32 / WINDOW as f32 + phase;
            let noise = 0.05 * (self.uniform() - 0.5);
            strength * wave(t) + 0.3 * wave(2.0 * t + 0.2) + self.worn * wave(5.0 * t) + noise
        })
    }
}

/// Two blocks of flash: erased, a byte is 255; writing only clears bits.
struct Flash([u8; 2 * Flash::ERASE_SIZE]);

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl Flash {
    fn place(&mut self, at: u32, n: usize) -> Result<&mut [u8], NorFlashErrorKind> {
        self.0.get_mut(at as usize..at as usize + n).ok_or(NorFlashErrorKind::OutOfBounds)
    }
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 4;
    fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        bytes.copy_from_slice(self.place(at, bytes.len())?);
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        self.place(from, (to - from) as usize)?.fill(0xff);
        Ok(())
    }
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        self.place(at, bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut machine = Machine { rng: Xoshiro128PlusPlus::seed_from_u64(2), worn: 0.0 };
    let mut journal = Journal::open(Flash([0xff; 2 * Flash::ERASE_SIZE]), 0..2 * Flash::ERASE_SIZE as u32)?;
    let mut node = Node::new()?;
    let (mut skipped, mut mean) = (0, 0.0);
    for window in 1..=4000 {
        let mut x = machine.window();
        match window % 97 {
            0 => x[3] = f32::NAN, // the sensor did not answer
            50 => x[7] = 40.0,    // a spike on the line
            _ => {}
        }
        match node.learn(&x)? {
            Seen::Learned(value) => mean = 0.99 * mean + 0.01 * value,
            Seen::Skipped => skipped += 1,
        }
        if window % 500 == 0 {
            journal.save((&node.params, &node.state))?;
            println!("window {window}: loss {mean:.5}, {skipped} skipped, {} steps saved", node.state.t());
        }
        if window == 2750 {
            let before = node.state.t();
            node = Node::new()?; // the power was cut
            assert!(journal.load((&mut node.params, &mut node.state))?, "a file is there");
            println!("window {window}: power cut; of {before} steps {} are there again", node.state.t());
        }
    }
    let typical = |machine: &mut Machine| -> Result<f32, Error> {
        let mut sum = 0.0;
        for _ in 0..100 {
            sum += node.strangeness(&machine.window())?;
        }
        Ok(sum / 100.0)
    };
    let normal = typical(&mut machine)?;
    machine.worn = 0.3;
    let worn = typical(&mut machine)?;
    println!(
        "squared error of normal windows {normal:.5}, with a worn bearing {worn:.5}: {:.0} times",
        worn / normal
    );
    assert!(worn > 5.0 * normal, "the wear shows");
    Ok(())
}
