//! Functions 1 to 19: fixed dimension.

use super::{Problem, Squares};

pub const BARD: [f64; 15] =
    [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39];
pub const GAUSSIAN: [f64; 15] = [
    0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989, 0.3521, 0.2420, 0.1295, 0.0540, 0.0175,
    0.0044, 0.0009,
];
pub const MEYER: [f64; 16] = [
    34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0, 6005.0, 5147.0,
    4427.0, 3820.0, 3307.0, 2872.0,
];
pub const KOWALIK_Y: [f64; 11] =
    [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
pub const KOWALIK_U: [f64; 11] = [4.0, 2.0, 1.0, 0.5, 0.25, 0.1670, 0.1250, 0.1, 0.0833, 0.0714, 0.0625];
pub const OSBORNE1: [f64; 33] = [
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628,
    0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420,
    0.414, 0.411, 0.406,
];
pub const OSBORNE2: [f64; 65] = [
    1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616,
    0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495,
    0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672,
    0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581,
    0.428, 0.292, 0.162, 0.098, 0.054,
];

pub fn all() -> Vec<Problem> {
    vec![
        Problem::new("rosenbrock", &[-1.2, 1.0], rosenbrock).minima(&[0.0]),
        Problem::new("freudenstein_roth", &[0.5, -2.0], freudenstein_roth).minima(&[0.0, 48.9842]),
        Problem::new("powell_badly_scaled", &[0.0, 1.0], powell_badly_scaled).minima(&[0.0]),
        Problem::new("brown_badly_scaled", &[1.0, 1.0], brown_badly_scaled).minima(&[0.0]),
        Problem::new("beale", &[1.0, 1.0], beale).minima(&[0.0]),
        // Both exponents to minus infinity leave the sum of (2 + 2i)^2 = 2020.
        Problem { plateau: Some(2020.0), ..Problem::new("jennrich_sampson", &[0.3, 0.4], jennrich_sampson) }
            .minima(&[124.362]),
        Problem::new("helical_valley", &[-1.0, 0.0, 0.0], helical_valley).minima(&[0.0]),
        // The paper's second value 17.4286 belongs to x2, x3 at infinity.
        Problem { plateau: Some(17.4286), ..Problem::new("bard", &[1.0; 3], bard) }.minima(&[8.21487e-3]),
        Problem::new("gaussian", &[0.4, 1.0, 0.0], gaussian).minima(&[1.12793e-8]),
        Problem::new("meyer", &[0.02, 4000.0, 250.0], meyer).minima(&[87.9458]),
        Problem::new("gulf", &[5.0, 2.5, 0.15], gulf).minima(&[0.0]),
        Problem::new("box_3d", &[0.0, 10.0, 20.0], box_3d).minima(&[0.0]),
        Problem::new("powell_singular", &[3.0, -1.0, 0.0, 1.0], powell_singular).minima(&[0.0]),
        Problem::new("wood", &[-3.0, -1.0, -3.0, -1.0], wood).minima(&[0.0]),
        // The second published value is reached with x1 and x2 at infinity.
        Problem {
            plateau: Some(1.02734e-3),
            ..Problem::new("kowalik_osborne", &[0.25, 0.39, 0.415, 0.39], kowalik)
        }
        .minima(&[3.07505e-4]),
        Problem::new("brown_dennis", &[25.0, 5.0, -5.0, -1.0], brown_dennis).minima(&[85822.2]),
        Problem::new("osborne_1", &[0.5, 1.5, -1.0, 0.01, 0.02], osborne_1).minima(&[5.46489e-5]),
        Problem::new("biggs_exp6", &[1.0, 2.0, 1.0, 1.0, 1.0, 1.0], biggs_exp6).minima(&[0.0, 5.65565e-3]),
        Problem::new("osborne_2", &[1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5], osborne_2)
            .minima(&[4.01377e-2]),
    ]
}

fn rosenbrock(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    s.add(10.0 * (x[1] - x[0] * x[0]), &[-20.0 * x[0], 10.0]);
    s.add(1.0 - x[0], &[-1.0]);
    s.f
}

fn freudenstein_roth(x: &[f64], g: &mut [f64]) -> f64 {
    let (a, b) = (x[0], x[1]);
    let mut s = Squares::new(g);
    s.add(-13.0 + a + ((5.0 - b) * b - 2.0) * b, &[1.0, (10.0 - 3.0 * b) * b - 2.0]);
    s.add(-29.0 + a + ((b + 1.0) * b - 14.0) * b, &[1.0, (3.0 * b + 2.0) * b - 14.0]);
    s.f
}

fn powell_badly_scaled(x: &[f64], g: &mut [f64]) -> f64 {
    let (ea, eb) = ((-x[0]).exp(), (-x[1]).exp());
    let mut s = Squares::new(g);
    s.add(1e4 * x[0] * x[1] - 1.0, &[1e4 * x[1], 1e4 * x[0]]);
    s.add(ea + eb - 1.0001, &[-ea, -eb]);
    s.f
}

fn brown_badly_scaled(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    s.add(x[0] - 1e6, &[1.0]);
    s.add(x[1] - 2e-6, &[0.0, 1.0]);
    s.add(x[0] * x[1] - 2.0, &[x[1], x[0]]);
    s.f
}

fn beale(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for (i, y) in [1.5, 2.25, 2.625].into_iter().enumerate() {
        let power = x[1].powi(i as i32 + 1);
        let slope = (i + 1) as f64 * x[1].powi(i as i32);
        s.add(y - x[0] * (1.0 - power), &[power - 1.0, x[0] * slope]);
    }
    s.f
}

fn jennrich_sampson(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for i in 1..=10 {
        let i = i as f64;
        let (ea, eb) = ((i * x[0]).exp(), (i * x[1]).exp());
        s.add(2.0 + 2.0 * i - (ea + eb), &[-i * ea, -i * eb]);
    }
    s.f
}

fn helical_valley(x: &[f64], g: &mut [f64]) -> f64 {
    let tau = core::f64::consts::TAU;
    let theta = if x[0] == 0.0 {
        0.25_f64.copysign(x[1])
    } else {
        (x[1] / x[0]).atan() / tau + if x[0] < 0.0 { 0.5 } else { 0.0 }
    };
    let square = x[0] * x[0] + x[1] * x[1];
    let r = square.sqrt();
    let mut s = Squares::new(g);
    s.add(
        10.0 * (x[2] - 10.0 * theta),
        &[100.0 * x[1] / (tau * square), -100.0 * x[0] / (tau * square), 10.0],
    );
    s.add(10.0 * (r - 1.0), &[10.0 * x[0] / r, 10.0 * x[1] / r]);
    s.add(x[2], &[0.0, 0.0, 1.0]);
    s.f
}

fn bard(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for (i, y) in BARD.into_iter().enumerate() {
        let u = (i + 1) as f64;
        let v = 16.0 - u;
        let w = u.min(v);
        let d = v * x[1] + w * x[2];
        s.add(y - (x[0] + u / d), &[-1.0, u * v / (d * d), u * w / (d * d)]);
    }
    s.f
}

fn gaussian(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for (i, y) in GAUSSIAN.into_iter().enumerate() {
        let t = (7.0 - i as f64) / 2.0 - x[2];
        let e = (-x[1] * t * t / 2.0).exp();
        s.add(x[0] * e - y, &[e, -x[0] * e * t * t / 2.0, x[0] * e * x[1] * t]);
    }
    s.f
}

fn meyer(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for (i, y) in MEYER.into_iter().enumerate() {
        let t = 45.0 + 5.0 * (i + 1) as f64 + x[2];
        let e = (x[1] / t).exp();
        s.add(x[0] * e - y, &[e, x[0] * e / t, -x[0] * e * x[1] / (t * t)]);
    }
    s.f
}

fn gulf(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for i in 1..=99 {
        let t = i as f64 / 100.0;
        let y = 25.0 + (-50.0 * t.ln()).powf(2.0 / 3.0);
        let d = y - x[1];
        let power = d.abs().powf(x[2]);
        let e = (-power / x[0]).exp();
        s.add(
            e - t,
            &[e * power / (x[0] * x[0]), e * x[2] * power / (d * x[0]), -e * power * d.abs().ln() / x[0]],
        );
    }
    s.f
}

fn box_3d(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for i in 1..=10 {
        let t = 0.1 * i as f64;
        let (ea, eb) = ((-t * x[0]).exp(), (-t * x[1]).exp());
        let c = (-t).exp() - (-10.0 * t).exp();
        s.add(ea - eb - x[2] * c, &[-t * ea, t * eb, -c]);
    }
    s.f
}

pub fn powell_singular(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    let (root5, root10) = (5.0_f64.sqrt(), 10.0_f64.sqrt());
    for (k, x) in x.chunks_exact(4).enumerate() {
        let (u, v) = (x[1] - 2.0 * x[2], x[0] - x[3]);
        s.add_at(4 * k, x[0] + 10.0 * x[1], &[1.0, 10.0]);
        s.add_at(4 * k, root5 * (x[2] - x[3]), &[0.0, 0.0, root5, -root5]);
        s.add_at(4 * k, u * u, &[0.0, 2.0 * u, -4.0 * u]);
        s.add_at(4 * k, root10 * v * v, &[2.0 * root10 * v, 0.0, 0.0, -2.0 * root10 * v]);
    }
    s.f
}

fn wood(x: &[f64], g: &mut [f64]) -> f64 {
    let (root90, root10) = (90.0_f64.sqrt(), 10.0_f64.sqrt());
    let mut s = Squares::new(g);
    s.add(10.0 * (x[1] - x[0] * x[0]), &[-20.0 * x[0], 10.0]);
    s.add(1.0 - x[0], &[-1.0]);
    s.add(root90 * (x[3] - x[2] * x[2]), &[0.0, 0.0, -2.0 * root90 * x[2], root90]);
    s.add(1.0 - x[2], &[0.0, 0.0, -1.0]);
    s.add(root10 * (x[1] + x[3] - 2.0), &[0.0, root10, 0.0, root10]);
    s.add((x[1] - x[3]) / root10, &[0.0, 1.0 / root10, 0.0, -1.0 / root10]);
    s.f
}

fn kowalik(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for (y, u) in KOWALIK_Y.into_iter().zip(KOWALIK_U) {
        let (top, bottom) = (u * (u + x[1]), u * (u + x[2]) + x[3]);
        let q = x[0] / bottom;
        s.add(y - q * top, &[-top / bottom, -q * u, q * top * u / bottom, q * top / bottom]);
    }
    s.f
}

fn brown_dennis(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for i in 1..=20 {
        let t = i as f64 / 5.0;
        let (a, b) = (x[0] + t * x[1] - t.exp(), x[2] + x[3] * t.sin() - t.cos());
        s.add(a * a + b * b, &[2.0 * a, 2.0 * a * t, 2.0 * b, 2.0 * b * t.sin()]);
    }
    s.f
}

fn osborne_1(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for (i, y) in OSBORNE1.into_iter().enumerate() {
        let t = 10.0 * i as f64;
        let (ea, eb) = ((-t * x[3]).exp(), (-t * x[4]).exp());
        s.add(y - (x[0] + x[1] * ea + x[2] * eb), &[-1.0, -ea, -eb, x[1] * t * ea, x[2] * t * eb]);
    }
    s.f
}

fn biggs_exp6(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for i in 1..=13 {
        let t = 0.1 * i as f64;
        let y = (-t).exp() - 5.0 * (-10.0 * t).exp() + 3.0 * (-4.0 * t).exp();
        let (a, b, c) = ((-t * x[0]).exp(), (-t * x[1]).exp(), (-t * x[4]).exp());
        let r = x[2] * a - x[3] * b + x[5] * c - y;
        s.add(r, &[-t * x[2] * a, t * x[3] * b, a, -b, -t * x[5] * c, c]);
    }
    s.f
}

fn osborne_2(x: &[f64], g: &mut [f64]) -> f64 {
    let mut s = Squares::new(g);
    for (i, y) in OSBORNE2.into_iter().enumerate() {
        let t = i as f64 / 10.0;
        let e0 = (-t * x[4]).exp();
        let mut d = [0.0; 11];
        let mut r = y - x[0] * e0;
        d[0] = -e0;
        d[4] = x[0] * t * e0;
        for k in 1..4 {
            let u = t - x[7 + k];
            let e = (-u * u * x[4 + k]).exp();
            r -= x[k] * e;
            d[k] = -e;
            d[4 + k] = x[k] * u * u * e;
            d[7 + k] = -2.0 * x[k] * u * x[4 + k] * e;
        }
        s.add(r, &d);
    }
    s.f
}
