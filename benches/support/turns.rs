//! Turns: contestants one after the other, and again, so that what the machine does meanwhile hits them all.

#![allow(dead_code, reason = "each benchmark takes what it needs")]

use std::time::Instant;

/// Turns of each contestant.
pub const TURNS: usize = 21;

/// Nanoseconds of a call, the mean of many; one before them brings its memory back into the caches.
pub fn nanos(calls: u32, work: &mut dyn FnMut()) -> f64 {
    work();
    let begin = Instant::now();
    for _ in 0..calls {
        work();
    }
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

/// The middle one.
pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Median nanoseconds of a call of each contestant; a turn takes about a millisecond.
pub fn medians(contestants: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut turns: Vec<_> = contestants
        .iter_mut()
        .map(|work| {
            let calls = (1e6 / nanos(1, *work).max(10.0)).clamp(1.0, 1e5) as u32;
            (work, calls, Vec::new())
        })
        .collect();
    for _ in 0..TURNS {
        for (work, calls, times) in &mut turns {
            times.push(nanos(*calls, work));
        }
    }
    turns.into_iter().map(|(_, _, times)| median(times)).collect()
}
