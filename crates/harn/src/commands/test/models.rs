//! How the model calls of a test are answered: by the mock, by fixtures beside the file, by real models whose replies are
//! kept, or by the replies that were kept (spec 09 section 4.1, 07 section 2.5).

use super::runner::Finished;
use crate::modules::DiskModules;
use crate::{session, source};
use harn_llm::tape::{SharedTape, Tape};
use harn_runtime::services::llm::LlmSetup;
use harn_types::graph::SourceLoader;
use std::path::{Path, PathBuf};

/// Who answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The mock; a call of a real model is refused.
    #[default]
    Mock,
    /// Real models, whose replies are kept.
    Record,
    /// The replies that were kept.
    Replay,
}

impl Source {
    /// Its word in the order of a worker.
    pub fn word(self) -> &'static str {
        match self {
            Source::Mock => "mock",
            Source::Record => "record",
            Source::Replay => "replay",
        }
    }

    /// The source of that word.
    pub fn of(word: &str) -> Source {
        match word {
            "record" => Source::Record,
            "replay" => Source::Replay,
            _ => Source::Mock,
        }
    }
}

/// Where the replies of a test file are kept: beside the project's `harn.toml`, or beside the file.
pub fn directory(file: &Path) -> PathBuf {
    Path::new(&session::base_dir(&file.to_string_lossy())).join(".harn-fixtures")
}

/// The fixtures that lie beside a test file: `NAME.llm-mock.jsonl`.
pub fn beside(file: &str) -> String {
    format!("{}.llm-mock.jsonl", file.strip_suffix(".harn").unwrap_or(file))
}

/// How a test's calls are answered, and the tape that is to be kept when it has ended.
pub fn setup(file: &str, source: Source, kept: &Path) -> Result<(LlmSetup, Option<SharedTape>), String> {
    let mut setup = LlmSetup { recording: Some(Default::default()), ..LlmSetup::default() };
    let fixtures = beside(file);
    if DiskModules::new().exists(&fixtures) {
        setup.fixtures = Some(harn_llm::fixture::read(&fixtures, &source::read(&fixtures)?)?);
        return Ok((setup, None));
    }
    let tape = match source {
        Source::Mock => return Ok((setup, None)),
        Source::Record => Tape::recorder(),
        Source::Replay => read(kept)?,
    };
    let tape: SharedTape = std::rc::Rc::new(tape.into());
    setup.tape = Some(tape.clone());
    Ok((setup, Some(tape).filter(|_| source == Source::Record)))
}

/// The tape of a directory; an empty one when there is none, so that the first call says what is missing.
fn read(kept: &Path) -> Result<Tape, String> {
    let mut disk = DiskModules::new();
    let directory = kept.to_string_lossy();
    let names = disk.list(&directory).unwrap_or_default();
    let hashes = names.iter().filter_map(|name| name.strip_suffix(".json"));
    let files = hashes.map(|hash| Ok((hash.to_owned(), source::read(&format!("{directory}/{hash}.json"))?)));
    let files = files.collect::<Result<Vec<_>, String>>()?;
    Tape::player(files).map_err(|problem| format!("{directory}/{problem}"))
}

/// Writes what a tape took down; how many calls that is.
pub fn keep(tape: &SharedTape, kept: &Path) -> Result<usize, String> {
    let mut disk = DiskModules::new();
    let directory = kept.to_string_lossy();
    let mut count = 0;
    for (hash, text) in tape.borrow().files() {
        disk.create_dir(&directory).map_err(|problem| format!("cannot create {directory}: {problem}"))?;
        let path = format!("{directory}/{hash}.json");
        disk.write(&path, &text).map_err(|problem| format!("cannot write {path}: {problem}"))?;
        count += 1;
    }
    Ok(count)
}

/// What `--record` says in the end.
pub fn kept(tests: &[Finished]) -> String {
    match tests.iter().map(|test| test.kept).sum::<u64>() {
        0 => "Nothing to keep: no test asked a real model (HARN_LLM_PROVIDER names one)".to_owned(),
        1 => "The replies to 1 call are in .harn-fixtures/".to_owned(),
        calls => format!("The replies to {calls} calls are in .harn-fixtures/"),
    }
}
