//! A step beside a bare `MPI_Allreduce` of the same gradients with the whole step on each rank; S = R.
//!
//! ```text
//! cd mpi && cargo build --release --example bench
//! mpirun -n 2 target/release/examples/bench          # an idle machine, half a minute
//! ```

use gradus::{Adam, Optimizer};
use gradus_mpi::{Phase, Sharded, Shards};
use mpi::collective::SystemOperation;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};
use std::cell::RefCell;
use std::time::Instant;

const PHASES: [&str; 5] = ["gradients", "agreement", "sum of the slice", "step of the slice", "gather"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let universe = mpi::initialize().ok_or("MPI is running already")?;
    let world = universe.world();
    for (n, turns) in [(1_000_000, 41), (16_000_000, 11)] {
        bench(&world, n, turns)?;
    }
    local_tree(&world, 1_000_000)
}

/// Milliseconds since `start`, of the slowest rank.
fn slowest(world: &SimpleCommunicator, start: Instant) -> f64 {
    let own = start.elapsed().as_secs_f64() * 1e3;
    let mut all = vec![0.0; world.size() as usize];
    world.all_gather_into(&own, &mut all[..]);
    all.into_iter().fold(0.0, f64::max)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn bench(world: &SimpleCommunicator, n: usize, turns: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (ranks, adam) = (world.size() as usize, Adam::new(1e-3));
    let gradient: Vec<f32> = (0..n).map(|i| (i % 1000) as f32 * 1e-3 - 0.5).collect();

    let phases = RefCell::new((Instant::now(), vec![Vec::new(); PHASES.len()]));
    let mut trainer =
        Sharded::new(world, adam, n, Shards(ranks.next_power_of_two()))?.observe(|phase: Phase| {
            let (last, times) = &mut *phases.borrow_mut();
            times[phase as usize].push(last.elapsed().as_secs_f64() * 1e3);
            *last = Instant::now();
        });
    let mut params = vec![0.0; n];

    let (mut whole, mut state) = (vec![0.0; n], adam.state_vec(n));
    let (mut grads, mut sum) = (vec![0.0; n], vec![0.0; n]);

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        world.barrier();
        let start = Instant::now();
        phases.borrow_mut().0 = start;
        trainer.step(&mut params, |_, _, grads| {
            grads.copy_from_slice(&gradient);
            0.0
        })?;
        ours.push(slowest(world, start));

        world.barrier();
        let start = Instant::now();
        grads.copy_from_slice(&gradient);
        world.all_reduce_into(&grads[..], &mut sum[..], SystemOperation::sum());
        adam.step_slices(&mut whole, &sum, state.as_mut())?;
        theirs.push(slowest(world, start));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let numbers: usize = trainer.state().columns().iter().map(Vec::len).sum();
    if world.rank() == 0 {
        println!(
            "{n} parameters, {ranks} ranks: {ours:.2} ms, MPI_Allreduce and the whole step {theirs:.2} ms: {:.2}",
            ours / theirs
        );
        let sent = trainer.bytes_sent() as f64 / turns as f64 / 4.0 / n as f64;
        println!("  {sent:.3} N numbers sent a step, {:.3} N numbers of state", numbers as f64 / n as f64);
        for (name, times) in PHASES.iter().zip(&phases.borrow().1) {
            println!("  {name:18} {:6.2} ms", median(times.clone()));
        }
    }
    Ok(())
}

/// What it costs to form sums within a rank, with nothing to compute.
fn local_tree(world: &SimpleCommunicator, n: usize) -> Result<(), Box<dyn std::error::Error>> {
    let ranks = world.size() as usize;
    for shards in [1, 2, 4, 8].map(|shards| shards * ranks.next_power_of_two()) {
        let times = RefCell::new((Instant::now(), Vec::new()));
        let mut trainer = Sharded::new(world, Adam::new(1e-3), n, Shards(shards))?.observe(|phase| {
            let (start, times) = &mut *times.borrow_mut();
            match phase {
                Phase::Gradients => times.push(start.elapsed().as_secs_f64() * 1e3),
                _ => *start = Instant::now(),
            }
        });
        let mut params = vec![0.0; n];
        for _ in 0..21 {
            trainer.step(&mut params, |_, _, _| 0.0)?;
        }
        let own = trainer.shards().len();
        drop(trainer);
        if world.rank() == 0 {
            println!(
                "{n} parameters, {own} shards a rank: {:.2} ms to clear and join gradients",
                median(times.into_inner().1)
            );
        }
    }
    Ok(())
}
