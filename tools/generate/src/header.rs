//! `include/gradus.h`: the items that cbindgen prints, in the order of `gradus.h.in`.
//!
//! A line `@NAME` of that file is replaced by the items of `src/ffi/NAME.rs`, or by the item of that name. Nothing is left
//! out: a file that it does not name comes at `@others`.

use crate::model::Optimizer;
use crate::rules;
use std::collections::BTreeMap;
use std::io::Read;

/// The header; standard input is what cbindgen prints.
pub fn file(optimizers: &[Optimizer]) -> String {
    let mut printed = String::new();
    std::io::stdin().read_to_string(&mut printed).expect("text");
    let mut items = Items::new(&printed);
    let mut text = String::new();
    for line in include_str!("../gradus.h.in").lines() {
        text += &match line.strip_prefix('@') {
            None => format!("{line}\n"),
            Some("version") => version(),
            Some("rules") => {
                optimizers.iter().map(|optimizer| one(optimizer, optimizers, &mut items)).collect()
            }
            Some("list") => rules::list_for_c(optimizers),
            Some("others") => items.take(|_| true),
            Some(name) if name.to_lowercase().starts_with("gradus_") => items.take(|item| item.name == name),
            Some(file) => items.take(|item| item.file == file),
        };
    }
    assert!(items.0.is_empty());
    text.replace("\n\n\n", "\n\n")
}

/// An item of the header.
struct Item {
    name: String,
    /// The file of `src/ffi` that defines it, without its ending; empty for another.
    file: String,
    text: String,
}

struct Items(Vec<Item>);

impl Items {
    /// Items are separated by empty lines. Constants of other modules come along; those of the interface begin with
    /// GRADUS.
    fn new(printed: &str) -> Self {
        let files = files();
        let mut items = Vec::new();
        for text in printed.split("\n\n").map(|text| status(text.trim())).filter(|text| !text.is_empty()) {
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            let name = match code.strip_prefix("#define ") {
                Some(constant) => constant.split(' ').next(),
                None => match (code.split_once("(*"), code.split_once('(')) {
                    _ if code.starts_with("typedef struct") || code.starts_with("enum") => {
                        code.rsplit(' ').next().map(|name| name.trim_end_matches(';'))
                    }
                    (Some((_, pointer)), _) if code.starts_with("typedef") => pointer.split(')').next(),
                    (_, Some((function, _))) => function.rsplit([' ', '*']).next(),
                    _ => code.rsplit(' ').next().map(|name| name.trim_end_matches(';')),
                },
            };
            let name = name.expect("an item has a name").to_string();
            if name.to_lowercase().starts_with("gradus") {
                let file = files.get(&name).cloned().unwrap_or_default();
                items.push(Item { name, file, text });
            }
        }
        Self(items)
    }

    /// Those for which `wanted` holds, each followed by an empty line but the last.
    fn take(&mut self, wanted: impl Fn(&Item) -> bool) -> String {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(wanted);
        self.0 = left;
        let texts: Vec<String> = taken.into_iter().map(|item: Item| item.text).collect();
        if texts.is_empty() { String::new() } else { texts.join("\n\n") + "\n" }
    }
}

/// The enumeration of statuses in the form that every C and C++ has: constants, and a type for them.
fn status(text: &str) -> String {
    let Some((docs, rest)) = text.split_once("enum gradus_status\n") else { return text.to_string() };
    let (_, values) = rest.split_once("{\n").expect("an enumeration");
    let (values, _) = values.split_once("};").expect("its end");
    format!("{docs}enum {{\n{values}}};\ntypedef int32_t gradus_status;")
}

/// Which file or folder of `src/ffi` defines a name.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for path in paths("src/ffi") {
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let sources = if path.is_dir() { paths(&path) } else { vec![path] };
        for source in sources {
            let source = std::fs::read_to_string(source).expect("text");
            let words: Vec<&str> = source
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .filter(|word| !word.is_empty())
                .collect();
            for three in words.windows(3) {
                // `*const gradus_item` defines nothing.
                let defined = three[1] == "fn"
                    || three[0] == "pub" && matches!(three[1], "struct" | "enum" | "const" | "type");
                if defined {
                    files.insert(three[2].to_string(), stem.clone());
                }
            }
            // Names that a macro defines: whatever no other file defines.
            for name in words.iter().filter(|word| word.to_lowercase().starts_with("gradus_")) {
                files.entry(name.to_string()).or_insert_with(|| stem.clone());
            }
        }
    }
    files
}

/// The files of a folder.
fn paths(folder: impl AsRef<std::path::Path>) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(folder).expect("run in the root of the project");
    let mut paths: Vec<_> = files.map(|file| file.expect("a readable folder").path()).collect();
    paths.sort();
    paths
}

fn version() -> String {
    let manifest = std::fs::read_to_string("Cargo.toml").expect("the manifest");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).expect("a version");
    let version = version.trim_matches('"');
    let parts: Vec<&str> = version.split(['.', '-']).collect();
    format!(
        "/* The version of this header; gradus_version() is that of the library. */
#define GRADUS_VERSION \"{version}\"
#define GRADUS_VERSION_MAJOR {}
#define GRADUS_VERSION_MINOR {}
#define GRADUS_VERSION_PATCH {}
",
        parts[0], parts[1], parts[2]
    )
}

/// The items of one optimizer, and a typed view of its state.
fn one(optimizer: &Optimizer, all: &[Optimizer], items: &mut Items) -> String {
    // gradus_rmsprop_momentum_step begins with gradus_rmsprop, too: the longest name counts.
    let owner = |name: &str| {
        let name = name.to_lowercase();
        let named = all.iter().filter(|optimizer| {
            name.strip_prefix("gradus_item_")
                .or(name.strip_prefix("gradus_"))
                .and_then(|name| name.strip_prefix(&optimizer.c))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        });
        named.max_by_key(|optimizer| optimizer.c.len()).map(|optimizer| optimizer.c.clone())
    };
    let mine = |item: &Item| item.file == "rules" && owner(&item.name).as_ref() == Some(&optimizer.c);
    let structure = items.take(|item| mine(item) && item.text.contains("typedef struct"));
    let columns = items.take(|item| mine(item) && item.text.contains("#define"));
    let functions = items.take(mine);
    let (c, initialiser) = (&optimizer.c, rules::initialiser(optimizer));
    format!("{structure}\n{columns}\n{initialiser}\n\n{functions}\n{}", VIEW.replace("#NAME", c))
}

const VIEW: &str = "// A state of gradus_#NAME, and of no other optimizer.
typedef struct gradus_#NAME_state {
  float *columns;
  gradus_clock *clock;
} gradus_#NAME_state;

// gradus_#NAME_step() with a state of its own type.
static inline gradus_status gradus_#NAME_update(const gradus_#NAME *config, size_t n, float *params,
                                                 const float *grads, gradus_#NAME_state state) {
  return gradus_#NAME_step(config, n, params, grads, state.columns, state.clock);
}

";

/// Types of the interface that other modules define.
const FOREIGN: [&str; 3] = ["Clock", "PlateauState", "Suspended"];

/// What cbindgen is to read of the crate with its macros expanded: the module `ffi`, and the types that it has from
/// others. The rest has types that cbindgen cannot follow.
pub fn source() -> String {
    let mut expanded = String::new();
    std::io::stdin().read_to_string(&mut expanded).expect("text");
    let lines: Vec<&str> = expanded.lines().collect();
    let from = lines.iter().position(|line| *line == "pub mod ffi {").expect("the module");
    let mut text = block(&lines, from);
    for name in FOREIGN {
        let wanted = |line: &&str| line.trim_start() == format!("pub struct {name} {{");
        let at = lines.iter().position(wanted).unwrap_or_else(|| panic!("no {name}"));
        let above = lines[..at].iter().rev().take_while(|line| line.trim_start().starts_with(['/', '#']));
        text += &block(&lines, at - above.count());
    }
    text
}

/// The lines up to the bracket that closes the first one opened, which stands at the same depth.
fn block(lines: &[&str], from: usize) -> String {
    let open = lines[from..].iter().position(|line| line.ends_with('{')).expect("a block") + from;
    let indent = lines[open].len() - lines[open].trim_start().len();
    let end = format!("{}}}", " ".repeat(indent));
    let close = lines[open..].iter().position(|line| *line == end).expect("its end") + open;
    lines[from..=close].join("\n") + "\n"
}
