//! Twelve small programs that show how the calls are used.
//!
//! [A step](#a-step), [any length](#any-length), [mini-batches](#mini-batches), [a generic trainer](#a-generic-trainer),
//! [a choice at run time](#a-choice-at-run-time), [a list of tensors](#a-list-of-tensors), [threads](#threads),
//! [half the memory](#half-the-memory), [a network](#a-network), [batch normalisation](#batch-normalisation),
//! [L-BFGS with a penalty](#l-bfgs-with-a-penalty), [stopping and going on](#stopping-and-going-on).
//!
//! # A step
//!
//! The sizes are part of the types: nothing can fail, and nothing is allocated.
//!
//! ```
//! use gradus::{Adam, Optimizer};
//!
//! let adam = Adam::new(1e-3);
//! let (mut params, mut state) = ([1.0, -1.0], adam.state());
//! for _ in 0..10 {
//!     let grads = params.map(|p| 2.0 * p); // of the loss p^2
//!     adam.step(&mut params, &grads, &mut state);
//! }
//! assert!(params[0] < 1.0 && params[1] > -1.0);
//! ```
//!
//! # Any length
//!
//! `step_slices` takes slices of any length. If their lengths do not fit, it returns an error that names the slice, and
//! writes nothing.
//!
//! ```
//! use gradus::{Adam, Argument, Error, Optimizer};
//!
//! let adam = Adam::new(1e-3);
//! let (mut params, grads) = (vec![0.5; 1000], vec![1.0; 1000]);
//! let mut state = adam.state_vec(params.len());
//! adam.step_slices(&mut params, &grads, state.as_mut())?;
//!
//! let error = adam.step_slices(&mut params, &grads[1..], state.as_mut());
//! assert_eq!(error, Err(Error::Length { what: Argument::Grads, expected: 1000, found: 999 }));
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Mini-batches
//!
//! Transforms act in the order in which they are written, in the same pass as the rule.
//!
//! ```
//! use gradus::prelude::*;
//!
//! let momentum = Momentum::new(0.1)
//!     .with(Scale(1.0 / 32.0)) // the mean over the batch
//!     .with(ClipValue(1.0)) // of the mean, not of the sum
//!     .with(L2::weight_decay(1e-4)); // not clipped
//! let (mut params, mut state) = ([1.0; 8], momentum.state());
//! momentum.step(&mut params, &[16.0; 8], &mut state);
//! assert_eq!(params, [1.0 - 0.1 * 0.5001; 8]);
//! ```
//!
//! # A generic trainer
//!
//! A function over any optimizer need not know how many numbers of state it has: `optimizer.state()` makes the right one.
//!
//! ```
//! use gradus::{Lion, Optimizer, RmsProp};
//!
//! fn train(optimizer: impl Optimizer, steps: u32) -> f32 {
//!     let (mut x, mut state) = ([4.0], optimizer.state());
//!     for _ in 0..steps {
//!         let grads = [2.0 * x[0]];
//!         optimizer.step(&mut x, &grads, &mut state);
//!     }
//!     x[0]
//! }
//!
//! assert!(train(RmsProp::new(0.01), 1000).abs() < 0.1);
//! assert!(train(Lion::new(0.01).with(gradus::transform::Scale(0.5)), 1000).abs() < 0.1);
//! ```
//!
//! # A choice at run time
//!
//! [`AnyOptimizer`](crate::AnyOptimizer) is made from a name, and its state has as many columns as that optimizer needs.
//!
//! ```
//! use gradus::AnyOptimizer;
//!
//! let name = "adamw"; // of a command line
//! let optimizer = name.parse::<AnyOptimizer>()?.with_lr(3e-4);
//! optimizer.check()?;
//! let mut params = vec![0.5; 100];
//! let mut state = optimizer.state(params.len());
//! optimizer.step_slices(&mut params, &[1.0; 100], state.as_mut())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A list of tensors
//!
//! The tensors share one clock, and each has transforms of its own. A state belongs to its optimizer: the compiler
//! refuses a state of another one.
//!
//! ```
//! use gradus::prelude::*;
//!
//! let adam = Adam::new(1e-3).with(Scale(1.0 / 32.0));
//! let (mut weights, mut biases) = ([0.5; 64], [0.0; 8]);
//! let (mut w, mut b, mut clock) = (adam.state::<64>(), adam.state::<8>(), Clock::new());
//! let mut tensors = [
//!     Tensor::new(&mut weights, &[1.0; 64], w.as_mut()).with(L2::weight_decay(0.1)),
//!     Tensor::new(&mut biases, &[1.0; 8], b.as_mut()).with(L2::new(0.0)),
//! ];
//! adam.step_tensors(&mut tensors, &mut clock)?;
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Threads
//!
//! [`Exec`](crate::Exec) says on which threads and with which instruction set calls run. The bits do not depend on it.
//!
//! ```
//! use gradus::prelude::*;
//!
//! let adam = Adam::new(1e-3);
//! # #[cfg(feature = "rayon")]
//! let adam = adam.on(Exec::threads()); // with the feature `rayon`: all threads of the current pool
//! let (mut params, grads) = (vec![0.5; 1 << 20], vec![1.0; 1 << 20]);
//! let mut state = adam.state_vec(params.len());
//! adam.step_slices(&mut params, &grads, state.as_mut())?;
//!
//! let (mut again, mut state) = (vec![0.5; 1 << 20], adam.state_vec(1 << 20));
//! adam.on(Level::SCALAR).step_slices(&mut again, &grads, state.as_mut())?; // one number at a time
//! assert_eq!(params, again);
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Half the memory
//!
//! `half` keeps the state in bf16, numbers of 16 bits, with a rounding that is right on average.
//!
//! ```
//! use gradus::{Adam, Optimizer, State};
//!
//! let adam = Adam::new(1e-3).half();
//! let (mut params, mut state) = ([0.5; 64], adam.state::<64>());
//! adam.step(&mut params, &[1.0; 64], &mut state);
//! assert_eq!(size_of_val(&state), 264); // 520 as a whole
//! ```
//!
//! [`HalfGrads`](crate::layer::HalfGrads) does the same for gradients that add up sample by sample.
//!
//! # A network
//!
//! A layer is only a shape: parameters, activations and gradients are slices of yours. The backward pass takes the step
//! at once.
//!
//! ```
//! use gradus::layer::Dense;
//! use gradus::{Exec, activation, loss, prelude::*};
//!
//! const FIRST: Dense = Dense::new(2, 4);
//! const SECOND: Dense = Dense::new(4, 1);
//! const PARAMS: usize = FIRST.params() + SECOND.params();
//!
//! let (adam, exec) = (Adam::new(0.1), Exec::new());
//! let mut params: [f32; PARAMS] = std::array::from_fn(|i| (i as f32).sin()); // `init` has better ones
//! let mut state = adam.state();
//! let mut error = 0.0;
//! for _ in 0..200 {
//!     let (x, target) = ([0.5, -0.5, 1.0, 0.25], [0.3, -0.2]); // two samples
//!     let (mut h, mut y, mut dh) = ([0.0; 2 * 4], [0.0; 2], [0.0; 2 * 4]);
//!     let (first, second) = params.split_at(FIRST.params());
//!     FIRST.forward(first, &x, &mut h)?;
//!     activation::tanh(exec, &mut h);
//!     SECOND.forward(second, &h, &mut y)?;
//!     error = loss::mean_squared_error(exec, &mut y, &target)?; // y is its gradient now
//!
//!     let [first, second] = adam.update(&mut params, &mut state).split([FIRST.params(), SECOND.params()])?;
//!     SECOND.backward_step(second, &h, &y, Some(&mut dh))?;
//!     activation::tanh_backward(exec, &mut dh, &h)?;
//!     FIRST.backward_step(first, &x, &dh, None)?;
//! }
//! assert!(error < 1e-3, "{error}");
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Batch normalisation
//!
//! Arrays that could be taken for each other are named fields, so that a swap does not compile. Inference takes the
//! running statistics. Before the first batch they count as mean 0 and variance 1.
//!
//! ```
//! use gradus::norm::{BatchNorm, BatchNormState, BatchShape, Params, Statistics};
//!
//! let (norm, shape) = (BatchNorm::new(), BatchShape::dense(2, 3)); // two samples, three features
//! let params = Params { weight: [1.0; 3], bias: [0.0; 3] };
//! let mut running = BatchNormState::<3>::new();
//! let (x, mut y) = ([1.0, 2.0, 3.0, 3.0, 2.0, 1.0], [0.0; 6]);
//! let mut batch = Statistics { mean: [0.0; 3], variance: [0.0; 3] };
//! norm.forward(shape, &x, &mut y, &params, &mut batch)?;
//! norm.track(shape, &batch, running.as_mut())?;
//! norm.inference(shape, &mut y, &params, &running)?;
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # L-BFGS with a penalty
//!
//! The first two parameters have an L1 penalty of weight 1. It makes the second of them exactly 0.
//!
//! ```
//! use gradus::second_order::{LbfgsVec, Stop};
//!
//! let mut x = [3.0_f64, 0.1, -2.0];
//! let report = LbfgsVec::new(3).pairs(5).l1(1.0, 0..2).minimize(&mut x, |x, g| {
//!     let target = [4.0, 0.5, 1.0];
//!     let mut value = 0.0;
//!     for k in 0..3 {
//!         g[k] = x[k] - target[k];
//!         value += 0.5 * g[k] * g[k];
//!     }
//!     value
//! })?;
//! assert_eq!(report.stop, Stop::Gradient);
//! assert!((x[0] - 3.0).abs() < 1e-6 && (x[2] - 1.0).abs() < 1e-6); // shrunk by 1, and not in the penalty
//! assert_eq!(x[1], 0.0); // exactly
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Stopping and going on
//!
//! A file holds parameters and state. What is loaded takes its length from the file.
//!
//! ```
//! use gradus::{Adam, Optimizer, store};
//!
//! let adam = Adam::new(1e-2);
//! let (mut params, mut state) = (vec![1.0; 10], adam.state_vec(10));
//! adam.step_slices(&mut params, &[0.5; 10], state.as_mut())?;
//! let file = store::to_vec((&params, &state))?;
//!
//! let (mut params, mut state) = (Vec::<f32>::new(), adam.state_vec(0)); // after a restart, maybe on another machine
//! store::load((&mut params, &mut state), &file)?;
//! assert_eq!((params.len(), state.t()), (10, 1));
//!
//! state.reset(); // a new run in the same memory
//! assert_eq!(state.t(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
