//! The server says what is missing, and does not start without it.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

const SERVER: &str = env!("CARGO_BIN_EXE_gradus-web");

/// What the server says where it refuses to start.
fn refusal(program: impl AsRef<Path>, port: &str) -> String {
    let mut process = Command::new(program.as_ref())
        .arg(port)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut address = String::new();
    let read = BufReader::new(process.stdout.take().expect("piped")).read_line(&mut address);
    if read.expect("text") > 0 {
        let _ = process.kill();
    }
    let out = process.wait_with_output().expect("it ends");
    assert_eq!((address.as_str(), out.status.code()), ("", Some(1)));
    String::from_utf8(out.stderr).expect("text")
}

#[test]
fn a_taken_port_is_named_and_how_to_choose_another() {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = other.local_addr().expect("it listens").port().to_string();
    let why = refusal(SERVER, &port);
    assert!(why.starts_with(&format!("port {port}: ")) && why.contains("-- PORT"), "{why}");
    assert!(refusal(SERVER, "http").starts_with("http: not a port"));
}

#[test]
fn without_the_module_it_names_the_command_that_builds_it() {
    // The module lies beside the program's own folder. A link, no copy: a file that is open to be written while another
    // test starts a process cannot be run.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("server-{}", std::process::id()));
    let program = target.join("release/gradus-web");
    std::fs::create_dir_all(target.join("release")).expect("a folder");
    std::fs::hard_link(SERVER, &program).expect("another name of the program");
    let why = refusal(&program, "0");
    assert!(why.contains("gradus_web.wasm") && why.contains("`cargo wasm`"), "{why}");
    std::fs::remove_dir_all(target).expect("it was there");
}
