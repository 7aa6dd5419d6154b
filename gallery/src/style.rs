//! One style for all pictures: letters, lines, a colour for each optimizer, axes, and how a picture becomes a file.
//!
//! A picture is drawn in its light colours. [`finish`] adds the dark ones to the file, as a style sheet, and the words
//! that a screen reader says.

use crate::contour::{Grid, simplify};
use crate::course::RULES;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::ops::Range;
use std::path::Path;

/// Pixels of the backend per pixel of the figure: backends count in whole pixels.
pub const SCALE: i32 = 3;

/// A drawing of a size given in pixels.
pub trait Figure {
    const SIZE: (i32, i32);
    /// What it shows, for those who do not see it.
    fn words(&self) -> String;
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

pub type Panel<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// One colour for each rule of the race, told apart by every kind of eye (Okabe and Ito, 2008).
pub const COLORS: [RGBColor; 6] = [SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM];
pub const SGD: RGBColor = RGBColor(60, 60, 60);
pub const MOMENTUM: RGBColor = RGBColor(0, 114, 178);
pub const NESTEROV: RGBColor = RGBColor(204, 90, 160);
pub const ADAGRAD: RGBColor = RGBColor(0, 145, 105);
pub const RMSPROP: RGBColor = RGBColor(235, 150, 0);
pub const ADAM: RGBColor = RGBColor(213, 70, 0);
pub const LBFGS: RGBColor = RGBColor(70, 165, 215);
pub const NEWTON: RGBColor = RGBColor(117, 85, 190);
/// What is no optimizer has colours of its own.
pub const KINDS: [RGBColor; 4] =
    [RGBColor(0, 130, 145), RGBColor(140, 90, 50), RGBColor(125, 130, 20), RGBColor(150, 40, 110)];
/// Of the samples that a model learns from, and of those that it never sees.
pub const TRAIN: RGBColor = RGBColor(150, 155, 165);
pub const TEST: RGBColor = KINDS[0];
pub const INK: RGBColor = RGBColor(40, 44, 52);
pub const FAINT: RGBColor = RGBColor(120, 126, 138);

/// Bands of a landscape, beside the highest.
const BANDS: usize = 11;

/// The colour of a band, the deeper the darker.
fn shade(band: usize) -> RGBColor {
    ramp((247, 249, 252), (178, 198, 224), band)
}

fn ramp(from: (u8, u8, u8), to: (u8, u8, u8), band: usize) -> RGBColor {
    let mix =
        |a: u8, b: u8| (i32::from(a) + (i32::from(b) - i32::from(a)) * band as i32 / BANDS as i32) as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// Every colour by day and by night.
fn day_and_night() -> Vec<(RGBColor, RGBColor)> {
    let mut pairs = vec![
        (WHITE, RGBColor(20, 23, 28)),
        (INK, RGBColor(223, 227, 234)),
        (FAINT, RGBColor(154, 162, 177)),
        (SGD, RGBColor(200, 200, 200)),
        (MOMENTUM, RGBColor(74, 168, 224)),
        (NESTEROV, RGBColor(224, 125, 187)),
        (ADAGRAD, RGBColor(45, 190, 147)),
        (RMSPROP, RGBColor(240, 168, 48)),
        (ADAM, RGBColor(242, 112, 58)),
        (LBFGS, RGBColor(124, 196, 236)),
        (NEWTON, RGBColor(164, 139, 232)),
        (TRAIN, RGBColor(140, 147, 160)),
        (KINDS[0], RGBColor(60, 190, 205)),
        (KINDS[1], RGBColor(205, 150, 105)),
        (KINDS[2], RGBColor(185, 190, 70)),
        (KINDS[3], RGBColor(215, 110, 180)),
    ];
    pairs.extend((0..=BANDS).map(|band| (shade(band), ramp((28, 32, 39), (50, 74, 106), band))));
    pairs
}

/// A colour as SVG writes it.
pub fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// The file of a picture: `body` is what stands between its tags, in units of a third of a pixel.
///
/// Within a page of rustdoc the page's theme decides between day and night, elsewhere what the reader prefers.
pub fn finish(body: &str, (width, height): (i32, i32), words: &str) -> String {
    let mut style = String::from(
        "svg:root{color-scheme:light dark}[data-theme=light] .gradus{color-scheme:light}\
         [data-theme=dark] .gradus,[data-theme=ayu] .gradus{color-scheme:dark}",
    );
    for (day, night) in day_and_night() {
        for kind in ["fill", "stroke"] {
            let day = hex(day);
            if body.contains(&format!("{kind}=\"{day}\"")) {
                style += &format!(".gradus [{kind}=\"{day}\"]{{{kind}:light-dark({day},{})}}", hex(night));
            }
        }
    }
    let body = Vec::from_iter(body.lines().map(shorter)).join("\n");
    let body = body.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "").replace(">\n</", "></");
    let body = body.replace(" font-family=\"sans-serif\"", "").replace(" \"/>", "\"/>");
    let view = format!("0 0 {} {}", width * SCALE, height * SCALE);
    format!(
        "<svg class=\"gradus\" width=\"{width}\" height=\"{height}\" style=\"max-width:100%;height:auto\" \
         viewBox=\"{view}\" font-family=\"sans-serif\" role=\"img\" aria-label=\"{words}\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n<style>{style}</style>\n{}\n</svg>\n",
        body.trim()
    )
}

/// A line or an area of many points as a path, which names the way to the next point in place of the point.
fn shorter(element: &str) -> String {
    let parts = element.split_once(" points=\"").and_then(|(tag, rest)| Some((tag, rest.split_once('"')?.0)));
    let Some((tag, points)) = parts else { return element.into() };
    let (mut path, mut last) = (String::new(), (0, 0));
    for point in points.split_whitespace() {
        let number = |digits: &str| digits.parse::<i32>().unwrap_or_default();
        let (x, y) = point.split_once(',').map_or((0, 0), |(x, y)| (number(x), number(y)));
        // What follows a move without a letter is a line.
        path += &format!("{}{} {}", if path.is_empty() { 'm' } else { ' ' }, x - last.0, y - last.1);
        last = (x, y);
    }
    let close = if tag.starts_with("<polygon") { "z" } else { "" };
    let style = tag.split_once(' ').map_or("", |(_, style)| style);
    format!("<path {style} d=\"{}{close}\"/>", path.replace(" -", "-"))
}

/// Draws a figure into `name.svg`.
pub fn save_svg<F: Figure>(figure: &F, path: &Path) -> Result<(), Box<dyn Error>> {
    let ((width, height), mut svg) = (F::SIZE, String::new());
    let large = ((width * SCALE) as u32, (height * SCALE) as u32);
    figure.draw(&SVGBackend::with_string(&mut svg, large).into_drawing_area())?;
    let body =
        svg.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>")).map_or("", |(body, _)| body);
    // plotters writes the letters of a text on a line of their own.
    let body = body.lines().map(|line| if line.starts_with('<') { format!("\n{line}") } else { line.into() });
    save(path, &finish(&body.collect::<String>(), F::SIZE, &figure.words()))
}

pub fn save(path: &Path, svg: &str) -> Result<(), Box<dyn Error>> {
    std::fs::write(path, svg)?;
    println!("{}", path.display());
    Ok(())
}

/// Makes the letters known to plotters.
pub fn letters() -> Result<(), Box<dyn Error>> {
    Ok(register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()).map_err(|_| "not a font")?)
}

pub fn text(size: i32, color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size * SCALE).into_font().color(&color)
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

/// A line over `x` whose values may leave the panel: it ends at the border, with a triangle that points to where it went.
/// NaN and infinity are above.
pub fn curve<B: Backend>(
    chart: &mut Panel<'_, B>,
    points: &[(f64, f64)],
    color: RGBColor,
) -> Result<(), Box<dyn Error>> {
    let y = chart.y_range();
    let x = chart.x_range();
    let side = |v: f64| if v < y.start { -1 } else { i32::from(!(v <= y.end)) };
    let (mut pieces, mut piece, mut marks) = (Vec::new(), Vec::new(), Vec::<(f64, i32)>::new());
    let mut last: Option<(f64, f64)> = None;
    for &(at, value) in points {
        let here = side(value);
        // Where the straight line between two points crosses the border: at the end that is not finite if one is not.
        let cross = |(x0, v0): (f64, f64), border: f64, outside: f64| {
            let share = (border - v0) / (value - v0);
            (if share.is_finite() { x0 + share * (at - x0) } else { outside }, border)
        };
        match last {
            Some(before) if side(before.1) == 0 && here != 0 => {
                let border = if here < 0 { y.start } else { y.end };
                let out = cross(before, border, before.0);
                piece.push(out);
                pieces.push(std::mem::take(&mut piece));
                if marks.last().is_none_or(|mark| out.0 - mark.0 > 0.02 * (x.end - x.start)) {
                    marks.push((out.0, here));
                }
            }
            Some(before) if side(before.1) != 0 && here == 0 => {
                let border = if side(before.1) < 0 { y.start } else { y.end };
                piece.push(cross(before, border, at));
            }
            _ => {}
        }
        if here == 0 {
            piece.push((at, value));
        }
        last = Some((at, value));
    }
    pieces.push(piece);
    for piece in pieces.iter().filter(|piece| piece.len() > 1) {
        line(chart, piece, color)?;
    }
    for (at, side) in marks {
        let border = if side < 0 { y.start } else { y.end };
        let far = SCALE * side;
        let triangle = [(0, -3 * far), (-5 * SCALE, 6 * far), (5 * SCALE, 6 * far)].to_vec();
        chart.draw_series([EmptyElement::at((at, border)) + Polygon::new(triangle, color)])?;
    }
    Ok(())
}

/// Width and height of a panel in its own units.
pub fn extent<B: Backend>(chart: &Panel<'_, B>) -> (f64, f64) {
    let (x, y) = (chart.x_range(), chart.y_range());
    (x.end - x.start, y.end - y.start)
}

/// The names of all rules of the race in one row at the top; returns what is left below.
pub fn with_legend<B: Backend>(
    area: &DrawingArea<B, Shift>,
) -> Result<DrawingArea<B, Shift>, Box<dyn Error>> {
    let names = Vec::from_iter(RULES.into_iter().zip(COLORS));
    legend(area, &names)
}

/// Names and colours in one row at the top; returns what is left below.
pub fn legend<B: Backend>(
    area: &DrawingArea<B, Shift>,
    names: &[(&str, RGBColor)],
) -> Result<DrawingArea<B, Shift>, Box<dyn Error>> {
    area.fill(&WHITE)?;
    let (head, body) = area.split_vertically(40 * SCALE);
    let style = text(15, INK).pos(Pos::new(HPos::Left, VPos::Center));
    let mut x = 50 * SCALE;
    for (name, color) in names {
        let y = 24 * SCALE;
        head.draw(&PathElement::new([(x, y), (x + 24 * SCALE, y)], color.stroke_width(4 * SCALE as u32)))?;
        head.draw(&Text::new(*name, (x + 32 * SCALE, y), style.clone()))?;
        x += 46 * SCALE + head.estimate_text_size(name, &style)?.0 as i32;
    }
    Ok(body.margin(0, 8 * SCALE, 8 * SCALE, 8 * SCALE))
}

/// A panel with a title, a note beside it, and room for the names of its axes.
pub fn frame<'a, B: Backend>(
    area: &'a DrawingArea<B, Shift>,
    [title, note]: [&str; 2],
    x: Range<f64>,
    y: Range<f64>,
) -> Result<Panel<'a, B>, Box<dyn Error>> {
    let (head, _) = area.split_vertically(28 * SCALE);
    let place = |h| Pos::new(h, VPos::Center);
    let right = area.dim_in_pixel().0 as i32 - 16 * SCALE;
    head.draw(&Text::new(title, (50 * SCALE, 16 * SCALE), text(15, INK).pos(place(HPos::Left))))?;
    head.draw(&Text::new(note, (right, 16 * SCALE), text(13, FAINT).pos(place(HPos::Right))))?;
    Ok(ChartBuilder::on(area)
        .margin_top(28 * SCALE)
        .margin_right(16 * SCALE)
        .margin_bottom(4 * SCALE)
        .x_label_area_size(36 * SCALE)
        .y_label_area_size(50 * SCALE)
        .build_cartesian_2d(x, y)?)
}

/// Axes with names and faint lines across; a label is what `of_x` and `of_y` say of a number.
pub fn axes<B: Backend>(
    chart: &mut Panel<'_, B>,
    [x, y]: [&str; 2],
    of_x: &dyn Fn(&f64) -> String,
    of_y: &dyn Fn(&f64) -> String,
) -> Result<(), Box<dyn Error>> {
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT.mix(0.25))
        .axis_style(FAINT)
        .label_style(text(11, FAINT))
        .axis_desc_style(text(12, FAINT))
        .x_labels(6)
        .y_labels(6)
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&of_x)
        .y_label_formatter(&of_y)
        .draw()?;
    Ok(())
}

/// A number without needless digits.
pub fn plain(x: &f64) -> String {
    let rounded = (x * 1e6).round() / 1e6;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// `10⁻³` and the like, of the exponent, for one digit.
pub fn power_of_ten(power: &f64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    if (power - power.round()).abs() > 1e-6 {
        return String::new();
    }
    let sign = if *power < -0.5 { "⁻" } else { "" };
    format!("10{sign}{}", DIGITS[power.abs().round() as usize % 10])
}

/// Bands of equal area, the deeper the darker.
pub fn fill_contours<B: Backend>(
    chart: &mut Panel<'_, B>,
    window: [f64; 4],
    f: impl Fn(f64, f64) -> f64,
) -> Result<(), Box<dyn Error>> {
    let grid = Grid::new(window, f);
    let [left, right, bottom, top] = window;
    chart.draw_series([Rectangle::new([(left, top), (right, bottom)], shade(0).filled())])?;
    for (i, level) in grid.levels(BANDS).into_iter().rev().enumerate() {
        for border in grid.sublevel(level) {
            // A closed line has no ends: simplify it by halves.
            let (one, other) = border.split_at(border.len() / 2);
            let mut border = simplify(one, extent(chart), 2e-3);
            border.extend(simplify(other, extent(chart), 2e-3));
            chart.draw_series([Polygon::new(border, shade(i + 1))])?;
        }
    }
    Ok(())
}

/// Words beside a point.
pub fn note<B: Backend>(
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

/// Words in a picture that is written without plotters, from the left, in pixels.
pub fn words_at([x, y]: [usize; 2], size: usize, color: RGBColor, words: &str) -> String {
    let [x, y, size] = [x, y, size].map(|n| n * SCALE as usize);
    format!("<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{}\">{words}</text>\n", hex(color))
}

/// Cells of a grid of squares as one path of dashes, which is small.
pub fn squares(
    [left, top]: [usize; 2],
    side: usize,
    opacity: f64,
    color: RGBColor,
    cells: impl Iterator<Item = (usize, usize)>,
) -> String {
    let (scale, mut path, mut pen) = (SCALE as usize, String::new(), None);
    let (side, inner) = (side * scale, side * scale - 2);
    let mut cells = Vec::from_iter(cells.map(|(column, row)| (row, column)));
    cells.sort_unstable();
    for (row, column) in cells {
        let (x, y) = (left * scale + column * side, top * scale + row * side + inner / 2);
        path += &match pen {
            Some((end, same)) if same == row => format!("m{} 0", x as isize - end as isize),
            _ => format!("M{x} {y}"),
        };
        path += &format!("h{inner}");
        pen = Some((x + inner, row));
    }
    let color = hex(color);
    format!("<path d=\"{path}\" stroke=\"{color}\" stroke-width=\"{inner}\" stroke-opacity=\"{opacity}\"/>\n")
}
