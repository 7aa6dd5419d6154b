//! The second part of the lecture: from the loss on the training data to the error on data that were not shown.
//!
//! A better optimizer lowers the loss on the training data. What counts is the error on data that were not shown. The
//! rest of the lecture is about the gap between the two. In the picture a network learns 100 digits by heart.
#![doc = ""]
#![doc = include_str!("../../../docs/gap.svg")]
#![doc = ""]
//! # Ensembles
//!
//! The probabilities that several models predict are averaged: [`ensemble`](crate::ensemble). The models are trained
//! apart, or are snapshots of one run with a cyclic rate ([`SnapshotCycle`](crate::schedule::SnapshotCycle)). The
//! lecture's "2 % extra" is the experience with large networks. On 1797 digits it is less: five independent models gain
//! 0.1 % without dropout and 0.3 % with it, and snapshots of one run gain nothing that could not be chance. The tables
//! are in [`ensemble`](crate::ensemble) (`cargo run --release -p gallery --bin snapshots`).
//!
//! ```
//! use gradus::Exec;
//! use gradus::ensemble::{argmax, mean};
//! let unsure: &[f32] = &[0.5, 0.3, 0.2];
//! let mut p = [0.0; 3];
//! mean(Exec::new(), &[unsure, unsure, &[0.1, 0.8, 0.1]], &mut p)?; // not a vote of the winners, which 0 would win
//! assert_eq!(argmax(&p), Some(1));
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Regularisation
//!
//! *What is missing in the loss?* A preference among all the weights that fit the data. So a penalty `lambda * R(W)` is
//! added to it. The picture shows what penalties and the methods of the next sections gain on 200 digits:
#![doc = ""]
#![doc = include_str!("../../../docs/regularise.svg")]
#![doc = ""]
//! # Lambda
//!
//! *How large should it be?* At 0 only the data count, and the model overfits. If it is very large the weights vanish,
//! and the model underfits. The run fits a polynomial to noisy points, with as many parameters as points, and measures
//! the error between the points too:
//!
//! ```
//! use gradus::prelude::*;
//! let powers = |x: f32| [1.0, x, x * x, x * x * x, x.powi(4), x.powi(5)];
//! let shown = [(-1.0, -0.8), (-0.6, -0.9), (-0.2, 0.1), (0.2, -0.1), (0.6, 0.9), (1.0, 0.7_f32)]; // near sin(pi x / 2)
//! let error = |w: &[f32; 6], x: f32, y: f32| powers(x).iter().zip(w).map(|(x, w)| x * w).sum::<f32>() - y;
//! let gap = |lambda: f32| {
//!     let sgd = Sgd::new(0.05).with(L2::new(lambda));
//!     let (mut w, mut state) = ([0.0; 6], sgd.state());
//!     for _ in 0..20_000 {
//!         let mut grads = [0.0; 6];
//!         for (x, y) in shown {
//!             let e = error(&w, x, y);
//!             for (g, x) in grads.iter_mut().zip(powers(x)) {
//!                 *g += 2.0 * e * x / 6.0;
//!             }
//!         }
//!         sgd.step(&mut w, &grads, &mut state);
//!     }
//!     let test = (-10..=10).map(|k| k as f32 / 10.0);
//!     let train: f32 = shown.iter().map(|(x, y)| error(&w, *x, *y).powi(2)).sum::<f32>() / 6.0;
//!     (train, test.map(|x| error(&w, x, (x * 1.570_796_4).sin()).powi(2)).sum::<f32>() / 21.0)
//! };
//! let [none, some, much] = [0.0, 0.003, 10.0].map(gap);
//! assert!(none.0 < some.0 && some.0 < much.0); // the error on what was shown only grows
//! assert!(some.1 < none.1 && some.1 < much.1, "{none:?} {some:?} {much:?}"); // elsewhere it is smallest in between
//! ```
#![doc = ""]
#![doc = include_str!("../../../docs/lambda.svg")]
#![doc = ""]
//! # L1 and L2
//!
//! Both are [`transform`](crate::transform)s of the step, and [`ElasticNet`](crate::transform::ElasticNet) is their
//! sum. *Which of `w1 = (1, 0, 0, 0)` and `w2 = (1/4, 1/4, 1/4, 1/4)` do they prefer?* Both have the same product with
//! `x = (1, 1, 1, 1)`. L2 prefers `w2`, whose weights are spread, and to L1 both are equal. The slope of L1 does not
//! vanish near 0. So weights that gain too little become exactly 0 with [`ProxL1`](crate::transform::ProxL1), which is
//! the lecture's feature selection.
//!
//! ```
//! use gradus::prelude::*;
//! let (w1, w2) = ([1.0, 0.0, 0.0, 0.0], [0.25; 4]);
//! assert_eq!((L2::new(1.0).value(Exec::new(), &w1), L2::new(1.0).value(Exec::new(), &w2)), (1.0, 0.25));
//! assert_eq!((L1::new(1.0).value(Exec::new(), &w1), L1::new(1.0).value(Exec::new(), &w2)), (1.0, 1.0));
//!
//! // Only the first two of four features matter.
//! fn fit(optimizer: impl Optimizer) -> [f32; 4] {
//!     let (mut w, mut state) = ([0.5; 4], optimizer.state());
//!     for _ in 0..5000 {
//!         let grads = [w[0] - 2.0, w[1] + 1.0, 0.01 * w[2], 0.01 * w[3]];
//!         optimizer.step(&mut w, &grads, &mut state);
//!     }
//!     w
//! }
//! let sparse = fit(Sgd::new(0.01).with(ProxL1::new(0.02)));
//! assert_eq!(sparse[2..], [0.0, 0.0]);
//! let spread = fit(Sgd::new(0.01).with(L2::new(0.01)));
//! assert!(spread[2] > 0.0 && spread[0] < sparse[0]);
//! ```
//!
//! # Dropout
//!
//! In every pass each unit is set to 0 with some probability: [`Dropout`](crate::noise::Dropout). So no unit can rely
//! on another. Each mask also is a model of its own, and all these models share their weights: a layer of `n` units is
//! an ensemble of `2^n` models. The lecture has two forms. Vanilla dropout scales at test time. Inverted dropout scales
//! in training, and has nothing to do at test time.
//!
//! ```
//! use gradus::noise::{Dropout, Masks};
//! let p = 0.5; // the lecture's p is the probability to keep
//! let (inverted, vanilla) = (Dropout::keep_prob(p), Dropout::keep_prob(p).vanilla());
//!
//! let (mut train, mut test) = ([1.0_f32; 1000], [1.0_f32; 1000]);
//! vanilla.forward(&mut train, &mut Masks::new(1))?;
//! vanilla.inference(&mut test)?;
//! assert!(test == [0.5; 1000] && train.iter().all(|x| *x == 0.0 || *x == 1.0));
//!
//! let (mut train, mut test) = ([1.0_f32; 1000], [1.0_f32; 1000]);
//! inverted.forward(&mut train, &mut Masks::new(1))?;
//! inverted.inference(&mut test)?;
//! assert!(test == [1.0; 1000] && train.iter().all(|x| *x == 0.0 || *x == 2.0));
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! *What would be right at test time?* The mean over all masks, which is an ensemble of all these models. Many passes
//! with random masks approximate it ([`MonteCarlo`](crate::noise::MonteCarlo)). One scaled pass without a mask is exact if
//! the layers that follow are linear, and otherwise approximates it too. Here eight units have 256 masks, few enough to
//! try them all:
//!
//! ```
//! use gradus::noise::{Dropout, Masks, MonteCarlo};
//! let (w, x) = ([0.3_f32, -0.1, 0.2, 0.4, -0.2, 0.1, 0.3, -0.3], [1.0, 2.0, 0.5, 1.0, 1.5, 2.0, 0.5, 1.0_f32]);
//! let sum = |kept: &[f32; 8]| kept.iter().zip(w).map(|(x, w)| x * w).sum::<f32>();
//! let dropout = Dropout::keep_prob(0.5);
//!
//! /// The whole ensemble, a thousand passes, and one pass without a mask, of a unit behind the dropped ones.
//! let three = |unit: fn(f32) -> f32| -> Result<[f32; 3], gradus::Error> {
//!     let model = |mask: u32| std::array::from_fn(|k| if mask >> k & 1 == 1 { 2.0 * x[k] } else { 0.0 });
//!     let all = (0..256).map(|mask| unit(sum(&model(mask)))).sum::<f32>() / 256.0;
//!
//!     let (mut mean, mut spread) = ([0.0], [0.0]);
//!     let (mut passes, mut masks) = (MonteCarlo::new(&mut mean, &mut spread)?, Masks::new(1));
//!     for _ in 0..1000 {
//!         let mut kept = x;
//!         dropout.forward(&mut kept, &mut masks)?;
//!         passes.add(&[unit(sum(&kept))])?;
//!     }
//!     passes.finish();
//!     Ok([all, mean[0], unit(sum(&x))])
//! };
//! let [all, passes, one] = three(|y| y)?; // linear: the scaled pass is the mean over all masks
//! assert!((one - all).abs() < 1e-5 && (passes - all).abs() < 0.05, "{all} {passes} {one}");
//! let [all, passes, one] = three(f32::tanh)?; // 0.24, 0.26 and 0.34
//! assert!((passes - all).abs() < 0.03 && (one - all).abs() < 0.1, "{all} {passes} {one}");
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! # Data augmentation
//!
//! An image that is shifted, rotated or in another light still shows the same thing. So each pass may see another
//! version of it: [`augment`](crate::augment). A recipe draws its strength from a random generator, whose seed decides
//! which versions are seen. The recipe of the ResNet slide is the value `ScaleCrop::resnet()`.
//!
//! ```
//! use gradus::augment::{Image, ImageLayout, ImageMut, ImageShape, Jitter, RandomAffine, RandomFlip, ScaleCrop};
//! use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
//! let shape = ImageShape { height: 8, width: 8, channels: 3, layout: ImageLayout::Hwc };
//! let image: [f32; 192] = std::array::from_fn(|k| k as f32 / 192.0);
//! let (mut rng, mut new) = (Xoshiro128PlusPlus::seed_from_u64(1), [0.0; 192]);
//!
//! // ResNet: the shorter side gets 256 to 480 pixels, and a patch of 224 is cut out anywhere. Here 10 to 15, and 8.
//! assert_eq!(ScaleCrop::resnet().shortest, [256, 480]);
//! let crops = ScaleCrop { shortest: [10, 15] };
//! crops.apply(Image::new(&image, shape)?, &mut ImageMut::new(&mut new, shape)?, &mut rng)?;
//! RandomFlip { prob: 0.5 }.apply(&mut ImageMut::new(&mut new, shape)?, &mut rng)?;
//! let light = Jitter { brightness: 0.4, contrast: 0.4, ..Jitter::default() };
//! light.apply(&mut ImageMut::new(&mut new, shape)?, &mut rng)?;
//!
//! // Translation, rotation, stretching and shearing, together in one pass over the pixels.
//! let moves = RandomAffine { translate: 1.0, rotate: 10.0, stretch: 0.1, shear: 0.1 };
//! moves.apply(Image::new(&image, shape)?, 0.0, &mut ImageMut::new(&mut new, shape)?, &mut rng)?;
//! assert_ne!(new, image);
//! # Ok::<(), gradus::Error>(())
//! ```
#![doc = ""]
#![doc = include_str!("../../../docs/augment.svg")]
#![doc = ""]
//! # A common pattern: noise in training, its mean at test time
//!
//! | method | noise in training | at test time | here |
//! |---|---|---|---|
//! | dropout | units | scaled, or nothing | [`Dropout`](crate::noise::Dropout) |
//! | batch normalisation | the batch's mean and variance | running ones | [`BatchNorm`](crate::norm::BatchNorm) |
//! | augmentation | crops, scales, flips, light, affine maps | fixed crops, averaged | [`augment`](crate::augment) |
//! | DropConnect | weights | all weights | [`DropConnect`](crate::noise::DropConnect) |
//! | fractional max pooling | regions | several passes, averaged | [`FractionalMaxPool`](crate::pool::FractionalMaxPool) |
//! | stochastic depth | whole blocks | all blocks | [`StochasticDepth`](crate::noise::StochasticDepth) |
//!
//! # Batch normalisation
//!
//! In training each unit has mean 0 and variance 1 over the batch, whatever the weights before it are. The samples of a
//! batch are drawn at random, and so its mean and variance are noisy. At test time running averages take the place of
//! those of the batch, and no noise is left.
//!
//! ```
//! use gradus::norm::{BatchNorm, BatchNormState, BatchShape, Params, Statistics};
//! let (norm, shape, mut running) = (BatchNorm::new(), BatchShape::dense(4, 1), BatchNormState::<1>::new());
//! let params = Params { weight: [1.0], bias: [0.0] };
//! let mut batch = Statistics { mean: [0.0], variance: [0.0] };
//! let (x, mut y) = ([7.0_f32, 9.0, 11.0, 13.0], [0.0; 4]);
//! norm.forward(shape, &x, &mut y, &params, &mut batch)?;
//! norm.track(shape, &batch, running.as_mut())?;
//! assert_eq!((batch.mean, batch.variance), ([10.0], [5.0]));
//! assert!(y.iter().sum::<f32>() == 0.0 && (y.iter().map(|y| y * y).sum::<f32>() - 4.0).abs() < 1e-4);
//! # Ok::<(), gradus::Error>(())
//! ```
#![doc = ""]
#![doc = include_str!("../../../docs/batchnorm.svg")]
#![doc = ""]
//! # DropConnect and stochastic depth
//!
//! [`DropConnect`](crate::noise::DropConnect) does to weights what dropout does to units.
//! [`StochasticDepth`](crate::noise::StochasticDepth) does it to whole residual blocks, to later ones more often. The
//! mask has one bit for each weight or block, and the backward pass takes the same mask.
//!
//! ```
//! use gradus::noise::{DropConnect, Dropout, Masks, StochasticDepth};
//! let (layer, mut masks) = (DropConnect(Dropout::drop_prob(0.5)), Masks::new(1));
//! let (w, x, mut y, mut mask) = ([1.0_f32; 8], [1.0; 4], [0.0; 2], [0; 2]); // two rows of four weights
//! layer.0.draw(&mut masks, &mut mask);
//! layer.forward(&w, &x, &mut y, &mask)?;
//! let kept = mask.map(|row| (row & 0b1111).count_ones() as f32);
//! assert_eq!(y, kept.map(|kept| 2.0 * kept)); // inverted: what is kept counts twice
//!
//! let survival = StochasticDepth::linear(12, 12, 0.5);
//! assert_eq!(survival, 0.5); // the last of twelve blocks survives half of the time
//! let (depth, mut branch, mut mask) = (StochasticDepth(Dropout::keep_prob(survival)), [1.0_f32; 6], [0]);
//! depth.draw(&mut masks, &mut mask); // a bit for each of three samples
//! depth.forward(&mut branch, 3, &mask)?;
//! assert!(branch.as_chunks::<2>().0.iter().all(|sample| *sample == [0.0; 2] || *sample == [2.0; 2]));
//! # Ok::<(), gradus::Error>(())
//! ```
#![doc = ""]
#![doc = include_str!("../../../docs/masks.svg")]
#![doc = ""]
//! # Fractional max pooling
//!
//! Max pooling over regions of one or two rows and columns, in random order, shrinks a map by any factor between 1 and
//! 2: [`FractionalMaxPool`](crate::pool::FractionalMaxPool). The order is drawn anew in each pass. At test time several
//! passes are averaged.
//!
//! ```
//! use gradus::pool::{FractionalMaxPool, Regions, Window};
//! use gradus::rand::{SeedableRng, Xoshiro128PlusPlus};
//! let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
//! let mut windows = [[Window::default(); 3]; 2];
//! for axis in &mut windows {
//!     Regions::Disjoint.pseudo_random(5, &mut rng, axis)?; // 5 -> 3: windows of 1, 2 and 2 in some order
//! }
//! let pool = FractionalMaxPool::new([5, 5], &windows[0], &windows[1])?;
//! let x: [f32; 25] = std::array::from_fn(|k| k as f32);
//! let (mut y, mut indices) = ([0.0; 9], [0; 9]);
//! pool.forward(&x, &mut y, &mut indices)?;
//! assert_eq!(y[8], 24.0);
//! # Ok::<(), gradus::Error>(())
//! ```
#![doc = ""]
#![doc = include_str!("../../../docs/pooling.svg")]
#![doc = ""]
//! # Summary
//!
//! The first part was about the training loss. A velocity smooths noise, a scale for each parameter evens out steep and
//! flat directions, and the learning rate should fall towards the end. The second part was about the gap between
//! training and test. Methods that add noise in training and average it out at test time make it smaller, and several
//! of them together do more than each alone.
