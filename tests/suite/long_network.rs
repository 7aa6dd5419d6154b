//! A convolutional network trained for 100 000 steps, beside the same in f64.
//!
//! The one in f64 is written here, loops over indices and nothing of the library's. Run by `ci.sh long`, in release.

use crate::support::random::Random;
use gradus::layer::{Conv2d, Dense, MaxPool2d};
use gradus::schedule::{Cosine, Schedule};
use gradus::*;

const STEPS: u32 = 100_000;
const WINDOW: u32 = 1000;
const BATCH: usize = 8;
const CLASSES: usize = 10;

const C1: Conv2d = Conv2d::new([8, 8, 1], 4, [3, 3]).padding([1, 1]);
const P1: MaxPool2d = MaxPool2d::new(C1.output(), [2, 2]);
const C2: Conv2d = Conv2d::new(P1.output(), 8, [3, 3]).padding([1, 1]);
const P2: MaxPool2d = MaxPool2d::new(C2.output(), [2, 2]);
const DENSE: Dense = Dense::new(P2.outputs(), CLASSES);
const PARTS: [usize; 3] = [C1.params(), C2.params(), DENSE.params()];
const N: usize = PARTS[0] + PARTS[1] + PARTS[2];

/// Pixels and labels of the digits. Every tenth label is wrong, more than the network can learn by heart: the loss stays
/// far from 0, and ratios of losses say something to the end.
fn digits() -> (Vec<f32>, Vec<u8>) {
    let (mut x, mut labels) = (vec![], vec![]);
    for (k, line) in include_str!("../../data/digits.csv").lines().enumerate() {
        let numbers: Vec<u8> = line.split_terminator(',').map(|number| number.parse().unwrap()).collect();
        x.extend(numbers[..64].iter().map(|pixel| f32::from(*pixel) / 16.0));
        labels.push(if k % 10 == 0 { (numbers[64] + 3) % 10 } else { numbers[64] });
    }
    (x, labels)
}

fn start() -> [f32; N] {
    let mut random = Random(51);
    let mut part = |n: usize, scale: f32| -> Vec<f32> { (0..n).map(|_| scale * random.signed()).collect() };
    let scales = [(4, 0.1), (36, 0.5), (8, 0.1), (288, 0.3), (10, 0.1), (320, 0.3)];
    scales.into_iter().flat_map(|(n, scale)| part(n, scale)).collect::<Vec<f32>>().try_into().unwrap()
}

/// The network by the library: the loss of a batch, after which all parameters have moved.
fn learn<O: Optimizer>(
    rule: O,
    params: &mut [f32; N],
    state: &mut State<O::Family, N>,
    x: &[f32],
    labels: &[u8],
) -> Result<f32, Error> {
    let exec = Exec::new();
    let (mut c1, mut p1) = ([0.0; BATCH * C1.outputs()], [0.0; BATCH * P1.outputs()]);
    let (mut c2, mut p2) = ([0.0; BATCH * C2.outputs()], [0.0; BATCH * P2.outputs()]);
    let mut scores = [0.0; BATCH * CLASSES];
    let (mut d1, mut e1, mut d2, mut e2) = (c1, p1, c2, p2);
    let (w1, rest) = params.split_at(PARTS[0]);
    let (w2, w3) = rest.split_at(PARTS[1]);
    C1.forward(w1, x, &mut c1)?;
    activation::relu(exec, &mut c1);
    P1.forward(&c1, &mut p1)?;
    C2.forward(w2, &p1, &mut c2)?;
    activation::relu(exec, &mut c2);
    P2.forward(&c2, &mut p2)?;
    DENSE.forward(w3, &p2, &mut scores)?;
    let loss = loss::softmax_cross_entropy(exec, &mut scores, labels)?;
    let [u1, u2, u3] = rule.update(params, state).split(PARTS)?;
    DENSE.backward_step(u3, &p2, &scores, Some(&mut e2))?;
    P2.backward(&c2, &p2, &e2, &mut d2)?;
    activation::relu_backward(exec, &mut d2, &c2)?;
    C2.backward_step(u2, &p1, &d2, Some(&mut e1))?;
    P1.backward(&c1, &p1, &e1, &mut d1)?;
    activation::relu_backward(exec, &mut d1, &c1)?;
    C1.backward_step(u1, x, &d1, None)?;
    Ok(loss)
}

/// The same network in f64, one image at a time.
struct Plain {
    params: Vec<f64>,
    grads: Vec<f64>,
    m: Vec<f64>,
    v: Vec<f64>,
}

/// The products of a convolution of 3 x 3 with a border of zeros.
///
/// It calls `visit(output, input, weight)`, all as places in their arrays, for each product of the sums.
fn products(side: usize, channels: usize, filters: usize, mut visit: impl FnMut(usize, usize, usize)) {
    for row in 0..side {
        for column in 0..side {
            for (k, (down, right)) in (0..9).map(|k| (k, (k / 3, k % 3))) {
                let (r, c) = (row + down, column + right);
                if r < 1 || c < 1 || r > side || c > side {
                    continue;
                }
                for i in 0..channels {
                    for o in 0..filters {
                        let place = ((r - 1) * side + c - 1) * channels + i;
                        visit((row * side + column) * filters + o, place, (k * channels + i) * filters + o);
                    }
                }
            }
        }
    }
}

/// The largest of each 2 x 2, and its place: the first of equal ones.
fn largest(side: usize, channels: usize, x: &[f64]) -> Vec<usize> {
    let mut places = vec![];
    for at in 0..side / 2 * (side / 2) * channels {
        let (pixel, channel) = (at / channels, at % channels);
        let (row, column) = (pixel / (side / 2) * 2, pixel % (side / 2) * 2);
        let of = |k: usize| ((row + k / 2) * side + column + k % 2) * channels + channel;
        places.push((1..4).fold(of(0), |best, k| if x[of(k)] > x[best] { of(k) } else { best }));
    }
    places
}

impl Plain {
    fn convolve(side: usize, channels: usize, filters: usize, params: &[f64], x: &[f64]) -> Vec<f64> {
        let (biases, weights) = params.split_at(filters);
        let mut y: Vec<f64> = (0..side * side * filters).map(|at| biases[at % filters]).collect();
        products(side, channels, filters, |output, input, weight| y[output] += x[input] * weights[weight]);
        y.iter_mut().for_each(|y| *y = y.max(0.0));
        y
    }

    /// The loss of one image; its gradients are added.
    fn image(&mut self, x: &[f64], label: usize) -> f64 {
        let (one, two) = (PARTS[0], PARTS[0] + PARTS[1]);
        let (p, g) = (&self.params, &mut self.grads);
        let c1 = Self::convolve(8, 1, 4, &p[..one], x);
        let at1 = largest(8, 4, &c1);
        let p1: Vec<f64> = at1.iter().map(|at| c1[*at]).collect();
        let c2 = Self::convolve(4, 4, 8, &p[one..two], &p1);
        let at2 = largest(4, 8, &c2);
        let p2: Vec<f64> = at2.iter().map(|at| c2[*at]).collect();
        let dense = &p[two..];
        let scores: Vec<f64> = (0..CLASSES)
            .map(|o| {
                dense[o]
                    + p2.iter().enumerate().map(|(i, x)| x * dense[CLASSES + i * CLASSES + o]).sum::<f64>()
            })
            .collect();
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|z| (z - highest).exp()).sum();

        let mut e2 = vec![0.0; p2.len()];
        for o in 0..CLASSES {
            let d = ((scores[o] - highest).exp() / sum - f64::from(u8::from(o == label))) / BATCH as f64;
            g[two + o] += d;
            for (i, x) in p2.iter().enumerate() {
                g[two + CLASSES + i * CLASSES + o] += x * d;
                e2[i] += d * dense[CLASSES + i * CLASSES + o];
            }
        }
        let d2 = Self::through(&c2, &at2, &e2);
        let mut e1 = vec![0.0; p1.len()];
        d2.iter().enumerate().for_each(|(at, d)| g[one + at % 8] += d);
        products(4, 4, 8, |output, input, weight| {
            g[one + 8 + weight] += p1[input] * d2[output];
            e1[input] += p[one + 8 + weight] * d2[output];
        });
        let d1 = Self::through(&c1, &at1, &e1);
        d1.iter().enumerate().for_each(|(at, d)| g[at % 4] += d);
        products(8, 1, 4, |output, input, weight| g[4 + weight] += x[input] * d1[output]);
        sum.ln() + highest - scores[label]
    }

    /// Backwards through the largest of each window and ReLU.
    fn through(y: &[f64], places: &[usize], d: &[f64]) -> Vec<f64> {
        let mut dx = vec![0.0; y.len()];
        places.iter().zip(d).filter(|(at, _)| y[**at] > 0.0).for_each(|(at, d)| dx[*at] += d);
        dx
    }

    /// A step of AdamW.
    fn learn(&mut self, t: u32, rule: &AdamW, x: &[f32], labels: &[u8]) -> f64 {
        self.grads.fill(0.0);
        let mut loss = 0.0;
        for (x, label) in x.chunks(64).zip(labels) {
            let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
            loss += self.image(&x, usize::from(*label)) / BATCH as f64;
        }
        let AdamW { lr, beta1, beta2, eps: Epsilon::Outside(eps), weight_decay } = *rule else { panic!() };
        let (lr, eps, decay) = (f64::from(lr), f64::from(eps), f64::from(weight_decay));
        let [c1, c2] = [beta1, beta2].map(|beta| 1.0 - beta.powf(t.into()));
        for (((p, g), m), v) in self.params.iter_mut().zip(&self.grads).zip(&mut self.m).zip(&mut self.v) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *p -= lr * decay * *p + lr * (*m / c1) / ((*v / c2).sqrt() + eps);
        }
        loss
    }
}

/// Trains both on the same batches. The losses of every step of the first `exact` must agree within `near`, the mean
/// losses of every thousand steps within `far`, as parts of that in f64; and neither may be twice as near as that.
///
/// Rounding decides in the end which of two nearly equal pixels is the largest of a window. From then on the two networks
/// are different ones, which are equally good.
fn compare<O: Optimizer>(name: &str, of: impl Fn(AdamW) -> O, exact: u32, near: f64, far: f64) {
    let rule = AdamW { weight_decay: 0.1, ..AdamW::new(1e-3) };
    let schedule = Cosine::new(rule.lr, STEPS);
    let (x, labels) = digits();
    let (mut params, mut state, mut random) = (start(), of(rule).state(), Random(52));
    let wide: Vec<f64> = params.iter().map(|p| f64::from(*p)).collect();
    let mut plain = Plain { params: wide, grads: vec![0.0; N], m: vec![0.0; N], v: vec![0.0; N] };
    let (mut first, mut worst, mut sums, mut begin) = (0.0_f64, 0.0_f64, [0.0; 2], 0.0);
    for t in 1..=STEPS {
        let (mut pixels, mut marks) = ([0.0; BATCH * 64], [0; BATCH]);
        for (pixels, mark) in pixels.chunks_mut(64).zip(&mut marks) {
            let k = random.word() as usize % labels.len();
            pixels.copy_from_slice(&x[k * 64..][..64]);
            *mark = labels[k];
        }
        let rule = rule.with_lr(schedule.at(t - 1));
        let loss = f64::from(learn(of(rule), &mut params, &mut state, &pixels, &marks).unwrap());
        let want = plain.learn(t, &rule, &pixels, &marks);
        let off = (loss / want - 1.0).abs();
        if t <= exact {
            assert!(off <= near, "{name}, step {t}: {loss} {want}");
            first = first.max(off);
        }
        sums = [sums[0] + loss, sums[1] + want];
        if t % WINDOW == 0 {
            let off = (sums[0] / sums[1] - 1.0).abs();
            assert!(
                off <= far,
                "{name}, steps to {t}: {} {}",
                sums[0] / f64::from(WINDOW),
                sums[1] / f64::from(WINDOW)
            );
            worst = worst.max(off);
            begin = if t == WINDOW { sums[1] } else { begin };
            if t == STEPS {
                let [loss, want] = sums.map(|sum| sum / f64::from(WINDOW));
                println!(
                    "{name}: {first:.1e} in {exact} steps, a thousand {worst:.1e}; {loss:.4}, in f64 {want:.4}"
                );
                assert!(want < 0.35 * begin / f64::from(WINDOW), "it has learnt: {want}");
            }
            sums = [0.0; 2];
        }
    }
    assert!(
        first >= near / 2.0 && worst >= far / 2.0,
        "{name}: {first:e} and {worst:e}, the bounds say nothing"
    );
}

#[test]
#[ignore = "a minute in release: ci.sh long"]
fn a_hundred_thousand_steps_have_the_losses_of_f64() {
    compare("whole states", |rule| rule, 4000, 1.2e-5, 6e-3);
    compare("half states", |rule| rule.half(), 100, 1.5e-4, 2.5e-2);
}
