//! The 35 test functions of Moré, Garbow and Hillstrom, with analytic gradients.
//!
//! J. J. Moré, B. S. Garbow, K. E. Hillstrom: Testing Unconstrained Optimization Software, ACM TOMS 7 (1981) 17-41.
//! Every function is a sum of squares; formulas, data and starting points are the paper's.

mod fixed;
pub mod hessian;
mod variable;

/// Value at `x`; the gradient is written to `g`.
pub type Objective = Box<dyn Fn(&[f64], &mut [f64]) -> f64>;

/// An unconstrained minimisation problem with its standard start.
pub struct Problem {
    pub name: &'static str,
    pub start: Vec<f64>,
    pub objective: Objective,
    /// Published local minima; empty where none is published for this size.
    pub minima: &'static [f64],
    /// A value that is approached at infinity and is no solution.
    pub plateau: Option<f64>,
    /// Where parameters are bounded, and how.
    pub bounds: Option<Bounds>,
    /// The weight of an L1 penalty, and how many of the first parameters it reaches.
    pub l1: (f64, usize),
}

/// Bounds of every parameter, in one of three ways that depend on the start.
pub struct Bounds {
    pub name: &'static str,
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
}

impl Bounds {
    /// The three ways: a box around the start; the start at a bound, lower and upper in turn; and of every three
    /// parameters one that is free, one that is bounded below and one between two bounds.
    pub fn of(start: &[f64]) -> [Self; 3] {
        let inf = f64::INFINITY;
        let around = |i: usize, low: f64, high: f64| {
            let width = 1.0 + start[i].abs();
            (start[i] + low * width, start[i] + high * width)
        };
        let every = |name, bound: &dyn Fn(usize) -> (f64, f64)| {
            let (lower, upper) = (0..start.len()).map(bound).unzip();
            Self { name, lower, upper }
        };
        [
            every("box", &|i| around(i, -0.25, 0.25)),
            every("corner", &|i| if i % 2 == 0 { (start[i], inf) } else { (-inf, start[i]) }),
            every("mixed", &|i| match i % 3 {
                0 => (-inf, inf),
                1 => (around(i, -0.5, 0.0).0, inf),
                _ => around(i, -0.5, 0.1),
            }),
        ]
    }
}

impl Problem {
    pub fn new(
        name: &'static str,
        start: &[f64],
        objective: impl Fn(&[f64], &mut [f64]) -> f64 + 'static,
    ) -> Self {
        Self {
            name,
            start: start.to_vec(),
            objective: Box::new(objective),
            minima: &[],
            plateau: None,
            bounds: None,
            l1: (0.0, 0),
        }
    }

    fn minima(self, minima: &'static [f64]) -> Self {
        Self { minima, ..self }
    }

    pub fn n(&self) -> usize {
        self.start.len()
    }

    pub fn eval(&self, x: &[f64], g: &mut [f64]) -> f64 {
        (self.objective)(x, g)
    }

    /// The gradient is small, and the point is not on a plateau that has its infimum at infinity.
    pub fn solved(&self, f: f64, g_max: f64) -> bool {
        g_max <= 1e-5 && self.plateau.is_none_or(|p| (f - p).abs() > 1e-3 * p)
    }
}

/// Adds squares of residuals and their gradient.
struct Squares<'a> {
    f: f64,
    g: &'a mut [f64],
}

impl<'a> Squares<'a> {
    fn new(g: &'a mut [f64]) -> Self {
        g.fill(0.0);
        Self { f: 0.0, g }
    }

    /// Adds r^2; `d` lists the non-zero partial derivatives of r from index `first` on.
    fn add_at(&mut self, first: usize, r: f64, d: &[f64]) {
        self.f += r * r;
        for (g, d) in self.g[first..].iter_mut().zip(d) {
            *g += 2.0 * r * d;
        }
    }

    fn add(&mut self, r: f64, d: &[f64]) {
        self.add_at(0, r, d);
    }
}

/// Each of `problems` with bounds of three kinds.
pub fn bounded(problems: fn() -> Vec<Problem>) -> Vec<Problem> {
    let kind = |k: usize| {
        problems().into_iter().map(move |p| {
            let bounds = Bounds::of(&p.start).into_iter().nth(k);
            Problem { bounds, minima: &[], ..p }
        })
    };
    (0..3).flat_map(kind).collect()
}

/// All 35 functions at the sizes used for comparing solvers.
pub fn problems() -> Vec<Problem> {
    let mut all = fixed::all();
    all.extend(variable::all());
    all
}
