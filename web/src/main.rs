//! Serves the page to this machine alone: `cargo run --release [-- PORT]`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let listener = match listen() {
        Ok(listener) => listener,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    for stream in listener.incoming() {
        // Browsers open connections in advance and keep them: a thread each.
        std::thread::spawn(|| {
            if let Err(error) = stream.and_then(answer) {
                eprintln!("{error}"); // one that goes away is no reason to stop
            }
        });
    }
    ExitCode::SUCCESS
}

/// Opens the port and prints the page's address, or tells what is missing.
fn listen() -> Result<TcpListener, String> {
    let word = std::env::args().nth(1).unwrap_or("8000".into());
    let port: u16 = word.parse().map_err(|_| format!("{word}: not a port, which is a number up to 65535"))?;
    let module = wasm();
    if !module.is_file() {
        return Err(format!("{}: not there; run `cargo wasm` first", module.display()));
    }
    let refused = |error| format!("port {port}: {error}; for another one, `cargo run --release -- PORT`");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refused)?;
    println!("http://{}/", listener.local_addr().map_err(refused)?);
    Ok(listener)
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let target = request.split(' ').nth(1).unwrap_or_default();
    let (status, kind, body) = match page(target.split('?').next().unwrap_or_default()) {
        Some((path, kind)) => ("200 OK", kind, fs::read(&path).map_err(|e| named(&path, &e))?),
        None => ("404 Not Found", "text/plain", b"not here".to_vec()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)
}

/// The files of the page: no path of a request ever reaches the file system.
fn page(target: &str) -> Option<(PathBuf, &'static str)> {
    let (name, kind) = match target {
        "/" => ("index.html", "text/html; charset=utf-8"),
        "/style.css" => ("style.css", "text/css"),
        "/wasm.js" => ("wasm.js", "text/javascript"),
        "/race.js" => ("race.js", "text/javascript"),
        "/digits.js" => ("digits.js", "text/javascript"),
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

fn named(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
