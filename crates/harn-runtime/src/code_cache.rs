//! Compiled programs kept between runs.
//!
//! An entry is found by the entry file's path and text. It holds every answer that the loader gave while the module
//! graph was built: when each question is answered the same way now, the graph would come out the same, and so would
//! the checks and the code. Entries of another compiler must not be offered: that is the store's part (see
//! [`CodeCache`]). Bytes that were changed are refused by their checksum, and the verifier looks at all code anyway.

use harn_bytecode::Module;
use harn_bytecode::file::{decode, encode};
use harn_syntax::{Diagnostic, Severity, Source, Span};
use harn_types::graph::{self, ModuleGraph, ModuleIndex, Origin, SourceLoader};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

/// Where compiled programs are kept. One store serves one compiler: another build must not see what this one put.
pub trait CodeCache: std::fmt::Debug {
    /// What was put under this key, if it is still there. The key is hexadecimal.
    fn get(&self, key: &str) -> Option<Vec<u8>>;
    /// Keeps the bytes; failing to is no error.
    fn put(&self, key: &str, bytes: &[u8]);
}

/// A program that passed the front end.
pub(crate) struct Compiled {
    pub graph: ModuleGraph,
    pub warnings: Vec<(ModuleIndex, Diagnostic)>,
    /// One for each module of the graph, in its order.
    pub modules: Vec<Module>,
}

/// Programs with less text than this are compiled faster than they are written.
const WORTH: usize = 4096;

/// Kind of question, question, answer.
type Answer = (u8, (String, Option<String>));
/// Key, path as shown, origin, code.
type Part = ((String, String), (u8, Module));
/// Module, code and message, span, label and help.
type Remark = (u32, ((String, String), ((u32, u32), (Option<String>, Option<String>))));
type Entry = (Vec<Answer>, (Vec<Part>, Vec<Remark>));

const READ: u8 = 0;
const CANONICAL: u8 = 1;
const IS_FILE: u8 = 2;
const EXISTS: u8 = 3;

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut out = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The key of a program.
pub(crate) fn program_key(path: &str, text: &str) -> String {
    digest(&[b"program", path.as_bytes(), text.as_bytes()])
}

fn seal(payload: &[u8]) -> Vec<u8> {
    let mut bytes = digest(&[payload]).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

fn unseal(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, payload) = bytes.split_at_checked(64)?;
    (digest(&[payload]).as_bytes() == sum).then_some(payload)
}

/// A loader that writes down what it is asked.
pub(crate) struct Recorder<'a> {
    pub loader: &'a mut dyn SourceLoader,
    answers: Vec<Answer>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(loader: &'a mut dyn SourceLoader) -> Self {
        Recorder { loader, answers: Vec::new() }
    }

    fn note(&mut self, kind: u8, path: &str, answer: Option<String>) {
        self.answers.push((kind, (path.to_owned(), answer)));
    }
}

fn flag(yes: bool) -> Option<String> {
    yes.then(String::new)
}

fn text_sum(text: Option<&str>) -> Option<String> {
    text.map(|text| digest(&[text.as_bytes()]))
}

impl SourceLoader for Recorder<'_> {
    fn read(&mut self, path: &str) -> Result<String, String> {
        let text = self.loader.read(path);
        self.note(READ, path, text_sum(text.as_deref().ok()));
        text
    }

    fn canonical(&mut self, path: &str) -> Option<String> {
        let found = self.loader.canonical(path);
        self.note(CANONICAL, path, found.clone());
        found
    }

    fn is_file(&mut self, path: &str) -> bool {
        let found = self.loader.is_file(path);
        self.note(IS_FILE, path, flag(found));
        found
    }

    fn exists(&mut self, path: &str) -> bool {
        let found = self.loader.exists(path);
        self.note(EXISTS, path, flag(found));
        found
    }

    fn std_module(&self, name: &str) -> Option<&'static str> {
        self.loader.std_module(name)
    }
}

/// Keeps a program, when it is worth it.
pub(crate) fn keep(cache: &dyn CodeCache, key: &str, recorder: Recorder<'_>, compiled: &Compiled) {
    let size: usize = compiled
        .graph
        .modules
        .iter()
        .filter(|module| module.origin != Origin::Std)
        .map(|module| module.source.text().len())
        .sum();
    let known = |(_, d): &(ModuleIndex, Diagnostic)| harn_types::codes::lookup(d.code).is_some();
    if size < WORTH || !compiled.warnings.iter().all(known) {
        return;
    }
    let parts = compiled
        .graph
        .modules
        .iter()
        .zip(&compiled.modules)
        .map(|(module, code)| {
            let origin = match module.origin {
                Origin::Entry => 0,
                Origin::File => 1,
                Origin::Std => 2,
            };
            ((module.key.to_string(), module.source.path().to_owned()), (origin, code.clone()))
        })
        .collect();
    let remarks = compiled
        .warnings
        .iter()
        .map(|(index, d)| {
            let about = ((d.span.start, d.span.end), (d.label.clone(), d.help.clone()));
            (index.0, ((d.code.to_owned(), d.message.clone()), about))
        })
        .collect();
    let entry: Entry = (recorder.answers, (parts, remarks));
    cache.put(key, &seal(&encode(&entry)));
}

/// The program under the key, when everything it was made of is still the same. The trees of its graph are empty.
pub(crate) fn find(
    cache: &dyn CodeCache,
    key: &str,
    text: &str,
    loader: &mut dyn SourceLoader,
) -> Option<Compiled> {
    let bytes = cache.get(key)?;
    let (answers, (parts, remarks)): Entry = decode(unseal(&bytes)?)?;
    let mut texts: HashMap<String, String> = HashMap::new();
    for (kind, (path, answer)) in answers {
        let now = match kind {
            READ => {
                let text = loader.read(&path).ok();
                let sum = text_sum(text.as_deref());
                if let Some(text) = text {
                    texts.insert(path, text);
                }
                sum
            }
            CANONICAL => loader.canonical(&path),
            IS_FILE => flag(loader.is_file(&path)),
            EXISTS => flag(loader.exists(&path)),
            _ => return None,
        };
        if now != answer {
            return None;
        }
    }
    let mut graph = ModuleGraph { modules: Vec::new(), entry: ModuleIndex(0), start_errors: Vec::new() };
    let mut modules = Vec::new();
    for ((key, shown), (origin, code)) in parts {
        let (origin, text) = match origin {
            0 => {
                graph.entry = ModuleIndex(graph.modules.len() as u32);
                (Origin::Entry, text.to_owned())
            }
            1 => (Origin::File, texts.remove(&shown)?),
            _ => (Origin::Std, loader.std_module(key.strip_prefix("std/")?)?.to_owned()),
        };
        graph.modules.push(graph::Module {
            key: key.as_str().into(),
            origin,
            source: Source::new(shown, text),
            parsed: harn_syntax::parse(&Source::new("", "")).into(),
            imports: Vec::new(),
            imported: HashMap::new(),
            exports: BTreeMap::new(),
            items: HashMap::new(),
        });
        modules.push(code);
    }
    let mut warnings = Vec::new();
    for (index, ((code, message), ((start, end), (label, help)))) in remarks {
        let code = harn_types::codes::lookup(&code)?.code;
        let severity = Severity::Warning;
        let span = Span { start, end };
        warnings.push((ModuleIndex(index), Diagnostic { severity, code, message, span, label, help }));
    }
    Some(Compiled { graph, warnings, modules })
}

/// A library module, from the cache or compiled by `compile` and kept.
pub(crate) fn library(
    cache: Option<&dyn CodeCache>,
    key: &str,
    compile: impl FnOnce() -> Result<Module, String>,
) -> Result<Module, String> {
    let Some(cache) = cache else { return compile() };
    let name = digest(&[b"library", key.as_bytes()]);
    if let Some(bytes) = cache.get(&name)
        && let Some(module) = unseal(&bytes).and_then(decode)
    {
        return Ok(module);
    }
    let module = compile()?;
    cache.put(&name, &seal(&encode(&module)));
    Ok(module)
}
