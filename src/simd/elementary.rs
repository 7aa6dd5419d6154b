//! Elementary functions for kernels of your own: `exp`, `ln`, `tanh` and others, with the same bits on every target.
//!
//! They work on any register, and need only `+ - * /` and operations on bits. The argument is reduced to a short
//! interval, a polynomial approximates the function there, and the result is put together again. The polynomials have
//! the smallest possible largest error on their interval; their coefficients were found in higher precision and rounded
//! one after the other. The table has the largest errors over all numbers of `f32` (`./ci.sh long`), in units of the
//! last place (ULP) of the exact value:
//!
//! | function | largest error | special values |
//! |---|--:|---|
//! | [`exp`] | 1.0 | `inf` from 88.72 on, subnormals below -87.34, 0 below -103.97 |
//! | [`ln`] | 0.9 | `ln(0) = -inf`, NaN below 0 |
//! | [`ln_1p`] | 0.9 | `ln_1p(-1) = -inf`, NaN below -1, `x` where `x` is tiny |
//! | [`tanh`] | 1.4 | `tanh(±inf) = ±1`, `x` where `x` is tiny |
//! | [`sigmoid`] | 2.5 | `sigmoid(±inf) = 1` and 0 |
//! | [`sin_cos_turn`] | 1.7 | exact at quarters of a turn; NaN at `±inf` |
//!
//! NaN gives NaN.
//!
//! ```
//! use gradus::{Columns, Exec, Rule, Vector, Width, elementary, run};
//!
//! /// `x = ln(1 + e^x)`, the softplus.
//! struct Softplus;
//!
//! impl Rule<0> for Softplus {
//!     type Columns = Width<0>;
//!     #[inline(always)]
//!     fn apply<V: Vector>(&self, isa: V::Isa, x: V, _: [V; 0], _: [V; 0]) -> (V, [V; 0]) {
//!         let e = elementary::exp(isa, -x.abs());
//!         (V::splat(isa, 0.0).max(x) + elementary::ln_1p(isa, e), [])
//!     }
//! }
//!
//! let mut x = [0.0, 100.0];
//! run(Exec::new(), &Softplus, Columns::new(&mut x, [], [])?);
//! assert_eq!(x, [core::f32::consts::LN_2, 100.0]);
//! # Ok::<(), gradus::Error>(())
//! ```

use super::vector::Vector;

/// Added to a number below 2^22 and subtracted again, it rounds to an integer, to even where two are as near. The
/// last bits of the sum are that integer.
const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23

/// `ln 2` in two parts: 16 bits, whose product with an exponent is exact, and the rest.
const LN_2: [f32; 2] = [0.693_145_75, 1.428_606_8e-6];

/// `c[0] + c[1] x + c[2] x^2 ..`
#[inline(always)]
fn polynomial<const N: usize, V: Vector>(isa: V::Isa, x: V, c: [f32; N]) -> V {
    const { assert!(0 < N && N <= 8, "as many as `each!` counts") };
    let mut sum = V::splat(isa, c[N - 1]);
    each!(k < N, {
        if k > 0 {
            sum = sum * x + V::splat(isa, c[N - 1 - k]);
        }
    });
    sum
}

/// `2^n` for an integer `n` from -126 to 127, given `n + ROUND`.
#[inline(always)]
fn power_of_two<V: Vector>(isa: V::Isa, n: V) -> V {
    n.to_exponent().add_bits(V::splat(isa, 1.0))
}

/// `e^x`.
#[inline(always)]
#[must_use]
pub fn exp<V: Vector>(isa: V::Isa, x: V) -> V {
    let round = V::splat(isa, ROUND);
    // Beyond these ends the result is infinite, or 0.
    let x = V::splat(isa, 89.0).min(x);
    let x = V::splat(isa, -104.0).max(x);
    // e^x = 2^n e^r with |r| <= ln(2) / 2
    let n = (x * V::splat(isa, core::f32::consts::LOG2_E) + round) - round;
    let r = (x - n * V::splat(isa, LN_2[0])) - n * V::splat(isa, LN_2[1]);
    let q = polynomial(isa, r, [0.499_999_94, 0.166_665_21, 0.041_668_292, 0.008_368_716, 0.001_381_869_8]);
    let p = r * r * q + r + V::splat(isa, 1.0);
    // Two factors: 2^n alone may leave the range, and the last product rounds a subnormal result once.
    let half = n * V::splat(isa, 0.5) + round;
    let rest = n - (half - round) + round;
    p * power_of_two(isa, half) * power_of_two(isa, rest)
}

/// `k` and `f` with `x = 2^k (1 + f)`, `1 + f` between the roots of 1/2 and of 2, for positive `x`.
#[inline(always)]
fn split<V: Vector>(isa: V::Isa, x: V) -> (V, V) {
    let (one, zero) = (V::splat(isa, 1.0), V::splat(isa, 0.0));
    let normal = V::splat(isa, f32::MIN_POSITIVE);
    let (times, less) = (V::splat(isa, 16_777_216.0), V::splat(isa, 24.0));
    let less = normal.select_gt(x, less, zero);
    let x = normal.select_gt(x, x * times, x);
    // With the bits of 1 over those of the root of 1/2 added, the exponent changes at the roots.
    let root = core::f32::consts::FRAC_1_SQRT_2.to_bits();
    let bits = x.add_bits(V::splat(isa, f32::from_bits(0x3f80_0000 - root)));
    // An integer below 2^23, added to the bits of 2^23, is that sum as a number.
    let power = V::splat(isa, 8_388_608.0);
    let k = bits.from_exponent().add_bits(power) - V::splat(isa, 8_388_608.0 + 127.0) - less;
    let fraction = bits.and_bits(V::splat(isa, f32::from_bits(0x007f_ffff)));
    (k, fraction.add_bits(V::splat(isa, f32::from_bits(root))) - one)
}

/// `k ln 2 + ln(1 + f) + c`, `1 + f` between the roots of 1/2 and of 2, `c` small.
///
/// With `s = f / (2 + f)`, `ln(1 + f) = ln((1 + s) / (1 - s)) = f - s (f - R)`, where `s R` is what `2 s` lacks.
/// `f - s f = s f^2 / 2 + f - f^2 / 2`, which leaves `f` as it is and rounds what is small beside it.
#[inline(always)]
fn assemble<V: Vector>(isa: V::Isa, k: V, f: V, c: V) -> V {
    let s = f / (V::splat(isa, 2.0) + f);
    let z = s * s;
    let r = z * polynomial(isa, z, [0.666_667_76, 0.399_775_68, 0.298_714_6]);
    let half = V::splat(isa, 0.5) * f * f;
    let small = s * (half + r) + (k * V::splat(isa, LN_2[1]) + c);
    k * V::splat(isa, LN_2[0]) + (f - (half - small))
}

/// Natural logarithm.
#[inline(always)]
#[must_use]
pub fn ln<V: Vector>(isa: V::Isa, x: V) -> V {
    let (k, f) = split(isa, x);
    logarithm_at_ends(isa, x, assemble(isa, k, f, V::splat(isa, 0.0)))
}

/// `y`, but the logarithm of `x` where that is 0, negative, infinite or NaN.
#[inline(always)]
fn logarithm_at_ends<V: Vector>(isa: V::Isa, x: V, y: V) -> V {
    let (zero, infinity) = (V::splat(isa, 0.0), V::splat(isa, f32::INFINITY));
    let low = zero.select_gt(x, V::splat(isa, f32::NAN), x - infinity);
    x.select_gt(zero, infinity.select_gt(x, y, x), low)
}

/// `ln(1 + x)`, accurate where `x` is small.
#[inline(always)]
#[must_use]
pub fn ln_1p<V: Vector>(isa: V::Isa, x: V) -> V {
    let (one, zero) = (V::splat(isa, 1.0), V::splat(isa, 0.0));
    // u + c = 1 + x exactly (Knuth's sum of two).
    let u = one + x;
    let part = u - x;
    let c = (x - (u - part)) + (one - part);
    let (k, f) = split(isa, u);
    let c = c / u;
    // Where the exponent is 0, x itself is the fraction, and nothing was lost.
    let near = V::splat(isa, 0.5);
    let f = near.select_gt(k.abs(), x, f);
    let c = near.select_gt(k.abs(), zero, c);
    // ln(1 + x) = x where x^2 rounds away: it keeps the sign of 0 and the last bit of subnormals.
    let y = V::splat(isa, 1e-8).select_gt(x.abs(), x, assemble(isa, k, f, c));
    logarithm_at_ends(isa, u, y)
}

/// Hyperbolic tangent.
///
/// Below 0.6 a polynomial, above it `1 - 2 / (1 + e^(2 |x|))`.
#[inline(always)]
#[must_use]
pub fn tanh<V: Vector>(isa: V::Isa, x: V) -> V {
    let (one, two) = (V::splat(isa, 1.0), V::splat(isa, 2.0));
    let z = x * x;
    let p = polynomial(isa, z, [-0.333_333, 0.133_319_36, -0.053_784_598, 0.020_797_668, -0.005_896_135]);
    let low = x + x * (z * p);
    let size = x.abs();
    let high = one - two / (one + exp(isa, size + size));
    let high = V::splat(isa, 0.0).select_gt(x, -high, high);
    let low = V::splat(isa, 1e-4).select_gt(size, x, low); // keeps the sign of 0
    V::splat(isa, 0.6).select_gt(size, low, high)
}

/// The logistic function `1 / (1 + e^-x)`.
#[inline(always)]
#[must_use]
pub fn sigmoid<V: Vector>(isa: V::Isa, x: V) -> V {
    let one = V::splat(isa, 1.0);
    // The exponential of a positive number would be infinite where the result is a subnormal.
    let e = exp(isa, -x.abs());
    let above = V::splat(isa, 0.0).select_gt(x, e, one);
    above / (one + e)
}

/// Sine and cosine of `turns` full turns: `sin(2 pi turns)` and `cos(2 pi turns)`.
///
/// The reduction to a quarter of a turn is exact, so that a multiple of a quarter gives exactly 0, 1 or -1.
#[inline(always)]
#[must_use]
#[allow(clippy::eq_op, reason = "`size - size` is not 0 for infinity")]
pub fn sin_cos_turn<V: Vector>(isa: V::Isa, turns: V) -> (V, V) {
    let (zero, one, half) = (V::splat(isa, 0.0), V::splat(isa, 1.0), V::splat(isa, 0.5));
    let size = turns.abs();
    // The fraction of a turn, from -1/2 to 1/2; from 2^23 on every number is whole, and infinity has none: NaN.
    let whole = V::splat(isa, 8_388_608.0);
    #[allow(clippy::eq_op, reason = "infinity minus infinity is NaN")]
    let t = whole.select_gt(size, size - ((size + whole) - whole), size - size);
    // Quarters, from -2 to 2, and what is left of t: at most an eighth.
    let round = V::splat(isa, ROUND);
    let quarter = (V::splat(isa, 4.0) * t + round) - round;
    let r = t - quarter * V::splat(isa, 0.25);
    let z = r * r;
    let s = polynomial(isa, z, [-1.748_455_5e-7, -41.341_675, 81.594_23, -75.465_74]);
    let s = r * V::splat(isa, core::f32::consts::TAU) + r * s;
    let c = one + z * polynomial(isa, z, [-19.739_208, 64.939_14, -85.423_12, 58.561_214]);
    // In an odd quarter sine and cosine change places, in the others than the first one or both change sign.
    let odd = (quarter.abs() - one).abs();
    let sine = half.select_gt(odd, c, s);
    let cosine = half.select_gt(odd, s, c);
    let turned = V::splat(isa, 1.5);
    let sine = (-half).select_gt(quarter, -sine, quarter.select_gt(turned, -sine, sine));
    let cosine = quarter.select_gt(half, -cosine, (-turned).select_gt(quarter, -cosine, cosine));
    (zero.select_gt(turns, -sine, sine), cosine)
}

#[cfg(test)]
#[allow(clippy::excessive_precision, clippy::approx_constant, reason = "decimals as the tables have them")]
mod tests {
    use super::*;
    use crate::simd::{Columns, Level, Rule, Width, run};
    use std::{vec, vec::Vec};

    macro_rules! functions {
        ($($rule:ident $name:literal |$isa:ident, $x:ident| $f:expr, |$r:ident| $reference:expr, $budget:literal;)*) => {
            $(
                struct $rule;
                impl Rule<0> for $rule {
                    type Columns = Width<0>;
                    #[inline(always)]
                    fn apply<V: Vector>(&self, $isa: V::Isa, $x: V, _: [V; 0], _: [V; 0]) -> (V, [V; 0]) {
                        ($f, [])
                    }
                }
            )*

            /// Name, function over a slice, the exact value, ULP budget.
            const FUNCTIONS: &[(&str, fn(Level, &mut [f32]), fn(f64) -> f64, f64)] = &[
                $((
                    $name,
                    |level, x| run(level, &$rule, Columns::new(x, [], []).unwrap()),
                    |$r| $reference,
                    $budget,
                ),)*
            ];
        };
    }

    functions! {
        Exp "exp" |isa, x| exp(isa, x), |x| x.exp(), 1.0;
        Ln "ln" |isa, x| ln(isa, x), |x| x.ln(), 0.9;
        Ln1p "ln_1p" |isa, x| ln_1p(isa, x), |x| x.ln_1p(), 0.9;
        Tanh "tanh" |isa, x| tanh(isa, x), |x| x.tanh(), 1.4;
        Sigmoid "sigmoid" |isa, x| sigmoid(isa, x), |x| 1.0 / (1.0 + (-x).exp()), 2.5;
        Sin "sine" |isa, x| sin_cos_turn(isa, x).0, |x| turn(x, 0.0), 1.7;
        Cos "cosine" |isa, x| sin_cos_turn(isa, x).1, |x| turn(x, 0.25), 1.7;
    }

    /// Sine of a number of turns and a part of one, without the error of 2 pi times a large number.
    fn turn(turns: f64, more: f64) -> f64 {
        let t = (turns % 1.0 + more) % 1.0; // exact
        let quarter = (4.0 * t).round();
        let r = std::f64::consts::TAU * (t - quarter / 4.0);
        match (quarter as i32).rem_euclid(4) {
            0 => r.sin(),
            1 => r.cos(),
            2 => -r.sin(),
            _ => -r.cos(),
        }
    }

    /// The distance in units of the last place of the exact value.
    fn ulps(got: f32, want: f64) -> f64 {
        if got.is_nan() || want.is_nan() {
            return if got.is_nan() && want.is_nan() { 0.0 } else { f64::INFINITY };
        }
        const TOP: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0; // 2^128 stands for infinity
        let (got, want) = (f64::from(got).clamp(-TOP, TOP), want.clamp(-TOP, TOP));
        let exponent = ((want.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
        (got - want).abs() / f64::from(exponent - 23).exp2()
    }

    /// The largest error over numbers of these bits, and where.
    fn worst(function: usize, level: Level, bits: impl Iterator<Item = u32>) -> (f64, f32) {
        let (_, f, exact, _) = FUNCTIONS[function];
        let (mut x, mut worst) = (Vec::new(), (0.0, 0.0));
        let mut bits = bits.peekable();
        while bits.peek().is_some() {
            x.clear();
            x.extend(bits.by_ref().take(4096).map(f32::from_bits));
            let mut y = x.clone();
            f(level, &mut y);
            for (x, y) in x.iter().zip(&y) {
                let error = ulps(*y, exact(f64::from(*x)));
                if error > worst.0 {
                    worst = (error, *x);
                }
            }
        }
        worst
    }

    /// A prime distance apart, and all numbers near those where something changes.
    fn some_bits() -> impl Iterator<Item = u32> {
        let near = [
            0.0_f32,
            f32::MIN_POSITIVE,
            1e-8,
            2e-8,
            0.292_893_2,
            0.414_213_57,
            0.5,
            0.6,
            core::f32::consts::FRAC_1_SQRT_2,
            1.0,
            core::f32::consts::SQRT_2,
            0.125,
            0.25,
            0.375,
            0.625,
            0.75,
            0.875,
            1.25,
            9.0,
            16.635_532,
            17.328_68,
            87.336_54,
            88.722_83,
            89.0,
            103.972_08,
            104.0,
            4_194_304.0,
            8_388_608.0,
            16_777_216.0,
            f32::MAX,
            f32::INFINITY,
        ];
        let near = near.into_iter().flat_map(|x| (-40..40).map(move |k| x.to_bits().wrapping_add_signed(k)));
        near.flat_map(|bits| [bits, bits ^ 1 << 31]).chain((0..u32::MAX).step_by(9973))
    }

    #[test]
    fn errors_are_within_the_budget_and_bits_equal_on_every_level() {
        let x: Vec<f32> = some_bits().map(f32::from_bits).collect();
        for (k, (name, f, _, budget)) in FUNCTIONS.iter().enumerate() {
            let (error, at) = worst(k, Level::detect(), some_bits());
            assert!(error <= *budget, "{name}: {error} ULP at {at:e}");
            assert!(error > 0.5, "{name}: a budget that nothing comes near to: {error}");
            let mut want = x.clone();
            f(Level::SCALAR, &mut want);
            for level in Level::available() {
                let mut got = x.clone();
                f(level, &mut got);
                for ((x, want), got) in x.iter().zip(&want).zip(&got) {
                    assert!(
                        want.to_bits() == got.to_bits() || want.is_nan() && got.is_nan(),
                        "{name} at {level}: {got:e} of {x:e}, {want:e} is right"
                    );
                }
            }
        }
    }

    #[test]
    fn ends_and_exact_values() {
        let of = |name: &str, x: f32| {
            let mut x = [x];
            FUNCTIONS.iter().find(|f| f.0 == name).unwrap().1(Level::SCALAR, &mut x);
            x[0]
        };
        let inf = f32::INFINITY;
        for (name, x, want) in [
            ("exp", 0.0, 1.0),
            ("exp", inf, inf),
            ("exp", -inf, 0.0),
            ("exp", 1.0, core::f32::consts::E),
            ("exp", f32::MAX, inf),
            ("exp", -103.9, 1e-45),
            ("ln", 1.0, 0.0),
            ("ln", 0.0, -inf),
            ("ln", -0.0, -inf),
            ("ln", inf, inf),
            ("ln", 2.0, core::f32::consts::LN_2),
            ("ln_1p", 0.0, 0.0),
            ("ln_1p", -1.0, -inf),
            ("ln_1p", inf, inf),
            ("ln_1p", 1e-45, 1e-45),
            ("tanh", inf, 1.0),
            ("tanh", -inf, -1.0),
            ("tanh", 1e-45, 1e-45),
            ("sigmoid", 0.0, 0.5),
            ("sigmoid", inf, 1.0),
            ("sigmoid", -inf, 0.0),
            ("sine", 0.0, 0.0),
            ("sine", 0.25, 1.0),
            ("sine", -0.25, -1.0),
            ("sine", 0.75, -1.0),
            ("sine", 1e30, 0.0),
            ("cosine", 0.0, 1.0),
            ("cosine", 0.5, -1.0),
            ("cosine", -7.0, 1.0),
            ("sine", 4_194_304.5, 0.0),
            ("cosine", 4_194_304.5, -1.0),
            ("cosine", 1_048_576.0 + 0.25, 0.0),
        ] {
            assert_eq!(of(name, x), want, "{name} of {x}");
        }
        for (name, x) in
            [("ln", -1.0), ("ln", -inf), ("ln_1p", -1.5), ("ln_1p", -inf), ("sine", inf), ("cosine", -inf)]
        {
            assert!(of(name, x).is_nan(), "{name} of {x}");
        }
        for (name, ..) in FUNCTIONS {
            assert!(of(name, f32::NAN).is_nan(), "{name}");
        }
        for name in ["ln_1p", "tanh"] {
            assert_eq!(of(name, -0.0).to_bits(), (-0.0_f32).to_bits(), "{name}");
        }
        for k in 0..400 {
            let quarters = k as f32 * 0.25;
            let (sine, cosine) = ([0.0, 1.0, 0.0, -1.0][k % 4], [1.0, 0.0, -1.0, 0.0][k % 4]);
            assert_eq!((of("sine", quarters), of("cosine", quarters)), (sine, cosine), "{quarters} turns");
        }
    }

    /// All 2^32 numbers, a part of them a thread.
    #[test]
    #[ignore = "minutes: ./ci.sh long"]
    fn errors_over_all_numbers() {
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get()) as u32;
        for (k, (name, _, _, budget)) in FUNCTIONS.iter().enumerate() {
            let share = u32::MAX / threads;
            let parts: Vec<_> = (0..threads)
                .map(|t| {
                    let last = if t + 1 == threads { u32::MAX } else { (t + 1) * share - 1 };
                    std::thread::spawn(move || worst(k, Level::detect(), t * share..=last))
                })
                .collect();
            let mut all = vec![];
            for part in parts {
                all.push(part.join().unwrap());
            }
            let (error, at) = all.into_iter().fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
            std::println!("{name}: {error:.3} ULP at {at:e}");
            assert!(error <= *budget, "{name}: {error} ULP at {at:e}");
        }
    }
}
