//! The first network: a short program that trains one, on a server or on a chip.
//!
//! A machine has two sensors and can be in one of four states. A network of two dense layers learns to tell the state
//! from the readings. All memory is in arrays, so that the program needs no heap; only its `println!` needs `std`.
//!
//! ```
//! use gradus::layer::Dense;
//! use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
//! use gradus::{Adam, Error, Exec, Optimizer, activation::*, init::*, loss::*};
//!
//! const L1: Dense = Dense::new(2, 16);
//! const L2: Dense = Dense::new(16, 4);
//! const LAYERS: [usize; 2] = [L1.params(), L2.params()];
//! const N: usize = LAYERS[0] + LAYERS[1];
//! const B: usize = 32; // samples of a batch
//!
//! fn main() -> Result<(), Error> {
//!     let (adam, exec) = (Adam::new(0.02), Exec::new());
//!     let (mut params, mut state, mut right) = ([0.0; N], adam.state::<N>(), 0);
//!     let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
//!     let (p1, p2) = params.split_at_mut(LAYERS[0]);
//!     he_uniform(&mut rng, L1.inputs, L1.weights_mut(p1)?);
//!     he_uniform(&mut rng, L2.inputs, L2.weights_mut(p2)?);
//!     for _ in 0..300 {
//!         // Readings between -1 and 1. The state is the quarter of the plane that they lie in.
//!         let (mut x, mut labels) = ([0.0; 2 * B], [0_u8; B]);
//!         uniform(&mut rng, -1.0, 1.0, &mut x);
//!         for (label, x) in labels.iter_mut().zip(x.as_chunks::<2>().0) {
//!             *label = 2 * u8::from(x[0] > 0.0) + u8::from(x[1] > 0.0);
//!         }
//!         let (mut h, mut z, mut dh) = ([0.0; 16 * B], [0.0; 4 * B], [0.0; 16 * B]);
//!         L1.forward(&params[..LAYERS[0]], &x, &mut h)?;
//!         relu(exec, &mut h);
//!         L2.forward(&params[LAYERS[0]..], &h, &mut z)?;
//!         right = count_right(&z, &labels)?;
//!         softmax_cross_entropy(exec, &mut z, &labels)?; // the scores become their gradient
//!         let [u1, u2] = adam.update(&mut params, &mut state).split(LAYERS)?;
//!         L2.backward_step(u2, &h, &z, Some(&mut dh))?;
//!         relu_backward(exec, &mut dh, &h)?;
//!         L1.backward_step(u1, &x, &dh, None)?;
//!     }
//!     println!("{right} of {B} right");
//!     # assert!(right >= 30, "{right}");
//!     Ok(())
//! }
//! ```
//!
//! # What stands where
//!
//! - **Parameters** are one flat array. Each layer says how many numbers of it are its own
//!   ([`params`](crate::layer::Dense::params)). Whatever takes an array takes a whole network: [`store`](crate::store)
//!   saves it, [`ensemble`](crate::ensemble) averages it, [`second_order`](crate::second_order) minimises over it.
//! - **The forward pass** is a list of calls, each from one array to the next. The backward pass is the same list in
//!   reverse order. A layer's backward call takes what the layer read in the forward pass and the gradient of what it
//!   wrote.
//! - **The loss** returns its value, the mean over the batch, and writes its gradient over the scores.
//! - **The step** is part of the backward pass. [`Optimizer::update`](crate::Optimizer::update) counts one step. Then
//!   each layer forms the gradients of a few weights at a time, and the optimizer acts on them at once. No array of
//!   gradients exists.
//!
//! # Variations
//!
//! Here weights decay and biases do not, and the gradients of both are clipped:
//!
//! ```
//! # use gradus::{Adam, Optimizer, transform::{ClipValue, Decay}};
//! # let (mut params, mut state) = ([0.5; 8], Adam::new(0.1).state::<8>());
//! let adam = Adam::new(1e-3).with(ClipValue(1.0));
//! let update = adam.update(&mut params, &mut state).on_weights(Decay::new(1e-2));
//! # let _ = update;
//! ```
//!
//! A clip by the norm of all gradients needs all of them before the step. So does a batch that is too large for the
//! memory and is taken in pieces. For these `backward` adds to an array of gradients, and the optimizer steps once:
//!
//! ```
//! # use gradus::layer::Dense;
//! # use gradus::{Adam, Error, Exec, Optimizer, transform::ClipNorm};
//! # const LAYER: Dense = Dense::new(2, 1);
//! # let (adam, mut params, mut grads) = (Adam::new(0.1), [0.5; 3], [0.0; 3]);
//! # let mut state = adam.state::<3>();
//! # let pieces = [([1.0, 2.0], [0.5]), ([3.0, 4.0], [0.25])];
//! for (x, dy) in &pieces {
//!     LAYER.backward(&params, &mut grads, x, dy, None)?;
//! }
//! let clip = ClipNorm { max_norm: 1.0 }.scale(Exec::new(), &[&grads])?;
//! adam.with(clip).step(&mut params, &grads, &mut state);
//! grads.fill(0.0);
//! # Ok::<(), Error>(())
//! ```
//!
//! - `L1.on(Exec::threads())` runs a layer on all threads, with the same bits (feature `rayon`).
//! - `Adam::new(1e-3).half()` keeps the state in half the memory.
//! - [`Conv2d`](crate::layer::Conv2d) and [`MaxPool2d`](crate::layer::MaxPool2d) are for images.
//!   `digits/src/convolutional.rs` in the repository uses them, and trains on a Cortex-M4F.
