//! Who owns what: samples and shards, tensors and slices.

use std::ops::Range;

/// Into how many parts a batch is cut: a power of two, 16 unless given, and at least as many as there are ranks.
///
/// It is part of a run's definition, as the seed is: another number has other bits. A rank takes one range of them.
///
/// ```
/// use gradus_mpi::Shards;
/// assert_eq!((Shards(4).samples(0, 10), Shards(4).samples(1, 10)), (0..3, 3..5));
/// assert!(Shards(16).samples(1, 10).len() == 1 && Shards(16).samples(2, 10).is_empty());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shards(pub usize);

impl Default for Shards {
    fn default() -> Self {
        Self(16)
    }
}

impl Shards {
    /// The samples of one shard, of a batch of `batch`: sample `j` belongs to shard `floor(j * shards / batch)`.
    #[must_use]
    pub fn samples(self, shard: usize, batch: usize) -> Range<usize> {
        let first = |shard: usize| (shard * batch).div_ceil(self.0);
        first(shard)..first(shard + 1)
    }

    /// The shards of one rank.
    #[must_use]
    pub fn of_rank(self, rank: usize, ranks: usize) -> Range<usize> {
        share(self.0, rank, ranks)
    }
}

/// The part of `total` things that a rank takes.
fn share(total: usize, rank: usize, ranks: usize) -> Range<usize> {
    total * rank / ranks..total * (rank + 1) / ranks
}

/// Parameters that are never divided: slices end at a tensor's end or a multiple of so many after its start.
pub const BLOCK: usize = 256;

/// Tensors one behind the other in one slice of parameters, each with its transform.
#[derive(Clone, Debug)]
pub struct Layout<T> {
    tensors: Vec<(usize, T)>,
}

/// What a slice has of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece<T> {
    /// Where it lies in the slice.
    pub range: Range<usize>,
    /// Which element of its tensor it begins with.
    pub first: usize,
    /// The tensor's transform.
    pub transform: T,
}

impl<T: Copy> Layout<T> {
    pub fn new(tensors: impl IntoIterator<Item = (usize, T)>) -> Self {
        Self { tensors: tensors.into_iter().collect() }
    }

    /// Parameters of all tensors.
    pub fn len(&self) -> usize {
        self.tensors.iter().map(|(len, _)| len).sum()
    }

    /// Lengths of the tensors.
    pub fn lengths(&self) -> Vec<usize> {
        self.tensors.iter().map(|(len, _)| *len).collect()
    }

    /// The blocks of one rank, counted through all tensors.
    pub fn blocks(&self, rank: usize, ranks: usize) -> Range<usize> {
        share(self.tensors.iter().map(|(len, _)| len.div_ceil(BLOCK)).sum(), rank, ranks)
    }

    /// The slice of one rank.
    pub fn slice(&self, rank: usize, ranks: usize) -> Range<usize> {
        let blocks = self.blocks(rank, ranks);
        self.start(blocks.start)..self.start(blocks.end)
    }

    /// Where a block begins; for one behind the last, the end.
    fn start(&self, block: usize) -> usize {
        let (mut block, mut start) = (block, 0);
        for (len, _) in &self.tensors {
            let blocks = len.div_ceil(BLOCK);
            if block < blocks {
                return start + block * BLOCK;
            }
            (block, start) = (block - blocks, start + len);
        }
        start
    }

    /// The parts of tensors in a slice.
    pub fn pieces(&self, slice: &Range<usize>) -> Vec<Piece<T>> {
        let (mut pieces, mut start) = (Vec::new(), 0);
        for &(len, transform) in &self.tensors {
            let (from, to) = (slice.start.max(start), slice.end.min(start + len));
            if from < to {
                pieces.push(Piece {
                    range: from - slice.start..to - slice.start,
                    first: from - start,
                    transform,
                });
            }
            start += len;
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_in_its_shard() {
        for (shards, batch) in [(1, 5), (2, 0), (4, 1), (16, 10), (16, 32), (8, 1001)] {
            let mut next = 0;
            for shard in 0..shards {
                let samples = Shards(shards).samples(shard, batch);
                assert_eq!(samples.start, next);
                assert!(samples.clone().all(|j| j * shards / batch == shard));
                next = samples.end;
            }
            assert_eq!(next, batch);
        }
    }

    #[test]
    fn slices_cover_all_and_cut_at_blocks_alone() {
        for tensors in [&[][..], &[0], &[1], &[255, 256, 257], &[3, 0, 1000, 5], &[5000], &[1; 20]] {
            let layout = Layout::new(tensors.iter().enumerate().map(|(k, &len)| (len, k)));
            for ranks in 1..=9 {
                let mut next = 0;
                for rank in 0..ranks {
                    let slice = layout.slice(rank, ranks);
                    assert_eq!(slice.start, next);
                    next = slice.end;
                    let (mut at, mut blocks) = (0, 0);
                    for Piece { range, first, transform } in layout.pieces(&slice) {
                        assert_eq!((range.start, first % BLOCK), (at, 0), "{tensors:?} {ranks}");
                        let before: usize = tensors[..transform].iter().sum();
                        assert_eq!(slice.start + range.start, before + first);
                        at = range.end;
                        blocks += range.len().div_ceil(BLOCK);
                    }
                    assert_eq!((at, blocks), (slice.len(), layout.blocks(rank, ranks).len()));
                }
                assert_eq!(next, layout.len());
            }
        }
    }
}
