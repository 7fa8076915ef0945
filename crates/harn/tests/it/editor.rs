//! `harn lsp` under real clients: `tests/editor/` (pytest-lsp) and Neovim.

use std::path::PathBuf;
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_feature_works_for_a_client() {
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root().join("target"), PathBuf::from);
    let python = target.join("editor_venv/bin/python");
    assert!(
        target.join("editor_venv/requirements.txt").exists(),
        "{} is missing: run tests/editor/setup.sh first",
        python.display()
    );
    let output = Command::new(python)
        .args(["-B", "-m", "pytest", "-x"])
        .current_dir(root().join("tests/editor"))
        .env("HARN_BIN", env!("CARGO_BIN_EXE_harn"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn neovim_shows_diagnostics_hover_and_definition() {
    let project = tempfile::tempdir().unwrap();
    let file = project.path().join("main.harn");
    let text = "fn double(n) { return n * 2 }\n\nprintln(double(2))\n\nlet spare = 1\n\nprintln(double(3))\n";
    std::fs::write(&file, text).unwrap();
    let output = Command::new("nvim")
        .args(["--headless", "--clean", "-c"])
        .arg(format!("luafile {}", root().join("tests/editor/smoke.lua").display()))
        .env("HARN_BIN", env!("CARGO_BIN_EXE_harn"))
        .env("SMOKE_FILE", &file)
        .env("HOME", project.path())
        .output()
        .unwrap_or_else(|why| panic!("nvim does not start ({why}): run tests/editor/setup.sh first"));
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.lines().next() == Some("ok"), "{said}{errors}");
}
