//! The tests of saved runs, with the list of rules that they go through.

#[macro_use]
#[path = "../../tests/support"]
mod support {
    #[macro_use]
    pub mod rules;
}
#[path = "../../tests/suite/resume.rs"]
mod resume;
