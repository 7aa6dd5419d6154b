//! Adamax: Kingma and Ba (2015), section 7.1.

use super::*;

impl Paper<2> for Adamax {
    const BUDGET: Budget = Budget { update: 3.5, state: 2.0 };
    const LIBRARIES: &'static [Library] = &[("torch", 5.5, Some(3.0))];

    fn paper(&self, t: u32, p: f64, g: f64, [m, u]: [f64; 2]) -> (f64, [f64; 2]) {
        let m = self.beta1 * m + (1.0 - self.beta1) * g;
        let u = (self.beta2 * u).max(g.abs() + wide(self.eps));
        (p - wide(self.lr) * (m / correction(self.beta1, t)) / u, [m, u])
    }

    // It keeps its stabiliser within the largest gradient, as PyTorch does.
    fn rests(&self, column: usize) -> bool {
        column == 0
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "adamax").then(|| {
            let [beta1, beta2] = run.betas();
            Self { lr: run.lr(), beta1, beta2, eps: run.hyper32("eps") }
        })
    }
}
