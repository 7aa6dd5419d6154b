//! What is learned: the lecture's network on handwritten digits, sample by sample, so that no chance depends on a shard.

use digits::data::{COUNT, DIGITS};
use digits::network::{HIDDEN1, HIDDEN2, Lecture};
use digits::training::{CLASSES, Network, PIXELS, split};
use gradus::layer::Dense;
use gradus::loss::softmax_cross_entropy;
use gradus::noise::{Dropout, Masks};
use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
use gradus::{Error, Exec};
use gradus_mpi::{Chance, Shards};

pub use digits::network::PARAMS;

const L1: Dense = Dense::new(PIXELS, HIDDEN1);
const L2: Dense = Dense::new(HIDDEN1, HIDDEN2);
const L3: Dense = Dense::new(HIDDEN2, CLASSES);

/// Samples of a step.
pub const BATCH: usize = 32;

/// The definition of a run, but for the optimizer.
pub struct Task {
    train: Vec<u16>,
    chance: Chance,
    dropout: Dropout,
    pub shards: Shards,
}

impl Task {
    pub fn new(seed: u64, shards: Shards) -> Self {
        let mut order = [0; COUNT];
        let count = split(&DIGITS, &mut order);
        Self {
            train: order[..count].to_vec(),
            chance: Chance { seed },
            dropout: Dropout::drop_prob(0.1),
            shards,
        }
    }

    /// The first weights.
    pub fn params(&self) -> Vec<f32> {
        let mut network = Network::<Lecture, PARAMS>::new();
        let rng = &mut Xoshiro128PlusPlus::seed_from_u64(self.chance.seed);
        network.init(rng).expect("lengths agree");
        network.params.to_vec()
    }

    /// Steps of an epoch: whole batches.
    pub fn epoch(&self) -> u32 {
        (self.train.len() / BATCH) as u32
    }

    /// Adds the gradients of one shard of the batch of a step, and returns its loss.
    pub fn gradients(&self, step: u32, params: &[f32], shard: usize, grads: &mut [f32]) -> f32 {
        let epoch = step / self.epoch();
        let order = self.chance.order(epoch, self.train.len() as u32); // a few microseconds
        let batch = &order[(step % self.epoch()) as usize * BATCH..][..BATCH];
        let samples = &batch[self.shards.samples(shard, BATCH)];
        samples.iter().map(|&k| self.sample(epoch, k, params, grads).expect("lengths agree")).sum()
    }

    fn sample(&self, epoch: u32, k: u32, params: &[f32], grads: &mut [f32]) -> Result<f32, Error> {
        let exec = Exec::new();
        let sample = &DIGITS[usize::from(self.train[k as usize])];
        let mut masks = Masks::new(self.chance.sample(epoch, k));
        let x = sample.pixels.map(|pixel| f32::from(pixel) / 16.0);
        let (p1, rest) = params.split_at(L1.params());
        let (p2, p3) = rest.split_at(L2.params());
        let (g1, rest) = grads.split_at_mut(L1.params());
        let (g2, g3) = rest.split_at_mut(L2.params());

        let (mut h1, mut h2, mut scores) = ([0.0; HIDDEN1], [0.0; HIDDEN2], [0.0; CLASSES]);
        L1.forward(p1, &x, &mut h1)?;
        self.dropout.relu_forward(&mut h1, &mut masks)?;
        L2.forward(p2, &h1, &mut h2)?;
        self.dropout.relu_forward(&mut h2, &mut masks)?;
        L3.forward(p3, &h2, &mut scores)?;

        let loss = softmax_cross_entropy(exec, &mut scores, &[sample.label])?;
        let (mut d1, mut d2) = ([0.0; HIDDEN1], [0.0; HIDDEN2]);
        L3.backward(p3, g3, &h2, &scores, Some(&mut d2))?;
        self.dropout.relu_backward(&mut d2, &h2)?;
        L2.backward(p2, g2, &h1, &d2, Some(&mut d1))?;
        self.dropout.relu_backward(&mut d1, &h1)?;
        L1.backward(p1, g1, &x, &d1, None)?;
        Ok(loss)
    }
}

/// FNV-1a over the bits of some numbers.
pub fn hash<'a>(numbers: impl IntoIterator<Item = &'a f32>) -> u64 {
    let bytes = numbers.into_iter().flat_map(|x| x.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The sum over shards, in the order of the tree: what a run on one machine without MPI does.
pub fn tree_sum(shards: std::ops::Range<usize>, leaf: &mut impl FnMut(usize) -> Vec<f32>) -> Vec<f32> {
    if shards.len() == 1 {
        return leaf(shards.start);
    }
    let middle = shards.start + shards.len() / 2;
    let (left, right) = (tree_sum(shards.start..middle, leaf), tree_sum(middle..shards.end, leaf));
    left.iter().zip(&right).map(|(left, right)| left + right).collect()
}
