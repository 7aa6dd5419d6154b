//! Nesterov momentum in the variables of Sutskever et al. (2013), as libraries write it.

use super::*;

impl Paper<1> for Nesterov {
    const BUDGET: Budget = Budget { update: 3.5, state: 1.5 };
    const LIBRARIES: &'static [Library] = &[("torch", 12.0, Some(0.0)), ("keras", 5.0, Some(5.0))];

    fn paper(&self, _: u32, p: f64, g: f64, [v]: [f64; 1]) -> (f64, [f64; 1]) {
        let v = self.rho * v + g;
        (p - wide(self.lr) * (g + self.rho * v), [v])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "nesterov").then(|| Self { lr: run.lr(), rho: run.hyper("rho") })
    }
}
