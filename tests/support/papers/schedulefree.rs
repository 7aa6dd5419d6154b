//! Schedule-free AdamW: Defazio et al. (2024).

use super::*;

impl Paper<2> for ScheduleFree {
    const BUDGET: Budget = Budget { update: 4.0, state: 3.5 };
    const LIBRARIES: &'static [Library] = &[("schedulefree", 8.0, Some(8.0))];

    fn paper(&self, t: u32, y: f64, g: f64, [d, v]: [f64; 2]) -> (f64, [f64; 2]) {
        let v = self.beta2 * v + (1.0 - self.beta2) * g * g;
        let u = g / denominator(self.eps, v, correction(self.beta2, t)) + wide(self.weight_decay) * y;
        // In terms of d = y - z; `tests/vectors` has the printed form. The rate is constant.
        let c = 1.0 / f64::from(t);
        let y = y - (c * d + wide(self.lr) * (1.0 - self.beta1 * (1.0 - c)) * u);
        (y, [(1.0 - c) * (d + wide(self.lr) * self.beta1 * u), v])
    }

    // The mean of lr^2.
    fn carry(&self, _: u32) -> f32 {
        self.lr * self.lr
    }

    // The distance between both weights grows by the decay.
    fn rests(&self, column: usize) -> bool {
        self.weight_decay == 0.0 || column == 1
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "schedulefree").then(|| {
            let [beta1, beta2] = run.betas();
            let weight_decay = run.hyper32("weight_decay");
            Self { lr: run.lr(), beta1, beta2, eps: run.epsilon(), weight_decay }
        })
    }
}
