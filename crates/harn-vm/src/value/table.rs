//! The hash table behind large dicts and sets: entries in insertion order, and an open-addressed index into them.
//!
//! An index of 2^k slots holds entry numbers of k bits; the other bits of a slot are the upper ones of the key's hash. So a
//! probe past other keys stays in the index, where the next slot is in the same cache line, and an entry, which is
//! somewhere in memory, is looked at when it is almost surely the right one.

use super::Value;

const EMPTY: u32 = u32::MAX;
const GONE: u32 = u32::MAX - 1;
/// So many of the highest entry numbers are not given: with all bits of a hash set they would read as EMPTY or GONE.
const RESERVED: usize = 2;

struct Entry {
    hash: u64,
    /// `ABSENT` when the entry was removed.
    key: Value,
    value: Value,
}

/// Keys with values; hashing and equality of keys are the caller's.
#[derive(Default)]
pub(crate) struct Table {
    entries: Vec<Entry>,
    index: Vec<u32>,
    live: usize,
    /// Index slots that are not EMPTY.
    used: usize,
    /// Bits of a slot that are the entry's number.
    bits: u32,
}

impl Table {
    /// Number of keys.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// The entry of a key.
    #[inline]
    pub(crate) fn find(&self, hash: u64, same: impl Fn(&Value) -> bool) -> Option<usize> {
        if self.index.is_empty() {
            return None;
        }
        let mask = self.index.len() - 1;
        let mark = self.slot(hash, 0);
        let mut at = hash as usize & mask;
        loop {
            let slot = self.index[at];
            if slot == EMPTY {
                return None;
            }
            let entry = (slot ^ mark) as usize;
            if entry <= mask && slot != GONE {
                let found = &self.entries[entry];
                if found.hash == hash && same(&found.key) {
                    return Some(entry);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// What the index holds for an entry with that hash.
    #[inline(always)]
    fn slot(&self, hash: u64, entry: usize) -> u32 {
        // As 64 bits: 2^32 slots leave no bit for the hash.
        (hash >> 32 >> self.bits << self.bits) as u32 | entry as u32
    }

    /// The key and value of an entry; `None` when it was removed or never was.
    pub(crate) fn entry(&self, at: usize) -> Option<(&Value, &Value)> {
        let entry = self.entries.get(at)?;
        (!entry.key.is_absent()).then_some((&entry.key, &entry.value))
    }

    /// The value of an entry.
    pub(crate) fn value_mut(&mut self, at: usize) -> Option<&mut Value> {
        self.entries.get_mut(at).map(|entry| &mut entry.value)
    }

    /// Adds a key that is not there.
    pub(crate) fn add(&mut self, hash: u64, key: Value, value: Value) -> usize {
        if (self.used + 1) * 4 > self.index.len() * 3 || self.entries.len() + 1 + RESERVED > self.index.len()
        {
            self.rebuild();
        }
        let at = self.entries.len();
        self.entries.push(Entry { hash, key, value });
        self.live += 1;
        self.used += usize::from(self.enter(hash, at));
        at
    }

    /// Puts an entry into the index; whether an EMPTY slot was taken.
    fn enter(&mut self, hash: u64, entry: usize) -> bool {
        let slot = self.slot(hash, entry);
        let mask = self.index.len() - 1;
        let mut at = hash as usize & mask;
        while self.index[at] < GONE {
            at = (at + 1) & mask;
        }
        let fresh = self.index[at] == EMPTY;
        self.index[at] = slot;
        fresh
    }

    /// Removes an entry.
    pub(crate) fn remove(&mut self, at: usize) -> Option<(Value, Value)> {
        let hash = self.entries.get(at)?.hash;
        let held = self.slot(hash, at);
        let mask = self.index.len() - 1;
        let mut place = hash as usize & mask;
        while self.index[place] != held {
            if self.index[place] == EMPTY {
                return None;
            }
            place = (place + 1) & mask;
        }
        self.index[place] = GONE;
        self.live -= 1;
        let entry = &mut self.entries[at];
        let key = std::mem::replace(&mut entry.key, Value::ABSENT);
        Some((key, std::mem::take(&mut entry.value)))
    }

    /// Drops removed entries and makes room for as many again.
    #[cold]
    #[inline(never)]
    fn rebuild(&mut self) {
        self.entries.retain(|entry| !entry.key.is_absent());
        let size = (self.entries.len() * 2 + 8).next_power_of_two();
        self.index.clear();
        self.index.resize(size, EMPTY);
        self.bits = size.trailing_zeros();
        self.used = self.entries.len();
        for at in 0..self.entries.len() {
            let hash = self.entries[at].hash;
            self.enter(hash, at);
        }
    }

    /// Keys and values in insertion order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.entries.iter().filter(|e| !e.key.is_absent()).map(|e| (&e.key, &e.value))
    }

    /// Numbers of the entries in use, in insertion order.
    pub(crate) fn positions(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().enumerate().filter(|(_, e)| !e.key.is_absent()).map(|(i, _)| i as u32)
    }

    /// One past the number of the last entry.
    pub(crate) fn end(&self) -> usize {
        self.entries.len()
    }

    /// Keys and values, moved out.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (Value, Value)> {
        self.entries.into_iter().map(|e| (e.key, e.value))
    }
}

impl Clone for Table {
    fn clone(&self) -> Table {
        Table {
            entries: self
                .entries
                .iter()
                .map(|e| Entry { hash: e.hash, key: e.key.clone(), value: e.value.clone() })
                .collect(),
            index: self.index.clone(),
            live: self.live,
            used: self.used,
            bits: self.bits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Bits of a hash that keys may differ in: with few of them keys collide, in their place and in their mark.
    const KEPT: [u64; 5] = [u64::MAX, 0, 0xff, 0xffff_ffff_0000_0000, 0x8000_0000_0000_0003];

    #[test]
    fn a_table_holds_what_a_map_holds_however_the_hashes_collide() {
        for kept in KEPT {
            // All other bits set: marks of all ones are next to EMPTY and GONE.
            let hash = |key: i64| (key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | !kept;
            let (mut table, mut map, mut drawn) = (Table::default(), BTreeMap::new(), 1_u64);
            for step in 0..4000 {
                drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let key = (drawn >> 33) as i64 % 300;
                let found = table.find(hash(key), |other| other.as_int() == Some(key));
                assert_eq!(found.is_some(), map.contains_key(&key));
                match found {
                    Some(at) if drawn >> 62 == 0 => {
                        table.remove(at);
                        map.remove(&key);
                    }
                    Some(at) => {
                        *table.value_mut(at).unwrap() = Value::int(step);
                        map.insert(key, step);
                    }
                    None => {
                        table.add(hash(key), Value::int(key), Value::int(step));
                        map.insert(key, step);
                    }
                }
            }
            let mut held: Vec<_> =
                table.iter().map(|(k, v)| (k.as_int().unwrap(), v.as_int().unwrap())).collect();
            held.sort_unstable();
            assert_eq!(held, map.into_iter().collect::<Vec<_>>());
            assert_eq!(table.len(), held.len());
        }
    }
}
