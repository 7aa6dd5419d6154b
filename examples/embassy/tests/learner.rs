//! The learner on a computer: it learns, loses its power in the middle of a save, and goes on.

use gradus_embassy::simulated::{Flash, power_cuts};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

#[test]
fn it_learns_and_goes_on_after_any_power_cut() {
    let mut flash = Flash::new();
    // Nothing here waits, so that one poll is enough.
    let Poll::Ready(end) = pin!(power_cuts(&mut flash)).poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits");
    };
    let end = end.unwrap();
    assert!(end.cuts > 10 && end.lost == 0 && end.right >= 290 && end.windows == 1600, "{end}");
}
