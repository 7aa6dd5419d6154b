//! Serves the page to this machine alone: `cargo run --release [-- PORT]`.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(8000), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    println!("http://{}/", listener.local_addr()?);
    for stream in listener.incoming() {
        // Browsers open connections in advance and keep them: a thread each.
        std::thread::spawn(|| {
            if let Err(error) = stream.and_then(answer) {
                eprintln!("{error}"); // one that goes away is no reason to stop
            }
        });
    }
    Ok(())
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
        "/gradus.wasm" => return Some((wasm()?, "application/wasm")),
        _ => return None,
    };
    Some((Path::new(env!("CARGO_MANIFEST_DIR")).join("page").join(name), kind))
}

/// Where `cargo wasm` leaves the module: beside this program's own folder.
fn wasm() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let target = program.parent()?.parent()?;
    Some(target.join("wasm32-unknown-unknown/release/gradus_web.wasm"))
}

fn named(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error} (run `cargo wasm` first?)", path.display()))
}
