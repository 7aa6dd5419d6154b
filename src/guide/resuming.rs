//! Stopping a run and going on as if nothing had happened, also on another machine.
//!
//! Four things say where a run stands:
//!
//! - the parameters;
//! - the optimizer's state: columns and steps taken;
//! - the random generator, if the run has dropout, shuffling or augmentation;
//! - the place in the data: which samples of this epoch are still to come.
//!
//! Configurations and schedules are not among them: they do not change during a run, and a schedule is a function of the
//! number of steps, which the state knows. [`store`](crate::store) writes the rest into one file with a checksum:
//!
//! ```
//! use gradus::noise::{Dropout, Masks};
//! use gradus::schedule::{Cosine, Schedule};
//! use gradus::{Adam, AdamState, Error, Optimizer, store};
//!
//! struct Run {
//!     params: [f32; 4],
//!     state: AdamState<4>,
//!     masks: Masks,
//! }
//!
//! impl Run {
//!     fn steps(&mut self, n: u32) -> Result<(), Error> {
//!         let schedule = Cosine::new(1e-2, 100);
//!         for _ in 0..n {
//!             let mut grads = self.params.map(|p| 2.0 * p);
//!             Dropout::drop_prob(0.2).forward(&mut grads, &mut self.masks)?;
//!             let adam = Adam::new(schedule.at(self.state.t()));
//!             adam.step(&mut self.params, &grads, &mut self.state);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let start = || Run { params: [1.0; 4], state: AdamState::new(), masks: Masks::new(1) };
//!
//! let mut whole = start();
//! whole.steps(100)?;
//!
//! let mut first = start();
//! first.steps(60)?;
//! let file = store::to_vec((&first.params, &first.state, &first.masks))?;
//!
//! let mut second = Run { masks: Masks::new(0), ..start() };
//! store::load((&mut second.params, &mut second.state, &mut second.masks), &file)?;
//! second.steps(40)?;
//! assert_eq!(second.params, whole.params); // every bit
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A file that is cut off, damaged, of another optimizer or of another shape is refused, and the values to load into
//! stay as they are. The generator `Xoshiro128PlusPlus` can be saved as well, and so can averages of weights and
//! ensembles.
//!
//! # Where the file goes
//!
//! - With an operating system, [`store::save_file`](crate::store::save_file) replaces a file in one move: a loss of power
//!   during the write leaves the old one. [`store::load_file`](crate::store::load_file) reads it.
//! - In raw flash, the features `journal` and `journal-async` keep the newest complete file.
//!   `journal.save((&params, &state))?` writes one, and `journal.load((&mut params, &mut state))?` reads the newest at
//!   the start. Neither needs a buffer for the file.
//! - To anything else, [`store::save_to`](crate::store::save_to) hands out pieces of at most 256 bytes, and
//!   [`store::load_from`](crate::store::load_from) asks for them.
//! - In memory, [`store::save`](crate::store::save) takes a buffer of
//!   [`store::file_size_of`](crate::store::file_size_of) bytes.
//!
//! `gallery/src/bin/checkpoints.rs` is a whole training loop to copy: a checkpoint after each epoch, early stopping, an
//! average of the last weights and L-BFGS at the end, in two threads, stopped and continued anywhere with the same bits.
//!
//! Save between steps, never inside of one: gradients that have been added up are not part of the state.
//!
//! With the feature `serde`, configurations and states go through its formats as well, except L-BFGS and Newton's method.
//! JSON has neither NaN nor infinity; `store` keeps every bit.
