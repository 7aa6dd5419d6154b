//! An optimizer that is chosen at run time: by a command line, a configuration file, a message to a device.

#[cfg(feature = "alloc")]
use super::record::{check_named, write_named};
use super::*;
#[cfg(feature = "alloc")]
use crate::cut::cut;
use crate::cut::cut_mut;
use crate::error::{Argument, ensure, same_length};
#[cfg(feature = "alloc")]
use crate::store::{self, Load, Reader, Save, Writer};
use crate::store::{Family, Name};
#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};
use core::fmt;
use core::str::FromStr;

/// A function over any optimizer, called with the type that was chosen at run time: see [`AnyOptimizer::visit`].
pub trait Visitor {
    /// Its result.
    type Out;
    /// Does it.
    fn visit<O: Optimizer<Family = O> + Family + fmt::Debug>(self, optimizer: O) -> Self::Out;
}

/// The error of a text that names no optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownOptimizer;

impl fmt::Display for UnknownOptimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no optimizer has this name; there are:")?;
        AnyOptimizer::NAMES.iter().try_for_each(|name| write!(f, " {name}"))
    }
}

impl core::error::Error for UnknownOptimizer {}

macro_rules! any {
    (() $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {
        /// Any optimizer of the crate, chosen at run time.
        ///
        /// It steps as the optimizer inside does, with the same bits. It is no [`Optimizer`] itself, because the type of
        /// a state would not be known; its states are [`AnyState`] on the heap and [`AnyStateMut`] in any memory.
        ///
        /// ```
        /// use gradus::AnyOptimizer;
        ///
        /// let optimizer: AnyOptimizer = "rmsprop".parse()?; // with the learning rate that is usual for it
        /// let optimizer = optimizer.with_lr(0.1);
        /// # #[cfg(feature = "alloc")] {
        /// let mut params = vec![1.0; 100];
        /// let mut state = optimizer.state(params.len());
        /// optimizer.step_slices(&mut params, &[0.5; 100], state.as_mut())?;
        /// assert!(params[0] < 1.0);
        /// # }
        ///
        /// let error = "adm".parse::<AnyOptimizer>().unwrap_err();
        /// assert!(error.to_string().contains("adamw"));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub enum AnyOptimizer {
            $(#[doc = concat!("[`", stringify!($optimizer), "`], by the name `", $name, "`.")] $optimizer($optimizer),)*
        }

        $(
            impl From<$optimizer> for AnyOptimizer {
                fn from(optimizer: $optimizer) -> Self {
                    Self::$optimizer(optimizer)
                }
            }

            impl Family for $optimizer {
                const NAME: Name = Name::new($name);
            }

            /// Its defaults, with the learning rate that is usual for it.
            impl Default for $optimizer {
                fn default() -> Self {
                    Self::new($lr)
                }
            }
        )*

        impl AnyOptimizer {
            /// The names, as [`FromStr`] reads them and saved files have them.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Its name.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$optimizer(_) => $name,)*
                }
            }

            /// Columns of its state.
            #[must_use]
            pub const fn columns(&self) -> usize {
                match self {
                    $(Self::$optimizer(_) => Columns::<$optimizer>::COUNT,)*
                }
            }

            /// Calls `visitor` with the optimizer inside: the way to transforms, lists of tensors and whatever else is
            /// generic over an [`Optimizer`].
            ///
            /// ```
            /// use gradus::{AnyOptimizer, Optimizer, Visitor, transform::Scale};
            ///
            /// /// One step of a mini-batch on three parameters.
            /// struct Step<'a>(&'a mut [f32; 3]);
            ///
            /// impl Visitor for Step<'_> {
            ///     type Out = ();
            ///     fn visit<O: Optimizer<Family = O>>(self, optimizer: O) {
            ///         let mut state = optimizer.state();
            ///         optimizer.with(Scale(1.0 / 32.0)).step(self.0, &[32.0; 3], &mut state);
            ///     }
            /// }
            ///
            /// let mut params = [1.0; 3];
            /// AnyOptimizer::Sgd(gradus::Sgd::new(0.5)).visit(Step(&mut params));
            /// assert_eq!(params, [0.5; 3]);
            /// ```
            #[inline]
            pub fn visit<T: Visitor>(self, visitor: T) -> T::Out {
                match self {
                    $(Self::$optimizer(optimizer) => visitor.visit(optimizer),)*
                }
            }

            /// Learning rate.
            #[must_use]
            pub fn lr(&self) -> f32 {
                match self {
                    $(Self::$optimizer(optimizer) => optimizer.lr(),)*
                }
            }

            /// The same optimizer with another learning rate.
            #[must_use]
            pub fn with_lr(self, lr: f32) -> Self {
                match self {
                    $(Self::$optimizer(optimizer) => Self::$optimizer(optimizer.with_lr(lr)),)*
                }
            }

            /// Checks that every hyper-parameter lies in its range. The steps do not check it.
            ///
            /// # Errors
            /// [`Error::Range`] names the first that does not.
            pub fn check(&self) -> Result<(), Error> {
                match self {
                    $(Self::$optimizer(optimizer) => optimizer.check(),)*
                }
            }
        }

        /// The optimizer of this name with its defaults, and the learning rate that is usual for it.
        impl FromStr for AnyOptimizer {
            type Err = UnknownOptimizer;
            fn from_str(name: &str) -> Result<Self, UnknownOptimizer> {
                match name {
                    $($name => Ok(Self::$optimizer($optimizer::default())),)*
                    _ => Err(UnknownOptimizer),
                }
            }
        }
    };
}

crate::__optimizers!(any!());

impl fmt::Display for AnyOptimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl AnyOptimizer {
    /// The initial state of `n` parameters, on the heap.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn state(&self, n: usize) -> AnyState {
        AnyState {
            name: self.name(),
            memory: vec![0.0; self.columns().saturating_mul(n)],
            clock: Clock::new(),
        }
    }

    /// Updates `params` by one step.
    ///
    /// # Errors
    /// [`Error::Length`] if a slice is not as long as `params`, [`Error::Kind`] if the state is another optimizer's;
    /// nothing was changed.
    pub fn step_slices(
        &self,
        params: &mut [f32],
        grads: &[f32],
        state: AnyStateMut<'_>,
    ) -> Result<(), Error> {
        self.on(Exec::new()).step_slices(params, grads, state)
    }

    /// Updates `params` only if every gradient is finite, and returns how many are not.
    ///
    /// # Errors
    /// As [`step_slices`](Self::step_slices).
    pub fn step_if_finite(
        &self,
        params: &mut [f32],
        grads: &[f32],
        state: AnyStateMut<'_>,
    ) -> Result<usize, Error> {
        self.on(Exec::new()).step_if_finite(params, grads, state)
    }

    /// This optimizer on chosen threads or a chosen instruction set, with the same bits: see [`Exec`].
    ///
    /// ```
    /// use gradus::{AnyOptimizer, AnyStateMut, Clock, Level};
    /// let adam: AnyOptimizer = "adam".parse()?;
    /// let (mut params, mut memory, mut clock) = ([1.0; 8], [0.0; 16], Clock::new());
    /// adam.on(Level::SCALAR).step_slices(&mut params, &[0.5; 8], AnyStateMut::new(&adam, &mut memory, &mut clock))?;
    /// assert!(params[0] < 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on(self, exec: impl Into<Exec>) -> On<Self> {
        On { inner: self, exec: exec.into() }
    }
}

impl On<AnyOptimizer> {
    /// Updates `params` by one step.
    ///
    /// # Errors
    /// As [`AnyOptimizer::step_slices`].
    pub fn step_slices(
        &self,
        params: &mut [f32],
        grads: &[f32],
        state: AnyStateMut<'_>,
    ) -> Result<(), Error> {
        self.inner.visit(Step { on: self, params, grads, state, finite: false }).map(drop)
    }

    /// Updates `params` only if every gradient is finite, and returns how many are not.
    ///
    /// # Errors
    /// As [`AnyOptimizer::step_slices`].
    pub fn step_if_finite(
        &self,
        params: &mut [f32],
        grads: &[f32],
        state: AnyStateMut<'_>,
    ) -> Result<usize, Error> {
        self.inner.visit(Step { on: self, params, grads, state, finite: true })
    }
}

/// The arguments of one step.
struct Step<'a, 'p, 's> {
    on: &'a On<AnyOptimizer>,
    params: &'p mut [f32],
    grads: &'p [f32],
    state: AnyStateMut<'s>,
    finite: bool,
}

impl Visitor for Step<'_, '_, '_> {
    type Out = Result<usize, Error>;

    fn visit<O: Optimizer<Family = O> + fmt::Debug>(self, optimizer: O) -> Self::Out {
        let Self { on, params, grads, state, finite } = self;
        let (any, optimizer) = (&on.inner, optimizer.on(on.exec));
        ensure(state.name == any.name(), Error::Kind)?;
        let n = params.len();
        same_length(Argument::State, n.saturating_mul(any.columns()), state.memory.len())?;
        let mut rest = state.memory;
        let columns = Columns::<O>::views(|_| if n == 0 { &mut [] } else { cut_mut(&mut rest, n) });
        let state = StateMut::of(columns, state.clock);
        if finite {
            optimizer.step_if_finite(params, grads, state)
        } else {
            optimizer.step_slices(params, grads, state).map(|()| 0)
        }
    }
}

/// The state of an [`AnyOptimizer`] in any memory: one column after the other, as in C.
#[derive(Debug)]
pub struct AnyStateMut<'a> {
    name: &'static str,
    memory: &'a mut [f32],
    clock: &'a mut Clock,
}

impl<'a> AnyStateMut<'a> {
    /// A state of `optimizer` in borrowed memory: [`columns`](AnyOptimizer::columns) numbers for each parameter, zeros
    /// at the start. Its length is checked by the step.
    ///
    /// ```
    /// use gradus::{Adam, AnyOptimizer, AnyStateMut, Clock};
    /// let optimizer = AnyOptimizer::from(Adam::new(0.1));
    /// let (mut params, mut memory, mut clock) = ([1.0; 8], [0.0; 2 * 8], Clock::new());
    /// let state = AnyStateMut::new(&optimizer, &mut memory, &mut clock);
    /// optimizer.step_slices(&mut params, &[1.0; 8], state)?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub const fn new(optimizer: &AnyOptimizer, memory: &'a mut [f32], clock: &'a mut Clock) -> Self {
        Self { name: optimizer.name(), memory, clock }
    }
}

/// The state of an [`AnyOptimizer`] on the heap.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, PartialEq)]
pub struct AnyState {
    name: &'static str,
    memory: Vec<f32>,
    clock: Clock,
}

#[cfg(feature = "alloc")]
impl AnyState {
    /// The name of the optimizer that it is a state of.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Columns, and numbers in each.
    fn shape(&self) -> (usize, usize) {
        let columns = self.name.parse::<AnyOptimizer>().map_or(0, |optimizer| optimizer.columns());
        (columns, self.memory.len().checked_div(columns).unwrap_or(0))
    }

    /// Steps taken.
    #[must_use]
    pub const fn t(&self) -> u32 {
        self.clock.t
    }

    /// A view for the steps.
    pub fn as_mut(&mut self) -> AnyStateMut<'_> {
        AnyStateMut { name: self.name, memory: &mut self.memory, clock: &mut self.clock }
    }

    /// The initial state again.
    pub fn reset(&mut self) {
        self.memory.fill(0.0);
        self.clock = Clock::new();
    }
}

/// The file of the state of the optimizer inside: either loads the other's.
#[cfg(feature = "alloc")]
impl Save for AnyState {
    fn write(&self, to: &mut Writer<'_>) {
        let (columns, n) = self.shape();
        let mut rest = &self.memory[..];
        let columns: Vec<&[f32]> =
            (0..columns).map(|_| if n == 0 { &[][..] } else { cut(&mut rest, n) }).collect();
        write_named(to, Name::new(self.name), &columns, &self.clock);
    }
}

/// The number of parameters comes from the file; the optimizer is the one that the state was made for.
#[cfg(feature = "alloc")]
impl Load for AnyState {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), store::Error> {
        check_named::<f32>(from, Name::new(self.name), self.shape().0, None)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        let columns = self.shape().0;
        let length = from.head().length;
        self.clock = record::clock(from.bytes());
        self.memory = vec![0.0; from.at_most(length, size_of::<f32>() * columns) * columns];
        from.column(&mut self.memory);
    }
}

/// A state as `serde` sees it.
#[cfg(all(feature = "alloc", feature = "serde"))]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "AnyState")]
struct Fields {
    optimizer: alloc::string::String,
    memory: Vec<f32>,
    clock: Clock,
}

#[cfg(all(feature = "alloc", feature = "serde"))]
impl serde::Serialize for AnyState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields { optimizer: self.name.into(), memory: self.memory.clone(), clock: self.clock }
            .serialize(serializer)
    }
}

#[cfg(all(feature = "alloc", feature = "serde"))]
impl<'de> serde::Deserialize<'de> for AnyState {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields { optimizer, memory, clock } = Fields::deserialize(deserializer)?;
        let optimizer: AnyOptimizer = optimizer.parse().map_err(serde::de::Error::custom)?;
        let state = Self { memory, clock, ..optimizer.state(0) };
        let (columns, n) = state.shape();
        if columns * n == state.memory.len() {
            Ok(state)
        } else {
            Err(serde::de::Error::custom("the columns of the state have unequal lengths"))
        }
    }
}
