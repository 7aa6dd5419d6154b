//! First weights of layers, drawn by any generator of `rand_core`, with the same bits on every target.
//!
//! ```
//! use gradus::init;
//! use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
//! let mut weights = [0.0; 64 * 32];
//! init::he_uniform(&mut Xoshiro128PlusPlus::seed_from_u64(1), 64, &mut weights); // 64 inputs of each unit
//! assert!(weights.iter().all(|w| w.abs() <= 0.307)); // the root of 6 / 64
//! ```
//!
//! Weights are drawn in the order of the slice. Biases should begin at 0.
//!
//! | function | weights | for |
//! |---|---|---|
//! | [`he_uniform`], [`he_normal`] | variance `2 / fan_in` (He et al., 2015) | rectifiers |
//! | [`glorot_uniform`], [`glorot_normal`] | variance `2 / (fan_in + fan_out)` (Glorot and Bengio, 2010) | tanh, sigmoid |
//! | [`lecun_uniform`], [`lecun_normal`] | variance `1 / fan_in` (LeCun et al., 1998) | layers without an activation |
//! | [`uniform`], [`normal`] | with the bounds or the deviation that are given | |
//!
//! `fan_in` is the number of weights that lead to one output: the inputs of a dense layer, and
//! [`Conv2d::fan_in`](crate::layer::Conv2d::fan_in). `fan_out` is the number of weights that lead away from one input:
//! the outputs of a dense layer, and for a convolution the places of the kernel times the filters.

use crate::noise::chance::{between, unit};
use crate::simd::elementary;
use crate::simd::{Plain, Vector};
use rand_core::Rng;

/// Uniform weights from `low` to `high`, `high` itself left out.
///
/// ```text
/// w = low + (high - low) * u,    u = (word >> 8) / 2^24
/// ```
///
/// Where that rounds to `high` it is the number before it. Where `high - low` is infinite it is `low * (1 - u) + high * u`.
///
/// ```
/// use gradus::init;
/// use rand_core::SeedableRng;
/// let mut rng = rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(7);
/// let mut weights = [0.0; 100];
/// init::uniform(&mut rng, -0.5, 0.5, &mut weights);
/// assert!(weights.iter().all(|w| -0.5 <= *w && *w < 0.5));
/// ```
pub fn uniform(rng: &mut impl Rng, low: f32, high: f32, weights: &mut [f32]) {
    for w in weights {
        let x = between(rng, low, high);
        *w = if x < high || !(low < high) { x } else { high.next_down() };
    }
}

/// Normal weights (Box and Muller, 1958): two of them from two uniform numbers.
///
/// ```text
/// r = sqrt(-2 ln(1 - u)),    w = mean + deviation * r cos(2 pi v),  mean + deviation * r sin(2 pi v)
/// ```
///
/// At the end of an odd number of weights the second of a pair is dropped: two calls for 3 and for 1 do not draw what one
/// for 4 does.
///
/// ```
/// use gradus::init;
/// use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
/// let mut weights = [0.0; 1000];
/// init::normal(&mut Xoshiro128PlusPlus::seed_from_u64(1), 2.0, 0.5, &mut weights);
/// let mean = weights.iter().sum::<f32>() / 1000.0;
/// assert!((mean - 2.0).abs() < 0.05);
/// ```
pub fn normal(rng: &mut impl Rng, mean: f32, deviation: f32, weights: &mut [f32]) {
    let mut second = None;
    for w in weights {
        let z = match second.take() {
            Some(z) => z,
            None => {
                let (u, v) = (1.0 - unit(rng), unit(rng)); // u is never 0
                let r = Vector::sqrt(-2.0 * elementary::ln(Plain, u));
                let (sine, cosine) = elementary::sin_cos_turn(Plain, v);
                second = Some(r * sine);
                r * cosine
            }
        };
        *w = mean + deviation * z;
    }
}

/// `numerator / count`, at most `numerator`: a layer without inputs has no weights either.
fn over(numerator: f32, count: usize) -> f32 {
    numerator / if count > 0 { count as f32 } else { 1.0 }
}

/// Uniform weights of variance `2 / fan_in`, for rectifiers: `w` in `-a..a`, `a = sqrt(6 / fan_in)`.
///
/// ```
/// use gradus::init;
/// use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
/// let mut weights = [0.0; 24 * 8]; // from 24 inputs to 8 units
/// init::he_uniform(&mut Xoshiro128PlusPlus::seed_from_u64(1), 24, &mut weights);
/// assert!(weights.iter().all(|w| w.abs() <= 0.5));
/// ```
#[doc(alias = "kaiming")]
pub fn he_uniform(rng: &mut impl Rng, fan_in: usize, weights: &mut [f32]) {
    let a = Vector::sqrt(over(6.0, fan_in));
    uniform(rng, -a, a, weights);
}

/// Normal weights of variance `2 / fan_in`, for rectifiers.
///
/// ```
/// use gradus::init;
/// use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
/// let mut weights = [0.0; 24 * 8]; // from 24 inputs to 8 units
/// init::he_normal(&mut Xoshiro128PlusPlus::seed_from_u64(1), 24, &mut weights);
/// assert!(weights.iter().all(|w| w.abs() <= 1.5)); // five deviations and more
/// ```
pub fn he_normal(rng: &mut impl Rng, fan_in: usize, weights: &mut [f32]) {
    normal(rng, 0.0, Vector::sqrt(over(2.0, fan_in)), weights);
}

/// Uniform weights of variance `2 / (fan_in + fan_out)`, for tanh and sigmoid: `a = sqrt(6 / (fan_in + fan_out))`.
///
/// ```
/// use gradus::init;
/// use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
/// let mut weights = [0.0; 24 * 8]; // from 24 inputs to 8 units
/// init::glorot_uniform(&mut Xoshiro128PlusPlus::seed_from_u64(1), 24, 8, &mut weights);
/// assert!(weights.iter().all(|w| w.abs() <= 0.434));
/// ```
#[doc(alias = "xavier")]
pub fn glorot_uniform(rng: &mut impl Rng, fan_in: usize, fan_out: usize, weights: &mut [f32]) {
    let a = Vector::sqrt(over(6.0, fan_in.saturating_add(fan_out)));
    uniform(rng, -a, a, weights);
}

/// Normal weights of variance `2 / (fan_in + fan_out)`, for tanh and sigmoid.
///
/// ```
/// use gradus::init;
/// use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
/// let mut weights = [0.0; 24 * 8]; // from 24 inputs to 8 units
/// init::glorot_normal(&mut Xoshiro128PlusPlus::seed_from_u64(1), 24, 8, &mut weights);
/// assert!(weights.iter().all(|w| w.abs() <= 1.3)); // five deviations and more
/// ```
pub fn glorot_normal(rng: &mut impl Rng, fan_in: usize, fan_out: usize, weights: &mut [f32]) {
    normal(rng, 0.0, Vector::sqrt(over(2.0, fan_in.saturating_add(fan_out))), weights);
}

/// Uniform weights of variance `1 / fan_in`: `a = sqrt(3 / fan_in)`.
///
/// ```
/// use gradus::init;
/// use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
/// let mut weights = [0.0; 24 * 8]; // from 24 inputs to 8 units
/// init::lecun_uniform(&mut Xoshiro128PlusPlus::seed_from_u64(1), 24, &mut weights);
/// assert!(weights.iter().all(|w| w.abs() <= 0.354));
/// ```
pub fn lecun_uniform(rng: &mut impl Rng, fan_in: usize, weights: &mut [f32]) {
    let a = Vector::sqrt(over(3.0, fan_in));
    uniform(rng, -a, a, weights);
}

/// Normal weights of variance `1 / fan_in`.
///
/// ```
/// use gradus::init;
/// use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
/// let mut weights = [0.0; 24 * 8]; // from 24 inputs to 8 units
/// init::lecun_normal(&mut Xoshiro128PlusPlus::seed_from_u64(1), 24, &mut weights);
/// assert!(weights.iter().all(|w| w.abs() <= 1.1)); // five deviations and more
/// ```
pub fn lecun_normal(rng: &mut impl Rng, fan_in: usize, weights: &mut [f32]) {
    normal(rng, 0.0, Vector::sqrt(over(1.0, fan_in)), weights);
}
