//! The mistakes that newcomers make most, each a program in `tests/mistakes/`: every one is told with its mend.

use crate::place::Place;

#[test]
fn every_likely_mistake_is_told_with_its_mend() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mistakes");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20, "{}", files.len());
    let place = Place::new();
    place.file("lib.harn", "/** A path. */\npub fn join_path(a) {\n  return a\n}\n");
    let mut all = String::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        place.file(&name, std::fs::read(&file).unwrap());
        let told = place.harn(&["check", &name]).err();
        let first = told.split("\nwarning:").next().unwrap_or_default();
        assert!(first.contains("= help:"), "{name} has no mend:\n{told}");
        all.push_str(&told);
        all.push('\n');
    }
    insta::assert_snapshot!(all);
}
