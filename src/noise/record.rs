//! How a generator of masks lies in a file: the four words of each of its generators.

use super::Masks;
use crate::store::plain;

fn bytes(masks: &Masks) -> [u8; 128] {
    let mut bytes = [0; 128];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(masks.state().as_flattened()) {
        *bytes = word.to_le_bytes();
    }
    bytes
}

/// None for a generator of zeros, which does not come back.
fn masks(found: [u8; 128]) -> Option<Masks> {
    let mut state = [[0; 4]; 8];
    for (bytes, word) in found.as_chunks().0.iter().zip(state.as_flattened_mut()) {
        *word = u32::from_le_bytes(*bytes);
    }
    let masks = Masks::from_state(state);
    (bytes(&masks) == found).then_some(masks)
}

plain!(Masks, "masks", 128, bytes, masks);
