//! Files: an error that changes nothing, or a value that saves to the same bytes.

use crate::input::number;
use arbitrary::{Result, Unstructured};
use gradus::ensemble::{EmaState, Ensemble, EnsembleVec, SwaState};
use gradus::noise::Masks;
use gradus::norm::BatchNormState;
use gradus::second_order::{Lbfgs, LbfgsSettings, LbfgsVec};
use gradus::store::{self, Load, Save};
use gradus::{AdaGradState, Adam, AdamState, Clock, InHalf, Nadam, Sgd, StateVec};
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

pub fn run(data: &[u8]) {
    let _ = file(&mut Unstructured::new(data));
}

/// A file: any bytes, or one of ours with a few of them changed, mostly with a checksum that fits.
pub(crate) fn bytes(u: &mut Unstructured, good: Vec<u8>) -> Result<Vec<u8>> {
    let mut file = if u.ratio(1, 8)? { u.bytes(u.len().min(200))?.to_vec() } else { good };
    for _ in 0..u.int_in_range(0..=4)? {
        if file.is_empty() {
            break;
        }
        let at = u.choose_index(file.len())?;
        match u.int_in_range(0..=7)? {
            0 => file.truncate(at),
            1 => file.insert(at, u.arbitrary()?),
            2 => file.extend_from_within(at..),
            3 => file[at] = 0,
            4 => file[at] = 0xff,
            _ => file[at] ^= 1 << u.int_in_range(0..=7)?,
        }
    }
    if file.len() >= 20 && u.ratio(7, 8)? {
        // Let the frame fit, so that what is inside decides.
        if u.ratio(15, 16)? {
            file[..8].copy_from_slice(b"gradus\x01\x00");
            let length = file.len() as u64;
            file[8..16].copy_from_slice(&length.to_le_bytes());
        }
        let (body, crc) = file.split_last_chunk_mut().unwrap();
        *crc = crc32(body).to_le_bytes();
    }
    Ok(file)
}

/// CRC-32 as zip has it, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

fn file(u: &mut Unstructured) -> Result<()> {
    // Some files are longer than a piece.
    let n = if u.ratio(1, 4)? { u.int_in_range(0..=90_usize)? } else { u.int_in_range(0..=6_usize)? };
    let mut adam = StateVec::<Adam>::new(n);
    adam.clock = Clock { t: u.arbitrary()?, carry: number(u)? };
    for column in adam.columns_mut() {
        for x in column {
            *x = number(u)?;
        }
    }
    let (step, x, y): (u32, f32, f64) = (u.arbitrary()?, number(u)?, number(u)?);
    match u.int_in_range(0..=15)? {
        0 => check(u, adam, StateVec::<Adam>::new(0)),
        1 => check(u, (adam, step), (StateVec::<Adam>::new(1), 0)),
        2 => check(u, AdamState::<3>::new(), AdamState::<3>::new()),
        3 => check(u, (Masks::new(step.into()), [x; 4]), (Masks::ZERO, [0.0; 4])),
        4 => check(u, (vec![y; n], vec![x; n]), (vec![0.0_f64], vec![0.0_f32])),
        5 => {
            let mut ensemble = Ensemble::<2, 3>::new();
            for _ in 0..n.min(3) {
                let _ = ensemble.push(&[number(u)?, number(u)?]);
            }
            check(u, ensemble, Ensemble::<2, 3>::new())
        }
        6 => {
            let mut ensemble = EnsembleVec::new();
            for _ in 0..n {
                let _ = ensemble.push(&[number(u)?, number(u)?, number(u)?]);
            }
            check(u, ensemble, EnsembleVec::new())
        }
        7 => check(u, StateVec::<Sgd>::new(0), StateVec::<Sgd>::new(0)),
        8 => check(u, (AdaGradState::<2>::new(), step), (AdaGradState::<2>::new(), 0)),
        9 => {
            let rng = Xoshiro128PlusPlus::seed_from_u64(step.into());
            check(u, rng, Xoshiro128PlusPlus::seed_from_u64(1))
        }
        10 => check(
            u,
            (EmaState::<2>::new(), SwaState::<2>::new()),
            (EmaState::<2>::new(), SwaState::<2>::new()),
        ),
        11 => check(u, (BatchNormState::<2>::new(), [y; 2]), (BatchNormState::<2>::new(), [0.0; 2])),
        12 => {
            let mut fixed = Lbfgs::<2, 2>::new();
            if fixed.start(&LbfgsSettings::new(), &[x, 1.0]).is_ok() {
                minimise(n, || fixed.ask().map(|(x, g)| slope(x, g)).map(|f| fixed.tell(f)));
            }
            let mut target = Lbfgs::<2, 2>::new();
            check(u, fixed, &mut target)?;
            minimise(20, || target.ask().map(|(x, g)| slope(x, g)).map(|f| target.tell(f)));
            Ok(())
        }
        13 => {
            let mut heap = LbfgsVec::<f32>::new(n).pairs(2);
            heap.start(&vec![x; n]).unwrap();
            minimise(n, || heap.ask().map(|(x, g)| slope(x, g)).map(|f| heap.tell(f)));
            let mut target = LbfgsVec::<f32>::new(n).pairs(2);
            check(u, heap, &mut target)?;
            minimise(20, || target.ask().map(|(x, g)| slope(x, g)).map(|f| target.tell(f)));
            Ok(())
        }
        14 => {
            let mut half = StateVec::<InHalf<Adam>>::new(n);
            adam.as_mut().round_to_half(half.as_mut()).unwrap();
            check(u, half, StateVec::<InHalf<Adam>>::new(0))
        }
        // Another rule's file, whatever happens to it: the states have the same shape.
        _ => check(u, StateVec::<Nadam>::new(n), StateVec::<Adam>::new(n)),
    }
}

/// Some evaluations, at most.
fn minimise(most: usize, mut evaluate: impl FnMut() -> Option<()>) {
    for _ in 0..most {
        if evaluate().is_none() {
            return;
        }
    }
}

/// A curved valley.
fn slope(x: &[f32], g: &mut [f32]) -> f32 {
    let mut f = 0.0;
    for (i, (g, x)) in g.iter_mut().zip(x).enumerate() {
        let z = x - i as f32;
        f += z * z * z * z + 0.5 * z * z;
        *g = 4.0 * z * z * z + z;
    }
    f
}

fn check<A: Save, B: Save>(u: &mut Unstructured, good: A, mut target: B) -> Result<()>
where
    for<'a> &'a mut B: Load,
{
    let good = store::to_vec(&good).unwrap();
    assert_eq!(good[good.len() - 4..], crc32(&good[..good.len() - 4]).to_le_bytes());
    let file = bytes(u, good)?;
    let before = store::to_vec(&target).unwrap();
    // In pieces, from a source that may fail: refused for the same reason, or told when it failed.
    let (mut good, calls) = (u.int_in_range(0..=40_usize)?, file.len().div_ceil(store::PIECE));
    let enough = good >= 2 * calls;
    let streamed = store::load_from(&mut target, file.len() as u64, |at, piece| {
        good = good.checked_sub(1).ok_or(())?;
        piece.copy_from_slice(&file[at as usize..][..piece.len()]);
        Ok(())
    });
    match streamed {
        Ok(()) | Err(store::StreamError::Torn) => assert_eq!(streamed.is_ok(), enough),
        Err(_) => assert!(store::to_vec(&target).unwrap() == before, "refused in pieces, but changed"),
    }
    let loaded = store::load(&mut target, &file);
    match streamed {
        Err(store::StreamError::File(error)) => assert_eq!(loaded, Err(error)),
        Err(store::StreamError::Stream(())) => assert!(!enough),
        _ => assert_eq!(loaded, Ok(())),
    }
    match loaded {
        Ok(()) => {
            assert_eq!(store::file_size(&target), file.len());
            assert!(store::to_vec(&target).unwrap() == file, "loaded, but saved to other bytes");
        }
        Err(_) => assert!(store::to_vec(&target).unwrap() == before, "refused, but changed"),
    }
    // Pieces of any size make the same file.
    let (mut piece, mut pieces) = (vec![0; u.int_in_range(1..=300)?], Vec::new());
    let mut saved = store::Pieces::new(&target).unwrap();
    loop {
        match saved.take(&mut piece) {
            0 => break,
            n => pieces.extend_from_slice(&piece[..n]),
        }
    }
    assert!(pieces == store::to_vec(&target).unwrap());
    // A buffer that is too short is refused, and untouched.
    let size = store::file_size(&target);
    let mut buffer = vec![0xaa; u.int_in_range(0..=size)?];
    let fits = buffer.len() == size;
    assert_eq!(store::save(&target, &mut buffer).is_ok(), fits);
    assert!(fits || buffer.iter().all(|b| *b == 0xaa));
    Ok(())
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
