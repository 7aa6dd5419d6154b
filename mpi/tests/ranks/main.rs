//! What many ranks do has the bits of what one process does without MPI.
//!
//! A test starts this same binary under `mpirun`, where it runs one of the rank programs in `programs.rs`; what those
//! print comes back as lines. Every run has a time limit: a hang fails.

mod programs;
#[path = "../../examples/digits/task.rs"]
mod task;

use gradus::{Adam, StateVec, store};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Two processors are few for eight ranks: one run at a time.
static TURN: Mutex<()> = Mutex::new(());

/// What all ranks have printed, and whether all have ended well.
struct Run {
    lines: Vec<String>,
    success: bool,
}

/// OpenMPI starts neither more ranks than processors nor anything for root, unless told.
const OPEN_MPI: [(&str, &str); 3] = [
    ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
    ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
];

/// Runs a rank program with `mpirun`, or what `MPIRUN` names; `arguments` reach it as environment variables.
fn mpirun(ranks: usize, program: &str, arguments: &[(&str, String)]) -> Run {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mpirun = std::env::var("MPIRUN").unwrap_or_else(|_| "mpirun".to_owned());
    let output = Command::new("timeout")
        .args(["--kill-after=5", "60", &mpirun, "-n", &ranks.to_string()])
        .arg(std::env::current_exe().expect("a path"))
        .args(["--ignored", "--exact", &format!("programs::{program}"), "--nocapture", "--test-threads=1"])
        .envs(arguments.iter().map(|(name, value)| (*name, value)))
        .envs(OPEN_MPI)
        .output()
        .expect("mpirun: Debian's package openmpi-bin");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() != Some(124) && output.status.signal() != Some(9),
        "{program} with {ranks} ranks hangs:\n{text}\n{errors}"
    );
    let lines: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("> ")).map(str::to_owned).collect();
    let success = output.status.success();
    if !success && lines.is_empty() {
        println!("{program} with {ranks} ranks:\n{text}\n{errors}");
    }
    Run { lines, success }
}

/// The lines of a run that must end well.
fn lines(ranks: usize, program: &str, arguments: &[(&str, String)]) -> Vec<String> {
    let run = mpirun(ranks, program, arguments);
    assert!(run.success, "{program} with {ranks} ranks: {:?}", run.lines);
    run.lines
}

/// A new directory for one test.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a directory");
    path
}

fn dir(path: &Path) -> [(&'static str, String); 1] {
    [("DIR", path.display().to_string())]
}

#[test]
fn every_optimizer_has_one_hash_for_any_number_of_ranks() {
    let alone = programs::every_optimizer_alone();
    assert_eq!(alone.iter().collect::<BTreeSet<_>>().len(), alone.len(), "each its own");
    for ranks in [1, 2, 3, 4, 7, 8] {
        assert_eq!(lines(ranks, "every_optimizer", &[]), alone, "{ranks} ranks");
    }
}

#[test]
fn any_tensors_have_one_hash_for_any_number_of_ranks() {
    let alone = programs::shapes_alone();
    for ranks in [1, 2, 3, 8] {
        assert_eq!(lines(ranks, "shapes", &[]), alone, "{ranks} ranks");
    }
}

#[test]
fn limits_have_one_hash_for_any_number_of_ranks() {
    let alone = lines(1, "limits", &[]);
    println!("{alone:?}");
    for ranks in [2, 3, 8] {
        assert_eq!(lines(ranks, "limits", &[]), alone, "{ranks} ranks");
    }
}

/// With 64 shards `2 N (R - 1) / R` numbers where R is a power of two, and what the documentation says for others; state
/// 1/R; and the same bits where a slice goes in several messages.
#[test]
fn traffic_and_memory_are_what_the_documentation_says() {
    let alone = programs::many_alone();
    for (ranks, factor) in [(1, 0.0), (2, 1.0), (4, 1.5), (8, 1.75), (3, 3.11), (5, 3.52), (7, 3.55)] {
        let lines = lines(ranks, "many", &[]);
        assert_eq!(lines.len(), ranks);
        for line in lines {
            let words: Vec<_> = line.split(' ').collect();
            let [sent, state] = [words[0], words[1]].map(|word| word.parse::<f64>().expect("a number"));
            let n = f64::from(programs::MANY);
            assert!((sent / 4.0 / n - factor).abs() < 0.01, "{ranks} ranks: {line}");
            assert!((state / n * ranks as f64 - 2.0).abs() < 0.02, "{ranks} ranks: {line}");
            assert_eq!(words[2], alone, "{ranks} ranks");
        }
    }
}

#[test]
fn disagreements_are_clear_on_every_rank() {
    for ranks in [2, 3] {
        let lines = lines(ranks, "disagreements", &[]);
        for case in programs::DISAGREEMENTS {
            let own: Vec<_> =
                lines.iter().filter(|line| line.starts_with(&format!("{}: ", case.name))).collect();
            assert_eq!(own.len(), ranks, "{}: {lines:?}", case.name);
            assert!(own.iter().all(|line| line[case.name.len() + 2..] == *case.error), "{own:?}");
        }
    }
    let error = "9 ranks for 8 shards: a rank needs one at least";
    assert_eq!(lines(9, "too_many", &[]), vec![error; 9]);
}

#[test]
fn a_run_goes_on_with_another_number_of_ranks() {
    let whole = directory("whole");
    let end = lines(2, "run", &[dir(&whole).as_slice(), &[("UNTIL", "40".into())]].concat());
    let parts = directory("parts");
    let mut last = Vec::new();
    for (ranks, until) in [(8, 10), (3, 20), (1, 30), (7, 40)] {
        last = lines(ranks, "run", &[dir(&parts).as_slice(), &[("UNTIL", until.to_string())]].concat());
        for run in ["adam", "half", "nadam"] {
            let steps: Vec<_> = fs::read_dir(parts.join(run)).expect("a directory").collect();
            assert_eq!(steps.len(), 1, "older steps are gone: {steps:?}");
        }
    }
    assert_eq!(last, end);
}

/// The files are the crate's own: one machine without MPI reads them.
#[test]
fn a_slice_is_a_file_of_the_crate() {
    let path = directory("slice");
    lines(2, "run", &[dir(&path).as_slice(), &[("UNTIL", "10".into())]].concat());
    let step = path.join("adam/step-0000000010-0000");
    let mut numbers = 0;
    for rank in 0..2 {
        let (mut params, mut state) = (Vec::<f32>::new(), StateVec::<Adam>::new(0));
        store::load_file((&mut params, &mut state), step.join(format!("slice-{rank:04}"))).expect("a file");
        assert_eq!((state.t(), state.columns()[0].len()), (10, params.len()));
        numbers += params.len();
    }
    assert_eq!(numbers, task::PARAMS);
}

#[test]
fn a_killed_rank_costs_the_steps_since_the_last_checkpoint_and_no_bit() {
    let end =
        lines(2, "run", &[dir(&directory("undisturbed")).as_slice(), &[("UNTIL", "40".into())]].concat());
    for (name, ranks, rank, at, again) in [
        ("step", 4, 1, "25 shard", 3),
        ("sum", 3, 2, "21 Agreed", 2),
        ("update", 2, 0, "30 Reduced", 4),
        ("slice", 4, 3, "20 writing", 1),
        ("written", 4, 2, "20 Written", 3),
        ("manifest", 3, 0, "20 Written", 8),
        ("first", 3, 1, "10 Written", 2),
        ("removal", 3, 0, "30 Complete", 2),
    ] {
        let path = directory(name);
        let arguments = [dir(&path).as_slice(), &[("UNTIL", "40".into())]].concat();
        let kill = [("KILL", format!("{rank} {at}"))];
        let killed = mpirun(ranks, "run", &[arguments.as_slice(), &kill].concat());
        assert!(!killed.success && killed.lines.is_empty(), "{name}: {:?}", killed.lines);
        assert_eq!(lines(again, "run", &arguments), end, "{name}");
    }
}

/// Kills a rank at any time, again and again, until the run has come to its end.
#[test]
#[ignore = "a minute: ./ci.sh mpi-kills"]
fn kills_at_any_time_cost_no_bit() {
    let end = lines(2, "run", &[dir(&directory("calm")).as_slice(), &[("UNTIL", "40".into())]].concat());
    for round in 0..4_u64 {
        let path = directory(&format!("storm-{round}"));
        let arguments = [dir(&path).as_slice(), &[("UNTIL", "40".into())]].concat();
        for k in 0..10_u64 {
            let ranks = 1 + ((round + k) % 5) as usize;
            let kill = [(
                "KILL",
                format!("{} {} microseconds", k as usize % ranks, 7919 * (1 + (3 * k + round) % 11)),
            )];
            mpirun(ranks, "run", &[arguments.as_slice(), &kill].concat());
        }
        assert_eq!(lines(3, "run", &arguments), end, "round {round}");
    }
}

#[test]
fn damage_is_a_clear_error_on_every_rank() {
    let good = directory("good");
    lines(4, "run", &[dir(&good).as_slice(), &[("UNTIL", "10".into())]].concat());
    let step = "adam/step-0000000010-0000";
    let cut = |path: &Path, bytes: u64| {
        fs::OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(bytes)).expect("a file");
    };
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).expect("a file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).expect("a file");
    };
    type Damage<'a> = &'a dyn Fn(&Path);
    let cases: [(&str, Damage<'_>, &str); 6] = [
        ("truncated", &|step| cut(&step.join("slice-0002"), 1000), "slice-0002: 1000 bytes where "),
        (
            "missing",
            &|step| fs::remove_file(step.join("slice-0001")).expect("a file"),
            "slice-0001: No such file",
        ),
        (
            "flipped",
            &|step| flip(&step.join("slice-0003")),
            "slice-0003: wrong checksum: the file is damaged",
        ),
        ("manifest", &|step| flip(&step.join("manifest")), "manifest: wrong checksum: the file is damaged"),
        ("empty", &|step| cut(&step.join("manifest"), 0), "manifest: not a manifest of this version"),
        ("swapped", &|step| drop(fs::copy(step.join("slice-0000"), step.join("slice-0001"))), "slice-0001: "),
    ];
    for (name, damage, error) in cases {
        let path = directory(name);
        fs::create_dir_all(path.join(step)).expect("a directory");
        for entry in fs::read_dir(good.join(step)).expect("a directory") {
            let entry = entry.expect("a file");
            fs::copy(entry.path(), path.join(step).join(entry.file_name())).expect("a copy");
        }
        damage(&path.join(step));
        let lines = lines(3, "load", &dir(&path));
        assert!(lines.len() == 3 && lines.iter().all(|line| line == &lines[0]), "{name}: {lines:?}");
        assert!(lines[0].starts_with("error: rank ") && lines[0].contains(error), "{name}: {}", lines[0]);
    }
    for (other, error) in [
        ("shards", "shards 16 where 8 was expected"),
        ("tensors", "tensors [6570] where [6569, 1] was expected"),
        ("optimizer", "the file holds `adam`, not `nadam`"),
        ("params", "parameters 6570 where 6569 was expected"),
        ("none", "nothing there"),
        ("good", "step 10"),
    ] {
        let lines = lines(3, "load", &[dir(&good).as_slice(), &[("OTHER", other.into())]].concat());
        assert!(lines.len() == 3 && lines.iter().all(|line| line == &lines[0]), "{other}: {lines:?}");
        assert!(lines[0].ends_with(error), "{other}: {}", lines[0]);
    }
}
