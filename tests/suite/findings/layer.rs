use gradus::Error;

/// Sizes whose products are beyond the largest number came round to small ones: a pass went over memory that is not
/// there, or panicked where overflow is checked.
#[test]
fn sizes_beyond_the_largest_number_are_refused() {
    use gradus::layer::{AveragePool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d};
    let high = usize::MAX / 4 + 1; // four times it is 0
    let (x, mut y) = ([0.0_f32; 4], [7.0; 4]);
    for input in [[high + 1, 4, 1], [4, high + 1, 1], [1, 4, high + 1], [high, 4, 1], [usize::MAX, 1, 1]] {
        let (max, average) = (MaxPool2d::new(input, [1, 1]), AveragePool2d::new(input, [1, 1]));
        assert_eq!(
            (max.check(), max.forward(&x, &mut y)),
            (Err(Error::Shape), Err(Error::Shape)),
            "{input:?}"
        );
        assert_eq!(average.forward(&x, &mut y), Err(Error::Shape), "{input:?}");
        assert_eq!(average.backward(&x, &mut y), Err(Error::Shape), "{input:?}");
        let (conv, depthwise) = (Conv2d::new(input, 1, [1, 1]), DepthwiseConv2d::new(input, [1, 1]));
        assert_eq!(conv.forward(&[0.0; 2], &x, &mut y), Err(Error::Shape), "{input:?}");
        assert_eq!(depthwise.forward(&[0.0; 2], &x, &mut y), Err(Error::Shape), "{input:?}");
    }
    let wide = MaxPool2d::new([4, 4, 1], [high * 2 + 1, 1]).padding([high * 2, 0]);
    assert_eq!(wide.check(), Err(Error::Shape));
    assert_eq!(Conv2d::new([5, 1, high], 4, [5, 1]).padding([1, 0]).check(), Err(Error::Shape));
    assert_eq!(Conv2d::new([4, 4, 1], usize::MAX, [3, 3]).check(), Err(Error::Shape));
    for dense in [Dense::new(usize::MAX, 1), Dense::new(2 * high, 2), Dense::new(1, usize::MAX)] {
        assert_eq!(dense.forward::<f32>(&[], &[], &mut []), Err(Error::Shape), "{dense:?}");
    }
    assert_eq!(y, [7.0; 4]);
}

/// Whatever the sizes are, a check says so; that of a window of no places overflowed beside the largest image.
#[test]
fn a_check_of_any_sizes_ends() {
    use gradus::layer::{AveragePool2d, Conv2d, DepthwiseConv2d, MaxPool2d};
    let sizes = [0, 1, 2, 11, usize::MAX / 2, usize::MAX / 2 + 1, usize::MAX - 1, usize::MAX];
    for side in sizes {
        for window in sizes {
            for stride in sizes {
                for padding in sizes {
                    let (input, window) = ([side, 1, 1], [window, 1]);
                    let (stride, padding) = ([stride, 1], [padding, 0]);
                    for check in [
                        MaxPool2d::new(input, window).stride(stride).padding(padding).check(),
                        AveragePool2d::new(input, window).stride(stride).padding(padding).check(),
                        Conv2d::new(input, 1, window).stride(stride).padding(padding).check(),
                        DepthwiseConv2d::new(input, window).stride(stride).padding(padding).check(),
                    ] {
                        let none = side == 0 || window[0] == 0 || stride[0] == 0 || padding[0] >= window[0];
                        assert!(check.is_err() || !none, "{input:?} {window:?} {stride:?} {padding:?}");
                    }
                }
            }
        }
    }
}

/// A stride beyond the image leaves one window; its gradient was 0 where the stride was near the largest number.
#[test]
fn a_stride_beyond_the_image_leaves_one_window() {
    use gradus::layer::{Conv2d, DepthwiseConv2d, MaxPool2d};
    let x: [f32; 9] = core::array::from_fn(|k| k as f32);
    for stride in [4, 5, 100, usize::MAX / 4] {
        for padding in [0, 1] {
            let conv = Conv2d::new([3, 3, 1], 1, [2, 2]).stride([stride; 2]).padding([padding; 2]);
            assert_eq!((conv.check(), conv.output()), (Ok(()), [1; 3]), "{stride}");
            let depthwise = DepthwiseConv2d::new([3, 3, 1], [2, 2]).stride([stride; 2]).padding([padding; 2]);
            let want = if padding == 0 { [1.0, 0.0, 1.0, 3.0, 4.0] } else { [1.0, 0.0, 0.0, 0.0, 0.0] };
            let (mut grads, mut dx) = ([0.0; 5], [7.0; 9]);
            conv.backward(&[1.0; 5], &mut grads, &x, &[1.0], Some(&mut dx)).unwrap();
            assert_eq!(grads, want, "{stride} {padding}");
            assert_eq!(dx.iter().sum::<f32>(), if padding == 0 { 4.0 } else { 1.0 });
            let mut grads = [0.0; 5];
            depthwise.backward(&[1.0; 5], &mut grads, &x, &[1.0], None).unwrap();
            assert_eq!(grads, want, "{stride} {padding}");
        }
        let mut y = [0.0];
        MaxPool2d::new([3, 3, 1], [2, 2]).stride([stride; 2]).forward(&x, &mut y).unwrap();
        assert_eq!(y, [4.0]);
    }
    // One column: the stride itself is the distance. With three it would be beyond the largest number.
    let column = Conv2d::new([3, 1, 1], 1, [2, 1]).stride([usize::MAX - 1, 1]);
    let mut grads = [0.0; 3];
    column.backward(&[1.0; 3], &mut grads, &[2.0, 3.0, 4.0], &[1.0], None).unwrap();
    assert_eq!(grads, [1.0, 2.0, 3.0]);
    assert_eq!(Conv2d::new([3, 3, 1], 1, [2, 2]).stride([usize::MAX - 1, 1]).check(), Err(Error::Shape));
}

/// Windows of padding alone were none: a pass over an image without rows left its result unwritten, and said nothing.
#[test]
fn images_without_numbers_are_refused() {
    use gradus::layer::{AveragePool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d};
    for input in [[0, 1, 1], [1, 0, 1], [0, 0, 1]] {
        let (mut y, window, padding) = ([7.0_f32; 16], [3, 3], [2, 2]);
        let max = MaxPool2d::new(input, window).stride([1, 1]).padding(padding);
        assert_eq!((max.check(), max.forward(&[], &mut y)), (Err(Error::Shape), Err(Error::Shape)));
        let average = AveragePool2d::new(input, window).stride([1, 1]).padding(padding);
        assert_eq!(average.forward(&[], &mut y), Err(Error::Shape));
        assert_eq!(Conv2d::new(input, 1, window).padding(padding).check(), Err(Error::Shape));
        assert_eq!(DepthwiseConv2d::new(input, window).padding(padding).check(), Err(Error::Shape));
        assert_eq!(y, [7.0; 16]);
    }
    // The errors of the dense layer say so too.
    let (mut y, mut grads) = ([7.0; 3], [7.0; 3]);
    assert_eq!(Dense::new(0, 3).forward::<f32>(&[0.5; 3], &[], &mut y), Err(Error::Shape));
    assert_eq!(Dense::new(0, 3).backward(&[0.5; 3], &mut grads, &[], &[1.0; 3], None), Err(Error::Shape));
    assert_eq!(Dense::new(0, 3).backward_input(&[0.5; 3], &[1.0; 3], &mut []), Err(Error::Shape));
    assert_eq!((y, grads), ([7.0; 3], [7.0; 3]));
}

/// Rows without a score counted as right where their label is 0.
#[test]
fn rows_without_scores_are_none() {
    use gradus::loss::count_right;
    assert_eq!(count_right(&[], &[0_u8, 1]), Err(Error::Shape));
    assert_eq!(count_right::<u8>(&[], &[]), Ok(0));
}

/// Rounding reached the end that is left out.
#[test]
fn uniform_weights_stay_below_their_end() {
    struct Ones;
    impl rand_core::TryRng for Ones {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(u32::MAX)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::MAX)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(0xff);
            Ok(())
        }
    }
    for (low, high) in [(1.0, 2.0), (0.0, 1.0), (-0.5, 0.5), (1e6, 1e6 + 1.0), (-2.0, -1.0), (-3e38, 3e38)] {
        let mut weights = [0.0; 2];
        gradus::init::uniform(&mut Ones, low, high, &mut weights);
        assert!(weights.iter().all(|w| low <= *w && *w < high), "{low:e} {high:e}: {weights:?}");
    }
    let mut weights = [0.0; 2];
    gradus::init::uniform(&mut Ones, 0.25, 0.25, &mut weights);
    assert_eq!(weights, [0.25; 2]);
}
