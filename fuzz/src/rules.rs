//! Any optimizer and any transform, out of the fuzzer's bytes.

use crate::input::number;
use crate::list::Kept;
use arbitrary::{Result, Unstructured};
use gradus::store::Family;
use gradus::transform::{ClampParams, ClipValue, Decay, ElasticNet, L1, L2, ProxL1, Scale, Transform};
use gradus::*;

/// An optimizer of the crate, whose state has a name in files.
pub trait Listed<const K: usize>: Kept<K> + Optimizer<Family: Family> + core::fmt::Debug {}
impl<const K: usize, O: Kept<K> + Optimizer<Family: Family> + core::fmt::Debug> Listed<K> for O {}

/// What to do with an optimizer, whatever its type.
pub trait Visit {
    fn visit<const K: usize, O: Listed<K>>(self, optimizer: O) -> Result<()>;
}

/// A learning rate, a limit, a strength: usual or of any bits.
fn factor(u: &mut Unstructured) -> Result<f32> {
    if u.ratio(1, 4)? { number(u) } else { Ok(f32::from(u.arbitrary::<u8>()?) / 64.0) }
}

/// A decay: usual or of any bits.
fn decay(u: &mut Unstructured) -> Result<f64> {
    match u.int_in_range(0..=7)? {
        0 => number(u),
        1 => Ok(f64::from(u.arbitrary::<u16>()?) / 65536.0),
        _ => Ok(*u.choose(&[0.0, 0.5, 0.9, 0.99, 0.999, 0.9999])?),
    }
}

fn epsilon(u: &mut Unstructured) -> Result<Epsilon> {
    let eps = |u: &mut Unstructured| {
        if u.ratio(1, 4)? { number(u) } else { Ok(*u.choose(&[1e-8, 1e-7, 1e-3, 1e-31, 0.0])?) }
    };
    Ok(match u.int_in_range(0..=2)? {
        0 => Epsilon::Outside(eps(u)?),
        1 => Epsilon::Hat(eps(u)?),
        _ => Epsilon::Root { inside: eps(u)?, outside: eps(u)? },
    })
}

/// Calls `visit` with any optimizer of the crate, its hyper-parameters in range or not.
pub fn optimizer(u: &mut Unstructured, visit: impl Visit) -> Result<()> {
    let rule = u.int_in_range(0..=13)?;
    let lr = factor(u)?;
    let (beta1, beta2, eps) = (decay(u)?, decay(u)?, epsilon(u)?);
    let (rho, weight_decay) = (beta1, factor(u)?);
    let rmsprop = RmsProp { lr, rho, eps };
    match rule {
        0 => visit.visit(Sgd { lr }),
        1 => visit.visit(Momentum { lr, rho, dampening: beta2 }),
        2 => visit.visit(Nesterov { lr, rho }),
        3 => visit.visit(AdaGrad { lr, eps }),
        4 => visit.visit(rmsprop),
        5 => visit.visit(rmsprop.centered()),
        6 => visit.visit(rmsprop.with_momentum(weight_decay)),
        7 => visit.visit(rmsprop.centered().with_momentum(weight_decay)),
        8 => visit.visit(Adam { lr, beta1, beta2, eps, bias_correction: weight_decay > 0.5 }),
        9 => visit.visit(AdamW { lr, beta1, beta2, eps, weight_decay }),
        10 => visit.visit(AmsGrad { lr, beta1, beta2, eps }),
        11 => visit.visit(Nadam { lr, beta1, beta2, eps, momentum_decay: weight_decay }),
        12 => visit.visit(Lion { lr, beta1, beta2, weight_decay }),
        _ => {
            let place = u.int_in_range(0..=AnyOptimizer::NAMES.len() - 1)?;
            listed(place, lr, visit)
        }
    }
}

/// Calls `visit` with the optimizer at a place of the list: the new ones are fuzzed from their first day.
fn listed(place: usize, lr: f32, visit: impl Visit) -> Result<()> {
    macro_rules! nth {
        (() $($optimizer:ident $name:literal $lr:literal [$($variant:expr),* $(,)?];)*) => {
            match AnyOptimizer::NAMES[place] {
                $($name => visit.visit($optimizer::new(lr)),)*
                name => panic!("{name} is not in the list"),
            }
        };
    }
    gradus::__optimizers!(nth!())
}

/// Any one transform, or none.
#[derive(Clone, Copy, Debug)]
pub enum Any {
    None,
    Scale(Scale),
    ClipValue(ClipValue),
    ClampParams(ClampParams),
    L1(L1),
    L2(L2),
    ElasticNet(ElasticNet),
    Decay(Decay),
    ProxL1(ProxL1),
}

macro_rules! each {
    ($self:ident, $t:ident => $call:expr, $none:expr) => {
        match $self {
            Any::None => $none,
            Any::Scale($t) => $call,
            Any::ClipValue($t) => $call,
            Any::ClampParams($t) => $call,
            Any::L1($t) => $call,
            Any::L2($t) => $call,
            Any::ElasticNet($t) => $call,
            Any::Decay($t) => $call,
            Any::ProxL1($t) => $call,
        }
    };
}

impl Transform for Any {
    #[inline(always)]
    fn before<V: Vector>(&self, isa: V::Isa, p: V, g: V) -> V {
        each!(self, t => t.before(isa, p, g), g)
    }
    #[inline(always)]
    fn after<V: Vector>(&self, isa: V::Isa, old: V, new: V) -> V {
        each!(self, t => t.after(isa, old, new), new)
    }
    fn at(self, lr: f32) -> Self {
        match self {
            Self::Decay(t) => Self::Decay(t.at(lr)),
            Self::ProxL1(t) => Self::ProxL1(t.at(lr)),
            other => other,
        }
    }
    fn check(&self, lr: f32) -> core::result::Result<(), Error> {
        each!(self, t => t.check(lr), Ok(()))
    }
}

pub fn transform(u: &mut Unstructured) -> Result<Any> {
    Ok(match u.int_in_range(0..=8)? {
        0 => Any::Scale(Scale(factor(u)?)),
        1 => Any::ClipValue(ClipValue(factor(u)?)),
        2 => Any::ClampParams(ClampParams(factor(u)?)),
        3 => Any::L1(L1::new(factor(u)?)),
        4 => Any::L2(L2::new(factor(u)?)),
        5 => Any::ElasticNet(ElasticNet { lambda: factor(u)?, beta: factor(u)? }),
        6 => Any::Decay(Decay::new(factor(u)?)),
        7 => Any::ProxL1(ProxL1::new(factor(u)?)),
        _ => Any::None,
    })
}
