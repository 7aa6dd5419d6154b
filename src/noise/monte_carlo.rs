//! Monte-Carlo averaging over masks.

use crate::error::{Argument, Error, same_length};
use crate::simd::{Columns, Element, Exec, Rule, Vector, Width, run};

/// Mean and variance of predictions over many masks (Gal and Ghahramani, 2016), in one pass each.
///
/// Dropout stays on at inference, with a new mask for every pass. The mean is the prediction, the variance
/// tells how sure the network is of it. By Welford's recurrence (1962), without keeping any pass:
///
/// ```text
/// d = y - mean;  mean += d / n;  m2 += d * (y - mean);  variance = m2 / (n - 1)
/// ```
///
/// In `f32` a mean stands still after some 2^24 passes, because `d / n` is less than its last digit.
///
/// ```
/// use gradus::{ensemble::argmax, noise::MonteCarlo};
/// let (mut mean, mut spread) = ([0.0_f32; 3], [0.0; 3]); // in a real network: its outputs
/// let mut passes = MonteCarlo::new(&mut mean, &mut spread)?;
/// for prediction in [[0.1, 0.7, 0.2], [0.3, 0.5, 0.2]] {
///     passes.add(&prediction)?;
/// }
/// passes.finish();
/// assert_eq!(argmax(&mean), Some(1));
/// assert!(spread[1] > 0.0 && spread[2] == 0.0);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug)]
#[doc(alias = "uncertainty")]
#[doc(alias = "mc dropout")]
pub struct MonteCarlo<'a, T = f32> {
    mean: &'a mut [T],
    m2: &'a mut [T],
    count: u32,
    exec: Exec,
}

impl<'a, T: Element> MonteCarlo<'a, T> {
    /// Begins with no pass; both slices become 0.
    ///
    /// # Errors
    /// [`Error::Length`] if they differ in length; nothing was changed.
    pub fn new(mean: &'a mut [T], spread: &'a mut [T]) -> Result<Self, Error> {
        same_length(Argument::Variance, mean.len(), spread.len())?;
        mean.fill(T::ZERO);
        spread.fill(T::ZERO);
        Self::resume(mean, spread, 0)
    }

    /// Goes on after `count` passes, with both slices as they left them: dropped, not finished.
    ///
    /// # Errors
    /// [`Error::Length`] if they differ in length; nothing was changed.
    pub fn resume(mean: &'a mut [T], spread: &'a mut [T], count: u32) -> Result<Self, Error> {
        same_length(Argument::Variance, mean.len(), spread.len())?;
        Ok(Self { mean, m2: spread, count, exec: Exec::new() })
    }

    /// The same with a chosen instruction set, or on threads.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { exec: exec.into(), ..self }
    }

    /// Adds the prediction of one pass.
    ///
    /// # Errors
    /// [`Error::Length`] if it has not the length of the mean; nothing was changed.
    pub fn add(&mut self, prediction: &[T]) -> Result<(), Error> {
        same_length(Argument::Input, self.mean.len(), prediction.len())?;
        let columns = Columns::new(self.mean, [prediction], [self.m2])?;
        self.count = self.count.saturating_add(1);
        run(self.exec, &Welford { count: T::from_count(self.count as usize) }, columns);
        Ok(())
    }

    /// Number of passes so far.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Mean of the passes so far.
    #[must_use]
    pub const fn mean(&self) -> &[T] {
        self.mean
    }

    /// Turns the second slice into the variance of the passes, with divisor `n - 1`; 0 for one pass.
    pub fn finish(self) {
        finish(self.m2, self.count);
    }
}

/// Turns sums of squares into the variance of `count` passes.
pub(crate) fn finish<T: Element>(m2: &mut [T], count: u32) {
    let divisor = T::from_count(count.saturating_sub(1).max(1) as usize);
    for x in m2 {
        *x = *x / divisor;
    }
}

/// One step of the recurrence; the mean is the column that is updated.
struct Welford<T> {
    count: T,
}

impl<T: Element> Rule<1, T> for Welford<T> {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, mean: V, [y]: [V; 1], [m2]: [V; 1]) -> (V, [V; 1]) {
        let d = y - mean;
        let mean = mean + d / V::splat(isa, self.count);
        (mean, [m2 + d * (y - mean)])
    }
}
