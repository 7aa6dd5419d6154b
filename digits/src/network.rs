//! The lecture's network, over the layers of the crate.
//!
//! ```text
//! h1 = dropout(relu(x W1 + b1))            64 pixels -> 64 units
//! h2 = dropout(relu(h1 W2 + b2))           64 -> 32 units
//! p  = softmax(h2 W3 + b3)                 32 -> 10 classes
//! loss = -ln p[label]
//! ```

use super::training::{CLASSES, Model, PIXELS};
use gradus::layer::Dense;
use gradus::loss::softmax_cross_entropy;
use gradus::noise::{Dropout, Masks};
use gradus::{Error, Exec, Rule, Stored, Update, init};
use rand_core::Rng;

/// Units of the first hidden layer.
pub const HIDDEN1: usize = 64;
/// Units of the second hidden layer.
pub const HIDDEN2: usize = 32;

const L1: Dense = Dense::new(PIXELS, HIDDEN1);
const L2: Dense = Dense::new(HIDDEN1, HIDDEN2);
const L3: Dense = Dense::new(HIDDEN2, CLASSES);
const LAYERS: [usize; 3] = [L1.params(), L2.params(), L3.params()];

/// Parameters of the network: of each layer the biases, then a row of weights for each input.
pub const PARAMS: usize = LAYERS[0] + LAYERS[1] + LAYERS[2];

/// Numbers of a sample behind the first hidden layer: the second and the scores, later the gradient of the first.
const LATE: usize = if HIDDEN1 > HIDDEN2 + CLASSES { HIDDEN1 } else { HIDDEN2 + CLASSES };

/// Numbers of a sample: pixels, both hidden layers and their gradients, scores, some of them in turns.
const NUMBERS: usize = PIXELS + HIDDEN1 + LATE + HIDDEN2;

/// The three layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Lecture;

/// The network.
pub type Network = super::training::Network<Lecture, PARAMS>;

/// A batch on its way through the layers.
struct Tape<'a> {
    x: &'a mut [f32],
    h1: &'a mut [f32],
    late: &'a mut [f32],
    dh2: &'a mut [f32],
}

impl<'a> Tape<'a> {
    fn new(memory: &'a mut [[f32; NUMBERS]]) -> Self {
        let (n, rest) = (memory.len(), memory.as_flattened_mut());
        let (x, rest) = rest.split_at_mut(n * PIXELS);
        let (h1, rest) = rest.split_at_mut(n * HIDDEN1);
        let (late, dh2) = rest.split_at_mut(n * LATE);
        Self { x, h1, late, dh2 }
    }
}

/// The second hidden layer and the scores of `n` samples.
fn last(late: &mut [f32], n: usize) -> [&mut [f32]; 2] {
    let (h2, rest) = late.split_at_mut(n * HIDDEN2);
    [h2, rest.split_at_mut(n * CLASSES).0]
}

impl Model for Lecture {
    type Memory = [f32; NUMBERS];
    const EMPTY: Self::Memory = [0.0; NUMBERS];

    fn init(params: &mut [f32], rng: &mut impl Rng) -> Result<(), Error> {
        let (p1, rest) = params.split_at_mut(LAYERS[0]);
        let (p2, p3) = rest.split_at_mut(LAYERS[1]);
        for (layer, params) in [(L1, p1), (L2, p2), (L3, p3)] {
            init::he_uniform(rng, layer.inputs, layer.weights_mut(params)?);
        }
        Ok(())
    }

    fn pixels(memory: &mut [Self::Memory]) -> &mut [f32] {
        Tape::new(memory).x
    }

    fn forward<'a>(
        exec: Exec,
        params: &[f32],
        memory: &'a mut [Self::Memory],
        dropout: Dropout,
        masks: &mut Masks,
    ) -> Result<&'a mut [f32], Error> {
        let n = memory.len();
        let Tape { x, h1, late, .. } = Tape::new(memory);
        let [h2, scores] = last(late, n);
        let (p1, rest) = params.split_at(LAYERS[0]);
        let (p2, p3) = rest.split_at(LAYERS[1]);
        L1.on(exec).forward(p1, x, h1)?;
        dropout.on(exec).relu_forward(&mut *h1, &mut *masks)?;
        L2.on(exec).forward(p2, h1, h2)?;
        dropout.on(exec).relu_forward(&mut *h2, masks)?;
        L3.on(exec).forward(p3, h2, scores)?;
        Ok(scores)
    }

    fn backward<R: Rule + Copy, M: Stored>(
        exec: Exec,
        update: Update<'_, R, R, M>,
        memory: &mut [Self::Memory],
        labels: &[u8],
        dropout: Dropout,
    ) -> Result<f32, Error> {
        let n = memory.len();
        let Tape { x, h1, late, dh2 } = Tape::new(memory);
        let [update, u3] = update.split([LAYERS[0] + LAYERS[1], LAYERS[2]])?;
        let [h2, scores] = last(late, n);
        let loss = softmax_cross_entropy(exec, scores, labels)?;
        L3.on(exec).backward_step(u3, h2, scores, Some(dh2))?;
        dropout.on(exec).relu_backward(&mut *dh2, h2)?;
        let [u1, u2] = update.split([LAYERS[0], LAYERS[1]])?;
        let (dh1, _) = late.split_at_mut(n * HIDDEN1);
        L2.on(exec).backward_step(u2, h1, dh2, Some(dh1))?;
        dropout.on(exec).relu_backward(&mut *dh1, h1)?;
        L1.on(exec).backward_step(u1, x, dh1, None)?;
        Ok(loss)
    }
}
