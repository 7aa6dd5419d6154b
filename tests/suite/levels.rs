//! Reductions and custom kernels: the same bits at every level, in the order that is documented.

use crate::support::random;
use crate::support::random::{Random, SPECIAL};
use gradus::{
    Argument, BLOCK, Columns, Element, Error, Fold, Level, Rule, Vector, Width, count_non_finite, dot,
    l2_norm, max_abs, reduce, run, sum_abs, sum_squares,
};
use std::ops::{Add, Mul};

/// A number type of the crate with what the tests ask of it.
trait Number: Element + Copy + Add<Output = Self> + Mul<Output = Self> + std::fmt::Debug {
    const EPS: f64;
    const LARGEST: Self;
    /// A power of two with room above for small multiples, but none for its square.
    const HUGE: Self;
    const SMALLEST: Self;
    fn of(x: f32) -> Self;
    fn wide(self) -> f64;
    /// Its bits, with one pattern for every NaN.
    fn bits(self) -> u64;
}

impl Number for f32 {
    const EPS: f64 = f32::EPSILON as f64;
    const LARGEST: Self = f32::MAX;
    const HUGE: Self = f32::from_bits((127 + 124) << 23);
    const SMALLEST: Self = f32::from_bits(1);
    fn of(x: f32) -> Self {
        x
    }
    fn wide(self) -> f64 {
        self.into()
    }
    fn bits(self) -> u64 {
        random::bits(self).into()
    }
}

impl Number for f64 {
    const EPS: f64 = f64::EPSILON;
    const LARGEST: Self = f64::MAX;
    const HUGE: Self = f64::from_bits((1023 + 1020) << 52);
    const SMALLEST: Self = f64::from_bits(1);
    fn of(x: f32) -> Self {
        f64::from(x) / 3.0
    }
    fn wide(self) -> f64 {
        self
    }
    fn bits(self) -> u64 {
        if self.is_nan() { f64::NAN.to_bits() } else { self.to_bits() }
    }
}

/// The documented order, written a second time without registers: element i of a block goes to
/// accumulator i mod 16, the sixteen are joined 8, 4, 2 and 1 apart, blocks one after the other.
fn in_order<S: Copy>(n: usize, zero: S, add: impl Fn(S, usize) -> S, join: impl Fn(S, S) -> S) -> S {
    let mut total = zero;
    for start in (0..n).step_by(BLOCK) {
        let mut sums = [zero; 16];
        for i in start..n.min(start + BLOCK) {
            sums[(i - start) % 16] = add(sums[(i - start) % 16], i);
        }
        for apart in [8, 4, 2, 1] {
            for k in 0..apart {
                sums[k] = join(sums[k], sums[k + apart]);
            }
        }
        total = join(total, sums[0]);
    }
    total
}

/// The sum of numbers that are not negative: the rounding error of each addition is summed up beside it, and added last.
fn sum_of_sizes<T: Number>(n: usize, x: impl Fn(usize) -> T) -> T {
    let plus = |a: T, b: T| {
        let sum = a + b;
        let part = sum - a;
        (sum, (a - (sum - part)) + (b - part))
    };
    let (sum, lost) = in_order(
        n,
        (T::ZERO, T::ZERO),
        |(sum, lost), i| {
            let (sum, error) = plus(sum, x(i));
            (sum, lost + error)
        },
        |(a, a_lost), (b, b_lost)| {
            let (sum, error) = plus(a, b);
            (sum, a_lost + b_lost + error)
        },
    );
    if sum.wide() < f64::INFINITY { sum + lost } else { sum } // infinity less infinity is no error
}

/// Lengths around every register, and around one block and several.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=67).chain([BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + 17, 3 * BLOCK + 5])
}

fn sums_follow_the_order<T: Number>(value: impl Fn(&mut Random) -> f32) {
    let mut random = Random(11);
    for n in lengths() {
        let offsets = if n > 100 { 3 } else { 16 };
        let x: Vec<T> = (0..n + offsets).map(|_| T::of(value(&mut random))).collect();
        let y: Vec<T> = (0..n + offsets).map(|_| T::of(value(&mut random))).collect();
        for offset in 0..offsets {
            let (x, y) = (&x[offset..offset + n], &y[offsets - offset..][..n]);
            let want = [
                in_order(n, T::ZERO, |sum, i| sum + x[i] * y[i], |a, b| a + b),
                in_order(n, T::ZERO, |sum, i| sum + x[i] * x[i], |a, b| a + b),
                sum_of_sizes(n, |i| x[i].abs()),
                in_order(
                    n,
                    T::ZERO,
                    |most: T, i| if x[i].abs() > most { x[i].abs() } else { most },
                    |a, b| if b > a { b } else { a },
                ),
            ];
            for level in Level::available() {
                let got =
                    [dot(level, x, y).unwrap(), sum_squares(level, x), sum_abs(level, x), max_abs(level, x)];
                assert_eq!(got.map(T::bits), want.map(T::bits), "{level} {n} {offset}");
                assert_eq!(
                    l2_norm(level, x).bits(),
                    l2_norm(Level::SCALAR, x).bits(),
                    "{level} {n} {offset}"
                );
            }
        }
    }
}

#[test]
fn sums_of_f32_follow_the_documented_order_at_every_level() {
    sums_follow_the_order::<f32>(|random| random.sized(-6.0, 3.0));
    sums_follow_the_order::<f32>(Random::any);
}

#[test]
fn sums_of_f64_follow_the_documented_order_at_every_level() {
    sums_follow_the_order::<f64>(|random| random.sized(-6.0, 3.0));
    sums_follow_the_order::<f64>(Random::any);
}

/// Two-sided against f64: each term and each of the joins rounds once.
#[test]
fn sums_of_f32_are_near_the_exact_ones() {
    let mut random = Random(12);
    for n in lengths().filter(|&n| n > 0) {
        let x = random.vec(n, |random| random.sized(-3.0, 3.0));
        let y = random.vec(n, |random| random.sized(-3.0, 3.0));
        let exact = |term: &dyn Fn(usize) -> f64| (0..n).map(term).sum::<f64>();
        let wide = |x: &[f32], i: usize| f64::from(x[i]);
        // The longest chain of roundings: one product, a lane's terms, the tree, the blocks.
        let chain = (n.min(BLOCK).div_ceil(16) + 6 + n.div_ceil(BLOCK)) as f64;
        let near = |name, got: f32, want: f64, size: f64| {
            let error = (f64::from(got) - want).abs() / (size * f64::from(f32::EPSILON) / 2.0);
            assert!(error <= chain, "{name} {n}: {got:e}, not {want:e}: {error} > {chain}");
        };
        let level = Level::detect();
        let size = exact(&|i| (wide(&x, i) * wide(&y, i)).abs());
        near("dot", dot(level, &x, &y).unwrap(), exact(&|i| wide(&x, i) * wide(&y, i)), size);
        let squares = exact(&|i| wide(&x, i).powi(2));
        near("sum_squares", sum_squares(level, &x), squares, squares);
        let abs = exact(&|i| wide(&x, i).abs());
        near("sum_abs", sum_abs(level, &x), abs, abs);
        near("norm", l2_norm(level, &x), squares.sqrt(), squares.sqrt());
        let most = x.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert_eq!(max_abs(level, &x), most);
    }
}

fn norms<T: Number>() {
    let three_four = |scale: T| [scale + scale + scale, -(scale + scale + scale + scale)];
    for level in Level::available() {
        assert_eq!(l2_norm::<T>(level, &[]).bits(), T::ZERO.bits());
        assert_eq!(l2_norm(level, &[T::ZERO, -T::ZERO]).bits(), T::ZERO.bits());
        // Three, four, five at sizes whose squares overflow, underflow, and are fine.
        let five = |scale: T| scale + scale + scale + scale + scale;
        for scale in [T::ONE, T::HUGE, T::SMALLEST, T::ONE / T::HUGE] {
            let (got, want) = (l2_norm(level, &three_four(scale)), five(scale));
            let error = (got.wide() / want.wide() - 1.0).abs();
            assert!(error <= 2.0 * T::EPS, "{level} {scale:?}: {got:?}, not {want:?}");
        }
        assert_eq!(l2_norm(level, &[T::LARGEST]).bits(), T::LARGEST.bits());
        assert_eq!(l2_norm(level, &[T::SMALLEST]).bits(), T::SMALLEST.bits());
        assert_eq!(
            l2_norm(level, &[T::LARGEST, T::LARGEST]).bits(),
            T::INFINITY.bits(),
            "no number is that large"
        );
        for n in [1, 15, 16, 17, 40, BLOCK + 3] {
            // One huge element among small ones, one tiny among zeros, at every kind of place.
            for at in [0, n / 2, n - 1] {
                let mut x = vec![T::ONE; n];
                x[at] = T::HUGE;
                assert_eq!(l2_norm(level, &x).bits(), T::HUGE.bits(), "{level} {n} {at}");
                let mut x = vec![T::ZERO; n];
                x[at] = -T::SMALLEST;
                assert_eq!(l2_norm(level, &x).bits(), T::SMALLEST.bits(), "{level} {n} {at}");
                x[at] = -T::INFINITY;
                assert_eq!(l2_norm(level, &x).bits(), T::INFINITY.bits(), "{level} {n} {at}");
                x[at] = T::INFINITY + -T::INFINITY;
                assert!(l2_norm(level, &x).wide().is_nan(), "{level} {n} {at}");
                x[n / 2] = x[n / 2] + T::INFINITY;
                assert!(l2_norm(level, &x).wide().is_nan(), "NaN and infinity: {level} {n} {at}");
                x[(at + 1) % n] = T::HUGE;
                assert!(l2_norm(level, &x).wide().is_nan() || n == 1, "NaN and huge: {level} {n} {at}");
            }
        }
    }
}

#[test]
fn the_norm_of_f32_neither_overflows_nor_underflows() {
    norms::<f32>();
}

#[test]
fn the_norm_of_f64_neither_overflows_nor_underflows() {
    norms::<f64>();
}

/// Many equal subnormals: the squares of all of them underflow.
#[test]
fn the_norm_of_many_subnormals_is_right() {
    for level in Level::available() {
        let x = vec![3e-42_f32; 10_000];
        let want = 100.0 * f64::from(x[0]);
        assert!((f64::from(l2_norm(level, &x)) / want - 1.0).abs() < 1e-3, "{level}"); // one subnormal has 11 bits
        let x = vec![f32::MAX / 200.0; 10_000];
        assert!((f64::from(l2_norm(level, &x)) / (100.0 * f64::from(x[0])) - 1.0).abs() < 1e-5, "{level}");
    }
}

#[test]
fn non_finite_elements_are_counted_exactly() {
    let mut random = Random(13);
    for n in lengths() {
        for (bad, x) in [
            (0, random.vec(n, |random| random.sized(-40.0, 38.0))),
            (n, vec![f32::NAN; n]),
            (n, vec![f32::NEG_INFINITY; n]),
            (0, vec![f32::MAX; n]),
        ] {
            for level in Level::available() {
                assert_eq!(count_non_finite(level, &x), bad, "{level} {n}");
            }
        }
        let x = random.vec(n, Random::any);
        let want = x.iter().filter(|x| !x.is_finite()).count();
        for level in Level::available() {
            for offset in 0..n.min(16) {
                let part = x[..offset].iter().filter(|x| !x.is_finite()).count();
                assert_eq!(count_non_finite(level, &x[offset..]) + part, want, "{level} {n} {offset}");
            }
        }
    }
}

#[test]
#[cfg(feature = "rayon")]
fn sums_on_threads_are_the_same() {
    let n = (3 << 18) + 77; // enough for three threads
    let mut random = Random(15);
    let [x, y] = [(); 2].map(|()| random.vec(n, |random| random.sized(-6.0, 3.0)));
    let run = |exec: gradus::Exec| {
        let (mut a, mut b) = (x.clone(), y.clone());
        let [relaxed] = reduce(exec, &Relax { share: 0.5 }, n, [&y], [&mut a, &mut b]).unwrap();
        // The order of the blocks is seen where sums are not exact.
        ([dot(exec, &x, &y).unwrap(), sum_abs(exec, &x), relaxed].map(random::bits), a, b)
    };
    let want = run(gradus::Exec::new());
    for threads in [2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(|| run(gradus::Exec::threads())) == want, "{threads}");
    }
}

#[test]
fn different_lengths_are_refused() {
    for level in Level::available() {
        assert_eq!(
            dot(level, &[1.0_f32; 3], &[1.0; 4]),
            Err(Error::Length { what: Argument::Read, expected: 3, found: 4 })
        );
        assert_eq!(
            dot(level, &[1.0_f64; 3], &[]),
            Err(Error::Length { what: Argument::Read, expected: 3, found: 0 })
        );
        let (mut a, mut b) = ([1.0_f32; 3], [2.0; 2]);
        let error = reduce(level, &Relax { share: 0.5 }, 3, [&[1.0; 3]], [&mut a, &mut b]);
        assert_eq!(error, Err(Error::Length { what: Argument::State, expected: 3, found: 2 }));
        assert_eq!((a, b), ([1.0; 3], [2.0; 2]));
    }
}

/// A user's kernel: every operation of a lane, two columns to read and two of state.
struct Everything<T> {
    share: T,
}

impl<T: Element> Rule<2, T> for Everything<T> {
    type Columns = Width<2>;
    #[inline(always)]
    fn apply<V: Vector<T>>(&self, isa: V::Isa, x: V, [g, h]: [V; 2], [m, v]: [V; 2]) -> (V, [V; 2]) {
        let share = V::splat(isa, self.share);
        let m = m * share + (-g).max(h) - h.min(g);
        let v = (v * v + g * g).sqrt();
        (g.select_gt(h, x - m / v, x.abs()), [m, v])
    }
}

/// A user's reduction that updates what it walks along.
struct Relax<T> {
    share: T,
}

impl<T: Element> Fold<1, 2, 1, T> for Relax<T> {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x]: [V; 1],
        [a, b]: [V; 2],
    ) -> ([V; 1], [V; 2]) {
        let a = a + (x - a) * V::splat(isa, self.share);
        ([sum + a * b], [a, b.max(x)])
    }
}

fn custom_kernels<T: Number>() {
    let mut random = Random(14);
    let bits = |x: &[T]| x.iter().map(|x| x.bits()).collect::<Vec<_>>();
    for n in lengths() {
        let mut column = |special: bool| -> Vec<T> {
            (0..n).map(|_| T::of(if special { random.any() } else { random.signed() })).collect()
        };
        for special in [false, true] {
            let columns: [Vec<T>; 5] = std::array::from_fn(|_| column(special));
            let share = T::of(0.3);
            let results: Vec<_> = Level::available()
                .map(|level| {
                    let [mut x, g, h, mut m, mut v] = columns.clone();
                    let bundle = Columns::new(&mut x, [&g, &h], [&mut m, &mut v]).unwrap();
                    assert_eq!((bundle.len(), bundle.is_empty()), (n, n == 0));
                    run(level, &Everything { share }, bundle);
                    let [sum] = reduce(level, &Relax { share }, n, [&g], [&mut m, &mut v]).unwrap();
                    (bits(&x), bits(&m), bits(&v), sum.bits())
                })
                .collect();
            for (result, level) in results.iter().zip(Level::available()) {
                assert_eq!(result, &results[0], "{level} {n}");
            }
            // The scalar level is the formula itself.
            if let (Some(x), false) = (columns[0].first(), special) {
                let [g, h, m, v] = [1, 2, 3, 4].map(|k| columns[k][0]);
                let m = m * share + (if -g > h { -g } else { h }) - (if h > g { g } else { h });
                let v = Vector::<T>::sqrt(v * v + g * g);
                let want = if g > h { *x - m / v } else { Vector::<T>::abs(*x) };
                assert_eq!(results[0].0[0], want.bits());
            }
        }
    }
}

#[test]
fn custom_kernels_of_f32_have_the_same_bits_at_every_level() {
    custom_kernels::<f32>();
}

#[test]
fn custom_kernels_of_f64_have_the_same_bits_at_every_level() {
    custom_kernels::<f64>();
}

/// The comparison, the only operation that is not arithmetic, on all pairs of special values.
struct Compare;

impl Rule for Compare {
    type Columns = Width<2>;
    #[inline(always)]
    fn apply<V: Vector>(&self, _: V::Isa, x: V, [y]: [V; 1], _: [V; 2]) -> (V, [V; 2]) {
        (x.select_gt(y, x, y), [x.max(y), x.min(y)])
    }
}

#[test]
fn comparisons_of_special_values_are_the_documented_ones() {
    for level in Level::available() {
        for a in SPECIAL {
            let (mut x, y) = ([a; SPECIAL.len()], SPECIAL);
            let (mut max, mut min) = ([0.0; SPECIAL.len()], [0.0; SPECIAL.len()]);
            run(level, &Compare, Columns::new(&mut x, [&y], [&mut max, &mut min]).unwrap());
            for (i, b) in SPECIAL.into_iter().enumerate() {
                let larger = random::bits(if a > b { a } else { b });
                assert_eq!(random::bits(x[i]), larger, "{level} {a:e} {b:e}");
                assert_eq!(random::bits(max[i]), larger, "{level} {a:e} {b:e}");
                assert_eq!(
                    random::bits(min[i]),
                    random::bits(if b > a { a } else { b }),
                    "{level} {a:e} {b:e}"
                );
            }
        }
    }
}

#[test]
fn levels_are_listed_from_scalar_to_the_detected_one() {
    let names: Vec<_> = Level::available().map(Level::name).collect();
    assert_eq!(names[0], "scalar");
    assert_eq!(Level::available().last(), Some(Level::detect()));
    assert!(names.iter().all(|name| ["scalar", "sse2", "neon", "simd128", "avx2", "avx512"].contains(name)));
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    assert_eq!(format!("{} {:?}", Level::SCALAR, Level::SCALAR), "scalar Level(scalar)");
}

/// All levels have the same bits, so that nothing else shows where a call runs.
#[test]
fn a_chosen_level_is_the_one_that_a_call_takes() {
    use gradus::ensemble::{Average, Swa};
    use gradus::layer::{AveragePool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d};
    use gradus::norm::{BatchNorm, GroupNorm, InputNorm, LayerNorm};
    use gradus::second_order::{DiagonalNewton, LbfgsSettings};
    let exec = gradus::Exec::from(Level::SCALAR);
    assert_ne!(exec, gradus::Exec::new());
    macro_rules! kept {
        ($($value:expr),* $(,)?) => { $(
            assert_eq!($value.on(Level::SCALAR).exec, exec, "{}", stringify!($value));
        )* };
    }
    kept!(
        Dense::new(1, 1),
        Conv2d::new([1, 1, 1], 1, [1, 1]),
        DepthwiseConv2d::new([1, 1, 1], [1, 1]),
        MaxPool2d::new([1, 1, 1], [1, 1]),
        AveragePool2d::new([1, 1, 1], [1, 1]),
        BatchNorm::new(),
        GroupNorm::new(1),
        LayerNorm::new(),
        InputNorm::new(),
        LbfgsSettings::<f32>::new(),
        DiagonalNewton::<f64>::new(1.0),
    );
    assert_eq!(Average::exec(&Swa.on(Level::SCALAR)), exec);
}
