//! The numbers of a minimiser that lie in a file, listed once: to write, to read and to count them.

use crate::store::bytes::{Number, Reader, Writer};

/// What is done with every field in turn: written, or read.
pub(super) trait Fields<T> {
    fn number(&mut self, x: &mut T);
    fn word(&mut self, x: &mut u32);

    /// Notes a value in a file that would be written as another one: no run has it.
    fn refuse(&mut self) {}

    fn flag(&mut self, x: &mut bool) {
        let mut word = u32::from(*x);
        self.word(&mut word);
        *x = word != 0;
        if word > 1 {
            self.refuse();
        }
    }

    /// The largest index stands for the end, on targets of any width.
    fn index(&mut self, x: &mut usize) {
        let whole = if *x == usize::MAX { u64::MAX } else { *x as u64 };
        let (mut low, mut high) = (whole as u32, (whole >> 32) as u32);
        self.word(&mut low);
        self.word(&mut high);
        let found = u64::from(high) << 32 | u64::from(low);
        *x = usize::try_from(found).unwrap_or(usize::MAX);
        if found != if *x == usize::MAX { u64::MAX } else { *x as u64 } {
            self.refuse();
        }
    }

    fn choice<C: Choice>(&mut self, x: &mut C) {
        let mut word = x.word();
        self.word(&mut word);
        match C::ALL.iter().copied().find(|choice| choice.word() == word) {
            Some(choice) => *x = choice,
            None => self.refuse(),
        }
    }
}

/// An enum without data, as a word in a file.
pub(super) trait Choice: Copy + 'static {
    const ALL: &'static [Self];
    fn word(self) -> u32;
}

impl<T: Number> Fields<T> for Writer<'_> {
    fn number(&mut self, x: &mut T) {
        self.column(core::slice::from_ref(x));
    }
    fn word(&mut self, x: &mut u32) {
        self.u32(*x);
    }
}

impl<T: Number> Fields<T> for Reader<'_> {
    fn number(&mut self, x: &mut T) {
        self.column(core::slice::from_mut(x));
    }
    fn word(&mut self, x: &mut u32) {
        *x = self.u32();
    }
    fn refuse(&mut self) {
        self.refused = true;
    }
}

/// How many numbers and words a list of fields has.
#[derive(Clone, Copy)]
pub(super) struct Count {
    pub numbers: usize,
    pub words: usize,
}

impl Count {
    pub(crate) const NONE: Self = Self { numbers: 0, words: 0 };

    pub(crate) const fn number(self) -> Self {
        Self { numbers: self.numbers + 1, ..self }
    }
    pub(crate) const fn word(self) -> Self {
        Self { words: self.words + 1, ..self }
    }
    pub(crate) const fn flag(self) -> Self {
        self.word()
    }
    pub(crate) const fn choice(self) -> Self {
        self.word()
    }
    pub(crate) const fn index(self) -> Self {
        self.word().word()
    }
    /// Bytes in a file.
    pub(crate) const fn bytes<T>(self) -> usize {
        self.numbers * size_of::<T>() + self.words * 4
    }
}

/// Lists the saved fields of a struct, each behind its kind: makes `fields`, which passes them on, and `COUNT`.
macro_rules! fields {
    ($($kind:ident $($field:ident).+;)*) => {
        /// How many numbers and words [`fields`](Self::fields) passes on.
        pub(crate) const COUNT: $crate::second_order::fields::Count =
            $crate::second_order::fields::Count::NONE$(.$kind())*;

        /// Passes on every saved field in turn.
        pub(crate) fn fields(&mut self, each: &mut impl $crate::second_order::fields::Fields<T>) {
            $(each.$kind(&mut self.$($field).+);)*
        }
    };
}
pub(super) use fields;
