//! The weights of several models.

use super::{Add, Divide};
use crate::error::{Argument, Error, ensure, same_length};
use crate::simd::{Columns, Exec, run};
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;

/// The weights of up to `M` models with `N` parameters each, without a heap.
///
/// All zero bits are an ensemble without members: a `static` lies in `.bss`. See the [module](super) for an example.
#[derive(Clone)]
#[doc(alias = "bagging")]
#[doc(alias = "model averaging")]
#[doc(alias = "snapshot ensemble")]
#[doc(alias = "ensembling")]
pub struct Ensemble<const N: usize, const M: usize> {
    /// Room for all; those from `count` on are no members.
    room: [[f32; N]; M],
    count: usize,
}

impl<const N: usize, const M: usize> Ensemble<N, M> {
    /// An ensemble without members.
    #[must_use]
    pub const fn new() -> Self {
        Self { room: [[0.0; N]; M], count: 0 }
    }

    /// Adds a model.
    ///
    /// # Errors
    /// [`Error::Full`] if there are `M` already, [`Error::Empty`] if it has no parameters.
    pub fn push(&mut self, params: &[f32; N]) -> Result<(), Error> {
        ensure(N > 0, Error::Empty)?;
        self.room.get_mut(self.count).ok_or(Error::Full)?.copy_from_slice(params);
        self.count += 1;
        Ok(())
    }

    /// Without members again, in place.
    pub fn reset(&mut self) {
        self.count = 0;
    }

    /// The weights of each model, in the order in which they came.
    #[must_use]
    pub fn members(&self) -> &[[f32; N]] {
        self.room.get(..self.count).unwrap_or_default()
    }

    /// As many members, at most `M`, to be filled.
    pub(super) fn resize(&mut self, count: usize) -> &mut [[f32; N]] {
        self.count = count.min(M);
        self.room.get_mut(..self.count).unwrap_or_default()
    }

    /// Mean of what the members predict: `model` turns weights into probabilities, and writes them all.
    ///
    /// `scratch` holds one prediction at a time and is as long as `mean`: the classes of one sample,
    /// or of many samples in a row. [`argmax`](super::argmax) of each row is the ensemble's answer. `exec` says where
    /// the mean is formed.
    ///
    /// # Errors
    /// [`Error::Empty`] if there is no member, [`Error::Length`] if `scratch` is not as long as `mean`;
    /// nothing was written.
    pub fn predict(
        &self,
        exec: impl Into<Exec>,
        model: impl FnMut(&[f32], &mut [f32]),
        scratch: &mut [f32],
        mean: &mut [f32],
    ) -> Result<(), Error> {
        predict(exec.into(), self.members().iter().map(<[f32; N]>::as_slice), model, scratch, mean)
    }
}

impl<const N: usize, const M: usize> Default for Ensemble<N, M> {
    fn default() -> Self {
        Self::new()
    }
}

/// Members alone count, not what the room for others holds.
impl<const N: usize, const M: usize> PartialEq for Ensemble<N, M> {
    fn eq(&self, other: &Self) -> bool {
        self.members() == other.members()
    }
}

impl<const N: usize, const M: usize> fmt::Debug for Ensemble<N, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ensemble").field("members", &self.members()).finish()
    }
}

/// The weights of any number of models, of one size.
///
/// ```
/// use gradus::ensemble::EnsembleVec;
/// let mut models = EnsembleVec::new();
/// models.push(&[1.0, 2.0])?;
/// models.push(&[3.0, 4.0])?;
/// assert_eq!(models.members(), [[1.0, 2.0], [3.0, 4.0]]);
/// assert!(models.push(&[5.0]).is_err());
/// # Ok::<(), gradus::Error>(())
/// ```
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "Vec<Vec<f32>>", try_from = "Vec<Vec<f32>>"))]
pub struct EnsembleVec {
    pub(super) members: Vec<Vec<f32>>,
}

#[cfg(feature = "alloc")]
impl EnsembleVec {
    /// An ensemble without members.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Adds a model.
    ///
    /// # Errors
    /// [`Error::Length`] if it has not as many parameters as the others, [`Error::Empty`] if it has none,
    /// [`Error::Full`] if there are 2^32 - 1 models already.
    pub fn push(&mut self, params: &[f32]) -> Result<(), Error> {
        ensure(!params.is_empty(), Error::Empty)?;
        ensure(counts(self.members.len().saturating_add(1)), Error::Full)?;
        if let Some(first) = self.members.first() {
            same_length(Argument::Member, first.len(), params.len())?;
        }
        self.members.push(params.to_vec());
        Ok(())
    }

    /// Without members again.
    pub fn reset(&mut self) {
        self.members.clear();
    }

    /// The weights of each model, in the order in which they came.
    #[must_use]
    pub fn members(&self) -> &[Vec<f32>] {
        &self.members
    }

    /// Mean of what the members predict: see [`Ensemble::predict`].
    ///
    /// # Errors
    /// [`Error::Empty`] if there is no member, [`Error::Length`] if `scratch` is not as long as `mean`;
    /// nothing was written.
    pub fn predict(
        &self,
        exec: impl Into<Exec>,
        model: impl FnMut(&[f32], &mut [f32]),
        scratch: &mut [f32],
        mean: &mut [f32],
    ) -> Result<(), Error> {
        predict(exec.into(), self.members.iter().map(Vec::as_slice), model, scratch, mean)
    }
}

/// Whether a file, whose counts have 32 bits, can say how many members there are.
#[cfg(feature = "alloc")]
fn counts(members: usize) -> bool {
    u32::try_from(members).is_ok()
}

#[cfg(feature = "alloc")]
impl TryFrom<Vec<Vec<f32>>> for EnsembleVec {
    type Error = Error;
    fn try_from(members: Vec<Vec<f32>>) -> Result<Self, Error> {
        let n = members.first().map_or(1, Vec::len);
        ensure(n > 0, Error::Empty)?;
        ensure(counts(members.len()), Error::Full)?;
        for params in &members {
            same_length(Argument::Member, n, params.len())?;
        }
        Ok(Self { members })
    }
}

#[cfg(feature = "alloc")]
impl From<EnsembleVec> for Vec<Vec<f32>> {
    fn from(ensemble: EnsembleVec) -> Self {
        ensemble.members
    }
}

/// Sum over the members, then one division: the order of [`mean`](super::mean).
pub(crate) fn predict<'a>(
    exec: Exec,
    members: impl ExactSizeIterator<Item = &'a [f32]>,
    mut model: impl FnMut(&[f32], &mut [f32]),
    scratch: &mut [f32],
    mean: &mut [f32],
) -> Result<(), Error> {
    ensure(members.len() > 0, Error::Empty)?;
    same_length(Argument::Scratch, mean.len(), scratch.len())?;
    let divisor = members.len() as f32;
    mean.fill(0.0);
    for params in members {
        model(params, scratch);
        run(exec, &Add, Columns::new(mean, [scratch], [])?);
    }
    run(exec, &Divide { divisor }, Columns::new(mean, [], [])?);
    Ok(())
}

#[cfg(all(test, feature = "alloc", target_pointer_width = "64"))]
mod tests {
    use super::*;

    /// So many members that no test has memory for them.
    #[test]
    fn members_are_counted_in_32_bits() {
        let most = 0xFFFF_FFFF;
        assert_eq!([0, most, most + 1].map(counts), [true, true, false]);
    }
}
