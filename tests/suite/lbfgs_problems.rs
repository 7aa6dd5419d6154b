//! The problems on which L-BFGS is judged are what they claim to be: gradients, starts and minima.

use crate::support::mgh::Problem;
use crate::support::{OPTIMISED, learning, mgh};

fn all() -> Vec<Problem> {
    let mut all = mgh::problems();
    all.extend(learning::problems());
    all
}

/// Central differences of sixth order, with a step per coordinate; for many coordinates only some are checked.
fn check_gradient(problem: &Problem, x: &[f64]) {
    let mut g = vec![0.0; x.len()];
    let mut scratch = g.clone();
    let f = problem.eval(x, &mut g);
    let norm = g.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    let mut at = x.to_vec();
    for i in (0..x.len()).step_by(1 + x.len() / if OPTIMISED { 40 } else { 8 }) {
        let h = 2e-4 * x[i].abs().max(0.1);
        let mut value = |step: f64| {
            at[i] = x[i] + step;
            let f = problem.eval(&at, &mut scratch);
            at[i] = x[i];
            f
        };
        let mut across = |step: f64| value(step) - value(-step);
        let difference = (45.0 * across(h) - 9.0 * across(2.0 * h) + across(3.0 * h)) / (60.0 * h);
        let tolerance = 1e-6 * g[i].abs().max(1e-3 * norm) + 1e-12 * f.abs() / h;
        assert!(
            (difference - g[i]).abs() <= tolerance,
            "{} n {} coordinate {i}: {difference:e} {:e} tolerance {tolerance:e}",
            problem.name,
            problem.n(),
            g[i],
        );
    }
}

#[test]
fn gradients_agree_with_differences() {
    for problem in all() {
        check_gradient(&problem, &problem.start);
        let aside: Vec<f64> =
            problem.start.iter().enumerate().map(|(i, x)| x * (1.0 + 0.01 * (i % 7) as f64) + 1e-3).collect();
        check_gradient(&problem, &aside);
    }
}

/// Values at the standard starts, as far as they are easy to verify by hand or published.
#[test]
fn values_at_the_starts() {
    let value = |name: &str, n: usize| {
        let all = all();
        let problem = all.iter().find(|p| p.name == name && p.n() == n).unwrap();
        problem.eval(&problem.start, &mut vec![0.0; n])
    };
    let close = |got: f64, want: f64| assert!((got - want).abs() <= 1e-6 * want, "{got} {want}");
    close(value("rosenbrock", 2), 24.2);
    close(value("freudenstein_roth", 2), 400.5);
    close(value("beale", 2), 14.203125);
    close(value("helical_valley", 3), 2500.0);
    close(value("powell_singular", 4), 215.0);
    close(value("wood", 4), 19192.0);
    close(value("extended_rosenbrock", 1000), 12100.0);
    close(value("watson", 6), 30.0);
    close(value("box_3d", 3), 1031.1538106093985);
    close(value("bard", 3), 41.68169657);
    close(value("brown_dennis", 4), 7926693.336997432);
}

#[test]
fn there_are_enough_of_them() {
    let all = all();
    println!("{} problems", all.len());
    assert!(all.len() >= 65);
    assert_eq!(all.iter().map(Problem::n).max(), Some(1000));
}
