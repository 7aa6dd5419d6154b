//! Transforms: each against its formula in f64, their order, and what they leave alone.

use crate::support::every_transform;
use crate::support::random::{Random, SPECIAL, all_bits, bits};
use crate::support::rules::Whole;
use crate::support::ulp::{ulps, unit};
use gradus::transform::*;
use gradus::*;
use proptest::prelude::*;
use serde_json::Value;
use std::fmt::Debug;

/// An optimizer of our own: it shows the gradient that a rule sees, and steps by exactly `-g`.
#[derive(Clone, Copy, Debug)]
struct Echo {
    lr: f32,
}

impl Optimizer for Echo {
    type Family = Self;
    type Rule = EchoRule;
    fn rule(&self, _: &mut Clock) -> EchoRule {
        EchoRule
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr }
    }
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct EchoRule;

impl Rule for EchoRule {
    type Columns = Width<1>;
    #[inline(always)]
    fn apply<V: Vector>(&self, _: V::Isa, p: V, [g]: [V; 1], _: [V; 1]) -> (V, [V; 1]) {
        (p - g, [g])
    }
}

/// The learning rate that transforms see in these tests.
const LR: f32 = 0.125;

/// The gradient that a rule sees behind `transform`, and the parameter that is stored.
fn echo<T: Transform>(transform: T, p: f32, g: f32) -> (f32, f32) {
    let (mut params, mut state) = ([p], State::new());
    Echo { lr: LR }.with(transform).step(&mut params, &[g], &mut state);
    (state.columns[0][0], params[0])
}

/// Parameters and gradients of every size, zeros among them.
fn pairs() -> Vec<(f32, f32)> {
    let mut random = Random(31);
    let mut any = || if random.word().is_multiple_of(8) { 0.0 } else { random.sized(-4.0, 4.0) };
    (0..500).map(|_| (any(), any())).collect()
}

/// What a rule should see, within `budget` units in the last place of the largest term.
fn sees<T: Transform + Debug>(transform: T, budget: f64, want: impl Fn(f64, f64) -> (f64, f64)) {
    assert_eq!(transform.check(LR), Ok(()), "{transform:?}");
    for (p, g) in pairs() {
        let (got, _) = echo(transform, p, g);
        let (want, largest) = want(p.into(), g.into());
        let error = (f64::from(got) - want) / unit(largest.abs().max(want.abs()));
        assert!(error.abs() <= budget, "{transform:?} p {p:e} g {g:e}: {got:e}, not {want:e}: {error:.2}");
    }
}

/// `sign(x)` with `sign(0) = 0`.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

#[test]
fn what_acts_before_the_rule_is_its_formula() {
    let wide = f64::from;
    sees(Scale(0.1), 0.5, |_, g| (wide(0.1_f32) * g, 0.0));
    sees(Scale(-3.0), 0.5, |_, g| (-3.0 * g, 0.0));
    sees(ClipValue(0.5), 0.0, |_, g| (g.clamp(-0.5, 0.5), 0.0));
    sees(ClipValue(f32::INFINITY), 0.0, |_, g| (g, 0.0));
    for lambda in [0.0, 1e-3, 0.3, 5.0_f32] {
        let l = wide(lambda);
        sees(L2::new(lambda), 1.0, |p, g| (g + 2.0 * l * p, 2.0 * l * p));
        sees(L2::weight_decay(lambda), 1.0, |p, g| (g + l * p, l * p));
        sees(L1::new(lambda), 0.5, |p, g| (g + l * sign(p), 0.0));
        for beta in [0.0, 0.25, 10.0_f32] {
            let slope = move |p: f64| l * (2.0 * wide(beta) * p + sign(p));
            sees(ElasticNet { lambda, beta }, 2.0, |p, g| (g + slope(p), slope(p)));
        }
    }
}

#[test]
fn what_acts_after_the_rule_is_its_formula() {
    for (p, g) in pairs() {
        let (wide, new) = (f64::from(p), f64::from(p - g));
        let (_, clamped) = echo(ClampParams(0.75), p, g);
        assert_eq!(f64::from(clamped), new.clamp(-0.75, 0.75));
        for strength in [0.0, 0.3, 4.0_f32] {
            let change = f64::from(LR) * f64::from(strength);
            let (_, decayed) = echo(Decay::new(strength), p, g);
            let want = new - change * wide;
            let error = (f64::from(decayed) - want) / unit(new.abs().max((change * wide).abs()));
            assert!(error.abs() <= 1.5, "{decayed:e} {want:e}: {error}");

            let (_, shrunk) = echo(ProxL1::new(strength), p, g);
            let want = sign(new) * (new.abs() - change).max(0.0);
            let error = (f64::from(shrunk) - want) / unit(new);
            assert!(error.abs() <= 1.0, "{shrunk:e} {want:e}: {error}");
        }
    }
}

#[test]
fn values_and_slopes_of_penalties_are_pytorch_s() {
    let file: Value = serde_json::from_str(include_str!("../vectors/layers.json")).unwrap();
    let cases = file["penalties"].as_array().unwrap();
    let mut compared = 0;
    for case in cases {
        let float = |key: &str| case[key].as_f64().unwrap() as f32;
        let (lambda, beta) = (float("lambda"), float("beta"));
        let params: Vec<f32> = case["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|b| f32::from_bits(b.as_u64().unwrap() as u32))
            .collect();
        let (l1, l2, net) = (L1::new(lambda), L2::new(lambda), ElasticNet { lambda, beta });
        let (value, slope): (f32, Box<dyn Fn(f32) -> f32>) = match case["name"].as_str().unwrap() {
            "l1" => (l1.value(Level::detect(), &params), Box::new(|p| echo(l1, p, 0.0).0)),
            "l2" => (l2.value(Level::detect(), &params), Box::new(|p| echo(l2, p, 0.0).0)),
            "elastic_net" => (net.value(Level::detect(), &params), Box::new(|p| echo(net, p, 0.0).0)),
            name => panic!("{name} is not compared"),
        };
        let want = case["f64"]["value"].as_f64().unwrap();
        assert!(ulps(value, want).abs() <= 3.0, "{}: {value:e}, not {want:e}", case["name"]);
        for (p, want) in params.iter().zip(case["f64"]["gradient"].as_array().unwrap()) {
            let (got, want) = (slope(*p), want.as_f64().unwrap());
            assert!(ulps(got, want).abs() <= 3.0, "{} at {p:e}: {got:e}, not {want:e}", case["name"]);
        }
        compared += 1;
    }
    assert_eq!(compared, 3);
}

/// The slope is the derivative of the value: central differences in f64.
#[test]
fn a_slope_is_the_derivative_of_its_value() {
    let net = ElasticNet { lambda: 0.5, beta: 3.0 };
    for w in [-2.0, -0.5, 0.25, 1.0, 7.0_f32] {
        let h = w.abs() / 1024.0;
        let difference = |value: &dyn Fn(&[f32]) -> f32| {
            (f64::from(value(&[w + h])) - f64::from(value(&[w - h]))) / (2.0 * f64::from(h))
        };
        for (slope, value) in [
            (echo(L1::new(0.5), w, 0.0).0, difference(&|w| L1::new(0.5).value(Level::detect(), w))),
            (echo(L2::new(0.5), w, 0.0).0, difference(&|w| L2::new(0.5).value(Level::detect(), w))),
            (echo(net, w, 0.0).0, difference(&|w| net.value(Level::detect(), w))),
        ] {
            assert!((f64::from(slope) - value).abs() <= 2e-3 * value.abs(), "{w}: {slope} {value}");
        }
    }
}

#[test]
fn a_tuple_acts_in_its_order() {
    // Before the rule.
    assert_eq!(echo((Scale(3.0), ClipValue(1.0)), 0.0, 2.0).0, 1.0);
    assert_eq!(echo((ClipValue(1.0), Scale(3.0)), 0.0, 2.0).0, 3.0);
    assert_eq!(echo((L2::new(0.5), Scale(2.0)), 4.0, 1.0).0, 10.0);
    assert_eq!(echo((Scale(2.0), L2::new(0.5)), 4.0, 1.0).0, 6.0);
    assert_eq!(echo((L2::new(0.5), ClipValue(1.0)), 4.0, 0.0).0, 1.0);
    assert_eq!(echo((ClipValue(1.0), L1::new(0.5), Scale(2.0), L2::new(1.0)), 4.0, 9.0).0, 11.0);
    // After it. The decay takes its share of the old weight, 4 here.
    assert_eq!(echo((Decay::new(2.0), ClampParams(2.5)), 4.0, 1.0).1, 2.0);
    assert_eq!(echo((ClampParams(2.5), Decay::new(2.0)), 4.0, 1.0).1, 1.5);
    assert_eq!(echo((ProxL1::new(8.0), ClampParams(2.5)), 4.0, 1.0).1, 2.0);
    assert_eq!(echo((ClampParams(2.5), ProxL1::new(8.0)), 4.0, 1.0).1, 1.5);
    // Both sides at once, and every size of tuple.
    assert_eq!(echo((), 4.0, 1.0), (1.0, 3.0));
    assert_eq!(echo((Scale(2.0),), 4.0, 1.0), (2.0, 2.0));
    assert_eq!(echo((Scale(2.0), ClampParams(1.0), L1::new(0.5)), 4.0, 1.0), (2.5, 1.0));
    let six = (Scale(2.0), L1::new(1.0), Scale(2.0), ClampParams(1.0), Decay::new(1.0), ProxL1::new(2.0));
    assert_eq!(echo(six, 4.0, 0.0), (2.0, 0.25));
    let five = (Scale(2.0), L1::new(1.0), Scale(2.0), ClampParams(1.0), Decay::new(1.0));
    assert_eq!(echo(five, 4.0, 0.0), (2.0, 0.5));
    // A tuple in a tuple.
    assert_eq!(echo((Scale(3.0), (ClipValue(1.0), Scale(2.0))), 0.0, 2.0).0, 2.0);
}

/// A chain acts in the order in which it is written, on both sides of the rule, as one tuple does.
#[test]
fn a_chain_acts_in_its_order() {
    let echo = Echo { lr: LR };
    let chain = echo.with((ClipValue(1.0), ClampParams(2.5))).with((Scale(3.0), ProxL1::new(8.0)));
    let tuple = echo.with((ClipValue(1.0), ClampParams(2.5), Scale(3.0), ProxL1::new(8.0)));
    fn step(optimizer: impl Optimizer<Family = Echo>) -> (f32, f32) {
        let (mut params, mut state) = ([8.0], optimizer.state());
        optimizer.step(&mut params, &[2.0], &mut state);
        (state.columns[0][0], params[0])
    }
    assert_eq!(step(chain), (3.0, 1.5)); // clipped to 1 and scaled; 5 clamped to 2.5, and then shrunk by 1
    assert_eq!(step(tuple), (3.0, 1.5));
}

/// How far one step moves each of two parameters: by arrays, by slices, and by both lists of tensors.
fn moved<O: Whole, T: Transform>(optimizer: O, own: T, params: [f32; 2], grads: [f32; 2]) -> [f32; 2] {
    let way = |after: [f32; 2]| [params[0] - after[0], params[1] - after[1]];
    let (mut after, mut state) = (params, optimizer.state());
    optimizer.with(own).step(&mut after, &grads, &mut state);
    let want = way(after);
    for each in [false, true] {
        let (mut after, mut state, mut clock) = (params, optimizer.state::<2>(), Clock::new());
        {
            let list = &mut [Tensor::new(&mut after, &grads, state.as_mut()).with(own)];
            let step =
                if each { optimizer.step_each(list) } else { optimizer.step_tensors(list, &mut clock) };
            assert_eq!(step, Ok(()));
        }
        assert_eq!(way(after), want);
    }
    want
}

/// A gradient is scaled back before a penalty joins it: the penalty is of the true size.
#[test]
fn a_scaled_loss_leaves_the_weight_decay_alone() {
    let sgd = Sgd::new(1.0).with(Scale(1.0 / 1024.0));
    let moves = moved(sgd, L2::weight_decay(0.1), [1.0, 0.0], [512.0, 512.0]);
    assert!((moves[0] - 0.6).abs() < 1e-7 && moves[1] == 0.5, "{moves:?}");
    let chain = moved(sgd.with(L2::weight_decay(0.1)), (), [1.0, 0.0], [512.0, 512.0]);
    assert_eq!(chain, moves);
}

/// The norm that is clipped is that of the gradients, without what penalties add.
#[test]
fn a_clipped_norm_leaves_the_weight_decay_alone() {
    let grads = [30.0, 40.0];
    let sgd = Sgd::new(1.0).with(ClipNorm { max_norm: 1.0 }.scale(Level::detect(), &[&grads]).unwrap());
    let moves = moved(sgd, L2::weight_decay(0.1), [1.0, 1.0], grads);
    assert!((moves[0] - 0.7).abs() < 1e-6 && (moves[1] - 0.9).abs() < 1e-6, "{moves:?}");
}

/// A limit is one of gradients that have been scaled back.
#[test]
fn a_scaled_gradient_is_clipped_at_its_true_size() {
    let chain = Sgd::new(0.1).with(Scale(1.0 / 1024.0)).with(ClipValue(1.0));
    for moves in [
        moved(chain, (), [0.0, 0.0], [512.0, 4096.0]),
        moved(Sgd::new(0.1).with(Scale(1.0 / 1024.0)), ClipValue(1.0), [0.0, 0.0], [512.0, 4096.0]),
        moved(Sgd::new(0.1), (Scale(1.0 / 1024.0), ClipValue(1.0)), [0.0, 0.0], [512.0, 4096.0]),
    ] {
        assert_eq!(moves, [0.05, 0.1]);
    }
}

/// What depends on the learning rate follows a schedule, also inside of a tuple and a wrapper.
#[test]
fn decay_and_threshold_follow_the_learning_rate() {
    for lr in [0.0, 0.5, 0.25] {
        let sgd = Sgd::new(9.0).with(Decay::new(0.5)).with((Scale(1.0), (ProxL1::new(1.0),))).with_lr(lr);
        assert_eq!(sgd.lr(), lr);
        let (mut params, mut state) = ([4.0], SgdState::new());
        sgd.step(&mut params, &[0.0], &mut state);
        assert_eq!(params, [4.0 - lr * 0.5 * 4.0 - lr]);
    }
}

/// Every transform at once, on every rule: the bits do not depend on the level, and the gradient
/// stays as it was.
fn levels<O: Whole + Debug>(rule: O) {
    let mut random = Random(32);
    let all = rule.with(every_transform());
    for value in [|random: &mut Random| random.sized(-4.0, 1.0), Random::any] {
        for n in [0, 1, 5, 16, 31, 67, 300] {
            let (start, grads) = (random.vec(n, value), random.vec(n, value));
            let results: Vec<_> = Level::available()
                .map(|level| {
                    let (mut params, given) = (start.clone(), grads.clone());
                    let mut state = StateVec::<O::Family>::new(n);
                    for _ in 0..3 {
                        all.on(level).step_slices(&mut params, &given, state.as_mut()).unwrap();
                    }
                    assert_eq!(all_bits(&given), all_bits(&grads), "{rule:?}: the gradient was written");
                    (
                        all_bits(&params),
                        state.columns().iter().map(|column| all_bits(column)).collect::<Vec<_>>(),
                    )
                })
                .collect();
            for result in &results {
                assert!(result == &results[0], "{rule:?} {n}");
            }
        }
    }
}

#[test]
fn transformed_rules_have_the_same_bits_at_every_level() {
    each_rule!(levels);
}

/// A transform that does nothing costs no bit.
fn nothing<O: Whole + Debug>(rule: O) {
    assert_eq!(any_run(rule.with(())), any_run(rule), "{rule:?}");
}

/// The bits after two steps over any numbers.
fn any_run<O: Whole>(rule: O) -> Vec<u32> {
    let mut random = Random(33);
    let (mut params, grads) = (random.vec(40, Random::any), random.vec(40, Random::any));
    let mut state = StateVec::<O::Family>::new(params.len());
    for _ in 0..2 {
        rule.step_slices(&mut params, &grads, state.as_mut()).unwrap();
    }
    all_bits(&params)
}

#[test]
fn what_does_nothing_changes_nothing() {
    each_rule!(nothing);
    let wide = (Scale(1.0), ClipValue(f32::INFINITY), ClampParams(f32::INFINITY));
    assert_eq!(any_run(Sgd::new(0.01).with(wide)), any_run(Sgd::new(0.01)));
    assert_eq!(any_run(Adam::new(0.01).with(wide)), any_run(Adam::new(0.01)));
    assert_eq!(any_run(Lion::new(0.01).with(wide)), any_run(Lion::new(0.01)));
}

#[test]
fn special_values_pass_as_documented() {
    for x in SPECIAL {
        // NaN stays NaN through every bound; infinities are bounded.
        let bounded = |limit: f32| if x.is_nan() { x } else { x.clamp(-limit, limit) };
        assert_eq!(bits(echo(ClipValue(2.0), 0.0, x).0), bits(bounded(2.0)), "{x:e}");
        assert_eq!(bits(echo(ClampParams(2.0), x, 0.0).1), bits(bounded(2.0)), "{x:e}");
        let slope = echo(L1::new(0.5), x, 0.0).0;
        let want = if x.is_nan() { x } else { 0.5 * sign(x.into()) as f32 };
        assert_eq!(bits(slope), bits(want), "{x:e}");
        assert_eq!(echo(ProxL1::new(1.0), x, 0.0).1.is_nan(), x.is_nan(), "{x:e}");
        assert_eq!(echo(Decay::new(1.0), x, 0.0).1.is_nan(), !x.is_finite(), "{x:e}"); // inf - inf
    }
}

#[test]
fn the_proximal_step_makes_exact_zeros() {
    let threshold = LR * 2.0;
    let prox = |p| echo(ProxL1::new(2.0), p, 0.0).1.to_bits();
    for inside in [0.0, 1e-45, 1e-20, 0.1, threshold.next_down(), threshold] {
        assert_eq!([prox(inside), prox(-inside)], [0, 0], "{inside:e}: +0 on both sides");
    }
    let beyond = threshold.next_up();
    assert_eq!(prox(beyond), (beyond - threshold).to_bits());
    assert_eq!(prox(-beyond), (threshold - beyond).to_bits());
    // Without strength nothing moves, and a zero stays one.
    for p in [0.0, 1e-45, -1e-45, 3.5, -f32::MAX] {
        assert_eq!(echo(ProxL1::new(0.0), p, 0.0).1, p);
    }
}

/// The lecture's "built-in feature selection": noise features end at exactly 0, the others do not.
#[test]
fn the_proximal_step_selects_features() {
    let truth = [2.0, 0.0, -1.0, 0.0, 0.0, 0.0_f32];
    let mut random = Random(34);
    let rows: Vec<[f32; 6]> = (0..60).map(|_| std::array::from_fn(|_| random.signed())).collect();
    let targets: Vec<f32> = rows
        .iter()
        .map(|row| row.iter().zip(truth).map(|(x, w)| x * w).sum::<f32>() + 0.01 * random.signed())
        .collect();
    let fit = |optimizer: &dyn Fn(&mut [f32; 6], &[f32; 6])| {
        let mut w = [0.5; 6];
        for _ in 0..2000 {
            let mut grads = [0.0; 6];
            for (row, y) in rows.iter().zip(&targets) {
                let error = row.iter().zip(w).map(|(x, w)| x * w).sum::<f32>() - y;
                (0..6).for_each(|k| grads[k] += error * row[k] / 60.0);
            }
            optimizer(&mut w, &grads);
        }
        w
    };
    let prox = Sgd::new(0.5).with(ProxL1::new(0.05));
    let selected = fit(&|w, g| prox.step(w, g, &mut SgdState::new()));
    assert_eq!(selected.map(|w| w == 0.0), truth.map(|w| w == 0.0), "{selected:?}");
    // A subgradient only comes near.
    let l1 = Sgd::new(0.5).with(L1::new(0.05));
    let near = fit(&|w, g| l1.step(w, g, &mut SgdState::new()));
    assert!(near.iter().all(|&w| w != 0.0), "{near:?}");
}

/// Coupled L2 passes through the moments of Adam; decoupled decay does not, and needs no gradient.
#[test]
fn coupled_and_decoupled_decay_differ() {
    fn run<O: Whole>(optimizer: O, grad: f32) -> f32 {
        let (mut params, mut state) = ([4.0], State::new());
        for _ in 0..10 {
            optimizer.step(&mut params, &[grad], &mut state);
        }
        params[0]
    }
    let plain = AdamW { weight_decay: 0.0, ..AdamW::new(0.01) };
    let decay = 0.125;
    let decoupled = run(AdamW { weight_decay: decay, ..plain }, 0.0);
    let want = 4.0 * (1.0 - 0.01 * f64::from(decay)).powi(10);
    assert!((f64::from(decoupled) - want).abs() < 1e-5, "{decoupled} {want}");
    assert_eq!(run(plain, 0.0), 4.0);
    // Without another gradient the penalty is all that Adam sees: a step of lr, whatever its size.
    let coupled = run(Adam::new(0.01).with(L2::weight_decay(decay)), 0.0);
    assert!((coupled - 3.9).abs() < 1e-3, "{coupled}");
    // The transform decays from the old weight, AdamW before its update: equal but for rounding.
    let transform = run(Adam::new(0.01).with(Decay::new(decay)), 1.0);
    let adamw = run(AdamW { weight_decay: decay, ..plain }, 1.0);
    assert!((transform - adamw).abs() < 1e-5, "{transform} {adamw}");
    // For plain descent the two are one.
    let coupled = run(Sgd::new(0.01).with(L2::weight_decay(decay)), 1.0);
    let decoupled = run(Sgd::new(0.01).with(Decay::new(decay)), 1.0);
    assert!((coupled - decoupled).abs() < 1e-5, "{coupled} {decoupled}");
}

fn skips<O: Whole + Debug>(rule: O) {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for n in [1, 16, 67, BLOCK + 3] {
            let (start, mut grads) = (vec![0.5; n], vec![0.25; n]);
            let (mut params, mut state) = (start.clone(), StateVec::<O::Family>::new(n));
            assert_eq!(rule.step_if_finite(&mut params, &grads, state.as_mut()), Ok(0));
            let (mut plain, mut plain_state) = (start, StateVec::<O::Family>::new(n));
            rule.step_slices(&mut plain, &grads, plain_state.as_mut()).unwrap();
            assert!(params == plain && state == plain_state, "{rule:?}: all finite is a plain step");
            grads[n - 1] = bad;
            grads[n / 2] = bad;
            let count = if n == 1 { 1 } else { 2 };
            assert_eq!(rule.step_if_finite(&mut params, &grads, state.as_mut()), Ok(count), "{rule:?}");
            assert!(params == plain && state == plain_state, "{rule:?}: nothing was written");
        }
    }
}

#[test]
fn a_step_with_a_bad_gradient_can_be_skipped() {
    each_rule!(skips);
}

#[test]
fn a_transform_out_of_range_is_named() {
    use Hyper::*;
    fn refused<T: Transform + Debug>(transform: T, hyper: Hyper) {
        assert_eq!(transform.check(LR), Err(Error::Range(hyper)), "{transform:?}");
        assert_eq!(Some(transform).check(LR), Err(Error::Range(hyper)), "{transform:?}");
        assert_eq!(
            Sgd::new(LR).with((Scale(1.0), transform)).check(),
            Err(Error::Range(hyper)),
            "{transform:?}"
        );
    }
    for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        refused(Scale(x), Factor);
    }
    for x in [f32::NAN, 0.0, -1.0] {
        refused(ClipValue(x), Limit);
        refused(ClampParams(x), Limit);
    }
    for x in [f32::NAN, f32::INFINITY, -1e-9] {
        refused(L1::new(x), Lambda);
        refused(L2::new(x), Lambda);
        refused(L2::weight_decay(x), Lambda);
        refused(ElasticNet { lambda: x, beta: 1.0 }, Lambda);
        refused(ElasticNet { lambda: 1.0, beta: x }, Lambda);
        refused(ProxL1::new(x), Lambda);
        refused(Decay::new(x), WeightDecay);
    }
    refused(Decay::new(1.0 / LR), WeightDecay);
    for lr in [0.0, -LR] {
        assert_eq!(Decay::new(f32::INFINITY).check(lr), Err(Error::Range(WeightDecay)));
    }
    assert_eq!(None::<Scale>.check(LR), Ok(()));
    assert_eq!(Sgd::new(-1.0).with(Scale(f32::NAN)).check(), Err(Error::Range(LearningRate)));
    // It is the learning rate of the step that counts.
    let decay = Sgd::new(0.1).with(Decay::new(5.0));
    assert_eq!(decay.check(), Ok(()));
    assert_eq!(decay.with_lr(0.2).check(), Err(Error::Range(WeightDecay)));
}

/// The value of a penalty.
type Penalty<'a> = &'a dyn Fn(&[f32]) -> f32;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Penalties grow with every weight, and vanish with them.
    #[test]
    fn penalties_are_norms(weights in prop::collection::vec(-100.0..100.0_f32, 0..40), lambda in 0.0..10.0_f32) {
        let net = ElasticNet { lambda, beta: 0.5 };
        let (l1, l2) = (L1::new(lambda), L2::new(lambda));
        let values: [Penalty<'_>; 3] = [&|w| l1.value(Level::detect(), w), &|w| l2.value(Level::detect(), w), &|w| net.value(Level::detect(), w)];
        for value in values {
            let double: Vec<f32> = weights.iter().map(|w| -2.0 * w).collect();
            prop_assert!(value(&weights) >= 0.0 && value(&double) >= value(&weights));
            prop_assert_eq!(value(&vec![0.0; weights.len()]), 0.0);
        }
    }

    /// Clipping and clamping are idempotent, and never turn a sign.
    #[test]
    fn bounds_are_idempotent(g in any::<f32>(), limit in 1e-6..1e6_f32) {
        let once = echo(ClipValue(limit), 0.0, g).0;
        prop_assert_eq!(bits(echo(ClipValue(limit), 0.0, once).0), bits(once));
        prop_assert!(once.is_nan() || once.abs() <= limit && once * g.signum() >= 0.0);
        let once = echo(ClampParams(limit), g, 0.0).1;
        prop_assert_eq!(bits(echo(ClampParams(limit), once, 0.0).1), bits(once));
    }
}
