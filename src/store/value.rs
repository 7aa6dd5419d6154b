//! What can be saved and loaded: the traits, and the values that belong to no other room.

use super::Error;
use super::bytes::{Head, Number, Reader, Writer};
#[cfg(feature = "alloc")]
use alloc::{boxed::Box, vec::Vec};
use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};

/// A value that can be saved: see the [module](crate::store) for the list.
///
/// References and tuples of such values are such values too. The trait is sealed by the types in
/// its methods; an optimizer of your own joins by [`Family`](super::Family).
pub trait Save {
    #[doc(hidden)]
    fn write(&self, to: &mut Writer<'_>);
}

/// A value that can be loaded in place: a `&mut` of one, or a view such as [`StateMut`](crate::StateMut).
pub trait Load: Save {
    /// Passes over the value in the file, if it can be loaded.
    #[doc(hidden)]
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error>;

    /// Loads it, after `check` said that it can be.
    #[doc(hidden)]
    fn read(&mut self, from: &mut Reader<'_>);
}

/// A value whose largest size in a file the compiler knows: see [`file_size_of`](super::file_size_of).
pub trait Fixed: Load {
    #[doc(hidden)]
    const SIZE: usize;
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
                from.head().expect(Head::new($t::NAME, 1, self.len()))?;
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
                let head = from.head();
                head.expect(Head { length: head.length, ..Head::new($t::NAME, 1, 0) })?;
                from.skip_new(head.length, size_of::<$t>())
            }
            fn read(&mut self, from: &mut Reader<'_>) {
                let length = from.head().length;
                self.resize(from.at_most(length, size_of::<$t>()), 0.0);
                from.column(self);
            }
        }
    };
}

numbers!(f32);
numbers!(f64);

/// Saves and loads a type by two functions: to an array of bytes, and from one, which may hold no such value.
macro_rules! plain {
    ($t:ty, $name:literal, $size:expr, $to_bytes:expr, $from_bytes:expr) => {
        impl $crate::store::Save for $t {
            fn write(&self, to: &mut $crate::store::Writer<'_>) {
                let bytes: [u8; $size] = $to_bytes(self);
                let name = const { $crate::store::Name::new($name) };
                to.head($crate::store::bytes::Head::new(name, 1, 1));
                to.bytes(&bytes);
            }
        }

        impl $crate::store::Load for $t {
            fn check(&self, from: &mut $crate::store::Reader<'_>) -> Result<(), $crate::store::Error> {
                let name = const { $crate::store::Name::new($name) };
                from.head().expect($crate::store::bytes::Head::new(name, 1, 1))?;
                let value: Option<$t> = $from_bytes(from.bytes());
                if value.is_some() { Ok(()) } else { Err($crate::store::Error::Value { name }) }
            }
            fn read(&mut self, from: &mut $crate::store::Reader<'_>) {
                from.head();
                if let Some(value) = $from_bytes(from.bytes()) {
                    *self = value;
                }
            }
        }

        impl $crate::store::Fixed for $t {
            const SIZE: usize = $crate::store::bytes::Head::SIZE + $size;
        }
    };
}
pub(crate) use plain;

plain!(u32, "u32", 4, |x: &u32| x.to_le_bytes(), |x| Some(u32::from_le_bytes(x)));
plain!(Xoshiro128PlusPlus, "xoshiro128++", 16, Xoshiro128PlusPlus::state, |x| {
    // Zeros are no state of this generator: it would never leave them.
    (x != [0; 16]).then(|| Xoshiro128PlusPlus::from_seed(x))
});

macro_rules! tuple {
    ($($t:ident)*) => {
        impl<$($t: Save),*> Save for ($($t,)*) {
            #[allow(non_snake_case, unused_variables, reason = "a name is that of its type; the empty tuple uses nothing")]
            fn write(&self, to: &mut Writer<'_>) {
                let ($($t,)*) = self;
                $($t.write(to);)*
            }
        }

        impl<$($t: Load),*> Load for ($($t,)*) {
            #[allow(non_snake_case, unused_variables, reason = "a name is that of its type; the empty tuple uses nothing")]
            fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
                let ($($t,)*) = self;
                $($t.check(from)?;)*
                Ok(())
            }
            #[allow(non_snake_case, unused_variables, reason = "a name is that of its type; the empty tuple uses nothing")]
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
