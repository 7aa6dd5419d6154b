//! The list of optimizers is complete: every optimizer of `src/optim` is on it once, and nothing else.

use gradus::Optimizer;
use std::any::type_name;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn name<O: Optimizer>(rule: O) -> &'static str {
    assert_eq!(rule.check(), Ok(()), "defaults are in range");
    type_name::<O>().rsplit("::").next().unwrap()
}

#[test]
fn the_list_is_complete() {
    let listed = each_rule!(name);
    let listed_once: BTreeSet<_> = listed.into_iter().collect();
    assert_eq!(listed_once.len(), listed.len(), "each type once: {listed:?}");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/optim")).unwrap() {
        let path = entry.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        for line in source.lines().filter(|line| line.starts_with("impl Optimizer for ")) {
            let name = line.split_once(" for ").unwrap().1.trim_end_matches(" {");
            assert!(found.insert(name.to_owned()), "{name} twice");
        }
    }
    let found: BTreeSet<_> = found.iter().map(String::as_str).collect();
    assert_eq!(found, listed_once);
}

#[test]
fn variants_are_in_range_and_of_listed_types() {
    let listed = each_rule!(name);
    for variant in each_variant!(name) {
        assert!(listed.contains(&variant), "{variant}");
    }
}
