//! Threads: elementwise passes split over the pool of `rayon`, to the same bits.
//!
//! An elementwise rule gives each element the same bits wherever a slice is cut, so that the number
//! of threads cannot show in a result.

use crate::error::Error;
use crate::optim::{Clock, Optimizer, Stateful, Tensor, check_tensors};
use crate::simd::{Columns, Element, Layout, Level, Rule, Width, run};
use crate::transform::{Transform, With};

/// The fewest elements that are worth a second thread: below two of them a pass is over before one
/// has woken up.
pub(crate) const GRAIN: usize = 1 << 18;

/// Parts to cut `n` elements into: one a thread of the current pool, none below a grain.
fn parts(n: usize) -> usize {
    (n / GRAIN).clamp(1, rayon::current_num_threads())
}

/// Both at the same time, if there is a second thread.
///
/// `rayon::join` called from outside of the pool sleeps until two of its threads have woken up,
/// one after the other. Here such a caller does its part itself, and waits for the others.
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

/// [`run`] on all threads of the current pool.
pub(crate) fn par_run<
    const S: usize,
    const R: usize,
    T: Element,
    K: Rule<R, T, Columns = Width<S>> + Sync,
>(
    level: Level,
    rule: &K,
    columns: Columns<'_, S, R, T>,
) {
    let parts = parts(columns.len());
    run_parts(level, rule, columns, parts);
}

pub(crate) fn run_parts<
    const S: usize,
    const R: usize,
    T: Element,
    K: Rule<R, T, Columns = Width<S>> + Sync,
>(
    level: Level,
    rule: &K,
    columns: Columns<'_, S, R, T>,
    parts: usize,
) {
    if parts == 1 {
        return run(level, rule, columns);
    }
    let half = parts / 2;
    let middle = columns.len() / parts * half;
    let (left, right) = columns.split_at(middle);
    join(|| run_parts(level, rule, left, half), || run_parts(level, rule, right, parts - half));
}

/// One step of all tensors on all threads of the current pool.
pub(crate) fn par_step_tensors<O: Optimizer, T: Transform>(
    optimizer: &O,
    tensors: &mut [Tensor<'_, O::Family, T>],
    clock: &mut Clock,
) -> Result<(), Error> {
    check_tensors(tensors)?;
    let step = Step { level: Level::detect(), lr: optimizer.lr(), rule: optimizer.rule(clock.tick()) };
    step.all(tensors, parts(total(tensors)))
}

/// Elements of all tensors.
fn total<O: Stateful, T>(tensors: &[Tensor<'_, O, T>]) -> usize {
    tensors.iter().map(|tensor| tensor.params.len()).sum()
}

/// What one step of every tensor shares.
struct Step<R> {
    level: Level,
    lr: f32,
    rule: R,
}

impl<R: Rule> Step<R> {
    /// Cuts the list, and where a tensor is too large for that, the tensor.
    fn all<O: Stateful<Columns = R::Columns>, T>(
        &self,
        tensors: &mut [Tensor<'_, O, T>],
        parts: usize,
    ) -> Result<(), Error>
    where
        R: Rule + Copy + Sync,
        T: Transform,
    {
        if parts == 1 || tensors.len() < 2 {
            for tensor in tensors {
                let rule = With { optimizer: self.rule, transform: tensor.transform.at(self.lr) };
                R::Columns::par_run(self.level, &rule, tensor.columns()?, Some(parts));
            }
            return Ok(());
        }
        // The cut that balances elements, not tensors.
        let total = total(tensors);
        let (mut cut, mut left) = (1, tensors[0].params.len());
        while cut + 1 < tensors.len() && 2 * left < total {
            left += tensors[cut].params.len();
            cut += 1;
        }
        let share = (left * parts + total / 2) / total;
        let (left, right) = tensors.split_at_mut(cut);
        if share == 0 || share == parts {
            // One side is not worth a thread: one after the other, each on as many as it fills.
            let [left_parts, right_parts] =
                [&*left, &*right].map(|side| parts.min(self::parts(self::total(side))));
            return self.all(left, left_parts).and(self.all(right, right_parts));
        }
        let (left, right) = join(|| self.all(left, share), || self.all(right, parts - share));
        left.and(right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::L2;
    use crate::{Adam, AdamState, StateVec};

    fn values(n: usize, seed: u32) -> Vec<f32> {
        let next = |i| (seed.wrapping_add(i).wrapping_mul(2_654_435_761) >> 8) as f32;
        (0..n as u32).map(|i| next(i) / 8_388_608.0 - 1.0).collect()
    }

    #[test]
    fn any_number_of_threads_gives_the_bits_of_one() {
        let adam = Adam::new(1e-2).with(L2::new(1e-3));
        for n in [1000, 2 * GRAIN - 1, 2 * GRAIN, 5 * GRAIN + 77] {
            let (start, grads) = (values(n, 1), values(n, 2));
            let mut want = start.clone();
            let mut state = StateVec::<Adam>::new(n);
            for _ in 0..3 {
                adam.step_slices(&mut want, &grads, state.as_mut()).unwrap();
            }
            for threads in [1, 2, 3, 7] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut got = start.clone();
                let mut state = StateVec::<Adam>::new(n);
                for _ in 0..3 {
                    pool.install(|| adam.par_step_slices(&mut got, &grads, state.as_mut())).unwrap();
                }
                assert!(got.iter().zip(&want).all(|(a, b)| a.to_bits() == b.to_bits()), "{n} {threads}");
            }
        }
    }

    #[test]
    fn a_list_of_tensors_steps_like_each_alone() {
        let sizes = [3, 0, GRAIN, 17, 2 * GRAIN + 5, 64, 1];
        let adam = Adam::new(1e-2);
        let mut want: Vec<_> = sizes.iter().map(|&n| values(n, n as u32)).collect();
        let grads: Vec<_> = sizes.iter().map(|&n| values(n, 9)).collect();
        let mut got = [want.clone(), want.clone()];
        for (k, params) in want.iter_mut().enumerate() {
            let mut state = StateVec::<Adam>::new(params.len());
            let adam = adam.with(L2::new(k as f32));
            adam.step_slices(params, &grads[k], state.as_mut()).unwrap();
        }
        for (parallel, got) in [false, true].into_iter().zip(&mut got) {
            let mut states: Vec<_> = sizes.iter().map(|&n| StateVec::<Adam>::new(n)).collect();
            let mut tensors: Vec<_> = got
                .iter_mut()
                .zip(&grads)
                .zip(&mut states)
                .enumerate()
                .map(|(k, ((params, grads), state))| Tensor {
                    params,
                    grads,
                    columns: state.columns_mut(),
                    transform: L2::new(k as f32),
                })
                .collect();
            let mut clock = Clock::new();
            if parallel {
                adam.par_step_tensors(&mut tensors, &mut clock).unwrap();
            } else {
                adam.step_tensors(&mut tensors, &mut clock).unwrap();
            }
            assert_eq!(clock.t, 1);
            assert_eq!(*got, want);
        }
    }

    #[test]
    fn one_wrong_tensor_stops_all_before_a_write() {
        let mut clock = Clock::new();
        let (mut a, mut b) = ([1.0, 2.0], [3.0]);
        let (mut state_a, mut state_b) = (AdamState::<2>::new(), AdamState::<1>::new());
        let mut tensors = [
            Tensor { params: &mut a, grads: &[1.0, 1.0], columns: state_a.as_mut().columns, transform: () },
            Tensor { params: &mut b, grads: &[1.0, 1.0], columns: state_b.as_mut().columns, transform: () },
        ];
        let error = Error::Length { expected: 1, found: 2 };
        assert_eq!(Adam::new(0.1).step_tensors(&mut tensors, &mut clock), Err(error));
        assert_eq!(Adam::new(0.1).par_step_tensors(&mut tensors, &mut clock), Err(error));
        assert_eq!((a, b, clock.t, state_a.columns), ([1.0, 2.0], [3.0], 0, [[0.0; 2]; 2]));
    }
}
