//! The instruction sets of each target, and which file belongs to which target. Each file has the list of its own.

#[allow(unused_imports, reason = "some targets have no set")]
use super::isa::{Isa, Kernel};

/// The instruction sets of a target, the widest first: a line each, with the name of its level.
macro_rules! native {
    ($($token:ident $bytes:literal $name:expr,)*) => {
        /// The token of one of this target's instruction sets.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Native {
            // The first, and so all bits 0: a static that names it lies in .bss.
            Plain($crate::simd::vector::Plain),
            $($token($token),)*
        }

        impl Native {
            /// The widest of this CPU.
            #[inline(always)]
            pub(crate) fn detect() -> Self {
                $(if let Some(isa) = $token::detect() {
                    return Self::$token(isa);
                })*
                Self::Plain($crate::simd::vector::Plain)
            }

            /// All of this CPU, the widest first.
            pub(crate) fn available() -> impl DoubleEndedIterator<Item = Self> {
                [$($token::detect().map(Self::$token),)* Some(Self::Plain($crate::simd::vector::Plain))].into_iter().flatten()
            }

            /// The narrowest set of the CPU, up to this one, whose register holds so many bytes; this one, where none does.
            #[inline(always)]
            pub(crate) fn narrowed(self, bytes: usize) -> Self {
                let _ = bytes;
                #[allow(unused_mut, reason = "some targets have no set")]
                let mut native = self;
                $(if bytes <= $bytes && $bytes < self.register() && let Some(isa) = $token::detect() {
                    native = Self::$token(isa);
                })*
                native
            }

            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$token(_) => $name,)*
                    Self::Plain(_) => "scalar",
                }
            }

            /// Bytes of its registers.
            pub(crate) const fn register(self) -> usize {
                match self {
                    $(Self::$token(_) => $bytes,)*
                    Self::Plain(_) => 0,
                }
            }
        }
    };
}

/// The choice between the sets of a target, each with code of its own.
#[allow(unused_macros, reason = "some targets have no set")]
macro_rules! dispatch {
    ($($token:ident)*) => {
        impl Native {
            /// Runs `kernel` in code compiled for it: the only place that chooses.
            #[inline(always)]
            pub(crate) fn dispatch<F, K: Kernel<F>>(self, formula: &F, kernel: K) -> K::Out {
                match self {
                    $(Self::$token(isa) => isa.vectorize(formula, kernel),)*
                    Self::Plain(isa) => isa.vectorize(formula, kernel),
                }
            }
        }
    };
}

/// Whether flash counts before speed: `--cfg gradus_size="small"`. Then every target is without sets, and some loops are
/// shorter.
pub(crate) const SMALL: bool = cfg!(gradus_size = "small");

/// 128-bit registers, where the target always has them.
#[cfg(all(
    not(gradus_size = "small"),
    any(
        target_feature = "sse2",
        target_feature = "simd128",
        all(target_arch = "aarch64", target_feature = "neon")
    )
))]
mod wide128;

// Without any of the attributes it is `native.rs`.
#[cfg_attr(all(not(gradus_size = "small"), target_arch = "x86_64", target_feature = "sse2"), path = "x86.rs")]
#[cfg_attr(
    all(
        not(any(gradus_size = "small", gradus_level = "scalar")),
        target_arch = "arm",
        target_os = "none",
        any(target_abi = "eabihf", gradus_level = "fpu")
    ),
    path = "cortex_m.rs"
)]
#[cfg_attr(
    all(
        not(gradus_size = "small"),
        any(
            all(target_arch = "x86", target_feature = "sse2"),
            target_feature = "simd128",
            all(target_arch = "aarch64", target_feature = "neon")
        )
    ),
    path = "only128.rs"
)]
mod native;

/// Whether registers are wide; whether almost all products of `f32` are in assembly; and a hint to load.
pub(crate) use native::{Native, PRODUCTS, WIDE, prefetch};
