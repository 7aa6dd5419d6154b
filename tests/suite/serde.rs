//! Configurations and states through JSON and back, and states that are refused.
#![cfg(all(feature = "serde", feature = "std"))]

use crate::support::rules::Whole;
use gradus::store::Family;
use gradus::{Adam, AdamState, Optimizer, State, StateVec};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{from_str, json, to_string};
use std::fmt::Debug;

/// There and back, to an equal value.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    let text = to_string(&value).unwrap();
    let back: T = from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(back, value, "{text}");
}

/// A rule, and its state after some steps: as an array and as a vector, which are one text.
fn rule_and_state<O>(rule: O)
where
    O: Whole + Serialize + DeserializeOwned + PartialEq + Debug,
    O::Family: Family,
{
    round_trip(rule);
    let mut state = State::<O::Family, 5>::new();
    let mut params = [0.1, -0.2, 0.3, 1e-10, 1e10];
    for _ in 0..3 {
        rule.step(&mut params, &[0.1, -0.2, 3.0, 1e-10, 1e10], &mut state); // finite: JSON has no other numbers
    }
    let text = to_string(&state).unwrap();
    round_trip(state.clone());
    let vec: StateVec<O::Family> = from_str(&text).unwrap();
    assert_eq!(vec.columns(), state.columns.as_ref());
    assert_eq!(to_string(&vec).unwrap(), text);
    round_trip(vec);
}

#[test]
fn every_optimizer_and_its_state() {
    each_rule!(rule_and_state);
    each_variant!(rule_and_state);
}

#[test]
fn transforms() {
    use gradus::transform::*;
    round_trip((Scale(0.1), ClipValue(0.2), ClampParams(0.3), ClipNorm { max_norm: 0.4 }));
    round_trip(MaxNorm { row: 2, limit: 0.3 });
    round_trip((L1::new(0.1), L2::new(0.2), ElasticNet { lambda: 0.3, beta: 0.4 }));
    round_trip(Adam::new(0.1).with((Decay::new(0.1), ProxL1::new(0.2))));
}

#[test]
fn schedules() {
    use gradus::schedule::*;
    round_trip((Constant(0.1), StepDecay { lr: 0.1, gamma: 0.2, every: 3 }));
    round_trip(MultiStep::new(0.1, 0.2, [3, 4, u32::MAX]));
    round_trip((Exponential { lr: 0.1, k: 0.2 }, InverseTime { lr: 0.1, k: 0.2 }));
    round_trip((Cosine::new(0.1, 2), WarmRestarts::new(0.1, 2), SnapshotCycle::new(0.1, 10, 3)));
    round_trip(WarmUp::new(1e-4, 10, MultiStep::new(0.1, 0.2, [])));
    round_trip((
        InverseSqrt::new(0.1, 7),
        Polynomial::new(0.1, 7, 0.9),
        Constant(0.1).then(3, Constant(0.2)),
    ));
    round_trip((
        StableDecay::new(0.1, 2, 3),
        Triangular { peaks: Peaks::Exponential(0.9), ..Triangular::new(0.1, 0.2, 1, 2) },
    ));
    round_trip((OneCycle { anneal: Anneal::Root, ..OneCycle::new(0.1, 9) }, Plateau::new(0.1)));
    round_trip(PlateauState { best: 0.1, improvements: 2, bad: 3, cooldown: 4, falls: 5 });
}

#[test]
fn states_say_how_many_columns_they_have() {
    let text = to_string(&AdamState::<1>::new()).unwrap();
    let error = from_str::<AdamState<1>>(&text.replace("[[0.0],[0.0]]", "7")).unwrap_err();
    assert!(error.to_string().contains("expected 2 columns"), "{error} in {text}");
}

#[test]
fn ensembles_and_averages() {
    use gradus::ensemble::*;
    round_trip((Swa, Ema::new(0.999), SwaState::<3>::new(), EmaState::<3>::new()));
    let mut fixed = Ensemble::<2, 3>::new();
    round_trip(fixed.clone());
    fixed.push(&[0.1, 0.2]).unwrap();
    fixed.push(&[0.3, 0.4]).unwrap();
    let text = to_string(&fixed).unwrap();
    assert_eq!(text, "[[0.1,0.2],[0.3,0.4]]");
    round_trip(fixed);
    round_trip(from_str::<EnsembleVec>(&text).unwrap());
    assert!(from_str::<Ensemble<2, 1>>(&text).is_err());
    assert!(from_str::<Ensemble<3, 2>>(&text).is_err());
    assert!(from_str::<Ensemble<1, 2>>(&text).is_err());
    let error = from_str::<Ensemble<2, 3>>("7").unwrap_err().to_string();
    assert!(error.contains("expected at most 3 members of 2 parameters"), "{error}");
    assert!(from_str::<EnsembleVec>("[[0.1,0.2],[0.3]]").is_err());
}

#[test]
fn masks_and_what_is_made_of_them() {
    use gradus::noise::*;
    round_trip((
        Dropout::drop_prob(0.1).vanilla(),
        DropConnect(Dropout::drop_prob(0.2)),
        StochasticDepth(Dropout::drop_prob(0.3)),
    ));
    let mut masks = Masks::new(7);
    round_trip((masks.clone(), Masks::ZERO));
    masks.fill(0.3, &mut [0; 9]);
    round_trip(masks.clone());
    // A lane of zeros would never leave them.
    let mut state = masks.state();
    state[5] = [0; 4];
    let masks: Masks = from_str(&to_string(&state).unwrap()).unwrap();
    assert_ne!(masks.state()[5], [0; 4]);
}

#[test]
fn normalisation_pooling_and_augmentation() {
    use gradus::{augment, norm, pool};
    round_trip((norm::BatchNorm::keras(), norm::BatchNormState::<3>::new()));
    round_trip(pool::Regions::Overlapping);
    round_trip(augment::ImageShape { height: 2, width: 3, channels: 4, layout: augment::ImageLayout::Chw });
    round_trip((augment::RandomCrop { pad: 4 }, augment::RandomFlip { prob: 0.5 }));
    round_trip((augment::ScaleCrop::resnet(), augment::RandomResizedCrop::default()));
    round_trip((augment::Jitter::default(), augment::RandomAffine::default(), augment::Affine::IDENTITY));
    round_trip((norm::BatchShape::dense(2, 3), pool::Window { start: 1, len: 2 }));
}

#[test]
fn second_order() {
    use gradus::second_order::*;
    let settings = LbfgsSettings::<f32>::new();
    assert_eq!(settings.max_move, f32::INFINITY);
    round_trip(settings);
    round_trip(LbfgsSettings {
        max_move: 0.5,
        line_search: LineSearch::Backtracking,
        ..LbfgsSettings::<f64>::new()
    });
    round_trip(LbfgsSettings { step_max: f64::INFINITY, l1_start: 3, l1_end: 7, ..LbfgsSettings::new() });
    // Where an index has 32 bits the end can be read as well.
    #[derive(serde::Deserialize)]
    struct Narrow {
        l1_start: u32,
        l1_end: Option<u32>,
    }
    let narrow: Narrow = from_str(&to_string(&settings).unwrap()).unwrap();
    assert_eq!((narrow.l1_start, narrow.l1_end), (0, None));
    round_trip((NewtonSettings::<f64>::new(), Stop::NonFinite));
    round_trip(DiagonalNewton { damping: 0.1, ..DiagonalNewton::new(0.5_f32) });
    let mut x = [3.0_f64];
    let report = LbfgsSettings::new().minimize(&mut x, |x, g| {
        g[0] = 2.0 * x[0];
        x[0] * x[0]
    });
    round_trip(report.unwrap());
}

/// The state of the refusals below, as JSON.
fn adam() -> serde_json::Value {
    serde_json::to_value(AdamState::<3>::new()).unwrap()
}

/// Zeros in columns of these lengths.
fn columns(lengths: &[usize]) -> serde_json::Value {
    json!(lengths.iter().map(|&n| vec![0.0; n]).collect::<Vec<_>>())
}

#[test]
fn a_state_is_its_family_columns_and_clock() {
    let state = adam();
    let zeros = json!([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]);
    assert_eq!(state, json!({ "family": "adam", "columns": zeros, "clock": { "t": 0, "carry": 0.0 } }));
}

#[test]
fn states_of_another_shape_are_refused() {
    let refused = |change: fn(&mut serde_json::Value), want: &str| {
        let mut state = adam();
        change(&mut state);
        let array = serde_json::from_value::<AdamState<3>>(state.clone()).unwrap_err().to_string();
        let vec = serde_json::from_value::<StateVec<Adam>>(state).unwrap_err().to_string();
        assert!(array.contains(want) && vec.contains(want), "{array}\n{vec}\n{want}");
    };
    refused(|s| s["family"] = json!("momentum"), "the file holds `momentum`, not `adam`");
    refused(|s| s["family"] = json!("a name much too long"), "at most sixteen bytes");
    refused(|s| s["columns"] = columns(&[3]), "invalid length 1");
    refused(|s| s["columns"] = columns(&[3, 2]), "invalid length 2");
    refused(|s| s["columns"] = columns(&[3, 4]), "invalid length 4");
    refused(|s| s["columns"] = columns(&[3, 3, 3]), "invalid length 3");
    refused(|s| s["columns"][0][0] = json!("x"), "invalid type");
    refused(|s| drop(s.as_object_mut().unwrap().remove("clock")), "missing field");
    let two = json!({ "family": "adam", "columns": columns(&[2, 2]), "clock": { "t": 0, "carry": 0.0 } });
    assert!(serde_json::from_value::<AdamState<3>>(two).is_err());
}

/// The upper half of a NaN whose digits all lie in the lower one is infinity.
#[test]
fn a_half_from_nan_is_nan() {
    use gradus::Bf16;
    use serde::de::{Deserialize, IntoDeserializer, value};
    for bits in [0x7F80_0001_u32, 0xFF80_FFFF, 0x7FC0_0000, 0x7FFF_FFFF] {
        let from: value::F32Deserializer<value::Error> = f32::from_bits(bits).into_deserializer();
        assert!(Bf16::deserialize(from).unwrap().to_f32().is_nan(), "{bits:x}");
    }
    let from: value::F32Deserializer<value::Error> = f32::NEG_INFINITY.into_deserializer();
    assert_eq!(Bf16::deserialize(from).unwrap().to_f32(), f32::NEG_INFINITY);
}
