//! A polynomial through ten noisy points, and what lambda makes of it.

use gallery::style::{
    Backend, Figure, INK, KINDS, SCALE, TEST, TRAIN, axes, curve, frame, legend, plain, power_of_ten,
};
use gradus::second_order::NewtonSettings;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::error::Error;

const TERMS: usize = 9;
const POINTS: usize = 10;

/// What is to be learnt, and what noise made of it at ten places.
fn truth(x: f64) -> f64 {
    1.5 * x - 2.0 * x * x * x + 0.8 * x * x
}
const NOISE: [f64; POINTS] = [0.16, -0.22, 0.2, -0.12, 0.24, -0.2, -0.1, 0.25, -0.21, 0.1];

fn shown(k: usize) -> (f64, f64) {
    let x = -1.0 + 2.0 * k as f64 / (POINTS - 1) as f64;
    (x, truth(x) + NOISE[k])
}

/// Legendre's polynomials, whose scales are alike.
fn terms(x: f64) -> [f64; TERMS] {
    let mut p = [1.0; TERMS];
    p[1] = x;
    for n in 1..TERMS - 1 {
        let k = n as f64;
        p[n + 1] = ((2.0 * k + 1.0) * x * p[n] - k * p[n - 1]) / (k + 1.0);
    }
    p
}

fn at(w: &[f64; TERMS], x: f64) -> f64 {
    terms(x).iter().zip(w).map(|(x, w)| x * w).sum()
}

/// The weights of least mean squared error plus `lambda` times the sum of their squares: one step of Newton's.
fn fit(lambda: f64) -> Result<[f64; TERMS], gradus::Error> {
    let mut w = [0.0; TERMS];
    let settings = NewtonSettings { tolerance: 1e-12, max_iterations: 3, ..NewtonSettings::new() };
    settings.minimize(&mut w, |w, g, h| {
        *g = w.map(|w| 2.0 * lambda * w);
        *h = std::array::from_fn(|i| std::array::from_fn(|j| if i == j { 2.0 * lambda } else { 0.0 }));
        let mut loss = lambda * w.iter().map(|w| w * w).sum::<f64>();
        for (x, y) in (0..POINTS).map(shown) {
            let (p, e) = (terms(x), at(w, x) - y);
            loss += e * e / POINTS as f64;
            for i in 0..TERMS {
                g[i] += 2.0 * e * p[i] / POINTS as f64;
                for j in 0..TERMS {
                    h[i][j] += 2.0 * p[i] * p[j] / POINTS as f64;
                }
            }
        }
        loss
    })?;
    Ok(w)
}

/// Mean squared errors at the points that were shown, and between them against the truth.
fn errors(w: &[f64; TERMS]) -> [f64; 2] {
    let train = (0..POINTS).map(shown).map(|(x, y)| (at(w, x) - y).powi(2)).sum::<f64>() / POINTS as f64;
    let test = (0..=100).map(|k| -1.0 + f64::from(k) / 50.0);
    [train, test.map(|x| (at(w, x) - truth(x)).powi(2)).sum::<f64>() / 101.0]
}

/// Errors over the strength of the penalty, and the polynomials of three strengths.
pub struct Lambda {
    sweep: Vec<(f64, [f64; 2])>,
    fits: [([f64; TERMS], RGBColor); 3],
}

const FITS: [(f64, &str, RGBColor); 3] =
    [(0.0, "λ = 0", KINDS[1]), (0.01, "λ = 0.01", KINDS[0]), (10.0, "λ = 10", KINDS[3])];

impl Lambda {
    pub fn new() -> Result<Self, gradus::Error> {
        let mut sweep = Vec::new();
        for k in -24..=8 {
            let power = f64::from(k) / 4.0;
            sweep.push((power, errors(&fit(10_f64.powf(power))?)));
        }
        let [none, some, much] = FITS.map(|(lambda, _, color)| fit(lambda).map(|w| (w, color)));
        Ok(Self { sweep, fits: [none?, some?, much?] })
    }
}

impl Figure for Lambda {
    const SIZE: (i32, i32) = (900, 400);
    fn words(&self) -> String {
        "As lambda grows the error in training rises and that of the test falls, then rises too: from overfitting to underfitting. Beside it the polynomials of three strengths through ten points".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        area.fill(&WHITE)?;
        let panels = area.split_evenly((1, 2));
        let body = legend(&panels[0], &[("in training", TRAIN), ("on the test", TEST)])?;
        let mut chart = frame(&body, ["Mean squared error", "overfits ← → underfits"], -6.0..2.0, -4.0..0.0)?;
        axes(&mut chart, ["λ", "error"], &power_of_ten, &power_of_ten)?;
        for (k, color) in [TRAIN, TEST].into_iter().enumerate() {
            let points = self.sweep.iter().map(|(lambda, errors)| (*lambda, errors[k].log10()));
            curve(&mut chart, &Vec::from_iter(points), color)?;
        }

        let body = legend(&panels[1], &FITS.map(|(_, name, color)| (name, color)))?;
        let mut chart =
            frame(&body, ["Polynomials of degree 8", "dots: what was shown"], -1.05..1.05, -1.5..2.0)?;
        axes(&mut chart, ["x", "y"], &plain, &plain)?;
        for (w, color) in &self.fits {
            let points = (-100..=100).map(|k| f64::from(k) / 100.0).map(|x| (x, at(w, x)));
            curve(&mut chart, &Vec::from_iter(points), *color)?;
        }
        chart.draw_series((0..POINTS).map(|k| Circle::new(shown(k), 3 * SCALE, INK.filled())))?;
        Ok(())
    }
}
