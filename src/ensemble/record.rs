//! How an ensemble lies in a file: a column for each member.

use super::Ensemble;
#[cfg(feature = "alloc")]
use super::EnsembleVec;
use crate::store::bytes::Head;
use crate::store::{Error, Fixed, Load, Name, Reader, Save, Writer};
#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};

const NAME: Name = Name::new("ensemble");

/// Where there is no member there is no parameter either, so that such a file says nothing of their number.
pub(crate) fn write<'a>(to: &mut Writer<'_>, members: impl ExactSizeIterator<Item = &'a [f32]> + Clone) {
    let n = members.clone().next().map_or(0, <[f32]>::len);
    to.head(Head::new(NAME, members.len(), n));
    members.for_each(|params| to.column(params));
}

/// Passes over an ensemble of at most `most` members with `n` parameters; with any number where that is not given.
pub(crate) fn check(from: &mut Reader<'_>, most: usize, n: Option<usize>) -> Result<(), Error> {
    let found = from.head();
    let columns = found.columns.min(u32::try_from(most).unwrap_or(u32::MAX)); // more members are refused
    let length = match n {
        _ if columns == 0 => 0,
        Some(n) => n as u64,
        None => found.length,
    };
    found.expect(Head { name: NAME, columns, length })?;
    if columns > 0 && length == 0 {
        return Err(Error::Value { name: NAME });
    }
    from.skip_new(length.saturating_mul(columns.into()), 4)
}

impl<const N: usize, const M: usize> Save for Ensemble<N, M> {
    fn write(&self, to: &mut Writer<'_>) {
        write(to, self.members().iter().map(|params| params.as_slice()));
    }
}

/// The number of models comes from the file: there must be room for them.
impl<const N: usize, const M: usize> Load for Ensemble<N, M> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        check(from, M, Some(N))
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        let count = from.head().columns as usize;
        for params in self.resize(count) {
            from.column(params);
        }
    }
}

/// The size of a full one.
impl<const N: usize, const M: usize> Fixed for Ensemble<N, M> {
    const SIZE: usize = Head::SIZE + 4 * N * M;
}

#[cfg(feature = "alloc")]
impl Save for EnsembleVec {
    fn write(&self, to: &mut Writer<'_>) {
        write(to, self.members().iter().map(Vec::as_slice));
    }
}

/// The number of models and their size come from the file.
#[cfg(feature = "alloc")]
impl Load for EnsembleVec {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        check(from, usize::MAX, None)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        self.reset();
        let Head { columns, length, .. } = from.head();
        for _ in 0..columns {
            // A file that is another one when it is read again may ask for any number of members, of any size.
            let n = from.at_most(length, 4);
            if n == 0 || n as u64 != length {
                return;
            }
            let mut params = vec![0.0; n];
            from.column(&mut params);
            self.members.push(params); // of one size, and not empty: `check` has seen it
        }
    }
}
