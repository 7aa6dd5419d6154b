//! The cosine wave, in integers: monotone, which a polynomial in `f32` is not.

/// `c0 - c1 z + c2 z^2 - c3 z^3 + c4 z^4 = sin(pi x / 2)^2 / z` for `z = x^2` from 0 to 1/4, as multiples of
/// 2^-30: the minimax polynomial of the relative error (9e-10) among those that are 2 at 1/4
/// (tests/vectors/wave.py), without the digits behind the point.
const C: [u32; 5] = [2_649_351_755, 2_179_004_033, 716_850_067, 126_194_686, 13_200_263];

/// The half wave from 0 at 0 to 1 at 1, for `x` within `0..=1`: monotone, and within 0.76 units in the last place.
///
/// ```text
/// (1 - cos(pi * x)) / 2 = sin(pi / 2 * x)^2
/// ```
///
/// It is exact at 0, 1/2 and 1.
pub(crate) fn half_wave(x: f32) -> f32 {
    if x > 0.5 { 1.0 - rise(1.0 - x) } else { rise(x) }
}

/// The first half of the wave, all digits of which are kept however small it is; 0 below 2^-49.
///
/// Rounding in between would make neighbours change places. A mantissa of 24 bits leaves 32-bit integers
/// room for 8 more, and only the last conversion rounds to the 24 of the result.
fn rise(x: f32) -> f32 {
    let halvings = 126_u32.saturating_sub(x.to_bits() >> 23);
    if halvings > 48 {
        return 0.0;
    }
    let mantissa = (x.to_bits() << 8) | (1 << 31); // x = mantissa / 2^(32 + halvings)
    let square = high(mantissa, mantissa);
    let z = square.checked_shr(2 * halvings).unwrap_or(0);
    let mut sum = C[4];
    for c in [C[3], C[2], C[1], C[0]] {
        sum = c - high(sum, z);
    }
    // Exact: no result is small enough to be subnormal.
    high(square, sum) as f32 * f32::from_bits((97 - 2 * halvings) << 23)
}

/// The upper half of a product.
fn high(a: u32, b: u32) -> u32 {
    ((u64::from(a) * u64::from(b)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `step`th number from 0 to 1.
    fn hold(step: usize) {
        let mut last = 0.0;
        for bits in (0..=1.0_f32.to_bits()).step_by(step) {
            let x = f32::from_bits(bits);
            let (got, sine) = (half_wave(x), (core::f64::consts::FRAC_PI_2 * f64::from(x)).sin());
            assert!(got >= last, "{x:e}: {got:e} after {last:e}");
            last = got;
            let want = if x < f32::from_bits((127 - 49) << 23) { 0.0 } else { sine * sine };
            let unit = f64::from(f32::from_bits((want as f32).to_bits() & 0xff << 23)) / f64::from(1 << 23);
            assert!((f64::from(got) - want).abs() <= 0.76 * unit, "{x:e}: {got:e}, not {want:e}");
        }
    }

    #[test]
    fn it_is_the_half_wave() {
        hold(97);
        assert_eq!([0.0, 0.5, 1.0].map(half_wave), [0.0, 0.5, 1.0]);
    }

    #[test]
    #[ignore = "all numbers from 0 to 1, half a minute in release: ci.sh long"]
    fn it_is_the_half_wave_everywhere() {
        hold(1);
    }
}
