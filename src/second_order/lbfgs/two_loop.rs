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
//! Why that is so: after its first loop the recursion holds `q_i = g - sum_{j newer than i} alpha_j y_j` when it comes
//! to pair `i`, and asks for `alpha_i = s_i'q_i / s_i'y_i`. The product of `s_i` with that sum is the sum over the newer
//! pairs of `alpha_j s_i'y_j`: numbers. So all `s_i'g` are taken in one pass, `absorb`, and the first loop becomes
//! arithmetic on a triangle of `m (m + 1) / 2` numbers. Each pair keeps its row of the triangle, `s_i'y_j` for all `j` that
//! are not older; a new pair adds one product to each row, and those are taken in `absorb` too, since the new `y` is formed
//! there. The second loop goes from the oldest to the newest pair, and asks for `beta_i = y_i'r / s_i'y_i` with
//! `r = gamma q + sum_{j older than i} (alpha_j - beta_j) s_j`. Again the products with the sum are rows of the triangle, now
//! read along columns, and `y_i'q` are taken in `descend` while `q` is being formed.
//!
//! The price is rounding: `s_i'q` is a difference of numbers that may be larger than it. It is the same recursion in exact
//! arithmetic, and as good a direction as long as the pairs are not nearly dependent to working precision; a direction
//! that does not descend forgets the pairs (`machine.rs`).
//!
//! Slots: pairs lie in a ring. Their *age* counts from the newest, 0; their *slot* is where they lie. Rows, coefficients
//! and totals are indexed by slot, so that nothing moves when a pair is replaced, and loops go by age. A row of a pair
//! holds products with older pairs from before, of no meaning, until their slots are taken by newer ones.
//!
//! Each pass goes block by block, in one loop over up to ten pairs; blocks join in order, which makes the sums the
//! same for any register and any number of threads.

use super::kernels::{Combine, Depart, Descend, Gram, Multiply, NewestPair, Weighted, apply, sums};
use super::machine::Core;
use super::walk::{Line, Products, Totals, Vector, Walk, block};
use crate::second_order::Real;
use crate::simd::{Level, WIDE};

/// A correction pair: how far the point moved, and how the gradient changed.
#[derive(Clone, Debug)]
pub(super) struct Pair<V, R> {
    pub s: V,
    pub y: V,
    /// `s'y_j` for the pair in slot `j`, if that pair is not older.
    pub products: R,
}

/// Columns that a kernel reads in one go. With wide registers ten are read on and on, where halves of ten would
/// begin anew in every block; products with two vectors fill most registers with five. Without, one is as fast
/// and the smallest. The bits are the same.
const GROUP: usize = if WIDE { 10 } else { 1 };

/// [`GROUP`] beside two vectors.
const fn group_of_two<T>(level: Level) -> usize {
    if WIDE && !level.holds_a_block::<T>() { 5 } else { GROUP }
}

/// Makes a count a constant: one call for each, and the last for all that are larger.
macro_rules! constant {
    ($k:ident = $count:expr, $($n:literal)* or $most:literal => $call:expr) => {
        match $count {
            $($n => { const $k: usize = $n; $call })*
            _ => { const $k: usize = $most; $call }
        }
    };
}

/// Which slot holds which pair.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ring {
    /// Slots: there are none before the first start.
    pub capacity: usize,
    /// Slots that hold a pair.
    pub count: usize,
    /// The slot of the newest.
    pub newest: usize,
}

impl Ring {
    /// No pairs.
    pub(crate) const EMPTY: Self = Self { capacity: 0, count: 0, newest: 0 };

    /// The slot of the pair that came `age` pairs before the newest.
    pub(crate) fn slot(self, age: usize) -> usize {
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

    /// Adds the products with pairs from `age` on to what is known of their slots.
    fn enter<'s, T: Real>(&self, age: usize, sums: impl Iterator<Item = &'s T>, row: &mut [T]) {
        for (k, sum) in sums.enumerate() {
            if let Some(total) = row.get_mut(self.ring.slot(age + k)) {
                *total = *total + *sum;
            }
        }
    }

    /// Adds to `rows` the products of `K` pairs from `age` on with `V1` vectors, over block `b`.
    fn products<T: Real, const V1: usize, const K: usize, const C: usize, const A: usize>(
        &self,
        (half, b, age): (Half, usize, usize),
        vectors: [&[T]; V1],
        rows: [&mut [T]; V1],
    ) where
        V: Vector<T>,
    {
        let columns = self.columns(half, b, consecutive::<K>(age));
        let sums: [T; A] = sums(self.level, &Gram::<V1>, chain::<_, C>(vectors, columns), []);
        for (v, row) in rows.into_iter().enumerate() {
            self.enter(age, sums.iter().skip(v).step_by(V1), row);
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

    /// The products of the newest pair, whose `y` it forms, and those of `y` and `g` with the pairs that stay:
    /// each element is read once.
    fn newest<T: Real>(&self, b: usize, [g, s]: [&[T]; 2], y: &mut [T], totals: &mut Totals<T, R>)
    where
        V: Vector<T>,
        R: Vector<T>,
    {
        let (count, group) = (self.ring.kept(), group_of_two::<T>(self.level));
        let first = if WIDE { count.min(group) } else { 0 };
        constant! { K = first, 0 1 2 3 4 5 6 7 8 9 or 10 => {
            let columns = self.columns(Half::S, b, consecutive::<K>(0));
            let read = chain::<_, { K + 2 }>([g, s], columns);
            let sums: [T; 4 + 2 * K] = sums(self.level, &NewestPair, read, [&mut *y]);
            let [sy, yy, ss, sg] = *sums.first_chunk().unwrap_or(&[T::ZERO; 4]);
            totals.newest.join(&Products { sy, yy, ss, sg, yhy: T::ZERO });
            self.enter(0, sums.iter().skip(4).step_by(2), totals.with_y.as_mut());
            self.enter(0, sums.iter().skip(4).skip(1).step_by(2), totals.with_g.as_mut());
        }}
        let mut age = first;
        while age < count {
            let rows = [totals.with_y.as_mut(), totals.with_g.as_mut()];
            constant! { K = (count - age).min(group), 1 2 3 4 5 6 7 8 9 or 10 =>
                self.products::<T, 2, K, { K + 2 }, { 2 * K }>((Half::S, b, age), [&*y, g], rows)
            }
            age += group;
        }
    }

    /// `q = p + sum c_i y_i` over all pairs, from the youngest to the oldest, and `y_i'q`.
    fn descend<T: Real>(&self, b: usize, [p, c]: [&[T]; 2], h: Option<&[T]>, q: &mut [T], row: &mut [T])
    where
        V: Vector<T>,
    {
        let count = self.ring.count;
        if WIDE && count > 0 && count <= GROUP && h.is_none() {
            constant! { K = count, 1 2 3 4 5 6 7 8 9 or 10 => {
                let ages = consecutive::<K>(0);
                let read = chain::<_, { K + 1 }>([p], self.columns(Half::Y, b, ages));
                let sums: [T; K] = sums(self.level, &Descend { c: self.coefficients(ages, c) }, read, [q]);
                self.enter(0, sums.iter(), row);
            }}
            return;
        }
        for (q, p) in q.iter_mut().zip(p) {
            *q = *p;
        }
        let mut age = 0;
        while age < count {
            constant! { K = (count - age).min(GROUP), 1 2 3 4 5 6 7 8 9 or 10 =>
                self.add((Half::Y, b), consecutive::<K>(age), c, T::ONE, q)
            }
            age += GROUP;
        }
        if let Some(h) = h {
            apply(self.level, &Multiply, q, [h]);
        }
        self.with_one(Half::Y, b, count, q, row);
    }

    /// `q = scale q + sum c_i s_i` over all pairs, from the oldest to the youngest, then the direction `-q` and the first
    /// trial point `from` a point and its gradient, with slope and largest element.
    fn ascend<T: Real>(
        &self,
        b: usize,
        c: &[T],
        mut scale: T,
        from: [&[T]; 2],
        [q, x]: [&mut [T]; 2],
    ) -> [T; 2]
    where
        V: Vector<T>,
    {
        let mut left = self.ring.count;
        while left > GROUP {
            self.add((Half::S, b), reversed::<GROUP>(left), c, scale, q);
            scale = T::ONE;
            left -= GROUP;
        }
        constant! { K = left.min(GROUP), 0 1 2 3 4 5 6 7 8 9 or 10 => {
            let ages = reversed::<K>(left);
            let read = chain::<_, { K + 2 }>(from, self.columns(Half::S, b, ages));
            sums(self.level, &Depart { scale, c: self.coefficients(ages, c) }, read, [q, x])
        }}
    }

    /// The coefficients of the pairs of these ages.
    fn coefficients<T: Real, const K: usize>(&self, ages: [usize; K], c: &[T]) -> [T; K] {
        ages.map(|age| c.get(self.ring.slot(age)).copied().unwrap_or(T::ZERO))
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
        let rule = Combine { scale, c: self.coefficients(ages, c) };
        apply(self.level, &rule, q, self.columns(half, b, ages));
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

/// One array behind the other: `C` is `A + B`.
fn chain<T: Copy + Default, const C: usize>(
    a: impl IntoIterator<Item = T>,
    b: impl IntoIterator<Item = T>,
) -> [T; C] {
    let mut both = [T::default(); C];
    for (to, from) in both.iter_mut().zip(a.into_iter().chain(b)) {
        *to = from;
    }
    both
}

/// The pairs, and the memory of the recursion over them.
#[derive(Clone, Debug)]
pub(super) struct History<T, R, H> {
    pub pairs: H,
    /// Coefficients of one half of the recursion, by slot.
    pub alpha: R,
    pub totals: Totals<T, R>,
}

impl<T: Real, R: Vector<T>, H> History<T, R, H> {
    /// Takes in a pair, unless its curvature is not positive; forms its products with the others, and those of all with
    /// `g`, unless the pairs are `restricted` to some of the parameters.
    ///
    /// `s` is the move, `y` the gradient before it and `g` that after it. Afterwards `s`, `y` and `row`, as long as a pair's products, are memory to use again.
    pub(crate) fn absorb<V: Vector<T>>(
        &mut self,
        walk: &mut impl Walk<T, R>,
        core: &mut Core<T>,
        (s, y, row): (&mut V, &mut V, &mut R),
        g: &[T],
        h: Option<&[T]>,
        restricted: bool,
    ) where
        H: AsMut<[Pair<V, R>]>,
    {
        let Self { pairs, totals, .. } = self;
        let (pairs, level) = (pairs.as_mut(), core.level());
        let Core { ring, scale, .. } = core;
        let known = Ring { count: if restricted { 0 } else { ring.count }, ..*ring };
        let reader = Reader { level, pairs: &*pairs, ring: known };
        let moved = s.as_ref();
        walk.walk(g.len(), [y.as_mut()], totals, |b, [y], totals| {
            reader.newest(b, [block(g, b), block(moved, b)], y, totals);
            if let Some(h) = h {
                let [yhy] = sums(level, &Weighted, [&*y, block(h, b)], []);
                totals.newest.yhy = totals.newest.yhy + yhy;
            }
        });
        let Products { sy, sg, .. } = totals.newest;
        let Some(gamma) = totals.newest.curved(h.is_some()) else {
            walk.walk(g.len(), [], totals, |b, [], totals| {
                reader.with_one(Half::S, b, known.count, block(g, b), totals.with_g.as_mut());
            });
            return;
        };
        let slot = ring.next();
        for (pair, product) in pairs.iter_mut().zip(totals.with_y.as_ref()) {
            set(&mut pair.products, slot, *product);
        }
        set(&mut totals.with_g, slot, sg);
        if let Some(oldest) = pairs.get_mut(slot) {
            oldest.s.exchange(s);
            oldest.y.exchange(y);
            oldest.products.exchange(row);
            set(&mut oldest.products, slot, sy);
        }
        ring.count = ring.kept() + 1;
        ring.newest = slot;
        *scale = gamma;
    }

    /// First half, from `x0` with gradient `g`: `q = g` less its products with the pairs, after [`absorb`](Self::absorb) formed those.
    pub(crate) fn descend<V: Vector<T>>(
        &mut self,
        walk: &mut impl Walk<T, R>,
        core: &mut Core<T>,
        [x0, g]: [&[T]; 2],
        h: Option<&[T]>,
        q: &mut [T],
    ) where
        H: AsMut<[Pair<V, R>]>,
    {
        let Self { pairs, alpha, totals } = self;
        let (pairs, level, ring) = (&*pairs.as_mut(), core.level(), core.ring);
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
        walk.walk(g.len(), [&mut *q], totals, |b, [q], totals| {
            let h = h.map(|h| block(h, b));
            reader.descend(b, [block(g, b), c], h, q, totals.with_y.as_mut());
        });
        if ring.count == 0 {
            core.scale = core.first_scale(q, x0, h.is_some());
        }
    }

    /// Second half: what the pairs add to `q`, which becomes the direction `from` a point with its gradient, and `x` the
    /// first trial point. Returns the slope and the largest element of the direction.
    pub(crate) fn ascend<V: Vector<T>>(
        &mut self,
        walk: &mut impl Walk<T, R>,
        core: &Core<T>,
        q: &mut [T],
        x: &mut [T],
        from: [&[T]; 2],
    ) -> Line<T>
    where
        H: AsMut<[Pair<V, R>]>,
    {
        let Self { pairs, alpha, totals } = self;
        let (pairs, level, ring, scale) = (&*pairs.as_mut(), core.level(), core.ring, core.scale);
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
            totals.line.join(reader.ascend(b, c, scale, from.map(|x| block(x, b)), [q, x]));
        });
        totals.line
    }
}

pub(super) fn get<T: Real>(row: &impl Vector<T>, slot: usize) -> T {
    row.as_ref().get(slot).copied().unwrap_or(T::ZERO)
}

pub(super) fn set<T: Real>(row: &mut impl Vector<T>, slot: usize, to: T) {
    if let Some(value) = row.as_mut().get_mut(slot) {
        *value = to;
    }
}

/// `s_i'y_j`
fn product<T: Real, V, R: Vector<T>>(pairs: &[Pair<V, R>], i: usize, j: usize) -> T {
    pairs.get(i).map_or(T::ZERO, |pair| get(&pair.products, j))
}
