//! Files in pieces, the journal, averages and ensembles from C: the bytes and refusals of the Rust crate.
#![cfg(all(feature = "ffi", feature = "journal"))]

use crate::support::flash::{Flash, TEARS, Tear};
use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use gradus::ensemble::{Average, Ema, EmaState, Ensemble, Swa, SwaState};
use gradus::ffi::gradus_status::*;
use gradus::ffi::*;
use gradus::store::{self, Journal, PIECE};
use gradus::{AdamState, Clock, Exec};
use std::ffi::c_void;
use std::ptr::null_mut;

const N: usize = 90;

/// A run in C's memory: parameters, a state of Adam, both averages and an ensemble with room for three.
struct Run {
    params: [f32; N],
    adam: [f32; 2 * N],
    clock: Clock,
    swa: [f32; N],
    swa_clock: Clock,
    members: [f32; 3 * N],
    ensemble: gradus_ensemble,
}

impl Run {
    fn new(seed: u32) -> Box<Self> {
        let mut run = Box::new(Self {
            params: core::array::from_fn(|k| (k as f32 + 0.5) * seed as f32),
            adam: core::array::from_fn(|k| k as f32 - seed as f32),
            clock: Clock { t: seed, carry: 0.25 },
            swa: [0.0; N],
            swa_clock: Clock::new(),
            members: [0.0; 3 * N],
            ensemble: gradus_ensemble {
                version: GRADUS_STRUCTS,
                count: 0,
                room: 3,
                n: N,
                members: null_mut(),
            },
        });
        run.ensemble.members = run.members.as_mut_ptr();
        for _ in 0..seed % 4 {
            let (n, params, state, clock) =
                (N, run.params.as_ptr(), run.swa.as_mut_ptr(), &raw mut run.swa_clock);
            // SAFETY: pointers to what lives in the box.
            unsafe {
                assert_eq!(gradus_swa_update(n, params, state, clock), GRADUS_OK);
                assert_eq!(gradus_ensemble_push(&raw mut run.ensemble, params), GRADUS_OK);
            }
            run.params[0] += 1.0;
        }
        run
    }

    fn items(&mut self) -> [gradus_item; 4] {
        let none = null_mut();
        [
            gradus_item {
                kind: GRADUS_ITEM_FLOATS,
                n: N,
                data: self.params.as_mut_ptr().cast(),
                clock: none,
            },
            gradus_item {
                kind: GRADUS_ITEM_ADAM,
                n: N,
                data: self.adam.as_mut_ptr().cast(),
                clock: &raw mut self.clock,
            },
            gradus_item {
                kind: GRADUS_ITEM_SWA,
                n: N,
                data: self.swa.as_mut_ptr().cast(),
                clock: &raw mut self.swa_clock,
            },
            gradus_item {
                kind: GRADUS_ITEM_ENSEMBLE,
                n: 0,
                data: (&raw mut self.ensemble).cast(),
                clock: none,
            },
        ]
    }

    /// The same in Rust.
    fn file(&self) -> Vec<u8> {
        let (mut adam, mut swa, mut ensemble) =
            (AdamState::<N>::new(), SwaState::<N>::new(), Ensemble::<N, 3>::new());
        adam.columns = [self.adam[..N].try_into().unwrap(), self.adam[N..].try_into().unwrap()];
        adam.clock = self.clock;
        (swa.columns, swa.clock) = ([self.swa], self.swa_clock);
        for member in self.members.as_chunks::<N>().0.iter().take(self.ensemble.count as usize) {
            ensemble.push(member).unwrap();
        }
        store::to_vec((&self.params, &adam, &swa, &ensemble)).unwrap()
    }
}

/// A file that is written and read through functions.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    calls: usize,
    fails: Option<usize>,
}

impl Stream {
    fn call(&mut self) -> i32 {
        self.calls += 1;
        i32::from(self.fails.is_some_and(|good| self.calls > good))
    }
}

unsafe extern "C" fn sink(context: *mut c_void, bytes: *const u8, n: usize) -> i32 {
    // SAFETY: the test hands a stream on; the library vouches for the bytes.
    let (stream, bytes) = unsafe { (&mut *context.cast::<Stream>(), std::slice::from_raw_parts(bytes, n)) };
    assert!(n <= PIECE);
    stream.bytes.extend(bytes);
    stream.call()
}

unsafe extern "C" fn source(context: *mut c_void, at: usize, bytes: *mut u8, n: usize) -> i32 {
    // SAFETY: the test hands a stream on; the library vouches for the bytes.
    let (stream, bytes) =
        unsafe { (&mut *context.cast::<Stream>(), std::slice::from_raw_parts_mut(bytes, n)) };
    bytes.copy_from_slice(&stream.bytes[at..at + n]);
    stream.call()
}

#[test]
fn streams_have_the_bytes_of_files() {
    let (mut run, mut stream, mut size) = (Run::new(7), Stream::default(), 0);
    let (items, to) = (run.items(), (&raw mut stream).cast());
    // SAFETY: pointers to what lives here, here and below.
    unsafe {
        assert_eq!(gradus_save_to(items.as_ptr(), 4, Some(sink), to, &mut size), GRADUS_OK);
        assert_eq!(gradus_save_to(items.as_ptr(), 4, None, to, &mut size), GRADUS_ERROR_NULL);
        let inside = &raw mut run.ensemble.n;
        assert_eq!(gradus_save_to(items.as_ptr(), 4, Some(sink), to, inside), GRADUS_ERROR_OVERLAP);
    }
    assert_eq!((stream.bytes == run.file(), size), (true, run.file().len()));

    let file = run.file();
    let calls = file.len().div_ceil(PIECE);
    for good in 0..=2 * calls {
        let mut other = Run::new(2);
        let before = other.file();
        let mut stream = Stream { bytes: file.clone(), calls: 0, fails: Some(good) };
        let (items, from) = (other.items(), (&raw mut stream).cast());
        // SAFETY: as above.
        let loaded = unsafe { gradus_load_from(items.as_ptr(), 4, file.len(), Some(source), from) };
        match good {
            _ if good < calls => assert_eq!((loaded, other.file() == before), (GRADUS_ERROR_CALLBACK, true)),
            _ if good < 2 * calls => assert_eq!(loaded, GRADUS_ERROR_FILE_TORN),
            _ => assert_eq!((loaded, other.file() == file), (GRADUS_OK, true)),
        }
    }
    for good in 0..calls {
        let mut stream = Stream { fails: Some(good), ..Stream::default() };
        // SAFETY: as above.
        let saved = unsafe {
            gradus_save_to(run.items().as_ptr(), 4, Some(sink), (&raw mut stream).cast(), &mut size)
        };
        assert_eq!((saved, stream.calls), (GRADUS_ERROR_CALLBACK, good + 1));
    }
    // An ensemble without room for the members of the file.
    let mut other = Run::new(2);
    other.ensemble.room = 2;
    // SAFETY: as above.
    let loaded = unsafe { gradus_load(other.items().as_ptr(), 4, file.as_ptr(), file.len()) };
    assert_eq!(loaded, GRADUS_ERROR_FILE_SHAPE);
}

type Chip = Flash<1, 8, 512>;

unsafe extern "C" fn read(context: *mut c_void, at: u32, bytes: *mut u8, n: usize) -> i32 {
    // SAFETY: the test hands a flash on; the library vouches for the bytes.
    let (flash, bytes) = unsafe { (&mut *context.cast::<Chip>(), std::slice::from_raw_parts_mut(bytes, n)) };
    flash.read(at, bytes).map_or(-1, |()| 0)
}

unsafe extern "C" fn program(context: *mut c_void, at: u32, bytes: *const u8, n: usize) -> i32 {
    // SAFETY: the test hands a flash on; the library vouches for the bytes.
    let (flash, bytes) = unsafe { (&mut *context.cast::<Chip>(), std::slice::from_raw_parts(bytes, n)) };
    flash.write(at, bytes).map_or(-1, |()| 0)
}

unsafe extern "C" fn erase(context: *mut c_void, from: u32, to: u32) -> i32 {
    // SAFETY: the test hands a flash on.
    let flash = unsafe { &mut *context.cast::<Chip>() };
    flash.erase(from, to).map_or(-1, |()| 0)
}

fn region(flash: &mut Chip) -> gradus_flash {
    gradus_flash {
        version: GRADUS_STRUCTS,
        start: 0,
        end: flash.bytes.len() as u32,
        block: 512,
        read_word: 1,
        write_word: 8,
        read: Some(read),
        write: Some(program),
        erase: Some(erase),
        context: (flash as *mut Chip).cast(),
    }
}

/// Opens the journal and saves the run.
fn save(flash: &mut Chip, run: &mut Run, left: usize, tear: Tear) -> gradus_status {
    (flash.left, flash.tear) = (left, tear);
    let (region, mut journal, items) = (region(flash), gradus_journal::default(), run.items());
    // SAFETY: pointers to what lives here.
    unsafe {
        match gradus_journal_open(&region, &mut journal) {
            GRADUS_OK => gradus_journal_save(&region, &mut journal, items.as_ptr(), 4),
            error => error,
        }
    }
}

/// The newest run after a restart, as C and as Rust find it.
fn recover(flash: &Chip) -> Option<Vec<u8>> {
    let mut flash = flash.clone();
    flash.left = 0;
    let (region, mut journal, mut run) = (region(&mut flash), gradus_journal::default(), Run::new(0));
    let (mut found, mut buffer, mut size) = (9, vec![0; 4096], 9);
    // SAFETY: pointers to what lives here.
    unsafe {
        assert_eq!(gradus_journal_open(&region, &mut journal), GRADUS_OK);
        let loaded = gradus_journal_load(&region, &journal, run.items().as_ptr(), 4, &mut found);
        assert_eq!(loaded, GRADUS_OK);
        let read = gradus_journal_read(&region, &journal, buffer.as_mut_ptr(), buffer.len(), &mut size);
        assert_eq!((read, size > 0), (GRADUS_OK, found == 1));
    }
    let end = flash.bytes.len() as u32;
    let mut rust = vec![0; 4096];
    let file = Journal::open(flash, 0..end).unwrap().read(&mut rust).unwrap().map(<[u8]>::to_vec);
    let here = (found == 1).then(|| run.file());
    assert_eq!(here.as_deref(), (found == 1).then_some(&buffer[..size]));
    assert_eq!(here, file);
    file
}

#[test]
fn the_journal_of_c_loses_nothing_at_any_cut() {
    let mut flash = Chip::new(12, 1);
    let mut newest = None;
    for seed in [1, 6, 3] {
        let mut run = Run::new(seed);
        let mut whole = flash.clone();
        assert_eq!(save(&mut whole, &mut run, 1 << 30, Tear::Prefix), GRADUS_OK);
        let steps = (1 << 30) - whole.left;
        for left in (0..steps).step_by(5).chain(steps - 40..steps) {
            let mut cut = flash.clone();
            cut.seed ^= left as u64;
            let tear = TEARS[(left + seed as usize) % TEARS.len()];
            assert_eq!(save(&mut cut, &mut run, left, tear), GRADUS_ERROR_CALLBACK);
            let found = recover(&cut);
            let complete = found == Some(run.file()) && left + 8 >= steps;
            assert!(found == newest || complete, "{seed}, byte {left}, {tear:?}");
            if left % 25 == 0 {
                assert_eq!(save(&mut cut, &mut run, usize::MAX, tear), GRADUS_OK);
                assert_eq!(recover(&cut), Some(run.file()));
            }
        }
        // Rust's journal writes the same bytes.
        let (mut rust, end) = (flash.clone(), flash.bytes.len() as u32);
        Journal::open(&mut rust, 0..end).unwrap().write(&run.file()).unwrap();
        assert!(rust.bytes == whole.bytes);
        flash = whole;
        newest = Some(run.file());
    }
}

#[test]
fn journals_that_are_none_are_refused() {
    let mut flash = Chip::new(10, 1);
    let (good, mut run) = (region(&mut flash), Run::new(1));
    let (items, mut journal, mut found) = (run.items(), gradus_journal::default(), 0);
    // SAFETY: pointers to what lives here, here and below.
    let mut open = |flash: gradus_flash| unsafe { gradus_journal_open(&flash, &mut journal) };
    assert_eq!(open(gradus_flash { version: 0, ..good }), GRADUS_ERROR_VERSION);
    assert_eq!(open(gradus_flash { erase: None, ..good }), GRADUS_ERROR_NULL);
    for (end, block, read_word, write_word) in [
        (5119, 512, 1, 8),
        (512, 512, 1, 8),
        (5120, 0, 1, 8),
        (5120, 512, 0, 8),
        (5120, 512, 1, 12),
        (5120, 512, 1, 512),
        // Blocks that are no whole words: a slot's last one would lie across the other's first.
        (66, 1, 1, 4),
        (5120, 4, 1, 8),
        (5120, 4, 8, 4),
        (5130, 513, 1, 2),
    ] {
        let wrong = gradus_flash { end, block, read_word, write_word, ..good };
        assert_eq!(open(wrong), GRADUS_ERROR_FLASH_REGION, "{end} {block} {read_word} {write_word}");
    }
    // SAFETY: as above.
    unsafe {
        let closed = gradus_journal_save(&good, &mut journal, items.as_ptr(), 4);
        assert_eq!(closed, GRADUS_ERROR_VERSION);
        assert_eq!(gradus_journal_open(&good, &mut journal), GRADUS_OK);
        let mut strange = gradus_journal { next: 8, ..journal };
        assert_eq!(gradus_journal_save(&good, &mut strange, items.as_ptr(), 4), GRADUS_ERROR_VERSION);
        assert_eq!(gradus_journal_load(&good, &journal, items.as_ptr(), 4, &mut found), GRADUS_OK);
        assert_eq!(found, 0);
        let bytes = [7_u8; 2600];
        let long = gradus_journal_write(&good, &mut journal, bytes.as_ptr(), 2600);
        assert_eq!(long, GRADUS_ERROR_FILE_LENGTH);
        assert_eq!(gradus_journal_write(&good, &mut journal, bytes.as_ptr(), 100), GRADUS_OK);
        let (mut buffer, mut size) = ([0; 100], 0);
        assert_eq!(
            gradus_journal_read(&good, &journal, buffer.as_mut_ptr(), 99, &mut size),
            GRADUS_ERROR_FILE_LENGTH
        );
        assert_eq!(gradus_journal_read(&good, &journal, buffer.as_mut_ptr(), 100, &mut size), GRADUS_OK);
        assert_eq!((buffer, size), ([7; 100], 100));
        // The slot of the newest file is not the one that is written next; nor does an item lie in the region's own words.
        let mut strange = gradus_journal { next: journal.newest, ..journal };
        let over = gradus_journal_write(&good, &mut strange, bytes.as_ptr(), 100);
        assert_eq!(over, GRADUS_ERROR_VERSION);
        let mut own = good;
        let own = &raw mut own;
        let data = (&raw mut (*own).block).cast();
        let item = gradus_item { kind: GRADUS_ITEM_U32, n: 1, data, clock: null_mut() };
        assert_eq!(gradus_journal_load(own, &journal, &item, 1, &mut found), GRADUS_ERROR_OVERLAP);
        assert_eq!((*own).block, 512);
        // A file of no bytes is one.
        let mut empty = journal;
        assert_eq!(gradus_journal_write(&good, &mut empty, null_mut(), 0), GRADUS_OK);
        assert_eq!(gradus_journal_read(&good, &empty, null_mut(), 0, &mut size), GRADUS_OK);
        assert_eq!((empty.found, size), (1, 0));
        assert_eq!(gradus_journal_write(&good, &mut empty, bytes.as_ptr(), 100), GRADUS_OK);
        journal = empty;
        let foreign = gradus_journal_load(&good, &journal, items.as_ptr(), 4, &mut found);
        assert_eq!(foreign, GRADUS_ERROR_FILE_FOREIGN);
    }
}

unsafe extern "C" fn third(
    context: *mut c_void,
    n: usize,
    params: *const f32,
    m: usize,
    out: *mut f32,
) -> i32 {
    // SAFETY: the library vouches for both.
    let (params, out) =
        unsafe { (std::slice::from_raw_parts(params, n), std::slice::from_raw_parts_mut(out, m)) };
    for (out, params) in out.iter_mut().zip(params) {
        *out = params / 3.0;
    }
    i32::from(!context.is_null())
}

#[test]
fn averages_and_ensembles_are_those_of_rust() {
    let (mut swa, mut ema, mut ensemble) =
        (SwaState::<N>::new(), EmaState::<N>::new(), Ensemble::<N, 3>::new());
    let mut run = Run::new(0);
    let config = gradus_ema { version: GRADUS_STRUCTS, decay: 0.9 };
    let (mut average, mut clock) = ([0.0; GRADUS_EMA_COLUMNS * N], Clock::new());
    for step in 0..3 {
        let params = core::array::from_fn(|k| 1.0 / (k as f32 + step as f32 + 0.3));
        Swa.update(&mut swa, &params);
        Ema::new(0.9).update(&mut ema, &params);
        ensemble.push(&params).unwrap();
        // SAFETY: pointers to what lives here.
        unsafe {
            assert_eq!(
                gradus_swa_update(N, params.as_ptr(), run.swa.as_mut_ptr(), &mut run.swa_clock),
                GRADUS_OK
            );
            assert_eq!(
                gradus_ema_update(&config, N, params.as_ptr(), average.as_mut_ptr(), &mut clock),
                GRADUS_OK
            );
            assert_eq!(gradus_ensemble_push(&mut run.ensemble, params.as_ptr()), GRADUS_OK);
        }
    }
    assert_eq!((&run.swa, run.swa_clock), (swa.average(), swa.clock));
    assert_eq!((&average[..N], clock), (ema.average().as_slice(), ema.clock));
    let (mut scratch, mut mean, mut want, mut index) = ([0.0; 5], [7.0; 5], [0.0; 5], 9);
    let model = |params: &[f32], out: &mut [f32]| {
        for (out, params) in out.iter_mut().zip(params) {
            *out = params / 3.0;
        }
    };
    ensemble.predict(Exec::new(), model, &mut scratch, &mut want).unwrap();
    let (s, m, e) = (scratch.as_mut_ptr(), mean.as_mut_ptr(), &raw mut run.ensemble);
    // SAFETY: pointers to what lives here, here and below.
    unsafe {
        assert_eq!(gradus_ensemble_push(e, run.params.as_ptr()), GRADUS_ERROR_FULL);
        assert_eq!(gradus_ensemble_predict(e, Some(third), null_mut(), 5, s, m), GRADUS_OK);
        assert_eq!(mean, want);
        assert_eq!(gradus_ensemble_predict(e, Some(third), e.cast(), 5, s, m), GRADUS_ERROR_CALLBACK);
        assert_eq!(gradus_ensemble_predict(e, None, null_mut(), 5, s, m), GRADUS_ERROR_NULL);
        assert_eq!(gradus_ensemble_predict(e, Some(third), null_mut(), 5, s, s), GRADUS_ERROR_OVERLAP);
        assert_eq!(gradus_argmax(5, want.as_ptr(), &mut index), GRADUS_OK);
        assert_eq!(index, gradus::ensemble::argmax(&want).unwrap());
        assert_eq!(gradus_argmax(0, want.as_ptr(), &mut index), GRADUS_ERROR_EMPTY);
        let wrong = gradus_ema { decay: 1.0, ..config };
        assert_eq!((gradus_ema_check(&config), gradus_ema_check(&wrong)), (GRADUS_OK, GRADUS_ERROR_RHO));
        (*e).count = 4;
        assert_eq!(gradus_ensemble_push(e, run.params.as_ptr()), GRADUS_ERROR_FULL);
        ((*e).count, (*e).n) = (0, 0);
        assert_eq!(gradus_ensemble_push(e, run.params.as_ptr()), GRADUS_ERROR_EMPTY);
    }
}

/// A state in half the memory is saved under its own name, and not taken for another.
#[test]
fn half_states_are_those_of_rust() {
    use gradus::{Adam, Optimizer};
    let adam = Adam::new(0.1).half();
    let (mut params, mut state) = ([0.5; N], adam.state::<N>());
    for _ in 0..3 {
        adam.step(&mut params, &core::array::from_fn(|k| k as f32 - 40.0), &mut state);
    }
    let file = store::to_vec(&state).unwrap();
    let item = |kind, data: *mut c_void, clock| gradus_item { kind, n: N, data, clock };
    let saved =
        item(GRADUS_ITEM_ADAM | GRADUS_ITEM_HALF, (&raw mut state.columns).cast(), &raw mut state.clock);
    let (mut columns, mut clock) = ([0_u16; 2 * N], Clock::new());
    let loaded = item(saved.kind, columns.as_mut_ptr().cast(), &raw mut clock);
    let mut floats = [0.0_f32; 2 * N];
    let whole = item(GRADUS_ITEM_ADAM, floats.as_mut_ptr().cast(), &raw mut clock);
    let (mut buffer, mut size) = (vec![0; file.len()], 0);
    // SAFETY: pointers to what lives here.
    unsafe {
        assert_eq!(gradus_save(&saved, 1, buffer.as_mut_ptr(), buffer.len(), &mut size), GRADUS_OK);
        assert!(buffer == file);
        assert_eq!(gradus_load(&whole, 1, buffer.as_ptr(), size), GRADUS_ERROR_FILE_KIND);
        assert_eq!(clock.t, 0);
        assert_eq!(gradus_load(&loaded, 1, buffer.as_ptr(), size), GRADUS_OK);
        let none = item(GRADUS_ITEM_U32 | GRADUS_ITEM_HALF, columns.as_mut_ptr().cast(), &raw mut clock);
        assert_eq!(gradus_load(&none, 1, buffer.as_ptr(), size), GRADUS_ERROR_ENUM);
    }
    let bits: Vec<_> = file[16 + 4 + 8 + 16 + 8..file.len() - 4]
        .as_chunks::<2>()
        .0
        .iter()
        .map(|x| u16::from_le_bytes(*x))
        .collect();
    assert_eq!((columns.as_slice(), clock.t), (bits.as_slice(), 3));
}
