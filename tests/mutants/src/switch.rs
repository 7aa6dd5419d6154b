//! Writes changes into a source, each behind a test of the number that the process was started with.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// One change of a source.
pub struct Change {
    /// From 1.
    pub number: usize,
    /// As cargo-mutants calls it.
    pub name: String,
    pub file: String,
    /// The bytes that it replaces.
    pub span: Range<usize>,
    pub replacement: String,
    /// Whether these are the body of a function.
    pub body: bool,
}

/// Bytes of a written source that stand for `numbers`, which are to blame for an error there.
pub struct Region {
    pub bytes: Range<usize>,
    /// The first of them is the number of the place too.
    pub numbers: Vec<usize>,
    /// Whether it holds one changed text and nothing else.
    pub changed: bool,
}

/// The first line of the crate, for `MUTANT`.
pub const FEATURES: &str = "#![feature(core_intrinsics, const_eval_select)] #![allow(warnings)] ";

/// The number that the process was started with; 0, no change, where the compiler evaluates a `const fn`.
/// With the largest number, no change either, the process writes the places that it has reached to a file.
///
/// Inner loops read it, so that it is a plain number, which is read before `main`; the file is written behind it, because
/// some tests count what allocates.
pub const MUTANT: &str = "
#[allow(unsafe_code)]
mod switched {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    pub(crate) static mut NUMBER: usize = 0;
    pub(crate) static REACHED: [AtomicBool; 100_000] = [const { AtomicBool::new(false) }; 100_000];
    #[used]
    #[unsafe(link_section = \".init_array\")]
    static BEGIN: extern \"C\" fn() = begin;
    extern \"C\" fn begin() {
        let number = std::env::var(\"MUTANT\").map_or(0, |number| number.parse().unwrap());
        unsafe { NUMBER = number };
    }
    #[used]
    #[unsafe(link_section = \".fini_array\")]
    static END: extern \"C\" fn() = end;
    extern \"C\" fn end() {
        if unsafe { NUMBER } == usize::MAX {
            let places = (0..REACHED.len()).filter(|place| REACHED[*place].load(Relaxed));
            let lines: std::string::String = places.map(|place| std::format!(\"{place}\\n\")).collect();
            std::fs::write(\"reached\", lines).unwrap();
        }
    }
    #[inline(always)]
    pub(crate) fn number(place: usize) -> usize {
        let number = unsafe { NUMBER };
        if number == usize::MAX {
            REACHED[place].store(true, Relaxed);
        }
        number
    }
}
pub(crate) const fn mutant(place: usize) -> usize {
    const fn none(_: usize) -> usize { 0 }
    core::intrinsics::const_eval_select((place,), none, switched::number)
}
";

/// An expression, and where an operator joins two, the places of those.
struct Place {
    bytes: Range<usize>,
    operands: Option<[Range<usize>; 2]>,
    /// Whether it is a condition with `let`, which may stand nowhere else and has no `||`.
    chain: bool,
}

#[derive(Default)]
struct Places(Vec<Place>);

impl<'a> Visit<'a> for Places {
    fn visit_expr(&mut self, expr: &'a syn::Expr) {
        let mut place = Place { bytes: expr.span().byte_range(), operands: None, chain: has_let(expr) };
        if let syn::Expr::Binary(binary) = expr {
            place.operands = Some([&binary.left, &binary.right].map(|side| side.span().byte_range()));
        }
        self.0.push(place);
        visit::visit_expr(self, expr);
    }
}

fn has_let(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// The texts to choose from at a place, with their numbers.
type Texts = Vec<(usize, String)>;

/// Where, outer before inner, with bodies (an empty range) before all that begins there.
type Key = (usize, bool, Reverse<usize>);

/// `source` with all of `changes` that can be switched, and where they stand in it.
///
/// `a + b` becomes `(match crate::mutant(7) { 7 => { (a) - (b) } _ => { a + b } })`; what is to be changed
/// within `a` and `b` is so after `_` only.
pub fn switch(source: &str, changes: &[&Change]) -> (String, Vec<Region>) {
    let mut places = Places::default();
    places.visit_file(&syn::parse_file(source).expect("cargo-mutants has parsed it"));
    let mut texts: BTreeMap<Key, Texts> = BTreeMap::new();
    for change in changes {
        let Range { start, end } = change.span;
        let (key, text) = if change.body {
            ((start, false, Reverse(start)), change.replacement.clone())
        } else {
            let around = places.0.iter().filter(|place| place.bytes.start <= start && end <= place.bytes.end);
            let Some(place) = around.min_by_key(|place| place.bytes.len()).filter(|place| !place.chain)
            else {
                continue;
            };
            let [left, right] =
                place.operands.clone().unwrap_or([place.bytes.start..start, end..place.bytes.end]);
            let (left, right, new) = (&source[left], &source[right], &change.replacement);
            let text = if place.operands.is_some() {
                format!("({left}) {new} ({right})")
            } else {
                format!("{left}{new}{right}")
            };
            ((place.bytes.start, true, Reverse(place.bytes.end)), text)
        };
        texts.entry(key).or_default().push((change.number, text));
    }
    let mut writer =
        Writer { source, texts: texts.into_iter().peekable(), out: String::new(), regions: Vec::new() };
    writer.copy(0..source.len());
    (writer.out, writer.regions)
}

struct Writer<'a, I: Iterator> {
    source: &'a str,
    texts: Peekable<I>,
    out: String,
    regions: Vec<Region>,
}

impl<I: Iterator<Item = (Key, Texts)>> Writer<'_, I> {
    /// Writes a part of the source, with all choices in it.
    fn copy(&mut self, Range { mut start, end }: Range<usize>) {
        while let Some(((from, expression, Reverse(to)), texts)) = self.texts.next_if(|(key, _)| key.0 < end)
        {
            self.out += &self.source[start..from];
            start = to;
            let begin = self.out.len();
            let numbers: Vec<_> = texts.iter().map(|(number, _)| *number).collect();
            let place = numbers[0];
            if expression {
                self.out += &format!("(match crate::mutant({place}) {{");
            }
            for (number, text) in texts {
                let begin = self.out.len();
                self.out += &if expression {
                    format!(" {number} => {{ {text} }}")
                } else {
                    format!("if crate::mutant({place}) == {number} {{ return {text}; }} ")
                };
                self.regions.push(Region {
                    bytes: begin..self.out.len(),
                    numbers: vec![number],
                    changed: true,
                });
            }
            if expression {
                self.out += " _ => { ";
                self.copy(from..to);
                self.out += " } })";
            }
            self.regions.push(Region { bytes: begin..self.out.len(), numbers, changed: false });
        }
        self.out += &self.source[start..end];
    }
}
