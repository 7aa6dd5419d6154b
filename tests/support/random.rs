//! Deterministic numbers of every kind that training meets, and of those it should not.

/// The values that nobody likes.
pub const SPECIAL: [f32; 20] = [
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    0.0,
    -0.0,
    1e-45,   // the smallest subnormal
    -1e-45,  // and its negative
    1.1e-38, // a large subnormal
    -1.1e-38,
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
    1e-20,
    -1e-20,
    1e20,
    -1e20,
    1.0,
    -1.0,
    f32::EPSILON,
];

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Uniform in `0..1`.
    pub fn unit(&mut self) -> f32 {
        (self.word() >> 40) as f32 / (1 << 24) as f32
    }

    /// Uniform in `-1..1`.
    pub fn signed(&mut self) -> f32 {
        2.0 * self.unit() - 1.0
    }

    /// Either sign, and any size from `10^low` to `10^high`.
    pub fn sized(&mut self, low: f32, high: f32) -> f32 {
        let size = 10_f32.powf(low + (high - low) * self.unit());
        if self.word() & 1 == 0 { size } else { -size }
    }

    /// One of the special values, or an ordinary one.
    pub fn any(&mut self) -> f32 {
        let k = self.word() as usize % (SPECIAL.len() + 10);
        if k < SPECIAL.len() { SPECIAL[k] } else { self.sized(-6.0, 3.0) }
    }

    pub fn vec(&mut self, n: usize, mut value: impl FnMut(&mut Self) -> f32) -> Vec<f32> {
        (0..n).map(|_| value(self)).collect()
    }
}

/// The bits, with one pattern for every NaN: payloads are outside of what is promised.
pub fn bits(x: f32) -> u32 {
    if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }
}

/// The bits of each element.
pub fn all_bits(x: &[f32]) -> Vec<u32> {
    x.iter().copied().map(bits).collect()
}
