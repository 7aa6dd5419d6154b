//! The caller's memory: every pointer is checked here before anything follows it.

use super::Refusal::{self, *};

/// Elements behind a pointer from C, checked for null, alignment and length.
///
/// The checks cannot know whether the memory is there: that much the caller vouches for.
pub(crate) struct Memory<T> {
    start: *mut T,
    len: usize,
}

// Derived, it would ask the same of T.
impl<T> Clone for Memory<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Memory<T> {}

/// A piece of memory that a call touches.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    start: usize,
    /// In units of the size that is their alignment.
    len: usize,
    /// The logarithm to base 2 of a unit's size in its lower two bits, and whether the units are written in the third.
    kind: u32,
}

impl Region {
    /// Nothing.
    pub(crate) const NONE: Self = Self { start: 0, len: 0, kind: 0 };
    /// The bits of the kind that say how large a unit is.
    const UNIT: u32 = 3;
    /// The bit of the kind that says that units are written.
    const WRITTEN: u32 = 4;

    /// `len` elements from `start` on, to be read only.
    #[inline(always)]
    pub(crate) fn read<T>(start: *const T, len: usize) -> Self {
        const { assert!(align_of::<T>() <= 8) };
        let unit = align_of::<T>();
        Self {
            start: start.addr(),
            len: len.saturating_mul(size_of::<T>() / unit),
            kind: unit.trailing_zeros(),
        }
    }

    /// The same, to be written.
    #[inline(always)]
    pub(crate) fn written<T>(start: *const T, len: usize) -> Self {
        let region = Self::read(start, len);
        Self { kind: region.kind | Self::WRITTEN, ..region }
    }
}

impl<T> Memory<T> {
    /// `len` elements from `start` on; nothing at all may also be null.
    #[inline(always)]
    pub(crate) fn new(start: *const T, len: usize) -> Result<Self, Refusal> {
        apart([Region::read(start, len)])?;
        Ok(Self::unchecked(start, len))
    }

    /// The same, which [`apart`] is to check with others before anything follows it.
    #[inline(always)]
    pub(crate) fn unchecked(start: *const T, len: usize) -> Self {
        let start = if len == 0 { core::ptr::dangling_mut() } else { start.cast_mut() };
        Self { start, len }
    }

    /// One element.
    pub(crate) fn one(start: *const T) -> Result<Self, Refusal> {
        Self::new(start, 1)
    }

    /// Where it begins: not null, and aligned, also where it is empty.
    #[inline(always)]
    pub(crate) fn start(self) -> *mut T {
        self.start
    }

    /// To be read only.
    #[inline(always)]
    pub(crate) fn read(self) -> Region {
        Region::read(self.start, self.len)
    }

    /// To be written.
    #[inline(always)]
    pub(crate) fn written(self) -> Region {
        Region::written(self.start, self.len)
    }

    /// The elements, to read.
    ///
    /// # Safety
    /// They are valid `T`, and nothing writes them while the slice lives.
    pub(crate) unsafe fn slice<'a>(self) -> &'a [T] {
        // SAFETY: checked by `new` for null, alignment and length; the caller vouches for the rest.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }

    /// The elements, to write.
    ///
    /// # Safety
    /// They are valid `T`, and nothing else touches them while the slice lives.
    pub(crate) unsafe fn slice_mut<'a>(self) -> &'a mut [T] {
        // SAFETY: checked by `new` for null, alignment and length; the caller vouches for the rest.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.len) }
    }

    /// The first of at least one element, to read.
    ///
    /// # Safety
    /// As [`slice`](Self::slice), and there is one.
    pub(crate) unsafe fn one_ref<'a>(self) -> &'a T {
        // SAFETY: checked by `new` for null and alignment; the caller vouches for the rest.
        unsafe { &*self.start }
    }

    /// The first of at least one element, to write.
    ///
    /// # Safety
    /// As [`slice_mut`](Self::slice_mut), and there is one.
    pub(crate) unsafe fn one_mut<'a>(self) -> &'a mut T {
        // SAFETY: checked by `new` for null and alignment; the caller vouches for the rest.
        unsafe { &mut *self.start }
    }

    /// `K` columns of `n` elements one after the other, to write; this memory is `K * n` long.
    ///
    /// # Safety
    /// As [`slice_mut`](Self::slice_mut).
    pub(crate) unsafe fn columns_mut<'a, C: crate::simd::ColumnSet>(self, n: usize) -> C::Views<'a, T>
    where
        T: crate::simd::Stored,
    {
        C::views(|k| {
            // SAFETY: column k ends at (k + 1) * n, at most K * n, and columns do not overlap.
            unsafe { core::slice::from_raw_parts_mut(self.start.wrapping_add(k * n), n) }
        })
    }
}

/// Refuses regions that cannot be there, and those that overlap where one of them is written.
#[inline(always)]
pub(crate) fn apart<const N: usize>(regions: [Region; N]) -> Result<(), Refusal> {
    const { assert!(0 < N && N <= 8, "a word holds the kinds of eight") };
    let (mut places, mut kinds) = ([[0; 2]; N], 0);
    macro_rules! each {
        ($($k:literal)*) => {
            $(if let (Some(region), Some(place)) = (regions.get($k), places.get_mut($k)) {
                *place = [region.start, region.len];
                kinds |= region.kind << (4 * $k);
            })* // no opt-level keeps a loop
        };
    }
    each!(0 1 2 3 4 5 6 7);
    examine(places.as_mut_ptr_range(), kinds)
}

/// The only check of pointers: one function for all calls and types, of where regions begin and how long they are, and of
/// their kinds, four bits each. A region is compared with those before it, whose ends stand in the place of their lengths;
/// the end of an empty one is 0, so that nothing overlaps it. There is at least one.
#[inline(never)]
fn examine(places: core::ops::Range<*mut [usize; 2]>, kinds: u32) -> Result<(), Refusal> {
    let (mut a, mut kind) = (places.start, kinds);
    loop {
        // SAFETY: a is a place of the range.
        let [start, mut end] = unsafe { *a };
        if end != 0 {
            let unit = kind & Region::UNIT;
            // No region is longer than half of the memory, as no slice is.
            if end > isize::MAX as usize >> unit {
                return Err(GRADUS_ERROR_LENGTH);
            }
            let around;
            (end, around) = start.overflowing_add(end << unit);
            if around {
                return Err(GRADUS_ERROR_LENGTH);
            }
            if start == 0 {
                return Err(GRADUS_ERROR_NULL);
            }
            if start & ((1 << unit) - 1) != 0 {
                return Err(GRADUS_ERROR_ALIGNMENT);
            }
        }
        let (mut b, mut other) = (places.start, kinds);
        while b != a {
            // SAFETY: b is a place before a.
            let [from, to] = unsafe { *b };
            if start < to && from < end && (kind | other) & Region::WRITTEN != 0 {
                return Err(GRADUS_ERROR_OVERLAP);
            }
            b = b.wrapping_add(1);
            other >>= 4;
        }
        // SAFETY: as above.
        unsafe { (*a)[1] = end };
        a = a.wrapping_add(1);
        if a == places.end {
            return Ok(());
        }
        kind >>= 4;
    }
}

/// `a * b`, if memory could be as long.
pub(crate) fn area(a: usize, b: usize) -> Result<usize, Refusal> {
    a.checked_mul(b).ok_or(GRADUS_ERROR_LENGTH)
}

/// A structure of the caller, copied.
///
/// # Safety
/// What `from` points at is a valid `T`.
pub(crate) unsafe fn copy<T: Copy>(from: *const T) -> Result<T, Refusal> {
    let memory = Memory::one(from)?;
    // SAFETY: checked for null and alignment; the caller vouches for the value.
    Ok(unsafe { memory.start.read() })
}

/// Writes one value to the caller's memory.
///
/// # Safety
/// `to` points at memory that may be written.
pub(crate) unsafe fn put<T: Copy>(to: *mut T, value: T) -> Result<(), Refusal> {
    let memory = Memory::one(to)?;
    // SAFETY: checked for null and alignment; the caller vouches for the memory.
    unsafe { memory.start.write(value) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each type of unit as long as memory can be, and one element longer.
    #[test]
    fn a_region_may_have_half_of_the_memory() {
        fn longest<T>() {
            let (start, most) =
                (core::ptr::without_provenance::<T>(16), isize::MAX as usize / size_of::<T>());
            for (len, want) in [(most, Ok(())), (most + 1, Err(GRADUS_ERROR_LENGTH))] {
                assert_eq!(apart([Region::read(start, len)]), want, "{} bytes", size_of::<T>());
            }
        }
        longest::<u8>();
        longest::<u16>();
        longest::<f32>();
        longest::<f64>();
        longest::<[f32; 2]>();
    }

    /// A state that is as long as it can be is so in floats, when a step begins, and in bytes, when a layer takes it.
    #[test]
    fn floats_are_refused_where_their_bytes_are() {
        let most = isize::MAX as usize / size_of::<f32>();
        for n in [most / 2, most / 2 + 1, most - 1, most, most + 1, usize::MAX / 4] {
            let floats = core::ptr::without_provenance::<f32>(16);
            let bytes = Region::written(floats.cast::<u8>(), n.saturating_mul(size_of::<f32>()));
            assert_eq!(apart([Region::written(floats, n)]), apart([bytes]), "{n}");
        }
    }
}
