//! The journal, awaited or not, on a flash that loses power, wears out, fails and is written by others, and in futures
//! that are dropped: what is read is the newest whole file, as the documentation says what that is, and no other byte of
//! the flash changes.

use crate::device::flash::{Fault, Flash, TEARS};
use crate::device::{Device, FAILED, Form, Handle, Patience};
use arbitrary::{Result, Unstructured};
use core::cell::RefCell;
use gradus::store::{self, JournalError};

pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    // Words to read, words to write, blocks.
    let _ = match u.int_in_range(0..=5).unwrap_or(0) {
        0 => Run::<1, 1, 32>::all(&mut u),
        1 => Run::<4, 4, 64>::all(&mut u),
        2 => Run::<1, 8, 64>::all(&mut u),
        3 => Run::<32, 2, 32>::all(&mut u),
        4 => Run::<8, 32, 128>::all(&mut u),
        _ => Run::<1, 256, 512>::all(&mut u),
    };
}

/// CRC-32C by its definition, a bit at a time.
fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut crc = !0_u32;
    for &byte in parts.iter().copied().flatten() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// A whole file: its slot, sequence number and data.
#[derive(Clone, Debug, PartialEq)]
struct Whole {
    slot: usize,
    sequence: u32,
    data: Vec<u8>,
}

/// How a call of the journal is disturbed: after so many calls of the flash one fails, or its future is dropped.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    fails: Option<usize>,
    patience: Patience,
}

impl Trouble {
    const NONE: Self = Self { fails: None, patience: Patience(usize::MAX) };

    fn any(u: &mut Unstructured, awaited: bool) -> Result<Self> {
        Ok(match u.int_in_range(0..=15)? {
            0 => Self { fails: Some(u.int_in_range(0..=8)?), ..Self::NONE },
            1 | 2 if awaited => Self { patience: Patience(u.int_in_range(1..=24)?), ..Self::NONE },
            _ => Self::NONE,
        })
    }

    fn planned(self) -> bool {
        self.fails.is_some() || self.patience.0 < usize::MAX
    }
}

/// A flash, its journal's place in it, and what must be in there.
struct Run<const R: usize, const W: usize, const E: usize> {
    start: usize,
    slot: usize,
}

impl<const R: usize, const W: usize, const E: usize> Run<R, W, E> {
    const HEADER: usize = {
        let word = if R > W { R } else { W };
        if word > 16 { word } else { 16 }
    };

    fn all(u: &mut Unstructured) -> Result<()> {
        let blocks = u.int_in_range(1..=3)?;
        let (before, after) = (u.int_in_range(0..=1)?, u.int_in_range(0..=1)?);
        let this = Self { start: before * E, slot: blocks * E };
        let end = this.start + 2 * this.slot;
        if this.slot == Self::HEADER {
            return Ok(()); // no room for data
        }
        let mut flash = Flash::<R, W, E>::new(before + 2 * blocks + after, u.arbitrary()?);
        for slot in 0..2 {
            this.fill(u, &mut flash, slot)?;
        }
        let device =
            Device { flash, region: this.start..end, calls: 0, fails: None, failed: false, worn: None };
        let device = RefCell::new(device);
        if u.ratio(1, 8)? {
            Self::regions(u, &device)?;
        }
        for _ in 0..u.int_in_range(1..=8)? {
            this.life(u, &device)?;
        }
        Ok(())
    }

    /// Regions by their definition; a refused one is not touched.
    fn regions(u: &mut Unstructured, device: &RefCell<Device<R, W, E>>) -> Result<()> {
        let size = device.borrow().flash.bytes.len();
        let mut address = || -> Result<u32> {
            match u.int_in_range(0..=7)? {
                0 => u.arbitrary(),
                1 => u.int_in_range(0..=size as u32 + 1),
                _ => Ok((u.int_in_range(0..=size / E + 1)? * E) as u32),
            }
        };
        let (start, end) = (address()?, address()?);
        let half = (u64::from(end).saturating_sub(start.into()) / 2) as usize;
        let whole = start as usize + 2 * half == end as usize && end as usize <= size;
        let good =
            whole && (start as usize).is_multiple_of(E) && half.is_multiple_of(E) && half > Self::HEADER;
        let usual = device.borrow().region.clone();
        device.borrow_mut().region = if good { start as usize..end as usize } else { 0..0 };
        device.borrow_mut().calls = 1000;
        let want = if good { Ok(half - Self::HEADER) } else { Err(JournalError::Region) };
        for awaited in [false, true] {
            let opened = Form::open(awaited, Handle(device), start..end, Trouble::NONE.patience);
            assert_eq!(opened.map(|journal| journal.capacity()), want, "{start}..{end} of {size}");
        }
        device.borrow_mut().region = usual;
        Ok(())
    }

    /// What lies in a slot: anything, nothing, or a header that fits its data, if that fits the slot.
    fn fill(&self, u: &mut Unstructured, flash: &mut Flash<R, W, E>, slot: usize) -> Result<()> {
        let bytes = &mut flash.bytes[self.start + slot * self.slot..][..self.slot];
        match u.int_in_range(0..=4)? {
            0 => {} // as from the factory
            1 => bytes.fill(if u.arbitrary()? { 0xff } else { 0 }),
            2 => u.fill_buffer(bytes)?,
            _ => {
                let sequence = match u.int_in_range(0..=3)? {
                    0 => u.arbitrary()?,
                    1 => 0x7fff_fffe_u32.wrapping_add(u.int_in_range(0..=4)?),
                    _ => 0xffff_fffe_u32.wrapping_add(u.int_in_range(0..=4)?),
                };
                let room = self.slot - Self::HEADER;
                let length = match u.int_in_range(0..=7)? {
                    0 => u.arbitrary::<u32>()?,
                    1 => (room + u.int_in_range(0..=17)?) as u32,
                    _ => u.int_in_range(0..=room)? as u32,
                };
                let there = room.min(length as usize);
                let head = [sequence.to_le_bytes(), length.to_le_bytes()].concat();
                let data = &bytes[Self::HEADER..][..there];
                let crc = crc32c(&[&head, data]).to_le_bytes();
                bytes[..16].copy_from_slice(&[b"gjrn", &head[..4], &head[4..], &crc].concat());
            }
        }
        Ok(())
    }

    /// The file in a slot, as the documentation describes it, or that the slot cannot be read.
    fn scan(&self, flash: &Flash<R, W, E>, slot: usize) -> core::result::Result<Option<Whole>, Fault> {
        let start = self.start + slot * self.slot;
        let bytes = &flash.bytes[start..][..self.slot];
        let readable = |at: usize, n: usize| {
            let whole = n.next_multiple_of(R);
            if flash.readable(start + at, whole) { Ok(()) } else { Err(Fault::Unreadable) }
        };
        readable(0, Self::HEADER)?;
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let data = bytes[Self::HEADER..].get(..number(8) as usize);
        let Some(data) = data.filter(|_| bytes[..4] == *b"gjrn") else { return Ok(None) };
        readable(Self::HEADER, data.len())?;
        let fits = number(12) == crc32c(&[&bytes[4..12], data]);
        Ok(fits.then(|| Whole { slot, sequence: number(4), data: data.to_vec() }))
    }

    /// The file in a slot, if it can be read.
    fn whole(&self, flash: &Flash<R, W, E>, slot: usize) -> Option<Whole> {
        self.scan(flash, slot).unwrap_or(None)
    }

    /// The newer of both: numbers are ahead of others by less than half of all numbers.
    fn newest(&self, flash: &Flash<R, W, E>) -> Option<Whole> {
        match (self.whole(flash, 0), self.whole(flash, 1)) {
            (Some(a), Some(b)) => {
                let ahead = (u64::from(b.sequence) + (1 << 32) - u64::from(a.sequence)) % (1 << 32);
                Some(if 0 < ahead && ahead < 1 << 31 { b } else { a })
            }
            (a, b) => a.or(b),
        }
    }

    /// From one start of the machine to the next.
    fn life(&self, u: &mut Unstructured, device: &RefCell<Device<R, W, E>>) -> Result<()> {
        {
            let mut device = device.borrow_mut();
            (device.flash.left, device.fails) = (usize::MAX, None);
            if u.ratio(1, 8)? {
                self.damage(u, &mut device)?;
            }
            if u.ratio(1, 8)? {
                device.worn =
                    Some((u.choose_index(2 * self.slot)? + self.start, 1 << u.int_in_range(0..=7)?));
                device.wear();
            }
        }
        let most = 16 + 8 * (self.slot / 256 + 1);
        let allow = |trouble: Trouble| {
            let mut device = device.borrow_mut();
            (device.calls, device.fails, device.failed) = (most, trouble.fails, false);
        };
        let flash = || device.borrow().flash.clone();
        let awaited = u.arbitrary()?;

        let trouble = Trouble::any(u, awaited)?;
        allow(trouble);
        let before = flash();
        let (first, second) = (self.scan(&before, 0), self.scan(&before, 1));
        let region = self.start as u32..(self.start + 2 * self.slot) as u32;
        let mut journal = match Form::open(awaited, Handle(device), region, trouble.patience) {
            Ok(journal) => journal,
            Err(error) => {
                let failed = device.borrow().failed;
                assert!(failed || first.is_err() && second.is_err());
                let fault = if first.is_err() { Fault::Unreadable } else { FAILED };
                assert!([FAILED, fault].map(JournalError::Flash).contains(&error), "{error:?}");
                return Ok(());
            }
        };
        assert_eq!(journal.capacity(), self.slot - Self::HEADER);
        // A slot that cannot be read is written first; if the flash has failed, it was at the second.
        let failed = device.borrow().failed;
        let (mut newest, mut next) = match (first, second) {
            (Err(_), second) => (second.expect("a slot that can be read"), 0),
            (Ok(first), second) if failed || second.is_err() => (first, 1),
            _ => {
                let newest = self.newest(&before);
                let next = newest.as_ref().map_or(0, |newest| 1 - newest.slot);
                (newest, next)
            }
        };

        for _ in 0..u.int_in_range(1..=5)? {
            if u.ratio(1, 12)? {
                self.damage(u, &mut device.borrow_mut())?;
            }
            let place = newest.as_ref().map(|newest| {
                let start = (self.start + newest.slot * self.slot + Self::HEADER) as u32;
                start..start + newest.data.len() as u32
            });
            assert_eq!(journal.newest(), place);
            let trouble = Trouble::any(u, awaited)?;
            let before = flash();
            if u.ratio(1, 3)? {
                allow(trouble);
                if u.arbitrary()? {
                    self.read(u, &mut journal, &newest, &before, trouble)?;
                } else {
                    self.load(u, &mut journal, &newest, &before, trouble)?;
                }
                assert!(flash().bytes == before.bytes);
                continue;
            }
            // Bytes, or a value in pieces.
            let value = if u.ratio(1, 3)? { Some(self.value(u)?) } else { None };
            let file = match &value {
                Some(value) => store::to_vec(value).unwrap(),
                None => self.file(u)?,
            };
            if u.ratio(1, 3)? {
                let mut device = device.borrow_mut();
                device.flash.left = u.int_in_range(0..=self.slot + file.len() + Self::HEADER + W)?;
                device.flash.tear = *u.choose(&TEARS)?;
            }
            allow(trouble);
            let result = match &value {
                Some(value) => journal.save(value, trouble.patience),
                None => journal.write(&file, trouble.patience),
            };
            let (after, cut) = (flash(), device.borrow().flash.left != usize::MAX);
            if file.len() > journal.capacity() {
                let (expected, found) = (file.len(), journal.capacity());
                assert_eq!(result, Err(JournalError::Length { expected, found }));
                assert!(after.bytes == before.bytes);
                device.borrow_mut().flash.left = usize::MAX;
                continue;
            }
            let slot = next;
            let sequence = newest.as_ref().map_or(0, |newest| newest.sequence.wrapping_add(1));
            let new = Whole { slot, sequence, data: file };
            let place = self.start + slot * self.slot..self.start + (slot + 1) * self.slot;
            let mut outside = after.bytes.clone();
            outside[place.clone()].copy_from_slice(&before.bytes[place.clone()]);
            assert!(outside == before.bytes, "bytes of others changed");

            let (old, found) = (self.whole(&before, slot), self.whole(&after, slot));
            match result {
                Ok(()) => {
                    assert_eq!(found.as_ref(), Some(&new));
                    (newest, next) = (Some(new), 1 - slot);
                }
                Err(JournalError::Damaged) => {
                    let worn = device.borrow().worn.expect("a flash that wears out").0;
                    assert!(place.contains(&worn) && found.as_ref() != Some(&new));
                }
                Err(JournalError::Flash(fault)) => {
                    assert!(if fault == FAILED {
                        trouble.planned()
                    } else {
                        cut && fault == Fault::PowerCut
                    });
                    // Where bits that are 0 were damage, an erase that stops midway may bring an old file back.
                    let erased = place.clone().all(|k| before.bytes[k] & !after.bytes[k] == 0);
                    let healed = found.clone().filter(|_| erased);
                    let known = [None, old, healed.clone(), Some(new.clone())].contains(&found);
                    assert!(known, "{found:?}");
                    if fault == Fault::PowerCut {
                        let (last, next) = (self.newest(&before), self.newest(&after));
                        let known = [last.clone(), healed, Some(new)].contains(&next);
                        assert!(newest != last || known, "{last:?} became {next:?}");
                        return Ok(());
                    }
                }
                Err(error) => panic!("{error:?}"),
            }
            device.borrow_mut().flash.left = usize::MAX;
        }
        Ok(())
    }

    /// Reads into a buffer of any length: the newest file, or that it is no longer there.
    fn read(
        &self,
        u: &mut Unstructured,
        journal: &mut Form<'_, R, W, E>,
        newest: &Option<Whole>,
        flash: &Flash<R, W, E>,
        trouble: Trouble,
    ) -> Result<()> {
        let room = if u.ratio(3, 4)? { self.slot } else { u.int_in_range(0..=self.slot)? };
        let mut buffer = vec![0xaa; room];
        let result = journal.read(&mut buffer, trouble.patience);
        let Some(newest) = newest else {
            assert_eq!(result, Ok(None));
            return Ok(());
        };
        let (expected, found) = (newest.data.len(), room);
        if expected > found {
            assert_eq!(result, Err(JournalError::Length { expected, found }));
        } else if result == Err(JournalError::Flash(FAILED)) {
            assert!(trouble.planned());
        } else {
            let same = |now: &Whole| now.sequence == newest.sequence && now.data.len() == expected;
            let want = match self.scan(flash, newest.slot) {
                Ok(now) => now.filter(same).map(|now| now.data).ok_or(JournalError::Damaged),
                Err(fault) => Err(JournalError::Flash(fault)),
            };
            assert_eq!(result.map(Option::unwrap_or_default), want.as_deref().map_err(|error| *error));
        }
        assert!(buffer[expected.min(room)..].iter().all(|byte| *byte == 0xaa));
        Ok(())
    }

    /// Loads a value: that of the newest file, or it stays as it was.
    fn load(
        &self,
        u: &mut Unstructured,
        journal: &mut Form<'_, R, W, E>,
        newest: &Option<Whole>,
        flash: &Flash<R, W, E>,
        trouble: Trouble,
    ) -> Result<()> {
        let room = if u.ratio(3, 4)? { self.slot } else { u.int_in_range(0..=self.slot)? };
        let (mut buffer, before) = (vec![0xaa; room], vec![77.0_f32; u.int_in_range(0..=9)?]);
        let mut value = before.clone();
        let result = journal.load(&mut value, &mut buffer, trouble.patience);
        let awaited = matches!(journal, Form::Awaited(..));
        let Some(newest) = newest else {
            assert_eq!(result, Ok(false));
            crate::same(&value, &before, "nothing to load");
            return Ok(());
        };
        let (length, start) = (newest.data.len(), self.start + newest.slot * self.slot);
        let readable = flash.readable(start, Self::HEADER + length.next_multiple_of(R));
        let mut want = before.clone();
        let whole = store::load(&mut want, &flash.bytes[start + Self::HEADER..][..length]);
        let now = self.whole(flash, newest.slot);
        let changed = now.is_none_or(|now| now.sequence != newest.sequence || now.data.len() != length);
        let known = match result {
            Ok(done) => done && whole.is_ok() && !(awaited && changed),
            Err(JournalError::Torn) => !awaited && trouble.planned(),
            Err(JournalError::Flash(FAILED)) => trouble.planned(),
            Err(JournalError::Flash(_)) => !readable,
            Err(JournalError::File(error)) => whole == Err(error) || !readable,
            Err(JournalError::Damaged) => awaited && changed,
            Err(JournalError::Length { expected, found }) => {
                awaited && (expected, found) == (length, room) && expected > found
            }
            Err(_) => false,
        };
        assert!(known, "{result:?} of {newest:?}, whose file is {whole:?}");
        match result {
            Ok(_) => crate::same(&value, &want, "loaded"),
            Err(JournalError::Torn) => {}
            Err(_) => crate::same(&value, &before, "refused"),
        }
        Ok(())
    }

    /// Bytes of the region that something else writes, or that can no longer be read.
    fn damage(&self, u: &mut Unstructured, device: &mut Device<R, W, E>) -> Result<()> {
        for _ in 0..u.int_in_range(1..=3)? {
            let slot =
                &mut device.flash.bytes[self.start + u.int_in_range(0..=1)? * self.slot..][..self.slot];
            let at = if u.arbitrary()? { u.int_in_range(0..=15)? } else { u.choose_index(self.slot)? };
            slot[at] = if u.arbitrary()? { slot[at] ^ 1 << u.int_in_range(0..=7)? } else { u.arbitrary()? };
        }
        if u.ratio(1, 8)? {
            device.flash.spoil(self.start + u.choose_index(2 * self.slot)?);
        }
        device.wear();
        Ok(())
    }

    /// A value to save: mostly one that fits.
    fn value(&self, u: &mut Unstructured) -> Result<Vec<f32>> {
        let room = (self.slot - Self::HEADER) / 4;
        let (n, first) = (u.int_in_range(0..=room)?, u.arbitrary::<u8>()?);
        Ok((0..n).map(|k| f32::from(first) + k as f32).collect())
    }

    /// Data to write: such that looks erased, or like a header, too.
    fn file(&self, u: &mut Unstructured) -> Result<Vec<u8>> {
        let room = self.slot - Self::HEADER;
        let length = if u.ratio(15, 16)? { u.int_in_range(0..=room)? } else { room + 1 };
        let (kind, first) = (u.int_in_range(0..=3)?, u.arbitrary::<u8>()?);
        Ok((0..length)
            .map(|k| match kind {
                0 => 0xff,
                1 => b"gjrn\0\0\0\0"[k % 8],
                _ => first.wrapping_add(k as u8).wrapping_mul(kind),
            })
            .collect())
    }
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::smoke(run);
}
