//! Twenty devices with unlike data learn the digits together, and send weights only: accuracy over the rounds, beside one
//! training with all data in one place.
//!
//! `cargo run --release -p gallery --bin fleet`, and `-- --out DIR`. It writes `fleet.md` and `fleet.svg`; those in `docs/`
//! are what it wrote. The rates were chosen on seed 0, of three or four each, the
//! central one's too; it is not among the seeds of the table.

use clap::Parser;
use digits::training::Score;
use gallery::fleet::{BYTES, DEVICES, Fleet, Learning};
use gradus::{Adam, AnyOptimizer, Epsilon, Momentum, Optimizer, Sgd, Visitor};
use plotters::prelude::*;
use plotters::style::register_font;
use std::error::Error;
use std::path::{Path, PathBuf};

#[derive(Parser)]
#[command(about = "Compares federated training of unlike devices with a central one")]
struct Options {
    /// Rounds
    #[arg(long, default_value_t = 60)]
    rounds: u32,
    /// Repetitions, each with seeds of its own
    #[arg(long, default_value_t = 10)]
    seeds: u64,
    /// First seed
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Directory of fleet.md and fleet.svg
    #[arg(long, default_value = "out")]
    out: PathBuf,
}

const EPOCHS: u32 = 2;

/// What is compared: a name, the server's optimizer or none for the central training, the rate of the training, and how
/// many are awake and lost.
const CONTESTANTS: [(&str, Option<Server>, f32, f32, f32); 6] = [
    ("central", None, 0.02, 1.0, 0.0),
    (LIKE, Some(Server::FedAvg), 0.05, 1.0, 0.0),
    ("FedAvg, all awake", Some(Server::FedAvg), 0.05, 1.0, 0.0),
    ("FedAvg", Some(Server::FedAvg), 0.05, 0.6, 0.1),
    ("FedAvgM", Some(Server::FedAvgM), 0.05, 0.6, 0.1),
    ("FedAdam", Some(Server::FedAdam), 0.05, 0.6, 0.1),
];

/// The fleet whose devices know all classes.
const LIKE: &str = "FedAvg, like data";

#[derive(Clone, Copy)]
enum Server {
    FedAvg,
    FedAvgM,
    FedAdam,
}

/// Runs the fleet of a contestant, whose optimizer has a type of its own.
struct Run<'a>(&'a Fleet);

impl Visitor for Run<'_> {
    type Out = Result<Vec<Score>, gradus::Error>;
    fn visit<O: Optimizer<Family = O>>(self, optimizer: O) -> Self::Out {
        self.0.run(optimizer, |_, _| {})
    }
}

impl Server {
    fn optimizer(self) -> AnyOptimizer {
        match self {
            Self::FedAvg => Sgd::new(1.0).into(),
            Self::FedAvgM => Momentum { rho: 0.7, ..Momentum::new(0.5) }.into(),
            Self::FedAdam => Adam { beta2: 0.99, eps: Epsilon::Outside(1e-2), ..Adam::new(0.05) }.into(),
        }
    }
}

/// Accuracies in percent of one seed, before the first round and after each.
fn curve(server: Option<Server>, fleet: &Fleet) -> Result<Vec<f32>, gradus::Error> {
    let scores = match server {
        None => fleet.central()?,
        Some(server) => server.optimizer().visit(Run(fleet))?,
    };
    Ok(scores.iter().map(|score| 100.0 * score.accuracy).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options { rounds, seeds, first, out } = Options::parse();
    std::fs::create_dir_all(&out)?;
    let mut table = format!(
        "{DEVICES} devices, most with two or three classes; {} epochs of each device's samples a round, {rounds} rounds. \
         Test accuracy in %:\nmean of {seeds} seeds, at the end with their standard deviation. A device receives and \
         sends {} KB a round. Central: as many\nepochs over all samples in one place.\n\n\
         | | awake | lost | rounds to 90 % | to 95 % | after 10 | after {rounds} |\n|---|--:|--:|--:|--:|--:|--:|\n",
        EPOCHS,
        BYTES / 1000,
    );
    let mut means = Vec::new();
    for (name, server, lr, awake, lost) in CONTESTANTS {
        let learning = Learning { lr, epochs: EPOCHS };
        let fleet = |seed| Fleet { seed, rounds, learning, alike: name == LIKE, awake, lost };
        let curves =
            (first..first + seeds).map(|seed| curve(server, &fleet(seed))).collect::<Result<Vec<_>, _>>()?;
        let mean = |round: usize| curves.iter().map(|curve| curve[round]).sum::<f32>() / seeds as f32;
        let mean: Vec<f32> = (0..=rounds as usize).map(mean).collect();
        let reached = |goal: f32| match mean.iter().position(|&accuracy| accuracy >= goal) {
            Some(round) => round.to_string(),
            None => "never".into(),
        };
        let end = mean[rounds as usize];
        let squares: f32 = curves.iter().map(|curve| (curve[rounds as usize] - end).powi(2)).sum();
        let deviation = (squares / (seeds as f32 - 1.0).max(1.0)).sqrt();
        table += &format!(
            "| {name} | {:.0} % | {:.0} % | {} | {} | {:.1} | {end:.1} ± {deviation:.1} |\n",
            100.0 * awake,
            100.0 * lost,
            reached(90.0),
            reached(95.0),
            mean[10.min(rounds as usize)],
        );
        means.push((name, mean));
    }
    print!("{table}");
    std::fs::write(out.join("fleet.md"), table)?;
    draw(&out.join("fleet.svg"), &means)
}

/// Accuracy over the rounds.
fn draw(path: &Path, means: &[(&str, Vec<f32>)]) -> Result<(), Box<dyn Error>> {
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()).map_err(|_| "not a font")?;
    let root = SVGBackend::new(path, (900, 480)).into_drawing_area();
    root.fill(&WHITE)?;
    let rounds = means.iter().map(|(_, mean)| mean.len()).max().unwrap_or(1) as f32 - 1.0;
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .caption("Test accuracy in %, mean of the seeds", ("sans-serif", 22))
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..rounds, 40.0_f32..100.0)?;
    chart
        .configure_mesh()
        .x_desc("round")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .label_style(("sans-serif", 15))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let colors = [0x000000, 0xA0A0A0, 0x96BEF0, 0x1F77DC, 0x2CA02C, 0xD62728].map(|rgb: u32| {
        let [_, red, green, blue] = rgb.to_be_bytes();
        RGBColor(red, green, blue)
    });
    for ((name, mean), color) in means.iter().zip(colors) {
        let points = mean.iter().enumerate().map(|(round, &y)| (round as f32, y)).filter(|(_, y)| *y >= 40.0);
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(3)));
    }
    let labels = chart.configure_series_labels();
    { labels }
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .label_font(("sans-serif", 15))
        .draw()?;
    root.present()?;
    Ok(())
}
