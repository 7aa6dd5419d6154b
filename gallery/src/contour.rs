//! Filled contours: the sublevel sets of a function as closed polygons (marching squares).

use std::collections::HashMap;

/// Cells in each direction: enough for smooth curves, few enough for small files.
const CELLS: usize = 64;

/// Values of a function on a grid over a window, with a rim of infinity that closes every contour.
pub struct Grid {
    window: [f64; 4],
    values: Vec<f64>,
}

/// An edge of the grid: the node at its lower end, and whether it goes up from there.
type Edge = (usize, bool);

impl Grid {
    pub fn new(window: [f64; 4], f: impl Fn(f64, f64) -> f64) -> Self {
        let mut grid = Self { window, values: vec![f64::INFINITY; (CELLS + 3) * (CELLS + 3)] };
        for row in 1..CELLS + 2 {
            for column in 1..CELLS + 2 {
                let (x, y) = grid.place(column as f64, row as f64);
                grid.values[row * (CELLS + 3) + column] = f(x, y);
            }
        }
        grid
    }

    /// `n` levels that cut the window into bands of equal area.
    pub fn levels(&self, n: usize) -> Vec<f64> {
        let mut sorted: Vec<f64> = self.values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        (1..=n).map(|i| sorted[i * sorted.len() / (n + 1)]).collect()
    }

    /// The borders of `{f <= level}`.
    pub fn sublevel(&self, level: f64) -> Vec<Vec<(f64, f64)>> {
        let mut next: HashMap<Edge, Edge> = HashMap::new();
        for row in 0..CELLS + 2 {
            for column in 0..CELLS + 2 {
                self.cell(row * (CELLS + 3) + column, level, &mut next);
            }
        }
        let mut loops = Vec::new();
        while let Some(&first) = next.keys().min() {
            let (mut points, mut edge) = (Vec::new(), first);
            while let Some(following) = next.remove(&edge) {
                points.push(self.crossing(edge, level));
                edge = following;
            }
            loops.push(points);
        }
        loops
    }

    /// Adds the pieces of the border inside of one cell, with the lower values on their left.
    fn cell(&self, node: usize, level: f64, next: &mut HashMap<Edge, Edge>) {
        // Corners and the edges after them, counterclockwise.
        let corners = [node, node + 1, node + CELLS + 4, node + CELLS + 3];
        let edges = [(node, false), (node + 1, true), (node + CELLS + 3, false), (node, true)];
        let low = corners.map(|corner| self.values[corner] <= level);
        for leave in 0..4 {
            if low[leave] && !low[(leave + 1) % 4] {
                // The border enters where the corners turn low again.
                let enter = (1..4).map(|k| (leave + k) % 4).find(|&k| !low[k] && low[(k + 1) % 4]);
                next.insert(edges[leave], edges[enter.expect("corner `leave` is low")]);
            }
        }
    }

    /// Where the border crosses an edge: linear interpolation, or the inner end at the rim.
    fn crossing(&self, (node, up): Edge, level: f64) -> (f64, f64) {
        let other = node + if up { CELLS + 3 } else { 1 };
        let (a, b) = (self.values[node], self.values[other]);
        let share = match (a.is_finite(), b.is_finite()) {
            (true, true) => (level - a) / (b - a),
            (true, false) => 0.0,
            _ => 1.0,
        };
        let (column, row) = ((node % (CELLS + 3)) as f64, (node / (CELLS + 3)) as f64);
        if up { self.place(column, row + share) } else { self.place(column + share, row) }
    }

    fn place(&self, column: f64, row: f64) -> (f64, f64) {
        let [left, right, bottom, top] = self.window;
        let at = |low: f64, high: f64, i: f64| low + (high - low) * (i - 1.0) / CELLS as f64;
        (at(left, right, column), at(bottom, top, row))
    }
}

/// A line with fewer points that stays within `tolerance` of the given one (Ramer, 1972; Douglas
/// and Peucker, 1973), where `size` is the width and height that the tolerance is a share of.
pub fn simplify(line: &[(f64, f64)], size: (f64, f64), tolerance: f64) -> Vec<(f64, f64)> {
    let (&[first, .., last], true) = (line, line.len() > 2) else { return line.to_vec() };
    let vector = |a: (f64, f64), b: (f64, f64)| ((b.0 - a.0) / size.0, (b.1 - a.1) / size.1);
    let (dx, dy) = vector(first, last);
    let length = dx.hypot(dy);
    let distance = |&p: &(f64, f64)| {
        let (x, y) = vector(first, p);
        let along = (x * dx + y * dy) / (length * length);
        // A path may turn back before its first or beyond its last point: nearest point of the segment.
        let along = if length > 0.0 { along.clamp(0.0, 1.0) } else { 0.0 };
        (x - along * dx).hypot(y - along * dy)
    };
    let far = (1..line.len() - 1).max_by(|&i, &j| distance(&line[i]).total_cmp(&distance(&line[j])));
    match far {
        Some(i) if distance(&line[i]) > tolerance => {
            let mut points = simplify(&line[..=i], size, tolerance);
            points.pop();
            points.extend(simplify(&line[i..], size, tolerance));
            points
        }
        _ => vec![first, last],
    }
}
