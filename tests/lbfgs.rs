//! L-BFGS: the same bits in every memory, on every level and any number of threads; limits, edges, quality.

#[path = "support/learning.rs"]
mod learning;
#[path = "support/mgh/mod.rs"]
mod mgh;

use gradus::second_order::{Lbfgs, LbfgsSettings, LbfgsVec, LineSearch, Real, Report, Stop};
use gradus::{Error, Hyper, Level};
use mgh::Problem;
use std::ops::ControlFlow::{self, Break, Continue};

fn problem(name: &str, n: usize) -> Problem {
    let mut all = mgh::problems();
    all.extend(learning::problems());
    all.into_iter().find(|p| p.name == name && p.n() == n).unwrap()
}

fn keep_going<T>(_: &Report<T>) -> ControlFlow<()> {
    Continue(())
}

fn minimize(settings: &LbfgsSettings<f64>, p: &Problem) -> (Vec<f64>, Report<f64>) {
    let mut x = p.start.clone();
    let report = settings.minimize(&mut x, |x, g| p.eval(x, g)).unwrap();
    (x, report)
}

/// Rosenbrock's function for both number types.
fn rosenbrock<T: Real>(x: &[T], g: &mut [T]) -> T {
    let (ten, one) = (T::of(10.0), T::ONE);
    let mut f = T::ZERO;
    for (x, g) in x.chunks_exact(2).zip(g.chunks_exact_mut(2)) {
        let (u, v) = (ten * (x[1] - x[0] * x[0]), one - x[0]);
        g[0] = -(T::of(40.0) * u * x[0] + T::of(2.0) * v);
        g[1] = T::of(20.0) * u;
        f = f + u * u + v * v;
    }
    f
}

/// `sum a_i (x_i - 1)^2 / 2`, elongated.
fn quadratic(x: &[f64], g: &mut [f64]) -> f64 {
    let mut f = 0.0;
    for (i, (x, g)) in x.iter().zip(g).enumerate() {
        let a = 1.0 + 10.0 * i as f64;
        *g = a * (x - 1.0);
        f += 0.5 * a * (x - 1.0) * (x - 1.0);
    }
    f
}

// ---- quality ----

#[test]
fn at_least_62_of_the_65_problems_are_solved() {
    let mut all = mgh::problems();
    all.extend(learning::problems());
    let (mut solved, mut evaluations) = (0, 0);
    for p in &all {
        let (x, r) = minimize(&LbfgsSettings::new(), p);
        let mut g = vec![0.0; p.n()];
        assert_eq!(p.eval(&x, &mut g), r.value, "{} {}: the value is that of the point", p.name, p.n());
        let largest = g.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
        assert_eq!(largest, r.gradient, "{} {}", p.name, p.n());
        assert!(r.iterations <= 1000 && r.evaluations <= 10_000);
        if p.solved(r.value, largest) {
            solved += 1;
            evaluations += r.evaluations;
            assert_eq!(r.stop, Stop::Gradient);
        } else {
            println!("not solved: {} {} {r:?}", p.name, p.n());
        }
    }
    println!("{solved} of {} solved with {evaluations} evaluations", all.len());
    assert!(solved >= 62);
}

#[test]
fn the_published_minima_are_found() {
    for p in mgh::problems().iter().filter(|p| !p.minima.is_empty()) {
        let (_, r) = minimize(&LbfgsSettings { tolerance: 1e-9, ..LbfgsSettings::new() }, p);
        // Six digits are published; Watson's function with nine and more parameters and the penalties are so flat
        // that a small gradient says little about the value.
        let near = |minimum: f64| (r.value - minimum).abs() <= 1e-5 * minimum + 1e-6;
        assert!(p.minima.iter().any(|&m| near(m)), "{} {}: {r:?}", p.name, p.n());
    }
}

#[test]
fn raw_features_converge_with_long_memory_or_a_preconditioner() {
    let raw = || learning::logistic("raw", learning::Data::breast_cancer(), 1e-2);
    let p = raw();
    assert_eq!(p.n(), 31);
    let mut x = p.start.clone();
    let mut solver = LbfgsVec::new(31, 50).unwrap();
    let long = solver.minimize(&LbfgsSettings::new(), &mut x, None, keep_going, |x, g| p.eval(x, g)).unwrap();
    assert_eq!(long.stop, Stop::Gradient, "{long:?}");

    // A bound of the Hessian's diagonal: p (1 - p) <= 1/4 times the variance of the feature, plus the penalty.
    let data = learning::Data::breast_cancer();
    let rows = data.label.len() as f64;
    let curvature = |j: usize| {
        let column = || data.x.iter().skip(j).step_by(30);
        let mean = column().sum::<f64>() / rows;
        0.25 * column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows + 1e-2
    };
    let mut h: Vec<f64> = (0..30).map(|j| 1.0 / curvature(j)).collect();
    h.push(4.0);
    let mut x = p.start.clone();
    let mut solver = LbfgsVec::new(31, 10).unwrap();
    let short =
        solver.minimize(&LbfgsSettings::new(), &mut x, Some(&h), keep_going, |x, g| p.eval(x, g)).unwrap();
    assert_eq!(short.stop, Stop::Gradient, "{short:?}");
    println!("m = 50: {} iterations; preconditioned, m = 10: {}", long.iterations, short.iterations);
    assert!((long.value - short.value).abs() < 1e-6);
}

// ---- the same bits ----

/// Every point that is asked for, as bits.
fn trace<T: Real + Into<f64>>(level: Level, n: usize, m: usize, settings: &LbfgsSettings<T>) -> Vec<u64> {
    let start: Vec<T> =
        (0..n).map(|i| T::of(if i % 2 == 0 { -1.2 } else { 1.0 } + 1e-3 * (i % 17) as f64)).collect();
    let mut solver = LbfgsVec::new(n, m).unwrap();
    solver.start_at(level, settings, &start).unwrap();
    let mut bits = Vec::new();
    while let Some((x, g)) = solver.ask() {
        let f = rosenbrock(x, g);
        bits.extend(x.iter().map(|&x| x.into().to_bits()));
        solver.tell(f);
    }
    bits
}

#[test]
fn every_level_asks_for_the_same_points() {
    for n in [2, 6, 32, 66, 40_000] {
        for l1 in [0.0, 0.01] {
            let double =
                LbfgsSettings { max_evaluations: 25, l1, l1_start: 1, l1_end: n - 1, ..LbfgsSettings::new() };
            let single = LbfgsSettings { max_evaluations: 25, l1: l1 as f32, ..LbfgsSettings::<f32>::new() };
            for level in Level::available() {
                assert_eq!(
                    trace(level, n, 7, &double),
                    trace(Level::SCALAR, n, 7, &double),
                    "{level} f64 {n}"
                );
                assert_eq!(
                    trace(level, n, 7, &single),
                    trace(Level::SCALAR, n, 7, &single),
                    "{level} f32 {n}"
                );
            }
        }
    }
}

#[test]
fn fixed_memory_asks_for_the_same_points() {
    let settings = LbfgsSettings::<f64> { max_evaluations: 60, ..LbfgsSettings::new() };
    let start = core::array::from_fn::<f64, 6, _>(|i| if i % 2 == 0 { -1.2 } else { 1.0 });
    let mut fixed = Lbfgs::<6, 4, f64>::new();
    let mut heap = LbfgsVec::new(6, 4).unwrap();
    fixed.start(&settings, &start).unwrap();
    heap.start(&settings, &start).unwrap();
    loop {
        let (a, b) = (fixed.ask(), heap.ask());
        let (Some((xa, ga)), Some((xb, gb))) = (a, b) else { break };
        assert_eq!(xa, xb);
        let f = rosenbrock(xa, ga);
        gb.copy_from_slice(ga);
        fixed.tell(f);
        heap.tell(f);
        assert_eq!(fixed.report(), heap.report());
    }
    assert!(fixed.ask().is_none() && heap.ask().is_none());
    assert_eq!(fixed.x(), heap.x());
    assert_eq!(fixed.report().stop, Stop::Gradient);
}

#[cfg(feature = "rayon")]
#[test]
fn any_number_of_threads_finds_the_same_points() {
    let n = 5 * gradus::BLOCK + 123;
    let start: Vec<f64> = (0..n + n % 2).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
    let settings = LbfgsSettings { max_iterations: 15, ..LbfgsSettings::new() };
    let run = |threads: Option<usize>| {
        let (mut x, mut values) = (start.clone(), Vec::new());
        let mut solver = LbfgsVec::new(x.len(), 4).unwrap();
        let note = |r: &Report<f64>| {
            values.push(r.value.to_bits());
            Continue(())
        };
        let report = match threads {
            None => solver.minimize(&settings, &mut x, None, note, rosenbrock),
            Some(threads) => rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
                .scope(|_| solver.par_minimize(&settings, &mut x, None, note, rosenbrock)),
        };
        (report.unwrap(), values, x)
    };
    let alone = run(None);
    for threads in [1, 2, 3, 8] {
        assert!(run(Some(threads)) == alone, "{threads} threads");
    }
}

#[test]
fn a_copy_in_mid_run_continues_with_the_same_bits() {
    for stop_at in 1..12 {
        let settings = LbfgsSettings::<f32>::new();
        let mut solver = Lbfgs::<2, 3>::new();
        solver.start(&settings, &[-1.2, 1.0]).unwrap();
        for _ in 0..stop_at {
            let (x, g) = solver.ask().unwrap();
            let f = rosenbrock(x, g);
            solver.tell(f);
        }
        let mut copy = solver.clone();
        for _ in 0..20 {
            for solver in [&mut solver, &mut copy] {
                if let Some((x, g)) = solver.ask() {
                    let f = rosenbrock(x, g);
                    solver.tell(f);
                }
            }
            assert_eq!(solver.x().map(f32::to_bits), copy.x().map(f32::to_bits));
            assert_eq!(solver.report(), copy.report());
        }
    }
}

#[test]
fn memory_of_an_earlier_run_leaves_no_trace() {
    let settings = LbfgsSettings::new();
    let mut used = LbfgsVec::new(10, 5).unwrap();
    let mut x = [3.0; 10];
    used.minimize(&settings, &mut x, None, keep_going, quadratic).unwrap();
    let (mut a, mut b) = ([-1.2; 10], [-1.2; 10]);
    let again = used.minimize(&settings, &mut a, None, keep_going, rosenbrock).unwrap();
    let fresh =
        LbfgsVec::new(10, 5).unwrap().minimize(&settings, &mut b, None, keep_going, rosenbrock).unwrap();
    assert_eq!((again, a), (fresh, b));
}

// ---- limits and edges ----

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

        let (x, r) = minimize(&LbfgsSettings { max_iterations: limit.min(20), ..LbfgsSettings::new() }, &p);
        assert_eq!((r.stop, r.iterations), (Stop::Iterations, limit.min(20)));
        assert_eq!(p.eval(&x, &mut [0.0; 10]), r.value);
    }
}

#[test]
fn the_callback_ends_the_run() {
    let mut x = [-1.2, 1.0];
    let mut seen = Vec::new();
    let r = LbfgsVec::new(2, 5)
        .unwrap()
        .minimize(
            &LbfgsSettings::new(),
            &mut x,
            None,
            |r| {
                seen.push(r.iterations);
                if r.iterations == 7 { Break(()) } else { Continue(()) }
            },
            rosenbrock,
        )
        .unwrap();
    assert_eq!((r.stop, r.iterations), (Stop::Callback, 7));
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(rosenbrock(&x, &mut [0.0; 2]), r.value);
}

#[test]
fn a_relative_decrease_ends_the_run() {
    let settings = LbfgsSettings { decrease: 1e-3, tolerance: 0.0, ..LbfgsSettings::new() };
    let mut values = Vec::new();
    let mut x = [5.0; 6];
    let r = LbfgsVec::new(6, 5)
        .unwrap()
        .minimize(
            &settings,
            &mut x,
            None,
            |r| {
                values.push(r.value);
                Continue(())
            },
            quadratic,
        )
        .unwrap();
    assert_eq!(r.stop, Stop::Decrease);
    let falls: Vec<bool> =
        values.windows(2).map(|v| v[0] - v[1] <= 1e-3 * v[0].abs().max(v[1].abs()).max(1.0)).collect();
    assert_eq!(falls.iter().position(|&small| small), Some(falls.len() - 1));
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
    let r = LbfgsVec::new(1, 1)
        .unwrap()
        .minimize(&LbfgsSettings::new(), &mut x, None, keep_going, |x, g| {
            g[0] = 4.0 * (x[0] - 2.0).powi(3);
            (x[0] - 2.0).powi(4)
        })
        .unwrap();
    assert_eq!(r.stop, Stop::Gradient);
    assert!((x[0] - 2.0).abs() < 0.02);
    for m in [1, 2, 3, 50] {
        let mut x = [-1.2, 1.0];
        let r = LbfgsVec::new(2, m)
            .unwrap()
            .minimize(&LbfgsSettings::new(), &mut x, None, keep_going, rosenbrock)
            .unwrap();
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
            let r = LbfgsVec::new(4, m).unwrap().minimize(&settings, &mut x, None, keep_going, wavy).unwrap();
            assert_eq!(r.stop, Stop::Gradient);
            for x in x {
                assert!(-x.cos() + 0.02 > 0.0, "a minimum, not a maximum: {x}");
            }
        }
    }
    // A linear function has y = 0: it descends until a limit stops it, without NaN.
    let settings = LbfgsSettings { max_iterations: 10, ..LbfgsSettings::new() };
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
    let mut solver = LbfgsVec::new(4, 5).unwrap();
    solver.start(&settings, &x).unwrap();
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

// ---- OWL-QN ----

#[test]
fn the_l1_penalty_shrinks_to_exact_zeros() {
    // minimise sum a (x - c)^2 / 2 + l1 |x|: x = sign(c) max(|c| - l1 / a, 0)
    let (a, c) = ([1.0, 2.0, 5.0, 10.0, 1.0], [3.0, -2.0, 0.1, -0.01, 0.5]);
    let objective = |x: &[f64], g: &mut [f64]| {
        let mut f = 0.0;
        for i in 0..5 {
            f += 0.5 * a[i] * (x[i] - c[i]).powi(2);
            g[i] = a[i] * (x[i] - c[i]);
        }
        f
    };
    let l1 = 0.75;
    let soft = |i: usize| c[i].signum() * (c[i].abs() - l1 / a[i]).max(0.0);
    for start in [[0.0; 5], [1.0; 5], [-4.0, 3.0, 2.0, -1.0, 0.0]] {
        let mut x = start;
        let settings = LbfgsSettings { l1, tolerance: 1e-9, ..LbfgsSettings::new() };
        let r = settings.minimize(&mut x, objective).unwrap();
        assert_eq!(r.stop, Stop::Gradient, "{r:?}");
        for (i, x) in x.iter().enumerate() {
            assert!((x - soft(i)).abs() < 1e-8, "{i} {x} {}", soft(i));
            assert_eq!(*x == 0.0, soft(i) == 0.0, "zeros are exact");
        }
        let penalty: f64 = x.iter().map(|x| l1 * x.abs()).sum();
        assert!((r.value - objective(&x, &mut [0.0; 5]) - penalty).abs() < 1e-12);

        // Only some of the parameters.
        let mut x = start;
        let settings = LbfgsSettings { l1_start: 1, l1_end: 4, ..settings };
        assert_eq!(settings.minimize(&mut x, objective).unwrap().stop, Stop::Gradient);
        for (i, x) in x.iter().enumerate() {
            let want = if (1..4).contains(&i) { soft(i) } else { c[i] };
            assert!((x - want).abs() < 1e-8, "{i} {x} {want}");
        }
    }
}

#[test]
fn the_l1_penalty_selects_features() {
    let p = learning::logistic("sparse", learning::Data::breast_cancer().standardised(), 0.0);
    let mut nonzero = Vec::new();
    for l1 in [0.2, 0.05, 0.01, 0.002] {
        let mut x = vec![0.0; 31];
        let settings = LbfgsSettings { l1, l1_end: 30, tolerance: 1e-6, ..LbfgsSettings::new() };
        let r = settings.minimize(&mut x, |x, g| p.eval(x, g)).unwrap();
        assert_eq!(r.stop, Stop::Gradient, "{l1}: {r:?}");
        // The optimality conditions of the lasso.
        let mut g = vec![0.0; 31];
        p.eval(&x, &mut g);
        for i in 0..30 {
            if x[i] == 0.0 {
                assert!(g[i].abs() <= l1 + 1e-6);
            } else {
                assert!((g[i] + l1 * x[i].signum()).abs() <= 2e-6);
            }
        }
        assert!(g[30].abs() <= 1e-6);
        nonzero.push(x[..30].iter().filter(|&&x| x != 0.0).count());
    }
    println!("features in use: {nonzero:?}");
    assert!(nonzero[0] > 0 && nonzero[0] < nonzero[1] && nonzero[1] < nonzero[2] && nonzero[2] < nonzero[3]);
}

// ---- arguments ----

#[test]
fn bad_arguments_are_refused() {
    let good = LbfgsSettings::<f64>::new();
    let cases = [
        (LbfgsSettings { tolerance: -1.0, ..good }, Hyper::Tolerance),
        (LbfgsSettings { tolerance: f64::NAN, ..good }, Hyper::Tolerance),
        (LbfgsSettings { decrease: -1.0, ..good }, Hyper::Tolerance),
        (LbfgsSettings { max_iterations: 0, ..good }, Hyper::Steps),
        (LbfgsSettings { max_evaluations: 0, ..good }, Hyper::Steps),
        (LbfgsSettings { max_trials: 0, ..good }, Hyper::Steps),
        (LbfgsSettings { sufficient_decrease: 0.0, ..good }, Hyper::LineSearch),
        (LbfgsSettings { sufficient_decrease: 0.95, ..good }, Hyper::LineSearch),
        (LbfgsSettings { curvature: 1.0, ..good }, Hyper::LineSearch),
        (LbfgsSettings { width_tolerance: 1.0, ..good }, Hyper::LineSearch),
        (LbfgsSettings { step_max: 0.0, ..good }, Hyper::LineSearch),
        (LbfgsSettings { max_move: 0.0, ..good }, Hyper::Limit),
        (LbfgsSettings { l1: -1.0, ..good }, Hyper::Lambda),
        (LbfgsSettings { l1: f64::INFINITY, ..good }, Hyper::Lambda),
    ];
    for (settings, hyper) in cases {
        let mut x = [1.0];
        assert_eq!(settings.check(), Err(Error::Range(hyper)));
        assert_eq!(settings.minimize(&mut x, |_, _| unreachable!()), Err(Error::Range(hyper)));
        assert_eq!(Lbfgs::<1, 1, f64>::new().start(&settings, &x), Err(Error::Range(hyper)));
    }
    assert_eq!(LbfgsVec::<f64>::new(3, 0).map(|_| ()), Err(Error::Range(Hyper::Size)));
    let mut solver = LbfgsVec::<f64>::new(3, 1).unwrap();
    assert_eq!(solver.start(&good, &[0.0; 2]), Err(Error::Length { expected: 3, found: 2 }));
    let refused = solver.minimize(&good, &mut [0.0; 3], Some(&[1.0; 2]), keep_going, |_, _| unreachable!());
    assert_eq!(refused, Err(Error::Length { expected: 3, found: 2 }));
    // At rest nothing is asked, and what is told has no effect.
    assert!(solver.ask().is_none());
    solver.tell(1.0);
    solver.stop();
    assert_eq!(solver.report().evaluations, 0);
}
