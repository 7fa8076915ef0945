//! `harn check`: syntax, types, lint rules and preflight of files (spec 09 section 2.2).

mod preflight;
mod providers;

use super::Command;
use crate::findings::{Findings, format, format_arg};
use crate::modules::DiskModules;
use crate::watch::Watch;
use crate::{output, source, targets};
use clap::{Arg, ArgAction, ArgMatches};
use harn_syntax::{Diagnostic, Severity, Source};
use harn_types::graph::{ModuleGraph, SourceLoader, load_text};
use harn_types::lint::{LintOptions, lint};
use harn_types::{Options, check_module};
use std::collections::{HashMap, HashSet};
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "check",
    aliases: &[],
    about: "Looks for errors without running: types, imports, lint rules",
    args: |command| {
        let flag = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
        };
        command
            .arg(Arg::new("targets").value_name("TARGET").num_args(0..).help("Files and directories"))
            .arg(flag("workspace", "Adds the pipelines of the nearest harn.toml"))
            .arg(flag("strict-types", "Values from outside must be validated before use"))
            .arg(
                Arg::new("preflight")
                    .long("preflight")
                    .value_name("SEVERITY")
                    .value_parser(["error", "warning", "warn", "off", "allow", "silent"])
                    .hide_possible_values(true)
                    .help("What a missing import, template, directory or host operation is: error, warning or off"),
            )
            .arg(
                Arg::new("host-capabilities")
                    .long("host-capabilities")
                    .value_name("FILE")
                    .help("A JSON file with the operations of the host: {capability: [operation, ...]}"),
            )
            .arg(
                Arg::new("bundle-root")
                    .long("bundle-root")
                    .value_name("DIR")
                    .help("Where templates may lie besides beside their programs"),
            )
            .arg(flag("provider-matrix", "Prints what the known models can do, and checks nothing"))
            .arg(
                Arg::new("filter")
                    .long("filter")
                    .value_name("FEATURE")
                    .requires("provider-matrix")
                    .help("With --provider-matrix: the models that have a feature"),
            )
            .arg(flag("watch", "Checks again whenever a file changes"))
            .arg(format_arg())
    },
    run,
};

/// A file with its modules.
pub(super) struct Loaded {
    pub(super) path: String,
    pub(super) graph: ModuleGraph,
}

/// Reads the files; those that cannot be read are told on standard error and counted.
pub(super) fn load(paths: &[String], disk: &mut DiskModules) -> (Vec<Loaded>, usize) {
    let mut unreadable = 0;
    let mut loaded = Vec::new();
    for path in paths {
        match source::read(path) {
            Ok(text) => loaded.push(Loaded { path: path.clone(), graph: load_text(path, text, disk) }),
            Err(problem) => {
                output::err(&format!("{problem}\n"));
                unreadable += 1;
            }
        }
    }
    (loaded, unreadable)
}

/// The names that the files import from each module, by the module's key.
pub(super) fn imported_names(files: &[Loaded]) -> HashMap<String, HashSet<String>> {
    let mut used: HashMap<String, HashSet<String>> = HashMap::new();
    for graph in files.iter().map(|f| &f.graph) {
        for (name, imported) in graph.iter().flat_map(|(_, module)| &module.imported) {
            if let Some(home) = graph.module(imported.item.module) {
                used.entry(home.key.to_string()).or_default().insert(name.to_string());
            }
        }
    }
    used
}

fn run(matches: &ArgMatches) -> ExitCode {
    if matches.get_flag("provider-matrix") {
        return providers::matrix(matches);
    }
    if matches.get_flag("watch") {
        let targets = matches.get_many::<String>("targets").map(|t| t.cloned().collect::<Vec<_>>());
        return Watch::of(&targets.unwrap_or_default()).work(|| once(matches));
    }
    once(matches)
}

fn once(matches: &ArgMatches) -> ExitCode {
    let mut disk = DiskModules::new();
    let mut wanted: Vec<String> =
        matches.get_many::<String>("targets").map(|t| t.cloned().collect()).unwrap_or_default();
    let workspace = matches.get_flag("workspace");
    if wanted.is_empty() && !workspace {
        return super::misuse(
            "check",
            "`harn check` requires at least one target path, or `--workspace` with `[workspace].pipelines`",
        );
    }
    if workspace {
        match pipelines(&wanted, &mut disk) {
            Ok(more) => wanted.extend(more),
            Err(problem) => return super::misuse("check", problem),
        }
    }
    let paths = targets::programs(&wanted, &mut disk);
    if paths.is_empty() {
        return super::misuse("check", "no .harn files found under the given target(s)");
    }
    let (files, unreadable) = load(&paths, &mut disk);
    let used = imported_names(&files);
    let mut told = Findings::new(format(matches));
    let mut complaints = targets::Complaints::default();
    let mut failed = unreadable > 0;
    for file in &files {
        let project = targets::project(&file.path, &mut disk);
        failed |= !complaints.readable(&project);
        complaints.remarks(&project);
        let mut options = project.lint_options();
        if let Some(entry) = file.graph.module(file.graph.entry) {
            options.used_elsewhere = used.get(&*entry.key).cloned().unwrap_or_default();
        }
        let strict_types =
            matches.get_flag("strict-types") || project.manifest.flag("check", "strict_types") == Some(true);
        let flag = |name: &str| matches.get_one::<String>(name).map(String::as_str);
        let (severity, listed) = (flag("preflight"), flag("host-capabilities"));
        let setting = preflight::Setting::read(&project, severity, listed, flag("bundle-root"), &mut disk);
        let setting = match setting {
            Ok(setting) => setting,
            Err(problem) => {
                output::error(&problem);
                return ExitCode::FAILURE;
            }
        };
        let mut found = diagnostics(&file.graph, strict_types, &options);
        // A file that does not parse has no calls that mean anything.
        if file.graph.module(file.graph.entry).is_some_and(|entry| !entry.parsed.has_errors()) {
            found.extend(preflight::findings(&file.graph, &setting, &mut disk));
        }
        let errors = found.iter().any(|(d, _)| d.severity == Severity::Error);
        failed |= errors || (project.strict() && !found.is_empty());
        for (diagnostic, source) in &found {
            told.add(diagnostic, source);
        }
        if found.is_empty() && told.is_text() {
            output::outln(&format!("{}: ok", file.path));
        }
    }
    told.finish();
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The `[workspace] pipelines` of the nearest manifest.
fn pipelines(wanted: &[String], disk: &mut DiskModules) -> Result<Vec<String>, &'static str> {
    let start = match wanted.first() {
        Some(target) if disk.is_dir(target) => format!("{target}/harn.toml"),
        Some(target) => target.clone(),
        None => "harn.toml".to_owned(),
    };
    // The manifest itself may not lie beside the first target: any path of that directory finds it.
    let anchor = if disk.exists(&start) { start } else { ".".to_owned() };
    let project = targets::project(&anchor, disk);
    let Some(directory) = &project.directory else {
        return Err("--workspace could not find a harn.toml walking up from the target(s)");
    };
    let listed = project.manifest.list("workspace", "pipelines");
    if listed.is_empty() {
        return Err("--workspace requires `[workspace].pipelines` in the nearest harn.toml");
    }
    Ok(listed.iter().map(|p| format!("{directory}/{p}")).collect())
}

/// Everything about one file, with the source that each diagnostic lies in.
fn diagnostics<'g>(
    graph: &'g ModuleGraph,
    strict_types: bool,
    options: &LintOptions,
) -> Vec<(Diagnostic, &'g Source)> {
    let Some(entry) = graph.module(graph.entry) else { return Vec::new() };
    let own = |d: Diagnostic| (d, &entry.source);
    let mut found: Vec<_> = entry.parsed.diagnostics.iter().cloned().map(own).collect();
    if entry.parsed.has_errors() {
        return found;
    }
    found.extend(check_module(graph, graph.entry, Options { strict_types }).into_iter().map(own));
    // What the checker has said already needs no second voice.
    let told =
        |rule: &str| matches!(rule, "undefined-function" | "break-outside-loop" | "dead-code-after-return");
    let remarks = lint(graph, graph.entry, options).into_iter().filter(|f| !told(f.rule));
    found.extend(remarks.map(|f| own(f.diagnostic)));
    found
}
