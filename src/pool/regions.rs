//! Which rows, and which columns, each output of a fractional pooling sees.

use crate::error::{Error, Hyper, ensure, require};
use crate::noise::chance;
use rand_core::Rng;

/// Rows or columns that one output sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Window {
    /// The first one.
    pub start: usize,
    /// How many.
    pub len: usize,
}

/// How neighbouring windows meet (Graham, 2014).
///
/// An axis of `size` is cut into as many pieces as there are windows, each of `size / windows` rounded down or
/// up. Which pieces are the larger ones is chosen by chance:
///
/// ```
/// use gradus::pool::{Regions, Window};
/// use rand_core::SeedableRng;
/// let mut rng = rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(1);
///
/// let mut windows = [Window::default(); 4];
/// Regions::Disjoint.random(7, &mut rng, &mut windows)?;
/// assert_eq!(windows.iter().map(|window| window.len).sum::<usize>(), 7); // 1, 2, 2, 2 in any order
/// Regions::Overlapping.pseudo_random(7, &mut rng, &mut windows)?;
/// assert!(windows.windows(2).all(|pair| pair[0].start + pair[0].len == pair[1].start + 1));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Regions {
    /// A window ends where the next one begins.
    Disjoint,
    /// A window has the first element of the next one too; the last window has none to share.
    Overlapping,
}

impl Regions {
    /// Windows whose larger pieces stand in any order, all orders equally likely.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is no window, or more of them than `size`; nothing was changed.
    pub fn random(self, size: usize, rng: &mut impl Rng, windows: &mut [Window]) -> Result<(), Error> {
        let (small, larger) = pieces(size, windows.len())?;
        let (mut start, mut larger, mut left) = (0, larger, windows.len());
        for window in windows {
            let large = chance::index(rng, left) < larger;
            larger -= usize::from(large);
            left -= 1;
            let len = small + usize::from(large);
            *window = self.window(start, len, size);
            start += len;
        }
        Ok(())
    }

    /// Windows that stand as evenly as integers can, from a random start.
    ///
    /// ```text
    /// start[i] = floor((i * size + r) / windows),  r uniform in 0..windows
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] if there is no window, or more of them than `size`; nothing was changed.
    pub fn pseudo_random(self, size: usize, rng: &mut impl Rng, windows: &mut [Window]) -> Result<(), Error> {
        let count = windows.len();
        let (small, larger) = pieces(size, count)?;
        // The remainder of the formula's division, carried from window to window: nothing overflows.
        let (mut start, mut remainder) = (0, chance::index(rng, count));
        for window in windows {
            remainder += larger;
            let large = remainder >= count;
            remainder -= if large { count } else { 0 };
            let len = small + usize::from(large);
            *window = self.window(start, len, size);
            start += len;
        }
        Ok(())
    }

    /// The window over a piece.
    fn window(self, start: usize, len: usize, size: usize) -> Window {
        let shared = self == Self::Overlapping && start + len < size;
        Window { start, len: len + usize::from(shared) }
    }
}

/// The size of the smaller pieces, and the number of pieces that have one element more.
fn pieces(size: usize, count: usize) -> Result<(usize, usize), Error> {
    match (size.checked_div(count), size.checked_rem(count)) {
        (Some(small), Some(larger)) if small > 0 => Ok((small, larger)),
        _ => Err(Error::Shape),
    }
}

/// The windows of PyTorch's `FractionalMaxPool2d`: all of `pool` elements, from a sample in `0..1`.
///
/// ```text
/// alpha = (size - pool) / (windows - 1)
/// start[i] = floor((i + sample) * alpha) - floor(sample * alpha),  the last one size - pool
/// ```
///
/// # Errors
/// [`Error::Shape`] if `pool` is 0 or larger than `size`, if there is no window, or more of them than
/// `size - pool + 1`; [`Error::Range`] if `sample` is outside of `0..1`. Nothing was changed.
///
/// ```
/// use gradus::pool::{Window, pytorch_regions};
/// let mut windows = [Window::default(); 3];
/// pytorch_regions(6, 2, 0.5, &mut windows)?;
/// assert_eq!(windows.map(|window| window.start), [0, 2, 4]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn pytorch_regions(size: usize, pool: usize, sample: f32, windows: &mut [Window]) -> Result<(), Error> {
    let count = windows.len();
    ensure(1 <= pool && pool <= size && 1 <= count && count <= size - pool + 1, Error::Shape)?;
    require(0.0 <= sample && sample < 1.0, Hyper::Probability)?;
    let last = size - pool;
    let alpha = if count > 1 { last as f32 / (count - 1) as f32 } else { 0.0 };
    let first = (sample * alpha) as usize;
    for (i, window) in windows.iter_mut().enumerate() {
        let start = ((i as f32 + sample) * alpha) as usize - first;
        *window = Window { start: if i + 1 == count || start > last { last } else { start }, len: pool };
    }
    Ok(())
}
