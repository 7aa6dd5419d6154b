//! `serde` for ensembles: a sequence of arrays.

use super::Ensemble;
use crate::store::serde_with::Array;
use core::fmt;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

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
