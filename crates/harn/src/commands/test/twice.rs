//! `harn test --determinism`: a test is run twice with one seed, and whatever differs is its failure (spec 09 section 4.3).

use super::runner::Finished;

/// The failure of a test whose runs differ: the first thing that does, in both.
pub fn difference(first: &Finished, second: &Finished) -> Option<String> {
    let failures = |test: &Finished| test.failure.clone().unwrap_or_else(|| "passed\n".to_owned());
    let compared = [
        ("the result", failures(first), failures(second)),
        ("the output", first.output.clone(), second.output.clone()),
        ("the model calls and replies", first.models.join("\n"), second.models.join("\n")),
        ("the tool calls and questions to people", first.acts.join("\n"), second.acts.join("\n")),
    ];
    let (what, first, second) = compared.into_iter().find(|(_, first, second)| first != second)?;
    let (line, before, after) = first_difference(&first, &second);
    Some(format!(
        "not deterministic: {what} of two runs with the same seed and the same replies differ at line {line}\n  \
         first:  {before}\n  second: {after}\n"
    ))
}

fn first_difference<'t>(first: &'t str, second: &'t str) -> (usize, &'t str, &'t str) {
    const NOTHING: &str = "(nothing)";
    let (mut before, mut after) = (first.lines(), second.lines());
    let mut line = 1;
    loop {
        match (before.next(), after.next()) {
            (Some(a), Some(b)) if a == b => line += 1,
            (a, b) => return (line, a.unwrap_or(NOTHING), b.unwrap_or(NOTHING)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_shown_of_both_runs() {
        let printing = |output: &str| Finished { output: output.to_owned(), ..Finished::default() };
        insta::assert_snapshot!(difference(&printing("a\nb\n"), &printing("a\nc\n")).unwrap(), @r"
        not deterministic: the output of two runs with the same seed and the same replies differ at line 2
          first:  b
          second: c
        ");
        assert_eq!(difference(&printing("a\n"), &printing("a\n")), None);
    }
}
