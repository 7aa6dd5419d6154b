//! The norm of the gradient of all tensors, in an order that depends on no rank.

use crate::error::gather;
use crate::layout::{BLOCK, Layout, Piece};
use crate::tree::{Node, Tree, subtrees};
use mpi::topology::SimpleCommunicator;
use mpi::traits::Communicator;

/// The sum of squares of all gradients, given this rank's slice of them. It is finite where all of them are.
///
/// A square of an `f32` is exact in `f64`, and none is too large or too small for it. Blocks of [`BLOCK`] numbers from each
/// tensor's start are the leaves of one tree; slices cut nowhere else.
pub fn sum_squares<T: Copy>(
    world: &SimpleCommunicator,
    layout: &Layout<T>,
    pieces: &[Piece<T>],
    slice: &[f32],
) -> f64 {
    let (rank, ranks) = (world.rank() as usize, world.size() as usize);
    let join = |left: &mut f64, right| *left += right;
    let mut own = Tree::new();
    let blocks = pieces.iter().flat_map(|piece| slice[piece.range.clone()].chunks(BLOCK));
    for (leaf, block) in layout.blocks(rank, ranks).zip(blocks) {
        own.push(Node::leaf(leaf), block_squares(block), join);
    }
    let nodes: Vec<_> = (0..ranks).map(|rank| subtrees(layout.blocks(rank, ranks))).collect();
    let counts: Vec<i32> = nodes.iter().map(|nodes| nodes.len() as i32).collect();
    let all = gather(world, &own.into_sums().collect::<Vec<_>>(), &counts);
    let mut root = Tree::new();
    nodes.into_iter().flatten().zip(all).for_each(|(node, sum)| root.push(node, sum, join));
    root.total(join).unwrap_or_default()
}

/// The sum of squares of one block: element `i` goes to accumulator `i mod 8`, and these are joined as a tree.
fn block_squares(block: &[f32]) -> f64 {
    let mut sums = [0.0; 8];
    for some in block.chunks(8) {
        for (sum, x) in sums.iter_mut().zip(some) {
            *sum += f64::from(*x) * f64::from(*x);
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_neither_overflow_nor_vanish() {
        assert_eq!(block_squares(&[3e30, -4e30]).sqrt() as f32, 5e30);
        assert_eq!(block_squares(&[3e-42, 4e-42, 0.0]).sqrt() as f32, 5e-42);
        assert_eq!(block_squares(&[1.0; 13]), 13.0);
        assert!(block_squares(&[f32::MAX; 256]).is_finite());
        assert!(!block_squares(&[f32::INFINITY, 1.0]).is_finite());
        assert!(block_squares(&[f32::NAN]).is_nan());
    }
}
