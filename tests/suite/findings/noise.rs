use gradus::noise::{Dropout, Masks};

#[test]
fn rounding_takes_no_block_below_the_last() {
    let last = 0.25492468;
    for block in [0, 1, u32::MAX - 2, u32::MAX - 1, u32::MAX] {
        let kept = gradus::noise::StochasticDepth::linear(block, u32::MAX, last);
        assert!(last <= kept && kept <= 1.0, "{block}: {kept}");
    }
}

/// 1 - 0.999 in f32 has an error of 1.3e-5, and the scale had it too.
#[test]
fn a_large_probability_to_drop_scales_by_its_decimal() {
    for drop_prob in [0.999, 0.9999, 0.99, 0.95, 0.9, 0.7, 0.1, 1e-3] {
        let dropout = Dropout::drop_prob(drop_prob);
        assert_eq!(dropout.keep_prob, (1.0 - drop_prob) as f32);
        let (mut x, all) = ([1.0_f32; 32], [!0]);
        dropout.forward(&mut x, &all).unwrap();
        let want = 1.0 / (1.0 - drop_prob);
        assert!((f64::from(x[0]) / want - 1.0).abs() <= 1.2e-7, "{drop_prob}: {} {want}", x[0]);
    }
    assert_eq!(Dropout::drop_prob(1.0).keep_prob, 0.0);
    assert_eq!(Dropout::drop_prob(0.0).keep_prob, 1.0);
}

/// A static generator of seed 0 was written out in .data.
#[test]
fn the_generator_of_seed_0_is_all_zero_bits() {
    static MASKS: Masks = Masks::new(0);
    // SAFETY: a generator is plain words.
    let words = unsafe { core::slice::from_raw_parts((&raw const MASKS).cast::<u32>(), 32) };
    assert_eq!((size_of::<Masks>(), words), (128, &[0; 32][..]));
}
