//! The weights of several models.

use super::{Add, Divide};
use crate::error::{Argument, Error, ensure, same_length};
use crate::simd::{Columns, Level, run};
#[cfg(feature = "alloc")]
use alloc::vec::Vec;

/// The weights of up to `M` models with `N` parameters each, without a heap.
///
/// See the [module](super) for an example.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ensemble<const N: usize, const M: usize> {
    members: heapless::Vec<[f32; N], M>,
}

impl<const N: usize, const M: usize> Ensemble<N, M> {
    /// An ensemble without members.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: heapless::Vec::new() }
    }

    /// Adds a model.
    ///
    /// # Errors
    /// [`Error::Full`] if there are `M` already, [`Error::Empty`] if it has no parameters.
    pub fn push(&mut self, params: &[f32; N]) -> Result<(), Error> {
        ensure(N > 0, Error::Empty)?;
        let full = Error::Full;
        self.members.push(*params).map_err(|_| full)
    }

    /// The weights of each model, in the order in which they came.
    #[must_use]
    pub fn members(&self) -> &[[f32; N]] {
        &self.members
    }

    /// Mean of what the members predict: `model` turns weights into probabilities, and writes them all.
    ///
    /// `scratch` holds one prediction at a time and is as long as `mean`: the classes of one sample,
    /// or of many samples in a row. [`argmax`](super::argmax) of each row is the ensemble's answer.
    ///
    /// # Errors
    /// [`Error::Empty`] if there is no member, [`Error::Length`] if `scratch` is not as long as `mean`;
    /// nothing was written.
    pub fn predict(
        &self,
        model: impl FnMut(&[f32], &mut [f32]),
        scratch: &mut [f32],
        mean: &mut [f32],
    ) -> Result<(), Error> {
        predict(self.members.iter().map(<[f32; N]>::as_slice), model, scratch, mean)
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
    members: Vec<Vec<f32>>,
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
    /// [`Error::Length`] if it has not as many parameters as the others, [`Error::Range`] if it has none, or
    /// there are 2^32 - 1 models already.
    pub fn push(&mut self, params: &[f32]) -> Result<(), Error> {
        ensure(!params.is_empty() && counts(self.members.len().saturating_add(1)), Error::Empty)?;
        if let Some(first) = self.members.first() {
            same_length(Argument::Member, first.len(), params.len())?;
        }
        self.members.push(params.to_vec());
        Ok(())
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
        model: impl FnMut(&[f32], &mut [f32]),
        scratch: &mut [f32],
        mean: &mut [f32],
    ) -> Result<(), Error> {
        predict(self.members.iter().map(Vec::as_slice), model, scratch, mean)
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
        ensure(n > 0 && counts(members.len()), Error::Empty)?;
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
fn predict<'a>(
    members: impl ExactSizeIterator<Item = &'a [f32]>,
    mut model: impl FnMut(&[f32], &mut [f32]),
    scratch: &mut [f32],
    mean: &mut [f32],
) -> Result<(), Error> {
    ensure(members.len() > 0, Error::Empty)?;
    same_length(Argument::Scratch, mean.len(), scratch.len())?;
    let level = Level::detect();
    let divisor = members.len() as f32;
    mean.fill(0.0);
    for params in members {
        model(params, scratch);
        run(level, &Add, Columns::new(mean, [scratch], [])?);
    }
    run(level, &Divide { divisor }, Columns::new(mean, [], [])?);
    Ok(())
}
