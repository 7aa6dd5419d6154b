//! Why a call is refused, on every rank alike, and how ranks come to one verdict.

use mpi::datatype::PartitionMut;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};
use std::fmt;
use std::io;

/// Why a call was refused. It is refused on every rank, and nothing was modified on any.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The number of shards is not a power of two.
    Shards(usize),
    /// There are more ranks than shards.
    Ranks {
        /// How many ranks there are.
        ranks: usize,
        /// How many shards.
        shards: usize,
    },
    /// More parameters than an MPI library can count.
    Size(usize),
    /// A rank passes another value than rank 0 does.
    Disagreement {
        /// The first such rank.
        rank: usize,
        /// What differs.
        what: &'static str,
    },
    /// A rank passes as many parameters as the trainer does not have.
    Length {
        /// The first such rank.
        rank: usize,
        /// Parameters of the trainer.
        expected: usize,
        /// Parameters that it passes.
        found: usize,
    },
    /// The optimizer refuses its hyper-parameters.
    Optimizer(gradus::Error),
    /// A checkpoint cannot be written or read.
    Checkpoint {
        /// The first rank where it failed.
        rank: usize,
        /// What it has to say.
        message: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shards(shards) => write!(f, "{shards} shards: the number must be a power of two"),
            Self::Ranks { ranks, shards } => {
                write!(f, "{ranks} ranks for {shards} shards: a rank needs one at least")
            }
            Self::Size(n) => write!(f, "{n} parameters: at most 2^31 - 1 are possible"),
            Self::Disagreement { rank, what } => write!(f, "rank {rank} and rank 0 disagree: {what}"),
            Self::Length { rank, expected, found } => {
                write!(f, "rank {rank}: {found} parameters where {expected} were expected")
            }
            Self::Optimizer(error) => error.fmt(f),
            Self::Checkpoint { rank, message } => write!(f, "rank {rank}: {message}"),
        }
    }
}

impl std::error::Error for Error {}

/// The value of this rank, if no rank has failed; else what the first one that did has to say, on all of them.
pub fn agree<V>(world: &SimpleCommunicator, value: io::Result<V>) -> Result<V, Error> {
    let own = value.as_ref().err().map(io::Error::to_string).unwrap_or_default();
    let messages = texts(world, &own);
    match messages.into_iter().enumerate().find(|(_, message)| !message.is_empty()) {
        Some((rank, message)) => Err(Error::Checkpoint { rank, message }),
        None => value.map_err(|error| Error::Checkpoint { rank: 0, message: error.to_string() }),
    }
}

/// What each rank has to say.
pub fn texts(world: &SimpleCommunicator, own: &str) -> Vec<String> {
    let own: Vec<u32> = own.chars().map(u32::from).collect();
    let counts = gather(world, &[own.len() as i32], &vec![1; world.size() as usize]);
    let mut all = gather(world, &own, &counts).into_iter().filter_map(char::from_u32);
    counts.iter().map(|&count| all.by_ref().take(count as usize).collect()).collect()
}

/// What all ranks have, one after the other, given how much each has.
pub fn gather<V: mpi::traits::Equivalence + Clone + Default>(
    world: &SimpleCommunicator,
    own: &[V],
    counts: &[i32],
) -> Vec<V> {
    // An empty list of bytes begins at address 1, and that is what some libraries say for "in place".
    const { assert!(align_of::<V>() > 1) };
    let mut all = vec![V::default(); counts.iter().sum::<i32>() as usize];
    world.all_gather_varcount_into(own, &mut PartitionMut::new(&mut all[..], counts, places(counts)));
    all
}

/// Where parts begin that lie one behind the other.
pub fn places(counts: &[i32]) -> Vec<i32> {
    let place = |next: &mut i32, count: &i32| {
        *next += count;
        Some(*next - count)
    };
    counts.iter().scan(0, place).collect()
}
