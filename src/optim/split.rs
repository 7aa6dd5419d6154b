//! A decay factor and what it leaves, from `f64`, by integers: an FPU of single precision has no other way in hardware.

/// `decay` and `1 - decay`, each correctly rounded to `f32`; a decay outside of 0..=1 counts as the nearer end.
///
/// The difference comes from the decimal that the user wrote, in `f64`: 1 - 0.999 would be off by 1.3e-5 in `f32`, and
/// every step with it. Here both are 64-bit fractions, of which a conversion rounds the upper 32 bits: that those below
/// are not all 0 is said by the last of the 32, so that no tie is one by mistake. A decay below 2^-32 counts as 0.
///
/// In Rust the decays are mostly constants, and so is this. From C they never are, and it stands once for all.
#[cfg_attr(feature = "ffi", inline(never))]
#[cfg_attr(not(feature = "ffi"), inline(always))]
pub(crate) const fn split(decay: f64) -> (f32, f32) {
    let bits = decay.to_bits();
    let below = 1022_u32.wrapping_sub((bits >> 52) as u32);
    if below >= 32 {
        let (zero, one) = (0, 1.0_f32.to_bits());
        let end = if ((bits >> 32) as i32) < 1023 << 20 { zero } else { one };
        return (f32::from_bits(end), f32::from_bits(end ^ one));
    }
    // The mantissa with its leading one at the top of 64 bits, where a decay of 1/2 and more has it as a fraction.
    let mantissa = (bits << 11) | 1 << 63;
    // A decay below 1/2 leaves more than 1/2. Then only the upper 32 bits of its fraction are exact; those below say
    // whether there is more, and that is all that the rounding asks.
    let (high, low) = ((mantissa >> 32) as u32, mantissa as u32);
    let fraction = (((high >> below) as u64) << 32) | (low | (high << 1 << (31 - below))) as u64;
    let rest = fraction.wrapping_neg();
    // At most 31, which a CPU of 32 bits shifts by in fewer steps. A smaller rest has 21 bits at most.
    let zeros = ((rest >> 32) as u32 | 1).leading_zeros();
    (upper(mantissa) * power(32 + below), upper(rest << zeros) * power(32 + zeros))
}

/// `2^-n`
#[inline]
const fn power(n: u32) -> f32 {
    f32::from_bits((127 - n) << 23)
}

/// The upper 32 bits, rounded as if the others were there.
#[inline]
const fn upper(bits: u64) -> f32 {
    ((bits >> 32) as u32 | (bits as u32 != 0) as u32) as f32
}

#[cfg(test)]
mod tests {
    use super::split;
    use proptest::prelude::*;

    /// Against integers of 128 bits, which hold the difference exactly.
    fn same(decay: f64) {
        let (scale, mantissa) = match decay.to_bits() >> 52 {
            0 => (64, 0),
            exponent => (1075 - exponent as i32, (decay.to_bits() & ((1 << 52) - 1) | 1 << 52) as u128),
        };
        let rest = ((1_u128 << scale) - mantissa) as f32 * 0.5_f32.powi(scale);
        let want = (decay as f32, rest);
        if (1.0 - decay) as f32 != rest {
            // Rounded twice, f64 is on the wrong side of a tie.
            assert_eq!(((1.0 - decay) as f32 - rest).abs(), f32::EPSILON / 2.0, "{decay:e}");
        }
        let got = split(decay);
        assert_eq!((got.0.to_bits(), got.1.to_bits()), (want.0.to_bits(), want.1.to_bits()), "{decay:e}");
    }

    #[test]
    fn the_decays_that_people_write() {
        for decay in [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999, 0.999_999, 1.0, 1e-3, 1e-9]
        {
            same(decay);
        }
        for k in 0..1000 {
            same(f64::from(k) / 1000.0);
        }
    }

    #[test]
    fn ties_and_the_places_next_to_them() {
        for power in 1..=32 {
            let decay = 0.5_f64.powi(power);
            for near in [decay, 1.0 - decay, decay * 1.5, decay * 0.75 + 0.25, 0.5 + decay * 0.5] {
                for bits in near.to_bits().saturating_sub(3)..=near.to_bits() + 3 {
                    if bits <= 1.0_f64.to_bits() && f64::from_bits(bits) >= 0.5_f64.powi(32) {
                        same(f64::from_bits(bits));
                    }
                }
            }
        }
        // Halfway between two floats, as the decay and as the difference.
        for ulp in [0.5_f64.powi(25), 0.5_f64.powi(26), 0.5_f64.powi(53), 0.5_f64.powi(54)] {
            for k in 1..200 {
                let near = 0.75 + f64::from(k) * ulp;
                for decay in [near, 1.0 - near, near - 0.5] {
                    same(decay);
                    same(f64::from_bits(decay.to_bits() - 1));
                    same(f64::from_bits(decay.to_bits() + 1));
                }
            }
        }
    }

    #[test]
    fn what_is_no_decay_counts_as_the_nearer_end() {
        for decay in [-0.1, -0.0, -1e-300, f64::NEG_INFINITY, 0.0, 1e-300, 1e-30] {
            assert_eq!(split(decay), (0.0, 1.0), "{decay}");
        }
        for decay in [1.0, 1.0 + f64::EPSILON, 2.0, f64::INFINITY] {
            assert_eq!(split(decay), (1.0, 0.0), "{decay}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn any_decay(mantissa in 0_u64..1 << 52, below in 1_u64..33) {
            same(f64::from_bits((1023 - below) << 52 | mantissa));
            // Few bits, so that ties are met.
            same(f64::from_bits((1023 - below) << 52 | (mantissa >> 22 << 22)));
            same(f64::from_bits((1023 - below) << 52 | (mantissa >> 29 << 29 | 1 << 28)));
            same(f64::from_bits((1023 - below) << 52 | (mantissa & 0xff)));
        }
    }
}
