//! Comparing rules with transforms in assembly with one element at a time: the same bits for every number, any chain.

use crate::{Hash, Number, exit, println};
use gradus::transform::*;
use gradus::*;

/// Two blocks of 64, and some.
const N: usize = 147;
/// Steps: the second is one that sweeps.
const STEPS: u32 = 4;

/// Numbers of a linear congruence, every second one of those that nobody likes: unless they are tame, those too for which
/// a loop over half states leaves the rest to the plain one.
struct Odd {
    word: u32,
    tame: bool,
}

impl Odd {
    fn next(&mut self) -> f32 {
        self.word = self.word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let word = self.word >> 8;
        match word % 23 {
            3 | 4 | 7..=9 if self.tame => 1e6,
            0 => 0.0,
            1 => -0.0,
            2 => f32::from_bits(word & 0x807f_ffff | 1),
            3 => 1e30,
            4 => -1e30,
            5 => 2.0, // a limit of the chains below
            6 => -2.0,
            7 => f32::INFINITY,
            8 => f32::NEG_INFINITY,
            9 => f32::from_bits(if word & 0x800 == 0 { 0xffff_ffff } else { 0x7fc0_0000 }), // erased flash
            10 => 3.0,
            11 => -3.0,
            _ => ((word >> 5) as f32 / 262_144.0 - 1.0) * 4.0,
        }
    }
}

/// All bits.
fn bits<M: Number>(x: &[M]) -> impl Iterator<Item = u32> {
    x.iter().map(|x| x.bits())
}

/// Compares over many lengths, over wild and tame numbers, and adds the results to the hash.
pub fn same<O: Optimizer<Family: Stateful<Memory: Number>>>(hash: &mut Hash, name: &str, optimizer: O) {
    for n in [0, 1, 2, 3, 4, 5, 7, 31, 63, 64, 65, 67, N] {
        from(hash, name, optimizer, n, Odd { word: 7 + n as u32, tame: false });
        from(hash, name, optimizer, n, Odd { word: 7 + n as u32, tame: true });
    }
}

fn from<O: Optimizer<Family: Stateful<Memory: Number>>>(
    hash: &mut Hash,
    name: &str,
    optimizer: O,
    n: usize,
    mut odd: Odd,
) {
    let (mut params, mut state) = ([0.0; N], optimizer.state::<N>());
    params.fill_with(|| odd.next());
    for column in state.columns.as_mut() {
        column.fill_with(|| Number::of(odd.next().abs()));
    }
    state.clock.t = 62;
    let (mut twin, mut other) = (params, state.clone());
    for _ in 0..STEPS {
        let grads: [f32; N] = core::array::from_fn(|_| odd.next());
        for (level, params, state) in
            [(Level::SCALAR, &mut params, &mut state), (Level::detect(), &mut twin, &mut other)]
        {
            let mut whole = state.as_mut();
            let Some(part) = whole.get(0..n) else { exit(1) };
            let result = optimizer.on(level).step_slices(&mut params[..n], &grads[..n], part);
            if result.is_err() {
                exit(1);
            }
        }
    }
    let columns = state.columns.as_ref().as_flattened();
    let equal =
        bits(&params).eq(bits(&twin)) && bits(columns).eq(bits(other.columns.as_ref().as_flattened()));
    if !equal {
        println!("{name}: {n} elements differ");
        exit(1);
    }
    hash.add_bits(bits(&params).chain(bits(columns)));
}

/// A transform of a program's own.
#[derive(Clone, Copy)]
struct Own;

impl Transform for Own {
    #[inline(always)]
    fn before<V: Vector>(&self, _: V::Isa, p: V, g: V) -> V {
        g + p
    }
    #[inline(always)]
    fn after<V: Vector>(&self, _: V::Isa, old: V, new: V) -> V {
        new + old
    }
    fn check(&self, _: f32) -> Result<(), Error> {
        Ok(())
    }
}

/// One that says of itself what no check lets through.
#[derive(Clone, Copy)]
struct Refused;

impl Transform for Refused {
    #[inline(always)]
    fn acts<A: Acts>(&self, acts: &mut A) {
        acts.shrink(f32::NAN, self);
    }
    #[inline(always)]
    fn after<V: Vector>(&self, _: V::Isa, old: V, new: V) -> V {
        new + old
    }
    fn check(&self, _: f32) -> Result<(), Error> {
        Ok(())
    }
}

/// Every chain that has code of its own, and chains that are refused by `check`.
pub fn chains<O: Optimizer<Family: Stateful<Memory: Number>>>(hash: &mut Hash, name: &str, o: O) {
    let before =
        (Scale(0.5), ClipValue(2.0), L2::new(0.01), L1::new(0.02), ElasticNet { lambda: 0.03, beta: 0.5 });
    let after = (Decay::new(0.1), ProxL1::new(0.2), ClampParams(3.0));
    same(hash, name, o);
    same(hash, name, o.with(Scale(0.5)));
    same(hash, name, o.with((Scale(0.5), L2::new(0.01))));
    same(hash, name, o.with((L2::new(0.01), Scale(0.5))));
    same(hash, name, o.with((Scale(0.5), L2::new(0.0), Decay::new(0.0))));
    same(hash, name, o.with((Decay::new(0.01), Scale(0.5), L2::new(0.01))));
    same(hash, name, o.with((Decay::new(0.01), Scale(0.5), Decay::new(0.02))));
    same(hash, name, o.with((Scale(0.5), ClipValue(2.0), Decay::new(0.01))));
    same(hash, name, o.with((ClipValue(-2.0), L1::new(f32::INFINITY), ProxL1::new(f32::NAN))));
    same(hash, name, o.with((ClipValue(f32::INFINITY), ClampParams(0.0), ProxL1::new(f32::INFINITY))));
    same(hash, name, o.with(Refused));
    same(hash, name, o.with(Own).with(L2::new(0.01)));
    same(hash, name, o.with((before, after)));
    let (scale, clip, l2, l1, net) = before;
    let (decay, prox, clamp) = after;
    let chosen = (Some(scale), Some(clip), Some(l2), Some(l1), Some(net));
    same(hash, name, o.with((chosen, (Some(decay), Some(prox), Some(clamp)))));
    same(hash, name, o.with((Some(scale), None::<ClipValue>, Some(l2))));
    println!("{name:<24} equal");
}
