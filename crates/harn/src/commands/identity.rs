//! `harn identity`: the Ed25519 keys with which a person signs answers, grants and anchors (spec 08 section 11.1 G4).

use super::Command;
use crate::{identities, output, project_log};
use clap::{Arg, ArgAction, ArgMatches};
use harn_eventlog::Json;
use harn_govern::identity::Identity;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "identity",
    aliases: &[],
    about: "Makes and shows the keys that answers are signed with",
    args: |command| {
        let name = || Arg::new("name").value_name("NAME").required(true).help("Whose key");
        let json = || Arg::new("json").long("json").action(ArgAction::SetTrue).help("Prints JSON");
        let sub = |name: &'static str, about: &'static str| clap::Command::new(name).about(about);
        command
            .subcommand_required(true)
            .subcommand(sub("new", "Makes a key; its secret never leaves the file").arg(name()).arg(json()))
            .subcommand(sub("show", "Prints the public part").arg(name()).arg(json()))
            .subcommand(sub("list", "Lists the identities of this user").arg(json()))
    },
    run: |matches| match run(matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            output::error(&text);
            ExitCode::FAILURE
        }
    },
};

fn run(matches: &ArgMatches) -> Result<(), String> {
    let Some((verb, given)) = matches.subcommand() else { return Ok(()) };
    let json = given.get_flag("json");
    let name = given.try_get_one::<String>("name").ok().flatten().cloned().unwrap_or_default();
    match verb {
        "new" => {
            let created_at = harn_govern::moment::timestamp(project_log::now_ms());
            let identity = identities::create(&name, &created_at)?;
            show(&identity, json);
            if !json {
                output::outln("to have answers of this name checked, add to harn.toml:");
                output::outln("  [reviewers]");
                output::outln(&format!("  \"{name}\" = \"{}\"", identity.public_key()));
            }
        }
        "show" => {
            let found = identities::find(&name)?;
            show(
                &found.ok_or_else(|| {
                    format!("unknown identity '{name}': `harn identity list` names those there are")
                })?,
                json,
            );
        }
        _ => {
            let mut found = Vec::new();
            for name in identities::names()? {
                found.extend(identities::find(&name)?);
            }
            if json {
                output::outln(&Json::Array(found.iter().map(described).collect()).canonical());
            } else {
                found.iter().for_each(|i| output::outln(&format!("{} {}", i.name(), i.public_key())));
            }
        }
    }
    Ok(())
}

fn described(identity: &Identity) -> Json {
    Json::object([
        ("name", Json::from(identity.name())),
        ("key_id", identity.key_id().into()),
        ("public_key", identity.public_key().into()),
        ("created_at", identity.created_at().into()),
    ])
}

fn show(identity: &Identity, json: bool) {
    if json {
        output::outln(&described(identity).canonical());
        return;
    }
    output::outln(&format!("name:       {}", identity.name()));
    output::outln(&format!("public key: {}", identity.public_key()));
    output::outln(&format!("key id:     {}", identity.key_id()));
    output::outln(&format!("made:       {}", identity.created_at()));
}
