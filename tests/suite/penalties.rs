//! Penalties as parts of a loss, and what they do to weights on real data: Wisconsin breast cancer,
//! 569 tumours with 30 features, many of which measure the same (radius, perimeter, area).

use crate::support::vectors::{doubles, floats, layers};
use crate::support::worst::worst;
use gradus::transform::{ElasticNet, L1, L2, ProxL1, Transform};
use gradus::*;

#[test]
fn gradients_over_slices_are_pytorchs_and_add_up() {
    for case in layers("penalties") {
        let params = floats(&case, "params");
        let number = |key: &str| case[key].as_f64().unwrap() as f32;
        let (lambda, beta) = (number("lambda"), number("beta"));
        let mut grads = vec![0.0; params.len()];
        match case["name"].as_str().unwrap() {
            "l1" => L1::new(lambda).add_gradient(Level::detect(), &params, &mut grads),
            "l2" => L2::new(lambda).add_gradient(Level::detect(), &params, &mut grads),
            _ => ElasticNet { lambda, beta }.add_gradient(Level::detect(), &params, &mut grads),
        }
        .unwrap();
        for (got, want) in grads.iter().zip(doubles(&case["f64"], "gradient")) {
            assert!(
                (f64::from(*got) - want).abs() <= 3.0 * f64::from(f32::EPSILON) * want.abs(),
                "{got} {want}"
            );
        }
    }
    let mut grads = [1.0, 1.0];
    L1::new(0.5).add_gradient(Level::detect(), &[3.0, -0.0], &mut grads).unwrap();
    assert_eq!(grads, [1.5, 1.0]);
    let refused = L2::new(0.5).add_gradient(Level::detect(), &[3.0; 3], &mut grads);
    assert_eq!(
        (refused, grads),
        (Err(Error::Length { what: Argument::Params, expected: 2, found: 3 }), [1.5, 1.0])
    );
}

#[test]
fn without_strength_the_value_is_0_whatever_the_weights() {
    let net = |lambda, beta, weights: &[f32]| ElasticNet { lambda, beta }.value(Level::detect(), weights);
    for odd in [&[1e20, 1.0][..], &[f32::MAX; 2], &[f32::INFINITY], &[f32::NAN]] {
        assert_eq!(
            [
                L1::new(0.0).value(Level::detect(), odd),
                L2::new(0.0).value(Level::detect(), odd),
                net(0.0, 1.0, odd)
            ],
            [0.0; 3]
        );
    }
    assert_eq!(net(1.0, 0.0, &[1e20]), 1e20); // whose square is infinite
    for value in [
        L2::new(1.0).value(Level::detect(), &[1e20]),
        L1::new(1.0).value(Level::detect(), &[f32::MAX; 2]),
        net(1.0, 1.0, &[1e20]),
    ] {
        assert_eq!(value, f32::INFINITY);
    }
    for value in [
        L2::new(1.0).value(Level::detect(), &[f32::NAN]),
        L1::new(1.0).value(Level::detect(), &[f32::NAN]),
        net(1.0, 1.0, &[f32::NAN]),
    ] {
        assert!(value.is_nan());
    }
}

const FEATURES: usize = 30;

/// Standardised features and labels, every third tumour kept for the test.
struct Data {
    train: Vec<([f32; FEATURES], f32)>,
    test: Vec<([f32; FEATURES], f32)>,
}

fn data() -> Data {
    let text = include_str!("../../data/breast_cancer.csv");
    let mut rows: Vec<([f32; FEATURES], f32)> = text
        .lines()
        .map(|line| {
            let numbers: Vec<f32> = line.split(',').map(|x| x.parse().unwrap()).collect();
            (numbers[..FEATURES].try_into().unwrap(), numbers[FEATURES])
        })
        .collect();
    assert_eq!(rows.len(), 569);
    for j in 0..FEATURES {
        let n = rows.len() as f32;
        let mean = rows.iter().map(|row| row.0[j]).sum::<f32>() / n;
        let variance = rows.iter().map(|row| (row.0[j] - mean).powi(2)).sum::<f32>() / n;
        rows.iter_mut().for_each(|row| row.0[j] = (row.0[j] - mean) / variance.sqrt());
    }
    let (mut train, mut test) = (vec![], vec![]);
    for (i, row) in rows.into_iter().enumerate() {
        if i % 3 == 0 { test.push(row) } else { train.push(row) }
    }
    Data { train, test }
}

/// Logistic regression by 3000 steps over all of the training data. The bias is not penalised.
fn train(rows: &[([f32; FEATURES], f32)], penalty: impl Transform) -> ([f32; FEATURES], f32) {
    let step = Sgd::new(0.1).with(penalty);
    step.check().unwrap();
    let (mut w, mut b) = ([0.0; FEATURES], [0.0]);
    let (mut state, mut state_b) = (State::new(), State::new());
    for _ in 0..3000 {
        let (mut grads, mut grad_b) = ([0.0; FEATURES], [0.0]);
        for (x, label) in rows {
            let z = dot(Level::detect(), &w, x).unwrap() + b[0];
            let error = (1.0 / (1.0 + (-z).exp()) - label) / rows.len() as f32;
            grads.iter_mut().zip(x).for_each(|(g, x)| *g += error * x);
            grad_b[0] += error;
        }
        step.step(&mut w, &grads, &mut state);
        Sgd::new(0.1).step(&mut b, &grad_b, &mut state_b);
    }
    (w, b[0])
}

fn accuracy(rows: &[([f32; FEATURES], f32)], (w, b): &([f32; FEATURES], f32)) -> f64 {
    let right =
        rows.iter().filter(|(x, label)| (dot(Level::detect(), w, x).unwrap() + b > 0.0) == (*label > 0.5));
    right.count() as f64 / rows.len() as f64
}

fn zeros(w: &[f32]) -> usize {
    w.iter().filter(|w| **w == 0.0).count()
}

/// How many weights share the work: all if they are equal, one if the others are 0.
fn participation(w: &[f32]) -> f32 {
    w.iter().map(|w| w.abs()).sum::<f32>().powi(2) / w.iter().map(|w| w * w).sum::<f32>()
}

#[test]
fn l1_selects_features_and_l2_spreads_the_weight() {
    let data = data();
    let none = train(&data.train, ());
    let l2 = train(&data.train, L2::new(0.02));
    let l1 = train(&data.train, ProxL1::new(0.02));
    let subgradient = train(&data.train, L1::new(0.02));
    // Proximal L1: most features are gone, exactly, and the rest is as good.
    assert!(zeros(&l1.0) >= 15, "{:?}", l1.0);
    assert!(accuracy(&data.test, &l1) >= 0.94);
    // L2: none is gone; the weight is spread over far more of them, and none is large.
    assert_eq!(zeros(&l2.0), 0);
    assert!(participation(&l2.0) > 2.0 * participation(&l1.0));
    let largest = |w: &[f32]| worst(w.iter().map(|w| f64::from(w.abs())));
    assert!(largest(&l2.0) < 0.5 * largest(&none.0));
    assert!(accuracy(&data.test, &l2) >= 0.94);
    // The subgradient alone makes small weights, and none of them 0.
    assert_eq!(zeros(&subgradient.0), 0);
}

#[test]
fn a_feature_measured_twice_is_shared_by_l2_and_used_once_by_l1() {
    // The worst radius again in place of the last feature, at 0.7 of its scale.
    let mut data = data();
    data.train.iter_mut().for_each(|(x, _)| x[29] = 0.7 * x[20]);
    let (l2, _) = train(&data.train, L2::new(0.02));
    assert!(l2[20] < -0.1 && (l2[29] / l2[20] - 0.7).abs() < 1e-3, "{} {}", l2[20], l2[29]);
    let (l1, _) = train(&data.train, ProxL1::new(0.02));
    assert!(l1[20] < -0.1 && l1[29] == 0.0, "{} {}", l1[20], l1[29]);
}
