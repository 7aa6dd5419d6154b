//! A rule of one's own: a few safe lines of formula, and it runs on every instruction set of the crate,
//! composes with transforms, and gives the same bits everywhere.
//!
//! `cargo run --release --example custom_rule`

use gradus::transform::ClipValue;
use gradus::{Clock, Error, Hyper, Level, Optimizer, Rule, Vector, Width};

/// Signum (Bernstein et al., 2018): the sign of a running mean of gradients.
///
/// ```text
/// m = beta * m + (1 - beta) * g
/// p -= lr * sign(m)                  sign(0) = 0
/// ```
#[derive(Clone, Copy)]
struct Signum {
    lr: f32,
    /// An f64, as it was written: `1 - beta` is rounded once then. In f32, `1 - 0.999` is off by 1.3e-5.
    beta: f64,
}

/// The constants of one step.
#[derive(Clone, Copy)]
struct SignumRule {
    lr: f32,
    beta: f32,
    gain: f32,
}

/// The formula: one column of state, `m`, beside parameters and gradients.
impl Rule for SignumRule {
    type Columns = Width<1>;

    #[inline(always)]
    fn apply<V: Vector>(&self, isa: V::Isa, p: V, [g]: [V; 1], [m]: [V; 1]) -> (V, [V; 1]) {
        let [zero, one] = [V::splat(isa, 0.0), V::splat(isa, 1.0)];
        let m = V::splat(isa, self.beta) * m + V::splat(isa, self.gain) * g;
        let sign = m.select_gt(zero, one, zero.select_gt(m, -one, m)); // 0 and NaN are themselves
        (p - V::splat(isa, self.lr) * sign, [m])
    }
}

/// What makes it an optimizer: state, `step`, `step_slices`, `with`, threads and the rest follow.
impl Optimizer for Signum {
    type Family = Self;
    type Rule = SignumRule;

    fn rule(&self, _: &mut Clock) -> SignumRule {
        SignumRule { lr: self.lr, beta: self.beta as f32, gain: (1.0 - self.beta) as f32 }
    }
    fn lr(&self) -> f32 {
        self.lr
    }
    fn with_lr(self, lr: f32) -> Self {
        Self { lr, ..self }
    }
    fn check(&self) -> Result<(), Error> {
        if !(0.0 <= self.lr && self.lr.is_finite()) {
            Err(Error::Range(Hyper::LearningRate))
        } else if !(0.0 <= self.beta && (self.beta as f32) < 1.0) {
            Err(Error::Range(Hyper::Beta1))
        } else {
            Ok(())
        }
    }
}

/// Not a multiple of any register: the last elements take the same formula.
const N: usize = 37;

/// A parabola with its minimum at `0, 1, 2, ...` and a curvature that grows with the dimension.
fn loss(params: &[f32; N]) -> (f32, [f32; N]) {
    let (mut loss, mut grads) = (0.0, [0.0; N]);
    for (i, (p, g)) in params.iter().zip(&mut grads).enumerate() {
        let (curvature, away) = (1.0 + i as f32, p - i as f32);
        loss += 0.5 * curvature * away * away;
        *g = curvature * away;
    }
    (loss, grads)
}

/// Descends for 200 steps at one level, with gradients clipped in the same pass.
fn train(level: Level, log: bool) -> Result<[f32; N], Error> {
    const STEPS: u32 = 200;
    let signum = Signum { lr: 0.5, beta: 0.9 };
    let optimizer = signum.with(ClipValue(10.0));
    optimizer.check()?;
    let mut params = [0.0; N];
    let mut state = optimizer.state();
    let report = |t, loss| {
        if log {
            println!("after {t:3} steps   loss {loss:12.4}");
        }
    };
    for t in 0..STEPS {
        let (loss, grads) = loss(&params);
        if t % 40 == 0 {
            report(t, loss);
        }
        let lr = signum.lr * (1.0 - t as f32 / STEPS as f32);
        optimizer.with_lr(lr).on(level).step(&mut params, &grads, &mut state);
    }
    report(STEPS, loss(&params).0);
    Ok(params)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scalar = train(Level::SCALAR, true)?.map(f32::to_bits);
    for level in Level::available() {
        if train(level, false)?.map(f32::to_bits) != scalar {
            return Err(format!("{level} differs from scalar").into());
        }
        println!("{:8} the same {N} parameters, to the bit", level.name());
    }
    Ok(())
}
