//! Loops for arrays beyond the caches: Adam and its floor, plain, with prefetches, and with stores that bypass the caches.

use std::arch::x86_64::*;

/// Four arrays of one length, a multiple of 8: parameters, gradients, both moments.
pub struct Arrays<'a> {
    pub params: &'a mut [f32],
    pub grads: &'a [f32],
    pub state: [&'a mut [f32]; 2],
}

impl<'a> Arrays<'a> {
    /// Both halves.
    pub fn halves(self) -> [Self; 2] {
        let middle = self.grads.len() / 16 * 8;
        let (params, grads) = (self.params.split_at_mut(middle), self.grads.split_at(middle));
        let [m, v] = self.state.map(|column| column.split_at_mut(middle));
        [
            Arrays { params: params.0, grads: grads.0, state: [m.0, v.0] },
            Arrays { params: params.1, grads: grads.1, state: [m.1, v.1] },
        ]
    }
}

/// A way to do it: its name, and the loop.
pub type Way = (&'static str, unsafe fn(Arrays<'_>));

macro_rules! ways {
    ($($way:ident $name:literal $formula:ident $ahead:literal $store:ident)*) => {
        /// All of them.
        pub const WAYS: &[Way] = &[$(($name, $way)),*];
        $(
            /// `$ahead` bytes are fetched before their turn, 0 for none.
            #[target_feature(enable = "avx2")]
            unsafe fn $way(Arrays { params, grads, state: [m, v] }: Arrays<'_>) {
                let all = [params.as_mut_ptr(), grads.as_ptr().cast_mut(), m.as_mut_ptr(), v.as_mut_ptr()];
                let mut i = 0;
                while i + 8 <= grads.len() {
                    if $ahead > 0 && i % 16 == 0 {
                        for column in all {
                            _mm_prefetch::<_MM_HINT_T0>(column.wrapping_add(i + $ahead / 4).cast());
                        }
                    }
                    // SAFETY: i + 8 is at most the length of all arrays, which are aligned to 32 bytes.
                    unsafe {
                        let [p, g, m, v] = $formula(all.map(|column| _mm256_load_ps(column.add(i))));
                        let _ = g;
                        $store(all[0].add(i), p);
                        $store(all[2].add(i), m);
                        $store(all[3].add(i), v);
                    }
                    i += 8;
                }
                _mm_sfence();
            }
        )*
    };
}

ways! {
    floor "floor" one_addition 0 _mm256_store_ps
    floor_512 "floor, 512 bytes ahead" one_addition 512 _mm256_store_ps
    floor_2048 "floor, 2 KiB ahead" one_addition 2048 _mm256_store_ps
    floor_past "floor, past the caches" one_addition 0 _mm256_stream_ps
    adam "Adam" adam_formula 0 _mm256_store_ps
    adam_512 "Adam, 512 bytes ahead" adam_formula 512 _mm256_store_ps
    adam_2048 "Adam, 2 KiB ahead" adam_formula 2048 _mm256_store_ps
    adam_past "Adam, past the caches" adam_formula 0 _mm256_stream_ps
}

/// One addition a column.
#[inline]
#[target_feature(enable = "avx2")]
fn one_addition([p, g, m, v]: [__m256; 4]) -> [__m256; 4] {
    [_mm256_add_ps(p, g), g, _mm256_add_ps(m, g), _mm256_add_ps(v, g)]
}

/// Adam without bias correction.
#[inline]
#[target_feature(enable = "avx2")]
fn adam_formula([p, g, m, v]: [__m256; 4]) -> [__m256; 4] {
    let times = |x, factor| _mm256_mul_ps(x, _mm256_set1_ps(factor));
    let m = _mm256_add_ps(m, times(_mm256_sub_ps(g, m), 0.1));
    let v = _mm256_add_ps(times(v, 0.999), _mm256_mul_ps(times(g, 0.001), g));
    let root = _mm256_add_ps(_mm256_sqrt_ps(v), _mm256_set1_ps(1e-8));
    [_mm256_sub_ps(p, _mm256_div_ps(times(m, 1e-3), root)), g, m, v]
}
