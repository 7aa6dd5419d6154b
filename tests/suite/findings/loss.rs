use gradus::loss::{Confusion, argmax, count_right};
use gradus::{Error, Exec};

/// Rows without a score counted as right where their label is 0.
#[test]
fn rows_without_scores_are_none() {
    assert_eq!(count_right(&[], &[0_u8, 1]), Err(Error::Shape));
    assert_eq!(count_right::<u8>(&[], &[]), Ok(0));
}

/// NaN was the answer where what stands beside it is negative infinity.
#[test]
fn nan_is_no_class_where_there_is_a_number() {
    const NAN: f32 = f32::NAN;
    for (scores, class) in [
        ([NAN, f32::NEG_INFINITY, NAN], 1),
        ([NAN, NAN, f32::NEG_INFINITY], 2),
        ([f32::NEG_INFINITY, NAN, -1.0], 2),
        ([f32::NEG_INFINITY; 3], 0),
        ([NAN, 1.0, 1.0], 1),
        ([2.0, NAN, 1.0], 0),
        ([NAN; 3], 0),
    ] {
        assert_eq!(argmax(&scores), class, "{scores:?}");
        assert_eq!(gradus::ensemble::argmax(&scores), Some(class), "{scores:?}");
        let mut seen = Confusion::<3>::new();
        seen.add_scores(&scores, &[2_u8]).unwrap();
        assert_eq!(seen.counts()[2][class], 1, "{scores:?}");
        for label in 0..3_usize {
            assert_eq!(count_right(&scores, &[label]), Ok(usize::from(label == class)), "{scores:?}");
        }
        #[cfg(feature = "ffi")]
        {
            use gradus::ffi::{gradus_argmax, gradus_confusion_add, gradus_status::GRADUS_OK};
            let (mut index, mut counts) = (9, [0; 9]);
            // SAFETY: the pointers are those of three floats, an index, a label and nine counts.
            let status = unsafe {
                [
                    gradus_argmax(3, scores.as_ptr(), &mut index),
                    gradus_confusion_add(3, 1, scores.as_ptr(), &2, counts.as_mut_ptr()),
                ]
            };
            assert_eq!((status, index, counts[6 + class]), ([GRADUS_OK; 2], class, 1), "{scores:?}");
        }
    }
}

/// A label that is no class was a wrong answer, which a loss refuses.
#[test]
fn labels_that_are_no_class_are_refused() {
    for labels in [[0_u16, 2], [3, 0], [u16::MAX, 1]] {
        assert_eq!(count_right(&[1.0, 0.0, 0.0, 1.0], &labels), Err(Error::Shape), "{labels:?}");
    }
    assert_eq!(count_right(&[1.0, 0.0, 0.0, 1.0], &[0_u16, 1]), Ok(2));
}

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
