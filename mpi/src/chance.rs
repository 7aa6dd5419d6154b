//! Chance that does not know of ranks.

use gradus::rand::{Rng, SeedableRng, Xoshiro128PlusPlus};

/// All chance of a run: what is drawn depends on the seed, the epoch and the sample, never on the rank.
///
/// ```
/// use gradus::noise::Masks;
/// use gradus_mpi::Chance;
///
/// let chance = Chance { seed: 1 };
/// let order = chance.order(3, 1442); // of the samples in epoch 3, the same on every rank
/// let masks = Masks::new(chance.sample(3, order[0])); // what dropout drops for the first of them
/// # let _ = masks;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    /// What a run is told by from another.
    pub seed: u64,
}

impl Chance {
    /// The seed of a generator for one sample in one epoch.
    #[must_use]
    pub fn sample(self, epoch: u32, sample: u32) -> u64 {
        mix(mix(self.seed) ^ (u64::from(epoch) << 32 | u64::from(sample)))
    }

    /// The samples `0..n` in the order of an epoch, by the shuffle of Fisher and Yates.
    #[must_use]
    pub fn order(self, epoch: u32, n: u32) -> Vec<u32> {
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(mix(self.seed.wrapping_add(1)) ^ u64::from(epoch));
        let mut order: Vec<u32> = (0..n).collect();
        for last in (1..order.len()).rev() {
            // The high half of a product: uneven by less than n / 2^32.
            let other = (u64::from(rng.next_u32()) * (last as u64 + 1)) >> 32;
            order.swap(last, other as usize);
        }
        order
    }
}

/// A bijection of 64 bits without a pattern that shows: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn an_order_has_every_sample_and_every_epoch_its_own() {
        let chance = Chance { seed: 7 };
        for n in [0, 1, 2, 100] {
            let mut order = chance.order(0, n);
            order.sort_unstable();
            assert_eq!(order, (0..n).collect::<Vec<_>>());
        }
        assert_ne!(chance.order(0, 100), chance.order(1, 100));
        assert_ne!(chance.order(0, 100), Chance { seed: 8 }.order(0, 100));
        // Every place is equally likely: each of 6 orders in about a sixth of the epochs.
        let count = (0..6000).filter(|&epoch| chance.order(epoch, 3) == [2, 0, 1]).count();
        assert!((900..1100).contains(&count), "{count}");
    }

    #[test]
    fn no_two_samples_share_a_seed() {
        let seeds =
            |seed| (0..100).flat_map(move |epoch| (0..100).map(move |k| Chance { seed }.sample(epoch, k)));
        let all: HashSet<_> = seeds(0).chain(seeds(1)).collect();
        assert_eq!(all.len(), 20_000);
    }
}
