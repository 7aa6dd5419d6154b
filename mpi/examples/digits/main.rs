//! The lecture's network on 1797 handwritten digits, by any number of ranks to the same bits.
//!
//! ```text
//! cd mpi && cargo build --release --example digits
//! mpirun -n 2 target/release/examples/digits --checkpoints run     # stop it, and go on with -n 3
//! target/release/examples/digits --alone                           # without MPI: the same hash
//! ```

mod task;

use digits::data::{COUNT, DIGITS};
use digits::network::Lecture;
use digits::training::{Network, split};
use gradus::schedule::{Cosine, Schedule};
use gradus::store::Family;
use gradus::transform::Scale;
use gradus::{AnyOptimizer, Exec, Optimizer, Visitor};
use gradus_mpi::{Sharded, Shards};
use lexopt::{Arg, ValueExt};
use mpi::traits::Communicator;
use std::error::Error;
use std::fmt::Debug;
use std::path::PathBuf;
use task::{BATCH, PARAMS, Task, hash, tree_sum};

const HELP: &str = "\
mpirun -n RANKS digits [OPTIONS]

  --optimizer NAME    [default: adam, with a rate of 0.005]
  --epochs NUMBER     [default: 10]
  --shards NUMBER     parts of a batch, a power of two [default: 16]
  --checkpoints DIR   saves after every epoch, and goes on from the newest
  --alone             one process without MPI";

struct Options {
    optimizer: AnyOptimizer,
    epochs: u32,
    shards: Shards,
    checkpoints: Option<PathBuf>,
    alone: bool,
}

fn options() -> Result<Option<Options>, Box<dyn Error>> {
    let optimizer = gradus::Adam::new(0.005).into();
    let mut options =
        Options { optimizer, epochs: 10, shards: Shards::default(), checkpoints: None, alone: false };
    let mut words = lexopt::Parser::from_env();
    while let Some(word) = words.next()? {
        match word {
            Arg::Long("optimizer") => options.optimizer = words.value()?.parse()?,
            Arg::Long("epochs") => options.epochs = words.value()?.parse()?,
            Arg::Long("shards") => options.shards = Shards(words.value()?.parse()?),
            Arg::Long("checkpoints") => options.checkpoints = Some(words.value()?.into()),
            Arg::Long("alone") => options.alone = true,
            Arg::Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

fn main() -> Result<(), Box<dyn Error>> {
    match options()? {
        Some(options) => options.optimizer.visit(&options),
        None => {
            println!("{HELP}");
            Ok(())
        }
    }
}

impl Visitor for &Options {
    type Out = Result<(), Box<dyn Error>>;

    fn visit<O: Optimizer<Family = O> + Family + Debug>(self, optimizer: O) -> Self::Out {
        let optimizer = optimizer.with(Scale(1.0 / BATCH as f32));
        if self.alone { self.alone(optimizer) } else { self.together(optimizer) }
    }
}

impl Options {
    /// On all ranks.
    fn together<F: Optimizer<Family = F> + Family>(
        &self,
        optimizer: impl Optimizer<Family = F> + Debug,
    ) -> Result<(), Box<dyn Error>> {
        let universe = mpi::initialize().ok_or("MPI is running already")?;
        let world = universe.world();
        let (task, mut loss) = (Task::new(1, self.shards), 0.0);
        let mut params = task.params();
        let mut trainer = Sharded::new(&world, optimizer, PARAMS, self.shards)?;
        if let Some(dir) = &self.checkpoints {
            trainer.load(dir, &mut params)?;
        }
        let schedule = Cosine::new(optimizer.lr(), self.epochs * task.epoch());
        while trainer.steps() < self.epochs * task.epoch() {
            let step = trainer.steps();
            trainer.optimizer = optimizer.with_lr(schedule.at(trainer.t()));
            loss = trainer
                .step(&mut params, |params, shard, grads| task.gradients(step, params, shard, grads))?;
            match &self.checkpoints {
                Some(dir) if trainer.steps() % task.epoch() == 0 => trainer.save(dir, &params)?,
                _ => {}
            }
        }
        if world.rank() == 0 {
            report(loss, &params);
            println!("{} bytes sent by each of {} ranks", trainer.bytes_sent(), world.size());
        }
        Ok(())
    }

    /// In one process, by the crate alone.
    fn alone(&self, optimizer: impl Optimizer) -> Result<(), Box<dyn Error>> {
        let (task, mut loss) = (Task::new(1, self.shards), 0.0);
        let mut params = task.params();
        let mut state = optimizer.state_vec(PARAMS);
        let schedule = Cosine::new(optimizer.lr(), self.epochs * task.epoch());
        for step in 0..self.epochs * task.epoch() {
            let mut losses = vec![0.0; self.shards.0];
            let grads = tree_sum(0..self.shards.0, &mut |shard| {
                let mut grads = vec![0.0; PARAMS];
                losses[shard] = task.gradients(step, &params, shard, &mut grads);
                grads
            });
            loss = tree_sum(0..self.shards.0, &mut |shard| vec![losses[shard]])[0];
            optimizer.with_lr(schedule.at(state.t())).step_slices(&mut params, &grads, state.as_mut())?;
        }
        report(loss, &params);
        Ok(())
    }
}

fn report(loss: f32, params: &[f32]) {
    let mut order = [0; COUNT];
    let train = split(&DIGITS, &mut order);
    let mut network = Network::<Lecture, PARAMS>::new();
    network.params.copy_from_slice(params);
    let accuracy =
        network.score(Exec::new(), &DIGITS, &order[train..]).map_or(f32::NAN, |score| 100.0 * score.accuracy);
    let loss = loss / BATCH as f32;
    println!("loss of the last batch {loss}, test accuracy {accuracy:.2} %, hash {:016x}", hash(params));
}
