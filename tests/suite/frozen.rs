//! Layers that do not learn, and layers of which the biases alone do: the bits of the passes that do all.

use crate::support::random::Random;
use gradus::layer::*;
use gradus::transform::{L2, Scale};
use gradus::*;

fn numbers(random: &mut Random, n: usize) -> Vec<f32> {
    (0..n).map(|_| random.signed()).collect()
}

/// The way back through a layer alone, and the step of its biases alone, beside `backward` and a step.
macro_rules! same_bits {
    ($random:ident, $images:expr, $layer:expr, [$inputs:expr, $outputs:expr], $biases:expr) => {{
        let (whole, images, biases) = ($layer, $images, $biases);
        let n = whole.params();
        let (params, x, dy) =
            (numbers($random, n), numbers($random, images * $inputs), numbers($random, images * $outputs));
        let (mut grads, mut want_dx) = (vec![0.0; n], vec![7.0; x.len()]);
        whole.on(Level::SCALAR).backward(&params, &mut grads, &x, &dy, Some(&mut want_dx)).unwrap();
        let adam = Adam::new(0.1).with((Scale(0.5), L2::new(0.3)));
        let (mut want, mut want_state) = (params.clone(), adam.state_vec(biases));
        adam.on(Level::SCALAR)
            .step_slices(&mut want[..biases], &grads[..biases], want_state.as_mut())
            .unwrap();
        for level in Level::available() {
            let what = format!("{whole:?} at {level}");
            let mut dx = vec![7.0; x.len()];
            whole.on(level).backward_input(&params, &dy, &mut dx).unwrap();
            assert!(dx.iter().map(|x| x.to_bits()).eq(want_dx.iter().map(|x| x.to_bits())), "{what}: dx");
            let (mut own, mut state) = (params.clone(), adam.state_vec(biases));
            let update = adam.update_slices(&mut own[..biases], state.as_mut()).unwrap();
            bias_step(level, update, &dy).unwrap();
            assert_eq!((&own, &state), (&want, &want_state), "{what}: biases");
        }
    }};
}

#[test]
fn they_have_the_bits_of_layers_that_learn() {
    let random = &mut Random(71);
    for images in [0, 1, 2, 5] {
        // One and more strips of biases on the stack, and less than a register of them.
        for [i, o] in [[1, 1], [3, 5], [17, 64], [2, 257], [5, 1025]] {
            same_bits!(random, images, Dense::new(i, o), [i, o], o);
        }
        for (shape, filters) in [([5, 4, 3], 7), ([1, 9, 2], 17)] {
            let conv = Conv2d::new(shape, filters, [1, 3]).padding([0, 1]).stride([1, 2]);
            same_bits!(random, images, conv, [conv.inputs(), conv.outputs()], filters);
            let apart = DepthwiseConv2d::new(shape, [1, 3]).padding([0, 1]);
            same_bits!(random, images, apart, [apart.inputs(), apart.outputs()], shape[2]);
        }
    }
}

#[test]
fn of_fixed_sizes_they_are_the_same() {
    const LAYER: Fixed<Dense, 8, 3, 2> = Fixed::<Dense, 8, 3, 2>::new(Dense::new(3, 2)).unwrap();
    let params = [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let mut dx = [[7.0; 3]; 2];
    LAYER.backward_input(&params, &[[1.0, 0.0], [0.0, -1.0]], &mut dx);
    assert_eq!(dx, [[1.0, 3.0, 5.0], [-2.0, -4.0, -6.0]]);
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let (dense, conv) = (Dense::new(2, 3), Conv2d::new([4, 4, 1], 2, [3, 3]));
    let mut dx = [7.0; 16];
    for (params, dy, n) in [(8, 3, 2), (9, 4, 2), (9, 3, 3)] {
        let result = dense.backward_input(&vec![1.0; params], &vec![1.0; dy], &mut dx[..n]);
        assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    }
    for (params, dy, n) in [(19, 8, 16), (20, 7, 16), (20, 8, 15)] {
        let result = conv.backward_input(&vec![1.0; params], &vec![1.0; dy], &mut dx[..n]);
        assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    }
    assert_eq!(conv.stride([0, 1]).backward_input(&[1.0; 20], &[1.0; 8], &mut dx), Err(Error::Shape));
    assert_eq!(dx, [7.0; 16]);
    let (sgd, mut biases) = (Sgd::new(0.1), [1.0; 3]);
    let mut state = sgd.state::<3>();
    let refused = bias_step(Exec::new(), sgd.update(&mut biases, &mut state), &[1.0; 4]);
    assert!(matches!(refused, Err(Error::Length { .. })));
    assert_eq!(biases, [1.0; 3]);
    let (mut none, mut state) = ([], sgd.state::<0>());
    assert_eq!(bias_step(Exec::new(), sgd.update(&mut none, &mut state), &[]), Err(Error::Shape));
}

/// The last two layers of three learn as if the first had a rate of 0, without its gradients.
#[test]
fn last_layers_learn_alone() {
    const SIZES: [usize; 4] = [6, 8, 5, 3];
    let layers = [0, 1, 2].map(|k| Dense::new(SIZES[k], SIZES[k + 1]));
    let lengths = layers.map(|layer| layer.params());
    let random = &mut Random(72);
    let params = numbers(random, lengths.iter().sum());
    let momentum = Momentum::new(0.05);
    let (mut whole, mut all) = (params.clone(), momentum.state_vec(params.len()));
    let (frozen, last) = params.split_at(lengths[0]);
    let (mut last, mut state) = (last.to_vec(), momentum.state_vec(lengths[1] + lengths[2]));
    for _ in 0..20 {
        let (x, labels) = (numbers(random, 4 * 6), [0_u8, 1, 2, 1]);
        let forward = |parts: [&[f32]; 3]| {
            let (mut h1, mut h2, mut z) = (vec![0.0; 4 * 8], vec![0.0; 4 * 5], vec![0.0; 4 * 3]);
            layers[0].forward(parts[0], &x, &mut h1).unwrap();
            activation::relu(Exec::new(), &mut h1);
            layers[1].forward(parts[1], &h1, &mut h2).unwrap();
            activation::tanh(Exec::new(), &mut h2);
            layers[2].forward(parts[2], &h2, &mut z).unwrap();
            loss::softmax_cross_entropy(Exec::new(), &mut z, &labels).unwrap();
            (h1, h2, z)
        };
        let (first, rest) = last.split_at(lengths[1]);
        let (h1, h2, z) = forward([frozen, first, rest]);
        let mut dh2 = vec![0.0; h2.len()];
        let update = momentum.update_slices(&mut last, state.as_mut()).unwrap();
        let [second, third] = update.split([lengths[1], lengths[2]]).unwrap();
        layers[2].backward_step(third, &h2, &z, Some(&mut dh2)).unwrap();
        activation::tanh_backward(Exec::new(), &mut dh2, &h2).unwrap();
        layers[1].backward_step(second, &h1, &dh2, None).unwrap();

        let mut grads = vec![0.0; params.len()];
        let (first, rest) = whole.split_at(lengths[0]);
        let (second, third) = rest.split_at(lengths[1]);
        let (h1, h2, z) = forward([first, second, third]);
        let (_, rest) = grads.split_at_mut(lengths[0]);
        let (grads2, grads3) = rest.split_at_mut(lengths[1]);
        let mut dh2 = vec![0.0; h2.len()];
        layers[2].backward(third, grads3, &h2, &z, Some(&mut dh2)).unwrap();
        activation::tanh_backward(Exec::new(), &mut dh2, &h2).unwrap();
        layers[1].backward(second, grads2, &h1, &dh2, None).unwrap();
        momentum.step_slices(&mut whole, &grads, all.as_mut()).unwrap();
    }
    assert_eq!([frozen, &last].concat(), whole);
    assert_ne!(last, params[lengths[0]..]);
}
