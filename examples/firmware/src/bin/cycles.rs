//! Counts instructions per parameter and bytes of stack of one step of every rule, under QEMU with
//! `-icount shift=7`.
#![no_std]
#![no_main]

use core::hint::black_box;
use cortex_m::peripheral::Peripherals;
use gradus::transform::{L2, Scale};
use gradus::*;
use gradus_firmware::{Counter, Number, print, println, stack};

gradus_firmware::board!(main);

const N: usize = 1024;
/// Bytes of stack that are looked at.
const PAINTED: u32 = 2048;

#[inline(never)]
fn step<O: Optimizer>(
    level: Level,
    optimizer: &O,
    params: &mut [f32],
    grads: &[f32],
    state: StateMut<'_, O::Family>,
) {
    let _ = optimizer.on(level).step_slices(params, grads, state);
}

/// Tenths of instructions per parameter, and bytes of stack.
fn measure<O: Optimizer<Family: Stateful<Memory: Number>>>(
    counter: &mut Counter,
    optimizer: &O,
    level: Level,
) -> (u32, u32) {
    let (mut params, mut grads, mut state) = ([1.0_f32; N], [0.5_f32; N], optimizer.state::<N>());
    for column in state.columns.as_mut() {
        column.fill(Number::of(0.25));
    }
    let mut count = |n: usize| {
        let mut whole = state.as_mut();
        let Some(state) = whole.get(0..n) else { return (0, 0) };
        let (params, grads) = (black_box(&mut params[..n]), black_box(&mut grads[..n]));
        let optimizer = black_box(optimizer);
        let top = stack::paint(PAINTED);
        let instructions = counter.instructions(|| step(level, optimizer, params, grads, state));
        (instructions, stack::written(top, PAINTED))
    };
    (0..6).for_each(|_| _ = count(N)); // the first steps may differ
    let mut least = |n| (0..3).map(|_| count(n)).min().unwrap_or_default();
    let ((half, _), (whole, stack)) = (least(N / 2), least(N));
    (((whole - half) * 10 + N as u32 / 4) / (N as u32 / 2), stack)
}

fn rule<O: Optimizer<Family: Stateful<Memory: Number>>>(
    counter: &mut Counter,
    name: &str,
    half: &str,
    optimizer: O,
) {
    print!("| {name}{half} |");
    let mut stack = 0;
    for level in Level::available() {
        let (tenths, own) = measure(counter, &optimizer, level);
        print!(" {}.{} |", tenths / 10, tenths % 10);
        stack = own;
    }
    let transforms = (Scale(1.0 / 32.0), L2::weight_decay(1e-4));
    let (tenths, _) = measure(counter, &optimizer.with(transforms), Level::detect());
    println!(" {}.{} | {stack} |", tenths / 10, tenths % 10);
}

fn main() {
    let Some(peripherals) = Peripherals::take() else { return };
    let counter = &mut Counter::new(peripherals.SYST);
    macro_rules! rows {
        (() $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {
            $(rule(counter, stringify!($optimizer), "", $optimizer::new(0.1));)*
            $(rows!(half $optimizer);)*
        };
        (half AmsGrad) => {}; // it has none
        (half ScheduleFree) => {}; // nor has this
        (half Sgd) => {}; // no state
        (half $optimizer:ident) => { rule(counter, stringify!($optimizer), ", half", $optimizer::new(0.1).half()); };
    }
    gradus::__optimizers!(rows!());
}
