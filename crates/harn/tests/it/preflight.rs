//! `harn check`: what a program needs around it, and the table of providers.

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
