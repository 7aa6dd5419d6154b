//! The stream of the masks, bit by bit and in bulk.

use gradus::noise::{Dropout, Masks};
use gradus::{Level, store};
use proptest::prelude::*;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

const KEEPS: [f32; 12] = [0.0, 1.0, 0.5, 0.25, 0.75, 0.9, 0.1, 0.8, 1.0 / 3.0, 1.2e-7, 0.999_999_94, 2.4e-10];

fn filled(level: Level, mut masks: Masks, keep_prob: f32, words: usize) -> (Vec<u32>, Masks) {
    let mut mask = vec![0xdead_beef; words];
    Dropout::keep_prob(keep_prob).on(level).draw(&mut masks, &mut mask);
    (mask, masks)
}

/// The lanes of a seed by the crate that the documentation names.
fn lanes(seed: u64) -> Vec<Xoshiro128PlusPlus> {
    let mut lane = Xoshiro128PlusPlus::seed_from_u64(seed);
    (0..8)
        .map(|_| {
            let this = lane.clone();
            lane.jump();
            this
        })
        .collect()
}

fn words_of(lane: &Xoshiro128PlusPlus) -> [u32; 4] {
    std::array::from_fn(|j| u32::from_le_bytes(lane.state()[4 * j..4 * j + 4].try_into().unwrap()))
}

/// The definition, one element at a time: kept if the digit of `keep_prob` is 1 where the element's
/// random bits have their first 0.
fn defined(lanes: &mut [Xoshiro128PlusPlus], keep_prob: f32, words: usize) -> Vec<u32> {
    if keep_prob == 1.0 {
        return vec![!0; words];
    }
    let digits: Vec<bool> =
        (1..=32).map(|j| (f64::from(keep_prob) * 2_f64.powi(j)).floor() as u64 % 2 == 1).collect();
    let last = digits.iter().rposition(|digit| *digit).map_or(0, |j| j + 1);
    (0..words)
        .map(|w| {
            let mut sequences = vec![Vec::new(); 32];
            while sequences.iter().any(|s| !s.contains(&0)) && sequences[0].len() < last {
                let word = lanes[w % 8].next_u32();
                for (i, sequence) in sequences.iter_mut().enumerate() {
                    sequence.push(word >> i & 1);
                }
            }
            let kept = |s: &Vec<u32>| s.iter().position(|bit| *bit == 0).is_some_and(|j| digits[j]);
            sequences.iter().enumerate().fold(0, |mask, (i, s)| mask | u32::from(kept(s)) << i)
        })
        .collect()
}

#[test]
fn the_generator_is_xoshiro128plusplus() {
    let mut state = Masks::new(0).state();
    state[0] = [1, 2, 3, 4];
    let mut masks = Masks::from_state(state);
    // The authors' vector; keep 1/2 takes one word of which it keeps the zeros.
    for word in [641, 1_573_767, 3_222_811_527, 3_517_856_514, 836_907_274, 4_247_214_768_u32] {
        let mut mask = [0];
        masks.fill(0.5, &mut mask);
        assert_eq!(mask, [!word]);
    }
}

#[test]
fn lanes_are_one_jump_apart() {
    for seed in [0, 1, 42, u64::MAX] {
        let want: Vec<_> = lanes(seed).iter().map(words_of).collect();
        assert_eq!(Masks::new(seed).state().to_vec(), want);
    }
}

#[test]
fn every_level_follows_the_definition() {
    for keep_prob in KEEPS {
        for words in (0..=33).chain([64, 67, 128, 500]) {
            let mut reference = lanes(9);
            let want = defined(&mut reference, keep_prob, words);
            for level in Level::available() {
                let (mask, after) = filled(level, Masks::new(9), keep_prob, words);
                assert_eq!(mask, want, "{level} keep {keep_prob} words {words}");
                let moved: Vec<_> = reference.iter().map(words_of).collect();
                assert_eq!(after.state().to_vec(), moved, "{level} keep {keep_prob} words {words}");
            }
        }
    }
}

#[test]
fn a_hard_keep_makes_some_group_wait_past_twelve_digits() {
    // Otherwise the loop after the blind digits would be untested.
    let mut reference = lanes(3);
    let before = reference[0].clone();
    defined(&mut reference, 0.9, 4000);
    let mut walk = before;
    let mut drawn = 0;
    while walk != reference[0] {
        walk.next_u32();
        drawn += 1;
    }
    assert!((6.0..6.7).contains(&(f64::from(drawn) / 500.0)), "{drawn}"); // log2(32) + 1.33 on average
    for level in Level::available() {
        let (mask, after) = filled(level, Masks::new(3), 0.9, 4000);
        assert_eq!(mask, defined(&mut lanes(3), 0.9, 4000), "{level}");
        assert_eq!(words_of(&reference[0]), after.state()[0]);
    }
}

#[test]
fn zero_bits_are_seed_zero() {
    assert_eq!(Masks::ZERO, Masks::new(0));
    assert_eq!(Masks::default(), Masks::from_state([[0; 4]; 8]));
    for level in Level::available() {
        let (from_zero, a) = filled(level, Masks::ZERO, 0.3, 21);
        let (from_seed, b) = filled(level, Masks::new(0), 0.3, 21);
        assert_eq!((from_zero, a), (from_seed, b));
    }
    // A lane that could never leave zero is replaced, the others stay.
    let mut state = Masks::new(5).state();
    state[3] = [0; 4];
    let repaired = Masks::from_state(state).state();
    assert_eq!((repaired[3], repaired[4]), (Masks::new(0).state()[3], state[4]));
}

#[test]
fn zero_and_one_and_what_lies_beyond_draw_nothing() {
    for level in Level::available() {
        for (keep_prob, word) in
            [(0.0, 0), (-0.0, 0), (-3.0, 0), (f32::NAN, 0), (1.0, !0), (7.0, !0), (f32::INFINITY, !0)]
        {
            let (mask, after) = filled(level, Masks::new(1), keep_prob, 19);
            assert_eq!((mask, after), (vec![word; 19], Masks::new(1)), "{level} {keep_prob}");
        }
    }
}

#[test]
fn generators_are_equal_where_their_streams_are() {
    let mut masks = Masks::new(1);
    assert_ne!(masks, Masks::new(2));
    masks.fill(0.5, &mut [0]);
    assert_ne!(masks, Masks::new(1)); // one lane has moved
}

#[test]
fn a_saved_generator_goes_on_where_it_was() {
    let mut masks = Masks::new(77);
    let mut mask = [0; 13];
    masks.fill(0.9, &mut mask);
    let saved = masks.state();
    masks.fill(0.7, &mut mask);
    let mut restored = Masks::from_state(saved);
    let mut again = [0; 13];
    restored.fill(0.7, &mut again);
    assert_eq!((again, restored), (mask, masks.clone()));

    // The same through a file.
    let mut buffer = [0; store::file_size_of::<Masks>()];
    let file = store::save(&masks, &mut buffer).unwrap();
    let mut loaded = Masks::ZERO;
    store::load(&mut loaded, file).unwrap();
    assert_eq!(loaded, masks);
}

proptest! {
    /// A call cut at a multiple of eight words is the same stream.
    #[test]
    fn pieces_of_eight_words_are_one_call(seed: u64, keep_prob in 0.0_f32..=1.0, head in 0_usize..9, tail in 0_usize..40) {
        let level = Level::detect();
        let (whole, after) = filled(level, Masks::new(seed), keep_prob, 8 * head + tail);
        let (first, between) = filled(level, Masks::new(seed), keep_prob, 8 * head);
        let (second, end) = filled(level, between, keep_prob, tail);
        prop_assert_eq!(([first, second].concat(), end), (whole, after));
    }

    /// Every level, every probability: the same bits and the same state after.
    #[test]
    fn levels_agree(seed: u64, keep_prob in 0.0_f32..=1.0, words in 0_usize..70) {
        let want = filled(Level::SCALAR, Masks::new(seed), keep_prob, words);
        for level in Level::available() {
            prop_assert_eq!(&filled(level, Masks::new(seed), keep_prob, words), &want);
        }
    }
}

/// Words of a long mask, for the statistics below: 2^20 bits.
const LONG: usize = 1 << 15;

fn long(seed: u64, keep_prob: f32) -> Vec<u32> {
    filled(Level::detect(), Masks::new(seed), keep_prob, LONG).0
}

/// Sum of `(a[i] - keep) * (b[i + lag] - keep)`, in standard deviations of independent bits.
fn correlation(a: &[u32], b: &[u32], lag: usize, keep_prob: f32) -> f64 {
    let (mut ones_a, mut ones_b, mut both, mut n) = (0, 0, 0, 0);
    for i in 0..a.len() - lag / 32 - 1 {
        let pair = u64::from(b[i + lag / 32 + 1]) << 32 | u64::from(b[i + lag / 32]);
        let (a, b) = (a[i], (pair >> (lag % 32)) as u32);
        ones_a += a.count_ones();
        ones_b += b.count_ones();
        both += (a & b).count_ones();
        n += 32;
    }
    let (n, keep) = (f64::from(n), f64::from(keep_prob));
    let sum = f64::from(both) - keep * f64::from(ones_a + ones_b) + n * keep * keep;
    sum / n.sqrt() / (keep * (1.0 - keep))
}

#[test]
fn rate_and_autocorrelation_are_those_of_independent_bits() {
    for keep_prob in [0.5, 0.75, 0.9, 0.1, 0.99, 1.0 / 3.0] {
        for seed in [0, 1, 2, 12345] {
            let mask = long(seed, keep_prob);
            let (n, keep) = (32.0 * LONG as f64, f64::from(keep_prob));
            let ones: u32 = mask.iter().map(|word| word.count_ones()).sum();
            let rate = (f64::from(ones) - n * keep) / (n * keep * (1.0 - keep)).sqrt();
            assert!(rate.abs() < 4.0, "keep {keep_prob} seed {seed}: rate off by {rate} sigma");
            // 1 to 64, the stride of the eight lanes, and the piece that a pass draws ahead.
            for lag in (1..=64).chain([256, 512, 1024, 2048]) {
                let z = correlation(&mask, &mask, lag, keep_prob);
                assert!(z.abs() < 4.5, "keep {keep_prob} seed {seed} lag {lag}: {z} sigma");
            }
        }
    }
}

#[test]
fn every_bit_of_a_word_and_every_lane_has_the_rate() {
    let keep_prob = 0.9_f32;
    let mask = long(8, keep_prob);
    let keep = f64::from(keep_prob);
    for position in 0..256 {
        let n = LONG / 8;
        let ones: u32 = mask.iter().skip(position / 32).step_by(8).map(|w| w >> (position % 32) & 1).sum();
        let z = (f64::from(ones) - n as f64 * keep) / (n as f64 * keep * (1.0 - keep)).sqrt();
        assert!(z.abs() < 4.5, "position {position}: {z} sigma");
    }
}

#[test]
fn neighbouring_seeds_are_unrelated() {
    for keep_prob in [0.5, 0.9] {
        let masks: Vec<_> = (0..16).map(|seed| long(seed, keep_prob)).collect();
        for (i, a) in masks.iter().enumerate() {
            for (j, b) in masks.iter().enumerate().skip(i + 1) {
                for lag in [0, 1, 32, 256] {
                    let z = correlation(a, b, lag, keep_prob);
                    assert!(z.abs() < 5.0, "keep {keep_prob} seeds {i} {j} lag {lag}: {z} sigma");
                }
            }
        }
    }
}

#[test]
fn lanes_are_awake_unless_all_their_words_are_zero() {
    let one = [[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 1 << 31, 0], [0, 0, 0, 8]];
    let alike = [[5, 5, 0, 0], [0, 9, 0, 9], [6, 0, 6, 0], [0, 4, 4, 0], [7; 4]];
    let unions = [[3, 5, 6, 0], [3, 5, 7, 0], [3, 5, 8, 15]];
    for words in one.into_iter().chain(alike).chain(unions) {
        assert_eq!(Masks::from_state([words; 8]).state(), [words; 8]);
    }
}
