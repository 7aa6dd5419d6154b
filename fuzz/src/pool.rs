//! Fractional pooling: windows that cover their axis, maxima by definition, and a backward pass that is
//! the adjoint of the forward one.

use crate::input::{Number, column, number};
use crate::same;
use arbitrary::{Result, Unstructured};
use gradus::Element;
use gradus::pool::{FractionalMaxPool, Regions, Window, pytorch_regions};
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = regions(&mut u)
        .and_then(|()| adjoint(&mut u))
        .and_then(|()| planes::<f32>(&mut u))
        .and_then(|()| planes::<f64>(&mut u));
}

/// What no function writes.
const UNTOUCHED: Window = Window { start: 77, len: 0 };

/// A size of an axis: mostly small, now and then beyond what an `f32` counts.
fn size(u: &mut Unstructured) -> Result<usize> {
    Ok(match u.int_in_range(0..=15)? {
        0 => u.arbitrary()?,
        1 => 1 << u.int_in_range(0..=usize::BITS - 1)?,
        _ => u.int_in_range(0..=60)?,
    })
}

fn regions(u: &mut Unstructured) -> Result<()> {
    let (size, count) = (size(u)?, u.int_in_range(0..=24_usize)?);
    let rng = Xoshiro128PlusPlus::seed_from_u64(u.arbitrary()?);
    for regions in [Regions::Disjoint, Regions::Overlapping] {
        for even in [false, true] {
            let (mut rng_after, mut windows) = (rng.clone(), vec![UNTOUCHED; count]);
            let result = if even {
                regions.pseudo_random(size, &mut rng_after, &mut windows)
            } else {
                regions.random(size, &mut rng_after, &mut windows)
            };
            assert_eq!(result.is_ok(), 0 < count && count <= size, "{count} of {size}");
            if result.is_err() {
                assert!(windows.iter().all(|w| *w == UNTOUCHED) && rng_after == rng);
                continue;
            }
            cover(regions, size, &windows);
            if even {
                // The starts of the formula, for one of the numbers that chance can give.
                let at =
                    |i: usize, r: usize| ((i as u128 * size as u128 + r as u128) / count as u128) as usize;
                let fits = |r| windows.iter().enumerate().all(|(i, w)| w.start == at(i, r));
                assert!((0..count).any(fits), "{windows:?}");
            }
        }
    }
    let (pool, sample) = (if u.arbitrary()? { self::size(u)? } else { 2 }, share(u)?);
    let mut windows = vec![UNTOUCHED; count];
    let result = pytorch_regions(size, pool, sample, &mut windows);
    let fits = (1..=size).contains(&pool) && count > 0 && count - 1 <= size - pool;
    assert_eq!(result.is_ok(), fits && (0.0..1.0).contains(&sample), "{count} x {pool} of {size}, {sample}");
    if result.is_err() {
        assert!(windows.iter().all(|w| *w == UNTOUCHED));
        return Ok(());
    }
    assert!(windows.iter().all(|w| w.len == pool && w.start <= size - pool), "{windows:?} of {size}");
    assert!(windows.is_sorted_by_key(|w| w.start), "{windows:?}");
    assert_eq!(windows[count - 1].start, size - pool);
    if count > 1 {
        assert_eq!(windows[0].start, 0);
        let alpha = (size - pool) as f64 / (count - 1) as f64;
        for (i, w) in windows.iter().enumerate() {
            // Two numbers rounded down, and their products rounded to f32.
            let want = i as f64 * alpha;
            assert!((w.start as f64 - want).abs() <= 1.0 + 3e-7 * size as f64, "{windows:?} of {size}");
        }
    }
    Ok(())
}

/// A sample in `0..1`, or any number.
fn share(u: &mut Unstructured) -> Result<f32> {
    if u.ratio(1, 4)? { number(u) } else { Ok(f32::from(u.arbitrary::<u16>()?) / 65536.0) }
}

/// Windows of almost equal pieces, none left out.
fn cover(regions: Regions, size: usize, windows: &[Window]) {
    let (small, larger) = (size / windows.len(), size % windows.len());
    let mut ends: Vec<usize> = windows[1..].iter().map(|w| w.start).collect();
    ends.push(size);
    let (mut start, mut large) = (0, 0);
    for (i, (window, end)) in windows.iter().zip(ends).enumerate() {
        let piece = end - start;
        assert!(window.start == start && (piece == small || piece == small + 1), "{windows:?} of {size}");
        large += usize::from(piece > small);
        let shared = regions == Regions::Overlapping && i + 1 < windows.len();
        assert_eq!(window.len, piece + usize::from(shared), "{windows:?} of {size}");
        start = end;
    }
    assert_eq!(large, larger);
}

/// Windows of one axis: of any kind, and sometimes such as leave it.
fn windows(u: &mut Unstructured, size: usize) -> Result<Vec<Window>> {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(u.arbitrary()?);
    let mut windows = vec![UNTOUCHED; u.int_in_range(0..=size.min(6))?];
    let regions = if u.arbitrary()? { Regions::Disjoint } else { Regions::Overlapping };
    let _ = match u.int_in_range(0..=3)? {
        0 => regions.random(size, &mut rng, &mut windows),
        1 => regions.pseudo_random(size, &mut rng, &mut windows),
        2 => pytorch_regions(size, u.int_in_range(1..=4)?, share(u)?, &mut windows),
        _ => {
            for w in &mut windows {
                w.start = if u.ratio(15, 16)? { u.int_in_range(0..=size)? } else { u.arbitrary()? };
                let most = size.saturating_sub(w.start);
                w.len = if u.ratio(15, 16)? { u.int_in_range(0..=most)? } else { u.arbitrary()? };
            }
            Ok(())
        }
    };
    Ok(windows)
}

/// Numbers, not all different, with NaN and infinity among them.
fn planes<T: Number + Element>(u: &mut Unstructured) -> Result<()> {
    let (height, width) = (u.int_in_range(0..=8_usize)?, u.int_in_range(0..=9_usize)?);
    let (rows, columns) = (windows(u, height)?, windows(u, width)?);
    let inside = |windows: &[Window], size: usize| {
        windows.iter().all(|w| w.len > 0 && w.start.checked_add(w.len).is_some_and(|end| end <= size))
    };
    let valid = !rows.is_empty() && !columns.is_empty() && inside(&rows, height) && inside(&columns, width);
    let pool = FractionalMaxPool::new([height, width], &rows, &columns);
    assert_eq!(pool.is_ok(), valid, "{height} x {width}: {rows:?} {columns:?}");
    let Ok(pool) = pool else { return Ok(()) };

    let (area, outputs) = (height * width, rows.len() * columns.len());
    let count = u.int_in_range(0..=3_usize)?;
    let wrong = |u: &mut Unstructured, n: usize| -> Result<usize> {
        if u.ratio(31, 32)? { Ok(n) } else { u.int_in_range(0..=n + 2) }
    };
    let (n, m, k) = (wrong(u, count * area)?, wrong(u, count * outputs)?, wrong(u, count * outputs)?);
    let fits = n % area == 0 && m == n / area * outputs && k == m;
    let x = column(u, n, number::<T>)?;
    let (mut y, mut indices) = (column(u, m, number::<T>)?, vec![7_u32; k]);
    let kept = y.clone();
    let result = pool.forward(&x, &mut y, &mut indices);
    assert_eq!(result.is_ok(), fits);
    if fits {
        let (want, at) = maxima(&x, [height, width], &rows, &columns);
        same(&y, &want, "maxima");
        assert_eq!(indices, at);
    } else {
        same(&y, &kept, "refused maxima");
        assert!(indices.iter().all(|i| *i == 7));
    }

    // Gradients, with indices of the forward pass or of nobody.
    if u.ratio(1, 16)? && !indices.is_empty() {
        let at = u.choose_index(indices.len())?;
        indices[at] = u.arbitrary()?;
    }
    let grad_y = column(u, m, number::<T>)?;
    let mut grad_x = x.clone();
    let result = pool.backward(&grad_y, &indices, &mut grad_x);
    let fits = fits && indices.iter().all(|i| (*i as usize) < area);
    assert_eq!(result.is_ok(), fits);
    if !fits {
        same(&grad_x, &x, "refused gradients");
        return Ok(());
    }
    let mut want = vec![T::default(); n];
    for (o, (g, index)) in grad_y.iter().zip(&indices).enumerate() {
        let at = o / outputs * area + *index as usize;
        want[at] = want[at] + *g;
    }
    same(&grad_x, &want, "gradients");
    Ok(())
}

/// The first of the largest, or the last NaN: plane by plane, window by window.
fn maxima<T: Number + Element>(
    x: &[T],
    [height, width]: [usize; 2],
    rows: &[Window],
    columns: &[Window],
) -> (Vec<T>, Vec<u32>) {
    let mut all = (Vec::new(), Vec::new());
    for plane in x.chunks(height * width) {
        for r in rows {
            for c in columns {
                let places = (r.start..r.start + r.len)
                    .flat_map(|i| (c.start..c.start + c.len).map(move |j| i * width + j));
                let nan = places.clone().filter(|&at| plane[at].bits() == u64::MAX).last();
                let at = nan.unwrap_or_else(|| {
                    places.reduce(|best, at| if plane[at] > plane[best] { at } else { best }).unwrap()
                });
                all.0.push(plane[at]);
                all.1.push(at as u32);
            }
        }
    }
    all
}

/// `<pool(x), g> = <x, backward(g)>` in small whole numbers, whose sums are exact.
fn adjoint(u: &mut Unstructured) -> Result<()> {
    let (height, width) = (u.int_in_range(1..=8_usize)?, u.int_in_range(1..=9_usize)?);
    let (rows, columns) = (windows(u, height)?, windows(u, width)?);
    let Ok(pool) = FractionalMaxPool::new([height, width], &rows, &columns) else { return Ok(()) };
    let small = |u: &mut Unstructured| Ok(f32::from(u.arbitrary::<i8>()?));
    let count = u.int_in_range(1..=2_usize)?;
    let outputs = count * rows.len() * columns.len();
    let (x, g) = (column(u, count * height * width, small)?, column(u, outputs, small)?);
    let (mut y, mut indices, mut grad) = (vec![0.0; outputs], vec![0; outputs], vec![7.0; x.len()]);
    pool.forward(&x, &mut y, &mut indices).unwrap();
    pool.backward(&g, &indices, &mut grad).unwrap();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    assert_eq!(dot(&y, &g), dot(&x, &grad));
    Ok(())
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
