//! New projects and what is said about the place they stand in.

use crate::place::Place;

fn steps(place: &Place, project: &str, commands: &[&[&str]]) {
    for args in commands {
        let done = place.command(args).current_dir(place.dir.path().join(project)).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(done.status.success(), "{project} {args:?}: {}{}", text(&done.stdout), text(&done.stderr));
        assert_eq!(text(&done.stderr), "", "{project} {args:?}");
    }
}

#[test]
fn every_template_is_clean_and_green_as_it_is() {
    let place = Place::new();
    for template in ["script", "agent", "package"] {
        assert_eq!(place.harn(&["new", template, &format!("my-{template}")]).code(), Some(0));
        let commands: [&[&str]; 4] = [&["check", "."], &["lint", "."], &["fmt", "--check", "."], &["test"]];
        steps(&place, &format!("my-{template}"), &commands);
    }
    for template in ["script", "agent"] {
        steps(&place, &format!("my-{template}"), &[&["run", "main.harn"]]);
    }
}

#[test]
fn what_exists_is_kept() {
    let place = Place::new();
    place.file("main.harn", "println(1)");
    let done = place.harn(&["init"]);
    assert!(done.out().contains("  skip  main.harn (already exists)\n"), "{}", done.out());
    assert!(done.out().contains("  create  harn.toml\n"), "{}", done.out());
    assert_eq!(std::fs::read_to_string(place.dir.path().join("main.harn")).unwrap(), "println(1)");
    std::fs::create_dir(place.dir.path().join("here")).unwrap();
    let twice = place.harn(&["new", "here"]);
    assert_eq!((twice.err().as_str(), twice.code()), ("error: Directory 'here' already exists\n", Some(1)));
}

#[test]
fn a_wrong_template_names_the_right_ones() {
    let place = Place::new();
    let done = place.harn(&["new", "script", "a", "--template", "agnet"]);
    assert_eq!(done.code(), Some(2));
    let done = place.harn(&["new", "a", "--template", "agnet"]);
    assert!(done.err().starts_with("error: unknown template 'agnet', expected one of script, basic, agent"));
    assert_eq!(done.code(), Some(2));
}

#[test]
fn doctor_names_keys_without_their_values_and_mends() {
    let place = Place::new();
    place.file("harn.toml", "[lint]\ndisable = []\n");
    let mut command = place.command(&["doctor", "--no-network"]);
    for name in ["ANTHROPIC_API_KEY", "OPENROUTER_API_KEY"] {
        command.env_remove(name);
    }
    let done = command.env("OPENAI_API_KEY", "sk-very-secret").output().unwrap();
    let out = String::from_utf8_lossy(&done.stdout);
    assert!(out.starts_with("Harn doctor\n\n  OK  harn  v"), "{out}");
    assert!(out.contains("  OK  key  OPENAI_API_KEY is set (openai)\n"), "{out}");
    assert!(!out.contains("sk-very-secret"), "{out}");
    assert!(
        out.contains(
            "WARN  manifest  unknown key `lint.disable`\n      mend: did you mean `lint.disabled`?\n"
        ),
        "{out}"
    );
    assert_eq!(done.status.code(), Some(0));
    place.file("harn.toml", "[package]\nname = \n");
    let broken = place.harn(&["doctor", "--no-network"]);
    assert!(broken.out().contains("FAIL  manifest  failed to parse"), "{}", broken.out());
    assert!(broken.out().contains("line 2"), "{}", broken.out());
    assert_eq!(broken.code(), Some(1));
    assert!(!place.dir.path().join(".harn").exists());
}

#[test]
fn completions_and_manual_pages_cover_every_command() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.harn(&["completions", shell]).out();
        assert!(script.contains("doctor") && script.contains("verify-chain"), "{shell}");
    }
    assert!(place.harn(&["man", "run"]).out().contains(".SH SYNOPSIS"));
    assert_eq!(place.harn(&["man", "--dir", "man1"]).code(), Some(0));
    assert!(place.dir.path().join("man1/harn-test.1").is_file());
}
