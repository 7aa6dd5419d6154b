//! Saving and loading of states: a versioned format that refuses damage.
//!
//! After a restart a training run goes on as if there had been none: parameters, optimizer state,
//! generator and step continue with the same bits, on another target too. A file is written to slices
//! or in pieces, so that a microcontroller needs neither a heap nor a file system.
//!
//! ```
//! use gradus::{Adam, AdamState, Optimizer, store};
//!
//! let (adam, grads) = (Adam::new(1e-2), [1.0, -2.0, 0.5]);
//! let (mut params, mut state) = ([0.0; 3], AdamState::new());
//! adam.step(&mut params, &grads, &mut state);
//!
//! let mut buffer = [0; store::file_size_of::<([f32; 3], AdamState<3>)>()];
//! let file = store::save((&params, &state), &mut buffer)?;
//!
//! let (mut params2, mut state2) = ([0.0; 3], AdamState::new());
//! store::load((&mut params2, &mut state2), file)?;
//! adam.step(&mut params, &grads, &mut state);
//! adam.step(&mut params2, &grads, &mut state2);
//! assert_eq!(params, params2);
//! # Ok::<(), store::Error>(())
//! ```
//!
//! | to and from | calls |
//! |---|---|
//! | memory | [`save`], [`load`], [`to_vec`] |
//! | anything, in pieces: a state may be larger than the memory that is free | [`save_to`], [`load_from`], [`Pieces`] |
//! | a file of the operating system, replaced in one move | [`save_file`], [`load_file`] |
//! | streams of `std::io` | [`write`](fn@write), [`read`](fn@read) |
//! | raw flash, safe from power cuts | [`Journal`], [`AsyncJournal`] |
//!
//! These can be saved:
//!
//! - the state of every optimizer, average of weights and batch normalisation, as
//!   [`State`](crate::State), [`StateMut`](crate::StateMut) or `StateVec`, and a [`Clock`](crate::Clock) alone
//! - slices, arrays and vectors of `f32` and `f64`, and a `u32`, such as the position in the data
//! - ensembles; L-BFGS and Newton's method between two evaluations
//! - [`Masks`](crate::noise::Masks), the generator `Xoshiro128PlusPlus`, [`PlateauState`](crate::schedule::PlateauState)
//! - tuples and slices of these
//!
//! Vectors take their length from the file. All other values must have the shape that the file has.
//!
//! With the feature `serde`, configurations and states go through its formats too, except L-BFGS and Newton's method.
//! This module keeps every bit, where JSON has neither NaN nor infinity.
//!
//! # Format 1
//!
//! All numbers are little-endian.
//!
//! | bytes | content |
//! |---|---|
//! | 6 | `gradus` |
//! | 2 | format: 1 |
//! | 8 | length of the whole file in bytes |
//! | ... | the records, one after the other |
//! | 4 | CRC-32 (ISO-HDLC, as in zip) of everything before it |
//!
//! | bytes of a record | content |
//! |---|---|
//! | 16 | name, filled up with zeros: `adam`, `f32`, `xoshiro128++`, ... |
//! | 4 | columns: 2 for `adam`, 1 for a slice |
//! | 8 | elements in a column |
//! | ... | data: a state's `t` and `carry`, then its columns; a slice's elements |
// This room is ground: it knows bytes and the frame of a file. Every other room says how its own values lie in one.

pub(crate) mod bytes;
mod error;
mod file;
#[cfg(feature = "std")]
mod io;
#[cfg(any(feature = "journal", feature = "journal-async", feature = "ffi"))]
pub(crate) mod journal;
mod name;
#[cfg(feature = "serde")]
pub(crate) mod serde_with;
mod value;

pub use error::{Error, StreamError};
#[cfg(feature = "alloc")]
pub use file::to_vec;
pub use file::{Pieces, file_size, file_size_of, load, load_from, save, save_to};
#[cfg(feature = "std")]
pub use io::{load_file, read, save_file, write};
#[cfg(feature = "journal-async")]
pub use journal::AsyncJournal;
#[cfg(feature = "journal")]
pub use journal::Journal;
#[cfg(any(feature = "journal", feature = "journal-async"))]
pub use journal::JournalError;
pub use name::{Family, Name};
pub(crate) use value::plain;
pub use value::{Fixed, Load, Save};

pub(crate) use bytes::{Reader, Writer};
use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// The format that this version writes.
const VERSION: u16 = 1;
const MAGIC: [u8; 6] = *b"gradus";
/// Bytes before and after the records.
const HEADER: usize = 16;
const TRAILER: usize = 4;

/// Bytes of a piece, where a file is read or written in pieces.
pub const PIECE: usize = 256;

/// A table costs flash, a loop over bits costs time: the result is one.
type Bits = Table<{ if cfg!(feature = "std") { 16 } else { 0 } }>;
type Checksum = crc::Digest<'static, u32, Bits>;

static CRC: Crc<u32, Bits> = Crc::<u32, Bits>::new(&CRC_32_ISO_HDLC);
