//! Pairs of numbers by their names: a swap of two pairs does not compile.

use super::{BatchNorm, InputNorm};
#[cfg(feature = "alloc")]
use crate::optim::StateVec;
use crate::optim::{Clock, State, StateMut};

/// The map that is learnt, weight and bias of each channel: the paper's gamma and beta. Gradients have the same parts.
///
/// `S` is memory for both, an array, a `Vec` or a slice. Two arrays of different lengths are no `Params`:
///
/// ```
/// use gradus::norm::Params;
/// let params = Params { weight: [1.0_f32; 3], bias: [0.0; 3] };
/// ```
/// ```compile_fail,E0308
/// use gradus::norm::Params;
/// let params = Params { weight: [1.0_f32; 3], bias: [0.0; 2] };
/// ```
///
/// Statistics in the place of parameters do not compile either:
///
/// ```
/// use gradus::norm::{BatchNorm, BatchShape, Params, Statistics};
/// let (params, mut batch) = (Params { weight: [1.0; 1], bias: [0.0] }, Statistics { mean: [0.0], variance: [0.0] });
/// let (x, mut y) = ([1.0_f32, 3.0], [0.0; 2]);
/// BatchNorm::new().forward(BatchShape::dense(2, 1), &x, &mut y, &params, &mut batch).unwrap();
/// ```
/// ```compile_fail,E0308
/// use gradus::norm::{BatchNorm, BatchShape, Params, Statistics};
/// let (params, mut batch) = (Params { weight: [1.0; 1], bias: [0.0] }, Statistics { mean: [0.0], variance: [0.0] });
/// let (x, mut y) = ([1.0_f32, 3.0], [0.0; 2]);
/// BatchNorm::new().forward(BatchShape::dense(2, 1), &x, &mut y, &mut batch, &params).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Params<S> {
    /// What a normalised value is multiplied by.
    pub weight: S,
    /// What is added then.
    pub bias: S,
}

/// Mean and biased variance: of each channel of a batch, or of each row of a group or layer normalisation.
///
/// `S` is memory for both, an array, a `Vec` or a slice, as in [`Params`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Statistics<S> {
    /// Means.
    pub mean: S,
    /// Variances with the divisor `n`.
    pub variance: S,
}

/// Running statistics to read: those of a state in any memory, or what another library has left.
///
/// In a state that has tracked no batch yet every variance counts as 1, whatever lies in its memory.
///
/// ```
/// use gradus::norm::{BatchNorm, BatchNormState, BatchShape, Params, Statistics};
/// let (norm, shape) = (BatchNorm { eps: 0.0, ..BatchNorm::new() }, BatchShape::dense(2, 1));
/// let params = Params { weight: [2.0], bias: [1.0] };
///
/// let (mut x, fresh) = ([3.0, 5.0], BatchNormState::<1>::new()); // all zero bits
/// norm.inference(shape, &mut x, &params, &fresh)?;
/// assert_eq!(x, [7.0, 11.0]);
///
/// let trained = Statistics { mean: [3.0], variance: [4.0] };
/// norm.inference(shape, &mut x, &params, &trained)?;
/// assert_eq!(x, [5.0, 9.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Running<'a> {
    pub(super) mean: &'a [f32],
    pub(super) variance: &'a [f32],
    /// Whether the variances are still those of the start, which are 1.
    pub(super) fresh: bool,
}

impl<'a> Running<'a> {
    /// The columns of a state in any memory, and its clock.
    #[must_use]
    pub const fn new(mean: &'a [f32], variance: &'a [f32], clock: &Clock) -> Self {
        Self { mean, variance, fresh: clock.t == 0 }
    }

    /// The columns of a state.
    fn of(columns: &'a [impl AsRef<[f32]>], clock: &Clock) -> Self {
        let mut columns = columns.iter().map(AsRef::as_ref);
        Self::new(columns.next().unwrap_or_default(), columns.next().unwrap_or_default(), clock)
    }
}

/// The states that are a mean and a variance, in any memory.
macro_rules! running {
    ($norm:ident) => {
        impl<'a, const C: usize> From<&'a State<$norm, C>> for Running<'a> {
            fn from(state: &'a State<$norm, C>) -> Self {
                Self::of(&state.columns, &state.clock)
            }
        }

        impl<'a> From<&'a StateMut<'_, $norm>> for Running<'a> {
            fn from(state: &'a StateMut<'_, $norm>) -> Self {
                Self::of(&state.columns, state.clock)
            }
        }

        #[cfg(feature = "alloc")]
        impl<'a> From<&'a StateVec<$norm>> for Running<'a> {
            fn from(state: &'a StateVec<$norm>) -> Self {
                Self::of(state.columns(), &state.clock)
            }
        }
    };
}

running!(BatchNorm);
running!(InputNorm);

impl<'a, S: AsRef<[f32]>> From<&'a Statistics<S>> for Running<'a> {
    fn from(statistics: &'a Statistics<S>) -> Self {
        Self { mean: statistics.mean.as_ref(), variance: statistics.variance.as_ref(), fresh: false }
    }
}
