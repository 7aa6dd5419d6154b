//! Sums of gradients in half the memory.

use super::strips::Sink;
use crate::cut::cut_mut;
use crate::error::{Argument, Error, same_length};
use crate::simd::product::Start;
use crate::simd::{Bf16, Exec, round_sums, widen};
use core::ops::Range;

/// Sums of gradients in half the memory, and which pass adds to them: what a layer's `backward_half` takes.
///
/// A pass reads each sum once, adds to it in `f32`, in the order of `backward`, and writes it back rounded by the
/// dither of the pass's number and the place of the number in the slice. So the sum over a batch is right on average
/// however many passes it takes, where rounding to the nearest would lose all gradients much smaller than it.
///
/// The number is a counter of the caller's, which goes on from batch to batch: one that began anew with each would
/// repeat the errors of the last. [`Optimizer::step_half_grads`](crate::Optimizer::step_half_grads) takes the step.
///
/// ```
/// use gradus::layer::{Dense, HalfGrads};
/// use gradus::{Adam, Bf16, Optimizer};
///
/// const L1: Dense = Dense::new(2, 8);
/// const L2: Dense = Dense::new(8, 1);
/// const N: usize = L1.params() + L2.params();
///
/// let adam = Adam::new(0.01).half(); // 10 bytes for each parameter in all, in place of 16
/// let (mut params, mut state) = ([0.1; N], adam.state::<N>());
/// let (mut grads, mut passes) = ([Bf16::default(); N], 0);
/// for sample in 0..4 {
///     let (x, h, dy, mut dh) = ([1.0, sample as f32], [0.7; 8], [0.5], [0.0; 8]);
///     let [g1, g2] = HalfGrads::new(&mut grads, &mut passes).split([L1.params(), L2.params()])?;
///     let (p1, p2) = params.split_at(L1.params());
///     L2.backward_half(p2, g2, &h, &dy, Some(&mut dh))?;
///     L1.backward_half(p1, g1, &x, &dh, None)?;
/// }
/// adam.step_half_grads(&mut params, &grads, state.as_mut())?;
/// grads.fill(Bf16::default());
/// assert_eq!(passes, 4);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a layer's backward_half takes it"]
pub struct HalfGrads<'a> {
    sums: &'a mut [Bf16],
    pass: u32,
    /// Which element of the whole slice the first one is.
    first: u32,
}

impl<'a> HalfGrads<'a> {
    /// The sums of all parameters; the number of passes grows by one.
    pub const fn new(sums: &'a mut [Bf16], passes: &mut u32) -> Self {
        *passes = passes.wrapping_add(1);
        Self { sums, pass: *passes, first: 0 }
    }

    /// The sums of one layer, whose first one is the element `first` of all, in a pass that the caller has counted.
    #[cfg(feature = "ffi")]
    pub(crate) const fn counted(sums: &'a mut [Bf16], pass: u32, first: u32) -> Self {
        Self { sums, pass, first }
    }

    /// Number of sums.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.sums.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// The parts of as many layers, given how many parameters each has.
    ///
    /// # Errors
    /// [`Error::Length`] if they are not as many as all layers together have.
    pub fn split<const K: usize>(self, lengths: [usize; K]) -> Result<[Self; K], Error> {
        let sum = lengths.iter().fold(0_usize, |sum, n| sum.saturating_add(*n));
        same_length(Argument::Grads, sum, self.len())?;
        let mut rest = self;
        Ok(lengths.map(|n| {
            let sums = core::mem::take(&mut rest.sums);
            let (own, others) = sums.split_at_mut_checked(n).unwrap_or_default();
            let part = Self { sums: own, ..rest };
            rest = Self { sums: others, pass: part.pass, first: part.first.wrapping_add(n as u32) };
            part
        }))
    }
}

/// The sums of a layer and its parameters, which the gradient of its inputs asks for.
pub(crate) struct HalfSums<'a> {
    params: &'a [f32],
    grads: HalfGrads<'a>,
}

impl<'a> HalfGrads<'a> {
    /// Those of a layer with these parameters.
    pub(crate) const fn of(self, params: &'a [f32]) -> HalfSums<'a> {
        HalfSums { params, grads: self }
    }
}

impl Sink for HalfSums<'_> {
    fn params(&self) -> &[f32] {
        self.params
    }
    fn fits(&self, params: usize) -> Result<(), Error> {
        same_length(Argument::Grads, params, self.grads.len())
    }
    fn begin(
        &self,
        exec: Exec,
        mut at: usize,
        [length, stride]: [usize; 2],
        grads: &mut [f32],
    ) -> Start<'static, f32> {
        let mut rest = grads;
        while !rest.is_empty() {
            let line = cut_mut(&mut rest, length);
            widen(exec, self.grads.sums.get(at..at + length).unwrap_or_default(), line);
            at += stride;
        }
        Start::Add
    }
    fn weights(&mut self, exec: Exec, range: Range<usize>, grads: &[f32]) {
        let HalfGrads { sums, pass, first } = &mut self.grads;
        let first = first.wrapping_add(range.start as u32);
        round_sums(exec, grads, sums.get_mut(range).unwrap_or_default(), [*pass, first]);
    }
    fn biases(&mut self, exec: Exec, range: Range<usize>, grads: &[f32]) {
        self.weights(exec, range, grads);
    }
    #[cfg(feature = "rayon")]
    fn split_at(self, n: usize) -> Option<(Self, Self)> {
        let others = self.grads.len().checked_sub(n)?;
        let [first, second] = self.grads.split([n, others]).ok()?;
        let (own, rest) = self.params.split_at_checked(n)?;
        Some((first.of(own), second.of(rest)))
    }
}
