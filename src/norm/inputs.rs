//! Standardisation of inputs, learnt sample by sample.

use super::parts::Running;
use crate::cut::{cut, cut_mut};
use crate::error::{Argument, Error, Hyper, ensure, require, same_length};
use crate::optim::{State, StateMut, Stateful};
use crate::simd::{Columns, Exec, Rule, Vector, Width, run};
use crate::store::{Family, Name};

/// Standardisation of inputs: each feature with mean 0 and variance 1, by what has been seen so far (Welford, 1962).
///
/// ```text
/// n = min(t, 2^20)
/// d = x - mean;   mean += d / n;   variance += (d * (x - mean) - variance) / n
/// y = (x - mean) / max(sqrt(variance), eps)
/// ```
///
/// The formula of Keras' `Normalization`, for data that come one by one on a device. State: the mean and the variance
/// (biased, by `n`) of every feature, and the number of samples in the clock; zero bits at the start, saved and loaded like
/// any other. Before the first sample the inputs stay as they are.
///
/// From sample 2^20 on, about a million, each sample weighs 2^-20: the statistics forget slowly, and follow data that
/// drift. With ever smaller weights `f32` would round what lowers the variance away, but not what raises it: an
/// average over all samples would be a quarter too large after 2^27 of them.
///
/// ```
/// use gradus::norm::{InputNorm, InputNormState};
///
/// let (norm, mut seen) = (InputNorm::new(), InputNormState::<2>::new());
/// norm.update(seen.as_mut(), &[20.0, 1013.0, 22.0, 1009.0])?; // two samples of a temperature and a pressure
/// let mut x = [23.0, 1011.0];
/// norm.apply(&mut x, &seen)?;
/// assert_eq!((x, seen.t()), ([2.0, 0.0], 2));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[doc(alias = "standardization")]
#[doc(alias = "standard scaler")]
#[doc(alias = "online learning")]
pub struct InputNorm {
    /// Smallest deviation that a feature is divided by; 1e-7 by default.
    pub eps: f32,
    /// Where the passes run; it is in no file.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exec: Exec,
}

/// The number of samples from which on the statistics forget.
const WINDOW: u32 = 1 << 20;

/// The largest reading: no product of two differences of such numbers is beyond the range of `f32`.
const LARGEST: f32 = (1_u64 << 62) as f32;

/// Means and variances of `N` features.
pub type InputNormState<const N: usize> = State<InputNorm, N>;

impl Stateful for InputNorm {
    type Columns = Width<2>;
    type Memory = f32;
}

impl Family for InputNorm {
    const NAME: Name = Name::new("inputnorm");
}

impl Default for InputNorm {
    fn default() -> Self {
        Self::new()
    }
}

impl InputNorm {
    /// Keras': no deviation below 1e-7.
    #[must_use]
    pub const fn new() -> Self {
        Self { eps: 1e-7, exec: Exec::new() }
    }

    /// Checks that `eps` is finite and positive. The passes do not check it.
    ///
    /// # Errors
    /// [`Error::Range`] if not.
    pub const fn check(&self) -> Result<(), Error> {
        require(0.0 < self.eps && self.eps < f32::INFINITY, Hyper::Epsilon)
    }

    /// The same with a chosen instruction set, or on threads where there are features enough for them.
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> Self {
        Self { exec: exec.into(), ..self }
    }

    /// Takes samples into the statistics, in their order: a row of features for each.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` is no whole number of rows, [`Error::Length`] if the columns of the state differ in length,
    /// [`Error::NonFinite`] if a reading is NaN or beyond 2^62 (4.6e18), whose square might be infinite: the statistics would
    /// never recover. Nothing was changed.
    ///
    /// ```
    /// use gradus::{Error, norm::{InputNorm, InputNormState}};
    /// let mut seen = InputNormState::<1>::new();
    /// assert_eq!(InputNorm::new().update(seen.as_mut(), &[20.0, f32::NAN]), Err(Error::NonFinite));
    /// assert_eq!(seen.t(), 0);
    /// ```
    pub fn update(&self, state: StateMut<'_, Self>, x: &[f32]) -> Result<(), Error> {
        let StateMut { columns: [mean, variance], clock, .. } = state;
        same_length(Argument::Variance, mean.len(), variance.len())?;
        ensure(x.len().checked_rem(mean.len()) == Some(0), Error::Shape)?;
        for x in x {
            ensure(x.abs() <= LARGEST, Error::NonFinite)?; // not of NaN either
        }
        let mut rest = x;
        while !rest.is_empty() {
            let row = cut(&mut rest, mean.len());
            let count = clock.tick().t.min(WINDOW) as f32;
            run(self.exec, &Welford { count }, Columns::new(mean, [row], [variance])?);
        }
        Ok(())
    }

    /// Standardises samples in place: a row of features for each.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` is no whole number of rows, [`Error::Length`] if the columns of the state differ in length;
    /// nothing was changed.
    pub fn apply<'a>(&self, x: &mut [f32], seen: impl Into<Running<'a>>) -> Result<(), Error> {
        let Running { mean, variance, fresh } = seen.into();
        same_length(Argument::Variance, mean.len(), variance.len())?;
        ensure(x.len().checked_rem(mean.len()) == Some(0), Error::Shape)?;
        let mut rest = if fresh { &mut [] } else { x };
        while !rest.is_empty() {
            let row = cut_mut(&mut rest, mean.len());
            run(self.exec, &Standardise { eps: self.eps }, Columns::new(row, [mean, variance], [])?);
        }
        Ok(())
    }
}

/// One step of the recurrence; the mean is the column that is updated.
struct Welford {
    count: f32,
}

impl Rule for Welford {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, mean: V, [x]: [V; 1], [variance]: [V; 1]) -> (V, [V; 1]) {
        let (count, d) = (V::splat(isa, self.count), x - mean);
        let mean = mean + d / count;
        (mean, [variance + (d * (x - mean) - variance) / count])
    }
}

struct Standardise {
    eps: f32,
}

impl Rule<2> for Standardise {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, x: V, [mean, variance]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        ((x - mean) / V::splat(isa, self.eps).max(variance.sqrt()), [])
    }
}
