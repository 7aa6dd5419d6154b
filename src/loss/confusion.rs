//! Which class was taken for which.

use super::argmax;
use crate::cut::cut;
use crate::error::{Error, ensure};
use crate::store::bytes::Head;
use crate::store::{Error as StoreError, Fixed, Load, Name, Reader, Save, Writer};

/// How often each class was taken for each: the confusion matrix, and what is counted of it.
///
/// A row is a class, a column what it was taken for. It is all zero bits at the start, has a fixed size, and is saved and
/// loaded like a state: a device can count for months. A count stays at the largest `u32` once there.
///
/// | | |
/// |---|---|
/// | [`accuracy`](Self::accuracy) | samples that were recognised, of all |
/// | [`recall`](Self::recall) | samples of a class that were recognised, of all of the class |
/// | [`precision`](Self::precision) | samples of a class that were recognised, of all that were taken for it |
///
/// ```
/// use gradus::loss::Confusion;
///
/// let mut seen = Confusion::<2>::new();
/// seen.add_scores(&[0.9, 0.1, 0.2, 0.8, 0.4, 0.6], &[0_u8, 1, 0])?; // three samples, the last one is taken for a 1
/// assert_eq!(seen.counts(), &[[1, 1], [0, 1]]);
/// assert_eq!((seen.recall(0), seen.precision(1)), (Some(0.5), Some(0.5)));
/// seen.add(1, 1)?;
/// assert_eq!((seen.accuracy(), seen.samples()), (Some(0.75), 4));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[doc(alias = "confusion matrix")]
pub struct Confusion<const CLASSES: usize> {
    counts: [[u32; CLASSES]; CLASSES],
}

impl<const CLASSES: usize> Default for Confusion<CLASSES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CLASSES: usize> Confusion<CLASSES> {
    /// A matrix of zeros.
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: [[0; CLASSES]; CLASSES] }
    }

    /// Sets all counts to 0 again.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Counts a sample of class `label` that was taken for `predicted`.
    ///
    /// # Errors
    /// [`Error::Shape`] if one of them is no class; nothing was changed.
    pub fn add(&mut self, label: usize, predicted: usize) -> Result<(), Error> {
        count(self.counts.as_flattened_mut(), CLASSES, label, predicted)
    }

    /// Counts samples by their scores, a row for each: the class with the largest score is what a sample is taken for.
    /// Labels are `u8`, `u16` or `usize`. NaN is passed over; a row of nothing else is taken for class 0.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is not a row for each label, or a label is no class; nothing was changed.
    pub fn add_scores<L: Copy + Into<usize>>(&mut self, scores: &[f32], labels: &[L]) -> Result<(), Error> {
        count_scores(self.counts.as_flattened_mut(), CLASSES, scores, labels)
    }

    /// Adds what another one has seen.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.as_flattened_mut().iter_mut().zip(other.counts.as_flattened()) {
            *count = count.saturating_add(*more);
        }
    }

    /// The counts: a row for each class, a column for what it was taken for.
    #[must_use]
    pub const fn counts(&self) -> &[[u32; CLASSES]; CLASSES] {
        &self.counts
    }

    /// How many samples were seen.
    #[must_use]
    pub fn samples(&self) -> u64 {
        sum(self.counts.as_flattened())
    }

    /// The share of samples that were recognised; `None` if there is no sample.
    #[must_use]
    pub fn accuracy(&self) -> Option<f32> {
        accuracy(self.counts.as_flattened(), CLASSES)
    }

    /// The share of a class that was recognised; `None` if the class has no sample, or is no class.
    #[must_use]
    pub fn recall(&self, class: usize) -> Option<f32> {
        let row = self.counts.get(class)?;
        share(u64::from(*row.get(class)?), sum(row))
    }

    /// The share of what was taken for a class that is of it; `None` if there is no such sample, or no such class.
    #[must_use]
    pub fn precision(&self, class: usize) -> Option<f32> {
        let taken = self.counts.iter().filter_map(|row| row.get(class));
        let all = taken.fold(0, |all, count| all + u64::from(*count));
        share(u64::from(*self.counts.get(class)?.get(class)?), all)
    }
}

/// Counts a sample in a matrix of any number of classes.
pub(crate) fn count(counts: &mut [u32], classes: usize, label: usize, predicted: usize) -> Result<(), Error> {
    ensure(label < classes && predicted < classes, Error::Shape)?;
    if let Some(count) = counts.get_mut(label * classes + predicted) {
        *count = count.saturating_add(1);
    }
    Ok(())
}

/// Counts samples by their scores in such a matrix.
pub(crate) fn count_scores<L: Copy + Into<usize>>(
    counts: &mut [u32],
    classes: usize,
    scores: &[f32],
    labels: &[L],
) -> Result<(), Error> {
    ensure(labels.len().checked_mul(classes) == Some(scores.len()), Error::Shape)?;
    for label in labels {
        ensure((*label).into() < classes, Error::Shape)?;
    }
    let mut rest = scores;
    for label in labels {
        count(counts, classes, (*label).into(), argmax(cut(&mut rest, classes)))?;
    }
    Ok(())
}

/// What was recognised, of all, in such a matrix.
pub(crate) fn accuracy(counts: &[u32], classes: usize) -> Option<f32> {
    // The diagonal: every (classes + 1)th count.
    let (mut rest, mut right) = (counts, 0);
    while let Some(count) = cut(&mut rest, classes + 1).first() {
        right += u64::from(*count);
    }
    share(right, sum(counts))
}

fn sum(counts: &[u32]) -> u64 {
    counts.iter().fold(0, |sum, count| sum + u64::from(*count))
}

fn share(part: u64, whole: u64) -> Option<f32> {
    if whole == 0 { None } else { Some(part as f32 / whole as f32) }
}

const NAME: Name = Name::new("confusion");

impl<const CLASSES: usize> Save for Confusion<CLASSES> {
    fn write(&self, to: &mut Writer<'_>) {
        to.head(Head::new(NAME, CLASSES, CLASSES));
        for count in self.counts.as_flattened() {
            to.u32(*count);
        }
    }
}

impl<const CLASSES: usize> Load for Confusion<CLASSES> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), StoreError> {
        from.head().expect(Head::new(NAME, CLASSES, CLASSES))?;
        from.skip(size_of::<Self>() as u64);
        Ok(())
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        from.head();
        for count in self.counts.as_flattened_mut() {
            *count = from.u32();
        }
    }
}

impl<const CLASSES: usize> Fixed for Confusion<CLASSES> {
    const SIZE: usize = Head::SIZE + size_of::<Self>();
}
