//! The sum of all ranks' gradients, each rank its slice, in the order of the tree.

use crate::error::places;
use crate::layout::{BLOCK, Shards};
use crate::tree::{Node, Tree, subtrees};
use mpi::datatype::{Partition, PartitionMut};
use mpi::topology::SimpleCommunicator;
use mpi::traits::CommunicatorCollectives;
use std::ops::Range;

/// Numbers that a rank receives at a time, unless an eighth of the parameters is more: sums are formed in the cache.
const WINDOW: usize = 1 << 18;

/// What never changes in a run: which subtree comes from which rank, and which slice goes there.
#[derive(Debug)]
pub struct Exchange {
    rank: usize,
    slices: Vec<Range<usize>>,
    /// The largest complete subtrees of each rank's shards.
    nodes: Vec<Vec<Node>>,
    /// Numbers of a subtree that are received at a time.
    width: usize,
    received: Vec<f32>,
}

impl Exchange {
    pub fn new(rank: usize, slices: Vec<Range<usize>>, shards: Shards) -> Self {
        let ranks = slices.len();
        let nodes: Vec<_> = (0..ranks).map(|rank| subtrees(shards.of_rank(rank, ranks))).collect();
        let all: usize = nodes.iter().map(Vec::len).sum();
        let longest = slices.iter().map(Range::len).max().unwrap_or_default();
        let params: usize = slices.iter().map(Range::len).sum();
        let width = (WINDOW.max(params / 8) / all).next_multiple_of(BLOCK).min(longest);
        Self { rank, slices, nodes, width, received: vec![0.0; width * all] }
    }

    /// Writes the sum over all shards to `sum`, which is this rank's slice, given the sums of this rank's subtrees over all
    /// parameters. Returns how many numbers went to other ranks.
    ///
    /// A rank sends the first of its subtrees, then the second where it has one. So a sum of gradients goes out from
    /// where it is, without a copy.
    pub fn reduce_scatter(&mut self, world: &SimpleCommunicator, own: &[Vec<f32>], sum: &mut [f32]) -> usize {
        let most = self.nodes.iter().map(Vec::len).max().unwrap_or_default();
        let mut sent = 0;
        for at in (0..self.slices.iter().map(Range::len).max().unwrap_or_default()).step_by(self.width.max(1))
        {
            let part = |slice: &Range<usize>| slice.len().saturating_sub(at).min(self.width);
            let here = part(&self.slices[self.rank]);
            for k in 0..most {
                let empty = Vec::new();
                let from = own.get(k).unwrap_or(&empty);
                let counts = |slice| if from.is_empty() { 0 } else { part(slice) as i32 };
                let counts: Vec<i32> = self.slices.iter().map(counts).collect();
                let starts = self.slices.iter().zip(&counts);
                let starts = starts.map(|(slice, &n)| if n == 0 { 0 } else { (slice.start + at) as i32 });
                let send = Partition::new(&from[..], &counts[..], starts.collect::<Vec<_>>());
                // The k-th subtree of a rank lies where it stands in the list of all.
                let mut first = 0;
                let (mut incoming, mut places) = (Vec::new(), Vec::new());
                for nodes in &self.nodes {
                    incoming.push(if k < nodes.len() { here as i32 } else { 0 });
                    places.push(if k < nodes.len() { ((first + k) * self.width) as i32 } else { 0 });
                    first += nodes.len();
                }
                let mut receive = PartitionMut::new(&mut self.received[..], incoming, places);
                world.all_to_all_varcount_into(&send, &mut receive);
                sent += counts.iter().sum::<i32>() as usize - counts[self.rank] as usize;
            }
            if here > 0 {
                self.join(here);
                sum[at..at + here].copy_from_slice(&self.received[..here]);
            }
        }
        sent
    }

    /// Adds up the first `len` numbers of all subtrees that were received, into the first.
    fn join(&mut self, len: usize) {
        let (width, received) = (self.width, &mut self.received);
        let mut tree = Tree::new();
        for (k, node) in self.nodes.iter().flatten().enumerate() {
            tree.push(*node, k, |left, right| {
                let (before, after) = received.split_at_mut(right * width);
                add(&mut before[*left * width..][..len], &after[..len]);
            });
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
