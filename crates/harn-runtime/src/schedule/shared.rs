//! Shared cells and maps of a program (spec 04 section 4.9).

use crate::schedule::scope::{Address, Asker, handle, text};
use harn_effect::Data;
use harn_vm::{Value, View, VmError, equals};
use std::collections::BTreeMap;

/// A cell or a map.
#[derive(Default)]
struct Entry {
    content: Content,
    version: i64,
    reads: i64,
    writes: i64,
    cas_successes: i64,
    cas_failures: i64,
    stale_reads: i64,
}

enum Content {
    Cell(Value),
    Map(BTreeMap<String, Value>),
}

impl Default for Content {
    fn default() -> Self {
        Content::Cell(Value::NIL)
    }
}

/// The cells and maps of a program, by kind, resolved scope and key.
#[derive(Default)]
pub(crate) struct Shared {
    entries: BTreeMap<(&'static str, String, String), Entry>,
}

const CELL: &str = "shared_cell";
const MAP: &str = "shared_map";

impl Entry {
    fn cell(&mut self) -> &mut Value {
        if let Content::Map(_) = self.content {
            self.content = Content::default();
        }
        match &mut self.content {
            Content::Cell(value) => value,
            // Made a cell above.
            Content::Map(_) => unreachable!(),
        }
    }

    fn map(&mut self) -> &mut BTreeMap<String, Value> {
        if let Content::Cell(_) = self.content {
            self.content = Content::Map(BTreeMap::new());
        }
        match &mut self.content {
            Content::Map(map) => map,
            // Made a map above.
            Content::Cell(_) => unreachable!(),
        }
    }

    /// Whether `expected`, a plain value or a snapshot, is what is there now.
    fn is_as(&mut self, expected: &Value, present: &Value) -> bool {
        if text(expected, "_type").as_deref() != Some("shared_snapshot") {
            return equals(expected, present);
        }
        let View::Dict(snapshot) = expected.view() else { return false };
        let version = snapshot.get("version").and_then(|v| v.as_int());
        if version != Some(self.version) {
            self.stale_reads += 1;
            return false;
        }
        equals(&snapshot.get("value").unwrap_or_default(), present)
    }

    fn note_cas(&mut self, success: bool) -> bool {
        if success {
            self.cas_successes += 1;
            self.wrote();
        } else {
            self.cas_failures += 1;
        }
        success
    }

    fn wrote(&mut self) {
        self.version += 1;
        self.writes += 1;
    }

    fn snapshot(&self, value: Value) -> Value {
        Value::dict([
            ("_type", Value::str("shared_snapshot")),
            ("value", value),
            ("version", Value::int(self.version)),
        ])
    }

    fn metrics(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("version", Value::int(self.version)),
            ("read_count", Value::int(self.reads)),
            ("write_count", Value::int(self.writes)),
            ("cas_success_count", Value::int(self.cas_successes)),
            ("cas_failure_count", Value::int(self.cas_failures)),
            ("stale_read_count", Value::int(self.stale_reads)),
        ]
    }
}

impl Shared {
    /// All cells and maps, for a snapshot; `put` keeps a value and gives its place.
    pub fn save(&self, put: &mut dyn FnMut(&Value) -> Data) -> Data {
        let rows = self.entries.iter().map(|((kind, scope, key), entry)| {
            let content = match &entry.content {
                Content::Cell(value) => put(value),
                Content::Map(map) => put(&Value::dict(map.clone())),
            };
            let counts = [
                entry.version,
                entry.reads,
                entry.writes,
                entry.cas_successes,
                entry.cas_failures,
                entry.stale_reads,
            ];
            Data::dict([
                ("kind", Data::from(*kind)),
                ("scope", scope.as_str().into()),
                ("key", key.as_str().into()),
                ("map", Data::Bool(matches!(entry.content, Content::Map(_)))),
                ("content", content),
                ("counts", Data::List(counts.map(Data::Int).to_vec())),
            ])
        });
        Data::List(rows.collect())
    }

    /// What [`Shared::save`] gave; `get` finds a value by its place.
    pub fn load(&mut self, saved: &Data, get: &mut dyn FnMut(&Data) -> Option<Value>) {
        for row in saved.as_list().unwrap_or_default() {
            let text = |name: &str| row.field(name).as_str().unwrap_or_default().to_owned();
            let counts = row.field("counts").as_list().unwrap_or_default();
            let count = |i: usize| counts.get(i).and_then(Data::as_int).unwrap_or(0);
            let value = get(row.field("content")).unwrap_or_default();
            let content = match (row.field("map").as_bool(), value.view()) {
                (Some(true), View::Dict(dict)) => {
                    Content::Map(dict.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect())
                }
                _ => Content::Cell(value),
            };
            let entry = Entry {
                content,
                version: count(0),
                reads: count(1),
                writes: count(2),
                cas_successes: count(3),
                cas_failures: count(4),
                stale_reads: count(5),
            };
            let kind = if text("kind") == MAP { MAP } else { CELL };
            self.entries.insert((kind, text("scope"), text("key")), entry);
        }
    }

    /// Performs a `shared_*` builtin.
    pub fn call(&mut self, asker: &Asker, name: &str, args: &[Value]) -> Result<Value, Box<VmError>> {
        let arg = |i: usize| args.get(i).cloned().unwrap_or_default();
        match name {
            "shared_scope_id" => {
                let scope = args.first().filter(|v| !v.is_nil()).map(harn_vm::display);
                let tenant = args.get(1).and_then(|options| text(options, "tenant_id"));
                asker.resolve(name, scope.as_deref(), tenant).map(Value::string)
            }
            "shared_cell" | "shared_map" => self.open(asker, name, args),
            "shared_metrics" => self.metrics(asker, args),
            _ if name.starts_with("shared_map_") => {
                let entry = self.entry(MAP, asker.target(name, MAP, args.first())?);
                Ok(map_call(entry, name, arg(1), arg(2), arg(3)))
            }
            _ => {
                let entry = self.entry(CELL, asker.target(name, CELL, args.first())?);
                Ok(cell_call(entry, name, arg(1), arg(2)))
            }
        }
    }

    fn entry(&mut self, kind: &'static str, address: Address) -> &mut Entry {
        self.entries.entry((kind, address.scope, address.key)).or_default()
    }

    fn open(&mut self, asker: &Asker, name: &str, args: &[Value]) -> Result<Value, Box<VmError>> {
        let address = asker.address(name, args.first())?;
        let initial = match args.first().map(Value::view) {
            Some(View::Dict(options)) if options.has("initial") => options.get("initial"),
            _ => args.get(1).cloned(),
        };
        let kind = if name == MAP { MAP } else { CELL };
        let place = (kind, address.scope.clone(), address.key.clone());
        self.entries.entry(place).or_insert_with(|| {
            let content = match (kind, initial) {
                (MAP, initial) => Content::Map(match initial.as_ref().map(Value::view) {
                    Some(View::Dict(dict)) => dict.iter().map(|(k, v)| (k.to_owned(), v.clone())).collect(),
                    _ => BTreeMap::new(),
                }),
                (_, initial) => Content::Cell(initial.unwrap_or_default()),
            };
            Entry { content, ..Entry::default() }
        });
        Ok(handle(kind, &address))
    }

    fn metrics(&mut self, asker: &Asker, args: &[Value]) -> Result<Value, Box<VmError>> {
        match args.first().filter(|v| !v.is_nil()) {
            Some(value) => {
                let kind = if text(value, "_type").as_deref() == Some(MAP) { MAP } else { CELL };
                let address = asker.target("shared_metrics", kind, Some(value))?;
                Ok(Value::dict(self.entry(kind, address).metrics()))
            }
            None => Ok(Value::list(
                self.entries
                    .iter()
                    .map(|((kind, scope, key), entry)| {
                        let place = [
                            ("_type", Value::str(kind)),
                            ("scope", Value::str(scope)),
                            ("key", Value::str(key)),
                        ];
                        Value::dict(entry.metrics().into_iter().chain(place))
                    })
                    .collect(),
            )),
        }
    }
}

fn cell_call(entry: &mut Entry, name: &str, first: Value, second: Value) -> Value {
    match name {
        "shared_set" => {
            entry.wrote();
            std::mem::replace(entry.cell(), first)
        }
        "shared_cas" => {
            let present = entry.cell().clone();
            let success = entry.is_as(&first, &present);
            if success {
                *entry.cell() = second;
            }
            Value::bool(entry.note_cas(success))
        }
        _ => {
            entry.reads += 1;
            let value = entry.cell().clone();
            if name == "shared_snapshot" { entry.snapshot(value) } else { value }
        }
    }
}

fn map_call(entry: &mut Entry, name: &str, key: Value, first: Value, second: Value) -> Value {
    let key = harn_vm::display(&key);
    match name {
        "shared_map_set" => {
            entry.wrote();
            entry.map().insert(key, first).unwrap_or_default()
        }
        "shared_map_delete" => match entry.map().remove(&key) {
            Some(previous) => {
                entry.wrote();
                previous
            }
            None => Value::NIL,
        },
        "shared_map_entries" => {
            entry.reads += 1;
            Value::dict(entry.map().clone())
        }
        "shared_map_cas" => {
            let present = entry.map().get(&key).cloned().unwrap_or_default();
            let success = entry.is_as(&first, &present);
            if success {
                if second.is_nil() {
                    entry.map().remove(&key);
                } else {
                    entry.map().insert(key, second);
                }
            }
            Value::bool(entry.note_cas(success))
        }
        "shared_map_snapshot" => {
            entry.reads += 1;
            let value = entry.map().get(&key).cloned().unwrap_or_default();
            entry.snapshot(value)
        }
        _ => {
            entry.reads += 1;
            entry.map().get(&key).cloned().unwrap_or(first)
        }
    }
}
