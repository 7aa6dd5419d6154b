//! How a column of state lies in memory: as it is, or in half of the bytes.
//!
//! # bf16 with a dither
//!
//! A [`Bf16`] is the upper half of an `f32`: sign, exponent, seven digits. A running average moves by less than its
//! last digit in a step; rounded to the nearest it would stand still, and Adam with it. So 16 pseudo-random bits are
//! added before the lower half is cut off, which makes the stored value right on average:
//!
//! ```text
//! u = S(t) + 0xC13F91E1 * i                element i of its tensor, step t, all mod 2^32
//! S(t) = 0x9E376A09 * (t mod 32) + H(0x9E3779B1 * (t div 32) + 0x12345677)
//! H(y): y ^= y >> 16; y *= 0x7FEB352D; y ^= y >> 15; y *= 0x846CA68B; y ^= y >> 16
//! d = u & 0xFFFF, u >> 16, (u >> 8) & 0xFFFF for column 0, 1, 2;  (u rotated left by 8) & 0xFFFF for column 3
//! w = (bits(x) + d) >> 16
//! ```
//!
//! Both odd constants walk through all 2^32 values before they repeat; their upper and lower halves are far from each
//! other's multiples, so that the bits of neighbours in place and in time are nearly equidistributed, which is better
//! than independent: the error of a sum of many is smaller. A gradient that repeats every few steps could fall in step
//! with that walk; mixing by `H` anew every 32 steps prevents it. Since `u` is a formula of `t` and `i`, no bit depends
//! on registers, threads, or where a run was resumed, and a saved state needs no generator.
//!
//! Zero, infinity and every value that a `Bf16` can hold stay as they are. A NaN becomes the quiet one, since erased
//! flash, all ones, would wrap around to 0. A dither makes no finite value infinite.
#![allow(unsafe_code, reason = "pointers")]

use super::isa::Isa;
use super::vector::{Element, Vector};
use core::fmt::Debug;

/// What has a value of all zero bits.
pub trait Zero {
    /// It.
    const ZERO_BITS: Self;
}
impl Zero for f32 {
    const ZERO_BITS: Self = 0.0;
}
impl Zero for f64 {
    const ZERO_BITS: Self = 0.0;
}
impl<T: Zero, const N: usize> Zero for [T; N] {
    const ZERO_BITS: Self = [T::ZERO_BITS; N];
}

/// What a column of numbers `T` may be stored as: `T` itself, or [`Bf16`].
///
/// Sealed by its hidden methods' types.
pub trait Stored<T: Element = f32>: Zero + Copy + PartialEq + Debug + Send + Sync + 'static {
    /// What the rounding of a pass depends on: nothing, or the dither of its first element.
    #[doc(hidden)]
    type Dither: Copy + Default + Debug + Send + Sync;

    /// The register of an instruction set that a turn of a loop computes with.
    #[doc(hidden)]
    type In<I: Isa>: Vector<T, Isa = I>;

    /// The dither of step `t` for a pass that begins with element `first` of its tensor.
    #[doc(hidden)]
    fn dither(t: u32, first: u32) -> Self::Dither;

    /// The dither `n` elements on.
    #[doc(hidden)]
    fn ahead(dither: Self::Dither, n: usize) -> Self::Dither;

    /// The dither as a word, for loops in assembly.
    #[doc(hidden)]
    fn word(dither: Self::Dither) -> u32;

    /// # Safety
    /// As [`Memory::load`](super::vector::Memory::load).
    #[doc(hidden)]
    unsafe fn load<V: Vector<T>>(isa: V::Isa, src: *const Self) -> V;

    /// Rounds with the dither of the register's first element, for a column by its number.
    ///
    /// # Safety
    /// As [`Memory::store`](super::vector::Memory::store).
    #[doc(hidden)]
    unsafe fn store<V: Vector<T>>(x: V, dst: *mut Self, dither: Self::Dither, column: usize);

    /// # Safety
    /// As [`Memory::load_partial`](super::vector::Memory::load_partial).
    #[doc(hidden)]
    unsafe fn load_partial<V: Vector<T>>(isa: V::Isa, src: *const Self, n: usize) -> V;

    /// # Safety
    /// As [`Memory::store_partial`](super::vector::Memory::store_partial).
    #[doc(hidden)]
    unsafe fn store_partial<V: Vector<T>>(
        x: V,
        dst: *mut Self,
        n: usize,
        dither: Self::Dither,
        column: usize,
    );
}

impl<T: Element + Zero + Debug> Stored<T> for T {
    type Dither = ();
    type In<I: Isa> = T::In<I>;

    #[inline(always)]
    fn dither(_: u32, _: u32) {}
    #[inline(always)]
    fn ahead((): (), _: usize) {}
    #[inline(always)]
    fn word((): ()) -> u32 {
        0
    }
    #[inline(always)]
    unsafe fn load<V: Vector<T>>(isa: V::Isa, src: *const T) -> V {
        // SAFETY: the caller vouches for the same.
        unsafe { V::load(isa, src) }
    }
    #[inline(always)]
    unsafe fn store<V: Vector<T>>(x: V, dst: *mut T, (): (), _: usize) {
        // SAFETY: the caller vouches for the same.
        unsafe { x.store(dst) };
    }
    #[inline(always)]
    unsafe fn load_partial<V: Vector<T>>(isa: V::Isa, src: *const T, n: usize) -> V {
        // SAFETY: the caller vouches for the same.
        unsafe { V::load_partial(isa, src, n) }
    }
    #[inline(always)]
    unsafe fn store_partial<V: Vector<T>>(x: V, dst: *mut T, n: usize, (): (), _: usize) {
        // SAFETY: the caller vouches for the same.
        unsafe { x.store_partial(dst, n) };
    }
}

/// The upper half of an `f32`: two bytes, the range of an `f32`, two to three decimal digits.
///
/// ```
/// use gradus::Bf16;
/// assert_eq!(Bf16::from_f32_nearest(3.14159).to_f32(), 3.140625);
/// assert_eq!(size_of::<Bf16>(), 2);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
#[doc(alias = "bfloat16")]
#[doc(alias = "half precision")]
pub struct Bf16(pub(crate) u16);

impl Bf16 {
    /// The number with these bits.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// Its bits: the upper half of those of [`to_f32`](Self::to_f32).
    #[must_use]
    pub const fn to_bits(self) -> u16 {
        self.0
    }

    pub(crate) const fn to_le_bytes(self) -> [u8; 2] {
        self.0.to_le_bytes()
    }

    pub(crate) const fn from_le_bytes(bytes: [u8; 2]) -> Self {
        Self(u16::from_le_bytes(bytes))
    }

    /// The same number.
    #[inline(always)]
    #[must_use]
    pub const fn to_f32(self) -> f32 {
        f32::from_bits((self.0 as u32) << 16)
    }

    /// The nearest number, to even where two are as near: for the conversion of a saved run, never for a training step.
    ///
    /// From 3.396e38 on, which is nearer to 2^128 than to the largest number, it is infinite.
    #[must_use]
    pub const fn from_f32_nearest(x: f32) -> Self {
        let bits = x.to_bits();
        if x.is_nan() {
            return Self(0x7FC0);
        }
        Self(((bits.wrapping_add(0x7FFF + (bits >> 16 & 1))) >> 16) as u16)
    }

    /// Rounds with 16 bits of dither: the definition above, for one number.
    #[inline(always)]
    pub(crate) const fn dithered(x: f32, d: u32) -> Self {
        let bits = x.to_bits();
        // One question for all that is rare.
        if bits << 1 < 0xFE00_0000 {
            Self((bits.wrapping_add(d) >> 16) as u16)
        } else {
            Self::of_large(bits, d)
        }
    }

    /// The same from 2^127 on.
    #[cold]
    #[inline(never)]
    const fn of_large(bits: u32, d: u32) -> Self {
        let magnitude = bits << 1;
        if magnitude > 0xFF00_0000 {
            return Self(0x7FC0);
        }
        let rounded = bits.wrapping_add(d);
        // A finite number whose magnitude would round to infinity keeps its upper half: the largest there is.
        let over = magnitude < 0xFF00_0000 && rounded << 1 >= 0xFF00_0000;
        Self((if over { bits } else { rounded } >> 16) as u16)
    }
}

impl Debug for Bf16 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        Debug::fmt(&self.to_f32(), f)
    }
}

/// As the number that it is.
#[cfg(feature = "serde")]
impl serde::Serialize for Bf16 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_f32().serialize(serializer)
    }
}

/// An `f32` that a [`Bf16`] cannot hold is refused, not rounded.
#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Bf16 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let x = f32::deserialize(deserializer)?;
        // The upper half of a NaN may be that of infinity.
        let half = Self(if x.is_nan() { 0x7FC0 } else { (x.to_bits() >> 16) as u16 });
        if half.to_f32() == x || x.is_nan() {
            Ok(half)
        } else {
            Err(serde::de::Error::custom("a number with more digits than a bf16 has"))
        }
    }
}

impl Zero for Bf16 {
    const ZERO_BITS: Self = Self(0);
}

/// What a step adds to the dither.
const STEP: u32 = 0x9E37_6A09;
/// What a place adds to the dither.
pub(super) const PLACE: u32 = 0xC13F_91E1;

/// `S(t)`.
const fn seed(t: u32) -> u32 {
    let mut y = 0x9E37_79B1_u32.wrapping_mul(t / 32).wrapping_add(0x1234_5677);
    y ^= y >> 16;
    y = y.wrapping_mul(0x7FEB_352D);
    y ^= y >> 15;
    y = y.wrapping_mul(0x846C_A68B);
    y ^= y >> 16;
    STEP.wrapping_mul(t % 32).wrapping_add(y)
}

/// The 16 bits of `u` that belong to a column.
#[inline(always)]
pub(super) const fn digits(u: u32, column: usize) -> u32 {
    match column {
        0 => u & 0xFFFF,
        1 => u >> 16,
        2 => u >> 8 & 0xFFFF,
        _ => u.rotate_left(8) & 0xFFFF,
    }
}

impl Stored<f32> for Bf16 {
    type Dither = u32;
    type In<I: Isa> = I::Halves;

    #[inline(always)]
    fn dither(t: u32, first: u32) -> u32 {
        seed(t).wrapping_add(PLACE.wrapping_mul(first))
    }
    #[inline(always)]
    fn ahead(dither: u32, n: usize) -> u32 {
        dither.wrapping_add(PLACE.wrapping_mul(n as u32))
    }
    #[inline(always)]
    fn word(dither: u32) -> u32 {
        dither
    }
    #[inline(always)]
    unsafe fn load<V: Vector>(isa: V::Isa, src: *const Self) -> V {
        // SAFETY: the caller vouches for WIDTH elements.
        unsafe { V::load_half(isa, src.cast(), V::WIDTH) }
    }
    #[inline(always)]
    unsafe fn store<V: Vector>(x: V, dst: *mut Self, dither: u32, column: usize) {
        // SAFETY: the caller vouches for WIDTH elements.
        unsafe { x.store_half(dst.cast(), V::WIDTH, dither, column) };
    }
    #[inline(always)]
    unsafe fn load_partial<V: Vector>(isa: V::Isa, src: *const Self, n: usize) -> V {
        // SAFETY: the caller vouches for n elements.
        unsafe { V::load_half(isa, src.cast(), n) }
    }
    #[inline(always)]
    unsafe fn store_partial<V: Vector>(x: V, dst: *mut Self, n: usize, dither: u32, column: usize) {
        // SAFETY: the caller vouches for n elements.
        unsafe { x.store_half(dst.cast(), n, dither, column) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_bf16_holds_stays_for_every_dither() {
        for bits in 0..=u16::MAX {
            let x = Bf16(bits).to_f32();
            for d in [0, 1, 0x7FFF, 0x8000, 0xFFFF] {
                let stored = Bf16::dithered(x, d);
                assert_eq!(stored.0, if x.is_nan() { 0x7FC0 } else { bits }, "{x:e} {d:x}");
            }
            assert_eq!(Bf16::from_f32_nearest(x).0, if x.is_nan() { 0x7FC0 } else { bits });
        }
    }

    #[test]
    fn a_finite_number_stays_finite() {
        for x in [f32::MAX, -f32::MAX, f32::from_bits(0x7F7F_0001), f32::from_bits(0xFF7F_8000)] {
            for d in 0..=0xFFFF {
                let stored = Bf16::dithered(x, d).to_f32();
                assert!(
                    stored.is_finite() && stored.is_sign_negative() == x.is_sign_negative(),
                    "{x:e} {d:x}"
                );
            }
        }
    }

    #[test]
    fn the_mean_over_all_dithers_is_the_number() {
        for x in [1.000_1_f32, -3.3, 1e-40, 6.1e-5, 1e30] {
            let sum: f64 = (0..=0xFFFF).map(|d| f64::from(Bf16::dithered(x, d).to_f32())).sum();
            let mean = sum / 65536.0;
            assert!((mean / f64::from(x) - 1.0).abs() < 1e-9, "{x:e} {mean:e}");
        }
    }

    #[test]
    fn nearest_is_to_even() {
        let cases =
            [(0x3F80_8000, 0x3F80), (0x3F81_8000, 0x3F82), (0x3F80_8001, 0x3F81), (0x7F7F_FFFF, 0x7F80)];
        for (x, want) in cases {
            assert_eq!(Bf16::from_f32_nearest(f32::from_bits(x)).0, want);
        }
    }

    /// The first dithers, as the text above defines them, by numbers worked out apart from this code.
    #[test]
    fn dithers_are_the_definition() {
        let seeds = [0x6103_C535, 0xFF3B_2F3E, 0x89B9_9C4C, 0x0275_C8AB, 0xD4B8_FB47];
        assert_eq!([0, 1, 31, 32, 70].map(seed), seeds);
        assert_eq!([Bf16::dither(5, 7), Bf16::dither(70, 1000)], [0xC0D5_D489, 0xB50A_D22F]);
        assert_eq!(Bf16::dither(5, 7), Bf16::ahead(Bf16::dither(5, 0), 7));
        assert_eq!([0, 1, 2, 3].map(|k| digits(0x1234_5678, k)), [0x5678, 0x1234, 0x3456, 0x7812]);
    }
}
