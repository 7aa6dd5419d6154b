//! Every rule has the same bits at every level, length, offset and split, whatever the values.

use crate::support::random::{Random, all_bits, bits};
use crate::support::rules::Kept;
use gradus::{Clock, Columns, Level, Optimizer, State, StateMut, run};
use std::fmt::Debug;

/// Lengths around every register's width, up to four of the widest and a bit.
const LONGEST: usize = 67;
/// Start offsets around every alignment.
const OFFSETS: usize = 16;
/// Room on both sides of the longest window.
const ROOM: usize = OFFSETS + LONGEST + 13;
/// Steps of a run: the second one starts from a state that is not zero.
const STEPS: usize = 2;

/// Columns of one run: parameters, state, and the gradients of each step.
#[derive(Clone)]
#[repr(align(64))]
struct Run<const K: usize, const N: usize> {
    params: [f32; N],
    columns: [[f32; N]; K],
    grads: [[f32; N]; STEPS],
    clock: Clock,
}

impl<const K: usize, const N: usize> Run<K, N> {
    fn new(mut value: impl FnMut() -> f32, state: bool) -> Self {
        let mut column = || std::array::from_fn(|_| value());
        let columns = std::array::from_fn(|_| if state { column() } else { [0.0; N] });
        let (params, grads) = (column(), std::array::from_fn(|_| column()));
        Self { params, columns, grads, clock: Clock::new() }
    }

    /// Training as it should be.
    fn ordinary(seed: u64) -> Self {
        let mut random = Random(seed);
        Self::new(|| random.sized(-6.0, 3.0), false)
    }

    /// Special values everywhere, also in the state.
    fn special(seed: u64) -> Self {
        let mut random = Random(seed);
        Self::new(|| random.any(), true)
    }

    /// The steps, over a window of every column.
    fn steps<O: Kept<K>>(&mut self, rule: &O, level: Level, window: std::ops::Range<usize>) {
        for grads in &self.grads {
            let columns = self.columns.each_mut().map(|column| &mut column[window.clone()]);
            let state = StateMut::new(columns, &mut self.clock);
            let params = &mut self.params[window.clone()];
            rule.on(level).step_slices(params, &grads[window.clone()], state).unwrap();
        }
    }

    /// The steps at the scalar level, each element in a call of its own.
    fn one_by_one<O: Kept<K>>(&mut self, rule: &O) {
        let start = self.clock;
        for i in 0..N {
            self.clock = start;
            self.steps(rule, Level::SCALAR, i..i + 1);
        }
    }

    /// Asserts that the window is as `want` has it, and everything beside it as it was at `start`.
    fn assert_window(&self, want: &Self, start: &Self, window: std::ops::Range<usize>, what: &dyn Debug) {
        let pairs = [(&self.params, &want.params, &start.params)]
            .into_iter()
            .chain((0..K).map(|k| (&self.columns[k], &want.columns[k], &start.columns[k])));
        for (column, (got, want, start)) in pairs.enumerate() {
            for i in 0..N {
                let want = if window.contains(&i) { want[i] } else { start[i] };
                let same = bits(got[i]) == bits(want);
                assert!(same, "{what:?}: column {column}, {i} of {window:?}: {:e}, not {want:e}", got[i]);
            }
        }
    }
}

fn windows<const K: usize, O: Kept<K> + Debug>(rule: &O, lengths: usize) {
    for start in [Run::<K, ROOM>::ordinary(1), Run::special(2), Run::special(3)] {
        let mut want = start.clone();
        want.one_by_one(rule);
        for level in Level::available() {
            for offset in 0..OFFSETS {
                for length in (offset % lengths..=LONGEST).step_by(lengths) {
                    let window = offset..offset + length;
                    let mut got = start.clone();
                    got.steps(rule, level, window.clone());
                    got.assert_window(&want, &start, window, &(rule, level));
                }
            }
        }
    }
}

fn every_window<const K: usize, O: Kept<K> + Debug>(rule: O) {
    windows(&rule, 1);
}

#[test]
fn every_length_and_offset_has_the_bits_of_single_elements() {
    each_rule!(every_window);
}

/// The loops are those of the rules above: every offset with every seventh length shows the formulas.
fn some_windows<const K: usize, O: Kept<K> + Debug>(rule: O) {
    windows(&rule, 7);
}

#[test]
fn so_has_every_preset_and_option() {
    each_variant!(some_windows);
}

/// Long columns take another path: a partial register first, to align the others.
fn long_windows<const K: usize, O: Kept<K> + Debug>(rule: O) {
    let start = Run::<K, 400>::special(4);
    let mut want = start.clone();
    want.one_by_one(&rule);
    for level in Level::available() {
        for offset in 0..OFFSETS {
            for length in [255, 256, 257, 263, 272, 300, 384] {
                let window = offset..offset + length;
                let mut got = start.clone();
                got.steps(&rule, level, window.clone());
                got.assert_window(&want, &start, window, &(&rule, level));
            }
        }
    }
}

#[test]
fn long_columns_have_the_same_bits() {
    each_rule!(long_windows);
}

/// A column at an offset of its own, with something on both sides.
#[repr(align(64))]
struct Placed {
    memory: [f32; 352],
    offset: usize,
    length: usize,
}

impl Placed {
    fn new(column: &[f32], offset: usize) -> Self {
        let (mut memory, offset, length) = ([77.0; 352], offset % OFFSETS, column.len());
        memory[offset..offset + length].copy_from_slice(column);
        Self { memory, offset, length }
    }

    fn slice(&mut self) -> &mut [f32] {
        &mut self.memory[self.offset..self.offset + self.length]
    }

    fn assert_same(&self, want: &[f32], what: &dyn Debug) {
        let want = Self::new(&want[..self.length], self.offset);
        assert_eq!(self.memory.map(bits), want.memory.map(bits), "{what:?}");
    }
}

/// No two columns begin at the same place of a register.
fn scattered<const K: usize, O: Kept<K> + Debug>(rule: O) {
    let start = Run::<K, 330>::special(5);
    let mut want = start.clone();
    want.one_by_one(&rule);
    for level in Level::available() {
        for first in 0..OFFSETS {
            for length in [1, 15, 16, 37, 67, 257, 330] {
                let offset = |k: usize| first + 5 * k;
                let mut params = Placed::new(&start.params[..length], first);
                let mut columns: [_; K] =
                    std::array::from_fn(|k| Placed::new(&start.columns[k][..length], offset(k + 1)));
                let mut clock = start.clock;
                for (step, grads) in start.grads.iter().enumerate() {
                    let mut grads = Placed::new(&grads[..length], offset(K + 1 + step));
                    let state = StateMut::new(columns.each_mut().map(Placed::slice), &mut clock);
                    rule.on(level).step_slices(params.slice(), grads.slice(), state).unwrap();
                }
                let what = (&rule, level, first, length);
                params.assert_same(&want.params, &what);
                for (column, want) in columns.iter().zip(&want.columns) {
                    column.assert_same(want, &what);
                }
            }
        }
    }
}

#[test]
fn columns_at_offsets_that_differ_have_the_same_bits() {
    each_rule!(scattered);
}

/// Every split of a slice gives the bits of the whole, both as calls and as columns.
fn splits<const K: usize, O: Kept<K> + Debug>(rule: O) {
    let start = Run::<K, LONGEST>::special(5);
    for level in Level::available() {
        let mut want = start.clone();
        want.steps(&rule, level, 0..LONGEST);
        for middle in 0..=LONGEST {
            let mut got = start.clone();
            got.steps(&rule, level, 0..middle);
            got.clock = start.clock;
            got.steps(&rule, level, middle..LONGEST);
            got.assert_window(&want, &start, 0..LONGEST, &(&rule, level, middle));

            let mut got = start.clone();
            for grads in &got.grads {
                got.clock.t += 1;
                let constants = rule.rule(&mut got.clock);
                let columns = Columns::from_arrays(&mut got.params, [grads], &mut got.columns);
                let (left, right) = columns.split_at(middle);
                run(level, &constants, right);
                run(level, &constants, left);
            }
            got.assert_window(&want, &start, 0..LONGEST, &(&rule, level, middle));
        }
    }
}

#[test]
fn every_split_has_the_bits_of_the_whole() {
    each_rule!(splits);
}

/// The call on arrays and the one on slices are the same.
fn arrays<const K: usize, O: Kept<K> + Debug>(rule: O) {
    let start = Run::<K, LONGEST>::special(6);
    let mut want = start.clone();
    want.steps(&rule, Level::SCALAR, 0..LONGEST);
    let mut params = start.params;
    let mut state = State::<O::Family, LONGEST>::new();
    state.columns.as_mut().copy_from_slice(&start.columns);
    for grads in &start.grads {
        rule.step(&mut params, grads, &mut state);
    }
    assert_eq!(all_bits(&params), all_bits(&want.params), "{rule:?}");
    let columns = state.columns.as_ref().as_flattened();
    assert_eq!(columns.len(), K * LONGEST);
    assert_eq!(all_bits(columns), all_bits(want.columns.as_flattened()), "{rule:?}");
    assert_eq!(state.clock, want.clock);
}

#[test]
fn arrays_and_slices_have_the_same_bits() {
    each_rule!(arrays);
    each_variant!(arrays);
}

/// A NaN or infinity stays where it is.
fn neighbours<const K: usize, O: Kept<K> + Debug>(rule: O) {
    let clean = Run::<K, LONGEST>::ordinary(7);
    for level in Level::available() {
        let mut want = clean.clone();
        want.steps(&rule, level, 0..LONGEST);
        for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, 3, 16, 40, 63, 64, 66] {
                let mut got = clean.clone();
                got.grads[0][at] = poison;
                got.steps(&rule, level, 0..LONGEST);
                // Equal to the clean run on both sides of the poisoned element.
                for window in [0..at, at + 1..LONGEST] {
                    for i in window {
                        assert_eq!(bits(got.params[i]), bits(want.params[i]), "{rule:?} {level} {at} {i}");
                        for k in 0..K {
                            assert_eq!(
                                bits(got.columns[k][i]),
                                bits(want.columns[k][i]),
                                "{rule:?} {at} {i}"
                            );
                        }
                    }
                }
                if poison.is_nan() {
                    assert!(got.params[at].is_nan(), "{rule:?}: a NaN is never hidden");
                }
            }
        }
    }
}

#[test]
fn a_poisoned_element_leaves_its_neighbours_alone() {
    each_rule!(neighbours);
}
