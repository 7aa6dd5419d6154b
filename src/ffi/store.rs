//! Saving and loading: a list of what a file holds, in the caller's memory.

use super::Refusal::{self, *};
use super::gradus_status;
use super::guard;
use super::memory::{Memory, Region, apart, area, copy, put};
use super::rules::*;
use super::{gradus_ensemble, gradus_masks};
use crate::cut::cut_mut;
use crate::ensemble::{CompensatedEma, Ema, Swa, record as ensemble};
use crate::norm::{BatchNorm, InputNorm};
use crate::optim::{check_named as check_state, read_clock, write_named as write_state, *};
use crate::simd::{Bf16, ColumnSet};
use crate::store::bytes::Number;
use crate::store::{self, Family, Load, Name, Save};
use core::ffi::c_void;

/// One value of a file. The values of a file are saved and loaded in the order of their list.
///
/// A call refuses a list for any of its values: GRADUS_ERROR_ENUM if there is no such kind, GRADUS_ERROR_NULL,
/// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, and for an ensemble also GRADUS_ERROR_VERSION,
/// GRADUS_ERROR_EMPTY without parameters and GRADUS_ERROR_FULL if it has more members than room.
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

/// Added to the kind of an optimizer's state: one in half the memory, whose columns are `uint16_t`. Optimizers without
/// gradus_adam_half_step() of their own have none.
pub const GRADUS_ITEM_HALF: u32 = 0x100;

/// Columns of state, at most.
const MOST: usize = 4;

/// Running statistics of gradus_batch_norm_track(); `n` is the number of channels.
pub const GRADUS_ITEM_BATCH_NORM: u32 = 29;
/// Mean of gradus_swa_update().
pub const GRADUS_ITEM_SWA: u32 = 48;
/// Average of gradus_ema_update().
pub const GRADUS_ITEM_EMA: u32 = 49;
/// Average of gradus_compensated_ema_update().
pub const GRADUS_ITEM_COMPENSATED_EMA: u32 = 50;
/// Statistics of gradus_input_norm_update(); `n` is the number of features.
pub const GRADUS_ITEM_INPUT_NORM: u32 = 51;
/// Sum of gradus_accumulate().
pub const GRADUS_ITEM_ACCUMULATE: u32 = 52;

macro_rules! states {
    ($($kind:ident $family:ident $halves:literal,)*) => {
        /// The name of a kind of state, its name in half the memory, and its columns.
        fn state(kind: u32) -> Result<(Name, Name, usize), Refusal> {
            match kind {
                $($kind => Ok(const {
                    let columns = <<$family as Stateful>::Columns as ColumnSet>::COUNT;
                    assert!(columns <= MOST);
                    let name = <$family as Family>::NAME;
                    (name, name.join(Bf16::SUFFIX), columns)
                }),)*
                _ => Err(GRADUS_ERROR_ENUM),
            }
        }

        /// Whether a state of this kind may be in half the memory.
        fn halves(kind: u32) -> bool {
            match kind {
                $($kind => $halves,)*
                _ => false,
            }
        }
    };
}

kinds!(states!(
    GRADUS_ITEM_BATCH_NORM BatchNorm false,
    GRADUS_ITEM_SWA Swa false,
    GRADUS_ITEM_EMA Ema false,
    GRADUS_ITEM_COMPENSATED_EMA CompensatedEma false,
    GRADUS_ITEM_INPUT_NORM InputNorm false,
    GRADUS_ITEM_ACCUMULATE Accumulate false,
));

/// A state in the caller's memory: one column after the other.
struct Columns<M> {
    name: Name,
    count: usize,
    n: usize,
    memory: Memory<M>,
    clock: Memory<Clock>,
}

/// An item whose pointers have been checked.
enum Item {
    Floats(Memory<f32>),
    Word(Memory<u32>),
    Masks(Memory<gradus_masks>),
    Ensemble { head: Memory<gradus_ensemble>, members: Memory<f32>, n: usize, room: usize },
    State(Columns<f32>),
    Half(Columns<Bf16>),
}

impl Item {
    /// # Safety
    /// What the item points at is memory of its kind.
    unsafe fn new(item: &gradus_item) -> Result<Self, Refusal> {
        let gradus_item { kind, n, data, clock } = *item;
        Ok(match kind {
            GRADUS_ITEM_FLOATS => Self::Floats(Memory::new(data.cast(), n)?),
            GRADUS_ITEM_U32 => Self::Word(Memory::one(data.cast())?),
            GRADUS_ITEM_MASKS => Self::Masks(Memory::one(data.cast())?),
            GRADUS_ITEM_ENSEMBLE => {
                // SAFETY: the caller vouches for the memory, which is checked.
                let ensemble = unsafe { copy(data.cast_const().cast::<gradus_ensemble>())? };
                let (head, members) = (Memory::one(data.cast())?, ensemble.memory()?);
                Self::Ensemble { head, members, n: ensemble.n, room: ensemble.room as usize }
            }
            _ => {
                let of = kind & !GRADUS_ITEM_HALF;
                let (name, half, count) = state(of)?;
                if kind != of && !halves(of) {
                    return Err(GRADUS_ERROR_ENUM);
                }
                let (length, clock) = (area(n, count)?, Memory::one(clock)?);
                if kind == of {
                    Self::State(Columns { name, count, n, memory: Memory::new(data.cast(), length)?, clock })
                } else {
                    Self::Half(Columns {
                        name: half,
                        count,
                        n,
                        memory: Memory::new(data.cast(), length)?,
                        clock,
                    })
                }
            }
        })
    }

    /// What a call on this item touches.
    fn regions(&self, written: bool) -> [Region; 2] {
        fn both<A, B>(a: Memory<A>, b: Memory<B>, written: bool) -> [Region; 2] {
            if written { [a.written(), b.written()] } else { [a.read(), b.read()] }
        }
        let none = Region::NONE;
        match self {
            Self::Floats(floats) => [both(*floats, *floats, written)[0], none],
            Self::Word(word) => [both(*word, *word, written)[0], none],
            Self::Masks(masks) => [both(*masks, *masks, written)[0], none],
            Self::Ensemble { head, members, .. } => both(*head, *members, written),
            Self::State(state) => both(state.memory, state.clock, written),
            Self::Half(state) => both(state.memory, state.clock, written),
        }
    }
}

/// # Safety of all three
/// `new` has checked the pointers; the caller vouches for the memory.
impl<M: Number> Columns<M> {
    unsafe fn write(&self, to: &mut store::Writer<'_>) {
        // SAFETY: as said above; nothing is written.
        let (all, clock) = unsafe { (self.memory.slice(), self.clock.one_ref()) };
        let columns: [&[M]; MOST] = core::array::from_fn(|k| member(all, self.n, k));
        write_state(to, self.name, columns.get(..self.count).unwrap_or_default(), clock);
    }

    unsafe fn check(&self, from: &mut store::Reader<'_>) -> Result<(), store::Error> {
        check_state::<M>(from, self.name, self.count, Some(self.n))
    }

    unsafe fn read(&self, from: &mut store::Reader<'_>) {
        // SAFETY: as said above; no other view is alive.
        let (all, clock) = unsafe { (self.memory.slice_mut(), self.clock.one_mut()) };
        from.head();
        *clock = read_clock(from);
        from.column(all); // the columns lie one after the other in both
    }
}

/// Element `k` of slices of `n` that lie one after the other.
fn member<M>(all: &[M], n: usize, k: usize) -> &[M] {
    all.get(k * n..(k + 1) * n).unwrap_or_default()
}

/// # Safety of all three
/// `new` has checked the pointers for this kind; the caller vouches for the memory.
impl Item {
    unsafe fn write(&self, to: &mut store::Writer<'_>) {
        // SAFETY: as said above; nothing is written.
        unsafe {
            match self {
                Self::Floats(floats) => floats.slice().write(to),
                Self::Word(word) => word.one_ref().write(to),
                Self::Masks(masks) => masks.one_ref().build().write(to),
                Self::Ensemble { head, members, n, .. } => {
                    let (all, count) = (members.slice(), head.one_ref().count as usize);
                    ensemble::write(to, (0..count).map(|k| member(all, *n, k)));
                }
                Self::State(state) => state.write(to),
                Self::Half(state) => state.write(to),
            }
        }
    }

    unsafe fn check(&self, from: &mut store::Reader<'_>) -> Result<(), store::Error> {
        // SAFETY: as said above; nothing is written.
        unsafe {
            match self {
                Self::Floats(floats) => floats.slice().check(from),
                Self::Word(word) => word.one_ref().check(from),
                Self::Masks(masks) => masks.one_ref().build().check(from),
                Self::Ensemble { n, room, .. } => ensemble::check(from, *room, Some(*n)),
                Self::State(state) => state.check(from),
                Self::Half(state) => state.check(from),
            }
        }
    }

    unsafe fn read(&self, from: &mut store::Reader<'_>) {
        // SAFETY: as said above; no other view is alive.
        unsafe {
            match self {
                Self::Floats(floats) => floats.slice_mut().read(from),
                Self::Word(word) => word.one_mut().read(from),
                Self::Masks(masks) => {
                    let masks = masks.one_mut();
                    let mut generator = masks.build();
                    generator.read(from);
                    masks.keep(&generator);
                }
                Self::Ensemble { head, members, n, .. } => {
                    let (mut rest, head) = (members.slice_mut(), head.one_mut());
                    head.count = from.head().columns.min(head.room);
                    for _ in 0..head.count {
                        from.column(cut_mut(&mut rest, *n));
                    }
                }
                Self::State(state) => state.read(from),
                Self::Half(state) => state.read(from),
            }
        }
    }
}

/// The items of a file.
pub(super) struct List<'a>(&'a [gradus_item]);

impl List<'_> {
    /// Checks all items: apart from what else the call touches, and, to be loaded, from each other.
    ///
    /// # Safety
    /// The list lies in memory that nothing writes during the call.
    pub(super) unsafe fn new(
        items: *const gradus_item,
        count: usize,
        [a, b, c]: [Region; 3],
        load: bool,
    ) -> Result<Self, Refusal> {
        let list = Memory::new(items, count)?;
        apart([list.read(), a, b, c])?;
        // SAFETY: checked; the caller vouches for the memory.
        let items = unsafe { list.slice() };
        for (i, item) in items.iter().enumerate() {
            // SAFETY: the caller vouches for the memory.
            let regions = unsafe { Item::new(item)?.regions(load) };
            let [first, second] = regions;
            apart([list.read(), a, b, c, first, second])?;
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

impl From<store::Error> for Refusal {
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

/// Writes how many bytes the file of the `count` elements of `items` has to `size`; SIZE_MAX if there are more.
///
/// Errors: those of gradus_item.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_save_size(
    items: *const gradus_item,
    count: usize,
    size: *mut usize,
) -> gradus_status {
    guard(|| {
        // SAFETY: the caller vouches for memory behind the pointers, which are checked.
        unsafe {
            let apart = [Memory::one(size)?.written(), Region::NONE, Region::NONE];
            put(size, store::file_size(List::new(items, count, apart, false)?))
        }
    })
}

/// Saves the `count` elements of `items` as a file in `buffer`, and writes its bytes to `size`.
///
/// `buffer` has `capacity` bytes; gradus_save_size() says how many are needed.
/// The format is that of the Rust crate, with a checksum: bytes are the same on every target.
///
/// Errors: GRADUS_ERROR_FILE_LENGTH if the file is longer than `capacity`, and those of gradus_item.
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
            let list = List::new(items, count, [buffer.written(), size.written(), Region::NONE], false)?;
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
/// GRADUS_ERROR_FILE_CHECKSUM, GRADUS_ERROR_FILE_KIND, GRADUS_ERROR_FILE_SHAPE, GRADUS_ERROR_FILE_VALUE, and those of
/// gradus_item.
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
        unsafe {
            let list = List::new(items, count, [file.read(), Region::NONE, Region::NONE], true)?;
            Ok(store::load(list, file.slice())?)
        }
    })
}
