//! Snapshots of the code of key constructs.

use crate::compile;
use harn_bytecode::{Module, disassemble};
use harn_types::graph::{SourceLoader, load_text};

/// No files: every test is one text.
struct Nothing;

impl SourceLoader for Nothing {
    fn read(&mut self, path: &str) -> Result<String, String> {
        Err(format!("no {path}"))
    }
    fn canonical(&mut self, _path: &str) -> Option<String> {
        None
    }
    fn is_file(&mut self, _path: &str) -> bool {
        false
    }
    fn exists(&mut self, _path: &str) -> bool {
        false
    }
    fn std_module(&self, _name: &str) -> Option<&'static str> {
        None
    }
}

fn module(text: &str) -> Module {
    let graph = load_text("test.harn", text.to_owned(), &mut Nothing);
    let parsed = &graph.modules[graph.entry.0 as usize].parsed;
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    compile(&graph, graph.entry).unwrap()
}

/// The instructions of all functions, without pools and line numbers.
fn code(text: &str) -> String {
    disassemble(&module(text))
}

#[test]
fn scratch() {
    if let Ok(path) = std::env::var("HARN_SCRATCH") {
        println!("{}", code(&std::fs::read_to_string(path).unwrap()));
    }
}

#[test]
fn every_example_compiles() {
    let Ok(root) = std::env::var("HARN_EXAMPLES") else { return };
    for path in files(std::path::Path::new(&root)) {
        let text = std::fs::read_to_string(&path).unwrap();
        let graph = load_text("test.harn", text, &mut Nothing);
        let parsed = &graph.modules[graph.entry.0 as usize].parsed;
        if !parsed.diagnostics.is_empty() {
            println!("{}: does not parse", path.display());
            continue;
        }
        match compile(&graph, graph.entry) {
            Ok(module) => {
                let _ = disassemble(&module);
            }
            Err(errors) => {
                println!("{}: {:?}", path.display(), errors.iter().map(|e| &e.message).collect::<Vec<_>>())
            }
        }
    }
}

fn files(path: &std::path::Path) -> Vec<std::path::PathBuf> {
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().flat_map(|entry| files(&entry.unwrap().path())).collect()
    } else if path.extension().is_some_and(|extension| extension == "harn") {
        vec![path.to_path_buf()]
    } else {
        Vec::new()
    }
}
