//! Every rule against its paper in f64, within a budget of units in the last place.

use crate::support::papers::{Budget, Paper};
use crate::support::random::Random;
use crate::support::rules::{Kept, Whole};
use crate::support::ulp::unit;
use gradus::*;
use std::any::type_name;
use std::fmt::Debug;

/// The clock before step `t`.
fn clock_before<const K: usize>(rule: &impl Paper<K>, t: u32) -> Clock {
    Clock { t: t - 1, carry: if t > 1 { rule.carry(t - 1) } else { 0.0 } }
}

/// One step of one element: the new parameter and state.
fn step<const K: usize, O: Kept<K>>(
    rule: &O,
    mut clock: Clock,
    p: f32,
    g: f32,
    s: [f32; K],
) -> (f32, [f32; K]) {
    let (mut params, mut columns) = ([p], s.map(|s| [s]));
    let state = StateMut::new(columns.each_mut().map(|s| s.as_mut_slice()), &mut clock);
    rule.step_slices(&mut params, &[g], state).unwrap();
    (params[0], columns.map(|[s]| s))
}

/// Asserts that step `t` from this state is the paper's, and returns the new state.
fn hold<const K: usize, O: Paper<K> + Debug>(rule: &O, t: u32, p: f32, g: f32, s: [f32; K]) -> [f32; K] {
    let clock = clock_before(rule, t);
    let Budget { update: update_budget, state: state_budget } = O::BUDGET;
    let wide = s.map(f64::from);
    let case = |what: &dyn Debug| format!("{rule:?}\n t {t}, p {p:e}, g {g:e}, state {s:?}: {what:?}");

    // From 0 the new parameter is the update, with every digit of it.
    let (update, _) = step(rule, clock, 0.0, g, s);
    let (want, _) = rule.paper(t, 0.0, g.into(), wide);
    let error = (f64::from(update) - want) / unit(rule.size(t, g.into(), wide));
    assert!(error.abs() <= update_budget, "{}", case(&("update", update, want, error)));

    let (new, state) = step(rule, clock, p, g, s);
    let (want, want_state) = rule.paper(t, p.into(), g.into(), wide);
    let slack =
        update_budget * unit(rule.size(t, g.into(), wide)) + 1.5 * unit(f64::from(p).abs().max(want.abs()));
    let error = f64::from(new) - want;
    assert!(error.abs() <= slack, "{}", case(&("parameter", new, want, error / slack)));

    let sizes = rule.paper(t, p.abs().into(), g.abs().into(), wide.map(f64::abs)).1;
    for k in 0..K {
        let error = (f64::from(state[k]) - want_state[k]) / unit(sizes[k]);
        assert!(error.abs() <= state_budget, "{}", case(&("state", k, state[k], want_state[k], error)));
    }
    state
}

/// Runs of gradients of every size, steady and swinging, with zeros in between.
fn every_step<const K: usize, O: Paper<K> + Debug>(rule: O) {
    let mut random = Random(21);
    for run in 0..40 {
        let size = 10_f32.powi(run % 10 - 6);
        let mut state = [0.0; K];
        for t in 1..=50 {
            let g = match run / 10 {
                0 => size * (0.5 + random.unit()),
                1 => size * random.signed(),
                2 => random.sized(-6.0, 3.0),
                _ if t % 5 == 1 => size * random.signed(),
                _ => 0.0,
            };
            let p = random.sized(-4.0, 2.0);
            state = hold(&rule, t, p, g, state);
        }
    }
}

#[test]
fn every_rule_is_its_paper_s() {
    each_rule!(every_step);
}

#[test]
fn every_preset_and_option_is_its_paper_s() {
    each_variant!(every_step);
}

/// Steps late in a run: the count has more digits than an f32, or has stopped.
fn late_steps<const K: usize, O: Paper<K> + Debug>(rule: O) {
    let mut random = Random(22);
    for t in [2, 3, 100, 1 << 24, (1 << 24) + 1, 1 << 31, u32::MAX] {
        for size in [1e-3, 1.0, 1e3] {
            for _ in 0..20 {
                // A state as training makes it: squares where the paper has squares.
                let mut state = [0.0; K];
                for _ in 0..5 {
                    let (_, next) =
                        step(&rule, Clock { t: 10, carry: 1.0 }, 0.0, size * random.signed(), state);
                    state = next;
                }
                hold(&rule, t, random.signed(), size * random.signed(), state);
            }
        }
    }
}

#[test]
fn late_steps_are_the_paper_s_too() {
    each_rule!(late_steps);
    each_variant!(late_steps);
}

/// The count stays where it is once it can grow no more, and every step there is the same.
fn last_step<const K: usize, O: Kept<K> + Debug>(rule: O) {
    let (mut params, mut columns) = ([0.5_f32; 3], [[0.25_f32; 3]; K]);
    let mut clock = Clock { t: u32::MAX - 1, carry: 1.0 };
    for want in [u32::MAX, u32::MAX, u32::MAX] {
        let (before, start) = (params, columns);
        let state = StateMut::new(columns.each_mut().map(|s| s.as_mut_slice()), &mut clock);
        rule.step_slices(&mut params, &[1.0, -1.0, 0.0], state).unwrap();
        assert_eq!(clock.t, want);
        assert!(params.iter().all(|p| p.is_finite()), "{rule:?}");
        let (mut again, mut columns_again) = (before, start);
        let mut same = clock;
        let state = StateMut::new(columns_again.each_mut().map(|s| s.as_mut_slice()), &mut same);
        rule.step_slices(&mut again, &[1.0, -1.0, 0.0], state).unwrap();
        assert_eq!((again, columns_again), (params, columns), "{rule:?}");
    }
}

#[test]
fn the_count_of_steps_saturates() {
    each_rule!(last_step);
    each_variant!(last_step);
}

/// Where the stabiliser stands, next to averages from nothing to enormous.
fn epsilons<const K: usize, O: Paper<K> + Debug>(rules: impl Fn(Epsilon) -> O, square: usize) {
    for eps in [
        Epsilon::Outside(1e-8),
        Epsilon::Outside(1e-3),
        Epsilon::Hat(1e-7),
        Epsilon::Hat(1e-3),
        Epsilon::Root { inside: 1e-8, outside: 0.0 },
        Epsilon::Root { inside: 1e-3, outside: 1e-4 },
    ] {
        for v in [0.0, 1e-20, 1e-8, 1.0, 1e20_f32] {
            for share in [0.0, 1e-3, 0.5, 1.0, -2.0] {
                for t in [1, 2, 10, 1000, 100_000] {
                    let mut state = [0.0; K];
                    state[square..].fill(v); // AMSGrad's maximum too
                    hold(&rules(eps), t, 0.5, share * v.sqrt(), state);
                    state[0] = if square > 0 { 0.3 * v.sqrt() } else { v };
                    hold(&rules(eps), t, 0.5, share * v.sqrt(), state);
                }
            }
        }
    }
}

#[test]
fn every_place_of_the_stabiliser_is_its_formula() {
    epsilons(|eps| AdaGrad { eps, ..AdaGrad::new(0.01) }, 0);
    epsilons(|eps| RmsProp { eps, ..RmsProp::new(0.01) }, 0);
    epsilons(|eps| RmsProp { eps, ..RmsProp::new(0.01) }.with_momentum(0.9), 0);
    epsilons(|eps| Adam { eps, ..Adam::new(0.01) }, 1);
    epsilons(|eps| Adam { eps, bias_correction: false, ..Adam::new(0.01) }, 1);
    epsilons(|eps| AdamW { eps, ..AdamW::new(0.01) }, 1);
    epsilons(|eps| AmsGrad { eps, ..AmsGrad::new(0.01) }, 1);
    epsilons(|eps| Nadam { eps, ..Nadam::new(0.01) }, 1);
    epsilons(|eps| ScheduleFree { eps, ..ScheduleFree::new(0.01) }, 1);
}

#[test]
fn the_places_of_the_stabiliser_differ() {
    let first = |eps| step(&Adam { eps, ..Adam::new(1.0) }, Clock::new(), 0.0, 1.0, [0.0; 2]).0;
    let [outside, hat, root] =
        [Epsilon::Outside(0.5), Epsilon::Hat(0.5), Epsilon::Root { inside: 0.5, outside: 0.0 }].map(first);
    // c2 = 0.001 at the first step, and v / c2 = 1.
    assert!((outside + 1.0 / 1.5).abs() < 1e-6, "{outside}");
    assert!((hat + 0.001_f32.sqrt() / (0.001_f32.sqrt() + 0.5)).abs() < 1e-6, "{hat}");
    assert!((root + 1.0 / 1.5_f32.sqrt()).abs() < 1e-6, "{root}");
}

/// Whether the rule moves weights without a gradient.
fn decays(rule: &impl Debug) -> bool {
    let text = format!("{rule:?}");
    text.contains("weight_decay") && !text.contains("weight_decay: 0.0 }")
}

/// No gradient from the start: no update at all, to the bit.
fn at_rest<const K: usize, O: Paper<K> + Debug>(rule: O) {
    let start = [0.0, 1.0, -3e-5, 1e30, f32::MIN_POSITIVE, 1e-45, f32::MAX, -0.0];
    for grad in [0.0, -0.0] {
        let mut params = start;
        let mut state = State::<O::Family, 8>::new();
        for _ in 0..100 {
            rule.step(&mut params, &[grad; 8], &mut state);
        }
        for (k, column) in state.columns.iter().enumerate().filter(|(k, _)| rule.rests(*k)) {
            assert!(column.iter().all(|&s| s == 0.0), "{rule:?}, column {k}");
        }
        if decays(&rule) {
            assert_eq!(params[0], 0.0, "{rule:?}: nothing decays to nothing");
        } else if grad.is_sign_positive() {
            assert_eq!(params.map(f32::to_bits), start.map(f32::to_bits), "{rule:?}");
        } else {
            assert_eq!(params, start, "{rule:?}: a negative zero may take the sign of another");
        }
    }
}

#[test]
fn without_a_gradient_nothing_moves() {
    each_rule!(at_rest);
    each_variant!(at_rest);
}

/// Gradients whose squares underflow: as the paper has it, or at least bounded by the learning rate.
fn tiny_gradients<const K: usize, O: Paper<K> + Debug>(rule: O) {
    for g in [1e-30, 1e-25, 1e-21, 1e-20_f32] {
        let mut state = [0.0; K];
        for t in 1..=20 {
            let (update, next) = step(&rule, clock_before(&rule, t), 0.0, g, state);
            let wide = state.map(f64::from);
            let (want, _) = rule.paper(t, 0.0, g.into(), wide);
            // The lost square is far below the stabiliser: it shows in no digit.
            let error = (f64::from(update) - want) / unit(want);
            let centered = type_name::<O>().contains("Centered");
            assert!(
                centered || error.abs() <= 2.0 * O::BUDGET.update,
                "{rule:?} {t} {g:e}: {update:e} {want:e}"
            );
            state = next;
        }
    }
    for g in [1e-45, -1e-40, 1e-38, -1e-30, 1e-25, 1e-21_f32] {
        let (mut params, mut state) = ([0.0], State::<O::Family, 1>::new());
        for t in 1..=100 {
            rule.step(&mut params, &[g], &mut state);
            assert!(params[0].abs() <= rule.lr() * t as f32 * 1.001, "{rule:?} {g:e}: {:e}", params[0]);
        }
    }
}

#[test]
fn gradients_too_small_to_square_stay_bounded() {
    each_rule!(tiny_gradients);
    each_variant!(tiny_gradients);
}

#[test]
fn a_constant_gradient_has_no_negative_variance() {
    fn steady<O: Whole + Debug>(rule: O) {
        for g in [1e4, -1e4, 1e-3, 123.456] {
            let (mut params, mut state) = ([0.0; 2], State::<O::Family, 2>::new());
            for t in 0..5000 {
                rule.step(&mut params, &[g, g / 3.0], &mut state);
                assert!(params.iter().all(|p| p.is_finite()), "{rule:?} {g} at {t}: {params:?}");
                assert!(
                    state.columns.as_ref().as_flattened().iter().all(|s| s.is_finite()),
                    "{rule:?} {g} at {t}"
                );
            }
            assert!(params.iter().all(|p| p * g < 0.0), "{rule:?}: downhill");
        }
    }
    steady(RmsProp::new(0.01).centered());
    steady(RmsProp::keras(0.01).centered());
    steady(RmsProp::new(0.01).centered().with_momentum(0.9));
    steady(RmsProp { rho: 0.9, ..RmsProp::lecture(0.01) }.centered());
}

/// The lecture's two forms of Nesterov momentum, in f64, beside ours.
#[test]
fn nesterov_is_the_lecture_s() {
    for (lr, rho) in [(0.01_f32, 0.9), (0.125, 0.5), (0.001, 0.99)] {
        let rule = Nesterov { rho, ..Nesterov::new(lr) };
        let step = f64::from(lr);
        // A steep and a flat direction: the gradient is curvature times position.
        for curvature in [0.3, 1.0, 7.0] {
            let (mut params, mut state) = ([2.0_f32], NesterovState::<1>::new());
            let (mut p, mut v) = (2.0, 0.0); // the form over the gradient at p
            let (mut x, mut w) = (2.0, 0.0); // the form that looks ahead of x
            for t in 0..200 {
                let grads = [curvature as f32 * params[0]];
                rule.step(&mut params, &grads, &mut state);

                let before = v;
                v = rho * v - step * (curvature * p);
                p += -rho * before + (1.0 + rho) * v;

                w = rho * w - step * (curvature * (x + rho * w));
                x += w;

                let ahead: f64 = x + rho * w;
                assert!((p - ahead).abs() < 1e-12, "both forms are one: {p} {ahead}");
                let error = (f64::from(params[0]) - p).abs();
                assert!(error < 1e-5, "{rule:?} at {t}: {} {p}", params[0]);
            }
        }
    }
}
