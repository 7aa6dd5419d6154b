//! The largest of some distances.

/// The largest of some numbers, at least 0. It is NaN where one of them is, so that a bound of it fails;
/// `f64::max` passes NaN over.
pub fn worst(distances: impl IntoIterator<Item = f64>) -> f64 {
    distances.into_iter().fold(0.0, |worst, x| if worst >= x || worst.is_nan() { worst } else { x })
}

#[test]
fn nan_is_the_worst() {
    assert_eq!((worst([]), worst([1.0, 3.0, 2.0])), (0.0, 3.0));
    for at in 0..3 {
        let mut distances = [1.0, f64::INFINITY, 2.0];
        distances[at] = f64::NAN;
        assert!(worst(distances).is_nan(), "{distances:?}");
    }
}
