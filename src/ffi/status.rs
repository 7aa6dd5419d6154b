//! What a function returns.

use crate::error::{Error, Hyper};
use core::ffi::{CStr, c_char};

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $value:literal $text:literal,)*) => {
        /// What a function returns: 0, or why it was refused.
        #[repr(i32)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum gradus_status {
            $($(#[$doc])* $name = $value,)*
        }

        /// Text for people of a status, never null; `"unknown status"` for other numbers.
        #[unsafe(no_mangle)]
        pub extern "C" fn gradus_status_name(status: i32) -> *const c_char {
            let text: &CStr = match status {
                $($value => $text,)*
                _ => c"unknown status",
            };
            text.as_ptr()
        }
    };
}

statuses! {
    /// The call has done what it says.
    GRADUS_OK = 0 c"success",
    /// A pointer is null.
    GRADUS_ERROR_NULL = -1 c"a pointer is null",
    /// Lengths do not fit together, or do not fit the address space.
    GRADUS_ERROR_LENGTH = -2 c"lengths do not fit",
    /// Two pieces of memory overlap, and at least one of them would be written.
    GRADUS_ERROR_OVERLAP = -3 c"memory overlaps",
    /// A pointer is not aligned for its type.
    GRADUS_ERROR_ALIGNMENT = -4 c"a pointer is misaligned",
    /// A structure was not initialised, or by another version of the header.
    GRADUS_ERROR_VERSION = -5 c"a structure is not initialised, or of another version",
    /// A value that must be finite is NaN or infinite.
    GRADUS_ERROR_NON_FINITE = -6 c"a value is NaN or infinite",
    /// An enumeration has no such value.
    GRADUS_ERROR_ENUM = -7 c"an enumeration has no such value",
    /// Learning rate: finite and at least 0.
    GRADUS_ERROR_LEARNING_RATE = -16 c"learning rate must be finite and at least 0",
    /// First decay factor: at least 0, below 1.
    GRADUS_ERROR_BETA1 = -17 c"beta1 must lie in 0..1",
    /// Second decay factor: at least 0, below 1.
    GRADUS_ERROR_BETA2 = -18 c"beta2 must lie in 0..1",
    /// Decay factor of one running average: at least 0, below 1.
    GRADUS_ERROR_RHO = -19 c"rho must lie in 0..1",
    /// Dampening: at least 0, at most 1.
    GRADUS_ERROR_DAMPENING = -20 c"dampening must lie in 0..=1",
    /// Stabiliser of a denominator: finite, positive somewhere in it.
    GRADUS_ERROR_EPSILON = -21 c"epsilon must be finite and positive",
    /// Weight decay: finite, at least 0, and lr * weight_decay below 1.
    GRADUS_ERROR_WEIGHT_DECAY = -22 c"weight decay must be finite, at least 0, and lr * weight decay below 1",
    /// Momentum decay of Nadam: finite and at least 0.
    GRADUS_ERROR_MOMENTUM_DECAY = -23 c"momentum decay must be finite and at least 0",
    /// Strength of a penalty: finite and at least 0.
    GRADUS_ERROR_LAMBDA = -24 c"penalty strength must be finite and at least 0",
    /// Bound of a clip or clamp: positive.
    GRADUS_ERROR_LIMIT = -25 c"limit must be positive",
    /// Factor of a scaling: finite.
    GRADUS_ERROR_FACTOR = -26 c"factor must be finite and in its range",
    /// Decay factor of a schedule: between 0 and 1.
    GRADUS_ERROR_GAMMA = -27 c"gamma must lie in 0..=1",
    /// Decay of a schedule per step: finite and at least 0.
    GRADUS_ERROR_RATE = -28 c"decay rate must be finite and at least 0",
    /// Share of a whole: between 0 and 1, and in proportion to the others.
    GRADUS_ERROR_FRACTION = -29 c"fraction must lie in 0..=1 and fit the others",
    /// Probability: between 0 and 1.
    GRADUS_ERROR_PROBABILITY = -30 c"probability must lie in 0..=1",
    /// Number of steps, or of steps in a cycle: at least 1.
    GRADUS_ERROR_STEPS = -31 c"number of steps must be at least 1",
    /// A size in elements, rows, columns or channels: at least 1, and in proportion to the others.
    GRADUS_ERROR_SIZE = -32 c"size must be at least 1 and fit the others",
    /// Tolerance of a stopping rule: at least 0.
    GRADUS_ERROR_TOLERANCE = -33 c"tolerance must be at least 0",
    /// Damping of a Hessian: finite and at least 0.
    GRADUS_ERROR_DAMPING = -34 c"damping must be finite and at least 0",
    /// Constants of a line search: in order, and in their ranges.
    GRADUS_ERROR_LINE_SEARCH = -35 c"constants of a line search must be in order",
    /// Every element of a diagonal preconditioner: finite and positive.
    GRADUS_ERROR_PRECONDITIONER = -36 c"every element of a preconditioner must be finite and positive",
    /// The bytes do not begin as a file of this library does.
    GRADUS_ERROR_FILE_FOREIGN = -48 c"not a file of gradus",
    /// The file has a format that this version does not know.
    GRADUS_ERROR_FILE_VERSION = -49 c"unknown format of the file",
    /// The file is cut off or too long, or the buffer too small for it.
    GRADUS_ERROR_FILE_LENGTH = -50 c"the file or the buffer has the wrong length",
    /// The checksum is wrong: a byte of the file has changed.
    GRADUS_ERROR_FILE_CHECKSUM = -51 c"the file is damaged",
    /// The file holds another kind of value.
    GRADUS_ERROR_FILE_KIND = -52 c"the file holds another kind of value",
    /// The file's value has another number of columns or elements.
    GRADUS_ERROR_FILE_SHAPE = -53 c"the file's value has another shape",
    /// The file is whole, but holds a value that none of its kind can have.
    GRADUS_ERROR_FILE_VALUE = -54 c"the file holds an impossible value",
}

impl From<Error> for gradus_status {
    fn from(error: Error) -> Self {
        match error {
            Error::Length { .. } => Self::GRADUS_ERROR_LENGTH,
            Error::NonFinite => Self::GRADUS_ERROR_NON_FINITE,
            Error::Range(hyper) => match hyper {
                Hyper::LearningRate => Self::GRADUS_ERROR_LEARNING_RATE,
                Hyper::Beta1 => Self::GRADUS_ERROR_BETA1,
                Hyper::Beta2 => Self::GRADUS_ERROR_BETA2,
                Hyper::Rho => Self::GRADUS_ERROR_RHO,
                Hyper::Dampening => Self::GRADUS_ERROR_DAMPENING,
                Hyper::Epsilon => Self::GRADUS_ERROR_EPSILON,
                Hyper::WeightDecay => Self::GRADUS_ERROR_WEIGHT_DECAY,
                Hyper::MomentumDecay => Self::GRADUS_ERROR_MOMENTUM_DECAY,
                Hyper::Lambda => Self::GRADUS_ERROR_LAMBDA,
                Hyper::Limit => Self::GRADUS_ERROR_LIMIT,
                Hyper::Factor => Self::GRADUS_ERROR_FACTOR,
                Hyper::Gamma => Self::GRADUS_ERROR_GAMMA,
                Hyper::Rate => Self::GRADUS_ERROR_RATE,
                Hyper::Fraction => Self::GRADUS_ERROR_FRACTION,
                Hyper::Probability => Self::GRADUS_ERROR_PROBABILITY,
                Hyper::Steps => Self::GRADUS_ERROR_STEPS,
                Hyper::Size => Self::GRADUS_ERROR_SIZE,
                Hyper::Tolerance => Self::GRADUS_ERROR_TOLERANCE,
                Hyper::Damping => Self::GRADUS_ERROR_DAMPING,
                Hyper::LineSearch => Self::GRADUS_ERROR_LINE_SEARCH,
                Hyper::Preconditioner => Self::GRADUS_ERROR_PRECONDITIONER,
            },
        }
    }
}

/// The status of a result.
pub(super) fn status(result: Result<(), gradus_status>) -> gradus_status {
    match result {
        Ok(()) => gradus_status::GRADUS_OK,
        Err(status) => status,
    }
}

/// Version of the library, such as `"0.1.0"`; never null.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
