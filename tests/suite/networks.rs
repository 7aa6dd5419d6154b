//! Layers, losses, activations and whole trainings against PyTorch's in f64 (`tests/vectors/networks.py`).

use crate::support::random::Random;
use crate::support::worst::worst;
use gradus::layer::{AveragePool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d};
use gradus::{Adam, Error, Exec, Optimizer, activation, loss};
use serde_json::Value;

fn file() -> Value {
    serde_json::from_str(include_str!("../vectors/networks.json")).unwrap()
}

fn cases<'a>(file: &'a Value, kind: &str) -> &'a [Value] {
    let cases = file[kind].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn size(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap() as usize
}

fn sizes<const N: usize>(case: &Value, key: &str) -> [usize; N] {
    std::array::from_fn(|k| case[key][k].as_u64().unwrap() as usize)
}

fn drawn(random: &mut Random, n: usize, scale: f32) -> Vec<f32> {
    (0..n).map(|_| scale * random.signed()).collect()
}

/// Within some units in the last place of the largest number.
#[track_caller]
fn near(what: &str, got: &[f32], want: &Value, units: f64) {
    let want: Vec<f64> = want.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    assert_eq!(got.len(), want.len(), "{what}");
    let largest = want.iter().fold(0.0, |a: f64, x| a.max(x.abs()));
    let worst = worst(got.iter().zip(&want).map(|(got, want)| (f64::from(*got) - want).abs()));
    let worst = worst / (largest * f64::from(f32::EPSILON) / 2.0);
    assert!(worst <= units, "{what}: {worst} units");
}

#[test]
fn convolutions_are_those_of_pytorch() {
    let file = file();
    for case in cases(&file, "convolutions") {
        let layer = Conv2d::new(sizes(case, "input"), size(case, "filters"), sizes(case, "kernel"))
            .stride(sizes(case, "stride"))
            .padding(sizes(case, "padding"));
        let (mut random, images) = (Random(case["seed"].as_u64().unwrap()), size(case, "images"));
        let params = drawn(&mut random, layer.params(), 1.0);
        let x = drawn(&mut random, images * layer.inputs(), 1.0);
        let dy = drawn(&mut random, images * layer.outputs(), 1.0);
        let (mut y, mut grads, mut dx) = (vec![0.0; dy.len()], vec![0.0; params.len()], vec![0.0; x.len()]);
        layer.forward(&params, &x, &mut y).unwrap();
        layer.backward(&params, &mut grads, &x, &dy, Some(&mut dx)).unwrap();
        near("y", &y, &case["y"], 8.0);
        near("grads", &grads, &case["grads"], 8.0);
        near("dx", &dx, &case["dx"], 8.0);
    }
    for case in cases(&file, "depthwise") {
        let layer = DepthwiseConv2d::new(sizes(case, "input"), sizes(case, "kernel"))
            .stride(sizes(case, "stride"))
            .padding(sizes(case, "padding"));
        let (mut random, images) = (Random(case["seed"].as_u64().unwrap()), size(case, "images"));
        let params = drawn(&mut random, layer.params(), 1.0);
        let x = drawn(&mut random, images * layer.inputs(), 1.0);
        let dy = drawn(&mut random, images * layer.outputs(), 1.0);
        let (mut y, mut grads, mut dx) = (vec![0.0; dy.len()], vec![0.0; params.len()], vec![0.0; x.len()]);
        layer.forward(&params, &x, &mut y).unwrap();
        layer.backward(&params, &mut grads, &x, &dy, Some(&mut dx)).unwrap();
        near("y", &y, &case["y"], 8.0);
        near("grads", &grads, &case["grads"], 8.0);
        near("dx", &dx, &case["dx"], 8.0);
    }
}

#[test]
fn pooling_is_that_of_pytorch() {
    for case in cases(&file(), "pooling") {
        let (input, window) = (sizes(case, "input"), sizes(case, "window"));
        let max = MaxPool2d::new(input, window).stride(sizes(case, "stride")).padding(sizes(case, "padding"));
        let mean = AveragePool2d::new(input, window).stride(max.stride).padding(max.padding);
        let (mut random, images) = (Random(case["seed"].as_u64().unwrap()), size(case, "images"));
        let x = drawn(&mut random, images * max.inputs(), 1.0);
        let dy = drawn(&mut random, images * max.outputs(), 1.0);
        let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
        if case["kind"] == "max" {
            max.forward(&x, &mut y).unwrap();
            max.backward(&x, &y, &dy, &mut dx).unwrap();
        } else {
            mean.forward(&x, &mut y).unwrap();
            mean.backward(&dy, &mut dx).unwrap();
        }
        near("y", &y, &case["y"], 4.0);
        near("dx", &dx, &case["dx"], 4.0);
    }
}

#[test]
fn losses_are_those_of_pytorch() {
    let exec = Exec::new();
    for case in cases(&file(), "losses") {
        let (rows, classes) = (size(case, "rows"), size(case, "classes"));
        let mut random = Random(case["seed"].as_u64().unwrap());
        let (z, t) = (drawn(&mut random, rows * classes, 6.0), drawn(&mut random, rows * classes, 1.0));
        let labels: Vec<u16> = (0..rows).map(|r| ((3 * r + 1) % classes) as u16).collect();
        let unit: Vec<f32> = t.iter().map(|t| (t + 1.0) / 2.0).collect();
        let check = |name: &str, loss: &dyn Fn(&mut [f32]) -> Result<f32, Error>| {
            let mut own = z.clone();
            let value = loss(&mut own).unwrap();
            // A loss is a difference of logarithms: small, it has the error of numbers near 1.
            let want = case[name]["loss"].as_f64().unwrap();
            assert!((f64::from(value) - want).abs() <= 4e-7 * want.max(1.0), "{name}: {value} {want}");
            near(name, &own, &case[name]["grads"], 8.0);
        };
        check("cross_entropy", &|z| loss::softmax_cross_entropy(exec, z, &labels));
        check("binary", &|z| loss::binary_cross_entropy(exec, z, &unit));
        check("squared", &|z| loss::mean_squared_error(exec, z, &t));
        check("huber", &|z| loss::huber(exec, 1.5, z, &t));
    }
}

#[test]
fn activations_are_those_of_pytorch() {
    let exec = Exec::new();
    for case in cases(&file(), "activations") {
        let mut random = Random(case["seed"].as_u64().unwrap());
        let (x, dy) = (drawn(&mut random, size(case, "n"), 4.0), drawn(&mut random, size(case, "n"), 1.0));
        let check = |name: &str,
                     forward: &dyn Fn(&mut [f32]),
                     backward: &dyn Fn(&mut [f32], &[f32]) -> Result<(), Error>| {
            let (mut y, mut dx) = (x.clone(), dy.clone());
            forward(&mut y);
            backward(&mut dx, &y).unwrap();
            near(name, &y, &case[name]["y"], 4.0);
            near(name, &dx, &case[name]["dx"], 4.0);
        };
        check("relu", &|x| activation::relu(exec, x), &|dy, y| activation::relu_backward(exec, dy, y));
        check("leaky_relu", &|x| activation::leaky_relu(exec, 0.1, x), &|dy, y| {
            activation::leaky_relu_backward(exec, 0.1, dy, y)
        });
        check("tanh", &|x| activation::tanh(exec, x), &|dy, y| activation::tanh_backward(exec, dy, y));
        check("sigmoid", &|x| activation::sigmoid(exec, x), &|dy, y| {
            activation::sigmoid_backward(exec, dy, y)
        });
    }
}

/// Pixels and labels of the first digits.
fn digits(n: usize) -> (Vec<f32>, Vec<u8>) {
    let (mut x, mut labels) = (vec![], vec![]);
    for line in include_str!("../../data/digits.csv").lines().take(n) {
        let numbers: Vec<u8> = line.split_terminator(',').map(|number| number.parse().unwrap()).collect();
        x.extend(numbers[..64].iter().map(|pixel| f32::from(*pixel) / 16.0));
        labels.push(numbers[64]);
    }
    (x, labels)
}

/// Twenty steps of Adam: `step` learns a batch and returns its loss.
fn training<const N: usize>(
    name: &str,
    scales: [[(usize, f32); 2]; 3],
    mut step: impl FnMut(&mut [f32; N], &mut gradus::AdamState<N>, Adam, &[f32], &[u8]) -> Result<f32, Error>,
) {
    let file = file();
    let case = cases(&file, "trainings").iter().find(|case| case["name"] == name).unwrap();
    let mut random = Random(case["seed"].as_u64().unwrap());
    let params: Vec<f32> =
        scales.iter().flatten().flat_map(|(n, scale)| drawn(&mut random, *n, *scale)).collect();
    let mut params: [f32; N] = params.try_into().unwrap();
    let (batch, steps) = (size(case, "batch"), size(case, "steps"));
    let (x, labels) = digits(batch * steps);
    let adam = Adam::new(case["lr"].as_f64().unwrap() as f32);
    let mut state = adam.state();
    let losses: Vec<f32> = x
        .chunks(64 * batch)
        .zip(labels.chunks(batch))
        .map(|(x, labels)| step(&mut params, &mut state, adam, x, labels).unwrap())
        .collect();
    near("losses", &losses, &case["losses"], 32.0);
    let some: Vec<f32> = params.iter().step_by(size(case, "every")).copied().collect();
    near("params", &some, &case["params"], 200.0);
    assert!(losses[losses.len() - 1] < 0.95 * losses[0], "{losses:?}");
}

#[test]
fn a_dense_network_trains_as_in_pytorch() {
    const L1: Dense = Dense::new(64, 64);
    const L2: Dense = Dense::new(64, 32);
    const L3: Dense = Dense::new(32, 10);
    const N: usize = L1.params() + L2.params() + L3.params();
    let scales = [[(64, 0.1), (64 * 64, 0.2)], [(32, 0.1), (64 * 32, 0.2)], [(10, 0.1), (32 * 10, 0.3)]];
    training::<N>("lecture", scales, |params, state, adam, x, labels| {
        let (n, exec) = (labels.len(), Exec::new());
        let (mut h1, mut h2, mut z) = (vec![0.0; n * 64], vec![0.0; n * 32], vec![0.0; n * 10]);
        let (mut d1, mut d2) = (h1.clone(), h2.clone());
        let (p1, rest) = params.split_at(L1.params());
        let (p2, p3) = rest.split_at(L2.params());
        L1.forward(p1, x, &mut h1)?;
        activation::relu(exec, &mut h1);
        L2.forward(p2, &h1, &mut h2)?;
        activation::relu(exec, &mut h2);
        L3.forward(p3, &h2, &mut z)?;
        let loss = loss::softmax_cross_entropy(exec, &mut z, labels)?;
        let [u1, u2, u3] = adam.update(params, state).split([L1.params(), L2.params(), L3.params()])?;
        L3.backward_step(u3, &h2, &z, Some(&mut d2))?;
        activation::relu_backward(exec, &mut d2, &h2)?;
        L2.backward_step(u2, &h1, &d2, Some(&mut d1))?;
        activation::relu_backward(exec, &mut d1, &h1)?;
        L1.backward_step(u1, x, &d1, None)?;
        Ok(loss)
    });
}

#[test]
fn a_convolutional_network_trains_as_in_pytorch() {
    const C1: Conv2d = Conv2d::new([8, 8, 1], 8, [3, 3]).padding([1, 1]);
    const POOL: MaxPool2d = MaxPool2d::new(C1.output(), [2, 2]);
    const C2: Conv2d = Conv2d::new(POOL.output(), 16, [3, 3]).padding([1, 1]);
    const DENSE: Dense = Dense::new(C2.outputs(), 10);
    const N: usize = C1.params() + C2.params() + DENSE.params();
    let scales = [[(8, 0.1), (72, 0.5)], [(16, 0.1), (1152, 0.2)], [(10, 0.1), (2560, 0.15)]];
    training::<N>("convolutional", scales, |params, state, adam, x, labels| {
        let (n, exec) = (labels.len(), Exec::new());
        let of = |numbers: usize| vec![0.0; n * numbers];
        let (mut c1, mut pooled, mut c2, mut z) =
            (of(C1.outputs()), of(POOL.outputs()), of(C2.outputs()), of(10));
        let (mut dc1, mut dpooled, mut dc2) = (c1.clone(), pooled.clone(), c2.clone());
        let (p1, rest) = params.split_at(C1.params());
        let (p2, p3) = rest.split_at(C2.params());
        C1.forward(p1, x, &mut c1)?;
        activation::relu(exec, &mut c1);
        POOL.forward(&c1, &mut pooled)?;
        C2.forward(p2, &pooled, &mut c2)?;
        activation::relu(exec, &mut c2);
        DENSE.forward(p3, &c2, &mut z)?;
        let loss = loss::softmax_cross_entropy(exec, &mut z, labels)?;
        let [u1, u2, u3] = adam.update(params, state).split([C1.params(), C2.params(), DENSE.params()])?;
        DENSE.backward_step(u3, &c2, &z, Some(&mut dc2))?;
        activation::relu_backward(exec, &mut dc2, &c2)?;
        C2.backward_step(u2, &pooled, &dc2, Some(&mut dpooled))?;
        POOL.backward(&c1, &pooled, &dpooled, &mut dc1)?;
        activation::relu_backward(exec, &mut dc1, &c1)?;
        C1.backward_step(u1, x, &dc1, None)?;
        Ok(loss)
    });
}
