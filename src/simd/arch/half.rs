//! Numbers of the format `Bf16` in AVX2 and AVX-512 registers: [`Bf16::dithered`](crate::Bf16), a register at a time.
#![allow(unsafe_code, reason = "intrinsics")]

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

/// # Safety
/// The CPU has AVX2, and `src` is valid for reads of eight words.
#[inline(always)]
pub(crate) unsafe fn load_8(src: *const u16) -> __m256 {
    // SAFETY: the caller vouches for both.
    unsafe {
        _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(src.cast()))))
    }
}

/// # Safety
/// The CPU has AVX2, and `dst` is valid for writes of eight words.
#[inline(always)]
pub(crate) unsafe fn store_8(x: __m256, dst: *mut u16, dither: u32, column: usize) {
    // SAFETY: the caller vouches for both; AHEAD has sixteen words.
    unsafe {
        let low = _mm256_set1_epi32(0xFFFF);
        let u = _mm256_add_epi32(_mm256_set1_epi32(dither as i32), _mm256_loadu_si256(AHEAD.as_ptr().cast()));
        let d = match column {
            0 => _mm256_and_si256(u, low),
            1 => _mm256_srli_epi32::<16>(u),
            2 => _mm256_and_si256(_mm256_srli_epi32::<8>(u), low),
            // Rotated by 8: the upper byte comes back below the lowest.
            _ => {
                _mm256_and_si256(_mm256_or_si256(_mm256_slli_epi32::<8>(u), _mm256_srli_epi32::<24>(u)), low)
            }
        };
        let bits = _mm256_castps_si256(x);
        let sum = _mm256_add_epi32(bits, d);
        let magnitude = _mm256_and_si256(sum, _mm256_set1_epi32(0x7FFF_FFFF));
        // What has become infinite keeps its upper half, and so does what was.
        let over = _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x7F7F_FFFF));
        let rounded = _mm256_blendv_epi8(sum, bits, over);
        let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
        let rounded = _mm256_blendv_epi8(rounded, _mm256_set1_epi32(0x7FC0_0000), nan);
        // Each half is packed apart: quarters 0 and 2 have the words.
        let upper = _mm256_srli_epi32::<16>(rounded);
        let words = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi32(upper, upper));
        _mm_storeu_si128(dst.cast(), _mm256_castsi256_si128(words));
    }
}

/// # Safety
/// The CPU has AVX-512F and VL, and `src` is valid for reads of sixteen words.
#[inline(always)]
pub(crate) unsafe fn load_16(src: *const u16) -> __m512 {
    // SAFETY: the caller vouches for both.
    unsafe {
        _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(src.cast()))))
    }
}

/// # Safety
/// The CPU has AVX-512F and VL, and `dst` is valid for writes of sixteen words.
#[inline(always)]
pub(crate) unsafe fn store_16(x: __m512, dst: *mut u16, dither: u32, column: usize) {
    // SAFETY: the caller vouches for both; AHEAD has sixteen words.
    unsafe {
        let low = _mm512_set1_epi32(0xFFFF);
        let u = _mm512_add_epi32(_mm512_set1_epi32(dither as i32), _mm512_loadu_si512(AHEAD.as_ptr().cast()));
        let d = match column {
            0 => _mm512_and_si512(u, low),
            1 => _mm512_srli_epi32::<16>(u),
            2 => _mm512_and_si512(_mm512_srli_epi32::<8>(u), low),
            _ => _mm512_and_si512(_mm512_rol_epi32::<8>(u), low),
        };
        let bits = _mm512_castps_si512(x);
        let sum = _mm512_add_epi32(bits, d);
        // What has become infinite keeps its upper half, and so does what was.
        let infinity = _mm512_set1_epi32(0xFF00_0000_u32 as i32);
        let over = _mm512_cmpge_epu32_mask(_mm512_slli_epi32::<1>(sum), infinity);
        let rounded = _mm512_mask_mov_epi32(sum, over, bits);
        let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
        let rounded = _mm512_mask_mov_epi32(rounded, nan, _mm512_set1_epi32(0x7FC0_0000));
        _mm256_storeu_si256(dst.cast(), _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(rounded)));
    }
}
