//! Compares rules with transforms in assembly with one element at a time: the same bits for every number, any chain.
//! `./ci.sh qemu` runs it on an emulated Cortex-M4F.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

use gradus::*;
use gradus_firmware::Hash;
use gradus_firmware::chains::chains;

gradus_firmware::board!(main);

fn main() {
    let hash = &mut Hash::new(); // the comparison is enough here
    chains(hash, "Sgd", Sgd::new(0.1));
    chains(hash, "Momentum", Momentum::new(0.1));
    chains(hash, "Nesterov", Nesterov::new(0.1));
    chains(hash, "AdaGrad", AdaGrad::new(0.1));
    chains(hash, "RmsProp", RmsProp::new(0.1));
    chains(hash, "RmsPropMomentum", RmsProp::new(0.1).with_momentum(0.9));
    chains(hash, "Adam", Adam::new(0.1));
    chains(hash, "Adam, short memory", Adam { beta1: 0.3, ..Adam::new(0.1) });
    chains(hash, "AdamW", AdamW::new(0.1));
    chains(hash, "Nadam", Nadam::new(0.1));
    chains(hash, "Nadam, short memory", Nadam { beta1: 0.3, ..Nadam::new(0.1) });
    chains(hash, "Adadelta", Adadelta::new(0.1));
    chains(hash, "CenteredRmsProp", RmsProp::new(0.1).centered());
    chains(hash, "CenteredRmsProp, short", RmsProp { rho: 0.3, ..RmsProp::new(0.1) }.centered());
    chains(hash, "Centered, momentum", RmsProp::new(0.1).centered().with_momentum(0.9));
    chains(
        hash,
        "Centered, momentum, short",
        RmsProp { rho: 0.3, ..RmsProp::new(0.1) }.centered().with_momentum(0.9),
    );
    chains(hash, "Adamax", Adamax::new(0.1));
    chains(hash, "Adamax, short memory", Adamax { beta1: 0.3, ..Adamax::new(0.1) });
    chains(hash, "AmsGrad", AmsGrad::new(0.1));
    chains(hash, "AmsGrad, short memory", AmsGrad { beta1: 0.3, ..AmsGrad::new(0.1) });
    chains(hash, "RAdam", RAdam::new(0.1));
    chains(hash, "RAdam, plain steps", RAdam { beta2: 0.5, ..RAdam::new(0.1) });
    chains(hash, "Lion", Lion::new(0.1));
    chains(hash, "Lion, short memory", Lion { beta2: 0.3, ..Lion::new(0.1) });
    chains(hash, "Lion, no decay", Lion { weight_decay: 0.0, ..Lion::new(0.1) });
    chains(hash, "ScheduleFree", ScheduleFree::new(0.1)); // it has no loop in assembly
}
