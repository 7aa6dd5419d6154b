//! Counts instructions per element of masks and dropout, under QEMU with `-icount shift=7`, and prints them
//! as rows of the table that `./ci.sh cycles` makes.
#![no_std]
#![no_main]

use core::hint::black_box;
use cortex_m::peripheral::Peripherals;
use gradus::Level;
use gradus::noise::{Dropout, Masks, mask_words};
use gradus_firmware::{Counter, println};

gradus_firmware::board!(main);

const N: usize = 1024;
/// Calls that are counted: how many words a mask takes is a matter of chance.
const CALLS: u32 = 64;

#[inline(never)]
fn fill(level: Level, keep_prob: f32, masks: &mut Masks, mask: &mut [u32]) {
    Dropout::keep_prob(keep_prob).on(level).draw(masks, mask);
}

#[inline(never)]
fn given(level: Level, dropout: &Dropout, x: &mut [f32], mask: &[u32]) {
    let _ = dropout.on(level).forward(x, mask);
}

#[inline(never)]
fn drawn(level: Level, dropout: &Dropout, x: &mut [f32], masks: &mut Masks) {
    let _ = dropout.on(level).forward(x, masks);
}

/// Hundredths of an instruction per element: `N` elements against half as many, so that what a call costs
/// at least is not in it.
fn per_element(counter: &mut Counter, mut call: impl FnMut(usize)) -> u32 {
    let mut many = |n| (0..CALLS).map(|_| counter.instructions(|| call(n))).sum::<u32>();
    let (half, whole) = (many(N / 2), many(N));
    let elements = u64::from(CALLS) * N as u64 / 2;
    ((u64::from(whole - half) * 100 + elements / 2) / elements) as u32
}

/// Of drawing a mask, of dropout by a mask in memory, and of dropout with a mask drawn on the way.
fn passes(counter: &mut Counter, level: Level, keep_prob: f32) -> [u32; 3] {
    let (mut masks, dropout) = (Masks::new(1), Dropout::keep_prob(keep_prob));
    let (mut x, mut mask) = ([1.0_f32; N], [0; mask_words(N)]);
    let (keep_prob, dropout) = (black_box(keep_prob), black_box(&dropout));
    [
        per_element(counter, |n| fill(level, keep_prob, &mut masks, &mut mask[..mask_words(n)])),
        per_element(counter, |n| given(level, dropout, &mut x[..n], &mask[..mask_words(n)])),
        per_element(counter, |n| drawn(level, dropout, &mut x[..n], &mut masks)),
    ]
}

fn main() {
    let Some(peripherals) = Peripherals::take() else { return };
    let counter = &mut Counter::new(peripherals.SYST);
    for (name, keep_prob) in [("1/2", 0.5), ("0.9", 0.9)] {
        let portable = passes(counter, Level::SCALAR, keep_prob);
        let shipped = passes(counter, Level::detect(), keep_prob);
        let what = ["draw a mask", "dropout, mask given", "dropout, mask drawn"];
        for (what, (a, b)) in what.into_iter().zip(portable.into_iter().zip(shipped)) {
            println!("| {what} | {name} | {}.{:02} | {}.{:02} |", a / 100, a % 100, b / 100, b % 100);
        }
    }
}
