//! Compares Helium's loops with one element at a time: equal bits for all numbers that are not subnormal,
//! and zeros where they are. `./ci.sh qemu` runs it on an emulated Cortex-M55.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

use gradus::*;
use gradus_firmware::{Numbers, exit, println};

gradus_firmware::board!(main);

/// Longest slice: sixteen turns of a loop, and some.
const N: usize = 67;
/// Elements of an array: slices begin at each place of a register, and none behind them may change.
const ROOM: usize = N + 8;
const STEPS: u32 = 4;

/// An optimizer with `K` columns.
trait Kept<const K: usize>:
    Optimizer<Family: Stateful<Columns = Width<K>, Memory = f32>, Rule: Rule<Columns = Width<K>>>
{
}
impl<const K: usize, O> Kept<K> for O where
    O: Optimizer<Family: Stateful<Columns = Width<K>, Memory = f32>, Rule: Rule<Columns = Width<K>>>
{
}

/// What a step reads and writes: parameters, gradients, state.
#[derive(Clone, Copy)]
struct Memory<const K: usize> {
    params: [f32; ROOM],
    grads: [f32; ROOM],
    state: [[f32; ROOM]; K],
}

impl<const K: usize> Memory<K> {
    /// One step over `n` elements from `offset` on.
    fn step<O: Kept<K>>(&mut self, level: Level, optimizer: &O, clock: &mut Clock, offset: usize, n: usize) {
        let part = offset..offset + n;
        let columns = self.state.each_mut().map(|column| &mut column[part.clone()]);
        let state = StateMut::new(columns, clock);
        let result =
            optimizer.on(level).step_slices(&mut self.params[part.clone()], &self.grads[part], state);
        if let Err(error) = result {
            fail(format_args!("{error}"));
        }
    }

    /// Its bits; every NaN counts as one and the same.
    fn bits(&self) -> impl Iterator<Item = u32> {
        let numbers = self.params.iter().chain(self.state.as_flattened());
        numbers.map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() })
    }
}

fn fail(why: core::fmt::Arguments<'_>) -> ! {
    println!("{why}");
    exit(1)
}

/// All lengths from every place in a register; the first elements are what nobody likes.
fn rule<const K: usize, O: Kept<K>>(helium: Level, name: &str, optimizer: O) {
    let mut numbers = Numbers(42);
    for n in 0..=N {
        for offset in 0..4 {
            let mut scalar = Memory {
                params: numbers.fill(),
                grads: [0.0; ROOM],
                state: [numbers.fill::<ROOM>().map(f32::abs); K],
            };
            let (mut wide, mut clocks) = (scalar, [Clock::new(); 2]);
            for step in 0..STEPS {
                scalar.grads = numbers.fill();
                if step == 1 {
                    for (at, x) in
                        [0.0, -0.0, 1e18, -1e-18, f32::MAX, f32::INFINITY, f32::NAN].into_iter().enumerate()
                    {
                        scalar.grads[(n + 9 * at) % ROOM] = x;
                    }
                }
                wide.grads = scalar.grads;
                scalar.step(Level::SCALAR, &optimizer, &mut clocks[0], offset, n);
                wide.step(helium, &optimizer, &mut clocks[1], offset, n);
                if !scalar.bits().eq(wide.bits()) {
                    fail(format_args!("{name}: {n} elements from {offset} on differ in step {step}"));
                }
            }
        }
    }
    println!("{name:<26} equal");
}

/// A column of state that begins subnormal is kept by one element at a time, and flushed by Helium wherever it stands.
fn subnormal<const K: usize, O: Kept<K>>(helium: Level, name: &str, optimizer: O) {
    for n in 1..=9 {
        let start = Memory { params: [1.0; ROOM], grads: [0.0; ROOM], state: [[1e-40; ROOM]; K] };
        let (mut scalar, mut wide) = (start, start);
        scalar.step(Level::SCALAR, &optimizer, &mut Clock::new(), 0, n);
        wide.step(helium, &optimizer, &mut Clock::new(), 0, n);
        for (kept, flushed) in scalar.state.iter().zip(&wide.state) {
            if kept[..n].contains(&0.0) || flushed[..n] != [0.0; 9][..n] || flushed[n] != 1e-40 {
                fail(format_args!("{name}: scalar {:e}, helium {:e}", kept[0], flushed[0]));
            }
        }
    }
    println!("{name:<26} flushes subnormals");
}

fn main() {
    let Some(helium) = Level::available().find(|level| level.name() == "helium") else {
        fail(format_args!("built without --cfg gradus_level=\"helium\""));
    };
    rule(helium, "momentum", Momentum { dampening: 0.25, ..Momentum::new(0.05) });
    rule(helium, "rmsprop", RmsProp::new(0.05));
    rule(helium, "rmsprop keras", RmsProp::keras(0.05));
    rule(helium, "adam", Adam::new(0.05));
    rule(helium, "adam keras", Adam::keras(0.05));
    rule(
        helium,
        "adam, eps under the root",
        Adam { eps: Epsilon::Root { inside: 1e-7, outside: 1e-3 }, ..Adam::new(0.05) },
    );
    rule(helium, "adamw", AdamW { weight_decay: 0.5, ..AdamW::new(0.05) });
    subnormal(helium, "momentum", Momentum::new(0.05));
    subnormal(helium, "rmsprop", RmsProp::new(0.05));
    subnormal(helium, "adam", Adam::new(0.05));
    subnormal(helium, "adamw", AdamW::new(0.05));
}
