//! Where a call runs: with which instruction set, and on how many threads. Results do not depend on either.

use super::arch::WIDE;
use super::level::Level;
use super::stored::Stored;
use super::subnormal;
use super::sweep::{Columns, Rule};
use super::vector::Element;
use super::width::Width;

/// Where a call runs. What is not chosen is chosen by the crate: the widest instruction set, one thread.
///
/// A choice changes how long a call takes, never a bit of its result, but for Helium (see [`Level`]). Whatever computes
/// over slices takes one: optimizers and averages by `on`, so do layers of noise and normalisation, and sums as their first argument.
///
/// ```
/// use gradus::{Adam, Exec, Level, Optimizer, l2_norm};
///
/// let adam = Adam::new(1e-3);
/// let mut params = vec![0.5; 1000];
/// let mut state = adam.state_vec(1000);
/// adam.step_slices(&mut params, &[1.0; 1000], state.as_mut())?; // as fast as one thread can
/// adam.on(Level::SCALAR).step_slices(&mut params, &[1.0; 1000], state.as_mut())?; // for a test
/// # #[cfg(feature = "rayon")]
/// adam.on(Exec::threads()).step_slices(&mut params, &[1.0; 1000], state.as_mut())?; // all threads of the pool
/// assert!(l2_norm(Exec::new(), &params) < 16.0);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[doc(alias = "multithreading")]
#[doc(alias = "parallel")]
pub struct Exec {
    /// Whether `level` was chosen; not an `Option`, so that all bits are 0 where nothing was.
    chosen: bool,
    level: Level,
    #[cfg(feature = "rayon")]
    threads: bool,
}

impl Exec {
    /// The widest instruction set of the CPU, one thread.
    pub const fn new() -> Self {
        Self {
            chosen: false,
            level: Level::SCALAR,
            #[cfg(feature = "rayon")]
            threads: false,
        }
    }

    /// All threads of the current pool of `rayon`, where there is enough work for them.
    #[cfg(feature = "rayon")]
    pub const fn threads() -> Self {
        Self { threads: true, ..Self::new() }
    }

    /// The same on a chosen instruction set: for tests and benchmarks.
    pub const fn with_level(mut self, level: Level) -> Self {
        (self.chosen, self.level) = (true, level);
        self
    }

    /// The instruction set that it runs on.
    #[inline(always)]
    #[must_use]
    pub fn level(self) -> Level {
        if self.chosen { self.level } else { Level::detect() }
    }

    /// The same instruction set on this thread alone.
    pub(crate) const fn alone(self) -> Self {
        let Self { chosen, level, .. } = self;
        Self {
            chosen,
            level,
            #[cfg(feature = "rayon")]
            threads: false,
        }
    }

    /// Parts to cut `n` elements into: one a thread, none so small that it is over before a thread has woken up.
    #[inline(always)]
    pub(crate) fn parts(self, n: usize) -> usize {
        #[cfg(feature = "rayon")]
        if self.threads {
            return (n / GRAIN).clamp(1, rayon::current_num_threads());
        }
        let _ = n;
        1
    }
}

impl Default for Exec {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Level> for Exec {
    fn from(level: Level) -> Self {
        Self::new().with_level(level)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Exec {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Exec({=str})", self.level().name());
    }
}

/// The fewest elements that are worth a second thread.
#[cfg(feature = "rayon")]
pub(crate) const GRAIN: usize = 1 << 18;

/// Applies `rule` to every element of `columns`: the same bits wherever it runs.
///
/// ```
/// use gradus::{Columns, Exec, Rule, Vector, Width, run};
///
/// /// `x = x + share * (y - x)`.
/// struct Approach {
///     share: f32,
/// }
///
/// impl Rule for Approach {
///     type Columns = Width<0>;
///     #[inline(always)]
///     fn apply<V: Vector>(&self, isa: V::Isa, x: V, [y]: [V; 1], _: [V; 0]) -> (V, [V; 0]) {
///         (x + V::splat(isa, self.share) * (y - x), [])
///     }
/// }
///
/// let mut x = [0.0, 4.0];
/// run(Exec::new(), &Approach { share: 0.5 }, Columns::new(&mut x, [&[2.0, 2.0]], [])?);
/// assert_eq!(x, [1.0, 3.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[inline]
pub fn run<const S: usize, const R: usize, T: Element, M: Stored<T>, K: Rule<R, T, Columns = Width<S>>>(
    exec: impl Into<Exec>,
    rule: &K,
    columns: Columns<'_, S, R, T, M>,
) {
    let exec = exec.into();
    let parts = exec.parts(columns.len());
    run_parts(exec.level(), rule, columns, parts);
}

/// [`run`] in a number of parts, a thread each.
#[inline]
pub(crate) fn run_parts<
    const S: usize,
    const R: usize,
    T: Element,
    M: Stored<T>,
    K: Rule<R, T, Columns = Width<S>>,
>(
    level: Level,
    rule: &K,
    columns: Columns<'_, S, R, T, M>,
    parts: usize,
) {
    #[cfg(feature = "rayon")]
    if parts > 1 {
        let half = parts / 2;
        let middle = columns.len() / parts * half;
        let (left, right) = columns.split_at(middle);
        join(|| run_parts(level, rule, left, half), || run_parts(level, rule, right, parts - half));
        return;
    }
    debug_assert!(parts == 1, "one part without threads");
    // A path of its own where registers are wide: columns that are kept for the sweep would cost every small call 20 ns.
    if WIDE && !(columns.sweep && rule.decaying().any()) {
        level.dispatch(rule, columns);
    } else {
        swept(level, rule, columns);
    }
}

/// A pass, and the sweep of its state where that is due. On a microcontroller it stands where it is called, once.
#[cfg_attr(any(target_arch = "arm", target_arch = "riscv32"), inline(always))]
#[cfg_attr(not(any(target_arch = "arm", target_arch = "riscv32")), cold, inline(never))]
fn swept<const S: usize, const R: usize, T: Element, M: Stored<T>, K: Rule<R, T, Columns = Width<S>>>(
    level: Level,
    rule: &K,
    mut columns: Columns<'_, S, R, T, M>,
) {
    level.dispatch(rule, columns.reborrow());
    let decaying = rule.decaying();
    if columns.sweep && decaying.any() {
        subnormal::sweep(level, decaying, columns.into_state());
    }
}

/// Both at the same time, if there is a second thread.
///
/// `rayon::join` called from outside of the pool sleeps until two of its threads have woken up,
/// one after the other. Here such a caller does its part itself, and waits for the others.
#[cfg(feature = "rayon")]
pub(crate) fn join<A: Send, B: Send>(
    left: impl FnOnce() -> A + Send,
    right: impl FnOnce() -> B + Send,
) -> (A, B) {
    if rayon::current_thread_index().is_some() {
        return rayon::join(left, right);
    }
    let mut b = None;
    let a = rayon::in_place_scope(|scope| {
        scope.spawn(|_| b = Some(right()));
        left()
    });
    (a, b.expect("the scope waits for it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_keeps_the_instruction_set() {
        for level in Level::available() {
            assert_eq!(Exec::from(level).alone(), Exec::from(level));
        }
        assert_eq!(Exec::new().alone(), Exec::new());
    }
}
