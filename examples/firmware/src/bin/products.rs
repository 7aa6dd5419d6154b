//! Compares products in assembly with the plain loop: the same bits for every shape, for every number.
//! It prints a hash of them, by which builds are compared. `./ci.sh qemu` runs it on an emulated Cortex-M4F, M7 and M33.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

use core::sync::atomic::{AtomicU32, Ordering};
use gradus::layer::{Conv2d, Dense};
use gradus::{Clock, Error, Level, Momentum, Optimizer, StateMut};
use gradus_firmware::{exit, println};

gradus_firmware::board!(main);

/// Room for the widest layer and the largest batch.
const ROOM: usize = 2560;

/// Numbers of a linear congruence, some of them such as nobody likes.
struct Odd(u32);

impl Odd {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let word = self.0 >> 8;
        match word % 97 {
            0 => 0.0,
            1 => -0.0,
            2 => f32::from_bits(word & 0x807f_ffff | 1),
            3 => 1e30,
            4 if word & 64 == 0 => f32::INFINITY,
            5 if word & 64 == 0 => f32::NAN,
            _ => ((word >> 5) as f32 / 262_144.0 - 1.0) * 4.0,
        }
    }
}

/// The numbers that a pass reads.
struct Numbers {
    params: [f32; ROOM],
    x: [f32; ROOM],
    dy: [f32; ROOM],
}

static mut MEMORY: (Numbers, [[f32; ROOM]; 2]) =
    (Numbers { params: [0.0; _], x: [0.0; _], dy: [0.0; _] }, [[0.0; _]; 2]);

/// FNV-1a over the words of all results.
static HASH: AtomicU32 = AtomicU32::new(0x811c_9dc5);

/// Where a pass writes to, at each of both levels.
type Results = [[f32; ROOM]; 2];

/// Runs a pass at both levels from the same `n` numbers, and compares all that it has written.
fn same(
    (what, shape): (&str, [usize; 3]),
    results: &mut Results,
    n: usize,
    mut pass: impl FnMut(Level, &mut [f32]) -> Result<(), Error>,
) {
    for (level, result) in [Level::SCALAR, Level::detect()].into_iter().zip(&mut *results) {
        let mut odd = Odd(n as u32);
        let Some(result) = result.get_mut(..n) else { exit(1) };
        result.fill_with(|| odd.next());
        if pass(level, result).is_err() {
            println!("{what} {shape:?}: an error");
            exit(1);
        }
    }
    let bits = |x: f32| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() };
    let [first, second] = results;
    if let Some(at) = first[..n].iter().zip(&second[..n]).position(|(a, b)| bits(*a) != bits(*b)) {
        println!("{what} {shape:?} differs at {at} of {n}");
        exit(1);
    }
    let add = |hash: u32, x: &f32| (hash ^ bits(*x)).wrapping_mul(0x0100_0193);
    HASH.store(first[..n].iter().fold(HASH.load(Ordering::Relaxed), add), Ordering::Relaxed);
}

fn dense(numbers: &Numbers, results: &mut Results, [batch, inputs, outputs]: [usize; 3]) {
    let (shape, layer) = ([batch, inputs, outputs], Dense::new(inputs, outputs));
    let (n, p) = (batch * outputs, layer.params());
    same(("forward", shape), results, n, |level, y| {
        layer.on(level).forward(&numbers.params[..p], &numbers.x[..batch * inputs], y)
    });
    same(("backward", shape), results, p + batch * inputs, |level, result| {
        let (grads, dx) = result.split_at_mut(p);
        let (x, dy) = (&numbers.x[..batch * inputs], &numbers.dy[..n]);
        layer.on(level).backward(&numbers.params[..p], grads, x, dy, Some(dx))
    });
    same(("step", shape), results, 2 * p + batch * inputs, |level, result| {
        let (params, rest) = result.split_at_mut(p);
        let (column, dx) = rest.split_at_mut(p);
        let mut clock = Clock::default();
        let state = StateMut::new([column], &mut clock);
        let update = Momentum::new(0.1).on(level).update_slices(params, state)?;
        let (x, dy) = (&numbers.x[..batch * inputs], &numbers.dy[..n]);
        layer.on(level).backward_step(update, x, dy, Some(dx))
    });
}

fn convolution(numbers: &Numbers, results: &mut Results, images: usize, layer: Conv2d) {
    let shape = [layer.input[1], layer.input[2], layer.filters];
    let (n, p) = (images * layer.outputs(), layer.params());
    same(("convolution forward", shape), results, n, |level, y| {
        layer.on(level).forward(&numbers.params[..p], &numbers.x[..images * layer.inputs()], y)
    });
    same(("convolution backward", shape), results, p + images * layer.inputs(), |level, result| {
        let (grads, dx) = result.split_at_mut(p);
        let (x, dy) = (&numbers.x[..images * layer.inputs()], &numbers.dy[..n]);
        layer.on(level).backward(&numbers.params[..p], grads, x, dy, Some(dx))
    });
}

fn main() {
    let memory = &raw mut MEMORY;
    // SAFETY: main runs once, and nothing else names it.
    let (numbers, results) = unsafe { &mut *memory };
    let mut odd = Odd(1);
    numbers.params.fill_with(|| odd.next());
    numbers.x.fill_with(|| odd.next());
    numbers.dy.fill_with(|| odd.next());
    for batch in [1, 2, 3, 4, 5, 7, 8, 9] {
        for inputs in [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 33] {
            for outputs in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 24, 33] {
                dense(numbers, results, [batch, inputs, outputs]);
            }
        }
    }
    for channels in [1, 2, 4, 5] {
        for filters in [1, 3, 4, 6, 8] {
            let layer = Conv2d::new([6, 5, channels], filters, [3, 3]);
            for layer in [layer, layer.padding([1, 1]), layer.stride([2, 1]).padding([2, 0])] {
                convolution(numbers, results, 2, layer);
            }
        }
    }
    let hash = HASH.load(Ordering::Relaxed);
    println!("products: the same bits at {} and scalar, {hash:08x}", Level::detect());
}
