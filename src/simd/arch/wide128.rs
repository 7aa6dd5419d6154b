//! 128-bit vectors over `wide`: SSE2, NEON and simd128 from one file.
//!
//! Only operations that `wide` maps to one correctly rounded or exact instruction are used. Its
//! `mul_add`, its estimates and its `max` differ between targets and are not.
#![allow(unsafe_code, reason = "intrinsics")]

use crate::simd::draw::Words;
use crate::simd::isa::Isa;
use crate::simd::pair::{HUGE, Pair, Twice};
use crate::simd::stored::PLACE;
use crate::simd::vector::{Memory, Vector};
use core::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Sub};
use wide::{f32x4, f64x2, i32x4, u32x4, u64x2};

/// The token of the 128-bit registers, which the target has at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wide128;

impl Wide128 {
    pub(crate) fn detect() -> Option<Self> {
        Some(Self)
    }
}

impl Isa for Wide128 {
    type F32 = F32x4;
    type F64 = F64x2;
    type Halves = Pair<F32x4>;
    type U32 = U32x4;
}

macro_rules! vector {
    (
        $name:ident, $v:ident, $t:ident, $width:literal, $mask:ident, $words:ident,
        |$x:ident| $all:expr,
        |$a:ident, $b:ident| $zip:expr
    ) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $name($v);

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, o: Self) -> Self {
                Self(self.0 + o.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, o: Self) -> Self {
                Self(self.0 - o.0)
            }
        }
        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, o: Self) -> Self {
                Self(self.0 * o.0)
            }
        }
        impl Div for $name {
            type Output = Self;
            #[inline(always)]
            fn div(self, o: Self) -> Self {
                Self(self.0 / o.0)
            }
        }
        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self(self.0 ^ Self::splat(Wide128, -0.0).0)
            }
        }

        impl $name {
            #[inline(always)]
            fn bits(self) -> $words {
                $words::new(self.0.to_array().map(<$t>::to_bits))
            }
            #[inline(always)]
            fn of(bits: $words) -> Self {
                Self($v::new(bits.to_array().map(<$t>::from_bits)))
            }
        }

        impl Memory<$t> for $name {
            type Isa = Wide128;

            #[inline(always)]
            unsafe fn load(_: Wide128, src: *const $t) -> Self {
                // SAFETY: the caller vouches for WIDTH elements; an array asks for no more alignment.
                Self($v::new(unsafe { *src.cast::<[$t; $width]>() }))
            }
            #[inline(always)]
            unsafe fn store(self, dst: *mut $t) {
                // SAFETY: the caller vouches for WIDTH elements; an array asks for no more alignment.
                unsafe { *dst.cast::<[$t; $width]>() = self.0.to_array() }
            }
            #[inline(always)]
            unsafe fn load_partial(_: Wide128, src: *const $t, n: usize) -> Self {
                let mut x = [0.0; $width];
                let mut k = 0;
                while k < $width - 1 {
                    if k < n {
                        // SAFETY: k < n, and the caller vouches for n elements.
                        x[k] = unsafe { *src.add(k) };
                    }
                    k += 1;
                }
                Self($v::new(x))
            }
            #[inline(always)]
            unsafe fn store_partial(self, dst: *mut $t, n: usize) {
                let x = self.0.to_array();
                let mut k = 0;
                while k < $width - 1 {
                    if k < n {
                        // SAFETY: k < n, and the caller vouches for n elements.
                        unsafe { *dst.add(k) = x[k] };
                    }
                    k += 1;
                }
            }
        }

        impl Vector<$t> for $name {
            const WIDTH: usize = $width;

            #[inline(always)]
            fn splat(_: Wide128, $x: $t) -> Self {
                // Spelt out: opt-level z and s make `[x; WIDTH]` a loop, and a call of `wide`'s splat.
                Self($v::new($all))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(self.0.sqrt())
            }
            #[inline(always)]
            fn abs(self) -> Self {
                let sign = Self::splat(Wide128, -0.0).0;
                Self((self.0 | sign) ^ sign)
            }
            #[inline(always)]
            fn select_gt(self, other: Self, yes: Self, no: Self) -> Self {
                let mask = self.0.simd_gt(other.0);
                Self((mask & yes.0) | (!mask & no.0))
            }
            #[inline(always)]
            fn keep(self, bits: u32) -> Self {
                Self(self.0 & $mask(bits))
            }
            #[inline(always)]
            fn add_bits(self, other: Self) -> Self {
                Self::of(self.bits() + other.bits())
            }
            #[inline(always)]
            fn and_bits(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
            #[inline(always)]
            fn to_exponent(self) -> Self {
                Self::of(self.bits() << (<$t>::MANTISSA_DIGITS - 1))
            }
            #[inline(always)]
            fn from_exponent(self) -> Self {
                Self::of(self.bits() >> (<$t>::MANTISSA_DIGITS - 1))
            }
            #[inline(always)]
            fn zip(self, other: Self) -> [Self; 2] {
                let ($a, $b) = (self.0.to_array(), other.0.to_array());
                let [first, second]: [[$t; $width]; 2] = $zip;
                [Self($v::new(first)), Self($v::new(second))]
            }
        }
    };
}

vector!(F32x4, f32x4, f32, 4, mask_32, u32x4, |x| [x, x, x, x], |a, b| [
    [a[0], b[0], a[1], b[1]],
    [a[2], b[2], a[3], b[3]]
]);
vector!(F64x2, f64x2, f64, 2, mask_64, u64x2, |x| [x, x], |a, b| [[a[0], b[0]], [a[1], b[1]]]);

/// [`Bf16::dithered`](crate::Bf16), two registers at a time.
///
/// Of each two words that lie side by side, one is the upper half of a number in place, and the other after a shift.
impl Twice for F32x4 {
    #[inline(always)]
    unsafe fn load_twice(_: Wide128, src: *const u16, n: usize) -> [Self; 2] {
        let mut words = [0; 4];
        // SAFETY: the caller vouches for n words, at most eight.
        unsafe {
            if n < 8 {
                words.as_mut_ptr().cast::<u16>().copy_from_nonoverlapping(src, n);
            } else {
                words = src.cast::<[u32; 4]>().read_unaligned();
            }
        }
        let words = u32x4::new(words);
        let [even, odd] = in_order([words << 16, words & splat(0xFFFF_0000)]);
        Self::of(even).zip(Self::of(odd))
    }

    #[inline(always)]
    unsafe fn store_twice(x: [Self; 2], dst: *mut u16, n: usize, dither: u32, column: usize) -> bool {
        let [first, second] = [x[0].bits(), x[1].bits()];
        let u = splat(dither) + u32x4::new([0, PLACE, PLACE.wrapping_mul(2), PLACE.wrapping_mul(3)]); // it wraps
        let next = u + splat(PLACE.wrapping_mul(4));
        let [a, b, c, d] = (first + digits(u, column)).to_array();
        let [e, f, g, h] = (second + digits(next, column)).to_array();
        let [low, high] = in_order([u32x4::new([a, c, e, g]), u32x4::new([b, d, f, h])]);
        let words: u32x4 = (low >> 16) | (high & splat(0xFFFF_0000));
        let words = words.to_array();
        // SAFETY: the caller vouches for n words, at most eight.
        unsafe {
            if n < 8 {
                dst.copy_from_nonoverlapping(words.as_ptr().cast(), n);
            } else {
                dst.cast::<[u32; 4]>().write_unaligned(words);
            }
        }
        let crossing = (first ^ (first + splat(HUGE))) | (second ^ (second + splat(HUGE)));
        i32x4::new(crossing.to_array().map(|word| word as i32)).to_bitmask() != 0
    }
}

/// The first of two words is the lower half of both where the lowest byte comes first.
#[inline(always)]
fn in_order([first, second]: [u32x4; 2]) -> [u32x4; 2] {
    if cfg!(target_endian = "little") { [first, second] } else { [second, first] }
}

#[inline(always)]
fn splat(word: u32) -> u32x4 {
    u32x4::new([word, word, word, word])
}

/// The 16 bits of each `u` that belong to a column.
#[inline(always)]
fn digits(u: u32x4, column: usize) -> u32x4 {
    let low = splat(0xFFFF);
    match column {
        0 => u & low,
        1 => u >> 16,
        2 => (u >> 8) & low,
        // Rotated by 8: the upper byte comes back below the lowest.
        _ => ((u << 8) | (u >> 24)) & low,
    }
}

/// All bits of position `i` where bit `i` is set.
#[inline(always)]
fn mask_32(bits: u32) -> f32x4 {
    let bit = u32x4::new([1, 2, 4, 8]);
    let set = (u32x4::new([bits, bits, bits, bits]) & bit).simd_eq(bit);
    f32x4::new(set.to_array().map(f32::from_bits))
}

/// All bits of position `i` where bit `i` is set.
#[inline(always)]
fn mask_64(bits: u32) -> f64x2 {
    let set = [u64::from(bits & 1).wrapping_neg(), u64::from(bits >> 1 & 1).wrapping_neg()];
    f64x2::new(set.map(f64::from_bits))
}

/// Four 32-bit words.
#[derive(Clone, Copy)]
pub(crate) struct U32x4(u32x4);

/// One operator of the words.
macro_rules! word_operator {
    ($trait:ident, $method:ident) => {
        impl $trait for U32x4 {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self($trait::$method(self.0, other.0))
            }
        }
    };
}

word_operator!(BitAnd, bitand);
word_operator!(BitOr, bitor);
word_operator!(BitXor, bitxor);

impl Words for U32x4 {
    type Isa = Wide128;
    const WIDTH: usize = 4;

    #[inline(always)]
    fn splat(_: Wide128, x: u32) -> Self {
        Self(u32x4::new([x, x, x, x]))
    }
    #[inline(always)]
    unsafe fn load(_: Wide128, src: *const u32) -> Self {
        // SAFETY: the caller vouches for WIDTH words; an array asks for no more alignment.
        Self(u32x4::new(unsafe { *src.cast::<[u32; 4]>() }))
    }
    #[inline(always)]
    unsafe fn store(self, dst: *mut u32) {
        // SAFETY: the caller vouches for WIDTH words; an array asks for no more alignment.
        unsafe { *dst.cast::<[u32; 4]>() = self.0.to_array() }
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0) // wide's addition of integers wraps
    }
    #[inline(always)]
    fn shl<const N: i32>(self) -> Self {
        Self(self.0 << N as u32)
    }
    #[inline(always)]
    fn shr<const N: i32>(self) -> Self {
        Self(self.0 >> N as u32)
    }
    #[inline(always)]
    fn is_zero(self) -> Self {
        Self(self.0.simd_eq(u32x4::new([0, 0, 0, 0])))
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        Self(self.0.bitselect(yes.0, no.0))
    }
    #[inline(always)]
    fn all_zero(self) -> bool {
        self.0.simd_eq(u32x4::new([0, 0, 0, 0])).all()
    }
}
