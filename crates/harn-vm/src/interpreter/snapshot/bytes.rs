//! Numbers, texts and plain data as bytes.

use std::collections::BTreeMap;

use harn_effect::Data;

use super::{Unreadable, damaged};

/// Plain data nests at most this deep.
const DEPTH: usize = 500;

/// Appends to a byte vector.
#[derive(Default)]
pub(super) struct Out(pub Vec<u8>);

impl Out {
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Seven bits a byte, low ones first.
    pub fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    pub fn count(&mut self, n: usize) {
        self.number(n as u64);
    }

    /// Small numbers of either sign are short.
    pub fn signed(&mut self, n: i64) {
        self.number(((n << 1) ^ (n >> 63)) as u64);
    }

    pub fn blob(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    pub fn data(&mut self, data: &Data) {
        match data {
            Data::Nil => self.byte(0),
            Data::Bool(b) => self.byte(1 + u8::from(*b)),
            Data::Int(n) => {
                self.byte(3);
                self.signed(*n);
            }
            Data::Float(x) => {
                self.byte(4);
                self.0.extend_from_slice(&x.to_bits().to_le_bytes());
            }
            Data::Str(text) => {
                self.byte(5);
                self.text(text);
            }
            Data::Bytes(bytes) => {
                self.byte(6);
                self.blob(bytes);
            }
            Data::Duration(ms) => {
                self.byte(7);
                self.signed(*ms);
            }
            Data::List(items) => {
                self.byte(8);
                self.count(items.len());
                items.iter().for_each(|item| self.data(item));
            }
            Data::Dict(fields) => {
                self.byte(9);
                self.count(fields.len());
                for (key, value) in fields {
                    self.text(key);
                    self.data(value);
                }
            }
        }
    }
}

/// Reads from a byte slice.
pub(super) struct In<'a>(pub &'a [u8]);

type Read<T> = Result<T, Unreadable>;

impl<'a> In<'a> {
    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        match self.0.split_at_checked(count) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => damaged("it ends early"),
        }
    }

    pub fn byte(&mut self) -> Read<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or(0))
    }

    pub fn number(&mut self) -> Read<u64> {
        let mut n = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        damaged("a number is too long")
    }

    /// A number of things that follow: at least a byte each, so never more than there are bytes.
    pub fn count(&mut self) -> Read<usize> {
        let n = self.number()?;
        match usize::try_from(n) {
            Ok(n) if n <= self.0.len() => Ok(n),
            _ => damaged(format!("{n} things in {} bytes", self.0.len())),
        }
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize, what: &str) -> Read<usize> {
        let n = self.number()?;
        match usize::try_from(n) {
            Ok(n) if n < limit => Ok(n),
            _ => damaged(format!("there is no {what} {n}")),
        }
    }

    pub fn signed(&mut self) -> Read<i64> {
        let n = self.number()?;
        Ok((n >> 1) as i64 ^ -((n & 1) as i64))
    }

    pub fn float(&mut self) -> Read<f64> {
        let mut bits = [0; 8];
        bits.copy_from_slice(self.take(8)?);
        Ok(f64::from_bits(u64::from_le_bytes(bits)))
    }

    pub fn fixed(&mut self) -> Read<u64> {
        let mut bits = [0; 8];
        bits.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(bits))
    }

    pub fn blob(&mut self) -> Read<&'a [u8]> {
        let count = self.count()?;
        self.take(count)
    }

    pub fn text(&mut self) -> Read<&'a str> {
        std::str::from_utf8(self.blob()?).or_else(|_| damaged("a text is not UTF-8"))
    }

    pub fn data(&mut self) -> Read<Data> {
        self.data_at(0)
    }

    fn data_at(&mut self, depth: usize) -> Read<Data> {
        if depth > DEPTH {
            return damaged("data is nested too deeply");
        }
        Ok(match self.byte()? {
            0 => Data::Nil,
            1 => Data::Bool(false),
            2 => Data::Bool(true),
            3 => Data::Int(self.signed()?),
            4 => Data::Float(self.float()?),
            5 => Data::Str(self.text()?.to_owned()),
            6 => Data::Bytes(self.blob()?.to_vec()),
            7 => Data::Duration(self.signed()?),
            8 => {
                let count = self.count()?;
                Data::List((0..count).map(|_| self.data_at(depth + 1)).collect::<Read<_>>()?)
            }
            9 => {
                let count = self.count()?;
                let mut fields = BTreeMap::new();
                for _ in 0..count {
                    let key = self.text()?.to_owned();
                    fields.insert(key, self.data_at(depth + 1)?);
                }
                Data::Dict(fields)
            }
            other => return damaged(format!("there is no data of kind {other}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_data_come_back() {
        let mut out = Out::default();
        let data = Data::dict([
            ("a", Data::List(vec![Data::Int(i64::MIN), Data::Float(-0.0), Data::Bool(true)])),
            ("b", Data::Bytes(vec![0, 255])),
            ("c", Data::Duration(5)),
        ]);
        out.number(u64::MAX);
        out.signed(-3);
        out.data(&data);
        let mut bytes = In(&out.0);
        assert_eq!((bytes.number(), bytes.signed(), bytes.data()), (Ok(u64::MAX), Ok(-3), Ok(data)));
        assert!(bytes.0.is_empty());
    }

    #[test]
    fn a_count_is_never_more_than_the_bytes_there_are() {
        let mut out = Out::default();
        out.number(1 << 40);
        assert!(In(&out.0).count().is_err());
    }
}
