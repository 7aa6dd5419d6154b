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
//! - elementary functions of the crate's own, never from a library.
//!
//! So a new version of a library cannot change a bit:
//!
//! | function | from | where |
//! |---|---|---|
//! | `exp`, `ln`, `ln(1 + x)`, `sin`, `cos`, `tanh`, the logistic function | [`elementary`](crate::elementary): a polynomial, `+ - * /` | activations, losses, [`Nadam`](crate::Nadam), [`Exponential`](crate::schedule::Exponential), [`init`](crate::init), [`augment`](crate::augment) |
//! | powers, half a wave of `cos` | integers | [`schedule`](crate::schedule) |
//! | `ln` in double precision | a series, `+ - * /` | [`Exponential::gamma`](crate::schedule::Exponential::gamma), [`between`](crate::schedule::Exponential::between) |
//! | square root, without an FPU | the crate `libm`, correctly rounded | everywhere |
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
//!   differ between platforms. In your own forward and backward pass use [`activation`](crate::activation),
//!   [`loss`](crate::loss) and [`elementary`](crate::elementary).
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
//! Subnormal numbers, those between 0 and the smallest normal number (1.2e-38), appear by themselves: the averages of a
//! parameter whose gradient stays 0 decay through them. Computing with them is exact everywhere, but slow on many
//! processors; so every 64 steps an optimizer puts 0 in their place in its state. If you must flush them in hardware,
//! do so on all machines of a run, or give up equal bits for these parameters.
