//! Stochastic depth.

use super::dropout::{Dropout, Scaled};
use super::masks::Masks;
use crate::cut::cut_mut;
use crate::error::{Argument, Error, ensure, same_length};
use crate::simd::mask::{InOut, mask_words};
use crate::simd::{Element, Exec, run};

/// Stochastic depth (Huang et al., 2016): a residual branch is left out of training at random.
///
/// ```text
///            training                                       inference
/// inverted   y = x + (survives ? f(x) / keep_prob : 0)      y = x + f(x)
/// vanilla    y = x + (survives ? f(x) : 0)                  y = x + keep_prob * f(x)
/// ```
///
/// Vanilla is the paper's. The passes are over the branch `f(x)`; the sum stays with the caller. One bit
/// decides for a sample ([`draw`](Self::draw)) or for the batch ([`draw_batch`](Self::draw_batch), the
/// paper's). The branch of a sample that does not survive need not be computed; its gradient is +0.
///
/// ```
/// use gradus::noise::{Dropout, Masks, StochasticDepth};
/// let survival = StochasticDepth::linear(3, 12, 0.5); // block 3 of 12, the last one at 0.5
/// assert_eq!(survival, 0.875);
/// let depth = StochasticDepth(Dropout::keep_prob(survival));
///
/// let mut masks = Masks::new(1);
/// let (mut branch, mut mask) = ([1.0_f32; 4 * 5], [0]); // four samples of five features
/// depth.draw(&mut masks, &mut mask);
/// depth.forward(&mut branch, 4, &mask)?;
/// depth.backward(&mut branch, 4, &mask)?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "drop path")]
#[doc(alias = "layer drop")]
pub struct StochasticDepth(
    /// The probability to survive, when to scale, and where to run.
    pub Dropout,
);

impl StochasticDepth {
    /// Survival of block `block` of `blocks`, counted from 1, by the paper's linear rule.
    ///
    /// ```text
    /// 1 - block / blocks * (1 - last)
    /// ```
    ///
    /// The last block, also where it is the only one, has `last`; blocks past it too. The input, block 0,
    /// has 1. `last` lies between 0 and 1, which only [`check`](Self::check) looks at.
    #[must_use]
    pub const fn linear(block: u32, blocks: u32, last: f32) -> f32 {
        let kept = if block < blocks { 1.0 - block as f32 / blocks as f32 * (1.0 - last) } else { last };
        if kept < last { last } else { kept } // two roundings could end below the last
    }

    /// Checks that it is a probability. The passes do not check it.
    ///
    /// # Errors
    /// [`Error::Range`] if it is not.
    pub const fn check(&self) -> Result<(), Error> {
        self.0.check()
    }

    /// The same with a chosen instruction set, or on threads.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self(self.0.on(exec))
    }

    /// Draws one bit for each sample of a batch: `mask_words(samples)` words.
    pub fn draw(&self, masks: &mut Masks, mask: &mut [u32]) {
        self.0.draw(masks, mask);
    }

    /// Draws one bit for all samples of a batch, writes it to each, and returns it.
    pub fn draw_batch(&self, masks: &mut Masks, mask: &mut [u32]) -> bool {
        let mut word = [0];
        self.0.draw(masks, &mut word);
        let survives = word[0] & 1 == 1;
        mask.fill(if survives { !0 } else { 0 });
        survives
    }

    /// The training pass over the branch of `samples` samples, one after the other.
    ///
    /// # Errors
    /// [`Error::Shape`] if `samples` does not divide the length of `branch`, [`Error::Length`] if
    /// `mask` has not `mask_words(samples)` words; nothing was changed.
    pub fn forward<T: Element>(&self, branch: &mut [T], samples: usize, mask: &[u32]) -> Result<(), Error> {
        let features = branch.len().checked_div(samples).unwrap_or(0);
        ensure(features * samples == branch.len(), Error::Shape)?;
        same_length(Argument::Mask, mask_words(samples), mask.len())?;
        let scaled = Scaled { factor: self.0.scale() };
        let mut rest = branch;
        for i in 0..samples {
            let sample = cut_mut(&mut rest, features);
            let word = mask.get(i / 32).copied().unwrap_or(0);
            if word >> (i % 32) & 1 == 1 {
                run(self.0.exec, &scaled, InOut::from(sample).columns()?);
            } else {
                sample.fill(T::ZERO);
            }
        }
        Ok(())
    }

    /// The gradient with respect to `f(x)`, given the same mask: the same pass over the gradient.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    #[inline]
    pub fn backward<T: Element>(&self, grads: &mut [T], samples: usize, mask: &[u32]) -> Result<(), Error> {
        self.forward(grads, samples, mask)
    }

    /// The pass of inference over the branch.
    pub fn inference<T: Element>(&self, branch: &mut [T]) {
        // One slice has one length: this cannot fail.
        let _ = self.0.inference(branch);
    }
}
