//! Powers in integers: `lr * gamma^n`, and `x^power` for a part `x` of a way. In `f32` twenty thousand squarings and
//! products lose three of seven digits, and `f64` in software costs a microcontroller more than a kilobyte of flash.
//!
//! A number is a fraction of 64 bits, the highest of them set, and an exponent. A product of fractions loses less than
//! 2^-63 of itself, so that even the power 2^32 is known to 2^-31, and the rounding to `f32` is the last
//! step. A subnormal result is rounded twice.

/// `fraction / 2^63 * 2^exponent`, with a fraction of at least 2^63; zero where it is 0.
#[derive(Clone, Copy)]
struct Wide {
    fraction: u64,
    exponent: i64,
}

impl Wide {
    const ZERO: Self = Self { fraction: 0, exponent: 0 };

    /// A factor; what is below 0 or no number counts as 0, and so does what is below the normal numbers.
    fn of_f64(x: f64) -> Self {
        let bits = x.to_bits();
        let field = (bits >> 52) as u32; // with the sign on top
        if field == 0 || bits > f64::INFINITY.to_bits() {
            return Self::ZERO;
        }
        Self { fraction: 1 << 63 | bits << 11, exponent: i64::from(field) - 1023 }
    }

    /// A finite rate above 0.
    fn of_f32(x: f32) -> Self {
        let (bits, field) = (x.to_bits() & 0x7f_ffff, x.to_bits() >> 23);
        let mantissa = u64::from(if field == 0 { bits } else { bits | 1 << 23 });
        let zeros = mantissa.leading_zeros();
        let fraction = mantissa.checked_shl(zeros).unwrap_or(0);
        Self { fraction, exponent: i64::from(if field == 0 { 1 } else { field }) - 87 - i64::from(zeros) }
    }

    fn times(self, other: Self) -> Self {
        let fraction = high(self.fraction, other.fraction);
        let carry = (fraction >> 63) as i64; // the product of two numbers from 1 to 2 lies between 1 and 4
        Self { fraction: fraction << (1 - carry), exponent: self.exponent + other.exponent + carry }
    }

    /// The nearest `f32`; the largest finite one at most.
    fn to_f32(self) -> f32 {
        if self.fraction == 0 || self.exponent < -150 {
            return 0.0;
        }
        if self.exponent > 127 {
            return f32::MAX;
        }
        let power = |exponent: i64| f32::from_bits(((exponent + 127) as u32) << 23);
        let x = self.fraction as f32 * power(-63); // 1 to 2, rounded
        let x = if self.exponent < -126 {
            x * power(self.exponent + 24) * power(-24)
        } else {
            x * power(self.exponent)
        };
        if x < f32::MAX { x } else { f32::MAX }
    }
}

/// The upper half of a product.
fn high(a: u64, b: u64) -> u64 {
    let low = |x: u64| x & u64::from(u32::MAX);
    let (a1, a0, b1, b0) = (a >> 32, low(a), b >> 32, low(b));
    let middle = a1 * b0 + ((a0 * b0) >> 32); // no sum here is larger than (2^32 - 1)^2 + 2^32 - 1
    let other = a0 * b1 + low(middle);
    a1 * b1 + (middle >> 32) + (other >> 32)
}

/// `lr * gamma^n`, rounded once, or twice where it is subnormal: the largest finite number at most, and `lr` itself where it
/// is no rate above 0.
pub(super) fn scaled(lr: f32, gamma: f64, mut n: u32) -> f32 {
    if !(lr > 0.0 && lr < f32::INFINITY) || n == 0 {
        return lr;
    }
    let (mut rate, mut base) = (Wide::of_f32(lr), Wide::of_f64(gamma));
    while n != 0 {
        if n & 1 == 1 {
            rate = rate.times(base);
        }
        base = base.times(base);
        n >>= 1;
    }
    rate.to_f32()
}

/// `x^power` for `x` from 0 to 1, within 0.55 units in the last place for powers up to 8; 1 where the power is not above 0.
///
/// The logarithm comes out bit by bit. The square of a number has twice its logarithm: where it is 2 or more the next bit is
/// 1, and half of it goes on. What a square loses to rounding counts half as much with every bit. The power is then `2^-n`
/// times `e^-t` with `t` below `ln 2`, whose series `1 - t (1 - t / 2 (1 - t / 3 ..))` stays between 1/2 and 1.
pub(super) fn power(x: f32, power: f32) -> f32 {
    if !(power > 0.0) || x >= 1.0 {
        return 1.0;
    }
    if !(x > 0.0 && power < f32::INFINITY) {
        return 0.0;
    }
    let Wide { fraction, exponent } = Wide::of_f32(x);
    let (mut m, mut log) = ((fraction >> 32) as u32, 0);
    for _ in 0..32 {
        let square = u64::from(m) * u64::from(m);
        let bit = (square >> 63) as u32;
        (m, log) = ((square >> (31 + bit)) as u32, log << 1 | bit);
    }
    // -log2(x), at most 149, as a multiple of 2^-32
    let log = (exponent.unsigned_abs() << 32) - u64::from(log);
    let Wide { fraction, exponent } = Wide::of_f32(power);
    // times the power: a multiple of 2^(exponent - 55), then of 2^-32
    let (product, shift) = (high(fraction, log << 24), (23 - exponent) as i32);
    if shift < 0 && product.leading_zeros() < shift.unsigned_abs() {
        return 0.0;
    }
    let lost =
        if shift < 0 { product.checked_shl(shift.unsigned_abs()) } else { product.checked_shr(shift as u32) };
    let lost = lost.unwrap_or(0);
    const LN_2: u64 = 2_977_044_472; // times 2^-32
    let t = ((lost & u64::from(u32::MAX)) * LN_2) >> 32;
    let mut sum = 1_u64 << 31;
    for k in (1..13).rev() {
        sum = (1 << 31) - u64::from(((t * sum) >> 32) as u32 / k);
    }
    let zeros = sum.leading_zeros(); // 32 of 1, else 33
    Wide { fraction: sum << zeros, exponent: 32 - i64::from(zeros) - (lost >> 32) as i64 }.to_f32()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_power_rounded_once() {
        for lr in [1.0, 0.1, 3.4e38, 1.2e-38, 1e-45, 7e-42] {
            for gamma in [
                0.999_f64,
                0.5,
                0.1,
                1.0,
                1.5,
                1.000_001,
                0.999_999_9,
                1e-300,
                1e300,
                3.0,
                2.0_f64.powi(-1022),
            ] {
                for n in (0..40).chain([100, 999, 12_345, 1 << 20, u32::MAX]) {
                    // powf loses n units of its own in f64, which is less than half a unit of f32 where n is small
                    let want = (f64::from(lr) * gamma.powf(n.into())).min(f32::MAX.into());
                    let got = f64::from(scaled(lr, gamma, n));
                    let unit = f64::from(f32::EPSILON) * want.abs().max(f32::MIN_POSITIVE.into());
                    // A subnormal number is rounded twice.
                    let twice = if want < f32::MIN_POSITIVE.into() { 0.25 } else { 0.0 };
                    let slack = 0.51 + twice + f64::from(n) * 1e-8;
                    assert!(
                        (got - want).abs() <= slack * unit,
                        "{lr:e} * {gamma:e}^{n}: {got:e}, not {want:e}"
                    );
                }
            }
        }
    }

    #[test]
    fn it_is_any_power_of_a_part() {
        let parts = (1..1000).map(|k| k as f32 / 1000.0).chain([
            f32::EPSILON,
            1.0 - f32::EPSILON / 2.0,
            1e-30,
            1e-45,
        ]);
        for x in parts {
            for p in [1.0, 2.0, 0.5, 0.9, 3.0, 7.3, 1e-3, 1e-30, 1e3, 3e7, 1e38_f32] {
                let (got, want) = (f64::from(power(x, p)), f64::from(x).powf(p.into()));
                let unit =
                    f64::from(f32::from_bits((want as f32).to_bits() & 0xff << 23).max(f32::MIN_POSITIVE));
                let unit = unit * f64::from(f32::EPSILON);
                let slack =
                    0.55 + f64::from(p) * 0.01 + if want < f32::MIN_POSITIVE.into() { 0.25 } else { 0.0 };
                assert!((got - want).abs() <= slack * unit, "{x:e}^{p:e}: {got:e}, not {want:e}");
            }
            assert_eq!(power(x, 1.0), x);
        }
        assert_eq!([0.0, 1.0, 1.5].map(|x| power(x, 2.0)), [0.0, 1.0, 1.0]);
        assert_eq!([0.0, -1.0, f32::NAN, f32::INFINITY].map(|p| power(0.5, p)), [1.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn factors_that_are_none_count_as_0() {
        for gamma in [0.0, -0.0, -0.5, f64::NAN, -f64::NAN, f64::NEG_INFINITY, f64::from_bits(1)] {
            assert_eq!([0, 1, 2, u32::MAX].map(|n| scaled(0.5, gamma, n)), [0.5, 0.0, 0.0, 0.0], "{gamma:e}");
        }
        assert_eq!(scaled(0.5, f64::INFINITY, 1), f32::MAX);
        for lr in [0.0, -1.0, f32::INFINITY] {
            assert_eq!(scaled(lr, 0.5, 7), lr);
        }
        assert!(scaled(f32::NAN, 0.5, 7).is_nan());
    }

    #[test]
    fn the_upper_half_of_products() {
        for a in [0, 1, u64::MAX, 1 << 63, 0x1234_5678_9abc_def0, u64::from(u32::MAX)] {
            for b in [0, 1, u64::MAX, 1 << 63, 0xfedc_ba98_7654_3210, u64::from(u32::MAX) + 1] {
                assert_eq!(high(a, b), ((u128::from(a) * u128::from(b)) >> 64) as u64);
            }
        }
    }

    #[test]
    fn powers_at_the_ends() {
        let odd = [
            0.0,
            -0.0,
            -1.0,
            f32::NAN,
            f32::from_bits(1),
            1e-38,
            0.1,
            0.5,
            1.0 - f32::EPSILON / 2.0,
            1.0,
            2.0,
            f32::INFINITY,
        ];
        let powers = [
            0.0,
            -0.0,
            -1.0,
            f32::NAN,
            f32::from_bits(1),
            1e-30,
            1e-7,
            0.3,
            1.0,
            2.0,
            7.5,
            50.0,
            149.0,
            150.0,
            4e6,
            1.6777216e7,
            3.3554432e7,
            1e9,
            4e9,
            1e20,
            f32::MAX,
            f32::INFINITY,
        ];
        for x in odd {
            for p in powers {
                let got = power(x, p);
                let want = if !(p > 0.0) || x >= 1.0 {
                    1.0
                } else if !(x > 0.0) || p == f32::INFINITY {
                    0.0
                } else {
                    f64::from(x).powf(f64::from(p))
                };
                // Of a power beyond 8 the logarithm has too few digits near 1.
                let near = if p > 8.0 && x > 0.9 && x < 1.0 {
                    (0.0..1.0).contains(&got)
                } else {
                    (f64::from(got) - want).abs() <= 2e-7 * want.max(1e-38)
                };
                assert!(near, "{x:e} {p:e}: {got:e} {want:e}");
            }
        }
    }
}
