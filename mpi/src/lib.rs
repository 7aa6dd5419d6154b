//! Data-parallel training with [`gradus`] over MPI: the same bits for any number of ranks.
//!
//! ```no_run
//! use gradus::Adam;
//! use gradus_mpi::{Sharded, Shards};
//!
//! let universe = mpi::initialize().ok_or("MPI is running already")?;
//! let world = universe.world();
//! let mut params = vec![0.0; 1_000_000];
//! let mut trainer = Sharded::new(&world, Adam::new(1e-3), params.len(), Shards(64))?;
//! trainer.load("run", &mut params)?; // goes on from the newest checkpoint, if there is one
//! while trainer.steps() < 1000 {
//!     let loss = trainer.step(&mut params, |params, shard, grads| {
//!         // adds the gradients of this shard's samples to `grads`, and returns their loss
//! #       let _ = (params, shard, grads);
//!         0.0
//!     })?;
//!     if trainer.steps() % 100 == 0 {
//!         trainer.save("run", &params)?;
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Design
//!
//! A batch is cut into S [shards](Shards), whose number belongs to the run as its seed does. A rank takes a range of them.
//! The gradients of each shard are formed as on one machine, and shards are added in one binary tree over their numbers,
//! which knows nothing of ranks: therefore 1, 3 or 64 of them reach the same bits. MPI's own `reduce` adds in an order of its
//! own choice, and adds nothing here.
//!
//! ```text
//! rank 0   shards 0 1 2 3   gradients, added up the tree   \   / slice 0: add, step   \
//! rank 1   shards 4 5 6 7                                   \ /                        \  all parameters
//! rank 2   shards 8 9 ..                                    / \                        /  on every rank
//! rank 3   shards 12 ..                                    /   \ slice 3: add, step   /
//!                                                       MPI_Alltoallv             MPI_Allgatherv
//! ```
//!
//! 1. A rank joins its shards as far as the tree goes within them. If the ranks divide the shards evenly into powers of
//!    two, one sum is left, else at most 2 log2 S.
//! 2. It sends every other rank that one's slice of these sums, and adds what it gets for its own, higher up in the tree.
//! 3. It steps its slice alone. So the state of the optimizer exists once in the whole machine (the first stage of ZeRO:
//!    Rajbhandari et al., 2020).
//! 4. Every rank gets all slices of the parameters.
//!
//! Per step and rank that is `2 N (R - 1) / R` numbers where R is a power of two, what a ring all-reduce takes, and
//! `(k + 1) N (R - 1) / R` where a rank is left with k sums: on average 2.2 N for 3, 5 or 7 ranks with 16 shards, 3.1 N, 3.5 N
//! and 3.6 N with 64. Memory: `log2(S / R) + 1` gradients, as many as a path in the tree has levels, at least an eighth of one
//! for what is received, and `1 / R` of the state.
//!
//! Tensors of a list ([`Sharded::with_tensors`]) lie one behind the other, each with its transform. Slices cut them at
//! multiples of 256 from their start alone, and no bit shows where: not in states of half the size, whose dither goes by the
//! place in a tensor, and not in the global norm, whose blocks are the same 256 numbers. Limits of rows
//! ([`MaxNorm`](gradus::transform::MaxNorm)) and whatever else needs whole tensors act after the step, on every rank.
//!
//! # What can go wrong
//!
//! Before ranks exchange megabytes they exchange some words: whether they have the same number of parameters, the same
//! hyper-parameters, the same step. Where they do not, every rank gets the same [`Error`], and nothing was modified. A rank
//! that dies takes the run with it, as MPI has it; any number of ranks goes on from the newest complete checkpoint
//! ([`Sharded::save`]), with the bits of a run that was never disturbed.
//!
//! The calls of the library are collective: every rank makes the same ones, in the same order. What a rank adds to the
//! gradients must not depend on its number; for shuffling and dropout there is [`Chance`].
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod chance;
mod checkpoint;
mod error;
mod exchange;
mod layout;
mod norm;
mod trainer;
mod tree;

pub use chance::Chance;
pub use error::Error;
pub use layout::Shards;
pub use trainer::{Phase, Sharded};
