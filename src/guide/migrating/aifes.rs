//! From AIfES: its documented calls and their counterparts. Both libraries train on the device, in memory that the
//! program owns.
//!
//! In AIfES a model is a list of layers, which the library walks through. Here a model is a sequence of calls in your
//! program, and the memory is arrays whose sizes the compiler knows. This page was written from AIfES' public
//! documentation.
//!
//! | AIfES | gradus | in C |
//! |---|---|---|
//! | `ailayer_input_f32_default` | the slice that the first layer reads | |
//! | `ailayer_dense_f32_default` | [`Dense`](crate::layer::Dense) | `gradus_dense_forward` |
//! | `ailayer_conv2d_f32_default` | [`Conv2d`](crate::layer::Conv2d) | `gradus_conv2d_forward` |
//! | `ailayer_maxpool2d_f32_default` | [`MaxPool2d`](crate::layer::MaxPool2d) | `gradus_max_pool2d_forward` |
//! | `ailayer_batch_norm_f32_default` | [`BatchNorm`](crate::norm::BatchNorm) | `gradus_batch_norm_forward` |
//! | `ailayer_relu_f32_default`, `_leaky_relu_`, `_sigmoid_`, `_tanh_` | [`activation`](crate::activation) | `gradus_relu` and so on |
//! | `ailayer_softmax_f32_default` with `ailoss_crossentropy_f32_default` | [`softmax_cross_entropy`](crate::loss::softmax_cross_entropy): both, from the scores | `gradus_softmax_cross_entropy` |
//! | `ailoss_mse_f32_default` | [`mean_squared_error`](crate::loss::mean_squared_error) | `gradus_mean_squared_error` |
//! | `aiopti_sgd_f32_default`, momentum 0 | [`Sgd`](crate::Sgd) | `gradus_sgd_step` |
//! | the same with momentum | [`Momentum`](crate::Momentum) | `gradus_momentum_step` |
//! | `aiopti_adam_f32_default` | [`Adam`](crate::Adam) | `gradus_adam_step` |
//! | `AIFES_E_init_glorot_uniform`, `ailayer_dense_init_...` | [`init::glorot_uniform`](crate::init::glorot_uniform), [`init::he_uniform`](crate::init::he_uniform) | `gradus_init_glorot_uniform` |
//! | `aialgo_sizeof_parameter_memory` | [`Dense::params`](crate::layer::Dense::params), a constant | |
//! | `aialgo_distribute_parameter_memory`, `aialgo_schedule_training_memory` | nothing: arrays | |
//! | `aialgo_init_model_for_training` | nothing: zero bits are the initial state | `= {0}` |
//! | `aialgo_train_model` | your loop: forward, loss, [`backward_step`](crate::layer::Dense::backward_step) | |
//! | `aialgo_inference_model` | the forward calls | |
//! | `aialgo_calc_loss_model_f32` | what a loss returns | |
//! | `AIFES_E_training_fnn_f32` | [`first_network`](crate::guide::first_network) is that in a short program | `examples/c` |
//!
//! A small network that learns the exclusive or:
//!
//! ```
//! use gradus::layer::Dense;
//! use gradus::{Exec, activation, loss, prelude::*};
//!
//! const HIDDEN: Dense = Dense::new(2, 3);
//! const OUTPUT: Dense = Dense::new(3, 1);
//! const X: [f32; 8] = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
//! const EXCLUSIVE_OR: [f32; 4] = [0.0, 1.0, 1.0, 0.0];
//!
//! let (adam, exec) = (Adam::new(0.1), Exec::new());
//! // Biases first, then a row of weights for each input.
//! let mut hidden = [0.0, 0.1, -0.1, 0.5, -0.4, 0.3, -0.5, 0.4, 0.6];
//! let mut output = [0.0, 0.7, 0.6, -0.8];
//! let (mut of_hidden, mut of_output) = (adam.state::<9>(), adam.state::<4>());
//! let mut last = 1.0;
//! for _ in 0..300 {
//!     let (mut h, mut y, mut dh) = ([0.0; 12], [0.0; 4], [0.0; 12]);
//!     HIDDEN.forward(&hidden, &X, &mut h)?;
//!     activation::tanh(exec, &mut h);
//!     OUTPUT.forward(&output, &h, &mut y)?;
//!     last = loss::mean_squared_error(exec, &mut y, &EXCLUSIVE_OR)?; // y is the gradient now
//!     OUTPUT.backward_step(adam.update(&mut output, &mut of_output), &h, &y, Some(&mut dh))?;
//!     activation::tanh_backward(exec, &mut dh, &h)?;
//!     HIDDEN.backward_step(adam.update(&mut hidden, &mut of_hidden), &X, &dh, None)?;
//! }
//! assert!(last < 1e-3, "{last}");
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Corners
//!
//! - In a dense layer of gradus the biases come first, and then a row of weights for each input
//!   ([`Dense`](crate::layer::Dense)). Weights from elsewhere may have to be transposed. Compare the outputs for one
//!   sample to find out.
//! - The loss is the mean over the batch, and so is its gradient. If a learning rate comes from a program whose loss is
//!   a sum, SGD and momentum need `batch` times that rate here.
//! - AIfES' examples of Adam set `eps` to 1e-7. That is `Adam { eps: Epsilon::Outside(1e-7), ..Adam::new(lr) }`.
//! - There is no fixed-point arithmetic (Q7, Q31): numbers are `f32` or `f64`, and states may be `bf16`.
