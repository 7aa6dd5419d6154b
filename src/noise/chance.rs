//! Uniform numbers from any generator, by the same words on every target.

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
    low + (high - low) * unit(rng)
}
