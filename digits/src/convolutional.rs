//! A small convolutional network on the same digits, over the layers of the crate.
//!
//! ```text
//! c1 = pool(relu(conv(x)))                 8 x 8 pixels -> 8 x 8 x 8 -> 4 x 4 x 8
//! c2 = dropout(relu(conv(c1)))             -> 4 x 4 x 16
//! p  = softmax(c2 W + b)                   256 -> 10 classes
//! ```
//!
//! Both kernels are 3 x 3, with zeros around the image.

use super::training::{CLASSES, Model, PIXELS};
use gradus::activation::{relu, relu_backward};
use gradus::layer::{Conv2d, Dense, MaxPool2d};
use gradus::loss::softmax_cross_entropy;
use gradus::noise::{Dropout, Masks};
use gradus::{Error, Exec, Rule, Stored, Update, init};
use rand_core::Rng;

/// The first convolution.
pub const CONV1: Conv2d = Conv2d::new([8, 8, 1], 8, [3, 3]).padding([1, 1]);
/// The pooling behind it.
pub const POOL: MaxPool2d = MaxPool2d::new(CONV1.output(), [2, 2]);
/// The second convolution.
pub const CONV2: Conv2d = Conv2d::new(POOL.output(), 16, [3, 3]).padding([1, 1]);
/// The scores.
pub const DENSE: Dense = Dense::new(CONV2.outputs(), CLASSES);
const LAYERS: [usize; 3] = [CONV1.params(), CONV2.params(), DENSE.params()];

/// Parameters of the network: of each layer the biases, then the weights.
pub const PARAMS: usize = LAYERS[0] + LAYERS[1] + LAYERS[2];

/// Numbers of a sample: pixels, the results of all layers, and the gradients of all but the last.
const NUMBERS: usize = PIXELS + 2 * (CONV1.outputs() + POOL.outputs() + CONV2.outputs()) + CLASSES;

/// The layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Convolutional;

/// The network.
pub type Network = super::training::Network<Convolutional, PARAMS>;

/// A batch on its way through the layers.
struct Tape<'a> {
    x: &'a mut [f32],
    c1: [&'a mut [f32]; 2],
    pooled: [&'a mut [f32]; 2],
    c2: [&'a mut [f32]; 2],
    scores: &'a mut [f32],
}

impl<'a> Tape<'a> {
    fn new(memory: &'a mut [[f32; NUMBERS]]) -> Self {
        let (n, mut rest) = (memory.len(), memory.as_flattened_mut());
        let mut cut = |numbers: usize| {
            let (first, others) = core::mem::take(&mut rest).split_at_mut(n * numbers);
            rest = others;
            first
        };
        Self {
            x: cut(PIXELS),
            c1: [cut(CONV1.outputs()), cut(CONV1.outputs())],
            pooled: [cut(POOL.outputs()), cut(POOL.outputs())],
            c2: [cut(CONV2.outputs()), cut(CONV2.outputs())],
            scores: cut(CLASSES),
        }
    }
}

impl Model for Convolutional {
    type Memory = [f32; NUMBERS];
    const EMPTY: Self::Memory = [0.0; NUMBERS];

    fn init(params: &mut [f32], rng: &mut impl Rng) -> Result<(), Error> {
        let (p1, rest) = params.split_at_mut(LAYERS[0]);
        let (p2, p3) = rest.split_at_mut(LAYERS[1]);
        init::he_uniform(rng, CONV1.fan_in(), CONV1.weights_mut(p1)?);
        init::he_uniform(rng, CONV2.fan_in(), CONV2.weights_mut(p2)?);
        init::he_uniform(rng, DENSE.inputs, DENSE.weights_mut(p3)?);
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
        let Tape { x, c1: [c1, _], pooled: [pooled, _], c2: [c2, _], scores } = Tape::new(memory);
        let (p1, rest) = params.split_at(LAYERS[0]);
        let (p2, p3) = rest.split_at(LAYERS[1]);
        CONV1.on(exec).forward(p1, x, c1)?;
        relu(exec, c1);
        POOL.on(exec).forward(c1, pooled)?;
        CONV2.on(exec).forward(p2, pooled, c2)?;
        dropout.on(exec).relu_forward(&mut *c2, masks)?;
        DENSE.on(exec).forward(p3, c2, scores)?;
        Ok(scores)
    }

    fn backward<R: Rule + Copy, M: Stored>(
        exec: Exec,
        update: Update<'_, R, R, M>,
        memory: &mut [Self::Memory],
        labels: &[u8],
        dropout: Dropout,
    ) -> Result<f32, Error> {
        let Tape { x, c1: [c1, dc1], pooled: [pooled, d_pooled], c2: [c2, dc2], scores } = Tape::new(memory);
        let [u1, u2, u3] = update.split(LAYERS)?;
        let loss = softmax_cross_entropy(exec, scores, labels)?;
        DENSE.on(exec).backward_step(u3, c2, scores, Some(dc2))?;
        dropout.on(exec).relu_backward(&mut *dc2, c2)?;
        CONV2.on(exec).backward_step(u2, pooled, dc2, Some(d_pooled))?;
        POOL.on(exec).backward(c1, pooled, d_pooled, dc1)?;
        relu_backward(exec, dc1, c1)?;
        CONV1.on(exec).backward_step(u1, x, dc1, None)?;
        Ok(loss)
    }
}
