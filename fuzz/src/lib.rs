//! The fuzz targets, one module each: `run` takes the fuzzer's bytes and panics on a difference.
//!
//! They look for wrong results rather than for crashes: every level against the plain loop, every
//! refused call against the memory it must not have touched, every value against its definition.
//! They are functions of a library, so that `cargo test` runs each on a few thousand inputs without
//! a fuzzer, on any toolchain; `ffi` also under Miri.

pub mod augment;
pub mod batch_norm;
mod device;
pub mod ffi;
mod ffi_files;
mod ffi_layers;
mod ffi_lbfgs;
mod ffi_lists;
mod ffi_networks;
#[path = "../../tests/support/halves.rs"]
mod halves;
pub mod input;
pub mod journal;
pub mod layers;
pub mod lbfgs;
pub mod lengths;
pub mod levels_agree;
#[path = "../../tests/support/rules.rs"]
#[allow(dead_code, unused_macros, reason = "the tests need more")]
mod list;
pub mod masks;
#[path = "../../tests/support/naive.rs"]
mod naive;
pub mod penalties;
pub mod pool;
pub mod programs;
pub mod reduce_agree;
pub mod rules;
pub mod schedules;
pub mod state_load;

/// A number by its bits, all NaNs the same: their sign and payload are not part of the promise.
pub trait Bits: Copy + core::fmt::Debug {
    fn bits(self) -> u64;
}

impl Bits for f32 {
    fn bits(self) -> u64 {
        if self.is_nan() { u64::MAX } else { u64::from(self.to_bits()) }
    }
}

impl Bits for f64 {
    fn bits(self) -> u64 {
        if self.is_nan() { u64::MAX } else { self.to_bits() }
    }
}

/// Panics unless both slices hold the same bits.
#[track_caller]
pub fn same<T: Bits>(got: &[T], want: &[T], what: impl core::fmt::Display) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!(g.bits() == w.bits(), "{what}: element {i} of {}: {g:?}, not {w:?}", want.len());
    }
}

/// A target on pseudo-random inputs of all lengths; under Miri on a few that are long enough to lead somewhere.
#[cfg(test)]
pub(crate) fn smoke(target: fn(&[u8])) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let (rounds, shortest) = if cfg!(miri) { (80, 300) } else { (4000, 0) };
    for round in 0..rounds {
        let data: Vec<u8> = (0..shortest + round % (500 - shortest))
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            })
            .collect();
        target(&data);
    }
}
