//! AdamW: Loshchilov and Hutter (2019).

use super::*;

impl Paper<2> for AdamW {
    const BUDGET: Budget = Budget { update: 8.0, state: 2.5 };
    // PyTorch rounds 1 - lr * wd and decays before the update.
    const LIBRARIES: &'static [Library] = &[("torch", 12.0, Some(12.0))];

    fn paper(&self, t: u32, p: f64, g: f64, state: [f64; 2]) -> (f64, [f64; 2]) {
        let Self { lr, beta1, beta2, eps, weight_decay } = *self;
        let adam = Adam { lr, beta1, beta2, eps, bias_correction: true };
        adam.paper(t, p * (1.0 - wide(lr) * wide(weight_decay)), g, state)
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "adamw").then(|| {
            let [beta1, beta2] = run.betas();
            let weight_decay = run.hyper32("weight_decay");
            Self { lr: run.lr(), beta1, beta2, eps: run.epsilon(), weight_decay }
        })
    }
}
