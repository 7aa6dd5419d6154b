//! The only loop that draws random words: eight generators, and bits of any probability from them.
//!
//! # Bits of a probability
//!
//! Write `keep_prob` as a binary fraction, and give every element a sequence of random bits of its own. The place of the
//! first 0 in the sequence is 1 with probability 1/2, 2 with 1/4, `j` with `1 / 2^j`. An element is kept if digit `j` of
//! `keep_prob` is 1, where `j` is the place of its first 0: with probability `sum digit[j] / 2^j`, which is `keep_prob`
//! exactly.
//!
//! Bit `i` of the words that a generator draws is the sequence of element `i`, so that 32 elements share each word. An
//! element needs two bits on average, but a word is done only when the last of its 32 elements has its 0: 6.3 words
//! draw 32 elements at any probability, one word at 1/2, where only the first digit counts. A comparison of a random
//! number for each element would need 32.
//!
//! The sequences are not looked at one by one. `open` has a 1 for every element that has seen no 0 yet: it begins with ones,
//! and each word takes those away that see a 0 in it, `open &= word`. `keep` is what would be right if `keep_prob` ended
//! with the digits so far: for an element that is done it is final, for an open one it is the current digit. So a word
//! changes `keep` only where the next digit differs from this one, and there for all elements that are still open:
//! `keep ^= open`. The digits at which that happens are the ones of `digits ^ digits << 1`.
//!
//! # Eight generators
//!
//! One generator in one core register cannot be spread over a wide register without changing its order; eight can be
//! walked one after the other by a microcontroller at no cost but 112 bytes, and are one AVX2 register. Sixteen would
//! fill an AVX-512 register, whose instructions are half as many per cycle on Zen 4. Their number is part of the stream:
//! word `w` of a call comes from generator `w mod 8`.
//!
//! A generator whose word is done stands still, so that the number of words that a microcontroller draws stays at 6.3.
//! That makes two loops of the same definition:
//!
//! - [`alone`], for one generator: it stops when nothing is open. A generator draws all its words of a call in a row, and
//!   its state stays in registers.
//! - [`together`], for all of a wide register: it goes on until the last generator is done, 9 words on average. Waiting
//!   for the answer of each word would cost more than drawing one in vain, so that all generators run on, and the state
//!   of each is noted as long as it had a reason to: at the end every generator has the state that it would have alone.
#![allow(unsafe_code, reason = "pointers")]

use super::isa::{Isa, Kernel};
use super::level::Level;
use super::vector::Plain;
use core::ops::{BitAnd, BitOr, BitXor};

/// Generators side by side: the 32-bit words of an AVX2 register.
pub(crate) const GENERATORS: usize = 8;

/// Their states: word `j` of all generators lies together, so that it is one load.
pub(crate) type Generators = [[u32; GENERATORS]; 4];

/// 32-bit words side by side: one on a microcontroller, eight with AVX2.
pub trait Words: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> {
    /// The proof that the CPU has this instruction set.
    type Isa: Copy;
    /// Words in one register; it divides [`GENERATORS`].
    const WIDTH: usize;

    /// `x` in every position.
    fn splat(isa: Self::Isa, x: u32) -> Self;
    /// Reads `WIDTH` words.
    ///
    /// # Safety
    /// `src` is valid for reads of `WIDTH` words.
    unsafe fn load(isa: Self::Isa, src: *const u32) -> Self;
    /// Writes `WIDTH` words.
    ///
    /// # Safety
    /// `dst` is valid for writes of `WIDTH` words.
    unsafe fn store(self, dst: *mut u32);
    /// Sum of each pair, modulo 2^32.
    fn plus(self, other: Self) -> Self;
    /// Shift of each word to the left.
    fn shl<const N: i32>(self) -> Self;
    /// Shift of each word to the right, zeros in.
    fn shr<const N: i32>(self) -> Self;
    /// All bits of the words that are 0.
    fn is_zero(self) -> Self;
    /// `yes` where all bits of `self` are set, `no` where none is.
    fn choose(self, yes: Self, no: Self) -> Self;
    /// Whether every word is 0.
    fn all_zero(self) -> bool;

    /// Rotation of each word to the left; `L + R` is 32.
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        self.shl::<L>() | self.shr::<R>()
    }
}

impl Words for u32 {
    type Isa = Plain;
    const WIDTH: usize = 1;

    #[inline(always)]
    fn splat(_: Plain, x: u32) -> Self {
        x
    }
    #[inline(always)]
    unsafe fn load(_: Plain, src: *const u32) -> Self {
        // SAFETY: the caller vouches for one word.
        unsafe { *src }
    }
    #[inline(always)]
    unsafe fn store(self, dst: *mut u32) {
        // SAFETY: the caller vouches for one word.
        unsafe { *dst = self }
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn shl<const N: i32>(self) -> Self {
        self << N
    }
    #[inline(always)]
    fn shr<const N: i32>(self) -> Self {
        self >> N
    }
    #[inline(always)]
    fn is_zero(self) -> Self {
        if self == 0 { !0 } else { 0 }
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        if self == 0 { no } else { yes }
    }
    #[inline(always)]
    fn all_zero(self) -> bool {
        self == 0
    }
}

/// Fills `out` with words of independent bits, each 1 with probability `digits / 2^32`.
///
/// `digits` must not be 0.
pub(crate) fn fill(level: Level, generators: &mut Generators, digits: u32, out: &mut [u32]) {
    level.dispatch(&digits, Fill { generators, out });
}

/// Generators, and where their words go.
struct Fill<'a> {
    generators: &'a mut Generators,
    out: &'a mut [u32],
}

impl Kernel<u32> for Fill<'_> {
    type Out = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, digits: &u32) {
        words::<I::U32>(isa, self.generators, *digits, self.out);
    }
}

/// The loop over words: word `w` is drawn from generator `w mod GENERATORS`, all words of a register's generators in a row.
#[inline(always)]
fn words<W: Words>(isa: W::Isa, generators: &mut Generators, digits: u32, out: &mut [u32]) {
    let (groups, rest) = out.as_chunks_mut::<GENERATORS>();
    let mut generator = 0;
    while generator < GENERATORS {
        // SAFETY: generator + WIDTH <= GENERATORS, since WIDTH divides it.
        let mut state = unsafe { load::<W>(isa, generators, generator) };
        for group in &mut *groups {
            let word = if W::WIDTH == 1 {
                alone(isa, &mut state, digits)
            } else {
                together(isa, &mut state, digits)
            };
            // SAFETY: the same; group has GENERATORS words.
            unsafe { word.store(group.as_mut_ptr().add(generator)) };
        }
        // SAFETY: the same.
        unsafe { store(generators, generator, state) };
        generator += W::WIDTH;
    }
    // One generator at a time: those past the last word must not move.
    let mut generator = 0;
    #[allow(clippy::explicit_counter_loop, reason = "an adapter would be more code")]
    for word in rest {
        // SAFETY: rest has fewer than GENERATORS words.
        unsafe {
            let mut state = load::<u32>(Plain, generators, generator);
            *word = alone(Plain, &mut state, digits);
            store(generators, generator, state);
        }
        generator += 1;
    }
}

/// The state of `WIDTH` generators.
///
/// # Safety
/// `generator + WIDTH <= GENERATORS`.
#[inline(always)]
unsafe fn load<W: Words>(isa: W::Isa, generators: &Generators, generator: usize) -> [W; 4] {
    // One pointer and three distances, not four pointers: a microcontroller has few registers.
    let p = generators.as_ptr().cast::<u32>();
    // SAFETY: the caller keeps generator + WIDTH within each of the four arrays.
    unsafe {
        let p = p.add(generator);
        [
            W::load(isa, p),
            W::load(isa, p.add(GENERATORS)),
            W::load(isa, p.add(2 * GENERATORS)),
            W::load(isa, p.add(3 * GENERATORS)),
        ]
    }
}

/// Writes the state of `WIDTH` generators.
///
/// # Safety
/// `generator + WIDTH <= GENERATORS`.
#[inline(always)]
unsafe fn store<W: Words>(generators: &mut Generators, generator: usize, [s0, s1, s2, s3]: [W; 4]) {
    let p = generators.as_mut_ptr().cast::<u32>();
    // SAFETY: the caller keeps generator + WIDTH within each of the four arrays.
    unsafe {
        let p = p.add(generator);
        s0.store(p);
        s1.store(p.add(GENERATORS));
        s2.store(p.add(2 * GENERATORS));
        s3.store(p.add(3 * GENERATORS));
    }
}

/// One word from a generator alone: a register of one position.
#[inline(always)]
fn alone<W: Words>(isa: W::Isa, state: &mut [W; 4], digits: u32) -> W {
    let (mut open, mut keep): (W, W) = begin(isa, digits);
    let mut changes = digits ^ digits << 1;
    while changes != 0 && !open.all_zero() {
        open = open & next(state);
        keep = keep ^ (open & W::splat(isa, (changes as i32 >> 31) as u32));
        changes <<= 1;
    }
    keep
}

/// Words that are drawn together before the loop asks whether an element is still open. By then 15 of 16 groups have
/// none, and a branch that nearly always goes one way costs nothing.
const BLIND: u32 = 12;

/// One word from each generator of a register.
#[inline(always)]
fn together<W: Words>(isa: W::Isa, state: &mut [W; 4], digits: u32) -> W {
    let (mut open, mut keep): (W, W) = begin(isa, digits);
    let (mut changes, mut drawn) = (digits ^ digits << 1, 0);
    let mut noted = *state;
    while changes != 0 && (drawn < BLIND || !open.all_zero()) {
        let word = next(state);
        let [n0, n1, n2, n3] = noted;
        let [s0, s1, s2, s3] = *state;
        let done = open.is_zero();
        noted = [done.choose(n0, s0), done.choose(n1, s1), done.choose(n2, s2), done.choose(n3, s3)];
        open = open & word;
        if changes >> 31 == 1 {
            keep = keep ^ open;
        }
        changes <<= 1;
        drawn += 1;
    }
    *state = noted;
    keep
}

/// Every element open, and kept or not by the first digit.
#[inline(always)]
fn begin<W: Words>(isa: W::Isa, digits: u32) -> (W, W) {
    (W::splat(isa, !0), W::splat(isa, if digits >> 31 == 1 { !0 } else { 0 }))
}

/// The next word of each generator: xoshiro128++ (Blackman and Vigna, 2021).
#[inline(always)]
fn next<W: Words>(state: &mut [W; 4]) -> W {
    let [s0, s1, s2, s3] = *state;
    let word = s0.plus(s3).rotate::<7, 25>().plus(s0);
    let (a, b) = (s2 ^ s0, s3 ^ s1);
    *state = [s0 ^ b, s1 ^ a, a ^ s1.shl::<9>(), b.rotate::<11, 21>()];
    word
}
