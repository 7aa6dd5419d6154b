//! Two registers as one: what a register of [`Bf16`](crate::Bf16) holds.
//!
//! Memory is read and written by whole registers then, and both are packed at once. Nothing is selected while numbers
//! are rounded: what is rare, a NaN or a number that may become infinite, is asked of both behind the store, and then
//! both are stored once more, a number after the other.
#![allow(unsafe_code, reason = "pointers")]

use super::stored::{Bf16, Stored as _, digits};
use super::vector::{Memory, Vector};
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Added to the bits of a number, it carries into the sign of those that are NaN, infinite, or finite and so large that
/// a dither may make them infinite: from `0x7F7F_0000` on.
pub(super) const HUGE: u32 = 0x0081_0000;

/// A register of which two are read from one of [`Bf16`], and written to one.
pub(super) trait Twice: Vector {
    /// Reads `n` numbers of the format [`Bf16`], at most twice `WIDTH`; the others are zero.
    ///
    /// # Safety
    /// `src` is valid for reads of `n` words.
    unsafe fn load_twice(isa: Self::Isa, src: *const u16, n: usize) -> [Self; 2];

    /// Writes the first `n` numbers, at most twice `WIDTH`, rounded by the dither of a column, whose first element has
    /// `dither`. Returns whether one of them may be wrong: that is so for NaN, and for what has become infinite.
    ///
    /// # Safety
    /// `dst` is valid for writes of `n` words.
    unsafe fn store_twice(x: [Self; 2], dst: *mut u16, n: usize, dither: u32, column: usize) -> bool;
}

/// Two registers of numbers, the first numbers in the first.
#[derive(Clone, Copy)]
pub(crate) struct Pair<V>(V, V);

/// An operator of both.
macro_rules! operator {
    ($($trait:ident $method:ident)*) => {
        $(impl<V: Vector> $trait for Pair<V> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self($trait::$method(self.0, other.0), $trait::$method(self.1, other.1))
            }
        })*
    };
}

operator!(Add add Sub sub Mul mul Div div);

impl<V: Vector> Neg for Pair<V> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0, -self.1)
    }
}

impl<V: Vector> Memory<f32> for Pair<V> {
    type Isa = V::Isa;

    #[inline(always)]
    unsafe fn load(isa: V::Isa, src: *const f32) -> Self {
        // SAFETY: the caller vouches for twice as many elements as one register has.
        unsafe { Self(V::load(isa, src), V::load(isa, src.add(V::WIDTH))) }
    }
    #[inline(always)]
    unsafe fn store(self, dst: *mut f32) {
        // SAFETY: the caller vouches for twice as many elements as one register has.
        unsafe {
            self.0.store(dst);
            self.1.store(dst.add(V::WIDTH));
        }
    }
    #[inline(always)]
    unsafe fn load_partial(isa: V::Isa, src: *const f32, n: usize) -> Self {
        // SAFETY: the caller vouches for n elements; those from WIDTH on are fewer than WIDTH.
        unsafe {
            if n < V::WIDTH {
                Self(V::load_partial(isa, src, n), V::splat(isa, 0.0))
            } else {
                Self(V::load(isa, src), V::load_partial(isa, src.add(V::WIDTH), n - V::WIDTH))
            }
        }
    }
    #[inline(always)]
    unsafe fn store_partial(self, dst: *mut f32, n: usize) {
        // SAFETY: the caller vouches for n elements; those from WIDTH on are fewer than WIDTH.
        unsafe {
            if n < V::WIDTH {
                self.0.store_partial(dst, n);
            } else {
                self.0.store(dst);
                self.1.store_partial(dst.add(V::WIDTH), n - V::WIDTH);
            }
        }
    }
}

impl<V: Twice> Vector for Pair<V> {
    const WIDTH: usize = 2 * V::WIDTH;

    #[inline(always)]
    fn splat(isa: V::Isa, x: f32) -> Self {
        Self(V::splat(isa, x), V::splat(isa, x))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt(), self.1.sqrt())
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs(), self.1.abs())
    }
    #[inline(always)]
    fn select_gt(self, other: Self, yes: Self, no: Self) -> Self {
        Self(self.0.select_gt(other.0, yes.0, no.0), self.1.select_gt(other.1, yes.1, no.1))
    }
    #[inline(always)]
    fn keep(self, bits: u32) -> Self {
        Self(self.0.keep(bits), self.1.keep(bits >> V::WIDTH))
    }
    #[inline(always)]
    fn add_bits(self, other: Self) -> Self {
        Self(self.0.add_bits(other.0), self.1.add_bits(other.1))
    }
    #[inline(always)]
    fn and_bits(self, other: Self) -> Self {
        Self(self.0.and_bits(other.0), self.1.and_bits(other.1))
    }
    #[inline(always)]
    fn to_exponent(self) -> Self {
        Self(self.0.to_exponent(), self.1.to_exponent())
    }
    #[inline(always)]
    fn from_exponent(self) -> Self {
        Self(self.0.from_exponent(), self.1.from_exponent())
    }
    #[inline(always)]
    fn zip(self, other: Self) -> [Self; 2] {
        let ([a, b], [c, d]) = (self.0.zip(other.0), self.1.zip(other.1));
        [Self(a, b), Self(c, d)]
    }
    #[inline(always)]
    unsafe fn load_half(isa: V::Isa, src: *const u16, n: usize) -> Self {
        // SAFETY: the caller vouches for n words.
        let [first, second] = unsafe { V::load_twice(isa, src, n) };
        Self(first, second)
    }
    #[inline(always)]
    unsafe fn store_half(self, dst: *mut u16, n: usize, dither: u32, column: usize) {
        // SAFETY: the caller vouches for n words, at most WIDTH; the array has as many, or more.
        unsafe {
            if V::store_twice([self.0, self.1], dst, n, dither, column) {
                let mut x = [0.0; 32];
                self.store(x.as_mut_ptr());
                store_each(&x, dst, n, dither, column);
            }
        }
    }
}

/// Rounds a number after the other.
///
/// # Safety
/// `dst` is valid for writes of `n` words, at most 32.
#[cold]
#[inline(never)]
unsafe fn store_each(x: &[f32; 32], dst: *mut u16, n: usize, dither: u32, column: usize) {
    for (k, x) in x.iter().enumerate().take(n) {
        let d = digits(Bf16::ahead(dither, k), column);
        // SAFETY: k < n.
        unsafe { *dst.add(k) = Bf16::dithered(*x, d).0 };
    }
}
