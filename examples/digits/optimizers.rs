//! Every optimizer of the crate by name, with a learning rate that suits the digits.

use super::data::{COUNT, DIGITS};
use super::network::{Chance, Network, Score, Training, split};
use gradus::noise::Dropout;
use gradus::schedule::Cosine;
use gradus::{
    AdaGrad, Adam, AdamW, AmsGrad, Error, Level, Lion, Momentum, Nadam, Nesterov, Optimizer, RmsProp, Sgd,
    State,
};
use std::time::{Duration, Instant};

/// An optimizer, its name and its learning rate here.
pub struct Entry {
    /// Name on the command line.
    pub name: &'static str,
    /// Learning rate where the command line names none.
    pub lr: f32,
    /// Trains with it.
    pub learner: &'static dyn Learner,
}

const fn entry(name: &'static str, lr: f32, learner: &'static dyn Learner) -> Entry {
    Entry { name, lr, learner }
}

/// All of them, the oldest ideas first.
pub static OPTIMIZERS: [Entry; 14] = [
    entry("sgd", 0.2, &By(Sgd::new)),
    entry("momentum", 0.05, &By(Momentum::new)),
    entry("nesterov", 0.05, &By(Nesterov::new)),
    entry("adagrad", 0.05, &By(AdaGrad::new)),
    entry("rmsprop", 0.004, &By(RmsProp::new)),
    entry("rmsprop-momentum", 0.0005, &By(|lr| RmsProp::new(lr).with_momentum(0.9))),
    entry("rmsprop-centered", 0.004, &By(|lr| RmsProp::new(lr).centered())),
    entry("rmsprop-centered-momentum", 0.0005, &By(|lr| RmsProp::new(lr).centered().with_momentum(0.9))),
    entry("adam", 0.005, &By(Adam::new)),
    entry("adam-almost", 0.004, &By(|lr| Adam { bias_correction: false, ..Adam::lecture(lr) })),
    entry("adamw", 0.005, &By(AdamW::new)),
    entry("amsgrad", 0.005, &By(AmsGrad::new)),
    entry("nadam", 0.004, &By(Nadam::new)),
    entry("lion", 0.001, &By(Lion::new)),
];

/// What all optimizers of a comparison share.
#[derive(Clone, Copy, Debug)]
pub struct Job {
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

/// An optimizer that waits for its learning rate.
pub trait Learner: Sync {
    /// Whether the optimizer can work with `lr`.
    fn check(&self, lr: f32) -> Result<(), Error>;

    /// Trains a network, and calls `report` after each epoch.
    fn train(&self, lr: f32, job: &Job, report: &mut dyn FnMut(&Progress)) -> Result<Run, Error>;
}

/// A [`Learner`] by the constructor of an optimizer with `K` columns of state.
struct By<O, const K: usize>(fn(f32) -> O);

impl<const K: usize, O: Optimizer<K>> Learner for By<O, K> {
    fn check(&self, lr: f32) -> Result<(), Error> {
        (self.0)(lr).check()
    }

    fn train(&self, lr: f32, job: &Job, report: &mut dyn FnMut(&Progress)) -> Result<Run, Error> {
        let Job { level, epochs, batch, dropout, .. } = *job;
        let mut order = [0; COUNT];
        let count = split(&DIGITS, &mut order);
        let (train, test) = order.split_at_mut(count);

        let optimizer = (self.0)(lr);
        let steps = epochs * train.len().div_ceil(batch) as u32;
        let training = Training { level, optimizer, schedule: Cosine::new(lr, steps), batch, dropout };
        let mut chance = Chance::new(job.seed);
        let mut network = Network::new();
        network.init(&mut chance.rng);
        let mut state = State::new();

        let score = |network: &Network, train: &[u16]| -> Result<Progress, Error> {
            let of = |order| network.score(level, &DIGITS, order);
            Ok(Progress { train: of(train)?, test: of(test)? })
        };
        let mut curve = vec![score(&network, train)?];
        let mut time = Duration::ZERO;
        for _ in 0..epochs {
            let start = Instant::now();
            training.epoch(&mut network, &mut state, &mut chance, &DIGITS, train)?;
            time += start.elapsed();
            let progress = score(&network, train)?;
            report(&progress);
            curve.push(progress);
        }
        Ok(Run { curve, time, hash: network.hash() })
    }
}
