//! Bytes and text encodings (spec 05 section 5.6).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "bytes_from_string",
        "fn(s: string) -> bytes",
        "The UTF-8 bytes of a text.",
        r#"bytes_from_string("hi") // b"6869""#,
    ),
    B::native(
        "bytes_to_string",
        "fn(b: bytes) -> string",
        "The text of UTF-8 bytes.",
        r#"bytes_to_string(bytes_from_hex("6869")) // hi"#,
    ),
    B::native(
        "bytes_to_string_lossy",
        "fn(b: bytes) -> string",
        "The text of bytes, with U+FFFD for invalid sequences.",
        r#"bytes_to_string_lossy(bytes_from_hex("68")) // h"#,
    ),
    B::native(
        "bytes_to_hex",
        "fn(b: bytes) -> string",
        "Bytes as lower-case hexadecimal digits.",
        r#"bytes_to_hex(bytes_from_string("hi")) // 6869"#,
    ),
    B::native(
        "bytes_from_hex",
        "fn(s: string) -> bytes",
        "The bytes of hexadecimal digits.",
        r#"bytes_from_hex("FF") // b"ff""#,
    ),
    B::native(
        "bytes_to_base64",
        "fn(b: bytes) -> string",
        "Bytes as base64.",
        r#"bytes_to_base64(bytes_from_string("hi")) // aGk="#,
    ),
    B::native(
        "bytes_from_base64",
        "fn(s: string) -> bytes",
        "The bytes of base64.",
        r#"bytes_from_base64("aGk=") // b"6869""#,
    ),
    B::native(
        "bytes_len",
        "fn(b: bytes) -> int",
        "The number of bytes.",
        r#"bytes_len(bytes_from_string("hi")) // 2"#,
    ),
    B::native(
        "bytes_concat",
        "fn(a: bytes, b: bytes) -> bytes",
        "One run of bytes after the other.",
        r#"bytes_concat(bytes_from_hex("01"), bytes_from_hex("02")) // b"0102""#,
    ),
    B::native(
        "bytes_slice",
        "fn(b: bytes, start: int, end: int) -> bytes",
        "The bytes from `start` to before `end`.",
        r#"bytes_slice(bytes_from_hex("010203"), 1, 9) // b"0203""#,
    ),
    B::native(
        "bytes_eq",
        "fn(a: bytes, b: bytes) -> bool",
        "Whether bytes are equal, compared in constant time.",
        r#"bytes_eq(bytes_from_hex("01"), bytes_from_hex("01")) // true"#,
    ),
    B::native(
        "base64_encode",
        "fn(x: any) -> string",
        "Text or bytes as base64.",
        r#"base64_encode("hi") // aGk="#,
    ),
    B::native("base64_decode", "fn(s: any) -> any", "The text of base64.", r#"base64_decode("aGk=") // hi"#),
    B::native(
        "base64url_encode",
        "fn(x: any) -> string",
        "Text or bytes as URL-safe base64 without padding.",
        r#"base64url_encode("hi") // aGk"#,
    ),
    B::native(
        "base64url_decode",
        "fn(s: any) -> any",
        "The text of URL-safe base64.",
        r#"base64url_decode("aGk") // hi"#,
    ),
    B::native(
        "base32_encode",
        "fn(x: any) -> string",
        "Text or bytes as base32.",
        r#"base32_encode("hi") // NBUQ===="#,
    ),
    B::native(
        "base32_decode",
        "fn(s: any) -> any",
        "The text of base32.",
        r#"base32_decode("NBUQ====") // hi"#,
    ),
    B::native(
        "hex_encode",
        "fn(x: any) -> string",
        "Text or bytes as lower-case hexadecimal digits.",
        r#"hex_encode("hi") // 6869"#,
    ),
    B::native(
        "hex_decode",
        "fn(s: any) -> any",
        "The text of hexadecimal digits.",
        r#"hex_decode("6869") // hi"#,
    ),
    B::native(
        "url_encode",
        "fn(x: any) -> string",
        "Text with everything but `A-Za-z0-9-_.~` percent-encoded.",
        r#"url_encode("a b/c") // a%20b%2Fc"#,
    ),
    B::native(
        "url_decode",
        "fn(s: any) -> any",
        "Text with percent escapes decoded and `+` as a space.",
        r#"url_decode("a%20b+c") // a b c"#,
    ),
];
