//! The digits: the network and its data are those of `digits/`, trained one epoch a call.

#[path = "../../digits/src/convolutional.rs"]
#[allow(dead_code, reason = "the example uses the rest")]
mod convolutional;
#[path = "../../digits/src/data.rs"]
mod data;
#[path = "../../digits/src/network.rs"]
#[allow(dead_code, reason = "the example uses the rest")]
mod network;
#[path = "../../digits/src/training.rs"]
#[allow(dead_code, reason = "the example uses the rest")]
mod training;

use convolutional::Convolutional;
use data::{COUNT, DIGITS};
use gradus::loss::argmax;
use gradus::noise::Dropout;
use gradus::schedule::Cosine;
use gradus::{AdaGrad, Adam, Error, Exec, Level, Momentum, Nesterov, Optimizer, RmsProp, Sgd, State};
use network::Lecture;
use std::cell::RefCell;
use training::{Batch, CLASSES, Chance, Model, Network, PIXELS, Sample, Score, Training, softmax, split};

/// Samples of a step.
const BATCH: usize = 32;

/// The rules and a learning rate for each, in the order of the race.
const RULES: [(&str, f32); 6] = [
    ("SGD", 0.2),
    ("Momentum", 0.05),
    ("Nesterov", 0.05),
    ("AdaGrad", 0.05),
    ("RMSProp", 0.004),
    ("Adam", 0.005),
];

/// Names, learning rates and numbers of samples, as JSON.
pub fn table() -> String {
    let rules = RULES.map(|(name, lr)| format!(r#"{{"name":{name:?},"lr":{lr:?}}}"#)).join(",");
    let train = split(&DIGITS, &mut [0; COUNT]);
    format!(r#"{{"rules":[{rules}],"train":{train},"test":{}}}"#, COUNT - train)
}

/// A training, whatever its optimizer and its network.
trait Run {
    fn epoch(&mut self) -> Result<f32, Error>;
    fn score(&self, test: bool) -> Result<Score, Error>;
    fn scores(&self, pixels: &[u8; PIXELS]) -> Result<[f32; CLASSES], Error>;
    fn hash(&self) -> u64;
    fn samples(&self, test: bool) -> &[u16];
}

struct RunBy<O: Optimizer, M: Model, const N: usize> {
    training: Training<O, Cosine>,
    state: State<O::Family, N>,
    network: Network<M, N>,
    memory: Vec<M::Memory>,
    chance: Chance,
    order: [u16; COUNT],
    count: usize,
}

impl<O: Optimizer + 'static, M: Model + 'static, const N: usize> RunBy<O, M, N> {
    fn start(optimizer: O, dropout: Dropout, epochs: u32, seed: u64) -> Box<dyn Run> {
        let mut order = [0; COUNT];
        let count = split(&DIGITS, &mut order);
        let steps = epochs * count.div_ceil(BATCH) as u32;
        let schedule = Cosine::new(optimizer.lr(), steps);
        let training = Training { exec: Exec::new(), optimizer, schedule, dropout };
        let mut chance = Chance::new(seed);
        let mut network = Network::<M, N>::new();
        network.init(&mut chance.rng).expect("all lengths agree");
        let memory = vec![M::EMPTY; BATCH];
        Box::new(Self { training, state: State::new(), network, memory, chance, order, count })
    }
}

impl<O: Optimizer, M: Model, const N: usize> Run for RunBy<O, M, N> {
    fn epoch(&mut self) -> Result<f32, Error> {
        let train = &mut self.order[..self.count];
        let batch = &mut Batch { memory: &mut self.memory[..], labels: &mut [0; BATCH] };
        self.training.epoch(&mut self.network, &mut self.state, &mut self.chance, batch, &DIGITS, train)
    }
    fn score(&self, test: bool) -> Result<Score, Error> {
        self.network.score(Level::detect(), &DIGITS, self.samples(test))
    }
    fn scores(&self, pixels: &[u8; PIXELS]) -> Result<[f32; CLASSES], Error> {
        self.network.scores(Level::detect(), pixels)
    }
    fn hash(&self) -> u64 {
        self.network.hash()
    }
    fn samples(&self, test: bool) -> &[u16] {
        if test { &self.order[self.count..] } else { &self.order[..self.count] }
    }
}

/// The lecture's network, or the convolutional one.
fn start(
    convolutional: bool,
    optimizer: impl Optimizer + 'static,
    dropout: Dropout,
    epochs: u32,
    seed: u64,
) -> Box<dyn Run> {
    if convolutional {
        RunBy::<_, Convolutional, { convolutional::PARAMS }>::start(optimizer, dropout, epochs, seed)
    } else {
        RunBy::<_, Lecture, { network::PARAMS }>::start(optimizer, dropout, epochs, seed)
    }
}

thread_local! {
    static RUN: RefCell<Option<Box<dyn Run>>> = const { RefCell::new(None) };
    static DRAWING: RefCell<[u8; PIXELS]> = const { RefCell::new([0; PIXELS]) };
}

/// `f` of the training, or `none` before the first.
fn with_run<T>(none: T, f: impl FnOnce(&dyn Run) -> T) -> T {
    RUN.with_borrow(|run| run.as_deref().map_or(none, f))
}

/// Begins a training from random weights.
#[unsafe(no_mangle)]
pub extern "C" fn digits_start(
    convolutional: bool,
    rule: usize,
    lr: f32,
    drop_prob: f32,
    epochs: u32,
    seed: u32,
) {
    let (net, dropout, seed) = (convolutional, Dropout::drop_prob(drop_prob.into()), u64::from(seed));
    let run = match rule {
        0 => start(net, Sgd::new(lr), dropout, epochs, seed),
        1 => start(net, Momentum::new(lr), dropout, epochs, seed),
        2 => start(net, Nesterov::new(lr), dropout, epochs, seed),
        3 => start(net, AdaGrad::new(lr), dropout, epochs, seed),
        4 => start(net, RmsProp::new(lr), dropout, epochs, seed),
        _ => start(net, Adam::new(lr), dropout, epochs, seed),
    };
    RUN.set(Some(run));
}

/// Trains for one epoch. Returns its mean loss, or NaN if no training has begun.
#[unsafe(no_mangle)]
pub extern "C" fn digits_epoch() -> f32 {
    RUN.with_borrow_mut(|run| run.as_mut().map_or(f32::NAN, |run| run.epoch().unwrap_or(f32::NAN)))
}

/// Share of the samples that the network classifies right: those of the test, or of the training.
#[unsafe(no_mangle)]
pub extern "C" fn digits_accuracy(test: bool) -> f32 {
    score(test).accuracy
}

/// Mean loss without dropout over the samples of the test, or of the training.
#[unsafe(no_mangle)]
pub extern "C" fn digits_loss(test: bool) -> f32 {
    score(test).loss
}

fn score(test: bool) -> Score {
    with_run(Score::default(), |run| run.score(test).unwrap_or_default())
}

/// A hash of the bits of all weights.
#[unsafe(no_mangle)]
pub extern "C" fn digits_hash() -> u64 {
    with_run(0, |run| run.hash())
}

/// Sets a pixel of the drawing to a value from 0 to 16.
#[unsafe(no_mangle)]
pub extern "C" fn digits_draw(pixel: usize, value: u8) {
    DRAWING.with_borrow_mut(|drawing| {
        if let Some(place) = drawing.get_mut(pixel) {
            *place = value.min(16);
        }
    });
}

/// The probability that the drawing shows `digit`.
#[unsafe(no_mangle)]
pub extern "C" fn digits_probability(digit: usize) -> f32 {
    let scores = with_run([0.0; CLASSES], |run| {
        DRAWING.with_borrow(|drawing| run.scores(drawing)).unwrap_or_default()
    });
    softmax(&scores).get(digit).copied().unwrap_or_default()
}

/// Number of the `k`-th sample of the test, or of the last one.
#[unsafe(no_mangle)]
pub extern "C" fn digits_test(k: usize) -> usize {
    with_run(0, |run| {
        let test = run.samples(true);
        test.get(k).or(test.last()).map_or(0, |&number| usize::from(number))
    })
}

/// What sample `number` shows.
#[unsafe(no_mangle)]
pub extern "C" fn digits_label(number: usize) -> u8 {
    DIGITS.get(number).map_or(0, |sample| sample.label)
}

/// What the network takes sample `number` for.
#[unsafe(no_mangle)]
pub extern "C" fn digits_guess(number: usize) -> usize {
    with_run(0, |run| {
        let of = |sample: &Sample| run.scores(&sample.pixels);
        DIGITS.get(number).map_or(0, |sample| argmax(&of(sample).unwrap_or_default()))
    })
}

/// The pixels of sample `number`, all 0 if there is none.
pub fn pixels(number: usize) -> [u8; PIXELS] {
    DIGITS.get(number).map_or([0; PIXELS], |sample| sample.pixels)
}

/// A pixel of sample `number`, from 0 to 16.
#[unsafe(no_mangle)]
pub extern "C" fn digits_pixel(number: usize, pixel: usize) -> u8 {
    DIGITS.get(number).and_then(|sample| sample.pixels.get(pixel)).copied().unwrap_or_default()
}
