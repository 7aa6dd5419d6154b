//! More than one machine: training over MPI, and devices that learn together.
//!
//! The package `gradus-mpi`, in the folder `mpi/` of the repository, trains in many processes with the bits of one. It
//! is a package of its own because it needs an MPI library. Its documentation has the design; this page says when to
//! use it, and how.
//!
//! MPI numbers the processes of a program and calls them *ranks*; R is how many there are. A *shard* is a fixed part of
//! the samples of a step, and S is how many there are. Each rank works on some of the shards.
//!
//! ```text
//! let mut trainer = Sharded::new(&world, Adam::new(1e-3), params.len(), Shards(64))?;
//! trainer.load("run", &mut params)?; // goes on from the newest checkpoint, if there is one
//! while trainer.steps() < steps {
//!     let loss = trainer.step(&mut params, |params, shard, grads| /* adds this shard's gradients, returns its loss */)?;
//! }
//! trainer.save("run", &params)?;
//! ```
//!
//! # When it pays
//!
//! Each rank computes gradients for 1/R of the samples, and sends about two numbers for each parameter. That pays if
//! computing the gradients takes longer than the exchange. For each parameter the exchange takes about
//!
//! | between ranks | exchange |
//! |---|--:|
//! | 1 Gbit/s | 64 ns |
//! | 10 Gbit/s | 6.4 ns |
//! | 100 Gbit/s | 0.64 ns |
//! | one machine's memory (measured, `docs/mpi.md`) | 1.5 ns |
//!
//! A dense layer computes six operations for each parameter and sample, which take 0.6 ns on a core of 10 GFLOP/s. So a
//! handful of samples for each rank is enough where the ranks share a machine. Machines need ten samples each at 10
//! Gbit/s, and a hundred at 1 Gbit/s. Networks that use a weight many times, such as convolutional ones, need fewer. If
//! a program uses all cores of a machine by [`Exec::threads`](crate::Exec::threads), run one rank on each machine.
//!
//! The memory for the state always shrinks: each rank has 1/R of it.
//!
//! # How many shards
//!
//! S is part of the definition of a run: it must not change. It has to be a power of two. Take at least the largest
//! number of ranks that you may ever use, and at most the number of samples of a batch; 16 unless there is a reason for
//! another number. Clearing and adding up the gradients of a shard takes 0.2 ns for each parameter. A rank sends least
//! where R is a power of two; otherwise it may send up to `2 log2 S` sums in place of one.
//!
//! # How to launch
//!
//! You need an MPI library (Debian: `libopenmpi-dev openmpi-bin libclang-dev clang`), and a directory for checkpoints
//! that all ranks see. MPICH 4.0 passes the same tests; its ranks spin while they wait, so give each a processor of its
//! own. `mpirun -n 4 program` starts four ranks by hand. A script for Slurm is
//!
//! ```text
//! #!/bin/sh
//! #SBATCH --nodes=4 --ntasks-per-node=1 --cpus-per-task=16 --time=04:00:00 --requeue
//! srun --mpi=pmix ./program
//! ```
//!
//! `srun --mpi=list` prints which kinds of MPI it knows. A job that was stopped or has lost a node may start again with
//! any number of ranks up to S. `load` finds the newest complete checkpoint, and the steps since then are repeated with
//! the same bits.
//!
//! # What stays bit-identical
//!
//! - Parameters, state and loss have the same bits for 1 to S ranks, even if their number changes at a checkpoint. They
//!   have them on a mixture of x86-64 and aarch64 too, if your gradients have.
//! - This crate alone gives the same bits, if it adds the gradients of the S shards in the same order, as a binary
//!   tree. The example `digits` of `mpi/` prints one hash for `--alone` and for any number of ranks.
//! - All this holds with weight decay for some tensors only, with states of half the size, with clips by the global
//!   norm and with skipped steps.
//! - Shuffles and dropout keep it if they depend on seed, epoch and sample only. The type `Chance` draws such numbers.
//!
//! # What does not
//!
//! - Another S gives other bits, because sums have another order. A checkpoint of another S is refused.
//! - The clip by the global norm sums in an order of its own. Its last bits differ from those of
//!   [`ClipNorm::scale`](crate::transform::ClipNorm::scale).
//! - What you compute from the number of a rank, from the time, or in an order that threads choose, is yours to keep
//!   apart.
//!
//! More ranks than shards are refused, because a rank would have nothing to do. There is no C interface to the package
//! yet.
//!
//! # A fleet of devices
//!
//! Some devices must keep their data to themselves, or have a slow connection. In federated learning they learn alone
//! for a while and then send their weights (McMahan et al., 2017). The server takes the mean of their changes as a
//! gradient, and an optimizer steps along it (Reddi et al., 2021). With [`Sgd`](crate::Sgd) at a rate of 1 that is
//! FedAvg, with [`Momentum`](crate::Momentum) FedAvgM, with [`Adam`](crate::Adam) FedAdam. The server adds in the order
//! of the devices' numbers, so that the result depends on who took part and not on who answered first.
//!
//! `gallery/src/fleet.rs` in the repository is such a fleet of twenty devices. Most have two or three of ten classes,
//! and six in ten are awake in a round:
//!
#![doc = include_str!("../../docs/fleet.md")]
//!
#![doc = include_str!("../../docs/fleet.svg")]
//!
//! If the data may be in one place, train there. It reaches 95 % after two rounds, where this fleet takes thirty with
//! FedAvgM, and the fleet ends one point lower. The cause is that the devices have different data. Where their data are
//! alike, in the second row, they take six rounds and end as high. Otherwise each device drifts to its own classes, and
//! the fewer are awake, the more it shows. A server with a memory, by FedAvgM or FedAdam, makes up for much of that.
