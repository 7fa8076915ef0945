//! Standard input, output and error.

use crate::completions::Completions;
use harn_effect::{Data, Outcome, Raised, Ticket};
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::sync::mpsc::{Sender, channel};

/// The category of the error that says that nobody reads standard output any more.
pub const BROKEN_PIPE: &str = "broken_pipe";

/// `stdout.write`: all of it, at once; the runtime buffers.
pub fn write_out(args: &Data) -> Outcome {
    finish(write_all(io::stdout().lock(), text(args)))
}

/// `stderr.write`.
pub fn write_err(args: &Data) -> Outcome {
    finish(write_all(io::stderr().lock(), text(args)))
}

fn text(args: &Data) -> &[u8] {
    match args {
        Data::Str(text) => text.as_bytes(),
        Data::Bytes(bytes) => bytes,
        _ => args.field("text").as_str().unwrap_or("").as_bytes(),
    }
}

fn write_all(mut stream: impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

fn finish(result: io::Result<()>) -> Outcome {
    match result {
        Ok(()) => Ok(Data::Nil),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => {
            Err(Raised::Categorised { category: BROKEN_PIPE.into(), text: e.to_string() })
        }
        Err(e) => Err(Raised::runtime(e.to_string())),
    }
}

/// Reads standard input on a thread of its own, started at the first read.
pub struct Input {
    completions: Completions,
    reader: Option<Sender<(Ticket, bool)>>,
}

impl Input {
    /// An input that nobody has read from yet.
    pub fn new(completions: Completions) -> Self {
        Input { completions, reader: None }
    }

    /// `stdin.read`; the outcome comes by the queue.
    pub fn read(&mut self, ticket: Ticket, args: &Data) -> Option<Outcome> {
        let whole = args.field("mode").as_str() == Some("all");
        let reader = match &self.reader {
            Some(reader) => reader,
            None => match start(self.completions.clone()) {
                Ok(reader) => self.reader.insert(reader),
                Err(e) => return Some(Err(Raised::runtime(e.to_string()))),
            },
        };
        match reader.send((ticket, whole)) {
            Ok(()) => None,
            Err(_) => Some(Ok(Data::Nil)),
        }
    }
}

fn start(completions: Completions) -> io::Result<Sender<(Ticket, bool)>> {
    let (sender, requests) = channel::<(Ticket, bool)>();
    std::thread::Builder::new().name("stdin".into()).spawn(move || {
        for (ticket, whole) in requests {
            let read = if whole { read_rest(io::stdin().lock()) } else { read_line(io::stdin().lock()) };
            completions.done(ticket, read.map(Data::from).map_err(|e| Raised::runtime(e.to_string())));
        }
    })?;
    Ok(sender)
}

/// One line without its terminator; `None` at the end.
fn read_line(mut input: impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if input.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

/// Everything left; `None` when nothing is.
fn read_rest(mut input: impl Read) -> io::Result<Option<String>> {
    let mut rest = Vec::new();
    input.read_to_end(&mut rest)?;
    Ok(if rest.is_empty() { None } else { Some(String::from_utf8_lossy(&rest).into_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_terminators() {
        let mut input: &[u8] = b"a\r\n\nlast";
        assert_eq!(read_line(&mut input).unwrap().as_deref(), Some("a"));
        assert_eq!(read_line(&mut input).unwrap().as_deref(), Some(""));
        assert_eq!(read_line(&mut input).unwrap().as_deref(), Some("last"));
        assert_eq!(read_line(&mut input).unwrap(), None);
    }

    #[test]
    fn the_rest_of_nothing_is_nil() {
        assert_eq!(read_rest(&b""[..]).unwrap(), None);
        assert_eq!(read_rest(&b"x\ny"[..]).unwrap().as_deref(), Some("x\ny"));
    }
}
