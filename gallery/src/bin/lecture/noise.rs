//! What noise does inside of a network: normalised activations, masks, regions.

use digits::data::DIGITS;
use digits::training::PIXELS;
use gallery::style::{
    Backend, FAINT, Figure, INK, KINDS, SCALE, axes, finish, frame, legend, plain, squares, words_at,
};
use gradus::layer::Dense;
use gradus::noise::{Dropout, Masks, StochasticDepth, mask_words};
use gradus::norm::{BatchNorm, BatchShape, Params, Statistics};
use gradus::pool::{Regions, Window};
use gradus::{Error, init};
use plotters::coord::Shift;
use plotters::prelude::*;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use std::error::Error as StdError;

/// Sums of three units over a batch of digits, before and after the normalisation.
pub struct Normalised {
    sums: Vec<f32>,
    normalised: Vec<f32>,
}

const UNITS: usize = 3;
const BATCH: usize = 1000;

impl Normalised {
    pub fn new() -> Result<Self, Error> {
        let dense = Dense::new(PIXELS, UNITS);
        let mut params = vec![0.0; dense.params()];
        init::uniform(&mut Xoshiro128PlusPlus::seed_from_u64(5), -0.5, 0.5, dense.weights_mut(&mut params)?);
        let pixels = DIGITS[..BATCH].iter().flat_map(|sample| sample.pixels);
        let x = Vec::from_iter(pixels.map(|pixel| f32::from(pixel) / 16.0));
        let (mut sums, mut normalised) = (vec![0.0; BATCH * UNITS], vec![0.0; BATCH * UNITS]);
        dense.forward(&params, &x, &mut sums)?;
        let params = Params { weight: [1.0; UNITS], bias: [0.0; UNITS] };
        let mut batch = Statistics { mean: [0.0; UNITS], variance: [0.0; UNITS] };
        BatchNorm::new().forward(
            BatchShape::dense(BATCH, UNITS),
            &sums,
            &mut normalised,
            &params,
            &mut batch,
        )?;
        Ok(Self { sums, normalised })
    }
}

impl Figure for Normalised {
    const SIZE: (i32, i32) = (900, 340);
    fn words(&self) -> String {
        "Histograms of the sums of three units over 1000 digits: before batch normalisation each has a centre and a width of its own, after it all have mean 0 and deviation 1".into()
    }
    fn draw<B: Backend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn StdError>> {
        let colors = [KINDS[0], KINDS[1], KINDS[3]];
        let body = legend(area, &[("unit 1", colors[0]), ("unit 2", colors[1]), ("unit 3", colors[2])])?;
        let panels = body.split_evenly((1, 2));
        for (panel, title, values) in
            [(&panels[0], "Before", &self.sums), (&panels[1], "After", &self.normalised)]
        {
            let mut chart = frame(panel, [title, "1000 digits"], -4.0..4.0, 0.0..300.0)?;
            axes(&mut chart, ["sum of a unit", "samples"], &plain, &plain)?;
            for (unit, color) in colors.into_iter().enumerate() {
                let mut counts = [0_u32; 32]; // a quarter wide
                for x in values.iter().skip(unit).step_by(UNITS) {
                    if let Some(count) = counts.get_mut(((x + 4.0) * 4.0) as usize) {
                        *count += 1;
                    }
                }
                let edge = |k: usize| k as f64 / 4.0 - 4.0;
                let mut steps = vec![(edge(0), 0.0)];
                for (k, &count) in counts.iter().enumerate() {
                    steps.extend([(edge(k), f64::from(count)), (edge(k + 1), f64::from(count))]);
                }
                steps.push((edge(32), 0.0));
                chart.draw_series([Polygon::new(steps.clone(), color.mix(0.15))])?;
                chart.draw_series([PathElement::new(steps, color.stroke_width(2 * SCALE as u32))])?;
            }
        }
        Ok(())
    }
}

/// Which elements of `columns` by `rows` a mask keeps.
fn bits(mask: &[u32], columns: usize, rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let kept = move |i: &usize| mask[i / 32] >> (i % 32) & 1 == 1;
    (0..columns * rows).filter(kept).map(move |i| (i % columns, i / columns))
}

/// What a draw of each method leaves.
pub fn masks() -> Result<String, Error> {
    const COLUMNS: usize = 24;
    const ROWS: usize = 16;
    const SIDE: usize = 11;
    let mut masks = Masks::new(3);
    let mut mask = [0; mask_words(COLUMNS * ROWS)];
    let mut body = String::new();
    let half = Dropout::keep_prob(0.5);
    let mut panel =
        |number: usize, [title, across, down]: [&str; 3], kept: &mut dyn Iterator<Item = (usize, usize)>| {
            let (left, top) = (30 + 295 * number, 50);
            body += &words_at([left, 20], 15, INK, title);
            body += &words_at([left, 40], 12, FAINT, &format!("→ {across}   ↓ {down}"));
            let all = (0..COLUMNS * ROWS).map(|i| (i % COLUMNS, i / COLUMNS));
            body += &squares([left, top], SIDE, 0.12, INK, all);
            body += &squares([left, top], SIDE, 1.0, KINDS[0], kept);
        };
    half.draw(&mut masks, &mut mask);
    panel(0, ["Dropout: units", "units of a layer", "samples"], &mut bits(&mask, COLUMNS, ROWS));
    half.draw(&mut masks, &mut mask);
    panel(1, ["DropConnect: weights", "inputs", "outputs, for one sample"], &mut bits(&mask, COLUMNS, ROWS));
    let mut kept = Vec::new();
    for block in 0..COLUMNS {
        let survival = StochasticDepth::linear(block as u32 + 1, COLUMNS as u32, 0.5);
        let mut samples = [0; mask_words(ROWS)];
        StochasticDepth(Dropout::keep_prob(survival)).draw(&mut masks, &mut samples);
        kept.extend(bits(&samples, 1, ROWS).map(|(_, row)| (block, row)));
    }
    panel(2, ["Stochastic depth: blocks", "blocks, from first to last", "samples"], &mut kept.into_iter());
    let words = "What is kept in one draw: of the units of a layer for each sample, of the weights of a layer, and of the blocks of a deep network, whose later blocks survive less often";
    Ok(finish(&body, (900, 240), words))
}

/// What draws the windows of an axis.
type Draw<'a> = &'a dyn Fn(&mut Xoshiro128PlusPlus, &mut [Window]) -> Result<(), Error>;

/// How the rows and columns of 20 by 20 are pooled to 13 by 13, and to 10 by 10 as usual.
pub fn pooling() -> Result<String, Error> {
    const SIZE: usize = 20;
    const SIDE: usize = 10;
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(2);
    let usual = [0, 1].map(|_| Vec::from_iter((0..10).map(|k| Window { start: 2 * k, len: 2 })));
    let mut drawn = |draw: Draw<'_>| {
        let mut axes = [vec![Window::default(); 13], vec![Window::default(); 13]];
        axes.iter_mut().try_for_each(|axis| draw(&mut rng, axis)).map(|()| axes)
    };
    let panels = [
        ("Max pooling, 2 × 2", "20 → 10", usual),
        ("Random", "20 → 13, disjoint", drawn(&|rng, axis| Regions::Disjoint.random(SIZE, rng, axis))?),
        (
            "Pseudo-random",
            "20 → 13, disjoint",
            drawn(&|rng, axis| Regions::Disjoint.pseudo_random(SIZE, rng, axis))?,
        ),
        (
            "Overlapping",
            "20 → 13, shared borders",
            drawn(&|rng, axis| Regions::Overlapping.pseudo_random(SIZE, rng, axis))?,
        ),
    ];
    let mut body = String::new();
    for (number, (title, note, [rows, columns])) in panels.into_iter().enumerate() {
        let at = [20 + 222 * number, 52];
        body += &words_at([at[0], 20], 15, INK, title);
        body += &words_at([at[0], 40], 12, FAINT, note);
        // A checkerboard of regions; where they overlap, the shades add up.
        let mut fields = [Vec::new(), Vec::new()];
        for (i, row) in rows.iter().enumerate() {
            for (j, column) in columns.iter().enumerate() {
                let cells = (row.start..row.start + row.len)
                    .flat_map(|y| (column.start..column.start + column.len).map(move |x| (x, y)));
                fields[(i + j) % 2].extend(cells);
            }
        }
        for (cells, color) in fields.into_iter().zip([KINDS[0], KINDS[1]]) {
            body += &squares(at, SIDE, 0.55, color, cells.into_iter());
        }
    }
    let words = "Regions of max pooling over a map of 20 by 20: always 2 by 2; fractional, 1 or 2 rows and columns in random order; evenly spread from a random start; overlapping by one";
    Ok(finish(&body, (900, 270), words))
}
