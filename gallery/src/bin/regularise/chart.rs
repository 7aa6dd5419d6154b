//! The accuracies as an SVG.

use super::{Row, spread};
use plotters::prelude::*;
use plotters::style::register_font;
use std::error::Error;

const TRAIN: RGBColor = RGBColor(180, 180, 180);
const TEST: RGBColor = RGBColor(31, 119, 220);

/// A line for each method: a dot for each seed, a bar at the mean. Narrow pages shrink it.
pub fn draw(rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    paint(&mut svg, rows)?;
    Ok(svg.replacen("<svg ", r#"<svg style="max-width:100%;height:auto" "#, 1))
}

fn paint(svg: &mut String, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()).map_err(|_| "not a font")?;
    let height = 110 + 50 * rows.len() as u32;
    let root = SVGBackend::with_string(svg, (900, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let lowest = rows.iter().flat_map(|row| &row.test).fold(1.0_f64, |a, b| a.min(*b));
    let low = (100.0 * lowest - 0.5).floor();
    let n = rows.len() as f64;
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .caption("Accuracy in %: grey in training, blue on the test", ("sans-serif", 20))
        .x_label_area_size(30)
        .y_label_area_size(180)
        .build_cartesian_2d(low..100.2, n..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .label_style(("sans-serif", 15))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (i, row) in rows.iter().enumerate() {
        let y = i as f64 + 0.5;
        for (values, color, dy) in [(&row.train, TRAIN, -0.15), (&row.test, TEST, 0.15)] {
            let dots = values.iter().map(|x| Circle::new((100.0 * x, y + dy), 4, color.mix(0.5).filled()));
            chart.draw_series(dots)?;
            let mean = 100.0 * spread(values).0;
            let bar = [(mean, y + dy - 0.2), (mean, y + dy + 0.2)];
            chart.draw_series([PathElement::new(bar, color.stroke_width(3))])?;
        }
        let (_, pixel) = chart.backend_coord(&(low, y));
        root.draw(&Text::new(row.name.as_str(), (16, pixel - 8), ("sans-serif", 16)))?;
    }
    root.present()?;
    Ok(())
}
