//! A decay factor and what it leaves, from `f64`, by integers: an FPU of single precision has no other way in hardware.

/// `decay` and `1 - decay`, each correctly rounded to `f32`; a decay outside of 0..=1 counts as the nearer end, and one
/// below 2^-32 as 0.
///
/// The difference comes from the decimal that the user wrote, in `f64`: 1 - 0.999 would be off by 1.3e-5 in `f32`, and
/// every step with it.
///
/// In Rust the decays are mostly constants, and so is this. From C they never are, and it stands once for all.
#[inline(always)]
pub(crate) const fn split(decay: f64) -> (f32, f32) {
    let (decay, rest) = split_bits(decay);
    (f32::from_bits(decay), f32::from_bits(rest))
}

/// `decay` alone.
#[inline(always)]
pub(crate) const fn rounded(decay: f64) -> f32 {
    f32::from_bits(rounded_bits(decay))
}

/// The `n` of the power `2^-n` that a decay is below, from its upper word: from 32 on it is one of the ends.
#[inline(always)]
const fn below(up: u32) -> u32 {
    1022_u32.wrapping_sub(up >> 20)
}

/// The bits of an end: of what an exponent is for that says no number between them.
#[inline(always)]
const fn end(up: u32) -> u32 {
    // Anything between the two kinds of numbers that come here.
    if (up as i32) < 0x3e00_0000 { 0 } else { 1.0_f32.to_bits() }
}

/// The bits of a decay between the ends, given its two words. Its mantissa loses 29 bits, and the carry out of them is that
/// of a half and, where what is left is odd, the smallest bit.
#[inline(always)]
const fn short(up: u32, down: u32) -> u32 {
    let short = (up << 3 | down >> 29) - (896 << 23);
    let (_, carry) = (down << 3).overflowing_add(0x7fff_ffff + (short & 1));
    short + carry as u32
}

#[cfg_attr(feature = "ffi", inline(never))]
#[cfg_attr(not(feature = "ffi"), inline(always))]
const fn rounded_bits(decay: f64) -> u32 {
    let (up, down) = ((decay.to_bits() >> 32) as u32, decay.to_bits() as u32);
    if below(up) < 32 { short(up, down) } else { end(up) }
}

/// The bits of both. The rest is a fraction of 64 bits, of which a conversion rounds the upper 32: that those below are not
/// all 0 is said by the last of the 32, so that no tie is one by mistake.
#[cfg_attr(feature = "ffi", inline(never))]
#[cfg_attr(not(feature = "ffi"), inline(always))]
const fn split_bits(decay: f64) -> (u32, u32) {
    let (up, down) = ((decay.to_bits() >> 32) as u32, decay.to_bits() as u32);
    let below = below(up);
    if below >= 32 {
        return (end(up), end(up) ^ 1.0_f32.to_bits());
    }
    // The mantissa with its leading one at the top of 64 bits, where a decay of 1/2 and more has it as a fraction. One below
    // 1/2 leaves more than 1/2. Then only the upper 32 bits of its fraction are exact; those below say whether there is
    // more, and that is all that the rounding asks.
    let high = up << 11 | down >> 21 | 1 << 31;
    let low = down << 11 | (high << 1 << (31 - below));
    let rest = (((high >> below) as u64) << 32 | low as u64).wrapping_neg();
    let (high, low) = ((rest >> 32) as u32, rest as u32);
    // At most 31, which a CPU of 32 bits shifts by in fewer steps. A smaller rest has 21 bits at most.
    let zeros = (high | 1).leading_zeros();
    let upper = high << zeros | low >> 1 >> (31 - zeros) | (low << zeros != 0) as u32;
    (short(up, down), (upper as f32).to_bits() - ((32 + zeros) << 23))
}

#[cfg(test)]
mod tests {
    use super::{rounded, split};
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
        assert_eq!(rounded(decay).to_bits(), got.0.to_bits(), "{decay:e}");
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
        let most = f64::from_bits(0.5_f64.powi(32).to_bits() - 1);
        for decay in [-0.1, -0.0, -1e-300, f64::NEG_INFINITY, 0.0, 1e-300, 1e-30, most, 0.5_f64.powi(33)] {
            assert_eq!((split(decay), rounded(decay)), ((0.0, 1.0), 0.0), "{decay:e}");
        }
        for decay in [1.0, 1.0 + f64::EPSILON, 2.0, f64::INFINITY] {
            assert_eq!((split(decay), rounded(decay)), ((1.0, 0.0), 1.0), "{decay}");
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
