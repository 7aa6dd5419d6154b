//! Where gradients stay 0, the state ends at 0, and does not stay subnormal.

use crate::support::random::{Random, all_bits};
use crate::support::rules::Kept;
use gradus::*;
use std::fmt::Debug;

/// Steps from one sweep to the next.
const PERIOD: u32 = 64;

/// Steps of gradients, then `steps` without: no sweep leaves a subnormal, and few windows see one.
fn ends_at_zero<const K: usize, O: Kept<K> + Debug>(rule: O, steps: u32) {
    let mut random = Random(11);
    let (mut params, mut state) = ([0.5_f32], rule.state::<1>());
    let mut windows = 0;
    let mut seen = false;
    for t in 1..=steps {
        let grads = [if t <= 100 { random.signed() } else { 0.0 }];
        rule.step(&mut params, &grads, &mut state);
        let subnormal = state.columns.as_flattened().iter().any(|x| x.is_subnormal());
        seen |= subnormal;
        if t % PERIOD == 0 {
            assert!(!subnormal, "{rule:?}: step {t}: {:?}", state.columns);
            windows += u32::from(seen);
            seen = false;
        }
    }
    // A column passes through the subnormals once, and at a decay of 0.9 in less than two windows.
    assert!(windows <= 2 * K as u32, "{rule:?}: {windows} windows with subnormals");
    assert!(params[0].is_finite());
}

fn for_long<const K: usize, O: Kept<K> + Debug>(rule: O) {
    ends_at_zero(rule, 200_000);
}

#[test]
fn two_hundred_thousand_steps_without_gradients() {
    each_rule!(for_long);
    for_long(Adam { eps: Epsilon::Outside(1e-15), ..Adam::new(0.01) });
    for_long(Adam { beta1: 0.0, ..Adam::new(0.01) });
}

#[test]
#[ignore = "minutes in a debug build: ci.sh long"]
fn a_million_steps_without_gradients() {
    ends_at_zero(Adam { beta2: 0.9999, ..Adam::new(0.01) }, 1_000_000);
    ends_at_zero(RmsProp { rho: 0.9999, ..RmsProp::new(0.01) }, 1_000_000);
}

/// Numbers around the smallest normal one, and those that nobody likes.
fn odd(random: &mut Random) -> f32 {
    match random.word() % 4 {
        0 => random.any(),
        1 => random.sized(-44.0, -37.0),
        2 => 0.0,
        _ => f32::from_bits(0x0080_0000 - 2 + random.word() as u32 % 4),
    }
}

/// A sweep has the same bits on every instruction set, on threads, through slices, arrays and lists of tensors.
fn sweeps_everywhere<const K: usize, O: Kept<K> + Debug>(rule: O) {
    const N: usize = 67;
    let mut random = Random(12);
    for t in [PERIOD - 1, PERIOD, 5 * PERIOD - 1, u32::MAX] {
        let (mut params, mut columns) = ([0.0_f32; N], [[0.0_f32; N]; K]);
        params.iter_mut().chain(columns.as_flattened_mut()).for_each(|x| *x = odd(&mut random));
        let mut grads = [0.0; N];
        grads
            .iter_mut()
            .for_each(|g| *g = if random.word().is_multiple_of(2) { 0.0 } else { odd(&mut random) });
        let clock = Clock { t, carry: 0.5 };
        let step = |exec: Exec| {
            let (mut params, mut columns, mut clock) = (params, columns, clock);
            let state = StateMut::new(columns.each_mut().map(|c| c.as_mut_slice()), &mut clock);
            rule.on(exec).step_slices(&mut params, &grads, state).unwrap();
            (all_bits(&params), all_bits(columns.as_flattened()))
        };
        let want = step(Level::SCALAR.into());
        for level in Level::available() {
            assert_eq!(step(level.into()), want, "{rule:?}, {level:?}, step {t}");
        }
        let (mut twin, mut twins, mut time) = (params, columns, clock);
        let mut own = Clock::new();
        let state = StateMut::<O::Family>::new(twins.each_mut().map(|c| c.as_mut_slice()), &mut own);
        rule.step_tensors(&mut [Tensor::new(&mut twin, &grads, state)], &mut time).unwrap();
        assert_eq!((all_bits(&twin), all_bits(twins.as_flattened())), want, "{rule:?} in a list, step {t}");
    }
}

#[test]
fn a_sweep_is_the_same_everywhere() {
    sweeps_everywhere(Momentum::new(0.01));
    sweeps_everywhere(Lion::new(0.01));
    sweeps_everywhere(RmsProp::new(0.01));
    sweeps_everywhere(RmsProp::new(0.01).centered().with_momentum(0.9));
    sweeps_everywhere(Adadelta::new(1.0));
    sweeps_everywhere(Adam::new(0.01));
    sweeps_everywhere(AdamW::new(0.01));
    sweeps_everywhere(AmsGrad::new(0.01));
}

/// Which subnormals a step ends: `(count of steps before, state before, state after)`, gradients 0, nothing decays.
#[test]
fn what_a_sweep_ends() {
    let tiny = 1e-40_f32;
    let adam = Adam { beta1: 0.999_999, beta2: 0.999_999, eps: Epsilon::Outside(1e-30), ..Adam::new(0.0) };
    let step = |t: u32, m: f32, v: f32| {
        let (mut params, mut columns, mut clock) = ([1.0], [[m], [v]], Clock { t, carry: 0.0 });
        let [m, v] = &mut columns;
        adam.step_slices(&mut params, &[0.0], StateMut::new([m, v], &mut clock)).unwrap();
        columns.map(|[x]| x)
    };
    assert_eq!(step(63, tiny, tiny), [0.0, 0.0]);
    assert_eq!(step(63, -tiny, tiny), [0.0, 0.0]);
    assert_eq!(step(62, tiny, tiny), [tiny, tiny]); // not at this step
    assert_eq!(step(63, 1e-30, tiny)[1], tiny); // m may be divided by its root yet
    assert!(step(63, 1e-30, tiny)[0] > 9e-31);
    assert_eq!(step(63, f32::INFINITY, tiny)[1], tiny);
    assert!(step(63, f32::NAN, tiny)[0].is_nan());
    assert_eq!(step(63, f32::NAN, tiny)[1], tiny);
    assert!(step(63, 0.0, 1.0)[1] > 0.99);
    assert_eq!(step(u32::MAX, tiny, tiny), [tiny, tiny]); // the count stands still

    // Without a first moment v is swept beside a stabiliser that does not notice, and kept beside another.
    for (eps, after) in [(1e-8, 0.0), (1e-30, tiny)] {
        let rmsprop = RmsProp { eps: Epsilon::Outside(eps), rho: 0.999_999, ..RmsProp::new(0.0) };
        let (mut params, mut state) = ([1.0], rmsprop.state::<1>());
        (state.columns[0], state.clock.t) = ([tiny], 63);
        rmsprop.step(&mut params, &[0.0], &mut state);
        assert_eq!(state.columns[0], [after]);
    }
}

/// A run that was interrupted sweeps where the uninterrupted one does.
#[test]
fn a_resumed_run_sweeps_at_the_same_steps() {
    let adam = Adam::new(0.01);
    let run = |params: &mut [f32; 3], state: &mut AdamState<3>, until: u32| {
        while state.t() < until {
            let g = if state.t() < 10 { 1.0 } else { 0.0 };
            adam.step(params, &[g, -g, 0.5 * g], state);
        }
    };
    let (mut params, mut state) = ([1.0; 3], adam.state());
    run(&mut params, &mut state, 1300);
    for stop in [640, 1000, 1023, 1024, 1025] {
        let (mut again, mut first) = ([1.0; 3], adam.state());
        run(&mut again, &mut first, stop);
        let mut second = adam.state();
        (second.columns, second.clock) = (first.columns, first.clock);
        run(&mut again, &mut second, 1300);
        assert_eq!((again, second.columns), (params, state.columns));
    }
}
