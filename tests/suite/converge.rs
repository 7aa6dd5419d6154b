//! Every rule gets to the bottom of small convex problems.

use crate::support::random::Random;
use gradus::schedule::{Cosine, Schedule};
use gradus::*;
use std::any::type_name;
use std::fmt::Debug;
use std::sync::LazyLock;

/// A problem of three weights: its value and its slope.
trait Problem: Send + Sync {
    fn value(&self, w: &[f64; 3]) -> f64;
    fn slope(&self, w: &[f64; 3]) -> [f64; 3];
}

/// `w' A w / 2 - b' w` with an `A` that is neither diagonal nor round: its curvatures are 8, 3 and 0.5.
struct Bowl;

const A: [[f64; 3]; 3] = [[3.5, 1.5, 2.5], [1.5, 4.5, 1.5], [2.5, 1.5, 3.5]];
const BOTTOM: [f64; 3] = [1.0, -0.5, 0.25];

impl Bowl {
    fn apart(w: &[f64; 3]) -> [f64; 3] {
        std::array::from_fn(|k| w[k] - BOTTOM[k])
    }
}

impl Problem for Bowl {
    fn value(&self, w: &[f64; 3]) -> f64 {
        let d = Self::apart(w);
        self.slope(w).iter().zip(d).map(|(g, d)| g * d).sum::<f64>() / 2.0
    }
    fn slope(&self, w: &[f64; 3]) -> [f64; 3] {
        let d = Self::apart(w);
        A.map(|row| row.iter().zip(d).map(|(a, d)| a * d).sum())
    }
}

/// Logistic regression of noisy labels on two inputs and a constant, with a little weight penalty.
struct Logistic {
    rows: Vec<([f64; 3], f64)>,
}

impl Logistic {
    const PENALTY: f64 = 5e-2;

    fn new() -> Self {
        let mut random = Random(41);
        let row = |_| {
            let x = [random.signed().into(), (3.0 * random.signed()).into(), 1.0];
            let y = if 2.0 * x[0] - x[1] + 0.5 + f64::from(random.signed()) > 0.0 { 1.0 } else { -1.0 };
            (x, y)
        };
        Self { rows: (0..24).map(row).collect() }
    }

    fn margin((x, y): &([f64; 3], f64), w: &[f64; 3]) -> f64 {
        y * x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>()
    }
}

impl Problem for Logistic {
    fn value(&self, w: &[f64; 3]) -> f64 {
        let losses: f64 = self.rows.iter().map(|row| (-Self::margin(row, w)).exp().ln_1p()).sum();
        losses / self.rows.len() as f64 + Self::PENALTY * w.iter().map(|w| w * w).sum::<f64>()
    }
    fn slope(&self, w: &[f64; 3]) -> [f64; 3] {
        let mut slope = w.map(|w| 2.0 * Self::PENALTY * w);
        for row in &self.rows {
            let weight = -row.1 / (1.0 + Self::margin(row, w).exp()) / self.rows.len() as f64;
            (0..3).for_each(|k| slope[k] += weight * row.0[k]);
        }
        slope
    }
}

/// Steps of a run.
const STEPS: u32 = 1000;

/// Trains from `start` under a cosine to 0, and returns the last value.
fn train<O: Optimizer>(rule: O, problem: &dyn Problem, start: [f32; 3]) -> f64 {
    let schedule = Cosine::new(rule.lr(), STEPS);
    let (mut params, mut state) = (start, State::new());
    for step in 0..STEPS {
        let grads = problem.slope(&params.map(f64::from)).map(|g| g as f32);
        rule.with_lr(schedule.at(step)).step(&mut params, &grads, &mut state);
    }
    problem.value(&params.map(f64::from))
}

/// The value at the bottom: plain descent in f64 until nothing moves.
fn bottom(problem: &dyn Problem) -> f64 {
    let mut w = [0.0; 3];
    for _ in 0..10_000 {
        let g = problem.slope(&w);
        w = std::array::from_fn(|k| w[k] - 0.1 * g[k]);
    }
    assert!(problem.slope(&w).iter().all(|g| g.abs() < 1e-9));
    problem.value(&w)
}

/// From several starts each rule gets rid of all but a ten-thousandth of what it could.
fn descends<O: Optimizer + Debug>(rule: O) {
    static PROBLEMS: LazyLock<[(Box<dyn Problem>, f64); 2]> = LazyLock::new(|| {
        let problems: [Box<dyn Problem>; 2] = [Box::new(Bowl), Box::new(Logistic::new())];
        problems.map(|problem| {
            let best = bottom(&*problem);
            (problem, best)
        })
    });
    for (problem, best) in &*PROBLEMS {
        for start in [[0.0; 3], [2.0, -2.0, 1.0], [-1.0, 0.5, -3.0]] {
            // Below where plain descent would diverge. AdaGrad slows down by all it has seen, Adadelta begins with
            // steps of a thousandth.
            let lr = match type_name::<O>().rsplit("::").next() {
                Some("AdaGrad") => 1.0,
                Some("Adadelta") => 20.0,
                _ => 0.1,
            };
            let rule = rule.with_lr(lr);
            let first = problem.value(&start.map(f64::from)) - best;
            let left = train(rule, &**problem, start) - best;
            assert!(left >= -1e-9 && left <= 1e-4 * first, "{rule:?} from {start:?}: {first:e} -> {left:e}");
        }
    }
}

#[test]
fn every_rule_reaches_the_bottom() {
    each_rule!(descends);
}
