//! Cursors over the bytes of a file: neither can run past its end, and neither can panic.

use super::{Error, Name};

/// What stands before the data of a record: its name and its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub name: Name,
    pub columns: u32,
    pub length: u64,
}

impl Head {
    /// Bytes of a head: name, columns, length.
    pub const SIZE: usize = 12 + 4 + 8;

    pub const fn new(name: Name, columns: usize, length: usize) -> Self {
        Self { name, columns: columns as u32, length: length as u64 }
    }
}

/// A number type in a file.
pub trait Number: Sized {
    /// Its own name.
    const NAME: Name;
    /// The name of its L-BFGS.
    const LBFGS: Name;
    /// The name of its Newton's method.
    const NEWTON: Name;
    fn write(column: &[Self], to: &mut Writer<'_>);
    fn read(column: &mut [Self], from: &mut Reader<'_>);
}

macro_rules! number {
    ($t:ident $lbfgs:literal $newton:literal) => {
        impl Number for $t {
            const NAME: Name = Name::new(stringify!($t));
            const LBFGS: Name = Name::new($lbfgs);
            const NEWTON: Name = Name::new($newton);
            fn write(column: &[Self], to: &mut Writer<'_>) {
                let (to, _) = to.next(size_of_val(column)).as_chunks_mut();
                for (to, x) in to.iter_mut().zip(column) {
                    *to = x.to_le_bytes();
                }
            }
            fn read(column: &mut [Self], from: &mut Reader<'_>) {
                let (from, _) = from.next(size_of_val(column) as u64).as_chunks();
                for (x, from) in column.iter_mut().zip(from) {
                    *x = Self::from_le_bytes(*from);
                }
            }
        }
    };
}

number!(f32 "lbfgs-f32" "newton-f32");
number!(f64 "lbfgs-f64" "newton-f64");

/// Writes a file, or counts its bytes where the slice is empty.
pub struct Writer<'a> {
    out: &'a mut [u8],
    /// Bytes of the file so far, also where they did not fit.
    pub at: usize,
    /// The first value that cannot be written.
    pub error: Option<Error>,
}

impl<'a> Writer<'a> {
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0, error: None }
    }

    /// The next `n` bytes to fill, or none if they do not fit.
    fn next(&mut self, n: usize) -> &mut [u8] {
        let from = self.at;
        self.at = self.at.saturating_add(n);
        self.out.get_mut(from..self.at).unwrap_or_default()
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        for (to, from) in self.next(bytes.len()).iter_mut().zip(bytes) {
            *to = *from;
        }
    }

    pub fn u32(&mut self, x: u32) {
        self.bytes(&x.to_le_bytes());
    }

    pub fn u64(&mut self, x: u64) {
        self.bytes(&x.to_le_bytes());
    }

    pub fn column<T: Number>(&mut self, column: &[T]) {
        T::write(column, self);
    }

    pub fn head(&mut self, head: Head) {
        self.bytes(&head.name.0);
        self.u32(head.columns);
        self.u64(head.length);
    }

    /// The bytes so far.
    pub fn written(&self) -> &[u8] {
        self.out.get(..self.at).unwrap_or_default()
    }

    /// Notes that a value cannot be written; the first note stays.
    pub fn fail(&mut self, error: Error) {
        self.error = self.error.or(Some(error));
    }
}

/// Reads a file. Beyond its end everything is 0, which `at` tells.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Bytes asked for so far, also where there were none.
    pub at: u64,
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// The next `n` bytes, or none if there are fewer.
    fn next(&mut self, n: u64) -> &'a [u8] {
        self.at = self.at.saturating_add(n);
        let split = usize::try_from(n).ok().and_then(|n| self.rest.split_at_checked(n));
        let (next, rest) = split.unwrap_or_default();
        self.rest = rest;
        next
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.next(N as u64).first_chunk().copied().unwrap_or([0; N])
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    pub fn column<T: Number>(&mut self, column: &mut [T]) {
        T::read(column, self);
    }

    pub fn head(&mut self) -> Head {
        Head { name: Name(self.bytes()), columns: self.u32(), length: self.u64() }
    }

    /// The head that comes next, which stays unread.
    pub fn peek(&self) -> Head {
        let mut copy = *self;
        copy.head()
    }

    /// Whether these bytes come next; they stay unread.
    pub fn starts_with(&self, bytes: &[u8]) -> bool {
        self.rest.starts_with(bytes)
    }

    /// Passes over `n` bytes.
    pub fn skip(&mut self, n: u64) {
        self.next(n);
    }

    /// Passes over the head of a value that is to be loaded.
    ///
    /// # Errors
    /// The head in the file is another.
    pub fn expect(&mut self, expected: Head) -> Result<(), Error> {
        let found = self.head();
        found.name.expect(expected.name)?;
        if found.columns != expected.columns {
            return Err(Error::Columns { expected: expected.columns, found: found.columns });
        }
        if found.length != expected.length {
            return Err(Error::Elements { expected: expected.length, found: found.length });
        }
        Ok(())
    }
}
