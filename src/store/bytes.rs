//! Cursors over the bytes of a file: neither can run past its end, and neither can panic.

use super::{CRC, Checksum, Error, HEADER, Name, PIECE, TRAILER};
use crate::simd::Bf16;
use core::fmt;

/// What stands before the data of a record: its name and its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub name: Name,
    pub columns: u32,
    pub length: u64,
}

impl Head {
    /// Bytes of a head: name, columns, length.
    pub const SIZE: usize = Name::SIZE + 4 + 8;

    pub const fn new(name: Name, columns: usize, length: usize) -> Self {
        Self { name, columns: columns as u32, length: length as u64 }
    }

    /// The head of columns of `T`, which may lie anywhere but must be of one length.
    pub fn of<T, C: AsRef<[T]>>(name: Name, columns: &[C]) -> Result<Self, Error> {
        let n = columns.first().map_or(0, |column| column.as_ref().len());
        for column in columns {
            let found = column.as_ref().len();
            if found != n {
                return Err(Error::Elements { expected: n as u64, found: found as u64 });
            }
        }
        Ok(Self::new(name, columns.len(), n))
    }

    /// `Ok` if it is the `expected` one.
    pub fn expect(self, expected: Self) -> Result<(), Error> {
        self.name.expect(expected.name)?;
        if self.columns != expected.columns {
            return Err(Error::Columns { expected: expected.columns, found: self.columns });
        }
        if self.length != expected.length {
            return Err(Error::Elements { expected: expected.length, found: self.length });
        }
        Ok(())
    }
}

/// A number type in a file.
pub trait Number: Copy {
    /// The name of a slice of it.
    const NAME: Name;
    /// What stands behind the name of a state whose columns are of it.
    const SUFFIX: &'static str;

    /// Writes numbers to as many bytes as they have.
    fn put(column: &[Self], to: &mut [u8]);
    /// Reads as many numbers as there are bytes for.
    fn get(column: &mut [Self], from: &[u8]);
}

macro_rules! number {
    ($t:ident $name:literal $suffix:literal) => {
        impl Number for $t {
            const NAME: Name = Name::new($name);
            const SUFFIX: &'static str = $suffix;

            fn put(column: &[Self], to: &mut [u8]) {
                for (to, x) in to.as_chunks_mut().0.iter_mut().zip(column) {
                    *to = x.to_le_bytes();
                }
            }
            fn get(column: &mut [Self], from: &[u8]) {
                for (x, from) in column.iter_mut().zip(from.as_chunks().0) {
                    *x = Self::from_le_bytes(*from);
                }
            }
        }
    };
}

number!(f32 "f32" "");
number!(f64 "f64" "/64");
number!(Bf16 "bf16" "/16");

/// Writes what a window shows of a file, and counts all of it. A file longer than the caller's memory is written by
/// moving the window over it: the values are asked anew for each, and what lies outside costs them nothing.
#[derive(Debug)]
pub struct Writer<'a> {
    /// What is left of the window.
    out: &'a mut [u8],
    /// Bytes of the file that still come before the window.
    before: usize,
    /// Bytes of the file so far, also outside of the window. A list that refers to the same memory many times has a
    /// file that is larger than all memory.
    pub at: u64,
    /// The first value that cannot be written.
    pub error: Option<Error>,
}

impl<'a> Writer<'a> {
    /// A writer of as many bytes as `window` has, from byte `start` of the file on.
    pub const fn new(window: &'a mut [u8], start: usize) -> Self {
        Self { out: window, before: start, at: 0, error: None }
    }

    /// A writer that only counts.
    pub const fn counter() -> Self {
        Self::new(&mut [], 0)
    }

    /// Bytes of the window that are not written yet.
    pub const fn room(&self) -> usize {
        self.out.len()
    }

    /// The next bytes of the window, at most `n`.
    fn next(&mut self, n: usize) -> &'a mut [u8] {
        let out = core::mem::take(&mut self.out);
        let (next, rest) = out.split_at_mut_checked(n.min(out.len())).unwrap_or_default();
        self.out = rest;
        next
    }

    /// Passes over `n` bytes, all of them before the window or all behind it.
    fn pass(&mut self, n: usize) {
        self.at = self.at.saturating_add(n as u64);
        self.before = self.before.saturating_sub(n);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        let before = self.before.min(bytes.len());
        let shown = bytes.get(before..).unwrap_or_default();
        for (to, from) in self.next(shown.len()).iter_mut().zip(shown) {
            *to = *from;
        }
        self.pass(bytes.len());
    }

    pub fn u32(&mut self, x: u32) {
        self.bytes(&x.to_le_bytes());
    }

    pub fn u64(&mut self, x: u64) {
        self.bytes(&x.to_le_bytes());
    }

    pub fn column<T: Number>(&mut self, column: &[T]) {
        let size = size_of::<T>().max(1);
        let before = (self.before / size).min(column.len());
        let mut rest = column.get(before..).unwrap_or_default();
        self.pass(before * size);
        // A number may lie across each edge of the window.
        if self.before > 0 {
            rest = self.one(rest);
        }
        let inside = rest.len().min(self.out.len() / size);
        let (shown, rest) = rest.split_at_checked(inside).unwrap_or_default();
        T::put(shown, self.next(inside * size));
        self.pass(inside * size);
        let rest = self.one(rest);
        self.pass(size_of_val(rest));
    }

    /// Writes the first number of `column`, if there is one, and returns the others.
    #[inline(never)] // seldom: once a window
    fn one<'c, T: Number>(&mut self, column: &'c [T]) -> &'c [T] {
        let Some((first, others)) = column.split_first() else { return column };
        let mut bytes = [0; 8];
        let bytes = bytes.get_mut(..size_of::<T>()).unwrap_or_default();
        T::put(core::slice::from_ref(first), bytes);
        self.bytes(bytes);
        others
    }

    pub fn head(&mut self, head: Head) {
        self.bytes(&head.name.0);
        self.u32(head.columns);
        self.u64(head.length);
    }

    /// Notes that a value cannot be written; the first note stays.
    pub fn fail(&mut self, error: Error) {
        self.error = self.error.or(Some(error));
    }
}

/// Bytes of the largest allocation.
pub(crate) const LARGEST: u64 = isize::MAX as u64;

/// The bytes of `n` elements of `size` bytes, if they are no more than `most`. A file of a large machine may hold more
/// than the memory of a small one can, whose `usize` would be another number.
pub(crate) fn room(n: u64, size: usize, most: u64) -> Result<u64, Error> {
    let expected = n.saturating_mul(size as u64);
    if expected > most { Err(Error::Length { expected, found: most }) } else { Ok(expected) }
}

/// Where the bytes of a file come from: fills the slice from a byte of the file on, or says that it cannot.
pub(crate) type Source<'a> = dyn FnMut(u64, &mut [u8]) -> bool + 'a;

/// Reads the records of a file, piece by piece. Beyond its end everything is 0, which `at` tells.
pub struct Reader<'a> {
    source: &'a mut Source<'a>,
    piece: [u8; PIECE],
    /// The bytes of the piece that are not read yet.
    from: usize,
    to: usize,
    /// Bytes of the file that the source was asked for.
    asked: u64,
    /// Bytes of the file.
    size: u64,
    /// Bytes of the file that may be read: all but its checksum.
    left: u64,
    digest: Checksum,
    /// Bytes of the records that the values asked for so far, also where there were none.
    pub at: u64,
    /// Whether a value was met that would be written as another one.
    pub refused: bool,
    /// Whether the source failed.
    pub failed: bool,
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("size", &self.size).finish_non_exhaustive()
    }
}

impl<'a> Reader<'a> {
    /// A reader of a file of `size` bytes, from its beginning.
    pub fn new(source: &'a mut Source<'a>, size: u64) -> Self {
        Self {
            source,
            piece: [0; PIECE],
            from: 0,
            to: 0,
            asked: 0,
            size,
            left: size.saturating_sub(TRAILER as u64).max(HEADER as u64).min(size),
            digest: CRC.digest(),
            at: 0,
            refused: false,
            failed: false,
        }
    }

    /// Asks the source for the next piece, if the last one is read. Pieces begin at multiples of their size.
    ///
    /// Where the source has failed the file ends: its size is only what somebody said.
    fn refill(&mut self) {
        if self.from < self.to || self.failed {
            return;
        }
        let n = (self.size - self.asked).min(PIECE as u64) as usize;
        let piece = self.piece.get_mut(..n).unwrap_or_default();
        self.failed = n > 0 && !(self.source)(self.asked, piece);
        self.asked += n as u64;
        (self.from, self.to) = (0, n);
        if self.failed {
            (self.to, self.left) = (0, 0);
        }
    }

    /// The next bytes, at least one and at most `n`; none at the end.
    fn next(&mut self, n: u64) -> &[u8] {
        self.refill();
        let ready = (self.to - self.from) as u64;
        let n = n.min(ready).min(self.left) as usize;
        let next = self.piece.get(self.from..self.from + n).unwrap_or_default();
        self.from += n;
        self.left -= n as u64;
        self.digest.update(next);
        next
    }

    /// Reads as many bytes as there is room for.
    fn fill(&mut self, bytes: &mut [u8]) {
        self.at = self.at.saturating_add(bytes.len() as u64);
        let mut rest = bytes;
        while !rest.is_empty() {
            let next = self.next(rest.len() as u64);
            if next.is_empty() {
                break;
            }
            let (to, others) = rest.split_at_mut_checked(next.len()).unwrap_or_default();
            for (to, from) in to.iter_mut().zip(next) {
                *to = *from;
            }
            rest = others;
        }
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    pub fn column<T: Number>(&mut self, column: &mut [T]) {
        let size = size_of::<T>().max(1);
        let mut rest = column;
        while !rest.is_empty() {
            self.refill();
            let ready = (self.to - self.from) as u64;
            let whole = (ready.min(self.left) / size as u64).min(rest.len() as u64) as usize;
            let n = whole.max(1);
            let (now, others) = rest.split_at_mut_checked(n).unwrap_or_default();
            if whole > 0 {
                T::get(now, self.next((whole * size) as u64));
                self.at = self.at.saturating_add((whole * size) as u64);
            } else {
                // The number lies across the edge of a piece.
                let mut bytes = [0; 8];
                let bytes = bytes.get_mut(..size).unwrap_or_default();
                self.fill(bytes);
                T::get(now, bytes);
            }
            rest = others;
        }
    }

    pub fn head(&mut self) -> Head {
        Head { name: Name(self.bytes()), columns: self.u32(), length: self.u64() }
    }

    /// How many elements of `size` bytes the rest of the file and an allocation have room for, at most `n`: what was
    /// checked cannot ask for more, unless the source gives other bytes the second time.
    pub fn at_most(&self, n: u64, size: usize) -> usize {
        n.min(self.left.min(LARGEST) / size.max(1) as u64) as usize
    }

    /// Passes over `n` elements of `size` bytes, if an allocation can hold them all.
    pub fn skip_new(&mut self, n: u64, size: usize) -> Result<(), Error> {
        self.skip(room(n, size, LARGEST)?);
        Ok(())
    }

    /// Passes over `n` bytes.
    pub fn skip(&mut self, n: u64) {
        self.at = self.at.saturating_add(n);
        let mut rest = n;
        while rest > 0 {
            match self.next(rest).len() {
                0 => return,
                n => rest -= n as u64,
            }
        }
    }

    /// Passes over what is left, and returns the checksum if it is right.
    pub fn close(&mut self) -> Option<u32> {
        self.skip(u64::MAX);
        let sum = self.digest.clone().finalize();
        self.left = TRAILER as u64;
        (self.u32() == sum).then_some(sum)
    }
}

/// A source over bytes in memory.
pub(crate) fn source(bytes: &[u8]) -> impl FnMut(u64, &mut [u8]) -> bool {
    |at, piece| {
        let from = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        for (to, from) in piece.iter_mut().zip(from) {
            *to = *from;
        }
        from.len() >= piece.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_counts_what_its_window_shows_and_what_it_does_not() {
        for start in 0..40 {
            for n in 0..40 {
                let mut window = [0; 40];
                let mut writer = Writer::new(&mut window[..n], start);
                writer.column(&[1.0_f32; 3]);
                writer.u32(7);
                writer.column(&[1.0_f64; 2]);
                assert_eq!(writer.at, 32, "{n} bytes from {start} on");
            }
        }
    }

    /// Of 4 bytes each, 2^29 numbers are one more than a machine of 32 bits can allocate, and 2^32 are none in its
    /// `usize`.
    #[test]
    fn no_more_is_asked_for_than_an_allocation_holds() {
        let most = i32::MAX as u64;
        assert_eq!(room((1 << 29) - 1, 4, most), Ok((1 << 31) - 4));
        for (n, size) in [(1 << 29, 4), (1 << 32, 4), (1 << 32, 1), (1 << 28, 8), (1 << 62, 4), (u64::MAX, 8)]
        {
            let expected = n.saturating_mul(size as u64);
            assert_eq!(
                room(n, size, most),
                Err(Error::Length { expected, found: most }),
                "{n} of {size} bytes"
            );
        }
        assert_eq!((room(u64::MAX, 0, most), room(0, 8, most)), (Ok(0), Ok(0)));
    }

    #[test]
    fn a_reader_shows_the_size_of_its_file() {
        let mut source = source(&[]);
        assert_eq!(std::format!("{:?}", Reader::new(&mut source, 20)), "Reader { size: 20, .. }");
    }
}
