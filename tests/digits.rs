//! The network of the digits example: its gradient, its bits, its command line.

#[path = "../examples/digits/cli.rs"]
mod cli;
#[path = "../examples/digits/data.rs"]
mod data;
#[path = "../examples/digits/network.rs"]
mod network;
#[path = "../examples/digits/optimizers.rs"]
mod optimizers;

use cli::Request;
use data::{COUNT, DIGITS};
use gradus::Level;
use gradus::noise::{Dropout, Masks};
use network::{CLASSES, Chance, HIDDEN1, HIDDEN2, Network, PARAMS, PIXELS, argmax, softmax, split};
use optimizers::{Entry, Job, OPTIMIZERS, Run};

const JOB: Job =
    Job { level: Level::SCALAR, epochs: 2, seed: 1, batch: 32, dropout: Dropout::drop_prob(0.1) };

fn entry(name: &str) -> &'static Entry {
    OPTIMIZERS.iter().find(|entry| entry.name == name).expect("a known name")
}

fn train(name: &str, job: Job) -> Run {
    let entry = entry(name);
    entry.learner.train(entry.lr, &job, &mut |_| ()).expect("lengths agree")
}

#[test]
fn the_data_are_those_of_the_file() {
    let sum = |sample: &network::Sample| sample.pixels.iter().map(|&pixel| u32::from(pixel)).sum::<u32>();
    assert_eq!(DIGITS.iter().map(sum).sum::<u32>(), 561_718);
    assert_eq!((DIGITS[0].pixels[..8].to_vec(), DIGITS[0].label), (vec![0, 0, 5, 13, 9, 1, 0, 0], 0));
    assert_eq!(DIGITS[COUNT - 1].label, 8);
}

#[test]
fn the_split_takes_a_fifth_of_each_class() {
    let mut order = [0; COUNT];
    let count = split(&DIGITS, &mut order);
    let (train, test) = order.split_at(count);
    assert_eq!((train.len(), test.len()), (1442, 355));
    for class in 0..10 {
        let of = |part: &[u16]| part.iter().filter(|&&i| DIGITS[usize::from(i)].label == class).count();
        assert_eq!(of(test), (of(train) + of(test)) / 5, "class {class}");
    }
    order.sort_unstable();
    assert!(order.iter().enumerate().all(|(i, &index)| i == usize::from(index)));
}

#[test]
fn a_seed_decides_the_weights_at_every_level() {
    let scalar = train("adam", JOB);
    assert_eq!(scalar.hash, 0xbd09_6bfa_7e26_8426, "the bits of a run have changed: {:016x}", scalar.hash);
    for level in Level::available() {
        let run = train("adam", Job { level, ..JOB });
        assert_eq!((run.hash, &run.curve), (scalar.hash, &scalar.curve), "{level}");
    }
    assert_ne!(train("adam", Job { seed: 2, ..JOB }).hash, scalar.hash);
}

#[test]
fn every_optimizer_learns_to_the_same_bits_at_every_level() {
    for Entry { name, .. } in &OPTIMIZERS {
        let job = Job { epochs: 1, batch: 16, ..JOB };
        let scalar = train(name, job);
        let widest = train(name, Job { level: Level::detect(), ..job });
        assert_eq!((scalar.hash, &scalar.curve), (widest.hash, &widest.curve), "{name}");
        let end = scalar.last();
        assert!(end.train.accuracy > 0.5, "{name}: {end:?}");
    }
}

#[test]
fn adam_reaches_97_percent() {
    let run = train("adam", Job { level: Level::detect(), epochs: 30, ..JOB });
    assert!(run.last().test.accuracy >= 0.97, "{:?} after {:?}", run.last(), run.time);
}

#[test]
fn a_diverging_run_ends_with_a_result() {
    let run = entry("sgd").learner.train(1e30, &JOB, &mut |_| ()).expect("lengths agree");
    let test = run.last().test;
    assert!(!test.loss.is_finite() && (0.0..=1.0).contains(&test.accuracy), "{test:?}");
}

/// The loss by loops over f64, written from the formula in the network's documentation.
fn loss(params: &[f64], pixels: &[u8; PIXELS], label: u8) -> f64 {
    let mut x: Vec<f64> = pixels.iter().map(|&pixel| f64::from(pixel) / 16.0).collect();
    let mut at = 0;
    for outputs in [HIDDEN1, HIDDEN2, CLASSES] {
        let mut y = params[at..at + outputs].to_vec();
        at += outputs;
        for (i, x) in x.iter().enumerate() {
            for (o, y) in y.iter_mut().enumerate() {
                *y += x * params[at + i * outputs + o];
            }
        }
        at += x.len() * outputs;
        x = y;
        if outputs != CLASSES {
            x.iter_mut().for_each(|x| *x = x.max(0.0));
        }
    }
    assert_eq!(at, params.len());
    x.iter().map(|z| z.exp()).sum::<f64>().ln() - x[usize::from(label)]
}

#[test]
fn loss_and_gradient_are_those_of_f64_differences() {
    let mut network = Network::new();
    network.init(&mut Chance::new(3).rng);
    let sample = &DIGITS[5];
    let got = network.learn(Level::SCALAR, sample, Dropout::drop_prob(0.0), &mut Masks::default());
    let params = network.params.map(f64::from);
    let want = loss(&params, &sample.pixels, sample.label);
    assert!((f64::from(got.expect("lengths agree")) - want).abs() < 1e-6 * want);

    let largest = network.grads.iter().fold(0.0, |a: f32, g| a.max(g.abs()));
    let mut nonzero = 0;
    for i in 0..PARAMS {
        let h = 1e-6;
        let at = |step: f64| {
            let mut params = params;
            params[i] += step;
            loss(&params, &sample.pixels, sample.label)
        };
        let want = (at(h) - at(-h)) / (2.0 * h);
        assert!((f64::from(network.grads[i]) - want).abs() < 1e-6 * f64::from(largest), "{i}: {want}");
        nonzero += usize::from(want != 0.0);
    }
    assert!(nonzero > PARAMS / 10);
}

#[test]
fn softmax_takes_any_scores() {
    let mut scores = [-1e30; CLASSES];
    scores[3] = 1e30;
    assert_eq!((softmax(&scores).0[3], argmax(&scores)), (1.0, 3));
    assert_eq!(softmax(&[f32::MIN_POSITIVE; CLASSES]).0, [0.1; CLASSES]);
    assert_eq!(argmax(&[f32::NAN; CLASSES]), 0);
    assert!(softmax(&[f32::NAN; CLASSES]).0.iter().all(|p| p.is_nan()));
}

#[test]
fn the_list_names_every_optimizer_of_the_crate() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/optim");
    let paths = std::fs::read_dir(directory).expect("the sources").map(|file| file.expect("a file").path());
    let names: Vec<String> = paths
        .filter(|path| std::fs::read_to_string(path).expect("a text").contains("\nimpl Optimizer<"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert!(names.len() >= 10);
    for name in &names {
        assert!(OPTIMIZERS.iter().any(|entry| entry.name == name), "{name} is not in the list");
    }
    for Entry { name, .. } in &OPTIMIZERS {
        let family = name.split('-').next().expect("a word");
        assert!(names.iter().any(|file| file == family), "{name} has no file");
    }
}

#[test]
fn bad_input_is_refused_with_exit_code_2() {
    for (arguments, why) in [
        (&["--optimizer", "adam2"][..], "adam2"),
        (&["--optimizer"], "value is required"),
        (&["--epochs", "0"], "0 is not in 1..="),
        (&["--epochs", "many"], "invalid digit"),
        (&["--epochs", "4294967296"], "not in"),
        (&["--seed", "-1"], "-1"),
        (&["--batch", "0"], "0 is not in 1..="),
        (&["--batch", "1798"], "1798 is not in"),
        (&["--lr", "fast"], "invalid float"),
        (&["--lr", "-0.1"], "learning rate must be finite and at least 0"),
        (&["--lr", "NaN"], "learning rate must be finite and at least 0"),
        (&["--lr", "inf"], "learning rate must be finite and at least 0"),
        (&["--lr", "100", "--optimizer", "adamw"], "--lr 100 for adamw: weight decay"),
        (&["--drop", "1.5"], "probability must lie in 0..=1"),
        (&["--drop", "-0.5"], "probability must lie in 0..=1"),
        (&["--drop", "NaN"], "probability must lie in 0..=1"),
        (&["--out", "Cargo.toml"], "not a directory"),
        (&["--out", "Cargo.toml/charts"], "not a directory"),
        (&["--out", ""], "value is required"),
        (&["--fast"], "--fast"),
        (&["adam"], "adam"),
    ] {
        let line = ["digits"].iter().chain(arguments);
        let error = Request::parse(line).err().unwrap_or_else(|| panic!("{arguments:?} was taken"));
        assert_eq!(error.exit_code(), 2, "{arguments:?}");
        assert!(error.to_string().contains(why), "{arguments:?}: {error}");
    }
}

#[test]
fn good_input_is_taken() {
    let all = Request::parse(["digits"]).expect("no arguments");
    assert_eq!(all.entries.len(), OPTIMIZERS.len());
    assert_eq!((all.job.epochs, all.job.seed, all.job.batch, all.out.to_str()), (30, 1, 32, Some("out")));
    let line = "digits --optimizer lion --lr 0.5 --epochs 3 --seed 7 --batch 1 --drop 0 --out a/b";
    let one = Request::parse(line.split(' ')).expect("good arguments");
    assert_eq!(one.entries.iter().map(|(entry, lr)| (entry.name, *lr)).collect::<Vec<_>>(), [("lion", 0.5)]);
    assert_eq!((one.job.epochs, one.job.seed, one.job.batch, one.job.dropout.keep_prob), (3, 7, 1, 1.0));
    assert_eq!(Request::parse(["digits", "--help"]).err().map(|error| error.exit_code()), Some(0));
}
