//! Stopping a run and going on as if nothing had happened, also on another machine.
//!
//! Four things make up where a run stands:
//!
//! - the parameters;
//! - the optimizer's state: columns and steps taken;
//! - the generator, if there is chance in the run: dropout, shuffling, augmentation;
//! - the place in the data: which samples of this epoch are still to come.
//!
//! Configurations and schedules do not change during a run; a schedule is asked with the number of steps,
//! which the state knows. [`store`](crate::store) writes all of it into one file with a checksum:
//!
//! ```
//! use gradus::schedule::{Cosine, Schedule};
//! use gradus::{Adam, AdamState, Optimizer, store};
//! use rand_core::{Rng, SeedableRng};
//! use rand_xoshiro::Xoshiro128PlusPlus;
//!
//! struct Run {
//!     params: [f32; 4],
//!     state: AdamState<4>,
//!     rng: Xoshiro128PlusPlus,
//! }
//!
//! impl Run {
//!     fn steps(&mut self, n: u32) {
//!         let schedule = Cosine::new(1e-2, 100);
//!         for _ in 0..n {
//!             let noise = (self.rng.next_u32() >> 8) as f32 / 16_777_216.0;
//!             let grads = self.params.map(|p| 2.0 * p + noise);
//!             let adam = Adam::new(schedule.at(self.state.t()));
//!             adam.step(&mut self.params, &grads, &mut self.state);
//!         }
//!     }
//! }
//!
//! let start = || Run { params: [1.0; 4], state: AdamState::new(), rng: Xoshiro128PlusPlus::seed_from_u64(1) };
//!
//! let mut whole = start();
//! whole.steps(100);
//!
//! let mut first = start();
//! first.steps(60);
//! let file = store::to_vec((&first.params, &first.state, &first.rng))?;
//!
//! let mut second = Run { rng: Xoshiro128PlusPlus::seed_from_u64(0), ..start() };
//! store::load((&mut second.params, &mut second.state, &mut second.rng), &file)?;
//! second.steps(40);
//! assert_eq!(second.params, whole.params); // every bit
//! # Ok::<(), store::Error>(())
//! ```
//!
//! A file that is cut off, damaged, of another optimizer or of another shape is refused before anything is
//! written. On a microcontroller [`store::save`](crate::store::save) takes a buffer of
//! [`store::size_of`](crate::store::size_of) bytes.
//!
//! Two habits save trouble. Save between steps, never inside of one: gradients that have been added up are
//! not part of the state. And keep the last two files: a loss of power during a write leaves the older one.
//!
//! With the feature `serde`, configurations and states go through its formats as well. JSON knows neither
//! NaN nor infinity; `store` keeps every bit.
