//! The network of the digits: its gradient, its bits, its command line.

use digits::arguments::parse;
use digits::data::{COUNT, DIGITS};
use digits::network::{HIDDEN1, HIDDEN2, Lecture, Network, PARAMS};
use digits::optimizers::{Entry, Job, Layers, Run, entries};
use digits::training::{CLASSES, Chance, Model, PIXELS, Sample, softmax, split};
use gradus::loss::argmax;
use gradus::noise::{Dropout, Masks};
use gradus::{AnyOptimizer, Exec, Level, Optimizer, Sgd};

const JOB: Job = Job {
    layers: Layers::Lecture,
    level: Level::SCALAR,
    epochs: 2,
    seed: 1,
    batch: 32,
    dropout: Dropout::drop_prob(0.1),
};

fn entry(name: &str) -> Entry {
    entries().into_iter().find(|entry| entry.name == name).expect("a known name")
}

fn train(name: &str, job: Job) -> Run {
    job.train(entry(name).optimizer).expect("lengths agree")
}

#[test]
fn the_data_are_those_of_the_file() {
    let sum = |sample: &Sample| sample.pixels.iter().map(|&pixel| u32::from(pixel)).sum::<u32>();
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
    assert_eq!(scalar.hash, 0x3057_15d7_b95c_95d0, "the bits of a run have changed: {:016x}", scalar.hash);
    for level in Level::available() {
        let run = train("adam", Job { level, ..JOB });
        assert_eq!((run.hash, &run.curve), (scalar.hash, &scalar.curve), "{level}");
    }
    assert_ne!(train("adam", Job { seed: 2, ..JOB }).hash, scalar.hash);
}

#[test]
fn a_seed_decides_the_convolutional_weights_at_every_level() {
    let job = Job { layers: Layers::Convolutional, epochs: 1, ..JOB };
    let scalar = train("adam", job);
    assert_eq!(scalar.hash, 0x9cbf_c818_f612_de81, "the bits of a run have changed: {:016x}", scalar.hash);
    for level in Level::available() {
        let run = train("adam", Job { level, ..job });
        assert_eq!((run.hash, &run.curve), (scalar.hash, &scalar.curve), "{level}");
    }
}

#[test]
fn the_convolutional_network_reaches_98_percent() {
    let job = Job { layers: Layers::Convolutional, level: Level::detect(), epochs: 20, ..JOB };
    let run = train("adam", job);
    assert!(run.last().test.accuracy >= 0.98, "{:?} after {:?}", run.last(), run.time);
}

#[test]
fn every_optimizer_learns_to_the_same_bits_at_every_level() {
    for Entry { name, .. } in entries() {
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
    let run = JOB.train(entry("sgd").optimizer.with_lr(1e30)).expect("lengths agree");
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
    network.init(&mut Chance::new(3).rng).unwrap();
    let sample = &DIGITS[5];
    // A step of length 1 along the gradient, of which the difference of the weights tells.
    let (before, mut memory, keep_all) = (network.params, [Lecture::EMPTY], Dropout::drop_prob(0.0));
    Lecture::pixels(&mut memory).copy_from_slice(&sample.pixels.map(|pixel| f32::from(pixel) / 16.0));
    let exec = Exec::from(Level::SCALAR);
    Lecture::forward(exec, &before, &mut memory, keep_all, &mut Masks::default()).expect("lengths agree");
    let sgd = Sgd::new(1.0);
    let (mut state, labels) = (sgd.state(), [sample.label]);
    let update = sgd.update(&mut network.params, &mut state);
    let got = Lecture::backward(exec, update, &mut memory, &labels, keep_all);
    let params = before.map(f64::from);
    let want = loss(&params, &sample.pixels, sample.label);
    assert!((f64::from(got.expect("lengths agree")) - want).abs() < 1e-6 * want);

    let grads: Vec<f32> = before.iter().zip(&network.params).map(|(old, new)| old - new).collect();
    let largest = grads.iter().fold(0.0, |a: f32, g| a.max(g.abs()));
    let mut nonzero = 0;
    for i in 0..PARAMS {
        let h = 1e-6;
        let at = |step: f64| {
            let mut params = params;
            params[i] += step;
            loss(&params, &sample.pixels, sample.label)
        };
        let want = (at(h) - at(-h)) / (2.0 * h);
        assert!((f64::from(grads[i]) - want).abs() < 1e-6 * f64::from(largest), "{i}: {want}");
        nonzero += usize::from(want != 0.0);
    }
    assert!(nonzero > PARAMS / 10);
}

#[test]
fn softmax_takes_any_scores() {
    let mut scores = [-1e30; CLASSES];
    scores[3] = 1e30;
    assert_eq!((softmax(&scores)[3], argmax(&scores)), (1.0, 3));
    assert_eq!(softmax(&[f32::MIN_POSITIVE; CLASSES]), [0.1; CLASSES]);
    assert_eq!(argmax(&[f32::NAN; CLASSES]), 0);
    assert!(softmax(&[f32::NAN; CLASSES]).iter().all(|p| p.is_nan()));
}

#[test]
fn bad_input_is_refused() {
    for (arguments, why) in [
        (&["--optimizer", "adam2"][..], "--optimizer adam2: all, sgd, momentum"),
        (&["--optimizer"], "missing argument for option '--optimizer'"),
        (&["--epochs", "0"], "not in 1..=10000"),
        (&["--epochs", "many"], "--epochs many: invalid digit"),
        (&["--epochs", "4294967296"], "number too large"),
        (&["--seed", "-1"], "invalid digit"),
        (&["--batch", "0"], "not in 1..=1797"),
        (&["--batch", "1798"], "not in 1..=1797"),
        (&["--lr", "fast"], "invalid float"),
        (&["--lr", "-0.1"], "learning rate must be finite and at least 0"),
        (&["--lr", "NaN"], "learning rate must be finite and at least 0"),
        (&["--lr", "inf"], "learning rate must be finite and at least 0"),
        (&["--lr", "100", "--optimizer", "adamw"], "--lr 100 for adamw: weight decay"),
        (&["--drop", "1.5"], "probability must lie in 0..=1"),
        (&["--drop", "-0.5"], "probability must lie in 0..=1"),
        (&["--drop", "NaN"], "probability must lie in 0..=1"),
        (&["--network", "deep"], "--network deep: lecture, convolutional"),
        (&["--fast"], "invalid option '--fast'"),
        (&["-e", "3"], "invalid option '-e'"),
        (&["adam"], "unexpected argument \"adam\""),
    ] {
        let error = parse(["digits"].iter().chain(arguments)).expect_err("a bad line");
        assert!(error.contains(why), "{arguments:?}: {error}");
    }
}

#[test]
fn good_input_is_taken() {
    let all = parse(["digits"]).expect("no arguments").expect("a request");
    assert_eq!(all.entries.len(), AnyOptimizer::NAMES.len() + 1);
    assert_eq!((all.job.epochs, all.job.seed, all.job.batch, all.job.dropout.keep_prob), (30, 1, 32, 0.9));
    let line = "digits --optimizer lion --lr 0.5 --epochs 3 --seed=7 --batch 1 --drop 0";
    let one = parse(line.split(' ')).expect("good arguments").expect("a request");
    let chosen: Vec<_> = one.entries.iter().map(|entry| (entry.name, entry.optimizer.lr())).collect();
    assert_eq!(chosen, [("lion", 0.5)]);
    assert_eq!((one.job.epochs, one.job.seed, one.job.batch, one.job.dropout.keep_prob), (3, 7, 1, 1.0));
    assert!(parse(["digits", "--help", "--epochs"]).expect("help").is_none());
}
