//! The journal over a flash whose calls are awaited: embassy, softdevices, flash behind a bus.

use super::JournalError;
use super::slots::{CHUNK, Entry, Geometry, Scan, Slots, copy, pieces};
use crate::store::{Load, Pieces, Save, load};
use core::ops::Range;
use embedded_storage_async::nor_flash::NorFlash;

/// [`Journal`](super::Journal) over the trait of `embedded-storage-async`: feature `journal-async`.
///
/// Slots and files are those of the other, byte by byte: either reads what the other has written. Saving needs no buffer;
/// loading needs one for the whole file, unless the flash can be read as memory.
///
/// ```
/// # use embedded_storage_async::nor_flash::*;
/// # struct Flash([u8; 2048]);
/// # impl ErrorType for Flash { type Error = NorFlashErrorKind; }
/// # impl ReadNorFlash for Flash {
/// #     const READ_SIZE: usize = 1;
/// #     async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
/// #         bytes.copy_from_slice(&self.0[at as usize..][..bytes.len()]);
/// #         Ok(())
/// #     }
/// #     fn capacity(&self) -> usize { self.0.len() }
/// # }
/// # impl NorFlash for Flash {
/// #     const WRITE_SIZE: usize = 4;
/// #     const ERASE_SIZE: usize = 512;
/// #     async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
/// #         self.0[from as usize..to as usize].fill(0xff);
/// #         Ok(())
/// #     }
/// #     async fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
/// #         self.0[at as usize..][..bytes.len()].copy_from_slice(bytes);
/// #         Ok(())
/// #     }
/// # }
/// use gradus::AdamState;
/// use gradus::store::{self, AsyncJournal, JournalError};
///
/// async fn train(flash: impl NorFlash<Error = NorFlashErrorKind>) -> Result<(), JournalError<NorFlashErrorKind>> {
///     let mut buffer = [0; store::file_size_of::<AdamState<64>>()];
///     let mut state = AdamState::<64>::new();
///     let mut journal = AsyncJournal::open(flash, 0..2048).await?; // at every start
///     journal.load(&mut state, &mut buffer).await?;
///     journal.save(&state).await?; // whenever the run should survive from here on
///     Ok(())
/// }
/// # let future = std::pin::pin!(train(Flash([0; 2048])));
/// # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// # assert_eq!(future.poll(&mut context), std::task::Poll::Ready(Ok(())));
/// ```
///
/// Where a read finds that the newest file has changed, open the journal again before the next save, which would else
/// erase the older file: it may be the last one that is whole.
///
/// A future that is dropped before its end has the effect of a power cut: the file that was the newest is still there.
#[derive(Debug)]
pub struct AsyncJournal<F> {
    flash: F,
    slots: Slots,
}

impl<F: NorFlash> AsyncJournal<F> {
    const WORDS: () = {
        let geometry =
            Geometry { read: F::READ_SIZE, write: F::WRITE_SIZE, erase: F::ERASE_SIZE, capacity: 0 };
        assert!(
            geometry.words(),
            "words of the flash are powers of two, at most 256 bytes, and fill its blocks"
        );
    };

    fn geometry(&self) -> Geometry {
        let capacity = self.flash.capacity();
        Geometry { read: F::READ_SIZE, write: F::WRITE_SIZE, erase: F::ERASE_SIZE, capacity }
    }

    /// Finds the newest file in `region`, the addresses of both slots together.
    ///
    /// # Errors
    /// Those of `Journal::open`.
    pub async fn open(flash: F, region: Range<u32>) -> Result<Self, JournalError<F::Error>> {
        let () = Self::WORDS;
        let capacity = flash.capacity();
        let geometry = Geometry { read: F::READ_SIZE, write: F::WRITE_SIZE, erase: F::ERASE_SIZE, capacity };
        let slots = Slots::new(region, geometry).ok_or(JournalError::Region)?;
        let mut journal = Self { flash, slots };
        let [first, second] = slots.starts();
        let found = [journal.scan(first, &mut []).await, journal.scan(second, &mut []).await];
        journal.slots.choose(found)?;
        Ok(journal)
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
    /// If it fails or is dropped, this journal goes on with the file that was the newest before, and the next call takes
    /// the same slot. After a restart the newest is that file, or the new one if all of it had arrived.
    ///
    /// # Errors
    /// Those of `Journal::save`.
    pub async fn save(&mut self, value: impl Save) -> Result<(), JournalError<F::Error>> {
        let mut pieces = Pieces::new(value).map_err(JournalError::File)?;
        self.put(pieces.file_size(), |piece| pieces.take(piece)).await
    }

    /// Loads `value` from the newest complete file through `buffer`, which must hold all of it; `false` if there never
    /// was one.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), and [`JournalError::File`]: the value was not touched.
    pub async fn load(
        &mut self,
        value: impl Load,
        buffer: &mut [u8],
    ) -> Result<bool, JournalError<F::Error>> {
        match self.read(buffer).await? {
            Some(file) => load(value, file).map(|()| true).map_err(JournalError::File),
            None => Ok(false),
        }
    }

    /// Reads the newest complete file to the start of `buffer`; `None` if there is no file yet.
    ///
    /// # Errors
    /// [`JournalError::Length`] if the buffer is too short, [`JournalError::Damaged`] if the file has changed.
    pub async fn read<'b>(
        &mut self,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, JournalError<F::Error>> {
        let Some(newest) = self.slots.newest else { return Ok(None) };
        let (expected, found) = (newest.length as usize, buffer.len());
        let file = buffer.get_mut(..expected).ok_or(JournalError::Length { expected, found })?;
        match self.scan(newest.start, file).await? {
            Some(entry) if entry == newest => Ok(Some(file)),
            _ => Err(JournalError::Damaged),
        }
    }

    /// Writes `file`, any bytes, to the slot of the older one. If it fails: see [`save`](Self::save).
    ///
    /// # Errors
    /// [`JournalError::Length`] if the file is longer than [`capacity`](Self::capacity);
    /// [`JournalError::Damaged`] if the flash does not hold it afterwards.
    pub async fn write(&mut self, file: &[u8]) -> Result<(), JournalError<F::Error>> {
        self.put(file.len() as u64, pieces(file)).await
    }

    /// The flash.
    pub fn into_inner(self) -> F {
        self.flash
    }

    /// The file in the slot at `start`, if it is whole; as much of its data as fits goes to `out`.
    async fn scan(&mut self, start: u32, out: &mut [u8]) -> Result<Option<Entry>, F::Error> {
        let geometry = self.geometry();
        let mut chunk = [0; CHUNK];
        let header = chunk.get_mut(..self.slots.header()).unwrap_or_default();
        self.flash.read(start, header).await?;
        let Some(mut scan) = Scan::new(&self.slots, start, header) else { return Ok(None) };
        let mut out = out.chunks_mut(CHUNK);
        while let Some((at, n)) = scan.next() {
            let words = chunk.get_mut(..geometry.to_read(n)).unwrap_or_default();
            self.flash.read(at, words).await?;
            let data = words.get(..n).unwrap_or_default();
            scan.take(data);
            copy(out.next().unwrap_or_default(), data);
        }
        Ok(scan.entry())
    }

    /// Writes `length` bytes that `take` hands out: erases a slot, then the data, last the header.
    async fn put(
        &mut self,
        length: u64,
        mut take: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<(), JournalError<F::Error>> {
        let entry = self.slots.entry(length)?;
        let geometry = self.geometry();
        let Range { start, end } = self.slots.slot(entry.start);
        self.flash.erase(start, end).await?;
        let (mut digest, mut at) = (entry.digest(), self.slots.data(start));
        let mut chunk = [0; CHUNK];
        loop {
            chunk.fill(0xff);
            let n = take(&mut chunk);
            if n == 0 {
                break;
            }
            digest.update(chunk.get(..n).unwrap_or_default());
            self.flash.write(at, chunk.get(..geometry.to_write(n)).unwrap_or_default()).await?;
            at = at.wrapping_add(CHUNK as u32);
        }
        entry.header(digest, &mut chunk);
        self.flash.write(start, chunk.get(..self.slots.header()).unwrap_or_default()).await?;
        let found = self.scan(start, &mut []).await?;
        self.slots.written(entry, found)
    }
}
