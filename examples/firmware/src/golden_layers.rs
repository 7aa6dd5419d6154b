//! The part of the golden bits that a network is made of: layers, activations, losses, weights to begin with.

use crate::Hash;
use crate::golden::{Numbers, at_each_level};
use gradus::activation::*;
use gradus::init::*;
use gradus::layer::*;
use gradus::loss::*;
use gradus::transform::{ClipValue, L2, Scale};
use gradus::*;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

/// Samples of a batch: more than a tile has rows, and not a multiple of it.
const BATCH: usize = 5;

/// A layer with parameters: forward, backward, into half sums, and a step without gradients in memory.
macro_rules! layer {
    ($hash:ident, $name:literal, $layer:expr, $params:literal, $inputs:literal, $outputs:literal) => {
        at_each_level($hash, $name, |level, hash| {
            let mut numbers = Numbers(7);
            let layer = $layer.on(level);
            let (mut params, x) = (numbers.fill::<$params>(), numbers.fill::<{ BATCH * $inputs }>());
            let (mut y, dy) = ([0.0; BATCH * $outputs], numbers.fill::<{ BATCH * $outputs }>());
            let (mut grads, mut dx) = (numbers.fill::<$params>(), [0.0; BATCH * $inputs]);
            let (mut sums, mut passes) = ([Bf16::from_bits(0); $params], 0);
            let adam = Adam::new(0.01).with((Scale(0.2), ClipValue(1.0), L2::new(0.01)));
            let (mut state, mut half) = (adam.state::<$params>(), adam.half().state::<$params>());
            let done = layer.forward(&params, &x, &mut y).is_ok()
                & layer.backward(&params, &mut grads, &x, &dy, Some(&mut dx)).is_ok()
                & layer.backward_half(&params, HalfGrads::new(&mut sums, &mut passes), &x, &dy, None).is_ok();
            hash.add(&y);
            hash.add(&grads);
            hash.add(&dx);
            hash.add(&sums.map(|sum| sum.to_f32()));
            for _ in 0..3 {
                let update = adam.update(&mut params, &mut state);
                let stepped = layer.backward_step(update, &x, &dy, Some(&mut dx)).is_ok();
                let update = adam.half().update(&mut params, &mut half);
                assert!(
                    done & stepped & layer.backward_step(update, &x, &dy, None).is_ok(),
                    "sizes are right"
                );
            }
            hash.add(&params);
            hash.add(&dx);
        });
    };
}

pub fn layers(hash: &mut Hash) {
    layer!(hash, "dense", Dense::new(7, 9), 72, 7, 9);
    layer!(hash, "convolution", Conv2d::new([5, 4, 3], 6, [3, 2]).padding([1, 0]), 114, 60, 90);
    layer!(hash, "strided convolution", Conv2d::new([7, 5, 1], 5, [3, 3]).stride([2, 1]), 50, 35, 45);
    layer!(hash, "depthwise", DepthwiseConv2d::new([4, 4, 5], [3, 3]).padding([1, 1]), 50, 80, 80);
    at_each_level(hash, "pooling layers", |level, hash| {
        let mut numbers = Numbers(8);
        let (x, dy) = (numbers.fill::<75>(), numbers.fill::<48>());
        let (mut y, mut dx) = ([0.0; 48], [0.0; 75]);
        let largest = MaxPool2d::new([5, 5, 3], [2, 2]).on(level).stride([1, 1]);
        let mean = AveragePool2d::new([5, 5, 3], [2, 2]).on(level).stride([1, 1]);
        let mut done = largest.forward(&x, &mut y).is_ok() & largest.backward(&x, &y, &dy, &mut dx).is_ok();
        hash.add(&y);
        hash.add(&dx);
        done &= mean.forward(&x, &mut y).is_ok() & mean.backward(&dy, &mut dx).is_ok();
        done &= residual_add(level, &mut y, &dy).is_ok();
        assert!(done, "sizes are right");
        hash.add(&y);
        hash.add(&dx);
    });
}

/// Activations and losses, from subnormal numbers to those where they end.
pub fn functions(hash: &mut Hash) {
    at_each_level(hash, "activations and losses", |level, hash| {
        let mut numbers = Numbers(9);
        let wide: [f32; 61] =
            core::array::from_fn(|k| numbers.fill::<1>()[0] * [1.0, 1e-30, 30.0, 1e4][k % 4]);
        for activation in [relu, tanh, sigmoid, |at, x: &mut [f32]| leaky_relu(at, 0.1, x)] {
            let mut y = wide;
            activation(level, &mut y);
            hash.add(&y);
        }
        for back in [relu_backward, tanh_backward, sigmoid_backward] {
            let mut dy = wide;
            assert!(back(level, &mut dy, &numbers.fill::<61>()).is_ok());
            hash.add(&dy);
        }
        let (mut z, labels) = (wide, [0_u16, 2, 4, 1, 3, 0, 2, 4, 1, 3, 0, 2]);
        hash.add(&[softmax_cross_entropy(level, &mut z[..60], &labels).unwrap_or(-1.0)]);
        hash.add(&z);
        let targets: [f32; 61] = core::array::from_fn(|k| (k % 3) as f32 * 0.5);
        for loss in
            [binary_cross_entropy, mean_squared_error, |at, z: &mut [f32], t: &[f32]| huber(at, 0.5, z, t)]
        {
            let mut z = wide;
            hash.add(&[loss(level, &mut z, &targets).unwrap_or(-1.0)]);
            hash.add(&z);
        }
    });
    let (mut rng, mut weights) = (Xoshiro128PlusPlus::seed_from_u64(3), [0.0; 37]);
    for init in [he_uniform, he_normal, lecun_uniform, lecun_normal] {
        init(&mut rng, 30, &mut weights);
        hash.add(&weights);
    }
    for init in [glorot_uniform, glorot_normal] {
        init(&mut rng, 30, 20, &mut weights);
        hash.add(&weights);
    }
}
