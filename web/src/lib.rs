//! What the page calls: numbers in, numbers and pointers out, so that it needs no generated glue.
//!
//! Everything that computes is the crate and its examples. The tests call the same functions on this
//! machine and compare the bits.

pub mod digits;
pub mod lecture;
pub mod noise;
pub mod race;

use std::cell::RefCell;

thread_local! {
    static TABLE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What the page has to know, as JSON that ends with a zero byte, valid until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn table() -> *const u8 {
    let level = gradus::Level::detect();
    let (race, digits, lecture) = (race::table(), digits::table(), lecture::table());
    let json =
        format!("{{\"level\":\"{level}\",\"race\":{race},\"digits\":{digits},\"lecture\":{lecture}}}\0");
    TABLE.with_borrow_mut(|last| {
        *last = json;
        last.as_ptr()
    })
}
