//! Loops over the windows of an image: pooling, and the sums of a convolution by channels.
//!
//! Images lie row by row, column by column, channel by channel (NHWC), and registers span channels. A window knows which
//! of its places lie on the image: what falls on the padding is left out, not taken as 0.
#![allow(unsafe_code, reason = "pointers")]

use super::exec::Exec;
use super::isa::{Isa, Kernel};
use super::product::{load, store};
use super::vector::{Element, Vector};

/// Windows along one side of an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub size: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
}

/// Windows next to each other that reach the same places of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    /// The first window.
    pub first: usize,
    /// How many windows.
    pub count: usize,
    /// The first place of the kernel that lies on the image, and how many do.
    pub taps: [usize; 2],
    /// Where the first place lies on the image.
    pub at: usize,
}

impl Axis {
    /// Number of windows.
    pub(crate) const fn windows(&self) -> usize {
        let Some(size) = self.padding.checked_mul(2) else { return 0 };
        let Some(size) = size.checked_add(self.size) else { return 0 };
        if size < self.kernel {
            return 0;
        }
        match (size - self.kernel).checked_div(self.stride) {
            Some(steps) => steps.saturating_add(1), // the largest number is no size
            None => 0,
        }
    }

    /// The first place of the kernel that lies on the image for a window, and how many do.
    fn taps(&self, window: usize) -> [usize; 2] {
        let start = window * self.stride;
        let first = self.padding.saturating_sub(start);
        let end = (self.size + self.padding).saturating_sub(start);
        let end = if end < self.kernel { end } else { self.kernel };
        [first, end.saturating_sub(first)]
    }

    /// The windows from `first` on that reach the same places as that one; none behind the last.
    pub(crate) fn band(&self, first: usize) -> Option<Band> {
        let windows = self.windows();
        if first >= windows {
            return None;
        }
        let taps = self.taps(first);
        let mut count = 1;
        if taps == [0, self.kernel] {
            while first + count < windows && self.taps(first + count) == taps {
                count += 1;
            }
        }
        Some(Band { first, count, taps, at: first * self.stride + taps[0] - self.padding })
    }

    /// The windows whose place `tap` lies on the image: the first, how many, and where it lies for the first.
    pub(crate) fn reach(&self, tap: usize) -> [usize; 3] {
        // Where the sum is beyond the largest number, the stride is more than half of it, and the quotient is 1.
        let up =
            |n: usize| n.saturating_add(self.stride.saturating_sub(1)).checked_div(self.stride).unwrap_or(0);
        let first = up(self.padding.saturating_sub(tap));
        let end = up((self.size + self.padding).saturating_sub(tap));
        let windows = self.windows();
        let end = if end < windows { end } else { windows };
        if first >= end {
            return [0; 3]; // a place beyond the last window need not be a number
        }
        [first, end - first, (first * self.stride + tap).saturating_sub(self.padding)]
    }
}

/// `y[p][c] += a[p][c] * b[p][c]` for places `p` in their order, each a group and a place in it, and channels `c`.
pub(crate) struct Channels<'a, T> {
    /// Groups of places, places in a group.
    pub places: [usize; 2],
    pub channels: usize,
    pub y: &'a mut [T],
    /// From group to group and place to place; both 0 for a sum over places.
    pub y_places: [usize; 2],
    pub a: &'a [T],
    pub a_places: [usize; 2],
    pub b: &'a [T],
    pub b_places: [usize; 2],
}

impl<T: Element> Channels<'_, T> {
    /// Computes it. What does not fit into its slices is left undone; a layer has checked that it does.
    pub(crate) fn run(self, exec: Exec) {
        let [groups, places] = self.places;
        if groups == 0 || places == 0 || self.channels == 0 {
            return;
        }
        let reach = |[group, place]: [usize; 2]| {
            let groups = (groups - 1).saturating_mul(group);
            groups.saturating_add((places - 1).saturating_mul(place)).saturating_add(self.channels)
        };
        let fits = reach(self.y_places) <= self.y.len()
            && reach(self.a_places) <= self.a.len()
            && reach(self.b_places) <= self.b.len();
        debug_assert!(fits, "channels beyond their slices");
        if fits {
            exec.level().narrowed(self.channels * size_of::<T>()).dispatch(&(), self);
        }
    }
}

impl<T: Element> Kernel<()> for Channels<'_, T> {
    type Out = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, _: &()) {
        // SAFETY: Channels::run has asked whether all places lie in the slices.
        unsafe { multiply_add::<T, T::In<I>>(isa, self) };
    }
}

/// # Safety
/// All places lie in the slices.
#[inline(always)]
unsafe fn multiply_add<T: Element, V: Vector<T>>(isa: V::Isa, all: Channels<'_, T>) {
    let sum_up = all.y_places[0] == 0 && all.y_places[1] == 0;
    let mut c = 0;
    while c < all.channels {
        let n = if all.channels - c < V::WIDTH { all.channels - c } else { V::WIDTH };
        let (y, a, b) = (
            all.y.as_mut_ptr().wrapping_add(c),
            all.a.as_ptr().wrapping_add(c),
            all.b.as_ptr().wrapping_add(c),
        );
        // SAFETY: the first place has n channels from c on.
        let mut sum = unsafe { load::<T, V>(isa, y, n) };
        let mut group = 0;
        while group < all.places[0] {
            let mut place = 0;
            while place < all.places[1] {
                let to = y.wrapping_add(group * all.y_places[0] + place * all.y_places[1]);
                let a = a.wrapping_add(group * all.a_places[0] + place * all.a_places[1]);
                let b = b.wrapping_add(group * all.b_places[0] + place * all.b_places[1]);
                // SAFETY: each place has n channels from c on.
                unsafe {
                    let product = load::<T, V>(isa, a, n) * load::<T, V>(isa, b, n);
                    if sum_up {
                        sum = sum + product;
                    } else {
                        store(load::<T, V>(isa, to, n) + product, to, n);
                    }
                }
                place += 1;
            }
            group += 1;
        }
        if sum_up {
            // SAFETY: the first place has n channels from c on.
            unsafe { store(sum, y, n) };
        }
        c += n;
    }
}

/// The window of one result: its places on the image, from a channel on.
pub(crate) struct Window<T> {
    /// Rows and columns of it that lie on the image.
    rows: usize,
    cols: usize,
    /// From row to row, from column to column.
    strides: [usize; 2],
    /// What is read at its first place.
    x: *const T,
    /// The result and its gradient.
    y: *const T,
    dy: *const T,
    /// What is written: the result, or the gradient at its first place.
    to: *mut T,
}

/// What becomes of a window.
pub(crate) trait Pool<T: Element>: Sync {
    /// Whether it writes the gradient of what it reads, and no result.
    const BACKWARD: bool;

    /// For `n` channels.
    ///
    /// # Safety
    /// The pointers that the formula follows are valid for them.
    unsafe fn apply<V: Vector<T>>(&self, isa: V::Isa, window: &Window<T>, n: usize);
}

/// The slices of a pass over all windows of some images; those that its formula does not follow are empty.
pub(crate) struct Windows<'a, T> {
    pub axes: [Axis; 2],
    pub channels: usize,
    pub images: usize,
    pub x: &'a [T],
    pub y: &'a [T],
    pub dy: &'a [T],
    pub to: &'a mut [T],
}

impl<T: Element> Windows<'_, T> {
    /// Applies a formula to every window. Each slice is empty or as long as all images.
    pub(crate) fn run<P: Pool<T>>(self, exec: Exec, pool: &P) {
        let inputs = self.images * self.axes[0].size * self.axes[1].size * self.channels;
        let outputs = self.images * self.axes[0].windows() * self.axes[1].windows() * self.channels;
        let fits = (self.x.is_empty() || self.x.len() == inputs)
            && (self.y.is_empty() || self.y.len() == outputs)
            && (self.dy.is_empty() || self.dy.len() == outputs)
            && self.to.len() == if P::BACKWARD { inputs } else { outputs };
        debug_assert!(fits, "windows beyond their slices");
        if fits && inputs > 0 && outputs > 0 {
            exec.level().narrowed(self.channels * size_of::<T>()).dispatch(pool, self);
        }
    }
}

impl<T: Element, P: Pool<T>> Kernel<P> for Windows<'_, T> {
    type Out = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I, pool: &P) {
        let [vertical, horizontal] = self.axes;
        let (x, y, dy, to) = (self.x.as_ptr(), self.y.as_ptr(), self.dy.as_ptr(), self.to.as_mut_ptr());
        let register = <T::In<I> as Vector<T>>::WIDTH;
        let row = horizontal.size * self.channels;
        let (mut image, mut done) = (0, 0);
        while image < self.images {
            let mut top = 0;
            while top < vertical.windows() {
                let mut left = 0;
                let [up, rows] = vertical.taps(top);
                while left < horizontal.windows() {
                    let [before, cols] = horizontal.taps(left);
                    let first = (image * vertical.size + top * vertical.stride + up - vertical.padding) * row
                        + (left * horizontal.stride + before - horizontal.padding) * self.channels;
                    let mut c = 0;
                    while c < self.channels {
                        let rest = self.channels - c;
                        let n = if rest < register { rest } else { register };
                        let window = Window {
                            rows,
                            cols,
                            strides: [row, self.channels],
                            x: x.wrapping_add(first + c),
                            y: y.wrapping_add(done + c),
                            dy: dy.wrapping_add(done + c),
                            to: to.wrapping_add(c + if P::BACKWARD { first } else { done }),
                        };
                        // SAFETY: Windows::run has asked for the lengths; taps lie on the image.
                        unsafe { pool.apply::<T::In<I>>(isa, &window, n) };
                        c += n;
                    }
                    done += self.channels;
                    left += 1;
                }
                top += 1;
            }
            image += 1;
        }
    }
}

/// `nan` where `x` is NaN, else `number`.
#[inline(always)]
fn where_nan<T: Element, V: Vector<T>>(isa: V::Isa, x: V, nan: V, number: V) -> V {
    let zero = V::splat(isa, T::ZERO);
    // Of NaN alone it is neither true that it lies below 0 nor that it lies above -1.
    zero.select_gt(x, number, x.select_gt(zero - V::splat(isa, T::ONE), number, nan))
}

/// The largest number of a window, the first of equals; NaN where there is one.
pub(crate) struct Max;

impl<T: Element> Pool<T> for Max {
    const BACKWARD: bool = false;

    #[inline(always)]
    unsafe fn apply<V: Vector<T>>(&self, isa: V::Isa, window: &Window<T>, n: usize) {
        // SAFETY: the caller vouches for the places of the window and for the result.
        unsafe {
            let mut max = load::<T, V>(isa, window.x, n);
            let mut row = 0;
            while row < window.rows {
                let mut col = 0;
                while col < window.cols {
                    let at = row * window.strides[0] + col * window.strides[1];
                    let x = load::<T, V>(isa, window.x.add(at), n);
                    max = where_nan(isa, x, x, x.select_gt(max, x, max));
                    col += 1;
                }
                row += 1;
            }
            store(max, window.to, n);
        }
    }
}

/// Adds the gradient of a result to the place that it was taken from: the first that equals it.
pub(crate) struct MaxGradient;

impl<T: Element> Pool<T> for MaxGradient {
    const BACKWARD: bool = true;

    #[inline(always)]
    unsafe fn apply<V: Vector<T>>(&self, isa: V::Isa, window: &Window<T>, n: usize) {
        let zero = V::splat(isa, T::ZERO);
        // SAFETY: the caller vouches for the places of the window, for the result and its gradient.
        unsafe {
            let y = load::<T, V>(isa, window.y, n);
            let mut rest = load::<T, V>(isa, window.dy, n); // what has not found its place yet
            let mut row = 0;
            while row < window.rows {
                let mut col = 0;
                while col < window.cols {
                    let at = row * window.strides[0] + col * window.strides[1];
                    let x = load::<T, V>(isa, window.x.add(at), n);
                    // Neither is larger: equal, or one of them NaN. A number is not the NaN that was found.
                    let found = x.select_gt(y, zero, y.select_gt(x, zero, rest));
                    let found = where_nan(isa, x, found, where_nan(isa, y, zero, found));
                    let left = x.select_gt(y, rest, y.select_gt(x, rest, zero));
                    rest = where_nan(isa, x, left, where_nan(isa, y, rest, left));
                    let dx = window.to.add(at);
                    store(load::<T, V>(isa, dx, n) + found, dx, n);
                    col += 1;
                }
                row += 1;
            }
        }
    }
}

/// The sum of a window, row by row, times the inverse of its count.
pub(crate) struct Average;

impl<T: Element> Pool<T> for Average {
    const BACKWARD: bool = false;

    #[inline(always)]
    unsafe fn apply<V: Vector<T>>(&self, isa: V::Isa, window: &Window<T>, n: usize) {
        // SAFETY: the caller vouches for the places of the window and for the result.
        unsafe {
            let mut sum = V::splat(isa, T::ZERO);
            let mut row = 0;
            while row < window.rows {
                let mut col = 0;
                while col < window.cols {
                    let at = row * window.strides[0] + col * window.strides[1];
                    sum = sum + load::<T, V>(isa, window.x.add(at), n);
                    col += 1;
                }
                row += 1;
            }
            store(sum * V::splat(isa, T::ONE / T::from_count(window.rows * window.cols)), window.to, n);
        }
    }
}

/// Adds the gradient of a result, times the inverse of the window's count, to all its places.
pub(crate) struct AverageGradient;

impl<T: Element> Pool<T> for AverageGradient {
    const BACKWARD: bool = true;

    #[inline(always)]
    unsafe fn apply<V: Vector<T>>(&self, isa: V::Isa, window: &Window<T>, n: usize) {
        // SAFETY: the caller vouches for the places of the window and for the result's gradient.
        unsafe {
            let share = V::splat(isa, T::ONE / T::from_count(window.rows * window.cols));
            let share = load::<T, V>(isa, window.dy, n) * share;
            let mut row = 0;
            while row < window.rows {
                let mut col = 0;
                while col < window.cols {
                    let dx = window.to.add(row * window.strides[0] + col * window.strides[1]);
                    store(load::<T, V>(isa, dx, n) + share, dx, n);
                    col += 1;
                }
                row += 1;
            }
        }
    }
}
