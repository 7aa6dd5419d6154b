//! The learning-rate schedules, a small panel each.

use gallery::contour::simplify;
use gallery::style::{Backend, FAINT, Figure, INK, KINDS, SCALE, extent, line, text};
use gradus::schedule::{
    Constant, Cosine, Exponential, InverseTime, Linear, MultiStep, OneCycle, Schedule, SnapshotCycle,
    StepDecay, Triangular, WarmRestarts, WarmUp,
};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;

/// Every schedule from a learning rate of 1, over a thousand steps.
pub struct Schedules;

const STEPS: u32 = 1000;

impl Figure for Schedules {
    const SIZE: (i32, i32) = (900, 420);
    fn words(&self) -> String {
        "The learning rate over a thousand steps, from 1 to 0, of twelve schedules".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let schedules: [(&str, &dyn Schedule); 12] = [
            ("Constant", &Constant(0.6)),
            ("StepDecay", &StepDecay::new(1.0, 0.5, 250)),
            ("MultiStep", &MultiStep::new(1.0, 0.4, [400, 750])),
            ("Exponential", &Exponential::new(1.0, 0.004)),
            ("InverseTime", &InverseTime::new(1.0, 0.008)),
            ("Linear", &Linear::new(1.0, 0.05, 850)),
            ("Cosine", &Cosine::new(1.0, STEPS)),
            ("WarmUp, then Cosine", &WarmUp::new(0.0, 150, Cosine::new(1.0, 850))),
            ("WarmRestarts", &WarmRestarts { mult: 2, ..WarmRestarts::new(1.0, 140) }),
            ("SnapshotCycle", &SnapshotCycle::new(1.0, STEPS, 4)),
            ("Triangular", &Triangular::new(0.1, 1.0, 120, 240)),
            ("OneCycle", &OneCycle::new(1.0, STEPS)),
        ];
        area.fill(&WHITE)?;
        let panels = area.margin(4 * SCALE, 8 * SCALE, 8 * SCALE, 8 * SCALE).split_evenly((3, 4));
        for (panel, (name, schedule)) in panels.iter().zip(schedules) {
            let left = Pos::new(HPos::Left, VPos::Center);
            panel.draw(&Text::new(name, (10 * SCALE, 18 * SCALE), text(14, INK).pos(left)))?;
            let mut chart = ChartBuilder::on(panel)
                .margin_top(30 * SCALE)
                .margin_left(10 * SCALE)
                .margin_right(10 * SCALE)
                .margin_bottom(8 * SCALE)
                .build_cartesian_2d(0.0..f64::from(STEPS), 0.0..1.1)?;
            let rates = Vec::from_iter((0..STEPS).flat_map(|step| {
                let rate = f64::from(schedule.at(step)); // holds for the whole step
                [(f64::from(step), rate), (f64::from(step + 1), rate)]
            }));
            let rates = simplify(&rates, extent(&chart), 1e-3);
            chart.draw_series([Polygon::new(
                [vec![(0.0, 0.0)], rates.clone(), vec![(f64::from(STEPS), 0.0)]].concat(),
                KINDS[0].mix(0.12),
            )])?;
            let axis = [(0.0, 0.0), (f64::from(STEPS), 0.0)];
            chart.draw_series([PathElement::new(axis, FAINT.stroke_width(SCALE as u32))])?;
            line(&mut chart, &rates, KINDS[0])?;
        }
        Ok(())
    }
}
