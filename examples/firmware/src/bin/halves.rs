//! Compares rules with a state in half the memory in assembly with one element at a time.
//! `./ci.sh qemu` runs it on an emulated Cortex-M4F.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

use gradus::transform::{L2, Scale};
use gradus::*;
use gradus_firmware::chains::{chains, same};
use gradus_firmware::println;

gradus_firmware::board!(main);

fn few(name: &str, optimizer: impl Optimizer<Family: Stateful<Memory = Bf16>>) {
    same(name, optimizer);
    same(name, optimizer.with((Scale(0.5), L2::new(0.01))));
    println!("{name:<24} equal");
}

fn main() {
    chains("Adam", Adam::new(0.1).half());
    chains("Momentum", Momentum::new(0.1).half());
    chains("Lion", Lion::new(0.1).half());
    few("Sgd", Sgd::new(0.1).half());
    few("Nesterov", Nesterov::new(0.1).half());
    few("AdaGrad", AdaGrad::new(0.1).half());
    few("RmsProp", RmsProp::new(0.1).half());
    few("RmsPropMomentum", RmsProp::new(0.1).with_momentum(0.9).half());
    few("AdamW", AdamW::new(0.1).half());
    few("Nadam", Nadam::new(0.1).half());
    few("Adam, short memory", Adam { beta1: 0.3, ..Adam::new(0.1) }.half());
    few("Adadelta", Adadelta::new(0.1).half());
    few("CenteredRmsProp", RmsProp::new(0.1).centered().half());
    few("Centered, momentum", RmsProp::new(0.1).centered().with_momentum(0.9).half()); // it has no loop in assembly
    few("Adamax", Adamax::new(0.1).half());
    few("RAdam", RAdam::new(0.1).half());
    few("RAdam, plain steps", RAdam { beta2: 0.5, ..RAdam::new(0.1) }.half());
}
