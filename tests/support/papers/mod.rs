//! Every optimizer once more, in f64, as its paper or its library writes it: nothing is folded here.
//!
//! A new optimizer brings a file of its own: its formula, what its rounding may cost, and how its settings stand in
//! `tests/vectors`. The tests of `reference.rs`, `pytorch.rs` and `long.rs` then try it.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod amsgrad;
mod lion;
mod momentum;
mod nadam;
mod nesterov;
mod radam;
mod rmsprop;
mod schedulefree;
mod sgd;

use super::rules::Kept;
use gradus::*;
use serde_json::Value;

/// What a step may be off, either way: units in the last place of the update, and of the largest term of any column.
///
/// Each operation rounds by half a unit, and so does each constant. Adam's family forms its bias
/// corrections by repeated squaring, whose error grows with the binary digits of `t`. The largest
/// errors that the tests meet are at least two thirds of a budget.
pub struct Budget {
    pub update: f64,
    pub state: f64,
}

/// What a run of 30 steps may be off at any of its steps: the library's name, against its run in f64, and against its
/// own f32. A run of 1000 steps may be off four times as much.
///
/// In units in the last place of the largest value that a parameter takes in the run. 0 are the library's own bits:
/// where its operations stand in the same order, ours give them.
pub type Library = (&'static str, f64, Option<f64>);

/// An optimizer with its reference.
pub trait Paper<const K: usize>: Kept<K> {
    const BUDGET: Budget;

    const LIBRARIES: &'static [Library];

    /// Step `t` of one element: the new parameter and the new state.
    fn paper(&self, t: u32, p: f64, g: f64, state: [f64; K]) -> (f64, [f64; K]);

    /// How large the update would be if nothing in it cancelled: what its rounding is measured by.
    fn size(&self, t: u32, g: f64, state: [f64; K]) -> f64 {
        self.paper(t, 0.0, g.abs(), state.map(f64::abs)).0.abs()
    }

    /// The number that the clock carries after step `t`, from 1 on.
    fn carry(&self, _t: u32) -> f32 {
        0.0
    }

    /// Whether a column stays 0 where there was no gradient yet.
    fn rests(&self, _column: usize) -> bool {
        true
    }

    /// The settings of a run in `tests/vectors`, if it is one of this optimizer.
    fn of(run: &Run<'_>) -> Option<Self>;
}

/// A run of a library in `tests/vectors/optimizers.json`.
pub struct Run<'a>(pub &'a Value);

impl Run<'_> {
    /// The rule's name, the library, and what the run is for.
    pub fn name(&self) -> [&str; 3] {
        let mut parts = self.0["name"].as_str().unwrap().splitn(3, '/');
        [(); 3].map(|()| parts.next().unwrap())
    }

    pub fn rule(&self) -> &str {
        self.0["rule"].as_str().unwrap()
    }

    pub fn lr(&self) -> f32 {
        self.hyper32("lr")
    }

    pub fn hyper(&self, key: &str) -> f64 {
        let value = &self.0["hyper"][key];
        value.as_f64().unwrap_or_else(|| panic!("{:?}: {key} is {value}", self.name()))
    }

    pub fn hyper32(&self, key: &str) -> f32 {
        self.hyper(key) as f32
    }

    fn betas(&self) -> [f64; 2] {
        ["beta1", "beta2"].map(|key| self.hyper(key))
    }

    fn flag(&self, key: &str) -> bool {
        self.0["hyper"][key].as_bool().unwrap()
    }

    fn epsilon(&self) -> Epsilon {
        let place = |key: &str| self.0["hyper"][key].as_f64().unwrap_or(0.0) as f32;
        let (outside, inside, hat) = (place("eps"), place("eps_root"), place("eps_hat"));
        match (outside, inside, hat) {
            (0.0, 0.0, hat) => Epsilon::Hat(hat),
            (outside, 0.0, 0.0) => Epsilon::Outside(outside),
            (outside, inside, 0.0) => Epsilon::Root { inside, outside },
            _ => panic!("{:?}: which stabiliser?", self.name()),
        }
    }
}

fn wide(x: f32) -> f64 {
    x.into()
}

/// `1 - beta^t`, also where `beta^t` is nearly 1.
fn correction(beta: f64, t: u32) -> f64 {
    -f64::exp_m1(f64::from(t) * beta.ln())
}

/// The three places of the stabiliser.
fn denominator(eps: Epsilon, v: f64, c2: f64) -> f64 {
    match eps {
        Epsilon::Outside(eps) => (v / c2).sqrt() + wide(eps),
        Epsilon::Hat(eps) => (v.sqrt() + wide(eps)) / c2.sqrt(),
        Epsilon::Root { inside, outside } => (v / c2 + wide(inside)).sqrt() + wide(outside),
    }
}

/// Both moments of Adam.
fn moments(beta1: f64, beta2: f64, g: f64, m: f64, v: f64) -> [f64; 2] {
    [beta1 * m + (1.0 - beta1) * g, beta2 * v + (1.0 - beta2) * g * g]
}
