//! The smallest firmware that learns: all it needs is one `static`, whose zero bits lie in `.bss`.
//!
//! A sensor is calibrated while it runs: `offset` and `gain` follow a reference that is read beside it.
//! The same file runs here and, as a binary of `examples/firmware`, on a Cortex-M4F under QEMU:
//!
//! ```text
//! cargo run --example static_mcu
//! cd examples/firmware && cargo run --release --target thumbv7em-none-eabihf --bin static_mcu
//! ```
#![cfg_attr(target_os = "none", no_std, no_main)]

use gradus::{Adam, AdamState, Optimizer};
#[cfg(target_os = "none")]
use gradus_firmware::{board, println};
use static_cell::ConstStaticCell;

const ADAM: Adam = Adam::new(0.02);

struct Calibration {
    weights: [f32; 2], // offset, gain
    state: AdamState<2>,
}

impl Calibration {
    const fn new() -> Self {
        Self { weights: [0.0; 2], state: AdamState::new() }
    }

    /// One step on the squared error of one reading.
    fn learn(&mut self, sensor: f32, reference: f32) {
        let [offset, gain] = self.weights;
        let error = offset + gain * sensor - reference;
        ADAM.step(&mut self.weights, &[error, error * sensor], &mut self.state);
    }
}

static CALIBRATION: ConstStaticCell<Calibration> = ConstStaticCell::new(Calibration::new());

#[cfg(target_os = "none")]
board!(main);

fn main() {
    let calibration = CALIBRATION.take(); // the only one: a second call would panic
    for t in 0..2000_u32 {
        let sensor = (t * 5 % 16) as f32 / 8.0 - 1.0; // stands for the two converters
        calibration.learn(sensor, 1.25 * sensor - 0.5);
    }
    let [offset, gain] = calibration.weights;
    println!("offset {offset:.4}, gain {gain:.4}; {} bytes of RAM", size_of::<Calibration>());
}
