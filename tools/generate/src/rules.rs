//! `src/ffi/rules.rs`: a structure, its defaults, its checks and its steps for each optimizer.

use crate::model::{Field, Optimizer, Value};

/// The file.
pub fn file(optimizers: &[Optimizer]) -> String {
    let mut uses: Vec<&str> = optimizers.iter().map(|optimizer| optimizer.rust.as_str()).collect();
    uses.sort_unstable();
    let mut text = HEAD.replace("#USES", &uses.join(", "));
    for optimizer in optimizers {
        text += &one(optimizer);
    }
    let kinds = optimizers.iter().map(|Optimizer { rust, c, halves, .. }| {
        format!("            GRADUS_ITEM_{} {rust} {halves},\n", c.to_uppercase())
    });
    text + &KINDS.replace("#KINDS", &kinds.collect::<String>())
}

const HEAD: &str = "// Made from src/optim by `./ci.sh generate`: do not edit.
//! The optimizers: a structure, its defaults, two checks and the steps of each.

use super::optim::{
    Config, Pointers, all_finite, check, check_with, half_step, half_step_with, step, step_tensors, step_with,
};
use super::step::{Begin, begin, begin_with};
use super::*;
use crate::simd::Bf16;
use crate::optim::{Clock, #USES};
";

const KINDS: &str = "
/// Calls `$call!` with the kind of a file's value, the type, and whether there is a half state, of every optimizer.
macro_rules! kinds {
    ($call:ident!($($more:tt)*)) => {
        $call! {
            $($more)*
#KINDS        }
    };
}
pub(super) use kinds;
";

/// One optimizer, with its names put into the template.
fn one(optimizer: &Optimizer) -> String {
    let Optimizer { rust, c, docs, columns, kind, halves, fields, build } = optimizer;
    let state = docs.iter().find_map(|line| line.strip_prefix("State: ")).unwrap_or("none.");
    let state = state.split_once(['.', ';']).map_or(state, |(state, _)| state);
    (TEMPLATE.to_string() + if *halves { HALF } else { "" })
        .replace("#DOCS", &comment(docs, ""))
        .replace("#MEMBERS", &fields.iter().map(member).collect::<String>())
        .replace("#DEFAULTS", &fields.iter().map(default).collect::<String>())
        .replace("#ERRORS", &errors(fields))
        .replace("#STATE", state)
        .replace("#RUST", rust)
        .replace("#COUNT", &columns.to_string())
        .replace("#BUILD", build)
        .replace("#KIND", &kind.to_string())
        .replace("#UPPER", &c.to_uppercase())
        .replace("#NAME", c)
}

const TEMPLATE: &str = r#"
#DOCS#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_#NAME {
    /// GRADUS_STRUCTS.
    pub version: u32,
#MEMBERS}

/// Columns of state of gradus_#NAME: floats per parameter.
pub const GRADUS_#UPPER_COLUMNS: usize = #COUNT;
/// The state of gradus_#NAME in a file: gradus_item.kind.
pub const GRADUS_ITEM_#UPPER: u32 = #KIND;

// SAFETY: the first field is the version.
unsafe impl Config for gradus_#NAME {
    type Optimizer = #RUST;
    #[inline(always)]
    fn build(&self) -> Result<#RUST, Refusal> {
        Ok(#BUILD)
    }
}

/// #RUST with its defaults, for a place where the initialiser GRADUS_#UPPER(lr) cannot stand.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_#NAME_default(lr: f32) -> gradus_#NAME {
    gradus_#NAME { version: GRADUS_STRUCTS, #DEFAULTS }
}

/// Whether every hyper-parameter of `config` is in its range: ask once, before training.
///
/// Errors: #ERRORS;
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_check(config: *const gradus_#NAME) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointer, which is checked.
    guard(|| unsafe { check(config) })
}

/// The same, and whether every one of the transforms is in its range.
///
/// Errors: those of gradus_#NAME_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
/// GRADUS_ERROR_WEIGHT_DECAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_check_with(
    config: *const gradus_#NAME,
    transforms: *const gradus_transforms,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { check_with(config, transforms) })
}

/// Updates `n` parameters by one step of #RUST. State: #STATE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_step(
    config: *const gradus_#NAME,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_step_with(
    config: *const gradus_#NAME,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
/// `count`: how many are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_step_if_finite(
    config: *const gradus_#NAME,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut f32,
    clock: *mut Clock,
    count: *mut usize,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    match unsafe { all_finite(config, &Pointers { n, params, grads, state, clock }, count) } {
        // SAFETY: the same. So the loop of the rule stands once.
        Ok(true) => unsafe { gradus_#NAME_step(config, n, params, grads, state, clock) },
        result => result.map(|_| ()).into(),
    }
}

/// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_step_tensors(
    config: *const gradus_#NAME,
    tensors: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, f32>(config, tensors, count, clock) })
}

/// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_begin(
    config: *const gradus_#NAME,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_begin_with(
    config: *const gradus_#NAME,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut f32,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}
"#;

const HALF: &str = r#"
/// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
///
/// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_#NAME_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_half_step(
    config: *const gradus_#NAME,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step(config, &Pointers { n, params, grads, state, clock }) })
}

/// The same step with transforms of gradients and parameters, in one pass over memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_half_step_with(
    config: *const gradus_#NAME,
    transforms: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    grads: *const f32,
    state: *mut u16,
    clock: *mut Clock,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { half_step_with(config, transforms, &Pointers { n, params, grads, state, clock }) })
}

/// gradus_#NAME_begin() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_half_begin(
    config: *const gradus_#NAME,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin(config, &Begin { n, params, state, clock, step }) })
}

/// gradus_#NAME_begin_with() with a state in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_half_begin_with(
    config: *const gradus_#NAME,
    transforms: *const gradus_transforms,
    biases: *const gradus_transforms,
    n: usize,
    params: *mut f32,
    state: *mut u16,
    clock: *mut Clock,
    step: *mut gradus_step,
) -> gradus_status {
    let state = state.cast::<Bf16>();
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { begin_with(config, transforms, biases, &Begin { n, params, state, clock, step }) })
}

/// gradus_#NAME_step_tensors() of states in half the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_#NAME_half_step_tensors(
    config: *const gradus_#NAME,
    tensors: *const gradus_half_tensor,
    count: usize,
    clock: *mut Clock,
) -> gradus_status {
    // SAFETY: the caller vouches for memory behind the pointers, which are checked.
    guard(|| unsafe { step_tensors::<_, Bf16>(config, tensors.cast(), count, clock) })
}
"#;

fn comment(lines: &[String], indent: &str) -> String {
    lines.iter().map(|line| format!("{indent}/// {line}").trim_end().to_string() + "\n").collect()
}

fn member(field: &Field) -> String {
    let Field { name, rust, docs, .. } = field;
    let (rust, more) = match rust.as_str() {
        "bool" => ("u32", " 1 for true, 0 for false."),
        "Epsilon" => ("gradus_epsilon", ""),
        other => (other, ""),
    };
    format!("{}    pub {name}: {rust},\n", comment(docs, "    ").trim_end().to_string() + more + "\n")
}

/// `name: value, ` for the Rust function with the defaults.
fn default(field: &Field) -> String {
    let name = &field.name;
    let value = match (name.as_str(), &field.default) {
        ("lr", _) => return "lr, ".to_string(),
        (_, Value::Plain(word)) => number(word).to_string(),
        (_, epsilon) => {
            let [place, eps, inside] = stabiliser(epsilon);
            format!("gradus_epsilon {{ place: GRADUS_EPSILON_{place}, eps: {eps}, inside: {inside} }}")
        }
    };
    format!("{name}: {value}, ")
}

/// The initialiser for the header: `GRADUS_ADAM(lr)` in braces.
pub fn initialiser(optimizer: &Optimizer) -> String {
    let fields =
        optimizer.fields.iter().map(|field| match (&field.name[..], &field.default, &field.rust[..]) {
            ("lr", ..) => "GRADUS_FLOAT(lr)".to_string(),
            (_, Value::Plain(word), "f32") => format!("{word}f"),
            (_, Value::Plain(word), _) => number(word).to_string(),
            (_, epsilon, _) => {
                let [place, eps, inside] = stabiliser(epsilon);
                format!("{{GRADUS_EPSILON_{place}, {eps}f, {inside}f}}")
            }
        });
    let fields: Vec<String> = fields.collect();
    format!("#define GRADUS_{}(lr) {{GRADUS_STRUCTS, {}}}", optimizer.c.to_uppercase(), fields.join(", "))
}

/// A truth value is a number in C.
fn number(word: &str) -> &str {
    match word {
        "true" => "1",
        "false" => "0",
        number => number,
    }
}

/// Place, outside and inside of a stabiliser.
fn stabiliser(epsilon: &Value) -> [String; 3] {
    let Value::Parts(place, parts) = epsilon else { panic!("{epsilon:?} is no stabiliser") };
    let part = |name: &str| match parts.iter().find(|part| part.0 == name) {
        Some((_, Value::Plain(number))) => number.clone(),
        _ => "0.0".to_string(),
    };
    let outside = if place == "Root" { part("outside") } else { part("") };
    [place.to_uppercase(), outside, part("inside")]
}

/// The statuses of fields that are out of range, in their order.
fn errors(fields: &[Field]) -> String {
    let statuses = fields.iter().filter(|field| field.rust != "bool").map(|field| match &field.name[..] {
        "lr" => "LEARNING_RATE".to_string(),
        "eps" => "EPSILON".to_string(),
        "momentum" => "RHO".to_string(),
        name => name.to_uppercase(),
    });
    let mut statuses: Vec<String> = statuses.map(|name| format!("GRADUS_ERROR_{name}")).collect();
    statuses.dedup();
    // Four to a line.
    statuses.chunks(4).map(|line| line.join(", ")).collect::<Vec<_>>().join(",\n/// ")
}

/// `tests/support/c_rules.rs`: the list of optimizers with their names in C, for tests in Rust.
pub fn list(optimizers: &[Optimizer]) -> String {
    let mut text = "// Made from src/optim by `./ci.sh generate`: do not edit.
//! Every optimizer with the names of its structure, fields and functions in C, and the same in Rust, where `epsilon` makes
//! the stabiliser of its form in C.

/// Calls `$call!` with all of them: type, structure, columns, kind in a file, functions, those of a half state, fields.
macro_rules! c_rules {
    ($call:ident!($($arguments:tt)*)) => {
        $call! {
            ($($arguments)*)
"
    .to_string();
    for Optimizer { rust, c, fields, build, halves, .. } in optimizers {
        let upper = c.to_uppercase();
        let functions = [
            "default",
            "check",
            "check_with",
            "step",
            "step_with",
            "step_if_finite",
            "step_tensors",
            "begin",
            "begin_with",
        ];
        let named = |names: &[&str]| -> String {
            names.iter().map(|name| format!("gradus_{c}_{name}")).collect::<Vec<_>>().join(" ")
        };
        let half = ["half_step", "half_step_with", "half_begin", "half_begin_with", "half_step_tensors"];
        let half = if *halves { named(&half) } else { String::new() };
        let fields: Vec<&str> = fields.iter().map(|field| &field.name[..]).collect();
        text += &format!(
            "            {rust} gradus_{c} GRADUS_{upper}_COLUMNS GRADUS_ITEM_{upper} {} [{half}]\n                {{ version {} }}\n                ({});\n",
            named(&functions),
            fields.join(" "),
            rust_form(build)
        );
    }
    text + "        }
    };
}
pub(crate) use c_rules;
"
}

/// `|c| Some(Adam { lr: c.lr, .. })`: how a test makes the optimizer of a configuration in C.
fn rust_form(build: &str) -> String {
    let parts: Vec<String> = build
        .replace(".build()?", "@")
        .split("self.")
        .map(|part| match part.split_once('@') {
            Some((name, rest)) => format!("epsilon(c.{name})?{rest}"),
            None => format!("c.{part}"),
        })
        .collect();
    format!("|c| Some({})", parts.concat().trim_start_matches("c."))
}

/// The same as macros of the header.
pub fn list_for_c(optimizers: &[Optimizer]) -> String {
    let lines = |all: &dyn Fn(&&Optimizer) -> bool| -> String {
        let lines = optimizers.iter().filter(all);
        lines.map(|Optimizer { c, .. }| format!(" \\\n  X({c}, {})", c.to_uppercase())).collect()
    };
    format!(
        "// Calls X(name, NAME) for every optimizer: in text that is the same for all of them.
#define GRADUS_OPTIMIZERS(X){}

// Calls X(name, NAME) for every optimizer that has states in half the memory.
#define GRADUS_HALF_OPTIMIZERS(X){}
",
        lines(&|_| true),
        lines(&|optimizer| optimizer.halves)
    )
}
