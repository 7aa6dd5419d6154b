//! How deep the stack was: memory below it is painted before, and looked at afterwards.

use cortex_m::register::msp;

const PAINT: u32 = 0xa5a5_5a5a;

unsafe extern "C" {
    static __sdata: u8;
    static __ebss: u8;
    static _stack_start: u8;
}

/// Paints `bytes` below the stack pointer, and returns it.
#[inline(never)]
pub fn paint(bytes: u32) -> u32 {
    let top = msp::read();
    let mut at = top - bytes;
    while at < top - 64 {
        // SAFETY: RAM below the stack pointer, but for the frame of this function: interrupts are off.
        unsafe { (at as *mut u32).write_volatile(PAINT) };
        at += 4;
    }
    top
}

/// Bytes of all statics, and of all of the stack where `bytes` below `top` were painted.
#[must_use]
pub fn ram(top: u32, bytes: u32) -> [u32; 2] {
    let [start, end, stack] =
        [&raw const __sdata, &raw const __ebss, &raw const _stack_start].map(|at| at as u32);
    [end - start, stack - top + written(top, bytes)]
}

/// How many of the `bytes` below `top` have been written since.
#[inline(never)]
pub fn written(top: u32, bytes: u32) -> u32 {
    let mut at = top - bytes;
    // SAFETY: RAM below the stack pointer.
    while at < top && unsafe { (at as *const u32).read_volatile() } == PAINT {
        at += 4;
    }
    top - at
}
