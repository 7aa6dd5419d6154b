//! Names in files, so that nothing is loaded as what it is not.

use super::Error;
use core::fmt;

/// What a record in a file is: up to twelve letters, and up to four more for how its numbers are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name(pub(super) [u8; Self::SIZE]);

impl Name {
    /// Bytes in a file, filled up with zeros.
    pub(super) const SIZE: usize = 16;

    /// No name at all.
    pub(super) const NONE: Self = Self([0; Self::SIZE]);

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

    /// The name in `text`; `None` if that has more than twelve bytes or a zero among them.
    #[must_use]
    pub const fn try_new(text: &str) -> Option<Self> {
        if text.len() > 12 { None } else { Self::NONE.joined(text.as_bytes()) }
    }

    /// This name and `suffix` behind it: one rule's state, kept in another type of numbers.
    ///
    /// # Panics
    /// If both together have more than sixteen bytes: at compile time in a `const`.
    #[must_use]
    pub(crate) const fn join(self, suffix: &str) -> Self {
        match self.joined(suffix.as_bytes()) {
            Some(name) => name,
            None => panic!("a name has at most sixteen bytes with its suffix"),
        }
    }

    /// The name and the letters behind it, if there is room.
    pub(super) const fn joined(mut self, letters: &[u8]) -> Option<Self> {
        let (at, mut k) = (self.len(), 0);
        if letters.len() > Self::SIZE - at {
            return None;
        }
        while k < letters.len() {
            if letters[k] == 0 {
                return None;
            }
            self.0[at + k] = letters[k];
            k += 1;
        }
        Some(self)
    }

    /// Its letters; nothing if they are no text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        let Some((text, _)) = self.0.split_at_checked(self.len()) else { return "" };
        match core::str::from_utf8(text) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    const fn len(&self) -> usize {
        let mut n = 0;
        while n < Self::SIZE && self.0[n] != 0 {
            n += 1;
        }
        n
    }

    /// `Ok` if it is the `expected` one.
    pub(crate) fn expect(self, expected: Self) -> Result<(), Error> {
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

/// The name of an optimizer in files, so that no state is loaded as another rule's.
///
/// A state whose columns are not `f32` has this name and a suffix for its type of numbers.
///
/// ```
/// use gradus::{State, Stateful, Width, store::{self, Family, Name}};
/// struct SignSgd; // an optimizer of your own, with one column of state
/// impl Stateful for SignSgd {
///     type Columns = Width<1>;
///     type Memory = f32;
/// }
/// impl Family for SignSgd {
///     const NAME: Name = Name::new("signsgd");
/// }
/// let state = State::<SignSgd, 8>::new();
/// assert_eq!(store::to_vec(&state).map(|file| file.len()), Ok(store::file_size(&state)));
/// ```
pub trait Family {
    /// Its name: never another one, once a file has it.
    const NAME: Name;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_zero_and_at_most_twelve_bytes() {
        assert_eq!(["", "a", "twelve bytes"].map(|text| Name::try_new(text).is_some()), [true; 3]);
        assert_eq!(["a\0", "\0", "thirteen byte"].map(Name::try_new), [None; 3]);
    }

    #[test]
    fn a_suffix_has_the_room_that_the_name_leaves() {
        let name = Name::new("twelve bytes");
        let whole = name.joined(b"/123").unwrap();
        assert_eq!(whole.as_str(), "twelve bytes/123");
        assert_eq!((name.joined(b"/1234"), whole.joined(b"5")), (None, None));
        assert_eq!(whole.joined(b""), Some(whole));
    }
}
