//! What of a source no test binary can run: code of other targets, and what the compiler evaluates.

use std::collections::BTreeSet;
use std::ops::Range;
use std::process::Command;

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Meta, Token};

/// The cfgs of this machine, as rustc prints them.
pub fn host() -> BTreeSet<String> {
    let output = Command::new("rustc").args(["+nightly", "--print", "cfg"]).output().expect("rustc");
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

/// The bytes of `source` that `host` does not compile or does not run.
pub fn passed(source: &str, host: &BTreeSet<String>) -> Vec<Range<usize>> {
    let mut visitor = Passed { host, ranges: Vec::new() };
    visitor.visit_file(&syn::parse_file(source).expect("cargo-mutants has parsed it"));
    visitor.ranges
}

struct Passed<'a> {
    host: &'a BTreeSet<String>,
    ranges: Vec<Range<usize>>,
}

impl Passed<'_> {
    fn pass(&mut self, node: &impl Spanned) {
        self.ranges.push(node.span().byte_range());
    }

    /// Passes over a node under a cfg that does not hold.
    fn under(&mut self, attributes: &[Attribute], node: &impl Spanned) {
        let no = |attribute: &Attribute| {
            attribute.path().is_ident("cfg")
                && !attribute.parse_args().is_ok_and(|meta: Meta| holds(&meta, self.host))
        };
        if attributes.iter().any(no) {
            self.pass(node);
        }
    }
}

/// Whether a cfg holds on a host; all features are there, and what runs is a test at some time.
fn holds(meta: &Meta, host: &BTreeSet<String>) -> bool {
    let text = |tokens: &dyn quote::ToTokens| tokens.to_token_stream().to_string().replace(' ', "");
    match meta {
        Meta::NameValue(pair) => pair.path.is_ident("feature") || host.contains(&text(pair)),
        Meta::Path(path) => path.is_ident("test") || host.contains(&text(path)),
        Meta::List(list) => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let parts = parts.expect("a list of cfgs");
            let mut each = parts.iter().map(|part| holds(part, host));
            match text(&list.path).as_str() {
                "all" => each.all(|holds| holds),
                "any" => each.any(|holds| holds),
                _ => !each.any(|holds| holds),
            }
        }
    }
}

impl<'a> Visit<'a> for Passed<'_> {
    fn visit_item(&mut self, item: &'a syn::Item) {
        match item {
            syn::Item::Const(_) | syn::Item::Static(_) => self.pass(item),
            syn::Item::Fn(function) => self.under(&function.attrs, item),
            syn::Item::Impl(block) => self.under(&block.attrs, item),
            syn::Item::Mod(module) => self.under(&module.attrs, item),
            syn::Item::Trait(of) => self.under(&of.attrs, item),
            _ => {}
        }
        visit::visit_item(self, item);
    }
    fn visit_impl_item(&mut self, item: &'a syn::ImplItem) {
        match item {
            syn::ImplItem::Const(_) => self.pass(item),
            syn::ImplItem::Fn(function) => self.under(&function.attrs, item),
            _ => {}
        }
        visit::visit_impl_item(self, item);
    }
    fn visit_trait_item(&mut self, item: &'a syn::TraitItem) {
        match item {
            syn::TraitItem::Const(_) => self.pass(item),
            syn::TraitItem::Fn(function) => self.under(&function.attrs, item),
            _ => {}
        }
        visit::visit_trait_item(self, item);
    }
    fn visit_local(&mut self, local: &'a syn::Local) {
        self.under(&local.attrs, local);
        visit::visit_local(self, local);
    }
    fn visit_expr(&mut self, expr: &'a syn::Expr) {
        match expr {
            syn::Expr::Const(_) => self.pass(expr),
            syn::Expr::Repeat(repeat) => self.pass(&repeat.len),
            syn::Expr::Block(block) => self.under(&block.attrs, expr),
            syn::Expr::If(branch) => self.under(&branch.attrs, expr),
            syn::Expr::Return(back) => self.under(&back.attrs, expr),
            syn::Expr::Call(call) => self.under(&call.attrs, expr),
            syn::Expr::MethodCall(call) => self.under(&call.attrs, expr),
            _ => {}
        }
        visit::visit_expr(self, expr);
    }
    fn visit_type_array(&mut self, array: &'a syn::TypeArray) {
        self.pass(&array.len);
    }
    fn visit_generic_argument(&mut self, argument: &'a syn::GenericArgument) {
        if matches!(argument, syn::GenericArgument::Const(_)) {
            self.pass(argument);
        }
        visit::visit_generic_argument(self, argument);
    }
}
