//! Slices in pieces. The iterators of `core` divide by the size of a piece, and at opt-level z that
//! division keeps its panic for 0.

/// Cuts the first `n` elements off; all of them if there are fewer, or if `n` is 0.
#[inline]
pub(crate) fn cut<'a, T>(rest: &mut &'a [T], n: usize) -> &'a [T] {
    let all = core::mem::take(rest);
    match all.split_at_checked(n) {
        Some((first, others)) if n > 0 => {
            *rest = others;
            first
        }
        _ => all,
    }
}

/// [`cut`] of a slice to write.
#[inline]
pub(crate) fn cut_mut<'a, T>(rest: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let all = core::mem::take(rest);
    if n == 0 || n > all.len() {
        return all;
    }
    let (first, others) = all.split_at_mut_checked(n).unwrap_or_default();
    *rest = others;
    first
}
