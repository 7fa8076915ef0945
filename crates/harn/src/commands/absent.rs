//! Commands that the language's definition lists (spec 09 section 1) and this version does not have: they are refused
//! by name, with what does their work today.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Command, what it would do, what to do instead; empty when there is nothing.
const ABSENT: &[(&str, &str, &str)] = &[
    ("dap", "serves a debugger", "`harn profile FILE` and `harn dev code FILE` look inside a program"),
    ("add", "adds a dependency", PATHS),
    ("install", "installs dependencies", PATHS),
    ("update", "resolves dependencies anew", PATHS),
    ("remove", "removes a dependency", PATHS),
    ("lock", "locks dependencies", PATHS),
    ("package", "prepares packages", PATHS),
    ("publish", "publishes packages", PATHS),
    ("runs", "shows workflow records", TRUST),
    ("replay", "shows a workflow record stage by stage", TRUST),
    ("eval", "evaluates workflow records", "`harn test` runs tests of pipelines and agents"),
    ("serve", "serves a program over MCP, ACP or A2A", ""),
    ("mcp", "serves the orchestrator over MCP", "programs use MCP servers with the option `mcp_servers`"),
    ("trigger", "replays and cancels triggers", ""),
    ("orchestrator", "runs triggers", "`harn watch`, or a timer of the system that starts `harn run`"),
    ("portal", "shows runs in a browser", TRUST),
    ("playground", "runs a program against a host module", "`harn repl` tries things out"),
    ("viz", "draws a program as a flowchart", "`harn dev ast FILE` prints its tree"),
    ("verify", "verifies receipts", "`harn trust verify-chain` and `harn trust check-proof` verify the log"),
    ("contracts", "prints contracts as JSON", "`harn doc NAME` and docs/builtins.md say what builtins do"),
    ("skills", "manages skills", "the option `skills` of `agent_loop` names them"),
    ("flow", "audits flow predicates", ""),
    ("persona", "manages personas", ""),
    ("crystallize", "mines workflows from traces", ""),
    ("trace", "imports traces", "`harn run --llm-mock-record FILE` records answers of models"),
    ("connect", "connects accounts", "keys of providers come from the environment; see `harn doctor`"),
    ("connector", "checks connector packages", ""),
    ("model-info", "describes a model", "`harn doctor` says which providers are set up"),
    ("provider-catalog", "lists providers", "`harn doctor` says which providers are set up"),
    (
        "provider-ready",
        "asks a provider whether it is ready",
        "`harn doctor` says which providers are set up",
    ),
];

const PATHS: &str = "import files by their paths: `import \"lib/helpers\"`";
const TRUST: &str = "`harn trust query` and `harn trust explain` read what runs decided";

/// What to say of a command line whose command is one of these.
pub fn refusal(problem: &clap::Error) -> Option<String> {
    if problem.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(name)) = problem.get(ContextKind::InvalidSubcommand) else { return None };
    let (_, what, instead) = ABSENT.iter().find(|(absent, ..)| absent == name)?;
    let version = env!("CARGO_PKG_VERSION");
    let hint = if instead.is_empty() { String::new() } else { format!("\nInstead: {instead}.") };
    Some(format!(
        "`harn {name}` ({what}) is not in this version ({version}); `harn --help` lists what is.{hint}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::COMMANDS;

    #[test]
    fn what_is_there_is_not_called_absent() {
        let there = |name: &str| COMMANDS.iter().any(|c| c.name == name || c.aliases.contains(&name));
        let both: Vec<&str> = ABSENT.iter().map(|row| row.0).filter(|name| there(name)).collect();
        assert_eq!(both, Vec::<&str>::new());
    }
}
