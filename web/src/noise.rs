//! Augmentation and masks to look at.

use crate::digits::pixels;
use gradus::augment::{Image, ImageLayout, ImageMut, ImageShape, RandomAffine, RandomErasing};
use gradus::noise::{Dropout, Masks, StochasticDepth, mask_words};
use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
use std::cell::RefCell;

const SHAPE: ImageShape = ImageShape { height: 8, width: 8, channels: 1, layout: ImageLayout::Hwc };
const ROWS: usize = 16;
const COLUMNS: usize = 24;

thread_local! {
    static IMAGE: RefCell<[f32; 64]> = const { RefCell::new([0.0; 64]) };
    static KEPT: RefCell<[u8; ROWS * COLUMNS]> = const { RefCell::new([0; ROWS * COLUMNS]) };
}

/// Sample `number` of the digits, moved and erased as `seed` has it: 64 pixels from 0 to 16, until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn noise_augment(
    number: usize,
    seed: u32,
    translate: f32,
    rotate: f32,
    stretch: f32,
    shear: f32,
    erase: f32,
) -> *const f32 {
    let old = pixels(number).map(f32::from);
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed.into());
    IMAGE.with_borrow_mut(|new| {
        let recipe = RandomAffine { translate, rotate, stretch, shear };
        let erasing = RandomErasing { prob: erase, ..RandomErasing::default() };
        let done = Image::new(&old, SHAPE).and_then(|old| {
            recipe.apply(old, 0.0, &mut ImageMut::new(new, SHAPE)?, &mut rng)?;
            erasing.apply(&mut ImageMut::new(new, SHAPE)?, &mut rng).map(|_| ())
        });
        if done.is_err() {
            *new = old; // strengths out of range
        }
        new.as_ptr()
    })
}

/// What a mask keeps: 16 rows of 24, until the next call. Of units or weights (`method` 0, 1) all have the same chance; of blocks
/// (2), a column each, the last one `keep` and those before it more.
#[unsafe(no_mangle)]
pub extern "C" fn noise_mask(method: usize, keep: f32, seed: u32) -> *const u8 {
    let mut masks = Masks::new(u64::from(seed) * 3 + method as u64);
    KEPT.with_borrow_mut(|kept| {
        let bit = |mask: &[u32], i: usize| mask.get(i / 32).map_or(0, |word| (word >> (i % 32) & 1) as u8);
        if method < 2 {
            let mut mask = [0; mask_words(ROWS * COLUMNS)];
            Dropout::keep_prob(keep).draw(&mut masks, &mut mask);
            kept.iter_mut().enumerate().for_each(|(i, kept)| *kept = bit(&mask, i));
        } else {
            for block in 0..COLUMNS {
                let survival = StochasticDepth::linear(block as u32 + 1, COLUMNS as u32, keep);
                let mut mask = [0; mask_words(ROWS)];
                StochasticDepth(Dropout::keep_prob(survival)).draw(&mut masks, &mut mask);
                kept.iter_mut()
                    .skip(block)
                    .step_by(COLUMNS)
                    .enumerate()
                    .for_each(|(row, kept)| *kept = bit(&mask, row));
            }
        }
        kept.as_ptr()
    })
}
