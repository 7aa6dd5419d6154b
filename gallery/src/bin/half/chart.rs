//! The losses of Adam as an SVG.

use super::Run;
use gallery::style::{Backend, Figure, KINDS, TRAIN, axes, curve, frame, legend, plain, power_of_ten};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::error::Error;

const COLORS: [RGBColor; 3] = [TRAIN, KINDS[0], KINDS[1]];

/// The mean loss of each epoch, a line for each kind of state.
pub struct Losses<'a>(pub &'a [(&'a str, Vec<Run>)]);

impl Figure for Losses<'_> {
    const SIZE: (i32, i32) = (900, 420);
    fn words(&self) -> String {
        "Training loss of Adam on the digits by epoch, whole, in half of the memory, and in half of it rounded to nearest".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let means = Vec::from_iter(self.0.iter().map(|(_, runs)| {
            let epochs = runs.first().map_or(0, |run| run.epochs.len());
            let mean =
                |k: usize| runs.iter().map(|run| f64::from(run.epochs[k])).sum::<f64>() / runs.len() as f64;
            Vec::from_iter((0..epochs).map(|k| ((k + 1) as f64, mean(k).log10())))
        }));
        let all = means.iter().flatten().map(|point| point.1);
        let (low, high) = all.fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(y), high.max(y)));
        let names = Vec::from_iter(self.0.iter().map(|(name, _)| *name).zip(COLORS));
        let body = legend(area, &names)?;
        let epochs = means.first().map_or(1, Vec::len) as f64;
        let mut chart =
            frame(&body, ["Training loss of Adam", "digits"], 1.0..epochs, low - 0.1..high + 0.1)?;
        axes(&mut chart, ["epoch", "loss"], &plain, &power_of_ten)?;
        for (points, color) in means.iter().zip(COLORS) {
            curve(&mut chart, points, color)?;
        }
        Ok(())
    }
}
