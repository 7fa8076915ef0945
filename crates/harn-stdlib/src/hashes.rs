//! Hashes and message authentication (spec 05 section 5.7). Text and bytes are hashed as their bytes, anything else
//! as its display text.

use data_encoding::{BASE64, HEXLOWER};
use harn_vm::{Value, hash_key};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::arguments::{Body, done, get};
use crate::bytes::{constant_time_eq, content};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("sha224", |_, a| done(hex::<sha2::Sha224>(a))),
    ("sha256", |_, a| done(hex::<Sha256>(a))),
    ("sha384", |_, a| done(hex::<sha2::Sha384>(a))),
    ("sha512", |_, a| done(hex::<sha2::Sha512>(a))),
    ("sha512_256", |_, a| done(hex::<sha2::Sha512_256>(a))),
    ("md5", |_, a| done(hex::<md5::Md5>(a))),
    ("sha3_256", |_, a| done(hex::<sha3::Sha3_256>(a))),
    ("sha3_512", |_, a| done(hex::<sha3::Sha3_512>(a))),
    ("blake3", |_, a| done(blake3::hash(&content(get(a, 0))).to_hex().as_str())),
    ("hash_value", |_, a| done(fnv1a(hash_key(get(a, 0)).as_bytes()) as i64)),
    ("hmac_sha256", |_, a| done(HEXLOWER.encode(&hmac_sha256(&content(get(a, 0)), &content(get(a, 1)))))),
    ("hmac_sha256_base64", |_, a| {
        done(BASE64.encode(&hmac_sha256(&content(get(a, 0)), &content(get(a, 1)))))
    }),
    ("constant_time_eq", |_, a| done(constant_time_eq(&content(get(a, 0)), &content(get(a, 1))))),
];

fn hex<D: Digest>(args: &[Value]) -> String {
    HEXLOWER.encode(&D::digest(&*content(get(args, 0))))
}

/// The HMAC-SHA256 of a message.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    // A key of any length is accepted.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, b: &u8| (hash ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
