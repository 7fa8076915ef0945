//! `harn new` and `harn init`: a project to start from (spec 09 section 2.6).
//!
//! A template is a list of files under `templates/`; `{{name}}` stands for the project's name. Each passes `harn check`,
//! `lint`, `fmt --check` and `test` as it is.

use super::Command;
use crate::modules::DiskModules;
use crate::output;
use clap::{Arg, ArgMatches};
use harn_types::graph::SourceLoader;
use std::process::ExitCode;

/// A template: what it is called, what it is for, its files.
struct Template {
    names: &'static [&'static str],
    about: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// What to do next.
    hints: &'static [&'static str],
}

macro_rules! file {
    ($path:literal, $source:literal) => {
        ($path, include_str!(concat!("../../templates/", $source)))
    };
}

const GITIGNORE: (&str, &str) = file!(".gitignore", "gitignore");

/// Every template, the default first.
const TEMPLATES: &[Template] = &[
    Template {
        names: &["script", "basic"],
        about: "a program with a module and a test",
        files: &[
            file!("harn.toml", "script/harn.toml"),
            file!("main.harn", "script/main.harn"),
            file!("lib/helpers.harn", "script/lib/helpers.harn"),
            file!("tests/test_main.harn", "script/tests/test_main.harn"),
            GITIGNORE,
        ],
        hints: &["harn test", "harn run main.harn"],
    },
    Template {
        names: &["agent"],
        about: "an agent with a tool and a budget, scripted as long as no key is set",
        files: &[
            file!("harn.toml", "agent/harn.toml"),
            file!("main.harn", "agent/main.harn"),
            file!("tests/test_agent.harn", "agent/tests/test_agent.harn"),
            GITIGNORE,
        ],
        hints: &["harn test", "harn run main.harn", "harn trust query"],
    },
    Template {
        names: &["package"],
        about: "modules for other projects, with documentation, licence and CI",
        files: &[
            file!("harn.toml", "package/harn.toml"),
            file!("lib/main.harn", "package/lib/main.harn"),
            file!("tests/test_main.harn", "package/tests/test_main.harn"),
            file!("README.md", "package/README.md"),
            file!("LICENSE", "package/LICENSE"),
            file!("docs/api.md", "package/docs/api.md"),
            file!(".github/workflows/check.yml", "package/ci.yml"),
            GITIGNORE,
        ],
        hints: &["harn test"],
    },
];

fn template_arg() -> Arg {
    let list: Vec<String> =
        TEMPLATES.iter().map(|t| format!("{}: {}", t.names.join(" or "), t.about)).collect();
    Arg::new("template")
        .long("template")
        .value_name("TEMPLATE")
        .help(format!("What to start from [default: {}]", first_name()))
        .long_help(format!("What to start from:\n  {}", list.join("\n  ")))
}

fn first_name() -> &'static str {
    TEMPLATES.first().and_then(|t| t.names.first()).copied().unwrap_or_default()
}

/// The row of `harn new`.
pub const NEW: Command = Command {
    name: "new",
    aliases: &[],
    about: "Creates a project in a new directory",
    args: |command| {
        command
            .arg(
                Arg::new("words")
                    .value_names(["TEMPLATE", "NAME"])
                    .num_args(0..=2)
                    .help("The name of the project, which may follow a template: `harn new agent demo`"),
            )
            .arg(template_arg())
    },
    run: run_new,
};

/// The row of `harn init`.
pub const INIT: Command = Command {
    name: "init",
    aliases: &[],
    about: "Creates a project in the working directory",
    args: |command| {
        command
            .arg(Arg::new("name").value_name("NAME").help("A directory to create instead"))
            .arg(template_arg())
    },
    run: run_init,
};

fn template(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.names.contains(&name))
}

fn usage(problem: &str) -> ExitCode {
    output::error(problem);
    output::err("Usage: harn new [TEMPLATE] NAME [--template TEMPLATE]\n");
    ExitCode::from(super::USAGE)
}

fn unknown(name: &str) -> String {
    let all: Vec<&str> = TEMPLATES.iter().flat_map(|t| t.names.iter().copied()).collect();
    format!("unknown template '{name}', expected one of {}", all.join(", "))
}

fn run_new(matches: &ArgMatches) -> ExitCode {
    let words: Vec<&str> =
        matches.get_many::<String>("words").into_iter().flatten().map(String::as_str).collect();
    let flag = matches.get_one::<String>("template").map(String::as_str);
    let (kind, name) = match words.as_slice() {
        ["package"] if flag.is_none() => {
            return usage(
                "`harn new package` requires a package name, for example `harn new package my-package`",
            );
        }
        [name] => (flag.unwrap_or(first_name()), *name),
        [kind, name] if flag.is_none() || flag == Some(kind) => (*kind, *name),
        [_, _] => return usage("the template is given twice"),
        _ => return usage("`harn new` requires a name, for example `harn new agent demo`"),
    };
    let Some(template) = template(kind) else { return usage(&unknown(kind)) };
    if DiskModules::new().exists(name) {
        output::error(&format!("Directory '{name}' already exists"));
        return ExitCode::FAILURE;
    }
    create(template, Some(name))
}

fn run_init(matches: &ArgMatches) -> ExitCode {
    let kind = matches.get_one::<String>("template").map_or(first_name(), String::as_str);
    match template(kind) {
        Some(template) => create(template, matches.get_one::<String>("name").map(String::as_str)),
        None => usage(&unknown(kind)),
    }
}

/// Writes what is not there yet.
fn create(template: &Template, directory: Option<&str>) -> ExitCode {
    let mut disk = DiskModules::new();
    let whole = std::path::absolute(directory.unwrap_or(".")).unwrap_or_default();
    let name = whole.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String =
        name.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    for (file, text) in template.files {
        let path =
            directory.map_or_else(|| (*file).to_owned(), |d| format!("{}/{file}", d.trim_end_matches('/')));
        if disk.exists(&path) {
            output::outln(&format!("  skip  {file} (already exists)"));
            continue;
        }
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let written = match parent {
            "" => Ok(()),
            parent => disk.create_dir(parent),
        };
        if let Err(problem) = written.and_then(|()| disk.write(&path, &text.replace("{{name}}", &name))) {
            output::error(&format!("cannot write {path}: {problem}"));
            return ExitCode::FAILURE;
        }
        output::outln(&format!("  create  {file}"));
    }
    output::outln("\nNext:");
    if let Some(directory) = directory {
        output::outln(&format!("  cd {directory}"));
    }
    for hint in template.hints {
        output::outln(&format!("  {hint}"));
    }
    ExitCode::SUCCESS
}
