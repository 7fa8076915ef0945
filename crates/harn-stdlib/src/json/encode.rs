//! JSON text of scalars and strings (spec 05 section 5.4).

/// Appends a string with its quotes.
pub fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (i, b) in text.bytes().enumerate() {
        let escape = match b {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(text.get(from..i).unwrap_or(""));
        if escape.is_empty() {
            out.push_str(&format!("\\u{b:04x}"));
        } else {
            out.push_str(escape);
        }
        from = i + 1;
    }
    out.push_str(text.get(from..).unwrap_or(""));
    out.push('"');
}

/// Appends an int.
pub fn int(out: &mut String, n: i64) {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = write!(out, "{n}");
}

/// Appends a float: the shortest decimal that reads back, without a fraction when whole; `null` when not finite.
pub fn float(out: &mut String, x: f64) {
    use std::fmt::Write;
    let _ = match x {
        _ if !x.is_finite() => write!(out, "null"),
        _ => write!(out, "{x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        let mut out = String::new();
        string(&mut out, "a\"\\\n\u{1}é");
        assert_eq!(out, "\"a\\\"\\\\\\n\\u0001é\"");
    }

    #[test]
    fn whole_floats_have_no_fraction() {
        let mut out = String::new();
        for x in [1.0, 0.1, f64::NAN] {
            float(&mut out, x);
            out.push(' ');
        }
        assert_eq!(out, "1 0.1 null ");
    }
}
