//! The journal loses nothing but what was being written: for every cut, torn in every way.
#![cfg(feature = "journal")]

use crate::support::flash::{Fault, Flash, TEARS, Tear};
use gradus::store::{self, Journal, JournalError};
use gradus::{Adam, Optimizer, State};
use std::fmt::Debug;

/// Contents to tell apart, of any length.
fn file(number: u8, n: usize) -> Vec<u8> {
    (0..n).map(|k| number.wrapping_mul(37).wrapping_add(k as u8)).collect()
}

/// The newest file, after a restart.
fn recover<const R: usize, const W: usize, const E: usize>(flash: &Flash<R, W, E>) -> Option<Vec<u8>> {
    let mut flash = flash.clone();
    flash.left = 0; // reading needs no write
    let region = 0..flash.bytes.len() as u32;
    let mut buffer = vec![0; flash.bytes.len()];
    let mut journal = Journal::open(flash, region).unwrap();
    journal.read(&mut buffer).unwrap().map(<[u8]>::to_vec)
}

/// Writes after a restart, with power for `left` bytes.
fn write<const R: usize, const W: usize, const E: usize>(
    flash: &mut Flash<R, W, E>,
    file: &[u8],
    left: usize,
    tear: Tear,
) -> Result<(), JournalError<Fault>> {
    (flash.left, flash.tear) = (left, tear);
    let region = 0..flash.bytes.len() as u32;
    Journal::open(flash, region)?.write(file)
}

/// Bytes that a write programs and erases.
fn cost<const R: usize, const W: usize, const E: usize>(flash: &Flash<R, W, E>, file: &[u8]) -> usize {
    let mut flash = flash.clone();
    write(&mut flash, file, 1 << 30, Tear::Prefix).unwrap();
    (1 << 30) - flash.left
}

/// Cuts every write of a run at every byte, in every way, and goes on from each.
fn every_cut<const R: usize, const W: usize, const E: usize>(blocks: usize, lengths: &[usize]) {
    let mut flash = Flash::<R, W, E>::new(blocks, 1);
    let mut newest = None;
    for (number, &n) in lengths.iter().enumerate() {
        let next = file(number as u8, n);
        let steps = cost(&flash, &next);
        assert!(steps >= n + blocks / 2 * E);
        for left in 0..steps {
            for tear in TEARS {
                let mut cut = flash.clone();
                cut.seed ^= left as u64;
                let result = write(&mut cut, &next, left, tear);
                assert_eq!(result, Err(JournalError::Flash(Fault::PowerCut)));
                let found = recover(&cut);
                let complete = found.as_ref() == Some(&next) && left + W >= steps;
                assert!(found == newest || complete, "file {number}, byte {left}, {tear:?}");
                // The next write must not rely on what the torn one left.
                write(&mut cut, &file(99, n), usize::MAX, tear).unwrap();
                assert_eq!(recover(&cut), Some(file(99, n)));
            }
        }
        write(&mut flash, &next, usize::MAX, Tear::Prefix).unwrap();
        newest = Some(next);
        assert_eq!(recover(&flash), newest);
    }
}

#[test]
fn every_cut_of_every_write_keeps_the_last_complete_file() {
    every_cut::<1, 1, 64>(2, &[10, 48, 0, 7]);
    every_cut::<4, 4, 128>(2, &[112, 33, 1, 64, 111]);
    every_cut::<1, 8, 64>(8, &[240, 5, 200]);
    every_cut::<32, 32, 128>(4, &[100, 224, 17]);
    every_cut::<1, 256, 512>(4, &[300, 768]);
}

/// Flash that tells torn words by a code for errors (ECC) refuses to read them.
#[test]
fn a_slot_that_cannot_be_read_is_the_next_to_be_written() {
    for slot in [0, 1] {
        for known in [false, true] {
            let mut flash = Flash::<1, 4, 64>::new(2, 3);
            let good = 64 * (1 - slot);
            if known {
                flash.bytes[good..good + 36].copy_from_slice(&self::slot(7, &file(1, 20)));
            }
            flash.spoil(64 * slot + 20);
            // The file may be whole but for a word, and what reads wrong now may read well later.
            flash.bytes[64 * slot..64 * slot + 36].copy_from_slice(&self::slot(8, &file(2, 20)));
            assert_eq!(recover(&flash), known.then(|| file(1, 20)));
            let other = flash.bytes[good..good + 64].to_vec();
            write(&mut flash, &file(3, 20), usize::MAX, Tear::Prefix).unwrap();
            assert_eq!(flash.bytes[good..good + 64], other);
            assert_eq!(recover(&flash), Some(file(3, 20)));
            write(&mut flash, &file(4, 20), usize::MAX, Tear::Prefix).unwrap();
            assert_eq!(recover(&flash), Some(file(4, 20)));
        }
    }
}

/// No cut does that: it is the flash that fails, and what lies there may be worth more than a new file.
#[test]
fn where_neither_slot_can_be_read_the_flash_has_the_word() {
    let mut flash = Flash::<1, 4, 64>::new(2, 3);
    flash.bytes[..36].copy_from_slice(&slot(7, &file(1, 20)));
    flash.spoil(20);
    flash.spoil(64);
    let opened = Journal::open(flash, 0..128).map(|_| ());
    assert_eq!(opened, Err(JournalError::Flash(Fault::Unreadable)));
}

#[test]
fn two_cuts_in_a_row_keep_the_last_complete_file() {
    let mut flash = Flash::<1, 4, 32>::new(2, 7);
    write(&mut flash, &file(1, 9), usize::MAX, Tear::Prefix).unwrap();
    write(&mut flash, &file(2, 16), usize::MAX, Tear::Prefix).unwrap();
    let next = file(3, 12);
    let steps = cost(&flash, &next);
    for first in 0..steps {
        for tear in TEARS {
            let mut cut = flash.clone();
            write(&mut cut, &next, first, tear).unwrap_err();
            let before = recover(&cut);
            assert!(before.is_some());
            let last = file(4, 15);
            for second in 0..cost(&cut, &last) {
                for tear in TEARS {
                    let mut cut = cut.clone();
                    cut.seed ^= second as u64;
                    write(&mut cut, &last, second, tear).unwrap_err();
                    let found = recover(&cut);
                    assert!(found == before || found.as_ref() == Some(&last), "{first} {second} {tear:?}");
                }
            }
        }
    }
}

/// The tests above start anew before each write.
#[test]
fn a_journal_that_stays_open_writes_to_the_slots_in_turn() {
    let cost = 64 + 16 + 20; // a block is erased, a header and a file are written
    for left in 0..5 * cost {
        for tear in TEARS {
            let mut flash = Flash::<1, 4, 64>::new(2, left as u64);
            (flash.left, flash.tear) = (left, tear);
            let mut journal = Journal::open(flash, 0..128).unwrap();
            let last = (1..).find(|&number| journal.write(&file(number, 20)).is_err()).unwrap();
            assert_eq!(usize::from(last), 1 + left / cost);
            let found = recover(&journal.into_inner());
            let complete = found == Some(file(last, 20)) && left % cost + 4 >= cost;
            let before = (last > 1).then(|| file(last - 1, 20));
            assert!(found == before || complete, "byte {left}, {tear:?}");
        }
    }
}

/// CRC-32C by its definition, a bit at a time.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// A slot by the table in the documentation.
fn slot(sequence: u32, file: &[u8]) -> Vec<u8> {
    let length = file.len() as u32;
    let checked = [&sequence.to_le_bytes()[..], &length.to_le_bytes(), file].concat();
    let crc = crc32c(&checked).to_le_bytes();
    [b"gjrn", &checked[..8], &crc, file].concat()
}

#[test]
fn a_slot_has_the_bytes_that_the_documentation_says() {
    let mut flash = Flash::<1, 4, 64>::new(2, 3);
    write(&mut flash, b"abcde", usize::MAX, Tear::Prefix).unwrap();
    assert_eq!(flash.bytes[..21], slot(0, b"abcde"));
    write(&mut flash, b"fghi", usize::MAX, Tear::Prefix).unwrap();
    assert_eq!(flash.bytes[64..84], slot(1, b"fghi"));
    assert!(flash.bytes[84..].iter().all(|&byte| byte == 0xff));
}

#[test]
fn sequence_numbers_wrap() {
    for start in [0, i32::MAX as u32 - 1, u32::MAX - 2] {
        let mut flash = Flash::<1, 1, 64>::new(2, 3);
        let first = slot(start, &file(0, 20));
        flash.bytes[..first.len()].copy_from_slice(&first);
        for number in 1..6 {
            let next = file(number, 20);
            let sequence = start.wrapping_add(number.into());
            write(&mut flash, &next, usize::MAX, Tear::Prefix).unwrap();
            assert_eq!(recover(&flash), Some(next.clone()), "after {sequence}");
            let at = 64 * usize::from(number % 2);
            assert_eq!(flash.bytes[at..at + 36], slot(sequence, &next));
        }
    }
}

#[test]
fn every_flipped_bit_costs_that_file_alone() {
    let mut flash = Flash::<1, 4, 64>::new(2, 5);
    write(&mut flash, &file(1, 20), usize::MAX, Tear::Prefix).unwrap();
    write(&mut flash, &file(2, 30), usize::MAX, Tear::Prefix).unwrap();
    for bit in 0..8 * 128 {
        let mut flipped = flash.clone();
        flipped.bytes[bit / 8] ^= 1 << (bit % 8);
        let newest_hit = (64..64 + 16 + 30).contains(&(bit / 8));
        let want = if newest_hit { file(1, 20) } else { file(2, 30) };
        assert_eq!(recover(&flipped), Some(want), "bit {bit}");
    }
}

#[test]
fn an_empty_flash_has_no_file() {
    for byte in [0x00, 0xff] {
        let mut flash = Flash::<1, 4, 64>::new(2, 5);
        flash.bytes.fill(byte);
        assert_eq!(recover(&flash), None);
    }
    for seed in 0..1000 {
        assert_eq!(recover(&Flash::<1, 4, 64>::new(2, seed)), None);
    }
}

#[test]
fn regions_and_lengths_are_checked() {
    let open = |start: u32, end: u32| Journal::open(Flash::<4, 8, 64>::new(6, 1), start..end).map(|_| ());
    for (start, end) in [(0, 128), (64, 192), (0, 256), (128, 384)] {
        assert_eq!(open(start, end), Ok(()));
    }
    let wrong = [(0, 0), (0, 64), (0, 192), (32, 160), (128, 0), (0, 512), (1, 129), (0, 129), (u32::MAX, 0)];
    for (start, end) in wrong {
        assert_eq!(open(start, end), Err(JournalError::Region), "{start}..{end}");
    }

    let mut journal = Journal::open(Flash::<4, 8, 64>::new(6, 1), 64..192).unwrap();
    let outside = journal.read(&mut []).unwrap();
    assert_eq!((outside, journal.capacity()), (None, 48));
    let too_long = JournalError::Length { expected: 49, found: 48 };
    assert_eq!(journal.write(&[0; 49]), Err(too_long));
    journal.write(&[7; 48]).unwrap();
    let too_short = JournalError::Length { expected: 48, found: 47 };
    assert_eq!(journal.read(&mut [0; 47]), Err(too_short));
    let mut buffer = [0; 60];
    assert_eq!(journal.read(&mut buffer), Ok(Some(&[7; 48][..])));
    // Blocks beside the region are not touched.
    let (flash, fresh) = (journal.into_inner(), Flash::<4, 8, 64>::new(6, 1));
    assert_eq!(flash.bytes[..64], fresh.bytes[..64]);
    assert_eq!(flash.bytes[192..], fresh.bytes[192..]);
}

#[test]
fn a_file_that_changes_after_the_start_is_refused() {
    let mut flash = Flash::<1, 4, 64>::new(2, 5);
    write(&mut flash, &file(1, 20), usize::MAX, Tear::Prefix).unwrap();
    flash.bytes[20] ^= 1;
    /// A flash that held the file when it was opened, and does not take a word any more.
    struct Rot(Flash<1, 4, 64>, usize);
    use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
    impl ErrorType for Rot {
        type Error = Fault;
    }
    impl ReadNorFlash for Rot {
        const READ_SIZE: usize = 1;
        fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Fault> {
            self.0.read(at, bytes)?;
            self.1 += 1;
            if self.1 == 2 {
                bytes[4] ^= 1; // the data, for the last time as it was
            }
            Ok(())
        }
        fn capacity(&self) -> usize {
            self.0.capacity()
        }
    }
    impl NorFlash for Rot {
        const WRITE_SIZE: usize = 4;
        const ERASE_SIZE: usize = 64;
        fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
            self.0.erase(from, to)
        }
        fn write(&mut self, _: u32, _: &[u8]) -> Result<(), Fault> {
            Ok(())
        }
    }
    let mut journal = Journal::open(Rot(flash, 0), 0..128).unwrap();
    assert_eq!(journal.read(&mut [0; 20]), Err(JournalError::Damaged));
    assert_eq!(journal.write(&[1]), Err(JournalError::Damaged));
}

#[test]
fn an_error_says_what_it_is() {
    for (error, text) in [
        (JournalError::Flash(Fault::PowerCut), "flash: PowerCut"),
        (JournalError::Region, "the region is not two slots of whole erase blocks"),
        (JournalError::Length { expected: 9, found: 8 }, "8 bytes where 9 are needed"),
        (JournalError::Damaged, "the flash does not hold what was written to it"),
        (JournalError::File(store::Error::Foreign), "not a gradus file"),
        (JournalError::Torn, "the file changed while it was read: the value holds a part of it"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_run_survives_a_cut_at_every_byte() {
    survives(Adam::new(0.05), 8, 1);
}

/// The dither is a formula of the step, which the file has: a run that goes on rounds as one that was never cut.
#[test]
fn a_run_with_half_states_survives_a_cut_at_every_byte() {
    survives(Adam::new(0.05).half(), 8, 1);
    survives(Adam::new(0.05).half(), 40, 7); // the dithers are mixed anew after 32 steps
}

/// A run of some steps that saves after each ends with the same bits, parameters and state, where the power fails at any
/// of 2000 bytes, `apart` from each other.
fn survives<O: Optimizer>(adam: O, steps: u32, apart: usize)
where
    State<O::Family, 4>: store::Fixed + store::Save + store::Load + PartialEq + Debug,
{
    let step = |params: &mut [f32; 4], state: &mut State<O::Family, 4>| {
        let grads = params.map(|p| 2.0 * (p - 1.0));
        adam.step(params, &grads, state);
    };
    let (mut want, mut end) = ([0.0; 4], adam.state());
    for _ in 0..steps {
        step(&mut want, &mut end);
    }
    let mut buffer = vec![0; store::file_size_of::<([f32; 4], State<O::Family, 4>)>()];
    for left in 0..2000 {
        let mut flash = Flash::<1, 4, 64>::new(8, left as u64);
        (flash.left, flash.tear) = (left * apart, TEARS[left % TEARS.len()]);
        let (mut params, mut state) = ([0.0_f32; 4], adam.state());
        // Twice: until the power fails, and after it.
        for _ in 0..2 {
            (params, state) = ([0.0; 4], adam.state());
            let mut journal = Journal::open(&mut flash, 0..512).unwrap();
            if let Some(file) = journal.read(&mut buffer).unwrap() {
                store::load((&mut params, &mut state), file).unwrap();
            }
            while state.t() < steps {
                step(&mut params, &mut state);
                let file = store::save((&params, &state), &mut buffer).unwrap();
                if journal.write(file).is_err() {
                    break;
                }
            }
            flash.left = usize::MAX;
        }
        assert_eq!((params.map(f32::to_bits), state), (want.map(f32::to_bits), end.clone()), "cut at {left}");
    }
}
