//! Ten million steps of each rule on a noisy quadratic: finite, and near the f64 reference.
//!
//! Run by `ci.sh long`, in release: a debug build takes an hour.

use crate::support::papers::Paper;
use crate::support::random::Random;
use gradus::*;
use std::fmt::Debug;

const STEPS: u32 = 10_000_000;

/// Curvatures from flat to steep; the minima lie at 1, -2, 3 and -4.
const CURVATURE: [f32; 4] = [0.05, 0.3, 1.0, 4.0];
const MINIMUM: [f32; 4] = [1.0, -2.0, 3.0, -4.0];

/// How far apart a run in f32 and one in f64 may be at any step, about twice what was measured.
///
/// Both see the same noise and their own parameters: the quadratic pulls them together, rounding drives
/// them apart. AdaGrad's sum of squares loses digits as it grows. Lion moves by whole learning rates,
/// of 0.01: where rounding turns a sign, the runs are two of them apart.
fn budget(rule: &impl Debug) -> f64 {
    match format!("{rule:?}").split_once(' ').unwrap().0 {
        "AdaGrad" => 3e-4,
        "AdamW" => 6e-5,
        "Lion" => 0.16,
        _ => 1.5e-5,
    }
}

fn stays_near<const K: usize, O: Paper<K> + Debug>(rule: O) {
    let mut random = Random(7);
    let (mut params, mut columns, mut clock) = ([0.0_f32; 4], [[0.0_f32; 4]; K], Clock::new());
    let (mut wide, mut state) = ([0.0_f64; 4], [[0.0_f64; K]; 4]);
    let (budget, mut worst) = (budget(&rule), 0.0_f64);
    for t in 1..=STEPS {
        let noise: [f32; 4] = std::array::from_fn(|_| random.signed());
        let grads: [f32; 4] = std::array::from_fn(|i| CURVATURE[i] * (params[i] - MINIMUM[i]) + noise[i]);
        let view = StateMut::new(columns.each_mut().map(|c| c.as_mut_slice()), &mut clock);
        rule.step_slices(&mut params, &grads, view).unwrap();
        for i in 0..4 {
            let g = f64::from(CURVATURE[i]) * (wide[i] - f64::from(MINIMUM[i])) + f64::from(noise[i]);
            (wide[i], state[i]) = rule.paper(t, wide[i], g, state[i]);
            let apart = (f64::from(params[i]) - wide[i]).abs();
            assert!(apart <= budget, "{rule:?} at step {t}: {params:?}, not {wide:?}");
            worst = worst.max(apart);
        }
    }
    println!("{rule:?}: at most {worst:.1e} apart");
}

#[test]
#[ignore = "minutes, in release: ci.sh long"]
fn ten_million_steps_stay_near_f64() {
    each_rule!(stays_near);
}
