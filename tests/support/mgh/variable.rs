//! Functions 20 to 35: variable dimension.

use super::fixed::powell_singular;
use super::{Problem, Squares};

fn repeat(pattern: &[f64], n: usize) -> Vec<f64> {
    pattern.iter().copied().cycle().take(n).collect()
}

/// The values of `start` at j = 1 .. n.
fn indexed(n: usize, start: impl Fn(f64) -> f64) -> Vec<f64> {
    (1..=n).map(|j| start(j as f64)).collect()
}

pub fn all() -> Vec<Problem> {
    let mut all = Vec::new();
    let watson_minima: [(usize, &'static [f64]); 4] =
        [(6, &[2.28767e-3]), (9, &[1.39976e-6]), (12, &[4.72238e-10]), (20, &[])];
    for (n, minima) in watson_minima {
        all.push(Problem::new("watson", &vec![0.0; n], watson).minima(minima));
    }
    for n in [10, 100, 1000] {
        all.push(
            Problem::new("extended_rosenbrock", &repeat(&[-1.2, 1.0], n), extended_rosenbrock).minima(&[0.0]),
        );
    }
    for n in [100, 1000] {
        let start = repeat(&[3.0, -1.0, 0.0, 1.0], n);
        all.push(Problem::new("extended_powell_singular", &start, powell_singular).minima(&[0.0]));
    }
    let penalty_1_minima: [(usize, &'static [f64]); 3] =
        [(4, &[2.24997e-5]), (10, &[7.08765e-5]), (100, &[])];
    for (n, minima) in penalty_1_minima {
        all.push(Problem::new("penalty_1", &indexed(n, |j| j), penalty_1).minima(minima));
    }
    let penalty_2_minima: [(usize, &'static [f64]); 3] =
        [(4, &[9.37629e-6]), (10, &[2.93660e-4]), (100, &[])];
    for (n, minima) in penalty_2_minima {
        all.push(Problem::new("penalty_2", &vec![0.5; n], penalty_2).minima(minima));
    }
    for n in [10, 100] {
        let start = indexed(n, |j| 1.0 - j / n as f64);
        all.push(Problem::new("variably_dimensioned", &start, variably_dimensioned).minima(&[0.0]));
    }
    for n in [10, 100, 1000] {
        all.push(Problem::new("trigonometric", &vec![1.0 / n as f64; n], trigonometric));
    }
    for n in [10, 100] {
        all.push(Problem::new("brown_almost_linear", &vec![0.5; n], brown_almost_linear).minima(&[0.0, 1.0]));
    }
    for n in [10, 50, 100] {
        let start = grid_start(n);
        all.push(Problem::new("discrete_boundary_value", &start, discrete_boundary_value).minima(&[0.0]));
    }
    for n in [10, 100] {
        let start = grid_start(n);
        all.push(
            Problem::new("discrete_integral_equation", &start, discrete_integral_equation).minima(&[0.0]),
        );
    }
    for n in [10, 100, 1000] {
        let start = vec![-1.0; n];
        all.push(Problem::new("broyden_tridiagonal", &start, broyden_tridiagonal).minima(&[0.0]));
        all.push(Problem::new("broyden_banded", &start, broyden_banded).minima(&[0.0]));
    }
    // m = 20 residuals: the minimum is m - n.
    all.push(Problem::new("linear_full_rank", &[1.0; 10], |x, g| linear_full_rank(x, g, 20)).minima(&[10.0]));
    // m (m - 1) / (2 (2m + 1)) and (m^2 + 3m - 6) / (2 (2m - 3)).
    all.push(
        Problem::new("linear_rank_1", &[1.0; 10], |x, g| linear_rank_1(x, g, 20)).minima(&[380.0 / 82.0]),
    );
    all.push(
        Problem::new("linear_rank_1_zero", &[1.0; 10], |x, g| linear_rank_1_zero(x, g, 20))
            .minima(&[454.0 / 74.0]),
    );
    let chebyquad_minima: [(usize, &'static [f64]); 3] =
        [(8, &[3.51687e-3]), (10, &[6.50395e-3, 4.77271e-3]), (20, &[])];
    for (n, minima) in chebyquad_minima {
        all.push(Problem::new("chebyquad", &indexed(n, |j| j / (n + 1) as f64), chebyquad).minima(minima));
    }
    all
}

fn watson(x: &[f64], g: &mut [f64]) -> f64 {
    let n = x.len();
    let mut s = Squares::new(g);
    let mut d = vec![0.0; n];
    for i in 1..=29 {
        let t = i as f64 / 29.0;
        let (mut sum, mut slope, mut power) = (0.0, 0.0, 1.0);
        for (j, x) in x.iter().enumerate() {
            sum += x * power;
            slope += j as f64 * x * power / t;
            power *= t;
        }
        power = 1.0;
        for (j, d) in d.iter_mut().enumerate() {
            *d = j as f64 * power / t - 2.0 * sum * power;
            power *= t;
        }
        s.add(slope - sum * sum - 1.0, &d);
    }
    s.add(x[0], &[1.0]);
    s.add(x[1] - x[0] * x[0] - 1.0, &[-2.0 * x[0], 1.0]);
    s.f
}

pub fn extended_rosenbrock(x: &[f64], g: &mut [f64]) -> f64 {
    let mut f = 0.0;
    for (x, g) in x.chunks_exact(2).zip(g.chunks_exact_mut(2)) {
        let (u, v) = (10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]);
        g[0] = -40.0 * u * x[0] - 2.0 * v;
        g[1] = 20.0 * u;
        f += u * u + v * v;
    }
    f
}

fn penalty_1(x: &[f64], g: &mut [f64]) -> f64 {
    let a = 1e-5;
    let rest = x.iter().map(|x| x * x).sum::<f64>() - 0.25;
    let mut f = rest * rest;
    for (x, g) in x.iter().zip(g) {
        f += a * (x - 1.0) * (x - 1.0);
        *g = 2.0 * a * (x - 1.0) + 4.0 * rest * x;
    }
    f
}

fn penalty_2(x: &[f64], g: &mut [f64]) -> f64 {
    let n = x.len();
    let root = 1e-5_f64.sqrt();
    let mut s = Squares::new(g);
    s.add(x[0] - 0.2, &[1.0]);
    for i in 1..n {
        let y = ((i + 1) as f64 / 10.0).exp() + (i as f64 / 10.0).exp();
        let (a, b) = ((x[i - 1] / 10.0).exp(), (x[i] / 10.0).exp());
        s.add_at(i - 1, root * (b + a - y), &[root * a / 10.0, root * b / 10.0]);
        s.add_at(i, root * (b - (-0.1_f64).exp()), &[root * b / 10.0]);
    }
    let weighted = |j: usize| (n - j) as f64 * x[j];
    let r = (0..n).map(|j| weighted(j) * x[j]).sum::<f64>() - 1.0;
    let d: Vec<f64> = (0..n).map(|j| 2.0 * weighted(j)).collect();
    s.add(r, &d);
    s.f
}

fn variably_dimensioned(x: &[f64], g: &mut [f64]) -> f64 {
    let sum: f64 = x.iter().enumerate().map(|(j, x)| (j + 1) as f64 * (x - 1.0)).sum();
    let mut f = sum * sum * (1.0 + sum * sum);
    for (j, (x, g)) in x.iter().zip(g).enumerate() {
        f += (x - 1.0) * (x - 1.0);
        *g = 2.0 * (x - 1.0) + (j + 1) as f64 * (2.0 * sum + 4.0 * sum * sum * sum);
    }
    f
}

fn trigonometric(x: &[f64], g: &mut [f64]) -> f64 {
    // 1 - cos x = 2 sin^2(x/2), which does not cancel for the small x of a large n.
    let rise = |j: usize| 2.0 * (x[j] / 2.0).sin().powi(2);
    let common: f64 = (0..x.len()).map(rise).sum();
    let residual = |j: usize| common + (j + 1) as f64 * rise(j) - x[j].sin();
    let total: f64 = (0..x.len()).map(residual).sum();
    let mut f = 0.0;
    for (j, g) in g.iter_mut().enumerate() {
        let r = residual(j);
        f += r * r;
        *g = 2.0 * (total * x[j].sin() + r * ((j + 1) as f64 * x[j].sin() - x[j].cos()));
    }
    f
}

fn brown_almost_linear(x: &[f64], g: &mut [f64]) -> f64 {
    let n = x.len();
    let sum: f64 = x.iter().sum();
    let mut s = Squares::new(g);
    let mut total = 0.0;
    for (i, x) in x[..n - 1].iter().enumerate() {
        let r = x + sum - (n + 1) as f64;
        s.add_at(i, r, &[1.0]);
        total += r;
    }
    let all_but = |j: usize| -> f64 { (0..n).filter(|&k| k != j).map(|k| x[k]).product() };
    let d: Vec<f64> = (0..n).map(all_but).collect();
    s.add(d[0] * x[0] - 1.0, &d);
    let f = s.f;
    for g in g {
        *g += 2.0 * total;
    }
    f
}

fn grid_start(n: usize) -> Vec<f64> {
    indexed(n, |j| {
        let t = j / (n + 1) as f64;
        t * (t - 1.0)
    })
}

fn discrete_boundary_value(x: &[f64], g: &mut [f64]) -> f64 {
    let n = x.len();
    let h = 1.0 / (n + 1) as f64;
    let at = |k: usize| if (1..=n).contains(&k) { x[k - 1] } else { 0.0 };
    let mut s = Squares::new(g);
    for i in 1..=n {
        let c = at(i) + i as f64 * h + 1.0;
        let r = 2.0 * at(i) - at(i - 1) - at(i + 1) + h * h * c * c * c / 2.0;
        let d = [-1.0, 2.0 + 1.5 * h * h * c * c, -1.0];
        let skip = usize::from(i == 1);
        s.add_at(i + skip - 2, r, &d[skip..]);
    }
    s.f
}

fn discrete_integral_equation(x: &[f64], g: &mut [f64]) -> f64 {
    let n = x.len();
    let h = 1.0 / (n + 1) as f64;
    let t = |k: usize| (k + 1) as f64 * h;
    let cube = |k: usize| (x[k] + t(k) + 1.0).powi(3);
    let slope = |k: usize| 3.0 * (x[k] + t(k) + 1.0).powi(2);
    let mut s = Squares::new(g);
    let mut d = vec![0.0; n];
    for i in 0..n {
        let mut r = x[i];
        for (j, d) in d.iter_mut().enumerate() {
            let kernel = if j <= i { (1.0 - t(i)) * t(j) } else { t(i) * (1.0 - t(j)) };
            r += h / 2.0 * kernel * cube(j);
            *d = h / 2.0 * kernel * slope(j);
        }
        d[i] += 1.0;
        s.add(r, &d);
    }
    s.f
}

fn broyden_tridiagonal(x: &[f64], g: &mut [f64]) -> f64 {
    let n = x.len();
    let at = |k: usize| if (1..=n).contains(&k) { x[k - 1] } else { 0.0 };
    let mut s = Squares::new(g);
    for i in 1..=n {
        let r = (3.0 - 2.0 * at(i)) * at(i) - at(i - 1) - 2.0 * at(i + 1) + 1.0;
        let d = [-1.0, 3.0 - 4.0 * at(i), -2.0];
        let skip = usize::from(i == 1);
        s.add_at(i + skip - 2, r, &d[skip..]);
    }
    s.f
}

fn broyden_banded(x: &[f64], g: &mut [f64]) -> f64 {
    let n = x.len();
    let mut s = Squares::new(g);
    for i in 0..n {
        let (first, last) = (i.saturating_sub(5), (i + 1).min(n - 1));
        let mut r = x[i] * (2.0 + 5.0 * x[i] * x[i]) + 1.0;
        let mut d = [0.0; 7];
        for j in first..=last {
            if j == i {
                d[j - first] = 2.0 + 15.0 * x[i] * x[i];
            } else {
                r -= x[j] * (1.0 + x[j]);
                d[j - first] = -(1.0 + 2.0 * x[j]);
            }
        }
        s.add_at(first, r, &d[..=last - first]);
    }
    s.f
}

fn linear_full_rank(x: &[f64], g: &mut [f64], m: usize) -> f64 {
    let n = x.len();
    let shift = 2.0 / m as f64;
    let common = -shift * x.iter().sum::<f64>() - 1.0;
    let mut s = Squares::new(g);
    let mut d = vec![-shift; n];
    for i in 0..m {
        if i < n {
            d[i] += 1.0;
            s.add(x[i] + common, &d);
            d[i] -= 1.0;
        } else {
            s.add(common, &d);
        }
    }
    s.f
}

fn linear_rank_1(x: &[f64], g: &mut [f64], m: usize) -> f64 {
    let weights = indexed(x.len(), |j| j);
    linear_rank_1_weighted(x, g, &weights, (1..=m).map(|i| i as f64))
}

fn linear_rank_1_zero(x: &[f64], g: &mut [f64], m: usize) -> f64 {
    let n = x.len();
    let weights = indexed(n, |j| if j > 1.0 && j < n as f64 { j } else { 0.0 });
    linear_rank_1_weighted(x, g, &weights, (1..=m).map(|i| if i > 1 && i < m { (i - 1) as f64 } else { 0.0 }))
}

fn linear_rank_1_weighted(x: &[f64], g: &mut [f64], weights: &[f64], rows: impl Iterator<Item = f64>) -> f64 {
    let sum: f64 = weights.iter().zip(x).map(|(w, x)| w * x).sum();
    let mut s = Squares::new(g);
    for row in rows {
        let d: Vec<f64> = weights.iter().map(|w| row * w).collect();
        s.add(row * sum - 1.0, &d);
    }
    s.f
}

fn chebyquad(x: &[f64], g: &mut [f64]) -> f64 {
    let n = x.len();
    // Columns of T_i and T_i' at every x_j, for the Chebyshev polynomials shifted to [0, 1].
    let mut before = vec![(1.0, 0.0); n];
    let mut now: Vec<(f64, f64)> = x.iter().map(|x| (2.0 * x - 1.0, 2.0)).collect();
    let mut s = Squares::new(g);
    for i in 1..=n {
        let integral = if i % 2 == 0 { -1.0 / ((i * i - 1) as f64) } else { 0.0 };
        let mean = now.iter().map(|t| t.0).sum::<f64>() / n as f64;
        let d: Vec<f64> = now.iter().map(|t| t.1 / n as f64).collect();
        s.add(mean - integral, &d);
        for ((x, before), now) in x.iter().zip(&mut before).zip(&mut now) {
            let z = 2.0 * x - 1.0;
            let next = (2.0 * z * now.0 - before.0, 4.0 * now.0 + 2.0 * z * now.1 - before.1);
            *before = *now;
            *now = next;
        }
    }
    s.f
}
