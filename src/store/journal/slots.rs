//! What the two slots hold, and what is to be done with them: all of the journal but the calls of the flash.

use super::JournalError;
use crate::store::PIECE;
use core::ops::Range;
use crc::{CRC_32_ISCSI, Crc, Table};

/// A table where there is room: the checksum is one.
type Bits = Table<{ if cfg!(feature = "std") { 1 } else { 0 } }>;
type Checksum = crc::Digest<'static, u32, Bits>;

/// Not the polynomial of the files: the checksum of data that ends with a checksum of the same
/// polynomial does not depend on the data.
static CRC: Crc<u32, Bits> = Crc::<u32, Bits>::new(&CRC_32_ISCSI);

const MAGIC: [u8; 4] = *b"gjrn";

/// Bytes of what a header says.
const HEADER: usize = 16;

/// Bytes that are read or written at a time, on the stack.
pub(crate) const CHUNK: usize = PIECE;

/// Sizes of a flash in bytes: the words that it reads and writes, the blocks that it erases, and all of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) read: usize,
    pub(crate) write: usize,
    pub(crate) erase: usize,
    pub(crate) capacity: usize,
}

impl Geometry {
    /// Whether whole words fill a chunk, and a block that is erased: no slot shares a word with what is beside it.
    pub(crate) const fn words(self) -> bool {
        self.read.is_power_of_two()
            && self.write.is_power_of_two()
            && self.read <= CHUNK
            && self.write <= CHUNK
            && self.erase.is_multiple_of(self.read)
            && self.erase.is_multiple_of(self.write)
    }

    /// `n` bytes, filled up to whole words of a power of two.
    const fn filled(n: usize, word: usize) -> usize {
        (n + word - 1) & !(word - 1)
    }

    /// `n` bytes of data, filled up to words that can be read.
    pub(crate) const fn to_read(self, n: usize) -> usize {
        Self::filled(n, self.read)
    }

    /// `n` bytes of data, filled up to words that can be written.
    pub(crate) const fn to_write(self, n: usize) -> usize {
        Self::filled(n, self.write)
    }

    /// Bytes of a header: whole words.
    const fn header(self) -> u32 {
        let word = if self.read < self.write { self.write } else { self.read };
        if word < HEADER { HEADER as u32 } else { word as u32 }
    }
}

/// A whole file in one of the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where its slot begins.
    pub(crate) start: u32,
    pub(crate) sequence: u32,
    /// Bytes of data.
    pub(crate) length: u32,
}

impl Entry {
    /// The checksum so far: what the header says.
    pub(crate) fn digest(&self) -> Checksum {
        let mut digest = CRC.digest();
        digest.update(&self.sequence.to_le_bytes());
        digest.update(&self.length.to_le_bytes());
        digest
    }

    /// The header of data with this checksum, to fill up.
    pub(crate) fn header(&self, digest: Checksum, chunk: &mut [u8; CHUNK]) {
        chunk.fill(0xff);
        let words =
            [MAGIC, self.sequence.to_le_bytes(), self.length.to_le_bytes(), digest.finalize().to_le_bytes()];
        for (to, from) in chunk.iter_mut().zip(words.as_flattened()) {
            *to = *from;
        }
    }
}

/// The two slots of a region.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    start: u32,
    /// Bytes of a slot, and of its header.
    slot: u32,
    header: u32,
    pub(crate) newest: Option<Entry>,
    /// The slot that the next write erases.
    pub(crate) next: u32,
}

impl Slots {
    /// The halves of `region`, if they are whole erase blocks within the flash, and those whole words.
    pub(crate) fn new(region: Range<u32>, flash: Geometry) -> Option<Self> {
        let Range { start, end } = region;
        let slot = end.saturating_sub(start) / 2;
        let header = flash.header();
        let blocks = |at: u32| (at as usize).is_multiple_of(flash.erase);
        let halves = blocks(start) && blocks(slot) && slot > header && end - start == 2 * slot;
        let fits = flash.words() && halves && end as usize <= flash.capacity;
        fits.then_some(Self { start, slot, header, newest: None, next: start })
    }

    /// Where each slot begins.
    pub(crate) const fn starts(&self) -> [u32; 2] {
        [self.start, self.start + self.slot]
    }

    /// The addresses of the slot that begins at `start`.
    pub(crate) const fn slot(&self, start: u32) -> Range<u32> {
        start..start + self.slot
    }

    /// Bytes of data that fit into a slot.
    pub(crate) const fn capacity(&self) -> usize {
        (self.slot - self.header) as usize
    }

    /// Bytes of the header.
    pub(crate) const fn header(&self) -> usize {
        self.header as usize
    }

    /// Where the data of the slot lies that begins at `start`.
    pub(crate) const fn data(&self, start: u32) -> u32 {
        start + self.header
    }

    /// The addresses of the newest file.
    #[allow(dead_code, reason = "the journal of C does not ask for it")]
    pub(crate) fn range(&self) -> Option<Range<u32>> {
        self.newest.map(|Entry { start, length, .. }| self.data(start)..self.data(start) + length)
    }

    /// Takes note of what the slots hold. One that cannot be read is the next to be written: were it to read well one
    /// day, its file would be the newest.
    ///
    /// # Errors
    /// Neither can be read.
    pub(crate) fn choose<E>(&mut self, found: [Result<Option<Entry>, E>; 2]) -> Result<(), E> {
        let [first, second] = self.starts();
        (self.newest, self.next) = match found {
            [Err(error), Err(_)] => return Err(error),
            [Err(_), Ok(newest)] => (newest, first),
            [Ok(newest), Err(_)] => (newest, second),
            // Numbers in two slots are neighbours, so that their order survives the wrap.
            [Ok(Some(a)), Ok(Some(b))] if b.sequence.wrapping_sub(a.sequence) as i32 > 0 => (Some(b), first),
            [Ok(Some(a)), Ok(_)] => (Some(a), second),
            [Ok(None), Ok(newest)] => (newest, first),
        };
        Ok(())
    }

    /// The entry of the next file, of `length` bytes.
    ///
    /// # Errors
    /// [`JournalError::Length`] if it does not fit into a slot.
    pub(crate) fn entry<E>(&self, length: u64) -> Result<Entry, JournalError<E>> {
        if length > self.capacity() as u64 {
            let expected = usize::try_from(length).unwrap_or(usize::MAX);
            return Err(JournalError::Length { expected, found: self.capacity() });
        }
        let sequence = self.newest.map_or(0, |newest| newest.sequence.wrapping_add(1));
        Ok(Entry { start: self.next, sequence, length: length as u32 })
    }

    /// Takes note of a file that was written, and of what was found when it was read again.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] if that is another.
    pub(crate) fn written<E>(&mut self, entry: Entry, found: Option<Entry>) -> Result<(), JournalError<E>> {
        if found != Some(entry) {
            return Err(JournalError::Damaged);
        }
        let [first, second] = self.starts();
        self.newest = Some(entry);
        self.next = if entry.start == first { second } else { first };
        Ok(())
    }
}

/// A pass over the data of a slot, to compare its checksum.
pub(crate) struct Scan {
    entry: Entry,
    digest: Checksum,
    crc: u32,
    at: u32,
    left: usize,
}

impl Scan {
    /// The pass that a header asks for; none if it is no header.
    pub(crate) fn new(slots: &Slots, start: u32, header: &[u8]) -> Option<Self> {
        let (words, _) = header.as_chunks::<4>();
        let [magic, sequence, length, crc] = *words.first_chunk()?;
        let entry =
            Entry { start, sequence: u32::from_le_bytes(sequence), length: u32::from_le_bytes(length) };
        let at = slots.data(start);
        let whole = magic == MAGIC && entry.length as usize <= slots.capacity();
        let (digest, crc, left) = (entry.digest(), u32::from_le_bytes(crc), entry.length as usize);
        whole.then_some(Self { entry, digest, crc, at, left })
    }

    /// Where the next data lies, and how many bytes; none at the end.
    pub(crate) const fn next(&self) -> Option<(u32, usize)> {
        match self.left {
            0 => None,
            left => Some((self.at, if left < CHUNK { left } else { CHUNK })),
        }
    }

    /// Takes the data that [`next`](Self::next) has named.
    pub(crate) fn take(&mut self, data: &[u8]) {
        self.digest.update(data);
        self.left = self.left.saturating_sub(data.len());
        self.at = self.at.wrapping_add(CHUNK as u32);
    }

    /// The file in the slot, if it is whole.
    pub(crate) fn entry(self) -> Option<Entry> {
        (self.digest.finalize() == self.crc).then_some(self.entry)
    }
}

/// Copies as many bytes as both have.
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// The pieces of a file that lies in memory.
pub(crate) fn pieces(file: &[u8]) -> impl FnMut(&mut [u8]) -> usize {
    let mut rest = file;
    move |piece| {
        let (next, others) = rest.split_at_checked(piece.len()).unwrap_or((rest, &[]));
        copy(piece, next);
        rest = others;
        next.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of one byte and words of four: the last word of the first slot was the first bytes of the second.
    #[test]
    fn slots_are_whole_words() {
        let slots = |end, read, write, erase| {
            Slots::new(0..end, Geometry { read, write, erase, capacity: 1 << 20 }).is_some()
        };
        assert!(!slots(66, 1, 4, 1) && !slots(66, 4, 1, 1) && !slots(66, 1, 4, 33) && !slots(96, 1, 32, 48));
        assert!(slots(66, 1, 1, 33) && slots(66, 1, 1, 1) && slots(80, 4, 8, 40) && slots(192, 1, 32, 96));
    }
}
