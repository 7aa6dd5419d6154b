//! Every form of the journal, whole files and values in pieces, awaited or not: one flash, one format, nothing lost.
#![cfg(all(feature = "journal", feature = "journal-async"))]

use crate::support::flash::{Fault, Flash, TEARS, Tear};
use embedded_storage::nor_flash::{ErrorType, NorFlash as _, ReadNorFlash as _};
use embedded_storage_async::nor_flash::{NorFlash, ReadNorFlash};
use gradus::store::{self, AsyncJournal, Error, Journal, JournalError, PIECE};
use gradus::{Adam, AdamState, Clock, MomentumState, Optimizer};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Polls a future until it is done.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    polled(future, usize::MAX).expect("it ends")
}

/// Polls a future so many times, and drops it.
fn polled<T>(future: impl Future<Output = T>, times: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
    }
    None
}

/// A flash that is busy for a while before and after each of its calls.
struct Slow<F>(F);

async fn busy() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<const R: usize, const W: usize, const E: usize> ErrorType for Slow<&mut Flash<R, W, E>> {
    type Error = Fault;
}

impl<const R: usize, const W: usize, const E: usize> ReadNorFlash for Slow<&mut Flash<R, W, E>> {
    const READ_SIZE: usize = R;
    async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        busy().await;
        let done = self.0.read(at, bytes);
        busy().await;
        done
    }
    fn capacity(&self) -> usize {
        self.0.bytes.len()
    }
}

impl<const R: usize, const W: usize, const E: usize> NorFlash for Slow<&mut Flash<R, W, E>> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;
    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        busy().await;
        let done = self.0.erase(from, to);
        busy().await;
        done
    }
    async fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fault> {
        busy().await;
        let done = self.0.write(at, bytes);
        busy().await;
        done
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Write,
    Save,
    AsyncWrite,
    AsyncSave,
}

const FORMS: [Form; 4] = [Form::Write, Form::Save, Form::AsyncWrite, Form::AsyncSave];

/// Numbers to tell apart, and the file of them.
fn numbers(number: usize, n: usize) -> Vec<f32> {
    (0..n).map(|k| (number * 1000 + k) as f32).collect()
}

fn write<const R: usize, const W: usize, const E: usize>(
    flash: &mut Flash<R, W, E>,
    form: Form,
    values: &Vec<f32>,
    left: usize,
    tear: Tear,
) -> Result<(), JournalError<Fault>> {
    (flash.left, flash.tear) = (left, tear);
    let region = 0..flash.bytes.len() as u32;
    let file = store::to_vec(values).unwrap();
    match form {
        Form::Write => Journal::open(flash, region)?.write(&file),
        Form::Save => Journal::open(flash, region)?.save(values),
        Form::AsyncWrite => {
            block_on(async { AsyncJournal::open(Slow(flash), region).await?.write(&file).await })
        }
        Form::AsyncSave => {
            block_on(async { AsyncJournal::open(Slow(flash), region).await?.save(values).await })
        }
    }
}

/// The newest values after a restart, by every way to read them.
fn recover<const R: usize, const W: usize, const E: usize>(flash: &Flash<R, W, E>) -> Option<Vec<f32>> {
    let mut flash = flash.clone();
    flash.left = 0; // reading needs no write
    let region = 0..flash.bytes.len() as u32;
    let mut buffer = vec![0; flash.bytes.len()];
    let mut values = vec![f32::NAN];
    let mut journal = Journal::open(&mut flash, region.clone()).unwrap();
    let found = journal.load(&mut values).unwrap();
    let file = journal.read(&mut buffer).unwrap().map(<[u8]>::to_vec);
    let newest = journal.newest();
    let memory = newest.clone().map(|at| flash.bytes[at.start as usize..at.end as usize].to_vec());
    let awaited = block_on(async {
        let mut journal = AsyncJournal::open(Slow(&mut flash), region).await.unwrap();
        assert_eq!(journal.newest(), newest);
        let mut values = vec![f32::NAN];
        let found = journal.load(&mut values, &mut buffer).await.unwrap();
        (found, values.len(), journal.read(&mut buffer).await.unwrap().map(<[u8]>::to_vec))
    });
    assert_eq!(awaited, (found, values.len(), file.clone()));
    assert_eq!(memory, file);
    assert_eq!(file, found.then(|| store::to_vec(&values).unwrap()));
    found.then_some(values)
}

/// Bytes that a write programs and erases.
fn cost<const R: usize, const W: usize, const E: usize>(
    flash: &Flash<R, W, E>,
    form: Form,
    values: &Vec<f32>,
) -> usize {
    let mut flash = flash.clone();
    write(&mut flash, form, values, 1 << 30, Tear::Prefix).unwrap();
    (1 << 30) - flash.left
}

/// Cuts every write of a run at every byte, in every way, and goes on from each.
fn every_cut<const R: usize, const W: usize, const E: usize>(form: Form, blocks: usize, lengths: &[usize]) {
    let mut flash = Flash::<R, W, E>::new(blocks, 1);
    let mut newest = None;
    for (number, &n) in lengths.iter().enumerate() {
        let next = numbers(number, n);
        let steps = cost(&flash, form, &next);
        for left in 0..steps {
            for tear in TEARS {
                let mut cut = flash.clone();
                cut.seed ^= left as u64;
                let result = write(&mut cut, form, &next, left, tear);
                assert_eq!(result, Err(JournalError::Flash(Fault::PowerCut)));
                let found = recover(&cut);
                let complete = found.as_ref() == Some(&next) && left + W >= steps;
                assert!(found == newest || complete, "{form:?} {number}, byte {left}, {tear:?}");
                // The next write must not rely on what the torn one left.
                if left % 5 == number % 5 {
                    write(&mut cut, form, &numbers(9, n), usize::MAX, tear).unwrap();
                    assert_eq!(recover(&cut), Some(numbers(9, n)));
                }
            }
        }
        write(&mut flash, form, &next, usize::MAX, Tear::Prefix).unwrap();
        newest = Some(next);
        assert_eq!(recover(&flash), newest);
    }
}

#[test]
fn every_cut_of_every_form_keeps_the_last_complete_file() {
    for form in FORMS {
        every_cut::<1, 4, 64>(form, 4, &[0, 16, 3]); // files within a piece
        every_cut::<4, 8, 256>(form, 4, &[100, 112]); // files of two pieces, the last to the end of its slot
    }
    every_cut::<32, 32, 128>(Form::Save, 10, &[140, 60]); // of three
    every_cut::<1, 256, 512>(Form::AsyncSave, 4, &[150]);
}

#[test]
fn all_forms_write_the_same_bytes() {
    let images = FORMS.map(|form| {
        let mut flash = Flash::<1, 8, 512>::new(4, 1);
        for n in [150, 3, 190] {
            write(&mut flash, form, &numbers(n, n), usize::MAX, Tear::Prefix).unwrap();
        }
        flash.bytes
    });
    assert!(images.iter().all(|image| *image == images[0]));
}

/// A future that is dropped anywhere has written what a power cut would have left.
#[test]
fn a_dropped_future_loses_nothing() {
    let mut flash = Flash::<1, 4, 256>::new(4, 1);
    write(&mut flash, Form::Write, &numbers(1, 90), usize::MAX, Tear::Prefix).unwrap();
    let (old, new) = (numbers(1, 90), numbers(2, 100));
    let mut ends = false;
    for polls in 0..200 {
        let mut dropped = flash.clone();
        let done = {
            let mut journal = block_on(AsyncJournal::open(Slow(&mut dropped), 0..1024)).unwrap();
            let done = polled(journal.save(&new), polls);
            if done.is_none() {
                // The journal itself goes on with what it had.
                let mut buffer = [0; 512];
                let mut values: Vec<f32> = vec![];
                assert_eq!(block_on(journal.load(&mut values, &mut buffer)), Ok(true));
                assert_eq!(values, old);
            }
            done
        };
        let found = recover(&dropped).unwrap();
        assert!(if done.is_some() { found == new } else { found == old || found == new });
        ends |= done.is_some();
        write(&mut dropped, Form::AsyncSave, &numbers(3, 20), usize::MAX, Tear::Prefix).unwrap();
        assert_eq!(recover(&dropped), Some(numbers(3, 20)));
    }
    assert!(ends);
}

#[test]
fn values_are_refused_before_anything_is_erased_or_changed() {
    let mut flash = Flash::<1, 4, 64>::new(4, 1);
    write(&mut flash, Form::Save, &numbers(1, 5), usize::MAX, Tear::Prefix).unwrap();
    let before = flash.bytes.clone();
    let (mut m, mut v, mut clock) = ([0.0; 3], [0.0; 2], Clock::new());
    let crooked = gradus::StateMut::<Adam>::new([&mut m, &mut v], &mut clock);
    let error = Error::Elements { expected: 3, found: 2 };
    let mut journal = Journal::open(&mut flash, 0..256).unwrap();
    assert_eq!(journal.save(&crooked), Err(JournalError::File(error)));
    let too_long = JournalError::Length { expected: 48 + 4 * 17, found: 112 };
    assert_eq!(journal.save(&numbers(1, 17)), Err(too_long));
    let mut other = MomentumState::<5>::new();
    other.columns = [[0.5; 5]];
    let refused = journal.load(&mut other);
    assert!(matches!(refused, Err(JournalError::File(Error::Name { .. }))), "{refused:?}");
    assert_eq!((other.columns, other.t()), ([[0.5; 5]], 0));
    block_on(async {
        let mut journal = AsyncJournal::open(Slow(&mut flash), 0..256).await.unwrap();
        assert_eq!(journal.capacity(), 112);
        assert_eq!(journal.save(&crooked).await, Err(JournalError::File(error)));
        assert_eq!(journal.save(&numbers(1, 17)).await, Err(too_long));
        let refused = journal.load(&mut other, &mut [0; 100]).await;
        assert!(matches!(refused, Err(JournalError::File(Error::Name { .. }))), "{refused:?}");
        let short = JournalError::Length { expected: 68, found: 67 };
        assert_eq!(journal.load(&mut other, &mut [0; 67]).await, Err(short));
        let region = AsyncJournal::open(Slow(&mut Flash::<1, 4, 64>::new(4, 1)), 0..192).await.map(|_| ());
        assert_eq!(region, Err(JournalError::Region));
    });
    assert_eq!(flash.bytes, before);
}

/// A flash whose reads fail from a call on.
struct Failing<'f, const R: usize, const W: usize, const E: usize> {
    flash: &'f mut Flash<R, W, E>,
    good: usize,
}

impl<const R: usize, const W: usize, const E: usize> ErrorType for Failing<'_, R, W, E> {
    type Error = Fault;
}

impl<const R: usize, const W: usize, const E: usize> embedded_storage::nor_flash::ReadNorFlash
    for Failing<'_, R, W, E>
{
    const READ_SIZE: usize = R;
    fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        self.good = self.good.checked_sub(1).ok_or(Fault::Unreadable)?;
        self.flash.read(at, bytes)
    }
    fn capacity(&self) -> usize {
        self.flash.bytes.len()
    }
}

impl<const R: usize, const W: usize, const E: usize> embedded_storage::nor_flash::NorFlash
    for Failing<'_, R, W, E>
{
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        self.flash.erase(from, to)
    }
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fault> {
        self.flash.write(at, bytes)
    }
}

/// What an error in the last reading leaves: the journal goes on with the old file, a restart finds the new one.
#[test]
fn a_last_reading_that_fails_leaves_both_files_whole() {
    let (old, new) = (numbers(1, 90), numbers(2, 100));
    let mut flash = Flash::<1, 4, 512>::new(2, 1);
    write(&mut flash, Form::Save, &old, usize::MAX, Tear::Prefix).unwrap();
    let opened = 1 + (48 + 4 * 90_usize).div_ceil(PIECE) + 1; // a header and its data, and a header that is none
    let mut buffer = [0; 500];
    let mut journal = Journal::open(Failing { flash: &mut flash, good: opened }, 0..1024).unwrap();
    assert_eq!(journal.save(&new), Err(JournalError::Flash(Fault::Unreadable)));
    let Failing { flash, .. } = journal.into_inner();
    assert_eq!(recover(flash), Some(new.clone()));

    // A journal whose last reading did not end has the old one, and takes the same slot for the next.
    let mut flash = Flash::<1, 4, 512>::new(2, 1);
    write(&mut flash, Form::Save, &old, usize::MAX, Tear::Prefix).unwrap();
    let result = block_on(async {
        let mut journal = AsyncJournal::open(Slow(&mut flash), 0..1024).await?;
        let before = journal.newest();
        assert_eq!(polled(journal.save(&new), 12), None); // dropped in the last reading
        assert_eq!(journal.newest(), before);
        let mut values: Vec<f32> = vec![];
        journal.load(&mut values, &mut buffer).await?;
        assert_eq!(values, old);
        journal.save(&numbers(3, 7)).await
    });
    assert_eq!(result, Ok(()));
    assert_eq!(recover(&flash), Some(numbers(3, 7)));
}

#[test]
fn a_flash_that_fails_the_second_time_tears_the_value() {
    let mut flash = Flash::<1, 4, 512>::new(2, 1);
    write(&mut flash, Form::Save, &numbers(1, 90), usize::MAX, Tear::Prefix).unwrap();
    let pieces = (48 + 4 * 90_usize).div_ceil(PIECE);
    for good in 0..=2 * pieces {
        let mut journal =
            Journal::open(Failing { flash: &mut flash, good: pieces + 2 + good }, 0..1024).unwrap();
        let mut values = vec![0.5_f32];
        let want = match good {
            _ if good < pieces => Err(JournalError::Flash(Fault::Unreadable)),
            _ if good < 2 * pieces => Err(JournalError::Torn),
            _ => Ok(true),
        };
        assert_eq!(journal.load(&mut values), want, "{good}");
        assert!(good >= pieces || values == [0.5]);
    }
}

/// A run whose state is longer than a piece, saved after every step without a buffer.
#[test]
fn a_run_in_pieces_survives_a_cut_anywhere() {
    const N: usize = 40;
    let adam = Adam::new(0.05);
    let step = |params: &mut [f32; N], state: &mut AdamState<N>| {
        let grads = core::array::from_fn(|k| 2.0 * (params[k] - k as f32));
        adam.step(params, &grads, state);
    };
    let (mut params, mut state) = ([0.0; N], AdamState::new());
    for _ in 0..4 {
        step(&mut params, &mut state);
    }
    let whole = params.map(f32::to_bits);
    for left in (0..9000).step_by(7) {
        let mut flash = Flash::<1, 4, 64>::new(24, left as u64);
        (flash.left, flash.tear) = (left, TEARS[left % TEARS.len()]);
        let (mut params, mut state) = ([0.0_f32; N], AdamState::<N>::new());
        // Twice: until the power fails, and after it.
        for _ in 0..2 {
            (params, state) = ([0.0; N], AdamState::new());
            let mut journal = Journal::open(&mut flash, 0..1536).unwrap();
            journal.load((&mut params, &mut state)).unwrap();
            while state.t() < 4 {
                step(&mut params, &mut state);
                if journal.save((&params, &state)).is_err() {
                    break;
                }
            }
            flash.left = usize::MAX;
        }
        assert_eq!((state.t(), params.map(f32::to_bits)), (4, whole), "cut at {left}");
    }
}
