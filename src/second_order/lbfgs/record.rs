//! How a minimiser lies in a file: its numbers, its point and gradients, its pairs.
//!
//! A run is saved between two evaluations, so that what lives within one is left out.

#[cfg(feature = "ffi")]
use super::borrowed::Borrowed;
use super::fixed::Lbfgs;
#[cfg(feature = "alloc")]
use super::heap::LbfgsVec;
use super::machine::{Core, Machine};
use super::two_loop::{Pair, Ring};
use super::walk::Vector;
use crate::second_order::Real;
use crate::store::bytes::{Head, Number, Reader, Writer};
use crate::store::{Error, Fixed, Load, Name, Save};

impl<T: Real + Number, V: Vector<T>, R: Vector<T>, H> Machine<T, V, R, H>
where
    H: AsRef<[Pair<V, R>]> + AsMut<[Pair<V, R>]>,
{
    fn head(&self) -> Head {
        let name = const { Name::new("lbfgs-").join(T::NAME.as_str()) };
        Head::new(name, self.history.pairs.as_ref().len(), self.x.as_ref().len())
    }

    /// Nothing reads `scratch`, nor products with pairs that are gone. They are written all the same, so that a run
    /// that was interrupted has the same files as one that was not, byte for byte.
    fn write(&self, to: &mut Writer<'_>) {
        to.head(self.head());
        { self.core }.fields(to);
        let Self { x, x0, g, direction, start_grad, scratch, history, .. } = self;
        for column in [x, x0, g, direction, start_grad] {
            to.column(column.as_ref());
        }
        to.column(scratch.as_ref());
        for Pair { s, y, products } in history.pairs.as_ref() {
            to.column(s.as_ref());
            to.column(y.as_ref());
            to.column(products.as_ref());
        }
    }

    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        let Head { name, columns, length } = self.head();
        from.head().expect(self.head())?;
        let mut found = self.core;
        found.fields(from);
        if from.refused || !found.fits(columns as usize) {
            return Err(Error::Value { name });
        }
        let (n, m) = (length, u64::from(columns));
        let vectors = (2 * m + 5).saturating_mul(n).saturating_add((m + 1).saturating_mul(m));
        from.skip(vectors.saturating_mul(size_of::<T>() as u64));
        Ok(())
    }

    fn read(&mut self, from: &mut Reader<'_>) {
        from.head();
        let capacity = self.history.pairs.as_ref().len();
        self.core.ring = Ring { capacity, ..Ring::EMPTY };
        self.core.fields(from);
        let Self { x, x0, g, direction, start_grad, scratch, history, .. } = self;
        for column in [x, x0, g, direction, start_grad] {
            from.column(column.as_mut());
        }
        from.column(scratch.as_mut());
        for Pair { s, y, products } in history.pairs.as_mut() {
            from.column(s.as_mut());
            from.column(y.as_mut());
            from.column(products.as_mut());
        }
    }
}

/// Saves and loads the machine inside; a method that is named acts on what was loaded.
macro_rules! record {
    ($([$($generics:tt)*] $type:ty $(, $loaded:ident)?;)*) => {
        $(
            impl<$($generics)*> Save for $type {
                fn write(&self, to: &mut Writer<'_>) {
                    self.machine.write(to);
                }
            }

            impl<$($generics)*> Load for $type {
                fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
                    self.machine.check(from)
                }
                fn read(&mut self, from: &mut Reader<'_>) {
                    self.machine.read(from);
                    $(self.$loaded();)?
                }
            }
        )*
    };
}

record! { [const N: usize, const M: usize, T: Real + Number] Lbfgs<N, M, T>; }
#[cfg(feature = "alloc")]
record! { [T: Real + Number] LbfgsVec<T>, keep_exec; }
#[cfg(feature = "ffi")]
record! { [T: Real + Number] Borrowed<'_, T>; }

impl<const N: usize, const M: usize, T: Real + Number> Fixed for Lbfgs<N, M, T> {
    const SIZE: usize = {
        let numbers = (2 * M + 5) * N + (M + 1) * M;
        Head::SIZE + Core::<T>::COUNT.bytes::<T>() + size_of::<T>() * numbers
    };
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use crate::second_order::{LbfgsSettings, LbfgsVec};
    use crate::simd::{Exec, Level};
    use crate::store;

    /// The place of a run is in no file: a run that is loaded goes on where its new owner is.
    #[test]
    fn a_loaded_run_goes_on_where_its_owner_is() {
        let mut from = LbfgsVec::<f32>::new(2).pairs(1);
        from.start(&[1.0, 2.0]).unwrap();
        let file = store::to_vec(&from).unwrap();
        let places = [
            Exec::new(),
            Exec::from(Level::SCALAR),
            #[cfg(feature = "rayon")]
            Exec::threads(),
        ];
        for exec in places {
            let fresh = LbfgsVec::<f32>::new(2).pairs(1).on(exec);
            let mut used = LbfgsVec::<f32>::new(2).pairs(1);
            used.start(&[3.0, 4.0]).unwrap();
            for mut solver in [fresh, used.settings(LbfgsSettings::new().on(exec))] {
                store::load(&mut solver, &file).unwrap();
                assert_eq!(solver.machine.core.settings.exec, exec);
                assert!(store::to_vec(&solver).unwrap() == file);
            }
        }
    }
}
