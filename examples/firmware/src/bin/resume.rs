//! Continues the run in the file `resume.gradus` of the current directory for some steps, or starts one, and
//! saves it there: every optimizer, a schedule, a generator, dropout, averages, L-BFGS and Newton's method.
//!
//! `./ci.sh qemu` lets a computer and a Cortex-M4F take turns: the file must be that of a computer alone.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

use gradus::ensemble::{Average, Ema, EmaState, Swa, SwaState};
use gradus::noise::{Dropout, Masks};
use gradus::norm::{BatchNorm, BatchNormState, BatchShape, Statistics};
use gradus::schedule::{Cosine, Schedule, WarmUp};
use gradus::second_order::{Lbfgs, LbfgsSettings, Newton, NewtonSettings};
use gradus::store;
use gradus::transform::L2;
use gradus::*;
use gradus_firmware::{file, println};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

gradus_firmware::board!(main);

const FILE: &core::ffi::CStr = c"resume.gradus";

/// Parameters of each optimizer: not a multiple of any register.
const N: usize = 13;

/// Steps of one turn: within the warm-up, and within a line search.
const STEPS: u32 = 7;

/// Steps of the whole schedule.
const ALL: u32 = 40;

/// Parameters and state of one optimizer.
type Part<O> = ([f32; N], State<O, N>);

/// What chance and time add to the gradient, the same for all optimizers.
struct Moment {
    lr: f32,
    noise: [f32; N],
}

/// Every optimizer of the crate, one within the other: `(first, (second, (third, last)))`.
macro_rules! nest {
    ((start) $optimizer:ident $name:literal $lr:literal $variants:tt;) => {
        start($optimizer::new(0.01))
    };
    ((start) $optimizer:ident $name:literal $lr:literal $variants:tt; $($rest:tt)*) => {
        (start($optimizer::new(0.01)), nest!((start) $($rest)*))
    };
    ((step $parts:ident $moment:ident) $optimizer:ident $name:literal $lr:literal $variants:tt;) => {
        step($optimizer::new(0.01), $parts, &$moment)
    };
    ((step $parts:ident $moment:ident) $optimizer:ident $name:literal $lr:literal $variants:tt; $($rest:tt)*) => {
        let (part, parts) = $parts;
        step($optimizer::new(0.01), part, &$moment);
        nest!((step parts $moment) $($rest)*);
    };
}

fn start<O: Optimizer>(_: O) -> Part<O::Family> {
    (core::array::from_fn(|k| 0.5 - k as f32 * 0.125), State::new())
}

/// One step on a quadratic, with noise.
fn step<O: Optimizer>(rule: O, (params, state): &mut Part<O::Family>, moment: &Moment) {
    let grads = core::array::from_fn(|k| 0.5 * (params[k] - k as f32) + moment.noise[k]);
    rule.with_lr(moment.lr).with(L2::new(0.01)).step(params, &grads, state);
}

/// Rosenbrock's function, with a Hessian.
fn rosenbrock(x: &[f64; 2], g: &mut [f64; 2]) -> f64 {
    let (u, v) = (10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]);
    *g = [-40.0 * u * x[0] - 2.0 * v, 20.0 * u];
    u * u + v * v
}

fn main() {
    let mut optimizers = gradus::__optimizers!(nest!(start));
    let mut chance = (Xoshiro128PlusPlus::seed_from_u64(1), Masks::new(2), 0_u32);
    let mut averages = (SwaState::<N>::new(), EmaState::<N>::new(), BatchNormState::<2>::new());
    let mut minimisers = (Lbfgs::<2, 3, f64>::new(), Lbfgs::<2, 3>::new(), Newton::<2, f64>::new());
    let settings = LbfgsSettings::new();
    let ready = minimisers.0.start(&settings, &[-1.2, 1.0]).is_ok()
        & minimisers.1.start(&LbfgsSettings { l1: 0.25, ..LbfgsSettings::new() }, &[-1.2, 1.0]).is_ok()
        & minimisers.2.start(&NewtonSettings::new(), &[-1.2, 1.0]).is_ok();
    assert!(ready, "settings in range");

    let mut buffer = [0; 8192];
    let mut all = (&mut optimizers, &mut chance, &mut averages, &mut minimisers);
    if let Some(file) = file::read(FILE, &mut buffer) {
        match store::load(&mut all, file) {
            Ok(()) => println!("continues at step {}", all.1.2),
            Err(error) => return println!("not loaded: {error}"),
        }
    }

    for _ in 0..STEPS {
        let (generator, masks, t) = &mut chance;
        let mut noise = core::array::from_fn(|_| (generator.next_u32() >> 8) as f32 / 8_388_608.0 - 1.0);
        if Dropout::drop_prob(0.25).forward(&mut noise, masks).is_err() {
            return println!("refused");
        }
        let lr = WarmUp::new(1e-3, 10, Cosine::new(0.1, ALL)).at(*t);
        let moment = Moment { lr, noise };
        *t += 1;
        let parts = &mut optimizers;
        gradus::__optimizers!(nest!(step parts moment));
        let (swa, ema, running) = &mut averages;
        Swa.update(swa, &optimizers.0.0);
        Ema::new(0.9).update(ema, &optimizers.1.0.0);
        let [x, y] = [noise[0], noise[1] * noise[1]];
        let shape = BatchShape::dense(4, 2);
        let tracked = BatchNorm::new().track(
            shape,
            &Statistics { mean: [x, -x], variance: [y, y + 1.0] },
            running.as_mut(),
        );
        assert!(tracked.is_ok());
        minimise(&mut minimisers);
    }
    let all = (&mut optimizers, &mut chance, &mut averages, &mut minimisers);
    match store::save(all, &mut buffer) {
        Ok(file) => file::write(FILE, file),
        Err(error) => println!("not saved: {error}"),
    }
}

/// One evaluation for each of the minimisers.
fn minimise((double, single, newton): &mut (Lbfgs<2, 3, f64>, Lbfgs<2, 3>, Newton<2, f64>)) {
    if let Some((x, g)) = double.ask() {
        let f = rosenbrock(x, g);
        double.tell(f);
    }
    if let Some((x, g)) = single.ask() {
        let mut wide = [0.0; 2];
        let f = rosenbrock(&x.map(f64::from), &mut wide);
        *g = wide.map(|g| g as f32);
        single.tell(f as f32);
    }
    if let Some((x, g, h)) = newton.ask() {
        let f = rosenbrock(x, g);
        *h = [[1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0, -400.0 * x[0]], [-400.0 * x[0], 200.0]];
        newton.tell(f);
    }
}
