//! Lion: Chen et al. (2023).

use super::*;

impl Paper<1> for Lion {
    const BUDGET: Budget = Budget { update: 1.0, state: 1.5 };
    const LIBRARIES: &'static [Library] = &[("optax", 5.0, Some(0.0))];

    fn paper(&self, _: u32, p: f64, g: f64, [m]: [f64; 1]) -> (f64, [f64; 1]) {
        let c = self.beta1 * m + (1.0 - self.beta1) * g;
        let sign = if c == 0.0 { 0.0 } else { c.signum() };
        let p = p - wide(self.lr) * (sign + wide(self.weight_decay) * p);
        (p, [self.beta2 * m + (1.0 - self.beta2) * g])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "lion").then(|| {
            let [beta1, beta2] = run.betas();
            Self { lr: run.lr(), beta1, beta2, weight_decay: run.hyper32("weight_decay") }
        })
    }
}
