//! The fleet: who takes part decides the weights, and not who is first.

use gallery::fleet::{DEVICES, Fleet, Learning, Server, classes, devices};
use gradus::{Adam, Momentum, Optimizer, Sgd};

const FLEET: Fleet = Fleet {
    seed: 3,
    rounds: 4,
    learning: Learning { lr: 0.02, epochs: 1 },
    alike: false,
    awake: 0.6,
    lost: 0.1,
};

fn any_order_is_the_same(optimizer: impl Optimizer) {
    let in_order = FLEET.run(optimizer, |_, _| {}).expect("equal lengths");
    let reversed = FLEET.run(optimizer, |_, order| order.reverse()).expect("equal lengths");
    let rotated = FLEET.run(optimizer, |round, order| order.rotate_left(7 * round as usize % DEVICES));
    assert_eq!((&reversed, &rotated.expect("equal lengths")), (&in_order, &in_order));
    assert_ne!(in_order[4], in_order[3], "something is learned");
}

#[test]
fn the_result_does_not_depend_on_the_order_of_arrival() {
    any_order_is_the_same(Sgd::new(1.0));
    any_order_is_the_same(Momentum::new(0.5));
    any_order_is_the_same(Adam::new(0.01));
}

#[test]
fn who_is_asleep_has_no_part() {
    let asleep = Fleet { awake: 0.0, ..FLEET }.run(Adam::new(0.01), |_, _| {}).expect("equal lengths");
    assert!(asleep.iter().all(|score| score == &asleep[0]));
    let lost = Fleet { lost: 1.1, ..FLEET }.run(Adam::new(0.01), |_, _| {}).expect("equal lengths");
    assert_eq!(lost, asleep);
}

#[test]
fn one_device_alone_is_its_own_mean() {
    let mut server = Server::new(Sgd::new(1.0), 1);
    let learned = devices(1, false)[4].learn(&server.params, FLEET.learning).expect("equal lengths");
    server.receive(4, 50, learned);
    server.end_round().expect("equal lengths");
    for (got, want) in server.params.iter().zip(&learned) {
        assert!((got - want).abs() <= 1e-6 * want.abs().max(0.1), "{got} {want}");
    }
}

#[test]
fn devices_have_unlike_data() {
    for seed in 0..5 {
        let counts: Vec<_> = devices(seed, false).iter().map(classes).collect();
        assert_eq!(counts.len(), DEVICES);
        assert!(devices(seed, true).iter().all(|device| classes(device) >= 8));
        assert!(counts.iter().all(|&classes| classes <= 6), "{counts:?}");
        assert!(counts.iter().filter(|&&classes| classes <= 3).count() >= DEVICES / 2, "{counts:?}");
    }
}
