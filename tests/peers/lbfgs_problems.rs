//! Serves the test problems over standard input and output, for `scipy_lbfgs.py`.
//!
//! First a line per problem: name, n, plateau, start. Then for every request (u32 index, n f64) an answer (f, g).

#[path = "../support/learning.rs"]
mod learning;
#[path = "../support/mgh/mod.rs"]
mod mgh;

use gradus::second_order::{LbfgsSettings, Report};
use std::io::{self, Read, Write};

fn serve(problems: &[mgh::Problem]) -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    for p in problems {
        writeln!(output, "{} {} {} {:?}", p.name, p.n(), p.plateau.unwrap_or(f64::NAN), p.start)?;
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

/// A line per problem: name, n, value, gradient, iterations, evaluations, stop reason.
fn solve(problems: &[mgh::Problem], settings: LbfgsSettings<f64>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for p in problems {
        let mut x = p.start.clone();
        let r = settings.minimize(&mut x, |x, g| p.eval(x, g)).unwrap();
        let (name, n, solved) = (p.name, p.n(), p.solved(r.value, r.gradient));
        let Report { value, gradient, iterations, evaluations, stop, .. } = r;
        writeln!(output, "{name} {n} {solved} {value:e} {gradient:e} {iterations} {evaluations} {stop:?}")?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let mut problems = mgh::problems();
    problems.extend(learning::problems());
    if std::env::args().nth(1).is_some_and(|arg| arg == "serve") {
        return serve(&problems);
    }
    let mut settings = LbfgsSettings::new();
    if let Some(curvature) = std::env::args().nth(2) {
        settings.curvature = curvature.parse().expect("a number, the curvature constant");
    }
    solve(&problems, settings)
}
