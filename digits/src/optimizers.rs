//! Every optimizer of the crate by name, with a learning rate that suits the digits.

use crate::convolutional::{self, Convolutional};
use crate::data::{COUNT, DIGITS};
use crate::network::{self, Lecture};
use crate::training::{Batch, Chance, Model, Network, Score, Training, split};
use gradus::noise::Dropout;
use gradus::schedule::Cosine;
use gradus::{Adam, AnyOptimizer, Error, Level, Optimizer, Visitor};
use std::time::{Duration, Instant};

/// An optimizer, with its learning rate, and its name on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What trains.
    pub optimizer: AnyOptimizer,
}

/// Learning rates that do well here. The others have the one that is usual for them.
const RATES: [(&str, f32); 15] = [
    ("sgd", 0.2),
    ("momentum", 0.05),
    ("nesterov", 0.05),
    ("adagrad", 0.05),
    ("rmsprop", 0.004),
    ("rmsprop-a", 0.004),
    ("rmsprop-v", 0.0005),
    ("rmsprop-av", 0.0005),
    ("adam", 0.005),
    ("adamw", 0.005),
    ("amsgrad", 0.005),
    ("nadam", 0.004),
    ("lion", 0.001),
    ("adamax", 0.005),
    ("radam", 0.02),
];

/// All optimizers of the crate, and the lecture's "Adam (almost)", which does not correct its bias.
pub fn entries() -> Vec<Entry> {
    let entry = |name: &&'static str| {
        let optimizer: AnyOptimizer = name.parse().expect("one of the names");
        let rate = RATES.iter().find(|(rated, _)| rated == name);
        Entry { name, optimizer: optimizer.with_lr(rate.map_or(optimizer.lr(), |(_, lr)| *lr)) }
    };
    let almost = Adam { bias_correction: false, ..Adam::lecture(0.004) };
    let almost = Entry { name: "adam-almost", optimizer: almost.into() };
    AnyOptimizer::NAMES.iter().map(entry).chain([almost]).collect()
}

/// Which network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layers {
    /// Three dense layers.
    Lecture,
    /// Two convolutions and a dense layer.
    Convolutional,
}

/// What all optimizers of a comparison share.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// The network.
    pub layers: Layers,
    /// Instruction set: it decides the time, not the result.
    pub level: Level,
    /// Passes over the training samples.
    pub epochs: u32,
    /// Seed of all chance.
    pub seed: u64,
    /// Samples of a step.
    pub batch: usize,
    /// Dropout after each hidden layer.
    pub dropout: Dropout,
}

/// Where a network stands after an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// On the samples that it has learned.
    pub train: Score,
    /// On the others.
    pub test: Score,
}

/// A finished training.
#[derive(Clone, Debug)]
pub struct Run {
    /// After each epoch, the start included: one more than there are epochs.
    pub curve: Vec<Progress>,
    /// Time of the training alone.
    pub time: Duration,
    /// Hash of the weights.
    pub hash: u64,
}

impl Run {
    /// Where the network stands at the end.
    pub fn last(&self) -> Progress {
        self.curve.last().copied().unwrap_or_default()
    }
}

impl Job {
    /// Trains a network.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn train(&self, optimizer: AnyOptimizer) -> Result<Run, Error> {
        optimizer.visit(self)
    }
}

/// A training is generic over the optimizer, whose step is then one fused pass with the mean over a batch.
impl Visitor for &Job {
    type Out = Result<Run, Error>;

    fn visit<O: Optimizer<Family = O>>(self, optimizer: O) -> Result<Run, Error> {
        match self.layers {
            Layers::Lecture => self.train_by::<O, Lecture, { network::PARAMS }>(optimizer),
            Layers::Convolutional => self.train_by::<O, Convolutional, { convolutional::PARAMS }>(optimizer),
        }
    }
}

impl Job {
    fn train_by<O: Optimizer<Family = O>, M: Model, const N: usize>(
        &self,
        optimizer: O,
    ) -> Result<Run, Error> {
        let Job { level, epochs, batch, dropout, .. } = *self;
        let mut order = [0; COUNT];
        let count = split(&DIGITS, &mut order);
        let (train, test) = order.split_at_mut(count);

        let steps = epochs * train.len().div_ceil(batch) as u32;
        let training =
            Training { exec: level.into(), optimizer, schedule: Cosine::new(optimizer.lr(), steps), dropout };
        let mut chance = Chance::new(self.seed);
        let mut network = Network::<M, N>::new();
        network.init(&mut chance.rng)?;
        let mut state = optimizer.state();
        let (mut memory, mut labels) = (vec![M::EMPTY; batch], vec![0; batch]);
        let mut batch = Batch { memory: &mut memory, labels: &mut labels };

        let score = |network: &Network<M, N>, train: &[u16]| -> Result<Progress, Error> {
            let of = |order| network.score(level, &DIGITS, order);
            Ok(Progress { train: of(train)?, test: of(test)? })
        };
        let mut curve = vec![score(&network, train)?];
        let mut time = Duration::ZERO;
        for _ in 0..epochs {
            let start = Instant::now();
            training.epoch(&mut network, &mut state, &mut chance, &mut batch, &DIGITS, train)?;
            time += start.elapsed();
            curve.push(score(&network, train)?);
        }
        Ok(Run { curve, time, hash: network.hash() })
    }
}
