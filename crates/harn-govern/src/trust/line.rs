//! A record read where it lies, without taking it apart: the canonical text of a record, walked once.
//!
//! Nearly every record of a chain is such a text with nothing special in it. [`Line::read`] takes those; whatever differs (an
//! escape, another order of fields, an approval, a parent) it leaves to [`super::record::Record`], which rules. So the two
//! never disagree: what is read here is canonical, and the bytes hashed here are the bytes that are hashed there.

use sha2::{Digest, Sha256};

use super::merkle::{self, Hash};
use super::record::{Outcome, Tier};

/// A record in its text.
pub struct Line<'t> {
    text: &'t str,
    /// Where the field `entry_hash` with its comma lies.
    cut: (usize, usize),
    /// Its position in the chain, at least 1.
    pub chain_index: i64,
    /// Its hash as stored.
    pub entry_hash: &'t str,
    /// The hash of the record before.
    pub previous_hash: Option<&'t str>,
    /// Its id.
    pub record_id: &'t str,
}

impl<'t> Line<'t> {
    /// Reads a record; `None`: it needs a closer look.
    pub fn read(text: &'t str) -> Option<Line<'t>> {
        let mut at = Cursor { text, at: 0 };
        at.take("{\"action\":")?;
        at.named()?;
        at.take(",\"agent\":")?;
        at.named()?;
        at.take(",\"approver\":")?;
        at.string_or_null()?;
        at.take(",\"autonomy_tier\":")?;
        let tier = Tier::from_name(at.string()?)?;
        at.take(",\"chain_index\":")?;
        let chain_index = at.int()?;
        at.take(",\"cost_usd\":")?;
        if at.take("null").is_none() {
            at.float()?;
        }
        let from = at.at;
        at.take(",\"entry_hash\":")?;
        let entry_hash = at.string()?;
        let cut = (from, at.at);
        at.take(",\"metadata\":")?;
        let before = at.at;
        if at.peek()? != b'{' {
            return None;
        }
        at.value(16)?;
        let metadata = text.get(before..at.at)?;
        at.take(",\"outcome\":")?;
        let outcome = Outcome::from_name(at.string()?)?;
        at.take(",\"previous_hash\":")?;
        let previous_hash = at.string_or_null()?;
        at.take(",\"record_id\":")?;
        let record_id = at.named()?;
        at.take(",\"schema\":")?;
        at.named()?;
        at.take(",\"timestamp\":")?;
        at.named()?;
        at.take(",\"trace_id\":")?;
        at.named()?;
        at.take("}")?;
        let approval = outcome == Outcome::Success && tier == Tier::ActWithApproval;
        let special = |word: &str| metadata.contains(word);
        let plain = at.at == text.len()
            && chain_index >= 1
            && !(approval && special("\"approval\""))
            && !(special("\"parent_record_id\"")
                || special("\"effects_grant\"")
                || special("\"actor_chain\""));
        plain.then_some(Line { text, cut, chain_index, entry_hash, previous_hash, record_id })
    }

    /// Whether the stored hash is that of the text without it.
    pub fn hash_holds(&self) -> bool {
        let bytes = self.text.as_bytes();
        let (Some(head), Some(tail)) = (bytes.get(..self.cut.0), bytes.get(self.cut.1..)) else {
            return false;
        };
        let mut hasher = Sha256::new();
        hasher.update(head);
        hasher.update(tail);
        merkle::parse(self.entry_hash).is_some_and(|stored| stored == Hash::from(hasher.finalize()))
    }

    /// The leaf of the record in the Merkle tree.
    pub fn leaf(&self) -> Hash {
        merkle::leaf_of(self.text)
    }
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, expected: &str) -> Option<()> {
        let found = self.text.as_bytes().get(self.at..self.at + expected.len())?;
        (found == expected.as_bytes()).then(|| self.at += expected.len())
    }

    /// A string without escapes.
    fn string(&mut self) -> Option<&'t str> {
        self.take("\"")?;
        let rest = self.text.as_bytes().get(self.at..)?;
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        if rest.get(length) != Some(&b'"') {
            return None;
        }
        let found = self.text.get(self.at..self.at + length)?;
        self.at += length + 1;
        Some(found)
    }

    /// A string that is not empty.
    fn named(&mut self) -> Option<&'t str> {
        self.string().filter(|text| !text.is_empty())
    }

    fn string_or_null(&mut self) -> Option<Option<&'t str>> {
        if self.take("null").is_some() { Some(None) } else { self.string().map(Some) }
    }

    /// The characters of a number.
    fn digits(&mut self) -> Option<&'t str> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e'))
            .unwrap_or(rest.len());
        let found = self.text.get(self.at..self.at + length).filter(|text| !text.is_empty())?;
        self.at += length;
        Some(found)
    }

    /// An int in its canonical form.
    fn int(&mut self) -> Option<i64> {
        let digits = self.digits()?;
        let bare = digits.strip_prefix('-').unwrap_or(digits);
        let canonical = bare.bytes().all(|b| b.is_ascii_digit())
            && (bare == "0" && bare.len() == digits.len() || !bare.starts_with('0'));
        if canonical { digits.parse().ok() } else { None }
    }

    /// A float in its canonical form.
    fn float(&mut self) -> Option<()> {
        let digits = self.digits()?;
        let value: f64 = digits.parse().ok().filter(|x: &f64| x.is_finite())?;
        (harn_eventlog::Json::Float(value).canonical() == digits).then_some(())
    }

    /// Any value in its canonical form, nested at most `depth` deep.
    fn value(&mut self, depth: usize) -> Option<()> {
        let deeper = depth.checked_sub(1)?;
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'n' => self.take("null"),
            b't' => self.take("true"),
            b'f' => self.take("false"),
            b'{' => {
                self.take("{")?;
                if self.take("}").is_some() {
                    return Some(());
                }
                let mut last: Option<&str> = None;
                loop {
                    let key = self.string()?;
                    if last.is_some_and(|last| last >= key) {
                        return None;
                    }
                    last = Some(key);
                    self.take(":")?;
                    self.value(deeper)?;
                    if self.take(",").is_none() {
                        return self.take("}");
                    }
                }
            }
            b'[' => {
                self.take("[")?;
                if self.take("]").is_some() {
                    return Some(());
                }
                loop {
                    self.value(deeper)?;
                    if self.take(",").is_none() {
                        return self.take("]");
                    }
                }
            }
            _ => {
                let from = self.at;
                if self.int().is_some() {
                    return Some(());
                }
                self.at = from;
                self.float()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Record;
    use super::*;
    use harn_eventlog::Json;
    use proptest::prelude::*;

    fn record(metadata: &str) -> Json {
        let text = format!(
            r#"{{"action":"a","agent":"é","approver":null,"autonomy_tier":"suggest","chain_index":7,"cost_usd":0.5,"entry_hash":"","metadata":{metadata},"outcome":"success","previous_hash":null,"record_id":"r","schema":"s","timestamp":"t","trace_id":"x"}}"#
        );
        let json = Json::parse(&text).unwrap();
        let hash = Record::decode(&json).unwrap().expected_hash();
        json.with("entry_hash", hash)
    }

    #[test]
    fn a_plain_record_is_read_where_it_lies() {
        let text = record(r#"{"a":[1,-2,0.5,{}],"b":"c"}"#).canonical();
        let line = Line::read(&text).unwrap();
        assert!(line.hash_holds());
        assert_eq!((line.chain_index, line.record_id, line.previous_hash), (7, "r", None));
        assert_eq!(line.leaf(), merkle::leaf(&Json::parse(&text).unwrap()));
    }

    #[test]
    fn what_is_special_gets_a_closer_look() {
        for metadata in [
            r#"{"parent_record_id":"p"}"#,
            r#"{"b":1,"a":2}"#,
            r#"{"a":1.50}"#,
            r#"{"a":-0}"#,
            r#"{"a":"\n"}"#,
            r#"{ }"#,
            "{\"a\":1,\"a\":1}",
        ] {
            let plain = record("{}").canonical();
            let text = plain.replace("\"metadata\":{}", &format!("\"metadata\":{metadata}"));
            assert!(Line::read(&text).is_none(), "{metadata}");
        }
    }

    proptest! {
        /// Whatever is read here is canonical, decodes, and has the hash that a closer look finds.
        #[test]
        fn a_line_says_what_the_record_says(at in 0..400usize, byte in any::<u8>()) {
            let mut bytes = record(r#"{"a":[1,-2,0.5,{"x":null}],"b":"c"}"#).canonical().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(text) = String::from_utf8(bytes) && let Some(line) = Line::read(&text) {
                let json = Json::parse(&text).unwrap();
                prop_assert_eq!(&json.canonical(), &text);
                let record = Record::decode(&json).unwrap();
                prop_assert_eq!(record.hash_holds(), line.hash_holds());
                prop_assert_eq!(record.chain_index(), line.chain_index);
                prop_assert_eq!(record.entry_hash(), line.entry_hash);
                prop_assert_eq!(record.previous_hash(), line.previous_hash);
            }
        }
    }
}
