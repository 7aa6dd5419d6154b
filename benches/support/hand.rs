//! Adam and momentum by hand, in the intrinsics of one CPU: what the crate's one loop must not lose to.

use super::Case;

#[cfg(target_arch = "x86_64")]
use super::{Buffers, Contestant, plain::LR};
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

/// Adds what exists by hand for this rule and this CPU.
pub fn add(case: &mut Case) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        let step: fn(&mut Buffers) = match case.rule {
            // SAFETY: the CPU has AVX-512F.
            "Adam" => |b| unsafe { adam(b) },
            // SAFETY: the CPU has AVX-512F.
            "Momentum" => |b| unsafe { momentum(b) },
            _ => return,
        };
        case.contestants.insert(2, Contestant { name: "by hand, avx512".into(), step: Box::new(step) });
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = case;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn adam(b: &mut Buffers) {
    let n = b.params.len();
    let (p, g) = (b.params.as_mut_ptr(), std::hint::black_box(b.grads.as_ptr()));
    let (m, v) = (b.state[0].as_mut_ptr(), b.state[1].as_mut_ptr());
    let (b1, c1) = (_mm512_set1_ps(0.9), _mm512_set1_ps(0.1));
    let (b2, c2) = (_mm512_set1_ps(0.999), _mm512_set1_ps(0.001));
    let (lr, eps) = (_mm512_set1_ps(LR), _mm512_set1_ps(1e-8));
    let mut i = 0;
    while i < n {
        let mask = if n - i < 16 { (1 << (n - i)) - 1 } else { u16::MAX };
        // SAFETY: the mask keeps every access below n.
        unsafe {
            let g = _mm512_maskz_loadu_ps(mask, g.add(i));
            let mm = _mm512_maskz_loadu_ps(mask, m.add(i));
            let vv = _mm512_maskz_loadu_ps(mask, v.add(i));
            let mm = _mm512_add_ps(_mm512_mul_ps(b1, mm), _mm512_mul_ps(c1, g));
            let vv = _mm512_add_ps(_mm512_mul_ps(b2, vv), _mm512_mul_ps(_mm512_mul_ps(c2, g), g));
            let d = _mm512_add_ps(_mm512_sqrt_ps(vv), eps);
            let pp = _mm512_maskz_loadu_ps(mask, p.add(i));
            let pp = _mm512_sub_ps(pp, _mm512_div_ps(_mm512_mul_ps(lr, mm), d));
            _mm512_mask_storeu_ps(m.add(i), mask, mm);
            _mm512_mask_storeu_ps(v.add(i), mask, vv);
            _mm512_mask_storeu_ps(p.add(i), mask, pp);
        }
        i += 16;
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn momentum(b: &mut Buffers) {
    let n = b.params.len();
    let (p, g) = (b.params.as_mut_ptr(), std::hint::black_box(b.grads.as_ptr()));
    let v = b.state[0].as_mut_ptr();
    let (rho, lr) = (_mm512_set1_ps(0.9), _mm512_set1_ps(LR));
    let mut i = 0;
    while i < n {
        let mask = if n - i < 16 { (1 << (n - i)) - 1 } else { u16::MAX };
        // SAFETY: the mask keeps every access below n.
        unsafe {
            let g = _mm512_maskz_loadu_ps(mask, g.add(i));
            let vv = _mm512_maskz_loadu_ps(mask, v.add(i));
            let vv = _mm512_add_ps(_mm512_mul_ps(rho, vv), g);
            let pp = _mm512_maskz_loadu_ps(mask, p.add(i));
            let pp = _mm512_sub_ps(pp, _mm512_mul_ps(lr, vv));
            _mm512_mask_storeu_ps(v.add(i), mask, vv);
            _mm512_mask_storeu_ps(p.add(i), mask, pp);
        }
        i += 16;
    }
}
