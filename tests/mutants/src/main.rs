//! Mutation testing with one build: `cargo mutants --list --json | mutants COPY --lib --test suite`.
//!
//! cargo-mutants compiles the crate and its tests anew for each change. Here all changes of its list are
//! written into a copy of the project at once, each behind a number that a test binary reads when it starts.

mod cfg;
mod switch;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::BufRead;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use serde_json::Value;
use switch::{Change, Region, switch};

#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    /// By which test.
    Noticed(String),
    TimeOut,
    NotCompiling,
    /// Where it stands, a choice does not compile.
    NotSwitched,
    Missed,
    /// No test comes there.
    NotReached,
}

/// One test of a test binary.
struct Test {
    /// As the binary calls it.
    name: String,
    path: String,
    /// The places where it comes.
    reached: BTreeSet<usize>,
    /// Seconds that it takes without a change.
    seconds: f64,
    /// Seconds of processor time that it may take: where the machine pauses, none pass.
    limit: u64,
}

fn main() -> ExitCode {
    let copy = std::env::args().nth(1).expect("the path of a copy of the project");
    std::env::set_current_dir(copy).expect("the copy is there");
    let list: Vec<Value> = serde_json::from_reader(std::io::stdin()).expect("a list of cargo-mutants");
    let mut sources = BTreeMap::new();
    let mut changes: Vec<Change> =
        list.iter().zip(1..).map(|(entry, number)| read(entry, number, &mut sources)).collect();
    let all = changes.len();
    let host = cfg::host();
    let passed: BTreeMap<_, _> =
        sources.iter().map(|(file, source)| (file.clone(), cfg::passed(source, &host))).collect();
    changes.retain(|change| {
        let within = |range: &Range<usize>| range.start <= change.span.start && change.span.end <= range.end;
        !passed[&change.file].iter().any(within)
    });
    eprintln!("{} of {all} changes are for other targets or for the compiler", all - changes.len());
    let root = fs::read_to_string("src/lib.rs").expect("a library");
    fs::write("src/lib.rs", [switch::FEATURES, &root, switch::MUTANT].concat()).expect("a copy to write to");
    // Another iterator is another type: the compiler would blame the body.
    let opaque = changes.iter().filter(|change| change.body && change.name.contains(" -> impl "));
    let mut outcomes: BTreeMap<_, _> = opaque.map(|change| (change.number, Outcome::NotCompiling)).collect();
    let (tests, places) = loop {
        let regions = write(&sources, &changes, &outcomes);
        let mut places = BTreeMap::new();
        for region in regions.values().flatten().filter(|region| !region.changed) {
            places.extend(region.numbers.iter().map(|number| (*number, region.numbers[0])));
        }
        for change in changes.iter().filter(|change| !places.contains_key(&change.number)) {
            outcomes.entry(change.number).or_insert(Outcome::NotCompiling); // `||` beside `let`
        }
        match build(&regions) {
            Ok(tests) => break (tests, places),
            Err(refused) => outcomes.extend(refused),
        }
    };
    let outcomes = test(&changes, outcomes, &tests, &places);
    if report(&changes, &outcomes) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A change from its entry in the list, with its source.
fn read(entry: &Value, number: usize, sources: &mut BTreeMap<String, String>) -> Change {
    let text = |key: &str| entry[key].as_str().expect(key).to_owned();
    let file = text("file");
    let source = sources.entry(file.clone()).or_insert_with(|| fs::read_to_string(&file).expect("a source"));
    let byte = |end: &str| {
        let place = |key: &str| entry["span"][end][key].as_u64().expect(key) as usize - 1;
        let before: usize = source.split_inclusive('\n').take(place("line")).map(str::len).sum();
        before + source[before..].chars().take(place("column")).map(char::len_utf8).sum::<usize>()
    };
    let (span, body) = (byte("start")..byte("end"), text("genre") == "FnValue");
    Change { number, name: text("name"), file, span, replacement: text("replacement"), body }
}

/// Writes all sources with the changes that have no outcome yet.
fn write(
    sources: &BTreeMap<String, String>,
    changes: &[Change],
    outcomes: &BTreeMap<usize, Outcome>,
) -> BTreeMap<String, Vec<Region>> {
    let written = sources.iter().map(|(file, source)| {
        let here = |change: &&Change| change.file == *file && !outcomes.contains_key(&change.number);
        let (text, regions) = switch(source, &changes.iter().filter(here).collect::<Vec<_>>());
        fs::write(file, text).expect("a copy to write to");
        (file.clone(), regions)
    });
    written.collect()
}

/// Builds all tests, or says which changes the compiler refuses.
fn build(regions: &BTreeMap<String, Vec<Region>>) -> Result<Vec<Test>, BTreeMap<usize, Outcome>> {
    let output = Command::new("cargo")
        .args(["+nightly", "test", "--locked", "--no-run", "--all-features", "--message-format", "json"])
        .args(std::env::args().skip(2))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo");
    let messages: Vec<Value> =
        output.stdout.lines().filter_map(|line| serde_json::from_str(&line.ok()?).ok()).collect();
    if output.status.success() {
        return Ok(messages.iter().flat_map(tests).collect());
    }
    let mut refused = BTreeMap::new();
    let errors = messages.iter().map(|message| &message["message"]).filter(|error| error["level"] == "error");
    let errors: Vec<_> = errors.collect();
    for error in &errors {
        let spans = error["spans"].as_array().into_iter().flatten();
        for span in spans.filter(|span| span["is_primary"] == true) {
            let byte = span["byte_start"].as_u64().expect("a place") as usize;
            let here = regions.get(span["file_name"].as_str().expect("a file"));
            let around = here.into_iter().flatten().filter(|region| region.bytes.contains(&byte));
            let Some(region) = around.min_by_key(|region| region.bytes.len()) else { continue };
            let outcome = if region.changed { Outcome::NotCompiling } else { Outcome::NotSwitched };
            refused.extend(region.numbers.iter().map(|number| (*number, outcome.clone())));
        }
    }
    let texts = errors.iter().map(|error| error["rendered"].as_str().unwrap_or_default());
    assert!(!refused.is_empty(), "no change is to blame: {}", texts.collect::<String>());
    eprintln!("{} changes do not compile", refused.len());
    Err(refused)
}

/// The tests of the test binary of a message of cargo, each alone: so few of them run for a change that all can.
fn tests(message: &Value) -> Vec<Test> {
    let (Some(path), Some(binary)) = (message["executable"].as_str(), message["target"]["name"].as_str())
    else {
        return Vec::new();
    };
    let list = Command::new(path).args(["--list", "--format", "terse"]).output().expect("a list of tests");
    let ignored = Command::new(path).args(["--list", "--format", "terse", "--ignored"]).output();
    let ignored: BTreeSet<_> =
        ignored.expect("a list of tests").stdout.lines().map_while(Result::ok).collect();
    let names = list.stdout.lines().map_while(Result::ok).filter(|line| !ignored.contains(line));
    let tests: Vec<_> = names.filter_map(|line| Some(measure(line.strip_suffix(": test")?, path))).collect();
    let seconds: f64 = tests.iter().map(|test| test.seconds).sum();
    eprintln!("{binary}: {} tests, {seconds:.0} s", tests.len());
    tests
}

/// A test with the places where it comes, and three times the processor time that it takes.
fn measure(name: &str, path: &str) -> Test {
    let (name, path) = (name.to_owned(), path.to_owned());
    let mut test = Test { name, path, reached: BTreeSet::new(), seconds: 0.0, limit: 600 };
    let start = Instant::now();
    assert_eq!(run(&test, usize::MAX), Outcome::Missed, "{} fails without a change", test.name);
    test.seconds = start.elapsed().as_secs_f64();
    let reached = fs::read_to_string("reached").unwrap_or_default();
    fs::remove_file("reached").ok();
    test.reached = reached.lines().map(|place| place.parse().expect("a place")).collect();
    test.limit = 5 + (3.0 * test.seconds) as u64;
    test
}

/// What a test says to a change: `Missed` if nothing.
fn run(test: &Test, number: usize) -> Outcome {
    let status = Command::new("sh")
        .args(["-c", "ulimit -S -t $0; ulimit -v 8000000; exec \"$@\"", &test.limit.to_string()])
        .args([&test.path, "--test-threads=1", "--exact", &test.name])
        .env("MUTANT", number.to_string())
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("a shell");
    match std::os::unix::process::ExitStatusExt::signal(&status) {
        None if status.success() => Outcome::Missed,
        Some(24) => Outcome::TimeOut, // SIGXCPU
        Some(9 | 15) => panic!("{} was killed by somebody else", test.name),
        _ => Outcome::Noticed(test.name.clone()),
    }
}

/// Runs the tests for all changes without an outcome, as many at a time as there are cores, or as cargo may have jobs.
fn test(
    changes: &[Change],
    outcomes: BTreeMap<usize, Outcome>,
    tests: &[Test],
    places: &BTreeMap<usize, usize>,
) -> BTreeMap<usize, Outcome> {
    let left: Vec<_> = changes.iter().filter(|change| !outcomes.contains_key(&change.number)).collect();
    let (left, outcomes) = (Mutex::new(left.into_iter()), Mutex::new(outcomes));
    let noticed = Mutex::new(vec![0_u32; tests.len()]);
    let jobs = std::env::var("CARGO_BUILD_JOBS").ok().and_then(|jobs| jobs.parse().ok());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..jobs.unwrap_or(cores) {
            scope.spawn(|| {
                loop {
                    let Some(change) = left.lock().unwrap().next() else { break };
                    let place = places[&change.number];
                    let mut order: Vec<_> =
                        (0..tests.len()).filter(|i| tests[*i].reached.contains(&place)).collect();
                    // A quick one first, and what has noticed many changes is likely to notice the next.
                    let counts = noticed.lock().unwrap().clone();
                    let cost = |i: usize| tests[i].seconds / f64::from(1 + counts[i]);
                    order.sort_by(|a, b| cost(*a).total_cmp(&cost(*b)));
                    let mut outcome = Outcome::NotReached;
                    for i in order {
                        outcome = run(&tests[i], change.number);
                        if outcome != Outcome::Missed {
                            noticed.lock().unwrap()[i] += 1;
                            break;
                        }
                    }
                    eprintln!("{}: {outcome:?}", change.name);
                    outcomes.lock().unwrap().insert(change.number, outcome);
                }
            });
        }
    });
    outcomes.into_inner().unwrap()
}

/// A table by module, and the changes that no test has noticed: whether all of them are explained.
fn report(changes: &[Change], outcomes: &BTreeMap<usize, Outcome>) -> bool {
    let module = |change: &Change| Path::new(&change.file).parent().map(Path::to_owned);
    println!(
        "| module | changes | not compiling | noticed | time-outs | missed | not reached | not tried |\n|---|--:|--:|--:|--:|--:|--:|--:|"
    );
    for of in changes.iter().map(module).collect::<BTreeSet<_>>() {
        let here: Vec<_> = changes
            .iter()
            .filter(|change| module(change) == of)
            .map(|change| &outcomes[&change.number])
            .collect();
        let count = |like: fn(&Outcome) -> bool| here.iter().filter(|outcome| like(outcome)).count();
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            of.unwrap_or_default().display(),
            here.len(),
            count(|outcome| *outcome == Outcome::NotCompiling),
            count(|outcome| matches!(outcome, Outcome::Noticed(_))),
            count(|outcome| *outcome == Outcome::TimeOut),
            count(|outcome| *outcome == Outcome::Missed),
            count(|outcome| *outcome == Outcome::NotReached),
            count(|outcome| *outcome == Outcome::NotSwitched)
        );
    }
    let mut explained: Vec<_> = include_str!("../explained.txt").lines().collect();
    let mut all = true;
    for change in changes {
        let outcome = &outcomes[&change.number];
        if matches!(outcome, Outcome::Missed | Outcome::NotReached | Outcome::NotSwitched) {
            // The name begins with file, line and column.
            let (_, text) = change.name.split_once(": ").expect("a place and a change");
            let name = format!("{}: {text}", change.file);
            let line =
                explained.iter().position(|line| *line == name).map(|line| explained.swap_remove(line));
            println!("{}: {outcome:?}{}", change.name, if line.is_some() { ", explained" } else { "" });
            all &= line.is_some();
        }
    }
    all
}
