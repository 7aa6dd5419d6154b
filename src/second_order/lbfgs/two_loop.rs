//! The search direction: the two-loop recursion in three passes over the memory.
//!
//! The recursion (Nocedal, 1980) multiplies each of `m` pairs `s, y` into a vector `q` twice, and each product
//! waits for the one before: read plainly, that is `4 m n` elements and as much again for `q`. But the products
//! `s_i'q` of its first loop follow from `s_i'g` and the numbers `s_i'y_j`, which do not change while the pairs
//! live (Byrd, Nocedal and Schnabel, 1994). So every block of elements is read thrice instead of four times:
//!
//! ```text
//! absorb    y = g - y,  s_i'g and s_i'y for every pair          reads S
//!           alpha_i = (s_i'g - sum_{j newer} alpha_j s_i'y_j) / s_i'y_i
//! descend   q = g - sum alpha_i y_i,  y_i'q                     reads Y
//!           beta_i = (gamma y_i'q + sum_{j older} (alpha_j - beta_j) s_j'y_i) / s_i'y_i
//! ascend    d = -(gamma q + sum (alpha_i - beta_i) s_i)         reads S
//! ```
//!
//! Each pass goes block by block, so that the block of `q` stays in the cache; blocks join in order, which
//! makes the sums the same for any register and any number of threads.

use crate::second_order::Real;
use crate::simd::{BLOCK, Level, WIDE, norm};

use super::kernels::*;

/// Memory for elements: an array, a `Vec`, or a slice of the caller's.
pub(super) trait Vector<T>: AsRef<[T]> + AsMut<[T]> + Sync {
    /// Exchanges the elements with those of memory of the same length.
    #[inline]
    fn exchange(&mut self, other: &mut Self)
    where
        Self: Sized,
    {
        core::mem::swap(self, other);
    }
}

impl<T: Sync, const N: usize> Vector<T> for [T; N] {}
#[cfg(feature = "std")]
impl<T: Sync> Vector<T> for Vec<T> {}

/// Each slice stays where it is, so that the next call finds it there.
#[cfg(feature = "ffi")]
impl<T: Sync> Vector<T> for &mut [T] {
    fn exchange(&mut self, other: &mut Self) {
        for (a, b) in self.iter_mut().zip(other.iter_mut()) {
            core::mem::swap(a, b);
        }
    }
}

/// A correction pair: how far the point moved, and how the gradient changed.
#[derive(Clone, Debug)]
pub(super) struct Pair<V, R> {
    pub s: V,
    pub y: V,
    /// `s'y_j` for the pair in slot `j`, if that pair is not older.
    pub products: R,
}

/// What a pass over the blocks sums up.
#[derive(Clone, Debug)]
pub(super) struct Totals<T, R> {
    /// Of the newest pair, or of the direction.
    pub sums: [T; 5],
    /// The largest of something.
    pub largest: T,
    /// A product with the `y` in question for each slot.
    pub with_y: R,
    /// A product with the gradient for each slot.
    pub with_g: R,
}

impl<T: Real, R> Totals<T, R> {
    /// Zeros, given zeros for each slot.
    pub const fn zero(with_y: R, with_g: R) -> Self {
        Self { sums: [T::ZERO; 5], largest: T::ZERO, with_y, with_g }
    }
}

impl<T: Real, R: Vector<T>> Totals<T, R> {
    pub fn clear(&mut self) {
        self.sums = [T::ZERO; 5];
        self.largest = T::ZERO;
        self.with_y.as_mut().fill(T::ZERO);
        self.with_g.as_mut().fill(T::ZERO);
    }

    /// Joins the totals of the block that follows.
    #[cfg(feature = "rayon")]
    fn join(&mut self, next: &Self) {
        add_to(&mut self.sums, &next.sums);
        self.largest = next.largest.max(self.largest);
        add_to(self.with_y.as_mut(), next.with_y.as_ref());
        add_to(self.with_g.as_mut(), next.with_g.as_ref());
    }

    /// Joins sums and a maximum of the block that follows.
    pub fn join_slope(&mut self, [sum, largest]: [T; 2]) {
        self.sums[0] = self.sums[0] + sum;
        self.largest = largest.max(self.largest);
    }
}

fn add_to<T: Real>(sums: &mut [T], more: &[T]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = *sum + *more;
    }
}

/// Runs a pass: calls `f` for every block of `n` elements and joins the totals in order.
pub(super) trait Walk<T, R> {
    fn walk<const S: usize>(
        &mut self,
        n: usize,
        state: [&mut [T]; S],
        totals: &mut Totals<T, R>,
        f: impl Fn(usize, [&mut [T]; S], &mut Totals<T, R>) + Sync,
    );
}

/// One block after the other.
pub(super) struct InOrder;

impl<T: Real, R: Vector<T>> Walk<T, R> for InOrder {
    fn walk<const S: usize>(
        &mut self,
        n: usize,
        mut state: [&mut [T]; S],
        totals: &mut Totals<T, R>,
        f: impl Fn(usize, [&mut [T]; S], &mut Totals<T, R>) + Sync,
    ) {
        totals.clear();
        for b in 0..n.div_ceil(BLOCK) {
            f(b, state.each_mut().map(|x| block_mut(x, b)), totals);
        }
    }
}

/// Blocks in any order, on the threads of the current pool.
#[cfg(feature = "rayon")]
#[derive(Clone, Debug)]
pub(super) struct InThreads<T, R>(pub std::vec::Vec<Totals<T, R>>);

#[cfg(feature = "rayon")]
impl<T: Real, R: Vector<T> + Clone + Send> Walk<T, R> for InThreads<T, R> {
    fn walk<const S: usize>(
        &mut self,
        n: usize,
        state: [&mut [T]; S],
        totals: &mut Totals<T, R>,
        f: impl Fn(usize, [&mut [T]; S], &mut Totals<T, R>) + Sync,
    ) {
        totals.clear();
        if self.0.len() != n.div_ceil(BLOCK) {
            self.0.resize(n.div_ceil(BLOCK), totals.clone());
        }
        in_halves(0, state, &mut self.0, &f);
        // The same order as one block after the other.
        for block in &self.0 {
            totals.join(block);
        }
    }
}

/// The blocks from `first` on, one for each of `totals`.
#[cfg(feature = "rayon")]
fn in_halves<T: Real, R: Vector<T> + Send, const S: usize>(
    first: usize,
    state: [&mut [T]; S],
    totals: &mut [Totals<T, R>],
    f: &(impl Fn(usize, [&mut [T]; S], &mut Totals<T, R>) + Sync),
) {
    if let [totals] = totals {
        totals.clear();
        return f(first, state, totals);
    }
    let half = totals.len() / 2;
    if half > 0 {
        let (left, right) = totals.split_at_mut(half);
        let mut rest: [&mut [T]; S] = core::array::from_fn(|_| Default::default());
        let mut k = 0;
        let state = state.map(|x| {
            let (near, far) = x.split_at_mut(half * BLOCK);
            rest[k] = far;
            k += 1;
            near
        });
        rayon::join(|| in_halves(first, state, left, f), || in_halves(first + half, rest, right, f));
    }
}

/// Columns that a kernel reads in one go, beside one vector and beside two. With wide registers ten are read
/// on and on, where halves of ten would begin anew in every block; products with two vectors fill the registers
/// with five. Without, one is as fast and the smallest. The bits are the same.
const GROUP: usize = if WIDE { 10 } else { 1 };
const GROUP_OF_TWO: usize = if WIDE { 5 } else { 1 };

/// Makes a count a constant: one call for each, and the last for all that are larger.
macro_rules! constant {
    ($k:ident = $count:expr, $($n:literal)* or $most:literal => $call:expr) => {
        match $count {
            $($n => { const $k: usize = $n; $call })*
            _ => { const $k: usize = $most; $call }
        }
    };
}

/// Block `b` of `x`; empty behind the end.
pub(super) fn block<T>(x: &[T], b: usize) -> &[T] {
    x.chunks(BLOCK).nth(b).unwrap_or_default()
}

fn block_mut<T>(x: &mut [T], b: usize) -> &mut [T] {
    x.chunks_mut(BLOCK).nth(b).unwrap_or_default()
}

/// Which slot holds which pair: a ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    pub capacity: usize,
    pub count: usize,
    pub newest: usize,
}

impl Ring {
    /// The slot of the pair that came `age` pairs before the newest.
    fn slot(self, age: usize) -> usize {
        if age <= self.newest { self.newest - age } else { self.newest + self.capacity - age }
    }

    /// The slot that the next pair takes.
    fn next(self) -> usize {
        if self.newest + 1 < self.capacity { self.newest + 1 } else { 0 }
    }

    /// How many pairs stay when one more comes.
    fn kept(self) -> usize {
        if self.count < self.capacity { self.count } else { self.count - 1 }
    }
}

/// Which half of the pairs a kernel reads.
#[derive(Clone, Copy)]
enum Half {
    S,
    Y,
}

/// The pairs, as the blocks of a pass read them.
struct Reader<'a, V, R> {
    level: Level,
    pairs: &'a [Pair<V, R>],
    ring: Ring,
}

impl<V, R> Reader<'_, V, R> {
    /// Block `b` of one half of the pairs of these ages.
    fn columns<T, const K: usize>(&self, half: Half, b: usize, ages: [usize; K]) -> [&[T]; K]
    where
        V: Vector<T>,
    {
        ages.map(|age| match (self.pairs.get(self.ring.slot(age)), half) {
            (Some(pair), Half::S) => block(pair.s.as_ref(), b),
            (Some(pair), Half::Y) => block(pair.y.as_ref(), b),
            (None, _) => &[],
        })
    }

    /// Joins to `rows` the products of `K` pairs from `age` on with `V` vectors, over block `b`.
    fn products<T: Real, const V1: usize, const K: usize, const C: usize, const A: usize>(
        &self,
        (half, b, age): (Half, usize, usize),
        vectors: [&[T]; V1],
        rows: [&mut [T]; V1],
    ) where
        V: Vector<T>,
    {
        let columns = self.columns(half, b, consecutive::<K>(age));
        let mut read: [&[T]; C] = [&[]; C];
        for (to, from) in read.iter_mut().zip(vectors.into_iter().chain(columns)) {
            *to = from;
        }
        let sums: [T; A] = sums(self.level, &Gram::<V1>, read, []);
        for (v, row) in rows.into_iter().enumerate() {
            for (k, sum) in sums.iter().skip(v).step_by(V1).enumerate() {
                if let Some(total) = row.get_mut(self.ring.slot(age + k)) {
                    *total = *total + *sum;
                }
            }
        }
    }

    /// Products of the youngest `count` pairs with one vector.
    fn with_one<T: Real>(&self, half: Half, b: usize, count: usize, x: &[T], row: &mut [T])
    where
        V: Vector<T>,
    {
        let mut age = 0;
        while age < count {
            let (at, x, row) = ((half, b, age), [x], [&mut *row]);
            constant! { K = (count - age).min(GROUP), 1 2 3 4 5 6 7 8 9 or 10 =>
                self.products::<T, 1, K, { K + 1 }, K>(at, x, row)
            }
            age += GROUP;
        }
    }

    /// Products of the youngest `count` pairs with two vectors: each element is read once.
    fn with_two<T: Real>(&self, half: Half, b: usize, count: usize, x: [&[T]; 2], rows: [&mut [T]; 2])
    where
        V: Vector<T>,
    {
        let [first, second] = rows;
        let mut age = 0;
        while age < count {
            let (at, rows) = ((half, b, age), [&mut *first, &mut *second]);
            constant! { K = (count - age).min(GROUP_OF_TWO), 1 2 3 4 or 5 =>
                self.products::<T, 2, K, { K + 2 }, { 2 * K }>(at, x, rows)
            }
            age += GROUP_OF_TWO;
        }
    }

    /// `q = scale q + sum c_i x_i` over `K` pairs, the ages in the order of the sum.
    fn add<T: Real, const K: usize>(
        &self,
        (half, b): (Half, usize),
        ages: [usize; K],
        c: &[T],
        scale: T,
        q: &mut [T],
    ) where
        V: Vector<T>,
    {
        let c = ages.map(|age| c.get(self.ring.slot(age)).copied().unwrap_or(T::ZERO));
        apply(self.level, &Combine { scale, c }, q, self.columns(half, b, ages));
    }

    /// `q = scale q + sum c_i x_i` over all pairs, from the youngest to the oldest.
    fn add_descending<T: Real>(&self, b: usize, c: &[T], q: &mut [T])
    where
        V: Vector<T>,
    {
        let mut age = 0;
        while age < self.ring.count {
            let at = (Half::Y, b);
            constant! { K = (self.ring.count - age).min(GROUP), 1 2 3 4 5 6 7 8 9 or 10 =>
                self.add(at, consecutive::<K>(age), c, T::ONE, q)
            }
            age += GROUP;
        }
    }

    /// `q = scale q + sum c_i x_i` over all pairs, from the oldest to the youngest.
    fn add_ascending<T: Real>(&self, b: usize, c: &[T], mut scale: T, q: &mut [T])
    where
        V: Vector<T>,
    {
        let mut left = self.ring.count;
        while left > 0 {
            let at = (Half::S, b);
            constant! { K = left.min(GROUP), 1 2 3 4 5 6 7 8 9 or 10 =>
                self.add(at, reversed::<K>(left), c, scale, q)
            }
            scale = T::ONE;
            left = left.saturating_sub(GROUP);
        }
    }
}

/// `first, first + 1, ..`
fn consecutive<const K: usize>(first: usize) -> [usize; K] {
    core::array::from_fn(|k| first + k)
}

/// `end - 1, end - 2, ..`
fn reversed<const K: usize>(end: usize) -> [usize; K] {
    core::array::from_fn(|k| end - 1 - k)
}

/// The pairs, and the numbers of the recursion.
#[derive(Clone, Debug)]
pub(super) struct History<T, R, H> {
    pub pairs: H,
    pub ring: Ring,
    /// Coefficients of one half of the recursion, by slot.
    pub alpha: R,
    pub totals: Totals<T, R>,
    /// The inverse Hessian that the recursion starts from, as a multiple of the preconditioner.
    pub scale: T,
}

impl<T: Real, R, H> History<T, R, H> {
    /// All zero; `reset` has to see the memory for pairs first.
    pub const fn empty(pairs: H, alpha: R, totals: Totals<T, R>) -> Self {
        let ring = Ring { capacity: 0, count: 0, newest: 0 };
        Self { pairs, ring, alpha, totals, scale: T::ZERO }
    }
}

impl<T: Real, R: Vector<T>, H> History<T, R, H> {
    /// No pairs, in the memory there is.
    pub fn reset<V>(&mut self)
    where
        H: AsMut<[Pair<V, R>]>,
    {
        self.ring = Ring { capacity: self.pairs.as_mut().len(), count: 0, newest: 0 };
    }

    /// Forgets every pair.
    pub fn clear(&mut self) {
        self.ring.count = 0;
    }

    /// Takes in a pair, unless its curvature is not positive; forms the products of all with `p`.
    ///
    /// `pair.s` is the move, `pair.y` the gradient before it; `g` is the gradient now and `p` the vector that
    /// the direction starts from. Afterwards `pair` is memory to use again.
    pub fn absorb<V: Vector<T>>(
        &mut self,
        walk: &mut impl Walk<T, R>,
        level: Level,
        pair: &mut Pair<V, R>,
        [g, p]: [&[T]; 2],
        h: Option<&[T]>,
    ) where
        H: AsMut<[Pair<V, R>]>,
    {
        let Self { pairs, ring, totals, scale, .. } = self;
        let pairs = pairs.as_mut();
        let reader = Reader { level, pairs: &*pairs, ring: *ring };
        let s = pair.s.as_ref();
        walk.walk(g.len(), [pair.y.as_mut()], totals, |b, [y], totals| {
            let p = block(p, b);
            let [sy, yy, ss, sp] = sums(level, &Newest, [block(g, b), p, block(s, b)], [&mut *y]);
            let yhy = match h {
                Some(h) => sums(level, &Weighted, [&*y, block(h, b)], [])[0],
                None => yy,
            };
            add_to(&mut totals.sums, &[sy, yy, ss, sp, yhy]);
            let rows = [totals.with_y.as_mut(), totals.with_g.as_mut()];
            reader.with_two(Half::S, b, reader.ring.kept(), [y, p], rows);
        });
        let [sy, yy, ss, sp, yhy] = totals.sums;
        // Relative to both lengths, and written so that NaN is refused.
        if !(sy > T::EPSILON * (ss.sqrt() * yy.sqrt()) && yhy > T::ZERO && (sy / yhy).finite()) {
            walk.walk(g.len(), [], totals, |b, [], totals| {
                reader.with_one(Half::S, b, reader.ring.count, block(p, b), totals.with_g.as_mut());
            });
            return;
        }
        let slot = ring.next();
        for (pair, product) in pairs.iter_mut().zip(totals.with_y.as_ref()) {
            set(&mut pair.products, slot, *product);
        }
        set(&mut totals.with_g, slot, sp);
        if let Some(oldest) = pairs.get_mut(slot) {
            oldest.s.exchange(&mut pair.s);
            oldest.y.exchange(&mut pair.y);
            oldest.products.exchange(&mut pair.products);
            set(&mut oldest.products, slot, sy);
        }
        ring.count = ring.kept() + 1;
        ring.newest = slot;
        *scale = sy / yhy;
    }

    /// First half: `q = p` less its products with the pairs, after [`absorb`](Self::absorb) formed those.
    pub fn descend<V: Vector<T>>(
        &mut self,
        walk: &mut impl Walk<T, R>,
        level: Level,
        p: &[T],
        h: Option<&[T]>,
        q: &mut [T],
    ) where
        H: AsMut<[Pair<V, R>]>,
    {
        let Self { pairs, ring, alpha, totals, scale } = self;
        let pairs = &*pairs.as_mut();
        let ring = *ring;
        for age in 0..ring.count {
            let i = ring.slot(age);
            let mut sum = get(&totals.with_g, i);
            for newer in 0..age {
                let j = ring.slot(newer);
                sum = sum + get(alpha, j) * product(pairs, i, j);
            }
            set(alpha, i, -(sum / product(pairs, i, i)));
        }
        let reader = Reader { level, pairs, ring };
        let c = alpha.as_ref();
        walk.walk(p.len(), [&mut *q], totals, |b, [q], totals| {
            for (q, p) in q.iter_mut().zip(block(p, b)) {
                *q = *p;
            }
            reader.add_descending(b, c, q);
            if let Some(h) = h {
                apply(level, &Multiply, q, [block(h, b)]);
            }
            reader.with_one(Half::Y, b, ring.count, q, totals.with_y.as_mut());
        });
        if ring.count == 0 {
            // Nothing is known of the scale yet: a move of length 1, or as the preconditioner has it.
            let length = norm(level, q);
            *scale = if h.is_some() && length < T::ONE { T::ONE } else { T::ONE / length };
        }
    }

    /// Second half: adds to `q` what the pairs say, and leaves each block to `depart`, with the factor that it
    /// still lacks. Returns the sum and the maximum of what `depart` says.
    pub fn ascend<V: Vector<T>>(
        &mut self,
        walk: &mut impl Walk<T, R>,
        level: Level,
        q: &mut [T],
        x: &mut [T],
        depart: impl Fn(usize, T, &mut [T], &mut [T]) -> [T; 2] + Sync,
    ) -> [T; 2]
    where
        H: AsMut<[Pair<V, R>]>,
    {
        let Self { pairs, ring, alpha, totals, scale } = self;
        let pairs = &*pairs.as_mut();
        let (ring, scale) = (*ring, *scale);
        for age in (0..ring.count).rev() {
            let i = ring.slot(age);
            let mut sum = scale * get(&totals.with_y, i);
            for older in (age + 1..ring.count).rev() {
                let j = ring.slot(older);
                sum = sum + get(alpha, j) * product(pairs, j, i);
            }
            // From here on the row holds alpha - beta, where it held -alpha.
            let difference = -get(alpha, i) - sum / product(pairs, i, i);
            set(alpha, i, difference);
        }
        let reader = Reader { level, pairs, ring };
        let c = alpha.as_ref();
        walk.walk(q.len(), [q, x], totals, |b, [q, x], totals| {
            reader.add_ascending(b, c, scale, q);
            let lacking = if ring.count == 0 { scale } else { T::ONE };
            totals.join_slope(depart(b, lacking, q, x));
        });
        [totals.sums[0], totals.largest]
    }
}

fn get<T: Real>(row: &impl Vector<T>, slot: usize) -> T {
    row.as_ref().get(slot).copied().unwrap_or(T::ZERO)
}

fn set<T: Real>(row: &mut impl Vector<T>, slot: usize, to: T) {
    if let Some(value) = row.as_mut().get_mut(slot) {
        *value = to;
    }
}

/// `s_i'y_j`
fn product<T: Real, V, R: Vector<T>>(pairs: &[Pair<V, R>], i: usize, j: usize) -> T {
    pairs.get(i).map_or(T::ZERO, |pair| get(&pair.products, j))
}
