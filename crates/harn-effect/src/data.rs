//! Plain data that crosses the border of the virtual machine: no handles, no closures, no sharing.

use std::collections::BTreeMap;

/// A value without identity. Dicts are in key order, as in the language.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Data {
    /// `nil`, JSON null.
    #[default]
    Nil,
    /// A bool.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double; NaN and infinities become JSON null.
    Float(f64),
    /// Text.
    Str(String),
    /// Bytes; base64 text in JSON.
    Bytes(Vec<u8>),
    /// Milliseconds; an integer in JSON.
    Duration(i64),
    /// A list.
    List(Vec<Data>),
    /// A dict.
    Dict(BTreeMap<String, Data>),
}

impl Data {
    /// A dict of the given fields.
    pub fn dict<K: Into<String>>(fields: impl IntoIterator<Item = (K, Data)>) -> Data {
        Data::Dict(fields.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }

    /// The field `key` of a dict; `Nil` when this is no dict or has no such field.
    pub fn field(&self, key: &str) -> &Data {
        const NIL: &Data = &Data::Nil;
        match self {
            Data::Dict(fields) => fields.get(key).unwrap_or(NIL),
            _ => NIL,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Data::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The value of an int.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Data::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The value of a bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Data::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The elements of a list.
    pub fn as_list(&self) -> Option<&[Data]> {
        match self {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    /// The fields of a dict.
    pub fn as_dict(&self) -> Option<&BTreeMap<String, Data>> {
        match self {
            Data::Dict(fields) => Some(fields),
            _ => None,
        }
    }

    /// Whether this is `nil`.
    pub fn is_nil(&self) -> bool {
        matches!(self, Data::Nil)
    }

    /// The language's name of the type (`type_of`).
    pub fn type_name(&self) -> &'static str {
        match self {
            Data::Nil => "nil",
            Data::Bool(_) => "bool",
            Data::Int(_) => "int",
            Data::Float(_) => "float",
            Data::Str(_) => "string",
            Data::Bytes(_) => "bytes",
            Data::Duration(_) => "duration",
            Data::List(_) => "list",
            Data::Dict(_) => "dict",
        }
    }

    /// As JSON, keeping int and float apart.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as J;
        match self {
            Data::Nil => J::Null,
            Data::Bool(b) => J::Bool(*b),
            Data::Int(n) | Data::Duration(n) => J::from(*n),
            Data::Float(x) => serde_json::Number::from_f64(*x).map_or(J::Null, J::Number),
            Data::Str(text) => J::String(text.clone()),
            Data::Bytes(bytes) => J::String(base64(bytes)),
            Data::List(items) => J::Array(items.iter().map(Data::to_json).collect()),
            Data::Dict(fields) => J::Object(fields.iter().map(|(k, v)| (k.clone(), v.to_json())).collect()),
        }
    }

    /// From JSON: integers that fit `i64` are ints, every other number is a float.
    pub fn from_json(json: &serde_json::Value) -> Data {
        use serde_json::Value as J;
        match json {
            J::Null => Data::Nil,
            J::Bool(b) => Data::Bool(*b),
            J::Number(n) => match n.as_i64() {
                Some(int) => Data::Int(int),
                None => Data::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            J::String(text) => Data::Str(text.clone()),
            J::Array(items) => Data::List(items.iter().map(Data::from_json).collect()),
            J::Object(fields) => {
                Data::Dict(fields.iter().map(|(k, v)| (k.clone(), Data::from_json(v))).collect())
            }
        }
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        Data::Str(text.to_owned())
    }
}

impl From<String> for Data {
    fn from(text: String) -> Self {
        Data::Str(text)
    }
}

impl From<i64> for Data {
    fn from(n: i64) -> Self {
        Data::Int(n)
    }
}

impl From<bool> for Data {
    fn from(b: bool) -> Self {
        Data::Bool(b)
    }
}

impl From<f64> for Data {
    fn from(x: f64) -> Self {
        Data::Float(x)
    }
}

impl<T: Into<Data>> From<Option<T>> for Data {
    fn from(value: Option<T>) -> Self {
        value.map_or(Data::Nil, Into::into)
    }
}

impl<T: Into<Data>> From<Vec<T>> for Data {
    fn from(items: Vec<T>) -> Self {
        Data::List(items.into_iter().map(Into::into).collect())
    }
}

/// Standard base64 with padding (RFC 4648 section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |acc, b| acc << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = ALPHABET[(word >> (18 - 6 * i) & 63) as usize] as char;
            out.push(if i <= chunk.len() { digit } else { '=' });
        }
    }
    out
}
