//! Why a call is refused: small, `Copy`, without strings or heap. Files have an error of their own, in `store`.

use core::fmt;

/// Why a call was refused. Whatever the reason, nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// Two slices that belong together differ in length.
    Length {
        /// The length that the other arguments ask for.
        expected: usize,
        /// The length of the slice that differs.
        found: usize,
    },
    /// A hyper-parameter lies outside its range, or is not a number.
    Range(Hyper),
    /// A value that must be finite is NaN or infinite.
    NonFinite,
}

/// The hyper-parameter that an [`Error::Range`] speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Hyper {
    /// Learning rate: finite and at least 0.
    LearningRate,
    /// First decay factor: at least 0, below 1.
    Beta1,
    /// Second decay factor: at least 0, below 1.
    Beta2,
    /// Decay factor of one running average: at least 0, below 1.
    Rho,
    /// Dampening: at least 0, at most 1.
    Dampening,
    /// Stabiliser of a denominator: finite, positive somewhere in it.
    Epsilon,
    /// Weight decay: finite, at least 0, and `lr * weight_decay` below 1.
    WeightDecay,
    /// Momentum decay of Nadam: finite and at least 0.
    MomentumDecay,
    /// Strength of a penalty: finite and at least 0.
    Lambda,
    /// Bound of a clip or clamp: positive.
    Limit,
    /// Factor of a scaling: finite. Area, ratio or strength of an augmentation: in its range.
    Factor,
    /// Decay factor of a schedule: between 0 and 1.
    Gamma,
    /// Decay of a schedule per step: finite and at least 0.
    Rate,
    /// Share of a whole: between 0 and 1, and in proportion to the others.
    Fraction,
    /// Probability: between 0 and 1.
    Probability,
    /// Number of steps, or of steps in a cycle: at least 1.
    Steps,
    /// Tolerance of a stopping rule: at least 0.
    Tolerance,
    /// Damping of a Hessian: finite and at least 0.
    Damping,
    /// Constants of a line search: `0 < sufficient decrease < curvature < 1`, ordered step bounds.
    LineSearch,
    /// A size in elements, rows, columns or channels: at least 1, and in proportion to the others.
    Size,
    /// Every element of a diagonal preconditioner: finite and positive.
    Preconditioner,
}

impl fmt::Display for Hyper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LearningRate => "learning rate must be finite and at least 0",
            Self::Beta1 => "beta1 must lie in 0..1",
            Self::Beta2 => "beta2 must lie in 0..1",
            Self::Rho => "rho must lie in 0..1",
            Self::Dampening => "dampening must lie in 0..=1",
            Self::Epsilon => "epsilon must be finite and positive",
            Self::WeightDecay => "weight decay must be finite, at least 0, and lr * weight decay below 1",
            Self::MomentumDecay => "momentum decay must be finite and at least 0",
            Self::Lambda => "penalty strength must be finite and at least 0",
            Self::Limit => "limit must be positive",
            Self::Factor => "factor must be finite and in its range",
            Self::Gamma => "gamma must lie in 0..=1",
            Self::Rate => "decay rate must be finite and at least 0",
            Self::Fraction => "fraction must lie in 0..=1 and fit the others",
            Self::Probability => "probability must lie in 0..=1",
            Self::Steps => "number of steps must be at least 1",
            Self::Tolerance => "tolerance must be at least 0",
            Self::Damping => "damping must be finite and at least 0",
            Self::LineSearch => "line search needs 0 < sufficient decrease < curvature < 1 and ordered steps",
            Self::Size => "size must be at least 1 and fit the others",
            Self::Preconditioner => "every element of a preconditioner must be finite and positive",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => {
                write!(f, "length {found} where {expected} was expected")
            }
            Self::Range(hyper) => hyper.fmt(f),
            Self::NonFinite => f.write_str("a value that must be finite is NaN or infinite"),
        }
    }
}

impl core::error::Error for Error {}

/// `Ok` if `ok` holds, else the range error of `hyper`: the only shape a check takes.
#[inline]
pub(crate) const fn require(ok: bool, hyper: Hyper) -> Result<(), Error> {
    if ok { Ok(()) } else { Err(Error::Range(hyper)) }
}

/// `Ok` if both lengths are equal.
#[inline]
pub(crate) const fn same_length(expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Length { expected, found }) }
}
