//! Numbers of the format `Bf16` in AVX2 and AVX-512 registers: [`Bf16::dithered`](crate::Bf16), two registers at a time.
#![allow(unsafe_code, reason = "intrinsics")]

use super::{Avx2, Avx512, F32x8, F32x16};
use crate::simd::pair::{HUGE, Twice};
use crate::simd::stored::PLACE;
use core::arch::x86_64::*;

/// How far the places of a register are ahead of its first.
const AHEAD: [u32; 16] = {
    let mut ahead = [0; 16];
    let mut k = 0;
    while k < 16 {
        ahead[k] = PLACE.wrapping_mul(k as u32);
        k += 1;
    }
    ahead
};

impl Twice for F32x8 {
    #[inline(always)]
    unsafe fn load_twice(_: Avx2, src: *const u16, n: usize) -> [Self; 2] {
        let mut words = [0; 16];
        // SAFETY: the token, and the caller vouches for n words, at most sixteen.
        unsafe {
            let words = if n < 16 {
                words.as_mut_ptr().copy_from_nonoverlapping(src, n);
                words.as_ptr()
            } else {
                src
            };
            // Each half is unpacked apart: its first quarter has numbers of the first register, its second of the other.
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_loadu_si256(words.cast()));
            let zero = _mm256_setzero_si256();
            let (first, second) = (_mm256_unpacklo_epi16(zero, words), _mm256_unpackhi_epi16(zero, words));
            [Self(_mm256_castsi256_ps(first)), Self(_mm256_castsi256_ps(second))]
        }
    }

    #[inline(always)]
    unsafe fn store_twice(
        [Self(a), Self(b)]: [Self; 2],
        dst: *mut u16,
        n: usize,
        dither: u32,
        column: usize,
    ) -> bool {
        // SAFETY: a value is the proof of AVX2, and the caller vouches for n words, at most sixteen; AHEAD has as many.
        unsafe {
            let ahead = _mm256_loadu_si256(AHEAD.as_ptr().cast());
            let u = _mm256_add_epi32(_mm256_set1_epi32(dither as i32), ahead);
            let next = _mm256_add_epi32(u, _mm256_set1_epi32(PLACE.wrapping_mul(8) as i32));
            let words = _mm256_packus_epi32(upper(a, u, column), upper(b, next, column));
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
            if n < 16 {
                let mut all = [0_u16; 16];
                _mm256_storeu_si256(all.as_mut_ptr().cast(), words);
                dst.copy_from_nonoverlapping(all.as_ptr(), n);
            } else {
                _mm256_storeu_si256(dst.cast(), words);
            }
            let huge = _mm256_or_si256(crossing(a), crossing(b));
            _mm256_movemask_ps(_mm256_castsi256_ps(huge)) != 0
        }
    }
}

/// The words of eight numbers, whose dithers lie in `u`, in the lower halves.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn upper(x: __m256, u: __m256i, column: usize) -> __m256i {
    // SAFETY: the caller vouches for AVX2.
    unsafe {
        let low = _mm256_set1_epi32(0xFFFF);
        let d = match column {
            0 => _mm256_and_si256(u, low),
            1 => _mm256_srli_epi32::<16>(u),
            2 => _mm256_and_si256(_mm256_srli_epi32::<8>(u), low),
            // Rotated by 8: the upper byte comes back below the lowest.
            _ => {
                _mm256_and_si256(_mm256_or_si256(_mm256_slli_epi32::<8>(u), _mm256_srli_epi32::<24>(u)), low)
            }
        };
        _mm256_srli_epi32::<16>(_mm256_add_epi32(_mm256_castps_si256(x), d))
    }
}

/// Its sign is set where a number is [`HUGE`].
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn crossing(x: __m256) -> __m256i {
    // SAFETY: the caller vouches for AVX2.
    unsafe {
        let bits = _mm256_castps_si256(x);
        _mm256_xor_si256(bits, _mm256_add_epi32(bits, _mm256_set1_epi32(HUGE as i32)))
    }
}

/// The quarters of each half in the order in which they are unpacked.
const QUARTERS: [u64; 8] = [0, 4, 1, 5, 2, 6, 3, 7];

/// The upper halves of the numbers of two registers: every second of their 64 words.
const UPPER: [u16; 32] = {
    let mut places = [0; 32];
    let mut k = 0;
    while k < 32 {
        places[k] = 2 * k as u16 + 1;
        k += 1;
    }
    places
};

impl Twice for F32x16 {
    #[inline(always)]
    unsafe fn load_twice(_: Avx512, src: *const u16, n: usize) -> [Self; 2] {
        // SAFETY: the token, and the caller vouches for n words; the mask keeps the access to them.
        unsafe {
            let words = if n < 32 {
                _mm512_maskz_loadu_epi16((1 << n) - 1, src.cast())
            } else {
                _mm512_loadu_si512(src.cast())
            };
            let words = _mm512_permutexvar_epi64(_mm512_loadu_si512(QUARTERS.as_ptr().cast()), words);
            let zero = _mm512_setzero_si512();
            let (first, second) = (_mm512_unpacklo_epi16(zero, words), _mm512_unpackhi_epi16(zero, words));
            [Self(_mm512_castsi512_ps(first)), Self(_mm512_castsi512_ps(second))]
        }
    }

    #[inline(always)]
    unsafe fn store_twice(
        [Self(a), Self(b)]: [Self; 2],
        dst: *mut u16,
        n: usize,
        dither: u32,
        column: usize,
    ) -> bool {
        // SAFETY: a value is the proof of AVX-512, and the caller vouches for n words; the mask keeps the access to
        // them. AHEAD has sixteen words.
        unsafe {
            let ahead = _mm512_loadu_si512(AHEAD.as_ptr().cast());
            let u = _mm512_add_epi32(_mm512_set1_epi32(dither as i32), ahead);
            let next = _mm512_add_epi32(u, _mm512_set1_epi32(PLACE.wrapping_mul(16) as i32));
            let (first, second) = (plus_dither(a, u, column), plus_dither(b, next, column));
            let words = _mm512_permutex2var_epi16(first, _mm512_loadu_si512(UPPER.as_ptr().cast()), second);
            if n < 32 {
                _mm512_mask_storeu_epi16(dst.cast(), (1 << n) - 1, words);
            } else {
                _mm512_storeu_si512(dst.cast(), words);
            }
            // A mask for 32 words is cheaper than two for sixteen numbers. Their exponent, without the sign, is that of
            // infinity; NaN may have wrapped around.
            let infinity = _mm512_set1_epi16(0xFF00_u16 as i16);
            let huge = _mm512_cmpge_epu16_mask(_mm512_add_epi16(words, words), infinity);
            huge | u32::from(_mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, b)) != 0
        }
    }
}

/// The bits of sixteen numbers and their dithers, which lie in `u`.
///
/// # Safety
/// The CPU has AVX-512F.
#[inline(always)]
unsafe fn plus_dither(x: __m512, u: __m512i, column: usize) -> __m512i {
    // SAFETY: the caller vouches for AVX-512F.
    unsafe {
        let low = _mm512_set1_epi32(0xFFFF);
        let d = match column {
            0 => _mm512_and_si512(u, low),
            1 => _mm512_srli_epi32::<16>(u),
            2 => _mm512_and_si512(_mm512_srli_epi32::<8>(u), low),
            _ => _mm512_and_si512(_mm512_rol_epi32::<8>(u), low),
        };
        _mm512_add_epi32(_mm512_castps_si512(x), d)
    }
}
