//! The lecture's questions: each is a run with a few numbers to choose, and its answer is a sentence and some lines.

use gradus::noise::{Dropout, Masks};
use gradus::rand::{Rng, SeedableRng, Xoshiro128PlusPlus};
use gradus::schedule::{Constant, Cosine, Schedule, StepDecay};
use gradus::transform::{L2, ProxL1};
use gradus::{AdaGrad, Adam, Momentum, Optimizer, RmsProp, Sgd};
use std::cell::RefCell;

/// A number to choose: its name, and where it lies.
struct Slider(&'static str, f32, f32, f32);

/// The lines of an answer, of one length, and the answer in words.
struct Answer {
    lines: Vec<Vec<f32>>,
    words: String,
}

struct Question {
    slide: &'static str,
    question: &'static str,
    sliders: [Slider; 2],
    /// What the lines are, what they run over, and what they show.
    lines: &'static [&'static str],
    axes: [&'static str; 2],
    run: fn([f32; 2]) -> Answer,
}

const QUESTIONS: [Question; 9] = [
    Question {
        slide: "Problems with SGD: hollows",
        question: "What if the loss has a local minimum?",
        sliders: [Slider("start", 0.2, 2.0, 1.9), Slider("rho", 0.0, 0.99, 0.9)],
        lines: &["SGD", "Momentum"],
        axes: ["step", "parameter; the hollows are at 0.97 and, deeper, at -1.03"],
        run: hollows,
    },
    Question {
        slide: "Problems with SGD: valleys",
        question: "What if the loss changes quickly in one direction and slowly in another?",
        sliders: [
            Slider("times as steep", 2.0, 200.0, 100.0),
            Slider("rate, of the largest", 0.1, 0.99, 0.95),
        ],
        lines: &["SGD, along", "SGD, across", "Momentum, along"],
        axes: ["step", "parameter"],
        run: valley,
    },
    Question {
        slide: "SGD + Momentum",
        question: "What does a velocity do to gradient noise?",
        sliders: [Slider("rho", 0.0, 0.99, 0.9), Slider("noise", 0.0, 20.0, 10.0)],
        lines: &["SGD", "Momentum"],
        axes: ["step", "length of a step, its mean being 1"],
        run: momentum,
    },
    Question {
        slide: "AdaGrad",
        question: "What happens to the step size over a long time?",
        sliders: [Slider("gradient", 0.1, 10.0, 3.0), Slider("learning rate", 0.01, 1.0, 0.1)],
        lines: &["AdaGrad", "RMSProp", "Adam"],
        axes: ["step", "length of a step"],
        run: adagrad,
    },
    Question {
        slide: "Adam (almost)",
        question: "What happens at the first steps without bias correction?",
        sliders: [Slider("beta1", 0.0, 0.99, 0.9), Slider("beta2", 0.9, 0.9999, 0.999)],
        lines: &["with correction", "without"],
        axes: ["step", "length, in learning rates"],
        run: adam,
    },
    Question {
        slide: "Learning rate",
        question: "Which of these learning rates is best to use?",
        sliders: [Slider("learning rate", 0.001, 1.9, 0.8), Slider("noise", 0.0, 2.0, 0.5)],
        lines: &["constant", "StepDecay", "Cosine"],
        axes: ["step", "log10 of the loss"],
        run: rates,
    },
    Question {
        slide: "Regularization parameter",
        question: "How large should lambda be?",
        sliders: [Slider("log10 of lambda", -5.0, 1.0, -2.5), Slider("noise", 0.0, 2.0, 1.0)],
        lines: &["in training", "on the test", "in training, lambda 0", "on the test, lambda 0"],
        axes: ["step, times 20", "mean squared error"],
        run: strength,
    },
    Question {
        slide: "L1 and L2",
        question: "Which weights become zero, and which only small?",
        sliders: [Slider("lambda", 0.0, 0.2, 0.05), Slider("weight that does not pay", 0.0, 1.0, 0.1)],
        lines: &["L1, useful", "L1, useless", "L2, useful", "L2, useless"],
        axes: ["step", "weight"],
        run: penalties,
    },
    Question {
        slide: "Dropout: at test time",
        question: "Is one scaled pass as good as the average over many masks?",
        sliders: [Slider("keep", 0.1, 1.0, 0.5), Slider("units", 2.0, 64.0, 16.0)],
        lines: &["mean of the passes so far", "one pass without dropout"],
        axes: ["pass", "output"],
        run: dropout,
    },
];

const STEPS: usize = 300;

/// All questions, as JSON.
pub fn table() -> String {
    let questions = QUESTIONS.map(|q| {
        let sliders = q.sliders.map(|Slider(name, low, high, value)| {
            format!(r#"{{"name":{name:?},"low":{low:?},"high":{high:?},"value":{value:?}}}"#)
        });
        format!(
            r#"{{"slide":{:?},"question":{:?},"sliders":[{}],"lines":{:?},"axes":{:?}}}"#,
            q.slide,
            q.question,
            sliders.join(","),
            q.lines,
            q.axes
        )
    });
    format!("[{}]", questions.join(","))
}

thread_local! {
    static LINES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    static WORDS: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Answers a question: its lines one after the other, each as long as [`lecture_length`] says, until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn lecture_run(question: usize, a: f32, b: f32) -> *const f32 {
    let answer = QUESTIONS.get(question).map(|question| (question.run)([a, b]));
    let Answer { lines, words } = answer.unwrap_or(Answer { lines: Vec::new(), words: String::new() });
    WORDS.set(words + "\0");
    LINES.with_borrow_mut(|last| {
        *last = lines.concat();
        last.as_ptr()
    })
}

/// Numbers in all lines of the last answer together.
#[unsafe(no_mangle)]
pub extern "C" fn lecture_length() -> usize {
    LINES.with_borrow(Vec::len)
}

/// The last answer in words, ended by a zero byte.
#[unsafe(no_mangle)]
pub extern "C" fn lecture_words() -> *const u8 {
    WORDS.with_borrow(|words| words.as_ptr())
}

/// The last answer in words, for the tests.
pub fn words() -> String {
    WORDS.with_borrow(|words| words.trim_end_matches('\0').into())
}

/// 1 or -1.
fn sign(rng: &mut Xoshiro128PlusPlus) -> f32 {
    if rng.next_u32() & 1 == 0 { 1.0 } else { -1.0 }
}

/// How long each step is, from 0 on every time, under gradients that `gradient` gives.
fn lengths(optimizer: impl Optimizer, mut gradient: impl FnMut() -> f32) -> Vec<f32> {
    let mut state = optimizer.state();
    let step = |_| {
        let mut p = [0.0];
        optimizer.step(&mut p, &[gradient()], &mut state);
        -p[0]
    };
    (0..STEPS).map(step).collect()
}

fn hollows([start, rho]: [f32; 2]) -> Answer {
    let run = |rho: f32| {
        let momentum = Momentum { rho: rho.into(), ..Momentum::new(0.02) };
        let (mut p, mut state) = ([start], momentum.state());
        let mut step = |_| {
            let grads = [4.0 * p[0] * (p[0] * p[0] - 1.0) + 0.25]; // of (p^2 - 1)^2 + p / 4
            momentum.step(&mut p, &grads, &mut state);
            p[0]
        };
        Vec::from_iter((0..STEPS).map(&mut step))
    };
    let lines = vec![run(0.0), run(rho)];
    let words = format!(
        "The gradient is 0 in both hollows. SGD ends at {:.2}, in the first that it comes to, momentum at {:.2}: a velocity may carry it \
         over the hill.",
        lines[0][STEPS - 1],
        lines[1][STEPS - 1]
    );
    Answer { lines, words }
}

fn valley([steep, share]: [f32; 2]) -> Answer {
    let lr = share * 2.0 / steep;
    let run = |rho: f32| {
        let momentum = Momentum { rho: rho.into(), ..Momentum::new(lr) };
        let (mut p, mut state) = ([1.0; 2], momentum.state());
        let mut lines = [Vec::new(), Vec::new()];
        for _ in 0..STEPS {
            let grads = [p[0], steep * p[1]];
            momentum.step(&mut p, &grads, &mut state);
            lines.iter_mut().zip(p).for_each(|(line, p)| line.push(p));
        }
        lines
    };
    let ([along, across], [velocity, _]) = (run(0.0), run(0.9));
    let jumps = across.windows(2).filter(|pair| pair[0] * pair[1] < 0.0).count();
    let words = format!(
        "The steep direction allows no rate above {:.4}, and SGD jumps across it {jumps} times. Along the flat one {:.3} of the way is \
         left after {STEPS} steps, with momentum {:.3}.",
        2.0 / steep,
        along[STEPS - 1].abs(),
        velocity[STEPS - 1].abs()
    );
    Answer { lines: vec![along, across, velocity], words }
}

fn strength([log_lambda, noise]: [f32; 2]) -> Answer {
    const SHOWN: [(f32, f32); 6] =
        [(-1.0, 0.2), (-0.6, -0.1), (-0.2, 0.4), (0.2, -0.4), (0.6, 0.1), (1.0, -0.3)];
    let curve = |x: f32| libm::sinf(1.570_796_4 * x);
    /// How far a polynomial of degree five is from `y`, and the powers of `x` that its weights act on.
    fn error(w: &[f32; 6], x: f32, y: f32) -> (f32, [f32; 6]) {
        let (mut power, mut powers, mut sum) = (1.0, [0.0; 6], -y);
        for (term, w) in powers.iter_mut().zip(w) {
            *term = power;
            sum += w * power;
            power *= x;
        }
        (sum, powers)
    }
    let run = |lambda: f32| {
        let momentum = Momentum::new(0.05).with(L2::new(lambda));
        let (mut w, mut state) = ([0.0; 6], momentum.state());
        let mut lines = [Vec::new(), Vec::new()];
        for _ in 0..STEPS {
            for _ in 0..20 {
                let mut grads = [0.0; 6];
                for (x, off) in SHOWN {
                    let (e, powers) = error(&w, x, curve(x) + noise * off);
                    grads.iter_mut().zip(powers).for_each(|(g, power)| *g += e * power / 3.0);
                }
                momentum.step(&mut w, &grads, &mut state);
            }
            let square = |x: f32, y: f32| error(&w, x, y).0 * error(&w, x, y).0;
            lines[0]
                .push(SHOWN.iter().map(|(x, off)| square(*x, curve(*x) + noise * off)).sum::<f32>() / 6.0);
            let between = (-10..=10).map(|k| k as f32 / 10.0);
            lines[1].push(between.map(|x| square(x, curve(x))).sum::<f32>() / 21.0);
        }
        lines
    };
    let lambda = libm::exp10f(log_lambda);
    let ([train, test], [train_0, test_0]) = (run(lambda), run(0.0));
    let words = format!(
        "With lambda {lambda:.5} the polynomial is off by {:.3} where it learns and by {:.3} between; with 0 by {:.3} and {:.3}. Too little \
         overfits, too much underfits.",
        train[STEPS - 1],
        test[STEPS - 1],
        train_0[STEPS - 1],
        test_0[STEPS - 1]
    );
    Answer { lines: vec![train, test, train_0, test_0], words }
}

fn momentum([rho, noise]: [f32; 2]) -> Answer {
    let run = |rho: f32| {
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
        let momentum = Momentum { rho: rho.into(), ..Momentum::new(1.0 - rho) };
        lengths(momentum, || 1.0 + noise * sign(&mut rng))
    };
    let lines = vec![run(0.0), run(rho)];
    // Once the velocity is full.
    let spread =
        |line: &[f32]| (line[100..].iter().map(|x| (x - 1.0) * (x - 1.0)).sum::<f32>() / 200.0).sqrt();
    let [sgd, velocity] = [spread(&lines[0]), spread(&lines[1])];
    let words = format!(
        "A step of SGD is off by {sgd:.2}, one with rho {rho:.2} by {velocity:.2}: noise changes its sign and cancels, and what \
         points the same way adds up."
    );
    Answer { lines, words }
}

fn adagrad([gradient, lr]: [f32; 2]) -> Answer {
    let lines = vec![
        lengths(AdaGrad::lecture(lr), || gradient),
        lengths(RmsProp::lecture(lr), || gradient),
        lengths(Adam::lecture(lr), || gradient),
    ];
    let words = format!(
        "AdaGrad's first step is {:.4} long and its {STEPS}th {:.4}: it decays to zero, as one over the root of the step. RMSProp's is \
         {:.4} then, Adam's {:.4}.",
        lines[0][0],
        lines[0][STEPS - 1],
        lines[1][STEPS - 1],
        lines[2][STEPS - 1]
    );
    Answer { lines, words }
}

fn adam([beta1, beta2]: [f32; 2]) -> Answer {
    let adam = Adam { beta1: beta1.into(), beta2: beta2.into(), ..Adam::lecture(1.0) };
    let lines = vec![lengths(adam, || 7.0), lengths(Adam { bias_correction: false, ..adam }, || 7.0)];
    let words = format!(
        "With correction the first step is {:.2} learning rates long, without it {:.2}: both averages begin at 0, and the second one \
         stands under a root.",
        lines[0][0], lines[1][0]
    );
    Answer { lines, words }
}

fn rates([lr, noise]: [f32; 2]) -> Answer {
    let run = |schedule: &dyn Schedule| -> Vec<f32> {
        let (mut p, mut state) = ([3.0; 64], Sgd::new(0.0).state());
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
        let mut step = |step| {
            let grads = p.map(|p| p + noise * sign(&mut rng));
            Sgd::new(schedule.at(step)).step(&mut p, &grads, &mut state);
            libm::log10f(p.iter().map(|p| p * p).sum::<f32>() / 64.0 + 1e-12)
        };
        (0..STEPS as u32).map(&mut step).collect()
    };
    let steps = STEPS as u32;
    let lines =
        vec![run(&Constant(lr)), run(&StepDecay::new(lr, 0.3, steps / 4)), run(&Cosine::new(lr, steps))];
    let [constant, step, cosine] = [0, 1, 2].map(|k| lines[k][STEPS - 1]);
    let words = format!(
        "None: a high one rests where the noise holds it, a low one arrives late. At the end the loss is 10^{constant:.1} with the \
         constant rate, 10^{step:.1} with step decay and 10^{cosine:.1} with a cosine."
    );
    Answer { lines, words }
}

fn penalties([lambda, useless]: [f32; 2]) -> Answer {
    fn fit(optimizer: impl Optimizer, wanted: [f32; 2]) -> [Vec<f32>; 2] {
        let (mut w, mut state) = ([0.5; 2], optimizer.state());
        let mut lines = [Vec::new(), Vec::new()];
        for _ in 0..STEPS {
            let grads = [w[0] - wanted[0], w[1] - wanted[1]];
            optimizer.step(&mut w, &grads, &mut state);
            lines.iter_mut().zip(w).for_each(|(line, w)| line.push(w));
        }
        lines
    }
    let wanted = [1.0, useless * 0.3];
    let [l1, l2] = [
        fit(Sgd::new(0.05).with(ProxL1::new(lambda)), wanted),
        fit(Sgd::new(0.05).with(L2::new(lambda)), wanted),
    ];
    let words = format!(
        "L1 leaves the useful weight at {:.3} and the other at {:.3}; L2 leaves {:.3} and {:.3}: it shrinks both, and zeroes none.",
        l1[0][STEPS - 1],
        l1[1][STEPS - 1],
        l2[0][STEPS - 1],
        l2[1][STEPS - 1]
    );
    Answer { lines: l1.into_iter().chain(l2).collect(), words }
}

fn dropout([keep, units]: [f32; 2]) -> Answer {
    let units = units as usize;
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
    let w = Vec::from_iter((0..units).map(|_| rng.next_u32() as i32 as f32 / 2_147_483_648.0));
    let (dropout, mut masks) = (Dropout::keep_prob(keep), Masks::new(1));
    let output = |x: &[f32]| w.iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
    let (mut sum, mut mean) = (0.0, Vec::new());
    for pass in 1..=STEPS {
        let mut x = vec![1.0; units];
        // Lengths agree, so that a pass cannot fail.
        if dropout.forward(&mut x[..], &mut masks).is_err() {
            x.fill(f32::NAN);
        }
        sum += output(&x);
        mean.push(sum / pass as f32);
    }
    let one = output(&vec![1.0; units]);
    let words = format!(
        "Each mask is a network of an ensemble. After {STEPS} of them the mean is {:.3}; one pass with all units gives {one:.3}, which is \
         the mean over all masks, as the output is linear.",
        mean[STEPS - 1]
    );
    Answer { lines: vec![mean, vec![one; STEPS]], words }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(slide: &str, values: [f32; 2]) -> Vec<f32> {
        let question = QUESTIONS.iter().find(|question| question.slide == slide).expect("a slide");
        let answer = (question.run)(values);
        assert_eq!(answer.lines.len(), question.lines.len());
        eprintln!("{}", answer.words);
        answer.lines.iter().map(|line| line[STEPS - 1]).collect()
    }

    #[test]
    fn a_velocity_leaves_the_first_hollow() {
        let [sgd, momentum] = ask("Problems with SGD: hollows", [1.9, 0.9])[..] else { panic!("two lines") };
        assert!((sgd - 0.97).abs() < 0.01 && (momentum + 1.03).abs() < 0.01, "{sgd} {momentum}");
    }

    #[test]
    fn a_valley_is_slow_along_and_jumps_across() {
        let [along, _, velocity] = ask("Problems with SGD: valleys", [100.0, 0.95])[..] else {
            panic!("three lines")
        };
        assert!(along > 0.001 && velocity.abs() < 1e-4, "{along} {velocity}");
    }

    #[test]
    fn the_best_lambda_lies_between() {
        let test = [-5.0, -2.5, 1.0].map(|log_lambda| ask("Regularization parameter", [log_lambda, 1.0])[1]);
        assert!(test[1] < test[0] && test[1] < test[2], "{test:?}");
    }
}
