//! What ranks run: tests that are ignored unless `mpirun` asks for one.

use crate::task::{BATCH, PARAMS, Task, hash, tree_sum};
use gradus::store::{Family, Load};
use gradus::transform::{ClipNorm, L2, MaxNorm, Scale};
use gradus::*;
use gradus_mpi::{Error, Phase, Sharded, Shards};
use mpi::environment::Universe;
use mpi::traits::Communicator;
use std::fmt::Debug;
use std::path::PathBuf;
use std::process::Command;

fn universe() -> Universe {
    mpi::initialize().expect("the first call")
}

fn argument(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// A line for the test.
fn say(line: impl std::fmt::Display) {
    println!("\n> {line}");
}

/// Calls `$call(optimizer, name, argument)` for every optimizer, and one with a state of half the size.
macro_rules! each {
    (($call:ident, $argument:expr) $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {
        $($call($optimizer::default(), $name, $argument);)*
        $call(Adam::default().half(), "half", $argument);
    };
}

const STEPS: u32 = 45;

fn train<O: Optimizer + Debug>(optimizer: O, name: &str, universe: &Universe) {
    let (world, task) = (universe.world(), Task::new(1, Shards::default()));
    let optimizer = optimizer.with(Scale(1.0 / BATCH as f32));
    let mut params = task.params();
    let mut trainer = Sharded::new(&world, optimizer, PARAMS, task.shards).expect("a good run");
    let mut total = 0.0;
    for step in 0..STEPS {
        let gradients = |params: &[f32], shard, grads: &mut [f32]| task.gradients(step, params, shard, grads);
        total += trainer.step(&mut params, gradients).expect("a good step");
    }
    if world.rank() == 0 {
        say(format!("{name} {total} {:016x}", hash(&params)));
    }
}

#[test]
#[ignore = "for mpirun"]
fn every_optimizer() {
    let universe = universe();
    gradus::__optimizers!(each!(train, &universe));
}

/// The same by the crate alone.
fn train_alone<O: Optimizer>(optimizer: O, name: &str, lines: &mut Vec<String>) {
    let task = Task::new(1, Shards::default());
    let optimizer = optimizer.with(Scale(1.0 / BATCH as f32));
    let (mut params, mut state, mut total) = (task.params(), optimizer.state_vec(PARAMS), 0.0);
    for step in 0..STEPS {
        let mut losses = vec![0.0; task.shards.0];
        let grads = tree_sum(0..task.shards.0, &mut |shard| {
            let mut grads = vec![0.0; PARAMS];
            losses[shard] = task.gradients(step, &params, shard, &mut grads);
            grads
        });
        total += tree_sum(0..task.shards.0, &mut |shard| vec![losses[shard]])[0];
        optimizer.step_slices(&mut params, &grads, state.as_mut()).expect("equal lengths");
    }
    lines.push(format!("{name} {total} {:016x}", hash(&params)));
}

pub fn every_optimizer_alone() -> Vec<String> {
    let mut lines = Vec::new();
    gradus::__optimizers!(each!(train_alone, &mut lines));
    lines
}

/// Lists of tensors, empty and uneven ones among them, with their weight decays.
const SHAPES: [&[(usize, f32)]; 9] = [
    &[],
    &[(0, 0.0)],
    &[(1, 0.1)],
    &[(255, 0.1)],
    &[(257, 0.1)],
    &[(3, 0.5), (1000, 0.1), (0, 0.2), (7, 0.0)],
    &[(256, 0.1), (512, 0.0), (1, 0.3)],
    &[(5000, 0.2)],
    &[(100, 0.1); 30],
];

/// A gradient of any shard, as unlike as they come.
fn gradient(step: u32, params: &[f32], shard: usize, grads: &mut [f32]) -> f32 {
    for (i, (g, p)) in grads.iter_mut().zip(params).enumerate() {
        let place = (i as u32).wrapping_mul(2_654_435_761);
        let noise = (place ^ (97 * shard as u32 + 31 * step)).wrapping_mul(2_246_822_519);
        *g += (p - 1.0) * (1.0 + shard as f32) + (noise >> 8) as f32 / 1e7;
    }
    1.0 / (1.0 + shard as f32 + step as f32)
}

fn shape<O: Optimizer + Debug>(universe: &Universe, tensors: &[(usize, f32)], optimizer: O) {
    let world = universe.world();
    let list = tensors.iter().map(|(n, decay)| (*n, L2::weight_decay(*decay)));
    let mut trainer = Sharded::with_tensors(&world, optimizer, list, Shards(8)).expect("a good run");
    let mut params = vec![0.0; tensors.iter().map(|(n, _)| n).sum()];
    let mut total = 0.0;
    for step in 0..70 {
        let gradients = |params: &[f32], shard, grads: &mut [f32]| gradient(step, params, shard, grads);
        total += trainer.step(&mut params, gradients).expect("a good step");
        limit_rows(&mut params);
    }
    if world.rank() == 0 {
        say(format!("{} {total} {:016x}", params.len(), hash(&params)));
    }
}

/// After the gather every rank has all rows.
fn limit_rows(params: &mut [f32]) {
    if params.len().is_multiple_of(100) {
        MaxNorm { row: 100, limit: 8.0 }.apply(Exec::new(), params).expect("whole rows");
    }
}

#[test]
#[ignore = "for mpirun"]
fn shapes() {
    let universe = universe();
    for tensors in SHAPES {
        shape(&universe, tensors, AdamW::new(0.01));
        shape(&universe, tensors, Adam::new(0.01).half());
        shape(&universe, tensors, Nadam::new(0.01).with(Scale(0.125)));
    }
}

fn shape_alone<O: Optimizer>(lines: &mut Vec<String>, tensors: &[(usize, f32)], optimizer: O) {
    let n = tensors.iter().map(|(n, _)| n).sum();
    let mut params = vec![0.0; n];
    let mut states: Vec<_> = tensors.iter().map(|(n, _)| optimizer.state_vec(*n)).collect();
    let (mut clock, mut total) = (Clock::new(), 0.0);
    for step in 0..70 {
        let mut losses = [0.0; 8];
        let grads = tree_sum(0..8, &mut |shard| {
            let mut grads = vec![0.0; n];
            losses[shard] = gradient(step, &params, shard, &mut grads);
            grads
        });
        total += tree_sum(0..8, &mut |shard| vec![losses[shard]])[0];
        let (mut list, mut rest, mut from) = (Vec::new(), &mut params[..], &grads[..]);
        for (state, (n, decay)) in states.iter_mut().zip(tensors) {
            let (params, others) = rest.split_at_mut(*n);
            let (grads, more) = from.split_at(*n);
            (rest, from) = (others, more);
            list.push(Tensor::new(params, grads, state.as_mut()).with(L2::weight_decay(*decay)));
        }
        optimizer.step_tensors(&mut list, &mut clock).expect("equal lengths");
        drop(list);
        limit_rows(&mut params);
    }
    lines.push(format!("{n} {total} {:016x}", hash(&params)));
}

pub fn shapes_alone() -> Vec<String> {
    let mut lines = Vec::new();
    for tensors in SHAPES {
        shape_alone(&mut lines, tensors, AdamW::new(0.01));
        shape_alone(&mut lines, tensors, Adam::new(0.01).half());
        shape_alone(&mut lines, tensors, Nadam::new(0.01).with(Scale(0.125)));
    }
    lines
}

/// Clipping, against the clip of the crate, whose order is another; steps that are skipped.
#[test]
#[ignore = "for mpirun"]
fn limits() {
    let universe = universe();
    let world = universe.world();
    for (tensors, scale) in
        [(vec![5000], 1.0), (vec![3, 1000, 700], 1.0), (vec![600], 1e30), (vec![600], 1e-30)]
    {
        let n: usize = tensors.iter().sum();
        let clip = ClipNorm { max_norm: 3.0 };
        let list = tensors.iter().map(|n| (*n, ()));
        let trainer = Sharded::with_tensors(&world, Sgd::new(1.0), list, Shards(8)).expect("a good run");
        let mut trainer = trainer.clip(clip);
        let mut params = vec![0.0; n];
        for step in 0..3 {
            let before = params.clone();
            let gradients = |params: &[f32], shard, grads: &mut [f32]| {
                gradient(step, params, shard, grads);
                grads.iter_mut().for_each(|g| *g *= scale);
                1.0
            };
            trainer.step(&mut params, gradients).expect("a good step");
            // By the crate alone, within rounding.
            let sum = tree_sum(0..8, &mut |shard| {
                let mut grads = vec![0.0; n];
                gradient(step, &before, shard, &mut grads);
                grads.iter_mut().for_each(|g| *g *= scale);
                grads
            });
            let Scale(factor) = clip.scale(Exec::new(), &[&sum]).expect("a finite norm");
            assert_eq!(factor < 1.0, scale >= 1.0);
            for ((new, old), g) in params.iter().zip(&before).zip(&sum) {
                let want = old - factor * g;
                assert!((new - want).abs() <= 1e-6 * want.abs(), "{new:e} {want:e}");
            }
        }
        if world.rank() == 0 {
            say(format!("{n} {:016x}", hash(&params)));
        }
    }
    // NaN in one shard, at the far end of the tensor; infinity that only the sum has.
    for bad in [[f32::NAN, 0.0], [f32::MAX, f32::MAX]] {
        let mut trainer =
            Sharded::new(&world, Adam::new(0.01), 3000, Shards(8)).expect("a good run").skip_non_finite();
        let mut params = vec![0.0; 3000];
        for step in 0..10 {
            let before = params.clone();
            let gradients = |params: &[f32], shard: usize, grads: &mut [f32]| {
                let loss = gradient(step, params, shard, grads);
                if step % 4 == 1 && shard < 2 {
                    grads[2999] = bad[shard];
                }
                loss
            };
            trainer.step(&mut params, gradients).expect("a good step");
            assert_eq!(params == before, step % 4 == 1);
        }
        assert_eq!((trainer.steps(), trainer.t(), trainer.skipped()), (10, 7, 3));
        if world.rank() == 0 {
            say(format!("skipped {:016x}", hash(&params)));
        }
    }
}

/// Parameters enough for several messages, and no multiple of anything.
pub const MANY: u32 = 400_003;

/// Two steps of many parameters: mean bytes sent a step, numbers of state, hash.
#[test]
#[ignore = "for mpirun"]
fn many() {
    let universe = universe();
    let world = universe.world();
    let n = MANY as usize;
    let mut trainer = Sharded::new(&world, Adam::new(0.01), n, Shards(64)).expect("a good run");
    let mut params = vec![0.0; n];
    for step in 0..2 {
        let gradients = |params: &[f32], shard, grads: &mut [f32]| gradient(step, params, shard, grads);
        trainer.step(&mut params, gradients).expect("a good step");
    }
    let state: usize = trainer.state().columns().iter().map(Vec::len).sum();
    // The mean over ranks: those whose shards are fewer subtrees send less.
    let mut all = vec![0_u64; world.size() as usize];
    mpi::traits::CommunicatorCollectives::all_gather_into(&world, &trainer.bytes_sent(), &mut all[..]);
    let sent = all.iter().sum::<u64>() / all.len() as u64 / 2;
    say(format!("{sent} {state} {:016x}", hash(&params)));
}

pub fn many_alone() -> String {
    let (n, adam) = (MANY as usize, Adam::new(0.01));
    let (mut params, mut state) = (vec![0.0; n], adam.state_vec(n));
    for step in 0..2 {
        let grads = tree_sum(0..64, &mut |shard| {
            let mut grads = vec![0.0; n];
            gradient(step, &params, shard, &mut grads);
            grads
        });
        adam.step_slices(&mut params, &grads, state.as_mut()).expect("equal lengths");
    }
    format!("{:016x}", hash(&params))
}

/// What a rank does that is not rank 0, and the error that every rank gets.
pub struct Case {
    pub name: &'static str,
    pub error: &'static str,
    run: fn(&mpi::topology::SimpleCommunicator, bool) -> Result<(), Error>,
}

type Trainer<'a> = Sharded<'a, Adam>;

pub const DISAGREEMENTS: &[Case] = &[
    Case {
        name: "n",
        error: "rank 1 and rank 0 disagree: the number of parameters",
        run: |world, other| {
            Trainer::new(world, Adam::new(0.1), 1000 + usize::from(other), Shards(8)).map(drop)
        },
    },
    Case {
        name: "shards",
        error: "rank 1 and rank 0 disagree: the number of shards",
        run: |world, other| {
            Trainer::new(world, Adam::new(0.1), 1000, Shards(if other { 8 } else { 16 })).map(drop)
        },
    },
    Case {
        name: "tensors",
        error: "rank 1 and rank 0 disagree: the tensors and their transforms",
        run: |world, other| {
            let decay = L2::weight_decay(if other { 0.1 } else { 0.2 });
            Sharded::with_tensors(world, Adam::new(0.1), [(10, decay)], Shards(8)).map(drop)
        },
    },
    Case {
        name: "rate",
        error: "rank 1 and rank 0 disagree: the hyper-parameters",
        run: |world, other| {
            Trainer::new(world, Adam::new(if other { 0.1 } else { 0.100_000_01 }), 9, Shards(8)).map(drop)
        },
    },
    Case {
        name: "state",
        error: "rank 1 and rank 0 disagree: the kind of state",
        run: |world, other| match other {
            true => Sharded::new(world, Adam::new(0.1).half(), 9, Shards(8)).map(drop),
            false => Sharded::new(world, Adam::new(0.1), 9, Shards(8)).map(drop),
        },
    },
    Case {
        name: "power",
        error: "12 shards: the number must be a power of two",
        run: |world, _| Trainer::new(world, Adam::new(0.1), 9, Shards(12)).map(drop),
    },
    Case {
        name: "zero",
        error: "0 shards: the number must be a power of two",
        run: |world, _| Trainer::new(world, Adam::new(0.1), 9, Shards(0)).map(drop),
    },
    Case {
        name: "range",
        error: "learning rate must be finite and at least 0",
        run: |world, _| Trainer::new(world, Adam::new(-1.0), 9, Shards(8)).map(drop),
    },
    Case {
        name: "size",
        error: "2147483648 parameters: at most 2^31 - 1 are possible",
        run: |world, _| Trainer::new(world, Adam::new(0.1), 1 << 31, Shards(8)).map(drop),
    },
    Case {
        name: "length",
        error: "rank 1: 999 parameters where 1000 were expected",
        run: |world, other| {
            steps(world, |trainer, params| {
                trainer.step(&mut params[usize::from(other)..], |_, _, _| 0.0).map(drop)
            })
        },
    },
    Case {
        name: "schedule",
        error: "rank 1 and rank 0 disagree: the hyper-parameters",
        run: |world, other| {
            steps(world, |trainer, params| {
                trainer.optimizer.lr = if other { 0.2 } else { 0.1 };
                let stepped = trainer.step(params, |_, _, _| 0.0).map(drop);
                trainer.optimizer.lr = 0.1;
                stepped
            })
        },
    },
    Case {
        name: "params",
        error: "rank 1 and rank 0 disagree: the parameters",
        run: |world, other| {
            let mut trainer = Trainer::new(world, Adam::new(0.1), 1000, Shards(8))?;
            let mut params = vec![0.0; 1000];
            params[999] = if other { 1e-45 } else { 0.0 };
            trainer.step(&mut params, |_, _, _| 0.0).map(drop)
        },
    },
    Case {
        name: "clip",
        error: "rank 1 and rank 0 disagree: the step",
        run: |world, other| {
            let trainer = Trainer::new(world, Adam::new(0.1), 1000, Shards(8))?;
            let mut trainer = if other { trainer.skip_non_finite() } else { trainer };
            trainer.step(&mut vec![0.0; 1000], |_, _, _| 0.0).map(drop)
        },
    },
    Case {
        name: "directory",
        error: "rank 0: /proc/nowhere: No such file or directory (os error 2)",
        run: |world, _| steps(world, |trainer, params| trainer.save("/proc/nowhere", params)),
    },
];

/// A run in which one call fails: nothing was modified, and the run goes on to the same end.
fn steps(
    world: &mpi::topology::SimpleCommunicator,
    fails: impl Fn(&mut Trainer<'_>, &mut Vec<f32>) -> Result<(), Error>,
) -> Result<(), Error> {
    let run = |failing: bool| {
        let mut trainer = Trainer::new(world, Adam::new(0.1), 1000, Shards(8)).expect("a good run");
        let (mut params, mut error) = (vec![0.0; 1000], Ok(()));
        for step in 0..4 {
            if failing && step == 2 {
                let before = params.clone();
                error = fails(&mut trainer, &mut params);
                assert_eq!(params, before);
            }
            let gradients = |params: &[f32], shard, grads: &mut [f32]| gradient(step, params, shard, grads);
            trainer.step(&mut params, gradients).expect("a good step");
        }
        (hash(&params), error)
    };
    let (undisturbed, _) = run(false);
    let (hash, error) = run(true);
    assert_eq!(hash, undisturbed);
    error
}

#[test]
#[ignore = "for mpirun"]
fn disagreements() {
    let universe = universe();
    let world = universe.world();
    for case in DISAGREEMENTS {
        let error = (case.run)(&world, world.rank() == 1).expect_err(case.name);
        say(format!("{}: {error}", case.name));
    }
}

#[test]
#[ignore = "for mpirun"]
fn too_many() {
    let universe = universe();
    let world = universe.world();
    say(Trainer::new(&world, Adam::new(0.1), 9, Shards(8)).map(drop).expect_err("nine ranks"));
}

/// Three runs side by side, with a checkpoint every ten steps, up to the step `UNTIL`; `KILL` ends a rank at a place.
#[test]
#[ignore = "for mpirun"]
fn run() {
    let universe = universe();
    let until = argument("UNTIL").parse().expect("a step");
    let kill = argument("KILL");
    let mut words = kill.split(' ');
    let rank = words.next().and_then(|rank| rank.parse().ok());
    if rank != Some(universe.world().rank()) {
        words = "".split(' ');
    }
    let kill = (words.next().and_then(|at| at.parse::<u32>().ok()), words.next().unwrap_or_default());
    if let (Some(after), "microseconds") = kill {
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_micros(after.into()));
            die();
        });
    }
    run_one(&universe, until, kill, "adam", Adam::new(0.005));
    run_one(&universe, until, kill, "half", Adam::new(0.005).half());
    run_one(&universe, until, kill, "nadam", Nadam::new(0.004));
}

fn run_one<O>(universe: &Universe, until: u32, (at, place): (Option<u32>, &str), name: &str, optimizer: O)
where
    O: Optimizer + Debug,
    O::Family: Family,
    StateVec<O::Family>: Load,
{
    let (world, task) = (universe.world(), Task::new(1, Shards::default()));
    let dir = PathBuf::from(argument("DIR")).join(name);
    let mut params = task.params();
    let optimizer = optimizer.with(Scale(1.0 / BATCH as f32));
    let now = std::cell::Cell::new(0);
    let trainer = Sharded::new(&world, optimizer, PARAMS, task.shards).expect("a good run");
    let mut trainer = trainer.observe(|phase: Phase| {
        if at == Some(now.get()) && format!("{phase:?}") == place {
            die();
        }
    });
    trainer.load(&dir, &mut params).expect("a good checkpoint");
    while trainer.steps() < until {
        let step = trainer.steps();
        now.set(step);
        let gradients = |params: &[f32], shard, grads: &mut [f32]| {
            if at == Some(step) && place == "shard" {
                die();
            }
            task.gradients(step, params, shard, grads)
        };
        trainer.step(&mut params, gradients).expect("a good step");
        now.set(trainer.steps());
        if trainer.steps() % 10 == 0 {
            if at == Some(now.get()) && place == "writing" {
                // The system ends a process that writes more than it may: in the middle of its slice.
                let limit = ["--fsize=5000", "--pid", &std::process::id().to_string()];
                assert!(Command::new("prlimit").args(limit).status().is_ok_and(|status| status.success()));
            }
            trainer.save(&dir, &params).expect("a written checkpoint");
        }
    }
    if world.rank() == 0 {
        say(format!("{name} {} {:016x}", trainer.steps(), hash(&params)));
    }
}

/// Ends this process as the system does where memory is short: SIGKILL, no word to the others.
fn die() {
    let killed = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
    unreachable!("{killed:?}");
}

/// Loads a checkpoint, as another run where `OTHER` says so.
#[test]
#[ignore = "for mpirun"]
fn load() {
    let universe = universe();
    let world = universe.world();
    let (dir, other) = (PathBuf::from(argument("DIR")), argument("OTHER"));
    let mut params = vec![0.5; if other == "params" { PARAMS - 1 } else { PARAMS }];
    let before = params.clone();
    let dir = dir.join(if other == "none" { "empty" } else { "adam" });
    let mean = Scale(1.0 / BATCH as f32);
    let shards = Shards(if other == "shards" { 8 } else { 16 });
    let tensors = if other == "tensors" { vec![(PARAMS - 1, ()), (1, ())] } else { vec![(PARAMS, ())] };
    let (loaded, steps) = if other == "optimizer" {
        let mut trainer =
            Sharded::with_tensors(&world, Nadam::new(0.1).with(mean), tensors, shards).expect("a good run");
        (trainer.load(dir, &mut params), trainer.steps())
    } else {
        let mut trainer =
            Sharded::with_tensors(&world, Adam::new(0.1).with(mean), tensors, shards).expect("a good run");
        (trainer.load(dir, &mut params), trainer.steps())
    };
    assert_eq!(params != before, loaded == Ok(true));
    match loaded {
        Ok(true) => say(format!("step {steps}")),
        Ok(false) => say("nothing there"),
        Err(error) => say(format!("error: {error}")),
    }
}
