//! A classifier of vibrations that learns on the device and keeps what it has learnt over a power cut.
//!
//! Everything but the chip: the accelerometer and the flash are traits. `src/bin/nrf52840.rs` runs it on a board,
//! `src/bin/emulated.rs` on an emulated one and on a computer, over a flash that loses its power at any word.
#![no_std]

pub mod simulated;

use embedded_storage_async::nor_flash::NorFlash;
use gradus::layer::Dense;
use gradus::store::{self, AsyncJournal, JournalError};
use gradus::{Adam, AdamState, Exec, Optimizer, activation, init, loss};
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// Samples of a window, and axes of a sample.
pub const SAMPLES: usize = 64;
pub const AXES: usize = 3;
/// Vibrations that it tells apart.
pub const CLASSES: usize = 3;

pub type Window = [[f32; AXES]; SAMPLES];

const FEATURES: usize = 3 * AXES;
const HIDDEN: Dense = Dense::new(FEATURES, 16);
const OUTPUT: Dense = Dense::new(16, CLASSES);
const PARAMS: usize = HIDDEN.params() + OUTPUT.params();
const ADAM: Adam = Adam::new(0.01);

/// Bytes of what it keeps in flash.
pub const FILE: usize = store::file_size_of::<([f32; PARAMS], AdamState<PARAMS>)>();

/// Where windows come from.
#[allow(async_fn_in_trait)] // one task uses it
pub trait Sensor {
    /// The next window, and its class where somebody says what it is.
    async fn window(&mut self, to: &mut Window) -> Option<u8>;
    /// What it is taken for, where nobody has said it.
    fn show(&mut self, class: usize);
}

/// The network, its optimizer's state, and room for gradients: all zero bits, for a `static`.
pub struct Learner {
    params: [f32; PARAMS],
    grads: [f32; PARAMS],
    state: AdamState<PARAMS>,
}

impl Learner {
    #[must_use]
    pub const fn new() -> Self {
        Self { params: [0.0; PARAMS], grads: [0.0; PARAMS], state: AdamState::new() }
    }

    /// Random weights, where flash has none.
    ///
    /// # Errors
    /// None: the sizes fit.
    fn begin(&mut self) -> Result<(), gradus::Error> {
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(7);
        let (hidden, output) = self.params.split_at_mut(HIDDEN.params());
        init::he_uniform(&mut rng, FEATURES, HIDDEN.weights_mut(hidden)?);
        init::he_uniform(&mut rng, 16, OUTPUT.weights_mut(output)?);
        Ok(())
    }

    /// Windows learnt from, over all runs.
    #[must_use]
    pub const fn windows(&self) -> u32 {
        self.state.t()
    }

    /// The class of a window.
    ///
    /// # Errors
    /// None: the sizes fit.
    pub fn class(&self, window: &Window) -> Result<usize, gradus::Error> {
        let (x, mut h, mut scores) = (features(window), [0.0; 16], [0.0; CLASSES]);
        self.forward(&x, &mut h, &mut scores)?;
        Ok(loss::argmax(&scores))
    }

    /// Learns that a window is of a class; the loss was before.
    ///
    /// # Errors
    /// [`gradus::Error::Shape`] if there is no such class.
    pub fn learn(&mut self, window: &Window, class: u8) -> Result<f32, gradus::Error> {
        let (x, mut h, mut scores, mut dh) = (features(window), [0.0; 16], [0.0; CLASSES], [0.0; 16]);
        self.forward(&x, &mut h, &mut scores)?;
        let loss = loss::softmax_cross_entropy(Exec::new(), &mut scores, &[class])?;
        self.grads.fill(0.0);
        let (hidden, output) = self.params.split_at(HIDDEN.params());
        let (hidden_grads, output_grads) = self.grads.split_at_mut(HIDDEN.params());
        OUTPUT.backward(output, output_grads, &h, &scores, Some(&mut dh))?;
        activation::relu_backward(Exec::new(), &mut dh, &h)?;
        HIDDEN.backward(hidden, hidden_grads, &x, &dh, None)?;
        // A window with a NaN, of a sensor that failed, is skipped.
        ADAM.step_if_finite(&mut self.params, &self.grads, self.state.as_mut())?;
        Ok(loss)
    }

    fn forward(
        &self,
        x: &[f32; FEATURES],
        h: &mut [f32; 16],
        scores: &mut [f32; CLASSES],
    ) -> Result<(), gradus::Error> {
        let (hidden, output) = self.params.split_at(HIDDEN.params());
        HIDDEN.forward(hidden, x, h)?;
        activation::relu(Exec::new(), h);
        OUTPUT.forward(output, h, scores)
    }
}

impl Default for Learner {
    fn default() -> Self {
        Self::new()
    }
}

/// The mean of each axis, its mean distance from that, and its largest change from one sample to the next.
fn features(window: &Window) -> [f32; FEATURES] {
    let mut features = [0.0; FEATURES];
    for (axis, x) in features.chunks_exact_mut(3).enumerate() {
        let values = || window.iter().map(|sample| sample[axis]);
        let mean = values().sum::<f32>() / SAMPLES as f32;
        let spread = values().map(|value| (value - mean).abs()).sum::<f32>() / SAMPLES as f32;
        let change = values().zip(values().skip(1)).map(|(a, b)| (b - a).abs()).fold(0.0, f32::max);
        x.copy_from_slice(&[mean, spread, change]);
    }
    features
}

/// Learns from windows with a class, classifies the others, and saves every `every` windows; until `windows` are learnt.
///
/// # Errors
/// Those of the flash. The newest file is whole in any case.
pub async fn run<F: NorFlash>(
    learner: &mut Learner,
    sensor: &mut impl Sensor,
    journal: &mut AsyncJournal<F>,
    every: u32,
    windows: u32,
) -> Result<(), JournalError<F::Error>> {
    let mut buffer = [0; FILE];
    if !journal.load((&mut learner.params, &mut learner.state), &mut buffer).await? {
        learner.begin().expect("the sizes fit");
    }
    let mut window = [[0.0; AXES]; SAMPLES];
    while learner.windows() < windows {
        match sensor.window(&mut window).await {
            Some(class) => {
                let before = learner.windows();
                let learnt = learner.learn(&window, class).is_ok() && learner.windows() > before;
                if learnt && learner.windows().is_multiple_of(every) {
                    journal.save((&learner.params, &learner.state)).await?;
                }
            }
            None => {
                if let Ok(class) = learner.class(&window) {
                    sensor.show(class);
                }
            }
        }
    }
    Ok(())
}
