//! What a function returns.

use crate::error::{Error, Hyper, hypers};
use core::ffi::c_char;

macro_rules! statuses {
    (
        $(#[$ok_doc:meta])* $ok:ident = 0 $ok_text:literal,
        $($(#[$doc:meta])* $name:ident = $value:literal $text:literal,)*;
        $($(#[$hyper_doc:meta])* $hyper:ident $hyper_name:ident = $code:literal $hyper_text:literal,)*
    ) => {
        /// What a function returns: 0, or why it was refused.
        #[repr(i32)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum gradus_status {
            $(#[$ok_doc])* $ok = 0,
            $($(#[$doc])* $name = $value,)*
            $($(#[$hyper_doc])* $hyper_name = $code,)*
        }

        /// Why a call was refused. Without the 0 of success among its values, a `Result` of it is the number that C gets.
        #[repr(i32)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(dead_code, reason = "those of hyper-parameters come from their numbers")]
        pub(super) enum Refusal {
            $($name = $value,)*
            $($hyper_name = $code,)*
        }

        impl From<Result<(), Refusal>> for gradus_status {
            #[inline(always)]
            fn from(result: Result<(), Refusal>) -> Self {
                match result {
                    Ok(()) => Self::$ok,
                    $(Err(Refusal::$name) => Self::$name,)*
                    $(Err(Refusal::$hyper_name) => Self::$hyper_name,)*
                }
            }
        }

        /// Text for people of a status, never null; `"unknown status"` for other numbers.
        #[unsafe(no_mangle)]
        pub extern "C" fn gradus_status_name(status: i32) -> *const c_char {
            let text = match status {
                0 => concat!($ok_text, "\0"),
                $($value => concat!($text, "\0"),)*
                $($code => concat!($hyper_text, "\0"),)*
                _ => "unknown status\0",
            };
            text.as_ptr().cast()
        }

        const _: () = {
            $(assert!(Hyper::$hyper as i32 == gradus_status::$hyper_name as i32);)*
        };

        impl From<Error> for Refusal {
            fn from(error: Error) -> Self {
                match error {
                    Error::Length { .. } => Self::GRADUS_ERROR_LENGTH,
                    Error::Empty => Self::GRADUS_ERROR_EMPTY,
                    Error::Full => Self::GRADUS_ERROR_FULL,
                    Error::Shape => Self::GRADUS_ERROR_SHAPE,
                    Error::Kind => Self::GRADUS_ERROR_KIND,
                    Error::NonFinite => Self::GRADUS_ERROR_NON_FINITE,
                    // SAFETY: the numbers of Hyper are statuses.
                    Error::Range(hyper) => unsafe { core::mem::transmute::<i32, Self>(hyper as i32) },
                }
            }
        }
    };
}

hypers!(statuses!(
    /// The call has done what it says.
    GRADUS_OK = 0 "success",
    /// A pointer is null.
    GRADUS_ERROR_NULL = -1 "a pointer is null",
    /// Lengths do not fit together, or do not fit the address space.
    GRADUS_ERROR_LENGTH = -2 "lengths do not fit",
    /// Two pieces of memory overlap, and at least one of them would be written.
    GRADUS_ERROR_OVERLAP = -3 "memory overlaps",
    /// A pointer is not aligned for its type.
    GRADUS_ERROR_ALIGNMENT = -4 "a pointer is misaligned",
    /// A structure was not initialised, or by another version of the header.
    GRADUS_ERROR_VERSION = -5 "a structure is not initialised, or of another version",
    /// A value that must be finite is NaN or infinite.
    GRADUS_ERROR_NON_FINITE = -6 "a value is NaN or infinite",
    /// An enumeration has no such value.
    GRADUS_ERROR_ENUM = -7 "an enumeration has no such value",
    /// There is nothing to compute with: no element, no member, a side of 0.
    GRADUS_ERROR_EMPTY = -8 "there is nothing to compute with",
    /// There is no room for one more.
    GRADUS_ERROR_FULL = -9 "there is no room for one more",
    /// Sizes do not fit each other.
    GRADUS_ERROR_SHAPE = -10 "sizes do not fit each other",
    /// The state is that of another optimizer.
    GRADUS_ERROR_KIND = -11 "the state of another optimizer",
    /// The bytes do not begin as a file of this library does.
    GRADUS_ERROR_FILE_FOREIGN = -48 "not a file of gradus",
    /// The file has a format that this version does not know.
    GRADUS_ERROR_FILE_VERSION = -49 "unknown format of the file",
    /// The file is cut off or too long, or the buffer too small for it.
    GRADUS_ERROR_FILE_LENGTH = -50 "the file or the buffer has the wrong length",
    /// The checksum is wrong: a byte of the file has changed.
    GRADUS_ERROR_FILE_CHECKSUM = -51 "the file is damaged",
    /// The file holds another kind of value.
    GRADUS_ERROR_FILE_KIND = -52 "the file holds another kind of value",
    /// The file's value has another number of columns or elements.
    GRADUS_ERROR_FILE_SHAPE = -53 "the file's value has another shape",
    /// The file is whole, but holds a value that none of its kind can have.
    GRADUS_ERROR_FILE_VALUE = -54 "the file holds an impossible value",
    /// The file was good, but changed or could not be read when it was read for the second time: what was to be loaded
    /// holds a part of it.
    GRADUS_ERROR_FILE_TORN = -55 "the file changed while it was read",
    /// A function of the caller returned another value than 0.
    GRADUS_ERROR_CALLBACK = -56 "a function of the caller failed",
    /// The region of a journal is not two slots of whole blocks, or the words of its flash are none.
    GRADUS_ERROR_FLASH_REGION = -57 "not two slots of whole blocks",
    /// The flash does not hold what was written to it.
    GRADUS_ERROR_FLASH_DAMAGED = -58 "the flash does not hold what was written",;
));

/// Version of the library, such as `"0.1.0"`; never null.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
