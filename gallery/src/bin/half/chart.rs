//! The losses of Adam as an SVG.

use super::Run;
use plotters::prelude::*;
use plotters::style::register_font;
use std::error::Error;

const COLORS: [RGBColor; 3] = [RGBColor(150, 150, 150), RGBColor(31, 119, 220), RGBColor(220, 60, 30)];

/// The mean loss of each epoch, a line for each kind of state. Narrow pages shrink it.
pub fn draw(curves: &[(&str, Vec<Run>)]) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    paint(&mut svg, curves)?;
    Ok(svg.replacen("<svg ", r#"<svg style="max-width:100%;height:auto" "#, 1))
}

fn paint(svg: &mut String, curves: &[(&str, Vec<Run>)]) -> Result<(), Box<dyn Error>> {
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()).map_err(|_| "not a font")?;
    let means: Vec<Vec<f64>> = curves
        .iter()
        .map(|(_, runs)| {
            let epochs = runs.first().map_or(0, |run| run.epochs.len());
            let mean =
                |k: usize| runs.iter().map(|run| f64::from(run.epochs[k])).sum::<f64>() / runs.len() as f64;
            (0..epochs).map(mean).collect()
        })
        .collect();
    let all = means.iter().flatten();
    let (low, high) = all.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
    let root = SVGBackend::with_string(svg, (900, 460)).into_drawing_area();
    root.fill(&WHITE)?;
    let epochs = means.first().map_or(1, Vec::len) as f64;
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .caption("Training loss of Adam on the digits, by what its state is stored as", ("sans-serif", 20))
        .x_label_area_size(40)
        .y_label_area_size(80)
        .build_cartesian_2d(1.0..epochs, (low * 0.8..high * 1.2).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0e}"))
        .label_style(("sans-serif", 15))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (((name, _), mean), color) in curves.iter().zip(&means).zip(COLORS) {
        let line = mean.iter().zip(1..).map(|(y, x)| (f64::from(x), *y));
        chart
            .draw_series(LineSeries::new(line, color.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], color.stroke_width(3)));
    }
    chart.configure_series_labels().border_style(TRANSPARENT).label_font(("sans-serif", 15)).draw()?;
    root.present()?;
    Ok(())
}
