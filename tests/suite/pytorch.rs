//! Every rule against the runs of PyTorch, Keras and optax in `tests/vectors`.

use crate::support::rules::Whole;
use crate::support::ulp::unit;
use gradus::transform::L2;
use gradus::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// What a run of 30 steps may be off at any of its steps, per rule and library: against the library's
/// run in f64, and against its own f32. A run of 1000 steps may be off four times as much.
///
/// In units in the last place of the largest value that a parameter takes in the run. 0 are the
/// library's own bits: where its operations stand in the same order, ours give them. Keras and optax
/// form Adam's `1 - beta^t` in f32 and stray from their own f64 by up to 100 units: no f32 there.
const BUDGET: [(&str, f64, Option<f64>); 21] = [
    ("sgd/torch", 5.0, Some(0.0)),
    ("momentum/torch", 10.0, Some(0.0)),
    ("momentum/keras", 5.0, Some(10.0)), // the learning rate stands inside the velocity
    ("nesterov/torch", 12.0, Some(0.0)),
    ("nesterov/keras", 5.0, Some(5.0)),
    ("adagrad/torch", 4.0, Some(4.0)),
    ("adagrad/keras", 4.0, Some(0.0)),
    ("rmsprop/torch", 9.0, Some(7.0)),
    ("rmsprop/keras", 5.0, Some(5.0)),
    ("adam/torch", 8.0, Some(5.0)),
    ("adam/formula", 5.0, Some(0.0)),
    ("adam/keras", 4.0, None),
    ("adam/optax", 4.0, None),
    ("adamw/torch", 12.0, Some(12.0)), // PyTorch rounds 1 - lr * wd and decays before the update
    ("amsgrad/torch", 6.0, Some(5.0)),
    ("nadam/torch", 8.0, Some(10.0)),
    ("adamax/torch", 5.5, Some(3.0)),
    ("adadelta/torch", 6.0, Some(3.0)),
    ("radam/torch", 8.0, Some(7.0)),
    ("lion/optax", 5.0, Some(0.0)),
    ("schedulefree/schedulefree", 8.0, Some(8.0)),
];

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

/// One case, and the inputs that all cases share.
struct Case<'a> {
    file: &'a Value,
    case: &'a Value,
}

impl Case<'_> {
    fn name(&self) -> &str {
        self.case["name"].as_str().unwrap()
    }

    fn hyper(&self, key: &str) -> f64 {
        let value = &self.case["hyper"][key];
        value.as_f64().unwrap_or_else(|| panic!("{}: {key} is {value}", self.name()))
    }

    fn hyper32(&self, key: &str) -> f32 {
        self.hyper(key) as f32
    }

    fn flag(&self, key: &str) -> bool {
        self.case["hyper"][key].as_bool().unwrap()
    }

    fn epsilon(&self) -> Epsilon {
        let place = |key: &str| self.case["hyper"][key].as_f64().unwrap_or(0.0) as f32;
        let (outside, inside, hat) = (place("eps"), place("eps_root"), place("eps_hat"));
        match (outside, inside, hat) {
            (0.0, 0.0, hat) => Epsilon::Hat(hat),
            (outside, 0.0, 0.0) => Epsilon::Outside(outside),
            (outside, inside, 0.0) => Epsilon::Root { inside, outside },
            _ => panic!("{}: which stabiliser?", self.name()),
        }
    }

    /// Runs `rule`, and compares at each step that the file has.
    fn hold<O: Whole>(&self, rule: O) {
        match self.hyper32("coupled_weight_decay") {
            0.0 => self.compare(rule),
            decay => self.compare(rule.with(L2::weight_decay(decay))),
        }
    }

    fn compare<O: Whole>(&self, mut rule: O) {
        assert_eq!(rule.check(), Ok(()), "{}", self.name());
        let mut params = floats(&self.file["params"]);
        let n = params.len();
        let gradients: Vec<_> = self.file["gradients"].as_array().unwrap().iter().map(floats).collect();
        let rows = |key: &str| self.case[key].as_array().unwrap().clone();
        let wide: Vec<Vec<f64>> = rows("f64").iter().map(numbers).collect();
        let narrow: Vec<_> = rows("f32").iter().map(floats).collect();
        let units = units(&params, &wide);

        let mut state = StateVec::<O::Family>::new(n);
        if let Some(fill) = self.case["hyper"]["initial_accumulator"].as_f64() {
            state.columns_mut().as_mut()[0].fill(fill as f32);
        }
        let steps: Vec<u32> = rows("steps").iter().map(|step| step.as_u64().unwrap() as u32).collect();
        let last = *steps.last().unwrap();
        let scale = if last > 30 { 4.0 } else { 1.0 };
        let row = BUDGET.iter().find(|row| self.name().starts_with(row.0));
        let &(_, exact, same) = row.unwrap_or_else(|| panic!("{} has no budget", self.name()));
        for t in 1..=last {
            for change in rows("lr_changes") {
                if change[0].as_u64() == Some(t.into()) {
                    rule = rule.with_lr(change[1].as_f64().unwrap() as f32);
                }
            }
            rule.step_slices(&mut params, &gradients[(t as usize - 1) % gradients.len()], state.as_mut())
                .unwrap();
            let Some(row) = steps.iter().position(|&step| step == t) else { continue };
            for i in 0..n {
                let got = f64::from(params[i]);
                let place = format!("{} step {t} parameter {i}: {got:e}", self.name());
                let error = (got - wide[row][i]) / units[i];
                assert!(error.abs() <= exact * scale, "{place}, f64 {:e}: {error:.2} units", wide[row][i]);
                if let Some(same) = same {
                    let error = (got - f64::from(narrow[row][i])) / units[i];
                    assert!(
                        error.abs() <= same * scale,
                        "{place}, f32 {:e}: {error:.2} units",
                        narrow[row][i]
                    );
                }
            }
        }
        assert_eq!(state.t(), last);
    }
}

impl Case<'_> {
    /// The averages of a schedule-free run, in the units and within the budget of its parameters.
    fn hold_averages(&self, mut free: ScheduleFree) {
        let mut params = floats(&self.file["params"]);
        let gradients: Vec<_> = self.file["gradients"].as_array().unwrap().iter().map(floats).collect();
        let rows = |key: &str| self.case[key].as_array().unwrap().clone();
        let mut state = free.state_vec(params.len());
        let wide: Vec<Vec<f64>> = rows("f64").iter().map(numbers).collect();
        let units = units(&params, &wide);
        let steps: Vec<u64> = rows("steps").iter().map(|step| step.as_u64().unwrap()).collect();
        let budget = if steps.contains(&1000) { 32.0 } else { 8.0 };
        for t in 1..=*steps.last().unwrap() {
            for change in rows("lr_changes") {
                if change[0].as_u64() == Some(t) {
                    free = free.with_lr(change[1].as_f64().unwrap() as f32);
                }
            }
            let grads = &gradients[(t as usize - 1) % gradients.len()];
            free.step_slices(&mut params, grads, state.as_mut()).unwrap();
            let Some(row) = steps.iter().position(|&step| step == t) else { continue };
            let mut averages = params.clone();
            free.average(Exec::new(), &mut averages, &state.columns()[0]).unwrap();
            for (i, got) in averages.into_iter().map(f64::from).enumerate() {
                let want = rows("average_f64")[row][i].as_f64().unwrap();
                let error = (got - want) / units[i];
                let name = self.name();
                assert!(
                    error.abs() <= budget,
                    "{name} step {t} average {i}: {got:e}, f64 {want:e}: {error:.2} units"
                );
            }
        }
    }
}

/// The file's rules as ours; the name of the budget that the run was held to.
fn compare(file: &Value, case: &Value) -> String {
    let case = Case { file, case };
    let lr = case.hyper32("lr");
    let (rho, beta1, beta2) = (|| case.hyper("rho"), || case.hyper("beta1"), || case.hyper("beta2"));
    let weight_decay = || case.hyper32("weight_decay");
    match case.case["rule"].as_str().unwrap() {
        "sgd" => case.hold(Sgd { lr }),
        "momentum" => case.hold(Momentum { lr, rho: rho(), dampening: case.hyper("dampening") }),
        "nesterov" => case.hold(Nesterov { lr, rho: rho() }),
        "adagrad" => case.hold(AdaGrad { lr, eps: case.epsilon() }),
        "rmsprop" => {
            let plain = RmsProp { lr, rho: rho(), eps: case.epsilon() };
            match (case.flag("centered"), case.hyper32("momentum")) {
                (false, 0.0) => case.hold(plain),
                (true, 0.0) => case.hold(plain.centered()),
                (false, momentum) => case.hold(plain.with_momentum(momentum)),
                (true, momentum) => case.hold(plain.centered().with_momentum(momentum)),
            }
        }
        "adam" => {
            let bias_correction = case.flag("bias_correction");
            case.hold(Adam { lr, beta1: beta1(), beta2: beta2(), eps: case.epsilon(), bias_correction });
        }
        "adamw" => {
            let (eps, weight_decay) = (case.epsilon(), weight_decay());
            case.hold(AdamW { lr, beta1: beta1(), beta2: beta2(), eps, weight_decay });
        }
        "amsgrad" => case.hold(AmsGrad { lr, beta1: beta1(), beta2: beta2(), eps: case.epsilon() }),
        "nadam" => {
            let (eps, momentum_decay) = (case.epsilon(), case.hyper32("momentum_decay"));
            case.hold(Nadam { lr, beta1: beta1(), beta2: beta2(), eps, momentum_decay });
        }
        "adamax" => case.hold(Adamax { lr, beta1: beta1(), beta2: beta2(), eps: case.hyper32("eps") }),
        "adadelta" => case.hold(Adadelta { lr, rho: rho(), eps: case.hyper32("eps") }),
        "radam" => {
            case.hold(RAdam { lr, beta1: beta1(), beta2: beta2(), eps: Epsilon::Hat(case.hyper32("eps")) });
        }
        "lion" => case.hold(Lion { lr, beta1: beta1(), beta2: beta2(), weight_decay: weight_decay() }),
        "schedulefree" => {
            let (eps, weight_decay) = (case.epsilon(), weight_decay());
            let free = ScheduleFree { lr, beta1: beta1(), beta2: beta2(), eps, weight_decay };
            case.hold(free);
            case.hold_averages(free);
        }
        other => panic!("{other} is not compared"),
    }
    case.name().rsplit_once('/').unwrap().0.to_owned()
}

#[test]
fn every_run_is_the_library_s() {
    let file: Value = serde_json::from_str(include_str!("../vectors/optimizers.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let compared: BTreeSet<_> = cases.iter().map(|case| compare(&file, case)).collect();
    let budgets: BTreeSet<_> = BUDGET.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(compared, budgets);
}

/// The presets are the libraries' defaults, not only numbers that look like them.
#[test]
fn presets_are_the_defaults_of_the_libraries() {
    let file: Value = serde_json::from_str(include_str!("../vectors/optimizers.json")).unwrap();
    let case = |name: &str| {
        let case = file["cases"].as_array().unwrap().iter().find(|case| case["name"] == *name);
        Case { file: &file, case: case.unwrap_or_else(|| panic!("no run {name}")) }
    };
    case("adagrad/torch/default").hold(AdaGrad::new(0.01));
    case("adagrad/torch/lecture").hold(AdaGrad::lecture(0.01));
    case("adagrad/keras/default").hold(AdaGrad::keras(0.001));
    assert_eq!(case("adagrad/keras/default").hyper32("initial_accumulator"), AdaGrad::KERAS_ACCUMULATOR);
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
