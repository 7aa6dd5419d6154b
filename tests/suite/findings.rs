//! What fuzzing and comparisons with other libraries found: one test for each bug, kept so that it stays fixed.

use gradus::augment::{Affine, Image, ImageLayout, ImageMut, ImageShape, affine, crop, pad_crop};
use gradus::ensemble::{Average, CompensatedEma, CompensatedEmaState, Ema, EmaState};
use gradus::noise::{Dropout, Masks};
use gradus::schedule::{Constant, Exponential, MultiStep, OneCycle, Schedule, StepDecay};
use gradus::second_order::{LbfgsSettings, LbfgsVec, Report, Stop};
use gradus::transform::{ClipValue, Decay, ElasticNet, L1, L2, MaxNorm, ProxL1, Scale};
use gradus::{
    AdaGrad, Adam, AdamState, Argument, Epsilon, Error, Hyper, Level, Lion, Momentum, Nadam, Optimizer,
    RmsProp, Sgd, StateMut, count_non_finite, l2_norm,
};
use std::ops::ControlFlow;

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

/// The end of a crop that begins near the largest index overflowed: a panic in debug builds.
#[test]
fn crops_beyond_every_index_are_refused() {
    let shape = |side| ImageShape { height: side, width: side, channels: 1, layout: ImageLayout::Hwc };
    let (image, mut part) = ([1_u8; 9], [7; 4]);
    let from = Image::new(&image, shape(3)).unwrap();
    let mut to = ImageMut::new(&mut part, shape(2)).unwrap();
    for corner in [[usize::MAX, 0], [0, usize::MAX - 1]] {
        let refused = Err(Error::Shape);
        assert_eq!(crop(from, corner, &mut to), refused);
        assert_eq!(pad_crop(from, usize::MAX, 0, corner, &mut to), refused);
    }
    assert_eq!(part, [7; 4]);
}

/// Minus infinity, which only shortens a step, was remembered as the lowest value, and reported where the
/// evaluations ended.
#[test]
fn minus_infinity_is_no_lowest_value() {
    for limit in 2..30 {
        let settings = LbfgsSettings { max_evaluations: limit, ..LbfgsSettings::<f64>::new() };
        let mut x = [1.0];
        let report = settings.minimize(&mut x, |x, g| {
            g[0] = 1.0;
            if x[0] < -5.0 { f64::NEG_INFINITY } else { x[0] }
        });
        let report = report.unwrap();
        assert!(report.value.is_finite() && report.value == x[0] && x[0] <= 1.0, "{report:?}");
    }
}

/// A step that only rounding lifts is a good one near a minimum; the first of a run must not end above
/// its start.
#[test]
fn rounding_lifts_no_run_above_its_start() {
    // The value is as large as its steps are invisible; up by one unit, with slopes that please the search.
    let above = 1.0 + f64::EPSILON;
    let mut solver = LbfgsVec::<f64>::new(1).pairs(3);
    solver.start(&[1.0]).unwrap();
    let mut evaluations = 0;
    while let Some((x, g)) = solver.ask() {
        let start = x[0] == 1.0;
        g[0] = if start { 1.0 } else { 0.1 };
        solver.tell(if start { 1.0 } else { above });
        evaluations += 1;
    }
    assert!(evaluations > 1);
    assert_eq!((solver.report().value, solver.x()[0], solver.report().stop), (1.0, 1.0, Stop::LineSearch));
}

/// A parameter stopped at 0 by the penalty takes its part of the descent with it: what was left could be a
/// rise, which then counted as sufficient decrease.
#[test]
fn a_penalty_that_stops_a_parameter_lets_no_value_rise() {
    // Of two million wavy functions, the one on which it happened.
    let [wave, slope, curve, l1] = [
        -0.041_295_052_329_587_19,
        0.831_754_536_283_070_8,
        -0.708_832_037_265_862_7,
        1.717_569_785_972_208_6,
    ];
    let across = -3.650_345_161_585_988_4;
    let along = -2.683_660_445_902_052;
    let objective = |x: &[f64], g: &mut [f64]| {
        let (sin, cos) = (libm::sin(3.0 * x[0] + across * x[1]), libm::cos(3.0 * x[0] + across * x[1]));
        g[0] = 12.0 * wave * cos + 2.0 * along * x[0] + slope + 4.0 * x[0] * x[0] * x[0];
        g[1] = 4.0 * wave * across * cos + 2.0 * curve * x[1] + 4.0 * x[1] * x[1] * x[1];
        let [x2, y2] = [x[0] * x[0], x[1] * x[1]];
        4.0 * wave * sin + along * x2 + slope * x[0] + curve * y2 + x2 * x2 + y2 * y2
    };
    let settings = LbfgsSettings { l1, l1_end: 1, max_evaluations: 40, ..LbfgsSettings::new() };
    let (mut x, mut last) = ([0.397_284_361_765_370_96, -0.903_799_740_416_043_6], f64::INFINITY);
    let falls = |report: &Report<f64>| {
        assert!(report.value <= last, "{report:?} after {last}");
        last = report.value;
        ControlFlow::Continue(())
    };
    LbfgsVec::new(2).pairs(5).settings(settings).on_iteration(falls).minimize(&mut x, objective).unwrap();
}

/// A state without columns, of plain descent, was saved from C and could not be loaded again.
#[cfg(feature = "ffi")]
#[test]
fn a_clock_alone_is_loaded_from_c() {
    use gradus::ffi::*;
    let (mut clock, mut size, mut file) = (gradus::Clock { t: 5, carry: 0.0 }, 0, [0_u8; 100]);
    let clock_at = &raw mut clock;
    let item = gradus_item { kind: GRADUS_ITEM_SGD, n: 3, data: core::ptr::null_mut(), clock: clock_at };
    // SAFETY: all pointers are those of live values, or null where nothing is kept.
    unsafe {
        assert_eq!(gradus_save(&item, 1, file.as_mut_ptr(), file.len(), &mut size), gradus_status::GRADUS_OK);
        (*clock_at).t = 0;
        assert_eq!(gradus_load(&item, 1, file.as_ptr(), size), gradus_status::GRADUS_OK);
    }
    assert_eq!(clock.t, 5);
}

#[test]
fn rounding_takes_no_block_below_the_last() {
    let last = 0.25492468;
    for block in [0, 1, u32::MAX - 2, u32::MAX - 1, u32::MAX] {
        let kept = gradus::noise::StochasticDepth::linear(block, u32::MAX, last);
        assert!(last <= kept && kept <= 1.0, "{block}: {kept}");
    }
}

/// A search gave up where rounding threw the minimum of the cubic out of the interval.
#[test]
fn a_search_bisects_where_it_gave_up() {
    // f = sum w_i (x_i / 1e-10 - 1)^2, from (1, 2, 3) 1e-10 and farther away.
    for scale in [1.0, 10.0, 1e4] {
        let mut x = [1e-10_f32, 2e-10, 3e-10].map(|x| x * scale);
        let settings = LbfgsSettings { tolerance: 0.0, ..LbfgsSettings::new() };
        let report = settings.minimize(&mut x, |x, g| {
            let mut f = 0.0;
            for (i, (x, g)) in x.iter().zip(g).enumerate() {
                let (w, d) = ((i + 1) as f32, x / 1e-10 - 1.0);
                *g = 2.0 * w * d / 1e-10;
                f += w * d * d;
            }
            f
        });
        let report = report.unwrap();
        assert!(report.value < 1e-10, "{scale}: {report:?}");
        assert!(x.iter().all(|x| (x / 1e-10 - 1.0).abs() < 1e-4), "{scale}: {x:?}");
    }
    // Rosenbrock's function times 1e36 and 1e-30.
    for scale in [1e36_f32, 1e30, 1e-30] {
        let mut x = [-1.2_f32, 1.0];
        let settings = LbfgsSettings { tolerance: 1e-3 * scale, ..LbfgsSettings::new() };
        let report = settings.minimize(&mut x, |x, g| {
            let (u, v) = (10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]);
            g[0] = -scale * (40.0 * u * x[0] + 2.0 * v);
            g[1] = scale * (20.0 * u);
            scale * (u * u + v * v)
        });
        let report = report.unwrap();
        // Squares of such gradients are no numbers, so that it knows no curvature: it goes on all the same.
        assert_ne!(report.stop, Stop::LineSearch, "{scale:e}: {report:?} {x:?}");
        assert!(report.value <= 1e-2 * scale && report.iterations > 100, "{scale:e}: {report:?} {x:?}");
    }
}

/// A function that falls for ever took all evaluations.
#[test]
fn a_function_that_falls_for_ever_says_so() {
    for slope in [1.0_f64, 1e-3, 1e10] {
        let mut x = [0.0, 3.0];
        let report = LbfgsSettings::new().minimize(&mut x, |x, g| {
            g.copy_from_slice(&[-slope, 2.0 * (x[1] - 1.0)]);
            (x[1] - 1.0) * (x[1] - 1.0) - slope * x[0]
        });
        let report = report.unwrap();
        assert_eq!(report.stop, Stop::Unbounded, "{report:?}");
        assert!(report.evaluations < 200 && report.value < -1e6 && report.value.is_finite(), "{report:?}");
    }
    let mut x = [0.0_f32];
    let report = LbfgsSettings::new().minimize(&mut x, |x, g| {
        g[0] = -1.0;
        -x[0]
    });
    assert_eq!(report.map(|r| (r.stop, r.iterations)), Ok((Stop::Unbounded, 1)));
    // Between bounds it ends at the bound, and with short moves by a limit.
    let fall = |x: &[f64], g: &mut [f64]| {
        g[0] = -1.0;
        -x[0]
    };
    let mut x = [0.0];
    let report = LbfgsVec::new(1).bounds(&[0.0], &[1e6]).minimize(&mut x, fall).unwrap();
    assert_eq!((report.stop, x), (Stop::Gradient, [1e6]));
    let settings = LbfgsSettings { max_move: 1.0, max_iterations: 50, ..LbfgsSettings::new() };
    assert_eq!(settings.minimize(&mut x, fall).unwrap().stop, Stop::Iterations);
}

/// A first move of length 1 is lost in the rounding of large parameters.
#[test]
fn large_parameters_move_at_all() {
    for far in [1e30_f64, -1e18, 1e12, 3.0] {
        let mut x = [0.5 * far, 0.25 * far];
        let report = LbfgsSettings { tolerance: 1e-6, ..LbfgsSettings::new() }.minimize(&mut x, |x, g| {
            let (u, v) = (x[0] / far - 1.0, x[1] / far + 1.0);
            let sign = far.signum();
            g.copy_from_slice(&[sign * 2.0 * u, sign * 8.0 * v]);
            (u * u + 4.0 * v * v) * far.abs()
        });
        let report = report.unwrap();
        let off = (x[0] / far - 1.0).abs().max((x[1] / far + 1.0).abs());
        assert!(report.iterations > 0 && off < 1e-5, "{far:e}: {report:?} {x:?}");
    }
}

/// Of nearly equal values whose gradient passes the first is taken, and no trial is spent on another.
#[test]
fn no_trial_follows_a_point_that_is_flat_enough() {
    for tolerance in [1e-2, 1e-5, 1e-8] {
        let settings = LbfgsSettings::<f64> { tolerance, ..LbfgsSettings::new() };
        for (name, n) in [("penalty_2", 100), ("wood", 4), ("extended_rosenbrock", 10)] {
            let p = crate::support::lbfgs::problem(name, n);
            let (mut x, mut flat) = (p.start.clone(), Vec::new());
            let report = settings.minimize(&mut x, |x, g| {
                let f = p.eval(x, g);
                if g.iter().all(|g| g.abs() <= tolerance) {
                    flat.push(f);
                }
                f
            });
            let report = report.unwrap();
            if report.stop == Stop::Gradient {
                let lowest = flat.iter().copied().fold(f64::INFINITY, f64::min);
                assert_eq!(report.value, lowest, "{name} {tolerance}: {flat:?}");
            }
        }
    }
}

/// 1 - 0.999 in f32 has an error of 1.3e-5, and the scale had it too.
#[test]
fn a_large_probability_to_drop_scales_by_its_decimal() {
    for drop_prob in [0.999, 0.9999, 0.99, 0.95, 0.9, 0.7, 0.1, 1e-3] {
        let dropout = Dropout::drop_prob(drop_prob);
        assert_eq!(dropout.keep_prob, (1.0 - drop_prob) as f32);
        let (mut x, all) = ([1.0_f32; 32], [!0]);
        dropout.forward(&mut x, &all).unwrap();
        let want = 1.0 / (1.0 - drop_prob);
        assert!((f64::from(x[0]) / want - 1.0).abs() <= 1.2e-7, "{drop_prob}: {} {want}", x[0]);
    }
    assert_eq!(Dropout::drop_prob(1.0).keep_prob, 0.0);
    assert_eq!(Dropout::drop_prob(0.0).keep_prob, 1.0);
}

/// A static generator of seed 0 was written out in .data.
#[test]
fn the_generator_of_seed_0_is_all_zero_bits() {
    static MASKS: Masks = Masks::new(0);
    // SAFETY: a generator is plain words.
    let words = unsafe { core::slice::from_raw_parts((&raw const MASKS).cast::<u32>(), 32) };
    assert_eq!((size_of::<Masks>(), words), (128, &[0; 32][..]));
}

/// The cosine of a quarter turn was -4.4e-8: a bit of what lies outside leaked in.
#[test]
fn quarter_turns_move_pixels_and_nothing_else() {
    let shape = |height, width| ImageShape { height, width, channels: 1, layout: ImageLayout::Hwc };
    for (height, width) in [(12, 12), (5, 7), (1, 9), (64, 33)] {
        let x: Vec<f32> = (0..height * width).map(|k| k as f32).collect();
        let image = Image::new(&x, shape(height, width)).unwrap();
        for quarters in -9_i32..=9 {
            let (h, w) = if quarters % 2 == 0 { (height, width) } else { (width, height) };
            let mut y = vec![7.0; h * w];
            let map = Affine::rotate(90.0 * quarters as f32);
            affine(image, &map, f32::NAN, &mut ImageMut::new(&mut y, shape(h, w)).unwrap()).unwrap();
            for (k, y) in y.iter().enumerate() {
                let (row, column) = (k / w, k % w);
                let (r, c) = match quarters.rem_euclid(4) {
                    0 => (row, column),
                    1 => (column, width - 1 - row),
                    2 => (height - 1 - row, width - 1 - column),
                    _ => (height - 1 - column, row),
                };
                assert_eq!(*y, (r * width + c) as f32, "{height} x {width}, {quarters} quarters");
            }
        }
    }
    let x: Vec<f32> = (0..1_u64 << 20).map(|k| (k * 7919 % 100_003) as f32).collect();
    for degrees in [360.0, -720.0, 3.6e6] {
        let mut y = vec![7.0; 1 << 20];
        let mut to = ImageMut::new(&mut y, shape(1024, 1024)).unwrap();
        affine(Image::new(&x, shape(1024, 1024)).unwrap(), &Affine::rotate(degrees), 0.0, &mut to).unwrap();
        assert!(x == y, "{degrees}");
    }
    // Other angles are near the sine of their decimal, also far from 0.
    for degrees in [30.0, 45.0, 89.9, 135.1, 359.5, -200.25, 1e6 + 0.5, 1e-3_f32] {
        let Affine { m: [cos, minus_sin, ..] } = Affine::rotate(degrees);
        let (sin, want) = f64::from(degrees).to_radians().sin_cos();
        assert!((f64::from(cos) - want).abs() < 1.2e-7, "{degrees}: {cos} {want}");
        assert!((f64::from(-minus_sin) - sin).abs() < 1.2e-7, "{degrees}: {minus_sin} {sin}");
    }
}

/// The fall of a cycle that has no rise began at step 0, not before it, and a cycle that only rises never arrived.
#[test]
fn one_cycle_is_pytorch_s_at_its_ends() {
    let near = |cycle: OneCycle, step, want: f32| {
        assert_eq!(cycle.check(), Ok(()));
        assert!((cycle.at(step) - want).abs() < 5e-6, "{cycle:?} at {step}: {}", cycle.at(step));
    };
    near(OneCycle::new(1.0, 2), 0, 0.811_746);
    near(OneCycle { rise: 0.0, ..OneCycle::new(1.0, 10) }, 3, 0.654_51);
    near(OneCycle { rise: 1.0, ..OneCycle::new(1.0, 10) }, 9, 1.0);
    let no_top = OneCycle { three_phase: true, rise: 0.1, ..OneCycle::new(1.0, 10) };
    assert_eq!(no_top.check(), Err(Error::Range(Hyper::Fraction)));
}

/// Repeated squaring in f32 was off by 1.7e-4 after 20 000 steps, and a growing rate stood still.
#[test]
fn powers_of_gamma_keep_their_digits_and_grow() {
    for step in [1000, 20_000] {
        let (got, want) =
            (f64::from(StepDecay::new(0.1, 0.999, 1).at(step)), 0.1 * 0.999_f64.powi(step as i32));
        assert!((got / want - 1.0).abs() < 1e-7, "{step}: {got:e}, not {want:e}");
    }
    assert_eq!(StepDecay::new(0.1, 1.5, 10).check(), Ok(()));
    let grown = (f64::from(0.1_f32) * 2.25) as f32; // the 0.225 of PyTorch, from the nearest float to 0.1
    assert_eq!(StepDecay::new(0.1, 1.5, 10).at(25), grown);
    assert_eq!(MultiStep::new(0.1, 1.5, [10, 20]).at(25), grown);
}

/// Keras has the old value at a boundary of `PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])`.
#[test]
fn keras_s_boundaries_belong_to_what_is_before_them() {
    let schedule = Constant(0.1).then(11, Constant(0.01)).then(21, Constant(0.001));
    assert_eq!([0, 10, 11, 20, 21].map(|step| schedule.at(step)), [0.1, 0.1, 0.01, 0.01, 0.001]);
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
    for (decay, fits) in [(0.999_999, true), (most, true), (most + 1e-10, false), (0.999_999_9, false)] {
        let result = |hyper| if fits { Ok(()) } else { Err(Error::Range(hyper)) };
        assert_eq!(Adam { beta1: decay, ..Adam::new(0.1) }.check(), result(Hyper::Beta1), "{decay}");
        assert_eq!(Adam { beta2: decay, ..Adam::new(0.1) }.check(), result(Hyper::Beta2), "{decay}");
        assert_eq!(Lion { beta2: decay, ..Lion::new(0.1) }.check(), result(Hyper::Beta2), "{decay}");
        assert_eq!(RmsProp { rho: decay, ..RmsProp::new(0.1) }.check(), result(Hyper::Rho), "{decay}");
        assert_eq!(Momentum { rho: decay, ..Momentum::new(0.1) }.check(), result(Hyper::Rho), "{decay}");
        assert_eq!(Ema::new(decay).check(), result(Hyper::Rho), "{decay}");
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

/// An average of decay 0.99999 in f32 never moved from 1 to 1.001.
#[test]
fn a_slow_average_arrives_where_nothing_is_rounded_away() {
    for decay in [0.9, 0.999, 0.99999, 0.999_999_9] {
        let (ema, mut average, mut want) =
            (CompensatedEma::new(decay), CompensatedEmaState::<3>::new(), 1.0_f64);
        ema.update(&mut average, &[1.0; 3]);
        for step in 1..200_000_u32 {
            let x = if step % 3 == 0 { 1.001_f32 } else { 1.002 };
            ema.update(&mut average, &[x; 3]);
            want += (1.0 - decay) * (f64::from(x) - want);
            if step % 1000 == 1 {
                let error = (f64::from(average.average()[1]) - want).abs();
                assert!(error <= 1e-7, "{decay} at {step}: {error:e}");
            }
        }
        assert_eq!(average.t(), 200_000);
    }
    let (mut still, ema) = (EmaState::<1>::new(), Ema::new(0.99999));
    ema.update(&mut still, &[1.0]);
    for _ in 0..1000 {
        ema.update(&mut still, &[1.001]);
    }
    assert_eq!(still.average(), &[1.0]); // the limit that its documentation names
}

/// JSON has no number for infinity, which stands for no limit: it was written as null and not read again.
#[cfg(feature = "serde")]
#[test]
fn limits_of_infinity_pass_through_json() {
    use gradus::transform::{ClampParams, ClipNorm};
    fn passes<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    }
    for limit in [f32::INFINITY, 0.5] {
        passes(ClipValue(limit));
        passes(ClampParams(limit));
        passes(ClipNorm { max_norm: limit });
        passes(MaxNorm { row: 3, limit });
    }
    assert_eq!(serde_json::to_string(&ClipValue(0.5)).unwrap(), "0.5");
}

/// Sizes whose products are beyond the largest number came round to small ones: a pass went over memory that is not
/// there, or panicked where overflow is checked.
#[test]
fn sizes_beyond_the_largest_number_are_refused() {
    use gradus::layer::{AveragePool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d};
    let high = usize::MAX / 4 + 1; // four times it is 0
    let (x, mut y) = ([0.0_f32; 4], [7.0; 4]);
    for input in [[high + 1, 4, 1], [4, high + 1, 1], [1, 4, high + 1], [high, 4, 1], [usize::MAX, 1, 1]] {
        let (max, average) = (MaxPool2d::new(input, [1, 1]), AveragePool2d::new(input, [1, 1]));
        assert_eq!(
            (max.check(), max.forward(&x, &mut y)),
            (Err(Error::Shape), Err(Error::Shape)),
            "{input:?}"
        );
        assert_eq!(average.forward(&x, &mut y), Err(Error::Shape), "{input:?}");
        assert_eq!(average.backward(&x, &mut y), Err(Error::Shape), "{input:?}");
        let (conv, depthwise) = (Conv2d::new(input, 1, [1, 1]), DepthwiseConv2d::new(input, [1, 1]));
        assert_eq!(conv.forward(&[0.0; 2], &x, &mut y), Err(Error::Shape), "{input:?}");
        assert_eq!(depthwise.forward(&[0.0; 2], &x, &mut y), Err(Error::Shape), "{input:?}");
    }
    let wide = MaxPool2d::new([4, 4, 1], [high * 2 + 1, 1]).padding([high * 2, 0]);
    assert_eq!(wide.check(), Err(Error::Shape));
    assert_eq!(Conv2d::new([5, 1, high], 4, [5, 1]).padding([1, 0]).check(), Err(Error::Shape));
    assert_eq!(Conv2d::new([4, 4, 1], usize::MAX, [3, 3]).check(), Err(Error::Shape));
    for dense in [Dense::new(usize::MAX, 1), Dense::new(2 * high, 2), Dense::new(1, usize::MAX)] {
        assert_eq!(dense.forward::<f32>(&[], &[], &mut []), Err(Error::Shape), "{dense:?}");
    }
    assert_eq!(y, [7.0; 4]);
}

/// Whatever the sizes are, a check says so; that of a window of no places overflowed beside the largest image.
#[test]
fn a_check_of_any_sizes_ends() {
    use gradus::layer::{AveragePool2d, Conv2d, DepthwiseConv2d, MaxPool2d};
    let sizes = [0, 1, 2, 11, usize::MAX / 2, usize::MAX / 2 + 1, usize::MAX - 1, usize::MAX];
    for side in sizes {
        for window in sizes {
            for stride in sizes {
                for padding in sizes {
                    let (input, window) = ([side, 1, 1], [window, 1]);
                    let (stride, padding) = ([stride, 1], [padding, 0]);
                    for check in [
                        MaxPool2d::new(input, window).stride(stride).padding(padding).check(),
                        AveragePool2d::new(input, window).stride(stride).padding(padding).check(),
                        Conv2d::new(input, 1, window).stride(stride).padding(padding).check(),
                        DepthwiseConv2d::new(input, window).stride(stride).padding(padding).check(),
                    ] {
                        let none = side == 0 || window[0] == 0 || stride[0] == 0 || padding[0] >= window[0];
                        assert!(check.is_err() || !none, "{input:?} {window:?} {stride:?} {padding:?}");
                    }
                }
            }
        }
    }
}

/// A stride beyond the image leaves one window; its gradient was 0 where the stride was near the largest number.
#[test]
fn a_stride_beyond_the_image_leaves_one_window() {
    use gradus::layer::{Conv2d, DepthwiseConv2d, MaxPool2d};
    let x: [f32; 9] = core::array::from_fn(|k| k as f32);
    for stride in [4, 5, 100, usize::MAX / 4] {
        for padding in [0, 1] {
            let conv = Conv2d::new([3, 3, 1], 1, [2, 2]).stride([stride; 2]).padding([padding; 2]);
            assert_eq!((conv.check(), conv.output()), (Ok(()), [1; 3]), "{stride}");
            let depthwise = DepthwiseConv2d::new([3, 3, 1], [2, 2]).stride([stride; 2]).padding([padding; 2]);
            let want = if padding == 0 { [1.0, 0.0, 1.0, 3.0, 4.0] } else { [1.0, 0.0, 0.0, 0.0, 0.0] };
            let (mut grads, mut dx) = ([0.0; 5], [7.0; 9]);
            conv.backward(&[1.0; 5], &mut grads, &x, &[1.0], Some(&mut dx)).unwrap();
            assert_eq!(grads, want, "{stride} {padding}");
            assert_eq!(dx.iter().sum::<f32>(), if padding == 0 { 4.0 } else { 1.0 });
            let mut grads = [0.0; 5];
            depthwise.backward(&[1.0; 5], &mut grads, &x, &[1.0], None).unwrap();
            assert_eq!(grads, want, "{stride} {padding}");
        }
        let mut y = [0.0];
        MaxPool2d::new([3, 3, 1], [2, 2]).stride([stride; 2]).forward(&x, &mut y).unwrap();
        assert_eq!(y, [4.0]);
    }
    // One column: the stride itself is the distance. With three it would be beyond the largest number.
    let column = Conv2d::new([3, 1, 1], 1, [2, 1]).stride([usize::MAX - 1, 1]);
    let mut grads = [0.0; 3];
    column.backward(&[1.0; 3], &mut grads, &[2.0, 3.0, 4.0], &[1.0], None).unwrap();
    assert_eq!(grads, [1.0, 2.0, 3.0]);
    assert_eq!(Conv2d::new([3, 3, 1], 1, [2, 2]).stride([usize::MAX - 1, 1]).check(), Err(Error::Shape));
}

/// Windows of padding alone were none: a pass over an image without rows left its result unwritten, and said nothing.
#[test]
fn images_without_numbers_are_refused() {
    use gradus::layer::{AveragePool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d};
    for input in [[0, 1, 1], [1, 0, 1], [0, 0, 1]] {
        let (mut y, window, padding) = ([7.0_f32; 16], [3, 3], [2, 2]);
        let max = MaxPool2d::new(input, window).stride([1, 1]).padding(padding);
        assert_eq!((max.check(), max.forward(&[], &mut y)), (Err(Error::Shape), Err(Error::Shape)));
        let average = AveragePool2d::new(input, window).stride([1, 1]).padding(padding);
        assert_eq!(average.forward(&[], &mut y), Err(Error::Shape));
        assert_eq!(Conv2d::new(input, 1, window).padding(padding).check(), Err(Error::Shape));
        assert_eq!(DepthwiseConv2d::new(input, window).padding(padding).check(), Err(Error::Shape));
        assert_eq!(y, [7.0; 16]);
    }
    // The errors of the dense layer say so too.
    let (mut y, mut grads) = ([7.0; 3], [7.0; 3]);
    assert_eq!(Dense::new(0, 3).forward::<f32>(&[0.5; 3], &[], &mut y), Err(Error::Shape));
    assert_eq!(Dense::new(0, 3).backward(&[0.5; 3], &mut grads, &[], &[1.0; 3], None), Err(Error::Shape));
    assert_eq!(Dense::new(0, 3).backward_input(&[0.5; 3], &[1.0; 3], &mut []), Err(Error::Shape));
    assert_eq!((y, grads), ([7.0; 3], [7.0; 3]));
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
        norm.apply_columns(&mut params).unwrap();
        for (k, want) in rows.iter().enumerate() {
            let got = params[k % 3 * 7 + k / 3];
            let near = (got - want).abs() <= 4.0 * f32::EPSILON * want.abs();
            assert!(got == *want || near, "limit {limit:e}, column {}: {got:e}, not {want:e}", k / 3);
        }
    }
    let mut nan = [f32::NAN, 1.0, f32::INFINITY, 2.0];
    MaxNorm { row: 2, limit: 0.5 }.apply_columns(&mut nan).unwrap();
    assert!(nan[0].is_nan() && nan[2] == f32::INFINITY, "{nan:?}");
    assert!((nan[1] - 0.223_606_8).abs() < 1e-6 && (nan[3] - 0.447_213_6).abs() < 1e-6, "{nan:?}");
}

/// Rows without a score counted as right where their label is 0.
#[test]
fn rows_without_scores_are_none() {
    use gradus::loss::count_right;
    assert_eq!(count_right(&[], &[0_u8, 1]), Err(Error::Shape));
    assert_eq!(count_right::<u8>(&[], &[]), Ok(0));
}

/// Rounding reached the end that is left out.
#[test]
fn uniform_weights_stay_below_their_end() {
    struct Ones;
    impl rand_core::TryRng for Ones {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(u32::MAX)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::MAX)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(0xff);
            Ok(())
        }
    }
    for (low, high) in [(1.0, 2.0), (0.0, 1.0), (-0.5, 0.5), (1e6, 1e6 + 1.0), (-2.0, -1.0), (-3e38, 3e38)] {
        let mut weights = [0.0; 2];
        gradus::init::uniform(&mut Ones, low, high, &mut weights);
        assert!(weights.iter().all(|w| low <= *w && *w < high), "{low:e} {high:e}: {weights:?}");
    }
    let mut weights = [0.0; 2];
    gradus::init::uniform(&mut Ones, 0.25, 0.25, &mut weights);
    assert_eq!(weights, [0.25; 2]);
}

/// Both logarithms over a subnormal alpha are infinite in nearly every attempt, of which it took a million.
#[test]
fn subnormal_alphas_are_refused() {
    use gradus::augment::{CutMix, Mixup};
    for alpha in [f32::from_bits(1), 1e-40, 0.0, f32::NAN, -1.0] {
        assert_eq!(Mixup { alpha }.check(), Err(Error::Range(Hyper::Factor)));
        assert_eq!(CutMix { alpha }.check(), Err(Error::Range(Hyper::Factor)));
    }
    assert_eq!(Mixup { alpha: f32::MIN_POSITIVE }.check(), Ok(()));
}

/// A file that changed before it was read again asked for four thousand million members, 24 bytes of heap for each.
#[test]
fn a_file_that_changes_takes_no_more_memory_than_it_has() {
    use gradus::ensemble::EnsembleVec;
    use gradus::store::{self, StreamError};
    let mut models = EnsembleVec::new();
    models.push(&[1.0, 2.0]).unwrap();
    let file = store::to_vec(&models).unwrap();
    // The header has 16 bytes, the name too: the number of members, and then that of parameters.
    for (columns, length) in [(1000_u32, 2_u64), (1000, 0), (1000, 1), (2, u64::MAX)] {
        let (mut loaded, mut reads) = (EnsembleVec::new(), 0);
        let result = store::load_from(&mut loaded, file.len() as u64, |at, piece| {
            let mut file = file.clone();
            if reads > 0 {
                file[32..36].copy_from_slice(&columns.to_le_bytes());
                file[36..44].copy_from_slice(&length.to_le_bytes());
            }
            reads += 1;
            piece.copy_from_slice(&file[at as usize..][..piece.len()]);
            Ok::<_, ()>(())
        });
        assert_eq!(result, Err(StreamError::Torn), "{columns} {length}");
        assert!(loaded.members().len() <= 2, "{columns} {length}: {}", loaded.members().len());
        assert!(loaded.members().iter().all(|member| member.len() as u64 == length));
    }
}

/// A power beyond the range of `f32` times a rate at the other end of it: both once, or ever, lost the rate.
#[test]
fn an_exponential_rate_keeps_its_digits_where_its_power_has_none() {
    for (lr, k, steps) in
        [(1e-45_f32, -122.703_125_f32, 1), (3e38, 0.5, 200), (1e3, 0.125, 700), (1e-38, -1.0, 120)]
    {
        let got = Exponential { lr, k }.at(steps);
        let want = f64::from(lr) * (-f64::from(k) * f64::from(steps)).exp();
        assert!((f64::from(got) / want - 1.0).abs() < 1e-6, "{lr:e} {k} {steps}: {got:e}, not {want:e}");
    }
}

/// A run of no parameters was one without bounds where C gave it two of no numbers: its file was another than Rust's. And
/// bounds beside a penalty were refused by that of `config`, where a run that goes on, or comes from a file, has its own.
#[cfg(feature = "ffi")]
#[test]
fn bounds_from_c_belong_to_the_run() {
    use gradus::ffi::gradus_status::{GRADUS_ERROR_BOUNDS, GRADUS_OK};
    use gradus::ffi::*;
    use gradus::second_order::Given;

    let new = LbfgsSettings::<f64>::new();
    let free = gradus_lbfgs {
        version: GRADUS_STRUCTS,
        pairs: 1,
        max_iterations: new.max_iterations,
        max_evaluations: new.max_evaluations,
        max_trials: new.max_trials,
        line_search: GRADUS_LINE_SEARCH_MORE_THUENTE,
        tolerance: new.tolerance,
        decrease: new.decrease,
        sufficient_decrease: new.sufficient_decrease,
        curvature: new.curvature,
        width_tolerance: new.width_tolerance,
        step_min: new.step_min,
        step_max: new.step_max,
        max_move: 0.0,
        l1: 0.0,
        l1_start: 0,
        l1_end: 0,
    };
    let penalised = gradus_lbfgs { l1: 1.0, ..free };
    let (low, high) = ([-1.0_f32; 1], [1.0_f32; 1]);
    let step =
        |config: &gradus_lbfgs, n, memory: &mut ([f32; 1], [f32; 1], [f32; 10]), bounds, state: &mut _| {
            let none = std::ptr::null();
            let (lower, upper) = if bounds { (low.as_ptr(), high.as_ptr()) } else { (none, none) };
            let (x, g, work) = (memory.0.as_mut_ptr(), memory.1.as_mut_ptr(), memory.2.as_mut_ptr());
            // SAFETY: one parameter at most, and (2 * pairs + 3) * n + (pairs + 4) * pairs numbers of work.
            unsafe { gradus_lbfgs_step(config, n, x, 2.0, g, none, lower, upper, work, state) }
        };

    for n in 0..=1 {
        // What a run has begun with decides.
        let (mut memory, mut state) = (([0.5], [1.0], [0.0; 10]), gradus_lbfgs_state::default());
        assert_eq!(step(&penalised, n, &mut memory, true, &mut state), GRADUS_ERROR_BOUNDS);
        assert_eq!((memory, state.number), (([0.5], [1.0], [0.0; 10]), 0));
        assert_eq!(step(&penalised, n, &mut memory, false, &mut state), GRADUS_OK);
        assert_eq!(step(&free, n, &mut memory, true, &mut state), GRADUS_ERROR_BOUNDS);
        state = gradus_lbfgs_state::default();
        assert_eq!(step(&free, n, &mut memory, true, &mut state), GRADUS_OK);
        assert_eq!(step(&penalised, n, &mut memory, true, &mut state), GRADUS_OK);

        // One evaluation, and the file of it.
        let (mut x, g) = ([0.5_f32], [1.0_f32]);
        let mut solver = LbfgsVec::<f32>::new(n).pairs(1);
        solver.start(&x[..n]).unwrap();
        solver.ask().unwrap().1.copy_from_slice(&g[..n]);
        solver.tell_with(2.0, &Given::new().bounds(&low[..n], &high[..n])).unwrap();
        let want = gradus::store::to_vec(&solver).unwrap();
        let (mut memory, mut state) = ((x, g, [0.0; 10]), gradus_lbfgs_state::default());
        assert_eq!(step(&free, n, &mut memory, true, &mut state), GRADUS_OK);
        let (mut file, mut size) = (vec![0; want.len()], 0);
        let (at, grads, work) = (memory.0.as_mut_ptr(), memory.1.as_mut_ptr(), memory.2.as_mut_ptr());
        let (to, room) = (file.as_mut_ptr(), file.len());
        // SAFETY: as above.
        let saved = unsafe { gradus_lbfgs_save(&free, n, at, grads, work, &state, to, room, &mut size) };
        assert_eq!((saved, size), (GRADUS_OK, want.len()));
        assert!(file == want, "C's file is not Rust's, {n}");
        x = memory.0;
        assert_eq!(&x[..n], solver.x());
    }
}
