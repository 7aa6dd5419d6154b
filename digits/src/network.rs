//! The lecture's network and its training, without heap and without `std`: a microcontroller
//! includes this one file and reaches the weights of a server, to the bit.
//!
//! ```text
//! h1 = dropout(relu(x W1 + b1))            64 pixels -> 64 units
//! h2 = dropout(relu(h1 W2 + b2))           64 -> 32 units
//! p  = softmax(h2 W3 + b3)                 32 -> 10 classes
//! loss = -ln p[label]
//! ```
//!
//! The parameters lie in one flat array, so that a step is one fused pass over all of them: with the
//! gradients and Adam's two moments four times 26 KB. Samples are learned one by one and their
//! gradients add up in place: a batch needs no memory of its own.
//!
//! Same bits everywhere: only `+ - * /` and square roots in a written order, sums in the fixed order
//! of [`gradus::dot`], `exp` and `ln` of the `libm` crate, xoshiro128++ for all chance.

use gradus::noise::{Dropout, Masks};
use gradus::schedule::Schedule;
use gradus::transform::Scale;
use gradus::{Columns, Error, Level, Optimizer, Rule, State, Vector, Width, dot, run};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

/// Pixels of an image.
pub const PIXELS: usize = 64;
/// Units of the first hidden layer.
pub const HIDDEN1: usize = 64;
/// Units of the second hidden layer.
pub const HIDDEN2: usize = 32;
/// Classes.
pub const CLASSES: usize = 10;

/// A layer's parameters: a row of biases, then a row of weights for each input.
const LAYER1: usize = (1 + PIXELS) * HIDDEN1;
const LAYER2: usize = (1 + HIDDEN1) * HIDDEN2;
const LAYER3: usize = (1 + HIDDEN2) * CLASSES;

/// Parameters of the network.
pub const PARAMS: usize = LAYER1 + LAYER2 + LAYER3;

/// An image and what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Eight rows of eight pixels, from 0 to 16.
    pub pixels: [u8; PIXELS],
    /// The digit.
    pub label: u8,
}

/// How well a network does on some samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Mean loss.
    pub loss: f32,
    /// Share of the samples that are classified right.
    pub accuracy: f32,
}

/// The parameters, and the gradients that add up towards the next step. All zero bits at the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Biases and weights of the three layers.
    pub params: [f32; PARAMS],
    /// Sum of the gradients of the samples learned since the last step.
    pub grads: [f32; PARAMS],
}

/// What a forward pass leaves for the backward pass.
struct Pass {
    x: [f32; PIXELS],
    h1: [f32; HIDDEN1],
    h2: [f32; HIDDEN2],
    scores: [f32; CLASSES],
}

impl Network {
    /// All zero bits, so that a `static` lies in `.bss`. Call [`init`](Self::init) before training.
    pub const fn new() -> Self {
        Self { params: [0.0; PARAMS], grads: [0.0; PARAMS] }
    }

    /// Draws the weights, uniform as by He et al. (2015), and clears biases and gradients.
    ///
    /// ```text
    /// w ~ U(-a, a),  a = sqrt(6 / inputs),  b = 0
    /// ```
    pub fn init(&mut self, rng: &mut Xoshiro128PlusPlus) {
        self.params.fill(0.0);
        self.grads.fill(0.0);
        let (layer1, layer2, layer3) = layers_mut(&mut self.params);
        init_layer::<HIDDEN1>(layer1, PIXELS, rng);
        init_layer::<HIDDEN2>(layer2, HIDDEN1, rng);
        init_layer::<CLASSES>(layer3, HIDDEN2, rng);
    }

    /// The score of each class: their [`argmax`] is what the network sees, their [`softmax`] how sure
    /// it is.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn scores(&self, level: Level, pixels: &[u8; PIXELS]) -> Result<[f32; CLASSES], Error> {
        let keep_all = Dropout::drop_prob(0.0); // and draw nothing
        Ok(self.forward(level, pixels, keep_all, &mut Masks::default())?.scores)
    }

    /// Loss and accuracy over the samples that `order` names; NaN of none.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn score(&self, level: Level, samples: &[Sample], order: &[u16]) -> Result<Score, Error> {
        let (mut loss, mut right) = (0.0, 0.0);
        for sample in pick(samples, order) {
            let scores = self.scores(level, &sample.pixels)?;
            loss += cross_entropy(&scores, sample.label).0;
            right += if argmax(&scores) == usize::from(sample.label) { 1.0 } else { 0.0 };
        }
        let n = order.len() as f32;
        Ok(Score { loss: loss / n, accuracy: right / n })
    }

    /// Learns a sample: adds the gradient of its loss to `grads`, and returns the loss.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn learn(
        &mut self,
        level: Level,
        sample: &Sample,
        dropout: Dropout,
        masks: &mut Masks,
    ) -> Result<f32, Error> {
        let Pass { x, h1, h2, scores } = self.forward(level, &sample.pixels, dropout, masks)?;
        let (loss, dz3) = cross_entropy(&scores, sample.label);
        let (_, layer2, layer3) = layers(&self.params);
        let (grads1, grads2, grads3) = layers_mut(&mut self.grads);
        add_grads(level, &h2, &dz3, grads3);
        let mut dz2 = backward(level, layer3, &dz3, &h2)?;
        dropout.on(level).relu_backward(&mut dz2, &h2)?;
        add_grads(level, &h1, &dz2, grads2);
        let mut dz1 = backward(level, layer2, &dz2, &h1)?;
        dropout.on(level).relu_backward(&mut dz1, &h1)?;
        add_grads(level, &x, &dz1, grads1);
        Ok(loss)
    }

    /// FNV-1a over the bits of all parameters: one number to compare two targets by.
    pub fn hash(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for p in &self.params {
            for byte in p.to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        hash
    }

    /// From pixels to scores.
    fn forward(
        &self,
        level: Level,
        pixels: &[u8; PIXELS],
        dropout: Dropout,
        masks: &mut Masks,
    ) -> Result<Pass, Error> {
        let (layer1, layer2, layer3) = layers(&self.params);
        let x = pixels.map(|pixel| f32::from(pixel) * (1.0 / 16.0));
        let mut h1 = forward(level, layer1, &x);
        dropout.on(level).relu_forward(&mut h1, &mut *masks)?;
        let mut h2 = forward(level, layer2, &h1);
        dropout.on(level).relu_forward(&mut h2, masks)?;
        let scores = forward(level, layer3, &h2);
        Ok(Pass { x, h1, h2, scores })
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

/// All chance of a run: what a seed decides.
#[derive(Clone, Debug)]
pub struct Chance {
    /// Draws the weights and shuffles.
    pub rng: Xoshiro128PlusPlus,
    /// Draws what dropout drops.
    pub masks: Masks,
}

impl Chance {
    /// Two generators from one seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed);
        let masks = Masks::new(rng.next_u64());
        Self { rng, masks }
    }
}

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Training<O, S> {
    /// Instruction set: it decides the time, not the result.
    pub level: Level,
    /// Optimizer.
    pub optimizer: O,
    /// Its learning rate at each step.
    pub schedule: S,
    /// Samples of a step, at most: an epoch is cut into equal batches.
    pub batch: usize,
    /// Dropout after each hidden layer.
    pub dropout: Dropout,
}

impl<O, S: Schedule> Training<O, S> {
    /// One pass over the samples that `order` names, shuffled first. Returns the mean loss.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn epoch(
        &self,
        network: &mut Network,
        state: &mut State<O::Family, PARAMS>,
        chance: &mut Chance,
        samples: &[Sample],
        order: &mut [u16],
    ) -> Result<f32, Error>
    where
        O: Optimizer,
    {
        shuffle(order, &mut chance.rng);
        let mut loss = 0.0;
        let mut rest = &order[..];
        let mut steps = rest.len().div_ceil(self.batch.max(1));
        while steps > 0 {
            // Equal shares: a last batch of two samples would throw the weights about.
            let (batch, others) = rest.split_at(rest.len() / steps);
            (rest, steps) = (others, steps - 1);
            for sample in pick(samples, batch) {
                loss += network.learn(self.level, sample, self.dropout, &mut chance.masks)?;
            }
            let mean = Scale(1.0 / batch.len() as f32);
            let optimizer = self.optimizer.with_lr(self.schedule.at(state.t())).with(mean).on(self.level);
            let Network { params, grads } = network;
            optimizer.step(params, grads, state);
            grads.fill(0.0);
        }
        Ok(loss / order.len() as f32)
    }
}

/// Sorts the indices of all samples into those to train with and, behind them, those to test with:
/// every fifth sample of each class. Returns how many train.
///
/// `order` is as long as `samples`.
pub fn split(samples: &[Sample], order: &mut [u16]) -> usize {
    let mut train = 0;
    let mut at = 0;
    for test in [false, true] {
        let mut seen = [0_u16; CLASSES];
        for (i, sample) in samples.iter().enumerate() {
            let Some(seen) = seen.get_mut(usize::from(sample.label)) else { continue };
            *seen += 1;
            if (*seen % 5 == 0) == test {
                if let Some(place) = order.get_mut(at) {
                    *place = i as u16;
                }
                at += 1;
            }
        }
        if !test {
            train = at;
        }
    }
    train
}

/// Fisher and Yates' shuffle.
fn shuffle(order: &mut [u16], rng: &mut Xoshiro128PlusPlus) {
    let mut rest = order;
    while let Some((last, others)) = rest.split_last_mut() {
        // The high half of a product: uneven by less than n / 2^32.
        let k = (u64::from(rng.next_u32()) * (others.len() as u64 + 1)) >> 32;
        if let Some(other) = others.get_mut(k as usize) {
            core::mem::swap(last, other);
        }
        rest = others;
    }
}

/// The samples that `order` names.
fn pick<'a>(samples: &'a [Sample], order: &'a [u16]) -> impl Iterator<Item = &'a Sample> {
    order.iter().filter_map(|&i| samples.get(usize::from(i)))
}

/// The three layers of the flat array.
fn layers(params: &[f32; PARAMS]) -> (&[f32], &[f32], &[f32]) {
    let (layer1, rest) = params.split_at(LAYER1);
    let (layer2, layer3) = rest.split_at(LAYER2);
    (layer1, layer2, layer3)
}

/// The three layers of the flat array, to change them.
fn layers_mut(params: &mut [f32; PARAMS]) -> (&mut [f32], &mut [f32], &mut [f32]) {
    let (layer1, rest) = params.split_at_mut(LAYER1);
    let (layer2, layer3) = rest.split_at_mut(LAYER2);
    (layer1, layer2, layer3)
}

/// Draws the weights of a layer with `O` outputs.
fn init_layer<const O: usize>(layer: &mut [f32], inputs: usize, rng: &mut Xoshiro128PlusPlus) {
    let a = Vector::sqrt(6.0 / inputs as f32);
    for w in layer.iter_mut().skip(O) {
        *w = a * (2.0 * unit(rng) - 1.0);
    }
}

/// A uniform number in `[0, 1)`.
fn unit(rng: &mut Xoshiro128PlusPlus) -> f32 {
    (rng.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// `y = x W + b`: a row for each input that is not 0, which after ReLU and dropout are few.
fn forward<const O: usize>(level: Level, layer: &[f32], x: &[f32]) -> [f32; O] {
    let mut rows = layer.as_chunks::<O>().0.iter();
    let mut y = rows.next().map_or([0.0; O], |biases| *biases);
    for (row, &x) in rows.zip(x) {
        if x != 0.0 {
            add_scaled(level, x, row, &mut y);
        }
    }
    y
}

/// `dx = dy W^T`, given the rectified `x`: where that is 0, no gradient passes.
fn backward<const I: usize, const O: usize>(
    level: Level,
    layer: &[f32],
    dy: &[f32; O],
    x: &[f32; I],
) -> Result<[f32; I], Error> {
    let mut dx = [0.0; I];
    let rows = layer.as_chunks::<O>().0.iter().skip(1);
    for ((row, &x), dx) in rows.zip(x).zip(&mut dx) {
        if x != 0.0 {
            *dx = dot(level, row, dy)?;
        }
    }
    Ok(dx)
}

/// `db += dy`, `dW += x^T dy`.
fn add_grads<const O: usize>(level: Level, x: &[f32], dy: &[f32; O], grads: &mut [f32]) {
    let mut rows = grads.as_chunks_mut::<O>().0.iter_mut();
    if let Some(biases) = rows.next() {
        add_scaled(level, 1.0, dy, biases);
    }
    for (row, &x) in rows.zip(x) {
        if x != 0.0 {
            add_scaled(level, x, dy, row);
        }
    }
}

/// `y += a x`.
struct AddScaled {
    a: f32,
}

impl Rule for AddScaled {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, y: V, [x]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (y + V::splat(isa, self.a) * x, [])
    }
}

/// `y += a x` for one row of a layer.
fn add_scaled<const O: usize>(level: Level, a: f32, x: &[f32; O], y: &mut [f32; O]) {
    run(level, &AddScaled { a }, Columns::from_arrays(y, [x], &mut []));
}

/// The probabilities `p = exp(z) / sum exp(z)`, and `ln sum exp(z)`.
pub fn softmax(scores: &[f32; CLASSES]) -> ([f32; CLASSES], f32) {
    let largest = scores.iter().fold(f32::NEG_INFINITY, |a, &z| if z > a { z } else { a });
    let mut p = scores.map(|z| libm::expf(z - largest));
    let sum = p.iter().fold(0.0, |sum, p| sum + p);
    for p in &mut p {
        *p /= sum;
    }
    (p, largest + libm::logf(sum))
}

/// The loss `-ln p[label]`, and its gradient `p - onehot(label)`.
fn cross_entropy(scores: &[f32; CLASSES], label: u8) -> (f32, [f32; CLASSES]) {
    let label = usize::from(label);
    let (mut p, log_sum) = softmax(scores);
    if let Some(p) = p.get_mut(label) {
        *p -= 1.0;
    }
    (log_sum - scores.get(label).map_or(0.0, |z| *z), p)
}

/// Index of the largest score, the first of equals.
pub fn argmax(scores: &[f32; CLASSES]) -> usize {
    let (mut best, mut largest) = (0, f32::NEG_INFINITY);
    for (k, &z) in scores.iter().enumerate() {
        if z > largest {
            (best, largest) = (k, z);
        }
    }
    best
}
