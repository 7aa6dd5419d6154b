//! The only loop that draws random words: eight generators, and bits of any probability from them.
#![allow(unsafe_code)]

use super::isa::{Isa, Kernel};
use super::level::Level;
use super::vector::Plain;
use core::ops::{BitAnd, BitOr, BitXor};

/// Generators side by side: the 32-bit words of an AVX2 register.
pub const GENERATORS: usize = 8;

/// Their states: word `j` of all generators lies together, so that it is one load.
pub type Generators = [[u32; GENERATORS]; 4];

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
pub fn fill(level: Level, generators: &mut Generators, digits: u32, out: &mut [u32]) {
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

/// The loop over words: word `w` is drawn from generator `w mod GENERATORS`. A generator draws all its words in a row, so that
/// its state stays in registers.
#[inline(always)]
fn words<W: Words>(isa: W::Isa, generators: &mut Generators, digits: u32, out: &mut [u32]) {
    let (groups, rest) = out.as_chunks_mut::<GENERATORS>();
    let mut generator = 0;
    while generator < GENERATORS {
        // SAFETY: generator + WIDTH <= GENERATORS, since WIDTH divides it.
        let mut state = unsafe { load::<W>(isa, generators, generator) };
        for group in &mut *groups {
            // SAFETY: the same; group has GENERATORS words.
            unsafe { draw(isa, &mut state, digits).store(group.as_mut_ptr().add(generator)) };
        }
        // SAFETY: the same.
        unsafe { store(generators, generator, state) };
        generator += W::WIDTH;
    }
    // One generator at a time: those past the last word must not move.
    let mut generator = 0;
    #[allow(clippy::explicit_counter_loop)] // an adapter would be more code
    for word in rest {
        // SAFETY: rest has fewer than GENERATORS words.
        unsafe {
            let mut state = load::<u32>(Plain, generators, generator);
            *word = draw(Plain, &mut state, digits);
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

/// Digits that wide registers draw before they ask whether a bit is still undecided. By then 15 of
/// 16 groups have none, and a branch that nearly always goes one way costs nothing.
const BLIND: u32 = 12;

/// One word from each of `WIDTH` generators: an element is kept if `digits` is 1 at the place where its
/// own random digits have their first 0.
#[inline(always)]
fn draw<W: Words>(isa: W::Isa, state: &mut [W; 4], digits: u32) -> W {
    // A generator whose word is decided stands still. The others would have to wait for that answer, so
    // that all run on, and the state of each is noted as long as it had a reason to.
    let mut noted = *state;
    // `open` has the elements without a 0 so far; were the digits to end here, `keep` would be right.
    // So `keep` changes only where one digit differs from the next.
    let mut open = W::splat(isa, !0);
    let mut keep = W::splat(isa, if digits >> 31 == 1 { !0 } else { 0 });
    let (mut changes, mut drawn) = (digits ^ digits << 1, 0);
    // One generator stands still by itself, and what is open nowhere changes nothing.
    while W::WIDTH == 1 && changes != 0 && !open.all_zero() {
        open = open & next(state);
        keep = keep ^ (open & W::splat(isa, (changes as i32 >> 31) as u32));
        changes <<= 1;
    }
    while W::WIDTH > 1 && changes != 0 && (drawn < BLIND || !open.all_zero()) {
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
    if W::WIDTH > 1 {
        *state = noted;
    }
    keep
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
