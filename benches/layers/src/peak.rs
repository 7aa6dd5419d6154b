//! The most multiply-adds that the CPU does, products and sums apart, from registers alone.

use std::arch::x86_64::*;

/// Multiply-adds of a call.
const COUNT: f64 = (ROUNDS * SUMS) as f64;
const ROUNDS: usize = 4096;
/// Chains: the latency of a sum or product times how many of them begin in a cycle, and no more than registers hold.
const SUMS: usize = 6;

macro_rules! peak {
    ($name:ident, $feature:literal, $set:ident $mul:ident $add:ident $get:ident) => {
        #[target_feature(enable = $feature)]
        fn $name() -> f32 {
            let (mut sums, mut terms) = ([$set(1.0); SUMS], [$set(1e-3); SUMS]);
            let factor = $set(std::hint::black_box(1.0));
            for _ in 0..ROUNDS {
                for k in 0..SUMS {
                    terms[k] = $mul(terms[k], factor);
                    sums[k] = $add(sums[k], terms[k]);
                }
            }
            sums.iter().map(|sum| $get(*sum)).sum()
        }
    };
}

peak!(sse2, "sse2", _mm_set1_ps _mm_mul_ps _mm_add_ps _mm_cvtss_f32);
peak!(avx2, "avx2", _mm256_set1_ps _mm256_mul_ps _mm256_add_ps _mm256_cvtss_f32);
peak!(avx512, "avx512f", _mm512_set1_ps _mm512_mul_ps _mm512_add_ps _mm512_cvtss_f32);

/// Multiply-adds of a nanosecond at a level of gradus; none where the CPU has no such registers.
pub fn peak(level: &str) -> f64 {
    let (width, run): (f64, unsafe fn() -> f32) = match level {
        "sse2" => (4.0, sse2),
        "avx2" => (8.0, avx2),
        "avx512" => (16.0, avx512),
        _ => return f64::NAN,
    };
    // SAFETY: gradus has asked the CPU for the level.
    let ns = crate::least(|| unsafe { run() });
    let most = COUNT * width / ns;
    // Where a CPU does 512 bits in two halves, such chains keep it less busy than its halves do alone.
    if level == "avx512" { most.max(peak("avx2")) } else { most }
}
