//! Saving and loading: a list of what a file holds, in the caller's memory.

use super::gradus_status::{self, *};
use super::guard;
use super::memory::{Memory, Region, apart, copy, put};
use super::{gradus_ensemble, gradus_masks};
use crate::cut::cut_mut;
use crate::ensemble::{Ema, Swa, record as ensemble};
use crate::norm::BatchNorm;
use crate::optim::{check_state, write_state, *};
use crate::store::{self, Load, Save};
use core::ffi::c_void;

/// One value of a file. The values of a file are saved and loaded in the order of their list.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_item {
    /// One of the GRADUS_ITEM_ constants.
    pub kind: u32,
    /// Parameters of a state, or floats.
    pub n: usize,
    /// The columns of a state, one after the other; the floats; the uint32_t; the gradus_masks; or the gradus_ensemble.
    pub data: *mut c_void,
    /// The clock of a state; else null.
    pub clock: *mut Clock,
}

/// Floats: `n` of them, such as parameters.
pub const GRADUS_ITEM_FLOATS: u32 = 0;
/// One uint32_t, such as the position in a schedule.
pub const GRADUS_ITEM_U32: u32 = 1;

/// One gradus_masks.
pub const GRADUS_ITEM_MASKS: u32 = 2;

/// One gradus_ensemble: its members, as many as the file has, if there is room for them.
pub const GRADUS_ITEM_ENSEMBLE: u32 = 3;

/// An item whose pointers have been checked.
struct Item {
    kind: u32,
    n: usize,
    members: usize,
    ensemble: Memory<gradus_ensemble>,
    floats: Memory<f32>,
    word: Memory<u32>,
    masks: Memory<gradus_masks>,
    clock: Memory<Clock>,
}

macro_rules! states {
    ($($(#[$doc:meta])* $kind:ident = $value:literal $optimizer:ident $k:literal,)*) => {
        $($(#[$doc])* pub const $kind: u32 = $value;)*

        impl Item {
            unsafe fn new(item: &gradus_item) -> Result<Self, gradus_status> {
                if item.kind == GRADUS_ITEM_ENSEMBLE {
                    // SAFETY: the caller vouches for the memory, which is checked.
                    let ensemble = unsafe { copy(item.data.cast_const().cast::<gradus_ensemble>())? };
                    return Ok(Self {
                        kind: item.kind,
                        n: ensemble.n,
                        members: ensemble.room as usize,
                        ensemble: Memory::one(item.data.cast())?,
                        floats: ensemble.memory()?,
                        word: Memory::new(item.data.cast(), 0)?,
                        masks: Memory::new(item.data.cast(), 0)?,
                        clock: Memory::new(item.clock, 0)?,
                    });
                }
                let (floats, words, masks, clocks) = match item.kind {
                    GRADUS_ITEM_FLOATS => (Some(item.n), 0, 0, 0),
                    GRADUS_ITEM_U32 => (Some(0), 1, 0, 0),
                    GRADUS_ITEM_MASKS => (Some(0), 0, 1, 0),
                    $($kind => (item.n.checked_mul($k), 0, 0, 1),)*
                    _ => return Err(GRADUS_ERROR_ENUM),
                };
                Ok(Self {
                    kind: item.kind,
                    n: item.n,
                    members: 0,
                    ensemble: Memory::new(item.data.cast(), 0)?,
                    floats: Memory::new(item.data.cast(), floats.ok_or(GRADUS_ERROR_LENGTH)?)?,
                    word: Memory::new(item.data.cast(), words)?,
                    masks: Memory::new(item.data.cast(), masks)?,
                    clock: Memory::new(item.clock, clocks)?,
                })
            }
        }

        /// # Safety of all three
        /// `new` has checked the pointers for this kind; the caller vouches for the memory.
        impl Item {
            unsafe fn write(&self, to: &mut store::Writer<'_>) {
                // SAFETY: as said above; nothing is written.
                unsafe {
                    match self.kind {
                        $($kind => {
                            let columns = self.floats.columns::<$k>(self.n);
                            write_state::<$optimizer, f32, _>(to, &columns, self.clock.one_ref());
                        })*
                        GRADUS_ITEM_U32 => self.word.one_ref().write(to),
                        GRADUS_ITEM_MASKS => self.masks.one_ref().build().write(to),
                        GRADUS_ITEM_ENSEMBLE => {
                            let all = self.floats.slice();
                            let member = |k| all.get(k * self.n..(k + 1) * self.n).unwrap_or_default();
                            ensemble::write(to, (0..self.ensemble.one_ref().count as usize).map(member));
                        }
                        _ => self.floats.slice().write(to),
                    }
                }
            }

            unsafe fn check(&self, from: &mut store::Reader<'_>) -> Result<(), store::Error> {
                // SAFETY: as said above; nothing is written.
                unsafe {
                    match self.kind {
                        $($kind => check_state::<$optimizer, f32>(from, $k, Some(self.n)),)*
                        GRADUS_ITEM_U32 => self.word.one_ref().check(from),
                        GRADUS_ITEM_MASKS => self.masks.one_ref().build().check(from),
                        GRADUS_ITEM_ENSEMBLE => ensemble::check(from, self.members, Some(self.n)),
                        _ => self.floats.slice().check(from),
                    }
                }
            }

            unsafe fn read(&self, from: &mut store::Reader<'_>) {
                // SAFETY: as said above; no other view is alive.
                unsafe {
                    match self.kind {
                        $($kind => {
                            let columns = self.floats.columns_mut::<crate::simd::Width<$k>>(self.n);
                            StateMut::<$optimizer>::new(columns, self.clock.one_mut()).read(from);
                        })*
                        GRADUS_ITEM_U32 => self.word.one_mut().read(from),
                        GRADUS_ITEM_MASKS => {
                            let masks = self.masks.one_mut();
                            let mut generator = masks.build();
                            generator.read(from);
                            masks.keep(&generator);
                        }
                        GRADUS_ITEM_ENSEMBLE => {
                            let (mut rest, ensemble) = (self.floats.slice_mut(), self.ensemble.one_mut());
                            ensemble.count = from.head().columns.min(ensemble.room);
                            for _ in 0..ensemble.count {
                                from.column(cut_mut(&mut rest, self.n));
                            }
                        }
                        _ => self.floats.slice_mut().read(from),
                    }
                }
            }
        }
    };
}

states! {
    /// State of gradus_adagrad_step().
    GRADUS_ITEM_ADAGRAD = 16 AdaGrad 1,
    /// State of gradus_adam_step().
    GRADUS_ITEM_ADAM = 17 Adam 2,
    /// State of gradus_adamw_step().
    GRADUS_ITEM_ADAMW = 18 AdamW 2,
    /// State of gradus_amsgrad_step().
    GRADUS_ITEM_AMSGRAD = 19 AmsGrad 3,
    /// State of gradus_rmsprop_centered_step().
    GRADUS_ITEM_RMSPROP_CENTERED = 20 CenteredRmsProp 2,
    /// State of gradus_rmsprop_centered_momentum_step().
    GRADUS_ITEM_RMSPROP_CENTERED_MOMENTUM = 21 CenteredRmsPropMomentum 3,
    /// State of gradus_lion_step().
    GRADUS_ITEM_LION = 22 Lion 1,
    /// State of gradus_momentum_step().
    GRADUS_ITEM_MOMENTUM = 23 Momentum 1,
    /// State of gradus_nadam_step().
    GRADUS_ITEM_NADAM = 24 Nadam 2,
    /// State of gradus_nesterov_step().
    GRADUS_ITEM_NESTEROV = 25 Nesterov 1,
    /// State of gradus_rmsprop_step().
    GRADUS_ITEM_RMSPROP = 26 RmsProp 1,
    /// State of gradus_rmsprop_momentum_step().
    GRADUS_ITEM_RMSPROP_MOMENTUM = 27 RmsPropMomentum 2,
    /// State of gradus_sgd_step(): the clock alone.
    GRADUS_ITEM_SGD = 28 Sgd 0,
    /// Running statistics of gradus_batch_norm_track(); `n` is the number of channels.
    GRADUS_ITEM_BATCH_NORM = 29 BatchNorm 2,
    /// Mean of gradus_swa_update().
    GRADUS_ITEM_SWA = 48 Swa 1,
    /// Average of gradus_ema_update().
    GRADUS_ITEM_EMA = 49 Ema 1,
}

impl Item {
    /// What a call on this item touches.
    fn regions(&self, written: bool) -> [Region; 5] {
        let Self { floats, word, masks, clock, ensemble, .. } = *self;
        if written {
            [floats.written(), word.written(), masks.written(), clock.written(), ensemble.written()]
        } else {
            [floats.read(), word.read(), masks.read(), clock.read(), ensemble.read()]
        }
    }
}

/// The items of a file.
pub(super) struct List<'a>(&'a [gradus_item]);

impl List<'_> {
    /// Checks all items: apart from the bytes and the size of the file, and, to be loaded, from each
    /// other.
    ///
    /// # Safety
    /// The list lies in memory that nothing writes during the call.
    pub(super) unsafe fn new(
        items: *const gradus_item,
        count: usize,
        [file, size]: [Region; 2],
        load: bool,
    ) -> Result<Self, gradus_status> {
        let list = Memory::new(items, count)?;
        apart([list.read(), file, size])?;
        // SAFETY: checked; the caller vouches for the memory.
        let items = unsafe { list.slice() };
        for (i, item) in items.iter().enumerate() {
            // SAFETY: the caller vouches for the memory.
            let regions = unsafe { Item::new(item)?.regions(load) };
            let [floats, word, masks, clock, ensemble] = regions;
            apart([list.read(), file, size, floats, word, masks, clock, ensemble])?;
            for other in items.iter().take(i) {
                // SAFETY: the caller vouches for the memory.
                let others = unsafe { Item::new(other)?.regions(load) };
                for region in regions {
                    for other in others {
                        apart([region, other])?;
                    }
                }
            }
        }
        Ok(Self(items))
    }

    /// All items; a list refuses them first if one is wrong.
    fn items(&self) -> impl Iterator<Item = Item> {
        // SAFETY: checked by `new`.
        self.0.iter().flat_map(|item| unsafe { Item::new(item) })
    }
}

impl Save for List<'_> {
    fn write(&self, to: &mut store::Writer<'_>) {
        for item in self.items() {
            // SAFETY: checked by `new`.
            unsafe { item.write(to) };
        }
    }
}

impl Load for List<'_> {
    fn check(&self, from: &mut store::Reader<'_>) -> Result<(), store::Error> {
        for item in self.items() {
            // SAFETY: checked by `new`.
            unsafe { item.check(from)? };
        }
        Ok(())
    }
    fn read(&mut self, from: &mut store::Reader<'_>) {
        for item in self.items() {
            // SAFETY: checked by `new`.
            unsafe { item.read(from) };
        }
    }
}

impl From<store::Error> for gradus_status {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Foreign => GRADUS_ERROR_FILE_FOREIGN,
            store::Error::Version { .. } => GRADUS_ERROR_FILE_VERSION,
            store::Error::Length { .. } => GRADUS_ERROR_FILE_LENGTH,
            store::Error::Checksum => GRADUS_ERROR_FILE_CHECKSUM,
            store::Error::Name { .. } => GRADUS_ERROR_FILE_KIND,
            store::Error::Columns { .. } | store::Error::Elements { .. } => GRADUS_ERROR_FILE_SHAPE,
            store::Error::Value { .. } => GRADUS_ERROR_FILE_VALUE,
        }
    }
}

/// No memory.
pub(super) fn nothing() -> Result<Region, gradus_status> {
    Ok(Memory::<u8>::new(core::ptr::null(), 0)?.read())
}

/// Writes how many bytes the file of the `count` elements of `items` has to `size`.
///
/// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_save_size(
    items: *const gradus_item,
    count: usize,
    size: *mut usize,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let file = nothing()?;
            let found =
                store::file_size(List::new(items, count, [file, Memory::one(size)?.written()], false)?);
            put(size, found)
        }
    })
}

/// Saves the `count` elements of `items` as a file in `buffer`, and writes its bytes to `size`.
///
/// `buffer` has `capacity` bytes; gradus_save_size() says how many are needed.
/// The format is that of the Rust crate, with a checksum: bytes are the same on every target.
///
/// Errors: GRADUS_ERROR_FILE_LENGTH if the file is longer than `capacity`, GRADUS_ERROR_NULL,
/// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_save(
    items: *const gradus_item,
    count: usize,
    buffer: *mut u8,
    capacity: usize,
    size: *mut usize,
) -> gradus_status {
    guard(|| {
        let (buffer, size) = (Memory::new(buffer, capacity)?, Memory::one(size)?);
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe {
            let list = List::new(items, count, [buffer.written(), size.written()], false)?;
            *size.one_mut() = store::save(list, buffer.slice_mut())?.len();
        }
        Ok(())
    })
}

/// Loads the `count` elements of `items` from the `size` bytes of `file`.
///
/// The file must hold the same kinds and shapes. All memory and clocks are written, or none if it
/// is refused.
///
/// Errors: GRADUS_ERROR_FILE_FOREIGN, GRADUS_ERROR_FILE_VERSION, GRADUS_ERROR_FILE_LENGTH,
/// GRADUS_ERROR_FILE_CHECKSUM, GRADUS_ERROR_FILE_KIND, GRADUS_ERROR_FILE_SHAPE, GRADUS_ERROR_FILE_VALUE,
/// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
/// GRADUS_ERROR_ENUM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_load(
    items: *const gradus_item,
    count: usize,
    file: *const u8,
    size: usize,
) -> gradus_status {
    guard(|| {
        let file = Memory::new(file, size)?;
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe { Ok(store::load(List::new(items, count, [file.read(), nothing()?], true)?, file.slice())?) }
    })
}
