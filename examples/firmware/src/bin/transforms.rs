//! Compares rules with transforms in assembly with one element at a time: the same bits for every number, any chain.
//! `./ci.sh qemu` runs it on an emulated Cortex-M4F.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

use gradus::*;
use gradus_firmware::chains::chains;

gradus_firmware::board!(main);

fn main() {
    chains("Sgd", Sgd::new(0.1));
    chains("Momentum", Momentum::new(0.1));
    chains("Nesterov", Nesterov::new(0.1));
    chains("AdaGrad", AdaGrad::new(0.1));
    chains("RmsProp", RmsProp::new(0.1));
    chains("RmsPropMomentum", RmsProp::new(0.1).with_momentum(0.9));
    chains("Adam", Adam::new(0.1));
    chains("Adam, short memory", Adam { beta1: 0.3, ..Adam::new(0.1) });
    chains("AdamW", AdamW::new(0.1));
    chains("Nadam", Nadam::new(0.1));
    chains("Nadam, short memory", Nadam { beta1: 0.3, ..Nadam::new(0.1) });
    chains("Adadelta", Adadelta::new(0.1));
    chains("CenteredRmsProp", RmsProp::new(0.1).centered());
    chains("CenteredRmsProp, short", RmsProp { rho: 0.3, ..RmsProp::new(0.1) }.centered());
    chains("Centered, momentum", RmsProp::new(0.1).centered().with_momentum(0.9));
    chains("Centered, momentum, short", RmsProp { rho: 0.3, ..RmsProp::new(0.1) }.centered().with_momentum(0.9));
    chains("Adamax", Adamax::new(0.1));
    chains("Adamax, short memory", Adamax { beta1: 0.3, ..Adamax::new(0.1) });
    chains("AmsGrad", AmsGrad::new(0.1));
    chains("AmsGrad, short memory", AmsGrad { beta1: 0.3, ..AmsGrad::new(0.1) });
    chains("RAdam", RAdam::new(0.1));
    chains("RAdam, plain steps", RAdam { beta2: 0.5, ..RAdam::new(0.1) });
    chains("Lion", Lion::new(0.1));
    chains("Lion, short memory", Lion { beta2: 0.3, ..Lion::new(0.1) });
    chains("ScheduleFree", ScheduleFree::new(0.1)); // it has no loop in assembly
}
