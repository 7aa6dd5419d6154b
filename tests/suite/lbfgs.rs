//! L-BFGS: the same bits in every memory, on every level and any number of threads; quality, the L1 penalty, arguments.

use crate::support::lbfgs::{minimize, quadratic, rosenbrock};
use crate::support::worst::worst;
use crate::support::{OPTIMISED, learning, mgh};
#[cfg(feature = "rayon")]
use gradus::Exec;
use gradus::second_order::{Given, Lbfgs, LbfgsSettings, LbfgsVec, LineSearch, Real, Report, Stop};
use gradus::{Argument, Error, Hyper, Level};
#[cfg(feature = "rayon")]
use std::ops::ControlFlow::Continue;

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
        let largest = worst(g.iter().map(|g| g.abs()));
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
        // Watson's function of 12 is so flat that its gradient is below 1e-9 where the value is five times the minimum.
        let flat = (p.name, p.n()) == ("watson", 12);
        let (pairs, tolerance) = if flat { (50, 1e-13) } else { (10, 1e-9) };
        let mut x = p.start.clone();
        let r = LbfgsVec::new(p.n())
            .pairs(pairs)
            .settings(LbfgsSettings { tolerance, ..LbfgsSettings::new() })
            .minimize(&mut x, |x, g| p.eval(x, g))
            .unwrap();
        // Six digits are published, or the minimum is 0.
        let near = |m: f64| (r.value - m).abs() <= if m == 0.0 { 1e-6 } else { 1e-5 * m };
        assert!(p.minima.iter().any(|&m| near(m)), "{} {}: {r:?}", p.name, p.n());
    }
}

#[test]
fn raw_features_converge_with_long_memory_or_a_preconditioner() {
    let raw = || learning::logistic("raw", learning::Data::breast_cancer(), 1e-2);
    let p = raw();
    assert_eq!(p.n(), 31);
    let mut x = p.start.clone();
    let mut solver = LbfgsVec::new(31).pairs(50);
    let long = solver.minimize(&mut x, |x, g| p.eval(x, g)).unwrap();
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
    let mut solver = LbfgsVec::new(31).pairs(10);
    let short = solver.preconditioner(&h).minimize(&mut x, |x, g| p.eval(x, g)).unwrap();
    assert_eq!(short.stop, Stop::Gradient, "{short:?}");
    println!("m = 50: {} iterations; preconditioned, m = 10: {}", long.iterations, short.iterations);
    assert!((long.value - short.value).abs() < 1e-6);
}

// ---- the same bits ----

/// Every point that is asked for, as bits.
fn trace<T: Real + Into<f64>>(level: Level, n: usize, m: usize, settings: &LbfgsSettings<T>) -> Vec<u64> {
    let start: Vec<T> =
        (0..n).map(|i| T::of(if i % 2 == 0 { -1.2 } else { 1.0 } + 1e-3 * (i % 17) as f64)).collect();
    let mut solver = LbfgsVec::new(n).pairs(m).settings(*settings).on(level);
    assert_eq!(solver.settings.exec, level.into());
    solver.start(&start).unwrap();
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
    // More than one block of a reduction, and more than two.
    for n in [2, 6, 32, 66, if OPTIMISED { 40_000 } else { 20_000 }] {
        for l1 in [0.0, 0.01] {
            let double =
                LbfgsSettings { max_evaluations: 25, l1, l1_start: 1, l1_end: n - 1, ..LbfgsSettings::new() };
            let single = LbfgsSettings { max_evaluations: 25, l1: l1 as f32, ..LbfgsSettings::<f32>::new() };
            // Levels read up to ten pairs in one go: fewer, and more.
            for m in [7, 12] {
                let want = (trace(Level::SCALAR, n, m, &double), trace(Level::SCALAR, n, m, &single));
                for level in Level::available().skip(1) {
                    assert!(trace(level, n, m, &double) == want.0, "{level} f64 {n} {m}");
                    assert!(trace(level, n, m, &single) == want.1, "{level} f32 {n} {m}");
                }
            }
        }
    }
}

#[test]
fn a_preconditioner_of_ones_is_none() {
    for (n, m) in [(6, 3), (66, 10), (66, 12), (40_000, 10)] {
        let settings = LbfgsSettings::<f64> { max_evaluations: 40, ..LbfgsSettings::new() };
        let (start, ones) = (vec![-1.2; n], vec![1.0; n]);
        let [mut with, mut without] = [(); 2].map(|()| LbfgsVec::new(n).pairs(m).settings(settings));
        with.start(&start).unwrap();
        without.start(&start).unwrap();
        while let Some((x, g)) = without.ask() {
            let f = rosenbrock(x, g);
            let (at, h) = with.ask().expect("as many evaluations");
            assert_eq!(at, x, "{n} {m}");
            h.copy_from_slice(g);
            without.tell(f);
            with.tell_with(f, &Given::new().preconditioner(&ones)).unwrap();
        }
        assert!(with.ask().is_none() && without.report().iterations > m as u32, "{n} {m}");
    }
}

#[test]
fn fixed_memory_asks_for_the_same_points() {
    let settings = LbfgsSettings::<f64> { max_evaluations: 60, ..LbfgsSettings::new() };
    let start = core::array::from_fn::<f64, 6, _>(|i| if i % 2 == 0 { -1.2 } else { 1.0 });
    let mut fixed = Lbfgs::<6, 4, f64>::new();
    let mut heap = LbfgsVec::new(6).pairs(4).settings(settings);
    fixed.start(&settings, &start).unwrap();
    heap.start(&start).unwrap();
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
    let n = 3 * gradus::BLOCK + 124; // times 16 pairs enough for three threads
    let start: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
    let preconditioner: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 0.5 } else { 2.0 }).collect();
    let (all, h) = (0..n, Some(&*preconditioner));
    // A penalty that begins and ends within blocks, neither of them the first: each has parts with it and without.
    let some = gradus::BLOCK + 77..2 * gradus::BLOCK + 5000;
    let penalties = [(0.0, &all), (0.01, &all), (0.01, &some)];
    for ((l1, range), h) in penalties.into_iter().flat_map(|penalty| [(penalty, None), (penalty, h)]) {
        let settings = LbfgsSettings { max_iterations: 8, ..LbfgsSettings::new() }.l1(l1, range.clone());
        let run = |threads: Option<usize>| {
            let (mut x, mut values) = (start.clone(), Vec::new());
            let mut solver = LbfgsVec::new(n).pairs(16).settings(settings);
            if threads.is_some() {
                solver = solver.on(Exec::threads());
            }
            let note = |r: &Report<f64>| {
                values.push(r.value.to_bits());
                Continue(())
            };
            let minimize = || match h {
                None => solver.on_iteration(note).minimize(&mut x, rosenbrock),
                Some(h) => solver.on_iteration(note).preconditioner(h).minimize(&mut x, rosenbrock),
            };
            let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let report = match threads {
                None => minimize(),
                Some(threads) => pool(threads).scope(|_| minimize()),
            };
            assert_eq!(values.len(), 8);
            (report.unwrap(), values, x.iter().map(|x| x.to_bits()).collect::<Vec<_>>())
        };
        let alone = run(None);
        for threads in [2, 3] {
            assert!(run(Some(threads)) == alone, "{threads} threads, {l1} on {range:?}");
        }
    }
}

#[cfg(feature = "rayon")]
#[test]
fn what_is_told_on_threads_leads_to_the_same_points() {
    let n = 3 * gradus::BLOCK + 10; // times 12 pairs enough for two threads
    let h = vec![0.5; n];
    for preconditioned in [false, true] {
        let settings = LbfgsSettings { max_iterations: 8, ..LbfgsSettings::new() };
        let new = |exec: Exec| LbfgsVec::<f64>::new(n).pairs(12).settings(settings).on(exec);
        let (mut alone, mut threads) = (new(Exec::new()), new(Exec::threads()));
        for solver in [&mut alone, &mut threads] {
            solver.start(&vec![-1.2; n]).unwrap();
        }
        while let (Some((x, g)), Some((at, to))) = (alone.ask(), threads.ask()) {
            assert!(x == at);
            let f = rosenbrock(x, g);
            to.copy_from_slice(g);
            if preconditioned {
                alone.tell_with(f, &Given::new().preconditioner(&h)).unwrap();
                threads.tell_with(f, &Given::new().preconditioner(&h)).unwrap();
            } else {
                alone.tell(f);
                threads.tell(f);
            }
        }
        assert!(alone.report().iterations == 8 && alone.report() == threads.report());
        assert!(alone.ask().is_none() && threads.ask().is_none() && alone.x() == threads.x());
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
    let mut used = LbfgsVec::new(10).pairs(5).settings(settings);
    let mut x = [3.0; 10];
    used.minimize(&mut x, quadratic).unwrap();
    let (mut a, mut b) = ([-1.2; 10], [-1.2; 10]);
    let again = used.minimize(&mut a, rosenbrock).unwrap();
    let fresh = LbfgsVec::new(10).pairs(5).settings(settings).minimize(&mut b, rosenbrock).unwrap();
    assert_eq!((again, a), (fresh, b));
}

// ---- the L1 penalty ----

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

#[test]
fn the_l1_penalty_reaches_its_range_and_no_further() {
    const N: usize = 10;
    let centre = |i: usize| 1.0 + 0.1 * i as f64;
    let objective = |x: &[f64], g: &mut [f64]| {
        let mut f = 0.0;
        for i in 0..N {
            f += 0.5 * (x[i] - centre(i)).powi(2);
            g[i] = x[i] - centre(i);
        }
        f
    };
    for l1_start in 0..=N + 1 {
        for l1_end in 0..=N + 1 {
            let settings =
                LbfgsSettings { tolerance: 1e-9, ..LbfgsSettings::new() }.l1(0.75, l1_start..l1_end);
            let (mut x, refused) = ([3.0; N], Err(Error::Shape));
            if l1_start > l1_end {
                assert_eq!(settings.check(), refused.map(|_: ()| ()));
                assert_eq!(settings.minimize(&mut x, |_, _| unreachable!()).map(|_| ()), refused);
                continue;
            }
            assert_eq!(settings.minimize(&mut x, objective).unwrap().stop, Stop::Gradient);
            for (i, x) in x.iter().enumerate() {
                let inside = (l1_start..l1_end).contains(&i);
                let want = centre(i) - if inside { 0.75 } else { 0.0 };
                assert!((x - want).abs() < 1e-8, "{l1_start} {l1_end} {i} {x} {want}");
            }
        }
    }
}

/// The lasso by coordinate descent, each coordinate at its minimum in turn: `H` is the Gram matrix, `c` the products
/// with the right side.
fn lasso(h: &[Vec<f64>], c: &[f64], l1: f64) -> Vec<f64> {
    let mut x = vec![0.0; c.len()];
    for _ in 0..3000 {
        for i in 0..x.len() {
            let rest: f64 = (0..x.len()).filter(|&j| j != i).map(|j| h[i][j] * x[j]).sum();
            let slope: f64 = c[i] - rest;
            x[i] = slope.signum() * (slope.abs() - l1).max(0.0) / h[i][i];
        }
    }
    x
}

#[test]
fn rounding_keeps_no_backtracking_search_from_the_minimum() {
    // Where the objective is 1000 and more, its last bits drown what the last steps gain.
    let mut seed = 1_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    let (mut zeros, mut stops) = (0, [0; Stop::Unbounded as usize + 1]);
    let dot = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(u, v)| u * v).sum::<f64>();
    for round in 0..300 {
        let n = 2 + round % 11;
        let mut column = |scale: f64| (0..30).map(|_| scale * random()).collect::<Vec<f64>>();
        let (a, b): (Vec<_>, _) = ((0..n).map(|_| column(40.0)).collect(), column(120.0));
        let l1 = if round % 5 == 0 { 0.0 } else { 6400.0 * random().abs() };
        let objective = |x: &[f64], g: &mut [f64]| {
            let mut residual = b.clone();
            for (a, x) in a.iter().zip(x) {
                residual.iter_mut().zip(a).for_each(|(r, a)| *r -= a * x);
            }
            g.iter_mut().zip(&a).for_each(|(g, a)| *g = -dot(a, &residual));
            1000.0 + 0.5 * dot(&residual, &residual)
        };
        let settings = LbfgsSettings { l1, line_search: LineSearch::Backtracking, ..LbfgsSettings::new() };
        let mut x = vec![0.5; n];
        let r = settings.minimize(&mut x, objective).unwrap();
        stops[r.stop as usize] += 1;
        assert!(r.evaluations < 150, "{round}: {r:?}");
        let h: Vec<Vec<f64>> = a.iter().map(|u| a.iter().map(|v| dot(u, v)).collect()).collect();
        let c: Vec<f64> = a.iter().map(|a| dot(a, &b)).collect();
        let want = lasso(&h, &c, l1);
        for (i, (x, want)) in x.iter().zip(&want).enumerate() {
            assert!((x - want).abs() < 1e-4, "{round} {i}: {x} {want}");
            assert!(*want != 0.0 || *x == 0.0 || x.abs() < 1e-5, "{round} {i}: {x}");
            zeros += usize::from(l1 > 0.0 && *x == 0.0);
        }
        let same = x.iter().zip(&want).filter(|(x, want)| (**x == 0.0) == (**want == 0.0)).count();
        assert_eq!(same, n, "{round}: {x:?} {want:?}");
    }
    assert!(zeros > 300, "{zeros}");
    assert_eq!(stops[Stop::Gradient as usize], 300, "stops by number: {stops:?}");
}

// ---- arguments ----

#[test]
fn bad_arguments_are_refused() {
    let good = LbfgsSettings::<f64>::new();
    let cases = [
        (LbfgsSettings { tolerance: -1.0, ..good }, Hyper::Tolerance),
        (LbfgsSettings { tolerance: f64::NAN, ..good }, Hyper::Tolerance),
        (LbfgsSettings { tolerance: f64::INFINITY, ..good }, Hyper::Tolerance),
        (LbfgsSettings { decrease: -1.0, ..good }, Hyper::Tolerance),
        (LbfgsSettings { decrease: f64::INFINITY, ..good }, Hyper::Tolerance),
        (LbfgsSettings { max_iterations: 0, ..good }, Hyper::Steps),
        (LbfgsSettings { max_evaluations: 0, ..good }, Hyper::Steps),
        (LbfgsSettings { max_trials: 0, ..good }, Hyper::Steps),
        (LbfgsSettings { sufficient_decrease: 0.0, ..good }, Hyper::LineSearch),
        (LbfgsSettings { sufficient_decrease: 0.95, ..good }, Hyper::LineSearch),
        (LbfgsSettings { sufficient_decrease: 0.6, curvature: 0.6, ..good }, Hyper::LineSearch),
        (LbfgsSettings { curvature: 1.0, ..good }, Hyper::LineSearch),
        (LbfgsSettings { width_tolerance: 1.0, ..good }, Hyper::LineSearch),
        (LbfgsSettings { width_tolerance: -0.1, ..good }, Hyper::LineSearch),
        (LbfgsSettings { step_min: -1.0, ..good }, Hyper::LineSearch),
        (LbfgsSettings { step_max: 0.0, ..good }, Hyper::LineSearch),
        (LbfgsSettings { step_min: 2.0, step_max: 2.0, ..good }, Hyper::LineSearch),
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
    let ends = LbfgsSettings { tolerance: 0.0, decrease: 0.0, width_tolerance: 0.0, step_min: 0.0, ..good };
    assert_eq!(ends.check(), Ok(()));
    assert_eq!(LbfgsSettings { l1_start: 9, l1_end: 3, ..good }.check(), Err(Error::Shape));
    assert_eq!(LbfgsVec::<f64>::new(3).pairs(0).start(&[0.0; 3]), Err(Error::Empty));
    let mut solver = LbfgsVec::<f64>::new(3).pairs(1);
    let length = |what| Error::Length { what, expected: 3, found: 2 };
    assert_eq!(solver.start(&[0.0; 2]), Err(length(Argument::Params)));
    let refused = Err(length(Argument::Preconditioner));
    let run = solver.preconditioner(&[1.0; 2]).minimize(&mut [0.0; 3], |_, _| unreachable!());
    assert_eq!(run.map(|_| ()), refused);
    assert_eq!(solver.tell_with(0.0, &Given::new().preconditioner(&[1.0; 2])), refused);
    // At rest nothing is asked, and what is told has no effect.
    assert!(solver.ask().is_none());
    solver.tell(1.0);
    solver.stop();
    assert_eq!(solver.report().evaluations, 0);
}

#[test]
fn a_preconditioner_that_is_not_positive_and_finite_is_refused() {
    let refused = Error::Range(Hyper::Preconditioner);
    for bad in [-1.0, 0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for i in 0..3 {
            let mut h = [1.0; 3];
            h[i] = bad;
            let (settings, mut x) = (LbfgsSettings::new(), [3.0; 3]);
            let mut solver = LbfgsVec::new(3).pairs(2).settings(settings);
            let run = solver.preconditioner(&h).minimize(&mut x, |_, _| unreachable!());
            assert_eq!((run, x), (Err(refused), [3.0; 3]));
            assert!(solver.ask().is_none() && solver.report() == Report::default());

            // In mid-run: it goes on as if nothing had been told.
            let mut fixed = Lbfgs::<3, 2, f64>::new();
            solver.start(&x).unwrap();
            fixed.start(&settings, &x).unwrap();
            while let (Some((at, g)), Some((same, to))) = (solver.ask(), fixed.ask()) {
                assert_eq!(at, same);
                let f = quadratic(at, g);
                to.copy_from_slice(g);
                let before = (solver.report(), solver.x().to_vec());
                assert_eq!(solver.tell_with(f, &Given::new().preconditioner(&h)), Err(refused));
                assert_eq!(fixed.tell_with(f, &Given::new().preconditioner(&h)), Err(refused));
                assert_eq!((solver.report(), solver.x().to_vec()), before);
                assert_eq!((fixed.report(), fixed.x().to_vec()), before);
                solver.tell_with(f, &Given::new().preconditioner(&[0.5; 3])).unwrap();
                fixed.tell_with(f, &Given::new().preconditioner(&[0.5; 3])).unwrap();
            }
            assert_eq!((solver.report().stop, fixed.report().stop), (Stop::Gradient, Stop::Gradient));
        }
    }
}

#[test]
fn sparse_weights_take_half_the_evaluations_of_liblbfgs() {
    // docs/lbfgs.md has all four problems, and where liblbfgs stands: 392 and 685 with 1e-3, 134 and 182 with 1e-2.
    let cancer = learning::sparse_problems().into_iter().filter(|p| p.n() == 31);
    for (p, theirs) in cancer.zip([[392, 685], [134, 182]]) {
        for (tolerance, theirs) in [1e-5, 1e-8].into_iter().zip(theirs) {
            let settings = LbfgsSettings { tolerance, ..LbfgsSettings::new() }.l1(p.l1.0, ..p.l1.1);
            let (x, r) = minimize(&settings, &p);
            let zeros = x.iter().filter(|&&x| x == 0.0).count();
            assert_eq!(r.stop, Stop::Gradient, "{r:?}");
            assert!(2 * r.evaluations <= theirs && zeros > 10, "{r:?} {theirs} {zeros}");
        }
    }
}
