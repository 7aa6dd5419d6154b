use gradus::ensemble::{Average, CompensatedEma, CompensatedEmaState, Ema, EmaState};

/// An average of decay 0.99999 in f32 never moved from 1 to 1.001.
#[test]
fn a_slow_average_arrives_where_nothing_is_rounded_away() {
    for decay in [0.9, 0.999, 0.99999, 0.999_999_9] {
        let (ema, mut average, mut want) =
            (CompensatedEma::new(decay), CompensatedEmaState::<3>::new(), 1.0_f64);
        ema.update(&mut average, &[1.0; 3]);
        for step in 1..200_000_u32 {
            let x = if step % 3 == 0 { 1.001_f32 } else { 1.002 };
            ema.update(&mut average, &[x; 3]);
            want += (1.0 - decay) * (f64::from(x) - want);
            if step % 1000 == 1 {
                let error = (f64::from(average.average()[1]) - want).abs();
                assert!(error <= 1e-7, "{decay} at {step}: {error:e}");
            }
        }
        assert_eq!(average.t(), 200_000);
    }
    let (mut still, ema) = (EmaState::<1>::new(), Ema::new(0.99999));
    ema.update(&mut still, &[1.0]);
    for _ in 0..1000 {
        ema.update(&mut still, &[1.001]);
    }
    assert_eq!(still.average(), &[1.0]); // the limit that its documentation names
}
