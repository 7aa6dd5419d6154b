//! How a network learns the digits, whatever its layers: samples, batches, scores. Without heap and without `std`: a
//! microcontroller includes this file and reaches the weights of a server, to the bit.
//!
//! The parameters lie in one flat array. A step needs no gradients beside it: each layer forms those of a few weights at a
//! time, and the optimizer acts on them at once. A batch needs memory for what passes through the layers.

use core::marker::PhantomData;
use gradus::loss::{self, argmax, softmax_cross_entropy};
use gradus::noise::{Dropout, Masks};
use gradus::schedule::Schedule;
use gradus::{Error, Exec, Optimizer, Rule, State, Stored, Update};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

/// Pixels of an image.
pub const PIXELS: usize = 64;
/// Classes.
pub const CLASSES: usize = 10;

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

/// The layers of a network: functions of its parameters.
pub trait Model {
    /// What a sample of a batch needs on its way through the layers.
    type Memory: Clone;
    /// The same, to begin with.
    const EMPTY: Self::Memory;

    /// Draws the weights. Biases are 0 already.
    ///
    /// # Errors
    /// None, since all lengths agree.
    fn init(params: &mut [f32], rng: &mut impl Rng) -> Result<(), Error>;

    /// Where the pixels of a batch go.
    fn pixels(memory: &mut [Self::Memory]) -> &mut [f32];

    /// From the pixels in memory to the scores of each class.
    ///
    /// # Errors
    /// None, since all lengths agree.
    fn forward<'a>(
        exec: Exec,
        params: &[f32],
        memory: &'a mut [Self::Memory],
        dropout: Dropout,
        masks: &mut Masks,
    ) -> Result<&'a mut [f32], Error>;

    /// From the scores that [`forward`](Self::forward) left in memory back to the pixels: every layer takes its step.
    /// Returns the mean loss.
    ///
    /// # Errors
    /// None, since all lengths agree.
    fn backward<R: Rule + Copy, M: Stored>(
        exec: Exec,
        update: Update<'_, R, R, M>,
        memory: &mut [Self::Memory],
        labels: &[u8],
        dropout: Dropout,
    ) -> Result<f32, Error>;
}

/// The parameters of a network. All zero bits at the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Network<M, const N: usize> {
    /// Biases and weights of all layers.
    pub params: [f32; N],
    model: PhantomData<M>,
}

impl<M: Model, const N: usize> Network<M, N> {
    /// All zero bits, so that a `static` lies in `.bss`. Call [`init`](Self::init) before training.
    pub const fn new() -> Self {
        Self { params: [0.0; N], model: PhantomData }
    }

    /// Draws the weights and clears the biases.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn init(&mut self, rng: &mut Xoshiro128PlusPlus) -> Result<(), Error> {
        self.params.fill(0.0);
        M::init(&mut self.params, rng)
    }

    /// The score of each class: their [`argmax`] is what the network sees.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn scores(&self, exec: impl Into<Exec>, pixels: &[u8; PIXELS]) -> Result<[f32; CLASSES], Error> {
        self.scores_in(exec.into(), &mut [M::EMPTY], pixels)
    }

    /// The same in memory of the caller's, for a sample.
    fn scores_in(
        &self,
        exec: Exec,
        memory: &mut [M::Memory; 1],
        pixels: &[u8; PIXELS],
    ) -> Result<[f32; CLASSES], Error> {
        for (x, pixel) in M::pixels(memory).iter_mut().zip(pixels) {
            *x = scaled(*pixel);
        }
        let keep_all = Dropout::drop_prob(0.0); // and draw nothing
        let scores = M::forward(exec, &self.params, memory, keep_all, &mut Masks::default())?;
        Ok(core::array::from_fn(|k| scores.get(k).copied().unwrap_or_default()))
    }

    /// Loss and accuracy over the samples that `order` names; NaN of none.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn score(&self, exec: impl Into<Exec>, samples: &[Sample], order: &[u16]) -> Result<Score, Error> {
        self.score_in(exec, &mut [M::EMPTY], samples, order)
    }

    /// The same in memory of the caller's, for a sample.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn score_in(
        &self,
        exec: impl Into<Exec>,
        memory: &mut [M::Memory; 1],
        samples: &[Sample],
        order: &[u16],
    ) -> Result<Score, Error> {
        self.score_of(exec, memory, pick(samples, order))
    }

    /// The same over any samples.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn score_of<'a>(
        &self,
        exec: impl Into<Exec>,
        memory: &mut [M::Memory; 1],
        samples: impl Iterator<Item = &'a Sample>,
    ) -> Result<Score, Error> {
        let (exec, mut n, mut loss, mut right) = (exec.into(), 0.0, 0.0, 0.0);
        for sample in samples {
            let mut scores = self.scores_in(exec, memory, &sample.pixels)?;
            right += if argmax(&scores) == usize::from(sample.label) { 1.0 } else { 0.0 };
            loss += softmax_cross_entropy(exec, &mut scores, &[sample.label])?;
            n += 1.0;
        }
        Ok(Score { loss: loss / n, accuracy: right / n })
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
}

impl<M: Model, const N: usize> Default for Network<M, N> {
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

/// Memory of a batch: as many samples as both slices have room for.
#[derive(Debug)]
pub struct Batch<'a, M: Model> {
    /// What passes through the layers.
    pub memory: &'a mut [M::Memory],
    /// What the samples show.
    pub labels: &'a mut [u8],
}

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Training<O, S> {
    /// Where it runs: that decides the time, not the result.
    pub exec: Exec,
    /// Optimizer.
    pub optimizer: O,
    /// Its learning rate at each step.
    pub schedule: S,
    /// Dropout after each hidden layer.
    pub dropout: Dropout,
}

impl<O: Optimizer, S: Schedule> Training<O, S> {
    /// One pass over the samples that `order` names, shuffled first, cut into equal batches. Returns the mean loss.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn epoch<M: Model, const N: usize>(
        &self,
        network: &mut Network<M, N>,
        state: &mut State<O::Family, N>,
        chance: &mut Chance,
        batch: &mut Batch<'_, M>,
        samples: &[Sample],
        order: &mut [u16],
    ) -> Result<f32, Error> {
        shuffle(order, &mut chance.rng);
        let (mut loss, order) = (0.0, &*order);
        for part in shares(order, batch.memory.len().min(batch.labels.len())) {
            loss += part.len() as f32 * self.step(network, state, &mut chance.masks, batch, samples, part)?;
        }
        Ok(loss / order.len() as f32)
    }

    /// One step on the samples that `part` names, no more than the memory of a batch has room for. Returns their mean loss.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn step<M: Model, const N: usize>(
        &self,
        network: &mut Network<M, N>,
        state: &mut State<O::Family, N>,
        masks: &mut Masks,
        batch: &mut Batch<'_, M>,
        samples: &[Sample],
        part: &[u16],
    ) -> Result<f32, Error> {
        let memory = &mut batch.memory[..part.len()];
        let labels = &mut batch.labels[..part.len()];
        let rows = M::pixels(memory).as_chunks_mut::<PIXELS>().0;
        for ((row, label), sample) in rows.iter_mut().zip(&mut *labels).zip(pick(samples, part)) {
            (*row, *label) = (sample.pixels.map(scaled), sample.label);
        }
        M::forward(self.exec, &network.params, memory, self.dropout, masks)?;
        let optimizer = self.optimizer.with_lr(self.schedule.at(state.t()));
        let update = optimizer.update(&mut network.params, state);
        M::backward(self.exec, update, memory, labels, self.dropout)
    }
}

/// Cuts the samples of an epoch into batches of at most `size`, in equal shares: a last batch of two samples would throw
/// the weights about.
pub fn shares(order: &[u16], size: usize) -> impl Iterator<Item = &[u16]> {
    let mut rest = order;
    (1..=order.len().div_ceil(size.max(1))).rev().map(move |left| {
        let (first, others) = rest.split_at(rest.len() / left);
        rest = others;
        first
    })
}

/// The probability of each class, given the scores.
pub fn softmax(scores: &[f32; CLASSES]) -> [f32; CLASSES] {
    let mut p = *scores;
    match loss::softmax(Exec::new(), CLASSES, &mut p) {
        Ok(()) => p,
        Err(_) => [f32::NAN; CLASSES], // unreachable: one row of scores
    }
}

/// A pixel as the networks see it: 0 to 1.
pub fn scaled(pixel: u8) -> f32 {
    f32::from(pixel) * (1.0 / 16.0)
}

/// Sorts the indices of all samples into those to train with and, behind them, those to [test](tested) with. Returns how
/// many train.
///
/// `order` is as long as `samples`, or as there are samples to train with.
pub fn split(samples: &[Sample], order: &mut [u16]) -> usize {
    let mut order = order.iter_mut();
    let mut train = 0;
    for test in [false, true] {
        for (i, _) in numbered(samples).filter(|(_, fifth)| *fifth == test) {
            train += usize::from(!test);
            if let Some(place) = order.next() {
                *place = i;
            }
        }
    }
    train
}

/// The samples to test with: every fifth of each class.
pub fn tested(samples: &[Sample]) -> impl Iterator<Item = &Sample> {
    let fifths = numbered(samples).filter(|(_, fifth)| *fifth);
    fifths.filter_map(|(i, _)| samples.get(usize::from(i)))
}

/// The index of each sample, and whether it is a fifth of its class.
fn numbered(samples: &[Sample]) -> impl Iterator<Item = (u16, bool)> {
    let mut seen = [0_u16; CLASSES];
    (0..).zip(samples).filter_map(move |(i, sample)| {
        let seen = seen.get_mut(usize::from(sample.label))?;
        *seen += 1;
        Some((i, *seen % 5 == 0))
    })
}

/// Fisher and Yates' shuffle.
pub fn shuffle(order: &mut [u16], rng: &mut Xoshiro128PlusPlus) {
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
