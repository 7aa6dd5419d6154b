//! AdaGrad: Duchi, Hazan and Singer (2011).

use super::*;

impl Paper<1> for AdaGrad {
    const BUDGET: Budget = Budget { update: 2.5, state: 1.0 };
    const LIBRARIES: &'static [Library] = &[("torch", 4.0, Some(4.0)), ("keras", 4.0, Some(0.0))];

    fn paper(&self, _: u32, p: f64, g: f64, [s]: [f64; 1]) -> (f64, [f64; 1]) {
        let s = s + g * g;
        (p - wide(self.lr) * g / denominator(self.eps, s, 1.0), [s])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "adagrad").then(|| Self { lr: run.lr(), eps: run.epsilon() })
    }
}
