//! No call of the core allocates: counted by an allocator of our own.

#[macro_use]
#[path = "support/rules.rs"]
mod rules;

use gradus::schedule::*;
use gradus::transform::*;
use gradus::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

thread_local! {
    /// Allocations of this thread: the test runner's other threads do not count.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: all calls go to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the contract of alloc.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of dealloc.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` allocates.
fn count(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(count(|| drop(black_box(vec![1.0_f32; 3]))), 1);
    assert_eq!(
        count(|| drop(black_box(StateVec::<Adam, 2>::new(3)))),
        2,
        "a state on the heap is one column each"
    );
}

/// Length of the slices: more than one block of a reduction would need a buffer, if any did.
const N: usize = BLOCK + 300;

fn steps<const K: usize, O: Optimizer<K>>(rule: O) {
    let (mut params, grads) = (vec![0.5; N], vec![0.25; N]);
    let mut state = StateVec::<O::Family, K>::new(N);
    let mut small = State::<O::Family, K, 37>::new();
    let (mut array, grad_array) = ([0.5; 37], [0.25; 37]);
    let all =
        rule.with((Scale(0.5), ClipValue(1.0), ElasticNet { lambda: 1e-3, beta: 0.5 }, ProxL1::new(1e-3)));
    let allocations = count(|| {
        rule.step(&mut array, &grad_array, &mut small);
        rule.step_slices(&mut params, &grads, state.as_mut()).unwrap();
        for level in Level::available() {
            rule.step_slices_at(level, &mut params, &grads, state.as_mut()).unwrap();
            all.step_slices_at(level, &mut params, &grads, state.as_mut()).unwrap();
        }
        rule.step_if_finite(&mut params, &grads, state.as_mut()).unwrap();
        rule.step_slices(&mut params, &grads[1..], state.as_mut()).unwrap_err();
        let columns = small.columns.each_mut().map(|column| column.as_mut_slice());
        let mut tensors =
            [Tensor { params: &mut array, grads: &grad_array, columns, transform: L2::new(1e-3) }];
        rule.step_tensors(&mut tensors, &mut small.clock).unwrap();
        rule.check().unwrap();
        black_box(State::<O::Family, K, 37>::new());
    });
    assert_eq!(allocations, 0, "{}", std::any::type_name::<O>());
}

#[test]
fn no_step_allocates() {
    each_rule!(steps);
    each_variant!(steps);
}

#[test]
fn no_reduction_or_transform_allocates() {
    let (x, y) = (vec![0.5_f32; N], vec![0.25; N]);
    let mut weights = vec![1.0; N];
    let allocations = count(|| {
        for level in Level::available() {
            black_box((
                dot(level, &x, &y).unwrap(),
                sum_squares(level, &x),
                sum_abs(level, &x),
                max_abs(level, &x),
            ));
            black_box((norm(level, &x), norm(level, &[1e30_f32, 1e-30]), count_non_finite(level, &x)));
        }
        black_box(ClipNorm { max_norm: 1.0 }.scale(&[&x, &y]).unwrap());
        black_box((L1::new(0.1).value(&x), L2::new(0.1).value(&x)));
        limit_row_norms(&mut weights, N / 4, 1.0).unwrap();
    });
    assert_eq!(allocations, 0);
}

#[test]
fn no_schedule_allocates() {
    let allocations = count(|| {
        for step in [0, 1, 100, u32::MAX] {
            black_box((StepDecay::new(0.1, 0.5, 7).at(step), MultiStep::new(0.1, 0.5, [3, 9]).at(step)));
            black_box((Exponential::new(0.1, 0.1).at(step), InverseTime::new(0.1, 0.1).at(step)));
            black_box((Cosine::new(0.1, 50).at(step), SnapshotCycle::new(0.1, 50, 5).at(step)));
            black_box(WarmRestarts { mult: 2, ..WarmRestarts::new(0.1, 3) }.at(step));
            black_box((Triangular::new(0.1, 0.2, 3, 4).at(step), OneCycle::new(0.1, 50).at(step)));
            black_box(WarmUp::new(0.0, 5, Linear::new(0.1, 0.0, 50)).at(step));
        }
    });
    assert_eq!(allocations, 0);
}

/// Sum of `a (d^2 / 2 + d^4 / 40)` where `d = x - 1`.
fn quartic(x: &[f64], g: &mut [f64]) -> f64 {
    let mut f = 0.0;
    for (i, (x, g)) in x.iter().zip(g).enumerate() {
        let (a, d) = (1.0 + (i % 7) as f64, x - 1.0);
        *g = a * (d + 0.1 * d * d * d);
        f += a * (0.5 * d * d + 0.025 * d * d * d * d);
    }
    f
}

#[test]
fn a_run_of_lbfgs_allocates_only_its_memory() {
    use gradus::second_order::{LbfgsSettings, LbfgsVec};
    let n = BLOCK + 300;
    for l1 in [0.0, 0.1] {
        let mut solver = LbfgsVec::<f64>::new(n, 5).unwrap();
        let (mut x, preconditioner) = (vec![2.0; n], vec![0.5; n]);
        let settings = LbfgsSettings { l1, tolerance: 0.0, max_iterations: 20, ..LbfgsSettings::new() };
        let mut iterations = 0;
        let go_on = |_: &_| std::ops::ControlFlow::Continue(());
        let allocations = count(|| {
            let report = solver.minimize(&settings, &mut x, Some(&preconditioner), go_on, quartic);
            iterations = report.unwrap().iterations;
        });
        assert_eq!(allocations, 0);
        assert!(iterations > 5, "{iterations}");
    }
}

#[cfg(feature = "rayon")]
#[test]
fn on_threads_lbfgs_allocates_when_it_starts_and_not_in_its_iterations() {
    use gradus::second_order::{LbfgsSettings, LbfgsVec};
    use std::ops::ControlFlow::{Break, Continue};
    let n = 3 * BLOCK + 300;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let allocations = [3, 12].map(|iterations| {
        let mut solver = LbfgsVec::<f64>::new(n, 5).unwrap();
        let mut x = vec![2.0; n];
        let settings = LbfgsSettings { tolerance: 0.0, ..LbfgsSettings::new() };
        let go_on = |r: &gradus::second_order::Report<f64>| {
            if r.iterations == iterations { Break(()) } else { Continue(()) }
        };
        pool.install(|| {
            count(|| {
                let report = solver.par_minimize(&settings, &mut x, None, go_on, quartic);
                assert_eq!(report.unwrap().iterations, iterations);
            })
        })
    });
    assert_eq!(allocations[0], allocations[1]);
}
