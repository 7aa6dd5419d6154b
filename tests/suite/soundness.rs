//! A small suite for slow machines: it reaches every kind of memory access once, at every level.
//!
//! `ci.sh miri` interprets it for several targets.

use gradus::noise::{DropConnect, Dropout, Masks, mask_words};
use gradus::second_order::{LbfgsSettings, LbfgsVec};
use gradus::transform::{ClipNorm, ClipValue, L2, MaxNorm, ProxL1};
use gradus::{
    Adam, AdamState, Argument, BLOCK, Bf16, Clock, Columns, Element, Epsilon, Error, Fold, Level, Optimizer,
    Rule, Sgd, StateMut, StateVec, Tensor, Vector, Width, count_non_finite, dot, l2_norm, max_abs, reduce,
    run, sum_abs, sum_squares,
};

/// Lengths around every width, and one that is long enough to be aligned first.
const LENGTHS: [usize; 8] = [0, 1, 4, 7, 15, 16, 37, 257];

/// Every operation of a register at once, but the comparisons.
struct Operations;

impl<T: Element> Rule<2, T> for Operations {
    type Columns = Width<2>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, [a, b]: [V; 2], [s, t]: [V; 2]) -> (V, [V; 2]) {
        (x + s * V::splat(isa, T::ONE), [(a / b).abs().sqrt(), -t - b])
    }
}

/// The comparisons.
struct Comparisons;

impl<T: Element> Rule<2, T> for Comparisons {
    type Columns = Width<2>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, _: V::Isa, x: V, [a, b]: [V; 2], [s, t]: [V; 2]) -> (V, [V; 2]) {
        (a.select_gt(b, x, s), [a.max(t), b.min(s)])
    }
}

/// Miri has every instruction of AVX-512 that the crate uses, but not the comparison.
const COMPARES: bool = !cfg!(all(miri, target_feature = "avx512f"));

/// A fold that writes a column on the way.
struct Residual;

impl<T: Element> Fold<1, 1, 1, T> for Residual {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x]: [V; 1],
        [y]: [V; 1],
    ) -> ([V; 1], [V; 1]) {
        ([sum + x * y], [y - x])
    }
}

/// Exact conversions from small numbers, and back to compare.
trait Small: Element + PartialEq + std::fmt::Debug {
    fn of(x: i16) -> Self;
}
impl Small for f32 {
    fn of(x: i16) -> Self {
        x.into()
    }
}
impl Small for f64 {
    fn of(x: i16) -> Self {
        x.into()
    }
}

/// `n` small numbers from position `offset` of an allocation that ends with them.
fn column<T: Small>(n: usize, offset: usize, seed: i16) -> Vec<T> {
    (0..offset + n).map(|i| T::of((i as i16).wrapping_mul(37).wrapping_add(seed) % 23 + 30)).collect()
}

fn kernels<T: Small>() {
    for n in LENGTHS {
        for o in [0, 1] {
            let result = |level| {
                let (mut x, a, b) = (column::<T>(n, o, 1), column::<T>(n, o, 2), column::<T>(n, o, 3));
                let (mut s, mut t) = (column::<T>(n, o, 4), column::<T>(n, o, 5));
                let state = [&mut s[o..], &mut t[o..]];
                let (left, right) =
                    Columns::new(&mut x[o..], [&a[o..], &b[o..]], state).unwrap().split_at(n / 3);
                run(level, &Operations, left);
                run(level, &Operations, right);
                let [residual] = reduce(level, &Residual, n, [&a[o..]], [&mut s[o..]]).unwrap();
                let (a, b) = (&a[o..], &b[o..]);
                let sums = [residual, dot(level, a, b).unwrap(), sum_squares(level, a), sum_abs(level, a)];
                let mut largest = [T::ZERO; 2];
                if COMPARES {
                    let columns = Columns::new(&mut x[o..], [a, b], [&mut s[o..], &mut t[o..]]).unwrap();
                    run(level, &Comparisons, columns);
                    largest = [max_abs(level, a), l2_norm(level, a)];
                }
                (x, s, t, sums, largest)
            };
            let want = result(Level::SCALAR);
            for level in Level::available().skip(1) {
                assert!(result(level) == want, "{level} {n} {o}");
            }
        }
    }
}

#[test]
fn kernels_of_f32() {
    kernels::<f32>();
}

#[test]
fn kernels_of_f64() {
    kernels::<f64>();
}

/// Half states, and gradients in half the memory, from odd places on: some numbers are rare, and rounded once more.
/// Miri has no shifts of NEON.
#[test]
fn half_states_and_gradients() {
    if !COMPARES || cfg!(all(miri, target_arch = "aarch64")) {
        return;
    }
    let adam = Adam { eps: Epsilon::Outside(0.0), ..Adam::new(0.1) }.half(); // 0 / 0 behind the end of a slice
    for n in LENGTHS {
        for o in [0, 1] {
            let result = |level| {
                let (mut p, mut g) = (column::<f32>(n, o, 1), column::<f32>(n, o, 2));
                if let Some(g) = g.get_mut(o + 5) {
                    *g = f32::MAX;
                }
                let half: Vec<Bf16> = g.iter().map(|g| Bf16::from_f32_nearest(*g)).collect();
                let mut state = adam.state_vec(o + n);
                let mut part = state.as_mut();
                let mut part = part.get(o..o + n).unwrap();
                adam.on(level).step_slices(&mut p[o..], &g[o..], part.reborrow()).unwrap();
                adam.on(level).step_half_grads(&mut p[o..], &half[o..], part).unwrap();
                let bits: Vec<u16> =
                    state.columns().iter().flat_map(|c| c.iter().map(|x| x.to_bits())).collect();
                // Which NaN an operation gives is for the CPU to say; a half state has only one.
                let of = |p: &f32| if p.is_nan() { f32::NAN.to_bits() } else { p.to_bits() };
                (p.iter().map(of).collect::<Vec<_>>(), bits)
            };
            let want = result(Level::SCALAR);
            for level in Level::available().skip(1) {
                assert!(result(level) == want, "{level} {n} {o}");
            }
        }
    }
}

#[test]
fn blocks_of_a_long_reduction() {
    let n = if cfg!(miri) { BLOCK + 5 } else { 3 * BLOCK + 5 };
    let x = vec![1.0_f32; n];
    assert_eq!(sum_abs(Level::detect(), &x), n as f32);
    if COMPARES {
        assert_eq!(count_non_finite(Level::detect(), &[f32::NAN; 19]), 19);
    }
}

/// L-BFGS reads many columns at once, and on x86-64 asks for memory ahead: also for what lies behind the ends.
#[test]
fn a_minimiser_over_a_block() {
    if !COMPARES || cfg!(all(miri, not(target_arch = "x86_64"))) {
        return;
    }
    let settings = LbfgsSettings { max_iterations: 2, ..LbfgsSettings::new() };
    let mut solver = LbfgsVec::<f32>::new(BLOCK).pairs(1).settings(settings);
    solver.start(&vec![1.0; BLOCK]).unwrap();
    while let Some((x, g)) = solver.ask() {
        let (level, half) = (Level::detect(), BLOCK / 2);
        g.copy_from_slice(x);
        g[half..].iter_mut().for_each(|g| *g *= 4.0);
        let f = 0.5 * (sum_squares(level, &x[..half]) + 4.0 * sum_squares(level, &x[half..]));
        solver.tell(f);
    }
    let report = solver.report();
    assert!(report.iterations == 2 && report.value < BLOCK as f32, "{report:?}");
}

#[test]
fn steps_of_arrays_slices_heaps_and_lists() {
    if !COMPARES {
        return;
    }
    let adam = Adam::new(0.5).with((ClipValue(2.0), L2::new(0.25), ProxL1::new(0.125)));
    let grads: [f32; 19] = std::array::from_fn(|i| i as f32 - 9.0);
    let (mut arrays, mut state) = ([0.5; 19], AdamState::<19>::new());
    let (mut heaps, mut heap) = (vec![0.5; 19], StateVec::<Adam>::new(19));
    let (mut lists, mut first, mut second) = ([0.5; 19], AdamState::<7>::new(), AdamState::<12>::new());
    let mut clock = Clock::new();
    for _ in 0..3 {
        adam.step(&mut arrays, &grads, &mut state);
        adam.step_slices(&mut heaps, &grads, heap.as_mut()).unwrap();
        let (p, q) = lists.split_at_mut(7);
        let mut tensors = [
            Tensor::new(p, &grads[..7], first.as_mut()).with(adam.transform),
            Tensor::new(q, &grads[7..], second.as_mut()).with(adam.transform),
        ];
        adam.inner.step_tensors(&mut tensors, &mut clock).unwrap();
    }
    assert_eq!(heaps, arrays);
    assert_eq!(lists, arrays);
    assert_eq!(clock, state.clock);
    for k in 0..2 {
        assert_eq!([&first.columns[k][..], &second.columns[k]].concat(), state.columns[k]);
    }
    assert_eq!(heap.columns(), state.columns);
}

#[test]
fn masks_in_place_and_from_one_slice_to_another() {
    if !COMPARES {
        return;
    }
    let dropout = Dropout::drop_prob(0.3);
    for level in Level::available() {
        for n in [0, 1, 7, 31, 33, 64, 83] {
            let mut words = vec![0; mask_words(n)];
            dropout.on(level).draw(&mut Masks::new(5), &mut words);
            let x: Vec<f32> = (0..n).map(|i| i as f32 - 20.0).collect();
            let (mut y, mut z) = (x.clone(), vec![7.0; n]);
            dropout.on(level).relu_forward(&mut y[..], &words[..]).unwrap();
            dropout.on(level).relu_forward((&x[..], &mut z[..]), &mut Masks::new(5)).unwrap();
            assert_eq!(y, z);
            let (mut g, mut h) = (x.clone(), vec![7.0; n]);
            dropout.on(level).relu_backward(&mut g[..], &y).unwrap();
            dropout.on(level).relu_backward((&x[..], &mut h[..]), &y).unwrap();
            assert_eq!(g, h);
            let (layer, mut w, mut out) = (DropConnect(dropout), x.clone(), [0.0]);
            layer.on(level).forward(&w, &x, &mut out, &words).unwrap();
            layer.on(level).backward_weights(&out, &x, &mut w, &words).unwrap();
        }
    }
}

#[test]
fn refusals_and_clips() {
    let mut clock = Clock::new();
    let result = Sgd::new(0.1).step_slices(&mut [0.0; 3], &[0.0; 4], StateMut::new([], &mut clock));
    assert_eq!(result, Err(Error::Length { what: Argument::Grads, expected: 3, found: 4 }));
    if !COMPARES {
        return;
    }
    assert_eq!(ClipNorm { max_norm: 1.0 }.scale(Level::detect(), &[&[f32::NAN]]), Err(Error::NonFinite));
    let mut rows = [3.0, 4.0, 0.5, 0.25];
    MaxNorm { row: 2, limit: 2.5 }.apply(Level::detect(), &mut rows).unwrap();
    assert_eq!(rows, [1.5, 2.0, 0.5, 0.25]);
}
