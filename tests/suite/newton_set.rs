//! Newton's method on the functions of Moré, Garbow and Hillstrom with up to 12 parameters, also from far away.

use crate::support::mgh::hessian::{Jet, evaluate};
use crate::support::mgh::{Problem, problems};
use gradus::second_order::{NewtonSettings, Report, Stop};

/// A call with a constant for the number of parameters, which is known at run time.
macro_rules! of_size {
    ($k:ident = $n:expr => $call:expr) => {
        of_size!($k = $n => $call, 2 3 4 5 6 8 9 10 11 12)
    };
    ($k:ident = $n:expr => $call:expr, $($size:literal)*) => {
        match $n {
            $($size => {
                const $k: usize = $size;
                $call
            })*
            n => panic!("no function of {n} parameters"),
        }
    };
}

fn small() -> impl Iterator<Item = Problem> {
    problems().into_iter().filter(|p| p.n() <= 12)
}

fn jet<const N: usize>(p: &Problem, x: &[f64]) -> (f64, Vec<f64>, Vec<Vec<f64>>) {
    let Jet { f, g, h } = evaluate::<N>(p.name, x.try_into().unwrap()).expect(p.name);
    (f, g.to_vec(), h.map(|row| row.to_vec()).to_vec())
}

#[test]
fn value_gradient_and_hessian_are_those_of_the_problem() {
    for p in small() {
        let x: Vec<f64> =
            p.start.iter().enumerate().map(|(i, x)| x * (1.0 + 0.01 * i as f64) + 1e-3).collect();
        let n = x.len();
        let (f, g, h) = of_size!(N = n => jet::<N>(&p, &x));
        let mut gradient = vec![0.0; n];
        let value = p.eval(&x, &mut gradient);
        let near = |a: f64, b: f64, unit: f64| (a - b).abs() <= unit;
        assert!(near(f, value, 1e-11 * value.abs().max(1e-3)), "{}: {f} {value}", p.name);
        let largest = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
        for i in 0..n {
            assert!(near(g[i], gradient[i], 1e-11 * largest), "{} {i}: {} {}", p.name, g[i], gradient[i]);
        }
        // Rows against differences of the analytic gradient.
        for i in 0..n {
            let step = 1e-5 * x[i].abs().max(1e-1);
            let side = |by: f64| {
                let (mut at, mut g) = (x.clone(), vec![0.0; n]);
                at[i] += by;
                p.eval(&at, &mut g);
                g
            };
            let (up, down) = (side(step), side(-step));
            let row = h[i].iter().fold(0.0_f64, |m, h| m.max(h.abs()));
            for j in 0..n {
                let difference = (up[j] - down[j]) / (2.0 * step);
                let unit = 2e-5 * row + 1e-10 * largest / step;
                assert!(near(h[i][j], difference, unit), "{} {i} {j}: {} {difference}", p.name, h[i][j]);
            }
        }
    }
}

fn newton<const N: usize>(p: &Problem, start: &[f64]) -> (Report<f64>, bool) {
    let mut x: [f64; N] = start.try_into().unwrap();
    let mut whole = true;
    let report = NewtonSettings { max_iterations: 1000, ..NewtonSettings::new() }
        .minimize(&mut x, |x, g, h| {
            let jet = evaluate::<N>(p.name, x).unwrap();
            (*g, *h) = (jet.g, jet.h);
            whole &= jet.f.is_finite()
                && jet.g.iter().all(|g| g.is_finite())
                && jet.h.iter().flatten().all(|h| h.is_finite());
            jet.f
        })
        .unwrap();
    (report, whole)
}

#[test]
fn far_starts_are_solved_too() {
    let (mut solved, mut all, mut evaluations) = (0, 0, 0);
    for p in small() {
        for scale in [1.0, 10.0, 100.0] {
            let start: Vec<f64> = p.start.iter().map(|x| x * scale).collect();
            let (r, whole) = of_size!(N = p.n() => newton::<N>(&p, &start));
            all += 1;
            if p.solved(r.value, r.gradient) {
                solved += 1;
                evaluations += r.evaluations;
            } else {
                println!("not solved: {} {} from {scale} x0: {r:?}", p.name, p.n());
            }
            assert!(r.stop != Stop::NonFinite || !whole, "{} from {scale} x0: {r:?}", p.name);
        }
    }
    println!("{solved} of {all} solved with {evaluations} evaluations");
    // Without a floor under the damping it was 110.
    assert_eq!((all, solved), (117, 113));
}
