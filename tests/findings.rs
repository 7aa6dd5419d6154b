//! What fuzzing found: one test for each bug, kept so that it stays fixed.

use gradus::transform::{ElasticNet, L2, limit_row_norms};
use gradus::{Adam, AdamState, Epsilon, Error, Hyper, Level, Optimizer, StateMut, norm};

/// The norm passed over a NaN beside nothing but zeros or infinities, and gave 0 or infinity.
#[test]
fn norm_of_nan_beside_zero_or_infinity_is_nan() {
    for level in Level::available() {
        assert!(norm(level, &[f32::NAN]).is_nan());
        assert!(norm(level, &[0.0, f32::NAN, 0.0]).is_nan());
        assert!(norm(level, &[f32::INFINITY, f32::NAN]).is_nan());
        assert!(norm(level, &[f64::NAN, f64::NEG_INFINITY]).is_nan());
    }
}

/// A skipped step did not look at the lengths of the state, a step would have.
#[test]
fn step_if_finite_refuses_lengths_before_it_counts() {
    let (mut m, mut v, mut state) = ([0.0; 3], [0.0; 2], AdamState::<3>::new());
    let state = StateMut::new([&mut m, &mut v], &mut state.clock);
    let result = Adam::new(0.1).step_if_finite(&mut [1.0; 3], &[f32::NAN; 3], state);
    assert_eq!(result, Err(Error::Length { expected: 3, found: 2 }));
}

/// The slope `2 * lambda` was infinite for a finite lambda, and infinity times a weight of 0 is NaN.
#[test]
fn penalties_whose_double_overflows_are_refused() {
    let refused = Err(Error::Range(Hyper::Lambda));
    let adam = Adam::new(0.1);
    assert_eq!(adam.with(L2::new(f32::MAX)).check(), refused);
    assert_eq!(adam.with(ElasticNet { lambda: 1.0, beta: f32::MAX }).check(), refused);
    assert_eq!(adam.with(L2::new(f32::MAX / 2.0)).check(), Ok(()));
}

/// A stabiliser of 5.7e-44 was accepted, became 0 times the bias correction, and 0 / 0 a parameter.
#[test]
fn no_accepted_stabiliser_vanishes() {
    let eps = |eps| Adam { eps, ..Adam::new(0.1) };
    let least = f32::MIN_POSITIVE / f32::EPSILON;
    for below in [0.0, f32::from_bits(1), f32::MIN_POSITIVE, least * 0.999] {
        let refused = Err(Error::Range(Hyper::Epsilon));
        assert_eq!(eps(Epsilon::Outside(below)).check(), refused, "{below:e}");
        assert_eq!(eps(Epsilon::Hat(below)).check(), refused, "{below:e}");
        assert_eq!(eps(Epsilon::Root { inside: below, outside: below }).check(), refused, "{below:e}");
    }
    for eps in [
        Epsilon::Outside(least),
        Epsilon::Hat(least),
        Epsilon::Root { inside: least, outside: 0.0 },
        Epsilon::Root { inside: 0.0, outside: least },
    ] {
        let adam = Adam { eps, beta2: 0.999_999_94, ..Adam::new(0.1) };
        assert_eq!(adam.check(), Ok(()), "{eps:?}");
        let (mut params, mut state) = ([0.5], AdamState::new());
        adam.step(&mut params, &[0.0], &mut state);
        assert_eq!(params, [0.5], "{eps:?}");
    }
}

/// `limit / norm` underflowed to 0 where the scaled row does not.
#[test]
fn rows_are_limited_to_tiny_norms_too() {
    let mut params = [-6.5e7, 0.0];
    limit_row_norms(&mut params, 2, 1e-38).unwrap();
    assert_eq!(params, [-1e-38, 0.0]);
}
