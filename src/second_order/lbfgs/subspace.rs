//! The recursion over some of the parameters: where a box or an orthant holds the others still.
//!
//! Each pair counts with its elements of the parameters that may move, as if there were no others (Ni and Yuan, 1997).
//! Products of pairs over all parameters, which the three passes of `two_loop.rs` keep, are of no use then, and those over
//! the free ones change with the set. So this is the recursion as it is printed (Nocedal and Wright, algorithm 7.4), with
//! two passes for each pair:
//!
//! ```text
//! q = p
//! from the youngest pair on:   alpha_i = s_i'q / s_i'y_i,   q = q - alpha_i y_i
//! q = gamma q
//! from the oldest pair on:     beta_i = y_i'q / s_i'y_i,    q = q + (alpha_i - beta_i) s_i
//! ```
//!
//! A pass takes what the pair before it left to add, and forms the products of its own pair: all in one loop. A pair
//! whose curvature over the free parameters is not positive is left out.

use super::kernels::{apply, sums};
use super::machine::Core;
use super::two_loop::{History, Pair, get, set};
use super::walk::{Products, Vector, Walk, block};
use crate::second_order::Real;
use crate::simd::{Fold, Rule, Vector as Register, Width};

/// `q = q + c v` where `free` is 1, else 0; then the products of a pair over what is free.
///
/// It reads `free`, `v` and the pair `s`, `y`.
struct Onto<T> {
    c: T,
}

impl<T: Real> Fold<4, 1, 4, T> for Onto<T> {
    #[inline(always)]
    fn fold<V: Register<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [sy, yy, ss, sq]: [V; 4],
        [free, v, s, y]: [V; 4],
        [q]: [V; 1],
    ) -> ([V; 4], [V; 1]) {
        let zero = V::splat(isa, T::ZERO);
        let q = free.select_gt(zero, q + v * V::splat(isa, self.c), zero);
        let (s, y) = (free.select_gt(zero, s, zero), free.select_gt(zero, y, zero));
        ([sy + s * y, yy + y * y, ss + s * s, sq + s * q], [q])
    }
}

/// `q = q + c v` where `free` is 1, else 0; then its product with `y`.
///
/// It reads `free`, `v` and `y`.
struct Back<T> {
    c: T,
}

impl<T: Real> Fold<3, 1, 1, T> for Back<T> {
    #[inline(always)]
    fn fold<V: Register<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [free, v, y]: [V; 3],
        [q]: [V; 1],
    ) -> ([V; 1], [V; 1]) {
        let zero = V::splat(isa, T::ZERO);
        let q = free.select_gt(zero, q + v * V::splat(isa, self.c), zero);
        ([sum + y * q], [q])
    }
}

/// `q = scale (q + c v)` where `free` is 1, else 0.
struct Settle<T> {
    c: T,
    scale: T,
}

impl<T: Real> Rule<2, T> for Settle<T> {
    type Columns = Width<0>;
    #[inline(always)]
    fn apply<V: Register<T>>(&self, isa: V::Isa, q: V, [free, v]: [V; 2], _: [V; 0]) -> (V, [V; 0]) {
        let zero = V::splat(isa, T::ZERO);
        let sum = q + v * V::splat(isa, self.c);
        (free.select_gt(zero, sum * V::splat(isa, self.scale), zero), [])
    }
}

/// `y'(h y)` over what is free.
struct Weighted;

impl<T: Real> Fold<3, 0, 1, T> for Weighted {
    #[inline(always)]
    fn fold<V: Register<T>>(
        &self,
        isa: V::Isa,
        _: usize,
        [sum]: [V; 1],
        [free, y, h]: [V; 3],
        _: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        let zero = V::splat(isa, T::ZERO);
        ([sum + free.select_gt(zero, y * (h * y), zero)], [])
    }
}

impl<T: Real, R: Vector<T>, H> History<T, R, H> {
    /// Multiplies `q`, which is 0 where `free` is 0, with the inverse Hessian over what is free, for a search from `x0`;
    /// `row` is memory as long as a pair's products.
    pub(crate) fn restricted<V: Vector<T>>(
        &mut self,
        walk: &mut impl Walk<T, R>,
        core: &mut Core<T>,
        x0: &[T],
        (q, free): (&mut [T], &[T]),
        h: Option<&[T]>,
        row: &mut R,
    ) where
        H: AsMut<[Pair<V, R>]>,
    {
        let Self { pairs, alpha, totals } = self;
        let (pairs, level, ring, n) = (&*pairs.as_mut(), core.level(), core.ring, q.len());
        let pair = |age: usize| {
            let pair = pairs.get(ring.slot(age));
            pair.map_or([&[][..]; 2], |pair| [pair.s.as_ref(), pair.y.as_ref()])
        };
        // What the pair before left to add.
        let (mut c, mut v, mut scale) = (T::ZERO, free, None);
        for age in 0..ring.count {
            let (slot, [s, y]) = (ring.slot(age), pair(age));
            walk.walk(n, [&mut *q], totals, |b, [q], totals| {
                let read = [block(free, b), block(v, b), block(s, b), block(y, b)];
                let [sy, yy, ss, sg] = sums(level, &Onto { c }, read, [q]);
                let mut yhy = T::ZERO;
                if let (Some(h), None) = (h, scale) {
                    [yhy] = sums(level, &Weighted, [block(free, b), block(y, b), block(h, b)], []);
                }
                totals.newest.join(&Products { sy, yy, ss, sg, yhy });
            });
            let (newest, preconditioned) = (totals.newest, h.is_some() && scale.is_none());
            let curved = newest.curved(preconditioned);
            (c, v) = (T::ZERO, free);
            set(row, slot, if curved.is_some() { newest.sy } else { T::ZERO });
            if let Some(gamma) = curved {
                scale = scale.or(Some(gamma));
                let share = newest.sg / newest.sy;
                set(alpha, slot, share);
                (c, v) = (-share, y);
            }
        }
        if let Some(gamma) = scale {
            core.scale = gamma;
        }
        let settle = |walk: &mut _, totals: &mut _, q: &mut [T], scale: T, h: Option<&[T]>| {
            Walk::<T, R>::walk(walk, n, [q], totals, |b, [q], _| {
                apply(level, &Settle { c, scale }, q, [block(free, b), block(v, b)]);
                if let Some(h) = h {
                    apply(level, &super::kernels::Multiply, q, [block(h, b)]);
                }
            });
        };
        let Some(gamma) = scale else {
            // None of the pairs knows anything of what is free.
            settle(walk, totals, q, T::ONE, h);
            core.scale = core.first_scale(q, x0, h.is_some());
            (c, v) = (T::ZERO, free);
            let scale = core.scale;
            walk.walk(n, [q], totals, |b, [q], _| {
                apply(level, &Settle { c, scale }, q, [block(free, b), block(v, b)]);
            });
            return;
        };
        settle(walk, totals, q, gamma, h);
        (c, v) = (T::ZERO, free);
        for age in (0..ring.count).rev() {
            let (slot, [s, y]) = (ring.slot(age), pair(age));
            let sy = get(row, slot);
            if sy == T::ZERO {
                continue;
            }
            walk.walk(n, [&mut *q], totals, |b, [q], totals| {
                let [yq] = sums(level, &Back { c }, [block(free, b), block(v, b), block(y, b)], [q]);
                totals.newest.sg = totals.newest.sg + yq;
            });
            (c, v) = (get(alpha, slot) - totals.newest.sg / sy, s);
        }
        walk.walk(n, [q], totals, |b, [q], _| {
            apply(level, &Settle { c, scale: T::ONE }, q, [block(free, b), block(v, b)]);
        });
    }
}
