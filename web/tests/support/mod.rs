//! The server of the page, and a browser driven over the WebDriver protocol.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program that serves the page, on a free port.
pub struct Server {
    process: Child,
    pub address: String,
}

impl Server {
    pub fn start() -> Self {
        let (process, address) = spawn(Command::new(env!("CARGO_BIN_EXE_gradus-web")).arg("0"), "http://");
        Self { process, address: format!("http://{address}") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a program and returns what follows `word` in what it prints first.
fn spawn(command: &mut Command, word: &str) -> (Child, String) {
    let mut process = command.stdout(Stdio::piped()).spawn().expect("the program is installed");
    let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
    let found =
        lines.map_while(Result::ok).find_map(|line| Some(line.split_once(word)?.1.trim().to_string()));
    (process, found.expect("the program says where it listens"))
}

/// A page in a headless Chromium.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: PathBuf,
}

impl Browser {
    pub fn open(address: &str) -> Self {
        let (driver, port) = spawn(Command::new("chromedriver").arg("--port=0"), "successfully on port ");
        let port = port.trim_end_matches('.').parse().expect("a port");
        let profile = std::env::temp_dir().join(format!("gradus-web-{}", std::process::id()));
        let mut browser = Self { driver, port, session: String::new(), profile };
        let profile = format!("--user-data-dir={}", browser.profile.display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1100,1900",
            &profile,
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "SEVERE"},
        }}});
        let session = browser.request("/session", &capabilities);
        browser.session = format!("/session/{}", session["sessionId"].as_str().expect("a session"));
        browser.post("/url", &json!({"url": address}));
        browser
    }

    /// Runs a script in the page, and returns what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Runs a script again and again until it returns something.
    pub fn wait(&self, script: &str) {
        let start = Instant::now();
        while matches!(self.run(script).as_str(), None | Some("")) {
            let complaints = self.complaints();
            assert!(start.elapsed() < Duration::from_secs(120), "nothing from {script}: {complaints}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The text of an element.
    pub fn text(&self, id: &str) -> String {
        let text = self.run(&format!("return document.getElementById({id:?}).textContent"));
        text.as_str().expect("text").into()
    }

    /// Presses the mouse on an element, moves it along points counted from its middle, and lets go.
    pub fn drag(&self, id: &str, points: &[[i32; 2]]) {
        let element = self.run(&format!(
            "const e = document.getElementById({id:?}); e.scrollIntoView({{block: 'center'}}); return e"
        ));
        let to = |&[x, y]: &[i32; 2]| json!({"type": "pointerMove", "duration": 0, "origin": element, "x": x, "y": y});
        let mut actions = Vec::from_iter(points.iter().map(to));
        actions.insert(1, json!({"type": "pointerDown", "button": 0}));
        actions.push(json!({"type": "pointerUp", "button": 0}));
        self.post("/actions", &json!({"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]}));
    }

    /// Errors in the page's console.
    pub fn complaints(&self) -> Value {
        self.post("/se/log", &json!({"type": "browser"}))
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        self.request(&format!("{}{command}", self.session), body)
    }

    fn request(&self, path: &str, body: &Value) -> Value {
        let answer = self.send(path, body).expect("the driver answers");
        assert!(answer["error"].is_null(), "{path} {body}: {answer}");
        answer
    }

    fn send(&self, path: &str, body: &Value) -> Result<Value, minreq::Error> {
        let answer = minreq::post(self.url(path)).with_json(body)?.send()?;
        Ok(answer.json::<Value>()?["value"].take())
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = minreq::delete(self.url(&self.session)).with_timeout(20).send(); // closes the browser, also after a failure
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
