use gradus::second_order::{
    Given, Lbfgs, LbfgsSettings, LbfgsVec, LineSearch, Newton, NewtonSettings, Report, Stop,
};
use std::ops::ControlFlow;

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

/// A parameter stopped at 0 has come all of its way: whether it was on its way to 0 was asked of a product, which was 0
/// where the parameter was small.
#[test]
fn a_small_parameter_arrives_at_zero() {
    for line_search in [LineSearch::MoreThuente, LineSearch::Backtracking] {
        for side in [1.0_f32, -1.0] {
            let settings = LbfgsSettings { line_search, ..LbfgsSettings::new() }.l1(0.5, ..);
            let (mut x, mut zeros) = ([1e-30 * side], 0);
            // side x + x^2 / 2: with the penalty the minimum lies on the other side of 0.
            let report = settings.minimize(&mut x, |x, g| {
                zeros += u32::from(x[0] == 0.0);
                g[0] = side + x[0];
                side * x[0] + 0.5 * x[0] * x[0]
            });
            assert_eq!(report.map(|r| r.stop), Ok(Stop::Gradient));
            assert!((x[0] + 0.5 * side).abs() < 1e-5 && zeros == 1, "{line_search:?} {x:?} {zeros}");
        }
    }
}

/// A parameter that was NaN at the start became its lower bound, even minus infinity.
#[test]
fn between_bounds_a_start_of_nan_is_said_so() {
    let squares = |x: &[f64], g: &mut [f64]| {
        g.iter_mut().zip(x).for_each(|(g, x)| *g = 2.0 * x);
        x.iter().map(|x| x * x).sum::<f64>()
    };
    let (lower, upper) = ([f64::NEG_INFINITY, 0.0, -1.0], [1.0, 1.0, f64::INFINITY]);
    let given = Given::new().bounds(&lower, &upper);
    for nan in 0..3 {
        // Another parameter lies outside, and is moved all the same.
        let mut start = [3.0, 3.0, -3.0];
        start[nan] = f64::NAN;
        let check = |report: Report<f64>, x: &[f64]| {
            assert_eq!((report.stop, report.evaluations), (Stop::NonFinite, report.evaluations.min(2)));
            for (i, (x, want)) in x.iter().zip([1.0, 1.0, -1.0]).enumerate() {
                assert!(if i == nan { x.is_nan() } else { *x == want }, "{nan}: {x} {i}");
            }
        };
        let mut x = start;
        let report = LbfgsVec::new(3).bounds(&lower, &upper).minimize(&mut x, squares).unwrap();
        check(report, &x);
        let mut solver = LbfgsVec::new(3);
        solver.start(&start).unwrap();
        while let Some((x, g)) = solver.ask() {
            let f = squares(x, g);
            solver.tell_with(f, &given).unwrap();
        }
        check(solver.report(), solver.x());
        let mut fixed = Lbfgs::<3, 2, f64>::new();
        fixed.start(&LbfgsSettings::new(), &start).unwrap();
        while let Some((x, g)) = fixed.ask() {
            let f = squares(x, g);
            fixed.tell_with(f, &given).unwrap();
        }
        check(fixed.report(), fixed.x());
    }
}

/// The first move was infinite where large parameters have a small gradient, and the run ended with it.
#[test]
fn large_parameters_with_a_small_gradient_move_at_all() {
    let settings = LbfgsSettings::<f32> { tolerance: 0.0, ..LbfgsSettings::new() };
    for (l1, bounds) in [(0.0, false), (1e-18, false), (0.0, true)] {
        let mut solver = LbfgsVec::new(1).settings(settings.l1(l1, ..));
        solver.start(&[1e26]).unwrap();
        let mut asked = Vec::new();
        for _ in 0..2 {
            let (x, g) = solver.ask().expect("a second point");
            asked.push(x[0]);
            g[0] = 1e-17;
            let f = x[0] * 1e-17;
            let given = Given::new();
            let given = if bounds { given.bounds(&[-1e30], &[1e30]) } else { given };
            solver.tell_with(f, &given).unwrap();
        }
        assert!(asked[1] < asked[0] && asked[1].is_finite(), "{asked:?}");
    }
}

/// The floor of the damping was 0 where the Hessian was so small that a part of it is no number.
#[test]
fn a_small_hessian_is_damped() {
    for h in [1e-38_f32, 1e-37, 1e-36, 1e-30] {
        let settings = NewtonSettings { tolerance: 0.0, ..NewtonSettings::new() };
        let mut solver = Newton::<2>::new();
        solver.start(&settings, &[1.0, 2.0]).unwrap();
        let (&[x, y], to, hessian) = solver.ask().unwrap();
        (*to, *hessian) = ([h * y, h * x], [[0.0, h], [h, 0.0]]);
        solver.tell(h * x * y);
        let (&[x, y], ..) = solver.ask().expect("a second point");
        assert!(x * y < 2.0 && x.is_finite() && y.is_finite(), "{h:e}: {x} {y}");
    }
}

/// The damping of an earlier run was that of the next until its first evaluation, and in its file.
#[test]
fn a_new_run_has_no_damping_of_an_earlier_one() {
    let mut solver = Newton::<1, f64>::new();
    let settings = NewtonSettings { damping: 2.0, ..NewtonSettings::new() };
    solver.start(&settings, &[3.0]).unwrap();
    let (_, g, h) = solver.ask().unwrap();
    (*g, *h) = ([1.0], [[-1.0]]);
    solver.tell(1.0);
    assert!(solver.damping() > 0.0);
    solver.start(&settings, &[3.0]).unwrap();
    assert_eq!((solver.damping(), solver.report().evaluations), (0.0, 0));
}

/// A run of no parameters was one without bounds where C gave it two of no numbers: its file was another than Rust's. And
/// bounds beside a penalty were refused by that of `config`, where a run that goes on, or comes from a file, has its own.
#[cfg(feature = "ffi")]
#[test]
fn bounds_from_c_belong_to_the_run() {
    use gradus::ffi::gradus_status::{GRADUS_ERROR_BOUNDS, GRADUS_OK};
    use gradus::ffi::*;

    let free = crate::support::c_lbfgs::settings(1);
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
