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

/// A step of another number of parameters was none, and nothing said so: the network did not learn, while its clock went on.
#[test]
fn steps_and_sums_of_other_lengths_are_refused() {
    use gradus::layer::{Conv2d, Dense, DepthwiseConv2d, Fixed, HalfGrads};
    use gradus::{Adam, Argument, Bf16, Optimizer};
    macro_rules! refused {
        ($kind:ident $p:literal $x:literal $y:literal, $layer:expr) => {
            const FIXED: Fixed<$kind, $p, $x, $y> = Fixed::<$kind, $p, $x, $y>::new($layer).unwrap();
            let (adam, x, dy, mut dx) = (Adam::new(0.1), [[1.0; $x]; 2], [[1.0; $y]; 2], [[7.0; $x]; 2]);
            for found in [0, $p - 1, $p + 1] {
                let (mut params, mut state) = (vec![0.5; found], adam.state_vec(found));
                let update = adam.update_slices(&mut params, state.as_mut()).unwrap();
                let error = FIXED.backward_step(update, &x, &dy, Some(&mut dx)).unwrap_err();
                assert_eq!(error, Error::Length { what: Argument::Params, expected: $p, found });
                assert!(params == vec![0.5; found] && state.columns().concat() == vec![0.0; 2 * found]);
                assert_eq!(state.t(), 1, "it went on where the step began");

                let (mut sums, mut passes) = (vec![Bf16::from_f32_nearest(3.0); found], 4);
                let half = HalfGrads::new(&mut sums, &mut passes);
                let error = FIXED.backward_half(&[0.5; $p], half, &x, &dy, Some(&mut dx)).unwrap_err();
                assert_eq!(error, Error::Length { what: Argument::Grads, expected: $p, found });
                assert!(sums.iter().all(|sum| sum.to_f32() == 3.0));
                assert_eq!(passes, 5, "they went on where the sums were handed out");
            }
            assert_eq!(dx, [[7.0; $x]; 2]);
        };
    }
    {
        refused!(Dense 12 3 3, Dense::new(3, 3));
    }
    {
        refused!(Conv2d 27 24 12, Conv2d::new([3, 4, 2], 3, [2, 2]).stride([1, 2]));
    }
    {
        refused!(DepthwiseConv2d 15 36 12, DepthwiseConv2d::new([3, 4, 3], [2, 2]).stride([1, 2]));
    }
}

/// Of parameters that are not the layer's there were no weights: what was drawn into them went nowhere.
#[test]
fn weights_of_other_parameters_are_refused() {
    use gradus::Argument;
    use gradus::layer::{Conv2d, Dense, DepthwiseConv2d};
    macro_rules! weights {
        ($layer:expr, $biases:literal) => {
            let layer = $layer;
            let expected = layer.params();
            let mut params: Vec<f32> = (0..expected).map(|k| k as f32).collect();
            let weights = layer.weights_mut(&mut params).unwrap();
            assert_eq!((weights.len(), weights[0]), (expected - $biases, $biases as f32));
            for found in [0, 1, expected - 1, expected + 1] {
                let error = Error::Length { what: Argument::Params, expected, found };
                assert_eq!(layer.weights_mut(&mut vec![0.0; found]), Err(error), "{layer:?}");
            }
        };
    }
    weights!(Dense::new(3, 4), 4);
    weights!(Conv2d::new([4, 5, 2], 3, [2, 3]), 3);
    weights!(DepthwiseConv2d::new([4, 5, 6], [2, 3]), 6);
    let mut none: [f32; 0] = [];
    assert!(Dense::new(usize::MAX, 2).weights_mut(&mut none).is_err());
    assert_eq!(Dense::new(3, 0).weights_mut(&mut none), Ok(&mut [][..]));
}
