//! Batch normalisation: the same bits at every level, near f64, and no length that is not refused.

use crate::input::{Number, Placed, column, moderate, number};
use crate::same;
use arbitrary::{Result, Unstructured};
use gradus::norm::{BatchNorm, BatchShape, Params, Running, Statistics};
use gradus::{Clock, Element, Level, StateMut};

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    // One of them an input: what comes first would leave few bytes to the others.
    let _ = match u.int_in_range(0..=3) {
        Ok(0) => levels::<f32>(&mut u),
        Ok(1) => levels::<f64>(&mut u),
        Ok(2) => inference(&mut u),
        _ => values(&mut u),
    };
}

fn shape(u: &mut Unstructured) -> Result<BatchShape> {
    let spatial = if u.arbitrary()? { 1 } else { u.int_in_range(0..=40)? };
    Ok(BatchShape { batch: u.int_in_range(0..=5)?, channels: u.int_in_range(0..=36)?, spatial })
}

/// Any bits at every level; one slice in sixteen has the wrong length.
fn levels<T: Number + Element>(u: &mut Unstructured) -> Result<()> {
    let shape = shape(u)?;
    let norm = BatchNorm { eps: number(u)?, running_decay: number(u)?, ..BatchNorm::new() };
    let mut wrong = shape.is_empty();
    let mut draw = |u: &mut Unstructured, n: usize| -> Result<Vec<T>> {
        let m = if u.ratio(63, 64)? { n } else { u.int_in_range(0..=n + 3)? };
        wrong |= m != n;
        column(u, m, number)
    };
    let (n, c) = (shape.len(), shape.channels);
    let (x, y, g) = (draw(u, n)?, draw(u, n)?, draw(u, n)?);
    let params = [draw(u, c)?, draw(u, c)?, draw(u, c)?, draw(u, c)?];
    let offset = usize::from(u.arbitrary::<u8>()? % 17);
    let [weight, bias, mean, variance] = params.each_ref().map(|p| &p[..]);
    let mut all = Vec::new();
    for level in Level::available() {
        let (px, pg) = (Placed::new(&x, offset), Placed::new(&g, offset));
        let mut to = [&y, &g].map(|v| Placed::new(v, offset));
        let mut out = [weight, bias, weight, bias].map(|v| Placed::new(v, offset));
        let [y, g] = &mut to;
        let [m, v, gw, gb] = &mut out;
        let (m, v, gw, gb) = (m.slice_mut(), v.slice_mut(), gw.slice_mut(), gb.slice_mut());
        let (norm, params) = (norm.on(level), Params { weight, bias });
        let results = [
            norm.forward(shape, px.slice(), y.slice_mut(), &params, &mut Statistics { mean: m, variance: v }),
            norm.backward(
                shape,
                g.slice_mut(),
                px.slice(),
                &params,
                &Statistics { mean, variance },
                &mut Params { weight: gw, bias: gb },
            ),
        ];
        if !wrong {
            assert_eq!(results, [Ok(()); 2], "{shape:?}");
        }
        let _ = pg;
        let kept = [[x.len(), y.slice().len()], [x.len(), g.slice().len()]];
        for (k, result) in results.iter().enumerate() {
            if kept[k].iter().any(|len| *len != n) || shape.is_empty() {
                assert!(result.is_err(), "{shape:?}");
            }
        }
        all.push((results, to.map(|p| p.slice().to_vec()), out.map(|p| p.slice().to_vec())));
    }
    for (results, to, out) in &all {
        assert_eq!(*results, all[0].0);
        for (got, want) in to.iter().zip(&all[0].1) {
            same(got, want, format!("{shape:?}"));
        }
        for (got, want) in out.iter().zip(&all[0].2) {
            same(got, want, format!("{shape:?}"));
        }
        // What was refused is what it was.
        let before = [(&y, [weight, bias]), (&g, [weight, bias])];
        for (k, (tensor, channels)) in before.into_iter().enumerate() {
            if results[k].is_err() {
                same(&to[k], tensor, "a refused tensor");
                let outputs = [&out[..2], &out[2..]][k];
                for (got, want) in outputs.iter().zip(channels) {
                    same(got, want, "refused channels");
                }
            }
        }
    }
    Ok(())
}

/// Any bits at every level, with running statistics of any bits.
fn inference(u: &mut Unstructured) -> Result<()> {
    let shape = shape(u)?;
    let norm = BatchNorm { eps: number(u)?, ..BatchNorm::new() };
    let (n, c) = (shape.len(), shape.channels);
    let x: Vec<f32> = column(u, n, number)?;
    let mut draw = || column(u, c, number);
    let (params, running) =
        (Params { weight: draw()?, bias: draw()? }, Statistics { mean: draw()?, variance: draw()? });
    let clock = Clock { t: u.int_in_range(0..=1)?, carry: 0.0 };
    let running = Running::new(&running.mean, &running.variance, &clock);
    let offset = usize::from(u.arbitrary::<u8>()? % 17);
    let mut all = Vec::new();
    for level in Level::available() {
        let mut y = Placed::new(&x, offset);
        let result = norm.on(level).inference(shape, y.slice_mut(), &params, running);
        assert_eq!(result.is_ok(), !shape.is_empty(), "{shape:?}");
        all.push(y.slice().to_vec());
    }
    for y in &all {
        same(y, if shape.is_empty() { &x } else { &all[0] }, format!("{shape:?}"));
    }
    Ok(())
}

/// Numbers of moderate size against the definition in f64.
fn values(u: &mut Unstructured) -> Result<()> {
    let shape = shape(u)?;
    let BatchShape { batch: samples, channels, spatial } = shape;
    if shape.is_empty() {
        return Ok(());
    }
    let norm = BatchNorm::new();
    let x = column(u, shape.len(), moderate)?;
    let (weight, bias) = (column(u, channels, moderate)?, column(u, channels, moderate)?);
    let (mut y, mut mean, mut variance) = (vec![0.0; x.len()], vec![0.0; channels], vec![0.0; channels]);
    let mut batch = Statistics { mean: &mut mean[..], variance: &mut variance[..] };
    norm.forward(shape, &x, &mut y, &Params { weight: &weight, bias: &bias }, &mut batch).unwrap();
    let batch = Statistics { mean: &mean, variance: &variance };
    let (mut running, mut clock) = ([vec![0.5; channels], vec![2.0; channels]], Clock { t: 3, carry: 0.0 });
    let [a, b] = &mut running;
    norm.track(shape, &batch, StateMut::new([a, b], &mut clock)).unwrap();
    let eps = f64::from(f32::EPSILON);
    let n = (samples * spatial) as f64;
    for c in 0..channels {
        let at = |k: usize| (k / spatial * channels + c) * spatial + k % spatial;
        let values: Vec<f64> = (0..samples * spatial).map(|k| f64::from(x[at(k)])).collect();
        let largest = values.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let m = values.iter().sum::<f64>() / n;
        let v = values.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / n;
        // A sum of up to 200 numbers, and the rounding of x - mean.
        let shift = 32.0 * eps * largest + 1e-44;
        assert!((f64::from(mean[c]) - m).abs() <= shift, "{} {m}", mean[c]);
        let slack = 2.0 * shift * v.sqrt() + shift * shift + 64.0 * eps * v + 1e-44;
        assert!((f64::from(variance[c]) - v).abs() <= slack, "{} {v}", variance[c]);
        let d = (v + f64::from(norm.eps)).sqrt();
        let (w, b) = (f64::from(weight[c]), f64::from(bias[c]));
        for (k, x) in values.iter().enumerate() {
            let hat = (x - m) / d;
            let slack =
                w.abs() * (1.0 + hat.abs()) * (3.0 * shift / d + 64.0 * eps) + 4.0 * eps * b.abs() + 1e-44;
            let got = f64::from(y[at(k)]);
            assert!((got - (hat * w + b)).abs() <= slack, "{shape:?} {c}: {got} {}", hat * w + b);
        }
        let unbiased = if n > 1.0 { f64::from(variance[c]) * n / (n - 1.0) } else { 2.0 };
        let want = [0.45 + 0.1 * f64::from(mean[c]), 1.8 + 0.1 * unbiased];
        for (got, want) in running.iter().map(|r| f64::from(r[c])).zip(want) {
            assert!((got - want).abs() <= 4.0 * eps * (want.abs() + 1.0), "{got} {want}");
        }
    }
    Ok(())
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
