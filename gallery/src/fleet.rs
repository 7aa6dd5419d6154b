//! A fleet of devices that learn together without sharing their data (McMahan et al., 2017).
//!
//! In a round every device that is awake takes the server's weights, learns some epochs from its own samples, and sends
//! its weights. The server forms the mean of the differences, weighted by samples, and takes a step along it with an
//! optimizer of the crate, as if it were a gradient (Reddi et al., 2021):
//!
//! ```text
//! g = sum over devices of n_d / n * (w - w_d)          in the order of the devices' numbers, not of arrival
//! FedAvg:   w = w - g                                   Sgd at a rate of 1: the mean of the weights
//! FedAvgM:  Momentum over g        FedAdam:  Adam over g
//! ```
//!
//! Devices fall asleep and come back, some in the middle of a round, whose work is lost. All chance of a device is its own,
//! so that the result depends on who took part, and not on who was first.

use digits::data::{COUNT, DIGITS};
use digits::network::{Lecture, Network, PARAMS};
use digits::training::{Batch, CLASSES, Chance, Model, Score, Training, split};
use gradus::noise::Dropout;
use gradus::rand::{Rng, SeedableRng, Xoshiro128PlusPlus};
use gradus::schedule::Constant;
use gradus::{Error, Exec, Momentum, Optimizer, StateVec};
use std::collections::BTreeMap;

/// Devices of the fleet.
pub const DEVICES: usize = 20;

/// Samples of a step on a device.
const BATCH: usize = 8;

/// How a device learns, and the central training too.
#[derive(Clone, Copy, Debug)]
pub struct Learning {
    /// Learning rate of its momentum.
    pub lr: f32,
    /// Epochs over its samples in a round.
    pub epochs: u32,
}

/// One device: its samples, and its chance.
#[derive(Clone, Debug)]
pub struct Device {
    samples: Vec<u16>,
    chance: Chance,
}

impl Device {
    /// The weights after it has learned from its samples. Its optimizer begins anew in every round.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn learn(&mut self, params: &[f32; PARAMS], learning: Learning) -> Result<[f32; PARAMS], Error> {
        let Learning { lr, epochs } = learning;
        let mut network = Network::new();
        network.params = *params;
        let momentum = Momentum::new(lr);
        let mut state = momentum.state();
        for _ in 0..epochs {
            self.epoch(momentum, &mut network, &mut state)?;
        }
        Ok(network.params)
    }

    fn epoch(
        &mut self,
        optimizer: Momentum,
        network: &mut Network,
        state: &mut gradus::MomentumState<PARAMS>,
    ) -> Result<(), Error> {
        let dropout = Dropout::drop_prob(0.0);
        let training = Training { exec: Exec::new(), optimizer, schedule: Constant(optimizer.lr), dropout };
        let (mut memory, mut labels) = ([Lecture::EMPTY; BATCH], [0; BATCH]);
        let mut batch = Batch { memory: &mut memory, labels: &mut labels };
        training.epoch(network, state, &mut self.chance, &mut batch, &DIGITS, &mut self.samples)?;
        Ok(())
    }
}

/// The devices of a seed: sorted by class, the training samples are cut into 40 unequal runs, and each device has two, so
/// that most know two or three classes. Alike, they have as many samples, of all classes.
#[must_use]
pub fn devices(seed: u64, alike: bool) -> Vec<Device> {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed);
    let mut samples = samples().0;
    samples.sort_by_key(|&k| DIGITS[usize::from(k)].label);
    if alike {
        shuffle(&mut samples, &mut rng.clone());
    }
    let mut runs: Vec<Vec<u16>> = Vec::new();
    let (count, mut rest) = (2 * DEVICES, &samples[..]);
    for k in 0..count {
        // Half to one and a half times the mean of what is left.
        let mean = rest.len() / (count - k);
        let len =
            if k + 1 == count { rest.len() } else { mean / 2 + below(&mut rng, mean as u32 + 1) as usize };
        let (run, others) = rest.split_at(len);
        runs.push(run.to_vec());
        rest = others;
    }
    shuffle(&mut runs, &mut rng);
    let device = |(k, pair): (usize, &[Vec<u16>])| Device {
        samples: pair.concat(),
        chance: Chance::new(seed << 32 | k as u64),
    };
    runs.chunks_exact(2).enumerate().map(device).collect()
}

/// A number below `n`.
fn below(rng: &mut Xoshiro128PlusPlus, n: u32) -> u32 {
    ((u64::from(rng.next_u32()) * u64::from(n)) >> 32) as u32
}

/// Fisher and Yates' shuffle.
fn shuffle<T>(list: &mut [T], rng: &mut Xoshiro128PlusPlus) {
    for last in (1..list.len()).rev() {
        list.swap(last, below(rng, last as u32 + 1) as usize);
    }
}

/// Samples to train with, and to test with.
fn samples() -> (Vec<u16>, Vec<u16>) {
    let mut order = [0; COUNT];
    let train = split(&DIGITS, &mut order);
    (order[..train].to_vec(), order[train..].to_vec())
}

/// How many classes a device has samples of.
#[must_use]
pub fn classes(device: &Device) -> usize {
    let has =
        |class: usize| device.samples.iter().any(|&k| usize::from(DIGITS[usize::from(k)].label) == class);
    (0..CLASSES).filter(|&class| has(class)).count()
}

/// The server: weights, the state of its optimizer, and what has arrived in this round.
pub struct Server<O: Optimizer> {
    /// The weights of the fleet.
    pub params: [f32; PARAMS],
    optimizer: O,
    state: StateVec<O::Family>,
    arrived: BTreeMap<usize, (usize, [f32; PARAMS])>,
}

impl<O: Optimizer> Server<O> {
    /// A server with the first weights of a seed.
    pub fn new(optimizer: O, seed: u64) -> Self {
        let mut network = Network::new();
        network.init(&mut Chance::new(seed).rng).expect("all lengths agree");
        Self {
            params: network.params,
            optimizer,
            state: optimizer.state_vec(PARAMS),
            arrived: BTreeMap::new(),
        }
    }

    /// The weights of one device, which has learned from so many samples.
    pub fn receive(&mut self, device: usize, samples: usize, params: [f32; PARAMS]) {
        self.arrived.insert(device, (samples, params));
    }

    /// Ends the round by one step. Where nothing has arrived, nothing is learned.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn end_round(&mut self) -> Result<(), Error> {
        let all: usize = self.arrived.values().map(|(samples, _)| samples).sum();
        let mut grads = [0.0; PARAMS];
        for (samples, params) in std::mem::take(&mut self.arrived).into_values() {
            let share = samples as f32 / all as f32;
            for ((g, old), new) in grads.iter_mut().zip(&self.params).zip(&params) {
                *g += share * (old - new);
            }
        }
        if all == 0 {
            Ok(())
        } else {
            self.optimizer.step_slices(&mut self.params, &grads, self.state.as_mut())
        }
    }
}

/// A number from 0 to 1 that depends on the seed, the round, the device and what is asked, on nothing else.
fn chance(seed: u64, round: u32, device: usize, question: u64) -> f32 {
    let key = seed ^ u64::from(round) << 40 ^ (device as u64) << 24 ^ question << 56;
    (Xoshiro128PlusPlus::seed_from_u64(key).next_u32() >> 8) as f32 / 16_777_216.0
}

/// How a fleet is run.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    /// Seed of all chance.
    pub seed: u64,
    /// Rounds.
    pub rounds: u32,
    /// How a device learns.
    pub learning: Learning,
    /// Whether all devices know all classes.
    pub alike: bool,
    /// Probability that a device is awake in a round.
    pub awake: f32,
    /// Probability that one that has begun does not come to its end.
    pub lost: f32,
}

impl Fleet {
    /// Test scores before the first round and after each, given in which order the devices arrive in a round.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn run(
        &self,
        optimizer: impl Optimizer,
        arrival: impl Fn(u32, &mut Vec<usize>),
    ) -> Result<Vec<Score>, Error> {
        let (mut server, mut devices) = (Server::new(optimizer, self.seed), devices(self.seed, self.alike));
        let mut scores = vec![score(&server.params)?];
        for round in 0..self.rounds {
            let mut order: Vec<usize> = (0..DEVICES).collect();
            arrival(round, &mut order);
            for k in order {
                if chance(self.seed, round, k, 0) < self.awake {
                    let params = devices[k].learn(&server.params, self.learning)?;
                    if chance(self.seed, round, k, 1) >= self.lost {
                        server.receive(k, devices[k].samples.len(), params);
                    }
                }
            }
            server.end_round()?;
            scores.push(score(&server.params)?);
        }
        Ok(scores)
    }

    /// The same learning over the samples of all devices in one place: a round is as many epochs over all of them.
    ///
    /// # Errors
    /// None, since all lengths agree.
    pub fn central(&self) -> Result<Vec<Score>, Error> {
        let mut network = Network::new();
        network.params = Server::new(gradus::Sgd::new(1.0), self.seed).params;
        let mut all = Device { samples: samples().0, chance: Chance::new(self.seed) };
        let momentum = Momentum::new(self.learning.lr);
        let mut state = momentum.state();
        let mut scores = vec![score(&network.params)?];
        for _ in 0..self.rounds {
            for _ in 0..self.learning.epochs {
                all.epoch(momentum, &mut network, &mut state)?;
            }
            scores.push(score(&network.params)?);
        }
        Ok(scores)
    }
}

/// Loss and accuracy over the test samples.
fn score(params: &[f32; PARAMS]) -> Result<Score, Error> {
    let mut network = Network::new();
    network.params = *params;
    network.score(Exec::new(), &DIGITS, &samples().1)
}

/// Bytes that a device receives and sends in a round.
pub const BYTES: usize = 2 * size_of::<[f32; PARAMS]>();
