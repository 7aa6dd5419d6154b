//! Mathematics of single numbers: square roots, elementary functions, the bias correction.
#![allow(unsafe_code, reason = "assembly")]

use super::elementary;
use super::vector::Plain;

/// Square root, correctly rounded, by the hardware instruction wherever one exists.
///
/// `f32::sqrt` is not in `core`, and `libm` computes it in software on Arm-M, so that every kind
/// of target has its own line here.
#[inline(always)]
pub(crate) fn sqrt(x: f32) -> f32 {
    #[cfg(feature = "std")]
    return x.sqrt();

    #[cfg(all(not(feature = "std"), target_feature = "sse"))]
    {
        #[cfg(target_arch = "x86")]
        use core::arch::x86::{_mm_cvtss_f32, _mm_set_ss, _mm_sqrt_ss};
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        use core::arch::x86_64::{_mm_cvtss_f32, _mm_set_ss, _mm_sqrt_ss};
        // SAFETY: the cfg says that the whole target has SSE.
        return unsafe { _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))) };
    }

    #[cfg(all(
        not(feature = "std"),
        target_arch = "arm",
        target_os = "none",
        any(target_abi = "eabihf", gradus_level = "fpu")
    ))]
    {
        // rustc 1.95 refuses the `sreg` class here, so that the value travels through s0 by name.
        let mut bits = x.to_bits();
        // SAFETY: VFP single precision is part of the hard-float target; no memory is touched.
        unsafe {
            core::arch::asm!(
                "vmov s0, {r}", "vsqrt.f32 s0, s0", "vmov {r}, s0",
                r = inout(reg) bits, out("s0") _, options(pure, nomem, nostack),
            );
        }
        return f32::from_bits(bits);
    }

    #[allow(unreachable_code, reason = "where the processor has the instruction")]
    libm::sqrtf(x)
}

/// Square root in double precision, correctly rounded.
#[inline(always)]
pub(crate) fn sqrt_f64(x: f64) -> f64 {
    #[cfg(feature = "std")]
    return x.sqrt();
    #[cfg(not(feature = "std"))]
    libm::sqrt(x)
}

/// One number through a function of the register type. No loop calls these: they are small before they are quick.
macro_rules! single {
    ($($name:ident)*) => {$(
        #[doc = concat!("[`elementary::", stringify!($name), "`] of one number.")]
        #[must_use]
        pub(crate) fn $name(x: f32) -> f32 {
            elementary::$name(Plain, x)
        }
    )*};
}
single!(exp ln ln_1p);

/// Sine and cosine of a part of a full turn: [`elementary::sin_cos_turn`] of one number.
pub(crate) fn sin_cos_turn(turns: f32) -> (f32, f32) {
    elementary::sin_cos_turn(Plain, turns)
}

/// Natural logarithm in double precision, within 1e-15 of itself: of 0 it is minus infinity, below 0 it is NaN.
///
/// With `x = 2^k (1 + f)`, `1 + f` between the roots of 1/2 and of 2, and `s = f / (2 + f)`:
///
/// ```text
/// ln(1 + f) = ln((1 + s) / (1 - s)) = 2 s (1 + s^2 / 3 + s^4 / 5 ..)
/// ```
pub(crate) fn ln_f64(x: f64) -> f64 {
    /// `1 / (2 n + 1)`: the next power of `s^2`, at most 0.0295, is lost.
    const SERIES: [f64; 10] = [
        1.0 / 19.0,
        1.0 / 17.0,
        1.0 / 15.0,
        1.0 / 13.0,
        1.0 / 11.0,
        1.0 / 9.0,
        1.0 / 7.0,
        1.0 / 5.0,
        1.0 / 3.0,
        1.0,
    ];
    const ROOT: u64 = core::f64::consts::FRAC_1_SQRT_2.to_bits();
    if !(x > 0.0 && x < f64::INFINITY) {
        return match x {
            0.0 => -f64::INFINITY,
            f64::INFINITY => x,
            _ => f64::NAN,
        };
    }
    let (x, less) = if x < f64::MIN_POSITIVE { (x * 18_014_398_509_481_984.0, 54) } else { (x, 0) };
    // With the bits of 1 over those of the root of 1/2 added, the exponent changes at the roots.
    let bits = x.to_bits() + (1.0_f64.to_bits() - ROOT);
    let k = (bits >> 52) as i32 - 1023 - less;
    let f = f64::from_bits((bits & ((1 << 52) - 1)) + ROOT) - 1.0;
    let s = f / (2.0 + f);
    let (z, mut sum) = (s * s, 0.0);
    for c in SERIES {
        sum = sum * z + c;
    }
    f64::from(k) * core::f64::consts::LN_2 + 2.0 * s * sum
}

macro_rules! warm {
    ($(#[$doc:meta])* $name:ident, $t:ident, $full:literal) => {
        $(#[$doc])*
        #[cfg_attr(feature = "ffi", inline(never))] // C has no constants that it could fold
        #[cfg_attr(not(feature = "ffi"), inline)]
        pub(crate) fn $name(c: $t, mut t: u32) -> $t {
            // Past this point b^t is below half a unit in the last place of 1.
            if c * t as $t > $full {
                return 1.0;
            }
            let mut power = c;
            let mut sum = 0.0;
            // No power is above 1, and rounding is monotonic: a sum is at most that of itself and what it lacks, which is 1.
            loop {
                if t & 1 == 1 {
                    sum += power * (1.0 - sum);
                }
                power *= 2.0 - power;
                t >>= 1;
                if t == 0 {
                    return sum;
                }
            }
        }
    };
}

warm! {
    /// `1 - (1 - c)^t` without cancellation, for `0 < c <= 1`: the bias correction of a running
    /// average with decay `1 - c` after `t` steps.
    ///
    /// With `x = 1 - b` and `y = 1 - d`, `1 - b * d = x + y * (1 - x)`: repeated squaring in this
    /// algebra forms the power without ever leaving `(0, 1]`, and loses nothing while `t` is small.
    ///
    /// ```text
    /// warm(c, 1) = c,   warm(c, t) -> 1
    /// ```
    warm, f32, 18.0
}
warm! {
    /// [`warm`] in double precision.
    warm_f64, f64, 38.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_in_double_precision() {
        let near = (0..2000).map(|k| 1.0 + f64::from(k - 1000) * 1e-7);
        let far = (-1022..1024).flat_map(|k| [1.0, 1.3, 1.414, 1.415, 1.999].map(|x| x * 2.0_f64.powi(k)));
        let tiny = (0..52).map(|k| f64::from_bits(5 << k >> 2)).skip(2);
        for x in near.chain(far).chain(tiny).chain([0.999_999_999, f64::from_bits(1), f64::MAX]) {
            let (got, want) = (ln_f64(x), x.ln());
            assert!((got - want).abs() <= 1e-15 * want.abs(), "{x:e}: {got:e}, not {want:e}");
        }
        assert_eq!(
            [1.0, 0.0, -0.0, f64::INFINITY].map(ln_f64),
            [0.0, -f64::INFINITY, -f64::INFINITY, f64::INFINITY]
        );
        assert!([-1.0, -f64::INFINITY, f64::NAN].iter().all(|x| ln_f64(*x).is_nan()));
    }

    #[test]
    fn squaring_stays_in_range_for_every_float_near_one() {
        for bits in 0.5_f32.to_bits()..=1.0_f32.to_bits() {
            let x = f32::from_bits(bits);
            let y = x * (2.0 - x);
            assert!(y >= x && y <= 1.0, "{x:e} -> {y:e}");
        }
    }

    #[test]
    fn a_sum_and_what_it_lacks_are_at_most_one() {
        for bits in (0..=1.0_f32.to_bits()).step_by(97) {
            let sum = f32::from_bits(bits);
            assert!(sum + (1.0 - sum) <= 1.0, "{sum:e}");
        }
        for k in 0..1 << 20 {
            let sum = 1.0 - f64::from(k) * f64::EPSILON / 2.0;
            assert!(sum + (1.0 - sum) <= 1.0 && sum / 3.0 + (1.0 - sum / 3.0) <= 1.0, "{sum:e}");
        }
    }

    #[test]
    fn warm_is_within_eight_units_of_the_f64_reference() {
        for c in [0.5, 0.1, 0.02, 0.01, 0.001, 1e-4, 1e-6_f64] {
            for t in (1..300).chain([999, 1000, 4095, 17_999, 18_001, 1 << 24, 1 << 31, u32::MAX]) {
                let got = warm(c as f32, t);
                let want = -f64::exp_m1(f64::from(t) * f64::ln_1p(-f64::from(c as f32)));
                let ulp = (f64::from(got) - want).abs() / (want * f64::from(f32::EPSILON));
                assert!(ulp <= 8.0, "c {c} t {t}: {got:e} {want:e} {ulp}");
                assert!(got > 0.0 && got <= 1.0);
            }
        }
    }
}
