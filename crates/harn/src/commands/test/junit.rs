//! Results as JUnit XML (spec 09 section 4.2).

use super::runner::Finished;
use std::fmt::Write;

/// The document.
pub fn xml(tests: &[Finished], ms: u128, seed: u64) -> String {
    let failures = tests.iter().filter(|test| test.failure.is_some()).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuite name=\"harn\" tests=\"{}\" failures=\"{failures}\" time=\"{}\">",
        tests.len(),
        seconds(ms)
    );
    let _ = writeln!(out, "  <properties><property name=\"seed\" value=\"{seed}\"/></properties>");
    for test in tests {
        let _ = write!(
            out,
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
            escaped(&test.file),
            escaped(&test.name),
            seconds(test.ms)
        );
        let Some(failure) = &test.failure else {
            out.push_str("/>\n");
            continue;
        };
        let _ = writeln!(out, ">\n    <failure message=\"test failed\">{}</failure>", escaped(failure));
        if !test.output.is_empty() {
            let _ = writeln!(out, "    <system-out>{}</system-out>", escaped(&test.output));
        }
        out.push_str("  </testcase>\n");
    }
    out.push_str("</testsuite>\n");
    out
}

fn seconds(ms: u128) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Text without markup; control characters that XML 1.0 cannot carry become `?`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_its_text_and_output() {
        let passed =
            Finished { name: "test_a".into(), file: "t.harn".into(), ms: 1234, ..Finished::default() };
        let failed = Finished {
            name: "test_b".into(),
            failure: Some("1 < 2 & \u{1b}[31m".into()),
            output: "hi\n".into(),
            ..passed.clone()
        };
        insta::assert_snapshot!(xml(&[passed, failed], 1300, 7), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuite name="harn" tests="2" failures="1" time="1.300">
          <properties><property name="seed" value="7"/></properties>
          <testcase classname="t.harn" name="test_a" time="1.234"/>
          <testcase classname="t.harn" name="test_b" time="1.234">
            <failure message="test failed">1 &lt; 2 &amp; ?[31m</failure>
            <system-out>hi
        </system-out>
          </testcase>
        </testsuite>
        "#);
    }
}
