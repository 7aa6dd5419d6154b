//! How a minimiser lies in a file: its numbers, its point and gradients, its pairs.
//!
//! A run is saved between two evaluations, so that what lives within one is left out.

#[cfg(feature = "ffi")]
use super::borrowed::Borrowed;
use super::fixed::Lbfgs;
#[cfg(feature = "alloc")]
use super::heap::LbfgsVec;
use super::line_search::Search;
use super::machine::{Best, Machine, Phase};
use super::settings::{LbfgsSettings, LineSearch, Stop};
use super::two_loop::Pair;
use super::walk::Vector;
use crate::second_order::Real;
use crate::simd::Level;
use crate::store::bytes::{Head, Number, Reader, Writer};
use crate::store::{Error, Fixed, Load, Save};

/// What is done with every field in turn: written, or read.
pub(in crate::second_order) trait Fields<T> {
    fn number(&mut self, x: &mut T);
    fn word(&mut self, x: &mut u32);

    fn flag(&mut self, x: &mut bool) {
        let mut word = u32::from(*x);
        self.word(&mut word);
        *x = word != 0;
    }

    /// The largest index stands for the end, on targets of any width.
    fn index(&mut self, x: &mut usize) {
        let whole = if *x == usize::MAX { u64::MAX } else { *x as u64 };
        let (mut low, mut high) = (whole as u32, (whole >> 32) as u32);
        self.word(&mut low);
        self.word(&mut high);
        *x = usize::try_from(u64::from(high) << 32 | u64::from(low)).unwrap_or(usize::MAX);
    }
}

impl<T: Number + Copy> Fields<T> for Writer<'_> {
    fn number(&mut self, x: &mut T) {
        self.column(&[*x]);
    }
    fn word(&mut self, x: &mut u32) {
        self.u32(*x);
    }
}

impl<T: Number + Copy> Fields<T> for Reader<'_> {
    fn number(&mut self, x: &mut T) {
        self.column(core::slice::from_mut(x));
    }
    fn word(&mut self, x: &mut u32) {
        *x = self.u32();
    }
}

/// All of a machine but its vectors.
#[derive(Clone, Copy)]
pub(super) struct Core<T> {
    settings: LbfgsSettings<T>,
    phase: Phase,
    stop: Stop,
    iterations: u32,
    evaluations: u32,
    best: Best<T>,
    search: Search<T>,
    count: usize,
    newest: usize,
    scale: T,
}

/// Numbers and words of a core.
pub(super) const NUMBERS: usize = 26;
pub(super) const WORDS: usize = 19;

impl<T: Real> Core<T> {
    const SIZE: usize = NUMBERS * size_of::<T>() + WORDS * 4;

    pub fn of<V, R, H>(machine: &Machine<T, V, R, H>) -> Self {
        let Machine { settings, phase, stop, iterations, evaluations, best, search, history, .. } = machine;
        Self {
            settings: *settings,
            phase: *phase,
            stop: *stop,
            iterations: *iterations,
            evaluations: *evaluations,
            best: *best,
            search: *search,
            count: history.ring.count,
            newest: history.ring.newest,
            scale: history.scale,
        }
    }

    pub fn put<V, R, H>(self, machine: &mut Machine<T, V, R, H>) {
        machine.settings = self.settings;
        machine.level = Level::detect();
        machine.phase = self.phase;
        machine.stop = self.stop;
        machine.iterations = self.iterations;
        machine.evaluations = self.evaluations;
        machine.best = self.best;
        machine.search = self.search;
        machine.history.ring.count = self.count;
        machine.history.ring.newest = self.newest;
        machine.history.scale = self.scale;
    }

    pub fn fields(&mut self, each: &mut impl Fields<T>) {
        let settings = &mut self.settings;
        each.number(&mut settings.tolerance);
        each.number(&mut settings.decrease);
        each.word(&mut settings.max_iterations);
        each.word(&mut settings.max_evaluations);
        each.word(&mut settings.max_trials);
        let mut backtracking = settings.line_search == LineSearch::Backtracking;
        each.flag(&mut backtracking);
        settings.line_search = if backtracking { LineSearch::Backtracking } else { LineSearch::MoreThuente };
        each.number(&mut settings.sufficient_decrease);
        each.number(&mut settings.curvature);
        each.number(&mut settings.width_tolerance);
        each.number(&mut settings.step_min);
        each.number(&mut settings.step_max);
        each.number(&mut settings.max_move);
        each.number(&mut settings.l1);
        each.index(&mut settings.l1_start);
        each.index(&mut settings.l1_end);
        let (mut phase, mut stop) = (self.phase as u32, self.stop as u32);
        each.word(&mut phase);
        each.word(&mut stop);
        self.phase = phase_of(phase);
        self.stop = stop_of(stop);
        each.word(&mut self.iterations);
        each.word(&mut self.evaluations);
        each.number(&mut self.best.t);
        each.number(&mut self.best.value);
        each.number(&mut self.best.gradient);
        self.search.fields(each);
        each.index(&mut self.count);
        each.index(&mut self.newest);
        each.number(&mut self.scale);
    }

    /// Whether a machine of `m` pairs can be in this state.
    pub fn fits(&self, m: usize) -> bool {
        let runs = self.settings.check().is_ok() && self.search.trials <= self.settings.max_trials;
        self.count <= m && self.newest < m && (self.phase == Phase::Rest || runs)
    }
}

/// The phase of a number; rest for any other, which is not written as that number.
fn phase_of(word: u32) -> Phase {
    let all = [Phase::Rest, Phase::Start, Phase::Trial, Phase::Again];
    all.into_iter().find(|phase| *phase as u32 == word).unwrap_or_default()
}

pub(in crate::second_order) fn stop_of(word: u32) -> Stop {
    let all = [
        Stop::Gradient,
        Stop::Decrease,
        Stop::Iterations,
        Stop::Evaluations,
        Stop::Callback,
        Stop::LineSearch,
        Stop::NonFinite,
    ];
    all.into_iter().find(|stop| *stop as u32 == word).unwrap_or_default()
}

impl<T: Real + Number, V: Vector<T>, R: Vector<T>, H> Machine<T, V, R, H>
where
    H: AsRef<[Pair<V, R>]> + AsMut<[Pair<V, R>]>,
{
    /// Pairs that fit: one product for each. The ring does not know before the first start.
    fn capacity(&self) -> usize {
        self.step.products.as_ref().len()
    }

    fn head(&self) -> Head {
        Head::new(T::LBFGS, self.capacity(), self.x.as_ref().len())
    }

    fn write(&self, to: &mut Writer<'_>) {
        to.head(self.head());
        Core::of(self).fields(to);
        for column in [&self.x, &self.x0, &self.g] {
            to.column(column.as_ref());
        }
        write_pair(&self.step, to);
        let pairs = self.history.pairs.as_ref();
        pairs.iter().for_each(|pair| write_pair(pair, to));
        // Before its first start a machine may have no memory for pairs yet.
        for _ in pairs.len()..self.capacity() {
            for half in [&self.step.s, &self.step.y] {
                half.as_ref().iter().for_each(|_| to.column(&[T::ZERO]));
            }
            self.step.products.as_ref().iter().for_each(|_| to.column(&[T::ZERO]));
        }
    }

    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        let Head { name, columns, length } = self.head();
        from.expect(self.head())?;
        let mut found = Core::of(self);
        let mut copy = *from;
        found.fields(&mut copy);
        // What is not written as it was read is no state.
        let mut buffer = [0; Core::<f64>::SIZE];
        let mut again = Writer::new(&mut buffer);
        found.fields(&mut again);
        if !from.starts_with(again.written()) || !found.fits(self.capacity()) {
            return Err(Error::Value { name });
        }
        *from = copy;
        let (n, m) = (length, u64::from(columns));
        let vectors = (2 * m + 5).saturating_mul(n).saturating_add((m + 1).saturating_mul(m));
        from.skip(vectors.saturating_mul(size_of::<T>() as u64));
        Ok(())
    }

    fn read(&mut self, from: &mut Reader<'_>) {
        from.head();
        let mut core = Core::of(self);
        core.fields(from);
        self.history.reset();
        core.put(self);
        for column in [&mut self.x, &mut self.x0, &mut self.g] {
            from.column(column.as_mut());
        }
        read_pair(&mut self.step, from);
        self.history.pairs.as_mut().iter_mut().for_each(|pair| read_pair(pair, from));
    }
}

fn write_pair<T: Number, V: Vector<T>, R: Vector<T>>(pair: &Pair<V, R>, to: &mut Writer<'_>) {
    to.column(pair.s.as_ref());
    to.column(pair.y.as_ref());
    to.column(pair.products.as_ref());
}

fn read_pair<T: Number, V: Vector<T>, R: Vector<T>>(pair: &mut Pair<V, R>, from: &mut Reader<'_>) {
    from.column(pair.s.as_mut());
    from.column(pair.y.as_mut());
    from.column(pair.products.as_mut());
}

impl<const N: usize, const M: usize, T: Real + Number> Save for Lbfgs<N, M, T> {
    fn write(&self, to: &mut Writer<'_>) {
        self.machine.write(to);
    }
}

impl<const N: usize, const M: usize, T: Real + Number> Load for Lbfgs<N, M, T> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.machine.check(from)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        self.fill();
        self.machine.read(from);
    }
}

impl<const N: usize, const M: usize, T: Real + Number> Fixed for Lbfgs<N, M, T> {
    const SIZE: usize = Head::SIZE + Core::<T>::SIZE + size_of::<T>() * ((2 * M + 5) * N + (M + 1) * M);
}

#[cfg(feature = "ffi")]
impl<T: Real + Number> Save for Borrowed<'_, T> {
    fn write(&self, to: &mut Writer<'_>) {
        self.machine.write(to);
    }
}

#[cfg(feature = "ffi")]
impl<T: Real + Number> Load for Borrowed<'_, T> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.machine.check(from)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        self.machine.read(from);
    }
}

#[cfg(feature = "alloc")]
impl<T: Real + Number> Save for LbfgsVec<T> {
    fn write(&self, to: &mut Writer<'_>) {
        self.machine.write(to);
    }
}

#[cfg(feature = "alloc")]
impl<T: Real + Number> Load for LbfgsVec<T> {
    fn check(&self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.machine.check(from)
    }
    fn read(&mut self, from: &mut Reader<'_>) {
        self.machine.read(from);
    }
}
