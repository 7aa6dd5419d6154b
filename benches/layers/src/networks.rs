//! Whole training steps of the digits' networks: forward, loss, backward, Adam.

use crate::least;
use digits::convolutional::{self, Convolutional};
use digits::data::DIGITS;
use digits::network::{self, Lecture};
use digits::training::{Model, Network};
use gradus::noise::{Dropout, Masks};
use gradus::{Adam, Exec, Level, Optimizer};
use std::hint::black_box;
use std::time::Instant;

/// A step as C loops: samples, parameters, both moments, pixels, labels.
type Step = unsafe extern "C" fn(usize, *mut f32, *mut f32, *mut f32, *const f32, *const u8) -> f32;

unsafe extern "C" {
    fn mlp_o3(b: usize, p: *mut f32, m: *mut f32, v: *mut f32, x: *const f32, labels: *const u8) -> f32;
    fn mlp_native(b: usize, p: *mut f32, m: *mut f32, v: *mut f32, x: *const f32, labels: *const u8) -> f32;
    fn mlp_fast(b: usize, p: *mut f32, m: *mut f32, v: *mut f32, x: *const f32, labels: *const u8) -> f32;
    fn cnn_o3(b: usize, p: *mut f32, m: *mut f32, v: *mut f32, x: *const f32, labels: *const u8) -> f32;
    fn cnn_native(b: usize, p: *mut f32, m: *mut f32, v: *mut f32, x: *const f32, labels: *const u8) -> f32;
    fn cnn_fast(b: usize, p: *mut f32, m: *mut f32, v: *mut f32, x: *const f32, labels: *const u8) -> f32;
}

/// Samples of the largest batch.
const MOST: usize = 32;

fn rows<M: Model, const N: usize>(name: &str, loops: [(&str, Step); 3]) {
    let mut network = Box::new(Network::<M, N>::new());
    network.init(&mut digits::training::Chance::new(1).rng);
    let labels: Vec<u8> = DIGITS[..MOST].iter().map(|sample| sample.label).collect();
    let x: Vec<f32> =
        DIGITS[..MOST].iter().flat_map(|sample| sample.pixels.map(|p| f32::from(p) / 16.0)).collect();
    for batch in [1, 8, MOST] {
        let row = |what: &str, ns: f64, loss: f32| {
            println!("| {name} | {batch} | {what} | {:.0} | {loss:.3} |", ns / batch as f64);
        };
        for (flags, step) in loops {
            let (mut p, mut m, mut v) = (network.params.to_vec(), vec![0.0; N], vec![0.0; N]);
            // SAFETY: all arrays are as long as the C code takes them to be.
            let mut call = || unsafe {
                step(batch, p.as_mut_ptr(), m.as_mut_ptr(), v.as_mut_ptr(), x.as_ptr(), labels.as_ptr())
            };
            let loss = call();
            row(flags, least(call), loss);
        }
        for level in Level::available() {
            let exec = Exec::from(level);
            let adam = Adam { bias_correction: false, ..Adam::new(1e-3) };
            let (mut params, mut state) = (Box::new(network.params), Box::new(adam.state::<N>()));
            let mut memory = vec![M::EMPTY; batch];
            let (mut masks, none) = (Masks::default(), Dropout::drop_prob(0.0));
            let mut call = || {
                M::pixels(&mut memory).copy_from_slice(&x[..64 * batch]);
                M::forward(exec, &params[..], &mut memory, none, &mut masks).unwrap();
                M::backward(
                    exec,
                    adam.update(&mut params, &mut state),
                    black_box(&mut memory),
                    &labels[..batch],
                    none,
                )
                .unwrap()
            };
            let loss = call();
            row(level.name(), least(call), loss);
        }
    }
}

/// Prints a table of ns for each sample.
pub fn report() {
    println!("\n| network | batch | step | ns for each sample | first loss |\n|---|--:|---|--:|--:|");
    rows::<Lecture, { network::PARAMS }>(
        "MLP",
        [("gcc -O3", mlp_o3), ("gcc -O3 -march=native", mlp_native), ("the same, -ffast-math", mlp_fast)],
    );
    rows::<Convolutional, { convolutional::PARAMS }>(
        "CNN",
        [("gcc -O3", cnn_o3), ("gcc -O3 -march=native", cnn_native), ("the same, -ffast-math", cnn_fast)],
    );
}

/// Prints the time of an epoch as a training goes on. Some pixels are never set, and units die: gradients that stay 0 let
/// averages decay through the subnormal numbers.
pub fn epochs() {
    const N: usize = network::PARAMS;
    const EPOCHS: usize = 400;
    let mut network = Box::new(Network::<Lecture, N>::new());
    network.init(&mut digits::training::Chance::new(1).rng);
    let adam = Adam::new(1e-3);
    let (mut params, mut state) = (Box::new(network.params), Box::new(adam.state::<N>()));
    let mut memory = vec![Lecture::EMPTY; MOST];
    let (mut masks, none) = (Masks::default(), Dropout::drop_prob(0.0));
    let mut times = Vec::new();
    for _ in 0..EPOCHS {
        let begin = Instant::now();
        for batch in DIGITS.chunks_exact(MOST) {
            let labels: [u8; MOST] = std::array::from_fn(|k| batch[k].label);
            for (x, p) in
                Lecture::pixels(&mut memory).iter_mut().zip(batch.iter().flat_map(|sample| sample.pixels))
            {
                *x = f32::from(p) / 16.0;
            }
            Lecture::forward(Exec::new(), &params[..], &mut memory, none, &mut masks).unwrap();
            let update = adam.update(&mut params, &mut state);
            Lecture::backward(Exec::new(), update, &mut memory, &labels, none).unwrap();
        }
        times.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    println!("\n| epochs of the MLP | median of them, us | over the first ten |\n|---|--:|--:|");
    let median = |epochs: std::ops::Range<usize>| {
        let mut times = times[epochs].to_vec();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    for begin in [0, 10, 20, 40, 100, 200, 300, EPOCHS - 10] {
        let time = median(begin..begin + 10);
        println!("| {} to {} | {time:.0} | {:.2} |", begin + 1, begin + 10, time / median(0..10));
    }
}
