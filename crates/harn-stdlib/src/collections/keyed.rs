//! Primitives of the prelude that order, group and pick items by keys which a callback has computed.

use std::cmp::Ordering;
use std::collections::HashSet;

use harn_vm::value::sort_order;
use harn_vm::{Value, hash_key};

use crate::arguments::{Body, done, get, take, text_of};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("__sort_by_keys", |_, a| {
        let mut keyed: Vec<(Value, Value)> = pairs(a).collect();
        keyed.sort_by(|(x, _), (y, _)| sort_order(x, y));
        done(Value::list(keyed.into_iter().map(|(_, item)| item).collect()))
    }),
    ("__least_by_keys", |_, a| done(best(a, Ordering::Less))),
    ("__greatest_by_keys", |_, a| done(best(a, Ordering::Greater))),
    ("__group_by_keys", |_, a| {
        let mut names: Vec<String> = Vec::new();
        let mut groups: Vec<Vec<Value>> = Vec::new();
        let mut index = std::collections::HashMap::new();
        for (key, item) in pairs(a) {
            let name = text_of(&key);
            match index.get(&*name).and_then(|i: &usize| groups.get_mut(*i)) {
                Some(group) => group.push(item),
                None => {
                    index.insert(name.clone().into_owned(), groups.len());
                    names.push(name.into_owned());
                    groups.push(vec![item]);
                }
            }
        }
        done(Value::dict(names.into_iter().zip(groups.into_iter().map(Value::list))))
    }),
    ("__dedup_by_keys", |_, a| {
        let mut seen = HashSet::new();
        done(Value::list(pairs(a).filter(|(key, _)| seen.insert(hash_key(key))).map(|(_, x)| x).collect()))
    }),
    ("__dict_from", |_, a| {
        let (names, items) = (take(a, 0).into_list(), take(a, 1).into_list());
        done(Value::dict(names.iter().map(text_of).zip(items)))
    }),
    ("__least", |_, a| {
        let second = sort_order(get(a, 1), get(a, 0)).is_lt();
        done(take(a, usize::from(second)))
    }),
    ("__greatest", |_, a| {
        let second = sort_order(get(a, 1), get(a, 0)).is_gt();
        done(take(a, usize::from(second)))
    }),
];

/// Keys with their items: argument 1 with argument 0.
fn pairs(args: &mut [Value]) -> impl Iterator<Item = (Value, Value)> + use<> {
    let (items, keys) = (take(args, 0).into_list(), take(args, 1).into_list());
    keys.into_iter().zip(items)
}

/// The first item whose key stands in `wanted` order to all others.
fn best(args: &mut [Value], wanted: Ordering) -> Value {
    let mut pairs = pairs(args);
    let Some(first) = pairs.next() else { return Value::NIL };
    let better = |best: (Value, Value), next: (Value, Value)| {
        if sort_order(&next.0, &best.0) == wanted { next } else { best }
    };
    pairs.fold(first, better).1
}
