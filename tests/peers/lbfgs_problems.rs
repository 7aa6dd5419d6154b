//! Serves the test problems over standard input and output, for `scipy_lbfgs.py`.
//!
//! First a line per problem: name, n, plateau, weight and reach of an L1 penalty, then start, lower and upper bounds, each
//! empty where there are none. Then for every request (u32 index, n f64) an answer (f, g).

#[path = "../support/learning.rs"]
mod learning;
#[path = "../support/mgh/mod.rs"]
#[allow(dead_code, reason = "for the tests")]
mod mgh;

use gradus::second_order::{LbfgsSettings, LbfgsVec, Report};
use std::io::{self, Read, Write};

fn serve(problems: &[mgh::Problem]) -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    for p in problems {
        let none = mgh::Bounds { name: "none", lower: Vec::new(), upper: Vec::new() };
        let mgh::Bounds { name: kind, lower, upper } = p.bounds.as_ref().unwrap_or(&none);
        let (plateau, (l1, reach)) = (p.plateau.unwrap_or(f64::NAN), p.l1);
        let (name, n, start) = (p.name, p.n(), &p.start);
        writeln!(output, "{name} {n} {plateau} {kind} {l1} {reach} {start:?};{lower:?};{upper:?}")?;
    }
    writeln!(output)?;
    output.flush()?;
    let mut index = [0; 4];
    while input.read_exact(&mut index).is_ok() {
        let problem = &problems[u32::from_le_bytes(index) as usize];
        let mut bytes = vec![0; 8 * problem.n()];
        input.read_exact(&mut bytes)?;
        let x: Vec<f64> = bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
        let mut g = vec![0.0; x.len()];
        let f = problem.eval(&x, &mut g);
        g.insert(0, f);
        output.write_all(&g.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())?;
        output.flush()?;
    }
    Ok(())
}

/// A line per problem: name, n, value, gradient, iterations, evaluations, stop reason. Starts are multiplied
/// by `scale`.
fn solve(problems: &[mgh::Problem], settings: LbfgsSettings<f64>, scale: f64) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for p in problems {
        let mut x: Vec<f64> = p.start.iter().map(|x| x * scale).collect();
        let mut solver = LbfgsVec::new(p.n()).settings(settings).l1(p.l1.0, ..p.l1.1);
        let r = match &p.bounds {
            Some(bounds) => solver.bounds(&bounds.lower, &bounds.upper).minimize(&mut x, |x, g| p.eval(x, g)),
            None => solver.minimize(&mut x, |x, g| p.eval(x, g)),
        };
        let r = r.expect("good arguments");
        let (name, n, solved) = (p.name, p.n(), p.solved(r.value, r.gradient));
        let Report { value, gradient, iterations, evaluations, stop, .. } = r;
        writeln!(output, "{name} {n} {solved} {value:e} {gradient:e} {iterations} {evaluations} {stop:?}")?;
    }
    Ok(())
}

fn unbounded() -> Vec<mgh::Problem> {
    let mut problems = mgh::problems();
    problems.extend(learning::problems());
    problems
}

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (command, set) = (args.next(), args.next());
    let problems = match set.as_deref() {
        Some("bounded") => mgh::bounded(unbounded),
        Some("sparse") => learning::sparse_problems(),
        _ => unbounded(),
    };
    if command.is_some_and(|command| command == "serve") {
        return serve(&problems);
    }
    let mut number = || args.next().map(|arg| arg.parse().expect("a number"));
    let mut settings = LbfgsSettings::new();
    settings.curvature = number().unwrap_or(settings.curvature);
    let scale = number().unwrap_or(1.0);
    settings.tolerance = number().unwrap_or(settings.tolerance);
    solve(&problems, settings, scale)
}
