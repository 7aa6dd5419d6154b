//! The sum of all ranks' gradients, each rank its slice, in the order of the tree.

use crate::error::places;
use crate::layout::{BLOCK, Shards};
use crate::tree::{Node, Tree, subtrees};
use mpi::datatype::{Partition, PartitionMut};
use mpi::topology::SimpleCommunicator;
use mpi::traits::CommunicatorCollectives;
use std::ops::Range;

/// Numbers of a message that are enough to make little of its latency.
const MESSAGE: usize = 1 << 16;

/// What never changes in a run: which subtree comes from which rank, and which slice goes there.
#[derive(Debug)]
pub struct Exchange {
    rank: usize,
    slices: Vec<Range<usize>>,
    /// The largest complete subtrees of each rank's shards.
    nodes: Vec<Vec<Node>>,
    /// Numbers of a subtree that are received at a time.
    width: usize,
    /// One such part of each subtree of the other ranks.
    received: Vec<f32>,
}

impl Exchange {
    pub fn new(rank: usize, slices: Vec<Range<usize>>, shards: Shards) -> Self {
        let ranks = slices.len();
        let nodes: Vec<_> = (0..ranks).map(|rank| subtrees(shards.of_rank(rank, ranks))).collect();
        let others = nodes.iter().map(Vec::len).sum::<usize>() - nodes[rank].len();
        let longest = slices.iter().map(Range::len).max().unwrap_or_default();
        // An eighth of a slice: memory for what is received is an eighth of the parameters, and sums are formed in a cache.
        let width = (longest / 8).next_multiple_of(BLOCK).max(MESSAGE).min(longest);
        Self { rank, slices, nodes, width, received: vec![0.0; width * others] }
    }

    /// Adds up this rank's slice over all shards, into the first of `own`: the sums over this rank's subtrees, of all
    /// parameters. Returns how many numbers went to other ranks.
    pub fn reduce_scatter(&mut self, world: &SimpleCommunicator, own: &mut [Vec<f32>]) -> usize {
        let longest = self.slices.iter().map(Range::len).max().unwrap_or_default();
        let rounds = self.nodes.iter().map(Vec::len).max().unwrap_or_default();
        let (slice, mut sent) = (self.slices[self.rank].clone(), 0);
        if self.slices.len() > 1 {
            for at in (0..longest).step_by(self.width.max(1)) {
                sent += (0..rounds).map(|k| self.send(world, at, k, own.get(k))).sum::<usize>();
                let here = at + slice.start..slice.end.min(at + slice.start + self.width);
                if !here.is_empty() {
                    self.join(own, here);
                }
            }
        }
        sent
    }

    /// Sends the part from `at` on of every slice of the `k`-th subtree, from where it is, and receives those of others.
    fn send(&mut self, world: &SimpleCommunicator, at: usize, k: usize, own: Option<&Vec<f32>>) -> usize {
        let part = |slice: &Range<usize>| slice.len().saturating_sub(at).min(self.width) as i32;
        let here = part(&self.slices[self.rank]);
        let (mut counts, mut starts) = (vec![0; self.slices.len()], vec![0; self.slices.len()]);
        let (mut incoming, mut places) = (counts.clone(), starts.clone());
        let mut place = 0;
        for (rank, (slice, nodes)) in self.slices.iter().zip(&self.nodes).enumerate() {
            if rank == self.rank {
                continue;
            }
            if own.is_some() && part(slice) > 0 {
                (counts[rank], starts[rank]) = (part(slice), (slice.start + at) as i32);
            }
            if k < nodes.len() {
                (incoming[rank], places[rank]) = (here, ((place + k) * self.width) as i32);
            }
            place += nodes.len();
        }
        let send = Partition::new(own.map_or(&[][..], |own| own), &counts[..], &starts[..]);
        let mut receive = PartitionMut::new(&mut self.received[..], incoming, places);
        world.all_to_all_varcount_into(&send, &mut receive);
        counts.iter().sum::<i32>() as usize
    }

    /// Adds up the numbers `here` of all subtrees, into the first of `own`.
    fn join(&mut self, own: &mut [Vec<f32>], here: Range<usize>) {
        let mut own_parts = own.iter_mut().map(|own| &mut own[here.clone()]);
        let mut received = self.received.chunks_mut(self.width).map(|part| &mut part[..here.len()]);
        let mut tree = Tree::new();
        for (rank, nodes) in self.nodes.iter().enumerate() {
            for node in nodes {
                let part = if rank == self.rank { own_parts.next() } else { received.next() };
                tree.push(*node, part.expect("one of every subtree"), |left, right| add(left, right));
            }
        }
        // The sum is where the leftmost subtree was.
        if self.rank > 0 {
            own[0][here.clone()].copy_from_slice(&self.received[..here.len()]);
        }
    }

    /// Writes every rank's slice to `params`. Returns how many numbers went to other ranks.
    pub fn gather(&self, world: &SimpleCommunicator, slice: &[f32], params: &mut [f32]) -> usize {
        let counts: Vec<i32> = self.slices.iter().map(|slice| slice.len() as i32).collect();
        world.all_gather_varcount_into(slice, &mut PartitionMut::new(params, &counts[..], places(&counts)));
        slice.len() * (self.slices.len() - 1)
    }
}

/// `left += right`.
pub fn add(left: &mut [f32], right: &[f32]) {
    left.iter_mut().zip(right).for_each(|(left, right)| *left += right);
}
