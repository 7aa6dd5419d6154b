//! A step of all ranks.

use crate::error::{Error, gather};
use crate::exchange::{Exchange, add};
use crate::layout::{Layout, Piece, Shards};
use crate::norm::sum_squares;
use crate::tree::{Node, Tree};
use gradus::transform::{ClipNorm, Transform};
use gradus::{Optimizer, StateVec, Tensor};
use mpi::topology::SimpleCommunicator;
use mpi::traits::Communicator;
use std::fmt::Debug;
use std::ops::Range;

/// A place in a step or in a checkpoint, in their order: see [`Sharded::observe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The gradients of this rank's shards are formed and joined as far as they can be.
    Gradients,
    /// All ranks have found that they make the same step, and know its loss.
    Agreed,
    /// This rank has the sum of its slice.
    Reduced,
    /// It has updated its slice, or skipped it.
    Stepped,
    /// It has all parameters.
    Gathered,
    /// It has written its slice of a checkpoint.
    Written,
    /// The checkpoint is complete.
    Complete,
}

/// Training on all ranks of a communicator: see the [crate](crate).
pub struct Sharded<'a, O: Optimizer, T = ()> {
    /// The optimizer. A schedule changes its rate between steps, on every rank alike.
    pub optimizer: O,
    pub(crate) world: &'a SimpleCommunicator,
    pub(crate) shards: Shards,
    pub(crate) layout: Layout<T>,
    /// This rank's part of the parameters, and the parts of tensors in it.
    pub(crate) slice: Range<usize>,
    pieces: Vec<Piece<T>>,
    pub(crate) state: StateVec<O::Family>,
    pub(crate) steps: u32,
    pub(crate) skipped: u32,
    /// Whether the parameters of all ranks are still to be compared.
    pub(crate) unknown: bool,
    limit: Option<f32>,
    pub(crate) exchange: Exchange,
    /// Gradients of all parameters: the sums of this rank's subtrees, and memory to be used again.
    sums: Vec<Vec<f32>>,
    free: Vec<Vec<f32>>,
    /// What the gather sends: a copy of the slice.
    own: Vec<f32>,
    sent: u64,
    observer: Option<Box<dyn FnMut(Phase) + 'a>>,
}

impl<'a, O: Optimizer + Debug> Sharded<'a, O> {
    /// A trainer of `n` parameters, at its first step.
    ///
    /// # Errors
    /// An [`Error`], on every rank, if the ranks disagree on a number or a hyper-parameter, if there are more of them than
    /// shards, or the optimizer refuses its hyper-parameters.
    pub fn new(world: &'a SimpleCommunicator, optimizer: O, n: usize, shards: Shards) -> Result<Self, Error> {
        Self::with_tensors(world, optimizer, [(n, ())], shards)
    }
}

impl<'a, O: Optimizer + Debug, T: Transform + Debug> Sharded<'a, O, T> {
    /// A trainer of a list of tensors, which lie one behind the other in the slice of parameters: the length of each, and
    /// what acts on it alone, after the transforms of the optimizer.
    ///
    /// # Errors
    /// As [`new`](Sharded::new).
    pub fn with_tensors(
        world: &'a SimpleCommunicator,
        optimizer: O,
        tensors: impl IntoIterator<Item = (usize, T)>,
        shards: Shards,
    ) -> Result<Self, Error> {
        let tensors: Vec<_> = tensors.into_iter().collect();
        let (rank, ranks) = (world.rank() as usize, world.size() as usize);
        let layout = Layout::new(tensors.iter().copied());
        let n = layout.len();
        same(
            world,
            &[
                ("the number of parameters", n as u64),
                ("the number of shards", shards.0 as u64),
                ("the tensors and their transforms", fingerprint(&tensors)),
                ("the kind of state", fingerprint(&std::any::type_name::<StateVec<O::Family>>())),
                ("the hyper-parameters", fingerprint(&optimizer)),
            ],
        )?;
        if !shards.0.is_power_of_two() {
            return Err(Error::Shards(shards.0));
        }
        if ranks > shards.0 {
            return Err(Error::Ranks { ranks, shards: shards.0 });
        }
        i32::try_from(n).map_err(|_| Error::Size(n))?;
        optimizer.check().map_err(Error::Optimizer)?;
        for (_, transform) in &tensors {
            transform.check(optimizer.lr()).map_err(Error::Optimizer)?;
        }
        let slices: Vec<_> = (0..ranks).map(|rank| layout.slice(rank, ranks)).collect();
        let slice = slices[rank].clone();
        Ok(Self {
            state: optimizer.state_vec(slice.len()),
            optimizer,
            world,
            shards,
            pieces: layout.pieces(&slice),
            layout,
            steps: 0,
            skipped: 0,
            unknown: true,
            limit: None,
            exchange: Exchange::new(rank, slices, shards),
            sums: Vec::new(),
            free: Vec::new(),
            own: Vec::new(),
            slice,
            sent: 0,
            observer: None,
        })
    }

    /// Skips every step whose summed gradient is infinite or NaN somewhere: parameters, state and `t` stay as they are.
    #[must_use]
    pub fn skip_non_finite(self) -> Self {
        self.clip(ClipNorm { max_norm: f32::INFINITY })
    }

    /// Clips the summed gradient of all tensors to a norm, before any transform, and skips a step whose gradient is not
    /// finite.
    ///
    /// The norm has the same bits for any number of ranks. Its order is not that of [`ClipNorm::scale`].
    #[must_use]
    pub fn clip(self, clip: ClipNorm) -> Self {
        Self { limit: Some(clip.max_norm), ..self }
    }

    /// Calls `observer` at each [`Phase`], to measure or to report.
    #[must_use]
    pub fn observe(self, observer: impl FnMut(Phase) + 'a) -> Self {
        Self { observer: Some(Box::new(observer)), ..self }
    }

    pub(crate) fn reach(&mut self, phase: Phase) {
        if let Some(observer) = &mut self.observer {
            observer(phase);
        }
    }

    /// Calls of [`step`](Self::step) so far, skipped steps among them: the place in the data.
    #[must_use]
    pub const fn steps(&self) -> u32 {
        self.steps
    }

    /// Steps that were skipped.
    #[must_use]
    pub const fn skipped(&self) -> u32 {
        self.skipped
    }

    /// Updates so far: what a schedule asks for.
    #[must_use]
    pub const fn t(&self) -> u32 {
        self.state.t()
    }

    /// The shards of this rank.
    #[must_use]
    pub fn shards(&self) -> Range<usize> {
        self.shards.of_rank(self.world.rank() as usize, self.world.size() as usize)
    }

    /// The state of this rank's slice.
    #[must_use]
    pub const fn state(&self) -> &StateVec<O::Family> {
        &self.state
    }

    /// Bytes of gradients and parameters that this rank has sent to others.
    #[must_use]
    pub const fn bytes_sent(&self) -> u64 {
        self.sent
    }

    /// One step of all ranks. Returns the sum over all shards of what `gradients` returns.
    ///
    /// `gradients(params, shard, grads)` adds the gradients of one shard to `grads`, which is +0 everywhere, and returns the
    /// loss of the shard. It is called for each [shard of this rank](Self::shards), in their order. What it adds must depend
    /// on its arguments and the step alone.
    ///
    /// # Errors
    /// An [`Error`], on every rank, if the ranks make different steps.
    pub fn step(
        &mut self,
        params: &mut [f32],
        gradients: impl FnMut(&[f32], usize, &mut [f32]) -> f32,
    ) -> Result<f32, Error> {
        let losses =
            if params.len() == self.layout.len() { self.local(params, gradients) } else { Vec::new() };
        self.reach(Phase::Gradients);
        let loss = self.agree(params, &losses);
        if loss.is_ok() {
            self.reach(Phase::Agreed);
            self.step_together(params);
        }
        self.free.append(&mut self.sums);
        loss
    }

    /// What is left of a step that all ranks take.
    fn step_together(&mut self, params: &mut [f32]) {
        self.sent += 4 * self.exchange.reduce_scatter(self.world, &mut self.sums) as u64;
        self.reach(Phase::Reduced);
        self.steps = self.steps.saturating_add(1);
        let updated = self.limit();
        if updated {
            self.update(params);
        } else {
            self.skipped = self.skipped.saturating_add(1);
        }
        self.reach(Phase::Stepped);
        if updated && self.world.size() > 1 {
            self.own.clear();
            self.own.extend_from_slice(&params[self.slice.clone()]);
            self.sent += 4 * self.exchange.gather(self.world, &self.own, params) as u64;
        }
        self.reach(Phase::Gathered);
    }

    /// Forms the gradients of this rank's shards, and joins them while they are halves of one subtree. Returns the losses.
    fn local(
        &mut self,
        params: &[f32],
        mut gradients: impl FnMut(&[f32], usize, &mut [f32]) -> f32,
    ) -> Vec<f32> {
        let mut tree = Tree::new();
        let mut losses = Vec::new();
        for shard in self.shards() {
            let mut grads = self.free.pop().unwrap_or_else(|| vec![0.0; params.len()]);
            grads.fill(0.0);
            losses.push(gradients(params, shard, &mut grads));
            tree.push(Node::leaf(shard), grads, |left: &mut Vec<f32>, right| {
                add(left, &right);
                self.free.push(right);
            });
        }
        self.sums = tree.into_sums().collect();
        losses
    }

    /// The loss of all shards, if all ranks make the same step: one exchange of some bytes, before any of megabytes.
    fn agree(&mut self, params: &[f32], losses: &[f32]) -> Result<f32, Error> {
        const HEAD: usize = 4;
        let (ranks, n) = (self.world.size() as usize, self.layout.len());
        let step = fingerprint(&(self.steps, self.state.t(), self.limit));
        let known = if self.unknown { checksum(params) } else { 0 };
        let mut own = vec![params.len() as u64, fingerprint(&self.optimizer), step, known];
        own.extend(
            (0..self.shards().len()).map(|k| losses.get(k).map_or(0, |loss| u64::from(loss.to_bits()))),
        );
        let counts: Vec<_> =
            (0..ranks).map(|rank| (HEAD + self.shards.of_rank(rank, ranks).len()) as i32).collect();
        let all = gather(self.world, &own, &counts);
        let mut records = Vec::new();
        let mut rest = &all[..];
        for &count in &counts {
            let (record, others) = rest.split_at(count as usize);
            records.push(record.split_at(HEAD));
            rest = others;
        }
        if let Some(rank) = records.iter().position(|(head, _)| head[0] != n as u64) {
            return Err(Error::Length { rank, expected: n, found: records[rank].0[0] as usize });
        }
        for (k, what) in [(1, "the hyper-parameters"), (2, "the step"), (3, "the parameters")] {
            if let Some(rank) = records.iter().position(|(head, _)| head[k] != records[0].0[k]) {
                return Err(Error::Disagreement { rank, what });
            }
        }
        self.unknown = false;
        let mut tree = Tree::new();
        for (shard, loss) in records.iter().flat_map(|(_, losses)| *losses).enumerate() {
            tree.push(Node::leaf(shard), f32::from_bits(*loss as u32), |left, right| *left += right);
        }
        Ok(tree.total(|left, right| *left += right).unwrap_or_default())
    }

    /// Clips the summed gradient, where that is asked for. Returns whether it is finite.
    fn limit(&mut self) -> bool {
        let Some(limit) = self.limit else { return true };
        let sum = &mut self.sums[0][self.slice.clone()];
        let squares = sum_squares(self.world, &self.layout, &self.pieces, sum);
        let factor = f64::from(limit) / (squares.sqrt() + 1e-6);
        if squares.is_finite() && factor < 1.0 {
            sum.iter_mut().for_each(|g| *g *= factor as f32);
        }
        squares.is_finite()
    }

    /// Takes the step of this rank's slice.
    fn update(&mut self, params: &mut [f32]) {
        let (params, sum) = (&mut params[self.slice.clone()], &self.sums[0][self.slice.clone()]);
        let before = self.state.clock;
        // Every piece takes the same step of the clock, and a rank without one too.
        let mut clock = before;
        let stepped = self.optimizer.step_tensors::<T>(&mut [], &mut clock);
        debug_assert_eq!(stepped, Ok(()));
        for Piece { range, first, transform } in &self.pieces {
            let mut state = self.state.as_mut();
            let mut state = state.get(range.clone()).expect("the state is as long as the slice");
            state.first = *first as u32;
            let (params, grads) = (&mut params[range.clone()], &sum[range.clone()]);
            let tensor = Tensor::new(params, grads, state).with(*transform);
            self.optimizer.step_tensors(&mut [tensor], &mut before.clone()).expect("equal lengths");
        }
        self.state.clock = clock;
    }
}

/// `Ok` if every rank passes the values of rank 0.
pub(crate) fn same(world: &SimpleCommunicator, values: &[(&'static str, u64)]) -> Result<(), Error> {
    let own: Vec<_> = values.iter().map(|(_, value)| *value).collect();
    let all = gather(world, &own, &vec![own.len() as i32; world.size() as usize]);
    for (k, (what, _)) in values.iter().enumerate() {
        if let Some(rank) = all.chunks_exact(own.len()).position(|other| other[k] != all[k]) {
            return Err(Error::Disagreement { rank, what });
        }
    }
    Ok(())
}

/// A hash of a value by what `Debug` prints of it, which for a number is enough to tell it from any other.
fn fingerprint(value: &impl Debug) -> u64 {
    hash(format!("{value:?}").as_bytes())
}

/// A hash of all bits of some numbers.
fn checksum(numbers: &[f32]) -> u64 {
    let mut digest = CRC.digest();
    for some in numbers.chunks(1024) {
        let bytes: Vec<u8> = some.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect();
        digest.update(&bytes);
    }
    digest.finalize()
}

static CRC: crc::Crc<u64, crc::Table<16>> = crc::Crc::<u64, crc::Table<16>>::new(&crc::CRC_64_XZ);

fn hash(bytes: &[u8]) -> u64 {
    CRC.checksum(bytes)
}
