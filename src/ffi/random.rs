//! Random numbers, and first weights of them.

use super::memory::{Memory, apart};
use super::{Refusal, gradus_status, guard};
use crate::init;
use crate::noise::Masks;
use core::convert::Infallible;
use rand_core::{Rng, TryRng};

/// A generator of random numbers, xoshiro128++ (Blackman and Vigna, 2021); `= {0}` is the one of seed 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct gradus_random {
    /// Its state.
    pub state: [u32; 4],
}

impl gradus_random {
    /// The generator of a seed: the first of the eight that draw masks.
    fn seeded(seed: u64) -> Self {
        let [state, ..] = Masks::new(seed).state();
        Self { state }
    }

    /// The generator, which takes a state of zeros for seed 0.
    fn awake(self) -> Self {
        let [a, b, c, d] = self.state;
        if a | b | c | d == 0 { Self::seeded(0) } else { self }
    }
}

/// The numbers of `rand_xoshiro`, written out: that crate's seeding keeps a path to a panic at opt-level z.
impl TryRng for gradus_random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let [mut s0, mut s1, mut s2, mut s3] = self.state;
        let word = s0.wrapping_add(s3).rotate_left(7).wrapping_add(s0);
        let shifted = s1 << 9;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= shifted;
        s3 = s3.rotate_left(11);
        self.state = [s0, s1, s2, s3];
        Ok(word)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let (low, high) = (u64::from(self.next_u32()), u64::from(self.next_u32()));
        Ok(high << 32 | low)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.next_u32() as u8; // no call of this interface asks for bytes
        }
        Ok(())
    }
}

/// Begins the numbers of `seed` in `random`: the same ones as Xoshiro128PlusPlus::seed_from_u64() in Rust.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_random_seed(random: *mut gradus_random, seed: u64) -> gradus_status {
    guard(|| {
        let random = Memory::one(random)?;
        // SAFETY: checked; the caller vouches for the memory.
        unsafe { *random.one_mut() = gradus_random::seeded(seed) };
        Ok(())
    })
}

/// Fills memory from a generator.
///
/// # Safety
/// The caller vouches for memory behind the pointers.
unsafe fn fill<T>(
    random: *mut gradus_random,
    n: usize,
    to: *mut T,
    how: impl FnOnce(&mut gradus_random, &mut [T]),
) -> Result<(), Refusal> {
    let (random, to) = (Memory::unchecked(random, 1), Memory::unchecked(to, n));
    apart([random.written(), to.written()])?;
    // SAFETY: checked, and apart; the caller vouches for the memory.
    let (random, to) = unsafe { (random.one_mut(), to.slice_mut()) };
    *random = random.awake();
    how(random, to);
    Ok(())
}

/// Fills the `n` elements of `words` with 32 random bits each, from `random`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_random_words(
    random: *mut gradus_random,
    n: usize,
    words: *mut u32,
) -> gradus_status {
    let draw = |rng: &mut gradus_random, words: &mut [u32]| {
        for word in words {
            *word = rng.next_u32();
        }
    };
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { fill(random, n, words, draw) })
}

/// Fills the `n` floats of `weights` with uniform numbers from `low` to `high`, which is left out, from `random`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_init_uniform(
    random: *mut gradus_random,
    low: f32,
    high: f32,
    n: usize,
    weights: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { fill(random, n, weights, |rng, weights| init::uniform(rng, low, high, weights)) })
}

/// Fills the `n` floats of `weights` with normal numbers of this mean and deviation, from `random`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_init_normal(
    random: *mut gradus_random,
    mean: f32,
    deviation: f32,
    n: usize,
    weights: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { fill(random, n, weights, |rng, weights| init::normal(rng, mean, deviation, weights)) })
}

/// Fills the `n` floats of `weights` with uniform numbers of variance 2 / fan_in, for rectifiers (He et al., 2015), from
/// `random`. `fan_in` is how many weights lead to an output.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_init_he_uniform(
    random: *mut gradus_random,
    fan_in: usize,
    n: usize,
    weights: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { fill(random, n, weights, |rng, weights| init::he_uniform(rng, fan_in, weights)) })
}

/// As gradus_init_he_uniform(), with normal numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_init_he_normal(
    random: *mut gradus_random,
    fan_in: usize,
    n: usize,
    weights: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { fill(random, n, weights, |rng, weights| init::he_normal(rng, fan_in, weights)) })
}

/// Fills the `n` floats of `weights` with uniform numbers of variance 2 / (fan_in + fan_out), for tanh and sigmoid (Glorot
/// and Bengio, 2010), from `random`. `fan_out` is how many weights an input leads to.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_init_glorot_uniform(
    random: *mut gradus_random,
    fan_in: usize,
    fan_out: usize,
    n: usize,
    weights: *mut f32,
) -> gradus_status {
    let draw = |rng: &mut _, weights: &mut [f32]| init::glorot_uniform(rng, fan_in, fan_out, weights);
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { fill(random, n, weights, draw) })
}

/// As gradus_init_glorot_uniform(), with normal numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_init_glorot_normal(
    random: *mut gradus_random,
    fan_in: usize,
    fan_out: usize,
    n: usize,
    weights: *mut f32,
) -> gradus_status {
    let draw = |rng: &mut _, weights: &mut [f32]| init::glorot_normal(rng, fan_in, fan_out, weights);
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { fill(random, n, weights, draw) })
}

/// Fills the `n` floats of `weights` with uniform numbers of variance 1 / fan_in (LeCun et al., 1998), from `random`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_init_lecun_uniform(
    random: *mut gradus_random,
    fan_in: usize,
    n: usize,
    weights: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { fill(random, n, weights, |rng, weights| init::lecun_uniform(rng, fan_in, weights)) })
}

/// As gradus_init_lecun_uniform(), with normal numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_init_lecun_normal(
    random: *mut gradus_random,
    fan_in: usize,
    n: usize,
    weights: *mut f32,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { fill(random, n, weights, |rng, weights| init::lecun_normal(rng, fan_in, weights)) })
}
