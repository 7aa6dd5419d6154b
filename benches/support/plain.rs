//! Each rule as the loop that one would write without the crate: zipped iterators, no intrinsics.
//!
//! The compiler vectorises them for the target it was told, which by default is SSE2.

use super::Buffers;

pub const LR: f32 = 0.01;
const EPS: f32 = 1e-8;
const RHO: f32 = 0.9;
const RHO2: f32 = 0.99;
const B1: f32 = 0.9;
const B2: f32 = 0.999;
const C1: f32 = 0.1;
const C2: f32 = 0.001;

/// The loop of a rule, if it has been written. RAdam is Adam, late in a training.
pub fn of(rule: &str) -> Option<fn(&mut Buffers)> {
    Some(match rule {
        "Sgd" => sgd,
        "Momentum" => momentum,
        "Nesterov" => nesterov,
        "AdaGrad" => adagrad,
        "Adadelta" => adadelta,
        "RmsProp" => rmsprop,
        "CenteredRmsProp" => rmsprop_centered,
        "RmsPropMomentum" => rmsprop_momentum,
        "CenteredRmsPropMomentum" => rmsprop_centered_momentum,
        "AdamW" => adamw,
        "Adamax" => adamax,
        "AmsGrad" => amsgrad,
        "Nadam" => nadam,
        "Lion" => lion,
        "Adam" | "RAdam" => adam,
        _ => return None,
    })
}

fn sgd(b: &mut Buffers) {
    for (p, g) in b.params.iter_mut().zip(&b.grads) {
        *p -= LR * g;
    }
}

fn momentum(b: &mut Buffers) {
    momentum_from(b, 0);
}

pub fn momentum_from(b: &mut Buffers, first: usize) {
    let [v, ..] = &mut b.state;
    for ((p, g), v) in b.params[first..].iter_mut().zip(&b.grads[first..]).zip(&mut v[first..]) {
        *v = RHO * *v + g;
        *p -= LR * *v;
    }
}

fn nesterov(b: &mut Buffers) {
    let [v, ..] = &mut b.state;
    for ((p, g), v) in b.params.iter_mut().zip(&b.grads).zip(v) {
        *v = RHO * *v + g;
        *p -= LR * (g + RHO * *v);
    }
}

fn adagrad(b: &mut Buffers) {
    let [s, ..] = &mut b.state;
    for ((p, g), s) in b.params.iter_mut().zip(&b.grads).zip(s) {
        *s += g * g;
        *p -= LR * g / (s.sqrt() + 1e-10);
    }
}

fn rmsprop(b: &mut Buffers) {
    let [s, ..] = &mut b.state;
    for ((p, g), s) in b.params.iter_mut().zip(&b.grads).zip(s) {
        *s = RHO2 * *s + 0.01 * g * g;
        *p -= LR * g / (s.sqrt() + EPS);
    }
}

fn rmsprop_centered(b: &mut Buffers) {
    let [s, a, ..] = &mut b.state;
    for (((p, g), s), a) in b.params.iter_mut().zip(&b.grads).zip(s).zip(a) {
        *s = RHO2 * *s + 0.01 * g * g;
        *a = RHO2 * *a + 0.01 * g;
        *p -= LR * g / ((*s - *a * *a).max(0.0).sqrt() + EPS);
    }
}

fn rmsprop_momentum(b: &mut Buffers) {
    let [s, v, ..] = &mut b.state;
    for (((p, g), s), v) in b.params.iter_mut().zip(&b.grads).zip(s).zip(v) {
        *s = RHO2 * *s + 0.01 * g * g;
        *v = RHO * *v + g / (s.sqrt() + EPS);
        *p -= LR * *v;
    }
}

fn rmsprop_centered_momentum(b: &mut Buffers) {
    let [s, a, v] = &mut b.state;
    for ((((p, g), s), a), v) in b.params.iter_mut().zip(&b.grads).zip(s).zip(a).zip(v) {
        *s = RHO2 * *s + 0.01 * g * g;
        *a = RHO2 * *a + 0.01 * g;
        *v = RHO * *v + g / ((*s - *a * *a).max(0.0).sqrt() + EPS);
        *p -= LR * *v;
    }
}

fn adam(b: &mut Buffers) {
    adam_from(b, 0);
}

pub fn adam_from(b: &mut Buffers, first: usize) {
    let [m, v, ..] = &mut b.state;
    let state = m[first..].iter_mut().zip(&mut v[first..]);
    for ((p, g), (m, v)) in b.params[first..].iter_mut().zip(&b.grads[first..]).zip(state) {
        *m += C1 * (g - *m);
        *v = B2 * *v + C2 * g * g;
        *p -= LR * *m / (v.sqrt() + EPS);
    }
}

fn adamw(b: &mut Buffers) {
    let [m, v, ..] = &mut b.state;
    for (((p, g), m), v) in b.params.iter_mut().zip(&b.grads).zip(m).zip(v) {
        *m += C1 * (g - *m);
        *v = B2 * *v + C2 * g * g;
        *p = *p - LR * *m / (v.sqrt() + EPS) - LR * 1e-2 * *p;
    }
}

fn amsgrad(b: &mut Buffers) {
    let [m, v, vmax] = &mut b.state;
    for ((((p, g), m), v), vmax) in b.params.iter_mut().zip(&b.grads).zip(m).zip(v).zip(vmax) {
        *m += C1 * (g - *m);
        *v = B2 * *v + C2 * g * g;
        *vmax = vmax.max(*v);
        *p -= LR * *m / (vmax.sqrt() + EPS);
    }
}

fn nadam(b: &mut Buffers) {
    // The constants of a first step at t = 1000001, where the momentum product starts anew.
    let mu = B1;
    let (lr_g, lr_m) = (LR, LR * mu / (1.0 - mu * mu));
    let [m, v, ..] = &mut b.state;
    for (((p, g), m), v) in b.params.iter_mut().zip(&b.grads).zip(m).zip(v) {
        *m += C1 * (g - *m);
        *v = B2 * *v + C2 * g * g;
        *p -= (lr_g * g + lr_m * *m) / (v.sqrt() + EPS);
    }
}

fn lion(b: &mut Buffers) {
    let [m, ..] = &mut b.state;
    for ((p, g), m) in b.params.iter_mut().zip(&b.grads).zip(m) {
        let c = *m + C1 * (g - *m);
        let sign = if c > 0.0 {
            1.0
        } else if c < 0.0 {
            -1.0
        } else {
            c
        };
        *p -= LR * (sign + 1e-3 * *p);
        *m += 0.01 * (g - *m);
    }
}

fn adadelta(b: &mut Buffers) {
    let [s, d, ..] = &mut b.state;
    for (((p, g), s), d) in b.params.iter_mut().zip(&b.grads).zip(s).zip(d) {
        *s = RHO * *s + (1.0 - RHO) * g * g;
        let step = (*d + 1e-6).sqrt() / (*s + 1e-6).sqrt() * g;
        *d = RHO * *d + (1.0 - RHO) * step * step;
        *p -= LR * step;
    }
}

fn adamax(b: &mut Buffers) {
    let [m, u, ..] = &mut b.state;
    for (((p, g), m), u) in b.params.iter_mut().zip(&b.grads).zip(m).zip(u) {
        *m += C1 * (g - *m);
        *u = (B2 * *u).max(g.abs() + EPS);
        *p -= LR * *m / *u;
    }
}
