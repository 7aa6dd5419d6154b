//! The caller's memory: every pointer is checked here before anything follows it.

use super::gradus_status::{self, *};

/// Elements behind a pointer from C, checked for null, alignment and length.
///
/// The checks cannot know whether the memory is there: that much the caller vouches for.
#[derive(Clone, Copy)]
pub struct Memory<T> {
    start: *mut T,
    len: usize,
}

/// Where a piece of memory begins and ends, and whether the call writes it.
#[derive(Clone, Copy)]
pub struct Region {
    start: usize,
    end: usize,
    written: bool,
}

impl<T> Memory<T> {
    /// `len` elements from `start` on; nothing at all may also be null.
    pub fn new(start: *const T, len: usize) -> Result<Self, gradus_status> {
        if len > isize::MAX as usize / size_of::<T>().max(1) {
            return Err(GRADUS_ERROR_LENGTH);
        }
        if len == 0 {
            return Ok(Self { start: core::ptr::dangling_mut(), len });
        }
        if start.is_null() {
            return Err(GRADUS_ERROR_NULL);
        }
        if !start.is_aligned() {
            return Err(GRADUS_ERROR_ALIGNMENT);
        }
        if start.addr().checked_add(len * size_of::<T>()).is_none() {
            return Err(GRADUS_ERROR_LENGTH);
        }
        Ok(Self { start: start.cast_mut(), len })
    }

    /// One element.
    pub fn one(start: *const T) -> Result<Self, gradus_status> {
        Self::new(start, 1)
    }

    fn region(self, written: bool) -> Region {
        let start = self.start.addr();
        Region { start, end: start.wrapping_add(self.len * size_of::<T>()), written }
    }

    /// To be read only.
    pub fn read(self) -> Region {
        self.region(false)
    }

    /// To be written.
    pub fn written(self) -> Region {
        self.region(true)
    }

    /// The elements, to read.
    ///
    /// # Safety
    /// They are valid `T`, and nothing writes them while the slice lives.
    pub unsafe fn slice<'a>(self) -> &'a [T] {
        // SAFETY: checked by `new` for null, alignment and length; the caller vouches for the rest.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }

    /// The elements, to write.
    ///
    /// # Safety
    /// They are valid `T`, and nothing else touches them while the slice lives.
    pub unsafe fn slice_mut<'a>(self) -> &'a mut [T] {
        // SAFETY: checked by `new` for null, alignment and length; the caller vouches for the rest.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.len) }
    }

    /// The first of at least one element, to read.
    ///
    /// # Safety
    /// As [`slice`](Self::slice), and there is one.
    pub unsafe fn one_ref<'a>(self) -> &'a T {
        // SAFETY: checked by `new` for null and alignment; the caller vouches for the rest.
        unsafe { &*self.start }
    }

    /// The first of at least one element, to write.
    ///
    /// # Safety
    /// As [`slice_mut`](Self::slice_mut), and there is one.
    pub unsafe fn one_mut<'a>(self) -> &'a mut T {
        // SAFETY: checked by `new` for null and alignment; the caller vouches for the rest.
        unsafe { &mut *self.start }
    }

    /// `K` columns of `n` elements one after the other, to read; this memory is `K * n` long.
    ///
    /// # Safety
    /// As [`slice`](Self::slice).
    pub unsafe fn columns<'a, const K: usize>(self, n: usize) -> [&'a [T]; K] {
        core::array::from_fn(|k| {
            // SAFETY: column k ends at (k + 1) * n, at most K * n.
            unsafe { core::slice::from_raw_parts(self.start.wrapping_add(k * n), n) }
        })
    }

    /// `K` columns of `n` elements one after the other, to write; this memory is `K * n` long.
    ///
    /// # Safety
    /// As [`slice_mut`](Self::slice_mut).
    pub unsafe fn columns_mut<'a, C: crate::simd::ColumnSet>(self, n: usize) -> C::Views<'a, T>
    where
        T: crate::simd::Stored,
    {
        C::views(|k| {
            // SAFETY: column k ends at (k + 1) * n, at most K * n, and columns do not overlap.
            unsafe { core::slice::from_raw_parts_mut(self.start.wrapping_add(k * n), n) }
        })
    }
}

/// Refuses regions that overlap where one of them is written.
pub fn apart<const N: usize>(regions: [Region; N]) -> Result<(), gradus_status> {
    for (i, a) in regions.iter().enumerate() {
        for b in regions.iter().skip(i + 1) {
            if (a.written || b.written) && a.start < b.end && b.start < a.end {
                return Err(GRADUS_ERROR_OVERLAP);
            }
        }
    }
    Ok(())
}

/// `a * b`, if memory could be as long.
pub fn area(a: usize, b: usize) -> Result<usize, gradus_status> {
    a.checked_mul(b).ok_or(GRADUS_ERROR_LENGTH)
}

/// A structure of the caller, copied.
///
/// # Safety
/// What `from` points at is a valid `T`.
pub unsafe fn copy<T: Copy>(from: *const T) -> Result<T, gradus_status> {
    let memory = Memory::one(from)?;
    // SAFETY: checked for null and alignment; the caller vouches for the value.
    Ok(unsafe { memory.start.read() })
}

/// Writes one value to the caller's memory.
///
/// # Safety
/// `to` points at memory that may be written.
pub unsafe fn put<T: Copy>(to: *mut T, value: T) -> Result<(), gradus_status> {
    let memory = Memory::one(to)?;
    // SAFETY: checked for null and alignment; the caller vouches for the memory.
    unsafe { memory.start.write(value) };
    Ok(())
}
