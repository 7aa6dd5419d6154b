//! The journal over a flash whose calls are awaited: its futures are polled as an executor does.
#![allow(improper_ctypes_definitions)] // nobody calls them

use crate::no_panic::{Chip, done};
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use gradus::{AdamState, store};

struct Words<'c, const WORD: usize, const BLOCK: usize>(&'c Chip);

impl<const WORD: usize, const BLOCK: usize> ErrorType for Words<'_, WORD, BLOCK> {
    type Error = NorFlashErrorKind;
}

impl<const WORD: usize, const BLOCK: usize> ReadNorFlash for Words<'_, WORD, BLOCK> {
    const READ_SIZE: usize = WORD;
    async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        done((self.0.read)(at, bytes))
    }
    fn capacity(&self) -> usize {
        self.0.capacity
    }
}

impl<const WORD: usize, const BLOCK: usize> NorFlash for Words<'_, WORD, BLOCK> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = BLOCK;
    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        done((self.0.erase)(from, to))
    }
    async fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        done((self.0.write)(at, bytes))
    }
}

type Kept = Result<usize, store::JournalError<NorFlashErrorKind>>;

async fn keep<const WORD: usize, const BLOCK: usize>(
    chip: &Chip,
    [start, end]: [u32; 2],
    file: &[u8],
    buffer: &mut [u8],
) -> Kept {
    let mut journal = store::AsyncJournal::open(Words::<WORD, BLOCK>(chip), start..end).await?;
    let mut state = AdamState::<9>::new();
    if !journal.load(&mut state, &mut *buffer).await? {
        journal.save(&state).await?;
    }
    journal.write(file).await?;
    Ok(journal.read(buffer).await?.map_or(0, <[u8]>::len) + journal.capacity())
}

/// Flash of an nRF52840, an STM32L4 and of bytes: one poll, for the compiler knows no other way through a future.
#[unsafe(no_mangle)]
extern "C" fn awaited(
    chip: &Chip,
    region: [u32; 2],
    file: &[u8],
    buffer: &mut [u8],
    word: u32,
) -> Poll<Kept> {
    let mut context = Context::from_waker(Waker::noop());
    match word {
        1 => pin!(keep::<1, 4096>(chip, region, file, buffer)).poll(&mut context),
        4 => pin!(keep::<4, 4096>(chip, region, file, buffer)).poll(&mut context),
        _ => pin!(keep::<8, 2048>(chip, region, file, buffer)).poll(&mut context),
    }
}
