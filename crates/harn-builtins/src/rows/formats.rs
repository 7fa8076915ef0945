//! YAML, TOML, CSV, compression and archives (spec 05 sections 5.5 and 5.8).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "yaml_parse",
        "fn(text: any) -> any",
        "The value of a YAML text.",
        r#"yaml_parse("a: [1, true]") // {a: [1, true]}"#,
    ),
    B::native(
        "yaml_stringify",
        "fn(x: any) -> string",
        "The value as YAML in block style.",
        r#"yaml_stringify({a: [1]}) == "a:\n- 1\n" // true"#,
    ),
    B::native(
        "toml_parse",
        "fn(text: any) -> any",
        "The value of a TOML text.",
        r#"toml_parse("[a]\nb = 1") // {a: {b: 1}}"#,
    ),
    B::native(
        "toml_stringify",
        "fn(x: dict) -> string",
        "The dict as TOML.",
        r#"toml_stringify({a: 1}).trim() // a = 1"#,
    ),
    B::native(
        "csv_parse",
        "fn(text: any, options?: dict) -> list",
        "The rows of a CSV text as lists, or with `headers: true` as dicts.",
        r#"csv_parse("a,b\n1,2", {headers: true}) // [{a: 1, b: 2}]"#,
    ),
    B::native(
        "csv_stringify",
        "fn(rows: list, options?: dict) -> string",
        "Rows as CSV.",
        r#"csv_stringify([["a", "b,c"]]).trim() // a,"b,c""#,
    ),
    B::native(
        "gzip_encode",
        "fn(x: any, level?: int) -> bytes",
        "Text or bytes compressed by gzip.",
        r#"bytes_to_string(gzip_decode(gzip_encode("hi"))) // hi"#,
    ),
    B::native(
        "gzip_decode",
        "fn(b: bytes) -> bytes",
        "The bytes that gzip compressed.",
        r#"bytes_to_string(gzip_decode(gzip_encode("hi"))) // hi"#,
    ),
    B::native(
        "zstd_encode",
        "fn(x: any, level?: int) -> bytes",
        "Text or bytes compressed by Zstandard.",
        r#"bytes_to_string(zstd_decode(zstd_encode("hi"))) // hi"#,
    ),
    B::native(
        "zstd_decode",
        "fn(b: bytes) -> bytes",
        "The bytes that Zstandard compressed.",
        r#"bytes_to_string(zstd_decode(zstd_encode("hi"))) // hi"#,
    ),
    B::native(
        "brotli_encode",
        "fn(x: any, quality?: int) -> bytes",
        "Text or bytes compressed by Brotli.",
        r#"bytes_to_string(brotli_decode(brotli_encode("hi"))) // hi"#,
    ),
    B::native(
        "brotli_decode",
        "fn(b: bytes) -> bytes",
        "The bytes that Brotli compressed.",
        r#"bytes_to_string(brotli_decode(brotli_encode("hi"))) // hi"#,
    ),
    B::native(
        "tar_create",
        "fn(entries: list) -> bytes",
        "A tar archive of `{path, content, mode?}` entries.",
        r#"tar_extract(tar_create([{path: "a", content: "x"}])).first.path // a"#,
    ),
    B::native(
        "tar_extract",
        "fn(b: bytes) -> list",
        "The files of a tar archive; their paths are not checked.",
        r#"tar_extract(tar_create([{path: "a", content: "x"}])).count // 1"#,
    ),
    B::native(
        "zip_create",
        "fn(entries: list) -> bytes",
        "A zip archive of `{path, content}` entries.",
        r#"zip_extract(zip_create([{path: "a", content: "x"}])).first.path // a"#,
    ),
    B::native(
        "zip_extract",
        "fn(b: bytes) -> list",
        "The files of a zip archive; their paths are not checked.",
        r#"zip_extract(zip_create([{path: "a", content: "x"}])).count // 1"#,
    ),
];
