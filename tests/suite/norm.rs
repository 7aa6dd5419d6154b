//! Batch normalisation against PyTorch, by central differences, and in its corners.

use crate::support::OPTIMISED;
use crate::support::random::{Random, all_bits};
use crate::support::ulp::unit;
use crate::support::vectors::{doubles, floats, layers, size};
use crate::support::worst::worst;
use gradus::norm::{BatchNorm, BatchNormState, BatchShape, GroupNorm, Params, Running, Statistics};
use gradus::{Argument, Element, Error, Hyper, Level, StateVec};
use serde_json::Value;

/// One training step and its backward pass.
struct Pass<T> {
    y: Vec<T>,
    batch: Statistics<Vec<T>>,
    grad_x: Vec<T>,
    grads: Params<Vec<T>>,
}

fn pass<T: Element>(
    norm: &BatchNorm,
    level: Level,
    shape: BatchShape,
    [x, g, weight, bias]: [&[T]; 4],
) -> Pass<T> {
    let norm = norm.on(level);
    let per_channel = || vec![T::ONE; shape.channels];
    let mut pass = Pass {
        y: vec![T::ONE; x.len()],
        batch: Statistics { mean: per_channel(), variance: per_channel() },
        grad_x: g.to_vec(),
        grads: Params { weight: per_channel(), bias: per_channel() },
    };
    let params = Params { weight, bias };
    norm.forward(shape, x, &mut pass.y, &params, &mut pass.batch).unwrap();
    norm.backward(shape, &mut pass.grad_x, x, &params, &pass.batch, &mut pass.grads).unwrap();
    pass
}

/// Largest distance, in units in the last place of the largest number of the reference.
fn off(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let largest = want.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    worst(got.iter().zip(want).map(|(got, want)| (f64::from(*got) - want).abs())) / unit(largest)
}

/// Within 4 units of PyTorch's run in f64 or, where a mean of 100 leaves fewer digits of a deviation of
/// 1, no farther than twice as far as PyTorch's own run in f32.
fn hold(what: &str, key: &str, got: &[f32], step: &Value) {
    let want = doubles(&step["f64"], key);
    let (ours, theirs) = (off(got, &want), off(&floats(&step["f32"], key), &want));
    assert!(ours <= f64::max(4.0, 2.0 * theirs), "{what} {key}: {ours} units, PyTorch {theirs}");
}

/// The kernels in f64. `eps` is kept as an f32, 2.5e-8 of itself away from the decimal: that moves
/// `1 / sqrt(variance + eps)` by at most 1.3e-8, and a gradient, which has its cube, by three times that.
fn hold_f64(what: &str, got: &[f64], want: &[f64]) {
    let largest = want.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= 4e-8 * largest, "{what}: {got:e} {want:e}");
    }
}

#[test]
fn training_and_inference_agree_with_pytorch() {
    for case in layers("batch_norm") {
        let name = case["name"].as_str().unwrap();
        let norm = BatchNorm {
            eps: case["eps"].as_f64().unwrap() as f32,
            running_decay: case["running_decay"].as_f64().unwrap(),
            track_biased: false,
            ..BatchNorm::new()
        };
        assert_eq!(norm.check(), Ok(()));
        let (channels, spatial) = (size(&case, "channels"), size(&case, "spatial"));
        let (weight, bias) = (floats(&case, "weight"), floats(&case, "bias"));
        let mut running = StateVec::<BatchNorm>::new(channels);
        for (i, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            let shape = BatchShape { batch: size(step, "batch"), channels, spatial };
            let (x, g) = (floats(step, "input"), floats(step, "grad_output"));
            let got = pass(&norm, Level::detect(), shape, [&x, &g, &weight, &bias]);
            norm.track(shape, &got.batch, running.as_mut()).unwrap();
            let [running_mean, running_var] = running.columns() else { panic!("two columns") };
            for (key, got) in [
                ("output", &got.y[..]),
                ("grad_input", &got.grad_x),
                ("grad_weight", &got.grads.weight),
                ("grad_bias", &got.grads.bias),
                ("running_mean", running_mean),
                ("running_var", running_var),
            ] {
                hold(&format!("{name} step {i}"), key, got, step);
            }
            // The same kernels in f64: the formula itself, without its rounding.
            let wide = |x: &[f32]| x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
            let inputs = [&wide(&x)[..], &wide(&g), &wide(&weight), &wide(&bias)];
            let got = pass(&norm, Level::detect(), shape, inputs);
            hold_f64(name, &got.y, &doubles(&step["f64"], "output"));
            hold_f64(name, &got.grad_x, &doubles(&step["f64"], "grad_input"));
            hold_f64(name, &got.grads.weight, &doubles(&step["f64"], "grad_weight"));
            hold_f64(name, &got.grads.bias, &doubles(&step["f64"], "grad_bias"));
        }
        let last = &case["inference"];
        let shape = BatchShape { batch: size(last, "batch"), channels, spatial };
        let mut y = floats(last, "input");
        norm.inference(shape, &mut y, &Params { weight, bias }, &running).unwrap();
        hold(name, "output", &y, last);
    }
}

#[test]
fn running_statistics_agree_with_keras() {
    for case in layers("batch_norm_keras") {
        let name = case["name"].as_str().unwrap();
        let number = |key: &str| case[key].as_f64().unwrap();
        let keras =
            BatchNorm { eps: number("eps") as f32, running_decay: number("momentum"), ..BatchNorm::keras() };
        let (channels, spatial) = (size(&case, "channels"), size(&case, "spatial"));
        let (ones, zeros) = (vec![1.0; channels], vec![0.0; channels]);
        let mut running = StateVec::<BatchNorm>::new(channels);
        for step in case["steps"].as_array().unwrap() {
            let shape = BatchShape { batch: size(step, "batch"), channels, spatial };
            let x = floats(step, "input");
            let got = pass(&keras, Level::detect(), shape, [&x, &x, &ones, &zeros]);
            keras.track(shape, &got.batch, running.as_mut()).unwrap();
            let [mean, variance] = running.columns() else { panic!("two columns") };
            assert!(off(mean, &doubles(step, "moving_mean")) <= 4.0, "{name}: {mean:?}");
            assert!(off(variance, &doubles(step, "moving_variance")) <= 4.0, "{name}: {variance:?}");
        }
        let last = &case["inference"];
        let shape = BatchShape { batch: size(last, "batch"), channels, spatial };
        let mut y = floats(last, "input");
        keras.inference(shape, &mut y, &Params { weight: ones, bias: zeros }, &running).unwrap();
        assert!(off(&y, &doubles(last, "output")) <= 4.0, "{name}: {y:?}");
    }
}

fn inputs(shape: BatchShape, seed: u64) -> [Vec<f32>; 4] {
    let mut random = Random(seed);
    let mut numbers = |n| random.vec(n, |r| r.sized(-1.0, 1.0));
    [numbers(shape.len()), numbers(shape.len()), numbers(shape.channels), numbers(shape.channels)]
}

#[test]
fn every_level_has_the_same_bits() {
    for batch in [1, 2, 5, 67] {
        for channels in [1, 3, 37, 67] {
            for spatial in [1, 2, 7, 33] {
                let shape = BatchShape { batch, channels, spatial };
                let data = inputs(shape, 3);
                let data = [&data[0][..], &data[1], &data[2], &data[3]];
                let want = pass(&BatchNorm::new(), Level::SCALAR, shape, data);
                for level in Level::available() {
                    let got = pass(&BatchNorm::new(), level, shape, data);
                    for (got, want) in [
                        (&got.y, &want.y),
                        (&got.batch.mean, &want.batch.mean),
                        (&got.batch.variance, &want.batch.variance),
                        (&got.grad_x, &want.grad_x),
                        (&got.grads.weight, &want.grads.weight),
                        (&got.grads.bias, &want.grads.bias),
                    ] {
                        assert_eq!(all_bits(got), all_bits(want), "{level} {shape:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_the_forward_pass() {
    for shape in [BatchShape::dense(6, 3), BatchShape { batch: 3, channels: 2, spatial: 5 }] {
        let norm = BatchNorm::new();
        let wide = |x: Vec<f32>| x.into_iter().map(f64::from).collect::<Vec<_>>();
        let mut data = inputs(shape, 8).map(wide);
        let loss = |data: &[Vec<f64>; 4]| {
            let y = pass(&norm, Level::detect(), shape, [&data[0], &data[1], &data[2], &data[3]]).y;
            y.iter().zip(&data[1]).map(|(y, g)| y * g).sum::<f64>()
        };
        let got = pass(&norm, Level::detect(), shape, [&data[0], &data[1], &data[2], &data[3]]);
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

/// Mean, biased variance, `sum g` and `sum g (x - mean)` of each channel, by definition.
fn definition(shape: BatchShape, x: &[f32], g: &[f32]) -> Vec<[f64; 4]> {
    let BatchShape { batch, channels, spatial } = shape;
    let n = (batch * spatial) as f64;
    let all = (0..channels).map(|c| {
        let places = (0..batch).flat_map(|b| {
            let start = (b * channels + c) * spatial;
            start..start + spatial
        });
        let sum = |term: &dyn Fn(f64, f64) -> f64| {
            // What rounding loses of a sum is added at its end: these are the digits of the definition.
            let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
            for i in places.clone() {
                let term = term(x[i].into(), g[i].into());
                let new = sum + term;
                lost += if sum.abs() > term.abs() { (sum - new) + term } else { (term - new) + sum };
                sum = new;
            }
            sum + lost
        };
        let mean = sum(&|x, _| x) / n;
        let products = sum(&|x, g| g * (x - mean));
        [mean, sum(&|x, _| (x - mean).powi(2)) / n, sum(&|_, g| g), products]
    });
    all.collect()
}

/// A mean within 2 units of the definition, a variance or gradient within 6, or where signs differ within
/// 10 and what the mean's last digit is worth: all as 60 numbers have it, whatever their number.
fn hold_definition(shape: BatchShape, x: &[f32], g: &[f32]) {
    let ones = vec![1.0; shape.channels];
    let got = pass(&BatchNorm::new(), Level::detect(), shape, [x, g, &ones, &ones]);
    for (c, [mean, variance, sum, products]) in definition(shape, x, g).into_iter().enumerate() {
        let off = |got: f32, want: f64| (f64::from(got) - want).abs() / unit(want);
        let deviation = (variance + f64::from(1e-5_f32)).sqrt();
        let (mean_off, variance_off) = (off(got.batch.mean[c], mean), off(got.batch.variance[c], variance));
        assert!(mean_off <= 2.0 && variance_off <= 6.0, "{shape:?} {c}: {mean_off} {variance_off}");
        let bias_off = off(got.grads.bias[c], sum);
        assert!(bias_off <= 6.0, "{shape:?} {c}: {bias_off}");
        let (got_weight, want) = (f64::from(got.grads.weight[c]), products / deviation);
        let slack = 10.0 * unit(want) + 2.0 * unit(mean) * sum.abs() / deviation;
        assert!((got_weight - want).abs() <= slack, "{shape:?} {c}: {got_weight} {want}");
        for b in [0, shape.batch / 2, shape.batch - 1] {
            let i = (b * shape.channels + c) * shape.spatial;
            let y = (f64::from(x[i]) - mean) / deviation + 1.0;
            let slack =
                4.0 * unit(y.abs().max(1.0)) + 2.0 * unit(f64::from(x[i]).abs().max(mean)) / deviation;
            assert!((f64::from(got.y[i]) - y).abs() <= slack, "{shape:?} {c}: {} {y}", got.y[i]);
        }
    }
}

#[test]
fn a_million_samples_have_the_digits_of_sixty() {
    let many = if OPTIMISED { 1_000_000 } else { 100_000 };
    for shape in [
        BatchShape::dense(60, 150),
        BatchShape::dense(1000, 130),
        BatchShape::dense(many / 16, 3),
        BatchShape::dense(many, 1),
        BatchShape { batch: many / 4, channels: 1, spatial: 4 },
        BatchShape { batch: 70, channels: 66, spatial: 300 },
    ] {
        for offset in [0.0, 3.0, -1000.0] {
            let mut random = Random(shape.len() as u64);
            // No sum is near 0, where it would have few digits, whoever takes it.
            let x = random.vec(shape.len(), |r| r.unit() + offset);
            let g: Vec<f32> = x.iter().map(|x| 0.25 + (x - offset) * (x - offset)).collect();
            hold_definition(shape, &x, &g);
        }
    }
}

#[test]
fn an_outlier_that_comes_first_spoils_no_mean() {
    for shape in [BatchShape::dense(1000, 1), BatchShape { batch: 1, channels: 1, spatial: 1000 }] {
        for (outlier, others) in [(1e8, 1.0), (-3e9, 1.0), (1e6, 1e-3)] {
            let mut random = Random(4);
            let mut x = random.vec(1000, |r| others * r.signed());
            x[0] = outlier;
            let [mean, variance, ..] = definition(shape, &x, &x)[0];
            let got = pass(&BatchNorm::new(), Level::detect(), shape, [&x, &x, &[1.0], &[0.0]]);
            let off = (f64::from(got.batch.mean[0]) - mean).abs() / mean.abs();
            // What is summed beside the outlier has its digits: 8 at 1e8. 64 at most are rounded so.
            assert!(off < 3e-6, "{outlier} {}: {} {mean}", shape.batch, got.batch.mean[0]);
            let off = (f64::from(got.batch.variance[0]) - variance).abs() / variance;
            assert!(off < 4e-6, "{outlier} {}: {} {variance}", shape.batch, got.batch.variance[0]);
        }
    }
}

#[test]
fn numbers_near_the_end_of_the_range_have_a_finite_mean() {
    for shape in [
        BatchShape::dense(2, 1),
        BatchShape::dense(1000, 1),
        BatchShape { batch: 4, channels: 1, spatial: 250 },
    ] {
        let n = shape.len();
        for ends in [[-3e38, 3e38], [3e38, -3e38], [3e38, 2e38], [-1e38, 3e38]] {
            let x: Vec<f32> = (0..n).map(|i| ends[i % 2]).collect();
            let got = pass(&BatchNorm::new(), Level::detect(), shape, [&x, &x, &[1.0], &[0.5]]);
            let want = (f64::from(ends[0]) + f64::from(ends[1])) / 2.0;
            assert!(
                (f64::from(got.batch.mean[0]) - want).abs() <= 4.0 * unit(3e38),
                "{ends:?}: {}",
                got.batch.mean[0]
            );
            // The variance is beyond the range, and every deviation is nothing beside it.
            assert_eq!(got.batch.variance[0], f32::INFINITY);
            assert!(got.y.iter().all(|y| *y == 0.5), "{ends:?}");
        }
    }
}

#[test]
fn one_value_in_a_channel_gives_the_bias() {
    let (norm, shape) = (BatchNorm::new(), BatchShape::dense(1, 3));
    let (x, g) = ([4.0, -1e30, f32::MAX], [1.0, 2.0, 3.0]);
    let (weight, bias) = ([1.0, 2.0, 3.0], [0.5, -0.5, 0.0]);
    let got = pass(&norm, Level::detect(), shape, [&x, &g, &weight, &bias]);
    assert_eq!(
        (&got.y[..], &got.batch.mean[..], &got.batch.variance[..]),
        (&bias[..], &x[..], &[0.0; 3][..])
    );
    assert_eq!(
        (&got.grad_x[..], &got.grads.weight[..], &got.grads.bias[..]),
        (&[0.0; 3][..], &[0.0; 3][..], &g[..])
    );
    let mut running = BatchNormState::<3>::new();
    norm.track(shape, &got.batch, running.as_mut()).unwrap();
    assert_eq!(running.columns[1], [1.0; 3], "one value has no unbiased variance: the running one stays");
    assert_eq!(running.columns[0][0], 0.4);
    norm.track(BatchShape::dense(2, 3), &Statistics { mean: [4.0; 3], variance: [2.0; 3] }, running.as_mut())
        .unwrap();
    assert_eq!(running.columns[1], [0.9 + 0.1 * 4.0; 3]);
    assert_eq!(running.t(), 2);
}

/// Each channel's sums begin at its own first value: beside a channel of large numbers the others lose no digit.
#[test]
fn a_channel_keeps_its_digits_beside_a_large_one() {
    let mut random = Random(13);
    for (batch, spatial) in [(70, 1), (14, 5)] {
        let shape = BatchShape { batch, channels: 3, spatial };
        let channel = |i: usize| i / spatial % 3;
        let x: Vec<f32> =
            (0..shape.len()).map(|i| if channel(i) == 0 { 1e10 } else { random.signed() }).collect();
        let got = pass(&BatchNorm::new(), Level::detect(), shape, [&x, &x, &[1.0; 3], &[0.25; 3]]);
        assert_eq!((got.batch.mean[0], got.batch.variance[0]), (1e10, 0.0));
        for k in [1, 2] {
            let own = || x.iter().enumerate().filter(|(i, _)| channel(*i) == k).map(|(_, x)| f64::from(*x));
            let mean = own().sum::<f64>() / 70.0;
            let variance = own().map(|x| (x - mean).powi(2)).sum::<f64>() / 70.0;
            let off = (f64::from(got.batch.variance[k]) - variance).abs();
            assert!(off <= 4.0 * unit(variance), "{shape:?}: {off} of {variance}");
        }
    }
}

#[test]
fn a_constant_channel_gives_the_bias() {
    for shape in [BatchShape::dense(1000, 2), BatchShape { batch: 10, channels: 2, spatial: 100 }] {
        for constant in [0.0, 0.1, 1e4, -1e10, f32::MAX] {
            let x = vec![constant; shape.len()];
            let g: Vec<f32> = (0..shape.len()).map(|i| (i as f32).sin()).collect();
            let got = pass(&BatchNorm::new(), Level::detect(), shape, [&x, &g, &[1.0; 2], &[0.25; 2]]);
            assert_eq!((&got.batch.mean[..], &got.batch.variance[..]), (&[constant; 2][..], &[0.0; 2][..]));
            assert!(got.y.iter().all(|y| *y == 0.25), "{constant}: {}", got.y[0]);
            assert_eq!(got.grads.weight, [0.0; 2]);
            assert!(got.grad_x.iter().all(|x| x.is_finite()), "{constant}");
        }
    }
}

#[test]
fn deviations_far_from_zero_keep_their_digits() {
    // 1e4 and 1e4 + 1 in turn: mean 1e4 + 0.5, variance 0.25, all of it exact in f32.
    for shape in [BatchShape::dense(1000, 2), BatchShape { batch: 10, channels: 2, spatial: 100 }] {
        let x: Vec<f32> = (0..shape.len())
            .map(|i| 1e4 + ((if shape.spatial == 1 { i / 2 } else { i }) % 2) as f32)
            .collect();
        let g = vec![1.0; shape.len()];
        let got = pass(&BatchNorm::new(), Level::detect(), shape, [&x, &g, &[1.0; 2], &[0.0; 2]]);
        assert_eq!((&got.batch.mean[..], &got.batch.variance[..]), (&[1e4 + 0.5; 2][..], &[0.25; 2][..]));
    }
}

#[test]
fn folding_gives_the_inference_of_both_layers() {
    let (inputs, channels) = (5, 3);
    let mut random = Random(5);
    let mut numbers = |n| random.vec(n, |r| r.signed());
    let (mut w, mut b, x) = (numbers(inputs * channels), numbers(channels), numbers(inputs));
    let (weight, bias, mean) = (numbers(channels), numbers(channels), numbers(channels));
    let variance = vec![0.5, 1.5, 0.01];
    let dense = |w: &[f32], b: &[f32]| -> Vec<f32> {
        w.chunks(inputs).zip(b).map(|(w, b)| w.iter().zip(&x).map(|(w, x)| w * x).sum::<f32>() + b).collect()
    };
    let norm = BatchNorm::new();
    let mut want = dense(&w, &b);
    let (params, running) = (Params { weight, bias }, Statistics { mean, variance });
    norm.inference(BatchShape::dense(1, channels), &mut want, &params, &running).unwrap();
    let transpose =
        |w: &[f32]| -> Vec<f32> { (0..w.len()).map(|k| w[k % channels * inputs + k / channels]).collect() };
    let (mut columns, mut columns_bias) = (transpose(&w), b.clone());
    norm.fold(&params, &running, &mut w, &mut b).unwrap();
    norm.fold_columns(&params, &running, &mut columns, &mut columns_bias).unwrap();
    assert_eq!((columns, columns_bias), (transpose(&w), b.clone()));
    for (got, want) in dense(&w, &b).iter().zip(&want) {
        assert!((got - want).abs() < 1e-5, "{got} {want}");
    }
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let norm = BatchNorm::new();
    let length = |what, expected, found| Err(Error::Length { what, expected, found });
    let (x, mut y) = ([1.0_f32; 6], [7.0; 6]);
    let mut batch = Statistics { mean: [7.0; 2], variance: [7.0; 2] };
    let (ones, threes) = (&[1.0; 2][..], &[1.0; 3][..]);
    let params = |weight, bias| Params { weight, bias };
    let mut forward =
        |shape, x: &[f32], params: Params<&[f32]>| norm.forward(shape, x, &mut y, &params, &mut batch);
    let dense = BatchShape::dense;
    assert_eq!(forward(dense(3, 2), &x[..5], params(ones, ones)), length(Argument::Input, 6, 5));
    assert_eq!(forward(dense(3, 2), &x, params(ones, threes)), length(Argument::Bias, 2, 3));
    assert_eq!(forward(dense(3, 2), &x, params(threes, ones)), length(Argument::Weights, 2, 3));
    assert_eq!(forward(dense(2, 3), &x, params(threes, threes)), length(Argument::Mean, 3, 2));
    assert_eq!(forward(dense(2, 2), &x[..4], params(ones, ones)), length(Argument::Output, 4, 6));
    for shape in [dense(0, 2), dense(2, 0), BatchShape { batch: 1, channels: 1, spatial: 0 }] {
        assert_eq!(forward(shape, &x, params(ones, ones)), Err(Error::Empty));
    }
    let endless = BatchShape { batch: usize::MAX, channels: 2, spatial: 2 };
    assert_eq!(forward(endless, &x, params(ones, ones)), Err(Error::Shape));
    let (mut grads, mut grad_params) = ([7.0; 6], Params { weight: [7.0; 2], bias: [7.0; 2] });
    let mut backward = |grads: &mut [f32], batch: &Statistics<&[f32]>| {
        norm.backward(dense(3, 2), grads, &x, &params(ones, ones), batch, &mut grad_params)
    };
    let saved = |mean, variance| Statistics { mean, variance };
    assert_eq!(backward(&mut grads[..5], &saved(ones, ones)), length(Argument::Grads, 6, 5));
    assert_eq!(backward(&mut grads, &saved(threes, ones)), length(Argument::Mean, 2, 3));
    assert_eq!(backward(&mut grads, &saved(ones, threes)), length(Argument::Variance, 2, 3));
    assert_eq!(grad_params, Params { weight: [7.0; 2], bias: [7.0; 2] });
    let (mut layer, mut bias, running) = ([7.0; 5], [7.0; 2], saved(ones, ones));
    for columns in [false, true] {
        let fold = |params: &Params<&[f32]>, layer: &mut [f32], bias: &mut [f32]| match columns {
            false => norm.fold(params, &running, layer, bias),
            true => norm.fold_columns(params, &running, layer, bias),
        };
        assert_eq!(fold(&params(ones, ones), &mut layer, &mut bias), Err(Error::Shape));
        assert_eq!(fold(&params(ones, ones), &mut [], &mut bias), Err(Error::Shape)); // no inputs
        assert_eq!(fold(&params(&[], &[]), &mut [], &mut []), Err(Error::Shape)); // no channels
        let refused = fold(&params(ones, threes), &mut layer[..4], &mut bias);
        assert_eq!(refused, length(Argument::Bias, 2, 3));
    }
    let mut running = BatchNormState::<2>::new();
    let refused = norm.track(dense(3, 2), &saved(threes, ones), running.as_mut());
    assert_eq!(refused, length(Argument::Mean, 2, 3));
    assert_eq!((y, batch.mean, batch.variance), ([7.0; 6], [7.0; 2], [7.0; 2]));
    assert_eq!((grads, layer, bias, running.t()), ([7.0; 6], [7.0; 5], [7.0; 2], 0));
    for eps in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(BatchNorm { eps, ..norm }.check(), Err(Error::Range(Hyper::Epsilon)));
    }
    for running_decay in [-0.1, 1.0, 1.0 - 1e-9, f64::NAN] {
        assert_eq!(BatchNorm { running_decay, ..norm }.check(), Err(Error::Range(Hyper::Rho)));
    }
    assert_eq!(BatchNorm { running_decay: 0.0, ..norm }.check(), Ok(())); // the last batch alone
    let keras = BatchNorm { eps: 1e-3, running_decay: 0.99, track_biased: true, ..norm };
    assert_eq!((BatchNorm::keras(), keras.check()), (keras, Ok(())));
}

#[test]
fn a_fresh_state_has_variance_one_wherever_it_lies() {
    let (norm, shape) = (BatchNorm::new(), BatchShape::dense(70, 65));
    let x = random_vec(shape.len());
    let params = Params { weight: vec![1.5; 65], bias: vec![0.25; 65] };
    let run = |running: Running<'_>| {
        let mut y = x.clone();
        norm.inference(shape, &mut y, &params, running).unwrap();
        y
    };
    let want = run(Running::from(&Statistics { mean: [0.0; 65], variance: [1.0; 65] }));
    let (mut array, heap) = (BatchNormState::<65>::new(), StateVec::<BatchNorm>::new(65));
    assert_eq!(all_bits(&run(Running::from(&array))), all_bits(&want));
    assert_eq!(all_bits(&run(Running::from(&array.as_mut()))), all_bits(&want));
    assert_eq!(all_bits(&run(Running::from(&heap))), all_bits(&want));
    let (mut a, mut b) = ((vec![1.0; 130], vec![2.0; 65]), (vec![1.0; 130], vec![2.0; 65]));
    norm.fold(&params, &heap, &mut a.0, &mut a.1).unwrap();
    norm.fold(&params, &Statistics { mean: [0.0; 65], variance: [1.0; 65] }, &mut b.0, &mut b.1).unwrap();
    assert_eq!(a, b);
    // Once a batch is tracked, what lies in the memory counts: here one value, which leaves the variance 1.
    norm.track(
        BatchShape::dense(1, 65),
        &Statistics { mean: [0.0; 65], variance: [0.0; 65] },
        array.as_mut(),
    )
    .unwrap();
    assert_eq!(array.columns[1], [1.0; 65]);
    assert_eq!(all_bits(&run(Running::from(&array))), all_bits(&want));
}

fn random_vec(n: usize) -> Vec<f32> {
    Random(9).vec(n, |r| r.signed())
}

#[test]
fn a_variance_beyond_the_range_gives_the_bias() {
    // (1e20)^2 is infinite in f32: no deviation is anything beside it.
    let got = pass(
        &BatchNorm::new(),
        Level::detect(),
        BatchShape::dense(2, 1),
        [&[1e20, -1e20], &[1.0, -1.0], &[1.0], &[0.5]],
    );
    assert_eq!((got.batch.mean[0], got.batch.variance[0]), (0.0, f32::INFINITY));
    assert_eq!((got.y, got.grad_x), (vec![0.5; 2], vec![0.0; 2]));
    // Scaled into the range it is what it is of any other numbers.
    let x = [1e20_f32, -1e20].map(|x| x * 1e-4);
    let got = pass(&BatchNorm::new(), Level::detect(), BatchShape::dense(2, 1), [&x, &x, &[1.0], &[0.5]]);
    assert_eq!(got.y, [1.5, -0.5]);
}

/// The mean of these values lies between two floats. Its rounding is a third of all deviations, and no part of the variance.
#[test]
fn the_rounding_of_a_mean_is_no_variance() {
    let unit = 2.0_f32.powi(-9);
    let x = [16384.0, 16384.0, 16384.0 + unit];
    let want = 2.0 / 9.0 * f64::from(unit).powi(2);
    let (mut y, image) = ([0.0; 3], BatchShape { batch: 1, channels: 1, spatial: 3 });
    let near = |mean: f32, variance: f32| {
        assert_eq!(mean, 16384.0);
        assert!((f64::from(variance) - want).abs() <= 3e-7 * want, "{variance:e} {want:e}");
    };
    for shape in [BatchShape::dense(3, 1), image] {
        let mut batch = Statistics { mean: [7.0], variance: [7.0] };
        let params = Params { weight: [1.0], bias: [0.0] };
        BatchNorm::new().forward(shape, &x, &mut y, &params, &mut batch).unwrap();
        near(batch.mean[0], batch.variance[0]);
    }
    for (shape, channels) in [(BatchShape::dense(1, 3), 3), (image, 1)] {
        let mut groups = Statistics { mean: [7.0], variance: [7.0] };
        let params = Params { weight: vec![1.0; channels], bias: vec![0.0; channels] };
        GroupNorm::new(1).forward(shape, &x, &mut y, &params, &mut groups).unwrap();
        near(groups.mean[0], groups.variance[0]);
    }
}
