//! Products of a dense layer and of a convolution, as shares of the peak.

use crate::least;
use crate::peak::peak;
use gradus::Level;
use gradus::layer::{Conv2d, Dense};
use gradus::{Optimizer, Sgd};
use std::hint::black_box;

fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|k| ((k * 7919 % 1000) as f32 - 500.0) / 500.0).collect()
}

/// Prints a table of shares for each level.
pub fn report() {
    println!("| product | level | ns | share of the peak |\n|---|---|--:|--:|");
    for level in Level::available() {
        let most = peak(level.name());
        let row = |name: &str, products: usize, ns: f64| {
            println!("| {name} | {level} | {ns:.0} | {:.2} |", products as f64 / ns / most);
        };
        for (rows, inputs, outputs) in [
            (32, 64, 64),
            (32, 64, 32),
            (32, 32, 10),
            (8, 64, 64),
            (1, 64, 64),
            (32, 256, 10),
            (64, 512, 512),
        ] {
            let layer = Dense::new(inputs, outputs).on(level);
            let (params, x, dy) = (numbers(layer.params()), numbers(rows * inputs), numbers(rows * outputs));
            let (mut y, mut grads, mut dx) =
                (vec![0.0; rows * outputs], vec![0.0; layer.params()], vec![0.0; rows * inputs]);
            let name = format!("{rows} x {inputs} x {outputs}");
            let products = rows * inputs * outputs;
            row(
                &format!("forward {name}"),
                products,
                least(|| layer.forward(&params, black_box(&x), &mut y)),
            );
            let without = least(|| layer.backward(&params, &mut grads, black_box(&x), &dy, None));
            row(&format!("dW {name}"), products, without);
            let with = least(|| layer.backward(&params, &mut grads, black_box(&x), &dy, Some(&mut dx)));
            row(&format!("dX {name}, and dW"), 2 * products, with);
            let sgd = Sgd::new(0.0);
            let (mut own, mut state) = (params.clone(), sgd.state_vec(params.len()));
            let fused = least(|| {
                let update = sgd.update_slices(&mut own, state.as_mut()).unwrap();
                layer.backward_step(update, black_box(&x), &dy, None)
            });
            row(&format!("dW {name} and SGD, fused"), products, fused);
            let stored = least(|| {
                grads.fill(0.0);
                layer.backward(&params, &mut grads, black_box(&x), &dy, None).unwrap();
                sgd.step_slices(&mut own, &grads, state.as_mut())
            });
            row(&format!("dW {name} and SGD, gradients in memory"), products, stored);
        }
        for (images, size, channels, filters, pad) in
            [(8, 16, 16, 32, 0), (8, 16, 16, 32, 1), (8, 13, 8, 16, 0), (32, 4, 8, 16, 1), (32, 8, 1, 8, 1)]
        {
            let layer = Conv2d::new([size, size, channels], filters, [3, 3]).padding([pad, pad]).on(level);
            let (params, x, dy) = (
                numbers(layer.params()),
                numbers(images * layer.inputs()),
                numbers(images * layer.outputs()),
            );
            let (mut y, mut grads, mut dx) =
                (vec![0.0; dy.len()], vec![0.0; params.len()], vec![0.0; x.len()]);
            let products = dy.len() * 9 * channels;
            let name = format!("{images} images {size} x {size} x {channels} -> {filters}, padding {pad}");
            row(
                &format!("forward {name}"),
                products,
                least(|| layer.forward(&params, black_box(&x), &mut y)),
            );
            let without = least(|| layer.backward(&params, &mut grads, black_box(&x), &dy, None));
            row(&format!("dW {name}"), products, without);
            let with = least(|| layer.backward(&params, &mut grads, black_box(&x), &dy, Some(&mut dx)));
            row(&format!("dX {name}, and dW"), 2 * products, with);
        }
    }
}
