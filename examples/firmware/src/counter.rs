//! Instructions of a call, on Arm-M.

use cortex_m::peripheral::{SYST, syst::SystClkSource};

/// Counts instructions under QEMU with `-icount shift=7`: SysTick advances with them then, and resolves
/// single ones.
pub struct Counter {
    syst: SYST,
    /// Ticks of a loop of 2000 instructions.
    loop_ticks: u32,
    empty_ticks: u32,
}

impl Counter {
    /// Starts the timer.
    #[must_use]
    pub fn new(mut syst: SYST) -> Self {
        syst.set_clock_source(SystClkSource::Core);
        syst.set_reload(0xff_ffff);
        syst.enable_counter();
        let mut counter = Self { syst, loop_ticks: 0, empty_ticks: 0 };
        counter.empty_ticks = counter.ticks(|| {});
        // SAFETY: the loop touches its counter alone.
        let ticks = counter.ticks(|| unsafe {
            core::arch::asm!("2: subs {n}, #1", "bne 2b", n = inout(reg) 1000 => _);
        });
        counter.loop_ticks = ticks - counter.empty_ticks;
        counter
    }

    fn ticks(&mut self, call: impl FnOnce()) -> u32 {
        self.syst.clear_current();
        let start = SYST::get_current();
        call();
        start.wrapping_sub(SYST::get_current()) & 0xff_ffff
    }

    /// How many `call` takes.
    pub fn instructions(&mut self, call: impl FnOnce()) -> u32 {
        let ticks = u64::from(self.ticks(call) - self.empty_ticks);
        ((ticks * 2000 + u64::from(self.loop_ticks) / 2) / u64::from(self.loop_ticks)) as u32
    }
}
