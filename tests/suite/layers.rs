//! Layers: bits against loops over indices, both ways back, gradients against differences, errors.

use crate::support::naive::{self, Sizes};
use crate::support::random::Random;
use gradus::layer::*;
use gradus::transform::{ClipValue, Decay, L2, Scale};
use gradus::*;

fn numbers<T: Element>(random: &mut Random, n: usize) -> Vec<T> {
    (0..n).map(|_| T::from_f32(2.0 * random.unit() - 1.0)).collect()
}

fn below(random: &mut Random, n: usize) -> usize {
    (random.word() % n as u64) as usize
}

/// Bits of f32, told apart.
#[track_caller]
fn same(what: &str, got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (k, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(
            got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(),
            "{what}, element {k}: {got:e}, {want:e} is right"
        );
    }
}

/// Numbers that begin `offset` elements behind an address that any register is aligned to.
struct Offset(Vec<f32>, usize);

impl Offset {
    fn of(x: &[f32], offset: usize) -> Self {
        let mut memory = vec![f32::NAN; offset];
        memory.extend(x);
        memory.push(f32::NAN); // a read beyond the end shows
        Self(memory, offset)
    }
    fn get(&self) -> &[f32] {
        &self.0[self.1..self.0.len() - 1]
    }
    fn get_mut(&mut self) -> &mut [f32] {
        let end = self.0.len() - 1;
        &mut self.0[self.1..end]
    }
}

fn dense_case(random: &mut Random, [rows, i, o]: [usize; 3]) {
    let what = format!("{rows} samples, {i} -> {o}");
    let (params, x, dy) =
        (numbers(random, (1 + i) * o), numbers(random, rows * i), numbers(random, rows * o));
    let start: Vec<f32> = numbers(random, params.len());
    let want = naive::dense([i, o], &params, &x);
    let mut want_grads = start.clone();
    let want_dx = naive::dense_backward([i, o], &params, &mut want_grads, &x, &dy);
    for level in Level::available() {
        let layer = Dense::new(i, o).on(level);
        let offset = below(random, 16);
        let [params, x, dy] = [&params, &x, &dy].map(|v| Offset::of(v, offset));
        let mut y = Offset::of(&vec![7.0; rows * o], offset);
        layer.forward(params.get(), x.get(), y.get_mut()).unwrap();
        same(&format!("forward {what} {level}"), y.get(), &want);
        let (mut grads, mut dx) = (Offset::of(&start, offset), Offset::of(&vec![7.0; rows * i], offset));
        layer.backward(params.get(), grads.get_mut(), x.get(), dy.get(), Some(dx.get_mut())).unwrap();
        same(&format!("grads {what} {level}"), grads.get(), &want_grads);
        same(&format!("dx {what} {level}"), dx.get(), &want_dx);
    }
}

#[test]
fn dense_has_the_bits_of_the_plain_loop() {
    let mut random = Random(1);
    for n in 1..=67 {
        dense_case(&mut random, [n, 5, 3]);
        dense_case(&mut random, [3, n, 7]);
        dense_case(&mut random, [5, 4, n]);
    }
    for _ in 0..100 {
        let sizes = [68, 67, 67].map(|n| 1 + below(&mut random, n - 1));
        dense_case(&mut random, sizes);
    }
    for sizes in [[1, 200, 300], [33, 130, 70], [4, 3, 1000], [2, 257, 65]] {
        dense_case(&mut random, sizes);
    }
}

/// Sizes that fit each other.
fn sizes(random: &mut Random, channels: usize, filters: usize) -> Sizes {
    let kernel = [1 + below(random, 5), 1 + below(random, 5)];
    let kernel = if below(random, 8) == 0 { [1, 11] } else { kernel };
    let stride = [1 + below(random, 3), 1 + below(random, 3)];
    let padding = kernel.map(|k| if random.unit() < 0.5 { 0 } else { below(random, k) });
    let side =
        |random: &mut Random, k: usize| (kernel[k] + below(random, 9)).saturating_sub(2 * padding[k]).max(1);
    let input = [side(random, 0), side(random, 1), channels];
    Sizes { input, filters, kernel, stride, padding }
}

fn conv_case(random: &mut Random, s: Sizes, images: usize) {
    let plain = Conv2d::new(s.input, s.filters, s.kernel).stride(s.stride).padding(s.padding);
    assert_eq!(plain.output(), [s.output()[0], s.output()[1], s.filters], "{s:?}");
    let (params, x) = (numbers(random, plain.params()), numbers(random, images * s.inputs()));
    let dy: Vec<f32> = numbers(random, images * plain.outputs());
    let start: Vec<f32> = numbers(random, params.len());
    let want = naive::conv(&s, images, &params, &x);
    let mut want_grads = start.clone();
    let want_dx = naive::conv_backward(&s, images, &params, &mut want_grads, &x, &dy);
    for level in Level::available() {
        let layer = plain.on(level);
        let (mut y, mut grads, mut dx) = (vec![7.0; want.len()], start.clone(), vec![7.0; x.len()]);
        layer.forward(&params, &x, &mut y).unwrap();
        same(&format!("forward {s:?} {level}"), &y, &want);
        layer.backward(&params, &mut grads, &x, &dy, Some(&mut dx)).unwrap();
        same(&format!("grads {s:?} {level}"), &grads, &want_grads);
        same(&format!("dx {s:?} {level}"), &dx, &want_dx);
    }
}

#[test]
fn a_convolution_has_the_bits_of_the_plain_loop() {
    let mut random = Random(2);
    for n in 1..=40 {
        let s = sizes(&mut random, 3, n);
        conv_case(&mut random, s, 2);
        let s = sizes(&mut random, n, 3);
        conv_case(&mut random, s, 1);
    }
    for _ in 0..150 {
        let (channels, filters) = (1 + below(&mut random, 20), 1 + below(&mut random, 20));
        let s = sizes(&mut random, channels, filters);
        let images = 1 + below(&mut random, 3);
        conv_case(&mut random, s, images);
    }
    let wide = Sizes { input: [12, 11, 4], filters: 300, kernel: [11, 11], stride: [1, 1], padding: [10, 0] };
    conv_case(&mut random, wide, 1);
}

#[test]
fn a_depthwise_convolution_has_the_bits_of_the_plain_loop() {
    let mut random = Random(3);
    for n in 0..120 {
        let s = sizes(&mut random, 1 + n % 67, 0);
        let images = 1 + below(&mut random, 3);
        let plain = DepthwiseConv2d::new(s.input, s.kernel).stride(s.stride).padding(s.padding);
        let (params, x) = (numbers(&mut random, plain.params()), numbers(&mut random, images * s.inputs()));
        let dy: Vec<f32> = numbers(&mut random, images * plain.outputs());
        let start: Vec<f32> = numbers(&mut random, params.len());
        let want = naive::depthwise(&s, images, &params, &x);
        let mut want_grads = start.clone();
        let want_dx = naive::depthwise_backward(&s, images, &params, &mut want_grads, &x, &dy);
        for level in Level::available() {
            let layer = plain.on(level);
            let (mut y, mut grads, mut dx) = (vec![7.0; want.len()], start.clone(), vec![7.0; x.len()]);
            layer.forward(&params, &x, &mut y).unwrap();
            same(&format!("forward {s:?} {level}"), &y, &want);
            layer.backward(&params, &mut grads, &x, &dy, Some(&mut dx)).unwrap();
            same(&format!("grads {s:?} {level}"), &grads, &want_grads);
            same(&format!("dx {s:?} {level}"), &dx, &want_dx);
        }
    }
}

#[test]
fn pooling_has_the_bits_of_the_plain_loop_with_ties_and_nan() {
    let mut random = Random(4);
    for n in 0..150 {
        let s = sizes(&mut random, 1 + n % 35, 0);
        let images = 1 + below(&mut random, 3);
        // Few values, so that windows have equals; both zeros; NaN and infinities.
        let values = [0.0, -0.0, 1.0, 2.0, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        let kinds = if n % 2 == 0 { 5 } else { 8 };
        let x: Vec<f32> = (0..images * s.inputs()).map(|_| values[below(&mut random, kinds)]).collect();
        let (want, places) = naive::max_pool(&s, images, &x);
        let average = naive::average_pool(&s, images, &x);
        let dy: Vec<f32> = numbers(&mut random, want.len());
        let mut want_dx = vec![0.0; x.len()];
        for (place, g) in places.iter().zip(&dy) {
            want_dx[*place] += g;
        }
        let mut want_average = vec![0.0; x.len()];
        let mut counts = vec![0.0; want.len() / s.input[2]];
        s.each(images, false, |result, _, _| counts[result] += 1.0);
        s.each(images, false, |result, place, _| {
            for i in 0..s.input[2] {
                want_average[place + i] += dy[result * s.input[2] + i] * (1.0 / counts[result]);
            }
        });
        for level in Level::available() {
            let max = MaxPool2d::new(s.input, s.kernel).stride(s.stride).padding(s.padding).on(level);
            let mean = AveragePool2d::new(s.input, s.kernel).stride(s.stride).padding(s.padding).on(level);
            let (mut y, mut dx) = (vec![7.0; want.len()], vec![7.0; x.len()]);
            max.forward(&x, &mut y).unwrap();
            same(&format!("max {s:?} {level}"), &y, &want);
            max.backward(&x, &y, &dy, &mut dx).unwrap();
            same(&format!("dx of max {s:?} {level}"), &dx, &want_dx);
            mean.forward(&x, &mut y).unwrap();
            same(&format!("mean {s:?} {level}"), &y, &average);
            mean.backward(&dy, &mut dx).unwrap();
            same(&format!("dx of mean {s:?} {level}"), &dx, &want_average);
        }
    }
}

/// Gradients in memory and a step, and the step that has none.
fn both_ways<O: Optimizer>(optimizer: O, layer: Dense, rows: usize) {
    let mut random = Random(5);
    let n = layer.params();
    let mut params: Vec<f32> = numbers(&mut random, n);
    let mut fused = params.clone();
    let (mut state, mut fused_state) = (optimizer.state_vec(n), optimizer.state_vec(n));
    for _ in 0..3 {
        let (x, dy) = (numbers(&mut random, rows * layer.inputs), numbers(&mut random, rows * layer.outputs));
        let (mut grads, mut dx) = (vec![0.0; n], vec![7.0; x.len()]);
        layer.backward(&params, &mut grads, &x, &dy, Some(&mut dx)).unwrap();
        optimizer.step_slices(&mut params, &grads, state.as_mut()).unwrap();
        let mut fused_dx = vec![7.0; x.len()];
        let update = optimizer.update_slices(&mut fused, fused_state.as_mut()).unwrap();
        layer.backward_step(update, &x, &dy, Some(&mut fused_dx)).unwrap();
        same("dx", &fused_dx, &dx);
        same("params", &fused, &params);
    }
    assert!(state == fused_state);
}

#[test]
fn a_step_without_gradients_has_the_bits_of_one_with_them() {
    let all = (Scale(0.5), ClipValue(0.4), L2::new(0.01), Decay::new(0.01));
    for level in Level::available() {
        for outputs in [1, 3, 64, 65, 255, 256, 257, 1000, 1025] {
            for (inputs, rows) in [(1, 1), (3, 2), (9, 5)] {
                let layer = Dense::new(inputs, outputs).on(level);
                both_ways(Adam::new(0.01), layer, rows);
                both_ways(Momentum::new(0.01).with(all), layer, rows);
            }
        }
        let layer = Dense::new(67, 33).on(level);
        both_ways(Sgd::new(0.1), layer, 8);
        both_ways(AmsGrad::new(0.01).with(all), layer, 8);
        both_ways(Nadam::new(0.01), layer, 1);
    }
}

#[test]
fn convolutions_step_without_gradients_to_the_same_bits() {
    let mut random = Random(6);
    for n in 0..60 {
        let filters = [1, 5, 16, 70, 300][n % 5];
        let s = sizes(&mut random, 1 + n % 9, filters);
        let (conv, apart) = (
            Conv2d::new(s.input, filters, s.kernel).stride(s.stride).padding(s.padding),
            DepthwiseConv2d::new(s.input, s.kernel).stride(s.stride).padding(s.padding),
        );
        let optimizer = Adam::new(0.01).with(L2::new(0.1));
        macro_rules! case {
            ($layer:ident) => {{
                let n = $layer.params();
                let params: Vec<f32> = numbers(&mut random, n);
                let (x, dy) =
                    (numbers(&mut random, 2 * s.inputs()), numbers(&mut random, 2 * $layer.outputs()));
                let (mut grads, mut dx) = (vec![0.0; n], vec![7.0; x.len()]);
                $layer.backward(&params, &mut grads, &x, &dy, Some(&mut dx)).unwrap();
                let (mut want, mut state) = (params.clone(), optimizer.state_vec(n));
                optimizer.step_slices(&mut want, &grads, state.as_mut()).unwrap();
                for level in Level::available() {
                    let (mut got, mut fused, mut fused_dx) =
                        (params.clone(), optimizer.state_vec(n), vec![7.0; x.len()]);
                    let update = optimizer.update_slices(&mut got, fused.as_mut()).unwrap();
                    $layer.on(level).backward_step(update, &x, &dy, Some(&mut fused_dx)).unwrap();
                    same(&format!("{s:?} {level}"), &got, &want);
                    same("dx", &fused_dx, &dx);
                    assert!(state == fused);
                }
            }};
        }
        case!(conv);
        case!(apart);
    }
}

/// So many channels that a strip of gradients holds some rows of the kernel, and then some of their columns.
#[test]
fn wide_depthwise_convolutions_step_without_gradients_to_the_same_bits() {
    let mut random = Random(12);
    for (channels, kernel) in [(67, [5, 5]), (40, [11, 3]), (300, [3, 3]), (1100, [1, 2])] {
        let layer = DepthwiseConv2d::new([11, 6, channels], kernel).padding([0, kernel[1] - 1]);
        let (optimizer, n) = (Adam::new(0.01).with(L2::new(0.1)), layer.params());
        let params: Vec<f32> = numbers(&mut random, n);
        let (x, dy) = (numbers(&mut random, 2 * layer.inputs()), numbers(&mut random, 2 * layer.outputs()));
        let s =
            Sizes { input: layer.input, filters: 0, kernel, stride: layer.stride, padding: layer.padding };
        let mut grads = vec![0.0; n];
        naive::depthwise_backward(&s, 2, &params, &mut grads, &x, &dy);
        let (mut want, mut state) = (params.clone(), optimizer.state_vec(n));
        optimizer.step_slices(&mut want, &grads, state.as_mut()).unwrap();
        for level in Level::available() {
            let (mut got, mut fused) = (params.clone(), optimizer.state_vec(n));
            let update = optimizer.update_slices(&mut got, fused.as_mut()).unwrap();
            layer.on(level).backward_step(update, &x, &dy, None).unwrap();
            same(&format!("{s:?} {level}"), &got, &want);
            assert!(state == fused);
        }
    }
}

#[test]
fn a_transform_of_weights_leaves_biases_alone() {
    let layer = Dense::new(2, 3);
    let sgd = Sgd::new(0.5);
    let (mut params, mut state) = ([1.0; 9], sgd.state::<9>());
    let update =
        sgd.update(&mut params, &mut state).on_weights(L2::weight_decay(0.25)).on_weights(Scale(2.0));
    layer.backward_step(update, &[0.0, 1.0], &[0.5, 0.0, 0.0], None).unwrap();
    // Biases: g = 0.5, 0, 0. Weights: 2 (0 + 0.25), then 2 (0.5 + 0.25) for the second input's first.
    assert_eq!(params, [0.75, 1.0, 1.0, 0.75, 0.75, 0.75, 0.25, 0.75, 0.75]);
    assert_eq!(state.t(), 1);
}

/// A loss of some layers in f64, whose gradient is compared with differences.
fn check_gradient(name: &str, params: &mut [f64], grads: &[f64], mut loss: impl FnMut(&[f64]) -> f64) {
    for k in 0..params.len() {
        let (old, h) = (params[k], 1e-5);
        params[k] = old + h;
        let up = loss(params);
        params[k] = old - h;
        let down = loss(params);
        params[k] = old;
        let want = (up - down) / (2.0 * h);
        assert!((grads[k] - want).abs() <= 1e-8 * (1.0 + want.abs()), "{name} {k}: {} {want}", grads[k]);
    }
}

#[test]
fn gradients_are_those_of_differences() {
    let mut random = Random(7);
    let weigh = |y: &[f64], w: &[f64]| y.iter().zip(w).map(|(y, w)| y * w).sum::<f64>();
    macro_rules! case {
        ($name:literal, $layer:expr, $images:literal) => {{
            let layer = $layer;
            let mut params: Vec<f64> = numbers(&mut random, layer.params());
            let (inputs, outputs) = (layer.inputs() * $images, layer.outputs() * $images);
            let (mut x, w): (Vec<f64>, Vec<f64>) =
                (numbers(&mut random, inputs), numbers(&mut random, outputs));
            let loss = |params: &[f64], x: &[f64]| {
                let mut y = vec![0.0; outputs];
                layer.forward(params, x, &mut y).unwrap();
                weigh(&y, &w)
            };
            let (mut grads, mut dx) = (vec![0.0; params.len()], vec![0.0; inputs]);
            layer.backward(&params, &mut grads, &x, &w, Some(&mut dx)).unwrap();
            check_gradient($name, &mut params.clone(), &grads, |params| loss(params, &x));
            check_gradient($name, &mut x, &dx, |x| loss(&mut params, x));
        }};
    }
    struct Linear(Dense);
    impl Linear {
        fn params(&self) -> usize {
            self.0.params()
        }
        fn inputs(&self) -> usize {
            self.0.inputs
        }
        fn outputs(&self) -> usize {
            self.0.outputs
        }
        fn forward(&self, params: &[f64], x: &[f64], y: &mut [f64]) -> Result<(), Error> {
            self.0.forward(params, x, y)
        }
        fn backward(
            &self,
            p: &[f64],
            g: &mut [f64],
            x: &[f64],
            dy: &[f64],
            dx: Option<&mut [f64]>,
        ) -> Result<(), Error> {
            self.0.backward(p, g, x, dy, dx)
        }
    }
    case!("dense", Linear(Dense::new(7, 5)), 3);
    case!("conv", Conv2d::new([5, 6, 2], 3, [3, 3]), 2);
    case!("conv, stride and padding", Conv2d::new([5, 6, 2], 3, [3, 2]).stride([2, 3]).padding([1, 1]), 2);
    case!("depthwise", DepthwiseConv2d::new([5, 6, 3], [3, 2]).stride([2, 1]).padding([2, 0]), 2);
    let (max, mean) = (
        MaxPool2d::new([4, 6, 3], [2, 3]),
        AveragePool2d::new([4, 5, 3], [3, 3]).stride([1, 2]).padding([1, 2]),
    );
    let (mut x, w): (Vec<f64>, Vec<f64>) =
        (numbers(&mut random, max.inputs()), numbers(&mut random, max.outputs()));
    let (mut y, mut dx) = (vec![0.0; max.outputs()], vec![0.0; max.inputs()]);
    max.forward(&x, &mut y).unwrap();
    max.backward(&x, &y, &w, &mut dx).unwrap();
    check_gradient("max", &mut x, &dx, |x| {
        max.forward(x, &mut y).unwrap();
        weigh(&y, &w)
    });
    let (mut x, w): (Vec<f64>, Vec<f64>) =
        (numbers(&mut random, mean.inputs()), numbers(&mut random, mean.outputs()));
    let (mut y, mut dx) = (vec![0.0; mean.outputs()], vec![0.0; mean.inputs()]);
    mean.backward(&w, &mut dx).unwrap();
    check_gradient("mean", &mut x, &dx, |x| {
        mean.forward(x, &mut y).unwrap();
        weigh(&y, &w)
    });
    for slope in [0.0, 0.1] {
        let mut x: Vec<f64> = numbers(&mut random, 50);
        let w: Vec<f64> = numbers(&mut random, 50);
        let (mut y, mut dx) = (x.clone(), w.clone());
        activation::leaky_relu(Exec::new(), slope, &mut y);
        activation::leaky_relu_backward(Exec::new(), slope, &mut dx, &y).unwrap();
        check_gradient("leaky", &mut x, &dx, |x| {
            let mut y = x.to_vec();
            activation::leaky_relu(Exec::new(), slope, &mut y);
            weigh(&y, &w)
        });
    }
}

#[test]
fn bad_sizes_are_errors_and_nothing_is_written() {
    let layer = Dense::new(3, 2);
    let (params, x, dy) = ([0.5; 8], [1.0; 6], [1.0; 4]);
    let (mut y, mut grads, mut dx) = ([7.0; 4], [7.0; 8], [7.0; 6]);
    let length = |what, expected, found| Err(Error::Length { what, expected, found });
    assert_eq!(layer.forward(&params[1..], &x, &mut y), length(Argument::Params, 8, 7));
    assert_eq!(layer.forward(&params, &x[1..], &mut y), length(Argument::Input, 6, 5));
    assert_eq!(layer.forward(&params, &x, &mut y[1..]), length(Argument::Output, 2, 3));
    assert_eq!(Dense::new(3, 0).forward::<f32>(&[], &[], &mut []), Err(Error::Shape));
    assert_eq!(layer.backward(&params, &mut grads[1..], &x, &dy, None), length(Argument::Grads, 8, 7));
    assert_eq!(layer.backward(&params, &mut grads, &x, &dy[1..], None), length(Argument::Grads, 2, 3));
    assert_eq!(
        layer.backward(&params, &mut grads, &x, &dy, Some(&mut dx[1..])),
        length(Argument::Output, 6, 5)
    );
    let sgd = Sgd::new(0.1);
    let (mut own, mut state) = ([0.5; 8], sgd.state_vec(8));
    let update = sgd.update_slices(&mut own, state.as_mut()).unwrap();
    assert_eq!(layer.backward_step(update, &x[1..], &dy, Some(&mut dx)), length(Argument::Input, 6, 5));
    let update = sgd.update_slices(&mut own, state.as_mut()).unwrap();
    assert!(update.split([4, 3]).is_err());
    let adam = Adam::new(0.1);
    let mut state = adam.state_vec(7);
    assert!(adam.update_slices(&mut own, state.as_mut()).is_err());
    assert_eq!(state.t(), 0);
    assert_eq!((y, grads, dx, own), ([7.0; 4], [7.0; 8], [7.0; 6], [0.5; 8]));

    let conv = Conv2d::new([4, 4, 1], 2, [3, 3]);
    assert_eq!(conv.check(), Ok(()));
    for bad in [
        Conv2d::new([4, 4, 1], 2, [5, 3]),
        Conv2d::new([4, 4, 1], 2, [0, 3]),
        Conv2d::new([40, 40, 1], 2, [12, 3]),
        Conv2d::new([4, 4, 0], 2, [3, 3]),
        Conv2d::new([4, 4, 1], 0, [3, 3]),
        conv.stride([0, 1]),
        conv.padding([3, 0]),
    ] {
        assert_eq!(bad.check(), Err(Error::Shape), "{bad:?}");
        let mut y = vec![7.0; 100];
        assert!(bad.forward(&[0.5; 20], &[1.0; 16], &mut y).is_err());
        assert!(bad.backward(&[0.5; 20], &mut [0.0; 20], &[1.0; 16], &[0.0; 8], None).is_err());
        assert!(y.iter().all(|y| *y == 7.0));
    }
    assert!(conv.forward(&[0.5; 20], &[1.0; 15], &mut [0.0; 8]).is_err());
    assert_eq!(MaxPool2d::new([4, 4, 1], [2, 2]).padding([2, 0]).check(), Err(Error::Shape));
    assert_eq!(MaxPool2d::new([4, 4, 1], [2, 0]).check(), Err(Error::Shape));
    assert!(AveragePool2d::new([4, 4, 1], [2, 2]).forward(&[0.0; 16], &mut [0.0; 3]).is_err());
    // A batch of none is none.
    layer.forward::<f32>(&params, &[], &mut []).unwrap();
    conv.forward::<f32>(&[0.5; 20], &[], &mut []).unwrap();
}

/// Slices as long as the sizes say do not help sizes that do not fit each other: every pass refuses them itself.
#[test]
fn every_way_back_refuses_sizes_that_do_not_fit() {
    macro_rules! refused {
        ($($layer:expr),* $(,)?) => { $({
            let bad = $layer;
            let what = format!("{bad:?}");
            let n = bad.params();
            let (x, dy) = (vec![1.0; bad.inputs()], vec![1.0; bad.outputs()]);
            let (mut params, mut grads, mut dx) = (vec![0.5; n], vec![7.0; n], vec![7.0; x.len()]);
            let (mut sums, mut passes) = (vec![Bf16::default(); n], 0);
            assert_eq!(bad.backward(&params, &mut grads, &x, &dy, Some(&mut dx)), Err(Error::Shape), "{what}");
            assert_eq!(bad.backward_input(&params, &dy, &mut dx), Err(Error::Shape), "{what}");
            let half = HalfGrads::new(&mut sums, &mut passes);
            assert_eq!(bad.backward_half(&params, half, &x, &dy, Some(&mut dx)), Err(Error::Shape), "{what}");
            let (sgd, mut state) = (Sgd::new(0.1), Sgd::new(0.1).state_vec(n));
            let update = sgd.update_slices(&mut params, state.as_mut()).unwrap();
            assert_eq!(bad.backward_step(update, &x, &dy, Some(&mut dx)), Err(Error::Shape), "{what}");
            assert!(params.iter().all(|p| *p == 0.5) && sums.iter().all(|sum| *sum == Bf16::default()));
            assert!(grads.iter().chain(&dx).all(|g| *g == 7.0), "{what}");
        })* };
    }
    let (conv, apart) = (Conv2d::new([4, 4, 1], 2, [3, 3]), DepthwiseConv2d::new([4, 4, 2], [3, 3]));
    refused!(
        Conv2d::new([13, 4, 1], 2, [12, 3]),
        Conv2d::new([4, 13, 1], 2, [3, 12]),
        conv.padding([3, 0]),
        conv.padding([0, 3]),
        Conv2d::new([4, 4, 1], 0, [3, 3]),
        DepthwiseConv2d::new([13, 4, 2], [12, 3]),
        DepthwiseConv2d::new([4, 13, 2], [3, 12]),
        apart.padding([3, 0]),
        apart.padding([0, 3]),
        DepthwiseConv2d::new([4, 4, 0], [3, 3]),
    );
}

#[test]
fn residual_adds() {
    let mut y = [1.0, 2.0];
    assert!(residual_add(Exec::new(), &mut y, &[1.0]).is_err());
    residual_add(Exec::new(), &mut y, &[1.0, -2.0]).unwrap();
    assert_eq!(y, [2.0, 0.0]);
}

/// Products on several threads: bits of one.
#[cfg(feature = "rayon")]
#[test]
fn threads_have_the_same_bits() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let mut random = Random(11);
    for [rows, i, o] in [[64, 300, 250], [1, 2000, 1500], [700, 70, 66]] {
        let (params, x): (Vec<f32>, Vec<f32>) =
            (numbers(&mut random, (1 + i) * o), numbers(&mut random, rows * i));
        let dy: Vec<f32> = numbers(&mut random, rows * o);
        let pass = |layer: Dense| {
            let (mut y, mut grads, mut dx) =
                (vec![0.0; rows * o], vec![0.5; params.len()], vec![0.0; rows * i]);
            layer.forward(&params, &x, &mut y).unwrap();
            layer.backward(&params, &mut grads, &x, &dy, Some(&mut dx)).unwrap();
            let adam = Adam::new(0.01);
            let (mut own, mut state) = (params.clone(), adam.state_vec(params.len()));
            let update = adam.update_slices(&mut own, state.as_mut()).unwrap();
            layer.backward_step(update, &x, &dy, None).unwrap();
            [y, grads, dx, own]
        };
        let (one, many) =
            (pass(Dense::new(i, o)), pool.install(|| pass(Dense::new(i, o).on(Exec::threads()))));
        for (one, many) in one.iter().zip(&many) {
            same("threads", many, one);
        }
    }
    let conv = Conv2d::new([40, 40, 16], 32, [3, 3]).padding([1, 1]);
    let (params, x): (Vec<f32>, Vec<f32>) =
        (numbers(&mut random, conv.params()), numbers(&mut random, 2 * conv.inputs()));
    let dy: Vec<f32> = numbers(&mut random, 2 * conv.outputs());
    let pass = |layer: Conv2d| {
        let (mut y, mut grads, mut dx) = (vec![0.0; dy.len()], vec![0.5; params.len()], vec![0.0; x.len()]);
        layer.forward(&params, &x, &mut y).unwrap();
        layer.backward(&params, &mut grads, &x, &dy, Some(&mut dx)).unwrap();
        let (sgd, mut own) = (Sgd::new(0.01), params.clone());
        let mut state = sgd.state_vec(own.len());
        layer.backward_step(sgd.update_slices(&mut own, state.as_mut()).unwrap(), &x, &dy, None).unwrap();
        [y, grads, dx, own]
    };
    let (one, many) = (pass(conv), pool.install(|| pass(conv.on(Exec::threads()))));
    for (one, many) in one.iter().zip(&many) {
        same("threads", many, one);
    }
}
