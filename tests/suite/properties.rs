//! Laws of the rules, on random hyper-parameters, states and gradients: to the bit where they are exact.

use crate::support::random::{Random, all_bits};
use crate::support::rules::Whole;
use gradus::schedule::{Schedule, WarmRestarts};
use gradus::*;
use proptest::prelude::*;
use std::fmt::Debug;

/// Parameters of a run: a whole register of the widest, and a rest.
const N: usize = 21;
/// Steps of a run.
const STEPS: usize = 6;

/// A run's start and its gradients.
#[derive(Clone, Debug)]
struct Data {
    params: [f32; N],
    grads: [[f32; N]; STEPS],
}

/// Ordinary data: far enough from both ends of f32 that powers of two are exact factors.
fn data() -> impl Strategy<Value = Data> {
    any::<u64>().prop_map(|seed| {
        let mut random = Random(seed);
        let mut column = || std::array::from_fn(|_| random.sized(-3.0, 3.0));
        Data { params: column(), grads: std::array::from_fn(|_| column()) }
    })
}

/// Parameters and state after the run.
fn train<O: Whole>(rule: O, data: &Data) -> ([f32; N], State<O::Family, N>) {
    let (mut params, mut state) = (data.params, State::new());
    for grads in &data.grads {
        rule.step(&mut params, grads, &mut state);
    }
    (params, state)
}

/// The parameters' bits after the run.
fn bits<O: Whole>(rule: O, data: &Data) -> Vec<u32> {
    all_bits(&train(rule, data).0)
}

/// A law of one rule.
type Law = Box<dyn Fn(&Data)>;

/// Downhill in a mirror is downhill: turning all signs turns the signs of the results.
fn mirrored<O: Whole + Debug + 'static>(rule: O) -> Law {
    Box::new(move |data| {
        let turned = Data { params: data.params.map(|p| -p), grads: data.grads.map(|g| g.map(|g| -g)) };
        assert_eq!(train(rule, data).0, train(rule, &turned).0.map(|p| -p), "{rule:?}");
    })
}

/// Without a learning rate nothing moves, though the averages do.
fn still<O: Whole + Debug + 'static>(rule: O) -> Law {
    Box::new(move |data| {
        let (params, state) = train(rule.with_lr(0.0), data);
        assert_eq!(params, data.params, "{rule:?}");
        assert_eq!(state.t(), STEPS as u32);
        // What a column of the schedule-free rule holds is a step that was taken, and none was.
        let moved = |column: &[f32; N]| column.iter().all(|&s| s != 0.0);
        let count = state.columns.as_ref().iter().filter(|column| moved(column)).count();
        let steps = usize::from(format!("{rule:?}").starts_with("ScheduleFree"));
        assert_eq!(count, state.columns.as_ref().len() - steps, "{rule:?}");
    })
}

/// A state that is copied anywhere continues with the same bits, under a schedule too.
fn resumed<O: Whole + Debug + 'static>(rule: O) -> Law {
    let schedule = WarmRestarts::new(0.05, 4);
    let step = move |data: &Data, params: &mut [f32], state: StateMut<'_, O::Family>| {
        let t = state.clock.t;
        let grads = &data.grads[t as usize % STEPS];
        rule.with_lr(schedule.at(t)).step_slices(params, grads, state).unwrap();
    };
    Box::new(move |data| {
        let (mut whole, mut state) = (data.params, State::<O::Family, N>::new());
        for pause in 0..10 {
            // The copy travels as bytes, into memory of another kind.
            let floats = whole.iter().chain(state.columns.as_ref().as_flattened());
            let bytes: Vec<u8> = floats.flat_map(|x| x.to_le_bytes()).collect();
            let mut floats = bytes.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
            let mut copy: Vec<f32> = floats.by_ref().take(N).collect();
            let mut copied = StateVec::<O::Family>::new(N);
            for column in copied.columns_mut().as_mut() {
                column.fill_with(|| floats.next().unwrap());
            }
            copied.clock = state.clock;
            let (mut rest, mut rest_state) = (whole, state.clone());
            for _ in pause..10 {
                step(data, &mut copy, copied.as_mut());
                step(data, &mut rest, rest_state.as_mut());
            }
            assert_eq!(all_bits(&copy), all_bits(&rest), "{rule:?} from step {pause}");
            assert_eq!(copied.clock, rest_state.clock);
            step(data, &mut whole, state.as_mut());
        }
    })
}

/// A list of tensors is each of them alone.
fn listed<O: Whole + Debug + 'static>(rule: O) -> Law {
    Box::new(move |data| {
        let (mut params, mut clock) = (data.params, Clock::new());
        let (mut first, mut second) = (rule.state::<8>(), rule.state::<{ N - 8 }>());
        for grads in &data.grads {
            let (left, right) = params.split_at_mut(8);
            let mut tensors = [
                Tensor::new(left, &grads[..8], first.as_mut()),
                Tensor::new(right, &grads[8..], second.as_mut()),
            ];
            rule.step_tensors(&mut tensors, &mut clock).unwrap();
        }
        let (want, want_state) = train(rule, data);
        assert_eq!((params, clock), (want, want_state.clock), "{rule:?}");
        let columns = first.columns.as_ref().iter().zip(second.columns.as_ref());
        for ((first, second), want) in columns.zip(want_state.columns.as_ref()) {
            assert_eq!([&first[..], second].concat(), want, "{rule:?}");
        }
    })
}

/// All laws of all rules.
fn laws() -> Vec<Law> {
    let mut laws = Vec::new();
    laws.extend(each_rule!(mirrored));
    laws.extend(each_variant!(mirrored));
    laws.extend(each_rule!(still));
    laws.extend(each_rule!(resumed));
    laws.extend(each_rule!(listed));
    laws
}

/// How far each parameter moved in one step, in f64.
fn moves<O: Whole>(rule: O, data: &Data) -> [f64; N] {
    let mut params = [0.0; N];
    rule.step(&mut params, &data.grads[0], &mut State::new());
    params.map(f64::from)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn every_law_of_every_rule_holds(data in data()) {
        for law in laws() {
            law(&data);
        }
    }

    /// Rules that are special cases of others have their bits.
    #[test]
    fn special_cases_are_equal(data in data(), lr in 1e-4..1.0_f32, rho in 0.0..0.999_f64) {
        let sgd = bits(Sgd::new(lr), &data);
        prop_assert_eq!(&bits(Momentum { rho: 0.0, ..Momentum::new(lr) }, &data), &sgd);
        prop_assert_eq!(&bits(Nesterov { rho: 0.0, ..Nesterov::new(lr) }, &data), &sgd);
        let adam = Adam { beta2: rho, ..Adam::new(lr) };
        let adamw = AdamW { beta2: rho, weight_decay: 0.0, ..AdamW::new(lr) };
        prop_assert_eq!(bits(adamw, &data), bits(adam, &data));
        // Without momentum and correction Adam is RMSProp.
        let plain = Adam { beta1: 0.0, bias_correction: false, ..adam };
        prop_assert_eq!(bits(plain, &data), bits(RmsProp { rho, ..RmsProp::new(lr) }, &data));
        // The maximum of one second moment is itself.
        let amsgrad = AmsGrad { beta2: rho, ..AmsGrad::new(lr) };
        prop_assert_eq!(moves(amsgrad, &data), moves(adam, &data));
    }

    /// The size of all gradients does not matter to an adaptive rule, if the stabiliser goes with it.
    /// Powers of two are exact, so that the bits are equal.
    #[test]
    fn adaptive_rules_do_not_see_the_scale(data in data(), power in -12..=12_i32) {
        let factor = 2_f32.powi(power);
        let scaled = Data { grads: data.grads.map(|g| g.map(|g| factor * g)), ..data.clone() };
        let eps = |x: f32| Epsilon::Outside(x * 1e-4);
        macro_rules! unscaled {
            ($($rule:ident)*) => {$(
                let [plain, large] = [1.0, factor].map(|x| $rule { eps: eps(x), ..$rule::new(0.01) });
                prop_assert_eq!(bits(plain, &data), bits(large, &scaled), "{:?}", large);
            )*};
        }
        unscaled!(AdaGrad RmsProp Adam AdamW AmsGrad Nadam);
        let [plain, large] = [1.0, factor].map(|x| RmsProp { eps: eps(x), ..RmsProp::new(0.01) });
        prop_assert_eq!(bits(plain.centered(), &data), bits(large.centered(), &scaled));
        prop_assert_eq!(bits(plain.with_momentum(0.9), &data), bits(large.with_momentum(0.9), &scaled));
        prop_assert_eq!(bits(Lion::new(0.01), &data), bits(Lion::new(0.01), &scaled));
        // Plain rules see it as a learning rate.
        prop_assert_eq!(bits(Sgd::new(0.01 * factor), &data), bits(Sgd::new(0.01), &scaled));
    }

    /// How far one step may go: what the learning rate means for each adaptive rule.
    #[test]
    fn first_steps_have_the_length_of_the_learning_rate(data in data(), lr in 1e-4..1.0_f32) {
        let (rate, slack) = (f64::from(lr), 1.0 + 1e-5);
        for (name, moves, most, least) in [
            ("AdaGrad", moves(AdaGrad::new(lr), &data), 1.0, 0.999),
            ("RmsProp", moves(RmsProp::new(lr), &data), 10.0, 9.99),
            ("Adam", moves(Adam::new(lr), &data), 1.0, 0.999),
            ("AmsGrad", moves(AmsGrad::new(lr), &data), 1.0, 0.999),
            ("Lion", moves(Lion::new(lr), &data), 1.0, 1.0),
        ] {
            for (moved, g) in moves.iter().zip(data.grads[0]) {
                let (downhill, length) = (moved * f64::from(g) < 0.0, moved.abs() / rate);
                let fits = downhill && length <= most * slack && length >= least / slack;
                prop_assert!(fits, "{name}: {moved:e} at lr {lr:e}, gradient {g:e}");
            }
        }
    }

    /// Later steps are bounded too, whatever the gradients: AdaGrad by lr, Lion by exactly lr.
    #[test]
    fn no_gradient_is_large_enough_for_a_long_step(seed: u64, lr in 1e-3..1.0_f32) {
        let mut random = Random(seed);
        let (mut a, mut b) = (AdaGradState::<1>::new(), LionState::<1>::new());
        let lion = Lion { weight_decay: 0.0, ..Lion::new(lr) };
        for _ in 0..50 {
            let grads = [random.sized(-15.0, 15.0)];
            let (mut p, mut q) = ([0.0], [0.0]);
            AdaGrad::new(lr).step(&mut p, &grads, &mut a);
            lion.step(&mut q, &grads, &mut b);
            prop_assert!(p[0].abs() <= lr * (1.0 + 1e-6) && p[0] * grads[0] <= 0.0);
            prop_assert_eq!(q[0].abs(), lr);
        }
    }
}
