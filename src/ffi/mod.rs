//! C interface: the functions of `include/gradus.h`, which is made from these files.
//!
//! The caller owns all memory; the structures are plain. A function returns 0, or a negative status
//! and has written nothing. It asks for no heap and no C library, and never panics.
#![allow(unsafe_code)]
#![allow(non_camel_case_types)] // the names are those of the header
#![allow(clippy::missing_safety_doc)] // it stands here, once for all functions

/// Functions with the checks and the views of their pointers: after what is formed first, each view as
/// `read`, `write`, `one` (to write) or `constant` (one to read), its name, its pointer and its length.
macro_rules! functions {
    ($(
        $(#[$doc:meta])*
        $name:ident($($arg:ident: $t:ty),*) { $(let $d:ident = $f:ident($($c:ident),*)?;)* [$($way:ident $view:ident = $from:ident, $n:expr;)*] $body:expr }
    )*) => {$(
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($arg: $t),*) -> gradus_status {
            let run = || {
                $(
                #[allow(unused_unsafe)] // not every one follows a pointer
                // SAFETY: the caller vouches for memory behind the pointers, which are checked.
                let $d = unsafe { $f($($c),*)? };
                )*
                $(let $view = Memory::new($from, $n)?;)*
                apart([$(functions!(@region $way $view)),*])?;
                #[allow(unused_unsafe)] // a function without memory has nothing unsafe
                // SAFETY: checked, and apart; the caller vouches for the memory.
                unsafe {
                    $(let $view = functions!(@slice $way $view);)*
                    $body
                }
            };
            status(run())
        }
    )*};
    (@region read $view:ident) => { $view.read() };
    (@region write $view:ident) => { $view.written() };
    (@region one $view:ident) => { $view.written() };
    (@region constant $view:ident) => { $view.read() };
    (@slice read $view:ident) => { $view.slice() };
    (@slice write $view:ident) => { $view.slice_mut() };
    (@slice one $view:ident) => { $view.one_mut() };
    (@slice constant $view:ident) => { $view.one_ref() };
}

mod lbfgs;
mod memory;
mod noise;
mod norm;
mod optim;
mod schedule;
mod status;
mod store;
mod sums;
mod transform;

pub use lbfgs::*;
pub use noise::*;
pub use norm::*;
pub use optim::*;
pub use schedule::*;
pub use status::*;
pub use store::*;
pub use sums::*;
pub use transform::*;

/// Version of the structures with a field `version`: an initialiser of this header writes it there.
pub const GRADUS_STRUCTS: u32 = 1;

/// Refuses a structure of another version of the header, or one that was not initialised.
fn same_version(version: u32) -> Result<(), gradus_status> {
    if version == GRADUS_STRUCTS { Ok(()) } else { Err(gradus_status::GRADUS_ERROR_VERSION) }
}

#[cfg(all(feature = "panic-handler", not(feature = "std"), target_os = "none"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        /// Defined nowhere: a link that succeeds has no path to a panic.
        safe fn gradus_has_a_path_to_a_panic() -> !;
    }
    gradus_has_a_path_to_a_panic()
}
