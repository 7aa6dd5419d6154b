//! The numbers in the README's table of rules are those of the generated tables.

const README: &str = include_str!("../README.md");
const CYCLES: &str = include_str!("../docs/cycles.md");
const HEADER: &str = include_str!("../include/gradus.h");
const LIST: &str = include_str!("../src/optim/list.rs");
const SIZE: &str = include_str!("../docs/size.md");

/// The part of a page from one heading to the next.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page.find(heading).unwrap_or_else(|| panic!("no {heading}")) + heading.len();
    let end = page[start..].find("\n#").map_or(page.len(), |at| start + at);
    &page[start..end]
}

/// The cells of the row that begins with `name`.
fn row<'a>(section: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!("| {name} |");
    let line =
        section.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row {name}"));
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// The names of all optimizers, from their list: the words before a name in quotes and a rate.
fn optimizers() -> impl Iterator<Item = &'static str> {
    LIST.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(" \"")?;
        let (_, rate) = rest.split_once("\" ")?;
        (!name.contains(' ') && rate.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
    })
}

/// The name of a type in C: `CenteredRmsProp` is `CENTERED_RMSPROP`.
fn in_c(name: &str) -> String {
    name.to_uppercase().replace("CENTERED", "CENTERED_").replace("RMSPROPMOMENTUM", "RMSPROP_MOMENTUM")
}

#[test]
fn the_table_of_rules_repeats_what_was_measured() {
    let rules: Vec<_> =
        section(README, "\n## Optimizers").lines().filter(|line| line.starts_with("| `")).collect();
    // Two have no row: the text below the table names schedule-free AdamW, and a row says that it can be centred.
    let with_a_row = optimizers().filter(|name| !["CenteredRmsPropMomentum", "ScheduleFree"].contains(name));
    let mut named: Vec<_> = rules.iter().map(|rule| rule.split('`').nth(1).expect("a name")).collect();
    let mut listed: Vec<_> = with_a_row.collect();
    named.sort_unstable();
    listed.sort_unstable();
    assert_eq!(named, listed, "the README's rules, those of the list");
    for rule in rules {
        let cells: Vec<_> = rule.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, state, instructions, flash] = cells[..] else { panic!("{rule}") };
        let name = name.trim_matches('`');
        let columns = format!("#define GRADUS_{}_COLUMNS ", in_c(name));
        let columns = HEADER.split_once(&columns).expect("columns").1.lines().next().expect("a number");
        let bytes = 4 * columns.parse::<usize>().expect("a number");
        assert_eq!(state, format!("{bytes} B"), "{name}: state");
        let counted = row(section(CYCLES, "\n## Cortex-M4F, opt-level s\n"), name)[2];
        assert_eq!(instructions, counted, "{name}: instructions");
        assert_eq!(flash, row(section(SIZE, "\n## Rust\n"), name)[2], "{name}: flash");
    }
}

/// The largest number in the cells of the rows that `select` takes: the last cell of a row, or all behind the first.
fn most(section: &str, all: bool, select: impl Fn(&str) -> bool) -> u32 {
    let rows =
        section.lines().filter(|line| line.starts_with('|')).map(|line| line.trim_matches('|').split('|'));
    rows.map(|row| row.map(str::trim).collect::<Vec<_>>())
        .filter(|row| select(row[0]))
        .flat_map(|row| row[if all { 1 } else { row.len() - 1 }..].to_vec())
        .filter_map(|cell| cell.parse().ok())
        .max()
        .expect("a number")
}

/// A text in which a line break is one space.
fn flowing(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "//").collect::<Vec<_>>().join(" ")
}

#[test]
fn the_stack_is_what_was_measured() {
    let (rules, calls) = CYCLES.split_once("\n## Stack of calls from C").expect("the section");
    let (rules, rest) = rules.split_once("\n## Layers and training steps").expect("the section");
    let rule = most(rules, false, |_| true);
    let step = most(calls, true, |name| name.contains("_step") && !name.contains("lbfgs"));
    let network = most(rest, false, |name| name.ends_with("`backward_step`"));
    let from_c = most(calls, true, |name| name.starts_with("a whole step"));
    let file = most(calls, true, |name| name.starts_with("gradus_save") || name.starts_with("gradus_load"));
    let run = most(calls, true, |name| name.contains("lbfgs") && !name.contains("f64"));
    let run_f64 = most(calls, true, |name| name.contains("lbfgs") && name.contains("f64"));
    for (what, bytes) in [
        ("a step in Rust", rule),
        ("a step from C with any transforms", step),
        ("forward, loss and `backward_step` of a network in Rust, Adam", network),
        ("the same from C, dense and convolutional layers", from_c),
        ("saving or loading a state", file),
        ("L-BFGS with 20 pairs", run),
        ("L-BFGS with 20 pairs, in `double`", run_f64),
    ] {
        assert_eq!(row(README, what)[1], bytes.to_string(), "{what}");
    }
    let text =
        format!("On a Cortex-M4F it takes up to {run} bytes of stack with 20 pairs, with doubles {run_f64}.");
    assert!(flowing(HEADER).contains(&text), "{text}");
}

/// What docs/cycles.md says of its goals, and the README of Adam on other cores.
#[test]
fn instructions_are_what_was_measured() {
    let portable = |target: &str, rule| row(section(CYCLES, &format!("\n## {target}, opt-level s")), rule)[1];
    let loops = ["Sgd", "Momentum", "RmsProp", "Adam"].map(|rule| portable("Cortex-M4F", rule));
    assert_eq!(loops, ["6.0", "10.0", "20.0", "28.0"], "the goals were 6, 9, 16, 22");
    let adam = |target| portable(target, "Adam").parse::<f64>().expect("a number").round();
    let text = format!(
        "{} instructions per parameter for Adam on a Cortex-M3, {} on an M0",
        adam("Cortex-M3"),
        adam("Cortex-M0 code (on an M3)")
    );
    assert!(flowing(README).contains(&text), "{text}");
    let m4f = row(section(CYCLES, "\n## Cortex-M4F, opt-level s\n"), "Adam");
    let text = format!(
        "Adam takes {} instructions per parameter, and {} with the scale of a mini-batch and L2",
        m4f[2], m4f[3]
    );
    assert!(flowing(README).contains(&text), "{text}");
    let helium = row(section(CYCLES, "\n## Cortex-M55, opt-level s\n"), "Adam")[3];
    let text = format!("Adam then takes {helium} instructions per parameter");
    assert!(flowing(README).contains(&text), "{text}");
}
