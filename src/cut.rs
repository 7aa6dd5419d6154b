//! Slices in pieces. The iterators of `core` divide by the size of a piece, and at opt-level z that
//! division keeps its panic for 0.

/// Cuts the first `n` elements off; all of them if there are fewer, or if `n` is 0.
#[inline]
pub(crate) fn cut<'a, T>(rest: &mut &'a [T], n: usize) -> &'a [T] {
    let all = core::mem::take(rest);
    let n = if n == 0 || n > all.len() { all.len() } else { n };
    let (first, others) = all.split_at_checked(n).unwrap_or_default();
    *rest = others;
    first
}

/// [`cut`] of a slice to write.
#[inline]
pub(crate) fn cut_mut<'a, T>(rest: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let all = core::mem::take(rest);
    let n = if n == 0 || n > all.len() { all.len() } else { n };
    let (first, others) = all.split_at_mut_checked(n).unwrap_or_default();
    *rest = others;
    first
}
