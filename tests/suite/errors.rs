//! Bad input: a clear error with nothing written, or a defined result; never a panic.

use crate::support::random::{SPECIAL, all_bits};
use crate::support::rules::{Kept, Whole};
use gradus::*;
use std::fmt::Debug;

/// Parameters, gradients and state of chosen lengths, and their bits.
struct Buffers<const K: usize> {
    params: Vec<f32>,
    grads: Vec<f32>,
    columns: [Vec<f32>; K],
    clock: Clock,
}

impl<const K: usize> Buffers<K> {
    fn new(params: usize, grads: usize, column: impl Fn(usize) -> usize) -> Self {
        let columns = std::array::from_fn(|k| vec![0.25; column(k)]);
        Self {
            params: vec![0.5; params],
            grads: vec![1.0; grads],
            columns,
            clock: Clock { t: 3, carry: 0.5 },
        }
    }

    fn bits(&self) -> impl PartialEq + Debug + use<K> {
        let columns = self.columns.each_ref().map(|column| all_bits(column));
        (all_bits(&self.params), all_bits(&self.grads), columns, self.clock.t, self.clock.carry.to_bits())
    }

    fn state<'a, O>(columns: &'a mut [Vec<f32>; K], clock: &'a mut Clock) -> StateMut<'a, O>
    where
        O: Stateful<Columns = Width<K>, Memory = f32>,
    {
        StateMut::new(columns.each_mut().map(Vec::as_mut_slice), clock)
    }

    /// Asserts that every call refuses these lengths and writes nothing.
    fn refuse<O: Kept<K> + Debug>(mut self, rule: &O, error: Error) {
        let before = self.bits();
        let Self { params, grads, columns, clock } = &mut self;
        assert_eq!(rule.step_slices(params, grads, Self::state(columns, clock)), Err(error), "{rule:?}");
        for level in Level::available() {
            let result = rule.on(level).step_slices(params, grads, Self::state(columns, clock));
            assert_eq!(result, Err(error), "{rule:?} {level}");
        }
        assert_eq!(rule.step_if_finite(params, grads, Self::state(columns, clock)), Err(error), "{rule:?}");
        let bad = vec![f32::NAN; grads.len()]; // wrong lengths first, then what is in them
        assert_eq!(rule.step_if_finite(params, &bad, Self::state(columns, clock)), Err(error), "{rule:?}");
        #[cfg(feature = "rayon")]
        {
            let threads = rule.on(Exec::threads());
            assert_eq!(
                threads.step_slices(params, grads, Self::state(columns, clock)),
                Err(error),
                "{rule:?}"
            );
        }
        // A list with a good tensor before the bad one: that is not written either.
        let mut good = Buffers::<K>::new(2, 2, |_| 2);
        let good_before = good.bits();
        let mut tensors = [
            Tensor::new(&mut good.params, &good.grads, Self::state(&mut good.columns, &mut good.clock)),
            Tensor::new(params, grads, Self::state(columns, clock)),
        ];
        assert_eq!(rule.step_tensors(&mut tensors, &mut Clock::new()), Err(error), "{rule:?}");
        assert_eq!(rule.step_each(&mut tensors), Err(error), "{rule:?}");
        assert_eq!(good.bits(), good_before);
        assert_eq!(self.bits(), before, "{rule:?}: something was written");
    }
}

fn lengths<const K: usize, O: Kept<K> + Debug>(rule: O) {
    for n in [1, 4, 17, 300] {
        for wrong in [0, n - 1, n + 1, 2 * n] {
            let error = |what| Error::Length { what, expected: n, found: wrong };
            Buffers::<K>::new(n, wrong, |_| n).refuse(&rule, error(Argument::Grads));
            for bad in 0..K {
                let error = error(Argument::State);
                Buffers::<K>::new(n, n, |k| if k == bad { wrong } else { n }).refuse(&rule, error);
            }
            let error = Error::Length { what: Argument::Grads, expected: wrong, found: n };
            Buffers::<K>::new(wrong, n, |_| n).refuse(&rule, error);
        }
    }
}

#[test]
fn wrong_lengths_are_refused_before_anything_is_written() {
    each_rule!(lengths);
}

/// Nothing to update is a step like any other.
fn nothing<O: Whole + Debug>(rule: O) {
    let mut state = State::<O::Family, 0>::new();
    rule.step(&mut [], &[], &mut state);
    assert_eq!(rule.step_slices(&mut [], &[], state.as_mut()), Ok(()));
    assert_eq!(rule.step_if_finite(&mut [], &[], state.as_mut()), Ok(0));
    assert_eq!(state.t(), 3, "{rule:?}");
    let mut clock = Clock::new();
    let mut none: [Tensor<'_, O::Family>; 0] = [];
    assert_eq!(rule.step_tensors(&mut none, &mut clock), Ok(()));
    assert_eq!(clock.t, 1, "{rule:?}");
}

#[test]
fn empty_slices_are_fine() {
    each_rule!(nothing);
    for level in Level::available() {
        assert_eq!(dot::<f32>(level, &[], &[]), Ok(0.0));
        let none: [f32; 0] = [];
        let results =
            [sum_squares(level, &none), sum_abs(level, &none), max_abs(level, &none), l2_norm(level, &none)];
        assert_eq!(results, [0.0; 4]);
        assert_eq!(count_non_finite(level, &[]), 0);
    }
}

/// NaN in, NaN out, and no panic, whatever else is there.
fn nan_everywhere<O: Whole + Debug>(rule: O) {
    let nan = [f32::NAN; 37];
    let mut state = State::<O::Family, 37>::new();
    let mut params = nan;
    for _ in 0..3 {
        rule.step(&mut params, &nan, &mut state);
    }
    assert!(params.iter().all(|p| p.is_nan()), "{rule:?}");
    assert!(state.columns.as_ref().as_flattened().iter().all(|s| s.is_nan()), "{rule:?}");
    assert_eq!(rule.step_if_finite(&mut params, &nan, state.as_mut()), Ok(37));
    // Hyper-parameters that check() would refuse, and a clock from anywhere.
    for lr in SPECIAL {
        for t in [0, 1, u32::MAX] {
            for carry in SPECIAL {
                state.clock = Clock { t, carry };
                rule.with_lr(lr).step(&mut params, &nan, &mut state);
                assert_eq!(state.t(), t.saturating_add(1));
            }
        }
    }
}

#[test]
fn nan_everywhere_is_no_panic() {
    each_rule!(nan_everywhere);
    each_variant!(nan_everywhere);
}

/// The learning rates that every rule refuses, and those that it takes.
fn learning_rates<O: Whole + Debug>(rule: O) {
    for lr in [-1e-9, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let refused = rule.with_lr(lr);
        assert_eq!(refused.check(), Err(Error::Range(Hyper::LearningRate)), "{refused:?}");
    }
    for lr in [0.0, f32::MIN_POSITIVE, 1e-3, 1.0] {
        let taken = rule.with_lr(lr);
        assert_eq!((taken.check(), taken.lr()), (Ok(()), lr), "{taken:?}");
    }
}

#[test]
fn every_rule_checks_its_learning_rate() {
    each_rule!(learning_rates);
    each_variant!(learning_rates);
}

/// One hyper-parameter of a rule: who it is, how to set it, and what it must not be.
fn refuses<O: Whole + Debug, X: Copy>(hyper: Hyper, values: &[X], rule: impl Fn(X) -> O) {
    for &value in values {
        let rule = rule(value);
        assert_eq!(rule.check(), Err(Error::Range(hyper)), "{rule:?}");
    }
}

#[test]
fn hyper_parameters_out_of_range_are_named() {
    // The last one is below 1, but not when it is an f32.
    let decays = [-0.1, 1.0, 1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0 - 1e-9];
    let momenta = [-0.1, 1.0, f32::NAN, f32::INFINITY];
    let root = |inside, outside| Epsilon::Root { inside, outside };
    let mut epsilons = vec![root(0.0, 0.0), root(-1.0, 1.0), root(1.0, -1.0), root(f32::NAN, 1.0)];
    epsilons.extend([root(1.0, f32::INFINITY), root(f32::INFINITY, 1.0)]);
    for eps in [0.0, -1e-8, f32::NAN, f32::INFINITY] {
        epsilons.extend([Epsilon::Outside(eps), Epsilon::Hat(eps)]);
    }
    let weight_decays = [-1e-9, 1.0 / 0.125, 1e9, f32::NAN, f32::INFINITY]; // lr * weight_decay from 1 on
    const LR: f32 = 0.125;
    use Hyper::{Beta1, Beta2, Dampening, MomentumDecay, Rho, WeightDecay};
    refuses(Rho, &decays, |rho| Momentum { rho, ..Momentum::new(LR) });
    refuses(Rho, &decays, |rho| Nesterov { rho, ..Nesterov::new(LR) });
    refuses(Rho, &decays, |rho| RmsProp { rho, ..RmsProp::new(LR) });
    refuses(Rho, &decays, |rho| RmsProp { rho, ..RmsProp::new(LR) }.centered());
    refuses(Rho, &decays, |rho| RmsProp { rho, ..RmsProp::new(LR) }.with_momentum(0.9));
    refuses(Rho, &momenta, |momentum| RmsProp::new(LR).with_momentum(momentum));
    refuses(Rho, &momenta, |momentum| RmsProp::new(LR).centered().with_momentum(momentum));
    refuses(Beta1, &decays, |beta1| Adam { beta1, ..Adam::new(LR) });
    refuses(Beta2, &decays, |beta2| Adam { beta2, ..Adam::new(LR) });
    refuses(Beta1, &decays, |beta1| AdamW { beta1, ..AdamW::new(LR) });
    refuses(Beta2, &decays, |beta2| AdamW { beta2, ..AdamW::new(LR) });
    refuses(Beta1, &decays, |beta1| AmsGrad { beta1, ..AmsGrad::new(LR) });
    refuses(Beta2, &decays, |beta2| AmsGrad { beta2, ..AmsGrad::new(LR) });
    refuses(Beta1, &decays, |beta1| Nadam { beta1, ..Nadam::new(LR) });
    refuses(Beta2, &decays, |beta2| Nadam { beta2, ..Nadam::new(LR) });
    refuses(Beta1, &decays, |beta1| Lion { beta1, ..Lion::new(LR) });
    refuses(Beta1, &decays, |beta1| ScheduleFree { beta1, ..ScheduleFree::new(LR) });
    refuses(Beta1, &[0.0, -0.0, 1e-300, 1e-39, 1e-12], |beta1| ScheduleFree {
        beta1,
        ..ScheduleFree::new(LR)
    });
    refuses(Beta2, &decays, |beta2| ScheduleFree { beta2, ..ScheduleFree::new(LR) });
    refuses(Hyper::Epsilon, &epsilons, |eps| ScheduleFree { eps, ..ScheduleFree::new(LR) });
    refuses(WeightDecay, &weight_decays, |weight_decay| ScheduleFree {
        weight_decay,
        ..ScheduleFree::new(LR)
    });
    refuses(Beta2, &decays, |beta2| Lion { beta2, ..Lion::new(LR) });
    refuses(Hyper::Epsilon, &epsilons, |eps| AdaGrad { eps, ..AdaGrad::new(LR) });
    refuses(Hyper::Epsilon, &epsilons, |eps| RmsProp { eps, ..RmsProp::new(LR) });
    refuses(Hyper::Epsilon, &epsilons, |eps| RmsProp { eps, ..RmsProp::new(LR) }.centered());
    refuses(Hyper::Epsilon, &epsilons, |eps| Adam { eps, ..Adam::new(LR) });
    refuses(Hyper::Epsilon, &epsilons, |eps| AdamW { eps, ..AdamW::new(LR) });
    refuses(Hyper::Epsilon, &epsilons, |eps| AmsGrad { eps, ..AmsGrad::new(LR) });
    refuses(Hyper::Epsilon, &epsilons, |eps| Nadam { eps, ..Nadam::new(LR) });
    refuses(WeightDecay, &weight_decays, |weight_decay| AdamW { weight_decay, ..AdamW::new(LR) });
    refuses(WeightDecay, &weight_decays, |weight_decay| Lion { weight_decay, ..Lion::new(LR) });
    refuses(Dampening, &[-0.1, 1.1, f64::NAN], |dampening| Momentum { dampening, ..Momentum::new(LR) });
    refuses(MomentumDecay, &[-0.1, f32::NAN, f32::INFINITY], |momentum_decay| Nadam {
        momentum_decay,
        ..Nadam::new(LR)
    });
    // The ends that belong to the range.
    for dampening in [0.0, 1.0] {
        assert_eq!(Momentum { dampening, rho: 0.0, ..Momentum::new(LR) }.check(), Ok(()));
    }
    assert_eq!(Adam { beta1: 0.0, beta2: 0.0, ..Adam::new(LR) }.check(), Ok(()));
    assert_eq!(Adam { eps: root(0.0, 1e-31), ..Adam::new(LR) }.check(), Ok(())); // less may become 0
}

#[test]
fn errors_say_what_is_wrong() {
    let length = Error::Length { what: Argument::Grads, expected: 3, found: 4 };
    assert_eq!(length.to_string(), "gradients: length 4 where 3 was expected");
    assert!(Error::NonFinite.to_string().contains("finite"));
    let range = Error::Range(Hyper::Beta1);
    assert_eq!(range.to_string(), Hyper::Beta1.to_string());
    assert!(range.to_string().starts_with("beta1"));
    let boxed: Box<dyn std::error::Error> = Box::new(length);
    assert!(boxed.source().is_none());
    assert!(size_of::<Error>() <= 3 * size_of::<usize>(), "no strings, no heap");
}
