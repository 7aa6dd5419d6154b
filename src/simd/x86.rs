//! AVX2 and AVX-512 lanes, and the doors into code compiled for them.
#![allow(unsafe_code)]

use super::lane::{Element, Lane, Memory};
use super::reduce::{self, Fold};
use super::streams::Streams;
use super::sweep::{self, Columns, Rule};
use core::arch::x86_64::*;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// The token of AVX2; only [`Level`](crate::Level) makes one, after asking the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

/// The token of AVX-512F; only [`Level`](crate::Level) makes one, after asking the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(());

/// Asks the CPU, or without `std` the compiler's target.
macro_rules! token {
    ($token:ident, $feature:tt) => {
        impl $token {
            #[inline(always)]
            pub(super) fn detect() -> Option<Self> {
                #[cfg(feature = "std")]
                let has = std::arch::is_x86_feature_detected!($feature);
                #[cfg(not(feature = "std"))]
                let has = cfg!(target_feature = $feature);
                if has { Some(Self(())) } else { None }
            }
        }
    };
}

token!(Avx2, "avx2");
token!(Avx512, "avx512f");

/// The loops, compiled once more for one instruction set.
macro_rules! doors {
    ($token:ident, $lane:ident, $feature:literal, $run:ident, $reduce:ident) => {
        #[inline]
        pub(super) fn $run<const S: usize, const R: usize, T: Element, K: Rule<S, R, T>>(
            isa: $token,
            rule: &K,
            columns: Columns<'_, S, R, T>,
        ) {
            #[target_feature(enable = $feature)]
            fn inner<const S: usize, const R: usize, T: Element, K: Rule<S, R, T>>(
                isa: $token,
                rule: &K,
                columns: Columns<'_, S, R, T>,
            ) {
                sweep::sweep::<S, R, T, T::$lane, K>(isa, rule, columns);
            }
            // SAFETY: the token proves that the CPU has the feature.
            unsafe { inner(isa, rule, columns) }
        }

        #[inline]
        pub(super) fn $reduce<const R: usize, const S: usize, T: Element, K: Fold<R, S, T>>(
            isa: $token,
            fold: &K,
            streams: Streams<'_, S, R, T>,
        ) -> T {
            #[target_feature(enable = $feature)]
            fn inner<const R: usize, const S: usize, T: Element, K: Fold<R, S, T>>(
                isa: $token,
                fold: &K,
                streams: Streams<'_, S, R, T>,
            ) -> T {
                reduce::block::<R, S, T, T::$lane, K>(isa, fold, streams)
            }
            // SAFETY: the token proves that the CPU has the feature.
            unsafe { inner(isa, fold, streams) }
        }
    };
}

doors!(Avx2, Avx2, "avx2", run_avx2, reduce_avx2);
doors!(Avx512, Avx512, "avx512f", run_avx512, reduce_avx512);

/// One operator of a lane: a value of the lane type is the proof that the CPU has the instruction.
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
macro_rules! lane {
    (
        $name:ident($v:ident), $t:ident x $width:literal, $token:ident,
        $set1:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $div:ident $sqrt:ident
    ) => {
        #[derive(Clone, Copy)]
        pub struct $name($v);

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

        impl Lane<$t> for $name {
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
        }
    };
}

lane!(F32x8(__m256), f32 x 8, Avx2,
    _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps
    _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_sqrt_ps);
lane!(F64x4(__m256d), f64 x 4, Avx2,
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd
    _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd _mm256_sqrt_pd);
lane!(F32x16(__m512), f32 x 16, Avx512,
    _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps
    _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_sqrt_ps);
lane!(F64x8(__m512d), f64 x 8, Avx512,
    _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd
    _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd _mm512_sqrt_pd);

/// What AVX2 and AVX-512 spell differently: masks are vectors in one and bits in the other.
///
/// # Safety
/// The CPU has the instruction set; pointers are valid for `n` elements, and `n` is below the
/// width of the register.
trait Spelling<T>: Copy {
    unsafe fn load_first(src: *const T, n: usize) -> Self;
    unsafe fn store_first(self, dst: *mut T, n: usize);
    unsafe fn clear_sign(self) -> Self;
    unsafe fn choose(self, other: Self, yes: Self, no: Self) -> Self;
}

macro_rules! spell_avx2 {
    ($v:ident, $t:ident, $mask:expr, $load:ident $store:ident $set1:ident $andnot:ident $cmp:ident $blend:ident) => {
        impl Spelling<$t> for $v {
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

spell_avx2!(__m256, f32, first_32, _mm256_maskload_ps _mm256_maskstore_ps _mm256_set1_ps _mm256_andnot_ps _mm256_cmp_ps _mm256_blendv_ps);
spell_avx2!(__m256d, f64, first_64, _mm256_maskload_pd _mm256_maskstore_pd _mm256_set1_pd _mm256_andnot_pd _mm256_cmp_pd _mm256_blendv_pd);

macro_rules! spell_avx512 {
    ($v:ident, $t:ident, $mask:ident, $load:ident $store:ident $abs:ident $cmp:ident $blend:ident) => {
        impl Spelling<$t> for $v {
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
        }
    };
}

spell_avx512!(__m512, f32, __mmask16, _mm512_maskz_loadu_ps _mm512_mask_storeu_ps _mm512_abs_ps _mm512_cmp_ps_mask _mm512_mask_blend_ps);
spell_avx512!(__m512d, f64, __mmask8, _mm512_maskz_loadu_pd _mm512_mask_storeu_pd _mm512_abs_pd _mm512_cmp_pd_mask _mm512_mask_blend_pd);
