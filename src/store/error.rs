//! Why a file was refused.

use super::Name;
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

/// Why a file that goes through a stream was not written or not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StreamError<E> {
    /// The file was refused, or the value cannot be saved. The value was not touched.
    File(Error),
    /// The stream's own error. The value was not touched.
    Stream(E),
    /// The file was found good, but the stream failed or gave other bytes when it was read for the second time: the
    /// value holds a part of it, and must be loaded anew or reset.
    Torn,
}

impl<E: fmt::Display> fmt::Display for StreamError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Stream(error) => error.fmt(f),
            Self::Torn => f.write_str("the file changed while it was read: the value holds a part of it"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for StreamError<E> {}

impl<E> From<Error> for StreamError<E> {
    fn from(error: Error) -> Self {
        Self::File(error)
    }
}
