//! L-BFGS between bounds: quality on problems with bounds of three kinds, the same bits everywhere, edges, arguments.

use crate::support::lbfgs::{quadratic, rosenbrock};
use crate::support::learning;
use crate::support::mgh::{self, Problem};
use crate::support::worst::worst;
#[cfg(feature = "rayon")]
use gradus::Exec;
use gradus::second_order::{Given, Lbfgs, LbfgsSettings, LbfgsVec, LineSearch, Report, Stop};
use gradus::store;
use gradus::{Argument, Error, Hyper, Level};
use std::ops::ControlFlow::{Break, Continue};

fn all() -> Vec<Problem> {
    let mut all = mgh::problems();
    all.extend(learning::problems());
    all
}

/// The largest element of the projected gradient.
fn projected(x: &[f64], g: &[f64], lower: &[f64], upper: &[f64]) -> f64 {
    worst((0..x.len()).map(|i| {
        let p = if g[i] > 0.0 { g[i].min(x[i] - lower[i]) } else { g[i].max(x[i] - upper[i]) };
        if g[i].is_nan() { g[i] } else { p.abs() }
    }))
}

#[test]
fn at_least_190_of_the_195_bounded_problems_are_solved() {
    let (mut solved, mut evaluations, mut active) = (0, 0, 0);
    let problems = mgh::bounded(all);
    for p in &problems {
        let (bounds, mut x) = (p.bounds.as_ref().unwrap(), p.start.clone());
        let inside = |x: &[f64]| (0..x.len()).all(|i| bounds.lower[i] <= x[i] && x[i] <= bounds.upper[i]);
        let r = LbfgsVec::new(p.n())
            .bounds(&bounds.lower, &bounds.upper)
            .minimize(&mut x, |x, g| {
                assert!(inside(x), "{} {} {}: {x:?}", p.name, p.n(), bounds.name);
                p.eval(x, g)
            })
            .unwrap();
        let mut g = vec![0.0; p.n()];
        assert_eq!(p.eval(&x, &mut g), r.value, "{} {}: the value is that of the point", p.name, p.n());
        assert_eq!(projected(&x, &g, &bounds.lower, &bounds.upper), r.gradient, "{} {}", p.name, p.n());
        active += usize::from((0..p.n()).any(|i| x[i] == bounds.lower[i] || x[i] == bounds.upper[i]));
        if p.solved(r.value, r.gradient) {
            solved += 1;
            evaluations += r.evaluations;
            assert_eq!(r.stop, Stop::Gradient);
        } else {
            println!("not solved: {} {} {} {r:?}", p.name, p.n(), bounds.name);
        }
    }
    println!(
        "{solved} of {} solved with {evaluations} evaluations, {active} with active bounds",
        problems.len()
    );
    assert!(solved >= 190 && active > 100);
}

/// A problem in which bounds come and go: the extended Rosenbrock function in a box without its minimum.
fn boxed(n: usize) -> [Vec<f64>; 3] {
    let start = (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 } + 1e-3 * (i % 17) as f64).collect();
    let lower = (0..n).map(|i| if i % 3 == 0 { -1.0 } else { f64::NEG_INFINITY }).collect();
    let upper = (0..n).map(|i| if i % 5 == 0 { 0.5 } else { 1.25 }).collect();
    [start, lower, upper]
}

fn trace(n: usize, level: Level, preconditioner: Option<&[f64]>) -> Vec<u64> {
    let [start, lower, upper] = boxed(n);
    let given = Given { preconditioner, ..Given::new().bounds(&lower, &upper) };
    let settings = LbfgsSettings { max_evaluations: 25, ..LbfgsSettings::new() };
    let mut solver = LbfgsVec::new(n).pairs(4).settings(settings).on(level);
    solver.start(&start).unwrap();
    let mut bits = Vec::new();
    while let Some((x, g)) = solver.ask() {
        let f = rosenbrock(x, g);
        bits.extend(x.iter().map(|x| x.to_bits()));
        solver.tell_with(f, &given).unwrap();
    }
    bits
}

#[test]
fn every_level_asks_for_the_same_points() {
    for n in [2, 6, 32, 66, 40_000] {
        let scalar = trace(n, Level::SCALAR, None);
        assert!(scalar.len() > 5 * n, "{n}");
        for level in Level::available() {
            assert!(trace(n, level, None) == scalar, "{level} {n}");
        }
    }
}

#[test]
fn a_preconditioner_of_ones_is_none() {
    for n in [6, 66] {
        let with = trace(n, Level::SCALAR, Some(&vec![1.0; n]));
        assert!(with == trace(n, Level::SCALAR, None), "{n}");
    }
}

#[test]
fn a_search_goes_to_where_the_first_parameter_arrives_and_no_further() {
    // The sum of |x| falls towards 0 for ever. A step of 1 moves each parameter by 1/2, and one of 8 brings the first to 0.
    for (sign, l1) in [(1.0, 0.0), (-1.0, 0.0), (1.0, 1.0), (-1.0, 1.0)] {
        let (lower, upper) = if sign > 0.0 { (0.0, f64::INFINITY) } else { (f64::NEG_INFINITY, 0.0) };
        let (lower, upper) = ([lower; 4], [upper; 4]);
        let given = if l1 == 0.0 { Given::new().bounds(&lower, &upper) } else { Given::new() };
        let mut solver = Lbfgs::<4, 1, f64>::new();
        solver.start(&LbfgsSettings::new().l1(l1, ..), &[4.0, 8.0, 8.0, 8.0].map(|x| sign * x)).unwrap();
        let points = [(); 3].map(|()| {
            let (x, g) = solver.ask().unwrap();
            let distance = x.map(f64::abs);
            g.fill(sign);
            solver.tell_with(distance.iter().sum(), &given).unwrap();
            distance
        });
        assert_eq!(points, [[4.0, 8.0, 8.0, 8.0], [3.5, 7.5, 7.5, 7.5], [0.0, 4.0, 4.0, 4.0]], "{sign} {l1}");
    }
}

#[cfg(feature = "rayon")]
#[test]
fn any_number_of_threads_finds_the_same_points() {
    let n = 3 * gradus::BLOCK + 124; // times 16 pairs enough for three threads
    let [start, lower, upper] = boxed(n);
    let run = |exec: Exec| {
        let settings = LbfgsSettings { max_iterations: 8, ..LbfgsSettings::new() };
        let mut x = start.clone();
        let mut solver = LbfgsVec::new(n).pairs(16).settings(settings).on(exec);
        let report = solver.bounds(&lower, &upper).minimize(&mut x, rosenbrock).unwrap();
        (report, x.iter().map(|x| x.to_bits()).collect::<Vec<_>>())
    };
    let alone = run(Exec::new());
    for threads in [2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.scope(|_| run(Exec::threads())) == alone, "{threads} threads");
    }
}

#[test]
fn a_run_goes_on_from_a_file_and_in_fixed_memory_with_the_same_bits() {
    let [start, lower, upper] = boxed(6);
    let given = Given::new().bounds(&lower, &upper);
    let settings = LbfgsSettings::<f64>::new();
    let mut heap = LbfgsVec::new(6).pairs(3).settings(settings);
    let mut fixed = Lbfgs::<6, 3, f64>::new();
    heap.start(&start).unwrap();
    fixed.start(&settings, start[..].try_into().unwrap()).unwrap();
    let mut told = 0;
    while let (Some((x, g)), Some((same, to))) = (heap.ask(), fixed.ask()) {
        assert_eq!(x, same);
        let f = rosenbrock(x, g);
        to.copy_from_slice(g);
        heap.tell_with(f, &given).unwrap();
        fixed.tell_with(f, &given).unwrap();
        let file = store::to_vec(&fixed).unwrap();
        assert!(file == store::to_vec(&heap).unwrap());
        (fixed, told) = (Lbfgs::new(), told + 1);
        store::load(&mut fixed, &file).unwrap();
    }
    assert!(told > 20 && heap.report() == fixed.report() && heap.report().stop == Stop::Gradient);
}

#[test]
fn no_bounds_lead_where_infinite_bounds_lead() {
    for line_search in [LineSearch::MoreThuente, LineSearch::Backtracking] {
        let settings = LbfgsSettings { line_search, tolerance: 1e-9, ..LbfgsSettings::new() };
        let (mut a, mut b) = ([5.0; 6], [5.0; 6]);
        let (low, high) = ([f64::NEG_INFINITY; 6], [f64::INFINITY; 6]);
        LbfgsVec::new(6).settings(settings).minimize(&mut a, quadratic).unwrap();
        let r = LbfgsVec::new(6).settings(settings).bounds(&low, &high).minimize(&mut b, quadratic).unwrap();
        assert_eq!(r.stop, Stop::Gradient);
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-8), "{a:?} {b:?}");
    }
}

#[test]
fn bounds_of_equal_sides_fix_a_parameter_and_a_start_outside_comes_in() {
    let (lower, upper) = ([2.0, -4.0, 0.0, 3.0], [2.0, 0.5, f64::INFINITY, 9.0]);
    let mut x = [7.0, -9.0, -1.0, 5.0];
    let mut first = None;
    let r = LbfgsVec::new(4)
        .bounds(&lower, &upper)
        .minimize(&mut x, |x, g| {
            first.get_or_insert(x.to_vec());
            quadratic(x, g)
        })
        .unwrap();
    assert_eq!((r.stop, x), (Stop::Gradient, [2.0, 0.5, x[2], 3.0]));
    assert!((x[2] - 1.0).abs() < 1e-5);
    assert_eq!(first.unwrap(), [2.0, -4.0, 0.0, 5.0]);

    // Asked and told: the first point is the start, and the next is that point moved inside.
    let mut solver = Lbfgs::<4, 3, f64>::new();
    let start = [7.0, -9.0, -1.0, 5.0];
    solver.start(&LbfgsSettings::new(), &start).unwrap();
    let mut points = Vec::new();
    while let Some((x, g)) = solver.ask() {
        points.push(*x);
        let f = quadratic(x, g);
        solver.tell_with(f, &Given::new().bounds(&lower, &upper)).unwrap();
    }
    assert_eq!(points[..2], [start, [2.0, -4.0, 0.0, 5.0]]);
    assert_eq!((solver.report().stop, solver.report().evaluations as usize), (Stop::Gradient, points.len()));
}

#[test]
fn a_corner_is_a_minimum_where_the_gradient_presses_against_it() {
    // f = -x + y falls towards (1, -2), at once and for ever.
    let linear = |x: &[f32], g: &mut [f32]| {
        g.copy_from_slice(&[-1.0, 1.0]);
        x[1] - x[0]
    };
    for start in [[0.0, 0.0], [1.0, -2.0], [-3.0, -2.0]] {
        let mut x = start;
        let r = LbfgsVec::new(2).bounds(&[-3.0, -2.0], &[1.0, 5.0]).minimize(&mut x, linear).unwrap();
        assert_eq!((r.stop, x, r.value, r.gradient), (Stop::Gradient, [1.0, -2.0], -3.0, 0.0), "{start:?}");
    }
}

#[test]
fn stopped_early_it_is_at_a_point_that_it_showed() {
    let [start, lower, upper] = boxed(6);
    for stop_at in 0..40 {
        // Between two evaluations, without bounds at hand.
        let mut solver = Lbfgs::<6, 3, f64>::new();
        solver.start(&LbfgsSettings::new(), start[..].try_into().unwrap()).unwrap();
        let mut shown = vec![start.clone()];
        for _ in 0..stop_at {
            let Some((x, g)) = solver.ask() else { break };
            shown.push(x.to_vec());
            let f = rosenbrock(x, g);
            solver.tell_with(f, &Given::new().bounds(&lower, &upper)).unwrap();
        }
        if solver.ask().is_some() {
            if stop_at == 1 {
                shown.push(solver.x().to_vec()); // moved inside, and not yet evaluated
            }
            solver.stop();
        }
        assert!(shown.iter().any(|x| x == solver.x()), "{stop_at}");
        if stop_at > 1 {
            assert_eq!(rosenbrock(solver.x(), &mut [0.0; 6]), solver.report().value, "{stop_at}");
        }
        // By the callback, and by the budget.
        let mut x = start.clone();
        let r = LbfgsVec::new(6)
            .bounds(&lower, &upper)
            .on_iteration(|r: &Report<f64>| if r.iterations == stop_at { Break(()) } else { Continue(()) })
            .minimize(&mut x, rosenbrock)
            .unwrap();
        assert_eq!(rosenbrock(&x, &mut [0.0; 6]), r.value, "{stop_at}");
        let settings = LbfgsSettings { max_evaluations: 1 + stop_at, ..LbfgsSettings::new() };
        let (mut x, mut lowest) = (start.clone(), f64::INFINITY);
        let r = LbfgsVec::new(6)
            .settings(settings)
            .bounds(&lower, &upper)
            .minimize(&mut x, |x, g| {
                let f = rosenbrock(x, g);
                lowest = lowest.min(f);
                f
            })
            .unwrap();
        assert_eq!((rosenbrock(&x, &mut [0.0; 6]), r.value), (lowest, lowest), "{stop_at}");
    }
}

#[test]
fn a_preconditioner_helps_between_bounds_too() {
    let curvature = [1.0, 1e3, 1e6, 1e4];
    let objective = |x: &[f64], g: &mut [f64]| {
        let mut f = 0.0;
        for i in 0..4 {
            g[i] = curvature[i] * (x[i] - 1.0);
            f += 0.5 * curvature[i] * (x[i] - 1.0) * (x[i] - 1.0);
        }
        f
    };
    let (lower, upper, h) = ([0.0; 4], [2.0, 0.5, 2.0, 2.0], curvature.map(|a| 1.0 / a));
    let mut x = [0.25; 4];
    let r = LbfgsVec::new(4).preconditioner(&h).bounds(&lower, &upper).minimize(&mut x, objective).unwrap();
    assert_eq!((r.stop, x[1]), (Stop::Gradient, 0.5));
    assert!(r.evaluations < 8, "{r:?}");
}

#[test]
fn bad_bounds_are_refused() {
    let (low, high, nan) = (f64::NEG_INFINITY, f64::INFINITY, f64::NAN);
    for (lower, upper) in [(1.0, 0.0), (nan, 1.0), (0.0, nan), (high, high), (low, low)] {
        let (lower, upper, mut x) = ([0.0, lower], [0.0, upper], [3.0, 3.0]);
        let refused = Err(Error::Range(Hyper::Bounds));
        let run = LbfgsVec::new(2).bounds(&lower, &upper).minimize(&mut x, |_, _| unreachable!());
        assert_eq!((run, x), (refused, [3.0, 3.0]), "{lower:?} {upper:?}");
        let mut solver = Lbfgs::<2, 1, f64>::new();
        solver.start(&LbfgsSettings::new(), &x).unwrap();
        let given = Given::new().bounds(&lower, &upper);
        assert_eq!(solver.tell_with(1.0, &given), Err(Error::Range(Hyper::Bounds)));
        assert_eq!((solver.report().evaluations, solver.x()), (0, &x));
    }
    // Beside an L1 penalty, and of another length.
    let run = LbfgsVec::new(2).l1(0.1, ..).bounds(&[0.0; 2], &[1.0; 2]).minimize(&mut [0.0; 2], |_, _| 0.0);
    assert_eq!(run, Err(Error::Range(Hyper::Bounds)));
    let run = LbfgsVec::new(2).bounds(&[0.0; 3], &[1.0; 2]).minimize(&mut [0.0; 2], |_, _| 0.0);
    assert_eq!(run, Err(Error::Length { what: Argument::Bounds, expected: 2, found: 3 }));
    let run = LbfgsVec::new(2).bounds(&[0.0; 2], &[1.0; 1]).minimize(&mut [0.0; 2], |_, _| 0.0);
    assert_eq!(run, Err(Error::Length { what: Argument::Bounds, expected: 2, found: 1 }));
}
