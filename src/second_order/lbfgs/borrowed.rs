//! L-BFGS in memory of the caller: between two calls it is plain numbers, without a pointer.

use super::machine::{Core, Machine};
use super::path::Given;
use super::settings::LbfgsSettings;
use super::two_loop::{History, Pair, Ring};
use super::walk::{InOrder, Totals};
use crate::second_order::fields::{Count, Fields};
use crate::second_order::{Real, Report, Stop};

/// Pairs at most: Nocedal and Wright (2006, section 7.2) recommend 3 to 20.
pub(crate) const MOST_PAIRS: usize = 20;

type Pairs<'a, T> = heapless::Vec<Pair<&'a mut [T], &'a mut [T]>, MOST_PAIRS>;

/// Numbers of work memory for `n` parameters and `m` pairs, unless they are too many to count.
pub(crate) fn work_len(n: usize, m: usize) -> Option<usize> {
    let vectors = m.checked_mul(2)?.checked_add(3)?.checked_mul(n)?;
    vectors.checked_add(m.checked_add(4)?.checked_mul(m)?)
}

/// All of a run between two evaluations but its vectors: zeros before the start.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Suspended {
    words: [u32; 20],
    numbers: [f64; 27],
}

// The lengths are numbers because C would not know the names: the compiler compares them with what it counts. Words
// are even in number, else there would be padding, bytes that are never written.
const _: () = {
    let Count { numbers, words } = Core::<f64>::COUNT;
    assert!(size_of::<Suspended>() == words.next_multiple_of(2) * 4 + numbers * 8);
    assert!(core::mem::offset_of!(Suspended, numbers) == words.next_multiple_of(2) * 4);
};

/// A run over the caller's vectors, for the length of a call.
pub(crate) struct Borrowed<'a, T> {
    pub(super) machine: Machine<T, &'a mut [T], &'a mut [T], Pairs<'a, T>>,
}

impl<'a, T: Real + Into<f64>> Borrowed<'a, T> {
    /// At rest: `work` is [`work_len`] long, and `x` as long as `g`.
    pub(crate) fn new([x, g, work]: [&'a mut [T]; 3], m: usize) -> Self {
        let (n, mut rest) = (x.len(), work);
        let mut take = |len: usize| {
            let (taken, left) = core::mem::take(&mut rest).split_at_mut_checked(len).unwrap_or_default();
            rest = left;
            taken
        };
        let history = History { pairs: Pairs::new(), alpha: take(m), totals: Totals::zero(take(m), take(m)) };
        let (x0, direction, start_grad, scratch) = (take(n), take(n), take(n), take(m));
        let mut run =
            Self { machine: Machine { core: Core::REST, history, x, x0, g, start_grad, direction, scratch } };
        // Filled where it stays: the list is most of the stack that a run takes.
        let pairs = &mut run.machine.history.pairs;
        while pairs.len() < m && pairs.push(Pair { s: take(n), y: take(n), products: take(m) }).is_ok() {}
        run
    }

    /// Starts from what is in `x`, with `work` all zero.
    pub(crate) fn start(&mut self, settings: &LbfgsSettings<T>) {
        self.machine.start(settings);
    }

    /// Goes on where a run with as many pairs was suspended; `None` if it cannot have been.
    pub(crate) fn resume(&mut self, from: &Suspended) -> Option<()> {
        let capacity = self.machine.history.pairs.len();
        let core = &mut self.machine.core;
        core.ring = Ring { capacity, ..Ring::EMPTY };
        core.fields(&mut In(from.words.iter().copied(), from.numbers.iter().copied()));
        core.fits(capacity).then_some(())
    }

    /// What [`resume`](Self::resume) needs.
    pub(crate) fn suspend(&self) -> Suspended {
        let mut to = Suspended::default();
        { self.machine.core }.fields(&mut Out(to.words.iter_mut(), to.numbers.iter_mut()));
        to
    }

    /// The value at `x` is `f`, and the gradient is in `g`.
    pub(crate) fn tell(&mut self, f: T, given: &Given<'_, T>) {
        self.machine.tell(&mut InOrder, f, given);
    }

    /// Stops early, with the best point in `x`.
    pub(crate) fn stop(&mut self) {
        self.machine.stop();
    }

    /// Whether it has been started.
    pub(crate) fn begun(&self) -> bool {
        self.machine.asks() || self.report().stop != Stop::Running
    }

    /// The strength of its L1 penalty, which is that of its start.
    pub(crate) fn penalty(&self) -> T {
        self.machine.core.settings.l1
    }

    /// What has been reached so far.
    pub(crate) fn report(&self) -> Report<T> {
        self.machine.core.report
    }
}

/// Hands the fields out; what is missing counts as 0.
struct In<W, N>(W, N);

impl<T: Real, W: Iterator<Item = u32>, N: Iterator<Item = f64>> Fields<T> for In<W, N> {
    fn number(&mut self, x: &mut T) {
        *x = T::of(self.1.next().unwrap_or(0.0));
    }
    fn word(&mut self, x: &mut u32) {
        *x = self.0.next().unwrap_or(0);
    }
}

/// Takes the fields in, as many as there is room for.
struct Out<W, N>(W, N);

impl<'a, T: Real + Into<f64>, W, N> Fields<T> for Out<W, N>
where
    W: Iterator<Item = &'a mut u32>,
    N: Iterator<Item = &'a mut f64>,
{
    fn number(&mut self, x: &mut T) {
        if let Some(to) = self.1.next() {
            *to = (*x).into();
        }
    }
    fn word(&mut self, x: &mut u32) {
        if let Some(to) = self.0.next() {
            *to = *x;
        }
    }
}
