//! Masks against their stream as documented, and what uses them against one element at a time.

use crate::input::{Number, Placed, column, length, number};
use crate::same;
use arbitrary::{Result, Unstructured};
use gradus::noise::{DropConnect, Dropout, Masks, MonteCarlo, StochasticDepth, mask_words};
use gradus::{Element, Level};
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = stream(&mut u).and_then(|()| passes::<f32>(&mut u)).and_then(|()| passes::<f64>(&mut u));
}

/// A probability: usual, a fraction with few digits, or any number.
fn probability(u: &mut Unstructured) -> Result<f32> {
    Ok(match u.int_in_range(0..=3)? {
        0 => number(u)?,
        1 => f32::from(u.arbitrary::<u8>()?) / 256.0,
        _ => u.arbitrary::<u32>()? as f32 / u32::MAX as f32,
    })
}

/// The stream of `Masks`, from its documentation: eight lanes 2^64 words apart.
struct Reference([Xoshiro128PlusPlus; 8]);

impl Reference {
    fn new(seed: u64) -> Self {
        let mut lane = Xoshiro128PlusPlus::seed_from_u64(seed);
        Self(core::array::from_fn(|_| {
            let this = lane.clone();
            lane.jump();
            this
        }))
    }

    fn fill(&mut self, keep_prob: f32, mask: &mut [u32]) {
        let digits = (f64::from(keep_prob) * 4_294_967_296.0) as u64;
        for (w, word) in mask.iter_mut().enumerate() {
            *word = if keep_prob >= 1.0 { !0 } else { self.word(w % 8, digits as u32) };
        }
    }

    fn word(&mut self, lane: usize, mut digits: u32) -> u32 {
        let (mut undecided, mut kept) = (!0_u32, 0);
        while undecided != 0 && digits != 0 {
            let w = self.0[lane].next_u32();
            if digits >> 31 == 1 {
                kept |= undecided & !w;
            }
            undecided &= w;
            digits <<= 1;
        }
        kept
    }
}

fn stream(u: &mut Unstructured) -> Result<()> {
    let seed = u.arbitrary()?;
    let mut reference = Reference::new(seed);
    let mut all: Vec<(Level, Masks)> = Level::available().map(|l| (l, Masks::new(seed))).collect();
    for _ in 0..u.int_in_range(1..=3)? {
        let (keep_prob, words) = (probability(u)?, u.int_in_range(0..=40)?);
        let mut want = vec![0; words];
        reference.fill(keep_prob, &mut want);
        for (level, masks) in &mut all {
            let mut mask = vec![0x5555_5555; words];
            Dropout::keep_prob(keep_prob).on(*level).draw(masks, &mut mask);
            assert_eq!(mask, want, "{level} seed {seed} keep {keep_prob:e}");
            let state: Vec<[u32; 4]> = reference.0.iter().map(words_of).collect();
            assert_eq!(masks.state()[..], state[..], "{level} seed {seed} keep {keep_prob:e}");
            *masks = Masks::from_state(masks.state());
        }
    }
    Ok(())
}

fn words_of(lane: &Xoshiro128PlusPlus) -> [u32; 4] {
    let bytes = lane.state();
    core::array::from_fn(|k| u32::from_le_bytes(bytes[4 * k..4 * k + 4].try_into().unwrap()))
}

fn bit(mask: &[u32], i: usize) -> bool {
    mask[i / 32] >> (i % 32) & 1 == 1
}

fn passes<T: Number + Element>(u: &mut Unstructured) -> Result<()> {
    let keep_prob = probability(u)?;
    let dropout = Dropout { inverted: u.arbitrary()?, ..Dropout::keep_prob(keep_prob) };
    let masks = Masks::new(u.arbitrary()?);
    let n = length(u)?;
    let (x, y) = (column::<T>(u, n, number)?, column::<T>(u, n, number)?);
    let offset = usize::from(u.arbitrary::<u8>()? % 17);
    let short = u.ratio(1, 8)?;

    let mut mask = vec![0; mask_words(n)];
    dropout.on(Level::SCALAR).draw(&mut masks.clone(), &mut mask);
    // Bits past the last element belong to nobody.
    let mut dirty = mask.clone();
    if let Some(last) = dirty.last_mut().filter(|_| n % 32 != 0) {
        *last |= !0 << (n % 32);
    }
    let zero = T::default();
    let scale = if dropout.inverted && keep_prob * 4_294_967_296.0 >= 1.0 {
        T::ONE / T::from_f32(keep_prob)
    } else {
        T::ONE
    };
    let pick = |f: &dyn Fn(usize) -> T| -> Vec<T> {
        (0..n).map(|i| if bit(&mask, i) { f(i) } else { zero }).collect()
    };
    let forward = pick(&|i| x[i] * scale);
    let relu = pick(&|i| if zero > x[i] { zero } else { x[i] } * scale);
    let relu_backward: Vec<T> = (0..n)
        .map(|i| match (y[i] > zero, zero > y[i]) {
            (true, _) => x[i] * scale,
            (_, true) => zero,
            _ => y[i] + zero, // +0, or NaN
        })
        .collect();

    for level in Level::available() {
        let what = format!("{level} {dropout:?} of {n}");
        let check = |run: &dyn Fn(&mut [T]), want: &[T], name: &str| {
            let mut p = Placed::new(&x, offset);
            run(p.slice_mut());
            p.check(want, format!("{name} {what}"));
        };
        check(&|p| dropout.on(level).forward(p, &dirty[..]).unwrap(), &forward, "forward");
        check(&|p| dropout.on(level).forward(p, &mut masks.clone()).unwrap(), &forward, "drawn");
        check(&|p| dropout.on(level).relu_forward(p, &dirty[..]).unwrap(), &relu, "relu");
        check(&|p| dropout.on(level).relu_backward(p, &y).unwrap(), &relu_backward, "relu backward");
        let mut to = Placed::new(&y, offset);
        dropout.on(level).forward((&x[..], to.slice_mut()), &dirty[..]).unwrap();
        to.check(&forward, format!("from one slice to another {what}"));
    }
    if short && n > 0 {
        let mut p = x.clone();
        assert!(dropout.forward(&mut p[..], &mask[1..]).is_err());
        assert!(dropout.forward((&x[1..], &mut p[..]), &mask[..]).is_err());
        assert!(dropout.forward((&x[1..], &mut p[..]), &mut masks.clone()).is_err());
        assert!(dropout.relu_backward(&mut p[..], &y[1..]).is_err());
        same(&p, &x, "a refused pass");
    }
    connect(u, dropout, scale, &masks)?;
    depth(u, dropout, scale, &masks)?;
    monte_carlo::<T>(u)
}

/// DropConnect: every product at every level equals that at the scalar one, and the dense one of
/// weights with zeros in place of those that were dropped.
fn connect<T: Number + Element>(
    u: &mut Unstructured,
    dropout: Dropout,
    scale: T,
    masks: &Masks,
) -> Result<()> {
    let layer = DropConnect(dropout);
    let (inputs, outputs) = (u.int_in_range(0..=70_usize)?, u.int_in_range(0..=4_usize)?);
    let (w, x) = (column::<T>(u, inputs * outputs, number)?, column::<T>(u, inputs, number)?);
    let g = column::<T>(u, outputs, number)?;
    let words = mask_words(inputs);
    let mut mask = vec![0; words * outputs];
    masks.clone().fill(dropout.keep_prob, &mut mask);
    let kept = |i: usize, j: usize| bit(&mask[i * words..], j);
    let zero = T::default();
    let grad_w: Vec<T> = (0..outputs * inputs)
        .map(|k| (k / inputs, k % inputs))
        .map(|(i, j)| T::ONE + if kept(i, j) { x[j] * (g[i] * scale) } else { zero })
        .collect();
    let mut grad_x = vec![zero; inputs];
    for i in 0..outputs {
        for j in 0..inputs {
            grad_x[j] = grad_x[j] + if kept(i, j) { w[i * inputs + j] * (g[i] * scale) } else { zero };
        }
    }
    // Sums in their fixed order are compared by levels here; that order itself is reduce_agree's.
    let product = |level| {
        let mut y = vec![T::ONE; outputs];
        layer.on(level).forward(&w, &x, &mut y, &mask).unwrap();
        y
    };
    let want = product(Level::SCALAR);
    for level in Level::available() {
        same(&product(level), &want, level);
        let (mut gw, mut gx) = (vec![T::ONE; inputs * outputs], vec![T::ONE; inputs]);
        layer.on(level).backward_weights(&g, &x, &mut gw, &mask).unwrap();
        layer.on(level).backward_input(&w, &g, &mut gx, &mask).unwrap();
        same(&gw, &grad_w, level);
        same(&gx, &grad_x, level);
    }
    // A product that is not finite has no equal among those with zeros.
    let finite = |x: &[T]| x.iter().all(|x| T::INFINITY > x.abs());
    if finite(&w) && finite(&x) {
        let dropped: Vec<T> =
            (0..w.len()).map(|k| if kept(k / inputs, k % inputs) { w[k] } else { zero }).collect();
        let mut dense = vec![zero; outputs];
        DropConnect(Dropout::drop_prob(0.0))
            .forward(&dropped, &x, &mut dense, &vec![!0; mask.len()])
            .unwrap();
        for (y, dense) in want.iter().zip(dense) {
            let dense = dense * scale;
            assert!(y.bits() == dense.bits() || (*y == zero && dense == zero), "{y:?} {dense:?}");
        }
    }
    // Every length that does not fit is refused, with nothing changed.
    let mut y = vec![T::ONE; outputs + 1];
    if inputs > 0 {
        assert!(layer.forward(&w, &x, &mut y, &mask).is_err());
        assert!(layer.inference(&w, &x, &mut y).is_err());
        assert!(layer.backward_input(&w, &y, &mut vec![zero; inputs], &mask).is_err());
        same(&y, &vec![T::ONE; outputs + 1], "a refused product");
    }
    Ok(())
}

fn depth<T: Number + Element>(u: &mut Unstructured, dropout: Dropout, scale: T, masks: &Masks) -> Result<()> {
    let depth = StochasticDepth(dropout);
    let (samples, features) = (u.int_in_range(0..=40_usize)?, u.int_in_range(0..=20_usize)?);
    let branch = column::<T>(u, samples * features, number)?;
    let mut mask = vec![0; mask_words(samples)];
    depth.draw(&mut masks.clone(), &mut mask);
    let want: Vec<T> = (0..branch.len())
        .map(|k| if bit(&mask, k / features) { branch[k] * scale } else { T::default() })
        .collect();
    for level in Level::available() {
        let mut got = branch.clone();
        depth.on(level).forward(&mut got, samples, &mask).unwrap();
        same(&got, &want, level);
    }
    let mut got = branch.clone();
    assert!(depth.forward(&mut got, samples, &vec![0; mask.len() + 1]).is_err());
    if samples * features > 0 {
        assert!(depth.forward(&mut got, samples * features + 1, &mask).is_err());
        assert!(depth.forward(&mut got, 0, &mask).is_err());
    }
    same(&got, &branch, "a refused pass");
    let survives = depth.draw_batch(&mut masks.clone(), &mut mask);
    assert!((0..samples).all(|i| bit(&mask, i) == survives));
    let linear = StochasticDepth::linear(u.arbitrary()?, u.arbitrary()?, dropout.keep_prob);
    assert!(dropout.check().is_err() || linear >= dropout.keep_prob && linear <= 1.0, "{linear} {dropout:?}");
    Ok(())
}

/// Mean and variance of small whole numbers, against sums in f64.
fn monte_carlo<T: Number + Element>(u: &mut Unstructured) -> Result<()> {
    let n = u.int_in_range(0..=40)?;
    let passes: Vec<Vec<i8>> =
        (0..u.int_in_range(0..=6)?).map(|_| column(u, n, |u| u.arbitrary())).collect::<Result<_>>()?;
    let mut all = Vec::new();
    for level in Level::available() {
        let (mut mean, mut spread) = (vec![T::ONE; n], vec![T::ONE; n]);
        let mut average = MonteCarlo::new(&mut mean, &mut spread).unwrap().on(level);
        for pass in &passes {
            let pass: Vec<T> = pass.iter().map(|&x| T::from_f32(x.into())).collect();
            average.add(&pass).unwrap();
            assert!(average.add(&pass[1.min(n)..]).is_err() || n == 0);
        }
        assert_eq!(average.count() as usize, passes.len() * if n == 0 { 2 } else { 1 });
        average.finish();
        all.push((mean, spread));
    }
    for (mean, spread) in &all {
        same(mean, &all[0].0, "mean");
        same(spread, &all[0].1, "spread");
    }
    let k = passes.len() as f64;
    for i in 0..if passes.is_empty() { 0 } else { n } {
        let mean = passes.iter().map(|p| f64::from(p[i])).sum::<f64>() / k;
        let spread =
            passes.iter().map(|p| (f64::from(p[i]) - mean).powi(2)).sum::<f64>() / (k - 1.0).max(1.0);
        let near = |got: T, want: f64| {
            T::from_f32((want - 0.02) as f32) < got && got < T::from_f32((want + 0.02) as f32)
        };
        assert!(
            near(all[0].0[i], mean) && near(all[0].1[i], spread),
            "{mean} {spread} {:?} {:?}",
            all[0].0[i],
            all[0].1[i]
        );
    }
    Ok(())
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
