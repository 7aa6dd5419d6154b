//! The functions of up to 12 parameters once more, with exact Hessians: their residuals over numbers that carry a
//! gradient and a Hessian along.

use super::fixed::{BARD, GAUSSIAN, KOWALIK_U, KOWALIK_Y, MEYER, OSBORNE1, OSBORNE2};
use core::ops::{Add, Div, Mul, Neg, Sub};

/// A value with its gradient and its Hessian in `N` parameters.
#[derive(Clone, Copy)]
pub struct Jet<const N: usize> {
    pub f: f64,
    pub g: [f64; N],
    pub h: [[f64; N]; N],
}

impl<const N: usize> Jet<N> {
    const fn of(f: f64) -> Self {
        Self { f, g: [0.0; N], h: [[0.0; N]; N] }
    }

    /// Parameter `i` with value `x`.
    pub fn parameter(i: usize, x: f64) -> Self {
        let mut jet = Self::of(x);
        jet.g[i] = 1.0;
        jet
    }

    /// A function of it, given value and two derivatives.
    fn chain(self, [f, d, dd]: [f64; 3]) -> Self {
        let mut jet = Self { f, g: self.g.map(|g| d * g), h: self.h.map(|row| row.map(|h| d * h)) };
        for i in 0..N {
            for j in 0..N {
                jet.h[i][j] += dd * (self.g[i] * self.g[j]);
            }
        }
        jet
    }

    fn exp(self) -> Self {
        self.chain([self.f.exp(); 3])
    }
    fn ln(self) -> Self {
        self.chain([self.f.ln(), 1.0 / self.f, -1.0 / (self.f * self.f)])
    }
    fn sqrt(self) -> Self {
        let root = self.f.sqrt();
        self.chain([root, 0.5 / root, -0.25 / (root * self.f)])
    }
    fn sin(self) -> Self {
        let (sin, cos) = self.f.sin_cos();
        self.chain([sin, cos, -sin])
    }
    fn atan(self) -> Self {
        let d = 1.0 / (1.0 + self.f * self.f);
        self.chain([self.f.atan(), d, -2.0 * self.f * d * d])
    }
    fn abs(self) -> Self {
        if self.f < 0.0 { -self } else { self }
    }
    fn square(self) -> Self {
        self * self
    }
}

impl<const N: usize> Add for Jet<N> {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self.f += other.f;
        for i in 0..N {
            self.g[i] += other.g[i];
            for j in 0..N {
                self.h[i][j] += other.h[i][j];
            }
        }
        self
    }
}

impl<const N: usize> Mul for Jet<N> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let mut jet = Self::of(self.f * other.f);
        for i in 0..N {
            jet.g[i] = self.f * other.g[i] + self.g[i] * other.f;
            for j in 0..N {
                let mixed = self.g[i] * other.g[j] + self.g[j] * other.g[i];
                jet.h[i][j] = self.f * other.h[i][j] + self.h[i][j] * other.f + mixed;
            }
        }
        jet
    }
}

impl<const N: usize> Div for Jet<N> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let inverse = 1.0 / other.f;
        self * other.chain([inverse, -inverse * inverse, 2.0 * inverse * inverse * inverse])
    }
}

impl<const N: usize> Neg for Jet<N> {
    type Output = Self;
    fn neg(self) -> Self {
        self * -1.0
    }
}

impl<const N: usize> Sub for Jet<N> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<const N: usize> Add<f64> for Jet<N> {
    type Output = Self;
    fn add(mut self, other: f64) -> Self {
        self.f += other;
        self
    }
}

impl<const N: usize> Sub<f64> for Jet<N> {
    type Output = Self;
    fn sub(self, other: f64) -> Self {
        self + -other
    }
}

impl<const N: usize> Mul<f64> for Jet<N> {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        self.chain([self.f * other, other, 0.0])
    }
}

fn sum<const N: usize>(all: impl IntoIterator<Item = Jet<N>>) -> Jet<N> {
    all.into_iter().fold(Jet::of(0.0), |sum, jet| sum + jet)
}

/// The residuals of the function of this name at `x`; `None` for a name without.
fn residuals<const N: usize>(name: &str, x: &[Jet<N>; N]) -> Option<Vec<Jet<N>>> {
    let number = |i: usize| i as f64;
    let at = |k: usize| if (1..=N).contains(&k) { x[k - 1] } else { Jet::of(0.0) };
    let spacing = 1.0 / (N + 1) as f64;
    Some(match name {
        "rosenbrock" | "extended_rosenbrock" => {
            x.chunks_exact(2).flat_map(|x| [(x[1] - x[0].square()) * 10.0, -x[0] + 1.0]).collect()
        }
        "freudenstein_roth" => {
            let (a, b) = (x[0], x[1]);
            vec![a + ((-b + 5.0) * b - 2.0) * b - 13.0, a + ((b + 1.0) * b - 14.0) * b - 29.0]
        }
        "powell_badly_scaled" => vec![x[0] * x[1] * 1e4 - 1.0, (-x[0]).exp() + (-x[1]).exp() - 1.0001],
        "brown_badly_scaled" => vec![x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0],
        "beale" => {
            let power = [x[1], x[1].square(), x[1].square() * x[1]];
            [1.5, 2.25, 2.625].into_iter().zip(power).map(|(y, p)| -(x[0] * (-p + 1.0)) + y).collect()
        }
        "jennrich_sampson" => (1..=10)
            .map(|i| -((x[0] * number(i)).exp() + (x[1] * number(i)).exp()) + (2.0 + 2.0 * number(i)))
            .collect(),
        "helical_valley" => {
            let side = if x[0].f < 0.0 { 0.5 } else { 0.0 };
            let theta = (x[1] / x[0]).atan() * (1.0 / core::f64::consts::TAU) + side;
            let r = (x[0].square() + x[1].square()).sqrt();
            vec![(x[2] - theta * 10.0) * 10.0, (r - 1.0) * 10.0, x[2]]
        }
        "bard" => BARD
            .into_iter()
            .zip(1..)
            .map(|(y, i)| {
                let (u, v) = (number(i), 16.0 - number(i));
                -(x[0] + Jet::of(u) / (x[1] * v + x[2] * u.min(v))) + y
            })
            .collect(),
        "gaussian" => GAUSSIAN
            .into_iter()
            .zip(0..)
            .map(|(y, i)| {
                let t = -x[2] + (7.0 - number(i)) / 2.0;
                x[0] * (x[1] * t.square() * -0.5).exp() - y
            })
            .collect(),
        "meyer" => MEYER
            .into_iter()
            .zip(1..)
            .map(|(y, i)| x[0] * (x[1] / (x[2] + (45.0 + 5.0 * number(i)))).exp() - y)
            .collect(),
        "gulf" => (1..=99)
            .map(|i| {
                let t = number(i) / 100.0;
                let d = (-x[1] + (25.0 + (-50.0 * t.ln()).powf(2.0 / 3.0))).abs();
                (-((x[2] * d.ln()).exp() / x[0])).exp() - t
            })
            .collect(),
        "box_3d" => (1..=10)
            .map(|i| {
                let t = 0.1 * number(i);
                (x[0] * -t).exp() - (x[1] * -t).exp() - x[2] * ((-t).exp() - (-10.0 * t).exp())
            })
            .collect(),
        "powell_singular" => vec![
            x[0] + x[1] * 10.0,
            (x[2] - x[3]) * 5.0_f64.sqrt(),
            (x[1] - x[2] * 2.0).square(),
            (x[0] - x[3]).square() * 10.0_f64.sqrt(),
        ],
        "wood" => vec![
            (x[1] - x[0].square()) * 10.0,
            -x[0] + 1.0,
            (x[3] - x[2].square()) * 90.0_f64.sqrt(),
            -x[2] + 1.0,
            (x[1] + x[3] - 2.0) * 10.0_f64.sqrt(),
            (x[1] - x[3]) * (1.0 / 10.0_f64.sqrt()),
        ],
        "kowalik_osborne" => KOWALIK_Y
            .into_iter()
            .zip(KOWALIK_U)
            .map(|(y, u)| -(x[0] * (x[1] + u) * u / ((x[2] + u) * u + x[3])) + y)
            .collect(),
        "brown_dennis" => (1..=20)
            .map(|i| {
                let t = number(i) / 5.0;
                (x[0] + x[1] * t - t.exp()).square() + (x[2] + x[3] * t.sin() - t.cos()).square()
            })
            .collect(),
        "osborne_1" => OSBORNE1
            .into_iter()
            .zip(0..)
            .map(|(y, i)| {
                let t = -10.0 * number(i);
                -(x[0] + x[1] * (x[3] * t).exp() + x[2] * (x[4] * t).exp()) + y
            })
            .collect(),
        "biggs_exp6" => (1..=13)
            .map(|i| {
                let t = -0.1 * number(i);
                let y = t.exp() - 5.0 * (10.0 * t).exp() + 3.0 * (4.0 * t).exp();
                x[2] * (x[0] * t).exp() - x[3] * (x[1] * t).exp() + x[5] * (x[4] * t).exp() - y
            })
            .collect(),
        "osborne_2" => OSBORNE2
            .into_iter()
            .zip(0..)
            .map(|(y, i)| {
                let t = number(i) / 10.0;
                let bell = |k: usize| x[k] * (-(x[4 + k] * (-x[7 + k] + t).square())).exp();
                -(x[0] * (x[4] * -t).exp() + bell(1) + bell(2) + bell(3)) + y
            })
            .collect(),
        "watson" => (1..=29)
            .map(|i| {
                let t = number(i) / 29.0;
                let slope = sum((1..N).map(|j| x[j] * (number(j) * t.powi(j as i32 - 1))));
                slope - sum((0..N).map(|j| x[j] * t.powi(j as i32))).square() - 1.0
            })
            .chain([x[0], x[1] - x[0].square() - 1.0])
            .collect(),
        "penalty_1" => {
            let rest = sum(x.map(Jet::square)) - 0.25;
            x.iter().map(|x| (*x - 1.0) * 1e-5_f64.sqrt()).chain([rest]).collect()
        }
        "penalty_2" => {
            let root = 1e-5_f64.sqrt();
            let e = x.map(|x| (x * 0.1).exp());
            let mut all = vec![x[0] - 0.2];
            for i in 1..N {
                let y = (number(i + 1) / 10.0).exp() + (number(i) / 10.0).exp();
                all.extend([(e[i] + e[i - 1] - y) * root, (e[i] - (-0.1_f64).exp()) * root]);
            }
            all.push(sum((0..N).map(|j| x[j].square() * number(N - j))) - 1.0);
            all
        }
        "variably_dimensioned" => {
            let weighted = sum((0..N).map(|j| (x[j] - 1.0) * number(j + 1)));
            x.iter().map(|x| *x - 1.0).chain([weighted, weighted.square()]).collect()
        }
        "trigonometric" => {
            let rise = x.map(|x| (x * 0.5).sin().square() * 2.0);
            (0..N).map(|j| sum(rise) + rise[j] * number(j + 1) - x[j].sin()).collect()
        }
        "brown_almost_linear" => {
            let total = sum(*x);
            let product = x.iter().skip(1).fold(x[0], |product, x| product * *x);
            x[..N - 1].iter().map(|x| *x + total - number(N + 1)).chain([product - 1.0]).collect()
        }
        "discrete_boundary_value" => (1..=N)
            .map(|i| {
                let c = at(i) + (number(i) * spacing + 1.0);
                at(i) * 2.0 - at(i - 1) - at(i + 1) + c.square() * c * (spacing * spacing / 2.0)
            })
            .collect(),
        "discrete_integral_equation" => (1..=N)
            .map(|i| {
                let t = |k: usize| number(k) * spacing;
                let part = |j: usize| {
                    let kernel = if j <= i { (1.0 - t(i)) * t(j) } else { t(i) * (1.0 - t(j)) };
                    let c = at(j) + (t(j) + 1.0);
                    c.square() * c * (spacing / 2.0 * kernel)
                };
                at(i) + sum((1..=N).map(part))
            })
            .collect(),
        "broyden_tridiagonal" => {
            (1..=N).map(|i| (-at(i) * 2.0 + 3.0) * at(i) - at(i - 1) - at(i + 1) * 2.0 + 1.0).collect()
        }
        "broyden_banded" => (0..N)
            .map(|i| {
                let band = (i.saturating_sub(5)..=(i + 1).min(N - 1)).filter(|&j| j != i);
                x[i] * (x[i].square() * 5.0 + 2.0) + 1.0 - sum(band.map(|j| x[j] * (x[j] + 1.0)))
            })
            .collect(),
        "linear_full_rank" => {
            let common = sum(*x) * -0.1 - 1.0;
            (0..20).map(|i| if i < N { x[i] + common } else { common }).collect()
        }
        "linear_rank_1" => {
            let weighted = sum((0..N).map(|j| x[j] * number(j + 1)));
            (1..=20).map(|i| weighted * number(i) - 1.0).collect()
        }
        "linear_rank_1_zero" => {
            let weighted = sum((1..N - 1).map(|j| x[j] * number(j + 1)));
            (1..=20_usize)
                .map(|i| weighted * if i > 1 && i < 20 { number(i - 1) } else { 0.0 } - 1.0)
                .collect()
        }
        "chebyquad" => {
            let (mut before, mut now) = ([Jet::of(1.0); N], x.map(|x| x * 2.0 - 1.0));
            let mut all = Vec::new();
            for i in 1..=N {
                let integral = if i % 2 == 0 { -1.0 / number(i * i - 1) } else { 0.0 };
                all.push(sum(now) * (1.0 / number(N)) - integral);
                let next: [_; N] = core::array::from_fn(|j| (x[j] * 2.0 - 1.0) * now[j] * 2.0 - before[j]);
                (before, now) = (now, next);
            }
            all
        }
        _ => return None,
    })
}

/// The function of this name at `x`, with gradient and Hessian; `None` for a name without.
pub fn evaluate<const N: usize>(name: &str, x: &[f64; N]) -> Option<Jet<N>> {
    let parameters = core::array::from_fn(|i| Jet::parameter(i, x[i]));
    Some(sum(residuals(name, &parameters)?.into_iter().map(Jet::square)))
}
