//! Group and layer normalisation against PyTorch, by central differences, and in their corners.

use crate::support::random::{Random, all_bits};
use crate::support::ulp::unit;
use crate::support::vectors::{doubles, floats, layers, size};
use crate::support::worst::worst;
use gradus::norm::{BatchShape, GroupNorm, LayerNorm, Params, Statistics};
use gradus::{Argument, Element, Error, Exec, Hyper, Level};
use serde_json::Value;

/// A training pass and its backward pass.
#[derive(Clone, Debug, PartialEq)]
struct Pass<T> {
    y: Vec<T>,
    groups: Statistics<Vec<T>>,
    grad_x: Vec<T>,
    grads: Params<Vec<T>>,
}

fn pass<T: Element>(norm: &GroupNorm, shape: BatchShape, [x, g, weight, bias]: [&[T]; 4]) -> Pass<T> {
    let (per_group, per_channel) = (vec![T::ONE; shape.batch * norm.groups], vec![T::ONE; shape.channels]);
    let mut pass = Pass {
        y: vec![T::ONE; x.len()],
        groups: Statistics { mean: per_group.clone(), variance: per_group },
        grad_x: g.to_vec(),
        grads: Params { weight: per_channel.clone(), bias: per_channel },
    };
    let params = Params { weight, bias };
    norm.forward(shape, x, &mut pass.y, &params, &mut pass.groups).unwrap();
    norm.backward(shape, &mut pass.grad_x, x, &params, &pass.groups, &mut pass.grads).unwrap();
    let mut z = x.to_vec();
    norm.inference(shape, &mut z, &params).unwrap();
    assert!(z == pass.y, "inference is the training pass");
    pass
}

/// The same by [`LayerNorm`], whose rows need no shape.
fn layer_pass(norm: &LayerNorm, rows: usize, [x, g, weight, bias]: [&[f32]; 4]) -> Pass<f32> {
    let (per_row, per_feature) = (vec![1.0; rows], vec![1.0; weight.len()]);
    let mut pass = Pass {
        y: vec![1.0; x.len()],
        groups: Statistics { mean: per_row.clone(), variance: per_row },
        grad_x: g.to_vec(),
        grads: Params { weight: per_feature.clone(), bias: per_feature },
    };
    let params = Params { weight, bias };
    norm.forward(x, &mut pass.y, &params, &mut pass.groups).unwrap();
    norm.backward(&mut pass.grad_x, x, &params, &pass.groups, &mut pass.grads).unwrap();
    let mut z = x.to_vec();
    norm.inference(&mut z, &params).unwrap();
    assert_eq!(all_bits(&z), all_bits(&pass.y));
    pass
}

/// Largest distance, in units in the last place of the largest number of the reference.
fn off(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let largest = want.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    worst(got.iter().zip(want).map(|(got, want)| (f64::from(*got) - want).abs())) / unit(largest)
}

/// Within 4 units of PyTorch's run in f64 or, where an offset leaves fewer digits, no farther than twice as far as
/// PyTorch's own run in f32.
fn hold(case: &Value, key: &str, got: &[f32]) {
    let want = doubles(&case["f64"], key);
    let (ours, theirs) = (off(got, &want), off(&floats(&case["f32"], key), &want));
    assert!(ours <= f64::max(4.0, 2.0 * theirs), "{} {key}: {ours} units, PyTorch {theirs}", case["name"]);
}

/// The formula in f64, of an eps that is an f32: 3e-8 of itself away from the decimal.
fn hold_f64(case: &Value, key: &str, got: &[f64]) {
    let want = doubles(&case["f64"], key);
    let largest = want.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= 4e-8 * largest, "{} {key}: {got:e} {want:e}", case["name"]);
    }
}

#[test]
fn every_number_agrees_with_pytorch() {
    for kind in ["group_norm", "layer_norm"] {
        for case in layers(kind) {
            let shape = BatchShape {
                batch: size(&case, "batch"),
                channels: size(&case, "channels"),
                spatial: size(&case, "spatial"),
            };
            let eps = case["eps"].as_f64().unwrap() as f32;
            let norm = GroupNorm { eps, ..GroupNorm::new(size(&case, "groups")) };
            assert_eq!(norm.check(), Ok(()));
            let data = ["input", "grad_output", "weight", "bias"].map(|key| floats(&case, key));
            let got = pass(&norm, shape, data.each_ref().map(|x| &x[..]));
            hold(&case, "output", &got.y);
            hold(&case, "grad_input", &got.grad_x);
            hold(&case, "grad_weight", &got.grads.weight);
            hold(&case, "grad_bias", &got.grads.bias);
            // A mean near 0 has the digits of the numbers that it is the mean of.
            let largest = data[0].iter().fold(0.0_f32, |a, x| a.max(x.abs()));
            for (got, want) in got.groups.mean.iter().zip(doubles(&case, "mean")) {
                assert!(
                    (f64::from(*got) - want).abs() <= unit(largest.into()),
                    "{}: {got} {want}",
                    case["name"]
                );
            }
            assert!(off(&got.groups.variance, &doubles(&case, "variance")) <= 4.0, "{}", case["name"]);
            let wide = data.each_ref().map(|x| x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
            let wide = pass(&norm, shape, wide.each_ref().map(|x| &x[..]));
            hold_f64(&case, "output", &wide.y);
            hold_f64(&case, "grad_input", &wide.grad_x);
            hold_f64(&case, "grad_weight", &wide.grads.weight);
            hold_f64(&case, "grad_bias", &wide.grads.bias);
            if kind == "layer_norm" {
                let layer = LayerNorm { eps, ..LayerNorm::new() };
                let data = data.each_ref().map(|x| &x[..]);
                assert_eq!(layer_pass(&layer, shape.batch, data), got, "{}", case["name"]);
            }
        }
    }
}

fn inputs(shape: BatchShape, seed: u64) -> [Vec<f32>; 4] {
    let mut random = Random(seed);
    let mut numbers = |n| random.vec(n, |r| r.sized(-1.0, 1.0));
    [numbers(shape.len()), numbers(shape.len()), numbers(shape.channels), numbers(shape.channels)]
}

#[test]
fn every_level_has_the_same_bits() {
    for (channels, groups) in [(1, 1), (6, 1), (6, 2), (6, 6), (70, 7), (130, 2), (67, 1)] {
        for batch in [1, 2, 67] {
            for spatial in [1, 2, 7, 33] {
                let shape = BatchShape { batch, channels, spatial };
                let data = inputs(shape, 3);
                let data = data.each_ref().map(|x| &x[..]);
                let want = pass(&GroupNorm::new(groups).on(Level::SCALAR), shape, data);
                let execs = Level::available().map(Exec::from);
                #[cfg(feature = "rayon")]
                let execs = execs.chain([Exec::threads()]);
                for exec in execs {
                    let got = pass(&GroupNorm::new(groups).on(exec), shape, data);
                    for (got, want) in [
                        (&got.y, &want.y),
                        (&got.groups.mean, &want.groups.mean),
                        (&got.groups.variance, &want.groups.variance),
                        (&got.grad_x, &want.grad_x),
                        (&got.grads.weight, &want.grads.weight),
                        (&got.grads.bias, &want.grads.bias),
                    ] {
                        assert_eq!(all_bits(got), all_bits(want), "{exec:?} {shape:?} {groups}");
                    }
                }
            }
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_the_forward_pass() {
    for (shape, groups) in [
        (BatchShape::dense(3, 6), 2),
        (BatchShape::dense(1, 7), 1),
        (BatchShape::dense(2, 150), 2), // groups wider than a part of the channels that is summed at a time
        (BatchShape { batch: 2, channels: 4, spatial: 3 }, 2),
    ] {
        let norm = GroupNorm::new(groups);
        let mut data = inputs(shape, 8).map(|x| x.into_iter().map(f64::from).collect::<Vec<_>>());
        let run = |data: &[Vec<f64>; 4]| pass(&norm, shape, data.each_ref().map(|x| &x[..]));
        let loss = |data: &[Vec<f64>; 4]| run(data).y.iter().zip(&data[1]).map(|(y, g)| y * g).sum::<f64>();
        let got = run(&data);
        for (which, grads) in [(0, got.grad_x), (2, got.grads.weight), (3, got.grads.bias)] {
            for (k, grad) in grads.iter().enumerate() {
                let (at, h) = (data[which][k], 1e-5);
                data[which][k] = at + h;
                let above = loss(&data);
                data[which][k] = at - h;
                let below = loss(&data);
                data[which][k] = at;
                let slope = (above - below) / (2.0 * h);
                assert!((slope - grad).abs() < 1e-6 * (1.0 + slope.abs()), "{which} {k}: {slope} {grad}");
            }
        }
    }
}

#[test]
fn a_sample_does_not_depend_on_the_others() {
    let (norm, shape) = (GroupNorm::new(3), BatchShape { batch: 5, channels: 6, spatial: 4 });
    let data = inputs(shape, 9);
    let all = pass(&norm, shape, data.each_ref().map(|x| &x[..]));
    let one = BatchShape { batch: 1, ..shape };
    for sample in 0..5 {
        let part = sample * one.len()..(sample + 1) * one.len();
        let got = pass(&norm, one, [&data[0][part.clone()], &data[1][part.clone()], &data[2], &data[3]]);
        assert_eq!(all_bits(&got.y), all_bits(&all.y[part.clone()]));
        assert_eq!(all_bits(&got.grad_x), all_bits(&all.grad_x[part]));
    }
}

#[test]
fn equal_values_give_the_bias_however_large() {
    for shape in [BatchShape::dense(2, 6), BatchShape { batch: 2, channels: 6, spatial: 5 }] {
        for constant in [0.0, 0.1, -1e10, f32::MAX] {
            let (x, g) = (vec![constant; shape.len()], vec![1.5; shape.len()]);
            let bias = [0.25, -1.0, 3.0, 0.0, 0.5, 9.0];
            let got = pass(&GroupNorm::new(2), shape, [&x, &g, &[2.0; 6], &bias]);
            assert_eq!((&got.groups.mean, &got.groups.variance), (&vec![constant; 4], &vec![0.0; 4]));
            for (i, y) in got.y.iter().enumerate() {
                assert_eq!(*y, bias[i / shape.spatial % 6], "{constant}");
            }
            assert_eq!(got.grads.weight, [0.0; 6]);
            assert!(got.grad_x.iter().all(|g| *g == 0.0), "{constant}: {:?}", got.grad_x);
        }
    }
    // Beyond the range of squares the variance is infinite, as in batch normalisation.
    let got =
        pass(&GroupNorm::new(1), BatchShape::dense(1, 2), [&[1e20, -1e20], &[1.0; 2], &[1.0; 2], &[0.5; 2]]);
    assert_eq!((got.groups.variance[0], got.y), (f32::INFINITY, vec![0.5; 2]));
}

/// A group's sums begin at its first value, however far that lies from the others.
#[test]
fn a_first_value_far_off_costs_no_digits() {
    let mut random = Random(12);
    let mut x = random.vec(700, |r| r.signed());
    x[0] = 1e4;
    let got = layer_pass(&LayerNorm::new(), 1, [&x, &x, &[1.0; 700], &[0.0; 700]]);
    let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / 700.0;
    let variance = x.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / 700.0;
    for (got, want) in [(got.groups.mean[0], mean), (got.groups.variance[0], variance)] {
        assert!((f64::from(got) - want).abs() <= 4.0 * unit(want), "{got} {want}");
    }
}

#[test]
fn many_rows_lose_no_digits_of_the_gradients() {
    let (rows, features) = (100_000, 3);
    let mut random = Random(11);
    let x = random.vec(rows * features, |r| r.signed());
    let g = random.vec(rows * features, |r| 1.0 + r.unit());
    let got = layer_pass(&LayerNorm::new(), rows, [&x, &g, &[1.0; 3], &[0.0; 3]]);
    for f in 0..features {
        let column = |x: &[f32], row: usize| f64::from(x[row * features + f]);
        let sum = (0..rows).map(|row| column(&g, row)).sum::<f64>();
        assert!((f64::from(got.grads.bias[f]) - sum).abs() <= 4.0 * unit(sum), "{} {sum}", got.grads.bias[f]);
    }
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let norm = GroupNorm::new(2);
    let length = |what, expected, found| Err(Error::Length { what, expected, found });
    let (x, shape) = ([1.0_f32; 12], BatchShape::dense(3, 4));
    let (ones, threes) = (&[1.0; 4][..], &[1.0; 3][..]);
    let params = |weight, bias| Params { weight, bias };
    let (mut y, mut six) = ([7.0; 12], Statistics { mean: vec![7.0; 6], variance: vec![7.0; 6] });
    let mut forward = |norm: GroupNorm, shape, params: &Params<&[f32]>, groups: &mut Statistics<Vec<f32>>| {
        let len = if shape == BatchShape::dense(3, 4) { 12 } else { 0 };
        norm.forward(shape, &x[..len], &mut y, params, groups)
    };
    assert_eq!(forward(norm, shape, &params(threes, ones), &mut six), length(Argument::Weights, 4, 3));
    assert_eq!(forward(norm, shape, &params(ones, threes), &mut six), length(Argument::Bias, 4, 3));
    assert_eq!(forward(GroupNorm::new(3), shape, &params(ones, ones), &mut six), Err(Error::Shape));
    assert_eq!(forward(GroupNorm::new(0), shape, &params(ones, ones), &mut six), Err(Error::Shape));
    assert_eq!(forward(GroupNorm::new(8), shape, &params(ones, ones), &mut six), Err(Error::Shape));
    assert_eq!(
        forward(GroupNorm::new(4), shape, &params(ones, ones), &mut six),
        length(Argument::Mean, 12, 6)
    );
    assert_eq!(forward(norm, BatchShape::dense(0, 4), &params(ones, ones), &mut six), Err(Error::Empty));
    let mut short = Statistics { mean: vec![7.0; 6], variance: vec![7.0; 5] };
    assert_eq!(forward(norm, shape, &params(ones, ones), &mut short), length(Argument::Variance, 6, 5));
    let (mut grads, mut grad_params) = ([7.0; 12], Params { weight: [7.0; 4], bias: [7.0; 4] });
    let refused = norm.backward(shape, &mut grads[..11], &x, &params(ones, ones), &six, &mut grad_params);
    assert_eq!(refused, length(Argument::Grads, 12, 11));
    let refused = norm.inference(shape, &mut grads[..11], &params(ones, ones));
    assert_eq!(refused, length(Argument::Input, 12, 11));
    assert_eq!((y, grads, grad_params.weight, grad_params.bias), ([7.0; 12], [7.0; 12], [7.0; 4], [7.0; 4]));
    assert_eq!((six.mean, six.variance), (vec![7.0; 6], vec![7.0; 6]));

    let layer = LayerNorm::new();
    assert_eq!(layer.inference(&mut grads[..11], &params(ones, ones)), length(Argument::Input, 8, 11));
    assert_eq!(layer.inference(&mut grads[..3], &params(ones, ones)), Err(Error::Empty));
    assert_eq!(layer.inference(&mut grads, &params(&[], &[])), Err(Error::Empty));
    assert_eq!((grads, layer.check()), ([7.0; 12], Ok(())));
    assert_eq!(GroupNorm::new(0).check(), Err(Error::Shape));
    for eps in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(GroupNorm { eps, ..norm }.check(), Err(Error::Range(Hyper::Epsilon)));
        assert_eq!(LayerNorm { eps, ..layer }.check(), Err(Error::Range(Hyper::Epsilon)));
    }
}
