//! Adam: Kingma and Ba (2015).

use super::*;

impl Paper<2> for Adam {
    const BUDGET: Budget = Budget { update: 8.0, state: 2.5 };
    const LIBRARIES: &'static [Library] = &[
        ("torch", 8.0, Some(5.0)),
        ("formula", 5.0, Some(0.0)),
        // Both form `1 - beta^t` in f32 and stray from their own f64 by up to 100 units.
        ("keras", 4.0, None),
        ("optax", 4.0, None),
    ];

    fn paper(&self, t: u32, p: f64, g: f64, [m, v]: [f64; 2]) -> (f64, [f64; 2]) {
        let [m, v] = moments(self.beta1, self.beta2, g, m, v);
        let [c1, c2] =
            [self.beta1, self.beta2].map(|b| if self.bias_correction { correction(b, t) } else { 1.0 });
        (p - wide(self.lr) * (m / c1) / denominator(self.eps, v, c2), [m, v])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "adam").then(|| {
            let [beta1, beta2] = run.betas();
            Self {
                lr: run.lr(),
                beta1,
                beta2,
                eps: run.epsilon(),
                bias_correction: run.flag("bias_correction"),
            }
        })
    }
}
