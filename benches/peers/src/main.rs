//! Times one Adam step of gradus and of the crates that a user would pick in its place, in turns.
//!
//! ```text
//! cd benches/peers && RAYON_NUM_THREADS=1 cargo run --release
//! ```
//!
//! Every contestant gets its gradient as it keeps one: ready, before the clock starts.

#[path = "../../support/turns.rs"]
mod turns;

use burn::optim::Optimizer as _;
use burn::tensor::{Device, Tensor as BurnTensor, TensorData};
use candle_nn::optim::Optimizer as _;
use dfdx::prelude::*;
use gradus::Optimizer as _;
use std::hint::black_box;
use turns::medians;

fn main() {
    println!("| parameters | gradus | candle-nn AdamW | dfdx Adam | burn Adam (flex) |");
    println!("|--:|--:|--:|--:|--:|");
    row::<64>();
    row::<{ 1 << 10 }>();
    row::<{ 1 << 14 }>();
    row::<{ 1 << 18 }>();
    row::<{ 1 << 20 }>();
}

/// dfdx wants the size in the type.
fn row<const N: usize>() {
    let grads: Vec<f32> = (0..N).map(|i| (i % 251) as f32 / 125.0 - 0.997).collect();
    let mut steps = [gradus_step(&grads), candle_step(&grads), dfdx_step::<N>(&grads), burn_step(&grads)];
    let mut contestants: Vec<&mut dyn FnMut()> = steps.iter_mut().map(|step| step as _).collect();
    let cells: Vec<_> = medians(&mut contestants).iter().map(|t| format!("{:.2}", t / N as f64)).collect();
    println!("| {N} | {} |", cells.join(" | "));
}

type Step = Box<dyn FnMut()>;

fn gradus_step(grads: &[f32]) -> Step {
    let adam = gradus::Adam::new(1e-3);
    let mut params = vec![0.5; grads.len()];
    let mut state = gradus::StateVec::<gradus::Adam>::new(grads.len());
    let grads = grads.to_vec();
    Box::new(move || adam.step_slices(&mut params, black_box(&grads), state.as_mut()).unwrap())
}

fn candle_step(grads: &[f32]) -> Step {
    use candle_core::{Device, Tensor, Var};
    let params = Var::from_tensor(&Tensor::full(0.5_f32, grads.len(), &Device::Cpu).unwrap()).unwrap();
    let grads = Tensor::from_slice(grads, grads.len(), &Device::Cpu).unwrap();
    let store = (params.as_tensor() * grads).unwrap().sum_all().unwrap().backward().unwrap();
    let mut adam = candle_nn::AdamW::new_lr(vec![params], 1e-3).unwrap();
    Box::new(move || adam.step(black_box(&store)).unwrap())
}

fn dfdx_step<const N: usize>(grads: &[f32]) -> Step {
    let device = Cpu::default();
    let mut params: Tensor<Rank1<N>, f32, Cpu> = device.tensor(vec![0.5; N]);
    let factors: Tensor<Rank1<N>, f32, Cpu> = device.tensor(grads.to_vec());
    let grads = (params.leaky_trace() * factors).sum::<Rank0, _>().backward();
    let mut adam = dfdx::optim::Adam::new(&params, dfdx::optim::AdamConfig::default());
    Box::new(move || dfdx::optim::Optimizer::update(&mut adam, &mut params, black_box(&grads)).unwrap())
}

fn burn_step(grads: &[f32]) -> Step {
    let device = Device::default();
    let tensor = |values: Vec<f32>| BurnTensor::<1>::from_data(TensorData::from(values.as_slice()), &device);
    let adam = burn::optim::AdamConfig::new().build();
    let mut params = Some(tensor(vec![0.5; grads.len()]));
    let grads = tensor(grads.to_vec());
    let mut state = None;
    Box::new(move || {
        let (next, kept) = adam.step(1e-3, params.take().unwrap(), black_box(grads.clone()), state.take());
        (params, state) = (Some(next), kept);
    })
}
