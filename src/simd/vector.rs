//! What an instruction set must offer to run every kernel, and plain numbers as its smallest case.
#![allow(unsafe_code, reason = "pointers")]

use super::isa::Isa;
use super::product::Multiply;
use super::stored::{Bf16, Stored as _, Zero, digits};
use core::fmt::Debug;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// The token of the plain scalar code, which every CPU can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain;

/// Memory access of a vector: apart from [`Vector`], so that the public trait has no unsafe method.
///
/// This trait is the seal of [`Vector`] too: it cannot be named outside the crate.
pub trait Memory<T>: Copy {
    /// The proof that the CPU has this instruction set.
    type Isa: Copy;

    /// Reads `WIDTH` elements.
    ///
    /// # Safety
    /// `src` is valid for reads of `WIDTH` elements.
    unsafe fn load(isa: Self::Isa, src: *const T) -> Self;

    /// Writes `WIDTH` elements.
    ///
    /// # Safety
    /// `dst` is valid for writes of `WIDTH` elements.
    unsafe fn store(self, dst: *mut T);

    /// Reads `n < WIDTH` elements; the others are zero.
    ///
    /// # Safety
    /// `src` is valid for reads of `n` elements.
    unsafe fn load_partial(isa: Self::Isa, src: *const T, n: usize) -> Self;

    /// Writes the first `n < WIDTH` elements.
    ///
    /// # Safety
    /// `dst` is valid for writes of `n` elements.
    unsafe fn store_partial(self, dst: *mut T, n: usize);
}

/// A register full of numbers: one on a microcontroller, sixteen with AVX-512.
///
/// A kernel written over `Vector` runs on every instruction set of the crate, and because each
/// operation here is correctly rounded or exact, with the same bits on all of them. The trait is
/// sealed: the crate implements it, users write [`Rule`](crate::Rule)s over it.
///
/// `isa` is a token that only [`Level`](crate::Level) hands out. It proves that the CPU can run
/// the instructions behind the operators.
#[allow(clippy::wrong_self_convention, reason = "the exponent is a part of the number")]
pub trait Vector<T: Element = f32>:
    Memory<T>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Numbers in one register.
    const WIDTH: usize;

    /// `x` in every position.
    fn splat(isa: Self::Isa, x: T) -> Self;

    /// Square root, correctly rounded.
    fn sqrt(self) -> Self;

    /// Absolute value: clears the sign bit.
    fn abs(self) -> Self;

    /// `yes` where `self > other`, else `no`: also `no` where one of them is NaN.
    fn select_gt(self, other: Self, yes: Self, no: Self) -> Self;

    /// Position `i` where bit `i` of `bits` is set, else +0: also where it holds NaN or infinity.
    fn keep(self, bits: u32) -> Self;

    /// Sum of the bits, each position read as an unsigned integer.
    fn add_bits(self, other: Self) -> Self;

    /// The bits that are set in both.
    fn and_bits(self, other: Self) -> Self;

    /// The bits shifted to the left by as many as the fraction has: a small integer becomes an exponent.
    fn to_exponent(self) -> Self;

    /// The bits shifted to the right by as many as the fraction has: sign and exponent become a small integer.
    #[allow(clippy::wrong_self_convention, reason = "the exponent is in the register")]
    fn from_exponent(self) -> Self;

    /// Positions of both in turn, the first half of them and the second: `a0 b0 a1 b1 ..`. Each its own at width 1.
    #[doc(hidden)]
    fn zip(self, other: Self) -> [Self; 2];

    /// Reads `n <= WIDTH` numbers of the format [`Bf16`](crate::Bf16); the others are zero.
    ///
    /// # Safety
    /// `src` is valid for reads of `n` words.
    #[doc(hidden)]
    #[inline(always)]
    unsafe fn load_half(isa: Self::Isa, src: *const u16, n: usize) -> Self {
        let mut x = [T::ZERO; 16];
        let mut k = 0;
        while k < n {
            // SAFETY: k < n <= WIDTH, at most 16.
            unsafe { *x.as_mut_ptr().add(k) = T::from_f32(Bf16(*src.add(k)).to_f32()) };
            k += 1;
        }
        // SAFETY: the array has at least WIDTH elements.
        unsafe { Self::load(isa, x.as_ptr()) }
    }

    /// Writes the first `n <= WIDTH` numbers in the format [`Bf16`](crate::Bf16), rounded by the dither of a column,
    /// whose first element has `dither`.
    ///
    /// # Safety
    /// `dst` is valid for writes of `n` words.
    #[doc(hidden)]
    #[inline(always)]
    unsafe fn store_half(self, dst: *mut u16, n: usize, dither: u32, column: usize) {
        let mut x = [T::ZERO; 16];
        // SAFETY: the array has at least WIDTH elements.
        unsafe { self.store(x.as_mut_ptr()) };
        let mut k = 0;
        while k < n {
            let d = digits(Bf16::ahead(dither, k), column);
            // SAFETY: k < n <= WIDTH, at most 16.
            unsafe { *dst.add(k) = Bf16::dithered((*x.as_ptr().add(k)).to_f32(), d).0 };
            k += 1;
        }
    }

    /// +0 where a number is subnormal or 0, else itself.
    #[inline(always)]
    fn flush(self, isa: Self::Isa) -> Self {
        Self::splat(isa, T::MIN_POSITIVE).select_gt(self.abs(), Self::splat(isa, T::ZERO), self)
    }

    /// The same where `other` is 0; there it has been flushed itself.
    #[doc(hidden)]
    #[inline(always)]
    fn flush_beside(self, isa: Self::Isa, other: Self) -> Self {
        // The comparison is false for a NaN: it is no reason to flush.
        Self::splat(isa, T::MIN_POSITIVE).select_gt(other.abs(), self.flush(isa), self)
    }

    /// The larger of both, and `other` where one of them is NaN.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.select_gt(other, self, other)
    }

    /// The smaller of both, and `other` where one of them is NaN.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        other.select_gt(self, self, other)
    }
}

/// A number type that the kernels compute with, `f32` or `f64`, and its register types.
///
/// Sealed, like [`Vector`].
pub trait Element:
    Vector<Self, Isa = Plain> + Multiply + PartialOrd + Default + Zero + Debug + Send + Sync + 'static
{
    /// The number 0.
    const ZERO: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// The smallest normal number above 0.
    const MIN_POSITIVE: Self;
    /// The number 1.
    const ONE: Self;
    /// Sums of squares at or below it may have lost digits to underflow.
    const SMALL_SQUARE: Self;
    /// The same number.
    #[doc(hidden)]
    fn from_f32(x: f32) -> Self;
    /// The nearest `f32`.
    #[doc(hidden)]
    fn to_f32(self) -> f32;
    /// The nearest number to a count.
    #[doc(hidden)]
    fn from_count(n: usize) -> Self;
    /// A power of two near the inverse of a finite number above zero.
    #[doc(hidden)]
    fn inverse_power(self) -> Self;
    /// The register of an instruction set.
    #[doc(hidden)]
    type In<I: Isa>: Vector<Self, Isa = I>;
}

/// Both number types as vectors of one number: the loop of a microcontroller, and every tail of one element.
macro_rules! plain {
    ($t:ident, $bits:ident, $sqrt:path, $register:ident) => {
        impl Memory<$t> for $t {
            type Isa = Plain;

            #[inline(always)]
            unsafe fn load(_: Plain, src: *const $t) -> Self {
                // SAFETY: the caller vouches for one element.
                unsafe { *src }
            }
            #[inline(always)]
            unsafe fn store(self, dst: *mut $t) {
                // SAFETY: the caller vouches for one element.
                unsafe { *dst = self }
            }
            #[inline(always)]
            unsafe fn load_partial(_: Plain, _: *const $t, _: usize) -> Self {
                0.0 // fewer than one element are none
            }
            #[inline(always)]
            unsafe fn store_partial(self, _: *mut $t, _: usize) {}
        }

        impl Vector<$t> for $t {
            const WIDTH: usize = 1;

            #[inline(always)]
            unsafe fn load_half(_: Plain, src: *const u16, n: usize) -> Self {
                if n == 0 {
                    return 0.0;
                }
                // SAFETY: the caller vouches for one word.
                Self::from_f32(Bf16(unsafe { *src }).to_f32())
            }
            #[inline(always)]
            unsafe fn store_half(self, dst: *mut u16, n: usize, dither: u32, column: usize) {
                if n > 0 {
                    // SAFETY: the caller vouches for one word.
                    unsafe { *dst = Bf16::dithered(self.to_f32(), digits(dither, column)).0 };
                }
            }
            #[inline(always)]
            fn splat(_: Plain, x: $t) -> Self {
                x
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$t>::from_bits(self.to_bits() << 1 >> 1)
            }
            #[inline(always)]
            fn select_gt(self, other: Self, yes: Self, no: Self) -> Self {
                if self > other { yes } else { no }
            }
            #[inline(always)]
            fn flush(self, _: Plain) -> Self {
                // No comparison of floats: without an FPU that is a call.
                let bits = self.to_bits();
                <$t>::from_bits(if bits & <$t>::INFINITY.to_bits() == 0 { 0 } else { bits })
            }
            #[inline(always)]
            fn flush_beside(self, _: Plain, other: Self) -> Self {
                let (kept, bits) = (other.to_bits(), self.to_bits());
                <$t>::from_bits(if kept | bits & <$t>::INFINITY.to_bits() == 0 { 0 } else { bits })
            }
            #[inline(always)]
            fn keep(self, bits: u32) -> Self {
                // An `if` would be a branch on Arm-M, and a coin is the worst thing to predict.
                <$t>::from_bits(self.to_bits() & $bits::from(bits & 1).wrapping_neg())
            }
            #[inline(always)]
            fn add_bits(self, other: Self) -> Self {
                <$t>::from_bits(self.to_bits().wrapping_add(other.to_bits()))
            }
            #[inline(always)]
            fn and_bits(self, other: Self) -> Self {
                <$t>::from_bits(self.to_bits() & other.to_bits())
            }
            #[inline(always)]
            fn to_exponent(self) -> Self {
                <$t>::from_bits(self.to_bits() << (<$t>::MANTISSA_DIGITS - 1))
            }
            #[inline(always)]
            fn from_exponent(self) -> Self {
                <$t>::from_bits(self.to_bits() >> (<$t>::MANTISSA_DIGITS - 1))
            }
            #[inline(always)]
            fn zip(self, other: Self) -> [Self; 2] {
                [self, other]
            }
        }

        impl Element for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = <$t>::INFINITY;
            const MIN_POSITIVE: Self = <$t>::MIN_POSITIVE;
            const SMALL_SQUARE: Self = <$t>::MIN_POSITIVE / <$t>::EPSILON / <$t>::EPSILON;
            #[inline(always)]
            fn from_f32(x: f32) -> Self {
                <$t>::from(x)
            }
            #[inline(always)]
            #[allow(clippy::unnecessary_cast, reason = "the macro writes it for both types")]
            fn to_f32(self) -> f32 {
                self as f32
            }
            #[inline(always)]
            fn from_count(n: usize) -> Self {
                n as $t
            }
            #[inline]
            fn inverse_power(self) -> Self {
                let digits = <$t>::MANTISSA_DIGITS - 1;
                let bias = <$t>::MAX_EXP as u32 - 1;
                let exponent = (self.to_bits() >> digits) as u32;
                let top = 2 * bias - 1;
                let inverse = if exponent < top { top - exponent } else { 1 };
                <$t>::from_bits(<$bits>::from(inverse) << digits)
            }
            type In<I: Isa> = I::$register;
        }
    };
}

plain!(f32, u32, super::math::sqrt, F32);
plain!(f64, u64, super::math::sqrt_f64, F64);
