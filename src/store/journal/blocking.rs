//! The journal over a flash whose calls return when they are done.

use super::JournalError;
use super::slots::{CHUNK, Entry, Geometry, Scan, Slots, copy, pieces};
use crate::store::{Load, Pieces, Save, StreamError, load_from};
use core::ops::Range;

/// What the journal asks of a flash.
pub(crate) trait Flash {
    type Error;
    fn geometry(&self) -> Geometry;
    fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Self::Error>;
    fn erase(&mut self, blocks: Range<u32>) -> Result<(), Self::Error>;
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Self::Error>;
}

#[cfg(feature = "journal")]
impl<F: embedded_storage::nor_flash::NorFlash> Flash for F {
    type Error = F::Error;

    #[inline]
    fn geometry(&self) -> Geometry {
        Geometry { read: F::READ_SIZE, write: F::WRITE_SIZE, erase: F::ERASE_SIZE, capacity: self.capacity() }
    }
    fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.read(at, bytes)
    }
    fn erase(&mut self, blocks: Range<u32>) -> Result<(), F::Error> {
        self.erase(blocks.start, blocks.end)
    }
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), F::Error> {
        self.write(at, bytes)
    }
}

type Done<F, T> = Result<T, JournalError<<F as Flash>::Error>>;

/// The slots of a region, as they are found.
pub(crate) fn open<F: Flash>(flash: &mut F, region: Range<u32>) -> Done<F, Slots> {
    let mut slots = Slots::new(region, flash.geometry()).ok_or(JournalError::Region)?;
    let found = slots.starts().map(|start| scan(flash, &slots, start, &mut []));
    slots.choose(found)?;
    Ok(slots)
}

/// The file in the slot at `start`, if it is whole; as much of its data as fits goes to `out`.
fn scan<F: Flash>(
    flash: &mut F,
    slots: &Slots,
    start: u32,
    out: &mut [u8],
) -> Result<Option<Entry>, F::Error> {
    let geometry = flash.geometry();
    let mut chunk = [0; CHUNK];
    let header = chunk.get_mut(..slots.header()).unwrap_or_default();
    flash.read(start, header)?;
    let Some(mut scan) = Scan::new(slots, start, header) else { return Ok(None) };
    let mut out = out.chunks_mut(CHUNK);
    while let Some((at, n)) = scan.next() {
        let words = chunk.get_mut(..geometry.to_read(n)).unwrap_or_default();
        flash.read(at, words)?;
        let data = words.get(..n).unwrap_or_default();
        scan.take(data);
        copy(out.next().unwrap_or_default(), data);
    }
    Ok(scan.entry())
}

/// Reads the newest file to the start of `buffer`.
pub(crate) fn read<'b, F: Flash>(
    flash: &mut F,
    slots: &Slots,
    buffer: &'b mut [u8],
) -> Done<F, Option<&'b [u8]>> {
    let Some(newest) = slots.newest else { return Ok(None) };
    let (expected, found) = (newest.length as usize, buffer.len());
    let file = buffer.get_mut(..expected).ok_or(JournalError::Length { expected, found })?;
    match scan(flash, slots, newest.start, file)? {
        Some(entry) if entry == newest => Ok(Some(file)),
        _ => Err(JournalError::Damaged),
    }
}

/// Loads `value` from the newest file; `false` if there is none.
pub(crate) fn load<F: Flash>(flash: &mut F, slots: &Slots, value: impl Load) -> Done<F, bool> {
    let Some(newest) = slots.newest else { return Ok(false) };
    let geometry = flash.geometry();
    let source = |at: u64, piece: &mut [u8]| {
        let at = slots.data(newest.start).wrapping_add(at as u32);
        // Only the last piece may not be whole words.
        let mut chunk = [0; CHUNK];
        let words = chunk.get_mut(..geometry.to_read(piece.len())).unwrap_or_default();
        flash.read(at, words)?;
        copy(piece, words);
        Ok(())
    };
    match load_from(value, newest.length.into(), source) {
        Ok(()) => Ok(true),
        Err(StreamError::File(error)) => Err(JournalError::File(error)),
        Err(StreamError::Stream(error)) => Err(JournalError::Flash(error)),
        Err(StreamError::Torn) => Err(JournalError::Torn),
    }
}

/// Saves `value` to the slot of the older file.
pub(crate) fn save<F: Flash>(flash: &mut F, slots: &mut Slots, value: impl Save) -> Done<F, ()> {
    let mut pieces = Pieces::new(value).map_err(JournalError::File)?;
    put(flash, slots, pieces.file_size(), |piece| pieces.take(piece))
}

/// Writes `file` to the slot of the older one.
pub(crate) fn write<F: Flash>(flash: &mut F, slots: &mut Slots, file: &[u8]) -> Done<F, ()> {
    put(flash, slots, file.len() as u64, pieces(file))
}

/// Writes `length` bytes that `take` hands out: erases a slot, then the data, last the header.
fn put<F: Flash>(
    flash: &mut F,
    slots: &mut Slots,
    length: u64,
    mut take: impl FnMut(&mut [u8]) -> usize,
) -> Done<F, ()> {
    let entry = slots.entry(length)?;
    let geometry = flash.geometry();
    flash.erase(slots.slot(entry.start))?;
    let (mut digest, mut at) = (entry.digest(), slots.data(entry.start));
    let mut chunk = [0; CHUNK];
    loop {
        chunk.fill(0xff);
        let n = take(&mut chunk);
        if n == 0 {
            break;
        }
        digest.update(chunk.get(..n).unwrap_or_default());
        flash.write(at, chunk.get(..geometry.to_write(n)).unwrap_or_default())?;
        at = at.wrapping_add(CHUNK as u32);
    }
    entry.header(digest, &mut chunk);
    flash.write(entry.start, chunk.get(..slots.header()).unwrap_or_default())?;
    let found = scan(flash, slots, entry.start, &mut [])?;
    slots.written(entry, found)
}
