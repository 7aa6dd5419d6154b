//! Rules with a state in half the memory, at the widest level of the target beside one element at a time.

use crate::chains::{chains, same};
use crate::{Hash, println};
use gradus::transform::{L2, Scale};
use gradus::*;

fn few(hash: &mut Hash, name: &str, optimizer: impl Optimizer<Family: Stateful<Memory = Bf16>>) {
    same(hash, name, optimizer);
    same(hash, name, optimizer.with((Scale(0.5), L2::new(0.01))));
    println!("{name:<24} equal");
}

/// Ends the program where a bit differs; else the hash of all of them.
#[must_use]
pub fn halves() -> u64 {
    let mut all = Hash::new();
    let hash = &mut all;
    chains(hash, "Adam", Adam::new(0.1).half());
    chains(hash, "Momentum", Momentum::new(0.1).half());
    chains(hash, "Lion", Lion::new(0.1).half());
    chains(hash, "Lion, no decay", Lion { weight_decay: 0.0, ..Lion::new(0.1) }.half());
    few(hash, "Sgd", Sgd::new(0.1).half());
    few(hash, "Nesterov", Nesterov::new(0.1).half());
    few(hash, "AdaGrad", AdaGrad::new(0.1).half());
    few(hash, "RmsProp", RmsProp::new(0.1).half());
    few(hash, "RmsPropMomentum", RmsProp::new(0.1).with_momentum(0.9).half());
    few(hash, "AdamW", AdamW::new(0.1).half());
    few(hash, "Nadam", Nadam::new(0.1).half());
    few(hash, "Adam, short memory", Adam { beta1: 0.3, ..Adam::new(0.1) }.half());
    few(hash, "Adadelta", Adadelta::new(0.1).half());
    few(hash, "CenteredRmsProp", RmsProp::new(0.1).centered().half());
    few(hash, "Centered, momentum", RmsProp::new(0.1).centered().with_momentum(0.9).half()); // it has no loop in assembly
    few(hash, "Adamax", Adamax::new(0.1).half());
    few(hash, "RAdam", RAdam::new(0.1).half());
    few(hash, "RAdam, plain steps", RAdam { beta2: 0.5, ..RAdam::new(0.1) }.half());
    all.0
}
