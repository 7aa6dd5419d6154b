//! The drawings, on any backend of plotters.

use gallery::course::{self, Pace, Point, RULES, SURFACES, Surface};
use gallery::style::{
    Backend, COLORS, Figure, INK, KINDS, Panel, SCALE, axes, curve, fill_contours, frame, line, note, plain,
    power_of_ten, with_legend,
};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;

/// The paths of all rules over all surfaces.
pub struct Race {
    pub noisy: bool,
}

impl Figure for Race {
    const SIZE: (i32, i32) = (900, 800);
    fn words(&self) -> String {
        let noise = if self.noisy { ", with noise on the gradients" } else { "" };
        format!(
            "Paths of SGD, momentum, Nesterov, AdaGrad, RMSProp and Adam over a bowl, a saddle, a double well and Rosenbrock's valley{noise}"
        )
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let panels = with_legend(area)?.split_evenly((2, 2));
        for (panel, surface) in panels.iter().zip(&SURFACES) {
            let mut chart = landscape(panel, surface)?;
            let mut runs = Vec::from_iter((0..RULES.len()).map(|rule| {
                let path = inside(&paths(surface, rule, self.noisy), surface);
                (rule, path)
            }));
            // The longest first, so that it does not hide those that came less far.
            runs.sort_by(|(_, a), (_, b)| length(b).total_cmp(&length(a)));
            for (rule, path) in &runs {
                line(&mut chart, path, COLORS[*rule])?;
            }
            for (rule, path) in &runs {
                let end = path.last().copied();
                chart.draw_series(end.map(|p| Circle::new(p, 4 * SCALE, COLORS[*rule].filled())))?;
            }
            let ink = INK.stroke_width(2 * SCALE as u32);
            let minima = surface.minima.iter().map(|&p| wide(p));
            chart.draw_series(minima.map(|p| Cross::new(p, 5 * SCALE, ink)))?;
            chart.draw_series([
                Circle::new(wide(surface.start), 5 * SCALE, WHITE.filled()),
                Circle::new(wide(surface.start), 5 * SCALE, ink),
            ])?;
        }
        Ok(())
    }
}

/// How far above the minimum each rule is after each step.
pub struct Loss {
    pub noisy: bool,
}

impl Figure for Loss {
    const SIZE: (i32, i32) = (900, 680);
    fn words(&self) -> String {
        let noise = if self.noisy { ", with noise on the gradients" } else { "" };
        format!(
            "Height above the minimum by step, of six optimizers on four surfaces{noise}; a triangle where a line leaves the picture"
        )
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let panels = with_legend(area)?.split_evenly((2, 2));
        for (panel, surface) in panels.iter().zip(&SURFACES) {
            let bottom = if self.noisy { -4.0 } else { -6.0 };
            let mut chart = frame(panel, [surface.name, ""], 0.0..surface.steps as f64, bottom..3.0)?;
            axes(&mut chart, ["step", "f − min f"], &plain, &power_of_ten)?;
            let lowest = (surface.at)(surface.minima[0]).0;
            for (rule, color) in COLORS.iter().enumerate() {
                let steps = paths(surface, rule, self.noisy).into_iter().enumerate().map(|(step, p)| {
                    let above = f64::from((surface.at)(p).0 - lowest);
                    (step as f64, above.max(0.0).log10())
                });
                curve(&mut chart, &Vec::from_iter(steps), *color)?;
            }
        }
        Ok(())
    }
}

/// Where momentum and Nesterov take their gradient: here, or one step of the velocity ahead.
pub struct LookAhead;

impl Figure for LookAhead {
    const SIZE: (i32, i32) = (900, 340);
    fn words(&self) -> String {
        "Two steps from the same point: momentum takes its gradient there, Nesterov at the end of the velocity".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        area.fill(&WHITE)?;
        let panels = area.margin(8 * SCALE, 0, 8 * SCALE, 8 * SCALE).split_evenly((1, 2));
        // The lecture's form, over a valley across the velocity: v' = rho v - lr g(p or p + rho v).
        let valley = |[x, y]: [f64; 2]| (x * x / 8.0 + y * y, [x / 4.0, 2.0 * y]);
        let (lr, p, carried) = (0.32, [-3.0, 0.9], [2.0, -1.4]);
        let add = |a: [f64; 2], b: [f64; 2]| [a[0] + b[0], a[1] + b[1]];
        let ahead = add(p, carried);
        let over = Pos::new(HPos::Left, VPos::Bottom);
        let under = Pos::new(HPos::Right, VPos::Top);
        for (panel, title, words, probe, label, [carried_at, sum_at, end_at]) in [
            (
                &panels[0],
                "Momentum",
                "the gradient is taken where we stand",
                p,
                "−lr g(p)",
                [over, under, under],
            ),
            (
                &panels[1],
                "Nesterov",
                "the gradient is taken one step ahead",
                ahead,
                "−lr g(p + ρv)",
                [under, over, over],
            ),
        ] {
            let window = [-4.0, 1.0, -1.35, 1.35];
            let mut chart = frame(panel, [title, words], window[0]..window[1], window[2]..window[3])?;
            fill_contours(&mut chart, window, |x, y| valley([x, y]).0)?;
            let end = add(ahead, valley(probe).1.map(|g| -lr * g));
            arrow(&mut chart, p, ahead, KINDS[0])?;
            arrow(&mut chart, ahead, end, KINDS[1])?;
            arrow(&mut chart, p, end, INK)?;
            let middle = |a: [f64; 2], b: [f64; 2]| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
            let right = Pos::new(HPos::Left, VPos::Center);
            for (at, words, color, place) in [
                (p, "p", INK, Pos::new(HPos::Center, VPos::Bottom)),
                (ahead, "p + ρv", INK, if probe == p { right } else { under }),
                (end, "p + v'", INK, end_at),
                (middle(p, ahead), "ρv", KINDS[0], carried_at),
                (middle(ahead, end), label, KINDS[1], right),
                (middle(p, end), "v'", INK, sum_at),
            ] {
                note(&mut chart, at, words, color, place)?;
            }
            chart.draw_series([p, ahead, end].map(|[x, y]| Circle::new((x, y), 4 * SCALE, INK.filled())))?;
            let ring = KINDS[1].stroke_width(2 * SCALE as u32);
            chart.draw_series([Circle::new((probe[0], probe[1]), 8 * SCALE, ring)])?;
        }
        Ok(())
    }
}

fn paths(surface: &Surface, rule: usize, noisy: bool) -> Vec<Point> {
    let noise = if noisy { surface.noise } else { 0.0 };
    let pace = Pace { lr: surface.lr[rule], momentum: 0.9, noise, steps: surface.steps };
    course::path(rule, surface, surface.start, pace)
}

fn wide(p: Point) -> (f64, f64) {
    (f64::from(p[0]), f64::from(p[1]))
}

/// The path up to where it leaves the window.
fn inside(path: &[Point], surface: &Surface) -> Vec<(f64, f64)> {
    let [left, right, bottom, top] = surface.window;
    let inside = |p: &&Point| left <= p[0] && p[0] <= right && bottom <= p[1] && p[1] <= top;
    path.iter().take_while(inside).map(|&p| wide(p)).collect()
}

fn length(path: &[(f64, f64)]) -> f64 {
    path.windows(2).map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1)).sum()
}

/// A panel with the contours of a surface.
fn landscape<'a, B: Backend>(
    area: &'a DrawingArea<B, Shift>,
    surface: &Surface,
) -> Result<Panel<'a, B>, Box<dyn Error>> {
    let window @ [left, right, bottom, top] = surface.window.map(f64::from);
    let mut chart = frame(area, [surface.name, surface.formula], left..right, bottom..top)?;
    axes(&mut chart, ["x", "y"], &plain, &plain)?;
    fill_contours(&mut chart, window, |x, y| f64::from((surface.at)([x as f32, y as f32]).0))?;
    Ok(chart)
}

/// An arrow: a line and a head.
fn arrow<B: Backend>(
    chart: &mut Panel<'_, B>,
    from: [f64; 2],
    to: [f64; 2],
    color: RGBColor,
) -> Result<(), Box<dyn Error>> {
    let [from, to] = [from, to].map(|[x, y]| chart.backend_coord(&(x, y)));
    let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let length = dx.hypot(dy);
    let unit = f64::from(SCALE);
    let at = |along: f64, across: f64| {
        let (u, v) = (dx / length, dy / length);
        let x = f64::from(to.0) - along * u + across * v;
        let y = f64::from(to.1) - along * v - across * u;
        (x.round() as i32, y.round() as i32)
    };
    let area = chart.plotting_area().strip_coord_spec();
    let (left, top) = area.get_pixel_range();
    let here = |(x, y): (i32, i32)| (x - left.start, y - top.start);
    let line = [here(from), here(at(9.0 * unit, 0.0))];
    let head = [at(0.0, 0.0), at(11.0 * unit, 5.0 * unit), at(11.0 * unit, -5.0 * unit)].map(here);
    area.draw(&PathElement::new(line, color.stroke_width(3 * SCALE as u32)))?;
    area.draw(&Polygon::new(head, color))?;
    Ok(())
}
