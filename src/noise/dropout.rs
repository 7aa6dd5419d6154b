//! Dropout.

use super::masks::{MaskSource, Masks};
use crate::error::{Error, Hyper, require};
use crate::simd::mask::{Gate, Gated, InOut};
use crate::simd::{Element, Exec, Rule, Vector, Width, run};

/// Dropout (Srivastava et al., 2014): every element is kept with a probability, else it is +0.
///
/// ```text
///              training                        inference
/// inverted     y = keep ? x / keep_prob : 0    y = x
/// vanilla      y = keep ? x : 0                y = x * keep_prob
/// ```
///
/// Inverted, the default, keeps the expected value in training, so that nothing is left to do at
/// inference. The product is with `1 / keep_prob`, rounded once. A dropped element is +0 whatever it was, also
/// infinity and NaN; `drop_prob` 0 is the identity and 1 gives +0 everywhere.
///
/// A pass is in place (`&mut x`) or from one slice to another (`(&x, &mut y)`), and takes its mask from
/// words that the caller keeps or from a generator ([`MaskSource`]). The backward pass takes the same
/// mask:
///
/// ```
/// use gradus::noise::{Dropout, Masks, mask_words};
/// let dropout = Dropout::drop_prob(0.2);
/// let mut masks = Masks::new(7);
/// let (mut x, mut grads) = ([1.0_f32; 50], [1.0_f32; 50]);
///
/// // One bit of memory for each element:
/// let mut mask = [0; mask_words(50)];
/// masks.fill(dropout.keep_prob, &mut mask);
/// dropout.forward(&mut x, &mask)?;
/// dropout.backward(&mut grads, &mask)?;
/// assert_eq!(x, grads); // 0 or 1.25
///
/// // None, but a copy of the generator:
/// let mut again = masks.clone();
/// dropout.forward(&mut x, &mut masks)?;
/// dropout.backward(&mut grads, &mut again)?;
/// assert_eq!(x, grads);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// With the rectifier in the same pass, the output tells its own mask, and the backward pass needs
/// neither words nor generator:
///
/// ```
/// # use gradus::noise::{Dropout, Masks};
/// # let (dropout, mut masks) = (Dropout::drop_prob(0.2), Masks::new(7));
/// # let (mut x, mut grads) = ([1.0_f32; 50], [1.0_f32; 50]);
/// dropout.relu_forward(&mut x, &mut masks)?;
/// dropout.relu_backward(&mut grads, &x)?;
/// # assert_eq!(x, grads);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "inverted dropout")]
#[doc(alias = "regularization")]
pub struct Dropout {
    /// Probability that an element is kept.
    pub keep_prob: f32,
    /// Whether the scaling is done in training; true by default.
    pub inverted: bool,
    /// Where the passes run; it is in no file.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exec: Exec,
}

impl Dropout {
    /// Inverted dropout by the probability to drop, as PyTorch counts.
    ///
    /// It is an `f64`, of which 1 is the difference: `1 - 0.999` in `f32` would be off by 1.3e-5, and so would be the scale.
    #[must_use]
    pub const fn drop_prob(drop_prob: f64) -> Self {
        Self::keep_prob((1.0 - drop_prob) as f32)
    }

    /// Inverted dropout by the probability to keep, as the paper counts.
    #[must_use]
    pub const fn keep_prob(keep_prob: f32) -> Self {
        Self { keep_prob, inverted: true, exec: Exec::new() }
    }

    /// The paper's own form: no scaling in training, [`inference`](Self::inference) scales.
    #[must_use]
    pub const fn vanilla(self) -> Self {
        Self { inverted: false, ..self }
    }

    /// Checks that `keep_prob` is a probability. The passes do not check it.
    ///
    /// # Errors
    /// [`Error::Range`] if it is not.
    pub const fn check(&self) -> Result<(), Error> {
        require(0.0 <= self.keep_prob && self.keep_prob <= 1.0, Hyper::Probability)
    }

    /// The same with a chosen instruction set, or on threads.
    ///
    /// A pass that draws its mask on the way runs on one thread: the stream is one sequence.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { exec: exec.into(), ..self }
    }

    /// Fills `mask` with independent bits, each 1 with probability `keep_prob`: as [`Masks::fill`].
    pub fn draw(&self, masks: &mut Masks, mask: &mut [u32]) {
        masks.fill_on(self.exec.level(), self.keep_prob, mask);
    }

    /// The training pass.
    ///
    /// # Errors
    /// [`Error::Length`] if slices or mask do not fit each other; nothing was changed.
    #[inline]
    pub fn forward<'a, T: Element>(
        &self,
        x: impl Into<InOut<'a, T>>,
        mask: impl MaskSource,
    ) -> Result<(), Error> {
        mask.run(self.exec, self.keep_prob, &Keep { scale: self.scale() }, Gated::new(x.into(), [])?)
    }

    /// The gradient of [`forward`](Self::forward) with respect to `x`, given the same mask: the same
    /// pass over the gradient with respect to `y`.
    ///
    /// # Errors
    /// [`Error::Length`] if slices or mask do not fit each other; nothing was changed.
    #[inline]
    pub fn backward<'a, T: Element>(
        &self,
        grads: impl Into<InOut<'a, T>>,
        mask: impl MaskSource,
    ) -> Result<(), Error> {
        self.forward(grads, mask)
    }

    /// [`forward`](Self::forward) of `max(0, x)`; NaN stays NaN where it is kept.
    ///
    /// # Errors
    /// [`Error::Length`] if slices or mask do not fit each other; nothing was changed.
    #[inline]
    pub fn relu_forward<'a, T: Element>(
        &self,
        x: impl Into<InOut<'a, T>>,
        mask: impl MaskSource,
    ) -> Result<(), Error> {
        mask.run(self.exec, self.keep_prob, &KeepPositive { scale: self.scale() }, Gated::new(x.into(), [])?)
    }

    /// The gradient of [`relu_forward`](Self::relu_forward), given its output `y`: scaled where `y > 0`,
    /// else +0; NaN where `y` is NaN.
    ///
    /// # Errors
    /// [`Error::Length`] if the slices differ in length; nothing was changed.
    #[inline]
    pub fn relu_backward<'a, T: Element>(
        &self,
        grads: impl Into<InOut<'a, T>>,
        y: &'a [T],
    ) -> Result<(), Error> {
        run(self.exec, &WherePositive { scale: self.scale() }, grads.into().columns_with([y])?);
        Ok(())
    }

    /// The pass of inference: nothing where inverted, times `keep_prob` where vanilla.
    ///
    /// # Errors
    /// [`Error::Length`] if the slices differ in length; nothing was changed.
    #[inline]
    pub fn inference<'a, T: Element>(&self, x: impl Into<InOut<'a, T>>) -> Result<(), Error> {
        let columns = x.into().columns()?;
        let factor = self.inference_scale();
        if factor == T::ZERO {
            run(self.exec, &Dropped, columns); // a product would be -0 or NaN
        } else {
            run(self.exec, &Scaled { factor }, columns);
        }
        Ok(())
    }

    /// The factor of inference.
    #[inline]
    pub(super) fn inference_scale<T: Element>(&self) -> T {
        if self.inverted { T::ONE } else { T::from_f32(self.keep_prob) }
    }

    /// The factor of what is kept in training.
    #[inline]
    pub(super) fn scale<T: Element>(&self) -> T {
        // Where nothing is ever kept, 1 / keep_prob might be infinite, and 0 times it NaN.
        let something = self.keep_prob * 4_294_967_296.0 >= 1.0;
        if self.inverted && something { T::ONE / T::from_f32(self.keep_prob) } else { T::ONE }
    }
}

/// `keep ? x * scale : 0`.
struct Keep<T> {
    scale: T,
}

impl<T: Element> Gate<0, T> for Keep<T> {
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, _: [V; 0], bits: u32) -> V {
        (x * V::splat(isa, self.scale)).keep(bits)
    }
    #[inline(always)]
    fn factor(&self) -> Option<T> {
        Some(self.scale)
    }
}

/// `keep ? max(0, x) * scale : 0`.
struct KeepPositive<T> {
    scale: T,
}

impl<T: Element> Gate<0, T> for KeepPositive<T> {
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, _: [V; 0], bits: u32) -> V {
        (V::splat(isa, T::ZERO).max(x) * V::splat(isa, self.scale)).keep(bits)
    }
}

/// `y > 0 ? g * scale : 0`.
struct WherePositive<T> {
    scale: T,
}

impl<T: Element> Rule<2, T> for WherePositive<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [g, y]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        let zero = V::splat(isa, T::ZERO);
        // What is not positive becomes +0, and a NaN, which the rectifier lets pass, stays.
        (y.select_gt(zero, g * V::splat(isa, self.scale), zero.max(y) + zero), [])
    }
}

/// +0, whatever `x` is.
struct Dropped;

impl<T: Element> Rule<1, T> for Dropped {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, _: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (V::splat(isa, T::ZERO), [])
    }
}

/// `x * factor`.
pub(super) struct Scaled<T> {
    pub factor: T,
}

impl<T: Element> Rule<1, T> for Scaled<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, _: V, [x]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
        (x * V::splat(isa, self.factor), [])
    }
}
