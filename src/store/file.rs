//! The frame of a file around its records: written and read at once, or in pieces.

use super::bytes::{Reader, Source, Writer, room, source};
use super::{CRC, Checksum, Error, Fixed, HEADER, Load, MAGIC, PIECE, Save, StreamError, TRAILER, VERSION};
#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};
use core::fmt;

/// Bytes of the largest file that [`save`] makes of a value of this type.
///
/// ```
/// use gradus::{AdamState, store};
/// let mut buffer = [0; store::file_size_of::<AdamState<64>>()];
/// assert!(store::save(&AdamState::<64>::new(), &mut buffer).is_ok());
/// assert_eq!(store::file_size_of::<AdamState<64>>(), 2 * 64 * 4 + 8 + 28 + 20);
/// ```
#[must_use]
pub const fn file_size_of<T: Fixed>() -> usize {
    HEADER + T::SIZE + TRAILER
}

/// Bytes of the file that [`save`] makes of `value`; `usize::MAX` if there are more.
#[must_use]
pub fn file_size(value: impl Save) -> usize {
    let mut counter = Writer::counter();
    value.write(&mut counter);
    usize::try_from(counter.at.saturating_add(FRAME as u64)).unwrap_or(usize::MAX)
}

/// Bytes of a file around its records.
const FRAME: usize = HEADER + TRAILER;

/// The file of a value, to be taken in pieces of any size: for memory, flash or a line that is written by other means
/// than those of this module.
///
/// ```
/// use gradus::{AdamState, store};
/// let (state, step) = (AdamState::<64>::new(), 7_u32);
/// let mut pieces = store::Pieces::new((&state, step))?;
/// let (mut piece, mut file) = ([0; 100], Vec::<u8>::new());
/// loop {
///     let n = pieces.take(&mut piece);
///     if n == 0 {
///         break;
///     }
///     file.extend(&piece[..n]); // or send it, and wait
/// }
/// assert_eq!(file, store::to_vec((&state, step))?);
/// # Ok::<(), store::Error>(())
/// ```
#[derive(Clone)]
pub struct Pieces<S> {
    value: S,
    size: usize,
    at: usize,
    digest: Checksum,
}

impl<S: fmt::Debug> fmt::Debug for Pieces<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces")
            .field("value", &self.value)
            .field("size", &self.size)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl<S: Save> Pieces<S> {
    /// The file of `value`, from its first byte on.
    ///
    /// # Errors
    /// [`Error::Elements`] if the columns of a state differ in length, [`Error::Length`] if a file of lists that refer
    /// to the same memory is longer than memory can be.
    pub fn new(value: S) -> Result<Self, Error> {
        Self::within(value, usize::MAX as u64)
    }

    /// The file of `value`, if it has no more than `most` bytes: as many as positions in it can count.
    fn within(value: S, most: u64) -> Result<Self, Error> {
        let mut counter = Writer::counter();
        value.write(&mut counter);
        if let Some(error) = counter.error {
            return Err(error);
        }
        let size = room(counter.at.saturating_add(FRAME as u64), 1, most)? as usize;
        Ok(Self { value, size, at: 0, digest: CRC.digest() })
    }

    /// Bytes of the whole file.
    #[must_use]
    pub fn file_size(&self) -> u64 {
        self.size as u64
    }

    /// Fills `piece` with the next bytes of the file, and returns how many they are: fewer at the end, at last 0.
    pub fn take(&mut self, piece: &mut [u8]) -> usize {
        let n = (self.size - self.at).min(piece.len());
        let window = piece.get_mut(..n).unwrap_or_default();
        let mut writer = Writer::new(&mut *window, self.at);
        writer.bytes(&MAGIC);
        writer.bytes(&VERSION.to_le_bytes());
        writer.u64(self.size as u64);
        self.value.write(&mut writer);
        let written = n - writer.room();
        let (body, trailer) = window.split_at_mut_checked(written).unwrap_or_default();
        self.digest.update(body);
        // What is left of the window belongs to the checksum, which may have begun in the one before.
        let begun = self.at.saturating_sub(self.size - TRAILER);
        Writer::new(trailer, begun).u32(self.digest.clone().finalize());
        self.at += n;
        n
    }
}

/// Saves `value` to the start of `buffer`, and returns the file there.
///
/// # Errors
/// [`Error::Length`] if the buffer is shorter than [`file_size`] asks for, [`Error::Elements`] if the
/// columns of a state differ in length. Nothing was written.
#[doc(alias = "checkpoint")]
#[doc(alias = "serialize")]
pub fn save(value: impl Save, buffer: &mut [u8]) -> Result<&[u8], Error> {
    let mut pieces = Pieces::new(value)?;
    let (expected, found) = (pieces.size as u64, buffer.len() as u64);
    let file = buffer.get_mut(..pieces.size).ok_or(Error::Length { expected, found })?;
    pieces.take(file);
    Ok(file)
}

/// Saves `value` to a new vector.
///
/// # Errors
/// Those of [`Pieces::new`].
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
    let mut pieces = Pieces::within(value, super::bytes::LARGEST)?;
    let mut file = vec![0; pieces.size];
    pieces.take(&mut file);
    Ok(file)
}

/// Saves `value` by handing its file to `sink` in pieces of [`PIECE`] bytes, of which the last may be shorter. Returns
/// the bytes of the file.
///
/// No memory holds the whole file: a state may be larger than what is free. Each piece asks all values anew, which for
/// thousands of them takes longer than the bytes: larger pieces are [`Pieces`]'s, or `write`'s.
///
/// # Errors
/// [`StreamError::File`] if the value cannot be saved, before the first piece; [`StreamError::Stream`] if the sink
/// fails, which is not called again.
///
/// ```
/// use gradus::{AdamState, store};
/// let mut file = Vec::new();
/// store::save_to(&AdamState::<64>::new(), |piece| {
///     file.extend_from_slice(piece); // or write it to flash, or send it
///     Ok::<_, ()>(())
/// }).unwrap();
///
/// let mut state = AdamState::<64>::new();
/// let source = |at: u64, piece: &mut [u8]| {
///     piece.copy_from_slice(&file[at as usize..][..piece.len()]); // or read it from flash
///     Ok::<_, ()>(())
/// };
/// store::load_from(&mut state, file.len() as u64, source).unwrap();
/// ```
pub fn save_to<E>(
    value: impl Save,
    mut sink: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<u64, StreamError<E>> {
    let mut pieces = Pieces::new(value)?;
    let mut buffer = [0; PIECE];
    loop {
        match pieces.take(&mut buffer) {
            0 => return Ok(pieces.size as u64),
            n => sink(buffer.get(..n).unwrap_or_default()).map_err(StreamError::Stream)?,
        }
    }
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
#[doc(alias = "checkpoint")]
#[doc(alias = "resume")]
#[doc(alias = "fine-tuning")]
#[doc(alias = "warm start")]
pub fn load(mut value: impl Load, file: &[u8]) -> Result<(), Error> {
    match load_twice(&mut value, file.len() as u64, &mut source(file)) {
        Ok(()) => Ok(()),
        Err(StreamError::File(error)) => Err(error),
        Err(_) => Err(Error::Checksum), // unreachable: memory gives the same bytes twice, and all of them
    }
}

/// Loads `value` from a file of `size` bytes that `source` reads: it fills a slice from a byte of the file on.
///
/// The file is read twice, from its beginning to its end: the first time to compare its checksum and its shape, the
/// second time into the value. No memory holds it. A slice begins at a multiple of [`PIECE`], and has as many bytes or
/// ends with the file.
///
/// What can be read only once, such as a serial line, must be collected first: in memory, in flash, or in a second
/// value that replaces this one when all has come.
///
/// # Errors
/// [`StreamError::File`] says what differs, [`StreamError::Stream`] that the source failed: nothing was changed.
/// [`StreamError::Torn`] if it was good the first time and not the second: the value holds a part of the file.
pub fn load_from<E>(
    mut value: impl Load,
    size: u64,
    mut source: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
) -> Result<(), StreamError<E>> {
    let mut failure = None;
    let mut source =
        |at: u64, piece: &mut [u8]| source(at, piece).map_err(|error| failure = Some(error)).is_ok();
    let loaded = load_twice(&mut value, size, &mut source);
    loaded.map_err(|error| match (error, failure) {
        (StreamError::File(error), _) => StreamError::File(error),
        (StreamError::Stream(()), Some(error)) => StreamError::Stream(error),
        _ => StreamError::Torn,
    })
}

/// Reads a file twice: the first time nothing is changed, the second time nothing is refused.
fn load_twice(value: &mut dyn Load, size: u64, source: &mut Source<'_>) -> Result<(), StreamError<()>> {
    let mut reader = Reader::new(source, size);
    let frame = open(&mut reader, size);
    // The checksum has the first word: what a damaged file seems to hold does not matter.
    let shape = frame.and_then(|()| value.check(&mut reader));
    if reader.failed {
        return Err(StreamError::Stream(()));
    }
    frame?;
    let asked = reader.at.saturating_add(FRAME as u64);
    let sum = reader.close();
    if reader.failed {
        return Err(StreamError::Stream(()));
    }
    let sum = sum.ok_or(Error::Checksum)?;
    shape?;
    if asked != size {
        return Err(Error::Length { expected: asked, found: size }.into());
    }
    let mut reader = Reader::new(source, size);
    let again = open(&mut reader, size);
    if again.is_ok() {
        value.read(&mut reader);
    }
    if again.is_err() || reader.close() != Some(sum) || reader.failed {
        Err(StreamError::Torn)
    } else {
        Ok(())
    }
}

/// Passes over the header, if the file has one that this version reads, and is as long as it says.
fn open(reader: &mut Reader<'_>, found: u64) -> Result<(), Error> {
    let cut = Error::Length { expected: FRAME as u64, found };
    let (magic, version, expected) = (reader.bytes(), reader.bytes(), reader.u64());
    reader.at = 0; // counts the records
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
    if found < FRAME as u64 { Err(cut) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quarter of a million references to 16 KiB are a file of more than 4 GiB: its length was 2^32 - 1 where `usize` has 32 bits.
    #[test]
    fn a_file_that_is_longer_than_its_positions_is_refused() {
        let (column, most) = ([0.5_f32; 1 << 12], u64::from(u32::MAX));
        let mut list = std::vec![&column; 1 << 18];
        let expected = (FRAME as u64) + (1 << 18) * (28 + (1 << 14));
        let refused = Pieces::within(list.as_slice(), most).map(|pieces| pieces.size);
        assert_eq!(refused, Err(Error::Length { expected, found: most }));
        let exact = Pieces::within(list.as_slice(), expected).map(|pieces| pieces.file_size());
        assert_eq!(exact, Ok(expected));
        list.truncate(1 << 17);
        assert!(Pieces::within(list.as_slice(), most).is_ok());
        #[cfg(target_pointer_width = "32")]
        {
            list.resize(1 << 18, &column);
            assert_eq!(file_size(list.as_slice()), usize::MAX);
            assert!(Pieces::new(list.as_slice()).is_err());
        }
    }
}
