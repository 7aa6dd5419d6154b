//! The numbers in the README's table of rules are those of the generated tables.

const README: &str = include_str!("../README.md");
const CYCLES: &str = include_str!("../docs/cycles.md");
const SIZE: &str = include_str!("../docs/size.md");
const BENCHMARKS: &str = include_str!("../BENCHMARKS.md");

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

#[test]
fn the_table_of_rules_repeats_what_was_measured() {
    let rules: Vec<_> =
        section(README, "\n## Optimizers").lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rules.len(), 12);
    for rule in rules {
        let cells: Vec<_> = rule.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, state, ns, instructions, flash] = cells[..] else { panic!("{rule}") };
        let name = name.trim_matches('`');
        let timed = section(BENCHMARKS, &format!("\n### {name} ("));
        let bytes: usize = timed.split_once(' ').expect("bytes").0.parse().expect("a number");
        assert_eq!(state, format!("{} B", (bytes - 12) / 2), "{name}: state");
        let widest: f64 = row(timed, "16 K").iter().rev().nth(1).expect("a level").parse().expect("a number");
        assert_eq!(ns, format!("{widest:.2}"), "{name}: nanoseconds");
        let counted = row(section(CYCLES, "\n## Cortex-M4F, opt-level s\n"), name)[2];
        assert_eq!(instructions, counted, "{name}: instructions");
        assert_eq!(flash, row(section(SIZE, "\n## Rust\n"), name)[2], "{name}: flash");
    }
}
