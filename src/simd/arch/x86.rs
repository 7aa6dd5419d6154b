//! AVX2 and AVX-512 vectors, and the doors into code compiled for them.
#![allow(unsafe_code, reason = "intrinsics")]

use super::wide128::Wide128;
use super::*;
use crate::simd::draw::Words;
use crate::simd::pair::Pair;
use crate::simd::vector::{Memory, Vector};
use core::arch::x86_64::*;
use core::marker::PhantomData;
use core::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Sub};

#[path = "half.rs"]
mod half;

/// The token of AVX2; only [`Level`](crate::Level) makes one, after asking the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

/// The token of AVX-512F, VL and BW; only [`Level`](crate::Level) makes one, after asking the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512(());

/// Asks the CPU, or without `std` the compiler's target.
macro_rules! token {
    ($token:ident, $($feature:tt)*) => {
        impl $token {
            #[inline(always)]
            pub(super) fn detect() -> Option<Self> {
                #[cfg(feature = "std")]
                let has = true $(&& std::arch::is_x86_feature_detected!($feature))*;
                #[cfg(not(feature = "std"))]
                let has = cfg!(all($(target_feature = $feature),*));
                if has { Some(Self(())) } else { None }
            }
        }
    };
}

token!(Avx2, "avx2");
token!(Avx512, "avx512f" "avx512vl" "avx512bw");

/// What a set has, and its door: a function compiled for it, into which the kernel is inlined.
macro_rules! isa {
    ($token:ident, $feature:literal, $f32:ident $f64:ident) => {
        impl Isa for $token {
            type F32 = $f32;
            type F64 = $f64;
            type Halves = Pair<$f32>;
            type U32 = U32x8<Self>;

            #[inline(always)]
            fn vectorize<F, K: Kernel<F>>(self, formula: &F, kernel: K) -> K::Out {
                #[target_feature(enable = $feature)]
                fn inner<F, K: Kernel<F>>(isa: $token, formula: &F, kernel: K) -> K::Out {
                    kernel.run(isa, formula)
                }
                // SAFETY: the token proves that the CPU has the feature.
                unsafe { inner(self, formula, kernel) }
            }
        }
    };
}

isa!(Avx2, "avx2", F32x8 F64x4);
isa!(Avx512, "avx512f,avx512vl,avx512bw", F32x16 F64x8);

native! {
    Avx512 64 "avx512",
    Avx2 32 "avx2",
    Wide128 16 "sse2",
}
dispatch!(Avx512 Avx2 Wide128);

pub(crate) const WIDE: bool = true;
pub(crate) const PRODUCTS: bool = false;

/// Tells the CPU that the line of `p` is read soon.
#[inline(always)]
pub(crate) fn prefetch<T>(p: *const T) {
    // SAFETY: a hint: no memory is accessed, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) };
}

/// One operator of a vector: a value of the vector type is the proof that the CPU has the instruction.
macro_rules! operator {
    ($name:ident, $trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    };
}

/// One register type: what both sets spell alike. The rest stands in `Spelling`.
macro_rules! vector {
    (
        $name:ident($v:ident), $t:ident x $width:literal, $token:ident,
        $set1:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $div:ident $sqrt:ident
    ) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $name($v);

        operator!($name, Add, add, $add);
        operator!($name, Sub, sub, $sub);
        operator!($name, Mul, mul, $mul);
        operator!($name, Div, div, $div);

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { $sub($set1(-0.0), self.0) }) // exact, and right for both zeros
            }
        }

        impl Memory<$t> for $name {
            type Isa = $token;

            #[inline(always)]
            unsafe fn load(_: $token, src: *const $t) -> Self {
                // SAFETY: the token, and the caller vouches for WIDTH elements.
                Self(unsafe { $load(src) })
            }
            #[inline(always)]
            unsafe fn store(self, dst: *mut $t) {
                // SAFETY: the token, and the caller vouches for WIDTH elements.
                unsafe { $store(dst, self.0) }
            }
            #[inline(always)]
            unsafe fn load_partial(_: $token, src: *const $t, n: usize) -> Self {
                // SAFETY: the token, and the caller vouches for n elements.
                Self(unsafe { <$v as Spelling<$t>>::load_first(src, n) })
            }
            #[inline(always)]
            unsafe fn store_partial(self, dst: *mut $t, n: usize) {
                // SAFETY: the token, and the caller vouches for n elements.
                unsafe { self.0.store_first(dst, n) }
            }
        }

        impl Vector<$t> for $name {
            const WIDTH: usize = $width;

            #[inline(always)]
            fn splat(_: $token, x: $t) -> Self {
                // SAFETY: the token proves that the CPU has the feature.
                Self(unsafe { $set1(x) })
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { $sqrt(self.0) })
            }
            #[inline(always)]
            fn abs(self) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { self.0.clear_sign() })
            }
            #[inline(always)]
            fn select_gt(self, other: Self, yes: Self, no: Self) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { self.0.choose(other.0, yes.0, no.0) })
            }
            #[inline(always)]
            fn keep(self, bits: u32) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { self.0.keep(bits) })
            }
            #[inline(always)]
            fn add_bits(self, other: Self) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { self.0.add_bits(other.0) })
            }
            #[inline(always)]
            fn and_bits(self, other: Self) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { self.0.and_bits(other.0) })
            }
            #[inline(always)]
            fn to_exponent(self) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { self.0.to_exponent() })
            }
            #[inline(always)]
            fn from_exponent(self) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { self.0.from_exponent() })
            }
            #[inline(always)]
            fn zip(self, other: Self) -> [Self; 2] {
                // SAFETY: values of this type exist only where the token was.
                unsafe { self.0.zip(other.0) }.map(Self)
            }
        }
    };
}

vector!(F32x8(__m256), f32 x 8, Avx2,
    _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps
    _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_sqrt_ps);
vector!(F64x4(__m256d), f64 x 4, Avx2,
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd
    _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd _mm256_sqrt_pd);
vector!(F32x16(__m512), f32 x 16, Avx512,
    _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps
    _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_sqrt_ps);
vector!(F64x8(__m512d), f64 x 8, Avx512,
    _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd
    _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd _mm512_sqrt_pd);

/// What AVX2 and AVX-512 spell differently: masks are vectors in one and bits in the other.
///
/// # Safety
/// The CPU has the instruction set; pointers are valid for `n` elements, and `n` is below the
/// width of the register.
#[allow(clippy::wrong_self_convention, reason = "the exponent is a part of the number")]
trait Spelling<T>: Copy {
    unsafe fn load_first(src: *const T, n: usize) -> Self;
    unsafe fn store_first(self, dst: *mut T, n: usize);
    unsafe fn clear_sign(self) -> Self;
    unsafe fn choose(self, other: Self, yes: Self, no: Self) -> Self;
    unsafe fn keep(self, bits: u32) -> Self;
    unsafe fn add_bits(self, other: Self) -> Self;
    unsafe fn and_bits(self, other: Self) -> Self;
    unsafe fn to_exponent(self) -> Self;
    #[allow(clippy::wrong_self_convention, reason = "the exponent is in the register")]
    unsafe fn from_exponent(self) -> Self;
    unsafe fn zip(self, other: Self) -> [Self; 2];
}

/// Integer operations on the bits of a register of numbers.
macro_rules! integers {
    ($integer:ident $number:ident, $add:ident $and:ident, $shift_left:ident $shift_right:ident by $count:literal) => {
        #[inline(always)]
        unsafe fn add_bits(self, other: Self) -> Self {
            // SAFETY: the caller has the instruction set.
            unsafe { $number($add($integer(self), $integer(other))) }
        }
        #[inline(always)]
        unsafe fn and_bits(self, other: Self) -> Self {
            // SAFETY: the caller has the instruction set.
            unsafe { $number($and($integer(self), $integer(other))) }
        }
        #[inline(always)]
        unsafe fn to_exponent(self) -> Self {
            // SAFETY: the caller has the instruction set.
            unsafe { $number($shift_left::<$count>($integer(self))) }
        }
        #[inline(always)]
        unsafe fn from_exponent(self) -> Self {
            // SAFETY: the caller has the instruction set.
            unsafe { $number($shift_right::<$count>($integer(self))) }
        }
    };
}

macro_rules! spell_avx2 {
    (
        $v:ident, $t:ident, $mask:expr,
        $load:ident $store:ident $set1:ident $andnot:ident $cmp:ident $blend:ident $bits:ident
        $low:ident $high:ident $halves:ident,
        $($integers:tt)*
    ) => {
        impl Spelling<$t> for $v {
            integers!($($integers)*);

            #[inline(always)]
            unsafe fn zip(self, other: Self) -> [Self; 2] {
                // SAFETY: the caller has AVX2.
                unsafe {
                    // Each 128-bit half is interleaved apart; the low halves go together, and the high ones.
                    let (low, high) = ($low(self, other), $high(self, other));
                    [$halves::<0x20>(low, high), $halves::<0x31>(low, high)]
                }
            }
            #[inline(always)]
            unsafe fn load_first(src: *const $t, n: usize) -> Self {
                // SAFETY: the mask keeps the access to n elements.
                unsafe { $load(src, $mask(n)) }
            }
            #[inline(always)]
            unsafe fn store_first(self, dst: *mut $t, n: usize) {
                // SAFETY: the mask keeps the access to n elements.
                unsafe { $store(dst, $mask(n), self) }
            }
            #[inline(always)]
            unsafe fn clear_sign(self) -> Self {
                // SAFETY: the caller has AVX2.
                unsafe { $andnot($set1(-0.0), self) }
            }
            #[inline(always)]
            unsafe fn choose(self, other: Self, yes: Self, no: Self) -> Self {
                // SAFETY: the caller has AVX2.
                unsafe { $blend(no, yes, $cmp::<_CMP_GT_OQ>(self, other)) }
            }
            #[inline(always)]
            unsafe fn keep(self, bits: u32) -> Self {
                // SAFETY: the caller has AVX2.
                unsafe { $bits(self, bits) }
            }
        }
    };
}

/// All bits set in the first `n` of eight 32-bit positions.
#[inline(always)]
unsafe fn first_32(n: usize) -> __m256i {
    // SAFETY: the caller has AVX2.
    unsafe { _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
}

/// All bits set in the first `n` of four 64-bit positions.
#[inline(always)]
unsafe fn first_64(n: usize) -> __m256i {
    // SAFETY: the caller has AVX2.
    unsafe { _mm256_cmpgt_epi64(_mm256_set1_epi64x(n as i64), _mm256_setr_epi64x(0, 1, 2, 3)) }
}

spell_avx2!(__m256, f32, first_32, _mm256_maskload_ps _mm256_maskstore_ps _mm256_set1_ps _mm256_andnot_ps _mm256_cmp_ps _mm256_blendv_ps keep_32
    _mm256_unpacklo_ps _mm256_unpackhi_ps _mm256_permute2f128_ps,
    _mm256_castps_si256 _mm256_castsi256_ps, _mm256_add_epi32 _mm256_and_si256, _mm256_slli_epi32 _mm256_srli_epi32 by 23);
spell_avx2!(__m256d, f64, first_64, _mm256_maskload_pd _mm256_maskstore_pd _mm256_set1_pd _mm256_andnot_pd _mm256_cmp_pd _mm256_blendv_pd keep_64
    _mm256_unpacklo_pd _mm256_unpackhi_pd _mm256_permute2f128_pd,
    _mm256_castpd_si256 _mm256_castsi256_pd, _mm256_add_epi64 _mm256_and_si256, _mm256_slli_epi64 _mm256_srli_epi64 by 52);

/// Position `i` of eight where bit `i` is set, else +0.
#[inline(always)]
unsafe fn keep_32(x: __m256, bits: u32) -> __m256 {
    // SAFETY: the caller has AVX2.
    unsafe {
        let bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        let set = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(bits as i32), bit), bit);
        _mm256_and_ps(x, _mm256_castsi256_ps(set))
    }
}

/// Position `i` of four where bit `i` is set, else +0.
#[inline(always)]
unsafe fn keep_64(x: __m256d, bits: u32) -> __m256d {
    // SAFETY: the caller has AVX2.
    unsafe {
        let bit = _mm256_setr_epi64x(1, 2, 4, 8);
        let set = _mm256_cmpeq_epi64(_mm256_and_si256(_mm256_set1_epi64x(bits.into()), bit), bit);
        _mm256_and_pd(x, _mm256_castsi256_pd(set))
    }
}

macro_rules! spell_avx512 {
    (
        $v:ident, $t:ident, $mask:ident,
        $load:ident $store:ident $abs:ident $cmp:ident $blend:ident $keep:ident
        $permute:ident [$($first:literal)*] [$($second:literal)*] $set:ident,
        $($integers:tt)*
    ) => {
        impl Spelling<$t> for $v {
            integers!($($integers)*);

            #[inline(always)]
            unsafe fn zip(self, other: Self) -> [Self; 2] {
                // SAFETY: the caller has AVX-512F.
                unsafe {
                    let (first, second) = ($set($($first),*), $set($($second),*));
                    [$permute(self, first, other), $permute(self, second, other)]
                }
            }
            #[inline(always)]
            unsafe fn load_first(src: *const $t, n: usize) -> Self {
                // SAFETY: the mask keeps the access to n elements.
                unsafe { $load(((1_u32 << n) - 1) as $mask, src) }
            }
            #[inline(always)]
            unsafe fn store_first(self, dst: *mut $t, n: usize) {
                // SAFETY: the mask keeps the access to n elements.
                unsafe { $store(dst, ((1_u32 << n) - 1) as $mask, self) }
            }
            #[inline(always)]
            unsafe fn clear_sign(self) -> Self {
                // SAFETY: the caller has AVX-512F.
                unsafe { $abs(self) }
            }
            #[inline(always)]
            unsafe fn choose(self, other: Self, yes: Self, no: Self) -> Self {
                // SAFETY: the caller has AVX-512F.
                unsafe { $blend($cmp::<_CMP_GT_OQ>(self, other), no, yes) }
            }
            #[inline(always)]
            unsafe fn keep(self, bits: u32) -> Self {
                // SAFETY: the caller has AVX-512F.
                unsafe { $keep(bits as $mask, self) }
            }
        }
    };
}

spell_avx512!(__m512, f32, __mmask16, _mm512_maskz_loadu_ps _mm512_mask_storeu_ps _mm512_abs_ps _mm512_cmp_ps_mask _mm512_mask_blend_ps _mm512_maskz_mov_ps
    _mm512_permutex2var_ps [0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23] [8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31]
    _mm512_setr_epi32,
    _mm512_castps_si512 _mm512_castsi512_ps, _mm512_add_epi32 _mm512_and_si512, _mm512_slli_epi32 _mm512_srli_epi32 by 23);
spell_avx512!(__m512d, f64, __mmask8, _mm512_maskz_loadu_pd _mm512_mask_storeu_pd _mm512_abs_pd _mm512_cmp_pd_mask _mm512_mask_blend_pd _mm512_maskz_mov_pd
    _mm512_permutex2var_pd [0 8 1 9 2 10 3 11] [4 12 5 13 6 14 7 15] _mm512_setr_epi64,
    _mm512_castpd_si512 _mm512_castsi512_pd, _mm512_add_epi64 _mm512_and_si512, _mm512_slli_epi64 _mm512_srli_epi64 by 52);

/// Eight 32-bit words. AVX-512 has them too: there the compiler finds its own rotations and masks.
#[derive(Clone, Copy)]
pub(crate) struct U32x8<I>(__m256i, PhantomData<I>);

/// One operator of the words.
macro_rules! word_operator {
    ($trait:ident, $method:ident, $intrinsic:ident) => {
        impl<I> $trait for U32x8<I> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: values of this type exist only where the token was.
                Self(unsafe { $intrinsic(self.0, other.0) }, PhantomData)
            }
        }
    };
}

word_operator!(BitAnd, bitand, _mm256_and_si256);
word_operator!(BitOr, bitor, _mm256_or_si256);
word_operator!(BitXor, bitxor, _mm256_xor_si256);

/// The tokens that prove AVX2.
trait HasAvx2: Copy {}
impl HasAvx2 for Avx2 {}
impl HasAvx2 for Avx512 {}

impl<I: HasAvx2> Words for U32x8<I> {
    type Isa = I;
    const WIDTH: usize = 8;

    #[inline(always)]
    fn splat(_: I, x: u32) -> Self {
        // SAFETY: the token proves that the CPU has the feature.
        Self(unsafe { _mm256_set1_epi32(x as i32) }, PhantomData)
    }
    #[inline(always)]
    unsafe fn load(_: I, src: *const u32) -> Self {
        // SAFETY: the token, and the caller vouches for WIDTH words.
        Self(unsafe { _mm256_loadu_si256(src.cast()) }, PhantomData)
    }
    #[inline(always)]
    unsafe fn store(self, dst: *mut u32) {
        // SAFETY: the token, and the caller vouches for WIDTH words.
        unsafe { _mm256_storeu_si256(dst.cast(), self.0) }
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        // SAFETY: values of this type exist only where the token was.
        Self(unsafe { _mm256_add_epi32(self.0, other.0) }, PhantomData)
    }
    #[inline(always)]
    fn shl<const N: i32>(self) -> Self {
        // SAFETY: values of this type exist only where the token was.
        Self(unsafe { _mm256_slli_epi32::<N>(self.0) }, PhantomData)
    }
    #[inline(always)]
    fn shr<const N: i32>(self) -> Self {
        // SAFETY: values of this type exist only where the token was.
        Self(unsafe { _mm256_srli_epi32::<N>(self.0) }, PhantomData)
    }
    #[inline(always)]
    fn is_zero(self) -> Self {
        // SAFETY: values of this type exist only where the token was.
        Self(unsafe { _mm256_cmpeq_epi32(self.0, _mm256_setzero_si256()) }, PhantomData)
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        // SAFETY: values of this type exist only where the token was.
        Self(unsafe { _mm256_blendv_epi8(no.0, yes.0, self.0) }, PhantomData)
    }
    #[inline(always)]
    fn all_zero(self) -> bool {
        // SAFETY: values of this type exist only where the token was.
        unsafe { _mm256_testz_si256(self.0, self.0) == 1 }
    }
}
