//! Ten million steps of each rule on a noisy quadratic, with a whole state and with half of one, beside f64.
//!
//! Run by `ci.sh long`, in release: a debug build takes an hour.

use crate::support::papers::Paper;
use crate::support::random::Random;
use crate::support::worst::worst;
use gradus::*;
use std::fmt::Debug;

const STEPS: u32 = 10_000_000;

/// Curvatures from flat to steep; the minima lie at 1, -2, 3 and -4.
const CURVATURE: [f32; 4] = [0.05, 0.3, 1.0, 4.0];
const MINIMUM: [f32; 4] = [1.0, -2.0, 3.0, -4.0];

/// What a run may be off from one in f64 that sees the same noise at its own parameters.
///
/// The quadratic pulls both together, rounding drives them apart. AdaGrad's sum of squares loses digits as it grows.
/// Lion moves by whole learning rates, of 0.0001: where rounding turns a sign, the runs are two of them apart.
struct Budget {
    /// The largest distance of a parameter at any step. It must be at least half of that: a budget says what is measured.
    apart: f64,
    /// How far the mean square distance to the minimum may be off, either way, as a part of that in f64, over the last
    /// nine tenths of the run. It is what training gains or loses.
    spread: f64,
}

/// The budgets of a whole state, and of half of one where there is one.
fn budgets(name: &str) -> [Option<Budget>; 2] {
    match name {
        "sgd" => [(6e-6, 5e-7), (6e-6, 5e-7)], // it has no state
        "momentum" => [(3.6e-6, 5e-7), (1.6e-2, 1e-4)],
        "nesterov" => [(3.6e-6, 5e-7), (1.8e-2, 2e-4)],
        "adagrad" => [(1.9e-4, 2.5e-2), (4.4e-2, 0.13)],
        "adadelta" => [(7.5e-6, 1.5e-6), (2.9e-2, 2e-4)],
        "rmsprop" => [(5e-6, 1e-6), (1.2e-2, 2e-4)],
        "rmsprop-a" => [(5e-6, 1e-6), (4.9e-2, 2e-4)],
        "rmsprop-v" => [(3.8e-6, 1e-6), (6.5e-2, 2e-4)],
        "rmsprop-av" => [(3.6e-6, 1e-6), (6.5e-2, 2e-4)],
        "adam" => [(1.6e-5, 1.2e-5), (2e-2, 2e-3)],
        "adamw" => [(7e-5, 2e-4), (2e-2, 2e-3)],
        "adamax" => [(1.2e-5, 4e-6), (4e-3, 6e-4)],
        "amsgrad" => [(3e-5, 1.5e-5), (0.0, 0.0)],
        "nadam" => [(1.2e-5, 1e-5), (1.7e-2, 2.2e-3)],
        "radam" => [(1.8e-5, 1.2e-5), (3.9e-2, 2e-3)],
        "lion" => [(1.2e-3, 1e-2), (5.5e-3, 8e-3)],
        "schedulefree" => [(2.4e-5, 1e-4), (0.0, 0.0)],
        _ => panic!("{name} has no budget"),
    }
    .map(|(apart, spread)| (apart > 0.0).then_some(Budget { apart, spread }))
}

fn stays_near<const K: usize>(what: &str, rule: impl Optimizer, paper: &impl Paper<K>, budget: &Budget) {
    let mut random = Random(7);
    let (mut params, mut state) = ([0.0_f32; 4], rule.state::<4>());
    let (mut wide, mut columns) = ([0.0_f64; 4], [[0.0_f64; K]; 4]);
    let (mut apart, mut squares) = (0.0_f64, [[0.0_f64; 2]; 4]);
    for t in 1..=STEPS {
        let noise: [f32; 4] = std::array::from_fn(|_| random.signed());
        let grads = std::array::from_fn(|i| CURVATURE[i] * (params[i] - MINIMUM[i]) + noise[i]);
        rule.step(&mut params, &grads, &mut state);
        for i in 0..4 {
            let (minimum, curvature) = (f64::from(MINIMUM[i]), f64::from(CURVATURE[i]));
            let g = curvature * (wide[i] - minimum) + f64::from(noise[i]);
            (wide[i], columns[i]) = paper.paper(t, wide[i], g, columns[i]);
            let off = (f64::from(params[i]) - wide[i]).abs();
            assert!(off <= budget.apart, "{what} at step {t}: {params:?}, not {wide:?}");
            apart = apart.max(off);
            if t > STEPS / 10 {
                squares[i][0] += (f64::from(params[i]) - minimum).powi(2);
                squares[i][1] += (wide[i] - minimum).powi(2);
            }
        }
    }
    let spread = worst(squares.map(|[a, b]| (a / b - 1.0).abs()));
    println!("{what}: at most {apart:.1e} apart, the mean square {spread:.1e} off");
    assert!(
        apart >= budget.apart / 2.0,
        "{what}: {apart:e} apart, the budget {:e} says nothing",
        budget.apart
    );
    assert!(spread <= budget.spread, "{what}: the mean square is {spread:e} off");
}

fn whole<const K: usize, O: Paper<K> + Debug>(name: &str, rule: O) {
    let [budget, _] = budgets(name);
    stays_near(name, rule, &rule, &budget.unwrap());
}

fn half<const K: usize, O: Paper<K> + Debug>(name: &str, rule: O) {
    let [_, budget] = budgets(name);
    stays_near(&format!("{name}, half"), rule.half(), &rule, &budget.unwrap());
}

/// Each rule at its customary rate. AMSGrad and the schedule-free rule have no half state.
macro_rules! at_customary_rates {
    (() $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {
        $(at_customary_rates!(@ $optimizer $name $lr);)*
    };
    (@ AmsGrad $name:literal $lr:literal) => { whole($name, AmsGrad::new($lr)); };
    (@ ScheduleFree $name:literal $lr:literal) => { whole($name, ScheduleFree::new($lr)); };
    (@ $optimizer:ident $name:literal $lr:literal) => {
        whole($name, $optimizer::new($lr));
        half($name, $optimizer::new($lr));
    };
}

#[test]
#[ignore = "a minute in release, an hour without: ci.sh long"]
fn ten_million_steps_stay_near_f64() {
    gradus::__optimizers!(at_customary_rates!());
}
