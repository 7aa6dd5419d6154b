use gradus::ensemble::{CompensatedEma, Ema};
use gradus::norm::BatchNorm;
use gradus::transform::{ClipValue, Decay, ElasticNet, L1, L2, MaxNorm, ProxL1, Scale};
use gradus::{
    AdaGrad, Adam, AdamState, AdamW, Argument, Epsilon, Error, Hyper, Level, Lion, LionState, Momentum,
    Nadam, Optimizer, RmsProp, ScheduleFree, Sgd, StateMut, count_non_finite, l2_norm,
};

/// The norm passed over a NaN beside nothing but zeros or infinities, and gave 0 or infinity.
#[test]
fn norm_of_nan_beside_zero_or_infinity_is_nan() {
    for level in Level::available() {
        assert!(l2_norm(level, &[f32::NAN]).is_nan());
        assert!(l2_norm(level, &[0.0, f32::NAN, 0.0]).is_nan());
        assert!(l2_norm(level, &[f32::INFINITY, f32::NAN]).is_nan());
        assert!(l2_norm(level, &[f64::NAN, f64::NEG_INFINITY]).is_nan());
    }
}

/// A skipped step did not look at the lengths of the state, a step would have.
#[test]
fn step_if_finite_refuses_lengths_before_it_counts() {
    let (mut m, mut v, mut state) = ([0.0; 3], [0.0; 2], AdamState::<3>::new());
    let state = StateMut::new([&mut m, &mut v], &mut state.clock);
    let result = Adam::new(0.1).step_if_finite(&mut [1.0; 3], &[f32::NAN; 3], state);
    assert_eq!(result, Err(Error::Length { what: Argument::State, expected: 3, found: 2 }));
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
        let adam = Adam { eps, beta2: 1.0 - 1.0 / 1_048_576.0, ..Adam::new(0.1) };
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
    MaxNorm { row: 2, limit: 1e-38 }.apply(Level::detect(), &mut params).unwrap();
    assert_eq!(params, [-1e-38, 0.0]);
}

/// PyTorch ignores the dampening of a momentum that has none.
#[test]
fn no_momentum_is_not_damped() {
    let momentum = Momentum { rho: 0.0, dampening: 0.5, ..Momentum::new(0.25) };
    let (mut params, mut state) = ([1.0], momentum.state());
    for _ in 0..3 {
        momentum.step(&mut params, &[0.5], &mut state);
    }
    assert_eq!(params, [1.0 - 3.0 * 0.125]);
}

/// At 0.9999999 the decay in f32 forgets a quarter faster than the one that was written.
#[test]
fn decays_that_f32_cannot_hold_are_refused() {
    let most = 1.0 - 1.0 / 1_048_576.0;
    let half = 1.0 - 1.0 / 2_097_152.0; // half as far from 1
    for (decay, fits) in
        [(0.999_999, true), (most, true), (most + 1e-10, false), (half, false), (0.999_999_9, false)]
    {
        let result = |hyper| if fits { Ok(()) } else { Err(Error::Range(hyper)) };
        assert_eq!(Adam { beta1: decay, ..Adam::new(0.1) }.check(), result(Hyper::Beta1), "{decay}");
        assert_eq!(Adam { beta2: decay, ..Adam::new(0.1) }.check(), result(Hyper::Beta2), "{decay}");
        assert_eq!(Lion { beta2: decay, ..Lion::new(0.1) }.check(), result(Hyper::Beta2), "{decay}");
        assert_eq!(RmsProp { rho: decay, ..RmsProp::new(0.1) }.check(), result(Hyper::Rho), "{decay}");
        assert_eq!(Momentum { rho: decay, ..Momentum::new(0.1) }.check(), result(Hyper::Rho), "{decay}");
        assert_eq!(Ema::new(decay).check(), result(Hyper::Rho), "{decay}");
        let norm = BatchNorm { running_decay: decay, ..BatchNorm::new() };
        assert_eq!(norm.check(), result(Hyper::Rho), "{decay}");
        assert_eq!(CompensatedEma::new(decay).check(), Ok(()), "{decay}");
        if fits {
            let kept = f64::from(1.0 - decay as f32);
            assert!((kept / (1.0 - decay) - 1.0).abs() <= 1.0 / 32.0, "{decay}");
        }
    }
}

/// One finite gradient of 6e20 made the second moment infinite, and Adam stood still for ever.
#[test]
fn a_gradient_whose_square_overflows_is_counted() {
    fn count<O: Optimizer>(optimizer: O, grads: [f32; 4]) -> usize {
        let (mut params, mut state) = ([1.0, 2.0, 3.0, 4.0], optimizer.state::<4>());
        let count = optimizer.step_if_finite(&mut params, &grads, state.as_mut()).unwrap();
        let stepped = count == 0;
        assert_eq!(state.t(), u32::from(stepped));
        assert_eq!(params == [1.0, 2.0, 3.0, 4.0], !stepped, "{params:?}");
        assert!(params.iter().all(|p| p.is_finite()));
        count
    }
    let (most, large) = (1.8e19, [6e20, 1.0, -1e30, 1.0]);
    assert_eq!(count_non_finite(Level::detect(), &large), 0);
    for (optimizer, squares) in gradus::AnyOptimizer::NAMES.iter().map(|name| {
        (
            name.parse::<gradus::AnyOptimizer>().unwrap(),
            !["sgd", "momentum", "nesterov", "adamax", "lion"].contains(name),
        )
    }) {
        let (mut params, mut state) = ([1.0; 4], optimizer.state(4));
        let count = optimizer.step_if_finite(&mut params, &large, state.as_mut()).unwrap();
        assert_eq!(count, if squares { 2 } else { 0 }, "{}", optimizer.name());
    }
    assert_eq!(count(Adam::new(0.1), [most; 4]), 0);
    assert_eq!(count(AdaGrad::new(0.1), [f32::NAN, 2e19, f32::INFINITY, 1.0]), 3);
    // What counts is the gradient that the rule sees.
    assert_eq!(count(Adam::new(0.1).with(Scale(1e-3)), large), 1);
    assert_eq!(count(Adam::new(0.1).with(ClipValue(1.0)), large), 0);
    assert_eq!(count(Adam::new(0.1).with(ClipValue(1.0)), [f32::INFINITY, 1.0, 1.0, 1.0]), 1);
    assert_eq!(count(Sgd::new(1e-30).with(Scale(1e10)), [1e30, 1.0, 1.0, 1.0]), 1);
    assert_eq!(count(Adam::new(0.1).with(L2::new(1e19)), [1.0; 4]), 4);
    // The number that Nadam carries from step to step is not carried further by a step that is skipped.
    let (nadam, grads) = (Nadam::new(0.1), [1.0]);
    let (mut once, mut twice) = (([1.0], nadam.state::<1>()), ([1.0], nadam.state::<1>()));
    for _ in 0..3 {
        assert_eq!(nadam.step_if_finite(&mut twice.0, &[1e20], twice.1.as_mut()), Ok(1));
        assert_eq!(nadam.step_if_finite(&mut twice.0, &grads, twice.1.as_mut()), Ok(0));
        nadam.step(&mut once.0, &grads, &mut once.1);
    }
    assert_eq!(once, twice);
    // Blocks are counted apart, at every level the same.
    let (mut grads, mut params) = (vec![1.0; 40_000], vec![0.0; 40_000]);
    for i in [0, 16_383, 16_384, 39_999] {
        grads[i] = 1e20;
    }
    for level in Level::available() {
        let mut state = Adam::new(0.1).state_vec(40_000);
        let count = Adam::new(0.1).on(level).step_if_finite(&mut params, &grads, state.as_mut());
        assert_eq!(count, Ok(4), "{level}");
    }
}

/// A row with an infinite weight became NaN, and one whose norm is beyond f32 zeros.
#[test]
fn rows_of_infinite_norm_keep_their_direction() {
    let limited = |mut row: [f32; 2], limit| {
        MaxNorm { row: 2, limit }.apply(Level::detect(), &mut row).unwrap();
        row
    };
    assert_eq!(limited([f32::INFINITY, 1.0], 3.0), [3.0, 0.0]);
    assert_eq!(limited([-1.0, f32::NEG_INFINITY], 3.0), [0.0, -3.0]);
    let [a, b] = limited([f32::INFINITY, f32::NEG_INFINITY], 3.0);
    assert!((a - 3.0 / 2.0_f32.sqrt()).abs() < 1e-6 && b == -a);
    let [a, b] = limited([f32::MAX, -f32::MAX / 2.0], 5.0_f32.sqrt());
    assert!((a - 2.0).abs() < 1e-6 && (b + 1.0).abs() < 1e-6, "{a} {b}");
    let [a, b] = limited([f32::MAX, f32::MAX], 1e38);
    assert!(a == b && (a / 1e38 - 0.5_f32.sqrt()).abs() < 1e-6);
    assert_eq!(limited([f32::INFINITY, 1.0], f32::INFINITY), [f32::INFINITY, 1.0]);
    let [a, b] = limited([f32::NAN, f32::INFINITY], 3.0);
    assert!(a.is_nan() && b == f32::INFINITY);
}

/// 0 times an infinite weight is NaN: a penalty or a decay without strength changed what it does not act on.
#[test]
fn no_strength_changes_nothing() {
    fn same<T: gradus::transform::Transform>(nothing: T) {
        for start in [f32::INFINITY, f32::NEG_INFINITY, 1.0, -0.0] {
            for g in [0.0, -0.0, 0.5] {
                let (plain, with) = (Momentum::new(0.5), Momentum::new(0.5).with(nothing));
                let (mut p, mut q) = (([start], plain.state()), ([start], plain.state()));
                plain.step(&mut p.0, &[g], &mut p.1);
                with.step(&mut q.0, &[g], &mut q.1);
                let bits = |(p, s): &([f32; 1], gradus::MomentumState<1>)| {
                    (p[0].to_bits(), s.columns[0][0].to_bits())
                };
                assert_eq!(bits(&p), bits(&q), "{start} {g}");
            }
        }
    }
    fn infinite<O: Optimizer>(rule: O) {
        for start in [f32::INFINITY, f32::NEG_INFINITY] {
            for g in [0.0, -0.0, 0.5] {
                for level in Level::available() {
                    let (mut params, mut state) = ([start; 35], rule.state());
                    for _ in 0..3 {
                        rule.on(level).step(&mut params, &[g; 35], &mut state);
                    }
                    assert_eq!(params, [start; 35], "{start} {g} {level}");
                }
            }
        }
    }
    // Nor does it change a sign: what is left is `p - lr * sign(beta1 * m + (1 - beta1) * g)`.
    for level in Level::available() {
        for p in [0.0, -0.0, 1.0] {
            for (m, g, sign) in
                [(-0.0, -0.0, -0.0), (0.0, -0.0, 0.0), (1.0, 0.0, 1.0), (-0.0, -1.0, -1.0_f32)]
            {
                let (mut params, mut state) = ([p; 35], LionState::new());
                state.columns = [[m; 35]];
                Lion { weight_decay: 0.0, ..Lion::new(0.5) }.on(level).step(
                    &mut params,
                    &[g; 35],
                    &mut state,
                );
                let want: f32 = p - 0.5 * sign;
                assert!(params.iter().all(|x| x.to_bits() == want.to_bits()), "{level}: {p} {m} {g}");
            }
        }
    }
    infinite(Lion { weight_decay: 0.0, ..Lion::new(0.5) });
    infinite(Lion { weight_decay: 0.0, ..Lion::new(0.5) }.half());
    infinite(AdamW { weight_decay: 0.0, ..AdamW::new(0.5) });
    infinite(ScheduleFree { weight_decay: 0.0, ..ScheduleFree::new(0.5) });
    let mut grads = [-0.0_f32];
    L1::new(0.0).add_gradient(Level::SCALAR, &[1.0], &mut grads).unwrap();
    L2::new(0.0).add_gradient(Level::SCALAR, &[1.0], &mut grads).unwrap();
    ElasticNet { lambda: 0.0, beta: 0.5 }.add_gradient(Level::SCALAR, &[1.0], &mut grads).unwrap();
    assert!(grads[0] == 0.0 && grads[0].is_sign_negative());
    same(L1::new(0.0));
    same(L2::new(0.0));
    same(ElasticNet { lambda: 0.0, beta: 0.5 });
    same(ElasticNet { lambda: 0.0, beta: 0.0 });
    same(Decay::new(0.0));
    // A proximal step alone turns -0 into 0: what it leaves between its thresholds is 0 of one sign.
    let sgd = Sgd::new(0.5).with(ProxL1::new(0.0));
    let (mut params, mut state) = ([f32::INFINITY, f32::NEG_INFINITY, 1.0, -1.0], sgd.state());
    sgd.step(&mut params, &[0.0; 4], &mut state);
    assert_eq!(params, [f32::INFINITY, f32::NEG_INFINITY, 1.0, -1.0]);
    // The square alone has no strength: the absolute value still pulls.
    let sgd = Sgd::new(0.5).with(ElasticNet { lambda: 0.5, beta: 0.0 });
    let (mut params, mut state) = ([f32::INFINITY, 1.0], sgd.state());
    sgd.step(&mut params, &[0.0; 2], &mut state);
    assert_eq!(params, [f32::INFINITY, 0.75]);
}

/// Columns were limited to 0 or NaN where their norm is beyond `f32`, rows were not.
#[test]
fn columns_are_limited_as_rows_are() {
    let columns = [
        [3e38, -3e38, 1.0],
        [f32::MAX; 3],
        [f32::INFINITY, 1.0, 0.0],
        [f32::NEG_INFINITY, f32::INFINITY, 3.0],
        [3.0, 4.0, 0.0],
        [0.0; 3],
        [1e-40, 0.0, -1e-40],
    ];
    for limit in [1.0, 1e-30, 1e38, f32::MAX, f32::INFINITY] {
        let (mut rows, mut params) = (columns.concat(), vec![0.0; 21]);
        for (k, x) in rows.iter().enumerate() {
            params[k % 3 * 7 + k / 3] = *x;
        }
        let norm = MaxNorm { row: 3, limit };
        norm.apply(Level::SCALAR, &mut rows).unwrap();
        norm.apply_columns(Level::detect(), &mut params).unwrap();
        for (k, want) in rows.iter().enumerate() {
            let got = params[k % 3 * 7 + k / 3];
            let near = (got - want).abs() <= 4.0 * f32::EPSILON * want.abs();
            assert!(got == *want || near, "limit {limit:e}, column {}: {got:e}, not {want:e}", k / 3);
        }
    }
    let mut nan = [f32::NAN, 1.0, f32::INFINITY, 2.0];
    MaxNorm { row: 2, limit: 0.5 }.apply_columns(Level::detect(), &mut nan).unwrap();
    assert!(nan[0].is_nan() && nan[2] == f32::INFINITY, "{nan:?}");
    assert!((nan[1] - 0.223_606_8).abs() < 1e-6 && (nan[3] - 0.447_213_6).abs() < 1e-6, "{nan:?}");
}
