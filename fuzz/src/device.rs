//! The flash of the journal's target, watched, and the journal's forms on it: its calls return when they are done, or
//! are awaited and may be dropped at any moment.

#[path = "../../tests/support/flash.rs"]
pub(crate) mod flash;

use core::cell::RefCell;
use core::future::poll_fn;
use core::ops::Range;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use embedded_storage_async::nor_flash::{NorFlash as AsyncNorFlash, ReadNorFlash as AsyncReadNorFlash};
use flash::{Fault, Flash};
use gradus::store::{AsyncJournal, Journal, JournalError, Load, Save};

/// What the flash says when it fails without a cut; and what a call returns whose future was dropped.
pub(crate) const FAILED: Fault = Fault::Misuse(NorFlashErrorKind::Other);

/// A flash that is watched: nothing but the region is touched, and nothing goes on for ever.
pub(crate) struct Device<const R: usize, const W: usize, const E: usize> {
    pub flash: Flash<R, W, E>,
    pub region: Range<usize>,
    /// Calls until the journal should be done.
    pub calls: usize,
    /// Calls until one fails.
    pub fails: Option<usize>,
    /// Whether one has failed.
    pub failed: bool,
    /// A byte, and bits of it that stay 0.
    pub worn: Option<(usize, u8)>,
}

impl<const R: usize, const W: usize, const E: usize> Device<R, W, E> {
    fn call<T>(
        &mut self,
        Range { start, end }: Range<usize>,
        work: impl FnOnce(&mut Flash<R, W, E>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        assert!(self.region.start <= start && end <= self.region.end, "{start}..{end} is not its own");
        self.calls = self.calls.checked_sub(1).expect("an end");
        if let Some(left) = &mut self.fails {
            let Some(less) = left.checked_sub(1) else {
                self.failed = true;
                return Err(FAILED);
            };
            *left = less;
        }
        let done = work(&mut self.flash);
        self.wear();
        if let Err(Fault::Misuse(_) | Fault::WrittenTwice) = done {
            panic!("the journal misuses the flash");
        }
        done
    }

    pub fn wear(&mut self) {
        if let Some((at, bits)) = self.worn {
            self.flash.bytes[at] &= !bits;
        }
    }
}

/// The flash as the journal has it.
#[derive(Clone, Copy)]
pub(crate) struct Handle<'d, const R: usize, const W: usize, const E: usize>(
    pub &'d RefCell<Device<R, W, E>>,
);

impl<const R: usize, const W: usize, const E: usize> ErrorType for Handle<'_, R, W, E> {
    type Error = Fault;
}

impl<const R: usize, const W: usize, const E: usize> ReadNorFlash for Handle<'_, R, W, E> {
    const READ_SIZE: usize = R;
    fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        let first = at as usize;
        self.0.borrow_mut().call(first..first + bytes.len(), |flash| flash.read(at, bytes))
    }
    fn capacity(&self) -> usize {
        self.0.borrow().flash.bytes.len()
    }
}

impl<const R: usize, const W: usize, const E: usize> NorFlash for Handle<'_, R, W, E> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        self.0.borrow_mut().call(from as usize..to as usize, |flash| flash.erase(from, to))
    }
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fault> {
        let first = at as usize;
        self.0.borrow_mut().call(first..first + bytes.len(), |flash| flash.write(at, bytes))
    }
}

/// Pending once.
async fn busy() {
    let mut waited = false;
    poll_fn(|_| if core::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// The flash once more, busy before and after each of its calls: a future can be dropped before and after the work.
impl<const R: usize, const W: usize, const E: usize> AsyncReadNorFlash for Handle<'_, R, W, E> {
    const READ_SIZE: usize = R;
    async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        busy().await;
        let done = ReadNorFlash::read(self, at, bytes);
        busy().await;
        done
    }
    fn capacity(&self) -> usize {
        ReadNorFlash::capacity(self)
    }
}

impl<const R: usize, const W: usize, const E: usize> AsyncNorFlash for Handle<'_, R, W, E> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;
    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        busy().await;
        let done = NorFlash::erase(self, from, to);
        busy().await;
        done
    }
    async fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fault> {
        busy().await;
        let done = NorFlash::write(self, at, bytes);
        busy().await;
        done
    }
}

/// How often a future is polled before it is dropped; at least once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience(pub usize);

type Done<T> = Result<T, JournalError<Fault>>;

impl Patience {
    fn wait<T, const R: usize, const W: usize, const E: usize>(
        self,
        Handle(device): Handle<'_, R, W, E>,
        future: impl Future<Output = Done<T>>,
    ) -> Done<T> {
        let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
        for _ in 0..self.0 {
            if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
                return done;
            }
        }
        device.borrow_mut().failed = true;
        Err(JournalError::Flash(FAILED))
    }
}

/// A journal, awaited or not.
pub(crate) enum Form<'d, const R: usize, const W: usize, const E: usize> {
    Blocking(Journal<Handle<'d, R, W, E>>),
    Awaited(AsyncJournal<Handle<'d, R, W, E>>, Handle<'d, R, W, E>),
}

impl<'d, const R: usize, const W: usize, const E: usize> Form<'d, R, W, E> {
    pub fn open(
        awaited: bool,
        handle: Handle<'d, R, W, E>,
        region: Range<u32>,
        patience: Patience,
    ) -> Done<Self> {
        Ok(if awaited {
            Self::Awaited(patience.wait(handle, AsyncJournal::open(handle, region))?, handle)
        } else {
            Self::Blocking(Journal::open(handle, region)?)
        })
    }

    pub fn capacity(&self) -> usize {
        match self {
            Self::Blocking(journal) => journal.capacity(),
            Self::Awaited(journal, _) => journal.capacity(),
        }
    }

    pub fn newest(&self) -> Option<Range<u32>> {
        match self {
            Self::Blocking(journal) => journal.newest(),
            Self::Awaited(journal, _) => journal.newest(),
        }
    }

    pub fn read<'b>(&mut self, buffer: &'b mut [u8], patience: Patience) -> Done<Option<&'b [u8]>> {
        match self {
            Self::Blocking(journal) => journal.read(buffer),
            Self::Awaited(journal, handle) => patience.wait(*handle, journal.read(buffer)),
        }
    }

    pub fn write(&mut self, file: &[u8], patience: Patience) -> Done<()> {
        match self {
            Self::Blocking(journal) => journal.write(file),
            Self::Awaited(journal, handle) => patience.wait(*handle, journal.write(file)),
        }
    }

    pub fn save(&mut self, value: impl Save, patience: Patience) -> Done<()> {
        match self {
            Self::Blocking(journal) => journal.save(value),
            Self::Awaited(journal, handle) => patience.wait(*handle, journal.save(value)),
        }
    }

    /// Loads a value; an awaited journal needs a buffer for its file.
    pub fn load(&mut self, value: impl Load, buffer: &mut [u8], patience: Patience) -> Done<bool> {
        match self {
            Self::Blocking(journal) => journal.load(value),
            Self::Awaited(journal, handle) => patience.wait(*handle, journal.load(value, buffer)),
        }
    }
}
