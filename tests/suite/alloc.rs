//! No call of the core allocates: counted by an allocator of our own, which hands all calls on, and counts for each
//! thread alone.

#[cfg(feature = "ffi")]
use crate::support::every_c_function;
use crate::support::every_transform;
#[cfg(feature = "journal")]
use crate::support::flash;
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
        count(|| drop(black_box(StateVec::<Adam>::new(3)))),
        2,
        "a state on the heap is one column each"
    );
}

/// Length of the slices: more than one block of a reduction would need a buffer, if any did.
const N: usize = BLOCK + 300;

fn steps<O: Optimizer>(rule: O) {
    let (mut params, grads) = (vec![0.5; N], vec![0.25; N]);
    let mut state = StateVec::<O::Family>::new(N);
    let mut small = State::<O::Family, 37>::new();
    let (mut array, grad_array) = ([0.5; 37], [0.25; 37]);
    let all = rule.with(every_transform());
    let allocations = count(|| {
        rule.step(&mut array, &grad_array, &mut small);
        rule.step_slices(&mut params, &grads, state.as_mut()).unwrap();
        for level in Level::available() {
            rule.on(level).step_slices(&mut params, &grads, state.as_mut()).unwrap();
            all.on(level).step_slices(&mut params, &grads, state.as_mut()).unwrap();
        }
        rule.step_if_finite(&mut params, &grads, state.as_mut()).unwrap();
        rule.step_slices(&mut params, &grads[1..], state.as_mut()).unwrap_err();
        let mut clock = Clock::new();
        let tensor = Tensor::new(&mut array, &grad_array, small.as_mut()).with(L2::new(1e-3));
        let mut tensors = [tensor];
        rule.step_tensors(&mut tensors, &mut clock).unwrap();
        rule.step_each(&mut tensors).unwrap();
        rule.check().unwrap();
        black_box(State::<O::Family, 37>::new());
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
            black_box((l2_norm(level, &x), l2_norm(level, &[1e30_f32, 1e-30]), count_non_finite(level, &x)));
        }
        black_box(ClipNorm { max_norm: 1.0 }.scale(Level::detect(), &[&x, &y]).unwrap());
        black_box((L1::new(0.1).value(Level::detect(), &x), L2::new(0.1).value(Level::detect(), &x)));
        L1::new(0.1).add_gradient(Level::detect(), &x, &mut weights).unwrap();
        L2::new(0.1).add_gradient(Level::detect(), &x, &mut weights).unwrap();
        ElasticNet { lambda: 0.1, beta: 0.5 }.add_gradient(Level::detect(), &x, &mut weights).unwrap();
        MaxNorm { row: N / 4, limit: 1.0 }.apply(Level::detect(), &mut weights).unwrap();
    });
    assert_eq!(allocations, 0);
}

/// Somebody's own kernel.
struct Lerp;

impl Rule for Lerp {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, x: V, [y]: [V; 1], []: [V; 0]) -> (V, [V; 0]) {
        (x + (y - x) * V::splat(isa, 0.5), [])
    }
}

impl Fold<1, 1> for Lerp {
    #[inline(always)]
    fn fold<V: Vector>(
        &self,
        _: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x]: [V; 1],
        [y]: [V; 1],
    ) -> ([V; 1], [V; 1]) {
        ([sum + x * y], [x - y])
    }
}

#[test]
fn no_kernel_of_a_user_allocates() {
    let (mut x, mut y) = (vec![0.5_f32; N], vec![0.25; N]);
    let allocations = count(|| {
        for level in Level::available() {
            run(level, &Lerp, Columns::new(&mut x, [&y], []).unwrap());
            black_box(reduce(level, &Lerp, N, [&x], [&mut y]).unwrap());
        }
        reduce(Level::detect(), &Lerp, N, [&x], [&mut y[1..]]).unwrap_err();
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
            black_box((InverseSqrt::new(0.1, 5).at(step), Polynomial::new(0.1, 50, 0.9).at(step)));
            black_box(Constant(0.1).then(5, StableDecay::new(0.1, 5, 50)).at(step));
            black_box(Plateau::new(0.1).update(&mut PlateauState::new(), 0.5));
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
        let settings = LbfgsSettings { l1, tolerance: 0.0, max_iterations: 20, ..LbfgsSettings::new() };
        let mut solver = LbfgsVec::<f64>::new(n).pairs(5).settings(settings);
        let (mut x, preconditioner) = (vec![2.0; n], vec![0.5; n]);
        let mut iterations = 0;
        let allocations = count(|| {
            let report = solver.preconditioner(&preconditioner).minimize(&mut x, quartic);
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
    let n = 3 * BLOCK + 300; // times 12 pairs enough for two threads
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let allocations = [3, 12].map(|iterations| {
        let settings = LbfgsSettings { tolerance: 0.0, ..LbfgsSettings::new() };
        let mut solver = LbfgsVec::<f64>::new(n).pairs(12).settings(settings).on(Exec::threads());
        let mut x = vec![2.0; n];
        let go_on = |r: &second_order::Report<f64>| {
            if r.iterations == iterations { Break(()) } else { Continue(()) }
        };
        pool.install(|| {
            count(|| {
                let report = solver.on_iteration(go_on).minimize(&mut x, quartic);
                assert_eq!(report.unwrap().iterations, iterations);
            })
        })
    });
    assert_eq!(allocations[0], allocations[1]);
}

#[test]
fn no_noise_and_no_average_allocates() {
    use gradus::ensemble::{Average, Ema, EmaState, Ensemble, Swa, SwaState, argmax, mean};
    use gradus::noise::*;
    const WORDS: usize = mask_words(N);
    let (mut x, y, mut mask) = (vec![0.5_f32; N], vec![0.25; N], vec![0; WORDS]);
    let (mut averages, mut small) = ([vec![0.0; N], vec![0.0; N]], [0.0; 37]);
    let allocations = count(|| {
        let mut masks = Masks::new(7);
        for level in Level::available() {
            let dropout = Dropout::drop_prob(0.3);
            dropout.on(level).draw(&mut masks, &mut mask);
            dropout.on(level).forward(&mut x[..], &mask[..]).unwrap();
            dropout.on(level).forward((&y[..], &mut x[..]), &mut masks).unwrap();
            dropout.on(level).relu_forward(&mut x[..], &mut masks).unwrap();
            dropout.on(level).relu_backward(&mut x[..], &y).unwrap();
            dropout.on(level).inference(&mut x[..]).unwrap();
            dropout.on(level).forward(&mut x[1..], &mask[..1]).unwrap_err();
            let layer = DropConnect(dropout);
            let [row, input] = [&y[..320], &x[..320]];
            let (mut out, mut grads) = ([0.0], [0.0; 320]);
            layer.on(level).forward(row, input, &mut out, &mask[..10]).unwrap();
            layer.on(level).backward_weights(&[1.0], input, &mut grads, &mask[..10]).unwrap();
            layer.on(level).backward_input(row, &[1.0], &mut grads, &mask[..10]).unwrap();
            layer.on(level).inference(row, input, &mut out).unwrap();
            let depth = StochasticDepth(dropout);
            depth.draw(&mut masks, &mut mask[..1]);
            black_box(depth.draw_batch(&mut masks, &mut mask[..1]));
            depth.on(level).forward(&mut x[..64], 32, &mask[..1]).unwrap();
            let [average, spread] = &mut averages;
            let mut monte_carlo = MonteCarlo::new(average, spread).unwrap().on(level);
            monte_carlo.add(&x).unwrap();
            monte_carlo.finish();
        }
        let (mut swa, mut ema, mut models) =
            (SwaState::<37>::new(), EmaState::<37>::new(), Ensemble::<37, 2>::new());
        Swa.update(&mut swa, &[0.5; 37]);
        Ema::new(0.9).update(&mut ema, &[0.5; 37]);
        models.push(swa.average()).unwrap();
        models.push(ema.average()).unwrap();
        let mut scratch = [0.0; 37];
        models
            .predict(Exec::new(), |params, out| out.copy_from_slice(params), &mut scratch, &mut small)
            .unwrap();
        mean(Exec::new(), &[&scratch, ema.average()], &mut small).unwrap();
        black_box(argmax(&small));
    });
    assert_eq!(allocations, 0);
}

#[test]
fn no_norm_pool_augmentation_or_second_order_allocates() {
    use gradus::augment::{
        Affine, Image, ImageLayout, ImageMut, ImageShape, Jitter, RandomAffine, RandomCrop, RandomFlip,
        RandomResizedCrop, Region, ScaleCrop, affine, crop, fixed_crops, flip, pad_crop, resize,
    };
    use gradus::norm::{BatchNorm, BatchNormState, BatchShape, Params, Statistics};
    use gradus::pool::{FractionalMaxPool, Regions, Window};
    use gradus::second_order::{DiagonalNewton, Lbfgs, LbfgsSettings, Newton, NewtonSettings};
    use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};
    let allocations = count(|| {
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
        let (x, mut y, mut g) = ([0.5_f32; 48], [0.0; 48], [0.25; 48]);
        let (mut batch, mut state) =
            (Statistics { mean: [0.0; 2], variance: [0.0; 2] }, BatchNormState::<2>::new());
        let (params, mut grads) =
            (Params { weight: [1.0; 2], bias: [0.0; 2] }, Params { weight: [0.0; 2], bias: [0.0; 2] });
        let shape = BatchShape { batch: 6, channels: 2, spatial: 4 };
        for level in Level::available() {
            let norm = BatchNorm::new().on(level);
            norm.forward(shape, &x, &mut y, &params, &mut batch).unwrap();
            norm.backward(shape, &mut g, &x, &params, &batch, &mut grads).unwrap();
            norm.inference(shape, &mut y, &params, &state).unwrap();
            norm.track(shape, &batch, state.as_mut()).unwrap();
            norm.fold(&params, &state, &mut y, &mut [0.0; 2]).unwrap();
        }

        let (mut rows, mut columns) = ([Window::default(); 3], [Window::default(); 4]);
        Regions::Disjoint.random(6, &mut rng, &mut rows).unwrap();
        Regions::Overlapping.pseudo_random(8, &mut rng, &mut columns).unwrap();
        let pool = FractionalMaxPool::new([6, 8], &rows, &columns).unwrap();
        let (mut largest, mut indices) = ([0.0; 12], [0; 12]);
        pool.forward(&x, &mut largest, &mut indices).unwrap();
        pool.backward(&largest, &indices, &mut g).unwrap();

        let size = |side| ImageShape { height: side, width: side, channels: 1, layout: ImageLayout::Chw };
        let (image, mut new) = ([7_u8; 64], [0; 36]);
        let (from, mut to) =
            (Image::new(&image, size(8)).unwrap(), ImageMut::new(&mut new, size(6)).unwrap());
        crop(from, [1, 1], &mut to).unwrap();
        crop(from, [3, 3], &mut to).unwrap_err();
        pad_crop(from, 2, 0, [4, 0], &mut to).unwrap();
        resize(from, Region { top: 1, left: 0, height: 7, width: 5 }, &mut to).unwrap();
        flip(&mut to);
        black_box(fixed_crops([8, 8], [6, 6]).unwrap());
        affine(from, &Affine::rotate(10.0), 0.0, &mut to).unwrap();
        RandomCrop { pad: 2 }.apply(from, &mut to, &mut rng).unwrap();
        RandomFlip { prob: 0.5 }.apply(&mut to, &mut rng).unwrap();
        ScaleCrop { shortest: [6, 10] }.apply(from, &mut to, &mut rng).unwrap();
        RandomResizedCrop::default().apply(from, &mut to, &mut rng).unwrap();
        Jitter { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.0 }
            .apply(&mut to, &mut rng)
            .unwrap();
        RandomAffine { rotate: 5.0, ..RandomAffine::default() }.apply(from, 0.0, &mut to, &mut rng).unwrap();

        let mut lbfgs = Lbfgs::<2, 3, f64>::new();
        lbfgs.start(&LbfgsSettings::new(), &[3.0, -2.0]).unwrap();
        while let Some((x, g)) = lbfgs.ask() {
            let f = quartic(x, g);
            lbfgs.tell_with(f, &second_order::Given::new().preconditioner(&[0.5, 0.25])).unwrap();
        }
        let mut newton = Newton::<2, f64>::new();
        newton.start(&NewtonSettings::new(), &[3.0, -2.0]).unwrap();
        while let Some((x, g, h)) = newton.ask() {
            let f = quartic(x, g);
            *h = [[12.0 * x[0] * x[0] + 2.0, 0.0], [0.0, 12.0 * x[1] * x[1] + 2.0]];
            newton.tell(f);
        }
        DiagonalNewton { damping: 0.1, ..DiagonalNewton::new(0.5) }.step(&mut y, &x, &g).unwrap();
        black_box((new, largest, lbfgs.report(), newton.report()));
    });
    assert_eq!(allocations, 0);
}

#[test]
fn no_file_in_fixed_memory_allocates() {
    use gradus::noise::Masks;
    use gradus::store;
    let allocations = count(|| {
        let (mut params, mut state, mut masks) = ([0.5; 37], AdamState::<37>::new(), Masks::new(3));
        let mut buffer = [0; 1024];
        let size = store::save((&params, &state, &masks), &mut buffer).unwrap().len();
        store::load((&mut params, &mut state, &mut masks), &buffer[..size]).unwrap();
        store::load((&mut params, &mut state, &mut masks), &buffer[..size - 1]).unwrap_err();
        let mut at = 0;
        let sink = |piece: &[u8]| {
            buffer[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
            Ok::<_, ()>(())
        };
        store::save_to((&params, &state, &masks), sink).unwrap();
        let source = |at: u64, piece: &mut [u8]| {
            piece.copy_from_slice(&buffer[at as usize..][..piece.len()]);
            Ok::<_, ()>(())
        };
        store::load_from((&mut params, &mut state, &mut masks), at as u64, source).unwrap();
        black_box((params, state));
    });
    assert_eq!(allocations, 0);
}

#[cfg(feature = "journal")]
#[test]
fn a_journal_does_not_allocate() {
    use gradus::store::Journal;
    let mut flash = flash::Flash::<4, 8, 256>::new(4, 1);
    let (mut buffer, file) = ([0; 300], [7; 290]);
    let allocations = count(|| {
        for _ in 0..3 {
            let mut journal = Journal::open(&mut flash, 0..1024).unwrap();
            journal.write(&file).unwrap();
            journal.write(&file[1..]).unwrap();
            journal.write(&[0; 600]).unwrap_err();
            assert_eq!(journal.read(&mut buffer).unwrap(), Some(&file[1..]));
            journal.read(&mut buffer[1..20]).unwrap_err();
            journal.save(([0.5_f32; 70], 7_u32)).unwrap();
            assert_eq!(journal.load((&mut [0.0_f32; 70], &mut 0_u32)), Ok(true));
            journal.load(&mut 0_u32).unwrap_err();
        }
    });
    assert_eq!(allocations, 0);
}

#[cfg(feature = "ffi")]
#[test]
fn no_function_of_the_c_interface_allocates() {
    assert_eq!(count(every_c_function::call), 0);
    // And it is every one.
    let calls =
        [include_str!("../support/every_c_function.rs"), include_str!("../support/c_rules.rs")].concat();
    for words in include_str!("../../include/gradus.h").split('(') {
        let name = words.rsplit([' ', '*', '\n', '`']).next().unwrap_or_default();
        let inline = name.ends_with("_update"); // written out in the header
        let function = name.starts_with("gradus_") && !name.ends_with(')'); // no type of a function
        assert!(!function || inline || calls.contains(name), "{name} is not called");
    }
}

#[test]
fn layers_do_not_allocate() {
    use gradus::layer::*;
    let exec = Exec::new();
    let conv = Conv2d::new([9, 8, 3], 300, [3, 2]).stride([2, 1]).padding([1, 1]);
    let (apart, max) = (DepthwiseConv2d::new([9, 8, 3], [3, 2]), MaxPool2d::new([9, 8, 3], [3, 2]));
    let (dense, mean) = (Dense::new(40, 300), AveragePool2d::new([9, 8, 3], [3, 2]));
    let adam = Adam::new(1e-3).with(Scale(0.5));
    macro_rules! passes {
        ($layer:ident, $inputs:expr, $outputs:expr) => {{
            let n = $layer.params();
            let (mut params, mut grads, mut state) = (vec![0.5; n], vec![0.0; n], adam.state_vec(n));
            let (x, mut y, mut dx) =
                (vec![1.0; 2 * $inputs], vec![0.0; 2 * $outputs], vec![0.0; 2 * $inputs]);
            let allocations = count(|| {
                for level in Level::available() {
                    let layer = $layer.on(level);
                    layer.forward(&params, &x, &mut y).unwrap();
                    layer.backward(&params, &mut grads, &x, &y, Some(&mut dx)).unwrap();
                    let update = adam.update_slices(&mut params, state.as_mut()).unwrap();
                    layer.backward_step(update.on_weights(L2::new(0.1)), &x, &y, Some(&mut dx)).unwrap();
                }
            });
            assert_eq!(allocations, 0, "{:?}", $layer);
        }};
    }
    passes!(dense, dense.inputs, dense.outputs);
    passes!(conv, conv.inputs(), conv.outputs());
    passes!(apart, apart.inputs(), apart.outputs());
    let (x, mut y, mut dx) = (vec![1.0; max.inputs()], vec![0.0; max.outputs()], vec![0.0; max.inputs()]);
    let (mut z, targets, labels) = (vec![0.5; 300], vec![0.25; 300], [1_u8; 30]);
    let allocations = count(|| {
        max.forward(&x, &mut y).unwrap();
        max.backward(&x, &y, &y, &mut dx).unwrap();
        mean.forward(&x, &mut y).unwrap();
        mean.backward(&y, &mut dx).unwrap();
        residual_add(exec, &mut dx, &x).unwrap();
        activation::tanh(exec, &mut z);
        activation::tanh_backward(exec, &mut z, &targets).unwrap();
        loss::softmax_cross_entropy(exec, &mut z, &labels).unwrap();
        loss::binary_cross_entropy(exec, &mut z, &targets).unwrap();
        loss::huber(exec, 1.0, &mut z, &targets).unwrap();
    });
    assert_eq!(allocations, 0);
}
