//! Hashes: of dict keys, of set items (compatible with `==`), and the structural hash key of spec 02 section 4.2.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use super::{Value, View, tag};

/// Chosen anew in each process, so that keys from outside cannot be made to collide. Iteration never shows the order.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0u8) | 1);

#[inline(always)]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

const K1: u64 = 0x9e37_79b9_7f4a_7c15;
const K2: u64 = 0xd6e8_feb8_6659_fd93;

fn hash_words(low: u64, high: u64) -> u64 {
    let h = mix(low ^ *SEED, high ^ K1);
    mix(h ^ K2, K1)
}

fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut h = *SEED ^ bytes.len() as u64;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        h = mix(h ^ u64::from_le_bytes(*chunk), K1);
    }
    let mut last = [0u8; 8];
    last[..rest.len()].copy_from_slice(rest);
    let h = mix(h ^ u64::from_le_bytes(last), K2);
    // Zero means "not computed" in heap strings.
    mix(h ^ K2, K1) | 1
}

/// Hash of a text; the same for an inline string value of the same text.
pub(crate) fn hash_str(text: &str) -> u64 {
    match Value::inline_str(text) {
        Some(value) => hash_words(value.word, value.payload),
        None => hash_bytes(text.as_bytes()),
    }
}

/// Hash of a string value.
pub(crate) fn hash_key_value(key: &Value) -> u64 {
    match key.tag() {
        tag::STR => hash_words(key.word, key.payload),
        tag::HEAP_STR => {
            // SAFETY: the tag says which cell it is.
            let cell = unsafe { &*(key.payload as *const super::cell::StrCell) };
            let known = cell.hash.get();
            if known != 0 {
                return known;
            }
            let hash = hash_bytes(cell.text.as_bytes());
            cell.hash.set(hash);
            hash
        }
        _ => hash_words(key.word, key.payload),
    }
}

/// A hash that equal values (`==`) share. Deep inside a structure it stops looking.
pub(crate) fn hash_value(value: &Value, depth: u32) -> u64 {
    let number = |x: f64| {
        let x = if x == 0.0 { 0.0 } else { x };
        let bits = if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() };
        hash_words(bits, 2)
    };
    if depth > 24 {
        return 7;
    }
    let over = |kind: u64, items: &mut dyn Iterator<Item = &Value>| {
        items.take(64).fold(kind, |h, item| mix(h ^ hash_value(item, depth + 1), K1))
    };
    match value.view() {
        View::Int(n) => number(n as f64),
        View::Float(x) => number(x),
        View::Str(_) => hash_key_value(value),
        View::Bytes(bytes) => hash_bytes(bytes),
        View::List(_) => over(11, &mut value.list_cell().items.iter()),
        View::Pair(a, b) => over(12, &mut [a, b].into_iter()),
        View::Dict(dict) => dict.iter().take(64).fold(13, |h, (key, item)| {
            mix(h ^ hash_str(key) ^ hash_value(item, depth + 1).rotate_left(17), K1)
        }),
        // The order of a set does not count.
        View::Set(set) => set.iter().fold(14u64, |h, item| h.wrapping_add(hash_value(item, depth + 1))),
        View::Enum(e) => over(hash_str(e.variant()), &mut e.fields().iter()),
        View::Struct(s) => s.fields().take(64).fold(hash_str(s.name()), |h, (key, item)| {
            mix(h ^ hash_str(key) ^ hash_value(item, depth + 1).rotate_left(17), K1)
        }),
        View::Range { start, end, exclusive } => {
            hash_words(start as u64 ^ u64::from(exclusive) << 63, end as u64)
        }
        View::Nil | View::Bool(_) | View::Duration(_) | View::Builtin(_) => {
            hash_words(value.word, value.payload)
        }
        // Compared by identity, or by a content that may change.
        _ => 15,
    }
}

/// The structural hash key: equal for values of the same type and content (spec 02 section 4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HashKey(Vec<u8>);

impl HashKey {
    /// The key as bytes: equal keys, equal bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The structural hash key of a value. Int and float never match, floats match by bits, sets in any order, closures
/// and handles by identity.
pub fn hash_key(value: &Value) -> HashKey {
    enum Step<'a> {
        Value(&'a Value),
        Sort(usize),
    }
    // Items of sets are collected apart and sorted: `parts` is a stack of outputs.
    let mut out = Vec::new();
    let mut outer: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
    let mut steps = vec![Step::Value(value)];
    while let Some(step) = steps.pop() {
        let value = match step {
            Step::Value(value) => value,
            Step::Sort(left) => {
                let part = std::mem::take(&mut out);
                if let Some((_, parts)) = outer.last_mut() {
                    parts.push(part);
                    if left == 0
                        && let Some((before, mut parts)) = outer.pop()
                    {
                        parts.sort();
                        out = before;
                        out.extend(parts.concat());
                    }
                }
                continue;
            }
        };
        out.push(value.tag());
        let bytes = |out: &mut Vec<u8>, bytes: &[u8]| {
            out.extend((bytes.len() as u64).to_le_bytes());
            out.extend(bytes);
        };
        let length = |out: &mut Vec<u8>, len: usize| out.extend((len as u64).to_le_bytes());
        match value.view() {
            View::Str(text) => {
                out.pop();
                out.push(tag::STR);
                bytes(&mut out, text.as_bytes());
            }
            View::Bytes(content) => bytes(&mut out, content),
            View::List(list) => {
                length(&mut out, list.len());
                steps.extend(value.list_cell().items.iter().rev().map(Step::Value));
            }
            View::Pair(a, b) => steps.extend([Step::Value(b), Step::Value(a)]),
            View::Dict(dict) => {
                out.pop();
                out.push(tag::DICT);
                length(&mut out, dict.len());
                let entries: Vec<_> = dict.iter().collect();
                for (key, _) in &entries {
                    bytes(&mut out, key.as_bytes());
                }
                steps.extend(entries.into_iter().rev().map(|(_, item)| Step::Value(item)));
            }
            View::Struct(s) => {
                bytes(&mut out, s.name().as_bytes());
                let fields: Vec<_> = s.fields().collect();
                length(&mut out, fields.len());
                for (key, _) in &fields {
                    bytes(&mut out, key.as_bytes());
                }
                steps.extend(fields.into_iter().rev().map(|(_, item)| Step::Value(item)));
            }
            View::Enum(e) => {
                bytes(&mut out, e.enum_name().as_bytes());
                bytes(&mut out, e.variant().as_bytes());
                length(&mut out, e.fields().len());
                steps.extend(e.fields().iter().rev().map(Step::Value));
            }
            View::Set(set) => {
                length(&mut out, set.len());
                if !set.is_empty() {
                    outer.push((std::mem::take(&mut out), Vec::new()));
                    let mut inner = Vec::new();
                    for (left, item) in set.iter().enumerate() {
                        inner.push(Step::Sort(left));
                        inner.push(Step::Value(item));
                    }
                    steps.extend(inner);
                }
            }
            View::Range { start, end, exclusive } => {
                out.extend(start.to_le_bytes());
                out.extend(end.to_le_bytes());
                out.push(u8::from(exclusive));
            }
            _ => out.extend(value.payload.to_le_bytes()),
        }
    }
    HashKey(out)
}
