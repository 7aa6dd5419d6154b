//! Every rule against the runs of PyTorch, Keras and optax in `tests/vectors`.

use crate::support::papers::{Library, Paper, Run};
use crate::support::rules::Whole;
use crate::support::ulp::unit;
use gradus::transform::L2;
use gradus::*;
use serde_json::Value;
use std::sync::LazyLock;

fn floats(bits: &Value) -> Vec<f32> {
    bits.as_array().unwrap().iter().map(|bits| f32::from_bits(bits.as_u64().unwrap() as u32)).collect()
}

fn numbers(row: &Value) -> Vec<f64> {
    row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The unit in the last place of the largest value that each parameter takes in a run.
fn units(start: &[f32], rows: &[Vec<f64>]) -> Vec<f64> {
    let largest = |(i, start): (usize, &f32)| {
        rows.iter().map(|row| row[i].abs()).fold(f64::from(*start).abs(), f64::max)
    };
    start.iter().enumerate().map(largest).map(unit).collect()
}

/// The inputs that all runs share, and the runs.
struct File(Value);

/// Read once for all optimizers.
static FILE: LazyLock<File> =
    LazyLock::new(|| File(serde_json::from_str(include_str!("../vectors/optimizers.json")).unwrap()));

impl File {
    fn runs(&self) -> impl Iterator<Item = Case<'_>> {
        self.0["cases"].as_array().unwrap().iter().map(|run| Case { file: &self.0, run: Run(run) })
    }
}

/// One run, and the inputs that all share.
struct Case<'a> {
    file: &'a Value,
    run: Run<'a>,
}

impl Case<'_> {
    fn name(&self) -> &str {
        self.run.0["name"].as_str().unwrap()
    }

    fn rows(&self, key: &str) -> &[Value] {
        self.run.0[key].as_array().unwrap()
    }

    /// The rate from step `t` on, where it changes there.
    fn change(&self, t: u32) -> Option<f32> {
        let change = self.rows("lr_changes").iter().find(|change| change[0].as_u64() == Some(t.into()))?;
        Some(change[1].as_f64().unwrap() as f32)
    }

    /// Steps as the run did; `look` sees the parameters and the first column at each step that the file has.
    fn steps<O: Whole>(&self, mut rule: O, mut look: impl FnMut(O, usize, &[f32], &[f32])) {
        assert_eq!(rule.check(), Ok(()), "{}", self.name());
        let mut params = floats(&self.file["params"]);
        let gradients: Vec<_> = self.file["gradients"].as_array().unwrap().iter().map(floats).collect();
        let mut state = StateVec::<O::Family>::new(params.len());
        if let Some(fill) = self.run.0["hyper"]["initial_accumulator"].as_f64() {
            state.columns_mut().as_mut()[0].fill(fill as f32);
        }
        for (row, last) in self.rows("steps").iter().map(|step| step.as_u64().unwrap() as u32).enumerate() {
            while state.t() < last {
                let t = state.t() + 1;
                rule = self.change(t).map_or(rule, |lr| rule.with_lr(lr));
                let grads = &gradients[(t as usize - 1) % gradients.len()];
                rule.step_slices(&mut params, grads, state.as_mut()).unwrap();
                assert_eq!(state.t(), t);
            }
            look(rule, row, &params, state.columns().as_ref().first().map_or(&[], |column| column));
        }
    }

    /// The largest step of the run decides how far it may stray.
    fn scale(&self) -> f64 {
        if self.rows("steps").last().unwrap().as_u64().unwrap() > 30 { 4.0 } else { 1.0 }
    }

    /// Runs `rule`, and compares its parameters with those of the library.
    fn hold<const K: usize, O: Paper<K>>(&self, rule: O) {
        let [_, library, _] = self.run.name();
        let budget = O::LIBRARIES.iter().find(|budget| budget.0 == library);
        let budget = budget.unwrap_or_else(|| panic!("{} has no budget", self.name()));
        match self.run.hyper32("coupled_weight_decay") {
            0.0 => self.compare(rule, budget),
            decay => self.compare(rule.with(L2::weight_decay(decay)), budget),
        }
    }

    fn compare<O: Whole>(&self, rule: O, &(_, exact, same): &Library) {
        let wide: Vec<Vec<f64>> = self.rows("f64").iter().map(numbers).collect();
        let narrow: Vec<_> = self.rows("f32").iter().map(floats).collect();
        let (units, scale) = (units(&floats(&self.file["params"]), &wide), self.scale());
        self.steps(rule, |_, row, params, _| {
            for (i, got) in params.iter().copied().map(f64::from).enumerate() {
                let place = format!("{} row {row} parameter {i}: {got:e}", self.name());
                let error = (got - wide[row][i]) / units[i];
                assert!(error.abs() <= exact * scale, "{place}, f64 {:e}: {error:.2} units", wide[row][i]);
                if let Some(same) = same {
                    let want = f64::from(narrow[row][i]);
                    let error = (got - want) / units[i];
                    assert!(error.abs() <= same * scale, "{place}, f32 {want:e}: {error:.2} units");
                }
            }
        });
    }
}

/// Each run of the rule in the file: how many they are.
fn runs<const K: usize, O: Paper<K>>(_: O) -> usize {
    let runs: Vec<_> = FILE.runs().filter_map(|case| Some((O::of(&case.run)?, case))).collect();
    for (rule, case) in &runs {
        case.hold(*rule);
    }
    for (library, ..) in O::LIBRARIES {
        assert!(runs.iter().any(|(_, case)| case.run.name()[1] == *library), "no run of {library}");
    }
    runs.len()
}

#[test]
fn every_run_is_the_library_s() {
    let compared: usize = each_rule!(runs).iter().sum();
    assert_eq!(compared, FILE.runs().count(), "each run is one of one rule");
}

/// The averages of the schedule-free runs, in the units and within the budget of the parameters.
#[test]
fn averages_are_the_library_s() {
    for case in FILE.runs() {
        let Some(free) = ScheduleFree::of(&case.run) else { continue };
        let wide: Vec<Vec<f64>> = case.rows("f64").iter().map(numbers).collect();
        let units = units(&floats(&FILE.0["params"]), &wide);
        let budget = ScheduleFree::LIBRARIES[0].1 * case.scale();
        case.steps(free, |free, row, params, distance| {
            let mut averages = params.to_vec();
            free.average(Exec::new(), &mut averages, distance).unwrap();
            let wants = numbers(&case.rows("average_f64")[row]);
            for (i, (got, want)) in averages.into_iter().map(f64::from).zip(wants).enumerate() {
                let error = (got - want) / units[i];
                let name = case.name();
                assert!(
                    error.abs() <= budget,
                    "{name} row {row} average {i}: {got:e}, f64 {want:e}: {error:.2} units"
                );
            }
        });
    }
}

/// The presets are the libraries' defaults, not only numbers that look like them.
#[test]
fn presets_are_the_defaults_of_the_libraries() {
    let case = |name: &str| {
        let case = FILE.runs().find(|case| case.name() == name);
        case.unwrap_or_else(|| panic!("no run {name}"))
    };
    case("adagrad/torch/default").hold(AdaGrad::new(0.01));
    case("adagrad/torch/lecture").hold(AdaGrad::lecture(0.01));
    case("adagrad/keras/default").hold(AdaGrad::keras(0.001));
    assert_eq!(case("adagrad/keras/default").run.hyper32("initial_accumulator"), AdaGrad::KERAS_ACCUMULATOR);
    case("rmsprop/torch/default").hold(RmsProp::new(0.01));
    case("rmsprop/torch/lecture").hold(RmsProp::lecture(0.01));
    case("rmsprop/keras/default").hold(RmsProp::keras(0.001));
    case("adam/torch/default").hold(Adam::new(0.001));
    case("adam/torch/lecture").hold(Adam::lecture(0.001));
    case("adam/keras/default").hold(Adam::keras(0.001));
    case("adamw/torch/default").hold(AdamW::new(0.001));
    case("amsgrad/torch/default").hold(AmsGrad::new(0.001));
    case("nadam/torch/default").hold(Nadam::new(0.002));
    case("lion/optax/default_betas").hold(Lion { weight_decay: 0.0, ..Lion::new(1e-4) });
    case("momentum/torch/rho0.9").hold(Momentum::new(0.01));
    case("nesterov/torch/rho0.9").hold(Nesterov::new(0.01));
}
