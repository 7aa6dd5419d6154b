//! Schedules: finite and within their range at every step, and near their formulas in f64.

use crate::input::number;
use arbitrary::{Result, Unstructured};
use gradus::schedule::*;

pub fn run(data: &[u8]) {
    let _ = schedule(&mut Unstructured::new(data));
}

/// Steps around the lengths of a schedule, and around the ends of u32.
fn step(u: &mut Unstructured) -> Result<u32> {
    Ok(match u.int_in_range(0..=3)? {
        0 => u.arbitrary()?,
        1 => u32::MAX - u.int_in_range(0..=3)?,
        2 => u32::from(u.arbitrary::<u16>()?),
        _ => u.int_in_range(0..=40)?,
    })
}

/// A learning rate: usual, or any finite one.
fn rate(u: &mut Unstructured) -> Result<f32> {
    let x: f32 = if u.ratio(1, 4)? { number(u)? } else { f32::from(u.arbitrary::<u16>()?) / 4096.0 };
    Ok(if x.is_finite() { x } else { 0.0 })
}

/// What the fuzzer knows of a schedule: the range that it must keep, and its value in f64.
struct Known<S, F> {
    schedule: S,
    ends: [f32; 3],
    reference: F,
}

fn schedule(u: &mut Unstructured) -> Result<()> {
    let (a, b, c) = (rate(u)?, rate(u)?, rate(u)?);
    let (n, m) = (step(u)?, step(u)?);
    let share: f32 = if u.ratio(1, 4)? { number(u)? } else { f32::from(u.arbitrary::<u16>()?) / 65536.0 };
    let wave = |share: f64| (1.0 - (core::f64::consts::PI * share).cos()) / 2.0;
    let anneal = move |high: f32, low: f32, at: u64, steps: u64| {
        let left = wave(steps.saturating_sub(at) as f64 / steps as f64);
        f64::from(low) + (f64::from(high) - f64::from(low)) * left
    };
    let (wide, count) = (|x: f32| f64::from(x), |x: u32| f64::from(x));
    // A power of it is as near as its own rounding, 2^-53, allows; growth stops at the largest number.
    let gamma = if u.ratio(1, 4)? { 1.0 + f64::from(share) / 64.0 } else { f64::from(share) };
    let grown = |rate: f64| if rate > f64::from(f32::MAX) { f64::from(f32::MAX) } else { rate };
    let most = if gamma > 1.0 { f32::MAX } else { a };
    match u.int_in_range(0..=14)? {
        0 => all(u, Known { schedule: Constant(a), ends: [a; 3], reference: |_: u32| wide(a) }),
        1 => all(
            u,
            Known {
                schedule: StepDecay::new(a, gamma, n),
                ends: [a, 0.0, most],
                reference: |t: u32| grown(wide(a) * gamma.powf(count(t / n.max(1)))),
            },
        ),
        2 => {
            let milestones = [n, m, step(u)?];
            all(
                u,
                Known {
                    schedule: MultiStep::new(a, gamma, milestones),
                    ends: [a, 0.0, most],
                    reference: |t: u32| {
                        grown(wide(a) * gamma.powi(milestones.iter().filter(|m| **m <= t).count() as i32))
                    },
                },
            )
        }
        3 => all(
            u,
            Known {
                schedule: Exponential::new(a, share),
                ends: [a, 0.0, if share < 0.0 { f32::MAX } else { a }],
                reference: |t: u32| grown(wide(a) * (-wide(share) * count(t)).exp()),
            },
        ),
        4 => all(
            u,
            Known {
                schedule: InverseTime::new(a, share),
                ends: [a, 0.0, 0.0],
                reference: |t: u32| wide(a) / (1.0 + wide(share) * count(t)),
            },
        ),
        5 => all(
            u,
            Known {
                schedule: Linear::new(a, b, n),
                ends: [a, b, b],
                reference: |t: u32| wide(a) + (wide(b) - wide(a)) * (count(t) / count(n)).min(1.0),
            },
        ),
        6 => all(
            u,
            Known {
                schedule: Cosine { lr: a, min: b, steps: n },
                ends: [a, b, b],
                reference: |t: u32| anneal(a, b, t.into(), n.into()),
            },
        ),
        7 => {
            let mult = u.int_in_range(0..=4)?;
            all(
                u,
                Known {
                    schedule: WarmRestarts { lr: a, min: b, first: n, mult },
                    ends: [a, b, b],
                    reference: |t: u32| {
                        // Cycle by cycle, in numbers that cannot overflow; equal cycles by the remainder.
                        let (mut t, mut length) = (u128::from(t), u128::from(n.max(1)));
                        if mult <= 1 {
                            t %= length;
                        }
                        while t >= length {
                            t -= length;
                            length *= u128::from(mult);
                        }
                        anneal(a, b, t as u64, length as u64)
                    },
                },
            )
        }
        8 => {
            let cycles = u.int_in_range(0..=9)?;
            all(
                u,
                Known {
                    schedule: SnapshotCycle::new(a, n, cycles),
                    ends: [a, 0.0, 0.0],
                    reference: |t: u32| {
                        let cycle = u64::from(n).div_ceil(cycles.max(1).into()).max(1);
                        anneal(a, 0.0, u64::from(t) % cycle, cycle)
                    },
                },
            )
        }
        9 => {
            let peaks = match u.int_in_range(0..=2)? {
                0 => Peaks::Equal,
                1 => Peaks::Halved,
                _ => Peaks::Exponential(wide(share)),
            };
            let height = move |t: u32, n: u64| match peaks {
                Peaks::Equal => 1.0,
                Peaks::Halved => 0.5_f64.powf(n as f64),
                Peaks::Exponential(gamma) => gamma.powf(count(t)),
            };
            all(
                u,
                Known {
                    schedule: Triangular { peaks, ..Triangular::new(b, a, n, m) },
                    ends: [a, b, b],
                    reference: |t: u32| {
                        let (n, m) = (u64::from(n), u64::from(m));
                        let (cycle, i) = (u64::from(t) / (n + m).max(1), u64::from(t) % (n + m).max(1));
                        let up = if i < n { i as f64 / n as f64 } else { (n + m - i) as f64 / m as f64 };
                        wide(b) + (wide(a) - wide(b)) * up * height(t, cycle)
                    },
                },
            )
        }
        10 => all(
            u,
            Known {
                schedule: InverseSqrt::new(a, n),
                ends: [a, 0.0, 0.0],
                reference: |t: u32| wide(a) * (count(n) / (count(n) + count(t))).sqrt(),
            },
        ),
        11 => {
            let power = (share * 4.0).min(8.0);
            let left = move |t: u32| (count(n.saturating_sub(t)) / count(n)).powf(wide(power));
            let reference =
                move |t: u32| if t >= n { wide(b) } else { wide(b) + (wide(a) - wide(b)) * left(t) };
            all(
                u,
                Known { schedule: Polynomial { lr: a, end: b, steps: n, power }, ends: [a, b, b], reference },
            )
        }
        12 => {
            let anneal = anneal_of(u)?;
            let schedule = StableDecay { lr: a, end: b, stable: n, fall: m, anneal };
            let reference = move |t: u32| match t.checked_sub(n) {
                None => wide(a),
                Some(past) if past >= m => wide(b),
                Some(past) => {
                    let left = way(anneal, count(m - past) / count(m));
                    wide(b) + (wide(a) - wide(b)) * left
                }
            };
            all(u, Known { schedule, ends: [a, b, b], reference })
        }
        13 => {
            let (first, then) = (Linear::new(a, b, m), Constant(c));
            let reference = |t: u32| wide(if t < n { first.at(t) } else { c });
            all(u, Known { schedule: first.then(n, then), ends: [a, b, c], reference })
        }
        _ => {
            let (three_phase, anneal) = (u.arbitrary()?, anneal_of(u)?);
            let one = OneCycle { start: a, max: b, end: c, steps: n, rise: share, three_phase, anneal };
            // The top as f32 rounds it: where it lies decides more than how it was computed.
            let top = f64::from(share * n as f32 - 1.0);
            let part = |x: f64, whole: f64| if x < whole { (x / whole).max(0.0) } else { 1.0 };
            let line = move |high: f32, low: f32, left: f64, whole: f64| {
                wide(low) + (wide(high) - wide(low)) * way(anneal, part(left, whole))
            };
            let reference = move |t: u32| {
                let (last, x) = (n.saturating_sub(1), f64::from(t as f32));
                let foot = if three_phase { 2.0 * top } else { top };
                if t > last {
                    wide(c)
                } else if x <= top {
                    if top > 0.0 { line(a, b, top - x, top) } else { wide(b) }
                } else if x <= foot {
                    line(b, a, foot - x, top)
                } else {
                    let high = if three_phase { a } else { b };
                    line(high, c, count(last - t), count(last) - foot)
                }
            };
            all(u, Known { schedule: one, ends: [a, b, c], reference })
        }
    }
}

fn anneal_of(u: &mut Unstructured) -> Result<Anneal> {
    Ok(*u.choose(&[Anneal::Cosine, Anneal::Linear, Anneal::Root])?)
}

/// Part of the way that is left where the part `left` of the steps is.
fn way(anneal: Anneal, left: f64) -> f64 {
    match anneal {
        Anneal::Cosine => (1.0 - (core::f64::consts::PI * left).cos()) / 2.0,
        Anneal::Linear => left,
        Anneal::Root => 1.0 - (1.0 - left).sqrt(),
    }
}

fn all<S, F>(u: &mut Unstructured, known: Known<S, F>) -> Result<()>
where
    S: Schedule + Copy + core::fmt::Debug,
    F: Fn(u32) -> f64,
{
    let Known { schedule, ends, reference } = known;
    let valid = schedule.check().is_ok();
    let low = ends.into_iter().fold(f32::INFINITY, f32::min);
    let high = ends.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let warm = WarmUp::new(rate(u)?, step(u)?, schedule);
    let first = schedule.at(0);
    for _ in 0..8 {
        let t = step(u)?;
        let lr = schedule.at(t);
        assert!(lr >= low && lr <= high, "{schedule:?} at {t}: {lr:e} outside of {low:e}..={high:e}");
        let want = reference(t);
        if valid && !want.is_nan() {
            // Powers and exponents magnify the rounding of their arguments: by n * gamma^n at most.
            let size = f64::from(low.abs().max(high.abs()));
            let slack =
                f64::from(f32::EPSILON) * (8.0 * size + 4.0 * f64::from(t) * want.abs().min(size)) + 4e-45;
            assert!((f64::from(lr) - want).abs() <= slack, "{schedule:?} at {t}: {lr:e}, not {want:e}");
        }
        let lr = warm.at(t);
        match t.checked_sub(warm.steps) {
            Some(t) => assert_eq!(lr.to_bits(), schedule.at(t).to_bits()),
            None => {
                let (low, high) = (warm.start.min(first), warm.start.max(first));
                assert!(lr >= low && lr <= high, "{warm:?} at {t}: {lr:e}");
                let [start, end] = [warm.start, first].map(f64::from);
                let want = start + (end - start) * (f64::from(t) / f64::from(warm.steps));
                let slack = f64::from(f32::EPSILON) * 8.0 * start.abs().max(end.abs()) + 4e-45;
                assert!((f64::from(lr) - want).abs() <= slack, "{warm:?} at {t}: {lr:e}, not {want:e}");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
