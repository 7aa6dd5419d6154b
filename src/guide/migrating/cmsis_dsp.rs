//! From CMSIS-DSP: the vector functions that one writes a training with, and what replaces them.
//!
//! Among CMSIS-DSP's vector functions there is no optimizer. A step is a chain of them, and each of them is a pass over
//! memory. Here a step is one pass, and a rule of your own is a formula for one element
//! ([`writing_a_rule`](crate::guide::writing_a_rule)).
//!
//! | CMSIS-DSP | gradus | in C |
//! |---|---|---|
//! | `arm_scale_f32`, `arm_sub_f32`: a step of SGD | [`Sgd`](crate::Sgd) | `gradus_sgd_step` |
//! | `arm_mult_f32`, `arm_add_f32`, `arm_vsqrt_f32` and so on: Adam | [`Adam`](crate::Adam) | `gradus_adam_step` |
//! | `arm_lms_f32` | [`Dense`](crate::layer::Dense) with one output, and `Sgd`: below | |
//! | `arm_dot_prod_f32` | [`dot`](crate::dot) | `gradus_dot` |
//! | `arm_power_f32` | [`sum_squares`](crate::sum_squares) | `gradus_l2_norm`, its root |
//! | `arm_absmax_no_idx_f32` | [`max_abs`](crate::max_abs) | `gradus_max_abs` |
//! | `arm_max_f32` with its index | [`argmax`](crate::loss::argmax) | `gradus_argmax` |
//! | `arm_clip_f32` of gradients | [`ClipValue`](crate::transform::ClipValue) in the step | a field of `gradus_transforms` |
//! | `arm_mat_vec_mult_f32`, `arm_mat_mult_f32` and a bias | [`Dense::forward`](crate::layer::Dense::forward) | `gradus_dense_forward` |
//! | `arm_mean_f32`, `arm_var_f32` of each feature | [`BatchNorm`](crate::norm::BatchNorm), whose variance is by `n` | `gradus_batch_norm_forward` |
//! | `arm_vexp_f32`, `arm_vlog_f32` | [`elementary`](crate::elementary) | |
//! | `arm_weighted_average_f32`, `arm_barycenter_f32` of models | [`ensemble`](crate::ensemble) | `gradus_ensemble_push` |
//!
//! The adaptive filter by least mean squares is a linear layer that takes a step with each sample:
//!
//! ```
//! use gradus::{Exec, Optimizer, Sgd, dot};
//!
//! // y = w x, e = d - y, w += 2 mu e x, in the convention of the textbooks; the gradient of e^2 is -2 e x.
//! let (mu, unknown) = (0.05, [0.5, -0.25, 0.125]);
//! let (sgd, mut w) = (Sgd::new(mu), [0.0_f32; 3]);
//! let mut state = sgd.state();
//! let mut x = [0.0; 3];
//! for n in 0..2000_u32 {
//!     x = [((n * 7919) % 17) as f32 / 8.0 - 1.0, x[0], x[1]];
//!     let error = dot(Exec::new(), &unknown, &x)? - dot(Exec::new(), &w, &x)?;
//!     sgd.step(&mut w, &x.map(|x| -2.0 * error * x), &mut state);
//! }
//! assert!(w.iter().zip(unknown).all(|(w, u)| (w - u).abs() < 1e-3), "{w:?}");
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Corners
//!
//! - `arm_lms_f32` multiplies by `mu` without the factor 2: its `mu` is twice that of the example.
//! - Its coefficients are in reverse order of time. Here they have the order of the inputs.
//! - `arm_var_f32` divides by `n - 1`, as the running variance of [`BatchNorm`](crate::norm::BatchNorm) does; in the
//!   batch it is `n`.
//! - In CMSIS-DSP the order of a sum depends on the core and the compiler, so that a Cortex-M4 and an M55 differ in the
//!   last digits. Here a sum has one order, and the same bits on both.
//! - No function asks for a multiple of 4, for alignment beyond that of a float, or for padding behind an array.
//! - There is no fixed-point arithmetic (`q15`, `q31`).
