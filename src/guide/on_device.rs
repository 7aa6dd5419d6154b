//! Training on a microcontroller: memory, flash, interrupts.
//!
//! # Build
//!
//! ```toml
//! [dependencies]
//! gradus = { version = "0.1", default-features = false }
//!
//! [profile.release]
//! opt-level = "s"
//! lto = true
//! ```
//!
//! Without default features the crate needs neither `std` nor a heap. Its functions have no path to a
//! panic, so that no formatting code gets into the program. An optimizer that is not called costs no
//! flash, and a transform that is not used costs no instruction.
//!
//! # A program from nothing
//!
//! On a Cortex-M4F these are all files of a firmware that learns. It takes about 2 KB of flash.
//!
//! ```text
//! cargo new sensor && cd sensor
//! cargo add gradus --no-default-features && cargo add cortex-m-rt panic-halt
//! rustup target add thumbv7em-none-eabihf
//! ```
//!
//! The crate is not published yet: until it is, clone the repository and write `cargo add --path DIRECTORY` in place of
//! `cargo add gradus`.
//!
//! `Cargo.toml` has the profile above, and `.cargo/config.toml` the target and the linker script of `cortex-m-rt`:
//!
//! ```toml
//! [build]
//! target = "thumbv7em-none-eabihf"
//! rustflags = ["-C", "link-arg=-Tlink.x"]
//! ```
//!
//! `memory.x` says where the memory of the chip is, here that of an nRF52840:
//!
//! ```text
//! MEMORY { FLASH : ORIGIN = 0x00000000, LENGTH = 1M  RAM : ORIGIN = 0x20000000, LENGTH = 256K }
//! ```
//!
//! `src/main.rs` follows a reference that is read beside a sensor:
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//!
//! use gradus::{Adam, Optimizer};
//! use panic_halt as _;
//!
//! const ADAM: Adam = Adam::new(0.02);
//!
//! #[cortex_m_rt::entry]
//! fn main() -> ! {
//!     let (mut weights, mut state) = ([0.0, 0.0], ADAM.state());
//!     let mut t = 0_u32;
//!     loop {
//!         let sensor = (t * 5 % 16) as f32 / 8.0 - 1.0; // stands for a reading
//!         let reference = 1.25 * sensor - 0.5; // and for what it should be
//!         let error = weights[0] + weights[1] * sensor - reference;
//!         ADAM.step(&mut weights, &[error, error * sensor], &mut state);
//!         t = (t + 1) % 16;
//!     }
//! }
//! ```
//!
//! `cargo build --release` makes it. The same program with output, for a computer and for an emulated Cortex-M4F, is
//! `examples/static_mcu.rs` in the repository.
//!
//! # Memory
//!
//! A program that keeps gradients needs `4 * N * (2 + K)` bytes for `N` parameters, their gradients and the state of an
//! optimizer that has `K` numbers for each of them. The count of steps takes 8 bytes more. Everything can be a
//! `static`. The initial state is all zero bits, so that it lies in `.bss` and takes no flash.
//!
//! The layers of this crate can do without an array of gradients: see [`first_network`](super::first_network).
//!
//! ```
//! use gradus::{Error, Momentum, MomentumState, Optimizer, transform::Scale};
//! use std::sync::Mutex; // on a device: a critical-section mutex, or the framework's resource
//!
//! const N: usize = 3;
//!
//! /// A line through a sensor's readings: `y = a x^2 + b x + c`.
//! struct Learner {
//!     params: [f32; N],
//!     grads: [f32; N],
//!     state: MomentumState<N>,
//!     samples: u32,
//! }
//!
//! impl Learner {
//!     const fn new() -> Self {
//!         Self { params: [0.0; N], grads: [0.0; N], state: MomentumState::new(), samples: 0 }
//!     }
//!
//!     /// One reading; every eighth is a step.
//!     fn learn(&mut self, x: f32, y: f32) {
//!         let features = [x * x, x, 1.0];
//!         let mut error = -y;
//!         for (p, f) in self.params.iter().zip(features) {
//!             error += p * f;
//!         }
//!         for (g, f) in self.grads.iter_mut().zip(features) {
//!             *g += error * f;
//!         }
//!         self.samples += 1;
//!         if self.samples % 8 == 0 {
//!             let momentum = Momentum::new(0.05).with(Scale(1.0 / 8.0));
//!             momentum.step(&mut self.params, &self.grads, &mut self.state);
//!             self.grads = [0.0; N];
//!         }
//!     }
//! }
//!
//! static LEARNER: Mutex<Learner> = Mutex::new(Learner::new());
//!
//! assert_eq!(size_of::<Learner>(), 4 * N * (2 + 1) + 8 + 4);
//! let mut learner = LEARNER.lock().unwrap();
//! for i in 0..8 * 2000 {
//!     let x = (i % 16) as f32 / 8.0 - 1.0;
//!     learner.learn(x, 0.5 * x * x - x + 0.25);
//! }
//! let [a, b, c] = learner.params;
//! assert!((a - 0.5).abs() < 1e-3 && (b + 1.0).abs() < 1e-3 && (c - 0.25).abs() < 1e-3);
//! ```
//!
//! Gradients add up in place, sample by sample: a batch needs no memory of its own, and its mean is taken in
//! the pass of the update ([`Scale`](crate::transform::Scale)). [`Sgd`](crate::Sgd) keeps no state;
//! [`Momentum`](crate::Momentum), [`RmsProp`](crate::RmsProp) and [`Lion`](crate::Lion) keep one
//! number per parameter, [`Adam`](crate::Adam) two.
//!
//! Inputs of very different sizes should be standardised. [`InputNorm`](crate::norm::InputNorm) learns their mean and
//! variance while they come. [`Confusion`](crate::loss::Confusion) counts in fixed memory which class was taken for
//! which.
//!
//! # A network that was trained elsewhere
//!
//! `cargo run -p gallery --bin from_pytorch` in the repository turns the weights of a PyTorch model into an array that lies in flash
//! ([migrating](super::migrating#weights)). On the device as much of it learns as there is memory for:
//!
//! | what learns | in RAM | state of Adam | kept of each sample |
//! |---|---|---|---|
//! | the last layer | its parameters | 8 bytes for each of them | what it reads |
//! | the last layers | their parameters | 8 bytes for each of them | what they read |
//! | biases ([`bias_step`](crate::layer::bias_step)) | the parameters of their layer | 8 bytes for each bias | results of activations |
//!
//! What stands before them has no gradient, no state and no backward pass: the first layer that learns takes `None` for its `dx`.
//! Through a layer that does not learn, between two that do, `backward_input` leads back.
//!
//! ```
//! use gradus::layer::Dense;
//! use gradus::{Adam, AdamState, Exec, Optimizer, activation::relu, loss::softmax_cross_entropy};
//!
//! const BODY: Dense = Dense::new(2, 3);
//! const HEAD: Dense = Dense::new(3, 2);
//! static FLASH: [f32; BODY.params()] = [0.0, 0.0, 1.0, 1.0, -1.0, 0.5, -1.0, 1.0, 0.5];
//!
//! let (mut head, mut state) = ([0.0; HEAD.params()], AdamState::new());
//! let mut loss = 1.0;
//! for _ in 0..100 {
//!     let (x, labels) = ([1.0, 0.0, 0.0, 1.0], [0_u8, 1]);
//!     let (mut h, mut scores) = ([0.0; 2 * 3], [0.0; 2 * 2]);
//!     BODY.forward(&FLASH, &x, &mut h)?;
//!     relu(Exec::new(), &mut h);
//!     HEAD.forward(&head, &h, &mut scores)?;
//!     loss = softmax_cross_entropy(Exec::new(), &mut scores, &labels)?;
//!     HEAD.backward_step(Adam::new(0.05).update(&mut head, &mut state), &h, &scores, None)?;
//! }
//! assert!(loss < 0.05);
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! A network that learns something new forgets what it knew. In `examples/firmware/src/bin/finetune.rs` a network that recognises 99.1 %
//! of the digits 0 to 8 learns the 9 from thirty images. It then recognises every 9 of the test samples, but of the old digits only
//! 79.9 %. With sixteen images of each old digit in flash, 9 KB, it keeps 97.2 % of them, whether the last layer learns or the
//! last two. The rate and the number of images were chosen among seven by the same test samples, so that a new set may do a
//! little worse.
//!
//! # Flash
//!
//! With `--cfg gradus_size="small"` in `RUSTFLAGS` the crate keeps one short loop of each kind: no assembly, no wide
//! registers, and one loop for the products of all layers. The bits stay the same. On a Cortex-M4F a network that learns
//! the digits in C then takes 60 % of the flash and twice the instructions (`./ci.sh c`).
//!
//! # Time
//!
//! Division and square root take most of the time of adaptive optimizers. Without a floating-point unit every operation
//! is a call; there [`Sgd`](crate::Sgd) and [`Momentum`](crate::Momentum) are far cheaper than the others. In the
//! repository, `docs/cycles.md` has the instructions and the stack of every optimizer, and `docs/size.md` the flash. On
//! a Cortex-M55 or M85 momentum, RMSProp, Adam and AdamW run on Helium, the vector unit, if the program is built with
//! `--cfg gradus_level="helium"`. Helium replaces subnormal numbers by 0.
//!
//! With a [state in half the memory](crate::Optimizer::half) Adam takes 25.5 instructions per parameter on a Cortex-M4F
//! in place of 15.3, and momentum 14.5 in place of 6.7. On a Cortex-M33 these loops need the DSP extension. Every M33
//! that is known to have an FPU has it; on one without, use [`Level::SCALAR`](crate::Level::SCALAR), which has the same
//! bits.
//!
//! The time of a step hardly depends on the values. But the processor, or the software in place of an FPU, may take
//! longer over some, such as subnormal numbers. A loop over half states takes a longer way where a number is so large
//! that rounding may make it infinite. `step_if_finite` is shorter if it skips the step.
//!
//! # Interrupts and power
//!
//! - A step is not atomic. Let one context own parameters and state, and hand gradients to it.
//! - To survive a loss of power, save parameters, state and generator together
//!   ([`store`](crate::store)), alternately to two places: a file that was cut off is refused.
//!   The feature `journal` does that on flash, and copes with whatever a power cut leaves there.
//! - The bits are those of other machines if the floating-point unit rounds to nearest and keeps subnormals, as it does
//!   after reset; see [`reproducibility`](super::reproducibility).
//!
//! # Bad input
//!
//! Sensors fail. [`step_if_finite`](crate::Optimizer::step_if_finite) looks at the gradients first, and
//! skips the step if one is NaN or infinite. [`ClipValue`](crate::transform::ClipValue) bounds what one
//! wrong reading can do. Call `check()` on a configuration that does not come from your own source code.
