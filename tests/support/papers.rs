//! Every rule once more, in f64, as its paper or its library writes it: nothing is folded here.

use super::rules::Kept;
use gradus::*;

/// A rule with its reference.
pub trait Paper<const K: usize>: Kept<K> {
    /// Step `t` of one element: the new parameter and the new state.
    fn paper(&self, t: u32, p: f64, g: f64, state: [f64; K]) -> (f64, [f64; K]);

    /// How large the update would be if nothing in it cancelled: what its rounding is measured by.
    fn size(&self, t: u32, g: f64, state: [f64; K]) -> f64 {
        self.paper(t, 0.0, g.abs(), state.map(f64::abs)).0.abs()
    }
}

fn wide(x: f32) -> f64 {
    x.into()
}

/// `1 - beta^t`, also where `beta^t` is nearly 1.
pub fn correction(beta: f64, t: u32) -> f64 {
    -f64::exp_m1(f64::from(t) * beta.ln())
}

/// The three places of the stabiliser.
fn denominator(eps: Epsilon, v: f64, c2: f64) -> f64 {
    match eps {
        Epsilon::Outside(eps) => (v / c2).sqrt() + wide(eps),
        Epsilon::Hat(eps) => (v.sqrt() + wide(eps)) / c2.sqrt(),
        Epsilon::Root { inside, outside } => (v / c2 + wide(inside)).sqrt() + wide(outside),
    }
}

impl Paper<0> for Sgd {
    fn paper(&self, _: u32, p: f64, g: f64, []: [f64; 0]) -> (f64, [f64; 0]) {
        (p - wide(self.lr) * g, [])
    }
}

impl Paper<1> for Momentum {
    fn paper(&self, t: u32, p: f64, g: f64, [v]: [f64; 1]) -> (f64, [f64; 1]) {
        let v = self.rho * v + if t == 1 { g } else { (1.0 - self.dampening) * g };
        (p - wide(self.lr) * v, [v])
    }
}

impl Paper<1> for Nesterov {
    fn paper(&self, _: u32, p: f64, g: f64, [v]: [f64; 1]) -> (f64, [f64; 1]) {
        let v = self.rho * v + g;
        (p - wide(self.lr) * (g + self.rho * v), [v])
    }
}

impl Paper<1> for AdaGrad {
    fn paper(&self, _: u32, p: f64, g: f64, [s]: [f64; 1]) -> (f64, [f64; 1]) {
        let s = s + g * g;
        (p - wide(self.lr) * g / denominator(self.eps, s, 1.0), [s])
    }
}

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

impl Paper<1> for RmsProp {
    fn paper(&self, _: u32, p: f64, g: f64, [s]: [f64; 1]) -> (f64, [f64; 1]) {
        let s = mean_square(self, g, s);
        (p - wide(self.lr) * g / denominator(self.eps, s, 1.0), [s])
    }
}

impl Paper<2> for CenteredRmsProp {
    fn paper(&self, _: u32, p: f64, g: f64, [s, a]: [f64; 2]) -> (f64, [f64; 2]) {
        let s = mean_square(&self.rmsprop, g, s);
        let (variance, a) = variance(&self.rmsprop, g, s, a);
        (p - wide(self.rmsprop.lr) * g / denominator(self.rmsprop.eps, variance, 1.0), [s, a])
    }
    fn size(&self, t: u32, g: f64, [s, a]: [f64; 2]) -> f64 {
        let (update, [s, _]) = self.paper(t, 0.0, g, [s, a]);
        update.abs() * condition(s, variance(&self.rmsprop, g, s, a).0)
    }
}

impl Paper<2> for RmsPropMomentum {
    fn paper(&self, _: u32, p: f64, g: f64, [s, v]: [f64; 2]) -> (f64, [f64; 2]) {
        let s = mean_square(&self.rmsprop, g, s);
        let v = wide(self.momentum) * v + g / denominator(self.rmsprop.eps, s, 1.0);
        (p - wide(self.rmsprop.lr) * v, [s, v])
    }
}

impl Paper<3> for CenteredRmsPropMomentum {
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
}

/// Both moments of Adam.
fn moments(beta1: f64, beta2: f64, g: f64, m: f64, v: f64) -> [f64; 2] {
    [beta1 * m + (1.0 - beta1) * g, beta2 * v + (1.0 - beta2) * g * g]
}

impl Paper<2> for Adam {
    fn paper(&self, t: u32, p: f64, g: f64, [m, v]: [f64; 2]) -> (f64, [f64; 2]) {
        let [m, v] = moments(self.beta1, self.beta2, g, m, v);
        let [c1, c2] =
            [self.beta1, self.beta2].map(|b| if self.bias_correction { correction(b, t) } else { 1.0 });
        (p - wide(self.lr) * (m / c1) / denominator(self.eps, v, c2), [m, v])
    }
}

impl Paper<2> for AdamW {
    fn paper(&self, t: u32, p: f64, g: f64, state: [f64; 2]) -> (f64, [f64; 2]) {
        let Self { lr, beta1, beta2, eps, weight_decay } = *self;
        let adam = Adam { lr, beta1, beta2, eps, bias_correction: true };
        adam.paper(t, p * (1.0 - wide(lr) * wide(weight_decay)), g, state)
    }
}

impl Paper<3> for AmsGrad {
    fn paper(&self, t: u32, p: f64, g: f64, [m, v, vmax]: [f64; 3]) -> (f64, [f64; 3]) {
        let [m, v] = moments(self.beta1, self.beta2, g, m, v);
        let vmax = vmax.max(v);
        let d = denominator(self.eps, vmax, correction(self.beta2, t));
        (p - wide(self.lr) * (m / correction(self.beta1, t)) / d, [m, v, vmax])
    }
}

/// `mu(t)` of Nadam.
fn mu(rule: &Nadam, t: f64) -> f64 {
    rule.beta1 * (1.0 - 0.5 * 0.96_f64.powf(t * wide(rule.momentum_decay)))
}

/// `mu(1) * ... * mu(t)` of Nadam: nothing is left of it at step 1000.
pub fn mu_product(rule: &Nadam, t: u32) -> f64 {
    if t > 1000 { 0.0 } else { (1..=t).map(|t| mu(rule, t.into())).product() }
}

impl Paper<2> for Nadam {
    fn paper(&self, t: u32, p: f64, g: f64, [m, v]: [f64; 2]) -> (f64, [f64; 2]) {
        let [m, v] = moments(self.beta1, self.beta2, g, m, v);
        let (mu_t, next) = (mu(self, t.into()), mu(self, f64::from(t) + 1.0));
        let product = mu_product(self, t);
        let ahead = (1.0 - mu_t) / (1.0 - product) * g + next / (1.0 - product * next) * m;
        (p - wide(self.lr) * ahead / denominator(self.eps, v, correction(self.beta2, t)), [m, v])
    }
}

impl Paper<2> for Adamax {
    fn paper(&self, t: u32, p: f64, g: f64, [m, u]: [f64; 2]) -> (f64, [f64; 2]) {
        let m = self.beta1 * m + (1.0 - self.beta1) * g;
        let u = (self.beta2 * u).max(g.abs() + wide(self.eps));
        (p - wide(self.lr) * (m / correction(self.beta1, t)) / u, [m, u])
    }
}

impl Paper<2> for Adadelta {
    fn paper(&self, _: u32, p: f64, g: f64, [s, d]: [f64; 2]) -> (f64, [f64; 2]) {
        let s = self.rho * s + (1.0 - self.rho) * g * g;
        let step = (d + wide(self.eps)).sqrt() / (s + wide(self.eps)).sqrt() * g;
        (p - wide(self.lr) * step, [s, self.rho * d + (1.0 - self.rho) * step * step])
    }
}

impl Paper<2> for RAdam {
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
}

impl Paper<2> for ScheduleFree {
    fn paper(&self, t: u32, y: f64, g: f64, [d, v]: [f64; 2]) -> (f64, [f64; 2]) {
        let v = self.beta2 * v + (1.0 - self.beta2) * g * g;
        let u = g / denominator(self.eps, v, correction(self.beta2, t)) + wide(self.weight_decay) * y;
        // In terms of d = y - z; `tests/vectors` has the printed form. The rate is constant.
        let c = 1.0 / f64::from(t);
        let y = y - (c * d + wide(self.lr) * (1.0 - self.beta1 * (1.0 - c)) * u);
        (y, [(1.0 - c) * (d + wide(self.lr) * self.beta1 * u), v])
    }
}

impl Paper<1> for Lion {
    fn paper(&self, _: u32, p: f64, g: f64, [m]: [f64; 1]) -> (f64, [f64; 1]) {
        let c = self.beta1 * m + (1.0 - self.beta1) * g;
        let sign = if c == 0.0 { 0.0 } else { c.signum() };
        let p = p - wide(self.lr) * (sign + wide(self.weight_decay) * p);
        (p, [self.beta2 * m + (1.0 - self.beta2) * g])
    }
}
