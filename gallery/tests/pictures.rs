//! Every picture of the manual has the one style: words for a screen reader, and colours by day and by night.

use std::path::Path;

#[test]
fn pictures_have_words_and_two_themes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut pictures = 0;
    for entry in folder.read_dir().expect("the folder of the pictures") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|kind| kind != "svg") {
            continue;
        }
        let svg = std::fs::read_to_string(&path).expect("a text");
        let words = svg.split_once("role=\"img\" aria-label=\"").and_then(|(_, rest)| rest.split_once('"'));
        let words = words.unwrap_or_else(|| panic!("{} has no words", path.display())).0;
        assert!(words.split_whitespace().count() >= 8, "{}: {words}", path.display());
        assert!(svg.contains("light-dark("), "{} has no colours by night", path.display());
        assert!(svg.len() < 60_000, "{} is large for a page: {}", path.display(), svg.len());
        pictures += 1;
    }
    assert!(pictures >= 22, "{pictures}");
}
