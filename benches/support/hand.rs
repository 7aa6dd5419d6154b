//! Adam and momentum by hand, in the intrinsics of each instruction set: what the crate's one loop must not lose to.

use super::Case;

/// Adds what exists by hand for this rule and this CPU, before the levels of the crate.
pub fn add(case: &mut Case) {
    #[cfg(target_arch = "x86_64")]
    for (k, (name, step)) in x86::steps(case.rule).into_iter().enumerate() {
        case.contestants
            .insert(2 + k, super::Contestant { name: format!("by hand, {name}"), step: Box::new(step) });
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = case;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::{Buffers, plain};
    use core::arch::x86_64::*;

    type Step = fn(&mut Buffers);

    /// The widest comes last.
    pub fn steps(rule: &str) -> Vec<(&'static str, Step)> {
        let mut steps: Vec<(_, Step, Step)> = vec![("sse2", sse2::adam, sse2::momentum)];
        if is_x86_feature_detected!("avx2") {
            steps.push(("avx2", avx2::adam, avx2::momentum));
        }
        if is_x86_feature_detected!("avx512f") {
            steps.push(("avx512", avx512::adam, avx512::momentum));
        }
        let of = |(name, adam, momentum)| match rule {
            "Adam" => Some((name, adam)),
            "Momentum" => Some((name, momentum)),
            _ => None,
        };
        steps.into_iter().filter_map(of).collect()
    }

    macro_rules! by_hand {
        ($set:ident, $feature:literal, $width:literal,
         $set1:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $div:ident $sqrt:ident) => {
            mod $set {
                use super::*;

                pub fn adam(b: &mut Buffers) {
                    #[target_feature(enable = $feature)]
                    unsafe fn body(b: &mut Buffers) {
                        let n = b.params.len() / $width * $width;
                        let (p, g) = (b.params.as_mut_ptr(), std::hint::black_box(b.grads.as_ptr()));
                        let (m, v) = (b.state[0].as_mut_ptr(), b.state[1].as_mut_ptr());
                        let c1 = $set1(0.1);
                        let (b2, c2) = ($set1(0.999), $set1(0.001));
                        let (lr, eps) = ($set1(plain::LR), $set1(1e-8));
                        let mut i = 0;
                        while i < n {
                            // SAFETY: i + WIDTH <= n.
                            unsafe {
                                let g = $load(g.add(i));
                                let mm = $load(m.add(i));
                                let mm = $add(mm, $mul(c1, $sub(g, mm)));
                                let vv = $add($mul(b2, $load(v.add(i))), $mul($mul(c2, g), g));
                                let d = $add($sqrt(vv), eps);
                                let pp = $sub($load(p.add(i)), $div($mul(lr, mm), d));
                                $store(m.add(i), mm);
                                $store(v.add(i), vv);
                                $store(p.add(i), pp);
                            }
                            i += $width;
                        }
                        plain::adam_from(b, n);
                    }
                    // SAFETY: steps() has asked the CPU.
                    unsafe { body(b) }
                }

                pub fn momentum(b: &mut Buffers) {
                    #[target_feature(enable = $feature)]
                    unsafe fn body(b: &mut Buffers) {
                        let n = b.params.len() / $width * $width;
                        let (p, g) = (b.params.as_mut_ptr(), std::hint::black_box(b.grads.as_ptr()));
                        let v = b.state[0].as_mut_ptr();
                        let (rho, lr) = ($set1(0.9), $set1(plain::LR));
                        let mut i = 0;
                        while i < n {
                            // SAFETY: i + WIDTH <= n.
                            unsafe {
                                let vv = $add($mul(rho, $load(v.add(i))), $load(g.add(i)));
                                let pp = $sub($load(p.add(i)), $mul(lr, vv));
                                $store(v.add(i), vv);
                                $store(p.add(i), pp);
                            }
                            i += $width;
                        }
                        plain::momentum_from(b, n);
                    }
                    // SAFETY: steps() has asked the CPU.
                    unsafe { body(b) }
                }
            }
        };
    }

    by_hand!(sse2, "sse2", 4,
        _mm_set1_ps _mm_loadu_ps _mm_storeu_ps _mm_add_ps _mm_sub_ps _mm_mul_ps _mm_div_ps _mm_sqrt_ps);
    by_hand!(avx2, "avx2", 8,
        _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps
        _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_sqrt_ps);
    by_hand!(avx512, "avx512f", 16,
        _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps
        _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_sqrt_ps);
}
