//! What the tests of L-BFGS share: problems, and a shorthand to solve them.

use super::mgh::Problem;
use super::{learning, mgh};
use gradus::second_order::{LbfgsSettings, Real, Report};

pub fn problem(name: &str, n: usize) -> Problem {
    let mut all = mgh::problems();
    all.extend(learning::problems());
    all.into_iter().find(|p| p.name == name && p.n() == n).unwrap()
}

pub fn minimize(settings: &LbfgsSettings<f64>, p: &Problem) -> (Vec<f64>, Report<f64>) {
    let mut x = p.start.clone();
    let report = settings.minimize(&mut x, |x, g| p.eval(x, g)).unwrap();
    (x, report)
}

/// Rosenbrock's function for both number types.
pub fn rosenbrock<T: Real>(x: &[T], g: &mut [T]) -> T {
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
pub fn quadratic(x: &[f64], g: &mut [f64]) -> f64 {
    let mut f = 0.0;
    for (i, (x, g)) in x.iter().zip(g).enumerate() {
        let a = 1.0 + 10.0 * i as f64;
        *g = a * (x - 1.0);
        f += 0.5 * a * (x - 1.0) * (x - 1.0);
    }
    f
}
