//! Counts instructions of layers and of whole training steps, under QEMU with `-icount shift=7`.
#![no_std]
#![no_main]

use core::hint::black_box;
use cortex_m::peripheral::Peripherals;
use gradus::layer::Dense;
use gradus::noise::Dropout;
use gradus::{Adam, AdamState, Error, Exec, Level, Optimizer, Sgd, State, Stateful, activation, init, loss};
use gradus_firmware::network::{Lecture, Network, PARAMS};
use gradus_firmware::training::{CLASSES, Chance, Model, PIXELS};
use gradus_firmware::{Counter, exit, println, stack};

gradus_firmware::board!(main);

/// Bytes below the stack pointer that are painted before a call.
const PAINTED: u32 = 8192;

fn main() {
    let Some(peripherals) = Peripherals::take() else { return };
    let counter = &mut Counter::new(peripherals.SYST);
    if let Err(error) = measure(counter) {
        println!("{error}");
        exit(1);
    }
}

/// Everything that is measured, in `.bss`.
struct Memory {
    params: [f32; SQUARE.params()],
    grads: [f32; SQUARE.params()],
    x: [[f32; SIDE]; BATCH],
    y: [[f32; SIDE]; BATCH],
    dx: [[f32; SIDE]; BATCH],
    network: Network,
    state: AdamState<PARAMS>,
    batch: [<Lecture as Model>::Memory; BATCH],
    anchor: Anchor,
}

const SIDE: usize = 64;
const BATCH: usize = 16;
const SQUARE: Dense = Dense::new(SIDE, SIDE);

static mut MEMORY: Memory = Memory {
    params: [0.0; _],
    grads: [0.0; _],
    x: [[0.0; _]; _],
    y: [[0.0; _]; _],
    dx: [[0.0; _]; _],
    network: Network::new(),
    state: AdamState::new(),
    batch: [Lecture::EMPTY; _],
    anchor: Anchor {
        params: [0.0; _],
        grads: [0.0; _],
        sample: Sample { x: [0.0; _], h: [0.0; _], z: [0.0; _], dh: [0.0; _] },
    },
};

fn measure(counter: &mut Counter) -> Result<(), Error> {
    let memory = &raw mut MEMORY;
    // SAFETY: main runs once, and nothing else names it.
    let memory = unsafe { &mut *memory };
    products(counter, memory)?;
    digits(counter, memory)?;
    anchors(counter, memory)
}

/// Instructions per multiply-add of the passes of a layer from 64 to 64 numbers.
fn products(counter: &mut Counter, memory: &mut Memory) -> Result<(), Error> {
    let Memory { params, grads, x, y, dx, .. } = memory;
    println!("| pass of a layer from 64 to 64 | batch | portable loop | as shipped |");
    println!("|---|--:|--:|--:|");
    for batch in [BATCH, 1] {
        let (x, y, dx) = (&x[..batch], &mut y[..batch], &mut dx[..batch]);
        let mut rows = [[0; 2]; 3];
        for (k, level) in [Level::SCALAR, Level::detect()].into_iter().enumerate() {
            let layer = black_box(SQUARE.on(level));
            let mut passes = [Ok(()); 3];
            let [forward, parameters, both] = [0, 1, 2].map(|pass| {
                counter.instructions(|| {
                    let (x, y) = (x.as_flattened(), y.as_flattened_mut());
                    passes[pass] = match pass {
                        0 => layer.forward(params, x, y),
                        1 => layer.backward(params, grads, x, y, None),
                        _ => layer.backward(params, grads, x, y, Some(dx.as_flattened_mut())),
                    };
                })
            });
            passes.into_iter().collect::<Result<(), Error>>()?;
            for (row, instructions) in rows.iter_mut().zip([forward, both - parameters, parameters]) {
                row[k] = instructions * 100 / (batch * SIDE * SIDE) as u32;
            }
        }
        let names = ["forward", "gradients of the inputs", "gradients of the parameters"];
        for (name, row) in names.into_iter().zip(rows) {
            let [portable, shipped] = row.map(|n| (n / 100, n % 100));
            println!(
                "| {name} | {batch} | {}.{:02} | {}.{:02} |",
                portable.0, portable.1, shipped.0, shipped.1
            );
        }
    }
    Ok(())
}

/// Instructions per sample of a step of the digits' network at a batch of 16.
fn digits(counter: &mut Counter, memory: &mut Memory) -> Result<(), Error> {
    let Memory { network, state, batch, .. } = memory;
    let mut chance = Chance::new(1);
    network.init(&mut chance.rng)?;
    println!("\n| a step of the digits' network, 64-64-32-10, Adam, batch 16 | instructions per sample |");
    println!("|---|--:|");
    for (name, level) in [("portable loop", Level::SCALAR), ("as shipped", Level::detect())] {
        let exec = black_box(Exec::from(level));
        let mut last = 0;
        for _ in 0..2 {
            for (k, x) in Lecture::pixels(batch).iter_mut().enumerate() {
                *x = (k % 17) as f32 / 16.0;
            }
            let mut done = Ok(0.0);
            last = counter.instructions(|| done = lecture_step(exec, network, state, batch, &mut chance));
            done?;
        }
        println!("| {name} | {} |", last / BATCH as u32);
    }
    Ok(())
}

#[inline(never)]
fn lecture_step(
    exec: Exec,
    network: &mut Network,
    state: &mut AdamState<PARAMS>,
    batch: &mut [<Lecture as Model>::Memory],
    chance: &mut Chance,
) -> Result<f32, Error> {
    let (dropout, labels) = (Dropout::drop_prob(0.1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5]);
    Lecture::forward(exec, &network.params, batch, dropout, &mut chance.masks)?;
    let update = Adam::new(4e-3).on(exec).update(&mut network.params, state);
    Lecture::backward(exec, update, batch, &labels, dropout)
}

const HIDDEN: usize = 32;
const L1: Dense = Dense::new(PIXELS, HIDDEN);
const L2: Dense = Dense::new(HIDDEN, CLASSES);
const LAYERS: [usize; 2] = [L1.params(), L2.params()];
const ALL: usize = LAYERS[0] + LAYERS[1];

/// A network that other libraries are measured on as well: 64-32(ReLU)-10.
struct Anchor {
    params: [f32; ALL],
    grads: [f32; ALL],
    sample: Sample,
}

/// A sample on its way through the layers.
struct Sample {
    x: [f32; PIXELS],
    h: [f32; HIDDEN],
    z: [f32; CLASSES],
    dh: [f32; HIDDEN],
}

impl Anchor {
    #[inline(never)]
    fn forward(&mut self) -> Result<(), Error> {
        let Sample { x, h, z, .. } = &mut self.sample;
        let (first, second) = self.params.split_at(LAYERS[0]);
        L1.forward(first, x, h)?;
        activation::relu(Exec::new(), h);
        L2.forward(second, h, z)
    }

    /// With the gradients of all parameters in memory.
    #[inline(never)]
    fn backward(&mut self) -> Result<f32, Error> {
        self.grads = [0.0; ALL];
        let Sample { x, h, z, dh } = &mut self.sample;
        let (first, second) = self.params.split_at(LAYERS[0]);
        let (grads1, grads2) = self.grads.split_at_mut(LAYERS[0]);
        let loss = loss::softmax_cross_entropy(Exec::new(), z, &[3_u8])?;
        L2.backward(second, grads2, h, z, Some(dh))?;
        activation::relu_backward(Exec::new(), dh, h)?;
        L1.backward(first, grads1, x, dh, None)?;
        Ok(loss)
    }

    #[inline(never)]
    fn update<O: Optimizer>(&mut self, optimizer: &O, state: &mut State<O::Family, ALL>) {
        optimizer.step(&mut self.params, &self.grads, state);
    }

    /// Backward pass and update, without gradients in memory.
    #[inline(never)]
    fn fused<O: Optimizer>(
        &mut self,
        optimizer: &O,
        state: &mut State<O::Family, ALL>,
    ) -> Result<f32, Error> {
        let Sample { x, h, z, dh } = &mut self.sample;
        let [first, second] = optimizer.update(&mut self.params, state).split(LAYERS)?;
        let loss = loss::softmax_cross_entropy(Exec::new(), z, &[3_u8])?;
        L2.backward_step(second, h, z, Some(dh))?;
        activation::relu_backward(Exec::new(), dh, h)?;
        L1.backward_step(first, x, dh, None)?;
        Ok(loss)
    }

    /// A row for each way back: instructions of the parts and of a step, memory of all numbers and the stack.
    fn rows<O: Optimizer<Family: Stateful>>(
        &mut self,
        counter: &mut Counter,
        name: &str,
        optimizer: &O,
    ) -> Result<(), Error> {
        let mut rng = Chance::new(1).rng;
        let (first, second) = self.params.split_at_mut(LAYERS[0]);
        init::he_uniform(&mut rng, PIXELS, L1.weights_mut(first)?);
        init::he_uniform(&mut rng, HIDDEN, L2.weights_mut(second)?);
        self.sample.x = core::array::from_fn(|k| (k % 17) as f32 / 16.0);
        let mut state = State::<O::Family, ALL>::new();
        let mut last = ([0; 4], 0);
        for _ in 0..2 {
            let mut done = [Ok(()); 2];
            let top = stack::paint(PAINTED);
            let forward = counter.instructions(|| done[0] = self.forward());
            let backward = counter.instructions(|| done[1] = self.backward().map(drop));
            let update = counter.instructions(|| self.update(optimizer, &mut state));
            last = ([forward, backward, update, forward + backward + update], stack::written(top, PAINTED));
            done.into_iter().collect::<Result<(), Error>>()?;
        }
        let bytes = size_of_val(&state) + size_of_val(&self.params) + size_of_val(&self.sample);
        print_row(name, last, bytes + size_of_val(&self.grads));
        for _ in 0..2 {
            let mut done = [Ok(()); 2];
            let top = stack::paint(PAINTED);
            let forward = counter.instructions(|| done[0] = self.forward());
            let others = counter.instructions(|| done[1] = self.fused(optimizer, &mut state).map(drop));
            last = ([forward, 0, others, forward + others], stack::written(top, PAINTED));
            done.into_iter().collect::<Result<(), Error>>()?;
        }
        print_row(name, last, bytes);
        Ok(())
    }
}

fn print_row(name: &str, ([forward, backward, update, whole], stack): ([u32; 4], u32), bytes: usize) {
    let whole_ram = bytes as u32 + stack;
    if backward == 0 {
        println!(
            "| {name}, `backward_step` | {forward} | {update} together | | {whole} | {whole_ram} | {stack} |"
        );
    } else {
        println!("| {name} | {forward} | {backward} | {update} | {whole} | {whole_ram} | {stack} |");
    }
}

fn anchors(counter: &mut Counter, memory: &mut Memory) -> Result<(), Error> {
    println!(
        "\n| one sample's step of 64-32(ReLU)-10 | forward | backward | update | whole | RAM and stack, bytes | the stack |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let anchor = &mut memory.anchor;
    anchor.rows(counter, "Adam", &Adam::new(1e-3))?;
    anchor.rows(counter, "SGD", &Sgd::new(1e-2))
}
