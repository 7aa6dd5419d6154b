//! Two slots in flash, of which one is whole whenever the power fails.

#[cfg(feature = "journal-async")]
mod asynchronous;
#[cfg(any(feature = "journal", feature = "ffi"))]
pub(crate) mod blocking;
pub(crate) mod slots;

#[cfg(feature = "journal-async")]
pub use asynchronous::AsyncJournal;

use super::Error;
#[cfg(feature = "journal")]
use super::{Load, Save};
use core::fmt;
#[cfg(feature = "journal")]
use core::ops::Range;
#[cfg(feature = "journal")]
use embedded_storage::nor_flash::NorFlash;
#[cfg(feature = "journal")]
use slots::{Geometry, Slots};

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
/// use gradus::{AdamState, store::{Journal, JournalError}};
///
/// let mut state = AdamState::<64>::new();
/// // At every start; flash is any `NorFlash`.
/// let mut journal = Journal::open(&mut flash, 0..2048)?;
/// let resumed = journal.load(&mut state)?;
/// // Whenever the run should survive from here on.
/// journal.save(&state)?;
/// # assert!(!resumed && journal.load(&mut state)?);
/// # Ok::<(), JournalError<NorFlashErrorKind>>(())
/// ```
///
/// Files go through a buffer of [`PIECE`](super::PIECE) bytes on the stack, so that a state may be larger than the
/// memory that is free.
///
/// A write erases the slot of the older file, writes the data, and last its header. A cut before the
/// last word leaves a slot whose checksum is wrong or that cannot be read, and the newer file in the
/// other slot. Nothing is asked of a torn write or erase but that it stays within its slot, and
/// afterwards reads the same each time, or fails to be read, as it does where the flash has a code
/// for errors (ECC), until it is erased. Words of the flash have at most 256 bytes, and blocks that are erased are whole
/// words: of another flash this does not compile.
///
/// A journal goes by what it found when it was opened. Where a read finds that the newest file has changed, open the
/// journal again before the next save, which would else erase the older file: it may be the last one that is whole.
///
/// A slot is a header, filled up to a whole word of the flash, and the data:
///
/// | bytes | content, little-endian |
/// |---|---|
/// | 4 | `gjrn` |
/// | 4 | sequence number: one more than the other slot's, 0 after 2^32 - 1 |
/// | 4 | bytes of data |
/// | 4 | CRC-32C (iSCSI) of sequence number, number of bytes, and data |
#[cfg(feature = "journal")]
#[derive(Debug)]
pub struct Journal<F> {
    flash: F,
    slots: Slots,
}

/// Why the journal refused, or what the flash said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(unreachable_pub, reason = "the C interface alone shows its codes instead")]
#[non_exhaustive]
pub enum JournalError<E> {
    /// The flash's own error.
    Flash(E),
    /// The region is not two slots of whole erase blocks within the flash.
    Region,
    /// The file is longer than a slot, or the buffer shorter than the file.
    Length {
        /// Bytes that are needed.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// The flash does not hold what was written to it: it is worn out, or something else writes there.
    Damaged,
    /// The file was refused, or the value cannot be saved. The value was not touched.
    File(Error),
    /// The file was found good, but the flash failed or gave other bytes when it was read for the second time: the
    /// value holds a part of it, and must be loaded anew or reset.
    Torn,
}

impl<E: fmt::Debug> fmt::Display for JournalError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => write!(f, "flash: {error:?}"),
            Self::Region => f.write_str("the region is not two slots of whole erase blocks"),
            Self::Length { expected, found } => write!(f, "{found} bytes where {expected} are needed"),
            Self::Damaged => f.write_str("the flash does not hold what was written to it"),
            Self::File(error) => error.fmt(f),
            Self::Torn => f.write_str("the file changed while it was read: the value holds a part of it"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for JournalError<E> {}

impl<E> From<E> for JournalError<E> {
    fn from(error: E) -> Self {
        Self::Flash(error)
    }
}

#[cfg(feature = "journal")]
impl<F: NorFlash> Journal<F> {
    const WORDS: () = {
        let geometry =
            Geometry { read: F::READ_SIZE, write: F::WRITE_SIZE, erase: F::ERASE_SIZE, capacity: 0 };
        assert!(
            geometry.words(),
            "words of the flash are powers of two, at most 256 bytes, and fill its blocks"
        );
    };

    /// Finds the newest file in `region`, the addresses of both slots together.
    ///
    /// # Errors
    /// [`JournalError::Region`] if its halves are not whole erase blocks within the flash;
    /// [`JournalError::Flash`] if neither can be read, which no cut does. One alone is the next
    /// to be written: what it held is given up. Where a bus may fail for a moment, let the flash try again by itself.
    pub fn open(mut flash: F, region: Range<u32>) -> Result<Self, JournalError<F::Error>> {
        let () = Self::WORDS;
        let slots = blocking::open(&mut flash, region)?;
        Ok(Self { flash, slots })
    }

    /// Bytes of the longest file that fits into a slot.
    pub fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// The addresses of the newest complete file, for a flash that can be read as memory; `None` if there is no file yet.
    pub fn newest(&self) -> Option<Range<u32>> {
        self.slots.range()
    }

    /// Saves `value`: its file goes to the slot of the older one, piece by piece.
    ///
    /// If it fails, this journal goes on with the file that was the newest before, and the next call takes the same
    /// slot. After a restart the newest is that file, or the new one if all of it had arrived, as after an error in the
    /// last reading: it is whole in either case.
    ///
    /// # Errors
    /// [`JournalError::Length`] if the file is longer than [`capacity`](Self::capacity), [`JournalError::File`] if the
    /// columns of a state differ in length: nothing was erased. [`JournalError::Damaged`] if the flash does not hold the
    /// file afterwards.
    pub fn save(&mut self, value: impl Save) -> Result<(), JournalError<F::Error>> {
        blocking::save(&mut self.flash, &mut self.slots, value)
    }

    /// Loads `value` from the newest complete file, piece by piece; `false` if there is no file yet.
    ///
    /// # Errors
    /// Those of [`load_from`](super::load_from), as [`JournalError::File`], [`JournalError::Flash`] and
    /// [`JournalError::Torn`].
    pub fn load(&mut self, value: impl Load) -> Result<bool, JournalError<F::Error>> {
        blocking::load(&mut self.flash, &self.slots, value)
    }

    /// Reads the newest complete file to the start of `buffer`; `None` if there is no file yet.
    ///
    /// # Errors
    /// [`JournalError::Length`] if the buffer is too short, [`JournalError::Damaged`] if the file has changed.
    pub fn read<'b>(&mut self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, JournalError<F::Error>> {
        blocking::read(&mut self.flash, &self.slots, buffer)
    }

    /// Writes `file`, any bytes, to the slot of the older one. If it fails: see [`save`](Self::save).
    ///
    /// # Errors
    /// [`JournalError::Length`] if the file is longer than [`capacity`](Self::capacity);
    /// [`JournalError::Damaged`] if the flash does not hold it afterwards.
    pub fn write(&mut self, file: &[u8]) -> Result<(), JournalError<F::Error>> {
        blocking::write(&mut self.flash, &mut self.slots, file)
    }

    /// The flash.
    pub fn into_inner(self) -> F {
        self.flash
    }
}
