//! Key pairs, signatures and tokens (spec 05 section 5.7).

use data_encoding::{BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use harn_effect::{Data, Op, Outcome};
use harn_vm::{NativeCtx, NativeResult, Value, VmError};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::arguments::{Body, done, effect_then, get, text, thrown};
use crate::bytes::{constant_time_eq, content};
use crate::hashes::hmac_sha256;

/// The bodies.
pub const BODIES: &[Body] = &[
    ("ed25519_keypair", |_, _| {
        keypair(|_, outcome| {
            let private = SigningKey::from_bytes(&seed(outcome)?);
            done(pair(&private.to_bytes(), private.verifying_key().as_bytes()))
        })
    }),
    ("ed25519_sign", |_, a| {
        let private = match key("ed25519_sign", "private key", &text(a, 0)) {
            Ok(bytes) => SigningKey::from_bytes(&bytes),
            Err(error) => return thrown(error),
        };
        done(HEXLOWER.encode(&private.sign(&content(get(a, 1))).to_bytes()))
    }),
    ("ed25519_verify", |_, a| {
        let public = unhex(&text(a, 0)).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        let signature = HEXLOWER_PERMISSIVE.decode(text(a, 2).as_bytes()).ok();
        let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
        let verified = |(public, signature): (VerifyingKey, Signature)| {
            public.verify_strict(&content(get(a, 1)), &signature).is_ok()
        };
        done(public.zip(signature).is_some_and(verified))
    }),
    ("x25519_keypair", |_, _| {
        keypair(|_, outcome| {
            let private = StaticSecret::from(seed(outcome)?);
            done(pair(&private.to_bytes(), PublicKey::from(&private).as_bytes()))
        })
    }),
    ("x25519_agree", |_, a| {
        let keys = key("x25519_agree", "private", &text(a, 0))
            .and_then(|private| Ok((private, key("x25519_agree", "public", &text(a, 1))?)));
        match keys {
            Ok((private, public)) => {
                let shared = StaticSecret::from(private).diffie_hellman(&PublicKey::from(public));
                done(HEXLOWER.encode(shared.as_bytes()))
            }
            Err(error) => thrown(error),
        }
    }),
    ("jwt_verify", |_, a| jwt_verify(&text(a, 0), &text(a, 1), &content(get(a, 2)))),
];

fn keypair(then: fn(&mut NativeCtx<'_>, Outcome) -> NativeResult) -> NativeResult {
    effect_then(Op::RandomBytes, Data::dict([("count", Data::Int(32))]), then)
}

/// The 32 random bytes of an outcome.
fn seed(outcome: Outcome) -> Result<[u8; 32], Box<VmError>> {
    match outcome.map_err(VmError::raised)? {
        Data::Bytes(bytes) => {
            bytes.try_into().map_err(|_| VmError::runtime("the host gave too few random bytes"))
        }
        _ => Err(VmError::runtime("the host gave no random bytes")),
    }
}

fn pair(private: &[u8], public: &[u8]) -> Value {
    let text = |bytes| Value::string(HEXLOWER.encode(bytes));
    Value::dict([("private", text(private)), ("public", text(public))])
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// A key of 32 bytes; `what` names it in errors.
fn key(name: &str, what: &str, text: &str) -> Result<[u8; 32], String> {
    let bytes = HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .map_err(|e| format!("{name}: invalid hex {what}: {e}"))?;
    bytes.try_into().map_err(|_| format!("{name}: {what} must be 32 bytes"))
}

/// Checks the signature of a token, and nothing else.
fn jwt_verify(algorithm: &str, token: &str, secret: &[u8]) -> NativeResult {
    if algorithm != "HS256" {
        return thrown(format!("jwt_verify: unsupported algorithm '{algorithm}'"));
    }
    match hs256_claims(token, secret) {
        Ok(claims) => done(Value::dict([("valid", Value::TRUE), ("claims", claims)])),
        Err(problem) => thrown(format!("jwt_verify: {problem}")),
    }
}

fn hs256_claims(token: &str, secret: &[u8]) -> Result<Value, String> {
    let (signed, signature) = token.rsplit_once('.').ok_or("malformed token")?;
    let (head, body) = signed.split_once('.').ok_or("malformed token")?;
    let part = |text: &str| {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        crate::json::decode(std::str::from_utf8(&bytes).ok()?).ok()
    };
    let head = part(head).ok_or("malformed header")?;
    let named = crate::arguments::entry(&head, "alg").is_some_and(|alg| alg.as_str() == Some("HS256"));
    if !named {
        return Err("the token names another algorithm".to_owned());
    }
    let given = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| "malformed signature")?;
    if !constant_time_eq(&given, &hmac_sha256(secret, signed.as_bytes())) {
        return Err("invalid signature".to_owned());
    }
    part(body).ok_or_else(|| "malformed claims".to_owned())
}
