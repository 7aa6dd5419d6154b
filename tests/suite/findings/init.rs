use gradus::init::uniform;

/// A generator of one bit.
struct Always(bool);

impl rand_core::TryRng for Always {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(if self.0 { u32::MAX } else { 0 })
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(if self.0 { u64::MAX } else { 0 })
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(if self.0 { 0xff } else { 0 });
        Ok(())
    }
}

/// Rounding reached the end that is left out.
#[test]
fn uniform_weights_stay_below_their_end() {
    for (low, high) in [(1.0, 2.0), (0.0, 1.0), (-0.5, 0.5), (1e6, 1e6 + 1.0), (-2.0, -1.0), (-3e38, 3e38)] {
        let mut weights = [0.0; 2];
        uniform(&mut Always(true), low, high, &mut weights);
        assert!(weights.iter().all(|w| low <= *w && *w < high), "{low:e} {high:e}: {weights:?}");
    }
    let mut weights = [0.0; 2];
    uniform(&mut Always(true), 0.25, 0.25, &mut weights);
    assert_eq!(weights, [0.25; 2]);
}

/// Where `high - low` is infinite each weight was the largest number below `high`, or NaN.
#[test]
fn bounds_far_apart_have_numbers_between() {
    use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
    for (low, high) in [(-3e38, 3e38), (-f32::MAX, f32::MAX), (-f32::MAX, 1e38)] {
        let mut weights = [0.5; 2];
        uniform(&mut Always(false), low, high, &mut weights);
        assert_eq!(weights, [low; 2]);
        uniform(&mut Always(true), low, high, &mut weights);
        assert!(weights.iter().all(|w| *w < high && *w > high - 1e32), "{weights:?}");
        let mut weights = [0.0; 1000];
        uniform(&mut Xoshiro128PlusPlus::seed_from_u64(3), low, high, &mut weights);
        let mean = weights.iter().map(|w| f64::from(*w)).sum::<f64>() / 1000.0;
        let (low, high) = (f64::from(low), f64::from(high));
        assert!((mean - (low + high) / 2.0).abs() < 0.03 * (high - low), "{mean:e}");
        let quarter = low + (high - low) / 4.0;
        let below = weights.iter().filter(|w| f64::from(**w) < quarter).count();
        assert!((200..300).contains(&below), "{below}");
    }
}
