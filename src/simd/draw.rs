//! The only loop that draws random words: eight generators, and bits of any probability from them.
#![allow(unsafe_code)]

use super::lane::Plain;
use super::level::{Kind, Level};
use core::ops::{BitAnd, BitOr, BitXor};

/// Generators side by side: the 32-bit words of an AVX2 register.
pub const LANES: usize = 8;

/// Their states: word `j` of all lanes lies together, so that it is one load.
pub type Lanes = [[u32; LANES]; 4];

/// 32-bit words side by side: one on a microcontroller, eight with AVX2.
pub trait Words: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> {
    /// The proof that the CPU has this instruction set.
    type Isa: Copy;
    /// Words in one register; it divides [`LANES`].
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
pub fn fill(level: Level, lanes: &mut Lanes, digits: u32, out: &mut [u32]) {
    match level.0 {
        Kind::Scalar(isa) => words::<u32>(isa, lanes, digits, out),
        #[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf"))]
        Kind::Fpu(_) => words::<u32>(Plain, lanes, digits, out),
        #[cfg(any(
            target_feature = "sse2",
            target_feature = "simd128",
            all(target_arch = "aarch64", target_feature = "neon")
        ))]
        Kind::Portable(isa) => words::<super::portable::U32x4>(isa, lanes, digits, out),
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        Kind::Avx2(isa) => super::x86::fill_avx2(isa, lanes, digits, out),
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        Kind::Avx512(isa) => super::x86::fill_avx512(isa, lanes, digits, out),
    }
}

/// The loop over words: word `w` is drawn from lane `w mod LANES`. A lane draws all its words in a row, so that
/// its state stays in registers.
#[inline(always)]
pub(super) fn words<W: Words>(isa: W::Isa, lanes: &mut Lanes, digits: u32, out: &mut [u32]) {
    let (groups, rest) = out.as_chunks_mut::<LANES>();
    let mut lane = 0;
    while lane < LANES {
        // SAFETY: lane + WIDTH <= LANES, since WIDTH divides it.
        let mut state = unsafe { load::<W>(isa, lanes, lane) };
        for group in &mut *groups {
            // SAFETY: the same; group has LANES words.
            unsafe { draw(isa, &mut state, digits).store(group.as_mut_ptr().add(lane)) };
        }
        // SAFETY: the same.
        unsafe { store(lanes, lane, state) };
        lane += W::WIDTH;
    }
    // One lane at a time: those past the last word must not move.
    let mut lane = 0;
    #[allow(clippy::explicit_counter_loop)] // an adapter would be more code
    for word in rest {
        // SAFETY: rest has fewer than LANES words.
        unsafe {
            let mut state = load::<u32>(Plain, lanes, lane);
            *word = draw(Plain, &mut state, digits);
            store(lanes, lane, state);
        }
        lane += 1;
    }
}

/// The state of `WIDTH` lanes.
///
/// # Safety
/// `lane + WIDTH <= LANES`.
#[inline(always)]
unsafe fn load<W: Words>(isa: W::Isa, lanes: &Lanes, lane: usize) -> [W; 4] {
    // One pointer and three distances, not four pointers: a microcontroller has few registers.
    let p = lanes.as_ptr().cast::<u32>();
    // SAFETY: the caller keeps lane + WIDTH within each of the four arrays.
    unsafe {
        let p = p.add(lane);
        [
            W::load(isa, p),
            W::load(isa, p.add(LANES)),
            W::load(isa, p.add(2 * LANES)),
            W::load(isa, p.add(3 * LANES)),
        ]
    }
}

/// Writes the state of `WIDTH` lanes.
///
/// # Safety
/// `lane + WIDTH <= LANES`.
#[inline(always)]
unsafe fn store<W: Words>(lanes: &mut Lanes, lane: usize, [s0, s1, s2, s3]: [W; 4]) {
    let p = lanes.as_mut_ptr().cast::<u32>();
    // SAFETY: the caller keeps lane + WIDTH within each of the four arrays.
    unsafe {
        let p = p.add(lane);
        s0.store(p);
        s1.store(p.add(LANES));
        s2.store(p.add(2 * LANES));
        s3.store(p.add(3 * LANES));
    }
}

/// Digits that wide registers draw before they ask whether a bit is still undecided. By then 15 of
/// 16 groups have none, and a branch that nearly always goes one way costs nothing.
const BLIND: u32 = 12;

/// One word from each of `WIDTH` lanes: an element is kept if `digits` is 1 at the place where its
/// own random digits have their first 0.
#[inline(always)]
fn draw<W: Words>(isa: W::Isa, state: &mut [W; 4], digits: u32) -> W {
    // A lane whose word is decided stands still. The others would have to wait for that answer, so
    // that all run on, and the state of each is noted as long as it had a reason to.
    let mut noted = *state;
    // `open` has the elements without a 0 so far; were the digits to end here, `keep` would be right.
    // So `keep` changes only where one digit differs from the next.
    let mut open = W::splat(isa, !0);
    let mut keep = W::splat(isa, if digits >> 31 == 1 { !0 } else { 0 });
    let (mut changes, mut drawn) = (digits ^ digits << 1, 0);
    // One lane stands still by itself, and what is open nowhere changes nothing.
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

/// The next word of each lane: xoshiro128++ (Blackman and Vigna, 2021).
#[inline(always)]
fn next<W: Words>(state: &mut [W; 4]) -> W {
    let [s0, s1, s2, s3] = *state;
    let word = s0.plus(s3).rotate::<7, 25>().plus(s0);
    let (a, b) = (s2 ^ s0, s3 ^ s1);
    *state = [s0 ^ b, s1 ^ a, a ^ s1.shl::<9>(), b.rotate::<11, 21>()];
    word
}
