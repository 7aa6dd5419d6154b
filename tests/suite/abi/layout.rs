//! The header: the layout of every structure, and what it says of pointers.

use super::*;

macro_rules! layout {
    ($out:ident; $($name:ident as $c:tt { $($field:ident)* })*) => {$(
        let size = size_of::<$name>();
        writeln!($out, "_Static_assert(sizeof({}) == {size}, \"size\");", $c).unwrap();
        $(
            let offset = std::mem::offset_of!($name, $field);
            let field = stringify!($field);
            writeln!($out, "_Static_assert(offsetof({}, {field}) == {offset}, \"{field}\");", $c).unwrap();
        )*
    )*};
}

#[test]
fn c_has_the_same_layout() {
    let mut out = String::from(
        "/* What tests/suite/abi/layout.rs finds in Rust on a target of 64 bits. */\n#include \"gradus.h\"\n",
    );
    macro_rules! rules {
        (() $($optimizer:ident $config:ident $columns:ident $kind:ident $default:ident $check:ident $check_with:ident
            $step:ident $step_with:ident $if_finite:ident $tensors:ident $begin:ident $begin_with:ident
        [$($half:ident)*] {$($field:ident)*} ($build:expr);)*) => {
            layout! { out; $($config as (stringify!($config)) { $($field)* })* }
        };
    }
    c_rules!(rules!());
    layout! { out;
        Clock as "gradus_clock" { t carry }
        gradus_transforms as "gradus_transforms" {
            version flags scale clip_value l2 l1 elastic_net elastic_net_beta decay prox_l1 clamp_params
        }
        gradus_tensor as "gradus_tensor" { n params grads state clock transforms }
        gradus_half_tensor as "gradus_half_tensor" { n params grads state clock transforms }
        gradus_step as "gradus_step" { version t n params state size act rule }
        gradus_item as "gradus_item" { kind n data clock }
        gradus_masks as "gradus_masks" { generators }
        gradus_ema as "gradus_ema" { version decay }
        gradus_ensemble as "gradus_ensemble" { version count room n members }
        gradus_flash as "gradus_flash" {
            version start end block read_word write_word read write erase context
        }
        gradus_journal as "gradus_journal" { version found newest sequence length next }
        gradus_dropout as "gradus_dropout" { version keep_prob vanilla }
        gradus_batch_shape as "gradus_batch_shape" { batch channels spatial }
        gradus_batch_norm as "gradus_batch_norm" { version eps running_decay track_biased }
        gradus_group_norm as "gradus_group_norm" { version eps groups }
        gradus_lbfgs as "gradus_lbfgs" {
            version pairs max_iterations max_evaluations max_trials line_search tolerance decrease
            sufficient_decrease curvature width_tolerance step_min step_max max_move l1 l1_start l1_end
        }
        gradus_lbfgs_state as "gradus_lbfgs_state" {
            value gradient iterations evaluations stop number n pairs rest
        }
        gradus_epsilon as "gradus_epsilon" { place eps inside }
        gradus_step_decay as "gradus_step_decay" { version lr gamma every warm_up_steps warm_up_start }
        gradus_multi_step as "gradus_multi_step" {
            version lr gamma milestones count warm_up_steps warm_up_start
        }
        gradus_exponential as "gradus_exponential" { version lr k warm_up_steps warm_up_start }
        gradus_inverse_time as "gradus_inverse_time" { version lr k warm_up_steps warm_up_start }
        gradus_linear as "gradus_linear" { version start end steps warm_up_steps warm_up_start }
        gradus_cosine as "gradus_cosine" { version lr min steps warm_up_steps warm_up_start }
        gradus_warm_restarts as "gradus_warm_restarts" {
            version lr min first mult warm_up_steps warm_up_start
        }
        gradus_snapshot_cycle as "gradus_snapshot_cycle" {
            version lr steps cycles warm_up_steps warm_up_start
        }
        gradus_triangular as "gradus_triangular" {
            version min max up down peaks gamma warm_up_steps warm_up_start
        }
        gradus_one_cycle as "gradus_one_cycle" {
            version start max end steps rise three_phase anneal warm_up_steps warm_up_start
        }
        gradus_inverse_sqrt as "gradus_inverse_sqrt" { version lr shift warm_up_steps warm_up_start }
        gradus_polynomial as "gradus_polynomial" { version lr end steps power warm_up_steps warm_up_start }
        gradus_stable_decay as "gradus_stable_decay" {
            version lr end stable fall anneal warm_up_steps warm_up_start
        }
        gradus_plateau as "gradus_plateau" {
            version lr factor threshold threshold_mode goal patience cooldown min eps
        }
        PlateauState as "gradus_plateau_state" { best improvements bad cooldown falls }
        gradus_random as "gradus_random" { state }
        gradus_conv2d as "gradus_conv2d" { input filters kernel stride padding }
        gradus_depthwise_conv2d as "gradus_depthwise_conv2d" { input kernel stride padding }
        gradus_max_pool2d as "gradus_max_pool2d" { input window stride padding }
        gradus_average_pool2d as "gradus_average_pool2d" { input window stride padding }
    }
    // Its type has no name out here, and no field: words from the start, numbers to the end.
    fn size_of_one<T>(_: &T) -> usize {
        size_of::<T>()
    }
    let rest = size_of_one(&gradus_lbfgs_state::default().rest);
    writeln!(out, "_Static_assert(sizeof(gradus_lbfgs_rest) == {rest}, \"size\");").unwrap();
    for (field, offset) in [("words", 0), ("numbers", rest - 27 * size_of::<f64>())] {
        writeln!(out, "_Static_assert(offsetof(gradus_lbfgs_rest, {field}) == {offset}, \"{field}\");")
            .unwrap();
    }
    // A change of this file is a change of the binary interface: GRADUS_STRUCTS counts them.
    let committed =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/layout.c")).unwrap_or_default();
    if std::env::var_os("GRADUS_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/layout.c"), &out).unwrap();
    } else if cfg!(target_pointer_width = "64") {
        assert_eq!(out, committed, "GRADUS_BLESS=1 writes tests/c/layout.c anew");
    }
}

/// The structures of the header, each with its fields.
fn structures(header: &str) -> Vec<(&str, Vec<&str>)> {
    let bodies = header.split("\ntypedef struct {\n").skip(1);
    let all = bodies.map(|text| {
        let (fields, rest) = text.split_once("\n} ").unwrap();
        let fields = fields.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| {
            // A function in brackets, or the word before the bracket of an array or the semicolon.
            let name = line.split_once("(*").map_or_else(
                || line.split(['[', ';']).next().unwrap().rsplit([' ', '*']).next().unwrap(),
                |(_, function)| function.split(')').next().unwrap(),
            );
            assert!(!name.is_empty(), "no field: {line}");
            name
        });
        (rest.split(';').next().unwrap(), fields.collect())
    });
    all.collect()
}

/// `c_has_the_same_layout` says nothing of what is not on its list.
#[test]
fn the_layout_has_every_structure_of_the_header() {
    let (header, layout) = (include_str!("../../../include/gradus.h"), include_str!("../../c/layout.c"));
    let structures = structures(header);
    // The typed views of states, which have a name behind `struct`, are of the header alone.
    assert_eq!(structures.len(), header.matches("typedef struct {").count());
    assert!(structures.len() > 50);
    for (name, fields) in structures {
        assert!(layout.contains(&format!("sizeof({name}) ==")), "no sizeof({name})");
        for field in fields {
            assert!(
                layout.contains(&format!("offsetof({name}, {field}) ==")),
                "no offsetof({name}, {field})"
            );
        }
    }
}

/// The comment above a function of the header, and what stands between its brackets.
fn declared<'a>(header: &'a str, name: &str) -> (String, &'a str) {
    let (before, rest) =
        header.split_once(&format!("\ngradus_status {name}(")).unwrap_or_else(|| panic!("no {name}"));
    let comment = before.lines().rev().take_while(|line| line.starts_with("//"));
    (comment.collect::<Vec<_>>().join(" "), rest.split_once(')').unwrap().0)
}

/// In its own text, or in that of the function it refers to: the doubles do not repeat what the floats say.
#[test]
fn the_header_names_every_pointer() {
    let header = include_str!("../../../include/gradus.h");
    let body = &header[header.find("extern \"C\"").unwrap()..];
    let names = body
        .lines()
        .filter_map(|line| line.strip_prefix("gradus_status ")?.split_once('('))
        .map(|(name, _)| name);
    let optimizers =
        body.split("---- Optimizers ----").nth(1).and_then(|text| text.split("*/").next()).unwrap();
    let mut count = 0;
    for name in names {
        let (mut text, arguments) = declared(body, name);
        if name.contains("_step") || name.contains("_begin") || name.ends_with("_check_with") {
            text += optimizers; // what all of them share
        }
        if let Some((_, other)) = text.split_once("As ") {
            text += &declared(body, other.split_once("()").unwrap().0).0;
        }
        let words: Vec<_> = text.split(|c: char| c != '_' && !c.is_alphanumeric()).collect();
        for argument in arguments.split(',').filter(|argument| argument.contains('*')) {
            let pointer = argument.rsplit('*').next().unwrap();
            // One structure, as the top of the header says.
            assert!(
                pointer == "config" || words.contains(&pointer),
                "{name} says nothing of {pointer}:\n{text}"
            );
        }
        count += 1;
    }
    assert!(count > 80, "{count} functions");
}
