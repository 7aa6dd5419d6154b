//! Saving and loading in pieces, through functions of the caller: no memory holds a whole file.

use super::Refusal::{self, *};
use super::gradus_status;
use super::guard;
use super::memory::{Memory, Region, put};
use super::store::{List, gradus_item};
use crate::store::{self, StreamError};
use core::ffi::c_void;

/// Takes the next `n` bytes of a file; returns 0, or another value if it failed.
pub type gradus_sink = Option<unsafe extern "C" fn(context: *mut c_void, bytes: *const u8, n: usize) -> i32>;

/// Fills `bytes` with `n` bytes of a file, from its byte `at` on; returns 0, or another value if it failed.
pub type gradus_source =
    Option<unsafe extern "C" fn(context: *mut c_void, at: usize, bytes: *mut u8, n: usize) -> i32>;

/// What a function of the caller has returned.
pub(super) fn called(result: i32) -> Result<(), ()> {
    if result == 0 { Ok(()) } else { Err(()) }
}

impl From<StreamError<()>> for Refusal {
    fn from(error: StreamError<()>) -> Self {
        match error {
            StreamError::File(error) => error.into(),
            StreamError::Stream(()) => GRADUS_ERROR_CALLBACK,
            StreamError::Torn => GRADUS_ERROR_FILE_TORN,
        }
    }
}

/// Saves the `count` elements of `items` as a file that is handed to `sink` in pieces of 256 bytes, the last one shorter.
///
/// `size` gets the bytes of the file. `context` is handed on. The file is that of gradus_save(). `sink` is not called
/// again after it has failed, and may not touch the memory of the items.
///
/// Errors: GRADUS_ERROR_CALLBACK if `sink` failed: what it was given is no file. GRADUS_ERROR_FILE_LENGTH if items in
/// the same memory make a file that is longer than memory can be. Those of gradus_item.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_save_to(
    items: *const gradus_item,
    count: usize,
    sink: gradus_sink,
    context: *mut c_void,
    size: *mut usize,
) -> gradus_status {
    guard(|| {
        let sink = sink.ok_or(GRADUS_ERROR_NULL)?;
        // SAFETY: checked, and apart; the caller vouches for the memory and for its function.
        unsafe {
            let list =
                List::new(items, count, [Memory::one(size)?.written(), Region::NONE, Region::NONE], false)?;
            let found = store::save_to(list, |piece| called(sink(context, piece.as_ptr(), piece.len())))?;
            put(size, found as usize)
        }
    })
}

/// Loads the `count` elements of `items` from a file of `size` bytes that `source` reads.
///
/// The file is read twice from its beginning to its end, in pieces of 256 bytes, the last one shorter: the first time to
/// compare its checksum and its shape, the second time into the items. `context` is handed on to `source`, which may not
/// touch the memory of the items.
///
/// Errors: those of gradus_load(), and GRADUS_ERROR_CALLBACK if `source` failed: nothing was written.
/// GRADUS_ERROR_FILE_TORN if it failed or gave other bytes the second time: the items hold a part of the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_load_from(
    items: *const gradus_item,
    count: usize,
    size: usize,
    source: gradus_source,
    context: *mut c_void,
) -> gradus_status {
    guard(|| {
        let source = source.ok_or(GRADUS_ERROR_NULL)?;
        // SAFETY: checked, and apart; the caller vouches for the memory and for its function.
        unsafe {
            let list = List::new(items, count, [Region::NONE; 3], true)?;
            Ok(store::load_from(list, size as u64, |at, piece: &mut [u8]| {
                called(source(context, at as usize, piece.as_mut_ptr(), piece.len()))
            })?)
        }
    })
}
