//! `serde` for states: a struct of the family's name, the columns and the clock.

#[cfg(feature = "alloc")]
use super::StateVec;
use super::record::name;
use super::{Clock, State, Stateful};
use crate::simd::ColumnSet;
use crate::store::bytes::Number;
use crate::store::serde_with::{Array, end};
use crate::store::{Family, Name};
#[cfg(feature = "alloc")]
use alloc::{string::ToString, vec::Vec};
use core::fmt;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
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
    /// The columns and the clock, if they are those of `O` in numbers of type `M`.
    fn of<O: Family, M: Number, E: de::Error>(self) -> Result<(C, Clock), E> {
        match self.family.expect(name::<O, M>()) {
            Ok(()) => Ok((self.columns, self.clock)),
            Err(error) => Err(E::custom(error)),
        }
    }
}

/// `K` columns of `N` numbers: an array of arrays.
struct Arrays<A>(A);

impl<T: Serialize, const N: usize> Serialize for Arrays<&[[T; N]]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for column in self.0 {
            tuple.serialize_element(&Array(column))?;
        }
        tuple.end()
    }
}

/// The columns of a state, to fill.
struct Filled<O: Stateful, const N: usize>(State<O, N>);

impl<'de, O: Stateful<Memory: Deserialize<'de>>, const N: usize> Deserialize<'de> for Filled<O, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(O::Columns::COUNT, Self(State::new()))
    }
}

impl<'de, O: Stateful<Memory: Deserialize<'de>>, const N: usize> Visitor<'de> for Filled<O, N> {
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

impl<O: Family + Stateful<Memory: Number + Serialize>, const N: usize> Serialize for State<O, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields { family: name::<O, O::Memory>(), columns: Arrays(self.columns.as_ref()), clock: self.clock }
            .serialize(serializer)
    }
}

impl<'de, O: Family + Stateful<Memory: Number + Deserialize<'de>>, const N: usize> Deserialize<'de>
    for State<O, N>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::<Filled<O, N>>::deserialize(deserializer)?;
        let (columns, clock) = fields.of::<O, O::Memory, D::Error>()?;
        let mut state = columns.0;
        state.clock = clock;
        Ok(state)
    }
}

#[cfg(feature = "alloc")]
impl<O: Family + Stateful<Memory: Number + Serialize>> Serialize for StateVec<O> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = self.columns();
        Fields { family: name::<O, O::Memory>(), columns, clock: self.clock }.serialize(serializer)
    }
}

#[cfg(feature = "alloc")]
impl<'de, O: Family + Stateful<Memory: Number + Deserialize<'de>>> Deserialize<'de> for StateVec<O> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::<Vec<Vec<O::Memory>>>::deserialize(deserializer)?;
        let (columns, clock) = fields.of::<O, O::Memory, D::Error>()?;
        let n = columns.first().map_or(0, Vec::len);
        let mut state = Self::new(n);
        if columns.len() != O::Columns::COUNT {
            return Err(de::Error::invalid_length(columns.len(), &O::Columns::COUNT.to_string().as_str()));
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
