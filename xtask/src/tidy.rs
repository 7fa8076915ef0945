//! The rules of the house that a machine can check.

#![allow(clippy::disallowed_methods, reason = "a chore of the repository reads its files")]

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A broken rule and where.
pub struct Finding {
    file: PathBuf,
    line: usize,
    rule: &'static str,
    detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file.display(), self.line, self.rule, self.detail)
    }
}

/// Lines above which a source file must have a reason to be one file.
const LINES_PER_FILE: usize = 1000;

/// Files that may hold `unsafe`: the value and interpreter modules of the VM (law 8).
pub const UNSAFE_ROOMS: &[&str] = &["crates/harn-vm/src/value", "crates/harn-vm/src/interp"];

/// Left-overs that must not land, outside tests.
const LEFT_OVERS: &[&str] = &["todo!(", "unimplemented!(", "dbg!(", "#[ignore", "allow(dead_code"];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "stuff"];

/// Checks the repository under `root`; an empty list means the house is in order.
pub fn check(root: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_floors(root, &mut findings);
    for file in sources(root) {
        check_source(root, &file, &mut findings);
    }
    findings
}

/// A crate's floor and the workspace crates it imports in normal builds.
struct Manifest {
    path: PathBuf,
    floor: Option<u32>,
    imports: Vec<(usize, String)>,
}

fn check_floors(root: &Path, findings: &mut Vec<Finding>) {
    let manifests = manifests(root);
    for (name, manifest) in &manifests {
        let finding = |line, detail| Finding { file: manifest.path.clone(), line, rule: "floors", detail };
        let Some(floor) = manifest.floor else {
            findings.push(finding(1, "states no floor in [package.metadata.harn]".to_owned()));
            continue;
        };
        for (line, import) in &manifest.imports {
            let below = manifests.get(import).and_then(|m| m.floor);
            if below.is_none_or(|below| below >= floor) {
                findings.push(finding(
                    *line,
                    format!("{name} (floor {floor}) may not import {import} ({below:?})"),
                ));
            }
        }
    }
}

fn manifests(root: &Path) -> BTreeMap<String, Manifest> {
    let crates = fs::read_dir(root.join("crates")).into_iter().flatten().flatten().map(|entry| entry.path());
    crates
        .filter_map(|dir| {
            let path = dir.join("Cargo.toml");
            let text = fs::read_to_string(&path).ok()?;
            let name = dir.file_name()?.to_string_lossy().into_owned();
            let relative = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
            Some((name, read_manifest(relative, &text)))
        })
        .collect()
}

/// Reads the few lines of a manifest that the rules need; the manifests of this workspace are written one key a line.
fn read_manifest(path: PathBuf, text: &str) -> Manifest {
    let mut manifest = Manifest { path, floor: None, imports: Vec::new() };
    let mut section = "";
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim();
        } else if section == "[package.metadata.harn]" {
            if let Some(floor) = line.strip_prefix("floor = ") {
                manifest.floor = floor.trim().parse().ok();
            }
        } else if section == "[dependencies]" {
            let key = line.split(['.', ' ', '=']).next().unwrap_or("");
            if key.starts_with("harn") {
                manifest.imports.push((index + 1, key.to_owned()));
            }
        }
    }
    manifest
}

/// The Rust files of the crates, in order.
pub fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![root.join("crates")];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    pending.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn check_source(root: &Path, path: &Path, findings: &mut Vec<Finding>) {
    let relative = path.strip_prefix(root).unwrap_or(path).to_path_buf();
    let shown = relative.to_string_lossy().replace('\\', "/");
    let Ok(text) = fs::read_to_string(path) else {
        findings.push(Finding {
            file: relative,
            line: 1,
            rule: "utf-8",
            detail: "not readable as text".to_owned(),
        });
        return;
    };
    let mut find =
        |line, rule, detail: String| findings.push(Finding { file: relative.clone(), line, rule, detail });
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem.as_str()) {
        find(1, "names", format!("`{stem}` does not say what is inside"));
    }
    let lines = text.lines().count();
    if lines > LINES_PER_FILE {
        find(1, "size", format!("{lines} lines; more than {LINES_PER_FILE}, does it have two subjects?"));
    }
    let is_test = shown.contains("/tests/") || shown.ends_with("tests.rs");
    let may_be_unsafe = UNSAFE_ROOMS.iter().any(|room| shown.starts_with(room));
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        if !may_be_unsafe
            && (code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl"))
        {
            find(index + 1, "unsafe", "only the VM's value and interpreter modules may".to_owned());
        }
        if !is_test {
            for left_over in LEFT_OVERS.iter().filter(|left_over| code.contains(**left_over)) {
                find(index + 1, "left-over", format!("`{left_over}`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_in_order() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let findings = check(&root);
        let text: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert!(text.is_empty(), "{}", text.join("\n"));
    }

    #[test]
    fn a_manifest_shows_its_floor_and_its_imports() {
        let text = "[package]\nname = \"a\"\n[package.metadata.harn]\nfloor = 3\n[dependencies]\nharn-vm.workspace = true\nserde.workspace = true\n[dev-dependencies]\nharn-sim.workspace = true\n";
        let manifest = read_manifest(PathBuf::from("Cargo.toml"), text);
        assert_eq!(manifest.floor, Some(3));
        assert_eq!(manifest.imports, vec![(6, "harn-vm".to_owned())]);
    }
}
