//! The one list of all rules: it drives tests and benchmarks.
//!
//! `each_rule!(f)` is the array of `f(rule)` over every type that implements `Optimizer`, each with
//! its defaults; `each_variant!(f)` the same over presets and options. `f` is a generic function:
//! `fn f<O: Optimizer>(rule: O)`, or with [`Kept`] where it looks into the columns. `tests/suite/rules.rs` compares the list with `src/optim`.
#![allow(unused_macros, dead_code)]

use gradus::{Optimizer, Rule, Stateful, Width};

/// An optimizer with `K` columns, for tests that look into them.
pub trait Kept<const K: usize>:
    Optimizer<Family: Stateful<Columns = Width<K>>, Rule: Rule<Columns = Width<K>>>
{
}
impl<const K: usize, O: Optimizer<Family: Stateful<Columns = Width<K>>, Rule: Rule<Columns = Width<K>>>>
    Kept<K> for O
{
}

macro_rules! each_rule {
    ($f:ident) => {{
        use gradus::*;
        [
            $f(Sgd::new(0.01)),
            $f(Momentum::new(0.01)),
            $f(Nesterov::new(0.01)),
            $f(AdaGrad::new(0.01)),
            $f(RmsProp::new(0.01)),
            $f(RmsProp::new(0.01).centered()),
            $f(RmsProp::new(0.01).with_momentum(0.9)),
            $f(RmsProp::new(0.01).centered().with_momentum(0.9)),
            $f(Adam::new(0.01)),
            $f(AdamW::new(0.01)),
            $f(AmsGrad::new(0.01)),
            $f(Nadam::new(0.01)),
            $f(Lion::new(0.01)),
        ]
    }};
}

macro_rules! each_variant {
    ($f:ident) => {{
        use gradus::*;
        let root = Epsilon::Root { inside: 1e-6, outside: 1e-7 };
        [
            $f(Momentum { rho: 0.5, dampening: 0.25, ..Momentum::new(0.1) }),
            $f(Nesterov { rho: 0.99, ..Nesterov::new(0.001) }),
            $f(AdaGrad::lecture(0.1)),
            $f(AdaGrad::keras(0.1)),
            $f(RmsProp::lecture(0.01)),
            $f(RmsProp::keras(0.01)),
            $f(RmsProp::keras(0.001).centered()),
            $f(RmsProp::keras(0.01).with_momentum(0.5)),
            $f(Adam::lecture(0.001)),
            $f(Adam::keras(0.001)),
            $f(Adam { eps: root, ..Adam::new(0.001) }),
            $f(Adam { bias_correction: false, ..Adam::new(0.001) }),
            $f(Adam { beta1: 0.0, beta2: 0.5, ..Adam::new(0.1) }),
            $f(AdamW { weight_decay: 0.0, ..AdamW::new(0.01) }),
            $f(AdamW { eps: root, weight_decay: 0.5, ..AdamW::new(0.1) }),
            $f(AmsGrad { beta1: 0.8, beta2: 0.9, eps: root, ..AmsGrad::new(0.01) }),
            $f(Nadam { eps: root, momentum_decay: 0.0, ..Nadam::new(0.002) }),
            $f(Lion { beta1: 0.95, beta2: 0.98, weight_decay: 0.0, ..Lion::new(0.001) }),
        ]
    }};
}
