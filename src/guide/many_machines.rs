//! More than one machine: training over MPI, and devices that learn together.
//!
//! The package `mpi/` (`gradus-mpi`, apart from this crate, which needs no system library) trains on many processes with the
//! bits of one. Its page of documentation has the design; this one says when to use it, and how.
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
//! R ranks each form 1/R of the gradients, and exchange two numbers a parameter. So the gradients of a step must take longer
//! than the exchange, which per parameter takes about
//!
//! | between ranks | exchange |
//! |---|--:|
//! | 1 Gbit/s | 64 ns |
//! | 10 Gbit/s | 6.4 ns |
//! | 100 Gbit/s | 0.64 ns |
//! | one machine's memory (measured, `docs/mpi.md`) | 1.5 ns |
//!
//! A dense layer computes six operations for each parameter and sample: at 10 GFLOP/s a core 0.6 ns. For ranks on one machine
//! a handful of samples each is enough, for machines at 10 Gbit/s ten each, at 1 Gbit/s a hundred. Networks that use a weight
//! many times (convolutions) need fewer. Where one process fills a machine with [`Exec::threads`](crate::Exec::threads), let
//! a machine be one rank.
//!
//! What always shrinks is the state: each rank has 1/R of it.
//!
//! # How many shards
//!
//! Their number S is part of the run's definition. Take a power of two: as many as there may ever be ranks, and no more
//! samples than there are in a batch; 16 unless there is a reason. Every shard costs a gradient to be cleared and joined,
//! 0.2 ns a parameter. Ranks that are a power of two send least; for others a rank sends up to `2 log2 S` sums in place of one.
//!
//! # How to launch
//!
//! It takes an MPI library (Debian: `libopenmpi-dev openmpi-bin libclang-dev clang`), and a directory for checkpoints that all
//! ranks see. By hand `mpirun -n 4 program`; under Slurm
//!
//! ```text
//! #!/bin/sh
//! #SBATCH --nodes=4 --ntasks-per-node=1 --cpus-per-task=16 --time=04:00:00 --requeue
//! srun --mpi=pmix ./program
//! ```
//!
//! (`srun --mpi=list` says which kinds it knows.) A job that is stopped, requeued, or loses a node begins anew with any number
//! of ranks up to S, and `load` finds the newest complete checkpoint. The steps since are done again, to the same bits.
//!
//! # What stays bit-identical
//!
//! - Parameters, state and loss, for 1 to S ranks, also if their number changes at a checkpoint; also where ranks are of unlike
//!   kinds, x86-64 and aarch64, as long as the caller's gradients are.
//! - With one rank and S shards the same as this crate alone, where the gradients of the shards are added as a tree: the example
//!   `digits` of `mpi/` prints one hash for `--alone` and for any `-n`.
//! - Weight decay by tensor, states of half the size, clips by the global norm, steps that are skipped.
//! - Shuffles and dropout, where they ask seed, epoch and sample: `Chance`.
//!
//! # What does not
//!
//! - R > S is refused: a rank would have nothing to do.
//! - Another S is another run: sums have another order. A checkpoint of another S is refused.
//! - The clip of many ranks has an order of its own for the norm, and differs in the last bits from
//!   [`ClipNorm::scale`](crate::transform::ClipNorm::scale).
//! - Whatever the caller computes from a rank's number, from time, or in an order that threads choose.
//!
//! There is no C interface to it, for now.
//!
//! # A fleet of devices
//!
//! Devices whose data must not leave them, or whose line is slow, learn for a while alone and send their weights (McMahan et al., 2017).
//! The server takes the mean of the differences for a gradient, and any optimizer of this crate steps along it (Reddi et
//! al., 2021): [`Sgd`](crate::Sgd) at a rate of 1 is FedAvg, [`Momentum`](crate::Momentum) FedAvgM, [`Adam`](crate::Adam) FedAdam.
//! It adds in the order of the devices' numbers, so that the result depends on who took part and not on who was first.
//! `gallery/src/fleet.rs` is such a fleet of twenty, most with two or three of ten classes, of which six in ten are awake in a round:
//!
#![doc = include_str!("../../docs/fleet.md")]
//!
#![doc = include_str!("../../docs/fleet.svg")]
//!
//! Where the data may be in one place, train there: two rounds of it reach what takes this fleet thirty, and the fleet ends one
//! point lower. That is the price of unlike data: with like data, the second line, six rounds reach the same, and the end is equal.
//! Devices drift apart, each to its own classes, and the more so the fewer are awake; a server with a memory, FedAvgM or FedAdam,
//! makes up for that.
