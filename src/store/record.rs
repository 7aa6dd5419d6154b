//! What can be saved, and how it lies in a file.

use super::bytes::{Head, Number, Reader, Writer};
use super::{Error, Name};
use crate::ensemble::*;
use crate::noise::Masks;
use crate::norm::BatchNorm;
use crate::optim::*;
use crate::schedule::PlateauState;
use crate::simd::ColumnSet;
#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use alloc::vec;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};

/// A value that can be saved: see the [module](crate::store) for the list.
///
/// References and tuples of such values are such values too. The trait is sealed by the types in
/// its methods; an optimizer of your own joins by [`Family`].
pub trait Save {
    #[doc(hidden)]
    fn write(&self, to: &mut Writer<'_>);
}

/// A value that can be loaded in place: a `&mut` of one, or a view such as [`StateMut`].
pub trait Load: Save {
    /// Passes over the value in the file, if it can be loaded.
    #[doc(hidden)]
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error>;

    /// Loads it, after `check` said that it can be.
    #[doc(hidden)]
    fn read(&mut self, from: &mut Reader<'_>);
}

/// A value whose largest size in a file the compiler knows: see [`size_of`](super::size_of).
pub trait Fixed: Load {
    #[doc(hidden)]
    const SIZE: usize;
}

/// The name of an optimizer in files, so that no state is loaded as another rule's.
///
/// ```
/// use gradus::{State, store::{self, Family, Name}};
/// struct SignSgd; // an optimizer of your own, with one column of state
/// impl Family for SignSgd {
///     const NAME: Name = Name::new("signsgd");
/// }
/// let state = State::<SignSgd, 1, 8>::new();
/// assert_eq!(store::to_vec(&state).map(|file| file.len()), Ok(store::size(&state)));
/// ```
pub trait Family {
    /// Its name: never another one, once a file has it.
    const NAME: Name;
}

macro_rules! families {
    ($($optimizer:ident $name:literal,)*) => {
        $(impl Family for $optimizer {
            const NAME: Name = Name::new($name);
        })*
    };
}

families! {
    BatchNorm "batchnorm",
    Ema "ema",
    Swa "swa",
}

impl<T: Save + ?Sized> Save for &T {
    fn write(&self, to: &mut Writer<'_>) {
        (**self).write(to);
    }
}

impl<T: Save + ?Sized> Save for &mut T {
    fn write(&self, to: &mut Writer<'_>) {
        (**self).write(to);
    }
}

impl<T: Load + ?Sized> Load for &mut T {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        (**self).check(from)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        (**self).read(from);
    }
}

#[cfg(feature = "alloc")]
impl<T: Save + ?Sized> Save for Box<T> {
    fn write(&self, to: &mut Writer<'_>) {
        (**self).write(to);
    }
}

#[cfg(feature = "alloc")]
impl<T: Load + ?Sized> Load for Box<T> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        (**self).check(from)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        (**self).read(from);
    }
}

/// A list of values, one after the other: the layers of a model.
impl<T: Save> Save for [T] {
    fn write(&self, to: &mut Writer<'_>) {
        for value in self {
            value.write(to);
        }
    }
}

impl<T: Load> Load for [T] {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        for value in self {
            value.check(from)?;
        }
        Ok(())
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        for value in self {
            value.read(from);
        }
    }
}

/// A clock in a file: `t`, then `carry`.
fn clock_bytes(clock: &Clock) -> [u8; 8] {
    (u64::from(clock.carry.to_bits()) << 32 | u64::from(clock.t)).to_le_bytes()
}

fn clock(bytes: [u8; 8]) -> Clock {
    let bits = u64::from_le_bytes(bytes);
    Clock { t: bits as u32, carry: f32::from_bits((bits >> 32) as u32) }
}

/// The four words of one generator after the other.
fn mask_bytes(masks: &Masks) -> [u8; 128] {
    let mut bytes = [0; 128];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(masks.state().as_flattened()) {
        *bytes = word.to_le_bytes();
    }
    bytes
}

fn masks(bytes: &[u8; 128]) -> Masks {
    let mut state = [[0; 4]; 8];
    for (bytes, word) in bytes.as_chunks().0.iter().zip(state.as_flattened_mut()) {
        *word = u32::from_le_bytes(*bytes);
    }
    Masks::from_state(state)
}

/// The head of a state: its columns may lie anywhere, but must be of one length.
fn head_of<T: AsRef<[f32]>>(name: Name, columns: &[T]) -> Result<Head, Error> {
    let n = columns.first().map_or(0, |column| column.as_ref().len());
    for column in columns {
        let found = column.as_ref().len();
        if found != n {
            return Err(Error::Elements { expected: n as u64, found: found as u64 });
        }
    }
    Ok(Head::new(name, columns.len(), n))
}

pub(crate) fn write_state<T: AsRef<[f32]>>(to: &mut Writer<'_>, name: Name, columns: &[T], clock: Clock) {
    match head_of(name, columns) {
        Ok(head) => to.head(head),
        Err(error) => to.fail(error),
    }
    to.bytes(&clock_bytes(&clock));
    for column in columns {
        to.column(column.as_ref());
    }
}

pub(crate) fn check_state(from: &mut Reader<'_>, head: Head) -> Result<(), Error> {
    from.expect(head)?;
    from.skip(8);
    from.skip(head.length.saturating_mul(4 * u64::from(head.columns)));
    Ok(())
}

impl<O: Family + Stateful> Save for StateMut<'_, O> {
    fn write(&self, to: &mut Writer<'_>) {
        write_state(to, O::NAME, self.columns.as_ref(), *self.clock);
    }
}

impl<O: Family + Stateful> Load for StateMut<'_, O> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        check_state(from, head_of(O::NAME, self.columns.as_ref())?)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        from.head();
        *self.clock = clock(from.bytes());
        for column in self.columns.as_mut() {
            from.column(column);
        }
    }
}

impl<O: Family + Stateful, const N: usize> Save for State<O, N> {
    fn write(&self, to: &mut Writer<'_>) {
        write_state(to, O::NAME, self.columns.as_ref(), self.clock);
    }
}

impl<O: Family + Stateful, const N: usize> Load for State<O, N> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        check_state(from, head_of(O::NAME, self.columns.as_ref())?)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        self.as_mut().read(from);
    }
}

impl<O: Family + Stateful, const N: usize> Fixed for State<O, N> {
    const SIZE: usize = Head::SIZE + 8 + 4 * O::Columns::COUNT * N;
}

#[cfg(feature = "alloc")]
impl<O: Family + Stateful> Save for StateVec<O> {
    fn write(&self, to: &mut Writer<'_>) {
        write_state(to, O::NAME, self.columns(), self.clock);
    }
}

/// The number of parameters comes from the file.
#[cfg(feature = "alloc")]
impl<O: Family + Stateful> Load for StateVec<O> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        let length = if O::Columns::COUNT == 0 { 0 } else { from.peek().length };
        check_state(from, Head { length, ..Head::new(O::NAME, O::Columns::COUNT, 0) })
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        *self = Self::new(from.peek().length as usize);
        self.as_mut().read(from);
    }
}

/// Slices, arrays and vectors of one number type.
macro_rules! numbers {
    ($t:ident) => {
        impl Save for [$t] {
            fn write(&self, to: &mut Writer<'_>) {
                to.head(Head::new($t::NAME, 1, self.len()));
                to.column(self);
            }
        }

        impl Load for [$t] {
            fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
                from.expect(Head::new($t::NAME, 1, self.len()))?;
                from.skip(size_of_val(self) as u64);
                Ok(())
            }
            fn read(&mut self, from: &mut Reader<'_>) {
                from.head();
                from.column(self);
            }
        }

        impl<const N: usize> Save for [$t; N] {
            fn write(&self, to: &mut Writer<'_>) {
                self.as_slice().write(to);
            }
        }

        impl<const N: usize> Load for [$t; N] {
            fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
                self.as_slice().check(from)
            }
            fn read(&mut self, from: &mut Reader<'_>) {
                self.as_mut_slice().read(from);
            }
        }

        impl<const N: usize> Fixed for [$t; N] {
            const SIZE: usize = Head::SIZE + size_of::<[$t; N]>();
        }

        #[cfg(feature = "alloc")]
        impl Save for Vec<$t> {
            fn write(&self, to: &mut Writer<'_>) {
                self.as_slice().write(to);
            }
        }

        /// The length comes from the file.
        #[cfg(feature = "alloc")]
        impl Load for Vec<$t> {
            fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
                let length = from.peek().length;
                from.expect(Head { length, ..Head::new($t::NAME, 1, 0) })?;
                from.skip(length.saturating_mul(size_of::<$t>() as u64));
                Ok(())
            }
            fn read(&mut self, from: &mut Reader<'_>) {
                self.resize(from.peek().length as usize, 0.0);
                self.as_mut_slice().read(from);
            }
        }
    };
}

numbers!(f32);
numbers!(f64);

/// A value of a fixed number of bytes, which not all bytes must be.
macro_rules! plain {
    ($t:ty, $name:literal, $size:expr, $to_bytes:expr, $from_bytes:expr) => {
        impl Save for $t {
            fn write(&self, to: &mut Writer<'_>) {
                let bytes: [u8; $size] = $to_bytes(self);
                to.head(Head::new(const { Name::new($name) }, 1, 1));
                to.bytes(&bytes);
            }
        }

        impl Load for $t {
            fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
                let name = const { Name::new($name) };
                from.expect(Head::new(name, 1, 1))?;
                let value: Option<$t> = $from_bytes(from.bytes());
                if value.is_some() { Ok(()) } else { Err(Error::Value { name }) }
            }
            fn read(&mut self, from: &mut Reader<'_>) {
                from.head();
                *self = $from_bytes(from.bytes()).unwrap_or(self.clone());
            }
        }

        impl Fixed for $t {
            const SIZE: usize = Head::SIZE + $size;
        }
    };
}

plain!(u32, "u32", 4, |x: &u32| x.to_le_bytes(), |x| Some(u32::from_le_bytes(x)));
plain!(Clock, "clock", 8, clock_bytes, |x| Some(clock(x)));
plain!(PlateauState, "plateau", 20, PlateauState::to_bytes, |x| Some(PlateauState::from_bytes(x)));
plain!(Xoshiro128PlusPlus, "xoshiro128++", 16, Xoshiro128PlusPlus::state, |x| {
    // Zeros are no state of this generator: it would never leave them.
    (x != [0; 16]).then(|| Xoshiro128PlusPlus::from_seed(x))
});

plain!(Masks, "masks", 128, mask_bytes, |x| {
    let masks = masks(&x);
    (mask_bytes(&masks) == x).then_some(masks) // a generator of zeros does not come back
});

const ENSEMBLE: Name = Name::new("ensemble");

/// One column for each member; no member has no parameter, so that none takes no byte.
fn write_ensemble<'a>(to: &mut Writer<'_>, members: impl ExactSizeIterator<Item = &'a [f32]> + Clone) {
    let n = members.clone().next().map_or(0, <[f32]>::len);
    to.head(Head::new(ENSEMBLE, members.len(), n));
    members.for_each(|params| to.column(params));
}

impl<const N: usize, const M: usize> Save for Ensemble<N, M> {
    fn write(&self, to: &mut Writer<'_>) {
        write_ensemble(to, self.members().iter().map(|params| params.as_slice()));
    }
}

/// `n` is the number of parameters where there is a member.
fn check_ensemble(from: &mut Reader<'_>, members: u32, n: u64) -> Result<(), Error> {
    let n = if members == 0 { 0 } else { n };
    from.expect(Head { columns: members, length: n, ..Head::new(ENSEMBLE, 0, 0) })?;
    if members > 0 && n == 0 {
        return Err(Error::Value { name: ENSEMBLE });
    }
    from.skip(n.saturating_mul(4).saturating_mul(members.into()));
    Ok(())
}

impl<const N: usize, const M: usize> Load for Ensemble<N, M> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        // A file with more members is one that has not M.
        check_ensemble(from, from.peek().columns.min(u32::try_from(M).unwrap_or(u32::MAX)), N as u64)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        *self = Self::new();
        for _ in 0..from.head().columns {
            let mut params = [0.0; N];
            from.column(&mut params);
            let _ = self.push(&params); // as many as `check` has found room for
        }
    }
}

/// The size of a full one.
impl<const N: usize, const M: usize> Fixed for Ensemble<N, M> {
    const SIZE: usize = Head::SIZE + 4 * N * M;
}

#[cfg(feature = "alloc")]
impl Save for EnsembleVec {
    fn write(&self, to: &mut Writer<'_>) {
        write_ensemble(to, self.members().iter().map(Vec::as_slice));
    }
}

/// The number of models and their size come from the file.
#[cfg(feature = "alloc")]
impl Load for EnsembleVec {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        let Head { columns, length, .. } = from.peek();
        check_ensemble(from, columns, length)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        *self = Self::new();
        let Head { columns, length, .. } = from.head();
        for _ in 0..columns {
            let mut params = vec![0.0; length as usize];
            from.column(&mut params);
            let _ = self.push(&params); // of one size, and not empty: `check` has seen it
        }
    }
}

macro_rules! tuple {
    ($($t:ident)*) => {
        impl<$($t: Save),*> Save for ($($t,)*) {
            #[allow(non_snake_case, unused_variables)]
            fn write(&self, to: &mut Writer<'_>) {
                let ($($t,)*) = self;
                $($t.write(to);)*
            }
        }

        impl<$($t: Load),*> Load for ($($t,)*) {
            #[allow(non_snake_case, unused_variables)]
            fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
                let ($($t,)*) = self;
                $($t.check(from)?;)*
                Ok(())
            }
            #[allow(non_snake_case, unused_variables)]
            fn read(&mut self, from: &mut Reader<'_>) {
                let ($($t,)*) = self;
                $($t.read(from);)*
            }
        }

        impl<$($t: Fixed),*> Fixed for ($($t,)*) {
            const SIZE: usize = 0 $(+ $t::SIZE)*;
        }
    };
}

tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
tuple!(A B C D E F G);
tuple!(A B C D E F G H);
