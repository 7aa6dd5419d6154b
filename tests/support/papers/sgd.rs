//! Stochastic gradient descent.

use super::*;

impl Paper<0> for Sgd {
    const BUDGET: Budget = Budget { update: 0.5, state: 0.0 };
    const LIBRARIES: &'static [Library] = &[("torch", 5.0, Some(0.0))];

    fn paper(&self, _: u32, p: f64, g: f64, []: [f64; 0]) -> (f64, [f64; 0]) {
        (p - wide(self.lr) * g, [])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "sgd").then(|| Self { lr: run.lr() })
    }
}
