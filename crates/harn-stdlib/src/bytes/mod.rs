//! Bytes and text encodings (spec 05 section 5.6).

mod percent;

use std::borrow::Cow;

use data_encoding::{BASE32, BASE64, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXLOWER_PERMISSIVE};
use harn_vm::{NativeResult, Value, View};

use crate::arguments::{Body, count, done, get, runtime_error, take, text};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("bytes_from_string", |_, a| match string("bytes_from_string", a, 0) {
        Ok(text) => done(Value::bytes(text.as_bytes().to_vec())),
        Err(error) => error,
    }),
    ("bytes_to_string", |_, a| match bytes("bytes_to_string", a, 0) {
        Ok(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => done(text),
            Err(e) => runtime_error(format!("bytes_to_string: invalid utf-8 {e}")),
        },
        Err(error) => error,
    }),
    ("bytes_to_string_lossy", |_, a| match bytes("bytes_to_string_lossy", a, 0) {
        Ok(bytes) => done(&*String::from_utf8_lossy(bytes)),
        Err(error) => error,
    }),
    ("bytes_to_hex", |_, a| encoded("bytes_to_hex", a, &HEXLOWER)),
    ("bytes_to_base64", |_, a| encoded("bytes_to_base64", a, &BASE64)),
    ("bytes_from_hex", |_, a| decoded("bytes_from_hex", a, &HEXLOWER_PERMISSIVE)),
    ("bytes_from_base64", |_, a| decoded("bytes_from_base64", a, &BASE64)),
    ("bytes_len", |_, a| match bytes("bytes_len", a, 0) {
        Ok(bytes) => done(count(bytes.len())),
        Err(error) => error,
    }),
    ("bytes_concat", |_, a| {
        if let Err(error) = bytes("bytes_concat", a, 0).and(bytes("bytes_concat", a, 1)) {
            return error;
        }
        let mut out = take(a, 0).into_bytes().unwrap_or_default();
        out.extend(take(a, 1).into_bytes().unwrap_or_default());
        done(Value::bytes(out))
    }),
    ("bytes_slice", |_, a| {
        let bytes = match bytes("bytes_slice", a, 0) {
            Ok(bytes) => bytes,
            Err(error) => return error,
        };
        let at = |i: usize| integer("bytes_slice", a, i).map(|n| clamp(n).min(bytes.len()));
        match (at(1), at(2)) {
            (Ok(start), Ok(end)) => done(Value::bytes(bytes.get(start..end).unwrap_or(&[]).to_vec())),
            (Err(error), _) | (_, Err(error)) => error,
        }
    }),
    ("bytes_eq", |_, a| match (bytes("bytes_eq", a, 0), bytes("bytes_eq", a, 1)) {
        (Ok(a), Ok(b)) => done(constant_time_eq(a, b)),
        (Err(error), _) | (_, Err(error)) => error,
    }),
    ("base64_encode", |_, a| done(BASE64.encode(&content(get(a, 0))))),
    ("base64url_encode", |_, a| done(BASE64URL_NOPAD.encode(&content(get(a, 0))))),
    ("base32_encode", |_, a| done(BASE32.encode(&content(get(a, 0))))),
    ("hex_encode", |_, a| done(HEXLOWER.encode(&content(get(a, 0))))),
    ("base64_decode", |_, a| decoded_text("base64", a, &BASE64)),
    ("base64url_decode", |_, a| decoded_text("base64url", a, &BASE64URL_NOPAD)),
    ("base32_decode", |_, a| decoded_text("base32", a, &BASE32)),
    ("hex_decode", |_, a| decoded_text("hex", a, &HEXLOWER_PERMISSIVE)),
    ("url_encode", |_, a| done(percent::encode(&text(a, 0)))),
    ("url_decode", |_, a| done(percent::decode(&text(a, 0)))),
];

/// The bytes of a bytes value, or of the display text of anything else.
pub fn content(value: &Value) -> Cow<'_, [u8]> {
    match value.view() {
        View::Bytes(bytes) => Cow::Borrowed(bytes),
        _ => match crate::arguments::text_of(value) {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        },
    }
}

/// Compares without telling by the time where contents differ.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0u8, |seen, (x, y)| seen | (x ^ y));
    a.len() == b.len() && std::hint::black_box(differences) == 0
}

/// The bytes at `i`, or the error that says what is there instead.
pub fn bytes<'a>(name: &str, args: &'a [Value], i: usize) -> Result<&'a [u8], NativeResult> {
    match get(args, i).view() {
        View::Bytes(bytes) => Ok(bytes),
        _ => Err(unexpected(name, "bytes", args, i)),
    }
}

fn string<'a>(name: &str, args: &'a [Value], i: usize) -> Result<&'a str, NativeResult> {
    get(args, i).as_str().ok_or_else(|| unexpected(name, "string", args, i))
}

fn integer(name: &str, args: &[Value], i: usize) -> Result<i64, NativeResult> {
    get(args, i).as_int().ok_or_else(|| unexpected(name, "int", args, i))
}

fn unexpected(name: &str, wanted: &str, args: &[Value], i: usize) -> NativeResult {
    runtime_error(match args.get(i) {
        Some(value) => format!("{name}: expected {wanted} at argument {}, got {}", i + 1, value.type_name()),
        None => format!("{name}: missing argument {}", i + 1),
    })
}

fn clamp(n: i64) -> usize {
    usize::try_from(n.max(0)).unwrap_or(usize::MAX)
}

fn encoded(name: &str, args: &[Value], encoding: &Encoding) -> NativeResult {
    match bytes(name, args, 0) {
        Ok(bytes) => done(encoding.encode(bytes)),
        Err(error) => error,
    }
}

fn decoded(name: &str, args: &[Value], encoding: &Encoding) -> NativeResult {
    match string(name, args, 0) {
        Ok(text) => match encoding.decode(text.as_bytes()) {
            Ok(bytes) => done(Value::bytes(bytes)),
            Err(e) => runtime_error(format!("{name}: {e}")),
        },
        Err(error) => error,
    }
}

fn decoded_text(name: &str, args: &[Value], encoding: &Encoding) -> NativeResult {
    match encoding.decode(text(args, 0).as_bytes()) {
        Ok(bytes) => done(&*String::from_utf8_lossy(&bytes)),
        Err(e) => runtime_error(format!("{name} decode error: {e}")),
    }
}
