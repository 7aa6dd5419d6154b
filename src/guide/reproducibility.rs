//! What "the same bits" covers, how to keep it, where it ends.
//!
//! # The promise
//!
//! The same version of this crate, fed with the same bits, gives the same bits: parameters, states, masks
//! and reductions, on every target, at every [`Level`](crate::Level), for any number of threads, at every
//! opt-level. It rests on four rules inside of the kernels:
//!
//! - only `+ - * /` and square roots, which IEEE 754 rounds in one way, in a written order;
//! - no fused multiply-add and no estimates: a product is rounded before it is added;
//! - sums in one fixed order, whatever the width of the registers;
//! - elementary functions from software that is compiled in, never from the platform's library.
//!
//! Loops over elements call functions of this crate. What is computed once a step or once an image may call the crate
//! `libm`:
//!
//! | function | from | where |
//! |---|---|---|
//! | `exp`, `ln`, `ln(1 + x)`, `tanh`, `sigmoid`, `sin`, `cos` | [`elementary`](crate::elementary) in this crate | [`activation`](crate::activation), [`loss`](crate::loss), [`init`](crate::init) |
//! | half a wave of `cos` | an integer polynomial of this crate | the cosine schedules |
//! | `exp` | `libm` | [`Exponential`](crate::schedule::Exponential), [`Nadam`](crate::Nadam), [`RandomResizedCrop`](crate::augment::RandomResizedCrop), [`RandomAffine`](crate::augment::RandomAffine), [`RandomErasing`](crate::augment::RandomErasing), [`Mixup`](crate::augment::Mixup), [`CutMix`](crate::augment::CutMix) |
//! | `ln`, `ln(1 + x)` | `libm` | `Exponential` from a factor, `RandomResizedCrop`, `RandomAffine`, `RandomErasing`, `Mixup`, `CutMix` |
//! | powers | `libm` | [`Polynomial`](crate::schedule::Polynomial) |
//! | `sin`, `cos` | `libm` | [`Affine::rotate`](crate::augment::Affine::rotate), `Mixup`, `CutMix` |
//! | square root, without an FPU | `libm`, correctly rounded | everywhere |
//!
//! Another version of `libm` may round another way. So a lock file is part of a reproducible build.
//!
//! ```
//! use gradus::{Adam, AdamState, Level, Optimizer};
//!
//! let grads: [f32; 100] = std::array::from_fn(|i| (i as f32 - 50.0) / 7.0);
//! let mut results = Level::available().map(|level| {
//!     let (mut params, mut state) = ([1.0; 100], AdamState::<100>::new());
//!     for _ in 0..10 {
//!         Adam::new(1e-2).on(level).step_slices(&mut params, &grads, state.as_mut()).unwrap();
//!     }
//!     params.map(f32::to_bits)
//! });
//! let scalar = results.next().unwrap();
//! assert!(results.all(|result| result == scalar));
//! ```
//!
//! A new version of this crate may change bits where a formula is corrected. The changelog lists that under "Numerics".
//!
//! # How to keep it
//!
//! Equal results need equal inputs, and those are yours to provide. This is what usually makes them differ:
//!
//! - **Elementary functions.** `f32::exp`, `ln`, `sin`, `tanh`, `powf` of `std` are the platform's, and
//!   differ between platforms. In your own forward and backward pass use [`elementary`](crate::elementary) or the crate `libm`.
//! - **Sums.** `a + b + c` depends on its order. Write one down, or use [`dot`](crate::dot) and
//!   [`reduce`](crate::reduce), which have one. Threads that add up gradients must join in a fixed order.
//! - **Fusing.** Rust never fuses `a * b + c`. C compilers do: give them `-ffp-contract=off`, also for
//!   your own code that calls the C interface. `mul_add` is fused by intent.
//! - **Chance.** Seed generators explicitly, and save them with the state ([`resuming`](super::resuming)). A hash map of
//!   `std` is traversed in another order in each run.
//! - **Data.** Parse numbers with a correctly rounding parser; `str::parse` is one.
//!
//! To compare whole runs, compare one number: a hash over the bits of their parameters. `cargo run --release -p digits`
//! prints one for each run, and the page under `web/` shows the same one for the same run in a browser.
//!
//! # Where it ends
//!
//! - **NaN.** Whether a result is NaN is part of the promise; sign and payload of the NaN are not, because
//!   processors choose them differently.
//! - **x87.** 32-bit x86 without SSE2 computes in 80-bit registers and rounds twice. Rust's i586 targets are
//!   of this kind; i686 and x86-64 are not.
//! - **Flush to zero.** A processor told to treat subnormal numbers as 0 gives other bits once there are some.
//!   On x86 some libraries set this mode for the whole thread when they are loaded (built with
//!   `-ffast-math`); on Arm the bit FZ of FPCR or FPSCR does it. It is off after reset.
//! - **ARMv7 NEON** always flushes. The crate does not use it: 32-bit Arm runs the scalar path, which keeps
//!   subnormals.
//! - **Helium** (Cortex-M55, M85) flushes in its vectors, always. The crate uses it if asked to, by
//!   `--cfg gradus_level="helium"`. With the target feature `mve.fp` and at opt-level 3 the compiler may turn
//!   the scalar loop into it; `-C target-feature=-mve.fp` prevents it.
//! - **Rounding mode.** It has to be to nearest, ties to even, which is the default everywhere.
//!
//! Subnormal numbers, those between 0 and the smallest normal number (1.2e-38), appear by themselves: the averages of a parameter
//! whose gradient stays 0 decay through them. Computing with them is exact everywhere, but slow on many processors; so every
//! 64 steps an optimizer puts 0 in their place in its state. If you must flush them in hardware, do so on all machines of a run, or give
//! up equal bits for these parameters.
