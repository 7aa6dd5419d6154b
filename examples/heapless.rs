//! Learning from a stream in fixed memory: the last 32 samples in a `heapless` ring, one step per sample.
//!
//! A sensor's drift is followed by a linear model: `y = w . x`, the squared error averaged over the
//! ring. Nothing is allocated; on a microcontroller only `main` would look different.
//!
//! ```text
//! cargo run --example heapless
//! ```

use gradus::transform::{ClipValue, Scale};
use gradus::{Adam, AdamState, Optimizer};
use heapless::Deque;

/// Inputs of the model; the last one is constant, for the offset.
const N: usize = 3;
/// Samples that are remembered.
const RING: usize = 32;

/// The model and all that its training needs, in less than 600 bytes.
struct Model {
    weights: [f32; N],
    state: AdamState<N>,
    ring: Deque<([f32; N], f32), RING>,
}

impl Model {
    const fn new() -> Self {
        Self { weights: [0.0; N], state: AdamState::new(), ring: Deque::new() }
    }

    fn predict(&self, x: &[f32; N]) -> f32 {
        x.iter().zip(&self.weights).map(|(x, w)| x * w).sum()
    }

    /// Takes a sample in, and makes one step over all that are remembered.
    fn learn(&mut self, x: [f32; N], y: f32) {
        if self.ring.is_full() {
            self.ring.pop_front();
        }
        let _ = self.ring.push_back((x, y)); // there is room now
        let mut grads = [0.0; N];
        for (x, y) in &self.ring {
            let error = self.predict(x) - y;
            for (g, x) in grads.iter_mut().zip(x) {
                *g += 2.0 * error * x;
            }
        }
        let mean = Scale(1.0 / self.ring.len() as f32);
        Adam::new(0.02).with((mean, ClipValue(1.0))).step(&mut self.weights, &grads, &mut self.state);
    }
}

fn main() {
    let mut model = Model::new();
    println!("{} bytes of RAM", size_of::<Model>());
    println!("sample  weights                    error");
    for t in 0..2000_u32 {
        let (a, b) = ((t as f32 * 0.37).sin(), (t as f32 * 0.11).cos());
        let drift = if t < 1000 { 1.5 } else { -0.5 }; // the sensor is moved half way
        let (x, y) = ([a, b, 1.0], 0.8 * a + drift * b + 0.25);
        let error = (model.predict(&x) - y).abs();
        model.learn(x, y);
        if t % 250 == 249 {
            let [u, v, w] = model.weights;
            println!("{:6}  [{u:6.3}, {v:6.3}, {w:6.3}]  {error:.1e}", t + 1);
        }
    }
}
