//! The reference vectors of layers.

use serde_json::Value;

/// The cases of one kind.
pub fn layers(kind: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/layers.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file[kind].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

pub fn size(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap_or_else(|| panic!("{key}")) as usize
}

/// Numbers given as the bits of an f32.
pub fn floats(case: &Value, key: &str) -> Vec<f32> {
    let numbers = case[key].as_array().unwrap_or_else(|| panic!("{key}"));
    numbers.iter().map(|bits| f32::from_bits(bits.as_u64().unwrap() as u32)).collect()
}

/// Numbers given in decimal.
pub fn doubles(case: &Value, key: &str) -> Vec<f64> {
    let numbers = case[key].as_array().unwrap_or_else(|| panic!("{key}"));
    numbers.iter().map(|x| x.as_f64().unwrap()).collect()
}
