//! The race: all of it is `gallery/src/course.rs`; here are its tables and results for the page.

#[path = "../../gallery/src/course.rs"]
mod course;

use course::{Pace, Point, RULES, SURFACES};
use std::cell::RefCell;

thread_local! {
    static PATH: RefCell<Vec<Point>> = const { RefCell::new(Vec::new()) };
    static VALUES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Names, windows and learning rates, as JSON.
pub fn table() -> String {
    let surfaces = SURFACES.iter().map(|s| {
        format!(
            r#"{{"name":{:?},"formula":{:?},"window":{:?},"start":{:?},"minima":{:?},"lr":{:?},"steps":{},"noise":{:?}}}"#,
            s.name, s.formula, s.window, s.start, s.minima, s.lr, s.steps, s.noise
        )
    });
    format!(r#"{{"rules":{RULES:?},"surfaces":[{}]}}"#, Vec::from_iter(surfaces).join(","))
}

/// The path of a rule: `steps + 1` points, valid until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn race_path(
    surface: usize,
    rule: usize,
    x: f32,
    y: f32,
    lr: f32,
    momentum: f32,
    noise: f32,
    steps: usize,
) -> *const Point {
    let path = SURFACES.get(surface).map_or_else(Vec::new, |surface| {
        course::path(rule, surface, [x, y], Pace { lr, momentum, noise, steps })
    });
    PATH.with_borrow_mut(|last| {
        *last = path;
        last.as_ptr()
    })
}

/// The surface on a grid over its window, from the upper left, valid until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn race_values(surface: usize, columns: usize, rows: usize) -> *const f32 {
    let mut values = Vec::with_capacity(columns * rows);
    if let Some(surface) = SURFACES.get(surface) {
        let [left, right, bottom, top] = surface.window;
        for row in 0..rows {
            let y = top - (top - bottom) * (row as f32 + 0.5) / rows as f32;
            for column in 0..columns {
                let x = left + (right - left) * (column as f32 + 0.5) / columns as f32;
                values.push((surface.at)([x, y]).0);
            }
        }
    }
    VALUES.with_borrow_mut(|last| {
        *last = values;
        last.as_ptr()
    })
}

/// The value of a surface at a point.
#[unsafe(no_mangle)]
pub extern "C" fn race_value(surface: usize, x: f32, y: f32) -> f32 {
    SURFACES.get(surface).map_or(f32::NAN, |surface| (surface.at)([x, y]).0)
}

/// A hash of the bits of the path that [`race_path`] returned last.
#[unsafe(no_mangle)]
pub extern "C" fn race_hash() -> u64 {
    PATH.with_borrow(|path| fnv(path.as_flattened()))
}

/// FNV-1a over the bits of `values`.
fn fnv(values: &[f32]) -> u64 {
    values
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
