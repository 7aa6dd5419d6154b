//! Uniform numbers from any generator, by the same words on every target.

use crate::simd::math;
use rand_core::Rng;

/// Uniform in `0..n`, without bias (Lemire, 2019); 0 if `n` is 0.
pub(crate) fn below(rng: &mut impl Rng, n: u32) -> u32 {
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(n);
        let low = product as u32;
        // Of 2^32 words, 2^32 mod n too many lead to the same results. `low < n` is rare and spares the
        // division, whose divisor is never 0 there.
        if low >= n || low >= n.wrapping_neg().checked_rem(n).unwrap_or(0) {
            return (product >> 32) as u32;
        }
    }
}

/// Uniform in `0..n` of positions; 0 if `n` is 0.
pub(crate) fn index(rng: &mut impl Rng, n: usize) -> usize {
    below(rng, u32::try_from(n).unwrap_or(u32::MAX)) as usize
}

/// Uniform in `0..1`, a multiple of 2^-24.
pub(crate) fn unit(rng: &mut impl Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Uniform in `low..high`, or `low` if they are equal.
pub(crate) fn between(rng: &mut impl Rng, low: f32, high: f32) -> f32 {
    let (range, u) = (high - low, unit(rng));
    // Two large bounds may be further apart than the largest number. Both products are within them.
    if range.is_finite() { low + range * u } else { low * (1.0 - u) + high * u }
}

/// From the distribution Beta(`alpha`, `alpha`), symmetric around 1/2.
///
/// From 1/2 on it is Ulrich's formula (1984), of two numbers. Below, where most of the weight is at both ends, it is
/// Jöhnk's (1964), on logarithms so that nothing underflows: `u^(1 / alpha)` and `v^(1 / alpha)` are drawn until their sum
/// is at most 1, and the first one's part of the sum is the result.
pub(crate) fn beta(rng: &mut impl Rng, alpha: f32) -> f32 {
    if alpha >= 0.5 {
        let (u, v) = (open_unit(rng), unit(rng));
        // u^(2 / (2 alpha - 1)), and 0 where alpha is 1/2
        let power = math::exp(2.0 * math::ln(u) / (2.0 * alpha - 1.0));
        return 0.5 + 0.5 * math::sqrt(1.0 - power) * math::sin_cos_turn(v).1;
    }
    loop {
        let [x, y] = [open_unit(rng), open_unit(rng)].map(|u| math::ln(u) / alpha);
        let (larger, smaller) = if x > y { (x, y) } else { (y, x) };
        let ratio = math::exp(smaller - larger);
        if larger + math::ln_1p(ratio) <= 0.0 {
            let share = 1.0 / (1.0 + ratio);
            return if x > y { share } else { 1.0 - share };
        }
    }
}

/// Uniform between 0 and 1, and neither.
fn open_unit(rng: &mut impl Rng) -> f32 {
    ((rng.next_u32() >> 9) as f32 + 0.5) * (1.0 / 8_388_608.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;
    use rand_core::TryRng;

    /// The words 0, 1, 2 and so on.
    struct Count(u32);

    impl TryRng for Count {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            self.0 = self.0.wrapping_add(1);
            Ok(self.0.wrapping_sub(1))
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(self.try_next_u32()?.into())
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.fill(0);
            Ok(())
        }
    }

    #[test]
    fn every_result_comes_from_as_many_words() {
        // Three quarters of all words: one of four is refused, and each result comes from one of the others.
        let mut words = Count(0);
        for want in 0..1000 {
            assert_eq!(below(&mut words, 3 << 30), want);
        }
        // All words are used for a power of two, and a whole number of them for each result.
        for result in [0, 1, (1 << 20) - 1] {
            let mut words = Count(result << 12);
            for _ in 0..1 << 12 {
                assert_eq!(below(&mut words, 1 << 20), result);
            }
            assert_eq!(words.0, result.wrapping_add(1) << 12);
        }
    }

    #[test]
    fn a_number_lies_between_its_ends() {
        // The first word leads to the lower end, the largest to the last number of the grid before the upper one.
        for (low, high, step) in
            [(0.0, 1.0, 1.0 / 16_777_216.0), (3.0, 5.0, 1.0 / 4_194_304.0), (-2.0, -1.0, 0.0)]
        {
            assert_eq!(between(&mut Count(0), low, high), low);
            let last = between(&mut Count(u32::MAX), low, high);
            assert!(high - step <= last && last <= high, "{last}");
            assert_eq!(between(&mut Count(1 << 31), low, high), (low + high) / 2.0);
            assert_eq!(between(&mut Count(1 << 31), high, high), high);
        }
    }
}
