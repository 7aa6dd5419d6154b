//! Arrays beyond the caches: what prefetches and stores past the caches are worth, on one thread and on two.
//!
//! Part of `./ci.sh bench-report`; it needs 1 GB of memory and a CPU with AVX2.
#![allow(missing_docs)]

#[cfg(target_arch = "x86_64")]
#[path = "support/large.rs"]
mod ways;

#[cfg(target_arch = "x86_64")]
fn main() {
    if std::env::args().any(|a| a == "--test") || !is_x86_feature_detected!("avx2") {
        return;
    }
    table::print();
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {}

#[cfg(target_arch = "x86_64")]
mod table {
    use super::ways::{Arrays, WAYS};
    use benches::turns::medians;
    use gradus::{Adam, Clock, Exec, Level, Optimizer, StateMut};
    use std::cell::RefCell;
    use std::hint::black_box;

    const SIZES: [usize; 5] = [1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26];

    /// The elements from the first one at a cache line on.
    fn at_line(memory: &mut [f32], n: usize) -> &mut [f32] {
        let line = memory.as_ptr().align_offset(64);
        &mut memory[line..line + n]
    }

    pub fn print() {
        println!("\n## Arrays beyond the caches\n");
        println!(
            "Adam and its floor, nanoseconds per parameter; the last two columns are the crate's, without bias correction. \
             *Ahead*: a prefetch of each column so far before its turn. *Past the caches*: non-temporal stores."
        );
        for threads in [1, 2] {
            println!("\n### {threads} thread{}\n", if threads == 1 { "" } else { "s" });
            let names: Vec<_> = WAYS.iter().map(|(name, _)| *name).collect();
            println!("| N | {} | gradus, avx2 | gradus, widest |", names.join(" | "));
            println!("|{}", "--:|".repeat(WAYS.len() + 3));
            SIZES.into_iter().for_each(|n| row(n, threads));
        }
    }

    fn row(n: usize, threads: usize) {
        let mut memory: [Vec<f32>; 4] = std::array::from_fn(|_| vec![0.1; n + 16]);
        let [params, grads, m, v] = memory.each_mut().map(|memory| at_line(memory, n));
        for (i, g) in grads.iter_mut().enumerate() {
            *g = (i % 251) as f32 / 125.0 - 0.997;
        }
        let all = RefCell::new(Arrays { params, grads, state: [m, v] });
        let mut steps: Vec<Box<dyn FnMut() + '_>> = Vec::new();
        for (_, way) in WAYS {
            let all = &all;
            steps.push(Box::new(move || {
                let all = &mut *all.borrow_mut();
                let [m, v] = &mut all.state;
                let arrays = Arrays { params: all.params, grads: black_box(all.grads), state: [m, v] };
                // SAFETY: main has asked for AVX2, and the arrays begin at cache lines.
                let run = |arrays: Arrays<'_>| unsafe { way(arrays) };
                if threads == 1 {
                    run(arrays);
                } else {
                    let [left, right] = arrays.halves();
                    rayon::in_place_scope(|scope| {
                        scope.spawn(|_| run(right));
                        run(left);
                    });
                }
            }));
        }
        let avx2 = Level::available().find(|level| level.name() == "avx2").expect("main has asked for it");
        for level in [avx2, Level::detect()] {
            let exec = if threads == 1 { Exec::from(level) } else { Exec::threads().with_level(level) };
            let (all, adam) = (&all, Adam { bias_correction: false, ..Adam::new(1e-3) });
            let mut clock = Clock::new();
            steps.push(Box::new(move || {
                let all = &mut *all.borrow_mut();
                let [m, v] = &mut all.state;
                let state = StateMut::new([m, v], &mut clock);
                adam.on(exec).step_slices(all.params, black_box(all.grads), state).expect("equal lengths");
            }));
        }
        let mut turns: Vec<&mut dyn FnMut()> = steps.iter_mut().map(|step| step.as_mut() as _).collect();
        let cells: Vec<_> = medians(&mut turns).iter().map(|ns| format!("{:.3}", ns / n as f64)).collect();
        println!("| {} K | {} |", n >> 10, cells.join(" | "));
    }
}
