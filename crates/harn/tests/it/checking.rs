//! `harn check` and its project: what a program needs around it, what the manifest says, the table of providers.

use crate::place::Place;

/// A program that names things that are not there.
const NEEDY: &str = "pipeline main(task) {\n  println(render(\"page.prompt\", {}))\n  \
                     println(exec_at(\"nowhere\", \"ls\"))\n  println(host_call(\"project.scan\", {}))\n}\n";

fn messages(place: &Place, args: &[&str]) -> Vec<String> {
    let done = place.harn(&[&["check", "--format", "short", "main.harn"], args].concat());
    done.out().lines().map(str::to_owned).collect()
}

#[test]
fn templates_directories_and_host_operations_are_looked_for() {
    let place = Place::new();
    place.file("main.harn", NEEDY);
    insta::assert_snapshot!(messages(&place, &[]).join("\n"), @r"
    main.harn:2:11: error[preflight]: preflight: render target 'page.prompt' does not exist at page.prompt
    main.harn:3:11: error[preflight]: preflight: execution directory 'nowhere' does not exist at nowhere
    main.harn:4:11: error[preflight]: preflight: unknown host capability/operation 'project.scan'
    ");
    assert_eq!(messages(&place, &["--preflight", "off"]), Vec::<String>::new());
}

#[test]
fn the_manifest_and_the_flags_say_what_is_there() {
    let place = Place::new();
    place.file("main.harn", NEEDY);
    place.file(
        "harn.toml",
        "[check]\nhost_capabilities = {project = [\"scan\"]}\npreflight_severity = \"warning\"\n",
    );
    std::fs::create_dir_all(place.dir.path().join("bundle")).unwrap();
    place.file("bundle/page.prompt", "{{ if x }}");
    insta::assert_snapshot!(messages(&place, &["--bundle-root", "bundle"]).join("\n"), @r"
    main.harn:2:11: warning[preflight]: preflight: template 'page.prompt' has a syntax error: at 1:1: `{{ if }}` missing matching `{{ end }}`
    main.harn:3:11: warning[preflight]: preflight: execution directory 'nowhere' does not exist at nowhere
    ");
    place.file("harn.toml", "[check]\npreflight_allow = [\"project.*\"]\n");
    assert!(!messages(&place, &[]).iter().any(|line| line.contains("project.scan")));
    place.file("harn.toml", "");
    place.file("host.json", "{\"project\": {\"ops\": [\"scan\"]}}");
    assert!(
        !messages(&place, &["--host-capabilities", "host.json"]).iter().any(|line| line.contains("project"))
    );
}

#[test]
fn what_a_program_scripts_or_declares_itself_is_there() {
    let place = Place::new();
    place.file(
        "main.harn",
        "fn render(name) { return name }\n\npipeline main(task) {\n  host_mock(\"svc\", \"ping\", {result: 1})\n  \
         println(host_call(\"svc.ping\", {}))\n  println(render(\"any\"))\n}\n",
    );
    assert_eq!(messages(&place, &[]), Vec::<String>::new());
}

#[test]
fn a_severity_that_is_none_is_refused() {
    let place = Place::new();
    place.file("main.harn", "println(1)\n");
    assert_eq!(place.harn(&["check", "--preflight", "loud", "main.harn"]).code(), Some(2));
    place.file("harn.toml", "[check]\npreflight_severity = \"loud\"\n");
    let done = place.harn(&["check", "main.harn"]);
    assert_eq!(done.err(), "error: preflight_severity is 'loud', expected error, warning or off\n");
}

#[test]
fn the_provider_matrix_lists_models_by_feature() {
    let place = Place::new();
    let done = place.harn(&["check", "--provider-matrix", "--filter", "audio"]);
    assert!(done.out().starts_with("provider  model"), "{}", done.out());
    assert!(done.out().lines().skip(1).all(|line| line.contains("audio")), "{}", done.out());
    let done = place.harn(&["check", "--provider-matrix", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&done.out()).unwrap();
    assert!(rows.as_array().unwrap().iter().any(|row| row["provider"] == "anthropic"));
    let done = place.harn(&["check", "--provider-matrix", "--filter", "vison"]);
    assert_eq!(done.code(), Some(2));
    assert!(done.err().contains("no feature is called `vison`"), "{}", done.err());
}

#[test]
fn a_manifest_that_cannot_be_read_fails_every_command_that_reads_it() {
    let place = Place::new();
    place.file("main.harn", "pipeline test_a(task) {\n  assert(true)\n}\n");
    place.file("harn.toml", "x = [");
    let on_program =
        ["check", "lint", "fmt", "test", "run", "profile", "bench"].map(|name| vec![name, "main.harn"]);
    let others =
        [vec!["run", "-e", "println(1)"], vec!["repl"], vec!["hitl", "list"], vec!["autonomy", "status"]];
    for (manifest, told) in [
        ("x = [", "harn.toml: line 1, column 6: unclosed array"),
        (
            "[fmt]\nline_width = 8\n",
            "harn.toml: line 2, column 14: [fmt] line_width must be a whole number from 20",
        ),
        ("[hitl]\nrequire_signatures = 1\n", "harn.toml: [hitl] require_signatures must be true or false"),
    ] {
        place.file("harn.toml", manifest);
        for args in on_program.iter().chain(&others) {
            let done = place.harn(args);
            assert_eq!(done.code(), Some(1), "{args:?}: {}{}", done.out(), done.err());
            assert!(done.err().contains(told), "{args:?}: {}", done.err());
            assert!(!done.out().contains("1\n"), "{args:?} ran: {}", done.out());
        }
    }
}

#[test]
fn strict_runtime_of_the_manifest_is_the_flag_strict() {
    let place = Place::new();
    place.file("main.harn", "pipeline test_a(task) {\n  let x: any = 5\n  println(x.frobnicate())\n}\n");
    assert_eq!(place.harn(&["run", "main.harn"]).code(), Some(0));
    let strict = place.harn(&["run", "--strict", "main.harn"]);
    assert_eq!(strict.code(), Some(1));
    place.file("harn.toml", "[check]\nstrict_runtime = true\n");
    assert_eq!(place.harn(&["run", "main.harn"]).err(), strict.err());
    assert_eq!(place.harn(&["test", "main.harn"]).code(), Some(1));
}

#[test]
fn keys_and_rules_that_do_not_exist_are_warned_of_once() {
    let place = Place::new();
    place.file("a.harn", "println(1)\n");
    place.file("b.harn", "println(1)\n");
    place.file("harn.toml", "[lint]\ndisabled = [\"unused-varible\"]\n[chekc]\nstrict = true\n");
    let done = place.harn(&["lint", "."]);
    let path = place.dir.path().canonicalize().unwrap();
    let told = done.err().replace(&*path.to_string_lossy(), "PLACE");
    assert_eq!(
        told,
        "warning: PLACE/harn.toml: unknown key `chekc`; did you mean `check`?\n\
         warning: PLACE/harn.toml: no lint rule is called `unused-varible`; did you mean `unused-variable`?\n"
    );
}

#[test]
fn every_code_and_rule_is_explained_with_two_programs() {
    let place = Place::new();
    for line in place.harn(&["explain"]).out().lines() {
        let code = line.split_whitespace().next().unwrap();
        let text = place.harn(&["explain", code]).out();
        assert!(text.contains("\nWrong") && text.contains("\nRight:\n"), "{code}: {text}");
    }
    let done = place.harn(&["explain", "unused-varable"]);
    assert_eq!(done.err(), "error: unknown code or rule `unused-varable`; did you mean `unused-variable`?\n");
}
