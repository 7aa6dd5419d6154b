//! The list of optimizers: what stands here is tested, measured, fuzzed, saved, chosen at run time and called from C.
//!
//! A new optimizer is a file beside this one and a line here; CONTRIBUTING.md lists what else names it.
//! `./ci.sh generate` then writes its C interface.

/// Calls `$call!` with every optimizer: its type, its name, its customary learning rate, and variants for the tests.
///
/// The name stands in saved files: never change one.
#[doc(hidden)]
#[macro_export]
macro_rules! __optimizers {
    ($call:ident!($($arguments:tt)*)) => {
        $call! {
            ($($arguments)*)
            Sgd "sgd" 1e-2 [];
            Momentum "momentum" 1e-2 [Momentum { rho: 0.5, dampening: 0.25, ..Momentum::new(0.1) }];
            Nesterov "nesterov" 1e-2 [Nesterov { rho: 0.99, ..Nesterov::new(0.001) }];
            AdaGrad "adagrad" 1e-2 [AdaGrad::lecture(0.1), AdaGrad::keras(0.1)];
            Adadelta "adadelta" 1.0 [Adadelta { rho: 0.95, eps: 1e-3, ..Adadelta::new(0.5) }];
            RmsProp "rmsprop" 1e-2 [RmsProp::lecture(0.01), RmsProp::keras(0.01)];
            CenteredRmsProp "rmsprop-a" 1e-2 [RmsProp::keras(0.001).centered()];
            RmsPropMomentum "rmsprop-v" 1e-2 [RmsProp::keras(0.01).with_momentum(0.5)];
            CenteredRmsPropMomentum "rmsprop-av" 1e-2 [RmsProp { rho: 0.0, ..RmsProp::new(0.01) }.centered().with_momentum(0.0)];
            Adam "adam" 1e-3 [
                Adam::lecture(0.001),
                Adam::keras(0.001),
                Adam { eps: Epsilon::Root { inside: 1e-6, outside: 1e-7 }, ..Adam::new(0.001) },
                Adam { bias_correction: false, ..Adam::new(0.001) },
                Adam { beta1: 0.0, beta2: 0.5, ..Adam::new(0.1) },
            ];
            AdamW "adamw" 1e-3 [
                AdamW { weight_decay: 0.0, ..AdamW::new(0.01) },
                AdamW { eps: Epsilon::Root { inside: 1e-6, outside: 1e-7 }, weight_decay: 0.5, ..AdamW::new(0.1) },
            ];
            Adamax "adamax" 2e-3 [Adamax { beta1: 0.0, beta2: 0.5, eps: 1e-3, ..Adamax::new(0.1) }];
            AmsGrad "amsgrad" 1e-3 [
                AmsGrad { beta1: 0.8, beta2: 0.9, eps: Epsilon::Root { inside: 1e-6, outside: 1e-7 }, ..AmsGrad::new(0.01) },
            ];
            Nadam "nadam" 2e-3 [
                Nadam { eps: Epsilon::Root { inside: 1e-6, outside: 1e-7 }, momentum_decay: 0.0, ..Nadam::new(0.002) },
            ];
            RAdam "radam" 1e-3 [
                RAdam { beta1: 0.5, beta2: 0.9, ..RAdam::new(0.1) },
                RAdam { beta2: 0.5, eps: Epsilon::Outside(1e-8), ..RAdam::new(0.01) }, // never adaptive
            ];
            Lion "lion" 1e-4 [Lion { beta1: 0.95, beta2: 0.98, weight_decay: 0.0, ..Lion::new(0.001) }];
            ScheduleFree "schedulefree" 2.5e-3 [
                ScheduleFree { beta1: 0.5, beta2: 0.9, eps: Epsilon::Hat(1e-3), ..ScheduleFree::new(0.1) },
                ScheduleFree { weight_decay: 0.5, ..ScheduleFree::new(0.1) },
            ];
        }
    };
}
