//! The table of diagnostic codes: the one place where a code gets its title and its explanation.
//!
//! A code is permanent. Ranges: `HARN0001..` lexical, `HARN0010..` syntax; later stages add their own rows.

/// One row: what `harn explain CODE` says.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `HARN0001`.
    pub code: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it means and how to mend it.
    pub explanation: &'static str,
    /// A program that has the fault.
    pub wrong: &'static str,
    /// The same program without it.
    pub right: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:literal $title:literal { $explanation:literal wrong $wrong:literal right $right:literal })*) => {
        $(#[doc = $title] pub const $name: &str = $code;)*

        /// Every code, in order.
        pub const TABLE: &[Code] = &[
            $(Code { code: $code, title: $title, explanation: $explanation, wrong: $wrong, right: $right },)*
        ];
    };
}

/// The row of a code.
pub fn lookup(code: &str) -> Option<&'static Code> {
    TABLE.iter().find(|row| row.code.eq_ignore_ascii_case(code))
}

codes! {
    UNEXPECTED_CHARACTER "HARN0001" "unexpected character" {
        "The character begins no token of the language. Single quotes, `&`, `^`, `~`, `#` and a backslash that is not the last character of its line are the usual ones. An empty `${}` in a string reports its `}`."
        wrong "let b = a & 3\n"
        right "let b = a && ready\n"
    }
    UNTERMINATED_STRING "HARN0002" "unterminated string" {
        "A string has no closing quote: a plain or raw string ends on the line where it began; text over several lines stands between triple quotes."
        wrong "let s = \"no end\n"
        right "let s = \"an end\"\n"
    }
    UNTERMINATED_COMMENT "HARN0003" "unterminated block comment" {
        "A `/*` has no matching `*/`. Block comments nest, so each inner `/*` needs its own `*/`."
        wrong "/* never /* closed */\n"
        right "/* here /* it */ is */\n"
    }
    INVALID_NUMBER "HARN0004" "invalid number literal" {
        "Numbers are decimal digits with at most one point between digits. There are no hexadecimal, octal or binary forms, no `_` between digits and no exponents. Durations are whole numbers followed by ms, s, m, h, d or w."
        wrong "let mask = 0xFF\n"
        right "let mask = 255\n"
    }
    DURATION_TOO_LARGE "HARN0005" "duration literal is too large" {
        "A duration is kept in milliseconds in 64 bits."
        wrong "let d = 99999999999999999w\n"
        right "let d = 52w\n"
    }
    SOURCE_TOO_LARGE "HARN0006" "source file is too large" {
        "A source file holds at most 16 MiB. Read large data from a file at run time instead of writing it as a literal, or split the module."
        wrong "let data = [1, 2, 3 /* and so on for 16 MiB */]\n"
        right "let data = json_parse(read_file(\"data.json\"))\n"
    }
    UNEXPECTED_TOKEN "HARN0010" "unexpected token" {
        "The grammar needs something else at this place; the message names what."
        wrong "let x 5\n"
        right "let x = 5\n"
    }
    UNEXPECTED_END "HARN0011" "unexpected end of file" {
        "The file ends inside a construct: usually a closing bracket or brace is missing further up."
        wrong "fn f() {\n  let a = 1\n"
        right "fn f() {\n  let a = 1\n}\n"
    }
    MISSING_SEPARATOR "HARN0012" "missing separator" {
        "Two statements, declarations or fields stand on one line with nothing between them. Put a `;` or a new line there. A `-`, `[` or `(` at the start of a line begins a new statement: to continue an expression, end the line before with the operator or a backslash."
        wrong "let a = 1 let b = 2\n"
        right "let a = 1; let b = 2\n"
    }
    RESERVED_WORD "HARN0013" "reserved word used as a name" {
        "The word belongs to the grammar and cannot name a variable, function, parameter or type. As a member after `.`, as a dict key and as a field of a shape type every word is fine."
        wrong "let spawn = 3\n"
        right "let spawned = 3\n"
    }
    MISSING_COMMA "HARN0014" "missing comma between items" {
        "Two items of a list stand on one line without a comma. The program runs, but the next reader may see one item where there are two."
        wrong "let xs = [1 2]\n"
        right "let xs = [1, 2]\n"
    }
    TOO_DEEP "HARN0015" "nested too deeply" {
        "Brackets, blocks or operators are nested beyond the limit, which keeps every later stage safe. Name intermediate results, or build long lists as data."
        wrong "let x = ((((((((1 /* and so on, hundreds deep */))))))))\n"
        right "let inner = 1\nlet x = inner + 1\n"
    }
    PARAMETER_ORDER "HARN0016" "parameters out of order" {
        "Required parameters come first, then those with a default, then at most one rest parameter."
        wrong "fn f(a = 1, b) { return b }\n"
        right "fn f(b, a = 1) { return b }\n"
    }
    PUB_NEEDS_DECLARATION "HARN0017" "`pub` without a declaration" {
        "`pub` exports a declaration or re-exports an import. A value is exported by a function that returns it."
        wrong "pub let a = 1\n"
        right "pub fn a() { return 1 }\n"
    }
    MISPLACED_ATTRIBUTE "HARN0018" "attribute misplaced or malformed" {
        "Attributes stand before a declaration, and their arguments are literals or names."
        wrong "@deprecated\nlet a = 1\n"
        right "@deprecated\nfn a() { return 1 }\n"
    }
    PARALLEL_FORM "HARN0019" "malformed `parallel`" {
        "The only option of `parallel ... with` is `max_concurrent`, and only `parallel each` can be read `as stream`."
        wrong "let r = parallel each [1] with { workers: 2 } { i -> i }\n"
        right "let r = parallel each [1] with { max_concurrent: 2 } { i -> i }\n"
    }
    SELECT_CASES "HARN0020" "malformed `select`" {
        "A `select` has at least one case, and either a `timeout` or a `default`, at most once."
        wrong "fn f(ch) {\n  select {\n    timeout 1s { log(\"t\") }\n    default { log(\"d\") }\n  }\n}\n"
        right "fn f(ch) {\n  select {\n    x from ch { log(x) }\n    timeout 1s { log(\"t\") }\n  }\n}\n"
    }
    STRAY_BRACE "HARN0021" "closing brace without an opening one" {
        "Nothing is open that this `}` could close."
        wrong "let a = 1\n}\n"
        right "let a = 1\n"
    }
    HEREDOC "HARN0022" "heredoc in source code" {
        "Heredocs exist in the text of model tool calls only. Text over several lines stands between triple quotes."
        wrong "let a = <<EOF\nhi\nEOF\n"
        right "let a = \"\"\"\nhi\n\"\"\"\n"
    }
    DUPLICATE_SUMMARIZE "HARN0023" "more than one `summarize`" {
        "An `eval_pack` has at most one `summarize` block."
        wrong "eval_pack p {\n  summarize { 1 }\n  summarize { 2 }\n}\n"
        right "eval_pack p {\n  summarize { 1 }\n}\n"
    }
}
