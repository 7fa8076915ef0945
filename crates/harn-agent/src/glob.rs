//! Globs of policies, approvals, permissions and hooks (spec 07 section 6.1): `*` within a path segment when the
//! pattern has `/` beyond it, `**` across segments, `?` one character.
//!
//! A pattern without `**` keeps the old meaning of a lone, leading or trailing `*`: it crosses `/`, so that
//! `src/*` still covers everything below `src`.

/// Whether `text` matches `pattern`. Never backtracks exponentially: at most `pattern x text` steps.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let segments_matter = pattern.windows(2).any(|pair| pair == ['*', '*']);
    // reachable[i]: the pattern so far can end after i characters of the text.
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    let mut at = 0;
    while let Some(c) = pattern.get(at) {
        let doubled = *c == '*' && pattern.get(at + 1) == Some(&'*');
        reachable = match c {
            '*' => star(&reachable, &text, segments_matter && !doubled),
            '?' => step(&reachable, &text, |t| t != '/' || !segments_matter),
            literal => step(&reachable, &text, |t| t == *literal),
        };
        at += if doubled { 2 } else { 1 };
    }
    reachable.last().copied().unwrap_or(false)
}

fn step(reachable: &[bool], text: &[char], accepts: impl Fn(char) -> bool) -> Vec<bool> {
    let mut next = vec![false; reachable.len()];
    for ((from, c), to) in reachable.iter().zip(text).zip(next.iter_mut().skip(1)) {
        *to = *from && accepts(*c);
    }
    next
}

fn star(reachable: &[bool], text: &[char], stops_at_slash: bool) -> Vec<bool> {
    let mut next = Vec::with_capacity(reachable.len());
    let mut open = false;
    for (i, here) in reachable.iter().enumerate() {
        if stops_at_slash && i > 0 && text.get(i - 1) == Some(&'/') {
            open = false;
        }
        open |= *here;
        next.push(open);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_lone_leading_or_trailing_star_crosses_everything() {
        assert!(matches("*", "a/b") && matches("src/*", "src/a/b.txt") && matches("*.test", "a.test"));
        assert!(matches("burn*", "burn_x") && !matches("burn*", "fetch"));
    }

    #[test]
    fn several_stars_and_question_marks_work() {
        assert!(matches("a*c*e", "abcde") && matches("f?o", "foo") && !matches("f?o", "fo"));
    }

    #[test]
    fn with_a_double_star_a_single_one_stays_in_its_segment() {
        assert!(matches("src/**/*.rs", "src/a/b/c.rs") && !matches("**/x/*.rs", "a/x/y/z.rs"));
    }

    #[test]
    fn a_hostile_pattern_ends() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
    }
}
