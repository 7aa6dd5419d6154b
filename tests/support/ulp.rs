//! Distances in units in the last place.

/// The unit in the last place of an `f32` of size `x`.
pub fn unit(x: f64) -> f64 {
    let x = (x.abs() as f32).clamp(f32::MIN_POSITIVE, f32::MAX);
    f64::from(f32::from_bits(x.to_bits() & 0x7f80_0000)) * f64::from(f32::EPSILON)
}

/// How far `got` lies above `want` (below: negative), in units in the last place of `want`.
pub fn ulps(got: f32, want: f64) -> f64 {
    if f64::from(got) == want { 0.0 } else { (f64::from(got) - want) / unit(want) }
}
