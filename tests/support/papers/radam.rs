//! RAdam: Liu et al. (2020).

use super::*;

impl Paper<2> for RAdam {
    const BUDGET: Budget = Budget { update: 5.0, state: 2.5 };
    const LIBRARIES: &'static [Library] = &[("torch", 8.0, Some(7.0))];

    fn paper(&self, t: u32, p: f64, g: f64, [m, v]: [f64; 2]) -> (f64, [f64; 2]) {
        let [m, v] = moments(self.beta1, self.beta2, g, m, v);
        let (c1, c2) = (correction(self.beta1, t), correction(self.beta2, t));
        let full = 2.0 / (1.0 - self.beta2) - 1.0;
        let filled = full - 2.0 * f64::from(t) * (1.0 - c2) / c2;
        let update = if filled > 5.0 {
            let r = ((filled - 4.0) * (filled - 2.0) * full / ((full - 4.0) * (full - 2.0) * filled)).sqrt();
            r * (m / c1) / denominator(self.eps, v, c2)
        } else {
            m / c1
        };
        (p - wide(self.lr) * update, [m, v])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "radam").then(|| {
            let [beta1, beta2] = run.betas();
            Self { lr: run.lr(), beta1, beta2, eps: Epsilon::Hat(run.hyper32("eps")) }
        })
    }
}
