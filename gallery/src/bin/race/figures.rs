//! The drawings, on any backend of plotters.

use gallery::contour::{Grid, simplify};
use gallery::course::{self, Pace, Point, RULES, SURFACES, Surface};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;

/// Pixels of the backend per pixel of the figure.
pub const SCALE: i32 = 3;

/// A drawing of a size given in pixels.
pub trait Figure {
    const SIZE: (i32, i32);
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>>;
}

/// A backend whose errors can be passed on.
pub trait Backend: DrawingBackend<ErrorType: 'static> {
    /// Whether a line of several points is drawn well.
    const JOINS: bool;
}
impl Backend for SVGBackend<'_> {
    const JOINS: bool = true;
}
impl Backend for BitMapBackend<'_> {
    const JOINS: bool = false; // sharp turns grow long spikes
}

type Panel<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// One colour for each rule, told apart by every kind of eye (Okabe and Ito, 2008).
const COLORS: [RGBColor; 6] = [
    RGBColor(60, 60, 60),
    RGBColor(0, 114, 178),
    RGBColor(204, 90, 160),
    RGBColor(0, 145, 105),
    RGBColor(235, 150, 0),
    RGBColor(213, 70, 0),
];
pub const INK: RGBColor = RGBColor(40, 44, 52);
pub const FAINT: RGBColor = RGBColor(120, 126, 138);

pub fn text(size: i32, color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size * SCALE).into_font().color(&color)
}

/// The paths of all rules over all surfaces.
pub struct Race {
    pub noisy: bool,
}

impl Figure for Race {
    const SIZE: (i32, i32) = (900, 760);
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
    const SIZE: (i32, i32) = (900, 640);
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn Error>> {
        let panels = with_legend(area)?.split_evenly((2, 2));
        for (panel, surface) in panels.iter().zip(&SURFACES) {
            let bottom = if self.noisy { -4.0 } else { -6.0 };
            let title = format!("{}: f - min f", surface.name);
            let mut chart = frame(panel, [&title, ""], 28, 0.0..surface.steps as f64, bottom..3.0)?;
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(FAINT.mix(0.25))
                .axis_style(FAINT)
                .label_style(text(11, FAINT))
                .x_labels(5)
                .y_labels(5)
                .x_desc("step")
                .x_label_formatter(&|step| format!("{step:.0}"))
                .y_label_formatter(&|power| power_of_ten(*power))
                .draw()?;
            let lowest = (surface.at)(surface.minima[0]).0;
            for (rule, color) in COLORS.iter().enumerate() {
                let steps = paths(surface, rule, self.noisy).into_iter().enumerate().map(|(step, p)| {
                    let above = f64::from((surface.at)(p).0 - lowest);
                    (step as f64, above.max(10f64.powf(bottom)).log10())
                });
                line(&mut chart, &Vec::from_iter(steps), *color)?;
            }
        }
        Ok(())
    }
}

/// Where momentum and Nesterov take their gradient: here, or one step of the velocity ahead.
pub struct LookAhead;

impl Figure for LookAhead {
    const SIZE: (i32, i32) = (900, 320);
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
            let mut chart = frame(panel, [title, words], 20, window[0]..window[1], window[2]..window[3])?;
            fill_contours(&mut chart, window, |x, y| valley([x, y]).0)?;
            let end = add(ahead, valley(probe).1.map(|g| -lr * g));
            arrow(&mut chart, p, ahead, COLORS[1])?;
            arrow(&mut chart, ahead, end, COLORS[5])?;
            arrow(&mut chart, p, end, INK)?;
            let middle = |a: [f64; 2], b: [f64; 2]| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
            let right = Pos::new(HPos::Left, VPos::Center);
            for (at, words, color, place) in [
                (p, "p", INK, Pos::new(HPos::Center, VPos::Bottom)),
                (ahead, "p + ρv", INK, if probe == p { right } else { under }),
                (end, "p + v'", INK, end_at),
                (middle(p, ahead), "ρv", COLORS[1], carried_at),
                (middle(ahead, end), label, COLORS[5], right),
                (middle(p, end), "v'", INK, sum_at),
            ] {
                note(&mut chart, at, words, color, place)?;
            }
            chart.draw_series([p, ahead, end].map(|[x, y]| Circle::new((x, y), 4 * SCALE, INK.filled())))?;
            let ring = COLORS[5].stroke_width(2 * SCALE as u32);
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

/// A line as thick as all lines here.
pub fn line<B: Backend>(
    chart: &mut Panel<'_, B>,
    points: &[(f64, f64)],
    color: RGBColor,
) -> Result<(), Box<dyn Error>> {
    let points = simplify(points, extent(chart), 1e-3);
    let style = color.stroke_width(2 * SCALE as u32);
    if B::JOINS {
        chart.draw_series([PathElement::new(points, style)])?;
    } else {
        chart.draw_series(points.windows(2).map(|pair| PathElement::new(pair.to_vec(), style)))?;
        chart.draw_series(points.iter().map(|&p| Circle::new(p, SCALE, color.filled())))?;
    }
    Ok(())
}

/// Width and height of a panel in its own units.
pub fn extent<B: Backend>(chart: &Panel<'_, B>) -> (f64, f64) {
    let (x, y) = (chart.x_range(), chart.y_range());
    (x.end - x.start, y.end - y.start)
}

/// The names of the rules in one row at the top; returns what is left below.
fn with_legend<B: Backend>(area: &DrawingArea<B, Shift>) -> Result<DrawingArea<B, Shift>, Box<dyn Error>> {
    area.fill(&WHITE)?;
    let (head, body) = area.split_vertically(44 * SCALE);
    for (i, (name, color)) in RULES.iter().zip(COLORS).enumerate() {
        let x = (72 + 132 * i as i32) * SCALE;
        let (y, style) = (26 * SCALE, color.stroke_width(4 * SCALE as u32));
        head.draw(&PathElement::new([(x, y), (x + 24 * SCALE, y)], style))?;
        let style = text(15, INK).pos(Pos::new(HPos::Left, VPos::Center));
        head.draw(&Text::new(*name, (x + 32 * SCALE, y), style))?;
    }
    Ok(body.margin(0, 8 * SCALE, 8 * SCALE, 8 * SCALE))
}

/// A panel with a title, its formula beside it, and axes, with so many pixels below them.
fn frame<'a, B: Backend>(
    area: &'a DrawingArea<B, Shift>,
    [title, formula]: [&str; 2],
    below: i32,
    x: std::ops::Range<f64>,
    y: std::ops::Range<f64>,
) -> Result<Panel<'a, B>, Box<dyn Error>> {
    let (head, _) = area.split_vertically(28 * SCALE);
    let place = |h| Pos::new(h, VPos::Center);
    let right = area.dim_in_pixel().0 as i32 - 16 * SCALE;
    head.draw(&Text::new(title, (36 * SCALE, 16 * SCALE), text(15, INK).pos(place(HPos::Left))))?;
    head.draw(&Text::new(formula, (right, 16 * SCALE), text(13, FAINT).pos(place(HPos::Right))))?;
    Ok(ChartBuilder::on(area)
        .margin_top(28 * SCALE)
        .margin_right(16 * SCALE)
        .margin_bottom(8 * SCALE)
        .x_label_area_size(below * SCALE)
        .y_label_area_size(36 * SCALE)
        .build_cartesian_2d(x, y)?)
}

/// A panel with the contours of a surface.
fn landscape<'a, B: Backend>(
    area: &'a DrawingArea<B, Shift>,
    surface: &Surface,
) -> Result<Panel<'a, B>, Box<dyn Error>> {
    let window @ [left, right, bottom, top] = surface.window.map(f64::from);
    let mut chart = frame(area, [surface.name, surface.formula], 20, left..right, bottom..top)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .axis_style(FAINT)
        .label_style(text(11, FAINT))
        .x_labels(5)
        .y_labels(4)
        .draw()?;
    fill_contours(&mut chart, window, |x, y| f64::from((surface.at)([x as f32, y as f32]).0))?;
    Ok(chart)
}

/// Bands of equal area, the deeper the darker.
fn fill_contours<B: Backend>(
    chart: &mut Panel<'_, B>,
    window: [f64; 4],
    f: impl Fn(f64, f64) -> f64,
) -> Result<(), Box<dyn Error>> {
    const BANDS: usize = 11;
    let shade = |i: usize| {
        let mix = |light: u8, dark: u8| light - ((light - dark) as usize * i / BANDS) as u8;
        RGBColor(mix(247, 178), mix(249, 198), mix(252, 224))
    };
    let grid = Grid::new(window, f);
    let [left, right, bottom, top] = window;
    chart.draw_series([Rectangle::new([(left, top), (right, bottom)], shade(0).filled())])?;
    for (i, level) in grid.levels(BANDS).into_iter().rev().enumerate() {
        for border in grid.sublevel(level) {
            // A closed line has no ends: simplify it by halves.
            let (one, other) = border.split_at(border.len() / 2);
            let mut border = simplify(one, extent(chart), 1e-3);
            border.extend(simplify(other, extent(chart), 1e-3));
            chart.draw_series([Polygon::new(border, shade(i + 1))])?;
        }
    }
    Ok(())
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

/// Words beside a point.
fn note<B: Backend>(
    chart: &mut Panel<'_, B>,
    [x, y]: [f64; 2],
    words: &str,
    color: RGBColor,
    place: Pos,
) -> Result<(), Box<dyn Error>> {
    let away = |back: bool, forth: bool| 8 * SCALE * (i32::from(forth) - i32::from(back));
    let dx = away(matches!(place.h_pos, HPos::Right), matches!(place.h_pos, HPos::Left));
    let dy = away(matches!(place.v_pos, VPos::Bottom), matches!(place.v_pos, VPos::Top));
    let words = Text::new(words.to_string(), (dx, dy), text(14, color).pos(place));
    chart.draw_series([EmptyElement::at((x, y)) + words])?;
    Ok(())
}

/// `10⁻³` and the like, for one digit.
fn power_of_ten(power: f64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let sign = if power < -0.5 { "⁻" } else { "" };
    format!("10{sign}{}", DIGITS[power.abs().round() as usize % 10])
}
