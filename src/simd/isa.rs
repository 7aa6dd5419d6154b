//! What an instruction set is to a kernel, and what a kernel is to an instruction set.

use super::draw::Words;
use super::mask::{Gate, Gated};
use super::product::Grid;
use super::stored::Stored;
use super::sweep::{Columns, Rule};
use super::vector::{Element, Plain, Vector};
use super::width::Width;

/// An instruction set: the registers it has, and how code is compiled for it. Its value proves that the CPU has it.
pub trait Isa: Copy {
    /// Its register of `f32`.
    type F32: Vector<f32, Isa = Self>;
    /// Its register of `f64`.
    type F64: Vector<f64, Isa = Self>;
    /// What a turn over numbers that lie in half the memory computes with: one or two registers of `f32`.
    type Halves: Vector<f32, Isa = Self>;
    /// Its register of words.
    type U32: Words<Isa = Self>;

    /// Runs `kernel` in a function compiled for this instruction set.
    #[inline(always)]
    fn vectorize<F, K: Kernel<F>>(self, formula: &F, kernel: K) -> K::Out {
        kernel.run(self, formula)
    }
}

/// An instruction set whose registers are plain numbers, with some loops in assembly.
pub trait Assembler: Copy {
    /// Does the first elements of a sweep in assembly, if it has a loop for the rule, and returns the others.
    #[inline(always)]
    fn sweep<
        'a,
        const S: usize,
        const R: usize,
        T: Element,
        M: Stored<T>,
        K: Rule<R, T, Columns = Width<S>>,
    >(
        self,
        _rule: &K,
        columns: Columns<'a, S, R, T, M>,
    ) -> Columns<'a, S, R, T, M> {
        columns
    }

    /// The same for a pass with a mask.
    #[inline(always)]
    fn masked<'a, 'm, const R: usize, T: Element, G: Gate<R, T>>(
        self,
        _gate: &G,
        mask: &'m [u32],
        columns: Gated<'a, R, T>,
    ) -> (&'m [u32], Gated<'a, R, T>) {
        (mask, columns)
    }

    /// The same for a product: the first columns in assembly; the others are left, if only none.
    #[inline(always)]
    fn product<T: Element>(self, grid: Grid<T>) -> Grid<T> {
        grid
    }
}

/// A loop with its arguments, to be compiled for any instruction set.
///
/// `run` is `#[inline(always)]`: what is not inlined is compiled without the instructions of `isa`.
/// The formula is an argument of its own, and no field: of a reference that is an argument LLVM knows that no store
/// changes what it points to, and keeps the constants in registers.
pub trait Kernel<F> {
    /// Its result.
    type Out;
    /// Runs the loop.
    fn run<I: Isa>(self, isa: I, formula: &F) -> Self::Out;
    /// Does in assembly what there is a loop for, and leaves the rest to [`run`](Self::run) on plain numbers.
    #[inline(always)]
    fn assemble<A: Assembler>(self, _assembler: A, _formula: &F) -> Self
    where
        Self: Sized,
    {
        self
    }
}

impl Isa for Plain {
    type F32 = f32;
    type F64 = f64;
    type Halves = f32;
    type U32 = u32;
}
