//! What an optimizer is: read from its Rust source, its default values from its `Debug` form.

use gradus::AnyOptimizer;

/// An optimizer of the list.
pub struct Optimizer {
    /// Its Rust type.
    pub rust: String,
    /// The type in C without its prefix: `centered_rmsprop`.
    pub c: String,
    /// The lines of its documentation, without examples in Rust.
    pub docs: Vec<String>,
    /// Columns of state.
    pub columns: usize,
    /// The number of its state among the kinds of a file: one that was given stays.
    pub kind: u32,
    /// Whether its state may take half the memory.
    pub halves: bool,
    /// The fields, those of an optimizer inside it in its place.
    pub fields: Vec<Field>,
    /// Rust that builds the type of a `self` in C.
    pub build: String,
}

/// A hyper-parameter.
pub struct Field {
    pub name: String,
    pub rust: String,
    pub docs: Vec<String>,
    pub default: Value,
}

/// A value in `Debug` form.
#[derive(Clone, Debug)]
pub enum Value {
    /// A number, a truth value or a name.
    Plain(String),
    /// `Outside(1e-8)` or `Root { inside: 0.0, outside: 1e-7 }`; values of a tuple have no names.
    Parts(String, Vec<(String, Value)>),
}

/// All of them, Adam first: it is the one that most readers look for.
pub fn optimizers() -> Vec<Optimizer> {
    let mut names: Vec<&str> = AnyOptimizer::NAMES.to_vec();
    names.sort_by_key(|name| *name != "adam");
    let written = std::fs::read_to_string("src/ffi/rules.rs").unwrap_or_default();
    let mut kinds: Vec<(String, u32)> = written
        .lines()
        .filter_map(|line| {
            line.strip_prefix("pub const GRADUS_ITEM_")?.strip_suffix(';')?.split_once(": u32 = ")
        })
        .map(|(name, kind)| (name.to_lowercase(), kind.parse().expect("a number")))
        .collect();
    let mut optimizers: Vec<Optimizer> = names.into_iter().map(optimizer).collect();
    for optimizer in &mut optimizers {
        let given = kinds.iter().find(|(name, _)| *name == optimizer.c).map(|(_, kind)| *kind);
        // Those of other states are below 16, 29, and from 48 on.
        let free =
            || (16..).find(|n| *n != 29 && !(48..64).contains(n) && kinds.iter().all(|(_, kind)| kind != n));
        optimizer.kind = given.or_else(free).expect("numbers do not end");
        kinds.push((optimizer.c.clone(), optimizer.kind));
    }
    optimizers
}

fn optimizer(name: &str) -> Optimizer {
    let any: AnyOptimizer = name.parse().expect("a name of the list");
    let text = format!("{any:?}");
    let Value::Parts(rust, mut parts) = value(&mut text.as_str()) else { panic!("{text}") };
    let (_, default) = parts.remove(0);
    let (stem, source) = source(&rust);
    // `centeredrmspropmomentum` of the file `rmsprop.rs` has three words.
    let lower = rust.to_lowercase();
    let (before, after) = lower.split_once(&stem).expect("a type has the name of its file in it");
    let words: Vec<&str> = [before, &stem, after].into_iter().filter(|word| !word.is_empty()).collect();
    let (docs, members) = structure(&source, &rust);
    let halves = any.columns() > 0 && !source.contains("const HALVES: bool = false");
    let (fields, build) = flatten(&rust, &members, &default, &source);
    Optimizer {
        c: words.join("_"),
        docs: prose(docs),
        columns: any.columns(),
        kind: 0,
        halves,
        fields,
        build,
        rust,
    }
}

/// The file in which a type stands, without its ending, and its text.
fn source(rust: &str) -> (String, String) {
    let mut files: Vec<_> = std::fs::read_dir("src/optim").expect("run in the root of the project").collect();
    files.sort_by_key(|file| file.as_ref().map(|file| file.file_name()).ok());
    for file in files {
        let path = file.expect("a readable folder").path();
        let text = std::fs::read_to_string(&path).expect("text");
        if text.contains(&format!("pub struct {rust} {{")) {
            return (path.file_stem().expect("a name").to_string_lossy().into_owned(), text);
        }
    }
    panic!("{rust} stands nowhere in src/optim");
}

/// A member of a Rust struct: its name, its type, its documentation.
type Member = (String, String, Vec<String>);

/// The documentation and the members of a struct.
fn structure(source: &str, rust: &str) -> (Vec<String>, Vec<Member>) {
    let lines: Vec<&str> = source.lines().collect();
    let at = lines.iter().position(|line| *line == format!("pub struct {rust} {{")).expect("it is there");
    let from = (0..at).rev().take_while(|i| lines[*i].starts_with("///") || lines[*i].starts_with("#["));
    let docs = doc_lines(&lines[from.last().unwrap_or(at)..at]);
    let body = &lines[at + 1..][..lines[at + 1..].iter().position(|line| *line == "}").expect("an end")];
    let (mut members, mut start) = (Vec::new(), 0);
    for (i, line) in body.iter().enumerate() {
        if let Some((name, rust)) = line.trim().strip_prefix("pub ").and_then(|line| line.split_once(": ")) {
            let rust = rust.trim_end_matches(',').to_string();
            members.push((name.to_string(), rust, doc_lines(&body[start..i])));
            start = i + 1;
        }
    }
    (docs, members)
}

fn doc_lines(lines: &[&str]) -> Vec<String> {
    let text = lines.iter().filter_map(|line| line.trim().strip_prefix("///"));
    text.map(|line| line.strip_prefix(' ').unwrap_or(line).to_string()).collect()
}

/// The fields of a struct with those of a struct inside in its place, and how to build it.
fn flatten(rust: &str, members: &[Member], default: &Value, source: &str) -> (Vec<Field>, String) {
    let Value::Parts(name, values) = default else { panic!("{rust} has fields") };
    assert_eq!(name, rust);
    let (mut fields, mut build) = (Vec::new(), Vec::new());
    for (name, member, docs) in members {
        let (_, default) = values.iter().find(|value| value.0 == *name).expect("a value for each field");
        let built = match member.as_str() {
            "f32" | "f64" => format!("self.{name}"),
            "bool" => format!("self.{name} != 0"),
            "Epsilon" => format!("self.{name}.build()?"),
            inner => {
                let (more, built) = flatten(inner, &structure(source, inner).1, default, source);
                fields.extend(more);
                build.push(format!("{name}: {built}"));
                continue;
            }
        };
        build.push(format!("{name}: {built}"));
        let (name, rust) = (name.clone(), member.clone());
        fields.push(Field { name, rust, docs: prose(docs.clone()), default: default.clone() });
    }
    (fields, format!("{rust} {{ {} }}", build.join(", ")))
}

/// Documentation for C: without examples in Rust and without links.
fn prose(docs: Vec<String>) -> Vec<String> {
    let mut text: Vec<String> = Vec::new();
    let mut kept = None; // inside of a block of code, whether it is kept
    for line in docs {
        let fence = line.starts_with("```");
        let keep = kept.unwrap_or(!fence || line == "```text");
        if fence {
            kept = if kept.is_none() { Some(keep) } else { None };
        }
        let empty = line.is_empty() && text.last().is_none_or(String::is_empty);
        if keep && !empty {
            text.push(plain(&line));
        }
    }
    while text.last().is_some_and(String::is_empty) {
        text.pop();
    }
    text
}

/// A line without links, and with the constants of C.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, link)) = rest.split_once("[`") {
        let (name, after) = link.split_once("`]").expect("a link ends");
        text += before;
        text += &match name.strip_prefix("Epsilon::") {
            Some(place) => format!("GRADUS_EPSILON_{}", place.to_uppercase()),
            None => format!("`{name}`"),
        };
        rest = match after.strip_prefix('(') {
            Some(target) => target.split_once(')').expect("a target ends").1,
            None => after,
        };
    }
    text + rest
}

/// The value at the start of a text in `Debug` form, which is moved past it.
fn value(text: &mut &str) -> Value {
    let end = text.find(|c: char| !(c.is_alphanumeric() || "._-".contains(c))).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    *text = rest.trim_start();
    let (named, close) = match text.chars().next() {
        Some('{') => (true, '}'),
        Some('(') => (false, ')'),
        _ => return Value::Plain(word.to_string()),
    };
    let mut parts = Vec::new();
    loop {
        *text = text[1..].trim_start(); // past a bracket or a comma
        let mut name = String::new();
        if named {
            let (before, after) = text.split_once(": ").expect("a name");
            (name, *text) = (before.to_string(), after);
        }
        parts.push((name, value(text)));
        *text = text.trim_start();
        if text.starts_with(close) {
            *text = text[1..].trim_start();
            return Value::Parts(word.to_string(), parts);
        }
    }
}
