//! Adadelta: Zeiler (2012).

use super::*;

impl Paper<2> for Adadelta {
    const BUDGET: Budget = Budget { update: 3.5, state: 5.0 };
    const LIBRARIES: &'static [Library] = &[("torch", 6.0, Some(3.0))];

    fn paper(&self, _: u32, p: f64, g: f64, [s, d]: [f64; 2]) -> (f64, [f64; 2]) {
        let s = self.rho * s + (1.0 - self.rho) * g * g;
        let step = (d + wide(self.eps)).sqrt() / (s + wide(self.eps)).sqrt() * g;
        (p - wide(self.lr) * step, [s, self.rho * d + (1.0 - self.rho) * step * step])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "adadelta").then(|| Self {
            lr: run.lr(),
            rho: run.hyper("rho"),
            eps: run.hyper32("eps"),
        })
    }
}
