//! Mistakes with the commands that read the event log: each is told with its mend, and leaves nothing behind.

use crate::place::Place;

#[test]
fn in_a_folder_without_a_log_the_commands_say_where_they_looked() {
    let place = Place::new();
    for args in [
        &["hitl", "show", "x"][..],
        &["hitl", "approve", "x"],
        &["hitl", "revoke", "x"],
        &["resume", "run_x"],
        &["trust", "verify-chain"],
        &["trust", "explain", "x"],
        &["trust", "prove", "x"],
        &["trust", "export"],
    ] {
        let done = place.harn(args);
        assert!(done.err().starts_with("error: there is no event log at "), "{args:?} {}", done.err());
        assert!(done.err().contains("/.harn/events.sqlite: nothing was decided"), "{args:?} {}", done.err());
        assert!(done.err().contains("HARN_STATE_DIR"), "{args:?}");
        assert_eq!((done.out().as_str(), done.code()), ("", Some(1)), "{args:?}");
    }
    for (args, out) in [
        (&["hitl", "list"][..], ""),
        (&["hitl", "list", "--json"], "[]\n"),
        (&["resume", "--list"], ""),
        (&["trust", "query"], ""),
        (&["autonomy", "status"], "no agent has decided anything yet\n"),
    ] {
        let done = place.harn(args);
        assert!(done.err().starts_with("note: there is no event log at "), "{args:?} {}", done.err());
        assert_eq!((done.out().as_str(), done.code()), (out, Some(0)), "{args:?}");
    }
    assert!(!place.dir.path().join(".harn").exists());
}

#[test]
fn an_unknown_name_is_told_with_the_command_that_lists_the_known_ones() {
    let place = Place::new();
    assert_eq!(place.run("event_log.emit(\"topic\", \"kind\", {})\n").code(), Some(0));
    for (args, mend) in [
        (&["hitl", "show", "x"][..], "unknown HITL request id 'x' in "),
        (&["hitl", "deny", "x"], "`harn hitl list` shows what waits"),
        (&["hitl", "revoke", "x"], "unknown grant 'x': `harn hitl grants` lists"),
        (&["hitl", "approve", "--all", "--key", "k"], "`harn hitl list`"),
        (&["resume", "run_x"], "`harn resume --list` shows"),
        (&["trust", "explain", "x"], "`harn trust query` and `harn hitl list` show some"),
        (&["trust", "prove", "x"], "`harn trust query --json` shows"),
        (&["trust", "query", "--since", "noon"], "expected RFC3339"),
        (&["trust", "promote", "a", "--to", "boss"], "expected shadow|suggest|act-with-approval|act-auto"),
        (&["identity", "show", "x"], "`harn identity list`"),
    ] {
        let mut command = place.command(args);
        command.env("HOME", place.dir.path());
        let done = crate::place::Done(command.output().unwrap());
        assert!(done.err().contains(mend), "{args:?} {}", done.err());
        assert_eq!(done.code(), Some(1), "{args:?}");
    }
}

#[test]
fn what_is_wrong_with_a_command_line_comes_with_its_usage() {
    let place = Place::new();
    for (args, usage) in [
        (&["run"][..], "Usage: harn run [OPTIONS] [FILE]"),
        (&["check"], "Usage: harn check [OPTIONS]"),
        (&["lint"], "Usage: harn lint"),
        (&["test"], "Usage: harn test [OPTIONS]"),
        (&["resume"], "Usage: harn resume [OPTIONS] [RUN]"),
        (&["repl", "--deny", "printn"], "Usage: harn repl"),
        (&["serve"], "Usage: harn <COMMAND>"),
        (&["bench", "-n", "0", "a.harn"], "Usage: harn bench"),
    ] {
        let done = place.harn(args);
        assert!(done.err().starts_with("error: "), "{args:?} {}", done.err());
        assert!(done.err().contains(usage), "{args:?} {}", done.err());
        assert_eq!((done.out().as_str(), done.code()), ("", Some(2)), "{args:?}");
    }
}
