//! The journal over three functions of the caller: read, write, erase.

use super::Refusal::{self, *};
use super::gradus_status;
use super::memory::{Memory, Region, apart, copy};
use super::store::{List, gradus_item};
use super::stream::called;
use super::{GRADUS_STRUCTS, guard, same_version};
use crate::store::journal::JournalError;
use crate::store::journal::blocking::{self, Flash};
use crate::store::journal::slots::{Entry, Geometry, Slots};
use core::ffi::c_void;
use core::ops::Range;

/// A region of flash for a journal: two slots of whole blocks, and how they are read, written and erased.
///
/// The functions return 0, or another value if they failed; `context` is handed to each.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_flash {
    /// GRADUS_STRUCTS.
    pub version: u32,
    /// First address of the region.
    pub start: u32,
    /// First address behind it.
    pub end: u32,
    /// Bytes of a block that is erased as a whole: a multiple of both words.
    pub block: u32,
    /// Bytes of a word that is read: a power of two of at most 256.
    pub read_word: u32,
    /// Bytes of a word that is written once after its block was erased: a power of two of at most 256.
    pub write_word: u32,
    /// Fills `bytes` from address `at` on: `n` bytes of whole words.
    pub read: Option<unsafe extern "C" fn(context: *mut c_void, at: u32, bytes: *mut u8, n: usize) -> i32>,
    /// Writes `n` bytes of whole words to address `at`.
    pub write: Option<unsafe extern "C" fn(context: *mut c_void, at: u32, bytes: *const u8, n: usize) -> i32>,
    /// Erases the blocks from address `from` to the one before `to`.
    pub erase: Option<unsafe extern "C" fn(context: *mut c_void, from: u32, to: u32) -> i32>,
    /// What the functions are given.
    pub context: *mut c_void,
}

/// Where a journal stands: written by gradus_journal_open(), and not to be changed. Values that no journal has are refused
/// with GRADUS_ERROR_VERSION.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct gradus_journal {
    /// GRADUS_STRUCTS once it is open.
    pub version: u32,
    /// Whether there is a file: 1, or 0 for no.
    pub found: u32,
    /// Where the slot of the newest file begins.
    pub newest: u32,
    /// Its sequence number.
    pub sequence: u32,
    /// Its bytes.
    pub length: u32,
    /// Where the slot begins that is written next.
    pub next: u32,
}

type Read = unsafe extern "C" fn(*mut c_void, u32, *mut u8, usize) -> i32;
type Write = unsafe extern "C" fn(*mut c_void, u32, *const u8, usize) -> i32;
type Erase = unsafe extern "C" fn(*mut c_void, u32, u32) -> i32;

/// A flash whose functions are there.
struct Chip {
    region: Range<u32>,
    geometry: Geometry,
    read: Read,
    write: Write,
    erase: Erase,
    context: *mut c_void,
}

impl Chip {
    /// # Safety
    /// `flash` points at memory that may be read.
    unsafe fn new(flash: *const gradus_flash) -> Result<Self, Refusal> {
        // SAFETY: the caller vouches for the memory, which is checked.
        let flash = unsafe { copy(flash)? };
        same_version(flash.version)?;
        Ok(Self {
            region: flash.start..flash.end,
            geometry: Geometry {
                read: flash.read_word as usize,
                write: flash.write_word as usize,
                erase: flash.block as usize,
                capacity: flash.end as usize,
            },
            read: flash.read.ok_or(GRADUS_ERROR_NULL)?,
            write: flash.write.ok_or(GRADUS_ERROR_NULL)?,
            erase: flash.erase.ok_or(GRADUS_ERROR_NULL)?,
            context: flash.context,
        })
    }

    /// The slots as a journal notes them.
    fn slots(&self, journal: &gradus_journal) -> Result<Slots, Refusal> {
        same_version(journal.version)?;
        let mut slots = Slots::new(self.region.clone(), self.geometry).ok_or(GRADUS_ERROR_FLASH_REGION)?;
        let known = |at| slots.starts().contains(&at);
        let whole = journal.length as usize <= slots.capacity();
        // The slot that is written next is never that of the newest file.
        let newest = known(journal.newest) && whole && journal.next != journal.newest;
        if !known(journal.next) || journal.found != 0 && !newest {
            return Err(GRADUS_ERROR_VERSION);
        }
        let entry = Entry { start: journal.newest, sequence: journal.sequence, length: journal.length };
        (slots.newest, slots.next) = ((journal.found != 0).then_some(entry), journal.next);
        Ok(slots)
    }
}

impl Flash for Chip {
    type Error = ();

    fn geometry(&self) -> Geometry {
        self.geometry
    }
    fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), ()> {
        // SAFETY: the caller vouches for its function; the bytes are there.
        called(unsafe { (self.read)(self.context, at, bytes.as_mut_ptr(), bytes.len()) })
    }
    fn erase(&mut self, blocks: Range<u32>) -> Result<(), ()> {
        // SAFETY: the caller vouches for its function.
        called(unsafe { (self.erase)(self.context, blocks.start, blocks.end) })
    }
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), ()> {
        // SAFETY: the caller vouches for its function; the bytes are there.
        called(unsafe { (self.write)(self.context, at, bytes.as_ptr(), bytes.len()) })
    }
}

impl From<Slots> for gradus_journal {
    fn from(slots: Slots) -> Self {
        let newest = slots.newest.unwrap_or(Entry { start: 0, sequence: 0, length: 0 });
        Self {
            version: GRADUS_STRUCTS,
            found: slots.newest.is_some().into(),
            newest: newest.start,
            sequence: newest.sequence,
            length: newest.length,
            next: slots.next,
        }
    }
}

impl From<JournalError<()>> for Refusal {
    fn from(error: JournalError<()>) -> Self {
        match error {
            JournalError::Flash(()) => GRADUS_ERROR_CALLBACK,
            JournalError::Region => GRADUS_ERROR_FLASH_REGION,
            JournalError::Length { .. } => GRADUS_ERROR_FILE_LENGTH,
            JournalError::Damaged => GRADUS_ERROR_FLASH_DAMAGED,
            JournalError::File(error) => error.into(),
            JournalError::Torn => GRADUS_ERROR_FILE_TORN,
        }
    }
}

/// Finds the newest complete file in the region of `flash`, and notes it in `journal`: once at every start.
///
/// A journal keeps the newest complete file, whatever a power cut tears: a save erases the slot of the older file, writes
/// the data and last its header. Slots and files are those of the Rust crate.
///
/// Errors: GRADUS_ERROR_FLASH_REGION if the halves of the region are not whole blocks, blocks are not whole words, or words
/// are too long, GRADUS_ERROR_CALLBACK if neither slot can be read, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
/// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_VERSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_journal_open(
    flash: *const gradus_flash,
    journal: *mut gradus_journal,
) -> gradus_status {
    guard(|| {
        let (region, state) = (Memory::unchecked(flash, 1), Memory::unchecked(journal, 1));
        apart([region.read(), state.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe {
            let mut chip = Chip::new(flash)?;
            let region = chip.region.clone();
            *state.one_mut() = blocking::open(&mut chip, region)?.into();
        }
        Ok(())
    })
}

/// Saves the `count` elements of `items` to the slot of the older file, in pieces of at most 256 bytes.
///
/// `flash` and `journal` are those of gradus_journal_open().
/// If it fails, the newest file is what it was; after a restart it is that file or the new one, whole in either case.
/// Where a read finds that the newest file has changed, open the journal again before the next save, which would else
/// erase the older file: it may be the last one that is whole.
///
/// Errors: GRADUS_ERROR_FILE_LENGTH if the file does not fit into a slot, GRADUS_ERROR_CALLBACK,
/// GRADUS_ERROR_FLASH_DAMAGED if the flash does not hold it afterwards, GRADUS_ERROR_VERSION if the journal is not open,
/// and those of gradus_save_to().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_journal_save(
    flash: *const gradus_flash,
    journal: *mut gradus_journal,
    items: *const gradus_item,
    count: usize,
) -> gradus_status {
    guard(|| {
        let (region, state) = (Memory::unchecked(flash, 1), Memory::unchecked(journal, 1));
        apart([region.read(), state.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe {
            let mut chip = Chip::new(flash)?;
            let list = List::new(items, count, [region.read(), state.written(), Region::NONE], false)?;
            let mut slots = chip.slots(state.one_ref())?;
            blocking::save(&mut chip, &mut slots, list)?;
            *state.one_mut() = slots.into();
        }
        Ok(())
    })
}

/// Loads the `count` elements of `items` from the newest complete file, and writes 1 to `found`; 0 if there is none.
///
/// `flash` and `journal` are those of gradus_journal_open().
///
/// Errors: those of gradus_load_from(), GRADUS_ERROR_VERSION if the journal is not open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_journal_load(
    flash: *const gradus_flash,
    journal: *const gradus_journal,
    items: *const gradus_item,
    count: usize,
    found: *mut u32,
) -> gradus_status {
    guard(|| {
        let (region, state, found) =
            (Memory::unchecked(flash, 1), Memory::unchecked(journal, 1), Memory::unchecked(found, 1));
        apart([region.read(), state.read(), found.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe {
            let mut chip = Chip::new(flash)?;
            let list = List::new(items, count, [region.read(), state.read(), found.written()], true)?;
            let slots = chip.slots(state.one_ref())?;
            *found.one_mut() = blocking::load(&mut chip, &slots, list)?.into();
        }
        Ok(())
    })
}

/// Writes the `n` bytes of `bytes`, of any content, to the slot of the older file.
///
/// `flash` and `journal` are those of gradus_journal_open().
///
/// Errors: those of gradus_journal_save().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_journal_write(
    flash: *const gradus_flash,
    journal: *mut gradus_journal,
    bytes: *const u8,
    n: usize,
) -> gradus_status {
    guard(|| {
        let (region, state, file) =
            (Memory::unchecked(flash, 1), Memory::unchecked(journal, 1), Memory::unchecked(bytes, n));
        apart([region.read(), state.written(), file.read()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe {
            let mut chip = Chip::new(flash)?;
            let mut slots = chip.slots(state.one_ref())?;
            blocking::write(&mut chip, &mut slots, file.slice())?;
            *state.one_mut() = slots.into();
        }
        Ok(())
    })
}

/// Reads the newest complete file to `buffer` of `capacity` bytes, and writes its bytes to `size`; 0 if there is none.
///
/// `flash` and `journal` are those of gradus_journal_open(). A file of no bytes is one too: `journal->found` is 1 then.
///
/// Errors: GRADUS_ERROR_CALLBACK, and GRADUS_ERROR_FLASH_DAMAGED if the file has changed: `buffer` may hold a part of it.
/// GRADUS_ERROR_FILE_LENGTH if the buffer is too short, GRADUS_ERROR_VERSION, GRADUS_ERROR_NULL,
/// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_journal_read(
    flash: *const gradus_flash,
    journal: *const gradus_journal,
    buffer: *mut u8,
    capacity: usize,
    size: *mut usize,
) -> gradus_status {
    guard(|| {
        let (region, state) = (Memory::unchecked(flash, 1), Memory::unchecked(journal, 1));
        let (buffer, size) = (Memory::unchecked(buffer, capacity), Memory::unchecked(size, 1));
        apart([region.read(), state.read(), buffer.written(), size.written()])?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe {
            let mut chip = Chip::new(flash)?;
            let slots = chip.slots(state.one_ref())?;
            let file = blocking::read(&mut chip, &slots, buffer.slice_mut())?;
            *size.one_mut() = file.map_or(0, <[u8]>::len);
        }
        Ok(())
    })
}
