//! The caller's memory: every pointer is checked here before anything follows it.

use super::gradus_status::{self, *};

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

/// A piece of memory that a call touches: `len` units of `1 << shift` bytes, which is their alignment.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    start: usize,
    len: usize,
    /// `2 * shift`, and 1 more where the units are written: a region takes three words.
    kind: usize,
}

impl Region {
    /// Nothing.
    pub(crate) const NONE: Self = Self { start: 0, len: 0, kind: 0 };

    /// `len` elements from `start` on, to be read only.
    #[inline(always)]
    pub(crate) fn read<T>(start: *const T, len: usize) -> Self {
        let unit = align_of::<T>();
        let kind = 2 * unit.trailing_zeros() as usize;
        Self { start: start.addr(), len: len.saturating_mul(size_of::<T>() / unit), kind }
    }

    /// The same, to be written.
    #[inline(always)]
    pub(crate) fn written<T>(start: *const T, len: usize) -> Self {
        let region = Self::read(start, len);
        Self { kind: region.kind + 1, ..region }
    }

    /// One past the last byte, if such a piece can be there.
    #[inline(always)]
    fn end(&self) -> Result<usize, gradus_status> {
        let (&Self { start, len, .. }, shift) = (self, self.kind >> 1);
        // Units have 8 bytes at most, so that no shift overflows, and no region is longer than half of the memory.
        let (end, around) = start.overflowing_add(len << shift);
        if around || len > isize::MAX as usize >> 3 {
            return Err(GRADUS_ERROR_LENGTH);
        }
        if len > 0 && start == 0 {
            return Err(GRADUS_ERROR_NULL);
        }
        if len > 0 && start >> shift << shift != start {
            return Err(GRADUS_ERROR_ALIGNMENT);
        }
        Ok(end)
    }
}

impl<T> Memory<T> {
    /// `len` elements from `start` on; nothing at all may also be null.
    #[inline(always)]
    pub(crate) fn new(start: *const T, len: usize) -> Result<Self, gradus_status> {
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
    pub(crate) fn one(start: *const T) -> Result<Self, gradus_status> {
        Self::new(start, 1)
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
pub(crate) fn apart<const N: usize>(mut regions: [Region; N]) -> Result<(), gradus_status> {
    examine(&mut regions)
}

/// The only check of pointers: one function for all calls and types. Each region is compared with those before it, whose
/// ends stand in the place of their lengths.
#[inline(never)]
fn examine(regions: &mut [Region]) -> Result<(), gradus_status> {
    let core::ops::Range { start, end } = regions.as_mut_ptr_range();
    let mut a = start;
    while a != end {
        // SAFETY: a and b are regions of the slice, b before a.
        unsafe {
            (*a).len = (*a).end()?;
            let mut b = start;
            while b != a {
                // From the later start to the earlier end: empty if one of them is.
                let from = if (*a).start > (*b).start { (*a).start } else { (*b).start };
                if from < (*a).len && from < (*b).len && ((*a).kind | (*b).kind) & 1 != 0 {
                    return Err(GRADUS_ERROR_OVERLAP);
                }
                b = b.add(1);
            }
            a = a.add(1);
        }
    }
    Ok(())
}

/// `a * b`, if memory could be as long.
pub(crate) fn area(a: usize, b: usize) -> Result<usize, gradus_status> {
    a.checked_mul(b).ok_or(GRADUS_ERROR_LENGTH)
}

/// A structure of the caller, copied.
///
/// # Safety
/// What `from` points at is a valid `T`.
pub(crate) unsafe fn copy<T: Copy>(from: *const T) -> Result<T, gradus_status> {
    let memory = Memory::one(from)?;
    // SAFETY: checked for null and alignment; the caller vouches for the value.
    Ok(unsafe { memory.start.read() })
}

/// Writes one value to the caller's memory.
///
/// # Safety
/// `to` points at memory that may be written.
pub(crate) unsafe fn put<T: Copy>(to: *mut T, value: T) -> Result<(), gradus_status> {
    let memory = Memory::one(to)?;
    // SAFETY: checked for null and alignment; the caller vouches for the memory.
    unsafe { memory.start.write(value) };
    Ok(())
}
