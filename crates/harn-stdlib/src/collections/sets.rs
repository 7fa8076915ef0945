//! Methods of sets and the `set_*` builtins (spec 02 section 14.4): membership is `==`.

use harn_vm::value::SetRef;
use harn_vm::{NativeResult, Value, View};

use crate::arguments::{Body, count, done, get, take, thrown};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("set", |_, a| {
        let mut out = Value::set([]);
        for arg in a.iter_mut().map(std::mem::take) {
            match arg.view() {
                View::List(_) => arg.into_list().into_iter().for_each(|x| insert(&mut out, x)),
                View::Set(set) => set.iter().for_each(|x| insert(&mut out, x.clone())),
                _ => insert(&mut out, arg),
            }
        }
        done(out)
    }),
    ("set.count", |_, a| done(size(a))),
    ("set.len", |_, a| done(size(a))),
    ("set.empty", |_, a| done(one(a).is_none_or(|s| s.is_empty()))),
    ("set.contains", |_, a| done(has(a))),
    ("set.add", |_, a| done(added(a))),
    ("set.remove", |_, a| done(removed(a))),
    ("set.delete", |_, a| done(removed(a))),
    ("set.union", |_, a| done(union(a))),
    ("set.intersect", |_, a| match is_set(get(a, 1)) {
        true => done(intersection(a)),
        false => done(Value::set([])),
    }),
    ("set.intersection", |_, a| match is_set(get(a, 1)) {
        true => done(intersection(a)),
        false => done(take(a, 0)),
    }),
    ("set.difference", |_, a| done(difference(a))),
    ("set.symmetric_difference", |_, a| done(symmetric_difference(a))),
    ("set.is_subset", |_, a| done(is_subset(get(a, 0), get(a, 1)))),
    ("set.is_superset", |_, a| done(is_subset(get(a, 1), get(a, 0)))),
    ("set.is_disjoint", |_, a| done(is_disjoint(a))),
    ("set.to_list", |_, a| {
        done(Value::list(one(a).map(|s| s.iter().cloned().collect()).unwrap_or_default()))
    }),
    ("set_add", |_, a| first_set(a, "set_add", added)),
    ("set_remove", |_, a| first_set(a, "set_remove", removed)),
    ("set_contains", |_, a| done(has(a))),
    ("set_union", |_, a| two_sets(a, "set_union", union)),
    ("set_intersect", |_, a| two_sets(a, "set_intersect", intersection)),
    ("set_difference", |_, a| two_sets(a, "set_difference", difference)),
    ("set_symmetric_difference", |_, a| two_sets(a, "set_symmetric_difference", symmetric_difference)),
    ("set_is_subset", |_, a| done(is_subset(get(a, 0), get(a, 1)))),
    ("set_is_superset", |_, a| done(is_subset(get(a, 1), get(a, 0)))),
    ("set_is_disjoint", |_, a| done(is_disjoint(a))),
    ("__set_of", |_, a| done(Value::set(take(a, 0).into_list()))),
];

fn insert(set: &mut Value, item: Value) {
    set.set_insert(item);
}

fn is_set(value: &Value) -> bool {
    matches!(value.view(), View::Set(_))
}

fn one(args: &[Value]) -> Option<SetRef<'_>> {
    as_set(get(args, 0))
}

fn as_set(value: &Value) -> Option<SetRef<'_>> {
    match value.view() {
        View::Set(set) => Some(set),
        _ => None,
    }
}

fn both(args: &[Value]) -> Option<(SetRef<'_>, SetRef<'_>)> {
    one(args).zip(as_set(get(args, 1)))
}

fn first_set(args: &mut [Value], name: &str, run: fn(&mut [Value]) -> Value) -> NativeResult {
    match is_set(get(args, 0)) {
        true => done(run(args)),
        false => thrown(format!("{name}: first argument must be a set")),
    }
}

fn two_sets(args: &mut [Value], name: &str, run: fn(&mut [Value]) -> Value) -> NativeResult {
    match is_set(get(args, 0)) && is_set(get(args, 1)) {
        true => done(run(args)),
        false => thrown(format!("{name}: arguments must be sets")),
    }
}

fn size(args: &mut [Value]) -> Value {
    count(one(args).map_or(0, |s| s.len()))
}

fn has(args: &mut [Value]) -> bool {
    one(args).is_some_and(|s| s.has(get(args, 1)))
}

fn added(args: &mut [Value]) -> Value {
    let mut set = take(args, 0);
    insert(&mut set, take(args, 1));
    set
}

fn removed(args: &mut [Value]) -> Value {
    let mut set = take(args, 0);
    set.set_remove(get(args, 1));
    set
}

fn union(args: &mut [Value]) -> Value {
    let mut out = take(args, 0);
    if let Some(other) = as_set(get(args, 1)) {
        other.iter().for_each(|x| insert(&mut out, x.clone()));
    }
    out
}

fn filtered(args: &mut [Value], keep: impl Fn(&Value, &SetRef<'_>) -> bool) -> Value {
    match both(args) {
        Some((left, right)) => Value::set(left.iter().filter(|x| keep(x, &right)).cloned()),
        None => take(args, 0),
    }
}

fn intersection(args: &mut [Value]) -> Value {
    filtered(args, |x, other| other.has(x))
}

fn difference(args: &mut [Value]) -> Value {
    filtered(args, |x, other| !other.has(x))
}

fn symmetric_difference(args: &mut [Value]) -> Value {
    let Some((left, right)) = both(args) else { return take(args, 0) };
    let mine = left.iter().filter(|x| !right.has(x));
    let theirs = right.iter().filter(|x| !left.has(x));
    Value::set(mine.chain(theirs).cloned())
}

fn is_subset(small: &Value, big: &Value) -> bool {
    as_set(small).zip(as_set(big)).is_some_and(|(s, b)| s.iter().all(|x| b.has(x)))
}

fn is_disjoint(args: &mut [Value]) -> bool {
    both(args).is_none_or(|(left, right)| !left.iter().any(|x| right.has(x)))
}
