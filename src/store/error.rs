//! Why a file was refused.

use core::fmt;

/// Why a file was not read or not written. Whatever the reason, the value was not touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not begin as a file of this crate does.
    Foreign,
    /// The file has a format that this version of the crate does not know.
    Version {
        /// The format in the file.
        found: u16,
    },
    /// The file is cut off or too long, or the buffer too small for it.
    Length {
        /// Bytes that the file needs.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The checksum is wrong: a byte of the file has changed.
    Checksum,
    /// The file holds another kind of value.
    Name {
        /// What the caller asks for.
        expected: Name,
        /// What the file holds.
        found: Name,
    },
    /// The file's value has another number of columns.
    Columns {
        /// The caller's.
        expected: u32,
        /// The file's.
        found: u32,
    },
    /// The file's value has another number of elements in a column, or its columns differ in length.
    Elements {
        /// The caller's.
        expected: u64,
        /// The file's.
        found: u64,
    },
    /// The file is whole, but holds a value that none of this kind can have.
    Value {
        /// The kind.
        name: Name,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("not a gradus file"),
            Self::Version { found } => write!(f, "format {found} is not known here"),
            Self::Length { expected, found } => write!(f, "{found} bytes where {expected} are needed"),
            Self::Checksum => f.write_str("wrong checksum: the file is damaged"),
            Self::Name { expected, found } => write!(f, "the file holds `{found}`, not `{expected}`"),
            Self::Columns { expected, found } => write!(f, "{found} columns where {expected} were expected"),
            Self::Elements { expected, found } => {
                write!(f, "{found} elements where {expected} were expected")
            }
            Self::Value { name } => write!(f, "no `{name}` can have the value in the file"),
        }
    }
}

impl core::error::Error for Error {}

/// What a record in a file is: up to twelve letters, filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name(pub(super) [u8; 12]);

impl Name {
    /// The name in `text`.
    ///
    /// # Panics
    /// If the text has more than twelve bytes or a zero among them: at compile time in a `const`.
    #[must_use]
    pub const fn new(text: &str) -> Self {
        match Self::try_new(text) {
            Some(name) => name,
            None => panic!("a name has at most twelve bytes and no zero among them"),
        }
    }

    /// The name in `text`, if it is none too long.
    #[must_use]
    pub const fn try_new(text: &str) -> Option<Self> {
        let (text, mut name, mut k) = (text.as_bytes(), [0; 12], 0);
        if text.len() > name.len() {
            return None;
        }
        while k < text.len() {
            if text[k] == 0 {
                return None;
            }
            name[k] = text[k];
            k += 1;
        }
        Some(Self(name))
    }

    /// Its letters; nothing if they are no text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.0.split(|&letter| letter == 0).next().unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }

    /// `Ok` if it is the `expected` one.
    pub(super) fn expect(self, expected: Self) -> Result<(), Error> {
        if self == expected { Ok(()) } else { Err(Error::Name { expected, found: self }) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Name {
    fn format(&self, f: defmt::Formatter<'_>) {
        self.as_str().format(f);
    }
}
