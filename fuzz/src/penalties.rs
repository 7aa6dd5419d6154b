//! Penalties, clips and decays against their definitions in more digits.

use crate::input::{column, length, moderate, number};
use crate::rules::{Any, transform};
use arbitrary::{Result, Unstructured};
use gradus::transform::{ClipNorm, ElasticNet, L1, L2, MaxNorm, Transform};
use gradus::{Columns, Error, Level, Rule, Vector, Width, With};

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = values(&mut u).and_then(|()| clips(&mut u)).and_then(|()| elements(&mut u));
}

/// Values for the loss: all terms are positive, so that the error is relative to the value.
fn values(u: &mut Unstructured) -> Result<()> {
    let n = length(u)?;
    let w = column(u, n, moderate)?;
    let (lambda, beta) = (f32::from(u.arbitrary::<u8>()?) / 64.0, f32::from(u.arbitrary::<u8>()?) / 64.0);
    let abs: f64 = w.iter().map(|&w| f64::from(w).abs()).sum();
    let squares: f64 = w.iter().map(|&w| f64::from(w) * f64::from(w)).sum();
    let (l, b) = (f64::from(lambda), f64::from(beta));
    for (got, want) in [
        (L1::new(lambda).value(Level::detect(), &w), l * abs),
        (L2::new(lambda).value(Level::detect(), &w), l * squares),
        (ElasticNet { lambda, beta }.value(Level::detect(), &w), l * (b * squares + abs)),
    ] {
        // At most 44 + 4 additions and 3 products, each off by half a unit.
        assert!((f64::from(got) - want).abs() <= 26.0 * f64::from(f32::EPSILON) * want, "{got:e} {want:e}");
    }
    Ok(())
}

fn norm(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
}

/// Clips by a norm, of all gradients and of rows.
fn clips(u: &mut Unstructured) -> Result<()> {
    let n = u.int_in_range(0..=60)?;
    let x = column(u, n, number::<f32>)?;
    let limit: f32 = if u.arbitrary()? { number(u)? } else { f32::from(u.arbitrary::<u8>()?) / 16.0 };
    let (left, right) = x.split_at(u.int_in_range(0..=n)?);
    let finite = x.iter().all(|x| x.is_finite());
    let total = norm(&x);
    match (ClipNorm { max_norm: limit }).scale(Level::detect(), &[left, right]) {
        Ok(factor) => {
            assert!(finite && limit > 0.0 && factor.0 >= 0.0 && factor.0 <= 1.0, "{factor:?}");
            let clipped = f64::from(factor.0) * total;
            assert!(clipped <= f64::from(limit) * 1.000_01 + 1e-44 * total, "{clipped:e} > {limit:e}");
            // It shrinks what is too long, and only that; 1e-6 in the denominator counts near 0.
            let want = (f64::from(limit) / (total + 1e-6)).min(1.0);
            assert!((f64::from(factor.0) - want).abs() <= 1e-5 * want + 1e-44, "{factor:?} {want:e}");
        }
        Err(Error::Range(_)) => assert!(!(limit > 0.0)),
        Err(_) => assert!(!finite || total >= f64::from(f32::MAX) * 0.999_99),
    }

    let row = u.int_in_range(1..=8_usize)?;
    let n = n / row * row;
    let mut rows = x[..n].to_vec();
    if (MaxNorm { row, limit }).apply(Level::detect(), &mut rows).is_err() {
        return Ok(());
    }
    for (old, new) in x[..n].chunks(row).zip(rows.chunks(row)) {
        let (long, short) = (norm(old), norm(new));
        if long <= f64::from(limit) * 0.999_99 {
            crate::same(new, old, "a row within the limit");
        } else if old.iter().all(|x| x.is_finite()) && limit < f32::INFINITY {
            let slack = 1e-5 * f64::from(limit) + 4e-45 * row as f64;
            assert!(short <= f64::from(limit) + slack, "{old:?} {new:?}: {short:e} > {limit:e}");
            if long >= f64::from(limit) * 1.000_01 && long < f64::from(f32::MAX) {
                assert!(short >= f64::from(limit) - slack, "{old:?} {new:?}: {short:e} < {limit:e}");
            }
        }
    }
    Ok(())
}

/// A rule that keeps the gradient it was given, and stores its parameter as it was.
struct Keep;

impl Rule for Keep {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector>(&self, _: V::Isa, p: V, [g]: [V; 1], _: [V; 1]) -> (V, [V; 1]) {
        (p, [g])
    }
}

/// Each transform, element by element.
fn elements(u: &mut Unstructured) -> Result<()> {
    let any = transform(u)?;
    let lr = f32::from(u.arbitrary::<u8>()?) / 256.0;
    if any.check(lr).is_err() {
        return Ok(());
    }
    let n = length(u)?;
    let (params, grads) = (column(u, n, number::<f32>)?, column(u, n, number::<f32>)?);
    let (mut new, mut seen) = (params.clone(), vec![0.0; n]);
    let rule = With { inner: Keep, transform: any.at(lr) };
    gradus::run(Level::detect(), &rule, Columns::new(&mut new, [&grads], [&mut seen]).unwrap());
    for i in 0..n {
        let (p, g) = (params[i], grads[i]);
        let what = format!("{any:?} at {lr}: p {p:e} g {g:e} -> p {:e} g {:e}", new[i], seen[i]);
        let (p64, g64, lr64) = (f64::from(p), f64::from(g), f64::from(lr));
        let sign = if p == 0.0 { 0.0 } else { p64.signum() }; // NaN keeps its own
        let clamp = |x: f64, limit: f32| x.clamp(-f64::from(limit), f64::from(limit));
        // A strength of 0 adds nothing, also where the weight is infinite.
        let times = |strength: f64, x: f64| if strength == 0.0 { 0.0 } else { strength * x };
        // The value by definition, and the largest number on the way, which scales the error.
        let (want_p, size_p, want_g, size_g) = match any {
            Any::None => (p64, 0.0, g64, 0.0),
            Any::Scale(t) => (p64, 0.0, f64::from(t.0) * g64, 0.0),
            Any::ClipValue(t) => (p64, 0.0, clamp(g64, t.0), 0.0),
            Any::ClampParams(t) => (clamp(p64, t.0), 0.0, g64, 0.0),
            Any::L1(t) => (p64, 0.0, g64 + times(t.lambda.into(), sign), g64.abs().max(t.lambda.into())),
            Any::L2(t) => {
                let slope = times(2.0 * f64::from(t.lambda), p64);
                (p64, 0.0, g64 + slope, g64.abs().max(slope.abs()))
            }
            Any::ElasticNet(t) => {
                let (l, b) = (f64::from(t.lambda), f64::from(t.beta));
                let slope = times(2.0 * b, p64.abs()) + 1.0;
                let size = if slope < f64::from(f32::MAX) { l * slope } else { times(l, f64::INFINITY) };
                (p64, 0.0, g64 + times(l, times(2.0 * b, p64) + sign), g64.abs().max(size))
            }
            // The strength as f32 rounds it: it may become 0.
            Any::Decay(t) => (p64 - times(f64::from(lr * t.weight_decay), p64), p64.abs(), g64, 0.0),
            Any::ProxL1(t) => {
                let threshold = lr64 * f64::from(t.lambda);
                let shrunk = if p64.is_nan() { p64 } else { sign * (p64.abs() - threshold).max(0.0) };
                (shrunk, p64.abs().max(threshold), g64, 0.0)
            }
        };
        near(new[i], want_p, size_p, &what);
        near(seen[i], want_g, size_g, &what);
        if let Any::ProxL1(t) = any {
            // Zeros are exact, and no weight changes its sign.
            assert!(!(p.abs() <= lr * t.lambda) || new[i].to_bits() == 0, "{what}");
            assert!(!(new[i] * p < 0.0), "{what}");
        }
    }
    Ok(())
}

/// Within three roundings of the largest number on the way; beyond the range of f32, out of it too.
fn near(got: f32, want: f64, size: f64, what: &str) {
    if want.is_nan() || size.is_nan() {
        assert!(got.is_nan(), "{what}");
    } else if want.abs().max(size) > f64::from(f32::MAX) {
        assert!(got.is_nan() || got.abs() >= f32::MAX * 0.999 || size > want.abs(), "{what}");
    } else {
        let slack = 3.0 * size.max(want.abs()) * f64::from(f32::EPSILON) + 4e-45;
        assert!((f64::from(got) - want).abs() <= slack, "{what}: not {want:e}");
    }
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
