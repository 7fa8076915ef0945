//! URLs and paths as text (spec 05 section 5.12, 06 section 1.2).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::Read;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "url_parse",
        "fn(text: any) -> dict",
        "The parts of a URL, normalised by the WHATWG rules.",
        r#"url_parse("https://Example.com:443/a?x=1").host // example.com"#,
    ),
    B::native(
        "url_build",
        "fn(parts: dict) -> string",
        "The URL of parts.",
        r#"url_build({scheme: "https", host: "example.com", path: "/a b"}) // https://example.com/a%20b"#,
    ),
    B::native(
        "query_parse",
        "fn(text: any) -> list",
        "The parameters of a query string as `{key, value}` dicts.",
        r#"query_parse("?a=1&b=x+y") // [{key: a, value: 1}, {key: b, value: x y}]"#,
    ),
    B::native(
        "query_stringify",
        "fn(items: list) -> string",
        "The query string of `{key, value}` dicts.",
        r#"query_stringify([{key: "a b", value: 1}]) // a+b=1"#,
    ),
    B::native(
        "path_join",
        "fn(...parts: any) -> string",
        "The parts with `/` between them; an absolute part starts anew.",
        r#"path_join("a", "b") // a/b"#,
    ),
    B::native(
        "path_normalize",
        "fn(path: any) -> string",
        "The path without `.`, `..` and surplus slashes.",
        r#"path_normalize("a/./b//../c/") // a/c"#,
    ),
    B::native(
        "path_parts",
        "fn(path: any) -> dict",
        "The parts of a path: `dir`, `file`, `stem`, `ext` and `segments`.",
        r#"path_parts("/srv/main.rs").stem // main"#,
    ),
    B::native(
        "path_parent",
        "fn(path: any) -> string",
        "The path without its last segment.",
        r#"path_parent("/a/b") // /a"#,
    ),
    B::native(
        "path_basename",
        "fn(path: any) -> string",
        "The last segment.",
        r#"path_basename("a/b.txt") // b.txt"#,
    ),
    B::native(
        "path_stem",
        "fn(path: any) -> string",
        "The last segment without its extension.",
        r#"path_stem("a/b.txt") // b"#,
    ),
    B::native(
        "path_extension",
        "fn(path: any) -> string",
        "The extension with its dot.",
        r#"path_extension("a/b.txt") // .txt"#,
    ),
    B::native(
        "path_with_extension",
        "fn(path: any, ext: any) -> string",
        "The path with another extension.",
        r#"path_with_extension("a/b.txt", "md") // a/b.md"#,
    ),
    B::native(
        "path_with_stem",
        "fn(path: any, stem: any) -> string",
        "The path with another file name before the extension.",
        r#"path_with_stem("a/b.txt", "c") // a/c.txt"#,
    ),
    B::native(
        "path_is_absolute",
        "fn(path: any) -> bool",
        "Whether the path starts at a root.",
        r#"path_is_absolute("/a") // true"#,
    ),
    B::native(
        "path_is_relative",
        "fn(path: any) -> bool",
        "Whether the path does not start at a root.",
        r#"path_is_relative("/a") // false"#,
    ),
    B::native(
        "path_relative_to",
        "fn(path: any, base: any) -> any",
        "The way from `base` to the path, nil when there is none.",
        r#"path_relative_to("/a/b/c", "/a/x") // ../b/c"#,
    ),
    B::native(
        "path_segments",
        "fn(path: any) -> list",
        "The segments of a path.",
        r#"path_segments("/a/b") // [a, b]"#,
    ),
    B::native(
        "path_to_posix",
        "fn(path: any) -> string",
        "The path with forward slashes.",
        r#"path_to_posix("a\\b") // a/b"#,
    ),
    B::native(
        "path_to_native",
        "fn(path: any) -> string",
        "The path with forward slashes.",
        r#"path_to_native("a\\b") // a/b"#,
    ),
    B::native(
        "dirname",
        "fn(path: any) -> string",
        "The directory part of a native path.",
        r#"dirname("a/b.c") // a"#,
    ),
    B::native(
        "basename",
        "fn(path: any) -> string",
        "The last part of a native path.",
        r#"basename("a/b.c") // b.c"#,
    ),
    B::native(
        "extname",
        "fn(path: any) -> string",
        "The extension of a native path with its dot.",
        r#"extname("a/b.c") // .c"#,
    ),
    B::prelude(
        "paths",
        "path_workspace_info",
        "fn(path: any, root?: any) -> dict",
        "What a path is to a workspace.",
        r#"path_workspace_info("").reason // path is empty"#,
    )
    .effect(Read),
    B::prelude(
        "paths",
        "path_workspace_normalize",
        "fn(path: any, root?: any) -> string | nil",
        "The path inside a workspace, nil when it is not in it.",
        r#"path_workspace_normalize("a/../b") // b"#,
    )
    .effect(Read),
];
