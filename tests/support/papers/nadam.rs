//! Nadam: Dozat (2016), as PyTorch writes it.

use super::*;

/// `mu(t)` of Nadam.
fn mu(rule: &Nadam, t: f64) -> f64 {
    rule.beta1 * (1.0 - 0.5 * 0.96_f64.powf(t * wide(rule.momentum_decay)))
}

/// `mu(1) * ... * mu(t)` of Nadam: nothing is left of it at step 1000.
fn mu_product(rule: &Nadam, t: u32) -> f64 {
    if t > 1000 { 0.0 } else { (1..=t).map(|t| mu(rule, t.into())).product() }
}

impl Paper<2> for Nadam {
    const BUDGET: Budget = Budget { update: 7.0, state: 2.5 };
    const LIBRARIES: &'static [Library] = &[("torch", 8.0, Some(10.0))];

    fn paper(&self, t: u32, p: f64, g: f64, [m, v]: [f64; 2]) -> (f64, [f64; 2]) {
        let [m, v] = moments(self.beta1, self.beta2, g, m, v);
        let (mu_t, next) = (mu(self, t.into()), mu(self, f64::from(t) + 1.0));
        let product = mu_product(self, t);
        let ahead = (1.0 - mu_t) / (1.0 - product) * g + next / (1.0 - product * next) * m;
        (p - wide(self.lr) * ahead / denominator(self.eps, v, correction(self.beta2, t)), [m, v])
    }

    fn carry(&self, t: u32) -> f32 {
        (1.0 - mu_product(self, t)) as f32
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "nadam").then(|| {
            let [beta1, beta2] = run.betas();
            let momentum_decay = run.hyper32("momentum_decay");
            Self { lr: run.lr(), beta1, beta2, eps: run.epsilon(), momentum_decay }
        })
    }
}
