//! Two slots in flash, of which one is whole whenever the power fails.

use super::bytes::{Reader, Writer};
use core::fmt;
use core::ops::Range;
use crc::{CRC_32_ISCSI, Crc, Digest, Table};
use embedded_storage::nor_flash::NorFlash;

/// The newest complete file in flash, whatever was cut off: feature `journal`.
///
/// ```
/// # use embedded_storage::nor_flash::*;
/// # struct Flash([u8; 2048]);
/// # impl ErrorType for Flash { type Error = NorFlashErrorKind; }
/// # impl ReadNorFlash for Flash {
/// #     const READ_SIZE: usize = 1;
/// #     fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
/// #         bytes.copy_from_slice(&self.0[at as usize..][..bytes.len()]);
/// #         Ok(())
/// #     }
/// #     fn capacity(&self) -> usize { self.0.len() }
/// # }
/// # impl NorFlash for Flash {
/// #     const WRITE_SIZE: usize = 4;
/// #     const ERASE_SIZE: usize = 512;
/// #     fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
/// #         self.0[from as usize..to as usize].fill(0xff);
/// #         Ok(())
/// #     }
/// #     fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
/// #         self.0[at as usize..][..bytes.len()].copy_from_slice(bytes);
/// #         Ok(())
/// #     }
/// # }
/// # let mut flash = Flash([0; 2048]);
/// use gradus::{AdamState, store::{self, Journal}};
///
/// let mut buffer = [0; store::size_of::<AdamState<64>>()];
/// let mut state = AdamState::<64>::new();
/// // At every start; flash is any `NorFlash`.
/// let mut journal = Journal::open(&mut flash, 0..2048).unwrap();
/// if let Some(file) = journal.read(&mut buffer).unwrap() {
///     store::load(&mut state, file)?;
/// }
/// // Whenever the run should survive from here on.
/// let file = store::save(&state, &mut buffer)?;
/// journal.write(file).unwrap();
/// # Ok::<(), store::Error>(())
/// ```
///
/// A write erases the slot of the older file, writes the data, and last its header. A cut before the
/// last word leaves a slot whose checksum is wrong or that cannot be read, and the newer file in the
/// other slot. Nothing is asked of a torn write or erase but that it stays within its slot, and
/// afterwards reads the same each time, or fails to be read, as it does where the flash has a code
/// for errors (ECC), until it is erased. Words of the flash have at most 256 bytes.
///
/// A slot is a header, filled up to a whole word of the flash, and the data:
///
/// | bytes | content, little-endian |
/// |---|---|
/// | 4 | `gjrn` |
/// | 4 | sequence number: one more than the other slot's, 0 after 2^32 - 1 |
/// | 4 | bytes of data |
/// | 4 | CRC-32C (iSCSI) of sequence number, number of bytes, and data |
#[derive(Debug)]
pub struct Journal<F> {
    flash: F,
    start: u32,
    slot: u32,
    newest: Option<Entry>,
    /// The slot that the next write erases.
    next: u32,
}

/// A whole file in one of the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    start: u32,
    sequence: u32,
    length: u32,
}

/// Why the journal refused, or what the flash said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum JournalError<E> {
    /// The flash's own error.
    Flash(E),
    /// The region is not two slots of whole erase blocks within the flash.
    Region,
    /// The data is longer than a slot, or the buffer shorter than the data.
    Length {
        /// Bytes that are needed.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// The flash does not hold what was written to it: it is worn out, or something else writes there.
    Damaged,
}

impl<E: fmt::Debug> fmt::Display for JournalError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => write!(f, "flash: {error:?}"),
            Self::Region => f.write_str("the region is not two slots of whole erase blocks"),
            Self::Length { expected, found } => write!(f, "{found} bytes where {expected} are needed"),
            Self::Damaged => f.write_str("the flash does not hold what was written to it"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for JournalError<E> {}

impl<E> From<E> for JournalError<E> {
    fn from(error: E) -> Self {
        Self::Flash(error)
    }
}

/// A table where there is room: the checksum is one.
type SmallTable = Table<{ if cfg!(feature = "std") { 1 } else { 0 } }>;

const MAGIC: [u8; 4] = *b"gjrn";

/// Bytes that are read or written at a time, on the stack.
const CHUNK: usize = 256;

/// Not the polynomial of the files: the checksum of data that ends with a checksum of the same
/// polynomial does not depend on the data.
type Crc32c = Crc<u32, SmallTable>;

static CRC: Crc32c = Crc32c::new(&CRC_32_ISCSI);

impl<F: NorFlash> Journal<F> {
    /// Bytes of the header.
    const HEADER: u32 = {
        let words = CHUNK.is_multiple_of(F::READ_SIZE) && CHUNK.is_multiple_of(F::WRITE_SIZE);
        assert!(words, "the words of the flash are powers of two of at most 256 bytes");
        let word = if F::READ_SIZE < F::WRITE_SIZE { F::WRITE_SIZE } else { F::READ_SIZE };
        if word < 16 { 16 } else { word as u32 }
    };

    /// Finds the newest file in `region`, the addresses of both slots together.
    ///
    /// # Errors
    /// [`JournalError::Region`] if its halves are not whole erase blocks within the flash;
    /// [`JournalError::Flash`] if neither can be read, which no cut does. One alone is the next
    /// to be written: what it held is given up. Where a bus may fail for a moment, let the flash try again by itself.
    pub fn open(flash: F, region: Range<u32>) -> Result<Self, JournalError<F::Error>> {
        let Range { start, end } = region;
        let slot = end.saturating_sub(start) / 2;
        let blocks = |at: u32| (at as usize).is_multiple_of(F::ERASE_SIZE);
        let halves = blocks(start) && blocks(slot) && slot > Self::HEADER && end - start == 2 * slot;
        if !halves || end as usize > flash.capacity() {
            return Err(JournalError::Region);
        }
        let second = start + slot;
        let mut journal = Self { flash, start, slot, newest: None, next: start };
        (journal.newest, journal.next) = match (journal.scan(start, &mut []), journal.scan(second, &mut [])) {
            (Err(error), Err(_)) => return Err(error.into()),
            // Written first: were it to read well one day, its file would be the newest.
            (Err(_), Ok(newest)) => (newest, start),
            (Ok(newest), Err(_)) => (newest, second),
            // Numbers in two slots are neighbours, so that their order survives the wrap.
            (Ok(Some(a)), Ok(Some(b))) if b.sequence.wrapping_sub(a.sequence) as i32 > 0 => (Some(b), start),
            (Ok(Some(a)), Ok(_)) => (Some(a), second),
            (Ok(None), Ok(newest)) => (newest, start),
        };
        Ok(journal)
    }

    /// Bytes that fit into a slot.
    pub fn capacity(&self) -> usize {
        (self.slot - Self::HEADER) as usize
    }

    /// Reads the newest complete file to the start of `buffer`; none if there never was one.
    ///
    /// # Errors
    /// [`JournalError::Length`] if the buffer is too short.
    pub fn read<'b>(&mut self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, JournalError<F::Error>> {
        let Some(newest) = self.newest else { return Ok(None) };
        let (expected, found) = (newest.length as usize, buffer.len());
        let file = buffer.get_mut(..expected).ok_or(JournalError::Length { expected, found })?;
        match self.scan(newest.start, file)? {
            Some(entry) if entry == newest => Ok(Some(file)),
            _ => Err(JournalError::Damaged),
        }
    }

    /// Writes `file` to the slot of the older one. If it fails, the newest is what it was.
    ///
    /// # Errors
    /// [`JournalError::Length`] if the file is longer than [`capacity`](Self::capacity);
    /// [`JournalError::Damaged`] if the flash does not hold it afterwards.
    pub fn write(&mut self, file: &[u8]) -> Result<(), JournalError<F::Error>> {
        let (expected, found) = (file.len(), self.capacity());
        if expected > found {
            return Err(JournalError::Length { expected, found });
        }
        let entry = Entry {
            start: self.next,
            sequence: self.newest.map_or(0, |newest| newest.sequence.wrapping_add(1)),
            length: file.len() as u32,
        };
        self.flash.erase(entry.start, entry.start + self.slot)?;
        let mut digest = entry.digest();
        digest.update(file);
        self.put(entry.start + Self::HEADER, file)?;
        let crc = digest.finalize();
        self.put(entry.start, &entry.header(crc))?;
        if self.scan(entry.start, &mut [])? != Some(entry) {
            return Err(JournalError::Damaged);
        }
        self.newest = Some(entry);
        self.next = if entry.start == self.start { self.start + self.slot } else { self.start };
        Ok(())
    }

    /// The flash.
    pub fn into_inner(self) -> F {
        self.flash
    }

    /// Writes `bytes`, filled up to whole words.
    fn put(&mut self, mut at: u32, bytes: &[u8]) -> Result<(), F::Error> {
        for piece in bytes.chunks(CHUNK) {
            let mut chunk = [0xff; CHUNK];
            for (to, from) in chunk.iter_mut().zip(piece) {
                *to = *from;
            }
            let whole = piece.len().next_multiple_of(F::WRITE_SIZE);
            self.flash.write(at, chunk.get(..whole).unwrap_or(&chunk))?;
            at = at.wrapping_add(CHUNK as u32);
        }
        Ok(())
    }

    /// The file in the slot at `start`, if it is whole; as much of its data as fits goes to `out`.
    fn scan(&mut self, start: u32, out: &mut [u8]) -> Result<Option<Entry>, F::Error> {
        let mut chunk = [0; CHUNK];
        let header = chunk.get_mut(..Self::HEADER as usize).unwrap_or_default();
        self.flash.read(start, header)?;
        let mut reader = Reader::new(header);
        let magic: [u8; 4] = reader.bytes();
        let entry = Entry { start, sequence: reader.u32(), length: reader.u32() };
        let crc = reader.u32();
        if magic != MAGIC || entry.length > self.slot - Self::HEADER {
            return Ok(None);
        }
        let mut digest = entry.digest();
        let mut at = start + Self::HEADER;
        let mut left = entry.length as usize;
        let mut out = out.chunks_mut(CHUNK);
        while left > 0 {
            let n = left.min(CHUNK);
            let words = chunk.get_mut(..n.next_multiple_of(F::READ_SIZE)).unwrap_or_default();
            self.flash.read(at, words)?;
            let data = words.get(..n).unwrap_or_default();
            digest.update(data);
            for (to, from) in out.next().unwrap_or_default().iter_mut().zip(data) {
                *to = *from;
            }
            left -= n;
            at = at.wrapping_add(CHUNK as u32);
        }
        Ok((digest.finalize() == crc).then_some(entry))
    }
}

impl Entry {
    /// The checksum so far: what the header says.
    fn digest(&self) -> Digest<'static, u32, SmallTable> {
        let mut digest = CRC.digest();
        digest.update(&self.sequence.to_le_bytes());
        digest.update(&self.length.to_le_bytes());
        digest
    }

    fn header(&self, crc: u32) -> [u8; 16] {
        let mut header = [0; 16];
        let mut writer = Writer::new(&mut header);
        writer.bytes(&MAGIC);
        writer.u32(self.sequence);
        writer.u32(self.length);
        writer.u32(crc);
        header
    }
}
