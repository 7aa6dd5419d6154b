//! A user's program at random: an optimizer, its state, and calls in any order, each at any level and by any way, beside
//! the same steps one element at a time that were never saved, cut or moved.

use crate::input::{column, length, number};
use crate::rules::{Any, Listed, Visit, optimizer, transform};
use arbitrary::{Result, Unstructured};
use core::fmt::Debug;
use gradus::store::{self, Family, Load, Save};
use gradus::*;

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = begin(&mut u);
}

fn begin(u: &mut Unstructured) -> Result<()> {
    // The rule is drawn from its own bytes, so that the program can have the rest.
    let head = u.bytes(40.min(u.len()))?;
    if u.ratio(1, 3)? {
        return in_half(u, f32::from(*head.first().unwrap_or(&1)) / 64.0);
    }
    optimizer(&mut Unstructured::new(head), Whole(u))
}

struct Whole<'a, 'b>(&'a mut Unstructured<'b>);

impl Visit for Whole<'_, '_> {
    fn visit<const K: usize, O: Listed<K>>(self, optimizer: O) -> Result<()> {
        program(self.0, optimizer)
    }
}

/// The optimizers of one, two and three columns that keep their states in bf16.
fn in_half(u: &mut Unstructured, lr: f32) -> Result<()> {
    match u.int_in_range(0..=6)? {
        0 => program(u, Momentum::new(lr).half()),
        1 => program(u, Lion::new(lr).half()),
        2 => program(u, RmsProp::new(lr).half()),
        3 => program(u, RmsProp::new(lr).centered().with_momentum(0.9).half()),
        4 => program(u, AdamW::new(lr).half()),
        5 => program(u, Nadam::new(lr).half()),
        _ => program(u, Adam::new(lr).half()),
    }
}

/// A stored number by its bits, all NaNs the same.
trait Word: Copy {
    const SPOILT: Self;
    fn word(self) -> u32;
}

impl Word for f32 {
    const SPOILT: Self = 77.0;
    fn word(self) -> u32 {
        if self.is_nan() { u32::MAX } else { self.to_bits() }
    }
}

impl Word for Bf16 {
    const SPOILT: Self = Self::from_bits(0x4299);
    fn word(self) -> u32 {
        self.to_bits().into()
    }
}

/// What trains.
struct Model<F: Stateful> {
    params: Vec<f32>,
    state: StateVec<F>,
}

impl<F: Stateful<Memory: Word>> Model<F> {
    fn new(params: &[f32]) -> Self {
        Self { params: params.to_vec(), state: StateVec::new(params.len()) }
    }

    fn words(&self) -> Vec<u32> {
        let columns = self.state.columns().iter().flatten().map(|x| x.word());
        let clock = [self.state.clock.t, self.state.clock.carry.word()];
        self.params.iter().map(|p| p.word()).chain(columns).chain(clock).collect()
    }
}

/// Calls until the bytes are used up, each on both models.
fn program<O>(u: &mut Unstructured, mut optimizer: O) -> Result<()>
where
    O: Optimizer<Family: Family + Stateful<Memory: Word>> + Debug,
    StateVec<O::Family>: Save + Load,
{
    let n = match length(u)? {
        n @ 601.. => n + 500, // more than a strip of half gradients
        n => n,
    };
    let params = column(u, n, number)?;
    let (mut model, mut plain) = (Model::<O::Family>::new(&params), Model::<O::Family>::new(&params));
    // Steps are counted from any number on, so that sweeps of subnormals and the last step are met.
    let t = if u.ratio(1, 2)? { 0 } else { u.arbitrary()? };
    (model.state.clock.t, plain.state.clock.t) = (t, t);
    for call in 0..24 {
        match u.int_in_range(0..=9)? {
            0 => optimizer = optimizer.with_lr(number(u)?),
            1 => {
                model.state.reset();
                plain.state.reset();
            }
            2 => moved(u, &mut model)?,
            3 => refused(u, optimizer, &mut model)?,
            _ => step(u, optimizer, &mut model, &mut plain)?,
        }
        assert!(model.words() == plain.words(), "call {call} of {optimizer:?} on {n} parameters");
        if u.is_empty() {
            break;
        }
    }
    Ok(())
}

/// One step, the model's at any level and by one of the ways that lead to it.
fn step<O>(
    u: &mut Unstructured,
    optimizer: O,
    model: &mut Model<O::Family>,
    plain: &mut Model<O::Family>,
) -> Result<()>
where
    O: Optimizer<Family: Stateful<Memory: Word>> + Debug,
{
    let n = model.params.len();
    let mut grads: Vec<f32> = column(u, n, number)?;
    let chain: (Any, Any) = (transform(u)?, transform(u)?);
    let level = u.choose_iter(Level::available().collect::<Vec<_>>())?;
    let scalar = optimizer.with(chain).on(Level::SCALAR);
    let fast = optimizer.with(chain).on(level);
    match u.int_in_range(0..=7)? {
        0 => {
            let skipped = fast.step_if_finite(&mut model.params, &grads, model.state.as_mut()).unwrap();
            if skipped > 0 {
                return Ok(());
            }
        }
        1 | 5 => {
            let (before, mut clock) = (model.state.clock, model.state.clock);
            let tensor = Tensor::new(&mut model.params, &grads, model.state.as_mut()).with(chain);
            optimizer.on(level).step_tensors(&mut [tensor], &mut clock).unwrap();
            let same = Clock { carry: 0.0, ..model.state.clock } == Clock { carry: 0.0, ..before };
            assert!(same, "a list has a clock of its own");
            model.state.clock = clock;
        }
        2 | 6 => {
            let (cut, clock) = (u.int_in_range(0..=n)?, model.state.clock);
            for part in [0..cut, cut..n] {
                model.state.clock = clock;
                let mut whole = model.state.as_mut();
                let view = whole.get(part.clone()).unwrap();
                fast.step_slices(&mut model.params[part.clone()], &grads[part], view).unwrap();
            }
        }
        4 => {
            let half: Vec<Bf16> = grads.iter().map(|g| Bf16::from_bits((g.to_bits() >> 16) as u16)).collect();
            fast.step_half_grads(&mut model.params, &half, model.state.as_mut()).unwrap();
            grads = half.iter().map(|g| g.to_f32()).collect();
        }
        _ => fast.step_slices(&mut model.params, &grads, model.state.as_mut()).unwrap(),
    }
    scalar.step_slices(&mut plain.params, &grads, plain.state.as_mut()).unwrap();
    Ok(())
}

/// The model goes through a file into memory that held something else; a damaged file does not reach it.
fn moved<F>(u: &mut Unstructured, model: &mut Model<F>) -> Result<()>
where
    F: Family + Stateful<Memory: Word>,
    StateVec<F>: Save + Load,
{
    let before = model.words();
    let mut file = vec![];
    let mut piece = vec![0; u.int_in_range(1..=300)?];
    let mut pieces = store::Pieces::new((&model.state, &model.params)).unwrap();
    loop {
        let n = pieces.take(&mut piece);
        file.extend_from_slice(&piece[..n]);
        if n == 0 {
            break;
        }
    }
    assert!(
        file == store::to_vec((&model.state, &model.params)).unwrap(),
        "a file in pieces is the file at once"
    );

    // Elsewhere in memory, and not zero.
    let mut other = Model::<F>::new(&vec![f32::SPOILT; model.params.len()]);
    for column in other.state.columns_mut().as_mut() {
        column.fill(Word::SPOILT);
    }
    let spoilt = other.words();
    let (at, bit) = (u.int_in_range(0..=file.len() - 1)?, u.int_in_range(0..=7)?);
    file[at] ^= 1 << bit;
    assert!(store::load((&mut other.state, &mut other.params), &file).is_err(), "bit {bit} of byte {at}");
    assert!(other.words() == spoilt, "a damaged file changed something");
    file[at] ^= 1 << bit;
    store::load((&mut other.state, &mut other.params), &file).unwrap();
    assert!(other.words() == before, "loaded");
    *model = other;
    Ok(())
}

/// A gradient that is too short or too long: an error, and nothing is changed, as the comparison behind it shows.
fn refused<O>(u: &mut Unstructured, optimizer: O, model: &mut Model<O::Family>) -> Result<()>
where
    O: Optimizer<Family: Stateful<Memory: Word>> + Debug,
{
    let n = model.params.len();
    let other = u.int_in_range(0..=2 * n + 1)?;
    if other == n {
        return Ok(());
    }
    let grads = vec![1.0; other];
    let result = optimizer.step_slices(&mut model.params, &grads, model.state.as_mut());
    assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    let half = vec![Bf16::from_f32_nearest(1.0); other];
    let result = optimizer.step_half_grads(&mut model.params, &half, model.state.as_mut());
    assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    let result = optimizer.step_if_finite(&mut model.params, &grads, model.state.as_mut());
    assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    Ok(())
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
