//! L-BFGS at its limits and edges: bad gradients, values that are not numbers, plateaus, tiny sizes.

use crate::support::lbfgs::{minimize, problem, quadratic, rosenbrock};
use gradus::second_order::{Lbfgs, LbfgsSettings, LbfgsVec, LineSearch, Report, Stop};
use std::ops::ControlFlow::{Break, Continue};

#[test]
fn the_limits_are_exact() {
    let p = problem("extended_rosenbrock", 10);
    for limit in 1..40 {
        let mut calls = 0;
        let mut x = p.start.clone();
        let mut lowest = f64::INFINITY;
        let settings = LbfgsSettings { max_evaluations: limit, ..LbfgsSettings::new() };
        let r = settings
            .minimize(&mut x, |x, g| {
                calls += 1;
                let f = p.eval(x, g);
                lowest = lowest.min(f);
                f
            })
            .unwrap();
        assert_eq!((r.stop, r.evaluations, calls), (Stop::Evaluations, limit, limit));
        assert_eq!(r.value, lowest, "the best point is restored");
        assert_eq!(p.eval(&x, &mut [0.0; 10]), lowest, "limit {limit}");
        let mut solver = LbfgsVec::new(10);
        solver.start(&p.start).unwrap();
        for _ in 0..limit {
            let (x, g) = solver.ask().unwrap();
            let f = p.eval(x, g);
            solver.tell(f);
        }
        solver.stop();
        let same = (&x[..], Report { stop: Stop::Callback, ..r });
        assert_eq!((solver.x(), solver.report()), same, "stopped by hand");

        let (x, r) = minimize(&LbfgsSettings { max_iterations: limit.min(20), ..LbfgsSettings::new() }, &p);
        assert_eq!((r.stop, r.iterations), (Stop::Iterations, limit.min(20)));
        assert_eq!(p.eval(&x, &mut [0.0; 10]), r.value);
    }
}

#[test]
fn the_callback_ends_the_run() {
    let mut x = [-1.2, 1.0];
    let mut seen = Vec::new();
    let r = LbfgsVec::new(2)
        .pairs(5)
        .on_iteration(|r| {
            seen.push(r.iterations);
            if r.iterations == 7 { Break(()) } else { Continue(()) }
        })
        .minimize(&mut x, rosenbrock)
        .unwrap();
    assert_eq!((r.stop, r.iterations), (Stop::Callback, 7));
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(rosenbrock(&x, &mut [0.0; 2]), r.value);
}

#[test]
fn a_relative_decrease_ends_the_run() {
    let settings = LbfgsSettings { decrease: 1e-3, tolerance: 0.0, ..LbfgsSettings::new() };
    // The least value is 0, and the unit of the decrease 1 there; or both are 1000.
    for least in [0.0, 1e3] {
        let mut values = Vec::new();
        let mut x = [5.0; 6];
        let r = LbfgsVec::new(6)
            .pairs(5)
            .settings(settings)
            .on_iteration(|r| {
                values.push(r.value);
                Continue(())
            })
            .minimize(&mut x, |x, g| least + quadratic(x, g))
            .unwrap();
        assert_eq!(r.stop, Stop::Decrease);
        let falls: Vec<bool> =
            values.windows(2).map(|v| v[0] - v[1] <= 1e-3 * v[0].abs().max(v[1].abs()).max(1.0)).collect();
        assert_eq!(falls.iter().position(|&small| small), Some(falls.len() - 1), "{least}");
    }
}

#[test]
fn nothing_is_known_before_the_first_value() {
    let unknown = Report { value: f64::INFINITY, gradient: f64::INFINITY, ..Report::default() };
    let mut solver = LbfgsVec::<f64>::new(2);
    solver.start(&[1.0; 2]).unwrap();
    assert_eq!(solver.report(), unknown);
    solver.stop();
    assert_eq!((solver.report(), solver.x()), (Report { stop: Stop::Callback, ..unknown }, &[1.0; 2][..]));
}

#[test]
fn the_start_may_be_the_minimum() {
    let mut x = [1.0; 4];
    let r = LbfgsSettings::new().minimize(&mut x, quadratic).unwrap();
    assert_eq!((r.stop, r.iterations, r.evaluations), (Stop::Gradient, 0, 1));
    assert_eq!((x, r.value, r.gradient), ([1.0; 4], 0.0, 0.0));
    // Nothing to minimise over.
    let r = LbfgsSettings::<f64>::new().minimize(&mut [], |_, _| 3.0).unwrap();
    assert_eq!((r.stop, r.value), (Stop::Gradient, 3.0));
}

#[test]
fn a_gradient_of_the_wrong_sign_leaves_the_start() {
    for line_search in [LineSearch::MoreThuente, LineSearch::Backtracking] {
        let mut x = [3.0, -2.0];
        let settings = LbfgsSettings { line_search, ..LbfgsSettings::new() };
        let r = settings
            .minimize(&mut x, |x, g| {
                let f = quadratic(x, g);
                g.iter_mut().for_each(|g| *g = -*g);
                f
            })
            .unwrap();
        assert_eq!((r.stop, r.iterations, x), (Stop::LineSearch, 0, [3.0, -2.0]));
        assert!(r.evaluations <= 1 + settings.max_trials);
    }
}

#[test]
fn a_gradient_that_turns_wrong_keeps_the_best_point() {
    let mut calls = 0;
    let mut x = [-1.2, 1.0];
    let mut lowest = f64::INFINITY;
    let r = LbfgsSettings::new()
        .minimize(&mut x, |x, g| {
            calls += 1;
            let f = rosenbrock(x, g);
            lowest = lowest.min(f);
            if calls > 10 {
                g.iter_mut().for_each(|g| *g = -*g);
            }
            f
        })
        .unwrap();
    assert_eq!(r.stop, Stop::LineSearch);
    assert_eq!(r.value, lowest);
    assert_eq!(rosenbrock(&x, &mut [0.0; 2]), lowest);
}

#[test]
fn one_parameter_and_one_pair_are_enough() {
    let mut x = [10.0_f64];
    let r = LbfgsVec::new(1)
        .pairs(1)
        .minimize(&mut x, |x, g| {
            g[0] = 4.0 * (x[0] - 2.0).powi(3);
            (x[0] - 2.0).powi(4)
        })
        .unwrap();
    assert_eq!(r.stop, Stop::Gradient);
    assert!((x[0] - 2.0).abs() < 0.02);
    for m in [1, 2, 3, 50] {
        let mut x = [-1.2, 1.0];
        let r = LbfgsVec::new(2).pairs(m).minimize(&mut x, rosenbrock).unwrap();
        assert_eq!(r.stop, Stop::Gradient, "m = {m}");
        assert!((x[0] - 1.0_f64).abs() < 1e-4 && (x[1] - 1.0).abs() < 1e-4);
    }
}

#[test]
fn a_plateau_at_infinity_is_no_solution() {
    let p = problem("jennrich_sampson", 2);
    let mut seed = 1_u64;
    for _ in 0..200 {
        let mut x = p.start.clone();
        for x in &mut x {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *x += ((seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0) * 0.4;
        }
        let start = x.clone();
        let r = LbfgsSettings::new().minimize(&mut x, |x, g| p.eval(x, g)).unwrap();
        assert!(p.solved(r.value, r.gradient) && (r.value - 124.362).abs() < 1e-3, "{start:?}: {r:?}");
    }
}

#[test]
fn values_that_are_not_numbers_shorten_the_step() {
    // Defined for x > 0 only; the curvature at the start promises a step far beyond.
    for line_search in [LineSearch::MoreThuente, LineSearch::Backtracking] {
        for outside in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut refused = 0;
            let mut x = [1000.0, 800.0];
            let settings = LbfgsSettings { line_search, tolerance: 1e-8, ..LbfgsSettings::new() };
            let r = settings
                .minimize(&mut x, |x, g| {
                    if x.iter().any(|&x| x <= 0.0) {
                        refused += 1;
                        g.fill(f64::NAN);
                        return outside;
                    }
                    let mut f = 0.0;
                    for (x, g) in x.iter().zip(g) {
                        f += 0.01 * x - x.ln();
                        *g = 0.01 - 1.0 / x;
                    }
                    f
                })
                .unwrap();
            assert_eq!(r.stop, Stop::Gradient, "{line_search:?} {outside}");
            assert!(refused > 0);
            assert!(x.iter().all(|x| (x - 100.0).abs() < 0.01), "{x:?}");
        }
    }
}

#[test]
fn a_start_that_is_not_a_number_is_said_so() {
    for (f, g) in [(f64::NAN, 1.0), (f64::INFINITY, 1.0), (1.0, f64::NAN), (1.0, f64::INFINITY)] {
        let mut x = [1.0, 2.0];
        let r = LbfgsSettings::new()
            .minimize(&mut x, |_, gradient| {
                gradient.copy_from_slice(&[0.5, g]);
                f
            })
            .unwrap();
        assert_eq!((r.stop, r.evaluations, x), (Stop::NonFinite, 1, [1.0, 2.0]));
        assert_eq!(
            (r.value.to_bits(), r.gradient),
            (f.to_bits(), if g == 1.0 { 1.0 } else { f64::INFINITY })
        );
    }
}

#[test]
fn a_gradient_with_one_nan_shortens_the_step() {
    let mut x = [5.0, 5.0];
    let mut calls = 0;
    let r = LbfgsSettings::new()
        .minimize(&mut x, |x, g| {
            calls += 1;
            let f = quadratic(x, g);
            if calls == 3 {
                g[1] = f64::NAN;
            }
            f
        })
        .unwrap();
    assert_eq!(r.stop, Stop::Gradient);
}

#[test]
fn pairs_without_positive_curvature_are_left_out() {
    // Concave between the hills: with Armijo's rule alone most early steps have y's < 0.
    let wavy = |x: &[f64], g: &mut [f64]| {
        let mut f = 0.0;
        for (x, g) in x.iter().zip(g) {
            f += x.cos() + 0.01 * x * x;
            *g = -x.sin() + 0.02 * x;
        }
        f
    };
    for line_search in [LineSearch::MoreThuente, LineSearch::Backtracking] {
        for m in [1, 2, 5] {
            let mut x = [0.1, -0.2, 0.05, 0.3];
            let settings = LbfgsSettings { line_search, ..LbfgsSettings::new() };
            let r = LbfgsVec::new(4).pairs(m).settings(settings).minimize(&mut x, wavy).unwrap();
            assert_eq!(r.stop, Stop::Gradient);
            for x in x {
                assert!(-x.cos() + 0.02 > 0.0, "a minimum, not a maximum: {x}");
            }
        }
    }
    // A linear function has y = 0: with short moves it descends until a limit stops it, without NaN.
    let settings = LbfgsSettings { max_iterations: 10, max_move: 3.0, ..LbfgsSettings::new() };
    let mut x = [0.0_f64, 0.0];
    let r = settings
        .minimize(&mut x, |x, g| {
            g.copy_from_slice(&[1.0, -2.0]);
            x[0] - 2.0 * x[1]
        })
        .unwrap();
    assert_eq!(r.stop, Stop::Iterations);
    assert!(r.value < -10.0 && x.iter().all(|x| x.is_finite()));
}

#[test]
fn no_parameter_moves_further_than_the_box() {
    let settings = LbfgsSettings { max_move: 0.25, ..LbfgsSettings::new() };
    let mut x = [9.0_f64, -7.0, 3.0, 0.0];
    let mut solver = LbfgsVec::new(4).pairs(5).settings(settings);
    solver.start(&x).unwrap();
    let mut iterations = 0;
    while let Some((at, g)) = solver.ask() {
        for (a, b) in at.iter().zip(&x) {
            assert!((a - b).abs() <= 0.25 * (1.0 + 1e-12), "{at:?} {x:?}");
        }
        let (at, f) = (at.to_vec(), quadratic(at, g));
        solver.tell(f);
        if solver.report().iterations > iterations {
            iterations = solver.report().iterations;
            x.copy_from_slice(&at);
        }
    }
    assert_eq!(solver.report().stop, Stop::Gradient);
    assert!(iterations > 30);
}

#[test]
fn backtracking_solves_the_easy_ones() {
    let settings = LbfgsSettings { line_search: LineSearch::Backtracking, ..LbfgsSettings::new() };
    for (name, n) in
        [("extended_rosenbrock", 100), ("broyden_banded", 100), ("softmax_wine", 42), ("wood", 4)]
    {
        let p = problem(name, n);
        let (_, r) = minimize(&settings, &p);
        assert_eq!(r.stop, Stop::Gradient, "{name}");
    }
}

#[test]
fn single_precision_solves_them_too() {
    for n in [2, 10, 1000] {
        let mut x: Vec<f32> = (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
        let settings = LbfgsSettings::<f32> { tolerance: 1e-3, ..LbfgsSettings::new() };
        let r = settings.minimize(&mut x, rosenbrock).unwrap();
        assert_eq!(r.stop, Stop::Gradient, "n = {n}: {r:?}");
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-2));
    }
}

#[test]
fn a_steep_start_does_not_overflow_single_precision() {
    let mut x = [3.0_f32, -4.0];
    let r = LbfgsSettings::<f32> { tolerance: 1e22, ..LbfgsSettings::new() }
        .minimize(&mut x, |x, g| {
            let mut f = 0.0;
            for (x, g) in x.iter().zip(g) {
                f += 1e25 * x * x;
                *g = 2e25 * x;
            }
            f
        })
        .unwrap();
    assert_eq!(r.stop, Stop::Gradient, "{r:?}");
}

#[test]
fn a_power_of_two_changes_no_point_in_the_range_of_single_precision() {
    // Ellipsoids, not spheres: without pairs the way is long.
    let run = |power: i32| {
        let scale = f32::powi(2.0, power);
        let mut points = Vec::new();
        let mut x = [3.0_f32, -4.0, 2.0, 5.0];
        let settings = LbfgsSettings { tolerance: 1e-3 * scale, max_iterations: 300, ..LbfgsSettings::new() };
        let r = settings.minimize(&mut x, |x, g| {
            points.extend(x.iter().map(|x| x.to_bits()));
            let mut f = 0.0;
            for (i, (x, g)) in x.iter().zip(g).enumerate() {
                let a = scale * [1.0, 7.0, 50.0, 400.0][i];
                *g = a * (x - 1.0);
                f += 0.5 * a * (x - 1.0) * (x - 1.0);
            }
            f
        });
        (points, r.unwrap())
    };
    let (points, plain) = run(0);
    assert!(plain.stop == Stop::Gradient && plain.iterations < 30, "{plain:?}");
    // The largest gradient is 1600 times the scale, the smallest 1/1000.
    for power in -45..=45 {
        assert!(run(power).0 == points, "2^{power}");
    }
    // Beyond the range pairs are refused: it still descends, and is honest about where it ends.
    for power in [60, 70, 80, 100, -60, -70, -80, -100] {
        let (points, r) = run(power);
        assert!(points.iter().all(|x| f32::from_bits(*x).is_finite()), "2^{power}");
        assert!(r.value.is_finite() && r.value < 1e3 * f32::powi(2.0, power), "2^{power} {r:?}");
        assert!(r.stop != Stop::Gradient || r.gradient <= 1e-3 * f32::powi(2.0, power), "2^{power} {r:?}");
    }
}

#[test]
fn a_hole_in_the_objective_is_not_asked_for_twice() {
    // f = -ln(x) + x / 100 with a gap: the long steps from the left fall into it.
    for (from, to) in [(2.0, f64::INFINITY), (30.0, 60.0), (1.5, 90.0), (101.0, f64::INFINITY)] {
        let (mut iteration, mut refused) = (0, Vec::new());
        let settings = LbfgsSettings { max_iterations: 12, ..LbfgsSettings::new() };
        let mut solver = LbfgsVec::<f64>::new(1).pairs(5).settings(settings);
        solver.start(&[0.5]).unwrap();
        let inside = |x: f64| x <= 0.0 || (x > from && x < to);
        while let Some((x, g)) = solver.ask() {
            let (x, g) = (x[0], &mut g[0]);
            let mut f = 0.01 * x - x.ln();
            *g = 0.01 - 1.0 / x;
            if inside(x) {
                f = f64::NAN;
                assert!(!refused.contains(&x), "{refused:?} {x}");
                refused.push(x);
            }
            solver.tell(f);
            if solver.report().iterations > iteration {
                iteration = solver.report().iterations;
                refused.clear();
            }
        }
        let (r, x) = (solver.report(), solver.x()[0]);
        assert!(r.value < 0.6 && r.value.is_finite() && !inside(x), "{from} {to} {r:?}");
        if from > 100.0 {
            assert_eq!(r.stop, Stop::Gradient, "{r:?}");
        }
    }
}

#[test]
fn an_objective_that_takes_its_word_back_ends_the_run() {
    // Kinks end searches without an acceptable step: the best trial is evaluated once more.
    let mut again = 0;
    for k in 0..120 {
        let (value, slope) = [(f64::NAN, f64::NAN), (-1e3, f64::NAN), (f64::NAN, 1.0)][k % 3];
        let (mut seen, mut values) = (Vec::new(), Vec::new());
        let mut x = [3.0 + 0.1 * (k / 3) as f64, -2.0];
        let r = LbfgsSettings::new()
            .minimize(&mut x, |x, g| {
                if seen.contains(&x.to_vec()) {
                    again += 1;
                    g.fill(slope);
                    return value;
                }
                seen.push(x.to_vec());
                for (g, x) in g.iter_mut().zip(x) {
                    *g = x.signum() * if *x > 0.0 { 1.0 } else { 3.0 };
                }
                values.push(x.iter().zip(&*g).map(|(x, g)| x * g).sum());
                values[values.len() - 1]
            })
            .unwrap();
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!((r.stop, r.value), (Stop::LineSearch, lowest));
        let at = seen.iter().position(|seen| *seen == x).unwrap();
        assert_eq!(values[at], lowest, "the best point is restored");
    }
    assert!(again > 0);
}

#[test]
fn a_flat_objective_goes_nowhere() {
    for line_search in [LineSearch::MoreThuente, LineSearch::Backtracking] {
        let settings = LbfgsSettings { line_search, ..LbfgsSettings::new() };
        let mut x = [1.0, 2.0, 3.0];
        let r = settings.minimize(&mut x, |_, _| 7.0).unwrap();
        assert_eq!((r.stop, r.iterations, r.value, x), (Stop::Gradient, 0, 7.0, [1.0, 2.0, 3.0]));
        // The gradient says otherwise, wrongly.
        let r = settings
            .minimize(&mut x, |_, g| {
                g.copy_from_slice(&[1.0, -1.0, 0.5]);
                7.0
            })
            .unwrap();
        assert_eq!((r.stop, r.iterations, r.value, x), (Stop::LineSearch, 0, 7.0, [1.0, 2.0, 3.0]));
    }
}

#[test]
fn nothing_to_minimise_over() {
    let mut solver = Lbfgs::<0, 3, f64>::new();
    solver.start(&LbfgsSettings::new(), &[]).unwrap();
    assert!(solver.ask().is_some());
    solver.tell(2.0);
    assert!(solver.ask().is_none());
    let r = solver.report();
    assert_eq!((r.stop, r.value, r.gradient, r.evaluations), (Stop::Gradient, 2.0, 0.0, 1));
}

/// Values that an objective should never return, and ordinary ones; the same for the same point.
fn hostile(x: &[f32], g: &mut [f32], seed: u32) -> f32 {
    let mut state = x.iter().fold(seed, |h, x| (h ^ x.to_bits()).wrapping_mul(0x0100_0193).rotate_left(13));
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    let mut number = || match next() % 40 {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => f32::NEG_INFINITY,
        3 => f32::MAX,
        4 => f32::MIN_POSITIVE / 4.0,
        5 => -0.0,
        _ => (next() % 2001) as f32 / 1000.0 - 1.0,
    };
    let mut f = number();
    for (x, g) in x.iter().zip(g) {
        let bad = number();
        *g = if bad.abs() <= 1.0 { 0.3 * bad + 2.0 * x } else { bad };
        if f.abs() <= 1.0 {
            f += x * x;
        }
    }
    f
}

#[test]
fn hostile_objectives_end_at_the_best_point_they_showed() {
    let mut stops = [0; Stop::Unbounded as usize + 1];
    for seed in 0..3000 {
        let (n, m) = (1 + seed % 5, 1 + seed / 5 % 7);
        let line_search = if seed % 3 == 0 { LineSearch::Backtracking } else { LineSearch::MoreThuente };
        let settings = LbfgsSettings::<f32> {
            line_search,
            l1: if seed % 4 == 0 { 0.25 } else { 0.0 },
            max_move: if seed % 7 == 0 { 0.1 } else { f32::INFINITY },
            max_iterations: 50,
            max_evaluations: 200,
            ..LbfgsSettings::new()
        };
        let mut x = vec![2.0; n as usize];
        let mut shown: Vec<(Vec<u32>, f32)> = Vec::new();
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let solver = LbfgsVec::new(x.len()).pairs(m as usize);
        let r = solver
            .settings(settings)
            .minimize(&mut x, |x, g| {
                let f = hostile(x, g, seed);
                // With a gradient near the largest number the slope overflows.
                let whole = f.is_finite() && g.iter().all(|g| g.abs() < 1e30);
                let penalty = settings.l1 * x.iter().map(|x| x.abs()).sum::<f32>();
                assert!(x.iter().all(|x| x.is_finite()), "{x:?}");
                shown.push((bits(x), if whole { f + penalty } else { f32::INFINITY }));
                f
            })
            .unwrap();
        stops[r.stop as usize] += 1;
        assert_eq!(r.evaluations as usize, shown.len());
        assert!(r.evaluations <= 200 && r.iterations <= 50);
        let (_, value) = shown.iter().find(|(point, _)| *point == bits(&x)).expect("a point it showed");
        if r.stop == Stop::NonFinite {
            assert_eq!(bits(&x), shown[0].0);
            continue;
        }
        assert!((value - r.value).abs() <= 1e-5 * value.abs(), "{seed} {r:?} {value}");
        let lowest = shown.iter().fold(f32::INFINITY, |low, (_, f)| low.min(*f));
        assert!(r.value <= shown[0].1, "{seed} {r:?}");
        assert!(r.value <= lowest + 1e-5 * lowest.abs(), "{seed} {r:?} {lowest}");
    }
    println!("stops by number: {stops:?}");
    assert_eq!(stops[Stop::Running as usize], 0);
    assert!(stops[Stop::LineSearch as usize] > 0 && stops[Stop::NonFinite as usize] > 0);
}

#[test]
fn a_reset_in_place_is_a_new_one() {
    let new = Lbfgs::<6, 5>::new();
    let mut solver = new.clone();
    solver.start(&LbfgsSettings::new(), &[3.0; 6]).unwrap();
    for _ in 0..9 {
        if let Some((x, g)) = solver.ask() {
            let f = rosenbrock(x, g);
            solver.tell(f);
        }
    }
    solver.reset();
    assert!(gradus::store::to_vec(&solver).unwrap() == gradus::store::to_vec(&new).unwrap());
    assert!(solver.report() == new.report() && solver.x() == new.x());
}
