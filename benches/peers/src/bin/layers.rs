//! Times whole training steps of the digits' networks in candle and burn: forward, loss, backward, Adam.
//!
//! ```text
//! cd benches/peers && RAYON_NUM_THREADS=1 cargo run --release --bin layers
//! ```
//!
//! `./ci.sh bench-layers` times the same networks in gradus, and runs this with PEERS=1.

#[path = "../../../support/turns.rs"]
mod turns;

use turns::medians;

const BATCHES: [usize; 3] = [1, 8, 32];

fn main() {
    println!("| network | {} |", BATCHES.map(|batch| format!("batch {batch}")).join(" | "));
    println!("|---|--:|--:|--:|");
    row("MLP, candle", candle::mlp);
    row("CNN, candle", candle::cnn);
    row("MLP, burn (flex)", burns::mlp);
    row("CNN, burn (flex)", burns::cnn);
}

fn row(name: &str, step: fn(usize) -> Box<dyn FnMut()>) {
    let cells = BATCHES.map(|batch| {
        let mut step = step(batch);
        format!("{:.0}", medians(&mut [&mut *step])[0] / batch as f64)
    });
    println!("| {name} | {} |", cells.join(" | "));
}

fn pixels(batch: usize) -> Vec<f32> {
    (0..64 * batch).map(|k| (k * 7919 % 17) as f32 / 16.0).collect()
}

mod candle {
    use candle_core::{DType, Device, Result, Tensor};
    use candle_nn::{AdamW, Conv2dConfig, Module, Optimizer, VarBuilder, VarMap};

    fn step(
        batch: usize,
        network: impl Fn(VarBuilder<'_>) -> Result<Box<dyn Module>>,
    ) -> Result<Box<dyn FnMut()>> {
        let device = Device::Cpu;
        let map = VarMap::new();
        let model = network(VarBuilder::from_varmap(&map, DType::F32, &device))?;
        let mut adam = AdamW::new_lr(map.all_vars(), 1e-3)?;
        let x = Tensor::from_vec(super::pixels(batch), (batch, 64), &device)?;
        let labels = Tensor::from_vec((0..batch as u32).map(|k| k % 10).collect(), batch, &device)?;
        Ok(Box::new(move || {
            let mut step =
                || adam.backward_step(&candle_nn::loss::cross_entropy(&model.forward(&x)?, &labels)?);
            step().expect("shapes that fit");
        }))
    }

    pub fn mlp(batch: usize) -> Box<dyn FnMut()> {
        step(batch, |vb| {
            let layers = candle_nn::seq()
                .add(candle_nn::linear(64, 64, vb.pp("1"))?)
                .add_fn(|x| x.relu())
                .add(candle_nn::linear(64, 32, vb.pp("2"))?)
                .add_fn(|x| x.relu())
                .add(candle_nn::linear(32, 10, vb.pp("3"))?);
            Ok(Box::new(layers))
        })
        .expect("a network")
    }

    pub fn cnn(batch: usize) -> Box<dyn FnMut()> {
        step(batch, |vb| {
            let padded = Conv2dConfig { padding: 1, ..Conv2dConfig::default() };
            let layers = candle_nn::seq()
                .add_fn(|x| x.reshape(((), 1, 8, 8)))
                .add(candle_nn::conv2d(1, 8, 3, padded, vb.pp("1"))?)
                .add_fn(|x| x.relu()?.max_pool2d(2))
                .add(candle_nn::conv2d(8, 16, 3, padded, vb.pp("2"))?)
                .add_fn(|x| x.relu()?.flatten_from(1))
                .add(candle_nn::linear(256, 10, vb.pp("3"))?);
            Ok(Box::new(layers))
        })
        .expect("a network")
    }
}

mod burns {
    use burn::module::Module;
    use burn::nn::conv::{Conv2d, Conv2dConfig};
    use burn::nn::loss::CrossEntropyLossConfig;
    use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
    use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
    use burn::optim::{AdamConfig, GradientsParams};
    use burn::tensor::activation::relu;
    use burn::tensor::{Device, Int, Tensor, TensorData};

    trait Network: Module + Clone {
        fn forward(&self, x: Tensor<2>) -> Tensor<2>;
    }

    #[derive(Module, Debug)]
    struct Mlp {
        layers: [Linear; 3],
    }

    impl Network for Mlp {
        fn forward(&self, x: Tensor<2>) -> Tensor<2> {
            let [a, b, c] = &self.layers;
            c.forward(relu(b.forward(relu(a.forward(x)))))
        }
    }

    #[derive(Module, Debug)]
    struct Cnn {
        first: Conv2d,
        pool: MaxPool2d,
        second: Conv2d,
        dense: Linear,
    }

    impl Network for Cnn {
        fn forward(&self, x: Tensor<2>) -> Tensor<2> {
            let [batch, _] = x.dims();
            let x = self.pool.forward(relu(self.first.forward(x.reshape([batch, 1, 8, 8]))));
            self.dense.forward(relu(self.second.forward(x)).reshape([batch, 256]))
        }
    }

    fn step<N: Network + 'static>(batch: usize, device: &Device, network: N) -> Box<dyn FnMut()> {
        let mut adam = AdamConfig::new().init();
        let x = Tensor::<2>::from_data(TensorData::new(super::pixels(batch), [batch, 64]), device);
        let labels: Vec<i32> = (0..batch as i32).map(|k| k % 10).collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [batch]), device);
        let loss = CrossEntropyLossConfig::new().init(device);
        let mut network = Some(network);
        Box::new(move || {
            let own = network.take().expect("put back after each step");
            let grads = loss.forward(own.forward(x.clone()), labels.clone()).backward();
            let grads = GradientsParams::from_grads(grads, &own);
            network = Some(adam.step(1e-3, own, grads));
        })
    }

    pub fn mlp(batch: usize) -> Box<dyn FnMut()> {
        let device = Device::default().autodiff();
        let layers = [(64, 64), (64, 32), (32, 10)].map(|(i, o)| LinearConfig::new(i, o).init(&device));
        step(batch, &device, Mlp { layers })
    }

    pub fn cnn(batch: usize) -> Box<dyn FnMut()> {
        let device = Device::default().autodiff();
        let conv = |channels| {
            Conv2dConfig::new(channels, [3, 3])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(&device)
        };
        let network = Cnn {
            first: conv([1, 8]),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            second: conv([8, 16]),
            dense: LinearConfig::new(256, 10).init(&device),
        };
        step(batch, &device, network)
    }
}
