//! Training objectives on the data of `data/`: logistic and softmax regression with L2, a small perceptron, full batch.

use super::mgh::Problem;

#[derive(Clone)]
pub struct Data {
    pub features: usize,
    pub classes: usize,
    /// Row after row.
    pub x: Vec<f64>,
    pub label: Vec<usize>,
}

impl Data {
    fn parse(csv: &str) -> Self {
        let mut data = Data { features: 0, classes: 0, x: Vec::new(), label: Vec::new() };
        for line in csv.lines() {
            let row: Vec<f64> = line.split_terminator(',').map(|field| field.parse().unwrap()).collect();
            let (label, features) = row.split_last().unwrap();
            data.features = features.len();
            data.x.extend(features);
            data.label.push(*label as usize);
        }
        data.classes = data.label.iter().max().unwrap() + 1;
        data
    }

    pub fn iris() -> Self {
        Self::parse(include_str!("../../data/iris.csv"))
    }

    pub fn wine() -> Self {
        Self::parse(include_str!("../../data/wine.csv"))
    }

    pub fn breast_cancer() -> Self {
        Self::parse(include_str!("../../data/breast_cancer.csv"))
    }

    pub fn digits() -> Self {
        Self::parse(include_str!("../../data/digits.csv"))
    }

    /// The first `rows` samples.
    fn first(mut self, rows: usize) -> Self {
        self.x.truncate(rows * self.features);
        self.label.truncate(rows);
        self
    }

    fn scaled(mut self, by: f64) -> Self {
        self.x.iter_mut().for_each(|x| *x *= by);
        self
    }

    /// Every feature with mean 0 and variance 1.
    pub fn standardised(mut self) -> Self {
        let rows = self.label.len() as f64;
        for j in 0..self.features {
            let column = || self.x.iter().skip(j).step_by(self.features);
            let mean = column().sum::<f64>() / rows;
            let deviation = (column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows).sqrt();
            self.x.iter_mut().skip(j).step_by(self.features).for_each(|x| *x = (*x - mean) / deviation);
        }
        self
    }
}

/// Mean logistic loss of labels 0 and 1 plus `l2/2 |w|^2`; the last parameter is the bias and is not penalised.
pub fn logistic(name: &'static str, data: Data, l2: f64) -> Problem {
    let n = data.features + 1;
    Problem::new(name, &vec![0.0; n], move |x, g| {
        let (bias, weights) = x.split_last().unwrap();
        let scale = 1.0 / data.label.len() as f64;
        g.fill(0.0);
        let mut loss = 0.0;
        for (row, &label) in data.x.chunks_exact(data.features).zip(&data.label) {
            let z = bias + row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>();
            let margin = if label == 1 { z } else { -z };
            // log(1 + e^-margin) without overflow
            loss += (-margin).max(0.0) + (-margin.abs()).exp().ln_1p();
            let d = 1.0 / (1.0 + (-z).exp()) - label as f64;
            for (g, x) in g.iter_mut().zip(row) {
                *g += scale * d * x;
            }
            g[n - 1] += scale * d;
        }
        scale * loss + penalty(weights, g, l2)
    })
}

/// Mean cross entropy of a softmax layer plus `l2/2 |W|^2`; parameters: weights class by class, then the biases.
pub fn softmax(name: &'static str, data: Data, l2: f64) -> Problem {
    let (features, classes) = (data.features, data.classes);
    Problem::new(name, &vec![0.0; (features + 1) * classes], move |x, g| {
        let (weights, biases) = x.split_at(features * classes);
        let scale = 1.0 / data.label.len() as f64;
        g.fill(0.0);
        let mut loss = 0.0;
        let mut z = vec![0.0; classes];
        for (row, &label) in data.x.chunks_exact(features).zip(&data.label) {
            layer(weights, biases, row, &mut z);
            loss += cross_entropy(&mut z, label);
            let (gw, gb) = g.split_at_mut(features * classes);
            layer_gradient(row, &z, scale, gw, gb);
        }
        scale * loss + penalty(weights, g, l2)
    })
}

/// One hidden layer of tanh units, softmax output, mean cross entropy plus `l2/2 |W|^2` over both layers' weights.
pub fn perceptron(name: &'static str, data: Data, hidden: usize, l2: f64) -> Problem {
    let (features, classes) = (data.features, data.classes);
    let sizes = [features * hidden, hidden, hidden * classes, classes];
    let n: usize = sizes.iter().sum();
    // Start: uniform in +-1/sqrt(inputs) from a 64-bit congruential generator.
    let mut seed = 1_u64;
    let mut uniform = |inputs: usize| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0) / (inputs as f64).sqrt()
    };
    let start: Vec<f64> =
        (0..n).map(|i| uniform(if i < sizes[0] + hidden { features } else { hidden })).collect();
    Problem::new(name, &start, move |x, g| {
        let (w1, rest) = x.split_at(sizes[0]);
        let (b1, rest) = rest.split_at(sizes[1]);
        let (w2, b2) = rest.split_at(sizes[2]);
        g.fill(0.0);
        let mut loss = 0.0;
        let scale = 1.0 / data.label.len() as f64;
        let (mut h, mut z, mut back) = (vec![0.0; hidden], vec![0.0; classes], vec![0.0; hidden]);
        for (row, &label) in data.x.chunks_exact(features).zip(&data.label) {
            layer(w1, b1, row, &mut h);
            h.iter_mut().for_each(|h| *h = h.tanh());
            layer(w2, b2, &h, &mut z);
            loss += cross_entropy(&mut z, label);
            for (j, back) in back.iter_mut().enumerate() {
                let sum: f64 = z.iter().enumerate().map(|(k, z)| z * w2[k * hidden + j]).sum();
                *back = sum * (1.0 - h[j] * h[j]);
            }
            let (gw1, rest) = g.split_at_mut(sizes[0]);
            let (gb1, rest) = rest.split_at_mut(sizes[1]);
            let (gw2, gb2) = rest.split_at_mut(sizes[2]);
            layer_gradient(row, &back, scale, gw1, gb1);
            layer_gradient(&h, &z, scale, gw2, gb2);
        }
        let (g1, g2) = g.split_at_mut(sizes[0] + sizes[1]);
        scale * loss + penalty(w1, g1, l2) + penalty(w2, g2, l2)
    })
}

fn penalty(weights: &[f64], g: &mut [f64], l2: f64) -> f64 {
    let mut sum = 0.0;
    for (w, g) in weights.iter().zip(g) {
        sum += w * w;
        *g += l2 * w;
    }
    0.5 * l2 * sum
}

fn layer(weights: &[f64], biases: &[f64], input: &[f64], output: &mut [f64]) {
    for ((out, row), bias) in output.iter_mut().zip(weights.chunks_exact(input.len())).zip(biases) {
        *out = bias + row.iter().zip(input).map(|(w, x)| w * x).sum::<f64>();
    }
}

fn layer_gradient(input: &[f64], delta: &[f64], scale: f64, gw: &mut [f64], gb: &mut [f64]) {
    for ((gw, gb), delta) in gw.chunks_exact_mut(input.len()).zip(gb).zip(delta) {
        *gb += scale * delta;
        for (gw, x) in gw.iter_mut().zip(input) {
            *gw += scale * delta * x;
        }
    }
}

/// Loss of the logits `z`, which become its derivative: the probabilities minus the indicator of `label`.
fn cross_entropy(z: &mut [f64], label: usize) -> f64 {
    let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let own = z[label] - top;
    let sum: f64 = z.iter().map(|z| (z - top).exp()).sum();
    z.iter_mut().for_each(|z| *z = (*z - top).exp() / sum);
    z[label] -= 1.0;
    sum.ln() - own
}

pub fn problems() -> Vec<Problem> {
    vec![
        logistic("logistic_breast_cancer", Data::breast_cancer().standardised(), 1e-2),
        softmax("softmax_iris", Data::iris(), 1e-3),
        softmax("softmax_wine", Data::wine().standardised(), 1e-2),
        softmax("softmax_digits", Data::digits().first(500).scaled(1.0 / 16.0), 1e-3),
        perceptron("perceptron_iris", Data::iris().standardised(), 8, 1e-3),
        perceptron("perceptron_wine", Data::wine().standardised(), 6, 1e-3),
        perceptron("perceptron_digits", Data::digits().first(300).scaled(1.0 / 16.0), 12, 1e-3),
    ]
}

/// Weights that an L1 penalty makes sparse.
pub fn sparse_problems() -> Vec<Problem> {
    let digits = || softmax("softmax_digits", Data::digits().scaled(1.0 / 16.0), 0.0);
    let cancer = || logistic("logistic_breast_cancer", Data::breast_cancer().standardised(), 0.0);
    [1e-3, 1e-2]
        .into_iter()
        .flat_map(|l1| [Problem { l1: (l1, 640), ..digits() }, Problem { l1: (l1, 30), ..cancer() }])
        .collect()
}
