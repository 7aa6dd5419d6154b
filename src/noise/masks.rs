//! The generator of masks, and what a pass may take a mask from.

use crate::error::Error;
use crate::simd::draw::{GENERATORS, Generators, fill};
use crate::simd::mask::{Gate, Gated, run_masked};
use crate::simd::{Element, Exec, Level, WIDE};

/// Words that are drawn before they are used, where nobody keeps them: 128 bytes of stack, or 512 where registers are
/// wide and each piece has a head to align.
const AHEAD: usize = if WIDE { 128 } else { 32 };

/// The generators of seed 0, which all-zero bits stand for.
const SEED_0: Generators = seeded(0);

/// A generator of masks: the same bits on every target, 32 of them for about 6.3 random words.
///
/// The stream is part of the interface:
///
/// - Eight xoshiro128++ generators (Blackman and Vigna, 2021). Generator 0 is
///   `Xoshiro128PlusPlus::seed_from_u64(seed)` of the crate `rand_xoshiro`; generator `k + 1` is generator `k`
///   after `jump()`, 2^64 words ahead.
/// - Word `w` of a call is drawn from generator `w mod 8`; every call begins with generator 0. A last word that
///   is used in part is drawn whole.
/// - `keep_prob` is cut to 32 binary digits. An element is kept if digit `j` is 1, where `j` is the
///   place of the first 0 in its own sequence of random bits: the first with probability 1/2, the
///   second with 1/4, and so on. Bit `i` of the words that a generator draws is the sequence of element `i`. A
///   generator stops drawing for a mask word when every element has its 0, or no digit 1 is left; an
///   element without a 0 is then dropped.
///
/// ```text
/// keep_prob = sum digit[j] / 2^j        P(first 0 at j) = 1 / 2^j
/// ```
///
/// That is one random word for 1/2, two for 1/4 and 3/4, and none for 0 and 1, which are exact. On a
/// microcontroller it is a plain loop with one generator in registers; wider registers draw all generators at once.
///
/// All-zero bits are a valid generator, that of seed 0: `static MASKS: Masks = Masks::new(0)` lies in `.bss`.
///
/// A generator is a state, and has no [`Exec`]: masks are drawn on the widest instruction set, or where
/// [`Dropout::draw`](super::Dropout::draw) is told to.
///
/// ```
/// use gradus::noise::{Masks, mask_words};
/// static SHUFFLED: Masks = Masks::new(42);
///
/// let mut masks = SHUFFLED.clone();
/// let mut mask = [0; mask_words(100)];
/// masks.fill(0.9, &mut mask); // about 9 of 10 bits are 1
/// assert_ne!(masks, SHUFFLED);
/// assert_eq!(Masks::from_state(masks.state()), masks);
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "[[u32; 4]; GENERATORS]", into = "[[u32; 4]; GENERATORS]"))]
pub struct Masks {
    generators: Generators,
}

impl Masks {
    /// All zero bits: the same stream as seed 0.
    pub const ZERO: Self = Self { generators: [[0; GENERATORS]; 4] };

    /// A generator whose stream has nothing to do with that of another seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        if seed == 0 { Self::ZERO } else { Self { generators: seeded(seed) } }
    }

    /// The generator that [`state`](Self::state) was asked of. A generator of zeros, which would never
    /// leave them, becomes that of seed 0.
    #[must_use]
    pub const fn from_state(state: [[u32; 4]; GENERATORS]) -> Self {
        let mut generators = Self::ZERO.generators;
        let mut k = 0;
        while k < GENERATORS {
            let [a, b, c, d] = state[k];
            let asleep = a | b | c | d == 0;
            let mut j = 0;
            while j < 4 {
                generators[j][k] = if asleep { SEED_0[j][k] } else { state[k][j] };
                j += 1;
            }
            k += 1;
        }
        Self { generators }
    }

    /// The four words of each generator: what a checkpoint keeps.
    #[must_use]
    pub const fn state(&self) -> [[u32; 4]; GENERATORS] {
        let generators = if self.asleep() { SEED_0 } else { self.generators };
        let mut state = [[0; 4]; GENERATORS];
        let mut k = 0;
        while k < GENERATORS {
            state[k] = [generators[0][k], generators[1][k], generators[2][k], generators[3][k]];
            k += 1;
        }
        state
    }

    /// Fills `mask` with independent bits, each 1 with probability `keep_prob`.
    ///
    /// Below 0 counts as 0, above 1 as 1, NaN as 0.
    #[inline]
    pub fn fill(&mut self, keep_prob: f32, mask: &mut [u32]) {
        self.fill_on(Level::detect(), keep_prob, mask);
    }

    /// The same at a level.
    pub(super) fn fill_on(&mut self, level: Level, keep_prob: f32, mask: &mut [u32]) {
        let digits = (keep_prob * 4_294_967_296.0) as u32; // the product is exact, the cast saturates
        if keep_prob >= 1.0 {
            mask.fill(!0);
        } else if digits == 0 {
            mask.fill(0);
        } else {
            if self.asleep() {
                self.generators = SEED_0;
            }
            fill(level, &mut self.generators, digits, mask);
        }
    }

    /// Whether the bits are still all zero: no other state has a generator of zeros.
    const fn asleep(&self) -> bool {
        let [a, b, c, d] = &self.generators;
        a[0] | b[0] | c[0] | d[0] == 0
    }
}

/// As [`Masks::from_state`]: no generator is asleep.
impl From<[[u32; 4]; GENERATORS]> for Masks {
    fn from(state: [[u32; 4]; GENERATORS]) -> Self {
        Self::from_state(state)
    }
}

impl From<Masks> for [[u32; 4]; GENERATORS] {
    fn from(masks: Masks) -> Self {
        masks.state()
    }
}

impl Default for Masks {
    fn default() -> Self {
        Self::ZERO
    }
}

impl PartialEq for Masks {
    fn eq(&self, other: &Self) -> bool {
        self.state() == other.state()
    }
}

impl Eq for Masks {}

/// The generators of a seed.
const fn seeded(seed: u64) -> Generators {
    let (low, seed) = split_mix(seed);
    let (high, _) = split_mix(seed);
    let mut generator = [low as u32, (low >> 32) as u32, high as u32, (high >> 32) as u32];
    let mut generators = Masks::ZERO.generators;
    let mut k = 0;
    while k < GENERATORS {
        let mut j = 0;
        while j < 4 {
            generators[j][k] = generator[j];
            j += 1;
        }
        generator = jump(generator);
        k += 1;
    }
    generators
}

/// One word of SplitMix64 (Steele, Lea and Flood, 2014), and its next state.
const fn split_mix(state: u64) -> (u64, u64) {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ z >> 31, state)
}

/// xoshiro128++ after 2^64 words: the sum of the states that the authors' polynomial picks.
const fn jump(generator: [u32; 4]) -> [u32; 4] {
    // The polynomial is the first four words. With the fifth it is no constant of 16 bytes: a linker puts these together, and
    // would keep the names of saved values with it.
    const POLYNOMIAL: [u32; 5] = [0x8764_000b, 0xf542_d2d3, 0x6fa0_35c3, 0x77f2_db5b, 0];
    let [mut s0, mut s1, mut s2, mut s3] = generator;
    let mut sum = [0; 4];
    let mut i = 0;
    while i < 128 {
        if POLYNOMIAL[i / 32] >> (i % 32) & 1 == 1 {
            sum = [sum[0] ^ s0, sum[1] ^ s1, sum[2] ^ s2, sum[3] ^ s3];
        }
        let t = s1 << 9;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = s3.rotate_left(11);
        i += 1;
    }
    sum
}

/// Where a pass takes its mask from.
///
/// - `&[u32]`: [`mask_words`](super::mask_words) words that the caller keeps, one bit per element,
///   for instance filled by [`Masks::fill`].
/// - `&mut Masks`: drawn on the way, and kept nowhere. A clone of the generator, taken before the
///   forward pass, draws the same mask for the backward pass.
///
/// Sealed.
pub trait MaskSource {
    /// Runs `gate` over `columns`.
    #[doc(hidden)]
    fn run<const R: usize, T: Element, G: Gate<R, T>>(
        self,
        exec: Exec,
        keep_prob: f32,
        gate: &G,
        columns: Gated<'_, R, T>,
    ) -> Result<(), Error>;
}

impl MaskSource for &[u32] {
    #[inline]
    fn run<const R: usize, T: Element, G: Gate<R, T>>(
        self,
        exec: Exec,
        _: f32,
        gate: &G,
        columns: Gated<'_, R, T>,
    ) -> Result<(), Error> {
        run_masked(exec, gate, self, columns)
    }
}

impl<const N: usize> MaskSource for &[u32; N] {
    #[inline]
    fn run<const R: usize, T: Element, G: Gate<R, T>>(
        self,
        exec: Exec,
        _: f32,
        gate: &G,
        columns: Gated<'_, R, T>,
    ) -> Result<(), Error> {
        run_masked(exec, gate, self, columns)
    }
}

impl MaskSource for &mut Masks {
    #[inline]
    fn run<const R: usize, T: Element, G: Gate<R, T>>(
        self,
        exec: Exec,
        keep_prob: f32,
        gate: &G,
        columns: Gated<'_, R, T>,
    ) -> Result<(), Error> {
        let level = exec.level();
        let mut words = [0; AHEAD];
        let mut rest = columns;
        while rest.len() > 0 {
            // AHEAD is a multiple of the number of generators, so that the pieces are one stream.
            let (piece, others) = rest.split_at(32 * AHEAD);
            let (mask, _) = words.split_at_mut(piece.len().div_ceil(32).min(AHEAD));
            self.fill_on(level, keep_prob, mask);
            run_masked(level.into(), gate, mask, piece)?;
            rest = others;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_0_is_all_zero_bits_and_a_generator_like_any_other() {
        assert_eq!(Masks::new(0).generators, [[0; GENERATORS]; 4]);
        assert_eq!((Masks::new(0), Masks::default()), (Masks::ZERO, Masks::ZERO));
        assert_eq!(Masks::from_state(SEED_0_STATE), Masks::new(0));
        let (mut zero, mut seeded) = (Masks::new(0), Masks { generators: SEED_0 });
        let (mut a, mut b) = ([0; 40], [0; 40]);
        for keep_prob in [0.5, 0.9, 1e-9, 1.0, 0.0] {
            zero.fill(keep_prob, &mut a);
            seeded.fill(keep_prob, &mut b);
            assert_eq!((a, zero.generators), (b, seeded.generators));
        }
    }

    const SEED_0_STATE: [[u32; 4]; GENERATORS] = Masks::ZERO.state();
}
