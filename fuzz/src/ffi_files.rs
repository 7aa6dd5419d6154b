//! Files of C, at once and in pieces: what is saved loads again; bytes that are none change nothing.

use crate::ffi::{Arena, FLOATS, Place};
use arbitrary::{Result, Unstructured};
use core::ffi::c_void;
use gradus::ffi::gradus_status::*;
use gradus::ffi::*;
use gradus::store::PIECE;

const KINDS: [u32; 6] = [
    GRADUS_ITEM_FLOATS,
    GRADUS_ITEM_U32,
    GRADUS_ITEM_ADAM,
    GRADUS_ITEM_AMSGRAD,
    GRADUS_ITEM_MOMENTUM,
    GRADUS_ITEM_SGD,
];

/// How much of its data and clock an item uses.
fn used(item: &gradus_item, data: Place, clock: Place) -> (Place, Place) {
    let (bytes, ticks) = match item.kind {
        GRADUS_ITEM_FLOATS => (4 * item.n, 0),
        GRADUS_ITEM_U32 => (4, 0),
        GRADUS_ITEM_ADAM => (8 * item.n, 8),
        GRADUS_ITEM_AMSGRAD => (12 * item.n, 8),
        GRADUS_ITEM_MOMENTUM => (4 * item.n, 8),
        GRADUS_ITEM_SGD => (0, 8),
        _ => (0, 0), // other kinds are rare
    };
    (Place { bytes, ..data }, Place { bytes: ticks, ..clock })
}

/// A file that C hands on in pieces, and calls until one fails.
struct Stream {
    file: Vec<u8>,
    calls: usize,
}

impl Stream {
    fn call(&mut self) -> bool {
        let good = self.calls > 0;
        self.calls = self.calls.saturating_sub(1);
        good
    }

    unsafe extern "C" fn sink(context: *mut c_void, bytes: *const u8, n: usize) -> i32 {
        // SAFETY: the context is a stream, and C vouches for the bytes.
        let (stream, bytes) =
            unsafe { (&mut *context.cast::<Self>(), core::slice::from_raw_parts(bytes, n)) };
        if !stream.call() {
            return 1;
        }
        stream.file.extend_from_slice(bytes);
        0
    }

    unsafe extern "C" fn source(context: *mut c_void, at: usize, bytes: *mut u8, n: usize) -> i32 {
        // SAFETY: as above.
        let (stream, bytes) =
            unsafe { (&mut *context.cast::<Self>(), core::slice::from_raw_parts_mut(bytes, n)) };
        if !stream.call() {
            return -1;
        }
        bytes.copy_from_slice(&stream.file[at..at + n]);
        0
    }
}

/// Saves once more, in pieces: the same file, or what came before a sink failed.
fn save_to(u: &mut Unstructured, items: &[gradus_item], file: &[u8]) -> Result<()> {
    let calls = u.int_in_range(0..=4)?;
    let (mut stream, mut size) = (Stream { file: Vec::new(), calls }, usize::MAX);
    let context = (&raw mut stream).cast();
    // SAFETY: as the caller's.
    let status =
        unsafe { gradus_save_to(items.as_ptr(), items.len(), Some(Stream::sink), context, &mut size) };
    if file.len().div_ceil(PIECE) <= calls {
        assert!(status == GRADUS_OK && stream.file == file && size == file.len(), "{status:?} in pieces");
    } else {
        assert!(status == GRADUS_ERROR_CALLBACK && stream.file == file[..calls * PIECE], "{status:?}");
        assert!(size == usize::MAX, "a size of what was not saved");
    }
    Ok(())
}

/// Loads at once, or in pieces from a source that may fail: refused for the same reason, or told when it failed.
fn load(
    u: &mut Unstructured,
    items: &[gradus_item],
    file: &[u8],
    arena: *mut Arena,
) -> Result<gradus_status> {
    if u.arbitrary()? {
        // SAFETY: as the caller's.
        return Ok(unsafe { gradus_load(items.as_ptr(), items.len(), file.as_ptr(), file.len()) });
    }
    // SAFETY: the arena that the items point into.
    let before = unsafe { (*arena).clone() };
    let calls = u.int_in_range(0..=8)?;
    let mut stream = Stream { file: file.to_vec(), calls };
    let context = (&raw mut stream).cast();
    // SAFETY: as the caller's.
    let status =
        unsafe { gradus_load_from(items.as_ptr(), items.len(), file.len(), Some(Stream::source), context) };
    let pieces = file.len().div_ceil(PIECE);
    match status {
        GRADUS_OK => assert!(calls >= 2 * pieces, "loaded from a source that failed"),
        GRADUS_ERROR_CALLBACK => assert!(calls < pieces, "no call failed while it compared"),
        GRADUS_ERROR_FILE_TORN => {
            assert!((pieces..2 * pieces).contains(&calls), "no call failed while it read");
            // SAFETY: as above. The file is loaded once more in its place, over what the items held.
            unsafe { *arena = before };
            // SAFETY: as the caller's.
            return Ok(unsafe { gradus_load(items.as_ptr(), items.len(), file.as_ptr(), file.len()) });
        }
        _ => {
            // SAFETY: as the caller's.
            let at_once = unsafe { gradus_load(items.as_ptr(), items.len(), file.as_ptr(), file.len()) };
            assert_eq!(status, at_once, "refused in pieces");
        }
    }
    Ok(status)
}

/// Files: what is saved loads again; bytes that are none change nothing.
pub(crate) fn files(u: &mut Unstructured) -> Result<()> {
    let mut arena = Arena::new(u)?;
    let mut items = Vec::new();
    let mut places = Vec::new();
    let memory = &raw mut arena;
    for _ in 0..u.int_in_range(0..=3)? {
        let kind = if u.ratio(1, 8)? { u.int_in_range(0..=40)? } else { *u.choose(&KINDS)? };
        let n = u.int_in_range(0..=8)?;
        // As many bytes as any kind asks for: three columns, or the words of a generator.
        let (data, clock) = (Place::new(u, (12 * n).max(128))?, Place::new(u, 8)?);
        items.push(gradus_item { kind, n, data: data.at(memory), clock: clock.at(memory) });
        places.push((data, clock));
    }
    let count = items.len();
    let mut buffer = vec![0x5a_u8; u.int_in_range(0..=700)?];
    let place = Place::within(u, 4 * FLOATS, size_of::<usize>(), align_of::<usize>())?;
    let to = place.at::<usize, _>(memory);
    let before = arena.clone();
    // SAFETY: every pointer is null or has what its kind asks for inside the arena.
    let status = unsafe { gradus_save(items.as_ptr(), count, buffer.as_mut_ptr(), buffer.len(), to) };
    if status != GRADUS_OK {
        assert_eq!(arena.bits(), before.bits(), "{status:?}, but the arena written");
        assert!(buffer.iter().all(|b| *b == 0x5a), "{status:?}, but the file written");
    } else {
        assert!(!place.null() && !place.misaligned(), "a size nowhere");
        // SAFETY: the size has just been written there.
        let size = unsafe { to.read() };
        let file = buffer[..size].to_vec();
        let mut expected = before;
        // SAFETY: as much room in the copy.
        unsafe { place.at::<usize, _>(&raw mut expected).write(size) };
        assert_eq!(arena.bits(), expected.bits(), "saving changed what it saved");
        // The size is no part of what is saved: it would be another file now.
        let mut asked = 0;
        // SAFETY: as above.
        let status =
            unsafe { gradus_save(items.as_ptr(), count, buffer.as_mut_ptr(), buffer.len(), &mut asked) };
        assert!(status == GRADUS_OK && asked == size && buffer[..size] == file, "saved over its size");
        // SAFETY: as above.
        assert_eq!(unsafe { gradus_save_size(items.as_ptr(), count, to) }, GRADUS_OK);
        assert_eq!(arena.bits(), expected.bits(), "the size alone is another one");
        save_to(u, &items, &file)?;
        assert_eq!(arena.bits(), expected.bits(), "saving in pieces changed what it saved");
        // Loaded over other numbers, unless the pieces overlap.
        let mut other = arena.clone();
        for x in &mut other.0 {
            *x += 1.0;
        }
        // SAFETY: through the pointer that the items are made of.
        unsafe { *memory = other };
        let changed = arena.clone();
        let status = load(u, &items, &file, memory)?;
        if status == GRADUS_OK {
            let mut again = vec![0; size];
            // SAFETY: as above.
            let status = unsafe { gradus_save(items.as_ptr(), count, again.as_mut_ptr(), size, &mut asked) };
            assert!(status == GRADUS_OK && again == file, "loaded, but saved to other bytes");
        } else {
            assert!(
                matches!(status, GRADUS_ERROR_OVERLAP | GRADUS_ERROR_FILE_VALUE | GRADUS_ERROR_CALLBACK),
                "{status:?} for the file that was saved"
            );
            assert_eq!(arena.bits(), changed.bits(), "refused, but changed");
        }
    }
    // A size that lies in what is saved is refused.
    let place = Place::within(u, 4 * FLOATS, size_of::<usize>(), align_of::<usize>())?;
    let before = arena.clone();
    let memory = &raw mut arena;
    // SAFETY: as above.
    let status = unsafe { gradus_save_size(items.as_ptr(), count, place.at(memory)) };
    if status == GRADUS_OK {
        for (item, (data, clock)) in items.iter().zip(&places) {
            let (data, clock) = used(item, *data, *clock);
            assert!(!place.overlaps(data) && !place.overlaps(clock), "the size was written into an item");
        }
        arena = before;
    } else {
        assert_eq!(arena.bits(), before.bits(), "refused, but changed");
    }
    // And any bytes at all.
    let bytes = u.bytes(u.len().min(100))?;
    let before = arena.clone();
    let status = load(u, &items, bytes, &raw mut arena)?;
    if status != GRADUS_OK {
        assert_eq!(arena.bits(), before.bits(), "refused, but changed");
    }
    Ok(())
}
