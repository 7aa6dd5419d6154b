//! Serves the page to this machine alone: `cargo run --release [-- PORT]`.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tiny_http::{Header, Request, Response, Server};

fn main() -> ExitCode {
    let server = match listen() {
        Ok(server) => server,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    for request in server.incoming_requests() {
        if let Err(error) = answer(request) {
            eprintln!("{error}"); // a browser that goes away is no reason to stop
        }
    }
    ExitCode::SUCCESS
}

/// Opens the port and prints the page's address, or tells what is missing.
fn listen() -> Result<Server, String> {
    let word = std::env::args().nth(1).unwrap_or("8000".into());
    let port: u16 = word.parse().map_err(|_| format!("{word}: not a port, which is a number up to 65535"))?;
    let module = wasm();
    if !module.is_file() {
        return Err(format!("{}: not there; run `cargo wasm` first", module.display()));
    }
    let refused = |error| format!("port {port}: {error}; for another one, `cargo run --release -- PORT`");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refused)?;
    println!("http://{}/", listener.local_addr().map_err(refused)?);
    Server::from_listener(listener, None).map_err(|error| error.to_string())
}

fn answer(request: Request) -> std::io::Result<()> {
    let Some((path, kind)) = page(request.url().split('?').next().unwrap_or_default()) else {
        return request.respond(Response::from_string("not here").with_status_code(404));
    };
    let response = match fs::read(&path) {
        Ok(body) => Response::from_data(body)
            .with_header(header("Content-Type", kind))
            .with_header(header("Cache-Control", "no-store")),
        Err(error) => Response::from_string(format!("{}: {error}", path.display())).with_status_code(500),
    };
    request.respond(response)
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("names and values of this program are ASCII")
}

/// The files of the page: no path of a request ever reaches the file system.
fn page(target: &str) -> Option<(PathBuf, &'static str)> {
    let (name, kind) = match target {
        "/" => ("index.html", "text/html; charset=utf-8"),
        "/style.css" => ("style.css", "text/css"),
        "/wasm.js" => ("wasm.js", "text/javascript"),
        "/main.js" => ("main.js", "text/javascript"),
        "/race.js" => ("race.js", "text/javascript"),
        "/digits.js" => ("digits.js", "text/javascript"),
        "/lecture.js" => ("lecture.js", "text/javascript"),
        "/noise.js" => ("noise.js", "text/javascript"),
        "/gradus.wasm" => return Some((wasm(), "application/wasm")),
        _ => return None,
    };
    Some((Path::new(env!("CARGO_MANIFEST_DIR")).join("page").join(name), kind))
}

/// Where `cargo wasm` leaves the module: beside this program's own folder.
fn wasm() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(2).unwrap_or(Path::new(""));
    target.join("wasm32-unknown-unknown/release/gradus_web.wasm")
}
