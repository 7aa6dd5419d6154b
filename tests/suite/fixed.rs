//! Layers of sizes that the compiler knows: the bits of the layers that they are.

use crate::support::random::Random;
use gradus::layer::*;
use gradus::*;

/// Numbers in arrays, a row for each of a batch.
fn batch<const N: usize>(random: &mut Random) -> [[f32; N]; 2] {
    core::array::from_fn(|_| core::array::from_fn(|_| random.signed()))
}

#[test]
fn they_are_the_layers() {
    assert!(Fixed::<Dense, 12, 3, 4>::new(Dense::new(3, 3)).is_none());
    assert!(Fixed::<MaxPool2d, 1, 12, 3>::new(MaxPool2d::new([2, 2, 3], [2, 2])).is_none());
    let mut random = Random(10);
    macro_rules! passes {
        ($kind:ident $p:literal $x:literal $y:literal, $layer:expr) => {
            const FIXED: Fixed<$kind, $p, $x, $y> = Fixed::<$kind, $p, $x, $y>::new($layer).unwrap();
            let layer: $kind = $layer;
            assert_eq!(*FIXED.layer(), layer);
            let ([params, _], x, dy) =
                (batch::<$p>(&mut random), batch::<$x>(&mut random), batch(&mut random));
            let (mut y, mut want) = ([[0.0; $y]; 2], [0.0; 2 * $y]);
            FIXED.forward(&params, &x, &mut y);
            layer.forward(&params, x.as_flattened(), &mut want).unwrap();
            assert_eq!(y.as_flattened(), want);
            let (mut grads, mut dx, mut want, mut back) =
                ([1.0; $p], [[0.0; $x]; 2], [1.0; $p], [0.0; 2 * $x]);
            FIXED.backward(&params, &mut grads, &x, &dy, Some(&mut dx));
            layer.backward(&params, &mut want, x.as_flattened(), dy.as_flattened(), Some(&mut back)).unwrap();
            assert_eq!((grads, dx.as_flattened()), (want, &back[..]));
            dx = [[0.0; $x]; 2];
            FIXED.backward_input(&params, &dy, &mut dx);
            assert_eq!(dx.as_flattened(), back);
            let adam = Adam::new(0.1);
            let (mut own, mut state) = (params, adam.state::<$p>());
            let (mut other, mut theirs) = (params, adam.state::<$p>());
            dx = [[0.0; $x]; 2];
            FIXED.backward_step(adam.update(&mut own, &mut state), &x, &dy, Some(&mut dx)).unwrap();
            assert_eq!(dx.as_flattened(), back);
            let update = adam.update(&mut other, &mut theirs);
            layer.backward_step(update, x.as_flattened(), dy.as_flattened(), None).unwrap();
            assert_eq!((own, state), (other, theirs));
            let (mut sums, mut theirs, mut passes) = ([Bf16::default(); $p], [Bf16::default(); $p], [0; 2]);
            dx = [[0.0; $x]; 2];
            let half = HalfGrads::new(&mut sums, &mut passes[0]);
            FIXED.backward_half(&params, half, &x, &dy, Some(&mut dx)).unwrap();
            assert_eq!(dx.as_flattened(), back);
            let half = HalfGrads::new(&mut theirs, &mut passes[1]);
            layer.backward_half(&params, half, x.as_flattened(), dy.as_flattened(), None).unwrap();
            assert_eq!(sums, theirs);
            assert_ne!(sums, [Bf16::default(); $p]);
        };
    }
    {
        passes!(Dense 12 3 3, Dense::new(3, 3));
    }
    {
        passes!(Conv2d 27 24 12, Conv2d::new([3, 4, 2], 3, [2, 2]).stride([1, 2]));
    }
    {
        passes!(DepthwiseConv2d 15 36 12, DepthwiseConv2d::new([3, 4, 3], [2, 2]).stride([1, 2]));
    }
    const MAX: Fixed<MaxPool2d, 0, 24, 6> =
        Fixed::<MaxPool2d, 0, 24, 6>::new(MaxPool2d::new([4, 2, 3], [2, 2])).unwrap();
    let (x, dy) = (batch(&mut random), batch(&mut random));
    let (mut y, mut dx, mut want, mut back) = ([[0.0; 6]; 2], [[0.0; 24]; 2], [0.0; 12], [0.0; 48]);
    MAX.forward(&x, &mut y);
    MAX.backward(&x, &y, &dy, &mut dx);
    let max = MaxPool2d::new([4, 2, 3], [2, 2]);
    max.forward(x.as_flattened(), &mut want).unwrap();
    max.backward(x.as_flattened(), &want, dy.as_flattened(), &mut back).unwrap();
    assert_eq!((y.as_flattened(), dx.as_flattened()), (&want[..], &back[..]));
    const MEAN: Fixed<AveragePool2d, 0, 24, 6> =
        Fixed::<AveragePool2d, 0, 24, 6>::new(AveragePool2d::new([4, 2, 3], [2, 2])).unwrap();
    MEAN.forward(&x, &mut y);
    MEAN.backward(&dy, &mut dx);
    let mean = AveragePool2d::new([4, 2, 3], [2, 2]);
    mean.forward(x.as_flattened(), &mut want).unwrap();
    mean.backward(dy.as_flattened(), &mut back).unwrap();
    assert_eq!((y.as_flattened(), dx.as_flattened()), (&want[..], &back[..]));
}
