//! DropConnect, stochastic depth and Monte-Carlo averaging.

use gradus::noise::{DropConnect, Dropout, Masks, MonteCarlo, StochasticDepth, mask_words};
use gradus::{Argument, Error, Hyper, Level, dot};

fn wave(n: usize, phase: f32) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * 0.73 + phase).sin() * 3.0).collect()
}

fn drawn(words: usize, keep_prob: f32, seed: u64) -> Vec<u32> {
    let mut mask = vec![0; words];
    Masks::new(seed).fill(keep_prob, &mut mask);
    mask
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

fn bit(mask: &[u32], i: usize) -> bool {
    mask[i / 32] >> (i % 32) & 1 == 1
}

/// Weights with zeros where the mask drops them: the copy that the kernels do without.
fn masked_copy(w: &[f32], mask: &[u32], inputs: usize) -> Vec<f32> {
    let words = mask_words(inputs);
    let kept = |(k, w): (usize, &f32)| {
        if bit(&mask[k / inputs * words..], k % inputs) { *w } else { 0.0 }
    };
    w.iter().enumerate().map(kept).collect()
}

#[test]
fn dropconnect_is_the_product_with_a_masked_copy_at_every_level() {
    for dropout in [Dropout::keep_prob(0.7), Dropout::keep_prob(0.7).vanilla()] {
        let layer = DropConnect(dropout);
        let scale = if dropout.inverted { 1.0 / 0.7_f32 } else { 1.0 };
        for inputs in (1..=67).chain([16_384 + 45]) {
            let outputs = if inputs > 67 { 2 } else { 5 };
            let (w, x, g) = (wave(inputs * outputs, 0.1), wave(inputs, 0.2), wave(outputs, 0.3));
            let mask = drawn(outputs * mask_words(inputs), 0.7, inputs as u64);
            let copy = masked_copy(&w, &mask, inputs);
            let rows = |i: usize| i * inputs..(i + 1) * inputs;
            let y_want: Vec<f32> =
                (0..outputs).map(|i| dot(Level::SCALAR, &copy[rows(i)], &x).unwrap() * scale).collect();
            let mut grad_x_want = vec![0.0_f32; inputs];
            let mut grad_w_want = wave(inputs * outputs, 0.4);
            for i in 0..outputs {
                for j in 0..inputs {
                    if bit(&mask[i * mask_words(inputs)..], j) {
                        grad_x_want[j] += copy[rows(i)][j] * (g[i] * scale);
                        grad_w_want[rows(i)][j] += x[j] * (g[i] * scale);
                    }
                }
            }
            for level in Level::available() {
                let at = format!("{level} inputs {inputs}");
                let mut y = vec![7.0; outputs];
                layer.on(level).forward(&w, &x, &mut y, &mask).unwrap();
                assert_eq!(bits(&y), bits(&y_want), "{at}");
                let mut grad_x = vec![7.0; inputs];
                layer.on(level).backward_input(&w, &g, &mut grad_x, &mask).unwrap();
                assert_eq!(bits(&grad_x), bits(&grad_x_want), "{at}");
                let mut grad_w = wave(inputs * outputs, 0.4);
                layer.on(level).backward_weights(&g, &x, &mut grad_w, &mask).unwrap();
                assert_eq!(bits(&grad_w), bits(&grad_w_want), "{at}");
                layer.on(level).inference(&w, &x, &mut y).unwrap();
                let factor = if dropout.inverted { 1.0 } else { 0.7 };
                let want: Vec<f32> =
                    (0..outputs).map(|i| dot(Level::SCALAR, &w[rows(i)], &x).unwrap() * factor).collect();
                assert_eq!(bits(&y), bits(&want), "{at}");
            }
        }
    }
}

#[test]
fn dropconnect_gradients_are_the_slopes_of_its_forward_pass() {
    let layer = DropConnect(Dropout::keep_prob(0.6));
    let (inputs, outputs) = (37, 4);
    let f64s = |x: Vec<f32>| x.into_iter().map(f64::from).collect::<Vec<f64>>();
    let (mut w, mut x) = (f64s(wave(inputs * outputs, 1.0)), f64s(wave(inputs, 2.0)));
    let g = f64s(wave(outputs, 3.0));
    let mask = drawn(outputs * mask_words(inputs), 0.6, 1);
    let loss = |w: &[f64], x: &[f64]| {
        let mut y = vec![0.0; outputs];
        layer.forward(w, x, &mut y, &mask).unwrap();
        y.iter().zip(&g).map(|(y, g)| y * g).sum::<f64>()
    };
    let (mut grad_w, mut grad_x) = (vec![0.0; w.len()], vec![0.0; inputs]);
    layer.backward_weights(&g, &x, &mut grad_w, &mask).unwrap();
    layer.backward_input(&w, &g, &mut grad_x, &mask).unwrap();
    let h = 1e-3;
    for k in 0..w.len() {
        let at = w[k];
        w[k] = at + h;
        let above = loss(&w, &x);
        w[k] = at - h;
        let below = loss(&w, &x);
        w[k] = at;
        assert!(((above - below) / (2.0 * h) - grad_w[k]).abs() < 1e-9);
    }
    for j in 0..inputs {
        let at = x[j];
        x[j] = at + h;
        let above = loss(&w, &x);
        x[j] = at - h;
        let below = loss(&w, &x);
        x[j] = at;
        assert!(((above - below) / (2.0 * h) - grad_x[j]).abs() < 1e-9);
    }
}

#[test]
fn dropped_weights_do_not_meet_infinity() {
    for dropout in [Dropout::drop_prob(1.0), Dropout::drop_prob(1.0).vanilla(), Dropout::keep_prob(1e-40)] {
        let (mut y, mut grad_x, mut grad_w, mask) = ([7.0; 2], [7.0; 3], [0.0; 6], [0; 2]);
        let layer = DropConnect(dropout);
        layer.forward(&[f32::NAN; 6], &[f32::INFINITY; 3], &mut y, &mask).unwrap();
        layer.backward_input(&[f32::NAN; 6], &[f32::INFINITY; 2], &mut grad_x, &mask).unwrap();
        layer.backward_weights(&[f32::INFINITY; 2], &[f32::NAN; 3], &mut grad_w, &mask).unwrap();
        assert_eq!((bits(&y), bits(&grad_x), bits(&grad_w)), (vec![0; 2], vec![0; 3], vec![0; 6]));
    }
}

#[test]
fn dropconnect_refuses_what_does_not_fit() {
    let layer = DropConnect(Dropout::drop_prob(0.5));
    let length = |what, expected, found| Err(Error::Length { what, expected, found });
    let (mut y, mut grad_w, mut grad_x) = ([7.0; 2], [7.0_f32; 6], [7.0; 3]);
    assert_eq!(layer.forward(&[0.0; 5], &[0.0; 3], &mut y, &[0; 2]), length(Argument::Weights, 6, 5));
    assert_eq!(layer.forward(&[0.0; 6], &[0.0; 3], &mut y, &[0; 1]), length(Argument::Mask, 2, 1));
    assert_eq!(layer.inference(&[0.0; 7], &[0.0; 3], &mut y), length(Argument::Weights, 6, 7));
    assert_eq!(
        layer.backward_weights(&[1.0; 3], &[0.0; 3], &mut grad_w, &[0; 3]),
        length(Argument::Weights, 9, 6)
    );
    assert_eq!(
        layer.backward_input(&[0.0; 6], &[1.0; 2], &mut grad_x, &[0; 3]),
        length(Argument::Mask, 2, 3)
    );
    assert_eq!((y, grad_w, grad_x), ([7.0; 2], [7.0; 6], [7.0; 3]));
    assert_eq!(layer.forward::<f32>(&[], &[], &mut [], &[]), Ok(()));
    assert_eq!(DropConnect(Dropout::drop_prob(2.0)).check(), Err(Error::Range(Hyper::Probability)));
}

#[test]
fn stochastic_depth_keeps_or_drops_whole_samples() {
    for dropout in [Dropout::keep_prob(0.8), Dropout::keep_prob(0.8).vanilla()] {
        let depth = StochasticDepth(dropout);
        let scale = if dropout.inverted { 1.0 / 0.8_f32 } else { 1.0 };
        for (samples, features) in [(0, 3), (1, 1), (7, 45), (70, 5), (3, 0)] {
            let mut mask = vec![0; mask_words(samples)];
            depth.draw(&mut Masks::new(2), &mut mask);
            assert_eq!(mask, drawn(mask_words(samples), 0.8, 2));
            let mut branch = wave(samples * features, 0.5);
            if let Some(x) = branch.first_mut() {
                *x = f32::INFINITY;
            }
            let want: Vec<f32> = branch
                .iter()
                .enumerate()
                .map(|(k, x)| if bit(&mask, k / features) { x * scale } else { 0.0 })
                .collect();
            for level in Level::available() {
                let mut y = branch.clone();
                depth.on(level).forward(&mut y, samples, &mask).unwrap();
                assert_eq!(bits(&y), bits(&want), "{level} {samples} x {features}");
            }
            let mut y = branch.clone();
            depth.backward(&mut y, samples, &mask).unwrap();
            assert_eq!(bits(&y), bits(&want));
            depth.inference(&mut branch);
        }
    }
    let mut branch = [1.0_f32; 10];
    let depth = StochasticDepth(Dropout::keep_prob(0.5));
    assert_eq!(depth.forward(&mut branch, 3, &[0]), Err(Error::Shape));
    assert_eq!(depth.forward(&mut branch, 0, &[]), Err(Error::Shape));
    assert_eq!(
        depth.forward(&mut branch, 5, &[0, 0]),
        Err(Error::Length { what: Argument::Mask, expected: 1, found: 2 })
    );
    assert_eq!(branch, [1.0; 10]);
    assert_eq!(depth.check(), Ok(()));
    assert_eq!(StochasticDepth(Dropout::drop_prob(-0.1)).check(), Err(Error::Range(Hyper::Probability)));
    StochasticDepth(Dropout::keep_prob(0.5).vanilla()).inference(&mut branch);
    assert_eq!(branch, [0.5; 10]);
}

#[test]
fn stochastic_depth_gradients_are_the_slopes_of_its_forward_pass() {
    for dropout in [Dropout::keep_prob(0.6), Dropout::keep_prob(0.6).vanilla()] {
        let (depth, samples, features) = (StochasticDepth(dropout), 9, 4);
        let mut mask = [0];
        depth.draw(&mut Masks::new(3), &mut mask);
        let wide = |phase| wave(samples * features, phase).into_iter().map(f64::from).collect::<Vec<_>>();
        let (mut x, c) = (wide(0.1), wide(0.2));
        let loss = |x: &[f64]| {
            let mut y = x.to_vec();
            depth.forward(&mut y, samples, &mask).unwrap();
            y.iter().zip(&c).map(|(y, c)| y * c).sum::<f64>()
        };
        let mut grads = c.clone();
        depth.backward(&mut grads, samples, &mask).unwrap();
        for i in 0..x.len() {
            let (at, h) = (x[i], 1e-4);
            x[i] = at + h;
            let above = loss(&x);
            x[i] = at - h;
            let below = loss(&x);
            x[i] = at;
            let slope = (above - below) / (2.0 * h);
            assert!((slope - grads[i]).abs() < 1e-9, "{i}: {slope} {}", grads[i]);
        }
    }
}

#[test]
fn what_is_never_kept_is_plus_zero_at_test_time_too() {
    let never = Dropout::drop_prob(1.0).vanilla();
    let odd = [f32::INFINITY, -1.0, f32::NAN, -0.0, f32::MAX];
    for level in Level::available() {
        let mut y = odd;
        never.on(level).inference(&mut y).unwrap();
        assert_eq!(bits(&y), [0; 5], "{level}");
        let mut z = [7.0];
        DropConnect(never).on(level).inference(&odd, &odd, &mut z).unwrap();
        assert_eq!(bits(&z), [0], "{level}");
    }
    let mut y = odd;
    StochasticDepth(never).inference(&mut y);
    assert_eq!(bits(&y), [0; 5]);
}

#[test]
fn one_bit_decides_for_a_batch() {
    let depth = StochasticDepth(Dropout::keep_prob(0.7));
    let mut masks = Masks::new(6);
    let mut survivors = 0;
    for _ in 0..2000 {
        let mut mask = [7; 3];
        let survives = depth.draw_batch(&mut masks, &mut mask);
        assert_eq!(mask, if survives { [!0; 3] } else { [0; 3] });
        survivors += u32::from(survives);
    }
    let z = (f64::from(survivors) - 1400.0) / (2000.0 * 0.7 * 0.3_f64).sqrt();
    assert!(z.abs() < 4.0, "{survivors} of 2000");
}

#[test]
fn the_linear_rule_ends_at_the_last_block_and_is_safe_for_one() {
    assert_eq!(StochasticDepth::linear(0, 54, 0.5), 1.0);
    assert_eq!(StochasticDepth::linear(27, 54, 0.5), 0.75);
    assert_eq!(StochasticDepth::linear(54, 54, 0.5), 0.5);
    assert_eq!(StochasticDepth::linear(1, 1, 0.3), 0.3);
    assert_eq!(StochasticDepth::linear(0, 1, 0.3), 1.0);
    assert_eq!(StochasticDepth::linear(0, 0, 0.3), 0.3);
    assert_eq!(StochasticDepth::linear(99, 54, 0.5), 0.5);
}

#[test]
fn monte_carlo_is_the_mean_and_variance_of_the_passes() {
    let (n, passes) = (67, 50);
    let samples: Vec<Vec<f32>> = (0..passes).map(|t| wave(n, t as f32 * 1.1)).collect();
    let run = |level| {
        let (mut mean, mut variance) = (vec![7.0; n], vec![7.0; n]);
        let mut average = MonteCarlo::new(&mut mean, &mut variance).unwrap().on(level);
        for sample in &samples {
            average.add(sample).unwrap();
        }
        assert_eq!(average.count(), passes);
        average.finish();
        (mean, variance)
    };
    let (mean, variance) = run(Level::SCALAR);
    for i in 0..n {
        let column = || samples.iter().map(|s| f64::from(s[i]));
        let m = column().sum::<f64>() / f64::from(passes);
        let v = column().map(|x| (x - m) * (x - m)).sum::<f64>() / f64::from(passes - 1);
        assert!((f64::from(mean[i]) - m).abs() < 1e-6 * 3.0, "{} {m}", mean[i]);
        assert!((f64::from(variance[i]) - v).abs() < 1e-5 * v, "{} {v}", variance[i]);
    }
    for level in Level::available() {
        assert_eq!(run(level), (mean.clone(), variance.clone()), "{level}");
    }
    let mut one = ([0.0; 2], [7.0; 2]);
    let mut average = MonteCarlo::new(&mut one.0, &mut one.1).unwrap();
    average.add(&[3.0, 4.0]).unwrap();
    assert_eq!(average.mean(), [3.0, 4.0]);
    assert_eq!(average.add(&[1.0; 3]), Err(Error::Length { what: Argument::Input, expected: 2, found: 3 }));
    average.finish();
    assert_eq!(one, ([3.0, 4.0], [0.0; 2]));
    assert!(MonteCarlo::new(&mut [0.0_f32; 2], &mut [0.0; 3]).is_err());
    // Dropped after any pass and resumed: the same bits.
    for stop in 0..passes {
        let (mut a, mut b) = (vec![7.0; n], vec![7.0; n]);
        let (before, after) = samples.split_at(stop as usize);
        let mut average = MonteCarlo::new(&mut a, &mut b).unwrap();
        before.iter().for_each(|sample| average.add(sample).unwrap());
        let count = average.count();
        let mut average = MonteCarlo::resume(&mut a, &mut b, count).unwrap();
        after.iter().for_each(|sample| average.add(sample).unwrap());
        assert_eq!(average.count(), passes);
        average.finish();
        assert_eq!((&a, &b), (&mean, &variance));
    }
    assert!(MonteCarlo::resume(&mut [0.0_f32; 2], &mut [0.0; 3], 1).is_err());
}

#[test]
fn the_number_of_passes_is_not_rounded() {
    // 2^24 + 1 is no f32. One pass in so many of this size has the mean 1, exactly.
    let (mut mean, mut variance) = ([0.0_f64], [0.0]);
    let mut average = MonteCarlo::new(&mut mean, &mut variance).unwrap().on(Level::SCALAR);
    for _ in 0..1 << 24 {
        average.add(&[0.0]).unwrap();
    }
    average.add(&[16_777_217.0]).unwrap();
    average.finish();
    assert_eq!((mean, variance), ([1.0], [16_777_217.0]));
}

#[test]
fn averaging_over_masks_approaches_the_scaled_network() {
    // One linear layer: the mean over masks is exactly its output with all weights.
    let layer = DropConnect(Dropout::keep_prob(0.5));
    let (w, x) = (wave(3 * 40, 0.7), wave(40, 0.9));
    let (mut y, mut mean, mut variance) = ([0.0_f32; 3], [0.0; 3], [0.0; 3]);
    let mut masks = Masks::new(10);
    let passes = 4000;
    let mut average = MonteCarlo::new(&mut mean, &mut variance).unwrap();
    for _ in 0..passes {
        let mut mask = [0; 6];
        masks.fill(0.5, &mut mask);
        layer.forward(&w, &x, &mut y, &mask).unwrap();
        average.add(&y).unwrap();
    }
    average.finish();
    layer.inference(&w, &x, &mut y).unwrap();
    for i in 0..3 {
        // Var = (1 - k)/k * sum (w x)^2.
        let exact: f32 = (0..40).map(|j| (w[40 * i + j] * x[j]).powi(2)).sum();
        assert!((variance[i] / exact - 1.0).abs() < 0.15, "{} {exact}", variance[i]);
        let sigma = (exact / passes as f32).sqrt();
        assert!((mean[i] - y[i]).abs() < 4.0 * sigma, "{} {} {sigma}", mean[i], y[i]);
    }
}
