//! Activations, losses and first weights: values, gradients, edges.

use crate::support::random::Random;
use gradus::*;

fn numbers(random: &mut Random, n: usize) -> Vec<f32> {
    random.vec(n, Random::signed)
}

fn below(random: &mut Random, n: usize) -> usize {
    (random.word() % n as u64) as usize
}

#[test]
fn activations_and_their_gradients() {
    let mut random = Random(8);
    let x: Vec<f32> = numbers(&mut random, 300).iter().map(|x| 6.0 * x).collect();
    let g: Vec<f32> = numbers(&mut random, 300);
    for level in Level::available() {
        for (name, forward, backward, exact) in [
            (
                "tanh",
                activation::tanh as fn(Level, &mut [f32]),
                activation::tanh_backward as fn(Level, &mut [f32], &[f32]) -> Result<(), Error>,
                (|x: f64| (x.tanh(), 1.0 - x.tanh() * x.tanh())) as fn(f64) -> (f64, f64),
            ),
            ("sigmoid", activation::sigmoid, activation::sigmoid_backward, |x| {
                let y = 1.0 / (1.0 + (-x).exp());
                (y, y * (1.0 - y))
            }),
            ("relu", activation::relu, activation::relu_backward, |x| {
                (x.max(0.0), if x > 0.0 { 1.0 } else { 0.0 })
            }),
        ] {
            let (mut y, mut dx) = (x.clone(), g.clone());
            forward(level, &mut y);
            backward(level, &mut dx, &y).unwrap();
            for k in 0..x.len() {
                let (want, slope) = exact(f64::from(x[k]));
                assert!(
                    (f64::from(y[k]) - want).abs() <= 2e-7 * want.abs().max(1e-30),
                    "{name} {}: {}",
                    x[k],
                    y[k]
                );
                let want = f64::from(g[k]) * slope;
                assert!(
                    (f64::from(dx[k]) - want).abs() <= 3e-7 * f64::from(g[k].abs()),
                    "{name}' {}: {}",
                    x[k],
                    dx[k]
                );
            }
            let mut nan = [f32::NAN; 3];
            forward(level, &mut nan);
            assert!(nan.iter().all(|x| x.is_nan()), "{name}");
            assert!(backward(level, &mut [1.0; 2], &[1.0; 3]).is_err());
        }
    }
}

#[test]
fn rectifiers_at_zero_and_below() {
    for level in Level::available() {
        // The gradient of what the rectifier stops is +0, on either side of 0.
        let mut dx = [5.0, 5.0, -5.0];
        activation::relu_backward(level, &mut dx, &[-0.0, 0.0, -1.0]).unwrap();
        assert_eq!(dx.map(f32::to_bits), [0; 3], "{level}");
        let mut y = [-4.0_f32, -0.0, 0.0, 3.0, f32::NEG_INFINITY, f32::NAN];
        activation::leaky_relu(level, 0.25, &mut y);
        let want = [-1.0_f32, -0.0, 0.0, 3.0, f32::NEG_INFINITY].map(f32::to_bits);
        assert!(y[5].is_nan() && y.map(f32::to_bits)[..5] == want, "{level}: {y:?}");
        let mut dx = [8.0; 5];
        activation::leaky_relu_backward(level, 0.25, &mut dx, &y[..5]).unwrap();
        assert_eq!(dx, [2.0, 2.0, 2.0, 8.0, 2.0], "{level}");
        assert!(activation::leaky_relu_backward(level, 0.25, &mut dx, &y).is_err());
    }
}

/// Several levels, every loss: value and gradient against f64.
#[test]
fn losses_and_their_gradients() {
    let mut random = Random(9);
    for (rows, classes) in [(1, 1), (1, 2), (3, 10), (32, 10), (7, 67)] {
        let z: Vec<f32> = numbers(&mut random, rows * classes).iter().map(|z| 8.0 * z).collect();
        let labels: Vec<u16> = (0..rows).map(|_| below(&mut random, classes) as u16).collect();
        let targets: Vec<f32> = (0..z.len()).map(|_| random.unit()).collect();
        let (mut cross, mut cross_grads) = (0.0, vec![]);
        for (row, label) in z.chunks(classes).zip(&labels) {
            let row: Vec<f64> = row.iter().map(|z| f64::from(*z)).collect();
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = row.iter().map(|z| (z - largest).exp()).sum();
            cross += sum.ln() + largest - row[usize::from(*label)];
            for (k, z) in row.iter().enumerate() {
                cross_grads.push(
                    ((z - largest).exp() / sum - f64::from(u8::from(k == usize::from(*label)))) / rows as f64,
                );
            }
        }
        let n = z.len() as f64;
        let elementwise = |f: &dyn Fn(f64, f64) -> (f64, f64)| {
            let (mut sum, mut grads) = (0.0, vec![]);
            for (z, t) in z.iter().zip(&targets) {
                let (value, slope) = f(f64::from(*z), f64::from(*t));
                sum += value / n;
                grads.push(slope / n);
            }
            (sum, grads)
        };
        let binary = elementwise(&|z, t| {
            (z.max(0.0) - z * t + (-z.abs()).exp().ln_1p(), 1.0 / (1.0 + (-z).exp()) - t)
        });
        let squares = elementwise(&|z, t| ((z - t) * (z - t), 2.0 * (z - t)));
        let hubers = elementwise(&|z, t| {
            let d: f64 = z - t;
            if d.abs() > 1.5 { (1.5 * (d.abs() - 0.75), 1.5 * d.signum()) } else { (d * d / 2.0, d) }
        });
        let mut first = None;
        for level in Level::available() {
            let mut all = [z.clone(), z.clone(), z.clone(), z.clone()];
            let [a, b, c, d] = &mut all;
            let values = [
                loss::softmax_cross_entropy(level, a, &labels).unwrap(),
                loss::binary_cross_entropy(level, b, &targets).unwrap(),
                loss::mean_squared_error(level, c, &targets).unwrap(),
                loss::huber(level, 1.5, d, &targets).unwrap(),
            ];
            let wants =
                [(cross / rows as f64, cross_grads.clone()), binary.clone(), squares.clone(), hubers.clone()];
            for (k, (value, grads)) in wants.iter().enumerate() {
                assert!(
                    (f64::from(values[k]) - value).abs() <= 2e-6 * value.abs().max(0.1),
                    "{k}: {} {value}",
                    values[k]
                );
                for (got, want) in all[k].iter().zip(grads) {
                    assert!((f64::from(*got) - want).abs() <= 1e-6 / rows as f64, "{k}: {got} {want}");
                }
            }
            let bits =
                (values.map(f32::to_bits), all.map(|v| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>()));
            assert_eq!(first.get_or_insert_with(|| bits.clone()), &bits, "{level}");
        }
    }
}

#[test]
fn a_softmax_has_the_values_of_f64() {
    let mut random = Random(10);
    for (rows, classes) in [(0, 3), (1, 1), (3, 2), (5, 10), (2, 67)] {
        let z: Vec<f32> = numbers(&mut random, rows * classes).iter().map(|z| 20.0 * z).collect();
        for level in Level::available() {
            let mut p = z.clone();
            loss::softmax(level, classes, &mut p).unwrap();
            for (p, z) in p.chunks(classes).zip(z.chunks(classes)) {
                let sum: f64 = z.iter().map(|z| f64::from(*z).exp()).sum();
                for (p, z) in p.iter().zip(z) {
                    let want = f64::from(*z).exp() / sum;
                    // The difference of two scores is rounded, by half a unit of 64, and is then an exponent.
                    let off = (f64::from(*p) - want).abs();
                    assert!(off <= 5e-6 * want, "{rows} x {classes} {level}: {p} {want}");
                }
            }
        }
    }
}

#[test]
fn losses_at_the_edges() {
    let exec = Exec::new();
    let mut z = [1e30, -1e30, 0.0];
    assert_eq!(loss::softmax_cross_entropy(exec, &mut z, &[1_u8]).unwrap(), 2e30);
    assert_eq!(z, [1.0, -1.0, 0.0]);
    let mut z = [f32::NAN, 1.0];
    assert!(loss::softmax_cross_entropy(exec, &mut z, &[1_u8]).unwrap().is_nan());
    assert!(z.iter().all(|z| z.is_nan()));
    // Far from the target the loss is linear, not infinite.
    let mut z = [200.0, -200.0];
    assert_eq!(loss::binary_cross_entropy(exec, &mut z, &[0.0, 1.0]).unwrap(), 200.0);
    assert_eq!(z, [0.5, -0.5]);
    assert!(loss::mean_squared_error(exec, &mut [], &[]).unwrap().is_nan());
    let mut z = [0.5; 6];
    for (labels, error) in
        [(&[2_u8, 0, 1][..], Error::Shape), (&[0, 0, 0, 0], Error::Shape), (&[], Error::Shape)]
    {
        assert_eq!(loss::softmax_cross_entropy(exec, &mut z, labels), Err(error), "{labels:?}");
    }
    assert_eq!(loss::softmax(exec, 4, &mut z), Err(Error::Shape));
    assert_eq!(loss::softmax(exec, 0, &mut z), Err(Error::Shape));
    assert_eq!(loss::huber(exec, 0.0, &mut z, &[0.0; 6]), Err(Error::Range(Hyper::Limit)));
    assert_eq!(loss::huber(exec, f32::NAN, &mut z, &[0.0; 6]), Err(Error::Range(Hyper::Limit)));
    assert!(loss::mean_squared_error(exec, &mut z, &[0.0; 5]).is_err());
    assert!(loss::binary_cross_entropy(exec, &mut z, &[0.0; 7]).is_err());
    assert_eq!(z, [0.5; 6]);
    assert_eq!(loss::argmax(&[f32::NAN, 2.0, 2.0]), 1);
    assert_eq!(loss::argmax(&[]), 0);
    assert_eq!(loss::count_right(&[1.0, 0.0, 0.0, 1.0], &[0_u8, 0]), Ok(1));
    assert_eq!(loss::count_right(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0], &[0_u8, 0, 1]), Ok(2));
    assert_eq!(loss::count_right(&[1.0; 4], &[0_u8; 3]), Err(Error::Shape));
}

#[test]
fn first_weights_have_the_variance_that_was_asked_for() {
    use rand_core::SeedableRng;
    type Draw = fn(&mut rand_xoshiro::Xoshiro128PlusPlus, &mut [f32]);
    let cases: [(&str, Draw, f64); 8] = [
        ("uniform", |rng, w| init::uniform(rng, -2.0, 1.0, w), 9.0 / 12.0),
        ("normal", |rng, w| init::normal(rng, 1.0, 3.0, w), 9.0),
        ("he_uniform", |rng, w| init::he_uniform(rng, 50, w), 2.0 / 50.0),
        ("he_normal", |rng, w| init::he_normal(rng, 50, w), 2.0 / 50.0),
        ("glorot_uniform", |rng, w| init::glorot_uniform(rng, 50, 30, w), 2.0 / 80.0),
        ("glorot_normal", |rng, w| init::glorot_normal(rng, 50, 30, w), 2.0 / 80.0),
        ("lecun_uniform", |rng, w| init::lecun_uniform(rng, 50, w), 1.0 / 50.0),
        ("lecun_normal", |rng, w| init::lecun_normal(rng, 50, w), 1.0 / 50.0),
    ];
    const N: usize = 200_001; // odd: half a pair is left over
    for (name, draw, variance) in cases {
        let mut w = vec![f32::NAN; N];
        draw(&mut rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(3), &mut w);
        let w: Vec<f64> = w.into_iter().map(f64::from).collect();
        let mean = w.iter().sum::<f64>() / N as f64;
        let moment = |k: i32| w.iter().map(|w| (w - mean).powi(k)).sum::<f64>() / N as f64;
        let want = match name {
            "uniform" => -0.5,
            "normal" => 1.0,
            _ => 0.0,
        };
        assert!((mean - want).abs() < 4.0 * (variance / N as f64).sqrt(), "{name}: {mean}");
        assert!((moment(2) / variance - 1.0).abs() < 0.02, "{name}: {}", moment(2));
        let kurtosis = if name.contains("normal") { 3.0 } else { 1.8 };
        assert!(
            (moment(4) / moment(2).powi(2) - kurtosis).abs() < 0.06,
            "{name}: {}",
            moment(4) / moment(2).powi(2)
        );
        assert!(moment(3).abs() / moment(2).powf(1.5) < 0.03, "{name}");
    }
    let mut none = [0.0; 2];
    init::he_uniform(&mut rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(3), 0, &mut none);
    assert!(none.iter().all(|w| w.abs() <= 2.45), "the root of 6: {none:?}");
}

/// A number is as likely as its opposite, so that the moments above cannot tell them apart.
#[test]
fn normal_weights_are_those_of_the_formula() {
    use rand_core::{Rng, SeedableRng};
    let mut rng = rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(4);
    let mut weights = [0.0; 9];
    init::normal(&mut rng.clone(), 0.5, 2.0, &mut weights);
    for pair in weights.chunks(2) {
        let [u, v] = [(); 2].map(|()| f64::from(rng.next_u32() >> 8) / f64::from(1 << 24));
        let r = (-2.0 * (1.0 - u).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * v).sin_cos();
        for (got, z) in pair.iter().zip([r * cosine, r * sine]) {
            let want = 0.5 + 2.0 * z;
            assert!((f64::from(*got) - want).abs() < 2e-6, "{got}, not {want}");
        }
    }
}
