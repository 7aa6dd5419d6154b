//! Training on the chip, from the data in its flash: whatever the network, whatever the memory of the optimizer.

use crate::data::DIGITS;
use crate::println;
use crate::training::{Batch, Chance, Model, Network, Score, Training, split, tested};
use gradus::noise::Dropout;
use gradus::schedule::Cosine;
use gradus::{Error, Exec, Optimizer, State, Stateful};

const EPOCHS: u32 = 8;
/// Samples to train with: those to test with need no order.
const TRAIN: usize = 1442;

/// All that training needs, in `.bss`: parameters, state, a batch on its way, the order of the samples to train with.
pub struct Memory<M: Model, O: Stateful, const N: usize, const BATCH: usize> {
    network: Network<M, N>,
    state: State<O, N>,
    batch: [M::Memory; BATCH],
    order: [u16; TRAIN],
}

impl<M: Model, O: Stateful, const N: usize, const BATCH: usize> Default for Memory<M, O, N, BATCH> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Model, O: Stateful, const N: usize, const BATCH: usize> Memory<M, O, N, BATCH> {
    /// All zero bits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            network: Network::new(),
            state: State::new(),
            batch: [const { M::EMPTY }; BATCH],
            order: [0; TRAIN],
        }
    }

    /// Trains, as [`measured`] tells.
    pub fn learn(&mut self, optimizer: impl Optimizer<Family = O>) {
        measured(|| self.epochs(optimizer));
    }

    fn epochs(&mut self, optimizer: impl Optimizer<Family = O>) -> Result<u64, Error> {
        let Self { network, state, batch, order } = self;
        let mut chance = Chance::new(1);
        begin(network, &mut chance)?;
        let train = order;
        assert_eq!(split(&DIGITS, train), train.len());
        let training = Training {
            exec: Exec::new(),
            optimizer,
            schedule: Cosine::new(optimizer.lr(), EPOCHS * train.len().div_ceil(BATCH) as u32),
            dropout: Dropout::drop_prob(0.1),
        };
        let mut batch = Batch { memory: batch, labels: &mut [0; BATCH] };
        for epoch in 1..=EPOCHS {
            let loss = training.epoch(network, state, &mut chance, &mut batch, &DIGITS, train)?;
            if let Some(one) = batch.memory.first_chunk_mut() {
                report(epoch, loss, network.score_of(training.exec, one, tested(&DIGITS))?);
            }
        }
        Ok(network.hash())
    }
}

/// The first weights. Like what prints, a function of its own, so that its variables are not on the stack while training.
#[inline(never)]
fn begin<M: Model, const N: usize>(network: &mut Network<M, N>, chance: &mut Chance) -> Result<(), Error> {
    network.init(&mut chance.rng)?;
    println!("{N} parameters, level {}", Exec::new().level());
    Ok(())
}

#[inline(never)]
fn report(epoch: u32, loss: f32, score: Score) {
    let ([loss, digits], [percent, hundredths]) = (cut(loss, 10_000), cut(100.0 * score.accuracy, 100));
    println!("epoch {epoch}: training loss {loss}.{digits:04}, test accuracy {percent}.{hundredths:02} %");
}

/// A number in front of its point and behind it: to print floats takes 2.3 KB of stack.
fn cut(x: f32, units: u32) -> [u32; 2] {
    let all = (x * units as f32 + 0.5) as u32;
    [all / units, all % units]
}

/// Runs a training whose result is a hash of weights. On a chip it prints how much RAM the training took. The last line is
/// the hash: the same on every target, and on a server.
pub fn measured(training: impl FnOnce() -> Result<u64, Error>) {
    #[cfg(all(target_arch = "arm", target_os = "none"))]
    let top = crate::stack::paint(STACK);
    match training() {
        Ok(hash) => {
            #[cfg(all(target_arch = "arm", target_os = "none"))]
            {
                let [statics, stack] = crate::stack::ram(top, STACK);
                println!("RAM {}: {statics} bytes of statics, {stack} of stack", statics + stack);
            }
            println!("weights {hash:016x}");
        }
        Err(error) => println!("{error}"),
    }
}

/// More than training takes.
#[cfg(all(target_arch = "arm", target_os = "none"))]
const STACK: u32 = 16 * 1024;
