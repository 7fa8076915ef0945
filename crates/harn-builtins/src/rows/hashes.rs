//! Hashes and message authentication (spec 05 section 5.7).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "sha224",
        "fn(x: any) -> string",
        "The SHA-224 hash, in hexadecimal.",
        r#"sha224("") // d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f"#,
    ),
    B::native(
        "sha256",
        "fn(x: any) -> string",
        "The SHA-256 hash, in hexadecimal.",
        r#"sha256("abc") // ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"#,
    ),
    B::native(
        "sha384",
        "fn(x: any) -> string",
        "The SHA-384 hash, in hexadecimal.",
        r#"len(sha384("abc")) // 96"#,
    ),
    B::native(
        "sha512",
        "fn(x: any) -> string",
        "The SHA-512 hash, in hexadecimal.",
        r#"len(sha512("abc")) // 128"#,
    ),
    B::native(
        "sha512_256",
        "fn(x: any) -> string",
        "The SHA-512/256 hash, in hexadecimal.",
        r#"len(sha512_256("abc")) // 64"#,
    ),
    B::native(
        "md5",
        "fn(x: any) -> string",
        "The MD5 hash, in hexadecimal; not for security.",
        r#"md5("abc") // 900150983cd24fb0d6963f7d28e17f72"#,
    ),
    B::native(
        "sha3_256",
        "fn(x: any) -> string",
        "The SHA3-256 hash, in hexadecimal.",
        r#"sha3_256("abc") // 3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"#,
    ),
    B::native(
        "sha3_512",
        "fn(x: any) -> string",
        "The SHA3-512 hash, in hexadecimal.",
        r#"len(sha3_512("abc")) // 128"#,
    ),
    B::native(
        "blake3",
        "fn(x: any) -> string",
        "The BLAKE3 hash, in hexadecimal.",
        r#"blake3("") // af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"#,
    ),
    B::native(
        "hash_value",
        "fn(x: any) -> int",
        "A fast hash of a value's structure; not for security.",
        "hash_value({a: 1}) == hash_value({a: 1}) // true",
    ),
    B::native(
        "hmac_sha256",
        "fn(key: any, message: any) -> string",
        "The HMAC-SHA256 of a message, in hexadecimal.",
        r#"hmac_sha256("key", "The quick brown fox jumps over the lazy dog") // f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"#,
    ),
    B::native(
        "hmac_sha256_base64",
        "fn(key: any, message: any) -> string",
        "The HMAC-SHA256 of a message, in base64.",
        r#"len(hmac_sha256_base64("k", "m")) // 44"#,
    ),
    B::native(
        "constant_time_eq",
        "fn(a: any, b: any) -> bool",
        "Whether two texts are equal, compared in constant time.",
        r#"constant_time_eq("a", "a") // true"#,
    ),
];
