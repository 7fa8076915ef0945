use super::*;

fn graph(files: &[(&'static str, &'static str)]) -> ModuleGraph {
    let library: fn(&str) -> Option<&'static str> =
        |name| (name == "math").then_some("pub fn clamp(x) { return x }");
    let mut loader =
        files.iter().fold(InMemory::new(library), |loader, (path, text)| loader.with(path, *text));
    load("main.harn", &mut loader).unwrap()
}

fn errors(files: &[(&'static str, &'static str)]) -> Vec<String> {
    graph(files).start_errors.into_iter().map(|e| e.text).collect()
}

fn entry_names(graph: &ModuleGraph) -> Vec<String> {
    let entry = graph.module(graph.entry).unwrap();
    let mut names: Vec<String> = entry.imported.keys().map(|k| k.to_string()).collect();
    names.sort();
    names
}

#[test]
fn a_wildcard_import_binds_every_exported_name() {
    let g = graph(&[
        ("/memory/main.harn", "import \"lib/a\"\n"),
        (
            "/memory/lib/a.harn",
            "pub fn f() { return 1 }\nfn hidden() { return 2 }\npub struct S { x: int }\n",
        ),
    ]);
    assert!(g.start_errors.is_empty());
    assert_eq!(entry_names(&g), ["S", "f"]);
    assert_eq!(g.entry, ModuleIndex(1));
}

#[test]
fn without_pub_functions_every_function_is_exported() {
    let g = graph(&[
        ("/memory/main.harn", "import \"a\"\n"),
        ("/memory/a.harn", "fn f() { return 1 }\nlet v = 2\n"),
    ]);
    assert_eq!(entry_names(&g), ["f"]);
}

#[test]
fn names_that_are_missing_private_or_unreadable_are_start_errors() {
    let lib = ("/memory/a.harn", "pub fn f() { return 1 }\nfn g() { return 1 }\nlet v = 1\n");
    assert_eq!(
        errors(&[("/memory/main.harn", "import { v } from \"a\"\n"), lib]),
        ["Import error: 'v' is not defined in a.harn"]
    );
    assert_eq!(
        errors(&[("/memory/main.harn", "import { g } from \"a\"\n"), lib]),
        ["Import error: 'g' is not exported by a.harn"]
    );
    assert_eq!(
        errors(&[("/memory/main.harn", "import \"b\"\nimport \"std/none\"\n")]),
        [
            "Import error: cannot read 'b.harn': No such file or directory (os error 2)",
            "Unknown stdlib module: std/none"
        ]
    );
}

#[test]
fn a_module_that_does_not_parse_is_a_start_error() {
    let found = errors(&[("/memory/main.harn", "import \"a\"\n"), ("/memory/a.harn", "pub fn oops( {\n")]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("Import parse error: "), "{found:?}");
    let found = errors(&[("/memory/main.harn", "import \"a\"\n"), ("/memory/a.harn", "let a = &\n")]);
    assert!(found[0].starts_with("Import lex error: "), "{found:?}");
}

#[test]
fn two_functions_of_one_name_collide_but_one_function_by_two_ways_does_not() {
    let found = errors(&[
        ("/memory/main.harn", "import \"a\"\nimport \"b\"\n"),
        ("/memory/a.harn", "pub fn f() { return 1 }\n"),
        ("/memory/b.harn", "pub fn f() { return 2 }\n"),
    ]);
    assert_eq!(
        found,
        [
            "Import collision: 'f' is already defined when importing b.harn. Use selective imports to disambiguate: \
          import { f } from \"...\""
        ]
    );
    let g = graph(&[
        ("/memory/main.harn", "import \"a\"\nimport { f } from \"c\"\nimport \"a.harn\"\n"),
        ("/memory/a.harn", "pub fn f() { return 1 }\n"),
        ("/memory/c.harn", "pub import \"a\"\n"),
    ]);
    assert!(g.start_errors.is_empty(), "{:?}", g.start_errors);
    assert_eq!(g.modules.len(), 3);
}

#[test]
fn re_exports_pass_through_cycles() {
    let g = graph(&[
        ("/memory/main.harn", "import \"a\"\n"),
        ("/memory/a.harn", "pub import \"b\"\npub fn fa() { return fb() }\n"),
        ("/memory/b.harn", "pub import \"a\"\npub fn fb() { return fa() }\n"),
    ]);
    assert!(g.start_errors.is_empty(), "{:?}", g.start_errors);
    assert_eq!(entry_names(&g), ["fa", "fb"]);
}

#[test]
fn re_export_errors_name_the_path_as_written() {
    assert_eq!(
        errors(&[
            ("/memory/main.harn", "pub import { x } from \"a\"\n"),
            ("/memory/a.harn", "pub fn f() { return 1 }\n")
        ]),
        ["Re-export error: 'x' is not exported by 'a'"]
    );
    assert_eq!(
        errors(&[
            ("/memory/main.harn", "pub import \"a\"\npub fn f() { return 2 }\n"),
            ("/memory/a.harn", "pub fn f() { return 1 }\n")
        ]),
        ["Re-export collision: 'f' is defined here and also re-exported from 'a'"]
    );
}

#[test]
fn a_library_module_comes_from_the_loader() {
    let g = graph(&[("/memory/main.harn", "import { clamp } from \"std/math\"\n")]);
    assert!(g.start_errors.is_empty());
    assert_eq!(g.modules[0].origin, Origin::Std);
    assert_eq!(&*g.modules[0].key, "std/math");
}

#[test]
fn packages_are_found_above_and_through_their_exports() {
    let g = graph(&[
        ("/memory/main.harn", "import \"kit\"\nimport \"kit/extra\"\nimport \"kit/deep/two\"\n"),
        ("/memory/.harn/packages/kit/lib.harn", "pub fn one() { return 1 }\n"),
        ("/memory/.harn/packages/kit/harn.toml", "[exports]\nextra = \"src/x.harn\"\n"),
        ("/memory/.harn/packages/kit/src/x.harn", "pub fn x() { return 1 }\n"),
        ("/memory/.harn/packages/kit/deep/two.harn", "pub fn two() { return 1 }\n"),
    ]);
    assert!(g.start_errors.is_empty(), "{:?}", g.start_errors);
    assert_eq!(entry_names(&g), ["one", "two", "x"]);
}

#[test]
fn the_walk_to_packages_stops_at_the_repository() {
    let found = errors(&[
        ("/memory/main.harn", "import \"kit\"\n"),
        ("/memory/.git/HEAD", ""),
        ("/.harn/packages/kit/lib.harn", "pub fn one() { return 1 }\n"),
    ]);
    assert_eq!(found.len(), 1);
}

#[test]
fn exports_that_leave_the_package_are_not_followed() {
    let found = errors(&[
        ("/memory/main.harn", "import \"kit/out\"\n"),
        ("/memory/.harn/packages/kit/harn.toml", "[exports]\nout = \"../../../secret.harn\"\n"),
        ("/memory/secret.harn", "pub fn s() { return 1 }\n"),
    ]);
    assert_eq!(found.len(), 1);
}
