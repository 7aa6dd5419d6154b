//! An iteration of L-BFGS on the extended Rosenbrock function beside a memory floor and a plain two-loop
//! recursion: `cargo bench -p benches --bench lbfgs`.
//!
//! The floor reads the `2 m` vectors of `n` numbers twice, `4 m n` elements: as often as the recursion as it is
//! printed. Contestants take turns; the table has the medians of many turns, and ratios hold where times drift.
#![allow(missing_docs)]

use benches::turns::{TURNS, median, nanos};
use gradus::second_order::{LbfgsSettings, LbfgsVec, Real};
use gradus::{Fold, Level, Vector, reduce};
use std::hint::black_box;
use std::time::{Duration, Instant};

const M: usize = 10;

fn main() {
    if std::env::args().any(|a| a == "--test") {
        return; // `cargo test --benches`
    }
    println!("\n## L-BFGS iteration\n");
    println!("Extended Rosenbrock function, {M} pairs, one thread.");
    println!(
        "Microseconds. *Floor*: reads of 4 m n elements, five vectors at a time. *Plain recursion*: the two"
    );
    println!(
        "loops as printed, in plain Rust, the direction alone. *Step*: all that the iteration does but the"
    );
    println!(
        "objective, with its line search. *Iteration*: with the objective (evaluations per iteration behind it).\n"
    );
    println!("| n | type | floor | plain recursion | step | iteration | step / floor | iteration / floor |");
    println!("|--:|---|--:|--:|--:|--:|--:|--:|");
    // One length alone can be asked for.
    let asked = std::env::args().find_map(|a| a.parse::<usize>().ok());
    for n in [1_000, 100_000, 1_000_000].into_iter().filter(|n| asked.is_none_or(|asked| asked == *n)) {
        line::<f64>("f64", n);
        line::<f32>("f32", n);
    }
}

/// The sum of five columns.
struct Five;

impl<T: Real> Fold<5, 0, 1, T> for Five {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [a, b, c, d, e]: [V; 5],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        ([sum + ((a + b) + (c + d) + e)], [])
    }
}

fn floor<T: Real>(vectors: &[Vec<T>]) {
    for _ in 0..2 {
        for five in black_box(vectors).as_chunks::<5>().0 {
            let read = five.each_ref().map(Vec::as_slice);
            black_box(reduce(Level::detect(), &Five, read[0].len(), read, []).expect("equal lengths"));
        }
    }
}

fn plain_dot<T: Real>(x: &[T], y: &[T]) -> T {
    let mut sums = [T::ZERO; 16]; // one would make it wait for every addition
    for (x, y) in x.as_chunks::<16>().0.iter().zip(y.as_chunks::<16>().0) {
        for k in 0..16 {
            sums[k] = sums[k] + x[k] * y[k];
        }
    }
    sums.into_iter().fold(T::ZERO, |sum, part| sum + part)
}

/// Nocedal and Wright, algorithm 7.4.
fn plain_two_loop<T: Real>(s: &[Vec<T>], y: &[Vec<T>], rho: &[T; M], q: &mut [T]) {
    let mut alpha = [T::ZERO; M];
    for i in (0..M).rev() {
        alpha[i] = rho[i] * plain_dot(&s[i], q);
        for (q, y) in q.iter_mut().zip(&y[i]) {
            *q = *q - alpha[i] * *y;
        }
    }
    for i in 0..M {
        let beta = rho[i] * plain_dot(&y[i], q);
        for (q, s) in q.iter_mut().zip(&s[i]) {
            *q = *q + (alpha[i] - beta) * *s;
        }
    }
}

/// Value and gradient, in eight sums so that the compiler can use registers.
fn rosenbrock<T: Real>(x: &[T], g: &mut [T]) -> T {
    let [one, two, ten, twenty, forty] = [1.0, 2.0, 10.0, 20.0, 40.0].map(T::of);
    let mut sums = [T::ZERO; 8];
    let pair = |x: &[T], g: &mut [T]| {
        let (u, v) = (ten * (x[1] - x[0] * x[0]), one - x[0]);
        g[0] = -(forty * u * x[0] + two * v);
        g[1] = twenty * u;
        u * u + v * v
    };
    let (blocks, rest) = x.as_chunks::<16>();
    let (g_blocks, g_rest) = g.as_chunks_mut::<16>();
    for (x, g) in blocks.iter().zip(g_blocks) {
        for k in 0..8 {
            sums[k] = sums[k] + pair(&x[2 * k..2 * k + 2], &mut g[2 * k..2 * k + 2]);
        }
    }
    for (x, g) in rest.chunks_exact(2).zip(g_rest.chunks_exact_mut(2)) {
        sums[0] = sums[0] + pair(x, g);
    }
    sums.into_iter().fold(T::ZERO, |sum, part| sum + part)
}

/// A run from the standard start, which starts anew when its pairs are full and it is nearly done.
struct Run<T> {
    solver: LbfgsVec<T>,
    start: Vec<T>,
    evaluations: u32,
}

impl<T: Real> Run<T> {
    fn new(n: usize) -> Self {
        let start: Vec<T> = [-1.2, 1.0].map(T::of).into_iter().cycle().take(n).collect();
        let settings = LbfgsSettings { tolerance: T::ZERO, ..LbfgsSettings::new() };
        Self { solver: LbfgsVec::new(n).pairs(M).settings(settings), start, evaluations: 0 }
    }

    /// One iteration with full memory: its time, and that of the objective in it.
    fn iteration(&mut self) -> [Duration; 2] {
        while !(M as u32 + 2..25).contains(&self.solver.report().iterations) {
            if self.solver.ask().is_none() || self.solver.report().iterations >= 25 {
                self.solver.start(&self.start).expect("equal lengths");
            }
            self.evaluate();
        }
        let (iterations, mut objective, begin) =
            (self.solver.report().iterations, Duration::ZERO, Instant::now());
        while self.solver.report().iterations == iterations {
            objective += self.evaluate();
            self.evaluations += 1;
        }
        [begin.elapsed(), objective]
    }

    /// One evaluation and what follows from it: the time of the objective.
    fn evaluate(&mut self) -> Duration {
        let Some((x, g)) = self.solver.ask() else { panic!("it stopped") };
        let begin = Instant::now();
        let f = rosenbrock(x, g);
        let time = begin.elapsed();
        self.solver.tell(f);
        time
    }
}

fn line<T: Real>(name: &str, n: usize) {
    let number = |k: usize, i: usize| T::of(1e-3 * ((i * 7 + k * 13) % 101) as f64 - 0.05);
    let mut vectors: Vec<Vec<T>> = (0..=2 * M).map(|k| (0..n).map(|i| number(k, i)).collect()).collect();
    let mut q = vectors.pop().expect("one more");
    let (s, y) = vectors.split_at(M);
    let rho = [T::of(1e-9); M];
    let mut run = Run::<T>::new(n);
    // About a turn of 20 ms at least; the first call of each brings its memory back into the caches.
    let calls = (4_000_000 / n).clamp(4, 1000) as u32;
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..TURNS {
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(calls);
        times[0].push(nanos(calls, &mut || floor(&vectors)) / 1e3);
        times[1].push(nanos(calls, &mut || plain_two_loop(s, y, black_box(&rho), black_box(&mut q))) / 1e3);
        run.iteration();
        let (mut whole, mut objective) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..calls {
            let [time, part] = run.iteration();
            whole += time;
            objective += part;
        }
        times[2].push(micros(whole - objective));
        times[3].push(micros(whole));
    }
    let mut g = vec![T::ZERO; n];
    assert!(run.solver.report().value < rosenbrock(&run.start, &mut g) * T::of(0.1), "it does minimise");
    let [floor, plain, step, iteration] = times.map(median);
    let evaluations = f64::from(run.evaluations) / (TURNS as f64 * f64::from(calls + 1));
    println!(
        "| {n} | {name} | {floor:.1} | {plain:.1} | {step:.1} | {iteration:.1} ({evaluations:.2}) | {:.2} | {:.2} |",
        step / floor,
        iteration / floor
    );
}
