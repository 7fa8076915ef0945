//! A finding made small: lines, and heads of blocks with their ends, are left out as long as the finding stays.

/// The smallest text that was found to be `interesting`.
pub fn shrink(text: &str, interesting: impl Fn(&str) -> bool) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    loop {
        let before = lines.len();
        let mut size = (lines.len() / 2).max(1);
        loop {
            let mut at = 0;
            while at < lines.len() {
                let end = (at + size).min(lines.len());
                match without(&lines, |line| (at..end).contains(&line)) {
                    shorter if interesting(&shorter.join("\n")) => lines = shorter,
                    _ => at += size,
                }
            }
            if size == 1 {
                break;
            }
            size /= 2;
        }
        for head in 0..lines.len() {
            let Some(end) = end_of_block(&lines, head) else { continue };
            let whole = without(&lines, |line| (head..=end).contains(&line));
            let opened = without(&lines, |line| line == head || line == end);
            if interesting(&whole.join("\n")) {
                lines = whole;
            } else if interesting(&opened.join("\n")) {
                lines = opened;
            }
        }
        if lines.len() == before {
            return lines.join("\n") + "\n";
        }
    }
}

fn without(lines: &[String], gone: impl Fn(usize) -> bool) -> Vec<String> {
    lines.iter().enumerate().filter(|(at, _)| !gone(*at)).map(|(_, line)| line.clone()).collect()
}

/// The line that closes the block which this line opens, by indentation.
fn end_of_block(lines: &[String], head: usize) -> Option<usize> {
    let line = lines.get(head)?;
    if !line.ends_with('{') && !line.ends_with("->") {
        return None;
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(line);
    let rest = lines.iter().enumerate().skip(head + 1);
    rest.into_iter().find(|(_, line)| indent(line) <= own).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let text = "let a = 1\nif a {\n  let b = 2\n  println(b)\n}\nlet c = 3\n";
        assert_eq!(shrink(text, |text| text.contains("println(b)")), "  println(b)\n");
    }
}
