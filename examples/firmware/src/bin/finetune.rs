//! Teaches a network one more class on the chip: PyTorch trained it on the digits 0 to 8, and here it learns the 9.
//!
//! The weights lie in flash as `from_pytorch` of the gallery wrote them (examples/finetune). What does not learn stays
//! there: it needs no copy in RAM, no state and no backward pass. Thirty images of the new digit stand for what a user
//! shows the device, and sixteen of each old one for what its maker left in flash, so that it does not forget them. The
//! last line is a hash of all weights that were learnt: the same on every target.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

#[path = "../../../finetune/nine.rs"]
mod nine;

use gradus::activation::{relu, relu_backward};
use gradus::layer::bias_step;
use gradus::loss::{argmax, softmax_cross_entropy};
use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
use gradus::schedule::{Linear, Schedule};
use gradus::{Adam, AdamState, Error, Exec, Optimizer};
use gradus_firmware::convolutional::{CONV1, CONV2, DENSE, POOL};
use gradus_firmware::data::{COUNT, DIGITS};
use gradus_firmware::training::{CLASSES, PIXELS, scaled, shuffle, split};
use gradus_firmware::{Hash, measured, println};
use nine::{NINE, NINE_LAYERS};

gradus_firmware::board!(main);

/// The class that is new.
const NEW: u8 = 9;
/// Samples of the new class, and of each old one.
const SHOWN: usize = 30;
const KEPT: usize = 16;
const SAMPLES: usize = SHOWN + KEPT * NEW as usize;
const BATCH: usize = 8;
const EPOCHS: u32 = 25;

/// The last two layers: what may learn.
const LAST: usize = CONV2.params() + DENSE.params();

/// What learns.
#[derive(Clone, Copy, PartialEq)]
enum Learns {
    /// The scores.
    Head,
    /// The scores, and the biases of the second convolution.
    Biases,
    /// The second convolution and the scores.
    Last,
}

/// A batch on its way through the layers.
struct Tape {
    x: [f32; BATCH * PIXELS],
    c1: [f32; BATCH * CONV1.outputs()],
    pooled: [f32; BATCH * POOL.outputs()],
    c2: [f32; BATCH * CONV2.outputs()],
    dc2: [f32; BATCH * CONV2.outputs()],
    scores: [f32; BATCH * CLASSES],
    labels: [u8; BATCH],
}

impl Tape {
    const EMPTY: Self = Self {
        x: [0.0; BATCH * PIXELS],
        c1: [0.0; BATCH * CONV1.outputs()],
        pooled: [0.0; BATCH * POOL.outputs()],
        c2: [0.0; BATCH * CONV2.outputs()],
        dc2: [0.0; BATCH * CONV2.outputs()],
        scores: [0.0; BATCH * CLASSES],
        labels: [0; BATCH],
    };

    /// The scores of a whole batch: a shorter one is filled up with its last sample. The second convolution is in flash, or learns.
    fn forward(&mut self, batch: &[u16], conv2: &[f32], dense: &[f32]) -> Result<(), Error> {
        let Self { x, c1, pooled, c2, scores, labels, .. } = self;
        let last = batch.last().copied().unwrap_or(0);
        let batch = batch.iter().copied().chain(core::iter::repeat(last));
        for ((row, label), i) in x.as_chunks_mut::<PIXELS>().0.iter_mut().zip(labels).zip(batch) {
            let Some(sample) = DIGITS.get(usize::from(i)) else { continue };
            *row = sample.pixels.map(scaled);
            *label = sample.label;
        }
        CONV1.forward(layer(0), x, c1)?;
        relu(Exec::new(), c1);
        POOL.forward(c1, pooled)?;
        CONV2.forward(conv2, pooled, c2)?;
        relu(Exec::new(), c2);
        DENSE.forward(dense, c2, scores)
    }
}

/// The parameters of a layer in flash.
fn layer(k: usize) -> &'static [f32] {
    let begin: usize = NINE_LAYERS.iter().take(k).sum();
    NINE.get(begin..).and_then(|rest| rest.get(..*NINE_LAYERS.get(k)?)).unwrap_or_default()
}

/// All that learning needs, in `.bss`.
struct Memory {
    /// The second convolution, and the scores of ten classes.
    params: [f32; LAST],
    head: AdamState<{ DENSE.params() }>,
    biases: AdamState<{ CONV2.filters }>,
    last: AdamState<LAST>,
    tape: Tape,
    order: [u16; COUNT],
    samples: [u16; SAMPLES],
}

static mut MEMORY: Memory = Memory {
    params: [0.0; LAST],
    head: AdamState::new(),
    biases: AdamState::new(),
    last: AdamState::new(),
    tape: Tape::EMPTY,
    order: [0; COUNT],
    samples: [0; SAMPLES],
};

impl Memory {
    /// The weights of nine classes, with a tenth that begins with zeros.
    fn begin(&mut self) {
        let (conv2, dense) = self.params.split_at_mut(CONV2.params());
        conv2.copy_from_slice(layer(1));
        // Biases and rows of weights have one number for each class.
        let (rows, _) = dense.as_chunks_mut::<CLASSES>();
        for (row, old) in rows.iter_mut().zip(layer(2).as_chunks::<{ CLASSES - 1 }>().0) {
            *row = [0.0; CLASSES];
            for (new, old) in row.iter_mut().zip(old) {
                *new = *old;
            }
        }
        self.head.reset();
        self.biases.reset();
        self.last.reset();
    }

    /// Learns from the first `count` samples: those of the new class come first.
    fn learn(&mut self, learns: Learns, count: usize) -> Result<(), Error> {
        self.begin();
        let Self { params, head, biases, last, tape, samples, .. } = self;
        let samples = samples.get_mut(..count).unwrap_or_default();
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
        let rate = Linear::new(1e-3, 0.0, EPOCHS * samples.len().div_ceil(BATCH) as u32);
        for _ in 0..EPOCHS {
            shuffle(samples, &mut rng);
            for batch in samples.chunks(BATCH) {
                let (conv2, dense) = params.split_at(CONV2.params());
                // What does not learn is read from flash.
                tape.forward(batch, if learns == Learns::Head { layer(1) } else { conv2 }, dense)?;
                let Tape { pooled, c2, dc2, scores, labels, .. } = &mut *tape;
                softmax_cross_entropy(Exec::new(), scores, labels)?;
                match learns {
                    Learns::Head => {
                        let (_, dense) = params.split_at_mut(CONV2.params());
                        let update = Adam::new(rate.at(head.t())).update_slices(dense, head.as_mut())?;
                        DENSE.backward_step(update, c2, scores, None)?;
                    }
                    Learns::Biases => {
                        let (conv2, dense) = params.split_at_mut(CONV2.params());
                        let (conv2, _) = conv2.split_at_mut(CONV2.filters);
                        let adam = Adam::new(rate.at(head.t()));
                        DENSE.backward_step(
                            adam.update_slices(dense, head.as_mut())?,
                            c2,
                            scores,
                            Some(dc2),
                        )?;
                        relu_backward(Exec::new(), dc2, c2)?;
                        bias_step(Exec::new(), adam.update_slices(conv2, biases.as_mut())?, dc2)?;
                    }
                    Learns::Last => {
                        let update = Adam::new(rate.at(last.t())).update(params, last);
                        let [first, second] = update.split([CONV2.params(), DENSE.params()])?;
                        DENSE.backward_step(second, c2, scores, Some(dc2))?;
                        relu_backward(Exec::new(), dc2, c2)?;
                        CONV2.backward_step(first, pooled, dc2, None)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Prints the share of test samples that are recognised, of old classes and of the new one, by the scores of some classes.
    fn report(&mut self, name: &str, test: usize, classes: usize) -> Result<(), Error> {
        let Self { params, tape, order, .. } = self;
        let (conv2, dense) = params.split_at(CONV2.params());
        let (mut right, mut all) = ([0_u32; 2], [0_u32; 2]);
        for batch in order.get(test..).unwrap_or_default().chunks(BATCH) {
            tape.forward(batch, conv2, dense)?;
            let rows = tape.scores.as_chunks::<CLASSES>().0.iter().zip(tape.labels);
            for (scores, label) in rows.take(batch.len()) {
                let [old, new] =
                    [&mut right, &mut all].map(|[old, new]| if label == NEW { new } else { old });
                *old += u32::from(argmax(scores.get(..classes).unwrap_or_default()) == usize::from(label));
                *new += 1;
            }
        }
        let [old, new] = [0, 1].map(|k| {
            let (right, all) = (right.get(k).copied().unwrap_or(0), all.get(k).copied().unwrap_or(1));
            (1000 * right + all / 2).checked_div(all).unwrap_or(0)
        });
        println!("{name:<34} {:>3}.{} %  {:>3}.{} %", old / 10, old % 10, new / 10, new % 10);
        Ok(())
    }

    fn run(&mut self) -> Result<Hash, Error> {
        let test = split(&DIGITS, &mut self.order);
        choose(self.order.get(..test).unwrap_or_default(), &mut self.samples);
        let mut hash = Hash::new();
        println!("{:<34} 0 to 8    9", "accuracy of");
        self.begin();
        self.report("before, of nine classes", test, usize::from(NEW))?;
        for (name, learns, count) in [
            ("scores, new images alone", Learns::Head, SHOWN),
            ("scores, with old images", Learns::Head, SAMPLES),
            ("scores and biases, with old images", Learns::Biases, SAMPLES),
            ("last two layers, with old images", Learns::Last, SAMPLES),
        ] {
            self.learn(learns, count)?;
            self.report(name, test, CLASSES)?;
            hash.add(&self.params);
        }
        Ok(hash)
    }
}

/// The first samples of each class: those of the new one, then those of the old ones.
fn choose(train: &[u16], samples: &mut [u16; SAMPLES]) {
    let label = |i: &u16| DIGITS.get(usize::from(*i)).map_or(0, |sample| sample.label);
    let mut places = samples.iter_mut();
    for class in (0..=NEW).rev() {
        let count = if class == NEW { SHOWN } else { KEPT };
        let of_class = train.iter().filter(|i| label(i) == class).take(count);
        // The iterator of samples comes first in a zip, whose end takes one too many of the first one.
        for (i, place) in of_class.zip(&mut places) {
            *place = *i;
        }
    }
}

fn main() {
    let memory = &raw mut MEMORY;
    // SAFETY: main runs once, and nothing else names it.
    measured(|| unsafe { &mut *memory }.run().map(|hash| hash.0));
}
