//! AMSGrad: Reddi, Kale and Kumar (2018).

use super::*;

impl Paper<3> for AmsGrad {
    const BUDGET: Budget = Budget { update: 7.0, state: 2.5 };
    const LIBRARIES: &'static [Library] = &[("torch", 6.0, Some(5.0))];

    fn paper(&self, t: u32, p: f64, g: f64, [m, v, vmax]: [f64; 3]) -> (f64, [f64; 3]) {
        let [m, v] = moments(self.beta1, self.beta2, g, m, v);
        let vmax = vmax.max(v);
        let d = denominator(self.eps, vmax, correction(self.beta2, t));
        (p - wide(self.lr) * (m / correction(self.beta1, t)) / d, [m, v, vmax])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "amsgrad").then(|| {
            let [beta1, beta2] = run.betas();
            Self { lr: run.lr(), beta1, beta2, eps: run.epsilon() }
        })
    }
}
