//! Counts the instructions of one step per parameter, under QEMU with `-icount shift=7`.
#![no_std]
#![no_main]

use core::hint::black_box;
use cortex_m::peripheral::{Peripherals, SYST, syst::SystClkSource};
use gradus::*;
use gradus_firmware::{exit, println};


const N: usize = 1024;

struct Counter {
    syst: SYST,
    loop_ticks: u32,
    empty_ticks: u32,
}

impl Counter {
    fn ticks(&mut self, f: impl FnOnce()) -> u32 {
        self.syst.clear_current();
        let start = SYST::get_current();
        f();
        let end = SYST::get_current();
        start.wrapping_sub(end) & 0xff_ffff
    }
    /// Instructions of `f`: the ticks in units of a loop of 2000 known ones.
    fn instructions(&mut self, f: impl FnOnce()) -> u32 {
        let ticks = self.ticks(f) - self.empty_ticks;
        (u64::from(ticks) * 2000 + u64::from(self.loop_ticks) / 2).div_euclid(u64::from(self.loop_ticks)) as u32
    }
}

fn measure<const K: usize, O: Optimizer<K>>(counter: &mut Counter, name: &str, optimizer: O) {
    let (mut p, mut g, mut columns) = ([1.0_f32; N], [0.5_f32; N], [[0.25_f32; N]; K]);
    let mut clock = Clock::new();
    let mut count = |n: usize| {
        let state = StateMut::new(columns.each_mut().map(|c| &mut c[..n]), &mut clock);
        let (p, g) = (black_box(&mut p[..n]), black_box(&mut g[..n]));
        let optimizer = black_box(&optimizer);
        counter.instructions(|| step(optimizer, p, g, state))
    };
    count(N);
    let (half, whole) = (count(N / 2), count(N));
    let slope = (whole - half) * 100 / (N as u32 / 2);
    println!(
        "{name:<26} {:>4}.{:02} {:>6} {whole}", slope / 100, slope % 100, whole - (whole - half) * 2
    );
}

#[inline(never)]
fn step<const K: usize, O: Optimizer<K>>(o: &O, p: &mut [f32], g: &[f32], s: StateMut<'_, O::Family, K>) {
    let _ = o.step_slices(p, g, s);
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut syst = Peripherals::take().unwrap().SYST;
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(0xff_ffff);
    syst.enable_counter();
    let mut counter = Counter { syst, loop_ticks: 0, empty_ticks: 0 };
    counter.empty_ticks = counter.ticks(|| {});
    let ticks = counter.ticks(|| unsafe {
        core::arch::asm!("2: subs {n}, #1", "bne 2b", n = inout(reg) 1000 => _);
    });
    counter.loop_ticks = ticks - counter.empty_ticks;
    let c = &mut counter;
    measure(c, "sgd", Sgd::new(0.1));
    measure(c, "momentum", Momentum::new(0.1));
    measure(c, "nesterov", Nesterov::new(0.1));
    measure(c, "adagrad", AdaGrad::new(0.1));
    measure(c, "rmsprop", RmsProp::new(0.1));
    measure(c, "centered rmsprop", RmsProp::new(0.1).centered());
    measure(c, "rmsprop momentum", RmsProp::new(0.1).with_momentum(0.9));
    measure(c, "centered rmsprop momentum", RmsProp::new(0.1).centered().with_momentum(0.9));
    measure(c, "adam", Adam::new(0.1));
    measure(c, "adamw", AdamW::new(0.1));
    measure(c, "amsgrad", AmsGrad::new(0.1));
    measure(c, "nadam", Nadam::new(0.1));
    measure(c, "lion", Lion::new(0.1));
    exit(0)
}
