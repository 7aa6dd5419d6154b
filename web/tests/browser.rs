//! Drives the page in a headless Chromium, and compares its bits with this machine's.
//!
//! Needs `chromium` and `chromedriver` on the path, and the module: `cargo wasm`.

mod support;

use gradus_web::{digits, lecture, race};
use serde_json::{Value, json};
use support::{Browser, Server};

/// The bits of the six paths from `start`, with a surface's own settings, as the page sums them up.
fn paths(surface: &Value, index: usize, [x, y]: [f32; 2]) -> String {
    let rates = surface["lr"].as_array().expect("a rate for each rule");
    let steps = surface["steps"].as_u64().expect("steps") as usize;
    let bits = rates.iter().enumerate().fold(0, |bits, (rule, lr)| {
        race::race_path(index, rule, x, y, lr.as_f64().expect("a number") as f32, 0.9, 0.0, steps);
        bits ^ race::race_hash()
    });
    format!("paths {bits:016x}")
}

#[test]
fn the_page_races_trains_and_classifies_with_the_bits_of_this_machine() {
    let server = Server::start();
    let page = Browser::open(&server.address);
    page.wait("return document.getElementById('race-hash').textContent");
    assert_eq!(page.text("level"), "wasm, simd128");

    // The race as it begins, and from where the mouse drags the start.
    let table: Value = serde_json::from_str(&race::table()).expect("the table is JSON");
    let bowl = &table["surfaces"][0];
    let start = page.run("return document.getElementById('land').dataset.start");
    assert_eq!(page.text("race-hash"), paths(bowl, 0, point(&start)));
    page.drag("land", &[[-200, -100], [-150, 50], [120, 80]]);
    let dragged = page.run("return document.getElementById('land').dataset.start");
    assert_ne!(dragged, start);
    assert_eq!(page.text("race-hash"), paths(bowl, 0, point(&dragged)));

    // A race that is over can be played anew, and so can one that is paused.
    let step = || page.run("return Number(document.getElementById('land').dataset.step)").as_u64();
    let goes_on = || page.wait("return document.getElementById('land').dataset.step > 0 ? 'on' : ''");
    page.wait("return document.getElementById('play').textContent === 'Play' ? 'over' : ''");
    assert_eq!(step(), bowl["steps"].as_u64());
    page.run("document.getElementById('play').click()");
    assert_eq!(page.text("play"), "Pause");
    assert!(step() < bowl["steps"].as_u64());
    goes_on();
    page.run("document.getElementById('play').click()");
    assert_eq!(page.text("play"), "Play");
    let paused = step();
    assert_eq!(step(), paused);
    page.run("document.getElementById('again').click()");
    assert_eq!(page.text("play"), "Pause");
    goes_on();

    // Another surface.
    page.run("document.getElementById('surfaces').children[3].click()");
    let valley = &table["surfaces"][3];
    let start = page.run("return document.getElementById('land').dataset.start");
    assert_eq!(page.text("race-hash"), paths(valley, 3, point(&start)));

    // A training in the page, and the same one here.
    page.run("document.getElementById('train').click()");
    page.wait("return document.getElementById('digits-hash').textContent");
    let (rule, lr, drop, epochs, seed) = (5, 0.005, 0.1, 30, 1);
    digits::digits_start(false, rule, lr, drop, epochs, seed);
    for _ in 0..epochs {
        digits::digits_epoch();
    }
    assert_eq!(page.text("digits-hash"), format!("weights {:016x}", digits::digits_hash()));
    let test = digits::digits_accuracy(true);
    assert!(test > 0.95, "{test}");
    assert!(page.text("progress").contains(&format!("{:.1} %", 100.0 * test)));

    // A drawn ring is a zero.
    let ring = (0..=64).map(|i| f64::from(i) / 10.0);
    let ring = Vec::from_iter(ring.map(|a| [(45.0 * a.cos()) as i32, (60.0 * a.sin()) as i32]));
    page.drag("draw", &ring);
    let best =
        page.run("return [...document.getElementById('bars').children].findIndex((row) => row.className)");
    assert_eq!(best, 0);

    // A drawing with the keyboard alone, shift and the arrow keys: it is classified, and said in words.
    page.run("document.getElementById('clear').click(); document.getElementById('draw').focus()");
    page.run(
        "for (const [key, times] of [['Left', 4], ['Down', 8], ['Right', 5]])
           for (let i = 0; i < times; i += 1) document.getElementById('draw').dispatchEvent(
             new KeyboardEvent('keydown', { key: `Arrow${key}`, shiftKey: true, cancelable: true }))",
    );
    let best =
        page.run("return [...document.getElementById('bars').children].findIndex((row) => row.className)");
    assert_eq!(page.text("draw-words"), format!("It takes your drawing for a {best}."));
    page.run("document.getElementById('clear').click()");
    assert_eq!(page.text("draw-words"), "");

    // The convolutional network, for fewer epochs.
    page.run(
        "document.getElementById('digits-network').selectedIndex = 1; document.getElementById('digits-epochs').value = 5;
         document.getElementById('train').click()",
    );
    page.wait("return document.getElementById('digits-hash').textContent");
    digits::digits_start(true, rule, lr, drop, 5, seed);
    for _ in 0..5 {
        digits::digits_epoch();
    }
    assert_eq!(page.text("digits-hash"), format!("weights {:016x}", digits::digits_hash()));

    // The arrow keys move the start of the race, and the tabs.
    let moved = |key: &str, id: &str| {
        page.run(&format!(
            "document.querySelector({id:?}).dispatchEvent(new KeyboardEvent('keydown', {{ key: {key:?}, cancelable: true }}))"
        ));
        page.run("return document.getElementById('land').dataset.start")
    };
    let before = page.run("return document.getElementById('land').dataset.start");
    assert_ne!(moved("ArrowUp", "#land"), before);
    moved("ArrowRight", "#surfaces [aria-selected=true]");
    let first = "return document.getElementById('surfaces').children[0].getAttribute('aria-selected')";
    assert_eq!(page.run(first), "true"); // from the last one on

    // Every question is answered as here, with the numbers that it begins with and with others.
    let questions: Value = serde_json::from_str(&lecture::table()).expect("the table is JSON");
    for (number, question) in questions.as_array().expect("questions").iter().enumerate() {
        page.run(&format!(
            "const s = document.getElementById('lecture-slide'); s.selectedIndex = {number}; s.onchange()"
        ));
        let value = |k: usize| question["sliders"][k]["value"].as_f64().expect("a number") as f32;
        lecture::lecture_run(number, value(0), value(1));
        assert_eq!(page.text("lecture-answer"), lecture::words(), "{question}");
        let bits = page.text("lecture-hash");
        page.run("const i = document.querySelector('#lecture-sliders input'); i.value = i.min; i.oninput()");
        assert_ne!(page.text("lecture-hash"), bits, "{question}");
    }

    // Other strengths show another picture, and a mask tells how much it keeps.
    page.run("const i = document.getElementById('keep'); i.value = 1; i.oninput()");
    assert!(page.text("mask-words").starts_with("Kept: 100 % of the units, 100 % of the weights"));
    let tiles = "return [...document.querySelectorAll('#augmented canvas')].map((c) => c.toDataURL()).join()";
    let before = page.run(tiles);
    page.run("document.getElementById('again-noise').click()");
    assert_ne!(page.run(tiles), before);

    // Nothing that a screen reader passes over in silence.
    let unnamed = "return [...document.querySelectorAll('canvas, button, input, select')].filter((e) => !(e.ariaLabel
        || e.getAttribute('aria-label') || e.textContent || e.closest('label') || e.closest('#mistakes'))).map((e) => e.id).join()";
    assert_eq!(page.run(unnamed), "");

    assert_eq!(page.complaints(), json!([]));
}

/// A point as the page writes it: two numbers with a space between.
fn point(text: &Value) -> [f32; 2] {
    let mut numbers =
        text.as_str().expect("text").split(' ').map(|x| x.parse::<f64>().expect("a number") as f32);
    [numbers.next().expect("x"), numbers.next().expect("y")]
}
