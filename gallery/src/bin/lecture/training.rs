//! The digits' network: what the learning rate does to its loss, and the gap between training and test.

use super::second_order::descend;
use digits::data::{COUNT, DIGITS};
use digits::network::{Lecture, Network, PARAMS};
use digits::training::{Batch, Chance, Model, Score, Training, split};
use gallery::style::{
    Backend, FAINT, Figure, KINDS, SGD, TEST, TRAIN, axes, curve, frame, legend, plain, power_of_ten,
};
use gradus::noise::Dropout;
use gradus::schedule::{Constant, Cosine, Schedule, StepDecay};
use gradus::{Error as Refusal, Exec, Momentum, Optimizer, Sgd, State};
use plotters::coord::Shift;
use plotters::prelude::*;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use std::error::Error;

/// Scores in training and on the test before the first epoch and after each, of the first `samples` digits.
fn train(
    optimizer: impl Optimizer,
    samples: usize,
    batch: usize,
    epochs: usize,
) -> Result<Vec<[Score; 2]>, Refusal> {
    let mut order = [0; COUNT];
    let count = split(&DIGITS, &mut order);
    let (learned, rest) = order.split_at_mut(count);
    let learned = &mut learned[..samples.min(count)];
    let schedule = Constant(optimizer.lr());
    let training = Training { exec: Exec::new(), optimizer, schedule, dropout: Dropout::drop_prob(0.0) };
    let (mut network, mut state, mut chance) = (Network::new(), State::<_, PARAMS>::new(), Chance::new(1));
    network.init(&mut chance.rng)?;
    let (memory, labels) = (&mut vec![Lecture::EMPTY; batch][..], &mut vec![0; batch][..]);
    let mut scores = Vec::new();
    for epoch in 0..=epochs {
        if epoch > 0 {
            let mut batch = Batch { memory, labels };
            training.epoch(&mut network, &mut state, &mut chance, &mut batch, &DIGITS, learned)?;
        }
        scores.push([
            network.score(Exec::new(), &DIGITS, learned)?,
            network.score(Exec::new(), &DIGITS, rest)?,
        ]);
    }
    Ok(scores)
}

const EPOCHS_OF_RATES: usize = 30;

/// Points of a curve.
type Line = Vec<(f64, f64)>;

/// Four constant rates on softmax regression, and two decays on a noisy bowl.
pub struct Rates {
    constant: Vec<(f32, RGBColor, Line)>,
}

impl Rates {
    pub fn new() -> Result<Self, Refusal> {
        let rates = [(0.02, KINDS[1]), (1.0, KINDS[0]), (5.0, KINDS[2]), (20.0, KINDS[3])];
        let mut constant = Vec::new();
        for (lr, color) in rates {
            constant.push((lr, color, descend(Sgd::new(lr), EPOCHS_OF_RATES)?));
        }
        Ok(Self { constant })
    }
}

impl Figure for Rates {
    const SIZE: (i32, i32) = (900, 400);
    fn words(&self) -> String {
        "Loss by epoch: a low learning rate is slow, a good one falls fast and far, a high one wanders above it, a very high one leaves the picture at once; step decay drops with each fall of the rate, cosine falls smoothly, a constant rate rests at the noise".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        area.fill(&WHITE)?;
        let panels = area.split_evenly((1, 2));
        let names = ["low", "good", "high", "very high"];
        let named = Vec::from_iter(
            names.into_iter().zip(&self.constant).map(|(name, run)| (format!("{name} {}", run.0), run.1)),
        );
        let named = Vec::from_iter(named.iter().map(|(name, color)| (name.as_str(), *color)));
        let body = legend(&panels[0], &named)?;
        let mut chart = frame(
            &body,
            ["Constant rates", "softmax regression, SGD"],
            0.0..EPOCHS_OF_RATES as f64,
            0.0..3.0,
        )?;
        axes(&mut chart, ["epoch", "loss in training"], &plain, &plain)?;
        for (_, color, points) in &self.constant {
            curve(&mut chart, points, *color)?;
        }

        let body = legend(&panels[1], &[("constant", SGD), ("StepDecay", KINDS[3]), ("Cosine", KINDS[0])])?;
        let mut chart =
            frame(&body, ["Rates that decay", "noisy bowl, SGD"], 0.0..f64::from(STEPS), -3.5..0.5)?;
        axes(&mut chart, ["step", "loss"], &plain, &power_of_ten)?;
        let decays: [(&dyn Schedule, RGBColor); 3] = [
            (&Constant(0.8), SGD),
            (&StepDecay::new(0.8, 0.3, STEPS / 4), KINDS[3]),
            (&Cosine::new(0.8, STEPS), KINDS[0]),
        ];
        for (schedule, color) in decays {
            curve(&mut chart, &bowl(schedule), color)?;
        }
        Ok(())
    }
}

const STEPS: u32 = 800;

/// Logarithms of the loss by step of 256 numbers that noise pushes about.
fn bowl(schedule: &dyn Schedule) -> Vec<(f64, f64)> {
    let (mut p, mut state) = ([1.5; 256], Sgd::new(0.0).state());
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
    let mut points = Vec::new();
    for step in 0..STEPS {
        let loss = p.iter().map(|p| p * p).sum::<f32>() / 512.0;
        points.push((f64::from(step), f64::from(loss).log10()));
        let grads = p.map(|p| p * 0.5 + if rng.next_u32() & 1 == 0 { 0.5 } else { -0.5 });
        Sgd::new(schedule.at(step)).step(&mut p, &grads, &mut state);
    }
    points
}

/// A network that learns 100 digits by heart.
pub struct Gap(Vec<[Score; 2]>);

const EPOCHS: usize = 60;

impl Gap {
    pub fn new() -> Result<Self, Refusal> {
        Ok(Self(train(Momentum::new(0.02), 100, 20, EPOCHS)?))
    }
}

impl Figure for Gap {
    const SIZE: (i32, i32) = (900, 360);
    fn words(&self) -> String {
        "A network learns 100 digits: its loss in training falls to zero and its accuracy there reaches 100 %, while both stay behind on the test; the gap between them is shaded".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let body = legend(area, &[("in training", TRAIN), ("on the test", TEST)])?;
        let panels = body.split_evenly((1, 2));
        let loss = |score: &Score| f64::from(score.loss);
        let accuracy = |score: &Score| 100.0 * f64::from(score.accuracy);
        self.panel(&panels[0], ["Loss", "100 digits to learn from"], 2.5, loss)?;
        self.panel(&panels[1], ["Accuracy in %", "the shade is the gap"], 105.0, accuracy)
    }
}

impl Gap {
    fn panel<B: Backend>(
        &self,
        area: &DrawingArea<B, Shift>,
        title: [&str; 2],
        top: f64,
        of: impl Fn(&Score) -> f64,
    ) -> Result<(), Box<dyn Error>> {
        let lines = [0, 1]
            .map(|k| Vec::from_iter(self.0.iter().enumerate().map(|(t, s)| (t as f64, of(&s[k]).min(top)))));
        let mut chart = frame(area, title, 0.0..EPOCHS as f64, 0.0..top)?;
        axes(&mut chart, ["epoch", title[0]], &plain, &plain)?;
        let gap = lines[0].iter().chain(lines[1].iter().rev()).copied();
        chart.draw_series([Polygon::new(Vec::from_iter(gap), FAINT.mix(0.15))])?;
        for (points, color) in lines.iter().zip([TRAIN, TEST]) {
            curve(&mut chart, points, color)?;
        }
        Ok(())
    }
}
