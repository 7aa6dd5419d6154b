//! The race itself: four surfaces, six rules, and the path of a rule over a surface.
//!
//! Surfaces and noise use `+ - * /` alone, as the crate does: a path has the same bits on every
//! target, so the page under `web/` runs this file too.

use core::f32::consts::SQRT_2;
use gradus::{AdaGrad, Adam, Momentum, Nesterov, Optimizer, RmsProp, Sgd};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

/// A point of the plane, or a vector in it.
pub type Point = [f32; 2];

/// The rules, in the order of [`Surface::lr`].
pub const RULES: [&str; 6] = ["SGD", "Momentum", "Nesterov", "AdaGrad", "RMSProp", "Adam"];

/// A function of two variables to descend on.
pub struct Surface {
    pub name: &'static str,
    pub formula: &'static str,
    /// The value, and the gradient.
    pub at: fn(Point) -> (f32, Point),
    /// Left, right, bottom and top of the part that is shown.
    pub window: [f32; 4],
    pub start: Point,
    /// Where the value is lowest.
    pub minima: &'static [Point],
    /// A learning rate for each rule, picked by hand so that none of them diverges.
    pub lr: [f32; 6],
    pub steps: usize,
    /// Standard deviation of the gradient noise, where there is some.
    pub noise: f32,
}

pub const SURFACES: [Surface; 4] = [
    Surface {
        name: "Ill-conditioned bowl",
        formula: "(x² + 50 y²) / 2",
        at: |[x, y]| ((x * x + 50.0 * y * y) / 2.0, [x, 50.0 * y]),
        window: [-5.5, 2.5, -2.0, 2.0],
        start: [-5.0, 1.6],
        minima: &[[0.0, 0.0]],
        lr: [0.036, 0.01, 0.01, 0.5, 0.05, 0.3],
        steps: 120,
        noise: 2.0,
    },
    Surface {
        name: "Saddle",
        formula: "x² - y² + y⁴ / 4",
        at: |[x, y]| {
            let (x2, y2) = (x * x, y * y);
            (x2 - y2 + y2 * y2 / 4.0, [2.0 * x, y * y2 - 2.0 * y])
        },
        window: [-2.2, 2.2, -2.0, 2.0],
        start: [-1.9, 0.004],
        minima: &[[0.0, SQRT_2], [0.0, -SQRT_2]],
        lr: [0.05, 0.02, 0.02, 0.2, 0.02, 0.1],
        steps: 120,
        noise: 0.2,
    },
    Surface {
        name: "Double well",
        formula: "(x² - 1)² + x / 4 + y²",
        at: |[x, y]| {
            let well = x * x - 1.0;
            (well * well + x / 4.0 + y * y, [4.0 * x * well + 0.25, 2.0 * y])
        },
        window: [-1.9, 2.1, -1.2, 1.2],
        start: [1.9, 0.9],
        minima: &[[-1.029_896, 0.0]],
        lr: [0.02, 0.02, 0.02, 0.3, 0.02, 0.1],
        steps: 120,
        noise: 1.0,
    },
    Surface {
        name: "Rosenbrock's valley",
        formula: "(1 - x)² + 100 (y - x²)²",
        at: |[x, y]| {
            let (a, b) = (1.0 - x, y - x * x);
            (a * a + 100.0 * b * b, [-2.0 * a - 400.0 * x * b, 200.0 * b])
        },
        window: [-1.7, 1.5, -0.5, 2.0],
        start: [-1.2, 1.0],
        minima: &[[1.0, 1.0]],
        lr: [0.0015, 0.0005, 0.0005, 0.5, 0.01, 0.05],
        steps: 600,
        noise: 4.0,
    },
];

/// How a rule runs: its learning rate, and how much of the past it keeps.
#[derive(Clone, Copy)]
pub struct Pace {
    pub lr: f32,
    /// `rho` of momentum and Nesterov, `beta1` of Adam.
    pub momentum: f32,
    /// Standard deviation of the noise on each gradient.
    pub noise: f32,
    pub steps: usize,
}

/// The path of the rule `RULES[rule]` over `surface`: the start and one point for each step.
pub fn path(rule: usize, surface: &Surface, start: Point, pace: Pace) -> Vec<Point> {
    let Pace { lr, momentum, .. } = pace;
    let rho = f64::from(momentum);
    match rule {
        0 => descend(Sgd::new(lr), surface, start, pace),
        1 => descend(Momentum { rho, ..Momentum::new(lr) }, surface, start, pace),
        2 => descend(Nesterov { rho, ..Nesterov::new(lr) }, surface, start, pace),
        3 => descend(AdaGrad::new(lr), surface, start, pace),
        4 => descend(RmsProp { rho: 0.9, ..RmsProp::new(lr) }, surface, start, pace),
        _ => descend(Adam { beta1: rho, ..Adam::new(lr) }, surface, start, pace),
    }
}

fn descend(optimizer: impl Optimizer, surface: &Surface, start: Point, pace: Pace) -> Vec<Point> {
    let mut noise = Xoshiro128PlusPlus::seed_from_u64(7); // the same weather for every rule
    let mut state = optimizer.state();
    let mut p = start;
    let mut path = vec![p];
    for _ in 0..pace.steps {
        let mut grads = (surface.at)(p).1;
        for g in &mut grads {
            *g += pace.noise * normal(&mut noise);
        }
        optimizer.step(&mut p, &grads, &mut state);
        path.push(p);
    }
    path
}

/// A sum of twelve uniform variables: mean 0, deviation 1, normal enough, and the same bits everywhere.
fn normal(rng: &mut impl Rng) -> f32 {
    let mut sum = -6.0;
    for _ in 0..12 {
        sum += (rng.next_u32() >> 8) as f32 / 16_777_216.0;
    }
    sum
}
