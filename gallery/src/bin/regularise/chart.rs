//! The accuracies as an SVG.

use super::{Row, spread};
use gallery::style::{Backend, FAINT, Figure, INK, SCALE, TEST, TRAIN, legend, plain, text};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;

/// A line for each method: a dot for each seed, a bar at the mean.
pub struct Accuracies<'a>(pub &'a [Row]);

impl Figure for Accuracies<'_> {
    const SIZE: (i32, i32) = (900, 440);
    fn words(&self) -> String {
        "Accuracy in training and on the test of each regulariser, a dot for each seed and a bar at the mean"
            .into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let Self(rows) = self;
        let body = legend(area, &[("in training", TRAIN), ("on the test", TEST)])?;
        let lowest = rows.iter().flat_map(|row| &row.test).fold(1.0_f64, |a, b| a.min(*b));
        let (low, n) = ((100.0 * lowest - 0.5).floor(), rows.len() as f64);
        let mut chart = ChartBuilder::on(&body)
            .margin(8 * SCALE)
            .x_label_area_size(36 * SCALE)
            .y_label_area_size(180 * SCALE)
            .build_cartesian_2d(low..100.2, n..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(0)
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT.mix(0.25))
            .axis_style(FAINT)
            .label_style(text(11, FAINT))
            .axis_desc_style(text(12, FAINT))
            .x_desc("accuracy in %")
            .x_label_formatter(&plain)
            .draw()?;
        for (i, row) in rows.iter().enumerate() {
            let y = i as f64 + 0.5;
            for (values, color, dy) in [(&row.train, TRAIN, -0.15), (&row.test, TEST, 0.15)] {
                let dots = values
                    .iter()
                    .map(|x| Circle::new((100.0 * x, y + dy), 4 * SCALE, color.mix(0.5).filled()));
                chart.draw_series(dots)?;
                let mean = 100.0 * spread(values).0;
                let bar = [(mean, y + dy - 0.2), (mean, y + dy + 0.2)];
                chart.draw_series([PathElement::new(bar, color.stroke_width(3 * SCALE as u32))])?;
            }
            let (_, pixel) = chart.backend_coord(&(low, y));
            let at = (16 * SCALE, pixel - body.get_base_pixel().1);
            let style = text(14, INK).pos(Pos::new(HPos::Left, VPos::Center));
            body.draw(&Text::new(row.name.as_str(), at, style))?;
        }
        Ok(())
    }
}
