//! Preflight: what a program needs around it (imports, templates, directories, operations of a host), looked at before it
//! runs (spec 03 section 12).

use crate::modules::DiskModules;
use crate::targets::Project;
use harn_syntax::ast::{Element, Expr, ExprKind};
use harn_syntax::{Diagnostic, Severity, Source, Span};
use harn_types::graph::{Module, ModuleGraph, Origin, SourceLoader};
use harn_types::walk::{Visitor, walk_expr};
use std::collections::{BTreeMap, BTreeSet};

/// What a check is told about the surroundings; what the command line says wins over the manifest.
#[derive(Default)]
pub struct Setting {
    /// How bad a finding is; none looks for nothing.
    pub severity: Option<Severity>,
    /// Operations of the host, by capability.
    pub operations: BTreeMap<String, BTreeSet<String>>,
    /// Findings about these are silent: `cap.op`, `cap.*`, `cap`, `*`.
    pub allow: Vec<String>,
    /// Where templates may lie besides beside their program.
    pub bundle_root: Option<String>,
}

/// Operations that every run has (spec 06 section 10).
const LOCAL: &[(&str, &[&str])] = &[
    ("process", &["exec", "list_shells", "get_default_shell", "set_default_shell", "shell_invocation"]),
    ("template", &["render"]),
    ("interaction", &["ask"]),
    ("runtime", &["task", "set_result"]),
    ("workspace", &["project_root", "cwd"]),
];

/// The severity of that word; an inner none switches the checks off.
pub fn severity(word: &str) -> Option<Option<Severity>> {
    match word {
        "error" => Some(Some(Severity::Error)),
        "warning" | "warn" => Some(Some(Severity::Warning)),
        "off" | "allow" | "silent" => Some(None),
        _ => None,
    }
}

impl Setting {
    /// What a project and the flags say; the error is one sentence.
    pub fn read(
        project: &Project,
        word: Option<&str>,
        capabilities: Option<&str>,
        bundle_root: Option<&str>,
        disk: &mut DiskModules,
    ) -> Result<Setting, String> {
        let manifest = &project.manifest;
        let word = word.or_else(|| manifest.text("check", "preflight_severity")).unwrap_or("error");
        let severity = severity(word)
            .ok_or_else(|| format!("preflight_severity is '{word}', expected error, warning or off"))?;
        let mut setting = Setting {
            severity,
            operations: manifest.lists("check", "host_capabilities"),
            allow: manifest.list("check", "preflight_allow"),
            bundle_root: bundle_root.map(str::to_owned),
        };
        let beside = |path: &str| match &project.directory {
            Some(directory) if !path.starts_with('/') => format!("{directory}/{path}"),
            _ => path.to_owned(),
        };
        let named = ["host_capabilities_path", "host_capabilities_file"];
        let listed = named.iter().find_map(|key| manifest.text("check", key)).map(beside);
        if setting.bundle_root.is_none() {
            setting.bundle_root = manifest.text("check", "bundle_root").map(beside);
        }
        if let Some(path) = capabilities.map(str::to_owned).or(listed) {
            let text = disk.read(&path).map_err(|problem| format!("cannot read {path}: {problem}"))?;
            setting
                .operations
                .extend(capabilities_of(&text).map_err(|problem| format!("{path}: {problem}"))?);
        }
        Ok(setting)
    }

    fn knows(&self, capability: &str, operation: &str) -> bool {
        LOCAL.iter().any(|(name, operations)| *name == capability && operations.contains(&operation))
            || self.operations.get(capability).is_some_and(|operations| operations.contains(operation))
    }

    fn allows(&self, capability: &str, operation: &str) -> bool {
        self.allow.iter().any(|entry| {
            entry == "*"
                || entry == capability
                || entry.strip_suffix(".*") == Some(capability)
                || entry.rsplit_once('.') == Some((capability, operation))
        })
    }
}

/// The capabilities of a JSON file: a list of operations each, or what `host_capabilities()` gives.
fn capabilities_of(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>, String> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let table = json.as_object().ok_or("expected an object of capabilities")?;
    let operations = |value: &serde_json::Value| {
        let list = value.as_array().or_else(|| value.get("ops")?.as_array());
        let names = list.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned));
        let described = value.get("operations").and_then(serde_json::Value::as_object);
        names.chain(described.into_iter().flatten().map(|(name, _)| name.clone())).collect::<BTreeSet<_>>()
    };
    Ok(table.iter().map(|(name, value)| (name.clone(), operations(value))).collect())
}

/// What is missing around the program: of the entry and of each file that it imports.
pub fn findings<'g>(
    graph: &'g ModuleGraph,
    setting: &Setting,
    disk: &mut DiskModules,
) -> Vec<(Diagnostic, &'g Source)> {
    let Some(severity) = setting.severity else { return Vec::new() };
    let mut found = Vec::new();
    let mut add = |module: &'g Module, span: Span, message: &str, help: Option<String>| {
        let diagnostic = Diagnostic {
            severity,
            code: "preflight",
            message: format!("preflight: {message}"),
            span,
            label: Some("preflight".to_owned()),
            help,
        };
        found.push((diagnostic, &module.source));
    };
    for error in &graph.start_errors {
        let Some(module) = graph.module(error.module).filter(|m| m.origin != Origin::Std) else { continue };
        let help = error
            .preflight
            .starts_with("unresolved import")
            .then(|| "paths are relative to this file; `.harn` may be left out".to_owned());
        add(module, error.span, &error.preflight, help);
    }
    let files: Vec<&Module> = graph.modules.iter().filter(|module| module.origin != Origin::Std).collect();
    let calls: Vec<(&Module, Vec<BuiltinCall<'_>>)> = files.iter().map(|m| (*m, builtin_calls(m))).collect();
    // What a test scripts is there when it asks.
    let scripted: BTreeSet<(&str, &str)> =
        calls.iter().flat_map(|(_, calls)| calls).filter_map(BuiltinCall::scripts).collect();
    for (module, calls) in &calls {
        for call in calls {
            if let Some((message, help)) = call.problem(module, setting, &scripted, disk) {
                add(module, call.span, &message, help);
            }
        }
    }
    found
}

/// A call of a name that the module neither declares nor imports from a file.
struct BuiltinCall<'a> {
    name: &'a str,
    args: &'a [Element],
    span: Span,
}

fn builtin_calls(module: &Module) -> Vec<BuiltinCall<'_>> {
    struct Calls<'a> {
        module: &'a Module,
        found: Vec<BuiltinCall<'a>>,
    }
    impl<'a> Visitor<'a> for Calls<'a> {
        fn expr(&mut self, expr: &'a Expr) {
            if let ExprKind::Call { callee, args, .. } = &expr.kind
                && let ExprKind::Name(name) = callee.kind
            {
                let name = self.module.ast().names.text(name);
                if !self.module.items.contains_key(name) {
                    self.found.push(BuiltinCall { name, args, span: expr.span });
                }
            }
            walk_expr(self, expr);
        }
    }
    let mut calls = Calls { module, found: Vec::new() };
    module.ast().items.iter().for_each(|item| calls.stmt(item));
    calls.found
}

impl<'a> BuiltinCall<'a> {
    /// An argument that is a plain text.
    fn literal(&self, index: usize) -> Option<&'a str> {
        let element = self.args.get(index).filter(|element| !element.spread)?;
        match &element.value.kind {
            ExprKind::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The operation that this call gives a scripted answer.
    fn scripts(&self) -> Option<(&'a str, &'a str)> {
        let names = ["host_mock", "mock_host_result", "mock_host_error", "mock_host_response"];
        Some((self.literal(0)?, self.literal(1)?)).filter(|_| names.contains(&self.name))
    }

    /// What this call would not find, and how to mend it.
    fn problem(
        &self,
        module: &Module,
        setting: &Setting,
        scripted: &BTreeSet<(&str, &str)>,
        disk: &mut DiskModules,
    ) -> Option<(String, Option<String>)> {
        match self.name {
            "render" | "render_prompt" | "render_with_provenance" => {
                self.template(self.literal(0)?, module, setting, disk)
            }
            "exec_at" | "shell_at" => {
                let directory = self.literal(0)?;
                let place = beside(module, directory);
                let found = disk.is_dir(&place) || disk.is_dir(directory);
                let help = "the directory is looked for beside this file, then below the working directory";
                (!found).then(|| {
                    let message = format!("execution directory '{directory}' does not exist at {place}");
                    (message, Some(help.to_owned()))
                })
            }
            "host_invoke" => {
                let message = "host_invoke(...) was removed; use host_call(\"capability.operation\", args)";
                Some((message.to_owned(), None))
            }
            "host_call" => self.host_call(setting, scripted),
            _ => None,
        }
    }

    fn template(
        &self,
        written: &str,
        module: &Module,
        setting: &Setting,
        disk: &mut DiskModules,
    ) -> Option<(String, Option<String>)> {
        // Aliases (`@name/...`) are the manifest's, and it is read when the program runs.
        if written.starts_with('@') {
            return None;
        }
        let place = beside(module, written);
        let elsewhere = setting.bundle_root.as_ref().map(|root| format!("{root}/{written}"));
        let Some(path) =
            [Some(place.clone()), elsewhere].into_iter().flatten().find(|path| disk.is_file(path))
        else {
            let message = format!("{} target '{written}' does not exist at {place}", self.name);
            let help =
                "templates are looked for beside the file that names them; `@/...` begins at harn.toml";
            return Some((message, Some(help.to_owned())));
        };
        let problem = harn_stdlib::template_problem(&disk.read(&path).ok()?)?;
        Some((format!("template '{written}' has a syntax error: {problem}"), None))
    }

    fn host_call(
        &self,
        setting: &Setting,
        scripted: &BTreeSet<(&str, &str)>,
    ) -> Option<(String, Option<String>)> {
        let Some(name) = self.literal(0) else {
            let message =
                "host_call(...) requires a literal \"capability.operation\" name for static validation";
            return (!setting.allow.iter().any(|entry| entry == "*")).then(|| (message.to_owned(), None));
        };
        let (capability, operation) = name.rsplit_once('.').unwrap_or((name, ""));
        let known = setting.knows(capability, operation)
            || setting.allows(capability, operation)
            || scripted.contains(&(capability, operation));
        (!known).then(|| {
            let message = format!("unknown host capability/operation '{name}'");
            let help = "if a host that embeds the program performs it, list it in harn.toml: [check] \
                        host_capabilities or preflight_allow";
            (message, Some(help.to_owned()))
        })
    }
}

/// A path as a module writes it: below the directory of its file.
fn beside(module: &Module, written: &str) -> String {
    if written.starts_with('/') {
        return written.to_owned();
    }
    let path = module.source.path();
    match path.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{written}"),
        None => written.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_lists_or_what_the_host_says_of_itself() {
        let read = capabilities_of(
            r#"{"a": ["x"], "b": {"ops": ["y"]}, "c": {"operations": {"z": {"description": ""}}}}"#,
        );
        let names: Vec<_> = read.unwrap().into_values().flatten().collect();
        assert_eq!(names, ["x", "y", "z"]);
        assert!(capabilities_of("[]").is_err());
    }

    #[test]
    fn an_allowance_is_an_operation_a_capability_or_everything() {
        let allowing = |entry: &str| Setting { allow: vec![entry.to_owned()], ..Setting::default() };
        for entry in ["a.b", "a.*", "a", "*"] {
            assert!(allowing(entry).allows("a", "b"), "{entry}");
        }
        assert!(!allowing("a.c").allows("a", "b"));
    }
}
