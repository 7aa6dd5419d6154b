//! `serde` for arrays and states: by hand, because derives know neither `[T; N]` nor equal lengths.
//!
//! An array is a tuple, whose length a format need not write. A state is a struct of the family's
//! name, the columns and the clock.

use super::{Family, Name};
use crate::ensemble::Ensemble;
use crate::optim::{Clock, State, Stateful};
use crate::simd::ColumnSet;
#[cfg(feature = "alloc")]
use alloc::{string::ToString, vec::Vec};
use core::fmt;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(rename = "State")]
struct Fields<C> {
    family: Name,
    columns: C,
    clock: Clock,
}

impl<C> Fields<C> {
    /// The columns and the clock, if they are those of `O`.
    fn of<O: Family, E: de::Error>(self) -> Result<(C, Clock), E> {
        match self.family.expect(O::NAME) {
            Ok(()) => Ok((self.columns, self.clock)),
            Err(error) => Err(E::custom(error)),
        }
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name of at most twelve bytes")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
                Name::try_new(text).ok_or(E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// For `#[serde(with = "crate::store::array")]` of a field that is an array.
pub mod array {
    use super::*;

    pub fn serialize<S: Serializer, T: Serialize, const N: usize>(
        array: &[T; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Array(array).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de> + Copy + Default, const N: usize>(
        deserializer: D,
    ) -> Result<[T; N], D::Error> {
        let mut array = [T::default(); N];
        Array(&mut array).deserialize(deserializer)?;
        Ok(array)
    }
}

/// For `#[serde(with = "crate::store::unbounded")]` of a limit: the largest value is none. JSON has no number for
/// infinity, and the largest index of one machine is none of another.
pub mod unbounded {
    use super::*;
    use crate::simd::Element;

    /// What has a value that stands for no limit.
    pub trait Limit: PartialEq {
        const NONE: Self;
    }
    impl<T: Element> Limit for T {
        const NONE: Self = T::INFINITY;
    }
    impl Limit for usize {
        const NONE: Self = usize::MAX;
    }

    pub fn serialize<S: Serializer, T: Limit + Serialize>(
        limit: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if *limit == T::NONE { None } else { Some(limit) }.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: Limit + Deserialize<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(T::NONE))
    }
}

/// An array, to serialize or to fill.
struct Array<A>(A);

/// `K` columns of `N` numbers: an array of arrays.
struct Arrays<A>(A);

impl<T: Serialize, const N: usize> Serialize for Array<&[T; N]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        for x in self.0 {
            tuple.serialize_element(x)?;
        }
        tuple.end()
    }
}

impl<const N: usize> Serialize for Arrays<&[[f32; N]]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for column in self.0 {
            tuple.serialize_element(&Array(column))?;
        }
        tuple.end()
    }
}

/// The end of a tuple of `n`, where no element may be left.
fn end<'de, A: SeqAccess<'de>>(mut tuple: A, n: usize, expected: &dyn de::Expected) -> Result<(), A::Error> {
    match tuple.next_element::<IgnoredAny>()? {
        None => Ok(()),
        Some(_) => Err(de::Error::invalid_length(n + 1, expected)),
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> DeserializeSeed<'de> for Array<&mut [T; N]> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_tuple(N, self)
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Array<&mut [T; N]> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} elements")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut tuple: A) -> Result<(), A::Error> {
        for k in 0..N {
            match (tuple.next_element()?, self.0.get_mut(k)) {
                (Some(found), Some(x)) => *x = found,
                _ => return Err(de::Error::invalid_length(k, &self)),
            }
        }
        end(tuple, N, &self)
    }
}

/// The columns of a state, to fill.
struct Filled<O: Stateful, const N: usize>(State<O, N>);

impl<'de, O: Stateful, const N: usize> Deserialize<'de> for Filled<O, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(O::Columns::COUNT, Self(State::new()))
    }
}

impl<'de, O: Stateful, const N: usize> Visitor<'de> for Filled<O, N> {
    type Value = Self;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} columns", O::Columns::COUNT)
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut tuple: A) -> Result<Self, A::Error> {
        for (k, column) in self.0.columns.as_mut().iter_mut().enumerate() {
            if tuple.next_element_seed(Array(column))?.is_none() {
                return Err(de::Error::invalid_length(k, &"a column each"));
            }
        }
        end(tuple, O::Columns::COUNT, &self)?;
        Ok(self)
    }
}

impl<O: Family + Stateful, const N: usize> Serialize for State<O, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields { family: O::NAME, columns: Arrays(self.columns.as_ref()), clock: self.clock }
            .serialize(serializer)
    }
}

impl<'de, O: Family + Stateful, const N: usize> Deserialize<'de> for State<O, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::<Filled<O, N>>::deserialize(deserializer)?;
        let (columns, clock) = fields.of::<O, D::Error>()?;
        let mut state = columns.0;
        state.clock = clock;
        Ok(state)
    }
}

/// A sequence of arrays.
impl<const N: usize, const M: usize> Serialize for Ensemble<N, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.members().iter().map(Array))
    }
}

impl<'de, const N: usize, const M: usize> Deserialize<'de> for Ensemble<N, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<const N: usize, const M: usize>;
        impl<'de, const N: usize, const M: usize> Visitor<'de> for Members<N, M> {
            type Value = Ensemble<N, M>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {M} members of {N} parameters")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut ensemble = Ensemble::new();
                let mut params = [0.0; N];
                while members.next_element_seed(Array(&mut params))?.is_some() {
                    ensemble.push(&params).map_err(de::Error::custom)?;
                }
                Ok(ensemble)
            }
        }
        deserializer.deserialize_seq(Members)
    }
}

#[cfg(feature = "alloc")]
mod heap {
    use super::*;
    use crate::optim::StateVec;

    impl<O: Family + Stateful> Serialize for StateVec<O> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let columns = self.columns();
            Fields { family: O::NAME, columns, clock: self.clock }.serialize(serializer)
        }
    }

    impl<'de, O: Family + Stateful> Deserialize<'de> for StateVec<O> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let fields = Fields::<Vec<Vec<f32>>>::deserialize(deserializer)?;
            let (columns, clock) = fields.of::<O, D::Error>()?;
            let n = columns.first().map_or(0, Vec::len);
            let mut state = Self::new(n);
            if columns.len() != O::Columns::COUNT {
                return Err(de::Error::invalid_length(
                    columns.len(),
                    &O::Columns::COUNT.to_string().as_str(),
                ));
            }
            for (to, from) in state.columns_mut().as_mut().iter_mut().zip(&columns) {
                if from.len() != n {
                    return Err(de::Error::invalid_length(from.len(), &n.to_string().as_str()));
                }
                to.copy_from_slice(from);
            }
            state.clock = clock;
            Ok(state)
        }
    }
}
