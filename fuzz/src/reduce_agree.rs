//! Every reduction at every level equals the fixed order, and the norm its value in more digits.

use crate::input::{Number, Placed, column, length, number};
use arbitrary::{Result, Unstructured};
use gradus::{BLOCK, Element, Fold, Level, Vector};

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = all::<f32>(&mut u).and_then(|()| all::<f64>(&mut u)).and_then(|()| norms(&mut u));
}

/// The fixed order, written down once more: sixteen accumulators a block, a tree, block after block.
fn fixed<T: Copy>(n: usize, zero: T, fold: impl Fn(T, usize) -> T, join: impl Fn(T, T) -> T) -> T {
    let mut total = zero;
    for start in (0..n).step_by(BLOCK) {
        let mut lanes = [zero; 16];
        for i in start..n.min(start + BLOCK) {
            lanes[(i - start) % 16] = fold(lanes[(i - start) % 16], i);
        }
        for half in [8, 4, 2, 1] {
            for k in 0..half {
                lanes[k] = join(lanes[k], lanes[k + half]);
            }
        }
        total = join(total, lanes[0]);
    }
    total
}

/// The sum of numbers that are not negative: the rounding error of each addition (Knuth's two-sum) is summed up beside it,
/// and added last.
fn sum_of_sizes<T: Real>(n: usize, x: impl Fn(usize) -> T) -> T {
    let plus = |a: T, b: T| {
        let sum = a + b;
        let part = sum - a;
        (sum, (a - (sum - part)) + (b - part))
    };
    let zero = (T::default(), T::default());
    let fold = |(sum, lost), i| {
        let (sum, error) = plus(sum, x(i));
        (sum, lost + error)
    };
    let (sum, lost) = fixed(n, zero, fold, |(a, a_lost), (b, b_lost)| {
        let (sum, error) = plus(a, b);
        (sum, a_lost + b_lost + error)
    });
    if sum < T::INFINITY { sum + lost } else { sum } // infinity less infinity is no error
}

/// A fold that updates a column on the way, and joins by the smaller one.
struct Least;

impl<T: Element> Fold<2, 1, 1, T> for Least {
    #[inline(always)]
    fn fold<V: Vector<T>>(
        &self,
        _: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [x, y]: [V; 2],
        [s]: [V; 1],
    ) -> ([V; 1], [V; 1]) {
        let s = s - x / y;
        ([s.min(sum)], [s])
    }
    #[inline(always)]
    fn join<V: Vector<T>>(&self, [a]: [V; 1], [b]: [V; 1]) -> [V; 1] {
        [b.min(a)]
    }
}

trait Real: Number + Element + PartialOrd + core::ops::AddAssign {
    fn magnitude(self) -> Self;
}
impl Real for f32 {
    fn magnitude(self) -> Self {
        self.abs()
    }
}
impl Real for f64 {
    fn magnitude(self) -> Self {
        self.abs()
    }
}

fn all<T: Real>(u: &mut Unstructured) -> Result<()> {
    // Now and then longer than a block.
    let n = if u.ratio(511, 512)? { length(u)? } else { BLOCK - 20 + u.int_in_range(0..=60_usize)? };
    let (x, y, s) = (column(u, n, number::<T>)?, column(u, n, number::<T>)?, column(u, n, number::<T>)?);
    let offsets = u.arbitrary::<[u8; 3]>()?.map(|o| usize::from(o % 17));
    let (px, py) = (Placed::new(&x, offsets[0]), Placed::new(&y, offsets[1]));
    let zero = T::default();
    let smaller = |a: T, b: T| if b > a { a } else { b };
    let larger = |a: T, b: T| if a > b { a } else { b };

    let dot = fixed(n, zero, |sum, i| sum + x[i] * y[i], |a, b| a + b);
    let squares = fixed(n, zero, |sum, i| sum + x[i] * x[i], |a, b| a + b);
    let abs = sum_of_sizes(n, |i| x[i].magnitude());
    let max = fixed(n, zero, |sum, i| larger(x[i].magnitude(), sum), |a, b| larger(b, a));
    let updated: Vec<T> = (0..n).map(|i| s[i] - x[i] / y[i]).collect();
    let least = fixed(n, zero, |sum, i| smaller(updated[i], sum), |a, b| smaller(b, a));
    let norm = gradus::l2_norm(Level::SCALAR, &x);
    for level in Level::available() {
        let got = [
            gradus::dot(level, px.slice(), py.slice()).unwrap(),
            gradus::sum_squares(level, px.slice()),
            gradus::sum_abs(level, px.slice()),
            gradus::max_abs(level, px.slice()),
            gradus::l2_norm(level, px.slice()),
        ];
        crate::same(&got, &[dot, squares, abs, max, norm], format!("{level} {n}"));
        let mut state = Placed::new(&s, offsets[2]);
        let [got] = gradus::reduce(level, &Least, n, [px.slice(), py.slice()], [state.slice_mut()]).unwrap();
        crate::same(&[got], &[least], level);
        state.check(&updated, level);
    }
    Ok(())
}

/// The norm of f32 numbers against f64, whose range holds every square.
fn norms(u: &mut Unstructured) -> Result<()> {
    let n = length(u)?;
    let x = column(u, n, number::<f32>)?;
    let bad = x.iter().filter(|x| !x.is_finite()).count();
    let level = Level::detect();
    assert_eq!(gradus::count_non_finite(level, &x), bad);
    let got = gradus::l2_norm(level, &x);
    if bad > 0 {
        assert!(!got.is_finite());
        assert_eq!(got.is_nan(), x.iter().any(|x| x.is_nan()));
        return Ok(());
    }
    let want = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    let spacing = f64::from(f32::from_bits(1)).max(want * f64::from(f32::EPSILON));
    // 700 squares in sixteen sums: 44 additions in a row, then 4, each half a unit; the root halves them.
    let error = (f64::from(got) - want).abs() / spacing;
    assert!(error <= 16.0 || want >= f64::from(f32::MAX) * 0.999_999, "{got:e} {want:e}: {error}");
    Ok(())
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
