//! How a number is rounded to half the memory: the definition once more, in 64-bit arithmetic where it helps.

/// The pseudo-random bits: element `i`, step `t`, column `k`.
pub fn dither(t: u32, i: u32, k: usize) -> u32 {
    let wrap = |x: u64| (x % (1 << 32)) as u32;
    let mut y = wrap(0x9E37_79B1 * u64::from(t / 32) + 0x1234_5677);
    y ^= y >> 16;
    y = wrap(u64::from(y) * 0x7FEB_352D);
    y ^= y >> 15;
    y = wrap(u64::from(y) * 0x846C_A68B);
    y ^= y >> 16;
    let seed = wrap(0x9E37_6A09 * u64::from(t % 32) + u64::from(y));
    let u = wrap(u64::from(seed) + 0xC13F_91E1 * u64::from(i));
    [u & 0xFFFF, u >> 16, u >> 8 & 0xFFFF, u.rotate_left(8) & 0xFFFF][k]
}

/// A number rounded with them.
pub fn round(x: f32, d: u32) -> u16 {
    if x.is_nan() {
        return 0x7FC0;
    }
    let sum = u64::from(x.to_bits()) + u64::from(d);
    let word = (sum >> 16) as u16;
    if x.is_finite() && word & 0x7FFF == 0x7F80 { (x.to_bits() >> 16) as u16 } else { word }
}
