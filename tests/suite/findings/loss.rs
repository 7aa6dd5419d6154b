use gradus::Exec;

/// A plain sum of four million equal losses was a percent off, one of infinite ones must not become NaN.
#[test]
fn a_mean_of_many_losses_keeps_its_digits() {
    use gradus::loss::{binary_cross_entropy, mean_squared_error};
    let n = 1 << 22;
    for d in [0.316_f32, 1e-3, 3.7] {
        let mut predictions = vec![d; n];
        let loss = mean_squared_error(Exec::new(), &mut predictions, &vec![0.0; n]).unwrap();
        // What a block of 64 loses.
        assert!((f64::from(loss) / f64::from(d * d) - 1.0).abs() < 2e-6, "{d}: {loss}");
    }
    let mut logits = vec![1.0; 1000];
    logits[70] = f32::NEG_INFINITY;
    assert_eq!(binary_cross_entropy(Exec::new(), &mut logits, &vec![1.0; 1000]), Ok(f32::INFINITY));
    let mut predictions = vec![1e30; 1000];
    assert_eq!(mean_squared_error(Exec::new(), &mut predictions, &vec![0.0; 1000]), Ok(f32::INFINITY));
    predictions[999] = f32::NAN;
    let loss = mean_squared_error(Exec::new(), &mut predictions, &vec![0.0; 1000]).unwrap();
    assert!(loss.is_nan());
}
