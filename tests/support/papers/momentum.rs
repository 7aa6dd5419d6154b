//! Momentum: Polyak (1964), and dampening as PyTorch has it.

use super::*;

impl Paper<1> for Momentum {
    const BUDGET: Budget = Budget { update: 2.5, state: 1.5 };
    const LIBRARIES: &'static [Library] = &[
        ("torch", 10.0, Some(0.0)),
        ("keras", 5.0, Some(10.0)), // the learning rate stands inside the velocity
    ];

    fn paper(&self, t: u32, p: f64, g: f64, [v]: [f64; 1]) -> (f64, [f64; 1]) {
        let v = self.rho * v + if t == 1 { g } else { (1.0 - self.dampening) * g };
        (p - wide(self.lr) * v, [v])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        (run.rule() == "momentum").then(|| Self {
            lr: run.lr(),
            rho: run.hyper("rho"),
            dampening: run.hyper("dampening"),
        })
    }
}
