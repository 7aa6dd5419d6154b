//! How a state lies in a file: its clock, then its columns.

#[cfg(feature = "alloc")]
use super::StateVec;
use super::{Clock, State, StateMut, Stateful};
use crate::simd::ColumnSet;
use crate::store::bytes::{Head, LARGEST, Number, room};
use crate::store::{Error, Family, Fixed, Load, Name, Reader, Save, Writer, plain};

/// Bytes of a clock: `t`, then `carry`.
const CLOCK: usize = 8;

fn clock_bytes(clock: &Clock) -> [u8; CLOCK] {
    (u64::from(clock.carry.to_bits()) << 32 | u64::from(clock.t)).to_le_bytes()
}

pub(super) fn clock(bytes: [u8; CLOCK]) -> Clock {
    let bits = u64::from_le_bytes(bytes);
    Clock { t: bits as u32, carry: f32::from_bits((bits >> 32) as u32) }
}

plain!(Clock, "clock", CLOCK, clock_bytes, |x| Some(clock(x)));

/// The name of a state of `O` whose columns are kept as `M`.
pub(super) const fn name<O: Family, M: Number>() -> Name {
    const { O::NAME.join(M::SUFFIX) }
}

/// Writes the state of optimizer `O` in any memory.
fn write_state<O: Family, M: Number, C: AsRef<[M]>>(to: &mut Writer<'_>, columns: &[C], clock: &Clock) {
    write_named(to, name::<O, M>(), columns, clock);
}

/// Writes a state under its name.
pub(crate) fn write_named<M: Number, C: AsRef<[M]>>(
    to: &mut Writer<'_>,
    name: Name,
    columns: &[C],
    clock: &Clock,
) {
    match Head::of(name, columns) {
        Ok(head) => to.head(head),
        Err(error) => to.fail(error),
    }
    to.bytes(&clock_bytes(clock));
    for column in columns {
        to.column(column.as_ref());
    }
}

/// Passes over the state of optimizer `O` in a file, if it has as many columns of as many elements; of any number if
/// that is not given.
fn check_state<O: Family, M: Number>(
    from: &mut Reader<'_>,
    columns: usize,
    length: Option<usize>,
) -> Result<(), Error> {
    check_named::<M>(from, name::<O, M>(), columns, length)
}

/// Passes over the state of a name in a file: one that is to be loaded into new memory where `length` is not given.
pub(crate) fn check_named<M: Number>(
    from: &mut Reader<'_>,
    name: Name,
    columns: usize,
    length: Option<usize>,
) -> Result<(), Error> {
    let found = from.head();
    let (length, most) = match length {
        _ if columns == 0 => (0, 0),
        Some(length) => (length as u64, u64::MAX),
        None => (found.length, LARGEST),
    };
    found.expect(Head { length, ..Head::new(name, columns, 0) })?;
    from.skip(CLOCK as u64);
    from.skip(room(length, size_of::<M>() * columns, most)?);
    Ok(())
}

/// Reads the clock of a state, which stands behind its head.
pub(crate) fn read_clock(from: &mut Reader<'_>) -> Clock {
    clock(from.bytes())
}

/// Reads what stands behind the head of a state.
fn read_state<O: Stateful<Memory: Number>>(from: &mut Reader<'_>, state: StateMut<'_, O>) {
    let StateMut { mut columns, clock: to, .. } = state;
    *to = read_clock(from);
    for column in columns.as_mut() {
        from.column(column);
    }
}

impl<O: Family + Stateful<Memory: Number>> Save for StateMut<'_, O> {
    fn write(&self, to: &mut Writer<'_>) {
        write_state::<O, O::Memory, _>(to, self.columns.as_ref(), self.clock);
    }
}

impl<O: Family + Stateful<Memory: Number>> Load for StateMut<'_, O> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        let Head { length, .. } = Head::of(O::NAME, self.columns.as_ref())?;
        check_state::<O, O::Memory>(from, O::Columns::COUNT, Some(length as usize))
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        from.head();
        read_state(from, self.reborrow());
    }
}

impl<O: Family + Stateful<Memory: Number>, const N: usize> Save for State<O, N> {
    fn write(&self, to: &mut Writer<'_>) {
        write_state::<O, O::Memory, _>(to, self.columns.as_ref(), &self.clock);
    }
}

impl<O: Family + Stateful<Memory: Number>, const N: usize> Load for State<O, N> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        check_state::<O, O::Memory>(from, O::Columns::COUNT, Some(N))
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        self.as_mut().read(from);
    }
}

impl<O: Family + Stateful<Memory: Number>, const N: usize> Fixed for State<O, N> {
    const SIZE: usize = Head::SIZE + CLOCK + size_of::<O::Memory>() * O::Columns::COUNT * N;
}

#[cfg(feature = "alloc")]
impl<O: Family + Stateful<Memory: Number>> Save for StateVec<O> {
    fn write(&self, to: &mut Writer<'_>) {
        write_state::<O, O::Memory, _>(to, self.columns(), &self.clock);
    }
}

/// The number of parameters comes from the file.
#[cfg(feature = "alloc")]
impl<O: Family + Stateful<Memory: Number>> Load for StateVec<O> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        check_state::<O, O::Memory>(from, O::Columns::COUNT, None)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        let length = from.head().length;
        *self = Self::new(from.at_most(length, size_of::<O::Memory>() * O::Columns::COUNT));
        read_state(from, self.as_mut());
    }
}
