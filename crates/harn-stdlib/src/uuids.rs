//! UUIDs (spec 05 section 5.10).

use harn_effect::{Data, Op};
use harn_vm::{View, VmError};
use uuid::{Builder, Uuid};

use crate::arguments::{Body, done, effect_then, get, int, runtime_error, text};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("uuid", |_, _| {
        effect_then(Op::RandomBytes, Data::dict([("count", Data::Int(16))]), |_, outcome| {
            let bytes = match outcome.map_err(VmError::raised)? {
                Data::Bytes(bytes) => sixteen(&bytes),
                _ => [0; 16],
            };
            done(Builder::from_random_bytes(bytes).into_uuid().to_string())
        })
    }),
    ("__uuid_v7", |cx, a| {
        let random = match get(a, 1).view() {
            View::Bytes(bytes) => sixteen(bytes),
            _ => [0; 16],
        };
        let millis = u64::try_from(int(a, 0).unwrap_or(0)).unwrap_or(0);
        let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, ..] = random;
        let next = Builder::from_unix_timestamp_millis(millis, &[r0, r1, r2, r3, r4, r5, r6, r7, r8, r9]);
        let next = next.into_uuid().as_u128();
        // Strictly increasing within a program: within one millisecond count on from the last one.
        let last = cx.state::<LastV7>();
        last.0 = if next > last.0 { next } else { last.0 + 1 };
        done(Uuid::from_u128(last.0).to_string())
    }),
    ("uuid_v5", |_, a| {
        if a.len() < 2 {
            return runtime_error("uuid_v5(namespace, name): requires namespace and name");
        }
        match namespace(&text(a, 0)) {
            Some(space) => done(Uuid::new_v5(&space, text(a, 1).as_bytes()).to_string()),
            None => runtime_error("uuid_v5: namespace must be a UUID or one of dns/url/oid/x500"),
        }
    }),
    ("uuid_nil", |_, _| done(Uuid::nil().to_string())),
    ("uuid_parse", |_, a| done(Uuid::parse_str(text(a, 0).trim()).ok().map(|id| id.to_string()))),
];

/// The last version 7 UUID of the program.
#[derive(Default)]
struct LastV7(u128);

fn sixteen(bytes: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

fn namespace(name: &str) -> Option<Uuid> {
    let lower = name.to_lowercase();
    match lower.strip_prefix("namespace_").unwrap_or(&lower) {
        "dns" => Some(Uuid::NAMESPACE_DNS),
        "url" => Some(Uuid::NAMESPACE_URL),
        "oid" => Some(Uuid::NAMESPACE_OID),
        "x500" => Some(Uuid::NAMESPACE_X500),
        other => Uuid::parse_str(other).ok(),
    }
}
