//! Why a call is refused: small, `Copy`, without strings or heap. Files have an error of their own, in `store`.

use core::fmt;

/// Why a call was refused. Nothing was written, unless the documentation of the call says what was.
///
/// ```
/// use gradus::{Adam, AdamState, Argument, Error, Optimizer};
/// let (mut params, mut state) = ([1.0, 2.0, 3.0], AdamState::<3>::new());
/// let error = Adam::new(1e-3).step_slices(&mut params, &[0.5; 2], state.as_mut()).unwrap_err();
/// assert_eq!(error, Error::Length { what: Argument::Grads, expected: 3, found: 2 });
/// assert_eq!(error.to_string(), "gradients: length 2 where 3 was expected");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// A slice has not the length that the other arguments ask for.
    Length {
        /// Which slice.
        what: Argument,
        /// The length that the other arguments ask for.
        expected: usize,
        /// Its length.
        found: usize,
    },
    /// There is nothing to compute with: no element, no member, a side of 0.
    Empty,
    /// There is no room for one more.
    Full,
    /// Sizes do not fit each other: a crop larger than its image, a length that is no whole number of rows.
    Shape,
    /// A state is that of another optimizer.
    Kind,
    /// A hyper-parameter lies outside its range, or is not a number.
    Range(Hyper),
    /// A value that must be finite is NaN or infinite.
    NonFinite,
}

/// The slice that an [`Error::Length`] speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Argument {
    /// Parameters.
    Params,
    /// Gradients.
    Grads,
    /// A column of state.
    State,
    /// A column that a rule or a reduction reads.
    Read,
    /// What a pass reads.
    Input,
    /// What a pass writes.
    Output,
    /// Weights of a layer.
    Weights,
    /// Biases of a layer.
    Bias,
    /// Means, one a channel.
    Mean,
    /// Variances, one a channel.
    Variance,
    /// Words of a mask.
    Mask,
    /// Places in an array.
    Indices,
    /// Classes of samples.
    Labels,
    /// A model's parameters in an ensemble.
    Member,
    /// The diagonal of a preconditioner.
    Preconditioner,
    /// Bounds of parameters.
    Bounds,
    /// Memory that a call computes in.
    Scratch,
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Params => "parameters",
            Self::Grads => "gradients",
            Self::State => "state",
            Self::Read => "a column to read",
            Self::Input => "input",
            Self::Output => "output",
            Self::Weights => "weights",
            Self::Bias => "biases",
            Self::Mean => "means",
            Self::Variance => "variances",
            Self::Mask => "mask",
            Self::Indices => "indices",
            Self::Labels => "labels",
            Self::Member => "member",
            Self::Preconditioner => "preconditioner",
            Self::Bounds => "bounds",
            Self::Scratch => "scratch memory",
        })
    }
}

/// Calls a macro with every hyper-parameter: what it must be, its name here and in C, its code in C, its text.
/// They are written here alone; the C interface makes its statuses of them.
macro_rules! hypers {
    ($call:ident!($($before:tt)*)) => {
        $call! {
            $($before)*
            /// Learning rate: finite and at least 0.
            LearningRate GRADUS_ERROR_LEARNING_RATE = -16 "learning rate must be finite and at least 0",
            /// First decay factor: at least 0, at most `1 - 2^-20`, which is about 0.999999; above 0 in the schedule-free rule.
            Beta1 GRADUS_ERROR_BETA1 = -17 "beta1 must lie in 0..=1 - 2^-20, above 0 in the schedule-free rule",
            /// Second decay factor: at least 0, at most `1 - 2^-20`.
            Beta2 GRADUS_ERROR_BETA2 = -18 "beta2 must lie in 0..=1 - 2^-20",
            /// Decay of a running average, or share of a velocity: from 0 to `1 - 2^-20`; to `1 - 2^-33` if it is compensated.
            Rho GRADUS_ERROR_RHO = -19 "rho, or a momentum, must lie in 0..=1 - 2^-20; 0..=1 - 2^-33 in a compensated average",
            /// Dampening: at least 0, at most 1.
            Dampening GRADUS_ERROR_DAMPENING = -20 "dampening must lie in 0..=1",
            /// Stabiliser of a denominator: finite, and not so small that it may vanish beside a warm-up.
            Epsilon GRADUS_ERROR_EPSILON = -21 "epsilon must be finite and at least 1e-31 (1.2e-38 for Adamax and Adadelta)",
            /// Weight decay: finite, at least 0, and `lr * weight_decay` below 1.
            WeightDecay GRADUS_ERROR_WEIGHT_DECAY = -22 "weight decay must be finite, at least 0, and lr * weight decay below 1",
            /// Momentum decay of Nadam: finite and at least 0.
            MomentumDecay GRADUS_ERROR_MOMENTUM_DECAY = -23 "momentum decay must be finite and at least 0",
            /// Strength of a penalty: at least 0, and twice it finite.
            Lambda GRADUS_ERROR_LAMBDA = -24 "penalty strength must be at least 0, and twice it finite",
            /// Bound of a clip or clamp: positive.
            Limit GRADUS_ERROR_LIMIT = -25 "limit must be positive",
            /// Factor of a scaling: finite. Area, ratio or strength of an augmentation: in its range.
            Factor GRADUS_ERROR_FACTOR = -26 "factor must be finite and in its range",
            /// Factor of a schedule: finite and at least 0; at most 1 in a cycle, below 1 on a plateau.
            Gamma GRADUS_ERROR_GAMMA = -27 "gamma must be finite, at least 0, at most 1 where nothing may grow, and below 1 on a plateau",
            /// Decay of a schedule per step: finite, and at least 0 where it only decays.
            Rate GRADUS_ERROR_RATE = -28 "decay rate must be finite, and at least 0 where nothing may grow",
            /// Share of a whole: between 0 and 1, and in proportion to the others.
            Fraction GRADUS_ERROR_FRACTION = -29 "fraction must lie in 0..=1 and fit the others",
            /// Probability: between 0 and 1.
            Probability GRADUS_ERROR_PROBABILITY = -30 "probability must lie in 0..=1",
            /// Number of steps, or of steps in a cycle: at least 1, and no fewer than there are cycles.
            Steps GRADUS_ERROR_STEPS = -31 "number of steps must be at least 1, and no fewer than there are cycles",
            /// Tolerance of a stopping rule: at least 0.
            Tolerance GRADUS_ERROR_TOLERANCE = -33 "tolerance must be at least 0",
            /// Damping of a Hessian: finite and at least 0.
            Damping GRADUS_ERROR_DAMPING = -34 "damping must be finite and at least 0",
            /// Constants of a line search: `0 < sufficient decrease < curvature < 1`, ordered step bounds.
            LineSearch GRADUS_ERROR_LINE_SEARCH = -35 "line search needs 0 < sufficient decrease < curvature < 1 and ordered steps",
            /// Every element of a diagonal preconditioner: finite and positive.
            Preconditioner GRADUS_ERROR_PRECONDITIONER = -36 "every element of a preconditioner must be finite and positive",
            /// Power of a polynomial: finite and positive.
            Power GRADUS_ERROR_POWER = -37 "power must be finite and positive",
            /// Bounds: the lower at most the upper, with a finite number between them, and none beside an L1 penalty.
            Bounds GRADUS_ERROR_BOUNDS = -38 "bounds must be ordered, and stand beside no L1 penalty",
        }
    };
}
#[cfg(feature = "ffi")]
pub(crate) use hypers;

macro_rules! hyper {
    ($($(#[$doc:meta])* $name:ident $c:ident = $code:literal $text:literal,)*) => {
        /// The hyper-parameter that an [`Error::Range`] speaks of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum Hyper {
            // The numbers are the statuses of C, which so needs no table.
            $($(#[$doc])* $name = $code,)*
        }

        impl fmt::Display for Hyper {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $text,)*
                })
            }
        }
    };
}

hypers!(hyper!());

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { what, expected, found } => {
                write!(f, "{what}: length {found} where {expected} was expected")
            }
            Self::Empty => f.write_str("there is nothing to compute with"),
            Self::Full => f.write_str("there is no room for one more"),
            Self::Shape => f.write_str("sizes do not fit each other"),
            Self::Kind => f.write_str("the state of another optimizer"),
            Self::Range(hyper) => hyper.fmt(f),
            Self::NonFinite => f.write_str("a value that must be finite is NaN or infinite"),
        }
    }
}

impl core::error::Error for Error {}

/// `Ok` if `ok` holds, else `error`: the only shape a check takes.
#[inline]
pub(crate) const fn ensure(ok: bool, error: Error) -> Result<(), Error> {
    if ok { Ok(()) } else { Err(error) }
}

/// `Ok` if `ok` holds, else the range error of `hyper`.
#[inline]
pub(crate) const fn require(ok: bool, hyper: Hyper) -> Result<(), Error> {
    ensure(ok, Error::Range(hyper))
}

/// `Ok` if `what` has the length that is expected.
#[inline]
pub(crate) const fn same_length(what: Argument, expected: usize, found: usize) -> Result<(), Error> {
    ensure(expected == found, Error::Length { what, expected, found })
}
