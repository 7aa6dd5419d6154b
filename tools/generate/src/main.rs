//! Writes the C interface of every optimizer, from the list in `src/optim/list.rs` and the sources beside it.
//!
//! `generate rules` prints `src/ffi/rules.rs`; `generate source` prints what cbindgen is to read, and `generate header`
//! arranges what it prints as a user reads it; `generate list` prints the list
//! of optimizers for tests. All are committed; `./ci.sh generate` makes them anew, and `./ci.sh check`
//! compares.

mod header;
mod model;
mod rules;

fn main() {
    let printed = match std::env::args().nth(1).as_deref() {
        Some("rules") => rules::file(&model::optimizers()),
        Some("source") => header::source(),
        Some("header") => header::file(&model::optimizers()),
        Some("list") => rules::list(&model::optimizers()),
        _ => panic!("generate rules | source | header | list"),
    };
    print!("{printed}");
}
