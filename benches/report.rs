//! The tables of BENCHMARKS.md: contestants take turns in one run, medians of many turns.
//!
//! `./ci.sh bench-report` runs it. On a shared machine the speed drifts; turns make every contestant
//! see the same drift, so that the ratios hold where the times do not.
#![allow(missing_docs)]

use benches::turns::medians;
use benches::{Buffers, Case, Contestant, SIZES, cases, check};
use gradus::noise::{Dropout, Masks, mask_words};
use gradus::norm::{BatchNorm, BatchShape, Params, Statistics};
use gradus::{Adam, Clock, Exec, Level, Optimizer, StateVec, Tensor, dot, l2_norm, sum_abs};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use std::hint::black_box;

fn main() {
    // `cargo bench` and `cargo test --benches` pass options of their own; only a filter counts here.
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let mut cases = cases();
    match filter.as_str() {
        "opt-level" => return opt_level(&mut cases),
        "native" => return native(&mut cases),
        _ => {}
    }
    cases.retain(|case| "steps".contains(&filter) || case.rule.contains(&filter));
    if !cases.is_empty() {
        steps(&mut cases);
    }
    small_calls(&filter);
    composition(&filter);
    tensors(&filter);
    reductions(&filter);
    dropout(&filter);
    batch_norm(&filter);
    #[cfg(feature = "rayon")]
    threads(&filter);
}

fn heading(title: &str, text: &str) {
    println!("\n## {title}\n\n{text}\n");
}

fn row<T: std::fmt::Display>(cells: impl IntoIterator<Item = T>) {
    let cells: Vec<_> = cells.into_iter().map(|c| c.to_string()).collect();
    println!("| {} |", cells.join(" | "));
}

fn size(n: usize) -> String {
    match n {
        n if n >= 1 << 20 => format!("{} M", n >> 20),
        n if n >= 1 << 10 => format!("{} K", n >> 10),
        n => n.to_string(),
    }
}

fn steps(cases: &mut [Case]) {
    heading(
        "One step, one thread",
        "Nanoseconds per parameter. *Floor*: the same bytes read and written, one addition a column. *Plain loop*: \
         zipped iterators, compiled like the rest. The last column is the widest level against the floor.",
    );
    // The same pages of memory for every rule: how they fall into a cache makes a difference of half.
    let mut buffers = SIZES.map(Buffers::new);
    for case in cases {
        check(case);
        println!("### {} ({} bytes per parameter)\n", case.rule, case.bytes);
        let names: Vec<_> = case.contestants.iter().map(|c| c.name.clone()).collect();
        row(["N".to_string()].into_iter().chain(names.clone()).chain(["ratio".to_string()]));
        row(std::iter::repeat_n("--:", names.len() + 2));
        for (n, buffers) in SIZES.into_iter().zip(&mut buffers) {
            let ns = times(case.contestants.iter_mut(), buffers);
            let cells = ns.iter().map(|t| format!("{t:.3}"));
            let ratio = format!("{:.2}", ns[ns.len() - 1] / ns[0]);
            row([size(n)].into_iter().chain(cells).chain([ratio]));
        }
        println!();
    }
}

/// Nanoseconds per parameter of each contestant, on the same memory.
fn times<'a>(contestants: impl Iterator<Item = &'a mut Contestant>, buffers: &mut Buffers) -> Vec<f64> {
    buffers.reset();
    let n = buffers.params.len() as f64;
    let buffers = std::cell::RefCell::new(buffers);
    let mut steps: Vec<_> = contestants.map(|c| || (c.step)(&mut buffers.borrow_mut())).collect();
    let mut turns: Vec<&mut dyn FnMut()> = steps.iter_mut().map(|s| s as &mut dyn FnMut()).collect();
    medians(&mut turns).into_iter().map(|ns| ns / n).collect()
}

/// For `ci.sh`, which builds it at several opt-levels.
fn opt_level(cases: &mut [Case]) {
    let names: Vec<_> = Level::available().map(|level| level.name()).collect();
    row(["rule"].iter().chain(&names));
    row(std::iter::repeat_n("--:", names.len() + 1));
    let mut buffers = Buffers::new(1 << 14);
    for case in cases.iter_mut().filter(|case| ["Momentum", "Adam"].contains(&case.rule)) {
        let levels = case.contestants.iter_mut().filter(|c| names.contains(&c.name.as_str()));
        let cells = times(levels, &mut buffers).into_iter().map(|ns| format!("{ns:.3}"));
        row([case.rule.to_string()].into_iter().chain(cells));
    }
}

/// For `ci.sh`, which builds it for this CPU: the plain loops have all of its instructions then.
fn native(cases: &mut [Case]) {
    let sizes = [1 << 10, 1 << 14, 1 << 20];
    row(["rule".into()].into_iter().chain(sizes.map(size)));
    row(["--:"; 4]);
    let mut buffers = sizes.map(Buffers::new);
    for case in cases.iter_mut().filter(|case| case.contestants.iter().any(|c| c.name == "plain loop")) {
        let widest = case.contestants.last().expect("levels").name.clone();
        let cells: Vec<_> = buffers
            .iter_mut()
            .map(|buffers| {
                let two = case
                    .contestants
                    .iter_mut()
                    .filter(|c| ["plain loop", &widest].contains(&c.name.as_str()));
                let ns = times(two, buffers);
                format!("{:.3} / {:.3}", ns[0], ns[1])
            })
            .collect();
        row([case.rule.to_string()].into_iter().chain(cells));
    }
}

fn small_calls(filter: &str) {
    if !"small".contains(filter) {
        return;
    }
    heading(
        "Small calls",
        "Nanoseconds per call of `Adam::step` on arrays, at the start and late in a training.",
    );
    row(["parameters", "t = 100", "t = 10 000", "t = 1 000 000"]);
    row(["--:"; 4]);
    fn call<const N: usize>() {
        let adam = Adam::new(1e-3);
        let (mut params, grads) = ([0.5; N], [0.1; N]);
        let times = [100, 10_000, 1_000_000].map(|t| {
            let mut state = gradus::AdamState::<N>::new();
            let mut step = || {
                state.clock.t = t;
                black_box(&adam).step(&mut params, black_box(&grads), &mut state);
            };
            format!("{:.1}", medians(&mut [&mut step])[0])
        });
        row([N.to_string()].into_iter().chain(times));
    }
    call::<1>();
    call::<16>();
    call::<64>();
    call::<67>();
    call::<256>();
}

/// Adam as a composition of twelve vector operations, as an array library runs it.
fn twelve_passes(b: &mut Buffers, scratch: &mut [Vec<f32>; 2]) {
    fn pass(out: &mut [f32], f: impl Fn(usize, f32) -> f32) {
        for (i, x) in out.iter_mut().enumerate() {
            *x = f(i, *x);
        }
        black_box(out);
    }
    let [x, y] = scratch;
    let (p, g) = (&mut b.params[..], &b.grads[..]);
    let [m, v, _] = &mut b.state;
    pass(m, |_, m| m * 0.9);
    pass(x, |i, _| g[i] * 0.1);
    pass(m, |i, m| m + x[i]);
    pass(v, |_, v| v * 0.999);
    pass(x, |i, _| g[i] * g[i]);
    pass(x, |_, x| x * 0.001);
    pass(v, |i, v| v + x[i]);
    pass(x, |i, _| v[i].sqrt());
    pass(x, |_, x| x + 1e-8);
    pass(y, |i, _| m[i] / x[i]);
    pass(y, |_, y| y * 1e-3);
    pass(p, |i, p| p - y[i]);
}

fn composition(filter: &str) {
    if !"composition".contains(filter) {
        return;
    }
    heading(
        "One pass against twelve",
        "Adam, nanoseconds per parameter: fused, and composed of twelve vector operations with two scratch arrays.",
    );
    row(["N", "fused", "twelve passes", "ratio"]);
    row(["--:"; 4]);
    for n in SIZES {
        let adam = Adam::new(1e-3);
        let (mut a, mut b) = (Buffers::new(n), Buffers::new(n));
        let mut scratch = [vec![0.0; n], vec![0.0; n]];
        let mut state = StateVec::<Adam>::new(n);
        let mut fused =
            || adam.step_slices(&mut a.params, black_box(&a.grads), state.as_mut()).expect("equal lengths");
        let mut composed = || twelve_passes(&mut b, &mut scratch);
        let ns = medians(&mut [&mut fused, &mut composed]);
        let per = |k: usize| format!("{:.3}", ns[k] / n as f64);
        row([size(n), per(0), per(1), format!("{:.1}", ns[1] / ns[0])]);
    }
}

fn tensors(filter: &str) {
    if !"tensors".contains(filter) {
        return;
    }
    heading("Many tensors", "Adam over 1 M parameters, nanoseconds per parameter.");
    row(["tensors x parameters", "one call", "list", "ratio"]);
    row(["--:"; 4]);
    let total = 1 << 20;
    for count in [1, 16, 1024] {
        let n = total / count;
        let adam = Adam::new(1e-3);
        let grads = vec![0.1; total];
        let mut params = [vec![0.5; total], vec![0.5; total]];
        let mut state = StateVec::<Adam>::new(total);
        let mut states: Vec<_> = (0..count).map(|_| StateVec::<Adam>::new(n)).collect();
        let [one, list] = &mut params;
        let mut whole = || adam.step_slices(one, black_box(&grads), state.as_mut()).expect("equal lengths");
        let parts = list.chunks_mut(n).zip(grads.chunks(n)).zip(&mut states);
        let mut tensors: Vec<_> =
            parts.map(|((params, grads), state)| Tensor::new(params, grads, state.as_mut())).collect();
        let mut clock = Clock::new();
        let mut each = || adam.step_tensors(black_box(&mut tensors), &mut clock).expect("equal lengths");
        let ns = medians(&mut [&mut whole, &mut each]);
        let per = |k: usize| format!("{:.3}", ns[k] / total as f64);
        row([format!("{count} x {}", size(n)), per(0), per(1), format!("{:.2}", ns[1] / ns[0])]);
    }
}

fn reductions(filter: &str) {
    if !"reductions".contains(filter) {
        return;
    }
    heading(
        "Reductions",
        "Nanoseconds per element in the fixed order, at the widest level; *naive* is one running sum, which no \
         compiler may reorder.",
    );
    row(["N", "naive dot", "dot f32", "dot f64", "norm f32", "sum of magnitudes f32"]);
    row(["--:"; 6]);
    for n in SIZES {
        let (x, y) = (vec![0.5_f32; n], vec![0.25_f32; n]);
        let (dx, dy) = (vec![0.5_f64; n], vec![0.25_f64; n]);
        let level = Level::detect();
        let mut naive = || {
            black_box(black_box(&x).iter().zip(&y).map(|(x, y)| x * y).sum::<f32>());
        };
        let mut dot32 = || {
            let _ = black_box(dot(level, black_box(&x), &y));
        };
        let mut dot64 = || {
            let _ = black_box(dot(level, black_box(&dx), &dy));
        };
        let mut norm32 = || {
            black_box(l2_norm(level, black_box(&x)));
        };
        let mut abs32 = || {
            black_box(sum_abs(level, black_box(&x)));
        };
        let ns = medians(&mut [&mut naive, &mut dot32, &mut dot64, &mut norm32, &mut abs32]);
        row([size(n)].into_iter().chain(ns.iter().map(|t| format!("{:.3}", t / n as f64))));
    }
}

fn dropout(filter: &str) {
    if !"dropout".contains(filter) {
        return;
    }
    heading(
        "Dropout",
        "16 K elements in place, nanoseconds per element. *Scaling*: a pass of `x *= scale`, the floor. *Drawn*: masks \
         drawn and applied in one call. *Given*: applied from a mask in memory. *Compared*: a random number and a \
         comparison for each element. Most allocators begin an array 16 bytes past a cache line.",
    );
    row(["keep", "begins", "scaling", "drawn", "given", "compared"]);
    row(["--:"; 6]);
    let n = 1 << 14;
    let mut memory = vec![1.0_f32; n + 32];
    let line = memory.as_ptr().align_offset(64);
    for (keep_prob, past) in [0.5, 0.8, 0.9].into_iter().flat_map(|keep| [(keep, 0), (keep, 4)]) {
        let x = std::cell::RefCell::new(&mut memory[line + past..line + past + n]);
        let dropout = Dropout::keep_prob(keep_prob);
        let scaling = Dropout::keep_prob(black_box(1.0)).vanilla();
        let (mut masks, mut rng) = (Masks::new(1), Xoshiro128PlusPlus::seed_from_u64(1));
        let mut mask = vec![0; mask_words(n)];
        Masks::new(2).fill(keep_prob, &mut mask);
        let mut scale = || scaling.inference(black_box(&mut x.borrow_mut()[..])).expect("in place");
        let mut draw =
            || dropout.forward(black_box(&mut x.borrow_mut()[..]), &mut masks).expect("a probability");
        let mut apply =
            || dropout.forward(black_box(&mut x.borrow_mut()[..]), &mask[..]).expect("enough words");
        let mut compare = || {
            for x in black_box(&mut x.borrow_mut()[..]) {
                let uniform = (rng.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0);
                *x = if uniform < keep_prob { *x * (1.0 / keep_prob) } else { 0.0 };
            }
        };
        let ns = medians(&mut [&mut scale, &mut draw, &mut apply, &mut compare]);
        let begins = if past == 0 { "at a line" } else { "16 bytes past" };
        let cells = ns.iter().map(|t| format!("{:.3}", t / n as f64));
        row([keep_prob.to_string(), begins.to_string()].into_iter().chain(cells));
    }
}

fn batch_norm(filter: &str) {
    if !"batch norm".contains(filter) {
        return;
    }
    heading(
        "Batch normalisation",
        "Nanoseconds per element. *Pass*: `y = x * scale`, what one pass costs. Forward reads x three times, for the mean, the \
         variance and the result, and writes y; backward reads both tensors twice.",
    );
    row([
        "batch x channels x positions",
        "pass",
        "forward",
        "backward",
        "forward over pass",
        "backward over pass",
    ]);
    row(["--:"; 6]);
    for (batch, channels, spatial) in [(32, 64, 1), (256, 64, 1), (32, 8, 64), (8, 32, 256), (1024, 256, 1)] {
        let shape = BatchShape { batch, channels, spatial };
        let n = batch * channels * spatial;
        let x: Vec<f32> = (0..n).map(|i| (i % 251) as f32 / 125.0 - 0.997).collect();
        let y = std::cell::RefCell::new(vec![0.5; n]);
        let norm = BatchNorm::new();
        let params = Params { weight: vec![1.0; channels], bias: vec![0.0; channels] };
        let mut statistics = Statistics { mean: vec![0.0; channels], variance: vec![1.0; channels] };
        let known = Statistics { mean: vec![0.0; channels], variance: vec![1.0; channels] };
        let mut grad_params = Params { weight: vec![0.0; channels], bias: vec![0.0; channels] };
        let scaling = Dropout::keep_prob(black_box(1.0)).vanilla();
        let mut pass =
            || scaling.inference((black_box(&x[..]), &mut y.borrow_mut()[..])).expect("equal lengths");
        let mut forward = || {
            norm.forward(shape, black_box(&x), &mut y.borrow_mut(), &params, &mut statistics).expect("fits")
        };
        let mut backward = || {
            norm.backward(shape, &mut y.borrow_mut(), black_box(&x), &params, &known, &mut grad_params)
                .expect("fits");
        };
        let ns = medians(&mut [&mut pass, &mut forward, &mut backward]);
        let cells = ns.iter().map(|t| format!("{:.3}", t / n as f64));
        let ratios = ns[1..].iter().map(|t| format!("{:.1}", t / ns[0]));
        row([format!("{batch} x {channels} x {spatial}")].into_iter().chain(cells).chain(ratios));
    }
}

#[cfg(feature = "rayon")]
fn threads(filter: &str) {
    if !"threads".contains(filter) {
        return;
    }
    use gradus::{Columns, run};
    heading(
        "Threads",
        "Adam, nanoseconds per parameter, called from outside of the pool. *Floor, 2 threads*: the floor on two halves.",
    );
    row(["N", "1 thread", "2 threads", "floor, 2 threads", "speed-up"]);
    row(["--:"; 5]);
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global().expect("two threads");
    for n in SIZES {
        let adam = Adam::new(1e-3);
        let (mut params, grads) = (vec![0.5; n], vec![0.1; n]);
        let mut state = StateVec::<Adam>::new(n);
        let buffers = std::cell::RefCell::new((&mut params, &mut state));
        let mut one = || {
            let (params, state) = &mut *buffers.borrow_mut();
            adam.step_slices(params, black_box(&grads), state.as_mut()).expect("equal lengths");
        };
        let mut two = || {
            let (params, state) = &mut *buffers.borrow_mut();
            let threads = adam.on(Exec::threads());
            threads.step_slices(params, black_box(&grads), state.as_mut()).expect("equal lengths");
        };
        let mut floor = || {
            let (params, state) = &mut *buffers.borrow_mut();
            let columns = Columns::new(params, [black_box(&grads)], state.columns_mut());
            let (left, right) = columns.expect("equal lengths").split_at(n / 2);
            let level = Level::detect();
            // The caller does one half, a thread of the pool the other.
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| run(level, &benches::Floor::new(), right));
                run(level, &benches::Floor::new(), left);
            });
        };
        let ns = medians(&mut [&mut one, &mut two, &mut floor]);
        let per = |k: usize| format!("{:.3}", ns[k] / n as f64);
        row([size(n), per(0), per(1), per(2), format!("{:.2}", ns[0] / ns[1])]);
    }
}
