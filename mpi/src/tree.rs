//! The order of every sum: one binary tree over numbered leaves, which knows nothing of ranks.
//!
//! ```text
//! leaf      0   1   2   3   4   5   6   7
//!            \ /     \ /     \ /     \ /
//!             +       +       +       +
//!               \   /           \   /
//!                 +               +
//!                    \         /
//!                         +
//! ```
//!
//! Whoever holds a range of leaves can add what lies in complete subtrees of it, and no more: a rank with leaves 3 to 7
//! ends with two sums, of leaf 3 and of leaves 4 to 7. Whoever has these sums of all ranks goes on where they stopped.

use std::ops::Range;

/// A complete subtree: `size` leaves from `start` on. The size is a power of two and divides the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    pub start: usize,
    pub size: usize,
}

impl Node {
    pub const fn leaf(start: usize) -> Self {
        Self { start, size: 1 }
    }

    /// Whether `right` is the other half of the next larger subtree.
    const fn is_left_of(self, right: Self) -> bool {
        self.size == right.size && self.start.is_multiple_of(2 * self.size)
    }
}

/// Takes the sums of subtrees from left to right, and joins two as soon as they are halves of a larger one.
///
/// Where neighbours follow each other without a gap, never more than two sums of a size wait.
#[derive(Debug)]
pub struct Tree<V> {
    waiting: Vec<(Node, V)>,
}

impl<V> Tree<V> {
    pub const fn new() -> Self {
        Self { waiting: Vec::new() }
    }

    /// The next subtree; `join` adds its second argument to its first.
    pub fn push(&mut self, node: Node, sum: V, mut join: impl FnMut(&mut V, V)) {
        let (mut node, mut sum) = (node, sum);
        while let Some((left, mut total)) = self.waiting.pop_if(|(left, _)| left.is_left_of(node)) {
            join(&mut total, sum);
            (node, sum) = (Node { size: 2 * left.size, ..left }, total);
        }
        self.waiting.push((node, sum));
    }

    /// The sums of the largest complete subtrees, from left to right.
    pub fn into_sums(self) -> impl DoubleEndedIterator<Item = V> {
        self.waiting.into_iter().map(|(_, sum)| sum)
    }

    /// The sum of all. Where the number of leaves is no power of two, what waits is joined from the right.
    pub fn total(self, mut join: impl FnMut(&mut V, V)) -> Option<V> {
        let mut sums = self.into_sums().rev();
        let last = sums.next()?;
        Some(sums.fold(last, |right, mut left| {
            join(&mut left, right);
            left
        }))
    }
}

/// The largest complete subtrees within a range of leaves, from left to right: at most two of each size.
pub fn subtrees(range: Range<usize>) -> Vec<Node> {
    let mut tree = Tree::new();
    range.for_each(|leaf| tree.push(Node::leaf(leaf), (), |(), ()| ()));
    tree.waiting.into_iter().map(|(node, ())| node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree of the picture, from its root down.
    fn written(leaves: Range<usize>) -> String {
        match leaves.len() {
            1 => leaves.start.to_string(),
            n => {
                let middle = leaves.start + n / 2;
                format!("({}+{})", written(leaves.start..middle), written(middle..leaves.end))
            }
        }
    }

    fn join(left: &mut String, right: String) {
        *left = format!("({left}+{right})");
    }

    #[test]
    fn any_cut_gives_the_same_tree() {
        for leaves in [1, 2, 4, 8, 16, 32] {
            for ranks in 1..=leaves {
                let mut root = Tree::new();
                for rank in 0..ranks {
                    let range = leaves * rank / ranks..leaves * (rank + 1) / ranks;
                    let nodes = subtrees(range.clone());
                    assert!(nodes.len() <= 2 * leaves.ilog2().max(1) as usize, "{range:?} {nodes:?}");
                    let mut own = Tree::new();
                    range.for_each(|leaf| own.push(Node::leaf(leaf), leaf.to_string(), join));
                    let sums: Vec<_> = own.into_sums().collect();
                    assert_eq!(sums.len(), nodes.len());
                    nodes.into_iter().zip(sums).for_each(|(node, sum)| root.push(node, sum, join));
                }
                assert_eq!(root.total(join), Some(written(0..leaves)), "{ranks} ranks");
            }
        }
    }

    #[test]
    fn leaves_that_are_no_power_of_two_have_one_order() {
        let sums = |ranks: usize| {
            let mut root = Tree::new();
            for rank in 0..ranks {
                let range = 13 * rank / ranks..13 * (rank + 1) / ranks;
                let mut own = Tree::new();
                range.clone().for_each(|leaf| own.push(Node::leaf(leaf), leaf.to_string(), join));
                subtrees(range)
                    .into_iter()
                    .zip(own.into_sums())
                    .for_each(|(node, sum)| root.push(node, sum, join));
            }
            root.total(join).expect("thirteen leaves")
        };
        assert_eq!(sums(1), format!("({}+({}+12))", written(0..8), written(8..12)));
        (2..=13).for_each(|ranks| assert_eq!(sums(ranks), sums(1)));
        assert_eq!(Tree::<String>::new().total(join), None);
    }

    #[test]
    fn a_range_that_is_a_subtree_waits_as_one() {
        assert_eq!(subtrees(8..16), [Node { start: 8, size: 8 }]);
        assert_eq!(subtrees(3..8), [Node::leaf(3), Node { start: 4, size: 4 }]);
        assert_eq!(subtrees(5..5), []);
    }
}
