//! Framing of streams: server-sent events (WHATWG HTML section 9.2) and lines of JSON, in pieces of any size.

use super::MAX_FRAME_BYTES;

/// A line or an event grew past [`MAX_FRAME_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// One server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The name of the `event` field, empty when there was none.
    pub event: String,
    /// The `data` fields joined by line breaks.
    pub data: String,
}

/// Splits bytes into lines ended by LF, CR or CRLF.
#[derive(Default)]
struct Splitter {
    line: Vec<u8>,
    after_cr: bool,
}

impl Splitter {
    fn push(
        &mut self,
        bytes: &[u8],
        mut on_line: impl FnMut(String) -> Result<(), TooLong>,
    ) -> Result<(), TooLong> {
        for byte in bytes {
            let lf_of_crlf = std::mem::take(&mut self.after_cr) && *byte == b'\n';
            if lf_of_crlf {
                continue;
            }
            match byte {
                b'\n' | b'\r' => {
                    self.after_cr = *byte == b'\r';
                    on_line(self.take_line())?;
                }
                other => {
                    if self.line.len() >= MAX_FRAME_BYTES {
                        return Err(TooLong);
                    }
                    self.line.push(*other);
                }
            }
        }
        Ok(())
    }

    /// The line so far. Decoded only when whole, so a piece may end inside a character.
    fn take_line(&mut self) -> String {
        let bytes = std::mem::take(&mut self.line);
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

/// An incremental decoder of server-sent events: the same events for any split of the same bytes.
#[derive(Default)]
pub struct SseDecoder {
    splitter: Splitter,
    pending: Pending,
}

#[derive(Default)]
struct Pending {
    event: String,
    data: Option<String>,
    any_line: bool,
}

impl Pending {
    fn line(&mut self, line: &str) -> Result<Option<SseEvent>, TooLong> {
        let line = if self.any_line { line } else { line.strip_prefix('\u{feff}').unwrap_or(line) };
        self.any_line = true;
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event = value.to_owned(),
            "data" => match &mut self.data {
                None => self.data = Some(value.to_owned()),
                Some(data) if data.len() + value.len() < MAX_FRAME_BYTES => {
                    data.push('\n');
                    data.push_str(value);
                }
                Some(_) => return Err(TooLong),
            },
            // Comments (an empty field name), `id`, `retry` and unknown fields say nothing to us.
            _ => {}
        }
        Ok(None)
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let event = std::mem::take(&mut self.event);
        self.data.take().map(|data| SseEvent { event, data })
    }
}

impl SseDecoder {
    /// Takes a piece and gives the events it completes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<SseEvent>, TooLong> {
        let mut events = Vec::new();
        let pending = &mut self.pending;
        self.splitter.push(bytes, |line| {
            events.extend(pending.line(&line)?);
            Ok(())
        })?;
        Ok(events)
    }

    /// What stood at the end without its blank line. The standard drops it; providers that close the connection right
    /// after the last `data:` line exist, so the caller gets it and decides.
    pub fn finish(&mut self) -> Option<SseEvent> {
        let rest = self.splitter.take_line();
        if !rest.is_empty() {
            let _ = self.pending.line(&rest);
        }
        self.pending.dispatch()
    }
}

/// An incremental decoder of lines.
#[derive(Default)]
pub struct Lines {
    splitter: Splitter,
}

impl Lines {
    /// Takes a piece and gives the non-blank lines it completes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut lines = Vec::new();
        self.splitter.push(bytes, |line| {
            if !line.trim().is_empty() {
                lines.push(line);
            }
            Ok(())
        })?;
        Ok(lines)
    }

    /// What stood at the end without a line break.
    pub fn finish(&mut self) -> Option<String> {
        Some(self.splitter.take_line()).filter(|line| !line.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]]) -> Vec<SseEvent> {
        let mut decoder = SseDecoder::default();
        let mut events: Vec<_> = pieces.iter().flat_map(|piece| decoder.push(piece).unwrap()).collect();
        events.extend(decoder.finish());
        events
    }

    fn datas(text: &str) -> Vec<String> {
        decode(&[text.as_bytes()]).into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn all_line_ends_and_forms_of_data_are_read() {
        assert_eq!(datas("data: a\n\ndata:b\r\n\r\ndata: c\r\r"), ["a", "b", "c"]);
        assert_eq!(datas(": note\ndata: one\ndata: two\nid: 7\n\n"), ["one\ntwo"]);
        assert_eq!(datas("\u{feff}data: bom\n\n"), ["bom"]);
        assert_eq!(datas("event: x\n\n"), Vec::<String>::new());
        assert_eq!(datas("data: no blank line"), ["no blank line"]);
    }

    #[test]
    fn the_event_name_travels_with_its_data() {
        let events = decode(&[b"event: error\ndata: {}\n\ndata: x\n\n"]);
        assert_eq!(events[0].event, "error");
        assert_eq!(events[1].event, "");
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut decoder = SseDecoder::default();
        let piece = vec![b'x'; MAX_FRAME_BYTES];
        assert_eq!(decoder.push(&piece), Ok(Vec::new()));
        assert_eq!(decoder.push(b"y"), Err(TooLong));
    }

    /// Streams with every line end, multi-byte text, comments and blank runs.
    fn stream() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            "data: ?[a-zé\u{1F600}]{0,5}",
            Just("event: delta".to_owned()),
            Just(": comment".to_owned()),
            Just(String::new()),
            "[a-z:\u{feff}]{0,4}",
        ];
        let end = prop_oneof![Just("\n"), Just("\r"), Just("\r\n")];
        prop::collection::vec((line, end), 0..20)
            .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(text in stream(), cuts in prop::collection::vec(0usize..200, 0..12)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let mut start = 0;
            let pieces: Vec<&[u8]> = cuts.iter().map(|end| {
                let piece = &bytes[start..*end];
                start = *end;
                piece
            }).collect();
            prop_assert_eq!(decode(&pieces), decode(&[bytes]));
        }
    }
}
