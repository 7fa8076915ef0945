//! Between values and plain data that crosses the border of the VM.

use std::collections::BTreeMap;

use harn_effect::Data;

use super::{Value, View};

/// Values nest at most this deep in plain data.
const MAX_DEPTH: usize = 500;

/// The value as plain data. Sets become lists, pairs lists of two, structs dicts, ranges their display; the name of
/// the type that cannot travel is the error.
pub fn to_data(value: &Value) -> Result<Data, String> {
    to_data_at(value, 0)
}

fn to_data_at(value: &Value, depth: usize) -> Result<Data, String> {
    if depth > MAX_DEPTH {
        return Err("value nested too deeply".to_owned());
    }
    let next = depth + 1;
    Ok(match value.view() {
        View::Nil => Data::Nil,
        View::Bool(b) => Data::Bool(b),
        View::Int(n) => Data::Int(n),
        View::Float(x) => Data::Float(x),
        View::Duration(ms) => Data::Duration(ms),
        View::Str(text) => Data::Str(text.to_owned()),
        View::Bytes(bytes) => Data::Bytes(bytes.to_vec()),
        View::List(_) => Data::List(
            value.list_cell().items.iter().map(|item| to_data_at(item, next)).collect::<Result<_, _>>()?,
        ),
        View::Set(set) => {
            Data::List(set.iter().map(|item| to_data_at(item, next)).collect::<Result<_, _>>()?)
        }
        View::Pair(a, b) => Data::List(vec![to_data_at(a, next)?, to_data_at(b, next)?]),
        View::Dict(dict) => Data::Dict(
            dict.iter()
                .map(|(key, item)| Ok((key.to_owned(), to_data_at(item, next)?)))
                .collect::<Result<BTreeMap<_, _>, String>>()?,
        ),
        View::Struct(s) => Data::Dict(
            s.fields()
                .map(|(key, item)| Ok((key.to_owned(), to_data_at(item, next)?)))
                .collect::<Result<BTreeMap<_, _>, String>>()?,
        ),
        View::Enum(_) | View::Range { .. } => Data::Str(super::display(value)),
        _ => return Err(value.type_name().to_owned()),
    })
}

/// The value of plain data.
pub fn from_data(data: Data) -> Value {
    match data {
        Data::Nil => Value::NIL,
        Data::Bool(b) => Value::bool(b),
        Data::Int(n) => Value::int(n),
        Data::Float(x) => Value::float(x),
        Data::Duration(ms) => Value::duration(ms),
        Data::Str(text) => Value::string(text),
        Data::Bytes(bytes) => Value::bytes(bytes),
        Data::List(items) => Value::list(items.into_iter().map(from_data).collect()),
        Data::Dict(fields) => Value::dict(fields.into_iter().map(|(key, item)| (key, from_data(item)))),
    }
}
