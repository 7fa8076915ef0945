//! Habits of other languages, and how the same is written in Harn: help for syntax errors.

/// The help for an error, from the words before and at the place, the word after it, and the message.
pub(super) fn meant(before: &str, here: &str, after: &str, message: &str) -> Option<&'static str> {
    let starts = |expected: &str| message.starts_with(expected);
    let help = match (before, here) {
        ("function" | "def" | "func" | "fun" | "proc", _) => {
            "functions are declared with `fn`: `fn name(a, b) { return a }`"
        }
        ("const" | "val" | "final", _) => {
            "use `let` for a value that stays, `var` for one that is assigned again"
        }
        ("class", _) => "use `struct Name { field: type }`, with `impl Name { ... }` for methods",
        ("switch", _) | ("case", _) => "use `match value { pattern -> { ... } }`",
        ("async", _) => "there is no `async`: `spawn { ... }` starts a task, `await(task)` waits for it",
        ("foreach", _) => "loops are written `for item in items { ... }`",
        ("not", _) | (_, "not") => "use `!` for not",
        ("elif" | "elsif" | "elseif", _) | (_, "elif" | "elsif" | "elseif") => "use `else if`",
        (_, "and") => "use `&&` for and",
        (_, "or") => "use `||` for or",
        (_, "=") if after == ">" || after.starts_with('>') => "closures are written `{ x -> x + 1 }`",
        (_, "=>") => "use `->`; closures are written `{ x -> x + 1 }`",
        (_, "=") if starts("expected {") || starts("expected )") => "to compare, write `==`",
        (_, ":") if starts("expected {") && before == ")" => "the type of the result follows `->`",
        (_, "{") if starts("expected ->") => "an arm of a match is written `pattern -> { ... }`",
        (_, "|") if starts("expected expression") => "closures are written `{ x -> x + 1 }`",
        (_, "++" | "--") => "use `+= 1` or `-= 1`",
        (_, "+" | "-") if after == here || (before == here && starts("expected expression")) => {
            "use `+= 1` or `-= 1`"
        }
        _ => return None,
    };
    Some(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_are_known_by_the_words_around_the_error() {
        assert!(meant("def", "add", "(", "").is_some_and(|help| help.contains("`fn`")));
        assert!(meant("x", "and", "y", "").is_some_and(|help| help.contains("`&&`")));
        assert_eq!(meant("a", "=", "2", "expected {, found ="), Some("to compare, write `==`"));
        assert_eq!(meant("a", "b", "c", "expected )"), None);
    }
}
