//! What a run of a program on this machine is made of: host, services, event log, identity.

use crate::anchoring;
use crate::project::Settings;
use harn_effect::Host;
use harn_host::RealHost;
use harn_host::presence::Processes;
use harn_host::store::{LogConfig, Wake};
use harn_runtime::log_slot::{LogSlot, Presence};
use harn_runtime::progress::{Progress, Silent};
use harn_runtime::run::Surroundings;
use harn_runtime::service::RunInfo;
use harn_runtime::services::host_call::Bridge;
use harn_runtime::services::llm::LlmSetup;
use harn_runtime::services::{self, Setup};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;

/// One run to be.
pub struct Session {
    /// The id of the run.
    pub run_id: String,
    /// The entry file.
    pub path: String,
    /// The outside world.
    pub host: Box<dyn Host>,
    /// Who watches.
    pub progress: Box<dyn Progress>,
    /// How model calls are answered.
    pub models: LlmSetup,
    /// What the embedding program can be asked; `host` performs it.
    pub bridge: Option<Bridge>,
    /// Environment variables that stand before those of the process.
    pub variables: BTreeMap<String, String>,
    /// Makes a run that waits look at the event log again.
    pub wake: Option<Wake>,
    /// Whether the run is a test.
    pub test: bool,
    /// Whether standard output is written line by line.
    pub line_buffered: bool,
}

impl Session {
    /// An ordinary run of a file: silent, with real models.
    pub fn new(path: &str, host: Box<dyn Host>) -> Session {
        Session {
            run_id: format!("run_{}", uuid::Uuid::now_v7()),
            path: path.to_owned(),
            host,
            progress: Box::new(Silent),
            models: LlmSetup::default(),
            bridge: None,
            variables: BTreeMap::new(),
            wake: None,
            test: false,
            line_buffered: std::io::stdout().is_terminal(),
        }
    }

    /// Everything that a run needs besides its program.
    ///
    /// # Errors
    /// The `harn.toml` of the project cannot be read: what it governs is unknown, so nothing runs (spec 08 section 11.1
    /// G5).
    pub fn surroundings(self) -> Result<Surroundings, String> {
        let variables = self.variables;
        let env = move |name: &str| variables.get(name).cloned().or_else(|| RealHost::env(name));
        let base = base_dir(&self.path);
        let config = LogConfig::resolve(Path::new(&base), &env);
        let info = RunInfo {
            run_id: self.run_id,
            script: self.path,
            base_dir: base,
            test: self.test,
            interactive: !self.test && std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            durable_log: config.as_ref().is_ok_and(LogConfig::is_durable),
        };
        let rules = Settings::read(Path::new(&info.base_dir))?.rules;
        let neighbours = config.as_ref().ok().filter(|config| config.is_durable());
        let neighbours = neighbours.map(|config| Processes::new(config.state_root.join("processes")));
        let wake = self.wake;
        let mut log = LogSlot::new(Box::new(move || {
            config.map(|config| config.open_shared(wake)).map_err(|error| error.to_string())
        }));
        if let Some(processes) = neighbours {
            log = log.shared_by(Box::new(Neighbours(processes)));
        }
        Ok(Surroundings {
            host: self.host,
            services: services::all(Setup {
                models: self.models,
                rules,
                signing: Some(anchoring::signing()),
                bridge: self.bridge,
            }),
            progress: self.progress,
            log,
            info,
            env: Box::new(env),
            stdout_is_terminal: self.line_buffered,
        })
    }
}

/// The other processes of this machine that use the same log.
struct Neighbours(Processes);

impl Presence for Neighbours {
    fn own(&mut self) -> Result<String, String> {
        self.0.own()
    }

    fn is_dead(&mut self, name: &str) -> bool {
        self.0.is_dead(name)
    }
}

/// How many threads a program may use: `HARN_THREADS`, else as many as there are cores.
pub fn threads() -> usize {
    let set = RealHost::env("HARN_THREADS").and_then(|text| text.trim().parse().ok());
    set.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

/// The directory that state belongs to: the nearest one above the script with a `harn.toml`, else the script's
/// (spec 06 section 1.1).
pub fn base_dir(path: &str) -> String {
    let script = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let parent = script.parent().unwrap_or(Path::new("."));
    let found = parent.ancestors().find(|dir| dir.join("harn.toml").is_file());
    found.unwrap_or(parent).to_string_lossy().into_owned()
}
