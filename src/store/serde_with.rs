//! `serde` for names, arrays and limits: by hand, because derives do not know `[T; N]`.
//!
//! An array is a tuple, whose length a format need not write.

use super::Name;
use core::fmt;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};

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
                f.write_str("a name of at most sixteen bytes")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
                Name::NONE.joined(text.as_bytes()).ok_or(E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// For `#[serde(with = "crate::store::serde_with::array")]` of a field that is an array.
pub(crate) mod array {
    use super::*;

    pub(crate) fn serialize<S: Serializer, T: Serialize, const N: usize>(
        array: &[T; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Array(array).serialize(serializer)
    }

    pub(crate) fn deserialize<
        'de,
        D: Deserializer<'de>,
        T: Deserialize<'de> + Copy + Default,
        const N: usize,
    >(
        deserializer: D,
    ) -> Result<[T; N], D::Error> {
        let mut array = [T::default(); N];
        Array(&mut array).deserialize(deserializer)?;
        Ok(array)
    }
}

/// For `#[serde(with = "crate::store::serde_with::unbounded")]` of a limit: the largest value is none. JSON has no number for
/// infinity, and the largest index of one machine is none of another.
pub(crate) mod unbounded {
    use super::*;
    use crate::simd::Element;

    /// What has a value that stands for no limit.
    pub(crate) trait Limit: PartialEq {
        const NONE: Self;
    }
    impl<T: Element> Limit for T {
        const NONE: Self = T::INFINITY;
    }
    impl Limit for usize {
        const NONE: Self = Self::MAX;
    }

    pub(crate) fn serialize<S: Serializer, T: Limit + Serialize>(
        limit: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if *limit == T::NONE { None } else { Some(limit) }.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Limit + Deserialize<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(T::NONE))
    }
}

/// An array, to serialize or to fill.
pub(crate) struct Array<A>(pub A);

impl<T: Serialize, const N: usize> Serialize for Array<&[T; N]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        for x in self.0 {
            tuple.serialize_element(x)?;
        }
        tuple.end()
    }
}

/// The end of a tuple of `n`, where no element may be left.
pub(crate) fn end<'de, A: SeqAccess<'de>>(
    mut tuple: A,
    n: usize,
    expected: &dyn de::Expected,
) -> Result<(), A::Error> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use de::value::{Error, SeqAccessDeserializer, SeqDeserializer};
    use std::string::ToString;

    /// JSON refuses what is left of a sequence by itself; a format need not.
    #[test]
    fn a_tuple_has_neither_fewer_elements_nor_more() {
        let filled = |n: u32| {
            let mut array = [0; 2];
            let sequence = SeqDeserializer::<_, Error>::new(1..=n);
            let done = Array(&mut array).deserialize(SeqAccessDeserializer::new(sequence));
            done.map(|()| array).map_err(|error| error.to_string())
        };
        assert_eq!(filled(2), Ok([1, 2]));
        for n in [0, 1, 3, 9] {
            assert_eq!(filled(n), Err(std::format!("invalid length {}, expected 2 elements", n.min(3))));
        }
    }
}
