//! Times of whole training steps beside plain C loops, and of products beside the peak of the CPU, in one run.
//!
//! `./ci.sh bench-layers`. Each number is the least of many: what the CPU does when nothing disturbs it.

mod networks;
mod peak;
mod products;

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The least time of a call in ns, over half a second of calls.
pub fn least<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut calls = 1_u32;
    let (start, mut least) = (Instant::now(), f64::INFINITY);
    while start.elapsed() < Duration::from_millis(400) {
        let begin = Instant::now();
        for _ in 0..calls {
            black_box(call());
        }
        let time = begin.elapsed().as_nanos() as f64;
        if time < 20_000.0 {
            calls *= 2; // long beside the clock's own time, short beside what disturbs it
        } else {
            least = least.min(time / f64::from(calls));
        }
    }
    least
}

fn main() {
    if std::env::args().any(|a| a == "epochs") {
        return networks::epochs();
    }
    products::report();
    networks::report();
    networks::epochs();
}
