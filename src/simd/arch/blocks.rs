//! Transforms around a rule in assembly, on Cortex-M.
//!
//! Scale, L2 and decay are constants in the rule's own loop. Where there is more, gradients pass through a block on the
//! stack: each act has one tight loop over the block, the rule's loop follows, and then what acts on the parameters.
#![allow(unsafe_code, reason = "assembly")]

use crate::simd::acts::Acts;
use crate::simd::isa::Kernel;
use crate::simd::stored::Stored;
use crate::simd::sweep::{Assembly, Columns, Of, Rule};
use crate::simd::transform::Transform;
use crate::simd::vector::{Element, Plain, Vector};
use crate::simd::width::Width;
use core::arch::asm;
use core::mem::MaybeUninit;

/// Elements of a block: 256 bytes of stack for gradients, and as many for old parameters.
const BLOCK: usize = 64;

/// The loops of an instruction set over all elements of some columns.
pub(super) trait Loops {
    /// Whether they take what is folded.
    const FOLD: bool;

    /// # Safety
    /// The columns hold `f32`.
    unsafe fn run<const S: usize, const R: usize, T: Element, M: Stored<T>>(
        rule: Assembly,
        folded: Folded,
        columns: &Columns<'_, S, R, T, M>,
    );

    /// The same without anything folded.
    ///
    /// # Safety
    /// The columns hold `f32`.
    unsafe fn run_plain<const S: usize, const R: usize, T: Element, M: Stored<T>>(
        rule: Assembly,
        columns: &Columns<'_, S, R, T, M>,
    );
}

/// Constants around a rule: `g = scale * g`, then `g += slope * p`, and `p -= loss * old` at the end.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Folded {
    pub scale: f32,
    pub slope: f32,
    pub loss: f32,
}

impl Folded {
    /// They change nothing.
    const NONE: Self = Self { scale: 1.0, slope: 0.0, loss: 0.0 };
}

/// Finds out whether a chain is [`Folded`]: some of its acts, once each, and no other. Those on gradients stand in its
/// order; the decay, which is after the rule, may stand anywhere among them.
struct Folding {
    folded: Folded,
    /// How many of the two on gradients have been there.
    stage: u8,
    whole: bool,
}

impl Folding {
    #[inline(always)]
    fn reach(&mut self, stage: u8) {
        self.whole &= self.stage < stage;
        self.stage = stage;
    }
}

impl Acts for Folding {
    #[inline(always)]
    fn scale(&mut self, factor: f32) {
        self.reach(1);
        self.folded.scale = factor;
    }
    #[inline(always)]
    fn add_params(&mut self, slope: f32) {
        if slope > 0.0 {
            self.reach(2);
            self.folded.slope = slope;
        }
    }
    #[inline(always)]
    fn decay(&mut self, loss: f32) {
        if loss > 0.0 {
            self.whole &= self.folded.loss == 0.0;
            self.folded.loss = loss;
        }
    }
    #[inline(always)]
    fn clip<T: Transform>(&mut self, _: f32, _: &T) {
        self.whole = false;
    }
    #[inline(always)]
    fn add_signs<T: Transform>(&mut self, _: f32, _: &T) {
        self.whole = false;
    }
    #[inline(always)]
    fn add_slopes(&mut self, _: f32, _: f32) {
        self.whole = false;
    }
    #[inline(always)]
    fn shrink<T: Transform>(&mut self, _: f32, _: &T) {
        self.whole = false;
    }
    #[inline(always)]
    fn clamp<T: Transform>(&mut self, _: f32, _: &T) {
        self.whole = false;
    }
    #[inline(always)]
    fn other<T: Transform>(&mut self, _: &T) {
        self.whole = false;
    }
}

/// Finds out whether old parameters are needed after the rule.
struct Keeping(bool);

impl Acts for Keeping {
    #[inline(always)]
    fn decay(&mut self, loss: f32) {
        self.0 |= loss > 0.0;
    }
    #[inline(always)]
    fn shrink<T: Transform>(&mut self, threshold: f32, _: &T) {
        self.0 |= !(threshold >= 0.0); // as another transform then
    }
    #[inline(always)]
    fn clamp<T: Transform>(&mut self, limit: f32, _: &T) {
        self.0 |= !(limit >= 0.0);
    }
    #[inline(always)]
    fn other<T: Transform>(&mut self, _: &T) {
        self.0 = true;
    }
    #[inline(always)]
    fn scale(&mut self, _: f32) {}
    #[inline(always)]
    fn clip<T: Transform>(&mut self, _: f32, _: &T) {}
    #[inline(always)]
    fn add_params(&mut self, _: f32) {}
    #[inline(always)]
    fn add_signs<T: Transform>(&mut self, _: f32, _: &T) {}
    #[inline(always)]
    fn add_slopes(&mut self, _: f32, _: f32) {}
}

/// Gradients of a block on their way through what stands before the rule: `g` is where they are now.
struct Before {
    p: *const f32,
    g: *const f32,
    to: *mut f32,
    n: usize,
}

impl Acts for Before {
    #[inline(always)]
    fn scale(&mut self, factor: f32) {
        // SAFETY: n elements each.
        unsafe { scale(factor, self.g, self.to, self.n) };
        self.g = self.to;
    }
    #[inline(always)]
    fn clip<T: Transform>(&mut self, limit: f32, transform: &T) {
        if limit >= 0.0 {
            // SAFETY: n elements each.
            unsafe { clamp(limit, self.g, self.to, self.n) };
            self.g = self.to;
        } else {
            self.other(transform);
        }
    }
    #[inline(always)]
    fn add_params(&mut self, slope: f32) {
        if slope > 0.0 {
            // SAFETY: n elements each.
            unsafe { add(slope, self.p, self.g, self.to, self.n) };
            self.g = self.to;
        }
    }
    #[inline(always)]
    fn add_signs<T: Transform>(&mut self, factor: f32, transform: &T) {
        if factor == f32::INFINITY {
            self.other(transform); // infinity times a weight of 0 is NaN
        } else if factor > 0.0 {
            // SAFETY: n elements each.
            unsafe { add_signs(factor, self.p, self.g, self.to, self.n) };
            self.g = self.to;
        }
    }
    #[inline(always)]
    fn add_slopes(&mut self, factor: f32, slope: f32) {
        if factor > 0.0 {
            // SAFETY: n elements each, and no block is empty.
            unsafe { add_slopes([factor, slope], self.p, self.g, self.to, self.n) };
            self.g = self.to;
        }
    }
    #[inline(always)]
    fn other<T: Transform>(&mut self, transform: &T) {
        let mut i = 0;
        while i < self.n {
            // SAFETY: i < n, and each pointer has n elements.
            unsafe {
                *self.to.add(i) = transform.before::<f32>(Plain, *self.p.add(i), *self.g.add(i));
            }
            i += 1;
        }
        self.g = self.to;
    }
    #[inline(always)]
    fn decay(&mut self, _: f32) {}
    #[inline(always)]
    fn shrink<T: Transform>(&mut self, _: f32, _: &T) {}
    #[inline(always)]
    fn clamp<T: Transform>(&mut self, _: f32, _: &T) {}
}

/// Parameters of a block on their way through what stands after the rule.
struct After {
    old: *const f32,
    p: *mut f32,
    n: usize,
}

impl Acts for After {
    #[inline(always)]
    fn decay(&mut self, loss: f32) {
        if loss > 0.0 {
            // SAFETY: n elements each.
            unsafe { add(-loss, self.old, self.p, self.p, self.n) };
        }
    }
    #[inline(always)]
    fn shrink<T: Transform>(&mut self, threshold: f32, transform: &T) {
        // Neither a NaN nor a negative threshold passes a check, but a step need not check.
        if threshold >= 0.0 {
            // SAFETY: n elements.
            unsafe { shrink(threshold, self.p, self.n) };
        } else {
            self.other(transform);
        }
    }
    #[inline(always)]
    fn clamp<T: Transform>(&mut self, limit: f32, transform: &T) {
        if limit >= 0.0 {
            // SAFETY: n elements each.
            unsafe { clamp(limit, self.p, self.p, self.n) };
        } else {
            self.other(transform);
        }
    }
    #[inline(always)]
    fn other<T: Transform>(&mut self, transform: &T) {
        let mut i = 0;
        while i < self.n {
            // SAFETY: i < n, and both pointers have n elements.
            unsafe {
                let p = self.p.add(i);
                *p = transform.after::<f32>(Plain, *self.old.add(i), *p);
            }
            i += 1;
        }
    }
    #[inline(always)]
    fn scale(&mut self, _: f32) {}
    #[inline(always)]
    fn clip<T: Transform>(&mut self, _: f32, _: &T) {}
    #[inline(always)]
    fn add_params(&mut self, _: f32) {}
    #[inline(always)]
    fn add_signs<T: Transform>(&mut self, _: f32, _: &T) {}
    #[inline(always)]
    fn add_slopes(&mut self, _: f32, _: f32) {}
}

/// A rule without what stands around it.
struct Core<'a, K>(&'a K);

impl<const R: usize, T: Element, K: Rule<R, T>> Rule<R, T> for Core<'_, K> {
    type Columns = K::Columns;
    #[inline(always)]
    fn apply<V: Vector<T>>(
        &self,
        isa: V::Isa,
        x: V,
        read: [V; R],
        state: Of<K::Columns, V>,
    ) -> (V, Of<K::Columns, V>) {
        self.0.core(isa, x, read, state)
    }
}

/// A rule of `f32` with transforms, all elements; where it has no loop in assembly and its transforms are known to the
/// compiler, one fused loop is as good, and all elements are left to it.
///
/// # Safety
/// The columns hold `f32`, and the one that is read gradients.
#[inline(always)]
pub(super) unsafe fn transformed<
    'a,
    L: Loops,
    const S: usize,
    const R: usize,
    T: Element,
    M: Stored<T>,
    K: Rule<R, T, Columns = Width<S>>,
>(
    rule: &K,
    columns: Columns<'a, S, R, T, M>,
) -> Columns<'a, S, R, T, M> {
    let assembly = rule.assembly();
    if R != 1 || assembly.is_none() && !K::CHOSEN {
        return columns;
    }
    let halves = super::halves::<S, T, M>();
    let mut folding =
        Folding { folded: Folded::NONE, stage: 0, whole: L::FOLD && !halves && assembly.is_some() };
    let mut keeping = Keeping(false);
    if folding.whole {
        rule.acts(&mut folding);
    }
    let whole = folding.whole;
    if !whole {
        folding.folded = Folded::NONE;
        rule.acts(&mut keeping);
    }
    let size = if whole { columns.len() } else { BLOCK };
    let mut grads = MaybeUninit::<[f32; BLOCK]>::uninit();
    let mut old = MaybeUninit::<[f32; BLOCK]>::uninit();
    let mut rest = columns;
    while !rest.is_empty() {
        let (mut block, others) = rest.split_at(size);
        rest = others;
        let (p, mut read, _) = block.pointers();
        let n = block.len();
        if !whole {
            let mut before = Before { p: p.cast(), g: read[0].cast(), to: grads.as_mut_ptr().cast(), n };
            rule.acts(&mut before);
            if keeping.0 {
                // SAFETY: n elements, of which a block has no more than there is memory for.
                unsafe { copy(p.cast(), old.as_mut_ptr().cast(), n) };
            }
            read[0] = before.g.cast();
            // SAFETY: the gradients of the block, n of them, or the numbers that took their place.
            block = unsafe { block.with_read(read) };
        }
        match assembly {
            // SAFETY: the caller vouches for f32.
            Some(assembly) if halves => unsafe {
                let done = super::loops::halved(assembly, &block);
                Kernel::run(block.split_at(done).1, Plain, &Core(rule));
            },
            // SAFETY: the caller vouches for f32.
            Some(assembly) => unsafe { L::run(assembly, folding.folded, &block) },
            None => Kernel::run(block, Plain, &Core(rule)),
        }
        if !whole {
            // Whatever a chain says of itself, it finds numbers there.
            let old = if keeping.0 { old.as_ptr().cast() } else { p.cast_const().cast() };
            rule.acts(&mut After { old, p: p.cast(), n });
        }
    }
    rest
}

/// A loop over four elements a turn, and one over those left.
macro_rules! fours {
    ([$($start:literal),*] [$($four:literal),+] [$($one:literal),+] $n:ident $($operand:tt)*) => {
        asm!(
            $($start,)*
            "subs {n}, {n}, #4",
            "blo 3f",
            "2:",
            $($four,)+
            "subs {n}, {n}, #4",
            "bhs 2b",
            "3:",
            "adds {n}, {n}, #4",
            "beq 5f",
            "4:",
            $($one,)+
            "subs {n}, {n}, #1",
            "bne 4b",
            "5:",
            n = inout(reg) $n => _,
            $($operand)*
            options(nostack),
        )
    };
}

/// `to = factor * from`
///
/// # Safety
/// Each pointer has n elements.
#[inline(never)]
unsafe fn scale(factor: f32, from: *const f32, to: *mut f32, n: usize) {
    // SAFETY: n elements each, which a turn counts.
    unsafe {
        fours!(["vmov s8, {factor}"]
            ["vldmia {from}!, {{s0-s3}}",
             "vmul.f32 s0, s0, s8", "vmul.f32 s1, s1, s8", "vmul.f32 s2, s2, s8", "vmul.f32 s3, s3, s8",
             "vstmia {to}!, {{s0-s3}}"]
            ["vldmia {from}!, {{s0}}", "vmul.f32 s0, s0, s8", "vstmia {to}!, {{s0}}"]
            n factor = in(reg) factor.to_bits(), from = inout(reg) from => _, to = inout(reg) to => _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s8") _,
        );
    }
}

/// `to = from + factor * x`
///
/// # Safety
/// Each pointer has n elements.
#[inline(never)]
unsafe fn add(factor: f32, x: *const f32, from: *const f32, to: *mut f32, n: usize) {
    // SAFETY: n elements each, which a turn counts.
    unsafe {
        fours!(["vmov s8, {factor}"]
            ["vldmia {x}!, {{s4-s7}}", "vldmia {from}!, {{s0-s3}}",
             "vmul.f32 s4, s4, s8", "vmul.f32 s5, s5, s8", "vmul.f32 s6, s6, s8", "vmul.f32 s7, s7, s8",
             "vadd.f32 s0, s0, s4", "vadd.f32 s1, s1, s5", "vadd.f32 s2, s2, s6", "vadd.f32 s3, s3, s7",
             "vstmia {to}!, {{s0-s3}}"]
            ["vldmia {x}!, {{s4}}", "vldmia {from}!, {{s0}}", "vmul.f32 s4, s4, s8", "vadd.f32 s0, s0, s4",
             "vstmia {to}!, {{s0}}"]
            n factor = in(reg) factor.to_bits(), x = inout(reg) x => _, from = inout(reg) from => _,
            to = inout(reg) to => _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _,
        );
    }
}

/// `to = from`
///
/// # Safety
/// Each pointer has n elements.
#[inline(never)]
unsafe fn copy(from: *const f32, to: *mut f32, n: usize) {
    // SAFETY: n elements each, which a turn counts.
    unsafe {
        fours!([]
            ["vldmia {from}!, {{s0-s3}}", "vstmia {to}!, {{s0-s3}}"]
            ["vldmia {from}!, {{s0}}", "vstmia {to}!, {{s0}}"]
            n from = inout(reg) from => _, to = inout(reg) to => _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _,
        );
    }
}

/// The smallest magnitude above a limit and how many there are up to infinity, each shifted out of its sign.
///
/// The bits of positive floats are in the order of the floats: `2 * bits - floor < span` asks both at once, whether a
/// magnitude is above the limit and whether it is no NaN.
#[inline(always)]
fn above(limit: f32) -> (u32, u32) {
    let floor = (limit.to_bits() << 1) + 1;
    (floor, 0xff00_0001 - floor)
}

/// `to = min(max(from, -limit), limit)` for a limit of at least 0: magnitudes above it become it, signs stay.
///
/// # Safety
/// Each pointer has n elements.
#[inline(never)]
unsafe fn clamp(limit: f32, from: *const f32, to: *mut f32, n: usize) {
    let (floor, span) = above(limit);
    // SAFETY: n elements each, which a turn counts.
    unsafe {
        fours!([]
            ["ldmia {from}!, {{r2, r3, r4, r5}}",
             "rsb {t}, {floor}, r2, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r2, {limit}, #0, #31",
             "rsb {t}, {floor}, r3, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r3, {limit}, #0, #31",
             "rsb {t}, {floor}, r4, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r4, {limit}, #0, #31",
             "rsb {t}, {floor}, r5, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r5, {limit}, #0, #31",
             "stmia {to}!, {{r2, r3, r4, r5}}"]
            ["ldr r2, [{from}], #4",
             "rsb {t}, {floor}, r2, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r2, {limit}, #0, #31",
             "str r2, [{to}], #4"]
            n from = inout(reg) from => _, to = inout(reg) to => _, floor = in(reg) floor, span = in(reg) span,
            limit = in(reg) limit.to_bits(), t = out(reg) _,
            out("r2") _, out("r3") _, out("r4") _, out("r5") _,
        );
    }
}

/// `to = from + factor * sign(x)` for a finite factor above 0: it takes the sign of x; 0 and NaN are x itself.
///
/// # Safety
/// Each pointer has n elements.
#[inline(never)]
unsafe fn add_signs(factor: f32, x: *const f32, from: *const f32, to: *mut f32, n: usize) {
    let (floor, span) = above(0.0);
    // SAFETY: n elements each, which a turn counts.
    unsafe {
        fours!([]
            ["ldmia {x}!, {{r2, r3, r4, r5}}", "vldmia {from}!, {{s0-s3}}",
             "rsb {t}, {floor}, r2, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r2, {factor}, #0, #31", "vmov s4, r2",
             "rsb {t}, {floor}, r3, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r3, {factor}, #0, #31", "vmov s5, r3",
             "rsb {t}, {floor}, r4, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r4, {factor}, #0, #31", "vmov s6, r4",
             "rsb {t}, {floor}, r5, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r5, {factor}, #0, #31", "vmov s7, r5",
             "vadd.f32 s0, s0, s4", "vadd.f32 s1, s1, s5", "vadd.f32 s2, s2, s6", "vadd.f32 s3, s3, s7",
             "vstmia {to}!, {{s0-s3}}"]
            ["ldr r2, [{x}], #4", "vldmia {from}!, {{s0}}",
             "rsb {t}, {floor}, r2, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r2, {factor}, #0, #31", "vmov s4, r2",
             "vadd.f32 s0, s0, s4", "vstmia {to}!, {{s0}}"]
            n x = inout(reg) x => _, from = inout(reg) from => _, to = inout(reg) to => _,
            floor = in(reg) floor, span = in(reg) span, factor = in(reg) factor.to_bits(), t = out(reg) _,
            out("r2") _, out("r3") _, out("r4") _, out("r5") _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _, out("s7") _,
        );
    }
}

/// `to = from + factor * (slope * x + sign(x))`
///
/// # Safety
/// Each pointer has n elements, at least one.
#[inline(never)]
unsafe fn add_slopes(constants: [f32; 2], x: *const f32, from: *const f32, to: *mut f32, n: usize) {
    // SAFETY: n elements each, which a turn counts.
    unsafe {
        asm!(
            "vldmia {span}, {{s8-s9}}",
            "mov {span}, #0xff000000",
            "2:",
            "ldr {a}, [{x}], #4",
            "vldmia {from}!, {{s0}}",
            "vmov s2, {a}",
            "rsb {t}, {floor}, {a}, lsl #1",
            "vmul.f32 s2, s2, s9",
            "cmp {t}, {span}",
            "it lo",
            "bfilo {a}, {one}, #0, #31",
            "vmov s4, {a}",
            "vadd.f32 s2, s2, s4",
            "subs {n}, {n}, #1",
            "vmul.f32 s2, s2, s8",
            "vadd.f32 s0, s0, s2",
            "vstmia {to}!, {{s0}}",
            "bne 2b",
            n = inout(reg) n => _,
            x = inout(reg) x => _, from = inout(reg) from => _, to = inout(reg) to => _,
            span = inout(reg) constants.as_ptr() => _,
            floor = in(reg) 1, one = in(reg) 1.0_f32.to_bits(), t = out(reg) _, a = out(reg) _,
            out("s0") _, out("s2") _, out("s4") _, out("s8") _, out("s9") _,
            options(nostack),
        );
    }
}

/// `p = sign(p) * max(|p| - threshold, 0)` for a threshold of at least 0, as two cases: above it, what has its size
/// and the sign of p is taken off; elsewhere p itself, which leaves +0, or NaN.
///
/// # Safety
/// Each pointer has n elements.
#[inline(never)]
unsafe fn shrink(threshold: f32, p: *mut f32, n: usize) {
    let (floor, span) = above(threshold);
    // SAFETY: n elements, which a turn counts.
    unsafe {
        fours!([]
            ["ldmia {p}, {{r2, r3, r4, r5}}", "vldmia {p}, {{s0-s3}}",
             "rsb {t}, {floor}, r2, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r2, {threshold}, #0, #31", "vmov s4, r2",
             "rsb {t}, {floor}, r3, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r3, {threshold}, #0, #31", "vmov s5, r3",
             "rsb {t}, {floor}, r4, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r4, {threshold}, #0, #31", "vmov s6, r4",
             "rsb {t}, {floor}, r5, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r5, {threshold}, #0, #31", "vmov s7, r5",
             "vsub.f32 s0, s0, s4", "vsub.f32 s1, s1, s5", "vsub.f32 s2, s2, s6", "vsub.f32 s3, s3, s7",
             "vstmia {p}!, {{s0-s3}}"]
            ["ldr r2, [{p}]", "vmov s0, r2",
             "rsb {t}, {floor}, r2, lsl #1", "cmp {t}, {span}", "it lo", "bfilo r2, {threshold}, #0, #31", "vmov s4, r2",
             "vsub.f32 s0, s0, s4", "vstmia {p}!, {{s0}}"]
            n p = inout(reg) p => _, floor = in(reg) floor, span = in(reg) span,
            threshold = in(reg) threshold.to_bits(), t = out(reg) _,
            out("r2") _, out("r3") _, out("r4") _, out("r5") _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _, out("s7") _,
        );
    }
}
