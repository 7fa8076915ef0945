//! Server-sent events as they arrive: bytes in, events out (WHATWG HTML, "Interpreting an event stream").

use harn_effect::Data;

/// One event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Its type, `message` unless named.
    pub event: String,
    /// The data lines, joined.
    pub data: String,
    /// The last id seen.
    pub id: Option<String>,
    /// The pause before a reconnection, if this event names one.
    pub retry_ms: Option<i64>,
}

impl Event {
    /// What `sse_receive` gives.
    pub fn to_data(&self) -> Data {
        Data::dict([
            ("type", "event".into()),
            ("event", self.event.as_str().into()),
            ("data", self.data.as_str().into()),
            ("id", self.id.as_deref().map_or(Data::Nil, Data::from)),
            ("retry_ms", self.retry_ms.map_or(Data::Nil, Data::Int)),
        ])
    }
}

/// A decoder of one stream. A line may be cut anywhere; a message may not grow beyond the limit.
#[derive(Debug)]
pub struct Decoder {
    line: Vec<u8>,
    after_return: bool,
    data: Option<String>,
    event: String,
    id: Option<String>,
    retry_ms: Option<i64>,
    max_bytes: usize,
}

/// A message that is longer than the reader allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Decoder {
    /// A decoder that refuses messages of more than `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        let (line, data, event, id) = (Vec::new(), None, String::new(), None);
        Decoder { line, after_return: false, data, event, id, retry_ms: None, max_bytes }
    }

    /// Takes bytes; complete events go to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<(), TooLong> {
        for byte in bytes {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    self.take_line(&String::from_utf8_lossy(&line), out);
                }
                _ => {
                    self.after_return = false;
                    self.line.push(*byte);
                }
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > self.max_bytes {
                return Err(TooLong);
            }
        }
        Ok(())
    }

    fn take_line(&mut self, line: &str, out: &mut Vec<Event>) {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            let retry_ms = self.retry_ms.take();
            if let Some(data) = self.data.take() {
                let event = if event.is_empty() { "message".to_owned() } else { event };
                out.push(Event { event, data, id: self.id.clone(), retry_ms });
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => self.event = value.to_owned(),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "retry" => self.retry_ms = value.parse().ok().or(self.retry_ms),
            // A comment, or a field nobody knows.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]]) -> Vec<Event> {
        let (mut decoder, mut out) = (Decoder::new(1 << 20), Vec::new());
        pieces.iter().for_each(|piece| decoder.push(piece, &mut out).unwrap());
        out
    }

    #[test]
    fn fields_make_an_event_and_comments_none() {
        let events = decode(&[b": hi\n\nevent: tick\nid: 9\nretry: 50\ndata: a\ndata: b\n\n"]);
        let expected =
            Event { event: "tick".into(), data: "a\nb".into(), id: Some("9".into()), retry_ms: Some(50) };
        assert_eq!(events, [expected]);
    }

    #[test]
    fn a_message_beyond_the_limit_is_refused() {
        assert_eq!(Decoder::new(8).push(b"data: 0123456789", &mut Vec::new()), Err(TooLong));
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_makes_no_difference(cut in 0usize..60) {
            let text = "event: é\r\ndata: one\r\n\r\ndata: two\n\nid: 1\rdata: three\r\r".as_bytes();
            let cut = cut.min(text.len());
            prop_assert_eq!(decode(&[&text[..cut], &text[cut..]]), decode(&[text]));
        }
    }
}
