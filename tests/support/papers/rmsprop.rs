//! RMSProp: Tieleman and Hinton (2012); centred: Graves (2013); with momentum, as PyTorch writes it.

use super::*;

/// Keras has no form with one of both options alone.
const LIBRARIES: [Library; 2] = [("torch", 9.0, Some(7.0)), ("keras", 5.0, Some(5.0))];
const TORCH: &[Library] = LIBRARIES.first_chunk::<1>().unwrap();

/// The mean square of RMSProp.
fn mean_square(rule: &RmsProp, g: f64, s: f64) -> f64 {
    rule.rho * s + (1.0 - rule.rho) * g * g
}

/// The variance of centred RMSProp, and its mean.
fn variance(rule: &RmsProp, g: f64, s: f64, a: f64) -> (f64, f64) {
    let a = rule.rho * a + (1.0 - rule.rho) * g;
    ((s - a * a).max(0.0), a)
}

/// How much of the rounding of `s` and `a * a` their difference shows.
fn condition(s: f64, variance: f64) -> f64 {
    2.0 * s / variance
}

/// The settings of a run, if it is one of this form.
fn rmsprop(run: &Run<'_>, centered: bool, momentum: bool) -> Option<RmsProp> {
    let form = || (run.flag("centered"), run.hyper32("momentum") != 0.0);
    (run.rule() == "rmsprop" && form() == (centered, momentum)).then(|| RmsProp {
        lr: run.lr(),
        rho: run.hyper("rho"),
        eps: run.epsilon(),
    })
}

impl Paper<1> for RmsProp {
    const BUDGET: Budget = Budget { update: 3.5, state: 2.0 };
    const LIBRARIES: &'static [Library] = &LIBRARIES;

    fn paper(&self, _: u32, p: f64, g: f64, [s]: [f64; 1]) -> (f64, [f64; 1]) {
        let s = mean_square(self, g, s);
        (p - wide(self.lr) * g / denominator(self.eps, s, 1.0), [s])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        rmsprop(run, false, false)
    }
}

impl Paper<2> for CenteredRmsProp {
    const BUDGET: Budget = Budget { update: 1.5, state: 2.0 };
    const LIBRARIES: &'static [Library] = TORCH;

    fn paper(&self, _: u32, p: f64, g: f64, [s, a]: [f64; 2]) -> (f64, [f64; 2]) {
        let s = mean_square(&self.rmsprop, g, s);
        let (variance, a) = variance(&self.rmsprop, g, s, a);
        (p - wide(self.rmsprop.lr) * g / denominator(self.rmsprop.eps, variance, 1.0), [s, a])
    }
    fn size(&self, t: u32, g: f64, [s, a]: [f64; 2]) -> f64 {
        let (update, [s, _]) = self.paper(t, 0.0, g, [s, a]);
        update.abs() * condition(s, variance(&self.rmsprop, g, s, a).0)
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        Some(rmsprop(run, true, false)?.centered())
    }
}

impl Paper<2> for RmsPropMomentum {
    const BUDGET: Budget = Budget { update: 3.0, state: 2.0 };
    const LIBRARIES: &'static [Library] = TORCH;

    fn paper(&self, _: u32, p: f64, g: f64, [s, v]: [f64; 2]) -> (f64, [f64; 2]) {
        let s = mean_square(&self.rmsprop, g, s);
        let v = wide(self.momentum) * v + g / denominator(self.rmsprop.eps, s, 1.0);
        (p - wide(self.rmsprop.lr) * v, [s, v])
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        Some(rmsprop(run, false, true)?.with_momentum(run.hyper32("momentum")))
    }
}

impl Paper<3> for CenteredRmsPropMomentum {
    const BUDGET: Budget = Budget { update: 2.0, state: 2.0 };
    const LIBRARIES: &'static [Library] = &LIBRARIES;

    fn paper(&self, _: u32, p: f64, g: f64, [s, a, v]: [f64; 3]) -> (f64, [f64; 3]) {
        let s = mean_square(&self.rmsprop, g, s);
        let (variance, a) = variance(&self.rmsprop, g, s, a);
        let v = wide(self.momentum) * v + g / denominator(self.rmsprop.eps, variance, 1.0);
        (p - wide(self.rmsprop.lr) * v, [s, a, v])
    }
    fn size(&self, _: u32, g: f64, [s, a, v]: [f64; 3]) -> f64 {
        let s = mean_square(&self.rmsprop, g, s);
        let (variance, _) = variance(&self.rmsprop, g, s, a);
        let scaled = g.abs() / denominator(self.rmsprop.eps, variance, 1.0) * condition(s, variance);
        wide(self.rmsprop.lr) * (wide(self.momentum) * v.abs() + scaled)
    }

    fn of(run: &Run<'_>) -> Option<Self> {
        Some(rmsprop(run, true, true)?.centered().with_momentum(run.hyper32("momentum")))
    }
}
