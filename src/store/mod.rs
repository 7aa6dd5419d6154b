//! Saving and loading of states: a versioned format that refuses damage.
//!
//! A training run goes on after a restart as if there had been none: parameters, optimizer state,
//! generator and step continue with the same bits, on another target too. Bytes come and go
//! through slices, so that a microcontroller needs neither a heap nor a file system.
//!
//! ```
//! use gradus::{Adam, AdamState, Optimizer, store};
//!
//! let (adam, grads) = (Adam::new(1e-2), [1.0, -2.0, 0.5]);
//! let (mut params, mut state) = ([0.0; 3], AdamState::new());
//! adam.step(&mut params, &grads, &mut state);
//!
//! let mut buffer = [0; store::size_of::<([f32; 3], AdamState<3>)>()];
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
//! What can be saved: the state of every optimizer, average of weights and batch normalisation (as
//! [`State`](crate::State), [`StateMut`](crate::StateMut) or `StateVec`), [`Clock`](crate::Clock), slices,
//! arrays and vectors of `f32` and `f64`, ensembles, L-BFGS and Newton's method between two
//! evaluations, [`Masks`](crate::noise::Masks), the generator `Xoshiro128PlusPlus`, `u32` for the position in a
//! schedule, [`PlateauState`](crate::schedule::PlateauState), and tuples and slices of these. Vectors take their length from the file; all else must have
//! the shape that the file has.
//!
//! With the feature `serde`, configurations and states go through any of its formats too, but for
//! L-BFGS and Newton's method. This module keeps every bit; JSON, for one, has neither NaN nor infinity.
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
//! | 12 | name, filled up with zeros: `adam`, `f32`, `xoshiro128++`, ... |
//! | 4 | columns: 2 for `adam`, 1 for a slice |
//! | 8 | elements in a column |
//! | ... | data: a state's `t` and `carry`, then its columns; a slice's elements |

pub(crate) mod bytes;
mod error;
#[cfg(feature = "journal")]
mod journal;
mod record;
#[cfg(feature = "serde")]
mod serde_state;

#[cfg(feature = "alloc")]
use alloc::vec;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
pub use error::{Error, Name};
#[cfg(feature = "journal")]
pub use journal::{Journal, JournalError};
pub use record::{Family, Fixed, Load, Save};
#[cfg(feature = "ffi")]
pub(crate) use record::{check_state, write_state};
#[cfg(feature = "serde")]
pub(crate) use serde_state::{array, unbounded};

pub(crate) use bytes::{Reader, Writer};
use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// The format that this version writes.
const VERSION: u16 = 1;
const MAGIC: [u8; 6] = *b"gradus";
/// Bytes before and after the records.
const HEADER: usize = 16;
const TRAILER: usize = 4;

/// A table costs flash, a loop over bits costs time: the result is one.
type Crc32 = Crc<u32, Table<{ if cfg!(feature = "std") { 16 } else { 0 } }>>;

static CRC: Crc32 = Crc32::new(&CRC_32_ISO_HDLC);

/// Bytes of the largest file that [`save`] makes of a value of this type.
///
/// ```
/// use gradus::{AdamState, store};
/// let mut buffer = [0; store::size_of::<AdamState<64>>()];
/// assert!(store::save(&AdamState::<64>::new(), &mut buffer).is_ok());
/// assert_eq!(store::size_of::<AdamState<64>>(), 2 * 64 * 4 + 8 + 24 + 20);
/// ```
#[must_use]
pub const fn size_of<T: Fixed>() -> usize {
    HEADER + T::SIZE + TRAILER
}

/// Bytes of the file that [`save`] makes of `value`.
#[must_use]
pub fn size(value: impl Save) -> usize {
    let mut counter = Writer::new(&mut []);
    value.write(&mut counter);
    counter.at.saturating_add(HEADER + TRAILER)
}

/// Saves `value` to the start of `buffer`, and returns the file there.
///
/// # Errors
/// [`Error::Length`] if the buffer is shorter than [`size`] asks for, [`Error::Elements`] if the
/// columns of a state differ in length. Nothing was written.
pub fn save(value: impl Save, buffer: &mut [u8]) -> Result<&[u8], Error> {
    let mut counter = Writer::new(&mut []);
    value.write(&mut counter);
    if let Some(error) = counter.error {
        return Err(error);
    }
    let size = counter.at.saturating_add(HEADER + TRAILER);
    let found = buffer.len() as u64;
    let file = buffer.get_mut(..size).ok_or(Error::Length { expected: size as u64, found })?;
    let mut writer = Writer::new(file);
    writer.bytes(&MAGIC);
    writer.bytes(&VERSION.to_le_bytes());
    writer.u64(size as u64);
    value.write(&mut writer);
    writer.u32(CRC.checksum(writer.written()));
    Ok(file)
}

/// Saves `value` to a new vector.
///
/// # Errors
/// [`Error::Elements`] if the columns of a state differ in length.
///
/// ```
/// use gradus::{Adam, StateVec, store};
/// let state = StateVec::<Adam>::new(1000);
/// let file = store::to_vec((&state, 17_u32))?; // and the step, for a schedule
/// let (mut loaded, mut step) = (StateVec::<Adam>::new(0), 0_u32);
/// store::load((&mut loaded, &mut step), &file)?;
/// assert_eq!((loaded, step), (state, 17));
/// # Ok::<(), store::Error>(())
/// ```
#[cfg(feature = "alloc")]
pub fn to_vec(value: impl Save) -> Result<Vec<u8>, Error> {
    let mut file = vec![0; size(&value)];
    save(value, &mut file)?;
    Ok(file)
}

/// Loads `value` from `file`, which must be whole, undamaged and of the same shape.
///
/// # Errors
/// An [`Error`] that says what differs; nothing was changed.
///
/// ```
/// use gradus::{AdaGradState, MomentumState, store};
/// let mut buffer = [0; 256];
/// let file = store::save(&MomentumState::<8>::new(), &mut buffer)?;
/// let refused = store::load(&mut AdaGradState::<8>::new(), file).unwrap_err();
/// assert_eq!(refused.to_string(), "the file holds `momentum`, not `adagrad`");
/// # Ok::<(), store::Error>(())
/// ```
pub fn load(mut value: impl Load, file: &[u8]) -> Result<(), Error> {
    let records = open(file)?;
    let mut reader = Reader::new(records);
    value.check(&mut reader)?;
    let (expected, found) = (reader.at, records.len() as u64);
    if expected != found {
        let frame = (HEADER + TRAILER) as u64;
        return Err(Error::Length { expected: expected.saturating_add(frame), found: found + frame });
    }
    value.read(&mut Reader::new(records));
    Ok(())
}

/// The records of a file that is whole and undamaged.
fn open(file: &[u8]) -> Result<&[u8], Error> {
    let found = file.len() as u64;
    let cut = Error::Length { expected: (HEADER + TRAILER) as u64, found };
    let mut reader = Reader::new(file);
    let (magic, version, expected) = (reader.bytes(), reader.bytes(), reader.u64());
    if found < HEADER as u64 {
        return Err(cut);
    }
    if magic != MAGIC {
        return Err(Error::Foreign);
    }
    match u16::from_le_bytes(version) {
        VERSION => {}
        found => return Err(Error::Version { found }),
    }
    if expected != found {
        return Err(Error::Length { expected, found });
    }
    let (body, crc) = file.split_last_chunk().ok_or(cut)?;
    if CRC.checksum(body) != u32::from_le_bytes(*crc) {
        return Err(Error::Checksum);
    }
    body.get(HEADER..).ok_or(cut)
}
