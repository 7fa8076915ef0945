//! The files that `check` and `lint` work on, and what their project configures (spec 01 section 8.4, 03 section 15).

use crate::modules::DiskModules;
use crate::output;
use harn_embed::project::Settings;
use harn_types::graph::SourceLoader;
use harn_types::lint::{LintOptions, RULES};
use harn_types::manifest::Manifest;
use std::collections::BTreeSet;

/// Directories nest at most this deep below a target.
const MAX_DEPTH: u32 = 64;

/// Directories of other tools' products, which are not searched.
const BUILT: &[&str] = &["target", "node_modules"];

/// The programs that the targets name: files as they are, directories searched; sorted, each once.
pub fn programs(targets: &[String], disk: &mut DiskModules) -> Vec<String> {
    let mut found = BTreeSet::new();
    for target in targets {
        if disk.is_dir(target) {
            search(target.trim_end_matches('/'), disk, &mut found, 0);
        } else {
            found.insert(target.clone());
        }
    }
    found.into_iter().collect()
}

fn search(directory: &str, disk: &mut DiskModules, found: &mut BTreeSet<String>, depth: u32) {
    if depth > MAX_DEPTH {
        return;
    }
    for name in disk.list(directory).unwrap_or_default() {
        let path = format!("{directory}/{name}");
        if let Some(stem) = path.strip_suffix(".harn") {
            if !disk.exists(&format!("{stem}.conformance-skip")) && disk.is_file(&path) {
                found.insert(path);
            }
        } else if !name.starts_with('.') && !BUILT.contains(&name.as_str()) && disk.is_dir(&path) {
            search(&path, disk, found, depth + 1);
        }
    }
}

/// The nearest `harn.toml` above a file: not past a directory with `.git`, at most 16 directories up.
pub struct Project {
    /// The manifest; empty when there is none.
    pub manifest: Manifest,
    /// Where it lies.
    pub directory: Option<String>,
    /// Why it could not be read.
    pub problem: Option<String>,
}

/// The project that a file belongs to, or would belong to if it were there.
pub fn project(file: &str, disk: &mut DiskModules) -> Project {
    let mut none = Project { manifest: Manifest::default(), directory: None, problem: None };
    let directory = file.rsplit_once('/').map_or(".", |(directory, _)| directory);
    let whole = disk.canonical(file).or_else(|| Some(format!("{}/-", disk.canonical(directory)?)));
    let Some(whole) = whole else { return none };
    let mut here = whole.as_str();
    for _ in 0..16 {
        let Some((parent, _)) = here.rsplit_once('/') else { break };
        let path = format!("{parent}/harn.toml");
        if disk.is_file(&path) {
            let read = disk.read(&path).map_err(|why| format!("{path}: {why}"));
            match read.and_then(|text| Settings::parse(&path, &text)) {
                Ok(settings) => none.manifest = settings.manifest,
                Err(why) => none.problem = Some(why),
            }
            none.directory = Some(parent.to_owned());
            break;
        }
        if disk.exists(&format!("{parent}/.git")) {
            break;
        }
        here = parent;
    }
    none
}

/// Tells what is wrong with the manifests that a command meets, each thing once.
#[derive(Default)]
pub struct Complaints {
    told: BTreeSet<String>,
}

impl Complaints {
    /// Whether the manifest of a project can be read; says so when it cannot.
    pub fn readable(&mut self, project: &Project) -> bool {
        if let Some(problem) = &project.problem
            && self.told.insert(problem.clone())
        {
            output::error(problem);
        }
        project.problem.is_none()
    }

    /// Warns of keys that nothing reads, and of rules that are switched off and do not exist.
    pub fn remarks(&mut self, project: &Project) {
        let Some(directory) = &project.directory else { return };
        let hint =
            |near: Option<&str>| near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let keys = project.manifest.unknown_keys();
        let keys = keys.iter().map(|(key, near)| format!("unknown key `{key}`{}", hint(near.as_deref())));
        let disabled = project.lint_options().disabled;
        let rules = disabled.iter().filter(|name| {
            *name != "unreachable-code" && !RULES.iter().any(|rule| rule.name == name.as_str())
        });
        let rules = rules.map(|name| {
            let near = harn_types::spelling::nearest(name, RULES.iter().map(|rule| rule.name), 3);
            format!("no lint rule is called `{name}`{}", hint(near))
        });
        for text in keys.chain(rules) {
            let text = format!("warning: {directory}/harn.toml: {text}\n");
            if self.told.insert(text.clone()) {
                output::err(&text);
            }
        }
    }
}

impl Project {
    /// Whether warnings fail.
    pub fn strict(&self) -> bool {
        self.manifest.flag("check", "strict") == Some(true)
    }

    /// What the project configures for the lint rules.
    pub fn lint_options(&self) -> LintOptions {
        let mut disabled = self.manifest.list("lint", "disabled");
        disabled.extend(self.manifest.list("check", "disable_rules"));
        let threshold = self.manifest.number("lint", "complexity_threshold");
        LintOptions {
            disabled,
            complexity_threshold: threshold.and_then(|n| usize::try_from(n).ok()).unwrap_or(25),
            ..LintOptions::default()
        }
    }
}
