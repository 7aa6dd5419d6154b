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

/// Decays up to the last number before 1 were taken, and 1 - 1e-12 moved by a thirteenth of its way.
#[test]
fn a_compensated_average_moves_at_its_largest_decay() {
    use gradus::{Error, Hyper};
    let largest = 1.0 - 2.0_f64.powi(-33);
    for decay in [largest.next_up(), 1.0 - 1e-11, 1.0 - 1e-12, 1.0, 2.0, -1e-9, f64::NAN] {
        assert_eq!(CompensatedEma::new(decay).check(), Err(Error::Range(Hyper::Rho)), "{decay}");
    }
    assert_eq!((CompensatedEma::new(largest).check(), CompensatedEma::new(0.0).check()), (Ok(()), Ok(())));
    for (decay, distance, within) in
        [(largest, 0.5, 1e-4), (largest, 1e-3, 0.02), (0.999_999_9, 1.2e-7, 0.03), (0.999_999_9, 1e-3, 1e-4)]
    {
        let (ema, mut average) = (CompensatedEma::new(decay), CompensatedEmaState::<1>::new());
        ema.update(&mut average, &[1.0]);
        let (x, mut want) = ([1.0 + distance], 1.0_f64);
        for _ in 0..1 << 18 {
            ema.update(&mut average, &x);
            want += (1.0 - decay) * (f64::from(x[0]) - want);
        }
        let [[moved], [lost]] = average.columns;
        let ratio = (f64::from(moved) - 1.0 + f64::from(lost)) / (want - 1.0);
        assert!((ratio - 1.0).abs() < within, "{decay} {distance}: {ratio}");
    }
}
