//! Feature `defmt`: what may stand in a log of a microcontroller.
#![cfg(feature = "defmt")]

use defmt::Format;
use gradus::schedule::{
    Constant, Cosine, Exponential, InverseSqrt, InverseTime, Linear, MultiStep, OneCycle, Plateau,
    PlateauState, Polynomial, Sequence, SnapshotCycle, StableDecay, StepDecay, Triangular, WarmRestarts,
    WarmUp,
};
use gradus::second_order::{DiagonalNewton, LbfgsSettings, LineSearch, NewtonSettings, Report, Stop};
use gradus::transform::{ClipNorm, ClipValue, Decay, ElasticNet, L1, L2, MaxNorm, ProxL1, Scale};
use gradus::*;
use std::cell::RefCell;

defmt::timestamp!("");

/// What was logged on this thread.
#[defmt::global_logger]
struct Log;

std::thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

// SAFETY: each thread has a log of its own.
unsafe impl defmt::Logger for Log {
    fn acquire() {}
    unsafe fn flush() {}
    unsafe fn release() {}
    unsafe fn write(bytes: &[u8]) {
        LOG.with_borrow_mut(|log| log.extend(bytes));
    }
}

#[test]
fn names_are_logged_as_their_letters() {
    let logged = |letters: &str| LOG.take().windows(letters.len()).any(|bytes| bytes == letters.as_bytes());
    defmt::println!("{}", store::Name::new("twelve bytes"));
    assert!(logged("twelve bytes"));
    defmt::println!("{}", Exec::from(Level::SCALAR));
    assert!(logged("scalar"));
}

fn formats<T: Format>() {}

#[test]
fn errors_and_configurations_can_be_logged() {
    formats::<Error>();
    formats::<Hyper>();
    formats::<store::Error>();
    #[cfg(feature = "journal")]
    formats::<store::JournalError<u8>>();

    formats::<Epsilon>();
    formats::<Sgd>();
    formats::<Momentum>();
    formats::<Nesterov>();
    formats::<AdaGrad>();
    formats::<RmsProp>();
    formats::<CenteredRmsProp>();
    formats::<RmsPropMomentum>();
    formats::<CenteredRmsPropMomentum>();
    formats::<AdamW>();
    formats::<AmsGrad>();
    formats::<Nadam>();
    formats::<Lion>();
    formats::<With<Adam, (Scale, ClipValue, L1, L2, ElasticNet, Decay)>>();
    formats::<(ClipNorm, MaxNorm, ProxL1)>();

    formats::<(noise::Dropout, noise::DropConnect, noise::StochasticDepth)>();
    formats::<(ensemble::Swa, ensemble::Ema)>();
    formats::<(norm::BatchNorm, norm::BatchShape, pool::Regions, pool::Window)>();
    formats::<(augment::ImageShape, augment::ImageLayout, augment::Region, augment::Affine)>();
    formats::<(augment::RandomCrop, augment::RandomFlip, augment::ScaleCrop)>();
    formats::<(augment::RandomResizedCrop, augment::Jitter, augment::RandomAffine)>();

    formats::<(LbfgsSettings<f32>, NewtonSettings<f64>, DiagonalNewton)>();
    formats::<(Report<f64>, Stop, LineSearch)>();

    formats::<(Constant, StepDecay, MultiStep<3>, Exponential, InverseTime, Linear)>();
    formats::<(WarmUp<Cosine>, WarmRestarts, SnapshotCycle, Triangular, OneCycle)>();
    formats::<(InverseSqrt, Polynomial, StableDecay, Sequence<Cosine, Linear>, Plateau, PlateauState)>();
}
