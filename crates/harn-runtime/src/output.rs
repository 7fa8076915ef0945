//! Standard output of a run: collected until it is worth a write, never lost (spec 02 section 3.2, 06 section 5.1).

/// Bytes on their way to standard output.
#[derive(Debug, Default)]
pub struct StdoutBuffer {
    text: String,
    line_buffered: bool,
    /// Whether the last text that was taken ended in the middle of a line.
    mid_line: bool,
}

/// Above this size the buffer wants to be written whatever it holds.
const ENOUGH: usize = 16 << 10;

impl StdoutBuffer {
    /// An empty buffer; on a terminal every finished line is due at once.
    pub fn new(terminal: bool) -> Self {
        StdoutBuffer { text: String::new(), line_buffered: terminal, mid_line: false }
    }

    /// Adds text; true when it is time to write.
    #[must_use]
    pub fn push(&mut self, text: &str) -> bool {
        self.text.push_str(text);
        self.text.len() >= ENOUGH || (self.line_buffered && text.contains('\n'))
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes what is there; `None` when nothing is.
    pub fn take(&mut self) -> Option<String> {
        if self.text.is_empty() {
            return None;
        }
        self.mid_line = !self.text.ends_with('\n');
        Some(std::mem::take(&mut self.text))
    }

    /// Whether what was taken so far ends in the middle of a line. Asked once: whoever asks ends the line.
    pub fn take_mid_line(&mut self) -> bool {
        std::mem::take(&mut self.mid_line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_each_line_and_a_file_gets_blocks() {
        assert!(StdoutBuffer::new(true).push("a\n"));
        assert!(!StdoutBuffer::new(true).push("a"));
        let mut file = StdoutBuffer::new(false);
        assert!(!file.push("a\n"));
        assert!(file.push(&"x".repeat(ENOUGH)));
        assert_eq!(file.take().map(|t| t.len()), Some(ENOUGH + 2));
        assert_eq!(file.take(), None);
    }
}
