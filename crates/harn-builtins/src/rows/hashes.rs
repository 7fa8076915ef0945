//! Hashes, signatures, tokens, cookies and forms (spec 05 sections 5.7 and 5.17).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::Ambient;

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
    B::native(
        "ed25519_keypair",
        "fn() -> dict",
        "A new key pair for signatures: `private` and `public` in hexadecimal.",
        "len(ed25519_keypair().private) // 64",
    )
    .effect(Ambient),
    B::native(
        "ed25519_sign",
        "fn(private: any, message: any) -> string",
        "The signature of a message, in hexadecimal.",
        r#"let k = ed25519_keypair()
len(ed25519_sign(k.private, "m")) // 128"#,
    ),
    B::native(
        "ed25519_verify",
        "fn(public: any, message: any, signature: any) -> bool",
        "Whether a signature is that of the message.",
        r#"let k = ed25519_keypair()
ed25519_verify(k.public, "m", ed25519_sign(k.private, "m")) // true"#,
    ),
    B::native(
        "x25519_keypair",
        "fn() -> dict",
        "A new key pair for key agreement: `private` and `public` in hexadecimal.",
        "len(x25519_keypair().public) // 64",
    )
    .effect(Ambient),
    B::native(
        "x25519_agree",
        "fn(private: any, public: any) -> string",
        "The secret that two key pairs share, in hexadecimal.",
        r#"let a = x25519_keypair()
let b = x25519_keypair()
x25519_agree(a.private, b.public) == x25519_agree(b.private, a.public) // true"#,
    ),
    B::native(
        "jwt_verify",
        "fn(algorithm: any, token: any, key: any) -> dict",
        "The claims of a token whose signature is valid (`HS256`); does not look at `exp`.",
        r#"jwt_verify("none", "", "") // error: jwt_verify: unsupported algorithm 'none'"#,
    ),
    B::prelude(
        "web",
        "signed_url",
        "fn(base: any, claims: dict, secret: any, expires_at: int, options?: dict) -> string",
        "The URL with claims, an expiry and a signature.",
        r#"signed_url("/f", {u: 1}, "s", 9).starts_with("/f?exp=9&sig=") // true"#,
    ),
    B::prelude(
        "web",
        "verify_signed_url",
        "fn(url: any, keys: any, now: int, options?: dict) -> dict",
        "What the signature of a URL says.",
        r#"verify_signed_url(signed_url("/f", {u: 1}, "s", 9), "s", 5).reason // ok"#,
    ),
    B::prelude(
        "web",
        "cookie_parse",
        "fn(header: any) -> dict",
        "The cookies of a request.",
        r#"cookie_parse("a=1; b=2").cookies // {a: 1, b: 2}"#,
    ),
    B::prelude(
        "web",
        "cookie_serialize",
        "fn(name: any, value: any, options?: dict) -> string",
        "The text of a `Set-Cookie` header.",
        r#"cookie_serialize("a", "1", {path: "/"}) // a=1; Path=/"#,
    ),
    B::prelude(
        "web",
        "cookie_delete",
        "fn(name: any, options?: dict) -> string",
        "The text of a `Set-Cookie` header that deletes a cookie.",
        r#"cookie_delete("a").starts_with("a=; Path=/; Max-Age=0") // true"#,
    ),
    B::prelude(
        "web",
        "cookie_sign",
        "fn(value: any, secret: any) -> string",
        "A value with its signature.",
        r#"cookie_verify(cookie_sign("v", "s"), "s").value // v"#,
    ),
    B::prelude(
        "web",
        "cookie_verify",
        "fn(signed: any, secret: any) -> dict",
        "What the signature of a value says.",
        r#"cookie_verify("x", "s").error // malformed"#,
    ),
    B::prelude(
        "web",
        "cookie_round_trip",
        "fn(request_cookie: any, set_cookie: any) -> dict",
        "The request header after `Set-Cookie` values.",
        r#"cookie_round_trip("a=1", "b=2; Path=/").cookie_header // a=1; b=2"#,
    ),
    B::prelude(
        "web",
        "session_sign",
        "fn(payload: any, secret: any) -> string",
        "A signed session token.",
        r#"session_verify(session_sign({u: 1}, "s"), "s").payload // {u: 1}"#,
    ),
    B::prelude(
        "web",
        "session_verify",
        "fn(token: any, secret: any) -> dict",
        "The payload of a session token whose signature is valid.",
        r#"session_verify("x", "s").error // malformed"#,
    ),
    B::prelude(
        "web",
        "session_cookie",
        "fn(name: any, payload: any, secret: any, options?: dict) -> string",
        "A `Set-Cookie` header with a signed session.",
        r#"session_cookie("sid", {u: 1}, "s").starts_with("sid=v1.") // true"#,
    ),
    B::prelude(
        "web",
        "session_from_cookies",
        "fn(headers: any, name: any, secret: any) -> dict",
        "The signed session of a request.",
        r#"session_from_cookies("a=1", "sid", "s").error // missing_cookie"#,
    ),
    B::prelude(
        "web",
        "jwt_sign",
        "fn(algorithm: any, claims: dict, key: any) -> string",
        "A token of claims, signed with `HS256`.",
        r#"jwt_verify("HS256", jwt_sign("HS256", {sub: "ada"}, "k"), "k").claims.sub // ada"#,
    ),
    B::prelude(
        "web",
        "multipart_form_data",
        "fn(fields: list, options?: dict) -> dict",
        "The body of a form with files.",
        r#"multipart_form_data([{name: "a", content: "x"}], {boundary: "B"}).content_type // multipart/form-data; boundary=B"#,
    ),
    B::prelude(
        "web",
        "multipart_parse",
        "fn(body: any, content_type: any, options?: dict) -> dict",
        "The fields of a form with files.",
        r#"let form = multipart_form_data([{name: "a", content: "x"}])
multipart_parse(form.body, form.content_type).fields.first.text // x"#,
    ),
    B::prelude(
        "web",
        "multipart_field_bytes",
        "fn(field: dict) -> bytes",
        "The bytes of a form field.",
        r#"let form = multipart_form_data([{name: "a", content: "x"}])
multipart_field_bytes(multipart_parse(form.body, form.content_type).fields.first) // b"78""#,
    ),
    B::prelude(
        "web",
        "multipart_field_text",
        "fn(field: dict) -> string",
        "The text of a form field.",
        r#"let form = multipart_form_data([{name: "a", content: "x"}])
multipart_field_text(multipart_parse(form.body, form.content_type).fields.first) // x"#,
    ),
];
