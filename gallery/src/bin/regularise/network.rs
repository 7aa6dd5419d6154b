//! A network of three dense layers with every regulariser of the crate, and its training.
//!
//! ```text
//! h = dropout(relu(norm(W x + b)))      64 pixels -> 64 -> 32, then 10 scores
//! ```

use digits::training::{PIXELS, Sample};
use gradus::augment::{Image, ImageLayout, ImageMut, ImageShape, RandomAffine};
use gradus::loss::softmax;
use gradus::noise::{Dropout, Masks};
use gradus::norm::{BatchNorm, BatchShape, Params, Statistics};
use gradus::schedule::{Cosine, Schedule};
use gradus::transform::{L2, ProxL1};
use gradus::{Columns, Error, Exec, Level, Nesterov, Optimizer, Rule, StateVec, Vector, Width, dot, run};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

const SIZES: [usize; 4] = [PIXELS, 64, 32, 10];
const LAYERS: usize = SIZES.len() - 1;

/// What keeps the network from learning its samples by heart; by default nothing.
#[derive(Clone, Copy, Default, PartialEq)]
pub struct Regulariser {
    /// Strength of the squared penalty on the weights.
    pub l2: f32,
    /// Strength of the absolute penalty, as a proximal step.
    pub l1: f32,
    /// Probability to drop a hidden unit.
    pub drop_prob: f32,
    /// Whether hidden layers are normalised.
    pub batch_norm: bool,
    /// How far images are moved: 1 is up to a pixel, 10 degrees, and a tenth in size and slant.
    pub augment: f32,
}

/// How long, and how fast.
#[derive(Clone, Copy)]
pub struct Job {
    pub epochs: u32,
    pub batch: usize,
    pub lr: f32,
}

/// One dense layer; the penalties are for `w` alone.
struct Dense {
    inputs: usize,
    w: Vec<f32>,
    /// Biases, and the scale and shift of the normalisation.
    rest: [Vec<f32>; 3],
    running: StateVec<BatchNorm>,
    state_w: StateVec<Nesterov>,
    state_rest: [StateVec<Nesterov>; 3],
}

/// What a layer's forward pass leaves for its backward pass, for a batch.
#[derive(Default)]
struct Tape {
    input: Vec<f32>,
    sums: Vec<f32>,
    batch: Statistics<Vec<f32>>,
    output: Vec<f32>,
}

pub struct Network {
    layers: Vec<Dense>,
    regulariser: Regulariser,
}

const NORM: BatchNorm = BatchNorm::new();

impl Network {
    /// Weights as by He et al. (2015).
    pub fn new(regulariser: Regulariser, rng: &mut Xoshiro128PlusPlus) -> Self {
        let layer = |k: usize, rng: &mut Xoshiro128PlusPlus| {
            let (inputs, outputs) = (SIZES[k], SIZES[k + 1]);
            let bound = (6.0 / inputs as f32).sqrt();
            Dense {
                inputs,
                w: (0..inputs * outputs).map(|_| bound * (2.0 * unit(rng) - 1.0)).collect(),
                rest: [vec![0.0; outputs], vec![1.0; outputs], vec![0.0; outputs]],
                running: StateVec::new(outputs),
                state_w: StateVec::new(inputs * outputs),
                state_rest: std::array::from_fn(|_| StateVec::new(outputs)),
            }
        };
        Self { layers: (0..LAYERS).map(|k| layer(k, rng)).collect(), regulariser }
    }

    /// From a batch of images to their scores. With masks it is a training pass, without one for the test.
    fn forward(&mut self, images: Vec<f32>, mut masks: Option<&mut Masks>) -> Result<Vec<Tape>, Error> {
        let batch = images.len() / PIXELS;
        let dropout =
            Dropout::drop_prob(if masks.is_some() { self.regulariser.drop_prob.into() } else { 0.0 });
        let mut tapes = Vec::new();
        let mut input = images;
        for (k, layer) in self.layers.iter_mut().enumerate() {
            let [bias, weight, shift] = &layer.rest;
            let outputs = bias.len();
            let mut tape = Tape { input, ..Tape::default() };
            for x in tape.input.chunks(layer.inputs) {
                for (row, b) in layer.w.chunks(layer.inputs).zip(bias) {
                    tape.sums.push(dot(Level::detect(), row, x)? + b);
                }
            }
            tape.output = tape.sums.clone();
            if k + 1 < LAYERS {
                if self.regulariser.batch_norm {
                    let shape = BatchShape::dense(batch, outputs);
                    let params = Params { weight: &weight[..], bias: &shift[..] };
                    if masks.is_some() {
                        tape.batch = Statistics { mean: vec![0.0; outputs], variance: vec![0.0; outputs] };
                        NORM.forward(shape, &tape.sums, &mut tape.output, &params, &mut tape.batch)?;
                        NORM.track(shape, &tape.batch, layer.running.as_mut())?;
                    } else {
                        NORM.inference(shape, &mut tape.output, &params, &layer.running)?;
                    }
                }
                let output = &mut tape.output[..];
                match &mut masks {
                    Some(masks) => dropout.relu_forward(output, &mut **masks)?,
                    None => dropout.relu_forward(output, &mut Masks::default())?,
                }
            }
            input = tape.output.clone();
            tapes.push(tape);
        }
        Ok(tapes)
    }

    /// One step: `grads` are those with respect to the scores, for the mean loss of the batch.
    fn step(&mut self, lr: f32, tapes: &[Tape], mut grads: Vec<f32>) -> Result<(), Error> {
        let Regulariser { l2, l1, drop_prob, batch_norm, .. } = self.regulariser;
        let optimizer = Nesterov::new(lr);
        for (k, (layer, tape)) in self.layers.iter_mut().zip(tapes).enumerate().rev() {
            let outputs = layer.rest[0].len();
            let mut grad_rest = [vec![0.0; outputs], vec![0.0; outputs], vec![0.0; outputs]];
            let [grad_bias, grad_weight, grad_shift] = &mut grad_rest;
            if k + 1 < LAYERS {
                Dropout::drop_prob(drop_prob.into()).relu_backward(&mut grads[..], &tape.output)?;
                if batch_norm {
                    let shape = BatchShape::dense(tape.sums.len() / outputs, outputs);
                    let params = Params { weight: &layer.rest[1][..], bias: &layer.rest[2] };
                    let mut grad_params = Params { weight: &mut grad_weight[..], bias: &mut grad_shift[..] };
                    NORM.backward(shape, &mut grads, &tape.sums, &params, &tape.batch, &mut grad_params)?;
                }
            }
            let mut grad_w = vec![0.0; layer.w.len()];
            let mut grad_input = vec![0.0; tape.input.len()];
            let rows = tape.input.chunks(layer.inputs).zip(grad_input.chunks_mut(layer.inputs));
            for ((x, grad_x), g) in rows.zip(grads.chunks(outputs)) {
                let weights = layer.w.chunks(layer.inputs).zip(grad_w.chunks_mut(layer.inputs));
                for (((w, grad_w), g), grad_bias) in weights.zip(g).zip(&mut *grad_bias) {
                    add_scaled(*g, x, grad_w)?;
                    add_scaled(*g, w, grad_x)?;
                    *grad_bias += g;
                }
            }
            let penalised = optimizer.with((L2::new(l2), ProxL1::new(l1)));
            penalised.step_slices(&mut layer.w, &grad_w, layer.state_w.as_mut())?;
            for ((x, g), state) in layer.rest.iter_mut().zip(&grad_rest).zip(&mut layer.state_rest) {
                optimizer.step_slices(x, g, state.as_mut())?;
            }
            grads = grad_input;
        }
        Ok(())
    }

    /// Share of the samples that are classified right.
    pub fn accuracy(&mut self, samples: &[Sample]) -> Result<f64, Error> {
        let images = samples.iter().flat_map(|sample| sample.pixels).map(grey).collect();
        let tapes = self.forward(images, None)?;
        let scores = tapes[LAYERS - 1].output.chunks(SIZES[LAYERS]);
        let right = scores
            .zip(samples)
            .filter(|(scores, sample)| gradus::ensemble::argmax(scores) == Some(usize::from(sample.label)));
        Ok(right.count() as f64 / samples.len() as f64)
    }
}

/// Trains a network on `samples`. The same seed starts from the same weights, whatever the regulariser.
pub fn train(regulariser: Regulariser, job: &Job, samples: &[Sample], seed: u64) -> Result<Network, Error> {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed);
    let mut network = Network::new(regulariser, &mut rng);
    let mut masks = Masks::new(seed);
    let mut order: Vec<usize> = (0..samples.len()).collect();
    let steps = job.epochs * samples.len().div_ceil(job.batch) as u32;
    let rate = Cosine::new(job.lr, steps);
    let mut step = 0;
    for _ in 0..job.epochs {
        shuffle(&mut order, &mut rng);
        for batch in order.chunks(job.batch) {
            let mut images = Vec::new();
            for &i in batch {
                images.extend(moved(&samples[i].pixels.map(grey), regulariser.augment, &mut rng)?);
            }
            let tapes = network.forward(images, Some(&mut masks))?;
            let mut grads = tapes[LAYERS - 1].output.clone();
            for (scores, &i) in grads.chunks_mut(SIZES[LAYERS]).zip(batch) {
                cross_entropy_slope(scores, samples[i].label, batch.len());
            }
            network.step(rate.at(step), &tapes, grads)?;
            step += 1;
        }
    }
    Ok(network)
}

/// Fisher and Yates' shuffle.
pub fn shuffle<T>(items: &mut [T], rng: &mut Xoshiro128PlusPlus) {
    for last in (1..items.len()).rev() {
        let other = (u64::from(rng.next_u32()) * (last as u64 + 1)) >> 32;
        items.swap(last, other as usize);
    }
}

fn unit(rng: &mut Xoshiro128PlusPlus) -> f32 {
    (rng.next_u32() >> 8) as f32 / 16_777_216.0
}

fn grey(pixel: u8) -> f32 {
    f32::from(pixel) / 16.0
}

/// A new image from an old one.
fn moved(image: &[f32; PIXELS], by: f32, rng: &mut Xoshiro128PlusPlus) -> Result<[f32; PIXELS], Error> {
    let mut new = *image;
    if by > 0.0 {
        let shape = ImageShape { height: 8, width: 8, channels: 1, layout: ImageLayout::Hwc };
        let recipe = RandomAffine { translate: by, rotate: 10.0 * by, stretch: 0.1 * by, shear: 0.1 * by };
        recipe.apply(Image::new(image, shape)?, 0.0, &mut ImageMut::new(&mut new, shape)?, rng)?;
    }
    Ok(new)
}

/// `(softmax(scores) - onehot(label)) / batch`, in place.
fn cross_entropy_slope(scores: &mut [f32], label: u8, batch: usize) {
    softmax(Exec::new(), scores.len(), scores).expect("scores");
    for (k, p) in scores.iter_mut().enumerate() {
        *p = (*p - if k == usize::from(label) { 1.0 } else { 0.0 }) / batch as f32;
    }
}

/// `y += a * x`.
struct AddScaled(f32);

impl Rule for AddScaled {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, y: V, [x]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (y + V::splat(isa, self.0) * x, [])
    }
}

fn add_scaled(a: f32, x: &[f32], y: &mut [f32]) -> Result<(), Error> {
    if a != 0.0 {
        run(Level::detect(), &AddScaled(a), Columns::new(y, [x], [])?);
    }
    Ok(())
}
